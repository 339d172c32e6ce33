#!/usr/bin/env python3
"""The Python client with a real daemon: its README's examples, its types, its wheel, and what it does when somebody dies or lies.

usage: python_client.py AMBIT PACKAGE    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import asyncio
import contextlib
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile

from harness import PATIENCE, SLOW, Skip, always, main, rooted, sanitized, told, write
from sessions import Served

PYTHON = sys.executable if sys.executable.startswith("/usr/") else "/usr/bin/python3"


@contextlib.contextmanager
def client_of(served, place):
    """This process as a client of that daemon."""
    wanted = {**{k: served.environment[k] for k in ("HOME", "XDG_RUNTIME_DIR", "AMBIT_LEDGER")}, "AMBIT_PROGRAM": place.ambit}
    before = {k: os.environ.get(k) for k in wanted}
    os.environ.update(wanted)
    sys.path.insert(0, os.path.join(place.given(1), "src"))
    try:
        import ambit  # pylint: disable=import-outside-toplevel
        import ambit.aio  # pylint: disable=import-outside-toplevel

        yield ambit
    finally:
        sys.path.pop(0)
        for key, value in before.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})


def says(example):
    """What an example says that it prints, in words."""
    return " ".join(re.findall(r"print\(.*  # (.*)$", example, re.M)).split()


@always
def the_examples_of_its_readme_run(place):
    with open(os.path.join(place.given(1), "README.md"), encoding="utf-8") as file:
        examples = re.findall(r"```python\n(.*?)```", file.read(), re.S)
    assert len(examples) >= 5
    with Served(place) as s:
        for number, example in enumerate(examples):
            write(f"{s.home}/example.py", example)
            done = subprocess.run([PYTHON, "-B", f"{s.home}/example.py"], cwd=s.tree, capture_output=True, text=True, timeout=SLOW * PATIENCE, check=False,
                                  env={**s.environment, "PYTHONPATH": os.path.join(place.given(1), "src"), "AMBIT_PROGRAM": place.ambit})
            assert done.returncode == 0 and done.stdout.split() == says(example), f"example {number + 1} says {done.stdout.split()}, not {says(example)}; {told(done)}"


def pythons():
    """Those beside ours that this machine has, the oldest that is promised first."""
    found = {}
    for minor in range(9, 20):
        path = shutil.which(f"python3.{minor}")
        if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            found[minor] = path
    return found


@rooted
def it_runs_with_other_pythons(place):
    """The examples, with each version that there is."""
    others = {minor: path for minor, path in pythons().items() if minor != sys.version_info.minor}
    if 9 not in others and sys.version_info.minor != 9:
        print("# Python 3.9, the oldest that is promised, is not in PATH")
    if not others:
        raise Skip("there is no other Python 3 in PATH")
    with open(os.path.join(place.given(1), "README.md"), encoding="utf-8") as file:
        examples = re.findall(r"```python\n(.*?)```", file.read(), re.S)
    for path in others.values():
        with Served(place) as s:
            for number, example in enumerate(examples):
                write(f"{s.home}/example.py", example)
                done = subprocess.run([path, "-B", "-X", "dev", "-W", "error", f"{s.home}/example.py"], cwd=s.tree, capture_output=True, text=True, timeout=SLOW * PATIENCE, check=False,
                                      env={**s.environment, "PYTHONPATH": os.path.join(place.given(1), "src"), "AMBIT_PROGRAM": place.ambit})
                assert done.returncode == 0 and done.stdout.split() == says(example), f"{path}, example {number + 1}; {told(done)}"
            print(f"# {path} ran {len(examples)} examples")


def its_types_hold(place):
    if subprocess.run([PYTHON, "-m", "mypy", "--version"], capture_output=True, check=False).returncode != 0:
        raise Skip("mypy is not installed (python3-mypy)")
    done = subprocess.run([PYTHON, "-m", "mypy", "--strict", "--python-version", "3.9", "--cache-dir", os.devnull, os.path.join(place.given(1), "src", "ambit")], capture_output=True, text=True, check=False,
                          timeout=SLOW * 120)
    assert done.returncode == 0, told(done)


def its_wheel_carries_the_program(place):
    """Built and installed without a network and without anything but Python, it runs with an empty PATH."""
    top = os.path.join(place.fresh(), "made", "by-it")
    build = {**place.environment(), "AMBIT_BUILD": os.path.dirname(place.ambit)}
    done = subprocess.run([PYTHON, "-B", os.path.join(place.given(1), "backend.py"), top], capture_output=True, text=True, env=build, timeout=SLOW * 120, check=False)
    assert done.returncode == 0 and done.stdout.strip().endswith("_x86_64.whl") or "_aarch64.whl" in done.stdout, told(done)
    wheel = done.stdout.strip()
    assert os.path.dirname(wheel) == top, told(done)
    site = os.path.join(top, "site")
    with zipfile.ZipFile(wheel) as file:
        assert file.testzip() is None
        for info in file.infolist():
            file.extract(info, site)
            os.chmod(os.path.join(site, info.filename), info.external_attr >> 16)
    with Served(place) as s:
        code = "import ambit\nwith ambit.Client() as c, c.new() as x: print(x.run(['echo', 'carried']).text, ambit._place.program())"
        done = subprocess.run([PYTHON, "-B", "-c", code], cwd=s.tree, env={**s.environment, "PYTHONPATH": site, "PATH": "/nowhere"}, capture_output=True, text=True,
                              timeout=SLOW * PATIENCE, check=False)
        assert done.returncode == 0 and done.stdout.split() == ["carried", f"{site}/ambit/_program/bin/ambit"], told(done)


# What is said and met beside the README's example.
ASKS = """
import ambit, ambit.aio, asyncio, os, time
data = bytes(range(256)) * 4096
found = ambit.delegate(["sh", "-c", "cat; echo too >&2; exit 3"], input=data)
print(found.exit_status, found.stdout == data, found.stderr, found.cause, found.ok, found.cut)
found = ambit.delegate(["sleep", "60"], limits={"wall": "200ms"})
print(found.exit_status, found.cause, found.limit, found.event[:2])
def refused(*words, **how):
    try:
        ambit.delegate(*words, **how)
    except ambit.AmbitError as problem:
        print(type(problem).__name__, problem.code)
refused("ls")
refused(["true"], grants=[{"read": ".", "label": "x"}])
refused(["true"], grants=[{"connect": "a.test:1"}])
refused(["/no/such"])
refused(["true"], grants=["nonsense ."])
refused(["true"], background=True)

async def cancelled():
    task = asyncio.ensure_future(ambit.aio.delegate(["sh", "-c", "while :; do echo x >>loop; sleep 0.01; done"]))
    while not os.path.exists("loop"):
        await asyncio.sleep(0.01)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled", (await ambit.aio.delegate(["echo", "on"])).text, end="")

asyncio.run(cancelled())
same = size = 0
while same < 50:
    same, size = same + 1 if os.path.getsize("loop") == size else 0, os.path.getsize("loop")
    time.sleep(0.01)
os.environ["AMBIT_PROGRAM"] = "/no/such/ambit"
refused(["true"])
"""
ASKED = """3 True b'too\\n' exited False False
124 limit wall e_
Malformed USAGE
Malformed USAGE
Denied DENIED
AmbitError NO_PROGRAM
Malformed USAGE
AmbitError UNAVAILABLE
cancelled on
NotFound NOT_FOUND
"""


def in_a_cell(place, script, *flags):
    """A script that has the package, and is granted what sub-agents take."""
    top = place.fresh()
    shutil.copytree(os.path.join(place.given(1), "src", "ambit"), f"{top}/ambit", ignore=shutil.ignore_patterns("__pycache__"))
    write(f"{top}/ask.py", script)
    given = ("--run", place.ambit, "--env", f"AMBIT_PROGRAM={place.ambit}", *(("--limit", "memory=32T") if sanitized(place.ambit) else ()), *flags)
    return place.cell("--work", ".", *given, "--", "python3", "-B", "ask.py", cwd=top)


def in_a_cell_it_starts_sub_agents(place):
    with open(os.path.join(place.given(1), "README.md"), encoding="utf-8") as file:
        (example,) = re.findall(r"```py\n(.*?)```", file.read(), re.S)
    done = in_a_cell(place, example, "--delegate", "*")
    assert done.returncode == 0 and done.stdout.split() == says(example), told(done)
    done = in_a_cell(place, ASKS, "--delegate", "*")
    assert done.returncode == 0 and done.stdout == ASKED, told(done)
    done = in_a_cell(place, "import ambit\ntry:\n    ambit.delegate(['true'])\nexcept ambit.AmbitError as problem:\n    print(problem.code, problem)")
    assert done.returncode == 0 and "UNAVAILABLE" in done.stdout and "not granted delegate" in done.stdout, told(done)
    done = subprocess.run([PYTHON, "-B", "-c", "import ambit\nambit.delegate(['true'])"], env={**place.environment(), "PYTHONPATH": os.path.join(place.given(1), "src")}, capture_output=True,
                          text=True, check=False, timeout=SLOW * PATIENCE)
    assert done.returncode == 1 and "this is in no cell" in done.stderr, told(done)


def in_a_session_it_hands_sub_agents_over(place):
    code = "import ambit\nfound = ambit.delegate(['sh', '-c', 'sleep 1; echo x > made'], agent='helper', background=True)\nprint(found.event, found.exit_status, found.stdout)"
    with Served(place) as s, client_of(s, place) as ambit, ambit.Client() as client:
        shutil.copytree(os.path.join(place.given(1), "src", "ambit"), f"{s.tree}/ambit", ignore=shutil.ignore_patterns("__pycache__"))
        policy = ["work .", f"run {place.ambit}", f"env AMBIT_PROGRAM={place.ambit}", "delegate *"]
        with client.new(workspace=s.tree, grants=policy) as session:
            found = session.run(["python3", "-B", "-c", code]).text.split()
            assert found[0].startswith("e_") and found[1:] == ["0", "b''"] and not os.path.exists(f"{s.tree}/made"), found
            s.until(lambda: os.path.exists(f"{s.tree}/made"), "it goes on")


def output_and_input_are_whole(place):
    with Served(place) as s, client_of(s, place) as ambit, ambit.Client() as client, client.new(workspace=s.tree) as session:
        data = bytes(range(256)) * 4096
        result = session.run(["cat"], input=data)
        assert (result.exit_status, result.stdout) == (0, data), result
        result = session.run(["sh", "-c", "seq 1 100000; seq 1 50000 >&2; exit 9"])
        assert result.exit_status == 9 and result.stdout == b"".join(b"%d\n" % i for i in range(1, 100001)) and len(result.stderr) == 288894, result.row
        assert session.run(["head", "-c1"], input=data).stdout == b"\0"
        taken = session.start(["cat"], input=True)
        for _ in range(40):
            taken.write(data)  # nobody takes what it writes meanwhile: it is held for us only so far
        assert taken._connection.notes.held < 8 << 20
        taken.end_input()
        assert sum(len(chunk.data) for chunk in taken) == 40 * len(data)
        taken.close()


def mistakes_are_exceptions(place):
    with Served(place) as s, client_of(s, place) as ambit, ambit.Client() as client:
        for wrong, kind in ((lambda: client.open("s_" + "0" * 26), ambit.NotFound), (lambda: client.new(grants=["raed ."]), ambit.AmbitError),
                            (lambda: client.new(workspace="/nosuch"), ambit.Malformed), (lambda: ambit.Session(workspace=s.tree, grants=["work /nosuch"]), ambit.NotFound),
                            (lambda: client.new(workspace=s.tree).run("ls"), ambit.Malformed), (lambda: client.new(grants=[{"work": "."}], policy="x"), ambit.Malformed)):
            try:
                wrong()
            except kind as problem:
                assert problem.code and problem.message, problem
            else:
                raise AssertionError("nothing was said")
        session = client.new(workspace=s.tree, key="k")
        assert client.new(workspace=s.tree, key="k").id == session.id
        result = session.run(["no-such-program"])
        assert result.exit_status == 127 and "command not found" in result.message, result
        for timeout in ("x", "", 0, -1, float("nan"), float("inf"), [1], 1j):
            for asks in (lambda t: session.run(["true"], timeout=t), lambda t: session.python("1", timeout=t), lambda t: session.kernel(idle=t)):
                try:
                    asks(timeout)
                    raise AssertionError(f"{timeout!r} was taken")
                except ambit.Malformed as problem:
                    assert problem.hint, f"{timeout!r}: {problem!r}"
        for timeout in (0.3, "300ms"):
            assert session.run(["sleep", "60"], timeout=timeout).exit_status == session.python("import time\ntime.sleep(60)", timeout=timeout).exit_status == 124
        assert client.status()["sessions_made"] >= 2 and session.id in [row["session"] for row in client.sessions()]


def why_an_event_ended_is_told(place):
    """Of commands and code, with and without asyncio: the cause, and the limit that was met."""
    ends = [("limit", "output", 125), ("limit", "wall", 124), ("exited", None, 3), ("killed", None, 137)]
    prints, sleeps = "import time\nprint('x' * 100, flush=True)\ntime.sleep(60)", "import time\ntime.sleep(60)"
    says = ["sh", "-c", "echo more than ten bytes; exec sleep 60"]  # one that is over at once may be quicker than who looks
    with Served(place) as s, client_of(s, place) as ambit, ambit.Session(workspace=s.tree) as session:
        def told_of(*results):
            assert [(result.cause, result.limit, result.exit_status) for result in results] == ends, results

        with session.start(["sleep", "60"]) as event:
            assert (event.show().cause, event.show().limit) == (None, None)
            event.cancel()
            cancelled = event.wait()
        told_of(session.run(says, limits={"output": "10"}), session.run(["sleep", "60"], timeout=0.3), session.run(["sh", "-c", "exit 3"]), cancelled)
        told_of(session.python(prints, limits={"output": "10"}), session.python(sleeps, timeout=0.3), session.python("exit(3)"), cancelled)

        async def again():
            async with ambit.aio.Session(workspace=s.tree) as other:
                told_of(await other.run(says, limits={"output": "10"}), await other.run(["sleep", "60"], timeout=0.3), await other.run(["sh", "-c", "exit 3"]), cancelled)
                told_of(await other.python(prints, limits={"output": "10"}), await other.python(sleeps, timeout=0.3), await other.python("exit(3)"), cancelled)

        asyncio.run(asyncio.wait_for(again(), SLOW * PATIENCE))
        for fails, code, says_why in ((lambda: session.python(prints, limits={"output": "10"}, check=True), "LIMIT", "ended by its limit: output=10 (hint: "),
                                      (lambda: session.run(["sleep", "60"], timeout=0.3, check=True), "LIMIT", "ended by its limit: wall=300ms (hint: "),
                                      (cancelled.check, "GONE", f"event {cancelled.n} ended with 137: it was killed")):
            try:
                fails()
                raise AssertionError("it did not raise")
            except ambit.EventFailed as failed:
                assert failed.code == code and str(failed).startswith(says_why), failed


@always
def a_daemon_that_is_killed_is_found_again(place):
    with Served(place) as s, client_of(s, place) as ambit, ambit.Client() as client:
        session = client.new(workspace=s.tree, grants=["work ."])
        assert session.run(["sh", "-c", "echo 1 >> log; cat log"]).text == "1\n"
        s.kill()
        assert session.run(["sh", "-c", "echo 2 >> log; cat log"]).text == "1\n2\n"
        killer = threading.Timer(0.7, s.kill)
        killer.start()
        result = session.run(["sh", "-c", "echo 3 >> log; sleep 1.5; cat log"])
        killer.join()
        assert result.state == "interrupted" and not result.ok, result
        with open(f"{s.tree}/log", encoding="utf-8") as file:
            assert file.read() == "1\n2\n", "it ran, or half of it is there"
        assert [row["n"] for row in session.events()] == [1, 2, 3]
        event = session.start(["sh", "-c", "echo a; sleep 60"])
        assert next(iter(event)).data == b"a\n"
        s.kill()
        assert event.wait().state == "interrupted"


def threads_and_tasks_share_a_connection(place):
    with Served(place) as s, client_of(s, place) as ambit:
        with ambit.Client() as client:
            sessions = [client.new(workspace=s.tree) for _ in range(4)]
            results = [None] * 12

            def work(i):
                results[i] = sessions[i % 4].run(["echo", str(i)]).text

            threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert results == [f"{i}\n" for i in range(12)], results

        async def many():
            async with ambit.aio.Client() as client:
                async with await client.new(workspace=s.tree) as session:
                    done = await asyncio.gather(*[session.run(["echo", str(i)], background=True) for i in range(20)])
                    assert [r.text for r in done] == [f"{i}\n" for i in range(20)], done
                    async with await session.start(["sh", "-c", "cat; echo end"], input=True) as event:
                        await event.write(b"x" * 300000, end=True)
                        assert (await event.wait()).stdout == b"x" * 300000 + b"end\n"
                    task = asyncio.ensure_future(session.run(["sleep", "60"]))
                    await asyncio.sleep(0.5)
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
                    return [row["n"] async for row in session.events()]

        assert len(asyncio.run(asyncio.wait_for(many(), SLOW * 2 * PATIENCE))) == 22


def a_wheel_is_installed_without_a_network(place):
    """By pip, through the build backend, into an environment of its own; there the program is that of the wheel."""
    top = place.fresh()
    package, venv = os.path.join(top, "package"), os.path.join(top, "venv")
    shutil.copytree(place.given(1), package)
    offline = {**place.environment(), "AMBIT_BUILD": os.path.dirname(place.ambit), "HOME": top, "PIP_NO_INDEX": "1", "PIP_NO_CACHE_DIR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for words in ([PYTHON, "-m", "venv", venv], [f"{venv}/bin/pip", "install", "--no-deps", package]):
        done = subprocess.run(words, cwd=top, capture_output=True, text=True, env=offline, timeout=SLOW * 200, check=False)
        if done.returncode != 0 and "ensurepip" in done.stdout + done.stderr:
            raise Skip("there is no pip for an environment (python3-venv)")
        assert done.returncode == 0, told(done)
    with Served(place) as s:
        code = "import ambit\nwith ambit.Session() as x: print(x.run(['echo', 'carried']).text, ambit._place.program())"
        done = subprocess.run([f"{venv}/bin/python", "-c", code], cwd=s.tree, env={**s.environment, "PATH": "/nowhere"}, capture_output=True, text=True, timeout=SLOW * PATIENCE, check=False)
        assert done.returncode == 0, told(done)
        word, path = done.stdout.split()
        assert word == "carried" and path.startswith(f"{venv}/") and path.endswith("/ambit/_program/bin/ambit"), path
        done = subprocess.run([f"{venv}/bin/pip", "check"], cwd=top, capture_output=True, text=True, env=offline, timeout=SLOW * 60, check=False)
        assert done.returncode == 0, told(done)


@always
def sending_and_hearing_much_at_once_goes_on(place):
    """Who writes while much waits to be read does not wait for ever: the daemon reads nothing then."""
    with Served(place) as s, client_of(s, place) as ambit:
        with ambit.Session(workspace=s.tree) as session:
            event = session.start(["sh", "-c", "head -c 30000000 /dev/zero & cat > /dev/null; wait; echo taken >&2"], input=True)
            done = threading.Thread(target=lambda: [event.write(b"x" * (1 << 20)) for _ in range(6)] and event.end_input(), daemon=True)
            done.start()
            done.join(SLOW * PATIENCE)
            assert not done.is_alive(), "it waits for ever"
            errors = b"".join(chunk.data for chunk in event if chunk.stream == "stderr")
            assert errors == b"taken\n" and event.wait().state == "over", errors

        async def both():
            async with ambit.aio.Session(workspace=s.tree) as session:
                event = await session.start(["sh", "-c", "head -c 30000000 /dev/zero & cat > /dev/null; wait; echo taken >&2"], input=True)
                for _ in range(6):
                    await event.write(b"x" * (1 << 20))
                await event.end_input()
                return b"".join([chunk.data async for chunk in event if chunk.stream == "stderr"])

        assert asyncio.run(asyncio.wait_for(both(), SLOW * PATIENCE)) == b"taken\n"


def much_output_is_held_up_to_a_bound(place):
    """40 MB, whoever is slow to take it: each byte comes once, and little waits in memory."""
    size = 40 << 20
    with Served(place) as s, client_of(s, place) as ambit:
        with ambit.Session(workspace=s.tree) as session, session.start(["head", "-c", str(size), "/dev/zero"]) as event:
            taken, most = 0, 0
            for chunk in event:
                taken += len(chunk.data)
                most = max(most, event._connection.notes.held)
                if taken == len(chunk.data):
                    time.sleep(0.5)
            assert taken == size and most < 1 << 20, (taken, most)
            assert len(session.run(["head", "-c", str(size), "/dev/zero"]).stdout) == size

        async def slow():
            async with ambit.aio.Session(workspace=s.tree) as session:
                async with await session.start(["head", "-c", str(size), "/dev/zero"]) as event:
                    taken, most = 0, 0
                    async for chunk in event:
                        taken += len(chunk.data)
                        if taken == len(chunk.data):
                            await asyncio.sleep(0.5)
                        most = max(most, event._connection.notes.held)
                    return taken, most

        taken, most = asyncio.run(asyncio.wait_for(slow(), SLOW * 2 * PATIENCE))
        assert taken == size and most < 1 << 20, (taken, most)


def ended(session, n):
    """The row of an event, when it is over."""
    end = time.monotonic() + SLOW * PATIENCE
    while not (result := session.event(n).show()).over:
        assert time.monotonic() < end, result
        time.sleep(0.05)
    return result


@always
def who_is_interrupted_can_go_on(place):
    """Ctrl-C while something runs: what nobody would find is cancelled, what has a key goes on, and the client is as good as before."""
    with Served(place) as s, client_of(s, place) as ambit, ambit.Session(workspace=s.tree) as session:
        before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        try:
            for n, (key, more) in enumerate(((None, {}), ("mine", {}), (None, {"input": "x"}), (None, {"background": True})), 1):
                signal.setitimer(signal.ITIMER_REAL, 0.7)
                try:
                    session.run(["sh", "-c", "exec sleep 60" if key is None else "sleep 2; echo went on"], key=key, **more)
                except KeyboardInterrupt:
                    pass
                else:
                    raise AssertionError("not interrupted")
                result = ended(session, n)
                assert result.exit_status == (137 if key is None else 0), result.row
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert session.run(["sh", "-c", "sleep 2; echo went on"], key="mine").text == "went on\n"
        assert [row["n"] for row in session.events()] == [1, 2, 3, 4]


def a_task_that_is_cancelled_takes_its_event_along(place):
    with Served(place) as s, client_of(s, place) as ambit:
        async def cancelled():
            async with ambit.aio.Session(workspace=s.tree) as session:
                for key in (None, "mine"):
                    try:
                        await asyncio.wait_for(session.run(["sleep", "60" if key is None else "1"], key=key), 0.5)
                    except asyncio.TimeoutError:
                        pass
                    else:
                        raise AssertionError("not cancelled")
                found = [await (await session.event(n)).wait() for n in (1, 2)]
                event = await session.start(["sleep", "60"])
                await event.cancel()
                found.append(await event.wait())
                await event.cancel()  # once more is no mistake
                return [result.exit_status for result in found], (await session.run(["echo", "on"])).text

        assert asyncio.run(asyncio.wait_for(cancelled(), SLOW * PATIENCE)) == ([137, 0, 137], "on\n")


def many_at_once_run_at_once(place):
    """Twenty that all wait for the last of them."""
    with Served(place) as s, client_of(s, place) as ambit:
        async def many():
            async with ambit.aio.Session(workspace=s.tree, grants=["work ."], changes="direct") as session:
                code = "touch at.$1; until [ $(ls at.* | wc -l) -eq 20 ]; do sleep 0.05; done; echo $1"
                done = await asyncio.gather(*[session.run(["sh", "-c", code, "sh", str(i)], background=True, timeout=SLOW * PATIENCE) for i in range(20)])
                large = ["true", *["x" * 100000] * 4]  # more than a socket takes at once, of each
                assert all(result.ok for result in await asyncio.gather(*[session.run(large, background=True) for _ in range(4)]))
                return [result.text for result in done]

        assert asyncio.run(asyncio.wait_for(many(), SLOW * 2 * PATIENCE)) == [f"{i}\n" for i in range(20)]


def a_child_of_a_fork_has_its_own(place):
    """Made while another thread waits and so holds what there is to hold; both go on."""
    with Served(place) as s, client_of(s, place) as ambit, ambit.Session(workspace=s.tree) as session:
        event = session.start(["sh", "-c", "echo one; sleep 1.5; echo two"], background=True)
        chunks = iter(event)
        assert next(chunks).data == b"one\n"
        waits = threading.Thread(target=lambda: session.run(["sleep", "1"], background=True))
        waits.start()
        time.sleep(0.2)
        child = os.fork()
        if child == 0:
            signal.alarm(SLOW * PATIENCE)
            ok = False
            with contextlib.suppress(BaseException):
                ok = session.run(["echo", "child"]).text == "child\n" and next(chunks).data == b"two\n"
            os._exit(0 if ok else 1)
        assert session.run(["echo", "parent"]).text == "parent\n" and next(chunks).data == b"two\n"
        waits.join()
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0, "the child did not hear the same"


def until_over(watched):
    found = [next(watched)]
    while not found[-1].over:
        found.append(next(watched))
    return found


def each_state_is_told_once(place):
    """However often the list is asked for, and whatever comes late."""
    with Served(place) as s, client_of(s, place) as ambit:
        watched, told_of = ambit.aio._wire.Watched(1), []
        for n, state in ((1, "taken"), (2, "taken"), (1, "taken"), (1, "runs"), (2, "runs"), (1, "over"), (1, "runs"), (2, "runs"), (2, "interrupted"), (2, "over"), (1, "over"), (3, "over")):
            if watched.take("s", {"n": n, "event": "e", "state": state}) is not None:
                told_of.append((n, state))
        assert told_of == [(1, "taken"), (2, "taken"), (1, "runs"), (2, "runs"), (1, "over"), (2, "interrupted"), (3, "over")] and watched.first == 4, told_of
        assert not watched._states, "what is over is kept"


def what_was_taken_is_not_taken_again(place):
    """An event by its number, from a byte on; two clients of one event; lines; a terminal; what changes."""
    with Served(place) as s, client_of(s, place) as ambit, ambit.Session(workspace=s.tree, grants=[{"work": "."}]) as session:
        event = session.start(["sh", "-c", "echo one; echo err >&2; read x; printf 'two\\nthree'"], input=True, key="k")
        first = next(chunk for chunk in event if chunk.stream == "stdout")
        with ambit.Client() as other:
            again = other.open(session.id).event(1)
            assert again.id == event.id and again.show().state == "runs"
            again.write("\n", end=True)  # whoever knows it may write to it
            assert b"".join(c.data for c in again.output(stdout=len(first.data)) if c.stream == "stdout") == b"two\nthree"
            assert [(c.offset, c.data) for c in again.output() if c.stream == "stdout"][0][0] == 0
            assert [(c.offset, c.data) for c in other.open(session.id).event(1).lines() if c.stream == "stdout"] == [(0, b"one\n"), (4, b"two\n"), (8, b"three")]
            followed = other.open(session.id).follow(1, stdout=9, stderr=1).wait()
            assert (followed.stdout, followed.stderr) == (b"hree", b"rr\n"), followed
        rest = event.wait(check=True)
        assert rest.stdout == b"two\nthree" and rest.outcome["workspace"] == "untouched" and json.loads(event.record())["event"] == event.id
        try:
            session.start(["true"]).write("x")
        except ambit.Malformed as problem:
            assert problem.hint
        else:
            raise AssertionError("it took input")
        lines = session.start(["sh", "-c", "stty size; read x; stty size"], terminal=(10, 20))
        shown = lines.lines()
        assert next(shown).data == b"10 20\r\n"
        lines.resize(30, 40)
        lines.write("x\n")
        assert [c.data for c in shown][-1] == b"30 40\r\n"
        long = list(session.start(["head", "-c", "2500000", "/dev/zero"]).lines())
        assert [len(c.data) for c in long][-1] < 1 << 20 and sum(len(c.data) for c in long) == 2500000 and max(len(c.data) for c in long) < 2 << 20
        event = session.start(["sh", "-c", "read x"], input=True)
        watched = session.watch(first=event.n)
        assert (first := next(watched)).n == event.n and not first.over, first
        event.write("\n")
        told_of = until_over(watched)
        assert {r.n for r in told_of} == {event.n} and len(told_of) <= 2, told_of
        s.kill()
        last = session.run(["true"])
        told_of = until_over(watched)  # goes on with another daemon, and what was told is not told again
        watched.close()
        assert last.ok and {r.n for r in told_of} == {last.n}, told_of
        assert session.show()["session"] == session.id and pickle.loads(pickle.dumps(ambit.EventFailed(rest))).result == rest


def whoever_starts_the_daemon_is_not_its_parent(place):
    """Started by a program that is gone, it is there for the next, in a session of its own."""
    with Served(place) as s:
        code = "import ambit, os; print(ambit.Client().status()['pid'], os.getsid(0))"
        environment = {**s.environment, "PYTHONPATH": os.path.join(place.given(1), "src"), "AMBIT_PROGRAM": place.ambit}
        pids = [subprocess.run([PYTHON, "-B", "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=SLOW * PATIENCE).stdout.split() for _ in range(2)]
        daemon = int(pids[0][0])
        assert pids[0][0] == pids[1][0] and os.getsid(daemon) not in (os.getsid(0), int(pids[0][1]))
        for name in ("AMBIT_PROGRAM", "PATH"):  # the first that is named, else what there is; else it is said
            done = subprocess.run([PYTHON, "-B", "-c", "import ambit; ambit.Client().status()"], capture_output=True, text=True, check=False, timeout=SLOW * PATIENCE,
                                  env={**environment, "XDG_RUNTIME_DIR": place.fresh(), "AMBIT_PROGRAM": "/nowhere/ambit" if name == "AMBIT_PROGRAM" else "", "PATH": "/nowhere"})
            assert done.returncode == 1 and ("the daemon cannot be started" if name == "AMBIT_PROGRAM" else "there is no program") in done.stderr, told(done)


@always
def what_is_not_usual_is_a_field(place):
    """Flagged, and held; why stands in the record. The twin: what is usual, and a session where nobody compares."""
    with Served(place) as s, client_of(s, place) as ambit, ambit.Client() as client:
        session, plain = client.new(workspace=s.tree, policy={"version": 1, "profile": "ask", "agent": "field", "grants": [{"work": "."}]}), client.new(workspace=s.tree)
        said = [session.run(["sh", "-c", "true"]) for _ in range(6)]
        odd = session.run(["sh", "-c", "/usr/bin/env true; echo x > made"])
        assert not any(one.unusual or one.held for one in [*said, plain.run(["true"])]), said
        assert odd.unusual and odd.held and odd.exit_status == 123, odd
        usual = json.loads(session.record(odd.n))["usual"]
        assert usual["asks"] and usual["reasons"] and usual["p"] == 1, usual


@always
def labels_go_in_and_come_out(place):
    """Of a command, code, a kernel, what is followed and with asyncio; what nobody knows is not taken for none."""
    with Served(place) as s, client_of(s, place) as ambit, ambit.Client() as client:
        def fresh():
            return client.new(workspace=s.tree)

        plain = fresh()
        assert (plain.run(["true"]).labels, plain.python("1").labels) == ((), ())
        first = fresh()
        given = first.run(["echo", "one"], labels=["untrusted", "private"])
        assert given.labels == ("private", "untrusted"), given
        assert first.run(["true"]).labels == given.labels  # of its stream
        assert fresh().python("1", labels=given.labels).labels == given.labels
        with fresh().start(["cat"], labels=("mail",), input=True) as event:
            assert event.show().labels is None
            event.write(b"", end=True)
            assert event.wait().labels == ("mail",)
        session = fresh()
        with session.kernel("python", labels=["private"]) as kernel:
            assert kernel.run("1").value == 1
        assert ambit._wire.result_of(session.id, next(iter(session.events()))).labels == ("private",)

        async def again():
            async with ambit.aio.Session(workspace=s.tree) as other:
                found = [await other.run(["true"], labels=["private"]), await other.code("shell", "true", labels=["mail"])]
                async with await other.start(["true"], labels=[]) as event:
                    found.append(await event.wait())
                assert [one.labels for one in found] == [("private",), ("private", "mail"), ("private", "mail")], found

        asyncio.run(asyncio.wait_for(again(), SLOW * PATIENCE))
        s.kill()
        assert [row["labels"] for row in first.events()] == [["private", "untrusted"]] * 2
        for labels, says in ((["Private"], "not the name of a label"), (["none"], "not the name of a label"), ("private", "a list of names"), (None, "not known"), (["a,b"], "not the name"),
                             ([str(n) for n in range(9)], "8")):
            try:
                plain.run(["true"], labels=labels)
            except ambit.AmbitError as problem:
                assert says in str(problem), (labels, problem)
            else:
                raise AssertionError(f"{labels} were taken")


COUNTS = ["sh", "-c", "while :; do echo x; sleep 0.01; done"]


def written(event):
    return event.show().row["stdout_bytes"]


def stands(event):
    before = written(event)
    time.sleep(SLOW * 0.3)
    assert written(event) == before > 0, "it goes on"


def goes_on(served, *events):
    for event in events:
        before = written(event)
        served.until(lambda event=event, before=before: written(event) > before, "it goes on")


def what_is_frozen_stands_until_it_is_thawed_or_killed(place):
    """By a session, an event and a client, of both kinds."""
    with Served(place) as s, client_of(s, place) as ambit, ambit.Client() as client:
        Halted = ambit.Halted
        session, other = client.new(workspace=s.tree), client.new(workspace=s.tree)
        mine, beside, far = session.start(COUNTS), session.start(COUNTS, background=True), other.start(COUNTS)
        goes_on(s, mine, beside, far)

        def refused(where=session, why=None):
            try:
                where.run(["true"])
            except ambit.Frozen as problem:
                assert (problem.code, isinstance(problem, ambit.AmbitError)) == ("FROZEN", True) and (why is None or why in problem.why), problem
            else:
                raise AssertionError("it ran")

        assert session.freeze("have a look") == Halted(False, 2) and session.freeze() == Halted(True, 2)
        stands(mine)
        stands(beside)
        refused(why="have a look")
        goes_on(s, far)
        assert session.thaw() == Halted(True, 2) and session.thaw().before is False
        goes_on(s, mine, beside)
        assert mine.freeze(reason="one") == Halted(False, 1)
        stands(mine)
        goes_on(s, beside, far)
        assert mine.thaw() == Halted(True, 1)
        assert client.freeze_all(reason="night") == Halted(False, 3)
        for event in (mine, beside, far):
            stands(event)
        refused(other, "night")
        assert client.thaw_all() == Halted(True, 3)
        goes_on(s, mine, beside, far)

        async def in_tasks():
            async with ambit.aio.Client() as tasks:
                there = await tasks.open(session.id)
                assert await there.freeze() == Halted(False, 2) and await there.thaw() == Halted(True, 2)
                event = await there.event(mine.n)
                assert await event.freeze("x") == Halted(False, 1)
                stands(mine)
                assert await event.thaw() == Halted(True, 1) and await tasks.freeze_all("y") == Halted(False, 3) and await tasks.thaw_all() == Halted(True, 3)
                waits = await there.start(["true"])
                assert await there.kill(keep_frozen=True) == Halted(False, 2, 1)
                assert (await waits.wait()).exit_status != 0 and await there.thaw() == Halted(True, 0)
                waits.close()
                event.close()

        asyncio.run(asyncio.wait_for(in_tasks(), SLOW * PATIENCE))
        assert mine.wait().exit_status == beside.wait().exit_status == 137
        goes_on(s, far)
        assert session.run(["true"]).ok and session.kill() == Halted(False, 0)
        assert client.kill_all("enough", keep_frozen=True) == Halted(False, 1) and far.wait().exit_status == 137
        refused(why="enough")
        assert client.thaw_all() == Halted(True, 0) and session.run(["true"]).ok
        for event in (mine, beside, far):
            event.close()


def a_narrowed_connection_freezes_its_session_alone(place):
    with Served(place) as s, client_of(s, place) as ambit, ambit.Client() as client, ambit.Client() as narrowed:
        session, other = client.new(workspace=s.tree), client.new(workspace=s.tree)
        mine, far = session.start(COUNTS), other.start(COUNTS)
        goes_on(s, mine, far)
        own, theirs = narrowed.open(session.id), narrowed.open(other.id)
        narrowed._ask("session.narrow", session.id)
        for tried in (narrowed.freeze_all, narrowed.thaw_all, narrowed.kill_all, theirs.freeze, theirs.kill, theirs.thaw):
            try:
                tried()
            except (ambit.Denied, ambit.NotFound):
                continue
            raise AssertionError(f"it may: {tried}")
        goes_on(s, mine, far)
        assert own.freeze().events == 1
        stands(mine)
        goes_on(s, far)
        assert own.kill().events == 1 and mine.wait().exit_status == 137
        goes_on(s, far)
        mine.close()
        far.close()


SCENARIOS = [the_examples_of_its_readme_run, it_runs_with_other_pythons, its_types_hold, its_wheel_carries_the_program, a_wheel_is_installed_without_a_network,
             in_a_cell_it_starts_sub_agents, in_a_session_it_hands_sub_agents_over, output_and_input_are_whole, mistakes_are_exceptions, why_an_event_ended_is_told, labels_go_in_and_come_out, what_is_not_usual_is_a_field, what_is_frozen_stands_until_it_is_thawed_or_killed, a_narrowed_connection_freezes_its_session_alone, a_daemon_that_is_killed_is_found_again, threads_and_tasks_share_a_connection,
             sending_and_hearing_much_at_once_goes_on, much_output_is_held_up_to_a_bound, who_is_interrupted_can_go_on, a_task_that_is_cancelled_takes_its_event_along,
             many_at_once_run_at_once, a_child_of_a_fork_has_its_own, each_state_is_told_once, what_was_taken_is_not_taken_again, whoever_starts_the_daemon_is_not_its_parent]

if __name__ == "__main__":
    main(SCENARIOS)
