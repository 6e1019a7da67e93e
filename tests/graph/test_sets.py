"""What a list has in common: as counted by hand, as scipy says, and rare where there is nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from scipy.stats import false_discovery_control, hypergeom

from sightline.graph.sets import enrich as module
from sightline.graph.sets.enrich import background_of, enrich
from sightline.graph.sets.hypergeometric import most_marked, tails
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.vocabulary import OWL, RDF_TYPE
from tests.graph.conftest import BASE, build, fact, literal, typed

SYMMETRIC: dict[str, object] = {
    "subject": f"{BASE}relation:near",
    "predicate": RDF_TYPE,
    "object": OWL + "SymmetricProperty",
    "row": 1,
}
#: Entities of the type that lists are drawn from, of another, and without edges.
GENES, TERMS, BARE = 60, 25, 15


def random_graph() -> list[dict[str, object]]:
    """Genes in terms, of which few hold many genes; terms in terms; genes near genes, both ways."""
    rng = np.random.default_rng(7)
    weight = np.arange(1, TERMS + 1) ** -1.0
    terms = rng.choice(TERMS, (200, 2), p=weight / weight.sum())
    genes = rng.integers(GENES, size=(200, 2))
    triples = {(f"g{g}", "in", f"t{t}") for g, t in zip(genes[:, 0], terms[:, 0])}
    triples |= {(f"t{a}", "part_of", f"t{b}") for a, b in terms[:40] if a != b}
    triples |= {(f"g{a}", "near", f"g{b}") for a, b in genes[:60] if a != b}
    triples |= {(f"g{b}", "near", f"g{a}") for a, b in genes[:20] if a != b}
    rows = [*map(fact, sorted(triples)), SYMMETRIC]
    rows += [typed(f"g{i}", "Gene") for i in range(GENES + BARE)]
    rows += [typed(f"g{i}", "Kinase") for i in range(0, GENES, 7)]
    rows += [typed(f"t{i}", "Term") for i in range(TERMS)]
    rows += [literal(f"g{i}", f"{BASE}property:arm", "pq"[i % 2]) for i in range(0, GENES, 2)]
    rows += [literal(f"g{i}", f"{BASE}property:arm", "both") for i in range(0, GENES, 3)]
    # In two languages it is the same text.
    rows += [literal("g0", f"{BASE}property:arm", "p", language="en")]
    return rows


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return build(tmp_path_factory.mktemp("sets") / "ws", random_graph())


def id_of(s: Snapshot, name: str) -> int:
    found = s.entity_iris.find(f"{BASE}entity:{name}")
    assert found is not None, name
    return found


def by_hand(s: Snapshot) -> dict[tuple[Any, ...], set[int]]:
    """Who has each feature, one entity and edge after the other."""
    span = len(s.one_rel)
    at: dict[int, set[tuple[int, int]]] = defaultdict(set)
    for head, relation, tail in s.triples().tolist():
        at[head].add((int(s.one_rel[relation]), tail))
        at[tail].add((int(s.one_rel[(relation + span // 2) % span]), head))
    have: dict[tuple[Any, ...], set[int]] = defaultdict(set)
    for entity in range(s.num_entities):
        for rel, mid in at[entity]:
            have["relation", (rel,), -1, None].add(entity)
            have["neighbour", (rel,), mid, None].add(entity)
            for second, end in at[mid]:
                have["there and back", (rel, second), end, None].add(entity)
                if end != entity:
                    have["two steps", (rel, second), end, None].add(entity)
        for class_id in s.types_of(entity).tolist():
            have["type", (), -1, class_id].add(entity)
        for attribute in s.attributes(entity):
            have["property", (), -1, attribute.property].add(entity)
            have["value", (), -1, (attribute.property, attribute.value)].add(entity)
    return have


def key_of(s: Snapshot, feature: module.Feature) -> tuple[Any, ...]:
    what: Any = None if feature.id < 0 else feature.id
    if feature.row >= 0:
        what = (feature.id, s.attribute_value[feature.row])
    return feature.kind, feature.rels, feature.entity, what


def all_of(features: tuple[module.Feature, ...]) -> list[module.Feature]:
    return [one for feature in features for one in (feature, *feature.alike)]


@pytest.mark.parametrize("background", ["Gene", None])
@pytest.mark.parametrize("seed", range(4))
def test_counts_and_chances_are_those_of_counting_by_hand(
    graph: Snapshot, background: str | None, seed: int
) -> None:
    class_id = None if background is None else graph.resolve_class(background)
    among = set(range(graph.num_entities))
    if class_id is not None:
        among = set(np.flatnonzero(graph.members(class_id)).tolist())
    listed = np.random.default_rng(seed).choice(sorted(among), 12, replace=False)
    have = by_hand(graph)
    wanted = {}
    tests = 0
    for key, holders in have.items():
        all_, own = holders & among, holders & set(listed.tolist())
        # A walk that comes back is told of nobody, and counts among what could stand out.
        tests += len(all_) >= 2 and key[0] != "two steps"
        if key[0] == "there and back":
            continue
        p = float(hypergeom.sf(len(own) - 1, len(among), len(all_), len(listed)))
        if len(own) >= 2 and p <= module.LEVEL:
            wanted[key] = (sorted(own), len(all_), p)

    got = enrich(graph, listed, class_id, k=1000, deadline_ms=60_000)
    found = all_of(got.features)

    assert {key_of(graph, f) for f in found} == set(wanted)
    for feature in found:
        own, all_, p = wanted[key_of(graph, feature)]
        assert (feature.members.tolist(), feature.background) == (own, all_)
        assert feature.p_value == pytest.approx(p, rel=1e-9)
    assert got.tests == tests
    padded = [f.p_value for f in found] + [1.0] * (got.tests - len(found))
    expected = false_discovery_control(padded)[: len(found)]
    assert [f.q_value for f in found] == pytest.approx(expected.tolist())
    assert got.missed == 0


def test_tails_are_those_of_scipy_and_never_zero() -> None:
    rng = np.random.default_rng(0)
    things = rng.integers(1, 400, 2000)
    marked, chosen = rng.integers(0, things + 1), rng.integers(0, things + 1)
    k = rng.integers(0, np.minimum(marked, chosen) + 1)

    expected = hypergeom.sf(k - 1, things, marked, chosen)
    assert tails(k, marked, chosen, things) == pytest.approx(expected, rel=1e-8, abs=1e-300)
    assert 0 < tails([900], [1000], 1000, 10**6)[0] < 1e-300


def test_the_most_that_may_be_marked_is_the_last_below_the_level() -> None:
    most = most_marked(12, 75, 0.05)
    for k in range(1, 13):
        by_size = tails(np.full(76, k), np.arange(76), 12, 75)
        allowed = np.flatnonzero((by_size <= 0.05) & (np.arange(76) >= k))
        assert most[k] == (allowed[-1] if len(allowed) else -1)


def test_random_lists_share_nothing_too_often(graph: Snapshot) -> None:
    """P(p <= a) <= a for every feature, and a q-value of at most a in at most a of the lists."""
    gene = graph.resolve_class("Gene")
    among = np.flatnonzero(graph.members(gene))
    rng = np.random.default_rng(3)
    draws, low = 400, defaultdict[tuple[Any, ...], list[float]](list)
    surprised = 0
    for _ in range(draws):
        listed = rng.choice(among, 10, replace=False)
        found = enrich(graph, listed, gene, k=1000, deadline_ms=60_000)
        surprised += found.significant > 0
        for feature in all_of(found.features):
            low[key_of(graph, feature)].append(feature.p_value)
    for level in (0.01, 0.05):
        # Five standard deviations, since there are hundreds of features.
        most = draws * level + 5 * (draws * level) ** 0.5
        assert max(sum(p <= level for p in ps) for ps in low.values()) <= most
        share = sum(p <= level for ps in low.values() for p in ps) / draws / len(low)
        assert share <= level
    assert surprised <= draws * 0.05 + 3 * (draws * 0.05) ** 0.5


def planted(snapshot_of: Any, *more: Any) -> Snapshot:
    """Eight of 40 people work at a firm in a town; everybody is the friend of a few."""
    rows: list[Any] = [typed(f"p{i}", "Person") for i in range(40)]
    rows += [(f"p{i}", "works_at", "firm") for i in range(8)]
    rows += [(f"p{i}", "works_at", f"shop{i % 4}") for i in range(8, 30)]
    rows += [("firm", "located_in", "town"), ("town", "located_in", "land")]
    rows += [(f"p{i}", "knows", f"p{(i * 7 + 3) % 40}") for i in range(40)]
    return snapshot_of([*rows, *more])


def named(s: Snapshot, feature: module.Feature) -> str:
    words = [s.relation_labels[rel % s.num_relations] for rel in feature.rels]
    return " ".join([*words, s.entity_labels[feature.entity] if feature.entity >= 0 else "?"])


def test_two_steps_that_say_what_their_first_step_says_take_no_place(snapshot_of: Any) -> None:
    s = planted(snapshot_of)
    listed = np.array([id_of(s, f"p{i}") for i in range(6)])
    best, *_ = enrich(s, listed, s.resolve_class("Person")).features

    assert named(s, best) == "works at firm"
    assert (len(best.members), best.background) == (6, 8)
    assert best.q_value < 0.05
    said = [named(s, one) for one in best.alike]
    assert "works at located in town" in said
    # Six of the list and 30 of the background work somewhere: more than the firm's eight do.
    assert "works at ?" not in said


def test_two_steps_that_are_rare_among_those_who_share_the_first_are_told(snapshot_of: Any) -> None:
    """Half of all speak English; five of them speak a language each of one family."""
    rows: list[Any] = [typed(f"p{i}", "Person") for i in range(40)]
    rows += [(f"p{i}", "speaks", "english") for i in range(20)]
    rows += [(f"p{i}", "speaks", f"own{i}") for i in range(5)]
    rows += [(f"own{i}", "family", "bantu") for i in range(5)]
    s = snapshot_of(rows)
    listed = np.array([id_of(s, f"p{i}") for i in range(5)])
    best, second = enrich(s, listed, s.resolve_class("Person")).features

    assert [named(s, best), named(s, second)] == ["speaks family bantu", "speaks english"]


def test_two_steps_that_say_more_are_told(snapshot_of: Any) -> None:
    """Five firms with a member of the list each have nothing in common but their town."""
    apart = [(f"p{i}", "works_at", f"own{i}") for i in range(30, 35)]
    towns = [(f"own{i}", "located_in", "port") for i in range(30, 35)]
    s = planted(snapshot_of, *apart, *towns)
    listed = np.array([id_of(s, f"p{i}") for i in range(30, 35)])
    found = enrich(s, listed, s.resolve_class("Person"))

    assert named(s, found.features[0]) == "works at located in port"
    assert found.features[0].q_value < 0.05
    assert enrich(s, listed, s.resolve_class("Person"), two_steps=False).significant == 0


def test_the_background_is_the_smallest_type_of_most_that_leaves_something_to_compare(
    snapshot_of: Any,
) -> None:
    rows: list[Any] = [("a0", "r", "b0")]
    rows += [typed(f"a{i}", "Thing") for i in range(30)] + [typed(f"b{i}", "Other") for i in "01"]
    rows += [typed(f"a{i}", "Singer") for i in range(20)] + [typed(f"a{i}", "Duo") for i in (0, 1)]
    s = snapshot_of(rows)

    def chosen(*names: str) -> str | None:
        class_id = background_of(s, np.array([id_of(s, name) for name in names]))
        return None if class_id is None else s.class_labels[class_id]

    assert chosen("a0", "a1") == "Singer"
    assert chosen("a0", "a1", "a25") == "Thing"
    assert chosen("a0", "a1", "b0") == "Singer"
    assert chosen(*(f"a{i}" for i in range(20))) == "Thing"
    assert chosen("b0") == "Other"


def test_without_types_the_background_is_everything(snapshot_of: Any) -> None:
    s = snapshot_of([("a", "r", "b"), ("c", "r", "b")])
    assert background_of(s, np.array([0, 2])) is None


@pytest.mark.parametrize("listed", [[], [0], [0, 1, 2]], ids=len)
def test_what_cannot_be_compared_is_a_small_answer(snapshot_of: Any, listed: list[int]) -> None:
    s = snapshot_of([("a", "r", "b"), ("c", "r", "b")])
    found = enrich(s, np.array(listed, np.int32), None)
    assert (found.features, found.significant) == ((), 0)


def test_time_that_is_over_leaves_out_steps_and_says_so(graph: Snapshot) -> None:
    listed = np.arange(12)
    found = enrich(graph, listed, None, deadline_ms=0)
    whole = enrich(graph, listed, None, deadline_ms=60_000)

    # Those over the relation that the fewest have are looked at whatever the time.
    assert found.missed + 1 == found.relations == whole.relations > 1
    assert found.tests < whole.tests


def test_slices_of_any_size_count_the_same(graph: Snapshot, monkeypatch: Any) -> None:
    listed = np.arange(0, 60, 5)
    whole = enrich(graph, listed, None, deadline_ms=60_000)
    seen: list[int] = []
    monkeypatch.setattr(module, "stop_if_cancelled", lambda: seen.append(1))
    once = len(seen)
    again = enrich(graph, listed, None, deadline_ms=60_000)
    assert [key_of(graph, f) for f in again.features] == [key_of(graph, f) for f in whole.features]
    assert len(seen) > once
