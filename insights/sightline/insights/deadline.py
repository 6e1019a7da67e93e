"""How long is asked, and what was left out. Knows a clock; knows no question."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Deadline:
    """Time to ask in, and what it did not suffice for.

    Attributes:
        ms: milliseconds.
        reason: what was left out; None where nothing was.
    """

    def __init__(self, ms: int) -> None:
        self.ms = ms
        self.reason: str | None = None

    def each(self, answers: Iterable[T], total: int) -> Iterator[T]:
        """As many of ``total`` answers as there is time to use: one always, and the clock runs from
        then on, as the first of a process loads kernels."""
        end = float("inf")
        for done, answer in enumerate(answers, 1):
            yield answer
            now = time.perf_counter()
            end = now + self.ms / 1000 if done == 1 else end
            if now >= end and done < total:
                left = f"no time for {total - done} of {total} relations and directions"
                self.reason = f"the deadline of {self.ms} ms left {left}"
                return
