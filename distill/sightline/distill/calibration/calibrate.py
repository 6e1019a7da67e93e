"""From scores to probabilities, and how far they can be believed.

The probability of an answer is the chance that an answer ranked here with this score is a held-out
true fact, given that the question has one (closed world: a fact in no file counts as false):

    sigmoid(slope * log-probability - rank_slope * log(rank) + intercept + offset of the directed
    relation)

Both taken among the answers not known already. Slopes are never negative, so within a question the
probability never falls as the score rises; directed relation offsets are shrunk to zero, so a rare
relation follows the common curve. This is Platt scaling (Platt 1999) with a normal prior per
directed relation.

Knows scores and labels; knows no model and no graph. NumPy; SciPy only to fit.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from sightline.graph.arrays import Doubles, Flags, Floats, Ids

FILE = "calibration.json"
#: Answers per question that calibration looks at: what people look at.
TOP = 10
#: Fewer true answers than this say nothing about probabilities.
ENOUGH = 10
#: Inverse variance of the normal prior on a directed relation's offset.
SHRINKAGE = 1.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted curve.

    Attributes:
        slope, rank_slope, intercept: see above.
        rel_offset: one number per directed relation, ``(2 R,)``.
        abstain_below: the probability with the best F1 on the calibration data; under it an answer
            should be called a guess. 1 where there was too little to fit on: then all are guesses.
        base_rate: share of true answers among those it was fitted on; None where it was not.
        answers: how many those were.
        surprisal: for each percent of coverage from 1 on, the largest surprisal (-log-probability
            among the answers not known already) of an answer in a set of that coverage: split
            conformal prediction (Vovk et al. 2005; Angelopoulos and Bates 2021, arXiv:2107.07511,
            section 1). It ends where there were too few questions to promise more.
    """

    slope: float
    rank_slope: float
    intercept: float
    rel_offset: tuple[float, ...]
    abstain_below: float
    base_rate: float | None
    answers: int
    surprisal: tuple[float, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Calibration:
        """Read ``calibration.json``.

        Raises:
            OSError, ValueError, KeyError, TypeError: it is not there or not one.
        """
        value = json.loads((folder / FILE).read_bytes())
        lists = ("rel_offset", "surprisal")
        return cls(**{**value, **{name: tuple(value[name]) for name in lists}})

    def write(self, folder: Path) -> None:
        """Write ``calibration.json``."""
        (folder / FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def unfitted(cls, num_rels: int) -> Calibration:
        """The cautious curve for a graph with nothing to calibrate on."""
        return cls(1.0, 0.0, 0.0, (0.0,) * num_rels, 1.0, None, 0)

    def bound(self, coverage: float) -> float:
        """The largest surprisal in an answer set that holds the true answer with probability
        ``coverage``, 0 to 1: infinite where that cannot be promised. Marginal over questions."""
        percent = int(np.ceil(100 * coverage - 1e-9))
        return self.surprisal[percent - 1] if percent <= len(self.surprisal) else float("inf")

    def probabilities(self, rel: int, scores: Floats, ids: Ids) -> Floats:
        """See ``Student.probabilities``."""
        log_probability, rank = answer_features(scores, ids)
        rels = np.full(len(ids), rel, np.int32)
        return self.of_features(log_probability, rank, rels).astype(np.float32)

    def of_features(self, log_probability: Doubles, rank: Doubles, rels: Ids) -> Doubles:
        """Probabilities float64 ``(n,)``; 0 for an answer whose score is -inf or NaN."""
        possible = np.isfinite(log_probability)
        logit = (
            self.slope * np.where(possible, log_probability, 0.0)
            - self.rank_slope * np.log(rank)
            + self.intercept
            + np.asarray(self.rel_offset)[rels]
        )
        return np.where(possible, _sigmoid(logit), 0.0)


def answer_features(scores: Floats, ids: Ids) -> tuple[Doubles, Doubles]:
    """Log-probability and optimistic rank of some answers of one question, float64 ``(k,)`` each.

    Args:
        scores: float32 ``(N,)``: the whole row, answers that are out of the question at -inf.
    """
    own = scores[ids].astype(np.float64)
    top = float(np.max(scores))
    if not np.isfinite(top):
        return np.full(len(ids), -np.inf), np.ones(len(ids))
    total = top + np.log(np.exp(scores.astype(np.float64) - top).sum())
    # Only what scores at least as much as the worst asked about can outrank any of them.
    rivals = np.sort(scores[scores >= own.min(initial=np.inf)])
    rank = 1.0 + len(rivals) - np.searchsorted(rivals, scores[ids], side="right")
    return own - total, rank.astype(np.float64)


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
        weight: float64 ``(n,)``: how many answers each stands for.
    """
    from scipy.optimize import minimize

    if true.sum() < ENOUGH or (~true).sum() < ENOUGH:
        return Calibration.unfitted(num_rels)
    log_rank, label = np.log(rank), true.astype(np.float64)
    # As many answers in all as there are, or the prior would weigh less.
    each = weight / weight.mean()

    def loss(w: Doubles) -> tuple[float, Doubles]:
        offset = w[3:]
        logit = w[0] * log_probability - w[1] * log_rank + w[2] + offset[rels]
        error = each * (_sigmoid(logit) - label)
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
        answers=len(label),
    )
    fitted = curve.of_features(log_probability, rank, rels)
    return replace(curve, abstain_below=best_f1_threshold(fitted, true, each))


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """Expected calibration error over bins of equal mass, with a bootstrap 90 % interval.

    Attributes:
        ece: mean over bins of |mean probability - share of true answers|; None without answers.
        low, high: 5 % and 95 % quantiles over resampled answers.
        answers: how many.
        base_rate: share of true ones.
    """

    ece: float | None
    low: float | None
    high: float | None
    answers: int
    base_rate: float | None


def calibration_error(
    probability: Doubles, true: Flags, *, bins: int = 10, resamples: int = 200, seed: int = 0
) -> CalibrationError:
    """Measure probabilities float64 ``(n,)`` against bool labels ``(n,)``."""
    if not len(true):
        return CalibrationError(None, None, None, 0, None)
    rng = np.random.default_rng(seed)
    draws = (rng.integers(len(true), size=len(true)) for _ in range(resamples))
    found = [_ece(probability[draw], true[draw], bins) for draw in draws]
    low, high = np.quantile(found, (0.05, 0.95))
    ece = _ece(probability, true, bins)
    return CalibrationError(ece, float(low), float(high), len(true), float(true.mean()))


def best_f1_threshold(probability: Doubles, true: Flags, weight: Doubles) -> float:
    """The threshold at or above which calling an answer true has the best F1; the highest such.

    Args:
        weight: float64 ``(n,)``: how many answers each stands for.
    """
    order = np.argsort(-probability, kind="stable")
    called, hits = np.cumsum(weight[order]), np.cumsum((weight * true)[order])
    f1 = 2 * hits / (called + hits[-1])
    # A threshold cannot part equal probabilities.
    ends = np.append(probability[order][1:] < probability[order][:-1], True)
    return float(probability[order][np.argmax(np.where(ends, f1, -1.0))])


def _ece(probability: Doubles, true: Flags, bins: int) -> float:
    order = np.argsort(probability, kind="stable")
    gaps = [
        abs(float(probability[part].mean()) - float(true[part].mean())) * len(part)
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return sum(gaps) / len(order)


def _sigmoid(logit: Doubles) -> Doubles:
    positive: Doubles = 0.5 * (1.0 + np.tanh(0.5 * logit))
    return positive
