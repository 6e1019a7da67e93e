"""What is in the graph: an entity, a search, the relations, the types, the size.

Knows the snapshot's tables; knows no model and ranks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sightline.graph.arrays import expand_csr
from sightline.graph.vocabulary import DESCRIPTION_PROPERTIES
from sightline.insights.facts import Facts
from sightline.insights.records import (
    AttributeView,
    ClassCount,
    ClassRef,
    DegreeCount,
    EntityView,
    LoadRef,
    RelationView,
    Schema,
    SchemaLink,
    SearchHit,
    Stats,
)

if TYPE_CHECKING:
    from sightline.graph.arrays import Ids, Offsets
    from sightline.graph.snapshot.reader import Snapshot
    from sightline.insights.names import Names

#: Mean number of partners from which a side of a relation is called N.
MANY = 1.5
#: Edges whose types are counted at once.
BLOCK = 1 << 18


def entity_view(facts: Facts, names: Names, entity: int, known_to_model: bool) -> EntityView:
    """Everything stated about one entity; its facts as counts."""
    s = names.snapshot
    attributes = tuple(
        AttributeView(names.property(a.property), a.value, a.datatype, a.language, a.origins)
        for a in s.attributes(entity)
    )
    owner, rel, _, edge = facts.incident(np.array([entity], np.int32))
    rels, counts = np.unique(rel[facts.listed(owner, edge)], return_counts=True)
    used = {origin.load for attribute in attributes for origin in attribute.origins}
    used |= {s.loads[i]["id"] for i in s.loads_of(edge)}
    return EntityView(
        entity=names.entity(entity),
        attributes=attributes,
        degrees=tuple(
            DegreeCount(names.relation(int(i)), names.direction(int(i)), int(count))
            for i, count in zip(rels, counts)
        ),
        types=tuple(names.type(int(c)) for c in s.types_of(entity)),
        description=_description(attributes),
        loads=tuple(load for load in loads(s) if load.load in used),
        known_to_model=known_to_model,
    )


def _description(attributes: tuple[AttributeView, ...]) -> str | None:
    """The best description, English or of no language first."""
    rank = {iri: place for place, iri in enumerate(DESCRIPTION_PROPERTIES)}
    found = [a for a in attributes if a.property.iri in rank]
    found.sort(key=lambda a: (a.language not in (None, "en"), rank[a.property.iri], a.value))
    return found[0].value if found else None


def search(names: Names, query: str, class_id: int | None, limit: int) -> tuple[SearchHit, ...]:
    """See ``Snapshot.search``."""
    s = names.snapshot
    return tuple(
        SearchHit(names.entity(m.entity), m.how, int(s.degree[m.entity]))
        for m in s.search(query, class_id=class_id, limit=limit)
    )


def relations(facts: Facts, names: Names) -> tuple[RelationView, ...]:
    """Every relation, the most used first."""
    n = names.snapshot.num_relations
    many = facts.answers_per_anchor >= MANY
    order = np.argsort(-facts.edges_per_rel[:n], kind="stable")
    return tuple(
        RelationView(
            relation=names.relation(int(r)),
            edges=int(facts.edges_per_rel[r]),
            heads=int(facts.anchors_per_rel[r]),
            tails=int(facts.anchors_per_rel[r + n]),
            cardinality=_cardinality(bool(many[r + n]), bool(many[r])),
        )
        for r in order
    )


def _cardinality(many_heads: bool, many_tails: bool) -> str:
    left = "N" if many_heads else "1"
    right = ("M" if many_heads else "N") if many_tails else "1"
    return f"{left}:{right}"


def loads(snapshot: Snapshot) -> tuple[LoadRef, ...]:
    """The loads that the snapshot was compiled from."""
    return tuple(LoadRef(load["id"], load["source"]) for load in snapshot.loads)


def class_counts(names: Names) -> tuple[ClassCount, ...]:
    """Entities per type, most first, those without one last; one with several counts in each."""
    s = names.snapshot
    counts = np.bincount(s.type_class, minlength=len(s.class_iris))
    order = np.argsort(-counts, kind="stable")
    found = [ClassCount(names.type(int(c)), int(counts[c])) for c in order if counts[c]]
    bare = int((np.diff(s.type_indptr) == 0).sum())
    return (*found, *([ClassCount(None, bare)] if bare else []))


def schema(names: Names) -> Schema:
    """The graph of types, the largest first. A fact between entities of several types counts once
    for each pair of their types."""
    s = names.snapshot
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

    def type_of(class_id: int) -> ClassRef | None:
        return None if class_id == none else names.type(class_id)

    order = np.argsort(-counts, kind="stable")
    source, relation, target = np.unravel_index(keys[order], shape)
    links = tuple(
        SchemaLink(type_of(int(h)), names.relation(int(r)), type_of(int(t)), int(count))
        for h, r, t, count in zip(source, relation, target, counts[order])
    )
    return Schema(class_counts(names), links)


def _with_untyped(s: Snapshot) -> tuple[Offsets, Ids]:
    """The types of every entity, with a class of its own, the last, for those without one."""
    own = np.diff(s.type_indptr)
    indptr = np.append(0, np.cumsum(np.maximum(own, 1)))
    classes = np.full(indptr[-1], len(s.class_iris), np.int32)
    owner, position = expand_csr(s.type_indptr, np.flatnonzero(own))
    start = indptr[np.flatnonzero(own)[owner]]
    classes[start + position - s.type_indptr[np.flatnonzero(own)[owner]]] = s.type_class[position]
    return indptr, classes


def stats(names: Names, model: str | None) -> Stats:
    """The size of the graph."""
    s = names.snapshot
    return Stats(
        snapshot=s.id,
        model=model,
        entities=s.num_entities,
        relations=s.num_relations,
        edges=s.num_edges,
        loads=loads(s),
        types=class_counts(names),
    )
