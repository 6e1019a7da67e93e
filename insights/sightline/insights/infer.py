"""Answers about an entity that the graph does not hold, from the few edges given with the question.

Nothing is stored. What makes sense for such an entity, and whether it has one more answer under a
directed relation, is read off its kin: the entities that have a fact under each of its directed
relations, or under any of them where none has all. Knows facts and the model; the encoder itself is
in ``distill.context``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Flags
from sightline.insights.learned import Answers
from sightline.insights.records import Inferred, Related
from sightline.insights.related import likeliest
from sightline.models.errors import UnknownToModel

if TYPE_CHECKING:
    from sightline.graph.arrays import Ids
    from sightline.insights.facts import Facts
    from sightline.insights.learned import Learned
    from sightline.insights.names import Names


#: Stands for the entity itself among the ids of the snapshot.
NOBODY = -1


def infer(
    learned: Learned,
    names: Names,
    edges: Sequence[tuple[int, int]],
    wanted: Flags,
    only: bool,
    k: int,
) -> Inferred:
    """The ``k`` likeliest facts of some directed relations, bool ``(2R,)``, about an entity with
    these edges.

    Args:
        edges: (directed relation as read from the entity, entity of the graph) each.
        only: the directed relations were asked for by name, so that kin have no say in them.

    Raises:
        UnknownToModel
    """
    facts = learned.facts
    rels, neighbours = np.unique(np.array(edges, np.int32), axis=0).T
    vector = learned.vector_from(rels, neighbours)
    if vector is None:
        labels = names.snapshot.relation_labels.take(rels % names.snapshot.num_relations)
        raise UnknownToModel("relation", ", ".join(sorted(set(labels))))
    asked, room = _asked(learned, rels, wanted, only)
    parts = []
    for (asked_rel, model_rel, scores), more in zip(learned.scores(vector, asked), room):
        own, reverse = (neighbours[rels == s] for s in (asked_rel, facts.inverse(asked_rel)))
        question = learned.question(NOBODY, asked_rel, model_rel, scores, own)
        parts.append(learned.new_answers(question, k, without=reverse, room=float(more)))
    answers = likeliest(facts, Answers.concatenate(parts), k)
    return Inferred(len(learned.known_rels(rels)), _described(learned, names, answers))


def _asked(
    learned: Learned, rels: Ids, wanted: Flags, only: bool
) -> tuple[Ids, npt.NDArray[np.float64]]:
    """The directed relations to ask, and the chance of one more answer under each."""
    if only:
        for rel in np.flatnonzero(wanted):
            learned.require_rel(int(rel))
        asked = np.flatnonzero(wanted).astype(np.int32)
        return asked, np.ones(len(asked))
    kin = Kin.of(learned.facts, rels)
    asked = learned.known_rels(np.flatnonzero(wanted & kin.uses))
    return asked, kin.room(np.bincount(rels, minlength=len(wanted)))[asked]


def _described(learned: Learned, names: Names, answers: Answers) -> tuple[Related, ...]:
    threshold = learned.model.student.abstain_below
    return tuple(
        Related(
            entity=names.entity(int(other)),
            relation=names.relation(int(rel)),
            direction=names.direction(int(rel)),
            status="predicted",
            probability=float(chance),
            abstain=bool(chance < threshold),
            evidence=(),
            evidence_note="inferred from the edges given",
            origins=(),
        )
        for rel, other, chance in zip(answers.rel, answers.entity, answers.chance)
    )


@dataclass(frozen=True, slots=True)
class Kin:
    """Entities like a new one, and their facts.

    Attributes:
        entities: how many they are.
        rel, count: int64 ``(n,)``: a directed relation that one of them has answers under, and how
        many.
        rels: 2 R.
    """

    entities: int
    rel: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    rels: int

    @classmethod
    def of(cls, facts: Facts, rels: Ids) -> Kin:
        """The kin of an entity with facts under some directed relations."""
        anchor, rel, count = facts.groups
        own = np.unique(rels)
        shared = np.bincount(anchor[np.isin(rel, own)], minlength=facts.snapshot.num_entities)
        like = shared == len(own)
        if not like.any():
            like = shared > 0
        theirs = like[anchor]
        return cls(int(like.sum()), rel[theirs], count[theirs], len(facts.edges_per_rel))

    @property
    def uses(self) -> Flags:
        """bool ``(2R,)``: directed relations that some kin has a fact under."""
        uses: Flags = np.bincount(self.rel, minlength=self.rels) > 0
        return uses

    def room(self, stated: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        """The chance of one more answer than stated, per directed relation: float64 ``(2R,)``. The
        share of kin that have more, among those that have as many; with one half of one kin
        added."""
        more = self._having(self.count > stated[self.rel])
        as_many = self._having(self.count >= stated[self.rel])
        as_many[stated == 0] = self.entities
        return (more + 0.5) / (as_many + 1.0)

    def _having(self, chosen: Flags) -> npt.NDArray[np.float64]:
        return np.bincount(self.rel[chosen], minlength=self.rels).astype(np.float64)
