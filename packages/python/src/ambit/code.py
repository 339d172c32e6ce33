"""Results of code events (doc/CODE.md). What they say a hostile program said: it is data, of the form that is checked here, and nothing else."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field, fields
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from ._wire import Result

RESULT_MAX = 16 << 20
CONTAINERS_MAX = 1_000_000  # lists and objects of a document: each takes many times its two bytes in memory
DIGITS_MAX = 400
BINARY = re.compile(r"(?:image/(?!svg\+xml)|audio/|video/|font/|application/(?:pdf|octet-stream|zip)$)")


@dataclass(frozen=True)
class Frame:
    """Where an exception came by: the innermost last."""

    file: str
    line: int
    function: str
    source: Optional[str] = None


@dataclass(frozen=True)
class CodeError:
    """An exception that nobody caught. `line` and `column` are of the source as it was given, from 1 on."""

    type: str
    message: str
    line: Optional[int] = None
    column: Optional[int] = None
    source: Optional[str] = None
    frames: Tuple[Frame, ...] = ()
    traceback: str = ""


@dataclass(frozen=True)
class Display:
    """What was shown: `data` is a text, and bytes of a picture (image/png)."""

    mime: str
    data: Union[str, bytes]


@dataclass(frozen=True)
class CodeResult(Result):
    """How code ended. `value` is that of its last expression, where that is JSON without loss, else its text, else None."""

    value: Any = None
    value_text: Optional[str] = None
    value_type: Optional[str] = None
    error: Optional[CodeError] = None
    displays: Tuple[Display, ...] = ()
    cut: bool = False  # there was more than a result may have
    document: Dict[str, Any] = field(default_factory=dict, repr=False)  # all that it said


def _text(value: Any) -> Optional[str]:
    return value if isinstance(value, str) else None


def _place(value: Any) -> Optional[int]:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _frame(given: Any) -> Optional[Frame]:
    if not isinstance(given, dict):
        return None
    return Frame(_text(given.get("file")) or "", _place(given.get("line")) or 0, _text(given.get("function")) or "", _text(given.get("source")))


def _error(given: Any) -> Optional[CodeError]:
    if not isinstance(given, dict):
        return None
    frames = given.get("frames")
    taken = [_frame(one) for one in frames] if isinstance(frames, list) else []
    return CodeError(_text(given.get("type")) or "Error", _text(given.get("message")) or "", _place(given.get("line")), _place(given.get("column")),
                     _text(given.get("source")), tuple(one for one in taken if one is not None), _text(given.get("traceback")) or "")


def _display(given: Any) -> Optional[Display]:
    mime, data = (_text(given.get("mime")), _text(given.get("data"))) if isinstance(given, dict) else (None, None)
    if mime is None or data is None:
        return None
    try:
        return Display(mime, base64.b64decode(data.replace("\r", "").replace("\n", ""), validate=True) if BINARY.match(mime) else data)
    except (binascii.Error, ValueError):
        return Display(mime, data)


def _number(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        raise ValueError("a number that is too long")
    return int(digits)


def _constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _document(given: bytes) -> Dict[str, Any]:
    """What is no document is none: who ran the code could write anything, or nothing."""
    if given.count(b"[") + given.count(b"{") > CONTAINERS_MAX:
        return {"cut": True}
    try:
        found = json.loads(given, parse_int=_number, parse_constant=_constant) if given else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def said_by(given: bytes) -> Dict[str, Any]:
    """What a document says, by the names of CodeResult's members."""
    document = _document(given)
    value: Mapping[str, Any] = document["value"] if isinstance(document.get("value"), dict) else {}
    shown = document.get("displays")
    displays = [_display(one) for one in shown] if isinstance(shown, list) else []
    text = _text(value.get("text"))
    return {"value": value["json"] if "json" in value else text, "value_text": text, "value_type": _text(value.get("type")), "error": _error(document.get("error")),
            "displays": tuple(one for one in displays if one is not None), "cut": document.get("cut") is True, "document": document}


def code_result(result: Result, given: bytes) -> CodeResult:
    return CodeResult(**{one.name: getattr(result, one.name) for one in fields(Result)}, **said_by(given))
