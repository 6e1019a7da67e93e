"""One student run: the same loop with a teacher and, for the control, without one.

Knows questions, soft targets and losses; knows no workspace.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sightline.distill.losses import softened_kl, softened_kl_top
from sightline.distill.network import StudentNetwork
from sightline.distill.targets import SoftTargets
from sightline.graph.errors import Diverged
from sightline.graph.progress import Progress
from sightline.models.dataset import LearningData
from sightline.models.loss import Batch, answer_loss
from sightline.models.presets import StudentConfig, batch_for, epochs_for
from sightline.models.ranking import RankingMetrics, filtered_ranks
from sightline.models.trainer import Questions

#: Scores of one step, 32 MB of float32: what the C library still takes from memory it has already.
#: Larger tensors are mapped anew at every step, which costs as much as computing them.
STEP = 1 << 23


@dataclass(frozen=True, slots=True)
class Setting:
    """What differs between runs.

    Attributes:
        temperature: of the teacher's distribution; None is the control, which has no teacher.
        smoothing: label smoothing of the hard labels, the control's own dial.
    """

    temperature: float | None
    smoothing: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: the student of its best evaluation, and its filtered MRR on ``select``."""

    network: StudentNetwork
    select_mrr: float | None


class StudentTrainer:
    """Runs students on the same questions, from the same seed, for the same number of epochs."""

    def __init__(
        self,
        data: LearningData,
        questions: Questions,
        targets: SoftTargets,
        config: StudentConfig,
        seed: int,
    ) -> None:
        """``targets.vectors`` are where a student begins; the control begins at random."""
        self.data, self.questions, self.targets, self.config = data, questions, targets, config
        self._seed = seed
        self.epochs = epochs_for(config.epochs, config.work, len(questions) * data.num_entities)
        self._batch = max(1, min(batch_for(len(questions)), STEP // data.num_entities))
        self._select = data.select_sample

    def run(self, setting: Setting, epochs: int, progress: Progress, name: str) -> Run:
        """Train one student and keep its best evaluation.

        Raises:
            Diverged
        """
        with torch.random.fork_rng():
            torch.manual_seed(self._seed)
            return self._run(setting, epochs, progress, name)

    def _run(self, setting: Setting, epochs: int, progress: Progress, name: str) -> Run:
        data, config = self.data, self.config
        network = StudentNetwork(data.num_entities, data.num_relations, config)
        if setting.temperature is not None:
            network.start_from(self.targets.vectors)
        network.to(self.questions.device)
        optimizer = torch.optim.Adam(network.parameters(), lr=config.rate)
        steps = epochs * -(-len(self.questions) // self._batch)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        every = max(1, epochs // 10)
        best: float | None = None
        kept: dict[str, Tensor] = {}
        for epoch in range(1, epochs + 1):
            network.train()
            for positions in torch.split(torch.randperm(len(self.questions)), self._batch):
                loss = self._loss(network, positions, setting)
                if not torch.isfinite(loss):
                    raise Diverged(schedule.last_epoch)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                schedule.step()
            # The last epochs of a cosine are its best; before, a look now and then is enough.
            if epoch % every == 0 or epoch == epochs:
                mrr = self._mrr(network)
                if mrr is None or best is None or mrr >= best:
                    best = mrr
                    kept = {k: v.detach().clone() for k, v in network.state_dict().items()}
            progress(name, epoch, epochs, "" if best is None else f"best MRR {best:.3f}")
        network.load_state_dict(kept)
        return Run(network.eval(), best)

    def _loss(self, network: StudentNetwork, positions: Tensor, setting: Setting) -> Tensor:
        batch = self.questions.batch(positions)
        scores = network.scores(batch.head, batch.slot)
        loss = answer_loss(scores, batch.row, batch.answer, setting.smoothing)
        if setting.temperature is not None:
            soft = self._soft_loss(scores, positions, batch, setting.temperature)
            loss = (1.0 - self.config.soft) * loss + self.config.soft * soft
        return loss

    def _soft_loss(
        self, scores: Tensor, positions: Tensor, batch: Batch, temperature: float
    ) -> Tensor:
        device = scores.device
        teacher = self.targets.score[positions].to(device)
        # A question counts as often as it has answers, as in the hard loss beside it.
        weight = torch.bincount(batch.row, minlength=len(scores)).to(scores.dtype)
        if self.targets.entity is None:
            return softened_kl(scores, teacher, temperature, weight)
        ids = self.targets.entity[positions].to(device)
        column = self.config.temperatures.index(temperature)
        rest = self.targets.rest[positions, column].to(device)
        return softened_kl_top(scores, ids, teacher, rest, temperature, weight)

    def _mrr(self, network: StudentNetwork) -> float | None:
        network.eval()
        student = network.arrays()
        ranks = filtered_ranks(
            student.scores,
            self._select,
            self.data.known,
            num_relations=self.data.num_relations,
        )
        return RankingMetrics.of(np.asarray(ranks)).mrr
