"""How likely it is that an entity has one more answer under a directed relation, counted on the
graph.

A model ranks the answers to a question as if there were one. Nobody asks an entity of the graph all
questions at once without this: few people have a medical condition, and most countries that are in
forty organisations are in a forty-first. Knows how many answers entities have; knows no model.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Doubles, expand_csr
from sightline.insights.facts import Facts

#: How many entities of its type it takes to outweigh all entities.
SHRINKAGE = 5.0


class ChanceOfAnother:
    """Counts of answers per type and directed relation, ready to be asked."""

    def __init__(self, facts: Facts) -> None:
        s = facts.snapshot
        self._facts = facts
        self._everyone = len(s.class_iris)
        self._members = np.append(
            np.bincount(s.type_class, minlength=self._everyone), s.num_entities
        )
        anchor, rel, count = facts.groups
        by_type, position = expand_csr(s.type_indptr, anchor)
        group = np.concatenate([by_type, np.arange(len(anchor))])
        everyone = np.full(len(anchor), self._everyone)
        classes = np.concatenate([s.type_class[position], everyone]).astype(np.int64)
        self._width = int(count.max(initial=0)) + 1
        # Sorted by class, directed relation and count, so that a binary search counts the entities
        # of a class that have more than so many answers.
        self._keys = np.sort(self._key(classes, rel[group]) + count[group])

    def of(self, entities: npt.NDArray[np.integer], rels: npt.NDArray[np.integer]) -> Doubles:
        """The chance of one more answer under directed relations of entities: float64 ``(n,)``,
        for arrays of that length.

        With ``n`` answers stated: the share, among entities of its rarest type that have ``n`` or
        more, of those that have more; shrunk towards the same share among all entities.
        """
        stated = self._facts.number_of_answers(entities, rels)
        everyone = np.full(len(rels), self._everyone)
        share = self._share(everyone, rels, stated, np.full(len(rels), 0.5), 1.0)
        rarest = self._facts.snapshot.rarest_type[entities]
        own = self._share(np.maximum(rarest, 0), rels, stated, share, SHRINKAGE)
        return np.where(rarest < 0, share, own)

    def _share(
        self,
        classes: npt.NDArray[np.integer],
        rels: npt.NDArray[np.integer],
        stated: npt.NDArray[np.integer],
        prior: Doubles,
        weight: float,
    ) -> Doubles:
        start = self._key(classes, rels)
        low, high, end = (
            np.searchsorted(self._keys, start + stated),
            np.searchsorted(self._keys, start + stated, side="right"),
            np.searchsorted(self._keys, start + self._width),
        )
        as_many = np.where(stated == 0, self._members[classes], end - low)
        share: Doubles = (end - high + weight * prior) / (as_many + weight)
        return share

    def _key(
        self, classes: npt.NDArray[np.integer], rels: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.int64]:
        number_of_rels = 2 * self._facts.snapshot.num_relations
        key: npt.NDArray[np.int64] = (classes * np.int64(number_of_rels) + rels) * self._width
        return key
