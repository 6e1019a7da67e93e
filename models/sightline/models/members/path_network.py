"""A member of the teacher that learns no entity: it reads the paths from a question's head.

Bellman-Ford in vectors (NBFNet, Zhu et al. 2021, arXiv:2106.06935): the question's vector starts at
its head; in every step a row hears its neighbours, each message multiplied by a weight that depends
on the edge's directed relation and on the question, and several summaries of what it heard (PNA,
Corso et al.
2020, arXiv:2004.05718) change it. Only rows that the question has reached take part (AdaProp, Zhang
et al. 2023, arXiv:2205.15319), so a step costs what the neighbourhood holds and not the graph.

Knows tensors of rows and directed relations; knows no file, no loss and no rank.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sightline.models.members.messages import Messages
from sightline.models.members.path_ball import WIDTH, Asked, Ball, PathGraph, as_arrays, hides

#: What is said of a row's messages, ``WIDTH`` numbers each: their sum, the sum of their squares,
#: the largest and the smallest, zero being among the last two.
SUM, SQUARES, LARGEST, SMALLEST = range(4)
#: Standard deviation of what draws directed relations apart at the start.
SPREAD = 0.1


class _Gather(torch.autograd.Function):
    """What rows hear in a step, float32 ``(M, 4, WIDTH)``, and how many messages each hears.

    ``path_kernels.gather`` with its gradient, a thread per part of the questions.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, ball: Ball, step: int) -> Any:
        from sightline.models.members.path_kernels import gather

        x, weight, rows = x.contiguous(), weight.contiguous(), int(ball.start[step, -1])
        out, count = torch.zeros(rows, 4, WIDTH), torch.zeros(rows)
        arrays = [each.detach().numpy() for each in (x, weight, out, count)]
        _in_parts(lambda part: gather(part, *_where(ball, step), *arrays), ball)
        ctx.save_for_backward(x, weight, out)
        ctx.mark_non_differentiable(count)
        ctx.ball, ctx.step = ball, step
        return out, count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        from sightline.models.members.path_kernels import gather_gradient

        x, weight, out = ctx.saved_tensors
        found = torch.zeros_like(x), torch.zeros_like(weight)
        tensors = (x, weight, out, grads[0].contiguous(), *found)
        arrays = [each.detach().numpy() for each in tensors]
        where = _where(ctx.ball, ctx.step)
        _in_parts(lambda part: gather_gradient(part, *where, *arrays), ctx.ball)
        return *found, None, None


def _where(ball: Ball, step: int) -> tuple[Any, ...]:
    tensors = (ball.place, ball.entity, ball.start[step - 1], ball.start[step])
    return as_arrays(ball.graph.edges), as_arrays(ball.asked), *(each.numpy() for each in tensors)


def _in_parts(work: Callable[[tuple[int, int]], None], ball: Ball) -> None:
    size, threads = len(ball.place), torch.get_num_threads()
    bounds = np.linspace(0, size, min(threads, size) + 1).astype(int).tolist()
    parts = list(pairwise(bounds))
    if len(parts) < 2:
        work((0, size))
        return
    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(work, parts))


class _GatherTensors(torch.autograd.Function):
    """The same in tensors, on any device. Costs memory for every message of one step."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, ball: Ball, step: int) -> Any:
        row, sender, factor = _messages(ball, step, weight.shape[1])
        message = x[sender] * weight.flatten(0, 1)[factor]
        count = torch.bincount(row, minlength=int(ball.start[step, -1]))
        parts = {SUM: (message, "sum"), SQUARES: (message.square(), "sum")}
        parts |= {LARGEST: (message, "max"), SMALLEST: (message, "min")}
        out = torch.stack([_per_row(*parts[i], count) for i in range(4)], dim=1)
        ctx.save_for_backward(x, weight, out, count, row, sender, factor)
        heard = count.to(x.dtype)
        ctx.mark_non_differentiable(heard)
        return out, heard

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight, out, count, row, sender, factor = ctx.saved_tensors
        value, scale = x[sender], weight.flatten(0, 1)[factor]
        message = value * scale
        g = grads[0][:, SUM][row] + 2 * message * grads[0][:, SQUARES][row]
        for extreme, beyond in ((LARGEST, message > 0), (SMALLEST, message < 0)):
            chosen = (beyond & (message == out[:, extreme][row])).to(x.dtype)
            # Rows that are alike send equal messages: together they count as one.
            share = grads[0][:, extreme] / _per_row(chosen, "sum", count).clamp(min=1)
            g += chosen * share[row]
        of_x = torch.zeros_like(x).index_add_(0, sender, g * scale)
        of_weight = torch.zeros_like(weight).flatten(0, 1).index_add_(0, factor, g * value)
        return of_x, of_weight.view_as(weight), None, None


def _messages(ball: Ball, step: int, rels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of every message of a step: the row that hears it, the row that sends it, and which of all
    questions' weights: int64 ``(K,)`` each, the first ascending."""
    before, edges = ball.start[step - 1], ball.graph.edges
    question, target, _ = ball.rows(step)
    row, edge = ball.graph.edges_into(target)
    b, source, rel = question[row], edges.source[edge], edges.rel[edge]
    place = ball.place[b, source.long()]
    kept = (place >= 0) & (place < before.diff()[b])
    kept &= ~hides(ball.asked, b, source, rel, target[row])
    row, b = row[kept], b[kept]
    return row, before[b] + place[kept], b * rels + rel[kept]


def _per_row(values: Tensor, how: str, count: Tensor) -> Tensor:
    """The sum or an extreme of 0 and the next ``count`` of some values, float ``(K, WIDTH)``."""
    # A scatter would let messages to one row wait for each other on a GPU.
    return torch.segment_reduce(values, how, lengths=count, axis=0, initial=0)


class PathLayer(nn.Module):
    """One step: every row hears its neighbours and changes."""

    def __init__(self, rels: int) -> None:
        super().__init__()
        self.rel_weight = nn.Parameter(1.0 + SPREAD * torch.randn(rels, WIDTH))
        self.of_question = nn.Linear(WIDTH, rels * WIDTH)
        nn.init.normal_(self.of_question.weight, std=SPREAD / 2)
        nn.init.zeros_(self.of_question.bias)
        self.change = nn.Linear(9 * WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor, question: Tensor, ball: Ball, step: int) -> Tensor:
        """The rows after one step more.

        Args:
            x: float32 ``(before, WIDTH)``; question: float32 ``(B, WIDTH)``.

        Returns:
            float32 ``(after, WIDTH)``.
        """
        weight = self.rel_weight + self.of_question(question).view(len(question), -1, WIDTH)
        hear: Any = _Gather if ball.graph.compiled else _GatherTensors
        heard, count = hear.apply(x, weight, ball, step)
        start = ball.start[step]
        asked, _, within = ball.rows(step - 1)
        x = x.new_zeros(len(heard), WIDTH).index_copy(0, start[asked] + within, x)
        # What is counted is what was heard: an entity's degree would tell where an edge is hidden.
        few, many = 1 / (count + 1), torch.log1p(count) / ball.graph.log_degree
        # The head hears its question in every step, as from itself.
        at_head = start[:-1]
        mean = heard[:, SUM].index_add(0, at_head, question) * few[:, None]
        square = heard[:, SQUARES].index_add(0, at_head, question.square()) * few[:, None]
        spread = (square - mean.square()).clamp(min=1e-6).sqrt()
        told = torch.cat([mean, spread, heard[:, LARGEST], heard[:, SMALLEST]], dim=1)
        change = self.change(torch.cat([x, told, told * many[:, None]], dim=1))
        return x + torch.relu(self.norm(change))


class PathMember(nn.Module):
    """Scores every tail by the paths to it; entities it does not reach score alike.

    Args:
        steps: edges of the longest path.
        limit: rows a question may have; the nearest count.
    """

    def __init__(self, num_relations: int, *, steps: int, limit: int) -> None:
        super().__init__()
        rels = 2 * num_relations
        self.question = nn.Embedding(rels, WIDTH)
        self.layers = nn.ModuleList(PathLayer(rels) for _ in range(steps))
        self.read = nn.Linear(2 * WIDTH, 2 * WIDTH)
        self.score = nn.Linear(2 * WIDTH, 1)
        self.limit = limit

    def encode(self, messages: Messages) -> PathGraph:
        """What ``scores`` reads: nothing is computed before a question is asked."""
        return PathGraph.of(messages)

    def scores(self, graph: PathGraph, head: Tensor, rel: Tensor) -> Tensor:
        """Scores of all tails, float32 ``(B, N)``, a few questions at a time."""
        parts = [head.new_zeros((0, graph.num_entities), dtype=torch.float32)]
        for start in range(0, len(head), graph.group):
            some, rels = (each[start : start + graph.group] for each in (head, rel))
            nothing = np.full(len(some), -1, np.int32)
            asked = Asked(some.cpu().numpy().astype(np.int32), nothing, nothing, nothing)
            parts.append(self.ask(graph, asked, rels))
        return torch.cat(parts)

    def ask(self, graph: PathGraph, asked: Asked, rel: Tensor) -> Tensor:
        """Scores of all tails, float32 ``(B, N)``, for questions with something to hide."""
        question = self.question(rel)
        ball = Ball.around(graph, asked, len(self.layers), self.limit)
        x = question
        for step, layer in enumerate(self.layers, start=1):
            x = layer(x, question, ball, step)
        row, entity, _ = ball.rows(len(self.layers))
        # One product for each question's half of the input instead of one for each row's.
        of_row, of_question = torch.split(self.read.weight, WIDTH, dim=1)
        base = question @ of_question.T + self.read.bias
        scores = self.score(torch.relu(x @ of_row.T + base[row])).squeeze(1)
        unreached = self.score(torch.relu(base))
        found: Tensor = unreached.expand(-1, graph.num_entities).index_put((row, entity), scores)
        return found
