"""A neighbourhood is a part of the graph, fair to every relation, and says what it leaves out."""

from __future__ import annotations

import pytest

from sightline.graph.errors import OutOfRange
from tests.insights.conftest import name_of

HUB = [
    *(("hub", "common", f"c{i:02}") for i in range(40)),
    *(("hub", "rare", f"r{i}") for i in range(2)),
    ("x", "into", "hub"),
]


def nodes(view):
    return [node.iri.rpartition(":")[2] for node in view.nodes]


def test_a_hub_shows_every_relation_it_has(world_of) -> None:
    world = world_of([*HUB, ("c00", "other", "x")], model=None)
    view = world.neighborhood("hub", limit=4)
    # One of each relation, the rarest first; of the common ones the first of lowest degree.
    assert set(nodes(view)) == {"hub", "x", "r0", "c01"}
    assert view.truncated
    assert {(name_of(o.relation), o.direction, o.count) for o in view.omitted} == {
        ("common", "out", 39),
        ("rare", "out", 1),
    }


def test_shown_and_omitted_add_up_to_the_degree(world_of) -> None:
    world = world_of(HUB, model=None)
    for limit in (1, 2, 3, 10, 44, 100):
        view = world.neighborhood("hub", limit=limit)
        assert len(view.nodes) == min(limit, 44)
        assert len(view.edges) + sum(o.count for o in view.omitted) == 43
        assert view.truncated == (limit < 44)


def test_an_outer_hop_gets_its_share_of_the_places(world_of) -> None:
    facts = [*HUB, ("c00", "next", "d"), ("d", "next", "e"), ("e", "next", "f")]
    facts += [("r0", "next", f"n{i}") for i in range(9)]
    world = world_of(facts, model=None)
    view = world.neighborhood("hub", hops=2, limit=9)
    near = {"x", "r0", "r1", *(f"c{i:02}" for i in range(40))}
    shown = set(nodes(view)) - {"hub"}
    assert len(shown & near) == 4
    assert len(shown - near) == 4


def test_places_that_an_outer_hop_cannot_fill_go_to_the_inner_one(world_of) -> None:
    world = world_of(HUB, model=None)
    assert len(world.neighborhood("hub", hops=4, limit=30).nodes) == 30


def test_hops_end_where_they_should(world_of) -> None:
    chain = [(a, "next", b) for a, b in zip("abcdef", "bcdefg")]
    world = world_of(chain, model=None)
    for hops in (1, 2, 3, 4):
        view = world.neighborhood("a", hops=hops)
        assert nodes(view) == list("abcde"[: hops + 1])
        assert not view.truncated
    assert nodes(world.neighborhood("d")) == ["d", "c", "e"]


def test_only_the_relations_asked_for(world_of) -> None:
    world = world_of(HUB, model=None)
    view = world.neighborhood("hub", relations=["rare"])
    assert set(nodes(view)) == {"hub", "r0", "r1"}
    assert {name_of(link.relation) for link in view.edges} == {"rare"}
    assert view.omitted == ()


def test_facts_between_neighbours_and_self_loops_are_shown_once(world_of) -> None:
    facts = [("a", "r", "b"), ("a", "s", "b"), ("b", "r", "a"), ("a", "r", "a"), ("b", "r", "c")]
    world = world_of([*facts, ("a", "r", "c")], model=None)
    view = world.neighborhood("a")
    links = [(link.source[-1], name_of(link.relation), link.target[-1]) for link in view.edges]
    assert sorted(links) == sorted([*facts[:2], *facts[3:], ("a", "r", "c")])
    assert {node.id[-1]: node.degree for node in view.nodes} == {"a": 5, "b": 3, "c": 2}


@pytest.mark.parametrize("given", [{"hops": 0}, {"hops": 5}, {"limit": 0}, {"limit": 1001}])
def test_limits_are_checked(world_of, given) -> None:
    world = world_of()
    with pytest.raises(OutOfRange):
        world.neighborhood("bob", **given)
