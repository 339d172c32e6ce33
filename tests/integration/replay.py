#!/usr/bin/env python3
"""Decisions of the ledger made once more, and under another policy.

usage: replay.py AMBIT WRITE_LOG GOLDEN    (TAP on standard output; as root once more as an ordinary user)
"""

import copy
import hashlib
import json
import os
import shutil

from harness import main, once, told, write

NAME = "ambit.test/replay"
BEGAN = 1790000000
NOT_DERIVED = {"refused_starts": 0, "changes": 0, "answers": 0, "not_known": 0, "beginning_not_there": 0, "too_many_open": 0,
               "steps_behind_a_gap": 0, "steps_too_many": 0}


def canonical(entry):
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Ledger:
    """A log of entries as they are given, signed by a key that the test has."""

    def __init__(self, place, entries):
        self.place, top = place, place.fresh()
        self.dir = os.path.join(top, "ledger")
        self.log = os.path.join(self.dir, "log")
        writer = place.given(1)
        write(os.path.join(top, "entries"), "".join(canonical({**entry, "seq": i}) + "\n" for i, entry in enumerate(entries)))
        os.mkdir(self.dir)
        done = place.run(writer, self.log, NAME, str(len(entries)), "50", "1000", f"from={top}/entries", cwd=top)
        assert done.returncode == 0, told(done)
        write(f"{self.log}/key.pub", done.stdout.splitlines()[0] + "\n")

    def replay(self, *words, status=0):
        return replay(self.place, self.dir, *words, status=status)


def replay(place, ledger, *words, status=0):
    done = place.run(place.ambit, "ledger", "replay", "--json", "--ledger", ledger, *words, cwd=place.top)
    assert done.returncode == status, told(done)
    return json.loads(done.stdout)


def found(answer):
    return [one for event in answer["events"] for one in event["found"]]


def policy(place, *lines):
    path = os.path.join(place.fresh(), "policy.yaml")
    write(path, "version: 1\ngrants:\n" + "".join(f"  - {line}\n" for line in lines))
    return path


# ---- events that are made up ----


def an_id(prefix, n, at=0):
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    whole = ((BEGAN + at) * 1000 << 80) | n
    return f"{prefix}_" + "".join(digits[whole >> 5 * i & 31] for i in reversed(range(26)))


def entry(kind, event, body, grant=None, at=0):
    minutes, seconds = divmod(at, 60)
    return {"body": body, "boot": "7e9b1c52-0a4d-4f63-9d1e-3c5a8b7f6e21", "event": an_id("e", event, at), "grant": grant, "seq": 0,
            "t_mono": at, "t_wall": f"2026-09-21T14:{13 + minutes:02}:{20 + seconds:02}.000Z", "type": kind, "v": 1}


def effect(event, verdict, kind, path, *facts, grant=None, base=False, **more):
    body = {"base": base, "count": 1, "facts": list(facts), "kind": kind, "object": path, "source": "requested", "verdict": verdict}
    return entry("effect", event, {**body, **more}, an_id("g", grant) if grant is not None else None)


def an_event(event, grants, *effects, at=0, **more):
    """Grants are words and paths; the number of each is that of its id."""
    request = {"argc": 1, "argv": ["make"], "base": "system", "home": "/home/ann", "limits": {}, "observe": "full",
               "program": "/usr/bin/make", "staged": True, "without": [], "workdir": "/home/ann/work"}
    return [*(entry("grant", event, {"object": path, "optional": False, "verb": verb}, an_id("g", i), at)
              for i, (verb, path) in enumerate(grants)),
            entry("request", event, {**request, **more}, at=at), entry("start", event, {"wall": {}}, at=at),
            *({**one, "event": an_id("e", event, at)} for one in effects), entry("stop", event, {"cause": "exited", "exit": 0}, at=at)]


WORK = [("work", "/home/ann/work"), ("read", "/srv/data")]
PLAIN = [effect(0, "allowed", "read", "/srv/data/x", grant=1), effect(0, "allowed", "write", "/home/ann/work/out", grant=0),
         effect(0, "denied", "read", "/etc/shadow", "there")]


# ---- the same again ----


def what_ran_is_derived_again(place):
    tree = place.fresh()
    ledger = os.path.join(place.fresh(), "ledger")
    write(f"{place.home}/.netrc", "secret\n")
    write(f"{tree}/.env", "A=1\n")
    script = f"""echo 1 > made; cat made .env /etc/shadow {place.home}/.netrc; mkdir -p ~/.cache; echo 2 > ~/.cache/x; cat ~/.cache/x
                 echo 3 > ~/notes; cat ~/notes; echo > /etc/new; printf '#!/bin/sh\\n' > /tmp/t; chmod +x /tmp/t; /tmp/t; mkdir -p d/e /srv/x
                 printf '#!/bin/sh\\n' > t; chmod +x t; ./t; mv made moved; rm moved; cat {ledger}/ledger.key; true"""
    done = place.cell("--ledger", ledger, "--work", ".", "--", "sh", "-c", script, cwd=tree)
    assert done.returncode == 0, told(done)
    shown = place.run(place.ambit, "ledger", "show", "--json", "--type", "effect", "--ledger", ledger, cwd=tree).stdout
    effects = [one["body"] for one in map(json.loads, shown.splitlines()) if one["body"]["source"] == "requested"]
    said = {(one["kind"], one["verdict"]) for one in effects}
    assert said >= {("read", "denied"), ("read", "denied-hidden"), ("exec", "denied-written"), ("write", "denied-new"), ("write", "allowed"),
                    ("exec", "allowed"), ("rename", "allowed")}, said
    assert {fact for one in effects for fact in one["facts"]} >= {"there", "above", "base", "private", "unseen", "written"}, effects
    answer = replay(place, ledger)
    assert (answer["agree"], answer["differ"], answer["seen"]) == (len(effects), 0, 1) and answer["events"] == [], answer
    assert answer["not_derived"]["changes"] > 0 and answer["log"]["verified"], answer
    plain = place.run(place.ambit, "ledger", "replay", "--ledger", ledger, cwd=tree)
    assert plain.returncode == 0 and f"{len(effects)} agree, 0 differ" in plain.stdout and "verified: " in plain.stdout, told(plain)


def what_was_recorded_once_is_still_derived(place):
    """A log of real events, as the first program with this format wrote it."""
    golden = os.path.join(place.fresh(), "golden")
    shutil.copytree(place.given(2), golden)
    answer = replay(place, golden)
    assert (answer["agree"], answer["differ"], answer["seen"]) == (202, 0, 9), answer
    assert answer["not_derived"] == {**NOT_DERIVED, "changes": 16} and answer["log"]["verified"], answer


what_was_recorded_once_is_still_derived.always = True


def what_was_written_otherwise_differs(place):
    """By somebody who has the key: the log is what was signed, and is no ledger's work."""
    good = an_event(1, WORK, *PLAIN)
    assert Ledger(place, good).replay()["agree"] == 3
    for where, how in [(4, {"verdict": "denied"}), (6, {"verdict": "allowed"}), (6, {"verdict": "denied-new"}), (6, {"facts": []}),
                       (4, {"facts": ["unseen"]}), (5, {"base": True}), (5, {"object": "/home/ann/worked"}), (4, {"kind": "write"})]:
        bad = copy.deepcopy(good)
        bad[where]["body"].update(how)
        answer = Ledger(place, bad).replay(status=1)
        assert (answer["agree"], answer["differ"]) == (2, 1) and answer["log"]["verified"], answer
        one, = found(answer)
        assert (one["entry"], one["what"]) == (where, "differs") and answer["events"][0]["event"] == an_id("e", 1), one
    bad = copy.deepcopy(good)
    bad[4]["grant"] = an_id("g", 0)
    one, = found(Ledger(place, bad).replay(status=1))
    assert (one["entry"], one["recorded"]["grant"], one["derived"]["grant"]) == (4, "work: /home/ann/work", "read: /srv/data"), one
    plain = place.run(place.ambit, "ledger", "replay", "--ledger", Ledger(place, bad).dir, cwd=place.top)
    assert plain.returncode == 1 and "entry 4 DIFFERS: read /srv/data/x: recorded as allowed by work:" in plain.stdout, told(plain)
    fewer = good[:1] + good[2:]  # without a grant that an effect names
    assert [one["entry"] for one in found(Ledger(place, fewer).replay(status=1))] == [3]


def what_is_not_as_signed_is_not_derived(place):
    log = Ledger(place, an_event(1, WORK, *PLAIN))
    path = f"{log.log}/tile/entries/000.p/8"
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(data.replace(b"/etc/shadow", b"/etc/shadoW"))
    answer = log.replay(status=1)
    assert (answer["agree"], answer["differ"], answer["log"]["verified"]) == (2, 0, False), answer
    assert [fault["entry"] for fault in answer["log"]["faults"]] == [6], answer["log"]
    with open(f"{log.log}/tile/0/000.p/8", "r+b") as file:  # and its hash with it: none of them leads to the root
        at = data.index(b'{"body":', data.index(b"/etc/shadow") - 100)
        length = int.from_bytes(data[at - 2 : at], "big")
        file.seek(6 * 32)
        file.write(hashlib.sha256(b"\0" + data[at : at + length].replace(b"shadow", b"shadoW")).digest())
    answer = log.replay(status=1)
    assert (answer["agree"], answer["differ"], answer["log"]["verified"]) == (0, 0, False), answer
    plain = place.run(place.ambit, "ledger", "replay", "--ledger", log.dir, cwd=place.top)
    assert plain.returncode == 1 and "NOT verified" in plain.stdout, told(plain)


def what_cannot_be_derived_is_counted_as_that(place):
    def without(one, *keys):
        return {**one, "body": {key: value for key, value in one["body"].items() if key not in keys}}

    def counts(entries, agree=0, **not_derived):
        answer = Ledger(place, entries).replay()
        assert (answer["agree"], answer["differ"]) == (agree, 0), answer
        assert answer["not_derived"] == {**NOT_DERIVED, **not_derived}, answer["not_derived"]

    good = an_event(1, WORK, *PLAIN)
    refused = entry("decision", 2, {"code": "denied", "message": "no", "verdict": "refused"})
    counts(good + an_event(2, WORK)[:3] + [refused], agree=3, refused_starts=1)
    proved = entry("effect", 1, {"count": 1, "kind": "added", "object": "/home/ann/work/out", "source": "proved", "verdict": "held"})
    counts(good + [proved], agree=3, changes=1)
    counts(good + [entry("approve", 1, {})], agree=3, answers=1)
    counts([*good[:4], without(good[4], "facts"), *good[5:]], agree=2, not_known=1)
    counts([*good[:4], without(good[4], "verdict"), *good[5:]], agree=2, not_known=1)
    counts([*good[:4], effect(1, "allowed", "read", "/srv/data/x", "moonlight", grant=1), *good[5:]], agree=2, not_known=1)
    counts([*good[:4], effect(1, "allowed", "sing", "/srv/data/x", grant=1), *good[5:]], agree=2, not_known=1)
    counts([*good[:2], without(good[2], "home"), *good[3:]], not_known=3)
    counts(an_event(1, [*WORK, ("query", "example.com:443")], *PLAIN), not_known=3)
    counts(an_event(1, [*WORK, ("read", "srv")], *PLAIN), not_known=3)
    counts(good[3:], beginning_not_there=3)
    counts(good[:2] + good[3:], beginning_not_there=3)


def connections_are_derived_as_any_decision(place):
    """Of grants as they were written before there were qualifiers, and with them; a word that is not known is not guessed at."""
    def event(host, **more):
        made = effect(1, "allowed", "connect", f"inet {host}:443", grant=1, source="proved",
                      meter={"down_bytes": 5, "errno": None, "failed": 0, "opened": 1, "refused": 0, "stopped_by": [], "up_bytes": 7})
        entries = an_event(1, [WORK[0], ("connect", "example.com:443")], made)
        entries[1]["body"].update(more)
        return Ledger(place, entries)

    for more in ({}, {"qualifiers": {"uses": 5}}, {"qualifiers": {"bytes": 1 << 20, "ech": True, "rate": "10/m", "uses": 5}},
                 {"qualifiers": {"http": "GET /a/**, POST /b", "secret": "x as bearer", "until": "2026-12-01T00:00:00Z"}},
                 {"qualifiers": {"between": "09:00-18:00 Europe/Berlin", "uses": 5}}, {"qualifiers": {"http": "POST /a", "secret": "y as basic:me, x as form:token"}}):
        answer = event("example.com", **more).replay()
        assert (answer["agree"], answer["differ"], answer["not_derived"]) == (1, 0, NOT_DERIVED), (more, answer)
    for more in ({"qualifiers": {"moonlight": 5}}, {"qualifiers": {"uses": 0}}, {"qualifiers": {"between": "09:00-18:00"}}, {"qualifiers": {"credentials": "pass"}}, {"qualifiers": {"http": "get /a"}}, {"qualifiers": {"secret": "x as form:token, y as form:token"}},
                 {"qualifiers": 5}):
        answer = event("example.com", **more).replay()
        assert (answer["agree"], answer["not_derived"]) == (0, {**NOT_DERIVED, "not_known": 1}), (more, answer)
    answer = event("other.com", qualifiers={"between": "09:00-18:00 Europe/Berlin", "uses": 5}).replay(status=1)
    one, = found(answer)
    assert answer["differ"] == 1 and one["recorded"]["grant"] == "connect: example.com:443 uses=5 between='09:00-18:00 Europe/Berlin'", answer


@once
def events_that_are_open_at_once_are_bounded(place):
    def at_once(n):
        return [one for step in zip(*(an_event(i, WORK, *PLAIN) for i in range(n))) for one in step]

    answer = Ledger(place, at_once(64)).replay()
    assert (answer["agree"], answer["seen"], answer["not_derived"]) == (192, 64, NOT_DERIVED), answer
    answer = Ledger(place, at_once(65)).replay()  # the one that was silent for longest is the first, always
    lost = answer["not_derived"]["too_many_open"]
    assert answer["differ"] == 0 and answer["agree"] + lost == 195 and lost > 0, answer
    assert answer["not_derived"] == {**NOT_DERIVED, "too_many_open": lost}, answer


def events_are_chosen(place):
    log = Ledger(place, [*an_event(1, WORK, *PLAIN), *an_event(2, WORK, PLAIN[0], at=600)])
    assert log.replay()["agree"] == 4
    assert log.replay("--event", an_id("e", 1))["agree"] == 3
    assert log.replay("--event", "last")["agree"] == 1
    late = log.replay("--since", "2026-09-21T14:18:00Z")
    assert (late["agree"], late["not_derived"]) == (1, NOT_DERIVED), late
    for words, why in [(["--event", "e_7"], "no event"), (["--since", "soon"], "--since"), (["--denied"], "--denied")]:
        done = place.run(place.ambit, "ledger", "replay", "--ledger", log.dir, *words, cwd=place.top)
        assert done.returncode == 125 and why in done.stderr, told(done)


def hostile_names_move_no_terminal(place):
    name = "/srv/data/\u001b]0;owned\u0007\u009b2J\u202e"
    log = Ledger(place, an_event(1, WORK, effect(1, "denied", "read", name, grant=None), argv=["\u001b[2J"]))
    plain = place.run(place.ambit, "ledger", "replay", "--ledger", log.dir, cwd=place.top)
    assert plain.returncode == 1 and "DIFFERS" in plain.stdout, told(plain)
    assert not set(plain.stdout) & set("\u001b\u0007\u009b\u202e"), repr(plain.stdout)
    one, = found(log.replay(status=1))
    assert one["object"] == name, one


# ---- under another policy ----


def a_policy_is_tried_on_what_happened(place):
    data = "/var/lib"  # a place that is there, and neither the base's nor a cell's own
    granted = [("work", "/home/ann/work"), ("read", data)]
    log = Ledger(place, an_event(
        1, granted, effect(1, "allowed", "read", f"{data}/x", grant=1), effect(1, "allowed", "write", "/home/ann/work/out", grant=0),
        effect(1, "denied", "read", "/etc/shadow", "there"), effect(1, "allowed", "write", "/home/ann/notes", "private", "base", base=True),
        effect(1, "denied-new", "write", f"{data}/new", "above"), effect(1, "denied-hidden", "read", "/home/ann/work/.env", "unseen")))

    def tried(*lines, status=0):
        answer = log.replay("--policy", policy(place, *lines), status=status)
        assert (answer["agree"], answer["differ"]) == (6, 0), answer
        return [(one["entry"], one["what"], one["grant"]) for one in found(answer)], answer["policy"]

    same, of_policy = tried("work: .", f"read: {data}")
    assert same == [] and of_policy["unused"] == [] and of_policy["effects"]["same"] == 6, (same, of_policy)
    less, of_policy = tried("work: .", status=1)
    assert less == [(4, "denied", None)] and of_policy["events"] == {"denied": 1, "lost": 0, "other": 0, "allowed": 0, "not_tried": 0}, less
    one = found(log.replay("--policy", policy(place, "work: ."), status=1))[0]
    assert (one["reason"], one["flag"]) == ("ungranted", f"--read {data}/x"), one
    more, of_policy = tried("work: .", f"write: {data}", "read: /usr/share")
    assert more == [(8, "allowed", f"write: {data}")] and of_policy["unused"] == ["read: /usr/share"], (more, of_policy)
    assert of_policy["events"]["allowed"] == 1, of_policy
    part, of_policy = tried("work: ./src", f"read: {data}", status=1)
    assert part == [(5, "lost", None)] and of_policy["unused"] == ["work: ./src"], (part, of_policy)
    assert of_policy["events"]["lost"] == 1, of_policy
    own, _ = tried("work: .", f"read: [{data}, ./.env]")
    assert own == [(9, "allowed", "read: /home/ann/work/.env")], own
    nothing, of_policy = tried("env: LANG", status=1)
    assert nothing == [(4, "denied", None), (5, "lost", None)] and of_policy["unused"] == [], (nothing, of_policy)


def a_workspace_is_that_of_the_event(place):
    log = Ledger(place, [
        *an_event(1, [("work", "/home/ann/work")], effect(1, "allowed", "write", "/home/ann/work/out", grant=0)),
        *an_event(2, [("work", "/srv/two")], effect(2, "allowed", "write", "/srv/two/out", grant=0), workdir="/srv/two"),
        *an_event(3, [("work", "/srv/two")], effect(3, "allowed", "write", "/srv/two/out", grant=0), workdir="/srv/else")])
    answer = log.replay("--policy", policy(place, "work: ."), status=1)
    assert [(event["event"], [one["what"] for one in event["found"]]) for event in answer["events"]] == [(an_id("e", 3), ["denied"])], answer


def what_nobody_looked_at_is_not_guessed(place):
    """A write that was denied, in place, before anybody asked whether something there is held."""
    denied = effect(1, "denied", "write", "/home/ann/work/x", "there")
    for staged, what in [(True, "allowed"), (False, "unknown")]:
        log = Ledger(place, an_event(1, [("read", "/home/ann/work")], denied, staged=staged))
        one, = found(log.replay("--policy", policy(place, "work: .")))
        assert (one["what"], one["unknown"]) == (what, None if staged else "protected"), one
    log = Ledger(place, an_event(1, WORK, *PLAIN, base="host"))  # all of it was shown
    one, = found(log.replay("--policy", policy(place, "work: ."), status=1))[-1:]
    assert one["what"] in ("not_tried", "differs"), one


def secrets_of_a_tree_that_is_granted_now_stay_hidden(place):
    tree = place.fresh()
    reads = [effect(1, "denied", "read", f"{tree}/{name}", "there") for name in ("plain", ".env", ".ssh/id_ed25519")]
    answer = Ledger(place, an_event(1, [], *reads)).replay("--policy", policy(place, f"read: {tree}"))
    assert [(one["entry"], one["what"]) for one in found(answer)] == [(2, "allowed")], answer


def what_it_would_write_for_itself_it_reads_again(place):
    log = Ledger(place, an_event(1, WORK, effect(1, "allowed", "mkdir", "/home/ann/work/d", grant=0),
                                 effect(1, "allowed", "read", "/home/ann/work/d/x", grant=0),
                                 effect(1, "allowed", "read", "/home/ann/work/e", grant=0)))
    answer = log.replay("--policy", policy(place, "work: ./other"), status=1)
    assert [(one["entry"], one["what"]) for one in found(answer)] == [(4, "lost"), (6, "denied")], answer


def a_policy_that_is_none_is_refused(place):
    log = Ledger(place, an_event(1, WORK, *PLAIN))
    for text, why in [("version: 1\ngrants:\n  - fly: .\n", "policy.yaml:3:5"), ("version: 1\ngrants:\n  - read: /nowhere/x\n", "/nowhere/x")]:
        path = os.path.join(place.fresh(), "policy.yaml")
        write(path, text)
        done = place.run(place.ambit, "ledger", "replay", "--ledger", log.dir, "--policy", path, cwd=place.top)
        assert done.returncode == 125 and why in done.stderr and done.stdout == "", told(done)
    done = place.run(place.ambit, "ledger", "replay", "--ledger", log.dir, "--policy", "/nowhere", "--json", cwd=place.top)
    assert done.returncode == 125 and "/nowhere" in done.stdout, told(done)


if __name__ == "__main__":
    main([
        what_ran_is_derived_again, what_was_recorded_once_is_still_derived, what_was_written_otherwise_differs,
        what_is_not_as_signed_is_not_derived, what_cannot_be_derived_is_counted_as_that, connections_are_derived_as_any_decision, events_that_are_open_at_once_are_bounded,
        events_are_chosen, hostile_names_move_no_terminal, a_policy_is_tried_on_what_happened, a_workspace_is_that_of_the_event,
        what_nobody_looked_at_is_not_guessed, secrets_of_a_tree_that_is_granted_now_stay_hidden,
        what_it_would_write_for_itself_it_reads_again, a_policy_that_is_none_is_refused,
    ])
