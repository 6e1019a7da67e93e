"""The chance of facts to be wrong is what it says, however many are."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.graph.mining.plausibility import _fitted, wrong


@pytest.mark.parametrize("share", [0.005, 0.03, 0.2])
def test_as_many_are_wrong_as_is_said(share: float) -> None:
    # Two normal distributions, whose log-odds are known.
    rng = np.random.default_rng(0)
    false = rng.random(20_000) < share
    score = 3 * rng.normal(np.where(false, -1.5, 1.5), 1)
    chance = wrong(score)
    assert chance.mean() == pytest.approx(false.mean(), rel=0.2)
    likely = chance > 0.5
    assert false[likely].mean() == pytest.approx(chance[likely].mean(), abs=0.1)


def test_what_speaks_for_one_relation_may_speak_against_another() -> None:
    rng = np.random.default_rng(0)
    column = rng.random((2000, 1), np.float32)
    relation = np.arange(2000, dtype=np.int32) % 2
    true = (column[:, 0] > 0.5) == (relation == 0)
    # The last ones are only judged.
    odds = _fitted(column, relation, true[:1500], np.ones(1500, np.bool_))
    assert ((odds > 0) == true).mean() > 0.95
    assert ((odds > 0) == true)[1500:].mean() > 0.95


def test_a_graph_without_wrong_facts_has_no_more_than_one_that_is_called_so() -> None:
    score = 3 * np.random.default_rng(0).normal(1.5, 1, 20_000)
    assert wrong(score).sum() < 2
