"""Sub-agents: a program that runs in a cell asks for another cell beside its own, by `ambit run` there (man ambit-run, SUB-AGENTS)."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import Any, List, Mapping, NoReturn, Optional, Sequence, Tuple, Union

from . import _place, _wire
from ._wire import Argument, Duration, Grant
from .errors import AmbitError, Malformed, NotFound, Untrue, error_of

MARK = "/.ambit-cell"


@dataclass(frozen=True)
class Delegated:
    """How a sub-agent ended, and what it wrote. Its record is where its caller's is; what it changed is its caller's."""

    event: str
    exit_status: int  # as `ambit run` would exit
    stdout: bytes
    stderr: bytes
    cause: str  # why it ended: exited, limit, killed, lost
    limit: Optional[str] = None  # of the cause `limit` which: wall, ...
    cut: bool = False  # it wrote more than is kept (64 MB)

    @property
    def ok(self) -> bool:
        return self.exit_status == 0

    @property
    def text(self) -> str:
        """Standard output; what is no UTF-8 is replaced."""
        return self.stdout.decode(errors="replace")


def _grant(grant: Grant) -> List[str]:
    """As on the command line: `--work .`"""
    if not isinstance(grant, str):
        pairs = list(grant.items()) if isinstance(grant, Mapping) else []
        if len(pairs) != 1 or not (pairs[0][1] is None or isinstance(pairs[0][1], str)):
            raise Malformed("a grant of a sub-agent is a text, or a mapping of one verb to a text", "USAGE", '"connect example.com:443 http=read"')
        grant = pairs[0][0] if pairs[0][1] is None else f"{pairs[0][0]} {pairs[0][1]}"
    verb, _, rest = grant.strip().partition(" ")
    return [f"--{verb}", rest.strip()] if rest.strip() else [f"--{verb}"]


def command(argv: Sequence[Argument], grants: Sequence[Grant], agent: Optional[str], limits: Optional[Mapping[str, str]], timeout: Optional[Duration],
            workspace: Union[str, "os.PathLike[str]", None], background: bool) -> List[Argument]:
    """What is run in the cell."""
    if not os.path.exists(MARK):
        raise AmbitError("this is in no cell", "UNAVAILABLE", "Session(...).run runs a command in one", "sub-agents are asked for by what runs in a cell")
    if isinstance(argv, (str, bytes)) or not argv:
        raise Malformed("argv is a list: a program and its arguments", "USAGE", 'delegate(["sh", "-c", "..."])')
    words: List[Argument] = [_place.program(), "run", "--json", *(["--background"] if background else [])]
    for grant in grants:
        words += _grant(grant)
    if agent is not None:
        words += ["--agent", agent]
    if workspace is not None:
        words += ["--workspace", workspace]
    for name, value in _wire.bounds(limits, timeout).items():
        words += ["--limit", f"{name}={value}"]
    return [*words, "--", *argv]


def cannot(problem: OSError) -> NoReturn:
    hint = "grant it to the cell: run " + str(problem.filename) if problem.filename else "grant it to the cell: run PATH"
    raise NotFound("the program `ambit` cannot be started here", "NOT_FOUND", hint, problem.strerror) from problem


def _stream(output: Any, name: str) -> Tuple[bytes, bool]:
    stream = _wire.part(output, name, dict)
    return _wire.take_data(stream.get("data")), bool(stream.get("cut"))


def ended(status: int, out: bytes, err: bytes) -> Delegated:
    """Of what `ambit run --json` said: doc/RECORD.md, *Without a record*."""
    try:
        said = json.loads(out)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Untrue("the program `ambit` did not say what became of it", "PROTOCOL", None, err.decode(errors="replace").strip()[-400:] or f"it ended with {status}")
    if "error" in said:
        raise error_of(said["error"])
    outcome, output = _wire.part(said, "outcome", dict), _wire.part(said, "output", dict)
    cause = _wire.part(outcome, "cause", str)
    if cause == "refused":
        raise error_of(outcome.get("error"))
    (stdout, one), (stderr, other) = _stream(output, "stdout"), _stream(output, "stderr")
    event = said.get("event")
    return Delegated(event if isinstance(event, str) else "", status, stdout, stderr, cause, outcome.get("limit"), one or other)


def given(input: Union[str, bytes, None]) -> bytes:
    return input.encode() if isinstance(input, str) else input or b""


def delegate(argv: Sequence[Argument], *, grants: Sequence[Grant] = (), agent: Optional[str] = None, limits: Optional[Mapping[str, str]] = None,
             timeout: Optional[Duration] = None, workspace: Union[str, "os.PathLike[str]", None] = None, input: Union[str, bytes, None] = None, background: bool = False) -> Delegated:
    """In a cell that was granted `delegate`, and `run` of the program `ambit`: runs a command in a cell beside it, to its end. It gets no more than this one has: what `grants`
    name, texts as on the command line; without any all that can be given on. Interrupted, it ends. background: it is handed over to the session, as an event of which this gives the id once it has begun."""
    words = command(argv, grants, agent, limits, timeout, workspace, background)
    try:
        done = subprocess.run(words, input=given(input), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    except OSError as problem:
        cannot(problem)
    return ended(done.returncode, done.stdout, done.stderr)
