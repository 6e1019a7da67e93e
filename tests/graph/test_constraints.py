"""Constraints on the smallest graphs that show or break them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from sightline.graph.mining.constraints import Constraint, Constraints
from sightline.graph.snapshot.reader import Snapshot
from tests.graph.conftest import BASE, RDF, RDFS, typed

OWL = "http://www.w3.org/2002/07/owl#"

Make = Callable[..., Snapshot]

#: Twenty countries with a capital each; two more pairs have nothing to do with them.
CAPITALS = [(f"land{i}", "capital", f"town{i}") for i in range(20)]
TYPES = [
    *(typed(f"land{i}", "Land") for i in range(20)),
    *(typed(f"town{i}", "Town") for i in range(20)),
]


def found(snapshot: Snapshot, kind: str, relation: str | None = None) -> Constraint | None:
    number = None if relation is None else snapshot.resolve_relation(relation)
    same = [c for c in Constraints(snapshot).found if (c.kind, c.relation) == (kind, number)]
    assert len(same) <= 1
    return same[0] if same else None


def broken(snapshot: Snapshot, kind: str, relation: str) -> set[tuple[str, str]]:
    """Head and tail of the edges that break a constraint."""
    constraint = found(snapshot, kind, relation)
    assert constraint is not None
    edges = Constraints(snapshot).breaking(constraint)
    assert len(edges) == len(set(edges.tolist()))
    labels = snapshot.entity_labels
    return {(labels[snapshot.head[e]], labels[snapshot.tail[e]]) for e in edges}


def test_a_capital_too_many_breaks_what_all_others_keep(snapshot_of: Make) -> None:
    graph = snapshot_of([*CAPITALS, ("land3", "capital", "town4")])

    assert found(graph, "functional", "capital") == Constraint("functional", 0, (), False, 20, 1)
    assert broken(graph, "functional", "capital") == {("land3", "town3"), ("land3", "town4")}
    assert broken(graph, "inverse functional", "capital") == {
        ("land3", "town4"),
        ("land4", "town4"),
    }


def test_nine_cases_are_too_few(snapshot_of: Make) -> None:
    assert Constraints(snapshot_of(CAPITALS[:9])).found == ()


def test_two_exceptions_of_twenty_make_it_no_constraint(snapshot_of: Make) -> None:
    wrong = [("land3", "capital", "town4"), ("land5", "capital", "town6")]

    assert found(snapshot_of([*CAPITALS, *wrong]), "functional", "capital") is None


def test_a_town_is_no_head_of_capital(snapshot_of: Make) -> None:
    graph = snapshot_of([*CAPITALS, *TYPES, ("town3", "capital", "town7")])
    land, town = map(graph.resolve_class, ("Land", "Town"))

    assert found(graph, "domain", "capital") == Constraint("domain", 0, (land,), False, 21, 1)
    assert found(graph, "range", "capital") == Constraint("range", 0, (town,), False, 21, 0)
    assert broken(graph, "domain", "capital") == {("town3", "town7")}


def test_what_has_no_type_breaks_no_signature(snapshot_of: Make) -> None:
    graph = snapshot_of([*CAPITALS, *TYPES, ("nobody", "capital", "town7")])

    assert broken(graph, "domain", "capital") == set()


def test_a_type_that_everything_has_says_nothing(snapshot_of: Make) -> None:
    everything = [typed(name, "Thing") for name in {n for f in CAPITALS for n in (f[0], f[2])}]

    assert found(snapshot_of([*CAPITALS, *everything]), "domain", "capital") is None


def test_two_usual_types_are_one_signature(snapshot_of: Make) -> None:
    types = [typed(f"land{i}", "Island" if i < 8 else "Land") for i in range(20)]
    towns = [typed(f"town{i}", "Town") for i in range(20)]
    graph = snapshot_of([*CAPITALS, *types, *towns])
    domain = found(graph, "domain", "capital")

    assert domain is not None
    assert [graph.class_labels[c] for c in domain.classes] == ["Land", "Island"]


def chain(length: int, relation: str = "parent") -> list[tuple[str, str, str]]:
    """p0 -> p7 -> p14 ...: many facts lead to a lower id and many to a higher one."""
    order = [7 * i % (length + 1) for i in range(length + 1)]
    return [(f"p{a:02}", relation, f"p{b:02}") for a, b in pairwise(order)]


def test_a_chain_is_asymmetric_and_one_reverse_breaks_it(snapshot_of: Make) -> None:
    facts = chain(60)
    head, relation, tail = facts[9]
    graph = snapshot_of([*facts, (tail, relation, head)])

    assert broken(graph, "asymmetric", "parent") == {(head, tail), (tail, head)}
    assert found(graph, "symmetric", "parent") is None


def test_pairs_stated_once_in_the_order_of_their_ids_may_be_meant_both_ways(
    snapshot_of: Make,
) -> None:
    facts = [tuple(sorted((h, t))) for h, _, t in chain(60)]
    graph = snapshot_of([(a, "borders", b) for a, b in facts])

    assert found(graph, "asymmetric", "borders") is None


def test_what_is_stated_both_ways_is_symmetric_but_for_one(snapshot_of: Make) -> None:
    facts = chain(22)
    both = [*facts, *((t, r, h) for h, r, t in facts[1:])]

    assert broken(snapshot_of(both), "symmetric", "parent") == {(facts[0][0], facts[0][2])}


def test_nothing_is_its_own_capital(snapshot_of: Make) -> None:
    graph = snapshot_of([*CAPITALS, ("land1", "capital", "land1")])

    assert broken(graph, "irreflexive", "capital") == {("land1", "land1")}


def test_types_that_share_one_entity_of_many_are_disjoint(snapshot_of: Make) -> None:
    rows = [typed(f"land{i}", "Land") for i in range(40)]
    rows += [typed(f"town{i}", "Town") for i in range(40)]
    graph = snapshot_of([*CAPITALS, *rows, typed("land3", "Town")])
    disjoint = found(graph, "disjoint")

    assert disjoint is not None
    assert (disjoint.support, disjoint.exceptions) == (40, 1)
    [entity] = Constraints(graph).breaking(disjoint)
    assert graph.entity_labels[entity] == "land3"


def test_types_that_overlap_as_chance_would_have_it_are_not(snapshot_of: Make) -> None:
    rows = [typed(f"land{i}", kind) for i in range(40) for kind in ("Land", "Place")]

    assert found(snapshot_of([*CAPITALS, *rows]), "disjoint") is None


def test_new_facts_are_excluded_by_what_has_no_exception(snapshot_of: Make) -> None:
    lands = [typed("land20", "Land"), typed("town20", "Town")]
    graph = snapshot_of([*CAPITALS, *TYPES, *lands, *chain(60)])
    kept = Constraints(graph)
    asked = [
        ("land3", "capital", "town20"),
        ("land20", "capital", "town3"),
        ("town20", "capital", "town20"),
        ("land20", "capital", "land20"),
        ("land20", "capital", "town20"),
        (chain(60)[9][2], "parent", chain(60)[9][0]),
    ]
    ids = [
        (graph.resolve_entity(h), graph.resolve_relation(r), graph.resolve_entity(t))
        for h, r, t in asked
    ]
    places = kept.excluded(*np.array(ids, np.int32).T)

    assert [kept.found[p].kind if p >= 0 else None for p in places] == [
        *("functional", "inverse functional", "irreflexive", "irreflexive", None),
        "functional",
    ]


def test_what_has_an_exception_excludes_nothing(snapshot_of: Make) -> None:
    graph = snapshot_of([*CAPITALS, ("land3", "capital", "town4"), ("land20", "near", "land3")])
    ends = [graph.resolve_entity(name) for name in ("land5", "town4", "land20", "town5")]
    heads, tails = np.array(ends, np.int32).reshape(2, 2).T
    relation = np.full(2, graph.resolve_relation("capital"), np.int32)

    # A second capital, of a land or with a land: one has that already.
    assert Constraints(graph).excluded(heads, relation, tails).tolist() == [-1, -1]


def says(subject: str, predicate: str, target: str) -> dict[str, object]:
    return {"subject": subject, "predicate": predicate, "object": target, "row": 1}


def test_what_an_ontology_declares_holds_for_two_facts_and_for_subclasses(
    snapshot_of: Make,
) -> None:
    capital = f"{BASE}relation:capital"
    land, isle, town = (f"{BASE}class:{name}" for name in ("Land", "Isle", "Town"))
    graph = snapshot_of(
        [
            *(("malta", "capital", "valletta"), ("malta", "capital", "rome")),
            *(typed("malta", "Isle"), typed("valletta", "Town"), typed("rome", "Land")),
            says(capital, RDF + "type", OWL + "FunctionalProperty"),
            says(capital, RDFS + "domain", land),
            says(capital, RDFS + "range", town),
            says(isle, RDFS + "subClassOf", land),
        ]
    )

    assert [(c.kind, c.declared, c.exceptions) for c in Constraints(graph).found] == [
        ("functional", True, 1),
        ("domain", True, 0),
        ("range", True, 1),
    ]
    assert broken(graph, "range", "capital") == {("malta", "rome")}


def test_types_of_a_list_of_disjoint_ones_share_no_entity(snapshot_of: Make) -> None:
    cells = [f"urn:sightline:genid:x:{i}" for i in range(3)]
    classes = [f"{BASE}class:{name}" for name in ("Land", "Town")]
    rows = [
        says(cells[2], RDF + "type", OWL + "AllDisjointClasses"),
        says(cells[2], OWL + "members", cells[0]),
        says(cells[0], RDF + "first", classes[0]),
        says(cells[0], RDF + "rest", cells[1]),
        says(cells[1], RDF + "first", classes[1]),
        says(cells[1], RDF + "rest", RDF + "nil"),
    ]
    types = [typed("monaco", "Land"), typed("monaco", "Town"), typed("rome", "Town")]
    disjoint = found(snapshot_of([*rows, *types, ("rome", "near", "monaco")]), "disjoint")

    assert disjoint is not None
    assert (disjoint.declared, disjoint.support, disjoint.exceptions) == (True, 1, 1)


def test_a_graph_without_edges_keeps_nothing(snapshot_of: Make) -> None:
    graph = snapshot_of([typed("land1", "Land")])
    none = np.zeros(0, np.int32)

    assert Constraints(graph).found == ()
    assert Constraints(graph).excluded(none, none, none).shape == (0,)
