"""The connection of the client that waits. Requests of several threads are in flight at once; a thread that waits, and finds nobody reading, reads for all."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
import weakref
from typing import Any, Callable, Dict, Mapping, Optional, Set, TypeVar

from . import _place, _wire
from ._wire import Json
from .errors import AmbitError, Gone, Lost, Silent, Untrue, error_of

T = TypeVar("T")
LOOK_AGAIN = 50  # milliseconds, of who has more to send and does not read


class Connection:
    def __init__(self, patience: float, keep: bool) -> None:
        """`keep`: notes are for somebody, who takes them."""
        self._patience, self._keep = patience, keep
        self.made = 0  # connections, ever
        self.notes = _wire.Notes()
        self._sock: Optional[socket.socket] = None
        self._begin_anew()
        _ALL.add(self)

    def _begin_anew(self) -> None:
        """Also in the child of a fork, where other threads are not, and their locks are nobody's. What is sent by the parent stays its own."""
        if self._sock is not None:
            self._sock.close()
        self._lock = threading.Condition()
        self._opening, self._sending = threading.Lock(), threading.Lock()
        self._number = 0
        self._adopt(None)

    def _adopt(self, sock: Optional[socket.socket]) -> None:
        self._sock, self._lines, self._reading = sock, _wire.Lines(), False
        self._asked: Dict[int, Optional[Json]] = {}  # and the answer, when it came
        self._ignored: Set[int] = set()  # whose answer nobody waits for any more
        self._open: Set[str] = set()
        self._why: Optional[AmbitError] = None
        self.notes.clear()

    # ---- its beginning and end ----

    def ensure(self) -> None:
        with self._opening:
            with self._lock:
                if self._sock is not None:
                    return
            sock = _place.connect()
            with self._lock:
                self._adopt(sock)
                self.made += 1
            try:
                if self.ask("hello", {"protocol": _wire.PROTOCOL}).get("protocol") != _wire.PROTOCOL:
                    raise Untrue("the daemon speaks another protocol")
            except BaseException:
                self._lose(sock, None)
                raise

    def close(self) -> None:
        self._lose(self._sock, None)

    def _lose(self, sock: Optional[socket.socket], why: Optional[AmbitError]) -> None:
        with self._lock:
            if sock is not None and self._sock is sock:
                self._sock, self._why = None, why
                try:
                    sock.shutdown(socket.SHUT_RDWR)  # who waits for it wakes up
                except OSError:
                    pass
                sock.close()
            self._lock.notify_all()

    def _lost(self) -> AmbitError:
        return self._why or Lost("the daemon ended the connection")

    def has(self, session: str) -> bool:
        return self._sock is not None and session in self._open

    def open(self, session: str) -> None:
        if session not in self._open:
            self.ask("session.open", {"session": session})
            self._open.add(session)

    # ---- what comes ----

    def _take(self, message: Json) -> None:
        number = message.get("id")
        if isinstance(number, int):
            if number in self._asked and self._asked[number] is None:
                self._asked[number] = message
            elif number in self._ignored:
                self._ignored.discard(number)
            else:
                raise Untrue("the daemon answered what was not asked")
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

    def _await(self, sock: socket.socket, end: Optional[float], sending: bool) -> bool:
        """Until something came. With `sending` until more may be sent, too."""
        left = None if end is None else max(0.0, end - time.monotonic())
        poll = select.poll()
        poll.register(sock, select.POLLIN | (select.POLLOUT if sending else 0))
        found = poll.poll(None if left is None else left * 1000)
        if not found and end is not None:
            raise Silent()
        return any(what & ~select.POLLOUT for _, what in found)

    def _receive(self, sock: socket.socket) -> None:
        try:
            piece = sock.recv(1 << 16)
        except BlockingIOError:
            return
        if not piece:
            raise Lost("the daemon ended the connection")
        with self._lock:
            if self._sock is sock:
                for line in self._lines.feed(piece):
                    self._take(_wire.take_line(line))

    def _pump(self, sock: socket.socket, done: Callable[[], bool], end: Optional[float], sending: bool = False) -> bool:
        """A step towards what is waited for: reading, or waiting for who reads. Whether it is there."""
        mine = False
        try:
            with self._lock:
                if done():
                    return True
                if self._sock is not sock:
                    raise self._lost()
                if self._reading and not sending:
                    self._lock.wait(None if end is None else max(0.0, end - time.monotonic()))
                    if end is not None and time.monotonic() >= end and not done():
                        raise Silent()
                    return False
                if not self._reading:
                    mine = self._reading = True
            if mine and self._await(sock, end, sending):
                self._receive(sock)
            elif not mine:
                select.select([], [sock], [], LOOK_AGAIN / 1000)
        except AmbitError as problem:
            self._lose(sock, problem)
            raise
        except (OSError, ValueError) as problem:
            lost = Lost("the daemon ended the connection", "GONE", None, str(problem))
            self._lose(sock, lost)
            raise lost from problem
        finally:
            if mine:
                with self._lock:
                    if self._sock is sock or self._sock is None:
                        self._reading = False
                    self._lock.notify_all()
        return False

    # ---- what is asked ----

    def _send(self, sock: socket.socket, line: bytes) -> None:
        """The daemon reads nothing while much of what it says waits for us: who sends reads meanwhile."""
        view = memoryview(line)
        with self._sending:
            try:
                while view:
                    try:
                        view = view[sock.send(view):]
                    except BlockingIOError:
                        self._pump(sock, lambda: False, None, sending=True)
            except BaseException as problem:
                if len(view) < len(line) or isinstance(problem, OSError):
                    self._lose(sock, Lost("the daemon ended the connection", "GONE", None, str(problem)))  # half a line is none
                if isinstance(problem, OSError):
                    raise self._lost() from problem
                raise

    def number(self) -> int:
        """By which a request is known: for who has to name it later, on whatever connection."""
        with self._lock:
            self._number += 1
            return self._number

    def ask(self, method: str, params: Mapping[str, Any], unbounded: bool = False, number: Optional[int] = None) -> Json:
        """`unbounded`: the answer waits for a program."""
        end = None if unbounded else time.monotonic() + self._patience
        known = self.number() if number is None else number
        line = _wire.put_line(known, method, params)
        with self._lock:
            sock = self._sock
            if sock is None:
                raise self._lost()
            asked = self._asked
            asked[known] = None
        try:
            self._send(sock, line)
            while not self._pump(sock, lambda: asked[known] is not None, end):
                pass
        finally:
            with self._lock:
                answer = asked.pop(known)
                if answer is None and asked is self._asked:
                    self._ignored.add(known)
        assert answer is not None
        return _wire.answer_of(answer)

    def note(self) -> Optional[Json]:
        """The next that is told; None when what came was dropped for want of room."""
        with self._lock:
            sock = self._sock
            if sock is None:
                raise self._lost()
        while not self._pump(sock, lambda: len(self.notes) > 0 or self.notes.dropped, None):
            pass
        with self._lock:
            return self.notes.take() if len(self.notes) > 0 else None


_ALL: "weakref.WeakSet[Connection]" = weakref.WeakSet()


def _in_child() -> None:
    for connection in list(_ALL):
        connection._begin_anew()


os.register_at_fork(after_in_child=_in_child)


def again(connection: Connection, session: Optional[str], what: Callable[[], T]) -> T:
    """Once more, on a new connection, when the one that there was ended: for what does no harm twice."""
    for attempt in range(_wire.ATTEMPTS):
        try:
            connection.ensure()
            if session is not None:
                connection.open(session)
            return what()
        except (Untrue, Silent):
            raise
        except Gone as problem:
            if not isinstance(problem, Lost) and (session is None or connection.has(session)):
                raise  # it is what was asked for that is gone
            if attempt == _wire.ATTEMPTS - 1:
                raise
            time.sleep(0.05 * attempt)
    raise AssertionError


def once(connection: Connection, session: Optional[str], what: Callable[[], T]) -> T:
    """For what would do harm twice: nothing of it is repeated once it may have arrived."""
    again(connection, session, lambda: None)
    try:
        return what()
    except Lost as problem:
        raise Lost("the connection ended, and whether the event got it is not known", problem.code, "ask how the event is", problem.message) from problem
