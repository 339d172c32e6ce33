#!/usr/bin/env python3
"""What a policy says of the answers of guarded servers: what none may have, and how long one may be.

usage: guard_answers.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import json

from guard import ALL, WAIT, Person, is_denied, text_of
from guard_log import calls
from harness import expect_ok, main

TOKEN = "ghp_" + "aB3dE5fG7hJ9kL1mN0pQ2rS4tU6vW8xY0zA1"


def policy(p, text):
    path = f"{p.home}/answers.yaml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"version: 1\nanswers: {text}\n")
    return ("--policy", path)


def what_is_secret_does_not_pass(place):
    p = Person(place)
    strict = policy(p, "{secret: [tokens, 'ACME-[0-9]{8}', 'größe|§[a-z]+']}")
    secrets = ["ACME-12345678", f"before ACME-12345678 behind {20 * 'x'}", 5000 * "x" + "ACME-12345678", f"token={TOKEN}", "die größe", "\u00a7abc"]
    plain = ["ACME-1234567", "acme-12345678", "ghp_short", "grosse", "", "ACME-\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668"]
    with p.guard(*ALL, *strict) as c:
        c.begin()
        for text in secrets:
            is_denied(c.call("echo", say=text), "was not passed on", "which the policy calls secret")
            is_denied(c.call("echo", deep=[{"a": {text if len(text) < 100 else text[-40:]: 1}}]), "was not passed on")
            assert text not in json.dumps(c.stray), c.stray
        for text in plain:
            assert text_of(c.call("echo", say=text)) == text
        is_denied(c.call("echo", say=TOKEN), "a token of GitHub")
        is_denied(c.call("echo", say="ACME-12345678"), "what `ACME-[0-9]{8}` matches")
        assert "was not passed on" in c.ask("resources/read", uri="ACME-12345678")["error"]["message"]  # the server says it again
        assert c.end() == 0
    ends = [r["answer"]["end"] for r in calls(p)]
    assert ends == 2 * len(secrets) * ["withheld"] + len(plain) * ["done"] + ["withheld"] * 3, ends
    assert "withheld" in expect_ok(p.ambit("explain", calls(p)[0]["event"])).stdout
    with p.guard(*ALL) as c:  # the twin
        c.begin()
        for text in secrets:
            assert text_of(c.call("echo", say=text)) == text


def told(c):
    """What the person reads, when it is over."""
    c.hears_errors.join(WAIT)
    return b"".join(c.err).decode()


def goes_on(c):
    """Whether the server is there for another call."""
    try:
        answer = c.call("echo", say="hi")
    except (AssertionError, OSError):  # the gate has ended with it
        return False
    return "error" not in answer and not answer["result"].get("isError")


def place_canary(p):
    """Gives the text of its secret, and where it lies."""
    path = f"{p.home}/decoy"
    expect_ok(p.ambit("canary", "add", path, "--kind", "token"))
    with open(path, encoding="utf-8") as file:
        return file.read().strip(), path


def a_canarys_secret_does_not_pass(place):
    """In arguments, answers and beside them: the call is refused, the server ended, the person told; none of the others is told what it was. The twin: another text passes, and the server goes on."""
    p = Person(place)
    secret, path = place_canary(p)
    other = secret[:-5] + secret[-5:][::-1] + "x"
    with p.guard(*ALL) as c:
        c.begin()
        assert text_of(c.call("echo", say=other)) == other and text_of(c.call("echo", say=secret[:-1])) == secret[:-1]
        assert c.end() == 0
    for agent, arguments, words in (("a", {"say": secret}, ()), ("b", {"say": f"see {secret}!"}, ()), ("c", {"deep": [{"a": {secret: 1}}]}, ()), ("d", {"say": f"{900 * 'x'}.{secret}"}, ("--per-call",))):
        with p.guard(*ALL, "--agent", agent, *words) as c:  # what each had is revoked then
            c.begin()
            is_denied(c.call("echo", **arguments), "was refused: it has a secret")
            assert not goes_on(c)
            c.end()
            assert f"canary: the secret of {path} was in a call of bad/echo" in told(c), told(c)
    denied = [r for r in calls(p) if r["decision"]["verdict"] == "denied" and "has a secret" in r["decision"]["error"]["message"]]
    assert len(denied) == 4 and all(r["decision"]["error"]["code"] == "DENIED" and path not in json.dumps(r) for r in denied), denied
    with p.guard(*ALL) as c:  # what is not judged
        c.begin()
        assert "it has a secret" in c.ask("resources/list", cursor=secret)["error"]["message"]
        assert not goes_on(c)
        c.end()
        assert path in told(c)


def what_a_server_says_of_a_canary_is_withheld(place):
    """And it is only told where the policy says so: what has it does not pass all the same."""
    p = Person(place)
    secret, path = place_canary(p)
    half = len(secret) // 2
    for way, stays in (("tell", True), ("kill", False)):
        with p.guard(*ALL, "--canary", way) as c:
            c.begin()
            is_denied(c.call("echo", join=[secret[:half], secret[half:]]), "was not passed on: it has a secret")
            assert goes_on(c) == stays, way
            c.end()
            assert f"canary: the secret of {path} was in what was said by bad" in told(c), told(c)


def numbers_are_looked_at(place):
    """As they are written in short; the ids of messages are ours, and are not."""
    p = Person(place)
    found, passes = [4111111111111111, -4111111111111111, 4111111111111111.0, 1234567890.411111, {"a": [4111111111111111]}], [411111111111111, 0.1, 1e5, True, None, 41]
    with p.guard(*ALL, *policy(p, "{secret: ['[0-9]{16}', '1234567890\\.4']}")) as c:
        c.begin()
        for number in found:
            is_denied(c.call("echo", n=number), "was not passed on")
        for number in passes:
            assert c.call("echo", n=number)["result"]["structuredContent"]["given"] == {"n": number}
    with p.guard(*ALL, *policy(p, "{secret: '[1-9]'}")) as c:
        c.begin()
        for _ in range(3):
            assert text_of(c.call("echo", say="x")) == "x"
        is_denied(c.call("echo", n=7), "was not passed on")


def escapes_hide_nothing(place):
    p = Person(place)
    for words, passes in ((policy(p, "{secret: 'ACME-[0-9]{8}'}"), False), ((), True)):
        with p.guard(*ALL, *words, mode="escaped") as c:
            c.begin()
            answer = c.call("echo")
            assert ("ACME-12345678" in json.dumps(answer["result"])) == passes, answer
            assert passes or is_denied(answer, "was not passed on")


def notes_and_questions_have_none(place):
    p = Person(place)
    asked = "--tool", "bad/elicitation/create"
    for words, passes in ((policy(p, "{secret: 'ACME-[0-9]{8}'}"), False), ((), True)):
        with p.guard(*ALL, *words, mode="progress") as c:
            c.begin()
            assert text_of(c.call("echo", _meta={"progressToken": "ACME-12345678"})) == ""
            assert ["notifications/progress" for s in c.stray if s.get("method") == "notifications/progress"] == ["notifications/progress"] * passes, c.stray
        with p.guard(*ALL, *asked, *words, mode="asks_secret") as c:
            c.begin()
            assert text_of(c.call("echo")) == ""
            if passes:
                until = [c.line()] if not [s for s in c.stray if s.get("method") == "elicitation/create"] else c.stray
                assert "ACME" in json.dumps(until)
            else:
                assert text_of(c.call("echo")) == "" and not [s for s in c.stray if s.get("method") == "elicitation/create"], c.stray


def long_answers_do_not_pass(place):
    p = Person(place)
    with p.guard(*ALL, *policy(p, "{bytes: 2K}")) as c:
        c.begin()
        assert text_of(c.call("echo", say="x" * 900)) == "x" * 900  # it is there twice
        is_denied(c.call("echo", say="x" * 1100), "was not passed on", "of 2048 that the policy lets pass")
        assert c.end() == 0
    with p.guard(*ALL) as c:
        c.begin()
        assert text_of(c.call("echo", say="x" * 1100)) == "x" * 1100


def two_policies_are_narrower(place):
    p = Person(place)
    one = policy(p, "{secret: 'ACME-[0-9]{8}', bytes: 1M}")
    other = f"{p.home}/other.yaml"
    with open(other, "w", encoding="utf-8") as file:
        file.write("version: 1\nanswers: {secret: [tokens, 'ACME-[0-9]{8}'], bytes: 4K}\n")
    with p.guard(*ALL, *one, "--policy", other) as c:
        c.begin()
        is_denied(c.call("echo", say="ACME-12345678"), "was not passed on")
        is_denied(c.call("echo", say=TOKEN), "was not passed on")
        is_denied(c.call("echo", say="x" * 4000), "was not passed on")
        assert text_of(c.call("echo", say="x")) == "x"


def bytes_are_counted_together(place):
    """Of arguments and answers, by each grant; the answer that has more than were left is the last."""
    p = Person(place)
    with p.guard("--tool", "bad/echo bytes=10K", "--tool", "bad/drop bytes=1K", "--tool", "bad/look") as c:
        c.begin()
        size = 0
        while "result" in (answer := c.call("echo", say="x" * 1000)) and not answer["result"].get("isError"):
            size += 3000
        assert 3000 * 3 <= size <= 3000 * 5, size
        is_denied(answer, "is used up (bytes)")
        assert text_of(c.call("echo", say="z" * 400)) == "z" * 400  # less than is left, with an answer that is more: the last
        is_denied(c.call("echo"), "is used up (bytes)")
        for _ in range(3):
            assert c.call("drop")["result"]["content"][0]["text"] == "dropped"
        assert c.call("look", path="/", port=1, pid=1)["result"]
        is_denied(c.call("drop", say="y" * 2000), "is used up (bytes)")  # more than is left, before it is done
        assert c.call("drop")["result"]["content"][0]["text"] == "dropped"  # which takes nothing
        assert c.end() == 0
    expect_ok(p.ambit("ledger", "replay"))
    with p.guard(*ALL) as c:
        c.begin()
        for _ in range(8):
            assert text_of(c.call("echo", say="x" * 1000))


def what_is_no_policy_is_refused(place):
    p = Person(place)
    rows = [("[]", "not a mapping"), ("{secrets: x}", "'secrets' is nothing that answers have"), ("{secret: '[a'}", "byte"), ("{secret: 'a*'}", "found in every answer"), ("{secret: ''}", ""),
            ("{secret: '[a-z]{200}'}", "takes"), ("{secret: [%s]}" % ", ".join(f"a{i}" for i in range(9)), "more than 8"), ("{bytes: 0}", "bytes"), ("{bytes: many}", "bytes"),
            ("{bytes: 1K, bytes: 2K}", "twice"), ("{secret: {a: b}}", "what is secret"), ("{secret: '" + "a" * 256 + "'}", "255")]
    for text, words in rows:
        done = p.ambit("policy", "check", policy(p, text)[1])
        assert done.returncode != 0 and words in done.stderr and "answers.yaml:2" in done.stderr, (text, done.stderr)
    expect_ok(p.ambit("policy", "check", policy(p, "{secret: [tokens], bytes: 64K}")[1]))


if __name__ == "__main__":
    main([what_is_secret_does_not_pass, a_canarys_secret_does_not_pass, what_a_server_says_of_a_canary_is_withheld, numbers_are_looked_at, escapes_hide_nothing, notes_and_questions_have_none, long_answers_do_not_pass, two_policies_are_narrower, bytes_are_counted_together, what_is_no_policy_is_refused])
