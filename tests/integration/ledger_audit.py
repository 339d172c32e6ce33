#!/usr/bin/env python3
"""The ledger read by `ambit ledger`: what was signed is believed, and of what was changed it is said where.

usage: ledger_audit.py AMBIT WRITE_LOG    (TAP on standard output; as root once more as an ordinary user)
"""

import base64
import json
import os
import re
import shutil
import struct
import subprocess

from harness import ORDINARY, Terminal, main, once, sanitized, told

NAME = "ambit.test/audit"


def bundle(entries):
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def unbundle(data):
    entries = []
    while data:
        n = struct.unpack(">H", data[:2])[0]
        entries.append(data[2 : 2 + n])
        data = data[2 + n :]
    return entries


class Ledger:
    """A log of ours, in the directory of a ledger."""

    def __init__(self, place):
        self.place = place
        self.dir = os.path.join(place.fresh(), "ledger")
        self.log = os.path.join(self.dir, "log")
        os.mkdir(self.dir, 0o700)
        self.writer = place.given(1)
        self.key = None

    def write(self, n, *words, group=50, publish=1000, name=NAME, to=None):
        done = self.place.run(self.writer, to or self.log, name, str(n), str(group), str(publish), "entries", *words, cwd=self.place.top)
        assert done.returncode == 0, told(done)
        self.key = done.stdout.splitlines()[0]
        self.put("key.pub", (self.key + "\n").encode(), at=to)
        return self

    def path(self, name, at=None):
        return os.path.join(at or self.log, name)

    def get(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def put(self, name, data, at=None):
        with open(self.path(name, at), "wb") as file:
            file.write(data)

    def change(self, name, how):
        self.put(name, how(self.get(name)))

    def entries(self, name, how):
        """Changes the list of entries of a bundle."""
        self.change(name, lambda data: bundle(how(unbundle(data))))

    def save(self):
        """Its checkpoint, for later."""
        path = os.path.join(self.place.fresh(), "saved")
        shutil.copy(self.path("checkpoint"), path)
        return path

    def run(self, *words, **more):
        return self.place.run(self.place.ambit, "ledger", *words, "--ledger", self.dir, cwd=self.place.top, **more)

    def believed(self, *words, notes=0):
        done = self.run("verify", "--json", *words)
        assert done.returncode == 0, told(done)
        answer = json.loads(done.stdout)
        assert answer["verified"] and answer["faults"] == [] and answer["intact"] == answer["size"], answer
        assert notes is None or len(answer["notes"]) == notes, answer["notes"]
        return answer

    def refused(self, *words, entry=None, file=None, why, faults=1):
        """The first fault is this one; there are so many."""
        done = self.run("verify", "--json", *words)
        assert done.returncode == 1, told(done)
        answer = json.loads(done.stdout)
        first = answer["faults"][0]
        assert not answer["verified"] and (first["entry"], first["file"]) == (entry, file), answer["faults"]
        assert re.search(why, first["why"]), first
        assert faults is None or len(answer["faults"]) == faults, answer["faults"]
        plain = self.run("verify", *words)
        where = f"entry {entry}" if entry is not None else file
        assert plain.returncode == 1 and "NOT verified" in plain.stdout and (where is None or where in plain.stdout), told(plain)
        return answer


def flip(at, bit=1):
    return lambda data: data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


# ---- verify ----


@once
def logs_of_all_sizes_are_believed(place):
    for size in (0, 1, 2, 255, 256, 257, 600, 65536, 65537, 66000):
        log = Ledger(place).write(size, group=500, publish=20)
        assert log.believed()["size"] == size
        log.believed("--key", log.key, "--from", log.path("checkpoint"))


def the_trust_in_the_key_is_told(place):
    log = Ledger(place).write(10)
    beside = log.run("verify")
    assert beside.returncode == 0 and f"trusted the key found beside the log" in beside.stdout and f"--key {log.key}" in beside.stdout, told(beside)
    pinned = log.run("verify", "--key", log.key)
    assert pinned.returncode == 0 and "trusted" not in pinned.stdout and "verified: 10 entries of ambit.test/audit, 2026-" in pinned.stdout, told(pinned)
    assert not log.believed()["key"]["given"] and log.believed("--key", log.key)["key"] == {"vkey": log.key, "given": True}


def an_entry_in_which_one_bit_was_changed_is_named(place):
    for size, index in ((600, 300), (600, 599), (257, 256), (5, 0)):
        log = Ledger(place).write(size)
        width = min(256, size - index // 256 * 256)
        name = f"tile/entries/{index // 256:03}" + (f".p/{width}" if width < 256 else "")
        log.entries(name, lambda e: [flip(40)(x) if i == index % 256 else x for i, x in enumerate(e)])
        answer = log.refused(entry=index, file=name, why="not what was signed")
        assert answer["intact"] == size - 1, answer


def entries_that_are_missing_moved_or_doubled_are_named(place):
    name = "tile/entries/001"
    for how, faults in (
        (lambda e: e[:10] + e[11:], [(266, "is missing$")]),
        (lambda e: e[:10] + e[14:], [(266, "missing, and so are those up to 269")]),
        (lambda e: e[:10] + [e[11], e[10]] + e[12:], [(266, "entry 267 stands in its place"), (267, "entry 266 stands")]),
        (lambda e: e[:10] + [e[9]] + e[10:], [(266, "before it stands entry 265 once more")]),
        (lambda e: e[:10] + [e[3]] + e[11:], [(266, "entry 259 stands in its place")]),
        (lambda e: e[:10] + [b'{"x":1}'] + e[10:], [(266, "before it stands one that nobody signed")]),
        (lambda e: e + [e[0]], [(512, "before it stands entry 256 once more")]),
        (lambda e: e[:200], [(456, "missing, and so are those up to 511")]),
        (lambda e: [], [(256, "missing, and so are those up to 511")]),
        (lambda e: [b"{}"] * 256, [(256, r"none of its entries \(256 to 511\)")]),
    ):
        log = Ledger(place).write(600)
        log.entries(name, how)
        answer = log.refused(entry=faults[0][0], file=name, why=faults[0][1], faults=len(faults))
        for fault, (entry, why) in zip(answer["faults"], faults):
            assert fault["entry"] == entry and re.search(why, fault["why"]), answer["faults"]


def a_bundle_with_something_behind_it_is_named(place):
    log = Ledger(place).write(600)
    log.change("tile/entries/000", lambda data: data + b"\x01")
    log.refused(file="tile/entries/000", why="behind entry 255")


def files_that_are_cut_or_gone_are_named(place):
    files = ["tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/88", "checkpoint"]
    for name in files:
        for cut in (0, 1, 31, 32, -33, -1):
            log = Ledger(place).write(600)
            log.change(name, lambda data: data[:cut])
            done = log.run("verify")
            assert done.returncode == 1 and (name in done.stdout), (name, cut, told(done))
        os.unlink(log.path(name))
        done = log.run("verify")
        assert done.returncode == 1 and f"{name}" in done.stdout and "missing" in done.stdout, told(done)
    log = Ledger(place).write(600)
    os.unlink(log.path("tile/0/000"))
    os.symlink(log.path("tile/0/001"), log.path("tile/0/000"))
    log.refused(file="tile/0/000", why="not a regular file")


@once
def a_tile_that_was_changed_hides_nothing_else(place):
    """It is put right from what is beneath it, at each height and at the edge."""
    for size, name, at in ((600, "tile/0/001", 5), (600, "tile/0/002.p/88", 7), (600, "tile/1/000.p/2", 1), (66000, "tile/1/000", 250)):
        log = Ledger(place).write(size, group=500, publish=100)
        log.change(name, flip(32 * at + 3))
        answer = log.refused(file=name, why=f"it was changed: hash {at}, ")
        assert answer["intact"] == size, answer
        log.entries("tile/entries/000", lambda e: [flip(40)(x) if i == 77 else x for i, x in enumerate(e)])
        done = log.run("verify")
        assert done.returncode == 1 and name in done.stdout and (size == 66000 or "entry 77 (" in done.stdout), told(done)


def swapped_tiles_are_named(place):
    for a, b in (("tile/0/000", "tile/0/001"), ("tile/entries/000", "tile/entries/001")):
        log = Ledger(place).write(600)
        first, second = log.get(a), log.get(b)
        log.put(a, second)
        log.put(b, first)
        entry = 0 if "entries" in a else None
        answer = log.refused(entry=entry, file=a, why="none of its entries" if entry == 0 else "it was changed", faults=2)
        assert answer["faults"][1]["file"] == b, answer


def tiles_and_entries_that_were_changed_together_are_found(place):
    log, other = Ledger(place).write(600), Ledger(place).write(600, "salt=other")
    for name in ("tile/0/000", "tile/entries/000"):
        log.put(name, other.get(name))
    log.refused(file="tile/0/000", why="neither is what is beneath it: both were changed")
    for name in ("tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/88"):
        log.put(name, other.get(name))
    answer = log.refused(file="checkpoint", why="its root is not that of the tiles")
    assert answer["intact"] == 0, answer


def a_forged_signature_is_found(place):
    log = Ledger(place).write(600)
    lines = log.get("checkpoint").split(b"\n")
    name, signature = lines[-2].rsplit(b" ", 1)
    raw = bytearray(base64.b64decode(signature))
    raw[20] ^= 1
    lines[-2] = name + b" " + base64.b64encode(bytes(raw))
    log.put("checkpoint", b"\n".join(lines))
    log.refused(file="checkpoint", why="not signed by ambit.test/audit")
    log = Ledger(place).write(600)
    log.change("checkpoint", lambda data: data.replace(b"\n600\n", b"\n512\n"))
    log.refused(file="checkpoint", why="not signed", faults=None)
    log.change("checkpoint", lambda data: data.replace(b"\n512\n", b"\n9223372036854775807\n"))
    log.refused(file="checkpoint", why="not signed", faults=100)


def another_key_is_found(place):
    log, saved = Ledger(place).write(600), None
    key, saved = log.key, log.save()
    shutil.rmtree(log.log)
    log.write(600, name="ambit.test/other")
    assert log.believed()["origin"] == "ambit.test/other"  # who trusts what lies there sees nothing
    log.refused("--key", key, file="key.pub", why="another key than the one given", faults=2)
    log.refused("--from", saved, file=None, why="the saved checkpoint: .*the key was changed")
    log.put("key.pub", (key + "\n").encode())
    log.refused(file="checkpoint", why="not signed by ambit.test/audit")


def a_log_that_was_rolled_back_is_found(place):
    log = Ledger(place).write(300)
    before = os.path.join(place.fresh(), "before")
    shutil.copytree(log.log, before)
    log.write(500)
    saved = log.save()
    log.believed("--from", saved)
    shutil.rmtree(log.log)
    shutil.copytree(before, log.log)
    log.believed()  # it was signed once
    log.refused("--from", saved, file="checkpoint", why="300 entries, and the saved one 800: the log was rolled back")


def what_lies_behind_the_checkpoint_is_told(place):
    log = Ledger(place).write(300)
    old = {name: log.get(name) for name in ("checkpoint", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44")}
    log.write(500)
    for name, data in old.items():
        os.makedirs(os.path.dirname(log.path(name)), exist_ok=True)
        log.put(name, data)
    note = log.believed(notes=1)["notes"][0]
    assert note["file"] in ("tile/0/003.p/32", "tile/entries/003.p/32") and "at least 800 entries, and the checkpoint has 300: was the log rolled back?" in note["why"], note
    log.put("tile/stray", b"")
    os.makedirs(log.path("tile/0/x001/abc"))
    assert "2 files are there of no log" in str(log.believed(notes=2)["notes"]), log.believed(notes=2)


def a_rewritten_history_is_found_by_who_saved_a_checkpoint(place):
    """By somebody who has the key."""
    log = Ledger(place).write(400)
    saved = log.save()
    log.write(200)
    log.believed("--from", saved)
    shutil.rmtree(log.log)
    log.write(600, "salt=rewritten")
    log.believed()
    log.refused("--from", saved, file=None, why="first 400 entries are not those of the saved checkpoint: the log was rewritten")
    shutil.rmtree(log.log)
    log.write(400, "salt=rewritten")
    log.refused("--from", saved, file="checkpoint", why="as many entries and another root")


def what_is_signed_and_wrong_is_found(place):
    """The ledger's key in other hands than the ledger's."""
    log = Ledger(place).write(600, "junk=300")
    log.refused(entry=300, file="tile/entries/001", why="it is signed, and is no entry: ")
    log = Ledger(place).write(600, "number=301")
    log.refused(entry=301, file="tile/entries/001", why="it is signed, and says that it is entry 302")


def a_clock_that_was_set_back_is_told(place):
    log = Ledger(place).write(600, "back=400")
    assert "set back 1 time, first before entry 400" in log.believed(notes=1)["notes"][0]["why"]


def what_is_not_signed_yet_is_told(place):
    log = Ledger(place).write(600, "left=120")
    assert log.believed()["unsigned"] == 120
    whole = log.get("journal")
    log.put("journal", whole[:-1])
    answer = log.believed(notes=1)
    assert answer["unsigned"] == 100 and "torn by a crash" in answer["notes"][0]["why"], answer
    log.put("journal", flip(30)(whole))
    answer = log.believed(notes=1)
    assert answer["unsigned"] == 0 and "no group of entries that follows" in answer["notes"][0]["why"], answer
    os.unlink(log.path("journal"))
    assert log.believed()["unsigned"] == 0


def what_cannot_be_looked_at_is_no_verdict(place):
    log = Ledger(place)
    for setup, why in (
        (lambda: None, "there is no ledger in"),
        (lambda: os.mkdir(log.log), "there is no key beside the log"),
        (lambda: log.put("key.pub", b"nonsense\n"), "the key beside the log: byte"),
        (lambda: log.write(0) and (os.unlink(log.path("checkpoint")), os.unlink(log.path("journal"))), "there is no log in"),
    ):
        setup()
        done = log.run("verify")
        assert done.returncode == 125 and why in done.stderr and "hint:" in done.stderr or "byte" in why, told(done)
        answer = log.run("verify", "--json")
        assert answer.returncode == 125 and json.loads(answer.stdout)["error"]["message"], told(answer)
    done = place.run(place.ambit, "ledger", "show", "--ledger", "", cwd=place.top)
    assert done.returncode == 125 and "an empty path for the ledger" in done.stderr, told(done)
    log.write(10)
    done = log.run("verify", "--key", "x+y")
    assert done.returncode == 125 and "--key: byte" in done.stderr, told(done)
    done = log.run("verify", "--from", "/nowhere")
    assert done.returncode == 125 and "cannot read /nowhere" in done.stderr, told(done)


def root_looks_at_the_ledger_of_another(place):
    if os.geteuid() != 0:
        return  # there is nobody else's
    log = Ledger(place).write(300)
    for at, _, names in os.walk(log.dir):
        for path in (at, *(os.path.join(at, name) for name in names)):
            os.chown(path, ORDINARY, ORDINARY)
            os.chmod(path, 0o700 if path == at else 0o600)
    assert log.believed()["size"] == 300
    assert len(log.run("show").stdout.splitlines()) == 300


def a_log_that_grows_meanwhile_is_believed(place):
    log = Ledger(place).write(1)
    writer = subprocess.Popen([log.writer, log.log, NAME, "10000000", "20", "2", "entries"], cwd=place.top, stdout=subprocess.DEVNULL)
    try:
        # its journal may be anything at that moment
        sizes = [log.believed("--from", log.path("checkpoint"), notes=None)["size"] for _ in range(15)]
        shown = []
        for _ in range(5):
            done = log.run("show", "--json", "--type", "result")
            assert done.returncode == 0, told(done)
            shown.append(len(done.stdout.splitlines()))
    finally:
        writer.kill()
        writer.wait()
    assert sizes == sorted(sizes) and sizes[-1] > sizes[0] and shown == sorted(shown) and shown[-1] > 0, (sizes, shown)


# ---- show ----


def entries_are_shown(place):
    log = Ledger(place).write(600, "left=20")
    done = log.run("show")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == 600, told(done)
    assert re.fullmatch(r" +0  2026-09-21T14:13:20\.000Z  request     e_01M3250V0000  argv=\[\"make\",\"-j2\"\] n=0 salt=", lines[0]), lines[0]
    assert [bool(line.endswith("(not signed yet)")) for line in lines] == [False] * 580 + [True] * 20
    raw = log.run("show", "--json").stdout.encode().splitlines()
    signed = [e for name in ("tile/entries/000", "tile/entries/001", "tile/entries/002.p/68") for e in unbundle(log.get(name))]
    assert raw[:580] == signed and [json.loads(line)["seq"] for line in raw] == list(range(600))


def entries_are_chosen(place):
    log = Ledger(place).write(600, "left=20")
    rows = [json.loads(line) for line in log.run("show", "--json").stdout.splitlines()]
    events = sorted({row["event"] for row in rows})
    last, third = events[-1], events[2]

    def shows(wanted, *words):
        done = log.run("show", "--json", *words)
        assert done.returncode == 0, told(done)
        assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == [r["seq"] for r in rows if wanted(r)], words

    shows(lambda r: r["event"] == last, "--event", "last")
    shows(lambda r: r["event"] == third, "--event", third)
    shows(lambda r: r["event"] == third, "--event", third[:14])
    shows(lambda r: r["body"].get("verdict") == "denied", "--denied")
    shows(lambda r: r["type"] == "commit", "--type", "commit")
    shows(lambda r: r["t_wall"] >= "2026-09-21T14:20:00", "--since", "2026-09-21T14:20:00Z")
    shows(lambda r: r["t_wall"] >= "2026-09-21T14:20:00" and r["type"] == "result", "--since=2026-09-21T14:20:00.000Z", "--type=result")
    shows(lambda r: True, "--since", "2020-01-31")
    shows(lambda r: False, "--event", "last", "--type", "start")
    for words, why in (
        (("--event", "e_0"), "begins more than one event"),
        (("--event", "e_7ZZZZ"), "no event in the log begins with e_7ZZZZ"),
        (("--event", "x"), "'x' is no event"),
        (("--type", "starts"), "no entry is of the type"),
        (("--since", "yesterday"), "--since takes"),
        (("--nothing",), "no option '--nothing'"),
    ):
        done = log.run("show", *words)
        assert done.returncode == 125 and why in done.stderr and done.stdout == "", told(done)


def what_is_hostile_moves_no_terminal(place):
    log = Ledger(place).write(20, "hostile")
    done = log.run("show")
    assert done.returncode == 0 and r"\x1b]0;owned\x07\u{9b}2J\u{202e}" in done.stdout, told(done)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stdout), told(done)
    env = {**place.environment(), "PAGER": "cat"}
    for words in (("show",), ("show", "--json"), ("prove", "3")):
        with Terminal([place.ambit, "ledger", *words, "--ledger", log.dir], place.top, env) as terminal:
            assert terminal.end() == 0, terminal.seen
        assert b"\x1b" not in terminal.seen and b"\xc2\x9b" not in terminal.seen and b"\x07" not in terminal.seen, terminal.seen
    assert "\x9b2J" in log.run("show", "--json").stdout  # a program gets what is there


def what_cannot_be_shown_is_told(place):
    log = Ledger(place).write(600, "junk=300")
    done = log.run("show")
    assert done.returncode == 1 and "     300  (no entry: " in done.stdout and len(done.stdout.splitlines()) == 600, told(done)
    assert "1 of what was read, first at 300, is no entry" in done.stderr and "ambit ledger verify" in done.stderr, told(done)
    assert len(log.run("show", "--json").stdout.splitlines()) == 599
    os.unlink(log.path("tile/entries/001"))
    done = log.run("show")
    assert done.returncode == 1 and "256 entries, from 256 on, could not be read" in done.stderr and len(done.stdout.splitlines()) == 344, told(done)
    log.change("checkpoint", lambda data: data.replace(b"\n600\n", b"\n590\n"))
    done = log.run("show")
    assert done.returncode == 1 and "not what was signed" in done.stderr, told(done)


@once
def a_long_log_takes_little_memory_and_a_reader_may_go(place):
    log = Ledger(place).write(66000, group=500, publish=100)
    bound = "" if sanitized(place.ambit) else "ulimit -v 400000; "
    done = place.run("sh", "-c", bound + '"$0" ledger show --json --ledger "$1" | wc -l', place.ambit, log.dir, cwd=place.top)
    assert done.returncode == 0 and done.stdout.strip() == "66000" and done.stderr == "", told(done)
    done = place.run("sh", "-c", '{ "$0" ledger show --ledger "$1"; echo "status $?" >&2; } | head -1', place.ambit, log.dir, cwd=place.top)
    assert done.stderr == "status 0\n" and len(done.stdout.splitlines()) == 1, told(done)
    with Terminal(["/bin/sh", "-c", f'"{place.ambit}" ledger verify --ledger "{log.dir}" > /dev/null; echo "status $?"'], place.top, place.environment()) as terminal:
        terminal.until("status 0")
        terminal.end()


# ---- prove, check ----


def check(log, proof, *words, **more):
    return log.place.run(log.place.ambit, "ledger", "check", proof, *words, cwd=log.place.top, **more)


@once
def proofs_are_checked_where_there_is_no_log(place):
    for size in (1, 2, 256, 257, 600, 66000):
        log = Ledger(place).write(size, group=500, publish=100)
        for index in {0, size // 2, size - 1}:
            proof = os.path.join(place.fresh(), "event.tlog-proof")
            done = log.run("prove", str(index))
            assert done.returncode == 0 and done.stdout.startswith(f"c2sp.org/tlog-proof@v1\nextra "), told(done)
            with open(proof, "w", encoding="utf-8") as file:
                file.write(done.stdout)
            shown = check(log, proof, "--key", log.key)
            assert shown.returncode == 0 and f"proved: this is entry {index} of the {size} that ambit.test/audit has signed" in shown.stdout, told(shown)
            assert f"{index}  2026-" in shown.stdout, told(shown)
            assert json.loads(check(log, "-", "--key", log.key, "--json", input=done.stdout).stdout)["seq"] == index


def an_event_is_proved_by_its_result(place):
    log = Ledger(place).write(599, "left=10")
    rows = [json.loads(line) for line in log.run("show", "--json").stdout.splitlines()]

    def proved(word):
        done = log.run("prove", word)
        assert done.returncode == 0, told(done)
        return json.loads(check(log, "-", "--key", log.key, "--json", input=done.stdout).stdout)

    event = rows[100]["event"]
    assert proved(event) == proved(event[:14]) == next(r for r in rows if r["event"] == event and r["type"] == "result")
    cut = rows[588]["event"]  # its result is not signed
    assert proved(cut) == rows[588] and rows[589]["event"] == cut
    for word, why in (("last", "not signed yet"), ("598", "not signed yet"), ("599", "there is no entry 599, but 589 are signed"), ("e_0", "more than one"),
                      ("e_" + "7" * 26, "there is no entry of"), ("e_777", "begins with e_777"), ("abc", "no event")):
        done = log.run("prove", word)
        assert done.returncode == 125 and why in done.stderr and done.stdout == "", told(done)


def nothing_is_proved_that_is_not_signed(place):
    log = Ledger(place).write(600)
    log.entries("tile/entries/001", lambda e: [flip(40)(x) if i == 44 else x for i, x in enumerate(e)])
    done = log.run("prove", "300")
    assert done.returncode == 1 and done.stdout == "" and "entry 300 is not what was signed" in done.stderr, told(done)
    assert log.run("prove", "301").returncode == 0
    os.unlink(log.path("tile/entries/001"))
    done = log.run("prove", "301")
    assert done.returncode == 1 and "entry 301 cannot be read" in done.stderr, told(done)
    log.change("checkpoint", lambda data: data.replace(b"\n600\n", b"\n599\n"))
    done = log.run("prove", "3")
    assert done.returncode == 1 and "not signed by" in done.stderr and done.stdout == "", told(done)


def a_proof_that_was_changed_is_refused(place):
    log, other = Ledger(place).write(600), Ledger(place).write(5, name="ambit.test/other")
    proof = log.run("prove", "302").stdout
    lines = proof.split("\n")
    entry = base64.b64decode(lines[1].split()[1])
    forged = base64.b64encode(entry.replace(b"/srv/x", b"/srv/y").replace(b'"allowed"', b'"denied!"')).decode()
    hashes = lines[3:-6]

    def refused(text, why, status=1, key=log.key):
        done = check(log, "-", "--key", key, input=text)
        assert done.returncode == status and re.search(why, done.stderr) and done.stdout == "", (why, told(done))

    assert check(log, "-", "--key", log.key, input=proof).returncode == 0
    refused(proof.replace(lines[1], "extra " + forged), "not entry 302 of the signed log")
    refused(proof.replace("index 302", "index 301"), "not entry 301 of the signed log")
    refused(proof.replace(hashes[0] + "\n", ""), "not entry 302")
    refused(proof.replace(hashes[0], hashes[1]), "not entry 302")
    refused(proof.replace("\n600\n", "\n601\n"), "not signed by")
    refused(proof, "not signed by ambit.test/other", key=other.key)
    refused(proof.replace(lines[1] + "\n", ""), "does not have its entry", status=125)
    refused("nonsense", "no proof: it begins with")
    refused(proof, "--key: byte", status=125, key="nonsense")
    done = check(log, "-", input=proof)
    assert done.returncode == 125 and "--key" in done.stderr, told(done)


if __name__ == "__main__":
    main([
        logs_of_all_sizes_are_believed, the_trust_in_the_key_is_told, an_entry_in_which_one_bit_was_changed_is_named,
        entries_that_are_missing_moved_or_doubled_are_named, a_bundle_with_something_behind_it_is_named, files_that_are_cut_or_gone_are_named,
        a_tile_that_was_changed_hides_nothing_else, swapped_tiles_are_named, tiles_and_entries_that_were_changed_together_are_found,
        a_forged_signature_is_found, another_key_is_found, a_log_that_was_rolled_back_is_found, what_lies_behind_the_checkpoint_is_told,
        a_rewritten_history_is_found_by_who_saved_a_checkpoint, what_is_signed_and_wrong_is_found, a_clock_that_was_set_back_is_told,
        what_is_not_signed_yet_is_told, what_cannot_be_looked_at_is_no_verdict, root_looks_at_the_ledger_of_another,
        a_log_that_grows_meanwhile_is_believed, entries_are_shown,
        entries_are_chosen, what_is_hostile_moves_no_terminal, what_cannot_be_shown_is_told, a_long_log_takes_little_memory_and_a_reader_may_go,
        proofs_are_checked_where_there_is_no_log, an_event_is_proved_by_its_result, nothing_is_proved_that_is_not_signed, a_proof_that_was_changed_is_refused,
    ])
