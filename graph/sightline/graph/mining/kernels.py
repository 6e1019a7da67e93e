"""The compiled part of ``mine``: what joins the ends of facts, what else that joins, and what comes
with what.

Knows ids and arrays; knows no snapshot and no rule's confidence. Every kernel has a budget of
steps, and takes what it looks at in an order that is the same each time and spread over all there
is.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from sightline.graph.arrays import Ids, Offsets
from sightline.graph.mining.halves import Halves, span
from sightline.graph.mining.walks import Scratch, forget, load_both, reach

#: Different bodies noted for one fact: half of a table that is searched by hashing.
MANY = 1 << 14

_kernel = numba.njit(cache=True, nogil=True)
#: A type checker need not know how wide a number is.
_int64: Any = np.int64


@_kernel
def stride(n: int) -> int:
    """A step with which all of ``n`` places are visited, neighbours in time far apart."""
    step = max(1, int(n * 0.618))
    while True:
        a, b = step, n
        while b:
            a, b = b, a % b
        if a == 1:
            return step
        step += 1


@_kernel
def closed(
    graph: Halves,
    facts: Ids,
    steps: int,
    codes: Offsets,
    owner: Ids,
    table: Offsets,
    first: Offsets,
    following: Offsets,
) -> int:
    """The bodies of up to three atoms that join the two ends of each of some facts.

    Args:
        facts: ``(F, 3)``: entity, directed relation, entity.
        steps: edges looked at per fact.
        codes, owner: filled with a body as a number, ``(first + 1) + S (second + 1) +
            S S (third + 1)`` for S = 2 R + 1 with 0 for no atom, and the fact that it joins, each
            pair once.
        table: ``(2 * MANY,)``.
        first: ``(N,)``: -1 for every entity; so it is again at the end.
        following: ``(H,)``.

    Returns:
        how many were found; at most as many as ``codes`` has room for.
    """
    base = _int64(len(graph.back) + 1)
    n = 0
    for f in range(len(facts)):
        x, rel, y = facts[f, 0], facts[f, 1], facts[f, 2]
        low, high = graph.indptr[y], graph.indptr[y + 1]
        for j in range(low, high):
            following[j] = first[graph.other[j]]
            first[graph.other[j]] = j
        begin = n
        table[:] = -1
        left = steps
        degree = graph.indptr[x + 1] - graph.indptr[x]
        at, jump = _int64(0), stride(degree)
        for _ in range(degree):
            i = graph.indptr[x] + at
            at = (at + jump) % degree
            one, a = _int64(graph.rel[i]) + 1, graph.other[i]
            if a == y:
                if graph.rel[i] != rel:
                    n = _note(one, f, begin, n, codes, owner, table)
                continue
            j = first[a]
            while j >= 0:
                last = _int64(graph.back[graph.rel[j]]) + 1
                n = _note(one + base * last, f, begin, n, codes, owner, table)
                j = following[j]
            size = graph.indptr[a + 1] - graph.indptr[a]
            # A hub gets a share of the steps.
            looked = min(size, max(_int64(16), left // 4))
            left -= looked
            spot, leap = _int64(0), stride(size)
            for _ in range(looked):
                k = graph.indptr[a] + spot
                spot = (spot + leap) % size
                b = graph.other[k]
                j = first[b]
                if j < 0 or b == x:
                    continue
                two = one + base * (_int64(graph.rel[k]) + 1)
                while j >= 0:
                    last = _int64(graph.back[graph.rel[j]]) + 1
                    n = _note(two + base * base * last, f, begin, n, codes, owner, table)
                    j = following[j]
            if left <= 0:
                break
        for j in range(low, high):
            first[graph.other[j]] = -1
    return n


@_kernel
def _note(
    code: int, fact: int, begin: int, n: int, codes: Offsets, owner: Ids, table: Offsets
) -> int:
    """Note a body of a fact unless it is noted; returns how many there are now."""
    mask = len(table) - 1
    at = _int64((np.uint64(code) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)) & mask
    while table[at] >= 0:
        if codes[table[at]] == code:
            return n
        at = (at + 1) & mask
    if n - begin >= MANY or n >= len(codes):
        return n
    table[at] = n
    codes[n], owner[n] = code, fact
    return n + 1


@_kernel
def count(
    graph: Halves,
    bodies: Ids,
    head_indptr: Offsets,
    heads: Ids,
    budget: int,
    hopeless: float,
    scratch: Scratch,
) -> Any:
    """How many pairs of entities each body joins, and how many of them are facts.

    Args:
        bodies: ``(B, 3)`` directed relations, -1 behind the last.
        head_indptr, heads: the directed relations asked for per body.
        budget: edges looked at per body, from one source after the other.
        hopeless: a share of facts among the pairs; a body that is far below it after a tenth of
            the budget is left.

    Returns:
        support: int64 ``(len(heads),)``; pairs, sources: int64 ``(B,)``: pairs, and from how many
        sources.
    """
    support = np.zeros(len(heads), np.int64)
    pairs, sources = np.zeros(len(bodies), np.int64), np.zeros(len(bodies), np.int64)
    loaded = np.full(2, -1, np.int64)
    for b in range(len(bodies)):
        body = bodies[b]
        load_both(graph, body, loaded, scratch)
        start = graph.source_indptr[body[0]]
        total = graph.source_indptr[body[0] + 1] - start
        at, jump, used, probed = _int64(0), stride(total), _int64(0), False
        for _ in range(total):
            q = start + at
            at = (at + jump) % total
            x = graph.source[q]
            n, steps = reach(graph, body, x, graph.begin[q], graph.end[q], scratch)
            used += steps
            pairs[b] += n
            sources[b] += 1
            for c in range(head_indptr[b], head_indptr[b + 1]):
                low, high = span(graph, x, heads[c])
                for j in range(low, high):
                    support[c] += scratch.reached[graph.other[j]] == scratch.clock[0]
            if used > budget:
                break
            if not probed and used > budget // 10:
                probed = True
                best = _int64(0)
                for c in range(head_indptr[b], head_indptr[b + 1]):
                    best = max(best, support[c])
                if best + 2 * np.sqrt(best + 1.0) < hopeless * pairs[b]:
                    break
    forget(graph, loaded, scratch)
    return support, pairs, sources


@_kernel
def together(
    item_indptr: Offsets,
    item_of: Ids,
    member_indptr: Offsets,
    member: Ids,
    asked: Ids,
    least: int,
    keep: int,
    budget: int,
) -> Any:
    """Which items of entities come with some items, and how often.

    Args:
        item_indptr, item_of: the items of each entity; member_indptr, member: the entities of each
            item.
        asked: ``(I,)`` items.
        least: entities that have both, at least.
        keep: items kept for each, those with the highest share first.
        budget: items looked at for each.

    Returns:
        found: ``(I, keep)`` items, -1 behind the last; support: entities that have both;
        looked: ``(I,)`` entities of the item that were looked at.
    """
    items = len(member_indptr) - 1
    counts, touched = np.zeros(items, np.int64), np.empty(items, np.int64)
    found = np.full((len(asked), keep), -1, np.int32)
    support, looked = np.zeros((len(asked), keep), np.int64), np.zeros(len(asked), np.int64)
    for i in range(len(asked)):
        first = member_indptr[asked[i]]
        total = member_indptr[asked[i] + 1] - first
        at, jump, left, n = _int64(0), stride(total), _int64(budget), 0
        for _ in range(total):
            x = member[first + at]
            at = (at + jump) % total
            size = item_indptr[x + 1] - item_indptr[x]
            if size > budget // 8:  # a hub has some of everything
                continue
            looked[i] += 1
            left -= size
            for j in range(item_indptr[x], item_indptr[x + 1]):
                item = item_of[j]
                if counts[item] == 0:
                    touched[n] = item
                    n += 1
                counts[item] += 1
            if left < 0:
                break
        held = 0
        for t in range(n):
            item = touched[t]
            both, size = counts[item], member_indptr[item + 1] - member_indptr[item]
            counts[item] = 0
            if both < least or item == asked[i]:
                continue
            share = (both + 1.0) / (size + 2.0)
            spot = held
            while spot > 0:
                before = found[i, spot - 1]
                wide = member_indptr[before + 1] - member_indptr[before]
                other = (support[i, spot - 1] + 1.0) / (wide + 2.0)
                if other > share or (other == share and before < item):
                    break
                if spot < keep:
                    found[i, spot], support[i, spot] = before, support[i, spot - 1]
                spot -= 1
            if spot < keep:
                found[i, spot], support[i, spot] = item, both
                held = min(held + 1, keep)
    return found, support, looked
