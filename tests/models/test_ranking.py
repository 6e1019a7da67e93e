"""Ranks by hand, and against a slow independent count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.models import ranking
from sightline.models.data.queries import KnownAnswers
from sightline.models.ranking import RankingMetrics, Remembered, filtered_ranks, realistic_ranks

INF = np.inf


def ranks(rows: list[list[float]], answers: list[int]) -> list[float]:
    return realistic_ranks(np.array(rows, np.float32), np.array(answers, np.int32)).tolist()


def test_the_best_answer_has_rank_one() -> None:
    assert ranks([[0.1, 0.9, 0.5]], [1]) == [1.0]


def test_tied_answers_share_the_mean_of_their_ranks() -> None:
    # Two better, then three that tie on ranks 3, 4 and 5.
    assert ranks([[2, 3, 1, 1, 1, 0]], [3]) == [4.0]


def test_a_model_that_scores_everything_alike_gets_the_middle() -> None:
    assert ranks([[7.0] * 101], [0]) == [51.0]


def test_an_answer_without_a_number_is_last() -> None:
    assert ranks([[0.0, np.nan, -INF]], [1]) == [3.0]


def test_other_true_answers_are_filtered_in_both_directions() -> None:
    # (0, 0, 1) and (0, 0, 2) are known: asking (0, 0, ?) for 2 must not count 1, which scores more.
    known = KnownAnswers.of_triples(np.array([[0, 0, 1], [0, 0, 2]], np.int32), 4, 1)
    table = {(0, 0): [0.0, 9.0, 5.0, 7.0], (2, 1): [1.0, 2.0, 3.0, 0.0]}

    def score(heads: np.ndarray, rels: np.ndarray) -> np.ndarray:
        return np.array([table[h, s] for h, s in zip(heads.tolist(), rels.tolist())], np.float32)

    found = filtered_ranks(score, np.array([[0, 0, 2]], np.int32), known)
    # Tail: only 3 (7.0) is ahead of 2 (5.0). Head: 1 and 2 are ahead of 0.
    assert found.tolist() == [2.0, 3.0]


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, -INF]), min_size=1, max_size=8), st.data())
def test_realistic_is_the_mean_of_optimistic_and_pessimistic(row: list[float], data) -> None:
    answer = data.draw(st.integers(0, len(row) - 1))
    others = row[:answer] + row[answer + 1 :]
    optimistic = 1 + sum(score > row[answer] for score in others)
    pessimistic = 1 + sum(score >= row[answer] for score in others)

    assert ranks([row], [answer]) == [(optimistic + pessimistic) / 2]


def test_metrics_by_hand() -> None:
    metrics = RankingMetrics.of(np.array([1.0, 2.0, 4.0, 20.0]))

    assert metrics.mrr == pytest.approx((1 + 1 / 2 + 1 / 4 + 1 / 20) / 4)
    assert (metrics.hits_at_1, metrics.hits_at_3, metrics.hits_at_10) == (0.25, 0.5, 0.75)
    assert metrics.queries == 4


def test_no_query_has_no_metric() -> None:
    assert RankingMetrics.of(np.zeros(0)) == RankingMetrics(None, None, None, None, 0)


def test_a_question_is_asked_once_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def score(heads: np.ndarray, rels: np.ndarray) -> np.ndarray:
        asked.extend(zip(heads.tolist(), rels.tolist()))
        return np.stack([heads, rels], axis=1).astype(np.float32)

    remembered = Remembered(score)
    # Two questions of two numbers each are held, a third is not.
    monkeypatch.setattr(ranking, "REMEMBERED", 4)
    for heads, rels in (([1, 1, 1], [2, 0, 2]), ([1, 5], [0, 5]), ([5], [5])):
        assert remembered(np.array(heads), np.array(rels)).tolist() == [
            *map(list, zip(heads, rels))
        ]
    assert asked == [(1, 2), (1, 0), (5, 5), (5, 5)]
