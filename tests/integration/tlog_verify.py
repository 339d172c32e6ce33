#!/usr/bin/env python3
"""The verifier of logs that is not ours (tests/peers/tlog-verify): whom it believes, and that no lie gets past it.

usage: tlog_verify.py AMBIT    (TAP on standard output; as root once more as an ordinary user)

The logs are its own, so that nothing of src/ledger is needed; whether they are what the specifications say is computed here
once more, from RFC 6962 and c2sp.org/tlog-tiles in plain Python. Every lie is told in a log that is believed without it.
"""

import base64
import hashlib
import os
import re
import shutil

from harness import main, once, told
from peer import the_verifier_is_there, tlog_verify

NAME = "ambit.test/log"
SIZES = [0, 1, 2, 255, 256, 257, 65535, 65536, 65537, 70000]
LARGE = 70000  # tiles of three levels, full and partial ones


# ---- logs, as they lie in files ----


class Log:
    """A log of the verifier's making. A longer one of the same seed begins with the shorter one."""

    def __init__(self, place, size, seed="s", name=NAME):
        self.place, self.seed, self.name = place, seed, name
        self.dir = os.path.join(place.fresh(), "log")
        self.key = verify(place, "make", self.dir, name, str(size), seed).stdout.strip()

    def path(self, name):
        return os.path.join(self.dir, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)

    def text(self):
        """What of the checkpoint is signed."""
        return self.read("checkpoint").decode().split("\n\n")[0] + "\n"

    def sign(self, text, seed=None):
        done = self.place.run(tlog_verify(self.place), "sign", self.name, seed or self.seed, cwd=self.dir, input=text)
        assert done.returncode == 0, told(done)
        return done.stdout.encode()

    def check(self, *words, key=None):
        return self.place.run(tlog_verify(self.place), "check", self.dir, key or self.key, *words, cwd=self.dir)

    def believed(self, *words):
        done = self.check(*words)
        assert done.returncode == 0 and done.stdout.startswith("good: "), told(done)

    def refused(self, *said, old=None, key=None):
        expect_refused(self.check(*(["--old", old] if old else []), key=key), *said)


def verify(place, *words):
    done = place.run(tlog_verify(place), *words, cwd=place.top)
    assert done.returncode == 0, told(done)
    return done


def expect_refused(done, *said):
    """By its own judgement, in one line that has these words: not because it broke, or did not understand us."""
    assert done.returncode == 1 and done.stdout == "", told(done)
    assert re.fullmatch(r"tlog-verify: [^\n]+\n", done.stderr), told(done)
    for words in said:
        assert words in done.stderr, f"not {words!r}: {told(done)}"


class Lies:
    """Changes some files of a log, expects that to be told, and puts them back; at its end the log must be believed again."""

    def __init__(self, log):
        self.log = log

    def __enter__(self):
        self.log.believed()
        return self

    def __exit__(self, failure, *_):
        if failure is None:
            self.log.believed()

    def tell(self, files, *said, **more):
        """files: what is to be in them, None for nothing."""
        before = {name: self.log.read(name) for name in files if os.path.exists(self.log.path(name))}
        assert files != before, "no lie"
        for name, data in files.items():
            if data is None:
                os.unlink(self.log.path(name))
            else:
                self.log.write(name, data)
        try:
            self.log.refused(*said, **more)
        finally:
            for name in files:
                if name in before:
                    self.log.write(name, before[name])
                else:
                    os.unlink(self.log.path(name))


def flipped(data, at, bit=0):
    changed = bytearray(data)
    changed[at] ^= 1 << bit
    return bytes(changed)


def split(bundle):
    entries = []
    while bundle:
        end = 2 + int.from_bytes(bundle[:2], "big")
        entries.append(bundle[2:end])
        bundle = bundle[end:]
    return entries


def joined(entries):
    return b"".join(len(e).to_bytes(2, "big") + e for e in entries)


def number(n):
    text = f"{n % 1000:03}"
    while n >= 1000:
        n //= 1000
        text = f"x{n % 1000:03}/{text}"
    return text


def tile(level, n, size):
    """The name that tlog-tiles gives it: `level` is a number, or `entries`."""
    there = min(256, size // 256 ** (0 if level == "entries" else level) - n * 256)
    return f"tile/{level}/{number(n)}" + (f".p/{there}" if there < 256 else "")


def all_tiles(size):
    names = {tile("entries", n, size) for n in range((size + 255) // 256)}
    level = 0
    while size // 256**level > 0:
        names |= {tile(level, n, size) for n in range((size // 256**level + 255) // 256)}
        level += 1
    return names


def entry_of(log, index, size):
    return split(log.read(tile("entries", index // 256, size)))[index % 256]


def tree_hash(leaves):
    """RFC 6962, 2.1, from its words: the larger part is the largest power of two that is smaller than all."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256().digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


# ---- what is believed ----


@once
def logs_of_any_size_are_believed(place):
    for size in SIZES:
        log = Log(place, size)
        log.believed()
        there = {os.path.relpath(os.path.join(top, name), log.dir) for top, _, names in os.walk(log.dir) for name in names}
        assert there == all_tiles(size) | {"checkpoint"}, (size, there ^ all_tiles(size))
        entries = [e for n in range((size + 255) // 256) for e in split(log.read(tile("entries", n, size)))]
        root = tree_hash([hashlib.sha256(b"\0" + e).digest() for e in entries])
        assert log.text() == f"{NAME}\n{size}\n{base64.b64encode(root).decode()}\n", log.text()


def growth_is_believed(place):
    logs = {size: Log(place, size) for size in SIZES}
    for old in SIZES:
        for new in SIZES:
            if old <= new and (new <= 257 or new == LARGE):
                logs[new].believed("--old", logs[old].path("checkpoint"))


@once
def full_tiles_do_for_partial_ones(place):
    """A checkpoint put back, beside what has been written since: that is no lie by itself. What there is of both is looked at."""
    new = Log(place, LARGE)
    for size in (1, 256, 257, 65537):
        old = Log(place, size)
        latest = new.read("checkpoint")
        shutil.copytree(old.dir, new.dir, dirs_exist_ok=True)
        new.believed()
        newer = os.path.join(old.dir, "newer")
        with open(newer, "wb") as file:
            file.write(latest)
        new.refused(f"of {size} entries", f"of {LARGE}", "entries are gone", old=newer)
        for name in all_tiles(size):
            if ".p/" in name:
                with Lies(new) as lies:
                    lies.tell({name: flipped(new.read(name), -1)}, name)
                full = name.split(".p/")[0]
                if os.path.exists(new.path(full)):
                    os.unlink(new.path(name))  # either will do
        new.believed()
        new.write("checkpoint", latest)


@once
def other_signatures_beside_the_logs_are_passed_over(place):
    log, witness = Log(place, 257), Log(place, 1, seed="w", name="witness.test")
    signed = witness.sign(log.text()).splitlines(keepends=True)[-1]
    log.write("checkpoint", log.read("checkpoint") + signed)
    log.believed()


# ---- lies in files ----


@once
def a_bit_of_an_entry(place):
    for size in (1, 256, 257, LARGE):
        log = Log(place, size)
        with Lies(log) as lies:
            for index in {0, size // 2, size - 1}:
                name = tile("entries", index // 256, size)
                entries = split(log.read(name))
                for at in (0, len(entries[index % 256]) - 1):
                    changed = list(entries)
                    changed[index % 256] = flipped(entries[index % 256], at, bit=index % 8)
                    lies.tell({name: joined(changed)}, f"entry {index}:", tile(0, index // 256, size))


@once
def a_bit_of_a_tile(place):
    for size in (2, 256, 257, 65536, LARGE):
        log = Log(place, size)
        with Lies(log) as lies:
            for name in sorted(n for n in all_tiles(size) if not n.startswith("tile/entries/"))[:: 1 + size // 2000]:
                data = log.read(name)
                for at in {0, len(data) - 1}:
                    lies.tell({name: flipped(data, at, bit=at % 8)}, f"{name}: hash {at // 32} ")


@once
def tiles_that_changed_places(place):
    log = Log(place, LARGE)
    zero, one = (tile(0, n, LARGE) for n in (0, 1))
    with Lies(log) as lies:
        tiles = {zero: log.read(one), one: log.read(zero)}
        bundles = {name.replace("/0/", "/entries/"): log.read(other.replace("/0/", "/entries/")) for name, other in ((zero, one), (one, zero))}
        lies.tell(tiles, f"{zero}: hash 0 ")
        lies.tell(bundles, "entry 0:", zero)
        lies.tell({**tiles, **bundles}, "tile/1/000: hash 0 ")  # no file of these four is at odds with another
        top = log.read("tile/1/000")
        swapped = top[32:64] + top[:32] + top[64:]
        lies.tell({**tiles, **bundles, "tile/1/000": swapped}, "tile/2/000.p/1: hash 0 ")
        above = tree_hash([swapped[i : i + 32] for i in range(0, len(swapped), 32)])
        lies.tell({**tiles, **bundles, "tile/1/000": swapped, "tile/2/000.p/1": above}, "checkpoint:", f"root of the {LARGE} entries")


@once
def entries_that_are_gone_doubled_or_moved(place):
    for size in (257, LARGE):
        log = Log(place, size)
        with Lies(log) as lies:
            name = tile("entries", 0, size)
            entries = split(log.read(name))
            lies.tell({name: joined(entries[:7] + entries[8:])}, name, "255 entries, not 256")
            lies.tell({name: joined(entries[:8] + entries[7:])}, name, "257 entries, not 256")
            lies.tell({name: joined(entries[:7] + entries[8:] + entries[-1:])}, "entry 7:")
            lies.tell({name: joined(entries[:8] + [entries[7]] + entries[9:])}, "entry 8:")
            lies.tell({name: joined(entries[:7] + [entries[8], entries[7]] + entries[9:])}, "entry 7:")
            last = tile("entries", size // 256, size)
            entries = split(log.read(last))
            lies.tell({last: joined(entries[:-1])}, last, f"{size % 256 - 1} entries, not {size % 256}")
            lies.tell({last: joined(entries + entries[-1:])}, last, f"{size % 256 + 1} entries, not {size % 256}")


@once
def files_of_another_length(place):
    for size in (257, LARGE):
        log = Log(place, size)
        with Lies(log) as lies:
            for level in ("entries", 0, 1):
                for name in {tile(level, 0, size), tile(level, size // 256 ** (level + 1 if level != "entries" else 1), size)}:
                    data = log.read(name)
                    lies.tell({name: None}, name, "not there")
                    for changed in (b"", data[:-1], data[:-32], data + data[-32:]):
                        lies.tell({name: changed}, name)
            name = tile("entries", size // 256, size)  # a narrower one is of an older checkpoint
            narrower = re.sub(r"\d+$", str(size % 256 - 1), name)
            data = joined(split(log.read(name))[:-1])
            if size > 257:
                lies.tell({name: None, narrower: data}, name, "not there")


# ---- lies in checkpoints ----


@once
def a_signature_that_is_not(place):
    log = Log(place, 257)
    other, elsewhere = Log(place, 257, seed="other"), Log(place, 257, name="ambit.test/other")
    signed, text = log.read("checkpoint"), log.text()
    head, signature = signed.decode().split("\n\n")
    words = signature.split(" ")
    raw = base64.b64decode(words[2])

    def resigned(raw):
        return f"{head}\n\n{words[0]} {words[1]} {base64.b64encode(raw).decode()}\n".encode()

    assert resigned(raw) == signed
    root = base64.b64encode(flipped(base64.b64decode(text.splitlines()[2]), 5)).decode()
    with Lies(log) as lies:
        for at in range(4, len(raw)):
            lies.tell({"checkpoint": resigned(flipped(raw, at, bit=at % 8))}, "checkpoint: invalid signature")
        lies.tell({"checkpoint": resigned(flipped(raw, 0))}, "checkpoint: note has no verifiable signatures")
        lies.tell({"checkpoint": resigned(raw[:-1])}, "checkpoint: invalid signature")
        lies.tell({"checkpoint": resigned(raw) + resigned(flipped(raw, 9)).splitlines(keepends=True)[-1][:-8] + b"\n"}, "checkpoint: malformed")
        for was, now in ((b"\n257\n", b"\n256\n"), (text.splitlines()[2].encode(), root.encode()), (NAME.encode(), b"ambit.test/lag")):
            lies.tell({"checkpoint": signed.replace(was, now, 1)}, "checkpoint: invalid signature")
        lies.tell({"checkpoint": text.encode()}, "checkpoint: malformed note")
        lies.tell({"checkpoint": text.encode() + b"\n"}, "checkpoint: malformed note")
        lies.tell({"checkpoint": b""}, "checkpoint: malformed note")
        lies.tell({"checkpoint": None}, "checkpoint: no such file")
        lies.tell({"checkpoint": log.sign(text, seed="other")}, "checkpoint: note has no verifiable signatures")
    for key in (other.key, elsewhere.key):
        log.refused("checkpoint: note has no verifiable signatures", key=key)


@once
def what_is_signed_and_not_so(place):
    """The key is the log's: only the text is wrong."""
    size = LARGE
    log, other = Log(place, size), Log(place, size, seed="other")
    origin, _, root = log.text().splitlines()
    stray = root[:-2] + chr(ord(root[-2]) + 1) + "="  # the same hash, for who does not look at the last bits
    assert base64.b64decode(stray) == base64.b64decode(root)
    cases = [
        ((origin, size, other.text().splitlines()[2]), "entries, which is " + root),
        ((origin, size - 1, root), "not there"),
        ((origin, size + 1, root), "not there"),
        ((origin, 65536, root), "root of the 65536 entries"),  # whose tiles are all there, of the same widths
        ((origin, 0, root), "not that of no entries"),
        ((origin, 0, "A" * 43 + "="), "not that of no entries"),  # what the library says of no entries
        ((origin, f"0{size}", root), "size"), ((origin, f"+{size}", root), "size"), ((origin, -1, root), "size"), ((origin, "", root), "empty"),
        ((origin, 2**62, root), "size"), ((origin, 2**64 + size, root), "size"), ((origin, 2**62 - 1, root), "not there"),
        ((origin, size, stray), "root"), ((origin, size, root[:-1]), "root"), ((origin, size, root + " "), "root"),
        ((origin, size), "2 lines"), ((origin + "/x", size, root), f"{origin}/x"), ((origin, size, root, ""), "empty"),
        ((origin, size, root, "", "extension"), "empty"),
    ]
    with Lies(log) as lies:
        for lines, said in cases:
            lies.tell({"checkpoint": log.sign("".join(f"{line}\n" for line in lines))}, said)
        log.write("checkpoint", log.sign(log.text() + "extension\n"))  # allowed


@once
def a_history_that_was_rewritten(place):
    """Both are whole, and signed by the key: only together they are a lie."""
    mine, other = Log(place, 257), Log(place, LARGE, seed="other")
    other.write("checkpoint", mine.sign(other.text()))
    other.key = mine.key
    other.believed()
    other.refused("checkpoint:", f"{LARGE} entries do not begin with the 257", old=mine.path("checkpoint"))
    mine.refused("checkpoint:", "of 257 entries, though", "entries are gone", old=other.path("checkpoint"))
    same = Log(place, 257, seed="other")
    same.write("checkpoint", mine.sign(same.text()))
    same.key = mine.key
    same.believed()
    same.refused("257 entries do not begin with the 257", old=mine.path("checkpoint"))
    mine.refused("invalid signature", old=forged(mine))
    mine.refused("note has no verifiable signatures", old=Log(place, 1, seed="other").path("checkpoint"))
    mine.refused("no such file", old=mine.path("nothing"))


def forged(log):
    path = os.path.join(os.path.dirname(log.dir), "forged")
    with open(path, "wb") as file:
        file.write(log.read("checkpoint").replace(b"\n257\n", b"\n256\n"))
    return path


# ---- proofs ----


def proof_of(log, index):
    return verify(log.place, "prove", log.dir, log.key, str(index)).stdout


def judged(log, text, entry, key=None):
    for name, data in (("a.tlog-proof", text.encode()), ("entry", entry)):
        log.write(name, data)
    return log.place.run(tlog_verify(log.place), "proof", "a.tlog-proof", key or log.key, "entry", cwd=log.dir)


def proofs_are_believed(place):
    for size in SIZES[1:]:
        log = Log(place, size)
        for index in {0, 1, size // 2, size - 256, size - 1} & set(range(size)):
            text = proof_of(log, index)
            assert text.startswith(f"c2sp.org/tlog-proof@v1\nindex {index}\n") and text.endswith("\n\n" + log.read("checkpoint").decode()), text
            for shown in (text, text.replace("\nindex", "\nextra c2VlZA==\nindex", 1)):
                done = judged(log, shown, entry_of(log, index, size))
                assert done.returncode == 0 and done.stdout == f"good: entry {index} of {size}\n", told(done)


@once
def proofs_that_are_not(place):
    log, other = Log(place, LARGE), Log(place, LARGE, seed="other")
    index = 65535 + 300
    entry, text = entry_of(log, index, LARGE), proof_of(log, index)
    lines = text.split("\n")
    end = lines.index("")  # of the hashes, which begin with the third line
    assert judged(log, text, entry).returncode == 0

    def refused(changed, *said, entry=entry, key=None):
        changed = changed if isinstance(changed, str) else "\n".join(changed)
        assert changed != text or entry != entry_of(log, index, LARGE) or key, "no lie"
        expect_refused(judged(log, changed, entry, key), "a.tlog-proof", *said)

    not_it = f"not entry {index}"
    refused(text, not_it, entry=flipped(entry, -1))
    refused(text, not_it, entry=entry + b"\n")
    refused(text, not_it, entry=b"")
    refused(text, not_it, entry=entry_of(log, index + 1, LARGE))
    for at in range(2, end):
        raw = base64.b64decode(lines[at])
        refused(lines[:at] + [base64.b64encode(flipped(raw, at)).decode()] + lines[at + 1 :], not_it)
        refused(lines[:at] + lines[at + 1 :], not_it)
        refused(lines[:at] + [lines[at]] + lines[at:], not_it)
        if at > 2:
            refused(lines[: at - 1] + [lines[at], lines[at - 1]] + lines[at + 1 :], not_it)
    for wrong in (index - 1, index + 1, index ^ 65536, LARGE - 1, LARGE, 2**61):
        refused(text.replace(f"index {index}", f"index {wrong}"), f"not entry {wrong}")
    for wrong in (f"0{index}", f"+{index}", f"{index} ", "-1", "", str(2**63)):
        refused(text.replace(f"index {index}", f"index {wrong}"), "line 2: index")
    for head in ("c2sp.org/tlog-proof@v2", "", "c2sp.org/tlog-proof@v1 "):
        refused([head] + lines[1:], "line 1")
    refused(text.replace("\n", "\r\n"), "line 1")
    refused(text.replace("index ", "Index "), "line 2: no index")
    for extra in ("extra ", "extra c2VlZA", "extra c2VlZB==", "extra c2VlZA==\nextra c2VlZA=="):
        refused([lines[0], extra] + lines[1:], "line ")
    last = lines[end - 1]
    stray = last[:-2] + chr(ord(last[-2]) + 1) + "="
    for wrong in (stray, last[:-1], " " + last, last + " ", base64.b64encode(b"short").decode()):
        refused(lines[: end - 1] + [wrong] + lines[end:], f"line {end}")
    refused(lines[:end] + lines[end + 1 :], f"line {end + 1}")  # no empty line before the checkpoint
    refused(lines[:end], f"line {end - 1}")
    refused(lines[: end + 1] + [""], "malformed note")
    refused(text + "more\n", "malformed note")
    refused(text, "note has no verifiable signatures", key=other.key)
    refused(text.replace(f"\n{LARGE}\n", f"\n{LARGE + 1}\n"), "invalid signature")
    beginning = "\n".join(lines[: end + 1]) + "\n"
    refused(beginning + log.sign(log.text(), seed="other").decode(), "note has no verifiable signatures")
    refused(beginning + log.sign(other.text()).decode(), not_it)  # signed by the key, and of another tree
    for size in (2**62, 2**62 + 5):  # with which the library would not come to an end
        refused(beginning + log.sign(f"{NAME}\n{size}\n{log.text().splitlines()[2]}\n").decode(), "checkpoint: size")
    refused(beginning + log.sign(Log(place, LARGE - 1).text()).decode(), not_it)


def nothing_is_proved_from_a_tile_that_lies(place):
    """The library's reader of tiles does not compare all of them with their parents: its proofs are looked at before they are given."""
    log = Log(place, LARGE)
    for name, index in (("tile/1/000", 300), ("tile/0/001", 300), ("tile/0/001", 290)):
        data = log.read(name)
        log.write(name, flipped(data, 33 * 32))
        done = place.run(tlog_verify(place), "prove", log.dir, log.key, str(index), cwd=log.dir)
        expect_refused(done, f"entry {index}: cannot be proved")
        log.write(name, data)
    proof_of(log, 300)


def what_it_does_not_understand_is_no_answer(place):
    log = Log(place, 2)
    for words in ((), ("chek",), ("check",), ("check", log.dir), ("check", log.dir, "no key"), ("check", log.dir, log.key[:-4] + "AAA="),
                  ("check", log.dir, log.key, "--old"), ("check", log.dir, log.key, "x", "y"), ("prove", log.dir, log.key, "x"),
                  ("make", log.dir, NAME, "-1"), ("make", log.dir, NAME)):
        done = place.run(tlog_verify(place), *words, cwd=log.dir)
        assert done.returncode == 2 and "usage: " in done.stderr and done.stdout == "", told(done)
    expect_refused(place.run(tlog_verify(place), "make", log.dir, NAME, "2", cwd=log.dir), "there is a log already")
    expect_refused(place.run(tlog_verify(place), "prove", log.dir, log.key, "2", cwd=log.dir))


if __name__ == "__main__":
    main([the_verifier_is_there, logs_of_any_size_are_believed, growth_is_believed, full_tiles_do_for_partial_ones, other_signatures_beside_the_logs_are_passed_over,
          a_bit_of_an_entry, a_bit_of_a_tile, tiles_that_changed_places, entries_that_are_gone_doubled_or_moved, files_of_another_length,
          a_signature_that_is_not, what_is_signed_and_not_so, a_history_that_was_rewritten, proofs_are_believed, proofs_that_are_not,
          nothing_is_proved_from_a_tile_that_lies, what_it_does_not_understand_is_no_answer])
