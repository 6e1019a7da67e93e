"""The 1-vs-all loss, pair by pair and over a sample."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from sightline.models.training.loss import Candidates, answer_loss


def test_it_equals_cross_entropy_of_every_pair() -> None:
    scores = torch.randn(3, 7, generator=torch.Generator().manual_seed(0))
    row, column = torch.tensor([0, 0, 2]), torch.tensor([1, 6, 3])

    assert answer_loss(scores, row, column).item() == pytest.approx(
        cross_entropy(scores[row], column).item()
    )


def test_smoothing_equals_that_of_torch() -> None:
    scores = torch.randn(4, 5, generator=torch.Generator().manual_seed(1))
    row, column = torch.arange(4), torch.tensor([4, 0, 1, 1])

    assert answer_loss(scores, row, column, 0.1).item() == pytest.approx(
        cross_entropy(scores, column, label_smoothing=0.1).item(), rel=1e-5
    )


def test_a_pair_that_weighs_twice_counts_as_two() -> None:
    scores = torch.randn(3, 7, generator=torch.Generator().manual_seed(3))
    row, column, weight = torch.tensor([0, 2]), torch.tensor([1, 3]), torch.tensor([0.5, 0.25])
    often = torch.tensor([0, 0, 1])

    for smoothing in (0.0, 0.1):
        assert answer_loss(scores, row, column, smoothing, weight).item() == pytest.approx(
            answer_loss(scores, row[often], column[often], smoothing).item()
        )
    assert answer_loss(scores, row, column, weight=torch.zeros(2)).item() == 0.0


def test_candidates_hold_every_answer_once() -> None:
    answer = torch.tensor([3, 8, 3])
    drawn = Candidates.sample(answer, 50, 10, torch.Generator().manual_seed(2))

    assert len(drawn.entity) == len(drawn.entity.unique()) == 12
    assert drawn.entity[drawn.columns(answer)].tolist() == [3, 8, 3]
    assert drawn.log_weight[drawn.columns(answer)].tolist() == [0.0, 0.0, 0.0]


def test_the_sampled_normaliser_is_unbiased() -> None:
    scores = torch.randn(200, generator=torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(4)
    answer = torch.tensor([5])
    sums = []
    for _ in range(400):
        drawn = Candidates.sample(answer, 200, 40, generator)
        sums.append((scores[drawn.entity] + drawn.log_weight).exp().sum().item())
    mean = sum(sums) / len(sums)
    deviation = math.sqrt(sum((s - mean) ** 2 for s in sums) / len(sums) / len(sums))

    # Five standard errors: fails by accident about once in two million seeds.
    assert abs(mean - scores.exp().sum().item()) < 5 * deviation
