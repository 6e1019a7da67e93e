"""A fact with one gap, completed: (h, r, ?), (?, r, t) and (h, ?, t).

Knows how answers are ranked and which are stated; scores come from ``learned``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sightline.insights.learned import Answers
from sightline.insights.paths import Support
from sightline.insights.records import Prediction

if TYPE_CHECKING:
    from sightline.insights.learned import Learned, Question
    from sightline.insights.names import Names


#: Answers of a set that are shown.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fact in ids, with its place in the ranking.

    ``edge`` is the id of a stated fact, whose probability is never shown; ``key`` ranks, higher
    first.
    """

    head: int
    relation: int
    tail: int
    key: float
    score: float | None
    probability: float | None
    surprising: float | None
    edge: int | None


def complete(
    learned: Learned, anchor: int, rel: int, k: int, new_only: bool, coverage: float | None
) -> list[Candidate]:
    """The best ``k`` answers to one directed relation of an entity, by score, ties by id.

    Stated answers stand where the model ranks them; those it does not know stand last. With
    ``coverage`` it is the new answers of a set of that coverage, at most ``MOST``.

    Raises:
        UnknownToModel
    """
    learned.require_rel(rel)
    (question,) = learned.questions(anchor, np.array([rel], np.int32))
    if coverage is not None:
        k, new_only = min(learned.set_size(question, coverage), MOST), True
    found = candidates(learned, anchor, learned.new_answers(question, k))
    if not new_only:
        found += _stated(learned, question, k)
    return _best(found, k)


def _stated(learned: Learned, question: Question, k: int) -> Iterator[Candidate]:
    """The best ``k`` stated answers; a hub may have very many."""
    _, edges = learned.facts.answers(question.anchor, question.rel)
    known = ~np.isnan(question.stated_scores)
    key = np.where(known, question.stated_scores, -np.inf)
    for i in np.argsort(-key, kind="stable")[:k]:
        fact = _fact(learned, question.anchor, question.rel, int(question.stated[i]))
        score = float(key[i]) if known[i] else None
        yield Candidate(*fact, float(key[i]), score, None, None, int(edges[i]))


def candidates(learned: Learned, anchor: int, answers: Answers) -> list[Candidate]:
    """Answers to some directed relations of an entity as candidates, in their order."""
    columns = (answers.rel, answers.entity, answers.score, answers.chance)
    return [
        Candidate(
            *_fact(learned, anchor, int(rel), int(answer)),
            key=float(score),
            score=float(score),
            probability=float(probability),
            surprising=float(bits),
            edge=None,
        )
        for rel, answer, score, probability, bits in zip(*columns, learned.surprise(answers))
    ]


def _fact(learned: Learned, anchor: int, rel: int, answer: int) -> tuple[int, int, int]:
    """Head, relation and tail."""
    relation = rel % learned.facts.snapshot.num_relations
    return (anchor, relation, answer) if rel == relation else (answer, relation, anchor)


def connect(learned: Learned, head: int, tail: int, k: int, new_only: bool) -> list[Candidate]:
    """The best ``k`` relations from ``head`` to ``tail``, by probability, ties by id.

    Each is asked from both ends, and log-probability, probability and the chance of one more answer
    (``room``) are averaged; the first is the score, the product of the others counts. A stated fact
    is judged as if it were not stated. Relations foreign to the types of either end are left out.

    Raises:
        UnknownToModel
    """
    facts = learned.facts
    num_relations = facts.snapshot.num_relations
    edge_of = {int(facts.snapshot.relation[e]): int(e) for e in facts.between(head, tail)}
    fits = facts.answerable(tail)[:num_relations] & facts.answerable(head)[num_relations:]
    fits &= head != tail
    fits[list(edge_of)] = True
    rels = learned.known_rels(np.flatnonzero(fits))
    turned = (rels + num_relations).astype(np.int32)
    chances = np.array(
        [
            [learned.chance(question, target) for question in learned.questions(anchor, asked)]
            for anchor, asked, target in ((head, rels, tail), (tail, turned, head))
        ]
    ).reshape(2, len(rels), 2)
    score, probability = chances.mean(axis=0).T
    room = (learned.room.of(head, rels) + learned.room.of(tail, turned)) / 2
    tails = np.full(len(rels), tail, np.int32)
    answers = Answers(rels, tails, score, probability, room.astype(np.float32))
    found = [
        replace(c, key=float(p), edge=edge_of.get(c.relation))
        for c, p in zip(candidates(learned, head, answers), answers.chance)
    ]
    for relation in set(edge_of) - set(rels.tolist()):
        edge = edge_of[relation]
        found.append(Candidate(head, relation, tail, -np.inf, None, None, None, edge))
    return _best([c for c in found if c.edge is None or not new_only], k)


def _best(found: Iterable[Candidate], k: int) -> list[Candidate]:
    return sorted(found, key=lambda c: (-c.key, c.head, c.relation, c.tail))[:k]


def describe(learned: Learned, names: Names, found: Iterable[Candidate]) -> list[Prediction]:
    """Candidates as records, with the origins of what is stated and support for what is not."""
    found = list(found)
    support = Support(names)
    because = names.because(c.edge for c in found if c.edge is not None)
    threshold = learned.model.student.abstain_below
    told = []
    for rank, c in enumerate(found, 1):
        known = c.edge is not None
        paths, note = support.of(c.head, c.tail) if c.edge is None else ((), because.get(c.edge))
        if learned.facts.states(c.tail, c.relation, c.head) and not known:
            note = "the reverse is stated"
        if not known:
            note = learned.note(note, c.head, c.tail)
        probability = None if known else c.probability
        told.append(
            Prediction(
                head=names.entity(c.head),
                relation=names.relation(c.relation),
                tail=names.entity(c.tail),
                status=names.status(c.edge),
                known=known,
                probability=probability,
                rank=rank,
                score=c.score,
                abstain=probability is not None and probability < threshold,
                support=paths,
                support_note=note,
                surprising=None if known else c.surprising,
                origins=() if c.edge is None else names.origins(c.edge),
            )
        )
    return told
