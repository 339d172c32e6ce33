#!/usr/bin/env python3
"""The keys of an approver: enrolled by a password or with a real ssh agent, listed, forgotten; signatures that ssh-keygen takes, and its own that are taken here; and
kept from cells.

usage: approve_keys.py AMBIT APPROVE_ASK    (TAP on standard output)
"""

import array
import base64
import json
import os
import pwd
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import termios
import time

from harness import PATIENCE, SLOW, Terminal, main, need, sanitized, told

PASSWORD = "pw-7Vq2mZ9sLw-never-shown"
ENROLL, LIST, FORGET, SIGN, CHECK = range(336, 341)
KEY, SIGNED, DONE, FAILED = range(344, 348)
HEX = "000102030405060708090a0b0c0d0e0f"
STATEMENT = f"""ambit approval 1
realm: {HEX}
approval: a_01JDTE6Q8W3RZ5K7M9N2P4S6TX
shown: {HEX}{HEX}
answer: grant
scope: once
until: 2026-01-31T09:15:02.123Z
nonce: {HEX}
"""


class Approver:
    """A home with nothing in it."""

    def __init__(self, place, **settings):
        self.place, self.top = place, place.fresh()
        self.home = os.path.join(self.top, "home")
        os.mkdir(self.home)
        self.store = os.path.join(self.home, ".local/state/ambit/approvers")
        self.environment = {**place.environment(), "HOME": self.home, "AMBIT_LEDGER": "none", **settings}
        self.tool = os.path.join(self.top, "approve_ask")  # which finds the role beside it
        shutil.copy(place.given(1), self.tool)
        shutil.copy(os.path.join(os.path.dirname(place.ambit), "ambit-approver"), self.top)
        self.agents = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.agents:
            process.terminate()  # by which it takes its socket away
            process.wait()

    def run(self, *words, **more):
        return subprocess.run(words, cwd=self.top, env=self.environment, capture_output=True, timeout=SLOW * PATIENCE, **more)

    def ambit(self, *words, **more):
        return self.run(self.place.ambit, *words, text=True, errors="replace", **more)

    def approve(self, *words, password=None):
        if password is None:
            return self.ambit("approve", *words, stdin=subprocess.DEVNULL)
        with pipe_with(password) as fd:
            return self.ambit("approve", *words, "--password-fd", str(fd), stdin=subprocess.DEVNULL, pass_fds=(fd,))

    def enroll(self, name, password=PASSWORD, *words):
        result = self.approve("--enroll", "--name", name, *words, password=password)
        assert result.returncode == 0, told(result)
        return result

    def refused(self, text, *words, **more):
        result = self.approve(*words, **more)
        assert result.returncode == 125 and re.search(text, result.stderr), f"{words}: {told(result)}"
        assert PASSWORD not in result.stderr + result.stdout, told(result)
        return result

    def keys(self):
        result = self.approve("--keys", "--json")
        assert result.returncode == 0, told(result)
        return {row["name"]: row for row in json.loads(result.stdout)["keys"]}

    def sign(self, name, password=PASSWORD, statement=STATEMENT):
        """By the library; password None: none is there to be read."""
        if password is None:
            return self.run(self.tool, "sign", name, input=statement.encode())
        with pipe_with(password) as fd:
            return self.run(self.tool, "sign", name, str(fd), input=statement.encode(), pass_fds=(fd,))

    def signed(self, name, password=PASSWORD, statement=STATEMENT):
        result = self.sign(name, password, statement)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def signed_by(self, signature, statement=STATEMENT):
        """The name of the key, or why it is none."""
        path = self.write("signature", signature)
        result = self.run(self.tool, "verify", path, input=statement.encode())
        return result.stdout.decode().strip() if result.returncode == 0 else result.stderr.decode()

    def write(self, name, data):
        path = os.path.join(self.top, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def file(self, name, kind="sealed"):
        return os.path.join(self.store, f"{name}.{kind}")

    def behind_a_link(self):
        """The keys lie where no name tells of them."""
        self.environment["XDG_STATE_HOME"] = self.home + "/data"
        os.makedirs(self.home + "/data/state")
        os.symlink("state", self.home + "/data/ambit")
        self.store = self.home + "/data/state/approvers"

    def agent(self):
        """A real one, with nothing in it."""
        need("ssh-agent", "ssh-add")
        path = tempfile.mktemp(dir="/tmp", prefix="ambit-agent-")
        self.agents.append(subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL, env=self.environment))
        until(lambda: os.path.exists(path))
        self.environment["SSH_AUTH_SOCK"] = path
        return path

    def keygen(self, *words, **more):
        """ssh-keygen, which runs for nobody without a line in passwd: such a user is root in a namespace."""
        need("ssh-keygen")
        return self.run(*(() if has_line() else ("unshare", "-r")), "ssh-keygen", *words, **more)

    def ssh_key(self, name, kind="ed25519", comment=None):
        path = os.path.join(self.top, name)
        result = self.keygen("-q", "-t", kind, "-N", "", "-C", comment or name, "-f", path)
        assert result.returncode == 0, result.stderr
        return path

    def ssh_add(self, *words):
        result = self.run("ssh-add", "-q", *words)
        assert result.returncode == 0, result.stderr


class pipe_with:
    def __init__(self, text):
        self.fd, end = os.pipe()
        os.write(end, text if isinstance(text, bytes) else text.encode())
        os.close(end)

    def __enter__(self):
        return self.fd

    def __exit__(self, *_):
        os.close(self.fd)


def has_line():
    try:
        return pwd.getpwuid(os.getuid()) is not None
    except KeyError:
        return False


def until(condition):
    for _ in range(int(100 * SLOW * PATIENCE)):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come")


def armored(binary):
    text = base64.b64encode(binary).decode()
    return "-----BEGIN SSH SIGNATURE-----\n" + "\n".join(text[i : i + 70] for i in range(0, len(text), 70)) + "\n-----END SSH SIGNATURE-----\n"


def dearmored(text):
    return base64.b64decode("".join(text.splitlines()[1:-1]))


def public_line(binary):
    """As authorized_keys has it, of the key in a signature."""
    (n,) = struct.unpack(">I", binary[10:14])
    return "ssh-ed25519 " + base64.b64encode(binary[14 : 14 + n]).decode()


# ---- enrolling ----


def enrolled_by_a_password(place):
    with Approver(place) as a:
        assert a.approve("--keys").stdout == "you have no keys\n"
        result = a.enroll("laptop")
        assert re.fullmatch(r"enrolled: laptop  password  \d{4}-\d\d-\d\dT\S+Z  SHA256:[\w+/]{43}\n", result.stdout), told(result)
        row = a.keys()["laptop"]
        assert row["kind"] == "password" and result.stdout.endswith(f"  {row['fingerprint']}\n"), row
        default = a.approve("--enroll", "--json", password=PASSWORD)
        assert json.loads(default.stdout)["key"]["name"] == "default", told(default)
        assert [line.split()[0] for line in a.approve("--keys").stdout.splitlines()] == ["default", "laptop"]
        a.refused("there is a key 'laptop' already", "--enroll", "--name", "laptop", password="other")
        assert a.keys()["laptop"] == row  # as it was
        result = a.approve("--forget", row["fingerprint"])
        assert result.stdout.startswith("forgotten: laptop  password"), told(result)
        assert list(a.keys()) == ["default"]
        a.refused("there is no key 'defualt'", "--forget", "defualt")
        assert a.approve("--forget", "default").returncode == 0 and a.keys() == {}


def its_file_is_the_persons_alone_and_has_no_password(place):
    with Approver(place) as a:
        a.enroll("laptop")
        assert os.stat(a.store).st_mode & 0o777 == 0o700
        for name in os.listdir(a.store):
            path = os.path.join(a.store, name)
            with open(path, "rb") as file:
                content = file.read()
            assert os.stat(path).st_mode & 0o777 == 0o600 and PASSWORD.encode() not in content, path
        assert sorted(os.listdir(a.store)) == ["laptop.sealed", "lock"]
        with open(a.file("laptop"), "rb") as file:
            assert b"laptop" in file.read()  # so that the search would have found it


def typed_twice_at_a_terminal(place):
    with Approver(place) as a:
        with Terminal([place.ambit, "approve", "--enroll", "--name", "laptop"], a.top, a.environment) as t:
            t.until("Password of the key laptop, which is not shown: ")
            assert not t.attributes()[3] & termios.ECHO
            t.type(PASSWORD + "\r")
            t.until("Once more: ")
            t.type(PASSWORD + "\r")
            t.until("enrolled: laptop")
            assert t.end() == 0 and t.attributes()[3] & termios.ECHO and PASSWORD.encode() not in t.seen, t.seen
        assert a.signed_by(a.signed("laptop")) == "laptop"
        for first, second, says in ((PASSWORD + "\r", PASSWORD + "x\r", "the two passwords differ"), ("\x03", None, "no password was given"), ("\r", "\r", "the password is empty")):
            with Terminal([place.ambit, "approve", "--enroll", "--name", "other"], a.top, a.environment) as t:
                t.until("not shown: ")
                t.type(first)
                if second is not None:
                    t.until("Once more: ")
                    t.type(second)
                t.until(says)
                assert t.end() == 125 and t.attributes()[3] & termios.ECHO, (first, second)
        path = a.write("statement", STATEMENT.encode())
        with Terminal(["sh", "-c", f"{a.tool} sign laptop < {path} > signature && echo signed"], a.top, a.environment) as t:  # asked once, to sign
            t.until("Password of the key laptop, which is not shown: ")
            t.type(PASSWORD + "\r")
            t.until("\nsigned")
            assert t.end() == 0 and b"Once more" not in t.seen, t.seen
        with open(os.path.join(a.top, "signature"), "rb") as file:
            assert a.signed_by(file.read()) == "laptop"
        assert list(a.keys()) == ["laptop"]


def wrong_words_are_refused(place):
    with Approver(place) as a:
        for words, says in ((("--enroll", "--keys"), "one of"), (("--forget",), "which"), (("--forget", "a", "--enroll"), "one of"), (("--keys", "--name", "a"), "go with --enroll"),
                            (("--enroll", PASSWORD), "never a word"), (("--enroll", "--password", "x"), "no option"), (("--enroll", "--password-fd", "99"), "is no descriptor"),
                            (("--enroll", "--password-fd", "x"), "is no descriptor"), (("--enroll", "--password-fd", "0", "--agent", "x"), "has no password here"), (("--enroll",), "no terminal"),
                            (("--forget", ""), "no key ''"), (("--forget", "x" * 5000), "there is no key")):
            result = a.approve(*words)
            assert result.returncode == 125 and says in result.stderr, f"{words}: {told(result)}"
        for name in ("../x", "a/b", ".a", "a.", "", "a b", "a\nb", "x" * 64, "\u00e9"):
            a.refused("no key can be called", "--enroll", "--name", name, password=PASSWORD)
        a.refused("the password is empty", "--enroll", password="")
        a.refused("the password is empty", "--enroll", password="\n")
        a.refused("longer than", "--enroll", password="x" * 8193)
        assert not os.path.exists(a.store) or set(os.listdir(a.store)) <= {"lock"}


def there_is_room_for_32(place):
    with Approver(place) as a:
        a.enroll("k0")
        for i in range(1, 32):
            shutil.copy(a.file("k0"), a.file(f"k{i}"))
        assert [row["kind"] for row in a.keys().values()].count("damaged") == 31  # each is another's by its name
        a.refused("there are 32 keys already", "--enroll", "--name", "more", password=PASSWORD)
        shutil.copy(a.file("k0"), a.file("k32"))
        a.refused("more than 32 keys", "--keys")


# ---- signing ----


def ssh_keygen_takes_what_is_signed_here(place):
    with Approver(place) as a:
        a.enroll("laptop")
        signature = a.signed("laptop")
        a.write("allowed", f"me namespaces=\"ambit-approval\" {public_line(signature)}\n".encode())
        a.write("statement.sig", armored(signature).encode())
        words = ("-Y", "verify", "-f", "allowed", "-I", "me", "-n", "ambit-approval", "-s", "statement.sig")
        result = a.keygen(*words, input=STATEMENT.encode())
        assert result.returncode == 0 and b'Good "ambit-approval" signature for me' in result.stdout, result
        assert a.keys()["laptop"]["fingerprint"].encode() in result.stdout, result  # as it is told here
        assert a.keygen(*words, input=STATEMENT.replace("grant", "deny").encode()).returncode != 0
        assert a.signed_by(signature) == "laptop"
        assert "not of this" in a.signed_by(signature, STATEMENT.replace("scope: once", "scope: session"))


def what_ssh_keygen_signs_is_taken_here(place):
    """By a key that is enrolled as the agent's: the same key, by another program."""
    with Approver(place) as a:
        a.agent()
        key = a.ssh_key("mine")
        a.ssh_add(key)
        result = a.approve("--enroll", "--name", "desk", "--agent", "mine")
        assert result.returncode == 0 and result.stdout.startswith("enrolled: desk  agent"), told(result)

        def signed_outside(space="ambit-approval", which=key, *more):
            return dearmored(a.keygen("-q", "-Y", "sign", "-f", which, "-n", space, *more, input=STATEMENT.encode()).stdout.decode())

        assert a.signed_by(signed_outside()) == "desk"
        assert "for another purpose" in a.signed_by(signed_outside("file"))
        assert "hash is not sha512" in a.signed_by(signed_outside("ambit-approval", key, "-O", "hashalg=sha256"))
        assert "not enrolled" in a.signed_by(signed_outside(which=a.ssh_key("others")))
        for kind in ("rsa", "ecdsa"):
            assert "none of Ed25519" in a.signed_by(signed_outside(which=a.ssh_key(f"of-{kind}", kind))) or kind == "rsa"  # which is longer than any of ours
        assert signed_outside() == a.signed("desk", None)  # Ed25519 signs each text in one way


def another_password_signs_nothing(place):
    with Approver(place) as a:
        a.enroll("laptop")
        for wrong in ("pw", PASSWORD + " ", PASSWORD[:-1], PASSWORD.upper()):
            result = a.sign("laptop", wrong)
            assert result.returncode == 1 and result.stdout == b"" and result.stderr == b"DENIED: this password does not open the key 'laptop'; \n", result
        assert b"no terminal to ask" in a.sign("laptop", None).stderr
        assert b"there is no key 'desk'" in a.sign("desk").stderr
        assert a.signed_by(a.signed("laptop", PASSWORD + "\n")) == "laptop"  # the twin


def a_forgotten_key_signs_and_counts_no_more(place):
    with Approver(place) as a:
        a.enroll("laptop")
        a.enroll("other")
        signature = a.signed("laptop")
        assert a.signed_by(signature) == "laptop"
        assert a.approve("--forget", "laptop").returncode == 0
        assert "not enrolled" in a.signed_by(signature) and b"there is no key 'laptop'" in a.sign("laptop").stderr
        a.enroll("laptop")
        assert "not enrolled" in a.signed_by(signature)  # another key of that name
        assert a.signed_by(a.signed("laptop")) == "laptop"


# ---- the agent ----


def the_agent_signs_while_it_has_the_key(place):
    with Approver(place) as a:
        a.agent()
        key = a.ssh_key("mine", comment="me@desk")
        a.ssh_add(key)
        a.ssh_add(a.ssh_key("second"))
        a.ssh_add(a.ssh_key("of-rsa", "rsa"))
        fingerprint = a.keygen("-l", "-f", key).stdout.decode().split()[1]
        result = a.approve("--enroll", "--name", "desk", "--agent", "me@desk", "--json")
        assert json.loads(result.stdout)["key"]["fingerprint"] == fingerprint, told(result)
        assert a.approve("--enroll", "--name", "again", "--agent", fingerprint).returncode == 0
        assert a.signed_by(a.signed("desk", None)) in ("again", "desk")
        a.refused("has no key 'nobody'", "--enroll", "--name", "x", "--agent", "nobody")
        a.refused("is none of Ed25519", "--enroll", "--name", "x", "--agent", "of-rsa")
        a.ssh_add(a.ssh_key("third", comment="second"))
        a.refused("more than one key that is called 'second'", "--enroll", "--name", "x", "--agent", "second")
        a.ssh_add("-d", key)  # taken from the agent meanwhile
        result = a.sign("desk", None)
        assert result.returncode == 1 and result.stdout == b"" and b"your ssh agent does not sign" in result.stderr, result
        a.ssh_add(key)
        a.signed("desk", None)
        del a.environment["SSH_AUTH_SOCK"]
        assert b"is your ssh agent's, and there is none" in a.sign("desk", None).stderr
        a.refused("SSH_AUTH_SOCK is not set", "--enroll", "--name", "x", "--agent", "me@desk")
        assert sorted(a.keys()) == ["again", "desk"]


def an_agent_that_lies_signs_nothing(place):
    """It says that it has the key, and answers with whatever it likes."""
    with Approver(place) as a:
        a.agent()
        key = a.ssh_key("mine")
        a.ssh_add(key)
        assert a.approve("--enroll", "--name", "desk", "--agent", "mine").returncode == 0
        with open(key + ".pub", encoding="ascii") as file:
            blob = base64.b64decode(file.read().split()[1])

        def string(data):
            return struct.pack(">I", len(data)) + data

        good = string(b"ssh-ed25519") + string(bytes(64))
        for answer in (b"\x0e" + string(good), b"\x0e" + string(string(b"ssh-rsa") + string(bytes(64))), b"\x0e" + string(good + b"x"), b"\x0e" + string(good) + b"x", b"\x05", b"",
                       b"\x0e" + string(bytes(300000)), b"\x0c" + struct.pack(">I", 1) + string(blob) + string(b"mine")):
            path = tempfile.mktemp(dir="/tmp", prefix="ambit-agent-")
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen()
            a.environment["SSH_AUTH_SOCK"] = path
            child = os.fork()
            if child == 0:
                try:
                    with listener.accept()[0] as s:
                        s.recv(4096)
                        s.sendall(string(answer))
                        s.recv(1)
                finally:
                    os._exit(0)
            listener.close()
            result = a.sign("desk", None)
            os.waitpid(child, 0)
            os.unlink(path)
            assert result.returncode == 1 and result.stdout == b"" and b"your ssh agent" in result.stderr or b"what your ssh agent signed" in result.stderr, (answer[:20], result)


# ---- what is broken ----


def a_file_that_was_changed_anywhere_is_refused(place):
    with Approver(place) as a:
        a.enroll("laptop")
        with open(a.file("laptop"), "rb") as file:
            whole = file.read()
        changes = [whole[:i] + bytes([whole[i] ^ 1 << i % 8]) + whole[i + 1 :] for i in range(0, len(whole), 1 if not sanitized(place.ambit) else 16)]
        for changed in (*changes, whole[:-1], whole + b"\0", b"", whole + whole, whole[:17]):
            with open(a.file("laptop"), "wb") as file:
                file.write(changed)
            row = a.keys()["laptop"]
            assert row["kind"] == "damaged" and "damaged" in row["why"], (changed, row)
        result = a.sign("laptop")
        assert result.returncode == 1 and result.stdout == b"" and b"the file of the key is damaged" in result.stderr, result
        with open(a.file("laptop"), "wb") as file:
            file.write(whole)
        assert a.signed_by(a.signed("laptop")) == "laptop"  # the twin


def files_of_others_are_refused(place):
    with Approver(place) as a:
        a.enroll("laptop")
        path, kept = a.file("laptop"), os.path.join(a.top, "kept")
        shutil.copy(path, kept)

        def again():
            if os.path.lexists(path):
                os.unlink(path)
            shutil.copy(kept, path)
            os.chmod(path, 0o600)

        def linked():
            os.unlink(path)
            os.symlink(kept, path)

        def piped():
            os.unlink(path)
            os.mkfifo(path, 0o600)

        def of_another():
            os.chown(path, 12345, -1)

        def renamed():
            shutil.copy(path, a.file("laptop", "agent"))
            os.unlink(path)

        ways = [(lambda: os.chmod(path, 0o620), "not yours alone"), (lambda: os.chmod(path, 0o602), "not yours alone"), (lambda: os.chmod(path, 0o640), "not yours alone"),
                (linked, "cannot open"), (lambda: os.link(path, a.top + "/second"), "another name"), (piped, "or no file"), (renamed, "under another name")]
        for way, says in ways + ([(of_another, "not yours alone")] if os.geteuid() == 0 else []):
            again()
            way()
            row = a.keys()["laptop"]
            assert row["kind"] == "damaged" and says in row["why"], (says, row)
            result = a.sign("laptop")
            assert result.returncode == 1 and result.stdout == b"", result
            for left in (a.top + "/second", a.file("laptop", "agent")):
                if os.path.exists(left):
                    os.unlink(left)
        again()
        assert a.signed_by(a.signed("laptop")) == "laptop"  # the twin
        shutil.copy(path, a.file("laptop", "agent"))
        a.refused("two keys have the same name", "--keys")
        os.unlink(a.file("laptop", "agent"))
        for mode in (0o755, 0o770, 0o702):
            os.chmod(a.store, mode)
            a.refused("not yours alone", "--keys")
            assert b"not yours alone" in a.sign("laptop").stderr
        os.chmod(a.store, 0o700)
        assert list(a.keys()) == ["laptop"]


def a_damaged_key_can_be_forgotten(place):
    with Approver(place) as a:
        a.enroll("laptop")
        with open(a.file("laptop"), "wb") as file:
            file.write(b"nothing")
        assert re.match("laptop  damaged: ", a.approve("--keys").stdout)
        assert a.approve("--forget", "laptop").returncode == 0 and a.keys() == {}


def a_death_while_it_writes_leaves_it_as_it_was(place):
    """By the limit on a file's size: the first byte of a new one kills the role."""
    with Approver(place) as a:
        a.enroll("laptop")
        with pipe_with(PASSWORD) as fd:
            result = a.run("sh", "-c", f"ulimit -f 0; exec {place.ambit} approve --enroll --name more --password-fd {fd}", pass_fds=(fd,))
        assert result.returncode == 125 and b"ended without an answer" in result.stderr, result
        assert list(a.keys()) == ["laptop"] and a.signed_by(a.signed("laptop")) == "laptop"
        a.enroll("more")
        assert sorted(os.listdir(a.store)) == ["laptop.sealed", "lock", "more.sealed"]  # nothing is left of it


# ---- the role ----


class Role:
    """ambit-approver, to which this test is the library."""

    def __init__(self, a):
        path = os.path.join(a.top, "ambit-approver")
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.settimeout(SLOW * PATIENCE)
        self.process = subprocess.Popen(["sh", "-c", f"exec {path} 3<&{theirs.fileno()}"], pass_fds=(theirs.fileno(),), env={}, stdin=subprocess.DEVNULL)
        theirs.close()
        self.directory = os.open(a.store, os.O_RDONLY | os.O_DIRECTORY)

    def send(self, number, body, *fds):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.ours.sendmsg([struct.pack("<HH", number, 0) + body], rights)

    def receive(self):
        packet = self.ours.recv(70000)
        return (struct.unpack("<HH", packet[:4])[0], packet[4:]) if packet else (0, b"")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ours.close()
        os.close(self.directory)
        try:
            self.process.wait(SLOW * PATIENCE)
        finally:
            self.process.kill()


def text(words):
    data = words if isinstance(words, bytes) else words.encode()
    return struct.pack("<I", len(data)) + data


def asked_otherwise_it_ends(place):
    """It signs no text but a statement's, whoever asks."""
    with Approver(place) as a:
        a.enroll("laptop")
        rows = [(SIGN, b"\x02" + text("laptop") + text(other)) for other in
                (b"", b"anything", STATEMENT + "x", STATEMENT[:-1], STATEMENT.replace("ambit approval", "ambit approver"), STATEMENT.replace("grant", "grant "), STATEMENT.replace("a_0", "e_0"))]
        rows += [(SIGN, b"\x02" + text("../laptop") + text(STATEMENT)), (SIGN, b"\x01" * 3), (SIGN, b"\x03" + text("laptop") + text(STATEMENT)), (SIGN, b"\x06" + text("laptop") + text(STATEMENT)),
                 (ENROLL, b"\x02" + text("a/b") + text("")), (ENROLL, b"\x02" + text("a") + text("agent")), (ENROLL, b"\x02" + text("a") + text("") + b"x"), (217, b"")]
        for number, body in rows:
            with Role(a) as role, pipe_with(PASSWORD) as fd:
                role.send(number, body, role.directory, fd)
                answer = role.receive()
                assert answer[0] == FAILED and b"asked what it may not be" in answer[1] and role.receive()[0] == 0, (number, body, answer)
        with Role(a) as role, pipe_with(PASSWORD) as fd:  # the twin
            role.send(SIGN, b"\x02" + text("laptop") + text(STATEMENT), role.directory, fd)
            number, signature = role.receive()
            assert number == SIGNED and role.receive()[0] == 0, number  # one question
        assert a.signed_by(signature) == "laptop"


def it_is_not_dumped_and_shut_in(place):
    """While it waits for the agent, which it hears only when it is shut in."""
    with Approver(place) as a:
        a.agent()
        a.ssh_add(a.ssh_key("mine"))
        assert a.approve("--enroll", "--name", "desk", "--agent", "mine").returncode == 0
        mine, its = socket.socketpair()
        with Role(a) as role, mine:
            role.send(SIGN, b"\x04" + text("desk") + text(STATEMENT), role.directory, its.fileno())
            its.close()
            asked = mine.recv(4096)
            assert b"ambit-approval" in asked and b"SSHSIG" in asked, asked
            with open(f"/proc/{role.process.pid}/status", encoding="ascii") as file:
                status = dict(line.split(":\t", 1) for line in file if ":\t" in line)
            assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1", status
            assert sanitized(place.ambit) or int(status["VmLck"].split()[0]) >= 16, status["VmLck"]  # a sanitizer makes nothing of mlock(2)
            assert os.stat(f"/proc/{role.process.pid}/mem").st_uid == 0  # root's, as of what may not be dumped
            limits = open(f"/proc/{role.process.pid}/limits", encoding="ascii").read() if os.geteuid() == 0 else "Max core file size 1 1"
            assert re.search(r"Max core file size +1 +1", limits), limits
            role.ours.close()  # who asked is gone: so is the role, and the agent hears of it
            assert mine.recv(100) == b""


# ---- cells ----


def no_cell_sees_them(place):
    for behind in (False, True):
        with Approver(place) as a:
            if behind:
                a.behind_a_link()
            a.enroll("laptop")
            a.write("home/notes", b"all else is shown\n")
            looks = f"ls -A {a.store}; cat {a.store}/*; cat {a.home}/notes"
            outside = a.run("sh", "-c", looks)
            assert b"laptop.sealed" in outside.stdout and b"ambit approver" in outside.stdout, outside  # the twin: the look sees it
            for grant in (("--read", a.home), ("--work", a.home), ("--work", a.home, "--direct"), ("--read", os.path.dirname(a.home))):
                result = a.ambit("run", *grant, "--", "sh", "-c", looks)
                assert "all else is shown" in result.stdout and "sealed" not in result.stdout and "ambit approver" not in result.stdout, f"{grant}: {told(result)}"
            for path in (a.store, a.file("laptop")):
                result = a.ambit("run", "--read", path, "--", "true")
                assert result.returncode == 125 and "holds your approver's keys" in result.stderr, f"{path}: {told(result)}"


def no_cell_puts_others_in_their_place(place):
    """By no grant of the home, staged or not; also where there are none yet, or where no name tells."""
    for there, behind in ((True, False), (False, False), (True, True), (False, True)):
        with Approver(place) as a, Approver(place) as other:
            other.enroll("planted")
            os.mkdir(a.home + "/mine")
            shutil.copy(other.file("planted"), a.home + "/mine")
            if behind:
                a.behind_a_link()
            if there:
                a.enroll("laptop")
            above = a.home + ("/data" if behind else "/.local")
            plant = f"mkdir -p {a.store}; chmod 700 {a.store}; cp {a.home}/mine/planted.sealed {a.store}"
            tries = f"{plant}; rm -rf {a.store}; mv {above} {above}.moved; {plant}; echo done > {a.home}/mark"
            for grant in (("--work", a.home, "--direct"), ("--work", a.home)):
                result = a.ambit("run", *grant, "--", "sh", "-c", tries)
                assert "not committed" in result.stderr or os.path.exists(a.home + "/mark"), f"{there}, {grant}: {told(result)}"
                assert list(a.keys()) == (["laptop"] if there else []), f"{there}, {grant}: {told(result)}"
            subprocess.run(["sh", "-c", f"mkdir -p {a.store}; cp {a.home}/mine/planted.sealed {a.store}"], check=True)
            assert "planted" in a.keys()  # the twin: by the person it would have counted


def no_cell_reaches_the_agent(place):
    with Approver(place) as a:
        path = a.agent()
        a.ssh_add(a.ssh_key("mine"))
        looks = f"python3 -c \"import socket; s = socket.socket(socket.AF_UNIX); s.connect('{path}'); s.send(bytes([0, 0, 0, 1, 11])); print('agent says', s.recv(5))\""
        outside = a.run("sh", "-c", looks)
        assert b"agent says" in outside.stdout, outside  # the twin
        for grant in (("--read", "/usr"), ("--read", "/tmp"), ("--work", a.home)):
            result = a.ambit("run", *grant, "--", "sh", "-c", looks + "; echo ran")
            assert "ran" in result.stdout and "agent says" not in result.stdout, f"{grant}: {told(result)}"


if __name__ == "__main__":
    main([enrolled_by_a_password, its_file_is_the_persons_alone_and_has_no_password, typed_twice_at_a_terminal, wrong_words_are_refused, there_is_room_for_32,
          ssh_keygen_takes_what_is_signed_here, what_ssh_keygen_signs_is_taken_here, another_password_signs_nothing, a_forgotten_key_signs_and_counts_no_more,
          the_agent_signs_while_it_has_the_key, an_agent_that_lies_signs_nothing, a_file_that_was_changed_anywhere_is_refused, files_of_others_are_refused,
          a_damaged_key_can_be_forgotten, a_death_while_it_writes_leaves_it_as_it_was, asked_otherwise_it_ends, it_is_not_dumped_and_shut_in, no_cell_sees_them,
          no_cell_puts_others_in_their_place, no_cell_reaches_the_agent])
