#!/usr/bin/env python3
"""A gate that gives each call a server, and a cell, of its own.

usage: guard_per_call.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import json
import os
import threading
import time

from guard import PYTHON, Client, is_denied, text_of
from guard_many import Several
from harness import expect_ok, main, room_of


def guarded(p, *words, mode="good", tools=("bad/*", "bad/elicitation/create"), name="bad"):
    granted = [word for tool in tools for word in ("--tool", tool)]
    return Client([p.place.ambit, "guard", "--name", name, *room_of(p.place), "--work", ".", *granted, *words, "--", PYTHON, "many_server.py", "bad", mode], p.env, p.top)


def left(client, **more):
    answer = client.call("remember", **more)
    assert "result" in answer, answer
    return json.loads(answer["result"]["content"][0]["text"])


def nothing_of_a_call_is_there_at_the_next(place):
    p = Several(place)
    with guarded(p, "--per-call") as c:
        assert c.begin()["result"]["serverInfo"]["name"] == "bad"
        assert "remember" in [t["name"] for t in c.ask("tools/list")["result"]["tools"]]
        for n in range(3):
            assert left(c) == {"memory": 1, "tmp": 0, "work": n}, n  # but for what it was let write
        assert c.end() == 0
    os.remove(f"{p.top}/left")
    with guarded(p) as c:  # the twin
        c.begin()
        for n in range(3):
            assert left(c) == {"memory": 1 + n, "tmp": n, "work": n}, n


def all_of_a_call_is_taken_over_or_nothing(place):
    p = Several(place)
    with guarded(p, "--per-call") as c:
        c.begin()
        assert left(c) == {"memory": 1, "tmp": 0, "work": 0}
        assert left(c, fails=True) == {"memory": 1, "tmp": 0, "work": 1}  # the tool says that it failed:
        assert left(c) == {"memory": 1, "tmp": 0, "work": 1}  # nothing of that is there
        answer = c.call("half", then="die")
        assert "ended" in answer["error"]["message"] and not os.path.exists(f"{p.top}/half"), answer
        answer = c.call("half", then="stay")  # it answers, and does not end: so it is not known to be over
        assert "not taken over" in answer["error"]["message"] and not os.path.exists(f"{p.top}/half"), answer
        assert text_of(c.call("read_file")) == "read_file of bad"
        c.say({"jsonrpc": "2.0", "id": "gone", "method": "tools/call", "params": {"name": "half"}})
        time.sleep(1)
        c.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "gone"}})
        assert left(c) == {"memory": 1, "tmp": 0, "work": 2} and not os.path.exists(f"{p.top}/half")
        assert c.end() == 0
    assert not os.path.exists(f"{p.top}/half")
    stages = expect_ok(p.ambit("stage", "list", "--json")).stdout
    assert "half" not in stages, stages
    with guarded(p) as c:  # the twin
        c.begin()
        assert "error" in c.call("half", then="die") and os.path.exists(f"{p.top}/half")


def each_is_an_event(place):
    p = Several(place)
    with guarded(p, "--per-call") as c:
        c.begin()
        for _ in range(2):
            left(c)
        c.end()
    ended = [json.loads(line) for line in expect_ok(p.ambit("ledger", "show", "--json")).stdout.splitlines()]
    assert len({e["event"] for e in ended if e["type"] == "commit"}) == 2, [(e["type"], e.get("event")) for e in ended]
    expect_ok(p.ambit("ledger", "verify"))


def what_it_asks_and_tells_passes(place):
    p = Several(place)
    with guarded(p, "--per-call") as c:
        c.ask("initialize", protocolVersion="2025-11-25", capabilities={"elicitation": {}}, clientInfo={"name": "t", "version": "1"})
        c.say({"jsonrpc": "2.0", "method": "notifications/initialized"})
        for i in range(2):  # at once: both ask by the same id
            c.say({"jsonrpc": "2.0", "id": f"a{i}", "method": "tools/call", "params": {"name": "ask"}})
        got = {}
        asked = 0
        while len(got) < 2:
            m = c.line()
            if m.get("method") == "elicitation/create":
                asked += 1
                c.say({"jsonrpc": "2.0", "id": m["id"], "result": {"action": "accept", "content": {"n": asked}}})
            elif "method" not in m:
                got[m["id"]] = text_of(m)
        assert sorted(got.values()) == [f'bad heard {{"action": "accept", "content": {{"n": {n}}}}}' for n in (1, 2)], got
        assert text_of(c.call("move", _meta={"progressToken": "mine"})) == "move of bad"
        methods = [m["method"] for m in c.stray]
        assert "notifications/progress" in methods and "notifications/tools/list_changed" not in methods, methods
        assert c.call("die")["error"]["message"].endswith("ended")
        assert text_of(c.call("read_file")) == "read_file of bad"
    with guarded(p, "--per-call", tools=("bad/same",)) as c:
        c.begin()
        is_denied(c.call("remember"), "'bad/remember' is not granted")


def many_at_once_are_bounded(place):
    p = Several(place)
    with guarded(p, "--per-call") as c:
        c.begin()
        for i in range(20):
            c.say({"jsonrpc": "2.0", "id": f"s{i}", "method": "tools/call", "params": {"name": "slow" if i < 14 else "read_file"}})
        refused = [c.line() for _ in range(1)]
        while len(refused) < 6:
            refused.append(c.line())
        assert sum("not answered yet" in json.dumps(m) for m in refused) >= 4, refused
        c.process.terminate()
        c.process.wait(timeout=30)
    for _ in range(100):
        if not [pid for pid in os.listdir("/proc") if pid.isdigit() and p.top.encode() in cwd(pid)]:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("servers stay")


def several_have_it_too(place):
    p = Several(place)
    rows = {name: ("good", [{"work": "."}]) for name in ("fs", "mail")}
    with p.many(rows, ("fs/*", "mail/*"), "--per-call") as c:
        c.begin()
        for n in range(2):
            for k, name in enumerate(rows):
                assert json.loads(text_of(c.call(f"{name}__remember"))) == {"memory": 1, "tmp": 0, "work": 2 * n + k}
        assert c.end() == 0


def cwd(pid):
    try:
        return os.readlink(f"/proc/{pid}/cwd").encode()
    except OSError:
        return b""


SCENARIOS = [nothing_of_a_call_is_there_at_the_next, all_of_a_call_is_taken_over_or_nothing, each_is_an_event, what_it_asks_and_tells_passes, several_have_it_too, many_at_once_are_bounded]

if __name__ == "__main__":
    main(SCENARIOS)
