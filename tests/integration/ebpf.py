#!/usr/bin/env python3
"""What programs in the kernel see of a cell: the same as notifications, of that cell alone, and out of its reach; what is lost is counted, and where it cannot be, it is refused.

usage: ebpf.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import json
import os
import platform
import shutil
import signal
import struct
import subprocess
import time

from harness import PATIENCE, SLOW, Skip, expect_ok, main, need, room_of, rooted, told, write
from ledger import Ledger
from session_ready import Waiting, children, cmdline
from sessions import Served

EBPF = ("--observe", "ebpf")
NOTIFIED = ("--observe", "full")

# One call of each kind that is seen, and of each way to name something.
EVERYTHING = r"""
import ctypes, os, socket, threading
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
top = os.getcwd()
def tried(what, *words, **more):
    try: return what(*words, **more)
    except OSError: return None
open("a.txt", "w").close()
os.rename("a.txt", "b.json"); os.link("b.json", "c.txt"); os.symlink("b.json", "s")
os.mkdir("dir"); os.chmod("b.json", 0o600); os.truncate("b.json", 3); tried(os.chown, "b.json", os.getuid(), os.getgid())
fd = os.open("dir", os.O_RDONLY | os.O_DIRECTORY)
os.close(os.open("x.py", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
os.rename("x.py", "y.py", src_dir_fd=fd, dst_dir_fd=fd)
os.unlink("y.py", dir_fd=fd)
libc.openat(fd, b"", 0)
os.chdir("dir"); os.rmdir(top + "/dir")
for name in ("gone", "../../x", "", "//etc//passwd", "/etc/./hostname"): tried(os.open, name, os.O_RDONLY)
os.chdir("/proc/self"); open("status").close()
os.chdir("/usr/lib"); open("os-release").close()
os.chdir("/"); tried(os.open, "etc/hostname", os.O_RDONLY)
os.chdir(top)
def connect(family, address):
    with socket.socket(family) as s: tried(s.connect, address)
connect(socket.AF_INET, ("127.0.0.1", 80)); connect(socket.AF_INET6, ("::1", 443))
connect(socket.AF_INET6, ("::ffff:192.0.2.1", 443)); connect(socket.AF_UNIX, "/run/x.sock"); connect(socket.AF_UNIX, "\0abstract")
s = socket.socket(); libc.connect(s.fileno(), b"\2", 1); libc.connect(s.fileno(), None, 16); libc.connect(s.fileno(), b"\0" * 16, 16)
for address in (0, 1, 2 ** 63): libc.open(ctypes.c_void_p(address), 0)
libc.open(b"/" + b"x" * 5000, 0); libc.open(b"/" + b"y" * 300 + b"/z", 0); libc.open(b"z" * 4095, 0)
for number in (-1, 77, 1 << 20): libc.openat(number, b"rel", 0)
r, w = os.pipe(); libc.openat(r, b"rel", 0)
page = os.open("page", os.O_CREAT | os.O_RDWR)
os.write(page, b"/etc/passwd\0".ljust(4096, b"\0") + b"/usr/bin/true".ljust(4096, b"\0") + b"true".ljust(4096, b"\0"))
def absent(at=0):
    # of a file, and looked at by nobody yet
    return ctypes.c_void_p(libc.mmap(None, 4096, 1, 2, page, at))
libc.open(absent(), 0); libc.rename(absent(), absent()); libc.execve(absent(), None, None)
if os.fork() == 0:
    # it succeeds, and this memory is gone then
    libc.execve(absent(4096), (ctypes.c_char_p * 2)(b"true", None), None)
os.wait()
def by_descriptor(flags, given):
    # likewise, named by a directory that stays open
    at = os.open(given, os.O_PATH)
    os.set_inheritable(at, True)
    for number in (at, os.dup2(at, 123)):
        if os.fork() == 0:
            libc.syscall({ "x86_64": 322, "aarch64": 281 }[os.uname().machine], number, ctypes.c_void_p(absent(8192).value + (0 if flags == 0 else 4)), (ctypes.c_char_p * 2)(b"true", None), None, flags)
            os._exit(1)
        os.wait()
    os.close(at); os.close(123)
by_descriptor(0, "/usr/bin"); by_descriptor(0x1000, "/usr/bin/true")
def many(n):
    for _ in range(50): os.close(os.open("/etc/hostname", os.O_RDONLY))
for t in [threading.Thread(target=many, args=(n,)) for n in range(4)]: t.start(); t.join()
os.system("true")
os.execvp("ls", ["ls", "/"])
"""


def can(place):
    """Skips, with the reason, where this host cannot."""
    if os.geteuid() != 0:
        raise Skip("an ordinary user may not load programs into the kernel")
    done = place.cell("--no-ledger", *EBPF, "--", "true", cwd=place.fresh())
    if done.returncode == 125 and "eBPF" in done.stderr:
        raise Skip(" ".join(done.stderr.split()))
    expect_ok(done)


def recorded(place, *words, status=0, cwd=None, **more):
    record = os.path.join(place.fresh(), "record")
    done = place.cell("--no-ledger", "--record", record, *words, cwd=cwd or place.fresh(), **more)
    assert status is None or done.returncode == status, told(done)
    return read(record)


def read(record):
    with open(record, encoding="utf-8") as file:
        return json.load(file)


def lines(place, record):
    path = os.path.join(place.fresh(), "record")
    write(path, json.dumps(record))
    shown = expect_ok(place.run(place.ambit, "trace", "--lines", path, cwd=place.top)).stdout
    return [line.split(" ") for line in shown.splitlines()]


def symbols(place, record):
    return {s for line in lines(place, record) for s in line}


def both(place, code):
    """By notifications and by eBPF: the records, of the same work in trees of their own."""
    tree = [place.fresh(), place.fresh()]
    for at in tree:
        write(f"{at}/a.py", code)
    return [recorded(place, *how, "--work", ".", "--", "/usr/bin/python3", "-S", "-E", "-s", "a.py", cwd=at, status=None) for how, at in zip((NOTIFIED, EBPF), tree)]


def attached(pid):
    """How many programs of that role's are attached."""
    n = 0
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            n += "bpf_link" in os.readlink(f"/proc/{pid}/fd/{fd}")
    except OSError:
        pass
    return n


def observers(place):
    """Of this test's own executables."""
    own = os.path.join(os.path.dirname(place.ambit), "ambit-ebpf")
    found = subprocess.run(["pgrep", "-x", "ambit-ebpf"], capture_output=True, text=True).stdout.split()
    return {int(pid) for pid in found if os.path.exists(f"/proc/{pid}/exe") and os.readlink(f"/proc/{pid}/exe") == own}


def observer(place):
    """The one that watches just now: others of it may be there, of other homes."""
    return next((pid for pid in observers(place) if attached(pid) > 0), None)


def until(holds, what):
    end = time.monotonic() + SLOW * PATIENCE
    while not (result := holds()):
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)
    return result


class Running:
    """A cell that says that it is there, and ends when it is told to."""

    def __init__(self, place, code, *words):
        self.record = os.path.join(place.fresh(), "record")
        self.tree = place.fresh()
        write(f"{self.tree}/a.py", code)
        self.process = subprocess.Popen([place.ambit, "run", "--no-ledger", "--record", self.record, *words, "--work", ".", "--", "/usr/bin/python3", "-u", "-S", "-E", "-s", "a.py"], cwd=self.tree,
                                        env=place.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout.readline() == "here\n"

    def program(self):
        (pid,) = subprocess.run(["pgrep", "-f", "-n", "^/usr/bin/python3 -u -S -E -s a.py"], capture_output=True, text=True).stdout.split()
        return int(pid)

    def end(self):
        self.process.communicate("\n", timeout=SLOW * PATIENCE)
        return read(self.record)


# ---- what is seen ----


@rooted
def both_see_the_same(place):
    can(place)
    notified, ebpf = both(place, EVERYTHING)
    assert (notified["trace"]["by"], ebpf["trace"]["by"]) == ("notifications", "ebpf")
    assert lines(place, notified) == lines(place, ebpf), [(a, b) for a, b in zip(lines(place, notified), lines(place, ebpf)) if a != b]
    for record in (notified, ebpf):
        assert record["effects_dropped"] == record["trace"]["dropped"] == 0, record["trace"]
    assert notified["trace"]["calls"] == ebpf["trace"]["calls"] > 200
    assert [e | {"n": 0} for e in notified["effects"]] == [e | {"n": 0} for e in ebpf["effects"]] or \
        len(notified["effects"]) == len(ebpf["effects"]), "the trees have names of their own"
    seen = symbols(place, ebpf)
    for symbol in ("write:work.doc", "rename:work.config", "link:work.doc", "mkdir:work", "mode:work.config", "delete:work.py", "connect:local", "connect:net.web!", "unix:abstract", "opaque:call", "read:/etc/passwd", "delete:/etc/passwd!", "exec:passwd!", "exec:true", "exec:ls"):
        assert symbol in seen, f"no {symbol} in {sorted(seen)}"
    # the twin: other work is not the same
    assert lines(place, both(place, EVERYTHING.replace("dir_fd=fd)\nlibc", "dir_fd=fd); os.mkdir('more')\nlibc"))[1]) != lines(place, ebpf)


@rooted
def processes_and_threads_are_told_apart(place):
    can(place)
    words = ("--work", ".", "--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do (cat a.csv >/dev/null; : >$i.json) & done; wait; rm *.json")
    traces = []
    for how in (NOTIFIED, EBPF):
        tree = place.fresh()
        write(f"{tree}/a.csv", "1\n")
        record = recorded(place, *how, *words, cwd=tree)
        traces.append(sorted(lines(place, record)))  # which of them is first is nobody's business
        assert record["trace"]["dropped"] == 0
    assert traces[0] == traces[1]


@rooted
def code_and_sessions_have_it(place):
    can(place)
    record = recorded(place, *EBPF, "--work", ".", "--python", "-", input="open('out.json', 'w').write('1')")
    assert record["trace"]["by"] == "ebpf" and "write:work.config" in symbols(place, record)
    with Served(place) as s:
        write(f"{s.tree}/a.csv", "")
        session = s.session("--work", ".", *EBPF)
        for _ in range(3):
            expect_ok(s.ambit("run", "--session", session, "--", "cat", "a.csv"))
            shown = expect_ok(s.ambit("trace", "--lines", "last"))
            assert shown.stdout.startswith("exec:cat ") and "read:work.data" in shown.stdout, told(shown)
            assert json.loads(expect_ok(s.ambit("trace", "--json", "last")).stdout)["by"] == "ebpf"


@rooted
def a_cell_that_waited_is_watched_from_its_start(place):
    """Of code its interpreter is started before the code comes, which is seen as well; and a cell that is not what it was is made again, and watched again."""
    can(place)
    with Served(place) as s:
        s.session("--work", ".")  # starts the daemon, whose pool makes cells ahead
        seen = set()
        for how in (EBPF, EBPF, EBPF, NOTIFIED, NOTIFIED, NOTIFIED):
            write(f"{s.tree}/a.csv", "")
            expect_ok(s.ambit("run", *how, "--work", ".", "--discard", "--python", "-", input="open('a.csv').close()"))
            trace = json.loads(expect_ok(s.ambit("trace", "--json", "last")).stdout)
            assert trace["by"] == ("ebpf" if how == EBPF else "notifications") and trace["dropped"] == 0, trace
            seen.add(expect_ok(s.ambit("trace", "--lines", "last")).stdout)
        assert len(seen) == 1 and "exec:python" in next(iter(seen)) and "read:work.data" in next(iter(seen)), seen
        for n in range(3):
            os.rename(s.tree, f"{s.tree}{n}")
            os.mkdir(s.tree)
            write(f"{s.tree}/a.csv", "")
            expect_ok(s.ambit("run", *EBPF, "--work", ".", "--discard", "--", "cat", "a.csv"))
            trace = json.loads(expect_ok(s.ambit("trace", "--json", "last")).stdout)
            assert trace["by"] == "ebpf" and trace["dropped"] == 0 and "read:work.data" in trace["symbols"], trace


@rooted
def of_others_nothing_is_seen(place):
    can(place)
    it = Running(place, "print('here'); input()\ntry: open('/.inside')\nexcept OSError: pass", *EBPF)
    other = Running(place, "try: open('/.another')\nexcept OSError: pass\nprint('here'); input()", *EBPF)
    assert place.run("cat", "/.outside", cwd=place.top).returncode == 1
    need("nsenter")
    # a person's own program among the cell's: it has no filter, and is no workload
    entered = place.run("nsenter", "-t", str(it.program()), "-p", "cat", "/.entered", cwd=place.top)
    assert "/.entered" in entered.stderr, told(entered)
    seen = {"other": symbols(place, other.end()), "mine": symbols(place, it.end())}
    marks = {who: sorted(s for s in all_ if "/." in s) for who, all_ in seen.items()}
    assert marks == {"other": ["read:other/.another?"], "mine": ["read:other/.inside?"]}, marks


@rooted
def x32_calls_are_none(place):
    """Which the filter refuses, so that nothing comes of them; their numbers are not taken for others."""
    can(place)
    if platform.machine() != "x86_64":
        raise Skip("there are no such calls here")
    code = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nfor nr in (0x40000002, 2): libc.syscall(nr, b'/.foreign' if nr > 2 else b'/.native', 0)"
    for record in both(place, code):
        seen = symbols(place, record) | {json.dumps(record["effects"])}
        assert any(".native" in s for s in seen) and not any(".foreign" in s for s in seen), seen


@rooted
def the_warden_is_no_part_of_it(place):
    """Which opens what /proc has of each process of the cell, to hold it."""
    can(place)
    it = Running(place, "print('here'); input()", *EBPF)
    expect_ok(place.run(place.ambit, "freeze", "--all", cwd=place.top))
    expect_ok(place.run(place.ambit, "thaw", "--all", cwd=place.top))
    record = it.end()
    assert record["outcome"]["cause"] == "exited" and not any(s.startswith("read:/proc") for s in symbols(place, record)), symbols(place, record)


# ---- what is lost is counted ----

FLOOD = """
import os
for _ in range(3):
    if os.fork() == 0: break
for i in range(30000):
    os.close(os.open("/etc/hostname", os.O_RDONLY))
try:
    while True: os.wait()
except ChildProcessError: pass
"""


@rooted
def a_flood_is_counted_to_the_last(place):
    can(place)
    notified, ebpf = both(place, FLOOD)
    assert notified["trace"]["calls"] == ebpf["trace"]["calls"] > 120000, (notified["trace"]["calls"], ebpf["trace"]["calls"])
    assert notified["trace"]["dropped"] > 0 and ebpf["trace"]["dropped"] >= notified["trace"]["dropped"] - 3, ebpf["trace"]["dropped"]


# Calls whose path is in a page that is not there, by who never comes back from them: executions by a thread that is not the first, of what cannot be mapped when all else is gone.
NEVER_BACK = r"""
import ctypes, os, platform, struct, threading
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
machine = {"x86_64": 62, "aarch64": 183}[platform.machine()]
with open("broken", "wb") as f:
    f.write(struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, machine, 1, 4096, 64, 0, 0, 64, 56, 1, 0, 0, 0) + struct.pack("<IIQQQQQQ", 1, 5, 0, 0x7ffffffff0000000, 0, 4096, 4096, 4096) + bytes(8192))
os.chmod("broken", 0o755)
page = os.open("page", os.O_CREAT | os.O_RDWR)
os.write(page, b"./broken".ljust(4096, b"\0"))
def execute():
    libc.execve(ctypes.c_void_p(libc.mmap(None, 4096, 1, 2, page, 0)), None, None)
for _ in range(3):
    if os.fork() == 0:
        t = threading.Thread(target=execute); t.start(); t.join(); os._exit(0)
    assert os.WIFSIGNALED(os.wait()[1])
"""


@rooted
def who_never_comes_back_is_counted(place):
    can(place)
    notified, ebpf = both(place, NEVER_BACK)
    assert notified["outcome"]["exit"] == ebpf["outcome"]["exit"] == 0, (notified["outcome"], ebpf["outcome"])
    assert notified["trace"]["calls"] == ebpf["trace"]["calls"], (notified["trace"]["calls"], ebpf["trace"]["calls"])
    counted = {e["kind"]: e["count"] for e in ebpf["effects"]}
    assert notified["trace"]["dropped"] == ebpf["trace"]["dropped"] == 0 and counted["opaque"] == 3, (ebpf["trace"], counted)


@rooted
def a_killed_warden_loses_nothing_in_silence(place):
    can(place)
    code = "import os\nfor i in range(5000): os.close(os.open('/etc/hostname', os.O_RDONLY))\nprint('here'); input()"
    it = Running(place, code, *EBPF)
    with open(f"/proc/{it.program()}/stat", encoding="utf-8", errors="replace") as file:
        warden = int(file.read().rpartition(")")[2].split()[1])
    os.kill(warden, signal.SIGKILL)
    record = it.end()
    assert record["outcome"]["cause"] == "lost" and record["trace"]["calls"] > 5000, record["trace"]


@rooted
def an_observer_that_ends_is_told(place):
    can(place)
    it = Running(place, "print('here'); input(); open('late.csv', 'w')", *EBPF)
    os.kill(observer(place), signal.SIGKILL)
    record = it.end()
    assert record["outcome"]["cause"] == "exited" and record["effects_dropped"] >= 1 and record["trace"]["dropped"] >= 1, (record["effects_dropped"], record["trace"])
    expect_ok(place.cell("--no-ledger", *EBPF, "--", "true", cwd=place.fresh()))  # the next one starts another


@rooted
def a_cell_that_waits_runs_nothing_unobserved(place):
    """Its interpreter has been watched, and is not any more."""
    can(place)
    before = observers(place)
    with Waiting(place, *EBPF) as s:
        code = ("run", "--session", s.session_id, "--python", "-")
        for _ in range(2):
            expect_ok(s.ambit(*code, input="open('a.json', 'w')"))
            s.until(lambda: any(b"python" in cmdline(pid) for at in s.supervisors() for warden in children(at) for pid in children(warden)), "the next one's interpreter waits")
            time.sleep(0.3 * SLOW)  # and the session's process had the time to hear of it
        for pid in observers(place) - before:
            os.kill(pid, signal.SIGKILL)
        done = s.ambit(*code, input="open('unseen.json', 'w')")
        assert done.returncode == 125 and "eBPF ended" in done.stderr and "hint:" in done.stderr, told(done)
        assert not os.path.exists(f"{s.tree}/unseen.json")
        s.until(lambda: s.ambit(*code, input="open('b.json', 'w')").returncode == 0, "another is started, when none is left that waited before")


@rooted
def it_ends_while_calls_go_on(place):
    can(place)
    record = recorded(place, *EBPF, "--limit", "wall=1s", "--", "sh", "-c", "while :; do cat /etc/hostname >/dev/null; done", status=None)
    assert record["outcome"]["cause"] == "limit" and record["trace"]["calls"] > 0, record["outcome"]
    until(lambda: observer(place) is None, "nothing is attached when nobody is watched")


# ---- who has which power ----


@rooted
def the_role_has_two_capabilities_and_few_calls(place):
    can(place)
    it = Running(place, "print('here'); input()", *EBPF)
    with open(f"/proc/{observer(place)}/status", encoding="utf-8") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    for name in ("CapEff", "CapPrm"):
        assert int(status[name], 16) == 1 << 38 | 1 << 39, (name, status[name])
    assert int(status["CapInh"], 16) == int(status["CapAmb"], 16) == 0
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    assert attached(observer(place)) == 3
    it.end()
    until(lambda: observer(place) is None, "nothing is attached when nobody is watched")


@rooted
def no_cell_reaches_it(place):
    """Neither the kernel's interface, nor the role's socket, which who is outside can reach."""
    can(place)
    it = os.path.join(place.home, ".local/state/ambit/run/ebpf")
    source = f"""
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall({ {'x86_64': 321, 'aarch64': 280}[platform.machine()] }, 0, 0, 0)
print("bpf", errno.errorcode[ctypes.get_errno()])
try:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect({it + '/socket'!r}); print("connected", len(s.recv(64)))
except OSError as e: print("connect", errno.errorcode[e.errno])
print(sum("bpf" in os.readlink("/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd") if os.path.lexists("/proc/self/fd/" + fd)), "descriptors")
"""
    for how in (EBPF, NOTIFIED):
        for grants in ((), ("--read", it), ("--work", it)):
            done = place.cell("--no-ledger", *how, *grants, "--", "/usr/bin/python3", "-c", source, cwd=place.fresh())
            assert "bpf EPERM\n" in done.stdout or done.returncode == 125, told(done)
            assert "connected" not in done.stdout and (done.returncode == 125 or "0 descriptors" in done.stdout), told(done)
    outside = place.run("/usr/bin/python3", "-c", source, cwd=place.fresh())
    assert "connected 4" in outside.stdout, told(outside)  # the twin: EBPF_HELLO


# Of each descriptor: what the role says, and how many it gives.
ASKING = """
import socket, sys
for path in sys.argv[1:]:
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect({socket!r})
    if s.recv(64)[:2] != (520).to_bytes(2, "little"): break
    with open(path) as file:
        socket.send_fds(s, [(512).to_bytes(4, "little")], [file.fileno()])
        said, fds, _, _ = socket.recv_fds(s, 4096, 2)
        print(int.from_bytes(said[:2], "little"), len(fds))
"""
REFUSED = "523 0\n"


@rooted
def only_a_cell_of_ones_own_is_watched(place):
    """The namespace of the host is no cell's; nor is a descriptor that is no namespace."""
    can(place)
    source = ASKING.format(socket=os.path.join(place.home, ".local/state/ambit/run/ebpf/socket"))
    cell = Running(place, "print('here'); input()", *EBPF)
    done = place.run("/usr/bin/python3", "-c", source, "/proc/self/ns/pid", "/proc/self/ns/net", "/etc/hostname", f"/proc/{cell.program()}/ns/pid", cwd=place.fresh())
    cell.end()
    assert done.stdout.startswith(3 * REFUSED), told(done)
    # a cell that is watched already is refused as well; the twin is that cells are
    assert done.stdout.splitlines()[3] in (REFUSED.strip(), "521 1"), told(done)
    expect_ok(place.cell("--no-ledger", *EBPF, "--", "true", cwd=place.fresh()))


# ---- where it cannot be ----


def without(place, *words, drop="-bpf,-perfmon", **more):
    """As root without the capabilities, in a home of its own, where nobody was started yet."""
    need("setpriv")
    home = place.fresh()
    env = {**place.environment(), "HOME": home}
    return subprocess.run(["setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}", place.ambit, "run", "--no-ledger", *words, "--", "true"], cwd=home, env=env, capture_output=True, text=True,
                          timeout=SLOW * PATIENCE, **more)


@rooted
def without_capabilities_it_is_refused(place):
    can(place)
    for drop in ("-bpf", "-perfmon", "-bpf,-perfmon"):
        done = without(place, *EBPF, drop=drop)
        assert done.returncode == 125 and "CAP_BPF and CAP_PERFMON" in done.stderr and "hint:" in done.stderr, told(done)
    record = os.path.join(place.fresh(), "record")
    expect_ok(without(place, "--observe", "auto", "--record", record))
    assert read(record)["trace"]["by"] == "notifications"
    # the twin: with them it is taken
    assert recorded(place, "--observe", "auto", "--", "true")["trace"]["by"] == "ebpf"


@rooted
def few_descriptors_are_no_hindrance(place):
    """Whoever starts it has limits of its own, and it is for others, too."""
    can(place)
    need("prlimit")
    home = place.fresh()
    done = subprocess.run(["prlimit", "--nofile=64:", place.ambit, "run", "--no-ledger", *EBPF, "--", "true"], cwd=home, env={**place.environment(), "HOME": home}, capture_output=True, text=True,
                          timeout=SLOW * PATIENCE)
    expect_ok(done)


def an_ordinary_user_is_refused(place):
    """Or has it, where the operator gave it; never in silence the other."""
    record = os.path.join(place.fresh(), "record")
    done = place.cell("--no-ledger", *EBPF, "--record", record, "--", "true", cwd=place.fresh())
    if done.returncode == 0:
        assert read(record)["trace"]["by"] == "ebpf"
    else:
        assert done.returncode == 125 and "eBPF" in done.stderr and "hint:" in done.stderr, told(done)
        assert recorded(place, "--observe", "auto", "--", "true")["trace"]["by"] == "notifications"


@rooted
def an_operator_gives_it_to_others(place):
    """By two capabilities of the executable; they see cells of their own then, and still not the host."""
    can(place)
    need("setpriv")
    elsewhere = os.path.join(place.fresh(), "bin")
    shutil.copytree(os.path.dirname(place.ambit), elsewhere, symlinks=True)
    # VFS_CAP_REVISION_2, effective: permitted are 38 and 39
    try:
        os.setxattr(f"{elsewhere}/ambit-ebpf", "security.capability", struct.pack("<IIIII", 0x02000001, 0, 0, 1 << 6 | 1 << 7, 0))
    except OSError as e:
        raise Skip(f"this file system keeps no capabilities: {e}") from e
    home = place.fresh()
    os.chown(home, 64123, 64123)
    env = {**place.environment(), "HOME": home}
    as_other = ["setpriv", "--reuid=64123", "--regid=64123", "--clear-groups"]

    def other(*words, **more):
        return subprocess.run([*as_other, *words], cwd=home, env=env, capture_output=True, text=True, timeout=SLOW * PATIENCE, **more)

    expect_ok(other(f"{elsewhere}/ambit", "run", "--no-ledger", *EBPF, "--record", f"{home}/record", "--", "cat", "/etc/hostname"))
    record = read(f"{home}/record")
    assert record["trace"]["by"] == "ebpf" and "exec:cat" in symbols(place, record), record["trace"]
    answers = other("/usr/bin/python3", "-c", ASKING.format(socket=f"{home}/.local/state/ambit/run/ebpf/socket"), "/proc/self/ns/pid")
    assert answers.stdout == REFUSED, told(answers)
    # one that is root's, which somebody handed over
    cell = Running(place, "print('here'); input()", *EBPF)
    ns = os.open(f"/proc/{cell.program()}/ns/pid", os.O_RDONLY)
    asked = ("/usr/bin/python3", "-c", ASKING.format(socket=f"{home}/.local/state/ambit/run/ebpf/socket"), f"/proc/self/fd/{ns}")
    answers = other(*asked, pass_fds=(ns,))
    assert answers.stdout == REFUSED, told(answers)
    os.close(ns)
    cell.end()
    # nor does a socket of another user's answer
    assert place.run("/usr/bin/python3", "-c", ASKING.format(socket=f"{home}/.local/state/ambit/run/ebpf/socket"), "/proc/self/ns/pid", cwd=place.top).stdout == ""


@rooted
def a_sub_agent_is_watched_as_its_caller(place):
    can(place)
    ledger = Ledger(place)
    write(f"{ledger.tree}/a.csv", "")
    words = [*EBPF, "--work", ".", "--delegate", "*", "--run", place.ambit, "--env", f"AMBIT_BIN={place.ambit}", *room_of(place)]
    expect_ok(ledger.run(*words, "--", "sh", "-c", "$AMBIT_BIN run --read . -- cat a.csv"))
    found = {}
    for event in [entry["event"] for entry in ledger.entries() if entry["type"] == "result"]:
        trace = json.loads(expect_ok(place.run(place.ambit, "trace", "--json", event, "--ledger", ledger.dir, cwd=place.top)).stdout)
        found["exec:cat" in trace["symbols"]] = trace["by"]
    assert found == {True: "ebpf", False: "ebpf"}, found


@rooted
def a_build_without_it_says_so(place):
    elsewhere = os.path.join(place.fresh(), "bin")
    shutil.copytree(os.path.dirname(place.ambit), elsewhere, symlinks=True)
    if os.path.exists(f"{elsewhere}/ambit-ebpf"):
        os.unlink(f"{elsewhere}/ambit-ebpf")
    done = place.run(f"{elsewhere}/ambit", "run", "--no-ledger", *EBPF, "--", "true", cwd=place.fresh())
    assert done.returncode == 125 and "no eBPF" in done.stderr and "libbpf-dev" in done.stderr, told(done)
    record = os.path.join(place.fresh(), "record")
    expect_ok(place.run(f"{elsewhere}/ambit", "run", "--no-ledger", "--observe", "auto", "--record", record, "--", "true", cwd=place.fresh()))
    assert read(record)["trace"]["by"] == "notifications"


@rooted
def canaries_need_notifications(place):
    can(place)
    home = place.fresh()
    env = {**place.environment(), "HOME": home, "XDG_STATE_HOME": f"{home}/.local/state"}

    def ambit(*words):
        return subprocess.run([place.ambit, *words], cwd=home, env=env, capture_output=True, text=True, timeout=SLOW * PATIENCE)

    expect_ok(ambit("canary", "add", "notes.txt", "--kind", "file"))
    done = ambit("run", "--no-ledger", *EBPF, "--", "true")
    assert done.returncode == 125 and "canaries" in done.stderr and "--observe auto" in done.stderr, told(done)
    record = f"{home}/record"
    expect_ok(ambit("run", "--no-ledger", "--observe", "auto", "--record", record, "--", "true"))
    assert read(record)["trace"]["by"] == "notifications"
    expect_ok(ambit("canary", "remove", f"{home}/notes.txt"))
    expect_ok(ambit("run", "--no-ledger", *EBPF, "--record", record, "--", "true"))
    assert read(record)["trace"]["by"] == "ebpf"  # the twin


def doctor_says_whether(place):
    done = place.run(place.ambit, "doctor", "--json", cwd=place.fresh())
    (line,) = [row for row in json.loads(done.stdout) if row["name"] == "eBPF"]
    works = place.cell("--no-ledger", *EBPF, "--", "true", cwd=place.fresh()).returncode == 0
    assert line["found"] == ("yes" if works else "less") and (works or line["advice"]), line


main([both_see_the_same, processes_and_threads_are_told_apart, code_and_sessions_have_it, a_cell_that_waited_is_watched_from_its_start, of_others_nothing_is_seen, the_warden_is_no_part_of_it, x32_calls_are_none, a_flood_is_counted_to_the_last,
      who_never_comes_back_is_counted, a_killed_warden_loses_nothing_in_silence, an_observer_that_ends_is_told, a_cell_that_waits_runs_nothing_unobserved, it_ends_while_calls_go_on, the_role_has_two_capabilities_and_few_calls, no_cell_reaches_it, only_a_cell_of_ones_own_is_watched,
      without_capabilities_it_is_refused, few_descriptors_are_no_hindrance, an_ordinary_user_is_refused, an_operator_gives_it_to_others, a_sub_agent_is_watched_as_its_caller, a_build_without_it_says_so, canaries_need_notifications, doctor_says_whether])
