"""How long work tells its caller where it is, and hears that nobody waits for it any more. Knows no
terminal and no connection.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

#: ``progress(stage, done, total, note)``: ``total`` is None while unknown, ``note`` is short text.
Progress = Callable[[str, int, int | None, str], None]


def silent(stage: str, done: int, total: int | None, note: str) -> None:
    """A progress that nobody watches."""


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


#: Whether the work of this context is no longer wanted. Who asks for it may set it.
cancelled: ContextVar[Callable[[], bool]] = ContextVar("cancelled", default=lambda: False)


def stop_if_cancelled() -> None:
    """Called between two steps of long work.

    Raises:
        Cancelled
    """
    if cancelled.get()():
        raise Cancelled
