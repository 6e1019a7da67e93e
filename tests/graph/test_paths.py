"""Paths are exactly the node-simple paths that NetworkX finds, scored and ordered as documented."""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from pathlib import Path as FilePath

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph import paths
from sightline.graph.errors import OutOfRange
from sightline.graph.paths import find_paths
from sightline.graph.snapshot import Snapshot
from tests.graph.conftest import build, fact, typed


def undirected(snapshot: Snapshot) -> nx.MultiGraph:
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(snapshot.num_entities))
    for edge, (h, _, t) in enumerate(snapshot.triples().tolist()):
        graph.add_edge(h, t, key=edge)
    return graph


def by_networkx(snapshot: Snapshot, source: int, target: int, hops: int) -> set[tuple[int, ...]]:
    """Every node-simple path as its edge ids. Counts each once, whichever way it is walked."""
    if source == target:
        return set()
    found = nx.all_simple_edge_paths(undirected(snapshot), source, target, cutoff=hops)
    return {tuple(edge for _, _, edge in path) for path in found}


multigraphs = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 2), st.integers(0, 7)), min_size=1, max_size=22
)


@settings(max_examples=60, deadline=None)
@given(multigraphs, st.integers(1, 4))
def test_all_paths_equal_networkx(triples: list[tuple[int, int, int]], hops: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [fact((f"e{h}", f"r{r}", f"e{t}")) for h, r, t in triples]
        snapshot = build(FilePath(folder), rows)
        for source in range(min(3, snapshot.num_entities)):
            for target in range(snapshot.num_entities):
                answer = find_paths(snapshot, source, target, max_hops=hops, k=1000)
                expected = by_networkx(snapshot, source, target, hops)
                assert answer.found == len(expected)
                assert not answer.truncated
                if len(expected) <= 1000:
                    assert {path.edges for path in answer.paths} == expected
                check_paths(snapshot, answer, source, target)


def check_paths(snapshot: Snapshot, answer: paths.PathAnswer, source: int, target: int) -> None:
    sums: Counter[tuple[int, ...]] = Counter()
    for path in answer.paths:
        assert (path.entities[0], path.entities[-1]) == (source, target)
        steps = zip(path.entities, path.edges, path.slots, path.entities[1:])
        for before, edge, slot, after in steps:
            forward = slot < snapshot.num_relations
            assert snapshot.relation[edge] == slot % snapshot.num_relations
            ends = (snapshot.head[edge], snapshot.tail[edge])
            assert ends == ((before, after) if forward else (after, before))
        assert path.score == pytest.approx(
            math.prod(float(snapshot.path_weight[e]) for e in path.edges)
        )
        sums[path.slots] += path.score  # type: ignore[assignment]
    scores = [path.score for path in answer.paths]
    assert scores == sorted(scores, reverse=True) or scores == pytest.approx(
        sorted(scores, reverse=True)
    )
    if len(answer.paths) == answer.found:
        for metapath in answer.metapaths:
            assert metapath.score == pytest.approx(sums[metapath.slots])


def test_the_same_in_both_directions(snapshot_of) -> None:
    snapshot = snapshot_of(
        [("a", "r", "b"), ("b", "s", "c"), ("c", "r", "a"), ("b", "r", "d"), ("d", "q", "c")]
    )
    there = find_paths(snapshot, 0, 2, max_hops=4)
    back = find_paths(snapshot, 2, 0, max_hops=4)
    assert [p.edges for p in there.paths] != []
    assert {p.edges for p in there.paths} == {p.edges[::-1] for p in back.paths}


def test_a_hub_ranks_below_a_specific_neighbour(snapshot_of) -> None:
    hub = [(f"x{i}", "in", "hub") for i in range(50)]
    rows = [("a", "in", "hub"), ("b", "in", "hub"), ("a", "in", "club"), ("b", "in", "club"), *hub]
    snapshot = snapshot_of(rows)
    a, b, club = (snapshot.resolve_entity(name) for name in ("a", "b", "club"))
    answer = find_paths(snapshot, a, b, max_hops=2)
    assert answer.paths[0].entities[1] == club
    # in-degrees 2 and 52, out-degrees 2: (2*2)^-.4 each way, and (2*52)^-.4
    assert answer.paths[0].score == pytest.approx((2 * 2) ** -0.4 * (2 * 2) ** -0.4)
    assert answer.paths[1].score == pytest.approx((2 * 52) ** -0.4 * (2 * 52) ** -0.4)
    assert answer.metapaths[0].count == 2
    assert answer.metapaths[0].score == pytest.approx(sum(p.score for p in answer.paths))


def test_a_direct_edge_is_always_in_the_answer(snapshot_of) -> None:
    crowd = [(f"x{i}", "common", "b") for i in range(60)] + [("a", "common", "b")]
    crowd += [("a", "common", f"y{i}") for i in range(60)]
    special = [("a", f"p{i}", "m") for i in range(5)] + [("m", f"q{i}", "b") for i in range(5)]
    snapshot = snapshot_of(crowd + special)
    a, b = snapshot.resolve_entity("a"), snapshot.resolve_entity("b")
    answer = find_paths(snapshot, a, b, max_hops=2, k=3)
    assert len(answer.paths) == 3
    assert answer.found == 26
    assert len(answer.paths[-1].edges) == 1


def test_filters_keep_relations_and_types_apart(snapshot_of) -> None:
    rows = [fact(t) for t in (("a", "r", "m"), ("m", "r", "b"), ("a", "s", "n"), ("n", "r", "b"))]
    snapshot = snapshot_of([*rows, typed("m", "Inner"), typed("n", "Outer")])
    a, b, m, n = (snapshot.resolve_entity(x) for x in ("a", "b", "m", "n"))
    r, s = snapshot.resolve_relation("r"), snapshot.resolve_relation("s")
    inner = snapshot.resolve_class("Inner")

    def through(**filters) -> set[int]:
        return {p.entities[1] for p in find_paths(snapshot, a, b, **filters).paths}

    assert through() == {m, n}
    assert through(include=[r]) == {m}
    assert through(exclude=[s]) == {m}
    assert through(exclude=[r]) == set()
    assert through(types=[inner]) == {m}


def test_no_path_and_no_way_to_itself(snapshot_of) -> None:
    snapshot = snapshot_of([("a", "r", "b"), ("c", "r", "d"), ("a", "r", "a")])
    assert find_paths(snapshot, 0, 2).paths == ()
    assert find_paths(snapshot, 0, 0).found == 0


def test_many_paths_come_in_chunks_and_slices(snapshot_of, monkeypatch) -> None:
    layers = [
        (f"{a}{i}", "r", f"{b}{j}") for a, b in ("ab", "bc") for i in range(9) for j in range(9)
    ]
    ends = [("s", "r", f"a{i}") for i in range(9)] + [(f"c{i}", "r", "t") for i in range(9)]
    snapshot = snapshot_of(layers + ends)
    s, t = snapshot.resolve_entity("s"), snapshot.resolve_entity("t")
    whole = find_paths(snapshot, s, t, max_hops=4, k=20)
    assert whole.found == 9**3
    monkeypatch.setattr(paths, "CHUNK", 7)
    monkeypatch.setattr(paths, "SLICE_STEPS", 11)
    pieces = find_paths(snapshot, s, t, max_hops=4, k=20)
    assert (pieces.paths, pieces.found) == (whole.paths, whole.found)
    assert [m.count for m in pieces.metapaths] == [m.count for m in whole.metapaths]
    assert pieces.metapaths[0].score == pytest.approx(whole.metapaths[0].score)


def test_a_deadline_cuts_and_says_so(snapshot_of, monkeypatch) -> None:
    clique = [(f"n{i}", "r", f"n{j}") for i in range(40) for j in range(i)]
    snapshot = snapshot_of(clique)
    monkeypatch.setattr(paths, "SLICE_STEPS", 100)
    answer = find_paths(snapshot, 0, 1, max_hops=4, k=5, deadline_ms=1)
    assert answer.truncated
    assert "deadline" in str(answer.reason)
    assert min(len(p.edges) for p in answer.paths) == 1


@pytest.mark.parametrize(
    "limit",
    [{"max_hops": 0}, {"max_hops": 5}, {"k": 0}, {"k": -3}, {"k": 10**9}]
    + [{"deadline_ms": bad} for bad in (0, -1, math.nan, math.inf)],
)
def test_limits_name_their_range(snapshot_of, limit) -> None:
    snapshot = snapshot_of([("a", "r", "b")])
    with pytest.raises(OutOfRange, match="allowed are 1 to"):
        find_paths(snapshot, 0, 1, **limit)
