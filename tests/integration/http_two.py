#!/usr/bin/env python3
"""HTTP/2 through the judge of requests: real clients in a cell, and a real server.

usage: http_two.py AMBIT    (TAP on standard output; as root, whose scenarios run ambit as root and as another)
"""

import json
import subprocess

from harness import main, need, told
from http_rules import authority, run
from network import PUBLIC, both_users

SERVER = """
const [cert, key, address, log] = process.argv.slice(1), fs = require('fs');
const server = require('http2').createSecureServer({ maxSessionMemory: 100, cert: fs.readFileSync(cert), key: fs.readFileSync(key) });
server.on('stream', (stream, headers) => {
    let length = 0;
    fs.appendFileSync(log, JSON.stringify(headers) + '\\n');
    stream.on('error', () => {});
    if (headers[':path'] === '/large') { stream.respond({ ':status': 200 }); stream.end(Buffer.alloc(20 << 20)); return; }
    if (headers[':path'] === '/never') { stream.respond({ ':status': 200 }); return; }
    if (headers[':path'] === '/reset') { stream.close(8); return; }
    stream.on('data', (piece) => { length += piece.length; });
    stream.on('end', () => { stream.respond({ ':status': 200, 'x-version': '2' }); stream.end(headers[':path'] + ' ' + length + '\\n'); });
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


SCENARIOS = [real_clients_speak_it]

if __name__ == "__main__":
    main(SCENARIOS)
