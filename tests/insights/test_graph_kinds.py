"""Counts agree with counting by hand."""

from __future__ import annotations

from collections import Counter
from itertools import product
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest

from sightline.graph.errors import OutOfRange, UsageError
from sightline.graph.paths import chance
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.vocabulary import INVERSE_LABEL, OWL
from sightline.insights.kinds import paths, schema, stats
from tests.graph.conftest import BASE, XSD, fact, label, literal, typed
from tests.insights.conftest import FACTS, ROWS, World, name_of


def test_an_entity_with_everything_stated_about_it(world_of) -> None:
    rows = [
        *ROWS,
        literal("ann", "http://purl.org/dc/terms/description", "Eine Ärztin", language="de"),
        literal("ann", "https://schema.org/description", "A doctor", language="en"),
        literal("ann", "urn:sightline:property:born", "1970", datatype=XSD + "integer"),
        typed("ann", "Doctor"),
    ]
    world = world_of(rows)
    view = world.entity("ann")
    assert view.entity.label == "Ann"
    assert view.entity.types == ("Doctor", "Person")
    assert [name_of(kind) for kind in view.types] == ["Doctor", "Person"]
    assert view.description == "A doctor"
    born = next(a for a in view.attributes if name_of(a.property) == "born")
    assert (born.value, born.datatype) == ("1970", XSD + "integer")
    assert {(name_of(d.relation), d.direction, d.count) for d in view.degrees} == {
        ("works_at", "out", 1),
        ("lives_in", "out", 1),
    }
    assert [load.source for load in view.loads] == ["a.csv"]
    assert view.known_to_model


def test_an_entity_that_nothing_is_said_about(world_of) -> None:
    world = world_of([("a", "r", "b"), label("lonely", "Lonely")])
    view = world.entity("lonely")
    assert view.degrees == ()
    assert view.description is None
    assert world.related("lonely") == ()
    assert world.neighborhood("lonely").edges == ()


def test_search_says_how_it_matched(world_of) -> None:
    world = world_of()
    hits = world.search("bo")
    assert [(name_of(hit), hit.how, hit.degree) for hit in hits] == [
        ("bolt", "prefix", 3),
        ("bob", "prefix", 1),
    ]
    assert [name_of(hit) for hit in world.search("bo", type="Person")] == ["bob"]
    assert world.search("entity:bob")[0].how == "exact"
    with pytest.raises(OutOfRange, match="limit"):
        world.search("bo", limit=0)


def test_relations_with_their_cardinality(world_of) -> None:
    facts = [("a", "one_to_one", "b"), ("c", "one_to_one", "d")]
    facts += [("a", "one_to_many", x) for x in "bcd"]
    facts += [(x, "many_to_one", "a") for x in "bcde"]
    facts += list(product("ab", ["many_to_many"], "xy"))
    world = world_of(facts)
    views = {name_of(view.relation): view for view in world.relations()}
    assert {name: view.cardinality for name, view in views.items()} == {
        "one_to_one": "1:1",
        "one_to_many": "1:N",
        "many_to_one": "N:1",
        "many_to_many": "N:M",
    }
    many = views["many_to_one"]
    assert (many.edges, many.heads, many.tails) == (4, 4, 1)
    edges = [view.edges for view in world.relations()]
    assert edges == sorted(edges, reverse=True)


def test_a_relation_reads_from_its_tail_as_the_data_says(world_of) -> None:
    rows = [fact(("a", r, "b")) for r in ("located_in", "child", "parent", "capital")]
    for text, language in (("beherbergt", "de"), ("contains", "en")):
        said = literal("x", INVERSE_LABEL, text, language=language)
        rows.append(said | {"subject": BASE + "relation:located_in"})
    ends = {"subject": BASE + "relation:child", "object": BASE + "relation:parent"}
    rows.append(fact(("x", "y", "z")) | ends | {"predicate": OWL + "inverseOf"})
    read = {name_of(view.relation): view.inverse_label for view in world_of(rows).relations()}
    assert read.pop("capital") is None
    assert read == {"located_in": "contains", "child": "parent", "parent": "child"}


def test_the_schema_counts_every_pair_of_types(world_of, monkeypatch) -> None:
    monkeypatch.setattr(schema, "BLOCK", 3)
    types = {"a": ["T", "U"], "b": ["T"], "c": [], "d": ["U", "V"]}
    facts = [("a", "r", "b"), ("a", "r", "d"), ("b", "s", "c"), ("c", "r", "c"), ("d", "r", "a")]
    rows = [fact(f) for f in facts] + [typed(x, t) for x, own in types.items() for t in own]
    world = world_of(rows)
    expected = Counter(
        (h_type, r, t_type)
        for h, r, t in facts
        for h_type in types[h] or [None]
        for t_type in types[t] or [None]
    )

    def name(ref):
        return None if ref is None else name_of(ref)

    found = world.ask(schema)
    assert {
        (name(link.source), name_of(link.relation), name(link.target)): link.count
        for link in found.links
    } == expected
    assert {name(c.type): c.entities for c in found.types} == {"T": 2, "U": 2, "V": 1, None: 1}


def test_the_size_of_what_is_served(world_of) -> None:
    world = world_of()
    found = world.ask(stats)
    assert (found.entities, found.relations, found.edges) == (8, 3, len(FACTS))
    assert (found.snapshot, found.model) == (world.graph.id, "model-1")
    assert {name_of(c.type): c.entities for c in found.types} == {
        "Person": 4,
        "Company": 2,
        "City": 2,
    }


def test_paths_read_as_sentences_and_carry_their_origins(world_of) -> None:
    world = world_of()
    view = world.paths("bob", "york", max_hops=2)
    (path,) = view.paths
    assert path.text == "Bob —works at→ Acme —located in→ York"
    assert (path.metapath, path.length) == ("—works at→ · —located in→", 2)
    assert [step.forward for step in path.steps] == [True, True]
    assert [step.origins[0].row for step in path.steps] == [3, 6]
    back = world.paths("york", "bob", max_hops=2).paths[0]
    assert back.text == "York ←located in— Acme ←works at— Bob"
    assert back.score == pytest.approx(path.score)
    assert (view.metapaths[0].count, view.found, view.truncated) == (1, 1, False)


def test_shapes_stand_beside_chance_or_say_why_not(world_of, monkeypatch) -> None:
    spread = [(f"p{i}", "knows", f"q{j}") for i in range(9) for j in range(9) if (i + j) % 3]
    ends = [(f"{end}{i}", "near", f"z{i % 4}") for end in "pq" for i in range(9)]
    world = world_of([*spread, *ends])
    (shape, *_) = world.paths("p0", "q2", max_hops=3).metapaths
    assert shape.p_value is None
    assert "sightline compile" in shape.note

    compile_snapshot(world.ws, rdf=False, copies=True)
    world = type(world)(world.ws)
    view = world.paths("p0", "q2", max_hops=3)
    for shape in view.metapaths:
        assert shape.p_value is not None
        assert shape.q_value is not None
        assert shape.resolution is not None
        assert shape.resolution <= shape.p_value <= shape.q_value <= 1
        assert "shuffled draws score as high" in shape.note
    assert [step.relation.label for step in view.metapaths[0].steps][:1] == ["knows"]
    longer = next(
        m for m in world.paths("p0", "q2", max_hops=4, k=99).metapaths if len(m.steps) > 3
    )
    assert longer.p_value is None
    assert "up to 3 steps" in longer.note

    tested = chance.chance

    def slow(*given: Any) -> chance.Chance:
        sleep(0.02)
        return tested(*given)

    monkeypatch.setattr(chance, "chance", slow)
    hurried = world.paths("p0", "q2", max_hops=3, deadline_ms=10).metapaths
    assert hurried[0].p_value is not None
    assert len(hurried) > 2
    assert "the deadline of 10 ms left no time" in hurried[-1].note


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [([0, 0.5, 0.7], 2), ([0, 0.5, 0.8], 1), ([0, 3, 3.04], 2), ([0, 3, 3.06], 1)],
    ids=["in time", "late", "search late", "both late"],
)
def test_paths_that_there_is_no_time_to_show_are_left_out(
    world_of, monkeypatch, seconds: list[float], shown: int
) -> None:
    world = world_of()
    whole = world.paths("ann", "bob", max_hops=6)
    assert (len(whole.paths), whole.truncated) == (2, False)
    clock = SimpleNamespace(perf_counter=iter(seconds).__next__)
    monkeypatch.setattr(paths, "time", clock)
    cut = world.paths("ann", "bob", max_hops=6, deadline_ms=1000)
    assert (cut.paths, cut.found) == (whole.paths[:shown], whole.found)
    assert cut.truncated == (shown < 2)
    if cut.truncated:
        assert cut.reason == "the deadline of 1000 ms left no time to show 1 of 2 paths"


def test_two_who_bought_the_same_are_connected_unless_that_is_too_far(world_of) -> None:
    rows = [(f"order{i}", "customer", f"c{i}") for i in range(3)]
    rows += [("order0", "product", "lamp"), ("order1", "product", "lamp")]
    world = world_of(rows, model=None)
    found = world.paths("c0", "c1")
    assert [len(path.steps) for path in found.paths] == [4]
    assert (found.truncated, found.reason) == (
        False,
        "no path of at most 3 facts leads from one to the other",
    )
    assert found.metapaths == world.paths("c0", "c1", max_hops=4).metapaths
    assert world.paths("c0", "c1", max_hops=3).paths == ()
    assert world.paths("c0", "order0").reason is None
    assert world.paths("c0", "c2").paths == ()


def test_nobody_is_looked_for_farther_than_paths_may_be_long(world_of) -> None:
    chain = [(f"n{i}", "leads_to", f"n{i + 1}") for i in range(7)]
    world = world_of(chain, model=None)
    assert [len(path.steps) for path in world.paths("n0", "n6").paths] == [6]
    assert world.paths("n0", "n7").paths == ()


def test_path_filters_reach_the_search(world_of) -> None:
    world = world_of()
    ends = "bob", "york"
    without = world.paths(*ends, exclude=["located_in"])
    assert {path.length for path in without.paths} == {3}
    through = world.paths(*ends, types=["Company"])
    assert [path.length for path in through.paths] == [2]
    some = world.paths(*ends, include=["lives_in"], include_mode="any")
    assert {path.length for path in some.paths} == {3}
    assert {path.length for path in world.paths(*ends).paths} == {2, 3}
    assert world.paths(*ends, include=["lives_in"]).found == 0
    with pytest.raises(UsageError, match="pattern"):
        world.paths(*ends, include=["lives_in"], include_mode="any", pattern="lives_in")
    with pytest.raises(OutOfRange, match="max_hops"):
        world.paths(*ends, max_hops=99)


def test_a_side_may_be_several_entities_or_a_type(world_of) -> None:
    world = world_of()
    pairs = [world.paths(person, "york", k=99) for person in ("ann", "bob", "cid", "dot")]
    one_by_one = sorted((path for view in pairs for path in view.paths), key=lambda p: -p.score)
    several = world.paths(("ann", "bob", "cid", "dot"), "york", k=99)
    assert [p.score for p in several.paths] == [p.score for p in one_by_one]
    assert {p.text for p in several.paths} == {p.text for p in one_by_one}
    assert several.found == sum(view.found for view in pairs)
    counts: dict[str, int] = {}
    for shape in (shape for view in pairs for shape in view.metapaths):
        counts[shape.metapath] = counts.get(shape.metapath, 0) + shape.count
    assert {shape.metapath: shape.count for shape in several.metapaths} == counts
    of_type = world.paths("Person", "york", k=99)
    assert {p.text for p in of_type.paths} == {p.text for p in several.paths}
    assert {name_of(ref) for ref in of_type.source} == {"ann", "bob", "cid", "dot"}
    # What stands on both sides is not joined with itself.
    assert world.paths(("ann", "york"), "york", k=99).found == pairs[0].found


def test_a_shape_between_sets_is_as_unlikely_as_its_best_pair_times_the_pairs(world_of) -> None:
    world = world_of()
    compile_snapshot(world.ws, rdf=False, copies=True)
    world = World(world.ws)
    ask = {"max_hops": 2, "deadline_ms": 60_000}
    people, cities = ("ann", "bob", "cid"), ("york", "bern")
    shapes = {shape.metapath: shape for shape in world.paths(people, cities, **ask).metapaths}
    one = shapes["—works at→ · —located in→"]
    pairs = [world.paths(a, b, **ask).metapaths for a in people for b in cities]
    alike = [shape for found in pairs for shape in found if shape.metapath == one.metapath]
    assert one.count == len(alike) == 3
    assert one.p_value == pytest.approx(min(1.0, 6 * min(shape.p_value for shape in alike)))
    assert one.resolution == pytest.approx(min(1.0, 6 * alike[0].resolution))
    assert one.q_value >= one.p_value
    assert "p is 6 times its own" in one.note
    assert one.expected > 0


def test_what_is_cut_of_two_sets_is_said(world_of, monkeypatch) -> None:
    world = world_of()
    monkeypatch.setattr(paths, "MAX_ENDS", 3)
    view = world.paths("Person", "york")
    assert len(view.source) == 3
    assert view.reason == "a side has 4 entities, of which the 3 best connected were taken"
    assert view.truncated
    # Who is named again, or is of the type too, is one.
    view = world.paths(("ann", "ann", "bob", "ann"), "york")
    assert [name_of(ref) for ref in view.source] == ["ann", "bob"]
    assert not view.truncated
