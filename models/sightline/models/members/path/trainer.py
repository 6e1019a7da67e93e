"""The training loop of a path member, and whether it is worth its time. Knows no workspace.

It is asked for one answer at a time, with the edge that gives the answer away hidden.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from sightline.graph.arrays import Ids
from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import with_reciprocals
from sightline.models.data.questions import Questions, tensors
from sightline.models.members.member import Training
from sightline.models.members.path.backends import path_graph
from sightline.models.members.path.graph import GROUP, Neighbourhood, PathGraph
from sightline.models.members.path.network import PathMember
from sightline.models.members.path.rows import ALL_EDGES, MaskedQuery
from sightline.models.training.presets import PathConfig
from sightline.models.training.trainer import Trainer, cosine

#: Evaluations, spread evenly; the triples ranked at each.
ROUNDS, RANKED = 10, 300
#: Share of the steps in which the rate rises.
WARM_UP = 0.05
#: A row costs what so many messages cost; asking costs a third of learning. Both measured.
ROW_COST, ASK_SHARE = 70, 1 / 3
#: Questions that tell what one costs and how far its answer is.
PROBES = 64
#: A step that reaches less than this share more is not taken.
REACH = 0.95
#: Below so many questions it learns too little to be of use.
FEWEST = 10_000
#: More directed relations make the weights of a step larger than everything else.
MOST_RELS = 2048
#: A score that no softmax sees.
NEVER = -1e9


class PathTrainer(Trainer):
    """Trains a path member on single answers, both directions.

    Attributes:
        answers: how many it will learn from; 0 where training it would not pay.
    """

    model: PathMember
    config: PathConfig
    epochs = ROUNDS
    _largest_gradient = 1.0

    def __init__(
        self, questions: Questions, config: PathConfig, seed: int, name: str = "train"
    ) -> None:
        super().__init__(questions, seed, name)
        data = self.data
        self._graph = path_graph(self.questions.messages)
        steps = steps_to_answers(self._graph, data, config)
        self.config = config = replace(config, steps=steps)
        self._asked = with_reciprocals(data.train, data.num_relations)
        self.answers = affordable(self._graph, data, config)
        self._pool, self._batch = len(self._asked), config.batch

    @property
    def _per_epoch(self) -> int:
        return self._batch * max(1, self.answers // (ROUNDS * self._batch))

    def _build(self) -> None:
        self.model = build(self.data, self.config).to(self.device)
        self._optimizers = {"adam": torch.optim.Adam(self.model.parameters(), lr=self.config.rate)}

    def _sample(self) -> Ids:
        return self.data.select[:: max(1, -(-len(self.data.select) // RANKED))]

    def _rate(self, done: float) -> float:
        """Up in a line, down along a cosine."""
        if done < WARM_UP:
            return self.config.rate * (done / WARM_UP + 0.01)
        return self.config.rate * cosine((done - WARM_UP) / (1 - WARM_UP))

    def _losses(self, positions: Tensor) -> Iterator[Tensor]:
        """The cross entropies of single answers, each against all that are not known to be one, a
        few at a time to keep memory small."""
        triples = self._asked[positions.numpy()]
        for start in range(0, len(triples), self._graph.group):
            some = triples[start : start + self._graph.group]
            _, rel, answer = tensors(self.device, *some.T)
            asked = hiding(some, self.data.num_relations, everything=self.questions.hides_all)
            scores = self.model.ask(self._graph, asked, rel)
            others = tuple(tensors(self.device, *self.data.questions.others(*some.T)))
            scores = scores.index_put(others, scores.new_tensor(NEVER))
            total = nn.functional.cross_entropy(scores, answer, reduction="sum")
            yield total / len(triples)


def train(training: Training, config: PathConfig) -> PathTrainer | None:
    """Train it where its work suffices to be of use."""
    if not config.work:
        return None
    trainer = PathTrainer(training.questions, config, training.seed, training.name)
    if not trainer.answers:
        return None
    training.run(trainer)
    return trainer


def build(data: LearningData, config: PathConfig) -> PathMember:
    """An untrained path member; torch's random state decides the weights."""
    return PathMember(data.num_relations, steps=config.steps, limit=config.limit)


def hiding(triples: Ids, num_relations: int, *, everything: bool) -> MaskedQuery:
    """The questions of int32 ``(B, 3)`` answers, each with its answer's edges hidden."""
    head, rel, tail = (np.ascontiguousarray(column) for column in triples.T)
    turned = ((rel + num_relations) % (2 * num_relations)).astype(np.int32)
    if everything:
        rel = turned = np.full(len(head), ALL_EDGES, np.int32)
    return MaskedQuery(head, tail, rel, turned)


def steps_to_answers(graph: PathGraph, data: LearningData, config: PathConfig) -> int:
    """Steps that reach nearly all answers of ``select`` that ``config.most_steps`` reach."""
    pairs = data.select[:: max(1, -(-len(data.select) // PROBES))]
    reached = torch.zeros(config.most_steps + 1, device=graph.device)
    for some in np.split(pairs, range(GROUP, len(pairs), GROUP)):
        near = Neighbourhood.around(
            graph, MaskedQuery.of(some[:, 0]), config.most_steps, graph.num_entities
        )
        (tail,) = tensors(graph.device, some[:, 2])
        place = near.place[torch.arange(len(some), device=graph.device), tail]
        reached += ((place >= 0) & (place < near.start.diff(dim=1))).sum(dim=1)
    steps = range(config.steps, config.most_steps)
    enough = (s for s in steps if reached[s] >= REACH * reached[-1])
    return next(enough, config.most_steps)


def affordable(graph: PathGraph, data: LearningData, config: PathConfig) -> int:
    """Answers that a path member can learn from inside ``config.work``, after what it takes to ask
    it every question; 0 where that is too few to be worth it."""
    if not config.work or 2 * data.num_relations > MOST_RELS:
        return 0
    cost = question_cost(graph, data, config)
    left = config.work - cost * ASK_SHARE * len(data.train)
    wanted = min(int(left / cost), config.passes * 2 * len(data.train))
    enough = min(FEWEST, 2 * len(data.train))
    return wanted if wanted >= enough else 0


def question_cost(graph: PathGraph, data: LearningData, config: PathConfig) -> float:
    """Messages that learning from one answer costs, rows counted as messages."""
    rng = np.random.default_rng(0)
    head = data.train[rng.integers(len(data.train), size=PROBES), 2 * rng.integers(2)]
    near = Neighbourhood.around(graph, MaskedQuery.of(head), config.steps, config.limit)
    degree = graph.edges.indptr.diff()
    cost = 0.0
    for step in range(1, config.steps + 1):
        _, entity, _ = near.rows(step)
        cost += float(degree[entity].sum()) + ROW_COST * len(entity)
    return cost / PROBES
