#!/usr/bin/env python3
"""The Python client with a daemon that lies, is silent, or is another's, and with connections that are cut at the worst moment.

usage: python_hostile.py AMBIT PACKAGE    (TAP on standard output; as root some run a second time as an ordinary user)
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import threading
import time

from harness import ORDINARY, SLOW, always, main, rooted, silenced
from python_client import client_of
from sessions import Served

S = "s_" + "0" * 26
ROW = {"n": 1, "event": "e_" + "0" * 26, "state": "over", "exit_status": 0, "stdout_bytes": 0, "stderr_bytes": 0, "outcome": None}


def said(value):
    return json.dumps(value).encode() + b"\n"


def answer(number, result):
    return said({"jsonrpc": "2.0", "id": number, "result": result})


def note(method, **params):
    return said({"jsonrpc": "2.0", "method": method, "params": params})


class Lying:
    """Listens where a daemon would. What is asked is answered by `answers`, which has a function for each method, or what a well-meaning daemon says."""

    def __init__(self, place):
        self.top, self.answers, self.asked = place.fresh(), {}, []
        os.chmod(self.top, 0o700)
        os.mkdir(f"{self.top}/ambit", 0o700)
        self.environment = {**place.environment(), "XDG_RUNTIME_DIR": self.top, "AMBIT_LEDGER": ""}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{self.top}/ambit/rpc.sock")
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        silenced(self.listener)

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        with conn, contextlib.suppress(OSError), conn.makefile("rb") as file:
            for line in file:
                request = json.loads(line)
                self.asked.append(request["method"])
                says = self.answers.get(request["method"], self.honest)(request["id"], request)
                if says is None:
                    return
                conn.sendall(says)

    @staticmethod
    def honest(number, request):
        return answer(number, {"hello": {"protocol": 1}, "session.new": {"session": S}, "event.run": {"n": 1, "event": ROW["event"], "replayed": False, "row": ROW},
                               "event.show": ROW, "session.list": {"sessions": [], "more": False}, "event.list": {"events": [], "more": False}}.get(request["method"], {}))


def always_says(raw):
    return lambda number, request: raw


def run(session):
    return session.run(["true"])


def wait(session):
    with session.start(["true"]) as event:
        return event.wait()


def told_of(**params):
    """The answer to event.run, and an output of these members behind it."""
    said_of = {"session": S, "n": 1, "stream": "stdout", "offset": 0, "data": "x", **params}
    return lambda number, _: answer(number, {"n": 1, "event": ROW["event"], "replayed": False, "row": None}) + note("event.output", **said_of)


LIES = [  # what it is, of which request, what is said, and what is done then
    ("nothing, and the end", "hello", lambda n, _: None, run),
    ("no JSON", "hello", always_says(b"{\n"), run),
    ("no object", "hello", always_says(b"[]\n"), run),
    ("no UTF-8", "hello", always_says(b'{"id":1,"result":{"\xff":1}}\n'), run),
    ("depth", "hello", always_says(b"[" * 200000 + b"\n"), run),
    ("another protocol", "hello", lambda n, _: answer(n, {"protocol": 2}), run),
    ("an enormous line", "hello", always_says(b"x" * (17 << 20)), run),
    ("an enormous number", "hello", always_says(b'{"jsonrpc":"2.0","id":' + b"9" * 100000 + b',"result":{}}\n'), run),
    ("an error of no request", "hello", always_says(said({"jsonrpc": "2.0", "id": None, "error": {"code": -32005, "message": "full", "data": {"code": "LIMIT"}}})), run),
    ("an error that is none", "session.new", lambda n, _: said({"jsonrpc": "2.0", "id": n, "error": []}), run),
    ("an error without words", "session.new", lambda n, _: said({"jsonrpc": "2.0", "id": n, "error": {"message": 7, "data": [1]}}), run),
    ("another number", "session.new", lambda n, _: answer(n + 1000, {"session": S}), run),
    ("a text for a number", "session.new", lambda n, _: answer(str(n), {"session": S}), run),
    ("true for a number", "session.new", lambda n, _: answer(True, {"session": S}), run),
    ("no result", "session.new", lambda n, _: said({"jsonrpc": "2.0", "id": n}), run),
    ("a result that is none", "session.new", lambda n, _: answer(n, "s"), run),
    ("a session that is none", "session.new", lambda n, _: answer(n, {"session": 7}), run),
    ("no row", "event.run", lambda n, _: answer(n, {"n": 1, "event": "e", "replayed": False, "row": None}), run),
    ("a row without a number", "event.run", lambda n, _: answer(n, {"row": {**ROW, "n": None}}), run),
    ("a row of a number below zero", "event.run", lambda n, _: answer(n, {"row": {**ROW, "n": -1}}), run),
    ("a status that is none", "event.run", lambda n, _: answer(n, {"row": {**ROW, "exit_status": "0"}}), run),
    ("no number", "event.run", lambda n, _: answer(n, {}), wait),
    ("a note without params", "event.run", lambda n, _: said({"jsonrpc": "2.0", "method": "event.output"}), wait),
    ("output of another place", "event.run", told_of(offset=5), wait),
    ("output of a stream that is none", "event.run", told_of(stream="other"), wait),
    ("output that is no data", "event.run", told_of(data={"b64": "!"}), wait),
    ("output that is a number", "event.run", told_of(data=7), wait),
    ("output with half a character", "event.run", told_of(data="\ud800"), wait),
    ("an end without a row", "event.run", lambda n, _: answer(n, {"n": 1, "event": "e"}) + note("event.ended", session=S, n=1), wait),
    ("it is lost again and again", "event.follow", lambda n, _: answer(n, {}) + note("event.lost", session=S, n=1, error={}), lambda s: s.event(1).wait()),
    ("sessions lost again and again", "event.run", lambda n, _: note("session.lost", session=S, error={}) +
     said({"jsonrpc": "2.0", "id": n, "error": {"code": -32011, "message": "gone", "data": {"code": "GONE"}}}), run),
    ("a page of another place", "event.read", lambda n, _: answer(n, {"offset": 9, "data": "x", "size": 10}), lambda s: s.record(1)),
    ("more than was asked for", "event.read", lambda n, _: answer(n, {"offset": 0, "data": "x" * 300000, "size": 1}), lambda s: s.record(1)),
    ("no list", "event.list", lambda n, _: answer(n, {"events": {}, "more": True}), lambda s: list(s.events())),
    ("a list of no rows", "event.list", lambda n, _: answer(n, {"events": [1], "more": True}), lambda s: list(s.events())),
    ("rows without numbers", "event.list", lambda n, _: answer(n, {"events": [{}], "more": True}), lambda s: list(s.events())),
]


LIES += [(f"frozen: {name}", "freeze", lambda n, _, lie=lie: answer(n, lie), lambda s: s.freeze()) for name, lie in (
    ("nothing", {}), ("half", {"before": False}), ("a text", {"before": "no", "events": 1}), ("less than none", {"before": False, "events": -1}),
    ("cancelled by a text", {"before": False, "events": 1, "cancelled": "0"}))]


def in_tasks(ambit, done):
    """The same things with asyncio. `done` is one of the functions above, by what it asks."""
    async def do():
        async with ambit.aio.Client(patience=SLOW * 20) as client:
            session = await client.new(workspace="/")
            if done is run:
                return await session.run(["true"])
            if done is wait:
                async with await session.start(["true"]) as event:
                    return await event.wait()
            return await done.__globals__["BOTH"][done](session)

    return asyncio.run(asyncio.wait_for(do(), SLOW * 60))


async def _follow(session):
    return await (await session.event(1)).wait()


async def _freeze(session):
    return await session.freeze()


async def _record(session):
    return await session.record(1)


async def _events(session):
    return [row async for row in session.events()]


BOTH = {done: {"it is lost again and again": _follow, "no list": _events, "a list of no rows": _events,
               "rows without numbers": _events}.get(name, _freeze if method == "freeze" else _record) for name, method, _, done in LIES if done not in (run, wait)}


def _refused(ambit, name, what):
    begun = time.monotonic()
    try:
        result = what()
    except ambit.AmbitError as problem:
        assert problem.message and problem.code and str(problem), name
    else:
        raise AssertionError(f"believed: {name}: {result}")
    assert time.monotonic() - begun < SLOW * 20, f"{name} took {time.monotonic() - begun:.1f} s"


@always
def who_lies_is_not_believed(place):
    with Lying(place) as daemon, client_of(daemon, place) as ambit:
        for done in (run, wait):  # the twin: who does not lie is
            daemon.answers = {"event.run": lambda n, _: answer(n, {"n": 1, "event": "e", "replayed": False, "row": ROW}) + note("event.ended", session=S, **ROW)}
            assert done(ambit.Client(patience=SLOW * 20).new(workspace="/")).ok and in_tasks(ambit, done).ok
        for name, method, lie, done in LIES:
            daemon.answers = {method: lie}
            with ambit.Client(patience=SLOW * 20) as client:
                _refused(ambit, name, lambda client=client, done=done: done(client.new(workspace="/")))
            _refused(ambit, f"asyncio: {name}", lambda done=done: in_tasks(ambit, done))


def pages_without_an_end_are_not_asked_for(place):
    """An empty page that has more behind it is the last."""
    with Lying(place) as daemon, client_of(daemon, place) as ambit, ambit.Client(patience=SLOW * 20) as client:
        daemon.answers = {"session.list": lambda n, _: answer(n, {"sessions": [], "more": True}), "event.list": lambda n, _: answer(n, {"events": [], "more": True})}
        assert not list(client.sessions()) and not list(client.new(workspace="/").events())
        assert daemon.asked.count("session.list") == 1 == daemon.asked.count("event.list"), daemon.asked


def what_is_answered_twice_is_no_answer_to_another(place):
    """Whether the second answer is met before the next question or not: it is never the next one's."""
    with Lying(place) as daemon, client_of(daemon, place) as ambit:
        daemon.answers = {"daemon.status": lambda n, _: answer(n, {"first": n}) + answer(n, {"second": n}) + answer(n, {"third": n})}
        client, refused = ambit.Client(patience=SLOW * 20), 0
        for _ in range(20):
            try:
                assert list(client.status()) == ["first"]
            except ambit.Untrue:
                refused += 1
        assert refused > 0


def who_is_silent_is_not_waited_for(place):
    """But an event is: its answer takes as long as it takes."""
    with Lying(place) as daemon, client_of(daemon, place) as ambit:
        for method in ("hello", "daemon.status"):
            daemon.answers, daemon.asked = {method: always_says(b"")}, []
            for ask in (lambda: ambit.Client(patience=0.5).status(), lambda: asyncio.run(ambit.aio.Client(patience=0.5).status())):
                try:
                    ask()
                except ambit.Silent as problem:
                    assert problem.code == "GONE"
                else:
                    raise AssertionError(f"{method}: there was an answer")
            assert daemon.asked.count(method) == 2, "asked again, though nobody answered"

        def late(number, _):
            time.sleep(1.5)
            return answer(number, {"n": 1, "event": "e", "replayed": False, "row": ROW})

        daemon.answers = {"event.run": late}
        assert ambit.Client(patience=0.5).new(workspace="/").run(["true"]).ok

        async def ran():
            return (await (await ambit.aio.Client(patience=0.5).new(workspace="/")).run(["true"])).ok

        assert asyncio.run(ran())


def floods_are_not_kept(place):
    """Notes that nobody asked for, without end: of each connection, no more than 4 MiB are held."""
    with Lying(place) as daemon, client_of(daemon, place) as ambit, ambit.Client(patience=SLOW * 20) as client:
        piece = b"".join(note("event.output", session=S, n=7, stream="stdout", offset=0, data="x" * 4000) for _ in range(2500))
        daemon.answers = {"event.show": lambda n, _: piece * 3 + answer(n, ROW), "session.open": lambda n, _: answer(n, {})}
        session = client.new(workspace="/")
        event = session.start(["true"])
        for _ in range(3):
            event.show()
            session.event(1)
        assert 0 < event._connection.notes.held <= 4 << 20 and len(client._connection.notes) == 0, event._connection.notes.held

        async def flooded():
            async with ambit.aio.Client(patience=SLOW * 20) as other:
                event = await (await other.new(workspace="/")).start(["true"])
                for _ in range(3):
                    await event.show()
                return event._connection.notes.held

        assert 0 < asyncio.run(flooded()) <= 4 << 20


@rooted
def another_users_socket_is_not_spoken_to(place):
    with Lying(place) as daemon, client_of(daemon, place) as ambit:
        assert ambit.Client(patience=SLOW * 20).status() == {} and daemon.asked == ["hello", "daemon.status"]  # the twin
        path = f"{daemon.top}/ambit/rpc.sock"
        silenced(daemon.listener)
        os.unlink(path)
        os.chmod(daemon.top, 0o755)
        os.chmod(f"{daemon.top}/ambit", 0o777)
        above = os.path.dirname(daemon.top)
        mode = os.stat(above).st_mode
        os.chmod(above, 0o755)
        child = os.fork()
        if child == 0:
            signal.alarm(SLOW * 10)
            with contextlib.suppress(BaseException):
                os.chdir(f"{daemon.top}/ambit")
                os.setgid(ORDINARY)
                os.setuid(ORDINARY)
                listener = socket.socket(socket.AF_UNIX)
                listener.bind("rpc.sock")
                listener.listen(8)
                heard = []
                for _ in range(2):
                    conn, _ = listener.accept()
                    heard.append(conn.recv(100))
                os._exit(0 if heard == [b"", b""] else 1)
            os._exit(2)
        try:
            end = time.monotonic() + SLOW * 10
            while not os.path.exists(path):
                assert time.monotonic() < end
                time.sleep(0.02)
            time.sleep(0.2)
            for ask in (lambda: ambit.Client().status(), lambda: asyncio.run(ambit.aio.Client().status())):
                try:
                    ask()
                except ambit.Denied as problem:
                    assert "another user's" in problem.message and problem.hint
                else:
                    raise AssertionError("spoken to")
        finally:
            _, status = os.waitpid(child, 0)
            os.chmod(above, mode)
        assert os.waitstatus_to_exitcode(status) == 0, "it was told something"


# ---- connections that are cut ----


class Cut:
    """Between client and daemon: the first request of this method goes through, and its answer does not come back, since the connection ends."""

    def __init__(self, place, served, method):
        self.top, self.method, self.left = place.fresh(), f'"method":"{method}"'.encode(), 1
        os.chmod(self.top, 0o700)
        os.mkdir(f"{self.top}/ambit", 0o700)
        self.environment = {**served.environment, "XDG_RUNTIME_DIR": self.top}
        self.to = f"{served.run_dir}/ambit/rpc.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{self.top}/ambit/rpc.sock")
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        silenced(self.listener)

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            other = socket.socket(socket.AF_UNIX)
            other.connect(self.to)
            gone = threading.Event()
            threading.Thread(target=self.forward, args=(conn, other, gone), daemon=True).start()
            threading.Thread(target=self.back, args=(other, conn, gone), daemon=True).start()

    @staticmethod
    def back(source, to, gone):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                if not gone.is_set():
                    to.sendall(piece)
            to.shutdown(socket.SHUT_RDWR)

    def forward(self, conn, other, gone):
        with contextlib.suppress(OSError), conn.makefile("rb") as file:
            for line in file:
                cut = self.left > 0 and self.method in line
                if cut:
                    self.left -= 1
                    gone.set()
                other.sendall(line)
                if cut:
                    time.sleep(0.3)  # the daemon has it before the client knows that its connection ended
                    conn.shutdown(socket.SHUT_RDWR)
                    break
        other.close()
        conn.close()


@always
def what_was_begun_is_not_begun_again(place):
    with Served(place) as s:
        s.ambit("session", "list")
        for number, key in enumerate((None, "mine")):
            with Cut(place, s, "event.run") as cut, client_of(cut, place) as ambit, ambit.Session(workspace=s.tree, grants=["work ."]) as session:
                result = session.run(["sh", "-c", "echo once >> log; cat log"], key=key)
                assert result.text == "once\n" * (number + 1) and result.replayed and cut.left == 0, result
                assert [row["n"] for row in session.events()] == [1]

            async def cut_off(ambit):
                async with ambit.aio.Session(workspace=s.tree) as session:
                    result = await session.run(["echo", "once"])
                    return result.text, result.replayed, [row["n"] async for row in session.events()]

            with Cut(place, s, "event.run") as cut, client_of(cut, place) as ambit:
                assert asyncio.run(cut_off(ambit)) == ("once\n", True, [1])
        with Cut(place, s, "session.new") as cut, client_of(cut, place) as ambit:
            with ambit.Session(workspace=s.tree, agent="cut") as session:
                assert [row["session"] for row in session.client.sessions() if row["agent"] == "cut"] == [session.id]


def what_may_have_arrived_is_not_sent_twice(place):
    with Served(place) as s:
        s.ambit("session", "list")
        with Cut(place, s, "event.input") as cut, client_of(cut, place) as ambit, ambit.Session(workspace=s.tree) as session:
            event = session.start(["cat"], input=True)
            try:
                event.write("one\n")
            except ambit.Lost as problem:
                assert "not known" in problem.message and problem.hint
            else:
                raise AssertionError("nothing was said")
            event.write("two\n", end=True)
            assert event.wait().stdout == b"one\ntwo\n"

            async def sent():
                async with ambit.aio.Session(workspace=s.tree) as other:
                    async with await other.start(["cat"], input=True) as event:
                        try:
                            await event.write("one\n")
                        except ambit.Lost:
                            await event.write("two\n", end=True)
                            return (await event.wait()).stdout
                        return None

            cut.left = 1
            assert asyncio.run(sent()) == b"one\ntwo\n"


def what_is_followed_goes_on_at_its_byte(place):
    """Cut again and again while it comes, each byte comes once."""
    with Served(place) as s:
        s.ambit("session", "list")
        with Cut(place, s, "event.show") as cut, client_of(cut, place) as ambit, ambit.Session(workspace=s.tree) as session:
            event = session.start(["sh", "-c", "seq 1 300000"])
            found, times = b"", 0
            for chunk in event:
                assert chunk.offset == len(found)
                found += chunk.data
                if times < 5 and len(found) > times * 300000:
                    times, cut.left = times + 1, 1
                    event.show()
            assert times == 5 and found == b"".join(b"%d\n" % i for i in range(1, 300001)), len(found)
            assert event.wait().ok and event._connection.made > 5, event._connection.made


SCENARIOS = [who_lies_is_not_believed, pages_without_an_end_are_not_asked_for, what_is_answered_twice_is_no_answer_to_another, who_is_silent_is_not_waited_for, floods_are_not_kept,
             another_users_socket_is_not_spoken_to, what_was_begun_is_not_begun_again, what_may_have_arrived_is_not_sent_twice, what_is_followed_goes_on_at_its_byte]

if __name__ == "__main__":
    main(SCENARIOS)
