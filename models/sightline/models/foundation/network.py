"""The path member as torch learns it, whose weights are computed from a graph of relations.

Bellman-Ford in vectors (NBFNet, Zhu et al. 2021, arXiv:2106.06935): the question's vector starts at
its head; in every step a row hears its neighbours, each message multiplied by a weight of the
edge's directed relation, and what it heard changes it. Only rows that the question has reached take
part (AdaProp, Zhang et al. 2023, arXiv:2205.15319), so a step costs what the neighbourhood holds
and not the graph.

An encoder turns the graph of relations (``relations``) into a vector for every directed relation,
as the question's one sees it; a small network per step turns that vector into the step's weights.
So nothing here belongs to one graph. ``arrays`` is the same in NumPy, for answers.

Knows tensors of rows and directed relations; knows no file and no loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sightline.graph.arrays import Ids
from sightline.models.foundation.relations import OF_ANSWER, OF_PAIR, OF_REL, RelationGraph
from sightline.models.members.path.graph import Neighbourhood, PathGraph
from sightline.models.members.path.rows import LARGEST, SUM, WIDTH

STEPS, PLAIN_ROUNDS, TOLD_ROUNDS = 5, 1, 2


class _Heard(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, graph: RelationGraph) -> Any:
        ctx.graph = graph
        return torch.from_numpy(graph.heard(y.detach().cpu().contiguous().numpy())).to(y.device)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        found = ctx.graph.heard_turned(grads[0].cpu().contiguous().numpy())
        return torch.from_numpy(found).to(grads[0].device), None


class Round(nn.Module):
    """Every directed relation hears those that it meets, in each of the four ways."""

    def __init__(self) -> None:
        super().__init__()
        self.own = nn.Linear(WIDTH, WIDTH)
        self.met = nn.Linear(2 * WIDTH, 2 * WIDTH, bias=False)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, h: Tensor, graph: RelationGraph) -> Tensor:
        """float32 ``(Q, 2R, WIDTH)`` to the same."""
        questions, rels, _ = h.shape
        turned = torch.from_numpy(graph.turned).to(h.device)
        y = torch.cat([h, h[:, turned]], dim=2).transpose(0, 1).reshape(rels, -1)
        heard = _Heard.apply(y, graph).view(rels, questions, 2 * WIDTH).transpose(0, 1)  # type: ignore[no-untyped-call]
        at_head, at_tail = self.met(heard).split(WIDTH, dim=2)
        change = self.own(h) + at_head + at_tail[:, turned]
        changed: Tensor = h + torch.relu(self.norm(change))
        return changed


class Relations(nn.Module):
    """A vector for every directed relation as a question's one sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(OF_REL, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))
        self.plain = nn.ModuleList(Round() for _ in range(PLAIN_ROUNDS))
        self.of_pair = nn.Linear(OF_PAIR, 2 * WIDTH)
        self.of_rel = nn.Linear(WIDTH, 2 * WIDTH, bias=False)
        self.of_asked = nn.Linear(WIDTH, 2 * WIDTH, bias=False)
        self.join = nn.Linear(2 * WIDTH, WIDTH)
        self.told = nn.ModuleList(Round() for _ in range(TOLD_ROUNDS))
        self.out = nn.LayerNorm(WIDTH)

    def forward(self, graph: PathGraph, asked: Ids) -> Tensor:
        """float32 ``(Q, 2R, WIDTH)`` for directed relations int ``(Q,)``."""
        relations = graph.relations
        z = self.first(graph.tensor(relations.of_rel))[None]
        for each in self.plain:
            z = each(z, relations)
        pairs = graph.tensor(relations.of_pairs(asked))
        own = z[0, graph.tensor(asked.astype(np.int64))]
        h = self.of_pair(pairs) + self.of_rel(z) + self.of_asked(own)[:, None]
        h = self.join(torch.relu(h))
        for each in self.told:
            h = each(h, relations)
        found: Tensor = self.out(h)
        return found


class Step(nn.Module):
    """One step: every row hears its neighbours and changes."""

    def __init__(self) -> None:
        super().__init__()
        last = nn.Linear(WIDTH, WIDTH)
        nn.init.normal_(last.weight, std=0.05)
        nn.init.ones_(last.bias)
        self.weight = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), last)
        self.change = nn.Linear(4 * WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(
        self, x: Tensor, rels: Tensor, question: Tensor, near: Neighbourhood, step: int
    ) -> Tensor:
        """The rows after one step more, float32 ``(after, WIDTH)``."""
        heard, count = near.graph.backend.gather(x, self.weight(rels), near, step)
        start = near.start[step]
        asked, _, within = near.rows(step - 1)
        x = x.new_zeros(len(heard), WIDTH).index_copy(0, start[asked] + within, x)
        few, many = 1 / (count + 1), torch.log1p(count) / near.graph.relations.log_degree
        # The head hears its question in every step, as from itself.
        mean = heard[:, SUM].index_add(0, start[:-1], question) * few[:, None]
        told = torch.cat([x, mean, heard[:, LARGEST], mean * many[:, None]], dim=1)
        changed: Tensor = x + torch.relu(self.norm(self.change(told)))
        return changed


class Foundation(nn.Module):
    """Scores every entity by the paths to it, and by how often it answers such a question.

    Attributes:
        limit: rows a question may have; the nearest count.
    """

    limit = 1 << 30

    def __init__(self) -> None:
        super().__init__()
        self.relations = Relations()
        self.question = nn.Linear(WIDTH, WIDTH)
        self.steps = nn.ModuleList(Step() for _ in range(STEPS))
        self.read = nn.Linear(2 * WIDTH, 2 * WIDTH)
        self.score = nn.Linear(2 * WIDTH, 1)
        self.prior = nn.Linear(WIDTH, OF_ANSWER)

    def forward(self, graph: PathGraph, heads: Ids, rels: Ids) -> Tensor:
        """Scores of all entities, float32 ``(B, N)``, for questions int32 ``(B,)``."""
        asked, which = np.unique(rels, return_inverse=True)
        vectors = self.relations(graph, asked)
        own = vectors[torch.arange(len(asked)), graph.tensor(asked.astype(np.int64))]
        near = Neighbourhood.around(graph, heads, which.ravel(), STEPS, self.limit)
        question = self.question(own)[near.which]
        x = question
        for i, step in enumerate(self.steps, start=1):
            x = step(x, vectors, question, near, i)
        row, entity, _ = near.rows(STEPS)
        # One product for each question's half of the input instead of one for each row's.
        of_row, of_question = torch.split(self.read.weight, WIDTH, dim=1)
        base = question @ of_question.T + self.read.bias
        scores = self.score(torch.relu(x @ of_row.T + base[row])).squeeze(1)
        found = self.score(torch.relu(base)).expand(-1, graph.num_entities)
        answers = graph.tensor(np.stack([graph.relations.of_answers(int(rel)) for rel in asked]))
        prior = torch.einsum("qnf,qf->qn", answers, self.prior(own))
        ranked: Tensor = found.index_put((row, entity), scores) + prior[near.which]
        return ranked
