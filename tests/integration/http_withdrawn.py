#!/usr/bin/env python3
"""A grant with rules and a secret is withdrawn while its connections are in the midst of something, by HTTP/1.1, HTTP/2 and WebSocket.

usage: http_withdrawn.py AMBIT    (TAP on standard output; as root, whose scenarios run ambit as root and as another)
"""

import contextlib
import json
import os
import select
import socketserver
import subprocess
import time

from grant import Running, as_user, await_, events, listed, said
from harness import main, need, told
from http_rules import ASKED, TOKEN, Provider, authority, keep_secret, serve
from network import PATIENCE, PUBLIC, both_users

HOSTS = ("open.test", "a.open.test")  # what is withdrawn, and its twin, which goes on


class Dripping(Provider):
    """Answers that do not end, and a WebSocket; `ENDS` says which of them were broken off."""
    ENDS = []

    def setup(self):
        self.request.suppress_ragged_eofs = False  # a connection that is cut is no end that TLS was told
        super().setup()

    def say(self, asked):
        if self.path not in ("/drip", "/live"):
            super().say(asked)
            return
        self.close_connection = True
        try:
            self.drip() if self.path == "/drip" else self.live()
            self.ENDS.append((self.headers["Host"], self.path, "ended"))
        except OSError:
            self.ENDS.append((self.headers["Host"], self.path, "broken"))

    def drip(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(PATIENCE * 200):
            self.wfile.write(b"5\r\ndrop\n\r\n")
            time.sleep(0.02)
        self.wfile.write(b"0\r\n\r\n")

    def live(self):
        """Without keys, and what is said in it are lines."""
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        while line := self.rfile.readline():
            self.wfile.write(line)


TWO = """
const [cert, key, address, log] = process.argv.slice(1), fs = require('fs');
const server = require('http2').createSecureServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
const note = (what) => fs.appendFileSync(log, JSON.stringify(what) + '\\n');
server.on('stream', (stream, headers) => {
    const host = headers[':authority'].split(':')[0], path = headers[':path'];
    note({ host, path, credential: headers.authorization });
    stream.on('error', () => {});
    stream.respond({ ':status': 200 });
    if (path !== '/drip') { stream.end('answer'); return; }
    const drops = setInterval(() => stream.write('drop '), 20);
    stream.on('close', () => { clearInterval(drops); note({ host, ended: true }); });
});
server.on('sessionError', () => {});
server.listen(444, address, () => console.log('ready'));
process.stdin.on('end', () => process.exit()).resume();
"""

CLIENT_TWO = """
const http2 = require('http2'), hosts = process.argv.slice(1);
const ask = (session, path) => new Promise((done) => {
    const stream = session.request({ ':path': path });
    let status = 0, text = '';
    stream.on('response', (headers) => { status = headers[':status']; });
    stream.on('data', (piece) => { text += piece; });
    stream.on('error', () => {});
    stream.on('close', () => done([status, text]));
});
const open = (host) => new Promise((done) => {
    const session = http2.connect('https://' + host + ':444');
    session.on('error', () => done(session));
    session.on('connect', () => done(session));
});
const quiet = (f) => Promise.resolve().then(f).catch((e) => [0, e.code]);
const drip = async (host) => {
    const session = await open(host), stream = session.request({ ':path': '/drip' }), met = { drops: 0 };
    stream.on('error', (e) => { met.error = e.code; });
    stream.on('data', (piece) => { met.drops += piece.length; });
    stream.on('end', () => { met.ended = true; });
    met.closed = new Promise((done) => stream.on('close', done));
    await new Promise((done) => stream.once('data', done));
    return { host, session, met };
};
const more = async (met) => {
    const had = met.drops;
    while (met.drops < had + 50 && !met.ended) await new Promise((done) => setTimeout(done, 20));
    return met.drops >= had + 50;
};
(async () => {
    const [gone, twin] = await Promise.all(hosts.map(drip));
    console.log('loaded');
    await new Promise((done) => process.stdin.once('data', done));
    await gone.met.closed;
    const told = { ended: gone.met.ended || false, error: gone.met.error || '', same: await quiet(() => ask(gone.session, '/same')), anew: await quiet(async () => ask(await open(gone.host), '/anew')) };
    console.log(JSON.stringify([told, { more: await more(twin.met), same: await quiet(() => ask(twin.session, '/same')), anew: await quiet(async () => ask(await open(twin.host), '/anew')) }]));
    process.exit();
})();
"""

# Three connections to each host: an answer that does not end, a WebSocket, and one that is used again later.
CLIENT = """
import json, socket, ssl, subprocess, sys
hosts, two = sys.argv[1:3], subprocess.Popen(["node", "-e", sys.argv[3], *sys.argv[1:3]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def tls(host):
    context = ssl.create_default_context()
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    s = context.wrap_socket(socket.create_connection((host, 443), 10), server_hostname=host, suppress_ragged_eofs=False)
    s.settimeout(30)
    return s
def ask(s, host, path, *more):
    s.sendall("\\r\\n".join((f"GET {path} HTTP/1.1", f"Host: {host}", *more, "", "")).encode())
def upto(s, wanted):
    text = b""
    while wanted not in text:
        piece = s.recv(65536)
        assert piece, f"{text}: an end"
        text += piece
    return text.decode()
def tried(f):
    try:
        return f()
    except (OSError, AssertionError) as e:
        return f"{type(e).__name__}"
def rest(s):
    text = b""
    try:
        while piece := s.recv(65536):
            text += piece
        return "an end: " + text.decode()[-20:]
    except OSError as e:
        return type(e).__name__
def status(s, host, path):
    ask(s, host, path)
    return upto(s, b'"length": 0}').split()[1]
begun = {}
for host in hosts:
    drip, live, idle = (tls(host) for _ in range(3))
    ask(drip, host, "/drip")
    upto(drip, b"drop\\n")
    ask(live, host, "/live", "Connection: Upgrade", "Upgrade: websocket")
    upto(live, b"101 Switching Protocols")
    live.sendall(b"hello\\n")
    upto(live, b"hello\\n")
    assert status(idle, host, "/idle") == "200"
    begun[host] = drip, live, idle
assert two.stdout.readline() == "loaded\\n"
print("loaded", flush=True)
sys.stdin.readline()
gone, twin = (begun[host] for host in hosts)
two.stdin.write("go\\n")
two.stdin.flush()
met = [{"drip": rest(gone[0]), "live": rest(gone[1])}, {"drip": tried(lambda: upto(twin[0], b"drop\\n")[-7:-2])}]
twin[1].sendall(b"still\\n")
met[1]["live"] = tried(lambda: upto(twin[1], b"still\\n"))
for told, (_, _, idle), host in zip(met, (gone, twin), hosts):
    told["idle"] = tried(lambda: status(idle, host, "/later"))
    told["new"] = tried(lambda: status(tls(host), host, "/new"))
print(json.dumps([met, json.loads(two.stdout.readline())]), flush=True)
sys.stdin.readline()
"""


def serve_two(network, log):
    top = authority(network)
    open(log, "w").close()
    with network.world():
        server = subprocess.Popen(["node", "-e", TWO, f"{top}/good.pem", f"{top}/good.key", PUBLIC, log], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout.readline() == b"ready\n"
    return server


def lines(log):
    with open(log, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def it_is_told(network, who, uid, record, event):
    with open(record, encoding="utf-8") as file:
        kept = file.read()
    told_of = json.loads(kept)
    assert TOKEN not in kept, f"{who}: the secret is in the record"
    assert {g["object"] for g in told_of["grants"] if "withdrawn" in g} == {"open.test:443", "open.test:444"}, f"{who}: {told_of['grants']}"
    connects = {(e["address"], e["verdict"], e.get("why")) for e in told_of["effects"] if e["kind"] == "connect" and e["source"] == "proved"}
    assert connects == {(f"inet {host}:{port}", "allowed", None) for host in HOSTS for port in (443, 444)} | \
        {(f"inet open.test:{port}", "denied", "withdrawn") for port in (443, 444)}, f"{who}: {connects}"
    requests = {e["request"]: e["count"] for e in told_of["effects"] if e["kind"] == "request"}
    assert requests == {"inet open.test:443 GET /** 200": 2, "inet open.test:443 GET /** 101": 1, "inet open.test:444 GET /** 200": 1,
                        "inet a.open.test:443 GET /** 200": 4, "inet a.open.test:443 GET /** 101": 1, "inet a.open.test:444 GET /** 200": 3}, f"{who}: {requests}"

    def ledger(*words):
        result = network.place.run(*as_user(uid), network.place.ambit, "ledger", *words, "--ledger", f"{network.home(uid)}/ledger", cwd="/")
        assert result.returncode == 0, f"{who}, {words}: {told(result)}"
        return result.stdout
    entries = [json.loads(line) for line in ledger("show", "--event", event, "--type", "revoke", "--json").splitlines()]
    assert [e.get("entry", e)["body"] for e in entries] == [{"by": uid, "connections": 3}, {"by": uid, "connections": 1}], f"{who}: {entries}"
    ledger("verify")
    ledger("replay")


@both_users
def what_is_withdrawn_ends_in_its_midst(network, who, uid):
    need("node", "openssl")
    if network.is_new:
        serve(network, handler=Dripping)
    keep_secret(network, uid)
    ASKED.clear()
    Dripping.ENDS.clear()
    record, log = f"{network.home(uid)}/record.json", f"{network.top}/two-{uid}"
    server = serve_two(network, log)
    grants = [w for host in HOSTS for port in (443, 444) for w in ("--connect", f"{host}:{port} http='GET /**' secret=provider")]
    network.place.settings["SSL_CERT_FILE"] = f"{authority(network)}/ca.pem"
    try:
        with Running(network, uid, "--record", record, "--run", "node", *grants, "--", "python3", "-c", CLIENT, *HOSTS, CLIENT_TWO) as run:
            assert run.line() == "loaded"
            (event,) = events(network, uid)
            live = {g["object"]: g["connections"] for g in listed(network, uid, event) if g["verb"] == "connect"}
            assert live == {"open.test:443": 3, "a.open.test:443": 3, "open.test:444": 1, "a.open.test:444": 1}, f"{who}: {live}"
            begun, begun_two = [a for a in ASKED if a["headers"]["host"] == "open.test"], [a for a in lines(log) if a["host"] == "open.test"]
            for port, count in ((443, "3 connections"), (444, "1 connection")):
                out = said(network, uid, "revoke", event, f"open.test:{port}")
                assert out == f"withdrawn: connect open.test:{port}, {count} closed\n", f"{who}: {out}"
            # the host sees that both are broken off; no end is said
            await_(lambda: f"{who}: {Dripping.ENDS}", lambda: len(Dripping.ENDS) == 2)
            assert sorted(Dripping.ENDS) == [("open.test", "/drip", "broken"), ("open.test", "/live", "broken")], f"{who}: {Dripping.ENDS}"
            run.process.stdin.write("\n")
            run.process.stdin.flush()
            one, two = json.loads(run.line())
            err = run.end()
        # and so does the program
        assert "Error" in one[0]["drip"] and "Error" in one[0]["live"] and not two[0]["ended"] and two[0]["error"], f"{who}: {one[0]} {two[0]}"
        assert one[0]["idle"] != "200" and one[0]["new"] in ("ConnectionResetError", "SSLEOFError", "BrokenPipeError"), f"{who}: {one[0]}"
        assert two[0]["same"][0] == two[0]["anew"][0] == 0, f"{who}: {two[0]}"
        assert one[1] == {"drip": "drop\n", "live": "still\n", "idle": "200", "new": "200"} and \
            two[1] == {"more": True, "same": [200, "answer"], "anew": [200, "answer"]}, f"{who}: the twin: {one[1]} {two[1]}"
        assert "withdrawn: connect open.test:443" in err, f"{who}: {err}"
        # what was sent with the secret before is all that ever was
        assert [a for a in ASKED if a["headers"]["host"] == "open.test"] == begun and {a["headers"]["authorization"] for a in begun} == {f"Bearer {TOKEN}"}, f"{who}: {ASKED}"
        assert [a for a in lines(log) if a["host"] == "open.test" and "path" in a] == begun_two and begun_two[0]["credential"] == f"Bearer {TOKEN}", f"{who}: {lines(log)}"
        assert {a["headers"]["authorization"] for a in ASKED} == {f"Bearer {TOKEN}"} and len(ASKED) == 8, f"{who}: {ASKED}"
        it_is_told(network, who, uid, record, event)
    finally:
        server.kill()
        server.wait()


# One connection whose requests are judged, and one that is relayed alone; each gets something all the time.
DRIPS = """
import socket, ssl, sys, threading
tls = ssl.create_default_context().wrap_socket(socket.create_connection(("open.test", 443), 10), server_hostname="open.test")
tls.sendall(b"GET /drip HTTP/1.1\\r\\nHost: open.test\\r\\n\\r\\n")
plain = socket.create_connection(("open.test", 7001), 10)
def tell(word, s):
    while s.recv(1000):
        print(word, flush=True)
for word, s in (("judged", tls), ("relayed", plain)):
    threading.Thread(target=tell, args=(word, s), daemon=True).start()
sys.stdin.readline()
"""


class Drops(socketserver.BaseRequestHandler):
    def handle(self):
        with contextlib.suppress(OSError):
            while True:
                self.request.sendall(b"x")
                time.sleep(0.01)


def passing(run):
    """How often each process of this run that lets something pass was awake: other tests have theirs at the same time."""
    found, parents = {}, {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
                about = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                name = os.path.basename(file.read().split(b"\0")[0].decode())
            parents[int(pid)] = int(about["PPid"])
            if name in ("ambit-net", "ambit-http"):
                found[int(pid), name] = int(about["voluntary_ctxt_switches"])

    def is_of_run(pid):
        while parents.get(pid, 1) > 1:
            pid = parents[pid]
        with contextlib.suppress(OSError):  # a supervisor, which is nobody's child, in this test's network
            return os.stat(f"/proc/{pid}/ns/net").st_ino == os.stat(f"/proc/{run.process.pid}/ns/net").st_ino
        return False

    return {k: n for k, n in found.items() if is_of_run(k[0])}


def told_during(run, seconds):
    """The words that came in this time."""
    words, end = set(), time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([run.process.stdout], [], [], left)[0]:
            words |= set(os.read(run.process.stdout.fileno(), 1 << 20).decode().split())
    return words


@both_users
def what_is_frozen_passes_nothing(network, who, uid):
    need("openssl")
    if network.is_new:
        serve(network, handler=Dripping)
        network.serve(Drops, 7001)
    keep_secret(network, uid)
    network.place.settings["SSL_CERT_FILE"] = f"{authority(network)}/ca.pem"
    home = network.home(uid)

    def word(*words):
        result = network.place.run(*as_user(uid), "env", f"HOME={home}", network.place.ambit, *words, "--json", cwd="/")
        assert result.returncode == 0, f"{who}, {words}: {told(result)}"
        return [e["result"] for e in json.loads(result.stdout)["events"]]

    with Running(network, uid, "--connect", "open.test:443 http='GET /**' secret=provider", "--connect", "open.test:7001", "--", "python3", "-c", DRIPS) as run:
        for _ in range(2):
            assert told_during(run, 1.5) == {"judged", "relayed"}, f"{who}: not both run"
            assert word("freeze", "last") == ["frozen"]
            told_during(run, 0.3)  # what was said before
            ours = passing(run)
            assert {name for _, name in ours} == {"ambit-net", "ambit-http"}, f"{who}: {ours}"
            assert told_during(run, 1) == set()
            assert (after := passing(run)) == ours, f"{who}: they woke up: {ours} {after}"
            assert word("thaw", "last") == ["thawed"]
        assert told_during(run, 1.5) == {"judged", "relayed"}, f"{who}: not both go on"
        assert any(n > ours[k] for k, n in passing(run).items() if k in ours), f"{who}: the measure shows nothing"
        assert word("freeze", "last") == ["frozen"] and word("kill", "last") == ["ended"]
        assert run.process.wait(PATIENCE) == 137
    record = network.place.run(*as_user(uid), "env", f"HOME={home}", network.place.ambit, "explain", "last", "--ledger", f"{home}/ledger", cwd="/")
    assert "open.test:7001" in record.stdout and "GET" in record.stdout, f"{who}: what was used is not told: {told(record)}"


SCENARIOS = [what_is_withdrawn_ends_in_its_midst, what_is_frozen_passes_nothing]

if __name__ == "__main__":
    main(SCENARIOS)
