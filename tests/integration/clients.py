#!/usr/bin/env python3
"""Programs as people have them, without settings, through what `--connect` opens: clients.py AMBIT (TAP on standard output).

Each is called as it would be called without Ambit, against a real server that the test starts. A server's certificate is of a test's own
authority, which the host (and by its system base the cell) trusts as it trusts others. Each has its twin: the same command without the
grant fails, in the client's own words. Making a network needs root, whose scenarios run ambit as root, as another, or as one of both."""

import collections
import glob
import hashlib
import io
import json
import os
import pwd
import random
import re
import shutil
import socket
import ssl
import subprocess
import tarfile
import time

from harness import Skip, always, main, need, rooted, told, write
from mounts import in_child
from network import IDS, PUBLIC, PUBLIC6, Echo, Network, Pages
from programs import make_wheel

HERE = os.path.dirname(os.path.abspath(__file__))
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"  # of the cell's system base, too
BIG = 96 << 20  # of zeros
NOBODY = pwd.getpwnam("nobody").pw_uid
GREETING = "hello from the host"
NODE_TRUSTS = ["--run", "node", "--env", f"NODE_EXTRA_CA_CERTS={BUNDLE}"]  # it has authorities of its own, and is told of others without Ambit, too
WHO = random.Random(os.environ.get("AMBIT_SEED")).choice(list(IDS))  # where one user has to do


class Trusting(Network):
    """A network whose host trusts an authority of the test, which says who `open.test` is."""

    def __init__(self, place):
        super().__init__(place)
        need("openssl")
        names = ",".join(f"DNS:{name}.test" for name in ("open", "six", "both"))
        self.openssl("-x509", "-out", "ca.pem", "-keyout", "ca.key", "-subj", "/CN=Test", "-days", "9", "-addext", "keyUsage=keyCertSign")
        self.openssl("-x509", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "cert.pem", "-keyout", "cert.key", "-subj", "/CN=open.test", "-days", "9",
                     "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:false")
        self.trust()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(f"{self.top}/cert.pem", f"{self.top}/cert.key")

    def openssl(self, *words):
        subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *words], cwd=self.top, check=True,
                       capture_output=True)

    def trust(self):
        """As `update-ca-certificates` would: a bundle, and links by hash."""
        certs = f"{self.top}/certs"
        os.makedirs(f"{certs}/java")
        shutil.copy(f"{self.top}/ca.pem", f"{certs}/{os.path.basename(BUNDLE)}")
        subprocess.run(["openssl", "rehash", certs], check=True, capture_output=True)
        subprocess.run(["mount", "--bind", certs, "/etc/ssl/certs"], check=True)

    def serve_tls(self, handler, port):
        """The handshake is the handler's, so that a client who is slow in it keeps nobody waiting."""
        class OverTls(handler):
            def setup(this):
                this.request = self.tls.wrap_socket(this.request, server_side=True)
                super().setup()
        server = self.serve(OverTls, port)
        server.handle_error = lambda *ignored: None  # of clients that break off
        return server

    def given_to(self, uid, name):
        """A directory of that user's."""
        path = f"{self.top}/{name}-{uid}"
        os.makedirs(path)
        os.chown(path, uid, uid)
        return path


# command: for a shell; says: its output has; refused: what it has without the grant.
Row = collections.namedtuple("Row", "name command says refused")


def run_rows(network, uid, rows, *words):
    """All in one event: [(status, output)]."""
    script = "".join(f"printf '\\n== {i}\\n'; ( {row.command}\n) 2>&1; printf '\\n-- %d\\n' $?\n" for i, row in enumerate(rows))
    result = network.run(uid, *words, "--", "bash", "-c", script)
    found = re.findall(r"\n== \d+\n(.*?)\n-- (\d+)\n", result.stdout, re.S)
    assert len(found) == len(rows), told(result)
    return [(int(status), output) for output, status in found], result


def failing(rows, found, how, why):
    for row, (status, output) in zip(rows, found):
        assert status != 0 and re.search(how or row.refused, output), f"{row.name}, {why}: status {status}, said {output[-1500:]}"


def reach(network, who, rows, *words, grants):
    """Each row does what it says by these grants."""
    found, result = run_rows(network, IDS[who], rows, *words, *(word for grant in grants for word in ("--connect", grant)))
    for row, (status, output) in zip(rows, found):
        assert status == 0 and row.says in output, f"{who}, {row.name}: status {status}, said {output[-1500:]}\n{result.stderr[-1500:]}"


def all_reach(network, users, rows, *words, grants):
    """And without them says that it cannot."""
    for who in users:
        reach(network, who, rows, *words, grants=grants)
    failing(rows, run_rows(network, IDS[WHO], rows, *words)[0], None, f"without the grant ({WHO})")


# ---- servers ----


class Site(Pages):
    """What it is asked for by path: a page, much, what came, the client's own port (the same for each request of one connection)."""
    disable_nagle_algorithm = True  # a head and a body are two writes

    def do_GET(self):
        if self.path == "/big":
            return self.much()
        if self.headers.get("Upgrade") == "echo":
            return self.upgraded()
        return self.answer(str(self.client_address[1]) if self.path == "/port" else GREETING + "\n")

    def do_PUT(self):
        self.answer(self.digest_of(int(self.headers["Content-Length"])))

    def do_POST(self):
        self.do_PUT()

    def answer(self, body, kind="text/plain", status=200):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def digest_of(self, left):
        digest = hashlib.sha256()
        while left > 0 and (piece := self.rfile.read(min(left, 1 << 20))):
            left -= len(piece)
            digest.update(piece)
        return digest.hexdigest()

    def much(self):
        self.send_response(200)
        self.send_header("Content-Length", str(BIG))
        self.end_headers()
        for _ in range(BIG >> 20):
            self.wfile.write(bytes(1 << 20))

    def upgraded(self):
        """As for a WebSocket: from here on the connection is both sides' to speak on, as they like."""
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst\n")
        while line := self.rfile.readline():
            self.wfile.write(line.upper())
        self.close_connection = True


HTTP2_SERVER = """
const fs = require('fs'), [cert, key] = process.argv.slice(1).map(name => fs.readFileSync(name));
const server = require('http2').createSecureServer({ cert, key }, (asked, answer) => answer.end('hello from the host\\n'));
server.listen(8443, () => console.log('listens'));"""
HTTP2_CLIENT = """
const session = require('http2').connect('https://open.test:8443');
session.on('error', e => { console.log(e); process.exit(1) });
let left = 100;
for (let i = 0; i < 100; i++)
  session.request({ ':path': '/' }).on('data', () => {}).on('end', () => { if (--left == 0) { console.log('100 streams'); session.close(); } });"""


class Git(Site):
    """git's own server of its smart protocol, as a program of the web server (RFC 3875)."""
    root = None

    def do_GET(self):
        path, _, query = self.path.partition("?")
        environment = {**os.environ, "GIT_PROJECT_ROOT": self.root, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
                       "REQUEST_METHOD": self.command, "CONTENT_TYPE": self.headers.get("Content-Type", ""), "REMOTE_USER": "somebody",
                       "REMOTE_ADDR": self.client_address[0], "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                       "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory",
                       "GIT_CONFIG_VALUE_0": "*"}
        done = subprocess.run(["git", "http-backend"], input=self.body(), env=environment, stdout=subprocess.PIPE, check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.answer(body, fields["Content-Type"], int(fields.get("Status", "200").split()[0]))

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def do_POST(self):
        self.do_GET()


def tarball():
    """What `npm pack` would make of a package with one file."""
    files = {"package.json": json.dumps({"name": "greeter", "version": "1.0.0", "main": "index.js"}), "index.js": "module.exports = 'greetings';\n"}
    room = io.BytesIO()
    with tarfile.open(fileobj=room, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"package/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return room.getvalue()


class Index(Site):
    """One package for pip (PEP 503), one for npm."""
    wheel, package = None, tarball()

    def do_GET(self):
        name = os.path.basename(self.wheel)
        about = {"name": "greeter", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {
            "name": "greeter", "version": "1.0.0", "dist": {"tarball": "https://open.test/npm/greeter/-/greeter-1.0.0.tgz",
                                                            "shasum": hashlib.sha1(self.package).hexdigest()}}}}
        with open(self.wheel, "rb") as file:
            known = {"/simple/greeter/": (f'<!DOCTYPE html><a href="/files/{name}">{name}</a>', "text/html"), f"/files/{name}": (file.read(), "application/zip"),
                     "/npm/greeter": (json.dumps(about), "application/json"), "/npm/greeter/-/greeter-1.0.0.tgz": (self.package, "application/gzip")}
        if self.path in known:
            self.answer(*known[self.path])
        else:
            self.answer("none such", status=404)

    def do_POST(self):
        """npm asks what is known against what it installs: nothing is."""
        self.digest_of(int(self.headers["Content-Length"]))
        self.answer("{}", "application/json")


# ---- clients ----

FETCHED = {
    "urllib": "import urllib.request\nprint(urllib.request.urlopen('https://open.test/', timeout=15).read().decode())",
    "requests": "import requests\nwith requests.Session() as s:\n  assert len({s.get('https://open.test/port', timeout=15).text for _ in range(50)}) == 1\n"
                "  print(s.get('https://open.test/').text)",
    "asyncio": """
import asyncio
async def one():
    reader, writer = await asyncio.open_connection('open.test', 443, ssl=True)
    writer.write(b'GET / HTTP/1.0\\r\\n\\r\\n')
    said = await reader.read()
    writer.close()
    return said.endswith(b'hello from the host\\n')
async def many():
    assert all(await asyncio.gather(*(one() for _ in range(30))))
    print('hello from the host')
asyncio.run(many())""",
}
NODE = {
    "fetch": "fetch('https://open.test/').then(r => r.text()).then(console.log, e => { console.log(e.cause); process.exit(1) })",
    "agent that keeps": """
const https = require('https'), agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
const one = () => new Promise((done, failed) => https.get('https://open.test/port', { agent }, r => {
  let text = ''; r.on('data', d => text += d).on('end', () => setImmediate(done, text)); }).on('error', failed));
(async () => { const ports = new Set(); for (let i = 0; i < 20; i++) ports.add(await one());
  console.log(ports.size == 1 ? 'hello from the host' : ports); agent.destroy(); })().catch(e => { console.log(e); process.exit(1) })""",
    "upgrade": """
const r = require('https').request('https://open.test/', { headers: { Connection: 'Upgrade', Upgrade: 'echo' } });
r.on('error', e => { console.log(e); process.exit(1) });
r.on('upgrade', (answer, s, head) => { let said = head.toString(); s.write('hello ');
  setTimeout(() => s.end('from the host\\n'), 50);
  s.on('data', d => said += d).on('end', () => console.log(said.toLowerCase())); });
r.end();""",
}
GO = """package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	answer, err := http.Get(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	io.Copy(os.Stdout, answer.Body)
}
"""
NO_NAME = "(?i)name or service not known|name does not resolve|try again|no address associated|could not resolve|unable to resolve|temporary failure in name|ENOTFOUND|EAI_AGAIN"


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def built(network, name, *command, source):
    """A static program."""
    path = f"{network.top}/bin/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    done = subprocess.run([*command, "-o", path, source], capture_output=True, text=True,
                          env={**os.environ, "GOCACHE": f"{network.top}/cache", "GO111MODULE": "off", "HOME": network.top}, check=False)
    assert done.returncode == 0, told(done)
    with open(path, "rb") as file:
        assert b"/lib64/ld-linux" not in file.read(), f"{name} is not static"
    return path


@always
@rooted
@in_child
def what_fetches_over_tls(place):
    """curl, wget, and Python's own, requests and asyncio."""
    network = Trusting(place)
    need("curl", "wget")
    if subprocess.run(["/usr/bin/python3", "-c", "import requests"], capture_output=True, check=False).returncode != 0:
        raise Skip("python3-requests is not installed")
    network.serve_tls(Site, 443)
    rows = [Row("curl", "curl -sS https://open.test/", GREETING, NO_NAME), Row("wget", "wget -nv -O - https://open.test/", GREETING, NO_NAME)]
    pythons = [Row(name, f"python3 -c {quoted(text)}", GREETING, NO_NAME) for name, text in FETCHED.items()]
    all_reach(network, [WHO], rows + pythons, grants=["open.test:443"])
    reach(network, next(who for who in IDS if who != WHO), rows, grants=["open.test:443"])
    failing(rows, run_rows(network, IDS[WHO], rows, "--connect", "open.test:444")[0], "(?i)refused|couldn't connect", "on another port")


@always
@rooted
@in_child
def a_static_program_of_musl(place):
    """Connects that do not block, epoll, an end in one direction; two thousand short connections."""
    network = Network(place)
    need("musl-gcc")
    network.serve(Echo, 7000)
    musl = built(network, "dialing", "musl-gcc", "-static", "-O2", source=f"{HERE}/dialing.c")
    rows = [Row("musl", f"{musl} open.test 7000 hello", "ready\nhello5", NO_NAME),
            Row("musl, many", f"{musl} open.test 7000 hello 2000", "2000 whole", NO_NAME)]
    all_reach(network, [WHO], rows, f"--run={musl}", grants=["open.test:7000"])
    # its connection is accepted before anybody knows that nobody is there
    nobody = [Row("musl", f"{musl} open.test 7001 hello", "", "")]
    failing(nobody, run_rows(network, IDS[WHO], nobody, f"--run={musl}", "--connect", "open.test:7001")[0], "reset by peer", "where nobody listens")


@rooted
@in_child
def a_static_program_of_go(place):
    """Its own resolver, its own TLS. Debian's packages of its library are used as they are, which saves their compilation."""
    network = Trusting(place)
    need("go")
    network.serve_tls(Site, 443)
    write(f"{network.top}/fetching.go", GO)
    go = built(network, "fetching", "go", "build", "-ldflags", "-s -w -linkmode external -extldflags -static", source=f"{network.top}/fetching.go")
    rows = [Row("go", f"{go} https://open.test/", GREETING, "lookup open.test")]
    all_reach(network, [WHO], rows, f"--run={go}", grants=["open.test:443"])


@always
@rooted
@in_child
def node_by_its_own_ways(place):
    """fetch, an agent that keeps its connection, an upgraded one; names asked of the system, and of name servers (c-ares)."""
    network = Trusting(place)
    need("node")
    network.serve_tls(Site, 443)
    rows = [Row(name, f"node -e {quoted(text)}", GREETING, NO_NAME) for name, text in NODE.items()]
    all_reach(network, [WHO], rows, *NODE_TRUSTS, grants=["open.test:443"])
    cares = "require('dns').resolve4('open.test', (e, found) => console.log(e ? e.code : found))"
    (status, output), = run_rows(network, IDS[WHO], [Row("", f"node -e {quoted(cares)}", "", "")], "--run", "node", "--connect", "open.test:443")[0]
    assert (status, output) == (0, "ECONNREFUSED\n"), f"no name server is there for exact names, and it said {status}, {output}"


@always
@rooted
@in_child
def http_2(place):
    network = Trusting(place)
    need("node", "curl")
    with network.world():
        server = subprocess.Popen(["node", "-e", HTTP2_SERVER, f"{network.top}/cert.pem", f"{network.top}/cert.key"], stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "listens\n"
    rows = [Row("curl", "curl -sS -w '%{http_version}' https://open.test:8443/", "from the host\n2", NO_NAME),
            Row("node", f"node -e {quoted(HTTP2_CLIENT)}", "100 streams", NO_NAME)]
    try:
        all_reach(network, [WHO], rows, *NODE_TRUSTS, grants=["open.test:8443"])
    finally:
        server.kill()


@rooted
@in_child
def git_over_https(place):
    network = Trusting(place)
    need("git")
    Git.root = network.given_to(0, "git")
    network.serve_tls(Git, 443)
    project = f"{Git.root}/project.git"
    script = f"git init -q --bare -b main {project}; git -C {project} config http.receivepack true; git clone -q {project} first; cd first; " \
             "head -c 3M /dev/urandom >data; git add data; git -c user.name=a -c user.email=a@b commit -qm one; git push -q origin HEAD:main"
    done = subprocess.run(["sh", "-ec", script], cwd=network.top, capture_output=True, text=True, check=False)
    assert done.returncode == 0, told(done)
    at = network.given_to(IDS[WHO], "work")
    rows = [Row("clone, push, fetch", f"at=$(mktemp -d -p {at}) && git clone -q https://open.test/project.git $at && cd $at && head -c 2M /dev/urandom >more && git add more &&"
                "git -c user.name=b -c user.email=b@b commit -qm two && git push -q origin HEAD:other && git fetch -q && git log --format=%s origin/other",
                "two\none", NO_NAME)]
    all_reach(network, [WHO], rows, "--work", at, "--direct", grants=["open.test:443"])
    done = subprocess.run(["git", "log", "--format=%s", "other"], cwd=project, capture_output=True, text=True, check=False)
    assert done.stdout == "two\none\n", told(done)


def installs(network, name, command, says):
    """Into a directory of its own, from an index of the test's."""
    Index.wheel = make_wheel(network.top)
    network.serve_tls(Index, 443)
    at = network.given_to(IDS[WHO], "work")
    all_reach(network, [WHO], [Row(name, f"cd {at} && {command}", says, NO_NAME)], "--work", at, "--direct", *NODE_TRUSTS, grants=["open.test:443"])


@rooted
@in_child
def pip(place):
    network = Trusting(place)
    need("pip3")
    installs(network, "pip", "pip3 install --retries 1 --index-url https://open.test/simple/ --target site greeter && cd site && "
             "python3 -c 'import greeter; greeter.main()'", "greetings from a wheel")


@rooted
@in_child
def npm(place):
    network = Trusting(place)
    need("npm")
    installs(network, "npm", "npm install --fetch-retries 0 --registry https://open.test/npm/ greeter && node -p \"require('greeter')\"", "greetings")


JAVA = """
import java.net.*;
import java.net.http.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;

public class Client {
    /* Of java.net.http, which is java.nio's; of the older kind; a channel that does not block, with its selector. */
    public static void main(String[] a) throws Exception {
        System.out.print("new " + HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create("https://open.test/")).build(),
                                                                 HttpResponse.BodyHandlers.ofString()).body());
        System.out.print("old " + new String(new URL("https://open.test/").openStream().readAllBytes()));
        SocketChannel channel = SocketChannel.open();
        Selector selector = Selector.open();
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_CONNECT);
        channel.connect(new InetSocketAddress("open.test", 7000));
        selector.select();
        channel.finishConnect();
        channel.write(ByteBuffer.wrap("hello".getBytes()));
        channel.shutdownOutput();
        channel.register(selector, SelectionKey.OP_READ);
        ByteBuffer room = ByteBuffer.allocate(100);
        while (channel.read(room) >= 0)
            selector.select();
        System.out.println(new String(room.array(), 0, room.position()));
        try {
            new URL("https://six.test/").openStream();
        } catch (UnknownHostException e) {
            System.out.println("no " + e.getMessage());
        }
    }
}
"""


@rooted
@in_child
def java(place):
    network = Trusting(place)
    need("java", "javac")
    network.serve_tls(Site, 443)
    network.serve(Echo, 7000)
    at = network.given_to(IDS[WHO], "java")
    write(f"{at}/Client.java", JAVA)
    store = f"{network.top}/certs/java/cacerts"  # where Debian's Java looks
    done = subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "test", "-file", f"{network.top}/ca.pem", "-keystore", store,
                           "-storetype", "JKS", "-storepass", "changeit"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, told(done)
    result = network.run(IDS[WHO], "--read", at, "--connect", "open.test:443", "--connect", "open.test:7000", "--", "java", f"{at}/Client.java")
    # its twin is within: it takes long to start
    assert result.returncode == 0 and result.stdout == f"new {GREETING}\nold {GREETING}\nready\nhello5\nno six.test\n", f"{WHO}: {told(result)}"


def started(network, *words, **more):
    """A server that runs as another user, as theirs do."""
    with network.world():
        return subprocess.Popen(words, user=NOBODY, group=NOBODY, extra_groups=[], cwd=network.top, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, **more)


def until_there(port):
    for _ in range(300):
        try:
            socket.create_connection((PUBLIC, port), 5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the server of port {port} does not start")


@always
@rooted
@in_child
def redis(place):
    network = Trusting(place)
    need("redis-cli", "redis-check-rdb")
    # the server is the same file by another name, which alone is not in Debian's package of the tools
    server = started(network, "redis-server", "--bind", PUBLIC, "--protected-mode", "no", "--save", "", executable="/usr/bin/redis-check-rdb")
    try:
        until_there(6379)
        rows = [Row("set and get", "redis-cli -h open.test set key value && redis-cli -h open.test get key", "OK\nvalue", NO_NAME),
                Row("pipe", "seq 1 20000 | sed 's/.*/SET k& &/' | redis-cli -h open.test --pipe", "replies: 20000", NO_NAME)]
        all_reach(network, IDS, rows, grants=["open.test:6379"])
    finally:
        server.kill()


@rooted
@in_child
def postgres(place):
    """With TLS that begins within a connection."""
    network = Trusting(place)
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found:
        raise Skip("postgresql is not installed")
    need("psql")
    at = network.given_to(NOBODY, "db")
    programs = os.path.dirname(found[-1])
    for name in ("cert.pem", "cert.key"):
        shutil.copy(f"{network.top}/{name}", at)
        os.chown(f"{at}/{name}", NOBODY, NOBODY)
    assert started(network, f"{programs}/initdb", "-D", f"{at}/data", "-N", "-A", "trust", "-U", "postgres", "--locale", "C").wait() == 0
    write(f"{at}/data/pg_hba.conf", "host all all all trust\n")
    server = started(network, f"{programs}/postgres", "-D", f"{at}/data", "-k", at, "-h", PUBLIC, "-F", "-c", "ssl=on", "-c", f"ssl_cert_file={at}/cert.pem",
                     "-c", f"ssl_key_file={at}/cert.key")
    try:
        until_there(5432)
        psql = "psql -h open.test -U postgres -Atc "
        rows = [Row("query", psql + "'select version from pg_stat_ssl where pid = pg_backend_pid()'", "TLSv1", NO_NAME),
                Row("much", psql + "\"select repeat('x', 1000) from generate_series(1, 10000)\" | wc -c | grep -v '^0'", "10010000", NO_NAME)]
        all_reach(network, [WHO], rows, grants=["open.test:5432"])
    finally:
        server.terminate()
        server.wait()


EYEBALLS = """
import asyncio
async def say():
    reader, writer = await asyncio.open_connection('both.test', 8003, happy_eyeballs_delay=0.25)
    writer.write(b'GET / HTTP/1.0\\r\\n\\r\\n')
    print((await reader.read()).decode())
asyncio.run(say())"""


def black_hole(network, address, port):
    """Nothing is answered there: its queue is full, and nobody accepts."""
    with network.world():
        server = socket.socket(socket.AF_INET6)
        server.bind((address, port))
        server.listen(0)
        waiting = [socket.socket(socket.AF_INET6) for _ in range(4)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex((address, port))
    network.held = [server, *waiting]


@always
@rooted
@in_child
def one_of_two_families_will_do(place):
    """A name with an address of each family, one of which refuses or never answers: clients that would try both are given one, behind which both are tried."""
    network = Trusting(place)
    need("curl")
    network.serve(Site, 8001, PUBLIC)
    network.serve(Site, 8002, PUBLIC6)
    network.serve(Site, 8003, PUBLIC)
    black_hole(network, PUBLIC6, 8003)
    rows = [Row(f"curl, {port}", f"curl -sS http://both.test:{port}/", GREETING, NO_NAME) for port in (8001, 8002, 8003)]
    rows.append(Row("asyncio", f"python3 -c {quoted(EYEBALLS)}", GREETING, NO_NAME))
    if shutil.which("node"):
        fetch = "fetch('http://both.test:8003/').then(r => r.text()).then(console.log, e => { console.log(e.cause); process.exit(1) })"
        rows.append(Row("node", f"node -e {quoted(fetch)}", GREETING, NO_NAME))
    all_reach(network, [WHO], rows, "--run", "node", grants=[f"both.test:{port}" for port in (8001, 8002, 8003)])


@always
@rooted
@in_child
def what_is_large(place):
    """Much in each direction, whole; a connection that is kept, and used again after it was idle."""
    network = Trusting(place)
    need("curl")
    network.serve(Site, 80)
    digest = hashlib.sha256(bytes(BIG)).hexdigest()
    rows = [Row("down", "set -o pipefail; curl -sS http://open.test/big | sha256sum", digest, NO_NAME),
            Row("up", f"set -o pipefail; head -c {BIG} /dev/zero | curl -sS -T - -H 'Transfer-Encoding:' -H 'Content-Length: {BIG}' http://open.test/", digest, NO_NAME),
            Row("again", "set -o pipefail; curl -sS http://open.test/port http://open.test/port --rate 3/s -w '\\n' | uniq -c", " 2 ", NO_NAME)]
    all_reach(network, [WHO], rows, grants=["open.test:80"])


SCENARIOS = [what_fetches_over_tls, a_static_program_of_musl, node_by_its_own_ways, http_2, redis, one_of_two_families_will_do, what_is_large,
             git_over_https, pip, a_static_program_of_go, postgres, npm, java]

if __name__ == "__main__":
    main(SCENARIOS)
