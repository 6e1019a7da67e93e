"""Entities at the end of a relation pattern: reached by any walk, as in SPARQL.

Knows automata and edges; knows no path. An entity is looked at once per state of the automaton,
whatever the number of walks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from sightline.graph.arrays import Ids
from sightline.graph.errors import require_range
from sightline.graph.paths.find import MAX_DEADLINE_MS
from sightline.graph.paths.patterns import read_pattern
from sightline.graph.progress import stop_if_cancelled
from sightline.graph.snapshot.reader import Snapshot

#: Edges looked at between two looks at the clock.
SLICE_STEPS = 50_000
_int64: Any = np.int64


@dataclass(frozen=True, slots=True)
class Reached:
    """Entities at the end of a pattern, sorted int32 ids; ``truncated``: time was too short."""

    entities: Ids
    truncated: bool


def reachable(
    snapshot: Snapshot, source: int, pattern: str, *, deadline_ms: float = 1000
) -> Reached:
    """The entities that a walk from ``source`` reaches by ``pattern``, each once.

    Raises:
        BadPattern, UnknownRelation
        OutOfRange: ``deadline_ms`` outside its range, or no such entity.
    """
    end = time.perf_counter() + deadline_ms / 1000
    require_range("deadline_ms", deadline_ms, 1, MAX_DEADLINE_MS)
    require_range("source", source, 0, snapshot.num_entities - 1)
    automaton = read_pattern(pattern, snapshot)
    seen, pending = np.zeros((2, snapshot.num_entities), np.int64)
    queue, state = np.full(snapshot.num_entities, source, np.int32), np.array([0, 1])
    seen[source] = pending[source] = 1
    names = ("out_indptr", "relation", "tail", "in_indptr", "in_relation", "in_head")
    graph = tuple(np.asarray(getattr(snapshot, name)) for name in names)
    moves = np.where(automaton.following >= 0, 1 << automaton.following.astype(np.int64), 0).T
    reads = (automaton.symbol, np.ascontiguousarray(moves))
    while _spread(graph, reads, (seen, pending, queue), state, SLICE_STEPS):
        stop_if_cancelled()
        if time.perf_counter() > end:
            break
    accepting = np.bitwise_or.reduce(1 << np.flatnonzero(automaton.need == 0))
    return Reached(np.flatnonzero(seen & accepting).astype(np.int32), bool(state[1]))


@numba.njit(cache=True, nogil=True)
def _spread(graph: Any, reads: Any, sets: Any, state: Any, budget: int) -> bool:
    """Go on from the entities in the queue. Returns whether there are more.

    Args:
        reads: symbol per directed relation, int32 ``(2 R,)``; next state as a bit, int64
        ``(symbols, states)``.
        sets: per entity the states seen and those still to go on from, int64 ``(N,)`` each; a ring
            of the entities to go on from, int32 ``(N,)``.
        state: int64 ``(2,)``: where the ring starts, and how many are in it.
    """
    out_indptr, relation, tail, in_indptr, in_relation, in_head = graph
    symbol, moves = reads
    seen, pending, queue = sets
    half, steps = len(symbol) // 2, 0
    while state[1] > 0 and steps < budget:
        u = queue[state[0]]
        state[0] = (state[0] + 1) % len(queue)
        state[1] -= 1
        here, pending[u] = pending[u], 0
        out, middle = out_indptr[u], out_indptr[u + 1] - out_indptr[u]
        into, degree = in_indptr[u] - middle, middle + in_indptr[u + 1] - in_indptr[u]
        last, after = _int64(-1), _int64(0)
        for number in range(degree):
            if number < middle:
                v, rel = tail[out + number], _int64(relation[out + number])
            else:
                v, rel = in_head[into + number], _int64(in_relation[into + number]) + half
            if rel != last:
                last, after = rel, _int64(0)
                for q in range(moves.shape[1]):
                    if here >> q & 1:
                        after |= moves[symbol[rel], q]
            new = after & ~seen[v]
            if new:
                seen[v] |= new
                if pending[v] == 0:
                    queue[(state[0] + state[1]) % len(queue)] = v
                    state[1] += 1
                pending[v] |= new
        steps += degree + 1
    return bool(state[1] > 0)
