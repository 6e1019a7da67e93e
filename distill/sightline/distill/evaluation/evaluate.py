"""Measure teacher, student and control, and write ``metrics.json``.

Knows which triples are asked and what may be filtered; the counting is in ``models.ranking``,
``calibrate`` and ``classify``. The test triples are read here and nowhere else.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from sightline.distill.calibration.fit import surprisals
from sightline.distill.evaluation.classify import classify, sampled_negatives
from sightline.distill.evaluation.fidelity import measure_fidelity
from sightline.distill.evaluation.measure import measure_calibration, unseen
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
from sightline.models.data.dataset import LearningData, spread
from sightline.models.data.questions import Questions
from sightline.models.ranking import RankingMetrics, Remembered, Scorer, filtered_ranks
from sightline.models.train import open_teacher
from sightline.models.training.trainer import scorer_of

#: Questions that a fact of validation and one of test cost, each with a false one: two of each.
QUESTIONS = 8
#: Facts of a part that a teacher is asked however long it takes.
FEWEST = 50


def evaluate(ws: Workspace, model_id: str, *, progress: Progress = silent) -> dict[str, Any]:
    """Evaluate a distilled model and write ``models/ID/metrics.json``.

    Returns:
        What was written: per model and part ``mrr``, ``hits_at_1``, ``hits_at_3``, ``hits_at_10``
        (filtered, realistic rank, both directions; null where a part is empty), triple
        classification, calibration of the student, the temperature grid, counts; size and ranking
        of each portable file; ranking by the vectors made for entities from their edges, and by
        those made from texts.

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
        messages = Questions(data, torch.device("cpu")).messages
        scorers: dict[str, Scorer] = {
            # Every measure asks much the same, and each question may take it milliseconds.
            "teacher": Remembered(scorer_of(teacher, messages)),
            "student": student.scores,
            "control": control.scores,
        }
        # A member that reads edges may take a tenth of a second for a question.
        askable = [m["askable"] for m in manifest["members"] if "askable" in m]
        sample = max(FEWEST, min(askable) // QUESTIONS) if askable else None
        metrics: dict[str, Any] = {}
        for done, (name, scorer) in enumerate(scorers.items()):
            progress("evaluate", done, len(scorers), name)
            most = sample if name == "teacher" else None
            metrics[name] = {
                **measure_ranking(scorer, data, most),
                "triple_classification": measure_classification(scorer, data, most),
            }
        progress("evaluate", len(scorers), len(scorers), "calibration and portable files")
        metrics |= {
            "temperature": said["temperature"],
            "control_smoothing": said["control_smoothing"],
            "fidelity": measure_fidelity(scorers["teacher"], scorers["student"], data, sample),
            "calibration": measure_calibration(student.scores, opened.calibration, data),
            "formats": measure_formats(student, vocabulary(opened, served_snapshot(ws)), data),
            "new_entities": opened.context and measure_new_entities(student, opened.context, data),
            "texts": said.get("texts"),
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


def measure_ranking(scorer: Scorer, data: LearningData, most: int | None = None) -> dict[str, Any]:
    """``RankingMetrics`` of valid and test, of at most ``most`` facts each where it is given."""
    parts = {"valid": data.valid, "test": data.test}
    ranks = {
        part: filtered_ranks(scorer, spread(facts, most), data.known)
        for part, facts in parts.items()
    }
    return {part: asdict(RankingMetrics.of(found)) for part, found in ranks.items()}


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


def measure_classification(
    scorer: Scorer, data: LearningData, most: int | None = None
) -> dict[str, Any] | None:
    """Accuracy, precision, recall and F1 against stated negatives, or against sampled ones, of at
    most ``most`` facts of each kind where it is given."""
    given = len(data.valid_negatives) and len(data.test_negatives)
    parts = []
    for pair in (data.valid, data.valid_negatives), (data.test, data.test_negatives):
        true, false = (spread(facts, most) for facts in pair)
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
