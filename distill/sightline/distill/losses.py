"""What the student learns from: the teacher's distribution, softened. Knows tensors only."""

from __future__ import annotations

import torch
from torch import Tensor


def softened_kl(
    student: Tensor, teacher: Tensor, temperature: float, weight: Tensor | None = None
) -> Tensor:
    """T^2 KL(teacher || student) of the distributions at temperature T, averaged over questions.

    The factor keeps the gradient's size the same for every T (Hinton et al. 2015,
    arXiv:1503.02531, section 2).

    Args:
        student, teacher: scores, float32 ``(B, C)``.
        weight: float32 ``(B,)``: how much each question counts; None counts them alike.
    """
    log_p = torch.log_softmax(teacher / temperature, dim=1)
    log_q = torch.log_softmax(student / temperature, dim=1)
    return temperature**2 * _mean((log_p.exp() * (log_p - log_q)).sum(dim=1), weight)


def softened_kl_top(
    student: Tensor,
    ids: Tensor,
    teacher_top: Tensor,
    teacher_rest: Tensor,
    temperature: float,
    weight: Tensor | None = None,
) -> Tensor:
    """The same when only the teacher's top answers are known, all others being one outcome.

    Args:
        student: float32 ``(B, N)``: all scores.
        ids: int64 ``(B, k)``; teacher_top: float32 ``(B, k)``, scores of these.
        teacher_rest: float32 ``(B,)``: log of the sum of exp(score / T) over all others.
    """
    top = torch.cat([teacher_top / temperature, teacher_rest[:, None]], dim=1)
    log_p = torch.log_softmax(top, dim=1)
    own = torch.log_softmax(student / temperature, dim=1).gather(1, ids)
    rest = torch.log1p(-own.exp().sum(dim=1, keepdim=True).clamp(max=1.0 - 1e-6))
    log_q = torch.cat([own, rest], dim=1)
    return temperature**2 * _mean((log_p.exp() * (log_p - log_q)).sum(dim=1), weight)


def _mean(values: Tensor, weight: Tensor | None) -> Tensor:
    return values.mean() if weight is None else (values * weight).sum() / weight.sum()
