"""True or false by a threshold per relation."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.distill.evaluation.classify import (
    best_accuracy_threshold,
    classify,
    sampled_negatives,
)
from sightline.models.data.queries import KnownAnswers


def part(scores: list[float], relations: list[int], truth: list[int]):
    return np.array(scores), np.array(relations, np.int32), np.array(truth, bool)


@pytest.mark.parametrize(
    ("scores", "truth", "right"),
    [
        ([3, 2, 1, 0], [1, 1, 0, 0], 4),
        ([3, 2, 1, 0], [0, 0, 0, 0], 4),
        ([3, 2, 1, 0], [1, 1, 1, 1], 4),
        ([1, 1, 0], [1, 0, 0], 2),
    ],
)
def test_the_threshold_is_right_as_often_as_one_can_be(scores, truth, right: int) -> None:
    score, said = np.array(scores, float), np.array(truth, bool)
    threshold = best_accuracy_threshold(score, said)

    assert int(((score >= threshold) == said).sum()) == right


def test_relations_have_thresholds_of_their_own() -> None:
    # Relation 1 scores ten higher throughout; one threshold for both would be wrong by half.
    base = [4.0, 3.0, 2.0, 1.0] * 3
    truth = [1, 1, 0, 0] * 3
    both = part([*base, *(10 + s for s in base)], [0] * 12 + [1] * 12, truth * 2)
    found = classify(both, both)

    assert found is not None
    assert (found["accuracy"], found["f1"]) == (1.0, 1.0)
    assert (found["positives"], found["negatives"]) == (12, 12)


def test_measures_by_hand() -> None:
    valid = part([2.0, 1.0], [0, 0], [1, 0])
    test = part([3.0, 1.6, 1.4, 0.0], [0, 0, 0, 0], [1, 0, 1, 0])
    found = classify(valid, test)

    # The threshold is 1.5: one hit, one false alarm, one miss, one right rejection.
    assert found is not None
    assert [found[name] for name in ("accuracy", "precision", "recall", "f1")] == [0.5] * 4


def test_without_false_triples_there_is_nothing_to_classify() -> None:
    assert classify(part([1.0], [0], [1]), part([1.0], [0], [1])) is None


def test_sampled_negatives_are_false_and_plausible() -> None:
    rng = np.random.default_rng(0)
    triples = np.unique(rng.integers(0, [20, 2, 20], (80, 3)), axis=0).astype(np.int32)
    known = KnownAnswers.of_triples(triples, 20, 2)
    made = sampled_negatives(triples, known, seed=1)
    facts = {tuple(t) for t in triples.tolist()}

    assert len(made) > len(triples) / 2
    assert not facts & {tuple(t) for t in made.tolist()}
    for _, relation, tail in made.tolist():
        assert tail in triples[triples[:, 1] == relation, 2]
