#!/usr/bin/env python3
"""A call through a gate that comes again with the same key is made once.

usage: guard_once.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import json

from guard import ALL, Person, is_denied, text_of
from guard_log import calls
from harness import expect_ok, main

KEY = "io.ambit/idempotencyKey"


def once(c, key, **arguments):
    return c.call("echo", _meta={KEY: key}, **arguments)


def the_same_key_gives_the_same_answer(place):
    p = Person(place)
    with p.guard(*ALL, mode="counts") as c:
        c.begin()
        first = once(c, "a", say="x")
        for _ in range(3):
            again = once(c, "a", say="x")
            assert {**again, "id": 0} == {**first, "id": 0}, again
        assert text_of(c.call("echo", say="x")) == "2"  # without a key two equal calls are two
        assert text_of(c.call("echo", say="x")) == "3"
        assert "is of another call" in once(c, "a", say="y")["error"]["message"]
        assert "is of another call" in c.call("look", _meta={KEY: "a"}, say="x")["error"]["message"]
        assert text_of(once(c, "b", say="x")) == "4"
        failed = once(c, "c", fails=True)
        assert failed["result"]["isError"] and once(c, "c", fails=True)["result"] == failed["result"]
        wrong = once(c, "d", error=True)
        assert wrong["error"]["message"] == "wrong 6" and once(c, "d", error=True)["error"] == wrong["error"]
        assert text_of(c.call("echo", _meta={KEY: "a", "progressToken": 7}, say="x")) == "1"  # whatever stands beside it
        task = c.ask("tools/call", name="echo", arguments={"say": "x"}, task={}, _meta={KEY: "a"})
        assert "is of another call" in task["error"]["message"], task  # whose answer has another form
        for bad in ("", "k" * 129, 7, None, ["a"]):
            assert "is a text of 1 to 128 bytes" in c.call("echo", _meta={KEY: bad})["error"]["message"], bad
        assert c.end() == 0
    assert len(calls(p)) == 6, calls(p)  # what is given again is no use
    expect_ok(p.ambit("ledger", "replay"))


def who_comes_while_it_runs_waits(place):
    p = Person(place)
    with p.guard(*ALL, mode="counts") as c:
        c.begin()
        c.ask("tools/list")
        for number in range(100, 105):
            c.say({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "echo", "arguments": {"seconds": 0.5}, "_meta": {KEY: "a"}}})
        c.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 103}})  # one that waits, and not the call
        got = {(line := c.line())["id"]: line for _ in range(4)}
        assert sorted(got) == [100, 101, 102, 104] and all(text_of(line) == "1" for line in got.values()), got
        assert text_of(c.call("echo")) == "2"


def what_had_no_end_is_not_made_again(place):
    p = Person(place)
    with p.guard(*ALL, mode="counts") as c:
        c.begin()
        c.ask("tools/list")
        for number in (100, 101):
            c.say({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "echo", "arguments": {"seconds": 0.3}, "_meta": {KEY: "a"}}})
        c.say({"jsonrpc": "2.0", "id": 102, "method": "tools/call", "params": {"name": "echo", "arguments": {"seconds": 0.5}, "_meta": {KEY: "b"}}})
        c.ask("ping")
        c.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 102}})
        for _ in range(2):
            assert "was cancelled" in once(c, "b", seconds=0.5)["error"]["message"]
    with p.guard(*ALL, mode="counts") as c:
        c.begin()
        c.ask("tools/list")
        for number in (100, 101):
            c.say({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "echo", "arguments": {"dies": True}, "_meta": {KEY: "a"}}})
        got = {(line := c.line())["id"]: line["error"]["message"] for _ in range(2)}
        assert "lost" in got[101] or "ended" in got[101], got


def what_was_not_made_may_be_made(place):
    """A denial holds no key."""
    p = Person(place)
    with p.guard("--tool", "bad/echo where='{\"say\": \"a*\"}'", "--tool", "bad/drop uses=1", mode="counts") as c:
        c.begin()
        is_denied(once(c, "k", say="b"), "is granted, but not with")
        is_denied(once(c, "k", say="b"), "is granted, but not with")
        assert text_of(once(c, "k", say="a")) == "1"  # the key was of nothing
        assert text_of(c.call("drop", _meta={KEY: "l"})) == "2"
        assert text_of(c.call("drop", _meta={KEY: "l"})) == "2"  # uses nothing up
        is_denied(c.call("drop"), "used up")


def what_is_kept_is_bounded(place):
    p = Person(place)
    with p.guard(*ALL, mode="counts") as c:
        c.begin()
        for i in range(100):
            assert text_of(once(c, f"k{i}")) == str(i + 1)
        assert text_of(once(c, "k99")) == "100" and text_of(once(c, "k36")) == "37"
        assert text_of(once(c, "k0")) == "101"  # it is forgotten: 64 are kept
        for i in range(3):
            assert once(c, f"long{i}", more=3_500_000)["result"]["content"][0]["text"].startswith(str(102 + i))
        assert text_of(once(c, "long1", more=3_500_000)).startswith("103")
        assert "was made, and its answer is not there any more" in once(c, "long2", more=3_500_000)["error"]["message"]
        assert text_of(c.call("echo")) == "105"
        assert json.dumps(c.stray) == "[]"


def what_brings_answers_back_is_a_call_of_its_own(place):
    p = Person(place)
    with p.guard(*ALL, mode="counts") as c:
        c.begin()
        for number in ("1", "2"):
            for _ in range(3):  # each is made once
                answer = c.ask("tools/call", name="echo", arguments={}, inputResponses={"a": {"action": "accept"}}, requestState=f"its own {number}", _meta={KEY: f"k{number}"})
                assert text_of(answer) == number, answer
        for more in ({"requestState": "another"}, {"inputResponses": {}}, {}):
            answer = c.ask("tools/call", name="echo", arguments={}, _meta={KEY: "k1"}, **more)
            assert "is of another call" in answer["error"]["message"], answer
    with p.guard(*ALL, "--tool", "bad/elicitation/create", "--tool", "bad/roots/list", mode="inputs") as c:
        c.begin()
        for _ in range(2):  # a question is no answer: the key is free again
            assert once(c, "k")["result"]["resultType"] == "input_required"
        answer = c.ask("tools/call", name="echo", arguments={}, inputResponses={"a": {}, "b": {}}, _meta={KEY: "k"})
        assert text_of(answer) == "", answer


def an_answer_that_does_not_pass_is_told_in_words(place):
    p = Person(place)
    with p.guard(*ALL, mode="counts") as c:
        c.begin()
        assert "id of the answer cannot be found" in once(c, "a", hides=True)["error"]["message"]
        for _ in range(2):
            assert "its answer is not there any more" in once(c, "a", hides=True)["error"]["message"]
        assert text_of(c.call("echo")) == "2"


def long_answers_for_many_that_wait_are_bounded(place):
    """Who has no room gets an error, and the gate goes on."""
    p = Person(place)
    with p.guard(*ALL, mode="counts") as c:
        c.begin()
        c.ask("tools/list")
        for number in range(100, 130):
            c.say({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "echo", "arguments": {"seconds": 0.5, "more": 3_500_000}, "_meta": {KEY: "a"}}})
        got = {(line := c.line())["id"]: line for _ in range(30)}
        assert sorted(got) == list(range(100, 130))
        have = [line for line in got.values() if "result" in line]
        assert 2 <= len(have) < 30 and all(text_of(line).startswith("1x") for line in have), len(have)
        assert all("call it again" in line["error"]["data"]["hint"] for line in got.values() if "error" in line)
        assert text_of(once(c, "a", seconds=0.5, more=3_500_000)).startswith("1x")  # now there is
        assert text_of(c.call("echo")) == "2"


if __name__ == "__main__":
    main([the_same_key_gives_the_same_answer, who_comes_while_it_runs_waits, what_had_no_end_is_not_made_again, what_was_not_made_may_be_made, what_is_kept_is_bounded, what_brings_answers_back_is_a_call_of_its_own, an_answer_that_does_not_pass_is_told_in_words, long_answers_for_many_that_wait_are_bounded])
