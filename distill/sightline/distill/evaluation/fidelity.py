"""How far the student says what its teacher says, relation by relation.

Knows two scorers and held-out triples; knows no model and no file. NumPy and SciPy only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sightline.distill.student.arrays import log_softmax
from sightline.graph.arrays import Floats, Ids
from sightline.models.data.dataset import LearningData, spread
from sightline.models.ranking import Scorer, filtered_scores, realistic_ranks

#: Triples that are compared; more change little.
LIMIT = 2000
#: The teacher's best answers whose order is compared.
CANDIDATES = 100
TOP = 10


#: What is measured of each question, other known answers taken out: KL(teacher || student) over all
#: answers, in nats; Spearman's correlation over the teacher's best ``CANDIDATES``; the share of the
#: teacher's ten best that are among the student's ten best; and 1 / the filtered rank by each.
MEASURES = ("kl", "rank_correlation", "overlap_at_10", "teacher_mrr", "student_mrr")


def measure_fidelity(
    teacher: Scorer, student: Scorer, data: LearningData, most: int | None = None
) -> dict[str, Any]:
    """Compare on validation triples, at most ``most`` where it is given: ``{"all": ...,
    "relations": {IRI: ...}}``, empty if none.

    Each is the means of ``MEASURES`` over the questions of both directions, and their number.
    """
    triples = spread(data.valid, min(LIMIT, most or LIMIT))
    if not len(triples):
        return {"all": None, "relations": {}}
    blocks = filtered_scores([teacher, student], triples, data.known)
    values = np.concatenate([_compare(answers, *found) for answers, found in blocks])
    relation = np.tile(triples[:, 1], 2)
    return {
        "all": _mean(values),
        "relations": {
            data.relation_iris[r]: _mean(values[relation == r]) for r in np.unique(relation)
        },
    }


def _mean(values: npt.NDArray[np.float64]) -> dict[str, float]:
    return {**dict(zip(MEASURES, values.mean(axis=0).tolist())), "queries": len(values)}


def _compare(answers: Ids, first: Floats, second: Floats) -> npt.NDArray[np.float64]:
    """The five measures of each question, by the teacher's and the student's scores: float64
    ``(B, 5)``."""
    p, q = log_softmax(first), log_softmax(second)
    possible = np.isfinite(p)
    gap = np.where(possible, np.exp(p) * (np.where(possible, p, 0) - np.where(possible, q, 0)), 0)
    best = np.argsort(-first, axis=1, kind="stable")[:, :CANDIDATES]
    theirs = np.argsort(-second, axis=1, kind="stable")[:, :TOP]
    shared = (best[:, :TOP, None] == theirs[:, None, :]).any(axis=2).mean(axis=1)
    return np.stack(
        [
            gap.sum(axis=1),
            _spearman(np.take_along_axis(second, best, axis=1)),
            shared,
            1 / realistic_ranks(first, answers),
            1 / realistic_ranks(second, answers),
        ],
        axis=1,
    )


def _spearman(scores: Floats) -> npt.NDArray[np.float64]:
    """Rank correlation of each row, ``(B, k)`` in the teacher's order, with that order."""
    from scipy.stats import rankdata

    found = rankdata(-scores, axis=1)
    wanted = np.arange(1.0, scores.shape[1] + 1)
    a, b = found - found.mean(axis=1, keepdims=True), wanted - wanted.mean()
    norm = np.sqrt(np.square(a).sum(axis=1) * np.square(b).sum())
    out: npt.NDArray[np.float64] = (a @ b) / np.where(norm > 0, norm, 1.0)
    return out
