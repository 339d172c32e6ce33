#!/usr/bin/env python3
"""`ambit mcp` and `ambit guard` where clients connect to a Unix socket.

usage: mcp_socket.py AMBIT    (TAP on standard output; as root once more as an ordinary user)"""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import time

from guard import Person
from harness import PATIENCE, SLOW, main, room_of, rooted, told

WAIT = PATIENCE * SLOW
HELLO = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}


class Connected:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(WAIT)
        self.sock.connect(path)
        self.file = self.sock.makefile("rw")

    def ask(self, what):
        self.file.write(json.dumps(what) + "\n")
        self.file.flush()
        line = self.file.readline()
        return json.loads(line) if line else None

    def call(self, name, **arguments):
        return self.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}})["result"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()


@contextlib.contextmanager
def listening(p, *words):
    path = f"{p.home}/mcp.sock"
    process = subprocess.Popen([p.place.ambit, *words[:1], "--socket", path, *room_of(p.place), *words[1:]], env=p.env, cwd=p.top, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + WAIT
        while process.poll() is None and time.monotonic() < end:
            with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
                probe.connect(path)
                break
            time.sleep(0.02)
        yield process, path
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=WAIT)


def each_client_has_its_own(place):
    p = Person(place)
    with listening(p, "mcp", "--work", ".") as (process, path):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with Connected(path) as a, Connected(path) as b:
            for c in a, b:
                assert c.ask(HELLO)["result"]["serverInfo"]["name"] == "ambit"
            sessions = {c.call("session")["structuredContent"]["session"] for c in (a, b)}
            assert len(sessions) == 2, sessions
            assert a.call("write", path="x", text="1")["isError"] is False and b.call("read", path="x")["content"][0]["text"] == "1"
        with Connected(path) as c:  # and others come after them
            assert c.ask(HELLO)["id"] == 0
            process.send_signal(signal.SIGTERM)
            assert c.file.readline() == ""  # told to end: all of them
        assert process.wait(timeout=WAIT) == 0 and not os.path.exists(path)
    with listening(p, "guard", "--name", "bad", "--tool", "bad/*", "--read", p.top, "--", "/usr/bin/python3", f"{p.top}/guard_server.py") as (process, path):
        with Connected(path) as a, Connected(path) as b:
            for c in a, b:
                assert c.ask(HELLO)["result"]["serverInfo"]["name"] == "bad"
                assert c.call("echo", say="hi")["content"][0]["text"] == "hi"


def a_place_that_is_taken_is_left(place):
    p = Person(place)
    path = f"{p.home}/mcp.sock"

    def tried():
        return subprocess.run([place.ambit, "mcp", "--socket", path], env=p.env, cwd=p.top, capture_output=True, text=True, timeout=WAIT, stdin=subprocess.DEVNULL)

    with listening(p, "mcp") as (_, _):
        result = tried()
        assert result.returncode == 125 and "somebody listens at" in result.stderr, told(result)
    with open(path, "w", encoding="utf-8") as file:
        file.write("a file")
    result = tried()
    assert result.returncode == 125 and "is no socket of yours" in result.stderr and open(path, encoding="utf-8").read() == "a file", told(result)
    os.unlink(path)
    left = socket.socket(socket.AF_UNIX)
    left.bind(path)
    left.close()  # as who was killed leaves it
    with listening(p, "mcp") as (_, _), Connected(path) as c:
        assert c.ask(HELLO)["id"] == 0
    result = subprocess.run([place.ambit, "mcp", "--socket", "x" * 200], env=p.env, cwd=p.top, capture_output=True, text=True, timeout=WAIT, stdin=subprocess.DEVNULL)
    assert result.returncode != 0 and "shorter path" in result.stderr, told(result)


def so_many_at_once(place):
    p = Person(place)
    with listening(p, "mcp") as (_, path), contextlib.ExitStack() as all_of_them:
        time.sleep(0.5 * SLOW)  # whoever only looked whether it listens has gone
        clients = [all_of_them.enter_context(Connected(path)) for _ in range(16)]
        assert all(c.ask(HELLO)["id"] == 0 for c in clients)
        with Connected(path) as more, contextlib.suppress(ConnectionResetError, BrokenPipeError):
            assert more.ask(HELLO) is None  # there is no place, and it is told by the end
        clients[0].sock.shutdown(socket.SHUT_RDWR)
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            with Connected(path) as again, contextlib.suppress(ConnectionResetError, BrokenPipeError):
                if again.ask(HELLO) is not None:
                    break
            time.sleep(0.05)
        else:
            raise AssertionError("a place that is free again is given to nobody")


@rooted
def another_user_is_not_let_in(place):
    """Nor where the file's mode lets them: who connects is known by the kernel."""
    p = Person(place)
    with listening(p, "mcp") as (_, path):
        at = path
        while at != "/":
            at = os.path.dirname(at)
            if at.startswith(os.path.dirname(place.home)) or "ambit-test" in at:
                os.chmod(at, os.stat(at).st_mode | 0o011)
        os.chmod(path, 0o666)
        script = f"import socket, sys; s = socket.socket(socket.AF_UNIX); s.settimeout({WAIT}); s.connect({path!r}); s.sendall({json.dumps(HELLO)!r}.encode() + b'\\n'); print(len(s.recv(100)))"
        tried = lambda uid: subprocess.run(["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "/usr/bin/python3", "-c", script], capture_output=True, text=True, timeout=WAIT)
        assert tried(0).stdout.strip() == "100", told(tried(0))  # the twin
        result = tried(65533)
        assert result.stdout.strip() in ("0", "") and "Permission" not in result.stderr, told(result)


if __name__ == "__main__":
    main([each_client_has_its_own, a_place_that_is_taken_is_left, so_many_at_once, another_user_is_not_let_in])
