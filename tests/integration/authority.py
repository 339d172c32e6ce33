#!/usr/bin/env python3
"""The keeper of a person's authority, as its clients meet it: budgets that many share, deaths at any moment, full disks, strangers and floods.

usage: authority.py AMBIT KEEPER    (tests/integration/keeper.c holds the keeper; what is said to it is encoded here anew)
"""

import contextlib
import hashlib
import os
import random
import select
import signal
import socket
import struct
import subprocess
import threading
import time

from harness import PATIENCE, SLOW, Skip, expect_ok, lock_holders, main, once, rooted, told

STEP, BIND, WATCH, DONE, LABEL_NAME, LABELS, LIST, FIND, PART, SHOWN = range(352, 362)  # wire/messages.def
HELLO, ANSWERED, ACTIONS, TAKEN, NAMES, PAGE, SHOWS, REFUSED, FAILED = range(368, 377)
(TIME, OPEN, GIVE, DERIVE, REVOKE, END, EVENT_END, HAND_OVER, USE, RETURN, ANSWER, FORGET, FREEZE, THAW, LABEL, TAKE, ENTER, MARK, AGENT, RESTART) = range(20)  # core/authority.h
ALLOWED, DENIED, ASKS = range(3)
(NONE, RECORDED, ALREADY, NOT_HELD, FROZEN, REVOKED, EXPIRED, NOT_NOW, BEYOND, DEPTH, LABELLED, SPENT, REFUSED_BY, FLOOD, CONFLICT, MISMATCH, ANSWERED_ALREADY, TAKEN_ID, FULL,
 MALFORMED) = range(20)
CLOSE, ENDED, FROZE, THAWED = range(4)
ASK, ASK_LABELLED, YES, SESSION, STOP, KEYED = 1, 2, 4, 8, 16, 32
WORK, READ, WRITE, RUN, ENV, JIT, CONNECT, LISTEN, QUERY, TOOL, DELEGATE, DECLASSIFY = range(12)
LIMIT, HOST, NOT_FOUND = 8, 9, 6  # ambit/codes.h
NO_MINUTE = 0xffff
BADGES, GRANTS, QUESTIONS, MARKS, AGENTS = range(5)


def text(s):
    return struct.pack("<I", len(s.encode())) + s.encode()


def bounds(uses=0, bytes=0, rows=0, rate=0, period=0, until=0, window=None):
    """core/qualifiers.h, rows, core/window.h"""
    start, end, zone = window or (0, 0, "")
    return struct.pack("<IQIIBQQHH48s", uses, bytes, rate, period, 0, until, rows, start, end, zone.encode())


def new_id():
    return int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10)


def op(code, *parts, flags=0):
    return struct.pack("<BBQI", code, flags, 0, 0) + b"".join(parts)


def ref(n):
    return struct.pack("<Q", n)


ZERO16, ZERO32 = bytes(16), bytes(32)


def opening(agent="agent", parent=0, grant=0, event=ZERO16, labels=0, limits=None, digest=ZERO32, until=0):
    return op(OPEN, ref(parent), ref(grant), new_id(), event, digest, ref(until), ref(labels), b"\0", struct.pack("<H", NO_MINUTE), limits or bounds(), text(agent))


def granted(verb, thing, labels, unless, limits, depth, terms):
    return [new_id(), ref(labels), struct.pack("<BB", verb, depth), bytes([len(unless)]) + b"".join(map(ref, unless)), text(terms), limits or bounds(), text(thing)]


def giving(badge, verb=TOOL, thing="shell", labels=0, unless=(), limits=None, depth=0, flags=0, terms=""):
    return op(GIVE, ref(badge), *granted(verb, thing, labels, unless, limits, depth, terms), flags=flags)


def deriving(badge, grant, to=0, verb=TOOL, thing="shell", labels=0, unless=(), limits=None, depth=0, flags=0, terms=""):
    return op(DERIVE, ref(badge), ref(to), ref(grant), *granted(verb, thing, labels, unless, limits, depth, terms), flags=flags)


def using(badge, grant, verb=TOOL, thing="", digest=ZERO32, key=None, bytes=0, rows=0, until=0):
    return op(USE, ref(badge), ref(grant), new_id(), digest, key or ZERO32, ref(bytes), ref(rows), ref(until), struct.pack("<BH", verb, NO_MINUTE), text(thing),
              flags=KEYED if key else 0)


def answering(ask, digest, until, flags):
    return op(ANSWER, ref(ask), digest, ref(until), flags=flags)


def soon(seconds=3600):
    return int((time.time() + seconds) * 1000)


class Gone(Exception):
    """The keeper, or the connection to it, has ended."""


class Said(Exception):
    """The keeper refused a message: its code and words."""


class Client:
    def __init__(self, directory, patience=PATIENCE):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(SLOW * patience)
        here = os.open(directory, os.O_PATH)
        try:
            self.sock.connect(f"/proc/self/fd/{here}/socket")
        except (ConnectionRefusedError, FileNotFoundError) as end:
            raise Gone from end
        finally:
            os.close(here)
        number, body = self.hear()
        assert number == HELLO, number
        self.steps, self.cut = struct.unpack("<QQ", body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def say(self, number, body=b""):
        try:
            self.sock.send(struct.pack("<HH", number, 0) + body)
        except (BrokenPipeError, ConnectionResetError) as end:
            raise Gone from end

    def hear(self):
        try:
            packet, self.fds, _, _ = socket.recv_fds(self.sock, 70000, 4)
        except ConnectionResetError as end:
            raise Gone from end
        if not packet:
            raise Gone
        number, body = struct.unpack("<H", packet[:2])[0], packet[4:]
        if number in (REFUSED, FAILED):
            code, _, size = struct.unpack("<III", body[:12])
            raise Said(code, body[12:12 + size].decode(), number)
        return number, body

    def ask(self, number, body, expected):
        self.say(number, body)
        got, body = self.hear()
        assert got == expected, f"{got} and not {expected}"
        return body

    def step(self, request, own=0):
        return Answer(self.ask(STEP, struct.pack("<I", own) + request, ANSWERED))

    def made(self, request):
        answer = self.step(request)
        assert answer.verdict == ALLOWED and answer.made, answer
        return answer.made

    def number(self, number, body=b""):
        return struct.unpack("<Q", self.ask(number, body, TAKEN))[0]

    def actions(self):
        """(step, [(act, ref)...]) of one step."""
        found, more = [], 1
        while more:
            number, body = self.hear()
            assert number == ACTIONS, number
            step, more = struct.unpack("<QB", body[:9])
            found += struct.iter_unpack("<IQ", body[9:])
        return step, found

    def pages(self, kind):
        at, found = 0, []
        while at != 0xffffffff:
            body = self.ask(LIST, struct.pack("<BI", kind, at), PAGE)
            at = struct.unpack("<I", body[1:5])[0]
            found.append(body[5:])
        return found


class Answer:
    def __init__(self, body):
        self.step, self.verdict, self.why, self.limit, self.made, self.labels, self.late = struct.unpack("<QBBBQQI", body[:31])
        self.who_is_late = list(struct.iter_unpack("<QI", body[31:]))

    def __repr__(self):
        return f"step {self.step} verdict {self.verdict} why {self.why} limit {self.limit} made {self.made:#x} labels {self.labels:#x} late {self.who_is_late}"

    def is_(self, verdict, why=NONE):
        assert (self.verdict, self.why) == (verdict, why), f"{self}; not {(verdict, why)}"
        return self


class Kept:
    """A person's authority in a place of its own, with somebody who holds it."""

    def __init__(self, place, state=None):
        self.place = place
        self.state = state or place.fresh()
        self.directory = os.path.join(self.state, "ambit", "authority")
        self.environment = {**place.environment(), "XDG_STATE_HOME": self.state}
        self.holders = []

    def probe(self, *words):
        return subprocess.Popen([self.place.given(1), *words], env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def hold(self):
        """Starts it if nobody is there; what that said."""
        holder = self.probe()
        self.holders.append(holder)
        found, said = holder.stdout.readline().strip(), holder.stdout.readline().strip()
        return found, said

    def client(self):
        return Client(self.directory)

    def pids(self):
        return lock_holders(os.path.join(self.directory, "lock"))

    def kill(self):
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.let_go()

    def let_go(self):
        for holder in self.holders:
            holder.stdin.close()
            holder.wait(timeout=SLOW * PATIENCE)
        self.holders = []

    def again(self):
        """Killed, and started again."""
        self.kill()
        found, said = self.hold()
        assert said.startswith("open"), said
        return self.client()

    def __enter__(self):
        found, said = self.hold()
        assert said.startswith("open"), (found, said, self.holders[0].communicate())
        return self

    def __exit__(self, *_):
        self.kill()


# ---- what it does ----


def a_person_who_asked_for_nothing_has_no_directory(place):
    kept = Kept(place)
    found, said = kept.hold()
    assert (found, said) == ("new", "open 0"), (found, said)
    found, said = kept.hold()
    assert (found, said) == ("there", "open 0"), (found, said)
    kept.kill()
    assert os.stat(kept.directory).st_mode & 0o777 == 0o700
    assert os.stat(os.path.join(kept.directory, "state")).st_size < 4096


def steps_are_answered_and_kept(place):
    with Kept(place) as kept:
        with kept.client() as c:
            badge = c.made(opening())
            grant = c.made(giving(badge, limits=bounds(uses=3)))
            c.step(using(badge, grant)).is_(ALLOWED)
            c.step(using(badge, grant, thing="other")).is_(DENIED, BEYOND)
        with kept.again() as c:
            c.step(using(badge, grant)).is_(ALLOWED)
            c.step(using(badge, grant)).is_(ALLOWED)
            assert c.step(using(badge, grant)).is_(DENIED, SPENT).limit == 0
            c.step(op(REVOKE, ref(grant))).is_(ALLOWED)
        with kept.again() as c:
            c.step(using(badge, grant)).is_(DENIED, REVOKED)
            c.step(op(END, ref(badge))).is_(ALLOWED)
            c.step(using(badge, grant)).is_(DENIED, NOT_HELD)
            assert c.made(opening()) != badge


SCENARIOS = [
    a_person_who_asked_for_nothing_has_no_directory,
    steps_are_answered_and_kept,
]

if __name__ == "__main__":
    main(SCENARIOS)
