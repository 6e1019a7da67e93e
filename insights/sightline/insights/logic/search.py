"""All answers to a logical question: which entities come into question, then which go together.

First every condition takes away from each variable what cannot meet it, those that cost least
first: edges, then patterns, then the model, which is asked about what is left. Then pairs are
joined. Knows conditions in ids; knows no name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from sightline.graph.arrays import Flags, Floats, Ids
from sightline.graph.paths.reach import reachable, reachable_from_each
from sightline.insights.facts import Facts
from sightline.insights.logic.join import Budget, Join, Rule, distinct, joined
from sightline.insights.logic.likely import likely
from sightline.insights.logic.pairs import Pairs, ends, linked
from sightline.insights.logic.resolve import Condition
from sightline.insights.model_view import ModelView

#: Times that conditions may narrow each other down before rows are made.
ROUNDS = 4

#: The share of the time in which pairs are looked for; the rest is to join them.
NARROWING = 0.6


@dataclass(frozen=True, slots=True)
class Limits:
    """What a search may take: rows made in between, milliseconds, and the chance that a predicted
    fact must have."""

    max_rows: int
    deadline_ms: float
    above: float


@dataclass(slots=True)
class Found:
    """The answers.

    Attributes:
        variables: what the columns are: variables, then entities and anything under names of their
            own where the model was asked about them.
        table: int32 ``(n, V)``: one row per answer in the columns asked for, the likeliest way to
            it in the others; by chance, then by id.
        chance: float64 ``(n,)``; 1 where everything is stated.
        alone: for some conditions how many pairs or entities meet it alone.
        asked: for some conditions whether the model was asked of the heads (or of the tails).
        reason: what was cut.
        note: why there is no answer.
    """

    variables: list[str]
    table: Ids
    chance: Floats
    alone: dict[Condition, int] = field(default_factory=dict)
    asked: dict[Condition, bool] = field(default_factory=dict)
    reason: str | None = None
    note: str | None = None


class _Empty(Exception):
    """Nothing can meet all conditions."""


def search(
    facts: Facts,
    model: Callable[[], ModelView],
    conditions: Sequence[Condition],
    shown: Sequence[str],
    limits: Limits,
) -> Found:
    """The answers to a question.

    Args:
        model: asked for where a condition may be predicted.
        shown: the variables that tell answers apart.

    Raises:
        UnknownToModel: the relation of a condition that may be predicted.
        NoModel, DamagedArtifact, FormatMismatch: as ``model`` does.
    """
    return _Search(facts, model, conditions, shown, limits).found()


class _Search:
    def __init__(
        self,
        facts: Facts,
        model: Callable[[], ModelView],
        conditions: Sequence[Condition],
        shown: Sequence[str],
        limits: Limits,
    ) -> None:
        self.facts = facts
        self.model = model
        self.conditions = conditions
        self.shown = shown
        self.limits = limits
        start = time.perf_counter()
        self.end = start + limits.deadline_ms / 1000
        #: Until then walks are made and the model is asked.
        self.narrowed_by = start + NARROWING * limits.deadline_ms / 1000
        self.n = facts.snapshot.num_entities
        #: Entities that each variable may still be.
        self.domains: dict[str, Flags] = {}
        self.pairs: dict[Condition, Pairs] = {}
        self.looked_at: list[Condition] = []
        self.reasons: list[str] = []
        self.out = Found([], np.zeros((0, 0), np.int32), np.zeros(0, np.float32))
        for condition in conditions:
            for variable in condition.variables:
                self.domains[variable] = self._all()
        self.ends = {c: self._ends(c) for c in conditions if c.likely}

    def found(self) -> Found:
        out = self.out
        out.variables = list(self.domains)
        out.table = np.zeros((0, len(out.variables)), np.int32)
        try:
            self._narrow()
            self._join()
        except _Empty as why:
            # What was cut may be what is missing.
            out.note = None if self.reasons else str(why)
        out.reason = "; ".join(self.reasons) or None
        return out

    def _ends(self, condition: Condition) -> tuple[str, str]:
        """The columns of a condition that may be predicted: an entity and anything have some, too,
        so that every row has the chance of its own link."""
        made = []
        for term, side in ((condition.head, "head"), (condition.tail, "tail")):
            name = term if isinstance(term, str) else f"{side} of {condition.text}"
            if not isinstance(term, str):
                self.domains[name] = self._one_or_all(term)
            made.append(name)
        return made[0], made[1]

    def _all(self) -> Flags:
        return np.ones(self.n, np.bool_)

    def _only(self, entity: int) -> Flags:
        flags = np.zeros(self.n, np.bool_)
        flags[entity] = True
        return flags

    def _one_or_all(self, term: int | None) -> Flags:
        return self._all() if term is None else self._only(term)

    # What each variable may be.

    def _narrow(self) -> None:
        """Conditions one after the other, those first that cost least.

        Raises:
            _Empty
        """
        stated = [c for c in self.conditions if not c.likely and not c.differs]
        single = [c for c in stated if len(c.variables) < 2]
        cheap = [c for c in single if c.pattern is None]
        for condition in sorted(cheap, key=lambda c: c.negated):
            self._restrict(condition)
        double = [c for c in stated if len(c.variables) == 2]
        self._narrow_by([c for c in double if c.relation is not None and not c.negated])
        for condition in sorted(
            (c for c in single if c.pattern is not None), key=lambda c: c.negated
        ):
            self._restrict(condition)
        self._narrow_by([c for c in double if c.pattern is not None and not c.negated])
        self._narrow_by([c for c in self.conditions if c.likely])
        for condition in self.conditions:
            if condition.differs and condition.head == condition.tail:
                raise self._empty(condition)
            if condition.differs and len(condition.variables) == 1:
                terms = (condition.head, condition.tail)
                (entity,) = (t for t in terms if isinstance(t, int))
                self._keep(condition, condition.variables[0], ~self._only(entity))

    def _restrict(self, condition: Condition) -> None:
        """By a condition on one variable, or on none."""
        flags = self._members(condition)
        if condition.negated:
            flags = ~flags
        else:
            self.out.alone[condition] = int(flags.sum() if condition.variables else flags.any())
        if condition.variables:
            self._keep(condition, condition.variables[0], flags)
        elif not flags.any():
            raise self._empty(condition)

    def _members(self, condition: Condition) -> Flags:
        """bool ``(N,)``: what meets a condition on one variable; of one on none, all or nothing."""
        head, tail = condition.head, condition.tail
        if condition.allowed is not None:
            met = condition.allowed
            return met if isinstance(head, str) else self._truth(met, head)
        if isinstance(head, str) and head == tail:
            same = self._pairs(condition)
            left, _ = ends(same.take(same.left == same.right), self.n)
            return left
        # Seen from the tail where that is the variable.
        inward = isinstance(tail, str)
        own, other = (tail, head) if inward else (head, tail)
        assert not isinstance(other, str)
        flags = self._leading_to(condition, self._one_or_all(other), inward)
        return flags if isinstance(own, str) else self._truth(flags, own)

    def _truth(self, flags: Flags, term: int | None) -> Flags:
        """All where an entity, or anything, is among some; else nothing."""
        return np.full(self.n, flags.any() if term is None else flags[term])

    def _leading_to(self, condition: Condition, others: Flags, inward: bool) -> Flags:
        """bool ``(N,)``: entities that a link joins to one of some others."""
        if condition.relation is not None:
            sides = (others, self._all()) if inward else (self._all(), others)
            return ends(linked(self.facts, condition.relation, *sides), self.n)[inward]
        pattern = str(condition.pattern)
        sources = np.flatnonzero(others).astype(np.int32)
        read = pattern if inward else f"^({pattern})"
        reached = reachable(self.facts.snapshot, sources, read, deadline_ms=self._left_ms())
        flags = np.zeros(self.n, np.bool_)
        flags[reached.entities] = True
        if reached.truncated:
            self.reasons.append(f"the deadline cut the walks of: {condition.text}")
            if condition.negated:
                # What was not reached may be reached later: nothing can be said to meet it.
                flags[:] = True
        return flags

    def _left_ms(self) -> float:
        return max(1.0, (self.narrowed_by - time.perf_counter()) * 1000)

    def _keep(self, condition: Condition, variable: str, flags: Flags) -> None:
        """What a variable may still be.

        Raises:
            _Empty
        """
        self.domains[variable] = self.domains[variable] & flags
        if not self.domains[variable].any():
            raise self._empty(condition)
        if condition not in self.looked_at:
            self.looked_at.append(condition)

    def _empty(self, condition: Condition) -> _Empty:
        others = [c.text for c in self.looked_at if c is not condition]
        if not others or self.out.alone.get(condition) == 0:
            return _Empty(f"nothing meets: {condition.text}")
        return _Empty(f"nothing meets ({condition.text}) together with ({'), ('.join(others)})")

    def _narrow_by(self, conditions: Sequence[Condition]) -> None:
        """By conditions on two variables, and by those before again, until little changes.

        Raises:
            _Empty
        """
        for condition in sorted(conditions, key=self._size):
            self.pairs[condition] = self._pairs(condition)
            self._keep_ends(condition)
        for _ in range(ROUNDS):
            before = {name: np.count_nonzero(d) for name, d in self.domains.items()}
            for condition in self.pairs:
                self._keep_ends(condition)
            if before == {name: np.count_nonzero(d) for name, d in self.domains.items()}:
                break

    def _size(self, condition: Condition) -> int:
        """How many pairs there are, or how many entities walks begin from, or are asked about."""
        if condition.relation is not None and not condition.likely:
            return int(self.facts.edges_per_rel[condition.relation])
        return min(map(self._candidates, self._columns(condition)))

    def _candidates(self, variable: str) -> int:
        return int(self.domains[variable].sum())

    def _columns(self, condition: Condition) -> tuple[str, str]:
        if condition.likely:
            return self.ends[condition]
        return str(condition.head), str(condition.tail)

    def _keep_ends(self, condition: Condition) -> None:
        head, tail = self._columns(condition)
        pairs = self.pairs[condition].within(self.domains[head], self.domains[tail])
        self.pairs[condition] = pairs
        for variable, flags in zip((head, tail), ends(pairs, self.n)):
            self._keep(condition, variable, flags)

    def _pairs(self, condition: Condition) -> Pairs:
        """The pairs that meet a condition on two variables, within what those may be."""
        head, tail = self._columns(condition)
        sides = self.domains[head], self.domains[tail]
        if condition.likely:
            return self._likely_pairs(condition, *sides)
        if condition.relation is not None:
            self.out.alone[condition] = int(self.facts.edges_per_rel[condition.relation])
            return linked(self.facts, condition.relation, *sides)
        turned = self._candidates(tail) < self._candidates(head)
        return self._walked(condition, turned)

    def _walked(self, condition: Condition, turned: bool) -> Pairs:
        """The pairs that a pattern joins, by walks from its heads, or back from its tails."""
        columns = self._columns(condition)
        begin, to = (columns[1], columns[0]) if turned else columns
        sources = np.flatnonzero(self.domains[begin])
        read = f"^({condition.pattern})" if turned else str(condition.pattern)
        found = reachable_from_each(
            self.facts.snapshot,
            sources.astype(np.int32),
            read,
            most=self.limits.max_rows,
            deadline_ms=self._left_ms(),
        )
        if found.finished < len(sources):
            self.reasons.append(
                f"walks were made from {found.finished:,} of {len(sources):,} entities only: "
                f"{condition.text}"
            )
            done = np.zeros(self.n, np.bool_)
            done[sources[: found.finished]] = True
            self._keep(condition, begin, done)
        pairs = Pairs(sources[found.owner].astype(np.int32), found.entity)
        pairs = pairs.within(self._all(), self.domains[to])
        return pairs.turned() if turned else pairs

    def _likely_pairs(self, condition: Condition, head: Flags, tail: Flags) -> Pairs:
        relation = int(condition.relation or 0)
        above, end = self.limits.above, self.narrowed_by
        found = likely(self.model(), relation, head, tail, above, end)
        self.out.asked[condition] = found.forward
        if found.asked < found.wanted:
            self.reasons.append(
                f"the model was asked about {found.asked:,} of {found.wanted:,} entities only: "
                f"{condition.text}"
            )
        return found.pairs

    # What goes together.

    def _join(self) -> None:
        """Rows, and which of them are answers.

        Raises:
            _Empty
        """
        column = {name: i for i, name in enumerate(self.domains)}
        factors = {condition: i for i, condition in enumerate(self.ends)}
        rules = [
            Rule(column[str(c.head)], column[str(c.tail)], self._ruled_out(c))
            for c in self.conditions
            if (c.negated or c.differs) and len(c.variables) == 2
        ]
        # What is ruled out may have been found out of some entities only.
        self._narrow_by(())
        joins = [
            Join(pairs, column[head], column[tail], factors.get(c), c.text)
            for c, pairs in self.pairs.items()
            for head, tail in (self._columns(c),)
        ]
        joins += [
            Join(Pairs(ids, ids), column[variable], column[variable], text=f"what {variable} is")
            for variable, domain in self.domains.items()
            if not any(column[variable] in (j.left, j.right) for j in joins)
            for ids in (np.flatnonzero(domain).astype(np.int32),)
        ]
        budget = Budget(self.limits.max_rows, self.end)
        sizes = (len(column), len(factors), self.n)
        shown = [column[variable] for variable in self.shown]
        tables, chances = [self.out.table], [np.ones(0, np.float32)]
        for rows in joined(joins, rules, *sizes, budget):
            chance = self._chance(rows.table, rows.factors, column, factors)
            some = distinct(rows.table, shown, chance)
            tables.append(rows.table[some])
            chances.append(chance[some])
        table, chance = np.concatenate(tables), np.concatenate(chances)
        best = distinct(table, shown, chance)
        best = best[np.argsort(-chance[best], kind="stable")]
        self.out.table, self.out.chance = table[best], chance[best]
        self._say_what_was_cut(rows.cut)
        if not len(best) and not self.reasons:
            before = [text for text, _ in rows.passed]
            met = next(i for i, (_, made) in enumerate(rows.passed) if not made)
            raise _Empty(
                f"no values go together for ({'), ('.join(before[: met + 1])})"
                + (" and what is ruled out" if rules else "")
            )

    def _ruled_out(self, condition: Condition) -> np.ndarray | None:
        """``left * N + right`` of the pairs that a negated condition rules out, ascending."""
        if condition.differs:
            return None
        pairs = self._pairs(condition)
        return np.unique(pairs.left.astype(np.int64) * self.n + pairs.right)

    def _chance(
        self,
        table: Ids,
        factors: Floats,
        column: dict[str, int],
        number: dict[Condition, int],
    ) -> Floats:
        """The chance of each row: the product over the facts that are predicted, each once."""
        for one, other in combinations(number, 2):
            if one.relation == other.relation:
                ends_of = zip(self.ends[one], self.ends[other])
                same = np.ones(len(table), np.bool_)
                for a, b in ends_of:
                    same &= table[:, column[a]] == table[:, column[b]]
                factors[same, number[other]] = 1
        chance: Floats = factors.prod(axis=1, dtype=np.float32)
        return chance

    def _say_what_was_cut(self, cut: str | None) -> None:
        if cut == "time":
            self.reasons.append(f"the deadline of {self.limits.deadline_ms:g} ms was reached")
        elif cut == "rows":
            self.reasons.append(
                f"more than {self.limits.max_rows:,} rows were made in between; add conditions, or "
                f"raise max_rows"
            )
