#!/usr/bin/env python3
"""Where the authority has no room left: what nobody would miss goes, what holds anything stays, no label is lost, and whoever is refused is told what to do.

usage: full.py AMBIT SMALL_AUTHORITY    (TAP on standard output; as root once more as an ordinary user). It has room for 6 badges, 24 grants, 6 marks."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time

import authority
from approvals import PASSWORD
from harness import PATIENCE, SLOW, Terminal, copy_executables, expect_ok, lock_holders, main, told, write
from labels import Person, Server, kept, labels_of
from revoked import standing

BADGES, MARKS = 6, 6


@contextlib.contextmanager
def small(place):
    """A person whose keeper has little room."""
    before, there = place.ambit, os.path.join(place.top, "small")
    if not os.path.exists(there):
        copy_executables(before, there)
        os.remove(f"{there}/ambit-authority")
        shutil.copy(place.given(1), f"{there}/ambit-authority")
    place.ambit = f"{there}/ambit"
    try:
        yield Person(place)
    finally:
        place.ambit = before


def agents(p):
    """Who has a badge, as far as it holds a grant."""
    return {g["agent"] for g in standing(p)}


def quiet(p, agent, *words):
    """An event that leaves a badge which holds nothing."""
    return p.run("--agent", agent, *words, "--", "true")


def with_labels(p):
    """From now on each event has a badge. One label, and one badge, is there."""
    expect_ok(p.run("--agent", "first", "--env", "X=1 label=own", "--", "true"))


def events_of(p, op):
    return [s for s in map(json.loads, expect_ok(p.ambit("ledger", "show", "--json")).stdout.splitlines()) if s["body"].get("op") == op]


def keepers(p):
    return lock_holders(f"{p.state}/authority/lock")


def again(p):
    for pid in keepers(p):
        os.kill(pid, signal.SIGKILL)
    while keepers(p):
        time.sleep(0.01)


def who_holds_nothing_makes_room(place):
    with small(place) as p:
        with_labels(p)
        for n in range(BADGES - 1):
            expect_ok(quiet(p, f"a{n}"))
        assert agents(p) == {"first", *(f"a{n}" for n in range(BADGES - 1))} and not events_of(p, "end")
        expect_ok(quiet(p, "more"))  # all that hold nothing go at once: so it is not looked through for each
        assert agents(p) == {"first", "more"} and len(events_of(p, "end")) == BADGES - 1, agents(p)
        assert expect_ok(p.ambit("labels")).stdout.count("own") == 1
        again(p)  # the same state from what is on disk
        assert agents(p) == {"first", "more"}
        for n in range(3 * BADGES):
            expect_ok(quiet(p, f"b{n}"))
        assert "first" in agents(p) and f"b{3 * BADGES - 1}" in agents(p)
        assert "agree" in expect_ok(p.ambit("ledger", "replay")).stdout


def what_is_held_stays_and_who_is_refused_is_told(place):
    with small(place) as p, Server() as server:
        expect_ok(p.ambit("approve", "--enroll", "--password-fd", "0", input=PASSWORD))
        to = f"127.0.0.1:{server.port}"
        with_labels(p)
        p.reads_notes("--agent", "reads")
        result = p.send(server, "x", "--agent", "asks", grant=f"{to} ask=true")
        assert result.returncode != 0 and "asked first" in result.stderr, told(result)
        expect_ok(p.send(server, "x", "--agent", "takes"))
        expect_ok(p.ambit("grant", "revoke", next(g["grant"] for g in standing(p) if g["agent"] == "takes" and g["verb"] == "connect")))
        expect_ok(p.send(server, "x", "--agent", "counts", grant=f"{to} between='00:00-23:59 UTC'"))
        expect_ok(quiet(p, "last"))
        expect_ok(quiet(p, "another"))
        assert agents(p) == {"first", "reads", "asks", "takes", "another"}, agents(p)
        p.reads_notes("--agent", "reads-too")
        p.reads_notes("--agent", "another")
        result = quiet(p, "last")
        assert result.returncode == 125 and "(full)" in result.stderr and "`ambit labels` lists what fills it" in result.stderr, told(result)
        assert agents(p) == {"first", "reads", "asks", "takes", "another", "reads-too"}
        stream = next(s["id"] for s in json.loads(expect_ok(p.ambit("labels", "--json")).stdout)["streams"] if s["agent"] == "reads")
        expect_ok(p.ambit("labels", "--forget", stream))
        expect_ok(quiet(p, "last"))


def who_runs_stays(place):
    """Nobody speaks for it, and it is the one that was used least: what comes into its files labels it all the same."""
    with small(place) as p:
        with_labels(p)
        write(f"{p.top}/shared", "")
        runs = subprocess.Popen([place.ambit, "run", "--agent", "slow", "--read", ".", "--", "sh", "-c", "echo ready; read line; cat shared"], cwd=p.top,
                                env={**place.environment(), "HOME": p.home}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            assert runs.stdout.readline() == "ready\n", runs.stderr.read()
            for n in range(2 * BADGES):
                expect_ok(quiet(p, f"a{n}"))
            assert "slow" in agents(p) and "a0" not in agents(p)
            expect_ok(p.run("--agent", "reader", *p.private(), "--work", ".", "--", "sh", "-c", f"cp {p.notes}/bees shared"))
            assert "bees" in runs.communicate("go\n", timeout=PATIENCE * SLOW)[0]
        finally:
            runs.kill()
        result = p.run("--agent", "slow", "--env", "X=1", "--", "true")
        assert labels_of(result) == ["private"], told(result)


def what_was_lost_and_went_has_what_any_file_has(place):
    """Of an event that nobody saw end, and whose badge went before it was committed: what it read nobody knows."""
    with small(place) as p:
        with_labels(p)
        own = f"{p.home}/own"
        os.mkdir(own)
        runs = subprocess.Popen([place.ambit, "run", "--agent", "lost", "--read", p.top, "--work", own, "--stage", "--", "sh", "-c", "echo x > copy; echo ready; sleep 1000"],
                                cwd=own, env={**place.environment(), "HOME": p.home}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert runs.stdout.readline() == "ready\n"
            stages = [f"{p.state}/stages/{name}/lock" for name in os.listdir(f"{p.state}/stages") if name.startswith("e_")]
            supervisor = next(pids[0] for path in stages if (pids := lock_holders(path)))
            runs.kill()
            os.kill(supervisor, signal.SIGKILL)
            runs.wait(PATIENCE * SLOW)
            for n in range(2 * BADGES):
                expect_ok(quiet(p, f"a{n}"))
            assert "lost" not in agents(p)
            expect_ok(p.run("--agent", "reader", *p.private(), "--work", ".", "--", "sh", "-c", f"cp {p.notes}/bees shared"))
            expect_ok(p.ambit("commit", kept(p)))
        finally:
            runs.kill()
        result = p.run("--agent", "third", "--read", own, "--", "cat", f"{own}/copy")
        assert labels_of(result) == ["private"], told(result)


def grants_of_old_policies_make_room(place):
    with small(place) as p:
        with_labels(p)
        for n in range(18):
            os.mkdir(f"{p.top}/d{n}")
            expect_ok(quiet(p, "old", "--read", f"{p.top}/d{n}"))
        assert len([g for g in standing(p) if g["agent"] == "old"]) == 19
        reads = [word for n in range(10) for word in ("--read", f"{p.top}/d{n}")]
        expect_ok(quiet(p, "new", *reads))
        assert agents(p) == {"first", "new"}
        many = [word for n in range(18) for word in ("--read", f"{p.top}/d{n}", "--env", f"A{n}=1 label=own")]
        result = quiet(p, "new", *many)  # its own, which are in use
        assert result.returncode == 125 and "(full)" in result.stderr and "lists what fills it" in result.stderr, told(result)
        assert "agree" in expect_ok(p.ambit("ledger", "replay")).stdout


def marks(p):
    return {m["path"][len(os.path.realpath(p.top)) + 1:]: m["labels"] for m in json.loads(expect_ok(p.ambit("labels", "--json")).stdout)["paths"]}


def copies(p, *names, status=0):
    for name in names:  # what the event makes itself is marked as well
        os.makedirs(os.path.dirname(f"{p.top}/{name}"), exist_ok=True)
    script = "; ".join(f"cat {p.notes}/bees > {name}" for name in names)
    result = p.run("--agent", "reader", *p.private(), "--work", ".", "--", "sh", "-c", script)
    assert result.returncode == status, told(result)
    return result


def reads(p, name):
    """The labels of who reads it, and has none."""
    labels = labels_of(p.run("--agent", "check", "--read", f"./{name}", "--", "cat", name))
    for stream in json.loads(expect_ok(p.ambit("labels", "--json")).stdout)["streams"]:
        if stream["agent"] == "check":
            expect_ok(p.ambit("labels", "--forget", stream["id"]))
    return labels


def marks_of_a_directory_become_one(place):
    with small(place) as p:
        write(f"{p.top}/plain", "plain\n")
        copies(p, "src/deep/a", "src/deep/b", "src/c", "doc/d", "doc/e", "f")
        assert set(marks(p)) == {"src/deep/a", "src/deep/b", "src/c", "doc/d", "doc/e", "f"}
        copies(p, "other/g")
        assert set(marks(p)) == {"src/deep", "src/c", "doc/d", "doc/e", "f", "other/g"}, marks(p)
        again(p)
        copies(p, "other/h", "i")
        assert set(marks(p)) == {"src", "doc", "f", "other/g", "other/h", "i"}, marks(p)
        assert all(labels == ["private"] for labels in marks(p).values())
        for name in "src/deep/a", "src/c", "doc/d", "f", "other/g", "other/h", "i":  # no label is lost
            assert reads(p, name) == ["private"], name
        assert reads(p, "plain") == []  # the twin
        assert {s["type"] for s in events_of(p, "join")} == {"label"}
        assert "agree" in expect_ok(p.ambit("ledger", "replay")).stdout


def without_a_directory_that_has_two_a_commit_is_refused(place):
    with small(place) as p:
        copies(p, *(f"{n}/{n}/file" for n in range(MARKS)))
        assert len(marks(p)) == MARKS
        before = marks(p)
        result = copies(p, "one/more", status=123)
        assert "(full)" in result.stderr and "--unmark takes labels off a path" in result.stderr and not os.path.exists(f"{p.top}/one/more"), told(result)
        assert marks(p) == before
        expect_ok(p.ambit("labels", "--unmark", "0/0/file", "--yes"), "taken off: private, of ")
        expect_ok(p.ambit("commit", kept(p)))
        assert "one/more" in marks(p)


def a_person_takes_labels_off_a_path(place):
    with small(place) as p:
        copies(p, "a", "in/b")
        assert labels_of(p.run("--agent", "before", "--read", "./a", "--", "cat", "a")) == ["private"]
        result = p.ambit("labels", "--unmark", "a")
        assert result.returncode == 125 and "nobody to ask" in result.stderr and "--yes" in result.stderr and set(marks(p)) == {"a", "in/b"}, told(result)
        path = os.path.realpath(f"{p.top}/a")
        for answer, left in ("n\n", 2), ("y\n", 1):
            with Terminal([place.ambit, "labels", "--unmark", "a"], p.top, {**place.environment(), "HOME": p.home}) as terminal:
                terminal.until("has the labels: private.*Take them off")
                terminal.type(answer)
                assert terminal.end() == (0 if left == 1 else 125) and len(marks(p)) == left, terminal.seen
        assert reads(p, "a") == [] and reads(p, "in/b") == ["private"]
        assert labels_of(p.run("--agent", "before", "--", "true")) == ["private"]  # who has it keeps it
        [step] = events_of(p, "unmark")
        assert step["type"] == "declassify" and step["body"]["object"] == path and step["body"]["labels"] == ["private"], step
        os.remove(f"{p.top}/in/b")  # one that is not there any more
        assert json.loads(expect_ok(p.ambit("labels", "--unmark", "in/b", "--yes", "--json")).stdout) == {"labels": ["private"], "unmarked": os.path.realpath(f"{p.top}/in/b")}
        for words, says in ((("--unmark", "a", "--yes"), "has no labels of its own"), (("--unmark", ""), "which path"), (("--unmark", "a", "--unmark", "b"), "one path"),
                            (("--unmark", "a", "--forget", "b"), "two things"), (("--yes",), "--yes is for --unmark")):
            result = p.ambit("labels", *words)
            assert result.returncode == 125 and says in result.stderr, told(result)
        copies(p, "in/c", "in/d", "in/e", "in/f", "in/g", "in/h")
        copies(p, "x")
        assert "in" in marks(p)
        result = p.ambit("labels", "--unmark", "in/c", "--yes")
        assert result.returncode == 125 and f"it has those of {os.path.realpath(p.top)}/in, which is above it" in result.stderr, told(result)
        # nothing that runs for an agent does it
        with authority.Client(f"{p.state}/authority") as c:
            badge = c.made(authority.opening("agent"))
            c.number(authority.BIND, authority.ref(badge))
            for op in authority.UNMARK, authority.JOIN:
                body = authority.ref(1) if op == authority.UNMARK else b""
                c.step(authority.op(op, body, authority.text(f"{os.path.realpath(p.top)}/in"))).is_(authority.DENIED, authority.NOT_HELD)
        result = p.run("--agent", "coder", "--run", place.ambit, "--env", f"HOME={p.home}", "--", place.ambit, "labels", "--unmark", f"{p.top}/in", "--yes")
        assert result.returncode != 0 and "in" in marks(p), told(result)
        assert "agree" in expect_ok(p.ambit("ledger", "replay")).stdout


SCENARIOS = [who_holds_nothing_makes_room, what_is_held_stays_and_who_is_refused_is_told, who_runs_stays, what_was_lost_and_went_has_what_any_file_has,
             grants_of_old_policies_make_room, marks_of_a_directory_become_one, without_a_directory_that_has_two_a_commit_is_refused, a_person_takes_labels_off_a_path]

if __name__ == "__main__":
    main(SCENARIOS)
