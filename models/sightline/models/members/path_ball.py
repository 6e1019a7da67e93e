"""What a question's paths run through: the entities within some steps of its head.

A *row* is an entity as one question sees it. A question's rows are in order of their distance from
its head, so that the rows within any number of steps are a prefix; what a question hides from
itself (its own answer's edge, in both directions) is passed over wherever rows or messages are
made.

Rows are found by ``path_kernels`` on the CPU, and by the same search in tensors on other devices or
where numba is not installed. Knows tensors of rows and directed relations; knows no network.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sightline.models.members.messages import Messages

#: Numbers per row; a constant, so that the kernels' innermost loops become a few vector
#: instructions.
WIDTH = 32
#: ``Asked.rel`` where every edge between head and tail is hidden.
ALL_EDGES = -2
#: Questions scored at once on the CPU: what keeps a step's tensors below 32 MB on a graph of some
#: thousand entities, beyond which the C library maps memory anew at every step.
GROUP = 8
#: Elsewhere as many as fit into this share of the device's memory: learning holds so many copies of
#: every message of a step, and of every row of all steps.
MEMORY, MESSAGE_COPIES, ROW_COPIES = 0.75, 10, 100


class Edges(NamedTuple):
    """A graph's edges, both directions, grouped by target.

    Attributes:
        indptr: int64 ``(N + 1,)``.
        source, rel: int32 ``(E,)``; the directed relation is read from source to target.
    """

    indptr: Any
    source: Any
    rel: Any


class Asked(NamedTuple):
    """Questions, and the edges each must not see: int32 ``(B,)`` each.

    Attributes:
        head: where the question starts.
        tail: the end of what is hidden; -1 hides nothing.
        rel, turned: the hidden edge's directed relation from head to tail, and back; or
    ``ALL_EDGES`` twice.
    """

    head: Any
    tail: Any
    rel: Any
    turned: Any


@dataclass(frozen=True, slots=True)
class PathGraph:
    """What a path member reads: edges, grouped by target.

    Attributes:
        edges: tensors where the network is.
        log_degree: mean of log(edges + 1) over the entities, what a row's own is compared with.
        compiled: whether ``path_kernels`` do the work.
    """

    edges: Edges
    log_degree: float
    compiled: bool

    @classmethod
    def of(cls, messages: Messages) -> PathGraph:
        """Group messages by target, O(E log E)."""
        (source, target), rel = messages.ends.cpu().numpy(), messages.rel.cpu().numpy()
        order = np.lexsort((rel, source, target))
        degree = np.bincount(target, minlength=messages.num_entities)
        indptr = np.append(0, np.cumsum(degree)).astype(np.int64)
        arrays = indptr, source[order].astype(np.int32), rel[order].astype(np.int32)
        device = messages.rel.device
        return cls(
            Edges(*(torch.from_numpy(array).to(device) for array in arrays)),
            max(float(np.log1p(degree).mean()), 1e-6),
            compiled=device.type == "cpu" and find_spec("numba") is not None,
        )

    @property
    def num_entities(self) -> int:
        return len(self.edges.indptr) - 1

    @property
    def device(self) -> torch.device:
        """Where questions are answered."""
        device: torch.device = self.edges.rel.device
        return device

    @property
    def group(self) -> int:
        """How many questions are scored at once."""
        if self.device.type == "cpu":
            return GROUP
        numbers = MESSAGE_COPIES * len(self.edges.rel) + ROW_COPIES * self.num_entities
        memory = torch.cuda.get_device_properties(self.device).total_memory
        return max(1, int(MEMORY * memory / (4 * WIDTH * numbers)))

    def edges_into(self, target: Tensor) -> tuple[Tensor, Tensor]:
        """The edges into entities int64 ``(M,)``: the place in ``target`` and the place among the
        edges, int64 ``(K,)`` each, in the order of both."""
        indptr = self.edges.indptr
        count = indptr[target + 1] - indptr[target]
        row = torch.repeat_interleave(count)
        first = indptr[target] - torch.cumsum(count, 0) + count
        return row, torch.arange(len(row), device=row.device) + first[row]


@dataclass(frozen=True, slots=True)
class Ball:
    """The rows of some questions, after each step.

    Attributes:
        asked: tensors, as ``place`` and ``entity`` are.
        place: int32 ``(B, N)``: the row of each entity among its question's, or -1.
        entity: int32 ``(B, limit)``: the entity of each row.
        start: int64 ``(steps + 1, B + 1)``: where each question's rows start after each step.
    """

    graph: PathGraph
    asked: Asked
    place: Tensor
    entity: Tensor
    start: Tensor

    @classmethod
    def around(cls, graph: PathGraph, asked: Asked, steps: int, limit: int) -> Ball:
        """Grow the rows of every question.

        Args:
            asked: NumPy arrays.
            limit: rows of a question at most; the nearest count.
        """
        size, num_entities, device = len(asked.head), graph.num_entities, graph.device
        asked = Asked(*(torch.from_numpy(array).to(device) for array in asked))
        place = torch.full((size, num_entities), -1, dtype=torch.int32, device=device)
        entity = torch.zeros((size, min(limit, num_entities)), dtype=torch.int32, device=device)
        count = torch.zeros((size, steps + 1), dtype=torch.int64, device=device)
        if graph.compiled:
            # numba is loaded where it is used: a GPU needs none.
            from sightline.models.members.path_kernels import grow

            arrays = (each.numpy() for each in (place, entity, count))
            grow(as_arrays(graph.edges), as_arrays(asked), *arrays)
        else:
            _grow(graph, asked, place, entity, count)
        start = torch.zeros((steps + 1, size + 1), dtype=torch.int64, device=device)
        start[:, 1:] = torch.cumsum(count.T, dim=1)
        return cls(graph, asked, place, entity, start)

    def rows(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Of each row within ``step`` steps: its question, its entity, and its place among the
        question's: int64 ``(M,)`` each."""
        start = self.start[step]
        question = torch.repeat_interleave(start.diff())
        within = torch.arange(len(question), device=start.device) - start[question]
        return question, self.entity[question, within].long(), within


def as_arrays(tensors: Any) -> Any:
    """``Edges`` or ``Asked`` of tensors on the CPU as the same of NumPy arrays."""
    return type(tensors)(*(tensor.numpy() for tensor in tensors))


def hides(asked: Asked, question: Tensor, source: Tensor, rel: Tensor, target: Tensor) -> Tensor:
    """Whether questions must not see edges: bool ``(K,)``, each argument one of ``(K,)``."""
    head, tail, own, turned = (each[question] for each in asked)
    forth, back = (source == head) & (target == tail), (source == tail) & (target == head)
    one = (forth & (rel == own)) | (back & (rel == turned))
    hidden: Tensor = one | ((forth | back) & (own == ALL_EDGES))
    return hidden


def _grow(graph: PathGraph, asked: Asked, place: Tensor, entity: Tensor, count: Tensor) -> None:
    """``path_kernels.grow`` in tensors: the same rows in the same order."""
    size, steps = len(count), count.shape[1] - 1
    question, target = torch.arange(size, device=place.device), asked.head.long()
    row = torch.zeros_like(question)
    for step in range(steps + 1):
        place[question, target], entity[question, row] = row.int(), target.int()
        count[:, step] = torch.bincount(question, minlength=size)
        if step:
            count[:, step] += count[:, step - 1]
        if step < steps:
            question, target = _neighbours(graph, asked, place, question, target)
            # They are in order of their questions: a number in a question is a difference.
            start = torch.searchsorted(question, torch.arange(size, device=place.device))
            row = torch.arange(len(question), device=place.device) - start[question]
            row += count[question, step]
            kept = row < entity.shape[1]
            question, target, row = question[kept], target[kept], row[kept]


def _neighbours(
    graph: PathGraph, asked: Asked, place: Tensor, question: Tensor, target: Tensor
) -> tuple[Tensor, Tensor]:
    """The entities without a place beside some rows, each once: question and entity int64 ``(M,)``,
    in the order in which edges reach them."""
    row, edge = graph.edges_into(target)
    into, b, source = target[row], question[row], graph.edges.source[edge].long()
    new = (place[b, source] < 0) & ~hides(asked, b, source, graph.edges.rel[edge], into)
    key = (b * graph.num_entities + source)[new]
    order = torch.arange(len(key), device=key.device)
    first = torch.full((place.numel(),), len(key), device=key.device)
    key = key[first.scatter_reduce_(0, key, order, "amin")[key] == order]
    return key // graph.num_entities, key % graph.num_entities
