"""What two models say otherwise about the same entities, beyond what chance changes.

Each entity is asked about in both (snapshot, model) pairs. How much answers change about entities
around which nothing changed is the measure: another training moves every number a little. Knows two
opened pairs and what differs between their graphs; knows no portal.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sightline.graph.progress import stop_if_cancelled
from sightline.graph.snapshot.diff import Side
from sightline.insights.deadline import Deadline
from sightline.insights.ranking import new_neighbours
from sightline.insights.records import ChangedAnswer

if TYPE_CHECKING:
    from sightline.insights.ask import Sightline

#: Milliseconds to ask a model about one entity; what is not on its list is judged alone.
EACH_MS = 1000
#: Answers listed about an entity, and the chance that one must have.
K, LEAST = 20, 0.05
#: A smaller change is not listed, however small noise is.
LEAST_MOVE = 0.02
#: Entities asked about: those around which most changed, and those around which nothing did.
ASKED, CONTROL = 40, 40
#: Fewer unchanged answers than this say nothing about noise; then this much is taken for it.
ENOUGH, DEFAULT_NOISE = 20, 0.05
#: Changes of the graph that are named beside an answer.
NAMED = 3

#: Head, relation and tail by IRI.
Key = tuple[str, str, str]
_STATED = "stated"


@dataclass(frozen=True, slots=True)
class ChangedAnswers:
    """What is judged otherwise; see ``Changes``."""

    found: tuple[ChangedAnswer, ...]
    compared: int
    noise: float | None
    reason: str | None
    note: str | None


def changed_answers(
    old: Sightline,
    new: Sightline,
    sides: tuple[Side, Side],
    about: Sequence[str] | None,
    seconds: float,
) -> ChangedAnswers:
    """The answers that changed more than chance changes them, the largest change first.

    Args:
        sides: what is gone from the old graph, and what has come.
        about: entities by IRI; None: those around which most changed.
        seconds: to ask the models in, half of them to measure noise.
    """
    for sight, which in ((old, "older"), (new, "newer")):
        if sight.model is None:
            why = "" if sight.no_model is None else f": {sight.no_model.public}"
            none = f"answers are not compared, there is no model beside the {which} snapshot{why}"
            return ChangedAnswers((), 0, None, None, none)
    for sight in (old, new):
        sight.model_view.warm()
    start, work = time.perf_counter(), _Comparison(old, new, sides)
    half, end = start + seconds / 2, start + seconds
    changed = work.changed()
    asked = list(about if about is not None else changed[:ASKED])
    moved = [d for entity in work.unchanged(set(changed)) for d in work.moves(entity, half)]
    noise = float(np.quantile(moved, 0.95)) if len(moved) >= ENOUGH else None
    least = DEFAULT_NOISE if noise is None else max(noise, LEAST_MOVE)
    found: dict[Key, ChangedAnswer] = {}
    compared = 0
    for entity in asked:
        if time.perf_counter() > end:
            break
        stop_if_cancelled()
        for key, answer in work.answers(entity, least).items():
            # A fact may be listed about both its ends: the likelier reading counts.
            if key not in found or _likeliest(answer) > _likeliest(found[key]):
                found[key] = answer
        compared += 1
    reason: str | None = None
    if compared < len(asked):
        reason = f"the deadline left time for the answers about {compared} of {len(asked)} entities"
    note: str | None = None
    if noise is None:
        note = f"too little stayed the same to measure noise; {DEFAULT_NOISE:.0%} is taken for it"
    ranked = sorted(found.items(), key=lambda item: (-_size(item[1]), item[0]))
    return ChangedAnswers(tuple(a for _, a in ranked), compared, noise, reason, note)


def _likeliest(answer: ChangedAnswer) -> float:
    return max(answer.before or 0.0, answer.after or 0.0)


def _size(answer: ChangedAnswer) -> float:
    """How much a chance changed; what is stated has the chance 1."""
    before, after = answer.before or 0.0, answer.after or 0.0
    if answer.change == "confirmed":
        after = 1.0
    elif answer.change == "withdrawn":
        before = 1.0
    return abs(after - before)


class _Comparison:
    """Two pairs, asked about the same entities."""

    def __init__(self, old: Sightline, new: Sightline, sides: tuple[Side, Side]) -> None:
        self.old = old
        self.new = new
        self.sides = sides

    def changed(self) -> list[str]:
        """Entities of both graphs with changed facts, most changed first."""
        counts: dict[str, int] = {}
        for side in self.sides:
            per_entity = side.per_entity()
            for entity in np.flatnonzero(per_entity).tolist():
                iri = side.snapshot.entity_iris[entity]
                counts[iri] = counts.get(iri, 0) + int(per_entity[entity])
        both = (iri for iri in counts if self._ids(iri) is not None)
        return sorted(both, key=lambda iri: (-counts[iri], iri))

    def unchanged(self, changed: set[str]) -> list[str]:
        """Entities without a changed fact, evenly over all."""
        iris = self.new.snapshot.entity_iris
        step = max(1, len(iris) // (2 * CONTROL))
        even = (iris[i] for i in range(0, len(iris), step))
        return [iri for iri in even if iri not in changed and self._ids(iri)][:CONTROL]

    def moves(self, iri: str, end: float) -> Iterator[float]:
        """How much the chances of the answers about an entity differ; nothing after ``end``."""
        if time.perf_counter() < end:
            for before, after in self._both(iri).values():
                if before != _STATED and after != _STATED:
                    yield abs((after or 0.0) - (before or 0.0))  # type: ignore[operator]

    def answers(self, iri: str, least: float) -> dict[Key, ChangedAnswer]:
        """The answers about an entity that changed by more than ``least``."""
        out = {}
        for key, (before, after) in self._both(iri).items():
            change = _change(before, after, least)
            if change is not None:
                sight = self.new if self._known(self.new, key) else self.old
                names = sight.names
                head, relation, tail = self._ids_of(sight, key)
                out[key] = ChangedAnswer(
                    names.entity(head),
                    names.relation(relation),
                    names.entity(tail),
                    change,
                    None if isinstance(before, str) else before,
                    None if isinstance(after, str) else after,
                    self._because(key),
                )
        return out

    def _both(self, iri: str) -> dict[Key, tuple[float | str | None, float | str | None]]:
        """Each answer listed about an entity in one pair or the other with its chance in both."""
        ids = self._ids(iri)
        if ids is None:
            return {}
        lists = [_listed(sight, e) for sight, e in zip((self.old, self.new), ids)]
        return {
            key: (
                lists[0].get(key) or self._judged(self.old, key, iri),
                lists[1].get(key) or self._judged(self.new, key, iri),
            )
            for key in {**lists[0], **lists[1]}
        }

    def _judged(self, sight: Sightline, key: Key, anchor: str) -> float | str | None:
        """The chance of a fact that is not on the list of a pair; ``stated`` where it is none."""
        if not self._known(sight, key):
            return None
        head, relation, tail = self._ids_of(sight, key)
        if sight.facts.states(head, relation, tail):
            return _STATED
        view = sight.model_view
        own, other, rel = head, tail, relation
        if key[0] != anchor:
            own, other, rel = tail, head, sight.facts.inverse(relation)
        if not view.answers_about(own) or not len(view.known_rels(np.array([rel]))):
            return None
        among = np.zeros(sight.snapshot.num_entities, np.bool_)
        among[other] = True
        chance = view.answers_above(own, rel, 0.0, among).chance
        return float(chance[0]) if len(chance) else None

    def _ids(self, iri: str) -> tuple[int, int] | None:
        """An entity in both snapshots."""
        found = [sight.snapshot.entity_iris.find(iri) for sight in (self.old, self.new)]
        return None if found[0] is None or found[1] is None else (found[0], found[1])

    def _known(self, sight: Sightline, key: Key) -> bool:
        s = sight.snapshot
        tables = (s.entity_iris, s.relation_iris, s.entity_iris)
        return all(table.find(iri) is not None for table, iri in zip(tables, key))

    def _ids_of(self, sight: Sightline, key: Key) -> tuple[int, int, int]:
        s = sight.snapshot
        tables = (s.entity_iris, s.relation_iris, s.entity_iris)
        head, relation, tail = (table.find(iri) or 0 for table, iri in zip(tables, key))
        return head, relation, tail

    def _because(self, key: Key) -> tuple[str, ...]:
        """Links at the ends of a fact that came or went, those that both ends have first."""
        found: list[tuple[int, str]] = []
        for side, sign in zip(self.sides[::-1], "+-"):
            s = side.snapshot
            ends = [s.entity_iris.find(iri) for iri in (key[0], key[2])]
            heads, tails = s.head[side.edges], s.tail[side.edges]
            touched = np.zeros(len(heads), np.int8)
            for end in (e for e in ends if e is not None):
                touched += (heads == end) | (tails == end)
            near = np.flatnonzero(touched)
            for i in near[np.argsort(-touched[near], kind="stable")][: NAMED + 1].tolist():
                edge = int(side.edges[i])
                same = (heads[i], s.relation_iris[s.relation[edge]], tails[i])
                if same != (ends[0], key[1], ends[1]):
                    found.append((-int(touched[i]), f"{sign} {side.said(edge)}"))
        return tuple(text for _, text in sorted(found, key=lambda one: one[0])[:NAMED])


def _listed(sight: Sightline, entity: int) -> dict[Key, float | str | None]:
    """The likely new facts about an entity with their chances."""
    view, s = sight.model_view, sight.snapshot
    if not view.answers_about(entity):
        return {}
    wanted, deadline = sight.facts.rels(None, "both"), Deadline(EACH_MS)
    (found,) = new_neighbours(view, [entity], wanted, K, deadline, LEAST)
    return {
        (s.entity_iris[c.head], s.relation_iris[c.relation], s.entity_iris[c.tail]): c.chance
        for c in found
        if (c.chance or 0.0) >= LEAST
    }


def _change(
    before: float | str | None, after: float | str | None, least: float
) -> Literal["confirmed", "withdrawn", "appeared", "vanished", "rose", "fell"] | None:
    if isinstance(before, str) or isinstance(after, str):
        if isinstance(before, str) and isinstance(after, str):
            return None
        return "confirmed" if isinstance(after, str) else "withdrawn"
    was, now = before or 0.0, after or 0.0
    if abs(now - was) <= least:
        return None
    if was < LEAST or now < LEAST:
        return "appeared" if now > was else "vanished"
    return "rose" if now > was else "fell"
