"""What every reader yields: a batch of records as columns.

Knows columns and line numbers; knows neither the format they came from nor what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl


class Rejected(NamedTuple):
    """A record that cannot be loaded."""

    line: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of a source.

    Attributes:
        frame: ``n`` rows of String columns, or List(String) where a record holds several values;
            null where a cell is empty.
        rows: UInt32 ``(n,)``: 1-based line or record in the source.
        hashes: UInt64 ``(n,)``: equal records have equal hashes.
        raw: the text of row ``i`` as the source has it.
        rejected: records that did not become a row.
        position: bytes of the source's file that were read so far.
        fresh: Boolean ``(n,)``: no earlier record of the table is equal; None until that is known.
    """

    frame: pl.DataFrame
    rows: pl.Series
    hashes: pl.Series
    raw: Callable[[int], str]
    rejected: list[Rejected] = field(default_factory=list)
    position: int = 0
    fresh: pl.Series | None = None

    @property
    def read(self) -> int:
        """Records in this batch, rejected ones included."""
        return self.frame.height + len(self.rejected)


def row_of(frame: pl.DataFrame, i: int) -> str:
    """The text of a row of a source without texts: JSON, by column."""
    return json.dumps(frame.row(i, named=True), ensure_ascii=False)


@lru_cache(maxsize=1 << 16)
def column_name(name: str) -> str:
    """A name that a column can bear. polars takes ``*`` and ``^...`` for patterns, and a NUL marks
    columns of our own."""
    name = name.replace("\0", "")
    return f"'{name}'" if name == "*" or name.startswith("^") else name


def first_of(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The column that bears the earliest of ``names``, in whatever case."""
    lower = {column.lower(): column for column in reversed(columns)}
    return next((lower[name] for name in names if name in lower), None)


def few_of(names: Iterable[str], most: int) -> str:
    """The first of some names, and how many more there are: ``a, b and 3 more``."""
    listed = list(names)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Column names without blanks around them; unnamed and repeated ones get a number."""
    seen: dict[str, int] = {}
    out = []
    for place, raw in enumerate(names, 1):
        name = column_name(raw.strip()) or f"column_{place}"
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return tuple(out)


class Runs:
    """Sorted 64-bit hashes, in logarithmically many runs: 8 bytes each."""

    def __init__(self) -> None:
        self._runs: list[npt.NDArray[np.uint64]] = []

    def known(self, ordered: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """``(n,)``: which of some sorted hashes are held."""
        known = np.zeros(len(ordered), np.bool_)
        for run in self._runs:
            place = np.searchsorted(run, ordered)
            known |= run[np.minimum(place, len(run) - 1)] == ordered
        return known

    def add(self, run: npt.NDArray[np.uint64]) -> None:
        """Take in sorted hashes, none of which is held."""
        # Runs of similar length are merged, so that there are only logarithmically many.
        while self._runs and len(run) * 2 >= len(self._runs[-1]):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        if len(run):
            self._runs.append(run)

    def cut(self, below: np.uint64) -> int:
        """Keep only the hashes below a bound; how many that are."""
        cut = [run[: np.searchsorted(run, below)].copy() for run in self._runs]
        self._runs = [run for run in cut if len(run)]
        return sum(map(len, self._runs))

    def merged(self) -> npt.NDArray[np.uint64]:
        """All hashes, sorted."""
        if len(self._runs) != 1:
            whole = np.sort(np.concatenate([np.zeros(0, np.uint64), *self._runs]), kind="stable")
            self._runs = [whole] if len(whole) else []
            return whole
        return self._runs[0]


class Seen:
    """The 64-bit hashes of all records so far."""

    def __init__(self) -> None:
        self._runs = Runs()

    def fresh(self, hashes: pl.Series) -> pl.Series:
        """Boolean ``(n,)``: the first record with its hash. Remembers them."""
        ordered = np.sort(hashes.to_numpy())
        known = self._runs.known(ordered)
        first = np.ones(len(ordered), np.bool_)
        first[1:] = ordered[1:] != ordered[:-1]
        self._runs.add(ordered[first & ~known])
        if first.all() and not known.any():  # as in most batches
            return pl.repeat(True, len(ordered), dtype=pl.Boolean, eager=True)
        return hashes.is_first_distinct() & ~hashes.is_in(pl.Series(ordered[known]).implode())
