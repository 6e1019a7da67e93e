"""Train the teacher: snapshot in, model folder out.

Knows epochs, stopping, checkpoints and the model folder; leaves layers to ``teacher``, ranks to
``ranking`` and the choice of data to ``dataset``. The model's id is a hash of everything that
decides its numbers, so the same request continues an interrupted run or finds the finished model.

``models/ID/`` then holds ``vocabulary/`` (the IRI of every row), ``teacher/`` (safetensors and the
node layers' configuration) and a manifest with configuration, seed and versions.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sightline.graph.progress import Progress, silent
from sightline.graph.snapshot.reader import served_snapshot
from sightline.graph.storage.artifact import is_intact, new_artifact, open_artifact
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.strings import StringTable
from sightline.graph.storage.workspace import Workspace
from sightline.models.data.dataset import LearningData, learning_data
from sightline.models.errors import NoModel
from sightline.models.format import MODEL_FORMAT
from sightline.models.members.network import Member
from sightline.models.members.path_network import PathMember
from sightline.models.teacher import Teacher, blend_weights
from sightline.models.training.device import choose_device, memory_guard
from sightline.models.training.path_trainer import PathTrainer, build_path_member
from sightline.models.training.presets import MemberConfig, PathConfig, Preset, preset_named
from sightline.models.training.trainer import MemberTrainer, Trainer, build_member, scorer_of

WEIGHTS = Path("teacher") / "teacher.safetensors"


def train(
    ws: Workspace,
    *,
    preset: str,
    tune: bool = False,
    seed: int = 0,
    device: str = "auto",
    progress: Progress = silent,
) -> str:
    """Train a teacher on the served snapshot. Serves nothing yet.

    Args:
        tune: train its first two members in full with every penalty tried, and keep the best.

    An interrupted run goes on from its last checkpoint; on the CPU, with the same number of
    threads, to the same bits as one that was never stopped.

    Returns:
        The model's id, 16 hex digits.

    Raises:
        CannotTrain: before anything is computed.
        Diverged, OutOfDeviceMemory, UsageError, WorkspaceLocked, NotWritable, DiskFull
    """
    config = preset_named(preset, tune=tune)
    target = choose_device(device)
    with ws.lock():
        snapshot = served_snapshot(ws)
        model_id = identify(snapshot.id, config, seed)
        if is_intact(ws.models / model_id, MODEL_FORMAT):
            return model_id
        progress("read", 0, None, f"snapshot {snapshot.id}")
        data = learning_data(snapshot)
        scratch = ws.scratch(model_id)
        with memory_guard(target):
            trainers = _train_members(data, config, seed, target, scratch, progress)
            teacher = _blend(trainers, data)
        said = {
            "format": MODEL_FORMAT,
            "snapshot": snapshot.id,
            "preset": config.name,
            "config": asdict(config),
            "seed": seed,
            "device": str(target),
            "rows": {"entities": data.num_entities, "relations": data.num_relations},
            "split": _split_counts(data),
            "members": [
                {"best_epoch": one.best_epoch, "select_mrr": one.best_mrr, **one.chosen}
                for one in trainers
            ],
            "versions": versions(),
        }
        with new_artifact(ws.models, model_id, **said) as folder:
            _write(folder, data, teacher)
        shutil.rmtree(scratch, ignore_errors=True)
    return model_id


def _train_members(
    data: LearningData,
    config: Preset,
    seed: int,
    device: torch.device,
    scratch: Path,
    progress: Progress,
) -> list[Trainer]:
    def trained(trainer: Trainer, share: int = 1) -> Trainer:
        folder = scratch / trainer.name.replace(" ", "-")
        folder.mkdir(exist_ok=True)
        trainer.run(folder, progress, share)
        return trainer

    def chosen(name: str, member: MemberConfig) -> Trainer:
        def begun(penalty: float) -> Trainer:
            one = replace(member, penalty=penalty)
            return MemberTrainer(data, one, seed, device, f"train {name} penalty {penalty}")

        def trial(penalty: float) -> float:
            return trained(begun(penalty), config.trial).best_mrr or 0.0

        found = climb(config.penalties, member.penalty, trial) if len(data.select) else {}
        # One at a time is in memory, and the best goes on from its checkpoint.
        best = trained(begun(max(found, key=found.__getitem__, default=member.penalty)))
        best.chosen["tried"] = found
        return best

    trainers = [chosen("network", config.network), chosen("partner", config.partner)]
    if not config.path.work:
        return trainers
    path = PathTrainer(data, config.path, seed, device, "train path")
    return [*trainers, trained(path)] if path.answers else trainers


def climb(
    grid: Sequence[float], start: float, score: Callable[[float], float]
) -> dict[float, float]:
    """Score a value of an ascending grid and those beside it, on and on where it gets better.

    Returns:
        What was scored, with its score.
    """
    found = {start: score(start)}
    for way in (1, -1):
        place = grid.index(start) + way
        while 0 <= place < len(grid):
            found[grid[place]] = score(grid[place])
            if found[grid[place]] <= found[grid[place - way]]:
                break
            place += way
        if max(found.values()) > found[start]:
            break
    return found


def _blend(trainers: list[Trainer], data: LearningData) -> Teacher:
    teacher = Teacher([trainer.model for trainer in trainers], data.num_relations)
    scorers = [scorer_of(trainer.model, trainer.questions.messages) for trainer in trainers]
    weight = torch.from_numpy(blend_weights(scorers, data))
    teacher.weight.copy_(weight)
    return teacher


def identify(snapshot_id: str, config: Preset, seed: int) -> str:
    """16 hex digits of everything that decides a model's numbers."""
    text = json.dumps([MODEL_FORMAT, snapshot_id, asdict(config), seed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def open_teacher(ws: Workspace, model_id: str) -> tuple[Teacher, LearningData, dict[str, Any]]:
    """A trained teacher in evaluation mode on the CPU, the data it learnt from, and its manifest.

    Raises:
        NoModel, DamagedArtifact, FormatMismatch
    """
    # What trains without a workspace, on a bare image, has neither (benchmarks/gpu.py).
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from sightline.graph.snapshot.reader import Snapshot

    folder = ws.models / model_id
    if not folder.is_dir():
        raise NoModel(ws.path)
    manifest = open_artifact(folder, format=MODEL_FORMAT, again="sightline train")
    data = learning_data(Snapshot.open(ws.snapshots / manifest["snapshot"]))
    try:
        config = manifest["config"]
        members: list[Member | PathMember] = [
            build_member(data, MemberConfig(**config[name])) for name in ("network", "partner")
        ]
        for path in manifest["members"][len(members) :]:
            of_path = PathConfig(**{**config["path"], "steps": path["steps"]})
            members.append(build_path_member(data, of_path))
        model = Teacher(members, data.num_relations)
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError, RuntimeError, KeyError, TypeError) as error:
        raise DamagedArtifact(folder, "the teacher cannot be read") from error
    return model.eval(), data, manifest


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


def _split_counts(data: LearningData) -> dict[str, Any]:
    counts = {name: len(getattr(data, name)) for name in ("train", "select", "calibrate", "test")}
    return {"valid": data.split, **counts}
