#!/usr/bin/env python3
"""`ambit ledger show` by the index of a log, and without it: the same, whatever is asked and whatever lies there as an index.

usage: ledger_index.py AMBIT WRITE_LOG LOOK_AROUND FALSE_INDEX    (TAP on standard output; as root once more as an ordinary user)
"""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import time

from harness import SLOW, Skip, main, once, sanitized, told
from ledger_audit import NAME, Ledger

TYPES = ("start", "stop", "effect", "result", "commit", "decision", "request", "grant", "prune")
MANY = 6000  # more than are read one by one behind an index
NAMED = 16384  # numbers that an index gives at most
SOAK = int(os.environ.get("AMBIT_SOAK", "1"))


class Indexed(Ledger):
    """One whose entries are looked up."""

    def __init__(self, place):
        super().__init__(place)
        self.index = f"{self.dir}/index"
        self.file = f"{self.index}/index.sqlite"

    def show(self, *words, status=0):
        done = self.run("show", *words)
        assert done.returncode == status, told(done)
        return done.stdout

    def same(self, *words):
        """By the index as without it."""
        plain = self.show(*words, "--no-index")
        by_index = self.show(*words)
        assert by_index == plain, (words, len(by_index.splitlines()), len(plain.splitlines()))
        return plain.splitlines()

    def stamp(self):
        """As if what lies there were ours, so that the role sees it."""
        st = os.lstat(self.file)
        with open(f"{self.index}/stamp", "w", encoding="ascii") as file:
            file.write(f"{st.st_ino} {st.st_size} {st.st_ctime_ns // 10 ** 9}.{st.st_ctime_ns % 10 ** 9:09}\n")

    def said(self, *words):
        """What became of the index."""
        done = self.run("show", "--verbose", *(words or ("--denied",)))
        assert done.returncode == 0, told(done)
        return done.stderr


def made(place, n=MANY, *words):
    ledger = Indexed(place).write(n, *words)
    assert "was brought up to date" in ledger.said(), ledger.said()
    return ledger


# ---- the same ----


@once
def each_filter_gives_the_same(place):
    for words in (("left=40",), ("events", "mixed=7")):
        ledger = made(place, MANY, *words)
        lines = [json.loads(line) for line in ledger.show("--json").splitlines()]
        events = [entry["event"] for entry in lines if entry["event"]]
        grants = [entry["grant"] for entry in lines if entry["grant"]]
        middle = lines[len(lines) // 2]["t_wall"]
        assert len(ledger.same()) == len(lines)
        for filters in (["--denied"], ["--event", events[7]], ["--event", events[-1]], ["--event", "last"], ["--since", middle], ["--until", middle],
                        ["--since", middle, "--until", middle], ["--limit", "1"], ["--limit", "41"], ["--limit", str(len(lines) * 2)],
                        ["--denied", "--limit", "3", "--until", middle]):
            found = ledger.same(*filters)
            assert (found == []) == (filters == ["--since", middle, "--until", middle]), filters
            assert ledger.same("--json", *filters) == [line for line in ledger.show("--json", *filters).splitlines()], filters
        for kind in TYPES:
            want = [entry["seq"] for entry in lines if entry["type"] == kind]
            assert [json.loads(line)["seq"] for line in ledger.same("--json", "--type", kind)] == want, kind
        for grant in grants[:2]:
            want = [entry["seq"] for entry in lines if entry["grant"] == grant]
            assert [json.loads(line)["seq"] for line in ledger.same("--json", "--grant", grant)] == want, grant
            assert len(ledger.same("--grant", grant[:12])) >= len(want)
        # the beginning of an event's id, where the last entry of such an event is not the one that is wanted
        of = [entry for entry in lines if entry["event"] == events[7]]
        beginning = next(events[7][:n] for n in range(3, 29) if {event for event in events if event.startswith(events[7][:n])} == {events[7]})
        other = next(entry["type"] for entry in of if entry["type"] != of[-1]["type"])
        assert len(ledger.same("--event", beginning, "--type", other, "--limit", "1")) == 1
        by_index, plain = (ledger.run("show", "--event", "e_0", "--limit", "1", *more) for more in ([], ["--no-index"]))
        assert "begins more than one event" in plain.stderr and (by_index.returncode, by_index.stderr) == (plain.returncode, plain.stderr), told(by_index)
        assert ledger.show("--limit", "5") == "".join(ledger.show().splitlines(keepends=True)[-5:])


@once
def random_questions_give_the_same(place):
    """Of a clock that was set back, too."""
    seed = int(os.environ.get("AMBIT_SEED") or random.SystemRandom().randrange(1 << 30))
    print(f"# AMBIT_SEED={seed}", flush=True)
    chosen = random.Random(seed)
    ledger = made(place, MANY, "left=9", f"back={chosen.randrange(MANY)}")
    lines = [json.loads(line) for line in ledger.show("--json").splitlines()]
    for _ in range((12 if sanitized(place.ambit) else 40) * SOAK):
        words, of = [], chosen.choice(lines)
        if chosen.random() < 0.4:
            words += ["--event", of["event"] if chosen.random() < 0.7 else of["event"][:chosen.randrange(4, 28)]]
        if chosen.random() < 0.4:
            words += ["--type", chosen.choice([of["type"], *TYPES])]
        if chosen.random() < 0.3:
            words += ["--since", of["t_wall"]]
        if chosen.random() < 0.3:
            words += ["--until", chosen.choice(lines)["t_wall"]]
        if chosen.random() < 0.2:
            words += ["--denied"]
        if chosen.random() < 0.4:
            words += ["--limit", str(chosen.randrange(1, 50))]
        by_index, plain = ledger.run("show", *words), ledger.run("show", *words, "--no-index")
        assert (by_index.returncode, by_index.stdout, by_index.stderr) == (plain.returncode, plain.stdout, plain.stderr), (words, told(by_index), told(plain))


def it_grows_with_the_log(place):
    ledger = made(place)
    one = os.stat(ledger.file)
    ledger.write(500)
    ledger.same("--denied")  # those behind it are few: they are read
    assert os.stat(ledger.file).st_ino == one.st_ino
    behind = json.loads(ledger.show("--limit", "1", "--json"))["event"]
    assert ledger.same("--event", behind[:19])  # an event that the index does not know
    ledger.write(MANY)
    assert "was brought up to date" in ledger.said()
    assert os.stat(ledger.file).st_ino != one.st_ino and sorted(os.listdir(ledger.index)) == ["index.sqlite", "stamp"]
    assert len(ledger.same("--denied")) == (2 * MANY + 500) // 6
    assert ledger.said() == ""  # there is nothing to tell


def a_short_log_needs_none(place):
    ledger = Indexed(place).write(200)
    assert ledger.same("--denied") and os.listdir(ledger.index) == []
    assert ledger.show("--event", "last") and "--limit takes" in ledger.run("show", "--limit", "0").stderr
    for word in ("g", "e_0", "g_", "x_01"):
        assert "is no grant" in ledger.run("show", "--grant", word).stderr, word


@once
def more_than_are_named(place):
    """What does not go into one answer is read behind it."""
    ledger = made(place, NAMED + MANY)
    lines = [json.loads(line) for line in ledger.show("--json", "--no-index").splitlines()]
    assert ledger.said("--since", lines[0]["t_wall"]) == ""
    for n in (NAMED - 1, NAMED, NAMED + 1):
        assert len(ledger.same("--until", lines[n]["t_wall"])) == n
        assert len(ledger.same("--limit", str(n))) == n
    assert len(ledger.same("--since", lines[0]["t_wall"])) == len(lines)


# ---- what lies there as an index ----


def hostile_files(good):
    """(name, bytes or None: not to be made so)"""
    def changed(how):
        path = good + ".other"
        shutil.copy(good, path)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            how(db)
        with open(path, "rb") as file:
            data = file.read()
        os.unlink(path)
        return data

    with open(good, "rb") as file:
        data = file.read()
    yield "nothing", b""
    yield "noise", os.urandom(9000)
    yield "a page", data[:4096]
    yield "all but a page", data[:-4096]
    yield "another size of page", data[:16] + b"\x08\x00" + data[18:]
    yield "a view", changed(lambda db: db.execute("CREATE VIEW v AS SELECT * FROM entry"))
    yield "a trigger", changed(lambda db: db.execute("CREATE TRIGGER t AFTER DELETE ON log BEGIN DELETE FROM entry; END"))
    yield "another table", changed(lambda db: db.execute("CREATE TABLE more(x)"))
    yield "no state", changed(lambda db: db.execute("DELETE FROM log"))
    yield "two states", changed(lambda db: db.execute("INSERT INTO log SELECT * FROM log"))
    yield "more entries than there are", changed(lambda db: db.execute("UPDATE log SET size = size + 1"))
    yield "fewer than none", changed(lambda db: db.execute("UPDATE log SET size = -1"))
    yield "another root", changed(lambda db: db.execute("UPDATE log SET root = zeroblob(32)"))
    yield "text for a root", changed(lambda db: db.execute("UPDATE log SET root = 'x'"))
    yield "a log of changes", data[:18] + b"\x02\x02" + data[20:]


@once
def what_is_no_index_is_made_anew(place):
    ledger = made(place)
    want = ledger.show("--denied", "--no-index")
    keep = os.path.join(place.fresh(), "good")
    shutil.copy(ledger.file, keep)
    for name, data in hostile_files(keep):
        with open(ledger.file, "wb") as file:
            file.write(data)
        ledger.stamp()
        done = ledger.run("show", "--denied", "--verbose")
        assert done.returncode == 0 and done.stdout == want, (name, told(done))
        assert "was brought up to date" in done.stderr or name == "a log of changes", (name, told(done))
        assert ledger.said() == "", name
    ledger.write(MANY)  # and it grows, whatever its head said
    assert "was brought up to date" in ledger.said() and sorted(os.listdir(ledger.index)) == ["index.sqlite", "stamp"]
    want = ledger.show("--denied", "--no-index")
    assert ledger.show("--denied") == want
    for how in (lambda: os.symlink(keep, ledger.file), lambda: os.mkfifo(ledger.file), lambda: os.mkdir(ledger.file)):
        os.unlink(ledger.file)
        how()
        ledger.stamp()
        assert ledger.show("--denied") == want
        if os.path.isdir(ledger.file) and not os.path.islink(ledger.file):
            os.rmdir(ledger.file)
            ledger.show("--denied")
    assert os.path.isfile(ledger.file) and not os.path.islink(ledger.file)


def an_index_can_add_and_change_nothing(place):
    """Whoever wrote to it: what is shown is in the log, and is what was asked for."""
    ledger = made(place)
    lines = ledger.show("--denied", "--no-index").splitlines()
    keep = os.path.join(place.fresh(), "good")
    shutil.copy(ledger.file, keep)
    for sql in ("UPDATE entry SET denied = 1", "UPDATE entry SET seq = seq + 1000000", "UPDATE entry SET event = 1", "DELETE FROM entry WHERE seq % 2 = 0",
                "INSERT INTO entry VALUES(-5, 0, 0, 1, 1, 1)", "INSERT INTO entry VALUES(99999, 0, 0, 1, 1, 1)", "UPDATE entry SET wall = 0"):
        shutil.copy(keep, ledger.file)
        with contextlib.closing(sqlite3.connect(ledger.file, isolation_level=None)) as db:
            with contextlib.suppress(sqlite3.IntegrityError):
                db.execute(sql)
        ledger.stamp()
        done = ledger.run("show", "--denied")
        assert done.returncode == 0 and set(done.stdout.splitlines()) <= set(lines), (sql, told(done))
    chosen = random.Random(int(os.environ.get("AMBIT_SEED", "3")))
    with open(keep, "rb") as file:
        data = bytearray(file.read())
    for turn in range((5 if sanitized(place.ambit) else 20) * SOAK):
        changed = bytearray(data)
        for _ in range(chosen.choice([1, 10, 1000])):
            changed[chosen.randrange(len(changed))] ^= 1 << chosen.randrange(8)
        with open(ledger.file, "wb") as file:
            file.write(changed)
        ledger.stamp()
        done = ledger.run("show", "--denied")
        assert done.returncode == 0 and set(done.stdout.splitlines()) <= set(lines), (turn, told(done))
        assert ledger.show("--denied", "--no-index").splitlines() == lines


def one_that_somebody_changed_is_made_anew(place):
    """Though it has the form of one, and hides entries."""
    ledger = made(place)
    stamp = f"{ledger.index}/stamp"
    want = ledger.show("--denied", "--no-index")

    def emptied():
        with contextlib.closing(sqlite3.connect(ledger.file, isolation_level=None)) as db:
            db.execute("DELETE FROM entry")

    def put_there():
        emptied()
        os.rename(ledger.file, ledger.file + ".other")
        shutil.copy2(ledger.file + ".other", ledger.file)
        os.unlink(ledger.file + ".other")

    def with_its_times():
        st = os.stat(ledger.file)
        emptied()
        os.truncate(ledger.file, st.st_size)
        os.utime(ledger.file, ns=(st.st_atime_ns, st.st_mtime_ns))

    def unstamped(how=lambda: None):
        os.unlink(stamp)
        emptied()
        how()

    for how in (emptied, put_there, with_its_times, unstamped, lambda: unstamped(lambda: os.symlink("/dev/zero", stamp)),
                lambda: unstamped(lambda: os.mkfifo(stamp)), lambda: os.utime(ledger.file)):
        how()
        done = ledger.run("show", "--denied", "--verbose")
        assert done.returncode == 0 and done.stdout == want, told(done)
        assert "it was changed by somebody else" in done.stderr and "was brought up to date" in done.stderr, told(done)
        assert ledger.said() == "" and sorted(os.listdir(ledger.index)) == ["index.sqlite", "stamp"] and os.path.isfile(stamp)
    emptied()
    ledger.stamp()
    assert ledger.show("--denied") == "" and ledger.said() == ""  # and this is what it would have been


def of_another_log_or_an_older_state(place):
    ledger, other = made(place), made(place, MANY + 100, "salt=other")
    shutil.copy(other.file, ledger.file)
    ledger.stamp()
    assert "of another log" in ledger.said()
    ledger.same("--denied")
    shutil.rmtree(ledger.log)  # a log of the same name and key, which went another way
    ledger.write(MANY, "salt=changed")
    assert "of another log" in ledger.said()
    assert len(ledger.same("--denied")) == MANY // 6


def a_damaged_log_is_shown_without(place):
    ledger = made(place)
    ledger.change("tile/entries/003", lambda data: data[:100])
    os.unlink(ledger.file)
    done = ledger.run("show", "--denied", "--verbose")
    assert done.returncode == 1 and "cannot be read" in done.stderr and "could not be read" in done.stderr, told(done)
    assert not os.path.exists(ledger.file)
    ledger = made(place)
    ledger.change("checkpoint", lambda data: data[:-10] + b"AAAAAAAAA\n")
    assert ledger.run("show", "--denied").returncode == 1  # and nothing is looked up in a log that nobody signed


# ---- where it cannot be kept ----


def where_it_cannot_be_written(place):
    ledger = Indexed(place).write(MANY)
    want = ledger.show("--denied", "--no-index")
    with open(ledger.index, "wb"):
        pass
    assert ledger.show("--denied") == want and "directory cannot be opened" in ledger.said()
    os.unlink(ledger.index)
    os.symlink(place.fresh(), ledger.index)
    assert ledger.show("--denied") == want and "directory cannot be opened" in ledger.said()
    os.unlink(ledger.index)
    os.mkdir(ledger.index)
    os.chmod(ledger.index, 0o755)
    assert ledger.show("--denied") == want and "others can look into it" in ledger.said() and os.listdir(ledger.index) == []
    os.chmod(ledger.index, 0o700)
    with open(ledger.index + "/index.sqlite", "wb"):
        pass
    if os.geteuid() != 0:  # whom no mode stops
        os.chmod(ledger.index, 0o500)
        assert ledger.show("--denied") == want and "cannot be written" in ledger.said()
        os.chmod(ledger.index, 0o700)
    assert "was brought up to date" in ledger.said()


def a_full_disk_leaves_what_was_there(place):
    if os.geteuid() != 0:
        raise Skip("only root may mount a small file system")
    ledger = Indexed(place).write(MANY)
    want = ledger.show("--denied", "--no-index")
    os.mkdir(ledger.index, 0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "small", ledger.index], check=True)
    try:
        done = ledger.run("show", "--denied", "--verbose")
        assert done.returncode == 0 and done.stdout == want and "could not be made" in done.stderr, told(done)
        assert os.listdir(ledger.index) == []
    finally:
        subprocess.run(["umount", "-l", ledger.index], check=True)
    assert "was brought up to date" in ledger.said()


@once
def killed_while_it_is_made(place):
    ledger = Indexed(place).write(MANY * 3)
    want = ledger.show("--denied", "--no-index")
    started = time.monotonic()
    ledger.show("--denied")
    took = time.monotonic() - started
    for turn in range((4 if sanitized(place.ambit) else 15) * SOAK):
        os.path.exists(ledger.file) and os.unlink(ledger.file)
        with subprocess.Popen([place.ambit, "ledger", "show", "--denied", "--ledger", ledger.dir], env=place.environment(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(random.random() * took)
            process.send_signal(signal.SIGKILL)
        if turn % 3 == 0:
            assert ledger.show("--denied") == want, turn
    assert ledger.show("--denied") == want
    assert ledger.said() == "" and "index.sqlite" in os.listdir(ledger.index)


def two_at_once(place):
    """One makes it; the other goes without, or by the one that is there."""
    ledger = Indexed(place).write(MANY * 2)
    want = ledger.show("--denied", "--no-index")
    for _ in range(2):
        running = [subprocess.Popen([place.ambit, "ledger", "show", "--denied", "--ledger", ledger.dir], env=place.environment(), text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(5)]
        for process in running:
            out, err = process.communicate(timeout=60 * SLOW)
            assert process.returncode == 0 and out == want, err
        ledger.write(MANY)
        want = ledger.show("--denied", "--no-index")
    assert sorted(os.listdir(ledger.index)) == ["index.sqlite", "stamp"]


# ---- several logs ----


def several_are_put_in_order(place):
    one, two = Indexed(place).write(90, "left=5"), Indexed(place).write(60, name=NAME + "2")
    words = ["--ledger", two.dir]
    lines = one.show(*words).splitlines()  # --ledger ONE is what run() adds, behind
    assert len(lines) == 150 and {line.split("  ")[0] for line in lines} == {one.dir, two.dir}
    entries = [json.loads(line) for line in one.show(*words, "--json").splitlines()]
    assert [set(entry) for entry in entries] == [{"entry", "ledger"}] * 150
    times = [entry["entry"]["t_wall"] for entry in entries]
    assert times == sorted(times)
    for ledger in (one, two):
        assert [e["entry"] for e in entries if e["ledger"] == ledger.dir] == [json.loads(line) for line in ledger.show("--json").splitlines()]
    assert one.show(*words, "--limit", "7").splitlines() == lines[-7:]
    assert one.show(*words, "--denied").splitlines() == [line for line in lines if '"denied"' in line or "verdict=denied" in line]
    assert len(one.show("--ledger", one.dir).splitlines()) == 180  # as often as it is named


def one_that_is_broken_hides_no_other(place):
    one, two = Indexed(place).write(90), Indexed(place).write(60, "junk=30", name=NAME + "2")
    done = one.run("show", "--ledger", two.dir, "--ledger", "/nowhere")
    assert done.returncode == 125 and "/nowhere" in done.stderr and two.dir in done.stderr, told(done)
    assert len(done.stdout.splitlines()) == 150
    done = one.run("show", "--ledger", two.dir)
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 150, told(done)
    done = one.run("verify", "--ledger", two.dir)
    assert done.returncode == 125 and "looks at one ledger" in done.stderr, told(done)


def hostile_names_move_no_terminal(place):
    one, two = Indexed(place).write(12, "hostile"), Indexed(place).write(12, "hostile", name=NAME + "2")
    shown = one.show("--ledger", two.dir)
    assert "\x1b" not in shown and "\x07" not in shown and "\u202e" not in shown and "owned" in shown


# ---- the cell ----


def replaced(place, role, program):
    """Ours, with another program in the place of a role."""
    bin = os.path.join(place.fresh(), "bin")
    shutil.copytree(os.path.dirname(place.ambit), bin, ignore=lambda at, names: [name for name in names if os.path.isdir(os.path.join(at, name))])
    os.unlink(f"{bin}/{role}")
    shutil.copy(program, f"{bin}/{role}")
    return f"{bin}/ambit"


def the_role_sees_its_places(place):
    """Another program in the place of ambit-index, as one that was taken over, and of ambit-audit; outside it sees the host."""
    if sanitized(place.ambit):
        raise Skip("the roles of a sanitizer's build see the system")
    ledger = Indexed(place).write(20)
    probe = place.given(2)
    os.mkdir(ledger.index, 0o700)
    with open(f"{ledger.dir}/ledger.key", "w", encoding="ascii"), open(f"{ledger.index}/seen", "w", encoding="ascii"):
        pass
    for role, ours, writes in (("ambit-index", [ledger.log, ledger.index], {ledger.index}), ("ambit-audit", [ledger.log], set())):
        done = place.run(replaced(place, role, probe), "ledger", "show", "--denied", "--ledger", ledger.dir, "--no-pager", cwd=place.top)
        lines = done.stdout.splitlines()
        if role == "ambit-index":
            assert done.returncode == 0 and done.stdout == ledger.show("--denied", "--no-index"), told(done)  # what it says is not shown
            with open(f"{ledger.index}/seen", encoding="utf-8") as file:
                lines = file.read().splitlines()
        assert lines and lines[0] == "looks around", told(done)
        seen = [line[5:] for line in lines if line.startswith("sees ")]
        around = {path for path in seen if not any(path == top or path.startswith(top + "/") for top in ours)}
        assert around <= {"/parser", *ours}, sorted(around)
        assert f"{ledger.log}/checkpoint" in seen and f"{ledger.dir}/ledger.key" not in seen
        writable = {line[7:] for line in lines if line.startswith("writes ")}
        assert writable == writes, (role, writable)
        assert not any(line.startswith(("has", "starts")) for line in lines), lines
    os.unlink(f"{ledger.index}/seen")
    outside = place.run(probe, cwd=place.top, input=f"\0{ledger.log}\0").stdout.splitlines()
    assert "sees /etc/passwd" in outside and "starts a process" in outside and f"writes {ledger.dir}" in outside, outside[:20]
    assert f"sees {ledger.dir}/ledger.key" in outside
    if not any(line.startswith("has the interface") for line in outside):
        print("# no twin: this machine has no network")


def answer(size, numbers, event="", magic=b"ANU1", any=1, n=None):
    """As src/audit/numbers.h has it, if nothing else is said."""
    return magic + struct.pack("<IIQ32s", any, len(numbers) if n is None else n, size, event.encode()) + struct.pack(f"<{len(numbers)}Q", *numbers)


@once
def a_role_taken_over_adds_nothing(place):
    """Whatever it answers: what is shown is in the log, and was asked for, and where the answer is none all of that."""
    ledger = Indexed(place).write(NAMED + 40)
    lines = [json.loads(line) for line in ledger.show("--json", "--no-index").splitlines()]
    size, events = len(lines), [entry["event"] for entry in lines if entry["event"]]
    denied = [json.loads(line)["seq"] for line in ledger.show("--json", "--denied", "--no-index").splitlines()]
    others = [entry["seq"] for entry in lines if entry["seq"] not in set(denied)]
    few = denied[:3]  # each of these answers would hide what is behind them, if it were taken for one
    os.mkdir(ledger.index, 0o700)
    ambit = replaced(place, "ambit-index", place.given(3))

    def show(*words, complaint=b"", status="", **files):
        for name, data in {"complaint": complaint, "status": status.encode(), **files}.items():
            with open(f"{ledger.index}/{name}", "wb") as file:
                file.write(data)
        return place.run(ambit, "ledger", "show", *words, "--ledger", ledger.dir, "--no-pager", cwd=place.top)

    def is_none(name, data, *words, why="has another form", **more):
        words = words or ("--denied",)
        want = ledger.show(*words, "--no-index")
        done = show(*words, answer=data, **more)
        assert (done.returncode, done.stdout, done.stderr) == (0, want, ""), (name, told(done))
        done = show(*words, "--verbose", answer=data, **more)
        assert done.returncode == 0 and done.stdout == want and f"the index: not used: {why}" in done.stderr, (name, told(done))
        assert all(line.startswith("ambit: the index: ") for line in done.stderr.splitlines()), (name, told(done))

    form = "what ambit-index answers has another form"
    for name, data in (("nothing", b""), ("another magic", answer(size, few, magic=b"ANU2")), ("descending", answer(size, few[::-1])),
                       ("twice the same", answer(size, [few[0], *few])), ("behind what it speaks of", answer(few[-1], few)),
                       ("one behind its end", answer(size, few)[:-1]), ("one byte more", answer(size, few) + b"\0"),
                       ("fewer than are told", answer(size, few, n=4)), ("more than are told", answer(size, few, n=2)),
                       ("neither an index nor none", answer(size, few, any=2)), ("none, and numbers", answer(size, few, any=0)),
                       ("no event", answer(size, few, event="e_01")), ("a log that cannot be", answer(1 << 63, few)),
                       ("lines", ledger.show("--limit", "3", "--no-index").encode()), ("an entry", json.dumps(lines[0]).encode() + b"\n")):
        is_none(name, data, why=form)
    is_none("too many", answer(size, list(range(NAMED + 1))), why="more was found than is taken")
    is_none("far too many", b"x" * (4 << 20), why="more was found than is taken")
    is_none("a log that is longer", answer(size + 1, few), why="it speaks of more entries than there are")
    is_none("another event than the last", answer(size, [], event=events[0]), "--event", "last", why="it speaks of another event")
    is_none("one event of many", answer(size, few, event=events[0]), why="it speaks of another event")
    is_none("it refuses", answer(size, few), status="3", complaint=b"lies\n\n\n2\n", why="lies")
    is_none("it fails", answer(size, few), status="1", complaint=b"2026 denied\n\x1b[2J\n", why="2026 denied")
    is_none("it ends otherwise", answer(size, few), status="7", why="it ended with status 7")
    is_none("it dies", answer(size, few), status="kill", why="ambit-index did not survive")
    # answers that have the form: they hide, and change nothing
    want = ledger.show("--denied", "--no-index").splitlines(keepends=True)
    for name, data, shown in (("three", answer(size, few), want[:3]), ("all", answer(size, denied), want), ("others", answer(size, others[:99]), []),
                              ("both", answer(size, sorted(few + others[:99])), want[:3]), ("no index", answer(0, [], any=0), want),
                              ("the most", answer(size, list(range(NAMED))), want[:len([seq for seq in denied if seq < NAMED])]),
                              ("half", answer(few[2], few[:2]), want), ("none", answer(size, []), [])):
        done = show("--denied", "--verbose", answer=data)
        assert (done.returncode, done.stdout, done.stderr) == (0, "".join(shown), ""), (name, told(done))
    done = show("--denied", "--limit", "2", answer=answer(size, sorted(few + others[-99:])))
    assert (done.returncode, done.stdout, done.stderr) == (0, "".join(want[1:3]), ""), told(done)
    # what it says beside that is told to nobody who did not ask, and then as what it is
    done = show("--denied", answer=answer(size, few), complaint=b"# look here\nambit: all is well\n")
    assert (done.stdout, done.stderr) == ("".join(want[:3]), ""), told(done)
    done = show("--denied", "--verbose", answer=answer(size, few), complaint=b"# look\x1b[2J\n" * 5000)
    assert done.stdout == "".join(want[:3]) and set(done.stderr.splitlines()) == {"ambit: the index: look\\x1b[2J"}, told(done)
    assert len(done.stderr.splitlines()) <= 8
    # nor does it speak of a log that nobody signed
    ledger.change("checkpoint", lambda data: data[:-10] + b"AAAAAAAAA\n")
    done, plain = show("--denied", answer=answer(size, few)), ledger.run("show", "--denied", "--no-index")
    assert (done.returncode, done.stdout, done.stderr) == (1, plain.stdout, plain.stderr) and len(done.stdout.splitlines()) == len(want), told(done)


if __name__ == "__main__":
    main([each_filter_gives_the_same, random_questions_give_the_same, it_grows_with_the_log, a_short_log_needs_none, more_than_are_named, what_is_no_index_is_made_anew,
          an_index_can_add_and_change_nothing, one_that_somebody_changed_is_made_anew, of_another_log_or_an_older_state, a_damaged_log_is_shown_without, where_it_cannot_be_written,
          a_full_disk_leaves_what_was_there, killed_while_it_is_made, two_at_once, several_are_put_in_order, one_that_is_broken_hides_no_other,
          hostile_names_move_no_terminal, the_role_sees_its_places, a_role_taken_over_adds_nothing])
