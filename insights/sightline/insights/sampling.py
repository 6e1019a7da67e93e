"""The entities around one, sampled so that hubs show every relation they have.

Knows facts and degrees; knows no labels and no model.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Doubles, Flags, Ids, expand_csr
from sightline.graph.snapshot.pairs import changes
from sightline.insights.facts import Facts, fair_order

#: Distance of an entity that is not shown.
ABSENT = 127
#: Facts looked at for the relevance of the neighbours of one entity: some 20 ms.
MOST_FACTS = 1_000_000


def choose(
    facts: Facts,
    entity: int,
    hops: int,
    limit: int,
    wanted: Flags,
    *,
    order: npt.NDArray[np.integer] | None = None,
    per_relation: int | None = None,
    besides: Ids | None = None,
    drawn: Ids | None = None,
) -> Flags:
    """At most ``limit`` entities within ``hops`` of one, itself among them: bool ``(N,)``.

    Each hop gets an equal share of the places that are left; places that the outer hops cannot fill
    go to what was left out, nearest first. Inside a hop the relations of every entity take turns
    (``facts.fair_order``), both directions of a symmetric one together.

    Args:
        order: ``(N,)``: which comes first in a relation, the lowest; None: that of lowest degree.
        per_relation: the most of one relation of one entity in a hop.
        besides: entities that are among them whatever their relation is.
        drawn: entities that are not chosen and take no place.
    """
    shown = np.zeros(facts.snapshot.num_entities, np.bool_)
    seen = shown.copy()
    if drawn is not None:
        seen[drawn] = True
    if besides is not None:
        shown[besides] = seen[besides] = True
    shown[entity] = seen[entity] = True
    order = facts.snapshot.degree if order is None else order
    frontier = np.array([entity], np.int32)
    left = limit - int(shown.sum())
    left_out = []
    for hop in range(hops):
        found = _neighbours(facts, frontier, seen, wanted, order, per_relation)
        seen[found] = True
        places = -(-left // (hops - hop))
        frontier = found[:places]
        shown[frontier] = True
        left -= len(frontier)
        left_out.append(found[places:])
    shown[np.concatenate(left_out)[:left]] = True
    return shown


def _neighbours(
    facts: Facts,
    frontier: Ids,
    seen: Flags,
    wanted: Flags,
    order: npt.NDArray[np.integer],
    per_relation: int | None,
) -> Ids:
    """Entities one step further that were not seen yet, each once, in fair order."""
    owner, rel, other, _ = facts.incident(frontier)
    keep = wanted[rel] & ~seen[other]
    owner, rel, other = owner[keep], rel[keep], other[keep]
    group = owner * len(wanted) + facts.snapshot.one_rel[rel]
    if per_relation is not None:
        best = np.lexsort((other, order[other], group))
        start = changes(group[best])
        again = np.append(False, ~start[1:] & (other[best][1:] == other[best][:-1]))
        turn = np.cumsum(~again)
        best = best[turn - turn[start][np.cumsum(start) - 1] < per_relation]
        group, other = group[best], other[best]
    other = other[fair_order(group, order[other], other)]
    _, first = np.unique(other, return_index=True)
    ordered: Ids = other[np.sort(first)]
    return ordered


def by_relevance(facts: Facts, entity: int, wanted: Flags) -> npt.NDArray[np.intp]:
    """The place of every entity in an order by relevance to one, ties by degree and id: ``(N,)``,
    N where it is not joined with it.

    Relevance is the sum of the scores of all ways of one and two facts, as for paths: what hubs
    join counts little. Of more than ``MOST_FACTS`` second facts those of the neighbours of lowest
    degree count.
    """
    s = facts.snapshot
    _, near, weight = _ways(facts, np.array([entity], np.int32), wanted)
    between, at = np.unique(near, return_inverse=True)
    into = np.bincount(at.ravel(), weight, len(between))
    by_degree = np.lexsort((between, s.degree[between]))
    by_degree = by_degree[np.cumsum(s.degree[between[by_degree]]) <= MOST_FACTS]
    by_degree = by_degree[between[by_degree] != entity]
    owner, far, more = _ways(facts, between[by_degree], wanted)
    worth = np.bincount(near, weight, s.num_entities) + np.bincount(
        far, more * into[by_degree][owner], s.num_entities
    )
    place = np.full(s.num_entities, s.num_entities, np.intp)
    joined = np.flatnonzero(worth)
    place[joined[np.lexsort((joined, s.degree[joined], -worth[joined].round(12)))]] = np.arange(
        len(joined)
    )
    return place


def _ways(facts: Facts, anchors: Ids, wanted: Flags) -> tuple[Ids, Ids, Doubles]:
    """The facts at some entities, twins as one: index of the anchor, other end, weight."""
    owner, rel, other, edge = facts.incident(anchors)
    keep = wanted[rel]
    keep[keep] = facts.listed(edge[keep], owner[keep])
    return owner[keep].astype(np.int32), other[keep], facts.snapshot.path_weight[edge[keep]]


def between(facts: Facts, shown: Flags, drawn: Ids, wanted: Flags) -> Ids:
    """The facts between two shown entities, or a shown and a drawn one: edge ids, ascending."""
    s = facts.snapshot
    known = shown.copy()
    known[drawn] = True
    _, found = expand_csr(s.out_indptr, np.flatnonzero(known).astype(np.int32))
    head, tail = s.head[found], s.tail[found]
    keep = wanted[s.relation[found]] & known[tail] & (shown[head] | shown[tail])
    edges: Ids = found[keep].astype(np.int32)
    return edges[facts.listed(edges)]


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
