#!/usr/bin/env python3
"""JSON-RPC with the real daemon, each client's reader in its cell (doc/PROTOCOL.md).

usage: rpc_served.py AMBIT    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import contextlib
import json
import os
import socket
import time

from harness import PATIENCE, SLOW, main, sanitized
from sessions import Served, state_of


class Client:
    """One connection, which said hello."""

    def __init__(self, served, hello=True):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SLOW * PATIENCE)
        self.sock.connect(os.path.join(served.run_dir, "ambit", "rpc.sock"))
        self.bytes, self.last, self.notes = b"", 0, []
        if hello:
            assert self.call("hello", protocol=1)["protocol"] == 1

    def send(self, method, **params):
        self.last += 1
        self.sock.sendall(json.dumps({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params}).encode() + b"\n")
        return self.last

    def hear(self):
        while b"\n" not in self.bytes:
            data = self.sock.recv(1 << 16)
            if not data:
                return None
            self.bytes += data
        line, self.bytes = self.bytes.split(b"\n", 1)
        return json.loads(line)

    def answer(self, request):
        while True:
            line = self.hear()
            assert line is not None, "the connection ended"
            if "method" in line:
                self.notes.append(line)
            elif line["id"] == request:
                return line

    def call(self, method, **params):
        got = self.answer(self.send(method, **params))
        assert "result" in got, got
        return got["result"]

    def fails(self, method, **params):
        return self.answer(self.send(method, **params))["error"]["data"]["code"]

    def note(self, method):
        for i, line in enumerate(self.notes):
            if line.get("method") == method:
                return self.notes.pop(i)["params"]
        while True:
            line = self.hear()
            assert line is not None, f"no {method} came"
            if line.get("method") == method:
                return line["params"]
            self.notes.append(line)

    def new(self, served, **params):
        return self.call("session.new", workspace=served.tree, **{"grants": ["work ."], **params})["session"]

    def close(self):
        self.sock.close()


@contextlib.contextmanager
def serving(place):
    with Served(place) as served:
        served.session()  # it starts the daemon
        yield served


def readers():
    """Processes of the role in cells of this person's, this daemon's or another's: other suites run the role by itself meanwhile."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                status = dict(line.split(":", 1) for line in file if ":" in line)
            in_cell = len(status["NSpid"].split()) > 1 and os.geteuid() in (0, int(status["Uid"].split()[0]))
            if status["Name"].strip() == "ambit-rpc" and in_cell and state_of(pid) != "Z":
                found.add(int(pid))
    return found


def what_a_client_asks_is_done(place):
    with serving(place) as s:
        c = Client(s)
        session = c.new(s, env={"GREETING": "hello"}, policy={"version": 1, "grants": [{"env": "GREETING"}]})
        taken = c.call("event.run", session=session, argv=["sh", "-c", "echo $GREETING; cat; echo oops >&2; echo made > made; exit 3"], input=True)
        assert taken["n"] == 1 and not taken["replayed"], taken
        assert c.call("event.input", session=session, n=1, data="ä and more\n", end=True) == {}
        ended = c.note("event.ended")
        told = {"stdout": "", "stderr": ""}
        for note in c.notes:
            told[note["params"]["stream"]] += note["params"]["data"]
        assert told == {"stdout": "hello\nä and more\n", "stderr": "oops\n"}, told
        assert (ended["exit_status"], ended["outcome"]["exit"], ended["outcome"]["workspace"]) == (3, 3, "kept"), ended
        row = c.call("event.run", session=session, argv=["sh", "-c", "echo made > made"], wait=True, follow=False)["row"]
        assert row["outcome"]["workspace"] == "committed" and os.path.exists(f"{s.tree}/made"), row
        record = json.loads(c.call("event.read", session=session, n=2, stream="record")["data"])
        assert (record["session"], record["n"], record["v"]) == (session, 2, 1), record
        assert [e["n"] for e in c.call("event.list", session=session)["events"]] == [1, 2]
        c.close()


def terminals_signals_and_cancellation(place):
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        c.call("event.run", session=session, argv=["sh", "-c", "stty size; read line; echo got $line; stty size"], terminal=True, rows=33, columns=44)
        while "33 44" not in c.note("event.output")["data"]:
            pass
        c.call("event.resize", session=session, n=1, rows=50, columns=60)
        c.call("event.input", session=session, n=1, data="me\n")
        assert c.note("event.ended")["exit_status"] == 0
        shown = c.call("event.read", session=session, n=1, stream="stdout")["data"]
        assert "got me" in shown and "50 60" in shown, shown
        for n, (method, more, status) in enumerate((("event.signal", {"signal": "TERM"}, 143), ("event.cancel", {}, 137)), 2):
            c.call("event.run", session=session, argv=["sh", "-c", "echo up; exec sleep 1000"])
            while c.note("event.output")["n"] != n:
                pass
            c.call(method, session=session, n=n, **more)
            assert c.note("event.ended")["exit_status"] == status, method
        c.close()


def another_connection_goes_on_from_a_byte(place):
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        c.call("event.run", session=session, argv=["sh", "-c", "echo 0123456789; read go; echo end"], input=True, key="once")
        assert c.note("event.output")["data"] == "0123456789\n"
        c.close()
        c = Client(s)
        assert c.call("session.open", session=session)["running"] == 1
        again = c.call("event.run", session=session, argv=["sh", "-c", "echo 0123456789; read go; echo end"], input=True, key="once", follow=False)
        assert again["replayed"] and again["n"] == 1, again
        assert c.fails("event.run", session=session, argv=["true"], key="once") == "CONFLICT"
        c.call("event.follow", session=session, n=1, stdout=4)
        c.call("event.input", session=session, n=1, data="\n")
        assert c.note("event.output")["offset"] == 4
        c.note("event.ended")
        c.close()


def a_reader_has_nothing_but_its_connections(place):
    with serving(place) as s:
        before, daemon = readers(), s.status()["pid"]
        c = Client(s)
        new = s.until(lambda: readers() - before, "a reader comes")  # the next client's: all are made alike
        pid = max(new)
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = dict(line.split(":", 1) for line in file if ":" in line)
        assert (status["Seccomp"].strip(), status["NoNewPrivs"].strip(), int(status["CapEff"], 16)) == ("2", "1", 0), status
        if os.geteuid() == 0 and not sanitized(place.ambit):  # who else may look; a sanitizer's libraries are the host's
            for space in ("net", "mnt", "pid", "ipc", "user"):
                assert os.readlink(f"/proc/{pid}/ns/{space}") != os.readlink(f"/proc/{daemon}/ns/{space}"), space
            assert "etc" not in os.listdir(f"/proc/{pid}/root/"), os.listdir(f"/proc/{pid}/root/")
            assert "etc" in os.listdir(f"/proc/{daemon}/root/")  # the twin: who has a root shows it
        c.close()


def who_does_harm_harms_no_other(place):
    with serving(place) as s:
        good = Client(s)
        session = good.new(s)
        bad = [Client(s) for _ in range(6)]
        for client in bad:
            client.sock.setblocking(False)
        lines = [b"{" * 100000, b"x" * 300000, b'{"jsonrpc":"2.0","id":1,"method":"session.list"}\n' * 5000, b"\0" * 70000 + b"\n", b"[" * 90000 + b"\n",
                 b'{"jsonrpc":"2.0","id":2,"method":"daemon.status"}\n' * 5000]
        for n in range(1, 11):
            for client, line in zip(bad, lines):
                with contextlib.suppress(BlockingIOError):
                    client.sock.send(line)
            assert good.call("event.run", session=session, argv=["true"], wait=True, follow=False)["row"]["exit_status"] == 0
        for client in bad[:3]:
            client.close()
        s.until(lambda: good.call("daemon.status")["events_ended"] >= 10, "what ended is counted")
        good.close()
        for client in bad[3:]:
            client.close()


def output_that_nobody_reads_costs_the_file_alone(place):
    with serving(place) as s:
        c, other = Client(s), Client(s)
        session = c.new(s)
        c.call("event.run", session=session, argv=["sh", "-c", "head -c 20000000 /dev/zero"])
        other.call("session.open", session=session)
        s.until(lambda: other.call("event.show", session=session, n=1)["state"] == "over", "the event ends")
        row = other.call("event.show", session=session, n=1)
        assert row["stdout_bytes"] == 20000000, row
        total = 0
        while total < 20000000:  # and it is all there when somebody reads at last
            note = c.note("event.output")
            assert note["offset"] == total
            total += len(note["data"]) if isinstance(note["data"], str) else len(note["data"]["b64"]) // 4 * 3 - note["data"]["b64"].count("=")
        c.note("event.ended")


def the_killed_daemon_is_told(place):
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        c.call("event.run", session=session, argv=["sh", "-c", "echo up; exec sleep 1000"])
        c.note("event.output")
        s.kill()
        seen = []
        with contextlib.suppress(ConnectionError):
            while (line := c.hear()) is not None:
                seen.append(line.get("method"))
        s.session()
        c = Client(s)
        c.call("session.open", session=session)
        assert c.call("event.show", session=session, n=1)["state"] == "interrupted"
        c.close()


SCENARIOS = [what_a_client_asks_is_done, terminals_signals_and_cancellation, another_connection_goes_on_from_a_byte, a_reader_has_nothing_but_its_connections,
             who_does_harm_harms_no_other, output_that_nobody_reads_costs_the_file_alone, the_killed_daemon_is_told]

if __name__ == "__main__":
    main(SCENARIOS)
