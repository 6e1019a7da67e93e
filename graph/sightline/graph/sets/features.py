"""What can be said of an entity that may be said of another, too: its types, the relations that it
has, its neighbours, the properties that it has, and their values.

Made of a snapshot's arrays when first asked for. Knows ids; knows no statistics and no label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple

import numba
import numpy as np

from sightline.graph.arrays import Flags, Ids, Offsets, expand_csr
from sightline.graph.snapshot.kept import once_each
from sightline.graph.snapshot.pairs import changes, half_edges
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.sections.edges import order

#: The more particular first.
Kind = Literal["type", "neighbour", "value", "relation", "property"]
#: Backgrounds whose counts are kept.
KEPT = 8


@dataclass(frozen=True, eq=False)
class Incidence:
    """Which features entities have, each once.

    Attributes:
        indptr: int64 ``(N + 1,)``.
        feature: int32: those of entity ``e`` are ``feature[indptr[e]:indptr[e + 1]]``.
        size: how many features there are.
    """

    indptr: Offsets
    feature: Ids
    size: int

    def of(self, entities: Ids) -> tuple[Offsets, Ids]:
        """Index into ``entities`` and feature, wherever one of them has one."""
        owner, position = expand_csr(self.indptr, entities)
        return owner, self.feature[position]

    def counts(self, among: Flags) -> Offsets:
        """How many of some entities, bool ``(N,)``, have each feature: int64 ``(size,)``."""
        return np.bincount(
            self.feature[np.repeat(among, np.diff(self.indptr))], minlength=self.size
        )

    def holders(self, features: Offsets, among: Flags) -> tuple[Offsets, Ids]:
        """Who of some entities has each of some features, as a CSR: indptr and entities."""
        slot = np.full(self.size, -1, np.int32)
        slot[features] = np.arange(len(features), dtype=np.int32)
        at = np.flatnonzero(slot[self.feature] >= 0)
        entity = (np.searchsorted(self.indptr, at, side="right") - 1).astype(np.int32)
        at, entity = at[among[entity]], entity[among[entity]]
        own = slot[self.feature[at]]
        rank = np.argsort(own, kind="stable")
        return np.searchsorted(own[rank], np.arange(len(features) + 1)), entity[rank]


class Runs(NamedTuple):
    """The edges by entity, each way that they are stated or follow; no neighbour twice.

    A *run* is an entity and a directed relation under which it has edges; Q are there, by entity
    and relation. Directed relations are numbered as ``Snapshot.one_rel`` does.

    Attributes:
        indptr: ``(N + 1,)``: the runs of each entity.
        rel, entity: ``(Q,)``.
        start: ``(Q + 1,)``: the edges of each run.
        other: for each edge of a run the run at its other end.
    """

    indptr: Offsets
    rel: Ids
    entity: Ids
    start: Offsets
    other: Ids


class Features:
    """Everything of one snapshot.

    Attributes:
        runs: its edges by entity. The feature "has the neighbour e by relation r" has the number of
            the run at which those edges end: that of ``e`` and of ``r`` read the other way.
        back: int64 ``(2 R,)``: the directed relation that reads each the other way.
        kinds: what entities have.
        value_row: int64: an attribute for each feature that is a value.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        s, span = snapshot, len(snapshot.one_rel)
        self.back: Offsets = np.roll(s.one_rel, span // 2).astype(np.int64)
        self.runs = runs = _runs(s, self.back)
        values, properties, self.value_row = _literals(s)
        self.kinds: dict[Kind, Incidence] = {
            "type": Incidence(s.type_indptr, s.type_class, len(s.class_iris)),
            "neighbour": Incidence(runs.start[runs.indptr], runs.other, len(runs.rel)),
            "value": values,
            "relation": Incidence(runs.indptr, runs.rel, span),
            "property": properties,
        }
        self.counts = lru_cache(KEPT)(self._counts)
        #: How many two steps could stand out, by the first of them, as it is counted.
        self.two_step_tests: Callable[[int | None], dict[int, int]] = lru_cache(KEPT)(lambda _: {})
        self._num_entities = s.num_entities

    @cached_property
    def by_rel(self) -> tuple[Offsets, Ids]:
        """The runs of each directed relation, as a CSR."""
        rank = np.argsort(self.runs.rel, kind="stable").astype(np.int32)
        return np.searchsorted(self.runs.rel[rank], np.arange(len(self.back) + 1)), rank

    def runs_under(self, rel: int) -> Ids:
        """The run of every entity under a directed relation, -1 for none: int32 ``(N,)``."""
        indptr, run = self.by_rel
        own = run[indptr[rel] : indptr[rel + 1]]
        found = np.full(self._num_entities, -1, np.int32)
        found[self.runs.entity[own]] = own
        return found

    def among(self, class_id: int | None) -> Flags:
        """Which entities have a class, all for None: bool ``(N,)``."""
        if class_id is None:
            return np.ones(self._num_entities, np.bool_)
        types = self.kinds["type"]
        out = np.zeros(self._num_entities, np.bool_)
        at = np.flatnonzero(types.feature == class_id)
        out[np.searchsorted(types.indptr, at, side="right") - 1] = True
        return out

    def _counts(self, class_id: int | None) -> dict[Kind, Offsets]:
        """How many entities of a class, or of all, have each feature."""
        among = self.among(class_id)
        return {kind: incidence.counts(among) for kind, incidence in self.kinds.items()}


def _literals(s: Snapshot) -> tuple[Incidence, Incidence, Offsets]:
    """Values and properties, and an attribute for each value. A literal that several rows state, or
    in several languages, is there once."""
    owner = np.repeat(np.arange(s.num_entities, dtype=np.int32), np.diff(s.attribute_indptr))
    code = _codes(*s.attribute_value.arrays(), s.attribute_property)
    first = np.flatnonzero(changes(owner, code))
    _, row, value = np.unique(code[first], return_index=True, return_inverse=True)
    values = _incidence(owner[first], value.astype(np.int32), s.num_entities, len(row))
    row = first[row]
    first = np.flatnonzero(changes(owner, s.attribute_property))
    property_ = s.attribute_property[first]
    properties = _incidence(owner[first], property_, s.num_entities, len(s.property_iris))
    return values, properties, row


def _runs(s: Snapshot, back: Offsets) -> Runs:
    entity, rel = half_edges(s.head, s.relation, s.tail, s.one_rel)
    end = np.concatenate([s.tail, s.head])
    rank = order(entity, rel, end)
    entity, rel, end = entity[rank], rel[rank], end[rank]
    once = changes(entity, rel, end)
    entity, rel, end = entity[once], rel[once], end[once]
    first = np.flatnonzero(changes(entity, rel))
    key = entity[first].astype(np.int64) * len(back) + rel[first]
    other = np.searchsorted(key, end.astype(np.int64) * len(back) + back[rel]).astype(np.int32)
    indptr = np.searchsorted(entity[first], np.arange(s.num_entities + 1))
    return Runs(indptr, rel[first], entity[first], np.append(first, len(entity)), other)


def _incidence(owner: Ids, feature: Ids, num_entities: int, size: int) -> Incidence:
    return Incidence(np.searchsorted(owner, np.arange(num_entities + 1)), feature, size)


#: The features of a snapshot.
features_of = once_each(Features)


@numba.njit(cache=True, nogil=True)
def _codes(data: Any, offsets: Any, properties: Any) -> Any:
    """Property and text of each attribute in one number (FNV-1a, mixed): uint64 ``(n,)``. That two
    of a billion differing ones meet has a chance of one in forty."""
    out = np.empty(len(properties), np.uint64)
    for i in range(len(properties)):
        code = np.uint64(0xCBF29CE484222325) ^ (
            np.uint64(properties[i]) * np.uint64(0x9E3779B97F4A7C15)
        )
        for p in range(offsets[i], offsets[i + 1]):
            code = (code ^ np.uint64(data[p])) * np.uint64(0x100000001B3)
        out[i] = code ^ (code >> np.uint64(32))
    return out
