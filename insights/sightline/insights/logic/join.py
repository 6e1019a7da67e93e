"""Rows that meet all conditions, from pairs that meet one each: which is joined when, and how.

A row has an id for every variable. Rows are made in blocks, and a block goes through all steps
before the next is begun, so that memory is bounded and what is there when time is over is whole.
Knows pairs of ids; knows no graph, no name and no model.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Floats, Ids
from sightline.graph.progress import stop_if_cancelled
from sightline.graph.snapshot.pairs import changes
from sightline.graph.snapshot.sections.edges import order
from sightline.insights.logic.pairs import Pairs

#: Rows that are made at once.
BLOCK = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """Pairs that the values of two variables must be among, or must not be.

    Attributes:
        left, right: columns; the same for the values of one variable.
        factor: column of chances, where pairs have some.
    """

    pairs: Pairs
    left: int
    right: int
    factor: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """What is taken away: rows with ``pairs``, or with the same in both columns where there are
    none."""

    left: int
    right: int
    keys: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Budget:
    """Limits: rows made in all steps together, and the end of the time."""

    rows: int
    end: float


@dataclass(slots=True)
class Rows:
    """What was found.

    Attributes:
        table: int32 ``(n, V)``.
        factors: float32 ``(n, F)``: the chance of each predicted part, 1 for stated ones.
        cut: which limit ended it.
        passed: rows after each step, with its text.
    """

    table: Ids
    factors: Floats
    cut: str | None = None
    passed: list[tuple[str, int]] = field(default_factory=list)


class _Cut(Exception):
    """A limit was reached."""


def planned(joins: Sequence[Join]) -> list[tuple[Join, bool, bool]]:
    """The joins in the order in which they are made, each with which of its columns are filled
    before: always the one that makes fewest rows of a row next."""
    left, done = list(joins), []
    filled: set[int] = set()

    def grows(join: Join) -> tuple[bool, float]:
        known = [c in filled for c in (join.left, join.right)]
        size = float(len(join.pairs))
        if not any(known):
            return True, size
        if all(known):
            return False, 0.0
        ids = join.pairs.left if known[0] else join.pairs.right
        return False, size / max(1, len(np.unique(ids)))

    while left:
        join = min(left, key=grows)
        left.remove(join)
        done.append((join, join.left in filled, join.right in filled))
        filled |= {join.left, join.right}
    return done


def joined(
    joins: Sequence[Join],
    rules: Sequence[Rule],
    columns: int,
    factors: int,
    entities: int,
    budget: Budget,
) -> Iterator[Rows]:
    """Rows that are among all ``joins`` and under no rule, block by block; the last says what ended
    it.

    Args:
        entities: N; ids are below it.
    """
    work = _Work(joins, rules, entities, budget)
    empty = np.full((1, columns), -1, np.int32), np.ones((1, factors), np.float32)
    last = Rows(empty[0][:0], empty[1][:0])
    try:
        for table, chances in work.rows(*empty, 0):
            yield Rows(table, chances)
    except _Cut as cut:
        last.cut = str(cut)
    last.passed = [(step.join.text, made) for step, made in zip(work.steps, work.made)]
    yield last


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One join with its pairs in order of the column that is filled.

    Attributes:
        fills: the columns it fills, one or two; none where it only checks.
        keys: of the pairs, ``left * N + right``, ascending.
    """

    join: Join
    pairs: Pairs
    start: int | None
    fills: tuple[int, ...]
    keys: npt.NDArray[np.int64]
    rules: tuple[Rule, ...]


class _Work:
    """The joins in their order, and how far they are."""

    def __init__(
        self, joins: Sequence[Join], rules: Sequence[Rule], entities: int, budget: Budget
    ) -> None:
        self.entities = entities
        self.budget = budget
        self.steps: list[_Step] = []
        open_rules, filled = list(rules), set[int]()
        for join, left, right in planned(joins):
            filled |= {join.left, join.right}
            now = [rule for rule in open_rules if {rule.left, rule.right} <= filled]
            open_rules = [rule for rule in open_rules if rule not in now]
            self.steps.append(self._step(join, left, right, tuple(now)))
        self.made = [0] * len(self.steps)

    def _step(self, join: Join, left: bool, right: bool, rules: tuple[Rule, ...]) -> _Step:
        turned = right and not left
        pairs = (join.pairs.turned() if turned else join.pairs).sorted()
        columns = (join.right, join.left) if turned else (join.left, join.right)
        start = columns[0] if left or right else None
        fills = columns if start is None else () if left and right else columns[1:]
        keys = pairs.left.astype(np.int64) * self.entities + pairs.right
        return _Step(join, pairs, start, fills, keys, rules)

    def rows(self, table: Ids, factors: Floats, at: int) -> Iterator[tuple[Ids, Floats]]:
        """What some rows become by the steps from ``at`` on.

        Raises:
            _Cut
        """
        if at == len(self.steps):
            yield table, factors
            return
        step = self.steps[at]
        for more, chances in self._made(step, table, factors):
            kept = self._allowed(step, more)
            more, chances = more[kept], chances[kept]
            self.made[at] += len(more)
            self._require_room()
            if len(more):
                yield from self.rows(more, chances, at + 1)

    def _require_room(self) -> None:
        stop_if_cancelled()
        if sum(self.made) > self.budget.rows:
            raise _Cut("rows")
        if time.perf_counter() > self.budget.end:
            raise _Cut("time")

    def _made(self, step: _Step, table: Ids, factors: Floats) -> Iterator[tuple[Ids, Floats]]:
        pairs, join = step.pairs, step.join
        if not step.fills:
            key = table[:, join.left].astype(np.int64) * self.entities + table[:, join.right]
            at = np.searchsorted(step.keys, key)
            there = np.flatnonzero(np.append(step.keys, -1)[at] == key)
            yield table[there], self._chances(step, factors[there], at[there])
            return
        if step.start is None:
            low, count = np.zeros(len(table), np.int64), np.full(len(table), len(pairs))
        else:
            own = table[:, step.start]
            low = np.searchsorted(pairs.left, own)
            count = np.searchsorted(pairs.left, own, side="right") - low
        after = np.cumsum(count)
        for begin in range(0, int(after[-1]) if len(after) else 0, BLOCK):
            place = np.arange(begin, min(begin + BLOCK, after[-1]))
            owner = np.searchsorted(after, place, side="right")
            at = low[owner] + place - (after - count)[owner]
            more = table[owner]
            for column, ids in zip(step.fills[::-1], (pairs.right, pairs.left)):
                more[:, column] = ids[at]
            yield more, self._chances(step, factors[owner], at)

    def _chances(self, step: _Step, factors: Floats, at: npt.NDArray[np.integer]) -> Floats:
        if step.join.factor is not None and step.pairs.chance is not None:
            factors[:, step.join.factor] = step.pairs.chance[at]
        return factors

    def _allowed(self, step: _Step, table: Ids) -> npt.NDArray[np.intp]:
        keep = np.ones(len(table), np.bool_)
        for rule in step.rules:
            left, right = table[:, rule.left], table[:, rule.right]
            if rule.keys is None:
                keep &= left != right
                continue
            key = left.astype(np.int64) * self.entities + right
            keep &= np.append(rule.keys, -1)[np.searchsorted(rule.keys, key)] != key
        return np.flatnonzero(keep)


def distinct(table: Ids, shown: Sequence[int], chance: Floats) -> npt.NDArray[np.intp]:
    """Which rows stay where rows that are the same in some columns are one: the likeliest of each,
    the earlier where several are. Ordered by those columns."""
    likeliest = np.argsort(-chance, kind="stable")
    columns = [table[likeliest, column] for column in shown]
    rank = order(*columns)
    first = changes(*(column[rank] for column in columns))
    return likeliest[rank[first]]
