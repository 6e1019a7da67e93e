"""Vectors for entities that the student never saw."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.distill.student.arrays import READ, WIDTH, StudentArrays
from sightline.distill.student.context import Context, ContextEncoder
from sightline.distill.training.context_fit import fit_context, left_out, measure_new_entities
from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import with_reciprocals

GROUPS, MEMBERS = 8, 12
KNOWS, LIKES = 0, 1


def group_of(entities: np.ndarray) -> np.ndarray:
    return entities // MEMBERS


def grouped_data() -> LearningData:
    """Members of a group know each other; members of even groups like each other, too."""
    rng = np.random.default_rng(0)
    rows = []
    for group in range(GROUPS):
        for relation in (KNOWS, LIKES)[: 1 + (group % 2 == 0)]:
            pairs = rng.permuted(np.tile(np.arange(MEMBERS), (MEMBERS, 1)), axis=1)[:, :4]
            for member, others in enumerate(pairs + group * MEMBERS):
                rows += [(group * MEMBERS + member, relation, int(other)) for other in others]
    facts = np.unique(np.array(rows, np.int32), axis=0)
    facts = rng.permutation(facts[facts[:, 0] != facts[:, 2]])
    none = np.zeros((0, 3), np.int32)
    return LearningData(
        entity_iris=[f"urn:e{i:03d}" for i in range(GROUPS * MEMBERS)],
        relation_iris=["urn:knows", "urn:likes"],
        train=facts[:-60],
        select=facts[-60:-30],
        calibrate=none,
        test=facts[-30:],
        valid_negatives=none,
        test_negatives=none,
        split="given",
    )


def grouped_student() -> StudentArrays:
    """Members of a group lie close together, and every question asks for what lies close."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(GROUPS, WIDTH))
    entity = centres[group_of(np.arange(GROUPS * MEMBERS))]
    entity = entity + 0.1 * rng.normal(size=entity.shape)
    rel = np.zeros((4, WIDTH))
    rel[:, : WIDTH // 2] = 1.0
    shapes = {
        "hidden_weight": (WIDTH, 2),
        "hidden_bias": (2,),
        "gate_weight": (WIDTH, 2),
        "gate_bias": (2,),
        "shift_weight": (WIDTH, 2),
        "norm_weight": (2,),
        "norm_bias": (2,),
        "out_weight": (2, READ),
        "out_bias": (READ,),
    }
    parts = {"entity": entity, "rel": rel, **{k: np.zeros(v) for k, v in shapes.items()}}
    return StudentArrays(**{name: part.astype(np.float32) for name, part in parts.items()})


@pytest.fixture(scope="module")
def arrays() -> StudentArrays:
    return grouped_student()


@pytest.fixture(scope="module")
def encoder(arrays: StudentArrays) -> ContextEncoder:
    return fit_context(arrays, grouped_data())


def context(*facts: tuple[int, int, int], entities: int = 1) -> Context:
    """Of (owner, directed relation, neighbour)."""
    owner, rel, neighbour = np.array(facts, np.int32).reshape(-1, 3).T
    return Context(owner.astype(np.int64), rel, neighbour, entities)


def nearest_group(arrays: StudentArrays, vectors: np.ndarray) -> np.ndarray:
    return group_of((vectors @ arrays.entity.T).argmax(axis=1))


def test_one_edge_tells_where_a_new_entity_belongs(
    arrays: StudentArrays, encoder: ContextEncoder
) -> None:
    neighbours = np.arange(GROUPS) * MEMBERS + 3
    facts = [(i, KNOWS, int(n)) for i, n in enumerate(neighbours)]

    vectors = encoder.encode(arrays, context(*facts, entities=GROUPS))

    assert nearest_group(arrays, vectors).tolist() == list(range(GROUPS))


def test_a_directed_relation_says_something_where_no_neighbour_is_known(
    arrays: StudentArrays, encoder: ContextEncoder
) -> None:
    vectors = encoder.encode(arrays, context((0, LIKES, -1)))

    scores = (vectors @ arrays.entity.T)[0].reshape(GROUPS, MEMBERS).mean(axis=1)
    assert scores[0::2].mean() > scores[1::2].mean()


def test_an_entity_without_a_fact_gets_one_vector_for_all_such(
    arrays: StudentArrays, encoder: ContextEncoder
) -> None:
    vectors = encoder.encode(arrays, context((1, KNOWS, 0), entities=3))

    assert np.array_equal(vectors[0], vectors[2])
    assert not np.allclose(vectors[0], vectors[1])


@given(
    st.lists(
        st.tuples(st.just(0), st.integers(0, 3), st.integers(-1, GROUPS * MEMBERS - 1)),
        min_size=1,
        max_size=30,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_facts_says_nothing(facts: list[tuple[int, int, int]], random) -> None:
    arrays = grouped_student()
    rels, width = arrays.rel.shape[0], WIDTH
    weight = np.random.default_rng(3).normal(size=(2 * (width + rels + 1), width))
    encoder = ContextEncoder(weight.astype(np.float32))
    shuffled = random.sample(facts, len(facts))

    one, other = (encoder.encode(arrays, context(*f)) for f in (facts, shuffled))

    assert np.isfinite(one).all()
    assert np.allclose(one, other, rtol=1e-3, atol=1e-3)


def test_entities_encoded_together_are_encoded_as_alone(
    arrays: StudentArrays, encoder: ContextEncoder
) -> None:
    facts = [(0, KNOWS, 5), (1, LIKES, 40), (0, LIKES + 2, -1), (1, KNOWS, 41)]

    together = encoder.encode(arrays, context(*facts, entities=2))

    for owner in (0, 1):
        own = [(0, rel, neighbour) for who, rel, neighbour in facts if who == owner]
        assert np.allclose(together[owner], encoder.encode(arrays, context(*own))[0], atol=1e-5)


def test_the_measure_asks_only_left_out_entities_about_facts_that_are_held_out(
    arrays: StudentArrays, encoder: ContextEncoder
) -> None:
    data = grouped_data()

    found = measure_new_entities(arrays, encoder, data)

    anchors = with_reciprocals(np.concatenate([data.valid, data.test]), 2)[:, 0]
    assert found is not None
    assert found["from_edges"]["queries"] == left_out(data)[anchors].sum()
    assert found["from_edges"]["mrr"] > found["mean_vector"]["mrr"]
    assert found["from_edges"]["mrr"] <= 1.0


def test_nothing_is_measured_where_nothing_is_held_out(
    arrays: StudentArrays, encoder: ContextEncoder
) -> None:
    none = np.zeros((0, 3), np.int32)
    data = replace(grouped_data(), select=none, test=none)

    assert measure_new_entities(arrays, encoder, data) is None


def test_a_graph_where_every_entity_has_one_fact_has_the_mean_vector_for_all(
    arrays: StudentArrays,
) -> None:
    lonely = np.arange(GROUPS * MEMBERS, dtype=np.int32).reshape(-1, 2)
    train = np.stack([lonely[:, 0], np.zeros(len(lonely), np.int32), lonely[:, 1]], axis=1)

    encoder = fit_context(arrays, replace(grouped_data(), train=train))

    vector = encoder.encode(arrays, context((0, KNOWS, 5)))[0]
    assert np.allclose(vector, arrays.entity.mean(axis=0), atol=1e-5)


def test_the_fit_and_the_map_are_bounded_however_many_relations_there_are() -> None:
    """A matrix of all pairs of 2 x 5,000 directed relations and more would take 3.2 GB."""
    relations, entities = 5_000, 300
    rng = np.random.default_rng(0)
    train = rng.integers([entities, relations, entities], size=(20_000, 3)).astype(np.int32)
    names = [f"r{i}" for i in range(relations)]
    data = replace(grouped_data(), train=train, relation_iris=names)
    data = replace(data, entity_iris=[f"e{i}" for i in range(entities)])
    arrays = grouped_student()
    arrays = replace(
        arrays,
        entity=rng.normal(size=(entities, WIDTH)).astype(np.float32),
        rel=rng.normal(size=(2 * relations, WIDTH)).astype(np.float32),
    )
    tracemalloc.start()
    encoder = fit_context(arrays, data)
    many = Context(
        np.arange(2_000), np.zeros(2_000, np.int32), np.zeros(2_000, np.int32), entities=2_000
    )
    vectors = encoder.encode(arrays, many)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 400 << 20
    assert vectors.shape == (2_000, WIDTH)
    assert encoder.weight.shape == (2 * (WIDTH + 2 * relations + 1), WIDTH)


def test_rare_relations_share_what_they_say_and_frequent_ones_do_not(
    arrays: StudentArrays, encoder: ContextEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline.distill.training.context_fit.COLUMNS", 3)
    shared = fit_context(arrays, grouped_data()).weight.reshape(2, -1, WIDTH)[:, WIDTH:-1]

    # KNOWS is more frequent than LIKES, and both are read in two directions.
    assert np.array_equal(shared[:, LIKES], shared[:, LIKES + 2])
    assert not np.array_equal(shared[:, KNOWS], shared[:, KNOWS + 2])
    assert encoder.weight.shape == (2 * (WIDTH + 4 + 1), WIDTH)
