"""Which entities a condition of a logical question joins: pairs of ids.

Knows edges; knows no condition and no model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Flags, Floats, Ids, expand_csr
from sightline.insights.facts import Facts

#: Where the edges at some entities are fewer than this share of all, they are looked at one by one.
FEW = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of entities, each once, int32 ``(n,)``, in no order.

    Attributes:
        chance: float32 ``(n,)`` where some pairs are predicted; a stated pair has 1.
    """

    left: Ids
    right: Ids
    chance: Floats | None = None

    def __len__(self) -> int:
        return len(self.left)

    def take(self, chosen: Flags | npt.NDArray[np.intp]) -> Pairs:
        """Some of the pairs."""
        chance = None if self.chance is None else self.chance[chosen]
        return Pairs(self.left[chosen], self.right[chosen], chance)

    def turned(self) -> Pairs:
        """The same with the ends changed."""
        return Pairs(self.right, self.left, self.chance)

    def sorted(self) -> Pairs:
        """By left, then right."""
        return self.take(np.lexsort((self.right, self.left)))

    def within(self, left: Flags, right: Flags) -> Pairs:
        """Those whose ends are among some, bool ``(N,)`` each."""
        keep = left[self.left] & right[self.right]
        return self if keep.all() else self.take(keep)


def linked(facts: Facts, relation: int, left: Flags, right: Flags) -> Pairs:
    """The pairs that a relation joins, those within two sets."""
    s = facts.snapshot
    sides = ((left, s.out_indptr, s.relation, 0), (right, s.in_indptr, s.in_relation, 1))
    for among, indptr, relations, inward in sides:
        entities = np.flatnonzero(among)
        if (indptr[entities + 1] - indptr[entities]).sum() < FEW * s.num_edges:
            owner, at = expand_csr(indptr, entities)
            asked = np.flatnonzero(relations[at] == relation)
            own, at = entities[owner[asked]].astype(np.int32), at[asked]
            found = Pairs(s.in_head[at], own) if inward else Pairs(own, s.tail[at])
            return found.within(left, right)
    edges = np.flatnonzero(s.relation == relation)
    return Pairs(s.head[edges], s.tail[edges]).within(left, right)


def ends(pairs: Pairs, entities: int) -> tuple[Flags, Flags]:
    """bool ``(N,)`` each: what is left of some pair, and what is right."""
    left, right = np.zeros(entities, np.bool_), np.zeros(entities, np.bool_)
    left[pairs.left] = right[pairs.right] = True
    return left, right
