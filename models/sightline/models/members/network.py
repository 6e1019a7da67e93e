"""A member of the teacher: a relational graph network with a bilinear decoder.

Encoder: learnt entity vectors, refined by layers in the manner of CompGCN (Vashishth et al. 2020,
arXiv:1911.03082) whose messages pass through a narrow space, with a residual that starts at zero.
Decoder: ComplEx (Trouillon et al. 2016, arXiv:1606.06357) with reciprocal directed relations, for
all tails at once. Without a layer it is plain ComplEx, the network's partner. Knows tensors of rows
and directed relations; knows no file, no loss and no rank.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

with warnings.catch_warnings():
    # PyG 2.8 calls torch.jit.script while it is imported, which torch 2.13 calls deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from torch_geometric.nn import MessagePassing

from sightline.models.members.messages import Messages


class RelationalConv(MessagePassing):  # type: ignore[misc]
    """One layer: x + Up(relu(norm(z + mean over in-edges of z_source * w_rel))), z = Down(x).

    The narrow z (width ``narrow`` of ``dim``) makes a message cheap, and what one directed relation
    brings to
    one target is summed before it is multiplied: O(M narrow) time, O(G narrow) memory for G groups.
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


class Member(nn.Module):
    """Scores every tail of a question.

    Args:
        dim: reals per entity; even, read as dim / 2 complex numbers.
    """

    def __init__(
        self,
        num_entities: int,
        num_relations: int,
        *,
        dim: int,
        narrow: int,
        layers: int,
        dropout: float,
    ) -> None:
        super().__init__()
        rels = 2 * num_relations
        self.entity = nn.Parameter(0.01 * torch.randn(num_entities, dim))
        self.rel = nn.Parameter(0.01 * torch.randn(rels, dim))
        self.layers = nn.ModuleList(
            RelationalConv(dim, narrow, rels, dropout) for _ in range(layers)
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


def cubed_norm(vectors: Tensor) -> Tensor:
    """Sum of |z|^3 over complex coordinates, per row: the N3 penalty of Lacroix et al. 2018
    (arXiv:1806.07297). float32 ``(n, dim)`` to ``(n,)``."""
    real, imaginary = vectors.chunk(2, dim=1)
    return (real.square() + imaginary.square() + 1e-12).pow(1.5).sum(dim=1)
