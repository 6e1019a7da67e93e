"""Train the teacher: snapshot in, model folder out.

Knows the table of members, the model folder and its id; how a member learns is its own affair. The
model's id is a hash of everything that decides its numbers, so the same request continues an
interrupted run or finds the finished model.

``models/ID/`` then holds ``vocabulary/`` (the IRI of every entity and relation, in the order of the
model's numbers), ``teacher/`` (safetensors) and a manifest with members, configurations, seed and
versions.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sightline.graph.progress import Progress, silent
from sightline.graph.storage.artifact import is_intact, new_artifact, open_artifact
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.strings import StringTable
from sightline.graph.storage.workspace import Workspace
from sightline.models.data.dataset import ALIKE, LearningData, Weighting, learning_data
from sightline.models.data.questions import Questions
from sightline.models.errors import NoModel
from sightline.models.format import LEARNING, MODEL_FORMAT
from sightline.models.foundation.file import digest
from sightline.models.members.member import Training
from sightline.models.members.table import MEMBERS
from sightline.models.teacher import Teacher, blend_weights
from sightline.models.training.device import choose_device, memory_guard
from sightline.models.training.presets import Preset, preset_named
from sightline.models.training.trainer import Trainer, scorer_of

WEIGHTS = Path("teacher") / "teacher.safetensors"
PARTS = ("train", "select", "calibrate", "test")


def train(
    ws: Workspace,
    *,
    preset: str,
    tune: bool = False,
    weighting: Weighting = ALIKE,
    seed: int = 0,
    device: str = "auto",
    progress: Progress = silent,
) -> str:
    """Train a teacher on the served snapshot. Serves nothing yet.

    Args:
        tune: train the members that learn entities in full with every penalty tried, and keep the
            best.
        weighting: how much each fact counts; a qualifier may be named as users name it.

    An interrupted run goes on from its last checkpoint; on the CPU, with the same number of
    threads, to the same bits as one that was never stopped.

    Returns:
        The model's id, 16 hex digits.

    Raises:
        CannotTrain, UnknownQualifier: before anything is computed.
        Diverged, OutOfDeviceMemory, UsageError, WorkspaceLocked, NotWritable, DiskFull
    """
    # A bare image, which trains without a workspace (benchmarks/gpu.py), cannot read one.
    from sightline.graph.snapshot.reader import served_snapshot

    config = preset_named(preset, tune=tune)
    target = choose_device(device)
    with ws.lock():
        snapshot = served_snapshot(ws)
        if weighting.qualifier is not None:
            meant = snapshot.resolve_qualifier(weighting.qualifier)
            weighting = replace(weighting, qualifier=snapshot.property_iris[meant])
        model_id = identify(snapshot.id, config, seed, target, weighting)
        if is_intact(ws.models / model_id, format=MODEL_FORMAT):
            return model_id
        progress("read", 0, None, f"snapshot {snapshot.id}")
        data = learning_data(snapshot, weighting)
        if data.weight is not None:
            less = f"{np.count_nonzero(data.weight < 1):,} of {len(data.weight):,} facts"
            progress("read", 0, None, f"{less} to learn from count less than whole")
        scratch = ws.scratch(model_id)
        with memory_guard(target):
            questions = Questions(data, target)
            trained = _train_members(questions, config, seed, scratch, progress)
            teacher = _blend(list(trained.values()), questions)
        asked = {"snapshot": snapshot.id, "seed": seed, "device": target.type}
        said = {**asked, "weighting": asdict(weighting), **_about(config, data, trained)}
        with new_artifact(ws.models, model_id, **said) as folder:
            _write(folder, data, teacher)
        shutil.rmtree(scratch, ignore_errors=True)
    return model_id


def _about(config: Preset, data: LearningData, trained: Mapping[str, Trainer]) -> dict[str, Any]:
    """What the manifest says of how a model was made."""
    return {
        "format": MODEL_FORMAT,
        "learning": LEARNING,
        "preset": config.name,
        "student": asdict(config.student),
        "rows": {"entities": data.num_entities, "relations": data.num_relations},
        "split": {"valid": data.split, **{part: len(getattr(data, part)) for part in PARTS}},
        "members": [
            {
                "member": name,
                "config": asdict(trainer.config),
                "best_epoch": trainer.best_epoch,
                "select_mrr": trainer.best_mrr,
                **trainer.said,
            }
            for name, trainer in trained.items()
        ],
        "versions": versions(),
    }


def _train_members(
    questions: Questions, preset: Preset, seed: int, scratch: Path, progress: Progress
) -> dict[str, Trainer]:
    """The members that this preset has work for, by name."""
    trained = {}
    for member in MEMBERS:
        training = Training(questions, seed, f"train {member.name}", scratch, progress)
        trainer = member.train(training, member.config(preset))
        if trainer is not None:
            trained[member.name] = trainer
    return trained


def _blend(trainers: list[Trainer], questions: Questions) -> Teacher:
    teacher = Teacher([trainer.model for trainer in trainers], questions.data.num_relations)
    scorers = [scorer_of(trainer.model, questions.messages) for trainer in trainers]
    teacher.weight.copy_(torch.from_numpy(blend_weights(scorers, questions.data)))
    return teacher


def identify(
    snapshot_id: str,
    preset: Preset,
    seed: int,
    device: torch.device,
    weighting: Weighting = ALIKE,
) -> str:
    """16 hex digits of everything that decides a model's numbers, the kind of device among it."""
    decides = {member.name: asdict(member.config(preset)) for member in MEMBERS}
    learner = MODEL_FORMAT, LEARNING, digest()
    made = [*learner, snapshot_id, decides, asdict(preset.student), seed, device.type]
    if weighting != ALIKE:
        made.append(asdict(weighting))
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]


def open_teacher(ws: Workspace, model_id: str) -> tuple[Teacher, LearningData, dict[str, Any]]:
    """A trained teacher in evaluation mode on the CPU, the data it learnt from, and its manifest.

    Raises:
        NoModel, DamagedArtifact, FormatMismatch
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from sightline.graph.snapshot.reader import Snapshot

    folder = ws.models / model_id
    if not folder.is_dir():
        raise NoModel(ws.path)
    manifest = open_artifact(folder, format=MODEL_FORMAT, again="sightline train")
    snapshot = Snapshot.open(ws.snapshots / manifest["snapshot"])
    data = learning_data(snapshot, Weighting(**manifest.get("weighting", {})))
    try:
        model = Teacher(_members_again(data, manifest), data.num_relations)
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError, RuntimeError, KeyError, TypeError) as error:
        raise DamagedArtifact(folder, "the teacher cannot be read") from error
    return model.eval(), data, manifest


def _members_again(data: LearningData, manifest: Mapping[str, Any]) -> list[torch.nn.Module]:
    preset, by_name = preset_named(manifest["preset"]), {member.name: member for member in MEMBERS}
    found = []
    for said in manifest["members"]:
        member = by_name[said["member"]]
        found.append(member.build(data, replace(member.config(preset), **said["config"])))
    return found


def versions() -> dict[str, str]:
    """Versions of what computes, for the manifest."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": str(torch.__version__),
        "torch-geometric": version("torch-geometric"),
    }


def _write(folder: Path, data: LearningData, model: Teacher) -> None:
    from safetensors.torch import save_file

    (folder / "vocabulary").mkdir()
    StringTable.write(folder / "vocabulary", "entity_iris", data.entity_iris)
    StringTable.write(folder / "vocabulary", "relation_iris", data.relation_iris)
    (folder / WEIGHTS).parent.mkdir()
    state = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    save_file(state, folder / WEIGHTS)
