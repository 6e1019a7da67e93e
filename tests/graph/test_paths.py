"""Paths are exactly the node-simple paths that NetworkX finds, scored and ordered as documented."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path as FilePath

import networkx as nx
import numpy as np
import pytest

from sightline.graph import progress
from sightline.graph.errors import OutOfRange, UsageError
from sightline.graph.paths import find as paths
from sightline.graph.paths import kernels
from sightline.graph.paths.find import PathAnswer, find_paths, paths_to_each, warm
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.vocabulary import OWL, RDF_TYPE
from tests.graph.conftest import BASE, build, fact, typed

#: Small multigraphs, as components of one graph: compiling is what takes the time.
COMPONENTS = 3000


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Random multigraphs of 3 to 8 entities with loops, parallel edges and types."""
    rng = np.random.default_rng(3)
    rows = []
    for c in range(COMPONENTS):
        size = rng.integers(3, 9)
        for h, r, t in rng.integers((size, 3, size), size=(rng.integers(3, 15), 3)):
            rows.append(fact((f"g{c}n{h}", f"r{r}", f"g{c}n{t}")))
        rows += [typed(f"g{c}n{n}", "Even") for n in range(0, size, 2)]
    return build(tmp_path_factory.mktemp("crowd"), rows)


@pytest.fixture(scope="module")
def components(crowd: Snapshot) -> list[nx.MultiGraph]:
    graph = nx.MultiGraph()
    for edge, (h, r, t) in enumerate(crowd.triples().tolist()):
        if crowd.fact_of[edge] == edge:
            graph.add_edge(h, t, key=edge, relation=r)
    return [graph.subgraph(nodes) for nodes in nx.connected_components(graph)]


def by_networkx(graph: nx.MultiGraph, pair: tuple[int, int], hops: int) -> set[tuple[int, ...]]:
    """Every node-simple path as its edge ids."""
    if not set(pair) <= set(graph) or pair[0] == pair[1]:
        return set()
    found = nx.all_simple_edge_paths(graph, *pair, cutoff=hops)
    return {tuple(edge for _, _, edge in path) for path in found}


def edges_of(answer: PathAnswer) -> list[tuple[int, ...]]:
    return [path.edges for path in answer.paths]


def cut_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the time is over at once, and all of it never."""
    monkeypatch.setattr(paths._Search, "_past", lambda self, share: share < paths.SEARCH)
    monkeypatch.setattr(paths, "SLICE_STEPS", 5)


def test_all_paths_equal_networkx_on_thousands_of_multigraphs(
    crowd: Snapshot, components: list[nx.MultiGraph]
) -> None:
    assert len(components) >= COMPONENTS
    total = 0
    for i, graph in enumerate(components):
        nodes, hops = sorted(graph), 1 + i % 6
        for pair in itertools.product(nodes[:2], nodes[-2:]):
            answer = find_paths(crowd, *pair, max_hops=hops, k=1000)
            expected = by_networkx(graph, pair, hops)
            assert answer.found == len(answer.paths) == len(expected)
            assert set(edges_of(answer)) == expected
            assert not answer.truncated
            check_answer(crowd, answer, pair)
            total += answer.found
    assert total > 10_000


def check_answer(snapshot: Snapshot, answer: PathAnswer, pair: tuple[int, int]) -> None:
    """Every path is one, and everything is scored and in order."""
    sums: Counter[tuple[int, ...]] = Counter()
    counts: Counter[tuple[int, ...]] = Counter()
    for path in answer.paths:
        assert (path.entities[0], path.entities[-1]) == pair
        assert len(set(path.entities)) == len(path.entities)
        for before, edge, rel, after in zip(
            path.entities, path.edges, path.rels, path.entities[1:]
        ):
            assert snapshot.relation[edge] == rel % snapshot.num_relations
            ends = (snapshot.head[edge], snapshot.tail[edge])
            forward = rel < snapshot.num_relations
            assert ends == ((before, after) if forward else (after, before))
        weights = [float(snapshot.path_weight[edge]) for edge in path.edges]
        assert path.score == pytest.approx(math.prod(weights), rel=1e-11)
        shape = tuple(snapshot.one_rel[list(path.rels)].tolist())
        sums[shape] += path.score  # type: ignore[assignment]
        counts[shape] += 1
    ordered = sorted(answer.paths, key=lambda path: (-path.score, len(path.edges), path.edges))
    assert list(answer.paths) == ordered
    metapaths = [(-m.score, len(m.rels), m.rels) for m in answer.metapaths]
    assert metapaths == sorted(metapaths)
    if len(answer.paths) == answer.found:
        assert {m.rels: m.count for m in answer.metapaths} == counts
        assert {m.rels: m.score for m in answer.metapaths} == pytest.approx(sums, rel=1e-9)


def test_the_best_paths_are_the_first_of_all_paths(
    crowd: Snapshot, components: list[nx.MultiGraph]
) -> None:
    for graph in components[:150]:
        pair = min(graph), max(graph)
        every = find_paths(crowd, *pair, max_hops=6, k=1000)
        best = find_paths(crowd, *pair, max_hops=6, k=3)
        assert (best.found, best.metapaths) == (every.found, every.metapaths[:3])
        direct = [path for path in every.paths if len(path.edges) == 1][:1]
        assert best.paths in (every.paths[:3], (*every.paths[:2], *direct))


def test_a_cut_count_still_gives_the_best_paths(
    crowd: Snapshot, components: list[nx.MultiGraph], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [(min(graph), max(graph)) for graph in components[:600]]
    expected = [find_paths(crowd, *pair, max_hops=6, k=4) for pair in pairs]
    cut_the_count(monkeypatch)
    answers = [find_paths(crowd, *pair, max_hops=6, k=4) for pair in pairs]
    assert sum(answer.truncated for answer in answers) > 400
    for answer, whole in zip(answers, expected):
        assert answer.paths == whole.paths
        assert answer.found <= whole.found
        if answer.truncated:
            assert str(answer.reason).endswith("the paths are the best all the same")


def test_a_cut_count_passes_by_hubs_and_misses_nothing(snapshot_of, monkeypatch) -> None:
    rng = np.random.default_rng(7)
    rows = [(f"n{i:03}", "in", f"hub{i % 2}") for i in range(160)]
    rows += [("hub0", "of", f"n{i:03}") for i in range(0, 160, 2)] + [("hub0", "near", "hub1")]
    rows += [
        (f"n{h:03}", f"r{r}", f"n{t:03}") for h, r, t in rng.integers((160, 3, 160), size=(220, 3))
    ]
    snapshot = snapshot_of(sorted(set(rows)))
    assert snapshot.degree.max() > 2 * kernels.MANY
    pairs = rng.integers(snapshot.num_entities, size=(40, 2)).tolist()
    expected = [find_paths(snapshot, *pair, max_hops=5, k=5, deadline_ms=60_000) for pair in pairs]
    cut_the_count(monkeypatch)
    monkeypatch.setattr(paths, "SLICE_STEPS", 50)
    answers = [find_paths(snapshot, *pair, max_hops=5, k=5) for pair in pairs]
    assert [answer.paths for answer in answers] == [whole.paths for whole in expected]
    assert sum(str(a.reason).endswith("the best all the same") for a in answers) > 30


def test_the_other_way_round_gives_the_same_paths(
    crowd: Snapshot, components: list[nx.MultiGraph]
) -> None:
    for graph in components[:300]:
        there = find_paths(crowd, min(graph), max(graph), max_hops=5, k=1000)
        back = find_paths(crowd, max(graph), min(graph), max_hops=5, k=1000)
        turned = {(path.edges[::-1], path.score) for path in back.paths}
        assert {(path.edges, path.score) for path in there.paths} == turned


def test_filters_equal_networkx_on_what_they_leave(
    crowd: Snapshot, components: list[nx.MultiGraph]
) -> None:
    even = crowd.resolve_class("Even")
    for graph in components[:300]:
        pair = min(graph), max(graph)
        kept = [(h, t, e) for h, t, e, r in graph.edges(keys=True, data="relation") if r != 1]
        some = graph.edge_subgraph(kept)
        assert set(
            edges_of(find_paths(crowd, *pair, max_hops=6, k=1000, exclude=[1]))
        ) == by_networkx(some, pair, 6)
        answer = find_paths(crowd, *pair, max_hops=6, k=1000, include=[0, 2])
        assert set(edges_of(answer)) == by_networkx(some, pair, 6)
        inner = {n for n in graph if even in crowd.types_of(n)} | set(pair)
        answer = find_paths(crowd, *pair, max_hops=6, k=1000, types=[even])
        assert set(edges_of(answer)) == by_networkx(graph.subgraph(inner), pair, 6)


@pytest.mark.parametrize("guided", [False, True])
def test_chosen_edges_equal_networkx_on_what_they_leave(
    crowd: Snapshot, monkeypatch: pytest.MonkeyPatch, guided: bool
) -> None:
    chosen = np.random.default_rng(1).random(crowd.num_edges) < 0.7
    graph = nx.MultiGraph()
    for edge in np.flatnonzero(chosen).tolist():
        graph.add_edge(int(crowd.head[edge]), int(crowd.tail[edge]), int(crowd.fact_of[edge]))
    if guided:
        cut_the_count(monkeypatch)
    found = 0
    for nodes in itertools.islice(nx.connected_components(graph), 300):
        pair = min(nodes), max(nodes)
        answer = find_paths(crowd, *pair, max_hops=6, k=1000, edges=chosen)
        assert all(chosen[list(edges)].all() for edges in edges_of(answer))
        walked = [tuple(crowd.fact_of[list(edges)]) for edges in edges_of(answer)]
        assert len(walked) == len(set(walked)), "of twins the first that may be walked"
        assert set(walked) == by_networkx(graph, pair, 6)
        found += len(walked)
    assert found > 400


def dwpc(snapshot: Snapshot, pair: tuple[int, int], rels: tuple[int, ...]) -> float:
    """Degree-weighted path count by matrix products; at most four edges.

    Twins are no edges to it.
    Walks that touch an end in between are left out with the rows and columns of both, and those
    that stand still with the diagonal; of four edges those that come back to where they were after
    one are taken off.
    """
    triples = np.delete(snapshot.triples(), snapshot.twin_edge, axis=0)
    n, relations = snapshot.num_entities, snapshot.num_relations
    steps = []
    for rel in rels:
        matrix = np.zeros((n, n))
        rows = triples[triples[:, 1] == rel % relations]
        matrix[rows[:, 0], rows[:, 2]] = 1
        degrees = np.outer(matrix.sum(axis=1), matrix.sum(axis=0))
        matrix *= np.where(degrees > 0, degrees, 1) ** -0.4
        steps.append(matrix if rel < relations else matrix.T)
    if len(rels) == 1:
        return float(steps[0][pair])
    inner = np.setdiff1d(np.arange(n), pair)
    first, last = steps[0][pair[0], inner], steps[-1][inner, pair[1]]
    middle = [m[np.ix_(inner, inner)] * (1 - np.eye(len(inner))) for m in steps[1:-1]]
    total = first
    for matrix in middle:
        total = total @ matrix
    back = np.einsum("x,xy,yx,x", first, *middle, last) if len(middle) == 2 else 0.0
    return float(total @ last - back)


def test_metapath_scores_equal_matrix_products(snapshot_of) -> None:
    rng = np.random.default_rng(5)
    raw = rng.integers((12, 3, 12), size=(90, 3))
    snapshot = snapshot_of([(f"e{h:02}", f"r{r}", f"e{t:02}") for h, r, t in raw])
    assert len(snapshot.twin_edge) > 5
    for pair in ((0, 1), (2, 7), (11, 4)):
        answer = find_paths(snapshot, *pair, max_hops=4, k=1000)
        assert len(answer.metapaths) > 100
        for metapath in answer.metapaths:
            assert metapath.score == pytest.approx(dwpc(snapshot, pair, metapath.rels), rel=1e-9)


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Random multigraphs in which ``child`` is the inverse of ``parent``, with statements both
    ways, one way, and parallel ones."""
    rng = np.random.default_rng(9)
    names = ["near", "child", "parent", "likes"]
    rows = [declared("child", OWL + "inverseOf", "parent")]
    for c in range(400):
        for h, r, t in rng.integers((5, 4, 5), size=(14, 3)):
            rows.append(fact((f"g{c}n{h}", names[r], f"g{c}n{t}")))
    return build(tmp_path_factory.mktemp("family"), rows)


def declared(relation: str, predicate: str, value: str) -> dict[str, object]:
    row = fact((relation, relation, value))
    row["subject"] = row["predicate"]
    return row | {"predicate": predicate, "object": f"{BASE}relation:{value}"}


def test_twins_are_the_statements_that_say_the_same(family: Snapshot) -> None:
    child, parent = family.resolve_relation("child"), family.resolve_relation("parent")
    facts: dict[tuple[object, ...], list[int]] = {}
    for edge, (h, r, t) in enumerate(family.triples().tolist()):
        kind = parent if r == child else r
        facts.setdefault((frozenset((h, t)), kind), []).append(edge)
    for edges in facts.values():
        assert set(family.fact_of[edges].tolist()) == {min(edges)}
    ends = [min(edges) for edges in facts.values()]
    degree = Counter(e for edge in ends for e in (family.head[edge], family.tail[edge]))
    assert family.degree.tolist() == [degree[e] for e in range(family.num_entities)]


def test_a_pair_weighs_what_one_statement_of_it_weighs(tmp_path: FilePath) -> None:
    once = [("a", "near", "b"), ("a", "near", "c"), ("b", "near", "c"), ("p", "parent", "x")]
    again = [*((t, r, h) for h, r, t in once if r == "near"), ("x", "child", "p")]
    schema = [
        declared("child", OWL + "inverseOf", "parent"),
        {**declared("near", RDF_TYPE, ""), "object": OWL + "SymmetricProperty"},
    ]
    told = []
    for name, triples in (("once", once), ("again", [*once, *again])):
        snapshot = build(tmp_path / name, [*map(fact, triples), *schema])
        told.append(
            {
                frozenset((snapshot.entity_labels[h], snapshot.entity_labels[t])): weight
                for (h, _, t), weight in zip(snapshot.triples().tolist(), snapshot.path_weight)
            }
        )
    assert told[0] == told[1]
    assert told[0][frozenset("ab")] == pytest.approx(4**-0.4)


def test_both_directions_of_a_relation_stated_both_ways_are_one_shape(tmp_path: FilePath) -> None:
    once = [("a", "near", "b"), ("b", "near", "c"), ("a", "far", "c"), ("c", "far", "d")]
    s = build(tmp_path / "ws", list(map(fact, [*once, *((t, r, h) for h, r, t in once[:2])])))
    a, c = s.resolve_entity("a"), s.resolve_entity("c")
    near = s.resolve_relation("near")
    for ends in ((a, c), (c, a)):
        shapes = [m.rels for m in find_paths(s, *ends, max_hops=2).metapaths]
        assert (near, near) in shapes
    assert s.path_weight[s.relation == near] == pytest.approx(2**-0.4)
    far = s.resolve_relation("far")
    assert find_paths(s, c, a, max_hops=1).metapaths[0].rels == (far + s.num_relations,)


def test_a_step_of_some_relation_anywhere(crowd: Snapshot, components: list[nx.MultiGraph]) -> None:
    total = 0
    for graph in components[:150]:
        pair = min(graph), max(graph)
        every = find_paths(crowd, *pair, max_hops=4, k=1000, exclude=[2])
        wanted = {p.edges for p in every.paths if 1 in {rel % 3 for rel in p.rels}}
        found = find_paths(
            crowd, *pair, max_hops=4, k=1000, include=[1], anywhere=True, exclude=[2]
        )
        assert set(edges_of(found)) == wanted
        assert found.found == len(wanted)
        total += len(wanted)
    assert total > 100
    with pytest.raises(UsageError, match="pattern"):
        find_paths(crowd, 0, 1, include=[1], anywhere=True, pattern="r0")


@pytest.mark.parametrize("filters", [{}, {"exclude": ["child"]}, {"include": ["parent", "likes"]}])
def test_twins_are_walked_once_as_the_filters_allow(
    family: Snapshot, filters: dict[str, list[str]]
) -> None:
    chosen = {key: [family.resolve_relation(r) for r in rs] for key, rs in filters.items()}
    allowed = set(chosen.get("include", range(4))) - set(chosen.get("exclude", []))
    graph = nx.MultiGraph()
    for edge, (h, r, t) in enumerate(family.triples().tolist()):
        if r in allowed:
            graph.add_edge(h, t, key=int(family.fact_of[edge]))
    total = 0
    for nodes in itertools.islice(nx.connected_components(graph), 300):
        pair = min(nodes), max(nodes)
        expected = by_networkx(graph, pair, 4)
        answer = find_paths(family, *pair, max_hops=4, k=1000, **chosen)
        assert answer.found == len(answer.paths) == len(expected)
        assert {tuple(family.fact_of[list(e)]) for e in edges_of(answer)} == expected
        assert all(rel % 4 in allowed for path in answer.paths for rel in path.rels)
        total += len(expected)
    assert total > 500


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


def test_pieces_make_the_same_answer(snapshot_of, monkeypatch) -> None:
    layers = [
        (f"{a}{i}", "r", f"{b}{j}") for a, b in ("ab", "bc") for i in range(9) for j in range(9)
    ]
    ends = [("s", "r", f"a{i}") for i in range(9)] + [(f"c{i}", "r", "t") for i in range(9)]
    snapshot = snapshot_of(layers + ends)
    s, t = snapshot.resolve_entity("s"), snapshot.resolve_entity("t")
    whole = find_paths(snapshot, s, t, max_hops=6, k=20)
    assert whole.found > 9**3
    monkeypatch.setattr(paths, "SLICE_STEPS", 11)
    assert find_paths(snapshot, s, t, max_hops=6, k=20, deadline_ms=60_000) == whole


def test_equal_scores_come_by_length_then_ids(snapshot_of) -> None:
    rows = [("a", f"r{i}", f"m{i}") for i in range(9)] + [(f"m{i}", f"q{i}", "b") for i in range(9)]
    snapshot = snapshot_of([*rows, ("a", "x", "n"), ("n", "y", "o"), ("o", "z", "b")])
    a, b = snapshot.resolve_entity("a"), snapshot.resolve_entity("b")
    answer = find_paths(snapshot, a, b, k=4)
    assert {path.score for path in answer.paths} == {1.0}
    every = sorted((len(e), e) for e in edges_of(find_paths(snapshot, a, b, k=1000)))
    assert edges_of(answer) == [edges for _, edges in every[:4]]


def test_a_deadline_cuts_and_says_so(snapshot_of, monkeypatch) -> None:
    clique = [(f"n{i}", "r", f"n{j}") for i in range(40) for j in range(i)]
    snapshot = snapshot_of(clique)
    monkeypatch.setattr(paths, "SLICE_STEPS", 100)
    monkeypatch.setattr(paths._Search, "_past", lambda self, share: True)
    answer = find_paths(snapshot, 0, 1, max_hops=6, k=5, deadline_ms=7)
    assert answer.truncated
    assert answer.reason == "the deadline of 7 ms cut the count at length 2"
    assert min(len(p.edges) for p in answer.paths) == 1


def test_a_search_that_nobody_waits_for_ends_after_a_slice(snapshot_of, monkeypatch) -> None:
    clique = snapshot_of([(f"n{i:02}", "r", f"n{j:02}") for i in range(30) for j in range(i)])
    monkeypatch.setattr(paths, "SLICE_STEPS", 1000)
    asked: list[bool] = []

    def gone() -> bool:
        asked.append(True)
        return True

    def ask() -> None:
        progress.cancelled.set(gone)
        find_paths(clique, 3, 20, max_hops=6, deadline_ms=60_000)

    with pytest.raises(progress.Cancelled):
        copy_context().run(ask)
    assert len(asked) == 1
    assert find_paths(clique, 3, 20, max_hops=2).found == 29


def test_a_budget_cuts_whatever_the_clock_says(snapshot_of, monkeypatch) -> None:
    clique = [(f"n{i:02}", "r", f"n{j:02}") for i in range(30) for j in range(i)]
    snapshot = snapshot_of(clique)
    monkeypatch.setattr(paths, "SLICE_STEPS", 1000)
    monkeypatch.setattr(paths, "MAX_STEPS", 30_000)
    answer = find_paths(snapshot, 3, 20, max_hops=6, k=5, deadline_ms=60_000)
    assert str(answer.reason).startswith("the limit of 30,000 steps cut the count at length")
    assert len(answer.paths) == 5


def test_two_leaves_of_a_hub_have_one_path(snapshot_of) -> None:
    snapshot = snapshot_of([(f"leaf{i:04}", "in", "hub") for i in range(3000)])
    leaves = snapshot.resolve_entity("leaf0007"), snapshot.resolve_entity("leaf2000")
    answer = find_paths(snapshot, *leaves, max_hops=6)
    assert (answer.found, answer.truncated) == (1, False)


def test_searches_at_the_same_time_do_not_disturb_each_other(
    crowd: Snapshot, components: list[nx.MultiGraph]
) -> None:
    pairs = [(min(graph), max(graph)) for graph in components[:400]]

    def ask(pair: tuple[int, int]) -> PathAnswer:
        return find_paths(crowd, *pair, max_hops=6)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, pairs)) == [ask(pair) for pair in pairs]


def test_warming_needs_no_edge_and_changes_nothing(snapshot_of) -> None:
    snapshot = snapshot_of([("a", "r", "b"), ("c", "r", "c")])
    warm(snapshot)
    assert [path.edges for path in find_paths(snapshot, 0, 1).paths] == [(0,)]


def test_compiled_code_is_kept_where_the_environment_says(tmp_path: FilePath) -> None:
    code = "from sightline.graph.paths import kernels; kernels._rounded(0.5)"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert list(tmp_path.rglob("kernels._rounded*.nbc"))


@pytest.mark.parametrize(
    "limit",
    [{"max_hops": bad} for bad in (0, 7, -1, math.nan)]
    + [{"k": math.nan}, {"k": 0}, {"k": -3}, {"k": 10**9}]
    + [{"deadline_ms": bad} for bad in (0, -1, math.nan, math.inf)],
)
def test_limits_name_their_range(snapshot_of, limit) -> None:
    snapshot = snapshot_of([("a", "r", "b")])
    with pytest.raises(OutOfRange, match="allowed are 1 to"):
        find_paths(snapshot, 0, 1, **limit)


@pytest.mark.parametrize("bad", [-1, 2, 10**12])
def test_an_entity_that_is_not_there_is_refused(snapshot_of, bad) -> None:
    snapshot = snapshot_of([("a", "r", "b")])
    with pytest.raises(OutOfRange, match="source"):
        find_paths(snapshot, bad, 0)
    with pytest.raises(OutOfRange, match="target"):
        find_paths(snapshot, 0, bad)


@pytest.mark.parametrize("limits", [{}, {"BATCH_STEPS": 7}])
def test_paths_to_each_are_those_to_one(
    crowd: Snapshot,
    components: list[nx.MultiGraph],
    monkeypatch: pytest.MonkeyPatch,
    limits: dict[str, int],
) -> None:
    """Direct edges and the source itself among them; also where few steps are many at once."""
    for name, value in limits.items():
        monkeypatch.setattr(paths, name, value)
    # What memory holds from before is never read: what was read here would end the process.
    engine = paths._engine_of(crowd)
    scratch = engine.take()
    scratch[0].first[:] = 2**31 - 1
    engine.put_back(scratch)
    for graph in components[:300]:
        for hops, k in ((1, 2), (3, 1), (3, 3), (6, 1000)):
            asked = {"max_hops": hops, "k": k}
            answers = [find_paths(crowd, min(graph), other, **asked) for other in graph]
            # Time enough to load or compile the kernels in.
            time = {"deadline_ms": 60_000, "each_ms": 60_000}
            found = paths_to_each(crowd, min(graph), list(graph), **asked, **time)
            assert found == [(answer.paths, answer.reason) for answer in answers]


def test_targets_that_there_is_no_time_for_have_no_answer(crowd: Snapshot) -> None:
    assert paths_to_each(crowd, 0, [1, 2], deadline_ms=0) == [None, None]
