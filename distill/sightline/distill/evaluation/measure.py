"""What ``metrics.json`` says of whatever answers: how far its probabilities and its answer sets can
be believed, and what no training fact speaks of.

Knows scores and learning data; knows no model.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.calibration.error import calibration_error
from sightline.distill.calibration.fit import surprisals, top_answers
from sightline.graph.arrays import Ids
from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import KnownAnswers
from sightline.models.ranking import Scorer


def measure_calibration(
    scorer: Scorer, calibration: Calibration, data: LearningData, asked: Ids | None = None
) -> dict[str, Any]:
    """ECE of the probabilities of the best new answers to the test questions.

    Args:
        asked: int32 ``(n, 3)``: the test facts whose questions are asked; None: all.
    """
    asked = data.test if asked is None else asked
    known = data.answers(data.train, data.valid)
    found = top_answers(scorer, asked, known, data.test)
    probability = calibration.of_features(found.log_probability, found.rank, found.rel)
    error = calibration_error(probability, found.true, found.question)
    return {
        "fitted_on": calibration.answers,
        "fitted_base_rate": calibration.base_rate,
        "abstain_below": calibration.abstain_below,
        "test": asdict(error),
        "answer_sets": measure_sets(scorer, calibration, asked, data.known),
    }


def measure_sets(
    scorer: Scorer, calibration: Calibration, asked: Ids, known: KnownAnswers
) -> dict[str, dict[str, float | None]]:
    """What answer sets of some coverages hold and how large they are, on the questions of some
    facts int32 ``(n, 3)``."""
    out: dict[str, dict[str, float | None]] = {}
    for coverage in (0.5, 0.8, 0.9, 0.95):
        bound = calibration.bound(coverage)
        surprisal, size = surprisals(scorer, asked, known, bound)
        held = float((surprisal <= bound).mean()) if len(size) else None
        mean = float(size.mean()) if len(size) else None
        out[str(coverage)] = {"coverage": held, "mean_size": mean}
    return out


def unseen(data: LearningData) -> dict[str, int]:
    """Held-out triples with an entity or relation that train lacks; they stay in the figures."""
    seen_entities, seen_relations = np.unique(data.train[:, [0, 2]]), np.unique(data.train[:, 1])

    def count(triples: Ids) -> int:
        known = np.isin(triples[:, [0, 2]], seen_entities).all(axis=1)
        return int((~(known & np.isin(triples[:, 1], seen_relations))).sum())

    return {"valid": count(data.valid), "test": count(data.test)}
