#!/usr/bin/env python3
"""What a person's authority does is in their ledger: which entries, in which order, and what happens where there is no ledger, or none that can be written.

usage: authority_ledger.py AMBIT KEEPER WRITE_LOG    (TAP on standard output; as root once more as an ordinary user)
"""

import base64
import copy
import json
import os
import re
import signal
import socket
import struct
import time

from approvals import CALL, Person, Server, allow, refused_and_asked
from approve_keys import has_line
from authority import (AGENT, ALLOWED, BIND, DELEGATE, END, FREEZE, HAND_OVER, LABEL_NAME, LEDGER, QUERY, READ, REFUSED, RETURN, REVOKE, STEP, THAW, UNRECORDED, Client, Gone, Kept,
                       Said, bounds, deriving, entering, giving, id_text, labelling, marking, op, opening, ref, taking, text, using)
from harness import SLOW, expect_ok, main, told
from ledger import ACCEPTED, APPEND, FAILED, Ledger, Wire, entry, kill, until
from ledger_rotate import ROTATE
from peer import the_verifier_is_there
from replay import canonical

PRUNE = 97  # wire/messages.def
SPACE = "ambit-approval"  # approve/sshsig.h
GONE = 14  # ambit/codes.h
OF_AUTHORITY = {"grant", "derive", "revoke", "expire", "request", "decision", "ask", "approve", "freeze", "thaw", "label", "declassify"}


class Log(Ledger):
    """The one of a home, or of a directory."""

    def __init__(self, place, directory):
        self.place, self.dir, self.log = place, directory, f"{directory}/log"

    def steps(self):
        return [e for e in self.entries() if e["event"] is None and e["type"] in OF_AUTHORITY]

    def ambit(self, *words):
        return self.place.run(self.place.ambit, "ledger", *words, "--ledger", self.dir, cwd=self.place.top)


class Recorded(Client):
    """One whose steps are in the ledger: it gives a connection whenever the keeper has none, as the library does."""

    def __init__(self, directory, ledger):
        super().__init__(directory, recorded=True)
        self.ledger, self.given = ledger, 0

    def give(self):
        wire = Wire(self.ledger)
        socket.send_fds(self.sock, [struct.pack("<HH", LEDGER, 0)], [wire.sock.fileno()])
        wire.sock.close()
        self.given += 1

    def ask(self, number, body, expected):
        self.say(number, body)
        got, answer = self.hear()
        while got == UNRECORDED:
            self.give()
            self.say(number, body)
            got, answer = self.hear()
        assert got == expected, f"{got} and not {expected}"
        return answer


def log_of(person):
    return Log(person.place, f"{person.state}/ledger")


def words(one):
    body = one["body"]
    return (one["type"], body["op"], body["verdict"])


def numbers(entries):
    return [e["body"]["step"] for e in entries]


def a_ledger(place):
    """Of a fresh directory, which an event made."""
    ledger = Log(place, os.path.join(place.fresh(), "ledger"))
    ledger.tree = place.fresh()
    expect_ok(ledger.run("--", "true"))
    return ledger


# ---- what is recorded ----


def a_question_and_its_answer_are_recorded(place):
    p = Person(place)
    question = p.ask()
    assert p.yes(question).returncode == 0 and p.reads() == "x\n"
    log = log_of(p)
    steps = log.steps()
    assert [words(e) for e in steps] == [("request", "restart", "allowed"), ("request", "open", "allowed"), ("grant", "give", "allowed"), ("ask", "use", "asks"),
                                         ("approve", "answer", "allowed"), ("decision", "use", "allowed")], [words(e) for e in steps]
    assert numbers(steps) == list(range(1, 7)), numbers(steps)
    _, opened, granted, asked, approved, used = (e["body"] for e in steps)
    assert opened["agent"] == "-" and opened["badge"].startswith("b_") and all(b["badge"] == opened["badge"] for b in (granted, asked, approved, used))
    assert granted["object"] == f"{p.top}/conf" and granted["verb"] == "write" and granted["flags"] == ["ask"], granted
    assert steps[2]["grant"] and all(e["grant"] == steps[2]["grant"] for e in steps[3:])
    assert asked["approval"] == approved["approval"] == question and asked["digest"] == approved["digest"] == used["digest"], (asked, approved)
    # the person's own words, which anybody verifies who knows the key
    assert approved["signer"] == "default" and approved["flags"] == ["yes"]
    assert question in approved["statement"] and approved["digest"] in approved["statement"] and approved["realm"] in approved["statement"], approved["statement"]
    assert_signed(place, approved)
    assert len({e["body"]["realm"] for e in steps}) == 1
    expect_ok(log.ambit("verify"))
    assert replayed(place, log) == (6, 0, 0)
    assert "6 steps of the authority made once more: 6 agree" in expect_ok(log.ambit("replay")).stdout
    shown = expect_ok(log.ambit("show")).stdout
    assert f"approval={question}" in shown and "signer=default" in shown and "request=" not in shown, shown


def assert_signed(place, body):
    """By another program: OpenSSH's."""
    top = place.fresh()
    key = bytes.fromhex(body["signed_with"])
    blob = struct.pack(">I", 11) + b"ssh-ed25519" + struct.pack(">I", len(key)) + key
    armour = body["signature"]
    for name, content in (("allowed", f"person ssh-ed25519 {base64.b64encode(blob).decode()}\n"),
                          ("sig", "-----BEGIN SSH SIGNATURE-----\n" + "\n".join(armour[i:i + 70] for i in range(0, len(armour), 70)) + "\n-----END SSH SIGNATURE-----\n")):
        with open(f"{top}/{name}", "w", encoding="utf-8") as file:
            file.write(content)
    check = (*(() if has_line() else ("unshare", "-r")), "ssh-keygen", "-Y", "verify", "-f", f"{top}/allowed", "-I", "person", "-n", SPACE, "-s", f"{top}/sig")
    expect_ok(place.run(*check, cwd=top, input=body["statement"]))
    assert place.run(*check, cwd=top, input=body["statement"] + "x").returncode != 0  # the twin


def what_a_connection_asked_is_recorded(place):
    """The supervisor asks, long after the keeper let go of the ledger that the library gave."""
    p = Person(place)
    with Server() as server:
        where = ("127.0.0.1", str(server.port))
        late = "import sys, time; time.sleep(1.5)\n" + CALL

        def call(*flags):
            return p.ambit("run", *flags, "--connect", f"127.0.0.1:{server.port} ask=true", "--", "/usr/bin/python3", "-c", late, *where)

        question = refused_and_asked(call())
        allow(p, question)
        expect_ok(call())
        assert server.came == ["hello"]
        steps = log_of(p).steps()
        assert [words(e) for e in steps if e["type"] in ("ask", "approve", "decision")] == [
            ("ask", "use", "asks"), ("approve", "answer", "allowed"), ("decision", "use", "allowed")], [words(e) for e in steps]
        assert all(e["body"]["object"] == f"127.0.0.1:{server.port}" for e in steps if e["type"] in ("ask", "decision")), steps
        assert "agree" in expect_ok(log_of(p).ambit("replay")).stdout
        refused_and_asked(call("--no-ledger"))  # the twin: it goes on, and nothing of it is there
        assert log_of(p).steps() == steps


def each_kind_of_step_has_its_entry(place):
    ledger = a_ledger(place)
    with Kept(place) as kept, Recorded(kept.directory, ledger) as c:
        badge = c.made(opening("coder"))
        label = c.number(LABEL_NAME, text("finance"))
        grant = c.made(giving(badge, terms="", limits=bounds(uses=5, rows=7)))
        derived = c.made(deriving(badge, grant, limits=bounds(uses=2, rows=7)))
        c.step(using(badge, derived)).is_(ALLOWED)
        c.step(labelling(badge, 1 << label)).is_(ALLOWED)
        c.step(op(FREEZE, ref(0))).is_(ALLOWED)
        c.step(op(THAW, ref(0))).is_(ALLOWED)
        late = c.made(giving(badge, thing="s/late", limits=bounds(until=int(time.time()) + 2)))
        c.step(using(badge, late, thing="s/other"))  # refused, and nothing of it is kept
        c.step(op(REVOKE, ref(grant))).is_(ALLOWED)
        time.sleep(3)  # the clock ends `late`, while nobody asks for anything
        c.step(op(END, ref(badge))).is_(ALLOWED)
        steps = ledger.steps()
    assert [words(e) for e in steps] == [("request", "restart", "allowed"), ("request", "open", "allowed"), ("grant", "give", "allowed"), ("derive", "derive", "allowed"),
                                         ("decision", "use", "allowed"), ("label", "label", "allowed"), ("freeze", "freeze", "allowed"), ("thaw", "thaw", "allowed"),
                                         ("grant", "give", "allowed"), ("revoke", "revoke", "allowed"), ("expire", "time", "allowed"), ("request", "end", "allowed")], [words(e) for e in steps]
    assert numbers(steps) == list(range(1, 13)), numbers(steps)
    by = {e["body"]["op"]: e for e in steps}
    first = steps[2]
    assert first["body"]["qualifiers"] == {"uses": 5} and first["body"]["rows"] == 7 and first["body"]["verb"] == "tool" and first["body"]["object"] == "s/shell", first
    assert by["derive"]["body"]["of"] == first["grant"] != by["derive"]["grant"] and by["use"]["grant"] == by["derive"]["grant"]
    assert by["label"]["body"]["labels"] == ["finance"]
    assert by["revoke"]["grant"] == first["grant"] and by["revoke"]["body"]["closed"] == [by["derive"]["grant"], first["grant"]], by["revoke"]
    assert by["time"]["body"]["closed"] == [steps[8]["grant"]], by["time"]
    assert by["end"]["body"]["badge"] == by["open"]["body"]["badge"]
    for e in steps:  # the request itself: its op, first of all
        assert base64.b64decode(e["body"]["request"])[0] == {"restart": 19, "open": 1, "give": 2, "derive": 3, "use": 8, "label": 14, "freeze": 12, "thaw": 13, "revoke": 4, "time": 0,
                                                             "end": 5}[e["body"]["op"]], e
    ledger.believed()
    assert replayed(place, ledger) == (12, 0, 0)


def whatever_a_step_has_stands_in_its_entry(place):
    """All that a request can have, also of the greatest length: what is not canonical, or too long, the ledger would refuse."""
    ledger = a_ledger(place)
    with Kept(place) as kept, Recorded(kept.directory, ledger) as c:
        label = c.number(LABEL_NAME, text("finance"))
        other = c.made(opening("other", labels=2))
        badge = c.made(opening("coder", labels=1, limits=bounds(uses=50, bytes=1000, rows=9, rate=5, period=60)))
        window = (0, 1439, "UTC")
        where = "where='" + json.dumps({f"a{i}": ["x" * 110] for i in range(30)}, separators=(",", ":"), sort_keys=True) + "'"
        wide = c.made(giving(badge, labels=1 << label, unless=(2, 1 << label | 2), flags=2, limits=bounds(uses=9, bytes=90, until=int(time.time()) + 999, window=window), verb=QUERY, thing="\u00e9" * 100))
        tool = c.made(giving(badge, thing="s/" + "t" * 100, terms=where))
        delegate = c.made(giving(badge, verb=DELEGATE, thing="*", depth=2))
        sub = c.made(opening("sub", parent=badge, grant=delegate, event=bytes(15) + b"2"))
        derived = c.made(deriving(badge, wide, to=sub, labels=1 << label, unless=(2, 1 << label | 2), limits=bounds(uses=3, bytes=9, until=int(time.time()) + 99, window=window),
                                  verb=QUERY, thing="\u00e9" * 100))
        arguments = "".join(argument(f"a{i}", "x" * 110) for i in range(30)) + "".join(argument(f"b{i}", "y" * 120) for i in range(80))
        c.step(using(badge, tool, arguments=arguments)).is_(ALLOWED)
        c.step(using(sub, derived, verb=QUERY, digest=b"d" * 32, key=b"k" * 32, bytes=7, rows=0)).is_(ALLOWED)
        c.step(op(RETURN, ref(sub), ref(derived), ref(3), ref(0))).is_(ALLOWED)
        c.step(marking(badge, "/tmp/x")).is_(ALLOWED)
        c.step(op(AGENT, bounds(uses=100), text("coder"))).is_(ALLOWED)
        c.step(taking(badge, other)).is_(ALLOWED)
        c.step(op(HAND_OVER, ref(badge), ref(sub))).is_(ALLOWED)
        c.step(op(FREEZE, ref(sub))).is_(ALLOWED)
        c.step(op(END, ref(badge))).is_(ALLOWED)
        steps = ledger.steps()
        assert numbers(steps) == list(range(1, len(steps) + 1)), numbers(steps)
        by = {e["body"]["op"]: e["body"] for e in steps}
        assert by["derive"]["unless"] == [["untrusted"], ["untrusted", "finance"]] and by["derive"]["to"] == by["hand-over"]["to"] and by["derive"]["window"].endswith("UTC"), by["derive"]
        assert by["give"]["verb"] == "delegate" and by["give"]["depth"] == 2 and by["agent"]["qualifiers"] == {"uses": 100}
        assert any(e["body"].get("where") == where for e in steps)
        assert by["return"]["bytes"] == 3 and by["mark"]["object"] == "/tmp/x" and by["open"]["event"].startswith("e_") and by["open"]["of"] == by["take"]["badge"] != by["take"]["to"]
        ledger.believed()
        assert replayed(place, ledger) == (len(steps), 0, 0)


def what_brought_a_label_is_told_with_its_event(place):
    """Without one none is told, also not the one that a sub-agent came with."""
    ledger = a_ledger(place)
    with Kept(place) as kept, Recorded(kept.directory, ledger) as c:
        top, other = c.made(opening("coder", labels=4)), c.made(opening("other"))
        delegate = c.made(giving(top, verb=DELEGATE, thing="*", depth=2))
        tool = c.made(giving(top, labels=8))
        sub = c.made(opening("sub", parent=top, grant=delegate, event=bytes(15) + b"2"))
        lent = c.made(deriving(top, tool, to=sub, labels=8))
        for event in (bytes(16), bytes(15) + b"1"):
            new = 1 if event == bytes(16) else 2
            for request in (labelling(sub, new, event=event), using(sub, lent, event=event), taking(other, sub, event=event), marking(sub, "/tmp/x", labels=new, event=event)):
                c.step(request).is_(ALLOWED)
            late = c.made(opening("late"))
            c.made(giving(late, verb=READ, thing="/var/x", labels=1))
            c.step(entering(late, event=event)).is_(ALLOWED)
        told_of = {"label": [], "use": [], "take": [], "mark": [], "enter": []}
        for e in ledger.steps():
            told_of.get(e["body"]["op"], []).append(e["body"].get("event"))
        assert all(events == [None, id_text("e", bytes(15) + b"1")] for events in told_of.values()), told_of
        ledger.believed()
        assert replayed(place, ledger)[1:] == (0, 0)


def argument(path, value):
    """core/where.h: as where_put writes one"""
    return (b"\0" + text(path) + text(value)).decode("ascii")


def two_steps_of_two_are_in_the_order_of_their_numbers(place):
    ledger = a_ledger(place)
    with Kept(place) as kept, Recorded(kept.directory, ledger) as a, Recorded(kept.directory, ledger) as b:
        badge = a.made(opening())
        grant = a.made(giving(badge))
        for _ in range(50):
            a.step(using(badge, grant)).is_(ALLOWED)
            b.step(using(badge, grant)).is_(ALLOWED)
        assert numbers(ledger.steps()) == list(range(1, 104))
        assert replayed(place, ledger) == (103, 0, 0)
        assert a.given <= 2 and b.given <= 2, (a.given, b.given)  # one connection serves many


# ---- made again ----


def replayed(place, log):
    """How many agree, differ, and stand behind a gap."""
    done = place.run(place.ambit, "ledger", "replay", "--json", "--ledger", log.dir, cwd=place.top)
    answer = json.loads(done.stdout)
    steps = answer["steps"]
    assert (done.returncode == 0) == (steps["differ"] == 0), told(done)
    return steps["agree"], steps["differ"], answer["not_derived"]["steps_behind_a_gap"]


def forged(place, entries):
    """A log of these, signed by a key that the test has."""
    top = place.fresh()
    log = Log(place, f"{top}/ledger")
    with open(f"{top}/entries", "w", encoding="utf-8") as file:
        file.write("".join(canonical({**one, "seq": i}) + "\n" for i, one in enumerate(entries)))
    os.mkdir(log.dir)
    done = expect_ok(place.run(place.given(2), log.log, "ambit.test/authority", str(len(entries)), "50", "1000", f"from={top}/entries", cwd=top))
    with open(f"{log.log}/key.pub", "w", encoding="utf-8") as file:
        file.write(done.stdout.splitlines()[0] + "\n")
    return log


def renumbered(one, step):
    one = copy.deepcopy(one)
    one["body"]["step"] = step
    return one


def changed(steps, which, key, value):
    """One member of one body, or of the entry itself."""
    steps = copy.deepcopy(steps)
    part = steps[which] if key in ("type", "grant") else steps[which]["body"]
    assert part.get(key) != value
    part[key] = value
    return steps


def who_has_the_key_and_changes_a_step_is_seen(place):
    p = Person(place)
    assert p.yes(p.ask()).returncode == 0
    steps = log_of(p).steps()
    assert replayed(place, forged(place, steps)) == (6, 0, 0)  # the twin
    restart, opened, given, asked, answered, used = range(6)
    request = bytearray(base64.b64decode(steps[given]["body"]["request"]))
    request[-1] ^= 1  # the last letter of the object
    signature = bytearray(base64.b64decode(steps[answered]["body"]["signature"]))
    signature[-1] ^= 1
    statement = steps[answered]["body"]["statement"]
    for which, key, value, differ in (
            (used, "verdict", "denied", 1), (used, "why", "already", 1), (used, "digest", "0" * 64, 1), (used, "badge", "b_" + "0" * 26, 1), (given, "object", "/etc", 1),
            (given, "verb", "read", 1), (given, "type", "derive", 1), (given, "grant", "g_" + "0" * 26, 1), (asked, "approval", "a_" + "0" * 26, 1), (asked, "flags", [], 1),
            (answered, "flags", ["stop"], 1), (answered, "until", "2030-01-01T00:00:00.000Z", 1), (opened, "agent", "another", 1), (restart, "op", "time", 1),
            (given, "request", base64.b64encode(request).decode(), 3),  # and what was used is another thing, then
            (answered, "signature", base64.b64encode(signature).decode(), 1), (answered, "signed_with", "ab" * 32, 1),
            (answered, "statement", statement.replace("grant", "deny"), 1), (answered, "statement", statement + "x", 1), (answered, "signer", "mallory", 0)):
        agree, differs, lost = replayed(place, forged(place, changed(steps, which, key, value)))
        assert lost == 0 and agree + differs == 6 and (differs > 0) == (differ > 0), (which, key, value, agree, differs, lost)
        assert differ > 1 or differs == differ, (which, key, differs)
    # another answer of theirs, which the same key signed, in the place of this one
    assert p.signed("approve", question := p.ask("echo y > conf/a"), "--deny", "--digest", p.digest(question)).returncode == 0
    other = log_of(p).steps()[-1]["body"]
    assert other["op"] == "answer" and "deny" in other["statement"], other
    exchanged = changed(changed(steps, answered, "statement", other["statement"]), answered, "signature", other["signature"])
    assert replayed(place, forged(place, exchanged)) == (5, 1, 0)
    without = [steps[i] for i in range(6) if i != answered]
    assert replayed(place, forged(place, without)) == (4, 0, 1)
    # a yes that nobody gave: the number is right, and the rest is as it would be
    stolen = changed(steps, answered, "step", 99)
    del stolen[answered]["body"]["statement"], stolen[answered]["body"]["signature"]
    stolen[answered]["body"]["step"] = steps[answered]["body"]["step"]
    assert replayed(place, forged(place, stolen))[1] == 1


# ---- where there is none ----


def without_a_ledger_nothing_is_recorded_and_all_goes_on(place):
    place.settings["AMBIT_LEDGER"] = "none"
    try:
        p = Person(place)
        question = p.ask()
        assert p.yes(question).returncode == 0 and p.reads() == "x\n"
        assert not os.path.exists(f"{p.state}/ledger")
    finally:
        del place.settings["AMBIT_LEDGER"]


def no_log_no_effect(place):
    """A ledger that cannot be had refuses each step: by the library, and by the keeper."""
    p = Person(place)
    question = p.ask()
    place.settings["AMBIT_LEDGER"] = "/proc/none/ledger"
    try:
        result = p.yes(question)
        assert result.returncode == 125 and "ledger" in result.stderr and p.reads() == "a\n", told(result)
    finally:
        del place.settings["AMBIT_LEDGER"]
    assert [q["approval"] for q in p.asked()] == [question], "it was answered"
    assert p.yes(question).returncode == 0 and p.reads() == "x\n"  # the twin


def refuses(c, request, code, words_of_it):
    try:
        answer = c.step(request)
        raise AssertionError(f"taken: {answer}")
    except Said as said:
        assert said.args[2] == REFUSED and said.args[0] == code and words_of_it in said.args[1], said.args


def a_ledger_that_says_nothing_refuses_and_holds_up_nobody_for_long(place):
    ledger = a_ledger(place)
    with Kept(place) as kept, Recorded(kept.directory, ledger) as c, kept.client() as other:
        badge = c.made(opening())
        pid = ledger.holder()
        os.kill(pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            refuses(c, giving(badge), GONE, "in the ledger; nothing was changed")
            assert time.monotonic() - begun < SLOW * 9
            other.made(opening("other"))  # whose steps nobody records
        finally:
            os.kill(pid, signal.SIGCONT)
        grant = c.made(giving(badge))  # the twin
        c.step(using(badge, grant)).is_(ALLOWED)


def a_socket_that_is_no_ledger_is_told(place):
    with Kept(place) as kept, Recorded(kept.directory, None) as c:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        c.give = lambda: socket.send_fds(c.sock, [struct.pack("<HH", LEDGER, 0)], [theirs.fileno()])
        c.say(STEP, struct.pack("<I", 0) + opening())
        assert c.hear()[0] == UNRECORDED
        c.give()
        c.say(STEP, struct.pack("<I", 0) + opening())
        assert struct.unpack("<HH", ours.recv(70000)[:4]) == (APPEND, 0)
        ours.send(b"nonsense")
        try:
            c.hear()
            raise AssertionError("it was believed")
        except Said as said:
            assert said.args[2] == REFUSED and "ledger" in said.args[1], said.args
        with kept.client() as other:
            assert other.steps == 1, "a step was kept"  # the restart


def who_is_bound_does_not_say_that_nothing_is_recorded(place):
    ledger = a_ledger(place)
    with Kept(place) as kept, Recorded(kept.directory, ledger) as c, Recorded(kept.directory, ledger) as b:
        badge = c.made(opening())
        grant = c.made(giving(badge))
        b.number(BIND, ref(badge))
        b.step(using(badge, grant)).is_(ALLOWED)  # the twin
        b.say(LEDGER)
        try:
            b.step(using(badge, grant))
            raise AssertionError("it was taken")
        except (Said, Gone):
            pass
        assert [words(e)[1] for e in ledger.steps()] == ["restart", "open", "give", "use"]


def a_full_disk_of_the_ledger_refuses(place):
    ledger = Log(place, os.path.join(place.fresh(), "ledger"))
    ledger.tree = place.fresh()
    with ledger.on_a_small_disk():
        expect_ok(ledger.run("--", "true"))
        with Kept(place) as kept, Recorded(kept.directory, ledger) as c:
            badge = c.made(opening())
            grant = c.made(giving(badge))
            done = 1
            c.step(using(badge, grant)).is_(ALLOWED)
            with ledger.full():
                refused = None
                while refused is None and done < 2000:
                    try:
                        c.step(using(badge, grant)).is_(ALLOWED)
                        done += 1
                    except Said as said:
                        refused = said
                    except OSError:  # the ledger ended, and its socket with it
                        break
                assert refused is not None and refused.args[2] == REFUSED, done
            with kept.client() as other:
                assert other.steps == 3 + done, (other.steps, done)  # restart, open, give


def who_tells_of_the_authority_tells_nothing_else(place):
    ledger = a_ledger(place)
    for number, body in ((PRUNE, bytes(24)), (ROTATE, b""), (APPEND, b"\0" + entry("start", "{}", event="")), (APPEND, b"\0" + entry("policy", "{}", event="")),
                         (APPEND, b"\0" + entry("ask", "{}"))):
        wire = Wire(ledger)
        assert wire.append(entry("ask", "{}", event=""))[0] == ACCEPTED
        assert wire.append(entry("declassify", "{}", event="", grant="g_" + "0" * 26))[0] == ACCEPTED  # the twin
        wire.say(number, body)
        assert wire.hear()[0] == FAILED, (number, body)
        wire.sock.close()


# ---- while others have to do with the ledger ----


def an_idle_keeper_does_not_hold_up_a_rotation(place):
    ledger = a_ledger(place)
    with Kept(place) as kept, Recorded(kept.directory, ledger) as c:
        badge = c.made(opening())
        done = ledger.ambit("rotate")
        assert done.returncode != 0 and "being recorded" in done.stderr, told(done)  # the twin: just now it has a connection
        until(lambda: ledger.ambit("rotate").returncode == 0, "a rotation")
        expect_ok(ledger.run("--", "true"))
        given = c.given
        c.made(giving(badge))  # and it goes on, in the other log
        assert c.given == given + 1
        assert [words(e)[1] for e in ledger.steps()] == ["give"]
    expect_ok(ledger.ambit("verify"))


def a_ledger_that_ended_is_begun_again(place):
    p = Person(place)
    question = p.ask()
    log = log_of(p)
    kill(log)
    until(lambda: log.holder() is None, "the end of the ledger's process")
    assert p.yes(question).returncode == 0 and p.reads() == "x\n"
    assert [words(e)[1] for e in log.steps()][-2:] == ["answer", "use"]


def a_death_between_the_ledger_and_the_journal_is_seen_by_the_numbers(place):
    """The entry comes first. If the step did not happen then, another one has its number, and that one counts."""
    ledger = a_ledger(place)
    with Kept(place) as kept:
        with Recorded(kept.directory, ledger) as c:
            badge = c.made(opening())
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            wire = Wire(ledger)
            time.sleep(1.5)  # so it asks for another connection: this one, which dies with it
            c.say(STEP, struct.pack("<I", 0) + giving(badge, thing="s/lost"))
            assert c.hear()[0] == UNRECORDED
            socket.send_fds(c.sock, [struct.pack("<HH", LEDGER, 0)], [theirs.fileno()])
            c.say(STEP, struct.pack("<I", 0) + giving(badge, thing="s/lost"))
            wire.sock.send(ours.recv(70000))  # the ledger has it, and the keeper does not hear that
            assert wire.hear()[0] == ACCEPTED
            wire.sock.close()
            kept.kill()
        found, said = kept.hold()
        assert said == "open 0", said
        with Recorded(kept.directory, ledger) as c:
            c.step(using(badge, c.made(giving(badge, thing="s/kept")))).is_(ALLOWED)  # in the row that the lost one would have
        steps = ledger.steps()
        assert [(e["body"]["step"], e["body"]["op"], e["body"].get("object")) for e in steps] == [
            (1, "restart", None), (2, "open", None), (3, "give", "s/lost"), (3, "restart", None), (4, "give", "s/kept"), (5, "use", None)], steps
        assert replayed(place, ledger) == (6, 0, 0)
        # the twin: had it happened, the restart would be the fourth, and what was given then the fifth
        happened = [*steps[:3], renumbered(steps[3], 4), renumbered(steps[4], 5)]
        assert replayed(place, forged(place, happened)) == (5, 0, 0)
        assert replayed(place, forged(place, [*steps[:3], renumbered(steps[4], 5)])) == (3, 0, 1)  # and one that is missing


def what_the_authority_did_is_of_no_event(place):
    """Reports and exports of events are as they were: a decision of the authority is no start that was refused, and its grants are no event's."""
    p = Person(place)
    p.yes(p.ask())
    log = log_of(p)
    count = len(log.steps())
    report = expect_ok(log.ambit("report", "--text")).stdout
    ends = re.search(r"Ends of events\n.*\n((?: +\d.*\n)*)", report)[1].splitlines()
    assert len(ends) == 1 and "exited" in ends[0], report
    assert re.search(rf" 1 +1 +1  write +{p.top}/conf\n", report), report
    lines = [json.loads(line) for line in expect_ok(log.ambit("export", "--ocsf")).stdout.splitlines()]
    of_authority = [line for line in lines if '"realm"' in json.dumps(line)]
    assert len(of_authority) == count, (len(of_authority), count)
    for line in of_authority:
        assert "process" not in line and "correlation_uid" not in line["metadata"], line
    assert '"realm"' not in expect_ok(log.ambit("export", "--otlp")).stdout


SCENARIOS = [
    the_verifier_is_there,
    a_question_and_its_answer_are_recorded,
    what_a_connection_asked_is_recorded,
    each_kind_of_step_has_its_entry,
    whatever_a_step_has_stands_in_its_entry,
    what_brought_a_label_is_told_with_its_event,
    two_steps_of_two_are_in_the_order_of_their_numbers,
    who_has_the_key_and_changes_a_step_is_seen,
    without_a_ledger_nothing_is_recorded_and_all_goes_on,
    no_log_no_effect,
    a_ledger_that_says_nothing_refuses_and_holds_up_nobody_for_long,
    a_socket_that_is_no_ledger_is_told,
    who_is_bound_does_not_say_that_nothing_is_recorded,
    who_tells_of_the_authority_tells_nothing_else,
    a_full_disk_of_the_ledger_refuses,
    an_idle_keeper_does_not_hold_up_a_rotation,
    a_ledger_that_ended_is_begun_again,
    a_death_between_the_ledger_and_the_journal_is_seen_by_the_numbers,
    what_the_authority_did_is_of_no_event,
]

if __name__ == "__main__":
    main(SCENARIOS)
