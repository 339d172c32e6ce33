#!/usr/bin/env python3
"""The Python client with a real daemon: its README's examples, its types, its wheel, and what it does when somebody dies or lies.

usage: python_client.py AMBIT PACKAGE    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
import zipfile

from harness import PATIENCE, SLOW, Skip, always, main, told, write
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


@always
def the_examples_of_its_readme_run(place):
    with open(os.path.join(place.given(1), "README.md"), encoding="utf-8") as file:
        examples = re.findall(r"```python\n(.*?)```", file.read(), re.S)
    assert len(examples) >= 5
    with Served(place) as s:
        for number, example in enumerate(examples):
            says = " ".join(re.findall(r"print\(.*  # (.*)$", example, re.M)).split()
            write(f"{s.home}/example.py", example)
            done = subprocess.run([PYTHON, "-B", f"{s.home}/example.py"], cwd=s.tree, capture_output=True, text=True, timeout=SLOW * PATIENCE, check=False,
                                  env={**s.environment, "PYTHONPATH": os.path.join(place.given(1), "src"), "AMBIT_PROGRAM": place.ambit})
            assert done.returncode == 0 and done.stdout.split() == says, f"example {number + 1} says {done.stdout.split()}, not {says}; {told(done)}"


def its_types_hold(place):
    if subprocess.run([PYTHON, "-m", "mypy", "--version"], capture_output=True, check=False).returncode != 0:
        raise Skip("mypy is not installed (python3-mypy)")
    done = subprocess.run([PYTHON, "-m", "mypy", "--strict", "--cache-dir", os.devnull, os.path.join(place.given(1), "src", "ambit")], capture_output=True, text=True, check=False,
                          timeout=SLOW * 120)
    assert done.returncode == 0, told(done)


def its_wheel_carries_the_program(place):
    """Built and installed without a network and without anything but Python, it runs with an empty PATH."""
    top = place.fresh()
    build = {**place.environment(), "AMBIT_BUILD": os.path.dirname(place.ambit)}
    done = subprocess.run([PYTHON, "-B", os.path.join(place.given(1), "backend.py"), top], capture_output=True, text=True, env=build, timeout=SLOW * 120, check=False)
    assert done.returncode == 0 and done.stdout.strip().endswith("_x86_64.whl") or "_aarch64.whl" in done.stdout, told(done)
    wheel = os.path.join(top, done.stdout.strip())
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
        assert session.run(["sleep", "60"], timeout=0.3).exit_status == 124
        assert client.status()["sessions_made"] >= 2 and session.id in [row["session"] for row in client.sessions()]


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


def who_lies_is_not_believed(place):
    """A server that is none: errors, and no waiting without end."""
    top = place.fresh()
    os.makedirs(f"{top}/ambit", mode=0o700)
    os.chmod(top, 0o700)
    lies = [b"", b"{\n", b"[]\n", b'{"jsonrpc":"2.0","id":1,"result":{}}\n' + b"x" * (17 << 20), b'{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"full"}}\n',
            b'"' + b"[" * 100000 + b"\n"]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{top}/ambit/rpc.sock")
        listener.listen(8)

        def lie():
            while True:
                try:
                    conn, _ = listener.accept()
                except OSError:
                    return
                with conn, contextlib.suppress(OSError):
                    conn.recv(1000)
                    conn.sendall(lies[0])

        threading.Thread(target=lie, daemon=True).start()
        served = type("Lying", (), {"environment": {**place.environment(), "XDG_RUNTIME_DIR": top, "AMBIT_LEDGER": ""}})
        with client_of(served, place) as ambit:
            while lies:
                begun = time.monotonic()
                try:
                    ambit.Client().status()
                except ambit.AmbitError:
                    pass
                else:
                    raise AssertionError(f"believed: {lies[0][:40]}")
                assert time.monotonic() - begun < SLOW * 20
                if len(lies) == 1:
                    break
                lies.pop(0)


SCENARIOS = [the_examples_of_its_readme_run, its_types_hold, its_wheel_carries_the_program, output_and_input_are_whole, mistakes_are_exceptions,
             a_daemon_that_is_killed_is_found_again, threads_and_tasks_share_a_connection, who_lies_is_not_believed]

if __name__ == "__main__":
    main(SCENARIOS)
