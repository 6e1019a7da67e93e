"""The graph around an entity, sampled so that hubs show every relation they have.

Knows facts and degrees; knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Flags, expand_csr
from sightline.insights.facts import Facts, fair_order
from sightline.insights.records import DegreeCount, Link, Neighborhood, Node

if TYPE_CHECKING:
    from sightline.graph.arrays import Ids
    from sightline.insights.names import Names

#: Distance of an entity that is not shown.
ABSENT = 127


def neighborhood(
    facts: Facts, names: Names, entity: int, hops: int, limit: int, relations: Sequence[int]
) -> Neighborhood:
    """At most ``limit`` entities within ``hops`` of one, and all facts between them.

    Each hop gets an equal share of the places that are left; places that the outer hops cannot fill
    go to what was left out, nearest first. Inside a hop the relations of every entity take turns
    (``facts.fair_order``).
    """
    wanted = facts.rels(None, "both")
    if relations:
        wanted = np.isin(np.arange(len(wanted)) % facts.snapshot.num_relations, relations)
    chosen = _choose(facts, entity, hops, limit, wanted)
    distance = _distances(facts, entity, hops, chosen, wanted)
    shown = np.flatnonzero(chosen).astype(np.int32)
    shown = shown[np.lexsort((shown, distance[shown]))]
    omitted = _omitted(facts, names, shown[distance[shown] < hops], chosen, wanted)
    return Neighborhood(
        center=names.entity(entity),
        nodes=tuple(_node(names, int(e)) for e in shown),
        edges=tuple(_links(facts, names, shown, chosen, wanted)),
        truncated=bool(omitted),
        omitted=tuple(omitted),
    )


def _choose(facts: Facts, entity: int, hops: int, limit: int, wanted: Flags) -> Flags:
    """What is shown: bool ``(N,)``."""
    shown = np.zeros(facts.snapshot.num_entities, np.bool_)
    shown[entity] = True
    seen = shown.copy()
    frontier = np.array([entity], np.int32)
    left = limit - 1
    left_out = []
    for hop in range(hops):
        found = _neighbours(facts, frontier, seen, wanted)
        seen[found] = True
        places = -(-left // (hops - hop))
        frontier = found[:places]
        shown[frontier] = True
        left -= len(frontier)
        left_out.append(found[places:])
    shown[np.concatenate(left_out)[:left]] = True
    return shown


def _neighbours(facts: Facts, frontier: Ids, seen: Flags, wanted: Flags) -> Ids:
    """Entities one step further that were not seen yet, each once, in fair order."""
    owner, rel, other, _ = facts.incident(frontier)
    keep = wanted[rel] & ~seen[other]
    owner, rel, other = owner[keep], rel[keep], other[keep]
    group = owner * len(wanted) + rel
    other = other[fair_order(group, facts.snapshot.degree[other], other)]
    _, first = np.unique(other, return_index=True)
    ordered: Ids = other[np.sort(first)]
    return ordered


def _distances(
    facts: Facts, entity: int, hops: int, shown: Flags, wanted: Flags
) -> npt.NDArray[np.int8]:
    """Steps from the entity to everything that is shown: int8 ``(N,)``."""
    distance = np.where(shown, hops, ABSENT).astype(np.int8)
    distance[entity] = 0
    for hop in range(1, hops):
        _, rel, other, _ = facts.incident(np.flatnonzero(distance == hop - 1).astype(np.int32))
        near = other[wanted[rel] & (distance[other] == hops)]
        distance[near] = hop
    return distance


def _omitted(
    facts: Facts, names: Names, inner: Ids, chosen: Flags, wanted: Flags
) -> list[DegreeCount]:
    owner, rel, other, edge = facts.incident(inner)
    keep = np.flatnonzero(wanted[rel] & ~chosen[other])
    keep = keep[facts.listed(owner[keep], edge[keep])]
    rels, counts = np.unique(rel[keep], return_counts=True)
    return [
        DegreeCount(names.relation(int(s)), names.direction(int(s)), int(count))
        for s, count in zip(rels, counts)
    ]


def _links(facts: Facts, names: Names, shown: Ids, chosen: Flags, wanted: Flags) -> list[Link]:
    s = facts.snapshot
    _, found = expand_csr(s.out_indptr, shown)
    edges = found[wanted[s.relation[found]] & chosen[s.tail[found]]].astype(np.int32)
    edges = edges[facts.listed(np.zeros(len(edges), np.int64), edges)]
    ids = {int(e): s.curie(s.entity_iris[e]) for e in shown}
    return [
        Link(ids[int(s.head[e])], names.relation(int(s.relation[e])), ids[int(s.tail[e])])
        for e in edges
    ]


def _node(names: Names, entity: int) -> Node:
    ref = names.entity(entity)
    return Node(ref.id, ref.iri, ref.label, ref.types, int(names.snapshot.degree[entity]))
