"""The different values of a column as hashes: all while they may name records, else a sample.

Knows hashes; knows no text. Equal texts have equal hashes in every column of every table, so that
the values of one column can be looked up in those of another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sightline.ingest.batch import Runs

Hashes = npt.NDArray[np.uint64]

#: A column whose values come again keeps at most so many of them: those with the smallest hashes,
#: which is a uniform sample of the different values.
KEPT = 1 << 18
_ALL = 1 << 64


class Found(NamedTuple):
    """How many of the different values of a column are values of another.

    Attributes:
        exact: they were all looked up; otherwise a sample of them was.
    """

    found: int
    of: int
    exact: bool

    @property
    def share(self) -> float:
        """Between 0 and 1; 0 where there is no value."""
        return self.found / self.of if self.of else 0.0


class Distinct:
    """The different values of a column, one batch after the other.

    Attributes:
        unique: no value came twice. While that holds every hash is kept, 8 bytes a record.
        size: how many hashes are kept.
    """

    def __init__(self) -> None:
        self.unique = True
        self.size = 0
        self._runs = Runs()
        self._below = _ALL

    @property
    def count(self) -> int:
        """How many different values there are: exact up to ``KEPT``, an estimate beyond."""
        return self.size * (_ALL // self._below)

    def add(self, hashes: Hashes) -> None:
        """Take values in. ``hashes`` is ``(n,)`` in any order."""
        if self._below < _ALL:
            hashes = hashes[hashes < np.uint64(self._below)]
        ordered = np.sort(hashes)
        first = np.ones(len(ordered), np.bool_)
        first[1:] = ordered[1:] != ordered[:-1]
        values = ordered[first]
        self.unique = self.unique and len(values) == len(ordered)
        if self.size:
            known = self._runs.known(values)
            self.unique = self.unique and not known.any()
            values = values[~known]
        self._runs.add(values)
        self.size += len(values)
        self._forget()

    def _forget(self) -> None:
        """Keep no more than a sample where the values cannot name records."""
        while not self.unique and self.size > KEPT:
            self._below //= 2
            self.size = self._runs.cut(np.uint64(self._below))

    def take(self, other: Distinct) -> None:
        """Take the values of another column in."""
        self.unique = self.unique and other.unique
        if other._below < self._below:
            self._below = other._below
            self.size = self._runs.cut(np.uint64(self._below))
        self.add(other.kept())

    def copy(self) -> Distinct:
        """The same values."""
        made = Distinct()
        made.take(self)
        return made

    def give_up(self) -> None:
        """The values name no record, whether they come again or not."""
        self.unique = False
        self._forget()

    def kept(self) -> Hashes:
        """The hashes that are kept, sorted: the smallest ones."""
        return self._runs.merged()

    def holds(self, values: Hashes) -> npt.NDArray[np.bool_]:
        """``(n,)``: which of some sorted, different hashes are held, or may be."""
        held: npt.NDArray[np.bool_] = np.ones(len(values), np.bool_)
        known = int(np.searchsorted(values, np.uint64(self._below))) if self._below < _ALL else None
        kept = self.kept()
        if len(kept) < len(values):  # the fewer are looked up among the others
            place = np.searchsorted(values, kept)
            held[:known] = False
            held[place[values[np.minimum(place, len(values) - 1)] == kept]] = True
        else:
            held[:known] = self._runs.known(values[:known])
        return held

    def found_in(self, other: Distinct) -> Found:
        """How many of these values the other column has."""
        below = min(self._below, other._below)
        values = self._runs.merged()
        if below < _ALL:
            values = values[: np.searchsorted(values, np.uint64(below))]
        return Found(int(other._runs.known(values).sum()), len(values), below == _ALL)
