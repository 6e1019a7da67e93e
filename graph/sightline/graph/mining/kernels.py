"""The compiled part of rule mining: walks over facts that can be read from both ends.

Knows ids and arrays; knows no snapshot and no rule's confidence. Directed relations are those that
stand for themselves in ``Snapshot.one_rel``. All entities of a walk differ, so that no fact speaks
for itself. Every kernel has a budget of steps, and takes what it looks at in an order that is the
same each time and spread over all there is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from sightline.graph.arrays import Doubles, Flags, Ids, Offsets

#: Most atoms in a body.
LONGEST = 3
#: Different bodies noted for one fact: half of a table that is searched by hashing.
MANY = 1 << 14

_kernel = numba.njit(cache=True, nogil=True)
#: A type checker need not know how wide a number is.
_int64: Any = np.int64


class Halves(NamedTuple):
    """Every fact from both ends, each once and without loops.

    Attributes:
        indptr: ``(N + 1,)`` into ``rel``, ``other`` and ``edge``, ``(H,)`` each: the facts at each
            entity, by directed relation as read from it, then by the entity at the other end.
        source_indptr: ``(2 R + 1,)`` into ``source``, ``begin`` and ``end``: the entities with
            facts under each directed relation, and where these are in the arrays above.
        back: ``(2 R,)``: each directed relation read the other way.
    """

    indptr: Offsets
    rel: Ids
    other: Ids
    edge: Ids
    source_indptr: Offsets
    source: Ids
    begin: Offsets
    end: Offsets
    back: Ids


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
def _first(ids: Ids, low: int, high: int, least: int) -> int:
    """Where the first of ids that ascend from ``low`` to ``high`` is that is not below another."""
    while low < high:
        middle = (low + high) >> 1
        if ids[middle] < least:
            low = middle + 1
        else:
            high = middle
    return low


@_kernel
def span(graph: Halves, entity: int, rel: int) -> Any:
    """Where the facts of an entity under a directed relation begin and end."""
    end = graph.indptr[entity + 1]
    begin = _first(graph.rel, graph.indptr[entity], end, rel)
    return begin, _first(graph.rel, begin, end, rel + 1)


@_kernel
def place(graph: Halves, low: int, high: int, entity: int) -> int:
    """Which of the facts ``low`` to ``high`` leads to an entity, -1 for none."""
    at = _first(graph.other, low, high, entity)
    return at if at < high and graph.other[at] == entity else -1


@_kernel
def closed(
    graph: Halves, facts: Ids, steps: int, codes: Offsets, owner: Ids, table: Offsets
) -> int:
    """The bodies of up to three atoms that join the two ends of each of some facts.

    Args:
        facts: ``(F, 3)``: entity, directed relation, entity.
        steps: edges looked at per fact.
        codes, owner: filled with a body as a number, ``(first + 1) + S (second + 1) +
            S S (third + 1)`` for S = 2 R + 1 with 0 for no atom, and the fact that it joins, each
            pair once.
        table: ``(2 * MANY,)``.

    Returns:
        how many were found; at most as many as ``codes`` has room for.
    """
    base = _int64(len(graph.back) + 1)
    first = np.full(len(graph.indptr) - 1, -1, np.int64)
    following = np.full(len(graph.rel), -1, np.int64)
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
def _reach(graph: Halves, body: Ids, x: int, first: int, last: int, scratch: Scratch) -> Any:
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
        _load_both(graph, body, loaded, scratch)
        start = graph.source_indptr[body[0]]
        total = graph.source_indptr[body[0] + 1] - start
        at, jump, used, probed = _int64(0), stride(total), _int64(0), False
        for _ in range(total):
            q = start + at
            at = (at + jump) % total
            x = graph.source[q]
            n, steps = _reach(graph, body, x, graph.begin[q], graph.end[q], scratch)
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
    _forget(graph, loaded, scratch)
    return support, pairs, sources


@_kernel
def _load_both(graph: Halves, body: Ids, loaded: Offsets, scratch: Scratch) -> None:
    """Make ``scratch`` know the second and the third directed relation of a body."""
    for slot in range(2):
        rel = body[slot + 1]
        if rel >= 0 and rel != loaded[slot]:
            if loaded[slot] >= 0:
                _load(graph, -1 - loaded[slot], slot, scratch)
            _load(graph, rel, slot, scratch)
            loaded[slot] = rel


@_kernel
def _forget(graph: Halves, loaded: Offsets, scratch: Scratch) -> None:
    for slot in range(2):
        if loaded[slot] >= 0:
            _load(graph, -1 - loaded[slot], slot, scratch)


@_kernel
def walks(graph: Halves, body: Ids, x: int, y: int, budget: int, found: Offsets) -> int:
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
def derive(
    graph: Halves,
    body: Ids,
    head_end: Ids,
    body_end: Ids,
    backward: Flags,
    sure: Doubles,
    most: int,
    x: int,
    chance: Doubles,
    times: Ids,
    scratch: Scratch,
) -> None:
    """Apply rules, the surest first, to one entity.

    Args:
        body, head_end, body_end: as in ``rules.Rules``.
        backward: rules with constants whose head's end is ``x``.
        most: rules that count for an answer.
        chance, times: ``(N,)``: filled with the noisy-or of ``sure`` over the rules that give an
            answer, and how many these are.
    """
    loaded = np.full(2, -1, np.int64)
    for r in range(len(body)):
        ends, n = scratch.ends, 0
        if head_end[r] < 0:
            low, high = span(graph, x, body[r, 0])
            if low == high:
                continue
            _load_both(graph, body[r], loaded, scratch)
            n, _ = _reach(graph, body[r], x, low, high, scratch)
        elif backward[r] and body_end[r] < 0:
            low, high = graph.source_indptr[body[r, 0]], graph.source_indptr[body[r, 0] + 1]
            n = high - low
            for i in range(n):
                ends[i] = graph.source[low + i]
        elif backward[r]:
            low, high = span(graph, body_end[r], graph.back[body[r, 0]])
            n = high - low
            for i in range(n):
                ends[i] = graph.other[low + i]
        else:
            low, high = span(graph, x, body[r, 0])
            if low < high and (body_end[r] < 0 or place(graph, low, high, body_end[r]) >= 0):
                ends[0], n = head_end[r], 1
        for i in range(n):
            y = ends[i]
            if times[y] < most:
                times[y] += 1
                chance[y] = 1.0 - (1.0 - chance[y]) * (1.0 - sure[r])
    _forget(graph, loaded, scratch)


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
            holds = walks(graph, body[r], x, y, budget, found) > 0
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
            out[b, p] = walks(graph, bodies[b], ends[p, 0], ends[p, 1], budget, found) > 0
    return out


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
