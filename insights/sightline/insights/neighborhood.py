"""The graph around an entity, sampled so that hubs show every relation they have.

Knows facts and degrees; knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sightline.insights.facts import Facts, fair_order, spread
from sightline.insights.records import DegreeCount, Link, Neighborhood, Node

if TYPE_CHECKING:
    from sightline.graph.snapshot import Ids
    from sightline.insights.names import Names

Flags = npt.NDArray[np.bool_]
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
    wanted = facts.slots(None, "both")
    if relations:
        wanted = np.isin(np.arange(len(wanted)) % facts.snapshot.num_relations, relations)
    distance = _grow(facts, entity, hops, limit, wanted)
    shown = np.flatnonzero(distance < ABSENT).astype(np.int32)
    shown = shown[np.lexsort((shown, distance[shown]))]
    omitted = _omitted(facts, names, shown[distance[shown] < hops], distance, wanted)
    return Neighborhood(
        center=names.entity(entity),
        nodes=tuple(_node(names, int(e)) for e in shown),
        edges=tuple(_links(facts, names, shown, distance, wanted)),
        truncated=bool(omitted),
        omitted=tuple(omitted),
    )


def _grow(facts: Facts, entity: int, hops: int, limit: int, wanted: Flags) -> npt.NDArray[np.int8]:
    """Distance from the entity of everything that is shown, int8 ``(N,)``, else ``ABSENT``."""
    distance = np.full(facts.snapshot.num_entities, ABSENT, np.int8)
    distance[entity] = 0
    left = limit - 1
    left_out = []
    for hop in range(1, hops + 1):
        frontier = np.flatnonzero(distance == hop - 1).astype(np.int32)
        found = _neighbours(facts, frontier, distance, wanted)
        places = -(-left // (hops - hop + 1))
        distance[found[:places]] = hop
        left -= len(found[:places])
        left_out.append(found[places:])
    for hop, found in enumerate(left_out, 1):
        found = found[distance[found] == ABSENT][:left]
        distance[found] = hop
        left -= len(found)
    return distance


def _neighbours(facts: Facts, frontier: Ids, distance: npt.NDArray[np.int8], wanted: Flags) -> Ids:
    """Entities one step further that are not shown yet, each once, in fair order."""
    owner, slot, other, _ = facts.incident(frontier)
    keep = wanted[slot] & (distance[other] == ABSENT)
    owner, slot, other = owner[keep], slot[keep], other[keep]
    group = owner * len(wanted) + slot
    other = other[fair_order(group, facts.snapshot.degree[other], other)]
    _, first = np.unique(other, return_index=True)
    ordered: Ids = other[np.sort(first)]
    return ordered


def _omitted(
    facts: Facts, names: Names, inner: Ids, distance: npt.NDArray[np.int8], wanted: Flags
) -> list[DegreeCount]:
    _, slot, other, _ = facts.incident(inner)
    slot = slot[wanted[slot] & (distance[other] == ABSENT)]
    slots, counts = np.unique(slot, return_counts=True)
    return [
        DegreeCount(names.relation(int(s)), names.direction(int(s)), int(count))
        for s, count in zip(slots, counts)
    ]


def _links(
    facts: Facts, names: Names, shown: Ids, distance: npt.NDArray[np.int8], wanted: Flags
) -> list[Link]:
    s = facts.snapshot
    _, edges = spread(s.out_indptr, shown)
    keep = wanted[s.relation[edges]] & (distance[s.tail[edges]] < ABSENT)
    ids = {int(e): s.curie(s.entity_iris[e]) for e in shown}
    return [
        Link(ids[int(s.head[e])], names.relation(int(s.relation[e])), ids[int(s.tail[e])])
        for e in edges[keep]
    ]


def _node(names: Names, entity: int) -> Node:
    ref = names.entity(entity)
    return Node(ref.id, ref.iri, ref.label, ref.types, int(names.snapshot.degree[entity]))
