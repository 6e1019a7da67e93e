"""Answers about entities that the model never saw: of the request, or of the graph."""

from __future__ import annotations

import numpy as np
import pytest

from sightline.graph.errors import OutOfRange
from sightline.insights.analogous import AnalogousEntities
from sightline.insights.kinds import inductive
from sightline.models.errors import NoModel, UnknownToModel
from tests.insights.conftest import FACTS, ROWS, Model, World, name_of, other

SCORES = {
    ("bob", "lives_in", "york"): 6.0,
    ("bob", "lives_in", "bern"): 3.0,
    ("bob", "works_at", "bolt"): 5.0,
    ("bob", "located_in", "bern"): 9.0,
}
#: Every entity that it does not know is to it as bob.
LIKE_BOB = Model(SCORES, like="bob")


def ask(world: World, *edges: tuple[str, str], **more):
    """From edges of which the new entity is the head."""
    return world.ask(inductive, tuple(inductive.Edge(r, t) for r, t in edges), **more)


def said(found) -> list[tuple[str, str, str]]:
    return [(r.direction, name_of(r.relation), name_of(other(r))) for r in found.related]


def test_an_entity_that_is_nowhere_is_answered_from_its_edges(world_of) -> None:
    found = ask(world_of(model=LIKE_BOB), ("works_at", "acme"), k=2)

    assert said(found) == [("out", "lives_in", "york"), ("out", "works_at", "bolt")]
    assert found.edges_used == 1
    for r in found.related:
        assert r.status == "predicted"
        assert 0 < r.probability < 1
        assert (r.support, r.origins) == ((), ())
        assert r.support_note == "predicted from the edges given"


def test_what_is_given_is_not_proposed_and_neither_is_its_reverse(world_of) -> None:
    found = ask(world_of(model=LIKE_BOB), ("works_at", "bolt"), ("lives_in", "york"), k=50)

    assert ("out", "works_at", "bolt") not in said(found)
    assert ("in", "works_at", "bolt") not in said(found)
    assert ("out", "lives_in", "york") not in said(found)
    assert ("out", "lives_in", "bern") in said(found)


def test_an_entity_gets_the_relations_of_those_that_share_its_directed_relations(world_of) -> None:
    found = ask(world_of(model=LIKE_BOB), ("works_at", "acme"), k=50)

    assert {relation for _, relation, _ in said(found)} == {"works_at", "lives_in"}
    assert {direction for direction, _, _ in said(found)} == {"out"}


def test_a_relation_can_be_asked_about_by_name(world_of) -> None:
    world = world_of(model=LIKE_BOB)

    found = ask(
        world,
        ("works_at", "acme"),
        relation="located_in",
        direction="out",
        k=1,
    )

    assert said(found) == [("out", "located_in", "bern")]


def test_a_longer_list_begins_with_the_shorter_one(world_of) -> None:
    world = world_of(model=LIKE_BOB)

    longer = ask(world, ("works_at", "acme"), k=10)

    assert ask(world, ("works_at", "acme"), k=2).related == longer.related[:2]


def test_an_edge_stated_twice_counts_once(world_of) -> None:
    world = world_of(model=LIKE_BOB)

    assert ask(world, *[("works_at", "acme")] * 3) == ask(world, ("works_at", "acme"))


def test_an_edge_that_the_model_cannot_read_is_not_counted(world_of) -> None:
    world = world_of(model=Model(without=("located_in", "acme"), like="bob"))

    found = ask(world, ("located_in", "york"), ("works_at", "acme"))

    assert found.edges_used == 1
    with pytest.raises(UnknownToModel, match="relation 'located in'"):
        ask(world, ("located_in", "york"))
    with pytest.raises(UnknownToModel, match="relation 'located in'"):
        ask(world, ("works_at", "acme"), relation="located_in")


def test_what_cannot_be_asked_is_said(world_of) -> None:
    world = world_of(model=Model(SCORES))
    with pytest.raises(UnknownToModel):
        ask(world, ("works_at", "acme"))
    with pytest.raises(OutOfRange):
        ask(world, ("works_at", "acme"), k=0)


def test_without_a_model_there_is_none_to_ask(world_of) -> None:
    with pytest.raises(NoModel):
        ask(world_of(model=None), ("works_at", "acme"))


def test_an_entity_of_the_graph_that_came_after_training_is_answered_and_marked(world_of) -> None:
    scores = {("ann", "lives_in", "bern"): 6.0}
    world = world_of(model=Model(scores, without=("bob",), like="ann"))

    first, *_ = world.predict("bob", "lives_in", None)
    (related,) = world.related("bob", known=False, k=1)

    assert name_of(first.tail) == "bern"
    assert first.probability is not None
    note = "predicted from its edges: the model never saw Bob"
    assert first.support_note == f"{note}; no support found"
    assert related.support_note is not None
    assert related.support_note.startswith(note)
    assert not world.entity("bob").known_to_model
    assert world.entity("bob").predictable


def test_an_entity_that_the_model_knows_is_not_marked(world_of) -> None:
    world = world_of(model=Model(SCORES, without=("ann",), like="cid"))

    first, *_ = world.predict("bob", "lives_in", None)

    assert first.support_note is None


def test_an_entity_without_an_edge_stays_unknown(world_of) -> None:
    rows = [row for row in ROWS if "dot" not in str(row) or "works" not in str(row)]
    world = world_of(rows, Model(SCORES, without=("dot",), like="bob"))

    with pytest.raises(UnknownToModel, match="Dot"):
        world.predict("dot", "lives_in", None)
    assert world.related("dot") == ()
    assert not world.entity("dot").predictable


def test_analogous_entities_are_those_that_share_all_directed_relations_or_any(world_of) -> None:
    world = world_of(FACTS)
    facts = world.sight.facts
    works, located = world.relation("works_at"), world.relation("located_in")

    people = AnalogousEntities.of(facts, np.array([works, works], np.int32))
    both = AnalogousEntities.of(facts, np.array([works, located], np.int32))

    assert people.entities == 4
    assert both.entities == 6
    assert np.flatnonzero(people.uses).tolist() == sorted([works, world.relation("lives_in")])


def test_the_chance_of_another_is_the_share_of_them_that_have_more(world_of) -> None:
    world = world_of(FACTS)
    works, lives = world.relation("works_at"), world.relation("lives_in")
    like = AnalogousEntities.of(world.sight.facts, np.array([works], np.int32))
    stated = np.bincount([works], minlength=6)

    another = like.chance_of_another(stated)

    # Two of four people live somewhere; none of the four works at two places.
    assert another[lives] == pytest.approx((2 + 0.5) / (4 + 1))
    assert another[works] == pytest.approx(0.5 / (4 + 1))
