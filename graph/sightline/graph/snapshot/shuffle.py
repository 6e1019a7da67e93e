"""Shuffled copies of a graph in which every entity keeps its degree under every relation.

Edges are switched, ``u-v, x-y`` to ``u-y, x-v``, within groups: one relation (with its inverse),
one class of head, one class of tail. The graph as it is is first shuffled into a *hub*, and every
copy is shuffled from the hub on its own: the graph and its copies are then exchangeable under the
null hypothesis, however badly the chain mixes (Besag and Clifford 1989,
doi:10.1093/biomet/76.4.633).

Knows runs (an entity and a directed relation) and arrays; knows no snapshot.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from sightline.graph.arrays import Flags, Ids, Offsets

#: Switches tried per edge and shuffle: copies have no more edges in common than after ten.
ATTEMPTS = 3

_kernel = numba.njit(cache=True, nogil=True)


def shuffled_copies(
    ends: tuple[Ids, Ids],
    groups: Offsets,
    kinds: tuple[Flags, Flags],
    seeds: Offsets,
    runs: tuple[Offsets, Ids],
    count: int,
) -> Ids:
    """The graph and ``count`` shuffled copies, as neighbours of runs: int32 ``(count + 1, 2 M)``.

    Args:
        ends: ``(M,)`` twice: the run at which each edge leaves its head, and its tail.
        groups: ``(G + 1,)``: edges ``groups[g]:groups[g + 1]`` are switched with each other.
        kinds: ``(G,)`` twice: the group's relation is symmetric; its ends may change sides then.
        seeds: ``(G,)``: what is drawn for a group, so that the same edges give the same copies.
        runs: where each run's neighbours begin, ``(Q + 1,)``, and its entity, ``(Q,)``.
    """
    starts, entity = runs
    out = np.empty((count + 1, int(starts[-1])), np.int32)
    _write(*ends, starts, out[0])
    hub = (ends[0].copy(), ends[1].copy())
    size = int(np.diff(groups).max(initial=0))
    table = np.empty(max(16, 1 << (3 * size).bit_length()), np.int64)
    _shuffle(*hub, groups, *kinds, seeds, 0, entity, table)
    for copy in range(1, count + 1):
        one = (hub[0].copy(), hub[1].copy())
        _shuffle(*one, groups, *kinds, seeds, copy, entity, table)
        _write(*one, starts, out[copy])
    return out


@_kernel
def random(state: Any) -> Any:
    """The next 64 bits of splitmix64 (Steele, Lea and Flood 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@_kernel
def below(state: Any, n: int) -> Any:
    """A whole number from 0 to ``n - 1``, for ``n`` < 2**32."""
    return np.int64(((random(state) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@_kernel
def _write(left: Any, right: Any, starts: Any, out: Any) -> None:
    """Neighbours of every run, in the order of the edges."""
    filled = starts[:-1].copy()
    for e in range(len(left)):
        u, v = left[e], right[e]
        out[filled[u]] = v
        filled[u] += 1
        out[filled[v]] = u
        filled[v] += 1


@_kernel
def _shuffle(
    left: Any,
    right: Any,
    groups: Any,
    symmetric: Any,
    sides: Any,
    seeds: Any,
    copy: int,
    entity: Any,
    table: Any,
) -> None:
    """Switch edges in place."""
    num_runs = np.int64(len(entity))
    live = np.empty(len(left), np.int64)
    state = np.zeros(1, np.uint64)
    for g in range(len(groups) - 1):
        low, high = groups[g], groups[g + 1]
        if high - low < 2:
            continue
        state[0] = np.uint64(seeds[g])
        state[0] = random(state) + np.uint64(copy)
        undirected, n, size = symmetric[g], 0, 16
        while size < 3 * (high - low):
            size *= 2
        mask = size - 1
        table[:size] = -1
        for e in range(low, high):
            key = _key(left[e], right[e], undirected, num_runs)
            table[_find(table, key, mask)] = key
            if entity[left[e]] != entity[right[e]]:  # loops stay
                live[n] = e
                n += 1
        if n < 2:
            continue
        for _ in range(ATTEMPTS * n):
            a, b = live[below(state, n)], live[below(state, n)]
            u, v, x, y = left[a], right[a], left[b], right[b]
            if undirected and sides[g] and random(state) & np.uint64(1):
                x, y = y, x
            # u-v, x-y becomes u-y, x-v, where that makes no loop and no edge that is there.
            if a == b or u == x or v == y or entity[u] == entity[y] or entity[x] == entity[v]:
                continue
            one, other = _key(u, y, undirected, num_runs), _key(x, v, undirected, num_runs)
            if one == other:
                continue
            if table[_find(table, one, mask)] >= 0 or table[_find(table, other, mask)] >= 0:
                continue
            _remove(table, _key(u, v, undirected, num_runs), mask)
            _remove(table, _key(x, y, undirected, num_runs), mask)
            table[_find(table, one, mask)] = one
            table[_find(table, other, mask)] = other
            left[a], right[a], left[b], right[b] = u, y, x, v


@_kernel
def _key(u: int, v: int, undirected: bool, num_runs: Any) -> Any:
    if undirected and u > v:
        u, v = v, u
    return np.int64(u) * num_runs + v


@_kernel
def _home(key: int, mask: int) -> Any:
    return np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & mask


@_kernel
def _find(table: Any, key: int, mask: int) -> Any:
    """Where a key is or belongs."""
    at = _home(key, mask)
    while table[at] >= 0 and table[at] != key:
        at = (at + 1) & mask
    return at


@_kernel
def _remove(table: Any, key: int, mask: int) -> None:
    """Take a key out, and close the gap in the chain of those behind it."""
    gap = _find(table, key, mask)
    at = gap
    while True:
        at = (at + 1) & mask
        if table[at] < 0:
            break
        home = _home(table[at], mask)
        if (home <= gap or home > at) if gap <= at else (at < home <= gap):
            table[gap] = table[at]
            gap = at
    table[gap] = -1
