#!/usr/bin/env python3
"""Hostile code in the place of the roles that read what programs send, and programs that reach for what other events were granted. What is tried
is tried bare as well, where it is reached.

usage: network_hostile.py AMBIT TAKEN-NET TAKEN-SSH    (as network.py, whose network it is; the others are tests/hostile/taken.c)
"""

import contextlib
import errno
import glob
import json
import os
import re
import shutil
import socket
import socketserver
import struct
import subprocess
import threading

from harness import ORDINARY, PATIENCE, Skip, always, main, rooted, sanitized, told
from network import IDS, INNER, OWN, OWN6, PUBLIC, PUBLIC6, Dialer, both_users
from network_listen import event
from network_ssh import AGENT, each_user

PLAIN, ANY, UDP = 7300, 7301, 7330


# ---- hostile code ----

@contextlib.contextmanager
def taken(network, role):
    """Whoever runs ambit meanwhile gets a hostile ambit-ROLE."""
    place, was = network.place, network.place.ambit
    if sanitized(was):
        raise Skip("cells of a sanitizer's roles have files in them, and a filter that lets more pass")
    there = f"{network.top}/taken-{role}"
    if not os.path.isdir(there):
        os.mkdir(there)
        for path in glob.glob(f"{os.path.dirname(was)}/ambit*"):
            os.link(path, os.path.join(there, os.path.basename(path)))
        os.unlink(f"{there}/ambit-{role}")
        shutil.copy(place.given(("net", "ssh", "http").index(role) + 1), f"{there}/ambit-{role}")
    place.ambit = f"{there}/{os.path.basename(was)}"
    try:
        yield
    finally:
        place.ambit = was


# In the cell: says each text to what listens there, and prints the answers, and how many descriptors came with them.
COMMANDER = """
import json, socket, sys
def connect(how):
    if how == "tcp":
        return socket.create_connection(("open.test", 7300), 20)
    s = socket.socket(socket.AF_UNIX)
    s.connect(how)
    return s
passed = 0
for how, text in json.loads(sys.argv[1]):
    with connect(how) as s:
        s.sendall(text.encode())
        s.shutdown(socket.SHUT_WR)
        data = True
        while data:
            data, fds, *_ = socket.recv_fds(s, 65536, 8)
            passed += len(fds)
            sys.stdout.write(data.decode())
print("descriptors passed:", passed)
"""


def answers(text):
    return dict(line.rsplit(": ", 1) for line in text.splitlines() if line)


def command(network, uid, words, *texts):
    """What the hostile role answers in an event with these words, to (how, lines) one after the other."""
    said = [(how, "".join(f"{line}\n" for line in lines)) for how, lines in texts]
    result = network.run(uid, *words, "--", "python3", "-c", COMMANDER, json.dumps(said))
    assert result.returncode == 0, f"uid {uid}: {told(result)}"
    return answers(result.stdout)


def bare(network, uid, program, lines):
    who = [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    result = network.place.run(*who, program, "bare", cwd="/", input="".join(f"{line}\n" for line in lines))
    assert result.returncode == 0, f"uid {uid}: {told(result)}"
    return answers(result.stdout)


def reached(got, rows):
    """Of what was tried, and all of it was."""
    missing = [row for row in rows if row not in got]
    assert not missing, f"not tried: {missing}"
    return {row: got[row] for row in rows if got[row].split()[0] == "reached"}


class Victim:
    """Of the host: a process, files, servers of all kinds, which whoever is outside reaches."""

    def __init__(self, network, uid):
        self.home = f"{network.top}/victim-{uid}"
        os.mkdir(self.home, 0o755)
        os.chown(self.home, uid, uid)
        with open(f"{self.home}/secret", "w", encoding="ascii") as file:
            file.write("secret")
        self.abstract = f"ambit-test-{os.getpid()}-{uid}"
        self.listeners = []
        for at in f"\0{self.abstract}", f"{self.home}/socket":
            self.listeners.append(socket.socket(socket.AF_UNIX))
            self.listeners[-1].bind(at)
            self.listeners[-1].listen(64)
        os.chmod(f"{self.home}/socket", 0o666)
        script = "import ctypes, sys; ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_long(-1)); print('ready', flush=True); sys.stdin.read()"  # PR_SET_PTRACER, any
        self.process = subprocess.Popen(["python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=uid, group=uid, extra_groups=[],
                                        env={"SECRET": "secret"}, cwd="/")
        assert self.process.stdout.readline() == b"ready\n"

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        for listener in self.listeners:
            listener.close()

    def forbidden(self):
        """What a role that was taken over might want of it, and of the world."""
        pid = self.process.pid
        return [*(f"read {path}" for path in ("/etc/passwd", "/etc/hosts", f"{self.home}/secret", f"/proc/{pid}/environ", "/proc/self/status", "/proc/self/exe",
                                               "/dev/urandom")),
                f"write {self.home}/written", *(f"list {path}" for path in ("/", "/proc", "/etc", "/dev", self.home)),
                f"kill {pid}", f"pidfd {pid}", f"ptrace {pid}", "others", "fork", "spawn /bin/true",
                *(f"tcp {address} {PLAIN}" for address in ("127.0.0.1", "::1", PUBLIC, PUBLIC6, INNER, OWN, OWN6)),
                *(f"udp {address} {UDP}" for address in ("127.0.0.1", "::1", PUBLIC, PUBLIC6)),
                f"abstract {self.abstract}", f"unix {self.home}/socket", "interfaces"]


class Datagrams(threading.Thread):
    """Answers each."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, UDP))
        self.start()

    def run(self):
        while True:
            self.sock.sendto(*self.sock.recvfrom(100))


class Greeter(socketserver.BaseRequestHandler):
    """Says who it is, and hears what there is to hear."""
    heard = b""

    def handle(self):
        with contextlib.suppress(OSError):
            self.request.sendall(b"ready\n")
            while piece := self.request.recv(65536):
                Greeter.heard += piece


def serve_all(network):
    network.serve(Greeter, PLAIN)
    network.serve(Greeter, ANY)
    for address in "127.0.0.1", "::1":
        Datagrams(address)
    with network.world():
        for address in PUBLIC, PUBLIC6:
            Datagrams(address)


def programs_of(name, beside):
    """Processes whose program is this one of ours."""
    found = []
    for link in glob.glob("/proc/[0-9]*/exe"):
        with contextlib.suppress(OSError):
            if os.readlink(link) == os.path.join(os.path.dirname(beside), name):
                found.append(int(link.split("/")[2]))
    return found


def controls():
    """Names by which events that run are reached."""
    with open("/proc/self/net/unix", encoding="ascii") as file:
        return re.findall(r"@(ambit/\S+)", file.read())


def hostile(scenario):
    """As root and as another, in each run: it makes networks, for which it has to be root itself."""
    return always(rooted(both_users(scenario)))


def beside(network, uid):
    """Another event of the same person: its words for event()."""
    return network, uid, "print('ready', flush=True)\nthreading.Event().wait()", "--connect", f"open.test:{ANY}"


@hostile
def who_takes_the_relay_over_gains_no_network_file_or_process(network, who, uid):
    """By the cell alone, in which it runs; and by what it promised, which the sockets of the host's network that it is given do need."""
    if network.is_new:
        serve_all(network)
    with contextlib.closing(Victim(network, uid)) as victim, event(*beside(network, uid)):
        relay, = programs_of("ambit-net", network.place.ambit)
        control, = controls()
        rows = [*victim.forbidden(), f"kill {relay}", f"read /proc/{relay}/status", f"abstract {control}"]
        twin = bare(network, uid, network.place.given(1), rows)
        assert len(reached(twin, rows)) == len(rows), f"{who}, bare: {twin}"
        os.unlink(f"{victim.home}/written")
        words = ("--connect", f"open.test:{PLAIN}", "--connect", f"unix:{victim.home}/socket")
        given = ["pass", f"dialed-again {OWN} {PLAIN}", "dialed-listens"]
        itself = f"listener-again {PUBLIC} {PLAIN}"
        texts = [("tcp", [*rows, f"ask 0 {PLAIN}", "say"]), (f"{victim.home}/socket", given), ("tcp", [itself])]
        with taken(network, "net"):
            cell = command(network, uid, words, ("tcp", ["descriptors"]), *texts)
            kept = command(network, uid, words, ("tcp", ["keep"]), *texts)
        assert cell["descriptors"] == "reached unix null null unix listener listener inet", f"{who}: {cell['descriptors']}"
        for name, got in ("the cell", cell), ("its promise", kept):
            assert not reached(got, [*rows, itself]), f"{who}, by {name}: {reached(got, [*rows, itself])}"
            assert len(reached(got, [f"ask 0 {PLAIN}", "say"])) == 2, f"{who}, by {name}: what is granted: {got}"
        assert {kept[row] for row in (*rows, itself, *given)} == {"ENOSYS"} and kept["descriptors passed"] == "0", f"{who}: {kept}"
        assert len(reached(cell, given)) == 3 and cell["descriptors passed"] == "1", f"{who}, without its promise: {cell}"
        assert not os.path.exists(f"{victim.home}/written"), who


@hostile
def who_takes_the_relay_over_reaches_what_was_granted(network, who, uid):
    """And nothing by the dialer that was not: each is refused, and then it is not heard any more, and has no connection."""
    if network.is_new:
        serve_all(network)
    granted = [f"ask 0 {PLAIN}", f"ask 1 {ANY} {PUBLIC}", f"ask 2 {ANY} {PUBLIC6}", f"ask 3 {ANY} open.test", "say"]
    inside = [f"ask 9 {ANY} {to}" for to in ("127.0.0.1", "::1", INNER, "169.254.169.254", OWN, OWN6, "fd00:ff::1", "64:ff9b::7f00:1", "inner.test", "own.test", "rebound.test",
                                             "metadata.test")]
    with taken(network, "net"):
        for last in ("none", f"{PLAIN} {PUBLIC}", f"{PLAIN} other.test", f"{ANY} localhost"):
            got = command(network, uid, ("--connect", f"open.test:{PLAIN}", "--connect", f"*:{ANY}"),
                          ("tcp", ["keep", *granted]), ("tcp", inside), ("tcp", [f"ask 10 {last}", f"ask 11 {PLAIN}"]), ("tcp", ["say"]))
            assert got.pop("say") in ("EPIPE", "ECONNRESET"), f"{who}, {last}: {got}"
            assert len(reached(got, granted[:-1])) == 4 and all(got[row] == "EPERM" for row in inside), f"{who}: {got}"
            assert (got[f"ask 10 {last}"], got[f"ask 11 {PLAIN}"]) == ("EPIPE", "EPIPE"), f"{who}, {last}: {got}"


# ---- what the dialer holds a relay's word against ----

NOWHERE = bytes(17)


def at(text):
    return b"\6" + socket.inet_pton(socket.AF_INET6, text) if ":" in text else b"\4" + socket.inet_aton(text) + bytes(12)


class Held(Dialer):
    """With an endpoint of each kind, or of one."""
    NAME, PATTERN, RANGE, ANY = 1, 2, 3, 4
    ENDPOINTS = {"name": (NAME, NOWHERE, 0, b"open.test"), "pattern": (PATTERN, NOWHERE, 0, b"*.open.test"), "any": (ANY, NOWHERE, 0, b""),
                 "range": (RANGE, at("10.1.0.0"), 16, b""), "range6": (RANGE, at("2606:2800:220::"), 48, b""), "one": (RANGE, at(INNER), 32, b""),
                 "all": (RANGE, at("0.0.0.0"), 0, b""), "all6": (RANGE, at("::"), 0, b"")}

    def __init__(self, place, uid, only=None):  # pylint: disable=super-init-not-called
        self.supervisor, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen([os.path.join(os.path.dirname(place.ambit), "ambit-dial")], user=uid, group=uid, extra_groups=[],
                                        preexec_fn=lambda: os.dup2(theirs.fileno(), 3), pass_fds=(3,))
        theirs.close()
        self.supervisor.settimeout(PATIENCE)
        for i, (endpoint, (kind, address, prefix, name)) in enumerate(self.ENDPOINTS.items()):
            if only in (None, endpoint):
                self.say(self.supervisor, self.ALLOW, struct.pack("<IIIIQIIBQBH", i, i, 0, 0, 0, 0, 0, 0, 0, kind, PLAIN) + address +
                         struct.pack("<BI", prefix, len(name)) + name)
        self.relay, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        socket.send_fds(self.supervisor, [struct.pack("<HH", self.RELAY, 0)], [theirs.fileno()])
        theirs.close()
        self.relay.settimeout(PATIENCE)

    def ask_for(self, endpoint, address, name, connection=0):
        """0: connected; else why not; None: it hung up."""
        index = list(self.ENDPOINTS).index(endpoint) if isinstance(endpoint, str) else endpoint
        self.say(self.relay, self.ASK, struct.pack("<II", connection, index) + address + struct.pack("<I", len(name)) + name)
        try:
            body, fds, *_ = socket.recv_fds(self.relay, 100, 1)
        except ConnectionResetError:
            return None
        if not body:
            return None
        for fd in fds:
            os.close(fd)
        number, _, _, why = struct.unpack("<HHII", body)
        assert number == self.DONE and len(fds) == (why == 0), body
        return why

    def end_unused(self):
        """True: nothing was dialed at all."""
        self.say(self.supervisor, self.REPORT)
        body = self.supervisor.recv(65536)
        self.supervisor.close()
        self.relay.close()
        assert self.process.wait(PATIENCE) == 0
        return not any(body[4:])


ASKED = (  # endpoint, address, name, and how it ends
    *(("any", at(a), b"", 0) for a in (PUBLIC, PUBLIC6)), ("any", NOWHERE, b"open.test", 0), ("name", NOWHERE, b"", 0), ("pattern", NOWHERE, b"a.open.test", 0),
    *(("any", at(a), b"", errno.EPERM) for a in (INNER, OWN, OWN6, "127.0.0.1", "::1", "169.254.169.254", "fd00:ff::1", "fe80::1", "fd00:ec2::254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
                                                 "198.18.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:127.0.0.1", f"::ffff:{INNER}")),
    *(("any", NOWHERE, n, errno.EPERM) for n in (b"inner.test", b"own.test", b"rebound.test", b"metadata.test")),
    ("range", at(INNER), b"", 0), ("range", at("10.1.255.255"), b"", errno.ENETUNREACH), ("range6", at(PUBLIC6), b"", 0), ("one", NOWHERE, b"", 0),
    ("all", at(PUBLIC), b"", 0), ("all", at(INNER), b"", 0), ("all6", at(PUBLIC6), b"", 0), ("all6", at("fd00:ff::1"), b"", 0),
)
DROPPED = (  # endpoint, address, name
    *(("pattern", NOWHERE, n) for n in (b"", b"open.test", b"b.a.open.test", b"aopen.test", b"a.open.test.evil.test", b"localhost", b"*.open.test", b"A.open.test", b"a.open.test.", b".open.test",
                                        b"a.open.test\0", b"a.open.test\0.evil.test", b"a" * 64 + b".open.test")), ("pattern", at(PUBLIC), b""), ("pattern", at(PUBLIC), b"a.open.test"),
    *(("range", at(a), b"") for a in ("10.2.0.1", "10.0.255.255", PUBLIC, "127.0.0.1", "::ffff:10.1.2.3", "::10.1.2.3", PUBLIC6)), ("range", NOWHERE, b""),
    ("range", NOWHERE, b"open.test"), ("range", NOWHERE, b"10.1.2.3"), ("range", b"\4" + socket.inet_aton(INNER) + b"\1" * 12, b""), ("range", b"\5" + at(INNER)[1:], b""),
    ("range6", at("2606:2800:221::1"), b""), ("range6", at(INNER), b""), ("one", at(INNER), b""), ("one", at("10.1.2.4"), b""),
    *(("all", at(a), b"") for a in ("127.0.0.1", "127.1.2.3", "0.0.0.0", "224.0.0.1", "255.255.255.255", PUBLIC6, "::1")),
    *(("all6", at(a), b"") for a in ("::1", "::", "ff02::1", "::ffff:10.1.2.3", "::ffff:127.0.0.1", INNER)), ("all", NOWHERE, b"open.test"),
    ("any", NOWHERE, b""), ("any", NOWHERE, b"localhost"), ("any", NOWHERE, b"a.localhost"), ("any", NOWHERE, PUBLIC.encode()), ("any", at(PUBLIC), b"open.test"),
    ("name", NOWHERE, b"open.test"), ("name", NOWHERE, b"other.test"), ("name", at(PUBLIC), b""), *((i, NOWHERE, b"") for i in (len(Held.ENDPOINTS), 127, 128, 1 << 31, (1 << 32) - 1)),
)


@hostile
def the_dialer_holds_a_relays_word_against_the_grant(network, who, uid):
    """What is not granted is not tried, and whoever asked for it is not heard any more."""
    if network.is_new:
        network.serve(Greeter, PLAIN)
    dialer = Held(network.place, uid)
    for i, (endpoint, address, name, ends) in enumerate(ASKED):
        got = dialer.ask_for(endpoint, address, name, i)
        assert got == ends, f"{who}, {endpoint} {address} {name}: {got}, not {ends}"
    assert not dialer.end_unused()
    for endpoint, address, name in DROPPED[list(IDS.values()).index(uid)::2]:  # it is the same for both
        dialer = Held(network.place, uid, endpoint if isinstance(endpoint, str) else None)
        got = dialer.ask_for(endpoint, address, name)
        assert got is None and dialer.end_unused(), f"{who}, {endpoint} {address} {name}: {got}"


# ---- an endpoint and another cell ----

# Arguments: an address, a port of an endpoint, and one at which the first cell listens. What each attempt came to.
ATTACK = """
import errno, glob, json, socket, sys
address, port, inner = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def tcp(*to):
    with socket.create_connection(to, 10) as s:
        s.sendall(b"from outside")
        return s.recv(5, socket.MSG_WAITALL) == b"ready"
def unix(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    return True
def processes():
    def words(path):
        try:
            return open(path, "rb").read()
        except OSError:
            return b""
    return any(b"a-marker-" + b"of-the-first" in words(path) for path in glob.glob("/proc/[0-9]*/cmdline"))
rows = {
    "its name": lambda: tcp("open.test", port),
    "its address": lambda: tcp(address, port),
    "the loopback": lambda: tcp("127.0.0.1", inner),
    "an abstract socket": lambda: unix("\\0a-socket-of-the-first"),
    "a socket by its path": lambda: unix("/tmp/a-socket-of-the-first"),
    "its processes": processes,
}
def attempt(row):
    try:
        return "reached" if rows[row]() else "not there"
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))
print(json.dumps({row: attempt(row) for row in rows}))
"""

FIRST = """
import json, subprocess
def greet(peer):
    peer.sendall(b"ready")
    peer.close()
held = socket.create_connection(("open.test", 7300), 10)
assert held.recv(6, socket.MSG_WAITALL) == b"ready\\n"
held.sendall(b"from the first")
serve("127.0.0.1", 7302, greet)
for path in "\\0a-socket-of-the-first", "/tmp/a-socket-of-the-first":
    globals()["listens at " + path] = s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen()
address = held.getpeername()[0]
beside = subprocess.Popen(["python3", "-c", "import sys; sys.stdin.read()", "a-marker-of-the-first"], stdin=subprocess.PIPE)
twin = subprocess.run(["python3", "-c", ATTACK, address, "7300", "7302"], capture_output=True, text=True)
print("ready")
print(json.dumps([address, twin.stdout or twin.stderr]))
ready()
"""


@hostile
def an_endpoint_is_not_another_cells(network, who, uid):
    """Of the same person, of another, whatever else that was granted. The twin is in the first cell itself."""
    if network.is_new:
        network.serve(Greeter, PLAIN)
        network.serve(Greeter, ANY)
    Greeter.heard = b""
    with event(network, uid, f"ATTACK = {ATTACK!r}\n{FIRST}", "--connect", f"open.test:{PLAIN}") as first:
        address, twin = json.loads(first.process.stdout.readline())
        assert set(json.loads(twin).values()) == {"reached"}, f"{who}, in the first: {twin}"
        before = Greeter.heard
        other = ORDINARY if uid == 0 else 0
        for whose, grants in ((uid, ()), (uid, (f"open.test:{ANY}",)), (uid, (f"*:{ANY}", f"10.0.0.0/8:{PLAIN}")), (other, (f"open.test:{ANY}",))):
            result = network.run(whose, *(word for grant in grants for word in ("--connect", grant)), "--", "python3", "-c", ATTACK, address, str(PLAIN), "7302")
            assert result.returncode == 0 and "reached" not in result.stdout and len(json.loads(result.stdout)) == 6, f"{who}, {grants}: {told(result)}"
        assert Greeter.heard == before and before.count(b"from") == 3, f"{who}: {Greeter.heard}"
        assert network.run(uid, "--connect", f"open.test:{PLAIN}", "--", "python3", "-c", ATTACK, address, str(PLAIN), "7302").stdout.count("reached") == 2, who


class Proxy(socketserver.StreamRequestHandler):
    """Keeps what it was asked, and connects to who is meant, if `speaks` says so."""
    heard, speaks = [], False

    def handle(self):
        asked = self.rfile.read(int(self.rfile.readline()))
        Proxy.heard.append(asked)
        if not Proxy.speaks:
            self.wfile.write(b"what?\n")
            return
        host, port = asked.decode().split()[1].split(":")
        with socket.create_connection((host, int(port)), 10) as s:
            self.wfile.write(s.recv(6, socket.MSG_WAITALL))


@hostile
def an_endpoint_is_no_proxy(network, who, uid):
    """What asks for another host reaches the granted one as it is, and no other; one that is a proxy shows that it would have been seen."""
    if network.is_new:
        network.serve(Proxy, 7303)
        network.serve(Greeter, ANY)
    ask = f"CONNECT open.test:{ANY} HTTP/1.1\r\nHost: open.test:{ANY}\r\n\r\n".encode()
    get = f"GET http://open.test:{ANY}/ HTTP/1.1\r\nHost: open.test:{ANY}\r\n\r\n".encode()
    socks = b"\5\1\0\5\1\0\1" + socket.inet_aton(PUBLIC) + struct.pack(">H", ANY)
    header = f"PROXY TCP4 198.51.100.1 {PUBLIC} 1 {ANY}\r\n".encode()
    script = """
import socket, sys
for ask in map(bytes.fromhex, sys.argv[1:]):
    with socket.create_connection(("open.test", 7303), 10) as s:
        s.sendall(b"%d\\n" % len(ask) + ask)
        print(s.recv(6, socket.MSG_WAITALL).decode(), end="")
"""
    for Proxy.speaks, asked, answer in ((False, [ask, get, socks, header], "what?\n" * 4), (True, [ask], "ready\n")):
        Proxy.heard.clear()
        result = network.run(uid, "--connect", "open.test:7303", "--", "python3", "-c", script, *(a.hex() for a in asked))
        assert result.stdout == answer and Proxy.heard == asked, f"{who}: {Proxy.heard}, {told(result)}"


# ---- in the place of the cell's ssh agent ----

@always
@rooted
@each_user
def who_takes_the_ssh_agent_over_gains_no_key_network_or_file(hosts, who, uid):
    """It has the proof of a session, and may ask for what the person granted: by the cell alone, and by its promise."""
    if hosts.is_new:
        hosts.is_new = False
        serve_all(hosts)
    script = AGENT + """
bind, sign = watch("ssh", "-o", "BatchMode=yes", "git@open.test", "true")
print(bind.hex())
"""
    result = hosts.ssh_hosts(uid, "python3", "-c", script)
    assert result.returncode == 0, f"{who}: {told(result)}"
    session, proof = session_of(bytes.fromhex(result.stdout))

    def sign(grant, host, session=session, proof=proof, key=0, method=0):
        return f"sign {grant} {host} {key} 1 {method} 1 {session.hex()} {proof.hex()}"
    granted = [sign(0, 0), sign(0, 0, method=1)]
    others = [sign(1, 0), sign(0, 1), sign(1, 1), sign(9, 0), sign(0, 9), sign(0, 0, key=9), sign(0, 0, session=session[::-1]), sign(0, 0, proof=proof[::-1]),
              sign(1, 1, session=bytes(32), proof=bytes(64))]
    agent = "/run/ambit/ssh-agent"
    words = ("--connect", "ssh://git@open.test", "--connect", "ssh://alice@open.test:2222")
    with contextlib.closing(Victim(hosts, uid)) as victim:
        rows = [*victim.forbidden(), f"read {hosts.key}", f"unix {hosts.place.settings['SSH_AUTH_SOCK']}"]
        twin = bare(hosts, uid, hosts.place.given(2), rows)
        assert len(reached(twin, rows)) == len(rows), f"{who}, bare: {twin}"
        with taken(hosts, "ssh"):
            cell = command(hosts, uid, words, (agent, ["descriptors", *rows, *granted, *others]))
            kept = command(hosts, uid, words, (agent, ["keep", *rows, *granted, *others]))
    assert cell["descriptors"] == "reached unix null null unix listener unix", f"{who}: {cell['descriptors']}"
    for name, got in ("the cell", cell), ("its promise", kept):
        assert not reached(got, [*rows, *others]), f"{who}, by {name}: {reached(got, [*rows, *others])}"
        assert len(reached(got, granted)) == 2, f"{who}, by {name}: {got}"
    assert {kept[row] for row in rows} == {"ENOSYS"}, f"{who}: {kept}"


def session_of(bind):
    """And the host's signature of it, as session-bind@openssh.com has them, of Ed25519."""
    def strings(rest):
        while len(rest) > 4:
            n = struct.unpack(">I", rest[:4])[0]
            yield rest[4:4 + n]
            rest = rest[4 + n:]
    _, _, session, proof, *_ = strings(bind[1:])
    return session, list(strings(proof))[1]


SCENARIOS = [who_takes_the_relay_over_gains_no_network_file_or_process, who_takes_the_relay_over_reaches_what_was_granted,
             the_dialer_holds_a_relays_word_against_the_grant, an_endpoint_is_not_another_cells, an_endpoint_is_no_proxy,
             who_takes_the_ssh_agent_over_gains_no_key_network_or_file]

if __name__ == "__main__":
    main(SCENARIOS)
