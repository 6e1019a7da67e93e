"""Patterns mean what SPARQL says: walks as pyoxigraph finds them, paths as a regular expression."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pyoxigraph as ox
import pytest

from sightline.graph.errors import OutOfRange
from sightline.graph.paths import reach
from sightline.graph.paths.errors import BadPattern
from sightline.graph.paths.find import Path, find_paths
from sightline.graph.paths.patterns import MAX_LENGTH, MAX_NESTING, MAX_STATES, read_pattern
from sightline.graph.paths.reach import reachable, reachable_from_each
from sightline.graph.snapshot.errors import UnknownRelation
from sightline.graph.snapshot.reader import Snapshot
from tests.graph.conftest import BASE, build, fact

GRAPHS = 40


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Random multigraphs of up to seven entities with loops and three relations."""
    rng = np.random.default_rng(11)
    rows = [
        fact((f"g{g}n{h}", "abc"[r], f"g{g}n{t}"))
        for g in range(GRAPHS)
        for h, r, t in rng.integers((7, 3, 7), size=(rng.integers(4, 12), 3))
    ]
    return build(tmp_path_factory.mktemp("crowd"), rows)


@pytest.fixture(scope="module")
def store(crowd: Snapshot) -> ox.Store:
    store = ox.Store()
    for h, r, t in crowd.triples().tolist():
        ends = (ox.NamedNode(crowd.entity_iris[e]) for e in (h, t))
        store.add(ox.Quad(next(ends), ox.NamedNode(crowd.relation_iris[r]), next(ends)))
    return store


def random_pattern(rng: np.random.Generator, depth: int = 3) -> str:
    if depth == 0 or rng.random() < 0.2:
        return str(rng.choice(["a", "b", "c", "^a", "^b", "^c"]))
    left, right = (random_pattern(rng, depth - 1) for _ in range(2))
    return str(
        rng.choice(
            [
                *(f"{left}/{right}", f"({left}|{right})", f"({left}/{right})"),
                *(f"({left})*", f"({left})+", f"({left})?", f"^({left})"),
            ]
        )
    )


PATTERNS = ["a", "^a", "a/b*/^c", "(a|^b)+", "^(a/b/c)", "(^(a/b?))*", "a?/b?", "((a|b)/(b|c))*"]
PATTERNS += [random_pattern(np.random.default_rng(seed)) for seed in range(150)]


def for_sparql(pattern: str) -> str:
    return re.sub(r"[abc]", lambda name: f"<{BASE}relation:{name.group()}>", pattern)


def test_entities_at_the_end_are_those_that_sparql_finds(crowd: Snapshot, store: ox.Store) -> None:
    rng = np.random.default_rng(2)
    total = 0
    for pattern in PATTERNS:
        for source in rng.integers(crowd.num_entities, size=6).tolist():
            start = crowd.entity_iris[source]
            rows = store.query(f"SELECT DISTINCT ?x {{ <{start}> {for_sparql(pattern)} ?x }}")
            expected = {row["x"].value for row in rows}  # type: ignore[union-attr]
            found = reachable(crowd, source, pattern)
            assert {crowd.entity_iris[e] for e in found.entities} == expected, pattern
            assert not found.truncated
            total += len(expected)
    assert total > 500


def test_walks_from_several_sources_are_those_from_each(
    crowd: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "ROOM", 2000)
    sources = np.arange(0, crowd.num_entities, 3, dtype=np.int32)
    for pattern in PATTERNS[:40]:
        each = [reachable(crowd, source, pattern).entities for source in sources.tolist()]
        found = reachable_from_each(crowd, sources, pattern, most=10**6)
        assert found.finished == len(sources)
        assert found.owner.tolist() == [i for i, ends in enumerate(each) for _ in ends]
        assert found.entity.tolist() == [end for ends in each for end in ends]
        anywhere = np.unique(np.concatenate(each))
        assert reachable(crowd, sources, pattern).entities.tolist() == anywhere.tolist()
    cut = reachable_from_each(crowd, sources, "(a|b|c)*", most=5)
    assert 0 < cut.finished < len(sources)
    assert cut.owner.max() == cut.finished - 1


def as_expression(pattern: str, crowd: Snapshot) -> re.Pattern[str]:
    """Over one letter per directed relation; capitals walk backwards. Inverses must stand at
    names."""
    letters = re.sub(r"\^([abc])", lambda name: name.group(1).upper(), pattern)
    return re.compile(letters.replace("/", ""))


def readings(snapshot: Snapshot, path: Path) -> list[set[int]]:
    """Per step the directed relations under which the edge or a twin of it is walked."""
    n = snapshot.num_relations
    steps = []
    for before, edge in zip(path.entities, path.edges):
        twins = np.flatnonzero(snapshot.fact_of == snapshot.fact_of[edge])
        from_here = snapshot.head[twins] == before
        steps.append(set((snapshot.relation[twins] + np.where(from_here, 0, n)).tolist()))
    return steps


def route(snapshot: Snapshot, path: Path) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return path.entities, tuple(snapshot.fact_of[list(path.edges)].tolist())


def test_paths_are_those_whose_relations_match(crowd: Snapshot) -> None:
    names = [crowd.relation_labels[r] for r in range(3)]
    letter = names + [name.upper() for name in names]
    matched = again = 0
    for pattern in PATTERNS:
        if "^(" in pattern:
            continue
        expression = as_expression(pattern, crowd)
        for source in range(0, crowd.num_entities, 29):
            for target in range(max(0, source - 6), min(source + 7, crowd.num_entities)):
                every = find_paths(crowd, source, target, max_hops=5, k=1000)
                answer = find_paths(crowd, source, target, max_hops=5, k=1000, pattern=pattern)
                expected = [
                    route(crowd, path)
                    for path in every.paths
                    if any(
                        expression.fullmatch("".join(letter[rel] for rel in rels))
                        for rels in itertools.product(*readings(crowd, path))
                    )
                ]
                assert len(set(expected)) == len(expected)
                assert {route(crowd, path) for path in answer.paths} == set(expected), pattern
                assert answer.found >= len(expected)
                for path in answer.paths:
                    assert expression.fullmatch("".join(letter[rel] for rel in path.rels))
                matched += len(expected)
                again += answer.found - len(expected)
    assert matched > 200
    # Where a pattern goes on in another way after each reading of a pair, both are walked.
    assert again < matched / 20


def test_a_pair_is_walked_once_whichever_way_the_pattern_reads_it(snapshot_of) -> None:
    rows = [("m", "r", "n"), ("n", "r", "m"), ("n", "r", "o"), ("o", "r", "n")]
    snapshot = snapshot_of(rows)
    for pattern in ("r/r", "^r/^r", "r/^r", "r+", "(r|^r)/(r|^r)", "(r|^r)+"):
        answer = find_paths(snapshot, 0, 2, pattern=pattern)
        assert answer.found == 1, pattern


def test_a_pattern_and_filters_hold_both(snapshot_of) -> None:
    snapshot = snapshot_of([("s", "a", "m"), ("m", "b", "t"), ("s", "c", "n"), ("n", "b", "t")])
    s, t, m = (snapshot.resolve_entity(name) for name in "stm")
    c = snapshot.resolve_relation("c")
    assert find_paths(snapshot, s, t, pattern="(a|c)/b").found == 2
    (path,) = find_paths(snapshot, s, t, pattern="(a|c)/b", exclude=[c]).paths
    assert path.entities == (s, m, t)


def test_names_are_read_as_elsewhere(snapshot_of) -> None:
    snapshot = snapshot_of([("s", "born in", "t"), ("s", "a+b", "t")])
    s, t = snapshot.resolve_entity("s"), snapshot.resolve_entity("t")
    iri = snapshot.relation_iris[snapshot.resolve_relation("born in")]
    for name in ("<born in>", f"<{iri}>", f" ( <{iri}> ) ", "<a+b>"):
        assert find_paths(snapshot, s, t, pattern=name).found == 1
    with pytest.raises(UnknownRelation, match="died"):
        find_paths(snapshot, s, t, pattern="<died>/<a+b>")


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        *(("", 1), ("a/", 3), ("a//b", 3), ("(a", 3), ("a)", 2), ("a b", 3), ("*a", 1), ("a**", 3)),
        *(("a|", 3), ("<a", 1), ("^^a", 2), ("()", 2), ("a/(b|)", 6), ("a^b", 2), (">", 1)),
    ],
)
def test_a_bad_pattern_is_refused_where_it_is_bad(snapshot_of, pattern, position) -> None:
    snapshot = snapshot_of([("s", "a", "t"), ("s", "b", "t")])
    with pytest.raises(BadPattern, match=f"at character {position}: expected") as caught:
        find_paths(snapshot, 0, 1, pattern=pattern)
    assert caught.value.extra == {"position": position}


def test_a_huge_pattern_is_refused(snapshot_of) -> None:
    snapshot = snapshot_of([("s", "a", "t"), ("s", "b", "t")])
    deep = "(" * MAX_NESTING + "a" + ")" * MAX_NESTING
    assert find_paths(snapshot, 0, 1, pattern=deep).found == 1
    with pytest.raises(BadPattern, match=f"at most {MAX_NESTING} parentheses"):
        find_paths(snapshot, 0, 1, pattern=f"({deep})")
    with pytest.raises(BadPattern, match="no more than"):
        find_paths(snapshot, 0, 1, pattern="a" * (MAX_LENGTH + 1))
    # The automaton would have to remember which of the last ten were a: 2 ** 10 states.
    with pytest.raises(BadPattern, match=f"at most {MAX_STATES} states"):
        find_paths(snapshot, 0, 1, pattern="(a|b)*/a" + "/(a|b)" * 10)


def test_an_automaton_knows_how_far_the_end_is(snapshot_of) -> None:
    automaton = read_pattern("a/b?/a+", snapshot_of([("s", "a", "t"), ("s", "b", "t")]))
    assert automaton.need.tolist() == [2, 1, 0, 1]  # at the start, after a, after aa, after ab


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf])
def test_limits_of_reaching_name_their_range(snapshot_of, bad) -> None:
    snapshot = snapshot_of([("s", "a", "t")])
    with pytest.raises(OutOfRange, match="deadline_ms"):
        reachable(snapshot, 0, "a", deadline_ms=bad)
    with pytest.raises(OutOfRange, match="source"):
        reachable(snapshot, 2, "a")
