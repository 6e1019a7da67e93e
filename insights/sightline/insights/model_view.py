"""What the model answers, in the ids of the snapshot and without what is stated.

A question is an anchor entity and a directed relation (see ``facts``). Knows the model, its maps to
the snapshot and what the graph states; knows no labels.

Probabilities are taken among all answers that are not stated, which is how they were calibrated.
Only then is left out what makes no sense as an answer: the anchor itself, entities that the
snapshot lacks, and entities all of whose types are foreign to the directed relation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sightline.distill.calibration.calibrate import answer_features
from sightline.distill.student.arrays import best
from sightline.graph.arrays import Doubles, Flags, Floats
from sightline.insights.chance_of_another import ChanceOfAnother
from sightline.models.errors import UnknownToModel

if TYPE_CHECKING:
    from sightline.distill.serving import ServedModel
    from sightline.graph.arrays import Ids
    from sightline.insights.facts import Facts


#: Edges of an entity that its vector is made from where it has no row; of more, an even sample.
MOST_EDGES = 256
#: How a note begins on an answer about an entity without a row.
UNSEEN = "predicted from its edges: the model never saw"
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
class Answers:
    """Answers that are not stated, arrays of one length.

    Attributes:
        rel, entity, score: the question, the answer, and what the model says of it.
        probability: that it is true, if there is one more answer to the question.
        another: the chance of one more answer.
    """

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
        return Answers(
            self.rel[order],
            self.entity[order],
            self.score[order],
            self.probability[order],
            self.another[order],
        )


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
        scorer = self.model.scorer
        if scorer.num_entities and scorer.num_relations:
            scorer.scores(np.zeros(1, np.int32), np.zeros(1, np.int32))

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
        return self._questions(anchor, self._start(anchor), rels)

    def _questions(self, anchor: int, start: Any, rels: Ids) -> Iterator[Question]:
        for rel, model_rel, scores in self.scores(start, rels):
            stated, _ = self.facts.answers(anchor, rel)
            yield self.question(anchor, rel, model_rel, scores, stated)

    def scores(self, start: Any, rels: Ids) -> Iterator[tuple[int, int, Floats]]:
        """Each directed relation, the model's directed relation and its scores of all rows, for
        what an anchor's questions start from."""
        asked = self.model_rels(rels).astype(np.int32)
        with closing(self.model.scorer.ask(start, asked)) as lines:
            yield from zip(rels.tolist(), asked.tolist(), lines)

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
        """Whether the model can be asked about an entity: by its row, or by its edges."""
        return self.knows(entity) or self._from_edges(entity) is not None

    def note(self, said: str | None, *entities: int) -> str | None:
        """A note, after the warning that one of the entities has no row."""
        labels = self.facts.snapshot.entity_labels
        new = [f"{UNSEEN} {labels[e]}" for e in entities if not self.knows(e)]
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

    def new_answers(self, asked: Iterable[tuple[Question, float, Ids]], k: int) -> Answers:
        """The best ``k`` answers that the graph does not state to each of some questions, best
        first, ties by id.

        Args:
            asked: each question, the chance that it has one more answer, and entities that are not
                proposed either.
        """
        # Columns: both directed relations, chance, row, score, and the features of the score.
        parts = [np.zeros((7, 0))]
        for question, another, without in asked:
            rows = self._best(question, k, without)
            part = np.empty((7, len(rows)))
            part[0], part[1], part[2] = question.rel, question.model_rel, another
            part[3], part[4] = rows, question.scores[rows]
            part[5:] = answer_features(question.scores, rows)
            parts.append(part)
        rel, model_rel, chance, row, score, log_probability, rank = np.concatenate(parts, axis=1)
        probability = self.model.scorer.calibration.of_features(
            log_probability, rank, model_rel.astype(np.int32)
        )
        return Answers(
            rel.astype(np.int32),
            self.model.entity_ids[row.astype(np.int32)],
            score.astype(np.float32),
            probability.astype(np.float32),
            chance.astype(np.float32),
        )

    def answers_above(self, anchor: int, rel: int, least: float, among: Flags) -> Answers:
        """The answers that the graph does not state to a directed relation of an anchor whose
        chance is ``least`` or more, best first, ties by id.

        Args:
            among: bool ``(N,)``: entities of the snapshot that may be answers.

        Raises:
            UnknownToModel: the model knows neither the anchor nor a relation of its edges.
        """
        rels = np.array([rel], np.int32)
        another = float(self.chance_of_another.of(anchor, rels)[0])
        without = np.flatnonzero(~among).astype(np.int32)
        # The chance of an answer is at most that of one more.
        k = self.model.scorer.num_entities if another >= least else 0
        asked = [(q, another, without) for q in self.questions(anchor, rels[: min(k, 1)])]
        answers = self.new_answers(asked, min(k, FIRST))
        if len(answers.entity) == FIRST and answers.chance[-1] >= least:
            answers = self.new_answers(asked, k)
        return answers.take(np.flatnonzero(answers.chance >= np.float32(least)))

    def _best(self, question: Question, k: int, without: Ids) -> Ids:
        """The best ``k`` rows that may be shown and are not of some entities."""
        shown = self._sensible(question)
        rows = self.model.entity_index[without]
        shown[rows[rows >= 0]] = False
        possible = np.flatnonzero(shown)
        return possible[best(question.scores[possible], min(k, len(possible)))].astype(np.int32)

    def possible(self, question: Question) -> int:
        """How many entities may be an answer that is not stated."""
        return int(self._sensible(question).sum())

    def set_size(self, question: Question, coverage: float) -> int:
        """How many answers a set has that holds the true one with a probability: those whose
        surprisal is within the bound of the calibration."""
        rows = np.flatnonzero(self._sensible(question))
        if not len(rows):
            return 0
        log_probability, _ = answer_features(question.scores, rows.astype(np.int32))
        bound = self.model.scorer.calibration.bound(coverage)
        return int((-log_probability <= bound).sum())

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
        probability = self.model.scorer.calibration.of_features(*features, rel)
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

    def _start(self, entity: int) -> Any:
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

    def _sensible(self, question: Question) -> npt.NDArray[np.bool_]:
        """bool ``(rows,)``: what may be shown as an answer that is not stated."""
        sensible: Flags = self._fits(question.rel) & np.isfinite(question.scores)
        if question.anchor >= 0 and self.knows(question.anchor):
            sensible[self.row(question.anchor)] = False
        return sensible

    def _fitting_rows(self, rel: int) -> Flags:
        """bool ``(rows,)``: those of entities of the snapshot that types allow as an answer."""
        entity = self.model.entity_ids
        return self.facts.fitting(rel)[entity] & (entity >= 0)
