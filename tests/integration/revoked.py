#!/usr/bin/env python3
"""What a person takes back is closed when they are told so, and stays refused until they restore it.

usage: revoked.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import json
import os
import re
import subprocess
import time

import approvals
import authority
from approvals import CALL, refused_and_asked
from harness import PATIENCE, SLOW, expect_ok, main, room_of, told, write
from labels import PYTHON, Person, Server

HELD = """import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60); s.sendall(b"before"); s.recv(100) or 1 / 0; print("in", flush=True)
try: print("came", s.recv(100) or "end", flush=True)
except OSError as e: print("broken", e.errno, flush=True)
try: socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10).recv(1) or 1 / 0; print("again")
except (OSError, ZeroDivisionError): print("closed")"""


def standing(p):
    return json.loads(expect_ok(p.ambit("grant", "list", "--standing", "--json")).stdout)["grants"]


def one(p, verb, thing):
    found = [g for g in standing(p) if (g["verb"], g["object"]) == (verb, thing)]
    assert len(found) == 1, (thing, standing(p))
    return found[0]


def with_labels(place):
    """Whose events are judged from now on."""
    p = Person(place)
    expect_ok(p.run("--agent", "first", "--env", "X=1 label=own", "--", "true"))
    return p


def begin(p, *words):
    return subprocess.Popen([p.place.ambit, "run", "--record", f"{p.home}/r", *room_of(p.place), *words], cwd=p.top, env={**p.place.environment(), "HOME": p.home},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def what_is_open_is_closed_when_it_returns(place):
    p = with_labels(place)
    with Server(holds=True) as out:
        to = f"127.0.0.1:{out.port}"
        runs = begin(p, "--agent", "coder", "--connect", to, "--", PYTHON, "-c", HELD, str(out.port))
        try:
            assert runs.stdout.readline() == "in\n", runs.stderr.read()
            grant = one(p, "connect", to)
            assert grant["agent"] == "coder" and not grant["revoked"] and grant["used"]["uses"] == 1, grant
            line = next(line for line in expect_ok(p.ambit("grant", "list", "--standing")).stdout.splitlines() if grant["grant"] in line)
            assert line == f"{grant['grant']}  {grant['stream']}  coder  connect {to} unless=private+untrusted  1 uses used", line
            live = lambda told: [g["connections"] for g in json.loads(expect_ok(told).stdout)["grants"] if g["object"] == to]
            running = [e["event"] for e in json.loads(expect_ok(p.ambit("grant", "list", "--json")).stdout)["events"]]  # those of other tests as well
            event = next(e for e in running if f'"{to}"' in p.ambit("grant", "list", e, "--json").stdout)
            listed = lambda: p.ambit("grant", "list", event, "--json")
            assert live(listed()) == [1]
            expect_ok(p.ambit("grant", "revoke", grant["grant"][:-2]), f"revoked: {grant['grant']}  connect {to}")
            after = listed()
            assert after.returncode != 0 or live(after) == [0], told(after)  # when it returned, or its event had ended by then
            said, err = runs.communicate(timeout=PATIENCE * SLOW)
        finally:
            runs.kill()
        assert "broken" in said and said.endswith("closed\n") and len(out.came) == 1, (said, err)
        assert one(p, "connect", to)["revoked"] and "  revoked\n" in expect_ok(p.ambit("grant", "list", "--standing")).stdout
        expect_ok(p.ambit("grant", "revoke", grant["grant"]), "revoked before: ")
        # whoever begins with it again is told, and what to do
        again = lambda: p.run("--agent", "coder", "--connect", to, "--", PYTHON, "-c", CALL, "127.0.0.1", str(out.port))
        result = again()
        assert result.returncode == 125 and f"the grant 'connect {to}' was revoked" in result.stderr and f"`ambit grant restore {grant['grant']}`" in result.stderr, told(result)
        expect_ok(p.run("--agent", "other", "--connect", to, "--", PYTHON, "-c", CALL, "127.0.0.1", str(out.port)))  # the twin: another stream
        assert json.loads(expect_ok(p.ambit("grant", "restore", grant["grant"], "--json")).stdout) == {"grant": grant["grant"], "result": "restored", "unconfirmed": 0}
        expect_ok(again())
        assert len(out.came) == 3
        steps = [json.loads(line) for line in expect_ok(p.ambit("ledger", "show", "--json")).stdout.splitlines()]
        assert [(s["type"], s["body"]["op"]) for s in steps if s["grant"] == grant["grant"] and s["body"].get("op") in ("revoke", "restore")] == [("revoke", "revoke"), ("grant", "restore")]
        expect_ok(p.ambit("ledger", "replay"))


def a_question_that_waits_goes_with_it(place):
    p = approvals.Person(place)
    with approvals.Server() as server:
        to = f"127.0.0.1:{server.port}"
        call = lambda: approvals.call(p, to, "127.0.0.1", str(server.port))
        question = refused_and_asked(call())
        grant = one(p, "connect", to)
        assert grant["qualifiers"] == {"ask": True, "unless": [["private", "untrusted"]]}, grant
        expect_ok(p.ambit("grant", "revoke", grant["grant"]))
        assert p.asked() == []
        result = p.signed("approve", question, "--grant", "once")
        assert result.returncode == 125 and "a_" in result.stderr, told(result)
        result = call()
        assert result.returncode == 125 and "was revoked" in result.stderr and server.came == [], told(result)
        expect_ok(p.ambit("grant", "restore", grant["grant"]))
        assert refused_and_asked(call()) != question  # no answer, and no question, came back


def what_a_sub_agent_uses_is_closed_as_well(place):
    """It has a badge and grants of its own, derived from its caller's: with that goes whatever was derived from it, however narrow."""
    with Server(holds=True) as out:
        to, wide = f"127.0.0.1:{out.port}", f"127.0.0.0/8:{out.port}"
        shell = f"{place.ambit} run --agent helper --connect {to} -- {PYTHON} -c '{HELD}' {out.port}"
        deeper = f"{place.ambit} run --agent between --connect {to} --delegate '*' --run {place.ambit} -- {shell}"
        for granted, command, revoked in ((to, shell, "-"), (wide, shell, "-"), (wide, deeper, "-"), (wide, deeper, "between"), (wide, shell, "helper")):
            p, before = with_labels(place), len(out.came)
            runs = begin(p, "--connect", granted, "--run", place.ambit, "--delegate", "* depth=2", "--", "sh", "-c", command)
            try:
                assert runs.stdout.readline() == "in\n", runs.stderr.read()
                grants = {g["agent"]: g for g in standing(p) if g["verb"] == "connect" and not g["revoked"] and g["object"] in (granted, to)}
                assert len({g["stream"] for g in grants.values()}) == len(grants) == (3 if "between" in command else 2), grants
                expect_ok(p.ambit("grant", "revoke", grants[revoked]["grant"]), "revoked: ")
                said, err = runs.communicate(timeout=PATIENCE * SLOW)
            finally:
                runs.kill()
            assert "broken" in said and "again" not in said, (granted, revoked, said, err)
            left = {g["agent"]: g["revoked"] for g in standing(p) if g["grant"] in [g["grant"] for g in grants.values()]}
            order = ["-", "between", "helper"]
            assert left == {agent: order.index(agent) >= order.index(revoked) for agent in grants}, (revoked, left)
            result = p.run("--connect", granted, "--run", place.ambit, "--delegate", "* depth=2", "--", "sh", "-c", command)
            assert result.returncode == 125 and "was revoked" in result.stderr, told(result)
            assert len(out.came) == before + 1, (granted, command == deeper, revoked, said, err, out.came)


def it_stays_so_when_something_is_labelled_for_the_first_time(place):
    """The grant is the same one, with what was used of it, asked and said."""
    p = approvals.Person(place)
    with Server() as out:
        to = f"127.0.0.1:{out.port}"
        call = lambda grant: p.ambit("run", "--agent", "caller", *room_of(place), "--connect", grant, "--", PYTHON, "-c", CALL, "127.0.0.1", str(out.port))
        revoked, asks = f"{to} between='00:00-23:59 UTC'", f"{to} ask=true"
        expect_ok(call(revoked))
        expect_ok(p.ambit("grant", "revoke", one(p, "connect", to)["grant"]))
        assert call(revoked).returncode == 125
        question = re.search(r"ambit approve (a_\w+)", call(asks).stderr)[1]
        expect_ok(p.signed("approve", question, "--deny", "--stop", "--digest", p.digest(question)))
        assert p.asked() == [] and "a person said no" in call(asks).stderr
        came = len(out.came)
        expect_ok(p.ambit("run", "--agent", "other", *room_of(place), "--env", "X=1 label=own", "--", "true"))
        result = call(revoked)
        assert result.returncode == 125 and "was revoked" in result.stderr, told(result)
        result = call(asks)
        assert "a person said no" in result.stderr and p.asked() == [] and len(out.came) == came, told(result)
        assert len([g for g in standing(p) if g["verb"] == "connect"]) == 2, standing(p)


def no_sub_agent_begins_by_what_was_revoked(place):
    """Also none of a name that was there."""
    p = with_labels(place)
    helper = lambda name: f"{place.ambit} run --agent {name} -- echo {name}"
    runs = subprocess.Popen([place.ambit, "run", *room_of(place), "--run", place.ambit, "--delegate", "*", "--", "sh", "-c", f"{helper('one')}; echo ready; read line; {helper('one')}; {helper('two')}; echo ended"],
                            cwd=p.top, env={**place.environment(), "HOME": p.home}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert [runs.stdout.readline(), runs.stdout.readline()] == ["one\n", "ready\n"], runs.stderr.read()
        grant = one(p, "delegate", "*")
        expect_ok(p.ambit("grant", "revoke", grant["grant"]))
        said, err = runs.communicate("go\n", timeout=PATIENCE * SLOW)
    finally:
        runs.kill()
    assert said == "ended\n" and err.count("was revoked") == 2, (said, err)


def what_is_committed_after_a_question_is_refused(place):
    p = approvals.Person(place)
    question = p.ask()
    grant = next(g for g in standing(p) if g["verb"] == "write")
    result = expect_ok(p.ambit("grant", "revoke", grant["grant"]))
    assert "until it ends" in result.stdout, told(result)
    event = json.loads(expect_ok(p.ambit("stage", "list", "--json")).stdout)["stages"][0]["event"]
    result = p.ambit("commit", event)
    assert result.returncode != 0 and "was revoked" in result.stderr and f"ambit grant restore {grant['grant']}" in result.stderr and p.reads() == "a\n", told(result)
    expect_ok(p.ambit("grant", "restore", grant["grant"]))
    result = p.ambit("commit", event)
    assert result.returncode != 0 and p.reads() == "a\n" and len(p.asked()) == 1 and p.asked()[0]["approval"] != "", told(result)
    assert p.yes(p.asked()[0]["approval"]).returncode == 0 and p.reads() == "x\n", question


def what_is_read_by_what_was_revoked_is_labelled_as_well(place):
    """Its files are in the cell until that ends: what comes into them labels the stream."""
    p = with_labels(place)
    write(f"{p.top}/shared", "")
    runs = subprocess.Popen([place.ambit, "run", "--agent", "other", "--read", ".", "--", "sh", "-c", "echo ready; read line; cat shared"], cwd=p.top,
                            env={**place.environment(), "HOME": p.home}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert runs.stdout.readline() == "ready\n", runs.stderr.read()
        grant = next(g for g in standing(p) if g["agent"] == "other" and g["object"] == os.path.realpath(p.top))
        expect_ok(p.ambit("grant", "revoke", grant["grant"]), "until it ends")
        expect_ok(p.run("--agent", "reader", *p.private(), "--work", ".", "--", "sh", "-c", f"cp {p.notes}/bees shared"))
        assert "bees" in runs.communicate("go\n", timeout=PATIENCE * SLOW)[0]
    finally:
        runs.kill()
    result = p.run("--agent", "other", "--read", ".", "--", "true")
    assert result.returncode == 125 and "was revoked" in result.stderr, told(result)
    result = p.run("--agent", "other", "--env", "X=1", "--", "true")
    assert result.record["labels"] == ["private"], result.record["labels"]


def no_cell_revokes(place):
    p = with_labels(place)
    with Server() as out:
        to = f"127.0.0.1:{out.port}"
        expect_ok(p.send(out, "one", "--agent", "coder"))
        grant = one(p, "connect", to)["grant"]
        for more in (), ("--read", p.home), ("--work", p.home, "--stage"):
            result = p.run("--agent", "coder", "--run", place.ambit, "--env", f"HOME={p.home}", *more, "--", place.ambit, "grant", "revoke", grant)
            assert result.returncode != 0 and "revoked:" not in result.stdout, told(result)
            result = p.run("--agent", "coder", "--run", place.ambit, "--env", f"HOME={p.home}", *more, "--", place.ambit, "grant", "list", "--standing")
            assert grant not in result.stdout, told(result)
        assert not one(p, "connect", to)["revoked"]
        expect_ok(p.send(out, "two", "--agent", "coder"))  # the twin


def who_has_not_closed_it_is_counted(place):
    """One that watches and says nothing: it is revoked after five seconds, and that is told."""
    p = with_labels(place)
    with Server() as out:
        expect_ok(p.send(out, "one"))
        grant = one(p, "connect", f"127.0.0.1:{out.port}")["grant"]
        with authority.Client(f"{p.state}/authority") as silent:
            silent.number(authority.WATCH)
            begun = time.monotonic()
            result = p.ambit("grant", "revoke", grant)
            assert result.returncode == 125 and time.monotonic() - begun > 4, told(result)
            assert f"revoked: {grant}" in result.stdout and "1 event has not said" in result.stderr and "ambit kill" in result.stderr, told(result)
            expect_ok(p.ambit("grant", "restore", grant))
            done = p.ambit("grant", "revoke", grant, "--json")
            assert json.loads(done.stdout)["result"] == "revoked", told(done)  # nobody waits for it again
        assert one(p, "connect", f"127.0.0.1:{out.port}")["revoked"]


def what_is_named_wrongly_is_told(place):
    p = Person(place)
    expect_ok(p.ambit("grant", "list", "--standing"), "no grants")
    assert standing(p) == [] and p.says_nothing_of_labels()
    for words, says in ((("revoke", "g_0"), "no grant 'g_0'"), (("restore", "g_0"), "no grant 'g_0'"), (("restore",), "which grant"), (("restore", "--all"), "no --all"),
                        (("list", "--standing", "last"), "without an event"), (("revoke", "g_0", "--standing"), "without an event"), (("restore", "g_0", "g_1"), "too many")):
        result = p.ambit("grant", *words)
        assert result.returncode == 125 and says in result.stderr, told(result)
    assert p.says_nothing_of_labels()
    expect_ok(p.run("--read", f"{p.notes} label=own", "--read", ".", "--env", "X=secret label=own", "--", "true"))
    assert len(standing(p)) > 1 and "secret" not in json.dumps(standing(p)) and "secret" not in expect_ok(p.ambit("grant", "list", "--standing")).stdout
    result = p.ambit("grant", "revoke", "g_")
    assert result.returncode == 125 and "several grants" in result.stderr, told(result)
    assert re.search(r"ambit grant revoke\|restore GRANT", expect_ok(p.ambit("grant", "--help")).stdout)


SCENARIOS = [what_is_open_is_closed_when_it_returns, a_question_that_waits_goes_with_it, what_a_sub_agent_uses_is_closed_as_well, no_sub_agent_begins_by_what_was_revoked, it_stays_so_when_something_is_labelled_for_the_first_time, what_is_committed_after_a_question_is_refused,
             what_is_read_by_what_was_revoked_is_labelled_as_well, no_cell_revokes, who_has_not_closed_it_is_counted, what_is_named_wrongly_is_told]

if __name__ == "__main__":
    main(SCENARIOS)
