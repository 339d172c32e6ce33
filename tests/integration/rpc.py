#!/usr/bin/env python3
"""ambit-rpc between a client and a daemon that are played: rpc.py RPC. Speaks TAP. AMBIT_TEST_ONLY picks scenarios by a word.

The protocol is doc/PROTOCOL.md; what the role tells the others is src/session/link.h."""

import base64
import json
import os
import socket
import struct
import sys
import time

from harness import sanitized
from rpc_world import EVENT, OTHER, PATIENCE, SESSION, World, error, event_row, parse_run, session_row, spool, text

RPC = sys.argv[1]
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT_MOST = 12 << 20  # bytes that may be on their way to a client who does not read, with what the sockets hold


def equal(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


class Case(World):
    def __init__(self, **more):
        super().__init__(RPC, TOP, **more)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        status = self.end()
        if kind is None:
            equal(status, 0)

    def memory_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def holds_less_than(self, most_kb):
        """A sanitizer's memory is another one."""
        assert self.memory_kb() < most_kb or sanitized(RPC), f"{self.memory_kb()} KB are held"

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def processor_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def run(self, channel, n=1, request=7, replayed=0, method="event.run", **params):
        """The request, taken. What was to be run."""
        self.ask(method, {name: value for name, value in {"session": SESSION, "argv": ["true"], **params}.items() if value is not None}, request)
        bytes_ = b""
        while True:
            name, body = channel.receive()
            if name != "SESSION_PART":
                break
            bytes_ += body
        equal(name, "SESSION_RUN")
        channel.send("SESSION_TAKEN", struct.pack("<IIQ", struct.unpack_from("<I", body)[0], replayed, n) + text(EVENT, 32))
        return parse_run(bytes_)

    def files(self, channel, out=b"", err=b"", with_input=None):
        """Answers SESSION_FOLLOW. The spools, and whether the input was asked for."""
        request, a, _b, n = struct.unpack("<IIIQ", channel.expect("SESSION_FOLLOW"))
        spools = [spool(out), spool(err)]
        channel.send("SESSION_FILES", struct.pack("<IQ", request, n), spools + ([with_input] if with_input is not None and a == 1 else []))
        return spools, a


def met():
    case = Case()
    case.meet()
    return case


# ---- the envelope ----

def hello_comes_first():
    with Case() as c:
        c.ask("daemon.status")
        equal((c.failure()["code"], c.daemon.is_quiet()), (-32008, True))
        equal(c.meet(), {"protocol": 1, "version": "0.1.0", "pid": 4242})
        c.ask("hello", {"protocol": 0})
        equal(c.failure()["code"], -32602)
        c.ask("hello", {"protocol": 7})
        equal(c.result()["protocol"], 1)


def nothing_is_answered_before_the_daemon_spoke():
    with Case(greet=False) as c:
        c.ask("hello", {"protocol": 1}, 0)
        assert c.is_silent(), "it answered"
        c.daemon.send("SERVE_HELLO", struct.pack("<IIQQ", 8, 7, 8, 9) + text("9", 32))
        equal(c.result(0)["pid"], 7)


def another_revision_of_the_daemon_is_no_daemon():
    with Case(greet=False) as c:
        c.daemon.send("SERVE_HELLO", struct.pack("<IIQQ", 9, 7, 8, 9) + text("9", 32))
        equal(c.note("daemon.lost")["error"]["code"], "GONE")
        equal(c.hear(), None)


NO_REQUESTS = [
    ("no JSON", "{", -32700, None), ("nothing but a word", "true", -32700, None), ("NUL", '{"jsonrpc":"2.0","id":1,"method":"a\\u0000"}', -32700, None),
    ("a byte that is no text", b'{"jsonrpc":"2.0","id":1,"method":"\xff"}\n', -32700, None), ("a raw NUL", b'{"id":\0}\n', -32700, None),
    ("twice the same", '{"jsonrpc":"2.0","id":1,"id":2,"method":"hello"}', -32700, None), ("two on a line", '{"id":1} {"id":2}', -32700, None),
    ("too deep", '{"id":1,"params":' + "[" * 17 + "]" * 17 + "}", -32005, None), ("very deep", "[" * 200000, -32005, None),
    ("many values", "[" + "0," * 30000 + "0]", -32005, None),
    ("a batch", '[{"jsonrpc":"2.0","id":1,"method":"hello"}]', -32600, None), ("an empty batch", "[]", -32600, None),
    ("nothing in it", "{}", -32600, None), ("another version", '{"jsonrpc":"1.0","id":1,"method":"hello"}', -32600, 1),
    ("no method", '{"jsonrpc":"2.0","id":1}', -32600, 1), ("a method that is a number", '{"jsonrpc":"2.0","id":1,"method":3}', -32600, 1),
    ("a fraction as id", '{"jsonrpc":"2.0","id":1.5,"method":"hello"}', -32600, None), ("null as id", '{"jsonrpc":"2.0","id":null,"method":"hello"}', -32600, None),
    ("a long id", json.dumps({"jsonrpc": "2.0", "id": "x" * 158, "method": "hello"}), -32600, None),
    ("one more member", '{"jsonrpc":"2.0","id":1,"method":"hello","more":1}', -32600, 1),
    ("parameters in a list", '{"jsonrpc":"2.0","id":1,"method":"hello","params":[1]}', -32600, 1),
    ("no such method", '{"jsonrpc":"2.0","id":1,"method":"helo"}', -32601, 1),
]


def what_is_no_request_is_told_so_and_the_connection_goes_on():
    with met() as c:
        for name, line, code, request in NO_REQUESTS:
            c.say(line)
            got = c.hear()
            equal((name, got["error"]["code"], got["id"]), (name, code, request))
            for key in ("code", "hint", "why"):
                assert key in got["error"]["data"], (name, got)
        c.ask("hello", {"protocol": 1}, "x" * 157)
        equal(c.result("x" * 157)["protocol"], 1)
        assert c.daemon.is_quiet(0), "something went to the daemon"


BAD_PARAMS = [
    ("hello", {}, -32602, "/params/protocol"), ("hello", {"protocol": "1"}, -32602, "/params/protocol"), ("hello", {"protocol": -1}, -32602, "/params/protocol"),
    ("hello", {"protocol": 1.0}, -32602, "/params/protocol"), ("hello", {"protocol": 1, "prtocol": 1}, -32602, "/params/prtocol"),
    ("session.open", {"session": "s_1"}, -32602, "/params/session"), ("session.open", {"session": SESSION.lower()}, -32602, "/params/session"),
    ("session.new", {"workspace": "w"}, -32602, "/params/workspace"), ("session.new", {"workspace": "/w", "grants": ["read"]}, -32602, "/params/grants/0"),
    ("session.new", {"workspace": "/w", "grants": ["work .", "reed /x"]}, -32602, "/params/grants/1"),
    ("session.new", {"workspace": "/w", "grants": ["tool a/b"]}, -32602, "/params/grants/0"),
    ("session.new", {"workspace": "/w", "policy": "version: 1\ngrants:\n - raed: /x\n"}, -32602, "session.new:3:4"),
    ("session.new", {"workspace": "/w", "policy": 5}, -32602, "/params/policy"), ("session.new", {"workspace": "/w", "presets": ["pyton"]}, -32602, "/params/presets/0"),
    ("session.new", {"workspace": "/w", "limits": {"wal": "1s"}}, -32602, "/params/limits/wal"), ("session.new", {"workspace": "/w", "limits": {"wall": 1}}, -32602, "/params/limits/wall"),
    ("session.new", {"workspace": "/w", "changes": "keep"}, -32602, "/params/changes"), ("session.new", {"workspace": "/w", "env": {"A=B": "c"}}, -32602, "/params/env/A=B"),
    ("session.new", {"workspace": "/w", "env": {"A": {"b64": "AA=="}}}, -32602, "/params/env/A"), ("session.new", {"workspace": "/w", "env": {"A": {"b64": "A"}}}, -32602, "/params/env/A"),
    ("session.new", {"workspace": "/w", "env": {"A": {"b64": "AQ==", "c": 1}}}, -32602, "/params/env/A"), ("session.new", {"workspace": "/w", "keep_time": "1"}, -32602, "/params/keep_time"),
    ("session.new", {"workspace": "/w", "key": "k" * 129}, -32005, "/params/key"), ("session.new", {"workspace": "/" + "w" * 4095}, -32005, "/params/workspace"),
    ("session.new", {"workspace": "/w", "grants": ["work ."] * 513}, -32005, "/params/grants"), ("session.new", {"workspace": "/w", "agent": "a b"}, -32602, None),
    ("event.run", {"session": SESSION, "argv": []}, -32602, "/params/argv"), ("event.run", {"session": SESSION, "argv": "ls"}, -32602, "/params/argv"),
    ("event.run", {"session": SESSION, "argv": ["a", 1]}, -32602, "/params/argv/1"), ("event.run", {"session": SESSION, "argv": ["a"] * 4097}, -32005, "/params/argv"),
    ("event.run", {"session": SESSION, "argv": ["x" * 1000000] * 3}, -32005, None),
    ("event.signal", {"session": SESSION, "n": 1, "signal": "SIGTERM"}, -32602, "/params/signal"), ("event.signal", {"session": SESSION, "n": 1, "signal": 65}, -32602, "/params/signal"),
    ("event.list", {"session": SESSION, "limit": 257}, -32005, "/params/limit"), ("event.list", {"session": SESSION, "from": 0}, -32602, None),
    ("event.read", {"session": SESSION, "n": 1, "stream": "out"}, -32602, "/params/stream"), ("event.show", {"session": SESSION, "n": 2 ** 53}, -32005, "/params/n"), ("event.show", {"session": SESSION, "n": 0}, -32602, "/params/n"),
    ("event.show", {"session": OTHER, "n": 1}, -32003, "/params/session"), ("event.input", {"session": SESSION, "n": 1, "data": "x" * 1048577}, -32005, "/params/data"),
    *((method, params, -32602, place) for method in ("freeze", "thaw", "kill") for params, place in (
        ({}, "/params"), ({"n": 1}, "/params"), ({"everything": False}, "/params"), ({"everything": True, "session": SESSION}, "/params"), ({"everything": True, "n": 1}, "/params/n"),
        ({"session": SESSION, "n": 0}, "/params/n"), ({"session": "all"}, "/params/session"), ({"session": SESSION, "keep_fozen": True}, "/params/keep_fozen"))),
    ("freeze", {"session": SESSION, "reason": "x" * 201}, -32005, "/params/reason"), ("thaw", {"session": SESSION, "reason": "x"}, -32602, "/params/reason"), ("kill", {"session": OTHER}, -32003, "/params/session"),
]


def parameters_that_are_wrong_are_told_with_their_place():
    with met() as c:
        channel = c.open()
        for method, params, code, place in BAD_PARAMS:
            c.ask(method, params)
            got = c.failure()
            shown = (method, str(params)[:80])
            equal((shown, got["code"], got["data"].get("place")), (shown, code, place))
        assert c.daemon.is_quiet(0) and channel.is_quiet(0), "something was passed on"


def a_line_that_is_too_long_is_left_out():
    with met() as c:
        for length, long in ((4 << 20, False), ((4 << 20) + 1, True), (9 << 20, True)):
            head = b'{"jsonrpc":"2.0","id":5,"method":"hello","params":{"protocol":1}'
            c.say(head + b" " * (length - len(head) - 1) + b"}\n")
            got = c.hear()
            if long:
                equal((length, got["id"], got["error"]["code"]), (length, None, -32005))
            else:
                equal((length, got["id"], got["result"]["protocol"]), (length, 5, 1))
        c.ask("hello", {"protocol": 1})
        c.result()
        c.holds_less_than(24 << 10)


def an_id_is_used_once_at_a_time():
    with met() as c:
        c.ask("daemon.status", None, "a")
        first = struct.unpack_from("<I", c.daemon.expect("SERVE_STATUS"))[0]
        c.ask("session.list", {}, "a")
        equal(c.failure("a")["code"], -32600)
        assert c.daemon.is_quiet(0.1), "the second went to the daemon"
        c.daemon.send("SERVE_TOLD", struct.pack("<II", first, 9) + bytes(96))
        equal(c.result("a")["pid"], 9)
        c.ask("daemon.status", None, "a")
        c.daemon.expect("SERVE_STATUS")


def notifications_are_done_and_not_answered():
    with met() as c:
        channel = c.open()
        c.ask("event.cancel", {"session": SESSION, "n": 3}, None)
        request, _a, _b, n = struct.unpack("<IIIQ", channel.expect("SESSION_CANCEL"))
        channel.send("SESSION_DONE", struct.pack("<IQ", request, n))
        c.ask("event.cancel", {"session": SESSION}, None)
        assert c.is_silent(), "it was answered"


# ---- the daemon's ----

def sessions_are_listed_and_shown():
    with met() as c:
        c.ask("session.list", {})
        request, = struct.unpack_from("<I", body := c.daemon.expect("SERVE_LIST"))
        equal(body[4:], bytes(32))
        c.daemon.send("SERVE_ROW", session_row(request, agent="coder"))
        c.daemon.send("SERVE_ROW", session_row(request, OTHER, state=4, workspace="\x01" * 4000))
        c.daemon.send("SERVE_DONE", struct.pack("<IQ", request, 2))
        got = c.result()
        equal([(s["session"], s["state"], s["agent"]) for s in got["sessions"]], [(SESSION, "idle", "coder"), (OTHER, "broken", None)])
        equal((got["more"], got["sessions"][1]["workspace"]), (False, "\x01" * 4000))
        for there in (True, False):
            c.ask("session.show", {"session": OTHER})
            request, = struct.unpack_from("<I", body := c.daemon.expect("SERVE_LIST"))
            equal(body[4:32], SESSION.encode())  # behind the one before it
            if there:
                c.daemon.send("SERVE_ROW", session_row(request, OTHER))
            c.daemon.send("SERVE_DONE", struct.pack("<IQ", request, 1))
            equal(c.result()["session"] if there else c.failure()["code"], OTHER if there else -32003)


def the_daemons_errors_are_told():
    with met() as c:
        c.ask("session.open", {"session": SESSION})
        request, = struct.unpack_from("<I", c.daemon.expect("SERVE_OPEN"))
        c.daemon.send("SERVE_FAILED", struct.pack("<I", request) + error(6, "no such \x01 session", "look"))
        got = c.failure()
        equal((got["code"], got["message"], got["data"]["code"], got["data"]["hint"]), (-32003, "no such \x01 session", "NOT_FOUND", "look"))
        c.ask("session.open", {"session": SESSION})
        request, = struct.unpack_from("<I", c.daemon.expect("SERVE_OPEN"))
        channel = c.give_channel(request, ready=False)
        channel.send("SESSION_FAILED", struct.pack("<I", 0) + error(10, "broken"))
        equal(c.failure()["message"], "broken")


def opening_again_gives_the_row_and_keeps_what_is_followed():
    with met() as c:
        channel = c.open()
        c.run(channel)
        c.result(7)
        (out, _err), _a = c.files(channel)
        c.open()
        os.write(out, b"x")
        channel.send("SESSION_GREW", struct.pack("<QQQ", 1, 1, 0))
        equal(c.note("event.output")["data"], "x")


def narrowed_a_connection_has_one_session():
    with met() as c:
        channel, other = c.open(), c.open(OTHER)
        c.ask("session.narrow", {"session": SESSION})
        request, = struct.unpack_from("<I", c.daemon.expect("SERVE_NARROW"))
        c.daemon.send("SERVE_DONE", struct.pack("<IQ", request, 0))
        equal(c.result(), {})
        equal(other.receive(), None)
        c.ask("event.show", {"session": OTHER, "n": 1})
        equal(c.failure()["code"], -32003)
        c.ask("event.show", {"session": SESSION, "n": 1})
        channel.expect("SESSION_LIST")


def without_the_daemon_sessions_go_on():
    with met() as c:
        channel = c.open()
        c.ask("daemon.status", None, 3)
        c.daemon.expect("SERVE_STATUS")
        c.daemon.close()
        got = [c.hear(), c.hear()]
        equal((got[0]["id"], got[0]["error"]["code"], got[1]["method"]), (3, -32011, "daemon.lost"))
        c.ask("session.list", {})
        equal(c.failure()["code"], -32011)
        c.run(channel, follow=False)
        equal(c.result(7)["n"], 1)


def a_session_that_is_gone_is_told():
    with met() as c:
        channel = c.open()
        c.run(channel)
        c.result(7)
        c.files(channel)
        c.ask("event.show", {"session": SESSION, "n": 1}, 8)
        channel.expect("SESSION_LIST")
        channel.close()
        got = [c.hear() for _ in range(3)]
        equal(sorted(str(g.get("method", g.get("id"))) for g in got), ["8", "event.lost", "session.lost"])
        c.ask("event.show", {"session": SESSION, "n": 1}, 8)
        equal(c.failure(8)["code"], -32003)
        c.open()


def a_role_that_says_what_it_may_not_is_gone():
    for name, body in (("SESSION_GREW", bytes(23)), ("SESSION_READY", bytes(4236)), ("SERVE_DONE", bytes(12)), ("SESSION_TAKEN", bytes(48)),
                       ("SESSION_ROW", event_row(0)), ("SESSION_FILES", bytes(12))):
        with met() as c:
            channel = c.open()
            channel.send(name, body)
            equal((name, c.note("session.lost")["session"]), (name, SESSION))


def a_role_speaks_for_no_other_session():
    with met() as c:
        c.ask("session.open", {"session": SESSION})
        request, = struct.unpack_from("<I", c.daemon.expect("SERVE_OPEN"))
        channel = c.give_channel(request, SESSION, ready=False)
        channel.send("SESSION_READY", struct.pack("<QQ", 1, 1) + session_row(0, OTHER))
        equal(c.failure()["code"], -32011)
        one, two = c.open(), c.open(OTHER)
        c.ask("event.cancel", {"session": SESSION, "n": 1}, "a")
        request, = struct.unpack_from("<I", one.expect("SESSION_CANCEL"))
        two.send("SESSION_DONE", struct.pack("<IQ", request, 1))
        two.send("SESSION_FAILED", struct.pack("<I", request) + error(5, "no"))
        assert c.is_silent(), "another session's role answered"
        one.send("SESSION_DONE", struct.pack("<IQ", request, 1))
        equal(c.result("a"), {})


# ---- events ----

def a_run_comes_as_it_was_asked():
    with met() as c:
        channel = c.open()
        run = c.run(channel, argv=["cat", "ä", {"b64": base64.b64encode(b"\xff\xfe").decode()}], env={"A": "b=c", "N": {"b64": "/w=="}}, input=True, terminal=True, rows=30,
                    background=True, limits={"wall": "3s", "memory": "1G"}, changes="stage", strict=True, on_conflict="ours",
                    labels=["untrusted", "private", "untrusted"], key="k" * 128, follow=False)
        equal(run, {"version": 3, "idle": 0, "key": b"k" * 128, "flags": 7, "changes": 9, "rows": 30, "columns": 80, "limits": b"wall=3s,memory=1G", "on_conflict": b"ours",
                    "labels": b"private,untrusted", "argv": [b"cat", "ä".encode(), b"\xff\xfe"], "env": [b"A=b=c", b"N=\xff"]})
        equal(c.result(7), {"n": 1, "event": EVENT, "replayed": False, "row": None})
        run = c.run(channel, argv=["x" * 900000, "y" * 900000], replayed=1, follow=False)
        equal([len(a) for a in run["argv"]], [900000, 900000])
        equal(c.result(7)["replayed"], True)
        assert channel.is_quiet(), "it was followed"


def what_is_no_label_is_refused_by_its_place():
    with met() as c:
        channel = c.open()
        for method, more in (("event.run", {"argv": ["true"]}), ("event.code", {"language": "shell", "source": ""}), ("kernel.start", {"language": "python"})):
            for labels, place in ((["private", "Private"], "/params/labels/1"), ([""], "/params/labels/0"), (["a,b"], "/params/labels/0"), (["none"], "/params/labels/0"),
                                  (["a"] * 9, "/params/labels"), ("private", "/params/labels"), ([1], "/params/labels/0")):
                c.ask(method, {"session": SESSION, **more, "labels": labels})
                equal(c.failure()["data"]["place"], place)
        equal(c.run(channel, method="kernel.start", argv=None, language="python", labels=["private"])["labels"], b"private")


def labels_are_told_of_what_is_over():
    for state, labels, told in ((3, "", []), (3, "private,untrusted", ["private", "untrusted"]), (4, "mail", ["mail"]), (3, "?", None), (2, "", None)):
        with met() as c:
            channel = c.open()
            c.ask("event.show", {"session": SESSION, "n": 1})
            request, *_ = struct.unpack("<IIIQ", channel.expect("SESSION_LIST"))
            channel.send("SESSION_ROW", event_row(1, state, labels=labels))
            channel.send("SESSION_DONE", struct.pack("<IQ", request, 1))
            equal(c.result()["labels"], told)


def a_long_run_for_a_role_that_does_not_read_holds_up_nothing():
    with met() as c:
        channel = c.open()
        for i in range(2):
            c.ask("event.run", {"session": SESSION, "argv": ["x" * 1000000, "y" * 900000], "follow": False}, i)
        c.ask("event.run", {"session": SESSION, "argv": ["x" * 1000000, "y" * 900000], "follow": False}, 2)
        c.ask("hello", {"protocol": 1}, "there")
        got = [c.hear(), c.hear()]
        equal((got[0]["id"], got[0]["error"]["code"], got[1]["id"]), (2, -32005, "there"))
        for _ in range(2):
            while channel.receive()[0] == "SESSION_PART":
                pass


def an_answer_brings_what_is_short():
    for out, err, expected in ((b"one\n", b"\xff", {"stdout": "one\n", "stderr": {"b64": "/w=="}}), (b"x" * (16 << 10), b"", {"stdout": "x" * (16 << 10), "stderr": ""}),
                               (b"x" * ((16 << 10) + 1), b"", {"stdout": None, "stderr": ""})):
        with met() as c:
            channel = c.open()
            c.run(channel, wait=True, follow=False, output=True)
            c.files(channel, out, err)
            channel.send("SESSION_OVER", event_row(1, 3, out=len(out), err=len(err)))
            result = c.result(7)
            equal({key: result[key] for key in ("stdout", "stderr", "result")}, {**expected, "result": ""})


def a_step_brings_what_it_wrote_though_its_kernel_is_over():
    with met() as c:
        channel = c.open()
        c.ask("kernel.wait", {"session": SESSION, "n": 1, "step": 1})
        c.files(channel, b"one\n")
        request, step = struct.unpack_from("<II", channel.expect("SESSION_STEP_WAIT"))
        channel.send("SESSION_OVER", event_row(1, 3, out=4))
        channel.send("SESSION_DONE", struct.pack("<IQ", request, step))
        channel.send("SESSION_STEPPED", struct.pack("<QQII3Q6QQ32x", 1, 1, 3, 0, 1, 1, 1, 0, 4, 0, 0, 0, 0, 1))
        step = c.result()
        equal([step[key] for key in ("end", "stdout", "stderr", "result")], ["ok", "one\n", "", ""])
        c.ask("event.unfollow", {"session": SESSION, "n": 1})
        equal(c.failure()["code"], -32003)


def an_end_before_the_files_is_of_an_earlier_question():
    """The input of an event that is over was asked for; meanwhile the client follows it anew, and gets all of it."""
    with met() as c:
        channel = c.open()
        c.ask("event.follow", {"session": SESSION, "n": 1})
        request, _a, _b, n = struct.unpack("<IIIQ", channel.expect("SESSION_FOLLOW"))
        channel.send("SESSION_OVER", event_row(1, 3, out=4))
        channel.send("SESSION_FILES", struct.pack("<IQ", request, n), [spool(b"one\n"), spool(), spool()])
        equal(c.result(), {})
        channel.send("SESSION_OVER", event_row(1, 3, out=4))
        equal((c.note("event.output")["data"], c.note("event.ended")["n"]), ("one\n", 1))


def output_is_told_and_then_the_end():
    with met() as c:
        channel = c.open()
        c.run(channel)
        c.result(7)
        (out, err), with_input = c.files(channel, b"one\n")
        equal(with_input, 2)
        equal(c.note("event.output"), {"session": SESSION, "n": 1, "stream": "stdout", "offset": 0, "data": "one\n"})
        os.write(out, "zwölf".encode()[:3])
        os.write(err, b"\xff\x00")
        channel.send("SESSION_GREW", struct.pack("<QQQ", 1, 7, 2))
        equal([c.note("event.output")["data"] for _ in range(2)], ["zw", {"b64": "/wA="}])
        equal(struct.unpack("<IIIQ", channel.expect("SESSION_SEEN")), (0, 0, 0, 1))
        os.write(out, "zwölf".encode()[3:])
        os.write(out, b"what is not kept")
        channel.send("SESSION_OVER", event_row(1, 3, 10, 2, exit_status=0, denied=1))
        equal(c.note("event.output"), {"session": SESSION, "n": 1, "stream": "stdout", "offset": 6, "data": "ölf"})
        ended = c.note("event.ended")
        equal((ended["n"], ended["state"], ended["exit_status"], ended["denied"], ended["outcome"]["cause"]), (1, "over", 0, True, "exited"))
        c.ask("event.unfollow", {"session": SESSION, "n": 1})
        equal(c.failure()["code"], -32003)


def each_byte_of_much_output_comes_once_in_order():
    data = {"stdout": os.urandom(20 << 20), "stderr": "äöü€𝄞".encode() * 50000}  # more than is ever on its way
    with met() as c:
        channel = c.open()
        c.run(channel)
        c.result(7)
        c.files(channel, data["stdout"], data["stderr"])
        channel.send("SESSION_OVER", event_row(1, 3, len(data["stdout"]), len(data["stderr"])))
        time.sleep(0.3)  # it waits for us
        got = {"stdout": bytearray(), "stderr": bytearray()}
        while True:
            line = c.hear()
            if line["method"] == "event.ended":
                break
            params = line["params"]
            equal(params["offset"], len(got[params["stream"]]))
            chunk = params["data"]
            got[params["stream"]] += chunk.encode() if isinstance(chunk, str) else base64.b64decode(chunk["b64"])
            assert params["stream"] == "stdout" or isinstance(chunk, str), "a character was cut"
        assert got == data, "it is another"


def half_a_character_at_the_end_is_told():
    with met() as c:
        channel = c.open()
        c.run(channel)
        c.result(7)
        c.files(channel, b"a\xe2\x82")
        equal(c.note("event.output")["data"], "a")
        channel.send("SESSION_OVER", event_row(1, 3, 3, 0))
        equal(c.note("event.output")["data"], {"b64": "4oI="})
        c.note("event.ended")


def an_event_is_resumed_from_a_byte():
    with met() as c:
        channel = c.open()
        c.ask("event.follow", {"session": SESSION, "n": 5, "stdout": 4, "stderr": 2})
        c.files(channel, b"0123456", b"ab")
        channel.send("SESSION_OVER", event_row(5, 3, 7, 2))
        equal(c.result(), {})
        equal(c.note("event.output"), {"session": SESSION, "n": 5, "stream": "stdout", "offset": 4, "data": "456"})
        c.note("event.ended")
        c.ask("event.follow", {"session": SESSION, "n": 6})
        request, = struct.unpack_from("<I", channel.expect("SESSION_FOLLOW"))
        channel.send("SESSION_FAILED", struct.pack("<I", request) + error(6, "no event"))
        equal(c.failure()["code"], -32003)


def waiting_for_the_end():
    with met() as c:
        channel = c.open()
        c.run(channel, wait=True, follow=False)
        c.files(channel, b"not told")
        assert c.is_silent(), "it was answered"
        channel.send("SESSION_OVER", event_row(1, 3, 8, 0, exit_status=3))
        equal(c.result(7)["row"]["exit_status"], 3)


def pages_are_read_of_what_is_kept():
    with met() as c:
        channel = c.open()
        c.ask("event.read", {"session": SESSION, "n": 2, "stream": "stdout", "offset": 1, "bytes": 3})
        c.files(channel, "0äü4".encode())
        equal(c.result(), {"offset": 1, "data": "ä", "size": 6})
        c.ask("event.read", {"session": SESSION, "n": 2, "stream": "stdout", "offset": 6})
        equal(c.result(), {"offset": 6, "data": "", "size": 6})
        channel.send("SESSION_OVER", event_row(2, 3, 6, 0))
        c.ask("event.read", {"session": SESSION, "n": 2, "stream": "record"})
        request, _a, _b, n = struct.unpack("<IIIQ", channel.expect("SESSION_RECORD"))
        channel.send("SESSION_FILES", struct.pack("<IQ", request, n), [spool(b'{"v":1}\n')])
        equal(c.result()["data"], '{"v":1}\n')


def lists_come_one_after_the_other():
    with met() as c:
        channel = c.open()
        c.ask("event.list", {"session": SESSION, "limit": 2, "follow": True}, 1)
        c.ask("event.show", {"session": SESSION, "n": 9}, 2)
        c.ask("event.show", {"session": SESSION, "n": 8}, 3)
        request, a, b, n = struct.unpack("<IIIQ", channel.expect("SESSION_LIST"))
        equal((a, b, n), (1, 2, 1))
        assert channel.is_quiet(), "the next was asked, too"
        for i in (1, 2, 3):  # more than was asked for
            channel.send("SESSION_ROW", event_row(i, 3))
        channel.send("SESSION_CHANGED", event_row(2, 3, exit_status=5))
        channel.send("SESSION_DONE", struct.pack("<IQ", request, 3))
        equal(c.note("event.changed")["exit_status"], 5)
        got = c.result(1)
        equal(([e["n"] for e in got["events"]], got["more"]), ([1, 2], True))
        request, a, b, n = struct.unpack("<IIIQ", channel.expect("SESSION_LIST"))
        equal((a, b, n), (0, 1, 9))
        channel.send("SESSION_ROW", event_row(9, 4, message="why", code=8, command="rm -rf \x1b"))
        channel.send("SESSION_DONE", struct.pack("<IQ", request, 3))
        got = c.result(2)
        equal((got["state"], got["code"], got["message"], got["outcome"], got["exit_status"], got["command"]), ("interrupted", "LIMIT", "why", None, None, "rm -rf \x1b"))
        request, = struct.unpack_from("<I", channel.expect("SESSION_LIST"))
        channel.send("SESSION_DONE", struct.pack("<IQ", request, 3))
        equal(c.failure(3)["code"], -32003)


def signals_and_sizes_are_passed_on():
    with met() as c:
        channel = c.open()
        for method, params, name, wanted in (("event.signal", {"signal": "TERM"}, "SESSION_SIGNAL", (15, 0)), ("event.signal", {"signal": 64}, "SESSION_SIGNAL", (64, 0)),
                                             ("event.resize", {"rows": 65535, "columns": 1}, "SESSION_RESIZE", (65535, 1)), ("event.cancel", {}, "SESSION_CANCEL", (0, 0))):
            c.ask(method, {"session": SESSION, "n": 4, **params})
            request, a, b, n = struct.unpack("<IIIQ", channel.expect(name))
            equal((a, b, n), (*wanted, 4))
            channel.send("SESSION_DONE", struct.pack("<IQ", request, n))
            equal(c.result(), {})


def what_is_to_stand_still_goes_to_whom_it_is_of():
    with met() as c:
        channel = c.open()
        for deed, (method, more, keep) in enumerate((("freeze", {"reason": "r" * 200}, 0), ("thaw", {}, 0), ("kill", {"keep_frozen": True}, 1)), 1):
            for of, n, asked, name, answers in (({"session": SESSION}, 0, channel, "SESSION_HALT", "SESSION_HALTED"), ({"session": SESSION, "n": 3}, 3, channel, "SESSION_HALT", "SESSION_HALTED"),
                                                ({"everything": True}, 0, c.daemon, "SERVE_HALT", "SERVE_HALTED")):
                c.ask(method, {**of, **more}, "a")
                request, *rest = struct.unpack("<IIIQ32s201s", asked.expect(name))
                equal(rest, [deed, keep, n, bytes(32), more.get("reason", "").encode().ljust(201, b"\0")])
                (channel if asked is c.daemon else c.daemon).send("SESSION_HALTED" if asked is c.daemon else "SERVE_HALTED", struct.pack("<IIII", request, 0, 0, 0))
                asked.send(answers, struct.pack("<IIII", request, 1, 2, 5))
                equal(c.result("a"), {"before": True, "events": 2, **({"cancelled": 5} if method == "kill" else {})})
                c.ask(method, of, "b")
                request, = struct.unpack_from("<I", asked.expect(name))
                asked.send(answers.replace("HALTED", "FAILED"), struct.pack("<I", request) + error(18, "stands"))
                equal(c.failure("b")["data"]["code"], "FROZEN")
        assert c.daemon.is_quiet(0) and channel.is_quiet(0)
        c.daemon.close()
        c.note("daemon.lost")
        c.ask("kill", {"everything": True})
        equal(c.failure()["code"], -32011)


def left_a_session_is_open_no_more():
    with met() as c:
        channel = c.open()
        c.ask("event.show", {"session": SESSION, "n": 1}, 5)
        channel.expect("SESSION_LIST")
        c.ask("session.leave", {"session": SESSION}, 6)
        got = {line["id"]: line for line in (c.hear(), c.hear())}
        equal((got[6]["result"], got[5]["error"]["code"]), ({}, -32011))
        equal(channel.receive(), None)


# ---- input ----

def input_is_taken_in_order_and_ended():
    with met() as c:
        channel = c.open()
        c.run(channel, input=True)
        c.result(7)
        read, write = os.pipe2(os.O_NONBLOCK)
        c.files(channel)
        c.ask("event.input", {"session": SESSION, "n": 1, "data": "ab"})
        equal(c.files(channel, with_input=write)[1], 1)
        equal((c.result(), os.read(read, 100)), ({}, b"ab"))
        c.ask("event.input", {"session": SESSION, "n": 1, "data": {"b64": "AP8="}, "end": True})
        c.files(channel, with_input=write)
        request, = struct.unpack_from("<I", channel.expect("SESSION_INPUT_END"))
        channel.send("SESSION_DONE", struct.pack("<IQ", request, 1))
        equal((c.result(), os.read(read, 100)), ({}, b"\0\xff"))
        os.close(write)
        equal(os.read(read, 100), b"")  # nobody else holds it open
        c.ask("event.input", {"session": SESSION, "n": 1, "data": "x"})
        c.files(channel)
        equal(c.failure()["code"], -32011)


def input_that_is_not_taken_is_bounded():
    with met() as c:
        channel = c.open()
        read, write = os.pipe2(os.O_NONBLOCK)
        c.ask("event.input", {"session": SESSION, "n": 1, "data": "x" * (1 << 20)}, 1)
        equal(c.files(channel)[1], 2)
        c.files(channel, with_input=write)
        c.ask("event.input", {"session": SESSION, "n": 1, "data": "y"}, 2)
        equal(c.failure(2)["code"], -32005)
        for n in range(2, 9):
            c.ask("event.input", {"session": SESSION, "n": n, "data": "x" * (1 << 20)}, n)
        equal([c.failure(n)["code"] for n in range(5, 9)], [-32005] * 4)
        c.holds_less_than(32 << 10)
        taken = 0
        while taken < 1 << 20:
            try:
                taken += len(os.read(read, 1 << 16))
            except BlockingIOError:
                time.sleep(0.001)
        equal(c.result(1), {})
        os.close(read)
        c.ask("event.input", {"session": SESSION, "n": 1, "data": "y"}, 1)
        while True:
            request, a, _b, n = struct.unpack("<IIIQ", channel.expect("SESSION_FOLLOW"))
            if (a, n) == (1, 1):
                break
        channel.send("SESSION_FILES", struct.pack("<IQ", request, n), [spool(), spool(), write])
        equal(c.failure(1)["code"], -32011)


# ---- the document ----

def the_example_of_the_document_is_what_happens():
    with open(os.path.join(TOP, "doc/PROTOCOL.md"), encoding="utf-8") as file:
        lines = [line for line in file.read().split("```text")[1].split("```")[0].splitlines() if line]
    equal((lines[0][0], lines[-1][0]), (">", "<"))
    with Case() as c:
        channel = None
        for line in lines:
            said = json.loads(line[2:])
            if line[0] == "<":
                equal(c.hear(), said)
                continue
            c.say(line[2:])
            if said["method"] == "session.new":
                c.daemon.expect("SERVE_PART")
                request, key = struct.unpack("<IQ", c.daemon.expect("SERVE_NEW"))
                assert key != 0, "its key did not come"
                channel = c.give_channel(request, workspace=said["params"]["workspace"])
            elif said["method"] == "event.run":
                equal(parse_run(channel.expect("SESSION_PART"))["key"], b"step-1")
                request, _value = struct.unpack("<IQ", channel.expect("SESSION_RUN"))
                channel.send("SESSION_TAKEN", struct.pack("<IIQ", request, 0, 1) + text(EVENT, 32))
                c.files(channel, b"hello\n")
                channel.send("SESSION_OVER", event_row(1, 3, 6, 0, command="echo hello"))


def what_is_the_same_comes_out_the_same():
    with met() as c:
        channel = c.open()
        runs = [c.run(channel, follow=False, env={"B": "1", "A": "2"}, limits={"memory": "1G", "wall": "1s"}) if i == 0 else
                c.run(channel, follow=False, env={"A": "2", "B": "1"}, limits={"wall": "1s", "memory": "1G"}) for i in range(2)]
        equal(runs[0], runs[1])


# ---- who does harm ----

def requests_that_are_not_answered_are_bounded():
    with met() as c:
        for i in range(257):
            c.ask("daemon.status", None, i)
        equal(c.failure(256)["code"], -32005)
        request, = struct.unpack_from("<I", c.daemon.expect("SERVE_STATUS"))
        c.daemon.send("SERVE_TOLD", struct.pack("<II", request, 9) + bytes(96))
        c.result(0)
        c.ask("daemon.status", None, "again")
        for _ in range(256):
            c.daemon.expect("SERVE_STATUS")


def a_daemon_that_does_not_read_gets_all_in_order_later():
    with Case(narrow=True) as c:
        c.meet()
        for i in range(200):
            c.ask("daemon.status", None, i)
        c.ask("hello", {"protocol": 1}, "there")
        c.result("there")
        asked = [struct.unpack_from("<I", c.daemon.expect("SERVE_STATUS"))[0] for _ in range(200)]
        equal(asked, sorted(asked))
        c.daemon.send("SERVE_TOLD", struct.pack("<II", asked[-1], 9) + bytes(96))
        c.result(199)


def sessions_that_are_open_are_bounded():
    with met() as c:
        for i in range(64):
            c.open(SESSION[:-2] + "%02d" % i)
        c.ask("session.open", {"session": SESSION[:-2] + "99"})
        equal(c.failure()["code"], -32005)
        c.ask("session.leave", {"session": SESSION[:-2] + "00"})
        c.result()
        c.open(SESSION[:-2] + "99")


def events_that_are_followed_are_bounded():
    with met() as c:
        channel = c.open()
        for i in range(1, 129):
            c.run(channel, n=i)
            c.result(7)
            for fd in c.files(channel)[0]:
                os.close(fd)
        c.ask("event.run", {"session": SESSION, "argv": ["x"]})
        equal(c.failure()["code"], -32005)
        held = c.descriptors()
        c.ask("session.leave", {"session": SESSION})
        c.result()
        assert c.descriptors() < held - 250, "descriptors of files are held"


def a_client_who_does_not_read_gets_no_more_and_holds_nothing():
    with met() as c:
        channel = c.open()
        c.run(channel)
        c.result(7)
        c.files(channel, os.urandom(64 << 20))
        channel.send("SESSION_OVER", event_row(1, 3, 64 << 20, 0))
        time.sleep(0.5)
        used = c.processor_s()
        c.holds_less_than(OUT_MOST >> 10)
        for _ in range(100):
            channel.send("SESSION_GREW", struct.pack("<QQQ", 99, 1, 1))
        channel.close()
        time.sleep(0.5)
        assert c.processor_s() - used < 0.2, "it is busy for nobody"
        equal(c.note("event.output")["offset"], 0)  # the twin: it goes on when somebody reads


def a_flood_without_reading_is_not_taken_in():
    with met() as c:
        c.client.setblocking(False)
        line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "helo " * 100}).encode() + b"\n"
        sent, quiet = 0, 0
        while quiet < 20 and sent < 200 << 20:
            try:
                sent += c.client.send(line * 50)
                quiet = 0
            except BlockingIOError:
                quiet += 1
                time.sleep(0.02)
        assert sent < OUT_MOST, f"{sent} bytes were taken"
        c.holds_less_than(OUT_MOST >> 10)


def a_client_that_said_all_hears_the_end_of_what_it_follows():
    with met() as c:
        channel = c.open()
        c.run(channel)
        c.result(7)
        (out, _err), _a = c.files(channel)
        c.ask("event.show", {"session": SESSION, "n": 1}, 8)
        c.client.shutdown(socket.SHUT_WR)
        request, = struct.unpack_from("<I", channel.expect("SESSION_LIST"))
        os.write(out, b"late")
        channel.send("SESSION_OVER", event_row(1, 3, 4, 0))
        equal((c.note("event.output")["data"], c.note("event.ended")["n"]), ("late", 1))
        channel.send("SESSION_ROW", event_row(1, 3))
        channel.send("SESSION_DONE", struct.pack("<IQ", request, 1))
        c.result(8)
        equal(c.hear(), None)


def a_last_line_without_its_end_counts():
    with met() as c:
        c.say(b'{"jsonrpc":"2.0","id":4,"method":"hello","params":{"protocol":1}}')
        assert c.is_silent(), "it was taken before it ended"
        c.client.shutdown(socket.SHUT_WR)
        equal((c.result(4)["protocol"], c.hear()), (1, None))


def what_a_client_said_before_it_went_is_done():
    with met() as c:
        channel = c.open()
        c.ask("event.run", {"session": SESSION, "argv": ["x" * 500000, "y" * 500000]})
        c.client.close()
        while True:
            name, _body = channel.receive()
            if name == "SESSION_RUN":
                break
        equal(channel.receive(), None)
        equal(c.process.wait(PATIENCE), 0)


def a_client_that_goes_leaves_nothing():
    with met() as c:
        channel = c.open()
        c.run(channel)
        c.result(7)
        c.files(channel)
        c.client.close()
        equal(c.process.wait(PATIENCE), 0)


def cancellations_without_number():
    with met() as c:
        channel = c.open()
        c.run(channel, follow=False)
        c.result(7)
        for i in range(2000):
            c.ask("event.cancel", {"session": SESSION, "n": 1}, i)
            request, = struct.unpack_from("<I", channel.expect("SESSION_CANCEL"))
            channel.send("SESSION_FAILED", struct.pack("<I", request) + error(14, "it does not run"))
            equal(c.failure(i)["code"], -32011)
        c.holds_less_than(16 << 10)


SCENARIOS = [case for name, case in list(globals().items()) if callable(case) and getattr(case, "__module__", "") == "__main__" and
             name not in ("equal", "met", "Case") and not isinstance(case, type)]


def main():
    only = os.environ.get("AMBIT_TEST_ONLY", "_")
    cases = [case for case in SCENARIOS if only == "_" or only in case.__name__]
    print(f"1..{len(cases)}")
    failed = 0
    for number, case in enumerate(cases, 1):
        began = time.monotonic()
        try:
            case()
            print(f"ok {number} - {case.__name__}\n# {time.monotonic() - began:.2f} s", flush=True)
        except Exception as e:  # a case that breaks is a case that failed, the others go on
            failed += 1
            print(f"not ok {number} - {case.__name__}\n# {type(e).__name__}: {e}", flush=True)
    return failed


sys.exit(main())
