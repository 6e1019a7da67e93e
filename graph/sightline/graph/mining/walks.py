"""Walks over facts by the body of a rule, compiled: what one leads to, and those between two
entities.

All entities of a walk differ, so that no fact speaks for itself. Knows ids and arrays; knows no
snapshot and no rule's confidence. Directed relations are those that stand for themselves in
``Snapshot.one_rel``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from sightline.graph.arrays import Ids, Offsets
from sightline.graph.mining.halves import Halves, place, span
from sightline.graph.mining.rules import LONGEST

_kernel = numba.njit(cache=True, nogil=True)
#: A type checker need not know how wide a number is.
_int64: Any = np.int64


class Scratch(NamedTuple):
    """Memory for walks, ``(N,)`` each: which round an entity was seen in and what led to it, at the
    second step and at the end; what was reached; the facts of two directed relations."""

    seen: Offsets
    via: Offsets
    middle: Offsets
    reached: Offsets
    ends: Offsets
    begin: Offsets
    end: Offsets
    clock: Offsets


@_kernel
def new_scratch(num_entities: int) -> Scratch:
    """Memory for the kernels below."""
    n = num_entities
    return Scratch(
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros((2, n), np.int64),
        np.zeros((2, n), np.int64),
        np.zeros(1, np.int64),
    )


@_kernel
def _load(graph: Halves, rel: int, slot: int, scratch: Scratch) -> None:
    """Make ``scratch`` know the facts of a directed relation; forget them for ``-1 - rel``."""
    forget = rel < 0
    if forget:
        rel = -1 - rel
    for q in range(graph.source_indptr[rel], graph.source_indptr[rel + 1]):
        x = graph.source[q]
        scratch.begin[slot, x] = graph.begin[q]
        scratch.end[slot, x] = graph.begin[q] if forget else graph.end[q]


@_kernel
def reach(graph: Halves, body: Ids, x: int, first: int, last: int, scratch: Scratch) -> Any:
    """What a body leads to from an entity, whose facts under its first directed relation are
    ``first`` to ``last``.

    Returns:
        how many entities, which are in ``scratch.ends`` and have the clock in ``scratch.reached``;
        and how many edges were looked at.
    """
    scratch.clock[0] += 1
    clock = scratch.clock[0]
    n, steps = 0, last - first
    if body[1] < 0:
        for i in range(first, last):
            y = graph.other[i]
            scratch.reached[y] = clock
            scratch.ends[n] = y
            n += 1
        return n, steps
    if body[2] < 0:
        for i in range(first, last):
            a = graph.other[i]
            low, high = scratch.begin[0, a], scratch.end[0, a]
            steps += high - low
            for j in range(low, high):
                y = graph.other[j]
                if y != x and scratch.reached[y] != clock:
                    scratch.reached[y] = clock
                    scratch.ends[n] = y
                    n += 1
        return n, steps
    between = 0
    for i in range(first, last):
        a = graph.other[i]
        low, high = scratch.begin[0, a], scratch.end[0, a]
        steps += high - low
        for j in range(low, high):
            b = graph.other[j]
            if b == x:
                continue
            if scratch.seen[b] != clock:
                scratch.seen[b] = clock
                scratch.via[b] = a
                scratch.middle[between] = b
                between += 1
            elif scratch.via[b] != a:
                scratch.via[b] = -1
    for m in range(between):
        b = scratch.middle[m]
        low, high = scratch.begin[1, b], scratch.end[1, b]
        steps += high - low
        for j in range(low, high):
            y = graph.other[j]
            # From b back to the only a that led to it is no walk of different entities.
            if y != x and y != scratch.via[b] and scratch.reached[y] != clock:
                scratch.reached[y] = clock
                scratch.ends[n] = y
                n += 1
    return n, steps


@_kernel
def load_both(graph: Halves, body: Ids, loaded: Offsets, scratch: Scratch) -> None:
    """Make ``scratch`` know the second and the third directed relation of a body."""
    for slot in range(2):
        rel = body[slot + 1]
        if rel >= 0 and rel != loaded[slot]:
            if loaded[slot] >= 0:
                _load(graph, -1 - loaded[slot], slot, scratch)
            _load(graph, rel, slot, scratch)
            loaded[slot] = rel


@_kernel
def forget(graph: Halves, loaded: Offsets, scratch: Scratch) -> None:
    for slot in range(2):
        if loaded[slot] >= 0:
            _load(graph, -1 - loaded[slot], slot, scratch)


@_kernel
def between(graph: Halves, body: Ids, x: int, y: int, budget: int, found: Offsets) -> int:
    """Walks of a body from one entity to another.

    As no fact is a loop, entities beside each other in a walk differ.

    Args:
        found: ``(n, 3)``: filled with positions in ``graph.other``, one per step.
        budget: edges looked at.

    Returns:
        how many were found, at most n.
    """
    room, n = len(found), 0
    low, high = span(graph, x, body[0])
    if low == high:
        return 0
    if body[1] < 0:
        at = place(graph, low, high, y)
        if at >= 0:
            found[0, 0] = at
            return 1
        return 0
    last = body[1] if body[2] < 0 else body[2]
    # Read from the end, so that what lies between is known on both sides.
    back_low, back_high = span(graph, y, graph.back[last])
    if back_low == back_high:
        return 0
    if body[2] < 0:
        wide = high - low > back_high - back_low
        one, other = (back_low, back_high) if wide else (low, high)
        for i in range(one, min(other, one + budget)):
            a = graph.other[i]
            known = place(graph, low, high, a) if wide else place(graph, back_low, back_high, a)
            if known >= 0:
                two_low, two_high = span(graph, a, last)
                found[n, 0] = known if wide else i
                found[n, 1] = place(graph, two_low, two_high, y)
                n += 1
                if n == room:
                    return n
        return n
    for i in range(low, high):
        a = graph.other[i]
        if a == y:
            continue
        two_low, two_high = span(graph, a, body[1])
        wide = two_high - two_low > back_high - back_low
        one, other = (back_low, back_high) if wide else (two_low, two_high)
        budget -= 1 + other - one
        for j in range(one, other):
            b = graph.other[j]
            if b == x:
                continue
            if wide:
                middle = place(graph, two_low, two_high, b)
                known = middle >= 0
            else:
                middle = _int64(j)
                known = place(graph, back_low, back_high, b) >= 0
            if known:
                three_low, three_high = span(graph, b, last)
                found[n, 0], found[n, 1] = i, middle
                found[n, 2] = place(graph, three_low, three_high, y)
                n += 1
                if n == room:
                    return n
        if budget < 0:
            break
    return n


@_kernel
def applying(
    graph: Halves, rules: Any, first: int, last: int, x: int, y: int, most: int, budget: int
) -> Any:
    """Which of the rules ``first`` to ``last`` give a fact from ``x`` to ``y``, the first ``most``.

    Args:
        rules: body, head_end and body_end as in ``rules.Rules``.
        budget: edges looked at per rule.
    """
    body, head_end, body_end = rules
    out, n = np.empty(most, np.int64), 0
    found = np.empty((1, LONGEST), np.int64)
    for r in range(first, last):
        if head_end[r] >= 0:
            if head_end[r] != y:
                continue
            low, high = span(graph, x, body[r, 0])
            holds = low < high and (body_end[r] < 0 or place(graph, low, high, body_end[r]) >= 0)
        else:
            holds = between(graph, body[r], x, y, budget, found) > 0
        if holds:
            out[n] = r
            n += 1
            if n == most:
                break
    return out[:n]


@_kernel
def joined(graph: Halves, bodies: Ids, ends: Ids, budget: int, found: Offsets) -> Any:
    """Which bodies join which pairs of entities: bool ``(B, P)`` for ``ends`` of ``(P, 2)``."""
    out = np.zeros((len(bodies), len(ends)), np.bool_)
    for b in range(len(bodies)):
        for p in range(len(ends)):
            out[b, p] = between(graph, bodies[b], ends[p, 0], ends[p, 1], budget, found) > 0
    return out
