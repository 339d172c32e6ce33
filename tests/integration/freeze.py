#!/usr/bin/env python3
"""What is frozen stands still until a person says so: cells, sessions, commits; and what is killed is gone.

usage: freeze.py AMBIT    (TAP on standard output; as root it runs again as an ordinary user)
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from harness import AS_USER, PATIENCE, SLOW, expect_ok, main, room_of, told
from network import LIBC, NEWNET
from sessions import Served, state_of

CONTROL_EVENT, CONTROL_FREEZE, CONTROL_THAW, CONTROL_HELD = 160, 163, 164, 171
MOMENT = 0.3  # in which whatever runs would have said something

# Each writes a line again and again, in its own way.
BUSY = "while True: print('x', flush=True)"
THREADS = """
import threading, time
def work():
    while True: print('x', flush=True)
for _ in range(8): threading.Thread(target=work).start()
"""
OWN_SESSION = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.setpgid(0, 0)
    while True: print('x', flush=True); time.sleep(0.001)
while True: time.sleep(1)
"""
IGNORES = """
import signal, time
for s in range(1, 65):
    try: signal.signal(s, signal.SIG_IGN if s % 2 else lambda *_: None)
    except (OSError, ValueError): pass
while True: print('x', flush=True)
"""
# The kernel itself sends SIGCONT, which nobody in the cell has to run for.
CONTINUES = """
import ctypes, signal
libc = ctypes.CDLL(None, use_errno=True)
signal.signal(signal.SIGCONT, lambda *_: None)
class Event(ctypes.Structure):
    _fields_ = [('value', ctypes.c_void_p), ('signo', ctypes.c_int), ('notify', ctypes.c_int), ('room', ctypes.c_char * 48)]
class Spec(ctypes.Structure):
    _fields_ = [('each', ctypes.c_long * 2), ('first', ctypes.c_long * 2)]
timer = ctypes.c_void_p()
assert libc.timer_create(1, ctypes.byref(Event(signo=signal.SIGCONT)), ctypes.byref(timer)) == 0
assert libc.timer_settime(timer, 0, ctypes.byref(Spec((0, 1000000), (0, 1000000))), None) == 0
while True: print('x', flush=True)
"""
FORKS = """
import os
while True:
    try: pid = os.fork()
    except OSError: continue
    if pid == 0:
        print('x', flush=True)
        if os.fork() == 0: os._exit(0)
        os._exit(0)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]: pass
    except ChildProcessError: pass
"""
# The parent waits in the kernel for a child that does the work.
VFORKS = """
import ctypes, os, platform, time
libc = ctypes.CDLL(None, use_errno=True)
CLONE_VFORK, SIGCHLD = 0x4000, 17
while True:
    pid = libc.syscall({'x86_64': 56, 'aarch64': 220}[platform.machine()], CLONE_VFORK | SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        for _ in range(300): os.write(1, b'x'); time.sleep(0.001)
        os._exit(0)
    os.waitpid(pid, 0)
"""
DISK = """
import os
fd = os.open('big', os.O_CREAT | os.O_RDWR)
while True:
    os.pwrite(fd, b'x' * 65536, 0); os.fsync(fd); print('x', flush=True)
"""
TRIED = {"a busy loop": BUSY, "threads": THREADS, "a session of its own": OWN_SESSION, "one that ignores signals": IGNORES,
         "one that a timer continues": CONTINUES, "one that forks": FORKS, "one that waits for what it forked": VFORKS, "one that waits for the disk": DISK}


class World(Served):
    """Events that write to files, and the three commands."""

    def __init__(self, place):
        super().__init__(place)
        self.running = []

    def run(self, script, *words):
        path = os.path.join(self.home, f"out{len(self.running)}")
        tree = os.path.join(self.home, f"tree{len(self.running)}")
        os.mkdir(tree)
        with open(path, "wb") as out:
            process = subprocess.Popen([self.place.ambit, "run", "--no-ledger", "--work", ".", "--discard", *words, "--", "python3", "-c", script], cwd=tree, env=self.environment,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True)
        process.path, process.tree = path, tree
        self.running.append(process)
        return process

    def has_begun(self, *processes):
        for p in processes:
            self.until(lambda p=p: os.path.getsize(p.path) > 0 or p.poll() is not None, "it says something")
            assert p.poll() is None, f"it ended: {p.returncode}: {p.stderr.read()}"

    def event(self):
        return json.loads(expect_ok(self.ambit("grant", "list", "--json")).stdout)["events"][0]["event"]

    def says(self, *words, status=0):
        done = self.ambit(*words, "--json")
        assert done.returncode == status, f"{words}: {told(done)}"
        return json.loads(done.stdout)

    def stand(self, *processes):
        """None of them says anything: not now, and not a moment later."""
        before = [os.path.getsize(p.path) for p in processes]
        time.sleep(SLOW * MOMENT)
        after = [os.path.getsize(p.path) for p in processes]
        assert before == after, f"they go on: {before} {after}"

    def go_on(self, *processes):
        before = [os.path.getsize(p.path) for p in processes]
        for p, size in zip(processes, before):
            self.until(lambda p=p, size=size: os.path.getsize(p.path) > size, "it goes on")

    def __exit__(self, *rest):
        with contextlib.suppress(Exception):
            self.ambit("thaw", "--all")
        for p in self.running:
            p.kill()
            p.wait()
        super().__exit__(*rest)


def whatever_runs_stands_still_and_goes_on(place):
    with World(place) as w:
        tried = {name: w.run(script) for name, script in TRIED.items()}
        w.has_begun(*tried.values())
        w.go_on(*tried.values())  # each would be seen
        for _ in range(3):
            told_of = w.says("freeze", "--all")
            assert len(told_of["events"]) == len(tried) and {e["result"] for e in told_of["events"]} == {"frozen"}, told_of
            w.stand(*tried.values())
            thawed = w.says("thaw", "--all")
            assert {e["result"] for e in thawed["events"]} == {"thawed"}, thawed
            w.go_on(*tried.values())
        time.sleep(SLOW * 2 * MOMENT)
        w.go_on(*tried.values())  # also who waited for another in the kernel all that time


def nobody_is_told_and_the_result_is_right(place):
    """No signal, no stop, no end of time: what counts and what waits come out as without."""
    script = """
import os, signal, subprocess, sys, time
seen = []
for s in (signal.SIGCHLD, signal.SIGCONT, signal.SIGTSTP):
    signal.signal(s, lambda n, f: seen.append(n))
print('begun', flush=True)
child = subprocess.Popen(['sh', '-c', 'i=0; while [ $i -lt 400 ]; do i=$((i+1)); sleep 0.005; done; echo $i; exit 7'], stdout=subprocess.PIPE)
begun, status = time.monotonic(), 0
while True:
    pid, status = os.waitpid(child.pid, os.WUNTRACED | os.WCONTINUED)
    if not os.WIFSTOPPED(status) and not os.WIFCONTINUED(status): break
    seen.append('stop')
print(child.stdout.read().decode().strip(), os.waitstatus_to_exitcode(status), [n for n in seen if n != signal.SIGCHLD], flush=True)
"""
    with World(place) as w:
        p = w.run(script, "--limit", "wall=20s")
        w.has_begun(p)
        for _ in range(3):
            w.says("freeze", "last")
            time.sleep(0.2)
            w.says("thaw", "last")
        assert p.wait(SLOW * PATIENCE) == 0, p.stderr.read()
        with open(p.path, encoding="utf-8") as file:
            assert file.read() == "begun\n400 7 []\n"


def what_stands_takes_none_of_its_time(place):
    with World(place) as w:
        p = w.run("import time; print('x', flush=True)\nfor _ in range(20): time.sleep(0.05)", "--limit", "wall=3s", "--limit", "cpu=3s")
        w.has_begun(p)
        w.says("freeze", "last", "--reason", "tea")
        time.sleep(4)
        assert p.poll() is None, "it ended while it was frozen"
        w.says("thaw", "last")
        assert p.wait(SLOW * PATIENCE) == 0, p.stderr.read()
        spent = w.run("import time; print('x', flush=True); time.sleep(30)", "--limit", "wall=3s")  # the twin
        w.has_begun(spent)
        assert spent.wait(SLOW * PATIENCE) == 124, spent.stderr.read()


def what_was_stopped_stays_stopped(place):
    script = """
import os, signal, sys, time
pid = os.fork()
if pid == 0:
    while True: os.write(1, b'c'); time.sleep(0.001)
os.kill(pid, signal.SIGSTOP)
os.waitpid(pid, os.WUNTRACED)
os.write(1, b'stopped')
time.sleep(4)
os.write(1, b'on')
os.kill(pid, signal.SIGCONT)
time.sleep(30)
"""
    with World(place) as w:
        p = w.run(script)
        w.until(lambda: b"stopped" in open(p.path, "rb").read(), "it is stopped")
        w.says("freeze", "last")
        w.says("thaw", "last")
        w.stand(p)
        w.until(lambda: open(p.path, "rb").read().rpartition(b"on")[2].startswith(b"c"), "its parent continues it")


# Looks on from outside, as a debugger of the person's would; whoever traces a process keeps others from it.
TRACER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
SEIZE, LISTEN, CONT, STOP = 0x4206, 0x4208, 7, 128
pid = int(sys.argv[1])
assert libc.ptrace(SEIZE, pid, 0, 0) == 0, os.strerror(ctypes.get_errno())
print('traces', flush=True)
while True:
    _, status = os.waitpid(pid, 0x40000000)
    if not os.WIFSTOPPED(status): break
    by = os.WSTOPSIG(status)
    if status >> 16 == STOP: libc.ptrace(LISTEN if by == 19 else CONT, pid, 0, 0)
    else: libc.ptrace(CONT, pid, 0, by)
"""


@contextlib.contextmanager
def traced(p):
    (pid,) = [n for n in pids_of(BUSY) if parent_of(n) != p.pid and n != p.pid]
    tracer = subprocess.Popen([sys.executable, "-c", TRACER, str(pid)], stdout=subprocess.PIPE, text=True)
    try:
        assert tracer.stdout.readline() == "traces\n"
        yield pid
    finally:
        tracer.kill()
        tracer.communicate()


def what_may_not_be_traced_is_stopped_by_a_signal(place):
    with World(place) as w:
        p = w.run(BUSY)
        w.has_begun(p)
        with traced(p) as pid:
            for _ in range(3):
                assert w.says("freeze", "last")["events"][0]["result"] == "frozen"
                w.stand(p)
                os.kill(pid, signal.SIGCONT)  # it is the person's to do so, and held again within a second
                w.until(lambda: state_of(pid) in "tT", "it is stopped again")
                w.says("thaw", "last")
                w.go_on(p)
            w.says("kill", "last")
            assert p.wait(SLOW * PATIENCE) == 137


def code_stands_too(place):
    """Of an interpreter that waited, and of a copy of one."""
    with World(place) as w:
        session = w.session("--work", ".")
        for i in range(4):
            p = w.start("run", "--session", session, "--python", "-", stdin=subprocess.PIPE)
            p.stdin.write("import time\nfor i in range(150): print(i, flush=True); time.sleep(0.005)\n")
            p.stdin.close()
            w.until(lambda i=i: any(e["stdout"] > 0 for e in w.events(session)[i:]), "it says something")
            assert [e["result"] for e in w.says("freeze", session)["events"]] == ["frozen"]
            before = w.events(session)[-1]["stdout"]
            time.sleep(SLOW * MOMENT)
            assert w.events(session)[-1]["stdout"] == before
            w.says("thaw", session)
            out = p.stdout.read()
            assert p.wait(SLOW * PATIENCE) == 0 and out.split() == [str(i) for i in range(150)], out


def nobody_but_the_owner_lets_it_go(place):
    """Neither a signal of its caller, nor one from outside."""
    with World(place) as w:
        p = w.run(BUSY)
        w.has_begun(p)
        w.says("freeze", "last")
        for number in (signal.SIGCONT, signal.SIGUSR1):
            p.send_signal(number)
        for pid in pids_of(BUSY):
            os.kill(pid, signal.SIGCONT)
        w.stand(p)
        assert w.says("freeze", "last")["events"][0]["result"] == "frozen"
        assert w.says("thaw", "last")["events"][0]["result"] == "thawed"
        assert p.wait(SLOW * PATIENCE) == 128 + signal.SIGUSR1, "what was sent meanwhile is delivered"
        again = w.says("thaw", "--all")
        assert again["thawed"] == "all" and again["before"] is False, again


def nothing_begins_while_all_is_frozen(place):
    """Also after whoever froze is long gone, and the daemon with him."""
    with World(place) as w:
        session = w.session("--work", ".")
        expect_ok(w.ambit("run", "--session", session, "--", "true"))
        w.says("freeze", "--all", "--reason", "the audit\n of May")
        assert w.says("freeze", "--all")["before"] is True
        w.kill()
        for words in (("run", "--", "echo", "ran"), ("run", "--session", session, "--", "echo", "ran"), ("run", "--python", "-")):
            done = w.ambit(*words, input="print('ran')")
            assert done.returncode == 125 and "frozen" in done.stderr and "the audit\\x0a of May" in done.stderr and "ambit thaw --all" in done.stderr and "ran" not in done.stdout, f"{words}: {told(done)}"
        done = w.ambit("run", "--json", "--", "true")
        assert json.loads(done.stdout)["error"]["code"] == "FROZEN", told(done)
        assert "frozen since" in w.ambit("doctor").stdout and "the audit" in w.ambit("doctor").stdout
        assert [s["frozen"] for s in w.says("session", "list")["sessions"]] == [True]
        w.says("thaw", "--all")
        for words in (("run", "--", "echo", "ran"), ("run", "--session", session, "--", "echo", "ran")):
            assert expect_ok(w.ambit(*words)).stdout == "ran\n"
        assert [s["frozen"] for s in w.says("session", "list")["sessions"]] == [False]
        assert "frozen since" not in w.ambit("doctor").stdout


def what_cannot_be_read_counts_as_frozen(place):
    with World(place) as w:
        expect_ok(w.ambit("run", "--", "true"))
        state = os.path.join(w.home, ".local/state/ambit/frozen")
        os.makedirs(state, mode=0o700, exist_ok=True)
        os.close(os.open(os.path.join(state, "all"), os.O_CREAT | os.O_WRONLY, 0o600))  # of no meaning, and there
        assert w.ambit("run", "--", "true").returncode == 125
        w.says("thaw", "--all")
        expect_ok(w.ambit("run", "--", "true"))
        os.rmdir(state)
        os.close(os.open(state, os.O_CREAT | os.O_WRONLY, 0o600))
        done = w.ambit("run", "--", "true")
        assert done.returncode == 125 and "cannot tell whether" in done.stderr, told(done)
        os.unlink(state)
        expect_ok(w.ambit("run", "--", "true"))


def a_session_is_frozen_by_itself(place):
    """What runs in it stands, what waits waits, what comes is refused; another session goes on."""
    with World(place) as w:
        one, other = w.session("--work", "."), w.session("--work", ".")
        beside = w.start("run", "--session", one, "--background", "--", "sh", "-c", "while :; do date +%s%N; sleep 0.01; done")
        first = w.start("run", "--session", one, "--", "sh", "-c", "i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo $i; sleep 0.01; done")
        w.until(lambda: [e["stdout"] > 0 for e in w.events(one)] == [True, True], "both run")
        waiting = w.start("run", "--session", one, "--", "echo", "waited")
        w.until(lambda: len(w.events(one)) == 3, "one waits")
        assert len(w.says("freeze", one)["events"]) == 2
        w.until(lambda: [e["frozen"] for e in w.events(one)] == [True, True, False], "they are told to be frozen")
        assert " frozen" in w.ambit("ps").stdout and [e["frozen"] for e in w.says("grant", "list")["events"]] == [True, True]
        done = w.ambit("run", "--session", one, "--", "echo", "ran")
        assert done.returncode == 125 and "the session is frozen" in done.stderr, told(done)
        assert expect_ok(w.ambit("run", "--session", other, "--", "echo", "ran")).stdout == "ran\n"
        time.sleep(MOMENT)
        assert [e["state"] for e in w.events(one)] == ["runs", "runs", "waits"] and first.poll() is None
        w.says("thaw", one)
        out, _ = first.communicate(timeout=SLOW * PATIENCE)
        assert out.split() == [str(i) for i in range(1, 101)], out
        assert waiting.communicate(timeout=SLOW * PATIENCE)[0] == "waited\n"
        killed = w.says("kill", one)
        assert len(killed["events"]) == 1 and killed["events"][0]["result"] == "ended", killed
        beside.communicate(timeout=SLOW * PATIENCE)
        expect_ok(w.ambit("run", "--session", one, "--", "true"))  # it was thawed


def what_waits_goes_on_waiting(place):
    """Though its turn comes."""
    with World(place) as w:
        session = w.session("--work", ".")
        first = w.start("run", "--session", session, "--", "sh", "-c", "echo up; sleep 1000")
        w.until(lambda: w.events(session) and w.events(session)[0]["stdout"] > 0, "it runs")
        waiting = w.start("run", "--session", session, "--", "echo", "waited")
        w.until(lambda: len(w.events(session)) == 2, "one waits")
        w.says("freeze", session)
        w.says("kill", w.events(session)[0]["event"])
        assert first.wait(SLOW * PATIENCE) == 137
        time.sleep(SLOW * MOMENT)
        assert [e["state"] for e in w.events(session)] == ["over", "waits"] and waiting.poll() is None
        w.says("thaw", session)
        assert waiting.communicate(timeout=SLOW * PATIENCE)[0] == "waited\n" and waiting.returncode == 0


def what_is_killed_is_gone(place):
    """With what waits; and what it changed is kept."""
    with World(place) as w:
        session = w.session("--work", ".")
        first = w.start("run", "--session", session, "--", "sh", "-c", "echo x >made; (setsid sleep 1234.5 &); sleep 1234.5")
        w.until(lambda: [e["state"] for e in w.events(session)] == ["runs"] and of("sleep 1234.5") == 2, "it runs")
        waiting = w.start("run", "--session", session, "--", "touch", "never")
        w.until(lambda: len(w.events(session)) == 2, "one waits")
        killed = w.says("kill", session, "--keep-frozen")
        assert killed["cancelled"] == 1 and of("sleep 1234.5") == 0, killed
        assert first.wait(SLOW * PATIENCE) == 137 and waiting.wait(SLOW * PATIENCE) != 0
        assert [e["cause"] for e in w.events(session)] == ["killed", "killed"] and w.events(session)[0]["workspace"] == "kept", w.events(session)
        assert not os.path.exists(os.path.join(w.tree, "never")) and not os.path.exists(os.path.join(w.tree, "made"))
        assert w.ambit("run", "--session", session, "--", "true").returncode == 125, "it was to stay frozen"
        w.says("thaw", session)
        expect_ok(w.ambit("run", "--session", session, "--", "true"))
        tried = [w.run(FORKS), w.run(CONTINUES), w.run(VFORKS)]
        w.has_begun(*tried)
        w.says("freeze", "--all")
        w.says("kill", w.event())  # while it is frozen
        assert [p.poll() for p in tried].count(None) >= 2
        assert {e["result"] for e in w.says("kill", "--all")["events"]} == {"ended"}
        assert [p.wait(SLOW * PATIENCE) for p in tried] == [137] * 3
        assert w.ambit("run", "--", "true").returncode == 125  # it was frozen before, and so it stays
        w.says("thaw", "--all")
        p = w.run(BUSY)
        w.has_begun(p)
        w.says("freeze", "last")
        p.kill()  # who asked for it goes: so does it
        p.wait()
        w.until(lambda: w.says("grant", "list")["events"] == [], "it ends with its caller")
        w.until(lambda: not any(name.startswith("e_") for name in os.listdir(os.path.join(w.home, ".local/state/ambit/frozen"))), "its word goes with it")


def pids_of(text):
    """Processes with this in their command line, the command line that runs it among them."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if text.encode() in file.read() and int(pid) != os.getpid():
                    found.append(int(pid))
    return found


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def of(words):
    """How many processes have this command line."""
    n = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                n += file.read().replace(b"\0", b" ").strip() == words.encode() and state_of(pid) != "Z"
    return n


def none_gets_by_that_begins_meanwhile(place):
    """Events are begun all the time; when the command returns, nothing of them advances."""
    with World(place) as w:
        stop, lock, files = threading.Event(), threading.Lock(), []

        def begin(number):
            while not stop.is_set():
                path = os.path.join(w.home, f"race{number}-{time.monotonic_ns()}")
                with open(path, "wb") as out:
                    p = subprocess.Popen([w.place.ambit, "run", "--no-ledger", "--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do echo $i; done"], cwd=w.tree, env=w.environment, stdin=subprocess.DEVNULL,
                                         stdout=out, stderr=subprocess.DEVNULL)
                with lock:
                    files.append((path, p))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    p.wait(0.05)

        threads = [threading.Thread(target=begin, args=(n,)) for n in range(3)]
        for t in threads:
            t.start()
        try:
            for _ in range(8):
                time.sleep(0.25)
                w.says("freeze", "--all")
                with lock:
                    seen = list(files)
                before = [os.path.getsize(path) for path, _ in seen]
                time.sleep(SLOW * MOMENT)
                after = [os.path.getsize(path) for path, _ in seen]
                assert before == after, [pair for pair in zip(before, after) if pair[0] != pair[1]]
                with lock:
                    late = [(path, p) for path, p in files[len(seen):]]
                assert all(os.path.getsize(path) == 0 for path, _ in late), "one began"
                w.says("thaw", "--all")
        finally:
            stop.set()
            for t in threads:
                t.join()
            w.ambit("thaw", "--all")
            for _, p in files:
                p.wait(SLOW * PATIENCE)
        assert any(os.path.getsize(path) == 18 for path, _ in files), "nothing ran at all"


def many_stand_at_once(place):
    with World(place) as w:
        session = w.session("--work", ".")
        inside = [w.start("run", "--session", session, "--background", "--", "sh", "-c", "while :; do sleep 0.01; done") for _ in range(5)]
        tried = [w.run("import time\nwhile True: print('x', flush=True); time.sleep(0.001)") for _ in range(15)]
        w.has_begun(*tried)
        w.until(lambda: [e["state"] for e in w.events(session)] == ["runs"] * 5, "all run")
        told_of = w.says("freeze", "--all")
        assert len(told_of["events"]) == 20 and {e["result"] for e in told_of["events"]} == {"frozen"}, told_of
        w.stand(*tried)
        assert len(w.says("kill", "--all")["events"]) == 20
        assert [p.wait(SLOW * PATIENCE) for p in tried] == [137] * 15
        for p in inside:
            p.communicate(timeout=SLOW * PATIENCE)


def who_asked_may_go(place):
    """By hand: asks, and is gone before the answer."""
    with World(place) as w:
        p = w.run(THREADS)
        w.has_begun(p)
        event = w.event()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.connect(f"\0ambit/{event}")
            s.send(CONTROL_FREEZE.to_bytes(2, "little") + bytes(2) + bytes(204))
        w.until(lambda: w.says("grant", "list")["events"][0]["frozen"], "it is frozen")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(SLOW * PATIENCE)
            s.connect(f"\0ambit/{event}")
            s.send(CONTROL_FREEZE.to_bytes(2, "little") + bytes(2) + b"why\0" + bytes(200))
            answer = s.recv(100)
            assert answer[:8] == CONTROL_HELD.to_bytes(2, "little") + bytes(2) + (1).to_bytes(4, "little") and answer[12:] == bytes(4), answer
            w.stand(p)
            s.send(CONTROL_THAW.to_bytes(2, "little") + bytes(2))
            assert s.recv(100)[4:8] == (3).to_bytes(4, "little")
            w.go_on(p)
            s.send(CONTROL_FREEZE.to_bytes(2, "little") + bytes(2) + b"x" * 204)  # no end of its reason
            assert s.recv(100) == b""
        w.go_on(p)


def nothing_is_committed_while_frozen(place):
    with World(place) as w:
        expect_ok(w.ambit("run", "--work", ".", "--stage", "--", "sh", "-c", "echo kept >kept"))
        expect_ok(w.ambit("run", "--work", ".", "--", "sh", "-c", "echo done >done"))
        events = {e["state"]: e["event"] for e in json.loads(expect_ok(w.ambit("stage", "list", "--json")).stdout)["stages"]}
        w.says("freeze", "--all", "--reason", "not now")
        for words in (("commit", events["kept"]), ("undo", events["committed"])):
            done = w.ambit(*words)
            assert done.returncode == 125 and "frozen" in done.stderr and "not now" in done.stderr and "ambit thaw --all" in done.stderr, f"{words}: {told(done)}"
        assert os.listdir(w.tree) == ["done"]
        expect_ok(w.ambit("diff", events["kept"]), "kept")  # looking is no commit
        w.says("thaw", "--all")
        expect_ok(w.ambit("commit", events["kept"]))
        expect_ok(w.ambit("undo", events["committed"]))
        assert os.listdir(w.tree) == ["kept"]


def what_ends_while_frozen_keeps_its_changes(place):
    """Its commit waits for another event of the tree, and finds that it may not."""
    with World(place) as w:
        holder = w.start("run", "--work", ".", "--", "sh", "-c", "echo up; sleep 1000")
        assert holder.stdout.readline() == "up\n"
        held = w.event()
        waits = w.start("run", "--work", ".", "--wait", "60s", "--", "sh", "-c", "echo x >made")
        assert "waiting for" in waits.stderr.readline()
        w.says("freeze", "--all")
        w.says("kill", held)
        assert waits.wait(SLOW * PATIENCE) == 123, waits.stderr.read()
        assert "it was frozen" in waits.stderr.read() and not os.path.exists(os.path.join(w.tree, "made"))
        holder.wait(SLOW * PATIENCE)
        w.says("thaw", "--all")
        kept = [e for e in json.loads(expect_ok(w.ambit("stage", "list", "--json")).stdout)["stages"] if e["why"] == "frozen"]
        expect_ok(w.ambit("commit", kept[0]["event"]))
        assert os.listdir(w.tree) == ["made"]


def no_cell_freezes_or_thaws(place):
    """Not with the program itself, nor by what lies on the disk; outside the same words work."""
    with World(place) as w:
        binaries = os.path.dirname(place.ambit)
        p = w.run(BUSY)
        w.has_begun(p)
        event, state = w.event(), os.path.join(w.home, ".local/state/ambit")
        for words in (("freeze", "--all"), ("kill", event), ("freeze", event), ("thaw", "--all")):
            done = w.ambit("run", "--no-ledger", *room_of(place), "--run", binaries, "--read", binaries, "--", place.ambit, *words)
            assert done.returncode == 125 and "this is a cell" in done.stderr, f"{words}: {told(done)}"
            w.go_on(p)
        w.says("freeze", event)
        for words in (("--direct", "--work", w.home), ("--work", w.home), ("--direct", "--work", state)):
            done = w.ambit("run", "--no-ledger", *words, "--", "sh", "-c", f"ls {state}/frozen; rm -rf {state}/frozen/{event}; mv {state}/frozen {state}/elsewhere; mv {state} {state}2; true")
            assert event not in done.stdout and os.path.exists(os.path.join(state, "frozen", event)), f"{words}: {told(done)}"
        done = w.ambit("run", "--no-ledger", "--work", os.path.join(state, "frozen"), "--", "true")
        assert done.returncode == 125 and "says what is frozen" in done.stderr, told(done)
        w.stand(p)
        w.says("thaw", event)
        w.go_on(p)


def it_is_recorded(place):
    with World(place) as w:
        record = os.path.join(w.home, "record.json")
        p = w.start("run", "--record", record, "--work", ".", "--", "sh", "-c", "echo up; sleep 1; echo x >made")
        assert p.stdout.readline() == "up\n"
        event = w.event()
        w.says("freeze", event, "--reason", "have a look")
        time.sleep(0.5)
        w.says("thaw", event)
        assert p.wait(SLOW * PATIENCE) == 0, p.stderr.read()
        with open(record, encoding="utf-8") as file:
            frozen_ms = json.load(file)["usage"]["wall"]["frozen_ms"]
        assert 500 <= frozen_ms < 60000, frozen_ms
        shown = expect_ok(w.ambit("ledger", "show", "--event", event, "--json"))
        entries = [e.get("entry", e) for e in map(json.loads, shown.stdout.splitlines())]
        bodies = {e["type"]: e["body"] for e in entries if e["type"] in ("freeze", "thaw")}
        assert bodies["freeze"]["reason"] == "have a look" and bodies["freeze"]["by"] == os.getuid() and bodies["freeze"]["threads"] >= 1, bodies
        assert bodies["thaw"]["by"] == os.getuid() and bodies["thaw"]["stood_ms"] >= 500, bodies
        assert "frozen" in expect_ok(w.ambit("explain", record)).stdout
        expect_ok(w.ambit("ledger", "verify"))
        expect_ok(w.ambit("ledger", "replay"))


def words_are_told_apart(place):
    with World(place) as w:
        for words, message in ((("freeze",), "freeze what?"), (("freeze", "--all", "x"), "freeze what?"), (("thaw", "a", "b"), "one session or event"), (("freeze", "--everything"), "no option"),
                               (("thaw", "--reason", "x", "--all"), "no option"), (("freeze", "--all", "--reason", "x" * 201), "200 bytes"), (("kill", "e_0"), "no session of yours"), (("freeze", "last"), "no session of yours")):
            done = w.ambit(*words)
            assert done.returncode == 125 and message in done.stderr and "hint:" in done.stderr, f"{words}: {told(done)}"
        tried = [w.run(BUSY), w.run(BUSY)]
        w.has_begun(*tried)
        done = w.ambit("freeze", "e_")
        assert done.returncode == 125 and "more than one" in done.stderr, told(done)
        event = w.event()
        out = expect_ok(w.ambit("freeze", event)).stdout
        assert out.startswith(f"frozen: {event}\n{event}  frozen, 1 thread  python3 -c"), out
        w.says("freeze", "--all")
        done = w.ambit("thaw", event)
        assert done.returncode == 125 and "everything of yours is frozen" in done.stderr, told(done)
        w.says("thaw", "--all")


SCENARIOS = [whatever_runs_stands_still_and_goes_on, nobody_is_told_and_the_result_is_right, what_stands_takes_none_of_its_time, what_was_stopped_stays_stopped, what_may_not_be_traced_is_stopped_by_a_signal, code_stands_too, nobody_but_the_owner_lets_it_go,
             nothing_begins_while_all_is_frozen, what_cannot_be_read_counts_as_frozen, a_session_is_frozen_by_itself, what_waits_goes_on_waiting, what_is_killed_is_gone, none_gets_by_that_begins_meanwhile, many_stand_at_once,
             who_asked_may_go, nothing_is_committed_while_frozen, what_ends_while_frozen_keeps_its_changes, no_cell_freezes_or_thaws, it_is_recorded, words_are_told_apart]



def in_a_network_of_our_own():
    """Events are found in the network where they began: what is said to all of them here is not said to those of other tests."""
    if os.geteuid() == 0:
        assert LIBC.unshare(NEWNET) == 0, "no network namespace"
    elif AS_USER not in os.environ and os.environ.pop("AMBIT_TEST_ALONE", None) is None:
        os.environ["AMBIT_TEST_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "--user", "--map-current-user", "--net", sys.executable, "-B", *sys.argv])


if __name__ == "__main__":
    in_a_network_of_our_own()
    main(SCENARIOS)
