#!/usr/bin/env python3
"""Programs that try to get by what a grant with rules or a secret means: requests that servers could read in two ways, other hosts, stolen tokens, and the
secret itself. Raw bytes go in, and a server in the world keeps every byte that comes out: of each attack, and of what is honest beside it.

usage: http_hostile.py AMBIT TAKEN-NET TAKEN-SSH TAKEN-HTTP    (TAP on standard output; as http_rules.py, whose servers it uses, and network_hostile.py)
"""

import base64
import contextlib
import json
import os
import re
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import warnings
import zlib
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from harness import PATIENCE, main, need, told
from http_rules import STOLEN, TOKEN, authority, keep_secret, run, serve
from network import PUBLIC, both_users
from network_hostile import ANY, PLAIN, Victim, bare, beside, command, hostile, reached, serve_all, taken
from network_listen import event

# In the cell. Each row: host, port, the name in the hello, bytes. Prints what was answered until the end of the connection.
CLIENT = """
import base64, json, socket, ssl, sys, zlib
trusting = ssl.create_default_context()
trusting.check_hostname = False  # by the trust of the cell, whatever the hello says
def say(s, data):
    answer = b""
    try:
        s.sendall(data)
    except OSError:
        pass
    try:
        while piece := s.recv(65536):
            answer += piece
    except OSError as e:
        answer += b"" if isinstance(e, ConnectionError) else repr(e).encode()
    return answer
for host, port, name, text in json.loads(zlib.decompress(base64.b64decode(sys.argv[1]))):
    with socket.create_connection((host, port), 20) as s:
        if name is not None:
            try:
                s = trusting.wrap_socket(s, server_hostname=name)
            except ConnectionError:
                print('"reset"')
                continue
        print(json.dumps(say(s, text.encode("latin-1")).decode("latin-1")))
        s.close()
"""


def said(network, uid, grants, rows, script=CLIENT):
    """What each row was answered; rows as the script has them."""
    packed = base64.b64encode(zlib.compress(json.dumps(rows).encode())).decode()
    result = run(network, uid, grants, "python3", "-c", script, packed)
    assert result.returncode == 0, told(result)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == len(rows), told(result)
    return answers


def statuses(answer):
    return [int(s) for s in re.findall(r"HTTP/1\.1 (\d\d\d) [A-Z]", answer)]


class Recorder(socketserver.BaseRequestHandler):
    """Keeps every byte of each connection, and answers each request that is whole."""
    heard, open, changed = [], 0, threading.Condition()

    def handle(self):
        got, answered = bytearray(), 0
        with self.changed:
            Recorder.heard.append(got)
            Recorder.open += 1
        try:
            while piece := self.request.recv(65536):
                got += piece
                whole = requests_of(bytes(got))[0]
                for request in whole[answered:]:
                    self.request.sendall(self.answer(request))
                answered = len(whole)
        except OSError:
            pass
        finally:
            with self.changed:
                Recorder.open -= 1
                self.changed.notify_all()

    def answer(self, request):
        return b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok"

    @classmethod
    def all(cls):
        """What was heard on each connection, when all have ended; and forgets it."""
        with cls.changed:
            assert cls.changed.wait_for(lambda: Recorder.open == 0, PATIENCE)
            heard, Recorder.heard = Recorder.heard, []
        return [bytes(h) for h in heard]


def body_of(fields, raw):
    """(body, what follows it), or None where it is not whole."""
    if fields.get(b"transfer-encoding") != b"chunked":
        n = int(fields.get(b"content-length", b"0"))
        return (raw[:n], raw[n:]) if len(raw) >= n else None
    body = b""
    while b"\r\n" in raw:
        size, raw = raw.split(b"\r\n", 1)
        n = int(size, 16)
        if len(raw) < n + 2:
            return None
        assert raw[n:n + 2] == b"\r\n"
        body, raw = body + raw[:n], raw[n + 2:]
        if n == 0:
            return body, raw
    return None


def requests_of(raw):
    """[(method, target, fields, body)], and what is left. Whatever is not as strict as can be is a failure."""
    found = []
    while b"\r\n\r\n" in raw:
        head, rest = raw.split(b"\r\n\r\n", 1)
        line, *lines = head.split(b"\r\n")
        method, target, version = line.split(b" ")
        assert version == b"HTTP/1.1" and not re.search(rb"[\r\n\0]", line + b"".join(lines)), head
        fields = dict((name.lower(), value) for name, value in (f.split(b": ", 1) for f in lines))
        assert len(fields) == len(lines), head
        body = body_of(fields, rest)
        if body is None:
            break
        found.append((method.decode(), target.decode(), {k.decode(): v.decode("latin-1") for k, v in fields.items()}, body[0]))
        raw = body[1]
    return found, raw


# ---- requests in two ways ----

HIDDEN = "GET /hidden HTTP/1.1\r\nHost: open.test\r\nConnection: close\r\n\r\n"
HOST, LAST = "Host: open.test", "Connection: close"


def ask(line, *fields, body="", host=HOST):
    return "\r\n".join([line + " HTTP/1.1", *([host] if host else []), *fields, "", ""]) + body


def post(n, *fields, body="abc"):
    return ask(f"POST /ok/{n}", *fields, body=body)


def chunks(n, body, *fields):
    return ask(f"POST /ok/{n}", "Transfer-Encoding: chunked", LAST, *fields, body=body)


HONEST = [  # bytes, statuses, the targets that are reached
    (ask("GET /ok/plain", LAST), [200], ["/ok/plain"]),
    (post("length", "Content-Length: 3", LAST), [200], ["/ok/length"]),
    (chunks("chunks", "3\r\nabc\r\n0\r\n\r\n"), [200], ["/ok/chunks"]),
    (chunks("trailer", "3;x=y\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n"), [200], ["/ok/trailer"]),
    (chunks("trailers", "3\r\nabc\r\n0\r\n" + f"Authorization: Bearer {STOLEN}\r\nHost: evil.test\r\nContent-Length: 90\r\nTransfer-Encoding: chunked\r\nX-Original-URL: /hidden\r\n\r\n"), [200],
     ["/ok/trailers"]),
    (ask("GET /ok/one") + ask("GET /ok/two", LAST), [200, 200], ["/ok/one", "/ok/two"]),
    (ask("GET /ok/first") + HIDDEN, [200, 403], ["/ok/first"]),
    (post("hides", f"Content-Length: {len(HIDDEN)}", LAST, body=HIDDEN), [200], ["/ok/hides"]),
    (chunks("hides2", f"{len(HIDDEN):x}\r\n{HIDDEN}\r\n0\r\n\r\n"), [200], ["/ok/hides2"]),
    (ask("GET https://open.test/ok/absolute", LAST), [200], ["/ok/absolute"]),
    ("GET /ok/old HTTP/1.0\r\nHost: open.test\r\n\r\n", [200], ["/ok/old"]),
    (ask("GET /ok/query?a=%0d%0aX-Injected:%201", LAST), [200], ["/ok/query?a=%0d%0aX-Injected:%201"]),
    (ask("GET /ok/many", "Connection: keep-alive, close"), [200], ["/ok/many"]), (ask("MOVE /ok/from", "Destination: https://open.test/ok/to", LAST), [200], ["/ok/from"]),
    (ask("GET /ok/port", LAST, host="Host: OPEN.test:443"), [200], ["/ok/port"]),
    (ask("GET /ok/h2c", "Connection: Upgrade, HTTP2-Settings, close", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), [200], ["/ok/h2c"]),
    (ask("GET /ok/socket", "Connection: Upgrade, close", "Upgrade: websocket"), [200], ["/ok/socket"]),
    (post("below", "Content-Length: 3", "Content_Length: 90", "Transfer_Encoding: chunked", LAST), [200], ["/ok/below"]),
]
SMUGGLED = "0\r\n\r\n" + HIDDEN
TWO_WAYS = [  # heads that are refused, each as the only one of a connection
    *(post("both", *fields, body=SMUGGLED) for fields in (("Content-Length: 60", "Transfer-Encoding: chunked"), ("Transfer-Encoding: chunked", "Content-Length: 5"))),
    *(post("coding", *fields, body=SMUGGLED) for fields in (
        ["Transfer-Encoding: xchunked"], ["Transfer-Encoding: chunked, identity"], ["Transfer-Encoding: identity, chunked"], ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding : chunked"], ["Transfer-Encoding\t: chunked"], [" Transfer-Encoding: chunked"], ["Transfer-Encoding:", " chunked"], ["X: y\nTransfer-Encoding: chunked"],
        ["X: y\rTransfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "transfer-encoding: identity"],
        ["Transfer-Encoding: \x0bchunked"], ["Transfer-Encoding: \"chunked\""], ["Transfer-Encoding: chunked;q=1"], ["Transfer-Encoding: chunked,"], ["Transfer-Encoding:"],
        ["Transfer-Encoding: chunked\0"], ["Transfer-Encoding: \xa0chunked"])),
    *(post("length", *fields) for fields in (
        ["Content-Length: +3"], ["Content-Length: -3"], ["Content-Length: 3,3"], ["Content-Length: 0x3"], ["Content-Length: 3 3"], ["Content-Length:"], ["Content-Length: 3", "Content-Length: 3"],
        ["Content-Length: 3", "content-length: 90"], ["Content-Length: 1000000000000000000"], ["Content-Length: 18446744073709551619"], ["Content-Length: 3\x0b"], ["Content-Length: 3;"])),
    *(ask("GET /ok/line", field, LAST) for field in (
        "X: a\n", "X: a\nY: b", "X: a\r", "X: a\rY: b", "X: a\r\r\nY: b", "X: a\r\n folded", "X: a\r\n\tfolded", "no colon", ": no name", "a b: c", "X\x00: a", "X: \x00", "X: \x7f", "X: \x1b[m", "\xe9: a")),
    *(ask("GET /ok/hop", f"Connection: {words}") for words in ("authorization", "close, Authorization", "content-length", "cookie", "x-y", "host", "close,,transfer-encoding")),
    ask("GET /ok/lf").replace("\r\n", "\n"), ask("GET /ok/first-line").replace("\r\n", "\n", 1), "\r\n" + ask("GET /ok/empty-line"), "\n" + ask("GET /ok/empty-line"),
    *(f"{line}\r\n{HOST}\r\n{LAST}\r\n\r\n" for line in (
        "GET  /ok/a HTTP/1.1", "GET\t/ok/a HTTP/1.1", " GET /ok/a HTTP/1.1", "get /ok/a HTTP/1.1", "GET /ok/a", "GET /ok/a HTTP/0.9", "GET /ok/a HTTP/2.0", "GET /ok/a HTTP/1.2", "GET /ok/a http/1.1",
        "GET /ok/a HTTP/1.10", "GET /ok/a HTTP/01.1", "GET /ok/a HTTP/1.1 ", "GET /ok/a HTTP/1.1 HTTP/1.1", "GET /ok/a\x00 HTTP/1.1", "GET /ok/a# HTTP/1.1", "GET /ok/\xe9 HTTP/1.1", "GET ok/a HTTP/1.1",
        "GET * HTTP/1.1", "OPTIONS * HTTP/1.1", "GET open.test:443 HTTP/1.1", "CONNECT open.test:443 HTTP/1.1", "GET https://open.test HTTP/1.1", "GET https://a@open.test/ok/a HTTP/1.1",
        "GET https://evil.test/ok/a HTTP/1.1", "GET ftp://open.test/ok/a HTTP/1.1", "GET /ok/a%0d%0aX:%20y HTTP/1.1", "GET /ok/a%00 HTTP/1.1", "GET /ok/../hidden HTTP/1.1", "GET /ok/%2e%2e/hidden HTTP/1.1",
        "GET /ok/%252e%252e/hidden HTTP/1.1", "GET /ok\\..\\hidden HTTP/1.1", "GET /ok//hidden HTTP/1.1", "GET //open.test/ok/a HTTP/1.1", "GET /ok/%zz HTTP/1.1", "GET /ok/a?b=%zz HTTP/1.1")),
    *(ask("GET /ok/another", f"{field}: {value}", LAST) for field, value in (
        ("X-HTTP-Method-Override", "DELETE"), ("x_http_method_override", "DELETE"), ("X.HTTP!Method.Override", "DELETE"), ("X-HTTP-Method", "DELETE"), ("X-Method-Override", "PUT"), ("X-Original-URL", "/hidden"), ("X-Rewrite-URL", "/hidden"))),
    *(ask(f"GET /ok/another?{query}", LAST) for query in (
        "_method=DELETE", "a=b&X-HTTP-Method-Override=DELETE", "a=b;_method=DELETE", "a=b;%5Fmethod=DELETE", ".method=DELETE", "+_method=DELETE", "[_method]=DELETE", "_method[]=DELETE", "method=delete")),
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\r\n\r\n", ask("GET /ok/hosts", host=""), ask("GET /ok/hosts", "Host: open.test"), ask("GET /ok/hosts", "Host: evil.test"),
]
MISDIRECTED = [ask("GET /ok/host", LAST, host=f"Host: {host}") for host in (
    "evil.test", "open.test:80", "open.test:0443", "open.test.", "a@open.test", "open.test@evil.test", "evil.test, open.test", "", "open.test evil.test", "xopen.test", "93.184.216.34", "open.test:443:443",
    "open.test/ok", "[open.test]")] + [ask("GET https://evil.test/ok/a", LAST, host="Host: evil.test")]
ELSEWHERE = [ask("MOVE /ok/from", *fields, LAST) for fields in (["Destination: https://open.test/hidden"], ["Destination: /hidden"], ["destination: /ok/to", "DESTINATION: /hidden"])]
CHUNKS = [chunks("cut", body) for body in (
    "3 \r\nabc\r\n" + SMUGGLED, "0x3\r\nabc\r\n" + SMUGGLED, "+3\r\nabc\r\n" + SMUGGLED, "-1\r\n" + SMUGGLED, "3\nabc\r\n" + SMUGGLED, "\r\n" + SMUGGLED, "3\r\nabcd\r\n" + SMUGGLED,
    "3\r\nabc\n" + SMUGGLED, "3\r\nabc" + SMUGGLED, "1" * 16 + "\r\n" + SMUGGLED, "g\r\n" + SMUGGLED, "3;a\nb\r\nabc\r\n" + SMUGGLED, "3;a\r\r\nabc\r\n" + SMUGGLED, "3\r\nabc\r\n0\n\n" + HIDDEN,
    "3\r\nabc\r\n0\r\n" + HIDDEN, "3\r\nabc\r\n0\r\nX: a\n\r\n" + HIDDEN, "3\r\nabc\r\n0\r\n X: a\r\n\r\n" + HIDDEN, "3\r\nabc\r\n0\r\n\n" + HIDDEN, "3\r\nabc\r\n0\r\n\r" + HIDDEN)]


def is_ours(request):
    """As the door writes it: nothing of what the program says of the connection is in it, and the secret once."""
    _, _, fields, _ = request
    strange = {k for k in fields if k.replace("_", "-") in ("keep-alive", "proxy-connection", "te", "trailer", "http2-settings", "transfer-encoding", "content-length")} - \
        {"transfer-encoding", "content-length"}
    upgrade = fields.get("connection"), fields.get("upgrade")
    return fields.get("authorization") == f"Bearer {TOKEN}" and fields["host"].lower() in ("open.test", "open.test:443") and not strange and \
        not {"transfer-encoding", "content-length"} <= set(fields) and upgrade in ((None, None), ("upgrade", "websocket"))


@both_users
def what_servers_could_read_in_two_ways_reaches_none(network, who, uid):
    """By HTTP/1: smuggled requests, other hosts, fields of the connection, chunks that are none. What is honest comes whole, written anew."""
    need("openssl")
    if network.is_new:
        serve(network, handler=Recorder)
    keep_secret(network, uid)
    refused = [(row, [400]) for row in TWO_WAYS] + [(row, [421]) for row in MISDIRECTED] + [(row, [403]) for row in CHUNKS + ELSEWHERE]
    rows = [(row, want) for row, want, _ in HONEST] + refused
    got = said(network, uid, ["open.test:443 http='GET /ok/**, POST /ok/**, MOVE /ok/**' secret=provider"], [("open.test", 443, "open.test", row) for row, _ in rows])
    wrong = [(row, want, answer) for (row, want), answer in zip(rows, got) if statuses(answer) != want]
    assert not wrong, f"{who}: " + "\n".join(map(repr, wrong))
    heard = [requests_of(raw) for raw in Recorder.all()]
    whole = [request for requests, _ in heard for request in requests]
    assert sorted(request[1] for request in whole) == sorted(t for _, _, targets in HONEST for t in targets), f"{who}: {whole}"
    assert all(map(is_ours, whole)), f"{who}: {[r for r in whole if not is_ours(r)]}"
    assert sorted(r[3].decode() for r in whole if r[3]) == sorted(["abc"] * 5 + [HIDDEN] * 2), f"{who}: {whole}"
    rests = [rest for _, rest in heard if rest]
    assert all(rest.startswith(b"POST /ok/cut ") and b"hidden" not in rest for rest in rests), f"{who}: {rests}"


# ---- other hosts ----


def check(who, rows, got):
    """Each row: what is sent, the statuses, ..."""
    wrong = [(row[:2], answer) for row, answer in zip(rows, got, strict=True) if statuses(answer) != row[1]]
    assert not wrong, f"{who}: " + "\n".join(map(repr, wrong))


def targets():
    """Of all that was heard, which is nothing but whole requests."""
    heard = [requests_of(raw) for raw in Recorder.all()]
    assert not any(rest for _, rest in heard), heard
    return sorted(request[1] for requests, _ in heard for request in requests)


FRONTS = [  # host, port, the name in the hello, bytes; statuses; targets
    (("open.test", 443, "evil.test", ask("GET /ok/hello", LAST)), [], []),
    (("open.test", 443, "evil.test", ask("GET /ok/a", LAST, host="Host: evil.test")), [], []),
    (("open.test", 443, "open.test", ask("GET /ok/hello", LAST)), [200], ["/ok/hello"]),
    (("open.test", 443, "open.test", ask("GET /ok/1") + ask("GET /ok/a", host="Host: evil.test") + ask("GET /ok/b", host="Host: a.open.test") + ask("GET /ok/2", LAST)),
     [200, 421, 421, 200], ["/ok/1", "/ok/2"]),
    (("a.open.test", 444, "a.open.test", ask("GET /ok/3", LAST, host="Host: a.open.test:444")), [200], ["/ok/3"]),
    (("a.open.test", 444, "b.open.test", ask("GET /ok/a", LAST, host="Host: b.open.test:444")), [], []),
    (("a.open.test", 444, "a.open.test", ask("GET /ok/4", host="Host: a.open.test:444") + ask("GET /ok/a", LAST, host="Host: open.test:444")), [200, 421], ["/ok/4"]),
    (("a.open.test", 444, "a.open.test", ask("GET /ok/a", LAST, host="Host: a.open.test")), [421], []),
]


@both_users
def a_connection_is_to_the_host_that_was_granted(network, who, uid):
    """Whatever the hello and the field Host say, by themselves or one after the other."""
    need("openssl")
    if network.is_new:
        serve(network, handler=Recorder)
        serve(network, 444, handler=Recorder)
    got = said(network, uid, ["open.test:443 http='GET /ok/**'", "*.open.test:444 http='GET /ok/**'"], [row for row, *_ in FRONTS])
    check(who, FRONTS, got)
    assert targets() == sorted(t for *_, reached in FRONTS for t in reached), who


class Plain(socketserver.BaseRequestHandler):
    """Speaks no TLS, and keeps what it was told."""
    heard = bytearray()

    def handle(self):
        self.request.sendall(b"HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n")
        while piece := self.request.recv(65536):
            Plain.heard += piece


def old_context(protocol):
    context = ssl.SSLContext(protocol)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():  # of what we know
        warnings.simplefilter("ignore")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return context


class Old(Recorder):
    """Speaks TLS as it was."""
    top, shaken = None, []

    def handle(self):
        context = old_context(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.top}/good.pem", f"{self.top}/good.key")
        with contextlib.suppress(OSError), context.wrap_socket(self.request, server_side=True) as self.request:
            Old.shaken.append(self.request.version())
            super().handle()


@both_users
def a_secret_goes_to_nobody_who_did_not_prove_to_be_the_host(network, who, uid):
    """Not to another's certificate, to one of its own, by TLS as it was, or plain; nor by a plain connection of the program."""
    need("openssl")
    if network.is_new:
        Old.top = authority(network)
        for port, certificate in (443, "good"), (444, "other"), (445, "self"):
            serve(network, port, certificate, Recorder)
        network.serve(Old, 446, PUBLIC)
        network.serve(Plain, 447, PUBLIC)
    keep_secret(network, uid)
    context = old_context(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((PUBLIC, 446), PATIENCE) as raw, context.wrap_socket(raw) as s:  # the twin: it does speak that
        s.sendall(ask("GET /ok/twin").encode())
        assert s.version() == "TLSv1.1" and s.recv(9) == b"HTTP/1.1 "
    assert Old.shaken == ["TLSv1.1"] and b"twin" in Recorder.all()[0]
    Old.shaken.clear()
    rows = [(("open.test", port, name, ask(f"GET /ok/{port}-{name}", LAST, host=f"Host: open.test:{port}")), [want])
            for port, name, want in ((443, "open.test", 200), (443, None, 403), *((port, "open.test", 502) for port in (444, 445, 446, 447)))]
    got = said(network, uid, [f"open.test:{port} http='GET /ok/**' secret=provider" for port in range(443, 448)], [row for row, _ in rows])
    check(who, rows, got)
    assert "under TLS only" in got[1] and "403" in got[1] and "ask by https" in got[1] and all("did not prove" in answer for answer in got[2:]), f"{who}: {got}"
    result = run(network, uid, ["*:443 secret=provider"], "true")  # nor is it anybody's
    assert result.returncode == 125 and "would go to any host" in result.stderr and "hint: name the hosts" in result.stderr, f"{who}: {told(result)}"
    assert targets() == ["/ok/443-open.test"] and Old.shaken == [] and b"\x16" in Plain.heard and TOKEN.encode() not in Plain.heard, f"{who}: {Plain.heard}"


# ---- stolen tokens ----

LAIN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
DROPS = object()


def with_body(line, body):
    return line, [f"Content-Length: {len(body)}"], body


def in_single_bytes(line, body):
    return line, ["Transfer-Encoding: chunked"], "".join(f"1\r\n{c}\r\n" for c in body) + "0\r\n\r\n"


def as_form(row):
    line, fields, body = row
    return line, ["Content-Type: application/x-www-form-urlencoded", *fields], body


BROUGHT = [  # a request, and what comes of it where credentials are to refuse, replace, pass: a status, or it passes without them
    (("GET /ok/honest", [], ""), (200, 200, 200)), (("GET /ok/holder", ["Authorization: Bearer ambit:provider"], ""), (DROPS, DROPS, DROPS)),
    (("GET /ok/a", [f"Authorization: Bearer {STOLEN}"], ""), (403, DROPS, DROPS)), (("GET /ok/a", [f"AUTHORIZATION: {LAIN}"], ""), (403, DROPS, DROPS)),
    *((("GET /ok/a", [f"{name}: {STOLEN}"], ""), (403, DROPS, 200)) for name in ("X-Api-Key", "x_api_key", "X.Api.Key", "Cookie", "Proxy-Authorization", "Private-Token")),
    (("GET /ok/a", [f"X-Note: see {LAIN}"], ""), (403, 403, 200)), (("GET /ok/a", [f"{LAIN}: 1"], ""), (403, 403, 200)),
    *(((f"GET /ok/a?{query}", [], ""), (403, DROPS, 200)) for query in (f"access_token={STOLEN}", f"a=1&access%5Ftoken={STOLEN}", f"ACCESS_TOKEN={STOLEN}&b=2", f"a=1;access_token={STOLEN}",
                                                                            f"a=1;access%5Ftoken={STOLEN}", f"access.token={STOLEN}", f"access_token[]={STOLEN}", f"[access_token]={STOLEN}")),
    *(((f"GET /ok/a?{query}", [], ""), (403, 403, 200)) for query in (f"q={LAIN}", f"q=%67{LAIN[1:]}", LAIN)),
    ((f"GET /ok/{LAIN}", [], ""), (403, 403, 200)), ((f"GET /ok/%67{LAIN[1:]}", [], ""), (403, 403, 200)),
    (with_body("POST /ok/a", f'{{"note":"{LAIN}"}}'), (403, 403, 200)), (in_single_bytes("POST /ok/a", f"note={LAIN}&x=y"), (403, 403, 200)),
    (as_form(with_body("POST /ok/a", f"a=1&access_token={STOLEN}")), (403, 403, 200)), (as_form(in_single_bytes("POST /ok/a", f"a;Access%5Ftoken[]={STOLEN}")), (403, 403, 200)),
    (as_form(with_body("POST /ok/a", "a=1&_method=DELETE")), (403, 403, 403)),
    *((as_form(with_body("POST /ok/a", f"a=1&{before}_method=DELETE")), (403, 403, 403)) for before in ("]", "%5D[", "+" * 64)),
    ((f"GET https://{STOLEN}@open.test/ok/a", [], ""), (400, 400, 400)), ((f"GET https://user:{LAIN}@open.test/ok/a", [], ""), (400, 400, 400)),
]


@both_users
def a_stolen_token_passes_as_the_grant_says_or_not_at_all(network, who, uid):
    """In a field, a cookie, a parameter, a path, a body, before a host."""
    need("openssl")
    policies = ("refuse", "replace", "pass")
    if network.is_new:
        for port in range(443, 446):
            serve(network, port, handler=Recorder)
    keep_secret(network, uid)
    rows = []
    for i, policy in enumerate(policies):
        for n, ((line, fields, body), wants) in enumerate(BROUGHT):
            want = wants[i]
            text = ask(line, f"X-Row: {policy}-{n}", LAST, *fields, body=body, host=f"Host: open.test:{443 + i}")
            rows.append((("open.test", 443 + i, "open.test", text), [200 if want is DROPS else want], f"{policy}-{n}", want is DROPS, policy))
    got = said(network, uid, [f"open.test:{443 + i} http='GET /ok/**, POST /ok/**' secret=provider {f'credentials={policy}' if i else ''}" for i, policy in enumerate(policies)], [row[0] for row in rows])
    check(who, rows, got)
    heard = Recorder.all()
    whole = {request[2]["x-row"]: (request, raw) for raw in heard for request in requests_of(raw)[0]}
    assert set(whole) == {row for _, want, row, *_ in rows if want == [200]}, f"{who}: {set(whole)}"
    for _, _, row, drops, policy in rows:
        if row in whole:
            (_, _, fields, body), raw = whole[row]
            brought = any(text.encode() in raw.replace(b"%67", b"g") or text.encode() in body for text in (STOLEN, LAIN))
            honest = row in (f"{policy}-0", f"{policy}-1")
            assert fields["authorization"] == f"Bearer {TOKEN}" and brought == (not drops and not honest), f"{who}, {row}: {raw}"
    assert not any(LAIN.encode() in body_so_far(raw) for raw in heard if b"X-Row: pass" not in raw), f"{who}: {heard}"


def body_so_far(raw):
    """Without the lines of chunks, whole or not."""
    return re.sub(rb"\r\n1\r\n|\r\n", b"", raw)


# ---- what nobody would judge ----


@both_users
def a_document_is_judged_whole_and_alone(network, who, uid):
    """Not beside another in the target, not with a token in it, and nothing comes behind it that nobody judges."""
    need("openssl")
    if network.is_new:
        serve(network, handler=Recorder)
    keep_secret(network, uid)

    def document(text, line="POST /g", fields=("Content-Type: application/json",)):
        return ask(line, *fields, f"Content-Length: {len(text)}", LAST, body=text)
    me, kill = '{"query":"{ me { name } }"}', "mutation%20%7B%20kill%20%7D"
    form, plain = "{ me } #&query=mutation{kill}", "Content-Type: application/graphql"  # a document, and a form
    seven = '{"query":"{me}","variables":{"a":"+ACI-+AH0-,+ACI-query+ACI-:+ACI-mutation+AHs-kill+AH0-+ACI-,+ACI-b+ACI-:+AHs-+ACI-c+ACI-:+ACI-"}}'  # another in UTF-7
    assert json.loads(seven)["query"] == "{me}" and dict(json.loads(seven.encode().decode("utf-7"), object_pairs_hook=list))["query"] == "mutation{kill}"  # the last counts
    two_types = [document(form, fields=fields) for fields in ((plain, "Content-Type: application/x-www-form-urlencoded"), ("content_type: application/x-www-form-urlencoded", plain), (f"{plain}, text/plain",))]
    encoded = [document(seven, fields=[f"Content-Type: application/json;{more}"]) for more in (" charset=utf-7", 'charset="utf-7"', " charset=utf-8; charset=utf-7", "a=b")] + \
        [document(me, fields=("Content-Type: application/json", f"{name}: deflate")) for name in ("Content-Encoding", "content_encoding")]
    rows = [((document(me)), [200]), (document(me, "POST /g?op=me"), [200]), (document(me, f"POST /g?query={kill}"), [400]), (document(me, f"POST /g?a=1;query={kill}"), [400]),
            *((document(me, f"POST /g?{name}={kill}"), [400]) for name in ("%71uery", "QUERY", "+query", "[query]", "query[]", "documentid")),
            *((text, [415]) for text in two_types + encoded), (document(form, fields=[plain]), [200]), (document(seven), [200]), (document(me, fields=['Content-Type: application/JSON ; Charset="UTF-8"']), [200]),
            (document('{"query":"mutation { kill }"}'), [403]),
            (document(f'{{"query":"{{ me(name: \\"{LAIN}\\") {{ name }} }}"}}'), [403]), (ask("GET /g?query=%7Bme%7D", LAST), [200]), (ask(f"GET /g?query={kill}", LAST), [403]),
            (ask("GET /g?query=%7Bme%7D", "Connection: Upgrade, close", "Upgrade: websocket"), [200]), (ask("GET /g", "Connection: Upgrade, close", "Upgrade: websocket"), [403])]
    got = said(network, uid, ["open.test:443 http='GRAPHQL /g' graphql='query *' secret=provider"], [("open.test", 443, "open.test", row) for row, _ in rows])
    check(who, rows, got)
    whole = [request for raw in Recorder.all() for request in requests_of(raw)[0]]
    assert sorted(r[1] for r in whole) == sorted(["/g"] * 4 + ["/g?op=me", "/g?query=%7Bme%7D", "/g?query=%7Bme%7D"]) and not any("upgrade" in r[2] for r in whole), f"{who}: {whole}"
    wipe = '{"query":"mutation { kill }"}'  # at the same path, as servers write it
    rows = [(document(wipe, f"POST /{path}"), [want]) for path, want in (("g", 403), ("G", 403), ("g/", 403), ("g.json", 403), ("G/x", 403), ("g%20", 403), ("gg", 200), ("x/g", 200))]
    got = said(network, uid, ["open.test:443 http='GRAPHQL /g, POST /**' graphql='query *'"], [("open.test", 443, "open.test", row) for row, _ in rows])
    check(who, rows, got)
    assert targets() == ["/gg", "/x/g"], who


# ---- forms ----

FORM = "application/x-www-form-urlencoded"


def form(n, text, *fields, kind=FORM, **more):
    return ask(f"POST /ok/{n}", f"Content-Type: {kind}", f"Content-Length: {len(text)}", LAST, *fields, body=text, **more)


FORMED = f"token={TOKEN}"
FORMS = [  # bytes; the status; what the host has as a body
    (form("plain", "a=b"), 200, f"a=b&{FORMED}"), (form("none", ""), 200, FORMED), (form("anew", "a+b=%2525&&c;d"), 200, f"a%20b=%2525&c%3Bd=&{FORMED}"),
    (ask("POST /ok/chunks", f"Content-Type: {FORM}", "Transfer-Encoding: chunked", LAST, body="1\r\na\r\n2;x\r\n=b\r\n0\r\nX: y\r\n\r\n"), 200, f"a=b&{FORMED}"),
    (form("holder", "token=ambit:provider&b=c"), 200, f"b=c&{FORMED}"), (form("hides", "a=" + quote(HIDDEN)), 200, "a=" + quote(HIDDEN, safe="") + f"&{FORMED}"),
    (ask("GET /ok/asks?a=b", LAST), 200, ""), (ask("GET /ok/asks?token=mine", LAST), 403, None), (form("asks?token=mine", "a=b"), 403, None),
    (form("asks?token=ambit:provider&c=d", "a=b"), 200, f"a=b&{FORMED}"), (form("charset", "a=b", kind=f"{FORM};charset=UTF-8"), 200, f"a=b&{FORMED}"),
    # in the place of the secret
    *((form("own", text), 403, None) for text in (f"token={STOLEN}", "%74oken=x", "TOKEN=x", "+token=x", "token[]=x", "token%5B0%5D=x", "a=b&token", "]token=x", "[%5Dtoken=x")),
    *((form("twice", text), 400, None) for text in ("token=ambit:provider&token=ambit:provider", "token=ambit:provider&Token[]=ambit:provider")),
    *((form("odd", text), 400, None) for text in ("token%00x=y", "%C1%B4oken=y", "a=%zz", "a=%", "a=b c", "a=b\r\n", "a=\xe9", "_charset_=utf-7", "_method=DELETE", "]_method=DELETE")), (form("odd", "a" * 9000), 413, None),
    # other credentials
    *((form("lain", text), 403, None) for text in (f"client_secret={STOLEN}", f"a={LAIN}", f"a=%67{LAIN[1:]}", f"{LAIN}=a", "a=b;access_token=x")),
    # what is no form, or says so
    *((form("kind", "a=b", kind=kind), 415, None) for kind in ("application/json", "text/plain", "multipart/form-data; boundary=a", f"{FORM}; charset=utf-16", f"{FORM}; charset=utf-7", f"{FORM}, text/plain",
                                                               f"{FORM}; a=b", "")),
    (form("kinds", "a=b", "Content-Type: application/json"), 415, None), (form("kinds", "a=b", "content_type: application/json"), 415, None),
    *((form("coded", "a=b", f"Content-Encoding: {coding}"), 415, None) for coding in ("gzip", "identity")),
    (ask("POST /ok/no", LAST), 415, None), (ask("PUT /ok/no", LAST), 403, None), (ask("GET /ok/no", "Content-Length: 3", LAST, body="a=b"), 415, None),
    (form("large", "a=1&" * 16384), 200, "a=1&" * 16384 + FORMED), (form("large", "a=1&" * 16384 + "b"), 413, None),
    # and by HTTP/1 alone
    (form("cut", "a=b&" + HIDDEN).replace(f"Content-Length: {len(HIDDEN) + 4}", "Content-Length: 3"), 200, f"a=b&{FORMED}"),
    (form("socket", "a=b", "Connection: Upgrade, close", "Upgrade: websocket"), 200, f"a=b&{FORMED}"),
]


@both_users
def a_form_is_read_in_one_way_or_not_at_all(network, who, uid):
    """The secret stands in it once, in its place, whatever else the program sends; beside one that says who asks."""
    need("openssl")
    if network.is_new:
        serve(network, handler=Recorder)
    keep_secret(network, uid)
    keep_secret(network, uid, "odd", ODD)
    rows = [(("open.test", 443, "open.test", row), [status]) for row, status, _ in FORMS]
    got = said(network, uid, ["open.test:443 http='GET /ok/**, POST /ok/**' secret='provider as form:token, odd as basic:me'"], [row for row, _ in rows])
    check(who, rows, got)
    heard = [requests_of(raw) for raw in Recorder.all()]
    whole = [request for requests, _ in heard for request in requests]
    assert not any(rest for _, rest in heard) and [r[3].decode() for r in whole] == [body for *_, body in FORMS if body is not None], f"{who}: {whole}"
    basic = "Basic " + base64.b64encode(f"me:{ODD}".encode()).decode()
    for method, target, fields, body in whole:
        assert fields["authorization"] == basic and fields["content-length" if method == "POST" else "host"] and "upgrade" not in fields, f"{who}: {fields}"
        assert (fields["content-type"], int(fields["content-length"])) == (FORM, len(body)) if method == "POST" else "content-type" not in fields, f"{who}: {fields}"


# ---- reading the secret ----

ODD = "s3/cr\"t\\Tok+en=0123 4567"
SHOWN = "a-marker/of what+is shown"


def told_back(kind, raw):
    """An answer that has in it what was received."""
    body = {"percent": quote(raw, safe=""), "lower": re.sub("%..", lambda m: m[0].lower(), quote(raw, safe="")), "json": json.dumps(raw), "slashes": json.dumps(raw).replace("/", "\\/"),
            "form": quote_plus(raw), "browser": quote_plus(raw, safe="*").replace("~", "%7E"), "script": quote(raw, safe="!'()*")}.get(kind, raw)
    plain = f"Content-Length: {len(body)}\r\n\r\n{body}"
    single = "Transfer-Encoding: chunked\r\n\r\n" + "".join(f"1\r\n{c}\r\n" for c in body)
    return {"field": f"HTTP/1.1 200 OK\r\nX-Echo: {raw}\r\nLocation: https://six.test/?{raw}\r\nSet-Cookie: a={raw}\r\nContent-Length: 0\r\n\r\n",
            "reason": f"HTTP/1.1 200 {raw}\r\nContent-Length: 0\r\n\r\n", "error": f"HTTP/1.1 500 No\r\n{plain}", "bytes": f"HTTP/1.1 200 OK\r\n{single}0\r\n\r\n",
            "name": "HTTP/1.1 200 OK\r\n" + "".join(f"{word}: 1\r\n" for word in set(re.findall(r"[\w-]+", raw))) + "Content-Length: 0\r\n\r\n",
            "trailer": f"HTTP/1.1 200 OK\r\n{single}0\r\nX-Echo: {raw}\r\n\r\n", "extension": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{len(body):x};{raw}\r\n{body}\r\n0\r\n\r\n",
            "hint": f"HTTP/1.1 103 Hints\r\nLink: {raw}\r\n\r\nHTTP/1.1 200 OK\r\n{plain}", "twice": f"HTTP/1.1 200 OK\r\nContent-Length: {2 * len(body)}\r\n\r\n{body}{body}"
            }.get(kind, f"HTTP/1.1 200 OK\r\n{plain}")


class Echo(Recorder):
    """Tells back what it was told, as the path says."""

    def answer(self, request):
        _, target, fields, body = request
        assert fields.get("accept-encoding") == "identity", fields
        shown = [unquote_plus(body.decode("latin-1")), body.decode("latin-1"), fields.get("authorization", ""), fields.get("x-key", ""), unquote(target) if "key=" in target else "", target if "key=" in target else "", fields["x-marker"]]
        return told_back(target.split("?")[0].rsplit("/", 1)[1], " | ".join(shown)).encode("latin-1")


def forms_of(secret):
    """As any of its bytes could be read."""
    basic = base64.b64encode(f"me:{secret}".encode()).decode().rstrip("=")
    plain = [secret, basic, basic.replace("+", "-").replace("/", "_")]
    return {form.lower() for text in plain for form in (text, quote(text, safe=""), quote_plus(text), quote_plus(text, safe="*").replace("~", "%7E"), quote(text, safe="!'()*"), json.dumps(text)[1:-1], json.dumps(text)[1:-1].replace("/", "\\/"))}


KINDS = ("body", "field", "reason", "error", "bytes", "name", "percent", "lower", "json", "slashes", "form", "browser", "script", "trailer", "extension", "hint", "twice")


@both_users
def what_a_host_tells_back_has_no_secret_in_it(network, who, uid):
    """As it is, as Basic, encoded for addresses and in JSON: in bodies, fields, their names, reasons, in single bytes. What else it tells comes as it is."""
    need("openssl")
    if network.is_new:
        for port in range(443, 448):
            serve(network, port, handler=Echo)
    keep_secret(network, uid)
    keep_secret(network, uid, "odd", ODD)
    grants = ["secret=provider", "secret='odd as basic:me'", "secret='odd as header:x-key'", "secret='odd as query:key'", "secret='provider, odd as form:key'"]
    rows = [("open.test", 443 + i, "open.test", ask(f"{'POST' if 'form' in grants[i] else 'GET'} /{kind}", f"X-Marker: {SHOWN}", "Accept-Encoding: gzip, br", f"Content-Type: {FORM}", LAST,
                                                    host=f"Host: open.test:{443 + i}"))
            for i in range(len(grants)) for kind in KINDS if kind != "name" or i == 0]  # the others are no names
    got = said(network, uid, [f"open.test:{443 + i} {grant}" for i, grant in enumerate(grants)], rows)
    heard = b"".join(Recorder.all())
    for secret, times in (TOKEN, 2 * len(KINDS) - 1), *((text, len(KINDS) - 1) for text in (f"x-key: {ODD}", base64.b64encode(f"me:{ODD}".encode()).decode(), "?key=" + quote(ODD, safe=""),
                                                                                            "\r\nkey=" + quote(ODD, safe=""))):
        assert heard.count(secret.encode()) == times, f"{who}: {heard}"  # the twin: it was all there to be told
    for row, answer in zip(rows, got):
        head, _, body = answer.partition("\r\n\r\n")
        chunked = {b"transfer-encoding": b"chunked"} if "transfer-encoding: chunked" in head else {b"content-length": b"%d" % len(body)}
        whole = body_of(chunked, body.encode("latin-1"))[0].decode("latin-1") + answer
        assert statuses(answer) or " 200 " in answer, f"{who}, {row}: {answer}"
        assert not any(form in whole.lower() for secret in (TOKEN, ODD) for form in forms_of(secret)), f"{who}, {row}: {answer}"
        shown = ("marker" if "/name " in row[3] else quote(SHOWN, safe="") if "/percent " in row[3] else "marker%2fof%20what%2b" if "/lower " in row[3] else
                 SHOWN.replace("/", "\\/") if "/slashes " in row[3] else quote_plus(SHOWN) if "/form " in row[3] or "/browser " in row[3] else quote(SHOWN, safe="") if "/script " in row[3] else SHOWN)
        assert shown in whole and "****" in whole, f"{who}, {row}: {answer}"


# In the cell: a host tells back what it is told, at once. Whether a beginning of the secret comes back otherwise than other text. The texts are given turned round.
GUESSES = """
import json, socket, ssl, sys, time
secret, other = (text[::-1].encode() for text in sys.argv[1:])
def begin(path, fields=""):
    s = ssl.create_default_context().wrap_socket(socket.create_connection(("open.test", 443), 20), server_hostname="open.test")
    s.sendall(f"GET {path} HTTP/1.1\\r\\nHost: open.test\\r\\n{fields}\\r\\n".encode())
    head = b""
    while not head.endswith(b"\\r\\n\\r\\n"):
        head += s.recv(1)
    return s, head[9:12].decode()
s, status = begin("/ok/echo", "Connection: upgrade\\r\\nUpgrade: websocket\\r\\n")
def back(text, n, patience):
    s.sendall(text)
    got = b""
    s.settimeout(patience)
    try:
        while len(got) < n:
            got += s.recv(n - len(got))
    except TimeoutError:
        pass
    return got
def frame(text, more=0):
    return bytes([0x81, len(text) + more]) + text
def echo(text, more=0):
    return back(frame(text, more), 2 + len(text), PATIENCE if more == 0 else 0.3)
strange = [n for n in (1, 2, 9, len(secret) - 1) for text in (secret, other) if echo(b" " + text[:n]) != frame(b" " + text[:n])]
whole = echo(b" " + secret + b"|").decode("latin-1")[2:]
parts = [len(echo(text[:-1], 1)) + 0 * len(back(b"x", len(text), PATIENCE)) for text in (secret, other)]  # of a frame that is not over yet
s, _ = begin("/ok/pieces")  # what comes before the host goes on, which another request says
first = back(b"", 9, PATIENCE)
begun = time.monotonic()
pieces = first + back(b"", 6 + len(secret) - 1, PATIENCE)
late = time.monotonic() - begun
begin("/ok/go")
print(json.dumps([status, strange, whole, parts, pieces.decode(), late > 0.5, back(b"", 12, PATIENCE).decode()]))
""".replace("PATIENCE", str(PATIENCE))


class Talk(Recorder):
    """Tells back whatever it is told after its first answer; or two pieces of what it was told before."""
    goes = threading.Event()

    def answer(self, request):
        if request[1] == "/ok/go":
            self.goes.set()
            return super().answer(request)
        if request[1] == "/ok/pieces":
            self.goes.clear()
            self.request.sendall(b"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n    %s\r\n" % (4 + len(TOKEN) - 1, TOKEN[:-1].encode()))
            assert self.goes.wait(PATIENCE)
            return b"2\r\n" + TOKEN[-1:].encode() + b"|\r\n0\r\n\r\n"
        self.request.sendall(b"HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
        while piece := self.request.recv(65536):
            self.request.sendall(piece)
        raise OSError


@both_users
def what_is_told_back_says_nothing_of_the_secret(network, who, uid):
    """A program that guesses how it begins learns nothing by when its words come back."""
    need("openssl")
    if network.is_new:
        serve(network, handler=Talk)
    keep_secret(network, uid)
    other = "".join(chr(ord(c) ^ 1) for c in TOKEN)
    result = run(network, uid, ["open.test:443 http='GET /ok/**' secret=provider"], "python3", "-c", GUESSES, TOKEN[::-1], other[::-1])
    assert result.returncode == 0 and json.loads(result.stdout) == [
        "101", [], " " + "*" * len(TOKEN) + "|", [2, 2], f"4\r\n    \r\n{len(TOKEN) - 1:x}\r\n{TOKEN[:-1]}\r\n", True, "2\r\n*|\r\n0\r\n\r\n"], f"{who}: {told(result)}"


# In the cell: asks for the secret behind so many bytes, told in pieces between which there is a moment. Prints what is not as if all of it had come at once.
BORDERS = """
import http.client, json, ssl, sys
n = int(sys.argv[1])
c = http.client.HTTPSConnection("open.test", 443, timeout=20, context=ssl.create_default_context())
wrong = []
for size in (0, 100, 1460, 4096, 14600, 16384, 65536):
    for before in (1, 4, n - 1):
        c.request("GET", f"/ok/border?{size}&{before}")
        got = c.getresponse().read()
        if got != b"m" * max(size - before, 0) + b"*" * n + b"|":
            wrong.append([size, before, len(got), got[-60:].decode("latin-1")])
print(json.dumps(wrong))
"""


class Border(Recorder):
    def answer(self, request):
        size, before = map(int, request[1].partition("?")[2].split("&"))
        pad = b"m" * max(size - before, 0)
        whole = pad + TOKEN.encode() + b"|"
        self.request.sendall(b"HTTP/1.1 200 Fine\r\nContent-Length: %d\r\n\r\n" % len(whole) + whole[:len(pad) + before])
        time.sleep(0.05)
        return whole[len(pad) + before:]


@both_users
def a_secret_in_pieces_is_covered(network, who, uid):
    """Wherever the border between two reads, records or pieces of it lies: whoever says how much is told before it says where."""
    need("openssl")
    if network.is_new:
        serve(network, handler=Border)
    keep_secret(network, uid)
    result = run(network, uid, ["open.test:443 http='GET /ok/**' secret=provider"], "python3", "-c", BORDERS, str(len(TOKEN)))
    assert result.returncode == 0 and json.loads(result.stdout) == [], f"{who}: {told(result)}"
    assert TOKEN.encode() in b"".join(Recorder.all()), who


# In the cell: looks for texts, which are given turned round, in all that can be seen there. Puts the second one there itself.
SEARCH = """
import json, os, subprocess, sys
secret, marker = (text[::-1].encode() for text in sys.argv[1:3])
child = subprocess.Popen(["python3", "-c", "import sys; kept = sys.argv[1][::-1] * 2; print('ready', flush=True); sys.stdin.read()", sys.argv[2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         env={**os.environ, "KEPT": marker.decode()})
child.stdout.readline()
for at in "/tmp/kept", "/dev/shm/kept":
    with open(at, "wb") as file:
        file.write(marker)
found = {}
def look(where, data):
    for name, text in ("secret", secret), ("marker", marker):
        if text in data:
            found.setdefault(name, []).append(where)
def read(path):
    try:
        with open(path, "rb") as file:
            look(path, file.read(64 << 20))
    except (OSError, ValueError, OverflowError):
        pass
def memory(pid):
    try:
        with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
            for line in maps:
                start, end = (int(x, 16) for x in line.split()[0].split("-"))
                if " r" in line and end - start < 256 << 20 and "[v" not in line:
                    try:
                        mem.seek(start)
                        look(f"/proc/{pid}/mem", mem.read(end - start))
                    except (OSError, ValueError, OverflowError):
                        pass
    except OSError:
        pass
seen = [pid for pid in os.listdir("/proc") if pid.isdigit()]
for pid in seen:
    for name in "environ", "cmdline", "maps", "status":
        read(f"/proc/{pid}/{name}")
    if int(pid) != os.getpid():
        memory(pid)
    for fd in os.listdir(f"/proc/{pid}/fd") if os.access(f"/proc/{pid}/fd", os.R_OK) else []:
        if os.path.isfile(f"/proc/{pid}/fd/{fd}"):
            read(f"/proc/{pid}/fd/{fd}")
for name, value in os.environ.items():
    look("environment", f"{name}={value}".encode())
for top, directories, files in os.walk("/"):
    if top == "/":
        directories[:] = [d for d in directories if d not in ("proc", "sys", "usr", "lib", "lib64", "bin", "sbin")]
    for name in files:
        path = os.path.join(top, name)
        if os.path.isfile(path):
            read(path)
read("/proc/self/net/unix")
print(json.dumps(found))
"""


@both_users
def the_secret_is_nowhere_in_the_cell(network, who, uid):
    """While it is used: not in a file, an environment, the memory of a process, a name. What is put there is found."""
    need("openssl")
    if network.is_new:
        serve(network, handler=Recorder)
    keep_secret(network, uid)
    row = ("open.test", 443, "open.test", ask("GET /ok/a", LAST))
    marker = "a-marker-of-0123456789"
    script = f"import subprocess, sys\nexec({CLIENT!r})\nprint(subprocess.run(['python3', '-c', {SEARCH!r}, *sys.argv[2:]], capture_output=True, text=True, check=True).stdout)"
    packed = base64.b64encode(zlib.compress(json.dumps([row]).encode())).decode()
    result = run(network, uid, ["open.test:443 http='GET /ok/**' secret=provider"], "python3", "-c", script, packed, TOKEN[::-1], marker[::-1])
    assert result.returncode == 0 and len(result.stdout.split("\n")) > 1, told(result)
    found = json.loads(result.stdout.split("\n")[1])
    assert TOKEN.encode() in b"".join(Recorder.all()) and "secret" not in found, f"{who}: {found}"
    kinds = {re.sub("[0-9]+", "N", where) for where in found["marker"]}
    assert kinds >= {"/tmp/kept", "/dev/shm/kept", "/proc/N/environ", "/proc/N/mem"}, f"{who}: {found}"


class Away(Recorder):
    """Sends whoever asks to another host."""

    def answer(self, request):
        return b"HTTP/1.1 307 Away\r\nLocation: https://both.test:444/ok/there\r\nContent-Length: 0\r\n\r\n"


@both_users
def a_redirect_leaves_the_secret_behind(network, who, uid):
    """Of a client that follows it to a host that is granted, too, with its secret or without one."""
    need("openssl", "curl")
    if network.is_new:
        serve(network, handler=Away)
        serve(network, 444, handler=Recorder)
    keep_secret(network, uid)
    keep_secret(network, uid, "odd", "another-secret-0123")
    for terms, there in (("http='GET /ok/**'", None), ("http='GET /ok/**' secret='odd as header:x-key'", None), ("secret=odd", "Bearer another-secret-0123"), ("secret=provider", f"Bearer {TOKEN}")):
        result = run(network, uid, ["open.test:443 secret=provider", f"both.test:444 {terms}"], "curl", "-4", "-sS", "-m", "10", "-L", "https://open.test/ok/a")
        assert result.returncode == 0 and result.stdout == "ok", f"{who}, {terms}: {told(result)}"
        here, = [r[2].get("authorization") for raw in Recorder.all() for r in requests_of(raw)[0] if r[1] == "/ok/there"]
        assert here == there, f"{who}, {terms}: {here}"


# ---- requests in two ways, by HTTP/2 ----

# In the cell. Each row: bytes, and the streams that are waited for, or none: then the end. Prints what came of each stream, or why all ended.
CLIENT_TWO = """
import base64, json, socket, ssl, sys, zlib
trusting = ssl.create_default_context()
trusting.set_alpn_protocols(["h2"])
KNOWN = {0x88: "200", 0x89: "204", 0x8a: "206", 0x8b: "304", 0x8c: "400", 0x8d: "404", 0x8e: "500"}
def status(block):
    while block[0] & 0xe0 == 0x20:
        block = block[1:]
    if block[0] & 0x80:
        return KNOWN[block[0]]
    n = block[1] & 0x7f
    if not block[1] & 0x80:
        return block[2:2 + n].decode()
    bits, digits = "".join(f"{b:08b}" for b in block[2:2 + n]), ""
    while len(digits) < 3:  # of Huffman's code, digits alone
        wide = bits[:5] not in ("00000", "00001", "00010")
        digits += str(int(bits[:6], 2) - 0b011001 + 3) if wide else str(int(bits[:5], 2))
        bits = bits[6 if wide else 5:]
    return digits
def run(s, data, waited):
    streams, end, buffer = {}, "closed", b""
    try:
        s.sendall(data)
    except OSError:
        pass
    try:
        while not waited or not set(waited) <= {int(k) for k in streams}:
            piece = s.recv(65536)
            if not piece:
                break
            buffer += piece
            while len(buffer) >= 9 and len(buffer) >= 9 + (n := int.from_bytes(buffer[:3], "big")):
                kind, body, stream, buffer = buffer[3], buffer[9:9 + n], int.from_bytes(buffer[5:9], "big"), buffer[9 + n:]
                if kind == 1:
                    streams[stream] = status(body)
                elif kind == 3:
                    streams.setdefault(stream, "reset")
                elif kind == 7 and body[4:8] != bytes(4):
                    end = "error " + str(int.from_bytes(body[4:8], "big"))
    except OSError as e:
        end = end if isinstance(e, ConnectionError) else repr(e)
    return {"streams": streams, "end": end}
for text, waited in json.loads(zlib.decompress(base64.b64decode(sys.argv[1]))):
    with socket.create_connection(("open.test", 443), 20) as raw, trusting.wrap_socket(raw, server_hostname="open.test") as s:
        assert s.selected_alpn_protocol() == "h2"
        print(json.dumps(run(s, text.encode("latin-1"), waited)))
"""

SERVER_TWO = """
const fs = require("fs"), [key, cert, port, address, log] = process.argv.slice(1);
const server = require("http2").createSecureServer({key: fs.readFileSync(key), cert: fs.readFileSync(cert)});
server.on("stream", (stream, headers, flags, raw) => {
  let body = "";
  stream.on("error", () => {});
  stream.on("data", piece => { body += piece.toString("latin1"); });
  stream.on("trailers", () => { fs.appendFileSync(log, JSON.stringify({trailers: true}) + "\\n"); });
  stream.on("end", () => { fs.appendFileSync(log, JSON.stringify({raw, body}) + "\\n"); if (!stream.destroyed) { stream.respond({":status": 200}); stream.end("ok"); } });
});
server.on("sessionError", () => {});
process.stdin.on("end", () => process.exit()).resume(); // of whoever started it
server.listen(+port, address, () => console.log("ready"));
"""
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END, WHOLE = 1, 4  # flags: of a stream, of a block
PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags=0, stream=0, body=""):
    head = len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big")
    return head.decode("latin-1") + body


def number(n, bits=7):
    if n < (1 << bits) - 1:
        return chr(n)
    text, n = chr((1 << bits) - 1), n - (1 << bits) + 1
    while n >= 128:
        text, n = text + chr(n % 128 + 128), n // 128
    return text + chr(n)


def block(fields):
    return "".join(f"\0{number(len(name))}{name}{number(len(value))}{value}" for name, value in fields)


def head(*fields, stream=1, flags=END | WHOLE, method="GET", path="/ok/a", scheme="https", authority="open.test", **more):
    pseudo = {":method": method, ":scheme": scheme, ":authority": authority, ":path": path, **more}
    return frame(HEADERS, flags, stream, block([(k, v) for k, v in pseudo.items() if v is not None] + list(fields)))


def opened(*frames):
    return PREFACE + frame(SETTINGS, 0, 0, "\0\1\0\0\0\0") + "".join(frames)  # no table: what comes is read without one


def uploaded(*fields, data="abc", **more):
    return head(*fields, method="POST", flags=WHOLE, **more) + frame(DATA, END, 1, data)


def trailed(*fields, flags=END | WHOLE, **more):
    return head(method="POST", flags=WHOLE, **more) + frame(DATA, 0, 1, "abc") + frame(HEADERS, flags, 1, block(fields))


HONEST_TWO = [  # frames, streams, what the host has: paths
    ([head(path="/ok/1")], [1], ["/ok/1"]), ([uploaded(path="/ok/2")], [1], ["/ok/2"]), ([uploaded(("content-length", "3"), path="/ok/3")], [1], ["/ok/3"]),
    ([head(path="/ok/4"), head(path="/ok/5", stream=3)], [1, 3], ["/ok/4", "/ok/5"]), ([head(("te", "trailers"), ("host", "open.test"), path="/ok/6")], [1], ["/ok/6"]),
    ([trailed(("x-trailer", "1"), path="/ok/7")], [1], ["/ok/7"]),
    ([trailed(("authorization", f"Bearer {STOLEN}"), ("x-a", LAIN), ("host", "evil.test"), ("x-original-url", "/hidden"), ("set-cookie", STOLEN), path="/ok/10")], [1], ["/ok/10"]),
    ([frame(0x55, 0, 0, "unknown"), head(path="/ok/8", flags=END), frame(CONTINUATION, WHOLE, 1, block([("x-more", "1")]))], [1], ["/ok/8"]),
    ([head(("content_length", "90"), ("transfer_encoding", "chunked"), path="/ok/9")], [1], ["/ok/9"]),
]
HOSTILE_TWO = [[text] for text in (
    # pseudo-fields
    head((":path", "/ok/b")), head((":method", "POST")), head((":authority", "evil.test")), head((":foo", "1")), head((":status", "200")), head(("x-a", "1"), (":path", "/ok/b"), path=None),
    head(path=None), head(method=None), head(scheme=None), head(authority=None), head(path=""), head(method=""), head(authority=""), head(path="ok/a"), head(path="*", method="OPTIONS"),
    head(path="https://evil.test/ok/a"), head(path="//evil.test/ok/a"), head(path="/ok/a b"), head(path="/ok/a#b"), head(path="/ok/a HTTP/1.1\r\nX: y"), head(path="/ok/a\0"), head(path="/ok/a%0d%0aX:%20y"),
    head(path="/ok/../hidden"), head(path="/ok/%2e%2e/hidden"), head(path="/hidden"), head(method="GET /hidden HTTP/1.1\r\nX:"), head(method="get"), head(method="G ET"), head(scheme="http"), head(scheme="ftp"),
    head(scheme="https\r\nX: y"), head(method="CONNECT"), head(method="CONNECT", path=None, scheme=None), head(**{":protocol": "websocket"}, method="CONNECT"), head(method="TRACE"), head(method="DELETE"),
    # other hosts
    head(authority="evil.test"), head(authority="open.test:80"), head(authority="a@open.test"), head(authority="open.test."), head(authority="open.test, evil.test"), head(authority="a.open.test"),
    head(("host", "evil.test")), head(("host", "open.test"), ("host", "evil.test")), head(("host", "evil.test"), authority=None),
    # names and values
    *(head(("x-a", value)) for value in ("a\r\nx-b: c", "a\nb", "a\rb", "a\0b", "\r\n\r\nGET /hidden HTTP/1.1\r\n")),
    *(head((name, "a")) for name in ("X-A", "x a", "x-a\r\ny", "x-a:", "", "x\0", "\x7f", "x-a: b\r\nx-c")),
    # of the connection, and of length
    *(head(field) for field in (("connection", "close"), ("connection", "authorization"), ("keep-alive", "1"), ("proxy-connection", "close"), ("transfer-encoding", "chunked"), ("upgrade", "h2c"), ("te", "gzip"))),
    *(uploaded(*(("content-length", n) for n in lengths)) for lengths in (["5"], ["2"], ["3", "3"], ["3", "4"], ["3, 3"], ["+3"], ["-3"], [""], ["0x3"])), head(("content-length", "3")),
    uploaded(("transfer-encoding", "chunked"), data=SMUGGLED),
    # behind a body
    *(trailed(field) for field in ((":path", "/hidden"), (":method", "DELETE"), (":foo", "1"), ("X-A", "1"), ("connection", "close"), ("transfer-encoding", "chunked"), ("upgrade", "h2c"), ("te", "gzip"),
                                   ("content-length", "5"))), trailed(("x-a", "1"), flags=WHOLE), trailed(("x-a", "1"), (":path", "/hidden")),
    # credentials, and what names another request
    head(("authorization", f"Bearer {STOLEN}")), head(("cookie", STOLEN)), head(("x_api_key", STOLEN)), head(("x-a", LAIN)), head(path=f"/ok/a?access_token={STOLEN}"), uploaded(data=LAIN),
    head(method="POST", flags=WHOLE) + "".join(frame(DATA, 0, 1, c) for c in LAIN) + frame(DATA, END, 1), head(("x-http-method-override", "DELETE")), head(("x-original-url", "/hidden")),
    head(*((f"x-{i}", "1") for i in range(129))),
    # frames
    frame(DATA, END, 0, "abc"), frame(DATA, END, 1, "abc"), head(stream=2), head(flags=WHOLE, method="POST") + head(flags=WHOLE), head() + frame(DATA, END, 1, "abc"), head(stream=0),
    head(flags=END) + head(stream=3), head(flags=END) + frame(CONTINUATION, WHOLE, 3), frame(CONTINUATION, WHOLE, 1, block([("x-a", "1")])), frame(PUSH, WHOLE, 1, "\0\0\0\2" + block([(":path", "/ok/a")])),
    frame(HEADERS, END | WHOLE, 1, "\xff\xff\xff\xff\x0f"), frame(HEADERS, END | WHOLE | 8, 1, "\xff" + block([(":path", "/ok/a")])), frame(DATA, 0, 1, "a" * 16385), frame(SETTINGS, 0, 0, "abc"),
    frame(SETTINGS, 1, 0, "\0\1\0\0\0\0"), frame(WINDOW, 0, 0, "\0\0\0\0"), frame(WINDOW, 0, 0, "\x7f\xff\xff\xff") * 2, frame(PING, 0, 0, "a"))]
FLOODS = {
    "continuations": head(flags=END) + frame(CONTINUATION, 0, 1, block([("a", "b")])) * 3000, "empty continuations": head(flags=END) + frame(CONTINUATION, 0, 1) * 20000,
    "rapid resets": "".join(head(stream=i, path="/ok/reset") + frame(RESET, 0, i, "\0\0\0\x08") for i in range(1, 4001, 2)), "settings": frame(SETTINGS, 0, 0, "\0\4\0\0\xff\xff") * 20000,
    "pings": frame(PING, 0, 0, "12345678") * 20000, "empty data": head(flags=WHOLE, method="POST", path="/ok/reset") + frame(DATA, 0, 1) * 20000, "priorities": frame(PRIORITY, 0, 1, "\0\0\0\3\0") * 20000,
    "windows": frame(WINDOW, 0, 0, "\0\0\0\1") * 20000, "no preface": "GET /ok/a HTTP/1.1\r\nHost: open.test\r\n\r\n", "goaway and on": frame(GOAWAY, 0, 0, "\0" * 8) * 20000}


def serve_two(network):
    """Node, in the world: its process. The file `asked` has what it was asked."""
    top = authority(network)
    with network.world():
        process = subprocess.Popen(["node", "-e", SERVER_TWO, f"{top}/good.key", f"{top}/good.pem", "443", PUBLIC, f"{network.top}/asked"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


@both_users
def what_is_no_request_of_version_two_reaches_no_host(network, who, uid):
    """Tricks with pseudo-fields, lengths, line ends, fields of the connection, other hosts, stolen tokens, frames; and floods end their connection alone."""
    need("openssl", "node")
    if network.is_new:
        network.node = serve_two(network)  # ends with this process
    keep_secret(network, uid)
    with open(f"{network.top}/asked", "w", encoding="ascii"):
        pass
    rows = [(opened(*frames), streams) for frames, streams, _ in HONEST_TWO] + [(opened(*frames), [1]) for frames in HOSTILE_TWO] + \
        [(flood if name == "no preface" else opened(flood), []) for name, flood in FLOODS.items()] + [(opened(head(path="/ok/last")), [1])]
    got = said(network, uid, ["open.test:443 http='GET /ok/**, POST /ok/**' secret=provider"], rows, CLIENT_TWO)
    n = len(HONEST_TWO)
    for (_, streams, _), answer in zip(HONEST_TWO + [(None, [1], None)], got[:n] + got[-1:]):
        assert answer["streams"] == {str(i): "200" for i in streams}, f"{who}: {answer}"
    for row, answer in zip(HOSTILE_TWO, got[n:n + len(HOSTILE_TWO)], strict=True):
        ended = answer["streams"].get("1")
        assert ended in ("400", "403", "405", "415", "421", "431", "501", "reset") or (ended is None and "timed out" not in answer["end"]), f"{who}: {row}"[:500] + f" {answer}"
    for name, answer in zip(FLOODS, got[n + len(HOSTILE_TWO):-1], strict=True):
        assert "timed out" not in answer["end"], f"{who}, {name}: {answer}"
    with open(f"{network.top}/asked", encoding="latin-1") as file:
        asked = [json.loads(line) for line in file]
    assert not any("trailers" in a for a in asked), f"{who}: {asked}"
    whole = [(dict(zip(a["raw"][::2], a["raw"][1::2])), a) for a in asked]
    paths = [fields[":path"] for fields, _ in whole if fields[":path"] != "/ok/reset"]
    assert sorted(paths) == sorted(["/ok/last", *(p for *_, reached in HONEST_TWO for p in reached)]), f"{who}: {paths}"
    for fields, a in whole:
        assert 2 * len(fields) == len(a["raw"]) and fields["authorization"] == f"Bearer {TOKEN}" and fields[":authority"] == "open.test", f"{who}: {a}"
        assert not {"content_length", "transfer_encoding", "host"} & set(fields) and a["body"] in ("", "abc"), f"{who}: {a}"
        assert fields.get("te") == ("trailers" if fields[":path"] == "/ok/6" else None), f"{who}: {a}"


# ---- behind the body of an answer ----

MARK = "a-marker-that-is-shown"


def behind(*fields, flags=END | WHOLE):
    return frame(HEADERS, flags, 1, block(fields))


# What a host sends behind the head of an answer and a body of four bytes, and what a program has of it; None: nobody takes that for a whole answer.
TRAILS = [
    (behind(("grpc-status", "5"), ("grpc-message", "no%20x"), ("x-a", MARK)), {"grpc-status": "5", "grpc-message": "no%20x", "x-a": MARK}),
    (behind(("x-a", f"{MARK} {TOKEN}"), ("x-b", TOKEN)), {"x-a": f"{MARK} {'*' * len(TOKEN)}", "x-b": "*" * len(TOKEN)}),
    (behind((TOKEN.lower(), "1"), ("x-a", MARK)), {TOKEN.lower(): "1", "x-a": MARK}),  # a name has no capitals, so this is not it
    (behind(("set-cookie", "a=b"), ("content-type", "text/html"), ("location", "https://evil.test/"), ("www-authenticate", "Basic"), ("cache-control", "public"), ("content-encoding", "br"), ("x-a", MARK)),
     {"x-a": MARK}),
    (behind(("host", "evil.test"), ("trailer", "x-b"), ("content-length", "4"), ("authorization", STOLEN), ("x-a", MARK)), {"x-a": MARK}),
    (behind(("set-cookie", "a=b")), {}), (behind(), {}), (frame(DATA, END, 1), {}),
    (behind(("x-a", "y" * 16000)), {"x-a": "y" * 16000}),
    *((behind(*fields), None) for fields in (
        [(":status", "200")], [("x-a", "1"), (":status", "302")], [(":path", "/")], [(":foo", "1")], [("X-A", "1")], [("x a", "1")], [("x-a\r\nset-cookie", "a=b")], [("x-a", "1\r\nSet-Cookie: a=b")],
        [("x-a", "1\0")], [("connection", "close")], [("keep-alive", "1")], [("transfer-encoding", "chunked")], [("upgrade", "h2c")], [("te", "gzip")], [("content-length", "5")], [("content-length", "x")],
        [("x-a", "y" * 16352)], [(f"x-{i}", "1") for i in range(137)])),
    *((text, None) for text in (
        behind(("x-a", "1"), flags=WHOLE), behind(("x-a", "1"), flags=WHOLE) + behind(("x-b", "1")), behind(("x-a", "1"), flags=END), behind(("x-a", "1"), flags=END) + frame(DATA, END, 1),
        behind(("x-a", "1"), flags=END) + frame(CONTINUATION, WHOLE, 3), behind(("x-a", "1"), flags=END) + frame(CONTINUATION, 0, 1, block([("a", "b")])) * 3000,
        behind(("x-a", "1"), flags=END) + frame(CONTINUATION, 0, 1) * 20000, frame(HEADERS, END | WHOLE, 3, block([(":status", "200")])), frame(HEADERS, END | WHOLE, 0, block([("x-a", "1")])),
        frame(PUSH, WHOLE, 1, "\0\0\0\2" + block([(":path", "/ok/a")])), frame(HEADERS, END | WHOLE, 1, "\xff\xff\xff\xff\x0f"), frame(RESET, 0, 1, "\0\0\0\0"), "")),
    (behind(("x-a", MARK)), {"x-a": MARK}),
]
CUT = ("", behind(("x-a", "1"), flags=END), "X-A: 1\r\n")  # behind these the host says that it is all
# The same by HTTP/1.1, in which no trailer is passed on: what comes behind it is refused, or nothing of it is there.
TRAILS_ONE = [("X-A: 1\r\n\r\n", True), ("Set-Cookie: a=b\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n", True), (f"X-A: {TOKEN}\r\n\r\n", True),
              (f"X-A: {'y' * 4000}\r\n" * 4 + "\r\n", True), (f"X-A: {'y' * 4000}\r\n" * 5 + "\r\n", False), ("X-A: 1\n\r\n", False), (" X-A: 1\r\n\r\n", False), ("X-A : 1\r\n\r\n", False),
              ("X-A\r\n\r\n", False), (": 1\r\n\r\n", False), ("HTTP/1.1 200 OK\r\n\r\n", False), ("X-A: 1\r\n", False), ("X-A: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse", True)]


class Behind(socketserver.BaseRequestHandler):
    """The nth connection has the nth of TRAILS for an answer."""
    served = 0

    def handle(self):
        text, Behind.served = TRAILS[Behind.served][0], Behind.served + 1
        try:
            self.request.sendall((frame(SETTINGS) + frame(SETTINGS, 1)).encode("latin-1"))
            self.until_head()
            self.request.sendall((frame(HEADERS, WHOLE, 1, "\x88") + frame(DATA, 0, 1, "body") + text).encode("latin-1"))
            if text in CUT:
                self.request.unwrap()  # no more is said
            while self.request.recv(65536):
                pass
        except OSError:
            pass

    def until_head(self):
        """Of the request."""
        got = b""
        while piece := self.request.recv(65536):
            got += piece
            at = len(PREFACE)
            while len(got) >= at + 9 and len(got) >= at + 9 + (n := int.from_bytes(got[at:at + 3], "big")):
                if got[at + 3] == HEADERS:
                    return
                at += 9 + n
        raise AssertionError(got)


class BehindOne(Recorder):
    """By the path, one of TRAILS_ONE."""

    def answer(self, request):
        assert "te" not in request[2], request
        text = TRAILS_ONE[int(request[1].rsplit("/", 1)[1])][0]
        self.request.sendall(f"HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n4\r\nbody\r\n0\r\n{text}".encode("latin-1"))
        if text in CUT:
            self.request.unwrap()
        return b""


# In the cell: each by a connection of its own. Whether it came whole, its body, its trailer.
ASKS_TWO = """
const n = +process.argv[1], one = (i) => new Promise((done) => {
  const session = require("http2").connect("https://open.test"), got = {body: "", trailers: {}, whole: false};
  const over = (why) => { clearTimeout(late); session.destroy(); done({...got, why}); }, late = setTimeout(over, 20000, "late");
  session.on("error", (e) => over(String(e)));
  const stream = session.request({":path": "/ok/" + i, te: "trailers"});
  stream.on("data", (piece) => { got.body += piece; }).on("trailers", (all) => { got.trailers = all; }).on("end", () => { got.whole = true; });
  stream.on("error", (e) => over(String(e))).on("close", () => { got.whole = got.whole && stream.rstCode === 0; over(stream.rstCode); });
});
(async () => { for (let i = 0; i < n; i++) console.log(JSON.stringify(await one(i))); })();
"""


def serve_frames(network):
    top = authority(network)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{top}/good.pem", f"{top}/good.key")
    context.set_alpn_protocols(["h2"])

    class Secure(Behind):
        def setup(self):
            self.request = context.wrap_socket(self.request, server_side=True)
    network.serve(Secure, 443, PUBLIC)


@both_users
def what_a_host_says_behind_a_body_is_read_as_strictly(network, who, uid):
    """Trailers: those that are none, too long, too many; fields that have no place there; the secret. By HTTP/1.1, and by HTTP/2."""
    need("openssl", "node")
    if network.is_new:
        serve_frames(network)
        serve(network, 444, handler=BehindOne)
    keep_secret(network, uid)
    Behind.served = 0
    grants = ["open.test:443 http='GET /ok/**' secret=provider", "open.test:444 http='GET /ok/**' secret=provider"]
    result = run(network, uid, grants, "node", "-e", ASKS_TWO, str(len(TRAILS)), more=("--run", "node"))
    assert result.returncode == 0, f"{who}: {told(result)}"
    got = [json.loads(line) for line in result.stdout.splitlines()]
    assert Behind.served == len(TRAILS) == len(got) and TOKEN not in result.stdout, f"{who}: {got}"
    for (text, want), answer in zip(TRAILS, got):
        whole = answer["whole"] and answer["body"] == "body"
        assert (answer["trailers"] if whole else None) == want and (want is not None or not answer["trailers"]), f"{who}: {text[:300]!r}: {answer}"
        assert answer["why"] != "late", f"{who}: {text[:300]!r}: {answer}"
    rows = [("open.test", 444, "open.test", ask(f"GET /ok/{i}", "TE: trailers", "Connection: TE, close", host="Host: open.test:444")) for i in range(len(TRAILS_ONE))]
    for (text, want), answer in zip(TRAILS_ONE, said(network, uid, grants, rows)):
        head_of, _, body = answer.partition("\r\n\r\n")
        assert "trailer" not in head_of.lower() and statuses(answer) == [200], f"{who}: {text[:300]!r}: {answer}"
        assert (body == "4\r\nbody\r\n0\r\n\r\n") if want else ("0\r\n" not in body and "X-A" not in body), f"{who}: {text[:300]!r}: {answer}"
    Recorder.all()


# ---- what the record has ----

# In the cell. Asks for something, and then fills the role with documents that have no end. Prints the first answer, how many it held, and the answer to one more.
FILLS = """
import socket
def say(text):
    s = socket.create_connection(("open.test", 80), 20)
    try:
        s.sendall(text)
    except ConnectionError:
        pass
    return s
def held(s):
    s.setblocking(False)
    try:
        return s.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
ask = b"DELETE /d HTTP/1.1\\r\\nHost: open.test\\r\\nConnection: close\\r\\n\\r\\n"
first, size = say(ask).recv(12), (1 << 20) - 1
many = [say(b"POST /g HTTP/1.1\\r\\nHost: open.test\\r\\nContent-Type: application/graphql\\r\\nContent-Length: %d\\r\\n\\r\\n" % (size + 1) + b" " * size) for _ in range(230)]
print(first, say(ask).recv(12), sum(map(held, many)))
"""


@both_users
def what_fills_the_judge_hides_nothing(network, who, uid):
    """Of what waits there is a bound, for all connections: who holds most gives way, and what was asked for before is told."""
    if network.is_new:
        network.serve(Recorder, 80, PUBLIC)
    record = f"{network.home(uid)}/record.json"
    result = network.run(uid, "--record", record, "--connect", "open.test:80 http='GRAPHQL /g, DELETE /d' graphql='query *'", "--", "python3", "-c", FILLS)
    first, again, held = re.match(r"b'(.*)' b'(.*)' (\d+)\n", result.stdout).groups()
    assert first == again == "HTTP/1.1 200" and 40 < int(held) < 110, f"{who}: {told(result)}"
    with open(record, encoding="utf-8") as file:
        kept = json.load(file)
    os.unlink(record)
    told_of = [(e["request"], e["count"]) for e in kept["effects"] if e["kind"] == "request"]
    assert told_of == [("inet open.test:80 DELETE /d 200", 2)] and kept["effects_dropped"] == 0, f"{who}: {told_of} {told(result)}"


# In the cell. Sends what is answered by nobody: the host hangs up, the program does, it brings a token at the end, and the event ends.
UNANSWERED = """
import socket, ssl, struct, sys
trusting = ssl.create_default_context()
def say(method, text=b"", length=0):
    s = trusting.wrap_socket(socket.create_connection(("open.test", 443), 20), server_hostname="open.test")
    s.sendall(b"%s /ok HTTP/1.1\\r\\nHost: open.test\\r\\nContent-Length: %d\\r\\n\\r\\n" % (method, length) + text)
    return s
token = sys.argv[1].encode()
said = [say(b"PUT"), say(b"PATCH"), say(b"POST", b"a=", 2 + len(token)), say(b"DELETE")]
answers = [said[3].recv(12), say(b"GET").recv(12)]  # that comes when the host has all
said[2].sendall(token)
print(*answers, said[2].recv(12))
said[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
said[0].close()
"""


class Mute(Recorder):
    """Answers GET alone, once all others have come; hangs up at DELETE."""

    def answer(self, request):
        if request[0] == "GET":
            with self.changed:
                assert self.changed.wait_for(lambda: sum(raw[:4] in (b"PUT ", b"PATC", b"POST") for raw in Recorder.heard) >= 3, PATIENCE)
            return super().answer(request)
        with self.changed:
            self.changed.notify_all()
        if request[0] == "DELETE":
            self.request.close()
        return b""


@both_users
def what_was_sent_stands_in_the_record(network, who, uid):
    """Also if no answer came: it is not told as refused, nor left out."""
    need("openssl")
    if network.is_new:
        serve(network, handler=Mute)
    record = f"{network.home(uid)}/record.json"
    methods = ("DELETE", "GET", "PATCH", "POST", "PUT")
    result = run(network, uid, ["open.test:443 http='" + ", ".join(f"{m} /ok" for m in methods) + "'"], "python3", "-c", UNANSWERED, LAIN, more=("--record", record))
    assert result.stdout.split("'")[1::2] == ["HTTP/1.1 502", "HTTP/1.1 200", "HTTP/1.1 403"], f"{who}: {told(result)}"
    assert sorted({raw.split(b" ")[0].decode() for raw in Recorder.all()}) == list(methods), who  # the twin: the host has them
    with open(record, encoding="utf-8") as file:
        told_of = [(e["request"].split(" ", 2)[2], e["verdict"], e["count"]) for e in json.load(file)["effects"] if e["kind"] == "request"]
    os.unlink(record)
    want = [(f"{m} /ok {200 if m == 'GET' else 0}", "allowed", 1) for m in methods] + [("POST /ok 403", "denied", 1)]
    assert sorted(told_of) == sorted(want), f"{who}: {told_of}"


# ---- large, slow, and others' ----

SLOW_CLIENT = """
import json, socket, ssl
trusting = ssl.create_default_context()
def connect():
    return trusting.wrap_socket(socket.create_connection(("open.test", 443), 20), server_hostname="open.test")
def answer(s):
    got = b""
    while piece := s.recv(65536):
        got += piece
    return got[9:12].decode()
def ask(path, more=""):
    return f"GET /ok/{path} HTTP/1.1\\r\\nHost: open.test\\r\\nConnection: close\\r\\n{more}\\r\\n".encode()
slow, silent, bodied = connect(), connect(), connect()
bodied.sendall(b"POST /ok/bodied HTTP/1.1\\r\\nHost: open.test\\r\\nConnection: close\\r\\nContent-Length: 9\\r\\n\\r\\n")
said = []
for i, byte in enumerate(ask("slow")):
    slow.send(bytes([byte]))
    if i < 9:
        bodied.send(b"x")
        with connect() as other:
            other.sendall(ask(f"other{i}"))
            said.append(answer(other))
said += [answer(slow), answer(bodied)]
for text in ask("fields", "".join(f"X-{i}: 1\\r\\n" for i in range(126))), ask("fields", "".join(f"X-{i}: 1\\r\\n" for i in range(127))), ask("long", "X: " + "a" * 60000 + "\\r\\n"), \\
        ask("long", "X: " + "a" * 70000 + "\\r\\n"), ask("a" * 9000), b"GET /ok/" + b"a" * 200000:
    with connect() as s:
        s.sendall(text)
        said.append(answer(s))
print(json.dumps(said))
"""


@both_users
def who_is_slow_or_large_is_in_nobodys_way(network, who, uid):
    """A head that comes byte by byte, one that never comes, a body; beside them others are answered. What is too much is refused."""
    need("openssl")
    if network.is_new:
        serve(network, handler=Recorder)
    result = run(network, uid, ["open.test:443 http='GET /ok/**, POST /ok/**'"], "python3", "-c", SLOW_CLIENT)
    assert result.returncode == 0, f"{who}: {told(result)}"
    assert json.loads(result.stdout) == ["200"] * 11 + ["200", "400", "200", "400", "400", "400"], f"{who}: {result.stdout}"
    assert targets() == sorted([*(f"/ok/other{i}" for i in range(9)), "/ok/slow", "/ok/bodied", "/ok/fields", "/ok/long"]), who


# In the cell: of each endpoint, what its certificate is believed by: the authorities of the cell that are for the event, one by one, those of a file, and all.
BELIEVES = """
import json, re, socket, ssl, subprocess, sys
found = []
for text in re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", open(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt").read(), re.S):
    if b"Ambit" in ssl.PEM_cert_to_DER_cert(text):
        said = subprocess.run(["openssl", "x509", "-noout", "-ext", "nameConstraints,basicConstraints"], input=text, capture_output=True, text=True).stdout
        found.append([text, said])
def believes(host, port, pem):
    context = ssl.create_default_context(cadata=pem) if pem else ssl.create_default_context()
    try:
        with socket.create_connection((host, port), 20) as s, context.wrap_socket(s, server_hostname=host):
            return True
    except ssl.SSLCertVerificationError:
        return False
rows = [[believes(host, port, pem) for pem in (*(f[0] for f in found), *json.loads(sys.argv[1]), None)] for host, port in (("open.test", 443), ("a.open.test", 444))]
print(json.dumps([found, rows]))
"""


@both_users
def an_authority_is_for_its_own_grant_and_event(network, who, uid):
    """What it may certify is in it, critically; another grant's endpoint is not certified by it, and another event's neither."""
    need("openssl")
    if network.is_new:
        serve(network, handler=Recorder)
        serve(network, 444, handler=Recorder)
    grants, events = ["open.test:443 http='GET /ok/**'", "*.open.test:444 http='GET /ok/**'"], []
    for _ in range(2):
        others = [pem for found, _ in events for pem, _ in found]
        result = run(network, uid, grants, "python3", "-c", BELIEVES, json.dumps(others))
        assert result.returncode == 0, f"{who}: {told(result)}"
        events.append(json.loads(result.stdout))
    (first, rows), (second, again) = events
    assert len(first) == len(second) == 2 and not {pem for pem, _ in first} & {pem for pem, _ in second}, f"{who}: {events}"
    for _, said_of in first + second:
        assert re.search(r"Name Constraints: critical\s+Permitted:\s+DNS:open\.test\s+Excluded:\s+IP:0\.0\.0\.0/0\.0\.0\.0\s+IP:[0:]+/[0:]+\s*$", said_of, re.M) and "CA:TRUE, pathlen:0" in said_of, f"{who}: {said_of}"
    assert sorted(map(tuple, rows)) == [(False, True, True), (True, False, True)], f"{who}: {rows}"
    assert sorted(map(tuple, again)) == [(False, True, False, False, True), (True, False, False, False, True)], f"{who}: {again}"


# ---- hostile code in the place of the role ----


@hostile
def who_takes_the_judge_over_gains_its_own_secret_alone(network, who, uid):
    """No network, file or process, by the cell alone and by its promise; the host that it was connected to, and its grant's secret, it has."""
    if network.is_new:
        serve_all(network)
    keep_secret(network, uid)
    keep_secret(network, uid, "odd", ODD)
    program = network.place.given(3)
    with contextlib.closing(Victim(network, uid)) as victim, event(*beside(network, uid)):
        rows = victim.forbidden()
        twin = bare(network, uid, program, rows)
        assert len(reached(twin, rows)) == len(rows), f"{who}, bare: {twin}"
        os.unlink(f"{victim.home}/written")
        words = ("--connect", f"open.test:{PLAIN} secret=provider", "--connect", f"open.test:{ANY} secret=odd")
        with taken(network, "http"):
            cell = command(network, uid, words, ("tcp", ["descriptors", *rows, "say", "secret", "secret again"]))
            kept = command(network, uid, words, ("tcp", ["keep", *rows, "say"]))
        for name, got in ("the cell", cell), ("its promise", kept):
            assert not reached(got, rows) and got["say"] == "reached", f"{who}, by {name}: {got}"
        assert cell["secret"] == f"reached {TOKEN}" and cell["secret again"] == "EPIPE" and {kept[row] for row in rows} == {"ENOSYS"}, f"{who}: {cell} {kept}"
        assert not os.path.exists(f"{victim.home}/written"), who


SCENARIOS = [what_servers_could_read_in_two_ways_reaches_none, a_connection_is_to_the_host_that_was_granted,
             a_secret_goes_to_nobody_who_did_not_prove_to_be_the_host, a_stolen_token_passes_as_the_grant_says_or_not_at_all,
             a_document_is_judged_whole_and_alone, a_form_is_read_in_one_way_or_not_at_all, what_a_host_tells_back_has_no_secret_in_it,
             what_is_told_back_says_nothing_of_the_secret, a_secret_in_pieces_is_covered, the_secret_is_nowhere_in_the_cell, a_redirect_leaves_the_secret_behind,
             what_is_no_request_of_version_two_reaches_no_host, what_a_host_says_behind_a_body_is_read_as_strictly,
             what_was_sent_stands_in_the_record, what_fills_the_judge_hides_nothing,
             who_is_slow_or_large_is_in_nobodys_way, an_authority_is_for_its_own_grant_and_event,
             who_takes_the_judge_over_gains_its_own_secret_alone]

if __name__ == "__main__":
    main(SCENARIOS)
