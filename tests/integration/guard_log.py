#!/usr/bin/env python3
"""What the ledger has of each call that a gate was asked for.

usage: guard_log.py AMBIT SCHEMA    (TAP on standard output; as root once more as an ordinary user)"""

import glob
import json
import os
import signal
import sys
import threading
import time

from guard import ALL, PYTHON, WAIT, Client, Person, is_denied, text_of
from harness import SLOW, expect_ok, lock_holders, main, room_of

SCHEMA = sys.argv[2] if len(sys.argv) > 2 else None


def entries(p, event=None):
    shown = [json.loads(line) for line in expect_ok(p.ambit("ledger", "show", "--json")).stdout.splitlines()]
    return [s for s in shown if event is None or s.get("event") == event]


def calls(p):
    """The record of each, as it lies beside the log; in order. What was told twice (the ledger died in between) is the same."""
    found, all_of_them = [], entries(p)
    for event in dict.fromkeys(s["event"] for s in all_of_them if s["type"] == "request" and s["body"].get("kind") == "tool"):
        (result,) = {r["body"]["digest"]: r["body"] for r in all_of_them if r["event"] == event and r["type"] == "result"}.values()
        path, = glob.glob(f"{p.home}/.local/state/ambit/ledger/payload/{result['digest']}")
        with open(path, "rb") as file:
            records = [json.loads(line) for line in file.read()[32:].splitlines()]
        record, = [r for r in records if r["event"] == event]
        assert (len(records), result["of"], result["version"]) == (result["among"], "record", 1), result
        found.append(record)
    return found


def holds(record):
    try:
        import jsonschema
    except ImportError:
        if os.environ.get("AMBIT_MUST_RUN"):
            raise
        return
    with open(SCHEMA, encoding="utf-8") as file:
        jsonschema.Draft7Validator(json.load(file)).validate(record)


def each_call_has_a_record(place):
    p = Person(place)
    with p.guard("--tool", "bad/echo where='{\"say\": \"a*\"}'", "--tool", "bad/drop", "--tool", "bad/look ask=true", "--agent", "alice") as c:
        c.begin()
        assert text_of(c.call("echo", say="abc", n=3, list=["x", True], long="y" * 9000)) == "abc"
        assert c.call("drop")["result"]["isError"]
        is_denied(c.call("echo", say="no\x1b[31m"), "is granted, but not with")
        is_denied(c.call("look"), "a person is asked first")
        assert "was not found" in c.call("nothing")["error"]["message"]  # asked of nobody
        assert c.end() == 0
    done, failed, denied, asked = records = calls(p)
    for r in records:
        holds(r)
        assert (r["kind"], r["agent"], r["asked"]["workdir"]) == ("tool", "alice", p.top), r
        kinds = [e["type"] for e in entries(p, r["event"])]
        assert kinds == ["request", "stop" if r["answer"] else "decision", "result"], kinds
    server = done["server"]
    assert any(e["type"] == "start" for e in entries(p, server))
    assert done["decision"] == {"verdict": "allowed", "grant": {"object": "bad/echo", "terms": "where='{\"say\":[\"a*\"]}'"}, "question": None, "error": None}, done
    assert [(a["name"], a["kind"], a["value"]) for a in done["asked"]["arguments"]] == [("say", "text", "abc"), ("n", "number", "3"), ("list", "text", "x"), ("list", "bool", "true"), ("long", "long", "9000")], done
    assert done["answer"]["end"] == "done" and done["answer"]["size_bytes"] > 9000, done
    assert failed["answer"]["end"] == "failed" and failed["decision"]["grant"] == {"object": "bad/drop", "terms": None}, failed
    assert denied["decision"]["verdict"] == "denied" and denied["answer"] is None and "granted, but not with" in denied["decision"]["error"]["message"], denied
    assert asked["decision"]["verdict"] == "asked" and asked["decision"]["question"].startswith("a_") and asked["decision"]["grant"]["object"] == "bad/look", asked
    for r, *words in ((done, "tool bad/echo", "list = x", "a text of 9000 characters", "by: tool: bad/echo where=", "it was done"), (failed, "tool bad/drop", "the tool said that it failed"),
                      (denied, "Denied", "is granted, but not with", "hint: "), (asked, "a person is asked first", asked["decision"]["question"])):
        text = expect_ok(p.ambit("explain", r["event"])).stdout
        assert all(w in text for w in words) and "\x1b" not in text, text
    expect_ok(p.ambit("ledger", "replay"))
    expect_ok(p.ambit("ledger", "verify", "--payloads"))
    shown = expect_ok(p.ambit("ledger", "show", "--event", denied["event"])).stdout
    assert "bad/echo" in shown, shown
    page = f"{p.top}/report.html"
    with open(page, "w", encoding="utf-8") as file:
        file.write(expect_ok(p.ambit("ledger", "report")).stdout)
    with open(page, encoding="utf-8") as file:
        text = file.read()
    assert all(w in text for w in ("bad/echo", "bad/drop", "refused", "alice")), text[:2000]


def many_are_kept_together(place):
    """Their records lie in few files, which are verified, backed up and pruned as others are."""
    p = Person(place)
    with p.guard(*ALL) as c:
        c.begin()
        c.ask("tools/list")
        for number in range(1000, 1100):
            c.say({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "echo", "arguments": {"say": f"<{number}>"}}})
        for _ in range(100):
            assert "result" in c.line()
        assert c.end() == 0
    records = calls(p)
    assert sorted(a["value"] for r in records for a in r["asked"]["arguments"]) == sorted(f"<{number}>" for number in range(1000, 1100))
    payload = f"{p.home}/.local/state/ambit/ledger/payload"
    assert len(os.listdir(payload)) < 30, os.listdir(payload)
    for r in (records[0], records[57], records[99]):
        assert f"say = {r['asked']['arguments'][0]['value']}\n" in expect_ok(p.ambit("explain", r["event"])).stdout
    expect_ok(p.ambit("ledger", "verify", "--payloads"))
    copy = f"{place.fresh()}/copy"
    expect_ok(p.ambit("ledger", "backup", copy))
    assert sorted(os.listdir(f"{copy}/payload")) == sorted(os.listdir(payload))
    time.sleep(1.1)
    pruned = expect_ok(p.ambit("ledger", "prune", "--payloads", "--older-than", "1s"))
    assert os.listdir(payload) == [], (os.listdir(payload), pruned)
    expect_ok(p.ambit("ledger", "verify", "--payloads"))
    assert "was pruned" in p.ambit("explain", records[3]["event"]).stderr


def questions_in_answers_are_told_as_they_are(place):
    """A URL to be opened comes in an error, and what is wanted of the client in a result."""
    p = Person(place)
    for mode, end in (("urls", "error"), ("inputs", "done")):
        with p.guard(*ALL, "--tool", "bad/elicitation/create", "--tool", "bad/roots/list", mode=mode) as c:
            c.begin()
            answer = c.call("echo")
            assert ("error" in answer) == (end == "error"), answer
            assert c.end() == 0
        ends = {r["asked"]["tool"]: r["answer"]["end"] for r in calls(p)}
        assert ends.pop("bad/echo") == end and set(ends.values()) == {"done"}, ends


def what_never_ended_is_told(place):
    """Cancelled, or the server dies, or the gate is killed."""
    p = Person(place)
    with p.guard(*ALL, mode="slow") as c:
        c.begin()
        c.ask("tools/list")
        c.say({"jsonrpc": "2.0", "id": 77, "method": "tools/call", "params": {"name": "echo", "arguments": {}}})
        time.sleep(0.3 * SLOW)
        c.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 77}})
        time.sleep(0.2)
        assert c.end() in (0, 1)
    with p.guard(*ALL, mode="dies") as c:
        c.begin()
        assert "error" in c.call("echo")
        c.end()
    with p.guard(*ALL, mode="slow") as c:
        c.begin()
        c.ask("tools/list")
        c.say({"jsonrpc": "2.0", "id": 78, "method": "tools/call", "params": {"name": "echo", "arguments": {}}})
        until = time.monotonic() + WAIT
        while not [s for s in entries(p) if s["body"].get("op") == "use" and s["seq"] > 0][2:]:
            assert time.monotonic() < until
            time.sleep(0.05)
        c.process.send_signal(signal.SIGKILL)
        c.process.wait(timeout=WAIT)
    until = time.monotonic() + WAIT
    while [r["answer"]["end"] for r in calls(p)] != ["cancelled", "lost", "lost"]:
        assert time.monotonic() < until, [r["answer"] for r in calls(p)]
        time.sleep(0.1)
    assert "lost" in expect_ok(p.ambit("explain", calls(p)[2]["event"])).stdout
    expect_ok(p.ambit("ledger", "replay"))


def writer_of(c):
    """The process that writes the records: it is the gate's own program."""
    with open(f"/proc/{c.process.pid}/task/{c.process.pid}/children", encoding="ascii") as file:
        own = [int(word) for word in file.read().split()]

    def words(pid):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()

    pid, = [pid for pid in own if words(pid) == words(c.process.pid)]
    return pid


def said(c, words):
    """A thread reads what it said: perhaps later than it ended."""
    until = time.monotonic() + WAIT
    while words not in b"".join(c.err) and time.monotonic() < until:
        time.sleep(0.01)
    return words in b"".join(c.err)


def who_writes_has_nothing_of_the_gate(place):
    """Or its server and its client would not see that it ended."""
    p = Person(place)
    with p.guard(*ALL) as c:
        c.begin()
        assert text_of(c.call("echo", say="x")) == "x"
        fds = {int(fd): os.readlink(f"/proc/{writer_of(c)}/fd/{fd}") for fd in os.listdir(f"/proc/{writer_of(c)}/fd")}
        assert fds.pop(0) == fds.pop(1) == "/dev/null" and fds.pop(2).startswith("pipe:") and fds.pop(4).endswith("/ledger"), fds
        assert len(fds) <= 2 and all(to.startswith("socket:") for to in fds.values()), fds  # to the gate, and to the ledger
        assert any(os.readlink(f"/proc/{c.process.pid}/fd/{fd}").startswith("pipe:") for fd in (0, 1))  # the twin


def a_killed_ledger_loses_no_record(place):
    p = Person(place)
    over = threading.Event()
    lock = f"{p.home}/.local/state/ambit/ledger/lock"

    def killer():
        while not over.wait(0.4 * SLOW):  # as often as one comes to life, and no more
            for pid in lock_holders(lock):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    done = []
    with p.guard(*ALL) as c:
        c.begin()
        assert text_of(c.call("echo", say="first")) == "first"
        thread = threading.Thread(target=killer)
        thread.start()
        try:
            for number in range(200):
                answer = c.call("echo", say=str(number))
                if "result" in answer and not answer["result"].get("isError"):
                    done.append(str(number))
        finally:
            over.set()
            thread.join()
        assert c.end() == 0, c.err
    records = [r["asked"]["arguments"][0]["value"] for r in calls(p) if r["answer"] and r["answer"]["end"] == "done"]
    assert len(done) > 20 and records == ["first", *done], (len(done), len(records))
    expect_ok(p.ambit("ledger", "verify", "--payloads"))
    expect_ok(p.ambit("ledger", "replay"))


def what_the_dead_did_not_write_is_told(place):
    p = Person(place)
    with p.guard(*ALL) as c:
        c.begin()
        assert text_of(c.call("echo", say="x")) == "x"
        os.kill(writer_of(c), signal.SIGKILL)
        while "result" in (last := c.call("echo", say="x")) and not last["result"].get("isError"):
            pass
        assert "cannot be recorded any more" in json.dumps(last), last
        assert c.end() != 0
        assert said(c, b"records of calls are missing"), c.err
    with p.guard(*ALL) as c:  # also of the last one
        c.begin()
        assert text_of(c.call("echo", say="x")) == "x"
        os.kill(writer_of(c), signal.SIGKILL)
        assert c.end() != 0
        assert said(c, b"records of calls are missing"), c.err


def who_kills_all_of_the_gate_kills_no_record(place):
    """A client ends what it started by its group of processes."""
    p = Person(place)
    with Client(["setsid", place.ambit, "guard", "--name", "bad", *room_of(place), "--read", p.top, *ALL, "--", PYTHON, f"{p.top}/guard_server.py", "slow"], p.env, p.top) as c:
        c.begin()
        c.ask("tools/list")
        c.say({"jsonrpc": "2.0", "id": 78, "method": "tools/call", "params": {"name": "echo", "arguments": {}}})
        until = time.monotonic() + WAIT
        while not [s for s in entries(p) if s["body"].get("op") == "use"]:
            assert time.monotonic() < until
            time.sleep(0.05)
        os.killpg(c.process.pid, signal.SIGKILL)
        c.process.wait(timeout=WAIT)
    while [r["answer"]["end"] for r in calls(p)] != ["lost"]:
        assert time.monotonic() < until, entries(p)
        time.sleep(0.1)


def what_cannot_be_recorded_is_not_done(place):
    p = Person(place)
    payload = f"{p.home}/.local/state/ambit/ledger/payload"
    with p.guard(*ALL) as c:
        c.begin()
        assert text_of(c.call("echo", say="x")) == "x"
        until = time.monotonic() + WAIT
        while not glob.glob(f"{payload}/*"):
            assert time.monotonic() < until
            time.sleep(0.05)
        os.rename(payload, payload + ".away")
        with open(payload, "w", encoding="utf-8"):
            pass
        c.call("echo", say="the last")
        while "result" in (last := c.call("echo", say="x")) and not last["result"].get("isError"):
            assert time.monotonic() < until
            time.sleep(0.05)
        assert "cannot be recorded any more" in json.dumps(last), last
        c.end()
        assert said(c, b"payload"), c.err
    with p.guard(*ALL) as c:  # no other start does, either
        c.process.wait(timeout=WAIT)
        assert c.process.returncode != 0


def where_nothing_is_recorded_calls_go_on(place):
    p = Person(place)
    p.env["AMBIT_LEDGER"] = "none"
    with p.guard(*ALL) as c:
        c.begin()
        assert text_of(c.call("echo", say="x")) == "x" and c.end() == 0
    assert not os.path.exists(f"{p.home}/.local/state/ambit/ledger/payload")


if __name__ == "__main__":
    main([each_call_has_a_record, many_are_kept_together, questions_in_answers_are_told_as_they_are, what_never_ended_is_told, who_writes_has_nothing_of_the_gate, a_killed_ledger_loses_no_record, what_the_dead_did_not_write_is_told,
          who_kills_all_of_the_gate_kills_no_record, what_cannot_be_recorded_is_not_done, where_nothing_is_recorded_calls_go_on])
