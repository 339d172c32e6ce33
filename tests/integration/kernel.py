#!/usr/bin/env python3
"""Kernels: events whose interpreter takes one piece of code after the other, in one memory (doc/CODE.md).

usage: kernel.py AMBIT PACKAGE    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time

from harness import PATIENCE, SLOW, expect_ok, main, told
from python_client import client_of
from rpc_served import Client, serving
from session_ready import children
from sessions import commands_of, state_of
from sessions_hostile import held_by

NODE = shutil.which("node", path="/usr/local/bin:/usr/bin:/bin")  # as a cell has it
KINDS = ["python", *(["node"] if NODE else [])]


class Kernel:
    def __init__(self, client, session, language="python", **more):
        self.client, self.session = client, session
        self.taken = client.call("kernel.start", session=session, language=language, **more)
        self.n = self.taken["n"]

    def send(self, source, **more):
        return self.client.send("kernel.run", session=self.session, n=self.n, source=source, **more)

    def run(self, source, **more):
        return self.of(self.client.answer(self.send(source, **more)))

    @staticmethod
    def of(line):
        assert "result" in line, line
        step = line["result"]
        step["document"] = json.loads(step["result"]) if step["result"] else None
        return step

    def value(self, source, **more):
        step = self.run(source, **more)
        assert step["end"] == "ok" and step["document"]["value"] is not None, step
        return step["document"]["value"]["text"]

    def stop(self, **more):
        return self.client.call("kernel.stop", session=self.session, n=self.n, **more)

    def end(self):
        return self.client.call("kernel.end", session=self.session, n=self.n, wait=True)["row"]

    def row(self):
        return self.client.call("event.show", session=self.session, n=self.n)


def over(s, kernel):
    return s.until(lambda: (row := kernel.row())["state"] == "over" and row, "the kernel is over")


def variables_stay(place):
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        k = Kernel(c, session)
        assert k.run("x = 1\ndef f():\n    return x / 0")["end"] == "ok"
        assert k.value("x + 1") == "2"
        step = k.run("\nprint('said')\nimport sys\nprint('oops', file=sys.stderr)\nf()")
        assert (step["end"], step["stdout"]) == ("error", "said\n") and step["stderr"].startswith("oops\nTraceback"), step
        error = step["document"]["error"]
        assert (error["type"], error["line"], error["source"]) == ("ZeroDivisionError", 5, "f()"), error
        assert [(f["file"], f["line"]) for f in error["frames"]] == [("<step-3>", 5), ("<step-1>", 3)], error
        assert k.run("x", show=True)["stdout"] == "1\n"
        step = k.run("open('made', 'w').write('x')\ndisplay('d')")
        assert step["document"]["displays"] and not os.path.exists(f"{s.tree}/made"), step
        assert k.value("open('made').read()") == "'x'"
        row = k.end()
        assert (row["kernel"], row["exit_status"], row["outcome"]["workspace"], row["kind"], row["command"]) == (True, 0, "committed", "python", "python kernel"), row
        assert os.path.exists(f"{s.tree}/made")
        c.close()


def variables_of_node_stay(place):
    """Declared again, awaited, imported; what fails later is said, and ends nothing."""
    with serving(place) as s:
        c = Client(s)
        k = Kernel(c, c.new(s), "node")
        assert k.value("const x = 1; let y = 2; x + y") == "3"
        assert k.value("const x = 5; function f() {\n  return null.a }\nx * y") == "10"
        step = k.run("console.log('said')\nf()")
        error = step["document"]["error"]
        assert (step["end"], step["stdout"], error["type"], error["line"]) == ("error", "said\n", "TypeError", 2), step
        assert [(f["file"], f["line"], f["source"]) for f in error["frames"]][:2] == [("<step-2>", 2, "return null.a }"), ("<step-3>", 2, "f()")], error
        assert k.value("const z = await new Promise((done) => setTimeout(done, 5, 7)); z") == "7"
        assert k.value("import { sep } from 'path'\nconst fs = await import('fs'); typeof fs.readFileSync + sep + 'import(1)'") == "'function/import(1)'"
        assert k.value("sep") == "'/'"
        assert k.run("const = 1")["document"]["error"]["type"] == "SyntaxError"
        before = k.run("setTimeout(() => { throw new Error('later') }, 1)")
        step = k.run("await new Promise((done) => setTimeout(done, 50)); x")
        assert step["end"] == "ok" and "Error: later" in before["stderr"] + step["stderr"], step
        row = k.end()
        assert (row["exit_status"], row["outcome"]["workspace"], row["kind"]) == (0, "untouched", "node"), row
        c.close()


def it_says_what_it_is(place):
    """In lists, in the record, and in the ledger: each step before it runs."""
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        k = Kernel(c, session, name="mine", limits={"memory": "400M"})
        k.run("a = 'first'")
        k.run("1/0")
        assert k.row()["kernel"] and k.row()["command"] == "python kernel mine", k.row()
        assert "python kernel mine" in expect_ok(s.ambit("ps")).stdout
        shown = json.loads(expect_ok(s.ambit("events", "--json", session)).stdout.splitlines()[0])
        assert shown["kernel"] is True, shown
        entries = ledger_of(s, k, "step")
        assert [(e["body"]["step"], e["body"]["size"]) for e in entries] == [(1, 11), (2, 3)], entries
        slow = k.send("import time\ntime.sleep(3)")
        s.until(lambda: len(ledger_of(s, k, "step")) == 3, "a step is in the ledger while it runs")
        c.answer(slow)
        k.run("exit(3)")
        row = over(s, k)
        assert row["exit_status"] == 3 and row["outcome"]["workspace"] == "untouched", row
        record = json.loads(c.call("event.read", session=session, n=k.n, stream="record")["data"])
        assert record["kind"] == "python" and record["asked"]["argv"] == ["python", "mine"] and record["kernel"]["steps"] == 4, record
        steps = record["kernel"]["told"]
        assert [(t["step"], t["source"], t["end"]) for t in steps[:2]] == [(1, "a = 'first'", "ok"), (2, "1/0", "error")] and steps[3]["end"] == "exit", steps
        assert [t["sha256"] for t in steps] == [hashlib.sha256(t["source"].encode()).hexdigest() for t in steps] == [
            e["body"]["sha256"] for e in ledger_of(s, k, "step")], steps
        request = ledger_of(s, k, "request")[0]["body"]
        assert request["kernel"] is True and request["argv"] == ["python", "mine"], request
        expect_ok(s.ambit("ledger", "verify"))
        assert json.loads(expect_ok(s.ambit("ledger", "replay", "--json")).stdout)["differ"] == 0
        c.close()


def ledger_of(s, kernel, kind):
    """Nothing, where there is no ledger yet."""
    shown = s.ambit("ledger", "show", "--json", "--event", kernel.taken["event"], "--type", kind)
    return [json.loads(line) for line in shown.stdout.splitlines()] if shown.returncode == 0 else []


def a_name_finds_it(place):
    with serving(place) as s:
        c, other = Client(s), Client(s)
        session = c.new(s)
        k = Kernel(c, session, name="mine")
        k.run("x = 1")
        other.call("session.open", session=session)
        again = Kernel(other, session, name="mine")
        assert again.n == k.n and again.taken["replayed"] and again.value("x") == "1"
        apart = Kernel(other, session)
        assert apart.n != k.n and apart.run("x")["document"]["error"]["type"] == "NameError"
        assert Kernel(other, session).n not in (k.n, apart.n)
        if NODE:
            assert Kernel(c, session, "node", name="mine").n != k.n
        else:
            Kernel(c, session)
        assert c.fails("kernel.start", session=session, language="python") == "LIMIT"
        assert c.fails("kernel.start", session=session, language="shell") == "UNAVAILABLE"
        assert c.fails("kernel.start", session=session, language="python", name="a b") == "USAGE"
        assert Kernel(c, session, name="mine").n == k.n, "one that is there is given, however many there are"
        k.end()
        assert Kernel(c, session, name="mine").n != k.n
        assert c.fails("kernel.run", session=session, n=k.n, source="1") == "GONE"
        assert c.fails("kernel.run", session=session, n=999, source="1") == "NOT_FOUND"
        c.call("event.run", session=session, argv=["true"], wait=True, follow=False)
        c.close(), other.close()


def an_event_that_is_none_is_not_ended_as_one(place):
    """It would lose its input; and a kernel has none."""
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        n = c.call("event.run", session=session, argv=["cat"], input=True, follow=False)["n"]
        for method, more in (("kernel.end", {}), ("kernel.end", {"wait": True}), ("kernel.run", {"source": "1"}), ("kernel.stop", {"step": 1})):
            error = c.answer(c.send(method, session=session, n=n, **more))["error"]
            assert (error["data"]["code"], error["message"]) == ("USAGE", f"event {n} is no kernel") and "start one" in error["data"]["hint"], (method, error)
        c.call("event.input", session=session, n=n, data="still there", end=True)
        s.until(lambda: c.call("event.show", session=session, n=n)["state"] == "over", "its input ended")
        assert c.call("event.read", session=session, n=n, stream="stdout")["data"] == "still there"
        assert c.fails("kernel.end", session=session, n=n) == "USAGE" and c.fails("kernel.end", session=session, n=99) == "NOT_FOUND"
        k = Kernel(c, session)
        assert c.fails("event.input", session=session, n=k.n, data="", end=True) == "GONE" and k.run("6 * 7")["end"] == "ok"
        k.client = other = Client(s)  # which has not followed it before
        other.call("session.open", session=session)
        assert other.fails("event.input", session=session, n=k.n, data="x") == "GONE" and k.value("6 * 7") == "42"
        other.close()
        k.client = c
        k.end()
        assert c.fails("kernel.end", session=session, n=k.n) == c.fails("kernel.run", session=session, n=k.n, source="1") == "GONE"
        c.close()


def steps_go_one_after_the_other(place):
    """Whoever asks; as many as may wait, and no more."""
    with serving(place) as s:
        c, other = Client(s), Client(s)
        session = c.new(s)
        k = Kernel(c, session)
        other.call("session.open", session=session)
        k.run("import time\nseen = []")
        first = k.send("time.sleep(0.5); seen.append('a'); print('of a'); seen")
        s.until(lambda: ledger_of(s, k, "step")[1:], "it runs")
        second = other.send("kernel.run", session=session, n=k.n, source="seen.append('b'); print('of b'); seen")
        a, b = k.of(c.answer(first)), k.of(other.answer(second))
        assert (a["document"]["value"]["json"], a["stdout"]) == (["a"], "of a\n"), a
        assert (b["document"]["value"]["json"], b["stdout"]) == (["a", "b"], "of b\n") and b["step"] == a["step"] + 1, b
        sent = [k.send("time.sleep(2)" if i == 0 else f"seen.append({i})") for i in range(16)]
        assert c.fails("kernel.run", session=session, n=k.n, source="1") == "LIMIT"
        k.stop(step=b["step"] + 5)
        answers = {}
        while len(answers) < len(sent):
            line = c.hear()
            answers[line["id"]] = k.of(line)
        steps = [answers[one] for one in sent]
        assert [step["end"] for step in steps] == ["ok"] * 4 + ["never"] + ["ok"] * 11 and steps[4]["stopped"], [step["end"] for step in steps]
        long = [k.send("time.sleep(1)"), *[k.send("#" * (1 << 20)) for _ in range(4)]]
        assert c.fails("kernel.run", session=session, n=k.n, source="1") == "LIMIT"
        for one in long:
            assert k.of(c.answer(one))["end"] == "ok"
        assert c.fails("kernel.run", session=session, n=k.n, source="#" * ((1 << 20) + 1)) == "LIMIT"
        assert k.value("seen[:2]") == "['a', 'b']"
        c.close(), other.close()


def a_stop_means_one_step(place):
    """Who gives up a step that waits, or is over, leaves alone the one of another that runs."""
    with serving(place) as s, client_of(s, place) as ambit:
        c, other = Client(s), Client(s)
        session = c.new(s)
        k = Kernel(c, session, name="mine")
        other.call("session.open", session=session)
        first = k.send("import time")
        assert k.of(c.answer(first))["step"] == 1
        long = other.send("kernel.run", session=session, n=k.n, source="time.sleep(4); 'lived'")
        s.until(lambda: ledger_of(s, k, "step")[1:], "it runs")
        for late in ({"request": first}, {"request": "nobody's"}, {"request": long}, {"step": 1}, {"step": 3}):
            assert c.fails("kernel.stop", session=session, n=k.n, **late) == "GONE", late
        for none in ({}, {"step": 0}, {"step": 2, "request": long}, {"request": None}, {"request": 1.5}):
            assert c.fails("kernel.stop", session=session, n=k.n, **none) == "USAGE", none
        mine = k.send("'never'", timeout="30s")
        k.stop(request=mine)  # before the answer, which is the first to tell its number
        step = k.of(c.answer(mine))
        assert (step["end"], step["stopped"], step["step"]) == ("never", True, 3), step

        def gives_up(kernel):  # as Ctrl-C does
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                kernel.run("'never'")
                raise AssertionError("it came to an end")
            except KeyboardInterrupt:
                return kernel.wait(4)

        async def is_cancelled():
            async with ambit.aio.Client() as client:
                kernel = await (await client.open(session)).kernel(name="mine")
                slow = asyncio.ensure_future(kernel.run("'never'"))
                await asyncio.sleep(0.5)
                slow.cancel()
                await asyncio.wait([slow])
                return await kernel.wait(5)

        with ambit.Client() as client:
            step = gives_up(client.open(session).kernel(name="mine"))
        assert (step.end, step.stopped) == ("never", True), step
        step = asyncio.run(is_cancelled())
        assert (step.end, step.stopped) == ("never", True), step
        step = k.of(other.answer(long))
        assert (step["end"], step["stopped"], step["document"]["value"]["json"]) == ("ok", False, "lived"), step
        c.close(), other.close()


def who_goes_away_finds_it_again(place):
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        k = Kernel(c, session, name="mine")
        k.send("import time\ntime.sleep(1)\nprint('done')\nx = 7\nx")
        s.until(lambda: ledger_of(s, k, "step"), "it runs")
        c.close()
        c = Client(s)
        c.call("session.open", session=session)
        step = Kernel.of(c.answer(c.send("kernel.wait", session=session, n=k.n, step=1)))
        assert (step["end"], step["stdout"], step["document"]["value"]["text"]) == ("ok", "done\n", "7"), step
        assert Kernel(c, session, name="mine").value("x") == "7"
        assert c.fails("kernel.wait", session=session, n=k.n, step=9) == "NOT_FOUND"
        c.call("kernel.end", session=session, n=k.n, wait=True)
        step = Kernel.of(c.answer(c.send("kernel.wait", session=session, n=k.n, step=1)))
        assert (step["end"], step["stdout"]) == ("ok", "done\n"), step
        c.close()


def what_takes_too_long_is_broken_off(place):
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        k = Kernel(c, session)
        k.run("x = 1")
        step = k.run("import time\ntime.sleep(100)", timeout="300ms")
        assert (step["end"], step["timed_out"], step["stopped"], step["document"]["error"]["type"]) == ("error", True, False, "KeyboardInterrupt"), step
        slow = k.send("while True: pass")
        s.until(lambda: len(ledger_of(s, k, "step")) == 3, "it runs")
        k.stop(request=slow)
        step = k.of(c.answer(slow))
        assert (step["end"], step["stopped"], step["document"]["error"]["type"]) == ("error", True, "KeyboardInterrupt"), step
        assert k.value("x") == "1"
        step = k.run("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(100)", timeout="300ms")
        row = over(s, k)
        assert step["end"] == "ended" and row["code"] == "LIMIT" and "took longer" in row["message"] and row["outcome"]["cause"] == "killed", (step, row)
        if NODE:
            k = Kernel(c, session, "node")
            k.run("let x = 1")
            step = k.run("for (;;) {}", timeout="300ms")
            assert step["end"] == "ended" and "ended with it" in over(s, k)["message"], step
        k = Kernel(c, session, limits={"wall": "2s"})
        step = k.run("import time\ntime.sleep(100)")
        assert step["end"] == "ended" and over(s, k)["outcome"]["limit"] == "wall", step
        k = Kernel(c, session, idle="1s")
        k.run("open('kept', 'w').write('x')")
        row = over(s, k)
        assert (row["exit_status"], row["outcome"]["workspace"]) == (0, "committed") and os.path.exists(f"{s.tree}/kept"), row
        k = Kernel(c, session)
        slow = k.send("import time\ntime.sleep(100)")
        s.until(lambda: ledger_of(s, k, "step"), "it runs")
        c.call("session.end", session=session)
        assert k.of(c.answer(slow))["end"] == "ended" and over(s, k)["outcome"]["cause"] == "killed"
        c.close()


def a_stop_that_comes_early_is_heard(place):
    """Before the interpreter has read the step; when it has, and does not run it yet; and between two steps it is none's."""
    with serving(place) as s:
        c = Client(s)
        k = Kernel(c, c.new(s))
        k.run("import signal, sys, time\nx = 1")
        (interpreter,) = [pid for pid in below(supervisors_of(s)[0]) if os.path.basename(words_of(pid)[0]).startswith(b"python3")]
        os.kill(interpreter, signal.SIGSTOP)
        slow = k.send("time.sleep(100)")
        s.until(lambda: ledger_of(s, k, "step")[1:], "it is given")
        k.stop(request=slow)
        time.sleep(1)
        os.kill(interpreter, signal.SIGCONT)
        step = k.of(c.answer(slow))
        assert (step["end"], step["stopped"], step["document"]["error"]["type"]) == ("error", True, "KeyboardInterrupt"), step
        c.call("event.signal", session=k.session, n=k.n, signal="INT")
        time.sleep(0.5)
        assert k.value("time.sleep(0.1); x") == "1"
        step = k.run("""at = sys._getframe()
while 'more' not in at.f_globals:
    at = at.f_back
driver, more = at.f_globals, at.f_globals['more']
def interrupted():
    driver['more'], got = more, [more(), more()]
    signal.raise_signal(signal.SIGINT)
    return all(got)
driver['more'] = interrupted""")
        assert step["end"] == "ok", step
        step = k.run("time.sleep(100)")
        assert (step["end"], step["document"]["error"]["type"]) == ("error", "KeyboardInterrupt"), step
        assert k.value("x") == "1"
        c.close()


def a_stop_waits_for_a_supervisor_that_takes_nothing(place):
    with serving(place) as s:
        c = Client(s)
        k = Kernel(c, c.new(s))
        k.run("import signal, time\nsignal.signal(signal.SIGWINCH, lambda *_: None)")
        slow = k.send("time.sleep(100)")
        s.until(lambda: ledger_of(s, k, "step")[1:], "it runs")
        (supervisor,) = supervisors_of(s)
        os.kill(supervisor, signal.SIGSTOP)
        for _ in range(10000):
            answer = c.answer(c.send("event.signal", session=k.session, n=k.n, signal="WINCH"))
            if "error" in answer:
                break
        assert answer["error"]["data"]["code"] == "LIMIT", answer
        k.stop(request=slow)
        time.sleep(0.5)
        os.kill(supervisor, signal.SIGCONT)
        step = k.of(c.answer(slow))
        assert (step["end"], step["document"]["error"]["type"]) == ("error", "KeyboardInterrupt") and k.value("6 * 7") == "42", step
        c.close()


def times_without_end_are_none(place):
    """Added to the clock they would be over already, or have the session's process look again and again."""
    with serving(place) as s:
        c = Client(s)
        k = Kernel(c, c.new(s), idle="213503982334d")
        assert k.run("1 + 1", timeout="213503982334d")["end"] == "ok"
        slow = k.send("import time\ntime.sleep(1)", timeout="213503982334d")
        assert k.of(c.answer(slow))["end"] == "ok"
        before = sum(map(processor_time, commands_of(s, "ambit-session")))
        time.sleep(1)
        assert sum(map(processor_time, commands_of(s, "ambit-session"))) - before < 0.3 and k.row()["state"] == "runs"
        c.close()


def processor_time(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return sum(map(int, file.read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    return 0


def what_it_changed_is_staged_to_its_end(place):
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        k = Kernel(c, session)
        k.run("open('a', 'w').write('1')")
        ran = c.call("event.run", session=session, argv=["ls"], wait=True, follow=False, output=True)
        assert ran["stdout"] == "", ran
        expect_ok(s.ambit("commit", k.taken["event"]))
        assert os.path.exists(f"{s.tree}/a")
        k.run("open('b', 'w').write('2')")
        assert k.run("raise SystemExit(1)")["end"] == "exit"
        row = over(s, k)
        assert row["outcome"]["workspace"] == "kept" and not os.path.exists(f"{s.tree}/b"), row
        c.close()


def the_command_line_has_kernels(place):
    with serving(place) as s:
        session = s.session("--work", ".")

        def step(source, *words, language="--python"):
            return s.ambit("run", "--session", session, language, "--kernel", "mine", *words, input=source)

        expect_ok(step("x = 1\nprint('said')"), "said\n")
        expect_ok(step("x + 1"), "2\n")
        expect_ok(step("open('made', 'w').write('x')\n{'a': x}", "--result", f"{s.home}/r.json"), "")
        with open(f"{s.home}/r.json", encoding="utf-8") as file:
            assert json.load(file)["value"]["json"] == {"a": 1}
        failed = step("print('before')\n1/0")
        assert (failed.returncode, failed.stdout) == (1, "before\n") and "ZeroDivisionError" in failed.stderr, told(failed)
        rows = s.events(session)
        assert len(rows) == 1 and rows[0]["kernel"] and rows[0]["state"] == "runs", rows
        slow = s.start("run", "--session", session, "--python", "--kernel", "mine", "-", stdin=subprocess.PIPE)
        slow.stdin.write("import time\ntime.sleep(100)")
        slow.stdin.close()
        s.until(lambda: len([1 for line in shown(s, rows[0]) if line]) == 5, "it runs")
        slow.send_signal(signal.SIGINT)
        assert slow.wait(SLOW * PATIENCE) == 130 and "KeyboardInterrupt" in slow.stderr.read()
        expect_ok(step("exit()"), "")
        assert os.path.exists(f"{s.tree}/made") and s.events(session)[0]["exit"] == 0
        ended = step("exit(3)", "--result", f"{s.home}/r.json")
        assert ended.returncode == 3 and len(s.events(session)) == 2, told(ended)
        for language, words, said in (("--python", (), "new: the former one ended (exit status 3)"), ("--python", ("--limit", "wall=5s"), "mine runs already: --limit"),
                                      ("--python", ("--strict", "--quiet"), ""), ("--python", (), "")):
            done = expect_ok(step("1", *words, language=language), "1\n")
            assert f"ambit: kernel mine is {said}\n" == done.stderr or said and said in done.stderr and done.stderr.count("\n") == 1 or not said and not done.stderr, told(done)
        ended = s.ambit("run", "--session", session, "--python", "--kernel", "w", "--limit", "wall=1s", input="import time\ntime.sleep(90)")
        assert ended.returncode == 124 and "ended by its limit: wall=1s" in ended.stderr, told(ended)
        ended = s.ambit("run", "--session", session, "--python", "--kernel", "w", input="exit()")
        assert ended.stderr == "ambit: kernel w is new: the former one ended (by its limit wall)\n", told(ended)
        for name in "abc":
            expect_ok(s.ambit("run", "--session", session, "--python", "--kernel", name, input=f"open('{name}', 'w').close()"))
        full = s.ambit("run", "--session", session, "--python", "--kernel", "d", input="1")
        assert full.returncode == 125 and "has 4 kernels already" in full.stderr and "`ambit ps`" in full.stderr and "`ambit run --kernel NAME --end`" in full.stderr, told(full)
        for words, status, said in ((("--python",), 0, ""), (("--python",), 125, "no kernel a of python runs"), (("--node",), 125, "no kernel a of node runs"), (("--shell",), 125, "no kernels of a shell"),
                                    ((), 125, "--end ends a kernel"), (("--python", "x.py"), 125, "takes no code")):
            done = s.ambit("run", "--session", session, *words[:1], "--kernel", "a", "--end", *words[1:])
            assert done.returncode == status and (said in done.stderr if said else not done.stderr), told(done)
            assert os.path.exists(f"{s.tree}/a") and not os.path.exists(f"{s.tree}/b")
        for words, why in ((("--shell", "--kernel", "a"), "no kernels of a shell"), (("--python", "--kernel", "a b"), "no name of a kernel"),
                           (("--python", "--kernel", "a", "--json"), "no event of its own"), (("--python", "--kernel", "a", "--work", "."), "has its own")):
            refused = s.ambit("run", "--session", session, *words, input="1")
            assert refused.returncode == 125 and why in refused.stderr, told(refused)
        refused = s.ambit("run", "--python", "--kernel", "a", input="1")
        assert refused.returncode == 125 and "--session" in refused.stderr, told(refused)
        refused = s.ambit("run", "--session", session, "--kernel", "a", "--", "true")
        assert refused.returncode == 125 and "--kernel is of code" in refused.stderr, told(refused)
        if NODE:
            expect_ok(step("const y = 20; y + 1", language="--node"), "21\n")
            expect_ok(step("y", language="--node"), "20\n")


def shown(s, row):
    return expect_ok(s.ambit("ledger", "show", "--json", "--event", row["event"], "--type", "step")).stdout.splitlines()


def clients_of_python_have_kernels(place):
    with serving(place) as s, client_of(s, place) as ambit, ambit.Session(workspace=s.tree, grants=["work ."]) as session:
        with session.kernel("python") as k:
            k.run("x = 1")
            assert k.run("x + 1").value == 2
            step = k.run("print('said')\nimport sys\nsys.stderr.write('oops')\n{'a': x}")
            assert (step.value, step.text, step.stderr, step.ok, step.step) == ({"a": 1}, "said\n", b"oops", True, 3), step
            step = k.run("\n1/0")
            assert (step.end, step.error.type, step.error.line) == ("error", "ZeroDivisionError", 2), step
            long = k.run("print('x' * 100000)\ndisplay('d' * 100000)")
            assert len(long.stdout) == 100001 and len(long.displays[0].data) == 100002, long
            assert k.run("x").value == 1 and k.run("import time\ntime.sleep(100)", timeout=0.3).timed_out and k.run("time.sleep(100)", timeout="300ms").timed_out
            assert k.wait(4).error.type == "ZeroDivisionError"
            try:
                k.run("raise ValueError('no')", check=True)
                raise AssertionError("it did not raise")
            except ambit.StepFailed as failed:
                assert failed.result.error.message == "no" and "ValueError: no" in str(failed)
            k.run("open('made', 'w').write('x')")
            assert session.kernel("python", name="other").n != k.n
        assert os.path.exists(f"{s.tree}/made") and k.show().workspace == "committed"
        with session.kernel("python") as k:
            assert k.run("exit(0)").end == "exit"
        for wrong, kind in ((lambda: session.kernel("shell"), ambit.AmbitError), (lambda: session.kernel(name="a b"), ambit.Malformed), (lambda: k.run("1"), ambit.Gone),
                            (lambda: k.run(5), ambit.Malformed), (lambda: k.run("1", timeout="x"), ambit.Malformed), (lambda: k.run("1", timeout=[1]), ambit.Malformed)):
            try:
                wrong()
                raise AssertionError("it was taken")
            except kind:
                pass

        async def apart():
            async with ambit.aio.Session(workspace=s.tree, grants=["work ."]) as other:
                async with await other.kernel() as k:
                    await k.run("x = 20")
                    found = await asyncio.gather(*[k.run(f"x + {i}") for i in range(5)])
                    slow = asyncio.ensure_future(k.run("import time\ntime.sleep(100)"))
                    await asyncio.sleep(0.5)
                    slow.cancel()
                    after = await k.run("x")
                    stopped = await k.wait(after.step - 1)
                    return [one.value for one in found], after.value, stopped.stopped

        assert asyncio.run(apart()) == ([20, 21, 22, 23, 24], 20, True)


# What a step does to what its kernel hangs on: source, how it ends, and whether the kernel lives.
FD = "import os\nfor fd in map(int, os.listdir('/proc/self/fd')):\n    try:\n        link = os.readlink(f'/proc/self/fd/{fd}')\n    except OSError:\n        continue\n    if fd > 2 and 'pipe' in link:\n"
HOSTILE = [
    ("closes both", FD + "        os.close(fd)", "ended"),
    ("closes 0 to 64", "import os\nos.closerange(0, 64)", "ok"),
    ("writes garbage", FD + "        try: os.write(fd, b'x' * 64)\n        except OSError: pass", "ended"),
    ("writes without end", FD + "        try:\n            while True: os.write(fd, b'STEP' + b'\\x02\\0\\0\\0' + b'\\0' * 4 + b'\\0\\0\\0\\x01' + b'x' * 65536)\n        except OSError: pass", None),  # the first 16 MiB are its document
    ("says a step ended that is another", FD + "        try: os.write(fd, b'STEP' + b'\\x07\\0\\0\\0' + b'\\0' * 8)\n        except OSError: pass", "ended"),
    ("announces more than there may be", FD + "        try: os.write(fd, b'STEP' + b'\\x02\\0\\0\\0' + b'\\0' * 4 + b'\\xff\\xff\\xff\\xff')\n        except OSError: pass", "ended"),
    ("kills itself", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "ended"),
    ("leaves at once", "import os\nos._exit(0)", "ended"),
    ("replaces itself", "import os\nos.execvp('sleep', ['sleep', '100'])", "ended"),
    ("forks", "import os\nif os.fork() == 0:\n    import time\n    time.sleep(100)", "ok"),
    ("breaks what tells its end", "import builtins, sys\nfor name in list(vars(builtins)):\n    if name != '__import__': setattr(builtins, name, None)\nsys.modules.clear()", None),
    ("floods", "import sys\nwhile True: sys.stdout.write('x' * 65536)", "ended"),
]


def steps_that_harm_their_kernel(place):
    """Each lies about itself alone: another kernel of the session, and the session, go on."""
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        beside = Kernel(c, session)
        beside.run("x = 1")
        for name, source, end in HOSTILE:
            k = Kernel(c, session, limits={"output": "4M", "memory": "400M"})
            k.run("y = 2")
            step = k.run(source)
            assert end in (None, step["end"]), (name, step)
            if step["end"] == "ended":
                row = over(s, k)
                assert row["state"] == "over", (name, row)
            elif end == "ok":
                assert k.run("y")["end"] == "ok", name
                c.call("event.cancel", session=session, n=k.n)
                over(s, k)
            else:
                c.answer(c.send("event.cancel", session=session, n=k.n))  # it may be over by itself
                over(s, k)
            assert beside.value("x") == "1", name
        assert c.call("event.run", session=session, argv=["true"], wait=True, follow=False)["row"]["exit_status"] == 0
        c.close()


def a_forged_end_is_the_steps_own(place):
    """A step that says that it ended is told so, with what it says; what comes behind is no other's."""
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        k = Kernel(c, session)
        forged = FD + ("        document = b'{\"v\":1,\"value\":{\"text\":\"forged\",\"type\":\"int\"},\"displays\":[],\"error\":null}'\n"
                       "        try: os.write(fd, b'STEP' + (1).to_bytes(4, 'little') + b'\\0' * 4 + len(document).to_bytes(4, 'little') + document)\n"
                       "        except OSError: pass\nimport time\ntime.sleep(1)")
        step = k.run(forged)
        assert (step["end"], step["document"]["value"]["text"]) == ("ok", "forged"), step
        row = over(s, k)
        assert row["code"] == "PROTOCOL" and "none ran" in row["message"], row
        assert c.fails("kernel.run", session=session, n=k.n, source="1") == "GONE"
        k = Kernel(c, session)
        first, second = k.send(forged), k.send("import time\ntime.sleep(3)")  # the second runs when the first says again that it ended
        assert k.of(c.answer(first))["end"] == "ok"
        assert k.of(c.answer(second))["end"] == "ended" and over(s, k)["code"] == "PROTOCOL"
        c.close()


def what_cannot_be_recorded_does_not_run(place):
    """The ledger's process goes while a kernel runs: the next step gets no source, and what ran before is not committed."""
    with serving(place) as s:
        c = Client(s)
        k = Kernel(c, c.new(s))
        k.run("open('before', 'w').write('x')")
        ledger = s.environment["AMBIT_LEDGER"].encode()
        keepers = [int(pid) for pid in filter(str.isdigit, os.listdir("/proc")) if (words := words_of(pid)) and words[0] == b"ambit-ledger" and ledger in words]
        assert keepers
        for pid in keepers:
            os.kill(pid, signal.SIGKILL)
        step = k.run("open('after', 'w').write('x')")
        row = over(s, k)
        assert (step["end"], step["begun"]) == ("never", None) and row["exit_status"] == 125, (step, row)
        assert not os.path.exists(f"{s.tree}/before")
        record = json.loads(c.call("event.read", session=k.session, n=k.n, stream="record")["data"])
        assert (record["kernel"]["steps"], [told["end"] for told in record["kernel"]["told"]]) == (1, ["ok"]), record["kernel"]
        kept = expect_ok(s.ambit("diff", k.taken["event"])).stdout
        assert "before" in kept and "after" not in kept, kept
        c.close()


def whoever_dies_leaves_nothing_that_runs(place):
    """The supervisor, and then the daemon with the session's process."""
    with serving(place) as s:
        c = Client(s)
        session = c.new(s)
        k = Kernel(c, session)
        slow = k.send("import time\ntime.sleep(1000)")
        s.until(lambda: ledger_of(s, k, "step"), "it runs")
        (supervisor,) = supervisors_of(s)
        cell = below(supervisor)
        os.kill(supervisor, signal.SIGKILL)
        step = k.of(c.answer(slow))
        assert step["end"] == "ended" and over(s, k)["outcome"]["cause"] == "lost", step
        s.until(lambda: all(state_of(pid) == "Z" for pid in cell), "the cell is gone with its supervisor")
        k = Kernel(c, session)
        k.send("import time\ntime.sleep(1000)")
        s.until(lambda: ledger_of(s, k, "step"), "it runs")
        cell = below(supervisors_of(s)[0])
        assert cell
        s.kill()
        s.until(lambda: all(state_of(pid) == "Z" for pid in cell), "the cell is gone with the daemon")
        rows = s.events(session)
        assert rows[-1]["state"] == "interrupted" and rows[-1]["kernel"], rows
        c.close()
        c = Client(s)
        c.call("session.open", session=session)
        assert k.of(c.answer(c.send("kernel.wait", session=session, n=k.n, step=1)))["end"] == "ended"
        assert Kernel(c, session).value("6 * 7") == "42"
        c.close()


def supervisors_of(s):
    """Of events of this daemon's sessions that run."""
    return [pid for role in commands_of(s, "ambit-session") for pid in held_by(role) if any(words_of(one)[1:2] == [b"-I"] for one in below(pid))]


def below(pid):
    found = []
    for child in children(pid):
        found += [child, *below(child)]
    return found


def words_of(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().split(b"\0")
    return []


if __name__ == "__main__":
    main([variables_stay, *([variables_of_node_stay] if NODE else []), it_says_what_it_is, a_name_finds_it, an_event_that_is_none_is_not_ended_as_one, steps_go_one_after_the_other, a_stop_means_one_step, who_goes_away_finds_it_again,
          what_takes_too_long_is_broken_off, a_stop_that_comes_early_is_heard, a_stop_waits_for_a_supervisor_that_takes_nothing, times_without_end_are_none, what_it_changed_is_staged_to_its_end, the_command_line_has_kernels, clients_of_python_have_kernels, steps_that_harm_their_kernel, a_forged_end_is_the_steps_own,
          what_cannot_be_recorded_does_not_run, whoever_dies_leaves_nothing_that_runs])
