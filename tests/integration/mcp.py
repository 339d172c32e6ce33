#!/usr/bin/env python3
"""`ambit mcp` with a client that is made by hand: both revisions of the protocol, each tool, and what nobody was granted.

usage: mcp.py AMBIT    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import base64
import contextlib
import json
import os
import socket
import threading
import time

from harness import SLOW, Skip, expect_ok, main, need, silenced, write
from mcp_client import LEGACY, MODERN, PERSONS, Client, among, data_of, equal, not_among, serving, text_of
from sessions import Served

TOOLS = ["run", "python", "node", "shell", "read", "write", "edit", "list", "search", "diff", "commit", "discard", "session"]
CHANGING = {"run", "python", "node", "shell", "write", "edit", "commit", "discard"}
CELL = {"run", "python", "node", "shell"}  # what runs a program that was not ours
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
KEY = "io.ambit/idempotencyKey"


def at(served, *path):
    return os.path.join(served.tree, *path)


def content_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


# ---- revisions ----


def a_client_of_the_older_revision_says_hello_first(place):
    for wanted, agreed in ((LEGACY, LEGACY), ("2025-06-18", "2025-06-18"), ("2025-03-26", "2025-03-26"), ("2024-11-05", "2024-11-05"),
                           ("1999-01-01", LEGACY), (MODERN, LEGACY), ("", LEGACY)):
        with serving(place) as (_, c):
            c.legacy = True
            for method in ("tools/list", "tools/call", "resources/list", "resources/read", "resources/templates/list"):
                equal((method, c.refusal(method)["code"]), (method, -32600))
            equal(c.result("ping"), {})
            got = c.initialize(wanted)
            equal((wanted, got["protocolVersion"], got["serverInfo"]["name"], sorted(got["capabilities"])), (wanted, agreed, "ambit", ["resources", "tasks", "tools"]))
            among("granted", got["instructions"])
            error = c.refusal("initialize", protocolVersion=LEGACY, capabilities={}, clientInfo={})
            equal((error["code"], error["data"]["code"]), (-32602, "PROTOCOL"))
            assert c.tools()
            equal(c.refusal("server/discover")["code"], -32601)
            not_among("resultType", json.dumps(c.result("tools/list")))
            equal(c.close(), 0)


def an_initialize_that_lacks_something_is_refused_and_may_come_again(place):
    with serving(place) as (_, c):
        c.legacy = True
        whole = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {}}
        for key in whole:
            for wrong in (None, 7):
                params = {k: v for k, v in {**whole, key: wrong}.items() if v is not None}
                equal((key, c.refusal("initialize", **params)["code"]), (key, -32602))
        equal(c.refusal("initialize", **whole, more=1)["data"]["place"], "/params/more")
        c.initialize()


def a_client_of_the_newer_revision_says_it_in_each_request(place):
    with serving(place) as (_, c):
        got = c.result("server/discover")
        equal((got["supportedVersions"], got["resultType"], got["_meta"]["io.modelcontextprotocol/serverInfo"]["name"]), ([MODERN, LEGACY], "complete", "ambit"))
        assert got["ttlMs"] > 0 and got["cacheScope"] == "private", got
        for name in ("ping", "initialize"):
            equal((name, c.refusal(name)["code"]), (name, -32601))
        for version in ("2099-01-01", LEGACY, "", "x" * 3000):
            error = c.refusal("tools/list", {"io.modelcontextprotocol/protocolVersion": version})
            equal((error["code"], error["data"]["supported"], error["data"]["requested"]), (-32022, [MODERN, LEGACY], version))
        for meta, place_ in (({"io.modelcontextprotocol/protocolVersion": 7}, "/params/_meta/io.modelcontextprotocol/protocolVersion"),
                             ({"io.modelcontextprotocol/clientCapabilities": None}, "/params/_meta/io.modelcontextprotocol/clientCapabilities")):
            error = c.refusal("tools/list", meta)
            equal((error["code"], error["data"]["place"]), (-32600, place_))
        got = c.result("tools/list")
        equal((got["resultType"], got["cacheScope"]), ("complete", "private"))
        equal(c.good("session")["resultType"], "complete")


# ---- what is listed ----


def what_is_listed_is_the_same_each_time(place):
    with serving(place, "--work", ".") as (_, c):
        first = c.result("tools/list")
        equal([tool["name"] for tool in first["tools"]], TOOLS)
        equal(c.result("tools/list"), first)
        with Client(c.served, "--work", ".", legacy=True) as other:
            listed = other.result("tools/list")["tools"]
        equal([t.pop("execution", None) for t in listed[:5]], [{"taskSupport": "optional"}] * 4 + [None])  # which that revision alone has
        equal(listed, first["tools"])
        error = c.refusal("tools/list", cursor="2")
        equal((error["code"], error["data"]["place"]), (-32602, "/params/cursor"))
        equal(c.refusal("tools/list", more=1)["data"]["place"], "/params/more")


def annotations_say_what_is_so(place):
    with serving(place, "--work", ".") as (_, c):
        for name, tool in c.tools().items():
            equal((name, tool["annotations"]), (name, {"title": tool["title"], "readOnlyHint": name not in CHANGING, "destructiveHint": name in CHANGING,
                                                       "idempotentHint": name not in CHANGING, "openWorldHint": False}))
            assert len(tool["description"]) > 40 and tool["title"], tool
    with serving(place, "--work", ".", "--connect", "192.0.2.1:80") as (_, c):
        equal({name for name, tool in c.tools().items() if tool["annotations"]["openWorldHint"]}, CELL)


# What a call with them must, and what it must not, pass by its schema, as by the tool.
SAMPLES = [
    ("run", {"argv": ["true"]}, True), ("run", {}, False), ("run", {"argv": []}, False), ("run", {"argv": "true"}, False), ("run", {"argv": [1]}, False),
    ("run", {"argv": ["true"], "env": {"A": "b"}}, True), ("run", {"argv": ["true"], "env": {"A": 1}}, False), ("run", {"argv": ["true"], "env": []}, False),
    ("run", {"argv": ["true"], "timeout": 5}, True), ("run", {"argv": ["true"], "timeout": -1}, False), ("run", {"argv": ["true"], "timeout": "5"}, False),
    ("run", {"argv": ["true"], "timeout": 86401}, False), ("run", {"argv": ["true"], "timeout": 1.5}, False), ("run", {"argv": ["true"], "timeout": True}, False),
    ("run", {"argv": ["true"], "input": 1}, False), ("run", {"argv": ["true"], "cwd": "/"}, False), ("run", {"argv": ["true"] * 4097}, False),
    ("python", {"code": "1"}, True), ("python", {"code": None}, False), ("python", {"source": "1"}, False), ("shell", {"code": "true", "argv": []}, False),
    ("read", {"path": "f"}, True), ("read", {"path": ["f"]}, False), ("read", {"path": "f", "from": 1, "lines": 1}, True), ("read", {"path": "f", "lines": 1e9}, False),
    ("edit", {"path": "f", "old": "a", "new": "b", "all": True}, True), ("edit", {"path": "f", "old": "a"}, False),
    ("edit", {"path": "f", "old": "a", "new": "b", "all": 1}, False), ("list", {}, True), ("list", {"depth": 17}, False),
    ("search", {"pattern": "a"}, True), ("search", {"path": "f"}, False), ("search", {"pattern": "a", "max": 2001}, False), ("search", {"pattern": "a", "fixed": "yes"}, False),
    ("diff", {}, False), ("diff", {"n": "1"}, False), ("diff", {"n": -1}, False), ("session", {}, True), ("session", {"n": 1}, False),
]


def schemas_and_tools_agree(place):
    try:
        import jsonschema
    except ImportError as reason:
        raise Skip("python3-jsonschema is not installed") from reason
    with serving(place, "--work", ".") as (s, c):
        write(at(s, "f"), "a\n")
        tools = c.tools()
        for tool in tools.values():
            for key in ("inputSchema", "outputSchema"):
                jsonschema.Draft202012Validator.check_schema(tool[key])
                equal(tool[key]["type"], "object")
        for name, arguments, good in SAMPLES:
            valid = jsonschema.Draft202012Validator(tools[name]["inputSchema"]).is_valid(arguments)
            equal((name, str(arguments)[:60], valid), (name, str(arguments)[:60], good))
            got = c.call(name, **arguments)
            equal((name, str(arguments)[:60], got["isError"]), (name, str(arguments)[:60], not good))
            if not good:
                assert "structuredContent" not in got and "\nat: /arguments" in text_of(got), got
            else:
                jsonschema.validate(data_of(got), tools[name]["outputSchema"])


def results_are_as_their_schemas_say(place):
    try:
        import jsonschema
    except ImportError as reason:
        raise Skip("python3-jsonschema is not installed") from reason
    need("node")
    with serving(place, "--work", ".") as (s, c):
        tools = c.tools()
        with open(at(s, "binary"), "wb") as file:
            file.write(bytes(range(256)))
        with open(os.path.join(s.tree.encode(), b"no\xfftext"), "wb") as file:
            file.write(b"found\n")
        calls = [("run", {"argv": ["sh", "-c", "printf '\\377'; exit 3"]}), ("run", {"argv": ["nonesuch"]}), ("run", {"argv": ["sleep", "9"], "timeout": 1}),
                 ("run", {"argv": ["sh", "-c", "kill -9 $$"]}), ("run", {"argv": ["sh", "-c", "echo x > kept; exit 1"]}), ("python", {"code": "1/0"}),
                 ("python", {"code": "[1, 'a', None]"}), ("node", {"code": "({a: 1})"}), ("node", {"code": "throw 1"}), ("shell", {"code": "echo a; false"}),
                 ("read", {"path": "binary"}), ("write", {"path": "made/f", "text": "a\nb\n"}), ("read", {"path": "made/f", "from": 2}),
                 ("edit", {"path": "made/f", "old": "b", "new": "c"}), ("list", {"depth": 3}), ("search", {"pattern": "c|found"}), ("diff", {"n": 5}), ("discard", {"n": 5}),
                 ("session", {})]
        for name, arguments in calls:
            got = c.call(name, **arguments)
            assert got["content"] and all(block["type"] in ("text", "image", "resource") for block in got["content"]), got
            try:
                jsonschema.validate(data_of(got), tools[name]["outputSchema"])
            except jsonschema.ValidationError as problem:
                raise AssertionError(f"{name} {arguments}: {problem}") from problem
            if name in ("list", "search"):  # a name that is no text is there all the same, as a person sees it
                assert "no\\xfftext" in text_of(got), text_of(got)


# ---- each tool ----


def commands_run_and_tell_how_they_ended(place):
    with serving(place, "--work", ".") as (s, c):
        got = c.good("run", argv=["sh", "-c", "pwd; echo ä >&2; cat; echo made > made"], input="typed\n")
        equal((data_of(got)["stdout"], data_of(got)["stderr"], data_of(got)["exit_status"], data_of(got)["cause"], data_of(got)["workspace"], data_of(got)["n"]),
              (f"{s.tree}\ntyped\n", "ä\n", 0, "exited", "committed", 1))
        equal(text_of(got), f"{s.tree}\ntyped\n[standard error]\nä\n")
        equal(content_of(at(s, "made")), "made\n")
        equal(text_of(c.good("run", argv=["cat"])), "")
        equal(data_of(c.good("run", argv=["cat"], input="x" * 1000000))["stdout"], "x" * 262144)
        equal(data_of(c.good("run", argv=["true"], input="x" * 1000000))["n"], 4)
        among("[exit status 3]", text_of(c.bad("run", argv=["sh", "-c", "exit 3"])))
        got = c.bad("run", argv=["nonesuch"])
        equal((data_of(got)["code"], data_of(got)["cause"], data_of(got)["exit_status"]), ("NO_PROGRAM", "refused", 127))
        among("command not found", text_of(got))
        begun = time.monotonic()
        got = c.bad("run", argv=["sleep", "25"], timeout=1)
        equal((data_of(got)["cause"], data_of(got)["code"]), ("limit", "LIMIT"))
        among("wall", text_of(got))
        assert time.monotonic() - begun < 15 * SLOW
        equal(data_of(c.bad("run", argv=["sh", "-c", "kill -TERM $$"]))["exit_status"], 143)
        got = c.good("run", argv=["printf", "\\377\\0a"])
        equal((data_of(got)["stdout"], text_of(got)), ({"b64": "/wBh"}, "\ufffd\0a\n"))
        among("bytes", text_of(c.bad("run", argv=["echo", "x" * (128 << 10)])))


def variables_are_those_that_are_granted(place):
    with serving(place, "--work", ".", "--env", "GIVEN", "--env", "OTHER", env={"GIVEN": "of the person", "SECRET": PERSONS}) as (_, c):
        show = ["sh", "-c", "echo $GIVEN-$OTHER-$SECRET-$OPENAI_API_KEY-$MORE"]
        equal(data_of(c.good("run", argv=show))["stdout"], "of the person----\n")
        equal(data_of(c.good("run", argv=show, env={"GIVEN": "of the call", "OTHER": "o", "MORE": "m"}))["stdout"], "of the call-o---\n")
        equal(data_of(c.good("shell", code="echo $OTHER", env={"OTHER": "o"}))["stdout"], "o\n")
        for wrong in ({"A=B": "c"}, {"": "c"}):
            among("not a name", text_of(c.bad("run", argv=["true"], env=wrong)))


def code_gives_values_pictures_and_where_it_failed(place):
    need("node")
    with serving(place, "--work", ".") as (s, c):
        got = c.good("python", code="import os\nopen('made', 'w').write('x')\nprint('said')\n6 * 7")
        equal((data_of(got)["value"], data_of(got)["error"], data_of(got)["stdout"], text_of(got)), ({"text": "42", "type": "int", "json": 42}, None, "said\n", "said\n42\n"))
        equal(content_of(at(s, "made")), "x")
        among("NameError", text_of(c.bad("python", code="os")))
        equal(data_of(c.good("python", code="input()", input="typed\n"))["value"]["json"], "typed")
        got = c.bad("python", code="a = 1\n\n1/0")
        equal((data_of(got)["error"]["type"], data_of(got)["error"]["line"], data_of(got)["exit_status"]), ("ZeroDivisionError", 3, 1))
        among("ZeroDivisionError", text_of(got))
        got = c.good("node", code="const os = require('os'); console.log('said'); await 1; ({a: [1, null]})")
        equal((data_of(got)["value"]["json"], data_of(got)["stdout"]), ({"a": [1, None]}, "said\n"))
        got = c.bad("node", code="let a = 1\nthrow new RangeError('far')")
        equal((data_of(got)["error"]["type"], data_of(got)["error"]["message"], data_of(got)["error"]["line"]), ("RangeError", "far", 2))
        got = c.good("shell", code="echo a b | tr a c && echo $((1 + 1)); cat", input="typed")
        equal((data_of(got)["stdout"], data_of(got)["value"], data_of(got)["error"]), ("c b\n2\ntyped", None, None))
        equal(data_of(c.bad("shell", code="exit 7"))["exit_status"], 7)
        equal(data_of(c.bad("python", code="while True: pass", timeout=1))["cause"], "limit")


def pictures_are_pictures(place):
    with serving(place, "--work", ".") as (_, c):
        got = c.good("python", code=f"""
def picture(form, data):
    return type(form, (), {{f'_repr_{{form}}_': lambda self: data}})()
display(picture('png', {PNG!r}))
display(picture('svg', '<svg xmlns="http://www.w3.org/2000/svg"/>'))
display(picture('html', '<b onclick="x">ä</b>'))
""")
        blocks = got["content"]
        equal(blocks[1], {"type": "image", "data": base64.b64encode(PNG).decode(), "mimeType": "image/png"})
        texts = {block["resource"]["mimeType"]: block["resource"] for block in blocks if block["type"] == "resource"}
        equal(texts["image/svg+xml"]["text"], '<svg xmlns="http://www.w3.org/2000/svg"/>')
        equal(texts["text/html"]["text"], '<b onclick="x">ä</b>')
        for one in texts.values():
            assert one["uri"].startswith("ambit://event/1/display/"), one


def files_are_read_and_changed(place):
    with serving(place, "--work", ".") as (s, c):
        got = c.good("write", path="deep/er/f", text="one\ntwo\nthree\n")
        equal((data_of(got), content_of(at(s, "deep/er/f"))), ({"path": "deep/er/f", "bytes": 14, "created": True}, "one\ntwo\nthree\n"))
        among("made deep/er/f", text_of(got))
        equal(data_of(c.good("write", path="deep/er/f", text="one\ntwo\nthree\n"))["created"], False)
        equal(text_of(c.good("read", path=at(s, "deep/er/f"))), "one\ntwo\nthree\n")
        got = c.good("read", path="deep/er/f", **{"from": 2, "lines": 1})
        equal((data_of(got)["text"], data_of(got)["from"], data_of(got)["lines"], data_of(got)["total_lines"], data_of(got)["truncated"]), ("two\n", 2, 1, 3, True))
        among("[there is more]", text_of(got))
        equal(data_of(c.good("read", path="deep/er/f", lines=2))["text"], "one\ntwo\n")
        got = c.good("edit", path="deep/er/f", old="two", new="zwei\nzwo")
        equal((data_of(got)["replaced"], data_of(got)["line"], content_of(at(s, "deep/er/f"))), (1, 2, "one\nzwei\nzwo\nthree\n"))
        c.bad("edit", path="deep/er/f", old="absent", new="x")
        c.bad("edit", path="deep/er/f", old="z", new="x")
        equal(data_of(c.good("edit", path="deep/er/f", old="z", new="s", all=True))["replaced"], 2)
        equal(content_of(at(s, "deep/er/f")), "one\nswei\nswo\nthree\n")
        equal([e["path"] for e in data_of(c.good("list", depth=4))["entries"]], ["deep", "deep/er", "deep/er/f"])
        equal(text_of(c.good("list", path="deep")), "deep/er/\n")
        got = c.good("search", pattern="^s.*$")
        equal([(m["path"], m["line"]) for m in data_of(got)["matches"]], [("deep/er/f", 2), ("deep/er/f", 3)])
        among("deep/er/f:2:swei", text_of(got))
        among("[nothing matches]", text_of(c.good("search", pattern="s.ei", fixed=True)))
        equal(len(data_of(c.good("search", pattern="SWEI", ignore_case=True, glob="f", max=5))["matches"]), 1)
        among("[nothing matches]", text_of(c.good("search", pattern="swei", glob="*.c")))
        c.bad("search", pattern="(")
        for path in ("-rf", "--help", "--", "-"):
            c.good("write", path=path, text=path)
            equal((path, text_of(c.good("read", path=path)), content_of(at(s, path))), (path, path, path))
        c.good("search", pattern="--fixed", path="-rf")
        c.good("write", path="empty", text="")
        equal((data_of(c.good("read", path="empty"))["text"], content_of(at(s, "empty"))), ("", ""))
        c.good("write", path="long", text="ä" * 500000)
        equal(os.path.getsize(at(s, "long")), 1000000)
        c.good("edit", path="long", old="ä" * 250000, new="x", all=True)
        equal(content_of(at(s, "long")), "xx")


def what_is_no_text_comes_as_what_it_is(place):
    with serving(place, "--read", ".") as (s, c):
        with open(at(s, "p.png"), "wb") as file:
            file.write(PNG)
        with open(at(s, "b"), "wb") as file:
            file.write(bytes(range(256)))
        equal(c.good("read", path="p.png")["content"], [{"type": "image", "data": base64.b64encode(PNG).decode(), "mimeType": "image/png"}])
        block, = c.good("read", path="b")["content"]
        equal((block["type"], base64.b64decode(block["resource"]["blob"])), ("resource", bytes(range(256))))
        c.bad("read", path="absent")
        c.bad("read", path=".")


def output_that_is_too_long_is_told_and_is_a_resource(place):
    with serving(place, "--work", ".") as (_, c):
        got = c.good("run", argv=["sh", "-c", "yes ä | head -c 600000; yes e | head -c 100000 >&2"])
        n = data_of(got)["n"]
        equal((data_of(got)["truncated"], len(data_of(got)["stdout"].encode()), len(data_of(got)["stderr"])), (True, 262142 + 1, 65536))
        among(f"ambit://event/{n}/stdout", text_of(got))
        whole = "".join(c.result("resources/read", uri=f"ambit://event/{n}/stdout")["contents"][0]["text"])
        equal(len(whole.encode()), 600000)
        equal(len(c.result("resources/read", uri=f"ambit://event/{n}/stderr")["contents"][0]["text"]), 100000)
        equal(data_of(c.good("run", argv=["echo", "short"]))["truncated"], False)
        got = c.bad("run", argv=["yes"])
        equal((data_of(got)["cause"], data_of(got)["truncated"]), ("limit", True))
        among("output", text_of(got))


# ---- what the policy grants ----


def what_is_not_granted_is_not_listed(place):
    writes, stages = {"write", "edit"}, {"diff", "commit", "discard"}
    rows = [((), writes | stages), (("--read", "."), writes | stages), (("--work", "."), set()), (("--write", "."), set()), (("--work", ".", "--stage"), {"commit"}),
            (("--work", ".", "--direct"), stages), (("--work", ".", "--base", "minimal"), {"python", "node", "shell"}),
            (("--work", ".", "--tools", "read,run,session"), set(TOOLS) - {"read", "run", "session"})]
    with Served(place) as s:
        for words, missing in rows:
            with Client(s, *words) as c:
                equal((words, set(c.tools())), (words, set(TOOLS) - missing))
                for tool in missing:  # and nobody gets it by asking
                    error = c.refusal("tools/call", name=tool, arguments={"path": "f", "text": "x"})
                    equal((words, tool, error["code"], error["data"]["code"]), (words, tool, -32602, "UNKNOWN"))
        for words, said in ((("--tools", "write"), "nothing is granted for 'write'"), (("--tools", "wirte"), "there is no tool 'wirte'"), (("--tools", ""), "names none"),
                            (("--work", ".", "--stage", "--tools", "commit"), "nothing is granted for 'commit'"), (("--json",), "json"), (("extra",), "extra"),
                            (("--policy", "/nonexistent"), "/nonexistent")):
            got = s.ambit("mcp", *words)
            assert got.returncode == 125 and said in got.stderr and got.stdout == "", (words, got)
        assert not os.path.exists(at(s, "f"))


def staged_changes_wait_for_a_person(place):
    with serving(place, "--work", ".", "--stage") as (s, c):
        got = c.good("write", path="made", text="x")
        assert not os.path.exists(at(s, "made"))
        got = c.good("run", argv=["sh", "-c", "echo y > other"])
        equal(data_of(got)["workspace"], "kept")
        among(f"ambit commit {data_of(got)['event']}", text_of(got))
        among("+y", text_of(c.good("diff", n=2)))
        equal(os.listdir(s.tree), [])
        expect_ok(s.ambit("commit", data_of(got)["event"]))
        equal((os.listdir(s.tree), content_of(at(s, "other"))), (["other"], "y\n"))
        c.good("discard", n=1)
        c.bad("diff", n=1)
    with serving(place, "--work", ".") as (s, c):  # the twin
        c.good("write", path="made", text="x")
        equal(os.listdir(s.tree), ["made"])


# ---- what is denied ----


def what_was_denied_names_the_line_that_allows_it(place):
    with serving(place, "--work", ".") as (s, c):
        secret = os.path.join(s.home, "secret")
        write(secret, PERSONS)
        got = c.bad("run", argv=["cat", secret])
        denied, = [d for d in data_of(got)["denied"] if d["object"] == secret]
        equal((denied["kind"], denied["would"]), ("read", f"read: {secret}"))
        among(f"by the line `read: {secret}`", text_of(got))
        not_among(PERSONS, json.dumps(got))
        among(f"by the line `read: {secret}`", text_of(c.bad("read", path=secret)))
        held = text_of(c.call("shell", code="mkdir -p .git/hooks && echo x > .git/hooks/post-commit"))
        among("[not taken over: added ", held)
        among(".git/hooks/post-commit, since git runs them; it holds back all that this call changed", held)
        outside = "/usr/share/made-by-a-test"
        among(outside, text_of(c.bad("write", path=outside, text="x")))
        assert not os.path.exists(outside)
        c.call("write", path=os.path.join(s.home, "made"), text="x")  # beneath /tmp it may be the cell's own
        assert not os.path.exists(os.path.join(s.home, "made"))
        with Client(s, "--work", ".", "--read", secret) as other:  # the twin: that very line
            equal((text_of(other.good("read", path=secret)), data_of(other.good("run", argv=["cat", secret]))["denied"]), (PERSONS, []))


def an_engine_that_may_not_compile_is_told_with_its_line(place):
    need("node")
    code = "node -e 'let s = 0; for (let i = 0; i < 1e7; i++) s += i; console.log(s)'"
    with serving(place, "--work", ".") as (s, c):
        got = c.bad("shell", code=code)
        denied, = data_of(got)["denied"]
        equal((denied["kind"], denied["object"], denied["would"]), ("jit", "node", "run: [node]"))
        among("likely since it may not write machine code here; the person can allow it in the policy by the line `run: [node]`", text_of(got))
        equal(data_of(c.bad("shell", code="kill -SEGV $$"))["denied"], [])
        with Client(s, "--work", ".", "--run", "node") as other:
            equal(data_of(other.good("shell", code=code))["stdout"], "49999995000000\n")


def the_network_is_not_there(place):
    listener = socket.create_server(("127.0.0.1", 0))
    port, served = listener.getsockname()[1], []

    def serve():
        try:
            while True:
                connection = listener.accept()[0]
                served.append(1)
                connection.sendall(b"reached")
                connection.close()
        except OSError:
            pass
    threading.Thread(target=serve, daemon=True).start()
    code = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 5).recv(9)"
    with serving(place, "--work", ".") as (s, c):
        got = c.bad("python", code=code)
        equal((data_of(got)["value"], served), (None, []))
        got = c.bad("python", code="import socket\nsocket.create_connection(('192.0.2.1', 80), 5)")
        denied, = [d for d in data_of(got)["denied"] if "192.0.2.1" in d["object"]]
        equal((denied["kind"], denied["would"]), ("connect", 'connect: "192.0.2.1:80"'))
        with Client(s, "--work", ".", "--connect", f"127.0.0.1:{port}") as other:  # the twin
            equal((data_of(other.good("python", code=code))["value"]["text"], served), ("b'reached'", [1]))
    silenced(listener)


def nothing_of_the_person_is_reachable(place):
    probe = f"""
import os, glob
found = []
for path in glob.glob('/proc/[0-9]*/environ'):
    try:
        if b'{PERSONS}' in open(path, 'rb').read(): found.append(path)
    except OSError: pass
found += [k for k, v in os.environ.items() if '{PERSONS}' in v]
import socket
for path in %r:
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        with socket.socket(socket.AF_UNIX, kind) as s:
            try:
                s.connect(path); found.append(path)
            except OSError: pass
found += [os.readlink(f'/proc/self/fd/{{n}}') for n in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{{n}}') and 'socket' in os.readlink(f'/proc/self/fd/{{n}}')]
found
"""
    with Served(place) as s, Client(s, "--work", ".", env={"SECRET": PERSONS}) as c:
        c.good("session")
        socks = [os.path.join(s.run_dir, "ambit", name) for name in ("rpc.sock", "native.sock")]
        for path in socks:
            assert os.path.exists(path), path
        equal(data_of(c.good("python", code=probe % socks))["value"]["json"], [])
        with Client(s, "--work", ".", "--env", "SECRET", env={"SECRET": PERSONS}) as other:  # the twin
            assert "SECRET" in data_of(other.good("python", code=probe % socks))["value"]["json"]


def what_is_shaped_like_a_thing_stays_data(place):
    """A deserialiser's marks in arguments and in output are text on their way through (LangChain's CVE-2025-68664)."""
    shape = {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]}
    said = json.dumps(shape)
    with serving(place, "--work", ".") as (s, c):
        for got in (c.good("run", argv=["echo", said]), c.good("run", argv=["cat"], input=said), c.good("shell", code=f"echo '{said}'"), c.good("python", code=said),
                    c.good("node", code=f"({said})"), c.good("write", path="f", text=said), c.good("read", path="f"), c.good("search", pattern="lc"),
                    c.bad("run", argv=["echo", shape]), c.bad("run", argv=shape), c.bad("run", argv=["true"], env=shape), c.bad("run", argv=["true"], lc=1),
                    c.bad("read", path=said), c.bad("read", path=f"{said}/$OPENAI_API_KEY"), c.ask("tools/call", name=said), c.ask("resources/read", uri=said)):
            not_among(PERSONS, json.dumps(got))
        equal(data_of(c.good("run", argv=["echo", said]))["stdout"], said + "\n")
        equal(data_of(c.good("python", code=said))["value"]["json"], shape)
        equal(content_of(at(s, "f")), said)
        with Client(s, "--env", "OPENAI_API_KEY") as other:  # the twin: the key is there, and would have been seen
            among(PERSONS, json.dumps(other.good("run", argv=["sh", "-c", "echo $OPENAI_API_KEY"])))


# ---- while they run ----


def progress_is_told_to_who_wants_it(place):
    slowly = ["sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.4; done"]
    with serving(place) as (_, c):
        c.good("run", argv=slowly)
        equal(c.notes, [])
        for token in ("a \"token\" ä", 17):
            c.good("run", {"progressToken": token}, argv=slowly)
            told = [note["params"] for note in c.notes if note["method"] == "notifications/progress"]
            assert len(told) >= 2 and all(note["progressToken"] == token for note in told), c.notes
            equal([note["progress"] for note in told], sorted({note["progress"] for note in told}))
            c.notes.clear()
        for token in (None, 1.5, [], {}, True):
            equal((token, c.refusal("tools/list", {"progressToken": token})["data"]["place"]), (token, "/params/_meta/progressToken"))


def who_is_cancelled_ends_and_is_not_answered(place):
    with serving(place, "--work", ".") as (s, c):
        for request in ("one", 7):
            c.begin("run", request, argv=["sh", "-c", "echo a > cancelled; echo begun; while :; do sleep 1; done"])
            session = data_of(c.good("session"))["session"]
            s.until(lambda: any(row["state"] == "runs" for row in s.events(session)), "it runs")
            c.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request, "reason": "x"}})
            s.until(lambda: not any(row["state"] == "runs" for row in s.events(session)), "it ends")
            assert c.is_silent(), c.hear()
            assert not os.path.exists(at(s, "cancelled"))
        for params in (None, {}, {"requestId": "never"}, {"requestId": []}, {"requestId": 1.5}):  # of nothing, nothing
            c.say({"jsonrpc": "2.0", "method": "notifications/cancelled", **({"params": params} if params is not None else {})})
        c.begin("run", "two", argv=["sleep", "25"])  # at once: it may not be written down yet
        c.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "two"}})
        assert c.is_silent(), c.hear()
        begun = time.monotonic()
        equal(data_of(c.good("run", argv=["sh", "-c", "echo a > after"]))["workspace"], "committed")
        assert time.monotonic() - begun < 10 * SLOW and os.path.exists(at(s, "after"))


def each_of_several_is_answered_once_by_its_id(place):
    with serving(place, "--work", ".") as (_, c):
        wanted = {}
        for i in range(12):
            request = i if i % 2 else f"text {i}"
            wanted[request] = f"{i}\n"
            c.begin("run", request, argv=["sh", "-c", f"echo {i}"])
        c.last = 100
        c.good("session")  # is answered before those
        for request, said in wanted.items():
            equal(data_of(c.ended(request))["stdout"], said)
        assert c.is_silent()
        equal(len(c.others), 0)


def an_id_that_is_in_use_is_not_answered_twice(place):
    with serving(place, "--work", ".") as (_, c):
        c.begin("run", "mine", argv=["sh", "-c", "sleep 1; echo first"])
        c.begin("run", "mine", argv=["sh", "-c", "echo second"])
        refused = c.hear()
        equal((refused["id"], refused["error"]["code"], refused["error"]["data"]["place"]), (None, -32600, "/id"))
        equal(data_of(c.ended("mine"))["stdout"], "first\n")
        assert c.is_silent()
        c.begin("run", "mine", argv=["echo", "third"])  # it is free again
        equal(data_of(c.ended("mine"))["stdout"], "third\n")


def a_key_is_one_effect(place):
    with serving(place, "--work", ".") as (s, c):
        first = c.good("run", {KEY: "k"}, argv=["sh", "-c", "echo x >> counted; echo said"])
        again = c.good("run", {KEY: "k"}, argv=["sh", "-c", "echo x >> counted; echo said"])
        equal((again["content"], data_of(again), content_of(at(s, "counted"))), (first["content"], data_of(first), "x\n"))
        among("another request", text_of(c.bad("run", {KEY: "k"}, argv=["sh", "-c", "echo y >> counted"])))
        among("another request", text_of(c.bad("python", {KEY: "k"}, code="1")))
        c.good("run", {KEY: "other"}, argv=["sh", "-c", "echo x >> counted; echo said"])
        equal(content_of(at(s, "counted")), "x\nx\n")
        # what it reads is of the request, too
        equal(data_of(c.good("run", {KEY: "i"}, argv=["cat"], input="one"))["stdout"], "one")
        equal(data_of(c.good("run", {KEY: "i"}, argv=["cat"], input="one"))["n"], data_of(c.good("run", {KEY: "i"}, argv=["cat"], input="one"))["n"])
        among("another request", text_of(c.bad("run", {KEY: "i"}, argv=["cat"], input="two")))
        among("another request", text_of(c.bad("run", {KEY: "i"}, argv=["cat"])))
        c.good("write", {KEY: "w"}, path="f", text="one")
        c.good("write", {KEY: "w"}, path="f", text="one")
        among("another request", text_of(c.bad("write", {KEY: "w"}, path="f", text="two")))
        equal(content_of(at(s, "f")), "one")
        c.begin("run", "a", {KEY: "at once"}, argv=["sh", "-c", "sleep 0.5; echo z >> both; echo said"])
        c.begin("run", "b", {KEY: "at once"}, argv=["sh", "-c", "sleep 0.5; echo z >> both; echo said"])
        equal((data_of(c.ended("a")), content_of(at(s, "both"))), (data_of(c.ended("b")), "z\n"))
        for wrong in ("", "x" * 129, 7, None):
            equal((wrong, c.refusal("tools/call", {KEY: wrong}, name="run", arguments={"argv": ["true"]})["data"]["place"]), (wrong, f"/params/_meta/{KEY}"))
        c.good("run", {KEY: "x" * 128}, argv=["true"])


def what_a_person_does_meanwhile_is_told(place):
    with serving(place, "--work", ".") as (s, c):
        session = data_of(c.good("session"))["session"]

        def writes(n):
            s.until(lambda: any(row["state"] == "runs" and row["stdout"] for row in s.events(session)), f"event {n} writes")
        c.begin("run", "frozen", argv=["sh", "-c", "echo a; sleep 0.5; echo b; sleep 0.5; echo c"])
        writes(1)
        expect_ok(s.ambit("freeze", session))
        among("frozen", text_of(c.bad("run", argv=["true"])))
        assert c.is_silent(1)
        expect_ok(s.ambit("thaw", session))
        equal(data_of(c.ended("frozen"))["stdout"], "a\nb\nc\n")
        c.begin("run", "killed", argv=["sh", "-c", "echo a > made; echo a; sleep 25"])
        writes(2)
        expect_ok(s.ambit("kill", session))
        got = c.ended("killed")
        equal((got["isError"], data_of(got)["cause"], os.listdir(s.tree)), (True, "killed", []))
        among("ended by a person", text_of(got))
        expect_ok(s.ambit("thaw", session))
        expect_ok(s.ambit("run", "--session", session, "--", "sh", "-c", "echo of the person > beside"))  # beside the client
        equal(text_of(c.good("read", path="beside")), "of the person\n")


# ---- what is kept ----


def what_failed_is_kept_until_somebody_says(place):
    with serving(place, "--work", ".") as (s, c):
        write(at(s, "f"), "before\n")
        got = c.bad("run", argv=["sh", "-c", "echo after > f; echo new > new; exit 1"])
        n = data_of(got)["n"]
        equal((data_of(got)["workspace"], content_of(at(s, "f"))), ("kept", "before\n"))
        among(f"`diff` with n {n}", text_of(got))
        got = c.good("diff", n=n)
        equal((data_of(got)["text"], data_of(got)["n"], data_of(got)["truncated"]), (text_of(got), n, False))
        among("-before\n+after\n", text_of(got))
        equal(content_of(at(s, "f")), "before\n")
        c.good("commit", n=n)
        equal((content_of(at(s, "f")), content_of(at(s, "new"))), ("after\n", "new\n"))
        c.bad("commit", n=n)
        got = c.bad("python", code="open('f', 'w').write('worse')\n1/0")
        c.good("discard", n=data_of(got)["n"])
        c.bad("commit", n=data_of(got)["n"])
        equal(content_of(at(s, "f")), "after\n")
        for tool in ("diff", "commit", "discard"):
            among("no such event", text_of(c.bad(tool, n=999)))
            among("begin with 1", text_of(c.bad(tool, n=0)))


def another_sessions_events_are_not_there(place):
    with serving(place, "--work", ".") as (s, c), Client(s, "--work", ".") as other:
        for i in range(3):
            c.bad("run", argv=["sh", "-c", f"echo {PERSONS} | tee made{i}; exit 1"])
        for n in (1, 2, 3):
            for tool in ("diff", "commit", "discard"):
                among("no such event", text_of(other.bad(tool, n=n)))
            for name in ("record", "stdout", "stderr", "diff", "result"):
                got = other.refusal("resources/read", uri=f"ambit://event/{n}/{name}")
                not_among(PERSONS, json.dumps(got))
        equal(other.result("resources/list")["resources"], [])
        among(PERSONS, c.result("resources/read", uri="ambit://event/2/stdout")["contents"][0]["text"])  # the twin
        among(PERSONS, text_of(c.good("diff", n=2)))
        equal(len(c.result("resources/list")["resources"]), 6)


def resources_are_the_sessions_events(place):
    for legacy in (False, True):
        with serving(place, "--work", ".", legacy=legacy) as (_, c):
            equal(c.result("resources/list")["resources"], [])
            c.good("run", argv=["sh", "-c", "echo out; echo err >&2"])
            c.bad("run", argv=["sh", "-c", "echo x > made; exit 1"])
            c.good("python", code="6 * 7")
            listed = [one["uri"] for one in c.result("resources/list")["resources"]]
            equal(listed, ["ambit://event/1/record", "ambit://event/2/record", "ambit://event/2/diff", "ambit://event/3/record"])
            equal({one["uriTemplate"] for one in c.result("resources/templates/list")["resourceTemplates"]},
                  {f"ambit://event/{{n}}/{name}" for name in ("record", "stdout", "stderr", "result", "diff")})

            def read(n, name):
                got, = c.result("resources/read", uri=f"ambit://event/{n}/{name}")["contents"]
                equal(got["uri"], f"ambit://event/{n}/{name}")
                return got["text"], got["mimeType"]
            equal(json.loads(read(1, "record")[0])["asked"]["argv"], ["sh", "-c", "echo out; echo err >&2"])
            equal((read(1, "stdout"), read(1, "stderr")), (("out\n", "text/plain"), ("err\n", "text/plain")))
            equal(json.loads(read(3, "result")[0])["value"]["json"], 42)
            among("+x", read(2, "diff")[0])
            equal(read(2, "diff")[1], "text/x-diff")
            for uri in ("ambit://event/9/record", "ambit://event/1/result", "ambit://event/1/diff", "ambit://event/9/diff", "ambit://event/9/stdout", "ambit://event/0/record", "ambit://event/01/record",
                        "ambit://event/1", "ambit://event/1/", "ambit://event/1/other", "ambit://event/-1/record", "ambit://event/1/record/", "ambit://event/1/../2/record",
                        "ambit://event/99999999999999999999/record", "ambit://session/1/record", "file:///etc/passwd", "", "x" * 5000):
                error = c.refusal("resources/read", uri=uri)
                equal((uri[:60], error["code"], error["data"]["uri"]), (uri[:60], -32602, uri))
            for params in ({}, {"uri": 7}, {"uri": None}, {"uri": ["ambit://event/1/record"]}):
                equal((params, c.refusal("resources/read", **params)["code"]), (params, -32602))
            equal(c.refusal("resources/read", uri="ambit://event/1/record", more=1)["data"]["place"], "/params/more")


# ---- what is written down ----


def each_call_is_in_the_ledger_and_the_session_ends(place):
    with Served(place) as s:
        with Client(s, "--work", ".", "--agent", "tester") as c:
            session = data_of(c.good("session"))["session"]
            equal((data_of(c.good("session"))["agent"], data_of(c.good("session"))["workspace"], data_of(c.good("session"))["grants"]), ("tester", s.tree, ["work: ."]))
            calls = [c.good("run", argv=["echo", "a"]), c.bad("python", code="1/0"), c.good("write", path="f", text="x")]
            equal(len(s.events(session)), 3)
            equal(c.close(), 0)
        rows = s.events(session)
        equal([(row["n"], row["state"]) for row in rows], [(1, "over"), (2, "over"), (3, "over")])
        equal([row["event"] for row in rows[:2]], [data_of(got)["event"] for got in calls[:2]])
        shown = expect_ok(s.ambit("ledger", "show", "--json", "--session", session)).stdout
        for row in rows:
            among(row["event"], shown)
        among("tester", shown)
        listed = expect_ok(s.ambit("session", "list", "--json")).stdout
        equal([row["state"] for row in json.loads(listed)["sessions"] if row["session"] == session], ["ended"])


def with_a_key_it_is_gone_on_with(place):
    with Served(place) as s:
        words = ("--work", ".", "--key", "mine")
        with Client(s, *words) as c:
            session = data_of(c.good("session"))["session"]
            c.bad("run", argv=["sh", "-c", "echo x > kept; exit 1"])
            equal(c.close(), 0)
        with Client(s, *words) as c:
            equal(data_of(c.good("session"))["session"], session)
            equal(data_of(c.good("run", argv=["true"]))["n"], 2)
            equal([one["uri"] for one in c.result("resources/list")["resources"]], ["ambit://event/1/record", "ambit://event/1/diff", "ambit://event/2/record"])
            c.good("commit", n=1)
            assert os.path.exists(at(s, "kept"))
            for _ in range(50):
                c.good("run", argv=["true"])
            listed = c.result("resources/list")["resources"]
            equal((listed[0]["uri"], listed[-1]["uri"]), ("ambit://event/3/record", "ambit://event/52/record"))
        with Client(s, *words) as c:  # the latest, whoever asked for them
            equal(c.result("resources/list")["resources"], listed)
        with Client(s, *words, "--read", "/srv") as c:  # another session by the same key is none
            among("that key was given", text_of(c.bad("session")))
            among("that key was given", text_of(c.bad("run", argv=["true"])))
            among("that key was given", c.refusal("resources/list")["message"])
        with Client(s, "--work", ".") as c:  # the twin: without one it is another
            assert data_of(c.good("session"))["session"] != session


# ---- what a person is asked ----

PASSWORD = "a password that nobody guesses"
ELICITS = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}


@contextlib.contextmanager
def asking(place, *words, **more):
    """A person with a key, and a file that is read only after their yes."""
    with Served(place) as s:
        secret = os.path.join(s.home, "secret")
        write(secret, PERSONS)
        expect_ok(s.ambit("approve", "--enroll", "--password-fd", "0", input=PASSWORD))
        with Client(s, "--work", ".", "--read", f"{secret} ask=true", *words, **more) as c:
            yield s, c, ["cat", secret]


def say_yes(served):
    question, = json.loads(expect_ok(served.ambit("approve", "--json")).stdout)["questions"]
    expect_ok(served.ambit("approve", question["approval"], "--grant", "once", "--digest", question["digest"], "--password-fd", "0", input=PASSWORD))


def what_was_refused_holds_no_key(place):
    """It did nothing; after the person's yes the same call with the same key does it, once."""
    with asking(place) as (s, c, argv):
        meta = {"io.ambit/idempotencyKey": "k"}
        call = lambda: c.result("tools/call", meta, name="run", arguments={"argv": [*argv[:1], "-A", *argv[1:]]})
        among("a person is asked", text_of(call()))
        say_yes(s)
        done = call()
        equal((done["isError"], data_of(call())["event"]), (False, data_of(done)["event"]))


def a_question_is_a_persons_to_answer(place):
    with asking(place) as (s, c, argv):
        got = c.bad("run", argv=argv)  # who cannot ask its user is told all the same
        among("a person is asked: a_", text_of(got))
        among("ambit approve a_", text_of(got))
        call = {"name": "run", "arguments": {"argv": argv}}
        asked = c.result("tools/call", ELICITS, **call)
        equal((asked["resultType"], list(asked["inputRequests"])), ("input_required", ["approval"]))
        among("ambit approve a_", asked["inputRequests"]["approval"]["params"]["message"])
        yes = {"inputResponses": {"approval": {"action": "accept", "content": {}}}, "requestState": asked["requestState"]}
        for answer in ("decline", "cancel", "ACCEPT", None):
            got = c.result("tools/call", ELICITS, **call, **{**yes, "inputResponses": {"approval": {"action": answer}}})
            equal((answer, got["isError"]), (answer, True))
            among("did not accept", text_of(got))
        for i in range(2):  # accepting allows nothing
            got = c.result("tools/call", ELICITS, **call, **yes)
            equal(got["isError"], True)
            not_among(PERSONS, json.dumps(got))
        state = asked["requestState"]
        forged = [state[:-1] + ("0" if state[-1] != "0" else "1"), state.replace("ambit1.", "ambit2."), "", "ambit1", "....", state + "0", "x" * 5000, 7, None, [state]]
        for wrong in forged:
            error = c.refusal("tools/call", ELICITS, **call, **{**yes, "requestState": wrong})
            equal((str(wrong)[:40], error["code"], error["data"]["place"]), (str(wrong)[:40], -32602, "/params/requestState"))
        for other in ({"name": "run", "arguments": {"argv": ["true"]}}, {"name": "shell", "arguments": {"code": "true"}}):  # it is of that call
            equal(c.refusal("tools/call", ELICITS, **other, **yes)["data"]["place"], "/params/requestState")
        with Client(s, "--work", ".", "--read", f"{argv[1]} ask=true") as another:  # and of that session
            equal(another.refusal("tools/call", ELICITS, **call, **yes)["data"]["place"], "/params/requestState")
        for answers in ({}, None, [], {"approval": {"action": "accept"}, "more": {}}, {"other": {"action": "accept"}}):
            equal(c.refusal("tools/call", ELICITS, **call, **{**yes, "inputResponses": answers})["data"]["place"], "/params/inputResponses")
        say_yes(s)
        equal(data_of(c.result("tools/call", ELICITS, **call, **yes))["stdout"], PERSONS)  # the twin: what allows it is the signature


def a_client_of_the_older_revision_is_asked_in_between(place):
    with asking(place) as (s, c, argv):
        c.initialize(elicitation={})

        def asked():
            request = c.begin("run", argv=argv, input="x")
            question = c.hear()
            equal((question["method"], question["params"]["mode"]), ("elicitation/create", "form"))
            return request, question["id"]

        def say(question, **answer):
            c.say({"jsonrpc": "2.0", "id": question, **answer})
        for answer in ({"result": {"action": "decline"}}, {"error": {"code": -1, "message": "x"}}, {"result": {}}):
            request, question = asked()
            say(question, **answer)
            got = c.ended(request)
            equal(got["isError"], True)
            among("did not accept", text_of(got))
        request, question = asked()
        for wrong in ("ambit-0", "ambit-99999", "ambit-x", 7, "other"):
            say(wrong, result={"action": "accept"})
        assert c.is_silent()
        say(question, result={"action": "accept"})
        got = c.ended(request)
        equal(got["isError"], True)  # accepting allows nothing, and it is not asked again and again
        not_among(PERSONS, json.dumps(got))
        request, question = asked()
        c.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request}})
        say(question, result={"action": "accept"})
        assert c.is_silent()
        request, question = asked()
        say_yes(s)
        say(question, result={"action": "accept"})
        equal(data_of(c.ended(request))["stdout"], PERSONS)  # the twin


def changes_that_wait_for_a_yes_are_kept(place):
    with Served(place) as s:
        expect_ok(s.ambit("approve", "--enroll", "--password-fd", "0", input=PASSWORD))
        write(at(s, "conf/a"), "a\n")
        with Client(s, "--work", ".", "--write", "./conf ask=true") as c:
            got = c.call("run", ELICITS, argv=["sh", "-c", "echo x > conf/a"])
            among("a yes takes the changes over", text_of(got))
            equal(content_of(at(s, "conf/a")), "a\n")
            c.call("commit", n=1)
            equal(content_of(at(s, "conf/a")), "a\n")
            say_yes(s)
            equal(content_of(at(s, "conf/a")), "x\n")


TASKS = {"io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}}


def a_long_call_becomes_a_task(place):
    """Where the client takes tasks, and after five seconds; until then it is a result like any other."""
    with serving(place, "--work", ".") as (s, c):
        short = c.result("tools/call", TASKS, name="shell", arguments={"code": "echo short"})
        equal((short["resultType"], short["structuredContent"]["stdout"]), ("complete", "short\n"))
        task = c.result("tools/call", TASKS, name="shell", arguments={"code": "cat; sleep 7; echo done > made; exit 3", "input": "in"})
        equal((task["resultType"], task["status"]), ("task", "working"))
        while (got := c.result("tasks/get", TASKS, taskId=task["taskId"]))["status"] == "working":
            assert "result" not in got, got
        equal((got["status"], got["resultType"], got["result"]["structuredContent"]["exit_status"], got["result"]["structuredContent"]["stdout"]), ("completed", "complete", 3, "in"))
        equal(c.result("tasks/get", TASKS, taskId=task["taskId"])["result"], got["result"])  # as often as it is wanted
        long = c.result("tools/call", TASKS, name="python", arguments={"code": "import time; time.sleep(600)", "timeout": 600})
        equal(set(c.result("tasks/cancel", TASKS, taskId=long["taskId"])) - {"_meta"}, {"resultType"})
        while (got := c.result("tasks/get", TASKS, taskId=long["taskId"]))["status"] == "working":
            pass
        equal(got["status"], "cancelled")
        other = task["taskId"][:-1] + str(int(task["taskId"][-1]) - 1)  # the name of one with the number of another
        for name in ("", "x", other, task["taskId"] + "0", "e_" + "0" * 26 + ".1", 7, None):
            equal((name, c.refusal("tasks/get", TASKS, taskId=name)["code"]), (name, -32602))
        equal(c.refusal("tasks/get", {}, taskId=task["taskId"])["code"], -32021)  # it did not say that it takes them
        equal(c.refusal("tasks/result", TASKS, taskId=task["taskId"])["code"], -32601)
        assert c.is_silent()


SCENARIOS = [a_long_call_becomes_a_task, a_question_is_a_persons_to_answer, what_was_refused_holds_no_key, a_client_of_the_older_revision_is_asked_in_between, changes_that_wait_for_a_yes_are_kept,
             a_client_of_the_older_revision_says_hello_first, an_initialize_that_lacks_something_is_refused_and_may_come_again,
             a_client_of_the_newer_revision_says_it_in_each_request, what_is_listed_is_the_same_each_time, annotations_say_what_is_so, schemas_and_tools_agree,
             results_are_as_their_schemas_say, commands_run_and_tell_how_they_ended, variables_are_those_that_are_granted,
             code_gives_values_pictures_and_where_it_failed, pictures_are_pictures, files_are_read_and_changed, what_is_no_text_comes_as_what_it_is,
             output_that_is_too_long_is_told_and_is_a_resource, what_is_not_granted_is_not_listed, staged_changes_wait_for_a_person,
             what_was_denied_names_the_line_that_allows_it, an_engine_that_may_not_compile_is_told_with_its_line, the_network_is_not_there, nothing_of_the_person_is_reachable,
             what_is_shaped_like_a_thing_stays_data, progress_is_told_to_who_wants_it, who_is_cancelled_ends_and_is_not_answered,
             each_of_several_is_answered_once_by_its_id, an_id_that_is_in_use_is_not_answered_twice, a_key_is_one_effect, what_a_person_does_meanwhile_is_told,
             what_failed_is_kept_until_somebody_says, another_sessions_events_are_not_there, resources_are_the_sessions_events,
             each_call_is_in_the_ledger_and_the_session_ends, with_a_key_it_is_gone_on_with]

if __name__ == "__main__":
    main(SCENARIOS)
