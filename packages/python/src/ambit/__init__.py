"""Ambit: run code that nobody has read, with exactly the authority you name. See README.md; `ambit.aio` is the same for asyncio."""

from ._delegate import Delegated, delegate
from ._wire import Chunk, Halted, Result
from .client import Client, Event, Session
from .code import CodeError, CodeResult, Display, Frame
from .kernel import Kernel, StepResult
from .errors import AmbitError, Conflict, Denied, EventFailed, Frozen, Gone, Limit, Lost, Malformed, NotFound, NotKept, Silent, StepFailed, Untrue

__all__ = ["AmbitError", "Chunk", "Client", "CodeError", "CodeResult", "Conflict", "Delegated", "Denied", "Display", "Event", "EventFailed", "Frame", "Frozen", "Gone", "Halted", "Kernel",
           "Limit", "Lost", "Malformed", "NotFound", "NotKept", "Result", "Session", "Silent", "StepFailed", "StepResult", "Untrue", "delegate"]
__version__ = "0.1.0"
