"""Shuffled copies keep every degree; p-values are what they say on graphs where it is known."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, false_discovery_control

from sightline.graph.paths import chance as module
from sightline.graph.paths.chance import chance, possible, q_values
from sightline.graph.paths.find import find_paths
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import OWL, RDF_TYPE
from tests.graph.conftest import BASE, add_load, fact, typed

Triple = tuple[str, str, str]


def shuffled(folder: Path, triples: list[Triple], *more: dict[str, object]) -> Snapshot:
    workspace = Workspace.create(folder)
    add_load(workspace, [*map(fact, triples), *more])
    return compile_snapshot(workspace, rdf=False, copies=True)


def edges_of(snapshot: Snapshot, copy: int) -> Counter[tuple[int, int, int]]:
    """Entity, directed relation, entity of every half of an edge."""
    size = np.diff(snapshot.run_start)
    entity, rel = np.repeat(snapshot.run_entity, size), np.repeat(snapshot.run_rel, size)
    other = snapshot.run_entity[snapshot.copy_run[copy]]
    return Counter(zip(entity.tolist(), rel.tolist(), other.tolist()))


def random_triples(seed: int, entities: int, relations: int, edges: int) -> list[Triple]:
    rng = np.random.default_rng(seed)
    weight = np.arange(1, entities + 1) ** -0.6
    ends = rng.choice(entities, (edges, 2), p=weight / weight.sum())
    rels = rng.integers(relations, size=edges)
    return sorted({(f"n{h}", f"r{r}", f"n{t}") for (h, t), r in zip(ends.tolist(), rels.tolist())})


NEAR: dict[str, object] = {
    "subject": f"{BASE}relation:r2",
    "predicate": RDF_TYPE,
    "object": OWL + "SymmetricProperty",
    "row": 1,
}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """60 entities of two types, three relations of which one is symmetric."""
    types = [typed(f"n{i}", "Odd" if i % 2 else "Even") for i in range(60)]
    triples = random_triples(1, 60, 3, 500)
    return shuffled(tmp_path_factory.mktemp("graph") / "ws", triples, NEAR, *types)


def test_a_copy_has_the_degrees_of_the_graph_and_other_edges(graph: Snapshot) -> None:
    observed = edges_of(graph, 0)
    facts = np.unique(graph.fact_of)
    assert sum(observed.values()) == 2 * len(facts)
    for edge in facts.tolist():
        h, t = int(graph.head[edge]), int(graph.tail[edge])
        rel = int(graph.one_rel[graph.relation[edge]])
        assert observed[h, rel, t] == (2 if h == t and rel == graph.one_rel[rel + 3] else 1)
    even = [int(graph.types_of(e)[0]) for e in range(60)]
    kept = []
    for copy in range(1, len(graph.copy_run)):
        edges = edges_of(graph, copy)
        # None is there twice, loops are the same, and so is what leads to each type.
        assert {e: n for e, n in edges.items() if n > 1} == {
            e: n for e, n in observed.items() if n > 1
        }
        assert {e for e in edges if e[0] == e[2]} == {e for e in observed if e[0] == e[2]}
        assert Counter((h, r, even[t]) for h, r, t in edges) == Counter(
            (h, r, even[t]) for h, r, t in observed
        )
        back = graph.one_rel[(np.arange(6) + 3) % 6].tolist()
        assert all((t, back[r], h) in edges for h, r, t in edges)
        kept.append(len(edges & observed) / len(observed))
    assert 0 < np.mean(kept) < 0.9


def test_stand_ins_have_as_many_edges_to_each_class(graph: Snapshot) -> None:
    type_of = [int(graph.types_of(e)[0]) for e in range(60)]
    alike: dict[tuple[object, ...], set[int]] = {}
    for run, (entity, rel) in enumerate(zip(graph.run_entity.tolist(), graph.run_rel.tolist())):
        ends = graph.copy_run[0, graph.run_start[run] : graph.run_start[run + 1]]
        types = sorted(type_of[e] for e in graph.run_entity[ends].tolist())
        shape = (rel, type_of[entity], tuple(types))
        alike.setdefault(shape, set()).add(int(graph.run_peers[run]))
    assert {len(numbers) for numbers in alike.values()} == {1}
    assert len(set[int]().union(*alike.values())) == len(alike) < len(graph.run_rel)


def test_the_score_is_that_of_the_search(graph: Snapshot) -> None:
    total = 0
    for source, target in itertools.permutations(range(0, 60, 12), 2):
        for metapath in find_paths(graph, source, target, max_hops=3, k=1000).metapaths:
            found = chance(graph, source, target, metapath.rels)
            assert found.score == pytest.approx(metapath.score, rel=1e-9)
            assert 1 <= found.exceeding <= found.draws
            assert found == chance(graph, source, target, metapath.rels)
            total += 1
    assert total > 300


def test_a_shape_that_ends_where_nothing_can_is_no_more_than_chance(tmp_path: Path) -> None:
    s = shuffled(tmp_path / "ws", [("a", "r", "b"), ("c", "t", "d"), ("a", "u", "c")])
    a, b, c = (s.resolve_entity(name) for name in "abc")
    r, t = (s.resolve_relation(name) for name in "rt")
    for source, target, rel in ((a, c, r), (c, b, r), (b, a, t + 3), (c, b, t)):
        found = chance(s, source, target, (rel,))
        assert (found.score, found.expected, found.p_value) == (0, 0, 1)


def by_enumeration(s: Snapshot, ends: tuple[int, int], rels: tuple[int, ...]) -> tuple[int, int]:
    """How many draws score as high as the question, and all draws: every stand-in for both ends
    with every choice of a copy for each relation."""
    span = len(s.one_rel)
    back = s.one_rel[(np.arange(span) + span // 2) % span].tolist()
    other: list[dict[tuple[int, int], list[int]]] = []
    for copy in range(len(s.copy_run)):
        other.append({})
        for entity, rel, end in edges_of(s, copy).elements():
            other[-1].setdefault((entity, rel), []).append(end)

    def score(at: int, target: int, copies: list[int], seen: tuple[int, ...]) -> float:
        step, total = len(seen), 0.0
        rel, neighbours = rels[step], other[copies[step]].get((at, rels[step]), [])
        for end in neighbours:
            if end in (*seen, at) or (end == target) != (step + 1 == len(rels)):
                continue
            weight = 1.0 if step == 0 else len(neighbours) ** -0.4
            if end != target:
                arriving = len(other[0][end, back[rel]]) ** -0.4
                weight *= arriving * score(end, target, copies, (*seen, at))
            total += weight
        return total

    def peers(entity: int, rel: int) -> list[int]:
        (run,) = np.flatnonzero((s.run_entity == entity) & (s.run_rel == rel))
        return s.run_entity[s.run_peers == s.run_peers[run]].tolist()

    kinds = [min(rel, back[rel]) for rel in rels]
    choices = itertools.product(range(len(other)), repeat=len(set(kinds)))
    draws = [
        score(a, b, [dict(zip(sorted(set(kinds)), choice))[kind] for kind in kinds], ())
        for choice in choices
        for a in peers(ends[0], rels[0])
        for b in peers(ends[1], back[rels[-1]])
        if a != b
    ]
    asked = score(*ends, [0] * len(rels), ())
    return sum(draw >= asked * (1 - 1e-9) for draw in draws), len(draws)


def test_where_every_draw_is_taken_p_is_that_of_enumeration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first stage is too small to end with; relations that recur are among the shapes."""
    monkeypatch.setattr(module, "STAGES", (2, 100_000))
    s = shuffled(tmp_path / "ws", random_triples(5, 14, 2, 40))
    done: Counter[tuple[int, int]] = Counter()
    for source, target in itertools.permutations(range(s.num_entities), 2):
        for metapath in find_paths(s, source, target, max_hops=3, k=1000).metapaths:
            kind = len(metapath.rels), len({rel % 2 for rel in metapath.rels})
            if done[kind] == (2 if kind == (3, 2) else 8):
                continue
            found = chance(s, source, target, metapath.rels)
            exceeding, draws = by_enumeration(s, (source, target), metapath.rels)
            if found.draws == draws:
                assert found.exceeding == exceeding
                done[kind] += 1
    assert set(done) == {(1, 1), (2, 1), (2, 2), (3, 1), (3, 2)}


@pytest.mark.parametrize("seed", [0, 1])
def test_on_shuffled_graphs_p_is_as_small_as_a_in_no_more_than_a_of_all(
    tmp_path: Path, seed: int
) -> None:
    """Metapaths and ends are drawn by degrees alone; binomial, 1 in 10,000 would fail by chance."""
    first = shuffled(tmp_path / "one", random_triples(seed, 80, 2, 700))
    # One of the copies is a graph for which the null hypothesis is true.
    copy = edges_of(first, 3)
    names = first.entity_labels
    triples = [(names[h], f"r{r}", names[t]) for h, r, t in copy if r < 2]
    null = shuffled(tmp_path / "null", triples)
    rng = np.random.default_rng(seed)
    p = []
    for _ in range(1500):
        rels = tuple(rng.integers(4, size=rng.integers(1, 4)).tolist())
        ends = [_with(null, rel, rng) for rel in (rels[0], int(null.one_rel[(rels[-1] + 2) % 4]))]
        if ends[0] != ends[1]:
            # A score of zero is no metapath of any answer: its p-value is 1.
            found = chance(null, *ends, rels)
            p.append(found.p_value if found.score > 0 else 1.0)
    for a in (0.01, 0.05, 0.1):
        assert binom.sf(np.count_nonzero(np.array(p) <= a) - 1, len(p), a) > 1e-4
    assert np.mean(np.array(p) <= 0.2) > 0.02


def _with(snapshot: Snapshot, rel: int, rng: np.random.Generator) -> int:
    return int(rng.choice(snapshot.run_entity[snapshot.run_rel == rel]))


def test_planted_paths_stand_out_and_a_hub_does_not(tmp_path: Path) -> None:
    triples = set(random_triples(3, 300, 1, 600))
    triples |= {("source", "r0", f"p{i}") for i in range(6)}
    triples |= {("target", "r1", f"p{i}") for i in range(6)}
    rng = np.random.default_rng(0)
    triples |= {(f"n{rng.integers(300)}", "r1", f"n{rng.integers(300)}") for _ in range(600)}
    triples |= {(f"n{i}", "r2", "hub") for i in range(200)}
    triples |= {("source", "r2", "hub"), ("target", "r2", "hub")}
    s = shuffled(tmp_path / "ws", sorted(triples))
    ends = s.resolve_entity("source"), s.resolve_entity("target")
    r0, r1, r2 = (s.resolve_relation(f"r{i}") for i in range(3))
    planted = chance(s, *ends, (r0, r1 + 3))
    hub = chance(s, *ends, (r2, r2 + 3))
    assert planted.p_value < 0.01
    assert planted.expected < planted.score / 5
    assert hub.p_value == 1
    assert planted.free


def test_what_can_only_be_as_it_is_is_said(tmp_path: Path) -> None:
    s = shuffled(tmp_path / "ws", [("a", "r", "b"), ("b", "r", "c")])
    a, c = s.resolve_entity("a"), s.resolve_entity("c")
    assert not chance(s, a, c, (0, 0)).free


def test_the_possible_metapaths_are_those_of_all_sequences(graph: Snapshot) -> None:
    rels = sorted(set(graph.one_rel.tolist()))
    back = graph.one_rel[(np.arange(6) + 3) % 6].tolist()
    has = {(int(e), int(r)) for e, r in zip(graph.run_entity, graph.run_rel)}
    after = {
        (a, b)
        for a, b in itertools.product(rels, rels)
        if any((e, back[a]) in has and (e, b) in has for e in range(60))
    }
    for source, target, include, exclude, allowed in [
        (0, 1, [], [], rels),
        (3, 59, [], [2], [0, 1, 3, 4]),
        (0, 1, [0, 1], [1], [0, 3]),
    ]:
        expected = sum(
            (source, steps[0]) in has
            and (target, back[steps[-1]]) in has
            and all(pair in after for pair in itertools.pairwise(steps))
            for n in (1, 2, 3)
            for steps in itertools.product(allowed, repeat=n)
        )
        assert possible(graph, [source], [target], 3, include, exclude) == expected


def test_q_values_are_those_of_benjamini_and_hochberg_with_all_others_at_one() -> None:
    rng = np.random.default_rng(0)
    for size, tests in [(1, 1), (5, 5), (4, 40), (10, 3)]:
        p = rng.random(size) ** 4
        full = np.append(p, np.ones(max(0, tests - size)))
        assert q_values(p.tolist(), tests) == pytest.approx(
            false_discovery_control(full)[:size].tolist()
        )
    assert q_values([], 7) == []
