"""From scores to probabilities, and how far they can be believed.

The probability of an answer is the chance that an answer ranked here with this score is a held-out
true fact, given that the question has one (closed world: a fact in no file counts as false):

    sigmoid(slope * log-probability - rank_slope * log(rank) + intercept + offset)

Both taken among the answers not known already. Slopes are never negative, so within a question the
probability never falls as the score rises; offsets of directed relations are shrunk to zero, so a
rare relation follows the common curve. This is Platt scaling (Platt 1999) with a normal prior per
directed relation; ``fit`` fits it.

Knows scores; knows no label, no model and no graph.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sightline.graph.arrays import Doubles, Floats, Ids

FILE = "calibration.json"


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
        """Read ``calibration.json``."""
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
        """The chance that each of some answers to a question is a true fact that the graph lacks.

        Args:
            scores: float32 ``(N,)``: the whole row, as ``Student.scores`` gives it or with answers
                that are known already at -inf (which is how the calibration was fitted).
            ids: int32 ``(k,)``: the answers asked about.

        Returns:
            float32 ``(k,)`` in [0, 1]; within a row it never falls as the score rises.
        """
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
        return np.where(possible, sigmoid(logit), 0.0)


def answer_features(scores: Floats, ids: Ids) -> tuple[Doubles, Doubles]:
    """Log-probability and optimistic rank of some answers of one question, float64 ``(k,)`` each.

    Args:
        scores: float32 ``(N,)``: the whole row, answers that are out of the question at -inf.
    """
    # Loaded when first asked for, as they are compiled.
    from sightline.distill.calibration.kernels import log_total

    asked = scores[ids]
    own = asked.astype(np.float64)
    total = log_total(np.ascontiguousarray(scores)) if len(scores) else -np.inf
    if not np.isfinite(total):
        return np.full(len(ids), -np.inf), np.ones(len(ids))
    # Only what scores at least as much as the worst asked about can outrank any of them.
    rivals = np.sort(scores[scores >= asked.min(initial=np.inf)])
    rank = 1.0 + len(rivals) - np.searchsorted(rivals, asked, side="right")
    return own - total, rank.astype(np.float64)


def sigmoid(logit: Doubles) -> Doubles:
    positive: Doubles = 0.5 * (1.0 + np.tanh(0.5 * logit))
    return positive
