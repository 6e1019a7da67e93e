"""How long work tells its caller where it is, and hears that nobody waits for it any more. Knows no
terminal and no connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar

#: ``progress(stage, done, total, note)``: ``total`` is None while unknown, ``note`` is short text.
Progress = Callable[[str, int, int | None, str], None]


def silent(stage: str, done: int, total: int | None, note: str) -> None:
    """A progress that nobody watches."""


#: Seconds of a stage after which it can be told how fast it goes.
SOON = 2.0


class Pace:
    """How fast stages go, and how long they will take, from what their progress says."""

    def __init__(self) -> None:
        self._began: dict[str, tuple[float, int, int]] = {}

    def rate(self, stage: str, done: int) -> float:
        """What is done in a second; 0 until that can be told."""
        now = time.monotonic()
        began, before, last = self._began.get(stage, (now, done, done))
        if done < last:  # it begins again
            began, before = now, done
        self._began[stage] = began, before, done
        return (done - before) / (now - began) if now - began >= SOON else 0.0

    def left(self, stage: str, done: int, total: int | None) -> float | None:
        """Seconds until the end of a stage; None where that cannot be told."""
        rate = self.rate(stage, done)
        return (total - done) / rate if rate and total is not None and done < total else None


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
