"""What both clients share: lines of JSON-RPC, what is told, parameters and results. doc/PROTOCOL.md is what they speak."""

from __future__ import annotations

import base64
import binascii
import json
import os
import signal as signals
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Deque, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from .errors import EventFailed, Limit, Lost, Malformed, NotKept, Untrue, error_of

PROTOCOL = 1
STREAMS = ("stdout", "stderr", "result")
CHANGES = ("added", "modified", "deleted", "renamed", "mode", "link")  # kinds of effects that are changes of files
LINE_MAX = 16 << 20  # the longest answer is a page of sessions, or of a record
REQUEST_MAX = 4 << 20  # the daemon takes no longer line
HELD_MAX = 4 << 20  # bytes of notes that are held for who waits for something else; what comes then is dropped, and asked for again
HELD_ENOUGH = 256 << 10  # for who waits for nothing else: no more is read meanwhile
NOTE_ROOM = 512  # what a note takes besides its output
PAGE = 256 << 10  # of output or input in a request
LINE_PIECE = 1 << 20  # of a program's output: a longer line is given in pieces
ATTEMPTS = 5
ANSWER_SECONDS = 120.0  # for what does not wait for an event

Json = Dict[str, Any]
Argument = Union[str, bytes, "os.PathLike[str]"]
Grant = Union[str, Mapping[str, Any]]
Signal = Union[int, str, signals.Signals]
Duration = Union[float, str]  # seconds, or a text as "30s"


@dataclass(frozen=True)
class Halted:
    """What was frozen, thawed or killed, when that is true."""

    before: bool  # it was frozen already
    events: int  # that ran and were reached, sub-agents too
    cancelled: int = 0  # killed: those that waited, and never begin


@dataclass(frozen=True)
class Result:
    """How an event is, or how it ended, and what it wrote, as far as that was asked for."""

    session: str
    n: int
    event: str
    state: str  # taken, runs, over, interrupted
    exit_status: Optional[int]  # as `ambit run` would exit
    stdout: bytes = b""
    stderr: bytes = b""
    denied: bool = False
    workspace: Optional[str] = None  # committed, kept, ...
    cause: Optional[str] = None  # why it ended: exited, limit, killed, lost, refused; None before
    limit: Optional[str] = None  # of the cause `limit` which: wall, output, ...
    code: Optional[str] = None  # why it was refused, ended by a limit, or did not go through: as of errors (doc/PROTOCOL.md)
    message: Optional[str] = None
    hint: Optional[str] = None
    replayed: bool = False
    labels: Optional[Tuple[str, ...]] = None  # names, which belong to all that it wrote; None: it is not over, or nobody knows
    unusual: bool = False  # it was not like what is usual for its agent and program; why stands in its record
    held: bool = False  # its changes wait for a person, for that, or since nobody could tell
    row: Json = field(default_factory=dict, repr=False)  # all that doc/PROTOCOL.md says of an event

    @property
    def ok(self) -> bool:
        return self.state == "over" and self.exit_status == 0

    @property
    def over(self) -> bool:
        return self.state in ("over", "interrupted")

    @property
    def outcome(self) -> Optional[Json]:
        """How it ended, in the words of doc/RECORD.md; None before."""
        given = self.row.get("outcome")
        return dict(given) if isinstance(given, dict) else None

    @property
    def pruned(self) -> bool:
        """Its output and its record are not kept any more."""
        return bool(self.row.get("pruned"))

    @property
    def text(self) -> str:
        """Standard output; what is no UTF-8 is replaced."""
        return self.stdout.decode(errors="replace")

    def check(self) -> "Result":
        if not self.ok:
            raise EventFailed(self)
        return self


@dataclass(frozen=True)
class Chunk:
    """A piece of what an event wrote, and where it begins."""

    stream: str  # stdout, stderr
    offset: int
    data: bytes


# ---- lines ----


class Lines:
    """Cuts what comes into lines; one that is too long is no line of ours."""

    def __init__(self) -> None:
        self._room = bytearray()

    def feed(self, piece: bytes) -> List[bytes]:
        first, *others = piece.split(b"\n")
        self._room += first
        if len(self._room) > LINE_MAX:
            raise Untrue("the daemon said more than a line may have")
        if not others:
            return []
        lines = [bytes(self._room), *others[:-1]]
        self._room = bytearray(others[-1])
        return [line for line in lines if line]


def put_data(value: Union[str, bytes]) -> Any:
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode("ascii")}
    return text if "\0" not in text else {"b64": base64.b64encode(value).decode("ascii")}


def take_data(value: Any) -> bytes:
    try:
        if isinstance(value, str):
            return value.encode("utf-8")
        if isinstance(value, dict) and isinstance(value.get("b64"), str):
            return base64.b64decode(value["b64"], validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError) as problem:
        raise Untrue("the daemon said what it may not: data") from problem
    raise Untrue("the daemon said what it may not: data")


def put_line(number: int, method: str, params: Mapping[str, Any]) -> bytes:
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": {k: v for k, v in params.items() if v is not None}}
    try:
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8") + b"\n"
    except (TypeError, ValueError, RecursionError) as problem:
        raise Malformed(f"{method}: what is asked cannot be said in JSON", "USAGE", None, str(problem)) from problem
    if len(line) > REQUEST_MAX:
        raise Limit(f"{method}: a request has at most 4 MiB, this has {len(line)} bytes", "LIMIT", "put it into a file of the workspace")
    return line


def take_line(line: bytes) -> Json:
    """A message of the form that messages have: an answer (`id`), a note (`method`, `params`), or an error of no request."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise Untrue("the daemon said what is no JSON") from problem
    if not isinstance(message, dict):
        raise Untrue("the daemon said what is no message")
    number = message.get("id")
    if isinstance(number, int) and not isinstance(number, bool):
        if not (isinstance(message.get("error"), dict) or isinstance(message.get("result"), dict)):
            raise Untrue("the daemon said what is no answer")
    elif number is not None or not (isinstance(message.get("error"), dict) or (isinstance(message.get("method"), str) and isinstance(message.get("params"), dict))):
        raise Untrue("the daemon said what is no message")
    return message


def answer_of(message: Json) -> Json:
    if message.get("error") is not None:
        raise error_of(message["error"])
    return dict(message["result"])


def part(message: Mapping[str, Any], name: str, kind: Any) -> Any:
    """A member that has to be there. A count is none that is below zero, nor a bool."""
    value: Any = message.get(name)
    if not isinstance(value, kind) or (kind is int and (value is True or value is False or value < 0)):
        raise Untrue(f"the daemon said what it may not: {name}")
    return value


def halted_of(answer: Mapping[str, Any]) -> Halted:
    return Halted(part(answer, "before", bool), part(answer, "events", int), part(answer, "cancelled", int) if "cancelled" in answer else 0)


def names_of(message: Mapping[str, Any], name: str) -> Tuple[str, ...]:
    found = part(message, name, list)
    if not all(isinstance(one, str) for one in found):
        raise Untrue(f"the daemon said what it may not: {name}")
    return tuple(found)


def rows(page: Mapping[str, Any], name: str) -> Tuple[List[Json], bool]:
    """A page of a list, and whether there may be more. An empty page that has more behind it would be asked for without end."""
    found = part(page, name, list)
    if not all(isinstance(row, dict) for row in found):
        raise Untrue(f"the daemon said what it may not: {name}")
    return found, bool(page.get("more")) and len(found) > 0


def result_of(session: str, row: Mapping[str, Any], stdout: bytes = b"", stderr: bytes = b"", replayed: bool = False) -> Result:
    told = row.get("outcome")
    outcome = told if isinstance(told, dict) else {}
    labels = None if row.get("labels") is None else names_of(row, "labels")
    status = None if row.get("exit_status") is None else part(row, "exit_status", int)
    return Result(session, part(row, "n", int), part(row, "event", str), part(row, "state", str), status, stdout, stderr, bool(row.get("denied")),
                  outcome.get("workspace"), outcome.get("cause"), outcome.get("limit"), row.get("code"), row.get("message"), row.get("hint"), replayed, labels,
                  bool(row.get("unusual")), bool(row.get("held")), dict(row))


def whole(result: Result, at: Optional[Mapping[str, int]] = None) -> Result:
    """An event that is over, of which what it wrote was taken up to there: all of it, or that is told."""
    taken = at or {"stdout": len(result.stdout), "stderr": len(result.stderr)}
    if any(taken[stream] < part(result.row, stream + "_bytes", int) for stream in taken):
        raise NotKept(result)
    return result


def brought(answer: Mapping[str, Any], row: Mapping[str, Any], stream: str) -> Optional[bytes]:
    """What came with the answer, if it did, and is all of it: what is long is read by pages."""
    given = answer.get(stream)
    data = take_data(given) if given is not None else None
    return data if data is not None and len(data) == part(row, stream + "_bytes", int) else None


def page_of(page: Mapping[str, Any], offset: int, most: int) -> bytes:
    """A page of what is kept. One that begins elsewhere, or has more than was asked for, is not the one that was asked for."""
    data = take_data(page.get("data"))
    if part(page, "offset", int) != offset or len(data) > most:
        raise Untrue("the daemon said what it may not: offset")
    return data


# ---- what is told ----


class Notes:
    """Notes that nobody has taken yet, as many as there is room for. Behind the first that is dropped all are, until who follows begins anew."""

    def __init__(self) -> None:
        self._queue: Deque[Tuple[int, Json]] = deque()
        self.held, self.dropped = 0, False

    def __len__(self) -> int:
        return len(self._queue)

    def clear(self) -> None:
        self._queue.clear()
        self.held, self.dropped = 0, False

    def add(self, note: Json, size: int) -> None:
        size += NOTE_ROOM
        if self.dropped or self.held + size > HELD_MAX:
            self.dropped = True
            return
        self._queue.append((size, note))
        self.held += size

    def take(self) -> Json:
        size, note = self._queue.popleft()
        self.held -= size
        return note


class Progress:
    """How much of an event was taken, and its end: what a note of it gives to who follows."""

    def __init__(self, session: str, n: int, stdout: int = 0, stderr: int = 0) -> None:
        self.session, self.n = session, n
        self.at = {"stdout": stdout, "stderr": stderr}
        self.row: Optional[Json] = None
        self.lost = 0  # times in a row that nothing came before the connection ended

    def take(self, note: Json) -> Optional[Chunk]:
        method, params = note["method"], note["params"]
        if method in ("session.lost", "event.lost"):
            raise Lost("no more is told of the event")
        if method not in ("event.output", "event.ended") or params.get("n") != self.n or params.get("session") != self.session:
            return None
        if method == "event.ended":
            result_of(self.session, params)
            self.row = params
            return None
        stream, offset = part(params, "stream", str), part(params, "offset", int)
        if offset != self.at.get(stream):
            raise Untrue("the daemon said what it may not: a piece of output that is not the next")
        data = take_data(params.get("data"))
        self.at[stream] += len(data)
        self.lost = 0
        return Chunk(stream, offset, data)

    def again(self, problem: Lost) -> None:
        """Whether it is worth to begin anew; raises if it is not."""
        self.lost += 1
        if isinstance(problem, Untrue) or self.lost > ATTEMPTS:
            raise problem


class Cutter:
    """Output in lines, each with its newline; the last one may have none, and one beyond 1 MiB comes in pieces."""

    def __init__(self) -> None:
        self._rest: Dict[str, Tuple[int, bytearray]] = {}

    def cut(self, chunk: Chunk) -> Iterator[Chunk]:
        begins, room = self._rest.get(chunk.stream, (chunk.offset, bytearray()))
        searched = len(room)
        room += chunk.data
        at = 0
        while True:
            end = room.find(b"\n", max(at, searched)) + 1
            if end == 0 and len(room) - at < LINE_PIECE:
                break
            end = end or len(room)
            yield Chunk(chunk.stream, begins + at, bytes(room[at:end]))
            at = end
        del room[:at]
        self._rest[chunk.stream] = (begins + at, room)

    def rest(self) -> Iterator[Chunk]:
        for stream, (begins, room) in self._rest.items():
            if room:
                yield Chunk(stream, begins, bytes(room))
        self._rest.clear()


class Watched:
    """Rows of a session's events as they change, each state once, also across connections."""

    def __init__(self, first: int) -> None:
        self.first = first  # nothing before it changes any more
        self._states: Dict[int, str] = {}

    def take(self, session: str, row: Mapping[str, Any]) -> Optional[Result]:
        result = result_of(session, row)
        if result.n < self.first or self._states.get(result.n) in (result.state, "over", "interrupted"):
            return None
        self._states[result.n] = result.state
        while self._states.get(self.first) in ("over", "interrupted"):
            del self._states[self.first]
            self.first += 1
        return result


# ---- what is asked ----


def own_key() -> str:
    return f"python-{uuid.uuid4()}"


def arguments(argv: Sequence[Argument]) -> List[Any]:
    if isinstance(argv, (str, bytes)):
        raise Malformed("argv is a list: a program and its arguments", "USAGE", 'run(["sh", "-c", "..."])')
    return [put_data(os.fspath(a)) for a in argv]


def environment(env: Optional[Mapping[str, str]]) -> Optional[Json]:
    return None if env is None else {name: put_data(value) for name, value in env.items()}


def session_params(workspace: Optional[Union[str, "os.PathLike[str]"]], grants: Sequence[Grant], policy: Union[str, Mapping[str, Any], None],
                   presets: Sequence[str], env: Optional[Mapping[str, str]], limits: Optional[Mapping[str, str]], agent: Optional[str],
                   changes: Optional[str], strict: bool, key: Optional[str], more: Mapping[str, Any]) -> Json:
    """Grants are texts as on the command line, or mappings as in a policy file."""
    if isinstance(grants, (str, bytes)):
        raise Malformed("grants is a list", "USAGE", 'grants=["work ."]')
    texts = [g for g in grants if isinstance(g, str)]
    mappings = [dict(g) for g in grants if not isinstance(g, str)]
    if mappings and policy is not None:
        raise Malformed("grants as mappings belong into the policy that is given, too", "USAGE", "give one of the two")
    if mappings:
        policy = {"version": 1, "grants": mappings}
    return {"workspace": put_data(os.path.abspath(os.fspath(workspace) if workspace is not None else os.getcwd())), "grants": texts or None, "policy": policy,
            "presets": list(presets) or None, "env": environment(env), "limits": dict(limits) if limits else None, "agent": agent, "changes": changes,
            "strict": strict or None, "key": key or own_key(), **more}


def duration(given: Optional[Duration], what: str) -> Optional[str]:
    """As limits have it: what a text says is looked at where it is asked for."""
    if given is None or isinstance(given, str):
        return given
    if not isinstance(given, (int, float)) or not 0 < given < 1e9:
        raise Malformed(f"{what} is a number of seconds, more than none, or a text as '30s'", "USAGE", "leave it out")
    return f"{max(1, int(given * 1000))}ms"


def given(labels: Optional[Sequence[str]]) -> Optional[List[str]]:
    """Of what an event is given. None is no answer: a result has that where nobody knows its labels."""
    if labels is None:
        raise Malformed("which labels it is given is not known", "USAGE", "labels=() says that there are none, which somebody has to know")
    if isinstance(labels, str):
        raise Malformed("labels are a list of names", "USAGE", f"labels=[{labels!r}]")
    return list(labels) or None


def bounds(limits: Optional[Mapping[str, str]], timeout: Optional[Duration]) -> Dict[str, str]:
    wall = duration(timeout, "timeout")
    return {**(limits or {}), **({"wall": wall} if wall is not None else {})}


def how_params(session: str, env: Optional[Mapping[str, str]], limits: Optional[Mapping[str, str]], timeout: Optional[Duration],
               changes: Optional[str], strict: bool, background: bool, on_conflict: Optional[str], labels: Optional[Sequence[str]], key: Optional[str]) -> Json:
    return {"session": session, "env": environment(env), "limits": bounds(limits, timeout) or None, "changes": changes, "strict": strict or None,
            "background": background or None, "on_conflict": on_conflict, "labels": given(labels), "key": key or own_key()}


def run_params(session: str, argv: Sequence[Argument], env: Optional[Mapping[str, str]], limits: Optional[Mapping[str, str]], timeout: Optional[Duration],
               changes: Optional[str], strict: bool, background: bool, on_conflict: Optional[str], labels: Optional[Sequence[str]], key: Optional[str]) -> Json:
    return {"argv": arguments(argv), **how_params(session, env, limits, timeout, changes, strict, background, on_conflict, labels, key)}


def code_params(session: str, language: str, source: Union[str, bytes], env: Optional[Mapping[str, str]], limits: Optional[Mapping[str, str]],
                timeout: Optional[Duration], changes: Optional[str], strict: bool, background: bool, on_conflict: Optional[str], labels: Optional[Sequence[str]], key: Optional[str]) -> Json:
    """A source is no path: whoever has one reads it."""
    if not isinstance(source, (str, bytes)):
        raise Malformed("a source is a text", "USAGE", "python(pathlib.Path(name).read_text())")
    return {"language": language, "source": put_data(source), **how_params(session, env, limits, timeout, changes, strict, background, on_conflict, labels, key)}


def changes_of(record: bytes) -> List[Json]:
    """What an event changed, of its record: proved effects (doc/RECORD.md)."""
    try:
        found = json.loads(record)["effects"]
    except (ValueError, RecursionError, KeyError, TypeError) as problem:
        raise Untrue("the daemon said what is no record") from problem
    if not isinstance(found, list):
        raise Untrue("the daemon said what is no record")
    return [one for one in found if isinstance(one, dict) and one.get("source") == "proved" and one.get("kind") in CHANGES]


def terminal_params(terminal: Optional[Tuple[int, int]]) -> Json:
    return {} if terminal is None else {"terminal": True, "rows": terminal[0], "columns": terminal[1]}


def pieces(data: Union[str, bytes], end: bool) -> Iterator[Json]:
    """Of a program's standard input, as event.input takes them."""
    raw = data.encode() if isinstance(data, str) else data
    for at in range(0, max(1, len(raw)), PAGE):
        piece = raw[at:at + PAGE]
        yield {"data": put_data(piece) if piece else None, "end": (end and at + PAGE >= len(raw)) or None}


def signal_of(number: Signal) -> Union[int, str]:
    return number if isinstance(number, str) else int(number)
