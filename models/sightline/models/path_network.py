"""A member of the teacher that learns no entity: it reads the paths from a question's head.

Bellman-Ford in vectors (NBFNet, Zhu et al. 2021, arXiv:2106.06935): the question's vector starts at
its head; in every step a row hears its neighbours, each message multiplied by a weight that depends
on the edge's slot and on the question, and several summaries of what it heard (PNA, Corso et al.
2020, arXiv:2004.05718) change it. Only rows that the question has reached take part (AdaProp, Zhang
et al. 2023, arXiv:2205.15319), so a step costs what the neighbourhood holds and not the graph.

Knows tensors of rows and slots; knows no file, no loss and no rank.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sightline.models.member import Messages
from sightline.models.path_kernels import (
    LARGEST,
    SMALLEST,
    SQUARES,
    SUM,
    WIDTH,
    Asked,
    Edges,
    gather,
    gather_gradient,
    grow,
)

#: Questions scored at once: what keeps a step's tensors below 32 MB on a graph of some thousand
#: entities, beyond which the C library maps memory anew at every step.
GROUP = 8
#: Standard deviation of what draws slots apart at the start.
SPREAD = 0.1


@dataclass(frozen=True, slots=True)
class PathGraph:
    """What a path member reads: edges, grouped by target.

    Attributes:
        log_degree: mean of log(edges + 1) over the entities, what a row's own is compared with.
        device: where the network is.
    """

    edges: Edges
    log_degree: float
    device: torch.device

    @classmethod
    def of(cls, messages: Messages) -> PathGraph:
        """Group messages by target, O(E log E)."""
        num_entities = messages.num_entities
        (source, target), slot = messages.ends.cpu().numpy(), messages.slot.cpu().numpy()
        order = np.lexsort((slot, source, target))
        degree = np.bincount(target, minlength=num_entities)
        indptr = np.append(0, np.cumsum(degree)).astype(np.int64)
        edges = Edges(indptr, source[order].astype(np.int32), slot[order].astype(np.int32))
        log_degree = max(float(np.log1p(degree).mean()), 1e-6)
        return cls(edges, log_degree, messages.slot.device)

    @property
    def num_entities(self) -> int:
        return len(self.edges.indptr) - 1


@dataclass(frozen=True, slots=True)
class Ball:
    """The rows of some questions, after each step.

    Attributes:
        place, entity: as ``path_kernels.grow`` leaves them.
        start: int64 ``(steps + 1, B + 1)``: where each question's rows start after each step.
    """

    graph: PathGraph
    asked: Asked
    place: npt.NDArray[np.int32]
    entity: npt.NDArray[np.int32]
    start: npt.NDArray[np.int64]

    @classmethod
    def around(cls, graph: PathGraph, asked: Asked, steps: int, limit: int) -> Ball:
        """Grow the rows of every question."""
        size, num_entities = len(asked.head), graph.num_entities
        place = np.full((size, num_entities), -1, np.int32)
        entity = np.zeros((size, min(limit, num_entities)), np.int32)
        count = np.zeros((size, steps + 1), np.int64)
        grow(graph.edges, asked, place, entity, count)
        start = np.zeros((steps + 1, size + 1), np.int64)
        np.cumsum(count.T, axis=1, out=start[:, 1:])
        return cls(graph, asked, place, entity, start)

    def rows(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Of each row within ``step`` steps: its question, its entity, and its place among the
        question's: int64 ``(M,)`` each."""
        start = self.start[step]
        question = np.repeat(np.arange(len(start) - 1), np.diff(start))
        within = np.arange(start[-1]) - start[question]
        entity = self.entity[question, within].astype(np.int64)
        return tuple(  # type: ignore[return-value]
            torch.from_numpy(a).to(self.graph.device) for a in (question, entity, within)
        )


class _Gather(torch.autograd.Function):
    """``path_kernels.gather`` with its gradient, on the CPU, a thread per part of the questions."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, ball: Ball, step: int) -> Any:
        x, weight, rows = x.contiguous(), weight.contiguous(), int(ball.start[step, -1])
        out, count = torch.zeros(rows, 4, WIDTH), torch.zeros(rows)
        arrays = _arrays(x, weight, out, count)
        _in_parts(lambda part: gather(part, *_where(ball, step), *arrays), ball)
        ctx.save_for_backward(x, weight, out)
        ctx.mark_non_differentiable(count)
        ctx.ball, ctx.step = ball, step
        return out, count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight, out = ctx.saved_tensors
        found = torch.zeros_like(x), torch.zeros_like(weight)
        arrays = _arrays(x, weight, out, grads[0].contiguous(), *found)
        where = _where(ctx.ball, ctx.step)
        _in_parts(lambda part: gather_gradient(part, *where, *arrays), ctx.ball)
        return *found, None, None


def _where(ball: Ball, step: int) -> tuple[Any, ...]:
    edges, asked = ball.graph.edges, ball.asked
    return edges, asked, ball.place, ball.entity, ball.start[step - 1], ball.start[step]


def _arrays(*tensors: Tensor) -> list[npt.NDArray[np.float32]]:
    return [tensor.detach().numpy() for tensor in tensors]


def _in_parts(work: Callable[[tuple[int, int]], None], ball: Ball) -> None:
    size, threads = len(ball.asked.head), torch.get_num_threads()
    bounds = np.linspace(0, size, min(threads, size) + 1).astype(int).tolist()
    parts = list(pairwise(bounds))
    if len(parts) < 2:
        work((0, size))
        return
    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(work, parts))


def gathered(x: Tensor, weight: Tensor, ball: Ball, step: int) -> tuple[Tensor, Tensor]:
    """What ``path_kernels.gather`` computes, for any device, in tensors.

    Costs memory for every message; the CPU has the kernel.

    Returns:
        float32 ``(M, 4, WIDTH)`` and how many messages each row heard, float32 ``(M,)``.
    """
    device = x.device
    edges = [torch.from_numpy(a).to(device) for a in ball.graph.edges]
    indptr, source_of, slot_of = (a.long() for a in edges)
    head, tail, hidden, turned = (torch.from_numpy(a).to(device).long() for a in ball.asked)
    before, after = (torch.from_numpy(ball.start[s]).to(device) for s in (step - 1, step))
    question, target, _ = ball.rows(step)
    count = indptr[target + 1] - indptr[target]
    row = torch.repeat_interleave(torch.arange(len(target), device=device), count)
    ends = torch.cumsum(count, 0)
    edge = torch.arange(len(row), device=device) + (indptr[target] - ends + count)[row]
    b, source, slot, target = question[row], source_of[edge], slot_of[edge], target[row]
    place = torch.from_numpy(ball.place).to(device)[b, source].long()
    forth, back = (
        (source == one[b]) & (target == other[b]) for one, other in ((head, tail), (tail, head))
    )
    hides = (forth & (slot == hidden[b])) | (back & (slot == turned[b]))
    hides |= (forth | back) & (hidden[b] < -1)
    kept = (place >= 0) & (place < (before[1:] - before[:-1])[b]) & ~hides
    row, b, place, slot = row[kept], b[kept], place[kept], slot[kept]
    message = x[before[b] + place] * weight[b, slot]
    total = int(after[-1])
    index = row[:, None].expand_as(message)
    zeros = torch.zeros(total, WIDTH, device=device, dtype=message.dtype)
    parts = {
        SUM: zeros.index_add(0, row, message),
        SQUARES: zeros.index_add(0, row, message.square()),
        LARGEST: zeros.scatter_reduce(0, index, message, "amax"),
        SMALLEST: zeros.scatter_reduce(0, index, message, "amin"),
    }
    heard = torch.bincount(row, minlength=total).to(message.dtype)
    return torch.stack([parts[i] for i in range(4)], dim=1), heard


class PathLayer(nn.Module):
    """One step: every row hears its neighbours and changes."""

    def __init__(self, slots: int) -> None:
        super().__init__()
        self.slot_weight = nn.Parameter(1.0 + SPREAD * torch.randn(slots, WIDTH))
        self.of_question = nn.Linear(WIDTH, slots * WIDTH)
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
        weight = self.slot_weight + self.of_question(question).view(len(question), -1, WIDTH)
        hear = _Gather.apply if x.device.type == "cpu" else gathered
        heard, count = hear(x, weight, ball, step)
        start = [torch.from_numpy(ball.start[s]).to(x.device) for s in (step - 1, step)]
        asked, _, within = ball.rows(step - 1)
        x = x.new_zeros(len(heard), WIDTH).index_copy(0, start[1][asked] + within, x)
        # What is counted is what was heard: an entity's degree would tell where an edge is hidden.
        few, many = 1 / (count + 1), torch.log1p(count) / ball.graph.log_degree
        # The head hears its question in every step, as from itself.
        at_head = start[1][:-1]
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
        slots = 2 * num_relations
        self.question = nn.Embedding(slots, WIDTH)
        self.layers = nn.ModuleList(PathLayer(slots) for _ in range(steps))
        self.read = nn.Linear(2 * WIDTH, 2 * WIDTH)
        self.score = nn.Linear(2 * WIDTH, 1)
        self.limit = limit

    def encode(self, messages: Messages) -> PathGraph:
        """What ``scores`` reads: nothing is computed before a question is asked."""
        return PathGraph.of(messages)

    def scores(self, graph: PathGraph, head: Tensor, slot: Tensor) -> Tensor:
        """Scores of all tails, float32 ``(B, N)``, a few questions at a time."""
        parts = [head.new_zeros((0, graph.num_entities), dtype=torch.float32)]
        for some, slots in zip(torch.split(head, GROUP), torch.split(slot, GROUP)):
            nothing = np.full(len(some), -1, np.int32)
            asked = Asked(some.cpu().numpy().astype(np.int32), nothing, nothing, nothing)
            parts.append(self.ask(graph, asked, slots))
        return torch.cat(parts)

    def ask(self, graph: PathGraph, asked: Asked, slot: Tensor) -> Tensor:
        """Scores of all tails, float32 ``(B, N)``, for questions with something to hide."""
        question = self.question(slot)
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
