"""The compiled search for simple paths: kernels over the arrays of a snapshot.

Knows ids and arrays; knows no snapshot, no clock and no record. Every kernel does a bounded piece
of work and can go on where it stopped, so that the caller reads the clock in between.

The search meets in the middle. ``begin`` gathers the ball around one end: the entities that are at
most ``reach`` edges away, with *links*, the edges that lead towards that end, per entity in order
of distance. ``explore`` walks depth first from the other end; it leaves out every branch that
cannot arrive, and its last ``reach`` steps follow links only, so that a hub in the middle costs
what the ball holds of it and not its degree. Lengths are searched one after the other.

Counting, it adds every path to the sum of its metapath and keeps the best k. Guided, it keeps the
best k only and leaves out what cannot score ``floor`` or better: ``settle`` has found by Dijkstra's
algorithm how much the best walk to the end is worth from every entity around it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from numba import types
from numba.experimental import structref

from sightline.graph.arrays import Doubles, Flags, Ids, Offsets
from sightline.graph.snapshot.pairs import DAMPING

MAX_HOPS = 6
MAX_K = 1000
#: Metapaths counted in one search.
MAX_METAPATHS = 1 << 19
#: Links gathered beyond the edges at the end itself, and edges looked at by ``settle``.
MAX_LINKS = 1 << 16
MAX_SETTLED = 1 << 19
#: Neighbours of an end that are looked at to tell which end is cheaper to gather.
SAMPLE = 1024
#: Distance of an entity outside the ball.
UNSEEN = 255
#: Edges of one relation at an entity that are worth looking at together.
MANY = 64
#: A product in another order differs by less than this; a score is rounded to 2**-40 of itself.
SLACK = 1 + 1e-11

#: What a piece of work ended with.
DONE, PAUSED, FULL = 0, 1, 2
#: Positions in ``Space.state``.
LENGTH, DEPTH, REACH, START, END, TURNED, GUIDED, CUT = range(8)
FOUND, DIRECT, STEPS, PATHS, METAPATHS, BEST_METAPATHS, BALL, QUEUE, TOUCHED = range(8, 17)
#: Rows of ``Space.stack``.
NODE, EDGE, REL, CURSOR, KNOWN, AUTOMATON = range(6)
#: Positions in ``Space.worth``.
HORIZON, FLOOR, HOPE, NEAR = range(4)
#: Columns of a path: its length, then edges, directed relations and entities from source to target.
EDGES, RELS, ENTITIES = 1, 1 + MAX_HOPS, 1 + 2 * MAX_HOPS
WIDTH = ENTITIES + MAX_HOPS + 1

_kernel = numba.njit(cache=True, nogil=True)
#: Ids and directed relations are widened where they are read; a type checker need not know.
_int64: Any = np.int64


class Graph(NamedTuple):
    """The arrays of a snapshot, as ``Snapshot`` describes them, and:

    Attributes:
        degree: int32 ``(N,)``: edges at each entity, in and out.
        twin: int32 ``(M,)``: the twin before each edge, -1 for none; empty if no edge has one.
    """

    out_indptr: Offsets
    relation: Ids
    tail: Ids
    in_indptr: Offsets
    in_relation: Ids
    in_head: Ids
    in_edge: Ids
    path_weight: Doubles
    type_indptr: Offsets
    type_class: Ids
    one_rel: Ids
    degree: Ids
    twin: Ids
    num_relations: int


class Rules(NamedTuple):
    """What a path may be. An empty array sets no rule.

    Attributes:
        rels: bool ``(2 R,)``: directed relations that may be walked.
        edges: bool ``(M,)``: edges that may be walked.
        classes: bool ``(C,)``: every entity between the ends has one of them.
        symbol: int32 ``(2 R,)``: column of ``following`` per directed relation.
        following: int32 ``(states, symbols)``: next state of the pattern's automaton, -1 for none.
        need: int32 ``(states,)``: edges still to walk until the pattern may end.
    """

    rels: Flags
    edges: Flags
    classes: Flags
    symbol: Ids
    following: Ids
    need: Ids


class Question(NamedTuple):
    """Entity ids of both ends, longest path, number of paths and of metapaths to keep."""

    source: int
    target: int
    max_hops: int
    k: int


class Top(NamedTuple):
    """The best k rows.

    Attributes:
        score: float64 ``(k + 1,)`` per row.
        rows: int32 ``(k + 1, width)``; rows of equal score compare by their first columns.
        order: int64 ``(k + 1,)``: row numbers, the best first; behind them the rows that are free.
    """

    score: Doubles
    rows: Ids
    order: Offsets


class Space(NamedTuple):
    """Scratch memory of one search, used again by the next: nothing of size N is made per query.

    Attributes:
        mark: uint8 ``(N,)``: distance to the end of the ball, or ``UNSEEN``.
        first, last: int32 ``(N,)``: first and last link of a marked entity.
        ball: int32: the marked entities by distance.
        links: int32 ``(n, 4)``: entity that the link leads to, edge, directed relation, next link
        or -1.
        stack: int64 ``(6, 7)``: per depth the entity, the edge and directed relation that led to
            it, its next neighbour or link, the metapath up to it (0: not looked up yet), the
        automaton's state.
        prefix: float64 ``(7,)``: score up to there, where the metapath is looked up.
        table, keys, sums, counts: metapaths as a trie in a hash table; key = parent * 2 R +
        directed relation.
        best, closed, touched: what ``settle`` knows per entity, and which entities it knows.
        heap_worth, heap_node: the queue of ``settle``.
    """

    state: Offsets
    worth: Doubles
    mark: npt.NDArray[np.uint8]
    first: Ids
    last: Ids
    ball: Ids
    links: Ids
    stack: Offsets
    prefix: Doubles
    table: Ids
    keys: Offsets
    sums: Doubles
    counts: Offsets
    best: Doubles
    closed: npt.NDArray[np.uint8]
    touched: Ids
    heap_worth: Doubles
    heap_node: Ids
    paths: Top
    metapaths: Top


def new_space(num_entities: int, max_degree: int) -> Space:
    """Memory for searches in one graph. Pages that no search touches stay unused."""
    n, deep = num_entities, MAX_HOPS + 1
    num_links = max(MAX_LINKS, max_degree) + 1
    return Space(
        np.zeros(TOUCHED + 1, np.int64),
        np.zeros(4),
        np.full(n, UNSEEN, np.uint8),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty(min(n, num_links) + 1, np.int32),
        np.empty((num_links, 4), np.int32),
        np.zeros((6, deep), np.int64),
        np.zeros(deep),
        np.zeros(4 * MAX_METAPATHS, np.int32),
        np.empty(MAX_METAPATHS, np.int64),
        np.empty(MAX_METAPATHS),
        np.empty(MAX_METAPATHS, np.int64),
        np.empty(n),
        np.zeros(n, np.uint8),
        np.empty(n, np.int32),
        np.empty(MAX_SETTLED + 1),
        np.empty(MAX_SETTLED + 1, np.int32),
        _new_top(WIDTH),
        _new_top(MAX_HOPS + 2),
    )


@structref.register
class _MemoryType(types.StructRef):
    pass


class Memory(structref.StructRefProxy):
    """A graph and a space in one object of the compiled world.

    To hand over forty arrays takes longer than to answer most questions; to hand over one object
    does not.
    """


structref.define_boxing(_MemoryType, Memory)  # type: ignore[no-untyped-call]
structref.define_constructor(  # type: ignore[no-untyped-call]
    Memory, _MemoryType, ["graph", "space"]
)


@_kernel
def new_memory(graph: Any, space: Any) -> Any:
    """What ``begin`` takes."""
    return Memory(graph, space)  # type: ignore[no-untyped-call]


def _new_top(width: int) -> Top:
    size = MAX_K + 1
    return Top(np.zeros(size), np.zeros((size, width), np.int32), np.arange(size))


@_kernel
def begin(memory: Any, plain_rules: Any, plain_question: Any, budget: int) -> int:
    """Gather the ball and explore for the first time; if that was all, ``rank`` and ``reset``.

    Most answers are ready after this one call and cost little more than it: it takes a ``Memory``
    and plain tuples, which are read in less time than named ones.
    """
    rules, question = Rules(*plain_rules), Question(*plain_question)
    graph, space = memory.graph, memory.space
    turned = len(rules.need) == 0 and _turned(graph, question)
    start = question.target if turned else question.source
    end = question.source if turned else question.target
    _gather(graph, rules, space, end, start, max(1, question.max_hops // 2))
    _place(space, start, turned)
    status = explore(graph, rules, space, question, budget)
    if status == DONE:
        rank(graph, space, question.k)
        reset(space)
    return status


@_kernel
def begin_each(memory: Any, plain_question: Any, targets: Any, found: Any, budget: int) -> Any:
    """The same from the source to each of some targets, by any edges, around one ball: what most
    of the work is done for is at the source.

    Fills in per target: the rows of the k best paths, their scores, how many there are, and
    whether one of all is a direct edge. Returns how many targets were done within the budget.
    """
    question = Question(*plain_question)
    graph, space, rules = memory.graph, memory.space, _no_rules()
    rows, scores, held, direct = found
    state, top, done = space.state, space.paths, 0
    _gather(graph, rules, space, question.source, -1, max(1, question.max_hops - 1))
    while done < len(targets) and state[STEPS] < budget:
        _place(space, targets[done], True)
        status = explore(graph, rules, space, question, budget - state[STEPS])
        _forget(space)
        if status != DONE:
            break
        held[done], direct[done] = state[PATHS], state[DIRECT] > 0
        for i in range(state[PATHS]):
            rows[done, i] = top.rows[top.order[i]]
            scores[done, i] = top.score[top.order[i]]
        done += 1
    reset(space)
    return done


@_kernel
def _no_rules() -> Any:
    return Rules(
        np.zeros(0, np.bool_),
        np.zeros(0, np.bool_),
        np.zeros(0, np.bool_),
        np.zeros(0, np.int32),
        np.zeros((0, 0), np.int32),
        np.zeros(0, np.int32),
    )


@_kernel
def _place(space: Any, start: int, turned: bool) -> None:
    """Stand at ``start``, with nothing found yet and the ball as it is gathered."""
    state = space.state
    for i in (LENGTH, GUIDED, CUT, FOUND, DIRECT, PATHS, METAPATHS, BEST_METAPATHS):
        state[i] = 0
    state[DEPTH], state[START], state[TURNED] = -1, start, turned
    space.stack[:, 0] = 0
    space.stack[NODE, 0] = start
    space.prefix[0] = 1.0


@_kernel
def _turned(graph: Any, question: Any) -> Any:
    """Whether to walk from target to source: the end that is cheaper to gather is gathered."""
    source, target = question.source, question.target
    if question.max_hops <= 2:
        return bool(graph.degree[source] < graph.degree[target])
    # An odd length leaves one free step more than linked ones: the walk has the cheaper end.
    odd = question.max_hops % 2 == 1
    return (_volume(graph, source) > _volume(graph, target)) == odd


@_kernel
def _volume(graph: Any, entity: int) -> Any:
    """Edges at the neighbours of an entity, from a sample of them."""
    stride = 1 + graph.degree[entity] // SAMPLE
    total = 0
    for j in range(graph.out_indptr[entity], graph.out_indptr[entity + 1], stride):
        total += graph.degree[graph.tail[j]]
    for j in range(graph.in_indptr[entity], graph.in_indptr[entity + 1], stride):
        total += graph.degree[graph.in_head[j]]
    return total * stride


@_kernel
def _gather(graph: Any, rules: Any, space: Any, end: int, start: int, reach: int) -> None:
    """Mark and link the ball around the end, up to ``reach`` edges if it is not too large; not
    beyond ``start``."""
    (out_indptr, relation, tail, in_indptr, in_relation, in_head, in_edge) = graph[:7]
    state, ball, mark, links = space.state, space.ball, space.mark, space.links
    first, last, rels, degree = space.first, space.last, rules.rels, graph.degree
    num_relations, edges = graph.num_relations, rules.edges
    state[:] = 0
    state[END], mark[end], ball[0] = end, 0, end
    first[end] = -1  # no link leads on from it, should a walk begin there
    low, high, num_links = 0, 1, 0
    for distance in range(1, reach + 1):
        volume = 0
        for i in range(low, high):
            volume += degree[ball[i]]
        if distance > 1 and num_links + volume > MAX_LINKS:
            break
        size = high
        for i in range(low, high):
            z = _int64(ball[i])
            if z == start or (z != end and not _allowed(graph, rules, z)):
                continue
            out, middle = out_indptr[z], out_indptr[z + 1] - out_indptr[z]
            into = in_indptr[z] - middle
            for number in range(degree[z]):
                if number < middle:
                    edge = out + number
                    v, rel = _int64(tail[edge]), relation[edge] + num_relations
                else:
                    edge, v = _int64(in_edge[into + number]), _int64(in_head[into + number])
                    rel = _int64(in_relation[into + number])
                if v in (z, end) or (len(rels) > 0 and not rels[rel]):
                    continue
                if len(edges) > 0 and not edges[edge]:
                    continue
                if mark[v] == UNSEEN:
                    mark[v], ball[size], first[v] = distance, v, num_links
                    size += 1
                else:
                    links[last[v], 3] = num_links
                last[v] = num_links
                links[num_links, 0], links[num_links, 1] = z, edge
                links[num_links, 2], links[num_links, 3] = rel, -1
                num_links += 1
        low, high = high, size
        state[REACH] = distance
    state[BALL] = high
    state[STEPS] += num_links


@_kernel
def explore(graph: Any, rules: Any, space: Any, question: Any, budget: int) -> int:
    """Go on with the search, for about ``budget`` edges looked at.

    Returns:
        ``DONE``, ``PAUSED``, or ``FULL``: no room for another metapath.
    """
    # One long function over local names: every array handed to another function costs two atomic
    # reference counts, which is more than a step of the search.
    (out_indptr, relation, tail, in_indptr, in_relation, in_head, in_edge, weight) = graph[:8]
    num_relations, one_rel = graph.num_relations, graph.one_rel
    rels, edges, need = rules.rels, rules.edges, rules.need
    state, mark, first, links = space.state, space.mark, space.first, space.links
    stack, prefix = space.stack, space.prefix
    table, keys, sums, counts = space.table, space.keys, space.sums, space.counts
    best, closed = space.best, space.closed
    typed, paired = len(rules.classes) > 0, len(graph.twin) > 0
    end, reach, guided = state[END], state[REACH], state[GUIDED] > 0
    length, depth, steps, status = state[LENGTH], state[DEPTH], 0, PAUSED
    bar = _bar(space.paths, state[PATHS], question.k)
    floor, horizon, near, found = space.worth[FLOOR], space.worth[HORIZON], space.worth[NEAR], 0
    while steps < budget:
        if depth < 0:
            if length == question.max_hops:
                status = DONE
                break
            length, depth = length + 1, 0
            u = stack[NODE, 0]
            stack[CURSOR, 0] = 0
            if length <= reach:
                stack[CURSOR, 0] = first[u] if mark[u] != UNSEEN else -1
        u, remaining, cursor = stack[NODE, depth], length - depth, stack[CURSOR, depth]
        steps += 1
        if remaining <= reach:
            # Links are in order of distance: behind the first that is too far all are.
            if cursor < 0 or mark[links[cursor, 0]] >= remaining:
                depth -= 1
                continue
            v, edge = _int64(links[cursor, 0]), _int64(links[cursor, 1])
            rel = _int64(links[cursor, 2])
            cursor = _int64(links[cursor, 3])
        else:
            before, low, high = cursor, out_indptr[u], out_indptr[u + 1] - out_indptr[u]
            if guided and not paired:
                if cursor < high:
                    many = _run(relation, low, low + cursor, low + high)
                else:
                    many = _run(
                        in_relation, in_indptr[u], in_indptr[u] + cursor - high, in_indptr[u + 1]
                    )
                # No edge of a run weighs more than its other end would give it with a degree of 1.
                if many >= MANY:
                    hope = prefix[depth] * many**-DAMPING * near
                    if hope * SLACK < max(floor, bar):
                        state[CUT] |= hope > 0
                        stack[CURSOR, depth] = cursor + many
                        continue
            if remaining - 1 <= reach:
                while cursor < high and mark[tail[low + cursor]] >= remaining:
                    cursor += 1
            if cursor < high:
                edge = low + cursor
                v, rel = _int64(tail[edge]), _int64(relation[edge])
            else:
                low, high = in_indptr[u] - high, in_indptr[u + 1] - in_indptr[u] + high
                if remaining - 1 <= reach:
                    while cursor < high and mark[in_head[low + cursor]] >= remaining:
                        cursor += 1
                if cursor >= high:
                    steps += cursor - before
                    depth -= 1
                    continue
                v, edge = _int64(in_head[low + cursor]), _int64(in_edge[low + cursor])
                rel = _int64(in_relation[low + cursor]) + num_relations
            cursor += 1
            steps += cursor - before
        stack[CURSOR, depth] = cursor
        if (v == end) != (remaining == 1):
            continue
        visited = False
        for d in range(depth + 1):
            visited |= stack[NODE, d] == v
        if visited:
            continue
        if remaining > reach and len(rels) > 0 and not rels[rel]:
            continue
        if remaining > reach and len(edges) > 0 and not edges[edge]:
            continue
        if remaining > reach and typed and v != end and not _allowed(graph, rules, v):
            continue
        if len(need) > 0:
            after = _read(rules, stack[AUTOMATON, depth], rel)
            if after < 0 or need[after] >= remaining:
                continue
            stack[AUTOMATON, depth + 1] = after
        if paired and _repeats(graph, rules, stack, depth, edge):
            continue
        if guided:
            score = prefix[depth] * weight[edge]
            hope = best[v] if closed[v] == 2 else horizon
            if score * hope * SLACK < max(floor, bar):
                state[CUT] |= hope > 0
                continue
            prefix[depth + 1] = score
        stack[NODE, depth + 1], stack[EDGE, depth + 1], stack[REL, depth + 1] = v, edge, rel
        if remaining > 1:
            depth += 1
            stack[KNOWN, depth] = stack[CURSOR, depth] = 0
            if remaining - 1 <= reach:
                stack[CURSOR, depth] = first[v]
            continue
        if not guided:
            if state[METAPATHS] + length >= MAX_METAPATHS:
                status = FULL
                break
            if depth > 0 and stack[KNOWN, depth] == 0:
                _catch_up(graph, space, depth)
            score = prefix[depth] * weight[edge]
            key = 2 * num_relations * stack[KNOWN, depth] + one_rel[rel]
            metapath = _int64(table[_find(table, keys, key)])
            if metapath == 0:
                metapath = _child(space, key)
            sums[metapath] += score
            counts[metapath] += 1
        found += 1
        if score * SLACK >= bar:
            bar = _keep(graph, space, question.k, length)
    state[LENGTH], state[DEPTH] = length, depth
    state[STEPS] += steps
    state[FOUND] += found
    return status


@_kernel
def _run(relation: Any, start: int, at: int, stop: int) -> Any:
    """How many edges from ``at`` on have the same relation, if ``at`` is the first; or 0."""
    if at >= stop or (at > start and relation[at - 1] == relation[at]):
        return 0
    low, step = at, 1
    while low + step < stop and relation[low + step] == relation[at]:
        low, step = low + step, 2 * step
    while step > 0:
        if low + step < stop and relation[low + step] == relation[at]:
            low += step
        step //= 2
    return low + 1 - at


@_kernel
def _reverse(rel: int, num_relations: int) -> int:
    return rel - num_relations if rel >= num_relations else rel + num_relations


@_kernel
def _allowed(graph: Any, rules: Any, v: int) -> bool:
    """Whether an entity may lie between the ends."""
    if len(rules.classes) == 0:
        return True
    for j in range(graph.type_indptr[v], graph.type_indptr[v + 1]):
        if rules.classes[graph.type_class[j]]:
            return True
    return False


@_kernel
def _read(rules: Any, automaton: int, rel: int) -> Any:
    return _int64(rules.following[automaton, rules.symbol[rel]])


@_kernel
def _repeats(graph: Any, rules: Any, stack: Any, depth: int, edge: int) -> bool:
    """Whether a twin of an edge before it is walked here in its place."""
    twin = graph.twin[edge]
    while twin >= 0:
        rel = _int64(graph.relation[twin])
        if graph.tail[twin] == stack[NODE, depth]:
            rel += graph.num_relations
        walked = len(rules.rels) == 0 or rules.rels[rel]
        if walked and (len(rules.edges) == 0 or rules.edges[twin]):
            if len(rules.need) == 0:
                return True
            if _read(rules, stack[AUTOMATON, depth], rel) == stack[AUTOMATON, depth + 1]:
                return True
        twin = graph.twin[twin]
    return False


@_kernel
def _keep(graph: Any, space: Any, k: int, length: int) -> float:
    """Keep the path on the stack if it is one of the best. Returns the score that is needed now."""
    state, stack, top = space.state, space.stack, space.paths
    row = top.rows[top.order[state[PATHS]]]
    row[0] = length
    for d in range(length + 1):
        row[ENTITIES + d] = stack[NODE, length - d if state[TURNED] else d]
    for d in range(length):
        step = length - d if state[TURNED] else d + 1
        rel = stack[REL, step]
        row[EDGES + d] = stack[EDGE, step]
        row[RELS + d] = _reverse(rel, graph.num_relations) if state[TURNED] else rel
    state[DIRECT] += length == 1
    score = _score_of(graph.path_weight, stack[EDGE], length)
    state[PATHS] = _offer(top, state[PATHS], k, score, ENTITIES)
    return _bar(top, state[PATHS], k)


@_kernel
def _score_of(weight: Any, edge: Any, length: int) -> float:
    """The same for the same edges in any order: the smallest factor first, then rounded."""
    factors = np.empty(MAX_HOPS)
    for d in range(length):
        at, factor = d, weight[edge[d + 1]]
        while at > 0 and factors[at - 1] > factor:
            factors[at] = factors[at - 1]
            at -= 1
        factors[at] = factor
    score = 1.0
    for d in range(length):
        score *= factors[d]
    return _rounded(score)


@_kernel
def _rounded(score: float) -> float:
    """To 40 binary digits: sums and products that should be equal are."""
    mantissa, exponent = math.frexp(score)
    return math.ldexp(np.rint(mantissa * 2.0**40), exponent - 40)


@_kernel
def _catch_up(graph: Any, space: Any, depth: int) -> None:
    """Find out metapath and score down to a depth of the stack: most branches never need them."""
    stack, start = space.stack, depth
    while start > 0 and stack[KNOWN, start] == 0:
        start -= 1
    for d in range(start + 1, depth + 1):
        space.prefix[d] = space.prefix[d - 1] * graph.path_weight[stack[EDGE, d]]
        key = 2 * graph.num_relations * stack[KNOWN, d - 1] + graph.one_rel[stack[REL, d]]
        stack[KNOWN, d] = _child(space, key)


@_kernel
def _child(space: Any, key: int) -> Any:
    """The number of the metapath with this key; a new one starts with nothing."""
    at = _find(space.table, space.keys, key)
    if space.table[at] == 0:
        space.state[METAPATHS] += 1
        new = space.state[METAPATHS]
        space.table[at], space.keys[new], space.sums[new], space.counts[new] = new, key, 0.0, 0
    return _int64(space.table[at])


@_kernel
def _find(table: Any, keys: Any, key: int) -> Any:
    """Where in the table a key is or belongs."""
    last = len(table) - 1
    # Fibonacci hashing: the high digits of the product are mixed best.
    at = ((key * _int64(-7046029254386353131)) >> 32) & last
    while table[at] > 0 and keys[table[at]] != key:
        at = (at + 1) & last
    return at


@_kernel
def _bar(top: Any, held: int, k: int) -> float:
    """The score that a row must reach."""
    return top.score[top.order[k - 1]] if held == k else 0.0


@_kernel
def _offer(top: Any, held: int, k: int, score: float, width: int) -> int:
    """Keep the free row ``order[held]`` if it is one of the best k. Returns how many are held."""
    order, new = top.order, top.order[held]
    top.score[new] = score
    if held == k and not _better(top, new, order[k - 1], width):
        return held
    low, high = 0, held
    while low < high:
        middle = (low + high) // 2
        if _better(top, order[middle], new, width):
            low = middle + 1
        else:
            high = middle
    for at in range(held, low, -1):
        order[at] = order[at - 1]
    order[low] = new
    return min(held + 1, k)


@_kernel
def _better(top: Any, one: int, other: int, width: int) -> bool:
    """By score, then by the first ``width`` columns: length and ids."""
    if top.score[one] != top.score[other]:
        return bool(top.score[one] > top.score[other])
    for c in range(width):
        if top.rows[one, c] != top.rows[other, c]:
            return bool(top.rows[one, c] < top.rows[other, c])
    return False


@_kernel
def rank(graph: Any, space: Any, k: int) -> None:
    """Choose the best metapaths, and forget all."""
    state = space.state
    for number in range(1, state[METAPATHS] + 1):
        bar = _bar(space.metapaths, state[BEST_METAPATHS], k)
        if space.counts[number] > 0 and space.sums[number] * SLACK >= bar:
            row = space.metapaths.rows[space.metapaths.order[state[BEST_METAPATHS]]]
            _spell(graph, space, number, row)
            score = _rounded(space.sums[number])
            held = _offer(space.metapaths, state[BEST_METAPATHS], k, score, 1 + MAX_HOPS)
            state[BEST_METAPATHS] = held
    _forget(space)


@_kernel
def _forget(space: Any) -> None:
    """Forget all metapaths."""
    for number in range(space.state[METAPATHS], 0, -1):  # the last first, or some would be missed
        space.table[_find(space.table, space.keys, space.keys[number])] = 0
    space.state[METAPATHS] = 0


@_kernel
def _spell(graph: Any, space: Any, metapath: int, row: Any) -> None:
    """Write length, directed relations from source to target, and number of a metapath."""
    length, at, num_relations = 0, metapath, graph.num_relations
    while at > 0:
        length, at = length + 1, space.keys[at] // (2 * num_relations)
    row[:] = -1
    row[0], row[-1], at = length, metapath, metapath
    for d in range(length):
        rel = space.keys[at] % (2 * num_relations)
        at = space.keys[at] // (2 * num_relations)
        if space.state[TURNED]:
            row[1 + d] = graph.one_rel[_reverse(rel, num_relations)]
        else:
            row[length - d] = rel


@_kernel
def guide(space: Any) -> None:
    """Prepare ``settle``: from here on the best paths are looked for, and not all."""
    state, end = space.state, space.state[END]
    state[GUIDED], state[STEPS], space.worth[NEAR] = 1, 0, 0.0
    space.best[end], space.closed[end], space.touched[0] = 1.0, 1, end
    space.heap_worth[0], space.heap_node[0] = 1.0, end
    state[QUEUE] = state[TOUCHED] = 1


@_kernel
def settle(graph: Any, rules: Any, space: Any, budget: int) -> int:
    """Go on with Dijkstra's search for the best walk from every entity to the end.

    It ends after ``MAX_SETTLED`` edges. No walk from an entity that is not closed is worth more
    than ``worth[HORIZON]``, from no entity but the end more than ``worth[NEAR]``, and no path more
    than ``worth[HOPE]``.
    """
    (out_indptr, relation, tail, in_indptr, in_relation, in_head, in_edge, weight) = graph[:8]
    state, best, closed, touched = space.state, space.best, space.closed, space.touched
    heap_worth, heap_node = space.heap_worth, space.heap_node
    rels, edges, degree = rules.rels, rules.edges, graph.degree
    steps, size, num_relations = 0, state[QUEUE], graph.num_relations
    near = space.worth[NEAR]
    while size > 0 and steps < budget:
        worth, z = heap_worth[0], _int64(heap_node[0])
        if state[STEPS] + steps + degree[z] > MAX_SETTLED:
            break
        size = _pop(heap_worth, heap_node, size)
        if closed[z] == 2:
            continue
        closed[z] = 2
        if z == state[START] or (z != state[END] and not _allowed(graph, rules, z)):
            continue
        if z != state[END] and near == 0:
            near = worth
        out, middle = out_indptr[z], out_indptr[z + 1] - out_indptr[z]
        into = in_indptr[z] - middle
        for number in range(degree[z]):
            if number < middle:
                edge = out + number
                v, rel = _int64(tail[edge]), relation[edge] + num_relations
            else:
                edge, v = _int64(in_edge[into + number]), _int64(in_head[into + number])
                rel = _int64(in_relation[into + number])
            if closed[v] == 2 or (len(rels) > 0 and not rels[rel]):
                continue
            if len(edges) > 0 and not edges[edge]:
                continue
            more = worth * weight[edge]
            if closed[v] == 0:
                closed[v], touched[state[TOUCHED]] = 1, v
                state[TOUCHED] += 1
            elif more <= best[v]:
                continue
            best[v] = more
            size = _push(heap_worth, heap_node, size, more, v)
        steps += degree[z]
    paused = size > 0 and steps >= budget
    start, horizon = state[START], space.heap_worth[0] if size > 0 else 0.0
    space.worth[HORIZON], space.worth[NEAR] = horizon, max(near, horizon)
    space.worth[HOPE] = max(horizon, space.best[start] if space.closed[start] > 0 else 0.0)
    state[QUEUE] = size
    state[STEPS] += steps
    return PAUSED if paused else DONE


@_kernel
def _push(worth: Any, node: Any, size: int, value: float, v: int) -> int:
    child = size
    while child > 0 and worth[(child - 1) >> 1] < value:
        worth[child], node[child] = worth[(child - 1) >> 1], node[(child - 1) >> 1]
        child = (child - 1) >> 1
    worth[child], node[child] = value, v
    return size + 1


@_kernel
def _pop(worth: Any, node: Any, size: int) -> int:
    value, v, parent = worth[size - 1], node[size - 1], 0
    size -= 1
    while 2 * parent + 1 < size:
        child = 2 * parent + 1
        if child + 1 < size and worth[child + 1] > worth[child]:
            child += 1
        if worth[child] <= value:
            break
        worth[parent], node[parent] = worth[child], node[child]
        parent = child
    worth[parent], node[parent] = value, v
    return size


@_kernel
def restart(space: Any, floor: float) -> None:
    """Look again for all paths that score ``floor`` or better."""
    state = space.state
    space.worth[FLOOR] = floor
    state[LENGTH], state[DEPTH], state[PATHS], state[CUT] = 0, -1, 0, 0


@_kernel
def reset(space: Any) -> None:
    """Leave the memory as the next search expects it."""
    for i in range(space.state[BALL]):
        space.mark[space.ball[i]] = UNSEEN
    for i in range(space.state[TOUCHED]):
        space.closed[space.touched[i]] = 0
    space.state[BALL] = space.state[TOUCHED] = 0
