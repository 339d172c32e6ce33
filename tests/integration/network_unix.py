#!/usr/bin/env python3
"""What `--connect unix:PATH` opens, and what it does not: sockets of servers of the test's own, in directories that hold others.

usage: network_unix.py AMBIT    (TAP on standard output; as root, whose scenarios run ambit as root and as another)
"""

import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading

from harness import main, need, told, write
from grant import Running, said
from network import Network, both_users

CLIENT = """
import os, socket, sys
def client(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(path)
    return s
def ask(path, word):
    # b"end": nobody was reached
    try:
        with client(path) as s:
            s.sendall(word + b"\\n")
            return s.recv(100) or b"end"
    except (BrokenPipeError, ConnectionResetError):
        return b"end"
def error(path):
    try:
        return client(path).recv(100)
    except OSError as e:
        return type(e).__name__
"""


class Server:
    """Listens at a path, and does what the lines say that it gets; what it received of descriptors is counted."""

    def __init__(self, path, name, uid, backlog=64):
        self.path, self.name, self.uid, self.backlog = path, name, uid, backlog
        self.words, self.descriptors, self.peers = {}, 0, set()
        self.listen()

    def listen(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        os.chown(self.path, self.uid, self.uid)
        self.sock.listen(self.backlog)
        if self.backlog:
            self.start()

    def start(self):
        threading.Thread(target=self.accept, args=(self.sock,), daemon=True).start()

    def accept(self, sock):
        while True:
            try:
                peer, _ = sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        self.peers.add(struct.unpack("iii", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])
        word, fds, _, _ = socket.recv_fds(peer, 100, 4)
        self.descriptors += len(fds)
        for fd in fds:
            os.close(fd)
        word = word.decode().strip()
        if word == "echo":
            n = 0
            peer.sendall(b"ready\n")
            while piece := peer.recv(65536):
                n += len(piece)
                peer.sendall(piece)
            with contextlib.suppress(BrokenPipeError):  # a connection that was taken away
                peer.sendall(b"%d" % n)
        elif word == "pass":
            socket.send_fds(peer, [b"passed"], [0, 1])
        else:
            self.words.get(word, lambda: None)()
            with contextlib.suppress(BrokenPipeError):  # who only waited in the queue
                peer.sendall(self.name.encode())
        peer.close()


def place_of(network, uid, name, top=None):
    path = f"{top or network.top}/{name}-{uid}"
    os.mkdir(path)
    os.chown(path, uid, uid)
    return path


def look(top):
    return {(n, s.st_ino, s.st_mode, s.st_uid, s.st_mtime_ns) for n in os.listdir(top) for s in [os.lstat(f"{top}/{n}")]}


def connect(*paths):
    return [word for path in paths for word in ("--connect", f"unix:{path}")]


def told_of(network, uid, script, *words):
    """What the script said, and how its connections are told."""
    record = f"{network.top}/record-{uid}.json"
    write(record, "")
    os.chown(record, uid, uid)
    result = network.run(uid, "--record", record, *words, "--", "python3", "-c", CLIENT + script)
    assert result.returncode == 0, f"uid {uid}: {told(result)}"
    with open(record, encoding="utf-8") as file:
        effects = [e for e in json.load(file)["effects"] if e["kind"] == "connect"]
    return result.stdout.split(), {e["address"]: (e["source"], e["count"], e["verdict"]) for e in effects}


def as_outside(script):
    """The same without a cell."""
    result = subprocess.run([sys.executable, "-c", CLIENT + script], capture_output=True, text=True, check=True)
    return result.stdout.split()


@both_users
def what_is_granted_is_reached(network, who, uid):
    """The host speaks first; both directions at once; an end in one direction; many short ones. Another socket in the directory is not there."""
    if network.is_new:
        subprocess.run(["mount", "-t", "tmpfs", "none", "/srv"], check=True)  # of which a cell has nothing of its own
    top = place_of(network, uid, "reached", "/srv")
    server, other = Server(f"{top}/s", "granted", uid), Server(f"{top}/other", "other", uid)
    said, effects = told_of(network, uid, f"""
import threading
s = client("{top}/s")
s.sendall(b"echo\\n")
assert s.recv(6, socket.MSG_WAITALL) == b"ready\\n"
data = os.urandom(1 << 20) * 16
threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
got = b"".join(iter(lambda: s.recv(1 << 20), b""))
assert got == data + str(len(data)).encode(), (len(got), len(data))
assert all(ask("{top}/s", b"who") == b"granted" for _ in range(60))
for _ in range(5):
    many = [client("{top}/s") for _ in range(60)]
    for one in many:
        one.sendall(b"who\\n")
    assert all(one.recv(100) == b"granted" for one in many)
print("same", error("{top}/other"), *os.listdir("/run"))
""", *connect(f"{top}/s"))
    assert said == ["same", "FileNotFoundError"], f"{who}: {said}"
    assert effects == {f"unix {top}/s": ("proved", 361, "allowed"), f"unix {top}/other": ("requested", 1, "denied")}, f"{who}: {effects}"
    assert server.peers == {uid} and not other.peers, f"{who}: {server.peers} {other.peers}"
    assert as_outside(f"""print(ask("{top}/other", b"who").decode())""") == ["other"]


@both_users
def real_clients_need_no_settings(network, who, uid):
    need("curl")
    top = place_of(network, uid, "clients")
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(f"{top}/http")
    os.chown(f"{top}/http", uid, uid)
    sock.listen(8)

    def serve():
        while True:
            peer, _ = sock.accept()
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")
            peer.close()
    threading.Thread(target=serve, daemon=True).start()
    result = network.run(uid, *connect(f"{top}/http"), "--", "curl", "-sS", "-m", "10", "--unix-socket", f"{top}/http", "http://x/")
    assert (result.returncode, result.stdout) == (0, "hello\n"), f"{who}: {told(result)}"
    sock.close()


@both_users
def a_granted_tree_stays_as_it_is(network, who, uid):
    """The endpoint lies in a staged tree, beside another socket: that one is not reached, and nobody takes the endpoint's name."""
    top = place_of(network, uid, "staged")
    server, other = Server(f"{top}/s", "granted", uid), Server(f"{top}/other", "other", uid)
    before = look(top)
    said, _ = told_of(network, uid, f"""
def fails(call, *words):
    try:
        call(*words)
        return "done"
    except OSError as e:
        return type(e).__name__
def bind(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen()
print(ask("{top}/s", b"who").decode(), error("{top}/other"))
bind("{top}/mine")
for call in (lambda: bind("{top}/s"), lambda: os.unlink("{top}/s"), lambda: os.rename("{top}/s", "{top}/t"),
             lambda: os.rename("{top}/mine", "{top}/s"), lambda: os.link("{top}/s", "{top}/u")):
    assert fails(call) != "done"
os.unlink("{top}/mine")
os.chdir("{top}")
print(ask("s", b"who").decode())
""", "--write", top, *connect(f"{top}/s"))
    assert said == ["granted", "ConnectionRefusedError", "granted"], f"{who}: {said}"
    assert not other.peers and server.peers == {uid}, f"{who}: {server.peers} {other.peers}"
    assert look(top) == before, f"{who}: {before} {look(top)}"


@both_users
def descriptors_do_not_pass(network, who, uid):
    top = place_of(network, uid, "descriptors")
    server = Server(f"{top}/s", "granted", uid)
    script = f"""
s = client("{top}/s")
try:
    socket.send_fds(s, [b"who\\n"], [0, 1])
    print("sent")
except PermissionError:
    s.sendall(b"who\\n")
    print("refused")
said = s.recv(100).decode()
s = client("{top}/s")
s.sendall(b"pass\\n")
word, fds, _, _ = socket.recv_fds(s, 100, 4)
print(said, word.decode(), len(fds))
"""
    said, _ = told_of(network, uid, script, *connect(f"{top}/s"))
    # refused, so that no descriptor is left to the relay to close, which waits where its owner said so (SO_LINGER); or dropped
    refuses = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) >= (6, 16)
    assert said == ["refused" if refuses else "sent", "granted", "passed", "0"] and server.descriptors == 0, f"{who}: {said}, {server.descriptors} descriptors"
    assert as_outside(script) == ["sent", "granted", "passed", "2"] and server.descriptors == 2


@both_users
def a_name_is_found_again_and_leads_nowhere_else(network, who, uid):
    """While the event runs: the server is started again, its name is given to a link, a file, and nothing."""
    top, beyond = place_of(network, uid, "names"), place_of(network, uid, "beyond")
    server, other = Server(f"{top}/s", "granted", uid), Server(f"{beyond}/other", "other", uid)
    control = Server(f"{top}/control", "control", uid)

    def put(how):
        os.unlink(f"{top}/s")
        how()
    control.words = {"again": lambda: put(server.listen), "link": lambda: put(lambda: os.symlink(f"{beyond}/other", f"{top}/s")),
                     "file": lambda: put(lambda: write(f"{top}/s", "")), "socket": lambda: put(lambda: os.link(f"{beyond}/other", f"{top}/s")),
                     "none": lambda: os.unlink(f"{top}/s")}
    said, effects = told_of(network, uid, f"""
for word in (b"who", b"again", b"link", b"file", b"socket", b"none"):
    ask("{top}/control", word)
    print(ask("{top}/s", b"who").decode())
""", *connect(f"{top}/s", f"{top}/control"))
    assert said == ["granted", "granted", "end", "end", "other", "end"], f"{who}: {said}"
    assert effects[f"unix {top}/s"] == ("proved", 6, "allowed"), f"{who}: {effects}"
    os.symlink(f"{beyond}/other", f"{top}/s")
    assert as_outside(f"""print(ask("{top}/s", b"who").decode())""") == ["other"]


@both_users
def a_full_queue_is_waited_for(network, who, uid):
    """The kernel does not let a dial wait in it, and none of another endpoint waits for that."""
    top = place_of(network, uid, "queue")
    server, control = Server(f"{top}/s", "granted", uid, backlog=0), Server(f"{top}/control", "control", uid)
    control.words = {"start": server.start}
    waiting = []
    try:
        while True:
            waiting.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
            waiting[-1].connect(f"{top}/s")
    except BlockingIOError:
        pass
    said, _ = told_of(network, uid, f"""
s = client("{top}/s")
s.sendall(b"who\\n")
print(ask("{top}/control", b"who").decode())
ask("{top}/control", b"start")
print(s.recv(100).decode())
""", *connect(f"{top}/s", f"{top}/control"))
    assert said == ["control", "granted"], f"{who}: {said}"


@both_users
def what_cannot_be_kept_apart_is_refused(network, who, uid):
    top = place_of(network, uid, "refused")
    Server(f"{top}/s", "granted", uid)
    os.symlink(".", f"{top}/link")
    abi = network.place.run("python3", "-c", "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))", cwd="/").stdout
    rows = [(("--write", top, *connect(f"{top}/none")), "nothing of that name"), (("--write", top, *connect(f"{top}/link/s")), "without links"),
            (connect(f"{top}/none/s"), "start what listens"), (connect(f"{top}/s/x"), "start what listens"), (connect("/usr/lib/none"), "nothing of that name"),
            (connect("run/x"), "unix:/run/x"), (connect("/run/" + "x" * 103), "107 bytes"),
            (connect(f"{top}/s bytes=1M"), "nobody counts the bytes of a Unix socket")]
    if int(abi) < 9:  # Linux 7.1
        rows += [(("--read", top, *connect(f"{top}/s")), "--without sockets"), (("--write", top, "--direct", *connect(f"{top}/s")), "--without sockets")]
    for words, says in rows:
        result = network.run(uid, *words, "--", "true")
        assert result.returncode == 125 and says in result.stderr and "hint:" in result.stderr, f"{who}, {words}: {told(result)}"
    result = network.run(uid, "--read", top, "--without", "sockets", *connect(f"{top}/s"), "--", "python3", "-c",
                         CLIENT + f"""print(ask("{top}/s", b"who").decode())""")
    assert result.stdout == "granted\n", f"{who}: {told(result)}"


@both_users
def budgets_hold_and_a_grant_is_withdrawn(network, who, uid):
    """Of two sockets: one may be used twice; the other is withdrawn while it is connected, and then nobody is reached there."""
    top = place_of(network, uid, "bounded")
    counted, taken = Server(f"{top}/counted", "counted", uid), Server(f"{top}/taken", "taken", uid)
    script = CLIENT + f"""
counted = [ask("{top}/counted", b"who").decode() for _ in range(3)]
s = client("{top}/taken")
s.sendall(b"echo\\n")
assert s.recv(6, socket.MSG_WAITALL) == b"ready\\n"
print(*counted, flush=True)
print((s.recv(100) or b"end").decode(), ask("{top}/taken", b"who").decode(), ask("{top}/taken2", b"who").decode(), flush=True)
sys.stdin.readline()
"""
    Server(f"{top}/taken2", "other", uid)
    with Running(network, uid, *connect(f"{top}/counted uses=2", f"{top}/taken", f"{top}/taken2"), "--", "python3", "-c", script) as run:
        assert (line := run.line()) == "counted counted end", f"{who}: {line}"
        out = said(network, uid, "revoke", "last", f"unix:{top}/taken")
        assert out == f"withdrawn: connect unix:{top}/taken, 1 connection closed\n", f"{who}: {out}"
        assert (line := run.line()) == "end end other", f"{who}: {line}"
        err = run.end()
    assert f"denied: connect unix {top}/taken\n  why: its grant was withdrawn" in err, f"{who}: {err}"
    assert counted.peers == taken.peers == {uid}, who


SCENARIOS = [what_is_granted_is_reached, real_clients_need_no_settings, a_granted_tree_stays_as_it_is, descriptors_do_not_pass,
             a_name_is_found_again_and_leads_nowhere_else, a_full_queue_is_waited_for, what_cannot_be_kept_apart_is_refused,
             budgets_hold_and_a_grant_is_withdrawn]

if __name__ == "__main__":
    main(SCENARIOS)
