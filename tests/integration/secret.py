#!/usr/bin/env python3
"""The person's secrets: set by standard input, at a terminal, as a command; listed, given, removed; and kept from cells.

usage: secret.py AMBIT    (TAP on standard output)
"""

import array
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import termios

from harness import PATIENCE, SLOW, Terminal, main, rooted, sanitized, told

VALUE = "tok-7Vq2mZ9sLw-never-shown"
SET, LIST, REMOVE, OPEN, GIVE = range(232, 237)
ROW, DONE, FAILED = range(240, 243)
HTTP_SECRET = 217


class Secrets:
    """A home with nothing in it."""

    def __init__(self, place, **settings):
        self.place, self.top = place, place.fresh()
        self.home = os.path.join(self.top, "home")
        os.mkdir(self.home)
        self.store = os.path.join(self.home, ".local/state/ambit/secrets")
        self.key = os.path.join(self.home, ".config/ambit/secret-key")
        self.environment = {**place.environment(), "HOME": self.home, "AMBIT_LEDGER": "none", **settings}

    def ambit(self, *words, input="", **more):
        return subprocess.run([self.place.ambit, *words], cwd=self.top, input=input, env=self.environment, capture_output=True, text=True,
                              errors="replace", timeout=SLOW * PATIENCE, **more)

    def secret(self, *words, **more):
        return self.ambit("secret", *words, **more)

    def set(self, name, value=VALUE, *words):
        result = self.secret("set", name, *words, input=value)
        assert result.returncode == 0, told(result)
        return result

    def listed(self):
        result = self.secret("list", "--json")
        assert result.returncode == 0, told(result)
        return {row["name"]: row for row in json.loads(result.stdout)["secrets"]}

    def refused(self, text, *words, **more):
        result = self.secret(*words, **more)
        assert result.returncode == 125 and re.search(text, result.stderr), f"{words}: {told(result)}"
        assert VALUE not in result.stderr + result.stdout, told(result)
        return result

    def file(self, name):
        return os.path.join(self.store, name + ".sealed")

    def terminal(self, *words):
        return Terminal([self.place.ambit, "secret", *words], self.top, self.environment)


class Role:
    """ambit-secret, to which this test is the library, and the role that attaches secrets."""

    def __init__(self, secrets, **settings):
        path = os.path.join(os.path.dirname(secrets.place.ambit), "ambit-secret")
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.settimeout(SLOW * PATIENCE)
        kept = os.dup(3) if is_open(3) else -1
        os.dup2(theirs.fileno(), 3)
        self.process = subprocess.Popen([path], pass_fds=(3,), env={**secrets.environment, **settings}, cwd="/", stdin=subprocess.DEVNULL)
        os.close(3)
        if kept >= 0:
            os.dup2(kept, 3)
            os.close(kept)
        if theirs.fileno() != 3:
            theirs.close()
        else:
            theirs.detach()
        self.directories = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in (secrets.store, secrets.key)]

    def send(self, number, body, *fds):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.ours.sendmsg([struct.pack("<HH", number, 0) + body], rights)

    def receive(self):
        packet = self.ours.recv(70000)
        return (struct.unpack("<HH", packet[:4])[0], packet[4:]) if packet else (0, b"")

    def open(self, *terminal):
        self.send(OPEN, b"", *self.directories, *terminal)
        answer = self.receive()
        assert answer[0] == DONE, answer
        return self

    def give(self, name, host):
        """The value, or why not."""
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with mine, its:
            self.send(GIVE, text(name) + text(host), its.fileno())
            its.close()
            number, body = self.receive()
            packet = mine.recv(70000) if number == DONE else b""
        if number == DONE:
            assert struct.unpack("<HH", packet[:4])[0] == HTTP_SECRET, packet
            return packet[4:].decode()
        assert number == FAILED, (number, body)
        return " ".join(re.findall(r"[ -~]{3,}", body.decode(errors="replace")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ours.close()
        for fd in self.directories:
            os.close(fd)
        try:
            self.process.wait(SLOW * PATIENCE)
        finally:
            self.process.kill()


def is_open(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False


def text(words):
    return struct.pack("<I", len(words)) + words.encode()


# ---- setting ----


def set_by_standard_input_and_listed_without_its_value(place):
    s = Secrets(place)
    result = s.set("github", VALUE + "\n", "--host", "API.github.com", "--host=*.example.com")
    assert result.stdout == "set: github, for api.github.com, *.example.com\n", told(result)
    result = s.secret("list")
    assert re.fullmatch(r"github  value  \d{4}-\d\d-\d\dT\S+Z  api\.github\.com, \*\.example\.com\n", result.stdout), told(result)
    row = s.listed()["github"]
    assert row["kind"] == "value" and row["hosts"] == ["api.github.com", "*.example.com"], row
    with Role(s).open() as role:
        assert role.give("github", "api.github.com") == VALUE  # the newline was taken off
    result = s.set("github", "another")
    assert result.stdout == "replaced: github, for api.github.com, *.example.com\n", told(result)  # bound as before
    assert s.set("github", "another", "--host", "other.test").stdout == "replaced: github, for other.test\n"
    assert s.secret("remove", "github").stdout == "removed: github\n" and s.listed() == {}
    assert s.secret("list").stdout == "you have no secrets\n"
    s.refused("no secret 'github'", "remove", "github")


def set_from_a_file_and_told_as_JSON(place):
    s = Secrets(place)
    with open(os.path.join(s.top, "token"), "w", encoding="utf-8") as file:
        file.write(VALUE + "\n")
    result = s.secret("set", "github", "--from", "token", "--json")
    answer = json.loads(result.stdout)
    assert answer["replaced"] is False and answer["secret"]["name"] == "github" and VALUE not in result.stdout, told(result)
    with Role(s).open() as role:
        assert role.give("github", "any.test") == VALUE
    s.refused("cannot open nothing", "set", "github", "--from", "nothing")


def no_file_has_its_value(place):
    s = Secrets(place)
    s.set("github", VALUE, "--host", "api.github.com")
    files = [os.path.join(at, name) for at, _, names in os.walk(s.top) for name in names]
    for path in files:
        with open(path, "rb") as file:
            content = file.read()
        assert VALUE.encode() not in content, path
        assert os.stat(path).st_mode & 0o077 == 0, path
    assert s.file("github") in files and os.path.join(s.key, "store.key") in files, files
    for path in (s.store, s.key):
        assert os.stat(path).st_mode & 0o777 == 0o700, path
    with open(s.file("github"), "rb") as file:
        assert b"api.github.com" in file.read()  # so that the search would have found the value


def a_login_is_what_its_reader_may_say(place):
    """Who reads what a giver of tokens says may be taken over: what it says is a login, or nothing is kept, and the others are still listed."""
    s = Secrets(place)
    s.set("github", VALUE)
    terms = "https://a.test/token https://s.test/mcp c-1 -"
    rows = [("3600 access refresh", DONE), ("4294967295 access -", DONE), ("4294967296 access -", FAILED), (f"{2**63 - 1} access -", FAILED), (f"{2**63 // 1000 + 1} access -", FAILED), ("-1 access -", FAILED),
            ("3600 access", FAILED), ("3600 access refresh more", FAILED), ("3600 acc\x01ess -", FAILED), ("3600 access\0 -", FAILED), ("", FAILED), ("3600 " + "a" * 4096 + " -", FAILED), ("x" * 9000, FAILED)]
    for said, want in rows:
        reads, writes = os.pipe()
        os.write(writes, said.encode())
        os.close(writes)
        with Role(s) as role:
            role.send(SET, bytes([4]) + text("mine") + struct.pack("<I", 0) + text(terms), *role.directories, reads)
            os.close(reads)
            answer = role.receive()
            answer = role.receive() if answer[0] == ROW else answer
            assert answer[0] == want, (said[:64], answer)
        listed = s.listed()
        assert listed["github"]["kind"] == "value" and listed["mine"]["kind"] == "login", (said[:64], listed)


def typed_twice_at_a_terminal(place):
    s = Secrets(place)
    long = "x" * 5000  # more than a line of a terminal may have
    for name, typed, again in (("plain", VALUE, VALUE), ("corrected", "no\x15wrong\x7f\x7f\x7f\x7f\x7f" + VALUE + "\u00e9\x7f", VALUE), ("long", long, long)):
        with s.terminal("set", name) as t:
            t.until(f"Value of {name}, which is not shown: ")
            assert not t.attributes()[3] & termios.ECHO
            t.type(typed + "\r")
            t.until("Once more: ")
            t.type(again + "\r")
            t.until(f"set: {name}, for any host")
            assert t.end() == 0 and t.attributes()[3] & termios.ECHO
            assert VALUE.encode() not in t.seen and b"xxx" not in t.seen, t.seen
    with Role(s).open() as role:
        assert role.give("plain", "a.test") == role.give("corrected", "a.test") == VALUE and role.give("long", "a.test") == long


def what_is_typed_otherwise_sets_nothing(place):
    s = Secrets(place)
    for first, second, says in ((VALUE + "\r", VALUE + "x\r", "the two values differ"), ("\x03", None, "nothing was set"), ("\x04", None, "nothing was set"),
                                (VALUE + "\r", "\x03", "nothing was set"), ("\r", "\r", "the value is empty"), ("a\x1b\r", "a\x1b\r", "control character")):
        with s.terminal("set", "github") as t:
            t.until("not shown: ")
            t.type(first)
            if second is not None:
                t.until("Once more: ")
                t.type(second)
            t.until(says)
            assert t.end() == 125 and t.attributes()[3] & termios.ECHO, (first, second)
    assert s.listed() == {}


def a_terminal_is_as_it_was_when_who_asks_is_killed(place):
    s = Secrets(place)
    script = f"({place.ambit} secret set github); echo ended $?; until stty -a | grep -q ' echo '; do :; done; echo restored"
    with Terminal(["sh", "-c", script], s.top, s.environment) as t:
        t.until("not shown: ")
        assert not t.attributes()[3] & termios.ECHO
        kill_child(t.pid)
        t.until("ended 137.*restored")
        assert t.end() == 0 and t.attributes()[3] & termios.ECHO


def kill_child(pid):
    """The one that has none itself."""
    while True:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
        if not children:
            break
        pid = int(children[0])
    os.kill(pid, signal.SIGKILL)


def wrong_words_are_refused(place):
    s = Secrets(place)
    for name in ("../x", "a/b", ".a", "a.", "", "a b", "a\nb", "x" * 64, "\u00e9", "-"):
        s.refused("no secret can be called|no option", "set", name, input=VALUE)
        s.refused("no secret can be called|no option", "remove", name)
        s.refused("no secret can be called|no option", "check", name)
    for host in ("*", "https://a.com", "a.com:443", "10.0.0.0/8", ""):
        s.refused("is no host", "set", "a", "--host", host, input=VALUE)
    for words, says in ((("set",), "which"), (("set", "a", VALUE), "never one of them"), (("remove",), "which"), (("list", "a"), "too many"),
                        (("set", "a", "--host"), "which"), (("set", "a", "--command", "b", "--from", "c"), "one of them"), (("show", "a"), "no command 'secret show'"),
                        (("remove", "a", "--json"), "no option"), (("set", "a", "--valve", "x"), "no option '--valve'"), ((), "set, login, list, check or remove"),
                        (("check",), "which"), (("check", "a", "b"), "takes one name"), (("check", "a", "--issuer", "x"), "github, gitlab"), (("check", "a"), "no secret a"),
                        (("check", "a", "--host", "b"), "no option"), (("check", "a", "--issuer"), "which"), (("check", "a", "--issuer=gitlab:a:b"), "'a:b'")):
        result = s.secret(*words, input=VALUE)
        assert result.returncode == 125 and says in result.stderr, f"{words}: {told(result)}"
    assert not os.path.exists(s.store) or os.listdir(s.store) in ([], ["lock"])


def wrong_values_are_refused(place):
    s = Secrets(place)
    for value, says in ((b"", "is empty"), (b"\n", "is empty"), (b"a\nb", "newline"), (b"a\n\n", "newline"), (b"a\0b", "control"), (b"a\tb", "control"), (b"a\r\n", "control"),
                        (b"a\xff", "UTF-8"), (b"x" * 8193, "longer than 8192"), (b"x" * 100000, "longer than 8192"), (b"x" * 8193 + b"\n", "longer than 8192")):
        result = subprocess.run([place.ambit, "secret", "set", "a"], cwd=s.top, input=value, env=s.environment, capture_output=True, timeout=SLOW * PATIENCE)
        assert result.returncode == 125 and says.encode() in result.stderr, (value[:20], result)
    assert s.listed() == {}
    s.set("a", "x" * 8192 + "\n")
    with Role(s).open() as role:
        assert role.give("a", "a.test") == "x" * 8192


# ---- giving ----


def given_for_its_own_hosts_alone(place):
    s = Secrets(place)
    s.set("github", VALUE, "--host", "api.github.com", "--host", "*.example.com")
    s.set("free", "tok-free")
    with Role(s).open() as role:
        for host in ("api.github.com", "a.example.com", "*.example.com"):
            assert role.give("github", host) == VALUE, host
        for host in ("github.com", "x.api.github.com", "a.b.example.com", "192.0.2.1", "*.github.com"):
            answer = role.give("github", host)
            assert f"secret 'github' is not for {host}" in answer and "bound to api.github.com and others" in answer and VALUE not in answer, answer
        assert "did you mean 'github'?" in role.give("gihub", "api.github.com")
        assert role.give("free", "192.0.2.1") == role.give("free", "2001:db8::1") == "tok-free"


def asked_otherwise_it_ends(place):
    s = Secrets(place)
    s.set("github", VALUE)
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with mine, its:
        for name, host in (("../secrets/github", "a.test"), ("github", ""), ("github", "A.test"), ("github", "a.test\0")):
            with Role(s).open() as role:
                role.send(GIVE, text(name) + text(host), its.fileno())
                assert role.receive()[0] == FAILED and role.receive()[0] == 0, (name, host)
        with Role(s) as role:  # not before the store was opened
            role.send(GIVE, text("github") + text("a.test"), its.fileno())
            assert role.receive()[0] == FAILED and role.receive()[0] == 0
        mine.setblocking(False)
        try:
            packet = mine.recv(100)
        except BlockingIOError:
            packet = b""
        assert packet == b"", packet
    with Role(s) as role:  # a directory that others may look into
        os.chmod(s.store, 0o755)
        role.send(OPEN, b"", *role.directories)
        answer = role.receive()
        assert answer[0] == FAILED and b"not yours alone" in answer[1], answer


def it_is_not_dumped_and_shut_in(place):
    s = Secrets(place)
    s.set("github", VALUE)
    with Role(s).open() as role:
        assert role.give("github", "a.test") == VALUE
        with open(f"/proc/{role.process.pid}/status", encoding="ascii") as file:
            status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
        assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1", status
        assert sanitized(place.ambit) or int(status["VmLck"].split()[0]) >= 24, status["VmLck"]  # a sanitizer makes nothing of mlock(2)
        assert os.stat(f"/proc/{role.process.pid}/mem").st_uid == 0  # root's, as of what may not be dumped
        limits = open(f"/proc/{role.process.pid}/limits", encoding="ascii").read() if os.geteuid() == 0 else "Max core file size 1 1"
        assert re.search(r"Max core file size +1 +1", limits), limits


# ---- commands ----


def a_command_gives_it_each_time(place):
    s = Secrets(place, MARK="of-the-person")
    with open(os.path.join(s.home, "count"), "w", encoding="utf-8") as file:
        file.write("0")
    s.set("counted", "", "--command", "sh -c 'n=$(($(cat count) + 1)); echo $n > count; echo \"$MARK $n\"'")
    assert s.listed()["counted"]["kind"] == "command" and "  command  " in s.secret("list").stdout
    s.set("none", "", "--command", "cat")  # nothing is there to be read
    with Role(s).open() as role:
        assert role.give("counted", "a.test") == "of-the-person 1" and role.give("counted", "a.test") == "of-the-person 2"
        assert "what its command wrote is empty" in role.give("none", "a.test")
    files = [os.path.join(at, name) for at, _, names in os.walk(s.store) for name in names]
    assert all(b"MARK" not in open(path, "rb").read() for path in files)


def commands_that_fail_say_why(place):
    s = Secrets(place)
    rows = (("sh -c 'echo the agent is locked >&2; exit 3'", "its command failed: status 3", "it says: the agent is locked"),
            ("sh -c 'kill -9 $$'", "its command failed: signal 9", ""),
            ("no-such-program-at-all x", "cannot be executed", "No such file"),
            ("/etc/passwd", "cannot be executed", "Permission denied"),
            ("sh -c 'echo a; echo b'", "what its command wrote has a newline", ""),
            ("printf 'a\\377'", "what its command wrote is not UTF-8", ""),
            ("true", "what its command wrote is empty", ""),
            ("yes", "wrote more than 8192 bytes", ""),
            ("sh -c 'echo \x24{x-half}; echo no >&2; exit 1'", "status 1", "no"),
            ("sh -c 'exec >&-; yes no | head -c 100000 >&2; exit 4'", "status 4", "no"))
    for i, (command, *_) in enumerate(rows):
        s.set(f"c{i}", "", "--command", command)
    s.set("good", "", "--command", "echo " + VALUE)
    with Role(s).open() as role:
        for i, (command, says, why) in enumerate(rows):
            answer = role.give(f"c{i}", "a.test")
            assert f"secret 'c{i}': " in answer and says in answer and why in answer and "half" not in answer, f"{command}: {answer}"
        assert role.give("good", "a.test") == VALUE  # the twin, by the same process


def a_command_may_ask_on_the_terminal(place):
    s = Secrets(place)
    s.set("a", "", "--command", "sh -c 'echo Which? >&0; read x; echo \"$x-read\"'")
    master, slave = os.openpty()
    with Role(s).open(slave) as role:
        os.write(master, b"typed\n")
        assert role.give("a", "a.test") == "typed-read"
        seen = b""
        while b"Which?" not in seen and select.select([master], [], [], 10)[0]:  # what was typed may come by itself
            seen += os.read(master, 1000)
        assert b"Which?" in seen, seen
    os.close(master)
    os.close(slave)


def what_a_command_leaves_behind_is_not_waited_for(place):
    """It goes on with the pipe open; the value has come."""
    s = Secrets(place)
    s.set("a", "", "--command", "sh -c 'sleep 1000 & echo $! > child; echo " + VALUE + "'")
    with Role(s).open() as role:
        assert role.give("a", "a.test") == VALUE
    with open(os.path.join(s.home, "child"), encoding="ascii") as file:
        os.kill(int(file.read()), signal.SIGKILL)  # it was left alone


def a_command_ends_with_who_asked(place):
    s = Secrets(place)
    s.set("a", "", "--command", "sh -c 'mkfifo here; echo $$ > pid; exec 3<>here; echo > ready; read x <&3'")
    os.mkfifo(os.path.join(s.home, "ready"))
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with Role(s).open() as role, mine, its:
        role.send(GIVE, text("a") + text("a.test"), its.fileno())
        with open(os.path.join(s.home, "ready"), encoding="ascii") as file:
            file.read()
        with open(os.path.join(s.home, "pid"), encoding="ascii") as file:
            pidfd = os.pidfd_open(int(file.read()))
    import select
    assert select.select([pidfd], [], [], SLOW * PATIENCE)[0], "it goes on"
    os.close(pidfd)


def commands_without_a_shell(place):
    s = Secrets(place)
    for command in ("a | b", "a; b", "echo $HOME", "`a`", "a > b", "a & b", "'a", "./a", ""):
        s.refused("the command|--command", "set", "a", "--command", command)
    s.set("a", "", "--command", "echo '$HOME | x'  \"y z\"")
    with Role(s).open() as role:
        assert role.give("a", "a.test") == "$HOME | x y z"


# ---- what is broken ----


def damaged_files_are_refused(place):
    s = Secrets(place)
    s.set("good", VALUE)

    def cut(path):
        os.truncate(path, 100)

    def empty(path):
        os.truncate(path, 0)

    def change(path):
        with open(path, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            last = file.read(1)[0]
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last ^ 1]))

    def show(path):
        os.chmod(path, 0o640)

    def link(path):
        os.rename(path, path + ".moved")
        os.symlink(path + ".moved", path)

    def pipe(path):
        os.unlink(path)
        os.mkfifo(path, 0o600)

    def exchange(path):
        shutil.copy2(s.file("good"), path)

    for harm, says in ((cut, "it is cut"), (empty, "does not begin"), (change, "was changed"), (show, "not yours alone"), (link, "cannot open"), (pipe, "not yours alone"), (exchange, "under another name")):
        s.set("bad", VALUE)
        harm(s.file("bad"))
        rows = s.listed()
        assert rows["bad"]["kind"] == "damaged" and says in rows["bad"]["why"] and rows["good"]["kind"] == "value", f"{harm.__name__}: {rows}"
        assert "bad  damaged: " in s.secret("list").stdout
        with Role(s).open() as role:
            assert says in role.give("bad", "a.test") and role.give("good", "a.test") == VALUE
        s.refused("secret 'bad'", "set", "bad", input=VALUE)  # it may have been bound to a host
        s.set("bad", VALUE, "--host", "a.test")
        assert s.listed()["bad"]["hosts"] == ["a.test"]
        assert s.secret("remove", "bad").returncode == 0


def a_copy_of_the_store_alone_gives_nothing(place):
    s, other = Secrets(place), Secrets(place)
    s.set("github", VALUE)
    other.set("mine", "x")
    shutil.copy2(s.file("github"), other.file("github"))
    assert "another key" in other.listed()["github"]["why"]
    with Role(other).open() as role:
        assert "another key" in role.give("github", "a.test") and role.give("mine", "a.test") == "x"
    shutil.copy2(os.path.join(s.key, "store.key"), os.path.join(other.key, "store.key"))
    with Role(other).open() as role:  # whoever has both has all of it
        assert role.give("github", "a.test") == VALUE


def a_key_that_is_gone_or_damaged_is_not_made_anew(place):
    s = Secrets(place)
    s.set("github", VALUE)
    key = os.path.join(s.key, "store.key")
    os.rename(key, key + ".kept")
    assert "key of your secrets is gone" in s.listed()["github"]["why"]
    s.refused("key of your secrets is gone", "set", "more", input=VALUE)
    with open(key, "wb") as file:
        file.write(b"ambit secret key 1\nshort")
    os.chmod(key, 0o600)
    s.refused("key of your secrets is damaged", "set", "more", input=VALUE)
    os.rename(key + ".kept", key)
    os.chmod(key, 0o644)
    s.refused("store.key is not yours alone", "set", "more", input=VALUE)
    os.chmod(key, 0o600)
    s.set("more")
    os.unlink(key)
    assert s.secret("remove", "more").returncode == 0 and s.secret("remove", "github").returncode == 0
    s.set("github")  # with a new one
    assert s.listed()["github"]["kind"] == "value"


def directories_that_others_may_look_into_are_refused(place):
    s = Secrets(place)
    s.set("github")
    for path in (s.store, s.key):
        os.chmod(path, 0o750)
        s.refused("is not yours alone", "list")
        s.refused("is not yours alone", "set", "github", input=VALUE)
        os.chmod(path, 0o700)
    assert s.listed()["github"]["kind"] == "value"


def two_at_once_are_one_after_the_other(place):
    s = Secrets(place)
    running = [subprocess.Popen([place.ambit, "secret", "set", name, "--host", f"{name}.test"], cwd=s.top, env=s.environment, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for name in ("a", "b", "a", "b", "c", "a")]
    for process in running:  # the first of all makes the key
        process.stdin.write(VALUE)
        process.stdin.close()
    for process in running:
        with process:
            assert process.wait(SLOW * PATIENCE) == 0, process.stderr.read()
    assert {name: row["hosts"] for name, row in s.listed().items()} == {name: [f"{name}.test"] for name in "abc"}
    with Role(s).open() as role:
        assert all(role.give(name, f"{name}.test") == VALUE for name in "abc")


@rooted
def a_full_disk_leaves_it_as_it_was(place):
    s = Secrets(place)
    s.set("github")
    os.rename(s.store, s.store + ".there")
    os.mkdir(s.store, 0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k,mode=0700", "small", s.store], check=True)
    try:
        for name in os.listdir(s.store + ".there"):
            shutil.copy2(os.path.join(s.store + ".there", name), s.store)
        fd = os.open(os.path.join(s.store, "ballast"), os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(fd, b"x" * 4096) > 0:
                pass
        except OSError:
            os.close(fd)
        for name in ("github", "more"):
            result = s.refused("cannot write " + name, "set", name, input="another")
            assert "No space left" in result.stderr and "make room" in result.stderr, told(result)
        assert sorted(os.listdir(s.store)) == ["ballast", "github.sealed", "lock"]
        with Role(s).open() as role:
            assert role.give("github", "a.test") == VALUE
        os.unlink(os.path.join(s.store, "ballast"))
        s.set("more")
    finally:
        subprocess.run(["umount", "-l", s.store], check=True)


def without_a_home_there_is_no_place(place):
    s = Secrets(place)
    for home in ("/nonexistent", ""):
        s.environment["HOME"] = home
        s.refused("no place for secrets", "set", "github", input=VALUE)
    s.environment.update(XDG_STATE_HOME=s.top + "/state", XDG_CONFIG_HOME=s.top + "/config")
    s.set("github")
    assert os.path.exists(s.top + "/state/ambit/secrets/github.sealed") and os.path.exists(s.top + "/config/ambit/secret-key/store.key")


# ---- cells ----

LOOKS = "for f in .local/state/ambit/secrets .config/ambit/secret-key; do ls -A $HOME/$f; cat $HOME/$f/*; done; cat $HOME/notes"


def no_cell_sees_them(place):
    s = Secrets(place)
    s.set("github")
    with open(os.path.join(s.home, "notes"), "w", encoding="utf-8") as file:
        file.write("all else is shown\n")
    shown = os.path.join(s.home, ".config", "other")
    os.mkdir(shown)
    for grant in (("--read", s.home), ("--work", s.home), ("--work", s.home, "--direct"), ("--read", os.path.dirname(s.home))):
        result = s.ambit("run", *grant, "--discard", "--", "sh", "-c", LOOKS.replace("$HOME", s.home) + f"; ls {s.home}/.config")
        if "--direct" in grant:
            result = s.ambit("run", *grant, "--", "sh", "-c", LOOKS.replace("$HOME", s.home) + f"; ls {s.home}/.config")
        assert "all else is shown" in result.stdout and "other" in result.stdout, f"{grant}: {told(result)}"  # the twin
        assert "sealed" not in result.stdout and "ambit secret" not in result.stdout and "store.key" not in result.stdout, f"{grant}: {told(result)}"
    for path in (s.store, s.key, s.file("github"), os.path.join(s.key, "store.key")):
        result = s.ambit("run", "--read", path, "--", "true")
        assert result.returncode == 125 and "holds your secrets" in result.stderr, f"{path}: {told(result)}"


def no_cell_puts_others_in_their_place(place):
    """By no grant of the home, staged or not; also where there are none yet."""
    for there in (True, False):
        s = Secrets(place)
        if there:
            s.set("github")
        tries = "mkdir -p {0}; echo x > {0}/github.sealed; echo x > {0}/planted; rm -rf {0}; mv {1} {1}.moved && mkdir -p {0} && echo x > {0}/planted"
        for grant in (("--work", s.home, "--direct"), ("--work", s.home)):
            for path in (s.store, s.key):
                above = os.path.join(s.home, os.path.relpath(path, s.home).split("/")[0])
                result = s.ambit("run", *grant, "--", "sh", "-c", tries.format(path, above) + f"; echo done > {s.home}/mark")
                kept = "not committed" in result.stderr  # what is held holds all of it
                twin = s.ambit("run", *grant, "--", "sh", "-c", f"echo done > {s.home}/mark")
                assert kept or os.path.exists(os.path.join(s.home, "mark")), f"{grant}: {told(result)}"
                assert os.path.exists(os.path.join(s.home, "mark")), f"{grant}: {told(twin)}"
                os.unlink(os.path.join(s.home, "mark"))
                names = os.listdir(path) if os.path.isdir(path) else []
                assert set(names) <= {"lock", "github.sealed", "store.key"}, f"{there}, {grant}: {names}; {told(result)}"
        if there:
            with Role(s).open() as role:
                assert role.give("github", "a.test") == VALUE
        else:
            s.set("github")


def nor_behind_links_by_which_no_name_tells(place):
    """Both directories lie elsewhere in the tree, as other names say."""
    for there in (True, False):
        s = Secrets(place)
        for variable, top, below in (("XDG_STATE_HOME", "data", "state"), ("XDG_CONFIG_HOME", "more", "settings")):
            s.environment[variable] = os.path.join(s.home, top)
            os.makedirs(os.path.join(s.home, top, below))
            os.symlink(below, os.path.join(s.home, top, "ambit"))
        s.store, s.key = os.path.join(s.home, "data/state/secrets"), os.path.join(s.home, "more/settings/secret-key")
        if there:
            s.set("github")
        with open(os.path.join(s.home, "data/notes"), "w", encoding="utf-8") as file:
            file.write("all else is shown\n")
        real = ((os.path.join(s.home, "data"), s.store), (os.path.join(s.home, "more"), s.key))
        for grant in (("--read", s.home), ("--work", s.home), ("--work", s.home, "--direct")):
            result = s.ambit("run", *grant, "--", "sh", "-c", f"cat {s.home}/data/notes; for d in {real[0][1]} {real[1][1]}; do ls $d; cat $d/*; done")
            assert "all else is shown" in result.stdout, f"{grant}: {told(result)}"
            assert "sealed" not in result.stdout and "ambit secret" not in result.stdout and "store.key" not in result.stdout, f"{grant}: {told(result)}"
        for grant in (("--work", s.home, "--direct"), ("--work", s.home)):
            for above, path in real:
                tries = f"mkdir -p {path}; echo x > {path}/planted; mv {above} {above}.moved; mkdir -p {path}; echo x > {path}/planted; echo done > {s.home}/mark"
                result = s.ambit("run", *grant, "--", "sh", "-c", tries)
                assert "not committed" in result.stderr or os.path.exists(os.path.join(s.home, "mark")), f"{there}, {grant}: {told(result)}"
                names = os.listdir(path) if os.path.isdir(path) else []
                assert set(names) <= {"lock", "github.sealed", "store.key"}, f"{there}, {grant}: {names}; {told(result)}"
        if there:
            with Role(s).open() as role:
                assert role.give("github", "a.test") == VALUE


if __name__ == "__main__":
    main([set_by_standard_input_and_listed_without_its_value, set_from_a_file_and_told_as_JSON, no_file_has_its_value, a_login_is_what_its_reader_may_say, typed_twice_at_a_terminal,
          what_is_typed_otherwise_sets_nothing, a_terminal_is_as_it_was_when_who_asks_is_killed, wrong_words_are_refused, wrong_values_are_refused,
          given_for_its_own_hosts_alone, asked_otherwise_it_ends, it_is_not_dumped_and_shut_in, a_command_gives_it_each_time, commands_that_fail_say_why, a_command_may_ask_on_the_terminal,
          what_a_command_leaves_behind_is_not_waited_for, a_command_ends_with_who_asked, commands_without_a_shell, damaged_files_are_refused,
          a_copy_of_the_store_alone_gives_nothing, a_key_that_is_gone_or_damaged_is_not_made_anew, directories_that_others_may_look_into_are_refused,
          two_at_once_are_one_after_the_other, a_full_disk_leaves_it_as_it_was, without_a_home_there_is_no_place, no_cell_sees_them,
          no_cell_puts_others_in_their_place, nor_behind_links_by_which_no_name_tells])
