"""A member of the teacher: a relational graph network with a bilinear decoder.

Encoder: learnt entity vectors, refined by layers in the manner of CompGCN (Vashishth et al. 2020,
arXiv:1911.03082) whose messages pass through a narrow space, with a residual that starts at zero.
Decoder: ComplEx (Trouillon et al. 2016, arXiv:1606.06357) with reciprocal directed relations, for
all tails at once. Without a layer it is plain ComplEx, which is the member ``partner``.

It learns whole questions, all answers at once. The best N3 penalty differs a hundredfold between
graphs, so each graph gets its own by a short trial.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from sightline.models.data.dataset import LearningData
from sightline.models.data.messages import MessagePassing, Messages
from sightline.models.data.questions import Questions
from sightline.models.members.member import Training
from sightline.models.training.loss import Candidates, answer_loss
from sightline.models.training.presets import NetworkConfig, batch_for, epochs_for
from sightline.models.training.trainer import Trainer


class RelationalConv(MessagePassing):  # type: ignore[misc]
    """One layer: x + Up(relu(norm(z + mean over in-edges of z_source * w_rel))), z = Down(x).

    The narrow z (width ``narrow`` of ``dim``) makes a message cheap, and what one directed relation
    brings to one target is summed before it is multiplied: O(M narrow) time, O(G narrow) memory for
    G groups.
    """

    def __init__(self, dim: int, narrow: int, rels: int, dropout: float) -> None:
        super().__init__(aggr="sum")
        self.down = nn.Linear(dim, narrow, bias=False)
        self.rel_weight = nn.Parameter(1.0 + 0.1 * torch.randn(rels, narrow))
        self.norm = nn.LayerNorm(narrow)
        self.dropout = nn.Dropout(dropout)
        self.up = nn.Linear(narrow, dim)
        # The residual starts at zero: training begins as plain ComplEx and adds what helps.
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor, messages: Messages, rows: Tensor | None = None) -> Tensor:
        """float32 ``(N, dim)`` to the same, or to the ``(n, dim)`` of some rows."""
        z = self.down(x)
        groups = messages.groups
        weight = self.rel_weight.index_select(0, groups.rel)
        sums = messages.group_sums(z)
        size = (len(sums), len(z))
        received = self.propagate(groups.ends, z=(sums, None), weight=weight, size=size)
        received = received / messages.received().clamp(min=1)[:, None]
        if rows is not None:
            x, z, received = x[rows], z[rows], received[rows]
        refined: Tensor = x + self.up(self.dropout(torch.relu(self.norm(z + received))))
        return refined

    def message(self, z_j: Tensor, weight: Tensor) -> Tensor:
        """Composition by multiplication, eq. 2 of CompGCN: float32 ``(G, narrow)``."""
        return z_j * weight


class GraphNetwork(nn.Module):
    """Scores every tail of a question.

    Args:
        config: its ``dim`` is even: an entity is read as dim / 2 complex numbers.
    """

    def __init__(self, num_entities: int, num_relations: int, config: NetworkConfig) -> None:
        super().__init__()
        rels = 2 * num_relations
        self.entity = nn.Parameter(0.01 * torch.randn(num_entities, config.dim))
        self.rel = nn.Parameter(0.01 * torch.randn(rels, config.dim))
        self.layers = nn.ModuleList(
            RelationalConv(config.dim, config.narrow, rels, config.dropout)
            for _ in range(config.layers)
        )

    def encode(self, messages: Messages, rows: Tensor | None = None) -> Tensor:
        """Entity vectors after message passing: float32 ``(N, dim)``.

        Args:
            rows: int64 ``(n,)``: those that are needed, if not all; then ``(n, dim)``.
        """
        x: Tensor = self.entity
        for number, layer in enumerate(self.layers, start=1):
            x = layer(x, messages, rows if number == len(self.layers) else None)
        return x if rows is None or len(self.layers) else x[rows]

    def query(self, x: Tensor, head: Tensor, rel: Tensor) -> Tensor:
        """The vector whose product with a tail's is its score: float32 ``(B, dim)``.

        Re(<h, r, conj(t)>) = <h * r, t> over the real and imaginary halves.
        """
        real, imaginary = x[head].chunk(2, dim=1)
        a, b = self.rel[rel].chunk(2, dim=1)
        return torch.cat([real * a - imaginary * b, real * b + imaginary * a], dim=1)

    def scores(self, x: Tensor, head: Tensor, rel: Tensor) -> Tensor:
        """Scores of all tails: float32 ``(B, N)``."""
        return self.query(x, head, rel) @ x.T


class NetworkTrainer(Trainer):
    """Trains a graph network or its partner on whole questions, all answers at once."""

    model: GraphNetwork
    config: NetworkConfig

    def __init__(
        self, questions: Questions, config: NetworkConfig, seed: int, name: str = "train"
    ) -> None:
        super().__init__(questions, seed, name)
        self.config, self.patience = config, config.patience
        self._candidates = min(config.candidates, self.data.num_entities)
        self._batch = batch_for(len(self.questions))
        pairs = len(self.questions) * self._candidates
        self.epochs = epochs_for(config.epochs, config.work, pairs)
        self._evaluate_every = max(1, self.epochs // 30)

    def _build(self) -> None:
        config = self.config
        self.model = build(self.data, config).to(self.device)
        vectors = [self.model.entity, self.model.rel]
        self._optimizers = {"vectors": torch.optim.Adagrad(vectors, lr=config.rate)}
        if config.layers:
            weights = self.model.layers.parameters()
            self._optimizers["layers"] = torch.optim.Adam(weights, lr=config.rate_network)

    def _losses(self, positions: Tensor) -> Iterator[Tensor]:
        batch = self.questions.batch(positions)
        messages = self.questions.messages_without(positions)
        drawn, rows = Candidates(), None
        if self._candidates < self.data.num_entities:
            some = batch.answer.cpu(), self.data.num_entities, self._candidates
            drawn = Candidates.sample(*some, self._generator).to(self.device)
        if drawn.entity is not None:
            rows = torch.unique(torch.cat([drawn.entity, batch.head]))

        def place(entity: Tensor) -> Tensor:
            return entity if rows is None else torch.searchsorted(rows, entity)

        x, head, answer = self.model.encode(messages, rows), place(batch.head), place(batch.answer)
        tails = x if drawn.entity is None else x[place(drawn.entity)]
        scores = drawn.weighted(self.model.query(x, head, batch.rel) @ tails.T)
        loss = answer_loss(scores, batch.row, drawn.columns(batch.answer), weight=batch.weight)
        # N3 of the three factors of every (question, answer) pair.
        penalty = (
            cubed_norm(x[head])[batch.row].mean()
            + cubed_norm(self.model.rel[batch.rel])[batch.row].mean()
            + cubed_norm(x)[answer].mean()
        )
        yield loss + self.config.penalty * penalty


def build(data: LearningData, config: NetworkConfig) -> GraphNetwork:
    """An untrained network; torch's random state decides the weights."""
    return GraphNetwork(data.num_entities, data.num_relations, config)


def train(training: Training, config: NetworkConfig) -> NetworkTrainer | None:
    """Try penalties for a share of the epochs and go on with the best on ``select``, where its
    preset has work for it."""
    if not config.work:
        return None

    def begun(penalty: float) -> NetworkTrainer:
        one = replace(config, penalty=penalty)
        name = f"{training.name} penalty {penalty}"
        return NetworkTrainer(training.questions, one, training.seed, name)

    def trial(penalty: float) -> float:
        trainer = begun(penalty)
        training.run(trainer, share=config.trial)
        return trainer.best_mrr or 0.0

    can_choose = len(training.questions.data.select) > 0
    found = hill_climb(config.penalties, config.penalty, trial) if can_choose else {}
    # One at a time is in memory, and the best goes on from its checkpoint.
    best = begun(max(found, key=found.__getitem__, default=config.penalty))
    training.run(best)
    best.said["tried"] = found
    return best


def hill_climb(
    grid: Sequence[float], start: float, score: Callable[[float], float]
) -> dict[float, float]:
    """Score a value of an ascending grid and those beside it, on and on where it gets better: what
    was scored, with its score."""
    found = {start: score(start)}
    for way in (1, -1):
        place = grid.index(start) + way
        while 0 <= place < len(grid):
            found[grid[place]] = score(grid[place])
            if found[grid[place]] <= found[grid[place - way]]:
                break
            place += way
        if max(found.values()) > found[start]:
            break
    return found


def cubed_norm(vectors: Tensor) -> Tensor:
    """Sum of |z|^3 over complex coordinates, per row: the N3 penalty of Lacroix et al. 2018
    (arXiv:1806.07297). float32 ``(n, dim)`` to ``(n,)``."""
    real, imaginary = vectors.chunk(2, dim=1)
    return (real.square() + imaginary.square() + 1e-12).pow(1.5).sum(dim=1)
