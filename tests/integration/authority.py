#!/usr/bin/env python3
"""The keeper of a person's authority, as its clients meet it: budgets that many share, deaths at any moment, full disks, strangers and floods.

usage: authority.py AMBIT KEEPER    (tests/integration/keeper.c holds the keeper; what is said to it is encoded here anew)
"""

import contextlib
import hashlib
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import threading
import time

from harness import PATIENCE, SLOW, Skip, expect_ok, lock_holders, main, rooted, sanitized, told

STEP, BIND, WATCH, DONE, LABEL_NAME, LABELS, LIST, FIND, PART, SHOWN, SIGNED, LEDGER = range(352, 364)  # wire/messages.def
HELLO, ANSWERED, ACTIONS, TAKEN, NAMES, PAGE, SHOWS, REFUSED, FAILED, UNRECORDED = range(368, 378)
(TIME, OPEN, GIVE, DERIVE, REVOKE, END, EVENT_END, HAND_OVER, USE, RETURN, ANSWER, FORGET, FREEZE, THAW, LABEL, TAKE, ENTER, MARK, AGENT, RESTART, MORE, RESTORE, UNMARK,
 JOIN) = range(24)  # core/authority.h
ALLOWED, DENIED, ASKS = range(3)
(NONE, RECORDED, ALREADY, NOT_HELD, FROZEN, REVOKED, EXPIRED, NOT_NOW, BEYOND, DEPTH, LABELLED, SPENT, REFUSED_BY, FLOOD, CONFLICT, MISMATCH, ANSWERED_ALREADY, TAKEN_ID, FULL,
 MALFORMED) = range(20)
CLOSE, ENDED, FROZE, THAWED = range(4)
ASK, ASK_LABELLED, YES, SESSION, STOP, KEYED = 1, 2, 4, 8, 16, 32
WORK, READ, WRITE, RUN, ENV, JIT, CONNECT, LISTEN, QUERY, TOOL, DELEGATE, DECLASSIFY = range(12)
DENIED_CODE, NOT_FOUND, LIMIT, HOST = 5, 6, 8, 9  # ambit/codes.h
NO_MINUTE = 0xffff
BADGES, GRANTS, QUESTIONS, MARKS, AGENTS, ORIGINS = range(6)
BY_GRANT, BY_MARK, BY_BADGE, BY_GIVEN = range(4)


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


def giving(badge, verb=TOOL, thing="s/shell", labels=0, unless=(), limits=None, depth=0, flags=0, terms=""):
    return op(GIVE, ref(badge), *granted(verb, thing, labels, unless, limits, depth, terms), flags=flags)


def deriving(badge, grant, to=0, verb=TOOL, thing="s/shell", labels=0, unless=(), limits=None, depth=0, flags=0, terms=""):
    return op(DERIVE, ref(badge), ref(to), ref(grant), *granted(verb, thing, labels, unless, limits, depth, terms), flags=flags)


def using(badge, grant, verb=TOOL, thing="", digest=ZERO32, key=None, bytes=0, rows=0, until=0, arguments="", event=ZERO16):
    return op(USE, ref(badge), ref(grant), new_id(), event, digest, key or ZERO32, ref(bytes), ref(rows), ref(until), struct.pack("<BH", verb, NO_MINUTE), text(thing), text(arguments),
              flags=KEYED if key else 0)


def labelling(badge, labels, event=ZERO16, grant=0):
    return op(LABEL, ref(badge), ref(grant), event, ref(labels))


def taking(badge, of, event=ZERO16):
    return op(TAKE, ref(badge), ref(of), event)


def entering(badge, event=ZERO16):
    return op(ENTER, ref(badge), event)


def marking(badge, path, labels=0, digest=ZERO32, event=ZERO16):
    return op(MARK, ref(badge), event, digest, ref(labels), text(path))


def answering(ask, digest, until, flags):
    return op(ANSWER, ref(ask), digest, ref(until), flags=flags)


def soon(seconds=3600):
    return int((time.time() + seconds) * 1000)


class Gone(Exception):
    """The keeper, or the connection to it, has ended."""


class Said(Exception):
    """The keeper refused a message: its code and words."""


class Client:
    def __init__(self, directory, patience=PATIENCE, recorded=False):
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
        self.steps, self.cut, _ = struct.unpack("<QQ16s", body)
        if not recorded:
            self.say(LEDGER)

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


def origins(c):
    """(badge, label, by, verb, event, of which badge, object) each."""
    rows, found = b"".join(c.pages(ORIGINS)), []
    while rows:
        badge, label, by, verb, event, of, size = struct.unpack("<QBBB16s16sI", rows[:47])
        found.append((badge, label, by, verb, event, of, rows[47:47 + size].decode()))
        rows = rows[47 + size:]
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
            c.step(using(badge, grant, thing="s/other")).is_(DENIED, BEYOND)
            assert c.step(using(badge, grant, thing="x" * 4095, arguments="x" * 16384)).verdict == DENIED  # as long as they may be
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


def is_there(kept, badge, grant):
    """The grant as its row has it: what was used."""
    with kept.client() as c:
        for page in c.pages(GRANTS):
            at = page.find(ref(grant) + ref(0) + ref(badge))
            if at >= 0:
                at += 24 + 16 + 4 + 8
                at += 1 + 8 * page[at] + len(bounds())
                return struct.unpack("<QQQ", page[at:at + 24])
    raise AssertionError("the grant is in no list")


def spend(kept, badge, grant, times, counts, i):
    with kept.client() as c:
        for _ in range(times):
            answer = c.step(using(badge, grant))
            counts[i] += answer.verdict == ALLOWED
            assert answer.verdict == ALLOWED or answer.why == SPENT, answer


def together(function, *lists):
    threads = [threading.Thread(target=function, args=arguments, daemon=True) for arguments in lists]
    for t in threads:
        t.start()
    for t in threads:
        t.join(SLOW * 120)
        assert not t.is_alive()


def many_charge_one_budget(place):
    with Kept(place) as kept:
        with kept.client() as c:
            badge = c.made(opening())
            grant = c.made(giving(badge, limits=bounds(uses=1000)))
        counts = [0] * 8
        together(spend, *[(kept, badge, grant, 500, counts, i) for i in range(8)])
        assert sum(counts) == 1000, counts
        assert is_there(kept, badge, grant)[0] == 1000
        with kept.again() as c:
            c.step(using(badge, grant)).is_(DENIED, SPENT)


def whoever_is_killed_what_was_answered_is_charged(place):
    """The keeper is killed at random moments while eight clients charge one budget."""
    chance = random.Random(int(os.environ.get("AMBIT_SEED", "1")))
    bound, answered, lock = 20000, [0], threading.Lock()
    with Kept(place) as kept:
        with kept.client() as c:
            badge = c.made(opening())
            grant = c.made(giving(badge, limits=bounds(uses=bound)))
        over = threading.Event()

        def client():
            while not over.is_set():
                try:
                    with kept.client() as c:
                        while not over.is_set():
                            answer = c.step(using(badge, grant))
                            if answer.verdict != ALLOWED:
                                assert answer.why == SPENT, answer
                                return
                            with lock:
                                answered[0] += 1
                except Gone:
                    time.sleep(0.01)

        threads = [threading.Thread(target=client, daemon=True) for _ in range(8)]
        for t in threads:
            t.start()
        kills = 0
        try:
            while any(t.is_alive() for t in threads) and kills < 8:
                time.sleep(chance.random() * 0.1)
                kept.kill()
                _, said = kept.hold()
                assert said.startswith("open"), said
                kills += 1
                with lock:
                    before = answered[0]
                used = is_there(kept, badge, grant)[0]
                assert before <= used <= bound, (before, used)
        finally:
            over.set()
        for t in threads:
            t.join(SLOW * PATIENCE)
            assert not t.is_alive()
        assert kills >= 3, "nothing was killed in time"
        used = is_there(kept, badge, grant)[0]
        assert answered[0] <= used <= min(bound, answered[0] + 8 * kills), (answered[0], used, kills)


@rooted
def a_full_disk_refuses_and_changes_nothing(place):
    state = place.fresh()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "none", state], check=False).returncode != 0:
        raise Skip("no tmpfs can be mounted")
    try:
        with Kept(place, state) as kept:
            with kept.client() as c, kept.client() as other:
                badge = c.made(opening())
                grant = c.made(giving(badge, limits=bounds(uses=1000000)))
                done, refused = 0, None
                while refused is None:
                    try:
                        done += c.step(using(badge, grant)).is_(ALLOWED).verdict == ALLOWED
                    except Said as said:
                        refused = said
                assert refused.args[0] == LIMIT and refused.args[2] == REFUSED, refused.args
                assert is_there(kept, badge, grant)[0] == done
                try:
                    other.step(giving(badge, verb=QUERY, thing="x" * 4000))
                    raise AssertionError("given on a full disk")
                except Said as said:
                    assert said.args[0] == LIMIT
                subprocess.run(["mount", "-o", "remount,size=512k", state], check=True)
                c.step(using(badge, grant)).is_(ALLOWED)  # the process goes on
                assert is_there(kept, badge, grant)[0] == done + 1
                other.step(op(REVOKE, ref(grant))).is_(ALLOWED)
                c.step(using(badge, grant)).is_(DENIED, REVOKED)
            with kept.again() as c:
                c.step(using(badge, grant)).is_(DENIED, REVOKED)
                assert is_there(kept, badge, grant)[0] == done + 1
    finally:
        subprocess.run(["umount", "-l", state], check=True)


def two_who_start_it_at_once_start_one(place):
    kept = Kept(place)
    for _ in range(3):
        starters = [kept.probe() for _ in range(6)]
        said = [(s.stdout.readline(), s.stdout.readline().strip()) for s in starters]
        assert all(words == "open 0" for _, words in said), said
        assert len(kept.pids()) == 1, kept.pids()
        kept.holders += starters
        kept.kill()


def a_bound_connection_has_its_badge_and_no_more(place):
    with Kept(place) as kept, kept.client() as person, kept.client() as c:
        mine, other = person.made(opening("mine")), person.made(opening("other"))
        label = 1 << person.number(LABEL_NAME, text("finance"))
        grant, theirs = person.made(giving(mine)), person.made(giving(other))
        delegate = person.made(giving(mine, verb=DELEGATE, thing="*", depth=3))
        below = person.made(opening("sub", parent=mine, grant=delegate))
        lent = person.made(deriving(mine, grant, to=below))
        assert c.number(BIND, ref(mine)) == 0
        c.step(using(mine, grant)).is_(ALLOWED)
        c.step(using(below, lent)).is_(ALLOWED)
        c.step(entering(mine)).is_(ALLOWED, ALREADY)
        c.step(labelling(mine, label)).is_(ALLOWED)
        c.step(marking(mine, "/tmp/own")).is_(ALLOWED)
        deeper = c.made(opening("deeper", parent=mine, grant=delegate))
        c.step(op(END, ref(deeper))).is_(ALLOWED)
        person.step(labelling(other, 1)).is_(ALLOWED)
        person.step(marking(mine, "/tmp/own", labels=label)).is_(ALLOWED, ALREADY)
        # what is not its own, was, or never was; and what only the person says
        for request in (using(other, theirs), using(mine, theirs), using(other, grant), using(mine, grant ^ 1 << 30), using(mine, grant + (1 << 24)), using(0, 0),
                        labelling(other, 1), taking(mine, other), taking(other, mine), op(END, ref(mine)), op(END, ref(other)),
                        op(END, ref(deeper)), entering(other), marking(other, "/tmp/x"), marking(mine, "/tmp/own", labels=label), op(EVENT_END, ref(other), bytes(15) + b"1"),
                        op(HAND_OVER, ref(other), ref(mine)), deriving(other, theirs), deriving(mine, theirs), opening("new"), opening("new", parent=other, grant=theirs),
                        giving(mine), op(REVOKE, ref(grant)), op(FREEZE, ref(mine)), op(FREEZE, ref(0)), op(THAW, ref(0)), op(AGENT, bounds(uses=1), text("mine")),
                        op(FORGET, ref(1 << 24)), op(TIME), op(RETURN, ref(other), ref(theirs), ref(0), ref(0))):
            answer = c.step(request)
            assert (answer.verdict, answer.why, answer.made, answer.labels & ~label) == (DENIED, NOT_HELD, 0, 0), (request[0], answer)
            assert answer.why == NOT_HELD
        assert person.step(labelling(mine, 0)).labels == label, "a label came by what was refused"
        # lists: its own; names: those that are there; and no way back
        assert len(b"".join(c.pages(BADGES))) < len(b"".join(person.pages(BADGES)))
        assert b"other" not in b"".join(c.pages(BADGES)) and b"mine" in b"".join(c.pages(BADGES))
        assert b"".join(c.pages(MARKS) + c.pages(AGENTS)) == b""
        assert {o[0] for o in origins(c)} == {mine, below} and {o[0] for o in origins(person)} == {mine, below, other}, (origins(c), origins(person))
        assert 1 << c.number(LABEL_NAME, text("finance")) == label
        for number, body in ((LABEL_NAME, text("new")), (BIND, ref(other)), (BIND, ref(0)), (SHOWN, ref(1 << 24))):
            try:
                c.ask(number, body, TAKEN)
                raise AssertionError(f"{number} was taken")
            except Said as said:
                assert said.args[0] == NOT_FOUND, said.args
        assert c.number(FIND, ref(other) + bytes([TOOL]) + text("s/shell")) == 0
        assert c.number(FIND, ref(mine) + bytes([TOOL]) + text("s/shell")) == grant
        c.number(BIND, ref(below))
        c.step(using(mine, grant)).is_(DENIED, NOT_HELD)
        c.step(using(below, lent)).is_(ALLOWED)
        person.step(op(END, ref(below))).is_(ALLOWED)
        c.step(using(below, lent)).is_(DENIED, NOT_HELD)


def hears(c, *expected):
    step, found = c.actions()
    assert sorted(found) == sorted(expected), (found, expected)
    return step


def silent(c, seconds=0.2):
    return not select.select([c.sock], [], [], SLOW * seconds)[0]


def what_closes_is_told_and_waited_for(place):
    with Kept(place) as kept, kept.client() as person, kept.client() as a, kept.client() as b, kept.client() as all_of_it:
        one, two = person.made(opening("one")), person.made(opening("two"))
        first, second = person.made(giving(one)), person.made(giving(two))
        narrow = person.made(deriving(one, first))
        a.number(BIND, ref(one))
        b.number(BIND, ref(two))
        a.number(WATCH), b.number(WATCH)
        own = all_of_it.number(WATCH)
        person.say(STEP, struct.pack("<I", own) + op(REVOKE, ref(first)))
        step = hears(a, (CLOSE, narrow), (CLOSE, first))
        hears(all_of_it, (CLOSE, narrow), (CLOSE, first))
        assert silent(person) and silent(b), "it was answered before it was true"
        a.say(DONE, ref(step - 1))
        assert silent(person)
        a.say(DONE, ref(step))
        number, body = person.hear()
        answer = Answer(body).is_(ALLOWED)
        assert (number, answer.step, answer.late) == (ANSWERED, step, 0), answer
        all_of_it.say(DONE, ref(step))
        # one that goes is not waited for; one that does not answer for five seconds, and then not again until it has caught up
        person.say(STEP, bytes(4) + op(FREEZE, ref(two)))
        hears(b, (FROZE, two))
        b.sock.close()
        step = hears(all_of_it, (FROZE, two))
        assert silent(person)
        all_of_it.say(DONE, ref(step))
        assert Answer(person.hear()[1]).is_(ALLOWED).late == 0
        begun = time.monotonic()
        answer = person.step(op(THAW, ref(two))).is_(ALLOWED)
        assert answer.who_is_late == [(0, own)] and 4.5 < time.monotonic() - begun < 5 + 5 * SLOW, answer
        step = hears(all_of_it, (THAWED, two))
        begun = time.monotonic()
        assert person.step(op(FREEZE, ref(two))).is_(ALLOWED).late == 0 and time.monotonic() - begun < 4
        all_of_it.say(DONE, ref(hears(all_of_it, (FROZE, two))))
        # all of its own, also when it goes with the step
        person.say(STEP, bytes(4) + op(END, ref(one)))
        step = hears(a, (ENDED, one))
        hears(all_of_it, (ENDED, one))
        assert silent(person)
        a.say(DONE, ref(step)), all_of_it.say(DONE, ref(step))
        Answer(person.hear()[1]).is_(ALLOWED)
        # a watching connection asks nothing
        a.say(STEP, bytes(4) + op(TIME))
        try:
            a.hear()
            raise AssertionError("one that watches was answered")
        except Said as said:
            assert said.args[2] == FAILED


def what_expires_is_told_in_time(place):
    with Kept(place) as kept, kept.client() as person, kept.client() as w:
        w.number(WATCH)
        badge = person.made(opening())
        until = int(time.time()) + 2
        grant = person.made(giving(badge, limits=bounds(until=until)))
        person.step(using(badge, grant)).is_(ALLOWED)
        hears(w, (CLOSE, grant))
        assert -0.01 < time.time() - until < 1 + SLOW
        person.step(using(badge, grant)).is_(DENIED, EXPIRED)
    with kept.again() as c:
        c.step(using(badge, grant)).is_(DENIED, EXPIRED)


def the_time_of_day_is_that_of_the_zone(place):
    with Kept(place) as kept, kept.client() as c:
        badge = c.made(opening())
        for zone in ("Europe/Berlin", "Asia/Kolkata", "UTC"):
            if not os.path.exists(f"/usr/share/zoneinfo/{zone}"):
                raise Skip("no table of time zones")
            hour, minute = map(int, expect_ok(place.run("env", f"TZ={zone}", "date", "+%H %M", cwd=place.top)).stdout.split())
            now = hour * 60 + minute
            inside, outside = ((now + 1440 - 5) % 1440, (now + 5) % 1440, zone), ((now + 5) % 1440, (now + 1440 - 5) % 1440, zone)
            c.step(using(badge, c.made(giving(badge, limits=bounds(window=inside))))).is_(ALLOWED)
            c.step(using(badge, c.made(giving(badge, limits=bounds(window=outside))))).is_(DENIED, NOT_NOW)
        for zone in ("Europe/Nowhere", "Europe", "localtime"):
            try:
                c.step(giving(badge, limits=bounds(window=(1, 2, zone))))
                raise AssertionError(f"{zone} was taken")
            except Said as said:
                assert said.args[0] == HOST and zone in said.args[1], said.args


def labels_have_names(place):
    with Kept(place) as kept:
        with kept.client() as c:
            assert [c.number(LABEL_NAME, text(n)) for n in ("untrusted", "private", "finance", "hr", "finance")] == [1, 0, 2, 3, 2]
            for name in ("", "two words", "x" * 64, "ümlaut"):
                try:
                    c.number(LABEL_NAME, text(name))
                    raise AssertionError(f"{name!r} was taken")
                except Said:
                    pass
        with kept.again() as c:
            assert c.number(LABEL_NAME, text("hr")) == 3
            assert [c.number(LABEL_NAME, text(f"label{i}")) for i in range(60)] == list(range(4, 64))
            try:
                c.number(LABEL_NAME, text("one-more"))
                raise AssertionError("a 65th label")
            except Said as said:
                assert said.args[0] == LIMIT
            body = c.ask(LABELS, b"", NAMES)
            assert body[0] == 64 and text("label59") in body


def the_first_label_is_noted_for_who_does_not_ask(place):
    """By a file that is there before the answer, whatever brings labels first, and stays; without labels there is none."""
    def first(*before):
        """Whether it is there after each of these."""
        kept, there = Kept(place), []
        with kept, kept.client() as c:
            made = [c.made(opening())]
            for request in before:
                answer = c.step(request(*made))
                made += [answer.made] if answer.verdict == ALLOWED and answer.made else []
                there.append(os.path.exists(os.path.join(kept.directory, "labelled")))
        return there

    window = bounds(until=int(time.time()) + 999)
    assert first(lambda b: giving(b, verb=DELEGATE, thing="*", depth=1, flags=ASK), lambda b, g: opening("asks", parent=b, grant=g, labels=1, until=soon())) == [False] * 2
    assert first(giving, lambda b, g: using(b, g), lambda b, *_: labelling(b, 0), lambda b, *_: marking(b, "/tmp"), lambda b, *_: entering(b),
                 lambda b, *_: opening("x" * 64, labels=1), lambda b, *_: giving(b, thing="", labels=1), lambda b, *_: giving(b, limits=window), lambda b, *_: giving(b, unless=(3,)), lambda b, *_: op(FREEZE, ref(b))) == [False] * 10
    for brings in (lambda b: opening("new", labels=1), lambda b: giving(b, labels=2), lambda b: labelling(b, 1), lambda b: marking(b, "/tmp", labels=1)):
        assert first(lambda b: op(FREEZE, ref(b)), brings, lambda b, *_: op(END, ref(b))) == [False, True, True]
    with Kept(place) as kept:
        file = os.path.join(kept.directory, "labelled")
        with kept.client() as c:
            badge = c.made(opening())
        assert kept.hold() == ("there", "open 0")
        with kept.again() as c:
            assert not os.path.exists(file)
            c.step(labelling(badge, 1)).is_(ALLOWED)
        assert kept.hold() == ("there, labelled", "open 0") and os.stat(file).st_size == 0
    # a death in between, or a backup without it: what the state has is enough
    for steps in ((labelling, 1), (marking, "/tmp", 1), (giving, TOOL, "s/shell", 1)), ((opening,),):
        for build, *words in steps:
            with Kept(place) as kept:
                file = os.path.join(kept.directory, "labelled")
                with kept.client() as c:
                    badge = c.made(opening())
                    c.step(build(badge, *words) if words else build()).is_(ALLOWED)
                    if build is marking:
                        c.step(op(END, ref(badge))).is_(ALLOWED)
                kept.kill()
                assert os.path.exists(file) == bool(words)
                if words:
                    os.remove(file)
                kept.again()
                assert os.path.exists(file) == bool(words), (build, words)


def ambit_labels(kept, *words, status=0):
    done = subprocess.run([kept.place.ambit, "labels", *words], env={**kept.environment, "AMBIT_LEDGER": "none"}, capture_output=True, text=True, timeout=SLOW * PATIENCE, check=False)
    assert done.returncode == status, told(done)
    return done


def id_text(kind, number):
    """core/id.h"""
    whole = int.from_bytes(number, "big")
    return f"{kind}_" + "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[whole >> 5 * i & 31] for i in reversed(range(26)))


def opened(c, agent, number, **what):
    """A badge with that id, and the id as it is told."""
    request = opening(agent, **what)
    at = 14 + 8 + 8  # op, parent, grant
    return c.made(request[:at] + number + request[at + 16:]), id_text("b", number)


def who_has_labels_is_listed_and_forgotten(place):
    with Kept(place) as kept, kept.client() as c:
        assert ambit_labels(kept).stdout == "nothing has labels\n"
        assert json.loads(ambit_labels(kept, "--json").stdout) == {"paths": [], "streams": []}
        mail = 1 << c.number(LABEL_NAME, text("mail"))
        first, first_id = opened(c, "coder", b"\1" + bytes(14) + b"\1", labels=1 | mail)
        second, second_id = opened(c, "writer", b"\1" + bytes(14) + b"\2", labels=2)
        third, third_id = opened(c, "clean", b"\1" + bytes(14) + b"\3")
        c.step(marking(first, "/home/a b/\x1b[1m")).is_(ALLOWED)
        c.step(marking(third, "/home/c", labels=2 | 1 << 40)).is_(ALLOWED)
        c.step(op(FREEZE, ref(second))).is_(ALLOWED)
        assert ambit_labels(kept).stdout.splitlines() == [r"/home/a b/\x1b[1m  private, mail", "/home/c  untrusted, #40", f"{first_id}  coder  private, mail",
                                                          f"{second_id}  writer  untrusted  frozen"]
        assert json.loads(ambit_labels(kept, "--json").stdout) == {
            "paths": [{"labels": ["private", "mail"], "path": "/home/a b/\x1b[1m"}, {"labels": ["untrusted", "#40"], "path": "/home/c"}],
            "streams": [{"agent": "coder", "frozen": False, "id": first_id, "labels": ["private", "mail"]},
                        {"agent": "writer", "frozen": True, "id": second_id, "labels": ["untrusted"]}]}
        # which one is meant
        grant, delegate = c.made(giving(first)), c.made(giving(first, verb=DELEGATE, thing="*", depth=1))
        sub = c.made(opening("sub", parent=first, grant=delegate))
        for word, said in (("b_", "several streams begin with 'b_'"), (third_id, f"no stream '{third_id}' has labels"), ("nothing", "no stream 'nothing' has labels"),
                           ("", "--forget which stream?")):
            done = ambit_labels(kept, "--forget", word, status=125)
            assert said in done.stderr, told(done)
            done = json.loads(ambit_labels(kept, "--json", f"--forget={word}", status=125).stdout)
            assert said in done["error"]["message"], done
        assert f"{first_id}" in ambit_labels(kept).stdout
        # it goes, with all that it has; what it wrote keeps its labels
        assert ambit_labels(kept, "--forget", first_id).stdout == f"forgotten: {first_id}  coder, with its labels, its grants and what was asked\n"
        c.step(using(first, grant)).is_(DENIED, NOT_HELD)
        c.step(labelling(sub, 0)).is_(DENIED, NOT_HELD)
        assert ambit_labels(kept).stdout.splitlines() == [r"/home/a b/\x1b[1m  private, mail", "/home/c  untrusted, #40", f"{second_id}  writer  untrusted  frozen"]
        again, _ = opened(c, "coder", b"\1" + bytes(14) + b"\1")
        assert c.step(labelling(again, 0)).labels == 0
        assert json.loads(ambit_labels(kept, "--json", "--forget", second_id[:-1]).stdout) == {"agent": "writer", "forgotten": second_id}
        c.step(labelling(second, 0)).is_(DENIED, NOT_HELD)


def at_once(clients, requests):
    """One sync serves many: each client has one of them on its way."""
    answers = []
    for i in range(0, len(requests), len(clients)):
        some = list(zip(clients, requests[i:i + len(clients)]))
        for c, request in some:
            c.say(STEP, bytes(4) + request)
        answers += [Answer(c.hear()[1]).is_(ALLOWED) for c, _ in some]
    return answers


def where_it_is_full_who_was_used_last_stays(place):
    """Of 16,384 that hold nothing 64 go: none of those for which somebody is connected, and of the rest those that were used first."""
    with Kept(place) as kept, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(kept.client()) for _ in range(64)]
        badges = [a.made for a in at_once(clients, [opening("agent") for _ in range(16384)])]
        client, bound = stack.enter_context(kept.client()), stack.enter_context(kept.client())
        bound.number(BIND, ref(badges[3]))
        for badge in badges[:3]:
            client.step(labelling(badge, 0)).is_(ALLOWED, ALREADY)
        alive = lambda: {struct.unpack("<Q", page[at:at + 8])[0] for page in client.pages(BADGES) for at in range(0, len(page), len(page) // page.count(text("agent")))}
        assert alive() == set(badges)
        new = client.made(opening("agent"))
        assert alive() == {*badges[:4], *badges[68:], new}, sorted(set(badges) - alive())[:5]
        at_once(clients, [opening("agent") for _ in range(63)])  # the room that was made
        assert len(alive()) == 16384
        [busy] = [a.made for a in at_once(clients[:1], [opening("agent")])]
        assert {*badges[:4], *badges[132:], new, busy} <= alive() and badges[131] not in alive()


def where_labels_came_from_is_kept(place):
    first, second = b"\1" + bytes(14) + b"\1", b"\1" + bytes(14) + b"\2"
    with Kept(place) as kept:
        with kept.client() as c:
            one, two = opened(c, "one", first)[0], opened(c, "two", second)[0]
            tool, reads = c.made(giving(one, labels=1)), c.made(giving(one, verb=READ, thing="/home/a b"))
            c.step(using(one, tool, event=b"e" * 16)).is_(ALLOWED)
            c.step(labelling(one, 3, event=b"f" * 16, grant=reads)).is_(ALLOWED)
            c.step(marking(two, "/home/a b/c", labels=1 << 40, event=b"g" * 16)).is_(ALLOWED)
            c.step(labelling(one, 4, event=b"h" * 16)).is_(ALLOWED)
            c.step(taking(two, one, event=b"i" * 16)).is_(ALLOWED)
            c.step(labelling(two, 8, grant=reads)).is_(DENIED, NOT_HELD)
            c.step(op(REVOKE, ref(tool))).is_(ALLOWED)
        for _ in range(2):
            with kept.again() as c:
                assert origins(c) == [(one, 0, BY_GRANT, TOOL, b"e" * 16, ZERO16, "s/shell"), (one, 1, BY_GRANT, READ, b"f" * 16, ZERO16, "/home/a b"),
                                      (one, 40, BY_MARK, 0, b"g" * 16, ZERO16, "/home/a b/c"), (one, 2, BY_GIVEN, 0, b"h" * 16, ZERO16, ""),
                                      *((two, label, BY_BADGE, 0, b"i" * 16, first, "") for label in (0, 1, 2, 40))], origins(c)
        with kept.client() as c:
            c.step(op(END, ref(one))).is_(ALLOWED)
            assert {o[0] for o in origins(c)} == {two}, origins(c)


def whoever_asks_for_labels_starts_nothing_where_there_is_nothing(place):
    kept = Kept(place)
    assert ambit_labels(kept).stdout == "nothing has labels\n"
    assert json.loads(ambit_labels(kept, "--json").stdout) == {"paths": [], "streams": []}
    assert "no stream 'b_0' has labels" in ambit_labels(kept, "--forget", "b_0", status=125).stderr
    assert not os.path.exists(kept.directory) and not os.path.exists(os.path.dirname(kept.directory)), os.listdir(kept.state)
    for words, said in ((("b_0",), "labels takes no 'b_0'"), (("--forget",), "--forget"), (("--forge",), "--forget"), (("--forget", "a", "--forget", "b"), "one stream")):
        assert said in ambit_labels(kept, *words, status=125).stderr


def questions_carry_what_is_shown(place):
    with Kept(place) as kept:
        shown = os.urandom(200000)
        digest = hashlib.sha256(shown).digest()

        def put(c, what):
            for at in range(0, len(what), 65000):
                c.say(PART, what[at:at + 65000])

        with kept.client() as c:
            badge = c.made(opening())
            grant = c.made(giving(badge, flags=ASK))
            put(c, shown[:-1])
            try:
                c.step(using(badge, grant, digest=digest, until=soon()))
                raise AssertionError("other bytes than those of the digest were taken")
            except Said as said:
                assert said.args[2] == REFUSED
            put(c, shown)
            ask = c.step(using(badge, grant, digest=digest, until=soon())).is_(ASKS).made
        with kept.again() as c:
            c.ask(SHOWN, ref(ask), SHOWS)
            with os.fdopen(c.fds[0], "rb") as file:
                assert file.read() == shown
                try:
                    os.write(file.fileno(), b"x")
                    raise AssertionError("it can be written")
                except OSError:
                    pass
            c.step(using(badge, grant, digest=digest, until=soon())).is_(ASKS, ALREADY)
            try:
                c.step(answering(ask, digest, soon(), YES))
                raise AssertionError("an answer without a signature was taken")
            except Said as said:
                assert said.args[0] == DENIED_CODE, said.args
            assert os.listdir(os.path.join(kept.directory, "asks"))
            c.step(op(FORGET, ref(ask))).is_(ALLOWED)
            assert os.listdir(os.path.join(kept.directory, "asks")) == []
            # a question without anything has nothing to show; and more than may be is the end of the connection
            other = c.step(using(badge, grant, digest=hashlib.sha256(b"x").digest(), until=soon())).is_(ASKS).made
            try:
                c.ask(SHOWN, ref(other), SHOWS)
                raise AssertionError("something is shown")
            except Said as said:
                assert said.args[0] == NOT_FOUND
            put(c, bytes(1 << 20))
            try:
                c.say(PART, b"x")
                c.step(op(TIME))
                raise AssertionError("more than 1 MiB was taken")
            except Said as said:
                assert said.args[2] == FAILED
            except Gone:
                pass


def whoever_floods_or_reads_nothing_holds_up_nobody(place):
    with Kept(place) as kept, kept.client() as quiet:
        badge = quiet.made(opening())
        grant = quiet.made(giving(badge))
        flooders = [kept.client() for _ in range(4)]
        for f in flooders:
            f.sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(100000):
                    f.say(STEP, bytes(4) + using(badge, grant, bytes=1))  # and never an answer is read
        watcher = kept.client()
        watcher.number(WATCH)  # told of everything, and reads nothing
        took = []
        for _ in range(200):
            begun = time.monotonic()
            quiet.step(using(badge, grant)).is_(ALLOWED)
            took.append(time.monotonic() - begun)
        assert sorted(took)[100] < 0.05 * SLOW, sorted(took)[100]
        many = [quiet.made(giving(badge, thing=f"s/tool{i}")) for i in range(50)]
        for g in many[:3]:
            quiet.step(op(REVOKE, ref(g))).is_(ALLOWED)  # one of these waits five seconds for the watcher, and the others do not
        assert time.monotonic() - begun < 5 + 10 * SLOW
        crowd = []
        try:
            while True:
                crowd.append(kept.client())
        except Said as said:
            assert said.args[0] == LIMIT and len(crowd) > 200, (said.args, len(crowd))
        quiet.step(using(badge, grant)).is_(ALLOWED)
        for c in crowd + flooders + [watcher]:
            c.sock.close()
        with kept.client() as c:
            c.step(using(badge, grant)).is_(ALLOWED)


def what_is_no_message_ends_its_connection(place):
    with Kept(place) as kept, kept.client() as good:
        badge = good.made(opening())
        for number, body in ((STEP, b""), (STEP, bytes(4)), (STEP, bytes(4) + bytes([20]) + bytes(13)), (STEP, bytes(4) + op(RESTART)), (STEP, bytes(4) + op(TIME) + b"x"),
                             (LIST, bytes([ORIGINS + 1]) + bytes(4)), (LIST, bytes(4)), (FIND, bytes(8) + b"\xff" + text("x")), (DONE, ref(1)), (HELLO, bytes(16)), (999, b""),
                             (STEP, bytes(4) + os.urandom(200)), (BIND, bytes(7))):
            with kept.client() as c:
                c.say(number, body)
                try:
                    c.hear()
                    raise AssertionError(f"{number} {body!r} was answered")
                except Gone:
                    pass
                except Said as said:
                    assert said.args[2] == FAILED, said.args
        good.step(labelling(badge, 1)).is_(ALLOWED)


def damage_is_told(kept, journal, damaged):
    with open(journal, "wb") as file:
        file.write(damaged)
    with open(os.path.join(kept.directory, "state"), "rb") as file:
        state = file.read()
    _, said = kept.hold()
    assert said.startswith("failed") and "journal" in said, said
    with open(journal, "rb") as file, open(os.path.join(kept.directory, "state"), "rb") as snapshot:
        assert file.read() == damaged and snapshot.read() == state, "it was changed"


def a_torn_end_is_cut_and_told_and_damage_stops_it(place):
    with Kept(place) as kept:
        with kept.client() as c:
            badge = c.made(opening())
            c.made(giving(badge))
            grant = c.made(giving(badge, thing="s/last"))
        kept.kill()
        journal = os.path.join(kept.directory, "journal")
        with open(journal, "rb") as file:
            whole = file.read()
        with open(journal, "wb") as file:
            file.write(whole[:-3])
        _, said = kept.hold()
        words, cut = said.split()
        assert words == "open" and int(cut) > 0, said
        with kept.client() as c:
            assert c.cut == int(cut)
            c.step(using(badge, grant)).is_(DENIED, NOT_HELD)
            c.step(labelling(badge, 1)).is_(ALLOWED)
        kept.kill()
        with open(journal, "rb") as file:
            later = file.read()
        damaged = later[:80] + bytes([later[80] ^ 1]) + later[81:]
        for found in (damaged, whole):  # a byte of what was on disk; and the journal that was before
            damage_is_told(kept, journal, found)


def groups(directory):
    """Of the journal: (where it begins, how much was on disk then, what it holds)."""
    with open(os.path.join(directory, "journal"), "rb") as file:
        data = file.read()
    at, found = 60, []
    while at < len(data):
        size, synced = struct.unpack("<IQ", data[at:at + 12])
        found.append((at, synced, data[at + 12:at + 12 + size]))
        at += 20 + size
    return found


def what_waits_for_the_disk_is_on_it(place):
    """Each group says how much of the file was there when it was written."""
    with Kept(place) as kept, kept.client() as c:
        badge = c.made(opening())
        grant, asks, labels = c.made(giving(badge)), c.made(giving(badge, flags=ASK)), c.made(giving(badge, labels=4))
        digest = hashlib.sha256(b"x").digest()
        waiting = [lambda: giving(badge), lambda: using(badge, grant, key=os.urandom(32)), lambda: labelling(badge, 1), lambda: using(badge, labels), lambda: op(FREEZE, ref(badge)), lambda: op(THAW, ref(badge)),
                   lambda: using(badge, asks, digest=digest, until=soon()), lambda: op(FORGET, ref(asked[0])),
                   lambda: marking(badge, "/tmp/x"), lambda: op(AGENT, bounds(uses=99999), text("agent")), lambda: op(REVOKE, ref(asks)), lambda: op(END, ref(badge))]
        asked, steps = [], []
        for request in waiting:
            for _ in range(3):
                c.step(using(badge, grant))  # one that is frozen is refused
            answer = c.step(request())
            assert answer.verdict != DENIED and answer.step, answer
            asked.append(answer.made) if answer.verdict == ASKS else None
            steps.append(answer.step)
        c.step(opening())
        found = groups(kept.directory)  # each is one step, from the first on
        for step in steps:
            at, synced, _ = found[step]  # the next one
            assert at == synced, (step, [(at, synced) for at, synced, _ in found])
        lazy = sum(synced < at for at, synced, _ in found)
        assert lazy > 5, "everything waits for the disk"


def no_cell_sees_it(place):
    """Beneath a granted tree, where a twin of it is seen; nor by a socket's name."""
    look = """import os, socket, sys
for name in ("authority", "twin"):
    there = os.path.join(sys.argv[1], "ambit", name)
    try:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(os.path.join(there, "socket"))
        said = "connected"
    except OSError as e:
        said = os.strerror(e.errno)
    try:
        print(name, os.listdir(there), said)
    except OSError as e:
        print(name, None, said)
"""
    with Kept(place) as kept:
        twin = os.path.join(kept.state, "ambit", "twin")
        os.mkdir(twin)
        there = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        here = os.open(twin, os.O_PATH)
        there.bind(f"/proc/self/fd/{here}/socket")
        os.close(here)
        there.listen()
        script = os.path.join(kept.state, "look.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(look)

        def ambit(*words):
            return subprocess.run([place.ambit, "run", *words], env=kept.environment, cwd=kept.state, capture_output=True, text=True, timeout=SLOW * PATIENCE, check=False)

        for granted_how in (("--read", kept.state), ("--direct", "--write", kept.state)):
            result = expect_ok(ambit(*granted_how, "--", "python3", script, kept.state))
            mine, other = result.stdout.splitlines()[:2]
            assert mine.startswith(("authority None", "authority []")) and "connected" not in mine, result.stdout
            assert other.startswith("twin ['socket']"), result.stdout
        for what in (("--read", kept.directory), ("--connect", f"unix:{kept.directory}/socket")):
            result = ambit(*what, "--", "true")
            assert result.returncode == 125 and "authority" in result.stderr, told(result)


def the_keeper_gave_up_what_it_does_not_need(place):
    """A filter of its own beside those of its cell, no process, so much memory; no network, and nothing to be seen but its directory and the tables of zones."""
    with Kept(place) as kept:
        pid = kept.pids()[0]
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = dict(line.split(":\t", 1) for line in file.read().splitlines())
        with open(f"/proc/{pid}/limits", encoding="ascii") as file:
            limits = {line[:26].strip(): line[26:].split()[:2] for line in file}
        done = place.cell("--observe", "off", "--direct", "--write", place.fresh(), "--", "cat", "/proc/self/status", cwd=place.top)
        cells = dict(line.split(":\t", 1) for line in done.stdout.splitlines())
        assert int(status["Seccomp_filters"]) == int(cells["Seccomp_filters"]) + 1 and status["NoNewPrivs"] == "1", (status, cells)
        assert limits["Max processes"] == ["0", "0"] and (sanitized(place.ambit) or limits["Max address space"] == [str(1536 << 20)] * 2), limits
        with open(f"/proc/{pid}/net/dev", encoding="ascii") as file:
            assert [line.split(":")[0].strip() for line in file.readlines()[2:]] in ([], ["lo"]), "it has a network"
        with open(f"/proc/{pid}/mountinfo", encoding="ascii") as file:
            shown = {line.split()[4] for line in file}
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            assert file.read().strip().startswith("ambit-authority"[:15])
        libraries = ("/etc",) if sanitized(place.ambit) else ()  # of a sanitizer's, which are loaded
        assert kept.directory in shown and not any(at.startswith(("/home", "/root", "/etc", "/usr/bin")) and not at.startswith(libraries) for at in shown), shown


def it_ends_when_nobody_needs_it(place):
    with Kept(place) as kept:
        with kept.client() as c:
            badge = c.made(opening())
        kept.let_go()
        end = time.monotonic() + 12 + 10 * SLOW
        while kept.pids():
            assert time.monotonic() < end, "it stays"
            time.sleep(0.2)
        assert kept.hold()[1] == "open 0"
        with kept.client() as c:
            c.step(labelling(badge, 1)).is_(ALLOWED)


SCENARIOS = [
    a_person_who_asked_for_nothing_has_no_directory,
    steps_are_answered_and_kept,
    many_charge_one_budget,
    whoever_is_killed_what_was_answered_is_charged,
    a_full_disk_refuses_and_changes_nothing,
    two_who_start_it_at_once_start_one,
    a_bound_connection_has_its_badge_and_no_more,
    what_closes_is_told_and_waited_for,
    what_expires_is_told_in_time,
    the_time_of_day_is_that_of_the_zone,
    labels_have_names,
    the_first_label_is_noted_for_who_does_not_ask,
    who_has_labels_is_listed_and_forgotten, where_it_is_full_who_was_used_last_stays, where_labels_came_from_is_kept,
    whoever_asks_for_labels_starts_nothing_where_there_is_nothing,
    questions_carry_what_is_shown,
    whoever_floods_or_reads_nothing_holds_up_nobody,
    what_is_no_message_ends_its_connection,
    a_torn_end_is_cut_and_told_and_damage_stops_it,
    what_waits_for_the_disk_is_on_it,
    no_cell_sees_it,
    the_keeper_gave_up_what_it_does_not_need,
    it_ends_when_nobody_needs_it,
]

if __name__ == "__main__":
    main(SCENARIOS)
