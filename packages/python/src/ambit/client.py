"""The client that waits. One connection serves a `Client`, and several threads may use it: whoever waits reads for all. After a fork a child makes its own."""

from __future__ import annotations

import os
import signal as signals
import socket
import threading
import uuid
from types import TracebackType
from typing import Any, Deque, Dict, Iterator, List, Mapping, Optional, Sequence, Type, Union
from collections import deque

from . import _wire
from ._wire import AmbitError, Argument, Chunk, Gone, Json, Lost, Result

PAGE = 256 << 10
ATTEMPTS = 5


class _Connection:
    """Lines to and from the daemon. Requests of several threads are in flight at once; a thread that waits, and finds nobody reading, reads."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._sock: Optional[socket.socket] = None
        self._room, self._number, self._reading = b"", 0, False
        self._answers: Dict[int, Json] = {}
        self._open: "set[str]" = set()
        self.notes: Deque[Json] = deque()
        self.held = 0  # bytes of output in notes
        self.made = 0  # connections, ever

    def _connect(self) -> None:
        for started in (False, True):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.connect(_wire.socket_path())
                break
            except OSError as problem:
                sock.close()
                if started:
                    raise Lost("the daemon cannot be reached", "GONE", None, str(problem)) from problem
                _wire.start_daemon()
        self._sock, self._room, self._reading = sock, b"", False
        self.made += 1
        self._answers.clear()
        self._open.clear()
        self.notes.clear()
        self.held = 0

    def ensure(self) -> None:
        with self._lock:
            if self._sock is not None:
                return
            self._connect()
        self.ask("hello", protocol=_wire.PROTOCOL)

    def has(self, session: str) -> bool:
        return session in self._open

    def close(self) -> None:
        with self._lock:
            if self._sock is not None:
                self._sock.close()
            self._sock = None
            self._lock.notify_all()

    def _lose(self, sock: socket.socket) -> None:
        if self._sock is sock:
            sock.close()
            self._sock = None
        self._lock.notify_all()

    def _read_line(self, sock: socket.socket) -> bytes:
        while b"\n" not in self._room:
            if len(self._room) > _wire.LINE_MAX:
                raise Lost("the daemon said more than a line may have", "PROTOCOL")
            piece = sock.recv(1 << 16)
            if not piece:
                raise Lost("the daemon ended the connection")
            self._room += piece
        line, _, self._room = self._room.partition(b"\n")
        return line

    def _take(self, message: Json) -> None:
        number = message.get("id")
        if isinstance(number, int):
            self._answers[number] = message
        elif message.get("method") == "session.lost":
            self._open.discard(message["params"]["session"])
            self.notes.append(message)
        elif message.get("method") in ("event.output", "event.ended", "event.lost", "daemon.lost", "event.changed"):
            self.notes.append(message)
            self.held += len(str(message["params"].get("data", "")))
        elif message.get("error") is not None:
            raise _wire.error_of(message["error"])

    def _pump(self, sock: socket.socket) -> None:
        """One message, by whoever is first; the lock is held, but while it is read."""
        if self._reading:
            self._lock.wait()
            return
        self._reading = True
        self._lock.release()
        try:
            line = self._read_line(sock)
        except (OSError, AmbitError):
            self._lock.acquire()
            self._reading = False
            self._lose(sock)
            raise
        self._lock.acquire()
        self._reading = False
        try:
            self._take(_wire.take_line(line))
        except AmbitError:
            self._lose(sock)
            raise
        finally:
            self._lock.notify_all()

    def send(self, method: str, **params: Any) -> "tuple[socket.socket, int]":
        with self._lock:
            sock = self._sock
            if sock is None:
                raise Lost("there is no connection")
            self._number += 1
            number = self._number
            try:
                sock.sendall(_wire.put_line(number, method, params))
            except OSError as problem:
                self._lose(sock)
                raise Lost("the daemon ended the connection", "GONE", None, str(problem)) from problem
        return sock, number

    def ask(self, method: str, **params: Any) -> Json:
        sock, number = self.send(method, **params)
        with self._lock:
            while number not in self._answers:
                if self._sock is not sock:
                    raise Lost("the daemon ended the connection before it answered")
                try:
                    self._pump(sock)
                except OSError as problem:
                    raise Lost("the daemon ended the connection before it answered", "GONE", None, str(problem)) from problem
            answer = self._answers.pop(number)
        if "error" in answer:
            raise _wire.error_of(answer["error"])
        return dict(answer.get("result") or {})

    def note(self) -> Json:
        """The next that is told. Of a connection that one alone uses."""
        with self._lock:
            sock = self._sock
            while not self.notes:
                if sock is None or self._sock is not sock:
                    raise Lost("the daemon ended the connection")
                try:
                    self._pump(sock)
                except OSError as problem:
                    raise Lost("the daemon ended the connection", "GONE", None, str(problem)) from problem
            note = self.notes.popleft()
            self.held -= len(str(note["params"].get("data", "")))
        return note

    def open(self, session: str) -> None:
        if session not in self._open:
            self.ask("session.open", session=session)
            self._open.add(session)


def _again(connection: _Connection, session: Optional[str], what: Any) -> Any:
    """Once more, on a new connection, when the one that there was ended: for what does no harm twice."""
    for attempt in range(ATTEMPTS):
        try:
            connection.ensure()
            if session is not None:
                connection.open(session)
            return what()
        except Gone as problem:
            if isinstance(problem, Lost):
                connection.close()
            elif session is None or connection.has(session):
                raise  # it is what was asked for that is gone
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


class Client:
    """A connection to your daemon, which is started if it is not there."""

    def __init__(self) -> None:
        self._connection = _Connection()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, session: Optional[str] = None, **params: Any) -> Json:
        given = dict(params, session=session) if session is not None else params
        answer: Json = _again(self._connection, session, lambda: self._connection.ask(method, **given))
        return answer

    def status(self) -> Json:
        return self._ask("daemon.status")

    def sessions(self) -> Iterator[Json]:
        after: Optional[str] = None
        while True:
            page: Json = _again(self._connection, None, lambda after=after: self._connection.ask("session.list", after=after))
            yield from page["sessions"]
            if not page["more"]:
                return
            after = page["sessions"][-1]["session"]

    def new(self, workspace: Union[str, "os.PathLike[str]", None] = None, grants: Sequence[Union[str, Mapping[str, Any]]] = (),
            policy: Union[str, Mapping[str, Any], None] = None, presets: Sequence[str] = (), env: Optional[Mapping[str, str]] = None,
            limits: Optional[Mapping[str, str]] = None, agent: Optional[str] = None, changes: Optional[str] = None, strict: bool = False,
            key: Optional[str] = None, **more: Any) -> "Session":
        """Makes a session. Grants are texts as on the command line ("work .") or mappings as in a policy ({"work": "."})."""
        params = _wire.session_params(workspace, grants, policy, presets, env, limits, agent, changes, strict, key or f"python-{uuid.uuid4()}", more)
        row: Json = _again(self._connection, None, lambda: self._connection.ask("session.new", **params))
        return Session(self, str(row["session"]))

    def open(self, session: str) -> "Session":
        """A session that is there."""
        _again(self._connection, session, lambda: None)
        return Session(self, session)


class Session:
    """Events that share grants and a workspace. `with client.new(...) as s:` ends it; without `with` it stays, and is found again by its id."""

    def __init__(self, client: Client, session: str) -> None:
        self.client, self.id = client, session

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.end()

    def end(self) -> None:
        """Ends what runs; results stay for their time."""
        self.client._ask("session.end", self.id)

    def run(self, argv: Sequence[Argument], *, timeout: Optional[float] = None, env: Optional[Mapping[str, str]] = None,
            limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, input: Union[str, bytes, None] = None,
            key: Optional[str] = None, check: bool = False) -> Result:
        """Runs a command to its end. What was begun is never begun twice: it has a key, yours or one of its own, and is asked for again by that if the daemon dies."""
        if input is not None:
            with self.start(argv, timeout=timeout, env=env, limits=limits, changes=changes, strict=strict, input=True, key=key) as event:
                event.write(input, end=True)
                result = event.wait()
            return result.check() if check else result
        params = _wire.run_params(self.id, argv, env, limits, timeout, changes, strict, False, key or f"python-{uuid.uuid4()}")
        connection = self.client._connection
        answer: Json = _again(connection, self.id, lambda: connection.ask("event.run", wait=True, follow=False, **params))
        row = answer["row"]
        result = _wire.result_of(self.id, row, self.read(row["n"], "stdout", row["stdout_bytes"]), self.read(row["n"], "stderr", row["stderr_bytes"]),
                                 bool(answer["replayed"]))
        return result.check() if check else result

    def start(self, argv: Sequence[Argument], *, timeout: Optional[float] = None, env: Optional[Mapping[str, str]] = None,
              limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, input: bool = False, background: bool = False,
              key: Optional[str] = None) -> "Event":
        """Begins a command, on a connection of its own: what it writes comes as you take it."""
        params = _wire.run_params(self.id, argv, env, limits, timeout, changes, strict, background, key or f"python-{uuid.uuid4()}")
        connection = _Connection()
        answer: Json = _again(connection, self.id, lambda: connection.ask("event.run", input=input or None, **params))
        return Event(self, connection, int(answer["n"]), str(answer["event"]))

    def follow(self, n: int, stdout: int = 0, stderr: int = 0) -> "Event":
        """An event that is there, from these bytes on."""
        event = Event(self, _Connection(), n, str(self.event(n)["event"]), stdout, stderr)
        event._follow()
        return event

    def event(self, n: int) -> Json:
        return self.client._ask("event.show", self.id, n=n)

    def events(self, first: int = 1) -> Iterator[Json]:
        while True:
            page = self.client._ask("event.list", self.id, **{"from": first})
            yield from page["events"]
            if not page["more"]:
                return
            first = int(page["events"][-1]["n"]) + 1

    def read(self, n: int, stream: str, size: int, offset: int = 0) -> bytes:
        """What is kept of an event: "stdout", "stderr" or "record"."""
        pieces: List[bytes] = []
        while size > 0:
            page = self.client._ask("event.read", self.id, n=n, stream=stream, offset=offset, bytes=min(size, PAGE))
            data = _wire.take_data(page["data"])
            if not data:
                break
            pieces.append(data)
            offset, size = offset + len(data), size - len(data)
        return b"".join(pieces)

    def record(self, n: int) -> bytes:
        """The record of an event that is over, JSON (doc/RECORD.md)."""
        return self.read(n, "record", 1 << 40)


class Event:
    """A command that runs. Iterating gives what it writes, in order for each stream; it goes on when you leave."""

    def __init__(self, session: Session, connection: _Connection, n: int, event: str, stdout: int = 0, stderr: int = 0) -> None:
        self.session, self.n, self.id = session, n, event
        self._connection = connection
        self._at = {"stdout": stdout, "stderr": stderr}
        self._row: Optional[Json] = None
        self._on = connection.made  # the connection on which it is followed; 0: none, since too much was held

    def __enter__(self) -> "Event":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self._connection.close()

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, **params: Any) -> Json:
        answer: Json = _again(self._connection, self.session.id, lambda: self._connection.ask(method, session=self.session.id, n=self.n, **params))
        if self._connection.held > _wire.HELD_MAX and self._on != 0:
            self._connection.ask("event.unfollow", session=self.session.id, n=self.n)
            self._connection.notes.clear()
            self._connection.held, self._on = 0, 0
        return answer

    def _follow(self) -> None:
        _again(self._connection, self.session.id, lambda: self._connection.ask("event.follow", session=self.session.id, n=self.n, **self._at))
        self._on = self._connection.made

    def __iter__(self) -> Iterator[Chunk]:
        while self._row is None:
            if self._on != self._connection.made:
                self._follow()
            try:
                note = self._connection.note()
            except Lost:
                self._connection.close()
                self._follow()
                continue
            params = note["params"]
            if note["method"] in ("session.lost", "event.lost", "daemon.lost"):
                self._connection.close()
                self._follow()
            elif note["method"] == "event.ended" and params["n"] == self.n:
                self._row = params
            elif note["method"] == "event.output" and params["n"] == self.n and params["offset"] == self._at[params["stream"]]:
                data = _wire.take_data(params["data"])
                self._at[params["stream"]] += len(data)
                yield Chunk(params["stream"], params["offset"], data)

    def wait(self) -> Result:
        """To its end, with what it wrote and was not taken yet."""
        pieces: Dict[str, List[bytes]] = {"stdout": [], "stderr": []}
        for chunk in self:
            pieces[chunk.stream].append(chunk.data)
        assert self._row is not None
        return _wire.result_of(self.session.id, self._row, b"".join(pieces["stdout"]), b"".join(pieces["stderr"]))

    def write(self, data: Union[str, bytes], end: bool = False) -> None:
        """Standard input, of an event that was started with `input=True`; waits until the program's pipe has taken it."""
        raw = data.encode() if isinstance(data, str) else data
        for at in range(0, max(1, len(raw)), PAGE):
            piece = raw[at:at + PAGE]
            last = at + PAGE >= len(raw)
            try:
                self._ask("event.input", data=_wire.put_data(piece) if piece else None, end=(end and last) or None)
            except Gone as problem:
                if "takes no" in problem.message:
                    return  # it reads no more, as with a pipe whose reader went
                raise

    def end_input(self) -> None:
        self._ask("event.input", end=True)

    def signal(self, number: Union[int, str, signals.Signals]) -> None:
        self._ask("event.signal", signal=int(number) if not isinstance(number, str) else number)

    def cancel(self) -> None:
        self._ask("event.cancel")

    def record(self) -> bytes:
        return self.session.record(self.n)
