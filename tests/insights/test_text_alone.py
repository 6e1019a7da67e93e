"""Answers about entities of which nothing is known but texts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sightline.insights.kinds import explain, predictions, related
from tests.graph.conftest import label, typed
from tests.insights.conftest import MODEL, ROWS, Model, World, name_of, other

NOTE = "predicted from its text alone, which is nearest to those of Ann: no fact of Eve is known"
#: What ann does is a blacksmith's work, and so is what eve does.
SMITHS = [*ROWS, label("ann", "a blacksmith"), label("eve", "Eve"), label("eve", "the blacksmith")]
SCORES = {("ann", "lives_in", "bern"): 6.0, ("ann", "works_at", "bolt"): 3.0}
#: A cautious curve beside that of entities with facts.
LESS = {"intercept": -1.0, "abstain_below": 0.9, "base_rate": 0.02}


def smiths(world_of, rows=SMITHS, **more) -> World:
    return world_of(rows, Model(SCORES, **{"without": ("eve",), "texts": LESS, **more}))


def test_an_entity_without_a_fact_is_answered_from_those_whose_texts_are_nearest(world_of) -> None:
    world = smiths(world_of)

    found = world.related("eve", known=False)

    # Of ann it is stated where she works and lives; the best new answers come first.
    assert ("lives_in", "bern") in [(name_of(one.relation), name_of(other(one))) for one in found]
    assert all(one.support_note.startswith(NOTE) for one in found)
    assert not world.entity("eve").known_to_model
    assert world.entity("eve").predictable


def test_its_relations_are_those_of_the_nearest(world_of) -> None:
    found = smiths(world_of).related("eve", known=False, k=50)

    assert {name_of(one.relation) for one in found} == {"works_at", "lives_in"}


def test_whether_it_has_an_answer_is_judged_by_the_nearest_too(world_of) -> None:
    """By ann alone, who lives somewhere and borders on nothing."""
    world = smiths(world_of)
    view, eve = world.sight.model_view, np.full(2, world.id("eve"))
    rels = np.array([world.graph.resolve_relation(name) for name in ("lives_in", "located_in")])
    by_types = view.chance_of_another.of(eve, rels)

    said = view.another(eve, rels)

    assert said.tolist() == pytest.approx(((np.array([1, 0]) + 5 * by_types) / 6).tolist())


def test_its_chances_are_those_of_the_curve_fitted_for_such_entities(world_of) -> None:
    world = smiths(world_of)
    share = np.exp(6) / (np.exp(6) + world.student.num_entities - 1)

    first, *_ = world.predict("eve", "lives_in", None)

    assert name_of(first.tail) == "bern"
    # The curve of the others has no intercept.
    assert first.probability_if_any == pytest.approx(share / (share + np.e), rel=1e-5)
    assert first.abstain


def test_the_answer_says_the_threshold_and_base_rate_of_such_entities(world_of) -> None:
    world = smiths(world_of)

    for kind in related, predictions:
        asked = ("eve", "lives_in", None) if kind is predictions else ("eve",)
        found = world.ask(kind, *asked)
        assert (found.abstain_below, found.base_rate) == (0.9, 0.02)
    assert world.neighborhood("eve", predicted=True).abstain_below == 0.9
    assert world.ask(related, "ann").abstain_below == 0.5


def test_the_answer_says_how_far_such_chances_were_from_true(world_of) -> None:
    metrics = {"calibration": {"test": {"ece": 0.1}}, "texts": {"calibration": {"ece": 0.2}}}
    world = smiths(world_of)
    (world.ws.models / MODEL / "metrics.json").write_text(json.dumps(metrics))
    world = World(world.ws)

    assert world.ask(related, "eve").calibration_error == 0.2
    assert world.ask(related, "ann").calibration_error == 0.1


def test_a_set_of_answers_is_within_the_bound_of_such_entities(world_of) -> None:
    sizes = []
    for bound in -1.0, 1e9:
        world = smiths(world_of, texts={**LESS, "surprisal": (bound,) * 30})
        sizes.append(len(world.predict("eve", "lives_in", None, coverage=0.3)))

    assert sizes == [0, 2]


def test_rows_are_taken_of_entities_that_have_one(world_of) -> None:
    world = smiths(world_of, [*SMITHS, label("bob", "the blacksmith")], without=("eve", "bob"))

    assert world.predict("eve", "lives_in", None)[0].support_note.startswith(NOTE)


def test_a_fact_about_it_is_explained_by_the_texts(world_of) -> None:
    found = smiths(world_of).ask(explain, "eve", "lives in", "bern")

    assert found.status == "predicted"
    assert found.note == NOTE
    share = np.exp(6) / (np.exp(6) + 7)
    assert found.probability_if_any == pytest.approx(share / (share + np.e), rel=1e-5)


def test_a_row_that_no_fact_has_taught_is_not_used(world_of) -> None:
    """As of an entity that only held-out facts name."""
    world = smiths(world_of, without=())

    first, *_ = world.predict("eve", "lives_in", None)

    assert first.score == pytest.approx(6, rel=1e-4)
    assert first.support_note.startswith(NOTE)


def test_where_texts_say_nothing_or_there_are_none_it_stays_unknown(world_of) -> None:
    world = smiths(world_of, texts=None)

    assert not world.entity("eve").predictable
    assert world.related("eve") == ()


def test_an_entity_without_a_text_stays_unknown(world_of) -> None:
    world = smiths(world_of, [*SMITHS, typed("zoe", "Person")], without=("eve", "zoe"))

    assert not world.entity("zoe").predictable
    assert world.entity("eve").predictable
