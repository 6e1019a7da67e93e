"""What the model answers, in the ids of the snapshot and without what is stated.

A question is an anchor entity and a directed relation (see ``facts``). Knows the model, its maps to
the snapshot and what the graph states; knows no labels.

Probabilities are taken among all answers that are not stated, which is how they were calibrated.
Only then is left out what makes no sense as an answer: the anchor itself, entities that the
snapshot lacks, and entities all of whose types are foreign to the directed relation.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sightline.distill.calibration.calibrate import answer_features
from sightline.graph.arrays import Doubles, Flags, Floats, Offsets
from sightline.graph.progress import stop_if_cancelled
from sightline.insights.chance_of_another import ChanceOfAnother
from sightline.models.errors import UnknownToModel

if TYPE_CHECKING:
    from sightline.distill.calibration.calibrate import Calibration
    from sightline.distill.serving import ServedModel
    from sightline.graph.arrays import Ids
    from sightline.insights.deadline import Deadline
    from sightline.insights.facts import Facts

#: Entities, question after question, and where those of each begin, int64 ``(n + 1,)``.
Lists = tuple["Ids", Offsets]
#: Edges of an entity that its vector is made from where it has no row; of more, an even sample.
MOST_EDGES = 256
#: How a note begins on an answer about an entity without a row.
UNSEEN = "predicted from its edges: the model never saw"
#: The same of one of which nothing is known but texts, and how many of those nearest it names.
FROM_TEXT, NAMED = "predicted from its text alone, which is nearest to those of", 3
#: How much what is known of its types counts beside those nearest in text.
TYPES_COUNT = 5.0
#: Bytes of answers kept that fit directed relations, one per entity; of so many relations at least.
KEPT_BYTES, KEPT = 16_000_000, 64
#: Answers looked at first where all above a chance are wanted.
FIRST = 32
#: Stands for a probability of zero where a logarithm is taken.
LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Question:
    """One question and the model's view of it.

    Attributes:
        anchor, rel: ids of the snapshot; ``model_rel`` is the model's.
        scores: float32 ``(rows,)`` of the model's rows, stated answers at -inf.
        stated: int32 ``(s,)``: stated answers.
        stated_scores: float32 ``(s,)``; NaN for those the model does not know.
    """

    anchor: int
    rel: int
    model_rel: int
    scores: Floats
    stated: Ids
    stated_scores: Floats


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions that are asked together, about one entity or several.

    Attributes:
        starts: what the questions about each entity start from.
        owner: int64 ``(n,)``: which of these a question's is; those of one stand together.
        anchor: int32 ``(n,)``: entities of the snapshot, -1 where it does not hold it.
        rel: int32 ``(n,)``: directed relations of the snapshot that the model knows.
        another: float64 ``(n,)``: the chance of one more answer.
        stated: stated answers.
        without: entities that are not proposed either.
    """

    starts: Sequence[Any]
    owner: Offsets
    anchor: Ids
    rel: Ids
    another: Doubles
    stated: Lists
    without: Lists


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers that are not stated, arrays of one length.

    Attributes:
        question: int64: which of the questions it answers.
        rel, entity, score: its directed relation, the answer, and what the model says of it.
        probability: that it is true, if there is one more answer to the question.
        another: the chance of one more answer.
    """

    question: Offsets
    rel: Ids
    entity: Ids
    score: Floats
    probability: Floats
    another: Floats

    @property
    def chance(self) -> Floats:
        """That it is true."""
        return self.probability * self.another

    def take(self, order: npt.NDArray[np.intp]) -> Answers:
        """Some of the answers, in an order."""
        return Answers(*(getattr(self, field.name)[order] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Found:
    """What the model answers to some questions, as many as there was time for.

    Attributes:
        possible: int64 ``(n,)``: how many entities may be an answer that is not stated.
        within: int64 ``(n,)``: how many of them have a surprisal within the bound.
        stated_scores: float32: of the stated answers, NaN for those the model does not know.
    """

    answers: Answers
    possible: Offsets
    within: Offsets
    stated_scores: Floats


class ModelView:
    """A served model beside the facts of its snapshot."""

    def __init__(self, model: ServedModel, facts: Facts) -> None:
        self.model = model
        self.facts = facts
        kept = max(KEPT, KEPT_BYTES // max(1, len(model.entity_ids)))
        self._fits = lru_cache(kept)(self._fitting_rows)

    def warm(self) -> None:
        """Load what answers questions, so that the first one does not use up its time for it."""
        _ = self.chance_of_another
        known = np.flatnonzero(self.model.entity_index >= 0)[:1]
        rels = self.known_rels(np.arange(2 * self.facts.snapshot.num_relations))[:1]
        if len(known) and len(rels):
            self.new_answers(self.asked(known, np.zeros(1, np.int64), rels), 1)

    def knows(self, entity: int) -> bool:
        """Whether the model has a row for an entity."""
        return bool(self.model.entity_index[entity] >= 0)

    def row(self, entity: int) -> int:
        """The model's row of an entity.

        Raises:
            UnknownToModel
        """
        if not self.knows(entity):
            raise UnknownToModel("entity", self.facts.snapshot.describe(entity))
        return int(self.model.entity_index[entity])

    def known_rels(self, rels: npt.NDArray[np.integer]) -> Ids:
        """Those of some directed relations whose relation the model knows."""
        known: Ids = rels[self.model_rels(rels) >= 0].astype(np.int32)
        return known

    def require_rel(self, rel: int) -> None:
        """Check that the model knows a relation.

        Raises:
            UnknownToModel
        """
        if not len(self.known_rels(np.array([rel]))):
            s = self.facts.snapshot
            label = s.relation_labels[rel % s.num_relations]
            raise UnknownToModel("relation", label)

    def questions(self, anchor: int, rels: Ids) -> Iterator[Question]:
        """Ask the model several directed relations of one anchor; the model knows them all.

        Raises:
            UnknownToModel: the model knows neither the anchor nor a relation of its edges.
        """
        return self._questions(anchor, self.start(anchor), rels)

    def _questions(self, anchor: int, start: Any, rels: Ids) -> Iterator[Question]:
        asked = self.model_rels(rels).astype(np.int32)
        with closing(self.model.scorer.ask([start], np.zeros(len(rels), np.int64), asked)) as found:
            lines = (line for block in found for line in block)
            for rel, model_rel, scores in zip(rels.tolist(), asked.tolist(), lines):
                stated, _ = self.facts.answers(anchor, rel)
                yield self.question(anchor, rel, model_rel, scores, stated)

    def asked(
        self,
        entities: npt.NDArray[np.integer],
        owner: Offsets,
        rels: Ids,
        another: Doubles | None = None,
        both_ways: bool = True,
    ) -> Questions:
        """Questions about entities of the graph.

        Args:
            entities: ``(m,)``; ``owner``, int64 ``(n,)``, which of them each question is about.
            another: as in ``Questions``, where it is known already.
            both_ways: the reverse of a stated fact may be proposed.

        Raises:
            UnknownToModel: the model knows neither one of them nor a relation of its edges.
        """
        starts = [self.start(entity) for entity in entities.tolist()]
        anchors = entities.astype(np.int32)[owner]
        if another is None:
            another = self.another(anchors, rels)
        stated = self.facts.answers_of(anchors, rels)
        without: Lists = np.zeros(0, np.int32), np.zeros(len(rels) + 1, np.int64)
        if not both_ways:
            relations = self.facts.snapshot.num_relations
            without = self.facts.answers_of(anchors, (rels + relations) % (2 * relations))
        return Questions(starts, owner, anchors, rels, another, stated, without)

    def start_from(self, rels: Ids, neighbours: Ids) -> Any | None:
        """What questions about an entity without a row start from: its edges; None where none can
        be used.

        Args:
            rels: int32 ``(n,)``, as read from the entity.
            neighbours: int32 ``(n,)``: entities of the snapshot.
        """
        asked = self.model_rels(rels)
        usable = np.flatnonzero(asked >= 0)
        if not len(usable):
            return None
        usable = usable[:: -(-len(usable) // MOST_EDGES)]
        rows = self.model.entity_index[neighbours[usable]]
        return self.model.scorer.start_from(asked[usable].astype(np.int32), rows)

    def answers_about(self, entity: int) -> bool:
        """Whether the model can be asked about an entity: by its row, its edges, or its texts."""
        if self.knows(entity) or len(self.nearest_in_text(entity)):
            return True
        return self._from_edges(entity) is not None

    def nearest_in_text(self, entity: int) -> Ids:
        """The entities whose rows an entity is answered from that has nothing but texts, the
        likest first; none for any other."""
        alone = self.model.text_entities
        place = bisect_left(alone, entity)
        if place == len(alone) or alone[place] != entity:
            return alone[:0]
        nearest: Ids = self.model.text_nearest[place]
        return nearest[nearest >= 0]

    def _has_text_alone(self, entities: npt.NDArray[np.integer]) -> Flags:
        alone = self.model.text_entities
        place = np.searchsorted(alone, entities)
        has: Flags = np.append(alone, -2)[place] == entities
        return has

    def calibration_of(self, entity: int) -> Calibration:
        """The curve of answers to questions about an entity."""
        texts = self.model.scorer.texts
        if texts is not None and len(self.nearest_in_text(entity)):
            return texts
        return self.model.scorer.calibration

    def plausible_rels(self, entity: int) -> npt.NDArray[np.intp]:
        """As ``Facts.plausible_rels``; of an entity that has nothing but texts those of facts at
        the entities nearest in text."""
        nearest = self.nearest_in_text(entity)
        if not len(nearest):
            return self.facts.plausible_rels(entity)
        rels = np.concatenate([self.facts.at(one)[0] for one in nearest.tolist()])
        return np.unique(rels).astype(np.intp)

    def another(self, entities: npt.NDArray[np.integer], rels: npt.NDArray[np.integer]) -> Doubles:
        """``ChanceOfAnother.of``, for an entity that has nothing but texts drawn towards the share
        of the entities nearest in text that have any answer."""
        chance = self.chance_of_another.of(entities, rels)
        for entity in np.unique(entities[self._has_text_alone(entities)]).tolist():
            own, nearest = entities == entity, self.nearest_in_text(entity)
            pairs = (part.ravel() for part in np.meshgrid(nearest, rels[own], indexing="ij"))
            have = (self.facts.number_of_answers(*pairs) > 0).reshape(len(nearest), -1).sum(axis=0)
            chance[own] = (have + TYPES_COUNT * chance[own]) / (len(nearest) + TYPES_COUNT)
        return chance

    def note(self, said: str | None, *entities: int) -> str | None:
        """A note, after the warning that one of the entities has no row."""
        labels = self.facts.snapshot.entity_labels
        new = []
        for entity in entities:
            nearest = self.nearest_in_text(entity)
            if len(nearest):
                named = ", ".join(labels.take(nearest[:NAMED]))
                new.append(f"{FROM_TEXT} {named}: no fact of {labels[entity]} is known")
            elif not self.knows(entity):
                new.append(f"{UNSEEN} {labels[entity]}")
        return "; ".join([*new, said or ""]).removesuffix("; ") or None

    @cached_property
    def lengths(self) -> Floats:
        """How long the vector of each of the model's rows is, never 0: float32 ``(N,)``.

        Raises:
            NoVectors
        """
        vectors = self.model.scorer.vectors
        lengths: Floats = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        return np.maximum(lengths, np.finfo(np.float32).tiny)

    @cached_property
    def chance_of_another(self) -> ChanceOfAnother:
        """The chance that a question has one more answer."""
        return ChanceOfAnother(self.facts)

    def new_answers(
        self,
        asked: Questions,
        k: int,
        deadline: Deadline | None = None,
        bound: Doubles | None = None,
        among: Flags | None = None,
    ) -> Found:
        """The best ``k`` answers that the graph does not state to each of some questions, best
        first, ties by id.

        Args:
            deadline: of questions that it leaves no time for nothing is found.
            bound: float64 ``(n,)``: the surprisals within which answers are counted; None: none.
            among: bool ``(N,)``: entities of the snapshot that may be answers; None: all.
        """
        total = len(asked.rel)
        rels = self.model_rels(asked.rel).astype(np.int32)
        parts = [self._nothing]
        if total:
            with closing(self.model.scorer.ask(asked.starts, asked.owner, rels)) as blocks:
                done = 0
                for scores in blocks if deadline is None else deadline.each(blocks, total, len):
                    stop_if_cancelled()
                    part = slice(done, done + len(scores))
                    parts.append(self._chosen(asked, part, rels[part], scores, k, bound, among))
                    done = part.stop
        answers = [part.answers for part in parts]
        columns = (field.name for field in fields(Answers))
        return Found(
            Answers(*(np.concatenate([getattr(one, name) for one in answers]) for name in columns)),
            np.concatenate([part.possible for part in parts]),
            np.concatenate([part.within for part in parts]),
            np.concatenate([part.stated_scores for part in parts]),
        )

    @cached_property
    def _nothing(self) -> Found:
        ids, numbers, none = np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.float32)
        return Found(Answers(numbers, ids, ids, none, none, none), numbers, numbers, none)

    def _chosen(
        self,
        asked: Questions,
        part: slice,
        rels: Ids,
        scores: Floats,
        k: int,
        bound: Doubles | None,
        among: Flags | None,
    ) -> Found:
        """The answers to some of the questions, which have these scores."""
        from sightline.distill.calibration.kernels import choose

        named, fit_of = np.unique(asked.rel[part], return_inverse=True)
        fits = np.stack([self._fits(rel) for rel in named.tolist()])
        if among is not None:
            entity = self.model.entity_ids
            fits &= among[entity] & (entity >= 0)
        anchor = asked.anchor[part]
        own = np.where(anchor < 0, -1, self.model.entity_index[anchor]).astype(np.int32)
        rows, score, log_probability, rank, counts, stated_scores = choose(
            np.require(scores, np.float32, ("C", "W")),
            fits,
            fit_of,
            own,
            *self._rows(asked.stated, part),
            *self._rows(asked.without, part),
            np.zeros(0) if bound is None else bound[part],
            k,
        )
        there = np.arange(rows.shape[1]) < counts[:, :1]
        question = np.nonzero(there)[0]
        features = log_probability[there], rank[there], rels[question]
        probability = self.model.scorer.calibration.of_features(*features)
        texts = self.model.scorer.texts
        if texts is not None and (alone := self._has_text_alone(anchor)).any():
            other = texts.of_features(*features)
            probability = np.where(alone[question], other, probability)
        answers = Answers(
            question + part.start,
            asked.rel[part][question],
            self.model.entity_ids[rows[there]],
            score[there],
            probability.astype(np.float32),
            asked.another[part][question].astype(np.float32),
        )
        return Found(answers, counts[:, 1], counts[:, 2], stated_scores)

    def _rows(self, lists: Lists, part: slice) -> Lists:
        """The model's rows of the entities of some questions; -1 for those without one."""
        entities, begins = lists
        begins = begins[part.start : part.stop + 1]
        rows = self.model.entity_index[entities[begins[0] : begins[-1]]]
        return rows, begins - begins[0]

    def answers_above(self, anchor: int, rel: int, least: float, among: Flags) -> Answers:
        """The answers that the graph does not state to a directed relation of an anchor whose
        chance is ``least`` or more, best first, ties by id.

        Args:
            among: bool ``(N,)``: entities of the snapshot that may be answers.

        Raises:
            UnknownToModel: the model knows neither the anchor nor a relation of its edges.
        """
        asked = self.asked(np.array([anchor]), np.zeros(1, np.int64), np.array([rel], np.int32))
        # The chance of an answer is at most that of one more.
        if asked.another[0] < least:
            return self._nothing.answers
        answers = self.new_answers(asked, FIRST, among=among).answers
        if len(answers.entity) == FIRST and answers.chance[-1] >= least:
            k = self.model.scorer.num_entities
            answers = self.new_answers(asked, k, among=among).answers
        return answers.take(np.flatnonzero(answers.chance >= np.float32(least)))

    def judge(self, question: Question, answer: int) -> tuple[float, float]:
        """Log-probability and probability of one answer, whether stated or not: a stated one is
        judged as if it were not."""
        row = np.array([self.row(answer)], np.int32)
        scores = question.scores
        if answer in question.stated:
            scores = scores.copy()
            scores[row] = question.stated_scores[question.stated == answer]
        features = answer_features(scores, row)
        rel = np.array([question.model_rel], np.int32)
        probability = self.calibration_of(question.anchor).of_features(*features, rel)
        return float(features[0][0]), float(probability[0])

    def surprise(self, answers: Answers) -> Doubles:
        """Bits that the model adds over popularity: float64 ``(n,)``.

        ``log2(probability / popularity)``: how many doublings lie between the chance of an answer
        by its number of facts under the directed relation alone (``Facts.popularity``) and the
        model's probability, both if there is one more answer. Zero says that popularity explains
        the answer; a hub needs a far higher probability than a rare entity to surprise.
        """
        popularity = self.facts.popularity(answers.rel, answers.entity)
        bits: Doubles = np.log2(np.maximum(answers.probability, LEAST) / popularity)
        return bits

    def model_rels(self, rels: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
        """The model's directed relation of each of the snapshot's, -1 where it lacks the
        relation."""
        relations = self.facts.snapshot.num_relations
        rows = self.model.relation_index[rels % relations]
        turned = rows + self.model.scorer.num_relations * (rels >= relations)
        return np.where(rows < 0, -1, turned)

    def start(self, entity: int) -> Any:
        """What questions about an entity start from.

        Raises:
            UnknownToModel: the model knows neither it nor a relation of its edges.
        """
        nearest = self.nearest_in_text(entity)
        if len(nearest):
            # It may have a row that no fact has taught anything.
            return self.model.scorer.start_like(self.model.entity_index[nearest])
        if self.knows(entity):
            return self.model.scorer.start(self.row(entity))
        made = self._from_edges(entity)
        if made is None:
            raise UnknownToModel("entity", self.facts.snapshot.describe(entity))
        return made

    def _from_edges(self, entity: int) -> Any | None:
        rels, neighbours, _ = self.facts.at(entity)
        return self.start_from(rels, neighbours)

    def question(
        self, anchor: int, rel: int, model_rel: int, scores: Floats, stated: Ids
    ) -> Question:
        """A question and the model's view of it; ``scores`` is written to."""
        rows = self.model.entity_index[stated]
        known = rows >= 0
        own = np.where(known, scores[rows], np.nan).astype(np.float32)
        scores[rows[known]] = -np.inf
        return Question(anchor, rel, model_rel, scores, stated, own)

    def _fitting_rows(self, rel: int) -> Flags:
        """bool ``(rows,)``: those of entities of the snapshot that types allow as an answer."""
        entity = self.model.entity_ids
        return self.facts.fitting(rel)[entity] & (entity >= 0)
