"""A random split gives no answer away and leaves nobody behind."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.models.data.split import entangled_relations, random_split

N, R = 12, 3
graphs = st.lists(
    st.tuples(st.integers(0, N - 1), st.integers(0, R - 1), st.integers(0, N - 1)),
    min_size=1,
    max_size=120,
    unique=True,
).map(lambda rows: np.array(sorted(rows), np.int32))


def as_set(triples: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(row) for row in triples.tolist()}


@given(graphs, st.integers(0, 3))
def test_the_parts_are_the_triples_each_once(triples: np.ndarray, seed: int) -> None:
    parts = random_split(triples, N, R, seed=seed)

    assert sum(map(len, (parts.train, parts.valid, parts.test))) == len(triples)
    assert as_set(parts.train) | as_set(parts.valid) | as_set(parts.test) == as_set(triples)


@given(graphs, st.integers(0, 3))
def test_what_is_held_out_has_its_entities_and_relation_in_train(
    triples: np.ndarray, seed: int
) -> None:
    parts = random_split(triples, N, R, seed=seed)
    for held in (parts.valid, parts.test):
        assert np.isin(held[:, [0, 2]], parts.train[:, [0, 2]]).all()
        assert np.isin(held[:, 1], parts.train[:, 1]).all()


@given(graphs, st.integers(0, 3))
def test_near_repetitions_of_a_triple_are_in_the_same_part(triples: np.ndarray, seed: int) -> None:
    parts = random_split(triples, N, R, seed=seed)
    cluster = entangled_relations(triples, R)
    where: dict[tuple[int, ...], str] = {}
    for name in ("train", "valid", "test"):
        for h, r, t in getattr(parts, name).tolist():
            key = (*sorted((h, t)), int(cluster[r]))
            assert where.setdefault(key, name) == name


def test_a_relation_and_its_inverse_are_entangled_and_split_together() -> None:
    """(a, child, b) in train would answer (b, parent, a) of the test."""
    rng = np.random.default_rng(0)
    pairs = np.unique(rng.integers(0, 20, (80, 2)), axis=0)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    child, parent = np.zeros((len(pairs), 1), int), np.ones((len(pairs), 1), int)
    one, other = pairs[:, :1], pairs[:, 1:]
    forth, back = np.hstack([one, child, other]), np.hstack([other, parent, one])
    triples = np.concatenate([forth, back]).astype(np.int32)
    cluster = entangled_relations(triples, 2)
    valid = as_set(random_split(triples, 20, 2, seed=0).valid)

    assert cluster[0] == cluster[1]
    assert valid
    assert valid == {(t, 1 - r, h) for h, r, t in valid}


def test_a_symmetric_relation_is_split_by_pairs() -> None:
    pairs = [(a, b) for a in range(10) for b in range(a + 1, 10)]
    both = np.array([(a, 0, b) for a, b in pairs] + [(b, 0, a) for a, b in pairs], np.int32)
    parts = random_split(both, 10, 1, seed=0)
    valid = as_set(parts.valid)

    assert valid
    assert valid == {(t, r, h) for h, r, t in valid}


def test_the_same_seed_gives_the_same_split() -> None:
    triples = np.unique(np.random.default_rng(0).integers(0, 3, (60, 3)), axis=0).astype(np.int32)
    first, second = (random_split(triples, 3, 3, seed=7) for _ in range(2))

    assert np.array_equal(first.valid, second.valid)
    assert np.array_equal(first.test, second.test)
