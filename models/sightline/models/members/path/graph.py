"""What a question's paths run through: the entities within some steps of its head.

A *row* is an entity as one question sees it. A question's rows are in order of their distance from
its head, so that the rows within any number of steps are a prefix.

Rows are found, and later their messages summed, by a back end (``backends``). Knows tensors of rows
and directed relations; knows no network.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from sightline.graph.arrays import Ids
from sightline.models.foundation.relations import RelationGraph
from sightline.models.members.path.rows import WIDTH, Edges

#: Questions scored at once on the CPU: what keeps a step's tensors below 32 MB on a graph of some
#: thousand entities, beyond which the C library maps memory anew at every step.
GROUP = 8
#: Elsewhere as many as fit into this share of the device's memory: learning holds so many copies of
#: every message of a step, and of every row of all steps.
MEMORY, MESSAGE_COPIES, ROW_COPIES = 0.75, 10, 100


@dataclass(frozen=True, slots=True)
class PathGraph:
    """What a path member reads.

    Attributes:
        relations: how the graph's relations meet.
        edges: its edges as tensors where the network is.
        backend: what does the work whose time counts, ``tensors`` or ``compiled``: both give the
            same rows in the same order, and the same sums up to rounding.
    """

    relations: RelationGraph
    edges: Edges
    backend: ModuleType

    @classmethod
    def of(cls, relations: RelationGraph, device: torch.device, backend: ModuleType) -> PathGraph:
        """The same on a device."""
        edges = Edges(*(torch.from_numpy(each).to(device) for each in relations.edges))
        return cls(relations, edges, backend)

    @property
    def num_entities(self) -> int:
        return self.relations.num_entities

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

    def tensor(self, array: Any) -> Tensor:
        """An array where the network is."""
        return torch.from_numpy(array).to(self.device)

    def edges_into(self, target: Tensor) -> tuple[Tensor, Tensor]:
        """The edges into entities int64 ``(M,)``: the place in ``target`` and the place among the
        edges, int64 ``(K,)`` each, in the order of both."""
        indptr = self.edges.indptr
        count = indptr[target + 1] - indptr[target]
        row = torch.repeat_interleave(count)
        first = indptr[target] - torch.cumsum(count, 0) + count
        return row, torch.arange(len(row), device=row.device) + first[row]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The rows of some questions, after each step.

    Attributes:
        which: int64 ``(B,)``: which weights a question has.
        place: int32 ``(B, N)``: the row of each entity among its question's, or -1.
        entity: int32 ``(B, limit)``: the entity of each row.
        start: int64 ``(steps + 1, B + 1)``: where each question's rows start after each step.
    """

    graph: PathGraph
    which: Tensor
    place: Tensor
    entity: Tensor
    start: Tensor

    @classmethod
    def around(
        cls, graph: PathGraph, heads: Ids, which: Any, steps: int, limit: int
    ) -> Neighbourhood:
        """Grow the rows of every question from its head, NumPy int ``(B,)``.

        Args:
            limit: rows of a question at most; the nearest count.
        """
        size, num_entities, device = len(heads), graph.num_entities, graph.device
        place = torch.full((size, num_entities), -1, dtype=torch.int32, device=device)
        entity = torch.zeros((size, min(limit, num_entities)), dtype=torch.int32, device=device)
        count = torch.zeros((size, steps + 1), dtype=torch.int64, device=device)
        graph.backend.grow(graph, graph.tensor(heads.astype("int64")), place, entity, count)
        start = torch.zeros((steps + 1, size + 1), dtype=torch.int64, device=device)
        start[:, 1:] = torch.cumsum(count.T, dim=1)
        return cls(graph, graph.tensor(which.astype("int64")), place, entity, start)

    def rows(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Of each row within ``step`` steps: its question, its entity, and its place among the
        question's: int64 ``(M,)`` each."""
        start = self.start[step]
        question = torch.repeat_interleave(start.diff())
        within = torch.arange(len(question), device=start.device) - start[question]
        return question, self.entity[question, within].long(), within
