"""A student whose rows are made of the edges: a step takes facts out of them and asks for these.

Knows questions, soft targets and losses, as ``trainer``; what differs is what a step learns from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from sightline.distill.training.trainer import NO_SCORE, STEP, StudentTrainer
from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import with_reciprocals
from sightline.models.data.questions import Batch, tensors
from sightline.models.training.loss import answer_loss
from sightline.models.training.presets import epochs_for

#: Where training asked less than the rest of the questions of ``select``, rows are encoded.
UNASKED = 0.3
#: Fewer questions of ``select`` than this say too little to choose a student by.
ENOUGH = 200
#: A step asks for one part in so many of the training facts, but for no fewer than so many, where
#: they are not more than a quarter.
PARTS, FEWEST = 20, 64
#: What encoding an entity costs, in scores of a student that reads products.
ENTITY = 750
#: Weight of the teacher's part of the loss; 1 - SOFT is the hard labels'.
SOFT = 0.4
#: Steps in which the rate rises, of a short trial, too.
RISE = 10
#: Questions scored at once: gradients of all rows come with every part of a step.
AT_ONCE = 512


def encodes(data: LearningData) -> bool:
    """Whether a student's rows are made of the edges: where many questions are new, rows that are
    learnt freely know the training answers by heart and say little of others."""
    asked = with_reciprocals(data.select, data.num_relations)
    if len(asked) < ENOUGH:
        return False
    return bool((data.questions.find(asked[:, 0], asked[:, 1]) < 0).mean() > UNASKED)


class EncodedTrainer(StudentTrainer):
    """Trains a student with an encoder; arguments are those of a free one's trainer."""

    _encoded = True
    _largest_gradient = 1.0

    def __init__(self, *given: Any, share: int = 1) -> None:
        super().__init__(*given)
        facts, entities = len(self.data.train), self.data.num_entities
        self._pool = facts
        self._batch = max(-(-facts // PARTS), min(FEWEST, -(-facts // 4)))
        steps = -(-facts // self._batch)
        scored = self.config.candidates if self._samples else entities
        self._at_once = max(1, min(AT_ONCE, STEP // scored))
        # Both directions of a fact are scored, without products, which halves it.
        cost = facts * scored + steps * entities * ENTITY
        epochs = epochs_for(
            min(self.config.steps // steps, self.config.epochs), self.config.work, cost
        )
        self.epochs = max(1, epochs // share)
        self._evaluate_every = max(1, self.epochs // 10)

    def _rate(self, done: float) -> float:
        return super()._rate(done) * min(1.0, (self.step + 1) / RISE)

    def _evaluate(self) -> None:
        self.model.eval()
        with torch.no_grad():
            self.model.entity = self.model.encoder(self.questions.messages)
        super()._evaluate()

    def _losses(self, positions: Tensor) -> Iterator[Tensor]:
        # Encoded once for all questions of the step, and their gradients go back through it once.
        rows = self.model.encoder(self.questions.messages_without_facts(positions))
        self.model.entity = rows.detach().requires_grad_()
        asked, answer, weight = self.questions.asked_of(positions)
        order = torch.randperm(len(asked), generator=self._generator)
        for some in torch.split(order, self._at_once):
            part = self._loss(asked[some], answer[some], None if weight is None else weight[some])
            yield part * (len(some) / len(asked))
        rows.backward(self.model.entity.grad)

    def _loss(self, asked: Tensor, answer: Tensor, counts: Tensor | None = None) -> Tensor:
        setting, where = self.setting, asked.numpy()
        known, row = self.questions.known, torch.arange(len(asked), device=self.device)
        head, rel = tensors(self.device, known.head[where], known.rel[where])
        batch = Batch(head, rel, row, answer.to(self.device), counts)
        drawn = self._draw(batch, asked)
        scores = self.model.scores(batch.head, batch.rel, drawn.entity)
        others = torch.zeros_like(scores, dtype=torch.bool)
        of, entity = tensors(self.device, *known.at(where))
        column = drawn.columns(entity)
        apart = (column >= 0) & (entity != batch.answer[of])
        others[of[apart], column[apart]] = True
        hard = drawn.weighted(scores).masked_fill(others, NO_SCORE)
        columns = drawn.columns(batch.answer)
        loss = answer_loss(hard, row, columns, setting.smoothing, batch.weight)
        if setting.temperature is not None:
            weight = torch.ones(len(asked), device=self.device) if counts is None else counts
            soft = self._soft_loss(scores, drawn, asked, weight, setting.temperature, others)
            loss = (1.0 - SOFT) * loss + SOFT * soft
        return loss
