"""Communities: planted ones are found, and what has none is answered all the same."""

from __future__ import annotations

import itertools
from typing import Any

import networkx as nx
import numpy as np
import pytest

from sightline.graph.sets import communities as module
from sightline.graph.sets.communities import Communities, communities
from sightline.graph.snapshot.reader import Snapshot
from tests.graph.conftest import BASE, Triple, label, typed

PAIRS = list(itertools.combinations("012345", 2))
#: Four groups of six in which everybody knows everybody, joined in a ring by single facts.
RING: list[Triple] = [
    *(
        (f"c{g}{a}", "knows", f"c{g}{b}")
        for g in range(4)
        for a, b in itertools.combinations("012345", 2)
    ),
    *((f"c{g}0", "met", f"c{(g + 1) % 4}1") for g in range(4)),
]


def groups_of(s: Snapshot, found: Communities) -> list[set[str]]:
    names = [iri.removeprefix(f"{BASE}entity:") for iri in s.entity_iris]
    out: list[set[str]] = [set() for _ in found.sizes]
    for entity, community in enumerate(found.of.tolist()):
        if community >= 0:
            out[community].add(names[entity])
    assert [len(group) for group in out] == found.sizes.tolist()
    return out


def as_networkx(s: Snapshot) -> nx.Graph:
    graph = nx.Graph()
    for edge in np.unique(s.fact_of).tolist():
        a, b = int(s.head[edge]), int(s.tail[edge])
        if a != b:
            before = graph.get_edge_data(a, b, {"weight": 0.0})["weight"]
            graph.add_edge(a, b, weight=before + float(s.path_weight[edge]))
    return graph


def test_planted_groups_are_found_whatever_the_seed(snapshot_of: Any) -> None:
    s = snapshot_of(RING)
    for seed in range(3):
        found = communities(s, seed=seed, deadline_ms=60_000)
        assert {frozenset(group) for group in groups_of(s, found)} == {
            frozenset(f"c{g}{i}" for i in range(6)) for g in range(4)
        }
        assert found.whole


def random_triples(seed: int) -> list[Triple]:
    rng = np.random.default_rng(seed)
    weight = np.arange(1, 121) ** -0.5
    ends = rng.choice(120, (400, 2), p=weight / weight.sum()).tolist()
    rels = rng.integers(3, size=400).tolist()
    return sorted({(f"n{a}", f"r{r}", f"n{b}") for (a, b), r in zip(ends, rels)})


@pytest.mark.parametrize("resolution", [0.5, 1.0, 2.0])
def test_what_is_said_of_a_partition_is_as_networkx_says(
    snapshot_of: Any, resolution: float
) -> None:
    s = snapshot_of(random_triples(1))
    found = communities(s, resolution=resolution, deadline_ms=60_000)
    graph = as_networkx(s)
    parts = [set(np.flatnonzero(found.of == c).tolist()) for c in range(len(found.sizes))]

    assert all(nx.is_connected(graph.subgraph(part)) for part in parts)
    expected = nx.community.modularity(graph, parts, resolution=resolution)
    assert found.modularity == pytest.approx(expected)
    # No worse than what another program makes of it.
    peer = nx.community.louvain_communities(graph, resolution=resolution, seed=0)
    assert found.modularity >= nx.community.modularity(graph, peer, resolution=resolution) - 0.02
    for node in graph:
        near = [(int(found.of[other]), graph[node][other]["weight"]) for other in graph[node]]
        total = sum(weight for _, weight in near)
        to = [sum(w for c, w in near if c == one) for one in range(len(parts))]
        assert found.participation[node] == pytest.approx(1 - sum((w / total) ** 2 for w in to))
        assert found.inside[node] == pytest.approx(to[found.of[node]])
        assert found.outside[node] == pytest.approx(total - to[found.of[node]])


def test_a_higher_resolution_gives_more(snapshot_of: Any) -> None:
    s = snapshot_of(random_triples(1))
    number = [len(communities(s, resolution=r, deadline_ms=60_000).sizes) for r in (0.3, 1, 4)]
    assert number == sorted(number)
    assert number[0] < number[-1]


SHAPES: dict[str, tuple[list[Triple], int]] = {
    "hub": ([("hub", "r", f"x{i}") for i in range(9)], 1),
    "complete": ([(a, "r", b) for a, b in itertools.combinations("abcdefg", 2)], 1),
    "two parts": ([("a", "r", "b"), ("b", "r", "c"), ("x", "r", "y")], 2),
    "one fact of itself": ([("a", "r", "a")], 0),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_graphs_without_inner_groups_are_one_for_each_part(snapshot_of: Any, shape: str) -> None:
    triples, number = SHAPES[shape]
    s = snapshot_of([*triples, label("lonely", "Lonely"), typed("lonely", "Thing")])
    found = communities(s, deadline_ms=60_000)
    assert len(found.sizes) == number
    assert np.isfinite([found.modularity, *found.participation, *found.inside]).all()
    assert found.of[s.entity_iris.find(f"{BASE}entity:lonely")] == -1
    assert (found.participation == 0).all()
    assert (found.bridging == 0).all()


def test_a_community_in_pieces_is_taken_for_as_many(snapshot_of: Any) -> None:
    s = snapshot_of([("a", "r", "b"), ("b", "r", "c"), ("c", "r", "d")])
    graph = module._weighted(s.head, s.tail, np.ones(3), np.zeros(4))
    # The outer two are one community that only the inner two join.
    assert module._in_pieces(graph, np.array([0, 1, 1, 0], np.int32)).tolist() == [0, 1, 1, 2]


def test_a_tree_falls_into_connected_branches(snapshot_of: Any) -> None:
    s = snapshot_of([(f"t{(i - 1) // 2}", "r", f"t{i}") for i in range(1, 63)])
    found = communities(s, deadline_ms=60_000)
    assert 1 < len(found.sizes) < 31
    graph = as_networkx(s)
    for c in range(len(found.sizes)):
        assert nx.is_connected(graph.subgraph(np.flatnonzero(found.of == c).tolist()))


def test_time_that_is_over_gives_a_partition_that_is_not_kept(
    snapshot_of: Any, monkeypatch: Any
) -> None:
    s = snapshot_of(random_triples(1))
    monkeypatch.setattr(module, "GAIN", -1.0)  # so that it would go on for ever
    found = communities(s, deadline_ms=0)
    assert not found.whole
    assert found.sizes.sum() == (s.degree > 0).sum()
    monkeypatch.undo()
    assert communities(s, deadline_ms=60_000).whole


def test_communities_are_kept_and_few_of_them(snapshot_of: Any) -> None:
    s = snapshot_of(RING)
    first = communities(s, deadline_ms=60_000)
    assert communities(s, deadline_ms=60_000) is first
    for seed in range(1, module.KEPT + 2):
        communities(s, seed=seed, deadline_ms=60_000)
    assert len(module._MADE[s]) == module.KEPT
