"""One student run: the same loop with a teacher and, for the control, without one.

Knows questions, soft targets and losses; knows no workspace.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sightline.distill.training.losses import softened_kl, softened_kl_top
from sightline.distill.training.network import StudentNetwork
from sightline.distill.training.targets import SoftTargets
from sightline.graph.progress import Progress
from sightline.models.data.dataset import LearningData
from sightline.models.errors import Diverged
from sightline.models.ranking import RankingMetrics, filtered_ranks
from sightline.models.training.loss import Batch, Candidates, answer_loss
from sightline.models.training.presets import StudentConfig, batch_for, epochs_for
from sightline.models.training.trainer import Questions

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
        self._samples = data.num_entities > max(config.dense, config.candidates)
        scored = config.candidates if self._samples else data.num_entities
        self.epochs = epochs_for(config.epochs, config.work, len(questions) * scored)
        self._batch = max(1, min(batch_for(len(questions)), STEP // scored))
        if self._samples:
            # What is sure to be scored takes no more than half of the room.
            self._batch = min(self._batch, config.candidates // (2 * config.sure))
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
        optimizer = torch.optim.Adam(network.parameters(), lr=config.rate, fused=True)
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
        if self._samples:
            drawn = self._draw(batch, positions, setting)
            scores = network.scores(batch.head, batch.rel, drawn.entity)
            columns = drawn.columns(batch.answer)
            loss = answer_loss(scores + drawn.log_weight, batch.row, columns, setting.smoothing)
        else:
            drawn = None
            scores = network.scores(batch.head, batch.rel)
            loss = answer_loss(scores, batch.row, batch.answer, setting.smoothing)
        if setting.temperature is not None:
            soft = self._soft_loss(scores, drawn, positions, batch, setting.temperature)
            loss = (1.0 - self.config.soft) * loss + self.config.soft * soft
        return loss

    def _draw(self, batch: Batch, positions: Tensor, setting: Setting) -> Candidates:
        sure = batch.answer.cpu()
        if setting.temperature is not None and self.targets.entity is not None:
            best = self.targets.entity[positions, : self.config.sure]
            sure = torch.cat([sure, best.flatten()])
        room = self.config.candidates - len(torch.unique(sure))
        # Half of the room at least, however many answers there are: the others must be heard, too.
        count = max(room, self.config.candidates // 2)
        drawn = Candidates.sample(sure, self.data.num_entities, count)
        return drawn.to(self.questions.device)

    def _soft_loss(
        self,
        scores: Tensor,
        drawn: Candidates | None,
        positions: Tensor,
        batch: Batch,
        temperature: float,
    ) -> Tensor:
        device = scores.device
        teacher = self.targets.score[positions].to(device)
        # A question counts as often as it has answers, as in the hard loss beside it.
        weight = torch.bincount(batch.row, minlength=len(scores)).to(scores.dtype)
        if self.targets.entity is None:
            return softened_kl(scores, teacher, temperature, weight)
        ids = self.targets.entity[positions].to(device)
        column = ids if drawn is None else drawn.columns(ids)
        rest = self.targets.rest[positions, self.config.temperatures.index(temperature)].to(device)
        stands_for = None if drawn is None else drawn.log_weight
        return softened_kl_top(scores, column, teacher, rest, temperature, weight, stands_for)

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
