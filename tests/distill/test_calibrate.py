"""Probabilities: fitted, monotone, measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline.distill.calibration.calibrate import Calibration, answer_features
from sightline.distill.calibration.error import calibration_error
from sightline.distill.calibration.fit import best_f1_threshold, calibrate, fit, surprisal_bounds
from sightline.distill.calibration.kernels import choose
from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import with_reciprocals

CURVE = Calibration(0.8, 0.6, 0.5, (0.0, 1.0), 0.3, 0.1, 100)
rows = hnp.arrays(np.float32, st.integers(2, 20), elements=st.floats(-20, 20, width=32))


@given(rows, st.integers(0, 1))
def test_within_a_question_probability_never_falls_as_the_score_rises(row, rel: int) -> None:
    order = np.argsort(row)
    found = CURVE.probabilities(rel, row, order.astype(np.int32))

    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= -1e-6).all()


def test_features_by_hand() -> None:
    row = np.log(np.array([0.5, 0.2, 0.2, 0.1], np.float32))
    log_probability, rank = answer_features(row, np.array([3, 1, 2], np.int32))

    assert np.exp(log_probability) == pytest.approx([0.1, 0.2, 0.2], rel=1e-5)
    assert rank.tolist() == [4.0, 2.0, 2.0]


def test_an_answer_that_is_out_of_the_question_has_probability_zero() -> None:
    row = np.array([1.0, -np.inf], np.float32)

    assert CURVE.probabilities(0, row, np.array([1], np.int32)).tolist() == [0.0]


def test_a_row_without_any_answer_has_no_probability() -> None:
    row = np.full(3, -np.inf, np.float32)

    assert CURVE.probabilities(0, row, np.array([0], np.int32)).tolist() == [0.0]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 5, 64, 65, 300]), st.integers(0, 40))
def test_what_is_chosen_of_many_rows_is_what_sorting_each_finds(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    asked = 4
    # Whole numbers, so that many tie.
    scores = rng.integers(-8, 8, (asked, n)).astype(np.float32)
    fits, fit_of = rng.random((3, n)) < 0.6, rng.integers(3, size=asked)
    own = rng.integers(-1, n, asked).astype(np.int32)
    lists = []
    for _ in range(2):
        parts = [rng.choice(n + 1, rng.integers(0, min(n, 6) + 1), False) - 1 for _ in range(asked)]
        begins = np.append(0, np.cumsum([len(part) for part in parts]))
        lists.append((np.concatenate(parts).astype(np.int32), begins, parts))
    (stated, stated_at, known), (without, without_at, others) = lists

    given = fits, fit_of, own, stated, stated_at, without, without_at
    rows, score, log_probability, rank, counts, said = choose(
        scores.copy(), *given, np.full(asked, 4.0), k
    )

    for q, row in enumerate(scores.astype(np.float64)):
        expected = [np.nan if i < 0 else row[i] for i in known[q]]
        np.testing.assert_array_equal(said[stated_at[q] : stated_at[q + 1]], expected)
        row[known[q][known[q] >= 0]] = -np.inf
        possible = [i for i in range(n) if fits[fit_of[q], i] and i != own[q] and row[i] > -np.inf]
        possible = [i for i in possible if i not in others[q]]
        best = sorted(possible, key=lambda i: (-row[i], i))[:k]
        total = np.logaddexp.reduce(row) if np.isfinite(row).any() else 0.0
        there = counts[q, 0]
        assert (there, counts[q, 1]) == (len(best), len(possible))
        assert counts[q, 2] == sum(total - row[i] <= 4.0 for i in possible)
        assert rows[q, :there].tolist() == best
        assert score[q, :there].tolist() == row[best].tolist()
        assert log_probability[q, :there] == pytest.approx(row[best] - total, abs=1e-5)
        assert rank[q, :there].tolist() == [1 + (row > row[i]).sum() for i in best]


def drawn(n: int, seed: int) -> tuple[np.ndarray, ...]:
    """Answers whose truth follows a known curve: sigmoid(logp - 0.5 log rank + 1 + offset)."""
    rng = np.random.default_rng(seed)
    log_probability = -rng.exponential(2.0, n)
    rank = rng.integers(1, 11, n).astype(np.float64)
    rels = rng.integers(0, 2, n).astype(np.int32)
    logit = log_probability - 0.5 * np.log(rank) + 1.0 + np.where(rels == 1, 1.0, -1.0)
    return log_probability, rank, rels, rng.random(n) < 1 / (1 + np.exp(-logit))


def test_a_known_curve_is_found_again_and_is_calibrated_on_new_answers() -> None:
    curve = fit(*drawn(20_000, 0), 2, np.ones(20_000))
    log_probability, rank, rels, true = drawn(20_000, 1)
    error = calibration_error(
        curve.of_features(log_probability, rank, rels), true, np.arange(len(true))
    )

    assert curve.slope == pytest.approx(1.0, abs=0.1)
    assert curve.rank_slope == pytest.approx(0.5, abs=0.1)
    assert curve.rel_offset[1] - curve.rel_offset[0] == pytest.approx(2.0, abs=0.2)
    assert error.ece is not None
    assert error.ece < 0.02


def test_a_rare_directed_relation_follows_the_common_curve() -> None:
    log_probability, rank, rels, true = drawn(5_000, 2)
    rels = np.append(np.zeros(5_000, np.int32), 2).astype(np.int32)
    curve = fit(
        np.append(log_probability, -1.0),
        np.append(rank, 1.0),
        rels,
        np.append(true, True),
        3,
        np.ones(5_001),
    )

    assert curve.rel_offset[1] == 0.0
    assert abs(curve.rel_offset[2]) < 1.0


def test_an_answer_that_stands_for_two_counts_like_two() -> None:
    answers = drawn(2_000, 3)
    twice = np.random.default_rng(0).integers(1, 3, 2_000)
    weighted = fit(*answers, 2, twice.astype(np.float64))
    repeated = fit(*(np.repeat(column, twice) for column in answers), 2, np.ones(twice.sum()))

    assert weighted.base_rate == pytest.approx(repeated.base_rate)
    assert weighted.abstain_below == pytest.approx(repeated.abstain_below, abs=1e-3)
    # The prior counts against as many answers as were looked at.
    assert weighted.slope == pytest.approx(repeated.slope, rel=1e-2)
    assert weighted.rel_offset == pytest.approx(repeated.rel_offset, rel=1e-2)


def test_too_few_true_answers_say_nothing() -> None:
    zeros = np.zeros(50)
    true = np.arange(50) < 5
    curve = fit(zeros, zeros + 1, np.zeros(50, np.int32), true, 1, zeros + 1)

    assert curve == Calibration.unfitted(1)
    assert curve.abstain_below == 1.0


def test_calibration_error_by_hand() -> None:
    # Two bins: said 0.2, true 0 of 2; said 0.8, true 1 of 2.
    error = calibration_error(
        np.array([0.2, 0.2, 0.8, 0.8]),
        np.array([False, False, True, False]),
        np.array([0, 1, 0, 1]),
        bins=2,
    )

    assert error.ece == pytest.approx((0.2 + 0.3) / 2)
    assert error.base_rate == 0.25
    assert np.array(error.bins) == pytest.approx(np.array([[0.2, 0.0], [0.8, 0.5]]))


def asked(seed: int, *, off: float = 0.0) -> tuple[np.ndarray, ...]:
    """Probabilities, labels and questions: of ten answers to a question those of a common cause are
    true together, each with its probability less ``off``."""
    rng = np.random.default_rng(seed)
    probability = rng.uniform(0.05 + off, 0.95, (150, 10))
    together = np.where(rng.random((150, 10)) < 0.5, rng.random((150, 1)), rng.random((150, 10)))
    question = np.repeat(np.arange(150), 10)
    return probability.ravel(), (together < probability - off).ravel(), question


def test_the_interval_holds_the_error_itself_and_the_true_one() -> None:
    """90 % of intervals should; of 60, fewer than 49 is a chance of one in a hundred."""
    for off in (0.0, 0.1):
        errors = [calibration_error(*asked(seed, off=off)) for seed in range(60)]

        assert all(one.low <= one.ece <= one.high for one in errors)
        assert sum(one.low <= off <= one.high for one in errors) >= 49


def test_answers_to_one_question_count_as_one_draw() -> None:
    """Ten copies of each answer say no more than one, and widen no certainty."""
    probability, true, question = asked(0)
    once = calibration_error(probability, true, question)
    copies = calibration_error(*(np.repeat(column, 10) for column in (probability, true, question)))

    assert copies.ece == pytest.approx(once.ece)
    assert copies.high - copies.low == pytest.approx(once.high - once.low, rel=0.1)


@pytest.mark.parametrize("which", ["log-probability", "rank"])
def test_a_slope_is_never_negative(which: str) -> None:
    """Also where worse answers were true more often: the order of a question's answers stands."""
    log_probability, rank, rels, true = drawn(5_000, 4)
    worse = -log_probability if which == "log-probability" else np.log(rank)
    true = np.random.default_rng(0).random(5_000) < 0.9 * worse / worse.max()
    curve = fit(log_probability, rank, rels, true, 2, np.ones(5_000))

    assert curve.slope >= 0
    assert curve.rank_slope >= 0
    assert 0.0 in (curve.slope, curve.rank_slope)


def test_no_threshold_parts_equal_probabilities() -> None:
    # The first of five equal ones is true: called alone it would be the best call of all.
    probability = np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.5])
    true = np.array([True, True, False, False, False, False])

    # At 0.9: 1 of 1, 1 of 2 found, F1 2/3. At 0.5: 2 of 6, all found, F1 1/2.
    assert best_f1_threshold(probability, true, np.ones(6)) == 0.9


def test_the_threshold_with_the_best_f1() -> None:
    probability = np.array([0.9, 0.8, 0.8, 0.4, 0.1])
    true = np.array([True, True, False, True, False])

    # At 0.4: 3 hits of 4 said, all found: F1 6/7. At 0.8: 2 of 3, 2 of 3 found: 4/6.
    assert best_f1_threshold(probability, true, np.ones(len(true))) == 0.4


def test_a_calibration_survives_its_file(tmp_path: Path) -> None:
    CURVE.write(tmp_path)

    assert Calibration.read(tmp_path) == CURVE


@given(st.integers(0, 60), st.floats(0.01, 0.99))
def test_a_set_of_a_coverage_holds_the_next_true_answer_so_often(n: int, coverage: float) -> None:
    """Of n + 1 exchangeable surprisals each is the new one with the same chance: the share of them
    that the bound from the other n admits is at least the coverage, for every n."""
    surprisal = np.arange(n + 1.0)
    held = 0
    for i in range(n + 1):
        bounds = surprisal_bounds(np.delete(surprisal, i))
        held += surprisal[i] <= Calibration(1.0, 0.0, 0.0, (), 1.0, None, 0, bounds).bound(coverage)

    assert held / (n + 1) >= coverage - 1e-9


def test_more_than_can_be_promised_is_every_answer() -> None:
    curve = Calibration(1.0, 0.0, 0.0, (), 1.0, None, 0, surprisal_bounds(np.arange(9.0)))

    assert curve.bound(0.9) == 8.0
    assert curve.bound(0.95) == float("inf")
    assert Calibration.unfitted(1).bound(0.5) == float("inf")


N, R = 40, 2


class Scores:
    """Arrays of a student that scores by chance, and facts above others."""

    def __init__(self, facts: np.ndarray) -> None:
        self.table = np.random.default_rng(1).normal(size=(N, 2 * R, N)).astype(np.float32)
        self.table[tuple(with_reciprocals(facts, R).T)] += 2.0

    def scores(self, heads: np.ndarray, rels: np.ndarray) -> np.ndarray:
        return self.table[heads, rels].copy()


def dense_data(seed: int) -> tuple[Scores, LearningData]:
    """A graph where a question has several held-out answers, more of them in the test."""
    rng = np.random.default_rng(seed)
    facts = np.unique(rng.integers([N, R, N], size=(900, 3)), axis=0).astype(np.int32)
    train, select, calibrated, test = np.split(rng.permutation(facts), [300, 420, 540])
    none, names = train[:0], [str(i) for i in range(N)]
    split = (train, select, calibrated, test, none, none, "given")
    return Scores(facts), LearningData(names, ["a", "b"], *split)


def test_no_test_fact_is_looked_at_to_fit_probabilities() -> None:
    scores, data = dense_data(0)
    others = np.random.default_rng(9).permutation(data.test)
    others = np.stack([others[:, 0], others[:, 1], np.roll(others[:, 2], 1)], axis=1)

    assert calibrate(scores.scores, data) == calibrate(scores.scores, replace(data, test=others))


def test_no_fact_of_select_counts_as_true_or_as_false() -> None:
    scores, data = dense_data(0)
    data = replace(data, test=data.test[:0])
    curve = calibrate(scores.scores, data)
    questions = np.unique(with_reciprocals(data.calibrate, R)[:, :2], axis=0)
    known, facts = data.answers(data.train, data.select), data.answers(data.calibrate)
    hits = 0
    for head, rel in questions:
        row = scores.table[head, rel].copy()
        one = np.array([head]), np.array([rel])
        row[known.of(*one)[1]] = -np.inf
        hits += np.isin(np.argsort(-row)[:10], facts.of(*one)[1]).sum()

    assert curve.answers == 10 * len(questions)
    assert curve.base_rate == pytest.approx(hits / curve.answers)


def test_test_facts_that_nobody_may_look_at_do_not_make_the_best_answers_look_false() -> None:
    """The curve says nearly what it would if they were taken out."""
    found, wanted, blind = [], [], []
    for seed in range(5):
        scores, data = dense_data(seed)
        told = replace(data, test=data.test[:0], train=np.concatenate([data.train, data.test]))
        row = np.array([2.0, *np.zeros(20)], np.float32)
        for curve, means in (
            (calibrate(scores.scores, data), found),
            (calibrate(scores.scores, told), wanted),
            (calibrate(scores.scores, replace(data, test=data.test[:0])), blind),
        ):
            means.append(curve.probabilities(0, row, np.array([0]))[0])

    assert np.mean(blind) < np.mean(wanted) - 0.1
    assert np.mean(found) == pytest.approx(np.mean(wanted), abs=0.08)
