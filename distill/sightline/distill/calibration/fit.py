"""Fit the curve of ``calibrate`` on held-out facts, and the best answers that it looks at.

Knows scores and learning data; knows no file. SciPy to fit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from sightline.distill.calibration.calibrate import Calibration, answer_features, sigmoid
from sightline.distill.student.arrays import best, log_softmax
from sightline.graph.arrays import Doubles, Flags, Ids
from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import KnownAnswers, with_reciprocals
from sightline.models.ranking import Scorer, filtered_scores

#: Answers per question that calibration looks at: what people look at.
TOP = 10
#: Fewer true answers than this say nothing about probabilities.
ENOUGH = 10
#: Inverse variance of the normal prior on a directed relation's offset.
SHRINKAGE = 1.0
#: Questions scored at once.
AT_ONCE = 64


class TopAnswers(NamedTuple):
    """The best new answers to some questions, arrays of one length.

    Attributes:
        log_probability, rank: float64, among the answers that are not known.
        rel: int32.
        question: int64, numbers the questions.
        true: bool.
    """

    log_probability: Doubles
    rank: Doubles
    rel: Ids
    question: Ids
    true: Flags


def calibrate(scorer: Scorer, data: LearningData, asked: Ids | None = None) -> Calibration:
    """Fit probabilities on the ``calibrate`` half of validation, which nothing else has seen.

    Test facts are not looked at, so they are among the answers that count as false; in a dense
    graph they are many, and the best of all. The facts of ``select`` are drawn as they are and
    known: where one would stand among the best answers, as many false ones are taken out again as
    there are test facts for each (the unbiased risk of learning from positive and unlabelled
    examples, du Plessis et al. 2014).

    Args:
        asked: int32 ``(n, 3)``: those of its facts whose questions are asked; None: all.
    """
    asked = data.calibrate if asked is None else asked
    known = data.answers(data.train, data.select)
    found = top_answers(scorer, asked, known, data.calibrate)
    alike = top_answers(scorer, asked, data.questions, data.select)
    alike = alike._replace(true=~alike.true)
    pairs: zip[tuple[Any, Any]] = zip(found, alike)
    log_probability, rank, rels, _, true = (
        np.concatenate([one, other[~alike.true]]) for one, other in pairs
    )
    weight = np.ones(len(true))
    weight[len(found.true) :] = -len(data.test) / max(len(data.select), 1)
    curve = fit(log_probability, rank, rels, true, 2 * data.num_relations, weight)
    known = data.answers(data.train, data.valid)
    bounds = surprisal_bounds(surprisals(scorer, asked, known)[0])
    return replace(curve, surprisal=bounds)


def surprisals(
    scorer: Scorer, triples: Ids, known: KnownAnswers, bound: float = np.inf
) -> tuple[Doubles, Doubles]:
    """How surprised a model is by true answers, other known answers left out.

    Args:
        triples: int32 ``(n, 3)``: asked in both directions.

    Returns:
        -log-probability of each true answer, and the number of answers with at most ``bound``:
        float64 ``(2 n,)`` each.
    """
    parts: list[Doubles] = [np.zeros((2, 0))]
    for answers, (scores,) in filtered_scores([scorer], triples, known):
        surprisal = -log_softmax(scores)
        own = surprisal[np.arange(len(answers)), answers]
        parts.append(np.stack([own, (surprisal <= bound).sum(axis=1)]))
    found = np.concatenate(parts, axis=1)
    return found[0], found[1]


def top_answers(scorer: Scorer, asked: Ids, known: KnownAnswers, facts: Ids) -> TopAnswers:
    """The best new answers to some questions, and which are facts.

    Args:
        asked: int32 ``(n, 3)``: triples whose questions are asked, in both directions, each once.
        known: answers that are no news and are left out.
        facts: int32 ``(m, 3)``: what counts as true.
    """
    questions = np.unique(with_reciprocals(asked, known.num_relations)[:, :2], axis=0)
    return answers_to(scorer, questions, known, facts)


def answers_to(scorer: Scorer, questions: Ids, known: KnownAnswers, facts: Ids) -> TopAnswers:
    """The same for questions int32 ``(q, 2)``: an entity and a directed relation each."""
    true = KnownAnswers.of_triples(facts, known.num_entities, known.num_relations)
    none = np.zeros(0)
    parts: list[tuple[Any, ...]] = [(none, none, none.astype(np.int32), none, none)]
    for start in range(0, len(questions), AT_ONCE):
        heads, rels = np.ascontiguousarray(questions[start : start + AT_ONCE].T)
        scores = np.array(scorer(heads, rels), np.float32)
        scores[known.of(heads, rels)] = -np.inf
        is_fact = np.zeros(scores.shape, np.bool_)
        is_fact[true.of(heads, rels)] = True
        for number, (row, rel, right) in enumerate(zip(scores, rels, is_fact), start):
            ids = best(row, TOP)
            ids = ids[np.isfinite(row[ids])]
            same = np.ones(len(ids), np.int32)
            parts.append((*answer_features(row, ids), same * rel, same * number, right[ids]))
    a, b, c, d, e = (np.concatenate(column) for column in zip(*parts))
    return TopAnswers(a, b, c, d.astype(np.int64), e.astype(np.bool_))


def surprisal_bounds(surprisal: Doubles) -> tuple[float, ...]:
    """The bounds of ``Calibration.surprisal`` from the surprisals of true answers, ``(n,)``: for
    coverage c the ceil((n + 1) c)-th smallest of them."""
    ordered = np.sort(surprisal)
    place = np.ceil((len(ordered) + 1) * np.arange(1, 100) / 100).astype(np.int64)
    return tuple(float(ordered[i - 1]) for i in place if i <= len(ordered))


def fit(
    log_probability: Doubles,
    rank: Doubles,
    rels: Ids,
    true: Flags,
    num_rels: int,
    weight: Doubles,
) -> Calibration:
    """The most likely curve under the prior, for answers ``(n,)`` each with its label.

    Args:
        weight: float64 ``(n,)``: how many answers each stands for; below zero it takes some out.
    """
    from scipy.optimize import minimize

    if (weight * true).sum() < ENOUGH or (weight * ~true).sum() < ENOUGH:
        return Calibration.unfitted(num_rels)
    log_rank, label = np.log(rank), true.astype(np.float64)
    # As many answers in all as there are, or the prior would weigh less.
    each = weight / weight.mean()

    def loss(w: Doubles) -> tuple[float, Doubles]:
        offset = w[3:]
        logit = w[0] * log_probability - w[1] * log_rank + w[2] + offset[rels]
        error = each * (sigmoid(logit) - label)
        value = each @ (np.logaddexp(0.0, logit) - logit * label) + SHRINKAGE / 2 * offset @ offset
        gradient = np.concatenate(
            [
                [error @ log_probability, -(error @ log_rank), error.sum()],
                np.bincount(rels, error, minlength=num_rels) + SHRINKAGE * offset,
            ]
        )
        return float(value), gradient

    start = np.zeros(3 + num_rels)
    bounds = [(0.0, None), (0.0, None)] + [(None, None)] * (1 + num_rels)
    w = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    curve = Calibration(
        slope=float(w[0]),
        rank_slope=float(w[1]),
        intercept=float(w[2]),
        rel_offset=tuple(float(v) for v in w[3:]),
        abstain_below=0.0,
        base_rate=float((each * label).mean()),
        answers=int((weight > 0).sum()),
    )
    fitted = curve.of_features(log_probability, rank, rels)
    return replace(curve, abstain_below=best_f1_threshold(fitted, true, each))


def best_f1_threshold(probability: Doubles, true: Flags, weight: Doubles) -> float:
    """The threshold at or above which calling an answer true has the best F1; the highest such.

    Args:
        weight: float64 ``(n,)``: how many answers each stands for.
    """
    order = np.argsort(-probability, kind="stable")
    called, hits = np.cumsum(weight[order]), np.cumsum((weight * true)[order])
    f1 = 2 * hits / (np.maximum(called, hits) + hits[-1])
    # A threshold cannot part equal probabilities.
    ends = np.append(probability[order][1:] < probability[order][:-1], True)
    return float(probability[order][np.argmax(np.where(ends, f1, -1.0))])
