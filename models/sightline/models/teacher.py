"""The teacher: members that vote, each slot with weights of its own.

Its score is a weighted mean of the members' log-probabilities. The weights of a slot come from a
fixed grid by the filtered MRR on ``select``, and lean on those of all slots together where a slot
has few questions. Knows members and their scores; knows no file and no training.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sightline.models.dataset import LearningData
from sightline.models.member import Member, Messages
from sightline.models.queries import with_reciprocals
from sightline.models.ranking import Ids, Scorer, filtered_ranks

#: Weight of the first member of two.
GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
#: The mean over all slots counts like so many questions of a slot's own.
PRIOR = 50.0

#: A member's entity vectors each, float32 ``(N, dim)``.
Encoded = tuple[Tensor, ...]


class Teacher(nn.Module):
    """A blend of trained members.

    Attributes:
        weight: float32 ``(2 R, members)``, rows that sum to 1.
    """

    weight: Tensor

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        slots = len(members[0].slot)
        self.register_buffer("weight", torch.full((slots, len(members)), 1 / len(members)))

    def encode(self, messages: Messages) -> Encoded:
        """The entity vectors of every member."""
        return tuple(member.encode(messages) for member in self._each())

    def scores(self, x: Encoded, head: Tensor, slot: Tensor) -> Tensor:
        """Scores of all tails: float32 ``(B, N)``."""
        logs = [
            torch.log_softmax(member.scores(own, head, slot), dim=1)
            for member, own in zip(self._each(), x)
        ]
        weight = self.weight[slot]
        return torch.stack([w[:, None] * log for w, log in zip(weight.T, logs)]).sum(dim=0)

    def _each(self) -> list[Member]:
        return [member for member in self.members if isinstance(member, Member)]


def blend_weights(scorers: Sequence[Scorer], data: LearningData) -> np.ndarray:
    """The weights of two members, float32 ``(2 R, 2)``; of one, all 1.

    Args:
        scorers: log-probabilities of each member.
    """
    slots = 2 * data.num_relations
    if len(scorers) == 1 or not len(data.select):
        return np.full((slots, len(scorers)), 1 / len(scorers), np.float32)
    first, second = scorers
    select = data.select_sample
    asked = with_reciprocals(select, data.num_relations)[:, 1]
    count = np.bincount(asked, minlength=slots)
    quality = np.empty((len(GRID), slots))
    for i, weight in enumerate(GRID):

        def blended(heads: Ids, slots: Ids, weight: float = weight) -> np.ndarray:
            return weight * first(heads, slots) + (1 - weight) * second(heads, slots)

        ranks = filtered_ranks(blended, select, data.known, num_relations=data.num_relations)
        sums = np.bincount(asked, 1 / ranks, minlength=slots)
        quality[i] = (sums + PRIOR * np.mean(1 / ranks)) / (count + PRIOR)
    chosen = np.array(GRID, np.float32)[quality.argmax(axis=0)]
    return np.stack([chosen, 1 - chosen], axis=1)
