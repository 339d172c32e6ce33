#!/usr/bin/env python3
"""A gate around a server of the Model Context Protocol: what passes, and what does not, in both directions.

usage: guard.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import threading
import time

import approvals
from harness import PATIENCE, SLOW, expect_ok, main, room_of, silenced, told

PYTHON = "/usr/bin/python3"
HERE = os.path.dirname(os.path.abspath(__file__))
WAIT = PATIENCE * SLOW


class Client:
    """Says lines, and hears them, whatever they are."""

    def __init__(self, argv, env, cwd):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=cwd)
        self.lines, self.stray, self.last, self.err = queue.Queue(), [], 0, []
        threading.Thread(target=self.hear, daemon=True).start()
        self.hears_errors = threading.Thread(target=lambda: self.err.extend(self.process.stderr), daemon=True)
        self.hears_errors.start()

    def hear(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def say(self, *what):
        for one in what:
            self.process.stdin.write((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n")
        self.process.stdin.flush()

    def line(self, wait=WAIT):
        line = self.lines.get(timeout=wait)
        return line if line is None else json.loads(line)

    def wait_for(self, number):
        """The answer to that id; what comes before goes to `stray`."""
        while (line := self.line()) is not None:
            if "method" not in line and line.get("id") == number:
                return line
            self.stray.append(line)
        raise AssertionError(f"it ended: {b''.join(self.err).decode()}")

    def ask(self, method, **params):
        self.last += 1
        self.say({"jsonrpc": "2.0", "id": self.last, "method": method, **({"params": params} if params else {})})
        return self.wait_for(self.last)

    def call(self, name, _meta=None, **arguments):
        return self.ask("tools/call", name=name, arguments=arguments, **({"_meta": _meta} if _meta else {}))

    def begin(self):
        answer = self.ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "t", "version": "1"})
        self.say({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def end(self):
        self.process.stdin.close()
        return self.process.wait(timeout=WAIT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=WAIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Person:
    def __init__(self, place):
        self.place, fresh = place, place.fresh()
        self.home, self.top = f"{fresh}/home", f"{fresh}/tree"
        os.mkdir(self.home)
        os.mkdir(self.top)
        shutil.copy(os.path.join(HERE, "guard_server.py"), self.top)
        self.env = {**place.environment(), "HOME": self.home}
        place.home = self.home

    def guard(self, *words, mode="good", extra=(), server=None):
        own = [PYTHON, f"{self.top}/guard_server.py", mode, *extra]
        return Client([self.place.ambit, "guard", "--name", "bad", *room_of(self.place), "--read", self.top, *words, "--", *(server or own)], self.env, self.top)

    def bare(self, mode="good", extra=()):
        return Client([PYTHON, f"{self.top}/guard_server.py", mode, *extra], self.env, self.top)

    def ambit(self, *words):
        return subprocess.run([self.place.ambit, *words], env=self.env, cwd=self.top, capture_output=True, text=True, timeout=WAIT, stdin=subprocess.DEVNULL)


ALL = ("--tool", "bad/*")


def is_denied(answer, *words):
    text = answer["result"]["content"][0]["text"]
    assert answer["result"]["isError"] and all(w in text for w in words), answer
    return True


def text_of(answer):
    assert not answer["result"].get("isError"), answer
    return answer["result"]["content"][0]["text"]


def only_what_is_granted_is_called(place):
    p = Person(place)
    with p.guard("--tool", "bad/echo") as c:
        assert c.begin()["result"]["serverInfo"]["name"] == "bad"
        assert [t["name"] for t in c.ask("tools/list")["result"]["tools"]] == ["echo"]  # as is granted
        assert text_of(c.call("echo", say="hi")) == "hi"
        is_denied(c.call("drop"), "'bad/drop' is not granted", "`tool: bad/drop`")
        error = c.call("nothing")["error"]
        assert error["code"] == -32602 and "the tool 'nothing' was not found" in error["message"], error
        for method, params in (("resources/read", {"uri": "file:///x"}), ("prompts/get", {"name": "x"}), ("completion/complete", {"ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "a", "value": "b"}})):
            error = c.ask(method, **params)["error"]
            assert f"'bad/{method}' is not granted" in error["message"], error
        assert c.end() == 0
    with p.guard(*ALL) as c:  # the twin
        c.begin()
        assert [t["name"] for t in c.ask("tools/list")["result"]["tools"]] == ["echo", "look", "drop"]
        assert c.call("drop")["result"]["content"][0]["text"] == "dropped"
        assert c.ask("resources/read", uri="file:///x")["result"]["contents"][0]["text"] == "it"
        assert c.ask("prompts/get", name="x")["result"] == {"messages": []}
    steps = [json.loads(line) for line in expect_ok(p.ambit("ledger", "show", "--json")).stdout.splitlines()]
    used = [(s["body"]["object"], s["body"]["verdict"]) for s in steps if s["body"].get("op") == "use"]
    assert used == [("bad/echo", "allowed"), ("bad/drop", "allowed"), ("bad/resources/read", "allowed"), ("bad/prompts/get", "allowed")], used
    expect_ok(p.ambit("ledger", "replay"))


def conditions_hold_on_any_argument(place):
    p = Person(place)
    rows = [  # grant, arguments, are they allowed
        ({"say": "a*"}, {"say": "abc"}, True),
        ({"say": "a*"}, {"say": "bcd"}, False),
        ({"say": "a*"}, {"say": ["abc", "bcd"]}, False),
        ({"say": "./docs/*"}, {"say": "./docs/../x"}, False),
        ({"say": "./docs/*"}, {"say": "./docs/x"}, True),
        ({"say": "a*", "*": None}, {"say": "a", "more": 1}, False),
        ({"say": "a*"}, {"say": "a", "more": 1}, True),
        ({"n": {"max": 5}}, {"n": 6}, False),
        ({"n": {"max": 5}}, {"n": 5}, True),
        ({"to": None}, {"to": "x"}, False),
        ({"to": None}, {"say": "x"}, True),
        ({"say": {"given": True}}, {}, False),
        ({"say": {"length": 3}}, {"say": "abcd"}, False),
        ({"say": "a*"}, {"say": "a", "SAY": "b"}, None),  # some servers take the one for the other
        ({"say": "a*"}, {"sk": "a", "s\u212a": "b"}, None),  # as Go folds it
        ({"say": "a*"}, {"SAY": "b"}, False),  # a condition is not evaded by its own name
        ({"say": "a*"}, {"__proto__": {"say": "b"}}, False),
        ({"say": "a*"}, {f"n{i}": None for i in range(257)}, ...),
        ({"say": {"match": "[a-z0-9._-]+@example\\.com"}}, {"say": ["ann@example.com", "b.c@example.com"]}, True),
        ({"say": {"match": "[a-z0-9._-]+@example\\.com"}}, {"say": ["ann@example.com", "ann@example.com.test"]}, False),
        ({"say": {"match": "[a-z0-9._-]+@example\\.com"}}, {"say": "ann@examplexcom"}, False),
        ({"say": {"match": "(a*)*b"}}, {"say": 4000 * "a"}, False),
        ({"say": {"match": "a*"}}, {"say": 4000 * "a"}, True),
        ({"say": {"match": "a*"}}, {"say": 5000 * "a"}, False),  # too long to be told
        ({"say": {"match": "[./a-z]+"}}, {"say": "./docs/../x"}, False),
        ({"n": {"match": "[0-9]+"}}, {"n": 25}, True),
        ({"n": {"match": "[0-9]+"}}, {"n": -25}, False),
        ({"o.mode": "r"}, {"o": {"mode": "w"}}, False),
        ({"o.mode": "r"}, {"o": {"mode": "r"}}, True),
        ({"say": {"schema": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 3}}}, {"say": "abc"}, True),
        ({"say": {"schema": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 3}}}, {"say": "abcd"}, False),
        ({"o": {"schema": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"], "additionalProperties": False}}}, {"o": {"n": 1}}, True),
        ({"o": {"schema": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"], "additionalProperties": False}}}, {"o": {"n": 1, "m": 1}}, False),
        ({"o": {"schema": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}}}, {"o": {"N": 0}}, False),
        ({"o": {"schema": {"type": "object"}}}, {"O": {"n": 0}}, False),
    ]
    for where, arguments, allowed in rows:
        with p.guard("--tool", f"bad/echo where='{json.dumps(where)}'") as c:
            c.begin()
            answer = c.call("echo", **arguments)
            if allowed is None:
                assert "differ by case" in answer["error"]["message"], answer
            elif allowed is ...:
                assert "more than 256 arguments" in answer["error"]["message"], answer
            elif allowed:
                assert answer.get("result", {}).get("structuredContent") == {"given": arguments}, (where, answer)
            else:
                is_denied(answer, "is granted, but not with")


def annotations_raise_a_risk_and_lower_none(place):
    p = Person(place)
    calm = "where='{\"*risky\": null}'"
    rows = [  # what its server says of `drop`, by its mode; the grants; is a person asked
        ("hints", "calm", (f"bad/* {calm}", "bad/* ask=true"), False), ("hints", "silent", (f"bad/* {calm}", "bad/* ask=true"), True), ("hints", "destroys", (f"bad/* {calm}", "bad/* ask=true"), True),
        ("hints", "calm", ("bad/* ask=true",), True), ("hints", "writes", (f"bad/* {calm}", "bad/* ask=true"), True), ("hints", "silent", ("bad/*",), False),
    ]
    for mode, tool, grants, asked in rows:
        with p.guard(*[word for g in grants for word in ("--tool", g)], mode=mode) as c:
            c.begin()
            answer = c.call(tool, say="x")
            assert (is_denied(answer, "a person is asked first") if asked else text_of(answer) == "x"), (tool, grants, answer)
    with p.guard("--tool", f"bad/* {calm}", mode="hints") as c:
        c.begin()
        is_denied(c.call("silent", say="x"), "but only where its server calls it harmless")
        assert text_of(c.call("calm", say="x")) == "x"
        is_denied(c.call("destroys", **{"*risky": None, "say": "x"}), "but only where its server calls it harmless")


def the_nearest_grant_decides(place):
    p = Person(place)
    with p.guard("--tool", "*", "--tool", "bad/drop ask=true") as c:
        c.begin()
        assert text_of(c.call("echo", say="x")) == "x"
        is_denied(c.call("drop"), "a person is asked first")
    with p.guard("--tool", "bad/*", "--tool", "bad/echo uses=1", "--tool", "bad/echo ask=true") as c:  # once in silence, then a person is asked
        c.begin()
        assert text_of(c.call("echo", say="x")) == "x"
        is_denied(c.call("echo", say="x"), "a person is asked first")
    with open(f"{p.top}/p.yaml", "w", encoding="utf-8") as file:
        file.write('version: 1\nagent: coder\ngrants:\n  - work: .\n  - tool: bad/echo\n    where: {say: "a*"}\n  - tool: bad/look\nguard:\n  - read: ./guard_server.py\n')
    with Client([place.ambit, "guard", "--name", "bad", *room_of(place), "--policy", f"{p.top}/p.yaml", "--", PYTHON, f"{p.top}/guard_server.py"], p.env, p.top) as c:
        c.begin()
        assert text_of(c.call("echo", say="abc")) == "abc"
        is_denied(c.call("echo", say="b"), "but not with this 'say'")
        tries = json.loads(text_of(c.call("look", path=f"{p.top}/p.yaml", port=1, pid=1)))  # `work` is the agent's, and not the server's
        assert tries["file"] == "FileNotFoundError", tries


def numbers_are_used_up(place):
    p = Person(place)
    for _ in range(2):  # each start has its own
        with p.guard("--tool", "bad/echo uses=2") as c:
            c.begin()
            assert [text_of(c.call("echo", say=str(i))) for i in range(2)] == ["0", "1"]
            is_denied(c.call("echo", say="2"), "used up", "uses")


def a_killed_guard_leaves_no_more_than_one_place(place):
    p = Person(place)

    def below():
        grants = json.loads(expect_ok(p.ambit("grant", "list", "--standing", "--json")).stdout)["grants"]
        return [g["agent"] for g in grants if g["agent"].startswith("guard.")]

    for _ in range(3):
        with p.guard("--tool", "bad/echo uses=1") as c:
            c.begin()
            assert text_of(c.call("echo", say="x")) == "x"  # what the one before used is not this one's
            c.process.kill()
            c.process.wait(timeout=WAIT)
    assert below() == ["guard.bad.0"], below()
    with p.guard("--tool", "bad/echo uses=1") as one, p.guard("--tool", "bad/echo uses=1") as other:  # each has its own
        for c in (one, other):
            c.begin()
            assert text_of(c.call("echo", say="x")) == "x"
            is_denied(c.call("echo", say="x"), "used up")
        assert sorted(below()) == ["guard.bad.0", "guard.bad.1"], below()
        assert one.end() == 0 and other.end() == 0
    assert below() == [], below()


def what_is_revoked_is_refused(place):
    p = Person(place)
    with p.guard(*ALL) as c:
        c.begin()
        assert text_of(c.call("echo", say="1")) == "1"
        grants = [g for g in json.loads(expect_ok(p.ambit("grant", "list", "--standing", "--json")).stdout)["grants"] if g["verb"] == "tool"]
        assert len(grants) == 2 and {g["object"] for g in grants} == {"bad/*"}, grants
        above = next(g for g in grants if not g["agent"].startswith("guard."))
        expect_ok(p.ambit("grant", "revoke", above["grant"]))
        is_denied(c.call("echo", say="2"), "revoked")
    with p.guard(*ALL) as c:
        assert c.process.wait(timeout=WAIT) == 125 and b"was revoked" in b"".join(c.err), c.err
    expect_ok(p.ambit("grant", "restore", above["grant"]))
    with p.guard(*ALL) as c:
        c.begin()
        assert text_of(c.call("echo", say="3")) == "3"


def the_server_has_what_it_was_granted(place):
    p = Person(place)
    own = socket.socket()
    own.bind(("127.0.0.1", 0))
    own.listen(4)

    def serve():
        while True:
            try:
                own.accept()[0].sendall(b"in")
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    port, secret = own.getsockname()[1], f"{p.home}/secret"
    with open(secret, "w", encoding="utf-8") as file:
        file.write("of the person")
    p.env["SECRET_OF_THE_PERSON"] = "key"
    look = {"path": secret, "port": port, "pid": os.getpid()}
    with p.guard(*ALL) as c:
        c.begin()
        tries = json.loads(text_of(c.call("look", **look)))
        assert tries == {"file": "FileNotFoundError", "environment": "KeyError", "network": tries["network"], "process": "FileNotFoundError"} and "Error" in tries["network"], tries
        c.end()
        c.hears_errors.join(WAIT)
        said = b"".join(c.err).decode()  # its client writes it down, and whoever looks finds the flag
        assert f"denied: read {secret}" in said and f"--read {secret} allows it" in said, said
    with p.bare() as c:  # the twin
        c.begin()
        tries = json.loads(text_of(c.call("look", **look)))
        assert tries["file"] == "of the person" and tries["environment"] == "key" and tries["network"] == "in", tries
    with p.guard(*ALL, "--read", secret, "--env", "SECRET_OF_THE_PERSON", "--connect", f"127.0.0.1:{port}") as c:
        c.begin()
        tries = json.loads(text_of(c.call("look", **look)))
        assert (tries["file"], tries["environment"], tries["network"]) == ("of the person", "key", "in"), tries
    silenced(own)


def a_definition_that_changes_waits_for_a_person(place):
    p = Person(place)
    with p.guard(*ALL) as c:
        c.begin()
        assert text_of(c.call("echo", say="first")) == "first"  # seen first by our own list
    for mode, odd, why in (("redefined", "echo", "changed"), ("annotated", "drop", "changed"), ("more", "added", "new"), ("hidden", "echo", "changed")):
        with p.guard(*ALL, mode=mode) as c:
            c.begin()
            names = [t["name"] for t in c.ask("tools/list")["result"]["tools"]]
            assert odd not in names and len(names) == (3 if mode == "more" else 2), (mode, names)
            is_denied(c.call(odd, say="x"), "is not the one that was approved")
            c.end()
            assert f"tool {odd} of bad".encode() in b"".join(c.err), (mode, c.err)
        shown = expect_ok(p.ambit("guard", "--pins", "bad")).stdout
        assert f"{odd}: {why}" in shown and (why == "new" or " lines as before\n  - " in shown) and "\x1b" not in shown and "\u202e" not in shown, (mode, shown)
        with p.guard(*ALL) as c:  # who changes it back is the one that was approved
            c.begin()
            assert text_of(c.call("echo", say="again")) == "again"
    expect_ok(p.ambit("guard", "--pins", "bad", "--approve", "added"), "approved: added\n")
    assert p.ambit("guard", "--pins", "bad", "--approve", "nothing").returncode == 125
    with p.guard(*ALL, mode="more") as c:
        c.begin()
        assert text_of(c.call("added", say="now")) == "now"
    with p.guard(*ALL, mode="changes") as c:  # also while it runs
        c.begin()
        assert len(c.ask("tools/list")["result"]["tools"]) == 3
        assert c.line()["method"] == "notifications/tools/list_changed"  # the gate has heard it, too
        is_denied(c.call("echo", say="x"), "is not the one that was approved")
    with p.guard(*ALL, mode="hidden") as c:  # what nobody sees is not approved by anybody
        c.begin()
        c.ask("tools/list")
        assert c.end() == 0
    expect_ok(p.ambit("guard", "--pins", "bad"))
    expect_ok(p.ambit("guard", "--pins", "bad", "--approve"))
    with p.guard(*ALL, mode="hidden") as c:
        c.begin()
        is_denied(c.call("echo", say="x"), "is not the one that was approved")


def what_differs_is_shown_where_it_stands(place):
    """The same words elsewhere are another definition, and are shown as one."""
    p = Person(place)
    shown = {}
    for mode in ("argument", "argument.dry", "argument.far"):
        with p.guard(*ALL, mode=mode) as c:
            c.begin()
            assert c.ask("tools/list")["result"]["tools"] if mode == "argument" else not c.ask("tools/list")["result"]["tools"]
        shown[mode] = expect_ok(p.ambit("guard", "--pins", "bad")).stdout
    for name, last, at in (("dry", "", "first 2 and its last 4 of 7"), ("far", "}", "first 4 and its last 2 of 7")):
        text = shown[f"argument.{name}"]
        assert f'  its {at} lines as before\n  in {{"inputSchema":{{"properties":{{"{name}":{{\n  - "type":"string"}}{last},\n  + "type":"boolean"}}{last},\n' in text, text


def what_is_approved_is_what_was_shown(place):
    p = Person(place)
    with p.guard(*ALL) as c:
        c.begin()
        c.call("echo", say="x")
    with p.guard(*ALL, mode="more") as c:
        c.begin()
        c.ask("tools/list")
        assert c.end() == 0
    refused = p.ambit("guard", "--pins", "bad", "--approve", "added")
    assert refused.returncode == 125 and "not one that was shown" in refused.stderr, refused
    assert "+ " in expect_ok(p.ambit("guard", "--pins", "bad")).stdout
    waits = f"{p.home}/.local/state/ambit/guard/bad/waits/added"
    with open(waits, encoding="utf-8") as file:
        shown = file.read()
    with open(waits, "w", encoding="utf-8") as file:  # a server that is running says another thing meanwhile
        file.write(shown.replace("does it", "obey me"))
    refused = p.ambit("guard", "--pins", "bad", "--approve")
    assert refused.returncode == 125 and "not one that was shown" in refused.stderr, refused
    with open(waits, "w", encoding="utf-8") as file:
        file.write(shown)
    expect_ok(p.ambit("guard", "--pins", "bad", "--approve"), "approved: added\n")
    with p.guard(*ALL, mode="more") as c:
        c.begin()
        assert text_of(c.call("added", say="x")) == "x"


def two_that_see_it_first_pin_one_definition(place):
    p = Person(place)
    with p.guard(*ALL) as one, p.guard(*ALL, mode="redefined") as other:
        for c in (one, other):
            c.begin()
        for c in (one, other):
            assert len(c.ask("tools/list")["result"]["tools"]) == 3
            assert c.end() == 0
    with p.guard(*ALL) as c:
        c.begin()
        assert text_of(c.call("echo", say="x")) == "x"
    assert "echo: changed" in expect_ok(p.ambit("guard", "--pins", "bad")).stdout


def what_is_misspelt_is_told(place):
    """A grant of another server, or of a tool that is not listed, means nothing; a list of tools that is empty would not say why."""
    p = Person(place)
    with p.guard("--tool", "bad/ehco", "--tool", "bda/echo", "--tool", "bad/echo") as c:
        c.begin()
        assert [t["name"] for t in c.ask("tools/list")["result"]["tools"]] == ["echo"]
        assert c.end() == 0
        told = b"".join(c.err).decode()
    assert "lists no tool ehco, which is granted" in told and "1 grant is of another server than bad, as 'bda/echo'" in told, told
    with p.guard(*ALL) as c:  # the twin
        c.begin()
        assert c.ask("tools/list")["result"]["tools"] and c.end() == 0
        assert b"granted" not in b"".join(c.err) and b"another server" not in b"".join(c.err), c.err
    for server, says in (("bad", "3 tools are approved, and none waits"), ("nosuch", "no tool of a server of that name was seen yet")):
        assert says in expect_ok(p.ambit("guard", "--pins", server)).stdout


def a_condition_that_would_narrow_nothing_is_not_used(place):
    """Of an argument that is misspelt: the call that it should have refused is refused."""
    p = Person(place)
    where = lambda tool, **w: ("--tool", f"bad/{tool} where='{json.dumps(w)}'")
    with p.guard(*where("echo", sya="./docs/*"), *where("look", say="./docs/*"), mode="described") as c:
        c.begin()
        is_denied(c.call("echo", say="/etc/passwd"), "'bad/echo' is granted, but by a condition on an argument that it does not have")
        is_denied(c.call("echo", say="./docs/a"), "narrow nothing")
        is_denied(c.call("look", say="/etc/passwd"), "but not with this 'say'")
        assert text_of(c.call("look", say="./docs/a"))
        c.end()
        told = b"".join(c.err).decode()
    assert "grant of bad/echo has a condition on the argument 'sya'" in told and "bad/look" not in told, told
    with p.guard("--tool", "bad/*", *where("echo", sya="./docs/*"), *where("*", yas="x"), *where("resources/read", url="x"), mode="described") as c:
        c.begin()  # others are as they were
        assert text_of(c.call("look", say="x"))
        is_denied(c.call("echo", say="x"), "'bad/echo' is granted, but by a condition on an argument that it does not have")
        c.end()
        told = b"".join(c.err).decode()
    assert all(f"grant of bad/{of} has a condition on the argument '{name}'" in told for of, name in (("echo", "sya"), ("*", "yas"), ("resources/read", "url"))), told
    shown = expect_ok(p.ambit("guard", "--pins", "bad", "--all")).stdout
    assert "echo: approved" in shown and '"say":{' in shown, shown


def a_nearer_grant_is_not_passed_over(place):
    """Its server has no argument by that name, and so no say in whether a person is asked: the call that they were to be asked about is none of a wider grant's."""
    p = Person(place)
    grants = ("--tool", "bad/*", "--tool", "bad/echo ask=true where='{\"path\": \"/etc/*\"}'")
    for mode, words in (("good", "a person is asked first"), ("described", "narrow nothing")):
        with p.guard(*grants, mode=mode) as c:
            c.begin()
            is_denied(c.call("echo", path="/etc/passwd"), words)
            assert text_of(c.call("echo", path="/tmp/x", say="y")) == "y"  # of which it has no say
            assert text_of(c.call("look", say="x"))
        shutil.rmtree(f"{p.home}/.local/state/ambit/guard")  # another server by the same name
    with p.guard("--tool", "bad/*", "--tool", "bad/echo where='{\"path\": \"/etc/*\"}'", "--tool", "bad/echo where='{\"say\": \"y\"}'", mode="described") as c:
        c.begin()  # another as near has
        assert text_of(c.call("echo", path="/etc/passwd", say="y")) == "y"


def names_that_are_none_are_not_shown(place):
    p = Person(place)
    with p.guard(*ALL, mode="names") as c:
        c.begin()
        assert [t["name"] for t in c.ask("tools/list")["result"]["tools"]] == ["echo", "look", "drop"]
        for name in ("a/b", "x" * 128, "../up", ".hidden"):
            answer = c.call(name)
            assert "error" in answer, answer
    with Person(place).guard(*ALL, mode="forms") as c:  # one form of a sign is seen; a row of them is a text of its own
        c.begin()
        assert [t["name"] for t in c.ask("tools/list")["result"]["tools"]] == ["echo"]
    with p.guard(*ALL, mode="twice") as c:
        c.begin()
        listed = c.ask("tools/list")
        assert [t["name"] for t in listed["result"]["tools"]] == ["look", "drop"], listed


def hostile_servers_are_bounded(place):
    p = Person(place)
    with p.guard(*ALL, mode="ids") as c:
        c.begin()
        assert text_of(c.call("echo", say="x")) == "true"
        assert c.ask("ping")["result"] == {} and c.stray == [], c.stray
    with p.guard(*ALL, mode="garbage") as c:
        c.begin()
        assert text_of(c.call("echo", say="x")) == "x" and c.stray == []
    with p.guard(*ALL, mode="flood") as c:
        c.begin()
        assert text_of(c.call("echo", say="x")) == "x" and len(c.stray) == 20000
    with p.guard(*ALL, mode="huge") as c:
        c.begin()
        error = c.call("echo", say="x")["error"]
        assert "a line of more than" in error["message"], error
    with Person(place).guard(*ALL, mode="tools") as c:  # of very many each is not compared with all
        c.begin()
        begun = time.monotonic()
        assert len(c.ask("tools/list")["result"]["tools"]) == 512 and time.monotonic() - begun < 20 * SLOW
    with p.guard(*ALL, mode="dies") as c:
        c.begin()
        assert c.call("echo", say="x")["error"]["message"] == "the server ended"
        assert c.process.wait(timeout=WAIT) == 0
    with p.guard(*ALL, mode="progress") as c:
        c.begin()
        assert text_of(c.call("echo", {"progressToken": "mine"}, say="x")) == "x"
        assert [n["params"]["progressToken"] for n in c.stray] == ["mine"], c.stray


def what_a_server_asks_is_granted_too(place):
    p = Person(place)
    methods = ["sampling/createMessage", "elicitation/create", "roots/list"]
    for none in (("--tool", "bad/echo"), ALL, ("--tool", "*")):  # all of a server is not what it asks of its client
        with p.guard(*none, mode="asks") as c:
            c.begin()
            assert text_of(c.call("echo", say="x")) == "x" and c.stray == [], (none, c.stray)
    with p.guard(*ALL, *(word for method in methods for word in ("--tool", f"bad/{method}")), mode="asks") as c:  # the twin
        c.begin()
        assert text_of(c.call("echo", say="x")) == "x"
        while len(c.stray) < 3:
            c.stray.append(c.line())
        assert [m["method"] for m in c.stray] == methods, c.stray


def what_a_server_asks_in_an_answer_is_granted_too(place):
    p = Person(place)
    refused = {"inputs": "'bad/elicitation/create' is not granted", "urls": "'bad/elicitation/create' is not granted", "task": None}
    for mode, why in refused.items():
        with p.guard("--tool", "bad/echo", "--tool", "bad/roots/list", mode=mode) as c:
            c.begin()
            answer = c.call("echo", say="x")
            if why:
                is_denied(answer, why)
            else:
                assert answer["result"]["taskId"] == "t" and c.stray == [], (answer, c.stray)
                assert "'bad/sampling/createMessage' is not granted" in c.ask("tasks/get", taskId="t")["error"]["message"]
            assert c.ask("ping")["result"] == {}
        with p.guard("--tool", "bad/echo", "--tool", "bad/roots/list", "--tool", "bad/elicitation/create", "--tool", "bad/sampling/createMessage", mode=mode) as c:  # the twin
            c.begin()
            answer = c.call("echo", say="x")
            if mode == "inputs":
                assert sorted(answer["result"]["inputRequests"]) == ["a", "b"], answer
                again = c.ask("tools/call", name="echo", arguments={"say": "x"}, inputResponses={"a": {"action": "decline"}})
                assert text_of(again) == "x"
            elif mode == "urls":
                assert answer["error"]["data"]["elicitations"][0]["url"] == "https://bad.test/", answer
            else:
                assert list(c.ask("tasks/get", taskId="t")["result"]["inputRequests"]) == ["a"]
    used = [json.loads(line)["body"] for line in expect_ok(p.ambit("ledger", "show", "--json")).stdout.splitlines()]
    objects = [b["object"] for b in used if b.get("op") == "use"]
    assert objects.count("bad/elicitation/create") == 2 and objects.count("bad/roots/list") == 2 and objects.count("bad/sampling/createMessage") == 1, objects


def a_person_is_asked(place):
    """By their own key, outside: what the client says its user said has the call tried again, and allows nothing."""
    p = Person(place)
    q = approvals.Person(place)
    p.home = p.env["HOME"] = place.home = q.home
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    sign = lambda: expect_ok(q.signed("approve", (asked := q.asked()[0]["approval"]), "--grant", "once", "--digest", q.digest(asked)))
    with p.guard("--tool", "bad/echo ask=true") as c:  # a client whose user cannot be asked
        c.begin()
        is_denied(c.call("echo", say="x"), "a person is asked first", "ambit approve a_")
        line = expect_ok(q.ambit("approve", q.asked()[0]["approval"], "--line")).stdout
        assert '{"tool": "bad/echo"}' in line.replace('":"', '": "'), line
        sign()
        assert text_of(c.call("echo", say="x")) == "x"
        is_denied(c.call("echo", say="y"), "a person is asked first")  # another argument, another question
        expect_ok(q.ambit("approve", q.asked()[0]["approval"], "--deny", "--digest", q.digest(q.asked()[0]["approval"]), "--password-fd", "0", input=approvals.PASSWORD))
        is_denied(c.call("echo", say="y"), "said no")
    with p.guard("--tool", "bad/* where='{\"say\": \"l*\"}' uses=5 ask=true") as c:
        c.begin()
        is_denied(c.call("echo", say="long"), "a person is asked first")
        line = json.loads(expect_ok(q.ambit("approve", q.asked()[-1]["approval"], "--line", "--json")).stdout)
        assert line == {"grant": {"tool": "bad/echo", "uses": 5, "where": '{"say":["l*"]}'}}, line
    for signed in (False, True):
        with p.guard("--tool", "bad/echo ask=true") as c:  # 2025-11-25: the gate asks
            c.ask("initialize", protocolVersion="2025-11-25", capabilities={"elicitation": {}}, clientInfo={"name": "t", "version": "1"})
            c.say({"jsonrpc": "2.0", "id": "q", "method": "tools/call", "params": {"name": "echo", "arguments": {"say": "z"}}})
            asked = c.line()
            assert asked["method"] == "elicitation/create" and "accepting alone allows nothing" in asked["params"]["message"], asked
            if signed:
                sign()
            c.say({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "accept", "content": {}}})
            answer = c.wait_for("q")
            assert text_of(answer) == "z" if signed else is_denied(answer, "a person is asked first"), answer
        with p.guard("--tool", "bad/echo ask=true") as c:  # 2026-07-28: the client carries it
            first = c.call("echo", meta, say=f"w{signed}")["result"]
            assert first["resultType"] == "input_required" and list(first["inputRequests"]) == ["approval"], first
            accept = {"requestState": first["requestState"], "inputResponses": {"approval": {"action": "accept"}}}
            again = lambda arguments, **more: c.ask("tools/call", name="echo", arguments=arguments, _meta=meta, **{**accept, **more})
            forged = first["requestState"][:-1] + ("0" if first["requestState"][-1] != "0" else "1")
            is_denied(again({"say": f"w{signed}"}, requestState=forged), "was not given for this request")
            is_denied(again({"say": "other"}), "was not given for this request")
            is_denied(again({"say": f"w{signed}"}, inputResponses={"approval": {"action": "decline"}}), "did not accept")
            if signed:
                sign()
            answer = again({"say": f"w{signed}"})
            assert answer["result"]["structuredContent"] == {"given": {"say": f"w{signed}"}} if signed else is_denied(answer, "a person is asked first"), answer
            if signed:  # once
                assert c.call("echo", meta, say=f"w{signed}")["result"]["resultType"] == "input_required"


def hostile_clients_are_refused(place):
    p = Person(place)
    rows = [  # what is said, the number of the error
        (b"not json", -32700),
        (b"[]", -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","x":1}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"nothing"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","Name":"drop"}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":[]}}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}', -32602),
        (b'{"jsonrpc":"2.0","\\u0069d":1,"method":"ping"}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"' + b"\xff" + b'"}}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":"\\u0000"}}}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b'{"a":' * 70 + b"1" + b"}" * 70 + b"}", -32600),
        (b"x" * (4 << 20) + b"y", -32600),
    ]
    with p.guard("--tool", "bad/echo") as c:
        c.begin()
        for said, number in rows:
            c.say(said)
            answer = c.line()
            assert answer["error"]["code"] == number and answer["error"]["message"], (said[:80], answer)
        assert text_of(c.call("echo", say="still")) == "still"
        c.say({"jsonrpc": "2.0", "id": 900, "result": {}})  # to nothing that was asked
        assert c.ask("ping")["result"] == {}
        for _ in range(64):
            c.say({"jsonrpc": "2.0", "id": 1, "result": {"action": "accept"}})
        assert c.process.wait(timeout=WAIT) == 0 and c.line() is None  # who goes on with it is left


def a_line_is_one_to_whoever_reads_it(place):
    p = Person(place)
    within = b'{"jsonrpc":"2.0","id":77,"method":"ping","params":{"_meta":{"x":[\r{"jsonrpc":"2.0","id":99,"method":"tools/call","params":{"name":"heard"}}\r]}}}'
    with p.guard("--tool", "bad/echo", mode="returns") as c:
        c.begin()
        c.say(within)
        refused = c.line()
        assert refused["id"] is None and "a carriage return within a line" in refused["error"]["message"], refused
        c.say(b'{"jsonrpc":"2.0","id":78,"method":"ping"}\r')  # at its end it is nothing
        assert c.wait_for(78)["result"] == {}
        assert text_of(c.call("echo", say="x")) == "x" and c.stray == [], c.stray
    with p.bare() as c:  # the twin: without the gate the server hears what stands within
        c.say(within)
        assert "[" in text_of(c.wait_for(99))


def one_answer_for_each(place):
    p = Person(place)
    with p.guard(*ALL, mode="slow") as c:
        c.begin()
        c.ask("tools/list")
        c.say({"jsonrpc": "2.0", "id": "s", "method": "tools/call", "params": {"name": "echo", "arguments": {"seconds": 1, "say": "late"}}})
        c.say({"jsonrpc": "2.0", "id": "s", "method": "ping"})  # an id that is in use
        refused = c.line()
        assert refused["id"] is None and "not answered yet" in refused["error"]["message"], refused
        assert text_of(c.wait_for("s")) == "late"
        c.say({"jsonrpc": "2.0", "id": "t", "method": "tools/call", "params": {"name": "echo", "arguments": {"seconds": 1, "say": "never"}}},
              {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "t"}})
        assert c.ask("ping")["result"] == {} and not [m for m in c.stray if m.get("id") == "t"], c.stray


def nothing_of_it_stays(place):
    p = Person(place)

    def servers():
        found = subprocess.run(["pgrep", "-f", f"{p.top}/guard_server.py"], capture_output=True, text=True).stdout.split()
        return [pid for pid in found if pid != str(os.getpid())]

    for way in ("end", "term", "kill"):
        with p.guard(*ALL, mode="forks") as c:
            c.begin()
            assert text_of(c.call("echo", say="x")) == "x" and len(servers()) >= 2
            if way == "end":
                assert c.end() == 0
            else:
                c.process.send_signal(signal.SIGTERM if way == "term" else signal.SIGKILL)
                c.process.wait(timeout=WAIT)
        for _ in range(100 * SLOW):
            if not servers():
                break
            time.sleep(0.1)
        assert servers() == [], (way, servers())


def model_output_is_data(place):
    """What looks like an object that some library would bring to life is a text here, and no secret is near."""
    p = Person(place)
    p.env["OPENAI_API_KEY"] = "sk-of-the-person"
    said = {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"], "kwargs": {"a": {"__proto__": {"x": 1}}}}
    with p.guard(*ALL) as c:
        c.begin()
        answer = c.call("echo", say=json.dumps(said), value=said)
        assert answer["result"]["structuredContent"]["given"] == {"say": json.dumps(said), "value": said} and text_of(answer) == json.dumps(said), answer
        assert "sk-of-the-person" not in json.dumps(answer)


if __name__ == "__main__":
    main([only_what_is_granted_is_called, conditions_hold_on_any_argument, annotations_raise_a_risk_and_lower_none, the_nearest_grant_decides, numbers_are_used_up, a_killed_guard_leaves_no_more_than_one_place, what_is_revoked_is_refused, the_server_has_what_it_was_granted, a_definition_that_changes_waits_for_a_person, what_differs_is_shown_where_it_stands, what_is_approved_is_what_was_shown, two_that_see_it_first_pin_one_definition,
          what_is_misspelt_is_told, a_condition_that_would_narrow_nothing_is_not_used, a_nearer_grant_is_not_passed_over, names_that_are_none_are_not_shown, hostile_servers_are_bounded, what_a_server_asks_is_granted_too, what_a_server_asks_in_an_answer_is_granted_too, a_person_is_asked, hostile_clients_are_refused, a_line_is_one_to_whoever_reads_it, one_answer_for_each, nothing_of_it_stays, model_output_is_data])
