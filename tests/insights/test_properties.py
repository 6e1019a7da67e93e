"""On any graph and any scores: what is stated and what is predicted never mix."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph.storage.workspace import Workspace
from tests.graph.conftest import build, fact, typed
from tests.insights.conftest import Model, World, name_of, write_model

NAMES = "abcdef"
triples = st.tuples(st.sampled_from(NAMES), st.sampled_from("rs"), st.sampled_from(NAMES))
graphs = st.sets(triples, min_size=2, max_size=14)
scores = st.dictionaries(triples, st.floats(-20, 20, width=32), max_size=20)
type_of = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["T", "U"]))
#: Every example compiles a snapshot.
few = settings(max_examples=12)


def made_world(folder: str, facts, scores, types) -> World:
    """A workspace with the facts, and a model that knows what they hold."""
    rows = [fact(f) for f in sorted(facts)] + [typed(e, t) for e, t in sorted(types.items())]
    snapshot = build(Path(folder) / "ws", rows)
    names = {iri.rpartition(":")[2] for iri in (*snapshot.entity_iris, *snapshot.relation_iris)}
    known = {f: score for f, score in scores.items() if set(f) <= names}
    ws = Workspace.open(Path(folder) / "ws")
    write_model(ws, snapshot, Model(known, calibration={"rank_slope": 0.5}))
    return World(ws)


def once(facts):
    """The facts with each pair that says the same both ways as one, as lists and degrees count."""
    return {f for f in facts if f[0] <= f[2] or f[::-1] not in facts}


def fact_of(item, about):
    assert about == name_of(item.head if item.direction == "out" else item.tail)
    return (name_of(item.head), name_of(item.relation), name_of(item.tail))


@few
@given(graphs, scores, type_of)
def test_related_states_exactly_the_facts_and_predicts_none_of_them(facts, scores, types) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = made_world(folder, facts, scores, types)
        for about in {name for h, _, t in facts for name in (h, t)}:
            answer = world.related(about, k=1000)
            stated = [fact_of(a, about) for a in answer if a.status == "stated"]
            new = [fact_of(a, about) for a in answer if a.status == "predicted"]
            assert set(stated) == {f for f in once(facts) if about in (f[0], f[2])}
            loops = sum(h == t == about for h, _, t in facts)
            assert len(stated) == len(set(stated)) + loops
            assert len(new) == len(set(new))
            assert not set(new) & {*facts, *((t, r, h) for h, r, t in facts)}
            assert all(h != t for h, _, t in new)
            assert all(a.probability is None for a in answer if a.status == "stated")
            chances = [a.probability for a in answer if a.status == "predicted"]
            assert all(0 <= chance <= 1 for chance in chances)
            assert chances == sorted(chances, reverse=True)


@few
@given(graphs, scores, type_of)
def test_probability_never_falls_as_the_score_rises(facts, scores, types) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = made_world(folder, facts, scores, types)
        for head, relation, tail in sorted(facts):
            h, r, t = head, relation, tail
            for question, wanted in (((h, r, None), tail), ((None, r, t), head)):
                answer = world.predict(*question, k=1000)
                found = [(name_of(p.head), name_of(p.relation), name_of(p.tail)) for p in answer]
                assert len(found) == len(set(found))
                assert [p.rank for p in answer] == list(range(1, len(answer) + 1))
                assert [p.status == "stated" for p in answer] == [f in facts for f in found]
                assert wanted in {
                    name_of(p.tail if question[2] is None else p.head) for p in answer
                }
                values = [p.score for p in answer]
                assert values == sorted(values, reverse=True)
                chances = [p.probability for p in answer if p.status == "predicted"]
                assert chances == sorted(chances, reverse=True)
                assert all(0 <= chance <= 1 for chance in chances)
                new = world.predict(*question, k=1000, new_only=True)
                assert [p.score for p in new] == [
                    p.score for p in answer if p.status == "predicted"
                ]


@few
@given(graphs, st.integers(1, 4), st.integers(1, 7), st.sampled_from(["", "r", "rs"]))
def test_a_neighbourhood_is_a_part_of_the_graph_and_counts_the_rest(
    facts, hops, limit, wanted
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        snapshot = build(Path(folder) / "ws", [fact(f) for f in sorted(facts)])
        world = World(Workspace.open(Path(folder) / "ws"))
        present = {iri[-1] for iri in snapshot.relation_iris}
        relations = [r for r in wanted if r in present]
        used = {f for f in once(facts) if not relations or f[1] in relations}
        for center in {name for h, _, t in facts for name in (h, t)}:
            view = world.neighborhood(
                center,
                hops=hops,
                limit=limit,
                relations=relations,
            )
            nodes = [name_of(node) for node in view.nodes]
            links = [
                (link.source[-1], name_of(link.relation), link.target[-1]) for link in view.edges
            ]
            assert nodes[0] == center
            assert len(nodes) == len(set(nodes)) <= limit
            assert sorted(links) == sorted(f for f in used if f[0] in nodes and f[2] in nodes)
            # Independent breadth-first search over what is shown.
            near = {center: 0}
            for hop in range(1, hops + 1):
                edge = {name for name, at in near.items() if at == hop - 1}
                for h, _, t in used:
                    for one, other in ((h, t), (t, h)):
                        if one in edge and other in nodes:
                            near.setdefault(other, hop)
            assert set(near) == set(nodes)
            inner = {name for name, at in near.items() if at < hops}
            left = sum(
                (h in inner) + (t in inner) == 1
                for h, _, t in used
                if not (h in nodes and t in nodes)
            )
            assert sum(o.count for o in view.omitted) == left
            assert view.truncated == (left > 0)


@pytest.mark.parametrize("size", [1, 3])
def test_asking_in_blocks_changes_nothing(world_of, monkeypatch, size) -> None:
    world = world_of(model=Model({("bob", "lives_in", "york"): 5.0}))
    before = world.related("york")
    monkeypatch.setattr(
        "sightline.distill.student.student.BLOCK", size * world.student.num_entities
    )
    assert world.related("york") == before
