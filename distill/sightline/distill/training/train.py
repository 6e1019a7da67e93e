"""Distil a trained teacher into a student, beside a control that never saw the teacher.

Knows trials, the choice of the temperature and the model folder; the loop itself is in ``trainer``.
The control has the same network, budget and number of trials; where the student chooses its
temperature, the control chooses its label smoothing.

``models/ID/student/`` then holds the arrays, ``student.onnx``, ``calibration.json``, the encoder of
new entities, the control's arrays in ``control/``, the curve for entities of which texts alone are
known in ``texts/``, where these say something, and a manifest with the trials.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sightline.distill.calibration.fit import calibrate
from sightline.distill.student.arrays import StudentArrays
from sightline.distill.student.onnx_file import FILE, onnx_file
from sightline.distill.student.quantise import pack
from sightline.distill.student.student import TEXTS
from sightline.distill.training.context_fit import fit_context
from sightline.distill.training.encoded import EncodedTrainer, encodes
from sightline.distill.training.targets import SoftTargets, soft_targets
from sightline.distill.training.text_fit import FromTexts, fit_texts, with_rows
from sightline.distill.training.trainer import Setting, StudentTrainer
from sightline.graph.progress import Progress, silent
from sightline.graph.storage.artifact import new_artifact
from sightline.graph.storage.strings import StringTable, match_sorted
from sightline.graph.storage.workspace import Workspace
from sightline.models.data.dataset import LearningData
from sightline.models.data.questions import Questions
from sightline.models.format import MODEL_FORMAT
from sightline.models.members.member import Training
from sightline.models.train import open_teacher, versions
from sightline.models.training.device import choose_device, memory_guard
from sightline.models.training.presets import StudentConfig, preset_named

#: Label smoothing that the control may choose from: as many trials as there are temperatures.
SMOOTHING = (0.0, 0.05, 0.1)
#: A trial takes one part in so many of the epochs of the run that its setting is chosen for.
TRIAL_SHARE = 12


def distill(
    ws: Workspace, model_id: str, *, device: str = "auto", progress: Progress = silent
) -> None:
    """Write the student, the control and the calibration of a trained model.

    An interrupted run goes on from its last checkpoint; on the CPU, with the same number of
    threads, to the same bits as one that was never stopped.

    Raises:
        NoModel, DamagedArtifact, FormatMismatch, Diverged, OutOfDeviceMemory, UsageError,
        MissingExtra, WorkspaceLocked, NotWritable, DiskFull
    """
    target = choose_device(device)
    with ws.lock():
        teacher, data, manifest = open_teacher(ws, model_id)
        config = replace(preset_named(manifest["preset"]).student, **manifest["student"])
        folder, scratch = ws.models / model_id, ws.scratch(f"{model_id}-student")
        with memory_guard(target):
            questions = Questions(data, target)
            asked = 2 * len(data.train)
            shares = [min(1.0, m.get("askable", asked) / asked) for m in manifest["members"]]
            targets = soft_targets(teacher.to(target), questions, config, progress, shares)
            runs = {}
            for name, settings in settings_of(config).items():
                training = Training(questions, manifest["seed"], name, scratch, progress)
                runs[name] = choose(training, targets, config, settings, forms_of(data, config))
        (student, temperatures), (control, smoothings) = runs["student"], runs["control"]
        arrays = student.model.arrays()
        progress("export", 0, None, "what texts alone say of an entity")
        snapshot = ws.snapshots / manifest["snapshot"]
        texts, arrays, without = _with_texts(snapshot, data, arrays, control.model.arrays())
        said = {
            "format": MODEL_FORMAT,
            "texts": texts.measured,
            "rows": "encoded" if isinstance(student, EncodedTrainer) else "learnt",
            "temperature": temperatures,
            "control_smoothing": smoothings,
            "select_mrr": {"student": student.best_mrr, "control": control.best_mrr},
            "device": target.type,
            "versions": versions(),
        }
        with new_artifact(folder, "student", **said) as out:
            arrays.save(out)
            progress("export", 0, None, "ONNX, checked against NumPy")
            (out / FILE).write_bytes(onnx_file(pack(arrays, int8=False)))
            calibrate(arrays.scores, data).write(out)
            fit_context(arrays, data).save(out)
            if texts.calibration is not None:
                (out / TEXTS).mkdir()
                texts.calibration.write(out / TEXTS)
            (out / "control").mkdir()
            without.save(out / "control")
        shutil.rmtree(scratch, ignore_errors=True)


def _with_texts(
    folder: Path, data: LearningData, student: StudentArrays, control: StudentArrays
) -> tuple[FromTexts, StudentArrays, StudentArrays]:
    """What the texts of a snapshot say, and both with rows made of them where that is of use."""
    # A bare image, which trains without a workspace (benchmarks/gpu.py), cannot read one.
    from sightline.distill.student.texts import Texts
    from sightline.graph.snapshot.reader import Snapshot

    snapshot = Snapshot.open(folder)
    ids = match_sorted(StringTable.of(data.entity_iris), snapshot.entity_iris)
    texts = Texts.of(snapshot)
    found = fit_texts(student, data, texts, ids)
    if found.calibration is None:
        return found, student, control
    student, control = with_rows((student, control), data, texts, ids)
    return found, student, control


def settings_of(config: StudentConfig) -> dict[str, list[Setting]]:
    """What student and control choose from."""
    return {
        "student": [Setting(temperature) for temperature in config.temperatures],
        "control": [Setting(None, smoothing) for smoothing in SMOOTHING],
    }


def forms_of(data: LearningData, config: StudentConfig) -> list[type[StudentTrainer]]:
    """What student and control choose their rows from: learnt, and where many questions are new
    to training made of the edges."""
    both = config.steps > 0 and encodes(data)
    return [StudentTrainer, EncodedTrainer] if both else [StudentTrainer]


def choose(
    training: Training,
    targets: SoftTargets,
    config: StudentConfig,
    settings: Sequence[Setting],
    forms: Sequence[type[StudentTrainer]],
) -> tuple[StudentTrainer, dict[str, object]]:
    """Of each form try every setting for a share of the epochs, then train the best one in full;
    of the forms the one with the best MRR on ``select``.

    Returns:
        The full run, and what was tried: ``{"grid": {setting: MRR on select}, "chosen": ...}``.
    """
    found = [_best_setting(training, targets, config, settings, form) for form in forms]
    return max(found, key=lambda run: run[0].best_mrr or 0.0)


def _best_setting(
    training: Training,
    targets: SoftTargets,
    config: StudentConfig,
    settings: Sequence[Setting],
    form: type[StudentTrainer],
) -> tuple[StudentTrainer, dict[str, object]]:
    whole = f"{training.name} of edges" if issubclass(form, EncodedTrainer) else training.name

    def run(setting: Setting, name: str, share: int) -> StudentTrainer:
        begun = (training.questions, targets, config, setting, training.seed, name)
        trainer = form(*begun, share=share)
        training.run(trainer)
        return trainer

    found = {
        setting: run(setting, f"{whole} trial {setting.value}", TRIAL_SHARE).best_mrr
        for setting in settings
    }
    chosen = max(settings, key=lambda setting: found[setting] or 0.0)
    grid = {str(setting.value): mrr for setting, mrr in found.items()}
    return run(chosen, whole, 1), {"grid": grid, "chosen": chosen.value}
