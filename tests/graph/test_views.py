"""NetworkX sees the same graph whether it is copied or looked at."""

from __future__ import annotations

import tempfile
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph.exchange.views import networkx_view, to_networkx
from sightline.graph.snapshot.reader import Snapshot
from tests.graph.conftest import BASE, build, fact, label, literal, typed

names = st.sampled_from("abcdef")
triples = st.lists(st.tuples(names, st.sampled_from("rs"), names), min_size=1, max_size=14)


def copied(s: Snapshot) -> nx.MultiDiGraph:
    """The graph by ids, made by NetworkX itself."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(s.num_entities))
    for (h, r, t), weight in zip(s.triples().tolist(), s.path_weight.tolist()):
        graph.add_edge(h, t, key=r, path_weight=weight, inferred=False)
    return graph


@settings(max_examples=25)
@given(triples)
def test_algorithms_give_the_same_on_view_and_copy(
    rows: list[tuple[str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        s = build(Path(folder), [fact(t) for t in rows])
        view, copy = networkx_view(s), copied(s)
        assert list(view.nodes) == list(copy.nodes)
        assert sorted(view.edges(keys=True)) == sorted(copy.edges(keys=True))
        assert {n: sorted(view.pred[n]) for n in view} == {n: sorted(copy.pred[n]) for n in copy}
        for degree in ("degree", "in_degree", "out_degree"):
            assert dict(getattr(view, degree)) == dict(getattr(copy, degree))
        for measure in (nx.pagerank, nx.in_degree_centrality, nx.closeness_centrality):
            assert measure(view) == pytest.approx(measure(copy))
        for groups in (nx.weakly_connected_components, nx.strongly_connected_components):
            assert sorted(map(sorted, groups(view))) == sorted(map(sorted, groups(copy)))
        for source in view:
            far, near = (
                nx.single_source_dijkstra_path_length(graph, source, weight="path_weight")
                for graph in (view, copy)
            )
            assert far == pytest.approx(near)
        few = [0, s.num_entities - 1]
        assert sorted(view.subgraph(few).edges) == sorted(copy.subgraph(few).edges)
        assert view.reverse().pred == copy.reverse().pred
        assert sorted(view.to_undirected().edges) == sorted(copy.to_undirected().edges)


@pytest.fixture
def snapshot(snapshot_of) -> Snapshot:
    return snapshot_of(
        [
            ("a", "r", "b"),
            ("a", "s", "b"),
            ("b", "r", "b"),
            ("b", "r", "c"),
            label("a", "Ann"),
            literal("a", f"{BASE}property:size", "3"),
            literal("a", f"{BASE}property:size", "4"),
            typed("a", "X"),
            typed("lonely", "X"),
        ]
    )


def test_the_view_names_entities_and_edges(snapshot: Snapshot) -> None:
    view = networkx_view(snapshot)
    a, b = snapshot.resolve_entity("a"), snapshot.resolve_entity("b")
    assert view.nodes[a] == {"iri": f"{BASE}entity:a", "label": "Ann"}
    assert view.has_edge(a, b, key=snapshot.resolve_relation("s"))
    assert view[a][b][0]["path_weight"] == pytest.approx(float(snapshot.path_weight[0]))
    assert np.int32(a) in view
    for wrong in (-1, snapshot.num_entities, "a", None, 1.5):
        assert wrong not in view
        with pytest.raises(KeyError):
            view.adj[wrong]
        with pytest.raises(KeyError):
            view.nodes[wrong]


def test_the_view_cannot_be_changed_and_its_copy_can(snapshot: Snapshot) -> None:
    view = networkx_view(snapshot)
    for change in (
        lambda: view.add_node(99),
        lambda: view.add_edge(0, 1),
        lambda: view.remove_node(0),
        lambda: view.clear(),
    ):
        with pytest.raises(nx.NetworkXError, match="Frozen"):
            change()
    copy = view.copy()
    copy.add_edge(0, 99)
    assert (copy.number_of_edges(), view.number_of_edges()) == (5, 4)


def test_the_copy_holds_labels_types_and_attributes(snapshot: Snapshot) -> None:
    graph = to_networkx(snapshot)
    a, b, c, lonely = (f"{BASE}entity:{n}" for n in ("a", "b", "c", "lonely"))
    assert set(graph) == {a, b, c, lonely}
    assert graph.nodes[a]["attributes"] == {"label": ["Ann"], "size": ["3", "4"]}
    assert (graph.nodes[a]["label"], graph.nodes[lonely]["types"]) == ("Ann", ["X"])
    assert graph[b][c] == {
        f"{BASE}relation:r": {
            "label": "r",
            "path_weight": pytest.approx(2**-0.4),
            "inferred": False,
        }
    }
    assert graph.number_of_edges(b, b) == 1


def test_a_part_of_the_copy_is_induced_by_its_entities(snapshot: Snapshot) -> None:
    a, b = snapshot.resolve_entity("a"), snapshot.resolve_entity("b")
    part = to_networkx(snapshot, [b, a, b])
    whole = to_networkx(snapshot)
    assert nx.utils.graphs_equal(part, whole.subgraph(list(part)).copy())
    assert part.number_of_edges() == 3
    assert len(to_networkx(snapshot, [])) == 0
