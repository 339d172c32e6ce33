#!/usr/bin/env python3
"""Sub-agents that are handed over: events of the session, which go on when who asked for them has ended, and have no more than that one had.

usage: handed.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import contextlib
import json
import os

from delegate import ASKING
from harness import expect_ok, main, room_of, told, write
from labels import PYTHON, Server
from revoked import HELD
from sessions import Served


def limits(place):
    return "limits:\n  memory: 32T\n" if room_of(place) else ""


@contextlib.contextmanager
def session(place, *grants, **env):
    """Of a policy with those lines; `s.run(script)` runs it in a shell that has the command line as $A."""
    with Served(place) as s:
        policy = f"{s.home}/policy.yaml"
        os.mkdir(f"{s.tree}/x")
        write(policy, "version: 1\ngrants:\n" + "".join(f"  - {g}\n" for g in ("work: .", f"run: {place.ambit}", *grants)) + limits(place))
        s.id = s.session("--policy", policy, env=env)
        s.run = lambda script, *flags: s.ambit("run", "--session", s.id, *flags, "--", "sh", "-c", script.replace("$A", place.ambit))
        yield s


def handed(s, command, *flags, agent="helper"):
    """The event that it became."""
    result = expect_ok(s.run(f"$A run --background --agent {agent} {' '.join(flags)} -- {command}"))
    event = result.stdout.strip()
    assert event.startswith("e_") and "\n" not in event, told(result)
    return event


def row(s, event):
    return next(e for e in s.events(s.id) if e["event"] == event)


def over(s, event):
    return s.until(lambda: (found := row(s, event))["state"] not in ("waits", "runs") and found, f"{event} ends")


def reads(path):
    with open(path) as f:
        return f.read()


def what_is_handed_over_goes_on(place):
    """It is an event of the session, with a stage and a record of its own, and its output is the session's."""
    with session(place, "delegate: '*'") as s:
        write(f"{s.tree}/a", "a\n")
        result = expect_ok(s.run("echo c > c; $A run --background --agent helper -- sh -c 'cat a; sleep 2; echo b > b' && echo begun >&2"))
        event = result.stdout.strip()
        assert "begun" in result.stderr and os.path.exists(f"{s.tree}/c") and not os.path.exists(f"{s.tree}/b"), told(result)
        assert row(s, event)["state"] == "runs" and row(s, event)["background"] and len(s.events(s.id)) == 2
        assert over(s, event)["exit"] == 0, row(s, event)
        assert reads(f"{s.tree}/b") == "b\n", os.listdir(s.tree)
        entries = [json.loads(line) for line in expect_ok(s.ambit("ledger", "show", "--json")).stdout.splitlines()]
        asked = {e["event"]: e["body"] for e in entries if e["type"] == "request" and e["event"]}
        assert asked[event]["agent"] == "helper" and asked[event]["parent"] == s.events(s.id)[0]["event"], asked
        for words in ("verify",), ("replay",):
            expect_ok(s.ambit("ledger", *words))


def has_no_more_than_who_asked(place):
    """What is hidden from that one, or held, is so for it; a part of a grant would name it."""
    with session(place, "delegate: '*'", "env: A=1") as s:
        for path, text in ((".env", "SECRET\n"), ("sub/f", "f\n"), (".git/hooks/pre-commit", "as it was\n"), (".git/config", "[core]\n")):
            write(f"{s.tree}/{path}", text)
        event = handed(s, "sh -c 'cat .env sub/f; echo $A$B; echo x > .git/hooks/pre-commit; cat /etc/shadow; cat ../policy.yaml'")
        assert over(s, event)["exit"] != 0
        assert reads(f"{s.tree}/.git/hooks/pre-commit") == "as it was\n" and reads(f"{s.tree}/.env") == "SECRET\n"
        for flags, says in (("--read ./.env", "there is no"), ("--write ./.git/hooks", "is a part of what"), ("--read ./sub", "is a part of what"), ("--work ./sub", "is a part of what"),
                            (f"--read {s.home}", "has no grant from which"), ("--connect a.test:443", "has no grant from which"), ("--env B=2", "has no grant from which"), ("--key k", "leave the others out")):
            result = s.run(f"$A run --background {flags} -- true </dev/null")
            assert result.returncode == 125 and says in result.stderr, f"{flags}: {told(result)}"
        assert len(s.events(s.id)) == 1 + 8 + 1, s.events(s.id)  # none of them began
        event = handed(s, "sh -c 'cat sub/f && ! echo x > y'", "--read", ".")  # the twin: less is given
        assert over(s, event)["exit"] == 0 and not os.path.exists(f"{s.tree}/y")


def goes_through_what_its_caller_goes_through(place):
    """A person is asked, and may look first; variables, and how much it may write, are its caller's."""
    with session(place, "delegate: '*'", "write: ./x\n    ask: true") as s:
        for flags in (), ("--work", "."), ("--work", ".", "--write", "./x"):
            event = handed(s, "sh -c 'echo evil > x/handed; echo y > y'", *flags)
            assert over(s, event)["workspace"] == "kept" and os.listdir(f"{s.tree}/x") == [] and "ask" in s.ambit("explain", event).stdout, f"{flags}: {row(s, event)}"
    with session(place, "delegate: '*'", "env: TOK", TOK="powerful") as s:
        command = "-- sh -c 'echo x > helper; cat /etc/shadow; true'"
        for flags, workspace, exit in (("--stage",), "kept", 0), ((), "committed", 0), (("--strict",), "kept", 125), (("--discard",), "committed", 0):
            event = expect_ok(s.run(f"$A run --background {command}", *flags)).stdout.strip()
            found = over(s, event)
            assert (found["workspace"], found["exit"]) == (workspace, exit), (flags, found)
        assert s.run("echo $TOK").stdout == "powerful\n"
        event = expect_ok(s.run("env -i $A run --background -- sh -c 'echo ${TOK-none} > tok'")).stdout.strip()
        assert over(s, event)["exit"] == 0 and reads(f"{s.tree}/tok") == "none\n", (row(s, event), reads(f"{s.tree}/tok"))
        event = expect_ok(s.run("$A run --background -- sh -c 'head -c 500000 /dev/zero; sleep 60'", "--limit", "output=20K")).stdout.strip()
        assert over(s, event)["cause"] == "limit", row(s, event)
        write(f"{s.tree}/ask.py", ASKING + "import sys\nprint(status(ask(head(400, flags=5) + program(sys.argv[1]), (0, 1, 2))))")
        ends = []
        for path in f"{s.home}/policy.yaml", f"{s.home}/nothing", s.run_dir:  # what the host has there is not told
            assert s.run(f"python3 ask.py {path}").stdout == "0\n", path
            found = s.events(s.id)[-1]
            ends.append({k: v.replace(path, "PATH") if isinstance(v, str) else v for k, v in over(s, found["event"]).items() if k in ("exit", "cause", "code", "message")})
        assert ends[0] == ends[1] == ends[2] and ends[0]["exit"] != 0, ends


def of_a_session_with_totals_it_gets_what_is_left(place):
    with Served(place) as s:
        policy = f"{s.home}/policy.yaml"
        write(policy, f"version: 1\ngrants:\n  - work: .\n  - run: {place.ambit}\n  - delegate: '*'\n" + limits(place))
        s.id = s.session("--policy", policy, "--total-wall", "60s")
        inner = ("sh", "-c", f"{place.ambit} run --background -- true")
        result = s.ambit("run", "--session", s.id, "--", *inner)
        assert result.returncode == 125 and "set aside all that is left" in result.stderr and "--limit wall=" in result.stderr, told(result)
        expect_ok(s.ambit("run", "--session", s.id, "--limit", "wall=20s", "--", *inner))


def only_a_session_takes_it(place):
    top = place.fresh()
    result = place.cell("--work", ".", *room_of(place), "--delegate", "*", "--run", place.ambit, "--", "sh", "-c", f"{place.ambit} run --background -- true; echo $?", cwd=top)
    assert result.stdout == "125\n" and "only events of a session hand one over" in result.stderr, told(result)
    with session(place) as s:
        result = s.run("$A run --background -- true")
        assert result.returncode == 125 and "not granted delegate" in result.stderr, told(result)


def ends_when_it_is_told_to_and_with_its_session(place):
    with session(place, "delegate: '*'") as s:
        event = handed(s, "sleep 1000")
        expect_ok(s.ambit("kill", event))
        assert over(s, event)["state"] == "over", row(s, event)
        event = handed(s, "sh -c 'echo up; exec sleep 1000'")
        s.until(lambda: row(s, event)["stdout"] > 0, "it runs")  # one that has not begun is refused
        expect_ok(s.ambit("freeze", event))
        expect_ok(s.ambit("thaw", event))
        expect_ok(s.ambit("session", "end", s.id))
        s.until(lambda: row(s, event)["state"] == "over", "it ends with its session")


def what_it_has_is_derived_from_what_its_caller_had(place):
    """Also when that one has ended: with the caller's grant goes what it has open by it; and labels are those of the whole session."""
    with Server(holds=True) as out:
        with session(place, "delegate: '*'", f"connect: 127.0.0.1:{out.port}\n    unless: [[private, untrusted]]", "env: X=1\n    label: own") as s:
            event = handed(s, f"{PYTHON} -c '{HELD}' {out.port}")
            s.until(lambda: len(out.came) == 1, "it connects")
            grants = {g["agent"]: g for g in json.loads(expect_ok(s.ambit("grant", "list", "--standing", "--json")).stdout)["grants"] if g["verb"] == "connect"}
            assert sorted(grants) == ["-", "helper"] and grants["helper"]["used"]["uses"] == grants["-"]["used"]["uses"] == 1, grants
            expect_ok(s.ambit("grant", "revoke", grants["-"]["grant"]), "revoked: ")
            assert sorted(over(s, event)["labels"]) == ["own"], row(s, event)
            assert len(out.came) == 1
            result = s.run("$A run --background --agent helper -- true")
            assert result.returncode == 125 and "was revoked" in result.stderr, told(result)


def it_hands_over_itself(place):
    """As deep as was granted."""
    with session(place, "delegate: '*'\n    depth: 2") as s:
        inner = "$A run --background --agent inner -- sh -c \"echo in > in; $A run --background -- true 2> why; true\""
        event = handed(s, f"sh -c '{inner}'", "--work", ".", "--delegate", "'* depth=1'", "--run", "$A", agent="outer")
        assert over(s, event)["exit"] == 0, row(s, event)
        s.until(lambda: os.path.exists(f"{s.tree}/in"), "the inner one commits")
        assert "not granted delegate" in reads(f"{s.tree}/why"), reads(f"{s.tree}/why")


if __name__ == "__main__":
    main([what_is_handed_over_goes_on, has_no_more_than_who_asked, goes_through_what_its_caller_goes_through, of_a_session_with_totals_it_gets_what_is_left, only_a_session_takes_it, ends_when_it_is_told_to_and_with_its_session, what_it_has_is_derived_from_what_its_caller_had, it_hands_over_itself])
