"""Measure teacher, student and control, and write ``metrics.json``.

Knows which triples are asked and what may be filtered; the counting is in ``models.ranking``,
``calibrate`` and ``classify``. The test triples are read here and nowhere else.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.calibration.error import calibration_error
from sightline.distill.calibration.fit import surprisals, top_answers
from sightline.distill.evaluation.classify import classify, sampled_negatives
from sightline.distill.evaluation.fidelity import measure_fidelity
from sightline.distill.student.arrays import StudentArrays
from sightline.distill.student.onnx_file import onnx_scorer
from sightline.distill.student.portable import (
    FORMATS,
    Vocabulary,
    read_arrays,
    student_files,
    vocabulary,
)
from sightline.distill.student.quantise import unpack
from sightline.distill.student.student import Student
from sightline.distill.training.context_fit import measure_new_entities
from sightline.graph.arrays import Doubles, Ids
from sightline.graph.progress import Progress, silent
from sightline.graph.snapshot.reader import served_snapshot
from sightline.graph.storage.artifact import read_manifest, sealed, write_json_atomic
from sightline.graph.storage.workspace import METRICS, Workspace
from sightline.models.data.dataset import LearningData
from sightline.models.data.questions import Questions
from sightline.models.ranking import RankingMetrics, Scorer, filtered_ranks
from sightline.models.train import open_teacher
from sightline.models.training.trainer import scorer_of


def evaluate(ws: Workspace, model_id: str, *, progress: Progress = silent) -> dict[str, Any]:
    """Evaluate a distilled model and write ``models/ID/metrics.json``.

    Returns:
        What was written: per model and part ``mrr``, ``hits_at_1``, ``hits_at_3``, ``hits_at_10``
        (filtered, realistic rank, both directions; null where a part is empty), triple
        classification, calibration of the student, the temperature grid, counts; size and ranking
        of each portable file; ranking by the vectors made for entities from their edges.

    Raises:
        MissingExtra: onnx or onnxruntime is not installed.
        NoModel, DamagedArtifact, FormatMismatch, WorkspaceLocked, NotWritable, DiskFull
    """
    folder = ws.models / model_id
    with ws.lock():
        teacher, data, manifest = open_teacher(ws, model_id)
        opened = Student.open(folder)
        said = read_manifest(folder / "student")
        student = opened.arrays
        control = StudentArrays.open(folder / "student" / "control")
        scorers: dict[str, Scorer] = {
            "teacher": scorer_of(teacher, Questions(data, torch.device("cpu")).messages),
            "student": student.scores,
            "control": control.scores,
        }
        metrics: dict[str, Any] = {}
        for done, (name, scorer) in enumerate(scorers.items()):
            progress("evaluate", done, len(scorers), name)
            metrics[name] = {
                **measure_ranking(scorer, data),
                "triple_classification": measure_classification(scorer, data),
            }
        progress("evaluate", len(scorers), len(scorers), "calibration and portable files")
        metrics |= {
            "temperature": said["temperature"],
            "control_smoothing": said["control_smoothing"],
            "fidelity": measure_fidelity(scorers["teacher"], scorers["student"], data),
            "calibration": measure_calibration(student, opened.calibration, data),
            "formats": measure_formats(student, vocabulary(opened, served_snapshot(ws)), data),
            "new_entities": opened.context and measure_new_entities(student, opened.context, data),
            "data": {
                "rows": manifest["rows"],
                "split": manifest["split"],
                "unseen_in_train": unseen(data),
            },
            "rank": "realistic",
            "seed": manifest["seed"],
            "preset": manifest["preset"],
        }
        write_json_atomic(folder / METRICS, sealed(metrics))
    return metrics


def measure_ranking(scorer: Scorer, data: LearningData) -> dict[str, Any]:
    """``RankingMetrics`` of valid and test."""
    return {
        part: asdict(RankingMetrics.of(filtered_ranks(scorer, getattr(data, part), data.known)))
        for part in ("valid", "test")
    }


def measure_formats(
    student: StudentArrays, vocabulary: Vocabulary, data: LearningData
) -> dict[str, Any]:
    """Bytes and ranking of each portable file, as its own runtime reads its content."""
    return {
        name: {"bytes": len(content), **measure_ranking(scorer_of_file(name, content), data)}
        for format in FORMATS
        for name, content in student_files(student, vocabulary, format)
    }


def scorer_of_file(name: str, content: bytes) -> Scorer:
    """The scorer of a portable file: ONNX Runtime's, or NumPy's."""
    return onnx_scorer(content) if name.endswith(".onnx") else unpack(read_arrays(content)).scores


def measure_classification(scorer: Scorer, data: LearningData) -> dict[str, Any] | None:
    """Accuracy, precision, recall and F1 against stated negatives, or against sampled ones."""
    given = len(data.valid_negatives) and len(data.test_negatives)
    parts = []
    for true, false in (data.valid, data.valid_negatives), (data.test, data.test_negatives):
        negatives = false if given else sampled_negatives(true, data.known, seed=0)
        triples = np.concatenate([true, negatives])
        truth = np.arange(len(triples)) < len(true)
        parts.append((triple_scores(scorer, triples, data), triples[:, 1], truth))
    found = classify(*parts)
    return None if found is None else {"source": "given" if given else "sampled", **found}


def triple_scores(scorer: Scorer, triples: Ids, data: LearningData) -> Doubles:
    """Mean log-probability of a triple's two directions, float64 ``(n,)``.

    Each among the answers that training does not state already: on CoDEx-S that separates true from
    false by half a point of accuracy better than among all.
    """
    mean: Doubles = -surprisals(scorer, triples, data.questions)[0].reshape(2, -1).mean(axis=0)
    return mean


def measure_calibration(
    student: StudentArrays, calibration: Calibration, data: LearningData
) -> dict[str, Any]:
    """ECE of the probabilities of the best new answers to the test questions."""
    known = data.answers(data.train, data.valid)
    found = top_answers(student, data.test, known, data.test)
    probability = calibration.of_features(found.log_probability, found.rank, found.rel)
    error = calibration_error(probability, found.true, found.question)
    return {
        "fitted_on": calibration.answers,
        "fitted_base_rate": calibration.base_rate,
        "abstain_below": calibration.abstain_below,
        "test": asdict(error),
        "answer_sets": measure_sets(student, calibration, data),
    }


def measure_sets(
    student: StudentArrays, calibration: Calibration, data: LearningData
) -> dict[str, dict[str, float | None]]:
    """What answer sets of some coverages hold and how large they are, on the test questions."""
    out: dict[str, dict[str, float | None]] = {}
    for coverage in (0.5, 0.8, 0.9, 0.95):
        bound = calibration.bound(coverage)
        surprisal, size = surprisals(student.scores, data.test, data.known, bound)
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
