"""Communities: entities that have more to do with each other than with the rest.

Modularity is maximised as Louvain does (Blondel and others 2008,
doi:10.1088/1742-5468/2008/10/P10008) on the undirected graph of facts, each of which weighs what it
weighs in a path: hubs bind little. A community that falls apart into pieces is taken for as many,
which Louvain alone does not see to (Traag and others 2019, doi:10.1038/s41598-019-41695-z). The
same seed gives the same communities.

Compiled here, since libraries hold Python's lock for the whole of the time, so that nobody else is
answered, and can neither be stopped nor end early. Knows ids; knows no label.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numba
import numpy as np

from sightline.graph.arrays import Doubles, Flags, Ids, Offsets
from sightline.graph.progress import stop_if_cancelled
from sightline.graph.snapshot.pairs import changes
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.sections.edges import order

#: A round of moves that gains less modularity than this is the last one.
GAIN = 1e-4
#: Kept communities of one snapshot.
KEPT = 4
#: Entities that one is compared with, those with about as many facts; fewer say nothing. Of another
#: type are only those with a third to three times as many.
PEERS, FEWEST_PEERS, ABOUT = 20, 3, 3
#: Peers that differ as all entities do, added to those that there are.
UNKNOWN_PEERS = 3
#: No share is smaller but by rounding.
ROUNDING = 1e-9

_kernel = numba.njit(cache=True, nogil=True)


@dataclass(frozen=True, slots=True, eq=False)
class Communities:
    """Communities of a graph, the largest first.

    Attributes:
        of: int32 ``(N,)``: the community of each entity, -1 for one without facts.
        sizes: int64: entities in each.
        modularity: of this partition, at the resolution asked for.
        inside: float64 ``(N,)``: weight of the facts of each entity within its community.
        outside: float64 ``(N,)``: of those that lead to others.
        participation: float64 ``(N,)``: 1 less the sum of the squared shares of each community in
            the weight of its facts (Guimerà and Amaral 2005, doi:10.1038/nature03288): 0 where
            all lead to one, near 1 where they lead to many alike.
        usual: float64 ``(N,)``: the mean of that among the entities of its rarest type that come
            nearest in facts, or of any type where it has too few; NaN where all are.
        bridging: float64 ``(N,)``: by how many deviations it is above that, 0 where it is not:
            about 0 of the most popular value of a kind of which all values lead everywhere.
        whole: False: the time was over before no move gained anything.
    """

    of: Ids
    sizes: Offsets
    modularity: float
    inside: Doubles
    outside: Doubles
    participation: Doubles
    usual: Doubles
    bridging: Doubles
    whole: bool


class Weighted(NamedTuple):
    """An undirected graph as a CSR, each edge in it twice.

    Attributes:
        indptr, neighbour, weight: of the edges.
        strength: weight of all edges of each node, and twice that of its loop.
        loop: what of it stays inside.
    """

    indptr: Offsets
    neighbour: Ids
    weight: Doubles
    strength: Doubles
    loop: Doubles


def communities(
    snapshot: Snapshot, *, resolution: float = 1.0, seed: int = 0, deadline_ms: float = 5000
) -> Communities:
    """The communities of a snapshot; those of the last few questions are kept.

    Args:
        resolution: above 1 gives more and smaller ones, below 1 fewer and larger ones.
        deadline_ms: what has been found by then is the answer; it is not kept.

    Raises:
        Cancelled: nobody waits for the answer any more.
    """
    made = _MADE.setdefault(snapshot, {})
    found = made.get((resolution, seed))
    if found is None:
        found = _communities(snapshot, resolution, seed, deadline_ms / 1000)
        if found.whole:
            # Another thread may do the same.
            for oldest in list(made)[: 1 - KEPT]:
                made.pop(oldest, None)
            made[resolution, seed] = found
    return found


_MADE: WeakKeyDictionary[Snapshot, dict[tuple[float, int], Communities]] = WeakKeyDictionary()


def _communities(s: Snapshot, resolution: float, seed: int, budget: float) -> Communities:
    fact = np.flatnonzero((s.fact_of == np.arange(s.num_edges)) & (s.head != s.tail))
    weight = s.path_weight[fact]
    graph = _weighted(s.head[fact], s.tail[fact], weight, np.zeros(s.num_entities))
    start, end = time.perf_counter(), math.inf
    of, level, whole = np.arange(s.num_entities, dtype=np.int32), graph, True
    rng = np.random.default_rng(seed)
    total = float(graph.strength.sum())
    while total:
        moved = np.arange(len(level.loop), dtype=np.int32)
        volume, gained = level.strength.copy(), math.inf
        while gained > GAIN and (whole := time.perf_counter() < end):
            stop_if_cancelled()
            turn = rng.permutation(len(moved)).astype(np.int32)
            gained = _move(level, moved, volume, turn, resolution, total)
            # The first question of a process loads the kernels, which may take all its time.
            end = min(end, max(start + budget, time.perf_counter() + budget / 2))
        left, number = np.unique(moved, return_inverse=True)
        of = number[of].astype(np.int32)
        if not whole or len(left) == len(moved):
            break
        level = _merged(level, number.astype(np.int32))
    return _described(s, graph, _in_pieces(graph, of), resolution, whole)


def _weighted(one: Ids, other: Ids, weight: Doubles, loop: Doubles) -> Weighted:
    """A graph of edges, of which several may join two nodes, and loops."""
    source, target = np.concatenate([one, other]), np.concatenate([other, one])
    rank = order(source, target)
    source, target, weights = source[rank], target[rank], np.tile(weight, 2)[rank]
    first = np.flatnonzero(changes(source, target))
    if len(first):
        weights = np.add.reduceat(weights, first)
    source = source[first]
    strength = np.bincount(source, weights, len(loop)) + 2 * loop
    indptr = np.searchsorted(source, np.arange(len(loop) + 1))
    return Weighted(indptr, target[first], weights, strength, loop)


def _merged(level: Weighted, moved: Ids) -> Weighted:
    """The graph in which each community is one node."""
    source = moved[np.repeat(np.arange(len(moved)), np.diff(level.indptr))]
    target = moved[level.neighbour]
    size = int(moved.max()) + 1
    inside, once = source == target, source < target
    loop: Doubles = np.bincount(moved, level.loop, size).astype(np.float64)
    loop += np.bincount(source[inside], level.weight[inside], size).astype(np.float64) / 2
    return _weighted(source[once], target[once], level.weight[once], loop)


def _in_pieces(graph: Weighted, of: Ids) -> Ids:
    """Communities whose entities are connected within them."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    source = np.repeat(np.arange(len(of)), np.diff(graph.indptr))
    same = of[source] == of[graph.neighbour]
    ends = (source[same], graph.neighbour[same])
    inside = csr_array((np.ones(len(ends[0]), np.int8), ends), (len(of), len(of)))
    piece: Ids = connected_components(inside, directed=False)[1]
    return piece


def _described(
    s: Snapshot, graph: Weighted, of: Ids, resolution: float, whole: bool
) -> Communities:
    """Communities by size, those of one size by their first entity; without lonely entities."""
    alone = graph.strength == 0
    of = np.where(alone, -1, of)
    _, first, number, size = np.unique(
        of, return_index=True, return_inverse=True, return_counts=True
    )
    size = np.where(of[first] < 0, -1, size)
    rank = np.lexsort((first, -size))
    place = np.empty(len(rank), np.int32)
    place[rank] = np.arange(len(rank))
    of = np.where(alone, -1, place[number]).astype(np.int32)
    sizes = size[rank][size[rank] > 0].astype(np.int64)
    source = np.repeat(np.arange(len(of)), np.diff(graph.indptr))
    target = of[graph.neighbour]
    same = of[source] == target
    inside: Doubles = np.bincount(source[same], graph.weight[same], len(of)).astype(np.float64)
    # Weight of each entity's facts to each community: the edges of an entity by community.
    order_ = order(source.astype(np.int32), target)
    begin = np.flatnonzero(changes(source[order_], target[order_]))
    to_one = np.add.reduceat(graph.weight[order_], begin) if len(begin) else np.zeros(0)
    squares = np.bincount(source[order_][begin], to_one**2, len(of))
    participation = np.maximum(1 - squares / np.where(alone, 1.0, graph.strength**2), 0)
    participation[alone] = 0
    volume = np.bincount(of[~alone], graph.strength[~alone], len(sizes))
    both = max(float(graph.strength.sum()), np.finfo(np.float64).tiny)
    modularity = inside.sum() / both - resolution * ((volume / both) ** 2).sum()
    outside = np.maximum(graph.strength - inside, 0)
    usual, bridging = _compared(s, participation, np.flatnonzero(~alone))
    return Communities(
        of, sizes, float(modularity), inside, outside, participation, usual, bridging, whole
    )


def _compared(s: Snapshot, value: Doubles, entities: Offsets) -> tuple[Doubles, Doubles]:
    """``Communities.usual`` and ``bridging`` of some entities."""
    usual, bridging = np.full(s.num_entities, np.nan), np.zeros(s.num_entities)
    kind = s.rarest_type[entities]
    # Those of their type last, so that they stay where there are enough.
    for kinds, about in ((np.zeros_like(kind), ABOUT), (kind, None)):
        order_ = np.lexsort((entities, s.degree[entities], kinds))
        ranked = entities[order_]
        mean, above, enough = _beside(value[ranked], s.degree[ranked], kinds[order_], about)
        enough &= kinds[order_] >= 0  # no type is no kind
        usual[ranked[enough]], bridging[ranked[enough]] = mean[enough], above[enough]
    return usual, bridging


def _beside(
    value: Doubles, facts: Ids, kind: Offsets, about: int | None
) -> tuple[Doubles, Doubles, Flags]:
    """The mean of the peers of each value, all sorted by kind and number of facts, by how many
    deviations it is above that, and whether there are enough peers. ``about``: how many times as
    many facts a peer may have; None: any number.

    A share of few facts is uncertain, and of few peers nobody knows how much they differ: the one
    adds the variance of a share of so many facts, half a fact added to both sides, the other peers
    that differ as all entities do.
    """
    place = np.arange(len(value))
    first, last = (np.searchsorted(kind, kind, side=side) for side in ("left", "right"))
    if about is not None:  # of one kind, so that all are sorted by facts
        first = np.searchsorted(facts, -(-facts // about))
        last = np.searchsorted(facts, about * facts, side="right")
    # A window of peers around each, moved inwards at its ends.
    low = np.maximum(first, np.minimum(place - PEERS // 2, last - PEERS - 1))
    high = np.minimum(last, low + PEERS + 1)
    number = np.maximum(high - low - 1, 1)
    total, squares = (np.append(0, np.cumsum(value**power)) for power in (1, 2))
    mean = np.maximum(total[high] - total[low] - value, 0) / number
    differ = np.maximum(squares[high] - squares[low] - value**2 - number * mean**2, 0)
    everyone = value.var() if len(value) else 0.0
    variance = (differ + UNKNOWN_PEERS * everyone) / (number + UNKNOWN_PEERS)
    likely = (mean * facts + 0.5) / (facts + 1)
    variance += likely * (1 - likely) / facts
    above = np.maximum(value - mean, 0) / np.sqrt(variance) * (value > ROUNDING)
    return mean, above, number >= FEWEST_PEERS


@_kernel
def _move(graph: Any, of: Any, volume: Any, turn: Any, resolution: float, total: float) -> float:
    """Move each node to the community in which it adds most, if that is another one.

    Args:
        of: the community of each node; changed.
        volume: strength of each community; changed.
        total: strength of all.

    Returns:
        by how much the modularity has grown.
    """
    weight_to = np.zeros(len(of))
    near = np.empty(len(of), np.int32)
    gained = 0.0
    for i in range(len(turn)):
        node = turn[i]
        own, strength, found = of[node], graph.strength[node], 0
        for p in range(graph.indptr[node], graph.indptr[node + 1]):
            c = of[graph.neighbour[p]]
            if weight_to[c] == 0.0:
                near[found] = c
                found += 1
            weight_to[c] += graph.weight[p]
        volume[own] -= strength
        best, stays = own, weight_to[own] - resolution * strength * volume[own] / total
        most = stays
        for j in range(found):
            c = near[j]
            gain = weight_to[c] - resolution * strength * volume[c] / total
            # Of communities that are equal, the one with the lowest number.
            if gain > most + 1e-12 or (gain > most - 1e-12 and best != own and c < best):
                best, most = c, gain
        volume[best] += strength
        of[node] = best
        gained += 2 * (most - stays) / total
        for j in range(found):
            weight_to[near[j]] = 0.0
    return gained
