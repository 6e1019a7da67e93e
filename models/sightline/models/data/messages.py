"""The edges that messages follow, and sums over them. Knows tensors of rows and directed relations;
knows no network.

Messages to one target through one directed relation are multiplied by the same weights, so they are
summed before they are multiplied: a *group* is all of them. A graph has a fraction as many groups
as messages (FB15k-237: a quarter), and the sum is a sparse product, which holds no message in
memory.
"""

from __future__ import annotations

import warnings
from copy import copy
from functools import cached_property

import torch
from torch import Tensor

with warnings.catch_warnings():
    # PyG 2.8 calls torch.jit.script while it is imported, which torch 2.13 calls deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from torch_geometric import EdgeIndex
    from torch_geometric.nn import MessagePassing as MessagePassing


class Messages:
    """A graph's edges, both directions, of which some may be left out.

    Args:
        ends: int64 ``(2, 2 M)``: source row, target row.
        rel: int64 ``(2 M,)``: directed relation read from source to target.
        num_entities: N; rows are below it.
    """

    def __init__(self, ends: Tensor, rel: Tensor, num_entities: int) -> None:
        self._ends, self._rel, self.num_entities = ends, rel, num_entities
        self._kept = torch.ones_like(rel, dtype=torch.bool)
        self._all: Messages | None = None

    def without(self, dropped: Tensor) -> Messages:
        """These messages but for some: bool ``(2 M,)``, in the order first given."""
        rest = copy(self)
        rest._kept, rest._all = self._kept & ~dropped, self._all or self
        return rest

    @property
    def ends(self) -> Tensor:
        """Source and target of every message that is left: int64 ``(2, m)``."""
        return self._ends[:, self._kept]

    @property
    def rel(self) -> Tensor:
        """The directed relation of every message that is left: int64 ``(m,)``."""
        return self._rel[self._kept]

    @cached_property
    def groups(self) -> Groups:
        """The groups of all messages, those of which none is left included."""
        return self._all.groups if self._all else Groups(self._ends, self._rel, self.num_entities)

    def received(self) -> Tensor:
        """How many messages each entity receives: int64 ``(N,)``."""
        return torch.bincount(self._ends[1, self._kept], minlength=self.num_entities)

    def group_sums(self, z: Tensor) -> Tensor:
        """Sum of the sources' rows of ``z``, float32 ``(N, d)``, per group: float32 ``(G, d)``."""
        return self.groups.sums(z, self._kept.to(z.dtype))


class Groups:
    """Messages by target and directed relation, found once per graph in O(M log M).

    Attributes:
        ends: int64 ``(2, G)``: each group's own number, and its target's row.
        rel: int64 ``(G,)``.
    """

    def __init__(self, ends: Tensor, rel: Tensor, num_entities: int) -> None:
        size = int(rel.max()) + 1 if len(rel) else 1
        key, of_message = torch.unique(ends[1] * size + rel, return_inverse=True)
        self.ends = torch.stack([torch.arange(len(key), device=key.device), key // size])
        self.rel = key % size
        # A sparse matrix, one entry per message.
        entries = torch.stack([of_message, ends[0]]).int()
        matrix = EdgeIndex(entries, sparse_size=(len(key), num_entities))
        self._matrix, self._order = matrix.sort_by("row")
        self._matrix.fill_cache_()

    def sums(self, z: Tensor, weight: Tensor) -> Tensor:
        """Sums of the sources' rows of ``z``, with a float32 ``(2 M,)`` weight per message."""
        with warnings.catch_warnings():
            # torch calls the format of the matrix a beta; what is used of it is one product.
            warnings.simplefilter("ignore", UserWarning)
            found: Tensor = self._matrix.matmul(z, weight[self._order])
        return found
