"""A fact with one gap, completed: (h, r, ?), (?, r, t) and (h, ?, t).

Knows how answers are ranked and which are stated; scores come from ``learned``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sightline.insights.learned import Answers
from sightline.insights.paths import Support
from sightline.insights.records import Prediction

if TYPE_CHECKING:
    from sightline.insights.learned import Learned
    from sightline.insights.names import Names


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fact in ids, with its place in the ranking.

    ``edge`` is the id of a stated fact, which has no probability; ``key`` ranks, higher first.
    """

    head: int
    relation: int
    tail: int
    key: float
    score: float | None
    probability: float | None
    surprising: float | None
    edge: int | None


def complete(learned: Learned, anchor: int, slot: int, k: int, new_only: bool) -> list[Candidate]:
    """The best ``k`` answers to one slot of an entity, by score, ties by id.

    Stated answers stand where the model ranks them; those it does not know stand last.

    Raises:
        UnknownToModel
    """
    learned.require_slot(slot)
    (question,) = learned.questions(anchor, np.array([slot], np.int32))
    relation = slot % learned.facts.snapshot.num_relations
    turned = slot != relation

    def fact(answer: int) -> tuple[int, int, int]:
        return (answer, relation, anchor) if turned else (anchor, relation, answer)

    new = learned.new_answers(question, k)
    columns = (new.entity, new.score, new.probability, learned.surprise(new))
    candidates = [
        Candidate(*fact(int(e)), float(score), float(score), float(p), float(bits), None)
        for e, score, p, bits in zip(*columns)
    ]
    if not new_only:
        _, edges = learned.facts.answers(anchor, slot)
        for e, score, edge in zip(question.stated, question.stated_scores, edges):
            told = None if np.isnan(score) else float(score)
            key = -np.inf if told is None else told
            candidates.append(Candidate(*fact(int(e)), key, told, None, None, int(edge)))
    return _best(candidates, k)


def connect(learned: Learned, head: int, tail: int, k: int, new_only: bool) -> list[Candidate]:
    """The best ``k`` relations from ``head`` to ``tail``, by probability, ties by id.

    The score is the mean log-probability, and the probability the mean probability, of the fact
    read from its head and read from its tail. A stated fact is judged as if it were not stated.
    Relations foreign to the types of either end are left out.

    Raises:
        UnknownToModel
    """
    facts = learned.facts
    num_relations = facts.snapshot.num_relations
    edge_of = {int(facts.snapshot.relation[e]): int(e) for e in facts.between(head, tail)}
    fits = facts.answerable(tail)[:num_relations] & facts.answerable(head)[num_relations:]
    fits &= head != tail
    fits[list(edge_of)] = True
    slots = learned.known_slots(np.flatnonzero(fits))
    turned = (slots + num_relations).astype(np.int32)
    chances = np.array(
        [
            [learned.chance(question, target) for question in learned.questions(anchor, asked)]
            for anchor, asked, target in ((head, slots, tail), (tail, turned, head))
        ]
    ).reshape(2, len(slots), 2)
    score, probability = chances.mean(axis=0).T
    answers = Answers(slots, np.full(len(slots), tail, np.int32), score, probability)
    candidates = [
        Candidate(head, int(r), tail, float(p), float(s), None, None, edge_of[int(r)])
        if int(r) in edge_of
        else Candidate(head, int(r), tail, float(p), float(s), float(p), float(bits), None)
        for r, s, p, bits in zip(slots, score, probability, learned.surprise(answers))
    ]
    for relation in set(edge_of) - set(slots.tolist()):
        edge = edge_of[relation]
        candidates.append(Candidate(head, relation, tail, -np.inf, None, None, None, edge))
    if new_only:
        candidates = [c for c in candidates if c.edge is None]
    return _best(candidates, k)


def _best(candidates: Iterable[Candidate], k: int) -> list[Candidate]:
    return sorted(candidates, key=lambda c: (-c.key, c.head, c.relation, c.tail))[:k]


def describe(learned: Learned, names: Names, candidates: Iterable[Candidate]) -> list[Prediction]:
    """Candidates as records, with the origins of what is stated and support for what is not."""
    support = Support(names)
    threshold = learned.model.student.abstain_below
    found = []
    for rank, c in enumerate(candidates, 1):
        paths, note = support.of(c.head, c.tail) if c.edge is None else ((), None)
        found.append(
            Prediction(
                head=names.entity(c.head),
                relation=names.relation(c.relation),
                tail=names.entity(c.tail),
                status="predicted" if c.edge is None else "stated",
                known=c.edge is not None,
                probability=c.probability,
                rank=rank,
                score=c.score,
                abstain=c.probability is not None and c.probability < threshold,
                support=paths,
                support_note=note,
                surprising=c.surprising,
                origins=() if c.edge is None else names.snapshot.origins(c.edge),
            )
        )
    return found
