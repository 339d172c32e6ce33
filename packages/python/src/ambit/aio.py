"""The client for asyncio: the same names as `ambit`, awaited. One connection of a `Client` serves many tasks. No event loop survives a fork, and no client of one."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from types import TracebackType
from typing import Any, AsyncIterator, Dict, List, Mapping, Optional, Sequence, Tuple, Type, Union

from . import _delegate, _wire
from ._delegate import Delegated
from ._tasks import Connection, again, nothing, once
from ._wire import Argument, Chunk, Duration, Grant, Halted, Json, Result, Signal
from .code import RESULT_MAX, CodeResult, code_result
from .client import NOWHERE
from .errors import AmbitError, Gone, Lost, Malformed
from .kernel import StepResult, missing, run_params, start_params, step_result

__all__ = ["Client", "Event", "Kernel", "Session", "delegate"]


class Client:
    """As `ambit.Client`."""

    def __init__(self, *, patience: float = _wire.ANSWER_SECONDS) -> None:
        self._patience = patience
        self._connection = Connection(patience, False)

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        await self._connection.closed()

    def close(self) -> None:
        self._connection.close()

    async def _ask(self, method: str, session: Optional[str] = None, **params: Any) -> Json:
        given = dict(params, session=session) if session is not None else params
        return await again(self._connection, session, lambda: self._connection.ask(method, given))

    async def _kill(self, session: Optional[str], **params: Any) -> Halted:
        given = {"session": session, **params}
        return _wire.halted_of(await once(self._connection, session, partial(self._connection.ask, "kill", given)))

    async def freeze_all(self, reason: Optional[str] = None) -> Halted:
        return _wire.halted_of(await self._ask("freeze", everything=True, reason=reason))

    async def thaw_all(self) -> Halted:
        return _wire.halted_of(await self._ask("thaw", everything=True))

    async def kill_all(self, reason: Optional[str] = None, keep_frozen: bool = False) -> Halted:
        return await self._kill(None, everything=True, reason=reason, keep_frozen=keep_frozen or None)

    async def status(self) -> Json:
        return await self._ask("daemon.status")

    async def sessions(self) -> AsyncIterator[Json]:
        after: Optional[str] = None
        more = True
        while more:
            found, more = _wire.rows(await self._ask("session.list", after=after), "sessions")
            for row in found:
                yield row
            after = _wire.part(found[-1], "session", str) if more else None

    async def new(self, workspace: Union[str, "os.PathLike[str]", None] = None, grants: Sequence[Grant] = (), policy: Union[str, Mapping[str, Any], None] = None,
                  presets: Sequence[str] = (), env: Optional[Mapping[str, str]] = None, limits: Optional[Mapping[str, str]] = None, agent: Optional[str] = None,
                  changes: Optional[str] = None, strict: bool = False, key: Optional[str] = None, **more: Any) -> "Session":
        return await Session(workspace, grants, policy, presets, env, limits, agent, changes, strict, key, client=self, **more).make()

    async def open(self, session: str) -> "Session":
        await again(self._connection, session, nothing)
        found = Session.__new__(Session)
        found.client, found._id, found._own, found._params = self, session, False, {}
        return found


class Session:
    """As `ambit.Session`: made by `async with Session(...) as s:`, which ends it, or by `await Session(...).make()`."""

    client: Client

    def __init__(self, workspace: Union[str, "os.PathLike[str]", None] = None, grants: Sequence[Grant] = (), policy: Union[str, Mapping[str, Any], None] = None,
                 presets: Sequence[str] = (), env: Optional[Mapping[str, str]] = None, limits: Optional[Mapping[str, str]] = None, agent: Optional[str] = None,
                 changes: Optional[str] = None, strict: bool = False, key: Optional[str] = None, *, client: Optional[Client] = None, **more: Any) -> None:
        self._params = _wire.session_params(workspace, grants, policy, presets, env, limits, agent, changes, strict, key, more)
        self.client, self._own = client or Client(), client is None
        self._id: Optional[str] = None

    @property
    def id(self) -> str:
        if self._id is None:
            raise Malformed("the session is not made yet", "USAGE", "async with Session(...) as s, or await Session(...).make()")
        return self._id

    async def make(self) -> "Session":
        if self._id is None:
            self._id = _wire.part(await self.client._ask("session.new", **self._params), "session", str)
        return self

    async def __aenter__(self) -> "Session":
        return await self.make()

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        try:
            await self.end()
        finally:
            if self._own:
                await self.client._connection.closed()

    async def end(self) -> None:
        await self.client._ask("session.end", self.id)

    def close(self) -> None:
        if self._own:
            self.client.close()

    async def freeze(self, reason: Optional[str] = None) -> Halted:
        return _wire.halted_of(await self.client._ask("freeze", self.id, reason=reason))

    async def thaw(self) -> Halted:
        return _wire.halted_of(await self.client._ask("thaw", self.id))

    async def kill(self, reason: Optional[str] = None, keep_frozen: bool = False) -> Halted:
        return await self.client._kill(self.id, reason=reason, keep_frozen=keep_frozen or None)

    async def show(self) -> Json:
        return await self.client._ask("session.show", self.id)

    async def run(self, argv: Sequence[Argument], *, timeout: Optional[Duration] = None, env: Optional[Mapping[str, str]] = None,
                  limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, on_conflict: Optional[str] = None, labels: Optional[Sequence[str]] = (),
                  input: Union[str, bytes, None] = None, background: bool = False, key: Optional[str] = None, check: bool = False) -> Result:
        """Runs a command to its end; with `background` beside the session's others, so that several can be awaited at once. When the task is cancelled, an event
        without a key of yours is cancelled, since nobody would find it; one with a key goes on."""
        params = _wire.run_params(self.id, argv, env, limits, timeout, changes, strict, background, on_conflict, labels, key)
        result, _ = await self._run("event.run", params, input, key)
        return result.check() if check else result

    async def code(self, language: str, source: Union[str, bytes], *, timeout: Optional[Duration] = None, env: Optional[Mapping[str, str]] = None,
                   limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, on_conflict: Optional[str] = None, labels: Optional[Sequence[str]] = (),
                   input: Union[str, bytes, None] = None, background: bool = False, key: Optional[str] = None, check: bool = False) -> CodeResult:
        """As `ambit.Session.code`."""
        params = _wire.code_params(self.id, language, source, env, limits, timeout, changes, strict, background, on_conflict, labels, key)
        found = code_result(*await self._run("event.code", params, input, key))
        if check:
            found.check()
        return found

    async def python(self, source: Union[str, bytes], **how: Any) -> CodeResult:
        return await self.code("python", source, **how)

    async def node(self, source: Union[str, bytes], **how: Any) -> CodeResult:
        return await self.code("node", source, **how)

    async def shell(self, source: Union[str, bytes], **how: Any) -> CodeResult:
        return await self.code("shell", source, **how)

    async def kernel(self, language: str = "python", *, name: Optional[str] = None, idle: Optional[Duration] = None, env: Optional[Mapping[str, str]] = None,
                     limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, on_conflict: Optional[str] = None, labels: Optional[Sequence[str]] = (),
                     key: Optional[str] = None) -> "Kernel":
        """As `ambit.Session.kernel`: `async with await session.kernel("python") as k`."""
        params = start_params(self.id, language, name, idle, env, limits, changes, strict, on_conflict, labels, key)
        answer = await self.client._ask("kernel.start", **{**params, "session": self.id})
        return Kernel(self, language, _wire.part(answer, "n", int), _wire.part(answer, "event", str), bool(answer.get("replayed")))

    async def _run(self, method: str, params: Json, input: Union[str, bytes, None], key: Optional[str]) -> Tuple[Result, bytes]:
        if input is not None:
            async with await self._start(method, params, True) as event:
                try:
                    await event.write(input, end=True)
                    ended = await event.wait()
                    size = min(RESULT_MAX, _wire.part(ended.row, "result_bytes", int)) if method == "event.code" else 0
                    return ended, await self.read(ended.n, "result", size)
                except asyncio.CancelledError:
                    if key is None:
                        await asyncio.shield(event.cancel())
                    raise
        connection = self.client._connection
        try:
            answer = await again(connection, self.id, lambda: connection.ask(method, {**params, "wait": True, "follow": False, "output": True}, True))
        except asyncio.CancelledError:
            if key is None:
                await asyncio.shield(self._give_up(method, params))
            raise
        row = _wire.part(answer, "row", dict)
        n = _wire.part(row, "n", int)
        brought = {"result": b""}
        for stream in _wire.STREAMS if method == "event.code" else _wire.STREAMS[:2]:
            given = _wire.brought(answer, row, stream)
            brought[stream] = given if given is not None else await self.read(n, stream, _wire.part(row, stream + "_bytes", int))
        return _wire.whole(_wire.result_of(self.id, row, brought["stdout"], brought["stderr"], bool(answer.get("replayed")))), brought["result"]

    async def _give_up(self, method: str, params: Json) -> None:
        """The same request gives the number of what it began."""
        try:
            n = _wire.part(await self.client._ask(method, follow=False, **{**params, "session": self.id}), "n", int)
            await self.client._ask("event.cancel", self.id, n=n)
        except AmbitError:
            pass  # what is told is the cancellation

    async def start(self, argv: Sequence[Argument], *, timeout: Optional[Duration] = None, env: Optional[Mapping[str, str]] = None,
                    limits: Optional[Mapping[str, str]] = None, changes: Optional[str] = None, strict: bool = False, on_conflict: Optional[str] = None, labels: Optional[Sequence[str]] = (),
                    input: bool = False, terminal: Optional[Tuple[int, int]] = None, background: bool = False, key: Optional[str] = None) -> "Event":
        params = {**_wire.run_params(self.id, argv, env, limits, timeout, changes, strict, background, on_conflict, labels, key), **_wire.terminal_params(terminal)}
        return await self._start("event.run", params, input, terminal is not None)

    async def _start(self, method: str, params: Json, input: bool, terminal: bool = False) -> "Event":
        connection = Connection(self.client._patience, True)
        try:
            answer = await again(connection, self.id, lambda: connection.ask(method, {**params, "input": input or None}))
            return Event(self, connection, _wire.part(answer, "n", int), _wire.part(answer, "event", str), input or terminal, connection.made)
        except BaseException:
            connection.close()
            raise

    async def event(self, n: int) -> "Event":
        row = await self.client._ask("event.show", self.id, n=n)
        takes = bool(row.get("input")) or bool(row.get("terminal"))
        return Event(self, Connection(self.client._patience, True), n, _wire.part(row, "event", str), takes, NOWHERE)

    async def follow(self, n: int, stdout: int = 0, stderr: int = 0) -> "Event":
        event = await self.event(n)
        event._progress.at.update(stdout=stdout, stderr=stderr)
        return event

    async def events(self, first: int = 1) -> AsyncIterator[Json]:
        more = True
        while more:
            found, more = _wire.rows(await self.client._ask("event.list", self.id, **{"from": first}), "events")
            for row in found:
                yield row
            first = _wire.part(found[-1], "n", int) + 1 if more else first

    async def watch(self, first: int = 1) -> AsyncIterator[Result]:
        watched, connection = _wire.Watched(first), Connection(self.client._patience, True)
        progress = _wire.Progress(self.id, 0)
        try:
            while True:
                try:
                    async for row in self._look(watched, connection):
                        result = watched.take(self.id, row)
                        if result is not None:
                            progress.lost = 0
                            yield result
                except Lost as problem:
                    progress.again(problem)
                    connection.close()
        finally:
            connection.close()

    async def _look(self, watched: _wire.Watched, connection: Connection) -> AsyncIterator[Json]:
        first, more, follow = watched.first, True, True
        while more:
            params = {"session": self.id, "from": first, "follow": follow or None}
            found, more = _wire.rows(await again(connection, self.id, partial(connection.ask, "event.list", params)), "events")
            for row in found:
                yield row
            first, follow = _wire.part(found[-1], "n", int) + 1 if more else first, False
        while True:
            note = await connection.note()
            if note is None:
                raise Lost("more changed than there was room for")
            if note["method"] == "session.lost":
                raise Lost("the session's process ended")
            if note["method"] == "event.changed" and note["params"].get("session") == self.id:
                yield note["params"]

    async def read(self, n: int, stream: str, size: int, offset: int = 0) -> bytes:
        found: List[bytes] = []
        while size > 0:
            most = min(size, _wire.PAGE)
            data = _wire.page_of(await self.client._ask("event.read", self.id, n=n, stream=stream, offset=offset, bytes=most), offset, most)
            if not data:
                break
            found.append(data)
            offset, size = offset + len(data), size - len(data)
        return b"".join(found)

    async def changes(self, n: int) -> List[Json]:
        return _wire.changes_of(await self.record(n))

    async def record(self, n: int) -> bytes:
        return await self.read(n, "record", 1 << 40)


class Event:
    """As `ambit.Event`: `async for chunk in event`. One task takes what it writes, others may write to it and signal it meanwhile."""

    def __init__(self, session: Session, connection: Connection, n: int, event: str, takes_input: bool, on: int) -> None:
        self.session, self.n, self.id = session, n, event
        self._connection, self._takes = connection, takes_input
        self._progress = _wire.Progress(session.id, n)
        self._on = on

    async def __aenter__(self) -> "Event":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        await self._connection.closed()

    def close(self) -> None:
        self._connection.close()

    def _params(self, params: Mapping[str, Any]) -> Json:
        return {"session": self.session.id, "n": self.n, **params}

    async def _ask(self, method: str, **params: Any) -> Json:
        return await again(self._connection, self.session.id, lambda: self._connection.ask(method, self._params(params)))

    # ---- what it writes ----

    async def _begin(self) -> None:
        if self._connection.notes.dropped:
            await self._stop()
        await self._connection.ask("event.follow", self._params(self._progress.at))
        self._on = self._connection.made

    async def _stop(self) -> None:
        try:
            await self._connection.ask("event.unfollow", self._params({}))
        except Gone:
            raise
        except AmbitError:
            pass  # it is not followed, since it is over
        self._connection.notes.clear()

    async def _next(self) -> Optional[Chunk]:
        try:
            if self._on != self._connection.made or (self._connection.notes.dropped and len(self._connection.notes) == 0):
                await again(self._connection, self.session.id, self._begin)
            note = await self._connection.note()
            return None if note is None else self._progress.take(note)
        except Lost as problem:
            self._connection.close()
            self._on = NOWHERE
            self._progress.again(problem)
            return None

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        while self._progress.row is None:
            chunk = await self._next()
            if chunk is not None:
                yield chunk
        self._connection.close()  # it is of no more use; whatever is asked next connects again

    def output(self, stdout: int = 0, stderr: int = 0) -> AsyncIterator[Chunk]:
        self._progress = _wire.Progress(self.session.id, self.n, stdout, stderr)
        self._connection.close()
        self._on = NOWHERE
        return self.__aiter__()

    async def lines(self) -> AsyncIterator[Chunk]:
        cutter = _wire.Cutter()
        async for chunk in self:
            for line in cutter.cut(chunk):
                yield line
        for line in cutter.rest():
            yield line

    async def wait(self, check: bool = False) -> Result:
        found: Dict[str, List[bytes]] = {"stdout": [], "stderr": []}
        async for chunk in self:
            found[chunk.stream].append(chunk.data)
        assert self._progress.row is not None
        result = _wire.result_of(self.session.id, self._progress.row, b"".join(found["stdout"]), b"".join(found["stderr"]))
        result = _wire.whole(result, self._progress.at)
        return result.check() if check else result

    async def show(self) -> Result:
        return _wire.result_of(self.session.id, await self._ask("event.show"))

    async def record(self) -> bytes:
        return await self.session.record(self.n)

    # ---- what it is told ----

    async def write(self, data: Union[str, bytes], end: bool = False) -> None:
        if not self._takes:
            raise Malformed("the event takes no input", "USAGE", "start it with input=True")
        for piece in _wire.pieces(data, end):
            try:
                await once(self._connection, self.session.id, partial(self._connection.ask, "event.input", self._params(piece), True))
            except Gone as problem:
                if isinstance(problem, Lost) or not self._connection.has(self.session.id):
                    raise
                return

    async def end_input(self) -> None:
        await self.write(b"", end=True)

    async def send_signal(self, number: Signal) -> None:
        await once(self._connection, self.session.id, partial(self._connection.ask, "event.signal", self._params({"signal": _wire.signal_of(number)})))

    async def resize(self, rows: int, columns: int) -> None:
        await self._ask("event.resize", rows=rows, columns=columns)

    async def freeze(self, reason: Optional[str] = None) -> Halted:
        return _wire.halted_of(await self._ask("freeze", reason=reason))

    async def thaw(self) -> Halted:
        return _wire.halted_of(await self._ask("thaw"))

    async def cancel(self) -> None:
        try:
            await self._ask("event.cancel")
        except Gone as problem:
            if isinstance(problem, Lost) or not self._connection.has(self.session.id):
                raise


class Kernel:
    """As `ambit.Kernel`."""

    def __init__(self, session: Session, language: str, n: int, event: str, replayed: bool) -> None:
        self.session, self.language, self.n, self.id, self.replayed = session, language, n, event, replayed

    async def __aenter__(self) -> "Kernel":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        try:
            await self.end()
        except Gone:
            pass  # a step has ended it

    async def _ask(self, method: str, **params: Any) -> Json:
        return await self.session.client._ask(method, self.session.id, n=self.n, **params)

    async def run(self, source: Union[str, bytes], *, timeout: Optional[Duration] = None, show: bool = False, check: bool = False) -> StepResult:
        """Runs a step to its end. When the task is cancelled, it is broken off."""
        return await self._taken("kernel.run", run_params(source, timeout, show), check)

    async def wait(self, step: int, check: bool = False) -> StepResult:
        return await self._taken("kernel.wait", {"step": step}, check)

    async def _taken(self, method: str, more: Json, check: bool) -> StepResult:
        connection = self.session.client._connection
        params, number = {"session": self.session.id, "n": self.n, **more}, connection.number()
        try:
            answer = await once(connection, self.session.id, partial(connection.ask, method, params, True, number))
        except asyncio.CancelledError:
            try:
                if method == "kernel.run":  # who only waits has begun nothing
                    await asyncio.shield(self._ask("kernel.stop", request=number))
            except AmbitError:
                pass  # what is told is the cancellation
            raise
        read = {stream: await self.session.read(self.n, stream, size, at) for stream, (at, size) in missing(answer).items()}
        result = step_result(self.session.id, self.n, answer, read)
        return result.check() if check else result

    async def stop(self, step: int) -> None:
        await self._ask("kernel.stop", step=step)

    async def end(self, check: bool = False) -> Result:
        connection = self.session.client._connection
        params = {"session": self.session.id, "n": self.n, "wait": True}
        try:
            row = _wire.part(await once(connection, self.session.id, partial(connection.ask, "kernel.end", params, True)), "row", dict)
        except Gone:
            row = await self._ask("event.show")
        result = _wire.result_of(self.session.id, row)
        return result.check() if check else result

    async def cancel(self) -> None:
        await self._ask("event.cancel")

    async def show(self) -> Result:
        return _wire.result_of(self.session.id, await self._ask("event.show"))


async def delegate(argv: Sequence[Argument], *, grants: Sequence[Grant] = (), agent: Optional[str] = None, limits: Optional[Mapping[str, str]] = None,
                   timeout: Optional[Duration] = None, workspace: Union[str, "os.PathLike[str]", None] = None, input: Union[str, bytes, None] = None, background: bool = False) -> Delegated:
    """As `ambit.delegate`. With its task it is cancelled."""
    words = _delegate.command(argv, grants, agent, limits, timeout, workspace, background)
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    except OSError as problem:
        _delegate.cannot(problem)
    try:
        out, err = await process.communicate(_delegate.given(input))
    except asyncio.CancelledError:
        process.kill()
        await asyncio.shield(process.wait())
        raise
    return _delegate.ended(await process.wait(), out, err)
