"""The divergence between two answer distributions, whole and cut to the best answers."""

from __future__ import annotations

import pytest
import torch
from scipy.special import rel_entr, softmax

from sightline.distill.training.losses import softened_kl, softened_kl_top
from sightline.models.training.loss import Candidates


def scores(seed: int, *shape: int) -> torch.Tensor:
    return 3 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("temperature", [1.0, 2.0, 4.0])
def test_it_equals_the_divergence_of_scipy_times_the_square_of_the_temperature(
    temperature: float,
) -> None:
    student, teacher = scores(0, 5, 9), scores(1, 5, 9)
    p, q = (softmax(s.numpy() / temperature, axis=1) for s in (teacher, student))
    wanted = temperature**2 * rel_entr(p, q).sum(axis=1).mean()

    assert softened_kl(student, teacher, temperature, torch.ones(5)).item() == pytest.approx(
        wanted, rel=1e-4
    )


def test_a_student_like_its_teacher_has_no_loss() -> None:
    teacher = scores(2, 3, 4)

    assert softened_kl(teacher + 7.0, teacher, 2.0, torch.ones(3)).item() == pytest.approx(
        0.0, abs=1e-6
    )


def test_questions_count_by_their_weight() -> None:
    student, teacher = scores(3, 2, 6), scores(4, 2, 6)
    first = softened_kl(student[:1], teacher[:1], 1.0, torch.ones(1)).item()
    second = softened_kl(student[1:], teacher[1:], 1.0, torch.ones(1)).item()
    both = softened_kl(student, teacher, 1.0, torch.tensor([3.0, 1.0])).item()

    assert both == pytest.approx((3 * first + second) / 4, rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_the_best_answers_and_the_rest_as_one_outcome(temperature: float) -> None:
    student, teacher = scores(5, 3, 8), scores(6, 3, 8)
    top, ids = teacher.topk(4, dim=1)
    others = teacher.clone().scatter_(1, ids, float("-inf"))
    rest = torch.logsumexp(others / temperature, dim=1)
    p, q = (softmax(s.numpy() / temperature, axis=1) for s in (teacher, student))
    wanted = 0.0
    for row in range(3):
        kept = ids[row].numpy()
        merged = [[*v[row, kept], 1 - v[row, kept].sum()] for v in (p, q)]
        wanted += temperature**2 * rel_entr(*merged).sum() / 3
    found = softened_kl_top(student, ids, top, rest, temperature, torch.ones(3)).item()

    assert found == pytest.approx(wanted, rel=1e-3)


def test_entities_that_were_not_drawn_are_stood_for_by_those_that_were() -> None:
    """Twins score alike in both, so one of each pair, counted twice, says all."""
    half, teacher_half = scores(7, 3, 6), scores(8, 3, 6)
    student, teacher = half.repeat_interleave(2, 1), teacher_half.repeat_interleave(2, 1)
    top, ids = teacher.topk(6, dim=1)
    others = teacher.clone().scatter_(1, ids, float("-inf"))
    rest = torch.logsumexp(others, dim=1)
    alike = torch.ones(3)
    whole = softened_kl_top(student, ids, top, rest, 1.0, alike)
    drawn = Candidates(torch.arange(0, 12, 2), torch.full((6,), 2.0).log())
    columns = drawn.columns(ids)
    found = softened_kl_top(half, columns, top, rest, 1.0, alike, drawn.log_weight)

    # The whole has two terms of half the share for each of the sample's.
    assert found.item() == pytest.approx(whole.item(), rel=1e-4)
