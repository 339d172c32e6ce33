"""The connection of the client for asyncio: a task reads, and who waits is told."""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Callable, Dict, Mapping, Optional, Set, TypeVar

from . import _place, _wire
from ._wire import Json
from .errors import AmbitError, Gone, Lost, Silent, Untrue, error_of

T = TypeVar("T")


class Connection:
    """Of one event loop at a time; what belongs to a loop is made in it (before Python 3.10 a lock takes the loop that is there when it is made)."""

    def __init__(self, patience: float, keep: bool) -> None:
        """`keep`: notes are for somebody, who takes them."""
        self._patience, self._keep = patience, keep
        self.made = 0  # connections, ever
        self.notes = _wire.Notes()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._writer: Optional[asyncio.StreamWriter] = None

    def _of_this_loop(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._writer = loop, None
            self._opening, self._sending = asyncio.Lock(), asyncio.Lock()
            self._news, self._room = asyncio.Event(), asyncio.Event()
            self._task: "Optional[asyncio.Task[None]]" = None
            self._number = 0
            self._adopt(None)

    def _adopt(self, writer: Optional[asyncio.StreamWriter]) -> None:
        self._writer = writer
        self._asked: "Dict[int, asyncio.Future[Json]]" = {}
        self._ignored: Set[int] = set()  # whose answer nobody waits for any more
        self._open: Set[str] = set()
        self._why: Optional[AmbitError] = None
        self.notes.clear()

    # ---- its beginning and end ----

    async def ensure(self) -> None:
        self._of_this_loop()
        async with self._opening:
            if self._writer is not None:
                return
            sock = await asyncio.get_running_loop().run_in_executor(None, _place.connect)
            try:
                reader, writer = await asyncio.open_unix_connection(sock=sock)
            except BaseException:
                sock.close()
                raise
            self._adopt(writer)
            self.made += 1
            self._task = asyncio.get_running_loop().create_task(self._read(reader, writer))
            try:
                if (await self.ask("hello", {"protocol": _wire.PROTOCOL})).get("protocol") != _wire.PROTOCOL:
                    raise Untrue("the daemon speaks another protocol")
            except BaseException:
                self._lose(writer, None)
                raise

    def close(self) -> None:
        self._lose(self._writer, None)

    async def closed(self) -> None:
        writer = self._writer
        self.close()
        if writer is not None:
            try:
                await writer.wait_closed()
            except OSError:
                pass

    def _lose(self, writer: Optional[asyncio.StreamWriter], why: Optional[AmbitError]) -> None:
        if writer is None or self._writer is not writer or self._loop is None or self._loop.is_closed():
            return
        self._writer, self._why = None, why
        writer.close()
        if self._task is not None:
            self._task.cancel()
        for future in self._asked.values():
            if not future.done():
                future.set_exception(self._lost())
                future.exception()  # whether somebody still waits for it or not
        self._asked.clear()
        self._news.set()
        self._room.set()

    def _lost(self) -> AmbitError:
        return self._why or Lost("the daemon ended the connection")

    def has(self, session: str) -> bool:
        return self._writer is not None and session in self._open

    async def open(self, session: str) -> None:
        if session not in self._open:
            await self.ask("session.open", {"session": session})
            self._open.add(session)

    # ---- what comes ----

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """While nobody waits for an answer no more is read than somebody takes: the daemon waits with the rest."""
        lines = _wire.Lines()
        try:
            while True:
                piece = await reader.read(1 << 16)
                if not piece:
                    raise Lost("the daemon ended the connection")
                for line in lines.feed(piece):
                    self._take(_wire.take_line(line))
                while self.notes.held > _wire.HELD_ENOUGH and not self._asked:
                    self._room.clear()
                    await self._room.wait()
        except AmbitError as problem:
            self._lose(writer, problem)
        except (OSError, ValueError) as problem:
            self._lose(writer, Lost("the daemon ended the connection", "GONE", None, str(problem)))

    def _take(self, message: Json) -> None:
        number = message.get("id")
        if isinstance(number, int):
            future = self._asked.pop(number, None)
            if future is None and number not in self._ignored:
                raise Untrue("the daemon answered what was not asked")
            self._ignored.discard(number)
            if future is not None and not future.done():
                future.set_result(message)
            return
        method = message.get("method")
        if method is None:
            raise error_of(message["error"])
        if method == "daemon.lost":
            raise Lost("the daemon ended")
        if method == "session.lost":
            self._open.discard(str(message["params"].get("session")))
        if self._keep:
            self.notes.add(message, len(str(message["params"].get("data", ""))))
            self._news.set()

    # ---- what is asked ----

    def number(self) -> int:
        """By which a request is known: for who has to name it later, on whatever connection."""
        self._of_this_loop()
        self._number += 1
        return self._number

    async def ask(self, method: str, params: Mapping[str, Any], unbounded: bool = False, number: Optional[int] = None) -> Json:
        """`unbounded`: the answer waits for a program."""
        number = self.number() if number is None else number
        if unbounded:
            return await self._ask(method, params, number)
        try:
            return await asyncio.wait_for(self._ask(method, params, number), self._patience)
        except asyncio.TimeoutError:
            silent = Silent()
            self._lose(self._writer, silent)
            raise silent from None

    async def _ask(self, method: str, params: Mapping[str, Any], number: int) -> Json:
        asked = self._asked
        line = _wire.put_line(number, method, params)
        writer = self._writer
        if writer is None:
            raise self._lost()
        future: "asyncio.Future[Json]" = asyncio.get_running_loop().create_future()
        asked[number] = future
        self._room.set()
        try:
            async with self._sending:
                if self._writer is not writer:
                    raise self._lost()
                writer.write(line)
                await writer.drain()
            return _wire.answer_of(await future)
        except OSError as problem:
            lost = Lost("the daemon ended the connection", "GONE", None, str(problem))
            self._lose(writer, lost)
            raise lost from problem
        finally:
            if asked.pop(number, None) is not None and asked is self._asked:
                self._ignored.add(number)

    async def note(self) -> Optional[Json]:
        """The next that is told; None when what came was dropped for want of room."""
        while len(self.notes) == 0:
            if self.notes.dropped:
                return None
            if self._writer is None:
                raise self._lost()
            self._news.clear()
            await self._news.wait()
        note = self.notes.take()
        self._room.set()
        return note


async def nothing() -> None:
    return None


async def again(connection: Connection, session: Optional[str], what: Callable[[], Awaitable[T]]) -> T:
    """Once more, on a new connection, when the one that there was ended: for what does no harm twice."""
    for attempt in range(_wire.ATTEMPTS):
        try:
            await connection.ensure()
            if session is not None:
                await connection.open(session)
            return await what()
        except (Untrue, Silent):
            raise
        except Gone as problem:
            if not isinstance(problem, Lost) and (session is None or connection.has(session)):
                raise  # it is what was asked for that is gone
            if attempt == _wire.ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.05 * attempt)
    raise AssertionError


async def once(connection: Connection, session: Optional[str], what: Callable[[], Awaitable[T]]) -> T:
    """For what would do harm twice: nothing of it is repeated once it may have arrived."""
    await again(connection, session, nothing)
    try:
        return await what()
    except Lost as problem:
        raise Lost("the connection ended, and whether the event got it is not known", problem.code, "ask how the event is", problem.message) from problem
