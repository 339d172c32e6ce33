#!/usr/bin/env python3
"""Copies of one interpreter, in the cells of a session's events of Python: they are in their own cells and behind their own walls, and what happens to the one that they are copies of.

As root there are none: each of its cells has an id of its own. usage: code_copies.py AMBIT    (TAP on standard output; as root everything runs as an ordinary user as well)
"""

import json
import os
import signal
import socket
import subprocess
import time

from code_isolation import Coding, cmdline, is_copy, is_template, stat_of
from harness import SLOW, always, expect_ok, main, told, write
from session_ready import children, state_of
from sessions_hostile import held_by

IS_ROOT = os.geteuid() == 0
WHOSE = "import os\nprint(os.getppid(), hash('text'))"
KINDS = ("user", "mnt", "pid", "ipc", "uts", "net", "cgroup")


class Copying(Coding):
    def template(self, session):
        """What its events are copies of; None: there is none."""
        for supervisor in held_by(self.role(session)):
            for warden in children(supervisor):
                for pid in children(warden):
                    if cmdline(pid).startswith(b"python3\0") and is_template(pid):
                        return pid
        return None

    def copied(self, session, source, *words):
        """Run by a copy; its output."""
        self.waits(session, "python")
        return expect_ok(self.code(session, "python", source, *words)).stdout

    def whose(self, session, *words):
        """Whether an event is a copy, and of which: by its seed."""
        parent, seed = expect_ok(self.code(session, "python", WHOSE, *words)).stdout.split()
        return seed if parent == "0" else None


@always
def as_root_there_are_none(place):
    with Copying(place) as s:
        session = s.begin()
        for _ in range(4):
            assert s.whose(session) is None
        assert s.template(session) is None


def namespaces(pid):
    return {kind: os.readlink(f"/proc/{pid}/ns/{kind}") for kind in KINDS}


def a_copy_is_in_its_own_cell(place):
    """In all namespaces of its warden, in none of the template's; its root is the cell's. So are those that it starts."""
    with Copying(place) as s:
        session = s.begin()
        pid = s.waits(session, "python")
        assert is_copy(pid)
        template = int(stat_of(pid)[1])
        wardens = [w for supervisor in held_by(s.role(session)) for w in children(supervisor) if namespaces(w)["pid"] == namespaces(pid)["pid"]]
        assert len(wardens) == 1 and namespaces(wardens[0]) == namespaces(pid), (namespaces(wardens[0]), namespaces(pid))
        theirs = namespaces(template)
        assert not [kind for kind in KINDS if kind != "cgroup" and theirs[kind] == namespaces(pid)[kind]], theirs
        assert os.stat(f"/proc/{pid}/root").st_dev == os.stat(f"/proc/{wardens[0]}/root").st_dev != os.stat(f"/proc/{template}/root").st_dev
        assert namespaces(template)["user"] == namespaces(int(stat_of(template)[1]))["user"]


PROBES = """
import ctypes, errno, json, os, socket
libc, found = ctypes.CDLL(None, use_errno=True), {}
def tries(name, deed):
    try:
        found[name] = str(deed())
    except OSError as problem:
        found[name] = errno.errorcode[problem.errno]
def call(number, *words):
    if (r := libc.syscall(number, *words)) < 0:
        raise OSError(ctypes.get_errno(), "")
    return r
tries("processes", lambda: [n for n in os.listdir("/proc") if n.isdigit()] == [str(os.getpid())])
tries("a child of its parent's", lambda: call(56, 0x8000 | 17, 0, 0, 0, 0) or os._exit(0))
tries("a namespace of its own cell", lambda: call(308, os.open("/proc/self/ns/uts", os.O_RDONLY), 0))
tries("another user", lambda: call(272, 0x10000000))
tries("a limit", lambda: call(302, 0, 7, ctypes.byref((ctypes.c_uint64 * 2)(1 << 30, 1 << 30)), None))
tries("a keyring", lambda: call(250, 1, 0))
tries("a host name", lambda: call(170, b"mine", 4))
tries("a mount", lambda: call(165, b"none", b"/tmp", b"tmpfs", 0, None))
tries("what was not granted", lambda: open(%r).read())
tries("what it may only read", lambda: open("/etc/passwd", "a"))
tries("the warden's memory", lambda: open("/proc/1/mem", "rb"))
tries("the warden", lambda: os.kill(1, 9))
tries("a server of the template's", lambda: [os.readlink("/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd") if os.path.lexists("/proc/self/fd/" + fd)
                                             and "socket" in os.readlink("/proc/self/fd/" + fd)])
tries("capabilities", lambda: [line.split()[1] for line in open("/proc/self/status") if line.startswith("Cap") and set(line.split()[1]) != {"0"}])
tries("privileges", lambda: [line.split()[1] for line in open("/proc/self/status") if line.startswith("NoNewPrivs")])
print(json.dumps(found))
"""
HELD = {"processes": "True", "a child of its parent's": "EPERM", "a namespace of its own cell": "EPERM", "another user": "EPERM", "a limit": "EPERM", "a keyring": "EPERM", "a host name": "EPERM", "a mount": "EPERM",
        "what was not granted": ("EACCES", "ENOENT"), "what it may only read": ("EACCES", "EROFS"), "the warden's memory": "ENOENT", "the warden": "EPERM",
        "a server of the template's": "[]", "capabilities": "[]", "privileges": "['1']"}


def a_copy_has_the_wall_of_an_event(place):
    """And what is refused to it is what is refused to one that was started; outside of cells the probes find what they look for."""
    with Copying(place) as s:
        secret = write(f"{os.path.dirname(s.tree)}/secret", "secret\n") or f"{os.path.dirname(s.tree)}/secret"
        session, cold = s.begin(), s.cold()
        source = PROBES % secret
        found = json.loads(s.copied(session, source))
        wrong = {name: found[name] for name, held in HELD.items() if found[name] not in (held if isinstance(held, tuple) else (held,))}
        assert not wrong and set(found) == set(HELD), (wrong, found)
        assert found == json.loads(expect_ok(s.code(cold, "python", source)).stdout)
        bare = json.loads(expect_ok(place.run("/usr/bin/python3", "-c", source, cwd=s.tree)).stdout)
        assert bare["what was not granted"] == "secret\n" and bare["processes"] == "False" and bare["privileges"] == "['0']" and bare["a child of its parent's"].isdigit(), bare


def what_it_used_is_counted(place):
    """Though its warden did not wait for it: time, memory, what it wrote."""
    with Copying(place) as s:
        session = s.begin()
        source = ("import os, time\nx = bytearray(100 << 20)\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass\n"
                  "with open('big', 'wb') as f:\n    f.write(b'x' * (3 << 20)); f.flush(); os.fsync(f.fileno())\nprint(os.getppid())")
        record = f"{os.path.dirname(s.tree)}/record.json"

        def used():
            with open(record, encoding="utf-8") as file:
                return json.load(file)["usage"]
        assert s.copied(session, source, "--record", record) == "0\n"
        copy = used()
        expect_ok(s.code(s.cold(), "python", source, "--record", record), "1\n")
        started = used()
        for usage in (copy, started):
            assert usage["cpu"]["user_ms"] + usage["cpu"]["system_ms"] >= 390 and usage["memory"]["peak_bytes"] >= 100 << 20, (copy, started)
            assert usage["disk"]["written_bytes"] < 5 << 20, (copy, started)
        assert copy["disk"]["written_bytes"] * 10 >= started["disk"]["written_bytes"] * 9, (copy, started)


def what_it_wrote_counts_once(place):
    """Also where the supervisor looks between its end and its template's word: an interpreter with much memory is a while about it."""
    source = "x = bytearray(100 << 20)\nwith open('big', 'wb') as f:\n    f.write(b'x' * (3 << 20))"
    with Copying(place) as s:
        session, record = s.begin(), f"{os.path.dirname(s.tree)}/record.json"
        for _ in range(15):
            s.copied(session, source, "--record", record)
            with open(record, encoding="utf-8") as file:
                usage = json.load(file)["usage"]["disk"]
            assert usage["written_bytes"] < 5 << 20, usage


def how_it_ends_is_told(place):
    with Copying(place) as s:
        session = s.begin()
        for source, status in (("raise SystemExit(7)", 7), ("import os\nos.kill(os.getpid(), 9)", 137), ("import os\nos.abort()", 134), ("1/0", 1), ("import os\nos._exit(3)", 3),
                               ("import os\nos.fork()\nos._exit(0)", 0), ("import os, sys\nos.execv(sys.executable, ['python3', '-c', 'raise SystemExit(9)'])", 9)):
            assert is_copy(s.waits(session, "python"))
            result = s.code(session, "python", source)
            assert result.returncode == status, (source, told(result))


def one_that_is_stopped_is_told(place):
    """By its template, whose child it is."""
    with Copying(place) as s:
        session = s.begin()
        s.waits(session, "python")
        run = s.start("run", "--session", session, "--python", stdin=subprocess.PIPE)
        run.stdin.write("import os, signal\nprint(os.getppid(), flush=True)\nos.kill(os.getpid(), signal.SIGSTOP)\nprint('on')")
        run.stdin.close()
        s.until(lambda: s.events(session)[-1]["stopped"], "it is stopped")
        pid, = s.interpreters(session, "python")
        os.kill(pid, signal.SIGCONT)
        assert run.stdout.read() == "0\non\n" and run.wait(timeout=30 * SLOW) == 0


def another_limit_has_its_own(place):
    with Copying(place) as s:
        session = s.begin()
        s.waits(session, "python")
        seed = s.whose(session)
        assert seed is not None
        assert s.whose(session, "--limit", "files=200") is None
        s.waits(session, "python")
        assert s.whose(session) == seed


def after_so_many_copies_there_is_another(place):
    """Since none of them has a seed of its own."""
    with Copying(place) as s:
        session = s.begin()
        s.waits(session, "python")
        seeds = [s.whose(session) for _ in range(112)]
        copies = [seed for seed in seeds if seed is not None]
        assert len(copies) >= 50 and len(set(copies)) >= 2, (len(copies), set(copies))
        most = max(copies.count(seed) for seed in copies)
        assert most <= 100, most


def if_the_template_dies_the_session_goes_on(place):
    """What waits goes with it, and what runs is lost; the next one starts its own."""
    with Copying(place) as s:
        session = s.begin()
        pid = s.waits(session, "python")
        assert is_copy(pid)
        os.kill(s.template(session), signal.SIGKILL)
        s.until(lambda: state_of(pid) in ("", "Z"), "its copies go with it")
        assert s.whose(session) is None
    with Copying(place) as s:
        session = s.begin()
        s.waits(session, "python")
        run = s.start("run", "--session", session, "--python", stdin=subprocess.PIPE)
        run.stdin.write("import os, time\nopen('made', 'w').close()\nprint(os.getppid(), flush=True)\ntime.sleep(600)")
        run.stdin.close()
        assert run.stdout.readline() == "0\n"
        os.kill(s.template(session), signal.SIGKILL)
        assert run.wait(timeout=30 * SLOW) != 0
        event = s.events(session)[-1]
        assert event["state"] == "over" and event["cause"] == "lost" and not os.path.exists(f"{s.tree}/made"), event
        assert s.whose(session) is None


def a_template_that_is_stopped_is_none(place):
    """It would make no copies, and tell no ends: it goes, with what waits."""
    with Copying(place) as s:
        session = s.begin()
        pid = s.waits(session, "python")
        template = s.template(session)
        os.kill(template, signal.SIGSTOP)
        s.until(lambda: state_of(template) in ("", "Z") and state_of(pid) in ("", "Z"), "it goes")
        assert s.whose(session) is None


def nothing_of_it_is_left(place):
    """When the session ends, or nobody is there any more."""
    with Copying(place) as s:
        session = s.begin()
        s.waits(session, "python")
        template = s.template(session)
        expect_ok(s.ambit("session", "end", session))
        s.until(lambda: state_of(template) in ("", "Z"), "the template goes")
    with Copying(place) as s:
        session = s.begin()
        pid = s.waits(session, "python")
        template = s.template(session)
        os.kill(s.role(session), signal.SIGKILL)
        s.until(lambda: state_of(template) in ("", "Z") and state_of(pid) in ("", "Z"), "the template and its copy go")


def prefix_with(s, **modules):
    """An environment that has these besides: where it lies, and where they do."""
    prefix = f"{os.path.dirname(s.tree)}/prefix"
    expect_ok(s.place.run("/usr/bin/python3", "-m", "venv", "--without-pip", prefix, cwd=os.path.dirname(s.tree)))
    packages, = [f"{at}/site-packages" for at, inner, _ in os.walk(prefix) if "site-packages" in inner and not os.path.islink(at)]
    for name, text in modules.items():
        write(f"{packages}/{name}.py", text)
    return prefix, packages


def with_modules(s, **modules):
    """A session whose interpreter has these besides, which it loads before any code comes. Files are granted one by one: where a directory may only be read, nothing waits."""
    prefix, packages = prefix_with(s, **modules)
    grants = [word for file in (f"{prefix}/pyvenv.cfg", *(f"{packages}/{name}.py" for name in modules)) for word in ("--read", file)]
    return s.begin(*grants, "--run", f"{prefix}/bin/python3", "--warm", " ".join([f"python={prefix}/bin/python3", *modules]))


KEYS = """
import os, ssl, sys, tempfile
print(os.getppid(), os.getpid())
print(ssl.RAND_bytes(8).hex(), tempfile.mktemp())
sys.stdout.flush()
if os.fork() == 0:
    print(ssl.RAND_bytes(8).hex(), tempfile.mktemp(), flush=True)
    os._exit(0)
_ = os.wait()
"""


def keys_are_their_own(place):
    """Who has drawn one sees by its number that it is another process now. So no process of an event has the template's, whose modules are the system's."""
    with Copying(place) as s:
        session = s.begin("--warm", "python ssl tempfile")
        said, numbers = [], set()

        def enough():
            parent, number, *words = expect_ok(s.code(session, "python", KEYS)).stdout.split()
            if parent == "0":
                said.append(words)
                with open(f"/proc/{s.template(session)}/status", encoding="ascii") as status:
                    numbers.add((number, *(line.split()[-1] for line in status if line.startswith("NSpid:"))))
            time.sleep(0.2 * SLOW)
            return len(said) == 3
        s.until(enough, "they are copies")
        assert len({word for words in said for word in words}) == sum(map(len, said)) == 12, said
        assert all(int(own) < int(template) for own, template in numbers), numbers


SHARED = {"nothing": ("", True), "memory": ("import mmap\nroom = mmap.mmap(-1, 4096)\n", False), "a descriptor": ("file = open('/etc/passwd', 'rb')\n", False),
          "a thread": ("import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n", False)}


def nothing_that_a_module_keeps_is_shared(place):
    """Memory that it maps would be the same in all copies, and a descriptor or a thread missing in them: such an interpreter says so, and ends. It is started here as a session starts one, since only the
    system's is ever one there."""
    with Copying(place) as s:
        driver = cmdline(s.waits(s.begin(), "python")).split(b"\0")[3].decode()
        for what, (module, serves) in SHARED.items():
            prefix, _ = prefix_with(s, shared=module)
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with ours, theirs, open(os.path.join(os.path.dirname(place.ambit), "ambit-template.so"), "rb") as loaded:
                process = subprocess.Popen(["sh", "-c", f'exec "$@" 3<&{theirs.fileno()} 4<&{loaded.fileno()} {theirs.fileno()}<&- {loaded.fileno()}<&-', "sh",
                                            f"{prefix}/bin/python3", "-I", "-c", driver, "shared", "/"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           pass_fds=(theirs.fileno(), loaded.fileno()))
                theirs.close()
                ours.settimeout(30 * SLOW)
                said = ours.recv(64)
                assert bool(said) == serves, (what, said)
                ours.close()
                process.communicate(timeout=30 * SLOW)
                assert process.returncode == 2, (what, process.returncode)


def one_whose_libraries_may_be_written_is_not_copied(place):
    """The template would have none of them."""
    with Copying(place) as s:
        prefix, _ = prefix_with(s, theirs="x = 1\n")
        session = s.begin("--read", f"{prefix}/pyvenv.cfg", "--run", f"{prefix}/bin/python3", "--write", f"{prefix}/lib", "--warm", f"python={prefix}/bin/python3")
        for _ in range(8):
            assert expect_ok(s.code(session, "python", "import os, theirs\nprint(os.getppid(), theirs.x)")).stdout == "1 1\n"
            time.sleep(0.2 * SLOW)


def modules_of_others_are_in_no_template(place):
    """It can do what they like with the cells of all copies: who brings an interpreter or modules of his own has each started behind the wall of its event."""
    with Copying(place) as s:
        session = with_modules(s, theirs="import os\nwho = os.getppid()\n")
        for _ in range(8):
            assert expect_ok(s.code(session, "python", "import os, sys\nprint(os.getppid(), sys.modules['theirs'].who)")).stdout == "1 1\n"
            assert s.template(session) is None
            time.sleep(0.1 * SLOW)


def its_streams_are_its_own(place):
    """What they can do is asked of those of the event, and not of the template's."""
    with Copying(place) as s:
        warm, cold = s.begin(), s.cold()
        write(f"{s.tree}/looks.py", "import os, sys\nsays = [(f.name, f.mode, f.encoding, f.errors, f.seekable(), f.buffer.seekable(), f.isatty(), f.line_buffering, f.buffer.name)\n"
                                    "        for f in (sys.stdin, sys.stdout, sys.stderr, sys.__stdin__)]\nprint(os.getppid(), says, sys.stdin is sys.__stdin__, repr(sys.stdin.read()), file=sys.stderr)\n")
        s.waits(warm, "python")
        for stream in ("a pipe", "nothing", "a file"):
            said = []
            for session in (warm, cold):
                with open("/etc/passwd" if stream == "a file" else os.devnull, encoding="utf-8") as file, open(f"{os.path.dirname(s.tree)}/out", "w", encoding="utf-8") as out:
                    run = subprocess.Popen([place.ambit, "run", "--session", session, "--python", "looks.py"], cwd=s.tree, env=s.environment, text=True,
                                           stdin=subprocess.PIPE if stream == "a pipe" else file, stdout=out, stderr=subprocess.PIPE)
                    said.append(run.communicate("words" if stream == "a pipe" else None, timeout=30 * SLOW)[1])
                assert run.returncode == 0, said
            assert said[0].startswith("0 ") and said[1].startswith("1 ") and said[0][1:] == said[1][1:], (stream, said)


# Of each user his own: the other's would have nothing to try.
SCENARIOS = [as_root_there_are_none] if IS_ROOT else [
    a_copy_is_in_its_own_cell, a_copy_has_the_wall_of_an_event, what_it_used_is_counted, what_it_wrote_counts_once, how_it_ends_is_told, another_limit_has_its_own, one_that_is_stopped_is_told, keys_are_their_own,
    nothing_that_a_module_keeps_is_shared, one_whose_libraries_may_be_written_is_not_copied, modules_of_others_are_in_no_template, its_streams_are_its_own,
    after_so_many_copies_there_is_another, if_the_template_dies_the_session_goes_on, a_template_that_is_stopped_is_none, nothing_of_it_is_left]

if __name__ == "__main__":
    main(SCENARIOS)
