#!/usr/bin/env python3
"""Sessions that outlive their clients, and the daemon that keeps them: by the command line, and by messages of our own making.

usage: sessions.py AMBIT    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import contextlib
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

import left
from harness import PATIENCE, SLOW, always, expect_ok, main, sanitized, told, write

# wire/messages.def
HELLO, NEW, OPEN, LIST, NARROW, STATUS, PART, RELOAD = 256, 257, 258, 259, 260, 261, 262, 263
CHANNEL, ROW, DONE, TOLD, FAILED, HALTED, HALT = 264, 265, 266, 267, 268, 269, 270
READY, RUN, FOLLOW, SEEN, SIGNAL, CANCEL, S_LIST, S_PART = 288, 289, 290, 291, 294, 295, 297, 299
TAKEN, FILES, GREW, S_ROW, OVER, S_DONE, S_FAILED, S_HALT, S_HALTED = 304, 305, 306, 307, 308, 309, 310, 313, 314
RUNNING, IS_OVER, INTERRUPTED = 2, 3, 4


class Served:
    """A person's daemon, with places of its own, started by the first command that needs it."""

    def __init__(self, place):
        self.place, self.home = place, place.fresh()
        self.run_dir, self.tree = os.path.join(self.home, "run"), os.path.join(self.home, "tree")
        os.mkdir(self.run_dir, 0o700)
        os.mkdir(self.tree)
        self.environment = {**place.environment(), "HOME": self.home, "XDG_RUNTIME_DIR": self.run_dir, "AMBIT_LEDGER": os.path.join(place.home, "ledger")}

    def ambit(self, *words, cwd=None, input="", **more):
        return subprocess.run([self.place.ambit, *words], cwd=cwd or self.tree, env={**self.environment, **more.pop("env", {})}, input=input,
                              capture_output=True, text=True, errors="replace", timeout=SLOW * PATIENCE, **more)

    def start(self, *words, **more):
        return subprocess.Popen([self.place.ambit, *words], cwd=self.tree, env=self.environment, stdin=more.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **more)

    def session(self, *words, **more):
        return expect_ok(self.ambit("session", "new", *words, **more)).stdout.strip()

    def events(self, session):
        return [json.loads(line) for line in expect_ok(self.ambit("events", "--json", session)).stdout.splitlines()]

    def status(self):
        return json.loads(expect_ok(self.ambit("serve", "--status", "--json")).stdout)

    def kill(self):
        """As a machine that is out of memory would."""
        pid = self.status()["pid"]
        os.kill(pid, signal.SIGKILL)
        self.until(lambda: not os.path.exists(f"/proc/{pid}") or state_of(pid) == "Z", "the daemon goes")

    def until(self, holds, what):
        end = time.monotonic() + SLOW * PATIENCE
        while not (result := holds()):
            assert time.monotonic() < end, f"never: {what}"
            time.sleep(0.02)
        return result

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Told twice, it waits for nothing."""
        with contextlib.suppress(AssertionError, ProcessLookupError):
            pid = self.status()["pid"]
            for _ in range(2):
                os.kill(pid, signal.SIGTERM)
                time.sleep(0.05)
            self.until(lambda: state_of(pid) == "Z", "the daemon goes")


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def processes_in(runtime):
    """Processes that have this directory in their environment and live: ours, whatever they are."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/environ", "rb") as file:
                if f"XDG_RUNTIME_DIR={runtime}\0".encode() in file.read() and state_of(pid) != "Z":
                    found.append(int(pid))
    return found


# ---- by hand ----


class Spoken:
    """A client that speaks JSON-RPC."""

    def __init__(self, served):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SLOW * PATIENCE)
        self.sock.connect(os.path.join(served.run_dir, "ambit", "rpc.sock"))
        self.lines, self.number, self.heard = self.sock.makefile("r"), 0, []
        self.ask("hello", protocol=1)

    def say(self, method, **params):
        self.number += 1
        self.sock.sendall((json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}) + "\n").encode())
        return self.number

    def hear(self):
        line = self.lines.readline()
        assert line, "the connection ended"
        return json.loads(line)

    def ask(self, method, **params):
        """The answer; notifications before it are kept."""
        number_ = self.say(method, **params)
        while (message := self.hear()).get("id") != number_:
            self.heard.append(message)
        return message.get("result", message.get("error"))

    def until(self, method):
        while not any(m.get("method") == method for m in self.heard):
            self.heard.append(self.hear())
        found, self.heard = self.heard, []
        return found


class Native:
    """A client that says what it likes."""

    def __init__(self, served):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(SLOW * PATIENCE)
        self.sock.connect(os.path.join(served.run_dir, "ambit", "native.sock"))
        number, body, _ = self.receive()
        assert number == HELLO and struct.unpack_from("<I", body)[0] == 8, (number, body)

    @classmethod
    def on(cls, fd):
        self = cls.__new__(cls)
        self.sock = socket.socket(fileno=fd)
        self.sock.settimeout(SLOW * PATIENCE)
        return self

    def send(self, number, body=b"", fds=()):
        socket.send_fds(self.sock, [struct.pack("<HH", number, 0) + body], list(fds))

    def receive(self):
        data, fds, _, _ = socket.recv_fds(self.sock, 1 << 17, 8)
        return (struct.unpack_from("<H", data)[0], data[4:], fds) if data else (None, b"", fds)

    def ask(self, number, body=b""):
        self.send(number, body)
        return self.receive()

    def is_sent_away(self):
        try:
            return self.receive()[0] is None
        except ConnectionError:
            return True

    def close(self):
        self.sock.close()


def name(request, session):
    return struct.pack("<I32s", request, session.encode())


def number(request, value=0):
    return struct.pack("<IQ", request, value)


def of_event(request, n, a=0, b=0):
    return struct.pack("<IIIQ", request, a, b, n)


def halt(request, deed, n=0, what="", keep=0):
    return struct.pack("<IIIQ32s201s", request, deed, keep, n, what.encode(), b"")


def text(value):
    return struct.pack("<I", len(value)) + value.encode()


def run_bytes(*argv, key="", flags=0):
    return (struct.pack("<I", 3) + text(key) + struct.pack("<IIIIQ", flags, 0, 0, 0, 0) + text("") + text("") + text("") +
            struct.pack("<I", len(argv)) + b"".join(map(text, argv)) + struct.pack("<I", 0))


def failed(body):
    """Of an answer that is an error: its request, code and message."""
    request, code = struct.unpack_from("<II", body)
    n = struct.unpack_from("<I", body, 12)[0]
    return request, code, body[16:16 + n].decode()


def channel_to(served, session):
    client = Native(served)
    number_, body, fds = client.ask(OPEN, name(7, session))
    assert number_ == CHANNEL and len(fds) == 1, (number_, body)
    channel = Native.on(fds[0])
    assert channel.receive()[0] == READY
    return client, channel


def take(channel, *argv, key="", request=1, flags=0):
    channel.send(S_PART, run_bytes(*argv, key=key, flags=flags))
    channel.send(RUN, number(request))
    while True:
        what, body, _ = channel.receive()
        if what in (TAKEN, S_FAILED, None):
            return what, body


# ---- what a person does ----


@always
def a_session_has_grants_and_a_tree(place):
    with Served(place) as s:
        write(f"{s.tree}/a", "one\n")
        session = s.session("--work", ".")
        result = s.ambit("run", "--session", session, "--", "sh", "-c", "cat a; echo two > b; echo said >&2; exit 0")
        assert (result.returncode, result.stdout, result.stderr) == (0, "one\n", "said\n"), told(result)
        assert open(f"{s.tree}/b", encoding="utf-8").read() == "two\n"
        result = s.ambit("run", "--session", session[:12], "--", "sh", "-c", "echo three > c; exit 4")
        assert result.returncode == 4 and not os.path.exists(f"{s.tree}/c") and "kept" in result.stderr, told(result)
        result = s.ambit("run", "--session", "last", "--", "cat", "b", "/etc/shadow-of-nobody")
        assert result.returncode == 1 and result.stdout == "two\n", told(result)
        rows = s.events(session)
        assert [r["n"] for r in rows] == [1, 2, 3] and [r["exit"] for r in rows] == [0, 4, 1], rows
        assert [r["workspace"] for r in rows] == ["committed", "kept", "untouched"], rows


def what_was_not_granted_is_not_there(place):
    with Served(place) as s:
        write(f"{s.home}/secret.txt", "secret\n")
        session = s.session("--read", ".")
        result = s.ambit("run", "--session", session, "--", "cat", f"{s.home}/secret.txt")
        assert result.returncode == 1 and "secret\n" not in result.stdout, told(result)
        twin = s.session("--read", f"{s.home}/secret.txt")
        expect_ok(s.ambit("run", "--session", twin, "--", "cat", f"{s.home}/secret.txt"), "secret\n")
        result = s.ambit("run", "--session", session, "--read", f"{s.home}/secret.txt", "--", "cat", f"{s.home}/secret.txt")
        assert result.returncode == 125 and "has its own" in result.stderr and "secret\n" not in result.stdout, told(result)


def input_comes_through_and_ends(place):
    with Served(place) as s:
        session = s.session()
        data = "".join(f"{i}\n" for i in range(200000))
        result = s.ambit("run", "--session", session, "--", "sh", "-c", "wc -c; head -c 3 /dev/null", input=data)
        assert (result.returncode, result.stdout.strip()) == (0, str(len(data))), told(result)
        result = s.ambit("run", "--session", session, "--", "head", "-n1", input=data)
        assert (result.returncode, result.stdout) == (0, "0\n"), told(result)


def output_is_whole_and_bounded(place):
    with Served(place) as s:
        session = s.session()
        result = s.ambit("run", "--session", session, "--", "sh", "-c", "seq 1 300000; seq 1 300000 >&2")
        seq = "".join(f"{i}\n" for i in range(1, 300001))
        assert result.stdout == seq and result.stderr == seq, told(result)
        result = s.ambit("run", "--session", session, "--limit", "output=100K", "--", "cat", "/dev/zero")
        row = s.events(session)[-1]
        assert result.returncode == 125 and re.search("^ambit: ended by its limit: output=100K\n  why: bytes of standard output .*\n  hint: --limit output=200K .* new session\n", result.stderr), told(result)
        result = s.ambit("run", "--quiet", "--session", session, "--limit", "wall=200ms", "--", "sleep", "9")
        assert result.returncode == 124 and "ended by its limit: wall=200ms" in result.stderr, told(result)
        assert row["cause"] == "limit" and row["stdout"] < 8 << 20, row


def the_environment_is_the_clients(place):
    with Served(place) as s:
        session = s.session("--env", "COLOUR", "--env", "FIXED=1", env={"COLOUR": "red", "OTHER": "no"})
        result = s.ambit("run", "--session", session, "--", "sh", "-c", "echo $COLOUR $FIXED $OTHER.", env={"COLOUR": "blue"})
        assert result.stdout == "red 1 .\n", told(result)


@always
def a_key_has_its_effect_once(place):
    with Served(place) as s:
        session = s.session("--work", ".")
        words = ("run", "--session", session, "--key", "once", "--", "sh", "-c", "echo x >> log; cat log")
        first, second = s.ambit(*words), s.ambit(*words)
        assert first.stdout == second.stdout == "x\n" and first.returncode == second.returncode == 0, told(second)
        assert open(f"{s.tree}/log", encoding="utf-8").read() == "x\n"
        assert first.stderr == "" and second.stderr == f"ambit: it did not run again: event {s.events(session)[0]['event']} has the key once\n", told(second)
        assert s.ambit("run", "--quiet", *words[1:]).stderr == ""
        s.kill()
        third = s.ambit(*words)
        assert third.stdout == "x\n" and len(s.events(session)) == 1, told(third)
        other = s.ambit("run", "--session", session, "--key", "once", "--", "true")
        assert other.returncode == 125 and "another request" in other.stderr, told(other)
        expect_ok(s.ambit("run", "--session", session, "--key", "twice", "--", "true"))
        assert [r["n"] for r in s.events(session)] == [1, 2]


def a_key_makes_one_session(place):
    with Served(place) as s:
        first = s.session("--key", "k", "--work", ".")
        assert s.session("--key", "k", "--work", ".") == first != s.session("--key", "l", "--work", ".")
        at_once = [s.start("session", "new", "--key", "m") for _ in range(6)]
        assert len({c.communicate(timeout=SLOW * PATIENCE)[0] for c in at_once}) == 1, "one key, several sessions"
        s.kill()
        assert s.session("--key", "k", "--work", ".") == first
        result = s.ambit("session", "new", "--key", "k", "--read", ".")
        assert result.returncode == 125 and "is another" in result.stderr, told(result)
        assert len(s.ambit("session", "list").stdout.splitlines()) == 3


@always
def who_leaves_leaves_the_event(place):
    with Served(place) as s:
        session = s.session("--work", ".")
        client = s.start("run", "--session", session, "--", "sh", "-c", "echo begun; sleep 0.5; echo ended; echo x > done")
        assert client.stdout.readline() == "begun\n"
        client.kill()
        client.communicate()
        s.until(lambda: s.events(session)[0]["state"] == "over", "the event ends")
        row = s.events(session)[0]
        assert (row["exit"], row["stdout"]) == (0, 12) and os.path.exists(f"{s.tree}/done"), row
        _, channel = channel_to(s, session)
        what, _, fds = channel.ask(FOLLOW, of_event(1, 1))
        assert what == FILES and os.pread(fds[0], 100, 6) == b"ended\n"
        for fd in fds:
            os.close(fd)


@always
def the_killed_daemon_has_everything_that_was_taken(place):
    with Served(place) as s:
        session = s.session("--work", ".")
        expect_ok(s.ambit("run", "--session", session, "--", "sh", "-c", "echo before; echo 1 > a"), "before")
        client = s.start("run", "--session", session, "--", "sh", "-c", "echo 2 > b; echo begun; sleep 60")
        assert client.stdout.readline() == "begun\n"
        s.kill()
        out, err = client.communicate(timeout=SLOW * PATIENCE)
        assert client.returncode == 125 and "interrupted" in err, f"{client.returncode} {out} {err}"
        rows = s.events(session)
        assert [r["state"] for r in rows] == ["over", "interrupted"] and rows[1]["stdout"] == 6, rows
        assert not os.path.exists(f"{s.tree}/b") and os.path.exists(f"{s.tree}/a")
        kept = expect_ok(s.ambit("stage", "list")).stdout
        assert rows[1]["event"] in kept, kept
        expect_ok(s.ambit("run", "--session", session, "--", "cat", "a"), "1\n")
        assert len(s.events(session)) == 3


def the_killed_role_of_a_session_is_no_loss(place):
    with Served(place) as s:
        session, other = s.session(), s.session()
        client = s.start("run", "--session", session, "--", "sh", "-c", "echo begun; sleep 60")
        beside = s.start("run", "--session", other, "--", "sh", "-c", "echo begun; sleep 2; echo whole")
        assert client.stdout.readline() == beside.stdout.readline() == "begun\n"
        roles = commands_of(s, "ambit-session")
        assert len(roles) == 2, roles
        os.kill(min(roles), signal.SIGKILL)  # the first that was started
        assert client.wait(timeout=SLOW * PATIENCE) == 125
        out, _ = beside.communicate(timeout=SLOW * PATIENCE)
        assert (beside.returncode, out) == (0, "whole\n"), (beside.returncode, out)
        assert s.events(session)[0]["state"] == "interrupted" and s.events(other)[0]["state"] == "over"
        client.communicate()


def commands_of(s, name_):
    found = []
    for pid in processes_in(s.run_dir):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", encoding="ascii") as file:
            if name_ in file.read():
                found.append(pid)
    return found


@always
def what_is_being_committed_is_not_interrupted(place):
    """The commit waits for another event that works on the tree, and meanwhile the daemon or the session's process is killed."""
    with Served(place) as s:
        session = s.session("--work", ".")

        def commits_beside(killed, file):
            words = ("run", "--session", session, "--key", file, "--", "sh", "-c", f"echo x >> {file}; echo said")
            holder = s.start("run", "--work", ".", "--", "sh", "-c", "echo begun; read line", stdin=subprocess.PIPE)
            assert holder.stdout.readline() == "begun\n"
            client = s.start(*words)
            row = s.until(lambda: next((r for r in s.events(session) if r["command"].endswith(f"{file}; echo said")), None), "it is taken")
            try:
                s.until(lambda: json.loads(s.ambit("stage", "list", "--json").stdout) and s.events(session)[-1]["stdout"] == 5, "it wrote")
            except AssertionError as problem:
                raise AssertionError(str(problem), s.events(session), told(s.ambit("stage", "list", "--json")), holder.poll(), client.poll()) from None
            time.sleep(0.3)
            killed(holder, f"{s.tree}/{file}")
            holder.communicate()
            client.communicate(timeout=SLOW * PATIENCE)
            again = s.ambit(*words)
            assert (again.returncode, again.stdout) == (0, "said\n"), told(again)
            assert open(f"{s.tree}/{file}", encoding="utf-8").read() == "x\n", "it ran twice"
            last = s.events(session)[row["n"] - 1]
            assert (last["state"], last["workspace"], last["exit"], last["stdout"]) == ("over", "committed", 0, 5), last
            return last

        def kill_daemon(holder, _):
            s.kill()
            holder.stdin.close()
            holder.stdin = None

        def kill_role(holder, file):
            role, = commands_of(s, "ambit-session")
            os.kill(role, signal.SIGSTOP)
            holder.stdin.close()
            holder.stdin = None
            s.until(lambda: os.path.exists(file), "it is committed, and its session does not hear of it")
            os.kill(role, signal.SIGKILL)

        assert not commits_beside(kill_daemon, "a").get("message"), "its record is lost"
        assert "record is lost" in commits_beside(kill_role, "b")["message"]


def the_total_of_a_session_is_shared(place):
    with Served(place) as s:
        session = s.session("--total-wall", "3s")
        for _ in range(2):
            expect_ok(s.ambit("run", "--session", session, "--background", "--", "sleep", "60"))
        begun = time.monotonic()
        assert s.ambit("run", "--session", session, "--", "sleep", "60").returncode == 124
        assert time.monotonic() - begun < 2.5 * SLOW, "each has all of it"
        s.until(lambda: all(r["state"] == "over" for r in s.events(session)), "all end")
        assert [r["cause"] for r in s.events(session)] == ["limit"] * 3, s.events(session)
        again = s.session("--total-wall", "5s")
        client = s.start("run", "--session", again, "--", "sh", "-c", "echo begun; sleep 60")
        assert client.stdout.readline() == "begun\n"
        time.sleep(1.5)
        s.kill()
        client.communicate(timeout=SLOW * PATIENCE)
        row = s.events(again)[0]
        assert row["state"] == "interrupted", row
        begun = time.monotonic()
        assert s.ambit("run", "--session", again, "--", "sleep", "60").returncode == 124
        assert time.monotonic() - begun < 4.5 * SLOW, "what was interrupted cost nothing"


@always
def nothing_is_left_after_kills_at_random(place):
    """Each event adds one line: none that was answered for is lost, none happens twice, and nothing stays: no process, mount or control group, and no stage but those that are listed."""
    seed = int(os.environ.get("AMBIT_SEED", str(random.randrange(1 << 30))))
    chance = random.Random(seed)
    print(f"# seed {seed}", flush=True)
    rounds = 3 * int(os.environ.get("AMBIT_SOAK", "1"))
    left.become_parent()
    before, mounts, groups = set(left.descendants()), left.mounts(), left.groups()
    with Served(place) as s:
        session = s.session("--work", ".")
        answered = {}
        for i in range(rounds):
            clients = {}
            for j in range(4):
                key = f"{i}.{j}"
                clients[key] = s.start("run", "--session", session, "--key", key, "--", "sh", "-c", f"echo {key} > made-{key}; echo {key}")
            with contextlib.suppress(OSError, AssertionError):
                Spoken(s)
            time.sleep(chance.random() * 0.25)
            with contextlib.suppress(AssertionError, ProcessLookupError):
                s.kill()
            for key, client in clients.items():
                out, _ = client.communicate(timeout=SLOW * PATIENCE)
                if client.returncode == 0:
                    answered[key] = out
        rows = {r["command"].split()[-1]: r for r in s.events(session)}
        for key, out in answered.items():
            assert out == f"{key}\n" and os.path.exists(f"{s.tree}/made-{key}"), f"lost: {key} (seed {seed})"
            again = s.ambit("run", "--session", session, "--key", key, "--", "sh", "-c", f"echo {key} > made-{key}; echo {key}")
            assert (again.returncode, again.stdout) == (0, f"{key}\n"), told(again)
        assert len(s.events(session)) == len(rows), "an event ran twice"
        assert all(r["state"] in ("over", "interrupted") for r in rows.values()), rows
        expect_ok(s.ambit("serve", "--stop"))
        s.until(lambda: not processes_in(s.run_dir), "all processes go")
        nothing_stays(s, before, mounts, groups)


def nothing_stays(s, before, mounts, groups):
    """Of what there is besides processes with the daemon's environment, which supervisors and cells do not have."""
    def beneath():
        left.reap()
        return {pid: name_ for pid, name_ in left.others().items() if pid not in before}
    with contextlib.suppress(AssertionError):  # what there is tells more
        s.until(lambda: not beneath() and not left.groups_of_nobody(groups) and left.mounts() == mounts, "all go")
    stays = beneath(), left.groups_of_nobody(groups), sorted(set(left.mounts()) - set(mounts))
    assert stays == ({}, [], []), stays
    listed = {stage["event"]: stage["state"] for stage in json.loads(expect_ok(s.ambit("stage", "list", "--json")).stdout)["stages"]}
    there = {name_ for name_ in os.listdir(f"{s.home}/.local/state/ambit/stages") if not name_.startswith(".")}
    assert there == set(listed), f"stages that are not listed: {there - set(listed)}; listed and not there: {set(listed) - there}"
    assert "running" not in listed.values(), listed


def events_of_a_session_are_in_order(place):
    with Served(place) as s:
        session = s.session("--work", ".")
        clients = [s.start("run", "--session", session, "--", "sh", "-c", f"cat log 2>/dev/null; echo {i} >> log") for i in range(4)]
        ends = [(c.communicate(timeout=SLOW * PATIENCE), c.returncode) for c in clients]
        assert all(status == 0 for _, status in ends), ends
        assert sorted(out.count("\n") for (out, _), _ in ends) == [0, 1, 2, 3], f"two of them ran at one time: {ends}"


def events_of_the_background_go_on_beside(place):
    with Served(place) as s:
        session = s.session("--work", ".")
        beside = expect_ok(s.ambit("run", "--session", session, "--background", "--", "sh", "-c", "echo b > beside; exec sleep 600")).stdout.strip()
        for i in range(4):
            begun = time.monotonic()
            expect_ok(s.ambit("run", "--session", session, "--", "sh", "-c", f"echo {i} > a"))
            assert time.monotonic() - begun < 5 * SLOW, "its commit waited for who runs beside"
        assert open(f"{s.tree}/a", encoding="utf-8").read() == "3\n"
        assert s.events(session)[0]["event"] == beside and s.events(session)[0]["state"] == "runs"
        expect_ok(s.ambit("session", "end", session))
        s.until(lambda: s.events(session)[0]["state"] == "over", "the background ends with its session")
        result = s.ambit("run", "--session", session, "--", "true")
        assert result.returncode == 125 and "has ended" in result.stderr, told(result)
        listed = json.loads(expect_ok(s.ambit("session", "list", "--json")).stdout)["sessions"]
        assert [(r["session"], r["state"], r["events"]) for r in listed] == [(session, "ended", 5)], listed


SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"served")
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", 3000), Handler).serve_forever()
"""
ASK = "import urllib.request, sys; print(urllib.request.urlopen(f'http://127.0.0.1:{sys.argv[1]}/', timeout=10).read().decode())"


def a_server_beside_is_reached_by_the_other_events(place):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Served(place) as s:
        with open(f"{s.tree}/policy.yaml", "w", encoding="utf-8") as file:
            file.write("version: 1\nguard:\n  - listen: 3001\n")  # a port that no event of the session opens, and none waits for
        session = s.session("--listen", f"{port}:3000", "--policy", f"{s.tree}/policy.yaml")
        server = expect_ok(s.ambit("run", "--session", session, "--background", "--", "python3", "-c", SERVER)).stdout.strip()
        def asks():
            return s.ambit("run", "--session", session, "--", "python3", "-c", ASK, str(port)).stdout
        s.until(lambda: asks() == "served\n", "the server answers an event of its session")
        apart = s.session()
        result = s.ambit("run", "--session", apart, "--", "python3", "-c", ASK, str(port))
        assert result.returncode == 1 and "served" not in result.stdout, told(result)
        assert s.events(session)[0]["event"] == server
        expect_ok(s.ambit("session", "end", session))
        s.until(lambda: s.events(session)[0]["state"] == "over", "the server ends with its session")
        with socket.socket() as probe:
            s.until(lambda: probe.connect_ex(("127.0.0.1", port)) != 0, "its port is free")


def an_event_does_not_write_in_place_what_its_session_stages(place):
    with Served(place) as s:
        session = s.session("--work", ".")
        result = s.ambit("run", "--session", session, "--direct", "--", "sh", "-c", "echo x > a; false")
        assert result.returncode == 125 and not os.path.exists(f"{s.tree}/a"), told(result)
        _, channel = channel_to(s, session)
        for changes, answer in ((4, S_FAILED), (32, S_FAILED), (1, TAKEN)):
            bytes_ = bytearray(run_bytes("sh", "-c", "echo x > a; false"))
            bytes_[12:16] = struct.pack("<I", changes)  # behind version, key and flags
            channel.send(S_PART, bytes(bytes_))
            channel.send(RUN, number(1))
            assert channel.receive()[0] == answer, changes
        direct = s.session("--work", ".", "--direct")
        result = s.ambit("run", "--session", direct, "--stage", "--", "true")
        assert result.returncode == 125 and "in place" in result.stderr, told(result)
        assert s.ambit("run", "--session", direct, "--", "sh", "-c", "echo x > a; false").returncode == 1 and os.path.exists(f"{s.tree}/a")


def limits_of_a_session_hold_over_all_of_it(place):
    with Served(place) as s:
        session = s.session("--events", "2")
        assert [s.ambit("run", "--session", session, "--", "true").returncode for _ in range(3)] == [0, 0, 125]
        timed = s.session("--total-wall", "700ms")
        result = s.ambit("run", "--session", timed, "--", "sleep", "60")
        assert result.returncode == 124, told(result)
        result = s.ambit("run", "--session", timed, "--", "true")
        assert result.returncode == 125 and "all of its time" in result.stderr, told(result)
        kept = s.session("--keep-space", "100K")
        for _ in range(4):
            expect_ok(s.ambit("run", "--session", kept, "--", "head", "-c", "60000", "/dev/zero"))
        flags = [r["kept"] for r in s.events(kept)]
        assert flags[-1] and not flags[0] and flags == sorted(flags), flags


def a_signal_reaches_the_program(place):
    with Served(place) as s:
        session = s.session()
        client = s.start("run", "--session", session, "--", "sh", "-c", "trap 'echo caught; exit 7' INT; echo begun; while :; do sleep 0.1; done")
        assert client.stdout.readline() == "begun\n"
        client.send_signal(signal.SIGINT)
        out, err = client.communicate(timeout=SLOW * PATIENCE)
        assert (client.returncode, out) == (7, "caught\n"), (client.returncode, out, err)
        client = s.start("run", "--session", session, "--", "sh", "-c", "trap '' INT TERM; echo begun; while :; do sleep 0.1; done")
        assert client.stdout.readline() == "begun\n"
        for _ in range(2):
            client.send_signal(signal.SIGINT)
            time.sleep(0.1)
        assert client.wait(timeout=SLOW * PATIENCE) == 137
        client.communicate()


def above(pid, name_):
    """The nearest process above it that is called so."""
    while pid > 1:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            comm, _, rest = file.read().partition("(")[2].rpartition(")")
        if comm == name_[:15]:
            return pid
        pid = int(rest.split()[1])
    raise AssertionError(f"no {name_}")


def pid_of(*argv):
    """Of the one process in a cell that runs this."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            if file.read() == "".join(f"{a}\0" for a in argv).encode():
                return int(pid)
    return None


def a_kill_is_not_lost_behind_a_flood_of_signals(place):
    with Served(place) as s:
        session = s.session()
        _, channel = channel_to(s, session)
        nap = f"6{random.randrange(10**8)}"
        assert take(channel, "sleep", nap)[0] == TAKEN
        supervisor = above(s.until(lambda: pid_of("sleep", nap), "it sleeps"), "ambit-supervisor")
        os.kill(supervisor, signal.SIGSTOP)
        try:
            for i in range(100000):
                what, body, _ = channel.ask(SIGNAL, of_event(i + 1, 1, 18))
                if what == S_FAILED:
                    break
            assert failed(body)[2].startswith("more signals"), (i, what, body)
            assert channel.ask(CANCEL, of_event(1, 1))[0] == S_DONE
            time.sleep(0.1)
        finally:
            os.kill(supervisor, signal.SIGCONT)
        s.until(lambda: s.events(session)[0]["state"] == "over", "it is killed")
        assert s.events(session)[0]["cause"] == "killed", s.events(session)


def the_record_comes_back(place):
    with Served(place) as s:
        session = s.session("--work", ".")
        record = json.loads(expect_ok(s.ambit("run", "--session", session, "--json", "--", "sh", "-c", "echo x > a")).stdout)
        assert (record["session"], record["n"], record["outcome"]["workspace"]) == (session, 1, "committed"), record
        expect_ok(s.ambit("run", "--session", session, "--record", f"{s.home}/r.json", "--", "true"))
        assert json.load(open(f"{s.home}/r.json", encoding="utf-8"))["n"] == 2


def what_runs_is_listed_and_counted(place):
    with Served(place) as s:
        one, two = s.session(), s.session()
        for session in (one, two):
            expect_ok(s.ambit("run", "--session", session, "--", "true"))
        assert s.ambit("ps").stdout == ""
        beside = [expect_ok(s.ambit("run", "--session", one, "--background", "--", "sleep", "60")).stdout.strip() for _ in range(2)]
        rows = [json.loads(line) for line in expect_ok(s.ambit("ps", "--json")).stdout.splitlines()]
        assert [(r["session"], r["event"], r["n"], r["state"]) for r in rows] == [(one, beside[0], 2, "runs"), (one, beside[1], 3, "runs")], rows
        follow = s.start("events", "--follow", "--from", "3", one)
        assert beside[1] in follow.stdout.readline()
        expect_ok(s.ambit("run", "--session", one, "--", "true"))
        seen = []
        while not seen or "exited" not in seen[-1]:
            seen.append(follow.stdout.readline().split())
        assert {line[0] for line in seen} == {"4"} and len({tuple(line) for line in seen}) == len(seen) <= 3, seen  # each state once
        follow.kill()
        follow.communicate()
        metrics = expect_ok(s.ambit("serve", "--metrics")).stdout
        assert metrics.endswith("# EOF\n") and "ambit_running_now 2\n" in metrics and "ambit_events_taken_total 5\n" in metrics, metrics


def a_session_that_nobody_uses_has_no_process(place):
    with Served(place) as s:
        sessions = [s.session() for _ in range(3)]
        for session in sessions:
            expect_ok(s.ambit("run", "--session", session, "--", "true"))
        assert s.status()["sessions_now"] == 3
        client, channel = channel_to(s, sessions[0])
        s.until(lambda: s.status()["sessions_now"] == 1, "the two that nobody uses rest")
        assert take(channel, "true")[0] == TAKEN, "the one that somebody has is gone, too"
        channel.close()
        client.close()
        s.until(lambda: s.status()["sessions_now"] == 0, "the third rests")
        assert len(processes_in(s.run_dir)) == 1 and [r["n"] for r in s.events(sessions[0])] == [1, 2]


def mistakes_are_told(place):
    with Served(place) as s:
        result = s.ambit("run", "--session", "last", "--", "true")
        assert result.returncode == 125 and "no session yet" in result.stderr and "ambit session new" in result.stderr, told(result)
        session = s.session()
        for words, says in [(("run", "--session", "s_01"), "no command"),
                            (("run", "--session", "s_01ZZZZZZZZ", "--", "true"), "no session s_01ZZZZZZZZ"),
                            (("run", "--session", "nonsense", "--", "true"), "is no session"),
                            (("run", "--key", "k", "--", "true"), "name it with --session"),
                            (("run", "--session", session, "--", "no-such-program"), "command not found"),
                            (("run", "--session", session, "--limit", "wal=3s", "--", "true"), "wal"),
                            (("session", "nwe"), "no command"), (("session", "new", "--wrok", "."), "no option"),
                            (("session", "end"), "one session"), (("events", "--from", "0"), "--from"),
                            (("serve", "--statsu"), "no option")]:
            result = s.ambit(*words)
            assert result.returncode in (125, 127) and says in result.stderr, f"{words}: {told(result)}"
        assert s.ambit("run", "--session", session, "--", "no-such-program").returncode == 127
        assert s.events(session)[-1]["code"] == "NO_PROGRAM", s.events(session)[-1]
        strict = s.session("--strict")
        write(f"{s.home}/secret.txt", "secret\n")
        result = s.ambit("run", "--session", strict, "--", "sh", "-c", f"cat {s.home}/secret.txt; exit 0")
        row = s.events(strict)[-1]
        assert result.returncode == 125 and row["exit"] == 125 and row["code"] == "DENIED" and row["denied"], (told(result), row)


def a_session_that_could_have_no_event_is_not_made(place):
    """What it grants, or where it is, is missing: as `ambit run` says it, whoever asks. What may still come is no reason."""
    with Served(place) as s:
        expect_ok(s.ambit("ps"))
        for words in (("--work", "/nosuch"), ("--read", f"{s.home}/nosuch"), ("--workspace", f"{s.home}/nosuch"), ("--base", "nosuch"), ("--warm", "python=/nosuch/py")):
            refused, said = s.ambit("session", "new", *words), s.ambit("run", *words, *(("--python", "-") if words[0] == "--warm" else ("--", "true")), input="1")
            assert refused.returncode == said.returncode != 0 and refused.stderr == said.stderr and "nosuch" in said.stderr, (told(refused), told(said))
        spoken = Spoken(s)
        write(f"{s.home}/file", "")
        for workspace in (f"{s.home}/nosuch", f"{s.home}/file"):
            refused = spoken.ask("session.new", workspace=workspace)
            assert refused["data"]["code"] == "USAGE" and workspace in refused["message"], refused
        refused = spoken.ask("session.new", workspace=s.tree, key="k", grants=["work ./nosuch"])
        assert refused["data"]["code"] == "NOT_FOUND" and refused["message"].endswith(f"work: there is no '{s.tree}/nosuch'"), refused
        assert not json.loads(expect_ok(s.ambit("session", "list", "--json")).stdout)["sessions"]
        os.mkdir(f"{s.tree}/nosuch")
        begun = time.monotonic()
        made = s.until(lambda: spoken.ask("session.new", workspace=s.tree, key="k", grants=["work ./nosuch"]).get("session"), "the key is free again")
        assert time.monotonic() - begun < SLOW * 1.5, "who tries again is told what was so before"
        expect_ok(s.ambit("run", "--session", made, "--", "touch", "nosuch/a"), "")
        for words in (("--read", "/nosuch?"), ("--work", ".", "--warm", f"python={s.tree}/venv/bin/python")):
            expect_ok(s.ambit("run", "--session", s.session(*words), "--", "true"), "")


def budgets_are_the_sessions(place):
    """Its events are begun with them, none has its own, and one of an agent needs its name."""
    policy = {"version": 1, "budgets": {"session": {"uses": 5}, "agent": {"bytes": "1M"}}}
    with Served(place) as s:
        expect_ok(s.ambit("ps"))
        spoken = Spoken(s)
        refused = spoken.ask("session.new", workspace=s.tree, policy=policy)
        assert refused["data"]["code"] == "USAGE" and "nobody says which" in refused["message"], refused
        made = spoken.ask("session.new", workspace=s.tree, policy={**policy, "agent": "coder"})["session"]
        for session in (made, s.session("--budget", "session uses=5 rate=10/s")):
            expect_ok(s.ambit("run", "--session", session, "--", "true"), "")
            refused = s.ambit("run", "--session", session, "--budget", "session uses=4", "--", "true")
            assert refused.returncode == 125 and "which has its own" in refused.stderr, told(refused)


def there_is_one_daemon(place):
    with Served(place) as s:
        s.session()
        result = s.ambit("serve")
        assert result.returncode != 0 and "daemon already" in result.stderr, told(result)
        clients = [s.start("session", "new") for _ in range(6)]
        assert all(c.wait(timeout=SLOW * PATIENCE) == 0 for c in clients), [c.communicate() for c in clients]
        s.kill()
        clients += [s.start("session", "new") for _ in range(6)]
        assert all(c.wait(timeout=SLOW * PATIENCE) == 0 for c in clients), [c.communicate() for c in clients]
        assert len({c.communicate()[0] for c in clients}) == 12


def the_daemon_is_found_by_its_sessions(place):
    """Whoever has another runtime directory finds the same one; whoever has other sessions does not take it for theirs, nor its place."""
    with Served(place) as s:
        session = s.session()
        other = os.path.join(s.home, "other")
        os.mkdir(other, 0o700)
        begun = time.monotonic()
        expect_ok(s.ambit("run", "--session", session, "--", "echo", "found", env={"XDG_RUNTIME_DIR": other}), "found\n")
        assert time.monotonic() - begun < 10 * SLOW and not os.path.exists(f"{other}/ambit/native.sock")
        assert json.loads(s.ambit("serve", "--status", "--json", env={"XDG_RUNTIME_DIR": other}).stdout)["pid"] == s.status()["pid"]
        elsewhere = {"XDG_STATE_HOME": os.path.join(s.home, "state")}
        for words in (("session", "new"), ("session", "list"), ("serve", "--status")):
            result = s.ambit(*words, env=elsewhere)
            assert result.returncode == 125 and "another XDG_STATE_HOME" in result.stderr, told(result)
        result = s.ambit("serve", env=elsewhere)
        assert result.returncode == 125 and "listens in this XDG_RUNTIME_DIR" in result.stderr, told(result)
        expect_ok(s.ambit("run", "--session", session, "--", "echo", "there"), "there\n")
        for name_ in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
            elsewhere[name_] = os.path.join(s.home, f"apart-{name_}")
            os.mkdir(elsewhere[name_], 0o700)
        expect_ok(s.ambit("session", "new", env=elsewhere))
        expect_ok(s.ambit("serve", "--stop", env=elsewhere))
        s.ambit("serve", "--stop", env={"XDG_RUNTIME_DIR": other})
        expect_ok(s.ambit("run", "--session", session, "--", "true"))


def one_that_is_to_end_still_knows_its_sessions(place):
    with Served(place) as s:
        session, other = s.session("--keep", "200000000d"), s.session()
        client = s.start("run", "--session", session, "--", "sh", "-c", "echo begun; sleep 2")
        assert client.stdout.readline() == "begun\n"
        native = Native(s)
        os.kill(s.status()["pid"], signal.SIGTERM)
        s.until(lambda: not os.path.exists(f"{s.run_dir}/ambit/native.sock"), "it lets nobody in")
        answer, _, fds = native.ask(OPEN, name(1, other))
        assert answer == CHANNEL and Native.on(fds[0]).receive()[0] == READY
        assert client.wait(timeout=SLOW * PATIENCE) == 0
        client.communicate()
        assert [r["kept"] for r in s.events(session)] == [True]


@contextlib.contextmanager
def installed_apart(place, s):
    """The programs of the build in a directory of their own, where one can be replaced."""
    apart = os.path.join(s.home, "installed")
    os.mkdir(apart)
    build = os.path.dirname(place.ambit)
    for file in os.listdir(build):
        if file.startswith("ambit") and os.path.isfile(os.path.join(build, file)):
            shutil.copy2(os.path.join(build, file), apart)
    before, place.ambit = place.ambit, os.path.join(apart, "ambit")
    try:
        yield apart
    finally:
        place.ambit = before


@always
def a_daemon_becomes_what_is_installed(place):
    """With an event that runs, clients of both kinds, one of them in the middle of a description, one that does not read, and a narrowed one."""
    with Served(place) as s, installed_apart(place, s) as apart:
        session, other = s.session("--work", "."), s.session()
        running = s.start("run", "--session", session, "--", "sh", "-c", "echo begun; read line; echo $line > a; echo ended", stdin=subprocess.PIPE)
        assert running.stdout.readline() == "begun\n"
        spoken, narrowed, half, stuck = Spoken(s), Native(s), Native(s), Native(s)
        spoken.ask("session.open", session=session)
        spoken.ask("event.follow", session=session, n=1)
        assert narrowed.ask(NARROW, name(1, other))[0] == DONE
        client, channel = channel_to(s, other)
        described = description_of(s, other)
        half.send(PART, described[:100])
        stuck.sock.setblocking(False)
        asked = 0
        with contextlib.suppress(BlockingIOError):
            while asked < 1000:
                stuck.send(STATUS, number(asked + 1))
                asked += 1
        before = s.status()
        os.rename(f"{apart}/ambit-serve", f"{apart}/old")
        shutil.copy2(f"{apart}/old", f"{apart}/ambit-serve")
        result = expect_ok(s.ambit("serve", "--reload"))
        assert f"process {before['pid']}, is the one" in result.stderr, told(result)
        assert os.path.samefile(f"/proc/{before['pid']}/exe", f"{apart}/ambit-serve"), "it is the old program"
        after = s.status()
        assert all(after[k] == before[k] for k in ("pid", "started", "sessions_now", "running_now", "events_taken", "sessions_made")), (before, after)
        assert narrowed.ask(OPEN, name(2, session))[0] == FAILED and narrowed.ask(OPEN, name(3, other))[0] == CHANNEL
        half.send(PART, described[100:])
        assert half.ask(NEW, number(1))[0] == CHANNEL
        assert take(channel, "true")[0] == TAKEN and client.ask(OPEN, name(4, session))[0] == CHANNEL
        stuck.sock.settimeout(SLOW * PATIENCE)
        for i in range(asked):
            what, body, _ = stuck.receive()
            assert what == TOLD and struct.unpack_from("<I", body)[0] == i + 1, (i, what)
        assert spoken.ask("session.open", session=other)["session"] == other
        out, err = running.communicate("typed\n", timeout=SLOW * PATIENCE)
        assert (running.returncode, out) == (0, "ended\n") and open(f"{s.tree}/a", encoding="utf-8").read() == "typed\n", (out, err)
        assert spoken.until("event.ended")[-1]["params"]["exit_status"] == 0
        assert there_is_still_one(s, before["pid"])
        spoken.lines.close()
        spoken.sock.close()
        s.until(lambda: s.status()["clients_now"] < after["clients_now"], "the cell of who speaks for it ends")
        os.kill(before["pid"], signal.SIGHUP)
        s.until(lambda: s.status()["pid"] == before["pid"], "once more")
        expect_ok(s.ambit("run", "--session", session, "--", "cat", "a"), "typed\n")


def description_of(s, session):
    with open(f"{s.home}/.local/state/ambit/sessions/{session}/session", "rb") as file:
        return file.read()[8 + 4220 + 16:]


def there_is_still_one(s, pid):
    result = s.ambit("serve")
    return result.returncode != 0 and "daemon already" in result.stderr and s.status()["pid"] == pid


def a_daemon_that_cannot_become_another_goes_on(place):
    with Served(place) as s, installed_apart(place, s) as apart:
        session = s.session()
        pid = s.status()["pid"]
        for text_ in ("#!/bin/sh\nexit 1\n", "#!/bin/sh\nsleep 600\n", "no program\n", None):
            os.unlink(f"{apart}/ambit-serve")
            if text_ is not None:
                write(f"{apart}/ambit-serve", text_)
                os.chmod(f"{apart}/ambit-serve", 0o755)
            result = s.ambit("serve", "--reload")
            assert result.returncode == 125 and ("does not take over" in result.stderr or "cannot open" in result.stderr), told(result)
            if text_ is None:
                write(f"{apart}/ambit-serve", "")
        assert s.status()["pid"] == pid
        expect_ok(s.ambit("run", "--session", session, "--", "true"))
        client = Native(s)
        assert client.ask(NARROW, name(1, session))[0] == DONE
        what, body, _ = client.ask(RELOAD, number(2))
        assert what == FAILED and failed(body)[:2] == (2, 5), (what, body)


# ---- a service manager ----


STARTER = """
import os, socket, sys
run, ambit = sys.argv[1:3]
os.makedirs(f"{run}/ambit", mode=0o700)
listening = []
for kind, name in ((socket.SOCK_SEQPACKET, "native.sock"), (socket.SOCK_STREAM, "rpc.sock")):
    s = socket.socket(socket.AF_UNIX, kind)
    s.bind(f"{run}/ambit/{name}")
    s.listen(16)
    listening.append(s)
for at, s in enumerate(listening):
    os.dup2(s.fileno(), 3 + at) if s.fileno() != 3 + at else os.set_inheritable(s.fileno(), True)
os.environ.update(LISTEN_FDS="2", LISTEN_PID=str(os.getpid()), NOTIFY_SOCKET=f"{run}/notify")
os.execv(ambit, [ambit, "serve"])
"""


def a_service_manager_passes_its_sockets(place):
    with Served(place) as s, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(f"{s.run_dir}/notify")
        notified.settimeout(SLOW * PATIENCE)
        daemon = subprocess.Popen([sys.executable, "-c", STARTER, s.run_dir, place.ambit], cwd="/", env=s.environment)
        try:
            assert notified.recv(100) == b"READY=1"
            session = s.session()
            expect_ok(s.ambit("run", "--session", session, "--", "echo", "hello"), "hello")
            assert s.status()["pid"] == daemon.pid
            Spoken(s)
            daemon.terminate()
            assert notified.recv(100) == b"STOPPING=1" and daemon.wait(timeout=SLOW * PATIENCE) == 0
            assert sorted(os.listdir(f"{s.run_dir}/ambit")) == ["native.sock", "rpc.sock"], "it took away what is not its own"
        finally:
            daemon.kill()
            daemon.wait()
            for name_ in os.listdir(f"{s.run_dir}/ambit"):
                os.unlink(f"{s.run_dir}/ambit/{name_}")


# ---- in JSON ----


@always
def a_client_speaks_json(place):
    with Served(place) as s:
        write(f"{s.tree}/a", "one\n")
        s.session()
        client = Spoken(s)
        session = client.ask("session.new", workspace=s.tree, policy="version: 1\ngrants:\n  - work: .\n")["session"]
        taken = client.ask("event.run", session=session, argv=["sh", "-c", "cat a; echo two > b; echo said >&2"])
        news = client.until("event.ended")
        said = {stream: "".join(m["params"]["data"] for m in news if m["method"] == "event.output" and m["params"]["stream"] == stream)
                for stream in ("stdout", "stderr")}
        assert said == {"stdout": "one\n", "stderr": "said\n"}, news
        assert news[-1]["params"]["exit_status"] == 0 and news[-1]["params"]["event"] == taken["event"], news
        assert open(f"{s.tree}/b", encoding="utf-8").read() == "two\n"
        assert client.ask("event.run", session=session, argv=[])["code"] == -32602
        client.sock.sendall(b"{\n")
        assert client.hear()["error"]["code"] == -32700


def who_speaks_for_a_client_lives_in_a_cell(place):
    """Its process, seen from outside: nothing of ours, an empty root, no network, and the death of it is that client's alone."""
    with Served(place) as s:
        s.session()
        mine, other = Spoken(s), Spoken(s)

        def roles():
            found = []
            for pid in filter(str.isdigit, os.listdir("/proc")):
                with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
                    ours = os.path.dirname(os.readlink(f"/proc/{pid}/exe")) == os.path.dirname(place.ambit)
                    if ours and file.read().startswith(b"ambit-rpc") and state_of(pid) != "Z":
                        found.append(int(pid))
            return found
        if os.geteuid() != 0:
            return  # another user's processes are not to be looked into
        before = roles()
        assert before, "none is there"
        for pid in before:
            assert sanitized(place.ambit) or os.listdir(f"/proc/{pid}/root") == [], os.listdir(f"/proc/{pid}/root")
            assert os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                status = file.read()
            assert "Seccomp:\t2" in status and "CapEff:\t0000000000000000" in status and "NoNewPrivs:\t1" in status, status
        for pid in before:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for client in (mine, other):
            assert client.lines.readline() == "", "its connection goes on"
        s.until(lambda: not set(before) & set(roles()), "they go")
        assert Spoken(s).ask("daemon.status")["clients_now"] >= 1


# ---- what nobody may ----


@always
def a_narrowed_connection_has_its_session_alone(place):
    with Served(place) as s:
        mine, other = s.session(), s.session()
        client = Native(s)
        assert client.ask(NARROW, name(1, mine))[0] == DONE
        for what, body in [(OPEN, name(2, other)), (NARROW, name(2, other)), (NEW, number(2)), (LIST, name(2, "")), (STATUS, number(2)), *((HALT, halt(2, deed)) for deed in (1, 2, 3))]:
            answer, told_, fds = client.ask(what, body)
            assert answer == FAILED and failed(told_)[:2] == (2, 5) and not fds, (what, answer, told_)
        answer, _, fds = client.ask(OPEN, name(3, mine))
        assert answer == CHANNEL and len(fds) == 1
        channel = Native.on(fds[0])
        assert channel.receive()[0] == READY and channel.ask(S_HALT, halt(1, 1))[0] == S_HALTED
        assert [r["frozen"] for r in sorted(json.loads(s.ambit("session", "list", "--json").stdout)["sessions"], key=lambda r: r["session"] == mine)] == [False, True]
        twin = Native(s)
        answer, _, fds = twin.ask(OPEN, name(2, other))
        assert answer == CHANNEL
        os.close(fds[0])
        for deed in (1, 2):
            answer, body, _ = twin.ask(HALT, halt(3, deed))
            assert (answer, body) == (HALTED, struct.pack("<IIII", 3, deed - 1, 0, 0)), (answer, body)


def messages_that_nobody_may_send_end_the_connection(place):
    with Served(place) as s:
        session = s.session()
        bad = [(HELLO, b""), (ROW, b"\0" * 4220), (OPEN, b""), (OPEN, name(1, session)[:-1]), (OPEN, name(1, "../etc")), (OPEN, name(1, "s_" + "0" * 25 + "I")),
               (NEW, b"\0" * 11), (LIST, name(0, "")), (9999, b""), (RUN, number(1)), (272, name(0, session)),
               (HALT, halt(1, 0)), (HALT, halt(1, 4)), (HALT, halt(1, 1, keep=2)), (HALT, halt(1, 1, n=1)), (HALT, halt(1, 1, what=session)), (HALT, halt(1, 1, what="all")), (HALT, halt(1, 1, what="../x")), (281, halt(1, 1, what="all"))]
        for what, body in bad:
            client = Native(s)
            client.send(what, body)
            assert client.is_sent_away(), (what, body)
        with open("/dev/null", "rb") as file:
            client = Native(s)
            client.send(STATUS, number(1), [file.fileno()])
            assert client.is_sent_away(), "a descriptor where none belongs"
        for what, body in [(NEW, number(1)), (FOLLOW, of_event(1, 1)[:-1]), (S_LIST, of_event(0, 1)), (TAKEN, b"\0" * 48), (9999, b""), (OPEN, name(1, session)),
                           (S_HALT, halt(1, 0)), (S_HALT, halt(1, 1, what=session)), (S_HALT, halt(1, 1, what="all")), (S_HALT, halt(1, 1, n=1, what="e_" + "0" * 26)), (HALT, halt(1, 1))]:
            _, channel = channel_to(s, session)
            channel.send(what, body)
            assert channel.is_sent_away(), ("session", what, body)
        assert s.ambit("run", "--session", session, "--", "true").returncode == 0


def bad_descriptions_are_refused_and_cost_nothing(place):
    with Served(place) as s:
        session = s.session()
        good = run_bytes("true")
        _, channel = channel_to(s, session)
        for i in range(len(good)):
            channel.send(S_PART, good[:i])
            what, body, _ = channel.ask(RUN, number(i + 1))
            assert what == S_FAILED and failed(body)[0] == i + 1, (i, what)
        for bytes_ in [good + b"\0", run_bytes(), run_bytes(""), run_bytes("true", key="\xff" * 3), run_bytes("true", flags=64), b"\xff" * 64]:
            channel.send(S_PART, bytes_)
            what, body, _ = channel.ask(RUN, number(1))
            assert what == S_FAILED, (bytes_, what)
        assert take(channel, "true", key="k" * 129)[0] == S_FAILED
        assert take(channel, "true")[0] == TAKEN
        client = Native(s)
        client.send(PART, b"\xff" * 60000)
        answer, _, fds = client.ask(NEW, number(1))
        assert answer == CHANNEL
        refused = Native.on(fds[0])
        assert refused.receive()[0] == S_FAILED and len(s.ambit("session", "list").stdout.splitlines()) == 1


def clients_that_do_not_read_hold_nobody_up(place):
    with Served(place) as s:
        session = s.session()
        stuck = []
        for _ in range(20):
            client = Native(s)
            client.sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for i in range(100000):
                    client.send(STATUS, number(i + 1))
            stuck.append(client)
        _, channel = channel_to(s, session)
        channel.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for i in range(100000):
                channel.send(S_LIST, of_event(i + 1, 1))
        begun = time.monotonic()
        expect_ok(s.ambit("run", "--session", session, "--", "echo", "hello"), "hello\n")
        assert time.monotonic() - begun < SLOW * 5
        for pid in processes_in(s.run_dir):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii") as file:
                rss = [int(line.split()[1]) for line in file if line.startswith("VmRSS")]
                assert not rss or rss[0] < 100 << 10, (pid, rss)


def parts_without_end_end_the_connection(place):
    with Served(place) as s:
        session = s.session()
        for connect, what in [(lambda: Native(s), PART), (lambda: channel_to(s, session)[1], S_PART)]:
            client = connect()
            try:
                for _ in range(60):
                    client.send(what, b"x" * 60000)
                assert client.is_sent_away()
            except (BrokenPipeError, ConnectionResetError):
                pass
        assert s.ambit("run", "--session", session, "--", "true").returncode == 0


def who_takes_too_much_is_told_and_others_have_their_place(place):
    with Served(place) as s:
        session = s.session()
        mine = [Native(s) for _ in range(256)]
        refused = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        refused.settimeout(SLOW * PATIENCE)
        refused.connect(os.path.join(s.run_dir, "ambit", "native.sock"))
        what, body, _ = Native.receive(type("", (), {"sock": refused}))
        assert what == FAILED and failed(body)[1:] == (8, "this process has as many connections as one may have"), (what, body)
        refused.close()
        expect_ok(s.ambit("run", "--session", session, "--", "echo", "there"), "there\n")
        for client in mine[:100]:
            client.close()
        big = mine[100:140]
        for client in big:  # 40 descriptions of nearly 2 MiB are begun, and 64 MiB may be
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for _ in range(33):
                    client.send(PART, b"x" * 60000)
        expect_ok(s.ambit("session", "new"))
        told_ = []
        for client in big:
            client.sock.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionResetError):
                what, body, _ = client.receive()
                told_.append(failed(body)[1:] if what == FAILED else what)
        assert told_ and set(told_) == {(8, "more descriptions are begun than fit")}, told_
        for client in mine:
            client.close()


def a_session_without_descriptors_tells_it_and_goes_on(place):
    with Served(place) as s:
        session = s.session()
        _, channel = channel_to(s, session)
        role, = commands_of(s, "ambit-session")
        soft, hard = resource.prlimit(role, resource.RLIMIT_NOFILE)
        used = max(map(int, os.listdir(f"/proc/{role}/fd"))) + 1
        resource.prlimit(role, resource.RLIMIT_NOFILE, (used, hard))
        client, beside = Native(s), []
        for _ in range(8):  # numbers may be free below
            what, _, fds = client.ask(OPEN, name(7, session))
            assert what == CHANNEL
            beside.append(Native.on(fds[0]))
            what, body, _ = beside[-1].receive()
            if what == S_FAILED:
                break
        assert what == S_FAILED and failed(body)[1:] == (8, "the session's process has no descriptors left"), (what, body)
        what, body = take(channel, "true")
        assert what == S_FAILED and "cannot open" in failed(body)[2], (what, body)
        resource.prlimit(role, resource.RLIMIT_NOFILE, (soft, hard))
        expect_ok(s.ambit("run", "--session", session, "--", "echo", "there"), "there\n")
        s.until(lambda: commands_of(s, "ambit-session") == [role], "it is the same: what it starts has its name for a moment")


def who_comes_and_goes_in_json_leaves_nothing(place):
    with Served(place) as s:
        session = s.session()
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(os.path.join(s.run_dir, "ambit", "rpc.sock"))
        for _ in range(40):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(os.path.join(s.run_dir, "ambit", "rpc.sock"))
        expect_ok(s.ambit("run", "--session", session, "--", "echo", "there"), "there\n")
        assert Spoken(s).ask("daemon.status")["clients_now"] >= 1
        pid = s.status()["pid"]
        s.until(lambda: s.status()["clients_now"] == 1, "all go")
        s.until(lambda: len(os.listdir(f"/proc/{pid}/fd")) < 40, "their cells' descriptors go")


def another_user_gets_no_word(place):
    if os.geteuid() != 0:
        return  # root tries it: as somebody else
    with Served(place) as s:
        s.session()
        for path in (place.top, s.home, s.run_dir, f"{s.run_dir}/ambit"):
            os.chmod(path, 0o755)
        for file in os.listdir(f"{s.run_dir}/ambit"):
            os.chmod(f"{s.run_dir}/ambit/{file}", 0o777)
        code = ("import os, socket, sys\nos.setgid(64124); os.setuid(64124)\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                "s.settimeout(10)\ns.connect(sys.argv[1])\nprint('heard', len(s.recv(65536)))\n")
        for uid, hears in (("64124", "heard 0"), ("0", "heard 60")):
            result = subprocess.run([sys.executable, "-c", code.replace("64124", uid), f"{s.run_dir}/ambit/native.sock"], capture_output=True, text=True, check=False)
            assert hears in result.stdout, (uid, told(result))
        for path in (s.home, s.run_dir, f"{s.run_dir}/ambit"):
            os.chmod(path, 0o700)


def a_damaged_session_is_told_and_harms_no_other(place):
    with Served(place) as s:
        broken, whole = s.session(), s.session()
        for _ in range(3):
            expect_ok(s.ambit("run", "--session", whole, "--", "echo", "kept"))
        expect_ok(s.ambit("serve", "--stop"))
        sessions = f"{s.home}/.local/state/ambit/sessions"
        with open(f"{sessions}/{broken}/session", "r+b") as file:
            file.seek(4000)
            file.write(b"\xff")
        with open(f"{sessions}/{whole}/events", "r+b") as file:
            file.seek(2 * 1024 + 600)  # how the third ended
            file.write(b"\xff")
            file.seek(0, 2)
            file.write(b"\0" * 700)  # half of a fourth
        listed = {r["session"]: r["state"] for r in json.loads(expect_ok(s.ambit("session", "list", "--json")).stdout)["sessions"]}
        assert listed == {broken: "broken", whole: "idle"}, listed
        result = s.ambit("run", "--session", broken, "--", "true")
        assert result.returncode == 125 and "cannot be read" in result.stderr, told(result)
        assert [r["state"] for r in s.events(whole)] == ["over", "over", "interrupted"]
        expect_ok(s.ambit("run", "--session", whole, "--", "echo", "again"), "again")
        assert [r["n"] for r in s.events(whole)] == [1, 2, 3, 4]


SCENARIOS = [a_session_has_grants_and_a_tree, what_was_not_granted_is_not_there, input_comes_through_and_ends, output_is_whole_and_bounded,
             the_environment_is_the_clients, a_key_has_its_effect_once, a_key_makes_one_session, who_leaves_leaves_the_event, the_killed_daemon_has_everything_that_was_taken,
             the_killed_role_of_a_session_is_no_loss, what_is_being_committed_is_not_interrupted, the_total_of_a_session_is_shared, nothing_is_left_after_kills_at_random,
             events_of_a_session_are_in_order, events_of_the_background_go_on_beside, a_server_beside_is_reached_by_the_other_events,
             an_event_does_not_write_in_place_what_its_session_stages, limits_of_a_session_hold_over_all_of_it, a_signal_reaches_the_program, a_kill_is_not_lost_behind_a_flood_of_signals,
             the_daemon_is_found_by_its_sessions, a_daemon_becomes_what_is_installed, a_daemon_that_cannot_become_another_goes_on, one_that_is_to_end_still_knows_its_sessions, a_service_manager_passes_its_sockets, a_client_speaks_json, who_speaks_for_a_client_lives_in_a_cell, the_record_comes_back, what_runs_is_listed_and_counted, a_session_that_nobody_uses_has_no_process,
             mistakes_are_told, a_session_that_could_have_no_event_is_not_made, budgets_are_the_sessions, there_is_one_daemon, a_narrowed_connection_has_its_session_alone,
             messages_that_nobody_may_send_end_the_connection, bad_descriptions_are_refused_and_cost_nothing, clients_that_do_not_read_hold_nobody_up,
             parts_without_end_end_the_connection, who_takes_too_much_is_told_and_others_have_their_place, a_session_without_descriptors_tells_it_and_goes_on,
             who_comes_and_goes_in_json_leaves_nothing, another_user_gets_no_word, a_damaged_session_is_told_and_harms_no_other]

if __name__ == "__main__":
    main(SCENARIOS)
