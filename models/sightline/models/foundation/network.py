"""The foundation member as torch learns it: a path network whose weights are computed.

An encoder turns the graph of relations (``relations``) into a vector for every directed relation,
as the question's one sees it; a small network per step turns that vector into the step's weights.
So nothing here belongs to one graph. The rest is the path member: rows within some steps of the
question's head, each hearing its neighbours. ``arrays`` is the same in NumPy, for answers.

Knows tensors of rows and directed relations; knows no file and no loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sightline.graph.arrays import Ids
from sightline.models.foundation import kernels
from sightline.models.foundation.relations import OF_ANSWER, OF_PAIR, OF_REL, RelationGraph
from sightline.models.members.path.kernels import grow
from sightline.models.members.path.rows import WIDTH, MaskedQuery

STEPS, PLAIN_ROUNDS, TOLD_ROUNDS = 5, 1, 2


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of some questions in one graph after each step; see ``kernels.gather``.

    Attributes:
        start: int64 ``(steps + 1, B + 1)``: where each question's rows start after each step.
    """

    graph: RelationGraph
    which: Any
    place: Any
    entity: Any
    start: Any

    @classmethod
    def around(cls, graph: RelationGraph, heads: Ids, which: Any, limit: int) -> Rows:
        """Grow the rows of every question, the nearest ``limit`` of each."""
        size, n = len(heads), graph.num_entities
        place = np.full((size, n), -1, np.int32)
        entity = np.zeros((size, min(limit, n)), np.int32)
        count = np.zeros((size, STEPS + 1), np.int64)
        grow(graph.edges, MaskedQuery.of(heads), place, entity, count)
        start = np.zeros((STEPS + 1, size + 1), np.int64)
        start[:, 1:] = np.cumsum(count.T, axis=1)
        return cls(graph, np.asarray(which, np.int64), place, entity, start)

    def at(self, step: int) -> tuple[Any, Any]:
        """Question and place among its rows of each row within ``step`` steps: int64 ``(M,)``."""
        start = self.start[step]
        question = np.repeat(np.arange(len(start) - 1), np.diff(start))
        return question, np.arange(len(question)) - start[question]

    def where(self, step: int) -> tuple[Any, ...]:
        """The first arguments of the kernels."""
        between = self.start[step - 1], self.start[step]
        return self.graph.edges, self.place, self.entity, *between, self.which


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, rows: Rows, step: int) -> Any:
        x, weight, size = x.contiguous(), weight.contiguous(), int(rows.start[step, -1])
        out, count = torch.zeros(size, 2, WIDTH), torch.zeros(size)
        arrays = [each.detach().numpy() for each in (x, weight, out, count)]
        kernels.gather(*rows.where(step), *arrays)
        ctx.save_for_backward(x, weight, out)
        ctx.mark_non_differentiable(count)
        ctx.rows, ctx.step = rows, step
        return out, count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight, out = ctx.saved_tensors
        found = torch.zeros_like(x), torch.zeros_like(weight)
        tensors = (x, weight, out, grads[0].contiguous(), *found)
        arrays = [each.detach().numpy() for each in tensors]
        kernels.gather_gradient(*ctx.rows.where(ctx.step), *arrays)
        return *found, None, None


class _Heard(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, graph: RelationGraph) -> Any:
        ctx.graph = graph
        return torch.from_numpy(graph.heard(y.detach().contiguous().numpy()))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return torch.from_numpy(ctx.graph.heard_turned(grads[0].contiguous().numpy())), None


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
        turned = torch.from_numpy(graph.turned)
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

    def forward(self, graph: RelationGraph, asked: Any) -> Tensor:
        """float32 ``(Q, 2R, WIDTH)`` for directed relations int ``(Q,)``."""
        z = self.first(torch.from_numpy(graph.of_rel))[None]
        for each in self.plain:
            z = each(z, graph)
        pairs = torch.from_numpy(graph.of_pairs(asked))
        own = z[0, torch.from_numpy(np.asarray(asked, np.int64))]
        h = self.of_pair(pairs) + self.of_rel(z) + self.of_asked(own)[:, None]
        h = self.join(torch.relu(h))
        for each in self.told:
            h = each(h, graph)
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

    def forward(self, x: Tensor, rels: Tensor, question: Tensor, rows: Rows, step: int) -> Tensor:
        """The rows after one step more, float32 ``(after, WIDTH)``."""
        heard, count = _Gather.apply(x, self.weight(rels), rows, step)  # type: ignore[no-untyped-call]
        start = rows.start[step]
        asked, within = rows.at(step - 1)
        x = x.new_zeros(len(heard), WIDTH).index_copy(0, torch.from_numpy(start[asked] + within), x)
        few, many = 1 / (count + 1), torch.log1p(count) / rows.graph.log_degree
        # The head hears its question in every step, as from itself.
        mean = heard[:, 0].index_add(0, torch.from_numpy(start[:-1]), question) * few[:, None]
        told = torch.cat([x, mean, heard[:, 1], mean * many[:, None]], dim=1)
        changed: Tensor = x + torch.relu(self.norm(self.change(told)))
        return changed


class Foundation(nn.Module):
    """Scores every entity by the paths to it, and by how often it answers such a question."""

    def __init__(self) -> None:
        super().__init__()
        self.relations = Relations()
        self.question = nn.Linear(WIDTH, WIDTH)
        self.steps = nn.ModuleList(Step() for _ in range(STEPS))
        self.read = nn.Linear(2 * WIDTH, 2 * WIDTH)
        self.score = nn.Linear(2 * WIDTH, 1)
        self.prior = nn.Linear(WIDTH, OF_ANSWER)

    def forward(self, graph: RelationGraph, heads: Ids, rels: Ids) -> Tensor:
        """Scores of all entities, float32 ``(B, N)``, for questions int32 ``(B,)``."""
        asked, which = np.unique(rels, return_inverse=True)
        vectors = self.relations(graph, asked)
        own = vectors[torch.arange(len(asked)), torch.from_numpy(asked.astype(np.int64))]
        chosen = torch.from_numpy(which.ravel())
        question = self.question(own)[chosen]
        rows = Rows.around(graph, heads, which.ravel(), graph.num_entities)
        x = question
        for i, step in enumerate(self.steps, start=1):
            x = step(x, vectors, question, rows, i)
        row, within = rows.at(STEPS)
        # One product for each question's half of the input instead of one for each row's.
        of_row, of_question = torch.split(self.read.weight, WIDTH, dim=1)
        base = question @ of_question.T + self.read.bias
        place = torch.from_numpy(row)
        scores = self.score(torch.relu(x @ of_row.T + base[place])).squeeze(1)
        found = self.score(torch.relu(base)).expand(-1, graph.num_entities)
        entity = torch.from_numpy(rows.entity[row, within].astype(np.int64))
        answers = torch.from_numpy(np.stack([graph.of_answers(int(rel)) for rel in asked]))
        prior = torch.einsum("qnf,qf->qn", answers, self.prior(own))
        ranked: Tensor = found.index_put((place, entity), scores) + prior[chosen]
        return ranked
