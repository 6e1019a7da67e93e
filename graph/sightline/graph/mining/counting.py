"""Compiled counting for ``plausibility``: what lies between two entities, who is like whom.

A *group* is an entity and a directed relation under which it has answers, its members. An entity's
*profile* is the groups that it is a member of. Every kernel leaves the fact that it judges out.
Knows arrays; knows no snapshot and no clock.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Flags, Floats, Ids, Offsets

#: Groups of an entity's profile that are read, evenly chosen of more.
MOST_READ = 512
#: Shapes that are told apart: more share a number now and then. Of one pair, so many are read.
SHAPE_NUMBERS, MOST_SHAPES = 1 << 21, 4096
#: Columns of ``profile`` and of ``weigh_shapes``.
PROFILE, SHAPES = 11, 7
#: Among all columns: entities between, as log(1 + n); the share of a profile that others have.
BETWEEN, ALIKE = 2 * PROFILE + 3, (4, PROFILE + 4)

_kernel = numba.njit(cache=True, nogil=True)


class Graph(NamedTuple):
    """The facts of a graph, each from both ends.

    Attributes:
        begin: ``(N + 1,)`` into the three below, which are sorted by entity and other end.
        other, rel: the other end, and the directed relation as read from the entity.
        of_group: the group of the other end that the entity is a member of.
        groups: entity x directed relations + directed relation, ascending.
        group_begin, member: the members of each group, ascending.
        turned: each directed relation read the other way.
    """

    begin: Offsets
    other: Ids
    rel: Ids
    of_group: Ids
    groups: Offsets
    group_begin: Offsets
    member: Ids
    turned: Ids


class Counted(NamedTuple):
    """Members of each group that are in the group asked (``inside``), or in any of its relation
    (``overall``); the groups of which there are some; the relation, and how many groups of its."""

    inside: Ids
    touched: Ids
    overall: Ids
    all_touched: Ids
    relation: Offsets


def nothing_counted(groups: int) -> Counted:
    """Zeros for some groups."""
    zeros = np.zeros((4, groups), np.int32)
    return Counted(zeros[0], zeros[1], zeros[2], zeros[3], np.array([-1, 0]))


class Tally(NamedTuple):
    """How many true and false facts each shape lies beside, and the last fact that had it; the
    first ``counted`` facts are."""

    true: Ids
    false: Ids
    seen: Offsets
    all_true: npt.NDArray[np.float64]
    all_false: npt.NDArray[np.float64]
    counted: int


def new_tally(rel: Ids, true: Flags, span: int) -> Tally:
    """Nothing counted yet but the facts of each directed relation."""
    empty = np.zeros((2, SHAPE_NUMBERS), np.int32)
    there, not_there = (
        np.bincount(rel[of], minlength=span).astype(np.float64) for of in (true, ~true)
    )
    seen = np.full(SHAPE_NUMBERS, -1, np.int64)
    return Tally(empty[0], empty[1], seen, there, not_there, len(rel))


@_kernel
def holds(graph: Graph, group: Offsets, facts: Ids, span: int) -> Flags:
    """Which facts are stated; ``group`` is where the group of their head may be."""
    out = np.zeros(facts.shape[1], np.bool_)
    for i in range(len(out)):
        g = group[i]
        if graph.groups[g] == np.int64(facts[0, i]) * span + facts[1, i]:
            low, high = graph.group_begin[g], graph.group_begin[g + 1]
            at = low + np.searchsorted(graph.member[low:high], facts[2, i])
            out[i] = at < high and graph.member[at] == facts[2, i]
    return out


@_kernel
def profile(
    graph: Graph,
    first: int,
    last: int,
    order: Offsets,
    answering: tuple[Offsets, Ids],
    begin: Offsets,
    asked: Offsets,
    answer: Ids,
    true: Flags,
    count: Counted,
    out: Floats,
) -> None:
    """For the facts asked of some groups: how like their answer is to the other members.

    Beside each group of the answer's profile stands a log-ratio: how many of its members are in the
    group asked, to how many would be if they were in it as often as all are that have an answer to
    the relation.

    Args:
        order: the groups by relation; those at ``first`` to ``last`` are looked at.
        answering: of each directed relation where its entities begin, and the entities in some
            group of it.
        begin, asked: the facts asked of each group.
        out: ``(n, PROFILE)``: log(1 + other members); of the groups in the answer's profile the
            best share of members that are in this group, too; -log of the chance that none says
            so; cosine with the members; share that a member has; sums of the log-ratios above
            zero and below it, by the root of their number; the highest, the lowest, their mean and
            their sum.
    """
    span = len(graph.turned)
    for place in range(first, last):
        g = order[place]
        if begin[g] == begin[g + 1]:
            continue
        rel = graph.groups[g] % span
        if rel != count.relation[0]:
            _clear(count.overall, count.all_touched, count.relation[1])
            low, high = answering[0][rel], answering[0][rel + 1]
            many = _add(graph, answering[1], low, high, count.overall, count.all_touched)
            count.relation[0], count.relation[1] = rel, many
        low, high = graph.group_begin[g], graph.group_begin[g + 1]
        many = _add(graph, graph.member, low, high, count.inside, count.touched)
        everyone = max(1, answering[0][rel + 1] - answering[0][rel] - 1)
        for k in range(begin[g], begin[g + 1]):
            fact = asked[k]
            own = 1 if true[fact] else 0
            others = high - low - own
            usual = others / everyone
            best, silent, product, length = 0.0, 0.0, 0.0, 1e-9
            gain, loss, highest, lowest = 0.0, 0.0, 0.0, 0.0
            read, shared, weighed = 0, 0, 0
            x = answer[fact]
            x_low, x_high = graph.begin[x], graph.begin[x + 1]
            for j in range(x_low, x_high, _step(x_low, x_high)):
                f = graph.of_group[j]
                if f == g:
                    continue
                read += 1
                size = graph.group_begin[f + 1] - graph.group_begin[f] - 1
                if size <= 0:
                    continue
                both = max(0, count.inside[f] - own)
                weight = 1.0 / (size + 1.0)
                length += weight
                product += both * weight
                shared += both > 0
                share = both / (size + 2.0)
                best = max(best, share)
                silent -= np.log(1 - min(share, 0.99))
                among = count.overall[f] - 1
                if among <= 0:
                    continue
                weighed += 1
                ratio = np.log((both + 1.0) / (among * usual + 1.0))
                if ratio > 0:
                    gain += ratio
                else:
                    loss += ratio
                highest, lowest = max(highest, ratio), min(lowest, ratio)
            out[fact, 0] = np.log1p(others)
            out[fact, 1], out[fact, 2] = best, silent
            out[fact, 3] = product / length / max(1, others)
            out[fact, 4] = shared / max(1, read)
            root = np.sqrt(max(1, weighed))
            out[fact, 5], out[fact, 6] = gain / root, loss / root
            out[fact, 7], out[fact, 8] = highest, lowest
            out[fact, 9], out[fact, 10] = (gain + loss) / max(1, weighed), gain + loss
        _clear(count.inside, count.touched, many)


@_kernel
def _step(low: int, high: int) -> int:
    return max(1, (high - low + MOST_READ - 1) // MOST_READ)


@_kernel
def _add(graph: Graph, entities: Ids, low: int, high: int, count: Ids, touched: Ids) -> int:
    """Count the groups in the profiles of some entities; returns how many groups there are."""
    many = 0
    for i in range(low, high):
        start, end = graph.begin[entities[i]], graph.begin[entities[i] + 1]
        for j in range(start, end, _step(start, end)):
            f = graph.of_group[j]
            if count[f] == 0:
                touched[many] = f
                many += 1
            count[f] += 1
    return many


@_kernel
def _clear(count: Ids, touched: Ids, many: int) -> None:
    for i in range(many):
        count[touched[i]] = 0


@_kernel
def _number(rel: int, one: int, other: int) -> int:
    """A number of a shape beside a directed relation."""
    x = np.uint64(rel) * np.uint64(0x9E3779B97F4A7C15)
    x += np.uint64(one + 1) * np.uint64(0xBF58476D1CE4E5B9)
    x += np.uint64(other + 2) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(29)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(32)
    return int(x & np.uint64(SHAPE_NUMBERS - 1))


@_kernel
def _shapes(
    graph: Graph, head: int, rel: int, tail: int, out: Offsets
) -> tuple[int, int, int, int]:
    """The shapes of one and of two edges between two entities, the fact itself left out.

    Returns:
        how many there are in ``out``, of one edge among them (they come first); paths of two
        edges; entities between.
    """
    many, paths, between = 0, 0, 0
    i, i_end = graph.begin[head], graph.begin[head + 1]
    j, j_end = graph.begin[tail], graph.begin[tail + 1]
    at = i + np.searchsorted(graph.other[i:i_end], tail)
    while at < i_end and graph.other[at] == tail:
        if graph.rel[at] != rel and many < len(out):
            out[many] = _number(rel, graph.rel[at], -1)
            many += 1
        at += 1
    direct = many
    lopsided = max(i_end - i, j_end - j) > 8 * min(i_end - i, j_end - j)
    while i < i_end and j < j_end:
        x = graph.other[i]
        if x < graph.other[j]:
            i += np.searchsorted(graph.other[i:i_end], graph.other[j]) if lopsided else 1
        elif x > graph.other[j]:
            j += np.searchsorted(graph.other[j:j_end], x) if lopsided else 1
        else:
            i_next, j_next = i, j
            while i_next < i_end and graph.other[i_next] == x:
                i_next += 1
            while j_next < j_end and graph.other[j_next] == x:
                j_next += 1
            if x != head and x != tail:
                between += 1
                for u in range(i, i_next):
                    for v in range(j, j_next):
                        paths += 1
                        if many < len(out):
                            out[many] = _number(rel, graph.rel[u], graph.rel[v])
                            many += 1
            i, j = i_next, j_next
    return many, direct, paths, between


@_kernel
def tally_shapes(
    graph: Graph, first: int, last: int, facts: Ids, true: Flags, tally: Tally, out: Floats
) -> None:
    """Count the shapes beside some facts; ``out`` is left alone."""
    shapes = np.empty(MOST_SHAPES, np.int64)
    for c in range(first, last):
        many, _, _, _ = _shapes(graph, facts[0, c], facts[1, c], facts[2, c], shapes)
        for k in range(many):
            if tally.seen[shapes[k]] != c:
                tally.seen[shapes[k]] = c
                if true[c]:
                    tally.true[shapes[k]] += 1
                else:
                    tally.false[shapes[k]] += 1


@_kernel
def weigh_shapes(
    graph: Graph, first: int, last: int, facts: Ids, true: Flags, tally: Tally, out: Floats
) -> None:
    """What the shapes beside some facts say, by how often they lie beside true ones and false.

    Args:
        out: ``(n, SHAPES)``: sum of the log-ratios of shapes of one edge, and of two; the best and
            the worst; log(1 + entities between), log(1 + paths); the mean of those of two edges.
    """
    shapes = np.empty(MOST_SHAPES, np.int64)
    for c in range(first, last):
        rel, own = facts[1, c], 1 if true[c] else 0
        other = 1 - own if c < tally.counted else 0
        many, direct, paths, between = _shapes(graph, facts[0, c], rel, facts[2, c], shapes)
        one, two, best, worst, different = 0.0, 0.0, -5.0, 5.0, 0
        for k in range(many):
            if tally.seen[shapes[k]] == c:
                continue
            tally.seen[shapes[k]] = c
            right = (tally.true[shapes[k]] - own + 0.5) / (tally.all_true[rel] + 1)
            wrong = (tally.false[shapes[k]] - other + 0.5) / (tally.all_false[rel] + 1)
            ratio = np.log(right / wrong)
            different += 1
            best, worst = max(best, ratio), min(worst, ratio)
            if k < direct:
                one += ratio
            else:
                two += ratio
        out[c, 0], out[c, 1], out[c, 2] = one, two, best
        out[c, 3], out[c, 4] = np.log1p(between), np.log1p(paths)
        out[c, 5] = worst if different else 0.0
        out[c, 6] = two / max(1, different)
