"""The types, and how facts run between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sightline.insights.kind import Kind, Sightline
from sightline.insights.records import ClassCount, Ref

if TYPE_CHECKING:
    from sightline.graph.arrays import Ids, Offsets
    from sightline.graph.snapshot.reader import Snapshot

#: Edges whose types are counted at once.
BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class SchemaQuestion:
    """The whole of it."""


@dataclass(frozen=True)
class SchemaLink:
    """How many facts of a relation run from one type to another; null: without a type."""

    source: Ref | None
    relation: Ref
    target: Ref | None
    count: int


@dataclass(frozen=True)
class Schema:
    """The graph of types."""

    types: tuple[ClassCount, ...]
    links: tuple[SchemaLink, ...]


def schema(sight: Sightline, asked: SchemaQuestion) -> Schema:
    """The types, and which relations run from which type to which, the largest first.

    A fact between entities of several types counts once for each pair of their types.
    """
    import numpy as np

    from sightline.graph.arrays import expand_csr

    s, names = sight.snapshot, sight.names
    none = len(s.class_iris)
    indptr, classes = _with_untyped(s)
    shape = (none + 1, s.num_relations, none + 1)
    keys = np.zeros(0, np.int64)
    counts = np.zeros(0, np.int64)
    for start in range(0, s.num_edges, BLOCK):
        edges = slice(start, start + BLOCK)
        by_head, at_head = expand_csr(indptr, s.head[edges])
        by_tail, at_tail = expand_csr(indptr, s.tail[edges][by_head])
        where = (classes[at_head][by_tail], s.relation[edges][by_head][by_tail], classes[at_tail])
        here, number = np.unique(np.ravel_multi_index(where, shape), return_counts=True)
        keys, which = np.unique(np.concatenate([keys, here]), return_inverse=True)
        counts = np.bincount(which, np.concatenate([counts, number])).astype(np.int64)

    def type_of(class_id: int) -> Ref | None:
        return None if class_id == none else names.type(class_id)

    order = np.argsort(-counts, kind="stable")
    source, relation, target = np.unravel_index(keys[order], shape)
    links = tuple(
        SchemaLink(type_of(int(h)), names.relation(int(r)), type_of(int(t)), int(count))
        for h, r, t, count in zip(source, relation, target, counts[order])
    )
    return Schema(names.class_counts(), links)


def _with_untyped(s: Snapshot) -> tuple[Offsets, Ids]:
    """The types of every entity, with a class of its own, the last, for those without one."""
    import numpy as np

    from sightline.graph.arrays import expand_csr

    own = np.diff(s.type_indptr)
    indptr = np.append(0, np.cumsum(np.maximum(own, 1)))
    classes = np.full(indptr[-1], len(s.class_iris), np.int32)
    owner, position = expand_csr(s.type_indptr, np.flatnonzero(own))
    start = indptr[np.flatnonzero(own)[owner]]
    classes[start + position - s.type_indptr[np.flatnonzero(own)[owner]]] = s.type_class[position]
    return indptr, classes


KIND = Kind(
    schema,
    route="GET /v1/schema",
    tag="graph",
    order="The graph of types.",
)
