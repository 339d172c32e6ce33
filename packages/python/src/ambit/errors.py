"""What goes wrong: each has a `code` (doc/PROTOCOL.md, *Codes*), a `message`, and where there is one a `hint` what to do and a `why`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Optional, Tuple

if TYPE_CHECKING:
    from ._wire import Result
    from .kernel import StepResult


class AmbitError(Exception):
    """Something was refused, or failed: what, the word for it, what to do, and why."""

    def __init__(self, message: str, code: str = "INTERNAL", hint: Optional[str] = None, why: Optional[str] = None) -> None:
        super().__init__(message)
        self.message, self.code, self.hint, self.why = message, code, hint, why

    def __str__(self) -> str:
        return self.message + (f": {self.why}" if self.why else "") + (f" (hint: {self.hint})" if self.hint else "")

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.message, self.code, self.hint, self.why)


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


class Frozen(AmbitError):
    """It is frozen until somebody thaws it."""


class Gone(AmbitError):
    """The other side is gone."""


class Lost(Gone):
    """The connection to the daemon ended. What does no harm twice is asked again, so this is seen when that did not help, or would do harm."""


class Untrue(Lost):
    """The other side says what doc/PROTOCOL.md does not let it say. Nothing is asked again."""

    def __init__(self, message: str, code: str = "PROTOCOL", hint: Optional[str] = None, why: Optional[str] = None) -> None:
        super().__init__(message, code, hint, why)


class Silent(Lost):
    """The daemon did not answer in time. Nothing is asked again."""

    def __init__(self, message: str = "the daemon does not answer", code: str = "GONE", hint: Optional[str] = None, why: Optional[str] = None) -> None:
        super().__init__(message, code, hint, why)


class EventFailed(AmbitError):
    """An event that was to succeed did not. `result` is all that is known of it."""

    def __init__(self, result: "Result") -> None:
        why = f"it was {result.cause}" if result.message is None and result.cause in ("killed", "lost") else None
        super().__init__(result.message or f"event {result.n} ended with {result.exit_status if result.exit_status is not None else result.state}",
                         "LIMIT" if result.limit else "DENIED" if result.denied else "GONE", result.hint, why)
        self.result = result

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.result,)


class StepFailed(AmbitError):
    """A step of a kernel that was to succeed did not. `result` is all that is known of it."""

    def __init__(self, result: "StepResult") -> None:
        error = result.error
        how = f"{error.type}: {error.message}" if error is not None else {"exit": "it ended the kernel", "never": "it did not run"}.get(result.end, "the kernel ended with it")
        super().__init__(f"step {result.step}: {how}", "GONE", None)
        self.result = result

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.result,)


class NotKept(Gone):
    """An event is over, and not all that it wrote is kept any more. `result` has what is known of it."""

    def __init__(self, result: "Result") -> None:
        super().__init__(f"event {result.n} is over, and what it wrote is not all kept any more", "GONE",
                         "give the session more keep_bytes, or take the output as it comes: start()")
        self.result = result

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.result,)


_CLASSES = {"MALFORMED": Malformed, "USAGE": Malformed, "UNKNOWN": Malformed, "DENIED": Denied, "NOT_FOUND": NotFound, "CONFLICT": Conflict, "LIMIT": Limit,
            "FROZEN": Frozen, "GONE": Gone}


def _text(value: Any) -> Optional[str]:
    return value if isinstance(value, str) else None


def error_of(error: Any) -> AmbitError:
    """Of an answer's `error`, or that of a note; whatever else stands there is no reason to fail otherwise."""
    given: Mapping[str, Any] = error if isinstance(error, dict) else {}
    data = given.get("data")
    words: Mapping[str, Any] = data if isinstance(data, dict) else given
    code = _text(words.get("code")) or "INTERNAL"
    return _CLASSES.get(code, AmbitError)(_text(given.get("message")) or "it failed and did not say why", code, _text(words.get("hint")), _text(words.get("why")))
