"""The difference of two snapshots is the difference of their sets of facts."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph.reasoning.reason import reason
from sightline.graph.record.loads import retract
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.diff import (
    amounts,
    compare,
    find_snapshot,
    former_snapshot,
    most_changed,
    named,
    predicates,
)
from sightline.graph.snapshot.errors import NoFormerSnapshot, UnknownSnapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.statement import Amount, Change, ChangedFact
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import RDF_TYPE
from tests.graph.conftest import BASE, RDF, XSD, add_load, build, fact, label, literal, typed

names = st.sampled_from("abcdé")
rows = st.one_of(
    st.builds(lambda h, r, t: fact((h, r, t)), names, st.sampled_from("rs"), names),
    st.builds(typed, names, st.sampled_from("XY")),
    st.builds(
        lambda n, value, more: literal(n, BASE + "property:size", value, **more),
        names,
        st.sampled_from(["1", "2", ""]),
        st.sampled_from(
            [
                {"datatype": XSD + "integer"},
                {},
                {"datatype": RDF + "langString", "language": "en"},
                {"datatype": RDF + "langString", "language": "de"},
            ]
        ),
    ),
)
graphs = st.lists(rows, min_size=1, max_size=12)


@dataclass(frozen=True)
class Diff:
    """Everything that differs between two snapshots."""

    entities: Amount
    edges: Amount
    types: Amount
    attributes: Amount
    extracted: Amount
    predicates: tuple[Change, ...]
    most_changed: tuple[Change, ...]
    added: tuple[ChangedFact, ...]
    removed: tuple[ChangedFact, ...]


def diff(old: Snapshot, new: Snapshot, limit: int = 100, about: Sequence[str] = ()) -> Diff:
    gone, come = compare(old, new)
    if about:
        gone, come = gone.about(about), come.about(about)
    facts = named(come, limit), named(gone, limit)
    ranked = predicates(gone, come), most_changed(gone, come, limit)
    return Diff(*amounts(gone, come), *ranked, *facts)


def terms(row: dict[str, object]) -> tuple[object, ...]:
    columns = ("subject", "predicate", "object", "datatype", "language")
    return tuple(row.get(column) for column in columns)


@settings(max_examples=30)
@given(graphs, graphs)
def test_added_and_removed_are_differences_of_sets(
    one: list[dict[str, object]], two: list[dict[str, object]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        old, new = build(Path(folder) / "1", one), build(Path(folder) / "2", two)
        found = diff(old, new)
    before, after = {terms(row) for row in one}, {terms(row) for row in two}
    for facts, expected in ((found.added, after - before), (found.removed, before - after)):
        statements = [fact.statement for fact in facts]
        columns = ("subject", "predicate", "object", "datatype", "language")
        got = [tuple(getattr(s, column) for column in columns) for s in statements]
        assert sorted(got, key=str) == sorted(expected, key=str)
    assert found.entities == Amount(
        len(set(new.entity_iris) - set(old.entity_iris)),
        len(set(old.entity_iris) - set(new.entity_iris)),
    )
    for changes, mentions in ((found.predicates, predicates_of), (found.most_changed, ends)):
        added, removed = Counter(mentions(after - before)), Counter(mentions(before - after))
        assert {c.iri: (c.added, c.removed) for c in changes} == {
            iri: (added[iri], removed[iri]) for iri in added | removed
        }


def predicates_of(facts: set[tuple[object, ...]]) -> list[object]:
    return [f[1] for f in facts]


def ends(facts: set[tuple[object, ...]]) -> list[object]:
    """The entities of facts, each as often as it is an end of one."""
    return [f[0] for f in facts] + [f[2] for f in facts if f[3] is None and f[1] != RDF_TYPE]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    ws = Workspace.create(tmp_path / "ws")
    add_load(ws, [fact(("a", "r", "b")), label("a", "Ann"), typed("a", "X")], name="1")
    return ws


def test_facts_are_said_by_labels(workspace: Workspace) -> None:
    old = compile_snapshot(workspace, rdf=False)
    more = [fact(("a", "knows", "c")), typed("c", "Y"), label("c", "Cem")]
    add_load(workspace, more, name="2")
    new = compile_snapshot(workspace, rdf=False)
    found = diff(old, new)
    assert [f.text for f in found.added] == [
        "Ann —knows→ Cem",
        "Cem —type→ Y",
        'Cem —label→ "Cem"',
    ]
    assert (found.edges, found.types, found.attributes) == (Amount(1, 0),) * 3
    assert found.most_changed[0] == Change(f"{BASE}entity:c", "Cem", 3, 0)
    assert [p.iri for p in diff(new, old).predicates if p.removed] == sorted(
        [f"{BASE}relation:knows", RDF_TYPE, "http://www.w3.org/2000/01/rdf-schema#label"]
    )


def test_another_source_of_a_known_fact_is_no_change(workspace: Workspace) -> None:
    old = compile_snapshot(workspace, rdf=False)
    add_load(workspace, [fact(("a", "r", "b")), label("a", "Ann"), typed("a", "X")], name="2")
    new = compile_snapshot(workspace, rdf=False)
    assert old.id != new.id
    found = diff(old, new)
    assert (found.added, found.removed, found.predicates, found.most_changed) == ((), (), (), ())


def test_inferred_facts_are_marked(workspace: Workspace) -> None:
    symmetric = "http://www.w3.org/2002/07/owl#SymmetricProperty"
    schema = {"subject": f"{BASE}relation:r", "predicate": RDF_TYPE, "object": symmetric, "row": 1}
    add_load(workspace, [schema], name="2")
    old = compile_snapshot(workspace, rdf=False)
    load = reason(workspace)
    new = compile_snapshot(workspace, rdf=False)
    assert [(f.text, f.inferred) for f in diff(old, new).added] == [("b —r→ Ann", True)]
    retract(workspace, load.id)
    assert diff(new, compile_snapshot(workspace, rdf=False)).edges == Amount(0, 1)


def test_the_limit_cuts_what_is_named_and_not_what_is_counted(workspace: Workspace) -> None:
    old = compile_snapshot(workspace, rdf=False)
    add_load(workspace, [fact(("a", "r", str(i))) for i in range(20)], name="2")
    new = compile_snapshot(workspace, rdf=False)
    found = diff(old, new, limit=5)
    assert (len(found.added), len(found.most_changed), found.edges.added) == (5, 5, 20)
    assert found.most_changed[0].label == "Ann"


def test_a_snapshot_is_found_by_the_start_of_its_id(workspace: Workspace) -> None:
    s = compile_snapshot(workspace, rdf=False)
    assert find_snapshot(workspace, s.id[:5]).id == s.id
    for ref in ("", "zz", ".."):
        with pytest.raises(UnknownSnapshot, match=s.id):
            find_snapshot(workspace, ref)


def test_changes_about_some_entities_are_those_with_an_end_there(workspace: Workspace) -> None:
    old = compile_snapshot(workspace, rdf=False)
    more = [fact(("a", "r", "c")), fact(("c", "r", "d")), typed("d", "X"), label("c", "Cem")]
    add_load(workspace, more, name="2")
    new = compile_snapshot(workspace, rdf=False)
    found = diff(old, new, about=[f"{BASE}entity:c", f"{BASE}entity:nobody"])
    assert [f.text for f in found.added] == ["Ann —r→ Cem", "Cem —r→ d", 'Cem —label→ "Cem"']
    assert (found.entities, found.types) == (Amount(1, 0), Amount(0, 0))


def test_the_former_snapshot_is_the_one_built_before(workspace: Workspace) -> None:
    first = compile_snapshot(workspace, rdf=False)
    with pytest.raises(NoFormerSnapshot, match=first.id):
        former_snapshot(workspace, first)
    add_load(workspace, [fact(("a", "r", "c"))], name="2")
    second = compile_snapshot(workspace, rdf=False)
    add_load(workspace, [fact(("a", "r", "d"))], name="3")
    third = compile_snapshot(workspace, rdf=False)
    assert former_snapshot(workspace, third).id == second.id
    assert former_snapshot(workspace, second).id == first.id
