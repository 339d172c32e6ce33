#!/usr/bin/env python3
"""A policy out of a recorded session with a guarded server.

usage: guard_learn.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import json
import os
import tempfile
import time

from guard import PYTHON, WAIT, Client, Person, is_denied, text_of
from harness import expect_ok, main, room_of


def under(p, policy):
    return Client([p.place.ambit, "guard", "--name", "bad", *room_of(p.place), "--policy", policy, "--", PYTHON, f"{p.top}/guard_server.py", "good"], p.env, p.top)


def learning(p, policy, *words):
    return Client([p.place.ambit, "guard", "--name", "bad", *room_of(p.place), "--learn", policy, *words, "--", PYTHON, f"{p.top}/guard_server.py", "good"], p.env, p.top)


def written(p, c, policy):
    assert c.end() == 0, c.err
    assert os.path.getsize(policy) > 0
    expect_ok(p.ambit("policy", "check", policy))
    with open(policy, encoding="utf-8") as file:
        return file.read()


def what_was_called_suffices(place):
    p = Person(place)
    other = f"{place.fresh()}/data"
    os.mkdir(other)
    for name in ("one", "two"):
        with open(f"{other}/{name}", "w", encoding="utf-8") as file:
            file.write(name)
    policy = f"{place.fresh()}/learned.yaml"
    good = [{"say": f"./docs/{x}", "n": n, "flag": True, "to": ["ann", "o'hara \"x\" *"], "text": x * 100, "o": {"mode": "r"}} for x, n in zip("abcdefghi", (3, 1, 2.5, 9, -4, 1e2, 3, 3, 3))]
    with learning(p, policy) as c:
        c.begin()
        for arguments in good:
            assert text_of(c.call("echo", **arguments)) == arguments["say"]
        assert json.loads(text_of(c.call("look", path=f"{other}/one", port=1, pid=1)))["file"] == "one"
        assert c.ask("resources/read", uri="file:///x")["result"]["contents"]
        text = written(p, c, policy)
    assert "guard:" in text and f"read: {other}/one" in text and "tool: bad/resources/read" in text and "tool: bad/drop" not in text, text
    with under(p, policy) as c:
        c.begin()
        assert [t["name"] for t in c.ask("tools/list")["result"]["tools"]] == ["echo", "look"]
        for arguments in good:
            assert text_of(c.call("echo", **arguments)) == arguments["say"]
        assert json.loads(text_of(c.call("look", path=f"{other}/one", port=1, pid=1)))["file"] == "one"
        assert c.ask("resources/read", uri="file:///x")["result"]["contents"]
        for change in ({"say": "./etc/a"}, {"say": "./docs/../x"}, {"n": 101}, {"n": -5}, {"flag": False}, {"to": ["bob"]}, {"text": 300 * "x"}, {"o": {"mode": "w"}}, {"more": 1}):
            answer = c.call("echo", **{**good[0], **change})
            assert answer["result"].get("isError"), (change, text)
            is_denied(answer, "is granted, but not with")
        is_denied(c.call("drop"), "not granted")
        assert json.loads(text_of(c.call("look", path=f"{other}/one", port=1, pid=1)))["process"] != ""
        is_denied(c.call("look", path=f"{other}/two", port=1, pid=1), "is granted, but not with")
        assert "granted, but not with" in json.dumps(c.ask("resources/read", uri="file:///y"))
        assert c.end() == 0


def what_failed_teaches_nothing(place):
    """An agent that was led astray tries things that the server refuses: they would widen what is granted."""
    p = Person(place)
    policy = f"{place.fresh()}/learned.yaml"
    with learning(p, policy) as c:
        c.begin()
        assert text_of(c.call("echo", say="./docs/a")) == "./docs/a"
        assert c.call("drop", path="/home/somebody/.ssh/id_ed25519")["result"]["isError"]
        text = written(p, c, policy)
    assert "tool: bad/echo" in text and "tool: bad/drop" not in text and "id_ed25519" not in text and "# 1 call failed, and nothing of it is in here" in text, text
    assert "wall:" not in text, text  # a server lives as long as its client


def keys_are_hidden_while_it_learns(place):
    p = Person(place)
    os.mkdir(f"{p.home}/.ssh", 0o700)
    for name in (".ssh/id_ed25519", "notes"):
        with open(f"{p.home}/{name}", "w", encoding="utf-8") as file:
            file.write("of the person")
    policy = f"{place.fresh()}/learned.yaml"
    with learning(p, policy) as c:
        c.begin()
        tries = json.loads(text_of(c.call("look", path=f"{p.home}/notes", port=1, pid=1)))
        assert tries["file"] == "of the person", tries  # the twin
        tries = json.loads(text_of(c.call("look", path=f"{p.home}/.ssh/id_ed25519", port=1, pid=1)))
        assert tries["file"] != "of the person", tries
        text = written(p, c, policy)
    assert "notes" in text and "read: ~/.ssh" not in text.replace("# decide: read: ~/.ssh", ""), text


def what_nobody_called_is_not_granted(place):
    p = Person(place)
    policy = f"{place.fresh()}/learned.yaml"
    with learning(p, policy) as c:
        c.begin()
        assert "grants: []" in written(p, c, policy)
    c = learning(p, policy)  # an existing file is not overwritten, and nothing is run
    assert c.process.wait(timeout=WAIT) != 0
    time.sleep(0.1)
    assert "learned.yaml" in b"".join(c.err).decode(), c.err
    refused = p.ambit("guard", "--learn", f"{policy}.2", "--socket", f"{p.top}/s", "--", PYTHON)
    assert refused.returncode != 0 and "one client" in refused.stderr, refused
    assert not os.path.exists(f"{policy}.2")


def what_is_no_text_of_a_policy_is_bounded(place):
    """Controls, names of arguments that are none, too many of them: the policy is one, and says no more than what was seen, or tells that it does."""
    p = Person(place)
    policy = f"{place.fresh()}/learned.yaml"
    rows = [{"say": "\x1b[31m\n'"}, {"a\nb": "x"}, {f"n{i}": i for i in range(60)}, {"é.*\\'\"": "é'*\\\""}, {"say": "'\n  - work: /\n"}, {"": "x"}, {"x": "\U0001f600" * 3}, {"n": 10**15}, {"long": "é" * 9000}]
    for row in rows:
        with learning(p, policy) as c:
            c.begin()
            given = c.call("echo", **row)
            assert given["result"]["structuredContent"]["given"] == row, given
            text = written(p, c, policy)
        assert "work: /\n" not in text, text
        with under(p, policy) as c:
            c.begin()
            assert c.call("echo", **row)["result"].get("structuredContent", {}).get("given") == row, text
        os.unlink(policy)


def whatever_was_called_is_allowed(place):
    """Of calls that are not alike: the policy allows each."""
    p = Person(place)
    policy = f"{place.fresh()}/learned.yaml"
    sessions = [[{"flag": True}, {"flag": False}, {}], [{"say": "./docs/a"}, {"say": "./docs/../x"}], [{"say": "./docs/a"}, {"say": "./docs/b"}, {"say": "./docs/" + 5000 * "c"}],
                [{"a": "x"}, {"a": {"b": "y"}}, {"a": {"b": {"c": 1}}}], [{"say": "x"}, {"SAY": "y"}], [{"say": "x"}, {"__proto__": {"x": "y"}}], [{"n": 2**53}, {"n": 2**53 + 1}, {"n": 2**53 - 1}],
                [{"say": "x"}, {"say": 1}, {"say": True}, {"say": ["x", 2]}], [{"say": f"/{i}" + i * "/.."} for i in range(9)]]
    for session in sessions:
        with learning(p, policy) as c:
            c.begin()
            for arguments in session:
                assert c.call("echo", **arguments)["result"]["structuredContent"]["given"] == arguments
            text = written(p, c, policy)
        with under(p, policy) as c:
            c.begin()
            for arguments in session:
                assert c.call("echo", **arguments)["result"].get("structuredContent", {}).get("given") == arguments, (arguments, text)
        os.unlink(policy)


if __name__ == "__main__":
    tempfile.tempdir = "/var/tmp"  # while learning as in a run, /tmp is the cell's own
    main([what_was_called_suffices, what_failed_teaches_nothing, keys_are_hidden_while_it_learns, what_nobody_called_is_not_granted, what_is_no_text_of_a_policy_is_bounded, whatever_was_called_is_allowed])
