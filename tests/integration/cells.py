#!/usr/bin/env python3
"""`ambit cells` (doc/CELLS.md): cells that a program has, what ends them, and what they have.

usage: cells.py AMBIT    (TAP on standard output; as root also as an ordinary user)
"""

import contextlib
import glob
import itertools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time

from harness import PATIENCE, SLOW, main, need, once, silenced, told, write

CELLS_MAX, FORMS_MAX, SAID_BYTES_MAX = 256, 64, 128 << 10  # src/cells
LATE = 0.1 * SLOW  # seconds that an end may be late
numbers = itertools.count()


def marker():
    """A text that is in the arguments of one program alone, by which its processes are found."""
    return f"cells-{os.getpid()}-{next(numbers)}-{os.urandom(4).hex()}"


def processes(text):
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            with open(path, "rb") as file:
                if text.encode() in file.read():
                    found.append(int(path.split("/")[2]))
    return [pid for pid in found if pid != os.getpid() and not is_dead(pid)]


def is_dead(pid):
    """Or a zombie, for which somebody has yet to ask."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def wait_until(what, seconds, problem):
    end = time.monotonic() + SLOW * seconds
    while not what():
        assert time.monotonic() < end, problem() if callable(problem) else problem
        time.sleep(0.005)


def read_some(fd, seconds=PATIENCE):
    """What comes next; b"" at the end."""
    assert select.select([fd], [], [], SLOW * seconds)[0], "nothing comes"
    return os.read(fd, 65536)


def read_to_end(fd, seconds=PATIENCE):
    data = b""
    while more := read_some(fd, seconds):
        data += more
    return data


class Refused(Exception):
    """An answer `error`: its code, and the rest."""


class Cell:
    def __init__(self, helper, number, to, come):
        self.helper, self.number, self.left = helper, number, b""
        self.to, self.come = helper.open(to, os.O_WRONLY), helper.open(come, os.O_RDONLY)
        helper.say(f"opened {number}")

    def write(self, data):
        os.write(self.to, data)

    def until(self, end=b"\n"):
        while end not in self.left:
            more = read_some(self.come)
            assert more, f"it ended, after {self.left!r}: {self.why()}"
            self.left += more
        data, _, self.left = self.left.partition(end)
        return data.decode(errors="replace")

    def why(self):
        return self.helper.ask(f"why {self.number}")[1:]

    def close(self):
        for fd in (self.to, self.come):
            os.close(fd)
        self.helper.say(f"drop {self.number}")


class Helper:
    """`ambit cells` of this process."""

    def __init__(self, place, cwd, say=True):
        done = place.run(place.ambit, "cells", cwd=cwd)
        found = re.fullmatch(r"ambit-cells 1 (\d+) (\d+) (\d+) (\d+)\n", done.stdout)
        assert done.returncode == 0 and done.stderr == "" and found, told(done)
        self.pid, *fds = map(int, found.groups())
        self.pidfd = os.pidfd_open(self.pid)
        self.said, self.told, self.bell = (self.open(fd, flags) for fd, flags in
                                           zip(fds, (os.O_WRONLY, os.O_RDONLY, os.O_RDONLY | os.O_NONBLOCK)))
        self.came, self.forms = b"", 0

    def open(self, fd, flags):
        return os.open(f"/proc/{self.pid}/fd/{fd}", flags | os.O_CLOEXEC)

    def say(self, *messages):
        data = b"".join(m.encode() + b"\0" for m in messages)
        while data:
            data = data[os.write(self.said, data):]

    def answer(self):
        while b"\0" not in self.came:
            data = read_some(self.told)
            assert data, "it has ended"
            self.came += data
        line, _, self.came = self.came.partition(b"\0")
        return line.decode().split("\n")

    def ask(self, *messages):
        self.say(*messages)
        answer = self.answer()
        assert len(answer) == {"ok": 1, "cell": 4, "ended": 7, "error": 5}[answer[0]], answer
        if answer[0] == "error":
            raise Refused(*answer[1:])
        return answer

    def form(self, *argv, more=()):
        self.forms += 1
        n = self.forms
        answer = self.ask(f"form {n}", f"program {argv[0]}", *(f"argument {a}" for a in argv[1:]), *more, "done")
        assert answer == ["ok"], answer
        return n

    def take(self, form):
        word, number, to, come = self.ask(f"take {form}")
        assert word == "cell", word
        return Cell(self, int(number), int(to), int(come))

    def cell(self, *argv, more=()):
        return self.take(self.form(*argv, more=more))

    def has_ended(self, seconds=1):
        return bool(select.select([self.pidfd], [], [], SLOW * seconds)[0])

    def cpu(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            words = file.read().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.said)
        assert self.has_ended(PATIENCE), "it does not end when its program says nothing more"
        for fd in (self.told, self.bell, self.pidfd):
            os.close(fd)


SH = os.path.realpath("/bin/sh")
LOOP = "echo on; while :; do :; done"
CAT = ("/bin/cat",)


def sh(code, name="sh"):
    return SH, "-c", code, name


def perl(code, name="perl"):
    """It has what it needs in one file: names of descriptors, sockets, directories."""
    need("perl")
    return "/usr/bin/perl", "-e", "$|=1;" + code, name


def a_cell_is_taken_and_answers(place):
    with Helper(place, place.fresh()) as h:
        form = h.form(*CAT)
        cells = [h.take(form) for _ in range(3)]
        assert len({c.number for c in cells}) == 3
        for cell in cells:
            cell.write(f"{cell.number}\n".encode())
        for cell in cells:
            assert cell.until() == str(cell.number)
        block = os.urandom(1 << 20)
        threading.Thread(target=lambda: [cells[0].write(block[at:at + 4096]) for at in range(0, len(block), 4096)]).start()
        data = b""
        while len(data) < len(block):
            data += read_some(cells[0].come)
        assert data == block, "what comes is not what was sent"
        for cell in cells:
            cell.close()


def cells_wait_where_a_form_says_so(place):
    name = marker()
    with Helper(place, place.fresh()) as h:
        form = h.form(*sh("echo >&2; read x; echo $x", name), more=["ready 2"])
        wait_until(lambda: len(processes(name)) >= 2, PATIENCE, "none is made in advance")
        time.sleep(0.1)
        cell = h.take(form)
        cell.write(b"it\n")
        assert cell.until() == "it"
        cell.close()
        wait_until(lambda: len(processes(name)) >= 2, PATIENCE, "it is not made up for")
        h.say(f"free {form}")
        wait_until(lambda: not processes(name), PATIENCE, "they wait for nobody")
        try:
            h.take(form)
            raise AssertionError("a form that is of no more use gives a cell")
        except Refused as problem:
            assert problem.args[0] == "NOT_FOUND", problem.args


def an_endless_loop_ends_in_time(place):
    with Helper(place, place.fresh()) as h:
        for ms in (50, 300):
            cell = h.cell(*sh(LOOP))
            assert cell.until() == "on"
            begun = time.monotonic()
            h.say(f"arm {cell.number} {ms}")
            read_to_end(cell.come)
            took = time.monotonic() - begun
            assert ms / 1000 <= took < ms / 1000 + LATE, f"{ms} ms: it ended after {took:.3f} s"
            assert cell.why()[0] == "timeout", cell.why()
            cell.close()


def supervisor_of(pid):
    """The one that its process is below."""
    while pid > 1:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            head, _, rest = file.read().rpartition(")")
        if "(ambit-superviso" in head:
            return pid
        pid = int(rest.split()[1])
    raise AssertionError("it is below no supervisor")


def a_supervisor_that_was_stopped_keeps_no_cell(place):
    """By a person, say."""
    name = marker()
    with Helper(place, place.fresh()) as h:
        form = h.form(*sh(LOOP, name))
        for late in (True, False):
            cell, other = h.take(form), h.cell(*CAT)
            assert cell.until() == "on"
            os.kill(supervisor_of(processes(name)[0]), signal.SIGSTOP)
            if late:
                h.say(f"arm {cell.number} 100")
                end = time.monotonic() + SLOW * PATIENCE
                while processes(name):
                    assert time.monotonic() < end, "it goes on"
                    other.write(b"x\n")
                    assert other.until() == "x"
                    time.sleep(0.05)
                read_to_end(cell.come)
                assert cell.why()[:2] == ["timeout", "signal 9"], cell.why()
            cell.close()
            wait_until(lambda: not processes(name), PATIENCE, "it goes on")
            other.write(b"x\n")
            assert other.until() == "x"


def what_is_disarmed_goes_on(place):
    with Helper(place, place.fresh()) as h:
        cell = h.cell(*CAT)
        h.say(f"arm {cell.number} 100", f"arm {cell.number} 60000", f"arm {cell.number} 0")
        time.sleep(0.3)
        cell.write(b"there\n")
        assert cell.until() == "there"
        h.say(f"arm {cell.number} 1")
        read_to_end(cell.come)
        assert cell.why()[0] == "timeout", cell.why()


def why_says_how_it_ended(place):
    rows = [
        ("it is done", sh("exit 0"), [], ("exited", "exit 0", "")),
        ("its status", sh("exit 3"), [], ("exited", "exit 3", "")),
        ("a signal", sh("kill -SEGV $$"), [], ("exited", "signal 11", "")),
        ("its memory", perl('my @a; push @a, "x" x 1000000 while 1'), ["limit memory=64M"], None),
        ("its time", sh(LOOP), ["limit wall=200ms"], ("limit", "wall", "LIMIT")),
        ("it closed its pipe and goes on", sh("exec >&-; while :; do :; done"), [], ("killed", None, "GONE")),
    ]
    with Helper(place, place.fresh()) as h:
        problems = []
        for name, argv, more, expected in rows:
            cell = h.cell(*argv, more=more)
            read_to_end(cell.come)
            end = cell.why()
            # without control groups it is an address space that has its end, and the program says so itself
            cause, how, code = expected or (("limit", "memory", "LIMIT") if end[0] == "limit" else ("exited", "exit 1", ""))
            if (end[0], end[2]) != (cause, code) or how not in (None, end[1]):
                problems.append(f"{name}: {end}")
            if end != cell.why():
                problems.append(f"{name}: it is told otherwise the second time")
            cell.close()
        for name, argv, more, code in (("a program that is not there", ("/usr/bin/not-there-at-all",), [], "NO_PROGRAM"),
                                       ("a grant of what is not there", CAT, ["grant read /not/there/at/all"], "NOT_FOUND"),
                                       ("no verb", CAT, ["grant nonsense x"], "UNKNOWN"),
                                       ("no verb, of two lines", CAT, ["grant a\nb\nc"], "UNKNOWN"),
                                       ("no grant", CAT, ["grant  "], "MALFORMED"),
                                       ("no limit", CAT, ["limit memory=-3"], "MALFORMED"),
                                       ("no name", CAT, ["agent a b"], "MALFORMED"),
                                       ("no ledger", CAT, ["ledger /dev/null/there"], None)):
            try:
                h.cell(*argv, more=more)
                problems.append(f"{name}: there is a cell")
            except Refused as problem:
                if code not in (None, problem.args[0]) or len(problem.args[1]) < 5:
                    problems.append(f"{name}: {problem.args}")
        try:
            h.ask("form 1000", "argument x", "done")
            problems.append("a form without a program is one")
        except Refused as problem:
            assert problem.args[0] == "USAGE", problem.args
        h.cell(*CAT).close()  # it goes on
        assert not problems, "\n".join(problems)


def what_is_dropped_is_gone(place):
    name = marker()
    with Helper(place, place.fresh()) as h:
        cell = h.cell(*sh(f"(while :; do :; done) & {LOOP}", name))
        assert cell.until() == "on" and processes(name)
        cell.close()
        wait_until(lambda: not processes(name), 2, lambda: f"still there: {processes(name)}")
        try:
            cell.why()
            raise AssertionError("one that was let go of is told of")
        except Refused as problem:
            assert problem.args[0] == "NOT_FOUND", problem.args


def as_program(place, work):
    """A process that is the program; gives its number and what it said, when it has begun."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with os.fdopen(theirs, "w") as out:
                out.write(json.dumps(work()) + "\n")
                out.flush()
                while True:
                    signal.pause()
        finally:
            os._exit(1)
    os.close(theirs)
    assert select.select([ours], [], [], SLOW * PATIENCE)[0], "it does not begin"
    with os.fdopen(ours) as file:
        line = file.readline()
    assert line, "it could not begin"
    return pid, json.loads(line)


def with_the_program_everything_ends(place):
    for speaks in (True, False):
        name, cwd = marker(), place.fresh()

        def begin():
            h = Helper(place, cwd)
            if speaks:
                form = h.form(*sh(LOOP, name), more=["ready 1"])
                for cell in [h.take(form) for _ in range(3)]:
                    cell.until()
            return h.pid

        pid, helper = as_program(place, begin)
        assert not is_dead(helper) and bool(processes(name)) == speaks
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        wait_until(lambda: is_dead(helper) and not processes(name), 1, lambda: f"still there: {helper} {is_dead(helper)} {processes(name)}")


def with_the_helper_all_cells_end(place):
    name = marker()
    h = Helper(place, place.fresh())
    form = h.form(*sh(LOOP, name), more=["ready 1"])
    cells = [h.take(form) for _ in range(3)]
    for cell in cells:
        cell.until()
    assert len(processes(name)) >= 3
    os.kill(h.pid, signal.SIGKILL)
    wait_until(lambda: not processes(name), 2, lambda: f"still there: {processes(name)}")
    for cell in cells:
        read_to_end(cell.come)
    assert read_some(h.told) == b"", "its pipe has another end"


def a_cell_has_its_own_descriptors_alone(place):
    code = r"""opendir D, "/proc/self/fd"; for (sort { $a <=> $b } grep { /^\d+$/ } readdir D) { print "$_ ", readlink("/proc/self/fd/$_"), "\n" } print "-\n";
        opendir P, "/proc"; for my $p (grep { /^\d+$/ } readdir P) { opendir F, "/proc/$p/fd" or next; print "$p ", readlink("/proc/$p/fd/$_"), "\n" for grep { /^\d+$/ } readdir F } print "end\n"; <STDIN>"""
    with Helper(place, place.fresh()) as h:
        form, seen = h.form(*perl(code)), []
        cells = [h.take(form) for _ in range(2)]
        for cell in cells:
            own, everywhere = cell.until(b"end\n").split("-\n")
            rows = dict(line.split(" ", 1) for line in own.splitlines())
            pipes = {rows.pop(n) for n in "012"}
            assert len(pipes) == 3 and all(p.startswith("pipe:") for p in pipes), rows
            assert all(re.fullmatch(r"/proc/\d+/fd", path) for path in rows.values()), f"besides: {rows}"
            others = {line.split(" ", 1)[1] for line in everywhere.splitlines() if "pipe:" in line}
            assert others <= pipes, f"in /proc: {others - pipes}"
            seen.append(pipes)
        assert not seen[0] & seen[1], "they share one"
        # who may look sees them all
        held = {os.readlink(path) for path in glob.glob(f"/proc/{h.pid}/fd/*")}
        assert all(held & pipes for pipes in seen) and os.readlink(f"/proc/self/fd/{cells[0].come}") in seen[0]
        assert not {os.readlink(f"/proc/self/fd/{fd}") for fd in (h.said, h.told, h.bell)} & (seen[0] | seen[1])


def the_helper_keeps_nothing_of_the_program(place):
    left, right = os.pipe()
    os.set_inheritable(right, True)
    try:
        done = subprocess.run([place.ambit, "cells"], stdin=left, capture_output=True, text=True, close_fds=False, env=place.environment(), cwd=place.fresh(), check=False)
        pid = int(done.stdout.split()[2])
        pipes = {os.readlink(f"/proc/self/fd/{fd}") for fd in (left, right)}
        held = {os.readlink(path) for path in glob.glob(f"/proc/{pid}/fd/*")}
        assert held and not held & pipes, held & pipes
        assert os.getsid(pid) != os.getsid(0)
    finally:
        os.close(left), os.close(right)
        with contextlib.suppress(NameError):
            os.kill(pid, signal.SIGKILL)


def a_cell_opens_its_own_pipes_anew_and_gets_nothing_but_its_own(place):
    """Programs do it by /dev/stdin; the other way round it reads what it wrote itself."""
    reads = 'open(my $in, "<", "/proc/self/fd/0") or die "no $!"; print "on\n"; while (<$in>) { print "got $_"; last } print "end\n"; <STDIN>'
    spies = r"""print "on\n"; <STDIN>; my $all = "";
        for my $p (0, 1, 2) { for my $how (2048, 2049, 2050) { sysopen(my $f, "/proc/self/fd/$p", $how) or next; my $d = ""; sysread $f, $d, 65536; $all .= $d // ""; push @keep, $f } }
        opendir P, "/proc"; for my $p (grep { /^\d+$/ } readdir P) { for my $n (0 .. 40) { sysopen(my $f, "/proc/$p/fd/$n", 2048) or next; my $d = ""; sysread $f, $d, 65536; $all .= $d // "" } }
        $all =~ s/\n/ /g; print "saw <$all>\n"; <STDIN>"""
    secret = marker()
    with Helper(place, place.fresh()) as h:
        reader, spy = h.cell(*perl(reads)), h.cell(*perl(spies))
        assert reader.until() == "on" and spy.until() == "on"
        other = h.cell(*sh("echo on; read x; read y; echo $y"))
        assert other.until() == "on"
        other.write(b"go\n")
        other.write(f"{secret}\n".encode())
        spy.write(b"go\n")
        line = spy.until()
        assert secret not in line and line.startswith("saw <"), line
        assert other.until() == secret, "nobody was to read it before"
        reader.write(b"it\n")
        assert reader.until() == "got it" and reader.until() == "end"


def a_cell_that_makes_its_pipes_its_own_holds_up_nobody(place):
    """O_NONBLOCK on its ends, and as much room as it gets."""
    code = 'require "fcntl.ph" if 0; for (0, 1, 2) { open(my $f, "+<&=", $_); fcntl($f, 4, 2048 | 1024); fcntl($f, 1031, 1 << 20) } syswrite STDOUT, "x" x 4096 while 1'
    with Helper(place, place.fresh()) as h:
        hostile, cell = h.cell(*perl(code)), h.cell(*CAT)
        assert read_some(hostile.come)
        for i in range(50):
            cell.write(f"{i}\n".encode())
            assert cell.until() == str(i)
        flags = os.get_blocking(hostile.to), os.get_blocking(hostile.come)
        assert flags == (True, True), "it is of its own ends alone"
        h.say(f"arm {hostile.number} 50")
        end = time.monotonic() + SLOW * 5
        while os.read(hostile.come, 1 << 20):
            assert time.monotonic() < end, "it goes on"
        assert hostile.why()[0] == "timeout"


MALFORMED = [
    ("no word", b"nonsense\0", "UNKNOWN"), ("nothing", b"\0", "UNKNOWN"), ("a part of a word", b"tak 1\0", "UNKNOWN"), ("no number", b"take\0", "MALFORMED"),
    ("no digits", b"take x\0", "MALFORMED"), ("two numbers", b"take 1 2\0", "MALFORMED"), ("a number too large", b"take 4294967296\0", "MALFORMED"),
    ("a sign", b"take -1\0", "MALFORMED"), ("two blanks", b"take  1\0", "MALFORMED"), ("a line break", b"take 1\n\0", "MALFORMED"), ("a word of a form", b"done\0", "PROTOCOL"),
    ("another", b"argument x\0", "PROTOCOL"), ("no text", b"form 1\0program\0", "MALFORMED"), ("too long", b"form 1\0argument " + b"x" * (SAID_BYTES_MAX - 9) + b"\0", "LIMIT"),
    ("too long, and no end", b"x" * SAID_BYTES_MAX, "LIMIT"),
]


def what_is_malformed_ends_it(place):
    name, problems = marker(), []
    for what, data, code in MALFORMED:
        h = Helper(place, place.fresh())
        cell = h.cell(*sh(LOOP, name)) if what == "no word" else None
        os.write(h.said, data) if len(data) < 60000 else threading.Thread(target=lambda: [os.write(h.said, data[at:at + 4096]) for at in range(0, len(data), 4096)]).start()
        answer = h.answer()
        if answer[:2] != ["error", code] and (answer[0], answer[1]) != ("error", code):
            problems.append(f"{what}: {answer}")
        if not h.has_ended(PATIENCE) or read_some(h.told) != b"":
            problems.append(f"{what}: it goes on")
        if cell is not None and processes(name):
            problems.append(f"{what}: its cells go on")
    with Helper(place, place.fresh()) as h:  # what is not too long
        h.ask("form 1", "program /bin/cat", "argument " + "x" * (SAID_BYTES_MAX - 10), "done")
    assert not problems, "\n".join(problems)


def so_many_forms_and_not_one_more(place):
    with Helper(place, place.fresh()) as h:
        for i in range(FORMS_MAX):
            h.ask(f"form {i}", "program /bin/cat", "done")
        for n, code in ((FORMS_MAX, "LIMIT"), (3, "CONFLICT")):
            try:
                h.ask(f"form {n}", "program /bin/cat", "done")
                raise AssertionError("one more is taken")
            except Refused as problem:
                assert problem.args[0] == code, problem.args
        cell = h.take(7)
        for i in range(3 * FORMS_MAX):
            h.ask(f"free {i % 5}", f"form {i % 5}", "program /bin/cat", "ready 1" if i < 20 else "ready 0", "done")
        h.say("free 7")  # whose cell is in use
        cell.write(b"still\n")
        assert cell.until() == "still"
        h.ask("form 7", f"program {SH}", "argument -c", "argument echo other", "done")
        cell.write(b"still\n")
        assert cell.until() == "still"
        assert h.take(7).until() == "other"


@once
def so_many_cells_and_not_one_more(place):
    with Helper(place, place.fresh()) as h:
        form = h.form(*CAT)
        cells = [h.take(form) for _ in range(CELLS_MAX)]
        try:
            h.take(form)
            raise AssertionError("one more is made")
        except Refused as problem:
            assert problem.args[0] == "LIMIT", problem.args
        for cell in cells[:8]:
            cell.close()
        cells[:8] = [h.take(form) for _ in range(8)]
        for cell in cells:
            cell.write(b"there\n")
        for cell in cells:
            assert cell.until() == "there"


def a_program_that_does_not_read_holds_up_no_time(place):
    name, quick = marker(), marker()
    with Helper(place, place.fresh()) as h:
        loop, full = h.cell(*sh(LOOP, name)), h.cell(*sh(f"echo on; while :; do echo {'x' * 1000}; done", quick))
        assert loop.until() == "on" and read_some(full.come)
        h.say(f"arm {loop.number} 1000", f"arm {full.number} 1000")
        begun, n = time.monotonic(), 0
        os.set_blocking(h.said, False)
        with contextlib.suppress(BlockingIOError):
            while n < 100000:
                os.write(h.said, b"why 4000000000\0")
                n += 1
        assert n > 1000 and time.monotonic() - begun < 1, f"{n} in {time.monotonic() - begun} s"
        wait_until(lambda: time.monotonic() >= begun + 0.9, 2, "")
        wait_until(lambda: not processes(name) and not processes(quick), 0.1 / SLOW + LATE, "a program that does not read holds up the time of a cell")
        os.set_blocking(h.said, True)
        for _ in range(n):
            assert h.answer()[0] == "error"


def many_cells_that_are_wanted_at_once_hold_up_no_time(place):
    name = marker()
    with Helper(place, place.fresh()) as h:
        form, cell = h.form(*CAT), h.cell(*sh(LOOP, name))
        assert cell.until() == "on"
        begun = time.monotonic()
        h.say(f"arm {cell.number} 200", *[f"take {form}"] * 80)
        read_to_end(cell.come)
        took = time.monotonic() - begun
        assert 0.2 <= took < 0.2 + LATE, f"it ended after {took:.3f} s"
        assert [h.answer()[0] for _ in range(80)] == ["cell"] * 80
        # and who asks why gets the answers in order
        h.say(f"take {form}", f"why {cell.number}", f"take {form}")
        assert [h.answer()[0] for _ in range(3)] == ["cell", "ended", "cell"]


def what_rings_all_the_time_costs_little(place):
    """What rings all the time is heard a few times; what is waited for is heard at once."""
    with Helper(place, place.fresh()) as h:
        idle = h.cell(*sh('read x; echo $x; echo >&2; read x'))
        floods = [h.cell(*perl('print "on\n"; syswrite STDERR, "x" x 4096 while 1')) for _ in range(2)]
        for flood in floods:
            assert flood.until() == "on"
        before, begun = h.cpu(), time.monotonic()
        time.sleep(2)
        used = (h.cpu() - before) / (time.monotonic() - begun)
        assert used < 0.05 * SLOW, f"{used:.3f} of a processor"
        rung = 0
        with contextlib.suppress(BlockingIOError):
            while data := os.read(h.bell, 65536):
                rung += len(data)
        assert 0 < rung < 500 * SLOW, rung
        for flood in floods:
            flood.close()
        idle.write(b"it\n")
        assert idle.until() == "it"
        assert select.select([h.bell], [], [], SLOW)[0], "its bell is not heard"


ALLOWED = re.compile(r"/usr/(?:lib|lib64|lib32)/.*\.so(?:\.[\d.]+)?|/usr/bin/perl[\d.]*|/(?:bin|sbin|lib\w*)|/dev/\w+|/dev/pts/ptmx|/etc/\w[\w.]*|/var/tmp|/\.ambit-cell|/dev/\.hidden")


def what_is_granted_to_nobody_is_not_there(place):
    files = r"""sub w { my $d = shift; opendir my $D, $d or return; for (readdir $D) { next if /^\.\.?$/; my $p = ($d eq "/" ? "" : $d) . "/$_"; next if $p =~ m{^/(proc|sys)$};
        if (-d $p && !-l $p) { w($p) } else { print "$p\n" } } } w("/"); print "end\n"; <STDIN>"""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    try:
        probe = r"""print "E $_=$ENV{$_}\n" for sort keys %ENV;
            for my $p ("/bin/true", "SHELL", "/usr/bin/env", "/usr/bin/python3") { print "X $p\n" if system($p, "-c", ":") == 0 } print "X self\n" if system("/usr/bin/perl", "-e", "1") == 0;
            for my $f (@ARGV) { open(my $h, "<", $f) and print "R $f\n" }
            socket(S, 2, 1, 0) and connect(S, pack("Sna4x8", 2, PORT, pack("C4", 127, 0, 0, 1))) and print "C\n"; print "end\n"; <STDIN>""".replace("PORT", str(port)).replace("SHELL", SH)
        path = os.path.join(place.fresh(), "secret")
        write(path, "it")
        with Helper(place, os.path.dirname(path)) as h:
            seen = h.cell(*perl(files)).until(b"end\n").split()
            strange = [p for p in seen if not ALLOWED.fullmatch(p)]
            assert not strange and len(seen) < 100, strange
            probed = (*perl(probe), path, "/etc/shadow", "/etc/os-release", "/proc/1/environ", f"/proc/{os.getpid()}/environ")
            lines = h.cell(*probed).until(b"end\n").splitlines()
            environment = [line for line in lines if line.startswith("E ")]
            assert [line for line in lines if not line.startswith("E ")] == ["X self"], lines
            assert all(place.home not in line and "AMBIT_" not in line for line in environment) and len(environment) < 10, environment
            # the probe sees what is granted
            more = [f"grant read {path}", f"grant connect 127.0.0.1:{port}", f"grant run {SH}", "grant env CELLS_TEST=1"]
            lines = h.cell(*probed, more=more).until(b"end\n").splitlines()
            assert {f"X {SH}", f"R {path}", "C", "E CELLS_TEST=1"} <= set(lines), lines
    finally:
        silenced(listener)


def grants_are_had(place):
    top = place.fresh()
    write(f"{top}/read/one", "first\n")
    write(f"{top}/write/two", "before\n")
    code = f"read x < {top}/read/one; echo $x > {top}/write/two; echo no > {top}/read/one; read y < {top}/write/two; echo $y"
    with Helper(place, top) as h:
        cell = h.cell(*sh(code), more=[f"workspace {top}", "grant read ./read", f"grant write {top}/write"])
        assert cell.until() == "first", cell.why()
        for name, content in (("write/two", "first\n"), ("read/one", "first\n")):
            with open(f"{top}/{name}", encoding="ascii") as file:
                assert file.read() == content, name
        cell.close()
        cell = h.cell(*sh(f"read x < {top}/read/one && echo had $x; echo end"))
        assert cell.until() == "end", "it has what was granted to another form"


def what_is_to_be_recorded_is(place):
    top = place.fresh()

    def entries():
        return place.run(place.ambit, "ledger", "show", "--json", "--ledger", f"{top}/ledger", cwd=top).stdout

    with Helper(place, top) as h:
        for name, more in (("recorded", [f"ledger {top}/ledger", "agent tester"]), ("silent", ["agent tester"])):
            cell = h.cell(*sh("exit 0", name), more=more)
            read_to_end(cell.come)
            assert cell.why()[0] == "exited"
            cell.close()
    shown = entries()
    assert "tester" in shown and "silent" not in shown, shown[-2000:]
    assert "silent" not in place.run(place.ambit, "ledger", "show", "--json", cwd=top).stdout


def what_is_recorded_is_told_though_the_program_ended(place):
    top = place.fresh()
    write(f"{top}/read/one", "first\n")

    def begin():
        h = Helper(place, top)
        for name, code in (("goes-on", LOOP), ("is-dropped", "echo on; exec 0</dev/null; while :; do :; done")):
            cell = h.cell(*sh(code, name), more=[f"ledger {top}/ledger", f"agent {name}", f"grant read {top}/read"])
            cell.until()
        h.say(f"drop {cell.number}")  # and at once:
        return h.pid

    for number in (1, 2, 3):
        pid, helper = as_program(place, begin)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        wait_until(lambda: is_dead(helper), 40, lambda: "it goes on")
        shown = place.run(place.ambit, "ledger", "show", "--json", "--type", "result", "--ledger", f"{top}/ledger", cwd=top).stdout
        assert len(shown.splitlines()) == 2 * number, f"round {number}: {shown[-3000:]}"


def what_is_seen_of_a_cell_is_the_forms_word(place):
    top = place.fresh()
    write(f"{top}/read/one", "first\n")
    code = f"read x < {top}/read/one; read y < /etc/shadow; echo end"
    for observe, sees in ((None, False), ("full", True)):
        ledger = f"{top}/ledger-{observe}"
        with Helper(place, top) as h:
            cell = h.cell(*sh(code), more=[f"ledger {ledger}", f"grant read {top}/read", *([f"observe {observe}"] if observe else [])])
            assert cell.until() == "end", cell.why()
            os.close(cell.to)
            cell.why()
        shown = place.run(place.ambit, "ledger", "show", "--json", "--type", "effect", "--ledger", ledger, cwd=top).stdout
        assert ["/read/one" in shown, "/etc/shadow" in shown] == [sees, sees], shown[-3000:]
    with Helper(place, top) as h:
        try:
            h.cell(*sh("exit 0"), more=["observe everything"])
            assert False, "there is no such level"
        except Refused as problem:
            assert "observe" in str(problem), problem


MAPS = "$x = syscall(9, 0, 4096, 7, 0x22, -1, 0); print $x == -1 ? 'none' : 'mapped', qq(\\n);"  # mmap(2), to be written and executed


def no_program_makes_code_unless_it_is_granted(place):
    """Not even one that usually does, by its name."""
    need("perl")
    top = place.fresh()
    shutil.copy("/usr/bin/perl", f"{top}/node")
    os.chmod(f"{top}/node", 0o755)
    for more, says in (([], "none"), (["grant jit"], "mapped")):
        with Helper(place, top) as h:
            cell = h.cell(f"{top}/node", *perl(MAPS)[1:], more=more)
            assert cell.until() == says, (more, cell.why())


def a_program_that_is_changed_brings_its_new_libraries(place):
    """What is kept of a program is kept as long as it is the same."""
    need("perl")
    top = place.fresh()
    program = f"{top}/program"
    with Helper(place, top) as h:
        for source, argv, said in (("/bin/cat", (program, "/proc/self/comm"), "program"), ("/usr/bin/perl", (program, "-e", "print qq(perl\\n)"), "perl"),
                                   ("/bin/cat", (program, "/proc/self/comm"), "program")):
            with open(source, "rb") as one, open(f"{program}.new", "wb") as other:
                other.write(one.read())
            os.chmod(f"{program}.new", 0o755)
            os.rename(f"{program}.new", program)
            form = h.form(*argv)
            for _ in range(2):
                cell = h.take(form)
                assert cell.until() == said, cell.why()
                cell.close()


def node_runs_in_one(place):
    need("node")
    code = 'const fs=require("fs");const fd=fs.openSync("/proc/self/fd/0","r");fs.writeSync(2,".");const b=Buffer.alloc(99);for(;;){const n=fs.readSync(fd,b,0,99,null);if(n===0)process.exit(7);fs.writeSync(1,b,0,n)}'
    node = os.path.realpath("/usr/bin/node") if os.path.exists("/usr/bin/node") else None
    if node is None:
        return
    with Helper(place, place.fresh()) as h:
        cell = h.cell(node, "--jitless", "-e", code, more=["limit memory=512M"])
        cell.write(b"1+1\n")
        assert cell.until() == "1+1"
        os.close(cell.to)
        read_to_end(cell.come)
        assert cell.why()[:2] == ["exited", "exit 7"], cell.why()


main([a_cell_is_taken_and_answers, cells_wait_where_a_form_says_so, an_endless_loop_ends_in_time, a_supervisor_that_was_stopped_keeps_no_cell, what_is_disarmed_goes_on, why_says_how_it_ended, what_is_dropped_is_gone,
      with_the_program_everything_ends, with_the_helper_all_cells_end, a_cell_has_its_own_descriptors_alone, the_helper_keeps_nothing_of_the_program,
      a_cell_opens_its_own_pipes_anew_and_gets_nothing_but_its_own, a_cell_that_makes_its_pipes_its_own_holds_up_nobody, what_is_malformed_ends_it, so_many_forms_and_not_one_more,
      so_many_cells_and_not_one_more, a_program_that_does_not_read_holds_up_no_time, many_cells_that_are_wanted_at_once_hold_up_no_time, what_rings_all_the_time_costs_little, what_is_granted_to_nobody_is_not_there, grants_are_had,
      what_is_to_be_recorded_is, what_is_recorded_is_told_though_the_program_ended, what_is_seen_of_a_cell_is_the_forms_word, no_program_makes_code_unless_it_is_granted, a_program_that_is_changed_brings_its_new_libraries, node_runs_in_one])
