#!/usr/bin/env python3
"""What a program in a cell tries to bring about outside it: by way of Ambit, of files that stay, of what is shared.

usage: outside.py AMBIT FORGER    (TAP on standard output; as root once more as an ordinary user)
"""

import json
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time

from harness import sanitized

AMBIT, FORGER = map(os.path.abspath, sys.argv[1:3])
SEED = int(os.environ.get("AMBIT_SEED") or random.SystemRandom().randrange(1 << 30))
OWN_PATH = b"/its/own/path/is/written/here/by/the/test/and/is/no/longer/than/this/text"
NOBODY = 65534
LOADER = "/lib64/ld-linux-x86-64.so.2" if os.uname().machine == "x86_64" else "/lib/ld-linux-aarch64.so.1"
COUNT = """
import ctypes, os, signal, sys, time
c = ctypes.CDLL(None, use_errno=True)
watchers = 0
while watchers < 200 and c.inotify_init() >= 0:
    watchers += 1
signal.pthread_sigmask(signal.SIG_BLOCK, [40])
queued = 0
while queued < 10000 and c.sigqueue(os.getpid(), 40, ctypes.c_void_p(0)) == 0:
    queued += 1
terminals = 0
try:
    while terminals < 400:
        os.open('/dev/ptmx', os.O_RDWR | os.O_NOCTTY)
        terminals += 1
except OSError:
    pass
print(watchers, queued, terminals)
"""
MULTIPLY = """
import os
here = os.getcwd()
for i in range(1000):
    try:
        os.open(f'{here}/l0/{i}', 0)
    except OSError:
        pass
"""
# Mounts an automounter's directory at argv[1], where only this process and its children see it, runs the rest of the
# arguments, and says which names were asked for.
AUTOMOUNTER = """
import ctypes, fcntl, os, struct, subprocess, sys, threading
place, command = sys.argv[1], sys.argv[2:]
c = ctypes.CDLL(None, use_errno=True)
os.setpgid(0, 0)
requests, kernel = os.pipe()
options = f'fd={kernel},pgrp={os.getpgrp()},minproto=5,maxproto=5,indirect'.encode()
if (c.unshare(0x20000) or c.mount(None, b'/', None, 0x44000, None) or
        c.mount(b'automounter', place.encode(), b'autofs', 0, options)):
    sys.exit(77)
top, asked = os.open(place, os.O_RDONLY), []
def serve():
    while True:
        request = os.read(requests, 4096)
        _, _, token = struct.unpack_from('iiI', request)
        asked.append(request[44:].split(b'\\0')[0].decode())
        fcntl.ioctl(top, 0x9361, token)  # AUTOFS_IOC_FAIL: there is no such name
threading.Thread(target=serve, daemon=True).start()
subprocess.run(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(*sorted(set(asked)))
"""

failures = number = 0


def check(name, good, note="", skip=None):
    global failures, number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {name}{' # SKIP ' + skip if skip else ''}")
    if note and not good:
        print("\n".join("# " + line for line in str(note).splitlines()))
    failures += not good


class World:
    """A home and a workspace of their own, as one user."""

    def __init__(self, top, uid):
        self.uid = uid
        self.home = os.path.join(top, "home")
        self.work = os.path.join(self.home, "work")
        self.who = "root" if (uid or os.geteuid()) == 0 else "ordinary user"
        os.makedirs(self.work)
        for path in (top, self.home, self.work):
            os.chmod(path, 0o755)
            self.own(path)

    def own(self, path):
        if self.uid is not None:
            os.chown(path, self.uid, self.uid, follow_symlinks=False)

    def write(self, path, text, mode=0o644):
        path = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.own(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        self.own(path)
        return path

    def run(self, command, cwd=None, **more):
        ids = {} if self.uid is None else {"user": self.uid, "group": self.uid, "extra_groups": []}
        more.setdefault("stdin", subprocess.DEVNULL)
        env = {"PATH": "/usr/bin:/bin", "HOME": self.home}
        try:
            return subprocess.run(command, cwd=cwd or self.work, env=env, capture_output=True, text=True, timeout=60, **ids, **more)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, -1, "", "still running after a minute")

    def cell(self, flags, script, **more):
        return self.run([AMBIT, "run", *flags, "--", "sh", "-c", script], **more)

    def name(self, text):
        return f"{text} ({self.who})"


def records(w):
    """The record goes where the person said, or nowhere."""
    victim = w.write("victim", "untouched\n")
    kept = lambda: open(victim, encoding="utf-8").read() == "untouched\n"
    r = w.cell(["--work", ".", "--record", "r.json"], "true")
    check(w.name("a record is written"), r.returncode == 0 and open(f"{w.work}/r.json").read(1) == "{", r)
    r = w.cell(["--work", ".", "--record", "new.json"], "ls; cat r.json | head -c1")
    check(w.name("a new record is not there for the command, an old one is"), r.returncode == 0 and r.stdout == "r.json\n{" and
          open(f"{w.work}/new.json").read(1) == "{" and os.stat(f"{w.work}/new.json").st_mode & 0o777 == 0o600, r)
    r = w.run([AMBIT, "run", "--work", ".", "--record", "none.json", "--limit", "tasks=x", "--", "true"])
    check(w.name("no record is left of what was not run"), r.returncode == 125 and not os.path.lexists(f"{w.work}/none.json"), r)
    for path, flags in (("own.json", []), ("own.json", ["--direct"]), (f"{w.work}/own.json", [])):
        r = w.cell(["--work", ".", "--record", path, *flags], "echo mine > own.json")
        check(w.name(f"what the command made of the record's name stays {flags} {path[:1]}"), r.returncode == 125 and "record" in r.stderr and
              "mine\n" == open(f"{w.work}/own.json").read(), r)
        w.run(["rm", "-f", "own.json", "new.json"])
    w.run(["ln", "-s", "nowhere", "dangling"])
    r = w.cell(["--work", ".", "--record", "dangling"], "echo ran")
    check(w.name("a link that leads nowhere is no record"), r.returncode == 125 and r.stdout == "" and not os.path.lexists(f"{w.work}/nowhere"), r)
    w.run(["rm", "dangling"])
    for what, script, path in (
        ("a link", f"ln -sf {victim} r.json", "r.json"),
        ("a link to a new file", f"ln -sf {w.home}/made r.json", "r.json"),
        ("a link above", f"rm -rf d; ln -s {w.home} d", "d/victim"),
        ("a pipe", "rm -f r.json; mkfifo r.json", "r.json"),
    ):
        r = w.cell(["--work", ".", "--record", path], script)
        check(w.name(f"the record does not follow {what}"),
              r.returncode == 125 and kept() and not os.path.exists(f"{w.home}/made") and "record" in r.stderr, r)
    r = w.run([AMBIT, "run", "--read", ".", "--json", "--", "python3", "-c", "import os; os.open('.', os.O_PATH | os.O_DIRECTORY)"])
    kinds = {e["kind"] for e in json.loads(r.stdout or '{"effects": []}')["effects"] if e.get("path") == w.work}
    check(w.name("a place that is only named is not written"), kinds == {"read"}, r)
    w.run(["rm", "-f", "r.json", "d"])
    r = w.run(["sh", "-c", f"{AMBIT} run --record /dev/stderr -- true 2>&1 | head -c 1"])
    check(w.name("the record goes to a descriptor's name"), r.stdout == "{", r)


def streams(w):
    """Closed descriptors are nothing, and never one of Ambit's own."""
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        r = w.run(["sh", "-c", f"{AMBIT} run --work . -- sh -c 'cat; ls -l /proc/self/fd > fds' {closed}"])
        fds = open(f"{w.work}/fds").read() if r.returncode == 0 else ""
        check(w.name(f"started with {closed}"), fds.count("->") in (4, 5) and "pipe" not in (fds if closed == "<&- >&- 2>&-" else "") and
              "socket" not in fds and "anon_inode" not in fds, f"{r}\n{fds}")
        w.run(["rm", "-f", "fds"])
    for what, lines in (("little", 10), ("much", 300000)):
        w.write("work/in", "".join(f"{i}\n" for i in range(lines)))
        r = w.run(["sh", "-c", f"{{ {AMBIT} run -- sh -c 'read x; read y; echo $x $y'; sed 's/^/+/' | head -n 2; }} <in"])
        check(w.name(f"what was not read of {what} is left to the next"), r.stdout == "0 1\n+2\n+3\n", r)
    r = w.run(["sh", "-c", f"echo before >log; {AMBIT} run -- sh -c 'for i in 1 2 3 4; do echo out $i; echo err $i >&2; done' "
               ">>log 2>&1; cat log"])
    check(w.name("both outputs to one file keep their order"),
          r.stdout == "before\n" + "".join(f"{x} {i}\n" for i in "1234" for x in ("out", "err")), r)
    r = w.run(["sh", "-c", f"{{ echo before; {AMBIT} run -- sh -c 'for i in 1 2 3 4; do echo out $i; echo err $i >&2; done'; }} 2>&1 | cat"])
    check(w.name("both outputs to one pipe keep their order"),
          r.stdout == "before\n" + "".join(f"{x} {i}\n" for i in "1234" for x in ("out", "err")), r)
    # of a pipe that others write to as well: opened the other way round, and not read by anybody else until then
    back = "import os, sys; print(os.read(os.open('/proc/self/fd/1', os.O_RDONLY | os.O_NONBLOCK), 99), file=sys.stderr)"
    reads = lambda how: w.run(["sh", "-c", f"{{ echo secret; {how} python3 -c \"{back}\"; }} | {{ sleep 2; cat; }}"])
    twin, r = reads(""), reads(f"{AMBIT} run --")
    check(w.name("what others wrote to the same pipe is not read back"),
          ("secret" in twin.stderr or w.uid is None) and "secret" not in r.stderr and r.stdout == "secret\n", f"{twin}\n{r}")
    r = w.run(["sh", "-c", f"{AMBIT} run -- yes | head -n 1"])
    check(w.name("a reader that goes ends the writer"), r.stdout == "y\n", r)
    r = w.run(["sh", "-c", f"{AMBIT} run --limit disk=2M -- yes >>log"])
    check(w.name("a file that is appended to is bounded by disk"),
          r.returncode == 125 and os.path.getsize(f"{w.work}/log") < 64 << 20, r)
    w.run(["rm", "-f", "in", "log"])


def modes(w):
    """No file on the host becomes setuid or setgid."""
    for script in ("chmod 4755 s", "chmod 2755 s", "chmod u+s s",
                   "python3 -c 'import os; os.open(\"n\", os.O_CREAT | os.O_WRONLY, 0o4755)'",
                   "python3 -c 'import os; os.mknod(\"n\", 0o104755)'", "python3 -c 'import os; os.fchmod(os.open(\"s\", 0), 0o6755)'"):
        w.run(["cp", "/bin/true", "s"])
        twin = w.run(["sh", "-c", script])
        set_outside = any(os.stat(f"{w.work}/{f}").st_mode & 0o6000 for f in os.listdir(w.work))
        w.run(["rm", "-f", "n", "s"])
        w.run(["cp", "/bin/true", "s"])
        r = w.cell(["--work", "."], script)
        set_inside = any(os.stat(f"{w.work}/{f}").st_mode & 0o6000 for f in os.listdir(w.work))
        check(w.name(f"refused: {script[:60]}"), set_outside and not set_inside and r.returncode != 0, f"{twin}\n{r}")
        w.run(["rm", "-f", "n", "s"])


def learning(w):
    """Sensitive places are hidden while learning, wherever they lie and whatever leads to them."""
    w.write(".netrc", "SECRET\n", 0o600)
    w.write(".ssh/id", "SECRET\n", 0o600)
    w.write(".x_history", "SECRET\n", 0o600)
    w.write("keys/aws", "SECRET\n", 0o600)
    w.write("plain", "PUBLIC\n")
    w.run(["ln", "-s", "keys", ".aws"], cwd=w.home)
    places = "~/.netrc ~/.ssh/id ~/.x_history ~/keys/aws ~/.aws/aws"
    for cwd in (w.work, w.home):
        r = w.run([AMBIT, "learn", "--output", "/dev/null", "--", "sh", "-c", f"cat ~/plain {places}"], cwd=cwd)
        check(w.name(f"hidden while learning in {os.path.basename(cwd)}"), "PUBLIC" in r.stdout and "SECRET" not in r.stdout, r)
    if os.geteuid() == 0 and w.uid is None:
        r = w.run([AMBIT, "learn", "--output", "/dev/null", "--", "sh", "-c", "cat /etc/hostname /etc/shadow"])
        check(w.name("learning does not show the passwords of the host"), "root:" not in r.stdout, r.stderr)


def programs(w):
    """What may be written is not what may be executed."""
    w.write("work/p.sh", "#!/bin/sh\ncat /bin/echo > p.sh && exec ./p.sh WROTE-AND-RAN\n", 0o755)
    r = w.run([AMBIT, "run", "--work", ".", "--", "./p.sh"])
    check(w.name("with work a program overwrites itself"), "WROTE-AND-RAN" in r.stdout, r)
    w.write("work/p.sh", "#!/bin/sh\necho started; cat /bin/echo > p.sh && exec ./p.sh WROTE-AND-RAN\n", 0o755)
    r = w.run([AMBIT, "run", "--write", ".", "--", "./p.sh"])
    check(w.name("with write it does not"), "started" in r.stdout and "RAN" not in r.stdout and "denied" in r.stderr, r)
    r = w.run([AMBIT, "run", "--write", ".", "--write", "./p.sh", "--", "./p.sh"])
    check(w.name("unless it is named"), "WROTE-AND-RAN" in r.stdout, r)
    w.run(["rm", "-f", "p.sh"])


def scratch(w):
    """What was written in a place of the cell's own is not executed, and that is said; a link there to a program is no such thing."""
    for path, script, denied in (
        ("/tmp/x", "cp /bin/ls /tmp/x; /tmp/x", True),
        ("/dev/shm/x", "cp /bin/ls /dev/shm/x; /dev/shm/x", True),
        (f"{w.home}/x", "cd; cp /bin/ls x; ./x", True),
        ("/tmp/d/x", "mkdir /tmp/d; echo '#!/bin/sh' > /tmp/d/x; chmod +x /tmp/d/x; /tmp/d/x", True),
        ("/tmp/y", "cp /bin/ls /tmp/x; mv /tmp/x /tmp/y; /tmp/y", True),
        ("/tmp/x", "ln -s /bin/true /tmp/x; chmod +x /tmp/x; /tmp/x", False),
        ("/tmp/y", "ln -s /bin/true /tmp/x; mv /tmp/x /tmp/y; /tmp/y", False),
        ("/tmp/x", "/tmp/x", False),
    ):
        r = w.cell(["--record", "r.json"], script)
        said = f"denied: exec {path}\n  why: what was written in a place of the cell's own is never executed\n" in r.stderr
        why = '"verdict":"denied","new":false,"would":null,"why":"written"' in open(f"{w.work}/r.json", encoding="utf-8").read()
        told = w.run([AMBIT, "explain", "r.json"])
        check(w.name(f"scratch: {script} is {'denied' if denied else 'no denial'}"),
              (r.returncode == 126) == denied and said == why == ("write it beneath" in told.stdout) == denied, f"{r}\n{told.stdout}")
    os.mkdir(f"{w.work}/out")
    w.own(f"{w.work}/out")
    r = w.cell(["--work", "./out"], "cp /bin/true out/x; out/x")
    check(w.name("scratch: and beneath a work grant it is executed"), r.returncode == 0 and r.stderr == "", r)
    w.run(["rm", "-rf", "out", "r.json"])


def repositories(w):
    """Where git finds what it runs."""
    w.write("work/tree/.git", "gitdir: /elsewhere\n")
    for d in ("bare.git", "work/plain"):
        w.write(f"{d}/hooks/x", "")
        w.write(f"{d}/config", "[core]\n")
    w.write("work/repo/.git/commondir", ".\n")
    for flags, cwd, path, may in (
        (["--work", "."], "work/tree", ".git", False),
        (["--work", ".", "--write", "./.git"], "work/tree", ".git", True),
        (["--write", "."], "bare.git", "hooks/y", False),
        (["--write", "."], "bare.git", "config", False),
        (["--write", "."], "bare.git", "HEAD", True),
        (["--write", "."], "work/plain", "config", True),
        (["--write", "."], "work/repo", ".git/commondir", False),
    ):
        r = w.cell(flags, f"echo hostile > {path}", cwd=os.path.join(w.home, cwd))
        check(w.name(f"{' '.join(flags)} in {cwd}: {path} {'may' if may else 'may not'} be written"), (r.returncode == 0) == may, r)


def linked(w):
    """A protected name that is a link, or lies beneath one, is protected with what it leads to."""
    tree = f"{w.work}/linked"
    for path in ("real/settings", "git/hooks/x", "git/config", "dots/fish/x", "plain/x"):
        w.write(f"work/linked/{path}", "ours\n")
    for path in (tree, f"{tree}/git", f"{tree}/dots"):
        w.own(path)
    for name, text in ((".claude", "real"), (".envrc", "real/settings"), (".vimrc", "/nowhere"), (".git", "git"), (".config", "dots"),
                       (".cursor", ".claude/settings"), (".codex", "loop"), ("loop", ".codex"), (".idea", "."), (".vim", "../..")):
        w.run(["ln", "-s", text, name], cwd=tree)
    for script, may in (
        ("echo >> .claude/settings", False), ("echo >> real/settings", False), ("echo > real/new", False), ("mv real x", False),
        ("rm .claude", False), ("mv .claude x", False), ("ln -s /tmp x; mv -T x .claude", False), ("rm .envrc", False),
        ("rm .vimrc", False), ("echo > .git/config", False), ("echo > git/hooks/y", False), ("mv git x", False),
        ("mv .config x", False), ("echo > dots/fish/y", False), ("rm .codex", False), ("echo > .git/HEAD", True),
        ("echo > dots/other", False), ("echo > plain/x", True), ("rm loop", False),
    ):
        r = w.cell(["--work", "."], script, cwd=tree)
        check(w.name(f"links: {script} {'may' if may else 'may not'}"), r.returncode != 125 and (r.returncode == 0) == may, r)
    r = w.cell(["--work", ".", "--write", "./real"], "echo >> .claude/settings", cwd=tree)
    check(w.name("links: unless what they lead to is granted by name"), r.returncode == 0, r)


def counts(w):
    """What the kernel counts for each user is left to the caller."""
    r = w.run([AMBIT, "run", "--", "python3", "-c", COUNT])
    got = [int(x) for x in r.stdout.split()]
    check(w.name("inotify instances, pending signals and terminals are few"),
          len(got) == 3 and 0 < got[0] <= 64 and 0 < got[1] <= 4096 and 0 < got[2] <= 256, r)


def building(w):
    """A home beneath a name that is a link in every cell: nothing is made on the host while the cell is built."""
    r = w.run([AMBIT, "run", "--", "sh", "-c", "cd && touch there && pwd"])
    stray = f"/tmp/{os.path.basename(os.path.dirname(w.home))}"
    check(w.name("a home in /var/tmp"), r.stdout.strip() == w.home and not os.path.exists(stray), r)


def least(w):
    """A limit that no cell fits in is refused as that; at the least that is taken, a cell works."""
    larger = "a sanitizer's warden is larger" if sanitized(AMBIT) else None
    for least, less in (("files=32", "files=31"), ("memory=4M", "memory=4194303"), ("disk=256K", "disk=262143"), ("tasks=1", "tasks=0"),
                        ("wall=5s,cpu=5s,output=1", "wall=0s")):
        r = w.run([AMBIT, "run", "--limit", least, "--work", ".", "--", "/bin/true"])
        skip = larger if "memory" in least else None
        check(w.name(f"with {least} a cell works"), skip or (r.returncode == 0 and r.stderr == ""), r, skip)
        r = w.run([AMBIT, "run", "--limit", less, "--", "/bin/true"])
        hint = f"hint: at least {least}; or none" if least[0] in "fmd" else "or none"
        check(w.name(f"{less} is refused with what is needed"), r.returncode == 125 and hint in r.stderr and "limit " + less.split("=")[0] in r.stderr, r)
    r = w.run([AMBIT, "run", "--limit", "files=32,memory=4M,disk=256K,tasks=1", "--", "/bin/true"], stdin=None)
    check(w.name("with all of them, too"), larger or (r.returncode == 0 and r.stderr == ""), r, larger)


def strict(w):
    """No denial is hidden behind more effects than a record takes."""
    w.write("secret", "")
    fill = f"import os\nfor i in range({{}}):\n try: open('/tmp/%d' % i)\n" \
        f" except OSError: pass\ntry: open('{w.home}/secret')\nexcept OSError: pass"
    for n in (0, 20000):
        r = w.run([AMBIT, "run", "--strict", "--", "python3", "-c", fill.format(n)])
        check(w.name(f"a denial after {n} other effects makes the event fail"),
              r.returncode == 125 and ("denied" in r.stderr or "may be among them" in r.stderr), r)
    r = w.run([AMBIT, "run", "--strict", "--observe", "off", "--", "true"])
    check(w.name("strict asks for all to be observed"), r.returncode != 0, r)


SWAPPER = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
print(flush=True)
while True:
    libc.renameat2(-100, b'sub', -100, b'link', 2)
"""


def swapped_workspace(w):
    """A program that exchanges the workspace for a link which climbs out of every root leads a cell to nothing of the host."""
    project = f"{w.work}/swapped"
    os.makedirs(f"{project}/.git/hooks")
    os.mkdir(f"{project}/sub")
    os.symlink("../" * 40 + project.lstrip("/"), f"{project}/link")
    with open(f"{project}/.git/hooks/pre-commit", "w", encoding="utf-8") as hook:
        hook.write("as it was")
    for path in ("", "/sub", "/.git", "/.git/hooks", "/.git/hooks/pre-commit"):
        w.own(project + path)
    swapper = subprocess.Popen(["python3", "-c", SWAPPER], cwd=project, stdout=subprocess.PIPE, text=True)
    script = "echo planted >> .git/hooks/pre-commit; stat ../../../../../../../../etc/shadow > /dev/null && echo out"
    try:
        swapper.stdout.readline()
        seen, staged = ([w.run([AMBIT, "run", "--quiet", *how, "--work", project, "--workspace", f"{project}/sub", "--", "sh", "-c", script])
                         for _ in range(40)] for how in (["--direct"], ["--discard"]))
    finally:
        swapper.kill()
        swapper.wait()
    with open(f"{project}/.git/hooks/pre-commit", encoding="utf-8") as hook:
        check(w.name("a workspace that is swapped for a link leads nowhere"), hook.read() == "as it was", seen[0])
    led = [r for r in seen if "Read-only" in r.stderr]
    check(w.name("and some of the cells were led there"), len(led) > 0, seen[0])
    check(w.name("where nothing of the host is"), not [r for r in seen + staged if "out" in r.stdout], seen[0])


def speculation(w):
    """Indirect branches are kept apart where the processor can; store bypass is as it is outside, and a program may switch it off."""
    def told(status):
        return dict(re.findall(r"^(Speculation\w+):\s*(.*)$", status, re.M))

    bare, cell = (told(w.run([*before, "cat", "/proc/self/status"]).stdout) for before in ([], [AMBIT, "run", "--"]))
    branch, bypass = "SpeculationIndirectBranch", "Speculation_Store_Bypass"
    if bare.get(branch) == "conditional enabled":
        check(w.name("indirect branches are kept apart"), cell.get(branch) == "conditional force disabled", f"{bare}\n{cell}")
    else:
        check(w.name("indirect branches are kept apart"), True, skip=f"not this processor's to control: {bare.get(branch)!r}")
    check(w.name("store bypass is as it is outside"), bypass in bare and cell.get(bypass) == bare[bypass], f"{bare}\n{cell}")
    off = "import ctypes; print(ctypes.CDLL(None).prctl(53, 0, 4, 0, 0)); print(open('/proc/self/status').read())"
    if bare.get(bypass) == "thread vulnerable":
        r = w.run([AMBIT, "run", "--", "python3", "-c", off])
        check(w.name("a program may switch store bypass off for itself"), told(r.stdout).get(bypass) == "thread mitigated", r)
    else:
        check(w.name("a program may switch store bypass off for itself"), True, skip=f"not this processor's to control: {bare.get(bypass)!r}")


def lookups(w):
    """A name that is looked up is told as that, and the sockets of services that this host does not have are not told of."""
    r = w.run([AMBIT, "run", "--", "getent", "passwd", "nobody-has-this-name"])
    check(w.name("no denial of a name service that is not there"), r.returncode == 2 and r.stderr == "", r,
          skip="this host has one" if os.path.exists("/var/run/nscd/socket") else None)
    r = w.run([AMBIT, "run", "--", "getent", "hosts", "example.com"])
    check(w.name("a name that is looked up is a denial"), r.returncode == 2 and "a name was looked up" in r.stderr, r)
    r = w.run([AMBIT, "run", "--", "getent", "hosts", "localhost"])
    check(w.name("one of the cell's own is none"), r.returncode == 0 and r.stderr == "", r)


def network(w):
    """Where no network namespace can be made, nothing is executed: the host's network is no substitute."""
    script = "%s exec unshare -U --map-user=1000 --map-group=1000 \"$0\" run -- sh -c 'touch /tmp/x && echo executed'"
    limited = "echo 0 >/proc/sys/user/max_net_namespaces;"
    outer = ["unshare", "-Ur", "sh", "-c"]
    if w.run([*outer, script % "", AMBIT]).stdout != "executed\n":
        check(w.name("no network namespace, no event"), True, skip="user namespaces cannot be nested here")
        return
    r = w.run([*outer, script % limited, AMBIT])
    check(w.name("no network namespace, no event"), r.returncode == 125 and r.stdout == "" and "network of the cell" in r.stderr, r)


def by_hand(w):
    """A warden that somebody starts outside a cell ends nobody. In a pid namespace, whose processes it could end."""
    script = "sleep 60 & \"$0\" </dev/null; kill -0 $! && echo alive"
    contain = ["unshare", "-Ur", "--pid", "--fork", "--kill-child", "sh", "-c", script]
    if "alive" not in w.run([*contain, "true"]).stdout:
        check(w.name("a warden started by hand ends nobody"), True, skip="pid namespaces cannot be made here")
        return
    r = w.run([*contain, os.path.join(os.path.dirname(AMBIT), "ambit-warden")])
    check(w.name("a warden started by hand ends nobody"), r.stdout == "alive\n", r)


def ended(w):
    """What the cell still asks while it is ended is not answered with something else than its end."""
    script = "mkdir out-%d; for i in $(seq 20); do dd if=/dev/zero of=out-%d/b$i bs=1M count=3 | cat; done"
    runs = [w.cell(["--limit", "disk=10M", "--work", "."], script % (i, i)) for i in range(5)]
    w.run(["sh", "-c", "rm -rf out-*"])
    check(w.name("a cell that is ended is not told that calls are missing"),
          all("implemented" not in r.stderr and "Error 38" not in r.stderr and r.returncode == 125 for r in runs),
          [(r.returncode, re.sub(r".*(records|copied).*\n", "", r.stderr)) for r in runs])
    r = w.cell(["--limit", "disk=10M", "--work", "."], "exec dd if=/dev/zero of=big bs=1M count=30")
    w.run(["rm", "-f", "big"])
    check(w.name("a file over the limit is a limit"), r.returncode == 125 and "disk=10M" in r.stderr, r)


def end(w):
    """The end of an event does not depend on what the program made Ambit look at."""
    w.run(["sh", "-c", "mkdir d; for i in $(seq 0 38); do ln -s $(yes d/../ | head -800 | tr -d '\\n')l$((i+1)) l$i; done"])
    begin = time.monotonic()
    r = w.run([AMBIT, "run", "--work", ".", "--limit", "wall=2s", "--quiet", "--", "python3", "-c", MULTIPLY])
    took = time.monotonic() - begin
    check(w.name("links that multiply paths do not hold the end up"), r.returncode in (0, 124) and took < 20, f"{took:.1f} s, {r}")


def loaders(w):
    """With --base minimal a program brings its libraries and its interpreter, and nothing else that it names."""
    program = w.write("work/forger", "", 0o755)
    with open(FORGER, "rb") as forger, open(program, "wb") as copy:
        copy.write(forger.read().replace(OWN_PATH, program.encode().ljust(len(OWN_PATH), b"\0")))
    twin = w.run([LOADER, "--list", program])
    bare, r = w.run([program]), w.run([AMBIT, "run", "--base", "minimal", "--", program])
    check(w.name("a program does not answer for its loader"),
          "forged => /usr " in twin.stdout and "SEEN" in bare.stdout and "hidden" in r.stdout, f"{twin}\n{bare}\n{r}")
    script = w.write("work/s", "#!/usr/share\n", 0o755)
    probe = [AMBIT, "run", "--base", "minimal", "--run", "/usr/bin/ls", "--run", script, "--", "/usr/bin/ls", "/usr/share"]
    r = w.run(probe)
    check(w.name("a directory is no interpreter"), r.returncode != 0, r)
    for flags, name in ((["--run", "/bin/ls"], "ls"), ([], "/bin/ls"), (["--read", "/bin/ls"], "/usr/bin/ls")):
        r = w.run([AMBIT, "run", "--base", "minimal", *flags, "--", name, "-d", "/"])
        check(w.name(f"a program is found by its name in /bin: {' '.join([*flags, name])}"), (r.returncode, r.stdout) == (0, "/\n"), r)
    for flags, name in (([], "/bin/sh"), (["--run", "/bin/sh"], "sh")):  # a link, beneath one
        r = w.run([AMBIT, "run", "--base", "minimal", *flags, "--", name, "-c", "echo /"])
        check(w.name(f"a link in /bin leads to its program: {' '.join([*flags, name])}"), (r.returncode, r.stdout) == (0, "/\n"), r)


def automounters(w):
    """What a program asks for in vain is looked up on the host, but no automounter is asked for it, who would ask the network."""
    if os.geteuid() != 0 or w.uid is not None:
        return
    elsewhere = tempfile.mkdtemp(prefix="ambit-outside-", dir="/srv")
    at_home = os.path.join(w.home, "net")
    os.mkdir(at_home)
    try:
        for place in (at_home, elsewhere):
            script = f"cat {place}/secret/x; touch {place}/secret"
            twin = w.run([sys.executable, "-c", AUTOMOUNTER, place, "sh", "-c", script])
            if twin.returncode == 77:
                check(w.name("no automounter is asked"), True, skip="no autofs here")
                continue
            r = w.run([sys.executable, "-c", AUTOMOUNTER, place, AMBIT, "run", "--", "sh", "-c", script])
            check(w.name(f"no automounter is asked in {os.path.dirname(place)}"),
                  "secret" in twin.stdout and r.returncode == 0 and r.stdout == "\n", f"{twin}\n{r}")
    finally:
        os.rmdir(elsewhere)


def world(uid):
    """Of a sanitizer's build, in which all takes long, root and the other user take a quarter each."""
    shared = sanitized(AMBIT) and os.geteuid() == 0 and "AMBIT_SOAK" not in os.environ
    top = tempfile.mkdtemp(prefix="ambit-outside-", dir="/var/tmp")
    try:
        w = World(top, uid)
        reach = w.run([AMBIT, "run", "--", "true"])
        if uid is not None and reach.returncode == -1 or "Permission denied" in reach.stderr:
            check(w.name("everything"), True, skip=f"the build directory is out of this user's reach: {reach.stderr.strip()!r}")
            return
        for i, part in enumerate((records, streams, modes, learning, programs, scratch, repositories, linked, building, network, counts, least, loaders, strict,
                                  swapped_workspace, speculation, lookups, automounters, by_hand, ended, end)):
            if not shared or (i + SEED + 2 * (uid is not None)) % 4 == 0:
                part(w)
    finally:
        shutil.rmtree(top, ignore_errors=True)  # the ledger's process may still write there, until it ends


def main():
    print(f"# AMBIT_SEED={SEED}", flush=True)
    world(None)
    if os.geteuid() == 0:
        try:
            world(NOBODY)
        except PermissionError as e:  # who may not even execute ambit
            check("everything (ordinary user)", True, skip=str(e))
    print(f"1..{number}")
    return min(failures, 100)


sys.exit(main())
