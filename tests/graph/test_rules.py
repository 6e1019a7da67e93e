"""Mined rules are those that trying every body finds, with the same counts; reasons are facts."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph.mining.halves import halves
from sightline.graph.mining.mine import Limits, mine
from sightline.graph.mining.reasons import chance_of, evidence, reasons
from sightline.graph.mining.rules import Rules, confidence, interval
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.pairs import one_number
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from tests.graph.conftest import add_load, fact

ALL = Limits(support=1, confidence=0.0, constant_support=1, constant_confidence=0.0, constants=99)
Atom = tuple[int, int, int]


def mined(triples: list[Atom], rels: np.ndarray, entities: int, limits: Limits = ALL) -> Rules:
    head, relation, tail = np.array(triples, np.int32).T
    return mine(halves(head, relation, tail, rels, entities), rels, limits)


def by_trying(triples: list[Atom], rels: np.ndarray) -> dict[tuple[int, ...], tuple[int, int]]:
    """Support and pairs of every closed body with a support, by (head, *body)."""
    span = len(rels)
    half = {(h, int(rels[r]), t) for h, r, t in triples if h != t}
    half |= {(t, int(rels[r + span // 2]), h) for h, r, t in triples if h != t}
    used = sorted({r for _, r, _ in half})
    after: dict[tuple[int, int], set[int]] = {}
    for h, r, t in half:
        after.setdefault((h, r), set()).add(t)
    heads = {r: {(h, t) for h, r2, t in half if r2 == r} for r in used}
    out = {}
    for length in (1, 2, 3):
        for body in itertools.product(used, repeat=length):
            walks = [(e,) for e in range(20)]
            for rel in body:
                walks = [(*w, t) for w in walks for t in after.get((w[-1], rel), ()) if t not in w]
            joined = {(w[0], w[-1]) for w in walks}
            for head, facts in heads.items():
                if joined & facts and body != (head,):
                    out[head, *body] = (len(joined & facts), len(joined))
    return out


graphs = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=16
)


@settings(max_examples=60, deadline=None)
@given(graphs, st.sampled_from([(), ((0, 1),)]), st.sampled_from([(), (2,)]))
def test_closed_rules_are_those_that_trying_every_body_finds(
    triples: list[Atom], inverse: tuple[tuple[int, int], ...], symmetric: tuple[int, ...]
) -> None:
    rels = one_number(3, inverse, symmetric)
    rules = mined(triples, rels, 6)
    wanted = by_trying(triples, rels)
    found = {}
    for at in np.flatnonzero(rules.head_end < 0).tolist():
        body = tuple(r for r in rules.body[at].tolist() if r >= 0)
        found[int(rules.head[at]), *body] = (int(rules.support[at]), int(rules.pairs[at]))
        assert rules.share[at] == 1
    assert all(wanted[rule] == counts for rule, counts in found.items())
    # What is left out says nothing that a shorter rule, or the rule read from its other end, does
    # not say as surely: here at least those of one atom are all there.
    turn = rels[(np.arange(6) + 3) % 6]
    forward = {int(min(rels[r], rels[r + 3])) for r in range(3)}
    for rule in wanted:
        if len(rule) == 2 and rule[0] in forward:
            assert rule in found or (rule[0], int(turn[rule[1]])) in found


def test_a_longer_rule_stays_where_it_is_surer_and_goes_where_it_is_not() -> None:
    both = [(2 * i, 0, 2 * i + 1) for i in range(8)]
    copy = [(h, 1, t) for h, _, t in both]
    chain = [(2 * i, 2, 20 + i) for i in range(8)] + [(20 + i, 3, 2 * i + 1) for i in range(8)]
    apart = [(30 + i, 2, 40 + i) for i in range(8)] + [(40 + i, 3, 50 + i) for i in range(8)]
    rels = one_number(4, ())

    def bodies(triples: list[Atom]) -> set[tuple[int, ...]]:
        rules = mined(triples, rels, 60, Limits(confidence=0.0))
        closed = (rules.head == 0) & (rules.head_end < 0)
        return {tuple(r for r in b if r >= 0) for b in rules.body[closed].tolist()}

    assert (2, 3) in bodies(both + chain)
    assert (2, 3) not in bodies(both + copy + chain)
    assert (2, 3) not in bodies(both + copy + chain + apart)
    loose = [(60 - 1 - i, 1, i) for i in range(8)]
    assert (2, 3) in bodies(both + copy + chain + loose)


def test_a_constant_pays_where_it_says_more_than_the_end_alone() -> None:
    """Everybody of department 20 speaks 21; of the others every fourth."""
    works = [(i, 0, 20 if i < 8 else 22) for i in range(16)]
    speaks = [(i, 1, 21 if i < 8 or i % 4 == 1 else 23) for i in range(16)]
    rules = mined(works + speaks, one_number(2, ()), 24, Limits())
    of = (rules.head == 1) & (rules.head_end == 21) & (rules.body_end == 20)
    (at,) = np.flatnonzero(of)
    assert (rules.support[at], rules.pairs[at], rules.body[at].tolist()) == (8, 8, [0, -1, -1])
    assert not ((rules.head_end == 21) & (rules.body_end == 22)).any()
    assert not ((rules.head_end >= 0) & (rules.body_end < 0)).any(), "everybody works somewhere"


def test_a_body_that_explodes_is_sampled_and_says_so() -> None:
    rng = np.random.default_rng(0)
    triples = [(int(a), 0, int(b)) for a, b in rng.integers(0, 400, (9000, 2)) if a != b]
    triples += [(h, 1, t) for h, _, t in triples[:3000]]
    few = Limits(walks=1, confidence=0.0)
    one, two = (mined(triples, one_number(2, ()), 400, few) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two))
    long = one.body[:, 2] >= 0
    assert long.any()
    assert ((one.share[long] > 0) & (one.share[long] < 1)).all()


def test_intervals_hold_the_confidence() -> None:
    # As rules hold them: squares of the last two have no room in 32 bits.
    counts = [0, 1, 3, 50, 100, 30_000], [1, 1, 3, 60, 100_000, 30_000]
    support, pairs = (np.array(one, np.int32) for one in counts)
    low, high = interval(support, pairs)
    sure = confidence(support, pairs)
    assert ((low >= 0) & (low < sure) & (sure < high) & (high <= 1)).all()
    assert low[1] == pytest.approx(0.2065, abs=1e-4), "Wilson's interval of 1 of 1"


def compiled(folder: Path, triples: list[tuple[str, str, str]]) -> Snapshot:
    workspace = Workspace.create(folder / "ws")
    add_load(workspace, [fact(triple, row) for row, triple in enumerate(triples, 1)])
    return compile_snapshot(workspace, rdf=False, rules=True)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Eight people work at firms in towns and live there; of the ninth it is not stated."""
    triples = [(f"p{i}", "works_at", f"f{i}") for i in range(9)]
    triples += [(f"f{i}", "located_in", f"t{i}") for i in range(9)]
    triples += [(f"p{i}", "lives_in", f"t{i}") for i in range(8)]
    return compiled(tmp_path_factory.mktemp("town"), triples)


def ids(s: Snapshot, head: str, relation: str, tail: str) -> tuple[int, int, int]:
    return s.resolve_entity(head), s.resolve_relation(relation), s.resolve_entity(tail)


def test_a_reason_is_a_walk_of_stated_facts(town: Snapshot) -> None:
    head, relation, tail = ids(town, "p8", "lives_in", "t8")
    found = reasons(town, head, relation, tail)
    assert town.rules is not None
    best = found[0]
    counts = town.rules.support[best.rule], town.rules.pairs[best.rule]
    assert counts == (8, 9)
    paths, n = evidence(town, best, head, tail, 3)
    assert n == 1
    assert paths[0].entities == (head, town.resolve_entity("f8"), tail)
    rows = [origin.row for edge in paths[0].edges for origin in town.origins(edge)]
    assert rows == [9, 18]
    low, _ = interval(*(np.array([count]) for count in counts))
    assert chance_of(town, found[:1]) == pytest.approx(low[0])


def test_the_walk_through_a_hub_is_the_last_that_is_shown(tmp_path: Path) -> None:
    rows = [(f"p{i}", "works_at", f"f{i}") for i in range(8)]
    rows += [(f"f{i}", "located_in", f"t{i}") for i in range(8)]
    rows += [(f"p{i}", "lives_in", f"t{i}") for i in range(8)]
    rows += [(f"p{i}", "works_at", "a hub") for i in range(8)] + [("a hub", "located_in", "t0")]
    graph = compiled(tmp_path, rows)
    asked = ids(graph, "p0", "lives_in", "t0")
    own = next(
        r for r in reasons(graph, *asked) if evidence(graph, r, asked[0], asked[2], 9)[1] > 1
    )

    [path], n = evidence(graph, own, asked[0], asked[2], 1)
    assert n == 2
    assert graph.resolve_entity("f0") in path.entities


def test_no_fact_is_a_reason_for_itself(town: Snapshot) -> None:
    for edge in range(town.num_edges):
        h, r, t = town.triples()[edge].tolist()
        for reason in reasons(town, h, r, t):
            for path in evidence(town, reason, h, t, 9)[0]:
                assert edge not in path.edges


def test_nothing_is_found_where_nothing_is(town: Snapshot, tmp_path: Path) -> None:
    assert reasons(town, *ids(town, "p8", "lives_in", "t1")) == []
    workspace = Workspace.create(tmp_path / "ws")
    add_load(workspace, [fact(("a", "knows", "a"))])
    alone = compile_snapshot(workspace, rdf=False, rules=True)
    assert alone.rules is not None
    assert not len(alone.rules.head)
    assert reasons(alone, 0, 0, 0) == []
    assert compile_snapshot(workspace, rdf=False).rules is not None, "what is there is kept"


def test_rules_alone_give_every_answer_the_chance_that_its_reasons_have(
    town: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from rules_alone import answers

    for name, backward in (("p8", False), ("t8", True), ("f1", False)):
        anchor = town.resolve_entity(name)
        for relation in range(town.num_relations):
            chance = answers(town, anchor, relation + backward * town.num_relations)
            for other in set(range(town.num_entities)) - {anchor}:
                ends = (other, anchor) if backward else (anchor, other)
                found = reasons(town, ends[0], relation, ends[1])
                wanted = chance_of(town, found) if found else 0.0
                assert chance[other] == pytest.approx(wanted), (name, relation, other)
