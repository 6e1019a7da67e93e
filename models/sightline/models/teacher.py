"""The teacher: members that vote, each directed relation with weights of its own.

Its score is a weighted mean of the members' log-probabilities. The weights of a directed relation
come from a fixed grid by the filtered MRR on ``select``, and lean on those of all directed
relations together where a directed relation has few questions. Knows members and their scores;
knows no file and no training.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from sightline.models.data.dataset import LearningData
from sightline.models.data.messages import Messages
from sightline.models.data.queries import with_reciprocals
from sightline.models.members.member import Network
from sightline.models.ranking import Scorer, blended_ranks

#: Weights are multiples of one part in so many.
PARTS = 4
#: The mean over all directed relations counts like so many questions of a directed relation's own.
PRIOR = 50.0

#: What each member reads; entity vectors, float32 ``(N, dim)``, of those that learn some.
Encoded = tuple[Any, ...]


class Teacher(nn.Module):
    """A blend of trained members.

    Attributes:
        weight: float32 ``(2 R, members)``, rows that sum to 1.
    """

    weight: Tensor

    def __init__(self, members: Sequence[nn.Module], num_relations: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self._each = cast(Sequence[Network], tuple(members))
        self.register_buffer(
            "weight", torch.full((2 * num_relations, len(members)), 1 / len(members))
        )

    def encode(self, messages: Messages) -> Encoded:
        """What every member reads in this graph."""
        return tuple(member.encode(messages) for member in self._each)

    def weight_of(self, asked: Sequence[bool]) -> Tensor:
        """The weights where some members alone are asked: float32 ``(2 R, members)``. Where none of
        these has any they count alike; where no member is to be asked, all are."""
        if all(asked) or not any(asked):
            return self.weight
        kept = torch.tensor(asked, device=self.weight.device).to(self.weight.dtype)
        weight = self.weight * kept
        total = weight.sum(dim=1, keepdim=True)
        return torch.where(total > 0, weight / total, kept / kept.sum())

    def scores(self, x: Encoded, head: Tensor, rel: Tensor, weight: Tensor | None = None) -> Tensor:
        """Scores of all tails: float32 ``(B, N)``.

        Args:
            weight: of ``weight_of``, where not every member is asked.
        """
        total: Tensor | float = 0.0
        weights = self.weight if weight is None else weight
        for member, own, weight in zip(self._each, x, weights[rel].T):
            asked = weight.nonzero().squeeze(1)
            # Most of the time of a member that is slow goes where its word counts.
            log = torch.log_softmax(member.scores(own, head[asked], rel[asked]), dim=1)
            full = log.new_zeros(len(head), log.shape[1]).index_copy(0, asked, log)
            total = total + weight[:, None] * full
        return torch.as_tensor(total)


def blend_weights(scorers: Sequence[Scorer], data: LearningData) -> np.ndarray:
    """The weights of members with these log-probabilities: float32 ``(2 R, members)``."""
    rels = 2 * data.num_relations
    if len(scorers) == 1 or not len(data.select):
        return np.full((rels, len(scorers)), 1 / len(scorers), np.float32)
    select = data.select_sample
    grid = weight_grid(len(scorers))
    ranks = blended_ranks(scorers, grid, select, data.known)
    asked = with_reciprocals(select, data.num_relations)[:, 1]
    count = np.bincount(asked, minlength=rels)
    sums = np.stack([np.bincount(asked, 1 / row, minlength=rels) for row in ranks])
    overall = (1 / ranks).mean(axis=1, keepdims=True)
    quality = (sums + PRIOR * overall) / (count + PRIOR)
    chosen: np.ndarray = np.array(grid, np.float32)[quality.argmax(axis=0)]
    return chosen


def weight_grid(members: int) -> list[tuple[float, ...]]:
    """All weights that are multiples of 1 / ``PARTS`` and sum to 1, for so many members."""
    parts = itertools.product(range(PARTS + 1), repeat=members)
    return [tuple(n / PARTS for n in some) for some in parts if sum(some) == PARTS]
