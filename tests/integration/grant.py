#!/usr/bin/env python3
"""What an event was granted is withdrawn while it runs: by its owner, by nobody else, and never from inside.

usage: grant.py AMBIT    (TAP on standard output; making a network needs root, whose scenarios run ambit as root and as another)
"""

import json
import os
import re
import select
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time

from harness import ORDINARY, PATIENCE, SLOW, main, told
from network import IDS, Echo, both_users

STRANGER = ORDINARY + 1
EVENT, LIST, REVOKE = 160, 161, 162
TOLD = 168

# Two connections that go on whatever they are told, one in each direction, and a third to another grant. After "withdrawn" each says what it met.
LOADS = """
import errno, socket, sys, threading
def dial(port):
    return socket.create_connection(("open.test", port), 10)
met = {}
def download(s):
    try:
        while s.recv(65536):
            pass
        met["down"] = "a clean end"
    except OSError as e:
        met["down"] = errno.errorcode[e.errno]
def upload(s):
    for _ in range(10):
        try:
            while True:
                s.sendall(b"x" * 65536)
        except OSError as e:
            met.setdefault("up", errno.errorcode[e.errno])
down, up, other = dial(7001), dial(7001), dial(7002)
up.sendall(b"take")
down.sendall(b"give")
assert other.recv(6, socket.MSG_WAITALL) == b"ready\\n"
threads = [threading.Thread(target=f, args=(s,)) for f, s in ((download, down), (upload, up))]
for t in threads:
    t.start()
print("loaded", flush=True)
for t in threads:
    t.join()
try:
    met["later"] = "connected" if not dial(7001).recv(1) else "served"
except OSError as e:
    met["later"] = errno.errorcode[e.errno]
other.sendall(b"still")
met["other"] = other.recv(5, socket.MSG_WAITALL).decode()
print(met["down"], met["up"], met["later"], met["other"], flush=True)
sys.stdin.readline()
"""

# Says "connected", or why not, for a name of the abstract space; then sends what is asked, and says how much came back.
PROBE = """
import errno, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(10)
try:
    s.connect("\\0ambit/" + sys.stdin.readline().strip())
    s.send(bytes([160, 0, 0, 0]))
    print("answered", len(s.recv(65536)))
except OSError as e:
    print(errno.errorcode.get(e.errno, e))
"""


class Quiet(Echo):
    """It is used to being reset."""

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass


class Load(socketserver.BaseRequestHandler):
    """Gives or takes without end; `ends` says how each of them ended."""
    ends = []
    taken = 0

    def handle(self):
        what = self.request.recv(4, socket.MSG_WAITALL)
        try:
            while what == b"give":
                self.request.sendall(b"y" * 65536)
            while piece := self.request.recv(65536):
                Load.taken += len(piece)
            Load.ends.append(f"{what.decode()}: a clean end")
        except OSError as problem:
            Load.ends.append(f"{what.decode()}: {type(problem).__name__}")


class Running:
    """`ambit run WORDS` in the background, as a user; lines of what it says."""

    def __init__(self, network, uid, *words):
        home = network.home(uid)
        self.network, self.uid, self.home = network, uid, home
        self.process = subprocess.Popen([*as_user(uid), network.place.ambit, "run", *words], cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True,
                                        env={**network.place.environment(), "HOME": home, "AMBIT_LEDGER": f"{home}/ledger"})

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()

    def line(self):
        assert select.select([self.process.stdout], [], [], SLOW * PATIENCE)[0], "it says nothing"
        return self.process.stdout.readline().strip()

    def end(self):
        """Lets it end; gives what it said on standard error."""
        out, err = self.process.communicate("\n", timeout=SLOW * PATIENCE)
        assert self.process.returncode == 0, f"{self.process.returncode}: {out}{err}"
        return err


def as_user(uid):
    return [] if uid == 0 else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


def grant(network, uid, *words):
    return network.place.run(*as_user(uid), network.place.ambit, "grant", *words, cwd="/")


def said(network, uid, *words, status=0):
    result = grant(network, uid, *words)
    assert result.returncode == status, f"grant {words} as {uid}: {told(result)}"
    return result.stdout if status == 0 else result.stderr


def listed(network, uid, *words):
    return json.loads(said(network, uid, "list", *words, "--json"))["grants" if words else "events"]


def events(network, uid):
    return [e["event"] for e in listed(network, uid)]


def await_(what, condition):
    for _ in range(SLOW * PATIENCE * 20):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"never: {what()}")


def ask(event, *packets, fds=()):
    """What comes back on a connection of its own; None: it was closed."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(SLOW * PATIENCE)
        try:
            s.connect(f"\0ambit/{event}")
            for packet in packets:
                if fds:
                    socket.send_fds(s, [packet], list(fds))
                else:
                    s.send(packet)
            return s.recv(65536) or None
        except (ConnectionError, BrokenPipeError):
            return None


def message(number, body=b""):
    return number.to_bytes(2, "little") + b"\0\0" + body


def index(n):
    return n.to_bytes(4, "little")


@both_users
def what_is_withdrawn_ends_at_once(network, who, uid):
    if network.is_new:
        network.serve(Load, 7001)
        network.serve(Quiet, 7002)
    Load.ends, Load.taken = [], 0
    record = f"{network.top}/home-{uid}/record.json"
    with Running(network, uid, "--record", record, "--env", "SECRET=inside", "--connect", "open.test:7001", "--connect", "open.test:7002", "--", "python3", "-c", LOADS) as run:
        assert run.line() == "loaded"
        (event,) = events(network, uid)
        grants = {g["object"]: g for g in listed(network, uid, event)}
        assert [(grants[o]["connections"], grants[o]["withdrawn"]) for o in ("open.test:7001", "open.test:7002")] == [(2, False), (1, False)], f"{who}: {grants}"
        assert "SECRET" in grants and not any("inside" in o for o in grants), f"{who}: a value is shown: {grants}"
        for word in (str(grants["SECRET"]["number"]), "SECRET"):
            err = said(network, uid, "revoke", event, word, status=125)
            assert "cannot withdraw env SECRET" in err and "hint:" in err, f"{who}: {err}"
        await_(lambda: f"{who}: nothing is taken", lambda: Load.taken > 1 << 20)
        out = said(network, uid, "revoke", "last", "Open.TEST:7001" if uid else str(grants["open.test:7001"]["number"]))
        assert out == "withdrawn: connect open.test:7001, 2 connections closed\n", f"{who}: {out}"
        await_(lambda: f"{who}: {Load.ends}", lambda: len(Load.ends) == 2)
        taken = Load.taken
        met = run.line()
        assert re.fullmatch("ECONNRESET (ECONNRESET|EPIPE) (ECONNRESET|EPIPE) still", met), f"{who}: {met}"
        assert sorted(Load.ends) == ["give: ConnectionResetError", "take: ConnectionResetError"] and Load.taken == taken, f"{who}: {Load.ends}"
        assert said(network, uid, "revoke", event, "open.test:7001") == "withdrawn before: connect open.test:7001\n"
        grants = {g["object"]: g for g in listed(network, uid, event)}
        assert [(grants[o]["connections"], grants[o]["withdrawn"]) for o in ("open.test:7001", "open.test:7002")] == [(0, True), (1, False)], f"{who}: {grants}"
        out = said(network, uid, "revoke", event, "--all")
        assert "withdrawn: connect open.test:7002, 1 connection closed\n" in out and "not withdrawn: env SECRET\n  why: " in out and \
            "withdrawn before: connect open.test:7001\n" in out, f"{who}: {out}"
        err = run.end()
    assert "ambit: withdrawn: connect open.test:7001\n" in err and "ambit: denied: connect inet open.test:7001\n  why: its grant was withdrawn" in err, f"{who}: {err}"
    it_is_recorded(network, who, uid, record, event, taken)


def it_is_recorded(network, who, uid, record, event, taken):
    with open(record, encoding="utf-8") as file:
        told_of = json.load(file)
    assert {g["object"] for g in told_of["grants"] if "withdrawn" in g} == {"open.test:7001", "open.test:7002"}, f"{who}: {told_of['grants']}"
    effects = sorted((e["address"], e["count"], e["verdict"], e.get("why")) for e in told_of["effects"] if e["kind"] == "connect" and e["source"] == "proved")
    assert effects == [("inet open.test:7001", 1, "denied", "withdrawn"), ("inet open.test:7001", 2, "allowed", None),
                       ("inet open.test:7002", 1, "allowed", None)], f"{who}: {effects}"
    def ledger(*words):
        return network.place.run(*as_user(uid), "env", f"HOME={network.top}/home-{uid}", network.place.ambit, "ledger", *words, "--ledger",
                                 f"{network.top}/home-{uid}/ledger", cwd="/")
    shown = ledger("show", "--event", event, "--type", "revoke", "--json")
    entries = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [(e["entry"]["body"] if "entry" in e else e["body"]) for e in entries] == [{"by": uid, "connections": 2}, {"by": uid, "connections": 1}], f"{who}: {told(shown)}"
    for words in (("replay",), ("verify",), ("show", "--event", event), ("report", "--text")):
        result = ledger(*words)
        assert result.returncode == 0, f"{who}, {words}: {told(result)}"
    result = network.place.run(*as_user(uid), network.place.ambit, "explain", record, cwd="/")
    assert "its grant was withdrawn" in result.stdout, f"{who}: {told(result)}"


@both_users
def nobody_but_its_owner_reaches_it(network, who, uid):
    stranger = ORDINARY if uid == 0 else STRANGER
    if network.is_new:
        network.serve(Quiet, 7002)
    with Running(network, uid, "--connect", "open.test:7002", "--", "sh", "-c", "echo up; read x") as run:
        assert run.line() == "up"
        (event,) = events(network, uid)
        assert events(network, stranger) == [], f"{who}: a stranger sees it"
        for words in (("list", event), ("revoke", event, "1"), ("revoke", event, "--all")):
            err = said(network, stranger, *words, status=125)
            assert "is not yours" in err and "hint:" in err, f"{who}, {words}: {err}"
        # and without our client, which is polite: the supervisor does not answer
        for asks, answer in ((stranger, "ECONNRESET|EPIPE|answered 0"), (uid, "answered 360"), (0, "answered 360")):
            result = network.place.run(*as_user(asks), sys.executable, "-c", PROBE, cwd="/", input=event + "\n")
            assert re.fullmatch(answer, result.stdout.strip()), f"{who}, asked by {asks}: {told(result)}"
        # nor does the cell, whose programs may run as the same user
        result = network.run(uid, "--connect", "open.test:7002", "--", "sh", "-c", f"echo {event} | python3 -c '{PROBE}'")
        assert result.stdout.strip() == "ECONNREFUSED", f"{who}: a cell: {told(result)}"
        assert not any(g["withdrawn"] for g in listed(network, uid, event)), f"{who}: somebody withdrew"
        assert said(network, 0, "revoke", event, "open.test:7002").startswith("withdrawn: "), f"{who}: root is refused"
        run.end()


@both_users
def events_are_told_apart(network, who, uid):
    """And one whose command line somebody stopped is reached all the same."""
    if network.is_new:
        network.serve(Quiet, 7002)
    script = """
import socket, sys
s = socket.create_connection(("open.test", 7002), 10)
assert s.recv(6, socket.MSG_WAITALL) == b"ready\\n"
print("up", flush=True)
sys.stdin.readline()
try:
    s.sendall(b"x")
    print(s.recv(1).decode() or "end")
except OSError as e:
    print("reset")
"""
    words = ("--connect", "open.test:7002", "--", "python3", "-c", script)
    assert said(network, uid, "list") == "no event of yours runs\n" and "no event of yours runs" in said(network, uid, "list", "last", status=125)
    with Running(network, uid, *words) as first:
        assert first.line() == "up"
        with Running(network, uid, *words) as second:
            assert second.line() == "up"
            later, earlier = events(network, uid)
            assert said(network, uid, "list").splitlines()[1].startswith(earlier) and "python3 -c" in said(network, uid, "list")
            assert "begins more than one" in said(network, uid, "revoke", "e_", "1", status=125)
            first.process.send_signal(signal.SIGSTOP)
            common = len(os.path.commonprefix([later, earlier]))
            out = said(network, uid, "revoke", earlier[:common + 1], "open.test:7002")
            assert out == "withdrawn: connect open.test:7002, 1 connection closed\n", f"{who}: {out}"
            first.process.send_signal(signal.SIGCONT)
            states = [[g["withdrawn"] for g in listed(network, uid, e) if g["verb"] == "connect"] for e in (earlier, "last")]
            assert states == [[True], [False]], f"{who}: {states}"
            for run, says in ((first, "reset"), (second, "x")):
                run.process.stdin.write("\n")
                run.process.stdin.flush()
                assert run.line() == says, f"{who}: not {says}"
                run.end()
    assert "no event of yours" in said(network, uid, "revoke", earlier, "1", status=125)


@both_users
def garbage_harms_nothing(network, who, uid):
    """Of its owner, and of who takes names."""
    if network.is_new:
        network.serve(Quiet, 7002)
    fake, full = "e_" + "0" * 26, "e_" + "1" * 26
    taker = subprocess.Popen([*as_user(STRANGER), sys.executable, "-c", f"""
import socket, sys
some = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)]
for s, name in zip(some, ("{fake}", "{full}")):
    s.bind("\\0ambit/" + name)
    s.listen(8 if name == "{fake}" else 0)
more = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
more.connect("\\0ambit/{full}")
print("taken", flush=True)
sys.stdin.readline()
"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    script = """
import socket, sys
s = socket.create_connection(("open.test", 7002), 10)
print(s.recv(6, socket.MSG_WAITALL).decode().strip(), flush=True)
sys.stdin.readline()
s.sendall(b"still")
assert s.recv(5, socket.MSG_WAITALL) == b"still"
"""
    try:
        assert taker.stdout.readline() == "taken\n"
        with Running(network, uid, "--connect", "open.test:7002", "--", "python3", "-c", script) as run:
            assert run.line() == "ready"
            (event,) = events(network, uid)
            assert "is not yours" in said(network, uid or ORDINARY, "revoke", fake, "1", status=125)
            for body in (b"", b"\0", b"\xa0", message(EVENT)[:3], message(0), message(EVENT, b"x"), message(LIST), message(LIST, b"123"), message(LIST, b"12345"),
                         message(REVOKE), message(REVOKE, b"1" * 8), message(TOLD), message(TOLD, b"\0" * 272), message(1, b"\0" * 8), message(3, b"\0" * 4),
                         message(20), message(136, b"\0" * 100), message(140, b"\0" * 8), b"\xa0\0\1\0", b"\xff" * 4148, b"\xff" * 4149, b"\0" * 65000):
                assert ask(event, body) is None, f"{who}: {body[:8]} is answered"
            assert ask(event, message(EVENT), fds=[0]) is None, f"{who}: a descriptor is taken"
            for n in (200, 255, 256, 65536, 0xffffffff):
                for number in (LIST, REVOKE):
                    assert ask(event, message(number, index(n))) == message(170, index(n) + index(4) + index(0)), f"{who}: grant {n}"
            idle = []
            for _ in range(60):
                s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                s.connect(f"\0ambit/{event}")
                idle.append(s)
            deaf = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            deaf.connect(f"\0ambit/{event}")
            try:
                deaf.settimeout(SLOW * PATIENCE)
                for _ in range(100000):
                    deaf.send(message(LIST, index(0)))
                raise AssertionError(f"{who}: who does not read is served for ever")
            except (ConnectionError, BrokenPipeError):
                pass
            # the twin: what is well said is answered, and none of all this withdrew anything
            assert len(ask(event, message(EVENT))) == 360
            assert [g["withdrawn"] for g in listed(network, uid, event) if g["verb"] == "connect"] == [False]
            run.end()
    finally:
        taker.kill()
        taker.wait()


@both_users
def words_that_are_none_are_refused(network, who, uid):
    for words, says in (((), "list, revoke or restore"), (("take",), "no command"), (("list", "--all"), "no --all"), (("list", "a", "b"), "too many"),
                        (("revoke",), "which event"), (("revoke", "last"), "which grant"), (("revoke", "last", "1", "--all"), "too many"),
                        (("revoke", "last", "--al"), "no option"), (("list", "last"), "no event of yours"), (("list", "e_X"), "no event of yours"),
                        (("list", "e_" + "0" * 26), "no event of yours"), (("list", "x" * 5000), "no event of yours")):
        err = said(network, uid, *words, status=125)
        assert says in err, f"{who}, {words}: {err}"


SCENARIOS = [what_is_withdrawn_ends_at_once, nobody_but_its_owner_reaches_it, events_are_told_apart, garbage_harms_nothing, words_that_are_none_are_refused]

if __name__ == "__main__":
    main(SCENARIOS)
