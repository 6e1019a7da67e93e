"""One student: the same with a teacher and, for the control, without one.

Knows questions, soft targets and losses; the loop is ``models.training.trainer``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from sightline.distill.training.losses import softened_kl, softened_kl_top
from sightline.distill.training.network import StudentNetwork
from sightline.distill.training.targets import SoftTargets
from sightline.models.data.questions import Batch, Questions
from sightline.models.ranking import Scorer
from sightline.models.training.loss import Candidates, answer_loss
from sightline.models.training.presets import StudentConfig, batch_for, epochs_for
from sightline.models.training.trainer import Trainer, cosine

#: Scores of one step, 32 MB of float32: what the C library still takes from memory it has already.
#: Larger tensors are mapped anew at every step, which costs as much as computing them.
STEP = 1 << 23
#: Of an answer that is left out of a loss. Finite, so that smoothing stays so.
NO_SCORE = -100.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What differs between runs.

    Attributes:
        temperature: of the teacher's distribution; None is the control, which has no teacher.
        smoothing: label smoothing of the hard labels, the control's own dial.
    """

    temperature: float | None
    smoothing: float = 0.0

    @property
    def value(self) -> float:
        """What was chosen."""
        return self.smoothing if self.temperature is None else self.temperature


class StudentTrainer(Trainer):
    """Trains a student with one setting, on the same questions and from the same seed as others.

    Args:
        targets: what the teacher answers; ``targets.vectors`` are where a student begins, the
            control begins at random.
        share: take one part in so many of the epochs.
    """

    model: StudentNetwork
    config: StudentConfig
    #: Whether its rows are made of the edges.
    _encoded = False

    def __init__(
        self,
        questions: Questions,
        targets: SoftTargets,
        config: StudentConfig,
        setting: Setting,
        seed: int,
        name: str = "student",
        share: int = 1,
    ) -> None:
        super().__init__(questions, seed, name)
        self.targets, self.config, self.setting = targets, config, setting
        entities = self.data.num_entities
        self._samples = entities > max(config.dense, config.candidates)
        scored = config.candidates if self._samples else entities
        epochs = epochs_for(config.epochs, config.work, len(questions) * scored)
        self.epochs = max(1, epochs // share)
        # The last epochs of a cosine are its best; before, a look now and then is enough.
        self._evaluate_every = max(1, self.epochs // 10)
        self._batch = max(1, min(batch_for(len(questions)), STEP // scored))
        if self._samples:
            # What is sure to be scored takes no more than half of the room.
            self._batch = min(self._batch, config.candidates // (2 * config.sure))

    def _build(self) -> None:
        shape = self.data.num_entities, self.data.num_relations
        self.model = StudentNetwork(*shape, self.config, self._encoded)
        if self.setting.temperature is not None and not self._encoded:
            self.model.start_from(self.targets.vectors)
        self.model.to(self.device)
        parameters = self.model.parameters()
        self._optimizers = {"adam": torch.optim.Adam(parameters, lr=self.config.rate, fused=True)}

    def _scorer(self) -> Scorer:
        return self.model.arrays().scores

    def _rate(self, done: float) -> float:
        return self.config.rate * cosine(done)

    def _losses(self, positions: Tensor) -> Iterator[Tensor]:
        setting, batch = self.setting, self.questions.batch(positions)
        drawn = self._draw(batch, positions)
        scores = self.model.scores(batch.head, batch.rel, drawn.entity)
        columns = drawn.columns(batch.answer)
        hard = drawn.weighted(scores)
        loss = answer_loss(hard, batch.row, columns, setting.smoothing, batch.weight)
        if setting.temperature is not None:
            # A question counts as often as it has answers, as in the hard loss.
            weight = torch.bincount(batch.row, batch.weight, len(scores)).to(scores.dtype)
            soft = self._soft_loss(scores, drawn, positions, weight, setting.temperature)
            loss = (1.0 - self.config.soft) * loss + self.config.soft * soft
        yield loss

    def _draw(self, batch: Batch, positions: Tensor) -> Candidates:
        if not self._samples:
            return Candidates()
        sure = batch.answer.cpu()
        if self.setting.temperature is not None and self.targets.entity is not None:
            best = self.targets.entity[positions, : self.config.sure]
            sure = torch.cat([sure, best.flatten()])
        room = self.config.candidates - len(torch.unique(sure))
        # Half of the room at least, however many answers there are: the others must be heard, too.
        count = max(room, self.config.candidates // 2)
        return Candidates.sample(sure, self.data.num_entities, count, self._generator).to(
            self.device
        )

    def _soft_loss(
        self,
        scores: Tensor,
        drawn: Candidates,
        positions: Tensor,
        weight: Tensor,
        temperature: float,
        apart: Tensor | None = None,
    ) -> Tensor:
        """The teacher's part of the loss; bool ``(B, C)`` are left out of both distributions."""
        targets, device = self.targets, self.device
        teacher = targets.score[positions].to(device)
        if apart is not None:
            scores = scores.masked_fill(apart, NO_SCORE)
        if targets.entity is None:
            if apart is not None:
                teacher = teacher.masked_fill(apart, NO_SCORE)
            return softened_kl(scores, teacher, temperature, weight)
        column = drawn.columns(targets.entity[positions].to(device))
        if apart is not None:
            column = column.masked_fill(apart.gather(1, column.clamp(min=0)), -1)
        rest = targets.rest[positions, self.config.temperatures.index(temperature)].to(device)
        return softened_kl_top(scores, column, teacher, rest, temperature, weight, drawn.log_weight)
