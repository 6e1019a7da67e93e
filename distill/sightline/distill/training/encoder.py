"""A student's rows made of the edges, for graphs whose questions training has not asked.

Free rows learn such a graph's training answers by heart and say little of others. Here a row is
what rounds of messages leave of an entity, and each step asks only for facts that are taken out of
the edges. What is stored and read of it is the same. Knows edges and tensors only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from sightline.distill.student.arrays import WIDTH
from sightline.models.data.messages import Messages

#: Numbers of a row that say what an entity is like, and as many that say who it is.
HALF = WIDTH // 2
ROUNDS, HIDDEN, DROPOUT = 5, 128, 0.1


class Round(nn.Module):
    """Every entity hears its neighbours once."""

    def __init__(self, rels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(1.0 + 0.1 * torch.randn(rels, HALF))
        self.shift = nn.Parameter(0.1 * torch.randn(rels, HALF))
        self.trust = nn.Parameter(torch.zeros(rels, 1))
        self.keep = nn.Parameter(torch.zeros(1))
        self.refine = nn.Sequential(
            nn.Linear(2 * HALF + 1, HIDDEN),
            nn.LayerNorm(HIDDEN),
            nn.SiLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, HALF),
        )

    def weights(self, rel: Tensor) -> tuple[Tensor, Tensor]:
        """What sums are multiplied with, and what comes with each message: float32 ``(G, WIDTH)``
        for the directed relations int64 ``(G,)``."""
        trust = torch.sigmoid(self.trust).expand(-1, HALF)
        scale = torch.cat([self.scale, trust], dim=1)
        return scale.index_select(0, rel), nn.functional.pad(self.shift, (0, HALF)).index_select(
            0, rel
        )


class Encoder(nn.Module):
    """Rows of all entities, float32 ``(N, WIDTH)``.

    Likeness: which directed relations an entity has, refined round by round by what its neighbours
    are like. Identity: a learnt direction, mixed round by round with the neighbours', so that
    entities with short paths between them are close.
    """

    def __init__(self, num_entities: int, rels: int) -> None:
        super().__init__()
        self.token = nn.Parameter(0.3 * torch.randn(rels, HALF))
        self.first = nn.Linear(HALF + 1, HALF)
        self.identity = nn.Parameter(normalize(torch.randn(num_entities, HALF), dim=1))
        self.rounds = nn.ModuleList(Round(rels) for _ in range(ROUNDS))

    def forward(self, messages: Messages) -> Tensor:
        """O(M WIDTH) time a round; O(G WIDTH) memory for G groups of messages."""
        groups, entities = messages.groups, messages.num_entities
        rel, target = groups.rel, groups.ends[1]
        degree = messages.received().clamp(min=1)[:, None].float()
        heard = messages.group_sums(torch.ones(entities, 1, device=degree.device))

        def total(parts: Tensor) -> Tensor:
            empty = parts.new_zeros(entities, parts.shape[1])
            return empty.index_add(0, target, parts)

        tokens = total(heard * self.token.index_select(0, rel)) / degree
        like = self.first(torch.cat([tokens, degree.log()], dim=1))
        who = normalize(self.identity, dim=1)
        for one in cast(Iterable[Round], self.rounds):
            weight, each = one.weights(rel)
            sums = messages.group_sums(torch.cat([like, who], dim=1))
            received, near = total(sums * weight + heard * each).chunk(2, dim=1)
            like = like + one.refine(torch.cat([like, received / degree, degree.log()], dim=1))
            who = normalize(who * one.keep.exp() + near / degree.sqrt(), dim=1)
        # A row is read as complex numbers, real parts first: who it is has some of its own.
        return torch.cat(
            [part for pair in zip(who.chunk(2, 1), like.chunk(2, 1)) for part in pair], 1
        )
