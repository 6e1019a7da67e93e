"""Answers about an entity that the graph does not hold, from the few edges given with the question.

Nothing is stored. What makes sense for such an entity, and whether it has one more answer under a
slot, is read off its kin: the entities that have a fact under each of its slots, or under any of
them where none has all. Knows facts and the model; the encoder itself is in ``distill.context``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sightline.graph.errors import UnknownToModel
from sightline.insights.learned import Answers
from sightline.insights.records import Inferred, Related
from sightline.insights.related import likeliest

if TYPE_CHECKING:
    from sightline.graph.snapshot import Ids
    from sightline.insights.facts import Facts
    from sightline.insights.learned import Learned
    from sightline.insights.names import Names

Flags = npt.NDArray[np.bool_]

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
    """The ``k`` likeliest facts of some slots, bool ``(2R,)``, about an entity with these edges.

    Args:
        edges: (slot as read from the entity, entity of the graph) each.
        only: the slots were asked for by name, so that kin have no say in them.

    Raises:
        UnknownToModel
    """
    facts = learned.facts
    slots, neighbours = np.unique(np.array(edges, np.int32), axis=0).T
    vector = learned.vector_from(slots, neighbours)
    if vector is None:
        labels = names.snapshot.relation_labels.take(slots % names.snapshot.num_relations)
        raise UnknownToModel("relation", ", ".join(sorted(set(labels))))
    asked, room = _asked(learned, slots, wanted, only)
    parts = []
    for (asked_slot, model_slot, scores), more in zip(learned.scores(vector, asked), room):
        own, reverse = (neighbours[slots == s] for s in (asked_slot, facts.inverse(asked_slot)))
        question = learned.question(NOBODY, asked_slot, model_slot, scores, own)
        parts.append(learned.new_answers(question, k, without=reverse, room=float(more)))
    answers = likeliest(facts, Answers.concatenate(parts), k)
    return Inferred(len(learned.known_slots(slots)), _described(learned, names, answers))


def _asked(
    learned: Learned, slots: Ids, wanted: Flags, only: bool
) -> tuple[Ids, npt.NDArray[np.float64]]:
    """The slots to ask, and the chance of one more answer under each."""
    if only:
        for slot in np.flatnonzero(wanted):
            learned.require_slot(int(slot))
        asked = np.flatnonzero(wanted).astype(np.int32)
        return asked, np.ones(len(asked))
    kin = Kin.of(learned.facts, slots)
    asked = learned.known_slots(np.flatnonzero(wanted & kin.uses))
    return asked, kin.room(np.bincount(slots, minlength=len(wanted)))[asked]


def _described(learned: Learned, names: Names, answers: Answers) -> tuple[Related, ...]:
    threshold = learned.model.student.abstain_below
    return tuple(
        Related(
            entity=names.entity(int(other)),
            relation=names.relation(int(slot)),
            direction=names.direction(int(slot)),
            status="predicted",
            probability=float(chance),
            abstain=bool(chance < threshold),
            evidence=(),
            evidence_note="inferred from the edges given",
            origins=(),
        )
        for slot, other, chance in zip(answers.slot, answers.entity, answers.chance)
    )


@dataclass(frozen=True, slots=True)
class Kin:
    """Entities like a new one, and their facts.

    Attributes:
        entities: how many they are.
        slot, count: int64 ``(n,)``: a slot that one of them has answers under, and how many.
        slots: 2 R.
    """

    entities: int
    slot: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    slots: int

    @classmethod
    def of(cls, facts: Facts, slots: Ids) -> Kin:
        """The kin of an entity with facts under some slots."""
        anchor, slot, count = facts.groups
        own = np.unique(slots)
        shared = np.bincount(anchor[np.isin(slot, own)], minlength=facts.snapshot.num_entities)
        like = shared == len(own)
        if not like.any():
            like = shared > 0
        theirs = like[anchor]
        return cls(int(like.sum()), slot[theirs], count[theirs], len(facts.edges_per_slot))

    @property
    def uses(self) -> Flags:
        """bool ``(2R,)``: slots that some kin has a fact under."""
        uses: Flags = np.bincount(self.slot, minlength=self.slots) > 0
        return uses

    def room(self, stated: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        """The chance of one more answer than stated, per slot: float64 ``(2R,)``. The share of kin
        that have more, among those that have as many; with one half of one kin added."""
        more = self._having(self.count > stated[self.slot])
        as_many = self._having(self.count >= stated[self.slot])
        as_many[stated == 0] = self.entities
        return (more + 0.5) / (as_many + 1.0)

    def _having(self, chosen: Flags) -> npt.NDArray[np.float64]:
        return np.bincount(self.slot[chosen], minlength=self.slots).astype(np.float64)
