"""The client that waits. A `Client` and its sessions may be used by several threads. After a fork the child has connections of its own."""

from __future__ import annotations

import os
from functools import partial
from types import TracebackType
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Type, Union

from . import _wire
from ._link import Connection, again, once
from ._wire import Argument, Chunk, Duration, Grant, Halted, Json, Result, Signal
from .code import RESULT_MAX, CodeResult, code_result
from .errors import AmbitError, Gone, Lost, Malformed
from .kernel import Kernel, start_params


NOWHERE = -1


class Client:
    """A connection to your daemon, which is started if it is not there. `patience`: seconds for an answer that does not wait for a program."""

    def __init__(self, *, patience: float = _wire.ANSWER_SECONDS) -> None:
        self._patience = patience
        self._connection = Connection(patience, False)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Sessions and what runs go on. Whatever is asked next connects again."""
        self._connection.close()

    def _ask(self, method: str, session: Optional[str] = None, **params: Any) -> Json:
        given = dict(params, session=session) if session is not None else params
        return again(self._connection, session, lambda: self._connection.ask(method, given))

    def _kill(self, session: Optional[str], **params: Any) -> Halted:
        """Once: what began since then is not meant."""
        given = {"session": session, **params}
        return _wire.halted_of(once(self._connection, session, lambda: self._connection.ask("kill", given)))

    def freeze_all(self, reason: Optional[str] = None) -> Halted:
        """Stops everything of yours where it is, also outside of sessions: nothing begins (`Frozen`) until `thaw_all`. `reason` is told whoever is refused meanwhile."""
        return _wire.halted_of(self._ask("freeze", everything=True, reason=reason))

    def thaw_all(self) -> Halted:
        """Lets everything go on, also what was frozen by itself."""
        return _wire.halted_of(self._ask("thaw", everything=True))

    def kill_all(self, reason: Optional[str] = None, keep_frozen: bool = False) -> Halted:
        """Freezes everything and ends it. With `keep_frozen` nothing begins until `thaw_all`."""
        return self._kill(None, everything=True, reason=reason, keep_frozen=keep_frozen or None)

    def status(self) -> Json:
        return self._ask("daemon.status")

    def sessions(self) -> Iterator[Json]:
        after: Optional[str] = None
        more = True
        while more:
            found, more = _wire.rows(self._ask("session.list", after=after), "sessions")
            yield from found
            after = _wire.part(found[-1], "session", str) if more else None

    def new(self, workspace: Union[str, "os.PathLike[str]", None] = None, grants: Sequence[Grant] = (), policy: Union[str, Mapping[str, Any], None] = None,
            presets: Sequence[str] = (), env: Optional[Mapping[str, str]] = None, limits: Optional[Mapping[str, str]] = None, agent: Optional[str] = None,
            changes: Optional[str] = None, strict: bool = False, key: Optional[str] = None, **more: Any) -> "Session":
        """Makes a session. Grants are texts as on the command line ("work .") or mappings as in a policy ({"work": "."})."""
        return Session(workspace, grants, policy, presets, env, limits, agent, changes, strict, key, client=self, **more)

    def open(self, session: str) -> "Session":
        """A session that is there."""
        again(self._connection, session, lambda: None)
        found = Session.__new__(Session)
        found.client, found.id, found._own = self, session, False
        return found


class Session:
    """Events that share grants and a workspace. `with Session(...) as s:` ends it; without `with` it stays, and is found again by its id."""

    client: Client
    id: str

    def __init__(self, workspace: Union[str, "os.PathLike[str]", None] = None, grants: Sequence[Grant] = (), policy: Union[str, Mapping[str, Any], None] = None,
                 presets: Sequence[str] = (), env: Optional[Mapping[str, str]] = None, limits: Optional[Mapping[str, str]] = None, agent: Optional[str] = None,
                 changes: Optional[str] = None, strict: bool = False, key: Optional[str] = None, *, client: Optional[Client] = None, **more: Any) -> None:
        """A new one; without `client` it has one of its own. `more`: whatever else doc/PROTOCOL.md has for session.new (max_events, keep_time, ...)."""
        params = _wire.session_params(workspace, grants, policy, presets, env, limits, agent, changes, strict, key, more)
        self.client, self._own = client or Client(), client is None
        self.id = _wire.part(self.client._ask("session.new", **params), "session", str)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        try:
            self.end()
        finally:
            self.close()

    def end(self) -> None:
        """Ends what runs; results stay for their time."""
        self.client._ask("session.end", self.id)

    def close(self) -> None:
        """Closes a connection that is this session's own. The session stays."""
        if self._own:
            self.client.close()

    def freeze(self, reason: Optional[str] = None) -> Halted:
        """Stops what runs of it where it is: nothing of it begins (`Frozen`) until `thaw`. It is so when this returns. `reason` is told whoever is refused meanwhile."""
        return _wire.halted_of(self.client._ask("freeze", self.id, reason=reason))

    def thaw(self) -> Halted:
        """Lets it go on, as if nothing had been."""
        return _wire.halted_of(self.client._ask("thaw", self.id))

    def kill(self, reason: Optional[str] = None, keep_frozen: bool = False) -> Halted:
        """Freezes it, so that nothing gets away, and ends what runs and waits. The session stays; with `keep_frozen` nothing begins in it until `thaw`."""
        return self.client._kill(self.id, reason=reason, keep_frozen=keep_frozen or None)

    def show(self) -> Json:
        """The session's row: `state`, `events`, `running`, ..."""
        return self.client._ask("session.show", self.id)

    def run(self, argv: Sequence[Argument], *, timeout: Optional[Duration] = None, env: Optional[Mapping[str, str]] = None,
            limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, on_conflict: Optional[str] = None, labels: Optional[Sequence[str]] = (),
            input: Union[str, bytes, None] = None, background: bool = False, key: Optional[str] = None, check: bool = False) -> Result:
        """Runs a command to its end. What was begun is never begun twice: it has a key, yours or one of its own, and is asked for again by that if the daemon dies.
        Interrupted (Ctrl-C), one without a key of yours is cancelled, since nobody would find it; one with a key goes on."""
        result, _ = self._run("event.run", _wire.run_params(self.id, argv, env, limits, timeout, changes, strict, background, on_conflict, labels, key), input, key)
        return result.check() if check else result

    def code(self, language: str, source: Union[str, bytes], *, timeout: Optional[Duration] = None, env: Optional[Mapping[str, str]] = None,
             limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, on_conflict: Optional[str] = None, labels: Optional[Sequence[str]] = (),
             input: Union[str, bytes, None] = None, background: bool = False, key: Optional[str] = None, check: bool = False) -> CodeResult:
        """Runs code in "python", "node" or "shell" to its end, as `run` does a command: its value, exception and pictures are in the result."""
        params = _wire.code_params(self.id, language, source, env, limits, timeout, changes, strict, background, on_conflict, labels, key)
        found = code_result(*self._run("event.code", params, input, key))
        if check:
            found.check()
        return found

    def python(self, source: Union[str, bytes], **how: Any) -> CodeResult:
        """Code of Python; `how` as for `code`."""
        return self.code("python", source, **how)

    def node(self, source: Union[str, bytes], **how: Any) -> CodeResult:
        """Code of Node; `how` as for `code`."""
        return self.code("node", source, **how)

    def shell(self, source: Union[str, bytes], **how: Any) -> CodeResult:
        """A script of bash; `how` as for `code`."""
        return self.code("shell", source, **how)

    def kernel(self, language: str = "python", *, name: Optional[str] = None, idle: Optional[Duration] = None, env: Optional[Mapping[str, str]] = None,
               limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, on_conflict: Optional[str] = None, labels: Optional[Sequence[str]] = (),
               key: Optional[str] = None) -> Kernel:
        """A kernel of "python" or "node": `with session.kernel("python") as k: k.run("x = 1"); k.run("x + 1").value`. The same `name` is the same kernel, as long as it is there.
        `idle`: seconds, or a text as "30m", without use after which it ends; half an hour if nothing is said."""
        params = start_params(self.id, language, name, idle, env, limits, changes, strict, on_conflict, labels, key)
        answer = self.client._ask("kernel.start", **{**params, "session": self.id})
        return Kernel(self, language, _wire.part(answer, "n", int), _wire.part(answer, "event", str), bool(answer.get("replayed")))

    def _run(self, method: str, params: Json, input: Union[str, bytes, None], key: Optional[str]) -> Tuple[Result, bytes]:
        """How it ended, and of code its result."""
        if input is not None:
            with self._start(method, params, True) as event:
                try:
                    event.write(input, end=True)
                    ended = event.wait()
                    size = min(RESULT_MAX, _wire.part(ended.row, "result_bytes", int)) if method == "event.code" else 0
                    return ended, self.read(ended.n, "result", size)
                except BaseException as problem:
                    if key is None and not isinstance(problem, Exception):
                        event.cancel()
                    raise
        connection = self.client._connection
        try:
            answer = again(connection, self.id, lambda: connection.ask(method, {**params, "wait": True, "follow": False, "output": True}, True))
        except BaseException as problem:
            if key is None and not isinstance(problem, Exception):
                self._give_up(method, params)
            raise
        row = _wire.part(answer, "row", dict)
        n = _wire.part(row, "n", int)
        brought = {"result": b""}
        for stream in _wire.STREAMS if method == "event.code" else _wire.STREAMS[:2]:
            given = _wire.brought(answer, row, stream)
            brought[stream] = given if given is not None else self.read(n, stream, _wire.part(row, stream + "_bytes", int))
        return _wire.whole(_wire.result_of(self.id, row, brought["stdout"], brought["stderr"], bool(answer.get("replayed")))), brought["result"]

    def _give_up(self, method: str, params: Json) -> None:
        """The same request gives the number of what it began."""
        try:
            n = _wire.part(self.client._ask(method, follow=False, **{**params, "session": self.id}), "n", int)
            self.client._ask("event.cancel", self.id, n=n)
        except AmbitError:
            pass  # what is told is the interruption

    def start(self, argv: Sequence[Argument], *, timeout: Optional[Duration] = None, env: Optional[Mapping[str, str]] = None,
              limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, on_conflict: Optional[str] = None, labels: Optional[Sequence[str]] = (),
              input: bool = False, terminal: Optional[Tuple[int, int]] = None, background: bool = False, key: Optional[str] = None) -> "Event":
        """Begins a command, on a connection of its own: what it writes comes as you take it. `terminal`: rows and columns of one."""
        params = {**_wire.run_params(self.id, argv, env, limits, timeout, changes, strict, background, on_conflict, labels, key), **_wire.terminal_params(terminal)}
        return self._start("event.run", params, input, terminal is not None)

    def _start(self, method: str, params: Json, input: bool, terminal: bool = False) -> "Event":
        connection = Connection(self.client._patience, True)
        try:
            answer = again(connection, self.id, lambda: connection.ask(method, {**params, "input": input or None}))
            return Event(self, connection, _wire.part(answer, "n", int), _wire.part(answer, "event", str), input or terminal, connection.made)
        except BaseException:
            connection.close()
            raise

    def event(self, n: int) -> "Event":
        """An event that is there."""
        row = self.client._ask("event.show", self.id, n=n)
        takes = bool(row.get("input")) or bool(row.get("terminal"))
        return Event(self, Connection(self.client._patience, True), n, _wire.part(row, "event", str), takes, NOWHERE)

    def follow(self, n: int, stdout: int = 0, stderr: int = 0) -> "Event":
        """An event that is there, to be taken from these bytes on."""
        event = self.event(n)
        event._progress.at.update(stdout=stdout, stderr=stderr)
        return event

    def events(self, first: int = 1) -> Iterator[Json]:
        """The rows of its events."""
        more = True
        while more:
            found, more = _wire.rows(self.client._ask("event.list", self.id, **{"from": first}), "events")
            yield from found
            first = _wire.part(found[-1], "n", int) + 1 if more else first

    def watch(self, first: int = 1) -> Iterator[Result]:
        """How its events are, and how that changes, without end; across deaths of the daemon, too."""
        watched, connection = _wire.Watched(first), Connection(self.client._patience, True)
        progress = _wire.Progress(self.id, 0)
        try:
            while True:
                try:
                    for row in self._look(watched, connection):
                        result = watched.take(self.id, row)
                        if result is not None:
                            progress.lost = 0
                            yield result
                except Lost as problem:
                    progress.again(problem)
                    connection.close()
        finally:
            connection.close()

    def _look(self, watched: _wire.Watched, connection: Connection) -> Iterator[Json]:
        """The list, and what changes from there on, as long as the connection is there and all that is told has room."""
        first, more, follow = watched.first, True, True
        while more:
            page = again(connection, self.id, lambda: connection.ask("event.list", {"session": self.id, "from": first, "follow": follow or None}))
            found, more = _wire.rows(page, "events")
            yield from found
            first, follow = _wire.part(found[-1], "n", int) + 1 if more else first, False
        while True:
            note = connection.note()
            if note is None:
                raise Lost("more changed than there was room for")
            if note["method"] == "session.lost":
                raise Lost("the session's process ended")
            if note["method"] == "event.changed" and note["params"].get("session") == self.id:
                yield note["params"]

    def read(self, n: int, stream: str, size: int, offset: int = 0) -> bytes:
        """What is kept of an event: "stdout", "stderr", "record" or "result"."""
        found: List[bytes] = []
        while size > 0:
            most = min(size, _wire.PAGE)
            data = _wire.page_of(self.client._ask("event.read", self.id, n=n, stream=stream, offset=offset, bytes=most), offset, most)
            if not data:
                break
            found.append(data)
            offset, size = offset + len(data), size - len(data)
        return b"".join(found)

    def changes(self, n: int) -> List[Json]:
        """What an event that is over changed: `kind` (added, modified, deleted, ...) and `path` of each file, and what doc/RECORD.md has beside."""
        return _wire.changes_of(self.record(n))

    def record(self, n: int) -> bytes:
        """The record of an event that is over, JSON (doc/RECORD.md)."""
        return self.read(n, "record", 1 << 40)


class Event:
    """A command that runs, or ran. Iterating gives what it writes, in order for each stream; it goes on when you leave. One thread takes what it writes, others may
    write to it and signal it meanwhile."""

    def __init__(self, session: Session, connection: Connection, n: int, event: str, takes_input: bool, on: int) -> None:
        self.session, self.n, self.id = session, n, event
        self._connection, self._takes = connection, takes_input
        self._progress = _wire.Progress(session.id, n)
        self._on = on  # the connection on which it is followed, as Connection.made, or NOWHERE

    def __enter__(self) -> "Event":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """The event goes on."""
        self._connection.close()

    def _params(self, params: Mapping[str, Any]) -> Json:
        return {"session": self.session.id, "n": self.n, **params}

    def _ask(self, method: str, **params: Any) -> Json:
        return again(self._connection, self.session.id, lambda: self._connection.ask(method, self._params(params)))

    # ---- what it writes ----

    def _follow(self) -> None:
        """From what was taken last. Where something was dropped, nothing of what was on the way may come behind it."""
        def begin() -> None:
            if self._connection.notes.dropped:
                self._stop()
            self._connection.ask("event.follow", self._params(self._progress.at))
            self._on = self._connection.made
        again(self._connection, self.session.id, begin)

    def _stop(self) -> None:
        try:
            self._connection.ask("event.unfollow", self._params({}))
        except Gone:
            raise
        except AmbitError:
            pass  # it is not followed, since it is over
        self._connection.notes.clear()

    def _next(self) -> Optional[Chunk]:
        try:
            if self._on != self._connection.made or (self._connection.notes.dropped and len(self._connection.notes) == 0):
                self._follow()
            note = self._connection.note()
            return None if note is None else self._progress.take(note)
        except Lost as problem:
            self._connection.close()
            self._on = NOWHERE
            self._progress.again(problem)
            return None

    def __iter__(self) -> Iterator[Chunk]:
        while self._progress.row is None:
            chunk = self._next()
            if chunk is not None:
                yield chunk
        self._connection.close()  # it is of no more use; whatever is asked next connects again

    def output(self, stdout: int = 0, stderr: int = 0) -> Iterator[Chunk]:
        """What it writes from these bytes on, whatever was taken before."""
        self._progress = _wire.Progress(self.session.id, self.n, stdout, stderr)
        self._connection.close()
        self._on = NOWHERE
        return iter(self)

    def lines(self) -> Iterator[Chunk]:
        """What it writes in lines, each with its newline; the last may have none, and one beyond 1 MiB comes in pieces."""
        cutter = _wire.Cutter()
        for chunk in self:
            yield from cutter.cut(chunk)
        yield from cutter.rest()

    def wait(self, check: bool = False) -> Result:
        """To its end, with what it wrote and was not taken yet."""
        found: Dict[str, List[bytes]] = {"stdout": [], "stderr": []}
        for chunk in self:
            found[chunk.stream].append(chunk.data)
        assert self._progress.row is not None
        result = _wire.result_of(self.session.id, self._progress.row, b"".join(found["stdout"]), b"".join(found["stderr"]))
        result = _wire.whole(result, self._progress.at)
        return result.check() if check else result

    def show(self) -> Result:
        """How it is now, without what it wrote."""
        return _wire.result_of(self.session.id, self._ask("event.show"))

    def record(self) -> bytes:
        """The record of an event that is over, JSON (doc/RECORD.md)."""
        return self.session.record(self.n)

    # ---- what it is told ----

    def write(self, data: Union[str, bytes], end: bool = False) -> None:
        """Standard input, of an event that was started with `input=True`; waits until the program's pipe has taken it. What a program that reads no more does not
        take is left out, as `subprocess` does. What may have arrived is not sent twice."""
        if not self._takes:
            raise Malformed("the event takes no input", "USAGE", "start it with input=True")
        for piece in _wire.pieces(data, end):
            try:
                once(self._connection, self.session.id, partial(self._connection.ask, "event.input", self._params(piece), True))
            except Gone as problem:
                if isinstance(problem, Lost) or not self._connection.has(self.session.id):
                    raise
                return

    def end_input(self) -> None:
        self.write(b"", end=True)

    def send_signal(self, number: Signal) -> None:
        """`signal.SIGTERM`, 15 or "TERM"."""
        once(self._connection, self.session.id, lambda: self._connection.ask("event.signal", self._params({"signal": _wire.signal_of(number)})))

    def resize(self, rows: int, columns: int) -> None:
        """The size of its terminal."""
        self._ask("event.resize", rows=rows, columns=columns)

    def freeze(self, reason: Optional[str] = None) -> Halted:
        """Stops it where it is until `thaw`; the others of its session go on."""
        return _wire.halted_of(self._ask("freeze", reason=reason))

    def thaw(self) -> Halted:
        """Lets it go on."""
        return _wire.halted_of(self._ask("thaw"))

    def cancel(self) -> None:
        """Ends it at once. One that has not begun never does, and of one that is over there is nothing to end."""
        try:
            self._ask("event.cancel")
        except Gone as problem:
            if isinstance(problem, Lost) or not self._connection.has(self.session.id):
                raise
