"""How likely chance connects two entities as well as the graph does: p-values of metapaths.

The null hypothesis: every relation joins its entities at random, while each entity keeps its
degree under each relation, and to each class. Copies of the graph shuffled so are in the snapshot
(``sections.copies``). A draw takes each relation of the metapath from a copy of its own, the graph
as it is among them, and entities with the same degrees in place of the ends; the question itself is
one of the draws. The p-value is the share of draws that score as high: P(p <= a) <= a for any
number of copies and draws, since the draws are elements, the identity among them, of a product of
groups that leave the null hypothesis as it is (Hemerik and Goeman 2018,
doi:10.1007/s11749-017-0571-1).

A relation that occurs twice in a metapath is taken from one copy both times. Knows directed
relations by ``Snapshot.one_rel``; knows no label.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numba
import numpy as np

from sightline.graph.arrays import Doubles, Ids, Offsets
from sightline.graph.progress import stop_if_cancelled
from sightline.graph.snapshot.kept import once_each
from sightline.graph.snapshot.pairs import DAMPING
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.shuffle import below

#: Longest metapath that is tested.
MAX_STEPS = 3
#: Sources and targets drawn in each stage; the next one only where fewer than ``ENOUGH`` draws
#: score as high, and where it costs no more than ``MAX_WORK`` edges.
STAGES = (16, 48, 160)
ENOUGH = 10
MAX_WORK = 2_000_000
#: Relations of which two copies share more than this have hardly another way to be.
FREE = 0.1
#: Memory for where entities have their edges of one relation.
MAX_BYTES = 1 << 26

_kernel = numba.njit(cache=True, nogil=True)


@dataclass(frozen=True, slots=True)
class Chance:
    """What chance would do for one metapath between two entities.

    Attributes:
        score: degree-weighted path count of the question, as ``Metapath.score``.
        expected: its mean over the draws of the first stage.
        exceeding: draws that score as high, the question itself among them.
        draws: all draws; 1 / ``draws`` is the lowest p-value that can come out.
        free: whether the relations can be shuffled at all.
    """

    score: float
    expected: float
    exceeding: int
    draws: int
    free: bool

    @property
    def p_value(self) -> float:
        """In (0, 1]."""
        return self.exceeding / self.draws


def chance(snapshot: Snapshot, source: int, target: int, rels: Sequence[int]) -> Chance:
    """Compare a metapath with what shuffled copies give; deterministic. Where it joins the entities
    in no way, its score and p-value are 0 and 1.

    Args:
        rels: at most ``MAX_STEPS`` directed relations as ``Metapath.rels``.

    Raises:
        Cancelled: nobody waits for the answer any more.
    """
    stop_if_cancelled()
    engine = _engine_of(snapshot)
    first, out = engine.take(), np.zeros(4)
    steps, back = np.array(rels, np.int64), engine.shuffled.back
    places = (0, len(rels) // 2, len(rels) - 1)
    forth = tuple(engine.runs_at(int(steps[i])) for i in places)
    reverse = tuple(engine.runs_at(int(back[steps[i]])) for i in places)
    ends = (forth[0][source], reverse[-1][target])
    free = bool((snapshot.rel_freedom[steps] >= FREE).any())
    if min(ends) < 0:  # it has no edge to begin or to end with, and in no copy has it one
        engine.put_back(first)
        return Chance(0.0, 0.0, 1, 1, free)
    _test(engine.shuffled, first, steps, source, target, (forth, reverse), np.array(STAGES), out)
    engine.put_back(first)
    exceeding, draws, score, expected = out.tolist()
    start = engine.shuffled.run_start
    weight = math.prod(int(start[run + 1] - start[run]) for run in ends) ** -DAMPING
    return Chance(score * weight, expected * weight, int(exceeding), int(draws), free)


def possible(
    snapshot: Snapshot,
    sources: Sequence[int],
    targets: Sequence[int],
    max_hops: int,
    include: Sequence[int] = (),
    exclude: Sequence[int] = (),
) -> int:
    """How many metapaths of at most ``max_hops`` steps the degrees allow between two entities, or
    between one of some and one of others.

    These are the tests among which one stands out: sequences of directed relations of which a
    source has the first, a target the last, and some entity each two that follow each other.

    Args:
        include: relation ids that may be walked; empty means all.
        exclude: relation ids that may not.
    """
    span = len(snapshot.one_rel)
    relations = np.full(span // 2, not len(include))
    relations[list(include)] = True
    relations[list(exclude)] = False
    allowed = np.zeros(span)
    allowed[snapshot.one_rel[np.tile(relations, 2)]] = 1
    owner = np.repeat(np.arange(span), np.diff(snapshot.follow_indptr))
    first, last = np.zeros(span), np.zeros(span)
    back = _engine_of(snapshot).shuffled.back
    for source in sources:
        first[_rels_of(snapshot, source)] = 1
    for target in targets:
        last[back[_rels_of(snapshot, target)]] = 1
    total = 0.0
    ways: Doubles = first * allowed
    for step in range(max_hops):
        if step:
            after = np.bincount(snapshot.follow_rel, ways[owner], minlength=span)
            ways = after.astype(np.float64) * allowed
        total += float(ways @ last)
    return int(min(total, 2**53))


def q_values(p_values: Sequence[float], tests: int) -> list[float]:
    """False discovery rates of Benjamini and Hochberg 1995, where all other tests have p = 1."""
    rank = np.argsort(p_values, kind="stable")
    scaled = np.array(p_values)[rank] * max(tests, len(p_values)) / np.arange(1, len(rank) + 1)
    out = np.empty(len(rank))
    out[rank] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return out.tolist()


def _rels_of(snapshot: Snapshot, entity: int) -> Ids:
    return snapshot.run_rel[slice(*snapshot.run_indptr[entity : entity + 2])]


class _Shuffled(NamedTuple):
    """Arrays of ``sections.copies``, and:

    Attributes:
        back: int64 ``(2 R,)``: the directed relation that walks each backward.
        damped: float64: degree ** -0.4, by degree.
    """

    run_indptr: Offsets
    run_rel: Ids
    run_entity: Ids
    run_start: Offsets
    run_peers: Ids
    peer_indptr: Offsets
    peer_run: Ids
    copy_run: Ids
    back: Offsets
    damped: Doubles


class _Engine:
    """A snapshot's copies for the kernel, and memory for as many questions as ever ran at once."""

    def __init__(self, snapshot: Snapshot) -> None:
        span = len(snapshot.one_rel)
        back = snapshot.one_rel[(np.arange(span) + span // 2) % span]
        largest = int(np.diff(snapshot.run_start).max(initial=1))
        damped = np.append(0.0, np.arange(1, largest + 1, dtype=np.float64) ** -DAMPING)
        arrays = {name: np.asarray(getattr(snapshot, name)) for name in _Shuffled._fields[:-2]}
        self.shuffled = _Shuffled(**arrays, back=back.astype(np.int64), damped=damped)
        self._num_entities = snapshot.num_entities
        # Runs with one number have one relation, and these numbers are by relation.
        self._by_rel = np.append(0, np.cumsum(np.bincount(snapshot.run_rel, minlength=span)))
        kept = max(2 * MAX_STEPS, MAX_BYTES // (4 * snapshot.num_entities + 1))
        self.runs_at = lru_cache(kept)(self._runs_at)
        #: For every entity -1, between two questions.
        self._spare: list[Ids] = []

    def take(self) -> Ids:
        try:
            return self._spare.pop()
        except IndexError:
            return np.full(self._num_entities, -1, np.int32)

    def put_back(self, first: Ids) -> None:
        self._spare.append(first)

    def _runs_at(self, rel: int) -> Ids:
        """The run of every entity under a directed relation, -1 for none: int32 ``(N,)``."""
        runs = self.shuffled.peer_run[self._by_rel[rel] : self._by_rel[rel + 1]]
        found = np.full(self._num_entities, -1, np.int32)
        found[self.shuffled.run_entity[runs]] = runs
        return found


_engine_of = once_each(_Engine)


@_kernel
def _volume(s: Any, run: Any, at: Any) -> Any:
    """Edges of the runs ``at`` the neighbours of a run, in the graph, from a sample of them."""
    low, high = s.run_start[run], s.run_start[run + 1]
    stride = 1 + (high - low) // 64
    total = 0
    for p in range(low, high, stride):
        after = at[s.run_entity[s.copy_run[0, p]]]
        if after >= 0:
            total += s.run_start[after + 1] - s.run_start[after]
    return total * stride


@_kernel
def _test(
    s: Any, first: Any, steps: Any, source: int, target: int, at: Any, stages: Any, out: Any
) -> None:
    """Write exceeding draws, draws, the score of the question, and the mean score of draws.

    Scores are without the degrees of the ends, which all draws share.

    Args:
        first: -1 for every entity; so it is again at the end.
        at: runs of all entities under the first, the middle and the last step, and under their
            reverses.
    """
    length, copies, back, rels = len(steps), len(s.copy_run), s.back, steps.copy()
    forth, reverse = at
    one, other = np.int64(forth[0][source]), np.int64(reverse[2][target])
    at_b, at_z = forth[1], forth[2]
    if length == 3 and _volume(s, other, reverse[1]) < _volume(s, one, at_b):
        # From the end that is cheaper to go on from.
        rels[0], rels[1], rels[2] = back[steps[2]], back[steps[1]], back[steps[0]]
        one, other, at_b, at_z = other, one, reverse[1], reverse[0]
    a, b, z = rels[0], rels[length // 2], rels[-1]
    low_a, low_z = s.peer_indptr[s.run_peers[one]], s.peer_indptr[s.run_peers[other]]
    num_a = s.peer_indptr[s.run_peers[one] + 1] - low_a
    num_z = s.peer_indptr[s.run_peers[other] + 1] - low_z
    # What a relation and its inverse are taken from is one copy, wherever they occur.
    kind_a, kind_b, kind_z = min(a, back[a]), min(b, back[b]), min(z, back[z])
    tie_a, tie_b = length > 1 and kind_a == kind_z, length == 3 and kind_b == kind_z
    same, shared = length == 3 and kind_a == kind_b, tie_a or tie_b
    free_a = 0 if tie_a else copies
    free_b = -1 if same else (0 if tie_b or length < 3 else copies)
    free_z = 0 if shared or length == 1 else copies
    all_a = float(num_a) * max(1, free_a) * max(1, free_b)
    all_z = float(num_z) * max(1, free_z)
    rounds = copies if shared else 1
    state = np.array([np.uint64(1)])
    exceeding, draws, work, before, bar, score, expected = 0, 0, 0, 0, 0.0, 0.0, 0.0
    for stage in range(len(stages)):
        rows = columns = stages[stage]
        if shared:
            rows = columns = max(2, int(stages[stage] / copies**0.5 + 0.5))
        # A side with few elements leaves its room to the other.
        full = rows * columns
        if columns > all_z:
            columns = int(all_z)
            rows = max(rows, full // columns // 2)
        if rows > all_a:
            rows = int(all_a)
            columns = int(min(all_z, max(columns, full // rows // 2)))
        if stage > 0 and work * (rows / before) > MAX_WORK:
            break
        from_run, from_a, from_b = _draw(s, state, one, low_a, num_a, all_a, rows, free_a, free_b)
        to_run, to_z, _ = _draw(s, state, other, low_z, num_z, all_z, columns, free_z, 0)
        exceeding, draws, total = 0, 0, 0.0
        got = np.empty(columns)
        for c in range(rounds):
            copy_z = np.full(columns, c, np.int64) if shared else to_z
            before_last = _before_last(s, first, to_run, copy_z, length)
            for i in range(rows):
                copy_a, copy_b = c if tie_a else from_a[i], c if tie_b else from_b[i]
                run = from_run[i]
                work += columns + _spread(
                    s, first, before_last, run, at_b, at_z, length, copy_a, copy_b, got
                )
                for j in range(columns):
                    if s.run_entity[run] == s.run_entity[to_run[j]]:
                        continue
                    draws += 1
                    if stage == 0:
                        total += got[j]
                        if draws == 1:
                            score, bar = got[j], got[j] * (1 - 1e-9)
                    exceeding += got[j] >= bar
            first[before_last[0]] = -1
        if stage == 0:
            expected = total / draws
        before = rows
        if exceeding >= ENOUGH or (rows >= all_a and columns >= all_z):
            break
    out[0], out[1], out[2], out[3] = exceeding, draws, score, expected


@_kernel
def _draw(
    s: Any,
    state: Any,
    asked: Any,
    low: Any,
    many: Any,
    all_: float,
    count: int,
    first: int,
    second: int,
) -> Any:
    """Runs like ``asked`` with two numbers of copies each, ``asked`` with the graph the first.

    All there are where ``count`` is as many, else a random choice of them.

    Args:
        first, second: how many copies to choose from; 0: always the graph; second -1: as first.
    """
    run = np.empty(count, np.int64)
    one, other = np.zeros(count, np.int64), np.zeros(count, np.int64)
    every = count == all_
    position = 0
    if every:
        while s.peer_run[low + position] != asked:
            position += 1
    for i in range(count):
        if every:
            k = i
            run[i] = s.peer_run[low + (position + k % many) % many]
            k //= many
            if first > 0:
                one[i] = k % first
                k //= first
            if second > 0:
                other[i] = k
        elif i == 0:
            run[i] = asked
        else:
            run[i] = s.peer_run[low + below(state, many)]
            if first > 0:
                one[i] = below(state, first)
            if second > 0:
                other[i] = below(state, second)
        if second < 0:
            other[i] = one[i]
    return run, one, other


@_kernel
def _before_last(s: Any, first: Any, to_run: Any, copy_z: Any, length: int) -> Any:
    """Which entities are one step before the drawn ends; a metapath of one step is before none, and
    these are the ends themselves.

    Writes for each such entity the place of its first row to ``first``.

    Returns:
        Rows: the entity, the column of the end, the entity at the end, the entity's next row or -1.
    """
    start, entity = s.run_start, s.run_entity
    size = len(to_run)
    if length > 1:
        size = 0
        for run in to_run:
            size += start[run + 1] - start[run]
    place, column = np.empty(size, np.int32), np.empty(size, np.int32)
    end, following = np.empty(size, np.int32), np.empty(size, np.int32)
    n = 0
    for j in range(len(to_run)):
        run = to_run[j]
        v = entity[run]
        for p in range(start[run], start[run + 1] if length > 1 else start[run] + 1):
            y = entity[s.copy_run[copy_z[j], p]] if length > 1 else v
            if y == v and length > 1:
                continue
            place[n], column[n], end[n], following[n] = y, j, v, first[y]
            first[y] = n
            n += 1
    return place[:n], column, end, following


@_kernel
def _spread(
    s: Any,
    first: Any,
    before_last: Any,
    run: Any,
    at_b: Any,
    at_z: Any,
    length: int,
    copy_a: Any,
    copy_b: Any,
    got: Any,
) -> Any:
    """Write the weight of all ways from a run to each of the drawn ends to ``got``.

    Returns:
        Edges looked at.
    """
    start, entity, damped = s.run_start, s.run_entity, s.damped
    _, column, end, following = before_last
    u, work = entity[run], start[run + 1] - start[run]
    got[:] = 0.0
    for p in range(start[run], start[run + 1]):
        into = s.copy_run[copy_a, p]
        x = entity[into]
        if x == u:
            continue
        if length < 3:
            row = first[x]
            if row < 0:
                continue
            weight = 1.0
            if length == 2:
                after = at_z[x]
                weight = damped[start[into + 1] - start[into]]
                weight *= damped[start[after + 1] - start[after]]
            while row >= 0:
                got[column[row]] += weight
                row = following[row]
            continue
        after = at_b[x]
        if after < 0:
            continue
        weight = damped[start[into + 1] - start[into]] * damped[start[after + 1] - start[after]]
        work += start[after + 1] - start[after]
        for q in range(start[after], start[after + 1]):
            into = s.copy_run[copy_b, q]
            y = entity[into]
            row = first[y]
            if row < 0 or y in (u, x):
                continue
            last = at_z[y]
            more = weight * damped[start[into + 1] - start[into]]
            more *= damped[start[last + 1] - start[last]]
            while row >= 0:
                # A way that passes the end itself is none.
                if end[row] != x:
                    got[column[row]] += more
                    work += 1
                row = following[row]
    return work
