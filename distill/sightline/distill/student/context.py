"""A vector for an entity that the student never saw, from the few facts that are known about it.

What belongs at the other end of a fact the student knows already: asked from the neighbour, its
query points at the entity. The mean of these queries, and how often each directed relation occurs,
go through one linear map, fitted to the vectors of entities that the student does know
(``context_fit``):

    read = [m, share of each directed relation, 1]
    vector = [read n / (n + 1), read / (n + 1)] @ weight

with m the mean over the n facts whose neighbour has a vector. The two parts let one fact and many
be read differently, and none: a directed relation alone says something, so a fact counts whose
neighbour is as new as the entity. Knows entities and directed relations by number; knows no graph.
NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sightline.distill.student.arrays import StudentArrays
from sightline.graph.arrays import Floats, Ids

FILE = "context.npy"
#: What a directed relation's share counts beside a number of the mean, in the penalty of the fit.
SHARE = 10.0
#: Facts whose queries are held at once.
BLOCK = 8192
#: Numbers that the map reads at once: 32 MB.
NUMBERS = 1 << 22


@dataclass(frozen=True, slots=True)
class Context:
    """Facts at some entities, arrays of one length.

    Attributes:
        owner: int64, 0 to ``entities`` - 1: whose fact it is.
        rel: int32: the relation as read from the entity.
        neighbour: int32: the entity at the other end, -1 where the student does not know it.
        entities: how many entities there are; one without a fact gets the mean vector.
    """

    owner: npt.NDArray[np.int64]
    rel: Ids
    neighbour: Ids
    entities: int

    def part(self, first: int, last: int) -> Context:
        """The facts at the entities from ``first`` to before ``last``."""
        own = (self.owner >= first) & (self.owner < last)
        size = min(last, self.entities) - first
        return Context(self.owner[own] - first, self.rel[own], self.neighbour[own], size)


@dataclass(frozen=True, slots=True)
class ContextEncoder:
    """The fitted map; ``weight`` is float32 ``(2 (W + 2 R + 1), W)``, W numbers per entity."""

    weight: Floats

    @classmethod
    def open(cls, folder: Path) -> ContextEncoder | None:
        """The encoder of a student folder; None where the student was distilled without one."""
        path = folder / FILE
        return cls(np.load(path, mmap_mode="r")) if path.exists() else None

    def save(self, folder: Path) -> None:
        """Write ``context.npy``."""
        np.save(folder / FILE, self.weight)

    def encode(self, arrays: StudentArrays, context: Context) -> Floats:
        """A vector per entity: float32 ``(entities, W)``."""
        column = np.arange(len(arrays.rel), dtype=np.int32)
        block = max(1, NUMBERS // len(self.weight))
        parts = [
            features(arrays, context.part(first, first + block), column) @ self.weight
            for first in range(0, context.entities, block)
        ]
        return np.concatenate([np.zeros((0, self.weight.shape[1]), np.float32), *parts])


def features(arrays: StudentArrays, context: Context, column: Ids) -> Floats:
    """What the map reads: float32 ``(entities, 2 (W + C + 1))``.

    Args:
        column: int32 ``(2 R,)``, below C: where each directed relation's share is counted.
    """
    rels, width, columns = len(arrays.rel), arrays.entity.shape[1], int(column.max()) + 1
    at = context.owner * columns + column[context.rel]
    facts = np.bincount(at, minlength=context.entities * columns).reshape(-1, columns)
    share = facts / np.maximum(facts.sum(axis=1, keepdims=True), 1)
    known = np.flatnonzero(context.neighbour >= 0)
    count = np.bincount(context.owner[known], minlength=context.entities)[:, None]
    mean = np.zeros((context.entities, width))
    for start in range(0, len(known), BLOCK):
        part = known[start : start + BLOCK]
        turned = ((context.rel[part] + rels // 2) % rels).astype(np.int32)
        said = arrays.queries_of(arrays.entity[context.neighbour[part]], turned)
        np.add.at(mean, context.owner[part], said[:, :width])
    mean /= np.maximum(count, 1)
    read = np.concatenate([mean, SHARE * share, np.ones_like(mean[:, :1])], axis=1)
    both = np.concatenate([read * (count / (count + 1)), read / (count + 1)], axis=1)
    return both.astype(np.float32)
