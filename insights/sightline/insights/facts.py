"""What the graph states, asked directed relation by directed relation.

A directed relation is a relation with a reading direction: ``r`` asks relation ``r`` from head to
tail, ``r + num_relations`` asks it from tail to head. The anchor is the entity a directed relation
is asked of, its answers are at the other end. Knows the arrays of a snapshot; knows no
labels and no model.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Doubles, Flags, Ids, Offsets, expand_csr, expand_spans
from sightline.graph.snapshot.pairs import changes
from sightline.graph.snapshot.reader import Snapshot
from sightline.insights.records import Direction

#: A directed relation counts as single-valued when its anchors have at most this many answers on
#: average: a few countries with two capitals do not make ``capital`` a relation with many.
SINGLE_VALUED = 1.05
#: With fewer anchors than this nothing can be said about how many answers a directed relation has.
ENOUGH_ANCHORS = 10


def fair_order(
    group: npt.NDArray[np.integer], degree: npt.NDArray[np.integer], entity: Ids
) -> npt.NDArray[np.intp]:
    """An order in which no group floods the others: the first of each group, the second of each,
    and so on. In a round the smaller group comes first, then the lower number; within a group the
    lower degree, then the lower id. All three arrays are ``(n,)``.
    """
    by_group = np.lexsort((entity, degree, group))
    number = np.cumsum(changes(group[by_group])) - 1
    size = np.bincount(number)
    turn = np.arange(len(group)) - (np.cumsum(size) - size)[number]
    return by_group[np.lexsort((number, size[number], turn))]


class Facts:
    """Questions to one snapshot; the tables over all edges are built when first needed."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def inverse(self, rel: int) -> int:
        """The same relation read the other way."""
        n = self.snapshot.num_relations
        return rel - n if rel >= n else rel + n

    def rels(self, relation: int | None, direction: Direction | Literal["both"]) -> Flags:
        """bool ``(2R,)``: those of one relation, or of all, in one direction or in both."""
        n = self.snapshot.num_relations
        rel = np.arange(2 * n)
        wanted: Flags = np.full(2 * n, relation is None)
        if relation is not None:
            wanted[[relation, relation + n]] = True
        if direction != "both":
            wanted &= (rel < n) == (direction == "out")
        return wanted

    def answers(self, anchor: int, rel: int) -> tuple[Ids, Ids]:
        """Entity ids, ascending, and edge ids of the stated answers of a directed relation."""
        s = self.snapshot
        if rel < s.num_relations:
            span = _span(s.out_indptr, s.relation, anchor, rel)
            return s.tail[span], np.arange(span.start, span.stop, dtype=np.int32)
        span = _span(s.in_indptr, s.in_relation, anchor, rel - s.num_relations)
        return s.in_head[span], s.in_edge[span]

    def answers_of(
        self, anchors: npt.NDArray[np.integer], rels: npt.NDArray[np.integer]
    ) -> tuple[Ids, Offsets]:
        """The stated answers of many questions, both ``(n,)``: entity ids int32, question after
        question, ascending in each, and where those of each begin, int64 ``(n + 1,)``."""
        s = self.snapshot
        place, count = self._groups_of(anchors, rels)
        _, _, start = self._counts
        begins, at = expand_spans(start[place], count)
        # Those from head to tail first, then those from tail to head, as ``groups`` has them.
        out = at < s.num_edges
        found = np.empty(len(at), np.int32)
        found[out], found[~out] = s.tail[at[out]], s.in_head[at[~out] - s.num_edges]
        return found, begins

    def number_of_answers(
        self, anchors: npt.NDArray[np.integer], rels: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.int64]:
        """How many stated answers each of many questions has."""
        return self._groups_of(anchors, rels)[1]

    def at(self, anchor: int) -> tuple[Ids, Ids, Ids]:
        """Every fact at one anchor, out and in: directed relation, answer and edge id, int32."""
        s = self.snapshot
        out = slice(s.out_indptr[anchor], s.out_indptr[anchor + 1])
        into = slice(s.in_indptr[anchor], s.in_indptr[anchor + 1])
        return (
            np.concatenate([s.relation[out], s.in_relation[into] + np.int32(s.num_relations)]),
            np.concatenate([s.tail[out], s.in_head[into]]),
            np.concatenate([np.arange(out.start, out.stop, dtype=np.int32), s.in_edge[into]]),
        )

    def incident(self, anchors: Ids) -> tuple[Offsets, Ids, Ids, Ids]:
        """The same at several anchors, with the index into ``anchors`` before.

        Returns:
            four arrays of one length: index into ``anchors``, directed relation, answer, edge id.
        """
        s = self.snapshot
        out_owner, out = expand_csr(s.out_indptr, anchors)
        in_owner, into = expand_csr(s.in_indptr, anchors)
        return (
            np.concatenate([out_owner, in_owner]),
            np.concatenate([s.relation[out], s.in_relation[into] + s.num_relations]),
            np.concatenate([s.tail[out], s.in_head[into]]),
            np.concatenate([out.astype(np.int32), s.in_edge[into]]),
        )

    def listed(self, edge: Ids, owner: Offsets | None = None) -> Flags:
        """Which of some facts a list shows: of twins the first that is among them
        (``Snapshot.fact_of``); of twins at one owner, where owners are given."""
        fact = self.snapshot.fact_of[edge]
        keep: Flags = edge == fact
        if keep.all():
            return keep
        if owner is None:
            owner = np.zeros(len(edge), np.int64)
        order = np.lexsort((edge, ~keep, fact, owner))
        keep[order[changes(owner[order], fact[order])]] = True
        return keep

    def between(self, head: int, tail: int) -> Ids:
        """The edges from ``head`` to ``tail``, by relation."""
        s = self.snapshot
        start, end = s.out_indptr[head], s.out_indptr[head + 1]
        edges: Ids = (start + np.flatnonzero(s.tail[start:end] == tail)).astype(np.int32)
        return edges

    def edge(self, head: int, relation: int, tail: int) -> int | None:
        """The edge of a fact, None where the graph does not hold it."""
        s = self.snapshot
        span = _span(s.out_indptr, s.relation, head, relation)
        at = bisect_left(s.tail.data, tail, span.start, span.stop)
        return at if at < span.stop and s.tail.data[at] == tail else None

    def states(self, head: int, relation: int, tail: int) -> bool:
        """Whether the graph holds a fact."""
        return self.edge(head, relation, tail) is not None

    @cached_property
    def edges_per_rel(self) -> npt.NDArray[np.int64]:
        """int64 ``(2R,)``: facts of each directed relation, as many in both directions."""
        s = self.snapshot
        return np.tile(np.bincount(s.relation, minlength=s.num_relations), 2)

    @cached_property
    def anchors_per_rel(self) -> npt.NDArray[np.int64]:
        """int64 ``(2R,)``: entities that have an answer under each directed relation."""
        return np.bincount(self.groups[1], minlength=2 * self.snapshot.num_relations)

    @cached_property
    def groups(self) -> tuple[npt.NDArray[np.int64], ...]:
        """Anchor, directed relation and number of answers, int64, wherever there are answers."""
        s = self.snapshot
        tail = np.repeat(np.arange(s.num_entities, dtype=np.int32), np.diff(s.in_indptr))
        parts = []
        sides = ((0, s.head, s.relation), (s.num_relations, tail, s.in_relation))
        for shift, anchor, relation in sides:
            start = np.flatnonzero(changes(anchor, relation))
            count = np.diff(np.append(start, len(anchor)))
            parts.append(np.stack([anchor[start], relation[start] + shift, count]))
        anchor, rel, count = np.concatenate(parts, axis=1).astype(np.int64)
        return anchor, rel, count

    @cached_property
    def answers_per_anchor(self) -> Doubles:
        """float64 ``(2R,)``: mean number of answers of an anchor that has any."""
        return self.edges_per_rel / np.maximum(self.anchors_per_rel, 1)

    def plausible_rels(self, entity: int) -> npt.NDArray[np.intp]:
        """The directed relations that make sense for an entity: those that it or an entity of one
        of its types has a fact under, less single-valued ones it already has an answer for.
        Ascending."""
        s = self.snapshot
        own, _, _ = self.at(entity)
        used: Flags = np.logical_or.reduce(self._used_by_class[s.types_of(entity)], axis=0)
        used[own] = True
        used[own[self._single_valued[own]]] = False
        return np.flatnonzero(used)

    def fitting(self, rel: int) -> Flags:
        """bool ``(N,)``: entities that can answer a directed relation as far as types say: those of
        a type that some stated answer has, and those without a type. All, where the directed
        relation has no fact."""
        s = self.snapshot
        if not self.edges_per_rel[rel]:
            return np.ones(s.num_entities, np.bool_)
        seen = np.append(0, np.cumsum(self._used_by_class[s.type_class, self.inverse(rel)]))
        start, end = s.type_indptr[:-1], s.type_indptr[1:]
        fits: Flags = (seen[end] > seen[start]) | (start == end)
        return fits

    def answerable(self, entity: int) -> Flags:
        """bool ``(2R,)``: what an entity can answer as far as types say; see ``fitting``."""
        types = self.snapshot.types_of(entity)
        used: Flags = np.logical_or.reduce(self._used_by_class[types], axis=0)
        anything = (self.edges_per_rel == 0) | (len(types) == 0)
        answerable: Flags = anything | np.roll(used, self.snapshot.num_relations)
        return answerable

    def popularity(
        self, rels: npt.NDArray[np.integer], answers: npt.NDArray[np.integer]
    ) -> Doubles:
        """How likely each answer to a directed relation is by its number of facts alone: float64
        ``(n,)``.

        With add-one smoothing over the entities that answer the directed relation somewhere, and
        one more for all that do not: ``(facts of the answer + 1) / (facts + answers + 1)``.
        """
        inverse = (rels + self.snapshot.num_relations) % len(self.edges_per_rel)
        own = self.number_of_answers(answers, inverse)
        total = self.edges_per_rel[rels] + self.anchors_per_rel[inverse] + 1
        share: Doubles = (own + 1.0) / total
        return share

    def _groups_of(
        self, anchors: npt.NDArray[np.integer], rels: npt.NDArray[np.integer]
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
        """Which of ``_counts`` each question's answers are, and how many."""
        key, count, _ = self._counts
        wanted = anchors.astype(np.int64) * len(self.edges_per_rel) + rels
        place = np.searchsorted(key[:-1], wanted)
        return place, np.where(key[place] == wanted, count[place], 0)

    @cached_property
    def _counts(self) -> tuple[npt.NDArray[np.int64], ...]:
        """``anchor * 2R + directed relation`` wherever there are answers, ascending, how many, and
        where they begin among all; one more, that nothing is, at the end."""
        anchor, rel, count = self.groups
        key = anchor * len(self.edges_per_rel) + rel
        order = np.argsort(key)
        start = np.cumsum(count) - count
        ends = ((key, -1), (count, 0), (start, 0))
        return tuple(np.append(column[order], end) for column, end in ends)

    @cached_property
    def _single_valued(self) -> Flags:
        enough = self.anchors_per_rel >= ENOUGH_ANCHORS
        single: Flags = enough & (self.answers_per_anchor <= SINGLE_VALUED)
        return single

    @cached_property
    def _used_by_class(self) -> Flags:
        """bool ``(num_classes, 2R)``: some entity of the class is an anchor."""
        s = self.snapshot
        used = np.zeros((len(s.class_iris), 2 * s.num_relations), np.bool_)
        pairs = ((s.head, s.relation), (s.tail, s.relation + s.num_relations))
        for anchor, rel in pairs:
            owner, position = expand_csr(s.type_indptr, anchor)
            used[s.type_class[position], rel[owner]] = True
        return used


def _span(indptr: Offsets, relation: Ids, anchor: int, wanted: int) -> slice:
    """Where ``relation == wanted`` inside the anchor's part of the edges."""
    # A memoryview gives plain numbers, and a binary search over a few of them, at a tenth of the
    # cost of calling NumPy.
    start, end = indptr.data[anchor : anchor + 2]
    low = bisect_left(relation.data, wanted, start, end)
    return slice(low, bisect_right(relation.data, wanted, low, end))
