"""How long is asked, and what was left out. Knows a clock; knows no question."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Deadline:
    """Time to ask in, and what it did not suffice for.

    Attributes:
        ms: milliseconds.
        most: entities asked about at most, where the clock shall decide nothing; None: any number.
        reason: what was left out; None where nothing was.
    """

    def __init__(self, ms: int, most: int | None = None) -> None:
        self.ms = ms
        self.most = most
        self.reason: str | None = None

    def each(
        self,
        answers: Iterable[T],
        total: int,
        number: Callable[[T], int] = lambda _: 1,
        what: str = "relations and directions",
    ) -> Iterator[T]:
        """As many of ``total`` answers as there is time to use: the first always, and the clock
        runs from then on, as the first of a process loads kernels. ``number``: how many one is;
        ``what``: how they are called."""
        end, done = float("inf"), 0
        for answer in answers:
            yield answer
            now = time.perf_counter()
            end = end if done else now + self.ms / 1000
            done += number(answer)
            if now >= end and done < total:
                left = f"no time for {total - done} of {total} {what}"
                self.reason = f"the deadline of {self.ms} ms left {left}"
                return
