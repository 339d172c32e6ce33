#!/usr/bin/env python3
"""What a program reaches by `--connect`, and what it does not: real clients against real servers, in a network of the test's own, where some
addresses that belong to everybody are one machine's, the world.

usage: network.py AMBIT    (TAP on standard output; making a network needs root, whose scenarios run ambit as root and as another)
"""

import contextlib
import ctypes
import errno
import hashlib
import http.server
import json
import os
import re
import resource
import selectors
import shutil
import signal
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
import time

from harness import ORDINARY, PATIENCE, Skip, as_either, main, need, told, write
from mounts import in_child, private_mounts

IDS = {"root": 0, "an ordinary user": ORDINARY}
PUBLIC, PUBLIC6, INNER = "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "10.1.2.3"
OWN, OWN6 = "151.101.1.140", "2a04:4e42::396"  # of everybody's, and the host's
HOSTS = f"""127.0.0.1 localhost
{PUBLIC} open.test both.test a.open.test
{PUBLIC6} six.test both.test
{INNER} inner.test
127.0.0.1 rebound.test
169.254.169.254 metadata.test
{OWN} own.test
{OWN6} own.test
"""


NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Network:
    """A host, which is this process, and the world: another network namespace, in which a loopback has addresses of everybody's. And names for them."""

    def __init__(self, place):
        need("ip", "mount", "setpriv")
        if os.geteuid() != 0:
            raise Skip("making a network needs root")
        private_mounts()
        self.spaces = [self.new_space(), self.new_space()]  # the world's, and the host's, in which this thread stays
        self.place, self.top, self.is_new = place, place.fresh(), True
        os.chmod(self.top, 0o755)
        four, six = (f"{PUBLIC}/32", f"{INNER}/32", "169.254.169.254/32"), f"{PUBLIC6}/128"
        self.ip(["link", "set", "lo", "up"], ["addr", "add", f"{OWN}/32", "dev", "lo"], ["addr", "add", f"{OWN6}/128", "dev", "lo", "nodad"])
        with self.world():
            self.ip(["link", "set", "lo", "up"], *(["addr", "add", a, "dev", "lo"] for a in four), ["addr", "add", six, "dev", "lo", "nodad"],
                    ["link", "add", "to-host", "type", "veth", "peer", "name", "to-world", "netns", f"/proc/{os.getpid()}/fd/{self.spaces[1]}"],
                    ["addr", "add", "172.31.255.1/30", "dev", "to-host"], ["addr", "add", "fd00:ff::1/64", "dev", "to-host", "nodad"],
                    ["link", "set", "to-host", "up"])
        self.ip(["addr", "add", "172.31.255.2/30", "dev", "to-world"], ["addr", "add", "fd00:ff::2/64", "dev", "to-world", "nodad"],
                ["link", "set", "to-world", "up"], *(["route", "add", a, "via", "172.31.255.1"] for a in four),
                ["route", "add", six, "via", "fd00:ff::1"])
        write(f"{self.top}/hosts", HOSTS)
        subprocess.run(["mount", "--bind", f"{self.top}/hosts", "/etc/hosts"], check=True)

    @staticmethod
    def new_space():
        if LIBC.unshare(NEWNET) != 0:
            raise Skip("no network namespace of its own")
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    @staticmethod
    def ip(*all_words):
        batch = "".join(" ".join(words) + "\n" for words in all_words)
        subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)

    @contextlib.contextmanager
    def world(self):
        """This thread is there meanwhile, and what it makes stays there."""
        world, host = self.spaces
        assert LIBC.setns(world, NEWNET) == 0
        try:
            yield
        finally:
            assert LIBC.setns(host, NEWNET) == 0

    def serve(self, handler, port, address="::"):
        """In the world; by every address of both families, and then also on the host."""
        with self.world():
            server = self.serve_here(handler, port, address)
        if address == "::":
            server.on_host = self.serve_here(handler, port, address)
        return server

    @staticmethod
    def serve_here(handler, port, address):
        class Server(socketserver.ThreadingTCPServer):
            address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
            allow_reuse_address = daemon_threads = True
            request_queue_size = 512
            on_host = None  # the same one there, which ends with it

            def server_close(self):
                super().server_close()
                if self.on_host is not None:
                    self.on_host.shutdown()
                    self.on_host.server_close()

            def handle_error(self, *about):
                """A reset is what many a scenario makes."""
                if not isinstance(sys.exc_info()[1], ConnectionError):
                    super().handle_error(*about)
        server = Server((address, port), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def run(self, uid, *words, before=()):
        return self.ambit(uid, "run", *words, before=before)

    def home(self, uid):
        path = f"{self.top}/home-{uid}"
        if not os.path.isdir(path):
            os.mkdir(path, 0o700)
            os.chown(path, uid, uid)
        return path

    def ambit(self, uid, *words, before=()):
        self.place.home = self.home(uid)
        who = [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        return self.place.run(*before, *who, "env", "AMBIT_LEDGER=none", self.place.ambit, *words, cwd="/")


class Pages(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"hello from the host\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *ignored):
        pass


class Echo(socketserver.BaseRequestHandler):
    """Says first who it is, then everything that it hears until the end, then how much that was."""

    def handle(self):
        self.request.sendall(b"ready\n")
        n = 0
        while piece := self.request.recv(65536):
            n += len(piece)
            self.request.sendall(piece)
        self.request.sendall(b"%d" % n)


class EchoOfMany(threading.Thread):
    """The same for many connections at one time, without a thread for each; and it does not count."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.server, self.ready = socket.create_server((PUBLIC, port), backlog=2048), selectors.DefaultSelector()
        self.ready.register(self.server, selectors.EVENT_READ)
        self.start()

    def run(self):
        while True:
            for key, _ in self.ready.select():
                if key.fileobj is self.server:
                    self.begin(self.server.accept()[0])
                else:
                    self.answer(key.fileobj)

    def begin(self, peer):
        self.ready.register(peer, selectors.EVENT_READ)
        peer.sendall(b"ready\n")

    def answer(self, peer):
        try:
            if piece := peer.recv(65536):
                peer.sendall(piece)
                return
        except ConnectionError:
            pass
        self.ready.unregister(peer)
        peer.close()


def roles():
    """Those of this network, but for what only waits to be asked how it ended."""
    here, found = os.readlink("/proc/self/ns/net"), []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                name, state = file.read().split("(", 1)[1].rsplit(")", 1)
            if name in ("ambit-net", "ambit-dial", "ambit-superviso") and state.split()[0] != "Z" and os.readlink(f"/proc/{pid}/ns/net") == here:
                found.append((int(pid), name))
        except OSError:
            pass
    return found


class Meddler(socketserver.BaseRequestHandler):
    """When it has heard of a connection, nothing is heard of the dialer any more."""
    signal = None

    def handle(self):
        heard = self.request.recv(6, socket.MSG_WAITALL)
        for pid, name in roles():
            if name == "ambit-dial" and self.signal is not None:
                os.kill(pid, self.signal)
        self.request.sendall(heard)


class Dialer:
    """The role ambit-dial, whose supervisor and relay the test is (src/wire/messages.def): one endpoint, of this host or a name."""
    ALLOW, RELAY, REPORT, DONE, ASK, CLOSE = 136, 137, 138, 145, 152, 153
    LOOK, WITHDRAW, LIVE = 139, 140, 146
    LISTEN, POOL = 142, 143

    def __init__(self, place, name="", bytes_most=0, arrives=None):
        """arrives: a socket of the host that listens, and the port of the cell (here of the same network) to which who comes there is led."""
        self.server = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.server.settimeout(PATIENCE)
        self.supervisor, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen([os.path.join(os.path.dirname(place.ambit), "ambit-dial")],
                                        preexec_fn=lambda: os.dup2(theirs.fileno(), 3), pass_fds=(3,))
        theirs.close()
        self.supervisor.settimeout(PATIENCE)
        kind, address, prefix = (2 if name[:1] == "*" else 1, bytes(17), 0) if name else (3, b"\4" + socket.inet_aton("127.0.0.1") + bytes(12), 32)
        self.say(self.supervisor, self.ALLOW, struct.pack("<IIIIQIIBQBH", 0, 0, 0, 0, bytes_most, 0, 0, 0, 0, kind, self.server.getsockname()[1]) + address +
                 struct.pack("<BI", prefix, len(name)) + name.encode())
        if arrives is not None:
            socket.send_fds(self.supervisor, [struct.pack("<HHIHH", self.LISTEN, 0, 1, arrives[1], 0)], [arrives[0].fileno()])
        self.relay, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        socket.send_fds(self.supervisor, [struct.pack("<HH", self.RELAY, 0)], [theirs.fileno()])
        theirs.close()
        self.relay.settimeout(PATIENCE)
        if arrives is not None:
            pool = [socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) for _ in range(8)]
            socket.send_fds(self.supervisor, [struct.pack("<HH", self.POOL, 0)], [s.fileno() for s in pool])

    @staticmethod
    def say(to, number, body=b""):
        to.send(struct.pack("<HH", number, 0) + body)

    def ask(self, connection, endpoint=0, name=""):
        self.say(self.relay, self.ASK, struct.pack("<II", connection, endpoint) + bytes(17) + struct.pack("<I", len(name)) + name.encode())

    def close(self, connection, broken):
        self.say(self.relay, self.CLOSE, struct.pack("<II", connection, broken))

    def withdraw(self, number=WITHDRAW):
        """How many connections were live."""
        self.say(self.supervisor, number, struct.pack("<II", 7, 0))
        number, _, about, live = struct.unpack("<HHII", self.supervisor.recv(100))
        assert (number, about) == (self.LIVE, 7)
        return live

    def open_one(self):
        """Both ends of a connection."""
        self.ask(0)
        ours, theirs = self.take(), self.server.accept()[0]
        theirs.settimeout(PATIENCE)
        return ours, theirs

    def take(self):
        """Of what was dialed, the connection."""
        body, fds, *_ = socket.recv_fds(self.relay, 100, 1)
        assert struct.unpack_from("<H", body)[0] == self.DONE and len(fds) == 1, body
        return socket.socket(fileno=fds[0])

    def take_failure(self):
        """Why what was dialed failed."""
        number, _, _, why = struct.unpack("<HHII", self.relay.recv(100))
        assert number == self.DONE
        return why

    def resolvers(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                    if int(file.read().rsplit(")", 1)[1].split()[1]) == self.process.pid:
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def report(self):
        """How often it was connected, how often not, and how many bytes went."""
        self.say(self.supervisor, self.REPORT)
        opened, failed, _, _, _, up, _ = struct.unpack_from("<IIIIIQQ", self.supervisor.recv(4096), 4)
        return opened, failed, up

    def end(self):
        """The same; and it ends at once."""
        told_of = self.report()
        self.supervisor.close()
        assert self.process.wait(PATIENCE) == 0
        return told_of


def users(place):
    """Those whose turn it is: [(name, id)]."""
    return [(who, uid) for who, uid in IDS.items() if place.whose in (None, uid == 0)]


def both_users(scenario):
    """As root and as another; what the scenario starts for both of them it starts when network.is_new."""
    @as_either
    @in_child
    def run(place):
        network = Network(place)
        for who, uid in users(place):
            scenario(network, who, uid)
            network.is_new = False
    run.__name__ = scenario.__name__
    return run


NO_NAME, NO_ROUTE, NO_SEND, RESET = 6, 7, 55, 56  # of curl


def curls(network, who, uid, rows, *grants, more=()):
    """All in one event, by the same grants: of each row (URL, status) whether curl ends with that, and has the page if it is 0."""
    script = "for url; do curl -sSv -m 10 \"$url\" 2>&1; printf '\\n== %d\\n' $?; done"
    result = network.run(uid, *more, *(word for grant in grants for word in ("--connect", grant)), "--", "sh", "-c", script, "sh", *(url for url, _ in rows))
    found = re.findall(r"(.*?)\n== (\d+)\n", result.stdout, re.S)
    for (url, status), (said, got) in zip(rows, found, strict=True):
        reset = int(got) in (NO_ROUTE, NO_SEND) and "Connection reset by peer" in said  # before curl saw that it was connected, or had asked
        is_there = "hello from the host\n" in said
        assert (RESET if reset else int(got)) == status and is_there == (status == 0), f"{who}, {url} by {grants}: {got}: {said} {result.stderr}"


# ---- what a client of TLS says first ----

def vector(width, content):
    return len(content).to_bytes(width, "big") + content


def hello(name):
    """As OpenSSL's client says it, for whom no group but X25519 is a guess; name None: it asks for none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        return out.read()
    raise AssertionError("a handshake without a server")


def with_extensions(data, *more):
    """Put before those that are there (nothing may come after some)."""
    body = data[9:]
    at = 34
    for width in 1, 2, 1:
        at += width + int.from_bytes(body[at:at + width], "big")
    body = body[:at] + vector(2, b"".join(kind + vector(2, content) for kind, content in more) + body[at + 2:])
    return data[:3] + vector(2, b"\1" + vector(3, body))


def names(*of):
    return b"\0\0", vector(2, b"".join(b"\0" + vector(2, name) for name in of))


def over_records(data, size):
    return b"".join(data[:3] + vector(2, data[at:at + size]) for at in range(5, len(data), size))


class Listener(socketserver.BaseRequestHandler):
    """A server of TLS that keeps what it hears, as it came, in the order in which it was connected to."""

    def handle(self):
        incoming, outgoing, over = ssl.MemoryBIO(), ssl.MemoryBIO(), False
        tls = self.server.context.wrap_bio(incoming, outgoing, server_side=True)
        try:
            while piece := self.request.recv(65536):
                self.server.heard[self.server.number[self.client_address]] += piece
                incoming.write(piece)
                if not over:
                    over = self.greet(tls, outgoing)
                    self.request.sendall(outgoing.read())
                    if over:
                        self.request.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def greet(tls, outgoing):
        """Whether it has said all that it will: something, after it was asked something."""
        try:
            tls.do_handshake()
            tls.read(65536)
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            outgoing.write(b"what?")
            return True
        tls.write(b"welcome")
        try:
            tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        return True


def listen_for_tls(network, port, curve):
    key, cert = f"{network.top}/key.pem", f"{network.top}/cert.pem"
    if not os.path.exists(cert):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=open.test", "-addext",
                        "subjectAltName=DNS:open.test", "-keyout", key, "-out", cert], check=True, capture_output=True)
    server = network.serve(Listener, port)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(cert, key)
    if curve:
        server.context.set_ecdh_curve(curve)
    server.heard, server.number = [], {}
    accept = server.get_request

    def numbered():
        request, address = accept()
        server.number[address] = len(server.heard)
        server.heard.append(b"")
        return request, address
    server.get_request = numbered
    return server


GRANTED, DENIED = "answer", "reset"
ECH = b"\xfe\x0d", b"\0\0\1\0\1\x2a" + vector(2, b"k" * 32) + vector(2, b"p" * 144)
RIGHT, WRONG, NAMELESS = hello("open.test"), hello("evil.test"), hello(None)
CONNECT = b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n"
HELLOS = (  # what is said, in which pieces; whether it ends; what comes of it where the name is granted, and where another is, which may be hidden
    ("the name", [RIGHT], False, GRANTED, DENIED), ("another name", [WRONG], False, DENIED, DENIED),
    ("the name, byte by byte", [bytes([b]) for b in RIGHT], False, GRANTED, DENIED), ("another, byte by byte", [bytes([b]) for b in WRONG], False, DENIED, DENIED),
    ("the name, over records", [over_records(RIGHT, 7)], False, GRANTED, DENIED), ("another, over records", [over_records(WRONG, 7)], False, DENIED, DENIED),
    ("two names", [with_extensions(NAMELESS, names(b"open.test", b"evil.test"))], False, DENIED, DENIED),
    ("two lists of names", [with_extensions(RIGHT, names(b"evil.test"))], False, DENIED, DENIED),
    ("no name", [NAMELESS], False, GRANTED, GRANTED), ("a hidden name", [with_extensions(RIGHT, ECH)], False, DENIED, GRANTED),
    ("no whole hello", [RIGHT[:100]], True, DENIED, DENIED), ("nothing", [], True, "end", "end"),
    ("SSL 2", [b"\x80\x2b\1\3\3" + b"x" * 40], False, DENIED, DENIED),
    ("no TLS", [b"SSH-2.0-x\r\n"], False, GRANTED, GRANTED), ("a proxy is asked", [CONNECT], False, GRANTED, GRANTED),
    ("TLS comes later", [b"STARTTLS\r\n" + WRONG], False, GRANTED, GRANTED),
)
# Says each to three endpoints, of which the last is an address, where nothing is looked at.
SAY_HELLOS = """
import json, socket, sys
port, rows = json.loads(sys.argv[1])
def say(address, pieces, ends):
    s = socket.create_connection((address, port), 10)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        for piece in pieces:
            s.sendall(bytes.fromhex(piece))
        if ends:
            s.shutdown(socket.SHUT_WR)
        return "answer" if s.recv(65536) else "end"
    except (ConnectionResetError, BrokenPipeError):
        return "reset"
print(json.dumps([[say(address, *row) for address in ("open.test", "both.test", "%s")] for row in rows]))
""" % PUBLIC


def denials_of(record):
    with open(record, encoding="utf-8") as file:
        effects = [e for e in json.load(file)["effects"] if e["kind"] == "connect" and e["verdict"] == "denied"]
    return {(e["address"], e["why"]): e["count"] for e in effects}


@both_users
def a_hello_is_for_the_granted_host(network, who, uid):
    """What is refused reaches the host in no byte; by an endpoint that is an address each does."""
    need("openssl")
    if network.is_new:
        network.tls = listen_for_tls(network, 443, None)
    network.tls.heard.clear()
    record = f"{network.home(uid)}/record.json"
    rows = [[[piece.hex() for piece in pieces], ends] for _, pieces, ends, *_ in HELLOS]
    result = network.run(uid, "--record", record, "--connect", "open.test:443", "--connect", "both.test:443 ech=true", "--connect", f"{PUBLIC}:443", "--", "python3", "-c",
                         SAY_HELLOS, json.dumps([443, rows]))
    assert result.returncode == 0, f"{who}: {told(result)}"
    for i, ((name, pieces, ends, *by_name), said) in enumerate(zip(HELLOS, json.loads(result.stdout), strict=True)):
        expected = [*by_name, "end" if ends else "answer"]
        heard = [b"" if what == DENIED else b"".join(pieces) for what in expected]
        assert said == expected and network.tls.heard[3 * i:3 * i + 3] == heard, f"{who}, {name}: {said}, heard {network.tls.heard[3 * i:3 * i + 3]}"
    assert denials_of(record) == {("inet open.test:443 as evil.test", "other-name"): 3, ("inet open.test:443", "bad-hello"): 4,
                                  ("inet open.test:443", "hidden-name"): 1, ("inet both.test:443 as open.test", "other-name"): 6,
                                  ("inet both.test:443", "bad-hello"): 4}, f"{who}: {denials_of(record)}"
    read = network.place.run(network.place.ambit, "explain", record, cwd="/")
    for line in ("connect inet open.test:443 as evil.test", "asked there for another host", "not all servers would read alike", "ech=true"):
        assert line in result.stderr and line in read.stdout, f"{who}, '{line}': {told(result)} {told(read)}"


@both_users
def and_so_is_a_second_one(network, who, uid):
    """A server that knows another curve asks for a second hello, in which a client may have another name."""
    need("openssl")
    if network.is_new:
        network.asks = listen_for_tls(network, 444, "secp521r1")
    network.asks.heard.clear()
    script = """
import json, socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
def talk(address, change):
    s = socket.create_connection((address, 444), 10)
    incoming, outgoing, said = ssl.MemoryBIO(), ssl.MemoryBIO(), []
    tls = context.wrap_bio(incoming, outgoing, server_hostname="open.test")
    while True:
        try:
            tls.do_handshake()
            tls.write(b"?")
            return tls.read(7).decode()
        except ssl.SSLWantReadError:
            said.append(outgoing.read())
        except ssl.SSLError:
            return "alert"
        try:
            s.sendall(change(said) if said[-1] else b"")
            incoming.write(s.recv(65536) or exit("ended"))
        except (ConnectionResetError, BrokenPipeError):
            return "reset"
def other(hello):
    return hello.replace(b"open.test", b"evil.test")
print(json.dumps([[talk(address, change) for address in ("open.test", "%s")] for change in (
    lambda said: said[-1],
    lambda said: other(said[-1]) if len(said) == 2 else said[-1],
    lambda said: said[0] + other(said[0]) if len(said) == 1 else b"")]))
""" % PUBLIC
    result = network.run(uid, "--connect", "open.test:444", "--connect", f"{PUBLIC}:444", "--", "python3", "-c", script)
    assert result.returncode == 0, f"{who}: {told(result)}"
    assert json.loads(result.stdout) == [["welcome", "welcome"], ["reset", "alert"], ["reset", "alert"]], f"{who}: {told(result)}"
    heard = [(bytes.count(b"open.test"), bytes.count(b"evil.test")) for bytes in network.asks.heard]
    assert heard == [(2, 0), (2, 0), (1, 0), (1, 1), (1, 0), (1, 1)], f"{who}: {heard}"
    assert "denied: connect inet open.test:444 as evil.test (2 times)" in result.stderr, f"{who}: {told(result)}"


@both_users
def clients_of_tls_work_as_they_are(network, who, uid):
    """Also those whose server speaks first, or that speak no TLS at all; and one that asks for another host by hand."""
    need("curl", "openssl")
    if network.is_new:
        network.tls = listen_for_tls(network, 443, None)
        network.serve(Echo, 7000)
    network.tls.heard.clear()
    script = """
curl -sS -m 10 --cacert $1 --http0.9 https://open.test/ || exit 1
echo '?' | openssl s_client -quiet -CAfile $1 -verify_return_error -servername open.test -connect open.test:443 2>/dev/null || exit 2
echo '?' | openssl s_client -quiet -servername evil.test -connect open.test:443 2>/dev/null && exit 3
echo '?' | openssl s_client -quiet -tls1_2 -CAfile $1 -verify_return_error -connect open.test:443 2>/dev/null || exit 4
python3 -c '
import socket, sys
s = socket.create_connection(("open.test", 7000), 10)
assert s.recv(6, socket.MSG_WAITALL) == b"ready\\n"
s.sendall(bytes.fromhex(sys.argv[1]))
try:
    sys.exit(s.recv(1) or "ended")
except ConnectionResetError:
    pass' $2 || exit 5
"""
    result = network.run(uid, "--read", f"{network.top}/cert.pem", "--connect", "open.test:443", "--connect", "open.test:7000", "--", "sh", "-c", script, "sh",
                         f"{network.top}/cert.pem", WRONG.hex())
    assert result.returncode == 0 and result.stdout == "welcome" * 3, f"{who}: {told(result)}"
    assert [b"open.test" in heard for heard in network.tls.heard] == [True, True, False, True] and network.tls.heard[2] == b"", f"{who}: {network.tls.heard}"


@both_users
def hellos_that_do_not_end_stop_no_other(network, who, uid):
    """There is room for so much of what is not judged; when it is full, who waited longest is reset, and nobody else."""
    need("openssl")
    if network.is_new:
        network.tls = listen_for_tls(network, 443, None)
    script = """
import socket, sys
good, record = bytes.fromhex(sys.argv[1]), bytes.fromhex("1603014000")
begun = record + bytes.fromhex("0100ff00") + bytes(0x3ffc) + (record + bytes(0x4000)) * 2 + record + bytes(0x3f00)
def say(what):
    s = socket.create_connection(("open.test", 443), 10)
    s.sendall(what)
    return s
stuck = [say(begun) for _ in range(200)]
assert say(good).recv(1) == b"\x16"
stuck[-1].setblocking(False)
try:
    sys.exit(stuck[-1].recv(1) or "ended")
except BlockingIOError:
    pass
try:
    sys.exit(stuck[0].recv(1) or "ended")
except ConnectionResetError:
    print("served")
"""
    result = network.run(uid, "--connect", "open.test:443", "--", "python3", "-c", script, RIGHT.hex())
    assert result.returncode == 0 and result.stdout == "served\n", f"{who}: {told(result)}"


@both_users
def what_is_granted_is_reached(network, who, uid):
    """Each by the grant that is meant, as the record says."""
    need("curl")
    if network.is_new:
        network.serve(Pages, 80)
        network.serve(Pages, 8080)
    record = f"{network.home(uid)}/record.json"
    rows = (("http://open.test/", "open.test:80"), ("http://OPEN.test/", "open.test:80"), ("http://open.test:8080/", "open.test:8080"),
            ("http://six.test:8080/", "six.test:8080"), ("http://both.test/", "both.test:80"), (f"http://{PUBLIC}/", f"{PUBLIC}:80"),
            (f"http://[{PUBLIC6}]/", f"[{PUBLIC6}]:80"), (f"http://{INNER}/", f"{INNER}:80"), ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
            (f"http://{OWN}/", f"{OWN}:80"), (f"http://[{OWN6}]/", f"[{OWN6}]:80"))
    grants = {grant: 0 for _, grant in rows}
    for _, grant in rows:
        grants[grant] += 1
    curls(network, who, uid, [(url, 0) for url, _ in rows], "Open.Test:80", *list(grants)[1:], more=("--record", record))
    with open(record, encoding="utf-8") as file:
        effects = [e for e in json.load(file)["effects"] if e["kind"] == "connect"]
    assert {e["address"].removeprefix("inet "): e["count"] for e in effects if e["source"] == "proved"} == grants and len(effects) == len(grants), f"{who}: {effects}"


@both_users
def and_nothing_else(network, who, uid):
    need("curl")
    if network.is_new:
        network.serve(Pages, 80)
        network.serve(Pages, 8080)
    curls(network, who, uid, [("http://open.test/", NO_NAME), (f"http://{PUBLIC}/", NO_ROUTE)])
    curls(network, who, uid, [("http://open.test:8080/", NO_ROUTE), ("http://six.test/", NO_NAME), (f"http://{PUBLIC}/", NO_ROUTE), ("http://open.test/", 0)],
          "open.test:80", f"[{PUBLIC6}]:80")
    # names that lead inside: the connection is made, and reset; and nobody is there
    curls(network, who, uid, [("http://inner.test/", RESET), ("http://rebound.test:8080/", RESET), ("http://metadata.test/", RESET), ("http://own.test/", RESET),
                              ("http://open.test:81/", RESET)], "inner.test:80", "rebound.test:8080", "metadata.test:80", "own.test:80", "open.test:81")
    for name, told_so in (("inner.test", True), ("open.test", False)):  # the program saw a reset alone
        said = network.run(uid, "--connect", f"{name}:80", "--", "curl", "-sS", "-m", "10", f"http://{name}/").stderr
        assert (f"not connected: {name}:80\n  why: its name leads to no public address" in said) == told_so, f"{who}: {said}"


@both_users
def bytes_pass_as_they_are(network, who, uid):
    """The host speaks first; both directions at once; an end in one direction, which the other outlives."""
    if network.is_new:
        network.serve(Echo, 7000)
    script = """
import hashlib, os, socket, threading
s = socket.create_connection(("open.test", 7000), 10)
assert s.recv(6, socket.MSG_WAITALL) == b"ready\\n"
data = b"no TLS, whatever follows" + os.urandom(1 << 20) * 24
threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
got = b"".join(iter(lambda: s.recv(1 << 20), b""))
assert got == data + str(len(data)).encode(), (len(got), len(data))
print("same")
"""
    result = network.run(uid, "--connect", "open.test:7000", "--", "python3", "-c", script)
    assert result.returncode == 0 and result.stdout == "same\n", f"{who}: {told(result)}"


@both_users
def many_connections(network, who, uid):
    """A thousand at one time, each of which says something; then so many short ones that the numbers of connections are used again."""
    if network.is_new:
        with network.world():
            EchoOfMany(7000)
    script = """
import socket
def some(n):
    found = [socket.create_connection(("open.test", 7000), 20) for _ in range(n)]
    for s in found:
        assert s.recv(6, socket.MSG_WAITALL) == b"ready\\n"
    return found
many = some(1000)
for i, s in enumerate(many):
    s.sendall(b"%06d" % i)
for i, s in enumerate(many):
    assert s.recv(6, socket.MSG_WAITALL) == b"%06d" % i
    s.close()
for _ in range(60):
    for s in some(20):
        s.close()
print("all")
"""
    result = network.run(uid, "--limit", "files=4096", "--connect", "open.test:7000", "--", "python3", "-c", script)
    assert result.returncode == 0 and result.stdout == "all\n", f"{who}: {told(result)}"


@both_users
def one_that_does_not_read_stops_no_other(network, who, uid):
    if network.is_new:
        network.serve(Echo, 7000)
        network.serve(Pages, 80)
    script = """
import socket, urllib.request
stuck = [socket.create_connection(("open.test", 7000), 10) for _ in range(20)]
for s in stuck:
    s.setblocking(False)
    try:
        while True:
            s.send(b"x" * 65536)
    except BlockingIOError:
        pass
for _ in range(50):
    assert urllib.request.urlopen("http://open.test/", timeout=5).read() == b"hello from the host\\n"
print("served")
"""
    result = network.run(uid, "--connect", "open.test:7000", "--connect", "open.test:80", "--", "python3", "-c", script)
    assert result.returncode == 0 and result.stdout == "served\n", f"{who}: {told(result)}"


@both_users
def what_is_stuck_leaves_descriptors_for_the_others(network, who, uid):
    """Connections that are stuck in both directions take most: where there are few descriptors, some wait until others have ended, and none breaks."""
    if network.is_new:
        network.serve(Echo, 7000)
    script = """
import socket
many = [socket.create_connection(("open.test", 7000), 20) for _ in range(25)]
sent = []
for s in many:
    s.setblocking(False)
    n = 0
    try:
        while True:
            n += s.send(b"x" * 65536)
    except BlockingIOError:
        sent.append(n)
for s, n in zip(many, sent):
    s.settimeout(20)
    s.shutdown(socket.SHUT_WR)
    got = b"".join(iter(lambda: s.recv(1 << 20), b""))
    assert got == b"ready\\n" + b"x" * n + str(n).encode(), (len(got), n)
    s.close()
print("all")
"""
    network.home(uid)
    result = network.run(uid, "--connect", "open.test:7000", "--", "python3", "-c", script, before=["prlimit", "--nofile=100:100"])
    assert result.returncode == 0 and result.stdout == "all\n", f"{who}: {told(result)}"


@both_users
def it_stands_in_the_record(network, who, uid):
    need("curl")
    if network.is_new:
        network.serve(Pages, 80)
    record = f"{network.home(uid)}/record.json"
    result = network.run(uid, "--record", record, "--connect", "open.test:80", "--connect", "six.test:80", "--", "sh", "-c",
                         "for i in 1 2 3; do curl -sS -m 10 http://open.test/; done")
    assert result.returncode == 0, f"{who}: {told(result)}"
    with open(record, encoding="utf-8") as file:
        effects = [e for e in json.load(file)["effects"] if e["kind"] == "connect"]
    told_of = [(e["address"], e["source"], e["count"], e["verdict"]) for e in effects]
    assert told_of == [("inet open.test:80", "proved", 3, "allowed")], f"{who}: {effects}"


@both_users
def an_endpoint_is_nobodys_to_take(network, who, uid):
    """A program in the cell binds neither over it nor beside it, and its own servers work."""
    script = """
import errno, socket
for kind in ((), (socket.SO_REUSEADDR,), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)):
    for address in (socket.gethostbyname("open.test"), "0.0.0.0"):
        s = socket.socket()
        for option in kind:
            s.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            s.bind((address, 8080))
            s.listen()
            print("bound", address, kind)
        except OSError as e:
            assert e.errno == errno.EADDRINUSE, e
s = socket.socket()
s.bind(("127.0.0.1", 8080))
s.listen()
c = socket.create_connection(("127.0.0.1", 8080), 5)
print("own")
"""
    result = network.run(uid, "--connect", "open.test:8080", "--", "python3", "-c", script)
    assert result.returncode == 0 and result.stdout == "own\n", f"{who}: {told(result)}"


@both_users
def bad_words_are_refused(network, who, uid):
    for grant, says in (("localhost:80", "is the cell itself"), ("*.test:80", ""), ("198.18.7.0/24:80", "lies where names have"),
                        ("open.test", ""), ("open.test:0", ""), ("127.1:80", ""), ("0.0.0.0:80", "is nobody's"), ("[::]:80", "is nobody's"),
                        ("0.0.0.0/8:80", "is nobody's"), ("224.0.0.1:80", "is nobody's"), ("[ff02::1]:80", "is nobody's"), ("[ff02::/16]:80", "is nobody's"),
                        ("198.18.0.1:80", "names have"), ("198.19.255.255:80", "names have"), ("0x7f000001:80", ""), ("[::ffff:1.2.3.4]:80", "")):
        result = network.run(uid, "--connect", grant, "--", "true")
        assert result.returncode == 125 and says in result.stderr and "hint:" in result.stderr, f"{who}, {grant}: {told(result)}"


@both_users
def nothing_is_left(network, who, uid):
    """When the event has ended, or was killed, its roles have gone, and with them its network."""
    result = network.run(uid, "--connect", "open.test:80", "--", "true")
    assert result.returncode == 0, f"{who}: {told(result)}"
    result = network.run(uid, "--limit", "wall=300ms", "--connect", "open.test:80", "--", "sleep", "20")
    assert result.returncode == 124, f"{who}: {told(result)}"
    for _ in range(100):
        if not roles():
            return
        time.sleep(0.05)
    raise AssertionError(f"{who}: left: {roles()}")


class Sink(socketserver.BaseRequestHandler):
    """Reads how much is wanted (`10\\n`), sends that, and reads to the end; says what it counted, in the order in which they ended."""

    heard, ended = [], threading.Condition()

    def handle(self):
        up = 0
        try:
            first = b""
            while not first.endswith(b"\n") and (piece := self.request.recv(1)):
                first += piece
            up = len(first)
            self.request.sendall(bytes(int(first or b"0")))
            while piece := self.request.recv(65536):
                up += len(piece)
        except OSError:
            pass
        with self.ended:
            self.heard.append(up)
            self.ended.notify_all()

    @classmethod
    def counted(cls, n):
        """The bytes of so many connections, when they have ended."""
        with cls.ended:
            assert cls.ended.wait_for(lambda: len(cls.heard) >= n, 20), f"{cls.heard}, of {n}"
            heard, cls.heard[:] = list(cls.heard), []
        return heard


# ask(down, up): a connection by which so much comes and goes; gives what came, or the name of the error.
ASK = """
import errno, socket, sys
def ask(down, up, host="open.test", port=7100):
    got = 0
    try:
        with socket.create_connection((host, port), 10) as s:
            s.sendall(b"%d\\n" % down)
            while got < down and (piece := s.recv(1 << 16)):
                got += len(piece)
            s.sendall(bytes(up))
            s.shutdown(socket.SHUT_WR)
            assert s.recv(1) == b""
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))
    return got
"""


def metered(network, uid, grants, script, *more):
    """How it ended, and the meter of each endpoint by the record."""
    record = f"{network.home(uid)}/meters.json"
    result = network.run(uid, *more, "--record", record, *(word for grant in grants for word in ("--connect", grant)), "--", "python3", "-c", ASK + script)
    with open(record, encoding="utf-8") as file:
        effects = json.load(file)["effects"]
    return result, {e["address"].removeprefix("inet "): e["meter"] for e in effects if "meter" in e}


@both_users
def uses_are_counted(network, who, uid):
    """Two pass and the third is reset; a dial that failed uses nothing; another grant has its own."""
    if network.is_new:
        network.serve(Sink, 7100)
    result, meters = metered(network, uid, ("open.test:7100 uses=2", "open.test:81 uses=1", f"{PUBLIC}:7100"), f"""
print([ask(3, 0) for _ in range(4)], [ask(0, 0, port=81) for _ in range(2)], ask(3, 0, "{PUBLIC}"))
""")
    assert result.stdout == f"[3, 3, 'ECONNRESET', 'ECONNRESET'] ['ECONNRESET', 'ECONNRESET'] 3\n", f"{who}: {told(result)}"
    assert "stopped by its budget: connect open.test:7100\n  why: uses=2 of this event is spent: 2 connections were refused\n" in result.stderr and \
        "hint: --connect 'open.test:7100 uses=4' allows" in result.stderr and result.stderr.count("stopped by its budget") == 1, f"{who}: {told(result)}"
    counts = {address: (m["opened"], m["failed"], m["refused"], m["stopped_by"], m["errno"]) for address, m in meters.items()}
    assert counts == {"open.test:7100": (2, 0, 2, ["uses"], None), "open.test:81": (0, 2, 0, [], 111), f"{PUBLIC}:7100": (1, 0, 0, [], None)}, f"{who}: {meters}"
    assert Sink.counted(3) == [2, 2, 2], who


@both_users
def a_rate_is_held(network, who, uid):
    """Nobody waits for an hour: one is let through, and a bucket of two lets two."""
    if network.is_new:
        network.serve(Sink, 7100)
    result, meters = metered(network, uid, ("open.test:7100 rate=1/h", f"{PUBLIC}:7100 rate=2/h uses=9", "open.test:81 rate=1/h"), f"""
print([ask(1, 0) for _ in range(3)], [ask(1, 0, "{PUBLIC}") for _ in range(3)], [ask(0, 0, port=81) for _ in range(2)])
""")
    assert result.stdout.startswith("[1, 'ECONNRESET', 'ECONNRESET'] [1, 1, 'ECONNRESET']"), f"{who}: {told(result)}"
    counts = {address: (m["opened"], m["failed"], m["refused"], m["stopped_by"]) for address, m in meters.items()}
    assert counts == {"open.test:7100": (1, 0, 2, ["rate"]), f"{PUBLIC}:7100": (2, 0, 1, ["rate"]), "open.test:81": (0, 1, 1, ["rate"])}, f"{who}: {meters}"
    Sink.counted(3)


@both_users
def bytes_are_counted_exactly(network, who, uid):
    """2 MB up and 3 MB down, with connections that are still open at the end; and a budget that is met exactly stops nothing."""
    if network.is_new:
        network.serve(Sink, 7100)
    up, down = 2_000_000, 3_000_000
    result, meters = metered(network, uid, (f"open.test:7100 bytes={up + down + 26}", f"{PUBLIC}:7100"), f"""
print([ask(1_000_000, {up} // 2) for _ in range(2)], ask(1_000_000, 0), ask(5, 7, "{PUBLIC}"))
""")
    assert result.stdout == "[1000000, 1000000] 1000000 5\n" and "budget" not in result.stderr, f"{who}: {told(result)}"
    heard = Sink.counted(4)
    meter = meters["open.test:7100"]
    assert (meter["up_bytes"], meter["down_bytes"]) == (sum(heard[:3]), down) and sum(heard[:3]) == up + 24, f"{who}: {meter}, {heard}"
    assert (meters[f"{PUBLIC}:7100"]["up_bytes"], meters[f"{PUBLIC}:7100"]["down_bytes"]) == (9, 5), f"{who}: {meters}"


@both_users
def bytes_are_bounded(network, who, uid):
    """All that a grant has open is reset when they are spent, whatever the program does then; what has another grant goes on."""
    if network.is_new:
        network.serve(Sink, 7100)
    result, meters = metered(network, uid, ("open.test:7100 bytes=1M", f"{PUBLIC}:7100"), f"""
idle = socket.create_connection(("open.test", 7100), 10)
idle.sendall(b"0\\n")
other = socket.create_connection(("{PUBLIC}", 7100), 10)
other.sendall(b"4\\n")
s = socket.create_connection(("open.test", 7100), 10)
s.sendall(b"0\\n")
errors = 0
while errors < 100: # a program that goes on as if nothing were
    try:
        s.send(bytes(10_000))
    except OSError:
        errors += 1
print(ask(0, 0), other.recv(4, socket.MSG_WAITALL), end=" ")
try:
    print(idle.recv(1))
except OSError as e:
    print(errno.errorcode[e.errno])
""")
    assert result.returncode == 0 and result.stdout == "ECONNRESET b'\\x00\\x00\\x00\\x00' ECONNRESET\n", f"{who}: {told(result)}"
    assert "bytes=1M of this event is spent: 1 connection was refused, and those that were open ended\n" in result.stderr, f"{who}: {told(result)}"
    meter = meters["open.test:7100"]
    heard = Sink.counted(3)
    assert meter["stopped_by"] == ["bytes"] and meter["up_bytes"] > 1 << 20 and (meter["opened"], meter["refused"]) == (2, 1), f"{who}: {meter}"
    # what had left is counted, whether the host took it or not
    assert 2 in heard and sum(heard) - 2 <= meter["up_bytes"], f"{who}: {heard}, {meter}"


@both_users
def it_stands_in_the_ledger(network, who, uid):
    """With what it was granted and used; the decision of it can be made again; reports and exports tell of it, and ambit explain."""
    if network.is_new:
        network.serve(Sink, 7100)
    home = network.home(uid)
    ledger = ("--ledger", f"{home}/ledger")
    result = network.run(uid, *ledger, "--strict", "--record", f"{home}/record", "--connect", "open.test:7100 uses=1 bytes=1M rate=9/m ech=true",
                         "--connect", "open.test:81", "--", "python3", "-c", ASK + "ask(10, 20); ask(1, 1); ask(1, 1, port=81)")
    assert result.returncode == 125 and "stopped by its budget" in result.stderr, f"{who}: {told(result)}" # --strict
    Sink.counted(1)
    entries = [json.loads(line) for line in network.ambit(uid, "ledger", "show", "--json", *ledger).stdout.splitlines()]
    grants = {e["grant"]: e["body"] for e in entries if e["type"] == "grant" and e["body"]["verb"] == "connect"}
    assert [g.get("qualifiers") for g in grants.values()] == [{"bytes": 1 << 20, "ech": True, "rate": "9/m", "uses": 1}, None], f"{who}: {grants}"
    effects = {grants[e["grant"]]["object"]: e["body"] for e in entries if e["type"] == "effect" and e["body"]["kind"] == "connect"}
    assert {o: b["meter"] for o, b in effects.items()} == {
        "open.test:7100": {"down_bytes": 10, "errno": None, "failed": 0, "opened": 1, "refused": 1, "stopped_by": ["uses"], "up_bytes": 23},
        "open.test:81": {"down_bytes": 0, "errno": 111, "failed": 1, "opened": 0, "refused": 0, "stopped_by": [], "up_bytes": 0}}, f"{who}: {effects}"
    shown = network.ambit(uid, "ledger", "show", *ledger).stdout
    assert "bytes=1048576 ech=true rate=9/m uses=1" in shown and "down_bytes=10 failed=0" in shown and "up_bytes=23" in shown, f"{who}: {shown}"
    again = json.loads(network.ambit(uid, "ledger", "replay", "--json", *ledger).stdout)
    assert again["agree"] >= 2 and again["differ"] == 0 and again["not_derived"]["changes"] == 0, f"{who}: {again}"
    lines = [json.loads(line) for line in network.ambit(uid, "ledger", "export", "--ocsf", *ledger).stdout.splitlines()]
    told_of = [(e.get("traffic"), e["status_id"]) for e in lines if e["class_uid"] == 4001]
    assert told_of == [({"bytes": 33, "bytes_in": 10, "bytes_out": 23}, 1), ({"bytes": 0, "bytes_in": 0, "bytes_out": 0}, 2)], f"{who}: {told_of}"
    report = network.ambit(uid, "ledger", "report", *ledger).stdout
    assert "bytes received" in report, f"{who}: {report}"
    explained = network.ambit(uid, "explain", f"{home}/record").stdout
    for says in ("granted: connect open.test:7100 uses=1 bytes=1M rate=9/m ech=true\n", "inet open.test:7100: 1 opened, 23 bytes up, 10 bytes down\n    stopped by uses=1: 1 refused",
                 "1 failed, the last: Connection refused"):
        assert says in explained, f"{who}: {explained}"


@both_users
def a_moment_ends_it(network, who, uid):
    """One that has passed lets nothing through, one that is to come all, and one that comes ends what is open."""
    if network.is_new:
        network.serve(Sink, 7100)
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))  # enough to begin, and never too early
    result, meters = metered(network, uid, (f"open.test:7100 until={soon}", f"{PUBLIC}:7100 until=9999-12-31T23:59:59Z", "open.test:81 until=2020-01-01T00:00:00Z"), f"""
passed, later = ask(0, 0, port=81), ask(3, 0, "{PUBLIC}")
def live():
    with socket.create_connection(("open.test", 7100)) as s:
        try:
            s.sendall(b"1\\n")
            return [s.recv(1), s.recv(1)]
        except ConnectionResetError:
            return "reset"
print(passed, later, live(), ask(1, 0), ask(1, 0, "{PUBLIC}"))
""")
    assert result.stdout == "ECONNRESET 3 reset ECONNRESET 1\n", f"{who}: {told(result)}"
    assert f"why: until={soon} has passed: 1 connection was refused, and those that were open ended\n" in result.stderr, f"{who}: {told(result)}"
    counts = {address: (m["opened"], m["failed"], m["refused"], m["stopped_by"]) for address, m in meters.items()}
    assert counts == {"open.test:7100": (1, 0, 1, ["until"]), f"{PUBLIC}:7100": (2, 0, 0, []), "open.test:81": (0, 0, 1, ["until"])}, f"{who}: {meters}"
    Sink.counted(3)


@both_users
def words_of_budgets_are_refused(network, who, uid):
    """Where they contradict each other, or are none."""
    for grants, says in ((("open.test:80 uses=2", "Open.test:80 uses=3"), "different qualifiers"), (("open.test:80", "open.test:80 ech=true"), "different qualifiers"),
                         (("open.test:80 rate=2",), "rate: '2' is not a value"), (("open.test:80 rows=2",), "not available"), (("open.test:80 uses=1 uses=1",), "twice")):
        result = network.run(uid, *(word for grant in grants for word in ("--connect", grant)), "--", "true")
        assert result.returncode == 125 and says in result.stderr and "hint:" in result.stderr, f"{who}, {grants}: {told(result)}"


@both_users
def the_cell_itself_is_not_told_as_denied(network, who, uid):
    """By nobody's address it is meant; and a connection that is dissolved leads nowhere."""
    script = """
import ctypes, socket
for family, address in (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"), (socket.AF_INET6, "::ffff:0.0.0.0"), (socket.AF_INET, "127.0.0.1"):
    for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
        socket.socket(family, kind).connect_ex((address, 9))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ctypes.CDLL(None).connect(s.fileno(), bytes(16), 16)
"""
    result = network.run(uid, "--", "python3", "-c", script)
    assert result.returncode == 0 and "denied" not in result.stderr, f"{who}: {told(result)}"
    result = network.run(uid, "--", "python3", "-c", script.replace("::ffff:0.0.0.0", "::ffff:192.0.2.1"))
    assert "denied: connect inet 192.0.2.1:9" in result.stderr, f"{who}: {told(result)}"


@both_users
def a_kernel_without_ipv6_has_the_rest(network, who, uid):
    """Any host is any host by IPv4."""
    need("curl")
    if network.is_new:
        network.serve(Pages, 80)
    without = [network.place.given(1), "socket:0=10=EAFNOSUPPORT", "--"]
    for url, status in ((f"http://{PUBLIC}/", 0), ("http://open.test/", 0), (f"http://[{PUBLIC6}]/", NO_ROUTE)):
        result = network.run(uid, "--connect", "*:80", "--", "curl", "-sS", "-m", "10", url, before=without)
        assert result.returncode == status, f"{who}, {url}: {told(result)}"


@both_users
def a_port_is_waited_for(network, who, uid):
    """Who only connects is connected, whoever is there: who waits for a server, or has another one to ask, has to hear something of it."""
    late = 7200 if uid == 0 else 7201
    script = """
import socket
def ask(port):
    try:
        with socket.create_connection(("open.test", port), 10) as s:
            return s.recv(6, socket.MSG_WAITALL)
    except ConnectionResetError:
        return b"reset"
print(ask(LATE), next(answer for port in (LATE, 7199) if (answer := ask(port)) != b"reset"))
while ask(LATE) == b"reset":
    pass
print(ask(LATE))
""".replace("LATE", str(late))

    class Starter(Echo):
        def handle(self):
            super().handle()
            network.serve(Echo, late)
    server = network.serve(Starter, 7199)
    try:
        result = network.run(uid, "--connect", f"open.test:{late}", "--connect", "open.test:7199", "--", "python3", "-c", script)
    finally:
        server.shutdown()
        server.server_close()
    assert result.stdout == "b'reset' b'ready\\n'\nb'ready\\n'\n", f"{who}: {told(result)}"


@both_users
def more_than_one_host(network, who, uid):
    """Names that fit a pattern, any host, a range: by name and by address; and what is none of them."""
    need("curl")
    if network.is_new:
        network.serve(Pages, 80)
        network.serve(Pages, 8080)
    curls(network, who, uid, [("http://a.open.test/", 0), ("http://A.Open.Test/", 0), ("http://open.test/", NO_NAME), ("http://a.b.open.test/", NO_NAME),
                              ("http://aopen.test/", NO_NAME), ("http://a.open.test:8080/", NO_ROUTE), (f"http://{PUBLIC}/", NO_ROUTE)], "*.open.test:80")
    curls(network, who, uid, [("http://open.test/", 0), (f"http://{PUBLIC}/", 0), (f"http://[{PUBLIC6}]/", 0), (f"http://{INNER}/", RESET), ("http://inner.test/", RESET),
                              ("http://metadata.test/", RESET), ("http://169.254.169.254/", RESET), ("http://127.0.0.1/", RESET), ("http://own.test/", RESET),
                              (f"http://{OWN}/", RESET), (f"http://[{OWN6}]/", RESET)], "*:80")
    curls(network, who, uid, [(f"http://{INNER}/", 0), (f"http://[{PUBLIC6}]/", 0)], "10.0.0.0/8:80", f"[{PUBLIC6[:9]}::/32]:80")
    curls(network, who, uid, [(f"http://{INNER}/", NO_ROUTE)], "10.2.0.0/16:80")
    curls(network, who, uid, [("http://open.test/", 0), ("http://open.test:8080/", 0)], "open.test:80", "*.open.test:80", "*:8080")


@both_users
def it_stands_in_the_record_whatever_becomes_of_the_dialer(network, who, uid):
    """Gone, or stuck: then what the program asked for is told, and that this is not all. However much else there is, there is room for it."""
    if network.is_new:
        network.serve(Meddler, 7000)
    script = """
import socket
s = socket.create_connection(("open.test", 7000), 10)
s.sendall(b"secret")
try:
    print(s.recv(6))
except ConnectionResetError:  # the relay misses the dialer
    print("reset")
for i in range(MANY):
    try:
        open(f"/{i}", "w")
    except OSError:
        pass
"""
    record = f"{network.home(uid)}/record.json"
    for signal_number, source in ((None, "proved"), (signal.SIGKILL if who == "root" else signal.SIGSTOP, "requested")):
        Meddler.signal = signal_number
        result = network.run(uid, "--record", record, "--connect", "open.test:7000", "--", "python3", "-c",
                             script.replace("MANY", "5000" if signal_number is None else "0"))
        assert result.returncode == 0, f"{who}, {signal_number}: {told(result)}"
        with open(record, encoding="utf-8") as file:
            told_of = json.load(file)
        connects = [(e["address"], e["source"], e["count"]) for e in told_of["effects"] if e["kind"] == "connect"]
        assert connects == [("inet open.test:7000", source, 1)], f"{who}, {signal_number}: {connects}"
        assert told_of["effects_dropped"] > 0, f"{who}, {signal_number}"
        os.unlink(record)


@both_users
def descriptors_on_their_way_hide_nothing(network, who, uid):
    """How many may be sent and not received is one number for all processes of a user, which the cell uses up: then nothing is connected, and
    what was stands in the record."""
    if network.is_new:
        network.serve(Echo, 7000)
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 4096))  # as most users have it; the dialer's is raised, and not beyond a cell's
    script = """
import socket
def connect():
    return socket.create_connection(("open.test", 7000), 10).recv(6, socket.MSG_WAITALL)
assert connect() == b"ready\\n"
pairs = []
try:
    while True:
        pairs.append(socket.socketpair())
        socket.send_fds(pairs[-1][0], [b"x"], [0] * 253)
except OSError:
    pass
assert len(pairs) > 4
try:
    print(connect())
except ConnectionResetError:
    print("reset")
del pairs
assert connect() == b"ready\\n"
"""
    record = f"{network.home(uid)}/record.json"
    result = network.run(uid, "--record", record, "--connect", "open.test:7000", "--", "python3", "-c", script)
    assert result.returncode == 0, f"{who}: {told(result)}"
    assert uid == 0 or result.stdout == "reset\n", f"{who}: {told(result)}"
    with open(record, encoding="utf-8") as file:
        connects = [(e["source"], e["count"]) for e in json.load(file)["effects"] if e["kind"] == "connect"]
    assert connects == [("proved", 3)], f"{who}: {connects}"


def fill(ours):
    """Writes what it takes; how many bytes that were."""
    n = 0
    ours.setblocking(False)
    try:
        while True:
            n += ours.send(bytes(65536))
    except BlockingIOError:
        return n


def a_relay_that_was_taken_over_holds_nothing_up(place):
    """What the dialer does with one that says what it may not, does not listen, keeps what it gave back, or has gone."""
    def behaves(dialer):
        ours, theirs = dialer.open_one()
        ours.sendall(b"12345")
        assert theirs.recv(5) == b"12345"
        ours.close()
        dialer.close(0, 0)
        assert theirs.recv(1) == b""
        return 1, 0, 5

    def goes(dialer):
        dialer.open_one()
        dialer.relay.close()
        return 1, 0, 0

    def goes_while_it_asks(dialer):
        dialer.open_one()
        for i in range(1, 30):
            dialer.ask(i)
        dialer.relay.close()
        return None

    def says_nonsense(dialer):
        dialer.open_one()
        dialer.relay.send(b"nonsense")
        return 1, 0, 0

    def asks_for_what_is_not_there(dialer):
        _, theirs = dialer.open_one()
        dialer.ask(1, 77)
        try:  # all of its connections end
            assert theirs.recv(1) == b""
        except ConnectionResetError:
            pass
        return 1, 0, 0

    def asks_twice(dialer):
        dialer.ask(5)
        dialer.ask(5)
        dialer.take()
        return 1, 0, 0

    def does_not_listen(dialer):
        try:
            for i in range(600):
                dialer.ask(i)
        except (ConnectionResetError, BrokenPipeError):
            pass
        return None

    def keeps(broken):
        def act(dialer):
            ours, theirs = dialer.open_one()
            dialer.close(0, broken)
            try:
                assert theirs.recv(1) == b"" and not broken
            except ConnectionResetError:
                assert broken
            try:
                ours.send(b"after the end")
                raise AssertionError("it may still be written to")
            except (BrokenPipeError, ConnectionResetError):
                return 1, 0, 0
        return act

    def lets_the_close_linger(dialer):
        ours, theirs = dialer.open_one()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
        n = fill(ours)
        assert n < 2 << 20, f"{n} bytes wait in the host's memory for one that takes nothing"
        ours.close()
        dialer.close(0, 0)
        dialer.theirs = theirs  # which reads nothing
        return 1, 0, n

    for act in (behaves, goes, goes_while_it_asks, says_nonsense, asks_for_what_is_not_there, asks_twice, does_not_listen, keeps(0), keeps(1),
                lets_the_close_linger):
        dialer = Dialer(place)
        expected, got = act(dialer), dialer.end()
        assert got == expected if expected is not None else got[0] > 0, f"{act.__name__}: {got}, not {expected}"


def what_a_relay_keeps_is_counted_cut_and_withdrawn(place):
    """Budgets and withdrawing hold against one that was taken over, and so does the count of what only waits to be sent."""
    for broken in (0, 1):  # how the relay ends what was cut already
        dialer = Dialer(place, bytes_most=10)
        ours, theirs = dialer.open_one()
        ours.sendall(bytes(100))
        try:
            while theirs.recv(100):
                pass
            raise AssertionError("it ended well")
        except ConnectionResetError:
            pass
        dialer.close(0, broken)
        dialer.ask(1)
        assert dialer.take_failure() == errno.EDQUOT
        assert dialer.end() == (1, 0, 100), broken

    dialer = Dialer(place)
    ours, theirs = dialer.open_one()
    assert dialer.withdraw() == 1
    try:
        theirs.recv(1)
        raise AssertionError("it ended well")
    except ConnectionResetError:
        pass
    dialer.close(0, 0)
    dialer.ask(0)
    assert dialer.take_failure() == errno.EACCES
    assert dialer.end() == (1, 0, 0)

    dialer = Dialer(place)
    dialer.open_one()
    dialer.relay.close()
    assert dialer.withdraw() == 0  # it is asked for nothing any more, and answers
    assert dialer.end() == (1, 0, 0)

    dialer = Dialer(place)
    ours, theirs = dialer.open_one()
    n = fill(ours)
    assert dialer.end() == (1, 0, n)  # what is open still: it goes out when all have gone

    dialer = Dialer(place)
    ours, theirs = dialer.open_one()
    ours.sendall(b"before")
    assert theirs.recv(100) == b"before"
    assert dialer.report() == (1, 0, 6)
    try:
        ours.sendall(b"after what was used is told")
        raise AssertionError("it may still be written to")
    except BrokenPipeError:
        assert theirs.recv(100) == b""
    dialer.ask(1)
    assert dialer.withdraw() == 0  # so that has been read
    dialer.relay.setblocking(False)
    try:
        raise AssertionError(f"{dialer.take()}, of which nobody hears")
    except BlockingIOError:
        assert dialer.end() == (1, 0, 6)


def socket_of(pid):
    """Its standard input."""
    fd = ctypes.CDLL(None, use_errno=True).syscall(438, os.pidfd_open(pid), 0, 0)  # pidfd_getfd
    if fd < 0:
        raise Skip(f"no descriptor of another process is to be had: {os.strerror(ctypes.get_errno())}")
    return socket.socket(fileno=fd)


def one_that_answers_and_does_not_read_holds_nobody_up(place):
    """A resolver that a name server took over: the dialer withdraws and tells meanwhile, and asks another."""
    dialer = Dialer(place, "*.open.test")
    for _ in range(1000):
        if len(dialer.resolvers()) == 4:
            break
        time.sleep(0.01)
    resolvers = sorted(dialer.resolvers())  # in the order in which they are asked
    for pid in resolvers:
        os.kill(pid, signal.SIGSTOP)
    ours = [socket_of(pid) for pid in resolvers[:2]]
    for i in range(1000):
        dialer.ask(i, name=f"a{i}.open.test")
        assert dialer.withdraw(Dialer.LOOK) == dialer.withdraw(Dialer.LOOK) == 0  # so it has been asked, in the turn between them
        try:
            ours[0].send(bytes(4 + 16 * 17))  # there is no such name
        except BrokenPipeError:
            break
        assert dialer.take_failure() == errno.EHOSTUNREACH
    assert 10 < i < 999
    assert ours[1].recv(100) == f"a{i}.open.test".encode()
    for pid, mine in zip(resolvers, ours + 2 * [None]):
        os.kill(pid, signal.SIGKILL)
        if mine is not None:
            mine.close()
    assert dialer.take_failure() == errno.EHOSTUNREACH
    assert dialer.end() == (0, i + 1 - 64, 0)  # so many hosts are told one by one


def who_looks_names_up_has_nothing_and_may_go(place):
    """What name servers answer is read by nobody with any power, and when all who read it have gone, nothing is found."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        ranges = [tuple(map(int, line.split())) for line in file]
    if os.geteuid() == 0 and not any(first <= 0x70000000 < first + n for first, _, n in ranges):
        raise Skip("root has no other ids here")
    dialer = Dialer(place, "localhost")
    dialer.ask(0)
    assert dialer.take_failure() == errno.EPERM  # it is found, and not public
    asked = 0
    for pid in dialer.resolvers():
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        if status["NoNewPrivs"] == "1":
            asked += 1
            assert "0" not in status["Uid"].split() + status["Gid"].split(), status
            assert os.geteuid() != 0 or not status["Groups"].split(), status
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0, status
            assert status["Seccomp"] == "2", status  # tests/unit/test_filter.c has what passes
    assert asked > 0
    assert dialer.end() == (0, 1, 0)

    dialer = Dialer(place, "localhost")
    for _ in range(1000):
        if len(dialer.resolvers()) == 4:
            break
        time.sleep(0.01)
    for pid in dialer.resolvers():
        os.kill(pid, signal.SIGKILL)
    dialer.ask(0)
    assert dialer.take_failure() == errno.EHOSTUNREACH
    assert dialer.end() == (0, 1, 0)


SCENARIOS = [more_than_one_host, a_port_is_waited_for, the_cell_itself_is_not_told_as_denied, a_kernel_without_ipv6_has_the_rest, what_is_granted_is_reached, and_nothing_else, bytes_pass_as_they_are, many_connections, one_that_does_not_read_stops_no_other,
             what_is_stuck_leaves_descriptors_for_the_others,
             a_hello_is_for_the_granted_host, and_so_is_a_second_one, clients_of_tls_work_as_they_are, hellos_that_do_not_end_stop_no_other,
             it_stands_in_the_record, it_stands_in_the_record_whatever_becomes_of_the_dialer,
             descriptors_on_their_way_hide_nothing, a_relay_that_was_taken_over_holds_nothing_up,
             what_a_relay_keeps_is_counted_cut_and_withdrawn, one_that_answers_and_does_not_read_holds_nobody_up, who_looks_names_up_has_nothing_and_may_go, an_endpoint_is_nobodys_to_take, bad_words_are_refused, uses_are_counted, a_rate_is_held,
             bytes_are_counted_exactly, bytes_are_bounded, a_moment_ends_it, it_stands_in_the_ledger, words_of_budgets_are_refused, nothing_is_left]

if __name__ == "__main__":
    main(SCENARIOS)
