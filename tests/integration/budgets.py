#!/usr/bin/env python3
"""What a session may use together: connections, bytes and rate of a grant, over all of its events, whichever ran first and whatever was killed or restarted between.

usage: budgets.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import os
import re
import signal
import socket
import subprocess
import threading
import time

from harness import PATIENCE, SLOW, expect_ok, lock_holders, main, room_of, silenced, told, write

PYTHON = "/usr/bin/python3"
CALL = """import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
s.sendall(b"x" * int(sys.argv[2])); s.shutdown(socket.SHUT_WR)
n = 0
while data := s.recv(65536): n += len(data)
print("got", n)"""


class Sink:
    """Takes what comes, and gives as much back as it was made to."""

    def __init__(self, back=0):
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(64)
        self.port, self.back, self.came = self.sock.getsockname()[1], back, []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client = self.sock.accept()[0]
            except OSError:
                return
            self.came.append(0)
            threading.Thread(target=self.hear, args=(client, len(self.came) - 1), daemon=True).start()

    def hear(self, client, at):
        with client:
            try:
                while data := client.recv(65536):
                    self.came[at] += len(data)
                client.sendall(b"y" * self.back)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        silenced(self.sock)


class Session:
    def __init__(self, place, *grants, more=""):
        fresh = place.fresh()
        self.place, self.home, self.top = place, f"{fresh}/home", f"{fresh}/tree"
        os.mkdir(self.home)
        os.mkdir(self.top)
        place.home = self.home
        self.policy = f"{self.home}/policy.yaml"
        write(self.policy, "version: 1\nagent: worker\ngrants:\n" + "".join(f"  - {g}\n" for g in grants) + more + ("limits:\n  memory: 32T\n" if room_of(place) else ""))
        self.daemon, self.id = None, None

    def __enter__(self):
        self.serve()
        self.id = re.search(r"s_\w+", expect_ok(self.new()).stdout)[0]
        return self

    def __exit__(self, *_):
        self.daemon.terminate()
        self.daemon.wait(PATIENCE * SLOW)

    def serve(self):
        self.daemon = subprocess.Popen([self.place.ambit, "serve"], cwd=self.top, env=self.place.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ambit(self, *words, **more):
        self.place.home = self.home
        return self.place.run(self.place.ambit, *words, cwd=self.top, **more)

    def new(self):
        until = time.monotonic() + PATIENCE * SLOW
        while (made := self.ambit("session", "new", "--policy", self.policy)).returncode != 0 and time.monotonic() < until:
            time.sleep(0.1)
        return made

    def call(self, sink, n=10, **more):
        return self.ambit("run", "--session", more.pop("session", self.id), "--", PYTHON, "-c", CALL, str(sink.port), str(n), **more)

    def restart(self):
        self.daemon.kill()
        self.daemon.wait(PATIENCE * SLOW)
        self.serve()


def connections_of_a_session_are_counted_together(place):
    with Sink() as sink, Session(place, f"connect: 127.0.0.1:{sink.port}\n    uses: 3") as s:
        for n in range(5):
            result = s.call(sink)
            assert (result.returncode == 0) == (n < 3), (n, told(result))
        event = re.search(r"e_[0-9A-Z]{26}", result.stderr)[0]
        assert len(sink.came) == 3 and "nothing is left of its budget" in expect_ok(s.ambit("explain", event)).stdout, told(result)
        other = re.search(r"s_\w+", expect_ok(s.new()).stdout)[0]
        expect_ok(s.call(sink, session=other), "got")  # another session has its own
        bare = s.ambit("run", "--connect", f"127.0.0.1:{sink.port} uses=1", "--", PYTHON, "-c", CALL, str(sink.port), "1")
        assert bare.returncode == 0 and s.ambit("run", "--connect", f"127.0.0.1:{sink.port} uses=1", "--", PYTHON, "-c", CALL, str(sink.port), "1").returncode == 0  # each event for itself


def what_was_used_outlives_the_daemon(place):
    with Sink() as sink, Session(place, f"connect: 127.0.0.1:{sink.port}\n    uses: 2") as s:
        expect_ok(s.call(sink), "got")
        s.restart()
        expect_ok(s.call(sink), "got")
        for pid in lock_holders(f"{s.home}/.local/state/ambit/authority/lock"):
            os.kill(pid, signal.SIGKILL)
        assert s.call(sink).returncode != 0 and len(sink.came) == 2


def bytes_of_a_session_are_counted_together(place):
    """Also those that come; what was set aside and not needed is there for the next one."""
    with Sink(back=100_000) as sink, Session(place, f"connect: 127.0.0.1:{sink.port}\n    bytes: 1000000") as s:
        for n in range(6):
            result = s.call(sink, 50_000)
            assert result.returncode == 0 and "got 100000" in result.stdout, (n, told(result))
        s.call(sink, 500_000)  # 100,000 are left: what passes before it is held is charged
        before = sum(sink.came)
        assert s.call(sink, 1000).returncode != 0 and sum(sink.came) == before, sink.came


def many_at_once_do_not_use_more(place):
    many = """import socket, sys, threading
done = []
def one():
    try:
        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20)
        s.sendall(b"x" * 1000); s.shutdown(socket.SHUT_WR)
        s.recv(1); done.append(1)
    except OSError: pass
threads = [threading.Thread(target=one) for _ in range(20)]
for t in threads: t.start()
for t in threads: t.join()"""
    with Sink() as sink, Session(place, f"connect: 127.0.0.1:{sink.port}\n    uses: 7") as s:
        runs = [subprocess.Popen([place.ambit, "run", "--session", s.id, "--background", "--", PYTHON, "-c", many, str(sink.port)], cwd=s.top, env=place.environment(),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
        for run in runs:
            run.wait(PATIENCE * SLOW)
        until, came = time.monotonic() + PATIENCE * SLOW, -1
        while (came != len(sink.came) or came < 4) and time.monotonic() < until:  # until nothing more comes
            came = len(sink.came)
            time.sleep(2)
        assert 4 <= came <= 7, sink.came  # one that was allowed and came to nothing is charged as well
        for _ in range(8 - came):
            result = s.call(sink)
        assert result.returncode != 0 and len(sink.came) <= 7, (told(result), sink.came)


def what_is_large_passes_in_pieces(place):
    with Sink(back=20_000_000) as sink, Session(place, f"connect: 127.0.0.1:{sink.port}\n    bytes: 30M") as s:
        result = s.call(sink, 5_000_000, timeout=3 * PATIENCE)
        assert result.returncode == 0 and "got 20000000" in result.stdout and sink.came == [5_000_000], (told(result), s.ambit("explain", (re.findall(r"e_\w+", result.stderr) or ["last"])[-1]).stdout)
        result = s.call(sink, 50_000_000, timeout=3 * PATIENCE)
        assert result.returncode != 0 and sink.came[1] < 50_000_000, (told(result), sink.came)
        assert s.call(sink).returncode != 0 and len(sink.came) == 2


def all_of_a_session_has_a_budget(place):
    """Over its grants; and so has an agent, over its sessions."""
    with Sink() as one, Sink() as two:
        grants = f"connect: 127.0.0.1:{one.port}", f"connect: 127.0.0.1:{two.port}"
        with Session(place, *grants, more="budgets:\n  session: {uses: 3}\n  agent: {uses: 5}\n") as s:
            for n, sink in enumerate((one, two, one, two, one)):
                assert (s.call(sink).returncode == 0) == (n < 3), n
            s.id = re.search(r"s_\w+", expect_ok(s.new()).stdout)[0]
            for n, sink in enumerate((one, two, one)):
                assert (s.call(sink).returncode == 0) == (n < 2), n
            assert len(one.came) + len(two.came) == 5
        with Session(place, *grants, more="budgets:\n  session: {bytes: 100000}\n") as s:
            expect_ok(s.call(one, 60_000), "got")
            s.call(two, 60_000)
            assert s.call(one, 1).returncode != 0 and s.call(two, 1).returncode != 0


def a_sub_agent_takes_nobody_elses_budget(place):
    """Its name is whatever who asks for it says."""
    with Sink() as sink:
        grants = f"connect: 127.0.0.1:{sink.port}", "delegate: '*'", f"run: {place.ambit}"
        with Session(place, *grants, more="budgets:\n  agent: {uses: 2}\n") as victim:
            expect_ok(victim.call(sink))
            policy = f"{victim.home}/attacker.yaml"
            write(policy, "version: 1\nagent: attacker\ngrants:\n" + "".join(f"  - {g}\n" for g in grants) + ("limits:\n  memory: 32T\n" if room_of(place) else ""))
            attacker = re.search(r"s_\w+", expect_ok(victim.ambit("session", "new", "--policy", policy)).stdout)[0]
            inner = f"{place.ambit} run --agent worker -- {PYTHON} -c '{CALL}' {sink.port} 1"
            expect_ok(victim.ambit("run", "--session", attacker, "--", "sh", "-c", f"{inner}; {inner}; {inner}"))
            expect_ok(victim.call(sink))
            assert victim.call(sink).returncode != 0 and len(sink.came) == 5, sink.came  # its own is spent by itself


def sub_agents_use_what_their_caller_has(place):
    """Of a grant that is given on just as it is, and of the session's budget; one with a number of its own is not given."""
    with Sink() as sink, Sink() as other:
        for more, rest in (("\n    uses: 3", ""), ("", "budgets:\n  session: {uses: 3}\n")):
            sink.came.clear()
            grants = f"connect: 127.0.0.1:{sink.port}{more}", "delegate: '*'", f"run: {place.ambit}"
            with Session(place, *grants, more=rest) as s:
                for n, flags in enumerate(("", f"--connect '127.0.0.1:{sink.port}{' uses=3' if more else ''}'", "", "")):
                    inner = f"{place.ambit} run {flags} -- {PYTHON} -c '{CALL}' {sink.port} 1"
                    result = s.ambit("run", "--session", s.id, "--", "sh", "-c", inner)
                    assert (result.returncode == 0) == (n < 3), (n, more, told(result))
                assert len(sink.came) == 3 and s.call(sink).returncode != 0, sink.came
        with Session(place, f"connect: 127.0.0.1:{sink.port}\n    uses: 3", "delegate: '*'", f"run: {place.ambit}") as s:
            inner = f"{place.ambit} run --connect '127.0.0.1:{sink.port} uses=2' -- {PYTHON} -c '{CALL}' {sink.port} 1"
            result = s.ambit("run", "--session", s.id, "--", "sh", "-c", inner)
            assert result.returncode == 125 and "is counted" in result.stderr and len(sink.came) == 3, told(result)


def a_time_of_day_is_looked_at(place):
    """Also of an event by itself, whose zone the authority knows."""
    now = int(time.time()) // 60
    at = lambda minutes: f"{(now + minutes) % 1440 // 60:02}:{(now + minutes) % 60:02}"
    with Sink() as sink, Session(place, "work: .") as s:
        call = lambda window: s.ambit("run", "--connect", f"127.0.0.1:{sink.port} between='{window}'", "--", PYTHON, "-c", CALL, str(sink.port), "1")
        expect_ok(call(f"{at(-30)}-{at(30)} UTC"), "got")
        result = call(f"{at(30)}-{at(60)} UTC")
        assert result.returncode != 0 and "not at this time of day" in result.stderr and len(sink.came) == 1, told(result)
        result = call("09:00-18:00 Nowhere/Land")
        assert result.returncode == 125 and "no time zone" in result.stderr and len(sink.came) == 1, told(result)


main([connections_of_a_session_are_counted_together, what_was_used_outlives_the_daemon, bytes_of_a_session_are_counted_together, many_at_once_do_not_use_more,
      what_is_large_passes_in_pieces, all_of_a_session_has_a_budget, a_sub_agent_takes_nobody_elses_budget, sub_agents_use_what_their_caller_has, a_time_of_day_is_looked_at])
