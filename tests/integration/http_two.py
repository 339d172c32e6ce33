#!/usr/bin/env python3
"""HTTP/2 through the judge of requests: real clients in a cell, and a real server.

usage: http_two.py AMBIT    (TAP on standard output; as root, whose scenarios run ambit as root and as another)
"""

import base64
import contextlib
import ctypes
import json
import os
import re
import subprocess
import time

from harness import main, need, told
from http_rules import TOKEN, authority, keep_secret, run
from network import PUBLIC, both_users

PR_SET_CHILD_SUBREAPER = 36

SERVER = """
const [cert, key, address, log] = process.argv.slice(1), fs = require('fs');
const server = require('http2').createSecureServer({ allowHTTP1: true, maxSessionMemory: 100, cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
server.on('stream', (stream, headers) => {
    let length = 0;
    fs.appendFileSync(log, JSON.stringify(headers) + '\\n');
    stream.on('error', () => {});
    if (headers[':path'] === '/large') { stream.respond({ ':status': 200 }); stream.end(Buffer.alloc(20 << 20)); return; }
    if (headers[':path'] === '/never') { stream.respond({ ':status': 200 }); return; }
    if (headers[':path'] === '/reset') { stream.close(8); return; }
    let form = '';
    stream.on('data', (piece) => { length += piece.length; if (/^.(form|kept)$/.test(headers[':path'])) form += piece; });
    stream.on('end', () => {
        if (form) { fs.appendFileSync(log, JSON.stringify({ form }) + '\\n'); stream.respond({ ':status': 200 }); stream.end(headers[':path'] === '/form' ? form : 'ok'); return; }
        stream.respond({ ':status': 200, 'x-version': '2' }); stream.end(headers[':path'].split('?')[0] + ' ' + length + '\\n'); });
});
server.on('request', (request, response) => {
    if (request.httpVersionMajor !== 1) return;
    fs.appendFileSync(log, JSON.stringify({ ...request.headers, ':path': request.url, version: 1 }) + '\\n');
    request.on('data', () => {});
    request.on('end', () => response.end('1\\n'));
});
server.listen(443, address, () => console.log('ready'));
"""

CLIENT = """
const session = require('http2').connect('https://open.test');
const ask = (path, body) => new Promise((done) => {
    const stream = session.request({ ':path': path, ':method': body ? 'POST' : 'GET' });
    let status = 0, text = 0;
    stream.on('response', (headers) => { status = headers[':status']; });
    stream.on('data', (piece) => { text += piece.length; });
    stream.on('error', () => {});
    stream.on('close', () => done([path, status, text, stream.rstCode]));
    stream.end(body);
});
(async () => {
    const never = session.request({ ':path': '/never' });
    never.on('error', () => {});
    console.log(JSON.stringify(await Promise.all([ask('/large'), ask('/a'), ask('/up', Buffer.alloc(5 << 20)), ask('/../b'), ask('/reset')])));
    console.log(JSON.stringify(await Promise.all([...Array(90).keys()].map((i) => ask('/many/' + i)))));
    never.close(8);
    session.close();
})();
"""


# Connections of both versions, over which requests went, and which stay.
KEEPER = """
const http2 = require('http2'), https = require('https'), document = '{"query": "{ me }"}', json = { 'content-type': 'application/json' };
const session = http2.connect('https://open.test'), agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
const two = (path, body) => new Promise((done, fail) => {
    const stream = session.request({ ':path': path, ':method': body === undefined ? 'GET' : 'POST', ...json });
    stream.on('data', () => {}).on('error', fail).on('close', done).end(body);
});
const one = (path, body) => new Promise((done, fail) => {
    const request = https.request('https://open.test' + path, { agent, method: body === undefined ? 'GET' : 'POST', headers: json }, (answer) => answer.on('data', () => {}).on('end', done));
    request.on('error', fail).end(body);
});
(async () => {
    const forms = [['/kept', 'a=b'], ['/kept', 'x=%20&'.repeat(9000)], ['/kept', ''], ...[20, 60, 200, 700, 2000].map((n) => ['/kept', 'token=ambit:provider&' + 'y=1&'.repeat(n)])], form = 'application/x-www-form-urlencoded';
    if (process.argv[1]) json['content-type'] = form;
    for (const ask of [two, one])
        for (const row of process.argv[1] ? forms : [['/a'], ['/up', Buffer.alloc(300000, 'u')], ['/document', document], ['/b']])
            await ask(...row);
    console.log('ready');
    process.stdin.on('end', () => process.exit()).resume();
})();
"""


def serve(network):
    """In the world. Gives the file of what it was asked."""
    top, log = authority(network), f"{network.top}/asked"
    open(log, "w").close()
    with network.world():
        server = subprocess.Popen(["node", "-e", SERVER, f"{top}/good.pem", f"{top}/good.key", PUBLIC, log], stdout=subprocess.PIPE)
    assert server.stdout.readline() == b"ready\n"
    return server


def asked(network):
    with open(f"{network.top}/asked") as f:
        return [json.loads(line) for line in f]


@both_users
def real_clients_speak_it(network, who, uid):
    need("node", "curl", "openssl")
    server = serve(network)
    try:
        result = run(network, uid, ["open.test:443 http='* /a, GET /large, GET /never, GET /reset, GET /many/*, POST /up'"], "sh", "-c",
                     "curl -sS -m 20 --http2 -w '%{http_version} %{http_code}\\n' https://open.test/a https://open.test/b && exec node -e \"$1\"", "sh", CLIENT, more=("--run", "node"))
        assert result.returncode == 0, f"{who}: {told(result)}"
        curl, node = result.stdout.split("[[", 1)[0], [json.loads(line) for line in ("[[" + result.stdout.split("[[", 1)[1]).splitlines()]
        assert "/a 0\n2 200" in curl and "is not granted" in curl and "2 403" in curl, f"{who}: {told(result)}"
        assert node[0] == [["/large", 200, 20 << 20, 0], ["/a", 200, 5, 0], ["/up", 200, 12, 0], ["/../b", 400, node[0][3][2], 0], ["/reset", 0, 0, 8]], f"{who}: {node[0]}"
        assert all(row[1] == 200 for row in node[1]) and len(node[1]) == 90, f"{who}: {node[1]}"
        paths = [a[":path"] for a in asked(network)]
        assert "/b" not in paths and paths.count("/a") == 2, paths
    finally:
        server.kill()
        server.wait()


@both_users
def a_resumed_session_is_of_either_version(network, who, uid):
    need("node", "curl", "openssl")
    server = serve(network)
    try:
        versions = ["1.1", "2", "1.1", "1.1", "2", "2", "1.1", "2"]
        result = run(network, uid, ["open.test:443 http='GET /**'"], "sh", "-c", 'for v; do curl -sS -m 20 -o /dev/null -w "%{http_version} %{http_code}\\n" --http$v https://open.test/a; done', "sh", *versions)
        assert result.stdout.splitlines() == [f"{v} 200" for v in versions], f"{who}: {told(result)}"
    finally:
        server.kill()
        server.wait()


def stands_in(pid, texts):
    """Where any of them stands in its memory: (how the kernel calls that, whether it is locked and not dumped)."""
    found, area = [], None
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as areas, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in areas:
            if line.startswith("VmFlags:"):
                flags = set(line.split()[1:])
                (start, end), name = (int(x, 16) for x in area[0].split("-")), area[-1]
                if "rd" in flags and not name.startswith("[v") and end - start < 1 << 30:  # more than it may have is a sanitizer's
                    memory.seek(start)
                    content = memory.read(end - start)
                    found += [(name, flags >= {"lo", "dd"}) for text in texts if text in content]
            elif "-" in line.split()[0]:
                area = line.split()
    return found


def of_this_test(name):
    """The processes of that name that are beneath this one."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                above = int(pid) if file.read().strip() == name else 0
            while above > 1 and above != os.getpid():
                with open(f"/proc/{above}/stat", encoding="utf-8", errors="replace") as file:
                    above = int(file.read().rsplit(")", 1)[1].split()[1])
            if above == os.getpid():
                yield int(pid)


@contextlib.contextmanager
def kept_open(network, uid, terms, *forms):
    """An event whose requests were made, while its connections are open."""
    network.place.home = network.home(uid)
    who = [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    child = subprocess.Popen([*who, "env", "AMBIT_LEDGER=none", f"SSL_CERT_FILE={authority(network)}/ca.pem", network.place.ambit, "run", "--connect", terms, "--run", "node", "--",
                              "node", "-e", KEEPER, *forms], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/", env=network.place.environment(), text=True)
    try:
        said = child.stdout.readline()
        assert said == "ready\n", f"uid {uid}, {terms}: {said} {child.stderr.read()}"
        yield child
    finally:
        child.stdin.close()
        child.wait()


@both_users
def a_secret_stands_in_locked_memory_alone(network, who, uid):
    """After requests by both versions, and while their connections are open. The twin: the server's memory is none of ours, and has it."""
    need("node", "openssl")
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # a supervisor is nobody's child
    keep_secret(network, uid)
    server = serve(network)
    basic = base64.b64encode(f"someone:{TOKEN}".encode())
    try:
        for place in "", " as basic:someone", " as header:x-key:Key", " as query:key":
            terms = f"open.test:443 http='GET /**, POST /up, GRAPHQL /document' graphql='query me' secret='provider{place}'"
            before = len(asked(network))
            with kept_open(network, uid, terms):
                got = [json.dumps(a) for a in asked(network)[before:]]
                assert len(got) == 8 and all(TOKEN in a or basic.decode() in a for a in got), f"{who}{place}: {got}"
                found = [at for pid in of_this_test("ambit-http") for at in stands_in(pid, (TOKEN.encode(), basic))]
                assert found and all(locked for _, locked in found), f"{who}{place}: {found}"
        before = len(asked(network))
        with kept_open(network, uid, "open.test:443 http='POST /kept' secret='provider as basic:someone, provider as form:token'", "forms"):
            got = [json.dumps(a) for a in asked(network)[before:]]
            assert len([a for a in got if f"token={TOKEN}" in a]) == 8 and len([a for a in got if basic.decode() in a]) == 16, f"{who}: {got}"
            found = [at for pid in of_this_test("ambit-http") for at in stands_in(pid, (TOKEN.encode(), basic))]
            assert found and all(locked for _, locked in found), f"{who}, in a form: {found}"
        assert any(not locked for _, locked in stands_in(server.pid, (TOKEN.encode(), basic))), who
    finally:
        server.kill()
        server.wait()


FORMS = """
const session = require('http2').connect('https://open.test');
const ask = (more, body) => new Promise((done) => {
    const stream = session.request({ ':path': '/form', ':method': 'POST', 'content-type': 'application/x-www-form-urlencoded', ...more });
    let status = 0, text = '';
    stream.on('response', (headers) => { status = headers[':status']; });
    stream.on('data', (piece) => { text += piece; });
    stream.on('error', () => {});
    stream.on('close', () => done([status, text.slice(0, 200)]));
    stream.end(body);
});
(async () => {
    const rows = [[{}, 'a=b&c=%2B'], [{}, ''], [{}, 'token=ambit:provider'], [{}, 'token=mine'], [{ 'content-type': 'text/plain' }, 'a=b'], [{ 'content-encoding': 'gzip' }, 'a=b'],
        [{}, 'a b'], [{}, 'x=1&'.repeat(20000)]];
    console.log(JSON.stringify(await Promise.all(rows.map((row) => ask(...row)))));
    console.log(JSON.stringify(await Promise.all([...Array(60).keys()].map((i) => ask({}, 'i=' + i)))));
    session.close();
})();
"""


@both_users
def a_form_has_the_secret(network, who, uid):
    need("node", "openssl")
    server = serve(network)
    try:
        keep_secret(network, uid)
        result = run(network, uid, ["open.test:443 http='POST /form' secret='provider as form:token'"], "node", "-e", FORMS, more=("--run", "node"))
        assert result.returncode == 0, f"{who}: {told(result)}"
        rows, many = map(json.loads, result.stdout.splitlines())
        covered = "token=" + "*" * len(TOKEN)
        assert rows[:3] == [[200, f"a=b&c=%2B&{covered}"], [200, covered], [200, covered]], f"{who}: {rows}"
        assert [status for status, _ in rows[3:]] == [403, 415, 415, 400, 413], f"{who}: {rows}"
        assert many == [[200, f"i={i}&{covered}"] for i in range(60)], f"{who}: {many}"
        sent = [a["form"] for a in asked(network) if "form" in a]
        assert sorted(sent) == sorted([f"a=b&c=%2B&token={TOKEN}", *[f"token={TOKEN}"] * 2, *(f"i={i}&token={TOKEN}" for i in range(60))]), f"{who}: {sent}"
    finally:
        server.kill()
        server.wait()


@both_users
def a_role_that_waits_for_nobody_sleeps(network, who, uid):
    """Its connections are open, and nothing is under way."""
    def turns():
        found = []
        for pid in of_this_test("ambit-http"):
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                found += [int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches")]
        return found
    need("node", "openssl")
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    server = serve(network)
    try:
        with kept_open(network, uid, "open.test:443 http='* /**'"):
            time.sleep(2.5)  # what was begun is over, and looked at once more
            before = turns()
            time.sleep(2.5)
            assert len(before) == 1 and turns() == before, f"{who}: {before} {turns()}"
    finally:
        server.kill()
        server.wait()


@both_users
def without_locked_memory_there_is_no_secret(network, who, uid):
    words = ("run", "--connect", "open.test:443 secret=provider", "--", "echo", "started")
    keep_secret(network, uid)
    for limit, started in (65536, False), (1 << 20, True):
        result = network.ambit(uid, *words, before=("prlimit", f"--memlock={limit}:{limit}", "env", f"SSL_CERT_FILE={authority(network)}/ca.pem"))
        assert (result.returncode == 0 and result.stdout == "started\n") == started, f"{who}: {told(result)}"
        assert started or "ulimit -l" in result.stderr, f"{who}: {told(result)}"


@both_users
def a_rate_is_of_requests(network, who, uid):
    need("node", "curl", "openssl")
    server = serve(network)
    try:
        result = run(network, uid, ["open.test:443 rate=2/h http='GET /a'"], "curl", "-sS", "-m", "20", "--http2", "-D-", *["https://open.test/a"] * 3)
        answers = result.stdout.split("HTTP/2 ")[1:]
        assert [a[:3] for a in answers] == ["200", "200", "429"] and re.search("^retry-after: (1800|179\\d)$", answers[2], re.M), f"{who}: {told(result)}"
        assert '"code":"LIMIT"' in answers[2] and len(asked(network)) == 2, f"{who}: {told(result)}"
    finally:
        server.kill()
        server.wait()


SCENARIOS = [real_clients_speak_it, a_resumed_session_is_of_either_version, a_rate_is_of_requests, a_form_has_the_secret, a_secret_stands_in_locked_memory_alone, without_locked_memory_there_is_no_secret,
             a_role_that_waits_for_nobody_sleeps]

if __name__ == "__main__":
    main(SCENARIOS)
