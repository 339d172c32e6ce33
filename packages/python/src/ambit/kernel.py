"""Kernels: code that finds what the code before it left (doc/CODE.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, Sequence, Tuple, Type, Union

from . import _wire
from ._link import once
from ._wire import Duration, Json, Result
from .code import CodeError, Display, said_by
from .errors import AmbitError, Gone, Malformed, StepFailed

if TYPE_CHECKING:
    from .client import Session

ENDS = ("ok", "error", "exit", "ended", "never")


@dataclass(frozen=True)
class StepResult:
    """How a step of a kernel ended, as CodeResult of a whole event. `end`: "ok", "error" (an exception that nobody caught), "exit" (it asked for the kernel's end), "ended" (the kernel
    ended with it) or "never" (it did not run)."""

    session: str
    n: int  # of the kernel
    step: int
    end: str
    stdout: bytes = b""
    stderr: bytes = b""
    stopped: bool = False
    timed_out: bool = False
    value: Any = None
    value_text: Optional[str] = None
    value_type: Optional[str] = None
    error: Optional[CodeError] = None
    displays: Tuple[Display, ...] = ()
    cut: bool = False
    document: Dict[str, Any] = field(default_factory=dict, repr=False)
    row: Json = field(default_factory=dict, repr=False)  # all that doc/PROTOCOL.md says of it

    @property
    def ok(self) -> bool:
        return self.end == "ok"

    @property
    def text(self) -> str:
        """Standard output; what is no UTF-8 is replaced."""
        return self.stdout.decode(errors="replace")

    def check(self) -> "StepResult":
        if not self.ok:
            raise StepFailed(self)
        return self


def start_params(session: str, language: str, name: Optional[str], idle: Optional[Duration], env: Optional[Mapping[str, str]], limits: Optional[Mapping[str, str]],
                 changes: Optional[str], strict: bool, on_conflict: Optional[str], labels: Optional[Sequence[str]], key: Optional[str]) -> Json:
    return {"session": session, "language": language, "name": name, "idle": _wire.duration(idle, "idle"), "env": _wire.environment(env), "limits": dict(limits) if limits else None,
            "changes": changes, "strict": strict or None, "on_conflict": on_conflict, "labels": _wire.given(labels), "key": key or _wire.own_key()}


def run_params(source: Union[str, bytes], timeout: Optional[Duration], show: bool) -> Json:
    if not isinstance(source, (str, bytes)):
        raise Malformed("a source is a text", "USAGE", "run(pathlib.Path(name).read_text())")
    return {"source": _wire.put_data(source), "timeout": _wire.duration(timeout, "timeout"), "show": show or None}


def missing(answer: Json) -> Dict[str, Tuple[int, int]]:
    """Of each stream that the answer did not bring, where it is, and how long."""
    found = {}
    for stream in _wire.STREAMS:
        size = _wire.part(answer, stream + "_bytes", int)
        if _wire.brought(answer, answer, stream) is None:
            found[stream] = (_wire.part(answer, stream + "_at", int), size)
    return found


def step_result(session: str, n: int, answer: Json, read: Mapping[str, bytes]) -> StepResult:
    said = {stream: read[stream] if stream in read else _wire.brought(answer, answer, stream) or b"" for stream in _wire.STREAMS}
    end = _wire.part(answer, "end", str)
    found = said_by(said["result"])
    found["cut"] = found["cut"] or answer.get("cut") is True
    return StepResult(session, n, _wire.part(answer, "step", int), end if end in ENDS else "ended", said["stdout"], said["stderr"], answer.get("stopped") is True,
                      answer.get("timed_out") is True, row=answer, **found)


class Kernel:
    """An interpreter that takes one piece of code after the other, in one memory. `with session.kernel("python") as k:` ends it, and commits what it changed; without `with` it stays until
    nobody has used it for long, and is found again by its name."""

    def __init__(self, session: "Session", language: str, n: int, event: str, replayed: bool) -> None:
        self.session, self.language, self.n, self.id, self.replayed = session, language, n, event, replayed

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        try:
            self.end()
        except Gone:
            pass  # a step has ended it

    def _ask(self, method: str, **params: Any) -> Json:
        return self.session.client._ask(method, self.session.id, n=self.n, **params)

    def run(self, source: Union[str, bytes], *, timeout: Optional[Duration] = None, show: bool = False, check: bool = False) -> StepResult:
        """Runs a step to its end. `timeout`: seconds, or a text as "30s", after which it is broken off. Interrupted (Ctrl-C), it is broken off, too. What may have begun is not begun twice."""
        connection = self.session.client._connection
        params = {"session": self.session.id, "n": self.n, **run_params(source, timeout, show)}
        number = connection.number()
        return self._taken(lambda: once(connection, self.session.id, lambda: connection.ask("kernel.run", params, True, number)), check, number)

    def wait(self, step: int, check: bool = False) -> StepResult:
        """How a step ended, for whoever has lost the answer."""
        connection = self.session.client._connection
        params = {"session": self.session.id, "n": self.n, "step": step}
        return self._taken(lambda: once(connection, self.session.id, lambda: connection.ask("kernel.wait", params, True)), check)

    def _taken(self, ask: Callable[[], Json], check: bool, number: Optional[int] = None) -> StepResult:
        try:
            answer = ask()
        except BaseException as problem:
            if number is not None and not isinstance(problem, Exception):  # who only waits has begun nothing
                try:
                    self._ask("kernel.stop", request=number)
                except AmbitError:
                    pass  # what is told is the interruption
            raise
        read = {stream: self.session.read(self.n, stream, size, at) for stream, (at, size) in missing(answer).items()}
        result = step_result(self.session.id, self.n, answer, read)
        return result.check() if check else result

    def stop(self, step: int) -> None:
        """Breaks off that step, and no other: a KeyboardInterrupt in Python; in Node the kernel ends with it."""
        self._ask("kernel.stop", step=step)

    def end(self, check: bool = False) -> Result:
        """Ends it behind the steps that it has. What it changed is committed, if its interpreter ends well."""
        connection = self.session.client._connection
        params = {"session": self.session.id, "n": self.n, "wait": True}
        try:
            row = _wire.part(once(connection, self.session.id, lambda: connection.ask("kernel.end", params, True)), "row", dict)
        except Gone:
            row = self._ask("event.show")
        result = _wire.result_of(self.session.id, row)
        return result.check() if check else result

    def cancel(self) -> None:
        """Ends it at once."""
        self._ask("event.cancel")

    def show(self) -> Result:
        """How it is now."""
        return _wire.result_of(self.session.id, self._ask("event.show"))
