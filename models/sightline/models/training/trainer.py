"""The training loop: epochs, evaluations, stopping, and going on after an interruption.

What learns by it says how it is built, what its loss is and which triples are ranked. Knows
questions, optimizers and the checkpoint; knows no member, no student and no workspace.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sightline.graph.arrays import Floats, Ids
from sightline.graph.progress import Progress
from sightline.models.data.messages import Messages
from sightline.models.data.questions import Questions, tensors
from sightline.models.errors import Diverged
from sightline.models.ranking import RankingMetrics, Scorer, filtered_ranks
from sightline.models.training.checkpoint import load_checkpoint, save_checkpoint


class Trainer(ABC):
    """A run that can be stopped after any step and goes on from its last evaluation.

    Attributes:
        model: what learns; after ``run`` with the weights of the best evaluation.
        name: what it is called in progress.
        epochs: how many it does at most.
        best_mrr: filtered MRR on ``select`` there; None where there is nothing to select on.
        best_epoch: epochs done there; 0 before the first evaluation.
        config: what the model was built from, with what was chosen for this graph.
        said: more of how that was chosen, for the manifest.
    """

    model: Any
    config: Any
    epochs: int
    #: Evaluations without a better MRR before it stops.
    patience: float = math.inf
    _evaluate_every = 1
    #: What it learns from by position in a step.
    _batch: int
    #: The largest norm of a step's gradient.
    _largest_gradient = math.inf
    _optimizers: dict[str, torch.optim.Optimizer]

    def __init__(self, questions: Questions, seed: int, name: str) -> None:
        self.questions, self.data, self.device = questions, questions.data, questions.device
        self.name, self._seed = name, seed
        self.epoch = self.step = 0
        self.best_mrr: float | None = None
        self.best_epoch = self._stale = 0
        self._best: dict[str, Tensor] = {}
        self._pool = len(questions)
        self.said: dict[str, Any] = {}
        # What is drawn on the CPU stays there, whatever the device: one seed, one order.
        self._generator = torch.Generator()

    @abstractmethod
    def _build(self) -> None:
        """Make ``model`` and ``_optimizers``; torch's random state is the seed's."""

    @abstractmethod
    def _losses(self, positions: Tensor) -> Iterator[Tensor]:
        """The loss of a step on int64 ``(B,)`` positions, in parts that are summed."""

    @property
    def _per_epoch(self) -> int:
        """How many positions below ``_pool`` an epoch learns from, each as often as any other."""
        return self._pool

    def _rate(self, done: float) -> float | None:
        """The rate of the optimizers after a share of all steps; None leaves each its own."""
        return None

    def _sample(self) -> Ids:
        """The triples of ``select`` that are ranked at an evaluation."""
        return self.data.select_sample

    def _scorer(self) -> Scorer:
        """What is ranked at an evaluation."""
        return scorer_of(self.model, self.questions.messages)

    def run(
        self,
        scratch: Path,
        progress: Progress,
        share: int = 1,
        over: Callable[[], bool] = lambda: False,
    ) -> None:
        """Train until the epochs or the patience end.

        Args:
            scratch: holds the checkpoint; one that fits is continued. Made if it is not there.
            share: stop after one part in so many of the epochs, at an evaluation. What goes on
                from there ends with the same bits as a run that never stopped.
            over: asked before every epoch after the first evaluation; stops where it is true.

        Raises:
            Diverged: the loss is not finite; the last checkpoint stays.
        """
        scratch.mkdir(exist_ok=True)
        # Dropout draws from torch's global state: set here, given back to the caller after.
        with torch.random.fork_rng(enabled=True):
            torch.manual_seed(self._seed)
            self._generator.manual_seed(self._seed)
            self._build()
            self._resume(scratch)
            # A single epoch says little.
            least = max(2, -(-self.epochs // share))
            end = min(self.epochs, least + -least % self._evaluate_every)
            while self.epoch < end and self._stale < self.patience:
                if self.best_epoch and over():
                    break
                loss = self._run_epoch()
                self.epoch += 1
                if self.epoch % self._evaluate_every == 0 or self.epoch == self.epochs:
                    self._evaluate()
                    self._save(scratch)
                best = "" if self.best_mrr is None else f", best MRR {self.best_mrr:.3f}"
                progress(self.name, self.epoch, self.epochs, f"loss {loss:.3f}{best}")
        self.model.load_state_dict(self._best)
        self.model.eval()

    def _run_epoch(self) -> float:
        """Train for an epoch and return the mean loss."""
        self.model.train()
        passes = -(-self._per_epoch // self._pool)
        orders = [torch.randperm(self._pool, generator=self._generator) for _ in range(passes)]
        batches = torch.split(torch.cat(orders)[: self._per_epoch], self._batch)
        return float(np.mean([self._learn(some, self.epochs * len(batches)) for some in batches]))

    def _learn(self, positions: Tensor, steps: int) -> float:
        """One step, of so many in all, of every optimizer."""
        rate, total = self._rate(self.step / steps), 0.0
        for optimizer in self._optimizers.values():
            optimizer.zero_grad()
            for group in optimizer.param_groups if rate is not None else ():
                group["lr"] = rate
        for loss in self._losses(positions):
            torch.autograd.backward(loss)
            total += float(loss.detach())
        if not math.isfinite(total):
            raise Diverged(self.step)
        norm = 0.0
        if self._largest_gradient < math.inf:
            parameters = self.model.parameters()
            norm = float(nn.utils.clip_grad_norm_(parameters, self._largest_gradient))
        # A largest message of a row that is all rounding can give a gradient without meaning.
        for optimizer in self._optimizers.values() if math.isfinite(norm) else ():
            optimizer.step()
        self.step += 1
        return total

    def _evaluate(self) -> None:
        sample, mrr = self._sample(), None
        if len(sample):
            self.model.eval()
            mrr = RankingMetrics.of(filtered_ranks(self._scorer(), sample, self.data.known)).mrr
        better = mrr is None or self.best_mrr is None or mrr > self.best_mrr
        self._stale = 0 if better else self._stale + 1
        # Of two that rank alike the later one has learnt more.
        if better or mrr == self.best_mrr:
            self.best_mrr, self.best_epoch = mrr, self.epoch
            self._best = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    _COUNTERS = ("epoch", "step", "best_mrr", "best_epoch", "_stale")

    def _save(self, scratch: Path) -> None:
        tensors = {
            "model": self.model.state_dict(),
            "best": self._best,
            "optimizers": {k: v.state_dict()["state"] for k, v in self._optimizers.items()},
            "random": {"torch": torch.get_rng_state(), "order": self._generator.get_state()},
        }
        numbers: dict[str, Any] = {name: getattr(self, name) for name in self._COUNTERS}
        save_checkpoint(scratch, tensors, numbers)

    def _resume(self, scratch: Path) -> None:
        found = load_checkpoint(scratch)
        if found is None:
            return
        tensors, numbers = found
        self.model.load_state_dict(tensors["model"])
        self._best = {k: v.to(self.device) for k, v in tensors["best"].items()}
        for name, optimizer in self._optimizers.items():
            state = {int(k): v for k, v in tensors["optimizers"][name].items()}
            optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
        torch.set_rng_state(tensors["random"]["torch"])
        self._generator.set_state(tensors["random"]["order"])
        for name in self._COUNTERS:
            setattr(self, name, numbers[name])


def cosine(done: float) -> float:
    """From 1 at the start to 0 at the end of a share 0 to 1: what a rate is multiplied by."""
    return 0.5 * (1 + math.cos(math.pi * done))


def scorer_of(model: nn.Module, messages: Messages) -> Scorer:
    """Log-probabilities of a member or a teacher as NumPy, in evaluation mode; entities are encoded
    once."""
    # A module has no type for what its class adds; see ``members.member.Network``.
    network: Any = model.eval()
    device = messages.rel.device
    with torch.no_grad():
        x = network.encode(messages)

    def score(heads: Ids, rels: Ids) -> Floats:
        with torch.no_grad():
            scores = network.scores(x, *tensors(device, heads, rels))
            found: Floats = torch.log_softmax(scores, dim=1).cpu().numpy()
        return found

    return score
