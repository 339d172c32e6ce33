#!/usr/bin/env python3
"""`ambit run` outside of sessions, in a cell that the person's daemon has made: it is used where it changes nothing but time, and nowhere else.

usage: run_warm.py AMBIT    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import contextlib
import datetime
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

from harness import ORDINARY, PATIENCE, SLOW, Skip, Terminal, always, expect_ok, main, rooted, told
from session_ready import children
from sessions import Served, commands_of, state_of
from sessions_hostile import held_by

SAYS = ("sh", "-c", "echo up; read x; echo down")
ASK, GIVEN, NONE = 321, 328, 329  # wire/messages.def


class Warm(Served):
    """A person whose daemon runs, and who has run a command with these grants: the cell of the next one stands."""

    def __init__(self, place, *words, daemon="", become=""):
        """daemon, become: what it makes of itself, and what each command line does."""
        super().__init__(place)
        self.words, self.daemon_is, self.become = words, daemon, become

    def __enter__(self):
        self.daemon = subprocess.Popen(becoming(self.daemon_is, self.place.ambit, "serve"), cwd=self.home, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.until(lambda: os.path.exists(f"{self.run_dir}/ambit/native.sock"), "it listens")
        if self.daemon_is == self.become:
            expect_ok(subprocess.run(becoming(self.become, self.place.ambit, "run", *self.words, "--", "true"), cwd=self.tree, env=self.environment, stdin=subprocess.DEVNULL,
                                     capture_output=True, text=True, check=False))
            self.stands()
        return self

    def __exit__(self, *why):
        super().__exit__(*why)
        self.daemon.kill()
        self.daemon.wait()

    def run(self, *argv, **more):
        return self.ambit("run", *self.words, "--", *argv, **more)

    def cold(self, *words, **more):
        """With an XDG_RUNTIME_DIR where no daemon is."""
        return self.ambit("run", *words, env={"XDG_RUNTIME_DIR": self.elsewhere()}, **more)

    def elsewhere(self):
        elsewhere = os.path.join(self.home, "elsewhere")
        os.makedirs(elsewhere, mode=0o700, exist_ok=True)
        return elsewhere

    def pool(self):
        """The process; a child of it that is about to become a supervisor has its name for a moment."""
        found = [pid for pid in commands_of(self, "ambit-pool") if command(pid) == "ambit-pool"]
        return found[0] if found else None

    def held(self):
        """All supervisors that it has, also those that come or go."""
        with contextlib.suppress(FileNotFoundError):
            return held_by(self.pool())
        return []

    def waiting(self):
        """Supervisor and warden of each cell that waits, whose program's process waits, too."""
        found = []
        for supervisor in self.held():
            for warden in children(supervisor):
                found += [(supervisor, warden)] if children(warden) else []
        return found

    def stands(self, n=1):
        """And the role had the time to hear of it."""
        self.until(lambda: len(self.waiting()) == n, "a cell stands")
        time.sleep(0.2 * SLOW)
        return self.waiting()

    def uses(self, *words, argv=SAYS, become=None, ends="down\n"):
        """Whether what waits is where it runs; what comes of it is the same in any case."""
        before = self.stands(max(1, len(self.waiting())))
        start = becoming(self.become + (become or ""), self.place.ambit, "run", *(words or self.words), "--", *argv)
        with subprocess.Popen(start, cwd=self.tree, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as it:
            line = it.stdout.readline()
            if line.startswith("cannot: "):
                it.communicate()
                raise Skip(line[8:].strip())
            if line == "" and become is not None:
                without = subprocess.run(start, cwd=self.tree, env={**self.environment, "XDG_RUNTIME_DIR": self.elsewhere()}, input="x\n", capture_output=True, text=True, check=False)
                if without.returncode == 125:
                    it.communicate()
                    raise Skip("ambit does not run so: " + without.stderr.splitlines()[0])
            assert line == "up\n", (line, it.communicate())
            now = self.waiting()
            gone = [pair for pair in before if pair not in now and pair[0] not in self.held()]
            used = [pair for pair in gone if children(pair[0]) == [pair[1]]]
            assert gone == used, f"it took one and made another: {gone}"
            out, err = it.communicate("x\n", timeout=SLOW * PATIENCE)
            assert it.returncode == 0 and out == ends, (it.returncode, out, err)
        return bool(used)


def becoming(what, *words):
    return [sys.executable, "-c", BECOME + what + "\nos.execv(sys.argv[1], sys.argv[1:])", *words] if what else list(words)


# What a process makes of itself before it becomes `ambit run`.
BECOME = """
import ctypes, os, resource, signal, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
def must(r):
    if r < 0:
        print('cannot:', os.strerror(ctypes.get_errno()), flush=True)
        sys.exit(1)
    return r
def call(*words):
    return must(libc.syscall(*map(ctypes.c_long, words)))
"""

# Each has a supervisor that was started by somebody else as what it would not be.
DIFFERS = {
    "umask": "os.umask(0o027)",
    "a limit": "resource.setrlimit(resource.RLIMIT_MSGQUEUE, (4096, resource.getrlimit(resource.RLIMIT_MSGQUEUE)[1]))",
    "priority": "os.nice(3)",
    "the policy of the scheduler": "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))",
    "the priority of its input and output": "call(251, 1, 0, 3 << 13)",
    "processors": "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}) if len(os.sched_getaffinity(0)) > 1 else (print('cannot: one processor', flush=True), sys.exit(1))",
    "nodes of memory": "mask = ctypes.c_ulong(1); must(libc.syscall(238, 1, ctypes.byref(mask), 64))",
    "personality": "must(libc.personality(0x0040000))",
    "no_new_privs": "must(libc.prctl(38, 1, 0, 0, 0))",
    "slack of timers": "must(libc.prctl(29, 123456, 0, 0, 0))",
    "transparent huge pages": "must(libc.prctl(41, 1, 0, 0, 0))",
    "whom the kernel kills first": "open('/proc/self/oom_score_adj', 'w').write('321')",
    "what a core has": "open('/proc/self/coredump_filter', 'w').write('0x11')",
    "the session's keyring": "must(libc.syscall(250, 1, None))",
}

# As root alone.
ROOTED = {
    "network": "must(libc.unshare(0x40000000))",
    "mounts": "must(libc.unshare(0x00020000))",
    "names of the host": "must(libc.unshare(0x04000000))",
    "what others share by memory": "must(libc.unshare(0x08000000))",
    "groups of control, as they are seen": "must(libc.unshare(0x02000000))",
    "clocks": "must(libc.unshare(0x00000080))",
    "groups": "os.setgroups([4, 64125])",
    "a capability that nobody can have": "must(libc.prctl(24, 25, 0, 0, 0))",
    "the security bits": "must(libc.prctl(28, 1 << 2, 0, 0, 0))",
}


NO_NEW = "must(libc.prctl(38, 1, 0, 0, 0))\n"
FILTERED = ("code = struct.pack('HBBI', 6, 0, 0, 0x7fff0000); room = ctypes.create_string_buffer(code)\n"
            "prog = ctypes.create_string_buffer(struct.pack('HxxxxxxP', 1, ctypes.addressof(room))); must(libc.prctl(22, 2, prog, 0, 0))\n")
# of the network alone: in one that has rules for files nothing can be mounted
CONFINED = "attr = ctypes.create_string_buffer(struct.pack('QQ', 0, 1)); fd = must(libc.syscall(444, attr, 16, 0)); call(446, fd, 0); os.close(fd)\n"


def what_is_confined_has_a_cell_that_is(place):
    """By a filter of system calls, or a domain of Landlock: also where all else is the same, and whichever of the two it is."""
    with Warm(place, daemon=NO_NEW, become=NO_NEW) as s:
        for what in (FILTERED, CONFINED):
            assert not s.uses(become=what), what
        assert s.uses(), "nothing would have been used"
    for what in (FILTERED, CONFINED):
        with Warm(place, daemon=NO_NEW + what, become=NO_NEW) as s:
            for _ in range(2):
                expect_ok(subprocess.run(becoming(NO_NEW, place.ambit, "run", "--", "true"), cwd=s.tree, env=s.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False))
                time.sleep(0.5 * SLOW)
            assert s.pool() and not s.held(), f"one is made by who is confined: {what}"


def the_next_run_has_what_waits(place):
    with Warm(place) as s:
        first = s.stands()
        assert s.uses(), "it has a cell of its own"
        assert s.stands() != first, "none is made for the next"
        expect_ok(s.run("sh", "-c", "echo said; echo wrong >&2"), "said\n")
        for argv, status in ((("sh", "-c", "exit 3"), 3), (("sh", "-c", "kill -TERM $$"), 143), (("/no/such/program",), 127)):
            s.stands()
            result, other = s.run(*argv), s.cold("--", *argv)
            assert result.returncode == other.returncode == status and result.stderr == other.stderr, (told(result), told(other))
        s.stands()
        expect_ok(s.run("cat", input="all of it\n" * 10000), "all of it\n" * 10000)
        s.stands()
        both = subprocess.run([place.ambit, "run", "--", "sh", "-c", "for i in 1 2 3 4; do echo out $i; echo err $i >&2; done"], cwd=s.tree, env=s.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
        assert both.stdout == "".join(f"out {i}\nerr {i}\n" for i in range(1, 5)), both


IDS = re.compile(r"\b[a-z]_[0-9A-HJKMNP-TV-Z]{26}\b")
MEASURED = ("t_mono", "t_wall", "started", "ended", "seq", "time", "ms", "size", "hash", "salt", "sha256", "digest", "root")


def plain(value, name_=""):
    """Without names and measures."""
    if name_ == "usage":
        return sorted(value)
    if isinstance(value, dict):
        return {key: plain(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, name_) for inner in value]
    if name_ in MEASURED:
        return type(value).__name__
    return IDS.sub(lambda m: f"{m.group()[0]}_ID", value) if isinstance(value, str) else value


def differences(a, b, at=""):
    if isinstance(a, dict) and isinstance(b, dict):
        return [d for key in sorted({*a, *b}) for d in differences(a.get(key, "(absent)"), b.get(key, "(absent)"), f"{at}.{key}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{at}[{i}]")]
    return [] if a == b else [f"{at}: {a!r}, {b!r}"]


def the_record_is_the_same(place):
    """And what the ledger has: of what changed, was denied and failed; of code; of a session nothing is said."""
    runs = ((["--work", "."], ["sh", "-c", "echo x > made; cat /etc/shadow; ls /root; rm -f made; echo y > kept; true"]),
            (["--work", ".", "--limit", "wall=60s,memory=1G"], ["sh", "-c", "echo z > kept; exit 4"]),
            (["--observe", "effects"], ["sh", "-c", "kill -KILL $$"]),
            (["--shell"], None), (["--python", "--result", "RESULT"], None))
    with Warm(place) as s:
        for words, argv in runs:
            words, code = [w.replace("RESULT", f"{s.home}/result") for w in words], "" if argv else "print('shown')\n6 * 7" if "--python" in words else "echo shown; exit 5"
            told_of = []
            for n, warm in enumerate((False, True, True)):
                if n == 2:
                    s.stands(len(s.waiting()))
                    s.until(lambda: len(s.held()) == len(s.waiting()), "all stand")
                    time.sleep(0.2 * SLOW)
                    before = s.held()
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{s.tree}/kept")
                record = f"{s.home}/record{n}"
                given = [*words, "--record", record, *(["--", *argv] if argv else [])]
                result = (s.ambit("run", *given, input=code) if warm else s.cold(*given, input=code))
                if n == 2:
                    assert len(set(before) - set(s.held())) == 1, f"none was used: {words}"
                with open(record, encoding="utf-8") as file:
                    one = json.load(file)
                event = re.search(r"e_[0-9A-Z]{26}", json.dumps(one)).group()
                shown = expect_ok(s.ambit("ledger", "show", "--json", "--event", event)).stdout
                last = expect_ok(s.ambit("explain", "last")).stdout
                value = ""
                if "--result" in words:
                    with open(f"{s.home}/result", encoding="utf-8") as file:
                        value = json.load(file)
                    assert "42" in json.dumps(value), value
                told_of.append([result.returncode, result.stdout + json.dumps(plain(value)), IDS.sub("ID", result.stderr).replace(record, "RECORD"), plain(one), [plain(json.loads(line)) for line in shown.splitlines()],
                                IDS.sub("ID", last)])
                time.sleep(0.3 * SLOW)
            found = differences(told_of[0][:5], told_of[2][:5])
            assert not found, (words, found)


def an_event_is_of_the_time_when_it_began(place):
    """Its cell, and so its name, is older: also than that of an event that began before it."""
    says = "echo up; read x; true "
    with Warm(place) as s, contextlib.ExitStack() as both:
        s.stands()
        for which, run_dir in (("cold", s.elsewhere()), ("warm", s.run_dir)):
            time.sleep(0.02)
            since = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            it = both.enter_context(subprocess.Popen([place.ambit, "run", "--", "sh", "-c", says + which], cwd=s.tree, env={**s.environment, "XDG_RUNTIME_DIR": run_dir},
                                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            assert it.stdout.readline() == "up\n"
        listed = [row for row in json.loads(expect_ok(s.ambit("grant", "list", "--json")).stdout)["events"] if says in row["command"]]
        assert [row["command"].split()[-1].strip("'") for row in listed] == ["warm", "cold"], listed
        warm, cold = listed
        assert warm["event"] < cold["event"] and warm["started"] >= since > cold["started"], (listed, since)
        latest = s.ambit("grant", "list", "last", "--json")
        while latest.returncode != 0 and any(code in latest.stdout for code in ('"GONE"', '"NOT_FOUND"')):  # others may run beside it, and be over when they are asked
            latest = s.ambit("grant", "list", "last", "--json")
        assert json.loads(expect_ok(latest).stdout)["event"] != cold["event"], latest.stdout
        both.close()
        s.until(lambda: '"result"' in s.ambit("ledger", "show", "--json", "--event", warm["event"]).stdout, "it is over")
        export = [[json.loads(line)["metadata"]["correlation_uid"] for line in expect_ok(s.ambit("ledger", "export", "--ocsf", *words)).stdout.splitlines() if "correlation_uid" in line]
                  for words in (("--event", warm["event"]), ("--since", since), ("--until", since))]
        assert len(export[0]) > 3 and [e for e in export[1] if e == warm["event"]] == export[0] and cold["event"] not in export[1], (since, export[1])
        assert cold["event"] in export[2] and warm["event"] not in export[2], (since, export[2])


def there_are_as_many_as_ran_at_once(place):
    """And no more than four of a kind."""
    def at_once(s, n):
        """The supervisors that were given to so many."""
        before = {supervisor for supervisor, _ in s.waiting()}
        with contextlib.ExitStack() as all_of:
            runs = [all_of.enter_context(subprocess.Popen([place.ambit, "run", "--", "sh", "-c", "echo up; read x"], cwd=s.tree, env=s.environment,
                                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)) for _ in range(n)]
            try:
                assert [run.stdout.readline() for run in runs] == ["up\n"] * n
                return before - set(s.held())
            finally:
                for run in runs:
                    run.communicate("\n", timeout=30 * SLOW)

    with Warm(place) as s:
        s.stands()
        assert len(at_once(s, 3)) == 1
        s.stands(3)
        assert len(at_once(s, 3)) == 3
        s.stands(3)
        assert len(at_once(s, 6)) == 3
        s.stands(4)
        assert len(at_once(s, 1)) == 1
        s.stands(4)


def code_has_its_interpreter(place):
    with Warm(place) as s:
        expect_ok(s.ambit("run", "--python", input="print(1)"), "1\n")
        code = "import sys\nprint('up', flush=True)\nimport time\nimport os\nwhile not os.path.exists('/tmp/go'): time.sleep(0.05)\n"
        both = s.stands(2)
        with subprocess.Popen([place.ambit, "run", "--python"], cwd=s.tree, env=s.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
            it.stdin.write(code)
            it.stdin.close()
            assert it.stdout.readline() == "up\n"
            gone = [pair for pair in both if pair[0] not in s.held()]
            assert len(gone) == 1 and children(gone[0][0]) == [gone[0][1]], (gone, both)
            it.send_signal(signal.SIGTERM)
            assert it.wait(timeout=SLOW * PATIENCE) == 128 + signal.SIGTERM
        s.stands(2)
        result = s.ambit("run", "--python", "--env", "EXTRA=1", input="import os; print(os.environ['EXTRA'])")
        expect_ok(result, "1\n")
        s.stands(3)
        if os.path.exists("/usr/bin/node"):
            for n in range(2):
                s.until(lambda: len(s.held()) == len(s.waiting()), "all stand")
                time.sleep(0.2 * SLOW)
                before = s.held()
                expect_ok(s.ambit("run", "--node", input="console.log(process.cwd())"), s.home + "\n")
            assert len(set(before) - set(s.held())) == 1, "none was used for Node"
        result = s.ambit("run", "--python", input="print(2)\nraise ValueError('so')")
        assert result.returncode != 0 and result.stdout == "2\n" and "ValueError: so" in result.stderr, told(result)


def no_interpreter_waits_that_may_read_what_is_written(place):
    """By a variable that has its path, or one path of a list; a cell without one does."""
    with Warm(place, "--work", ".") as s:
        for value, n in ((s.tree, 0), (f"/nowhere:{s.tree}", 0), (f"{s.tree}/in:/nowhere", 0), (f"::{s.tree}:", 0), (f"/nowhere:{s.tree}s", 1)):
            expect_ok(s.ambit("run", "--work", ".", "--python", "--env", f"LIST={value}", input="print(1)"), "1\n")
            time.sleep(0.2 * SLOW)
            s.until(lambda: s.waiting() and len(s.held()) == len(s.waiting()), "all stand")
            found = [command(pid) for _, warden in s.waiting() for pid in children(warden)]
            assert sum(name.startswith("python") for name in found) == n, (value, found)


def what_differs_has_a_cell_of_its_own(place):
    """And then one that is as before has what waits, still."""
    with Warm(place) as s:
        wrong, missing = [], []
        for what, become in {**DIFFERS, **(ROOTED if os.geteuid() == 0 else {})}.items():
            try:
                if s.uses(become=become):
                    wrong.append(what)
            except Skip as why:
                missing.append(f"{what}: {why}")
        for line in missing:
            print(f"# not tried, {line}")
        assert not wrong, f"it was used all the same: {wrong}"
        assert len(missing) <= 4, missing
        assert s.uses(become=""), "nothing would have been used"


def who_is_traced_has_a_cell_of_his_own(place):
    if not os.path.exists("/usr/bin/strace"):
        raise Skip("strace is not installed")
    with Warm(place) as s:
        before = s.stands()
        expect_ok(subprocess.run(["strace", "-f", "-o", "/dev/null", place.ambit, "run", "--", "true"], cwd=s.tree, env=s.environment, capture_output=True, text=True, check=False))
        assert s.waiting() == before
        assert s.uses()


@rooted
def another_control_group_has_a_cell_of_its_own(place):
    """An event counts where it was called."""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        lines = [line.strip().split(":", 2) for line in file]
    own = next((f"/sys/fs/cgroup/{names}{path}" for _, names, path in lines if os.access(f"/sys/fs/cgroup/{names}{path}/cgroup.procs", os.W_OK)), None)
    if own is None:
        raise Skip("no control group can be made here")
    group = f"{own.rstrip('/')}/ambit-test-{os.getpid()}"
    os.mkdir(group)
    try:
        with Warm(place) as s:
            assert not s.uses(become=f"open('{group}/cgroup.procs', 'w').write(str(os.getpid()))")
            assert s.uses()
    finally:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                os.rmdir(group)
                break
            time.sleep(0.1)


def what_does_not_reach_a_cell_makes_no_difference(place):
    with Warm(place) as s:
        for what in ("os.setsid()", "os.chdir('/'); sys.argv[3:3] = ['--workspace', " + repr(s.tree) + "]", "os.environ['OTHER'] = '1'", "signal.signal(signal.SIGUSR1, signal.SIG_IGN)"):
            assert s.uses(become=what), what
        # of open files the caller's number is applied
        fewer = "resource.setrlimit(resource.RLIMIT_NOFILE, (700, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))"
        assert not s.uses(become=fewer), "it was made with another"
        s.stands(2)
        assert s.uses(become=fewer), "none was made with that"


def another_request_has_a_cell_of_its_own(place):
    with Warm(place) as s:
        for words in (["--read", "/srv?"], ["--work", "."], ["--limit", "tasks=77"], ["--base", "minimal"], ["--observe", "off"], ["--direct", "--write", "."], ["--jit"]):
            s.daemon.send_signal(signal.SIGHUP)  # which ends what waits
            s.until(lambda: not s.held(), "all go")
            # who comes while the daemon becomes another is not waited for, and gone when it is asked for what it wanted
            s.until(lambda: s.waiting() or (expect_ok(s.run("true")) and time.sleep(0.3 * SLOW)), "one is made")
            s.stands()
            assert not s.uses(*words), words


def on_a_terminal_it_is_as_before(place):
    with Warm(place) as s:
        before = s.stands()
        with Terminal([place.ambit, "run", "--", "sh", "-c", "test -t 1 && echo there"], s.tree, s.environment) as t:
            t.until("there")
            assert t.end() == 0
        assert s.waiting() == before


def what_changed_meanwhile_is_seen(place):
    granted = os.path.join(place.fresh(), "granted")
    with open(granted, "w", encoding="ascii") as to:
        to.write("old\n")
    with Warm(place, "--work", ".", "--read", granted) as s:
        with open(f"{s.tree}/file", "w", encoding="ascii") as file:
            file.write("one\n")
        expect_ok(s.run("cat", "file", granted), "one\nold\n")
        s.stands()
        for path, text in ((f"{s.tree}/file", "two\n"), (granted, "new\n")):
            with open(path + ".new", "w", encoding="ascii") as file:
                file.write(text)
            os.rename(path + ".new", path)
        expect_ok(s.run("sh", "-c", f"cat file {granted}; echo three > file"), "two\nnew\n")
        with open(f"{s.tree}/file", encoding="ascii") as file:
            assert file.read() == "three\n"
        s.stands()
        with open(f"{s.tree}/.env", "w", encoding="ascii") as file:
            file.write("TOKEN=secret\n")
        result = s.run("cat", ".env")
        assert result.returncode != 0 and "secret" not in result.stdout, told(result)


@rooted
def what_the_host_unmounts_is_free(place):
    """A cell that waits for nobody does not keep it; one that does not have it stays."""
    disk, other = place.fresh(), place.fresh()
    granted = f"{disk}/granted"
    with contextlib.ExitStack() as last:
        for where in (disk, other):
            expect_ok(subprocess.run(["mount", "-t", "tmpfs", "none", where], capture_output=True, text=True, check=False))
            last.callback(subprocess.run, ["umount", "-l", where], stderr=subprocess.DEVNULL, check=False)
        with open(granted, "w", encoding="ascii") as to:
            to.write("on it\n")
        device = os.stat(disk).st_dev
        number = f"{os.major(device)}:{os.minor(device)}"
        with Warm(place, "--work", ".", "--read", granted) as s:
            (supervisor, warden), = s.stands()
            cell, = children(warden)
            namespace = os.readlink(f"/proc/{cell}/ns/mnt")
            with open(f"/proc/{cell}/mountinfo", encoding="utf-8") as file:
                assert number in [line.split()[2] for line in file], "it has nothing of it"
            expect_ok(subprocess.run(["umount", other], capture_output=True, text=True, check=False))
            time.sleep(0.5 * SLOW)
            assert s.waiting() == [(supervisor, warden)]
            expect_ok(subprocess.run(["umount", disk], capture_output=True, text=True, check=False))
            s.until(lambda: state_of(cell) == "Z", "it goes")
            s.until(lambda: namespace not in held_open(supervisor), "and what it was in")
            with open(granted, "w", encoding="ascii") as to:
                to.write("beneath it\n")
            expect_ok(s.run("cat", granted), "beneath it\n")


@rooted
def what_cannot_wait_is_not_tried_again_at_once(place):
    """A directory of another file system would be kept busy by it; nor is it in a session."""
    beside = place.fresh()
    expect_ok(subprocess.run(["mount", "-t", "tmpfs", "none", beside], capture_output=True, text=True, check=False))
    with contextlib.ExitStack() as last:
        last.callback(subprocess.run, ["umount", "-l", beside], check=False)
        s = last.enter_context(Warm(place))

        def faults(pid):
            """Of its own processes that have ended, of which each helper that it began has had one: a cell that ends at once is not missed, as who looks for it may."""
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                return int(file.read().rpartition(")")[2].split()[8])

        def tries(pid, *words):
            """What a command left of that, once it is over."""
            before = faults(pid)
            expect_ok(subprocess.run([place.ambit, "run", *words, "--", "true"], cwd=s.tree, env=s.environment, capture_output=True, text=True, check=False))
            time.sleep(0.6 * SLOW)
            return faults(pid) - before

        session = s.session("--read", beside)
        with s.start("events", "--follow", session) as client, contextlib.ExitStack() as last:
            last.callback(client.kill)
            keeps = s.until(lambda: [pid for pid in commands_of(s, "ambit-session") if command(pid) == "ambit-session"], "there is one")[0]
            for pid, words in ((s.pool(), ("--work", ".", "--read", beside)), (keeps, ("--session", session))):
                counts = [tries(pid, *words) for _ in range(4)]
                assert counts[0] > counts[1] and len(set(counts[1:])) == 1, counts


def who_dies_ends_what_is_his(place):
    """The command line: its event. The daemon, or what keeps cells: nothing that runs."""
    with Warm(place) as s:
        for who in ("ambit", "pool", "daemon"):
            (supervisor, warden), = s.stands()
            with subprocess.Popen([place.ambit, "run", "--", *SAYS], cwd=s.tree, env=s.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
                assert it.stdout.readline() == "up\n"
                assert children(supervisor) == [warden] and supervisor not in s.held(), who
                os.kill({"ambit": it.pid, "pool": s.pool(), "daemon": s.daemon.pid}[who], signal.SIGKILL)
                if who == "ambit":
                    s.until(lambda pid=supervisor: state_of(pid) == "Z", "its event ends")
                    continue
                time.sleep(0.3)
                out, _ = it.communicate("x\n", timeout=SLOW * PATIENCE)
                assert it.returncode == 0 and out == "down\n", (who, out)
            if who == "pool":
                s.until(lambda: s.pool() is None, "it goes")
                time.sleep(1.2)  # no other is started at once
                expect_ok(s.run("true"))
        expect_ok(s.run("echo", "without"), "without\n")
        s.daemon.wait()


def a_signal_reaches_the_program(place):
    """Interrupted, stopped and continued as by a terminal's keys: the command line and its program are in no group together."""
    says = ("sh", "-c", "trap 'echo caught; exit 7' INT; echo up; while :; do sleep 0.05; done")
    with Warm(place) as s:
        for daemon in (True, False):
            (supervisor, warden), = s.stands()
            environment = s.environment if daemon else {**s.environment, "XDG_RUNTIME_DIR": s.elsewhere()}
            with subprocess.Popen([place.ambit, "run", "--", *says], cwd=s.tree, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True) as it:
                assert it.stdout.readline() == "up\n"
                assert daemon == (supervisor not in s.held())
                os.killpg(it.pid, signal.SIGTSTP)
                s.until(lambda pid=it.pid: state_of(pid) == "T", "it stops")
                os.killpg(it.pid, signal.SIGCONT)
                s.until(lambda pid=it.pid: state_of(pid) != "T", "it goes on")
                os.killpg(it.pid, signal.SIGINT)
                out, _ = it.communicate(timeout=SLOW * PATIENCE)
                assert it.returncode == 7 and out == "caught\n", (daemon, it.returncode, out)


def who_does_not_answer_costs_little(place):
    with Warm(place) as s:
        for who in (s.pool(), s.daemon.pid):
            os.kill(who, signal.SIGSTOP)
            begun = time.monotonic()
            expect_ok(s.run("echo", "there"), "there\n")
            took = time.monotonic() - begun
            os.kill(who, signal.SIGCONT)
            assert took < 5 * SLOW, took
        s.until(lambda: s.waiting(), "it goes on")
        for victim in ("supervisor", "warden"):
            s.until(lambda: len(s.waiting()) == 1, "one stands")
            supervisor, warden = s.stands()[0]
            os.kill({"supervisor": supervisor, "warden": warden}[victim], signal.SIGKILL)
            expect_ok(s.run("echo", "there"), "there\n")
            time.sleep(0.3 * SLOW)


def there_are_few_and_they_go_with_the_daemon(place):
    with Warm(place) as s:
        for n in range(10):
            os.mkdir(f"{s.tree}/{n}")
            expect_ok(s.ambit("run", "--workspace", f"{s.tree}/{n}", "--work", ".", "--", "true"))
            time.sleep(0.3 * SLOW)
        kept = s.stands(8)
        stages = json.loads(expect_ok(s.ambit("stage", "list", "--json")).stdout)
        assert not [row for row in stages["stages"] if row["state"] == "running"], stages
        expect_ok(s.ambit("serve", "--stop"))
        s.until(lambda: all(state_of(pid) == "Z" for pid, _ in kept), "all go")
        s.daemon.wait()


def a_daemon_that_became_another_keeps_them_too(place):
    with Warm(place) as s:
        expect_ok(s.ambit("serve", "--reload"))
        s.until(lambda: not s.waiting(), "what waited goes")
        expect_ok(s.run("true"))
        s.stands()
        assert s.uses()


def with_many_at_once_all_is_well(place):
    """Each has a cell of its own, whoever gets the one that waits."""
    with Warm(place, "--work", ".") as s:
        for _ in range(3):
            all_ = [s.start("run", "--work", ".", "--", "sh", "-c", f"echo {n} > {n}; echo {n}") for n in range(6)]
            for n, one in enumerate(all_):
                out, err = one.communicate(timeout=SLOW * PATIENCE)
                assert one.returncode == 0 and out == f"{n}\n", (n, out, err)
        assert sorted(os.listdir(s.tree)) == list("012345")


def what_it_may_not_say_ends_a_connection_and_no_more(place):
    def ask(path, *messages):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.settimeout(SLOW * PATIENCE)
            sock.connect(path)
            for message in messages:
                sock.send(message)
            return sock.recv(65536)

    with Warm(place) as s:
        path, before = f"{s.run_dir}/ambit/pool.sock", s.stands()
        head = struct.pack("<HH", ASK, 0)
        for messages in ((b"",), (b"\0" * 3,), (struct.pack("<HH", NONE, 0),), (struct.pack("<HH", 320, 0),), (head + b"\0" * 65001,)):
            assert ask(path, *messages) == b"", messages
        for body in (b"", b"\xff" * 40, struct.pack("<IQI", 0, 1024, 4) + b"same", struct.pack("<IQI", 0, 1024, 0xffffffff)):
            assert ask(path, head + body)[:2] == struct.pack("<H", NONE), body
        assert s.waiting() == before
        assert s.uses()


# Asks as who is told how to, and says how far it came.
ASKS = """
import os, socket
print('sees', os.access(sys.argv[1], os.W_OK), flush=True)
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(30)
s.connect(sys.argv[1])
try:
    s.send(bytes.fromhex(sys.argv[2]))
    print('heard', int.from_bytes(s.recv(65536)[:2], 'little'))
except OSError:
    print('heard', 0)
"""
OFFERS = """
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(sys.argv[1])
s.listen(4)
print('listens', flush=True)
c, _ = s.accept()
c.settimeout(30)
print('heard', c.recv(1 << 17).hex(), flush=True)
"""

# What a process of the person's that may write where the daemon's sockets are can be all the same.
CONFINEMENTS = {"no_new_privs": NO_NEW, "a filter": NO_NEW + FILTERED, "users": "must(libc.unshare(0x10000000))", "mounts": "must(libc.unshare(0x10020000))", "network": "must(libc.unshare(0x50000000))",
                "processes": "must(libc.unshare(0x30000000))\nif os.fork():\n    os.wait()\n    sys.exit()"}


def offered(s, how, path, run_dir):
    """What it hears of a command line, who offers a cell as this makes it."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with subprocess.Popen([sys.executable, "-c", f"{BECOME}{how}\n{OFFERS}", path], stdout=subprocess.PIPE, text=True) as it:
        line = it.stdout.readline()
        if line.startswith("cannot: "):
            raise Skip(line[8:].strip())
        assert line == "listens\n", line
        expect_ok(s.ambit("run", *s.words, "--", "echo", "there", env={"XDG_RUNTIME_DIR": run_dir}), "there\n")
        heard = it.stdout.readline().removeprefix("heard").strip()
    os.unlink(path)
    return heard


def asked_by(s):
    """What a command line asks for, if that is what waits."""
    os.makedirs(f"{s.elsewhere()}/ambit", mode=0o700, exist_ok=True)
    return offered(s, "", f"{s.elsewhere()}/ambit/pool.sock", s.elsewhere())


def no_cell_reaches_it(place):
    """Whatever it was granted; and where a person gave up that cells reach no sockets, there is none for it, though it asks as who would be given one."""
    with Warm(place) as s:
        directory = f"{s.run_dir}/ambit"
        rest = ("python3", "-c", "import sys" + ASKS, f"{directory}/pool.sock", asked_by(s))
        for words, sees in (((), False), (("--work", "."), False), (("--read", directory), True), (("--write", directory), True), (("--work", directory), True), (("--direct", "--write", directory), True),
                            (("--connect", f"unix:{directory}/pool.sock"), True)):
            result = s.ambit("run", *words, "--", *rest)
            assert result.returncode == 1 and result.stdout == f"sees {sees}\n", (words, told(result))
        for words in (("--read", directory, "--without", "sockets"), ("--direct", "--write", directory, "--without", "sockets")):
            expect_ok(s.ambit("run", *words, "--", *rest), f"sees True\nheard {NONE if os.geteuid() != 0 else 0}\n")  # root's cells are another user's
        s.until(lambda: expect_ok(subprocess.run(rest, capture_output=True, text=True, check=False)).stdout == f"sees True\nheard {GIVEN}\n", "who is as it is gets one")


def who_is_confined_is_given_none(place):
    """Also if it says of itself what a command line would that is not."""
    with Warm(place) as s:
        ask, path, tried = asked_by(s), f"{s.run_dir}/ambit/pool.sock", 0
        for what, how in {**CONFINEMENTS, "not": ""}.items():
            before = s.stands(len(s.waiting()) or 1)
            result = subprocess.run([sys.executable, "-c", f"{BECOME}{how}\n{ASKS}", path, ask], capture_output=True, text=True, check=False)
            if "cannot" in result.stdout:
                print(f"# not tried, {what}: {result.stdout.strip()}")
                continue
            expect_ok(result, f"sees True\nheard {NONE if how else GIVEN}\n")
            assert (s.waiting() == before) or not how, what
            tried += 1
        assert tried >= 3, tried


def who_is_confined_offers_none(place):
    """And is told nothing, not even what is asked for."""
    with Warm(place) as s:
        path, tried = f"{s.run_dir}/ambit/pool.sock", 0
        for what, how in {**CONFINEMENTS, "not": ""}.items():
            try:
                heard = offered(s, how, path, s.run_dir)
            except Skip as why:
                print(f"# not tried, {what}: {why}")
                continue
            assert (heard == "") == (how != ""), (what, heard[:8])
            tried += 1
        assert tried >= 3, tried


@rooted
@always
def another_user_takes_none_and_offers_none(place):
    become = f"import os, socket, sys\nos.setgroups([]); os.setgid({ORDINARY}); os.setuid({ORDINARY})\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
    with Warm(place) as s:
        path = f"{s.run_dir}/ambit/pool.sock"
        for directory in (place.top, s.home, s.run_dir, f"{s.run_dir}/ambit"):
            os.chmod(directory, 0o755)
        os.chmod(path, 0o777)
        say = f"s.settimeout(10)\ns.connect(sys.argv[1])\ntry:\n    s.send(bytes([{ASK & 255}, {ASK >> 8}]) + bytes(50))\n    print('heard', len(s.recv(65536)))\nexcept OSError as e:\n    print('heard', 0, e)\n"
        for who, hears in ((become, "heard 0"), (become.split("\n", 1)[0].split(";", 1)[0] + "\nimport socket\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n", "heard 4")):
            result = subprocess.run([sys.executable, "-c", who + say, path], capture_output=True, text=True, check=False)
            assert hears in result.stdout, (who, told(result))
        s.until(lambda: s.waiting(), "it is there")
        os.unlink(path)
        os.chmod(f"{s.run_dir}/ambit", 0o777)
        offer = "s.bind(sys.argv[1])\ns.listen(4)\nos.chmod(sys.argv[1], 0o777)\nprint('listens', flush=True)\nc, _ = s.accept()\nc.settimeout(10)\nprint('heard', len(c.recv(65536)), flush=True)\n"
        with subprocess.Popen([sys.executable, "-c", become + offer, path], stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout.readline() == "listens\n"
            expect_ok(s.run("echo", "there"), "there\n")
            assert other.stdout.readline() == "heard 0\n"
        for directory in (f"{s.run_dir}/ambit", s.run_dir, s.home):
            os.chmod(directory, 0o700)


def a_minute_counts_also_while_the_machine_sleeps(place):
    """Whoever keeps what waits is woken by such a clock (what it does then: what_nobody_wants_goes_after_a_minute)."""
    def clocks(pid):
        found = []
        for number in os.listdir(f"/proc/{pid}/fdinfo"):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii") as file:
                found += [(clock[1], int(left[1])) for text in [file.read()] if (clock := re.search("clockid: ([0-9]+)", text)) and (left := re.search(r"it_value: \(([0-9]+),", text))]
        return found

    with Warm(place) as s:
        session = s.session()
        with s.start("events", "--follow", session) as client, contextlib.ExitStack() as last:  # or its process rests
            last.callback(client.kill)
            keeps = s.until(lambda: [pid for pid in commands_of(s, "ambit-session") if command(pid) == "ambit-session"], "there is one")
            expect_ok(s.ambit("run", "--session", session, "--", "true"))
            for pid in (s.pool(), keeps[0]):
                s.until(lambda pid=pid: any(clock == str(time.CLOCK_BOOTTIME) and 0 < left < 60 for clock, left in clocks(pid)), "it has such a timer")


def what_nobody_wants_goes_after_a_minute(place):
    with Warm(place) as s:
        (supervisor, _), = s.stands()
        time.sleep(62)
        s.until(lambda: state_of(supervisor) == "Z", "it goes")
        time.sleep(62)
        s.until(lambda: s.pool() is None, "and what keeps them")
        expect_ok(s.run("true"))
        s.stands()


def held_open(pid):
    """What its descriptors are of; one may go meanwhile."""
    found = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/{pid}/fd/{number}"))
    return found


def command(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii") as file:
        return file.read().strip()
    return ""


SCENARIOS = [the_next_run_has_what_waits, the_record_is_the_same, an_event_is_of_the_time_when_it_began, code_has_its_interpreter, no_interpreter_waits_that_may_read_what_is_written, what_differs_has_a_cell_of_its_own, what_is_confined_has_a_cell_that_is, who_is_traced_has_a_cell_of_his_own,
             another_control_group_has_a_cell_of_its_own, what_does_not_reach_a_cell_makes_no_difference, another_request_has_a_cell_of_its_own,
             there_are_as_many_as_ran_at_once, on_a_terminal_it_is_as_before, what_changed_meanwhile_is_seen, what_the_host_unmounts_is_free, what_cannot_wait_is_not_tried_again_at_once, who_dies_ends_what_is_his, a_signal_reaches_the_program, who_does_not_answer_costs_little, there_are_few_and_they_go_with_the_daemon,
             a_daemon_that_became_another_keeps_them_too, with_many_at_once_all_is_well, what_it_may_not_say_ends_a_connection_and_no_more, no_cell_reaches_it,
             who_is_confined_is_given_none, who_is_confined_offers_none, a_minute_counts_also_while_the_machine_sleeps,
             another_user_takes_none_and_offers_none]
if "AMBIT_SOAK" in os.environ:
    SCENARIOS.append(what_nobody_wants_goes_after_a_minute)  # takes two

if __name__ == "__main__":
    main(SCENARIOS)
