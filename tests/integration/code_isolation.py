#!/usr/bin/env python3
"""That nothing of a piece of code is found by the next one, in the same session or in another, though its interpreter was started before anybody knew of it.

Tables of probes: what one event leaves, and how another one looks for it. Each probe is tried within one event, too, where it has to find what was left.

usage: code_isolation.py AMBIT    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import collections
import contextlib
import json
import os
import random
import subprocess
import time

from harness import SLOW, Skip, expect_ok, main, told, write
from session_ready import children, state_of
from sessions import Served, channel_to, commands_of
from sessions_hostile import held_by

INTERPRETERS = {"python": b"python3\0", "node": b"node\0", "shell": b"bash\0"}

NOTHING = {"python": "0", "node": "0", "shell": ":"}


def kinds(place):
    has_node = place.run("sh", "-c", "command -v node", cwd=place.top).returncode == 0
    if not has_node:
        print("# no node here", flush=True)
    return [kind for kind in INTERPRETERS if kind != "node" or has_node]


class Coding(Served):
    """Sessions of one workspace whose events are code. Each has a client, so that the next interpreter is started."""

    def __init__(self, place):
        super().__init__(place)
        self.kept, self.roles, self.cold_ones = [], {}, set()

    def begin(self, *words):
        session = self.session("--work", self.tree, *words)
        self.kept += channel_to(self, session)
        return session

    def cold(self, *words):
        """One for which nothing is made ready: its time has a bound."""
        session = self.begin("--total-wall", "1h", *words)
        self.cold_ones.add(session)
        return session

    def __exit__(self, *why):
        for each in self.kept:
            each.close()
        super().__exit__(*why)

    def code(self, session, kind, source, *words):
        return self.ambit("run", "--session", session, *words, f"--{kind}", input=source)

    def says(self, session, kind, source):
        return expect_ok(self.code(session, kind, source)).stdout

    def warm(self, session, kind, source):
        """Run by an interpreter that waits."""
        pid = self.waits(session, kind)
        result = self.code(session, kind, source)
        self.until(lambda: state_of(pid) in ("", "Z"), "it is used")
        return expect_ok(result).stdout

    def role(self, session):
        def found():
            for pid in commands_of(self, "ambit-session"):
                for fd in os.listdir(f"/proc/{pid}/fd"):
                    with contextlib.suppress(OSError):
                        if session in os.readlink(f"/proc/{pid}/fd/{fd}"):
                            return pid
            return None
        if session not in self.roles:
            self.roles[session] = self.until(found, "the session has a process")
        return self.roles[session]

    def interpreters(self, session, kind):
        """Of a session's events that run or wait. One that is copied for them is none, but its copies are."""
        wardens = [warden for supervisor in held_by(self.role(session)) for warden in children(supervisor)]
        programs = [pid for warden in wardens for pid in children(warden) if cmdline(pid).startswith(INTERPRETERS[kind])]
        copied = [pid for pid in programs if is_template(pid)]
        return [pid for pid in programs if pid not in copied] + [pid for template in copied for pid in children(template) if has_entered(pid, template)]

    def waits(self, session, kind):
        """The one that has loaded what it needs, and the session's process had the time to hear of it. An event of the kind has ended before. Of Python it is a copy, where there are copies: as an ordinary user."""
        if not self.interpreters(session, kind):
            expect_ok(self.code(session, kind, NOTHING[kind]))
        while True:
            pid, = self.until(lambda: self.interpreters(session, kind), "an interpreter waits")
            if kind != "python" or os.geteuid() == 0 or session in self.cold_ones or is_copy(pid):
                break
            expect_ok(self.code(session, kind, NOTHING[kind]))
            time.sleep(0.1)
        self.until(lambda: asleep(pid), "it has loaded what it needs")
        time.sleep(0.1 * SLOW)
        return pid


def cmdline(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()
    return b""


def is_template(pid):
    """It is asked for copies over a socket, where the others read their source."""
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/fd/3").startswith("socket:")
    return False


def is_copy(pid):
    parent = int(stat_of(pid)[1])
    return cmdline(parent).startswith(INTERPRETERS["python"]) and is_template(parent)


def has_entered(pid, template):
    """It is a copy, and not what makes one."""
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/pid") != os.readlink(f"/proc/{template}/ns/pid")
    return False


def asleep(pid):
    """For a while, on nothing but its pipe."""
    ticks = stat_of(pid)[11:13]
    if state_of(pid) != "S":
        return False
    time.sleep(0.05 * SLOW)
    return state_of(pid) == "S" and stat_of(pid)[11:13] == ticks


def stat_of(pid):
    """The fields of /proc/PID/stat from the third on."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


# ---- what is left ----


Row = collections.namedtuple("Row", "name leave look refused", defaults=(False,))

PYTHON_SETUP = """
import ctypes, json, os, sys, signal, resource, socket, time
libc, TREE = ctypes.CDLL(None, use_errno=True), %r
PLACES = ["/", "/tmp", "/var/tmp", "/dev", "/dev/shm", "/dev/mqueue", "/run", "/run/lock", "/var/lock", "/var", "/etc", "/home", "/srv", "/mnt", "/opt",
          "/usr/local", os.path.expanduser("~"), os.path.dirname(TREE)]

def done(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def named(name):
    done(libc.prctl(15, name.encode(), 0, 0, 0))

def place_of(path):
    try:
        open(path, "x").close()
    except OSError:
        return False
    return True

def processes(name):
    return [pid for pid in filter(str.isdigit, os.listdir("/proc")) if open(f"/proc/{pid}/comm").read() == name + chr(10)]
"""

PYTHON_ROWS = [
    Row("a file in /tmp", "open('/tmp/left', 'w').close()", "os.path.exists('/tmp/left')"),
    Row("a file at home", "open(os.path.expanduser('~/left'), 'w').close()", "os.path.exists(os.path.expanduser('~/left'))"),
    Row("a file in /dev/shm", "open('/dev/shm/left', 'w').close()", "os.path.exists('/dev/shm/left')"),
    Row("a file anywhere", "assert any([place_of(d + '/left-there') for d in PLACES])", "any(os.path.exists(d + '/left-there') for d in PLACES)"),
    Row("a variable of the environment", "os.environ['LEFT'] = '1'", "'LEFT' in os.environ"),
    Row("the working directory", "os.chdir('/tmp')", "os.getcwd() != TREE"),
    Row("the umask", "os.umask(0o7)", "(lambda was: (os.umask(was), was)[1])(os.umask(0)) == 7"),
    Row("the locale", "import locale; locale.setlocale(locale.LC_TIME, 'C.UTF-8')",
        "__import__('locale').setlocale(__import__('locale').LC_TIME) == 'C.UTF-8'"),
    Row("a global", "left = 1", "'left' in globals()"),
    Row("a builtin", "import builtins; builtins.left_builtin = 1", "hasattr(__import__('builtins'), 'left_builtin')"),
    Row("an attribute of a module", "os.left = 1", "hasattr(os, 'left')"),
    Row("a module", "sys.modules['left'] = os", "'left' in sys.modules"),
    Row("a path of modules", "sys.path.append('/left')", "'/left' in sys.path"),
    Row("a finder of modules", "sys.meta_path.append(None)", "None in sys.meta_path"),
    Row("the limit of recursion", "sys.setrecursionlimit(4321)", "sys.getrecursionlimit() == 4321"),
    Row("a filter of warnings", "import warnings; warnings.filterwarnings('ignore', 'left')", "'left' in repr(__import__('warnings').filters)"),
    Row("the precision of decimals", "import decimal; decimal.getcontext().prec = 7", "__import__('decimal').getcontext().prec == 7"),
    Row("no garbage collection", "import gc; gc.disable()", "not __import__('gc').isenabled()"),
    Row("the state of random", "import random; random.seed(7)", "__import__('random').random() == 0.32383276483316237"),
    Row("a disposition of a signal", "signal.signal(signal.SIGUSR1, signal.SIG_IGN)", "signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN"),
    Row("a signal that is blocked", "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])",
        "signal.SIGUSR2 in signal.pthread_sigmask(signal.SIG_BLOCK, [])"),
    Row("a signal that is pending", "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGWINCH]); os.kill(os.getpid(), signal.SIGWINCH)",
        "signal.SIGWINCH in signal.sigpending()"),
    Row("a timer", "signal.setitimer(signal.ITIMER_VIRTUAL, 1000)", "signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0"),
    Row("an alarm", "signal.alarm(1000)", "signal.alarm(0) > 0"),
    Row("a limit of resources", "resource.setrlimit(resource.RLIMIT_NOFILE, (199, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))",
        "resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 199"),
    Row("a hard limit", "resource.setrlimit(resource.RLIMIT_RTTIME, (7, 7))", "resource.getrlimit(resource.RLIMIT_RTTIME) == (7, 7)"),
    Row("niceness", "os.setpriority(os.PRIO_PROCESS, 0, 19)", "os.getpriority(os.PRIO_PROCESS, 0) == 19"),
    Row("a policy of scheduling", "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))", "os.sched_getscheduler(0) == os.SCHED_BATCH"),
    Row("the name of the process", "named('left')", "open('/proc/self/comm').read() == 'left' + chr(10)"),
    Row("the slack of timers", "done(libc.prctl(29, 123456, 0, 0, 0))", "libc.prctl(30, 0, 0, 0, 0) == 123456"),
    Row("a process", "named('left-child'); os.fork() or (os.setsid(), os.closerange(0, 5000), time.sleep(60)); named('left')",
        "processes('left-child')"),
    Row("a port", "listener = socket.create_server(('127.0.0.1', 4567))", "socket.socket().connect_ex(('127.0.0.1', 4567)) == 0"),
    Row("an abstract socket", "abstract = socket.socket(socket.AF_UNIX); abstract.bind(chr(0) + 'left'); abstract.listen()",
        "socket.socket(socket.AF_UNIX).connect_ex(chr(0) + 'left') == 0"),
    Row("System V shared memory", "done(libc.shmget(0x4c656674, 4096, 0o1600))", "libc.shmget(0x4c656674, 0, 0) >= 0"),
    Row("a System V queue", "done(libc.msgget(0x4c656674, 0o1600))", "libc.msgget(0x4c656674, 0) >= 0"),
    Row("a System V semaphore", "done(libc.semget(0x4c656674, 1, 0o1600))", "libc.semget(0x4c656674, 0, 0) >= 0"),
    Row("a POSIX queue", "done(libc.mq_open(b'/left', os.O_CREAT | os.O_RDWR, 0o600, None))", "libc.mq_open(b'/left', os.O_RDWR) >= 0", refused=True),
    Row("a lock of a file", "import fcntl; locked = open(TREE + '/locked', 'a'); fcntl.flock(locked, fcntl.LOCK_EX)",
        "subprocess_says(['flock', '-n', TREE + '/locked', 'true']) == 1"),
    Row("a key", "done(libc.syscall(248, b'user', b'left', b'1', 1, -3))", "libc.syscall(249, b'user', b'left', None, -3) >= 0", refused=True),
    Row("the name of the host", "socket.sethostname('left')", "socket.gethostname() == 'left'", refused=True),
]

NODE_SETUP = """
const fs = require('fs'), os = require('os'), TREE = %s;
globalThis.fs = fs; globalThis.os = os; globalThis.TREE = TREE; globalThis.require = require;
globalThis.has = path => fs.existsSync(path);
globalThis.runs = word => fs.readdirSync('/proc').filter(n => /^[0-9]+$/.test(n)).some(n => fs.readFileSync(`/proc/${n}/cmdline`, 'latin1').startsWith(word));
"""

NODE_ROWS = [
    Row("a file in /tmp", "fs.writeFileSync('/tmp/left', '')", "has('/tmp/left')"),
    Row("a file at home", "fs.writeFileSync(os.homedir() + '/left', '')", "has(os.homedir() + '/left')"),
    Row("a file in /dev/shm", "fs.writeFileSync('/dev/shm/left', '')", "has('/dev/shm/left')"),
    Row("a variable of the environment", "process.env.LEFT = '1'", "'LEFT' in process.env"),
    Row("the working directory", "process.chdir('/tmp')", "process.cwd() !== TREE"),
    Row("the umask", "process.umask(7)", "process.umask() === 7"),
    Row("a global", "globalThis.left = 1", "'left' in globalThis"),
    Row("a property of all lists", "Array.prototype.left = 1", "[].left === 1"),
    Row("an attribute of a module", "fs.left = 1", "fs.left === 1"),
    Row("a module", "require.cache['/left'] = module", "'/left' in require.cache"),
    Row("a kind of modules", "require('module')._extensions['.left'] = 1", "'.left' in require('module')._extensions"),
    Row("a listener of signals", "process.on('SIGUSR2', () => 0)", "process.listenerCount('SIGUSR2') > 0"),
    Row("a listener of the end", "process.on('exit', () => 0)", "process.listeners('exit').some(f => String(f) === '() => 0')"),
    Row("niceness", "os.setPriority(19)", "os.getPriority() === 19"),
    Row("the title of the process", "process.title = 'left'", "process.title === 'left'"),
    Row("servers of names", "require('dns').setServers(['192.0.2.7'])", "require('dns').getServers().includes('192.0.2.7')"),
    Row("an agent", "require('http').globalAgent.left = 1", "require('http').globalAgent.left === 1"),
    Row("a process", "require('child_process').spawn('/bin/sleep', ['60'], {detached: true, stdio: 'ignore', argv0: 'left-child'}).unref()",
        "runs('left-child')"),
]

SHELL_ROWS = [
    Row("a file in /tmp", ": > /tmp/left", "[[ -e /tmp/left ]]"),
    Row("a file at home", ": > ~/left", "[[ -e ~/left ]]"),
    Row("a file in /dev/shm", ": > /dev/shm/left", "[[ -e /dev/shm/left ]]"),
    Row("a variable", "left=1", "[[ -v left ]]"),
    Row("a variable of the environment", "export LEFT=1", "env | grep -q ^LEFT="),
    Row("a function", "left() { :; }", "declare -F left"),
    Row("an alias", "alias left=true", "alias left"),
    Row("an option", "set -o physical", "[[ -o physical ]]"),
    Row("another option", "shopt -s globstar", "shopt -q globstar"),
    Row("a trap", "trap '' USR1", "trap -p USR1 | grep ."),
    Row("a limit of resources", "ulimit -Sn 199", "(($(ulimit -Sn) == 199))"),
    Row("a hard limit", "ulimit -q 7", "[[ $(ulimit -Hq) == 7 ]]"),
    Row("where a program lies", "hash -p /bin/true left", "hash -t left"),
    Row("the working directory", "cd /tmp", "[[ $PWD != \"$TREE\" ]]"),
    Row("the last working directory", "cd /; cd /tmp", "[[ -v OLDPWD ]]"),
    Row("the stack of directories", "pushd /tmp >/dev/null", "((${#DIRSTACK[@]} > 1))"),
    Row("the umask", "umask 007", "[[ $(umask) == 0007 ]]"),
    Row("an argument", "set -- left", "(($# > 0))"),
    Row("the history", "set -o history; history -s left", "history | grep left"),
    Row("the state of RANDOM", "RANDOM=7", "((RANDOM == 19344))"),
    Row("the clock", "SECONDS=100000", "((SECONDS >= 100000))"),
    Row("a descriptor", "exec 7>/tmp/left", "[[ -e /proc/self/fd/7 ]]"),
    Row("a job", "sleep 60 >/dev/null 2>&1 & :", "jobs -p | grep ."),
    Row("a process", "(exec -a left-child sleep 60 >/dev/null 2>&1 &)", "sleep 0.1; grep -qa ^left-child /proc/[0-9]*/cmdline"),
    Row("niceness", "renice -n 19 -p $$ >/dev/null", "[[ $(nice) == 19 ]]"),
]


def python_source(tree, rows, leaves, looks):
    return PYTHON_SETUP % tree + f"""
import subprocess
def subprocess_says(argv):
    return subprocess.run(argv, capture_output=True).returncode
refused, found, wrong = [], [], []
for name, leave, look, _ in {[tuple(row) for row in rows]!r} if {leaves} else []:
    try:
        exec(leave, globals())
    except Exception as problem:
        refused.append((name, repr(problem)))
for name, leave, look, _ in {[tuple(row) for row in rows]!r} if {looks} else []:
    try:
        if eval(look, globals()):
            found.append(name)
    except Exception as problem:
        wrong.append((name, repr(problem)))
print(json.dumps([refused, found, wrong]))
"""


def node_source(tree, rows, leaves, looks):
    return NODE_SETUP % json.dumps(tree) + f"""
const refused = [], found = [], wrong = [], rows = {json.dumps([list(row) for row in rows])};
for (const [name, leave] of {json.dumps(leaves)} ? rows : []) try {{ (0, eval)(leave); }} catch (problem) {{ refused.push([name, String(problem)]); }}
for (const [name, , look] of {json.dumps(looks)} ? rows : [])
  try {{ if ((0, eval)(look)) found.push(name); }} catch (problem) {{ wrong.push([name, String(problem)]); }}
console.log(JSON.stringify([refused, found, wrong]));
"""


def shell_source(tree, rows, leaves, looks):
    """Of a table in a shell only what is found is told: what a command says of itself is its status."""
    lines = [f"TREE={tree}"]
    for row in rows if leaves else []:
        lines += [row.leave, f"(($? == 0)) || echo 'refused {row.name}'"]
    for row in rows if looks else []:
        lines.append(f"if {row.look} >/dev/null; then echo 'found {row.name}'; fi")
    return "\n".join(lines) + "\nexit 0\n"


def table_says(kind, said):
    """What was refused, what was found, and which probe failed."""
    if kind != "shell":
        return json.loads(said)
    lines = [line.partition(" ") for line in said.splitlines()]
    return [[[name, ""] for what, _, name in lines if what == "refused"], [name for what, _, name in lines if what == "found"], []]


TABLES = {"python": (python_source, PYTHON_ROWS), "node": (node_source, NODE_ROWS), "shell": (shell_source, SHELL_ROWS)}


def nothing_is_left_of(kind):
    def scenario(place):
        if kind not in kinds(place):
            raise Skip(f"there is no {kind}")
        source, rows = TABLES[kind]
        with Coding(place) as s:
            one, another = s.begin(), s.begin()
            refused, found, wrong = table_says(kind, s.warm(one, kind, source(s.tree, rows, True, False)))
            assert {name for name, _ in refused} == {row.name for row in rows if row.refused} and not found and not wrong, (refused, found, wrong)
            for session in (one, another):
                refused, found, wrong = table_says(kind, s.warm(session, kind, source(s.tree, rows, False, True)))
                assert not found and not wrong, (session == one, found, wrong)
            # and within one event they are found
            refused, found, wrong = table_says(kind, s.warm(another, kind, source(s.tree, rows, True, True)))
            missed = {row.name for row in rows if not row.refused} - set(found)
            assert not missed and not wrong, (missed, wrong)
    scenario.__name__ = f"nothing_is_left_of_{kind}_for_the_next"
    return scenario


# ---- what is there ----


PYTHON_SEEN = '''
import _locale, json, os, resource, signal, sys
FDS = "/proc/self/fd/"
def text(path):
    return open(path).read()
def fields(path, *names):
    return [line for line in text(path).splitlines() if line.partition(":")[0] in names]
seen = {
    "descriptors": sorted((min(int(fd), 100), os.readlink(FDS + fd).partition("[")[0]) for fd in os.listdir(FDS) if os.path.lexists(FDS + fd)),
    "status": fields("/proc/self/status", *"""Umask Uid Gid Groups Threads SigPnd ShdPnd SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs
                     Seccomp Seccomp_filters Speculation_Store_Bypass SpeculationIndirectBranch CoreDumping THP_enabled NStgid""".split()),
    "limits": text("/proc/self/limits"),
    "terminal, group, session": [text("/proc/self/stat").rpartition(")")[2].split()[i] for i in (1, 2, 3, 4, 5, 16)],
    "scheduling": [os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), sorted(os.sched_getaffinity(0))],
    "odds and ends": [text(f"/proc/self/{name}") for name in ("oom_score_adj", "coredump_filter", "comm", "cgroup", "loginuid", "sessionid", "setgroups")],
    "environment": dict(os.environ), "initial environment": sorted(text("/proc/self/environ").split(chr(0))),
    "processes": sorted(filter(str.isdigit, os.listdir("/proc"))),
    "directory": [os.getcwd(), os.path.realpath("/proc/self/cwd"), os.path.realpath("/proc/self/root")],
    "timers": [signal.getitimer(which) for which in (0, 1, 2)], "locale": _locale.setlocale(_locale.LC_ALL, None), "input": sys.stdin.read(),
    "modules": sorted(sys.modules), "path": [sys.path, sys.argv, repr(sys.flags), sys.getrecursionlimit()], "globals": sorted(globals()),
    "handlers": [repr(signal.getsignal(n)) for n in range(1, 32)], "mounts": len(text("/proc/self/mountinfo").splitlines()),
    "files": [sorted(os.listdir(d)) for d in ("/tmp", "/dev/shm", os.path.expanduser("~"))],
    "interpreter": text("/proc/self/cmdline"),
}
try:
    seen["a terminal"] = os.open("/dev/tty", os.O_RDWR)
except OSError as problem:
    seen["a terminal"] = repr(problem)
print(json.dumps(seen))
'''

NODE_SEEN = """
const fs = require('fs'), seen = {}, text = path => fs.readFileSync(path, 'latin1');
const fields = (path, ...names) => text(path).split('\\n').filter(line => names.includes(line.split(':')[0]));
const led = fd => { try { return [+fd, fs.readlinkSync('/proc/self/fd/' + fd).split('[')[0]]; } catch { return null; } };
seen.descriptors = fs.readdirSync('/proc/self/fd').map(led).filter(x => x).sort((a, b) => a[0] - b[0]);
seen.status = fields('/proc/self/status', ...('Umask Uid Gid Groups SigPnd ShdPnd SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs Seccomp ' +
  'Seccomp_filters THP_enabled NStgid').split(' '));
seen.limits = text('/proc/self/limits');
seen.group = [1, 2, 3, 4, 5, 16].map(i => text('/proc/self/stat').slice(text('/proc/self/stat').lastIndexOf(')') + 2).split(' ')[i]);
seen.environment = process.env;
seen['initial environment'] = text('/proc/self/environ').split('\\0').sort();
seen.processes = fs.readdirSync('/proc').filter(n => /^[0-9]+$/.test(n));
seen.directory = [process.cwd(), fs.realpathSync('/proc/self/cwd')];
seen.input = fs.readFileSync(0, 'latin1');
seen.modules = Object.keys(require.cache);
seen.words = [process.argv, process.execArgv, process.title, process.umask(), require('os').getPriority()];
seen.globals = Object.getOwnPropertyNames(globalThis).sort();
seen.listeners = process.eventNames().map(String).sort();
seen.files = ['/tmp', '/dev/shm', require('os').homedir()].map(d => fs.readdirSync(d).sort());
seen.interpreter = text('/proc/self/cmdline');
try { fs.openSync('/dev/tty'); seen.terminal = true; } catch (problem) { seen.terminal = problem.code; }
console.log(JSON.stringify(seen));
"""

SHELL_SEEN = r"""
ls -l /proc/$$/fd | sed 's/.* \([0-9]* -> [a-z/]*\).*/descriptors \1/'
grep -E '^(Umask|Uid|Gid|Groups|Threads|Sig.*|ShdPnd|Cap.*|NoNewPrivs|Seccomp.*|NStgid):' /proc/$$/status | sed 's/^/status /;/SigQ/d'
sed 's/^/limits /' /proc/$$/limits
read -r stat < /proc/$$/stat; set -- ${stat##*)}; echo "group $2 $3 $4 $5 $6 ${17}"; set --
env | sort | sed 's/^/environment /'
tr '\0' '\n' < /proc/$$/environ | sort | sed 's/^/initial /'
for n in /proc/[0-9]*; do [[ $n == /proc/$! ]] || processes+=("$n"); done
echo "directory $PWD $(readlink /proc/$$/cwd)"; echo "umask $(umask) nice $(nice)"; echo "input $(wc -c)"
echo "arguments $0 $# $- $BASH_SUBSHELL $SHLVL $BASHOPTS $SHELLOPTS"
trap -p | sed 's/^/traps /'; alias | sed 's/^/alias /'; declare -F | sed 's/^/functions /'
shopt | sed 's/^/options /'; ls -A /tmp /dev/shm ~ | sed 's/^/files /'
compgen -v | grep -v -E '^(BASHPID|RANDOM|SRANDOM|EPOCH.*|SECONDS|stat|n|processes|_)$' | sed 's/^/variables /'
tr '\0' '\n' < /proc/$$/cmdline | sed 's/^/interpreter /'
if (: < /dev/tty) 2>/dev/null; then echo 'terminal one'; else echo 'terminal none'; fi
"""

SEEN = {"python": PYTHON_SEEN, "node": NODE_SEEN, "shell": SHELL_SEEN}

# What would be seen of an interpreter that is not as another: it changes everything of this kind by itself.
CHANGES = {
    "python": ("import os, resource, signal, sys; os.umask(1); kept = open('/tmp/x', 'w'); os.environ['X'] = '1'; os.nice(1); "
               "signal.signal(10, signal.SIG_IGN); signal.alarm(100); "
               "resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99)); import decimal; os.chdir('/'); os.fork() or os.execv('/bin/sleep', ['sleep', '9'])\n",
               {"descriptors", "status", "limits", "scheduling", "environment", "processes", "directory", "timers", "modules", "globals", "handlers", "files"}),
    "node": ("process.umask(1); process.env.X = '1'; globalThis.x = require('fs').openSync('/tmp/x', 'w'); process.chdir('/'); process.on('SIGUSR2', () => 0); "
             "require('os').setPriority(19); require.cache['/x'] = 1; require('child_process').spawn('/bin/sleep', ['9'], {stdio: 'ignore'}).unref();\n",
             {"descriptors", "status", "environment", "processes", "directory", "modules", "words", "globals", "listeners", "files"}),
    "shell": ("umask 1; export X=1; exec 7>/tmp/x; cd /; trap '' USR1; alias x=y; f() { :; }; shopt -s globstar; ulimit -n 99\n",
              {"descriptors", "status", "limits", "environment", "directory", "umask", "variables", "traps", "alias", "functions", "options", "files"}),
}


def parts_of(kind, said):
    if kind != "shell":
        return json.loads(said)
    parts = collections.defaultdict(list)
    for line in said.splitlines():
        parts[line.partition(" ")[0]].append(line)
    return parts


# A copy's parent is what it is a copy of, outside of its cell, and one more filter lies under its own.
def as_started(seen):
    said = dict(seen)
    said["terminal, group, session"] = ["1", *seen["terminal, group, session"][1:]]
    said["status"] = [line.replace("Seccomp_filters:\t2", "Seccomp_filters:\t1") for line in seen["status"]]
    return said


def different(one, another):
    return {name: (one.get(name), another.get(name)) for name in {*one, *another} if one.get(name) != another.get(name)}


def who_waited_is_as_who_did_not(place):
    """Descriptors, signals, limits, capabilities, filters, groups, terminal, environment, modules: all that can be seen, but for times and numbers
    that always differ."""
    with Coding(place) as s:
        warm, cold = s.begin(), s.cold()
        for kind in kinds(place):
            is_ = parts_of(kind, s.warm(warm, kind, SEEN[kind]))
            if kind == "python" and os.geteuid() != 0:
                assert is_["terminal, group, session"][0] == "0", is_
                is_ = as_started(is_)
            was = parts_of(kind, s.says(cold, kind, SEEN[kind]))
            assert not different(was, is_), (kind, different(was, is_))
            changes, names = CHANGES[kind]
            shown = different(was, parts_of(kind, s.says(cold, kind, changes + SEEN[kind])))
            assert names <= set(shown), (kind, names - set(shown))


def it_is_right_in_itself(place):
    """Not just the same: what must be there, and must not."""
    with Coding(place) as s:
        session = s.begin()
        seen = parts_of("python", s.warm(session, "python", PYTHON_SEEN))
        assert [fd for fd, _ in seen["descriptors"] if fd in (0, 1, 2)] == [0, 1, 2] and not [fd for fd, _ in seen["descriptors"] if fd in (4, 5, 6,
                                                            7)], seen["descriptors"]
        assert len(seen["descriptors"]) <= 5, seen["descriptors"]
        status = dict(line.split(":\t") for line in seen["status"])
        assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and {status[c] for c in ("CapInh", "CapPrm", "CapEff", "CapAmb",
                                                            "CapBnd")} == {"0" * 16}, status
        assert status["SigBlk"] == "0" * 16, status
        assert seen["terminal, group, session"][3] == "0" and isinstance(seen["a terminal"], str) and seen["input"] == "", seen
        assert len(seen["processes"]) == 1, seen["processes"]
        way = [s.tree.split("/")[2]] if s.tree.startswith("/tmp/") else []
        assert seen["directory"][0] == s.tree and seen["files"] == [way, [], ["tree"]], (seen["directory"], seen["files"])
        seen = parts_of("shell", s.warm(session, "shell", SHELL_SEEN))
        assert seen["descriptors"] == [f"descriptors {n} -> {to}" for n, to in ((0, "/dev/null"), (1, "pipe"), (2, "pipe"))], seen["descriptors"]


CHILDREN = {"python": "import subprocess\nsubprocess.run(['ls', '/proc/self/fd'], close_fds=False, check=True)\nNone",
            "node": "process.stdout.write(require('child_process').execFileSync('ls', ['/proc/self/fd']))\n;undefined", "shell": "ls /proc/self/fd"}
OPENS = {"python": "import os\nos.dup2(os.open('/tmp', 0), 77)\n", "shell": "exec 77</dev/zero\n"}


def what_it_starts_inherits_nothing(place):
    """Neither the pipe that the source came by, nor that of the result."""
    with Coding(place) as s:
        session = s.begin()
        for kind in kinds(place):
            said = s.warm(session, kind, CHILDREN[kind])
            assert said.splitlines()[:5] == ["0", "1", "2", "3"], (kind, said)  # the last is the directory that is read
            if kind in OPENS:
                assert "77" in s.warm(session, kind, OPENS[kind] + CHILDREN[kind]).splitlines(), kind


# ---- random numbers and addresses ----


RANDOM = {
    "python": """
import ctypes, json, os, random, secrets, uuid, tempfile
seen = {"random": random.random(), "an instance": random.Random().random(), "shuffled": random.sample(range(10**6), 3), "secrets": secrets.token_hex(8),
        "uuid4": str(uuid.uuid4()), "urandom": os.urandom(8).hex(), "hash of a text": hash("text"), "order of a set": [*map(str, {*map(str, range(50))})],
        "temporary name": next(tempfile._get_candidate_names()),
        "address of an object": id(object()), "address in libc": [line.split("-")[0] for line in open("/proc/self/maps") if "libc" in line][0],
        "address of a stack": [line.split("-")[0] for line in open("/proc/self/maps") if "[stack]" in line],
        "AT_RANDOM": open("/proc/self/auxv", "rb").read().hex()}
try:
    import numpy
    seen["numpy"], seen["numpy's generator"] = numpy.random.rand(), numpy.random.default_rng().random()
except ImportError:
    pass
print(json.dumps(seen))
""",
    "node": """
const c = require('crypto'), at = word => maps.filter(l => l.includes(word))[0].split('-')[0];
const maps = require('fs').readFileSync('/proc/self/maps', 'latin1').split('\\n');
console.log(JSON.stringify({random: Math.random(), another: Math.random(), bytes: c.randomBytes(8).toString('hex'), uuid: c.randomUUID(),
  int: c.randomInt(2 ** 47), subtle: [...crypto.getRandomValues(new Uint8Array(8))],
  'addresses of the program': at('/node') + at('libc'), 'address of the stack': at('[stack]')}));
""",
    "shell": """
read -r first < <(grep bash /proc/$$/maps); stack=$(grep -F '[stack]' /proc/$$/maps)
printf '{"RANDOM": "%s", "SRANDOM": "%s", "program": "%s", "stack": "%s", "name": "%s"}' \
  "$RANDOM $RANDOM $RANDOM $RANDOM" "$SRANDOM" "${first%%-*}" "${stack%%-*}" "$(mktemp -u)"
""",
}
# What all copies of one have from it (doc/CODE.md): not random numbers, but where things lie, and in which order sets have their texts.
INHERITED = {"hash of a text", "order of a set", "address of an object", "address in libc", "address of a stack", "AT_RANDOM"}
SEEDED = {"python": "import random; random.seed(7)\n", "node": "Math.random = () => 0.5;\n", "shell": "RANDOM=7\n"}
SEEDS = {"python": "random", "node": "random", "shell": "RANDOM"}


def no_two_have_the_same_random_numbers(place):
    """Nor the same addresses, nor seeds of hashes."""
    with Coding(place) as s:
        one, another = s.begin(), s.begin()
        for kind in kinds(place):
            seen = [json.loads(s.warm(session, kind, RANDOM[kind])) for session in (one, one, another)]
            copied = INHERITED if kind == "python" and os.geteuid() != 0 else set()
            same = {name for name in seen[0] for i, j in ((0, 1), (0, 2), (1, 2)) if seen[i][name] == seen[j][name] and (j == 2 or name not in copied)}
            assert not same, (kind, same, [[each[name] for each in seen] for name in same])
            assert not copied or seen[0]["hash of a text"] == seen[1]["hash of a text"], "they are no copies of one"
            seen = [json.loads(s.warm(one, kind, SEEDED[kind] + RANDOM[kind])) for _ in range(2)]
            assert seen[0][SEEDS[kind]] == seen[1][SEEDS[kind]], (kind, seen)


# ---- modules ----


def a_module_is_what_it_is_now(place):
    """Written and imported by one event, then changed by the next, and then by somebody outside while the next interpreter waits already."""
    imports = {"python": ("mod.py", "VALUE = {}\n", "import mod, sys\nprint(mod.VALUE, [name for name in sys.modules if name.startswith('mod')])\n", "['mod']"),
               "node": ("mod.js", "module.exports = {};\n", "console.log(require('./mod.js'), Object.keys(require.cache).length)\n", "1"),
               "shell": ("mod.sh", "value={}; ((count++))\n", ". ./mod.sh; echo $value $count\n", "1")}
    with Coding(place) as s:
        session, another = s.begin(), s.begin()
        for kind in kinds(place):
            name, text, source, once = imports[kind]
            writes = {"python": f"open({name!r}, 'w').write({text.format(1)!r})\n", "node": f"require('fs').writeFileSync({name!r}, {text.format(1)!r});\n",
                      "shell": f"echo '{text.format(1).strip()}' > {name}\n"}[kind]
            assert s.warm(session, kind, writes + source) == f"1 {once}\n"
            assert s.warm(session, kind, writes.replace("1", "22", 1) + source) == f"22 {once}\n"
            for i, who in enumerate((session, another)):
                s.waits(who, kind)
                write(f"{s.tree}/{name}", text.format(333 * 10**i))
                assert s.code(who, kind, source).stdout == f"{333 * 10**i} {once}\n"
                s.waits(who, kind)
            os.unlink(f"{s.tree}/{name}")
            result = s.code(session, kind, source)
            assert "mod" in result.stderr and not result.stdout.startswith("3"), (kind, told(result))


# ---- secrets, memory, pages ----


ALL_THAT_IS_TOLD = {
    "python": "import glob\nfor name in sorted(glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline')):\n"
              "    try:\n        print(name, open(name, errors='replace').read())\n"
              "    except OSError as problem:\n        print(name, problem)\n",
    "node": "const fs = require('fs'); for (const n of fs.readdirSync('/proc').filter(n => /^[0-9]+$/.test(n))) for (const f of ['environ', 'cmdline']) "
            "try { console.log(n, f, fs.readFileSync(`/proc/${n}/${f}`, 'latin1')); } catch (problem) { console.log(n, f, problem.code); }\n",
    "shell": "for n in /proc/[0-9]*; do for f in environ cmdline; do echo $n $f; tr '\\0' '\\n' < $n/$f; done; done 2>&1; true\n",
}


def the_processes_tell_no_secrets(place):
    """Neither what the daemon's environment had, nor the source of an earlier event; nor of this one, which came by a pipe."""
    secret, earlier = f"sesame-{random.randrange(10**9)}", f"earlier{random.randrange(10**9)}"
    with Coding(place) as s:
        s.environment["OF_NOBODY"] = secret
        session, twin = s.begin(), s.begin("--env", "OF_NOBODY")
        for kind in kinds(place):
            s.warm(session, kind, {"python": f"{earlier} = 1", "node": f"globalThis.{earlier} = 1", "shell": f"{earlier}=1"}[kind])
            mark = {"python": "# ", "node": "// ", "shell": "# "}[kind] + earlier[::-1] + "\n"
            said = s.warm(session, kind, mark + ALL_THAT_IS_TOLD[kind])
            assert "PATH=" in said and secret not in said and earlier not in said and earlier[::-1] not in said, (kind, said)
            assert secret in s.says(twin, kind, ALL_THAT_IS_TOLD[kind])


SEARCH = """
import re
first, second = {!r}, {!r}[::-1]
hits = total = 0
with open("/proc/self/mem", "rb", buffering=0) as mem:
    for line in open("/proc/self/maps"):
        begin, end, mode = re.match("([0-9a-f]+)-([0-9a-f]+) (....)", line).groups()
        begin, end = int(begin, 16), int(end, 16)
        if mode[0] != "r" or "[v" in line:
            continue
        try:
            mem.seek(begin)
            data = mem.read(end - begin)
        except OSError:
            continue
        total += len(data)
        for at in re.finditer(first.encode(), data):
            after = data[at.end():at.end() + len(second)]
            hits += after == second.encode()
        del data
print(hits, total)
"""


def no_memory_has_a_trace_of_an_earlier_source(place):
    """A word of the earlier source is looked for in all that a later interpreter can read of itself, put together from halves that stand apart there."""
    def half():
        return "".join(random.choice("bcdfghjklmnpqrstvwxz") for _ in range(12))
    first, second = half(), half()
    with Coding(place) as s:
        session, another = s.begin(), s.begin()
        for kind in kinds(place):
            s.warm(session, kind, {"python": "text = '{}'\nprint(text)", "node": "globalThis.text = '{}'; console.log(text)",
                                   "shell": "text={}; echo $text"}[kind].format(first + second))
        for who in (session, another):
            hits, total = map(int, s.warm(who, "python", SEARCH.format(first, second[::-1])).split())
            assert hits == 0 and total > 4 << 20, (hits, total)
        hits, total = map(int, s.warm(session, "python", f"text = '{first + second}'\n" + SEARCH.format(first, second[::-1])).split())
        assert hits > 0, "the search finds nothing"


PAGES = """
import ctypes, json, mmap, os
libc, found = ctypes.CDLL(None, use_errno=True), {}
libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
fd = os.open("/etc/passwd" if os.path.exists("/etc/passwd") else "/bin/sh", os.O_RDONLY)
at, vector = libc.mmap(None, 4096, 1, 2, fd, 0), ctypes.create_string_buffer(1)
found["mincore"] = libc.mincore(at, 4096, vector) == 0
found["cachestat"] = libc.syscall(451, fd, ctypes.byref((ctypes.c_uint64 * 2)(0, 4096)), ctypes.byref((ctypes.c_uint64 * 5)()), 0) == 0
print(json.dumps(found))
"""


def nobody_is_told_which_pages_are_in_memory(place):
    """Who can see that sees what others read. Outside of a cell the probes succeed."""
    with Coding(place) as s:
        session = s.begin()
        found = json.loads(s.warm(session, "python", PAGES))
        assert not any(found.values()), found
        bare = json.loads(expect_ok(place.run("/usr/bin/python3", "-c", PAGES, cwd=s.tree)).stdout)
        assert bare["mincore"], bare


# ---- where they come from ----


STARTED = {"python": "print(open('/proc/self/stat').read().rpartition(')')[2].split()[19])",
           "node": "const t = require('fs').readFileSync('/proc/self/stat', 'latin1'); console.log(t.slice(t.lastIndexOf(')') + 2).split(' ')[19])",
           "shell": "read -r stat < /proc/$$/stat; set -- ${stat##*)}; echo ${20}"}


def ancestors(pid):
    found = []
    while pid > 1:
        pid = int(stat_of(pid)[1])
        found.append(pid)
    return found


def an_interpreter_that_waits_is_used_and_only_once(place):
    """The times of their start are those of two processes: one is of the event, and was started by itself."""
    with Coding(place) as s:
        sessions = [s.begin(), s.begin()]
        for kind in kinds(place):
            used = {}
            for session in sessions + sessions:
                pid = s.waits(session, kind)
                began, above, copied = stat_of(pid)[19], ancestors(pid), is_copy(pid)
                assert s.says(session, kind, STARTED[kind]) == began + "\n", f"{kind}: it ran in another"
                if copied:
                    above = []  # what it is a copy of, and its cell, which ran nothing: others are copies of it
                names = [cmdline(p).split(b"\0")[0] for p in above if p > 1]
                assert not [name for name in names[:3] if os.path.basename(name) in (b"python3", b"node", b"bash")], names
                for other in used.values():
                    assert not {pid, *above[:2]} & {other[0], *other[1][:2]}, "they share a process"
                used[len(used)] = (pid, above)


def a_source_may_be_empty(place):
    with Coding(place) as s:
        for kind in kinds(place):
            try:
                expect_ok(s.place.run(s.place.ambit, "run", f"--{kind}", cwd=s.tree, input="", timeout=5))
            except subprocess.TimeoutExpired:
                raise AssertionError(f"{kind}: it does not end") from None


# ---- who breaks it ----


PYTHON_DEEDS = {
    "kills what is above": "import os\nfor pid in (os.getppid() or 1, 1, -1):\n    try:\n        os.kill(pid, 9)\n    except OSError:\n        pass",
    "stops what is above": "import os\ntry:\n    os.kill(os.getppid() or 1, 19)\nexcept OSError:\n    pass",
    "writes to 3 and 4": "import os\nfor fd in (3, 4):\n    try:\n        os.write(fd, b'{\"v\":1}' * 1000)\n    except OSError:\n        pass",
    "writes to whatever is open": "import os\nfor fd in os.listdir('/proc/self/fd'):\n    try:\n"
                                  "        os.write(int(fd), b'{\"v\":1,\"value\":[')\n    except OSError:\n        pass",
    "reads whatever is open": "import os\nfor fd in os.listdir('/proc/self/fd'):\n    try:\n"
                              "        os.set_blocking(int(fd), False); os.read(int(fd), 100)\n    except OSError:\n        pass",
    "makes descriptors 3 and 4": "import os\nr, w = os.pipe(); os.dup2(r, 3); os.dup2(w, 4)",
    "leaves a child": "import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(60)\nos._exit(0)",
    "leaves a child that holds the output": "import os, time\nif os.fork() == 0:\n    time.sleep(60)\n",
    "closes all": "import os\nos.closerange(0, 100000)",
    "ends in the middle": "import os\nos._exit(3)",
    "raises in the end": "import atexit\natexit.register(lambda: 1 / 0)\nraise SystemExit(5)",
    "ends by SIGKILL": "import os\nos.kill(os.getpid(), 9)", "ends by SIGTERM": "import os\nos.kill(os.getpid(), 15)",
    "ends by SIGSEGV": "import ctypes\nctypes.string_at(0)",
    "ends by SIGABRT": "import os\nos.abort()", "ends by SIGPIPE": "import os, signal\nsignal.signal(13, signal.SIG_DFL)\nos.kill(os.getpid(), 13)",
    "makes many processes": "import os, time\ntry:\n    for _ in range(100000):\n"
                            "        if os.fork() == 0:\n            time.sleep(60)\nexcept OSError:\n    pass",
    "has threads that do not end": "import os, threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "breaks the driver's modules": "import sys, builtins\nfor name in list(sys.modules):\n    sys.modules[name] = None\nbuiltins.__dict__.clear()",
}
NODE_DEEDS = {
    "kills what is above": "for (const p of [process.ppid, 1, -1]) try { process.kill(p, 'SIGKILL'); } catch {}", "ends by SIGABRT": "process.abort()",
    "ends by SIGKILL": "process.kill(process.pid, 'SIGKILL')",
    "closes all": "for (let fd = 0; fd < 64; fd++) try { require('fs').closeSync(fd); } catch {}",
    "writes to 3 and 4": "for (const fd of [3, 4]) try { require('fs').writeSync(fd, '{'); } catch {}",
    "ends in the middle": "process.reallyExit(3)",
    "breaks the driver": "for (const k of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[k]; } catch {}",
}
SHELL_DEEDS = {
    "kills what is above": "kill -9 $PPID; kill -9 1; kill -9 -1", "ends by SIGKILL": "kill -9 $$", "closes all": "exec 0<&- 1>&- 2>&-",
    "writes to 3 and 4": "echo x >&3; echo x >&4",
    "leaves a child": "sleep 60 & disown", "becomes another": "exec sleep 0.1", "has an error in it": "if then fi ((",
}
DEEDS = {"python": PYTHON_DEEDS, "node": NODE_DEEDS, "shell": SHELL_DEEDS}
SAYS_RIGHT = {"python": "import os\nprint('right', os.getcwd(), flush=True)", "node": "require('fs').writeSync(1, `right ${process.cwd()}\\n`);",
              "shell": "echo right $PWD"}


def the_session_survives(kind):
    """Each says first that it is right, and so does one behind the last."""
    def scenario(place):
        if kind not in kinds(place):
            raise Skip(f"there is no {kind}")
        with Coding(place) as s:
            session, before = s.begin("--limit", "wall=20s", "--limit", "tasks=100"), "nothing"
            for name, source in [*DEEDS[kind].items(), ("nothing", NOTHING[kind])]:
                s.waits(session, kind)
                result = s.code(session, kind, SAYS_RIGHT[kind] + "\n" + source)
                row = s.events(session)[-1]
                assert result.stdout.startswith(f"right {s.tree}\n"), (f"after one that {before}", name, told(result), row)
                assert row["state"] == "over" and row["cause"] not in ("lost", "refused"), (name, told(result), row)
                before = name
            assert result.returncode == 0, told(result)
    scenario.__name__ = f"whatever_{kind}_does_the_session_goes_on"
    return scenario


def who_fills_its_memory_ends_alone(place):
    """By its limit; the next one has all of its own again."""
    fills = {"python": "x = []\nwhile True:\n    x.append(bytearray(1 << 20))", "node": "const x = []; for (;;) x.push(Buffer.alloc(1 << 20, 1));",
             "shell": "x=x; while :; do x=$x$x; done"}
    takes = {"python": "x = bytearray(40 << 20)\nprint(len(x))", "node": "console.log(Buffer.alloc(40 << 20, 1).length)",
             "shell": "printf -v x '%41943040s' ''; echo ${#x}"}
    with Coding(place) as s:
        session = s.begin("--limit", "memory=400M", "--limit", "wall=20s")
        for kind in kinds(place):
            s.waits(session, kind)
            result = s.code(session, kind, fills[kind])
            row = s.events(session)[-1]
            assert result.returncode != 0 and row["cause"] not in ("lost", "refused") and row["workspace"] != "committed", (kind, told(result), row)
            assert s.warm(session, kind, takes[kind]) == f"{40 << 20}\n", kind


SCENARIOS = [*map(nothing_is_left_of, INTERPRETERS), who_waited_is_as_who_did_not, it_is_right_in_itself, what_it_starts_inherits_nothing,
             no_two_have_the_same_random_numbers, a_module_is_what_it_is_now, the_processes_tell_no_secrets, no_memory_has_a_trace_of_an_earlier_source,
             nobody_is_told_which_pages_are_in_memory, an_interpreter_that_waits_is_used_and_only_once, a_source_may_be_empty,
             *map(the_session_survives, INTERPRETERS), who_fills_its_memory_ends_alone]

if __name__ == "__main__":
    main(SCENARIOS)
