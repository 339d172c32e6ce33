#!/usr/bin/env python3
"""Code events through real cells: by the command line, in sessions and out of them, by the Python client; their results, records, ledger, keys and bounds.

usage: code.py AMBIT PACKAGE    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import asyncio
import contextlib
import json
import os
import shutil
import time

from harness import SLOW, Terminal, expect_ok, main, told, write
from python_client import client_of
from session_ready import Waiting, children
from sessions import Served, channel_to, commands_of
from sessions_hostile import held_by

NODE = shutil.which("node", path="/usr/local/bin:/usr/bin:/bin")  # as a cell has it
KINDS = ["python", *(["node"] if NODE else []), "shell"]
# By kind: a source, what it prints, and the text of its value.
SIMPLE = {"python": ("print('said')\n6*7", "said\n", "42"), "node": ("console.log('said')\n6*7", "said\n", "42"), "shell": ("echo said", "said\n", None)}


def run(s, kind, source, *words, **more):
    return s.ambit("run", *words, f"--{kind}", input=source, **more)


def result_at(path):
    with open(path, "rb") as file:
        given = file.read()
    return json.loads(given) if given else None


def code_runs_as_a_command_does(place):
    """Its output, its status, its changes; the value is printed, or goes to the result."""
    with Served(place) as s:
        for kind in KINDS:
            source, said, text = SIMPLE[kind]
            expect_ok(run(s, kind, source), said + (text + "\n" if text else ""))
            expect_ok(run(s, kind, source, "--result", f"{s.home}/r.json"), said)
            result = result_at(f"{s.home}/r.json")
            assert (result["value"]["text"] if result else None) == text, result
        expect_ok(run(s, "python", "open('made', 'w').write('x')", "--work", "."))
        assert os.path.exists(f"{s.tree}/made")
        failed = run(s, "python", "open('other', 'w').write('x')\n\n1/0", "--work", ".", "--result", f"{s.home}/r.json")
        assert failed.returncode == 1 and "ZeroDivisionError" in failed.stderr and not os.path.exists(f"{s.tree}/other"), told(failed)
        error = result_at(f"{s.home}/r.json")["error"]
        assert error["type"] == "ZeroDivisionError" and error["line"] == 3 and error["source"].strip() == "1/0", error
        assert run(s, "shell", "exit 7").returncode == 7
        assert run(s, "python", "import os\nos.kill(os.getpid(), 9)", "--result", f"{s.home}/r.json").returncode == 137
        assert result_at(f"{s.home}/r.json") is None


def a_file_of_code_leaves_standard_input_to_it(place):
    with Served(place) as s:
        write(f"{s.tree}/code.py", "import sys\nprint(sys.stdin.read().upper(), end='')")
        expect_ok(s.ambit("run", "--python", "code.py", input="typed\n"), "TYPED\n")
        expect_ok(s.ambit("run", "--python", "-", input="import sys\nlen(sys.stdin.read())"), "0\n")


def a_line_on_a_terminal_ends_once(place):
    """Whether the code has the terminal, or shares it with what the person's shell did with standard input."""
    with Served(place) as s:
        write(f"{s.tree}/a.py", "print(1)\n2")
        session = s.session("--work", ".")
        for words in ("--no-ledger --read . --python a.py", "--no-ledger --python < a.py", f"--session {session} --python < a.py", "--no-ledger -- sh -c 'echo 1; echo 2' < /dev/null"):
            with Terminal(["sh", "-c", f"exec {place.ambit} run {words}"], s.tree, s.environment) as t:
                assert t.end() == 0 and t.seen == b"1\r\n2\r\n", (words, t.seen)


def what_is_no_code_is_refused(place):
    with Served(place) as s:
        session = s.session("--work", ".")
        for words, source, why in ((("--python", "--node"), "", "two languages"), (("--python", "a", "b"), "", "one file"), (("--python", "/no/such"), "", "No such file"),
                                   (("--python",), "a\0b", "a NUL"), (("--python",), "#" * ((1 << 20) + 1), "more than 1048576 bytes"), (("--result", "r", "--", "true"), "", "--result is of code")):
            for place_of in ((), ("--session", session)):
                refused = s.ambit("run", *place_of, *words, input=source)
                assert refused.returncode == 125 and why in refused.stderr, told(refused)
        write(f"{s.tree}/big.js", "//" + "#" * (1 << 20))
        for place_of in ((), ("--session", session)):
            for words, why, hint in (((*place_of, "--node", "a.js", "--result", "r.json"), "'--result' stands behind the file: options stand before it", "ambit run [OPTIONS] --node FILE"),
                                     ((*place_of, "--python"), "has a NUL in it, at byte 1", "UTF-8"),
                                     ((*place_of, "--node", "big.js"), "in big.js has more than 1048576 bytes", " ".join(("ambit run", *(place_of or ("--read", ".")), "-- node big.js")))):
                refused = s.ambit("run", *words, input="a\0b")
                assert why in refused.stderr and hint in refused.stderr.split("hint: ")[1], told(refused)
        assert s.events(session) == []
        full = run(s, "python", "#" * (1 << 20))
        assert full.returncode == 0, told(full)


def the_record_and_the_ledger_have_the_source(place):
    with Served(place) as s:
        expect_ok(run(s, "python", "print(1)\n'a \"text\"'", "--record", f"{s.home}/rec.json", "--ledger", f"{s.home}/ledger"))
        record = result_at(f"{s.home}/rec.json")
        assert record["kind"] == "python" and record["asked"]["argv"] == ["python", "print(1)\n'a \"text\"'"], record
        entries = [json.loads(line) for line in expect_ok(s.ambit("ledger", "show", "--json", "--ledger", f"{s.home}/ledger", "--type", "request")).stdout.splitlines()]
        body = entries[-1]["body"]
        assert body["kind"] == "python" and body["argv"] == record["asked"]["argv"] and body["program"].endswith("/python3"), body
        expect_ok(s.ambit("ledger", "verify", "--ledger", f"{s.home}/ledger"))
        replayed = json.loads(expect_ok(s.ambit("ledger", "replay", "--ledger", f"{s.home}/ledger", "--json")).stdout)
        assert replayed["agree"] == 1 and replayed["differ"] == 0, replayed


def in_a_session_it_is_an_event_like_others(place):
    """Listed with its source, found again by its key, kept with its result, and pruned with it."""
    with Served(place) as s:
        session = s.session("--work", ".")
        for kind in KINDS:
            source, said, text = SIMPLE[kind]
            for _ in range(3):  # cold, perhaps warm, warm
                expect_ok(run(s, kind, source, "--session", session, "--result", f"{s.home}/r.json"), said)
                result = result_at(f"{s.home}/r.json")
                assert (result["value"]["text"] if result else None) == text, result
                time.sleep(0.2 * SLOW)
        rows = s.events(session)
        assert [row["command"].split()[0] for row in rows] == [kind for kind in KINDS for _ in range(3)], rows
        assert "\n" not in rows[0]["command"]
        expect_ok(run(s, "python", "print('once')", "--session", session, "--key", "k"), "once\n")
        expect_ok(run(s, "python", "print('once')", "--session", session, "--key", "k"), "once\n")
        refused = run(s, "node" if NODE else "shell", "print('once')", "--session", session, "--key", "k")
        assert refused.returncode == 125 and "another request" in refused.stderr, told(refused)
        assert len(s.events(session)) == len(rows) + 1


def clients_get_results_as_objects(place):
    with Served(place) as s, client_of(s, place) as ambit, ambit.Session(workspace=s.tree, grants=["work .", "env X"]) as session:
        r = session.python("import json\nopen('made.txt', 'w').write('x')\ndisplay('<b>')\n{'a': [1, None], 'b': 'ä'}")
        assert r.ok and r.value == {"a": [1, None], "b": "ä"} and r.value_type == "dict" and r.error is None and r.row["kind"] == "python", r
        assert [(c["kind"], c["path"]) for c in session.changes(r.n)] == [("added", f"{s.tree}/made.txt")]
        changes = session.changes(session.shell("mkdir d; echo x > d/a; ln d/a d/b; rm made.txt").n)
        assert sorted(c["kind"] for c in changes) == ["added", "added", "deleted", "link"], changes
        r = session.python("def f():\n    return 1/0\nf()")
        assert r.exit_status == 1 and r.error.type == "ZeroDivisionError" and r.error.line == 2 and [f.function for f in r.error.frames][-1] == "f", r
        try:
            session.python("raise ValueError('no')", check=True)
            raise AssertionError("it did not raise")
        except ambit.EventFailed as failed:
            assert failed.result.exit_status == 1
        picture = session.python("class P:\n def _repr_png_(self): return b'\\x89PNG\\r\\n\\x1a\\n' + b'0' * 9\n def _repr_svg_(self): return '<svg/>'\nP()")
        assert {d.mime: d.data for d in picture.displays} == {"image/png": b"\x89PNG\r\n\x1a\n" + b"0" * 9, "image/svg+xml": "<svg/>"}, picture.displays
        assert session.shell("echo out; echo err >&2; exit 3").exit_status == 3 and session.python("input()", input="typed\n").value == "typed"
        assert session.python("import os\nos.environ['X']", env={"X": "1"}).value == "1"
        if NODE:
            r = session.node("const a = await Promise.resolve(20); a + 1n.toString().length")
            assert r.value == 21, r
            r = session.node("\nnull.x")
            assert r.error.type == "TypeError" and r.error.line == 2, r
        for wrong, kind in ((5, ambit.Malformed), ("a\0b", ambit.AmbitError)):
            try:
                session.python(wrong)
                raise AssertionError(f"{wrong!r} was taken")
            except kind:
                pass

        async def apart():
            async with ambit.aio.Session(workspace=s.tree, grants=["work ."]) as other:
                found = await asyncio.gather(*[other.python(f"{i} * 2", background=True) for i in range(4)])
                return [one.value for one in found]

        assert asyncio.run(apart()) == [0, 2, 4, 6]


def a_result_that_lies_is_data(place):
    """Whoever runs code can write anything there, and without end."""
    with Served(place) as s, client_of(s, place) as ambit, ambit.Session(workspace=s.tree, grants=["work ."]) as session:
        r = session.shell(":")
        assert r.ok and r.value is None
        for text in ("no json", "[1]", '{"v":1,"value":5,"displays":{},"error":[]}', '{"value":{"json":1},"__proto__":{"x":1}}', '[' * 5000, '\\xff', '{"a":1'):
            found = session.python("import os, glob\nfor fd in range(3, 2000):\n    try: os.write(fd, " + repr(text.encode()) + ")\n    except OSError: pass\nos._exit(0)")
            assert found.ok and found.error is None and isinstance(found.displays, tuple), (found, text)
        for given, value in (('{"v":1,"value":{"text":"x","json":NaN}}', None), ('{"v":1,"value":{"json":' + "9" * 500 + "}}", None), ('{"v":1,"displays":[{"mime":"application/javascript","data":"abcd"}]}', None)):
            found = session.python(f"import os\nfor fd in range(3, 2000):\n    try: os.write(fd, {given.encode()!r})\n    except OSError: pass\nos._exit(0)")
            assert found.value == value and all(d.data == "abcd" for d in found.displays), found
        many = session.python("import os\nfor fd in range(3, 2000):\n    try: os.write(fd, b'[' + b'[],' * 1000001 + b'0]')\n    except OSError: pass\nos._exit(0)")
        assert many.cut and many.value is None, many.row
        big = session.python("import os\nn = 0\nfor fd in range(3, 2000):\n    try:\n        while n < 40 << 20: n += os.write(fd, b'x' * 65536)\n    except OSError: pass\nos._exit(0)")
        assert big.row["result_bytes"] <= 16 << 20, big.row
        assert session.python("1").value == 1


def what_it_wrote_is_told_whoever_waited(place):
    """Without a limit on output, too; and what modules say while they are loaded is said once, also where that interpreter was killed, and another one runs the code."""
    with Served(place) as s:
        session = s.session("--work", ".", "--limit", "output=none")
        for _ in range(3):
            done = expect_ok(run(s, "python", "import sys\nprint('out')\nprint('err', file=sys.stderr)", "--session", session))
            assert (done.stdout, done.stderr) == ("out\n", "err\n"), told(done)
            time.sleep(0.3 * SLOW)
        session = s.session("--work", ".", "--warm", "python this")  # which has something to say
        with channel_of(s, session):
            for killed in (False, True):
                found = s.until(lambda: [pid for pid, words in waiting(s) if b"this" in words], "its interpreter stands")
                time.sleep(0.4 * SLOW)
                if killed:
                    os.kill(found[0], 9)
                    time.sleep(0.1 * SLOW)
                done = expect_ok(run(s, "python", "print('mine')", "--session", session))
                assert done.stdout.count("The Zen of Python") == 1 and done.stdout.endswith("mine\n"), told(done)


def packages_of_the_workspace_are_found(place):
    with Served(place) as s:
        write(f"{s.tree}/mine.py", "a = 1")
        session = s.session("--work", ".")
        for _ in range(2):
            expect_ok(run(s, "python", "import mine\nmine.a", "--session", session), "1\n")
            time.sleep(0.2 * SLOW)
        write(f"{s.tree}/mine.py", "a = 'later'")  # while an interpreter waits
        expect_ok(run(s, "python", "import mine\nmine.a", "--session", session), "'later'\n")
        if NODE:
            os.makedirs(f"{s.tree}/node_modules/theirs")
            write(f"{s.tree}/node_modules/theirs/index.js", "module.exports = 5")
            for _ in range(2):
                expect_ok(run(s, "node", "require('theirs')", "--session", session), "5\n")
                time.sleep(0.2 * SLOW)


def what_a_policy_keeps_warm_is_there_from_the_beginning(place):
    """Another interpreter, modules that are loaded, and none is started twice."""
    with Served(place) as s:
        write(f"{s.tree}/other", "#!/bin/sh\necho other >&2\nexec python3 \"$@\"\n")
        os.chmod(f"{s.tree}/other", 0o755)
        write(f"{s.tree}/p.yaml", f"version: 1\ngrants: [{{work: .}}]\nwarm: ['python={s.tree}/other', node]\n")
        expect_ok(s.ambit("policy", "check", f"{s.tree}/p.yaml"))
        said = s.ambit("run", "--work", ".", "--warm", f"python={s.tree}/other fractions no_such_module", "--python", input="import sys\n'fractions' in sys.modules, 'decimal' in sys.modules")
        assert said.returncode == 0 and said.stdout == "(True, True)\n" and said.stderr.startswith("other\n"), told(said)
        inside = s.session("--work", ".", "--warm", f"python={s.tree}/other")
        with channel_of(s, inside):
            for said in ("other\n", "changed\n"):  # what lies in the workspace may be another file when the code comes: it does not wait
                assert expect_ok(run(s, "python", "1", "--session", inside), "1\n").stderr == said
                time.sleep(0.3 * SLOW)
                assert not any(b"other" in word for words in interpreters(s) for word in words)
                write(f"{s.tree}/other", "#!/bin/sh\necho changed >&2\nexec python3 \"$@\"\n")
                os.chmod(f"{s.tree}/other", 0o755)
        session = s.session("--work", ".", "--warm", "python fractions")
        with channel_of(s, session):
            def waits():
                return any(b"fractions" in words for words in interpreters(s))
            s.until(waits, "the interpreter of its first event stands")
            time.sleep(0.3 * SLOW)
            expect_ok(run(s, "python", "import sys\n'fractions' in sys.modules", "--session", session), "True\n")
        for wrong, why in (("ruby", "nothing that can be kept warm: python, node and shell can"), ("python -c", "no name of a module"), ("shell module", "a shell has no modules")):
            refused = s.ambit("session", "new", "--work", ".", "--warm", wrong)
            assert refused.returncode == 125 and why in refused.stderr, told(refused)
        refused = run(s, "python", "1", "--session", session, "--warm", "python")
        assert refused.returncode == 125 and "session new" in refused.stderr, told(refused)


def what_a_variable_has_it_read_is_what_lies_there_when_the_code_comes(place):
    """A value that stands in a grant counts as one that is passed does: no interpreter with it waits."""
    with Served(place) as s:
        session = s.session("--work", ".", "--env", "BASH_ENV=./early.sh", "--env", "NODE_OPTIONS=--require=./early.cjs")
        for kind, name, text, source in (("shell", "early.sh", "early={}", "cd /; echo $early"), ("node", "early.cjs", "globalThis.early = {}", "console.log(early)")):
            for value in (1, 2) if kind in KINDS else ():
                write(f"{s.tree}/{name}", text.format(value))
                expect_ok(run(s, kind, source, "--session", session), f"{value}\n")
                time.sleep(0.5 * SLOW)  # else the next one's would have started now


@contextlib.contextmanager
def channel_of(s, session):
    client, channel = channel_to(s, session)
    try:
        yield channel
    finally:
        client.close()
        channel.close()


def interpreters(s):
    return [words for _, words in waiting(s)]


def waiting(s):
    """What waits in cells of the session that is in use: its process, and arguments."""
    found = []
    for role in commands_of(s, "ambit-session"):
        with contextlib.suppress(OSError):  # another session's may rest, and go meanwhile
            for supervisor in held_by(role):
                for pid in [pid for warden in children(supervisor) for pid in children(warden)]:
                    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
                        found.append((pid, file.read().split(b"\0")))
    return found


class WaitingFor(Waiting):
    """Whose first event was code of a kind, and the interpreter of the next waits."""

    def __init__(self, place, kind):
        super().__init__(place)
        self.kind = kind

    def stands(self):
        time.sleep(0.5 * SLOW)
        expect_ok(run(self, self.kind, SIMPLE[self.kind][0], "--session", self.session_id, "--result", "/dev/null"))
        self.until(self.interpreter, "the next one's interpreter stands")
        time.sleep(0.3 * SLOW)

    def interpreter(self):
        name = {"python": b"python3", "node": b"node", "shell": b"bash"}[self.kind]
        for supervisor in self.supervisors():
            for pid in [pid for warden in children(supervisor) for pid in children(warden)]:
                with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
                    if file.read().split(b"\0")[0] == name:
                        return pid
        return None


def an_interpreter_waits_for_the_next(place):
    """It is the one that runs it, and with another variable, or with input, it is not."""
    for kind in KINDS:
        with WaitingFor(place, kind) as s:
            source = {"python": "import os\nopen('/proc/self/stat').read().split()[21]", "node": "require('fs').readFileSync('/proc/self/stat','utf8').split(' ')[21]",
                      "shell": "read -r l < /proc/$$/stat; set -- $l; echo ${22}"}[kind]
            waits = s.interpreter()
            with open(f"/proc/{waits}/stat", encoding="ascii") as file:
                began = file.read().split()[21]
            said = expect_ok(run(s, kind, source, "--session", s.session_id)).stdout.strip().strip("'")
            assert said == began, (kind, said, began)


def an_interpreter_that_dies_while_it_waits_is_no_loss(place):
    for kind in KINDS:
        with WaitingFor(place, kind) as s:
            os.kill(s.interpreter(), 9)
            time.sleep(0.2 * SLOW)
            source, said, _ = SIMPLE[kind]
            expect_ok(run(s, kind, source, "--session", s.session_id, "--result", "/dev/null"), said)


SCENARIOS = [what_a_policy_keeps_warm_is_there_from_the_beginning, code_runs_as_a_command_does, a_file_of_code_leaves_standard_input_to_it, a_line_on_a_terminal_ends_once, what_is_no_code_is_refused, the_record_and_the_ledger_have_the_source,
             in_a_session_it_is_an_event_like_others, clients_get_results_as_objects, a_result_that_lies_is_data, what_it_wrote_is_told_whoever_waited, packages_of_the_workspace_are_found,
             what_a_variable_has_it_read_is_what_lies_there_when_the_code_comes, an_interpreter_waits_for_the_next, an_interpreter_that_dies_while_it_waits_is_no_loss]

if __name__ == "__main__":
    main(SCENARIOS)
