#!/usr/bin/env python3
"""Sub-agents: a program of a cell that was granted `delegate` asks for another cell beside its own, and gets no more than it has.

usage: delegate.py AMBIT HOST LIBRARY    (TAP on standard output; as root once more as an ordinary user; HOST and LIBRARY are those of host.py)"""

import glob
import json
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import time

from harness import ORDINARY, SLOW, Skip, expect_ok, main, rooted, room_of, told, write

SOCKET = "/run/ambit/delegate"

# What speaks to the supervisor without `ambit run`: ask(body, descriptors) gives the answer's bytes, or why there is none.
ASKING = r"""
import array, os, socket, struct, sys
def dial():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(20)
    s.connect("/run/ambit/delegate")
    return s
def ask(packet, fds):
    s = dial()
    try:
        s.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
        return s.recv(65536)
    except OSError as e:
        return type(e).__name__.encode()
def text(t):
    return struct.pack("<I", len(t)) + t.encode()
def head(number, version=3, flags=1, agent="", workdir="/", limits=7, grants=0):
    return struct.pack("<HHII", number, 0, version, flags) + text(agent) + text(workdir) + struct.pack("<Q", 0) * limits + struct.pack("<I", grants)
def program(*argv):
    return struct.pack("<II", len(argv), 0) + text(argv[0]) + b"".join(text(a) for a in argv)
def status(answer):
    if len(answer) <= 24:
        return answer
    _, cause, _, status, _ = struct.unpack("<5I", answer[4:24])
    return status if cause == 1 else 125
GOOD = head(400) + program("/bin/true")
"""


def tree(place, **files):
    top = place.fresh()
    for name, content in {"a": "a\n", **files}.items():
        write(f"{top}/{name}", content)
    return top


def caller(place, top, script, *flags, delegate="*", **more):
    """`ambit run` of a shell that has the command line in its cell, as $AMBIT_BIN."""
    granted = (*room_of(place), *(("--delegate", delegate) if delegate else ()))
    return place.cell("--work", ".", "--run", place.ambit, "--env", f"AMBIT_BIN={place.ambit}", *granted, *flags, "--", "sh", "-c", script, cwd=top, **more)


def code(place, top, text, *flags, **more):
    """The same of a program of Python that asks by itself."""
    write(f"{top}/ask.py", ASKING + text)
    return caller(place, top, "exec python3 ask.py", *flags, **more)


def works_in_its_callers_trees(place):
    top = tree(place)
    done = caller(place, top, """echo mine >b; echo in | $AMBIT_BIN run -- sh -c 'cat; cat a b; echo too >&2; echo theirs >c; exit 7'; echo "status $?"; cat c""")
    expect_ok(done, "in\na\nmine\nstatus 7\ntheirs")
    assert "too" in done.stderr, told(done)
    assert open(f"{top}/b").read() == "mine\n" and open(f"{top}/c").read() == "theirs\n", os.listdir(top)


def what_it_writes_is_kept_or_lost_with_its_callers(place):
    top = tree(place)
    done = caller(place, top, "$AMBIT_BIN run -- sh -c 'echo theirs >c' && exit 3", "--discard")
    assert done.returncode == 3 and not os.path.exists(f"{top}/c"), told(done)


def a_signal_is_told_as_a_shell_does(place):
    expect_ok(caller(place, tree(place), "$AMBIT_BIN run -- sh -c 'kill -KILL $$'; echo status $?"), "status 137")


def its_record_names_its_caller(place):
    top = tree(place)
    write(f"{top}/r", "")
    ledger = f"{top}.ledger"
    done = caller(place, top, "$AMBIT_BIN run --agent helper --read . -- true", "--ledger", ledger, "--json")
    expect_ok(done)
    event = json.loads(done.stdout)["event"]
    shown = place.run(place.ambit, "ledger", "show", "--ledger", ledger, "--json", cwd=top)
    asked = [json.loads(line) for line in expect_ok(shown).stdout.splitlines() if '"type":"request"' in line.replace(" ", "")]
    helper = asked[-1]
    assert [(entry["body"]["agent"], entry["body"].get("parent")) for entry in asked] == [(None, None), ("helper", event)], asked
    for words in (("verify",), ("replay",)):
        expect_ok(place.run(place.ambit, "ledger", *words, "--ledger", ledger, cwd=top))
    record = place.run(place.ambit, "explain", helper["event"], "--ledger", ledger, cwd=top)
    expect_ok(record)


def its_grants_are_labelled_as_its_callers(place):
    top = tree(place, mail="m\n")
    ledger = f"{top}.ledger"
    expect_ok(place.cell("--env", "TOKEN=1 label=own,y", "--", "true", cwd=place.fresh()))  # a policy of the person names them: a sub-agent makes none
    done = caller(place, top, """$AMBIT_BIN run --agent helper --read . --read './mail label=own' --connect 'a.test:443 unless=x,y' --env TOKEN=1 -- cat mail
$AMBIT_BIN run --connect 'a.test:443 unless=none' -- echo no; $AMBIT_BIN run --env 'TOKEN=1 label=own' -- echo no""",
                  "--read", "./mail label=private", "--connect", "a.test:443 unless=x ask=labelled", "--env", "TOKEN=1 label=private", "--ledger", ledger)
    assert "no\n" not in done.stdout and "m\n" in done.stdout and done.stderr.count("would be allowed more than its parent") == 2, told(done)
    shown = expect_ok(place.run(place.ambit, "ledger", "show", "--ledger", ledger, "--json", cwd=top))
    entries = [json.loads(line) for line in shown.stdout.splitlines()]
    helper = [e["event"] for e in entries if e["type"] == "request" and e["event"] and e["body"].get("agent") == "helper"][0]
    granted = [(e["body"]["verb"], os.path.relpath(e["body"]["object"], top), e["body"].get("qualifiers")) for e in entries
               if e["type"] == "grant" and e["event"] == helper and e["body"]["verb"] in ("read", "connect", "env")]
    assert [(verb, q) for verb, _, q in granted] == [
        ("read", {"label": ["private"]}), ("read", {"label": ["own", "private"]}), ("connect", {"unless": [["x"], ["y"]]}), ("env", {"label": ["private"]})], granted
    for words in (("verify",), ("replay",)):
        expect_ok(place.run(place.ambit, "ledger", *words, "--ledger", ledger, cwd=top))


def gets_no_more_than_is_asked(place):
    done = caller(place, tree(place), """$AMBIT_BIN run --read . -- sh -c 'cat a; echo x >c'; $AMBIT_BIN run --read ./a -- ls; $AMBIT_BIN run --work . -- sh -c 'echo y >d'; ls""")
    expect_ok(done, "a\n", "d\n")
    assert "c\n" not in done.stdout and "Read-only" in done.stderr, told(done)


def sees_nothing_that_is_hidden_from_its_caller(place):
    top = tree(place, **{".env": "KEY=hidden-from-all\n"})
    for flags in ((), ("--read", "."), ("--work", "."), ("--read", "./.env")):
        done = caller(place, top, f"cat .env; $AMBIT_BIN run {' '.join(flags)} -- cat .env a")
        assert "hidden-from-all" not in done.stdout + done.stderr, f"{flags}: {told(done)}"
        assert "a\n" in done.stdout or "./.env" in flags, f"{flags}: {told(done)}"
    shown = place.cell("--read", ".", "--read", "./.env", "--", "cat", ".env", cwd=top)
    expect_ok(shown, "hidden-from-all")  # whoever is granted it by name


def asks_for_more_in_vain(place):
    top = tree(place)
    other = tree(place)
    connect = ("--connect", "a.test:443", "--env", "ONE=1", "--read", other)
    rows = (
        ("--read .", "--read /var/log"),
        ("--work ./", "--work " + other),
        (f"--read {other}", f"--write {other}"),
        ("--env ONE=1", "--env ONE=2"),
        ("--env ONE=1", "--env TWO=2"),
        ("--connect a.test:443", "--connect a.test:444"),
        ("--connect a.test:443", "--connect '*:443'"),
        ("--connect a.test:443", "--connect a.test:443 --connect b.test:443"),
        ("--read .", "--listen 0:8080"),
        ("--agent any", "--delegate '*'"),
    )
    flags = () if os.uname().release >= "7" else ("--without", "sockets")  # beside a directory that is only read
    for allowed, refused in rows:
        done = caller(place, top, f"$AMBIT_BIN run {allowed} -- echo yes; $AMBIT_BIN run {refused} -- echo no; echo status $?", *connect, *flags)
        expect_ok(done, "yes\nstatus 125")
        assert "no\n" not in done.stdout and "hint" in done.stderr, f"{refused}: {told(done)}"


def what_is_counted_is_not_shared(place):
    done = caller(place, tree(place), "$AMBIT_BIN run --connect a.test:443 -- echo no; $AMBIT_BIN run --read . -- echo yes", "--connect", "a.test:443 uses=2")
    assert "yes\n" == done.stdout and "is counted" in done.stderr, told(done)


def a_socket_of_its_caller_does_not_come_with_a_tree(place):
    top = tree(place)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{top}/socket")
        os.chmod(f"{top}/socket", 0o666)
        os.mkdir(f"{top}/beside")
        done = caller(place, top, "$AMBIT_BIN run --read . -- echo no; $AMBIT_BIN run --read ./beside -- echo yes", "--connect", f"unix:{top}/socket")
        assert done.stdout == "yes\n" and "socket" in done.stderr, told(done)


def a_link_that_its_caller_makes_leads_nowhere(place):
    top = tree(place)
    other = tree(place, secret="of-another-tree\n")
    done = caller(place, top, f"""ln -s {other} out; ln -s a in; $AMBIT_BIN run --read ./out -- cat out/secret; $AMBIT_BIN run -- cat out/secret; $AMBIT_BIN run -- cat in""")
    expect_ok(done, "a\n")
    assert "of-another-tree" not in done.stdout, told(done)


def number_and_depth_hold(place):
    top = tree(place)
    loop = "for i in 1 2 3 4; do $AMBIT_BIN run -- echo ran; done"
    done = caller(place, top, loop, delegate="* uses=3")
    assert done.stdout == "ran\n" * 3 and "3 sub-agents" in done.stderr, told(done)
    nested = """$AMBIT_BIN run --work . --run "$AMBIT_BIN" --env "AMBIT_BIN=$AMBIT_BIN" --delegate '%s' -- sh -c '%s'"""
    done = caller(place, top, nested % ("* uses=2", loop), delegate="* uses=3 depth=2")
    assert done.stdout == "ran\n" * 2, told(done)
    done = caller(place, top, nested % ("* uses=3", loop), delegate="* uses=3 depth=2")  # it would be the fourth
    assert "ran" not in done.stdout and done.returncode == 125, told(done)
    done = caller(place, top, nested % ("*", "true"), delegate="*")
    assert done.returncode == 125 and "that deep" in done.stderr, told(done)
    done = caller(place, top, nested % ("*", "$AMBIT_BIN run -- true; echo status $?"), delegate="* depth=2")
    expect_ok(done, "status 0")


def its_name_is_what_was_granted(place):
    done = caller(place, tree(place), "$AMBIT_BIN run -- echo one; $AMBIT_BIN run --agent helper -- echo two; $AMBIT_BIN run --agent other -- echo three", delegate="helper")
    assert done.stdout == "one\ntwo\n" and "called other" in done.stderr, told(done)


def without_the_grant_it_is_refused(place):
    top = tree(place)
    done = caller(place, top, "$AMBIT_BIN run --json -- echo no; echo $?", delegate=None)
    lines = expect_ok(done).stdout.splitlines()
    error = json.loads(lines[0])["error"]
    assert lines[1] == "125" and error["code"] and "cell" in error["message"] and "--delegate" in error["hint"], told(done)
    done = caller(place, top, f"test -e {SOCKET} && echo there; $AMBIT_BIN run -- sh -c 'test -e {SOCKET} || echo none; $AMBIT_BIN run -- echo no'")
    assert done.stdout == "there\nnone\n" and "already" in done.stderr, told(done)
    done = place.cell("--work", ".", "--direct", "--delegate", "*", "--", "true", cwd=top)
    assert done.returncode == 125 and "--direct" in done.stderr, told(done)


def ends_with_its_caller_and_before_the_commit(place):
    top = tree(place)
    done = caller(place, top, """$AMBIT_BIN run -- sh -c 'while :; do echo x >>loop; done' & while ! test -s loop; do :; done""")
    expect_ok(done)
    size = os.path.getsize(f"{top}/loop")
    time.sleep(0.3)
    assert size > 0 and os.path.getsize(f"{top}/loop") == size
    assert "loop" not in [name for p in glob.glob("/proc/[0-9]*/cmdline") for name in read(p).split("\0")], "it goes on"


def read(path):
    try:
        return open(path, errors="replace").read()
    except OSError:
        return ""


def ends_with_who_asked(place):
    done = caller(place, tree(place), """$AMBIT_BIN run -- sh -c 'while :; do echo x >>loop; sleep 0.02; done' & while ! test -s loop; do :; done
kill -KILL $!; wait; n=0; a=; while test $n -lt 100; do b=$(wc -c <loop); test "$a" = "$b" && n=$((n + 1)) || n=0; a=$b; sleep 0.01; done; echo over""")
    expect_ok(done, "over")


def the_library_asks_as_the_command_line_does(place):
    """Its own words are in host_beside.c."""
    top, program, library = tree(place), place.given(1), place.given(2)
    own = "--env", f"LD_LIBRARY_PATH={os.path.dirname(library)}", "--env", "ASAN_OPTIONS=detect_leaks=0"  # who looks for leaks traces, which no cell lets it
    done = place.cell("--work", ".", "--run", program, "--run", library, *own, "--env", "WORD", "--delegate", "*", *room_of(place), "--", program, "beside",
                      cwd=top, input="in\n")
    assert done.stdout == "in passed\n" and done.returncode == 0, told(done)
    assert open(f"{top}/c").read() == "theirs\n"
    done = place.cell("--work", ".", "--run", program, "--run", library, *own, *room_of(place), "--", program, "run", cwd=top)
    assert done.returncode == 1 and "not granted delegate" in done.stdout, told(done)


def what_became_of_it_is_told_as_json(place):
    done = caller(place, tree(place), """$AMBIT_BIN run --json -- sh -c 'cat a; echo too >&2; exit 3'; $AMBIT_BIN run --json --limit wall=200ms -- sleep 60; $AMBIT_BIN run --json --agent x --connect a.test:1 -- true; echo $?""")
    ran, late, refused, status = expect_ok(done).stdout.splitlines()
    ran, late, refused = map(json.loads, (ran, late, refused))
    assert ran["event"].startswith("e_") and ran["outcome"]["exit"] == 3 and ran["output"]["stdout"]["data"] == "a\n" and ran["output"]["stderr"]["data"] == "too\n", ran
    assert (late["outcome"]["cause"], late["outcome"]["limit"]) == ("limit", "wall"), late
    assert (refused["event"], refused["outcome"]["cause"], refused["outcome"]["error"]["code"], status) == (None, "refused", "DENIED", "125"), refused
    assert "wall" in done.stderr and "a.test:1" in done.stderr, told(done)  # a person is told, too


def begin(place, top, script, *flags, delegate="*"):
    """A caller that goes on, when it has said `begun` and its sub-agent `in`; gives it and its event."""
    started = subprocess.Popen([place.ambit, "run", "--work", ".", "--run", place.ambit, "--delegate", delegate, *room_of(place), *flags, "--", "sh", "-c", f": {top}; echo begun; A={place.ambit}; {script}"],
                               cwd=top, env=place.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert started.stdout.readline() == "begun\n" and started.stdout.readline() == "in\n"
    events = json.loads(expect_ok(place.run(place.ambit, "grant", "list", "--json", cwd=top)).stdout)["events"]
    return started, next(e["event"] for e in events if e["command"].startswith("sh -c :") and top in e["command"])


def what_is_withdrawn_ends_it(place):
    top = tree(place)
    started, event = begin(place, top, "$A run -- sh -c 'echo in; sleep 60'; echo status $?; $A run -- echo no; exit 0")
    said = expect_ok(place.run(place.ambit, "grant", "revoke", event, "*", cwd=top)).stdout
    assert said.startswith("withdrawn: delegate"), said
    out, err = started.communicate(timeout=30 * SLOW)
    assert out == "status 137\n" and "no grant" in err, out + err


def processes(word):
    """Those that have it in their command line: an ordinary user may not see whose program it is."""
    return [int(path.split("/")[2]) for path in glob.glob("/proc/[0-9]*/cmdline") if word in read(path)]


def stat(pid):
    """Its name and its parent."""
    text = read(f"/proc/{pid}/stat")
    return (text[text.index("(") + 1:text.rindex(")")], int(text.rsplit(")", 1)[1].split()[1])) if text else ("", 0)


def supervisor_of(pid):
    while pid > 1 and not stat(pid)[0].startswith("ambit-superviso"):
        pid = stat(pid)[1]
    assert pid > 1, "it has no supervisor"
    return pid


# A sub-agent that has one, which both write without end.
NESTED = """$A run --work . --run $A --delegate '*' -- sh -c "true outer-TOP; $A run --work . -- sh -c 'true inner-TOP; echo x >>inner; echo in; while :; do echo x >>inner; done' & while :; do echo x >>outer; done\""""


class Nested:
    """A caller with that, which writes `caller` when it is over, and goes on; the event, and supervisors, by whose they are."""

    def __init__(self, place):
        self.place, self.top = place, tree(place)
        self.started, self.event = begin(place, self.top, NESTED.replace("TOP", self.top) + "; s=$?; echo x >caller; echo status $s; sleep 60; exit 0", delegate="* depth=2")
        shell = {who: next(pid for pid in processes(self.top) if read(f"/proc/{pid}/cmdline").startswith(f"sh\0-c\0{word}{self.top};"))
                 for who, word in (("caller", ": "), ("outer", "true outer-"), ("inner", "true inner-"))}
        self.supervisors = {who: supervisor_of(pid) for who, pid in shell.items()}
        assert len(set(self.supervisors.values())) == 3, self.supervisors

    def processes(self, word):
        return [pid for pid in processes(word) if not stat(pid)[0].startswith("ambit-superviso")]

    def has_ended(self, *whose, word=""):
        """Soon nothing of them runs on."""
        until = time.monotonic() + 15 * SLOW
        while left := [who for who in whose if stat(self.supervisors[who])[0].startswith("ambit-superviso")] + self.processes(word or self.top):
            assert time.monotonic() < until, [(one, read(f"/proc/{one}/cmdline")) for one in left]
            time.sleep(0.02)

    def stays_as_it_is(self):
        """Nothing that they wrote is committed, nor do they write to where it is kept; gives that."""
        kept = self.stage()
        time.sleep(0.3)
        assert sorted(os.listdir(self.top)) == ["a"] and self.stage() == kept, (os.listdir(self.top), kept)
        return kept

    def stage(self):
        done = self.place.run(self.place.ambit, "diff", self.event, "--json", cwd=self.top)
        return [(c["path"], c.get("size")) for c in json.loads(expect_ok(done).stdout)["changes"]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.started.returncode is None:
            self.started.kill()
            self.started.communicate(timeout=30 * SLOW)


def a_killed_supervisor_takes_its_sub_agents_with_it(place):
    with Nested(place) as n:
        os.kill(n.supervisors["caller"], signal.SIGKILL)
        out, err = n.started.communicate(timeout=30 * SLOW)
        # The caller's program may live for as long as to hear that its sub-agent was lost, never that it ended.
        assert n.started.returncode == 125 and out.strip() in ("", "status 125"), out + err
        n.has_ended("caller", "outer", "inner")
        assert {os.path.basename(path) for path, _ in n.stays_as_it_is()} - {"caller"} == {"outer", "inner"}


def a_killed_library_takes_its_sub_agents_with_it(place):
    with Nested(place) as n:
        n.started.kill()
        n.started.communicate(timeout=30 * SLOW)
        n.has_ended("caller", "outer", "inner")
        n.stays_as_it_is()


def a_killed_supervisor_of_a_sub_agent_is_told(place):
    """What it had begun itself ends with it, and its caller goes on."""
    with Nested(place) as n:
        os.kill(n.supervisors["outer"], signal.SIGKILL)
        assert n.started.stdout.readline() == "status 125\n"
        n.has_ended("outer", "inner", word=f"sh\0-c\0true outer-{n.top}")
        n.has_ended("outer", "inner", word=f"sh\0-c\0true inner-{n.top}")
        kept = n.stage()
        time.sleep(0.3)
        assert n.stage() == kept and "caller" in [os.path.basename(path) for path, _ in kept], kept
        place.run(place.ambit, "kill", n.event, cwd=n.top)
        out, err = n.started.communicate(timeout=30 * SLOW)
        assert n.started.returncode == 137, out + err


def quiet(out):
    """Reads what is there, until nothing comes for a while, or all the time."""
    for _ in range(40):
        if not select.select([out], [], [], 0.3)[0]:
            return True
        os.read(out.fileno(), 65536)
        time.sleep(0.05)
    return False


def is_frozen_and_thawed_with_its_caller(place):
    nested = "$A run --work . --run $A --delegate '*' -- sh -c \"$A run --work . -- sh -c 'echo in; while :; do echo x; sleep 0.01; done'\""
    started, event = begin(place, tree(place), nested, delegate="* depth=2")
    say = lambda *words: json.loads(expect_ok(place.run(place.ambit, *words, "--json", cwd=place.top)).stdout)["events"]
    try:
        held = [e["event"] for e in say("freeze", event)]
        assert len(held) == 3 and held[-1] == event and quiet(started.stdout), held
        assert [e["event"] for e in say("thaw", held[1])] == held[:2] and not quiet(started.stdout)
        say("freeze", event)
        assert [e["event"] for e in say("thaw", event)] == held and not quiet(started.stdout)
    finally:
        say("kill", event)
        started.communicate(timeout=30 * SLOW)


def spent(place):
    """By the supervisors, in ticks."""
    total = 0
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            if os.readlink(path[:-4] + "exe") == os.path.dirname(place.ambit) + "/ambit-supervisor":
                total += sum(map(int, read(path).rsplit(")", 1)[1].split()[11:13]))
        except OSError:
            pass
    return total


@rooted  # others may not see whose process it is
def one_that_waits_costs_nothing_while_its_caller_is_frozen(place):
    started, event = begin(place, tree(place), "for i in 1 2 3 4 5 6 7 8 9 10; do $A run -- sh -c 'echo in; sleep 60' & done; wait")  # where eight may be
    try:
        for _ in range(7):
            assert started.stdout.readline() == "in\n"
        expect_ok(place.run(place.ambit, "freeze", event, cwd=place.top))
        those = json.loads(expect_ok(place.run(place.ambit, "grant", "list", "--json", cwd=place.top)).stdout)["events"]
        one = next(e["event"] for e in those if "echo in" in e["command"] and e["event"] != event and not e["command"].startswith("sh -c :"))
        expect_ok(place.run(place.ambit, "kill", one, cwd=place.top))
        time.sleep(0.5)
        before = spent(place)
        time.sleep(1)
        ticks = spent(place) - before
    finally:
        place.run(place.ambit, "kill", event, cwd=place.top)
        started.communicate(timeout=30 * SLOW)
    assert ticks < 0.4 * os.sysconf("SC_CLK_TCK"), ticks


FORGED = """
true = lambda *fds: status(ask(GOOD, list(fds)))
null = os.open("/dev/null", os.O_RDWR)
place = os.open("/", os.O_PATH)
rows = {
    "nothing": (b"", [null] * 3), "a short head": (b"\\x90", [null] * 3), "another number": (head(401) + program("/bin/true"), [null] * 3),
    "a client's of the daemon": (struct.pack("<HH", 257, 0) + bytes(12), []), "no stream": (GOOD, []), "two streams": (GOOD, [null] * 2), "four": (GOOD, [null] * 4),
    "eleven": (GOOD, [null] * 11), "two hundred": (GOOD, [null] * 200), "a directory": (GOOD, [os.open("/", os.O_RDONLY), null, null]), "a place": (GOOD, [place, null, null]),
    "cut": (GOOD[:-3], [null] * 3), "more behind": (GOOD + b"x", [null] * 3), "no program": (head(400), [null] * 3), "too long": (GOOD + bytes(49152), [null] * 3),
    "another version": (head(400, version=1) + program("/bin/true"), [null] * 3), "unknown flags": (head(400, flags=64) + program("/bin/true"), [null] * 3),
    "grants without end": (head(400, flags=0, grants=0xffffffff) + program("/bin/true"), [null] * 3), "a relative place": (head(400, workdir="tmp") + program("/bin/true"), [null] * 3),
    "a name that is none": (head(400, agent="../x") + program("/bin/true"), [null] * 3), "no words": (head(400) + struct.pack("<II", 0, 0) + text("/bin/true"), [null] * 3),
    "words without end": (head(400) + struct.pack("<II", 0xffffffff, 0) + text("/bin/true"), [null] * 3),
}
for name, (packet, fds) in rows.items():
    got = status(ask(packet, fds))
    print("refused" if got not in (0, b"TimeoutError") else f"let through: {got}", name, flush=True)
print("then", true(null, null, null))
"""


def forged_requests_are_refused(place):
    done = expect_ok(code(place, tree(place), FORGED), "then 0")
    lines = done.stdout.splitlines()
    assert len(lines) == 23 and all(line.startswith("refused ") for line in lines[:-1]), told(done)


FLOOD = """
import time
held = []
for i in range(300):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.setblocking(False)
    try:
        s.connect("/run/ambit/delegate")
        held.append(s)
    except OSError:
        break
print("flooded", len(held), flush=True)
while True:
    for s in held:
        try:
            s.send(b"x" * 1000)
        except OSError:
            pass
"""

# A socket whose last owner waits an hour when it closes it.
LINGERS = """
import time
listener = socket.create_server(("127.0.0.1", 0))
for body in (GOOD, b"x", head(400, agent="-") + program("/bin/true")):
    for i in range(3):
        if os.fork() > 0: # which ends at once: nothing of it waits
            os.wait()
            continue
        s = socket.create_connection(listener.getsockname())
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
        s.setblocking(False)
        try:
            while True:
                s.send(b"x" * 65536)
        except BlockingIOError:
            pass
        d = dial()
        d.sendmsg([body], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()] * 3))])
        os._exit(0)
print("lingering", flush=True)
time.sleep(3600)
"""


def nothing_that_is_sent_stops_the_supervisor(place):
    for text, said in ((FLOOD, "flooded"), (LINGERS, "lingering")):
        begun = time.monotonic()
        done = code(place, tree(place), text, "--limit", "wall=3s")
        assert done.returncode == 124 and said in done.stdout, told(done)
        assert time.monotonic() - begun < 15 * SLOW, f"{said}: {time.monotonic() - begun:.1f} s"


@rooted  # who mounts
def a_file_system_that_does_not_answer_is_not_waited_for(place):
    top, home, mounted = tree(place), place.fresh(), place.fresh()
    for path in (top, home):
        os.chown(path, ORDINARY, ORDINARY)
    hanging = ("unshare", "--mount", sys.executable, "-B", f"{os.path.dirname(os.path.abspath(__file__))}/hanging.py", mounted)
    user = ("setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups", "env", f"HOME={home}")  # root's cells have no FUSE
    done = place.run(*hanging, "true", cwd=top)
    if done.returncode != 0:
        raise Skip(f"no FUSE: {done.stderr.strip()}")
    script = f"cat {mounted}/sub/file; A={place.ambit}; $A run --read {mounted}/sub -- echo one; test -e {mounted}/arm; for i in 1 2 3; do $A run --read {mounted}/sub -- echo no; echo status $?; done"
    flags = () if os.uname().release >= "7" else ("--without", "sockets")  # beside a directory that is only read
    begun = time.monotonic()
    done = place.run(*hanging, *user, place.ambit, "run", "--work", ".", "--read", mounted, "--run", place.ambit, "--delegate", "*", *room_of(place), *flags, "--", "sh", "-c", script, cwd=top)
    assert done.stdout == "text\none\n" + 3 * "status 125\n" and "does not answer" in done.stderr and "has not answered yet" in done.stderr, told(done)
    assert time.monotonic() - begun < 12 * SLOW, f"{time.monotonic() - begun:.1f} s"  # two seconds, once


def limits_are_its_callers_at_most(place):
    done = caller(place, tree(place), """$AMBIT_BIN run --limit wall=1s -- sleep 60; echo $?; $AMBIT_BIN run --limit files=4096 -- sh -c 'ulimit -n'; $AMBIT_BIN run --limit files=32 -- sh -c 'ulimit -n'""",
                  "--limit", "files=64")
    expect_ok(done, "124\n64\n32\n")


def a_pipe_that_its_caller_writes_does_not_come_with_a_tree(place):
    """A mount of it that is only read keeps nobody from writing it, beneath the cell's own home or /tmp."""
    top = tree(place)
    os.mkfifo(f"{top}/pipe")
    writes = shlex.quote("""python3 -c 'import os; os.write(os.open("pipe", os.O_RDWR), b"told")'; echo ended""")
    for flags, says, gets in (("--read .", "would go with it", False), ("--read ./a", "ended", False), ("--read . --write ./pipe", "ended", True)):
        heard = os.open(f"{top}/pipe", os.O_RDWR | os.O_NONBLOCK)
        done = place.cell("--read", ".", "--write", "./pipe", "--run", place.ambit, *room_of(place), "--delegate", "*", "--", "sh", "-c", f"{place.ambit} run {flags} -- sh -c {writes}", cwd=top)
        try:
            assert os.read(heard, 100) == b"told" and gets, f"{flags}: {told(done)}"
        except BlockingIOError:
            assert not gets, f"{flags}: {told(done)}"
        os.close(heard)
        assert says in done.stdout + done.stderr, f"{flags}: {told(done)}"


def those_of_sub_agents_begin_with_what_only_they_bound(place):
    """Nothing is judged of who asked for them until then."""
    top = tree(place)
    for flags, says in (("--connect 'a.test:443 between=\"00:00-23:59 UTC\"'", "low\n"), ("--read './a ask=true'", "a person is asked first")):
        low = shlex.quote(f"$AMBIT_BIN run --agent low {flags} -- echo low")
        done = caller(place, top, f"$AMBIT_BIN run --agent mid --connect a.test:443 --read . --delegate '*' --run $AMBIT_BIN --env AMBIT_BIN=$AMBIT_BIN -- sh -c {low}", "--connect", "a.test:443", delegate="* depth=2")
        assert says in done.stdout + done.stderr, f"{flags}: {told(done)}"


def options_of_others_are_refused(place):
    top = tree(place)
    for flags in ("--direct", "--stage", "--ledger /tmp/l", "--no-ledger", "--base minimal", "--without sockets", "--record /tmp/r", "--python -", "--budget 'session uses=5'", "--agent a --budget 'agent uses=5'"):
        done = caller(place, top, f"$AMBIT_BIN run {flags} -- echo no </dev/null; echo $?")
        assert "no\n" not in done.stdout and done.stdout.strip() != "0", f"{flags}: {told(done)}"


if __name__ == "__main__":
    main([works_in_its_callers_trees, what_it_writes_is_kept_or_lost_with_its_callers, a_signal_is_told_as_a_shell_does, its_record_names_its_caller, its_grants_are_labelled_as_its_callers, gets_no_more_than_is_asked,
          sees_nothing_that_is_hidden_from_its_caller, asks_for_more_in_vain, what_is_counted_is_not_shared, a_socket_of_its_caller_does_not_come_with_a_tree, a_link_that_its_caller_makes_leads_nowhere, number_and_depth_hold,
          its_name_is_what_was_granted, without_the_grant_it_is_refused, ends_with_its_caller_and_before_the_commit, ends_with_who_asked, the_library_asks_as_the_command_line_does,
          what_became_of_it_is_told_as_json, a_killed_supervisor_takes_its_sub_agents_with_it, a_killed_library_takes_its_sub_agents_with_it, a_killed_supervisor_of_a_sub_agent_is_told,
          what_is_withdrawn_ends_it, is_frozen_and_thawed_with_its_caller, one_that_waits_costs_nothing_while_its_caller_is_frozen,
          forged_requests_are_refused, nothing_that_is_sent_stops_the_supervisor, a_file_system_that_does_not_answer_is_not_waited_for, limits_are_its_callers_at_most, a_pipe_that_its_caller_writes_does_not_come_with_a_tree, those_of_sub_agents_begin_with_what_only_they_bound, options_of_others_are_refused])
