"""Entities that are nearest in text, and what that says of one without any fact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from sightline.distill.student.arrays import StudentArrays
from sightline.distill.student.texts import LONGEST, NEAREST, Texts
from sightline.distill.training.text_fit import fit_texts, with_rows
from sightline.graph.storage.strings import StringTable
from sightline.models.data.dataset import LearningData
from tests.distill.test_context import GROUPS, MEMBERS, group_of, grouped_data, grouped_student


def texts_of(said: Sequence[Sequence[str]]) -> Texts:
    """The texts of entities, any number each."""
    flat = [text for texts in said for text in texts]
    ends = np.cumsum([0, *map(len, said)])
    return Texts(*StringTable.of(flat).arrays(), ends, np.ones(len(flat), np.bool_))


def nearest(said: Sequence[Sequence[str]], asked: int, among: Sequence[int]) -> list[int]:
    found = texts_of(said).nearest(np.array([asked], np.int32), np.array(among, np.int32))
    assert found.shape == (1, NEAREST)
    return [int(one) for one in found[0] if one >= 0]


def test_what_few_say_counts_for_more_than_what_many_say() -> None:
    said = [["a French physicist"], ["a French painter"], ["a German physicist"], ["a French cook"]]
    others = [["a French baker"], ["a French nun"], ["a Greek"], ["a Turk"], ["a Dane"], ["a Finn"]]

    assert nearest([*said, *others], 0, range(10))[0] == 2


def test_an_entity_is_not_near_itself() -> None:
    assert nearest([["one text"], ["one text"], ["other"]], 0, [0, 1, 2]) == [1]


def test_what_is_asked_does_not_bear_on_what_is_asked_after_it() -> None:
    asked = np.arange(2, dtype=np.int32)

    found = texts_of([["one text"], ["one text"], ["other"]]).nearest(asked, asked)

    assert found[:, 0].tolist() == [1, 0]


def test_many_are_asked_some_at_a_time_and_one_may_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = texts_of([["one text"], ["one text"], ["other"], ["another one"]])
    asked, told = np.arange(4, dtype=np.int32), []
    whole = texts.nearest(asked, asked)
    monkeypatch.setattr("sightline.distill.student.texts.AT_ONCE", 3)

    assert (texts.nearest(asked, asked, lambda *said: told.append(said[:3])) == whole).all()
    assert told == [("texts", 0, 4), ("texts", 3, 4)]

    def stop(*said: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        texts.nearest(asked, asked, stop)


def test_beyond_a_bound_what_most_say_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [["lion zebra"], ["lion"], ["lion"], ["zebra"]]
    assert sorted(nearest(said, 0, [1, 2, 3])) == [1, 2, 3]

    monkeypatch.setattr("sightline.distill.student.texts.MOST", 3)

    assert nearest(said, 0, [1, 2, 3]) == [3]


def test_texts_without_anything_in_common_are_not_near() -> None:
    assert nearest([["lion"], ["1917"], [], ["Ångström"]], 0, [1, 2, 3]) == []


def test_where_nothing_has_a_row_nothing_is_near() -> None:
    assert nearest([["one text"], ["one text"]], 0, []) == []


def test_case_and_punctuation_do_not_count_and_all_texts_of_an_entity_do() -> None:
    said = [["x", "Blue-WHALE!"], ["blue whale"], ["y", "", "quartz"], ["Quartz"]]

    assert nearest(said, 0, [1, 3]) == [1]
    assert nearest(said, 2, [1, 3]) == [3]


def test_numbers_that_are_no_texts_are_not_read() -> None:
    texts = texts_of([["1917"], ["1917"]])
    no_texts = Texts(texts.data, texts.offsets, texts.indptr, np.zeros(2, np.bool_))

    assert texts.there.tolist() == [True, True]
    assert no_texts.there.tolist() == [False, False]
    assert (no_texts.nearest(np.array([0], np.int32), np.array([1], np.int32)) == -1).all()


def test_no_more_of_a_long_text_is_read_than_the_bound() -> None:
    long = "ab " * LONGEST + "lion"

    assert nearest([["lion"], [long], ["c", long]], 0, [1, 2]) == []
    assert nearest([["lion"], ["lion " + long]], 0, [1]) == [1]


def test_of_texts_that_are_equally_near_the_first_come_first() -> None:
    said = [["lion"]] + [["lion"], ["tiger"]] * (2 * NEAREST)

    assert nearest(said, 0, range(1, len(said))) == list(range(1, 2 * NEAREST, 2))


def grouped_texts(by_group: bool) -> Texts:
    """A word that an entity's group alone says, or one that says nothing of it."""
    rng = np.random.default_rng(0)
    entities = np.arange(GROUPS * MEMBERS)
    word = group_of(entities) if by_group else rng.permutation(group_of(entities))
    return texts_of([[f"{'abcdefgh'[one] * 3}"] for one in word])


def fitted(by_group: bool) -> Any:
    data, arrays = grouped_data(), grouped_student()
    ids = np.arange(data.num_entities, dtype=np.int32)
    return fit_texts(arrays, data, grouped_texts(by_group), ids)


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sightline.distill.training.text_fit.ENOUGH", 10)


def test_where_texts_say_what_entities_are_like_answers_from_them_are_calibrated() -> None:
    curve, measured = fitted(by_group=True)

    assert measured["from_text"]["mrr"] > 2 * measured["by_frequency"]["mrr"]
    assert measured["calibration"]["ece"] < 0.1
    assert curve.answers > 0


def test_where_texts_say_less_than_frequency_nothing_is_answered_from_them() -> None:
    curve, measured = fitted(by_group=False)

    assert measured["from_text"]["mrr"] < measured["by_frequency"]["mrr"]
    assert curve is None


def test_an_entity_that_no_training_fact_names_gets_the_mean_row_of_the_nearest_texts() -> None:
    data, arrays = grouped_data(), grouped_student()
    ids = np.arange(data.num_entities, dtype=np.int32)
    told = replace(data, train=data.train[~np.isin(data.train[:, [0, 2]], 0).any(axis=1)])

    (made,) = with_rows([arrays], told, grouped_texts(by_group=True), ids)

    assert np.allclose(made.entity[0], arrays.entity[1 : 1 + NEAREST].mean(axis=0), atol=1e-6)
    assert np.array_equal(made.entity[1:], arrays.entity[1:])


def test_where_fewer_are_near_the_row_is_the_mean_of_these() -> None:
    data, arrays = grouped_data(), grouped_student()
    ids = np.arange(data.num_entities, dtype=np.int32)
    told = replace(data, train=data.train[~np.isin(data.train[:, [0, 2]], 0).any(axis=1)])
    texts = texts_of([["lion"]] * 3 + [["tiger"]] * (data.num_entities - 3))

    (made,) = with_rows([arrays], told, texts, ids)

    assert np.allclose(made.entity[0], arrays.entity[1:3].mean(axis=0), atol=1e-6)


def test_of_a_graph_without_texts_nothing_is_measured() -> None:
    data = grouped_data()
    none = texts_of([[] for _ in range(data.num_entities)])
    arrays = cast(StudentArrays, None)

    found = fit_texts(arrays, cast(LearningData, data), none, np.arange(96, dtype=np.int32))

    assert found == (None, None)
