"""Loads become the arrays that the contract names: unique, sorted, traceable, reproducible."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections import Counter
from pathlib import Path

import networkx as nx
import numpy as np
import pyoxigraph
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph.exchange.views import to_networkx
from sightline.graph.rdf import index
from sightline.graph.rdf.index import open_rdf
from sightline.graph.record.loads import active_loads
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.snapshot.sections.edges import order
from sightline.graph.storage.errors import DamagedArtifact, FormatMismatch
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import GENID
from tests.graph.conftest import (
    BASE,
    RDF,
    RDFS,
    XSD,
    add_load,
    build,
    fact,
    label,
    literal,
    typed,
)

triples = st.lists(
    st.tuples(st.sampled_from("abcdé/"), st.sampled_from("rs"), st.sampled_from("abcdé/")),
    min_size=1,
    max_size=15,
)


@settings(max_examples=40)
@given(triples)
def test_edges_are_the_distinct_facts_sorted_both_ways(rows: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        s = build(Path(folder), [fact(t, i + 1) for i, t in enumerate(rows)])
        local = [iri.removeprefix(BASE + "entity:") for iri in s.entity_iris]
        names = [iri.removeprefix(BASE + "relation:") for iri in s.relation_iris]
        edges = [(local[h], names[r], local[t]) for h, r, t in s.triples().tolist()]
        assert sorted(edges) == sorted(set(rows))
        assert s.triples().tolist() == sorted(s.triples().tolist())
        assert local == sorted(local, key=str.encode)
        for e in range(s.num_entities):
            out = range(s.out_indptr[e], s.out_indptr[e + 1])
            assert all(s.head[i] == e for i in out)
            into = slice(s.in_indptr[e], s.in_indptr[e + 1])
            assert (s.tail[s.in_edge[into]] == e).all()
            assert (s.head[s.in_edge[into]] == s.in_head[into]).all()
            assert (s.relation[s.in_edge[into]] == s.in_relation[into]).all()
        number = {triple: edge for edge, triple in enumerate(edges)}
        first = [edges[min(e, number.get((t, r, h), e))] for e, (h, r, t) in enumerate(edges)]
        out_degree = Counter((h, r) for h, r, _ in set(first))
        in_degree = Counter((r, t) for _, r, t in set(first))
        expected = [(out_degree[h, r] * in_degree[r, t]) ** -0.4 for h, r, t in first]
        # A relation that reads the same both ways counts both sides in its degrees: other tests.
        one_way = s.one_rel[s.relation] != s.one_rel[s.relation + s.num_relations]
        assert s.path_weight[one_way] == pytest.approx(np.array(expected)[one_way])
        for edge, triple in enumerate(edges):
            cited = [origin.row for origin in s.origins(edge)]
            assert cited == [i + 1 for i, row in enumerate(rows) if row == triple]


def digest(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.npy")
    }


def test_the_same_loads_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = [fact(("a", "r", "b")), label("a", "A")], [fact(("c", "r", "a")), typed("c", "X")]
    digests = []
    for name, way in (("x", "ab"), ("y", "ba")):
        workspace = Workspace.create(tmp_path / name)
        for load in way:
            add_load(workspace, one if load == "a" else two, name=load)
        snapshot = compile_snapshot(workspace, rdf=False)
        digests.append((snapshot.id, digest(snapshot.folder)))
    assert digests[0] == digests[1]


def test_labels_types_and_literals(snapshot_of) -> None:
    s: Snapshot = snapshot_of(
        [
            ("a", "r", "b"),
            label("a", "Apfel"),
            literal("a", RDFS + "label", "apple", language="en", datatype=RDF + "langString"),
            literal("lone", RDFS + "label", "Birne", language="de", datatype=RDF + "langString"),
            literal("lone", RDFS + "label", "pear", language="en", datatype=RDF + "langString"),
            literal("a", BASE + "property:size", "3", datatype=XSD + "integer"),
            typed("a", "Fruit"),
            typed("lonely_thing", "Fruit"),
            typed("lone", "Fruit"),
        ]
    )
    a = s.resolve_entity("a")
    assert s.entity_labels[a] == "Apfel"
    assert s.entity_labels[s.resolve_entity("lone")] == "pear"
    assert s.entity_labels[s.resolve_entity("lonely_thing")] == "lonely thing"
    assert s.class_labels.take(s.types_of(a)) == ["Fruit"]
    found = {(s.property_labels[x.property], x.value, x.language) for x in s.attributes(a)}
    assert found == {("label", "Apfel", None), ("label", "apple", "en"), ("size", "3", None)}
    assert s.attributes(s.resolve_entity("b")) == []
    assert s.members(s.resolve_class("Fruit")).sum() == 3


def test_schema_statements_are_no_edges_and_their_subjects_no_entities(snapshot_of) -> None:
    relation = f"{BASE}relation:r"
    schema = [
        {"subject": relation, "predicate": RDFS + "label", "object": "likes", "row": 1}
        | {"datatype": XSD + "string"},
        {"subject": relation, "predicate": RDFS + "domain", "object": BASE + "class:P", "row": 1},
        {"subject": BASE + "class:P", "predicate": RDFS + "subClassOf", "object": "x:Q", "row": 1},
    ]
    s: Snapshot = snapshot_of([("a", "r", "b"), *schema])
    assert (s.num_edges, s.num_entities) == (1, 2)
    assert s.relation_labels[0] == "likes"
    assert s.resolve_relation("LIKES") == 0


def test_an_ontology_leaves_no_blank_node_among_the_entities(tmp_path: Path) -> None:
    ontology = """
        @prefix : <urn:o:> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        :uncle a owl:ObjectProperty, owl:FunctionalProperty ;
            owl:propertyChainAxiom ( :parent :brother ) .
        :Parent a owl:Class ; rdfs:subClassOf [ a owl:Restriction ;
            owl:onProperty :parent ; owl:someValuesFrom [ owl:unionOf ( :Man :Woman ) ] ] .
        :a :uncle :b .
    """
    quads = pyoxigraph.parse(ontology, format=pyoxigraph.RdfFormat.TURTLE)
    terms = [
        [f"{GENID}0:{t.value}" if isinstance(t, pyoxigraph.BlankNode) else t.value for t in triple]
        for triple in (quad.triple for quad in quads)
    ]
    rows = [dict(zip(("subject", "predicate", "object"), t), row=1) for t in terms]
    s = build(tmp_path, rows)
    assert list(s.entity_iris) == ["urn:o:a", "urn:o:b"]
    assert list(s.relation_iris) == ["urn:o:uncle"]


def test_held_out_facts_are_no_edges_but_have_ids(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    add_load(workspace, [fact(("a", "r", "b"))])
    add_load(workspace, [fact(("z", "new", "a")), fact(("z", "new", "a"))], role="test", name="t")
    s = compile_snapshot(workspace)
    z, a = s.resolve_entity("z"), s.resolve_entity("a")
    assert s.num_edges == len(list(open_rdf(s.folder).quads())) == 1
    assert s.held_out("test").tolist() == [[z, s.resolve_relation("new"), a]]
    assert s.held_out("valid").shape == (0, 3)


def test_other_settings_give_another_snapshot_and_their_label_comes_first(tmp_path: Path) -> None:
    rows = [
        fact(("a", "r", "b")),
        label("a", "apple"),
        literal("a", BASE + "property:name", "Apfel", language="de", datatype=RDF + "langString"),
    ]
    first = build(tmp_path / "ws", rows)
    settings = '[graph]\nlabel_properties = ["property:name"]'
    (tmp_path / "ws" / "sightline.toml").write_text(settings)
    second = compile_snapshot(Workspace.open(tmp_path / "ws"), rdf=False)
    assert first.id != second.id
    # The property that the user prefers counts more than the language of the text.
    assert (first.entity_labels[0], second.entity_labels[0]) == ("apple", "Apfel")


def test_a_record_that_says_something_twice_is_cited_once(snapshot_of) -> None:
    s: Snapshot = snapshot_of([fact(("a", "r", "b"), row) for row in (1, 1, 2)])
    assert [origin.row for origin in s.origins(0)] == [1, 2]


def test_ignored_relations_are_no_edges(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    (workspace.path / "sightline.toml").write_text('[graph]\nignored_relations = ["relation:s"]')
    add_load(workspace, [fact(("a", "r", "b")), fact(("a", "s", "b"))])
    assert list(compile_snapshot(workspace, rdf=False).relation_labels) == ["r"]


def test_a_damaged_snapshot_is_refused_and_built_again(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    add_load(workspace, [fact(("a", "r", "b"))])
    snapshot = compile_snapshot(workspace, rdf=False)
    (snapshot.folder / "head.npy").unlink()
    with pytest.raises(DamagedArtifact, match=r"head\.npy is missing"):
        served_snapshot(workspace)
    assert compile_snapshot(workspace, rdf=False).num_edges == 1
    manifest = snapshot.folder / "manifest.json"
    manifest.write_text(re.sub('"format": [0-9]+', '"format": 99', manifest.read_text()))
    with pytest.raises(FormatMismatch):
        served_snapshot(workspace)


def test_prepare_runs_before_the_snapshot_is_served(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    add_load(workspace, [fact(("a", "r", "b"))])
    served: list[str | None] = []
    compile_snapshot(
        workspace, rdf=False, prepare=lambda _: served.append(workspace.current.snapshot)
    )
    assert served == [None]
    assert workspace.current.snapshot is not None


def test_the_rdf_index_holds_every_term_exactly(snapshot_of) -> None:
    rows = [
        ("a", "r", "b"),
        label("a", 'say "hi"\\\n\r\tto é 日本'),
        literal("b", RDFS + "label", "Bär", language="de", datatype=RDF + "langString"),
        literal("b", BASE + "property:n", "41", datatype=XSD + "integer"),
        fact(("a", "r", "c")) | {"graph": "urn:g:1"},
    ]
    dataset = open_rdf(snapshot_of(rows, rdf=True).folder)
    found = {str(o): (o.language, str(o.datatype)) for _, _, o, _ in dataset.quads() if is_text(o)}
    assert found == {
        'say "hi"\\\n\r\tto é 日本': (None, XSD + "string"),
        "Bär": ("de", "None"),
        "41": (None, XSD + "integer"),
    }
    query = f"SELECT ?o WHERE {{ <{BASE}entity:a> <{BASE}relation:r> ?o }} ORDER BY ?o"
    assert [str(o) for (o,) in dataset.query(query)] == [BASE + "entity:b", BASE + "entity:c"]
    in_graph = f"SELECT ?s WHERE {{ GRAPH <urn:g:1> {{ ?s ?p <{BASE}entity:c> }} }}"
    assert len(list(dataset.query(in_graph))) == 1


def is_text(term: object) -> bool:
    return hasattr(term, "language")


def test_networkx_sees_the_same_graph(snapshot_of) -> None:
    s: Snapshot = snapshot_of(
        [("a", "r", "b"), ("a", "s", "b"), ("b", "r", "c"), label("a", "A"), typed("a", "X")]
    )
    graph = to_networkx(s)
    a, b, c = (f"{BASE}entity:{name}" for name in "abc")
    assert isinstance(graph, nx.MultiDiGraph)
    assert graph.nodes[a] == {"label": "A", "types": ["X"], "attributes": {"label": ["A"]}}
    assert sorted(graph[a][b]) == [f"{BASE}relation:r", f"{BASE}relation:s"]
    assert nx.has_path(graph, a, c)
    part = to_networkx(s, [s.resolve_entity("b"), s.resolve_entity("c")])
    assert list(part.edges(keys=True)) == [(b, c, f"{BASE}relation:r")]


def test_ids_are_int32_and_mapped(snapshot_of) -> None:
    s: Snapshot = snapshot_of([("a", "r", "b")])
    for name in ("head", "relation", "tail", "in_head", "in_relation", "in_edge"):
        assert getattr(s, name).dtype == np.int32
        assert isinstance(getattr(s, name).base, np.memmap)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(*[st.integers(0, 3) | st.integers(2**31 - 3, 2**31 - 1)] * 3), max_size=12)
)
def test_packed_columns_are_ordered_as_they_are(rows: list[tuple[int, int, int]]) -> None:
    columns = np.array(rows, np.int32).reshape(-1, 3).T
    rank = order(*columns)
    assert [rows[i] for i in rank] == sorted(rows)
    assert (rank == np.lexsort(columns[::-1])).all()


loads = st.dictionaries(
    st.sampled_from("123"),
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("rs"), st.sampled_from("ac_"))),
    min_size=1,
)


@settings(max_examples=5, deadline=None)
@given(st.lists(loads, min_size=2, max_size=2), st.sampled_from([None, "urn:g"]))
def test_a_snapshot_after_changes_is_the_one_from_nothing(
    states: list[dict[str, list[tuple[str, str, str]]]], graph: str | None
) -> None:
    # Much stays the same, so that the index of the former snapshot is changed.
    constant = [fact((f"n{i}", "r", "a"), i + 1) for i in range(60)]
    with tempfile.TemporaryDirectory() as folder:
        changed = Workspace.create(Path(folder) / "changed")
        for state in states:
            snapshot = compile_loads(changed, constant, state, graph)
        anew = compile_loads(Workspace.create(Path(folder) / "anew"), constant, states[-1], graph)
        assert snapshot.id == anew.id
        assert digest(snapshot.folder) == digest(anew.folder)
        contents = [
            (m["counts"], m["loads"], m["datatypes"]) for m in (snapshot.manifest, anew.manifest)
        ]
        assert contents[0] == contents[1]
        assert quads_of(snapshot) == quads_of(anew)


def compile_loads(
    ws: Workspace,
    constant: list[dict[str, object]],
    state: dict[str, list[tuple[str, str, str]]],
    graph: str | None,
) -> Snapshot:
    """The snapshot of a constant load and those of a state; all others are taken out."""
    kept = {add_load(ws, constant, name="constant").id}
    for name, rows in state.items():
        # What two loads say in one named graph stays there until neither says it.
        facts = [{**fact(row, i + 1), "graph": graph} for i, row in enumerate(rows)]
        for node in facts:
            if node["object"] == f"{BASE}entity:_":
                node["object"] = f"{GENID}0:x"
        kept.add(add_load(ws, facts, name=f"{name}{rows}").id)
    ws.swap_loads(kept, {load.id for load in active_loads(ws)} - kept)
    return compile_snapshot(ws)


def quads_of(snapshot: Snapshot) -> set[str]:
    store = pyoxigraph.Store.read_only(str(snapshot.folder / "rdf"))
    return {str(quad) for quad in store} | {str(name) for name in store.named_graphs()}


def test_little_is_changed_in_a_copy_of_the_former_index(tmp_path: Path, monkeypatch) -> None:
    ws = Workspace.create(tmp_path / "ws")
    constant = [fact((f"n{i}", "r", "a"), i + 1) for i in range(60)]
    compile_loads(ws, constant, {"1": [("a", "r", "b")]}, None)
    written = []
    n_quads = index.n_quads
    monkeypatch.setattr(
        index, "n_quads", lambda frame: written.append(frame.height) or n_quads(frame)
    )
    snapshot = compile_loads(ws, constant, {"1": [("a", "r", "c")]}, None)
    assert written == [1]
    assert len(quads_of(snapshot)) == 61 + 2


def test_a_damaged_former_index_is_not_taken_over(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    constant = [fact((f"n{i}", "r", "a"), i + 1) for i in range(60)]
    former = compile_loads(ws, constant, {}, None)
    (table,) = sorted((former.folder / "rdf").glob("*.sst"))[:1]
    table.write_bytes(table.read_bytes()[::-1])
    assert len(quads_of(compile_loads(ws, constant, {"1": [("a", "r", "c")]}, None))) == 61 + 2


def test_one_blank_node_of_two_loads_is_one_in_the_index(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    node = f"{GENID}0:x"
    for name in "12":
        add_load(ws, [{**fact(("a", f"r{name}", "b")), "object": node}], name=name)
    objects = {
        q.object for q in pyoxigraph.Store.read_only(str(compile_snapshot(ws).folder / "rdf"))
    }
    assert len(objects) == 1


@pytest.mark.parametrize("wanted", [(), ("copies",), ("rdf", "copies", "rules")])
def test_progress_reaches_its_end_and_counts_what_is_wanted_alone(
    tmp_path: Path, wanted: tuple[str, ...]
) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    add_load(workspace, [fact(("a", "r", "b"))])
    said: list[tuple[int, int | None, str]] = []
    titles = {"rdf": "RDF index", "copies": "shuffled copies", "rules": "rules"}
    asked = {name: name in wanted for name in titles}
    compile_snapshot(workspace, **asked, progress=lambda _, *report: said.append(report))
    done = [report[0] for report in said]
    assert done == sorted(set(done)), "each stage takes some of the time"
    assert {total for _, total, _ in said} == {done[-1]}
    notes = {note for _, _, note in said}
    assert {name: title in notes for name, title in titles.items()} == asked
