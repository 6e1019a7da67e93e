"""How far a student says what its teacher says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from sightline.distill.evaluation.fidelity import CANDIDATES, TOP, measure_fidelity
from sightline.models.data.dataset import LearningData

N, R = 150, 2


def world() -> LearningData:
    rng = np.random.default_rng(0)
    triples = np.unique(rng.integers(0, [N, R, N], (60, 3)), axis=0).astype(np.int32)
    none = triples[:0]
    return LearningData(
        [f"urn:{i}" for i in range(N)],
        ["urn:r", "urn:s"],
        *(triples[:20], triples[20:30], triples[30:40], none, none, none),
        split="given",
    )


def scorer(seed: int):
    table = np.random.default_rng(seed).normal(size=(N, 2 * R, N)).astype(np.float32)
    return lambda heads, rels: table[heads, rels]


def test_a_student_like_its_teacher_is_faithful() -> None:
    found = measure_fidelity(scorer(1), scorer(1), world())["all"]

    assert found["kl"] == pytest.approx(0.0, abs=1e-6)
    assert found["rank_correlation"] == pytest.approx(1.0)
    assert found["overlap_at_10"] == 1.0
    assert found["teacher_mrr"] == found["student_mrr"]
    assert found["queries"] == 40


def test_every_measure_by_another_way() -> None:
    data = world()
    teacher, student = scorer(1), scorer(2)
    wanted = []
    for h, r, t in data.valid.tolist():
        for head, rel, answer in ((h, r, t), (t, r + R, h)):
            one = np.array([head], np.int32), np.array([rel], np.int32)
            others = [a for a in data.known.of(*one)[1].tolist() if a != answer]
            keep = np.setdiff1d(np.arange(N), others)
            a, b = teacher(*one)[0][keep], student(*one)[0][keep]
            p, q = np.exp(a) / np.exp(a).sum(), np.exp(b) / np.exp(b).sum()
            order, mine = np.argsort(-a), np.argsort(-b)
            ranks = [1 + (s > s[list(keep).index(answer)]).sum() for s in (a, b)]
            wanted.append(
                (
                    (p * np.log(p / q)).sum(),
                    spearmanr(a[order[:CANDIDATES]], b[order[:CANDIDATES]]).statistic,
                    len(set(order[:TOP]) & set(mine[:TOP])) / TOP,
                    1 / ranks[0],
                    1 / ranks[1],
                )
            )
    found = measure_fidelity(teacher, student, data)

    assert list(found["all"].values())[:5] == pytest.approx(np.mean(wanted, axis=0), rel=1e-4)
    assert sum(part["queries"] for part in found["relations"].values()) == 40


def test_without_validation_there_is_nothing_to_compare() -> None:
    data = world()
    empty = LearningData(
        *(data.entity_iris, data.relation_iris, data.train, *([data.train[:0]] * 5)), split="given"
    )

    assert measure_fidelity(scorer(1), scorer(2), empty) == {"all": None, "relations": {}}
