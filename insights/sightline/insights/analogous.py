"""An entity that the graph does not hold, judged by those like it.

What makes sense for such an entity, and whether it has one more answer under a directed relation,
is read off the entities that have a fact under each of its directed relations, or under any of them
where none has all. Knows facts and the model; the encoder itself is in ``distill.student.context``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Doubles, Flags, Ids
from sightline.insights.deadline import Deadline
from sightline.insights.facts import Facts
from sightline.insights.model_view import Answers, Lists, ModelView, Questions
from sightline.insights.names import NOBODY
from sightline.insights.ranking import likeliest
from sightline.models.errors import UnknownToModel


def new_facts(
    view: ModelView,
    edges: Sequence[tuple[int, int]],
    wanted: Flags,
    only: bool,
    k: int,
    deadline: Deadline,
) -> tuple[Answers, int]:
    """The ``k`` likeliest facts of some directed relations, bool ``(2R,)``, about an entity with
    these edges, and how many of the edges have a relation that the model knows.

    Args:
        edges: (directed relation as read from the entity, entity of the graph) each.
        only: the directed relations were asked for by name, whether or not analogous entities have
            such facts.

    Raises:
        UnknownToModel
    """
    facts = view.facts
    rels, neighbours = np.unique(np.array(edges, np.int32), axis=0).T
    start = view.start_from(rels, neighbours)
    if start is None:
        s = facts.snapshot
        labels = s.relation_labels.take(rels % s.num_relations)
        raise UnknownToModel("relation", ", ".join(sorted(set(labels))))
    like = AnalogousEntities.of(facts, rels)
    if only:
        for named in np.flatnonzero(wanted):
            view.require_rel(int(named))
    else:
        wanted = wanted & like.uses
    asked = view.known_rels(np.flatnonzero(wanted))
    another = like.chance_of_another(np.bincount(rels, minlength=len(wanted)))[asked]
    order = np.argsort(-another, kind="stable")
    asked, another = asked[order], another[order]
    turned = (asked + facts.snapshot.num_relations) % (2 * facts.snapshot.num_relations)
    own, reverse = (
        _lists([neighbours[rels == rel] for rel in named.tolist()]) for named in (asked, turned)
    )
    owner, nobody = np.zeros(len(asked), np.int64), np.full(len(asked), NOBODY, np.int32)
    questions = Questions([start], owner, nobody, asked, another, own, reverse)
    answers = view.new_answers(questions, k, deadline).answers
    return likeliest(facts, answers, owner[answers.question], k), len(view.known_rels(rels))


def _lists(parts: list[Ids]) -> Lists:
    sizes = [len(part) for part in parts]
    return np.concatenate([*parts, np.zeros(0, np.int32)]), np.append(0, np.cumsum(sizes))


@dataclass(frozen=True, slots=True)
class AnalogousEntities:
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
    def of(cls, facts: Facts, rels: Ids) -> AnalogousEntities:
        """The entities like one with facts under some directed relations."""
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
        """bool ``(2R,)``: directed relations that some of them has a fact under."""
        uses: Flags = np.bincount(self.rel, minlength=self.rels) > 0
        return uses

    def chance_of_another(self, stated: npt.NDArray[np.integer]) -> Doubles:
        """The chance of one more answer than stated, per directed relation: float64 ``(2R,)``. The
        share of them that have more, among those that have as many; with one half of one entity
        added."""
        more = self._having(self.count > stated[self.rel])
        as_many = self._having(self.count >= stated[self.rel])
        as_many[stated == 0] = self.entities
        return (more + 0.5) / (as_many + 1.0)

    def _having(self, chosen: Flags) -> Doubles:
        return np.bincount(self.rel[chosen], minlength=self.rels).astype(np.float64)
