#!/usr/bin/env python3
"""JSON-RPC with the real daemon, each client's reader in its cell (doc/PROTOCOL.md).

usage: rpc_served.py AMBIT    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import contextlib
import json
import os
import random
import signal
import socket
import time

from harness import PATIENCE, SLOW, main, sanitized
from sessions import Served, above, pid_of, state_of


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


COUNTS = ["sh", "-c", "while :; do echo x; sleep 0.01; done"]
MOMENT = 0.3  # in which whatever runs would have written something


def written(c, session, n):
    return c.call("event.show", session=session, n=n)["stdout_bytes"]


def stands(c, session, n):
    before = written(c, session, n)
    time.sleep(SLOW * MOMENT)
    assert written(c, session, n) == before > 0, "it goes on"


def goes_on(s, c, session, n):
    before = written(c, session, n)
    s.until(lambda: written(c, session, n) > before, "it goes on")


def counting(s, c, **more):
    """A session with an event that writes again and again."""
    session = c.new(s)
    n = c.call("event.run", session=session, argv=COUNTS, follow=False, **more)["n"]
    goes_on(s, c, session, n)
    return session, n


def what_is_frozen_stands_until_it_is_thawed_or_killed(place):
    with serving(place) as s:
        c = Client(s)
        (session, n), (other, n_other) = counting(s, c), counting(s, c)
        beside = c.call("event.run", session=session, argv=COUNTS, background=True, follow=False)["n"]
        goes_on(s, c, session, beside)
        waits = c.call("event.run", session=session, argv=["true"], follow=False)["n"]
        for of in ({"session": session}, {"session": session, "n": n}):
            assert c.call("freeze", reason="have a look", **of) == {"before": False, "events": 1 + ("n" not in of)}
            assert c.call("freeze", **of)["before"]
            stands(c, session, n)
            goes_on(s, c, other, n_other)
            if "n" in of:
                goes_on(s, c, session, beside)
            else:
                stands(c, session, beside)
                answer = c.answer(c.send("event.run", session=session, argv=["true"]))["error"]
                assert answer["data"]["code"] == "FROZEN" and "have a look" in answer["data"]["why"], answer
                assert c.fails("thaw", session=session, n=n) == "FROZEN"
            assert c.call("thaw", **of) == {"before": True, "events": 1 + ("n" not in of)}
            goes_on(s, c, session, n)
        assert c.call("thaw", session=session)["before"] is False
        # in the order in which they are asked, without waiting for the answers
        asked = [c.send(method, session=session) for method in ("freeze", "thaw") * 3 + ("freeze",)]
        for request in asked:
            assert "result" in c.answer(request)
        stands(c, session, n)
        assert c.call("kill", session=session, n=waits) == {"before": False, "events": 0, "cancelled": 1}
        assert c.call("kill", session=session, n=n)["events"] == 1
        assert c.call("event.show", session=session, n=waits)["state"] == "over"
        s.until(lambda: c.call("event.show", session=session, n=n)["state"] == "over", "it is told")
        stands(c, session, beside)
        assert c.call("thaw", session=session)["before"]
        goes_on(s, c, session, beside)
        for method, code in (("freeze", "GONE"), ("kill", "GONE")):
            assert c.fails(method, session=session, n=n) == code
        assert c.fails("freeze", session=session, n=99) == "NOT_FOUND"
        front = c.call("event.run", session=session, argv=COUNTS, follow=False)["n"]
        goes_on(s, c, session, front)
        c.call("event.run", session=session, argv=["true"], follow=False)
        assert c.call("kill", session=session) == {"before": False, "events": 2, "cancelled": 1}
        s.until(lambda: {e["state"] for e in c.call("event.list", session=session)["events"]} == {"over"}, "all are over")
        assert c.call("event.run", session=session, argv=["true"], wait=True)["row"]["exit_status"] == 0
        goes_on(s, c, other, n_other)
        c.close()


def everything_is_frozen_thawed_and_killed(place):
    with serving(place) as s:
        c = Client(s)
        counted = [counting(s, c) for _ in range(2)]
        assert c.call("freeze", everything=True, reason="night") == {"before": False, "events": 2}
        for session, n in counted:
            stands(c, session, n)
        assert c.fails("event.run", session=counted[0][0], argv=["true"]) == "FROZEN"
        assert c.fails("session.show", session="s_" + "0" * 26) == "NOT_FOUND"  # the daemon goes on, and others
        assert c.call("thaw", everything=True) == {"before": True, "events": 2}
        for session, n in counted:
            goes_on(s, c, session, n)
        assert c.call("kill", everything=True, keep_frozen=True, reason="night")["events"] == 2
        assert c.fails("event.run", session=counted[0][0], argv=["true"]) == "FROZEN"
        assert c.call("thaw", everything=True)["before"]
        for session, n in counted:
            s.until(lambda session=session, n=n: c.call("event.show", session=session, n=n)["exit_status"] == 137, "it was killed")
        c.close()


def who_waits_for_what_is_frozen_waits_alone(place):
    """A supervisor that somebody stopped says nothing for ten seconds: who asked waits for it, and neither the session nor the daemon does. Who goes has it done."""
    with serving(place) as s:
        c, other = Client(s), Client(s)
        session, n = counting(s, c)
        stopped = c.call("event.run", session=session, argv=["sleep", nap := f"8{random.randrange(10**8)}"], background=True, follow=False)["n"]
        supervisor = above(s.until(lambda: pid_of("sleep", nap), "it sleeps"), "ambit-supervisor")
        c.sock.settimeout(SLOW * 60)
        os.kill(supervisor, signal.SIGSTOP)
        try:
            freezing = [c.send("freeze", session=session), c.send("freeze", everything=True)]
            before = time.monotonic()
            freezing += [c.send("freeze", session=session) for _ in range(7)]
            assert c.fails("freeze", session=session) == "LIMIT"
            c.call("event.show", session=session, n=n)
            c.call("daemon.status")
            other.call("session.open", session=session)
            other.call("event.list", session=session)
            assert time.monotonic() - before < SLOW * 3, "they waited, too"
            reload = s.start("serve", "--reload")  # which waits for who is not answered yet
            while freezing:  # in whatever order
                line = c.hear()
                assert "result" in line, line
                freezing.remove(line["id"])
            assert time.monotonic() - before > 5 and pid_of("sleep", nap) is None, "its cell is gone: its warden heard nothing"
            assert reload.wait(SLOW * PATIENCE) == 0, reload.stderr.read()
            stands(c, session, n)
        finally:
            os.kill(supervisor, signal.SIGCONT)
        s.until(lambda: other.call("event.show", session=session, n=stopped)["state"] == "over", "it is told")
        assert other.call("thaw", everything=True)["before"]
        goes_on(s, other, session, n)
        c.send("freeze", session=session)
        c.close()
        s.until(lambda: other.call("freeze", session=session)["before"], "it is done all the same")
        stands(other, session, n)
        other.close()


def a_narrowed_client_freezes_its_own_session_alone(place):
    with serving(place) as s:
        c, narrowed = Client(s), Client(s)
        (mine, n), (other, n_other) = counting(s, c), counting(s, c)
        for session in (mine, other):
            narrowed.call("session.open", session=session)
        narrowed.call("session.narrow", session=mine)
        event = c.call("event.show", session=other, n=n_other)["event"]
        for method in ("freeze", "kill", "thaw"):
            assert narrowed.fails(method, everything=True) == "DENIED"
            assert narrowed.fails(method, session=other) == "NOT_FOUND" == narrowed.fails(method, session=other, n=n_other)
            assert narrowed.fails(method, session=mine, n=n_other + 7) == "NOT_FOUND"
            for wrong in ({}, {"n": 1}, {"everything": False}, {"everything": True, "n": 1}, {"everything": True, "session": mine}, {"session": event}, {"session": "all"}, {"session": mine, "n": 0}, {"session": mine, "event": event}):
                assert narrowed.fails(method, **wrong) == "USAGE", wrong
        assert narrowed.fails("freeze", session=mine, reason="x" * 201) == "LIMIT"
        goes_on(s, c, mine, n)
        goes_on(s, c, other, n_other)
        assert narrowed.call("freeze", session=mine, reason="x" * 200)["events"] == 1
        stands(c, mine, n)
        goes_on(s, c, other, n_other)
        assert c.call("freeze", everything=True)["events"] == 2  # the twin: who is not narrowed may
        assert narrowed.fails("thaw", session=mine) == "FROZEN" and narrowed.fails("thaw", everything=True) == "DENIED"
        stands(c, mine, n)
        c.call("thaw", everything=True)
        goes_on(s, c, mine, n)
        for client in (c, narrowed):
            client.close()


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
             what_is_frozen_stands_until_it_is_thawed_or_killed, everything_is_frozen_thawed_and_killed, who_waits_for_what_is_frozen_waits_alone, a_narrowed_client_freezes_its_own_session_alone,
             who_does_harm_harms_no_other, output_that_nobody_reads_costs_the_file_alone, the_killed_daemon_is_told]

if __name__ == "__main__":
    main(SCENARIOS)
