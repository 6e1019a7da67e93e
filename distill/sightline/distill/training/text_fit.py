"""Whether texts alone say anything of an entity on this graph, and how far that can be believed.

Some entities are taken as if nothing but their texts was known: each gets the mean of the rows of
those that are nearest in text, and is asked for all of its facts. A third of them decides whether
that is better than how often an entity is an answer at all, on a third the curve from scores to
probabilities is fitted, on the last its error is measured. The student itself has seen their facts
from the other end, so that is a little too good (docs/experiments.md measures how much).

Knows learning data, a student's arrays and texts; knows no workspace. NumPy and SciPy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.calibration.error import calibration_error
from sightline.distill.calibration.fit import AT_ONCE, answers_to, fit
from sightline.distill.student.arrays import StudentArrays
from sightline.graph.arrays import Flags, Floats, Ids, Offsets
from sightline.models.data.dataset import LearningData, spread
from sightline.models.data.queries import KnownAnswers, with_reciprocals
from sightline.models.ranking import RankingMetrics, Scorer, realistic_ranks

if TYPE_CHECKING:
    from sightline.distill.student.texts import Texts

#: Entities that are taken as if they had no fact, one in so many and at most; facts or questions
#: that are asked of a part.
ONE_IN, MOST, FACTS = 2, 1500, 3000
#: Of fewer in a part nothing is said.
ENOUGH = 20


class FromTexts(NamedTuple):
    """What was found: the curve for entities of which only texts are known, None where these say no
    more than frequency; and the figures, None where there is nothing to measure."""

    calibration: Calibration | None
    measured: dict[str, Any] | None


def fit_texts(arrays: StudentArrays, data: LearningData, texts: Texts, ids: Ids) -> FromTexts:
    """Measure and fit answers from texts alone.

    Args:
        ids: int32 ``(N,)``: the entity of the snapshot that each of the model's is.
    """
    facts = with_reciprocals(data.train, data.num_relations)
    among = np.flatnonzero(taught(data) & texts.there[ids])
    size = min(len(among) // ONE_IN, MOST)
    if size < 3 * ENOUGH:
        return FromTexts(None, None)
    chosen = np.random.default_rng(3).permutation(among)[:size]
    chosen, near = _near(texts, ids, chosen, among)
    made = _with_means(arrays.entity, chosen, near)
    choosing, fitting, measuring = np.array_split(chosen, 3)

    def scorer(heads: Ids, rels: Ids) -> Floats:
        return arrays.scores_of(made[heads], rels)

    asked = spread(facts[np.isin(facts[:, 0], choosing)], FACTS)
    rest = facts[~np.isin(facts[:, 0], choosing)]
    shape = (2 * data.num_relations, data.num_entities)
    often = coo_array((np.ones(len(rest), np.float32), (rest[:, 1], rest[:, 2])), shape).tocsr()
    mrr, by_frequency = (
        RankingMetrics.of(_ranks(one, asked, data.known))
        for one in (scorer, lambda _, rels: often[rels].toarray())
    )
    measured = {
        "entities": len(chosen),
        "rows": int((~taught(data) & texts.there[ids]).sum()),
        "from_text": asdict(mrr),
        "by_frequency": asdict(by_frequency),
    }
    if not (mrr.mrr or 0.0) > (by_frequency.mrr or 0.0):
        return FromTexts(None, measured)
    true = np.concatenate([data.train, data.valid])
    nothing = KnownAnswers.of_triples(true[:0], data.num_entities, data.num_relations)
    parts = []
    for part in fitting, measuring:
        questions = np.unique(facts[np.isin(facts[:, 0], part), :2], axis=0)
        parts.append(answers_to(scorer, spread(questions, FACTS), nothing, true))
    a, b = parts
    curve = fit(
        a.log_probability, a.rank, a.rel, a.true, 2 * data.num_relations, np.ones(len(a.true))
    )
    said = curve.of_features(b.log_probability, b.rank, b.rel)
    return FromTexts(
        curve, measured | {"calibration": asdict(calibration_error(said, b.true, b.question))}
    )


def with_rows(
    students: Sequence[StudentArrays], data: LearningData, texts: Texts, ids: Ids
) -> list[StudentArrays]:
    """The same with rows of the nearest texts for the entities that no training fact names, as
    held-out facts alone do: nothing has taught theirs."""
    has_fact, there = taught(data), texts.there[ids]
    asked, among = np.flatnonzero(~has_fact & there), np.flatnonzero(has_fact & there)
    asked, near = _near(texts, ids, asked, among)
    return [replace(one, entity=_with_means(one.entity, asked, near)) for one in students]


def taught(data: LearningData) -> Flags:
    """bool ``(N,)``: entities that a training fact names."""
    named = np.zeros(data.num_entities, np.bool_)
    named[data.train[:, [0, 2]]] = True
    return named


def _near(
    texts: Texts, ids: Ids, asked: Offsets, among: Offsets
) -> tuple[Offsets, npt.NDArray[np.int32]]:
    """Those of ``asked`` that are near any of ``among`` in text, and these, int32
    ``(n, NEAREST)``, -1 where there are no more."""
    model_of = np.full(len(texts.indptr), -1, np.int32)  # the last is that of none
    model_of[ids[among]] = among
    near = model_of[texts.nearest(ids[asked], ids[among])]
    found = near[:, 0] >= 0
    return asked[found], near[found]


def _with_means(rows: Floats, asked: Offsets, near: Ids) -> Floats:
    """The rows where those of ``asked`` are the means of the rows of those near them."""
    made, there = np.array(rows), near >= 0
    sums = np.where(there[:, :, None], rows[near], 0).sum(axis=1)
    made[asked] = sums / there.sum(axis=1, keepdims=True)
    return made


def _ranks(scorer: Scorer, asked: Ids, known: KnownAnswers) -> npt.NDArray[np.float64]:
    """The filtered ranks of the tails of directed facts int32 ``(n, 3)``."""
    ranks = [np.zeros(0)]
    for start in range(0, len(asked), AT_ONCE):
        heads, rels, answers = asked[start : start + AT_ONCE].T
        scores = np.array(scorer(heads, rels), np.float32)
        scores[known.others(heads, rels, answers)] = -np.inf
        ranks.append(realistic_ranks(scores, answers))
    return np.concatenate(ranks)
