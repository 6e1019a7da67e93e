"""What is related to an entity: what the graph states, then what the model adds.

Knows how both lists are ordered; scores come from ``learned``, facts from ``facts``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sightline.graph.arrays import Flags
from sightline.insights.facts import fair_order
from sightline.insights.learned import Answers
from sightline.insights.paths import Support
from sightline.insights.records import Related

if TYPE_CHECKING:
    from sightline.insights.facts import Facts
    from sightline.insights.learned import Learned
    from sightline.insights.names import Names


def stated(facts: Facts, names: Names, entity: int, wanted: Flags, k: int) -> list[Related]:
    """At most ``k`` stated facts at an entity, ordered by ``facts.fair_order``: relations take
    turns, so that one with many answers does not hide the others, and in a relation the rarer
    neighbours come first."""
    owner, rel, answer, edge = facts.incident(np.array([entity], np.int32))
    keep = np.flatnonzero(wanted[rel])
    keep = keep[facts.listed(owner[keep], edge[keep])]
    rel, answer, edge = rel[keep], answer[keep], edge[keep]
    order = fair_order(rel, facts.snapshot.degree[answer], answer)[:k]
    because = names.because(edge[order].tolist())
    return [
        Related(
            entity=names.entity(int(answer[i])),
            relation=names.relation(int(rel[i])),
            direction=names.direction(int(rel[i])),
            status=names.status(int(edge[i])),
            probability=None,
            abstain=False,
            evidence=(),
            evidence_note=because.get(int(edge[i])),
            origins=names.origins(int(edge[i])),
        )
        for i in order
    ]


def predicted(learned: Learned, names: Names, entity: int, wanted: Flags, k: int) -> list[Related]:
    """At most ``k`` predicted facts at an entity, by chance, then directed relation, score and id.

    Raises:
        UnknownToModel
    """
    answers = new_neighbours(learned, entity, wanted, k)
    support = Support(names)
    found = []
    for rel, other, chance in zip(answers.rel, answers.entity, answers.chance):
        evidence, note = support.of(entity, int(other))
        found.append(
            Related(
                entity=names.entity(int(other)),
                relation=names.relation(int(rel)),
                direction=names.direction(int(rel)),
                status="predicted",
                probability=float(chance),
                abstain=bool(chance < learned.model.student.abstain_below),
                evidence=evidence,
                evidence_note=learned.note(note, entity),
                origins=(),
            )
        )
    return found


def new_neighbours(learned: Learned, entity: int, wanted: Flags, k: int) -> Answers:
    """The ``k`` likeliest answers to all plausible directed relations of an entity that the graph
    lacks.

    Nobody asked whether a directed relation has one more answer, so its chance of that counts
    (``room``).
    Not proposed: another answer to a directed relation that has one and takes only one, and the
    reverse of a stated fact. Where both readings of a relation propose the same entity the likelier
    one stays.

    Raises:
        UnknownToModel
    """
    facts = learned.facts
    plausible = facts.plausible_rels(entity)
    rels = learned.known_rels(plausible[wanted[plausible]])
    parts = []
    for question, room in zip(learned.questions(entity, rels), learned.room.of(entity, rels)):
        reverse, _ = facts.answers(entity, facts.inverse(question.rel))
        parts.append(learned.new_answers(question, k, without=reverse, room=float(room)))
    return likeliest(facts, Answers.concatenate(parts), k)


def likeliest(facts: Facts, answers: Answers, k: int) -> Answers:
    """The best ``k`` answers to several directed relations of one entity, each other entity under a
    relation in
    one direction only: by chance, then directed relation, score and id."""
    order = np.lexsort((answers.entity, -answers.score, answers.rel, -answers.chance))
    pair = (answers.rel % facts.snapshot.num_relations) * np.int64(facts.snapshot.num_entities)
    _, first = np.unique((pair + answers.entity)[order], return_index=True)
    return answers.take(order[np.sort(first)[:k]])
