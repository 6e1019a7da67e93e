"""How long work tells its caller where it is. Knows no terminal."""

from __future__ import annotations

from collections.abc import Callable

#: ``progress(stage, done, total, note)``: ``total`` is None while unknown, ``note`` is short text.
Progress = Callable[[str, int, int | None, str], None]


def silent(stage: str, done: int, total: int | None, note: str) -> None:
    """A progress that nobody watches."""
