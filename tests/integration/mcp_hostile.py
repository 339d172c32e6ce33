#!/usr/bin/env python3
"""`ambit mcp` with a client that does harm: what is no request, floods, and every way to go in the middle of something.

usage: mcp_hostile.py AMBIT    (TAP on standard output; as root everything runs a second time as an ordinary user)
"""

import contextlib
import json
import os
import select
import signal
import socket
import time

from harness import PATIENCE, SLOW, main, sanitized
from mcp_client import LEGACY, META, MODERN, Client, among, data_of, equal, roles_of, serving, text_of
from sessions import Served, processes_in, state_of

HEAD = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
LINE_MAX = 4 << 20


def said(**members):
    return {key: value for key, value in {**HEAD, "params": {"_meta": META}, **members}.items() if value is not None}


# name, line, code, id of the answer, its place or None
NO_REQUESTS = [
    ("no JSON", "{", -32700, None, None), ("a word", "true", -32700, None, None), ("a number", "1", -32700, None, None), ("a text", '"tools/list"', -32700, None, None),
    ("NUL in a text", '{"jsonrpc":"2.0","id":1,"method":"a\\u0000"}', -32700, None, None), ("a raw NUL", b'{"jsonrpc":"2.0","id":1,"method":"ping"\0}\n', -32700, None, None),
    ("a byte that is no text", b'{"jsonrpc":"2.0","id":1,"method":"\xff"}\n', -32700, None, None),
    ("half a surrogate", '{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', -32700, None, None), ("an overlong form", b'{"jsonrpc":"2.0","id":1,"method":"\xc0\xaf"}\n', -32700, None, None),
    ("a control byte in a text", b'{"jsonrpc":"2.0","id":1,"method":"a\tb"}\n', -32700, None, None),
    ("a member twice", '{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}', -32700, None, None),
    ("a member twice, below", '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"a":1,"a":1}}', -32700, None, None),
    ("two on a line", json.dumps(HEAD) + " " + json.dumps(HEAD), -32700, None, None), ("something behind it", json.dumps(HEAD) + "x", -32700, None, None),
    ("a mark of the byte order", b"\xef\xbb\xbf" + json.dumps(HEAD).encode() + b"\n", -32700, None, None), ("no number", '{"jsonrpc":"2.0","id":NaN,"method":"a"}', -32700, None, None),
    ("a comment", '{"jsonrpc":"2.0",/**/"id":1,"method":"a"}', -32700, None, None), ("a comma too many", '{"jsonrpc":"2.0","id":1,"method":"a",}', -32700, None, None),
    ("too deep", '{"jsonrpc":"2.0","id":1,"method":"a","params":' + '{"a":' * 17 + "1" + "}" * 17 + "}", -32600, None, "byte"),
    ("very deep", "[" * 200000, -32600, None, "byte"), ("many values", "[" + "0," * 30000 + "0]", -32600, None, "byte"),
    ("a batch", json.dumps([HEAD]), -32600, None, None), ("an empty batch", "[]", -32600, None, None), ("a batch of batches", "[[]]", -32600, None, None),
    ("nothing in it", "{}", -32600, None, None), ("another version", said(jsonrpc="1.0"), -32600, 1, "/jsonrpc"), ("a version that is a number", said(jsonrpc=2.0), -32600, 1, "/jsonrpc"),
    ("no version", {"id": 1, "method": "tools/list"}, -32600, 1, "/jsonrpc"), ("no method", {"jsonrpc": "2.0", "id": 1}, -32600, 1, "/method"),
    ("a method that is a number", said(method=3), -32600, 1, "/method"), ("a method that is a list", said(method=["tools/list"]), -32600, 1, "/method"),
    ("null as id", {**HEAD, "id": None}, -32600, None, "/id"), ("a fraction as id", said(id=1.5), -32600, None, "/id"), ("an object as id", said(id={}), -32600, None, "/id"),
    ("a list as id", said(id=[1]), -32600, None, "/id"), ("true as id", said(id=True), -32600, None, "/id"), ("a long id", said(id="x" * 158), -32600, None, "/id"),
    ("one member more", said(more=1), -32600, 1, None), ("a request with a result in it", said(result={}), -32600, 1, None), ("a request with an error in it", said(error={}), -32600, 1, None),
    ("parameters in a list", said(params=[1]), -32600, 1, "/params"), ("parameters that are a text", said(params="x"), -32600, 1, "/params"),
    ("parameters that are null", {**HEAD, "params": None}, -32600, 1, "/params"), ("_meta that is a list", said(params={"_meta": []}), -32600, 1, "/params/_meta"),
    ("no such method", said(method="tools/lists"), -32601, 1, None), ("a method of another size", said(method="Tools/List"), -32601, 1, None), ("a method without a name", said(method=""), -32601, 1, None),
    ("a method of somebody else", said(method="rpc.discover"), -32601, 1, None), ("a long method", said(method="x" * 100000), -32601, 1, None),
    ("a call of nothing", said(method="tools/call"), -32602, 1, "/params/name"), ("a call of a number", said(method="tools/call", params={"_meta": META, "name": 7}), -32602, 1, "/params/name"),
    ("arguments in a list", said(method="tools/call", params={"_meta": META, "name": "run", "arguments": ["true"]}), -32602, 1, "/params/arguments"),
    ("arguments that are null", said(method="tools/call", params={"_meta": META, "name": "run", "arguments": None}), -32602, 1, "/params/arguments"),
    ("a parameter more", said(method="tools/call", params={"_meta": META, "name": "run", "argv": ["true"]}), -32602, 1, "/params/argv"),
    ("a task", said(method="tools/call", params={"_meta": META, "name": "run", "task": {}}), -32602, 1, "/params/task"),
    ("no such tool", said(method="tools/call", params={"_meta": META, "name": "rum"}), -32602, 1, "/params/name"),
    ("a tool that is not granted", said(method="tools/call", params={"_meta": META, "name": "write"}), -32602, 1, "/params/name"),
    ("a long tool", said(method="tools/call", params={"_meta": META, "name": "x" * 100000}), -32602, 1, "/params/name"),
]


def what_is_no_request_is_told_so_and_the_client_is_heard_on(place):
    with serving(place) as (_, c):
        for name, line, code, request, where in NO_REQUESTS:
            c.say(line)
            got = c.hear()
            equal((name, got["error"]["code"], got["id"]), (name, code, request))
            assert got["jsonrpc"] == "2.0" and "result" not in got and got["error"]["message"], (name, got)
            if where is not None:
                assert got["error"]["data"]["place"].startswith(where), (name, got)
        among("run", c.refusal("tools/call", name="rum")["data"]["hint"])
        for blank in ("", "   ", "\t", "\r"):
            c.say(blank)
        c.say(json.dumps(said(id="x" * 157)) + "\r")
        equal(c.answer("x" * 157)["id"], "x" * 157)
        for request in (0, -1, 2 ** 63 - 1, -2 ** 63, "", " ", "ä\"\\", "1"):
            c.say(said(id=request))
            equal(c.answer(request)["id"], request)
        c.say('{"jsonrpc":"2.0",\n"id":1,"method":"ping"}')  # a line that is broken is two that are none
        equal([c.hear()["error"]["code"] for _ in range(2)], [-32700, -32700])
        assert c.is_silent()


def notes_are_never_answered(place):
    with serving(place) as (_, c):
        for note in ({"method": "tools/list"}, {"method": "nonsense"}, {"method": "tools/call", "params": {"name": "run", "arguments": {"argv": ["true"]}}}, {"method": "tools/call", "params": []},
                     {"method": "notifications/cancelled", "params": 7}, {"method": "notifications/roots/list_changed"}, {"method": 7}, {"method": "initialize", "params": {}, "more": 1}):
            c.say({"jsonrpc": "2.0", **note})
        c.say({"method": "x"})
        assert c.is_silent(), c.hear()
        assert c.result("tools/list")["tools"]


def a_line_is_as_long_as_it_may_be(place):
    with serving(place) as (_, c):
        line = json.dumps({**HEAD, "id": "long", "params": {"_meta": META}})
        c.say(line + " " * (LINE_MAX - len(line)))
        assert c.answer("long")["result"]["tools"]
        c.say(line + " " * (LINE_MAX + 1 - len(line)))
        got = c.hear()
        equal((got["id"], got["error"]["code"], got["error"]["data"]["code"], got["error"]["data"]["place"]), (None, -32600, "LIMIT", f"byte {LINE_MAX}"))
        for _ in range(5):
            c.say(b"x" * (1 << 20))
        c.say(b"\n")
        equal(c.hear()["error"]["data"]["code"], "LIMIT")
        c.say({**HEAD, "id": "text", "method": "tools/call", "params": {"_meta": META, "name": "run", "arguments": {"argv": ["true"], "input": "\x01" * 650000}}})
        assert c.answer("text")["result"]["isError"] is False
        got = c.bad("run", argv=["true"], input="x" * (1 << 20) + "y")
        among("more than 1048576 bytes", text_of(got))
        among("/arguments/input", text_of(got))


def the_last_line_needs_no_end(place):
    with serving(place) as (_, c):
        c.say(json.dumps({**HEAD, "params": {"_meta": META}}).encode())
        c.process.stdin.close()
        assert c.answer(1)["result"]["tools"]
        equal((c.hear(), c.process.wait(SLOW * PATIENCE)), (None, 0))


def answers_to_nothing_are_passed_over_until_there_are_too_many(place):
    with serving(place) as (_, c):
        for i in range(63):
            c.say({"jsonrpc": "2.0", "id": i, **({"result": {}} if i % 2 else {"error": {"code": 1, "message": "x"}})})
        assert c.result("tools/list")["tools"] and c.is_silent()
        c.say({"jsonrpc": "2.0", "id": "ambit-1", "result": {"action": "accept"}})
        equal((c.hear(), c.process.wait(SLOW * PATIENCE)), (None, 0))


def a_revision_is_kept_to(place):
    with serving(place) as (_, c):
        c.result("tools/list")
        c.legacy = True
        error = c.refusal("initialize", protocolVersion=LEGACY, capabilities={}, clientInfo={})
        equal((error["code"], error["data"]["supported"]), (-32022, [MODERN]))
        equal(c.refusal("tools/list")["code"], -32602)
    with serving(place, legacy=True) as (_, c):
        c.legacy = False
        assert "resultType" not in c.result("tools/list")


# ---- too much ----


def memory_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def processor_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def inodes(pid):
    found = set()
    with contextlib.suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                found.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
    return found


def role_of(client):
    """The process that reads what the client says: the one of that name which has what the server's `ambit` has as standard input. Others run meanwhile."""
    said = os.readlink(f"/proc/{client.process.pid}/fd/0")
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii", errors="replace") as file:
            if file.read().strip() == "ambit-mcp" and said in inodes(pid):
                found.append(int(pid))
    assert len(found) == 1, found
    return found[0]


def who_asks_and_does_not_read_is_not_heard_on(place):
    with serving(place) as (s, c):
        c.result("tools/list")
        role = role_of(c)
        flood = (json.dumps({**HEAD, "params": {"_meta": META}}) + "\n").encode() * 200
        fd, sent = c.process.stdin.fileno(), 0
        os.set_blocking(fd, False)
        while select.select([], [fd], [], SLOW * 0.5)[1] and sent < (64 << 20):
            with contextlib.suppress(BlockingIOError):
                sent += os.write(fd, flood[sent % (len(flood) // 200):][:65536])
        assert sent < (8 << 20), f"{sent} bytes were taken"
        assert memory_kb(role) < 32 << 10 or sanitized(place.ambit), memory_kb(role)
        before = processor_s(role)
        time.sleep(0.5)
        assert processor_s(role) - before < 0.2, "it turns and turns"
        os.set_blocking(fd, True)
        c.process.stdin.close()
        n = 0
        while (line := c.hear()) is not None:
            n += "result" in line
        assert n >= sent // len(flood) * 200 > 0, (n, sent)
        equal(c.process.wait(SLOW * PATIENCE), 0)


def more_than_thirty_two_at_once_are_refused(place):
    with serving(place, "--work", ".") as (_, c):
        c.good("session")
        for i in range(40):
            c.begin("run", f"c{i}", argv=["sh", "-c", f"{'' if i else 'sleep 1; '}echo {i}"])
        refused = [c.hear() for _ in range(8)]
        equal({line["id"] for line in refused}, {f"c{i}" for i in range(32, 40)})
        for line in refused:
            equal((line["error"]["code"], line["error"]["data"]["code"]), (-32603, "LIMIT"))
        for i in range(32):
            equal(data_of(c.ended(f"c{i}"))["stdout"], f"{i}\n")
        equal(data_of(c.good("run", argv=["echo", "on"]))["stdout"], "on\n")


def what_a_program_says_cannot_break_the_line(place):
    """Whatever bytes it writes: what the client hears are lines of JSON, one for each answer."""
    with serving(place, "--work", ".") as (_, c):
        for code in (r"import sys; sys.stdout.buffer.write(bytes(range(256)) * 4000)", r"import sys; sys.stderr.buffer.write(b'\n{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}\n' * 100)",
                     r"import sys; sys.stdout.buffer.write(b'\x00' * 300000)", r"import sys; sys.stdout.buffer.write(b'\xf0\x9f\x92' * 100000)", r"'\x01\n\u2028' * 300000", r"'\ud800'", r"float('nan')", r"[1e308 * 10]",
                     r"[0.1] * 100000", r"{str(i): [i] for i in range(40000)}", r"raise Exception('\x1b[31m' * 100000)",
                     r"display(type('html', (), {'_repr_html_': lambda self: '\x00\"\\' * 100000})())"):
            request = c.begin("python", code=code)
            assert c.answer(request)["result"]["content"], code
        equal((c.others, c.notes), ({}, []))
        assert c.is_silent()


# ---- who goes ----


def gone(served, client, session, what):
    """Nothing of it is left: no process but the daemon's, no event that runs, and the session has ended."""
    served.until(lambda: client.process.poll() is not None, f"{what}: it ends")
    served.until(lambda: not any(row["state"] == "runs" for row in served.events(session)), f"{what}: its event ends")
    served.until(lambda: [row["state"] for row in json.loads(served.ambit("session", "list", "--json").stdout)["sessions"] if row["session"] == session] == ["ended"],
                 f"{what}: its session ends")
    served.until(lambda: set(roles_of(served)) <= {"ambit-serve", "ambit-session"}, f"{what}: its processes go")


def busy(client, served, seconds=300):
    """One call runs, and has written something."""
    session = data_of(client.good("session"))["session"]
    client.begin("run", "busy", argv=["sh", "-c", f"echo a > made; sleep {seconds}"], timeout=seconds)
    served.until(lambda: any(row["state"] == "runs" for row in served.events(session)), "it runs")
    return session


def whoever_goes_ends_it_clearly(place):
    """Each row is a way to go in the middle of a call."""
    with Served(place) as s:
        ways = {
            "the client closes both": lambda c, role: (c.process.stdin.close(), c.process.stdout.close()),
            "SIGTERM": lambda c, role: c.process.send_signal(signal.SIGTERM),
            "SIGINT": lambda c, role: c.process.send_signal(signal.SIGINT),
            "SIGHUP": lambda c, role: c.process.send_signal(signal.SIGHUP),
            "SIGKILL": lambda c, role: c.process.kill(),
            "the role is killed": lambda c, role: os.kill(role, signal.SIGKILL),
        }
        for what, way in ways.items():
            with Client(s, "--work", ".") as c:
                session = busy(c, s)
                begun = time.monotonic()
                try:
                    way(c, role_of(c))
                except PermissionError:
                    continue  # the role is another user's
                gone(s, c, session, what)
                killed = {"SIGKILL": -9, "the role is killed": 125}.get(what, 0)
                equal((what, c.process.returncode, "not by its client" in c.process.stderr.read().decode()), (what, killed, killed == 125))
                assert time.monotonic() - begun < 20 * SLOW, what
                assert not os.path.exists(os.path.join(s.tree, "made")), what


def a_session_that_was_ended_is_told_of(place):
    with serving(place, "--work", ".") as (s, c):
        session = busy(c, s)
        assert s.ambit("session", "end", session).returncode == 0
        got = c.ended("busy")
        equal((got["isError"], os.listdir(s.tree)), (True, []))
        c.bad("run", argv=["true"])
        equal(c.close(), 0)


def the_daemon_is_killed_and_the_client_hears_the_end(place):
    with serving(place, "--work", ".") as (s, c):
        busy(c, s)
        s.kill()
        with contextlib.suppress(TimeoutError, AssertionError):
            while c.hear() is not None:
                pass
        s.until(lambda: c.process.poll() is not None, "it ends")
        equal(c.process.returncode, 125)
        among("not by its client", c.process.stderr.read().decode())


def who_says_no_more_is_told_what_was_asked(place):
    """As `printf ... | ambit mcp`: what was asked for is answered, and then it ends, the session with it."""
    with serving(place, "--work", ".") as (s, c):
        session = data_of(c.good("session"))["session"]
        c.begin("run", "one", argv=["sh", "-c", "sleep 0.3; echo a > made"])
        c.process.stdin.close()
        assert c.ended("one")["isError"] is False
        equal((c.hear(), c.process.wait(SLOW * PATIENCE)), (None, 0))
        assert os.path.exists(os.path.join(s.tree, "made"))
        gone(s, c, session, "it")


def a_client_behind_a_socket_goes(place):
    """As programs of libuv start servers: standard input and output are sockets, and their end is another event."""
    with Served(place) as s:
        (ours_in, in_), (ours_out, out) = socket.socketpair(), socket.socketpair()
        with Client(s, "--work", ".", stdin=in_.fileno(), stdout=out.fileno()) as c:
            in_.close()
            out.close()
            c.process.stdin, c.process.stdout = ours_in.makefile("wb"), ours_out.makefile("rb", buffering=0)
            session = busy(c, s, 20)
            role = role_of(c)
            c.process.stdin.close()
            ours_in.close()
            c.process.stdout.close()
            ours_out.close()
            before = time.monotonic()
            s.until(lambda: c.process.poll() is not None, "it ends")
            assert time.monotonic() - before < 10 * SLOW, "it waited for the event"
            assert state_of(role) == "Z"
            gone(s, c, session, "a socket")


def descriptors_do_not_stay(place):
    with serving(place, "--work", ".") as (s, c):
        c.good("run", argv=["true"], input="x")
        pids = [c.process.pid, role_of(c)]

        def count():
            return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]
        try:
            count()
        except PermissionError:  # of another user's process
            pids = pids[:1]
        c.bad("run", argv=["sh", "-c", "echo x > made; exit 1"])
        before = count()
        for i in range(20):
            c.good("run", argv=["cat"], input="x")
            c.call("python", code="1/0")
            c.ask("resources/read", uri="ambit://event/1/stdout")
            c.ask("resources/read", uri="ambit://event/999/record")
            c.good("diff", n=2)
            c.begin("run", f"c{i}", argv=["sleep", "9"])
            c.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": f"c{i}"}})
        c.good("run", argv=["true"])
        equal(count(), before)


def a_server_that_nobody_asks_makes_nothing(place):
    with Served(place) as s:
        for legacy in (False, True):
            with Client(s, "--work", ".", legacy=legacy) as c:
                assert c.tools()
                equal(c.close(), 0)
        equal(processes_in(s.run_dir), [])
        equal(os.listdir(s.run_dir), [])
        with Client(s, "--work", ".") as c:  # the twin
            c.good("session")
            assert os.listdir(s.run_dir)


SCENARIOS = [what_is_no_request_is_told_so_and_the_client_is_heard_on, notes_are_never_answered, a_line_is_as_long_as_it_may_be, the_last_line_needs_no_end,
             answers_to_nothing_are_passed_over_until_there_are_too_many, a_revision_is_kept_to, who_asks_and_does_not_read_is_not_heard_on,
             more_than_thirty_two_at_once_are_refused, what_a_program_says_cannot_break_the_line, whoever_goes_ends_it_clearly,
             a_session_that_was_ended_is_told_of, the_daemon_is_killed_and_the_client_hears_the_end, who_says_no_more_is_told_what_was_asked,
             a_client_behind_a_socket_goes, descriptors_do_not_stay, a_server_that_nobody_asks_makes_nothing]

if __name__ == "__main__":
    main(SCENARIOS)
