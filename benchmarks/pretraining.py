"""Pre-training of the foundation member: many small tasks, one model.

Knows tasks, the network and a checkpoint; knows no data set by name. A run that is interrupted goes
on from its last checkpoint (with other tasks than it would have drawn).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mixture import Graph, draw, synthetic
from torch import Tensor, nn

from sightline.graph.storage.artifact import replacing
from sightline.models.errors import Diverged
from sightline.models.foundation.network import Foundation
from sightline.models.foundation.task import Task, loss_of
from sightline.models.members.path.backends import path_graph
from sightline.models.training.checkpoint import load_checkpoint, save_checkpoint

#: Learning rate, steps in which it rises, and the share of the steps after which it falls to zero.
RATE, WARM_UP, HOLD = 3e-3, 100, 0.6
#: Questions of a step, and steps before a task is drawn anew.
BATCH, STEPS_A_TASK = 32, 12
#: Steps between two checkpoints; of the last ones the mean is what is shipped.
EVERY, LAST = 200, 5
#: The name of a graph that is invented anew for every task.
SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class Mixture:
    """Graphs by name, and how often each is drawn; ``synthetic`` needs no graph."""

    graphs: Mapping[str, Graph]
    share: Mapping[str, float]

    def draw(self, name: str, rng: np.random.Generator) -> Task:
        """A task of one of them."""
        return draw(synthetic(rng) if name == SYNTHETIC else self.graphs[name], rng)


class Pretraining:
    """A run of so many steps.

    Attributes:
        answers: how many it has learnt from.
        seconds: CPU seconds spent.
    """

    def __init__(self, mixture: Mixture, steps: int, seed: int) -> None:
        self._mixture, self._steps = mixture, steps
        torch.manual_seed(seed)
        self._rng = np.random.default_rng(seed)
        self.model = Foundation()
        self._adam = torch.optim.Adam(self.model.parameters(), lr=RATE, betas=(0.9, 0.98))
        self.step = self.answers = 0
        self.seconds = 0.0
        self._last: dict[str, dict[str, Tensor]] = {}
        self._tasks: dict[str, tuple[Task, int]] = {}
        self._losses: dict[str, list[float]] = {name: [] for name in mixture.share}

    def run(self, folder: Path, say: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Learn until the steps are done, with checkpoints in a folder.

        Returns:
            The mean of the last checkpoints, NumPy arrays by name.

        Raises:
            Diverged, NotWritable, DiskFull
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._resume(folder)
        self.model.train()
        while self.step < self._steps:
            started = time.process_time()
            self._learn()
            self.seconds += time.process_time() - started
            if self.step % EVERY == 0 or self.step == self._steps:
                self._keep(folder)
                say(self._said())
        return self.mean()

    def mean(self) -> dict[str, Any]:
        """The mean of the last checkpoints, float32 arrays by name."""
        states = list(self._last.values())
        return {
            name: np.mean([state[name].numpy() for state in states], axis=0, dtype=np.float32)
            for name in states[0]
        }

    def _learn(self) -> None:
        names = list(self._mixture.share)
        share = np.array([self._mixture.share[name] for name in names])
        name = names[self._rng.choice(len(names), p=share / share.sum())]
        task, done = self._tasks.get(name, (None, 0))
        if task is None or done >= STEPS_A_TASK:
            task, done = self._mixture.draw(name, self._rng), 0
        self._tasks[name] = task, done + 1
        for group in self._adam.param_groups:
            group["lr"] = RATE * rate(self.step, self._steps)
        self._adam.zero_grad()
        chosen = self._rng.choice(len(task.asked), min(BATCH, len(task.asked)), replace=False)
        seen = path_graph(task.seen, torch.device("cpu"))
        loss, answers = loss_of(self.model, seen, task, np.sort(chosen), self._rng)
        torch.autograd.backward(loss)
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), 1.0))
        said = float(loss.detach())
        if not math.isfinite(said):
            raise Diverged(self.step)
        # A largest message of a row that is all rounding can give a gradient without meaning.
        if math.isfinite(norm):
            self._adam.step()
        self._losses[name].append(said)
        self.step += 1
        self.answers += answers

    def _said(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "answers": self.answers,
            "cpu_minutes": round(self.seconds / 60, 2),
            "loss": {n: round(float(np.mean(v[-100:])), 3) for n, v in self._losses.items() if v},
        }

    def _keep(self, folder: Path) -> None:
        state = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self._last = dict([*self._last.items(), (str(self.step), state)][-LAST:])
        tensors = {"last": self._last, "adam": self._adam.state_dict()["state"]}
        numbers = {"step": self.step, "answers": self.answers, "seconds": self.seconds}
        save_checkpoint(folder, tensors, numbers)
        with replacing(folder / "progress.json") as temporary:
            temporary.write_text(json.dumps(self._said()))

    def _resume(self, folder: Path) -> None:
        found = load_checkpoint(folder)
        if found is None:
            return
        tensors, numbers = found
        self._last = dict(sorted(tensors["last"].items(), key=lambda item: int(item[0])))
        self.model.load_state_dict(self._last[str(numbers["step"])])
        state = {int(k): v for k, v in tensors["adam"].items()}
        self._adam.load_state_dict(self._adam.state_dict() | {"state": state})
        self.step, self.answers = numbers["step"], numbers["answers"]
        self.seconds = numbers["seconds"]
        self._rng = np.random.default_rng([self.step, int(self._rng.integers(1 << 30))])


def rate(step: int, steps: int) -> float:
    """What the rate is multiplied by: up, level, and down in a line to zero at the end."""
    hold = HOLD * steps
    return min(1.0, (step + 1) / WARM_UP) * min(1.0, (steps - step) / (steps - hold))
