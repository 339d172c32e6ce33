#!/usr/bin/env python3
"""What an event asked of the kernel, in order: what the eye keeps, what becomes of it, and what `ambit trace` tells.

usage: trace.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import base64
import hashlib
import json
import os
import shlex
import signal
import subprocess
import time

from harness import PATIENCE, SLOW, Skip, expect_ok, main, need, room_of, sanitized, told, write
from ledger import Ledger
from sessions import Served

WHOLE, TAIL = 65536, 16384


def traced(place, *words, status=0, cwd=None, **more):
    """Runs it, and gives the trace as `--json` has it, with the lines of its threads."""
    cwd = cwd or place.fresh()
    record = os.path.join(place.fresh(), "record")
    done = place.cell("--no-ledger", "--record", record, *words, cwd=cwd, **more)
    assert status is None or done.returncode == status, told(done)
    return of_record(place, record)


def of_record(place, record):
    trace = json.loads(expect_ok(place.run(place.ambit, "trace", "--json", record, cwd=place.top)).stdout)
    lines = expect_ok(place.run(place.ambit, "trace", "--lines", record, cwd=place.top)).stdout.splitlines()
    return trace, [line.split(" ") for line in lines]


def refused(done, *texts):
    assert done.returncode == 125 and done.stdout == "", told(done)
    for text in texts:
        assert text in done.stderr, f"no {text!r} in {told(done)}"


def own(line):
    """Without what every program opens."""
    return [s for s in line if not s.startswith(("read:/usr", "read:/etc", "read:/proc/filesystems"))]


def python(place, code, *words, **more):
    """A program of Python in the tree, and the line of its thread that has the most."""
    tree = place.fresh()
    write(f"{tree}/a.py", code)
    trace, lines = traced(place, "--work", ".", *words, "--", "python3", "-S", "-E", "-s", "a.py", cwd=tree, **more)
    return trace, lines


# ---- the order ----


def processes_and_their_calls_are_in_order(place):
    tree = place.fresh()
    write(f"{tree}/a.py", "")
    trace, lines = traced(place, "--work", ".", "--", "sh", "-c", "cat a.py; echo 1 >out.json; rm out.json; mkdir d; mv a.py b.py; ls d", cwd=tree)
    assert [own(line) for line in lines] == [
        ["exec:dash", "write:work.config"], ["exec:cat", "read:work.py"], ["exec:rm", "delete:work.config"], ["exec:mkdir", "mkdir:work"],
        ["exec:mv", *[s for s in own(lines[4])[1:]]], ["exec:ls", "read:work"]], lines
    assert {"delete:work.py", "rename:work.py"} <= set(lines[4]), lines[4]
    assert trace["threads"] == 6 and trace["dropped"] == 0 and trace["calls"] == sum(map(len, lines)), trace
    # the order over all threads: the file is written after `cat` has read, and before `rm` deletes
    steps = [trace["symbols"][s] for _, s, n in trace["steps"] for _ in range(n)]
    assert steps.index("read:work.py") < steps.index("write:work.config") < steps.index("delete:work.config"), steps
    assert len(steps) == trace["calls"]


def threads_are_told_apart(place):
    code = """
import threading
def work(ending, times):
    for i in range(times):
        open("x" + ending, "w").close()
for n, ending in enumerate((".csv", ".json", ".sh")):
    t = threading.Thread(target=work, args=(ending, 5 + n)); t.start(); t.join()
"""
    _, lines = python(place, code)
    assert lines[1:] == [["write:work.data"] * 5, ["write:work.config"] * 6, ["write:work.sh"] * 7], lines[1:]


def the_same_work_elsewhere_is_the_same(place):
    code = "open('out.csv', 'w').write('x'); print(open('a.py').read())"
    assert python(place, code)[1] == python(place, code)[1]
    # the twin: other work is not
    assert python(place, code)[1] != python(place, code.replace("csv", "sh"))[1]


def nothing_names_what_a_person_named(place):
    tree = os.path.join(place.fresh(), "secret-project")
    write(f"{tree}/quarterly-numbers.csv", "")
    elsewhere = os.path.join(place.fresh(), "private-matter")
    write(f"{elsewhere}/x", "")
    record = os.path.join(place.fresh(), "record")
    place.cell("--no-ledger", "--record", record, "--work", ".", "--read", elsewhere, "--", "sh", "-c",
               f"cat quarterly-numbers.csv {elsewhere}/x {place.home}/diary.txt; ls", cwd=tree)
    told_ = place.run(place.ambit, "trace", "--lines", record, cwd=place.top).stdout
    assert "read:work.data" in told_ and "read:given" in told_, told_
    for word in ("secret", "quarterly", "private", "matter", "diary"):
        assert word not in told_, told_


# ---- what is told of each call ----


def what_is_denied_and_absent_is_marked(place):
    write(f"{place.home}/.ssh/id_ed25519", "a key\n")
    tree = place.fresh()
    write(f"{tree}/prog", "#!/bin/sh\n")
    os.chmod(f"{tree}/prog", 0o755)
    code = "import socket; s = socket.socket(); s.settimeout(1); s.connect_ex(('203.0.113.9', 4444)); s.connect_ex(('169.254.169.254', 80))"
    _, lines = traced(place, "--work", ".", "--", "sh", "-c",
                      f"cat ~/.ssh/id_ed25519; cat ~/.aws/credentials; ./prog; cp /bin/true /tmp/t; /tmp/t; python3 -c {shlex.quote(code)}; true", cwd=tree)
    seen = {s for line in lines for s in line}
    for symbol in ("read:~/.ssh.secret!", "read:~/.aws.secret?", "exec:new", "write:tmp", "exec:new!", "connect:net.high!", "connect:metadata.web!"):
        assert symbol in seen, f"no {symbol} in {seen}"


def a_granted_connection_is_told_as_such(place):
    need("python3")
    listening = subprocess.Popen(["python3", "-u", "-c", "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1]); s.accept()"],
                                 stdout=subprocess.PIPE, text=True)
    try:
        port = listening.stdout.readline().strip()
        code = f"import socket; socket.create_connection(('127.0.0.1', {port})).close()"
        _, lines = traced(place, "--connect", f"127.0.0.1:{port}", "--", "python3", "-c", code, status=None)
        assert any(s.startswith("connect:granted") for line in lines for s in line), lines
    finally:
        listening.kill()
        listening.wait()


# ---- the limits ----


def padding_hides_nothing(place):
    """Work that repeats itself, more of it than there is room for, and then what is not like it."""
    write(f"{place.home}/.ssh/id_ed25519", "a key\n")
    code = f"""
import os
for i in range({WHOLE + 9000}):
    os.close(os.open("a.py", os.O_RDONLY))
try: open(os.path.expanduser("~/.ssh/id_ed25519"))
except OSError: pass
for i in range(5000):
    os.close(os.open("a.py", os.O_RDONLY))
open("end.csv", "w")
"""
    trace, lines = python(place, code, timeout=4 * PATIENCE)
    tail = lines[0][lines[0].index("read:~/.ssh.secret!") - 1:]
    assert tail[:4] == ["...", "read:~/.ssh.secret!", "read:work.py", "read:work.py"] and tail[-2:] == ["...", "write:work.data"], tail
    assert len(lines[0]) - lines[0].count("...") + trace["dropped"] == trace["calls"] > WHOLE + 14000, trace["calls"]
    assert trace["dropped"] > 13000 and lines[0].count("...") == 2, trace["dropped"]


def a_long_one_comes_whole(place):
    """More than fits into one message of the supervisor's, in an order that has no runs."""
    code = """
import os
names = [f".{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
for i in range(60000):
    try: os.open(names[i * 7 % 64], os.O_RDONLY)
    except OSError: pass
"""
    trace, lines = python(place, code, timeout=4 * PATIENCE)
    names = [f"read:work/.{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    assert lines[0][-60000:] == [names[i * 7 % 64] for i in range(60000)] and trace["dropped"] == 0
    assert len(trace["steps"]) >= 60000, "it is told in few bytes"


def what_never_repeats_is_counted(place):
    code = f"""
import os
for i in range({WHOLE + 2 * TAIL}):
    try: os.open("x%d.csv" % i, os.O_RDONLY)
    except OSError: pass
"""
    trace, lines = python(place, code, timeout=4 * PATIENCE)
    assert trace["dropped"] > 0 and trace["calls"] >= WHOLE + 2 * TAIL, (trace["calls"], trace["dropped"])
    assert "read:unkept" in lines[0] and len(lines[0]) <= WHOLE + TAIL, len(lines[0])
    text = expect_ok(place.run(place.ambit, "trace", "-", cwd=place.top, input=json.dumps(record_of(place)))).stdout
    assert "left out" not in text  # the twin: of what is whole nothing is said


def record_of(place):
    path = os.path.join(place.fresh(), "record")
    expect_ok(place.cell("--no-ledger", "--record", path, "--", "true", cwd=place.fresh()))
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def many_processes_share_the_last_number(place):
    """More than there are numbers for: the rest is one."""
    if sanitized(place.ambit):
        raise Skip("it takes minutes there")
    trace, lines = traced(place, "--", "sh", "-c", "i=0; while [ $i -lt 4200 ]; do (: </dev/null); i=$((i+1)); done", timeout=4 * PATIENCE)
    assert trace["threads"] == 4096 and len(lines) == 4096, (trace["threads"], len(lines))
    assert lines[4095].count("read:/dev/null") > 100 and lines[4094] == ["read:/dev/null"], lines[4095][:9]


# ---- how events end, and of which kind they are ----


def a_cell_that_is_killed_has_what_it_did(place):
    tree = place.fresh()
    write(f"{tree}/a.py", "")
    for words in (["--limit", "wall=1s"], []):
        tree_words = ["--work", ".", *words, "--", "sh", "-c", "cat a.py; kill -9 $$" if not words else "cat a.py; sleep 60"]
        _, lines = traced(place, *tree_words, cwd=tree, status=None)
        assert own(lines[1]) == ["exec:cat", "read:work.py"], (words, lines)


def a_warden_that_is_killed_leaves_what_it_saw(place):
    tree, record = place.fresh(), os.path.join(place.fresh(), "record")
    write(f"{tree}/a.py", "")
    nap = str(60000 + os.getpid() % 10000)
    it = subprocess.Popen([place.ambit, "run", "--no-ledger", "--record", record, "--work", ".", "--", "sh", "-c", f"cat a.py; sleep {nap}"], cwd=tree,
                          env=place.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + SLOW * PATIENCE
    while (sleeper := process_with(b"sleep\0" + nap.encode())) is None:
        assert time.monotonic() < end, "it never slept"
        time.sleep(0.05)
    os.kill(parent_of(parent_of(sleeper)), signal.SIGKILL)
    it.wait(SLOW * PATIENCE)
    with open(record, encoding="utf-8") as file:
        assert json.load(file)["outcome"]["cause"] == "lost"
    assert own(of_record(place, record)[1][1]) == ["exec:cat", "read:work.py"]


def process_with(command):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if file.read().rstrip(b"\0") == command:
                    return int(pid)
        except OSError:
            pass
    return None


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def what_is_not_observed_has_no_trace(place):
    record = os.path.join(place.fresh(), "record")
    expect_ok(place.cell("--no-ledger", "--record", record, "--observe", "off", "--", "true", cwd=place.fresh()))
    with open(record, encoding="utf-8") as file:
        assert json.load(file)["trace"] is None
    refused(place.run(place.ambit, "trace", record, cwd=place.top), "has no trace", "--observe full")
    trace, lines = traced(place, "--observe", "effects", "--", "sh", "-c", "cat /etc/hostname; true")
    assert trace["observed"] == "effects" and lines == [["exec:dash"], ["exec:cat"]], lines


def code_has_a_trace(place):
    tree = place.fresh()
    write(f"{tree}/in.csv", "1\n")
    _, lines = traced(place, "--work", ".", "--python", "-", cwd=tree, input="open('out.json', 'w').write(open('in.csv').read())")
    (line,) = [line for line in lines if "read:work.data" in line]
    assert line.index("read:work.data") != line.index("write:work.config"), line
    assert "exec:python" in {s for one in lines for s in one}, lines


def a_sub_agent_has_a_trace_of_its_own(place):
    ledger = Ledger(place)
    write(f"{ledger.tree}/a.csv", "")
    words = ["--work", ".", "--delegate", "*", "--run", place.ambit, "--env", f"AMBIT_BIN={place.ambit}", *room_of(place)]
    done = ledger.run(*words, "--", "sh", "-c", "$AMBIT_BIN run --read . -- cat a.csv")
    assert done.returncode == 0, told(done)
    results = [entry["event"] for entry in ledger.entries() if entry["type"] == "result"]
    lines = {}
    for event in results:
        shown = place.run(place.ambit, "trace", "--lines", event, "--ledger", ledger.dir, cwd=place.top)
        lines[event] = {s for line in expect_ok(shown).stdout.splitlines() for s in line.split(" ")}
    assert len(results) == 2 and sum("exec:cat" in seen for seen in lines.values()) == 1, lines
    assert sum("exec:ambit" in seen or "exec:given" in seen for seen in lines.values()) == 1, lines


def an_event_of_a_session_has_one(place):
    with Served(place) as s:
        write(f"{s.tree}/a.csv", "")
        session = s.session("--work", ".")
        expect_ok(s.ambit("run", "--session", session, "--", "cat", "a.csv"))
        shown = expect_ok(s.ambit("trace", "--lines", "last"))
        assert shown.stdout.startswith("exec:cat ") and "read:work.data" in shown.stdout, told(shown)


# ---- where it is kept, and how it is told ----


def the_ledger_keeps_it_with_the_record(place):
    ledger = Ledger(place)
    write(f"{ledger.tree}/a.csv", "")
    expect_ok(ledger.run("--work", ".", "--", "cat", "a.csv"))
    ledger.entries()
    trace = ("trace", "last", "--ledger", ledger.dir)
    text = expect_ok(place.run(place.ambit, *trace, cwd=place.top)).stdout
    assert "thread 0\n  exec:cat read:/etc/ld.so.cache read:/usr/lib" in text and "calls of 1 thread" in text and " x" in text, text
    lines = expect_ok(place.run(place.ambit, *trace, "--lines", "--label", "good", "--key", "cat/read", cwd=place.top)).stdout
    assert lines.startswith("good\tcat/read\texec:cat read:") and lines.count("\n") == 1, lines
    told_ = json.loads(expect_ok(place.run(place.ambit, *trace, "--json", cwd=place.top)).stdout)
    assert told_["counters"]["changes"] == 0 and told_["counters"]["wall_ms"] >= 0 and told_["threads"] == 1, told_
    expect_ok(place.run(place.ambit, "ledger", "verify", "--payloads", "--ledger", ledger.dir, cwd=place.top))
    (name,) = os.listdir(f"{ledger.dir}/payload")
    with open(f"{ledger.dir}/payload/{name}", "r+b") as file:
        data = file.read()
        file.seek(data.index(b'"trace":') + 200)
        file.write(b"A" if data[data.index(b'"trace":') + 200] != 65 else b"B")
    refused(place.run(place.ambit, *trace, cwd=place.top), "was changed")
    assert place.run(place.ambit, "ledger", "verify", "--payloads", "--ledger", ledger.dir, cwd=place.top).returncode != 0
    with open(f"{ledger.dir}/payload/{name}", "wb") as file:
        file.write(data)
    expect_ok(place.run(place.ambit, *trace, cwd=place.top))
    expect_ok(place.run(place.ambit, "ledger", "prune", "--payloads", "--older-than", "0d", "--ledger", ledger.dir, cwd=place.top))
    refused(place.run(place.ambit, *trace, cwd=place.top), "was pruned")


def with_form(record, form, **more):
    counts = {"threads": 1, "calls": 1, "dropped": 0, **more}
    return record | {"trace": {"sha256": hashlib.sha256(form).hexdigest(), **counts, "form": {"b64": base64.b64encode(form).decode()}}}


def form_of(*symbols, steps=b"\0", threads=1, calls=1, n=1, head=b"\xfftrc\x01\0\x02\0"):
    table = b"".join(bytes([len(s)]) + s for s in symbols)
    return head + threads.to_bytes(2, "little") + len(symbols).to_bytes(2, "little") + n.to_bytes(4, "little") + calls.to_bytes(8, "little") + table + steps


def a_damaged_or_hostile_one_is_refused_with_its_place(place):
    record = record_of(place)
    good = form_of(b"exec:x")
    for name, hostile, text in (
            ("moves a terminal", with_form(record, form_of(b"\x1b[2Jx")), "trace, byte 24: not a symbol"),
            ("a line in a symbol", with_form(record, form_of(b"a\nb")), "not a symbol"),
            ("too long a symbol", with_form(record, form_of(b"x" * 48)), "not a symbol"),
            ("cut", with_form(record, good[:-1]), "no run of steps"),
            ("more behind", with_form(record, good + b"\0"), "something stands behind it"),
            ("a symbol that is not", with_form(record, form_of(b"exec:x", steps=b"\4")), "out of its order"),
            ("steps that are not", with_form(record, form_of(b"exec:x", n=80000, calls=80000), calls=80000), "no run of steps"),
            ("a bomb", with_form(record, form_of(b"exec:x", n=0xffffffff)), "more than a trace may have"),
            ("another version", with_form(record, form_of(b"exec:x", head=b"\xfftrc\x02\0\x02\0")), "version 2"),
            ("no trace", with_form(record, b"\x7fELF"), "no trace"),
            ("other counts", with_form(record, good, calls=7), "not what is counted beside it"),
            ("negative", with_form(record, good, dropped=-1), "dropped"),
            ("another digest", record | {"trace": with_form(record, good)["trace"] | {"sha256": "0" * 64}}, "not what its digest is of"),
            ("no digest", record | {"trace": with_form(record, good)["trace"] | {"sha256": 7}}, "sha256"),
            ("no bytes", record | {"trace": with_form(record, good)["trace"] | {"form": {"b64": "!!"}}}, "form"),
            ("text", record | {"trace": "x"}, "trace"), ("a list", record | {"trace": []}, "trace"),
            ("too large", with_form(record, b"\xfftrc" + b"\0" * 3000000), "form")):
        for words in ([], ["--json"], ["--lines"]):
            done = place.run(place.ambit, "trace", *words, "-", cwd=place.top, input=json.dumps(hostile))
            said = done.stdout if words == ["--json"] else done.stderr
            assert done.returncode == 125 and text in said and "\x1b" not in said, f"{name}: {told(done)}"
    expect_ok(place.run(place.ambit, "trace", "-", cwd=place.top, input=json.dumps(with_form(record, good))), "exec:x")


def words_that_do_not_go_together_are_refused(place):
    for words, text in ((["last", "--json", "--lines"], "three forms"), (["last", "--line", "--lines"], "three forms"), (["last", "--label", "x", "--lines"], "go together"),
                        (["last", "--label", "x", "--key", "y"], "go together"), (["last", "--lines", "--label", "a\tb", "--key", "y"], "without tabs"),
                        (["last", "--facts", "--label", "x", "--key", "y", "--lines"], "--facts goes with"), (["last", "--facts", "--line"], "--facts goes with"),
                        (["last", "x"], "name one"), ([], "name one"), (["--key"], "needs a value"), (["last", "--jsn"], "--json"),
                        (["./r", "--ledger", "x"], "is for events"), (["last", "--ledger="], "empty path")):
        refused(place.run(place.ambit, "trace", *words, cwd=place.top), text)


def facts_are_what_a_profile_is_told(place):
    """Amounts and names, in a column of their own; `ambit profile eval` reads them, and tells by a name alone what was never there."""
    top = place.fresh()
    tree = os.path.join(top, "tree")
    record = os.path.join(top, "record")

    def line(label, folder):
        write(f"{tree}/{folder}/a", "1\n")
        place.cell("--no-ledger", "--record", record, "--work", ".", "--", "sh", "-c", f"echo 2 > '{folder}/a'", cwd=tree)
        return expect_ok(place.run(place.ambit, "trace", "--line", "--facts", "--label", label, "--key", "sh", record, cwd=place.top)).stdout

    good, odd = line("good", "src"), line("odd", "an other")
    label, key, facts, symbols = good.rstrip("\n").split("\t")
    assert (label, key) == ("good", "sh") and good.count("\n") == 1 and symbols.startswith("exec:dash "), good
    told_ = facts.split(" ")
    assert "directory=./src" in told_ and any(f.startswith("program=/") for f in told_) and "writes=1" in told_, facts
    assert any(f.startswith("calls=") and int(f[6:]) > 3 for f in told_) and any(f.startswith("session=") for f in told_), facts
    assert "directory=./an%20other" in odd.split("\t")[2].split(" "), odd
    odd = odd.replace("\t" + odd.split("\t")[2] + "\t", "\t" + facts.replace("./src", "./an%20other") + "\t")  # its amounts are those of the others
    own = [f"good\tsh\t{facts.replace('session=', f'session={i}')}\t{symbols}\n" for i in range(120)]
    write(f"{top}/train", "".join(own))
    write(f"{top}/test", "".join(own[:20]) + odd)
    got = json.loads(expect_ok(place.run(place.ambit, "profile", "eval", "--json", "--alpha", "0.05", "--train", "train", "--test", "test", cwd=top)).stdout)
    assert got["attacks_by_name"] == [{"name": "odd", "n": 1, "flagged": [1]}] and got["promises"][0]["flagged_usual"] == 0, got


def the_line_is_what_a_profile_learns_from(place):
    """Of benign events and of one that is not like them."""
    top = place.fresh()
    tree = os.path.join(top, "tree")
    write(f"{tree}/a.csv", "1\n")
    record = os.path.join(top, "record")

    def line(label, script):
        place.cell("--no-ledger", "--record", record, "--work", ".", "--", "sh", "-c", script, cwd=tree)
        return expect_ok(place.run(place.ambit, "trace", "--line", "--label", label, "--key", "sh", record, cwd=place.top)).stdout

    good = line("good", "cat a.csv >b.csv; wc -l b.csv")
    assert good.startswith("good\tsh\texec:dash ") and good.count(" | exec:") == 2 and good.count("\n") == 1, good
    write(f"{top}/train", good * 30)
    write(f"{top}/test", line("good", "cat a.csv >b.csv; wc -l b.csv") * 5 + line("attack", "cat ~/.ssh/id_ed25519; echo >>~/.bashrc; rm -r .; /bin/bash -c :"))
    done = place.run(place.ambit, "profile", "eval", "--train", f"{top}/train", "--test", f"{top}/test", "--json", cwd=place.top)
    assert done.returncode == 0 and '"auc":1' in done.stdout.replace(" ", ""), told(done)


# ---- who writes it ----

# Tries to reach into process 1, and into a process of its own, by the same ways.
REACHING = r"""
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
class Part(ctypes.Structure): _fields_ = [("at", ctypes.c_void_p), ("n", ctypes.c_size_t)]
mine = ctypes.create_string_buffer(b"before")
def write_memory(pid):
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as f: f.seek(ctypes.addressof(mine)); f.write(b"after!")
def write_vm(pid):
    b = ctypes.create_string_buffer(b"after!")
    part, there = Part(ctypes.addressof(b), 6), Part(ctypes.addressof(mine), 6)
    if libc.process_vm_writev(pid, ctypes.byref(part), 1, ctypes.byref(there), 1, 0) != 6: raise OSError(ctypes.get_errno(), "vm")
def list_open(pid): os.listdir(f"/proc/{pid}/fd")
def list_maps(pid): os.listdir(f"/proc/{pid}/map_files")
def trace(pid):
    if libc.ptrace(16, pid, 0, 0) != 0: raise OSError(ctypes.get_errno(), "ptrace")
def take(pid):
    held = libc.syscall(434, pid, 0)
    if held < 0 or libc.syscall(438, held, 3, 0) < 0: raise OSError(ctypes.get_errno(), "pidfd_getfd")
child = os.fork()
if child == 0:
    os.dup2(0, 3)
    import time; time.sleep(60); os._exit(0)
for who, pid in (("other", int(sys.argv[1])), ("own", child)):
    for way in (write_memory, write_vm, list_open, list_maps, take, trace):
        try: way(pid); print(who, way.__name__, "done")
        except OSError: print(who, way.__name__, "refused")
os.kill(child, 9)
named = [n for d in ("/proc/self/fd",) for f in os.listdir(d) if os.path.islink(f"{d}/{f}") for n in [os.readlink(f"{d}/{f}")] if "memfd" in n]
print("memory files", named)
"""


def a_workload_cannot_write_what_the_eye_leaves(place):
    """It is memory of process 1, which a program of the cell can neither write nor look into; a process of its own it can, by the same ways."""
    tree = place.fresh()
    write(f"{tree}/a.py", REACHING)
    inside = place.cell("--no-ledger", "--work", ".", "--", "sh", "-c", "exec python3 a.py 1 <a.py", cwd=tree)
    assert "memory files []" in inside.stdout, told(inside)
    ways = [line.split(" ") for line in inside.stdout.splitlines()[:-1]]
    assert len([w for w in ways if w[0] == "other"]) == 6 and all(w[2] == "refused" for w in ways if w[0] == "other"), told(inside)
    outside = place.run("sh", "-c", "sleep 60 >/dev/null 2>&1 & python3 a.py $! <a.py; kill $!", cwd=tree)
    ways = [line.split(" ") for line in outside.stdout.splitlines()[:-1]]
    assert {w[1] for w in ways if w[0] == "own" and w[2] == "done"} >= {"write_memory", "write_vm", "list_open"}, told(outside)


if __name__ == "__main__":
    main([
        processes_and_their_calls_are_in_order,
        threads_are_told_apart,
        the_same_work_elsewhere_is_the_same,
        nothing_names_what_a_person_named,
        what_is_denied_and_absent_is_marked,
        a_granted_connection_is_told_as_such,
        padding_hides_nothing,
        a_long_one_comes_whole,
        what_never_repeats_is_counted,
        many_processes_share_the_last_number,
        a_cell_that_is_killed_has_what_it_did,
        a_warden_that_is_killed_leaves_what_it_saw,
        what_is_not_observed_has_no_trace,
        code_has_a_trace,
        a_sub_agent_has_a_trace_of_its_own,
        an_event_of_a_session_has_one,
        the_ledger_keeps_it_with_the_record,
        a_damaged_or_hostile_one_is_refused_with_its_place,
        words_that_do_not_go_together_are_refused,
        facts_are_what_a_profile_is_told,
        the_line_is_what_a_profile_learns_from,
        a_workload_cannot_write_what_the_eye_leaves,
    ])
