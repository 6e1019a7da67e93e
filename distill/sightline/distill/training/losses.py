"""What the student learns from: the teacher's distribution, softened. Knows tensors only."""

from __future__ import annotations

import torch
from torch import Tensor


def softened_kl(student: Tensor, teacher: Tensor, temperature: float, weight: Tensor) -> Tensor:
    """T^2 KL(teacher || student) of the distributions at temperature T, averaged over questions.

    The factor keeps the gradient's size the same for every T (Hinton et al. 2015,
    arXiv:1503.02531, section 2).

    Args:
        student, teacher: scores, float32 ``(B, C)``.
        weight: float32 ``(B,)``: how much each question counts.
    """
    log_p = torch.log_softmax(teacher / temperature, dim=1)
    log_q = torch.log_softmax(student / temperature, dim=1)
    each = (log_p.exp() * (log_p - log_q)).sum(dim=1)
    return temperature**2 * (each * weight).sum() / weight.sum()


def softened_kl_top(
    student: Tensor,
    column: Tensor,
    teacher_top: Tensor,
    teacher_rest: Tensor,
    temperature: float,
    weight: Tensor,
    log_weight: Tensor | None = None,
) -> Tensor:
    """The same when only the teacher's top answers are known, all others being one outcome.

    Where a column stands for several entities, its share of either distribution is theirs, so that
    the divergence over a sample of the entities estimates that over all.

    Args:
        student: float32 ``(B, C)``: scores of a sample of the entities, or of all.
        column: int64 ``(B, k)``: where the teacher's top answers are in it; -1 where not drawn.
        teacher_top: float32 ``(B, k)``: the teacher's scores of these.
        teacher_rest: float32 ``(B,)``: log of the sum of exp(score / T) over all others.
        log_weight: float32 ``(C,)``: log of how many entities each column stands for; 1 if None.
    """
    own = student / temperature
    top = teacher_top / temperature
    if log_weight is not None:
        own = own + log_weight
        top = top + log_weight[column]
    drawn = column >= 0
    top = torch.where(drawn, top, -torch.inf)
    log_p = torch.log_softmax(torch.cat([top, teacher_rest[:, None]], dim=1), dim=1)
    log_q = torch.log_softmax(own, dim=1).gather(1, column.clamp(min=0))
    share = torch.where(drawn, log_q.exp(), 0.0).sum(dim=1, keepdim=True)
    log_q = torch.cat([log_q, torch.log1p(-share.clamp(max=1.0 - 1e-6))], dim=1)
    # What was not drawn has no share: 0 log 0 is 0.
    terms = torch.where(log_p > -torch.inf, log_p.exp() * (log_p - log_q), 0.0)
    return temperature**2 * (terms.sum(dim=1) * weight).sum() / weight.sum()
