#!/usr/bin/env python3
"""A gate around a server that is reached by streamable HTTP: what passes, where it goes and nowhere else, and what a hostile one comes to. Servers are in the world, under TLS, and say what the scenario has them say.

usage: remote.py AMBIT remote_probe    (TAP on standard output; as root, whose scenarios run ambit as root and as another)
"""

import glob
import json
import os
import shutil
import socket
import socketserver
import ssl
import time

from guard import Client
from harness import PATIENCE, SLOW, copy_executables, expect_ok, main, room_of, told, write
from http_rules import TOKEN, authority
from network import PUBLIC, Network, both_users, in_child, users

URL = "https://open.test/mcp"
ASKED = []  # what servers were asked, in their order
SCRIPT = {}  # "answer": what is done with a request
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "far", "version": "1"}}
TOOLS = [{"name": "echo", "description": "Says it again", "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}}}]
META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}, "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"}}


class Said:
    """One request, and how it is answered."""

    def __init__(self, connection, head, body):
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = first.split(" ")
        self.fields = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines if line)}
        self.body, self.connection = body, connection
        self.json = json.loads(body) if body.startswith(b"{") else None
        self.what = (self.json or {}).get("method") if isinstance(self.json, dict) else None

    def raw(self, *pieces):
        for piece in pieces:
            self.connection.sendall(piece)

    def plain(self, status, body=b"", kind="application/json", **fields):
        more = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in fields.items())
        self.raw(f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body)
        return True

    def result(self, result, **fields):
        return self.plain(200, json.dumps({"jsonrpc": "2.0", "id": self.json["id"], "result": result}).encode(), **fields)

    def events(self, *events, end=True, **fields):
        """Each bytes as they are, or a message."""
        more = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in fields.items())
        self.raw(f"HTTP/1.1 200 Said\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n{more}\r\n".encode())
        for event in events:
            self.event(event)
        if end:
            self.raw(b"0\r\n\r\n")
        return True

    def event(self, event):
        piece = event if isinstance(event, bytes) else b"data: " + json.dumps(event).encode() + b"\n\n"
        self.raw(b"%x\r\n%s\r\n" % (len(piece), piece))


class Server(socketserver.BaseRequestHandler):
    def handle(self):
        rest = b""
        while True:
            while b"\r\n\r\n" not in rest:
                piece = self.request.recv(65536)
                if not piece:
                    return
                rest += piece
            head, rest = rest.split(b"\r\n\r\n", 1)
            length = int(next((line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0))
            while len(rest) < length:
                rest += self.request.recv(65536)
            said = Said(self.request, head, rest[:length])
            rest = rest[length:]
            ASKED.append(said)
            if not SCRIPT["answer"](said):
                return


def ordinary(said):
    """What a good server of 2025-11-25 says."""
    if said.method != "POST":
        return said.plain(405 if said.method == "GET" else 200)
    if said.what == "initialize":
        return said.result(HELLO, Mcp_Session_Id="s-1")
    if said.what == "tools/list":
        return said.result({"tools": TOOLS})
    if said.what == "tools/call":
        return said.result({"content": [{"type": "text", "text": said.json["params"]["arguments"].get("text", "")}]})
    return said.result({}) if said.what == "ping" else said.plain(202)


def serve(network, port=443, certificate="good"):
    top = authority(network)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{top}/{certificate}.pem", f"{top}/{certificate}.key")

    class Secure(Server):
        def setup(self):
            self.request = context.wrap_socket(self.request, server_side=True)

        def finish(self):
            self.request.close()
    server = network.serve(Secure, port, PUBLIC)
    server.handle_error = lambda *ignored: None
    return server


class Far:
    """The gate around the one at URL, by a user who has a token for it."""

    def __init__(self, network, uid, answer=ordinary, token=True, ambit=None):
        self.network, self.uid, self.ambit = network, uid, ambit or network.place.ambit
        SCRIPT["answer"] = answer
        if network.is_new and not hasattr(network, "far"):
            network.far = serve(network)
        self.home = network.home(uid)
        if token and not os.path.exists(f"{self.home}/.local/state/ambit/secrets/far.sealed"):
            write(f"{self.home}/value", TOKEN)
            os.chown(f"{self.home}/value", uid, uid)
            expect_ok(network.ambit(uid, "secret", "set", "far", "--host", "open.test", "--from", f"{self.home}/value"))
            os.unlink(f"{self.home}/value")
        self.token = ("--secret", "far") if token else ()
        ASKED.clear()

    def guard(self, *words, url=URL, tools=("far/*",)):
        who = [] if self.uid == 0 else ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        grants = [word for tool in tools for word in ("--tool", tool)]
        argv = [*who, self.ambit, "guard", "--url", url, "--name", "far", *self.token, *grants, *words]
        return Client(argv, {**self.network.place.environment(), "HOME": self.home, "SSL_CERT_FILE": f"{authority(self.network)}/ca.pem"}, "/")

    def refused(self, *words, url=URL):
        """What it says when it cannot be."""
        with self.guard(*words, url=url) as client:
            client.process.stdin.close()
            client.process.wait(timeout=PATIENCE * SLOW)
            time.sleep(0.1)
            return client.process.returncode, b"".join(client.err).decode()


def until(what, seconds=PATIENCE):
    end = time.monotonic() + SLOW * seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
    return found


def asked(method, what=None):
    return [s for s in ASKED if s.method == method and (what is None or s.what == what)]


@both_users
def a_session_of_2025_is_one(network, who, uid):
    def answer(said):
        if said.method == "GET":
            said.events({"jsonrpc": "2.0", "id": 7, "method": "roots/list"}, end=False)
            return SCRIPT["open"].append(said) or time.sleep(PATIENCE) or False
        if said.what == "tools/call":
            token = said.json["params"]["_meta"]["progressToken"]
            return said.events(b": a comment\n\n", {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}},
                               b"event: message\r\nid: 5\r\ndata: {\"jsonrpc\":\"2.0\",\r\ndata: \"id\":%d,\r\ndata: \"result\":{\"content\":[]}}\r\n\r\n" % said.json["id"])
        return ordinary(said)
    far = Far(network, uid, answer)
    SCRIPT["open"] = []
    with far.guard("--tool", "far/roots/list") as client:
        assert client.begin()["result"] == HELLO, who
        question = client.line()
        assert question["method"] == "roots/list", question
        client.say({"jsonrpc": "2.0", "id": question["id"], "result": {"roots": []}})
        until(lambda: [s for s in asked("POST") if s.what is None and s.json.get("id") == 7 and s.json["result"] == {"roots": []}])
        assert client.ask("tools/list")["result"]["tools"] == TOOLS, who
        assert client.call("echo", _meta={"progressToken": "p"}, text="x")["result"] == {"content": []}, who
        assert [line["params"]["progress"] for line in client.stray if line["method"] == "notifications/progress"] == [1], client.stray
        assert client.end() == 0, client.err
    until(lambda: asked("DELETE"))
    first, *others = ASKED
    assert first.what == "initialize" and "mcp-session-id" not in first.fields and "mcp-protocol-version" not in first.fields, first.fields
    for said in others:
        assert (said.fields["mcp-session-id"], said.fields["mcp-protocol-version"]) == ("s-1", "2025-11-25"), f"{who}: {said.method} {said.what} {said.fields}"
    for said in ASKED:
        assert said.fields["authorization"] == f"Bearer {TOKEN}" and said.path == "/mcp" and "mcp-method" not in said.fields, said.fields
    assert all("application/json" in s.fields["accept"] and "text/event-stream" in s.fields["accept"] and s.fields["content-type"] == "application/json" for s in asked("POST"))


@both_users
def requests_of_2026_say_in_fields_what_is_in_the_body(network, who, uid):
    tools = [{**TOOLS[0], "inputSchema": {"type": "object", "properties": {"text": {"type": "string", "x-mcp-header": "Region"}, "in": {"type": "object", "properties": {"n": {"type": "integer", "x-mcp-header": "N"}}},
                                                                          "bad": {"type": "string", "x-mcp-header": "a b: y"}, "all": {"type": "array", "x-mcp-header": "All"}}}}]
    open_ones = []

    def answer(said):
        if said.what == "tools/list":
            return said.result({"resultType": "complete", "tools": tools, "ttlMs": 0, "cacheScope": "private"})
        if said.what == "resources/read":
            return said.result({"resultType": "complete", "contents": [], "ttlMs": 0, "cacheScope": "private"})
        if said.what == "prompts/get":
            said.events(b": here\n\n", end=False)
            open_ones.append(said)
            return said.connection.recv(1) == b"" and said.connection.close()
        return said.result({"resultType": "complete", "content": []})
    far = Far(network, uid, answer)
    with far.guard() as client:
        assert "tools" in client.ask("tools/list", _meta=META)["result"], who
        for text in ("eu", "", "h\u00e9\n", "=?base64?eA==?=", " x"):
            assert client.ask("tools/call", name="echo", arguments={"text": text, "in": {"n": 7}, "bad": "z", "all": ["q"]}, _meta=META)["result"]["content"] == [], who
        assert "result" in client.ask("resources/read", uri="note://\u2603", _meta=META)
        # A request that is cancelled is one whose connection ends; nothing is posted of it.
        client.last += 1
        client.say({"jsonrpc": "2.0", "id": client.last, "method": "prompts/get", "params": {"name": "p", "_meta": META}})
        until(lambda: open_ones)
        client.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": client.last, "_meta": META}})
        until(lambda: open_ones[0].connection.fileno() < 0)
        assert client.end() == 0
    calls = asked("POST", "tools/call")
    assert [c.fields["mcp-param-region"] for c in calls] == ["eu", "=?base64??=", "=?base64?aMOpCg==?=", "=?base64?PT9iYXNlNjQ/ZUE9PT89?=", "=?base64?IHg=?="], [c.fields for c in calls]
    assert all(c.fields["mcp-param-n"] == "7" and c.fields["mcp-name"] == "echo" and not {"x", "mcp-param-all"} & set(c.fields) for c in calls), [c.fields for c in calls]
    assert asked("POST", "resources/read")[0].fields["mcp-name"] == "=?base64?bm90ZTovL+KYgw==?=", who
    for said in ASKED:
        assert (said.fields["mcp-protocol-version"], said.fields["mcp-method"]) == ("2026-07-28", said.what) and "mcp-session-id" not in said.fields, said.fields
    assert not asked("POST", "notifications/cancelled") and not asked("GET") and not asked("DELETE"), [s.what for s in ASKED]


@both_users
def a_stream_that_breaks_off_goes_on(network, who, uid):
    """By the number of the last event; without one nobody can tell, and it is not asked twice."""
    def answer(said):
        if said.what == "tools/call" and said.json["params"]["arguments"]["text"] == "numbered":
            SCRIPT["id"] = said.json["id"]
            return said.events(b"id: one\nretry: 30\ndata:\n\n", end=False) and False
        if said.what == "tools/call":
            return said.events(b": nothing\n\n", end=False) and False
        if said.method == "GET" and "last-event-id" in said.fields:
            if said.fields["last-event-id"] == "one":
                return said.events(b"id: two\ndata:\n\n", end=False) and False
            return said.events({"jsonrpc": "2.0", "id": SCRIPT["id"], "result": {"content": [{"type": "text", "text": "rest"}]}})
        return ordinary(said)
    with Far(network, uid, answer).guard() as client:
        client.begin()
        assert client.call("echo", text="numbered")["result"]["content"][0]["text"] == "rest", who
        assert [s.fields["last-event-id"] for s in asked("GET") if "last-event-id" in s.fields] == ["one", "two"], who
        error = client.call("echo", text="plain")["error"]
        assert "before it had answered" in error["message"] and error["data"]["code"] == "GONE", error
        assert len([s for s in asked("POST", "tools/call")]) == 2, who


@both_users
def a_session_that_was_forgotten_is_begun_again(network, who, uid):
    """And what was asked meanwhile is asked in the new one, once. Where there is no new one, that is the answer."""
    known = []

    def answer(said):
        if said.what == "initialize" and SCRIPT["more"]:
            known.append(f"s-{len(known)}")
            return said.result(HELLO, Mcp_Session_Id=known[-1])
        if said.what == "initialize":
            return said.plain(503)
        if said.fields.get("mcp-session-id") != (known or [""])[-1]:
            return said.plain(404, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}')
        return ordinary(said)
    SCRIPT["more"] = True
    with Far(network, uid, answer).guard() as client:
        client.begin()
        assert client.call("echo", text="one")["result"], who
        known.append("forgotten")
        ids = range(200, 205)
        client.say(*({"jsonrpc": "2.0", "id": i, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": str(i)}}} for i in ids))
        heard = {}
        while len(heard) < 5:
            line = client.line()
            heard.setdefault(line.get("id"), line) if "id" in line else client.stray.append(line)
        assert all(heard[i]["result"]["content"][0]["text"] == str(i) for i in ids), f"{who}: {heard}"
        assert known[-1] == "s-2" and len(asked("POST", "initialize")) == 2 and len(asked("POST", "notifications/initialized")) == 2 and len(asked("GET")) == 2, f"{who}: {known}"
        assert any(line.get("method") == "notifications/tools/list_changed" for line in client.stray), client.stray
        assert client.call("echo", text="two")["result"], who  # the gate has looked at its tools again
        SCRIPT["more"] = False
        known.append("forgotten")
        error = client.call("echo", text="last")["error"]
        assert "forgot its session" in error["message"], f"{who}: {error}"
        SCRIPT["more"] = True
        assert client.ask("tools/list")["result"]["tools"] == TOOLS and client.call("echo", text="again")["result"], who  # with the next request it is tried once more


@both_users
def what_a_server_wants_back_comes_back(network, who, uid):
    """Its session, its cursor, its state: whatever they look like."""
    jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"

    def answer(said):
        return said.result(HELLO, Mcp_Session_Id=jwt) if said.what == "initialize" else ordinary(said)
    with Far(network, uid, answer).guard() as client:
        client.begin()
        assert client.ask("tools/list", cursor=jwt)["result"]["tools"] == TOOLS and client.call("echo", text=jwt)["result"]["content"][0]["text"] == jwt, who
        assert asked("POST", "tools/call")[0].fields["mcp-session-id"] == jwt and asked("POST", "tools/list")[0].json["params"]["cursor"] == jwt, who


@both_users
def what_a_bad_server_says_is_an_error_and_the_next_is_heard(network, who, uid):
    big = 5 << 20

    def good(said, text):
        return json.dumps({"jsonrpc": "2.0", "id": said.json["id"], "result": {"content": [{"type": "text", "text": text}]}}).encode()
    ways = {
        "html": (lambda s: s.plain(200, b"<html>", kind="text/html"), "neither JSON nor events"),
        "no type": (lambda s: s.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), "neither JSON nor events"),
        "accepted": (lambda s: s.plain(202), "no answer"),
        "not json": (lambda s: s.plain(200, b"{'a': 1}"), "no message"),
        "a batch": (lambda s: s.plain(200, b"[" + good(s, "x") + b"]"), "it is a list"),
        "twice a member": (lambda s: s.plain(200, good(s, "x")[:-1] + b',"id":1}'), "no message"),
        "a break in a text": (lambda s: s.plain(200, good(s, "x").replace(b'"x"', b'"x\ny"')), "no message"),
        "too long": (lambda s: s.plain(200, good(s, "a" * big)), "longer than"),
        "a line too long": (lambda s: s.events(b"data: " + good(s, "a" * big) + b"\n\n"), "longer than"),
        "an endless line": (lambda s: [s.events(end=False), [s.event(b"data: " + b"x" * 65536) for _ in range(100)]], "longer than"),
        "another's answer": (lambda s: s.plain(200, b'{"jsonrpc":"2.0","id":12345678,"result":{}}'), "no answer"),
        "compressed": (lambda s: s.plain(200, b"xx", Content_Encoding="gzip"), "neither JSON nor events"),
        "broken chunks": (lambda s: s.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"), "before it had answered|502"),
        "cut": (lambda s: s.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"), "before it had answered"),
        "no http": (lambda s: s.raw(b"220 mail.example.com ESMTP\r\n"), "502|before it had answered"),
        "closed": (lambda s: None, "502|before it had answered"),
        "away": (lambda s: s.plain(307, Location="https://six.test/mcp"), "not followed: https://six.test/mcp"),
        "away for good": (lambda s: s.plain(301, Location="http://open.test/mcp\x1b[2J"), "not followed|502"),
        "unauthorized": (lambda s: s.plain(401, b'{"error":"invalid_token","error_description":"expired\\u001b[2J"}', WWW_Authenticate="Bearer"), "HTTP 401"),
        "broken": (lambda s: s.plain(500, b"<html>oops"), "HTTP 500"),
        "session gone": (lambda s: s.plain(404, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}'), "HTTP 404"),
        "switch": (lambda s: s.raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), "502|before it had answered"),
        "no body": (lambda s: s.plain(204), "neither JSON nor events|no answer|before it had"),
    }

    def answer(said):
        if said.what == "tools/call" and (way := ways.get(said.json["params"]["arguments"]["text"])):
            try:
                way[0](said)
            except OSError:
                pass  # it has heard enough
            return False
        return ordinary(said)
    with Far(network, uid, answer).guard() as client:
        client.begin()
        for name, (_, wanted) in ways.items():
            answer_of = client.call("echo", text=name)
            error = answer_of.get("error")
            assert error and any(word in error["message"] for word in wanted.split("|")), f"{who}, {name}: {str(answer_of)[:500]}"
            assert "\x1b" not in json.dumps(error, ensure_ascii=False) and error["data"]["code"], f"{who}, {name}: {error}"
            assert name != "unauthorized" or "`ambit secret login NAME URL`" in error["data"]["hint"], error
            for _ in range(3):  # a server that closes and does not say so may do that just as it is asked again: then nobody knows whether it was done
                behind = client.call("echo", text="well")
                if "error" not in behind or not any(word in behind["error"]["message"] for word in ("before it had answered", "502")):
                    break
            assert behind.get("result", {}).get("content", [{}])[0].get("text") == "well", f"{who}: behind {name}: {behind}"
        assert client.process.poll() is None and not any(s.path != "/mcp" for s in ASKED), who


@both_users
def what_is_odd_and_good_is_heard(network, who, uid):
    def result(said, text="fine"):
        return {"jsonrpc": "2.0", "id": said.json["id"], "result": {"content": [{"type": "text", "text": text}]}}

    def drip(said):
        whole = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\xef\xbb\xbfdata: " + json.dumps(result(said)).encode() + b"\n\n"
        for i in range(len(whole)):
            said.raw(whole[i:i + 1])
        return False
    ways = {
        "pretty": lambda s: s.plain(200, json.dumps(result(s), indent=2).replace("\n", "\r\n").encode(), kind="Application/JSON; charset=utf-8"),
        "crs": lambda s: s.events(b"data: " + json.dumps(result(s)).encode() + b"\r\r"),
        "drip": drip,
        "other kinds": lambda s: s.events(b"event: ping\ndata: {}\n\n", b"event: message\ndata: \n\n", result(s)),
        "continue": lambda s: s.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n") or s.result(result(s)["result"]),
        "twice": lambda s: s.events(result(s), result(s, "again")),
        "refused once": lambda s: s.plain(401) if len([a for a in asked("POST", "tools/call") if a.json["id"] == s.json["id"]]) == 1 else s.result(result(s)["result"]),
        "an error with its id": lambda s: s.plain(400, json.dumps({"jsonrpc": "2.0", "id": s.json["id"], "error": {"code": -32020, "message": "fine"}}).encode()),
    }

    def answer(said):
        if said.what == "tools/call" and (way := ways.get(said.json["params"]["arguments"]["text"])):
            return way(said)
        return ordinary(said)
    with Far(network, uid, answer).guard() as client:
        client.begin()
        for name in ways:
            heard = client.call("echo", text=name)
            assert "fine" in json.dumps(heard) and "again" not in json.dumps(heard), f"{who}, {name}: {heard}"
        assert not client.stray and client.call("echo", text="last")["result"]["content"][0]["text"] == "last", client.stray


@both_users
def many_wait_at_once(network, who, uid):
    """As many as there may be, answered backwards; one that is never answered holds up no other."""
    waiting = []

    def answer(said):
        if said.what != "tools/call":
            return ordinary(said)
        waiting.append(said)
        until(lambda: SCRIPT["go"] and said is not waiting[0])
        return ordinary(said)
    SCRIPT["go"] = False
    with Far(network, uid, answer).guard() as client:
        client.begin()
        client.ask("tools/list")
        ids = range(100, 170)
        client.say(*({"jsonrpc": "2.0", "id": i, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": str(i)}}} for i in ids))
        heard = [client.line() for _ in range(6)]  # those that are too many
        assert all("64 requests are not answered" in line["error"]["message"] for line in heard), f"{who}: {heard}"
        SCRIPT["go"] = True
        heard = {line["id"]: line for line in (client.line() for _ in range(63))}
        assert all(line["result"]["content"][0]["text"] == str(i) for i, line in heard.items()), who
        assert client.ask("ping")["result"] == {}, who


@both_users
def the_token_is_nowhere_but_on_the_way(network, who, uid):
    """Not in a process, a file, a record or an answer: while it is used, and behind it. The server tells it back, too."""
    def answer(said):
        if said.what == "tools/call":
            return said.result({"content": [{"type": "text", "text": f"you are {said.fields['authorization']}"}]})
        return ordinary(said)
    far = Far(network, uid, answer)
    with far.guard() as client:
        client.begin()
        text = client.call("echo", text="x")["result"]["content"][0]["text"]
        assert TOKEN not in text and "***" in text, f"{who}: {text}"
        for place in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(place, "rb") as file:
                    assert TOKEN.encode() not in file.read() or os.path.realpath(f"{os.path.dirname(place)}/exe").endswith("python3"), place
            except OSError:
                pass  # it has ended
        assert client.end() == 0 and TOKEN.encode() not in b"".join(client.err), client.err
    assert ASKED[-1].fields["authorization"] == f"Bearer {TOKEN}", who  # it would have been seen
    for top, _, names in os.walk(far.home):
        for name in names:
            if not os.path.isfile(os.path.join(top, name)):
                continue
            with open(os.path.join(top, name), "rb") as file:
                assert TOKEN.encode() not in file.read(), f"{who}: {top}/{name}"


@in_child
def who_takes_the_bridge_over_reaches_that_address_alone(place):
    network = Network(place)
    away = []
    for who, uid in users(place):
        ambit = copy_executables(place.ambit, f"{network.top}/taken-{uid}")
        shutil.copy(place.given(1), f"{os.path.dirname(ambit)}/ambit-bridge")
        os.chmod(f"{os.path.dirname(ambit)}/ambit-bridge", 0o755)
        far = Far(network, uid, lambda said: said.result({"token": said.fields.get("authorization", "none")}) if said.json and "id" in said.json else said.plain(200, b'{"here":1}'), ambit=ambit)
        if network.is_new:
            away += [serve(network, 444), network.serve_here(Server, 8080, "127.0.0.1")]
        with far.guard() as client:
            said = client.begin()["result"]["instructions"]
        found = dict(line.split("=", 1) for line in said.split("\n") if "=" in line)
        assert found["same"].startswith("200 {.here.:1}"), f"{who}: {said}"
        assert found["own token"].startswith("200") and [s.path for s in ASKED] == ["/mcp", "/mcp"], f"{who}: {said} {[s.path for s in ASKED]}"
        assert all(s.fields["authorization"] == f"Bearer {TOKEN}" for s in ASKED), f"{who}: {[s.fields for s in ASKED]}"  # its own is left out
        for what in ("other path", "above", "other method", "other host"):
            assert found[what].split(" ")[0] in ("400", "403", "421"), f"{who}, {what}: {said}"
        for what in ("other port", "other address", "inner", "another name", "loopback"):
            assert found[what] in ("Connection refused", "Network is unreachable", "no name"), f"{who}, {what}: {said}"
        for what in ("home", "hosts file of the machine"):
            assert found[what] in ("No such file or directory", "Permission denied", "opened") and found[what] != "SECRET", f"{who}, {what}: {said}"
        assert found["own environment"] != "SECRET" and found["own command"] != "SECRET" and found["exec"] in ("No such file or directory", "Permission denied"), f"{who}: {said}"
        network.is_new = False


who_takes_the_bridge_over_reaches_that_address_alone.rooted = who_takes_the_bridge_over_reaches_that_address_alone.either = True


@both_users
def one_that_is_not_who_it_says_gets_nothing(network, who, uid):
    if network.is_new:
        network.other = serve(network, 8443, "other")
    far = Far(network, uid)
    with far.guard(url="https://open.test:8443/mcp") as client:
        answer = client.ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "t", "version": "1"})
        assert "502" in answer["error"]["message"] and not ASKED, f"{who}: {answer}"
    with far.guard() as client:  # the twin
        assert client.begin()["result"] == HELLO and ASKED, who


@both_users
def on_this_machine_it_may_be_plain(network, who, uid):
    """And then no token goes with it."""
    if network.is_new:
        network.near = network.serve_here(Server, 8080, "127.0.0.1")
    far = Far(network, uid)
    status, said = far.refused(url="http://localhost:8080/mcp")
    assert status == 125 and "under TLS only" in said and not ASKED, f"{who}: {said}"
    far.token = ()
    for url in ("http://127.0.0.1:8080/mcp", "http://localhost:8080/mcp?a=b"):
        with far.guard(url=url) as client:
            assert client.begin()["result"] == HELLO and client.call("echo", text="x")["result"], who
        assert ASKED[-1].fields["host"] == "127.0.0.1:8080" and ASKED[-1].path == url[url.index("/mcp"):], ASKED[-1].path


@both_users
def what_was_called_can_be_learned(network, who, uid):
    far = Far(network, uid)
    learned = f"{far.home}/learned.yaml"
    if os.path.exists(learned):
        os.unlink(learned)
    with far.guard("--learn", learned, tools=()) as client:
        client.begin()
        assert client.call("echo", text="well")["result"], who
        assert client.end() == 0, client.err
    with open(learned, encoding="utf-8") as file:
        text = file.read()
    assert "far/echo" in text and "open.test" not in text, text
    with far.guard("--policy", learned, tools=()) as client:
        client.begin()
        assert client.call("echo", text="well")["result"]["content"][0]["text"] == "well", f"{who}: {text}"


@both_users
def words_that_make_no_sense_are_refused(network, who, uid):
    far = Far(network, uid)
    for url in ("http://open.test/mcp", "ftp://open.test/mcp", "open.test/mcp", "https://", "https:///mcp", "https://me:pw@open.test/mcp", "https://open.test/mcp#x", "https://open.test/../x", "https://open.test?x", "https://*.open.test/mcp",
                "https://open.test:0/mcp", "https://open.test/a b", "https://open.test/%2e%2e/x", "https://open.test/" + "a" * 2000, "https://10.0.0.0/8", "http://10.1.2.3/mcp", "https://open.test/mcp?\x1b[2J", ""):
        status, said = far.refused(url=url)
        assert status == 125 and "hint:" in said and "\x1b" not in said, f"{who}, {url}: {said}"
    for words in (("--read", "/usr"), ("--connect", "six.test:443"), ("--env", "HOME"), ("--stage",), ("--base", "system"), ("--", "true"), ("--pins", "far")):
        status, said = far.refused(*words)
        assert status == 125 and "--url" in said, f"{who}, {words}: {said}"
    for words, text in ((("--secret", "none"), "there is no secret 'none'"), (("--secret", "x y"), "")):
        far.token = ()
        status, said = far.refused(*words)
        assert status == 125 and text in said, f"{who}, {words}: {said}"
    expect_ok(network.ambit(uid, "secret", "set", "elsewhere", "--host", "six.test", "--command", "echo x"))
    status, said = far.refused("--secret", "elsewhere")
    assert status == 125 and "is not for open.test" in said, f"{who}: {said}"
    result = network.ambit(uid, "guard", "--secret", "far", "--", "true")
    assert result.returncode == 125 and "--secret is for --url" in result.stderr, told(result)
    assert not ASKED, who


SCENARIOS = [a_session_of_2025_is_one, requests_of_2026_say_in_fields_what_is_in_the_body, a_stream_that_breaks_off_goes_on, a_session_that_was_forgotten_is_begun_again, what_a_server_wants_back_comes_back, what_a_bad_server_says_is_an_error_and_the_next_is_heard, what_is_odd_and_good_is_heard,
             many_wait_at_once, the_token_is_nowhere_but_on_the_way, who_takes_the_bridge_over_reaches_that_address_alone, one_that_is_not_who_it_says_gets_nothing, on_this_machine_it_may_be_plain, what_was_called_can_be_learned,
             words_that_make_no_sense_are_refused]

if __name__ == "__main__":
    main(SCENARIOS)
