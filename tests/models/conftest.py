"""Small learning data made of integer triples."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.models.data.dataset import LearningData

#: Twelve people, three firms, three cities; people live where their firm is.
PEOPLE, FIRMS, CITIES = range(12), range(12, 15), range(15, 18)
WORKS_AT, LOCATED_IN, LIVES_IN = range(3)


def triples(*rows: tuple[int, int, int]) -> np.ndarray:
    return np.array(rows, np.int32).reshape(-1, 3)


def firm_world() -> LearningData:
    """A rule with examples: works_at + located_in implies lives_in. Two people are held out."""
    works = [(p, WORKS_AT, FIRMS[p % 3]) for p in PEOPLE]
    located = [(FIRMS[i], LOCATED_IN, CITIES[i]) for i in range(3)]
    lives = [(p, LIVES_IN, CITIES[p % 3]) for p in PEOPLE]
    return LearningData(
        entity_iris=[f"urn:e{i:02d}" for i in range(18)],
        relation_iris=["urn:located_in", "urn:works_at", "urn:lives_in"],
        train=triples(*works, *located, *lives[4:]),
        select=triples(*lives[:2]),
        calibrate=triples(lives[2]),
        test=triples(lives[3]),
        valid_negatives=triples(),
        test_negatives=triples(),
        split="given",
    )


@pytest.fixture
def data() -> LearningData:
    return firm_world()
