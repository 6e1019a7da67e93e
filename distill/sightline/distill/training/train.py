"""Distil a trained teacher into a student, beside a control that never saw the teacher.

Knows trials, the choice of the temperature, calibration and the model folder; the loop itself is in
``trainer``. The control has the same network, budget and number of trials; where the student
chooses its temperature, the control chooses its label smoothing.

``models/ID/student/`` then holds the arrays, ``student.onnx``, ``calibration.json``, the encoder of
new entities, the control's arrays in ``control/``, and a manifest with the trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sightline.distill.calibration.calibrate import (
    TOP,
    Calibration,
    answer_features,
    fit,
    surprisal_bounds,
)
from sightline.distill.student.onnx_file import FILE, write_onnx
from sightline.distill.student.student import StudentArrays, best, log_softmax
from sightline.distill.training.context_fit import fit_context
from sightline.distill.training.targets import soft_targets
from sightline.distill.training.trainer import Run, Setting, StudentTrainer
from sightline.graph.arrays import Doubles, Flags, Ids
from sightline.graph.progress import Progress, silent
from sightline.graph.storage.artifact import new_artifact
from sightline.graph.storage.workspace import Workspace
from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import KnownAnswers, with_reciprocals
from sightline.models.format import MODEL_FORMAT
from sightline.models.training.device import choose_device, memory_guard
from sightline.models.training.presets import StudentConfig
from sightline.models.training.train import open_teacher, versions
from sightline.models.training.trainer import Questions

#: Label smoothing that the control may choose from: as many trials as there are temperatures.
SMOOTHING = (0.0, 0.05, 0.1)
#: A trial takes one part in so many of the epochs of the run that its setting is chosen for.
TRIAL_SHARE = 12
#: Questions scored at once.
AT_ONCE = 64


def distill(
    ws: Workspace, model_id: str, *, device: str = "auto", progress: Progress = silent
) -> None:
    """Write the student, the control and the calibration of a trained model.

    Raises:
        NoModel, DamagedArtifact, Diverged, OutOfDeviceMemory, UsageError, MissingExtra,
        WorkspaceLocked, NotWritable, DiskFull
    """
    target = choose_device(device)
    with ws.lock():
        teacher, data, manifest = open_teacher(ws, model_id)
        config = student_config(manifest["config"]["student"])
        folder = ws.models / model_id
        with memory_guard(target):
            questions = Questions(data, target)
            targets = soft_targets(teacher.to(target), questions, config, progress)
            trainer = StudentTrainer(data, questions, targets, config, manifest["seed"])
            soft = [Setting(t) for t in config.temperatures]
            hard = [Setting(None, s) for s in SMOOTHING]
            student, temperatures = choose(trainer, soft, "student", progress)
            control, smoothings = choose(trainer, hard, "control", progress)
        arrays = student.network.arrays()
        said = {
            "format": MODEL_FORMAT,
            "temperature": temperatures,
            "control_smoothing": smoothings,
            "select_mrr": {"student": student.select_mrr, "control": control.select_mrr},
            "versions": versions(),
        }
        with new_artifact(folder, "student", **said) as out:
            arrays.save(out)
            progress("export", 0, None, "ONNX, checked against NumPy")
            write_onnx(arrays, out / FILE)
            calibrate(arrays, data).write(out)
            fit_context(arrays, data).save(out)
            (out / "control").mkdir()
            control.network.arrays().save(out / "control")


def choose(
    trainer: StudentTrainer, settings: Sequence[Setting], name: str, progress: Progress
) -> tuple[Run, dict[str, object]]:
    """Try every setting for a share of the epochs, then train the best one in full.

    Returns:
        The full run, and what was tried: ``{"grid": {setting: MRR on select}, "chosen": ...}``.
    """
    short = max(1, trainer.epochs // TRIAL_SHARE)
    found: dict[str, float | None] = {}
    chosen, highest = settings[0], -1.0
    for setting in settings:
        label = str(setting.smoothing if setting.temperature is None else setting.temperature)
        run = trainer.run(setting, short, progress, f"{name} trial {label}")
        found[label] = run.select_mrr
        if run.select_mrr is not None and run.select_mrr > highest:
            chosen, highest = setting, run.select_mrr
    best_value = chosen.smoothing if chosen.temperature is None else chosen.temperature
    run = trainer.run(chosen, trainer.epochs, progress, name)
    return run, {"grid": found, "chosen": best_value}


def calibrate(arrays: StudentArrays, data: LearningData) -> Calibration:
    """Fit probabilities on the ``calibrate`` half of validation, which nothing else has seen."""
    # Every fact outside of validation is out of the question, as it is where the service answers.
    # With a test fact among the false ones, a dense graph's best answers would look like chance.
    others = np.concatenate([data.train, data.test])
    known = KnownAnswers.of_triples(others, data.num_entities, data.num_relations)
    found = top_answers(arrays, data.calibrate, known, data.valid)
    log_probability, rank, rels, true, facts_of = found
    # The half is drawn by fact: a question with k facts in validation is in it with a chance of
    # 1 - 1 / 2^k. Where it is, it stands for those of its kind that are not.
    weight = 1.0 / (1.0 - 0.5**facts_of)
    bounds = surprisal_bounds(surprisals(arrays, data.calibrate, data)[0])
    curve = fit(log_probability, rank, rels, true, 2 * data.num_relations, weight)
    return replace(curve, surprisal=bounds)


def surprisals(
    arrays: StudentArrays, triples: Ids, data: LearningData, bound: float = np.inf
) -> tuple[Doubles, Doubles]:
    """How surprised the student is by true answers, other known answers left out.

    Args:
        triples: int32 ``(n, 3)``: asked in both directions.

    Returns:
        -log-probability of each true answer, and the number of answers with at most ``bound``:
        float64 ``(2 n,)`` each.
    """
    both = with_reciprocals(triples, data.num_relations)
    parts: list[Doubles] = [np.zeros((2, 0))]
    for start in range(0, len(both), 512):
        heads, rels, answers = both[start : start + 512].T
        scores = arrays.scores(heads, rels)
        rows, columns = data.known.of(heads, rels)
        others = columns != answers[rows]
        scores[rows[others], columns[others]] = -np.inf
        surprisal = -log_softmax(scores).astype(np.float64)
        own = surprisal[np.arange(len(answers)), answers]
        parts.append(np.stack([own, (surprisal <= bound).sum(axis=1)]))
    found = np.concatenate(parts, axis=1)
    return found[0], found[1]


def top_answers(
    arrays: StudentArrays, asked: Ids, known: KnownAnswers, facts: Ids
) -> tuple[Doubles, Doubles, Ids, Flags, Doubles]:
    """The best new answers to some questions, and which are facts.

    Args:
        asked: int32 ``(n, 3)``: triples whose questions are asked, in both directions, each once.
        known: answers that are no news and are left out.
        facts: int32 ``(m, 3)``: what counts as true.

    Returns:
        log-probability and rank float64, directed relation int32, truth bool, and how many of the
        facts answer the question float64, ``(TOP questions,)`` each.
    """
    n, r = known.num_entities, known.num_relations
    true = KnownAnswers.of_triples(facts, n, r)
    questions = np.unique(with_reciprocals(asked, r)[:, :2], axis=0)
    parts: list[tuple[Doubles, Doubles, Ids, Flags, Doubles]] = [
        (np.zeros(0), np.zeros(0), np.zeros(0, np.int32), np.zeros(0, np.bool_), np.zeros(0))
    ]
    for some in np.split(questions, range(AT_ONCE, len(questions), AT_ONCE)):
        heads, rels = np.ascontiguousarray(some.T)
        scores = arrays.scores(heads, rels)
        scores[known.of(heads, rels)] = -np.inf
        is_fact = np.zeros(scores.shape, np.bool_)
        is_fact[true.of(heads, rels)] = True
        for row, rel, right in zip(scores, rels, is_fact):
            ids = best(row, TOP)
            ids = ids[np.isfinite(row[ids])]
            log_probability, rank = answer_features(row, ids)
            rel_of = np.full(len(ids), rel, np.int32)
            facts_of = np.full(len(ids), right.sum(), np.float64)
            parts.append((log_probability, rank, rel_of, right[ids], facts_of))
    a, b, c, d, e = (np.concatenate(column) for column in zip(*parts))
    return a, b, c, d, e


def student_config(value: dict[str, object]) -> StudentConfig:
    """Read a configuration back from a manifest, where tuples are lists."""
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
    return StudentConfig(**given)  # type: ignore[arg-type]


def control_folder(folder: Path) -> Path:
    """Where a model folder keeps the control's arrays."""
    return folder / "student" / "control"
