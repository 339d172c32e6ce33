#!/usr/bin/env python3
"""What `--connect ssh://USER@HOST` gives a program, and what it does not: git and ssh against a real sshd, with keys in a real agent outside.

usage: network_ssh.py AMBIT    (TAP on standard output; as root, whose scenarios run ambit as root and as another)
"""

import array
import json
import os
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading
import time

from grant import Running, said
from harness import ORDINARY, as_either, main, need, told, write
from mounts import in_child
from network import PUBLIC, Network, users

GIT, ALICE = 64201, 64202  # the users of the servers
# Answers that are no list of keys: none, a refusal, too long, of no length, cut short, with something behind it.
FALSE_LISTS = (b"", b"\0\0\0\1\5", b"\0\4\0\1", b"\0\0\0\0", b"\0\0\0\5\x0c\0\0\0\1", b"\0\0\0\7\x0c\0\0\0\0ab")
BATCH = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10")

# What stands in the cell before each script: the protocol of agents, and a go-between that keeps what ssh says to its own.
AGENT = """
import os, socket, struct, subprocess, threading
PATH = os.environ["SSH_AUTH_SOCK"]
def exactly(s, n):
    got = b""
    while len(got) < n:
        piece = s.recv(n - len(got))
        if not piece:
            raise EOFError
        got += piece
    return got
def frame(s):
    head = exactly(s, 4)
    return exactly(s, struct.unpack(">I", head)[0])
def string(b):
    return struct.pack(">I", len(b)) + b
def strings(b, n):
    out = []
    for _ in range(n):
        m = struct.unpack(">I", b[:4])[0]
        out.append(b[4:4 + m])
        b = b[4 + m:]
    return out, b
def client():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(PATH)
    return s
def ask(s, body):
    # the answer's first byte, 0: it hung up
    try:
        s.sendall(string(body))
        return frame(s)[0]
    except (EOFError, ConnectionResetError, BrokenPipeError):
        return 0
def watch(*words):
    # what ssh says to its agent: binding, signing
    kept = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("/tmp/between")
    listener.listen()
    def serve():
        while True:
            try:
                theirs = listener.accept()[0]
            except OSError:
                return
            ours = client()
            try:
                while True:
                    body = frame(theirs)
                    kept.append(body)
                    ours.sendall(string(body))
                    theirs.sendall(string(frame(ours)))
            except EOFError:
                ours.close()
    threading.Thread(target=serve, daemon=True).start()
    done = subprocess.run(words, env={**os.environ, "SSH_AUTH_SOCK": "/tmp/between"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    os.unlink("/tmp/between")
    return [b for b in kept if b[0] == 27][-1], [b for b in kept if b[0] == 13][-1]
"""


def keygen(path, kind, *more):
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *more, "-N", "", "-C", "a comment", "-f", path], check=True)


class Hosts(Network):
    """Two servers of one machine: open.test, and open.test:2222 with a key of its own; two users, each with a repository."""

    KEYS = (("ed25519",), ("ecdsa", "-b", "256"), ("ecdsa", "-b", "384"), ("ecdsa", "-b", "521"), ("rsa", "-b", "2048"))
    OWN = (("ed25519",), ("ecdsa",), ("rsa", "-b", "2048"))

    def __init__(self, place, kinds):
        self.KEYS, self.OWN = (self.KEYS, self.OWN) if kinds else (self.KEYS[:1], self.OWN[:1])
        need("ssh", "sshd", "ssh-agent", "ssh-add", "ssh-keygen", "git")
        super().__init__(place)
        self.agents, self.servers = {}, []
        self.users()
        os.makedirs("/run/sshd", exist_ok=True)
        for i, key in enumerate(self.KEYS):
            keygen(f"{self.top}/host{i}", *key)
        keygen(f"{self.top}/other", "ed25519")
        write(f"{self.top}/authorized", "")
        os.chmod(f"{self.top}/authorized", 0o644)
        self.sshd(22, [f"host{i}" for i in range(len(self.KEYS))])
        self.sshd(2222, ["other"])

    def users(self):
        """Of this mount namespace alone."""
        for name, line in (("passwd", "{0}:x:{1}:{1}::{2}:/bin/sh\n"), ("group", "{0}:x:{1}:\n"), ("shadow", "{0}:*:1::::::\n")):
            with open(f"/etc/{name}", encoding="utf-8") as file:
                text = "".join(old for old in file if old.split(":")[0] not in ("git", "alice", "somebody") and not (name == "passwd" and old.startswith("root:")))
            users = [("git", GIT, self.top), ("alice", ALICE, self.top), ("somebody", ORDINARY, f"{self.top}/home-{ORDINARY}")]
            if name == "passwd":  # ssh looks for a home there
                users.append(("root", 0, f"{self.top}/home-0"))
            write(f"{self.top}/{name}", text + "".join(line.format(*user) for user in users))
            os.chmod(f"{self.top}/{name}", 0o600 if name == "shadow" else 0o644)
            subprocess.run(["mount", "--bind", f"{self.top}/{name}", f"/etc/{name}"], check=True)

    def sshd(self, port, keys):
        config = f"{self.top}/sshd{port}"
        write(config, f"Port {port}\nListenAddress {PUBLIC}\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n"
              f"KbdInteractiveAuthentication no\nAuthorizedKeysFile {self.top}/authorized\nPrintMotd no\nMaxStartups 100\n"
              + "".join(f"HostKey {self.top}/{key}\n" for key in keys))
        with self.world():
            self.servers.append(subprocess.Popen([shutil.which("sshd", path="/usr/sbin:/usr/bin"), "-D", "-f", config],
                                                 stderr=subprocess.DEVNULL))
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex((PUBLIC, port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"no sshd at {port}")

    def person(self, uid):
        """A home with an agent that has three keys, and the servers known; and an empty repository at the host."""
        home = self.home(uid)
        os.mkdir(f"{home}/.ssh", 0o700)
        self.known = f"{home}/.ssh/known_hosts"
        lines = []
        for name, keys in (("open.test", [f"host{i}" for i in range(len(self.KEYS))]), ("[open.test]:2222", ["other"])):
            for key in keys:
                with open(f"{self.top}/{key}.pub", encoding="ascii") as file:
                    lines.append(f"{name} {file.read()}")
        write(self.known, "".join(lines))
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", self.known], check=True, capture_output=True)
        os.remove(self.known + ".old")
        self.key = f"{home}/.ssh/id_ed25519"
        with open(f"{self.top}/authorized", "a", encoding="ascii") as authorized:
            for kind in self.OWN:
                keygen(f"{home}/.ssh/id_{kind[0]}", *kind)
                with open(f"{home}/.ssh/id_{kind[0]}.pub", encoding="ascii") as file:
                    authorized.write(file.read())
        for directory, _, names in os.walk(f"{home}/.ssh"):
            for path in (directory, *(os.path.join(directory, name) for name in names)):
                os.chown(path, uid, uid)
        self.agent(uid, *(kind[0] for kind in self.OWN))
        self.repository(uid)

    def outside(self, uid, *words, **more):
        who = [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        self.place.home = f"{self.top}/home-{uid}"
        return self.place.run(*who, *words, cwd="/", **more)

    def agent(self, uid, *keys):
        path = f"{self.top}/home-{uid}/agent{len(self.agents)}"
        who = [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
        self.agents[path] = subprocess.Popen([*who, "ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)
        for _ in range(200):
            if os.path.exists(path):
                break
            time.sleep(0.02)
        self.place.settings["SSH_AUTH_SOCK"] = path
        for key in keys:
            result = self.outside(uid, "ssh-add", "-q", f"{self.top}/home-{uid}/.ssh/id_{key}")
            assert result.returncode == 0, told(result)
        return path

    def false_agent(self, answer):
        """One that says that, whatever it is asked."""
        path = tempfile.mktemp(dir=self.top)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen()

        def serve():
            with listener.accept()[0] as s:
                s.recv(100)
                s.sendall(answer)
        threading.Thread(target=serve, daemon=True).start()
        return path

    def slow_agent(self, agent, space, asked, go):
        """Between one client and that agent: sets asked when it is to sign, and passes it on when it may go."""
        path = tempfile.mktemp(dir=self.top)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()

        def serve():
            with listener.accept()[0] as theirs, socket.socket(socket.AF_UNIX) as ours:
                ours.connect(agent)
                try:
                    while True:
                        body = space["frame"](theirs)
                        if body[0] == 13:
                            asked.set()
                            go.wait(20)
                        ours.sendall(space["string"](body))
                        theirs.sendall(space["string"](space["frame"](ours)))
                except EOFError:
                    pass
        threading.Thread(target=serve, daemon=True).start()
        return path

    def repository(self, uid):
        self.repo = f"{self.top}/repo-{uid}.git"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", self.repo], check=True)
        for directory, names, files in os.walk(self.repo):
            for name in (".", *names, *files):
                os.chown(os.path.join(directory, name), GIT, GIT)

    def finish(self):
        for process in (*self.agents.values(), *self.servers):
            process.send_signal(signal.SIGTERM)
            process.wait()

    def ssh_hosts(self, uid, *words, grants=("ssh://git@open.test",)):
        return self.run(uid, *(word for grant in grants for word in ("--connect", grant)), "--", *words)


def each_user(scenario, kinds=False):
    """As root and as another; what was started is stopped."""
    @as_either
    @in_child
    def run(place):
        hosts = Hosts(place, kinds)
        try:
            for who, uid in users(place):
                hosts.person(uid)
                scenario(hosts, who, uid)
        finally:
            hosts.finish()
    run.__name__ = scenario.__name__
    return run


def all_kinds(scenario):
    return each_user(scenario, kinds=True)


@each_user
def git_needs_no_settings(hosts, who, uid):
    """Clone into a tree that is staged, commit, push, and clone again; the key is nowhere in the cell."""
    tree = f"{hosts.top}/home-{uid}/tree"
    os.mkdir(tree)
    os.chown(tree, uid, uid)
    script = f"""
set -e
cd {tree}
git clone -q ssh://git@open.test{hosts.repo} one
cd one
git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first
git push -q origin HEAD:main
git clone -q git@open.test:{hosts.repo} ../two
git -C ../two log --format=%s
ssh-add -L | cut -d ' ' -f 1,3
cat {hosts.key} 2>/dev/null && echo read
true
"""
    result = hosts.run(uid, "--workspace", tree, "--work", tree, "--connect", "ssh://git@open.test", "--", "sh", "-c", script)
    assert result.returncode == 0 and result.stdout.split() == ["first", "ssh-ed25519"], f"{who}: {told(result)}"
    denied = [line for line in result.stderr.splitlines() if line.startswith("ambit: denied:")]
    assert denied == [f"ambit: denied: read {hosts.key}"], f"{who}: {told(result)}"
    assert os.path.exists(f"{tree}/one/.git/config"), f"{who}: {told(result)}"
    seen = hosts.outside(uid, "sh", "-c", f"cat {hosts.key} | head -n 1; ssh-add -L | cut -d ' ' -f 3- | head -n 1")
    assert "PRIVATE KEY" in seen.stdout and "a comment" in seen.stdout, told(seen)


@all_kinds
def each_kind_of_key_works(hosts, who, uid):
    """Of the host, and of the person."""
    kinds = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-256", "rsa-sha2-512"]
    own = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-256", "rsa-sha2-512"]
    tries = [f"{kind},{own[i % len(own)]}" for i, kind in enumerate(kinds)]
    script = "\n".join(f"ssh {' '.join(BATCH)} -o HostKeyAlgorithms={pair.split(',')[0]} -o PubkeyAcceptedAlgorithms={pair.split(',')[1]} "
                       f"git@open.test echo {pair} 2>&1" for pair in tries)
    result = hosts.ssh_hosts(uid, "sh", "-c", script)
    assert result.stdout.split() == tries, f"{who}: {told(result)}"


@each_user
def nobody_else_and_nowhere_else(hosts, who, uid):
    """Another user at that host; that user at another host, to which it may connect; both are let in outside."""
    rows = {"another user": ("alice@open.test",), "another host": ("-p", "2222", "-o", "StrictHostKeyChecking=no", "git@open.test")}
    script = "".join(f"ssh {' '.join((*BATCH, *words))} echo in 2>&1; echo $?; echo ==\n" for words in rows.values())

    def said(result):
        return dict(zip(rows, result.stdout.split("==\n"), strict=False))
    for where, text in said(hosts.ssh_hosts(uid, "sh", "-c", script, grants=("ssh://git@open.test", "open.test:2222"))).items():
        assert "agent refused operation" in text and "Permission denied" in text and text.endswith("255\n") and "\nin\n" not in f"\n{text}", f"{who}, {where}: {text}"
    grants = ("ssh://git@open.test", "ssh://alice@open.test", "ssh://git@open.test:2222")
    for how, result in (("outside", hosts.outside(uid, "sh", "-c", script)), ("granted", hosts.ssh_hosts(uid, "sh", "-c", script, grants=grants))):
        assert [text.endswith("in\n0\n") for text in said(result).values()] == [True, True], f"{who}, {how}: {told(result)}"


@each_user
def nothing_else_is_signed(hosts, who, uid):
    """What ssh said to its agent is said again, and then changed, each time over a connection that is bound as ssh bound its own."""
    script = AGENT + """
bind, sign = watch("ssh", "-o", "BatchMode=yes", "git@open.test", "true")
(name, host, session, proof), forwards = strings(bind[1:], 4)
(key, data), flags = strings(sign[1:], 2)
(first, ), rest = strings(data, 1)
(user, service, method), tail = strings(rest[1:], 3)
def signing(session=session, number=50, user=user, service=service, method=method, tail=tail, key=key, flags=flags):
    return b"\\x0d" + string(key) + string(string(session) + bytes([number]) + string(user) + string(service) + string(method) + tail) + flags
def binding(name=name, host=host, session=session, proof=proof, forwards=forwards):
    return b"\\x1b" + string(name) + string(host) + string(session) + string(proof) + forwards
def flipped(b, at=-1):
    b = bytearray(b)
    b[at] ^= 1
    return bytes(b)
assert signing() == sign and binding() == bind
plain = tail[:1] + b"".join(string(s) for s in strings(tail[1:], 2)[0])
other = open("/tmp/other", "rb").read()
rows = {
    "as it was": (bind, sign),
    "as ssh before 8.9 asks": (bind, signing(method=b"publickey", tail=plain)),
    "not bound": (None, sign),
    "another user": (bind, signing(user=b"alice")),
    "root": (bind, signing(user=b"root")),
    "a user with more": (bind, signing(user=b"git\\0")),
    "another service": (bind, signing(service=b"ssh-userauth")),
    "another method": (bind, signing(method=b"hostbased")),
    "no signature": (bind, signing(tail=b"\\0" + tail[1:])),
    "another message": (bind, signing(number=80)),
    "more behind it": (bind, signing(tail=tail + b"\\0")),
    "another session": (bind, signing(session=flipped(session))),
    "another key": (bind, signing(key=flipped(key))),
    "other flags": (bind, signing(flags=b"\\0\\0\\0\\1")),
    "a forged session": (binding(session=flipped(session)), signing(session=flipped(session))),
    "a shorter session": (binding(session=session[:-1]), signing(session=session[:-1])),
    "a forged proof": (binding(proof=flipped(proof)), sign),
    "no proof": (binding(proof=b""), sign),
    "a key that is not the host's": (binding(host=other), sign),
    "and a proof by it": (binding(host=other), signing(method=b"publickey", tail=plain)),
    "to be forwarded": (binding(forwards=b"\\1"), sign),
    "data": (bind, b"\\x0d" + string(key) + string(b"data") + flags),
    "a file": (bind, b"\\x0d" + string(key) + string(b"SSHSIG" + string(b"file") + string(b"") + string(b"sha512") + string(bytes(64))) + flags),
    "no data": (bind, b"\\x0d" + string(key) + string(b"") + flags),
}
for row, (first, then) in rows.items():
    with client() as s:
        if first is not None:
            ask(s, first)
        print(row, ask(s, then))
for number in (1, 2, 3, 9, 17, 18, 19, 20, 21, 22, 23, 25, 26, 27, 30, 255):
    with client() as s:
        print("message", number, ask(s, bytes([number]) + string(key) + b"x"))
with client() as s:
    print("bound twice", ask(s, bind), ask(s, bind), ask(s, sign))
with client() as s:
    s.sendall(b"\\x7f\\xff\\xff\\xff")
    print("too long", len(s.recv(1)))
with client() as s:
    s.sendall(bytes(4))
    print("of no length", len(s.recv(1)))
many = [client() for _ in range(100)]
many[0].sendall(b"\\0\\0")
for s in many[:80]:
    s.close()
print("after many", ask(many[-1], b"\\x0b"))
"""
    with open(f"{hosts.top}/other.pub", encoding="ascii") as file:
        write(f"{hosts.top}/script-{uid}", "import base64\nopen('/tmp/other', 'wb').write(base64.b64decode('" + file.read().split()[1] + "'))\n" + script)
    os.chmod(f"{hosts.top}/script-{uid}", 0o644)
    with open(f"{hosts.top}/script-{uid}", encoding="ascii") as file:
        result = hosts.ssh_hosts(uid, "python3", "-c", file.read())
    signed = {"as it was", "as ssh before 8.9 asks"}
    rows = dict(line.rsplit(" ", 1) for line in result.stdout.splitlines())
    assert result.returncode == 0 and len(rows) == 24 + 16 + 4, f"{who}: {told(result)}"
    for row, answer in rows.items():
        expected = {"bound twice 6 5": "0", "too long": "0", "of no length": "0", "after many": "12", "to be forwarded": "0"}.get(row, "14" if row in signed else "5")
        assert answer == expected, f"{who}: {row}: {answer}, not {expected}; {told(result)}"


@each_user
def files_are_not_signed(hosts, who, uid):
    write(f"{hosts.top}/home-{uid}/text", "text\n")
    with open(hosts.key + ".pub", encoding="ascii") as file:
        public = file.read()
    script = f"echo '{public}' >/tmp/key.pub; echo text >/tmp/text; ssh-keygen -Y sign -f /tmp/key.pub -n file /tmp/text; ls /tmp/text.sig"
    result = hosts.ssh_hosts(uid, "sh", "-c", script)
    assert "agent refused" in result.stderr and "/tmp/text.sig" not in result.stdout, f"{who}: {told(result)}"
    twin = hosts.outside(uid, "ssh-keygen", "-Y", "sign", "-f", hosts.key + ".pub", "-n", "file", f"{hosts.top}/home-{uid}/text")
    assert os.path.exists(f"{hosts.top}/home-{uid}/text.sig"), f"{who}: {told(twin)}"


@each_user
def an_agent_is_not_forwarded(hosts, who, uid):
    """What is at the other end asks for the keys, and for a signature: of nobody."""
    ask = ("ssh", "-A", *BATCH, "git@open.test", "ssh-add -L; ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null alice@open.test echo in")
    result = hosts.ssh_hosts(uid, *ask)
    assert "ssh-ed25519" not in result.stdout and "in" not in result.stdout.split(), f"{who}: {told(result)}"
    twin = hosts.outside(uid, *ask)
    assert "ssh-ed25519" in twin.stdout and "in" in twin.stdout.split(), f"{who}: {told(twin)}"


class Signer:
    """ambit-sign, to which this test is all others: library, supervisor, and a reader that was taken over."""

    def __init__(self, place, uid, agent, known, grants):
        path = os.path.join(os.path.dirname(place.ambit), "ambit-sign")
        self.ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.reader, reader = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.dup2(theirs.fileno(), 3)
        self.process = subprocess.Popen([path], pass_fds=(3,), env={}, user=uid, group=uid, cwd="/")
        theirs.close()
        with socket.socket(socket.AF_UNIX) as s, open(known, "rb") as file:
            s.connect(agent)
            self.send(self.ours, 192, b"", s.fileno(), file.fileno())
        for i, (user, host) in enumerate(grants):
            self.send(self.ours, 193, struct.pack("<I", i) + b"".join(struct.pack("<I", len(text)) + text.encode() for text in (user, host)))
        self.send(self.ours, 194, b"", reader.fileno())
        reader.close()
        self.hosts, self.keys = [], []
        while (answer := self.receive(self.ours))[0] == 202:
            pass
        assert answer[0] == 204, answer
        while (answer := self.receive(self.reader))[0] != 204:
            if answer[0] in (202, 203):
                (self.hosts if answer[0] == 202 else self.keys).append((struct.unpack("<I", answer[1][:4])[0], answer[1][8:]))

    @staticmethod
    def send(sock, number, body, *fds):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        sock.sendmsg([struct.pack("<HH", number, 0) + body], rights)

    @staticmethod
    def receive(sock):
        sock.settimeout(20)
        packet = sock.recv(70000)
        return (struct.unpack("<HH", packet[:4])[0], packet[4:]) if packet else (0, b"")

    def begin(self, *numbers, session, proof):
        self.send(self.reader, 208, struct.pack("<9I", 7, *numbers, len(session), len(proof)) + session.ljust(64, b"\0") + proof.ljust(1024, b"\0"))

    def answer(self):
        """The signature, b"" if it is refused, None if it ended."""
        number, body = self.receive(self.reader)
        return body[8:] if number == 205 else None

    def ask(self, *numbers, session, proof):
        self.begin(*numbers, session=session, proof=proof)
        return self.answer()

    def withdraw(self, grant):
        self.send(self.ours, 195, struct.pack("<I", grant))

    def finish(self):
        self.ours.close()
        self.reader.close()
        assert self.process.wait(20) is not None


@each_user
def a_reader_that_was_taken_over_gains_nothing(hosts, who, uid):
    """It has the proof of a session with the host, and asks for everything else."""
    script = AGENT + """
bind, sign = watch("ssh", "-o", "BatchMode=yes", "-o", "HostKeyAlgorithms=ssh-ed25519", "git@open.test", "true")
print(bind.hex(), sign.hex())
"""
    result = hosts.ssh_hosts(uid, "python3", "-c", script)
    assert result.returncode == 0, f"{who}: {told(result)}"
    space = {}
    exec(AGENT.replace('os.environ["SSH_AUTH_SOCK"]', '""'), space)  # the same reading of strings, here
    bind, sign = (bytes.fromhex(word) for word in result.stdout.split())
    (_, host, session, proof), _ = space["strings"](bind[1:], 4)
    (key, _), _ = space["strings"](sign[1:], 2)
    proof = space["strings"](proof, 2)[0][1]
    agent = hosts.place.settings["SSH_AUTH_SOCK"]
    grants = (("git", "open.test"), ("alice", "[open.test]:2222"))
    signer = Signer(hosts.place, uid, agent, hosts.known, grants)
    at, mine = signer.hosts.index((0, host)), [blob for _, blob in signer.keys].index(key)
    other = [i for i, (grant, _) in enumerate(signer.hosts) if grant == 1][0]
    ed25519, p256, rsa = 1, 2, 5
    good = (0, at, mine, ed25519, 0, ed25519)
    flipped = bytes([session[0] ^ 1]) + session[1:]

    def refused(name, *numbers, session=session, proof=proof):
        answer = signer.ask(*numbers, session=session, proof=proof)
        assert answer == b"", f"{who}: {name}: {answer}"
    for method in (0, 1):
        assert len(signer.ask(0, at, mine, ed25519, method, ed25519, session=session, proof=proof)) > 64, f"{who}: method {method}"
    refused("another user, by the host of the first", 1, at, *good[2:])
    refused("the host of another grant", 0, other, *good[2:])
    refused("another grant", 1, other, *good[2:])
    refused("no grant", 9, *good[1:])
    refused("no host", 0, 60, *good[2:])
    refused("no key", 0, at, 60, *good[3:])
    refused("an algorithm of another key", 0, at, mine, rsa, *good[4:])
    refused("a proof of another kind", *good[:5], rsa)
    refused("a proof of a pair", *good[:5], p256)
    refused("another session", *good, session=flipped)
    refused("another length of it", *good, session=session[:32] if len(session) > 32 else session + session)
    refused("another proof", *good, proof=bytes([proof[0] ^ 1]) + proof[1:])
    refused("a shorter proof", *good, proof=proof[:63])
    refused("a proof of nothing", *good, session=bytes(32), proof=bytes(64))
    assert len(signer.ask(*good, session=session, proof=proof)) > 64, who
    Signer.send(signer.ours, 195, struct.pack("<I", 1))  # another's grant is withdrawn, and then its own
    assert len(signer.ask(*good, session=session, proof=proof)) > 64, who
    Signer.send(signer.ours, 195, struct.pack("<I", 0))
    refused("what is withdrawn", *good)
    for name, numbers, session_n in (("a session of an odd length", good, 33), ("an algorithm of no number", (*good[:3], 99, *good[4:]), 32),
                                     ("a method of no number", (*good[:4], 9, good[5]), 32)):
        answer = signer.ask(*numbers, session=(session + session)[:session_n], proof=proof)
        assert answer is None, f"{who}: {name}: {answer}"
        signer.finish()
        signer = Signer(hosts.place, uid, agent, hosts.known, grants)
    signer.finish()

    asked, go = threading.Event(), threading.Event()
    signer = Signer(hosts.place, uid, hosts.slow_agent(agent, space, asked, go), hosts.known, (("git", "open.test"), ("alice", "open.test")))
    git, alice = ((grant, signer.hosts.index((grant, host)), mine, ed25519, 0, ed25519) for grant in (0, 1))
    go.set()
    for numbers in (git, alice):
        assert len(signer.ask(*numbers, session=session, proof=proof)) > 64, f"{who}: {numbers}"
    asked.clear()
    go.clear()
    signer.begin(*git, session=session, proof=proof)
    assert asked.wait(20), who
    signer.withdraw(0)
    go.set()
    assert (answer := signer.answer()) == b"", f"{who}: signed though its grant was withdrawn meanwhile: {answer}"
    asked.clear()
    refused("what is withdrawn", *git)
    assert not asked.is_set(), f"{who}: the agent is asked for what is withdrawn"
    assert len(signer.ask(*alice, session=session, proof=proof)) > 64, f"{who}: the other grant is withdrawn, too"
    signer.withdraw(2)
    assert signer.answer() is None, f"{who}: what was never granted is withdrawn"
    signer.finish()


@each_user
def what_is_withdrawn_is_signed_for_no_more(hosts, who, uid):
    """Its connections end, later ones are refused, and the proof of a session that was is worth nothing; another host's grants stay."""
    script = AGENT + """
import sys
SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10")
kept = [watch(*SSH, *words, "true") for words in (("git@open.test",), ("alice@open.test",), ("-p", "2222", "git@open.test"))]
def signs():
    numbers = []
    for bind, sign in kept:
        with client() as s:
            ask(s, bind)
            numbers.append(ask(s, sign))
    return numbers
live = subprocess.Popen([*SSH, "git@open.test", "echo up; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
assert live.stdout.readline() == "up\\n"
print(*signs(), flush=True)
sys.stdin.readline()
print(live.wait(), *(subprocess.run([*SSH, *words, "true"], capture_output=True).returncode for words in (("git@open.test",), ("-p", "2222", "git@open.test"))),
      *signs(), flush=True)
sys.stdin.readline()
"""
    grants = ("ssh://git@open.test", "ssh://alice@open.test", "ssh://git@open.test:2222")
    with Running(hosts, uid, *(word for grant in grants for word in ("--connect", grant)), "--", "python3", "-c", script) as run:
        assert (line := run.line()) == "14 14 14", f"{who}: {line}"
        out = said(hosts, uid, "revoke", "last", "ssh://git@open.test")
        assert out == "withdrawn: connect ssh://git@open.test, 1 connection closed\n", f"{who}: {out}"
        run.process.stdin.write("\n")
        run.process.stdin.flush()
        assert (line := run.line()) == "255 255 0 5 5 14", f"{who}: {line}"
        err = run.end()
    assert "ambit: withdrawn: connect ssh://git@open.test\n" in err and "why: its grant was withdrawn" in err, f"{who}: {err}"


@each_user
def what_is_missing_is_said(hosts, who, uid):
    """Before anything runs, and with what to do."""
    agent, settings = hosts.place.settings["SSH_AUTH_SOCK"], hosts.place.settings
    empty = hosts.agent(uid)
    known = open(hosts.known, encoding="ascii").read()
    rows = (
        (agent, "ssh://git@unknown.test", known, "no key of this host is known", "fingerprint"),
        (agent, "ssh://git@open.test:22222", known, "[open.test]:22222", "known_hosts"),
        (agent, "ssh://git@open.test", "", "no key of this host is known", "known_hosts"),
        (agent, "ssh://git@open.test", known + "".join(f"@revoked * {open(f'{hosts.top}/host{i}.pub', encoding='ascii').read()}" for i in range(1)),
         "no key of this host is known", "known_hosts"),
        ("", "ssh://git@open.test", known, "SSH_AUTH_SOCK", "ssh-add"),
        ("/nonexistent/agent", "ssh://git@open.test", known, "cannot connect to your ssh agent", "ssh-add"),
        (empty, "ssh://git@open.test", known, "has no key", "ssh-add"),
        *((hosts.false_agent(answer), "ssh://git@open.test", known, "does not say which keys", "ssh-add") for answer in FALSE_LISTS),
        (agent, "ssh://open.test", known, "names no user", "ssh://git@example.com"),
        (agent, "ssh://git@open.test/repo", known, "one host", "no path"),
        (agent, "ssh://git@*.test", known, "one host", "no path"),
        (agent, "unix:/run/ambit/ssh-agent", known, "the cell's own", "ssh://USER@HOST"),
    )
    # one connection, of which each grant says something else
    rows += tuple((agent, pair, known, "are one connection, and have different qualifiers", "the same qualifiers") for pair in
                  (("ssh://git@open.test uses=1", "open.test:22"), ("open.test:22 bytes=1M", "ssh://git@open.test"),
                   ("ssh://git@open.test rate=1/m", "ssh://alice@open.test")))
    for path, grant, lines, says, hint in rows:
        settings["SSH_AUTH_SOCK"] = path
        write(hosts.known, lines)
        result = hosts.ssh_hosts(uid, "true", grants=(grant,) if isinstance(grant, str) else grant)
        assert result.returncode == 125 and says in result.stderr and "hint: " in result.stderr and hint in result.stderr, f"{who}, {grant}: {told(result)}"
    result = hosts.ssh_hosts(uid, "true", grants=("ssh://git@open.test uses=1", "open.test:22 uses=1", "open.test:2222"))
    assert result.returncode == 0, f"{who}: the same qualifiers: {told(result)}"
    settings["SSH_AUTH_SOCK"] = agent
    write(hosts.known, known)
    beside = ("--read", "/srv", "--connect", "ssh://git@open.test")  # a directory of the host's own
    abi = hosts.place.run("python3", "-c", "import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))", cwd="/").stdout
    result = hosts.run(uid, *beside, "--", "true")
    if int(abi) < 9:  # Linux 7.1
        assert result.returncode == 125 and "a key for ssh" in result.stderr and "--without sockets" in result.stderr, f"{who}: {told(result)}"
    result = hosts.run(uid, "--without", "sockets", *beside, "--", "ssh-add", "-L")
    assert result.returncode == 0 and result.stdout.startswith("ssh-ed25519 "), f"{who}: {told(result)}"
    result = hosts.ssh_hosts(uid, "sh", "-c", "echo $SSH_AUTH_SOCK; stat -c %F $SSH_AUTH_SOCK; cut -d ' ' -f 1 /etc/ssh/ssh_known_hosts | sort -u")
    assert result.stdout.splitlines() == ["/run/ambit/ssh-agent", "socket", "open.test"], f"{who}: {told(result)}"
    result = hosts.run(uid, "--connect", "open.test:22", "--", "sh", "-c", "echo ${SSH_AUTH_SOCK-none}; ls /run/ambit /etc/ssh")
    assert result.stdout == "none\n", f"{who}: {told(result)}"


@each_user
def it_is_recorded_and_nothing_is_left(hosts, who, uid):
    """A grant, and connections of it; an agent that goes leaves the rest as it was; the roles end with the event."""
    record = f"{hosts.top}/home-{uid}/record.json"
    result = hosts.run(uid, "--record", record, "--connect", "ssh://git@open.test", "--connect", "ssh://alice@open.test", "--connect", "open.test:22", "--",
                       "sh", "-c", f"ssh {' '.join(BATCH)} git@open.test echo in; ssh {' '.join(BATCH)} alice@open.test echo in; "
                       "ssh-add -L | wc -l; ssh-add -D; true")
    assert result.stdout == "in\nin\n1\n", f"{who}: {told(result)}"
    assert hosts.outside(uid, "ssh-add", "-l").stdout.count("\n") == 1, f"{who}: keys were removed"
    with open(record, encoding="utf-8") as file:
        told_of = [(e["address"], e["source"], e["count"], e["verdict"]) for e in json.load(file)["effects"] if e["kind"] == "connect"]
    assert told_of == [("inet open.test:22", "proved", 2, "allowed")], f"{who}: {told_of}"
    here = os.readlink("/proc/self/ns/net")

    def roles():
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                    name, state = file.read().split("(", 1)[1].rsplit(")", 1)
                if name in ("ambit-sign", "ambit-superviso") and state.split()[0] != "Z" and os.readlink(f"/proc/{pid}/ns/net") == here:
                    found.append((pid, name))
            except OSError:
                pass
        return found

    class Stop(socketserver.BaseRequestHandler):
        """Who signs is held up, as by an agent that reads nothing."""

        def handle(self):
            for pid, name in roles():
                if name == "ambit-sign":
                    os.kill(int(pid), signal.SIGSTOP)
                    self.request.sendall(b"stopped\n")
    with hosts.serve(Stop, 7400) as server:
        result = hosts.run(uid, "--connect", "ssh://git@open.test", "--connect", "open.test:7400", "--", "bash", "-c", "read x < /dev/tcp/open.test/7400; echo $x")
        assert result.stdout == "stopped\n", f"{who}: {told(result)}"
        server.shutdown()
    result = hosts.run(uid, "--limit", "wall=300ms", "--connect", "ssh://git@open.test", "--", "sleep", "20")
    assert result.returncode == 124, f"{who}: {told(result)}"
    for _ in range(100):
        if not roles():
            return
        time.sleep(0.05)
    raise AssertionError(f"{who}: left: {roles()}")


@each_user
def a_key_is_withdrawn_with_its_grant(hosts, who, uid):
    """Though the host is reached by another grant still: of the same address by another name."""
    ssh = " ".join((*BATCH, "-4", "-o", "HostKeyAlias=open.test"))
    script = f"while read user; do ssh -n {ssh} $user@both.test echo in || echo out; done"
    with Running(hosts, uid, "--connect", "ssh://git@open.test", "--connect", "ssh://alice@open.test", "--connect", "both.test:22", "--", "sh", "-c", script) as run:
        def enters(user):
            run.process.stdin.write(f"{user}\n")
            run.process.stdin.flush()
            return run.line()
        assert enters("git") == "in", who
        assert said(hosts, uid, "revoke", "last", "ssh://git@open.test").startswith("withdrawn: "), who
        assert (enters("git"), enters("alice")) == ("out", "out"), who  # which is a key for the same connection


SCENARIOS = [git_needs_no_settings, each_kind_of_key_works, nobody_else_and_nowhere_else, nothing_else_is_signed, files_are_not_signed,
             an_agent_is_not_forwarded, a_reader_that_was_taken_over_gains_nothing, what_is_withdrawn_is_signed_for_no_more, a_key_is_withdrawn_with_its_grant,
             what_is_missing_is_said, it_is_recorded_and_nothing_is_left]

if __name__ == "__main__":
    main(SCENARIOS)
