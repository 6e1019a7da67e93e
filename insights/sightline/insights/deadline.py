"""How long a model is asked. Knows a clock; knows no question."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Deadline:
    """Time to ask a model in, and what it did not suffice for.

    Attributes:
        reason: what was left out; None where nothing was.
    """

    def __init__(self, ms: int) -> None:
        self._ms = ms
        self.reason: str | None = None

    def each(self, answers: Iterable[T], total: int) -> Iterator[T]:
        """As many of ``total`` answers as there is time to use: one always, and the clock runs from
        then on, as the first of a process loads kernels."""
        end = float("inf")
        for done, answer in enumerate(answers, 1):
            yield answer
            now = time.perf_counter()
            end = now + self._ms / 1000 if done == 1 else end
            if now >= end and done < total:
                left = f"no time for {total - done} of {total} relations and directions"
                self.reason = f"the deadline of {self._ms} ms left {left}"
                return
