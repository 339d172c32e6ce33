#!/usr/bin/env python3
"""`ambit mcp` and `ambit guard` where clients come by HTTP: what they hear, and who may ask.

usage: mcp_http.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import base64
import hmac
import json
import os
import re
import signal
import stat
import subprocess
import time

from guard import Person
from harness import main, need, rooted, told
from web_client import LEGACY, META, MODERN, WAIT, Session, Site, Wire

KEY = "io.ambit/idempotencyKey"
HELLO = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}
PING = {"jsonrpc": "2.0", "id": 9, "method": "ping"}


def gate(p, mode="good", *words):
    return Site(p, "guard", *words, "--name", "bad", "--tool", "bad/*", "--read", p.top, "--", "/usr/bin/python3", f"{p.top}/guard_server.py", mode)


def waited(found):
    end = time.monotonic() + WAIT
    while not found():
        assert time.monotonic() < end
        time.sleep(0.05)


# ---- sessions (2025-11-25) ----


def a_session_has_what_a_client_of_a_pipe_has(place):
    p = Person(place)
    with Site(p, "mcp", "--work", ".") as site:
        a, b = site.session(), site.session()
        assert a.id != b.id and len(a.id) == 32
        ids = {s.call("session")["structuredContent"]["session"] for s in (a, b)}
        assert len(ids) == 2, ids  # a session of ours for each
        assert a.call("write", path="x", text="1")["isError"] is False and b.call("read", path="x")["content"][0]["text"] == "1"
        with a.start("tools/call", name="shell", arguments={"code": "for i in 1 2 3 4 5 6; do echo $i; sleep 0.3; done"}, meta={"progressToken": "tok"}) as wire:
            answer = wire.answer()  # events before it: so it came by a stream
            assert answer.fields["content-type"] == "text/event-stream", answer
            said = [m for _, m in answer.body if m]
            assert [m["params"]["progressToken"] for m in said[:-1]] == ["tok"] * (len(said) - 1) and len(said) > 1, said
            assert said[-1]["result"]["structuredContent"]["stdout"] == "1\n2\n3\n4\n5\n6\n"
            numbers = [i for i, _ in answer.body]
            assert len(set(numbers)) == len(numbers) and all(numbers), numbers
            wire.request(body=PING, fields=a.fields)  # and the connection is as good as before
            assert wire.answer().json() == {"jsonrpc": "2.0", "id": 9, "result": {}}
        with site.connect() as wire:
            wire.request("DELETE", fields=a.fields)
            assert wire.answer().status == 204
        assert a.post(PING).error() == [404, -32001] and b.post(PING).status == 200
        assert Session(site, begin=False).post(PING).error() == [400, -32000]
        assert b.post(HELLO).error() == [400, -32600]  # it has begun
        assert b.post(PING, **{"MCP-Protocol-Version": "2025-06-18"}).status == 200 and b.post(PING, **{"MCP-Protocol-Version": "2023-01-01"}).error() == [400, -32000]
        assert Session(site, begin=False, fields={"Mcp-Session-Id": "0" * 32}).post(PING).error() == [404, -32001]
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(timeout=WAIT) == 0
        waited(lambda: subprocess.run(["pgrep", "-g", "0", "-f", f"http.*{p.top}"], capture_output=True, check=False).returncode != 0)


def a_gate_is_asked_by_http(place):
    p = Person(place)
    with gate(p) as site:
        s = site.session()
        assert s.call("echo", say="hi")["content"][0]["text"] == "hi"
        assert {t["name"] for t in s.result("tools/list")["tools"]} >= {"echo"}
    with gate(p, "dies") as site:
        s = site.session()
        answer = s.ask("tools/call", name="echo", arguments={})
        assert answer.status in (200, 502) and "error" in answer.json(), answer
        waited(lambda: s.post(PING).status == 404)  # nothing is left of it
        assert site.session().id != s.id


def what_the_server_asks_comes_by_a_stream(place):
    p = Person(place)
    ask = ("--tool", "bad/elicitation/create", "--tool", "bad/roots/list")
    with Site(p, "guard", *ask, "--name", "bad", "--tool", "bad/*", "--read", p.top, "--", "/usr/bin/python3", f"{p.top}/guard_server.py", "asks") as site:
        s = site.session(capabilities={"elicitation": {}, "roots": {}})
        with s.listen() as wire:
            assert wire.head()[0] == 200 and wire.event()[1] is None
            assert s.call("echo", say="x")["content"][0]["text"] == "x"
            asked = {}
            while len(asked) < 2:
                _, m = wire.event()
                asked[m["method"]] = m["id"]
                assert s.post({"jsonrpc": "2.0", "id": m["id"], "result": {"action": "decline"}}).status == 202
            assert set(asked) == {"elicitation/create", "roots/list"}, asked
        s.call("echo", say="y")  # nobody listens: it is asked as soon as somebody does
        time.sleep(0.3)
        with s.listen() as wire:
            wire.head()
            assert wire.event()[1] is None and {wire.event()[1]["method"] for _ in range(2)} == set(asked)
        with s.listen() as one, s.listen() as other:  # the last who listens is told
            assert one.head()[0] == other.head()[0] == 200
            one.event()
            assert one.event() is None and one.is_closed()


def a_stream_that_broke_is_taken_up_again(place):
    p = Person(place)
    with Site(p, "mcp", "--work", ".") as site:
        s = site.session()
        wire = s.start("tools/call", name="shell", arguments={"code": "sleep 2; echo one; sleep 1; echo two | tee done"}, meta={"progressToken": 1})
        assert wire.head()[1]["content-type"] == "text/event-stream"
        first, nothing = wire.event()
        assert nothing is None and first
        wire.close()  # and it goes on: going is no cancelling
        waited(lambda: os.path.exists(f"{p.top}/done"))
        with s.listen(**{"Last-Event-ID": first}) as again:
            status, fields = again.head()
            said = list(again.events())
            assert status == 200 and said[-1][1]["result"]["structuredContent"]["stdout"] == "one\ntwo\n", said
            assert said[-1][1]["id"] == s.last
        with s.listen(**{"Last-Event-ID": said[-2][0]}) as again:  # as often as one likes, from where one likes
            again.head()
            assert list(again.events()) == said[-1:]
        for wrong, status in (("7-1", 400), ("x", 400), ("1-99999", 400), ("-", 400), (said[-1][0], 400), ("1-1-1", 400)):
            with s.listen(**{"Last-Event-ID": wrong}) as again:
                assert again.answer().status == status, wrong
        wire = s.start("tools/call", name="shell", arguments={"code": "sleep 3; echo three"})
        assert wire.head()[1]["content-type"] == "text/event-stream"
        first = wire.event()[0]
        with s.listen(**{"Last-Event-ID": first}) as again:  # who was there before hears no more
            again.head()
            assert wire.event() is None
            assert [m["result"]["structuredContent"]["stdout"] for _, m in again.events() if m] == ["three\n"]
        wire.close()
        other = site.session()
        with other.listen(**{"Last-Event-ID": first}) as again:
            assert again.answer().status == 400  # of another session


def what_was_asked_again_is_done_once(place):
    p = Person(place)
    with Site(p, "mcp", "--work", ".") as site:
        for s in site.session(), site.session(modern=True):
            name = f"n{s.modern}"
            code = f"sleep 1.5; echo x >> {name}; cat {name}"
            wire = s.start("tools/call", name="shell", arguments={"code": code}, meta={KEY: "k"})
            time.sleep(0.3)
            if not s.modern:
                wire.close()  # the stream breaks: the client does not know what became of it
            done = s.call("shell", meta={KEY: "k"}, code=code)
            again = s.call("shell", meta={KEY: "k"}, code=code)
            assert done["structuredContent"]["stdout"] == again["structuredContent"]["stdout"] == "x\n", (done, again)
            assert open(f"{p.top}/{name}", encoding="utf-8").read() == "x\n"
            other = s.call("shell", meta={KEY: "k"}, code="true")
            assert other["isError"], other
            assert s.call("shell", meta={KEY: "k2"}, code=code)["structuredContent"]["stdout"] == "x\nx\n"  # the twin
            wire.close()
        wire = s.start("tools/call", name="shell", arguments={"code": "sleep 2; echo x >> broken"}, meta={KEY: "k3"})
        time.sleep(0.5)
        wire.close()  # of this revision it is a cancelling: what became of it is told, and it is not done again
        done = s.call("shell", meta={KEY: "k3"}, code="sleep 2; echo x >> broken")
        assert done["isError"] and not os.path.exists(f"{p.top}/broken"), done


def a_gate_does_what_is_asked_again_once(place):
    p = Person(place)
    with gate(p, "slow") as site:
        for s in site.session(), site.session(modern=True):
            wire = s.start("tools/call", meta={KEY: "k"}, name="echo", arguments={"say": "x", "seconds": 1.5})
            time.sleep(0.3)
            wire.close() if not s.modern else None
            begun = time.monotonic()
            done = s.call("echo", meta={KEY: "k"}, say="x", seconds=1.5)
            assert s.call("echo", meta={KEY: "k"}, say="x", seconds=1.5) == done and not done.get("isError"), done
            assert time.monotonic() - begun < 2.4, "it was done again"  # each takes a second and a half
            other = s.ask("tools/call", meta={KEY: "k"}, name="echo", arguments={"say": "y", "seconds": 0})
            assert "error" in other.json() or other.json()["result"].get("isError"), other
            wire.close()


def cancelling_is_said(place):
    p = Person(place)
    with Site(p, "mcp", "--work", ".") as site:
        s = site.session()
        begun = time.monotonic()
        wire = s.start("tools/call", number="mine", name="shell", arguments={"code": "sleep 600"})
        time.sleep(0.3)
        assert s.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "other"}}).status == 202
        assert s.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "mine"}}).status == 202
        answer = wire.answer()
        assert answer.status == 202 or answer.body == [] or answer.body[-1][1] is None, answer
        assert s.ask("ping", number="mine").status == 200 and time.monotonic() - begun < WAIT


# ---- without sessions (2026-07-28) ----


def each_request_says_what_it_is(place):
    p = Person(place)
    with Site(p, "mcp", "--work", ".") as site:
        s = site.session(modern=True)
        found = s.result("server/discover")
        assert MODERN in found["supportedVersions"], found
        answer = s.ask("tools/call", name="shell", arguments={"code": "echo hi"})
        assert answer.fields["content-type"] == "application/json" and "mcp-session-id" not in answer.fields
        call = lambda **more: {**s.message("tools/call", name="shell", arguments={"code": "true"}), **more}
        assert s.post(call()).status == 200
        name = "=?base64?c2hlbGw=?="
        assert s.post(call(), **{"Mcp-Name": name}).status == 200
        for fields in ({"MCP-Protocol-Version": None}, {"Mcp-Method": None}, {"Mcp-Name": None}, {"Mcp-Method": "tools/list"}, {"Mcp-Name": "run"}, {"Mcp-Name": "=?base64?c2hlbG?="},
                       {"MCP-Protocol-Version": LEGACY}, {"Mcp-Name": "Shell"}):
            answer = s.post(call(), **fields)
            assert answer.error() == [400, -32020], (fields, answer)
        # each of its own kind
        assert s.post({**HELLO}, **{"MCP-Protocol-Version": MODERN}).error() == [400, -32020]
        assert s.post({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, **{"MCP-Protocol-Version": MODERN}).error() == [400, -32602]
        assert s.ask("no/such").error() == [404, -32601]
        other = {"jsonrpc": "2.0", "id": 5, "method": "tools/list", "params": {"_meta": {**META, "io.modelcontextprotocol/protocolVersion": "2099-01-01"}}}
        answer = s.post(other, **{"MCP-Protocol-Version": "2099-01-01"})
        assert answer.error() == [400, -32022] and answer.json()["error"]["data"]["supported"], answer
        assert s.post({"jsonrpc": "2.0", "id": 1, "result": {}}, **{"MCP-Protocol-Version": MODERN}).error() == [400, -32600]
        for method in "GET", "DELETE":
            with site.connect() as wire:
                wire.request(method, fields={"MCP-Protocol-Version": MODERN})
                answer = wire.answer()
                assert (answer.status, answer.fields["allow"]) == (405, "POST"), answer
        assert s.ask("tools/list", number=["x"]).error() == [400, -32600]


def those_without_sessions_share_one_and_are_told_apart(place):
    p = Person(place)
    with Site(p, "mcp", "--work", ".") as site:
        a, b = site.session(modern=True), site.session(modern=True)
        assert a.call("session")["structuredContent"]["session"] == b.call("session")["structuredContent"]["session"]
        wires = [s.start("tools/call", number=1, meta={"progressToken": "t"}, name="shell", arguments={"code": f"for i in 1 2 3 4; do echo {who}; sleep 0.4; done"}) for s, who in ((a, "a"), (b, "b"))]
        for wire, who in zip(wires, "ab"):
            answer = wire.answer()
            said = [m for _, m in answer.body if m]
            assert said[-1]["id"] == 1 and said[-1]["result"]["structuredContent"]["stdout"] == f"{who}\n" * 4, said
            assert len(said) > 1 and all(m["params"]["progressToken"] == "t" for m in said[:-1]), said
            assert all(i is None for i, _ in answer.body)  # what is told once is not told again
            wire.close()


def who_goes_does_not_want_it_any_more(place):
    p = Person(place)
    with Site(p, "mcp", "--work", ".") as site:
        s = site.session(modern=True)
        for code, lasts in (("sleep 2; touch stopped", 0.5), ("sleep 2; touch late", 1.5)):
            wire = s.start("tools/call", name="shell", arguments={"code": code})
            time.sleep(lasts)
            wire.close()
        with s.start("tools/call", name="shell", arguments={"code": "sleep 4; touch done"}) as wire:  # the twin
            wire.answer()
        assert os.listdir(p.top).count("done") == 1 and not {"stopped", "late"} & set(os.listdir(p.top)), os.listdir(p.top)
        with s.start("subscriptions/listen", number="l:0", notifications={"toolsListChanged": True}) as wire:
            assert wire.head()[0] == 200
            _, m = wire.event()
            assert m["method"] == "notifications/subscriptions/acknowledged" and m["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "l:0", m
        for _ in range(40):  # each of them has gone
            with s.start("subscriptions/listen", number="l:0", notifications={}) as wire:
                assert wire.head()[0] == 200


# ---- from where ----


def only_from_here(place):
    p = Person(place)
    with Site(p, "mcp", "--origin", "https://app.example.com") as site:
        def tried(**fields):
            with site.connect() as wire:
                wire.request(body=HELLO, fields=fields)
                return wire.answer()
        port = site.port
        for fields in ({}, {"Host": "localhost"}, {"Host": f"localhost:{port}"}, {"Host": "[::1]:1"}, {"Host": "LOCALHOST:80"}, {"Host": "app.example.com"},
                       {"Origin": f"http://localhost:{port}"}, {"Origin": f"http://127.0.0.1:{port}"}, {"Origin": "https://app.example.com"}):
            answer = tried(**fields)
            assert answer.status == 200, (fields, answer)
            assert answer.fields.get("access-control-allow-origin") == fields.get("Origin")
        for fields, status in (({"Host": "evil.example"}, 403), ({"Host": "evil.example:80"}, 403), ({"Host": "127.0.0.1.evil.example"}, 403), ({"Host": "localhost.evil"}, 403), ({"Host": None}, 400),
                               ({"Host": ""}, 403), ({"Host": "localhost:"}, 403), ({"Host": "localhost:8x"}, 403), ({"Host": "user@localhost"}, 403), ({"Host": "[::1"}, 403), ({"Host": "0.0.0.0"}, 403),
                               ({"Host": "localhost, evil.example"}, 403), ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Origin": f"http://localhost:{port + 1}"}, 403),
                               ({"Origin": "http://localhost"}, 403), ({"Origin": f"https://localhost:{port}"}, 403), ({"Origin": f"http://localhost:{port}.evil.example"}, 403),
                               ({"Origin": f"http://localhost:{port}/x"}, 403), ({"Origin": "https://app.example.com.evil"}, 403), ({"Origin": "https://app.example.com:444"}, 403), ({"Origin": "http://app.example.com"}, 403)):
            answer = tried(**fields)
            assert answer.status == status and "access-control-allow-origin" not in answer.fields, (fields, answer)
        with site.connect() as wire:  # what a browser asks first
            wire.request("OPTIONS", fields={"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}, usual=False)
            answer = wire.answer()
            assert answer.status == 204 and "POST" in answer.fields["access-control-allow-methods"] and "Mcp-Session-Id" in answer.fields["access-control-allow-headers"], answer
            wire.request("OPTIONS", fields={"Origin": "https://evil.example"}, usual=False)
            assert wire.answer().status == 403
    for where in "0.0.0.0:0", "[::]:0", "192.0.2.1:8080":
        result = p.ambit("mcp", "--http", where)
        assert result.returncode == 125 and "an address that others reach wants authorization" in result.stderr, told(result)
    result = p.ambit("mcp", "--http", "0", "--issuer", "https://a.test", "--audience", "https://b.test/mcp", "--jwks", "k", "--key", "one")
    assert result.returncode == 125 and "lets several principals in" in result.stderr, told(result)
    with Site(p, "mcp", where="[::1]:0") as site:
        assert site.session().id


@rooted
def another_user_is_not_let_in(place):
    """Whose a connection is the kernel says, also of one that was closed at once."""
    p = Person(place)
    script = """
import socket, sys
port, body, often = int(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3])
head = b"POST /mcp HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/json\\r\\nAccept: */*\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
got = b""
for i in range(often):
    s = socket.create_connection(("127.0.0.1", port), timeout=30)
    try:
        s.sendall(head + body)
        if often > 1:
            s.close()
            continue
        got = s.recv(100)
    except OSError:
        pass
print(got[:12])
"""
    with Site(p, "mcp", "--work", ".") as site:
        def tried(uid, often=1, body=json.dumps(HELLO)):
            return subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "/usr/bin/python3", "-c", script, str(site.port), body, str(often)],
                                  capture_output=True, text=True, timeout=WAIT).stdout.strip()
        assert tried(0) == "b'HTTP/1.1 200'"  # the twin
        assert tried(65533) == "b''"
        write = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "shell", "arguments": {"code": "touch $RANDOM"}, "_meta": META}})
        assert tried(65533, 300, write) == "b''"
        time.sleep(2)
        assert os.listdir(p.top) == ["guard_server.py"], os.listdir(p.top)
    token = f"{p.home}/token"
    with Site(p, "mcp", "--token-file", token) as site:  # by a token anybody may, who has it
        assert tried(65533) == "b'HTTP/1.1 401'"


# ---- what is no request ----

BAD = [  # what stands in place of the head, or of parts of it, and which status it comes to
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4, 4\r\n\r\nabcd", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: +4\r\n\r\nabcd", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n\r\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n", 400),
    (b"POST /mcp HTTP/1.1\nHost: localhost\n\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX: \x00\r\n\r\n", 400),
    (b"POST  /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"POST /mcp HTTP/2.0\r\nHost: localhost\r\n\r\n", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    (b"POST /mcp HTTP/1.0\r\nHost: localhost\r\n\r\n", 505),
    (b"POST http://localhost/mcp HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"POST /mcp?x HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"POST /MCP HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"POST /mcp/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /.well-known/oauth-protected-resource HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"PUT /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    (b"post /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70000 + b"\r\n\r\n", 431),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n", 413),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nAccept: */*\r\nContent-Length: 2\r\n\r\n{}", 415),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jsonp\r\nAccept: */*\r\nContent-Length: 2\r\n\r\n{}", 415),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: 2\r\n\r\n{}", 406),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nAccept: */*\r\nContent-Length: 2\r\n\r\n{}", 415),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: a-miracle\r\nAccept: */*\r\nContent-Length: 2\r\n\r\n{}", 417),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", 400),
    (b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: a\r\nMcp-Session-Id: b\r\nContent-Type: application/json\r\nAccept: */*\r\nContent-Length: 2\r\n\r\n{}", 400),
    (b"GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n", 406),
    (b"GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nContent-Length: 2\r\n\r\n{}", 400),
    (b"OPTIONS /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
]
BODIES = [("", 400), ("{", 400), ("[]", 400), ("null", 400), ("[" + json.dumps(PING) + "]", 400), ('{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 400), ('{"jsonrpc":"1.0","id":1,"method":"ping"}', 400),
          ('{"jsonrpc":"2.0","id":null,"method":"ping"}', 400), ('{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 400), ('{"jsonrpc":"2.0","id":{},"method":"ping"}', 400), ('{"jsonrpc":"2.0","id":1,"method":7}', 400),
          ('{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 400), ('{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', 400), ('{"jsonrpc":"2.0","id":1,"method":"ping","more":1}', 400),
          ('{"jsonrpc":"2.0","id":1,"result":{},"error":{}}', 400), ('{"jsonrpc":"2.0","id":1}', 400), ('{"jsonrpc":"2.0","result":{}}', 400), ('{"jsonrpc":"2.0","id":"' + "x" * 300 + '","method":"ping"}', 400),
          ("[" * 1000, 400), ('{"jsonrpc":"2.0","id":1,"method":"ping"}{}', 400), (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', 400), ('{"jsonrpc":"2.0","\\u0069d":1,"method":"ping"}', 400),
          (' \n{"jsonrpc":"2.0",\r\n"id":1,\n"method":"ping"}\n', 200)]


def what_is_no_request_is_refused(place):
    p = Person(place)
    with Site(p, "mcp") as site:
        for data, status in BAD:
            with site.connect() as wire:
                wire.send(data)
                answer = wire.answer()
                assert answer.status == status, (data[:200], answer)
                assert answer.status == 405 or ("message" in answer.json()["error"] and answer.fields["connection"] == "close"), (data[:200], answer)
                assert wire.is_closed()  # nothing that follows is taken for a request
        s = site.session()
        for body, status in BODIES:
            with site.connect() as wire:
                wire.request(body=body, fields=s.fields)
                answer = wire.answer()
                assert answer.status == status, (body[:100], answer)
        assert s.post(PING).status == 200
        assert s.ask("ping", number="a" * 100).json()["id"] == "a" * 100


def requests_come_in_any_pieces(place):
    p = Person(place)
    with Site(p, "mcp") as site:
        s = site.session()
        fields = "".join(f"{k}: {v}\r\n" for k, v in s.fields.items())
        head = f"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json; charset=utf-8\r\nAccept: */*\r\n{fields}"
        body = lambda n: json.dumps({"jsonrpc": "2.0", "id": n, "method": "ping"})
        one = lambda n: f"{head}Content-Length: {len(body(n))}\r\n\r\n{body(n)}"
        with site.connect() as wire:  # at once, and answered in their order
            wire.send("".join(one(n) for n in range(1, 20)))
            assert [wire.answer().json()["id"] for _ in range(1, 20)] == list(range(1, 20))
            for c in one(77):
                wire.send(c)
            assert wire.answer().json()["id"] == 77
            text = body(78)
            wire.send(f"{head}Transfer-Encoding: chunked\r\n\r\n" + "".join(f"1\r\n{c}\r\n" for c in text) + "0\r\n\r\n" + one(79))
            assert [wire.answer().json()["id"] for _ in range(2)] == [78, 79]
            wire.send(f"{head}Expect: 100-continue\r\nContent-Length: {len(text)}\r\n\r\n")
            assert wire.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue"
            wire.send(text)
            assert wire.answer().json()["id"] == 78
            wire.send(f"{head}Connection: close\r\nContent-Length: {len(text)}\r\n\r\n{text}")
            assert wire.answer().fields["connection"] == "close" and wire.is_closed()
        with site.connect() as wire:  # the longest
            said = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "y" * ((4 << 20) - 200)}})
            wire.request(body=said, fields=s.fields)
            assert wire.answer().status == 200
            wire.request(body=said + " " * 200, fields=s.fields)
            assert wire.answer().status == 413


# ---- how many, how long ----


def who_says_half_of_it_is_left(place):
    p = Person(place)
    with Site(p, "mcp") as site:
        s = site.session()
        begun = time.monotonic()
        half = site.connect()
        half.send("POST /mcp HTTP/1.1\r\nHost: loc")
        silent = site.connect()
        assert half.answer().status == 408 and half.is_closed() and silent.is_closed()
        assert 8 < time.monotonic() - begun < 60
        many = [site.connect() for _ in range(200)]  # who comes has a place, and who says nothing makes it
        assert s.post(PING).status == 200
        with s.listen() as wire:
            assert wire.head()[0] == 200
            many += [site.connect() for _ in range(100)]
            assert s.post(PING).status == 200
            wire.sock.setblocking(False)
            try:
                assert wire.sock.recv(1) != b"", "who listens was left"
            except BlockingIOError:
                pass
        for one in many:
            one.close()


def there_are_so_many_sessions(place):
    p = Person(place)
    with Site(p, "mcp") as site:
        sessions = [site.session() for _ in range(32)]
        assert Session(site, begin=False).post(HELLO).error() == [503, -32603]
        with site.connect() as wire:
            wire.request("DELETE", fields=sessions[0].fields)
            assert wire.answer().status == 204
        waited(lambda: Session(site, begin=False).post(HELLO).status == 200)
        wires = [sessions[1].start("tools/call", name="shell", arguments={"code": "sleep 600"}) for _ in range(32)]
        waited(lambda: sessions[1].ask("tools/list").status == 429)
        assert sessions[2].post(PING).status == 200
        for wire in wires:
            wire.close()


def who_does_not_take_it_holds_nobody_up(place):
    p = Person(place)
    with Site(p, "mcp") as site:
        s, other = site.session(), site.session()
        code = "'x' * 3000000"
        slow = Wire(site, room=4096)
        slow.request(body=s.message("tools/call", name="python", arguments={"code": code}), fields=s.fields)
        begun = time.monotonic()
        while time.monotonic() - begun < 5:
            assert other.post(PING).status == 200
        assert s.post(PING).status == 200  # they have one server, which is heard again when that client was left
        assert slow.is_closed() and time.monotonic() - begun < 60
        assert len(s.call("python", code=code)["content"][0]["text"]) > 1000000  # the twin


# ---- by a token ----


def who_has_the_token_may(place):
    p = Person(place)
    path = f"{p.home}/token"
    with Site(p, "mcp", "--token-file", path) as site:
        token = open(path, encoding="utf-8").read().strip()
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and len(token) == 64
        good = site.session(fields={"Authorization": f"Bearer {token}"})
        assert good.call("session")["isError"] is False
        assert site.session(fields={"Authorization": f"bearer {token}"}).id
        for wrong in (None, "", f"Bearer {token[:-1]}", f"Bearer {token}x", f"Basic {token}", token, "Bearer", f"Bearer {token} {token}", f"Bearer {token.upper()}"):
            with site.connect() as wire:
                wire.request(body=PING, fields={**good.fields, "Authorization": wrong})
                answer = wire.answer()
                assert answer.status == 401 and answer.fields["www-authenticate"].startswith('Bearer realm="ambit"'), (wrong, answer)
                assert token not in str(answer)
        with site.connect() as wire:
            wire.send(f"GET /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n\r\n")
            assert wire.answer().status == 401
        assert good.post(PING).status == 200
    everything = subprocess.run(["grep", "-rlF", token, p.home, p.top], capture_output=True, text=True, check=False).stdout.split()
    assert everything == [path], everything  # no ledger, no log, no event has it
    assert token not in "".join(site.said)
    with Site(p, "mcp", "--token-file", path) as site:
        assert site.session(fields={"Authorization": f"Bearer {token}"}).id
    for spoil, text in ((lambda: os.chmod(path, 0o644), "not yours alone"), (lambda: (os.chmod(path, 0o600), open(path, "w", encoding="utf-8").write("short\n")), "has not one line"),
                        (lambda: open(path, "w", encoding="utf-8").write("x" * 40 + "\ny\n"), "has not one line"), (lambda: open(path, "w", encoding="utf-8").write("a b" * 20), "has not one line")):
        spoil()
        result = p.ambit("mcp", "--http", "0", "--token-file", path)
        assert result.returncode == 125 and text in result.stderr, told(result)
    for words in (("--token-file", path), ("--issuer", "https://a.example"), ("--origin", "https://a.example")):
        result = p.ambit("mcp", *words)
        assert result.returncode == 125 and "--http" in result.stderr, told(result)
    result = p.ambit("mcp", "--http", "0", "--issuer", "https://a.example")
    assert result.returncode == 125 and "--jwks" in result.stderr, told(result)
    result = p.ambit("mcp", "--http", "0", "--socket", f"{p.home}/s")
    assert result.returncode == 125, told(result)


# ---- by an issuer's tokens ----

ISSUER, SCOPE = "https://auth.example.com/tenant", "mcp:tools"


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True, timeout=WAIT).stdout


class Issuer:
    """Keys of each kind, and what they sign."""

    def __init__(self, at):
        need("openssl")
        self.at = at
        os.makedirs(at)
        for kind, words in (("RS256", ("RSA", "-pkeyopt", "rsa_keygen_bits:2048")), ("ES256", ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")), ("EdDSA", ("ED25519",)), ("other", ("ED25519",))):
            openssl("genpkey", "-algorithm", *words, "-out", f"{at}/{kind}")

    def jwk(self, kind):
        der = openssl("pkey", "-in", f"{self.at}/{kind}", "-pubout", "-outform", "DER")
        if kind == "RS256":
            modulus = bytes.fromhex(openssl("rsa", "-in", f"{self.at}/{kind}", "-noout", "-modulus").decode().strip().split("=")[1])
            return {"kty": "RSA", "n": b64(modulus), "e": "AQAB", "alg": "RS256", "use": "sig", "kid": kind}
        if kind == "ES256":
            return {"kty": "EC", "crv": "P-256", "x": b64(der[-64:-32]), "y": b64(der[-32:]), "kid": kind}
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(der[-32:]), "kid": "EdDSA"}

    def sign(self, kind, text):
        key, data = f"{self.at}/{kind}", text.encode()
        if kind in ("EdDSA", "other"):
            with open(f"{self.at}/data", "wb") as file:
                file.write(data)
            return openssl("pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", f"{self.at}/data")
        der = openssl("dgst", "-sha256", "-sign", key, data=data)
        if kind == "RS256":
            return der
        n = 4 + der[3]
        return b"".join(int.from_bytes(part, "big").to_bytes(32, "big") for part in (der[4:n], der[n + 2:]))

    def token(self, kind="EdDSA", by=None, head=None, **claims):
        head = {"alg": kind, "kid": kind, "typ": "at+jwt", **(head or {})}
        claims = {"iss": ISSUER, "aud": "http://localhost:1/mcp", "sub": "ann", "exp": int(time.time()) + 600, "scope": f"{SCOPE} other", **claims}
        text = ".".join(b64({k: v for k, v in part.items() if v is not None}) for part in (head, claims))
        return f"{text}.{b64(self.sign(by or kind, text))}"


def who_has_a_token_of_the_issuer_may(place):
    p = Person(place)
    issuer = Issuer(f"{p.home}/issuer")
    keys = f"{p.home}/keys.json"
    with open(keys, "w", encoding="utf-8") as file:
        json.dump({"keys": [issuer.jwk(kind) for kind in ("RS256", "ES256", "EdDSA")] + [{"kty": "oct", "k": b64(b"secret"), "kid": "HS256"}]}, file)
    os.chmod(keys, 0o644)
    words = ("--issuer", ISSUER, "--audience", "http://localhost:1/mcp", "--jwks", keys, "--scope", SCOPE)
    with Site(p, "mcp", *words) as site:
        begin = lambda token: site.session(modern=True, fields={"Authorization": f"Bearer {token}"}).ask("server/discover")
        for kind in "RS256", "ES256", "EdDSA":
            assert begin(issuer.token(kind)).status == 200, kind
        good = {"aud": ["https://x.example", "http://localhost:1/mcp"], "nbf": int(time.time()) + 30}
        assert begin(issuer.token(**good)).status == 200 and begin(issuer.token(exp=time.time() - 30.5)).status == 200
        secret = lambda head: f"{head}.{b64(hmac.new(json.dumps(issuer.jwk('RS256')).encode(), head.encode(), 'sha256').digest())}"
        claims = issuer.token().split(".")[1]
        whole = issuer.token()
        signature = whole.rsplit(".", 1)[1]
        said = json.dumps({"iss": ISSUER, "aud": "http://localhost:1/mcp", "sub": "a", "exp": int(time.time()) + 60, "scope": SCOPE})
        head = b64({"alg": "EdDSA", "kid": "EdDSA"})
        more = said[:-1].encode() + b', "sub": "b"}'
        once, twice = f"{head}.{b64(said.encode())}", f"{head}.{b64(more)}"
        assert begin(f"{once}.{b64(issuer.sign('EdDSA', once))}").status == 200  # the twin
        bad = {"of another issuer": issuer.token(iss="https://evil.example"), "for another": issuer.token(aud="http://localhost:1/"), "for many others": issuer.token(aud=["a", ["http://localhost:1/mcp"]]),
               "for nobody": issuer.token(aud=None), "over": issuer.token(exp=int(time.time()) - 120), "without an end": issuer.token(exp=None), "an end in words": issuer.token(exp="9999999999"),
               "not yet": issuer.token(nbf=int(time.time()) + 300), "nobody's": issuer.token(sub=None), "by another key": issuer.token(by="other"), "by another kind": issuer.token("RS256", by="ES256"),
               "of no key": issuer.token(head={"kid": "no"}), "unsigned": f"{b64({'alg': 'none', 'typ': 'JWT'})}.{claims}.", "unsigned, with a key": f"{b64({'alg': 'none', 'kid': 'EdDSA'})}.{claims}.{signature}",
               "by a public secret": secret(f"{b64({'alg': 'HS256', 'kid': 'RS256'})}.{claims}"), "by the key's name of another": secret(f"{b64({'alg': 'HS256', 'kid': 'HS256'})}.{claims}"),
               "critical": issuer.token(head={"crit": ["x"], "x": 1}), "an id token": issuer.token(head={"typ": "dpop+jwt"}), "cut": whole[:-4], "more": whole + "A", "twice": f"{whole}.{signature}",
               "padded": whole + "==", "of other bytes": whole[:60] + ("A" if whole[60] != "A" else "B") + whole[61:], "long": whole + "A" * 9000, "nothing": "..", "text": "x",
               "of claims that are twice there": f"{twice}.{b64(issuer.sign('EdDSA', twice))}"}
        for what, token in bad.items():
            answer = begin(token)
            assert answer.status == 401 and 'error="invalid_token"' in answer.fields["www-authenticate"], (what, answer)
        answer = Session(site, begin=False).post(HELLO)
        assert answer.status == 401 and "error" not in answer.fields["www-authenticate"], answer
        url = re.search('resource_metadata="([^"]*)"', answer.fields["www-authenticate"]).group(1)
        assert url == "http://localhost:1/.well-known/oauth-protected-resource/mcp" and f'scope="{SCOPE}"' in answer.fields["www-authenticate"], answer
        for path in "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource":
            with site.connect() as wire:
                wire.request("GET", path, usual=False)
                assert wire.answer().json() == {"resource": "http://localhost:1/mcp", "authorization_servers": [ISSUER], "bearer_methods_supported": ["header"], "scopes_supported": [SCOPE]}
        narrow = begin(issuer.token(scope="other"))
        assert narrow.status == 403 and 'error="insufficient_scope"' in narrow.fields["www-authenticate"], narrow
        assert begin(issuer.token(scope="mcp:toolsx")).status == begin(issuer.token(scope=None)).status == 403
        # a session is its principal's, whatever token they show
        ann, bob = issuer.token(), issuer.token(sub="bob")
        s = site.session(fields={"Authorization": f"Bearer {ann}"})
        assert s.post(PING, **{"Authorization": f"Bearer {issuer.token('ES256', exp=int(time.time()) + 50)}"}).status == 200
        stolen = s.post(PING, **{"Authorization": f"Bearer {bob}"})
        assert stolen.error() == [404, -32001], stolen
        with site.connect() as wire:
            wire.request("DELETE", fields={**s.fields, "Authorization": f"Bearer {bob}"})
            assert wire.answer().status == 404
        assert s.post(PING).status == 200
        whose = {who: site.session(modern=True, fields={"Authorization": f"Bearer {issuer.token(sub=who)}"}).call("session")["structuredContent"]["session"] for who in ("ann", "bob", "ann")}
        assert len(set(whose.values())) == 2, whose
        many = [site.session(fields={"Authorization": f"Bearer {issuer.token(sub='eve')}"}) for _ in range(4)]
        assert begin(issuer.token(sub="eve")).error() == [503, -32603]  # one has no more, and others have theirs
        assert begin(issuer.token(sub="fay")).status == 200 and many[0].post(PING).status == 200
        # requests that are begun and not ended are such, too: by many of them nobody takes the places or the room of others
        eve = {"Authorization": f"Bearer {issuer.token(sub='eve')}", "Content-Type": "application/json", "Content-Length": "4000000"}
        halves = [site.connect() for _ in range(64)]
        for wire in halves:
            wire.request(fields=eve)
        waited(lambda: begin(issuer.token(sub="eve")).status == 429)
        assert begin(issuer.token(sub="fay")).status == 200
        for wire in halves[:9]:
            wire.sock.settimeout(0.5)
            try:
                for _ in range(39):
                    wire.send(bytes(100000))
            except OSError:
                pass  # it had what there is for it
        long = Session(site, modern=True, fields={"Authorization": f"Bearer {issuer.token(sub='fay')}"}).ask("server/discover", meta={"x": "y" * 1000000})
        assert long.status == 200, long
        for wire in halves:
            wire.close()
        # what was begun with a token ends with it
        short = site.session(fields={"Authorization": f"Bearer {issuer.token(sub='gus', exp=int(time.time()) - 56)}"})
        with short.listen() as wire:
            assert wire.head()[0] == 200
            wire.event()
            assert wire.is_closed()
        assert short.post(PING).status == 401
        # the issuer has other keys: those that were are no longer good, and what is no file of keys changes nothing
        def have(kinds, text=None):
            with open(f"{keys}.new", "w", encoding="utf-8") as file:
                file.write(text or json.dumps({"keys": [issuer.jwk(kind) for kind in kinds]}))
            os.rename(f"{keys}.new", keys)
        have(["ES256"])
        waited(lambda: begin(issuer.token("EdDSA")).status == 401)
        assert begin(issuer.token("ES256")).status == 200
        have([], "{}")
        waited(lambda: any("no key that is of use" in line for line in site.said))
        assert begin(issuer.token("ES256")).status == 200
        os.unlink(keys)
        waited(lambda: any("cannot read" in line for line in site.said))
        assert begin(issuer.token("ES256")).status == 200
        tokens = [ann, bob]
    said = subprocess.run(["grep", "-rlF", *(word for t in tokens for word in ("-e", t)), p.home, p.top], capture_output=True, text=True, check=False).stdout
    assert said == "", said
    for text, why in (("{}", "no key that is of use"), ("x", "no key"), (json.dumps({"keys": [{"kty": "oct", "k": "AAAA"}, {"kty": "RSA", "n": b64(b"\xff" * 128), "e": "AQAB"}, {"kty": "EC", "crv": "P-256", "x": b64(b"1" * 32), "y": b64(b"2" * 32)}]}), "no key"),
                      (" " * 70000, "cannot read")):
        with open(keys, "w", encoding="utf-8") as file:
            file.write(text)
        result = p.ambit("mcp", "--http", "0", *words)
        assert result.returncode == 125 and why in result.stderr, told(result)
    os.chmod(keys, 0o666)
    result = p.ambit("mcp", "--http", "0", *words)
    assert result.returncode == 125 and "not yours alone to write" in result.stderr, told(result)


if __name__ == "__main__":
    main([a_session_has_what_a_client_of_a_pipe_has, a_gate_is_asked_by_http, what_the_server_asks_comes_by_a_stream, a_stream_that_broke_is_taken_up_again, what_was_asked_again_is_done_once, a_gate_does_what_is_asked_again_once, cancelling_is_said,
          each_request_says_what_it_is, those_without_sessions_share_one_and_are_told_apart, who_goes_does_not_want_it_any_more, only_from_here, another_user_is_not_let_in, what_is_no_request_is_refused,
          requests_come_in_any_pieces, who_says_half_of_it_is_left, there_are_so_many_sessions, who_does_not_take_it_holds_nobody_up, who_has_the_token_may, who_has_a_token_of_the_issuer_may])
