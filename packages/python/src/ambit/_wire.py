"""What both clients share: lines of JSON-RPC, errors, results, and finding the daemon. doc/PROTOCOL.md is what they speak."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

PROTOCOL = 1
LINE_MAX = 16 << 20  # the longest answer is a page of sessions, or of a record
HELD_MAX = 4 << 20  # bytes of output that are held for who waits for something else; then it is asked for again
START_SECONDS = 60

Json = Dict[str, Any]
Argument = Union[str, bytes, "os.PathLike[str]"]


class AmbitError(Exception):
    """Something was refused, or failed: what, the word for it, what to do, and why."""

    def __init__(self, message: str, code: str = "INTERNAL", hint: Optional[str] = None, why: Optional[str] = None) -> None:
        super().__init__(message)
        self.message, self.code, self.hint, self.why = message, code, hint, why

    def __str__(self) -> str:
        return self.message + (f": {self.why}" if self.why else "") + (f" (hint: {self.hint})" if self.hint else "")


class Malformed(AmbitError):
    """What was asked is not well-formed."""


class Denied(AmbitError):
    """It is not granted."""


class NotFound(AmbitError):
    """It is not there."""


class Conflict(AmbitError):
    """It conflicts with what is there: a key that was given to another request."""


class Limit(AmbitError):
    """It is over a limit."""


class Gone(AmbitError):
    """The other side is gone."""


class Lost(Gone):
    """The connection to the daemon ended. What was asked with a key is asked again."""


class EventFailed(AmbitError):
    """An event that was to succeed did not. `result` is all that is known of it."""

    def __init__(self, result: "Result") -> None:
        super().__init__(result.message or f"event {result.n} ended with {result.exit_status if result.exit_status is not None else result.state}",
                         "DENIED" if result.denied else "GONE", result.hint)
        self.result = result


_CLASSES = {"MALFORMED": Malformed, "USAGE": Malformed, "UNKNOWN": Malformed, "DENIED": Denied, "NOT_FOUND": NotFound, "CONFLICT": Conflict, "LIMIT": Limit,
            "GONE": Gone}


def error_of(error: Mapping[str, Any]) -> AmbitError:
    data = error.get("data") or error
    code = data.get("code")
    word = code if isinstance(code, str) else "INTERNAL"
    return _CLASSES.get(word, AmbitError)(str(error.get("message", "it failed and did not say why")), word, data.get("hint"), data.get("why"))


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
    message: Optional[str] = None
    hint: Optional[str] = None
    replayed: bool = False
    row: Json = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        return self.state == "over" and self.exit_status == 0

    @property
    def text(self) -> str:
        """Standard output; what is no UTF-8 is replaced."""
        return self.stdout.decode(errors="replace")

    def check(self) -> "Result":
        if not self.ok:
            raise EventFailed(self)
        return self


def result_of(session: str, row: Mapping[str, Any], stdout: bytes = b"", stderr: bytes = b"", replayed: bool = False) -> Result:
    outcome = row.get("outcome") or {}
    return Result(session, int(row["n"]), str(row["event"]), str(row["state"]), row.get("exit_status"), stdout, stderr, bool(row.get("denied")),
                  outcome.get("workspace"), row.get("message"), row.get("hint"), replayed, dict(row))


@dataclass(frozen=True)
class Chunk:
    """A piece of what an event wrote, and where it begins."""

    stream: str  # stdout, stderr
    offset: int
    data: bytes


# ---- lines ----


def put_data(value: Union[str, bytes]) -> Any:
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogateescape")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode("ascii")}
    return text if "\0" not in text else {"b64": base64.b64encode(value).decode("ascii")}


def take_data(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, dict) and isinstance(value.get("b64"), str):
        return base64.b64decode(value["b64"], validate=True)
    raise Lost("the daemon said what it may not", "PROTOCOL")


def put_line(number: int, method: str, params: Mapping[str, Any]) -> bytes:
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": {k: v for k, v in params.items() if v is not None}}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"


def take_line(line: bytes) -> Json:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise Lost("the daemon said what is no JSON", "PROTOCOL") from problem
    if not isinstance(message, dict):
        raise Lost("the daemon said what it may not", "PROTOCOL")
    return message


def arguments(argv: Sequence[Argument]) -> List[Any]:
    if isinstance(argv, (str, bytes)):
        raise Malformed("argv is a list: a program and its arguments", "USAGE", 'run(["sh", "-c", "..."])')
    return [put_data(os.fspath(a)) for a in argv]


def environment(env: Optional[Mapping[str, str]]) -> Optional[Json]:
    return None if env is None else {name: put_data(value) for name, value in env.items()}


def grants_of(grants: Sequence[Union[str, Mapping[str, Any]]]) -> "tuple[List[str], List[Json]]":
    """Texts as on the command line, and mappings as in a policy file."""
    texts = [g for g in grants if isinstance(g, str)]
    return texts, [dict(g) for g in grants if not isinstance(g, str)]


def session_params(workspace: Optional["os.PathLike[str] | str"], grants: Sequence[Union[str, Mapping[str, Any]]], policy: Union[str, Mapping[str, Any], None],
                   presets: Sequence[str], env: Optional[Mapping[str, str]], limits: Optional[Mapping[str, str]], agent: Optional[str],
                   changes: Optional[str], strict: bool, key: Optional[str], more: Mapping[str, Any]) -> Json:
    texts, mappings = grants_of(grants)
    if mappings and policy is not None:
        raise Malformed("grants as mappings belong into the policy that is given, too", "USAGE", "give one of the two")
    if mappings:
        policy = {"version": 1, "grants": mappings}
    return {"workspace": put_data(os.path.abspath(os.fspath(workspace) if workspace is not None else os.getcwd())), "grants": texts or None, "policy": policy,
            "presets": list(presets) or None, "env": environment(env), "limits": dict(limits) if limits else None, "agent": agent, "changes": changes,
            "strict": strict or None, "key": key, **more}


def run_params(session: str, argv: Sequence[Argument], env: Optional[Mapping[str, str]], limits: Optional[Mapping[str, str]], timeout: Optional[float],
               changes: Optional[str], strict: bool, background: bool, key: Optional[str]) -> Json:
    bounds = dict(limits or {})
    if timeout is not None:
        bounds["wall"] = f"{max(1, int(timeout * 1000))}ms"
    return {"session": session, "argv": arguments(argv), "env": environment(env), "limits": bounds or None, "changes": changes, "strict": strict or None,
            "background": background or None, "key": key}


# ---- the daemon ----


def program() -> str:
    """The program `ambit`: that of AMBIT_PROGRAM, the one that this package carries, or the one in PATH."""
    carried = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_program", "bin", "ambit")
    named = os.environ.get("AMBIT_PROGRAM")
    found = named or (carried if os.access(carried, os.X_OK) else shutil.which("ambit"))
    if not found:
        raise NotFound("there is no program `ambit`", "NOT_FOUND", "install Ambit, or name the program in AMBIT_PROGRAM")
    return found


def socket_path() -> str:
    """Where the daemon listens: doc/PROTOCOL.md, *Connecting*."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and os.path.isdir(runtime) and os.stat(runtime).st_uid == os.geteuid():
        return os.path.join(runtime, "ambit", "rpc.sock")
    state, home = os.environ.get("XDG_STATE_HOME", ""), os.environ.get("HOME", "")
    if state.startswith("/"):
        return os.path.join(state, "ambit", "run", "rpc.sock")
    if home.startswith("/") and os.path.isdir(home):
        return os.path.join(home, ".local", "state", "ambit", "run", "rpc.sock")
    return f"/var/tmp/.ambit-{os.geteuid()}/run/rpc.sock"


def start_daemon() -> None:
    """Starts it if it is not there; it is nobody's child, and ends when nobody has used it for ten minutes."""
    done = subprocess.run([program(), "ps", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=START_SECONDS, check=False)
    if done.returncode != 0:
        raise Gone("the daemon cannot be started", "GONE", None, done.stderr.decode(errors="replace").strip()[:400])
