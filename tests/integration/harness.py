"""What the integration tests in Python share: TAP, a private place, an ordinary user, a person's terminal.

A test calls `main(scenarios)`. As root everything runs a second time as an ordinary user: a number that nobody has, so that
the host is left as it was. The executables are copied to where that user can read them."""

import contextlib
import fcntl
import glob
import os
import pty
import random
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

SLOW = int(os.environ.get("AMBIT_TEST_SLOW", "1"))  # how many times longer than elsewhere anything may take
PATIENCE = 30  # seconds after which a thing that should happen counts as not happening
ORDINARY = 64123  # user and group id of nobody
AS_USER = "AMBIT_TEST_AS_USER"  # set in the second run


class Skip(Exception):
    """The machine cannot do this; the reason is the text."""


class Tap:
    """Numbers what is said, and keeps count. `who` stands before each name."""

    def __init__(self, who):
        self.who, self.number, self.failures = who, 0, 0

    def say(self, ok, text, problems=()):
        self.number += 1
        self.failures += not ok
        print(f"{'ok' if ok else 'not ok'} {self.number} - {self.who}{text}")
        for line in "\n".join(problems).splitlines():
            print(f"# {line[:1500]}")
        sys.stdout.flush()

    def run(self, scenario, place):
        name = scenario.__name__.replace("_", " ")
        begun = time.monotonic()
        try:
            scenario(place)
            self.say(True, name)
        except Skip as reason:
            must = os.environ.get("AMBIT_MUST_RUN") == "1"
            self.say(not must, f"{name} # SKIP {reason}" if not must else name, [f"must run: {reason}"] if must else [])
        except AssertionError as problem:
            where = traceback.extract_tb(problem.__traceback__)[-1]
            at = next((f for f in reversed(traceback.extract_tb(problem.__traceback__)) if f.name == scenario.__name__), where)
            self.say(False, name, [f"line {at.lineno}: {at.line}", str(problem)])
        except Exception:  # a test that breaks is a failure too, and the others go on
            self.say(False, name, [traceback.format_exc()])
        if (took := time.monotonic() - begun) >= 1:
            print(f"# took {took:.1f} s", flush=True)


class Place:
    """A private directory with the executables; each scenario takes a fresh directory in it."""

    def __init__(self, top, ambit):
        self.top, self.ambit = top, ambit
        self.home = os.path.join(top, "home")
        os.makedirs(self.home, exist_ok=True)
        self.count = 0
        self.settings = {}  # variables besides
        self.whose = None  # of a scenario that is `as_either`: True as root, False as an ordinary user; None: as both

    def fresh(self):
        self.count += 1
        path = os.path.join(self.top, f"work{self.count}")
        os.mkdir(path)
        return path

    def environment(self):
        return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": self.home, "LANG": "C.UTF-8", "TERM": "xterm",
                **self.settings}

    def make_ledger(self):
        """This home's, so that its key is told here and not by whatever comes first; where nothing runs, the tests say so."""
        self.cell("--", "true", cwd=self.top)

    def given(self, n):
        """The nth argument of the script behind AMBIT, a file or a directory, where an ordinary user finds it, too."""
        path = sys.argv[1 + n]
        near = os.path.join(os.path.dirname(self.ambit), os.path.basename(path))
        return near if os.path.exists(near) else os.path.abspath(path)

    def run(self, *words, cwd, input=None, **more):
        """Runs a program outside; text in, text out."""
        return subprocess.run(words, cwd=cwd, input=input, env=self.environment(), capture_output=True, text=True,
                              errors="replace", timeout=SLOW * more.pop("timeout", PATIENCE), **more)

    def cell(self, *words, cwd, **more):
        """`ambit run WORDS`."""
        return self.run(self.ambit, "run", *words, cwd=cwd, **more)


def told(result):
    """A finished process in words, for a failure."""
    return f"status {result.returncode}\nstdout: {result.stdout[-800:]}\nstderr: {result.stderr[-2500:]}"


def expect_ok(result, *texts):
    assert result.returncode == 0, told(result)
    for text in texts:
        assert text in result.stdout, f"no {text!r} in its output; {told(result)}"
    return result


def need(*programs):
    for program in programs:
        if shutil.which(program, path="/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin") is None:
            raise Skip(f"{program} is not installed")


def lock_holders(path):
    """The processes that hold a flock of this very file: on another file system its number may be another's. The kernel gives the list in
    pieces of a page, and between two of them a lock that goes may hide one that stays: nobody is nobody three times."""
    st = os.stat(path)
    name = f"{os.major(st.st_dev):02x}:{os.minor(st.st_dev):02x}:{st.st_ino}"
    for _ in range(3):
        with open("/proc/locks", encoding="ascii") as file:
            found = [int(words[4]) for words in map(str.split, file) if words[1] == "FLOCK" and words[5] == name]
        if found:
            return found
    return []


def sanitized(program):
    """Whether it is a sanitizer's build: such a program takes terabytes of address space, and looks for leaks by ptrace at its end."""
    with open(program, "rb") as file:
        return b"__asan_init" in file.read()


def room_of(place):
    """Where a program of ours runs in a cell: a sanitizer's takes terabytes there, where an ordinary user's cells have an address space of their own."""
    return ("--limit", "memory=32T") if sanitized(place.ambit) else ()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def silenced(listener):
    """Whoever waits for a connection there is woken up: else it might, by the number of the descriptor, wait at another that comes after it."""
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


# ---- a terminal ----

QUERIES = [  # what full-screen programs ask a terminal, and what ours answers
    (re.compile(rb"\x1b\[0?c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[>0?c"), b"\x1b[>0;276;0c"),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
]

# What a terminal obeys and does not show: sequences of ECMA-48, complete or at the end of what has come so far;
# and returns, which line editors strew about.
ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*(?:[@-~]|$)|\][^\x07\x1b]*(?:\x07|\x1b\\|\x1b?$)|[ -/]+(?:[0-~]|$)|[0-Z\\^-~]|$)|[\x0e\x0f\r]")


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    """A person's terminal: the program is the leader of its session and has it as its controlling terminal."""

    def __init__(self, argv, cwd, env, rows=24, columns=80):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                set_size(0, rows, columns)  # here, so that no program hears of a change
                os.chdir(cwd)
                os.execvpe(argv[0], argv, env)
            finally:
                os._exit(127)
        self.seen = b""  # everything
        self.at = 0  # in what is shown of it
        self.status = None

    def size(self, rows, columns):
        set_size(self.fd, rows, columns)

    def type(self, text):
        os.write(self.fd, text.encode())

    def attributes(self):
        return termios.tcgetattr(self.fd)

    def _read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: nobody has it open any more
            data = b""
        self.seen += data
        for query, answer in QUERIES:
            for _ in query.findall(data):
                os.write(self.fd, answer)
        return data != b""

    def shown(self):
        """What has come, without what a terminal does not show, since the last pattern."""
        return ESCAPES.sub(b"", self.seen)[self.at:]

    def until(self, pattern, seconds=PATIENCE):
        """Waits for a pattern in what has been shown since the last one; returns the match."""
        found = re.compile(pattern.encode(), re.S)
        end = time.monotonic() + SLOW * seconds
        while True:
            match = found.search(self.shown())
            if match:
                self.at += match.end()
                return match
            left = end - time.monotonic()
            assert left > 0, f"no {pattern!r} within {SLOW * seconds} s; shown since: {self.shown()[-800:]!r}"
            assert self._read(left), f"it ended and never showed {pattern!r}; shown: {self.shown()[-800:]!r}"

    def end(self, seconds=PATIENCE):
        """Reads until nobody holds the terminal, then gives the exit status as a shell would."""
        end = time.monotonic() + SLOW * seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                break
            assert time.monotonic() < end, f"it does not end; shown since: {self.shown()[-800:]!r}"
            self._read(0.05)
        while select.select([self.fd], [], [], 0)[0] and self._read(0):
            pass
        self.pid = 0
        self.status = os.waitstatus_to_exitcode(status)
        return self.status if self.status >= 0 else 128 - self.status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.pid > 0:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


# ---- twice ----


def copy_executables(ambit, to):
    directory = os.path.dirname(os.path.abspath(ambit))
    os.makedirs(to)
    for path in glob.glob(os.path.join(directory, "ambit*")):
        if os.path.isfile(path) and (os.access(path, os.X_OK) or os.path.basename(path) == "ambit-seeds"):  # which lies beside them
            shutil.copy(path, to)
            os.chmod(os.path.join(to, os.path.basename(path)), 0o755 if os.access(path, os.X_OK) else 0o644)
    return os.path.join(to, os.path.basename(ambit))


def copy_arguments(arguments, to):
    for path in arguments:
        near = os.path.join(to, os.path.basename(path))
        if os.path.isdir(path):
            shutil.copytree(path, near)
        elif os.path.isfile(path):
            shutil.copy(path, near)


def as_user(top, ambit, arguments, tap):
    """The same test once more as an ordinary user; its lines become ours."""
    here = os.path.dirname(os.path.abspath(__file__))
    tests, private = os.path.join(top, "tests"), os.path.join(top, "user")
    shutil.copytree(here, tests, ignore=shutil.ignore_patterns("__pycache__"))
    os.mkdir(private)
    os.chown(private, ORDINARY, ORDINARY)
    python = sys.executable if sys.executable.startswith("/usr/") else "/usr/bin/python3"
    script = os.path.join(tests, os.path.basename(sys.argv[0]))
    process = subprocess.Popen(["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups", python, "-B", script,
                                ambit, *arguments], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=private, text=True,
                               env={**os.environ, AS_USER: private, "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"})
    planned = None
    for line in process.stdout:
        match = re.match(r"(not )?ok \d+ - (.*)", line)
        plan = re.match(r"1\.\.(\d+)", line)
        if match:
            tap.number += 1
            tap.failures += match.group(1) is not None
            print(f"{match.group(1) or ''}ok {tap.number} - {match.group(2)}")
        elif plan:
            planned = int(plan.group(1))
        else:
            print(line, end="")
        sys.stdout.flush()
    if process.wait() not in (0, 1) or planned is None:
        tap.say(False, "the run as an ordinary user ended before its end")


def once(scenario):
    """It is large, and who runs it makes no difference: as root only when AMBIT_SOAK asks for it."""
    scenario.once = True
    return scenario


def rooted(scenario):
    """It needs root, and runs ambit as whoever it likes: left out of the other's run."""
    scenario.rooted = True
    return scenario


def as_either(scenario):
    """As rooted; it can run ambit as root and as an ordinary user, and asks place.whose as which: it is that user's whose share it would be."""
    scenario.either = True
    return rooted(scenario)


def always(scenario):
    """In each run, whatever its share."""
    scenario.always = True
    return scenario


def parts_of(scenarios, ambit):
    """Among how many runs they are shared; of a long list the half, or less, is tried in each. A sanitizer looks at our programs, which are the same for both users, and all units are tried with it."""
    if not sanitized(ambit):
        return 5 if len(scenarios) > 30 else 4 if len(scenarios) > 16 else 3 if len(scenarios) > 10 else 2
    return 24 if len(scenarios) > 60 else 12 if len(scenarios) > 16 else 6 if len(scenarios) > 8 else 2


def split(scenarios, ambit):
    """The two users share the scenarios, by seed: each is tried by one of them, and by both when AMBIT_SOAK asks for it; under a sanitizer each
    takes less than half of a long list. What is `always` is everybody's (root prepares something for the other), what is `once` the
    ordinary user's. With each goes what place.whose is for it."""
    part = os.environ.pop("AMBIT_TEST_PART", None)  # the ordinary user's, from the run as root
    root = os.geteuid() == 0
    if part is None and root and not {"AMBIT_SOAK", "AMBIT_TEST_ONLY"} & set(os.environ):
        seed = int(os.environ.setdefault("AMBIT_SEED", str(random.SystemRandom().randrange(1 << 30))))
        parts = parts_of(scenarios, ambit)
        part = f"{seed % parts} {parts}"
        os.environ["AMBIT_TEST_PART"] = f"{(seed + parts // 2) % parts} {parts}"
        print(f"# each user takes one part in {parts}: AMBIT_SEED={os.environ['AMBIT_SEED']}", flush=True)
    if part is None:
        return [(s, None) for s in scenarios]
    first, parts = map(int, part.split())
    others = (first + parts // 2) % parts
    return [(s, i % parts == first if getattr(s, "either", False) else None) for i, s in enumerate(scenarios)
            if i % parts == first or getattr(s, "always", False) or (parts == 2 and not root and getattr(s, "once", False)) or
            (i % parts == others and getattr(s, "either", False))]


def main(scenarios, whole=False):
    """SCRIPT AMBIT [ARGUMENT...]; AMBIT_TEST_ONLY=WORD limits it to scenarios whose name has the word. whole: they build on each other."""
    ambit, arguments = os.path.abspath(sys.argv[1]), sys.argv[2:]
    only = os.environ.get("AMBIT_TEST_ONLY", "")
    private = os.environ.get(AS_USER)
    root = os.geteuid() == 0
    tap = Tap("as root: " if root else "")
    os.umask(0o022)
    top = private or tempfile.mkdtemp(prefix="ambit-test-")
    try:
        if root:
            os.chmod(top, 0o755)
            ambit = copy_executables(ambit, os.path.join(top, "bin"))
            copy_arguments(arguments, os.path.join(top, "bin"))
        place = Place(os.path.join(top, "root") if root else top, ambit)
        place.make_ledger()
        for scenario, place.whose in [(s, None) for s in scenarios] if whole else split(scenarios, ambit):
            left_to_user = root and getattr(scenario, "once", False) and "AMBIT_SOAK" not in os.environ
            left_to_root = private and getattr(scenario, "rooted", False)
            if only in scenario.__name__ and not left_to_user and not left_to_root:
                tap.run(scenario, place)
        if root:
            as_user(top, ambit, arguments, tap)
    finally:
        if private is None:
            shutil.rmtree(top, ignore_errors=True)
    print(f"1..{tap.number}")
    sys.exit(1 if tap.failures else 0)
