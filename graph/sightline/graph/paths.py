"""Ranked paths between two entities.

Knows edges, relation slots and weights; knows no label and no model. A path is node-simple, edges
are walked both ways, parallel edges make distinct paths. Slot ``r`` reads relation ``r`` from head
to tail, slot ``r + num_relations`` from tail to head.

The search meets in the middle: a breadth-first search from one end says how far every entity
within half of the way is from it, and a depth-first search from the other end leaves out every
branch that cannot arrive. Lengths are searched one after the other, so what a deadline cuts is the
long tail and never a direct edge. The kernel runs in slices; the clock is read between them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from sightline.graph.errors import require_range
from sightline.graph.snapshot import Snapshot

MAX_HOPS = 4
MAX_K = 1000
MAX_DEADLINE_MS = 60_000
#: Edges looked at between two looks at the clock: a few milliseconds.
SLICE_STEPS = 1_000_000
#: Paths handed over by the kernel at once.
CHUNK = 1 << 15
#: Edges looked at in all, so that an answer is bounded on any machine.
MAX_STEPS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Path:
    """One path of ``n`` edges.

    Attributes:
        entities: ``n + 1`` ids from source to target.
        edges: ``n`` edge ids.
        slots: ``n`` relation slots as walked.
        score: product of the edges' ``path_weight``, in (0, 1].
    """

    entities: tuple[int, ...]
    edges: tuple[int, ...]
    slots: tuple[int, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Metapath:
    """All paths that walk the same relation slots.

    Attributes:
        score: degree-weighted path count, the sum of the scores of its paths (DWPC, damping 0.4;
            Himmelstein and Baranzini 2015, doi:10.1371/journal.pcbi.1004259).
        count: number of its paths.
    """

    slots: tuple[int, ...]
    score: float
    count: int


@dataclass(frozen=True, slots=True)
class PathAnswer:
    """Paths and metapaths by score, then length, then ids.

    Attributes:
        paths: the best ``k``; a direct edge is always among them.
        metapaths: the best ``k``.
        found: number of paths seen.
        truncated: not everything was searched; ``reason`` says why.
    """

    paths: tuple[Path, ...]
    metapaths: tuple[Metapath, ...]
    found: int
    truncated: bool
    reason: str | None


def find_paths(
    snapshot: Snapshot,
    source: int,
    target: int,
    *,
    max_hops: int = 3,
    k: int = 10,
    include: Sequence[int] = (),
    exclude: Sequence[int] = (),
    types: Sequence[int] = (),
    deadline_ms: float = 1000,
) -> PathAnswer:
    """The best paths from ``source`` to ``target`` of at most ``max_hops`` edges.

    Args:
        include: relation ids that may be walked; empty means all.
        exclude: relation ids that may not.
        types: class ids; if given, every entity between the ends has one of them.
        deadline_ms: what has been found by then is the answer.

    Raises:
        OutOfRange: ``max_hops``, ``k`` or ``deadline_ms`` outside its range.
    """
    require_range("max_hops", max_hops, 1, MAX_HOPS)
    require_range("k", k, 1, MAX_K)
    require_range("deadline_ms", deadline_ms, 1, MAX_DEADLINE_MS)
    end = time.perf_counter() + deadline_ms / 1000
    collector = _Collector(snapshot, k)
    if source == target:
        return collector.answer(None)
    # The end with the smaller neighbourhood of neighbours is the cheaper one to branch out from.
    turned = _volume(snapshot, source) > _volume(snapshot, target)
    first, last = (target, source) if turned else (source, target)
    walk = _Walk.prepare(snapshot, first, last, max_hops, (include, exclude, types))
    reason = None
    for length in range(1, max_hops + 1):
        for edges, slots in walk.chunks(length):
            collector.take(*_oriented(edges, slots, turned, snapshot.num_relations))
            if time.perf_counter() > end:
                reason = f"the deadline of {deadline_ms:g} ms was reached at length {length}"
            elif walk.steps > MAX_STEPS:
                reason = f"the search budget was used up at length {length}"
            if reason and not (walk.finished and length == max_hops):
                return collector.answer(reason)
    return collector.answer(None)


def _oriented(
    edges: npt.NDArray[np.int32], slots: npt.NDArray[np.int32], turned: bool, num_relations: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    if not turned:
        return edges, slots
    flipped = np.where(slots < num_relations, slots + num_relations, slots - num_relations)
    return edges[:, ::-1], flipped[:, ::-1]


def _volume(snapshot: Snapshot, entity: int) -> int:
    out = snapshot.tail[snapshot.out_indptr[entity] : snapshot.out_indptr[entity + 1]]
    into = snapshot.in_head[snapshot.in_indptr[entity] : snapshot.in_indptr[entity + 1]]
    return int(snapshot.degree[out].sum() + snapshot.degree[into].sum())


@dataclass(slots=True)
class _Collector:
    """Keeps the best k paths and a sum per metapath of all that it is given."""

    snapshot: Snapshot
    k: int
    found: int = 0
    best: list[tuple[float, Path]] = field(default_factory=list)
    metapaths: dict[tuple[int, ...], tuple[float, int]] = field(default_factory=dict)

    def take(self, edges: npt.NDArray[np.int32], slots: npt.NDArray[np.int32]) -> None:
        """Add paths of one length: int32 ``(n, length)`` each."""
        if len(edges) == 0:
            return
        self.found += len(edges)
        scores = self.snapshot.path_weight[edges].prod(axis=1)
        self._add_metapaths(slots, scores)
        ranks = _rank(scores)
        keep = np.arange(len(ranks))
        if len(ranks) > self.k:
            bar = np.partition(ranks, self.k - 1)[self.k - 1]
            keep = np.flatnonzero(ranks <= bar)
            keep = keep[np.lexsort((*edges[keep].T[::-1], ranks[keep]))[: self.k]]
        for i in keep:
            path = self._path(edges[i], slots[i], float(scores[i]))
            self.best.append((float(ranks[i]), path))
        self.best.sort(key=lambda item: (item[0], len(item[1].edges), item[1].edges))
        direct = next((item for item in self.best if len(item[1].edges) == 1), None)
        del self.best[self.k :]
        if direct is not None and direct not in self.best:
            self.best[-1] = direct

    def _path(
        self, edges: npt.NDArray[np.int32], slots: npt.NDArray[np.int32], score: float
    ) -> Path:
        graph, steps = self.snapshot, tuple(int(s) for s in slots)
        ends = [
            (int(graph.head[e]), int(graph.tail[e]))[:: 1 if s < graph.num_relations else -1]
            for e, s in zip(edges, steps)
        ]
        entities = (ends[0][0], *(after for _, after in ends))
        return Path(entities, tuple(int(e) for e in edges), steps, score)

    def _add_metapaths(self, slots: npt.NDArray[np.int32], scores: npt.NDArray[np.float64]) -> None:
        base = 2 * self.snapshot.num_relations
        key = slots[:, 0].astype(np.int64)
        for column in slots.T[1:]:
            key = np.unique(key, return_inverse=True)[1] * base + column
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        sums, counts = np.bincount(which, scores), np.bincount(which)
        for i, total, count in zip(first, sums, counts):
            name = tuple(int(s) for s in slots[i])
            old_total, old_count = self.metapaths.get(name, (0.0, 0))
            self.metapaths[name] = (old_total + float(total), old_count + int(count))

    def answer(self, reason: str | None) -> PathAnswer:
        """What was collected; ``reason`` says why not everything was."""
        metapaths = [Metapath(slots, *value) for slots, value in self.metapaths.items()]
        metapaths.sort(key=lambda m: (float(_rank(m.score)), len(m.slots), m.slots))
        paths = tuple(path for _, path in self.best)
        return PathAnswer(paths, tuple(metapaths[: self.k]), self.found, reason is not None, reason)


def _rank(score: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Equal for scores that differ only by rounding; the best is the smallest."""
    return np.asarray(-np.round(np.log(score), 9), np.float64)


class _Walk:
    """The depth-first half of a search, resumable."""

    def __init__(self, graph: tuple[Any, ...], source: int, reach: tuple[Any, ...]) -> None:
        self._graph, self._source, self._reach = graph, source, reach
        self.steps = 0
        self.finished = False

    @classmethod
    def prepare(
        cls,
        snapshot: Snapshot,
        source: int,
        target: int,
        max_hops: int,
        filters: tuple[Sequence[int], Sequence[int], Sequence[int]],
    ) -> _Walk:
        """Measure distances to ``target`` and sort the edges at it by neighbour."""
        relations, entities = _masks(snapshot, *filters)
        s = snapshot
        out = (s.out_indptr, s.relation, s.tail)
        into = (s.in_indptr, s.in_relation, s.in_head, s.in_edge)
        graph = (*out, *into, relations, entities)
        distance = _distances(graph, target, max_hops // 2, s.num_entities)
        last = _last_steps(s, target, relations)
        return cls(graph, source, (target, distance, *last))

    def chunks(self, length: int) -> Any:
        """Yield (edges, slots), int32 ``(n, length)``, after every slice of the search."""
        stack = np.zeros((4, length + 1), np.int64)
        stack[0, 0] = self._source
        state = np.zeros(2, np.int64)
        self.finished = False
        while not self.finished:
            edges = np.empty((CHUNK, length), np.int32)
            slots = np.empty((CHUNK, length), np.int32)
            count = _search(
                self._graph, self._reach, length, stack, state, edges, slots, SLICE_STEPS
            )
            self.steps += int(state[1])
            self.finished = state[0] < 0
            yield edges[:count], slots[:count]


def _masks(
    snapshot: Snapshot, include: Sequence[int], exclude: Sequence[int], types: Sequence[int]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Relations that may be walked, and entities that may lie between (empty: all)."""
    relations = np.full(snapshot.num_relations, not include)
    relations[list(include)] = True
    relations[list(exclude)] = False
    if not types:
        return relations, np.zeros(0, np.bool_)
    entities = np.zeros(snapshot.num_entities, np.bool_)
    for class_id in types:
        entities |= snapshot.members(class_id)
    return relations, entities


def _last_steps(
    snapshot: Snapshot, target: int, relations: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Neighbour, edge and slot of every way to step onto ``target``, by neighbour."""
    into = slice(snapshot.in_indptr[target], snapshot.in_indptr[target + 1])
    out = slice(snapshot.out_indptr[target], snapshot.out_indptr[target + 1])
    node = np.concatenate([snapshot.in_head[into], snapshot.tail[out]])
    edge = np.concatenate([snapshot.in_edge[into], np.arange(out.start, out.stop, dtype=np.int32)])
    relation = np.concatenate([snapshot.in_relation[into], snapshot.relation[out]])
    backward = np.arange(len(node)) >= into.stop - into.start
    slot = np.where(backward, relation + snapshot.num_relations, relation).astype(np.int32)
    keep = relations[relation] & (node != target)
    order = np.argsort(node[keep], kind="stable")
    return node[keep][order], edge[keep][order], slot[keep][order]


@numba.njit(cache=True, nogil=True)
def _distances(graph: Any, target: int, depth: int, num_entities: int) -> Any:
    """uint8 ``(N,)``: edges to ``target`` where at most ``depth``, else ``depth + 1``."""
    out_indptr, relation, tail, in_indptr, in_relation, in_head, _, relations, entities = graph
    distance = np.full(num_entities, depth + 1, np.uint8)
    distance[target] = 0
    level = np.empty(1, np.int32)
    level[0] = target
    for d in range(1, depth + 1):
        size = 0
        for u in level:
            size += out_indptr[u + 1] - out_indptr[u] + in_indptr[u + 1] - in_indptr[u]
        following = np.empty(min(size, num_entities), np.int32)
        n = 0
        for u in level:
            for j in range(out_indptr[u], out_indptr[u + 1]):
                v = tail[j]
                if distance[v] > d and relations[relation[j]]:
                    distance[v] = d
                    if len(entities) == 0 or entities[v]:
                        following[n] = v
                        n += 1
            for j in range(in_indptr[u], in_indptr[u + 1]):
                v = in_head[j]
                if distance[v] > d and relations[in_relation[j]]:
                    distance[v] = d
                    if len(entities) == 0 or entities[v]:
                        following[n] = v
                        n += 1
        level = following[:n]
    return distance


@numba.njit(cache=True, nogil=True)
def _search(
    graph: Any, reach: Any, length: int, stack: Any, state: Any, edges: Any, slots: Any, budget: int
) -> int:
    """Go on with the search for paths of exactly ``length`` edges.

    Args:
        stack: int64 ``(4, length + 1)``: per depth the entity, its next neighbour's number, and the
            edge and slot that led to it.
        state: int64 ``(2,)``: depth, -1 when finished; steps of this call.
        edges, slots: int32 ``(capacity, length)``, filled from the start.

    Returns:
        Number of paths written.
    """
    out_indptr, relation, tail, in_indptr, in_relation, in_head, in_edge, relations, entities = (
        graph
    )
    target, distance, last_node, last_edge, last_slot = reach
    depth, steps, count = state[0], 0, 0
    while depth >= 0 and steps < budget:
        u, number = stack[0, depth], stack[1, depth]
        remaining = length - depth
        if remaining == 1:
            low = np.searchsorted(last_node, u) + number
            while low < len(last_node) and last_node[low] == u and count < len(edges):
                for d in range(1, depth + 1):
                    edges[count, d - 1] = stack[2, d]
                    slots[count, d - 1] = stack[3, d]
                edges[count, depth] = last_edge[low]
                slots[count, depth] = last_slot[low]
                count, low, steps = count + 1, low + 1, steps + 1
                stack[1, depth] += 1
            if count == len(edges):
                break
            steps += 1
            depth -= 1
            continue
        steps += 1
        num_out = out_indptr[u + 1] - out_indptr[u]
        if number >= num_out + in_indptr[u + 1] - in_indptr[u]:
            depth -= 1
            continue
        stack[1, depth] = number + 1
        if number < num_out:
            edge = out_indptr[u] + number
            v, r, slot = tail[edge], relation[edge], relation[edge]
        else:
            j = in_indptr[u] + number - num_out
            v, r, slot = in_head[j], in_relation[j], in_relation[j] + len(relations)
            edge = np.int64(in_edge[j])
        if v == target or distance[v] > remaining - 1 or not relations[r]:
            continue
        if len(entities) > 0 and not entities[v]:
            continue
        visited = False
        for d in range(depth + 1):
            visited |= stack[0, d] == v
        if visited:
            continue
        depth += 1
        stack[0, depth], stack[1, depth], stack[2, depth], stack[3, depth] = v, 0, edge, slot
    state[0], state[1] = depth, steps
    return count
