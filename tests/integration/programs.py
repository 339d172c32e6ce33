#!/usr/bin/env python3
"""Real programs, unchanged, with the obvious policy: programs.py AMBIT. Speaks TAP; as root also as an ordinary user.

Each scenario grants what a person would name without thinking, and looks at what came of it outside the cell."""

import hashlib
import json
import os
import re
import signal
import sys
import time
import zipfile
from base64 import urlsafe_b64encode

from harness import Skip, Terminal, expect_ok, main, need, told, write

# ---- version control, building, installing ----


def make_repository(place, path):
    os.makedirs(path)
    place.run("git", "init", "-q", "-b", "main", cwd=path)
    for number in range(3):
        write(os.path.join(path, f"dir{number}", "file"), f"{number}\n" * 1000)
        place.run("git", "add", ".", cwd=path)
        expect_ok(place.run("git", "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", f"change {number}", cwd=path))


def git_clone_and_commit(place):
    need("git")
    top = place.fresh()
    make_repository(place, os.path.join(top, "origin"))
    os.mkdir(os.path.join(top, "mine"))
    expect_ok(place.cell("--read", "./origin", "--work", "./mine", "--", "git", "clone", "./origin", "mine/clone", cwd=top))
    clone = os.path.join(top, "mine", "clone")
    write(os.path.join(clone, "new"), "new\n")
    script = "git add new && git -c user.name=B -c user.email=b@b.c commit -m 'a change from a cell' && git gc -q"
    expect_ok(place.cell("--work", ".", "--", "sh", "-c", script, cwd=clone))
    expect_ok(place.run("git", "log", "--format=%an %s", cwd=clone), "B a change from a cell", "A change 0")
    expect_ok(place.run("git", "fsck", "--strict", cwd=clone))
    assert expect_ok(place.run("git", "status", "--short", cwd=clone)).stdout == "", "the clone is not clean"


def git_clone_shows_no_denial(place):
    need("git")
    top = place.fresh()
    make_repository(place, os.path.join(top, "origin"))
    os.mkdir(os.path.join(top, "mine"))
    done = expect_ok(place.cell("--read", "./origin", "--work", "./mine", "--", "git", "clone", "-q", "./origin", "mine/clone", cwd=top))
    assert done.stderr == "", f"a clone needs nothing more than that, so nothing is to be said: {done.stderr}"


C_FILES = 30
MAKEFILE = """CFLAGS = -O2 -Wall
OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))
check: sum
\t./sum > result
sum: $(OBJECTS)
\t$(CC) -o $@ $^ -lm
clean:
\trm -f *.o sum result
"""


def make_project(path):
    os.makedirs(path, exist_ok=True)
    for number in range(C_FILES):
        write(os.path.join(path, f"part{number}.c"),
              f'#include <math.h>\n#include "parts.h"\n\ndouble part{number}(double x)\n{{\n\treturn sqrt(x * x) + {number};\n}}\n')
    write(os.path.join(path, "parts.h"), "".join(f"double part{n}(double x);\n" for n in range(C_FILES)))
    calls = "".join(f"\tsum = part{n}(sum);\n" for n in range(C_FILES))
    write(os.path.join(path, "main.c"),
          f'#include <stdio.h>\n#include "parts.h"\n\nint main(void)\n{{\n\tdouble sum = 0;\n\n{calls}\tprintf("%.0f\\n", sum);\n\treturn 0;\n}}\n')
    write(os.path.join(path, "Makefile"), MAKEFILE)


def make_of_a_C_project(place):
    need("make", "gcc")
    top = place.fresh()
    make_project(top)
    for jobs in ["-j1", "-j2"]:
        expect_ok(place.run("make", "clean", cwd=top))
        done = expect_ok(place.cell("--work", ".", "--", "make", jobs, cwd=top))
        with open(os.path.join(top, "result"), encoding="ascii") as result:
            assert result.read() == f"{sum(range(C_FILES))}\n", told(done)
        assert done.stderr == "", f"{jobs}: {done.stderr}"
    again = expect_ok(place.cell("--work", ".", "--", "make", cwd=top), "")
    assert "part1.c" not in again.stdout, f"what was built is built again: the times of files are wrong; {told(again)}"


def make_wheel(path):
    """A pure Python wheel, by hand: PEP 427."""
    name = os.path.join(path, "greeter-1.0-py3-none-any.whl")
    info = "greeter-1.0.dist-info"
    files = {
        "greeter/__init__.py": "def main():\n    print('greetings from a wheel')\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: by-hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ngreet = greeter:main\n",
    }
    record = ""
    for file, text in files.items():
        digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        record += f"{file},sha256={digest},{len(text)}\n"
    with zipfile.ZipFile(name, "w") as wheel:
        for file, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            wheel.writestr(file, text)
    return name


def pip_install_of_a_wheel_into_a_venv(place):
    top = place.fresh()
    if place.run("/usr/bin/python3", "-c", "import venv, ensurepip", cwd=top).returncode != 0:
        raise Skip("python3-venv is not installed")
    make_wheel(top)
    script = ("python3 -m venv env && env/bin/pip install --no-index ./greeter-1.0-py3-none-any.whl && env/bin/greet && "
              "env/bin/pip list")
    expect_ok(place.cell("--work", ".", "--", "sh", "-c", script, cwd=top, timeout=180),
              "Successfully installed greeter-1.0", "greetings from a wheel")
    expect_ok(place.run(os.path.join(top, "env", "bin", "greet"), cwd=top), "greetings from a wheel")


# ---- test runs ----

NODE_TEST = """const test = require('node:test'), assert = require('node:assert'), fs = require('node:fs');
const { execFileSync } = require('node:child_process');
test('computes', () => assert.equal([...Array(5000).keys()].map(x => x * x).reduce((a, b) => a + b), 41654167500));
test('waits', async () => { await new Promise(done => setTimeout(done, 20)); });
test('starts a child', () => assert.equal(execFileSync('/bin/echo', ['child']).toString(), 'child\\n'));
test('writes', () => { fs.writeFileSync('written', 'by node'); assert.equal(fs.readFileSync('written', 'utf8'), 'by node'); });
test('fails' , { skip: process.env.FAIL !== '1' }, () => assert.fail('as asked'));
"""


def node_test_run(place):
    need("node")
    top = place.fresh()
    write(os.path.join(top, "a.test.js"), NODE_TEST)
    expect_ok(place.cell("--work", ".", "--", "node", "--test", cwd=top), "# pass", "# fail 0")
    done = place.cell("--work", ".", "--env", "FAIL=1", "--", "node", "--test", cwd=top)
    assert done.returncode == 1 and "as asked" in done.stdout, told(done)


def node_beneath_another_program(place):
    need("node")
    top = place.fresh()
    write(os.path.join(top, "package.json"), '{"name": "x", "version": "1.0.0", "scripts": {"test": "node --test"}}\n')
    write(os.path.join(top, "a.test.js"), NODE_TEST)
    expect_ok(place.cell("--work", ".", "--run", "node", "--", "sh", "-c", "node --test", cwd=top), "# fail 0")
    without = place.cell("--work", ".", "--", "sh", "-c", "node --test", cwd=top)
    assert without.returncode != 0, f"node runs without jit? {told(without)}"
    assert "--run node" in without.stderr, f"the person is not told what would allow it: {told(without)}"
    need("npm")
    expect_ok(place.cell("--preset", "node", "--", "npm", "test", cwd=top), "# fail 0")


PYTHON_TEST = """import multiprocessing, os, socket, subprocess, tempfile, threading, unittest

class Everything(unittest.TestCase):
    def test_threads(self):
        together = threading.Barrier(201)
        threads = [threading.Thread(target=together.wait, args=(30,)) for _ in range(200)]
        for thread in threads:
            thread.start()
        together.wait(30)
        for thread in threads:
            thread.join()

    def test_processes(self):
        with multiprocessing.Pool(4) as pool:
            self.assertEqual(sum(pool.map(abs, range(-100, 0))), 5050)

    def test_subprocess(self):
        self.assertEqual(subprocess.check_output(["tr", "a", "b"], input=b"aaa"), b"bbb")

    def test_temporary(self):
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "x"), "w") as file:
                file.write("x" * 100000)

    def test_loopback(self):
        server = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(server.getsockname())
        other, _ = server.accept()
        client.sendall(b"through the cell's own loopback")
        self.assertEqual(other.recv(100), b"through the cell's own loopback")
        for each in (server, client, other):
            each.close()

    def test_names(self):
        self.assertEqual(socket.gethostbyname("localhost"), "127.0.0.1")
        with self.assertRaises(OSError):
            socket.getaddrinfo("example.com", 80)
"""


def python_test_run(place):
    top = place.fresh()
    write(os.path.join(top, "test_everything.py"), PYTHON_TEST)
    done = expect_ok(place.cell("--work", ".", "--", "python3", "-m", "unittest", "-v", cwd=top))
    assert "Ran 6 tests" in done.stderr and "\nOK" in done.stderr, told(done)
    assert re.findall("ambit: denied: (.*)", done.stderr) == ["connect inet 192.0.2.53:53"], told(done)


def python_with_sqlite(place):
    top = place.fresh()
    script = ("import sqlite3; c = sqlite3.connect('a.db'); c.execute('pragma journal_mode=wal'); c.execute('create table t(n)'); "
              "c.executemany('insert into t values(?)', [(n,) for n in range(1000)]); c.commit(); "
              "print(c.execute('select sum(n) from t').fetchone()); c.close()")
    expect_ok(place.cell("--work", ".", "--", "python3", "-c", script, cwd=top), "(499500,)")
    assert os.path.getsize(os.path.join(top, "a.db")) > 4096


def perl(place):
    need("perl")
    script = 'open(my $out, ">", "x") or die; print $out "perl\\n"; close($out); print sort map { "$_\\n" } `ls`'
    expect_ok(place.cell("--work", ".", "--", "perl", "-e", script, cwd=place.fresh()), "x\n")


def gcc_and_what_it_made(place):
    need("gcc")
    top = place.fresh()
    write(os.path.join(top, "hello.c"), '#include <stdio.h>\nint main(void) { puts("hello"); return 3; }\n')
    done = place.cell("--work", ".", "--", "sh", "-c", "gcc -O2 -o hello hello.c && { ./hello; test $? = 3; }", cwd=top)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", ""), told(done)
    assert place.cell("--read", ".", "--run", "./hello", "--", "./hello", cwd=top).returncode == 3
    # its twin: with no right to run, what was written does not run
    done = place.cell("--write", ".", "--", "sh", "-c", "cp hello other && ./other", cwd=top)
    assert done.returncode == 126, told(done)


def java(place):
    need("java", "javac")
    top = place.fresh()
    write(os.path.join(top, "Hello.java"),
          'public class Hello { public static void main(String[] a) { System.out.println("hello " + a[0]); } }\n')
    expect_ok(place.cell("--work", ".", "--run", "java", "--", "sh", "-c", "javac Hello.java && java -cp . Hello you", cwd=top),
              "hello you\n")
    expect_ok(place.cell("--work", ".", "--", "java", "-cp", ".", "Hello", "again", cwd=top), "hello again\n")


def rust(place):
    need("rustc")
    top = place.fresh()
    write(os.path.join(top, "hello.rs"), 'fn main() { println!("hello from rust"); }\n')
    expect_ok(place.cell("--work", ".", "--", "sh", "-c", "rustc hello.rs && ./hello", cwd=top), "hello from rust\n")


def go(place):
    need("go")
    top = place.fresh()
    write(os.path.join(top, "hello.go"), 'package main\n\nfunc main() { println("hello from go") }\n')
    expect_ok(place.cell("--work", ".", "--", "sh", "-c", "go build hello.go && ./hello 2>&1", cwd=top), "hello from go\n")


def headless_chromium(place):
    """The recipe of doc/parts/recipes.md."""
    need("chromium")
    top = place.fresh()
    write(os.path.join(top, "page.html"),
          "<html><body><script>document.body.innerHTML = '<p>' + (40 + 2) + ' by a script</p>'</script></body></html>\n")
    done = place.cell("--read", "./page.html", "--", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
                      "--dump-dom", f"file://{top}/page.html", cwd=top, timeout=120)
    expect_ok(done, "<p>42 by a script</p>")


def threads_200(place):
    """As a C program too: clone without an interpreter's help."""
    need("gcc")
    top = place.fresh()
    write(os.path.join(top, "threads.c"), """#include <pthread.h>
#include <stdio.h>
static pthread_barrier_t together;
static void *wait_for_all(void *n) { pthread_barrier_wait(&together); return n; }
int main(void)
{
	pthread_t t[200];
	pthread_barrier_init(&together, NULL, 201);
	for (int i = 0; i < 200; i++)
		if (pthread_create(&t[i], NULL, wait_for_all, NULL) != 0)
			return 1;
	pthread_barrier_wait(&together);
	for (int i = 0; i < 200; i++)
		pthread_join(t[i], NULL);
	puts("200 threads");
	return 0;
}
""")
    expect_ok(place.run("gcc", "-pthread", "-o", "threads", "threads.c", cwd=top))
    expect_ok(place.cell("--", "./threads", cwd=top), "200 threads\n")


# ---- shells and terminals ----


def streams_by_their_names(place):
    """As scripts write to them: also as root, whose cells have another id, and it is no denial."""
    script = "echo one > /dev/stdout; echo two > /dev/stderr; echo three > /proc/self/fd/1; echo four | cat /dev/stdin"
    done = expect_ok(place.cell("--strict", "--", "sh", "-c", script, cwd=place.fresh()))
    assert (done.stdout, done.stderr) == ("one\nthree\nfour\n", "two\n"), told(done)
    # Beneath a directory that is open there are names.
    done = place.cell("--", "sh", "-c", "exec 5</; (echo x > /proc/self/fd/5/usr/attack) 2>/dev/null; (echo x > /dev/fd/5/usr/attack) 2>/dev/null; true", cwd=place.fresh())
    assert done.returncode == 0 and done.stderr.count("denied: write") == 2, told(done)


def what_is_given_back_was_had(place):
    """The caller's input stands where the event's reading ended, also if that wrote into its own."""
    top = place.fresh()
    write(os.path.join(top, "lines"), "".join(f"{n:09}\n" for n in range(5000)))
    inside = "head -c 100 > /dev/null; exec 5> /proc/self/fd/0; yes | head -c 9000 >&5"
    for deed, least in (("head -c 100 > /dev/null", 1110), (inside, 1100)):
        outside = f'dd bs=11000 count=1 > /dev/null 2>&1; "$0" run -- sh -c "{deed}"; head -n 1'
        done = expect_ok(place.run("sh", "-c", f"({outside}) < lines", place.ambit, cwd=top))
        assert int(done.stdout) >= least and (deed == inside or int(done.stdout) == least), (deed, told(done))


def bash_pipes_and_substitution(place):
    need("bash")
    script = r"""set -o pipefail
seq 1 1000 | grep 7 | sort -rn | tail -1
diff <(seq 3) <(seq 3) && echo same
echo tee | tee >(tr a-z A-Z > /tmp/up) > /dev/null; while [ ! -s /tmp/up ]; do sleep 0.05; done; cat /tmp/up
coproc cat; echo through >&${COPROC[1]}; read -u ${COPROC[0]} r; echo "$r a coprocess"
(sleep 0.1; exit 7) & wait $!; echo "waited $?"
cat <<END
heredoc $((6 * 7))
END
mkfifo /tmp/fifo; echo fifo > /tmp/fifo & cat /tmp/fifo
trap 'echo trapped' USR1; kill -USR1 $$
(ulimit -n 64; ulimit -n)
false | true; echo "pipe $?"
"""
    done = expect_ok(place.cell("--", "bash", "-c", script, cwd=place.fresh()))
    expected = "7\nsame\nTEE\nthrough a coprocess\nwaited 7\nheredoc 42\nfifo\ntrapped\n64\npipe 1\n"
    assert done.stdout == expected, told(done)
    assert done.stderr == "", told(done)


def address_sanitizer(place):
    """It reserves terabytes: an exact limit on memory counts only what is used."""
    need("gcc")
    top = place.fresh()
    write(os.path.join(top, "a.c"), "#include <stdlib.h>\n#include <stdio.h>\nint main(int c, char **v)\n{\n"
          "\tchar *p = malloc(10);\n\tputs(\"fine\");\n\tfflush(stdout);\n\tp[c == 1 ? 1 : 10] = **v;\n\tfree(p);\n}\n")
    if place.run("gcc", "-fsanitize=address", "-o", "a", "a.c", cwd=top).returncode != 0:
        raise Skip("gcc has no address sanitizer here")
    usage = json.loads(expect_ok(place.cell("--json", "--", "true", cwd=top)).stdout)["usage"]
    flags = ["--run", "./a", "--env", "ASAN_OPTIONS=detect_leaks=0"]
    if usage["memory"]["how"] != "exact":
        flags += ["--limit", "memory=none"]
    good = expect_ok(place.cell(*flags, "--", "./a", cwd=top))
    assert good.stdout == "fine\n" and good.stderr == "", told(good)
    bad = place.cell(*flags, "--", "./a", "x", cwd=top)
    assert bad.returncode != 0 and "heap-buffer-overflow" in bad.stderr, told(bad)


TICKS = "import time\nwhile True:\n    print('tick', flush=True)\n    time.sleep(0.2)\n"


def terminal(place, *words, cwd, **more):
    return Terminal([place.ambit, "run", *words], cwd, place.environment(), **more)


def interactive_bash(place, cwd, *grants, **more):
    """A shell with a prompt that does not occur in what is typed."""
    t = terminal(place, *grants, "--env", '"PS1=\\nready> "', "--", "bash", "--norc", "--noprofile", "-i", cwd=cwd, **more)
    t.until("ready> ")
    return t


def bash_job_control(place):
    """A program that ticks: whether it runs, in front or behind, or is stopped, shows.

    It starts no program itself: a shell that was stopped between vfork and exec stays, and that with no cell as well."""
    need("bash")
    top = place.fresh()
    write(os.path.join(top, "ticks"), TICKS)
    with interactive_bash(place, top, "--read", ".") as t:
        assert b"no job control" not in t.seen, t.seen
        t.type("python3 ticks\r")
        t.until("tick\ntick\n")
        t.type("\x1a")
        t.until(r"\[1\]\+ +Stopped +python3 ticks.*ready> ")
        t.type("jobs\r")
        t.until(r"jobs\n(?!tick)\[1\]\+ +Stopped +python3 ticks.*ready> ")
        t.type("bg\r")
        t.until(r"\[1\]\+ python3 ticks &.*tick\ntick\n")
        t.type("fg\r")
        t.until(r"python3 ticks\n.*tick\ntick\n")
        t.type("\x03")
        t.until("KeyboardInterrupt.*ready> ")
        t.type("echo status $?\r")
        t.until("status 130\n.*ready> ")
        t.type("exit 5\r")
        assert t.end() == 5, f"status {t.status}"


def bash_line_editing(place):
    need("bash")
    with interactive_bash(place, place.fresh()) as t:
        t.type("echo one\x01# \r")  # to the start of the line
        t.until("ready> ")
        t.type("\x1b[A\x01\x1b[3~\x1b[3~\r")  # the line before, without what was put in front
        t.until(r"\none\n")
        t.until("ready> ")
        t.type("ech\ttab works\r")
        t.until(r"\ntab works\n")
        t.until("ready> ")
        t.type("\x04")
        assert t.end() == 0


def stty_size_follows_the_window(place):
    need("bash", "stty")
    with interactive_bash(place, place.fresh(), rows=31, columns=97) as t:
        t.type("stty size\r")
        t.until(r"\n31 97\n")
        t.until("ready> ")
        t.type("trap 'stty size > /proc/self/fd/1' WINCH; echo s''et\r")
        t.until(r"\nset\n")
        t.until("ready> ")
        t.size(50, 132)
        t.until("50 132")
        t.type("exit\r")
        assert t.end() == 0


def the_terminal_is_as_it_was(place):
    need("stty")
    with Terminal(["/bin/sh", "-c", f"stty -echo; {place.ambit} run -- stty raw echo; stty -a; echo d''one"], place.fresh(),
                  place.environment()) as t:
        t.until("done")
        assert b" -echo " in t.seen and b" icanon " in t.seen, t.seen
        assert t.end() == 0


def supervisors():
    """The processes of that name; not those that end meanwhile."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as comm:
                found |= {pid} if comm.read().startswith("ambit-supervi") else set()
        except OSError:
            pass
    return found


def a_program_finds_its_terminal_as_it_stays(place):
    """However late the command line is: it is stopped as soon as the event is on its way, and goes on a second later."""
    need("stty")
    before = supervisors()
    script = f"stty erase ^H; exec {place.ambit} run -- sh -c 'stty -a; echo do\"\"ne'"
    with Terminal(["/bin/sh", "-c", script], place.fresh(), place.environment(), rows=31, columns=97) as t:
        end = time.monotonic() + 10
        while not supervisors() - before:
            assert time.monotonic() < end, "no supervisor is started"
        os.kill(t.pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(t.pid, signal.SIGCONT)
        shown = t.until("done").string.decode()
        assert "rows 31; columns 97" in shown and "erase = ^H;" in shown, shown
        assert t.end() == 0, t.status


def ctrl_C_reaches_the_program(place):
    with terminal(place, "--", "sh", "-c", "trap 'echo c''aught; exit 9' INT; echo r''eady; while :; do sleep 0.1; done",
                  cwd=place.fresh()) as t:
        t.until("ready")
        t.type("\x03")
        t.until("caught")
        assert t.end() == 9, t.status


def vim_edits_a_file(place):
    need("vim")
    top = place.fresh()
    write(os.path.join(top, "note"), "first\nsecond\n")
    with terminal(place, "--work", ".", "--", "vim", "-u", "NONE", "-N", "note", cwd=top) as t:
        t.until("second")
        t.type("Gothird line\x1b:wq\r")
        assert t.end() == 0, t.status
    with open(os.path.join(top, "note"), encoding="ascii") as note:
        assert note.read() == "first\nsecond\nthird line\n"
    assert os.listdir(top) == ["note"], f"left behind: {os.listdir(top)}"


def vim_with_its_own_settings(place):
    """The system's vimrc, and help, which lie in the base."""
    need("vim")
    top = place.fresh()
    with terminal(place, "--write", ".", "--", "vim", "new", cwd=top, rows=40, columns=100) as t:
        t.until(r"\[New\]")
        t.type("itext\x1b:x\r")
        assert t.end() == 0, t.status
        assert b"E1" not in t.seen and b"Error" not in t.seen, t.seen[-2000:]
    with open(os.path.join(top, "new"), encoding="ascii") as note:
        assert note.read() == "text\n"


def top_shows_only_the_cell(place):
    need("top")
    with terminal(place, "--", "top", "-d", "1", cwd=place.fresh()) as t:
        tasks = t.until(r"Tasks: *(\d+) total")
        t.until("top - ")  # it goes on, and draws only what differs
        t.type("q")
        assert t.end() == 0, t.status
    assert int(tasks.group(1)) <= 2, f"{int(tasks.group(1))} tasks are seen: more than the warden and top"


def less_pages(place):
    need("less", "seq")
    with terminal(place, "--", "sh", "-c", "seq 1000 | less", cwd=place.fresh()) as t:
        t.until(r"\n23\n")
        t.type("G")
        t.until(r"1000")
        t.type("q")
        assert t.end() == 0


def tmux_inside(place):
    need("tmux")
    with terminal(place, "--", "tmux", "-f", "/dev/null", "new-session", "echo i''nside; stty size; exec sh", cwd=place.fresh(), rows=30, columns=90) as t:
        t.until("inside")
        t.until("29 90")
        t.type("exit\r")
        t.until("exited")
        assert t.end() == 0


def script_and_pty_of_python(place):
    """A pty made inside the cell: /dev/ptmx."""
    done = place.cell("--", "python3", "-c", "import pty; pty.spawn(['tty'])", cwd=place.fresh(), stdin=None)
    assert done.returncode == 0 and "/dev/pts/" in done.stdout, told(done)


# ---- a shell outside, whose job ambit is ----


def outer_shell(place, cwd):
    environment = {**place.environment(), "PATH": os.path.dirname(place.ambit) + ":" + place.environment()["PATH"],
                   "PS1": "\\nready> "}
    t = Terminal(["bash", "--norc", "--noprofile", "-i"], cwd, environment)
    t.until("ready> ")
    return t


def ctrl_Z_stops_ambit_and_its_program(place):
    need("bash")
    top = place.fresh()
    write(os.path.join(top, "ticks"), TICKS)
    with outer_shell(place, top) as t:
        t.type("ambit run --read . -- python3 ticks\n")
        t.until("tick\ntick\n")
        t.type("\x1a")
        t.until(r"\[1\]\+ +Stopped +ambit run.*ready> ")
        t.type("sleep 1; echo sl''ept\n")
        t.until("slept")
        assert b"tick" not in t.shown(), "it goes on behind"
        t.type("fg\n")
        t.until("ambit run.*tick\ntick\n")
        t.type("\x1a")
        t.until(r"Stopped.*ready> ")
        t.type("fg\n")
        t.until("ambit run.*tick\ntick\n")
        t.type("\x03")
        t.until("KeyboardInterrupt.*ready> ")
        t.type("stty -a | grep -c ' icanon '; exit\n")
        t.until(r"\n1\n")
        t.end()


def ctrl_C_ends_a_loop_around_it(place):
    need("bash")
    top = place.fresh()
    with outer_shell(place, top) as t:
        t.type("for i in 1 2 3; do ambit run --work . -- sh -c 'echo round-$0; sleep 2' $i; done\n")
        t.until("round-1\r?\n")
        t.type("\x03")
        shown = t.until(r"\A(.*)ready> ").group(1)
        assert b"round-" not in shown, shown
        t.type("exit\n")
        t.end()


def ctrl_Z_in_vim(place):
    need("bash", "vim")
    top = place.fresh()
    write(os.path.join(top, "note"), "first\nsecond\n")
    with outer_shell(place, top) as t:
        t.type("ambit run --work . -- vim -u NONE -N note\n")
        t.until("second")
        t.type("Gothird")
        t.until("third")
        t.type("\x1b\x1a")
        t.until("Stopped.*ready> ")
        t.type("fg\n")
        t.until("first.*second.*third")
        t.type(":wq\n")
        t.until("ready> ")
        t.type("cat note; exit\n")
        t.until("first\nsecond\nthird\n")
        t.end()


def a_pipeline_shares_the_terminal(place):
    """Typed lines reach the program although its output goes elsewhere; Ctrl-Z stops the job whole, Ctrl-D ends the input."""
    need("bash")
    with outer_shell(place, place.fresh()) as t:
        t.type("ambit run -- sh -c 'echo u''p >&2; cat' | sed s/^/seen:/\n")
        t.until("up\n")
        t.type("hello\n")
        t.type("\x04")
        t.until("hello\nseen:hello\n")
        t.until("ready> ")
        t.type("ambit run -- sh -c 'echo u''p >&2; cat' | cat\n")
        t.until("up\n")
        t.type("one\n")
        t.until("one\none\n")
        t.type("\x1a")
        t.until("Stopped.*ready> ")
        t.type("fg\n")
        t.until("fg\n.*cat\n")
        t.type("two\n")
        t.until("two\ntwo\n")
        t.type("\x03")
        t.until("ready> ")
        t.type("exit\n")
        t.end()


def a_pager_outside_has_the_keys(place):
    need("bash", "less")
    with outer_shell(place, place.fresh()) as t:
        for _ in range(3):
            t.type("ambit run -- seq 1000 | less\n")
            t.until("\n23\n")
            t.type("G")
            t.until("1000")
            t.type("q")
            t.until("ready> ")
        t.type("exit\n")
        t.end()


def a_background_job_leaves_the_keys_alone(place):
    need("bash")
    with outer_shell(place, place.fresh()) as t:
        t.type("ambit run -- sh -c 'sleep 2; echo do''ne' > log &\n")
        t.until("ready> ")
        for number in range(4):
            t.type(f"echo key''s {number}; sleep 0.2\n")
            t.until(f"keys {number}.*ready> ")
        t.type("wait; cat log; jobs; exit\n")
        t.until("\ndone\n")
        assert b"Stopped" not in t.seen, t.seen[-500:]
        t.end()


if __name__ == "__main__":
    main([git_clone_and_commit, git_clone_shows_no_denial, make_of_a_C_project, pip_install_of_a_wheel_into_a_venv, node_test_run,
          node_beneath_another_program, python_test_run, python_with_sqlite, perl, gcc_and_what_it_made, java, rust, go,
          headless_chromium, threads_200, address_sanitizer, streams_by_their_names, what_is_given_back_was_had, bash_pipes_and_substitution, bash_job_control, bash_line_editing,
          stty_size_follows_the_window, the_terminal_is_as_it_was, a_program_finds_its_terminal_as_it_stays, ctrl_C_reaches_the_program, vim_edits_a_file,
          vim_with_its_own_settings, top_shows_only_the_cell, less_pages, tmux_inside, script_and_pty_of_python, ctrl_Z_stops_ambit_and_its_program, ctrl_C_ends_a_loop_around_it, ctrl_Z_in_vim, a_pipeline_shares_the_terminal,
          a_pager_outside_has_the_keys, a_background_job_leaves_the_keys_alone])
