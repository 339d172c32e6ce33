#!/usr/bin/env python3
"""What `--connect "HOST:PORT http=... secret=..."` lets through: real clients in a cell, and real servers that say what they were sent.

usage: http_rules.py AMBIT    (TAP on standard output; as root, whose scenarios run ambit as root and as another)
"""

import base64
import http.server
import json
import os
import re
import ssl
import subprocess
import time

from harness import main, need, told
from network import PUBLIC, both_users

TOKEN = "s3cret-Token_0123456789"  # the store's; nothing in a cell may ever have it
STOLEN = "8f14e45f-ceea-467f-ab5e-railway00001"  # what lay about in the repository
ASKED = []  # what servers were asked, in their order


class Provider(http.server.BaseHTTPRequestHandler):
    """Says in JSON what it was asked."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.read_chunks() if self.headers.get("Transfer-Encoding") else self.rfile.read(length)
        asked = {"method": self.command, "path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body.decode("latin-1"),
                 "resumed": getattr(self.connection, "session_reused", None), "length": len(body)}
        ASKED.append(asked)
        self.say(asked)

    def say(self, asked):
        if self.path.startswith("/stream"):
            self.stream()
            return
        if self.path.startswith("/away"):
            self.plain(302, b"", Location="https://six.test/")
            return
        if self.path.startswith("/large"):
            self.plain(200, bytes(1 << 20) * 20)
            return
        self.plain(200, json.dumps(asked if len(asked["body"]) < 4096 else {**asked, "body": ""}).encode(), Echo=asked["headers"].get("authorization", "none"))

    def plain(self, status, body, **fields):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **fields}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def read_chunks(self):
        pieces = []
        while n := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(n))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def stream(self):
        """Server-sent events, one after the other was asked for by a file that the test looks at."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for i in range(3):
            piece = f"data: {i} {self.headers.get('authorization', '')}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
            time.sleep(0.05)
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = answer

    def log_message(self, *ignored):
        pass


def authority(network):
    """Of the world, which the person's own programs trust: its file."""
    top = f"{network.top}/world-ca"
    if os.path.isdir(top):
        return top
    os.mkdir(top, 0o755)

    def openssl(*words):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9", *words], cwd=top, check=True,
                       capture_output=True)
    openssl("-out", "ca.pem", "-keyout", "ca.key", "-subj", "/CN=World", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    names = f"DNS:open.test,DNS:*.open.test,DNS:both.test,IP:{PUBLIC}"
    openssl("-CA", "ca.pem", "-CAkey", "ca.key", "-out", "good.pem", "-keyout", "good.key", "-subj", "/CN=world", "-addext", f"subjectAltName={names}",
            "-addext", "basicConstraints=critical,CA:false")
    openssl("-CA", "ca.pem", "-CAkey", "ca.key", "-out", "other.pem", "-keyout", "other.key", "-subj", "/CN=world", "-addext", "subjectAltName=DNS:evil.test",
            "-addext", "basicConstraints=critical,CA:false")
    openssl("-out", "self.pem", "-keyout", "self.key", "-subj", "/CN=open.test", "-addext", "subjectAltName=DNS:open.test")
    os.chmod(f"{top}/ca.pem", 0o644)
    return top


def serve(network, port=443, certificate="good", handler=Provider):
    """In the world, under TLS; ASKED is empty then. Of several certificates each connection has the next, and the last one for good."""
    top, contexts = authority(network), []
    ASKED.clear()
    for name in certificate.split():
        contexts.append(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        contexts[-1].options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # a handler may want to know (suppress_ragged_eofs)
        contexts[-1].load_cert_chain(f"{top}/{name}.pem", f"{top}/{name}.key")

    class Secure(handler):
        def setup(self):
            context = contexts.pop(0) if len(contexts) > 1 else contexts[0]
            self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()
    server = network.serve(Secure, port, PUBLIC)
    server.handle_error = lambda *ignored: None  # of clients that break off, or do not believe it
    return server


def run(network, uid, grants, *words, more=()):
    """Ambit, of a person who trusts the world's authority."""
    return network.run(uid, *more, *(w for grant in grants for w in ("--connect", grant)), "--", *words,
                       before=("env", f"SSL_CERT_FILE={authority(network)}/ca.pem"))


def curl(network, uid, grants, *rows, more=()):
    """All in one event. Each row: what curl is given. Gives of each (status of curl, status of HTTP, body)."""
    script = "import json, subprocess, sys\nfor row in json.loads(sys.argv[1]):\n    r = subprocess.run(['curl', '-sS', '-m', '10', '-w', '\\n%{http_code}', *row], capture_output=True)\n" \
             "    out, _, code = r.stdout.decode('latin-1').rpartition('\\n')\n    print(json.dumps([r.returncode, int(code or 0), out, r.stderr.decode('latin-1')]))\n"
    result = run(network, uid, grants, "python3", "-c", script, json.dumps(rows), more=more)
    assert result.returncode == 0, told(result)
    return [json.loads(line) for line in result.stdout.splitlines()], result


@both_users
def what_a_rule_means_passes(network, who, uid):
    need("curl", "openssl")
    if network.is_new:
        serve(network)
    ASKED.clear()
    rows = [(["https://open.test/repos/a/b?per_page=3"], 200), (["https://open.test/repos"], 200), (["-I", "https://open.test/repos/x"], 200),
            (["-X", "DELETE", "https://open.test/repos/a"], 403), (["https://open.test/user"], 403), (["-d", "x=1", "https://open.test/pulls"], 200),
            (["-d", "x=1", "https://open.test/repos/a"], 403), (["--path-as-is", "https://open.test/repos/../user"], 400),
            (["https://open.test/repos/%2e%2e/user"], 400), (["https://open.test/repos//a"], 400)]
    answers, result = curl(network, uid, ["open.test:443 http='GET /repos/**, POST /pulls'"], *(row for row, _ in rows))
    for (row, status), (code, got, body, err) in zip(rows, answers, strict=True):
        assert (code, got) == (0, status), f"{who}, {row}: {code} {got} {body} {err} {result.stderr}"
        if status == 403:
            said = json.loads(body)
            assert said["error"]["code"] == "DENIED" and "not granted" in said["error"]["message"] and "this one allows it: " in said["error"]["hint"], body
    assert [(a["method"], a["path"]) for a in ASKED] == [("GET", "/repos/a/b?per_page=3"), ("GET", "/repos"), ("HEAD", "/repos/x"), ("POST", "/pulls")], ASKED
    assert ASKED[3]["body"] == "x=1" and ASKED[0]["headers"]["host"] == "open.test"


@both_users
def bodies_stream_both_ways(network, who, uid):
    need("curl", "openssl")
    if network.is_new:
        serve(network)
    script = ("head -c 20000000 /dev/zero | curl -sS -m 30 -T - https://open.test/put | grep -q '\"length\": 20000000' && "
              "curl -sS -m 30 https://open.test/large | cksum && curl -sSN -m 30 https://open.test/stream")
    result = run(network, uid, ["open.test:443 http='* /**'"], "sh", "-c", script)
    want = subprocess.run(["sh", "-c", "head -c 20971520 /dev/zero | cksum"], capture_output=True, text=True, check=True).stdout
    assert result.returncode == 0 and result.stdout == want + "data: 0 \n\ndata: 1 \n\ndata: 2 \n\n", f"{who}: {told(result)}"


@both_users
def a_host_that_does_not_prove_itself_gets_nothing(network, who, uid):
    need("curl", "openssl")
    if network.is_new:
        serve(network)
        serve(network, 444, "other")
        serve(network, 445, "self")
    ASKED.clear()
    answers, _ = curl(network, uid, [f"open.test:{port} http='GET /**'" for port in (443, 444, 445)],
                      *([f"https://open.test:{port}/x"] for port in (443, 444, 445)))
    assert [a[:2] for a in answers] == [[0, 200], [0, 502], [0, 502]] and "did not prove" in answers[1][2], f"{who}: {answers}"
    assert [a["path"] for a in ASKED] == ["/x"], ASKED


@both_users
def a_later_connection_resumes_that_hosts_session_alone(network, who, uid):
    """And where the host does not take it, it has to prove itself again."""
    need("curl", "openssl")
    if network.is_new:
        serve(network)
    serve(network, 444 + (uid != 0), "good self")
    ASKED.clear()
    changed = f"open.test:{444 + (uid != 0)}"
    answers, _ = curl(network, uid, ["*:443 http='GET /**'", f"{changed} http='GET /**'"],
                      *([f"https://{host}/"] for host in ("open.test", "open.test", "both.test", "both.test", "open.test", changed, changed)))
    assert [a[1] for a in answers] == [200] * 6 + [502] and "did not prove" in answers[6][2], f"{who}: {answers}"
    assert [a["resumed"] for a in ASKED] == [False, True, False, True, True, False], f"{who}: {ASKED}"


def kept_requests(record):
    """Each that the record has: with its status, how often, its verdict and why."""
    with open(record, encoding="utf-8") as file:
        return sorted((e["request"], e["count"], e["verdict"], e.get("why")) for e in json.load(file)["effects"] if e["kind"] == "request")


@both_users
def a_rate_is_of_requests(network, who, uid):
    """By however many connections they come: no connection is reset for it, and a client that waits as it is told goes on."""
    need("curl", "openssl")
    if network.is_new:
        serve(network)
    ASKED.clear()
    record, ledger = f"{network.home(uid)}/record.json", f"{network.home(uid)}/ledger"
    script = ("curl -sS -m 20 -D- $1/a $1/a $1/a; for url in $1/b $1/b $1/c $2/d $2/d $2/d; do "
              "curl -sS -m 20 $([ $url != $2/d ] || echo --retry 3) -w '\\n%{http_code}\\n' $url | tail -n 1; done")
    result = network.run(uid, "--record", record, "--ledger", ledger, "--connect", "open.test:443 rate=2/h http='GET /a, GET /b'", "--connect",
                         "a.open.test:443 rate=1/s http='GET /d'", "--", "sh", "-c", script, "sh", "https://open.test", "https://a.open.test",
                         before=("env", f"SSL_CERT_FILE={authority(network)}/ca.pem"))
    assert result.returncode == 0, f"{who}: {told(result)}"
    answers, rest = result.stdout.split("HTTP/1.1 ")[1:], result.stdout.splitlines()[-6:]
    assert [a[:3] for a in answers] == ["200", "200", "429"] and re.search("^retry-after: (1800|179\\d)$", answers[2], re.M | re.I), f"{who}: {told(result)}"
    said = json.loads(answers[2].split("\n\n")[1].splitlines()[0])["error"]
    assert said["code"] == "LIMIT" and "rate=2/h" in said["message"] and "higher rate" in said["hint"], said
    assert rest == ["429", "429", "403", "200", "200", "200"], f"{who}: {told(result)}"
    assert [a["path"] for a in ASKED] == ["/a", "/a", "/d", "/d", "/d"], ASKED
    assert "hint: added to the http rules of its grant, behind a comma, this one allows it: GET /c" in result.stderr, f"{who}: {told(result)}"
    with open(record, encoding="utf-8") as file:
        lacked = [e["rule"] for e in json.load(file)["effects"] if e["kind"] == "request" and e["verdict"] == "denied"]
    assert [r for r in lacked if r is not None] == ["GET /c"], f"{who}: {lacked}"
    kept = kept_requests(record)
    assert [k for k in kept if "a.open" not in k[0]] == [("inet open.test:443 GET /a 200", 2, "allowed", None), ("inet open.test:443 GET /a 429", 1, "denied", "spent"),
                                                         ("inet open.test:443 GET /b 429", 2, "denied", "spent"), ("inet open.test:443 GET /c 403", 1, "denied", "request")], f"{who}: {kept}"
    for words in (("ledger", "replay", "--ledger", ledger), ("explain", record)):
        result = network.ambit(uid, *words)
        assert result.returncode == 0, f"{who}, {words}: {told(result)}"
    assert "give it more uses, or a higher rate" in result.stdout and "rule:   http: GET /c\n" in result.stdout, f"{who}: {told(result)}"


def keep_secret(network, uid, name="provider", value=TOKEN, *more):
    """In that person's store, by standard input."""
    network.place.home = network.home(uid)
    who = [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    result = network.place.run(*who, network.place.ambit, "secret", "set", name, *more, cwd="/", input=value)
    assert result.returncode == 0, told(result)


@both_users
def the_wipe(network, who, uid):
    """A token that lay about, a host that is legitimate, one call: refused, with the reason, and recorded. The honest call passes."""
    need("curl", "openssl")
    if network.is_new:
        serve(network)
    keep_secret(network, uid)
    ASKED.clear()
    tree = f"{network.home(uid)}/repository"
    os.makedirs(tree, exist_ok=True)
    with open(f"{tree}/.old-notes", "w", encoding="utf-8") as file:
        file.write(f"RAILWAY_TOKEN={STOLEN}\n")
    os.chown(tree, uid, uid)
    os.chown(f"{tree}/.old-notes", uid, uid)
    record = f"{network.home(uid)}/record.json"
    script = """
cd "$1" && . ./.old-notes
call() { curl -sS -m 10 -w ' %{http_code}\\n' -H 'Content-Type: application/json' "$@" https://open.test/graphql/v2; }
wipe='{"query":"mutation { volumeDelete(volumeId: \\"3d2c42fb\\") }"}'
call -H "Authorization: Bearer $RAILWAY_TOKEN" -d "$wipe"
call -d "$wipe"
call -d '{"query":"query q { me { name } } mutation m { a: volumeDelete(volumeId: 1) }","operationName":"q"}'
call -H "Authorization: Bearer $RAILWAY_TOKEN" -d '{"query":"{ me { name } }"}'
call -d '{"query":"{ me { name } }"}'
call -H "Authorization: Bearer ambit:provider" -d '{"query":"mutation { domainCreate(name: \\"x\\") { id } }"}'
"""
    result = network.run(uid, "--record", record, "--work", tree, "--connect",
                         "open.test:443 http='GRAPHQL /graphql/v2' graphql='query *, mutation domainCreate' secret=provider", "--", "sh", "-c", script, "sh", tree,
                         before=("env", f"SSL_CERT_FILE={authority(network)}/ca.pem"))
    answers = [line.rsplit(" ", 1) for line in re.findall(r"\{.*?\} ?\n? ?\d{3}(?=\n)", result.stdout, re.S)]
    status = [int(a[1]) for a in answers]
    assert status == [403, 403, 403, 403, 200, 200], f"{who}: {told(result)}"
    said = [json.loads(a[0]).get("error", {}).get("message", "") for a in answers]
    assert "Authorization" in said[0] and "volumeDelete" in said[1] and "volumeDelete" in said[2] and "Authorization" in said[3], said
    assert [(a["headers"].get("authorization"), "volumeDelete" in a["body"]) for a in ASKED] == [(f"Bearer {TOKEN}", False)] * 2, ASKED
    assert TOKEN not in result.stdout and STOLEN not in json.dumps(ASKED), result.stdout
    with open(record, encoding="utf-8") as file:
        kept = file.read()
    requests = [e for e in json.loads(kept)["effects"] if e["kind"] == "request"]
    assert TOKEN not in kept and STOLEN not in kept
    assert sorted((e["request"], e["verdict"], e["count"], e.get("why")) for e in requests) == [
        ("inet open.test:443 POST /graphql/v2 200", "allowed", 2, None), ("inet open.test:443 POST /graphql/v2 403", "denied", 4, "request")], requests


@both_users
def a_form_has_the_secret(network, who, uid):
    """Beside another one, which says who asks. What is no form is refused with what to send; a question that brings nothing passes without it."""
    need("curl", "openssl")
    if network.is_new:
        serve(network)
    keep_secret(network, uid)
    keep_secret(network, uid, "client", "cl!ent s3cret", "--host", "open.test")
    ASKED.clear()
    form, token = "application/x-www-form-urlencoded", f"token={TOKEN}"
    rows = [(["-d", "a=b", "-d", "c=d e"], 400, "not encoded"), (["-d", "a=b", "--data-urlencode", "c=d e&\u00e9"], 200, f"a=b&c=d%20e%26%C3%A9&{token}"),
            (["-d", "token=ambit:provider&a=1"], 200, f"a=1&{token}"), (["-d", "", "-H", "Expect: 100-continue"], 200, token), (["-X", "POST"], 415, "into a form"),
            (["-d", "token=mine"], 403, "not the grant's"), (["-F", "a=b"], 415, "into a form"), (["-d", "{}", "-H", "Content-Type: application/json"], 415, "into a form"),
            (["-d", "a=b", "-H", f"Content-Type: {form}; charset=utf-16"], 415, "into a form"), (["-d", "a=b", "-H", "Content-Encoding: gzip"], 415, "encoded"),
            (["-d", "a=b", "-H", "Transfer-Encoding: chunked"], 200, f"a=b&{token}"), (["-d", "x=1&" * 20000], 413, "65536 bytes"), (["-G", "-d", "a=b"], 200, "")]
    answers, _ = curl(network, uid, ["open.test:443 http='GET /introspect, POST /introspect' secret='provider as form:token, client as basic:me'"],
                      *(["--http1.1", *row, "https://open.test/introspect"] for row, *_ in rows))
    passed = []
    for (row, status, says), (code, got, body, err) in zip(rows, answers, strict=True):
        assert (code, got) == (0, status), f"{who}, {row}: {code} {got} {body} {err}"
        assert TOKEN not in body and "s3cret" not in body and "cl%21ent" not in body, f"{who}, {row}: {body}"
        if status == 200:
            passed.append((says, json.loads(body)["body"]))
        else:
            assert says in json.loads(body)["error"]["message"], body
    basic = "Basic " + base64.b64encode(b"me:cl!ent s3cret").decode()
    assert [a["body"] for a in ASKED] == [says for says, _ in passed] and {a["headers"]["authorization"] for a in ASKED} == {basic}, f"{who}: {ASKED}"
    assert {a["headers"].get("content-type") for a in ASKED[:-1]} == {form} and ASKED[-1]["path"] == "/introspect?a=b", ASKED
    assert [body for _, body in passed] == [says.replace(TOKEN, "*" * len(TOKEN)) for says, _ in passed], f"{who}: {passed}"  # it was told back
    for grant, why in (("secret='client as form:k, client as query:k, client'", "more than 2"), ("secret='client, provider as basic:me'", "goes where another"),
                       ("graphql='query *' secret='client as form:k'", "no document of GraphQL is a form")):
        result = run(network, uid, [f"open.test:443 {grant}"], "true")
        assert result.returncode == 125 and why in result.stderr, f"{who}, {grant}: {told(result)}"


@both_users
def a_secret_is_read_once_in_an_event(network, who, uid):
    """What is set while it runs, and what the command would print next, is of the events that come."""
    need("curl", "openssl")
    failed = []

    class Replacing(Provider):
        def do_GET(self):
            if self.path == "/replace":
                try:
                    keep_secret(network, uid, "held", "later-than-the-event-began")
                except AssertionError as error:
                    failed.append(error)
            super().do_GET()
    server = serve(network, 444 + uid % 97, handler=Replacing)
    port = server.server_address[1]
    for name, rows, values in (
        ("held", (["/a", "/replace", "/b"], ["/c"]), ("as-the-event-began", "later-than-the-event-began")),
        ("printed", (["/a", "/b"], ["/c"]), ("printed-in-run-1-of-it", "printed-in-run-2-of-it")),
    ):
        if name == "held":
            keep_secret(network, uid, name, values[0])
        else:
            keep_secret(network, uid, name, "", "--command", "sh -c 'echo >>printed; echo printed-in-run-$(wc -l <printed)-of-it'")
        for paths, value in zip(rows, values):
            ASKED.clear()
            curl(network, uid, [f"open.test:{port} http='GET /**' secret={name}"], *([f"https://open.test:{port}{path}"] for path in paths))
            told_them = [(a["path"], a["headers"]["authorization"]) for a in ASKED]
            assert told_them == [(path, f"Bearer {value}") for path in paths] and not failed, f"{who}: {told_them} {failed}"


LEARNING = """
call() { curl -sS -m 10 -o /dev/null -w '%{http_code} ' "$@"; }
call https://open.test/repos/acme/shop
call https://open.test/repos/acme/shop/issues/$1
call -d x=1 https://open.test/repos/acme/shop/issues/$1/comments
call "https://open.test/files/$2?ref=main"
call -H 'Content-Type: application/json' -d '{"query":"{ me { name } viewer { id } }"}' https://open.test/graphql
call -H 'Content-Type: application/json' -d '{"query":"mutation { createIssue(title: 1) { id } }"}' https://open.test/graphql
"""


@both_users
def what_was_sent_is_learned(network, who, uid):
    """From a grant of everything, and it suffices for another time; what was not sent is not granted then. What is refused is a decision."""
    need("curl", "openssl")
    if network.is_new:
        serve(network)
    keep_secret(network, uid)
    tree, trusts = f"{network.home(uid)}/learned", ("env", f"SSL_CERT_FILE={authority(network)}/ca.pem")
    os.makedirs(tree)
    os.chown(tree, uid, uid)
    first, later = ("17", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), ("4711", "356a192b7913b04c54574d18c28d46e6395428ab")

    def learned(name, grant, *words):
        policy = f"{tree}/{name}.yaml"
        result = network.ambit(uid, "learn", "--no-ledger", "--workspace", tree, "--output", policy, "--connect", grant, "--", *words, before=trusts)
        assert result.returncode == 0, f"{who}: {told(result)}"
        with open(policy, encoding="utf-8") as file:
            return policy, result.stdout, file.read()
    policy, said, text = learned("wide", "open.test:443 rate=100/s http='* /**, GRAPHQL /graphql' graphql='query *, mutation *, subscription *' secret=provider", "sh", "-c", LEARNING, "sh", *first)
    assert said.split() == ["200"] * 6 and all(a["headers"]["authorization"] == f"Bearer {TOKEN}" for a in ASKED[-6:]), f"{who}: {said}"
    lines = ['  - connect: open.test:443', '    rate: 100/s',
             '    http: ["GET /files/*", "GET /repos/acme/shop", "GET /repos/acme/shop/issues/*", "GRAPHQL /graphql", "POST /repos/acme/shop/issues/*/comments"]',
             '    graphql: {query: ["me", "viewer"], mutation: ["createIssue"]}', "    secret: 'provider as bearer'"]
    assert "\n".join(lines) + "\n" in text and TOKEN not in text and first[1] not in text, f"{who}: {text}"
    assert network.ambit(uid, "policy", "check", policy).returncode == 0
    _, said, text = learned("bare", "open.test:443 http='* /**'", "sh", "-c", LEARNING, "sh", *first)  # where GraphQL is not named it is a request like any other
    assert said.split() == ["200"] * 6 and '"POST /graphql"' in text and "graphql:" not in text, f"{who}: {said} {text}"
    more = "call -X DELETE https://open.test/repos/acme/shop; call https://open.test/user; call -H 'Content-Type: application/json' -d '{\"query\":\"mutation { volumeDelete }\"}' https://open.test/graphql"
    result = network.run(uid, "--policy", policy, "--workspace", tree, "--", "sh", "-c", LEARNING + more, "sh", *later, before=trusts)
    assert result.stdout.split() == ["200"] * 6 + ["403"] * 3, f"{who}: {told(result)}"
    # what a narrow grant refuses
    more = f"call -H 'Authorization: Bearer {STOLEN}' https://open.test/repos/acme/shop; call https://open.test/ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    _, said, text = learned("narrow", "open.test:443 http='GET /repos/**, GRAPHQL /graphql' graphql='query me, query viewer'", "sh", "-c", LEARNING + more, "sh", *first)
    assert said.split() == ["200", "200", "403", "403", "200", "403", "403", "403"], f"{who}: {said}"
    decide = [line.split("  -- ")[0] for line in text.splitlines() if line.startswith("# decide: connect")]
    assert decide == [f"# decide: connect: open.test:443 with {what}" for what in
                      ("graphql: [mutation createIssue]", "http: [GET /files/*]", "http: [POST /repos/acme/shop/issues/*/comments]")], f"{who}: {text}"
    assert STOLEN not in text and "ghp_" not in text and '    http: ["GET /repos/acme/shop", "GET /repos/acme/shop/issues/*", "GRAPHQL /graphql"]\n' in text, f"{who}: {text}"


TARGETS = [("A_B", "/a"), ("GRAPHQL", "/b"), ("GET", "/%22%5D,%20DELETE%20/x"), ("GET", "/*"), ("GET", "/**"), ("GET", "/%2A%2A/c"), ("GET", "/'%20--%20"), ("GET", "/%C2%9B31m%E2%80%AE"),
           ("GET", "/bot1:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/x"), ("GET", "/%67hp_16C7e42F292c6912E7710c838347Ae178B4a")]


@both_users
def what_is_learned_is_no_wider_for_what_was_sent(network, who, uid):
    """What would be another rule, or another line, where it is written. As wide as its grant it is where too many kinds were sent, and it says so."""
    need("curl", "openssl")
    if network.is_new:
        serve(network)
    tree = f"{network.home(uid)}/sent"
    os.makedirs(tree)
    os.chown(tree, uid, uid)

    def learned(name, script):
        policy = f"{tree}/{name}.yaml"
        result = network.ambit(uid, "learn", "--no-ledger", "--workspace", tree, "--output", policy, "--connect", "open.test:443 http='* /**'", "--", "sh", "-c", script,
                               before=("env", f"SSL_CERT_FILE={authority(network)}/ca.pem"))
        assert result.returncode == 0, f"{who}: {told(result)}"
        assert network.ambit(uid, "policy", "check", policy).returncode == 0, f"{who}, {name}"
        with open(policy, encoding="utf-8") as file:
            return result.stdout, file.read()
    calls = "".join(f"curl -gsS -m 10 -o /dev/null -w '%{{http_code}} ' --path-as-is -X {m} \"https://open.test{t}\"\n" for m, t in TARGETS)
    said, text = learned("few", calls)
    assert said.split() == ["501"] * 2 + ["200"] * 7 + ["403"], f"{who}: {said}"  # the server knows neither method
    rules = ["GET /%22%5D%2C%20DELETE%20/x", "GET /%27%20--%20", "GET /%2A", "GET /%2A%2A", "GET /%2A%2A/c", "GET /bot1:*/x", "GET /%C2%9B31m%E2%80%AE"]
    http = ", ".join(f'"{r}"' for r in rules)
    assert f"  - connect: open.test:443\n    # A method that no rule can name was used, and is not granted.\n    http: [{http}]\n" in text and "AAHdq" not in text and "ghp_" not in text, f"{who}: {text}"
    said, text = learned("many", "for i in $(seq 40); do set -- \"$@\" https://open.test/p$i; done; curl -sS -m 10 \"$@\" >/dev/null && echo ok")
    assert said == "ok\n" and "    # Not all that was sent could be told: here stands what was granted.\n    http: [\"* /**\"]\n" in text, f"{who}: {said} {text}"
    said, text = learned("none", "curl -sS -m 10 -o /dev/null -w '%{http_code}' https://open.test/%2e%2e/a")
    assert "- connect" not in text and "# decide: connect: open.test:443 with http='* /**'  -- " in text, f"{who}: {said} {text}"


SCENARIOS = [the_wipe, a_secret_is_read_once_in_an_event, what_is_learned_is_no_wider_for_what_was_sent, what_was_sent_is_learned, a_form_has_the_secret, a_rate_is_of_requests, what_a_rule_means_passes, bodies_stream_both_ways, a_host_that_does_not_prove_itself_gets_nothing,
             a_later_connection_resumes_that_hosts_session_alone]


if __name__ == "__main__":
    main(SCENARIOS)
