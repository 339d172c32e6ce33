"""Ambit: run code that nobody has read, with exactly the authority you name. See README.md; `ambit.aio` is the same for asyncio."""

from ._wire import AmbitError, Chunk, Conflict, Denied, EventFailed, Gone, Limit, Malformed, NotFound, Result
from .client import Client, Event, Session

__all__ = ["AmbitError", "Chunk", "Client", "Conflict", "Denied", "Event", "EventFailed", "Gone", "Limit", "Malformed", "NotFound", "Result", "Session"]
__version__ = "0.1.0"
