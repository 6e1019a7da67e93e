"""The edges that messages follow, and sums over them. Knows tensors of rows and directed relations;
knows no network.

Messages to one target through one directed relation are multiplied by the same weights, so they are
summed before they are multiplied: a *group* is all of them. A graph has a fraction as many groups
as messages (FB15k-237: a quarter), and the sum is a sparse product, which holds no message in
memory.
"""

from __future__ import annotations

import warnings
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor


class Messages:
    """A graph's edges, both directions, of which some may be left out.

    Args:
        ends: int64 ``(2, 2 M)``: source row, target row.
        rel: int64 ``(2 M,)``: directed relation read from source to target.
        num_entities: N; rows are below it.
    """

    def __init__(self, ends: Tensor, rel: Tensor, num_entities: int) -> None:
        self._whole = _Whole(ends, rel, num_entities)
        self._kept = torch.ones_like(rel, dtype=torch.bool)
        self.num_entities = num_entities

    def without(self, dropped: Tensor) -> Messages:
        """These messages but for some: bool ``(2 M,)``, in the order first given."""
        rest = Messages.__new__(Messages)
        rest._whole, rest._kept = self._whole, self._kept & ~dropped
        rest.num_entities = self.num_entities
        return rest

    @property
    def ends(self) -> Tensor:
        """Source and target of every message that is left: int64 ``(2, m)``."""
        return self._whole.ends[:, self._kept]

    @property
    def rel(self) -> Tensor:
        """The directed relation of every message that is left: int64 ``(m,)``."""
        return self._whole.rel[self._kept]

    @property
    def groups(self) -> Groups:
        """The groups of all messages, those of which none is left included."""
        return self._whole.groups

    def received(self) -> Tensor:
        """How many messages each entity receives: int64 ``(N,)``."""
        return torch.bincount(self._whole.ends[1, self._kept], minlength=self.num_entities)

    def group_sums(self, z: Tensor) -> Tensor:
        """Sum of the sources' rows of ``z``, float32 ``(N, d)``, per group: float32 ``(G, d)``."""
        found: Tensor = _GroupSums.apply(z, self.groups, self._kept.to(z.dtype))  # type: ignore[no-untyped-call]
        return found


class _Whole:
    """All edges of a graph; its groups are found when first asked for."""

    def __init__(self, ends: Tensor, rel: Tensor, num_entities: int) -> None:
        self.ends, self.rel, self.num_entities = ends, rel, num_entities

    @cached_property
    def groups(self) -> Groups:
        return Groups(self.ends, self.rel, self.num_entities)


class Groups:
    """Messages by target and directed relation, found once per graph in O(M log M).

    Attributes:
        ends: int64 ``(2, G)``: each group's own number, and its target's row.
        rel: int64 ``(G,)``.
    """

    def __init__(self, ends: Tensor, rel: Tensor, num_entities: int) -> None:
        device = rel.device
        (source, target), rels = ends.cpu().numpy(), rel.cpu().numpy()
        size = int(rels.max(initial=0)) + 1
        key, of_message = np.unique(target * size + rels, return_inverse=True)
        number = np.arange(len(key))
        self.ends = torch.from_numpy(np.stack([number, key // size])).to(device)
        self.rel = torch.from_numpy(key % size).to(device)
        self.sums = _Pattern(of_message, source, (len(key), num_entities), device)
        self.back = _Pattern(source, of_message, (num_entities, len(key)), device)


class _Pattern:
    """Where a sparse matrix, one entry per message, has its entries."""

    def __init__(self, row: Any, column: Any, shape: tuple[int, int], device: torch.device) -> None:
        order = np.lexsort((column, row))
        pointer = np.zeros(shape[0] + 1, np.int32)
        np.cumsum(np.bincount(row, minlength=shape[0]), out=pointer[1:])
        arrays = pointer, column[order].astype(np.int32), order
        self._pointer, self._column, self._order = (
            torch.from_numpy(array).to(device) for array in arrays
        )
        self._shape = shape

    def times(self, value: Tensor, x: Tensor) -> Tensor:
        """The matrix with float32 ``(2 M,)`` values, in the messages' order, times ``x``."""
        with warnings.catch_warnings():
            # torch calls the format a beta; what is used of it here is one product.
            warnings.simplefilter("ignore", UserWarning)
            matrix = torch.sparse_csr_tensor(
                self._pointer,
                self._column,
                value[self._order],
                self._shape,
                check_invariants=False,
            )
        return matrix @ x


class _GroupSums(torch.autograd.Function):
    """The product with a constant sparse matrix; torch's own gradient of it would be dense."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, groups: Groups, kept: Tensor) -> Tensor:
        ctx.groups, ctx.kept = groups, kept
        return groups.sums.times(kept, z)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None, None]:
        return ctx.groups.back.times(ctx.kept, grad[0].contiguous()), None, None
