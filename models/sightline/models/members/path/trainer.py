"""The fine-tuning of the path member, and what it may cost. Knows no workspace.

It begins as the foundation member that ships, and asks a part of the graph's facts that are hidden
from all it reads, as pre-training does.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sightline.graph.arrays import Ids
from sightline.models.data.dataset import LearningData, spread
from sightline.models.data.queries import KnownAnswers
from sightline.models.data.questions import Questions
from sightline.models.errors import FoundationUnusable
from sightline.models.foundation.file import shipped, weights_in
from sightline.models.foundation.network import STEPS
from sightline.models.foundation.relations import RelationGraph
from sightline.models.foundation.task import Task, loss_of
from sightline.models.members.member import Training
from sightline.models.members.path.backends import path_graph
from sightline.models.members.path.graph import Neighbourhood, PathGraph
from sightline.models.members.path.network import PathMember
from sightline.models.training.presets import PathConfig
from sightline.models.training.trainer import Trainer

#: Evaluations, spread evenly; the triples ranked at each.
ROUNDS, RANKED = 4, 200
#: Share of the facts that is hidden and asked; steps before others are.
HIDDEN, STEPS_A_TASK = (0.03, 0.15), 24
#: Share of the steps in which the rate rises, and after which it falls to zero.
WARM_UP, HOLD = 0.03, 0.3
#: A row costs what so many messages cost; asking costs a fifth of learning. Both measured.
ROW_COST, ASK_SHARE = 70, 1 / 5
#: Questions that tell what one costs.
PROBES = 64


class PathTrainer(Trainer):
    """Fine-tunes the foundation member on one graph."""

    model: PathMember
    config: PathConfig
    epochs = ROUNDS
    _batch = 1
    _largest_gradient = 1.0

    def __init__(
        self, questions: Questions, config: PathConfig, seed: int, name: str = "train"
    ) -> None:
        super().__init__(questions, seed, name)
        self.config = config
        # What a step asks follows from its number alone: there is nothing else to draw.
        self._pool = max(1, affordable(self.data, config) // (ROUNDS * config.batch))
        self._task = lru_cache(1)(self._task_of)

    def _build(self) -> None:
        self.model = build(self.data, self.config)
        weights = weights_in(shipped())
        self.model.load_state_dict({n: torch.from_numpy(v) for n, v in weights.items()})
        self.model.to(self.device)
        adam = torch.optim.Adam(self.model.parameters(), lr=self.config.rate, betas=(0.9, 0.98))
        self._optimizers = {"adam": adam}

    def _sample(self) -> Ids:
        return spread(self.data.select, RANKED)

    def _rate(self, done: float) -> float:
        """Up, level, and down in a line."""
        return self.config.rate * min(1, done / WARM_UP + 0.1, (1 - done) / (1 - HOLD))

    def _losses(self, positions: Tensor) -> Iterator[Tensor]:
        task, seen = self._task(self.step // STEPS_A_TASK)
        rng = np.random.default_rng([self._seed, self.step])
        size = min(self.config.batch, len(task.asked))
        chosen = np.sort(rng.choice(len(task.asked), size, replace=False))
        yield loss_of(self.model, seen, task, chosen, rng)[0]

    def _task_of(self, number: int) -> tuple[Task, PathGraph]:
        rng = np.random.default_rng([self._seed, number, 1])
        everything = self.questions.hides_all
        task = hiding(self.data, rng.uniform(*HIDDEN), rng, everything=everything)
        return task, path_graph(task.seen, self.device)


def train(training: Training, config: PathConfig) -> PathTrainer | None:
    """Fine-tune it, where it is there and its preset has work for it."""
    if not config.work:
        return None
    try:
        shipped()
    except FoundationUnusable as error:
        training.progress(training.name, 0, None, f"left out: {error}")
        return None
    trainer = PathTrainer(training.questions, config, training.seed, training.name)
    training.run(trainer)
    trainer.said["askable"] = int(askable(trainer.data, config))
    return trainer


def build(data: LearningData, config: PathConfig) -> PathMember:
    """An untrained path member; torch's random state decides the weights."""
    return PathMember(data.num_relations, limit=config.limit)


def hiding(data: LearningData, share: float, rng: np.random.Generator, *, everything: bool) -> Task:
    """Ask a share of the training facts, hidden from all the rest.

    Args:
        everything: whether all facts between the ends of a hidden one are hidden, too.
    """
    facts, shape = data.train, (data.num_entities, data.num_relations)
    hidden = np.zeros(len(facts), np.bool_)
    hidden[drawn(data, max(1, int(share * len(facts))), rng)] = True
    asked = KnownAnswers.of_triples(facts[hidden], *shape)
    if everything:
        low, high = np.sort(facts[:, [0, 2]].astype(np.int64), axis=1).T
        pair = low * shape[0] + high
        hidden = np.isin(pair, pair[hidden])
    return Task("", RelationGraph.of(facts[~hidden], *shape), asked, data.questions)


def drawn(data: LearningData, count: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Places of some training facts, each once, as likely as it counts."""
    if data.weight is None:
        return rng.permutation(len(data.train))[:count]
    sure = int(np.count_nonzero(data.weight))
    share = data.weight.astype(np.float64) / data.weight.sum(dtype=np.float64)
    return rng.choice(len(data.train), min(count, sure), replace=False, p=share)


def affordable(data: LearningData, config: PathConfig) -> int:
    """Questions that it learns from within ``config.learn``."""
    most = config.passes * 2 * len(data.train)
    return min(int(config.learn / question_cost(data, config)), most)


def askable(data: LearningData, config: PathConfig) -> float:
    """Questions that it can be asked within ``config.work``."""
    return config.work / (question_cost(data, config) * ASK_SHARE)


def question_cost(data: LearningData, config: PathConfig) -> float:
    """Messages that learning from one question costs, rows counted as messages."""
    rng = np.random.default_rng(0)
    shape = data.num_entities, data.num_relations
    graph = path_graph(RelationGraph.of(data.train, *shape), torch.device("cpu"))
    head = data.train[rng.integers(len(data.train), size=PROBES), 2 * rng.integers(2)]
    near = Neighbourhood.around(graph, head, np.zeros(PROBES), STEPS, config.limit)
    degree = graph.edges.indptr.diff()
    cost = 0.0
    for step in range(1, STEPS + 1):
        _, entity, _ = near.rows(step)
        cost += float(degree[entity].sum()) + ROW_COST * len(entity)
    return cost / PROBES
