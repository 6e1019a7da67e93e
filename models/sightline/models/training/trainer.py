"""The training loops of members: steps, stopping, and going on after an interruption.

Knows the data, the loss and the checkpoint; knows no workspace.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sightline.graph.arrays import Floats, Ids
from sightline.graph.progress import Progress
from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import KnownAnswers, with_reciprocals
from sightline.models.errors import Diverged
from sightline.models.members.messages import Messages
from sightline.models.members.network import Member, cubed_norm
from sightline.models.members.path_network import PathMember
from sightline.models.ranking import RankingMetrics, Scorer, filtered_ranks
from sightline.models.teacher import Teacher
from sightline.models.training.checkpoint import (
    load_checkpoint,
    load_optimizer,
    optimizer_tensors,
    save_checkpoint,
)
from sightline.models.training.loss import Batch, Candidates, answer_loss
from sightline.models.training.presets import MemberConfig, batch_for, epochs_for

#: Where fewer of the pairs of ``select`` are linked in training, being linked is a sign of no other
#: link (FB15k-237 is made so), and an answer hides every edge between head and tail.
LINKED = 0.01


@dataclass(frozen=True, slots=True)
class Parts:
    """Training facts in parts, so that each answer can be asked for where it is not stated.

    Attributes:
        of_answer: int8 ``(A,)``: the part of every answer of the questions.
        rest: the graph without each part's facts.
    """

    of_answer: npt.NDArray[np.int8]
    rest: list[Messages]


class Questions:
    """The training questions as tensors, and the messages that would give their answers away.

    Attributes:
        hides_all: whether a hidden answer takes all edges between its entities with it.
    """

    def __init__(self, data: LearningData, device: torch.device) -> None:
        self.device = device
        self.known: KnownAnswers = data.questions
        edges = with_reciprocals(data.train, data.num_relations)
        head, rel, tail = edges.T
        turned = (rel + data.num_relations) % (2 * data.num_relations)
        ends = np.stack([head, tail]).astype(np.int64)
        self._head, self._rel, self._tail = head, rel, tail
        self.messages = Messages(
            torch.from_numpy(ends).to(device),
            torch.from_numpy(rel.astype(np.int64)).to(device),
            data.num_entities,
        )
        self._pair = np.minimum(head, tail) * np.int64(data.num_entities) + np.maximum(head, tail)
        self.hides_all = _hides_all(data, self._pair)
        self._asks = torch.from_numpy(self.known.find(head, rel))
        self._asks_back = torch.from_numpy(self.known.find(tail, turned))

    def __len__(self) -> int:
        return len(self.known)

    def batch(self, positions: Tensor) -> Batch:
        """Questions by position int64 ``(B,)``, with all their training answers."""
        where = positions.numpy()
        row, answer = self.known.at(where)
        arrays = (self.known.head[where], self.known.rel[where], row, answer)
        head, rel, rows, answers = (
            torch.from_numpy(a.astype(np.int64)).to(self.device) for a in arrays
        )
        return Batch(head, rel, rows, answers)

    def messages_without(self, positions: Tensor) -> Messages:
        """The graph without the edges that answer these questions, in either direction.

        With them, a layer would carry each answer to its question and training would learn to copy.
        """
        asked = torch.zeros(len(self), dtype=torch.bool)
        asked[positions] = True
        dropped = asked[self._asks] | asked[self._asks_back]
        return self.messages.without(dropped.to(self.device))

    def parts(self, count: int) -> Parts:
        """Divide the training facts at random into so many parts, the same for every caller."""
        facts = len(self._pair) // 2
        part = np.random.default_rng(count).integers(count, size=facts).astype(np.int8)
        of_message = np.concatenate([part, part])
        rest = []
        for number in range(count):
            dropped = of_message == number
            if self.hides_all:
                dropped = np.isin(self._pair, self._pair[dropped])
            rest.append(self.messages.without(torch.from_numpy(dropped).to(self.device)))
        # Answers are in order of (head, directed relation, answer), which is unique in facts.
        order = np.lexsort((self._tail, self._rel, self._head))
        return Parts(of_message[order], rest)


def _hides_all(data: LearningData, linked: npt.NDArray[np.int64]) -> bool:
    if not len(data.select):
        return False
    low, high = np.sort(data.select[:, [0, 2]].astype(np.int64), axis=1).T
    return bool(np.isin(low * data.num_entities + high, linked).mean() < LINKED)


class Trainer(ABC):
    """A run that can be stopped after any step and goes on from its last evaluation.

    Attributes:
        model: the member; after ``run`` with the weights of the best evaluation.
        name: what it is called in progress.
        epochs: how many it does at most.
        best_mrr: filtered MRR on ``select`` there; None where there is nothing to select on.
        best_epoch: epochs done there.
        chosen: what was chosen for the model that its configuration leaves open.
    """

    model: Member | PathMember
    epochs: int
    #: Evaluations without a better MRR before it stops; None goes on to the end.
    patience: int | None = None
    _evaluate_every = 1
    _optimizers: dict[str, torch.optim.Optimizer]

    def __init__(self, data: LearningData, seed: int, device: torch.device, name: str) -> None:
        self.data, self.device, self.name = data, device, name
        self.questions = Questions(data, device)
        self._seed = seed
        self.epoch = self.step = 0
        self.best_mrr: float | None = None
        self.best_epoch = self._stale = 0
        self._best: dict[str, Tensor] = {}
        self.chosen: dict[str, Any] = {}

    @abstractmethod
    def _build(self) -> None:
        """Make ``model`` and ``_optimizers``; torch's random state is the seed's."""

    @abstractmethod
    def _run_epoch(self) -> float:
        """Train for an epoch, raise ``step`` and return the mean loss."""

    @abstractmethod
    def _sample(self) -> Ids:
        """The triples of ``select`` that are ranked at an evaluation."""

    def run(self, scratch: Path, progress: Progress, share: int = 1) -> None:
        """Train until the epochs or the patience end.

        Args:
            scratch: holds the checkpoint; one that fits is continued.
            share: stop after one part in so many of the epochs, at an evaluation. What goes on
                from there ends with the same bits as a run that never stopped.

        Raises:
            Diverged: the loss is not finite; the last checkpoint stays.
        """
        # Dropout draws from torch's global state: set here, given back to the caller after.
        with torch.random.fork_rng(enabled=True):
            torch.manual_seed(self._seed)
            # What is drawn on the CPU stays there, whatever the device: one seed, one order.
            self._generator = torch.Generator().manual_seed(self._seed)
            self._build()
            self._resume(scratch)
            # A single epoch says little.
            least = max(2, -(-self.epochs // share))
            end = min(self.epochs, least + -least % self._evaluate_every)
            while self.epoch < end and not self._is_stale():
                loss = self._run_epoch()
                self.epoch += 1
                if self.epoch % self._evaluate_every == 0 or self.epoch == self.epochs:
                    self._evaluate()
                    self._save(scratch)
                progress(self.name, self.epoch, self.epochs, self._note(loss))
        self.model.load_state_dict(self._best)
        self.model.eval()

    def _is_stale(self) -> bool:
        return self.patience is not None and self._stale >= self.patience

    def _descend(self, loss: Tensor) -> float:
        """One step of every optimizer.

        Raises:
            Diverged
        """
        if not torch.isfinite(loss):
            raise Diverged(self.step)
        for optimizer in self._optimizers.values():
            optimizer.zero_grad()
        torch.autograd.backward(loss)
        for optimizer in self._optimizers.values():
            optimizer.step()
        self.step += 1
        return float(loss.detach())

    def _evaluate(self) -> None:
        sample = self._sample()
        if not len(sample):
            self._keep_best()
            return
        ranks = filtered_ranks(
            scorer_of(self.model, self.questions.messages),
            sample,
            self.data.known,
            num_relations=self.data.num_relations,
        )
        mrr = RankingMetrics.of(ranks).mrr
        if self.best_mrr is None or (mrr is not None and mrr > self.best_mrr):
            self.best_mrr, self._stale = mrr, 0
            self._keep_best()
        else:
            self._stale += 1

    def _keep_best(self) -> None:
        self.best_epoch = self.epoch
        self._best = {k: v.detach().clone() for k, v in self.model.state_dict().items()}

    def _note(self, loss: float) -> str:
        score = "" if self.best_mrr is None else f", best MRR {self.best_mrr:.3f}"
        return f"loss {loss:.3f}{score}"

    _COUNTERS = ("epoch", "step", "best_mrr", "best_epoch", "_stale")

    def _save(self, scratch: Path) -> None:
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self._best.items()}
        for name, optimizer in self._optimizers.items():
            tensors |= optimizer_tensors(name, optimizer)
        tensors["random.torch"] = torch.get_rng_state()
        tensors["random.order"] = self._generator.get_state()
        numbers: dict[str, Any] = {name: getattr(self, name) for name in self._COUNTERS}
        save_checkpoint(scratch, tensors, numbers)

    def _resume(self, scratch: Path) -> None:
        found = load_checkpoint(scratch)
        if found is None:
            return
        tensors, numbers = found
        self.model.load_state_dict(_under("model.", tensors))
        self._best = {k: v.to(self.device) for k, v in _under("best.", tensors).items()}
        for name, optimizer in self._optimizers.items():
            load_optimizer(name, optimizer, tensors)
        torch.set_rng_state(tensors["random.torch"])
        self._generator.set_state(tensors["random.order"])
        for name in self._COUNTERS:
            setattr(self, name, numbers[name])


class MemberTrainer(Trainer):
    """Trains a graph network or its partner on whole questions, all answers at once."""

    model: Member

    def __init__(
        self,
        data: LearningData,
        config: MemberConfig,
        seed: int,
        device: torch.device,
        name: str = "train",
    ) -> None:
        super().__init__(data, seed, device, name)
        self.config, self.patience = config, config.patience
        self.chosen = {"penalty": config.penalty}
        self._candidates = min(config.candidates, data.num_entities)
        self._batch = batch_for(len(self.questions))
        pairs = len(self.questions) * self._candidates
        self.epochs = epochs_for(config.epochs, config.work, pairs)
        self._evaluate_every = max(1, self.epochs // 30)

    def _build(self) -> None:
        config = self.config
        self.model = build_member(self.data, config).to(self.device)
        vectors = [self.model.entity, self.model.rel]
        self._optimizers = {"vectors": torch.optim.Adagrad(vectors, lr=config.rate)}
        if config.layers:
            weights = self.model.layers.parameters()
            self._optimizers["layers"] = torch.optim.Adam(weights, lr=config.rate_network)

    def _sample(self) -> Ids:
        return self.data.select_sample

    def _run_epoch(self) -> float:
        self.model.train()
        order = torch.randperm(len(self.questions), generator=self._generator)
        losses = [self._descend(self._loss(some)) for some in torch.split(order, self._batch)]
        return float(np.mean(losses))

    def _loss(self, positions: Tensor) -> Tensor:
        batch = self.questions.batch(positions)
        messages = self.questions.messages_without(positions)
        if self._candidates < self.data.num_entities:
            drawn = Candidates.sample(
                batch.answer.cpu(), self.data.num_entities, self._candidates, self._generator
            ).to(self.device)
            rows = torch.unique(torch.cat([drawn.entity, batch.head]))
            x = self.model.encode(messages, rows)
            head, answer, tails = (
                torch.searchsorted(rows, some) for some in (batch.head, batch.answer, drawn.entity)
            )
            scores = self.model.query(x, head, batch.rel) @ x[tails].T + drawn.log_weight
            loss = answer_loss(scores, batch.row, drawn.columns(batch.answer))
        else:
            x, head, answer = self.model.encode(messages), batch.head, batch.answer
            scores = self.model.query(x, head, batch.rel) @ x.T
            loss = answer_loss(scores, batch.row, answer)
        # N3 of the three factors of every (question, answer) pair.
        penalty = (
            cubed_norm(x[head])[batch.row].mean()
            + cubed_norm(self.model.rel[batch.rel])[batch.row].mean()
            + cubed_norm(x)[answer].mean()
        )
        return loss + self.config.penalty * penalty


def build_member(data: LearningData, config: MemberConfig) -> Member:
    """An untrained member for these rows; torch's random state decides the weights."""
    return Member(
        data.num_entities,
        data.num_relations,
        dim=config.dim,
        narrow=config.narrow,
        layers=config.layers,
        dropout=config.dropout,
    )


def scorer_of(model: Member | PathMember | Teacher, messages: Messages) -> Scorer:
    """Log-probabilities of rows as NumPy, in evaluation mode; entities are encoded once."""
    model.eval()
    device = messages.rel.device
    with torch.no_grad():
        x: Any = model.encode(messages)

    def score(heads: Ids, rels: Ids) -> Floats:
        head, rel = (torch.from_numpy(a.astype(np.int64)).to(device) for a in (heads, rels))
        with torch.no_grad():
            scores = model.scores(x, head, rel)
            rows: Floats = torch.log_softmax(scores, dim=1).cpu().numpy()
        return rows

    return score


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
