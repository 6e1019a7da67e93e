"""The 1-vs-all loss of whole questions, exact or over a sample of the tails. Knows tensors only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def answer_loss(
    scores: Tensor,
    row: Tensor,
    column: Tensor,
    smoothing: float = 0.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Cross entropy of each (question, answer) pair against all columns, averaged over the pairs.

    It equals 1-vs-all training pair by pair, but scores a question once for all its answers.

    Args:
        scores: float32 ``(B, C)``.
        row, column: int64 ``(A,)``: the pairs.
        smoothing: share of the target spread evenly over the columns.
        weight: float32 ``(A,)``: how much each pair counts in the average; alike by default.
    """
    log_probability = torch.log_softmax(scores, dim=1)
    loss = -_mean(log_probability[row, column], weight)
    if smoothing:
        even = -_mean(log_probability.mean(dim=1)[row], weight)
        loss = (1.0 - smoothing) * loss + smoothing * even
    return loss


def _mean(each: Tensor, weight: Tensor | None) -> Tensor:
    # A step whose pairs all count for nothing teaches nothing.
    if weight is None:
        return each.mean()
    return (each * weight).sum() / weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The tails that a step scores: every answer of the batch and a sample of the others; or all.

    Attributes:
        entity: int64 ``(C,)``, ascending; None where all entities are scored.
        log_weight: float32 ``(C,)``: log of how many entities each stands for. Added to the scores,
            it makes the sum of exponentials an unbiased estimate of the sum over all entities.
    """

    entity: Tensor | None = None
    log_weight: Tensor | None = None

    @classmethod
    def sample(
        cls, answer: Tensor, num_entities: int, count: int, generator: torch.Generator
    ) -> Candidates:
        """All answers of a batch and ``count`` draws from the rest."""
        chosen = torch.zeros(num_entities, dtype=torch.bool)
        chosen[answer] = True
        rest = (~chosen).nonzero().squeeze(1)
        count = min(count, len(rest))
        drawn = rest[torch.randperm(len(rest), generator=generator)[:count]]
        weight = torch.zeros(num_entities)
        weight[drawn] = torch.log(torch.tensor(len(rest) / max(count, 1)))
        chosen[drawn] = True
        entity = chosen.nonzero().squeeze(1)
        return cls(entity, weight[entity])

    def columns(self, entity: Tensor) -> Tensor:
        """Where entities of any shape stand among the candidates, -1 where they do not."""
        if self.entity is None:
            return entity
        column = torch.searchsorted(self.entity, entity).clamp(max=len(self.entity) - 1)
        return torch.where(self.entity[column] == entity, column, -1)

    def weighted(self, scores: Tensor) -> Tensor:
        """Scores of the candidates, float32 ``(B, C)``, for a sum that stands for all entities."""
        return scores if self.log_weight is None else scores + self.log_weight

    def to(self, device: torch.device) -> Candidates:
        """The same on a device."""
        tensors = self.entity, self.log_weight
        return Candidates(*(None if one is None else one.to(device) for one in tensors))
