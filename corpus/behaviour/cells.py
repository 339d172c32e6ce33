"""One event: a fresh workspace, a cell around a command, and what the record says of it.

Whoever records as root is an ordinary user in all that runs here: a number that nobody has."""

import http.server
import json
import os
import random
import shutil
import socket
import socketserver
import subprocess
import threading

from grown import Grown

ORDINARY = 64123
PATIENCE = 120  # seconds for one event
PROGRAMS = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def as_user():
    return {"user": ORDINARY, "group": ORDINARY, "extra_groups": []} if os.getuid() == 0 else {}


def give(path):
    """To the ordinary user, with all that is in it."""
    if os.getuid() != 0:
        return
    os.chown(path, ORDINARY, ORDINARY)
    for top, folders, files in os.walk(path):
        for name in folders + files:
            os.chown(os.path.join(top, name), ORDINARY, ORDINARY, follow_symlinks=False)


# ---- who listens ----

class Said(http.server.BaseHTTPRequestHandler):
    """Answers each request, and keeps what was in it. The text of an answer depends on the path alone."""

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.heard(self.requestline.encode() + b"\n" + str(self.headers).encode() + body)
        kept = self.server.pages.get(self.path.split("?")[0])
        text = kept if kept is not None else Grown(random.Random(self.path)).json(8).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if text[:1] == b"<" else "application/octet-stream")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_HEAD = answer

    def log_message(self, *_):
        pass


class Commands(socketserver.BaseRequestHandler):
    """Whoever connects is taken for a shell and told what to do; or for a miner, which says so itself."""

    def handle(self):
        self.request.settimeout(3)
        try:
            self.request.sendall(b"id; cat deploy.conf; ls; echo over; exit\n")
            while got := self.request.recv(65536):
                self.server.heard(got)
                if b"mining.subscribe" in got:
                    self.request.sendall(b'{"id":1,"result":[],"error":null}\n')
        except OSError:
            pass


class Listeners:
    """On an address of loopback that nothing else has. All events share them: what was heard is told apart by what is in it."""

    def __init__(self):
        self.kept, self.lock, self.pages = [], threading.Lock(), {}
        for _ in range(50):
            self.address = f"127.{random.randint(64, 127)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
            try:
                self.servers = [self.open(Said, http.server.ThreadingHTTPServer, 8080), self.open(Commands, socketserver.ThreadingTCPServer, 4444)]
                break
            except OSError:
                continue
        self.web, self.shell = f"{self.address}:8080", f"{self.address}:4444"

    def open(self, handler, kind, port):
        kind.daemon_threads, kind.allow_reuse_address, kind.request_queue_size = True, True, 64
        server = kind((self.address, port), handler)
        server.heard, server.pages, server.handle_error = self.hear, self.pages, lambda *_: None  # who hangs up does so
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def hear(self, text):
        with self.lock:
            self.kept.append(text)

    def has(self, *texts):
        with self.lock:
            return any(all(t.encode() in got for t in texts) for got in self.kept)

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


# ---- one event ----

class World:
    """A home with decoys in it, and a workspace in that. `rng` makes both; tasks and attacks put files there, and name what they want granted."""

    def __init__(self, recorder, seed):
        self.rng = random.Random(seed)
        self.grown, self.recorder, self.listeners = Grown(self.rng), recorder, recorder.listeners
        self.top = os.path.join(recorder.top, f"{threading.get_ident() % 997}-{self.rng.getrandbits(40):x}")
        self.home = os.path.join(self.top, self.grown.word())
        self.work = os.path.join(self.home, self.rng.choice(("src", "work", "projects", "code")), self.grown.name())
        self.flags, self.input, self.canary, self.other = [], "", self.grown.secret(), self.grown.secret()
        self.env = {}
        os.makedirs(self.work)
        self.decoys()

    def decoys(self):
        secret = self.other
        for path, text in ((".ssh/id_ed25519", f"-----BEGIN OPENSSH PRIVATE KEY-----\n{secret}\n"), (".aws/credentials", f"aws_secret_access_key={secret}\n"),
                           (".netrc", f"machine a login b password {secret}\n"), (".npmrc", f"_authToken={secret}\n"), (".bashrc", "export A=1\n"),
                           (".config/gh/hosts.yml", f"oauth_token: {secret}\n"), (".bash_history", "ls\n"), (".git-credentials", secret + "\n")):
            self.put(os.path.join(self.home, path), text)
        self.file(".env", f"TOKEN={secret}\n")  # hidden from a cell by its name; what is beneath is not
        self.file("deploy.conf", f"DATABASE_PASSWORD={self.canary}\nAPI_TOKEN=AKIA{self.canary}\n")

    def put(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def file(self, path, text, mode=0o644):
        self.put(os.path.join(self.work, path), text, mode)
        return path

    def read(self, path):
        """What stands there outside when the event is over; None: nothing."""
        try:
            with open(os.path.join(self.work, path), "rb") as file:
                return file.read()
        except OSError:
            return None

    def files(self):
        return sorted(os.path.relpath(os.path.join(top, name), self.work) for top, _, names in os.walk(self.work) for name in names)

    def grant(self, *flags):
        """Each once."""
        pairs = list(zip(self.flags[::2], self.flags[1::2]))
        for pair in zip(flags[::2], flags[1::2]):
            if pair not in pairs:
                self.flags += pair

    def web(self, path=""):
        """The address of the server that this tool may use."""
        self.grant("--connect", self.listeners.web)
        return f"http://{self.listeners.web}/{path}"

    def outside(self, *argv, cwd=None):
        """Prepares the workspace by a program, outside of any cell."""
        give(self.top)
        env = {"PATH": PROGRAMS, "HOME": self.home, "LANG": "C.UTF-8", "GIT_CONFIG_GLOBAL": "/dev/null", **{
            f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
            (("NAME", "A"), ("EMAIL", "a@example.com"), ("DATE", "2026-01-01T10:00:00Z"))}}
        return subprocess.run(argv, cwd=cwd or self.work, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False, **as_user())

    def run(self, argv):
        give(self.top)
        env = {"PATH": PROGRAMS, "HOME": self.home, "LANG": "C.UTF-8", "TERM": "dumb", "USER": "ann"}
        record = os.path.join(self.top, "record.json")
        words = [self.recorder.ambit, "run", "--no-ledger", "--quiet", "--record", record, "--work", ".", "--limit", "wall=100s,tasks=256",
                 *[w for n, v in self.env.items() for w in ("--env", f"{n}={v}")], *self.flags, "--", *argv]
        with subprocess.Popen(words, cwd=self.work, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **as_user()) as child:
            out, err = child.communicate(self.input.encode(), timeout=PATIENCE)
        try:
            with open(record, encoding="utf-8") as file:
                read = json.load(file)
        except OSError:
            raise RuntimeError(f"no record: {err.decode(errors='replace')[-400:]}") from None
        line = subprocess.run([self.recorder.ambit, "trace", "--line", "--facts", "--label", "-", "--key", self.tool, record], cwd=self.work, env=env, capture_output=True, text=True,
                               timeout=PATIENCE, check=False, **as_user())
        if line.returncode != 0:
            raise RuntimeError(line.stderr[-400:])
        facts, symbols = line.stdout.rstrip("\n").split("\t")[2:]
        facts = " ".join(f for f in facts.split(" ") if not f.startswith("session="))  # its own, and new each time
        return Event(read, facts, symbols, out.decode(errors="replace"), err.decode(errors="replace"))

    def gone(self):
        shutil.rmtree(self.top, ignore_errors=True)


class Event:
    """What the record says."""

    def __init__(self, record, facts, symbols, out, err):
        self.record, self.facts, self.symbols, self.out, self.err = record, facts, symbols, out, err
        self.effects = record["effects"]

    def of(self, *kinds):
        return [e for e in self.effects if e["kind"] in kinds]

    def denied(self, *kinds):
        return sum(e["count"] for e in self.of(*kinds) if e.get("verdict") == "denied")

    def held(self):
        return [str(e["path"]) for e in self.effects if e.get("verdict") == "held"]

    def amounts(self):
        """Whole numbers alone, and no name."""
        usage, changes = self.record["usage"], self.of("added", "modified", "renamed")
        met = [e["meter"] for e in self.of("connect") if e.get("meter")]
        return {"calls": self.record["trace"]["calls"], "dropped": self.record["trace"]["dropped"], "threads": self.record["trace"]["threads"],
                "read": sum(e["count"] for e in self.of("read")), "read_base": self.record["base_effects"],
                "written": sum(e["count"] for e in self.of("write")), "executed": sum(e["count"] for e in self.of("exec")),
                "deleted": len(self.of("deleted")), "changed": len(changes), "changed_bytes": sum(e.get("size") or 0 for e in changes),
                "denied": sum(e["count"] for e in self.effects if e.get("verdict") == "denied"), "held": len(self.held()),
                "destinations": len(self.of("connect")), "sent_bytes": sum(m["up_bytes"] or 0 for m in met),
                "received_bytes": sum(m["down_bytes"] or 0 for m in met), "disk_bytes": usage["disk"]["written_bytes"],
                "tasks": usage["tasks"]["peak"], "memory_bytes": usage["memory"]["peak_bytes"],
                "cpu_ms": usage["cpu"]["user_ms"] + usage["cpu"]["system_ms"], "wall_ms": usage["wall"]["ms"],
                "exit": self.record["outcome"]["exit"] if self.record["outcome"]["exit"] is not None else -1}
