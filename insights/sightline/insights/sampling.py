"""The entities around one, sampled so that hubs show every relation they have.

Knows facts and degrees; knows no labels and no model.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Flags, Ids
from sightline.insights.facts import Facts, fair_order

#: Distance of an entity that is not shown.
ABSENT = 127


def choose(facts: Facts, entity: int, hops: int, limit: int, wanted: Flags) -> Flags:
    """At most ``limit`` entities within ``hops`` of one, itself among them: bool ``(N,)``.

    Each hop gets an equal share of the places that are left; places that the outer hops cannot fill
    go to what was left out, nearest first. Inside a hop the relations of every entity take turns
    (``facts.fair_order``).
    """
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


def distances(
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
