#!/usr/bin/env python3
"""A person is asked, and answers: what they approved is done, and nothing else; whoever else answers, or answers twice, or about something else, has said nothing.

usage: approvals.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

from harness import PATIENCE, SLOW, Terminal, expect_ok, main, room_of, silenced, told, write

PASSWORD = "a password that nobody guesses"
ASK = ("--work", ".", "--write", "./conf ask=true")


class Person:
    """With a home, a tree, and perhaps a key to sign with."""

    def __init__(self, place, key=True):
        self.place = place
        fresh = place.fresh()
        self.home = place.home = f"{fresh}/home"
        self.top = f"{fresh}/tree"
        os.mkdir(self.home)
        os.makedirs(f"{self.top}/conf")
        write(f"{self.top}/conf/a", "a\n")
        self.state = f"{self.home}/.local/state/ambit"
        if key:
            expect_ok(self.signed("approve", "--enroll"), "enrolled: default")

    def ambit(self, *words, **more):
        self.place.home = self.home
        return self.place.run(self.place.ambit, *words, cwd=self.top, **more)

    def signed(self, *words, password=PASSWORD):
        return self.ambit(*words, "--password-fd", "0", input=password)

    def work(self, script, *flags):
        return self.ambit("run", *ASK, *flags, "--", "sh", "-ec", script)

    def asked(self):
        return json.loads(expect_ok(self.ambit("approve", "--json")).stdout)["questions"]

    def ask(self, script="echo x > conf/a"):
        """Gives the question that an event leaves."""
        result = self.work(script)
        assert result.returncode == 123 and "ambit approve a_" in result.stderr, told(result)
        return re.search(r"ambit approve (a_\w+)", result.stderr)[1]

    def digest(self, question):
        return next(q["digest"] for q in self.asked() if q["approval"] == question)

    def yes(self, question, *more, **how):
        return self.signed("approve", question, "--grant", "once", "--digest", self.digest(question), *more, **how)

    def reads(self, name="conf/a"):
        return open(f"{self.top}/{name}").read()

    def keepers(self):
        """Processes that keep this person's authority."""
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                words = open(path, "rb").read().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"ambit-authority") and words[1].decode() == f"{self.state}/authority":
                found.append(int(path.split("/")[2]))
        return found


def a_yes_commits_what_was_shown(place):
    p = Person(place)
    question = p.ask()
    assert p.reads() == "a\n"
    assert [q["approval"] for q in p.asked()] == [question]
    shown = expect_ok(p.ambit("approve", question, "--show")).stdout
    for line in "what: commit", "command: sh -ec echo x > conf/a", f"{p.top}/conf/a", "+x", "-a", "digest: ":
        assert line in shown, f"{line!r} is not shown: {shown}"
    result = p.yes(question)
    assert result.returncode == 0 and "yes, signed by default" in result.stdout and "committed: 1 change" in result.stdout, told(result)
    assert p.reads() == "x\n" and p.asked() == []
    again = p.ask("echo x2 > conf/a")  # and the next one asks anew
    assert again != question and p.reads() == "x\n"


def what_was_undone_is_asked_for_again(place):
    p = Person(place)
    p.ask("echo x > conf/a; echo y > conf/b")
    for part in ("conf/b",), ():  # a part, the whole
        result = p.ambit("commit", "last", *part)
        question = re.search(r"ambit approve (a_\w+)", result.stderr)[1]
        result = p.yes(question)
        done = p.ambit("commit", "last", *part) if part else result
        assert done.returncode == 0 and p.reads("conf/b") == "y\n", told(done)
        expect_ok(p.ambit("undo", "last"), "undone")
        for _ in range(2):
            result = p.ambit("commit", "last", *part)
            assert result.returncode == 123 and "ambit approve a_" in result.stderr and not os.path.exists(f"{p.top}/conf/b"), told(result)


def a_no_is_no(place):
    p = Person(place)
    question = p.ask()
    result = p.signed("approve", question, "--deny", "--digest", p.digest(question))
    assert result.returncode == 0 and "no, signed by default" in result.stdout and p.reads() == "a\n", told(result)
    result = p.ambit("commit", "last")
    assert result.returncode == 123 and "who said no" in result.stderr and p.reads() == "a\n" and p.asked() == [], told(result)
    p.ask("echo other > conf/a")  # of something else they are asked


def an_answer_can_be_taken_back(place):
    p = Person(place)
    question = p.ask()
    expect_ok(p.signed("approve", question, "--deny", "--stop", "--digest", p.digest(question)), "no, signed")
    assert re.search(rf"^{question} .*no, to all of it", p.ambit("approve", "--answers").stdout), p.ambit("approve", "--answers").stdout
    assert p.ambit("approve").stdout == "nothing waits for you\n"
    assert p.work("echo other > conf/a").returncode == 123 and p.asked() == []
    expect_ok(p.ambit("approve", question, "--take-back"), "taken back")
    p.ask("echo other > conf/a")  # it asks again
    result = p.ambit("approve", question, "--take-back")
    assert result.returncode == 125 and p.ambit("approve", "--answers").stdout == "none of your answers holds\n", told(result)


def never_is_for_all_of_it(place):
    p = Person(place)
    question = p.ask()
    expect_ok(p.signed("approve", question, "--deny", "--stop", "--digest", p.digest(question)), "no, signed")
    result = p.work("echo other > conf/a")
    assert result.returncode == 123 and "who said no" in result.stderr and p.asked() == [] and p.reads() == "a\n", told(result)


def never_is_not_got_around_by_another_question(place):
    """Of two grants that ask, what the person never wants to be asked of the one is not asked with the other."""
    p = Person(place)
    both = ("run", *ASK, "--write", "./beside ask=true", "--", "sh", "-ec")
    write(f"{p.top}/beside", "beside\n")
    question = p.ask()
    expect_ok(p.signed("approve", question, "--deny", "--stop", "--digest", p.digest(question)), "no, signed")
    for script in "echo x > beside; echo y > conf/a", "mv beside conf/z":
        result = p.ambit(*both, script)
        assert result.returncode == 123 and "who said no" in result.stderr and p.asked() == [] and p.reads() == "a\n", told(result)
    assert "ambit approve a_" in p.ambit(*both, "echo x > beside").stderr  # the twin


def nobody_answers_without_the_password(place):
    p = Person(place)
    question = p.ask()
    for words, why in ((("--digest", p.digest(question)), "does not open the key"),
                       ((), "which digest did you see"),
                       (("--digest", "0" * 64), "asks about something else"),
                       (("--digest", p.digest(question), "--key", "nobody"), "nobody")):
        result = p.signed("approve", question, "--grant", "once", *words, password="a guess")
        assert result.returncode != 0 and why in result.stderr and p.reads() == "a\n", f"{words}: {told(result)}"
    assert [q["approval"] for q in p.asked()] == [question]
    assert p.yes(question).returncode == 0 and p.reads() == "x\n"  # the twin


def who_has_no_key_is_told(place):
    p = Person(place, key=False)
    question = p.ask()
    result = p.ambit("approve", question, "--grant", "once", "--digest", p.digest(question))
    assert result.returncode == 125 and "approve --enroll" in result.stderr, told(result)


def a_key_that_was_taken_away_answers_nothing(place):
    p = Person(place)
    question = p.ask()
    expect_ok(p.signed("approve", "--enroll", "--name", "other"), "enrolled")
    expect_ok(p.ambit("approve", "--forget", "default"), "forgotten")
    result = p.yes(question, "--key", "default")
    assert result.returncode == 125 and p.reads() == "a\n", told(result)
    assert p.yes(question, "--key", "other").returncode == 0 and p.reads() == "x\n"


def what_was_changed_after_the_yes_is_asked_for_again(place):
    p = Person(place)
    question = p.ask()
    os.chmod(p.top + "/conf", 0o555)  # so the commit fails, behind the yes
    if os.getuid() != 0:
        result = p.yes(question)
        assert result.returncode != 0 and p.reads() == "a\n", told(result)
        os.chmod(p.top + "/conf", 0o755)
    else:
        os.chmod(p.top + "/conf", 0o755)
    staged = glob.glob(f"{p.state}/stages/e_*/0/upper/conf/a") + glob.glob(f"{p.top}/../.ambit-*/e_*/0/upper/conf/a")
    assert staged, "the stage was not found"
    write(staged[0], "evil\n")
    result = p.ambit("commit", "last")
    assert result.returncode == 123 and p.reads() == "a\n", told(result)
    again = re.search(r"ambit approve (a_\w+)", result.stderr)[1]
    assert question != again, "the same question about something else"
    assert "+evil" in expect_ok(p.ambit("approve", again, "--show")).stdout


def a_yes_holds_for_the_commit_that_failed(place):
    p = Person(place)
    if os.getuid() == 0:
        return  # root is not kept from writing
    question = p.ask()
    os.chmod(p.top + "/conf", 0o555)
    result = p.yes(question)
    assert result.returncode != 0 and p.reads() == "a\n", told(result)
    os.chmod(p.top + "/conf", 0o755)
    result = p.ambit("commit", "last")
    assert result.returncode == 0 and p.reads() == "x\n", told(result)


def a_conflict_is_told_as_ever(place):
    p = Person(place)
    question = p.ask()
    write(f"{p.top}/conf/a", "meanwhile\n")
    result = p.yes(question)
    assert p.reads() == "meanwhile\n" and "it changed in the real tree" in result.stderr, told(result)


def what_waits_outlives_the_keeper(place):
    p = Person(place)
    question = p.ask()
    pids = p.keepers()
    assert pids, "nobody keeps it"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + PATIENCE
    while p.keepers() and time.monotonic() < until:
        time.sleep(0.02)
    assert [q["approval"] for q in p.asked()] == [question]
    assert p.yes(question).returncode == 0 and p.reads() == "x\n"


def too_many_questions_are_none(place):
    p = Person(place)
    seen = {p.ask(f"echo {i} > conf/a") for i in range(8)}
    assert len(seen) == 8
    result = p.work("echo more > conf/a")
    assert result.returncode == 123 and "too many questions wait" in result.stderr, told(result)
    assert len(p.asked()) == 8
    result = p.signed("approve", min(seen), "--deny", "--digest", p.digest(min(seen)))
    assert result.returncode == 0, told(result)
    p.ask("echo again > conf/a")


def of_what_is_thrown_away_nobody_is_asked(place):
    p = Person(place)
    other = p.ask("echo other > conf/a")
    for i in range(9):
        p.ask(f"echo {i} > conf/a")
        expect_ok(p.ambit("discard", "last"))
        assert [q["approval"] for q in p.asked()] == [other]
    p.ask()
    expect_ok(p.ambit("discard", "--all"))
    assert p.asked() == [] and p.reads() == "a\n"
    question = p.ask()
    expect_ok(p.signed("approve", question, "--deny", "--stop", "--digest", p.digest(question)))
    expect_ok(p.ambit("discard", "last"))
    assert "who said no" in p.work("echo y > conf/a").stderr  # what was answered stays so


def what_is_shown_cannot_draw(place):
    """Escapes, text that turns around, and letters that look like others: on the terminal each is seen as what it is."""
    p = Person(place)
    question = p.ask(r"""printf 'ok\033[2K\033[1A harmless \342\200\256txet\nраypal\n' > conf/a; : 'x
what: nothing
changes: 0'; touch "$(printf 'conf/b\033]0;title\007\n* modified file other')" """)
    shown = p.ambit("approve", question, "--show").stdout
    bad = [c for c in shown if ord(c) < 32 and c != "\n" or 0x7f <= ord(c) < 0xa0 or c in "\u202e\u2066\u200b"]
    assert not bad, f"{bad} in {shown!r}"
    assert "р" not in shown and "а" not in shown, shown  # Cyrillic letters, which look like others
    heads = [line for line in shown.splitlines() if line.startswith("  | what: ")]
    assert heads == ["  | what: commit"] * 2, heads  # the second is below, since it is long
    assert not [line for line in shown.splitlines() if line.startswith("  | * modified file other")], shown


def what_goes_along_is_shown(place):
    """Of a part: also the new directories that it lies in, and what one of them takes the place of."""
    p = Person(place)
    p.ask("rm conf/a; mkdir -m 777 conf/a; echo x > conf/a/f; mkdir -m 777 conf/n; echo y > conf/n/f")
    for part, line in (("conf/n/f", "added directory mode 777"), ("conf/a/f", "modified directory mode 777")):
        result = p.ambit("commit", "last", part)
        assert result.returncode == 123, told(result)
        question = re.findall(r"ambit approve (a_\w+)", result.stderr)[-1]
        shown = expect_ok(p.ambit("approve", question, "--show")).stdout
        assert f"  | * {line} {p.top}/{os.path.dirname(part)}\n" in shown, f"{part}: {shown}"
        assert "changes: 2," in shown and ("  | -a\n" in shown) == (part == "conf/a/f"), f"{part}: {shown}"


def each_byte_counts(place):
    """What differs looks so, or is not asked at all."""
    p = Person(place)
    shown = {}
    for name, script in (("plain", "echo x > conf/b"),
                         ("attribute", "echo x > conf/b; setfattr conf/b yes"), ("another value", "echo x > conf/b; setfattr conf/b no"),
                         ("of a directory", "echo x > conf/b; setfattr conf yes"),
                         ("link", "ln -s b conf/l"), ("longer link", "ln -s 'b mode 777 to c' conf/l"), ("longer name", "ln -s c 'conf/l mode 777 to b'"),
                         ("old name", "mv 'conf/a' 'conf/b from c'")):
        script = script.replace("setfattr ", """python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.x", sys.argv[2].encode())' """)
        question = p.ask(script)
        text = expect_ok(p.ambit("approve", question, "--show")).stdout
        shown[name] = [line for line in text.splitlines() if re.match(r"  \| [*.-] ", line)]
        expect_ok(p.signed("approve", question, "--deny", "--digest", p.digest(question)))
    assert len({tuple(lines) for lines in shown.values()}) == len(shown), shown
    assert shown["longer link"] != shown["link"] and "  | . to b mode 777 to c" in shown["longer link"], shown
    result = p.work("truncate -s 1200M conf/big; printf evil >> conf/big; echo y > beside")
    assert result.returncode == 123 and "conf/big has too much in it to be shown" in result.stderr and p.asked() == [], told(result)
    expect_ok(p.ambit("discard", "last"))
    result = p.work("for i in 1 2 3 4; do truncate -s 1000M conf/$i; done; echo y > beside")  # nor does it take minutes
    assert result.returncode == 123 and "conf/2 has too much in it to be shown" in result.stderr and p.asked() == [], told(result)
    result = p.ambit("commit", "last", "beside")
    assert result.returncode == 0 and p.reads("beside") == "y\n" and not os.path.exists(f"{p.top}/conf/big"), told(result)


def what_makes_much_of_little_is_shown(place):
    """Lines that each have to be explained: it is shown to its end, or could not be said yes to."""
    p = Person(place)
    question = p.ask("""python3 -c 'open("conf/z", "w").write("\\u0430b\\n" * 180000)'""")
    result = p.ambit("approve", question, "--show")
    assert result.returncode == 0 and result.stdout.count("\\u{430}b (Latin") == 180000, result.stdout[-300:] + result.stderr
    # and what it is about stands where one looks
    last = result.stdout.splitlines()[-10:]
    assert last[-1] == f"digest: {p.digest(question)}" and "  | what: commit" in last and any(line.startswith("  | command: sh -ec") for line in last), last
    assert p.ambit("approve", p.ask(), "--show").stdout.count("what: commit") == 1


def one_that_cannot_be_read_hides_no_other(place):
    p = Person(place)
    first, second = p.ask(), p.ask("echo second > conf/a")
    path = max(glob.glob(f"{p.state}/authority/asks/*"))
    for evil in "what: \x1b[2J\n", "x" * (2 << 20):
        write(path, evil)
        result = p.ambit("approve")
        assert result.returncode == 0 and first in result.stdout and second in result.stdout and "\x1b" not in result.stdout, told(result)
    assert p.yes(first).returncode == 0 and p.reads() == "x\n"
    result = p.yes(second)
    assert result.returncode == 125 and "does not show" in result.stderr, told(result)
    expect_ok(p.signed("approve", second, "--deny", "--digest", p.digest(second)), "no, signed")


def no_cell_answers_or_sees(place):
    """Neither the questions, nor the socket, nor the keys: not even where the home is granted."""
    p = Person(place)
    question = p.ask()
    script = f"""
cat {p.state}/authority/journal {p.state}/authority/realm && echo SEEN
ls {p.state}/authority/asks {p.state}/approvers && echo SEEN
python3 - <<'X'
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
try:
    s.connect("{p.state}/authority/socket")
    print("SEEN")
except OSError:
    pass
X
true"""
    for grants in ((), ("--read", p.home), ("--work", p.home)):
        result = p.ambit("run", *grants, "--", "sh", "-c", script)
        assert result.returncode in (0, 125) and "SEEN" not in result.stdout, f"{grants}: {told(result)}"
    outside = subprocess.run(["sh", "-c", script], capture_output=True, text=True, errors="replace")
    assert outside.stdout.count("SEEN") == 3, outside  # the twin


def an_event_of_a_session_waits_as_well(place):
    p = Person(place)
    policy = f"{p.home}/policy.yaml"
    write(policy, "version: 1\nagent: coder\ngrants:\n  - work: .\n  - write: [./conf]\n    ask: true\n")
    daemon = subprocess.Popen([p.place.ambit, "serve"], cwd=p.top, env={**p.place.environment(), "HOME": p.home},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE * SLOW
        while True:
            made = p.ambit("session", "new", "--policy", policy)
            if made.returncode == 0 or time.monotonic() > until:
                break
            time.sleep(0.1)
        session = re.search(r"s_\w+", expect_ok(made).stdout)[0]
        result = p.ambit("run", "--session", session, "--", "sh", "-c", "echo x > conf/a")
        assert result.returncode == 123 and p.reads() == "a\n", told(result)
        questions = p.asked()
        assert len(questions) == 1 and questions[0]["agent"] == "coder", questions
        daemon.terminate()
        daemon.wait(PATIENCE * SLOW)
        result = p.yes(questions[0]["approval"])  # and it outlives the daemon
        assert result.returncode == 0 and p.reads() == "x\n", told(result)
    finally:
        daemon.kill()
        daemon.wait()


class Server:
    """Of loopback addresses of this host: counts who came."""

    def __init__(self, family=socket.AF_INET, path=None):
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.bind(path or ("0.0.0.0", 0))
        self.sock.listen(16)
        self.port = None if path else self.sock.getsockname()[1]
        self.came, self.ends = [], False
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client = self.sock.accept()[0]
            except OSError:
                return
            with client:
                client.settimeout(PATIENCE)
                try:
                    self.came.append(client.recv(100).decode())
                    client.sendall(b"served\n")
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        silenced(self.sock)


CALL = """import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10) if len(sys.argv) > 2 else socket.socket(socket.AF_UNIX)
if len(sys.argv) == 2: s.connect(sys.argv[1])
s.sendall(b"hello")
print(s.recv(100).decode())"""


def call(p, grant, *to):
    return p.ambit("run", "--connect", f"{grant} ask=true", "--", "/usr/bin/python3", "-c", CALL, *to)


def refused_and_asked(result):
    assert result.returncode != 0 and "served" not in result.stdout and "a person is asked first" in result.stderr, told(result)
    return re.search(r"ambit approve (a_\w+)", result.stderr)[1]


def allow(p, question, how="once"):
    result = p.signed("approve", question, "--grant", how, "--digest", p.digest(question))
    assert result.returncode == 0 and "run it again" in result.stdout, told(result)


def a_connection_is_asked_for(place):
    p = Person(place)
    with Server() as server:
        where = ("127.0.0.1", str(server.port))
        question = refused_and_asked(call(p, f"127.0.0.1:{server.port}", *where))
        assert server.came == [], "something came before the yes"
        shown = expect_ok(p.ambit("approve", question, "--show")).stdout
        for line in "what: connect", f"to: 127.0.0.1:{server.port}", "command: /usr/bin/python3 -c import socket":
            assert line in shown, f"{line!r} is not shown: {shown}"
        assert refused_and_asked(call(p, f"127.0.0.1:{server.port}", *where)) == question  # still that one
        allow(p, question)
        result = call(p, f"127.0.0.1:{server.port}", *where)
        assert result.returncode == 0 and "served" in result.stdout and server.came == ["hello"], told(result)
        again = refused_and_asked(call(p, f"127.0.0.1:{server.port}", *where))  # it was once
        assert again != question and len(server.came) == 1
        allow(p, again, "session")
        for n in 2, 3:
            result = call(p, f"127.0.0.1:{server.port}", *where)
            assert result.returncode == 0 and len(server.came) == n, told(result)
        result = p.ambit("run", "--connect", f"127.0.0.1:{server.port}", "--", "/usr/bin/python3", "-c", CALL, *where)
        assert result.returncode == 0 and len(server.came) == 4, told(result)  # the twin: without ask


def a_yes_is_for_that_host_and_that_command(place):
    p = Person(place)
    with Server() as server:
        wide = f"127.0.0.0/8:{server.port}"
        allow(p, refused_and_asked(call(p, wide, "127.0.0.1", str(server.port))), "session")
        assert call(p, wide, "127.0.0.1", str(server.port)).returncode == 0 and len(server.came) == 1
        refused_and_asked(call(p, wide, "127.0.0.2", str(server.port)))  # another host
        result = p.ambit("run", "--connect", f"{wide} ask=true", "--", "/usr/bin/python3", "-c", CALL + "\n", "127.0.0.1", str(server.port))
        refused_and_asked(result)  # another command
        assert len(server.came) == 1
        question = refused_and_asked(call(p, wide, "127.0.0.3", str(server.port)))
        expect_ok(p.signed("approve", question, "--deny", "--digest", p.digest(question)), "no, signed")
        result = call(p, wide, "127.0.0.3", str(server.port))
        assert result.returncode != 0 and len(server.came) == 1 and "said no" in result.stderr, told(result)


def of_a_sub_agent_the_workspace_is_a_persons_word(place):
    """A yes counts for an agent in a workspace: its caller says where it starts, and not whose yes it has."""
    p = Person(place)
    with Server() as server:
        to = f"127.0.0.1:{server.port}"
        # nothing of the tree is read beside the socket of delegate, which an old kernel would refuse
        shell = f"cd /usr && {place.ambit} run --connect '{to} ask=true' -- /usr/bin/python3 -c '{CALL}' 127.0.0.1 {server.port}"
        result = p.ambit("run", "--connect", f"{to} ask=true", "--run", place.ambit, "--delegate", "*", *room_of(place), "--", "sh", "-c", shell)
        assert result.returncode == 1 and len(p.asked()) == 1, told(result)
        question = p.asked()[0]["approval"]
        shown = expect_ok(p.ambit("approve", question, "--show")).stdout
        assert f"workspace: {os.path.realpath(p.top)}" in shown and server.came == [], shown


def a_socket_of_the_host_is_asked_for(place):
    p = Person(place)
    path = f"{p.home}/s"
    with Server(socket.AF_UNIX, path) as server:
        question = refused_and_asked(call(p, f"unix:{path}", path))
        assert server.came == []
        allow(p, question)
        result = call(p, f"unix:{path}", path)
        assert result.returncode == 0 and server.came == ["hello"], told(result)
        refused_and_asked(call(p, f"unix:{path}", path))


def what_a_cell_would_have_is_asked_for_before(place):
    """A grant of something that is read, run, a variable or sub-agents: nothing of the event is there before the yes, which is for just that command."""
    p = Person(place)
    write(f"{p.home}/mail", "a letter\n")
    asks = ("--read", f"{p.home}/mail ask=true")
    run = lambda *words: p.ambit("run", *asks, "--work", ".", "--", *words)
    for words in ("cat", f"{p.home}/mail"), ("sh", "-c", "echo x > made"):  # whether it would read or not
        result = run(*words)
        assert result.returncode == 125 and result.stdout == "" and "a person is asked first: read" in result.stderr and not os.path.exists(f"{p.top}/made"), told(result)
    question = re.search(r"ambit approve (a_\w+)", run("cat", f"{p.home}/mail").stderr)[1]
    shown = expect_ok(p.ambit("approve", question, "--show")).stdout
    for line in "what: begin", f"to: read {p.home}/mail", f"argument: {p.home}/mail", "asked for by a grant of":
        assert line in shown, f"{line!r} is not shown: {shown}"
    allow(p, question)
    assert run("cat", "-A", f"{p.home}/mail").returncode == 125  # another command
    expect_ok(run("cat", f"{p.home}/mail"), "a letter")
    result = run("cat", f"{p.home}/mail")
    assert result.returncode == 125, told(result)  # it was once
    allow(p, re.search(r"ambit approve (a_\w+)", result.stderr)[1], "session")
    for _ in range(2):
        expect_ok(run("cat", f"{p.home}/mail"), "a letter")
    p = Person(place)  # no more than eight questions wait
    for flag, value in ("--run", "/usr/bin/env ask=true"), ("--env", "NAME=value ask=true"), ("--delegate", "* ask=true"), ("--listen", "0:8000 ask=true"):
        result = p.ambit("run", flag, value, "--", "true")
        assert result.returncode == 125 and "a person is asked first" in result.stderr and "value" not in result.stderr, f"{flag}: {told(result)}"
        question = re.search(r"ambit approve (a_\w+)", result.stderr)[1]
        expect_ok(p.signed("approve", question, "--deny", "--digest", p.digest(question)), "no, signed")
        result = p.ambit("run", flag, value, "--", "true")
        assert result.returncode == 125 and "a person said no" in result.stderr, told(result)
        expect_ok(p.ambit("run", flag, value.replace("ask=true", ""), "--", "true"))  # the twin


def many_at_once_take_one_yes(place):
    """What was allowed once is connected once, however many try at the same time."""
    p = Person(place)
    many = """import socket, sys, threading
got = []
def one():
    try:
        s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10); s.sendall(b"hello"); got.append(s.recv(100))
    except OSError: pass
threads = [threading.Thread(target=one) for _ in range(16)]
for t in threads: t.start()
for t in threads: t.join()
print(sum(g == b"served\\n" for g in got))"""
    with Server() as server:
        run = lambda: p.ambit("run", "--connect", f"127.0.0.1:{server.port} ask=true", "--", "/usr/bin/python3", "-c", many, "127.0.0.1", str(server.port))
        result = run()
        question = re.search(r"ambit approve (a_\w+)", result.stderr)[1]
        assert result.stdout == "0\n" and server.came == [], told(result)
        allow(p, question)
        result = run()
        assert result.stdout == "1\n" and len(server.came) == 1, told(result)


def carried(p, question, q):
    """The question of one, answered by the other's key: gives the files of both ways."""
    there, back = f"{q.home}/question", f"{p.home}/answer"
    write(there, expect_ok(p.ambit("approve", question, "--export")).stdout)
    digest = re.search(r"digest: (\w+)", expect_ok(q.ambit("approve", "--sign", there, "--show")).stdout)[1]
    assert digest == p.digest(question)
    write(back, expect_ok(q.signed("approve", "--sign", there, "--grant", "once", "--digest", digest, "--key", "laptop")).stdout)
    return there, back


def on_another_machine(place):
    p, q = Person(place), Person(place, key=False)
    expect_ok(q.signed("approve", "--enroll", "--name", "laptop"), "enrolled")
    question = p.ask()
    there, back = carried(p, question, q)
    result = p.ambit("approve", "--take", back)
    assert result.returncode == 125 and "laptop" in result.stderr and p.reads() == "a\n", told(result)  # not enrolled here
    key = f"{p.state}/approvers/laptop.sealed"
    shutil.copy(f"{q.state}/approvers/laptop.sealed", key)
    os.chmod(key, 0o600)
    good = open(back).read()
    for what, text in (("cut", good[:-20]), ("more", good + "x\n"), ("another answer", good.replace("answer: grant", "answer: deny")),
                       ("another digest", re.sub(r"shown: .", "shown: 0" if "shown: 1" in good else "shown: 1", good)),
                       ("another realm", re.sub(r"realm: .", "realm: 0" if "realm: 1" in good else "realm: 1", good)),
                       ("another key", good.replace("key: laptop", "key: default")),
                       ("empty", "")):
        write(back, text)
        result = p.ambit("approve", "--take", back)
        assert result.returncode == 125 and p.reads() == "a\n", f"{what}: {told(result)}"
    write(back, good)
    result = p.ambit("approve", "--take", back)
    assert result.returncode == 0 and "yes, signed by laptop" in result.stdout and p.reads() == "x\n", told(result)
    result = p.ambit("approve", "--take", back)  # and once
    assert result.returncode == 125 and "waits" in result.stderr, told(result)
    p.ask("echo x > conf/b")
    assert p.ambit("approve", "--take", back).returncode == 125 and not os.path.exists(f"{p.top}/conf/b")


def what_was_changed_on_the_way_is_another_question(place):
    p = Person(place)
    question = p.ask()
    path = f"{p.home}/question"
    text = expect_ok(p.ambit("approve", question, "--export")).stdout
    write(path, text.replace("+x", "+y"))
    digest = re.search(r"digest: (\w+)", expect_ok(p.ambit("approve", "--sign", path, "--show")).stdout)[1]
    answer = expect_ok(p.signed("approve", "--sign", path, "--grant", "once", "--digest", digest)).stdout
    result = p.ambit("approve", "--take", "-", input=answer)
    assert result.returncode == 125 and "something else" in result.stderr and p.reads() == "a\n", told(result)
    for bad in text[:-1], text + "\n", text.replace("ambit question 1", "ambit question 2"), text.replace("approval: a_", "approval: b_"), "":
        write(path, bad)
        result = p.ambit("approve", "--sign", path, "--show")
        assert result.returncode == 125 and "no question" in result.stderr, told(result)


def what_was_signed_counts_for_one_question(place):
    """Asked again, the same is another question: nobody answers it with what the person signed before they changed their mind."""
    p, q = Person(place), Person(place, key=False)
    expect_ok(q.signed("approve", "--enroll", "--name", "laptop"), "enrolled")
    question = p.ask()
    there, back = carried(p, question, q)
    shutil.copy(f"{q.state}/approvers/laptop.sealed", f"{p.state}/approvers/laptop.sealed")
    expect_ok(p.signed("approve", question, "--deny", "--digest", p.digest(question), "--key", "default"), "no, signed")
    expect_ok(p.ambit("approve", question, "--take-back"))
    result = p.ambit("commit", "last")
    again = re.search(r"ambit approve (a_\w+)", result.stderr)[1]
    assert result.returncode == 123 and again != question, told(result)
    assert re.search(r"ambit approve (a_\w+)", p.ambit("commit", "last").stderr)[1] == again  # while it waits it is the one
    result = p.ambit("approve", "--take", back)
    assert result.returncode == 125 and "waits" in result.stderr and p.reads() == "a\n", told(result)
    there, back = carried(p, again, q)
    assert p.ambit("approve", "--take", back).returncode == 0 and p.reads() == "x\n"  # the twin


def a_hook_is_told(place):
    p = Person(place)
    hooks, told_to = f"{p.home}/.config/ambit/hooks", f"{p.home}/told"
    os.makedirs(hooks)
    write(f"{hooks}/asked", f'#!/bin/sh\necho "$1 $2 $(pwd)" > {told_to}.part; mv {told_to}.part {told_to}\n')
    os.chmod(f"{hooks}/asked", 0o755)
    question = p.ask()
    until = time.monotonic() + PATIENCE
    while not os.path.exists(told_to) and time.monotonic() < until:
        time.sleep(0.02)
    approval, event, where = open(told_to).read().split()
    assert approval == question and event.startswith("e_") and where == "/", (approval, event, where)
    os.unlink(told_to)
    os.chmod(f"{hooks}/asked", 0o775)  # whoever else may write it is not obeyed
    p.ask("echo other > conf/a")
    time.sleep(0.5)
    assert not os.path.exists(told_to)
    result = p.ambit("run", "--work", p.home, "--", "sh", "-c", f"echo evil >> {hooks}/asked")  # nor is what a cell wrote
    assert result.returncode != 0 and "evil" not in open(f"{hooks}/asked").read(), told(result)


def the_record_and_explain_name_the_question(place):
    p = Person(place)
    result = p.work("echo x > conf/a", "--record", f"{p.home}/record.json")
    record = json.load(open(f"{p.home}/record.json"))
    assert record["outcome"]["workspace"] == "kept" and record["outcome"]["approval"] in result.stderr, record["outcome"]
    assert record["outcome"]["approval"] in expect_ok(p.ambit("explain", f"{p.home}/record.json")).stdout


def on_a_terminal_one_is_asked(place):
    p = Person(place)
    question = p.ask()
    with Terminal([place.ambit, "approve", question], p.top, {**place.environment(), "HOME": p.home}) as t:
        t.until("Allow it")
        t.type("what?\n")
        t.until("still waits")
    assert p.reads() == "a\n" and len(p.asked()) == 1
    with Terminal(["sh", "-c", 'echo ready; sleep 1; "$0" approve "$1"', place.ambit, question], p.top, {**place.environment(), "HOME": p.home}) as t:
        t.until("ready")
        t.type("y\n")  # before anything was shown
        t.until("Allow it")
        t.type("n no\n")
        t.until("still waits")
    assert p.reads() == "a\n" and len(p.asked()) == 1
    with Terminal([place.ambit, "approve", question], p.top, {**place.environment(), "HOME": p.home}) as t:
        t.until("Allow it")
        t.type("y\n")
        t.until("assword")
        t.type(PASSWORD + "\n")
        t.until("committed: 1 change")
    assert p.reads() == "x\n"


def the_line_that_would_not_ask_is_printed(place):
    """It is valid, narrower than what asked where that was wide, and by it nothing is asked; only the person's own hand writes it."""
    p = Person(place)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        port = server.getsockname()[1]
        call = ("python3", "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}))")
        rows = ((("--read", "'./with space' ask=true label=own"), ("cat", "with space"), {"read": f"{p.top}/with space", "label": ["own"]}),
                (("--env", "A=1 ask=true"), ("true",), {"env": "A"}),
                (("--connect", f"127.0.0.0/8:{port} ask=true uses=3 unless=private+own,own+untrusted"), call,
                 {"connect": f"127.0.0.1:{port}", "unless": [["own", "private"], ["own", "untrusted"]], "uses": 3}),
                (("--work", "./conf ask=true"), ("sh", "-c", "echo x > conf/a"), {"write": f"{p.top}/conf"}))
        write(f"{p.top}/with space", "text\n")
        before = len(p.asked())
        for flags, command, line in rows:
            p.ambit("run", "--agent", flags[0][2:], *flags, "--", *command)
            assert len(p.asked()) == before + 1, (flags, p.asked())
            question = p.asked()[-1]["approval"]
            assert json.loads(expect_ok(p.ambit("approve", question, "--line", "--json")).stdout) == {"grant": line}, (flags, p.ambit("approve", question, "--line").stdout)
            policy = f"{p.home}/line.yaml"
            write(policy, "version: 1\ngrants:\n" + expect_ok(p.ambit("approve", question, "--line")).stdout)
            expect_ok(p.ambit("policy", "check", policy))
            if "env" not in line:
                expect_ok(p.ambit("run", "--agent", flags[0][2:], "--policy", policy, "--", *command))
            assert len(p.asked()) == before + 1 and p.asked()[-1]["approval"] == question, p.asked()  # it answers nothing
            before += 1
    for words in (("--line",), (question, "--line", "--deny"), (question, "--line", "--show"), ("--line", "--answers")):
        result = p.ambit("approve", *words)
        assert result.returncode == 125 and "hint" in result.stderr, f"{words}: {told(result)}"


if __name__ == "__main__":
    main([a_yes_commits_what_was_shown, the_line_that_would_not_ask_is_printed, what_was_undone_is_asked_for_again, a_no_is_no, an_answer_can_be_taken_back, never_is_for_all_of_it, never_is_not_got_around_by_another_question, nobody_answers_without_the_password, who_has_no_key_is_told,
          a_key_that_was_taken_away_answers_nothing, what_was_changed_after_the_yes_is_asked_for_again, a_yes_holds_for_the_commit_that_failed,
          a_conflict_is_told_as_ever, what_waits_outlives_the_keeper, too_many_questions_are_none, of_what_is_thrown_away_nobody_is_asked, what_is_shown_cannot_draw, what_goes_along_is_shown, each_byte_counts, what_makes_much_of_little_is_shown,
          one_that_cannot_be_read_hides_no_other,
          no_cell_answers_or_sees, an_event_of_a_session_waits_as_well, a_connection_is_asked_for, a_yes_is_for_that_host_and_that_command, of_a_sub_agent_the_workspace_is_a_persons_word, a_socket_of_the_host_is_asked_for, what_a_cell_would_have_is_asked_for_before, many_at_once_take_one_yes, on_another_machine, what_was_signed_counts_for_one_question, what_was_changed_on_the_way_is_another_question, a_hook_is_told, the_record_and_explain_name_the_question, on_a_terminal_one_is_asked])
