"""A neighbourhood is a part of the graph, fair to every relation, and says what it leaves out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sightline.graph.errors import OutOfRange
from sightline.graph.extraction.extract import extract
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.insights.graph_formats import to_json_ld
from tests.graph.conftest import build, fact
from tests.graph.test_extract import add_text, sentences_of_towns
from tests.graph.test_extract import world as stated_towns
from tests.insights.conftest import Model, World, name_of

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


def test_relevance_puts_first_what_is_joined_in_most_ways(world_of) -> None:
    # m2 has more facts than m1, so it would come last; it shares two friends with the entity.
    facts = [("a", "knows", m) for m in ("m1", "m2")]
    facts += [("a", "likes", x) for x in ("x", "y")] + [("m2", "likes", x) for x in ("x", "y")]
    world = world_of(facts, model=None)
    first = {
        rank: [n for n in nodes(world.neighborhood("a", limit=3, rank=rank)) if n[0] == "m"]
        for rank in ("rare", "relevance")
    }
    assert first == {"rare": ["m1"], "relevance": ["m2"]}


def test_a_relation_has_no_more_than_its_places(world_of) -> None:
    world = world_of([*HUB, ("hub", "other", "c00")], model=None)
    view = world.neighborhood("hub", per_relation=3)
    assert sorted(nodes(view)) == ["c00", "c01", "c02", "c03", "hub", "r0", "r1", "x"]
    assert [(name_of(o.relation), o.count) for o in view.omitted] == [("common", 36)]
    assert view.truncated
    assert view.reason is None


def test_what_is_drawn_takes_no_place_and_its_facts_are_told(world_of) -> None:
    world = world_of([*HUB, ("c01", "next", "r0"), ("c02", "next", "c03")], model=None)
    drawn = ["c01", "c02", "c03", "hub"]
    view = world.neighborhood("hub", exclude=drawn, relations=["common", "next", "rare"])
    assert not set(nodes(view)) & set(drawn[:3])
    links = {(e.source[-3:], name_of(e.relation), e.target[-3:]) for e in view.edges}
    assert {("hub", "common", "c01"), ("c01", "next", ":r0")} <= links
    # Both ends were there before: told then.
    assert ("c02", "next", "c03") not in links
    assert view.omitted == ()


def test_predictions_are_marked_and_are_no_guesses(world_of) -> None:
    likely, guess = ("bob", "lives_in", "york"), ("bob", "lives_in", "bern")
    world = world_of(model=Model({likely: 9.0, guess: -9.0}, calibration={"abstain_below": 0.4}))
    view = world.neighborhood("bob", predicted=True)
    (new,) = [e for e in view.edges if e.status == "predicted"]
    assert (name_of(new.relation), new.target[-4:], new.origins) == ("lives_in", "york", ())
    assert 0 < new.probability < 1
    assert view.abstain_below == 0.4
    stated = [e for e in view.edges if e.status == "stated"]
    assert [(bool(e.origins), e.probability) for e in stated] == [(True, None)] * 2
    assert all(e.status == "stated" for e in world.neighborhood("bob").edges)
    # Where there is no place for its end it is left out, and that is said.
    narrow = world.neighborhood("bob", predicted=True, limit=1)
    assert (len(narrow.nodes), narrow.truncated) == (1, True)
    assert {e.status for e in narrow.edges} <= {"stated"}


def test_without_a_model_the_reason_is_told(world_of) -> None:
    view = world_of(model=None).neighborhood("bob", predicted=True)
    assert "nothing was predicted" in view.reason


names = st.sampled_from("abcdefg")
graphs = st.sets(st.tuples(names, st.sampled_from("rs"), names), min_size=3, max_size=16)


@settings(max_examples=12, phases=[Phase.generate])
@given(graphs, st.integers(1, 5), st.integers(1, 3), st.sets(names, max_size=2))
def test_shown_and_omitted_are_all_facts_as_networkx_counts_them(
    facts, limit, per_relation, drawn
) -> None:
    graph = nx.MultiDiGraph()
    graph.add_edges_from((h, t, r) for h, r, t in facts)
    drawn &= set(graph)
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "ws", [fact(f) for f in sorted(facts)])
        world = World(Workspace.open(Path(folder) / "ws"))
        for about in sorted(graph):
            asked = {"limit": limit, "per_relation": per_relation, "rank": "relevance"}
            view = world.neighborhood(about, exclude=sorted(drawn), **asked)
            shown = set(nodes(view))
            assert about in shown
            assert len(shown) <= limit
            assert not shown & drawn - {about}
            known = shown | drawn
            told = {(e.source[-1], name_of(e.relation), e.target[-1]) for e in view.edges}
            once = {f for f in facts if f[::-1] not in facts or f[0] <= f[2]}
            assert told == {f for f in once if {f[0], f[2]} <= known and {f[0], f[2]} & shown}
            # A pair that says the same both ways is one fact, told in either of them.
            omitted = nx.MultiDiGraph()
            omitted.add_edges_from((h, t, r) for h, r, t in once)
            omitted.remove_nodes_from(known - {about})
            counts = {(name_of(o.relation), o.direction): o.count for o in view.omitted}
            for r in "rs":
                out = sum(t != about and e == r for _, t, e in omitted.out_edges(about, keys=True))
                into = sum(h != about and e == r for h, _, e in omitted.in_edges(about, keys=True))
                shown_counts = counts.get((r, "out"), 0), counts.get((r, "in"), 0)
                assert sum(shown_counts) == out + into
                if not any(f[::-1] in facts for f in facts):
                    assert shown_counts == (out, into)


def test_what_texts_state_is_told_apart_and_only_where_it_is_asked_for(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    stated_towns(ws)
    add_text(ws, sentences_of_towns())
    extract(ws)
    compile_snapshot(ws)
    world = World(ws)
    assert world.neighborhood("t10").edges == ()
    view = world.neighborhood("t10", extracted=True)
    (edge,) = view.edges
    assert (edge.status, name_of(edge.relation), edge.probability) == ("extracted", "lies_on", None)
    assert nodes(view) == ["t10", "r2"]
    assert str(edge.origins[0]) == "towns.csv, row 1001"
    assert not view.truncated
    assert b"lies_on" not in to_json_ld(view, world.sight)
    # It stands beside what is excluded, and is left out with its place.
    assert len(world.neighborhood("t10", extracted=True, exclude=["r2"]).edges) == 1
    assert world.neighborhood("t10", extracted=True, limit=1).truncated
