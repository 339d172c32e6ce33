"""The client for asyncio: the same names as `ambit`, awaited. One connection of a `Client` serves many tasks."""

from __future__ import annotations

import asyncio
import os
import signal as signals
import uuid
from collections import deque
from types import TracebackType
from typing import Any, AsyncIterator, Awaitable, Callable, Deque, Dict, List, Mapping, Optional, Sequence, Type, TypeVar, Union

from . import _wire
from ._wire import AmbitError, Argument, Chunk, Gone, Json, Lost, Result
from .client import ATTEMPTS, PAGE

T = TypeVar("T")


class _Connection:
    def __init__(self) -> None:
        self._reader: Optional[asyncio.StreamReader] = None
        self._writer: Optional[asyncio.StreamWriter] = None
        self._task: "Optional[asyncio.Task[None]]" = None
        self._number = 0
        self._waiting: "Dict[int, asyncio.Future[Json]]" = {}
        self._open: "set[str]" = set()
        self._made = asyncio.Lock()
        self._news = asyncio.Event()
        self._why: Optional[AmbitError] = None
        self.notes: Deque[Json] = deque()
        self.held = 0
        self.made = 0  # connections, ever

    async def ensure(self) -> None:
        async with self._made:
            if self._writer is not None:
                return
            for started in (False, True):
                try:
                    self._reader, self._writer = await asyncio.open_unix_connection(_wire.socket_path(), limit=_wire.LINE_MAX)
                    break
                except OSError as problem:
                    if started:
                        raise Lost("the daemon cannot be reached", "GONE", None, str(problem)) from problem
                    await asyncio.get_running_loop().run_in_executor(None, _wire.start_daemon)
            self._why = None
            self.made += 1
            self._open.clear()
            self.notes.clear()
            self.held = 0
            self._task = asyncio.get_running_loop().create_task(self._read())
            await self.ask("hello", protocol=_wire.PROTOCOL)

    def has(self, session: str) -> bool:
        return session in self._open

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._lose(Lost("the connection was closed"))

    def _lose(self, why: AmbitError) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = self._task = None
        self._why = why
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(why)
        self._waiting.clear()
        self._news.set()

    async def _read(self) -> None:
        reader = self._reader
        assert reader is not None
        try:
            while True:
                line = await reader.readline()
                if not line.endswith(b"\n"):
                    raise Lost("the daemon ended the connection")
                self._take(_wire.take_line(line))
        except asyncio.CancelledError:
            raise
        except AmbitError as problem:
            self._lose(problem)
        except (OSError, ValueError) as problem:
            self._lose(Lost("the daemon ended the connection", "GONE", None, str(problem)))

    def _take(self, message: Json) -> None:
        number = message.get("id")
        if isinstance(number, int):
            future = self._waiting.pop(number, None)
            if future is None or future.done():
                return
            if "error" in message:
                future.set_exception(_wire.error_of(message["error"]))
            else:
                future.set_result(dict(message.get("result") or {}))
        elif isinstance(message.get("method"), str):
            if message["method"] == "session.lost":
                self._open.discard(message["params"]["session"])
            self.notes.append(message)
            self.held += len(str(message["params"].get("data", "")))
            self._news.set()
        elif message.get("error") is not None:
            raise _wire.error_of(message["error"])

    async def ask(self, method: str, **params: Any) -> Json:
        if self._writer is None:
            raise self._why or Lost("there is no connection")
        self._number += 1
        future: "asyncio.Future[Json]" = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = future
        try:
            self._writer.write(_wire.put_line(self._number, method, params))
            await self._writer.drain()
        except OSError as problem:
            raise Lost("the daemon ended the connection", "GONE", None, str(problem)) from problem
        return await future

    async def note(self) -> Json:
        while not self.notes:
            if self._writer is None:
                raise self._why or Lost("there is no connection")
            self._news.clear()
            await self._news.wait()
        note = self.notes.popleft()
        self.held -= len(str(note["params"].get("data", "")))
        return note

    async def open(self, session: str) -> None:
        if session not in self._open:
            await self.ask("session.open", session=session)
            self._open.add(session)


async def _again(connection: _Connection, session: Optional[str], what: Callable[[], Awaitable[T]]) -> T:
    """Once more, on a new connection, when the one that there was ended: for what does no harm twice."""
    for attempt in range(ATTEMPTS):
        try:
            await connection.ensure()
            if session is not None:
                await connection.open(session)
            return await what()
        except Gone as problem:
            if isinstance(problem, Lost):
                connection.close()
            elif session is None or connection.has(session):
                raise  # it is what was asked for that is gone
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


async def _nothing() -> None:
    return None


class Client:
    """A connection to your daemon, which is started if it is not there."""

    def __init__(self) -> None:
        self._connection = _Connection()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    async def _ask(self, method: str, session: Optional[str] = None, **params: Any) -> Json:
        given = dict(params, session=session) if session is not None else params
        return await _again(self._connection, session, lambda: self._connection.ask(method, **given))

    async def status(self) -> Json:
        return await self._ask("daemon.status")

    async def new(self, workspace: Union[str, "os.PathLike[str]", None] = None, grants: Sequence[Union[str, Mapping[str, Any]]] = (),
                  policy: Union[str, Mapping[str, Any], None] = None, presets: Sequence[str] = (), env: Optional[Mapping[str, str]] = None,
                  limits: Optional[Mapping[str, str]] = None, agent: Optional[str] = None, changes: Optional[str] = None, strict: bool = False,
                  key: Optional[str] = None, **more: Any) -> "Session":
        params = _wire.session_params(workspace, grants, policy, presets, env, limits, agent, changes, strict, key or f"python-{uuid.uuid4()}", more)
        row = await _again(self._connection, None, lambda: self._connection.ask("session.new", **params))
        return Session(self, str(row["session"]))

    async def open(self, session: str) -> "Session":
        await _again(self._connection, session, _nothing)
        return Session(self, session)


class Session:
    """As `ambit.Session`. `async with` ends it."""

    def __init__(self, client: Client, session: str) -> None:
        self.client, self.id = client, session

    async def __aenter__(self) -> "Session":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        await self.end()

    async def end(self) -> None:
        await self.client._ask("session.end", self.id)

    async def run(self, argv: Sequence[Argument], *, timeout: Optional[float] = None, env: Optional[Mapping[str, str]] = None,
                  limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, input: Union[str, bytes, None] = None,
                  background: bool = False, key: Optional[str] = None, check: bool = False) -> Result:
        """Runs a command to its end. With `background` beside the session's others, so that several can be awaited at once."""
        if input is not None:
            async with await self.start(argv, timeout=timeout, env=env, limits=limits, changes=changes, strict=strict, input=True, background=background,
                                        key=key) as event:
                await event.write(input, end=True)
                result = await event.wait()
            return result.check() if check else result
        params = _wire.run_params(self.id, argv, env, limits, timeout, changes, strict, background, key or f"python-{uuid.uuid4()}")
        connection = self.client._connection
        answer = await _again(connection, self.id, lambda: connection.ask("event.run", wait=True, follow=False, **params))
        row = answer["row"]
        result = _wire.result_of(self.id, row, await self.read(row["n"], "stdout", row["stdout_bytes"]),
                                 await self.read(row["n"], "stderr", row["stderr_bytes"]), bool(answer["replayed"]))
        return result.check() if check else result

    async def start(self, argv: Sequence[Argument], *, timeout: Optional[float] = None, env: Optional[Mapping[str, str]] = None,
                    limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, input: bool = False,
                    background: bool = False, key: Optional[str] = None) -> "Event":
        params = _wire.run_params(self.id, argv, env, limits, timeout, changes, strict, background, key or f"python-{uuid.uuid4()}")
        connection = _Connection()
        answer = await _again(connection, self.id, lambda: connection.ask("event.run", input=input or None, **params))
        return Event(self, connection, int(answer["n"]), str(answer["event"]))

    async def follow(self, n: int, stdout: int = 0, stderr: int = 0) -> "Event":
        event = Event(self, _Connection(), n, str((await self.event(n))["event"]), stdout, stderr)
        await event._follow()
        return event

    async def event(self, n: int) -> Json:
        return await self.client._ask("event.show", self.id, n=n)

    async def events(self, first: int = 1) -> AsyncIterator[Json]:
        while True:
            page = await self.client._ask("event.list", self.id, **{"from": first})
            for row in page["events"]:
                yield row
            if not page["more"]:
                return
            first = int(page["events"][-1]["n"]) + 1

    async def read(self, n: int, stream: str, size: int, offset: int = 0) -> bytes:
        pieces: List[bytes] = []
        while size > 0:
            page = await self.client._ask("event.read", self.id, n=n, stream=stream, offset=offset, bytes=min(size, PAGE))
            data = _wire.take_data(page["data"])
            if not data:
                break
            pieces.append(data)
            offset, size = offset + len(data), size - len(data)
        return b"".join(pieces)

    async def record(self, n: int) -> bytes:
        return await self.read(n, "record", 1 << 40)


class Event:
    """As `ambit.Event`: `async for chunk in event`."""

    def __init__(self, session: Session, connection: _Connection, n: int, event: str, stdout: int = 0, stderr: int = 0) -> None:
        self.session, self.n, self.id = session, n, event
        self._connection = connection
        self._at = {"stdout": stdout, "stderr": stderr}
        self._row: Optional[Json] = None
        self._on = connection.made

    async def __aenter__(self) -> "Event":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self._connection.close()

    def close(self) -> None:
        self._connection.close()

    async def _ask(self, method: str, **params: Any) -> Json:
        answer = await _again(self._connection, self.session.id, lambda: self._connection.ask(method, session=self.session.id, n=self.n, **params))
        if self._connection.held > _wire.HELD_MAX and self._on != 0:
            await self._connection.ask("event.unfollow", session=self.session.id, n=self.n)
            self._connection.notes.clear()
            self._connection.held, self._on = 0, 0
        return answer

    async def _follow(self) -> None:
        await _again(self._connection, self.session.id,
                     lambda: self._connection.ask("event.follow", session=self.session.id, n=self.n, **self._at))
        self._on = self._connection.made

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        while self._row is None:
            if self._on != self._connection.made:
                await self._follow()
            try:
                note = await self._connection.note()
            except Lost:
                self._connection.close()
                await self._follow()
                continue
            params = note["params"]
            if note["method"] in ("session.lost", "event.lost", "daemon.lost"):
                self._connection.close()
                await self._follow()
            elif note["method"] == "event.ended" and params["n"] == self.n:
                self._row = params
            elif note["method"] == "event.output" and params["n"] == self.n and params["offset"] == self._at[params["stream"]]:
                data = _wire.take_data(params["data"])
                self._at[params["stream"]] += len(data)
                yield Chunk(params["stream"], params["offset"], data)

    async def wait(self) -> Result:
        pieces: Dict[str, List[bytes]] = {"stdout": [], "stderr": []}
        async for chunk in self:
            pieces[chunk.stream].append(chunk.data)
        assert self._row is not None
        return _wire.result_of(self.session.id, self._row, b"".join(pieces["stdout"]), b"".join(pieces["stderr"]))

    async def write(self, data: Union[str, bytes], end: bool = False) -> None:
        raw = data.encode() if isinstance(data, str) else data
        for at in range(0, max(1, len(raw)), PAGE):
            piece = raw[at:at + PAGE]
            last = at + PAGE >= len(raw)
            try:
                await self._ask("event.input", data=_wire.put_data(piece) if piece else None, end=(end and last) or None)
            except Gone as problem:
                if "takes no" in problem.message:
                    return
                raise

    async def end_input(self) -> None:
        await self._ask("event.input", end=True)

    async def signal(self, number: Union[int, str, signals.Signals]) -> None:
        await self._ask("event.signal", signal=int(number) if not isinstance(number, str) else number)

    async def cancel(self) -> None:
        await self._ask("event.cancel")

    async def record(self) -> bytes:
        return await self.session.record(self.n)
