"""What meets several conditions at once: a logical question with variables."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_doc import Doc

from sightline.graph.errors import UsageError
from sightline.insights.kind import Argument, Cursor, Kind, Length, Limit, Sightline, Span
from sightline.insights.logic.atoms import MAX_ATOMS, Atom
from sightline.insights.records import EntityRef, Fact, Reliability

if TYPE_CHECKING:
    from sightline.insights.logic.resolve import Condition as Resolved
    from sightline.insights.logic.resolve import Term
    from sightline.insights.logic.search import Found

#: The share of the time in which answers are searched; the rest is to show them.
SEARCHING = 0.8

Key = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class QueryQuestion:
    """Conditions with variables, as text or one by one."""

    text: Annotated[
        str | None,
        Argument(),
        Doc(
            "Conditions with commas between them: `?d treats ?x, ?d a Compound, ?c population > "
            '1000000, not ?d treats "Alzheimer\'s disease", likely ?d binds ?g, ?d != ?e`. ?x is a '
            "variable, ? is anything; names of several words stand in quotes."
        ),
    ] = None
    atoms: Annotated[
        tuple[Atom, ...], Length(MAX_ATOMS), Doc("The conditions one by one, instead of text.")
    ] = ()
    show: Annotated[
        tuple[str, ...],
        Doc("Only these variables; the others must be there. Repeat for several."),
    ] = ()
    above: Annotated[
        float, Span(0.01, 1), Doc("Chance that a predicted fact of a likely condition must have.")
    ] = 0.3
    limit: Limit = 50
    cursor: Cursor = None
    max_rows: Annotated[
        int, Span(1000, 20_000_000), Doc("How many rows may be made on the way to the answers.")
    ] = 2_000_000
    deadline_ms: Annotated[int, Span(1, 60_000), Doc("Answer after this many milliseconds.")] = 2000


@dataclass(frozen=True)
class Condition:
    """One condition as it was understood.

    Attributes:
        text: by labels.
        alone: pairs, or entities, of the graph that meet it alone; null where that is not counted.
        asked: the end that the model was asked about, where it was.
    """

    text: str
    negated: bool
    likely: bool
    alone: int | None
    asked: Literal["head", "tail"] | None


@dataclass(frozen=True)
class Row:
    """One answer.

    Attributes:
        values: one per variable, in their order.
        probability: the product of the chances of the predicted facts, as if they did not depend on
            each other; null where the graph states everything.
        predicted: numbers of the conditions, from 1 on, that rest on predictions.
        facts: of each condition on a link, in their order; of the variables that are not shown the
            likeliest ones. Patterns and ? have none.
    """

    values: tuple[EntityRef, ...]
    probability: float | None
    predicted: tuple[int, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Answers(Reliability):
    """What meets all conditions.

    Attributes:
        found: how many answers there are; where ``truncated``, how many were found.
        next: cursor of the next page.
        note: why there is no answer.
    """

    variables: tuple[str, ...]
    conditions: tuple[Condition, ...]
    rows: tuple[Row, ...]
    found: int
    next: str | None
    note: str | None


def query(sight: Sightline, asked: QueryQuestion) -> Answers:
    """What meets several conditions at once: links, patterns of links, types and values, with
    variables for what is asked for.

    `not` says what the graph does not state. A condition that is `likely` may be predicted instead
    of stated; then an answer has a chance, and says which conditions rest on predictions.

    Raises:
        UsageError: neither text nor atoms are given, or both, or a variable could be anything.
        BadQuery, BadPattern
        OutOfRange: there are too many conditions.
        BadReference, UnknownEntity, AmbiguousEntity, UnknownRelation, AmbiguousRelation,
        UnknownClass, AmbiguousClass, UnknownProperty, AmbiguousProperty: of names in it.
        NoModel, DamagedArtifact, FormatMismatch, UnknownToModel: a condition is likely.
    """
    from sightline.insights.cursors import cursor_of, offset_of
    from sightline.insights.logic.resolve import has_meaning, resolve
    from sightline.insights.logic.search import Limits, search
    from sightline.insights.logic.text import atoms_of
    from sightline.insights.ranking import reliability

    if (asked.text is None) == (not asked.atoms):
        raise UsageError("a question is given as text or as atoms: give one of them")
    snapshot = sight.snapshot
    meant = partial(has_meaning, snapshot)
    atoms = asked.atoms if asked.text is None else atoms_of(asked.text, meant)
    conditions = resolve(snapshot, atoms)
    shown = _shown(conditions, asked.show)
    offset = offset_of(sight.snapshot, asked.cursor)
    if any(condition.likely for condition in conditions):
        sight.model_view.warm()
    end = time.perf_counter() + asked.deadline_ms / 1000
    limits = Limits(asked.max_rows, asked.deadline_ms * SEARCHING, asked.above)
    found = search(sight.facts, lambda: sight.model_view, conditions, shown, limits)
    page = range(offset, min(offset + asked.limit, len(found.table)))
    rows = _Telling(sight, conditions, shown, found, asked.above, end).rows(page)
    more = page.stop < len(found.table) and found.reason is None
    return Answers(
        **reliability(sight, [fact for row in rows for fact in row.facts], found.reason),
        variables=tuple(shown),
        conditions=tuple(_said(condition, found) for condition in conditions),
        rows=rows,
        found=len(found.table),
        next=cursor_of(sight.snapshot, page.stop) if more else None,
        note=found.note,
    )


def _shown(conditions: Sequence[Resolved], wanted: Sequence[str]) -> list[str]:
    """The variables of an answer, in the order of the conditions, or as they are wanted."""
    known = list(dict.fromkeys(v for condition in conditions for v in condition.variables))
    chosen = [f"?{name.removeprefix('?')}" for name in dict.fromkeys(wanted)]
    for name in chosen:
        if name not in known:
            raise UsageError(
                f"{name:.80} is in no condition, so it cannot be shown; there are: "
                + ", ".join(known)
            )
    return chosen or known


def _said(condition: Resolved, found: Found) -> Condition:
    forward = found.asked.get(condition)
    asked: Literal["head", "tail"] | None = None
    if forward is not None:
        asked = "head" if forward else "tail"
    alone = found.alone.get(condition)
    return Condition(condition.text, condition.negated, condition.likely, alone, asked)


class _Telling:
    """Ids become records."""

    def __init__(
        self,
        sight: Sightline,
        conditions: Sequence[Resolved],
        shown: Sequence[str],
        found: Found,
        above: float,
        end: float,
    ) -> None:
        self.sight = sight
        self.found = found
        self.above = above
        self.end = end
        self.shown = [found.variables.index(name) for name in shown]
        self.links = [
            (number, condition)
            for number, condition in enumerate(conditions, 1)
            if condition.relation is not None and not condition.negated
        ]

    def rows(self, page: range) -> tuple[Row, ...]:
        """The answers of a page."""
        keys = [self._keys(self.found.table[i].tolist()) for i in page]
        told = self._facts({key: c for row in keys for _, c, key in row})
        names, made = self.sight.names, []
        for i, row in zip(page, keys):
            facts = tuple(told[key] for _, _, key in row if key in told)
            predicted = tuple(n for n, _, key in row if told[key].status == "predicted")
            values = tuple(names.entity(int(self.found.table[i, c])) for c in self.shown)
            chance = float(self.found.chance[i]) if predicted else None
            made.append(Row(values, chance, predicted, facts))
        return tuple(made)

    def _keys(self, row: Sequence[int]) -> list[tuple[int, Resolved, Key]]:
        """Number and fact of each link of a row whose ends are both known."""
        out = []
        for number, c in self.links:
            names = (f"head of {c.text}", f"tail of {c.text}")
            head, tail = (self._id(t, row, n) for t, n in zip((c.head, c.tail), names))
            if head is not None and tail is not None:
                out.append((number, c, (head, int(c.relation or 0), tail)))
        return out

    def _id(self, term: Term, row: Sequence[int], column: str) -> int | None:
        if isinstance(term, int):
            return term
        name = column if term is None else term
        return row[self.found.variables.index(name)] if name in self.found.variables else None

    def _facts(self, keys: dict[Key, Resolved]) -> dict[Key, Fact]:
        """The stated facts, and the predicted ones as the model was asked."""
        from sightline.insights.ranking import Candidate, told

        facts = self.sight.facts
        edges = {key: facts.edge(*key) for key in keys}
        stated = [
            Candidate(*key, None, edge=edge) for key, edge in edges.items() if edge is not None
        ]
        out = {
            (c.head, c.relation, c.tail): fact
            for c, fact in zip(stated, told(self.sight, stated, ranked=False))
        }
        asked: dict[tuple[int, int], list[int]] = defaultdict(list)
        for key, edge in edges.items():
            if edge is None:
                forward = self.found.asked[keys[key]]
                rel = key[1] if forward else facts.inverse(key[1])
                asked[key[0] if forward else key[2], rel].append(key[2] if forward else key[0])
        for question, others in asked.items():
            out |= self._predicted(*question, others)
        return out

    def _predicted(self, anchor: int, rel: int, others: Sequence[int]) -> dict[Key, Fact]:
        import numpy as np

        from sightline.insights.ranking import candidates, told

        view = self.sight.model_view
        among = np.zeros(self.sight.snapshot.num_entities, np.bool_)
        among[list(others)] = True
        answers = view.answers_above(anchor, rel, self.above, among)
        found = candidates(view, np.full(len(answers.rel), anchor), answers)
        left = max(1.0, (self.end - time.perf_counter()) * 1000)
        made = told(self.sight, found, ranked=False, budget_ms=left)
        return {(c.head, c.relation, c.tail): fact for c, fact in zip(found, made)}


KIND = Kind(
    query,
    route="POST /v1/query",
    tag="queries",
    order="Likeliest first, then by id.",
    command="query",
    example="sightline query '?c <member of> ?o, ?c <official language> English, ?c a Country' "
    "-w world",
    examples={
        "as text": {"text": "?c <member of> ?o, ?c <official language> English", "show": ["?c"]},
        "one by one": {
            "atoms": [
                {"head": "?c", "relation": "official language", "tail": "English"},
                {"head": "?c", "relation": "member of", "tail": "African Union", "negated": True},
            ]
        },
    },
    dear=True,
)
