"""What a member of the teacher is: how it is built, trained and asked. Knows no member.

A member is one module with ``build`` and ``train``, and an entry in the tuple of ``table``. Its
network votes in the teacher beside the others; how it learns is its own affair.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from sightline.graph.progress import Progress
from sightline.models.data.dataset import LearningData
from sightline.models.data.messages import Messages
from sightline.models.data.questions import Questions
from sightline.models.training.presets import Preset
from sightline.models.training.trainer import Trainer


class Network(Protocol):
    """An ``nn.Module`` that scores every tail of a question."""

    def encode(self, messages: Messages) -> Any:
        """What ``scores`` reads in this graph; a tensor if it is a vector per entity."""

    def scores(self, encoded: Any, head: Tensor, rel: Tensor) -> Tensor:
        """Scores of all tails, higher is more plausible: float32 ``(B, N)``."""


@dataclass(frozen=True, slots=True)
class Training:
    """What a member is trained with.

    Attributes:
        name: what it is called in progress.
        scratch: where its checkpoints may be.
    """

    questions: Questions
    seed: int
    name: str
    scratch: Path
    progress: Progress

    def run(self, trainer: Trainer, share: int = 1) -> None:
        """Run a trainer, which goes on where it was stopped; see ``Trainer.run``."""
        trainer.run(self.scratch / trainer.name.replace(" ", "-"), self.progress, share)


@dataclass(frozen=True, slots=True)
class Member:
    """An entry of the table.

    Attributes:
        name: its name in the manifest and in progress.
        config: its configuration in a preset, a frozen dataclass of numbers.
        build: an untrained network; torch's random state decides the weights.
        train: a trainer that has run, or None where training would not pay; ``build`` of its
            ``config`` makes its network again.
    """

    name: str
    config: Callable[[Preset], Any]
    build: Callable[[LearningData, Any], torch.nn.Module]
    train: Callable[[Training, Any], Trainer | None]
