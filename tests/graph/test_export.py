"""What is exported is what was loaded, and other tools read it."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path

import networkx as nx
import polars as pl
import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph.exchange import export as module
from sightline.graph.exchange.drawing import graphml
from sightline.graph.exchange.export import export
from sightline.graph.exchange.spreadsheet import without_formulas
from sightline.graph.exchange.views import to_networkx
from sightline.graph.reasoning.reason import reason
from sightline.graph.record.errors import NothingLoaded
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.errors import NothingCompiled
from sightline.graph.snapshot.reader import served_snapshot
from sightline.graph.storage.errors import NotWritable
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import GENID, INFERRED_GRAPH, OWL, RDF, XSD
from tests.graph.conftest import BASE, add_load, canonical, fact, label, literal, typed

TEXTS = ['say "hi"\\\n\r\tto é 日本 𝄞', "", " ", "\x08\x7f\x85\u2028", "=1+1", "]]>&<"]
nodes = st.sampled_from([f"{BASE}entity:{n}" for n in "ab"] + [f"{GENID}0123456789abcdef:b1"])
literals = st.tuples(
    st.sampled_from(TEXTS),
    st.sampled_from([(XSD + "string", None), (XSD + "integer", None), (RDF + "langString", "de")]),
)
#: As many people's keyboards write them, and what moves a formula into a cell of its own.
FORMULA_STARTS = [*"=+-@\t\r\n\0＝＋－＠"]
statements = st.builds(
    lambda s, p, o, g: {
        "subject": s,
        "predicate": f"{BASE}relation:{p}",
        "graph": g,
        "row": 1,
        **(
            {"object": o}
            if isinstance(o, str)
            else {"object": o[0], "datatype": o[1][0], "language": o[1][1]}
        ),
    },
    nodes,
    st.sampled_from("rs"),
    nodes | literals,
    st.sampled_from([None, "urn:g:1", f"{GENID}0123456789abcdef:g"]),
)


def quads_of(rows: list[dict[str, object]], graphs: bool = True) -> set[ox.Quad]:
    """The same statements, made without the exporter."""
    found = set()
    for row in rows:
        value, datatype, language = (row.get(c) for c in ("object", "datatype", "language"))
        if language:
            target = ox.Literal(value, language=language)
        elif datatype:
            target = ox.Literal(value, datatype=ox.NamedNode(datatype))
        else:
            target = node(value)
        graph = node(row["graph"]) if row.get("graph") and graphs else ox.DefaultGraph()
        found.add(ox.Quad(node(row["subject"]), ox.NamedNode(row["predicate"]), target, graph))
    return canonical(found)


def node(name: object) -> ox.NamedNode | ox.BlankNode:
    text = str(name)
    return ox.BlankNode(text[-2:].strip(":")) if text.startswith(GENID) else ox.NamedNode(text)


@settings(max_examples=40)
@given(st.lists(statements, min_size=1, max_size=8))
def test_rdf_comes_out_as_it_was_loaded(rows: list[dict[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ws, target = Workspace.create(Path(folder) / "ws"), Path(folder) / "out"
        add_load(ws, rows)
        for name, kind, graphs in (
            ("nq", ox.RdfFormat.N_QUADS, True),
            ("nt", ox.RdfFormat.N_TRIPLES, False),
            ("ttl", ox.RdfFormat.TURTLE, False),
            ("jsonld", ox.RdfFormat.JSON_LD, True),
        ):
            export(ws, name, target)  # type: ignore[arg-type]
            found = canonical(set(ox.parse(target.read_bytes(), format=kind)))
            assert found == quads_of(rows, graphs)


ROWS = [
    fact(("a", "r", "b"), 1),
    fact(("b", "=cmd", "c"), 2),
    label("a", "=SUM(A1)"),
    label("b", "x\x00<b>&"),
    literal("a", f"{BASE}property:size", "3", datatype=XSD + "integer"),
    literal("a", f"{BASE}property:size", "-4", datatype=XSD + "integer"),
    typed("a", "X"),
    typed("a", "Y"),
    {
        "subject": f"{BASE}relation:r",
        "predicate": OWL + "inverseOf",
        "object": f"{BASE}relation:of",
        "row": 3,
    },
]
A, B, C = (f"{BASE}entity:{n}" for n in "abc")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A graph with hostile labels, one inferred fact, and a fact held out."""
    ws = Workspace.create(tmp_path / "ws")
    add_load(ws, ROWS)
    add_load(ws, [fact(("a", "r", "b"), 7)], name="b")
    add_load(ws, [fact(("c", "r", "a"))], role="test", name="t")
    reason(ws)
    compile_snapshot(ws, rdf=False)
    return ws


def exported(workspace: Workspace, format: str) -> Path:
    target = workspace.path / f"out.{format}"
    export(workspace, format, target)  # type: ignore[arg-type]
    return target


def test_inferred_facts_have_their_graph_or_are_left_out(workspace: Workspace) -> None:
    quads = list(ox.parse(path=exported(workspace, "nq"), format=ox.RdfFormat.N_QUADS))
    inferred = [q for q in quads if q.graph_name == ox.NamedNode(INFERRED_GRAPH)]
    assert [(q.subject.value, q.object.value) for q in inferred] == [(B, A)]
    for name in ("nt", "ttl"):
        assert f"{BASE}relation:of> <{A}>" not in exported(workspace, name).read_text()
    assert not any(q.subject.value == C for q in quads), "a fact held out was exported"


@pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning:rdflib")
def test_rdflib_reads_json_ld_and_turtle(workspace: Workspace) -> None:
    data = rdflib.Dataset()
    data.parse(data=exported(workspace, "jsonld").read_text(), format="json-ld")
    assert len(data.graph(rdflib.URIRef(INFERRED_GRAPH))) == 1
    size = rdflib.URIRef(f"{BASE}property:size")
    assert {int(o) for o in data.objects(rdflib.URIRef(A), size)} == {3, -4}
    turtle = exported(workspace, "ttl")
    assert "@prefix entity: <urn:sightline:entity:>" in turtle.read_text()
    assert (None, size, None) in rdflib.Graph().parse(turtle, format="turtle")


def test_networkx_reads_graphml(workspace: Workspace) -> None:
    graph = nx.read_graphml(exported(workspace, "graphml"), force_multigraph=True)
    assert graph.nodes[A] == {
        "label": "=SUM(A1)",
        "types": "X; Y",
        "size": "-4; 3",
        "label (attribute)": "=SUM(A1)",
    }
    assert graph.nodes[B]["label"] == "x\ufffd<b>&"
    edges = {(u, v, d["label"], d["inferred"]) for u, v, d in graph.edges(data=True)}
    assert edges == {(A, B, "r", False), (B, C, "=cmd", False), (B, A, "of", True)}


def test_cytoscape_json_names_nodes_and_edges(workspace: Workspace) -> None:
    found = json.loads(exported(workspace, "cytoscape").read_bytes())["elements"]
    names = {n["data"]["id"]: n["data"]["name"] for n in found["nodes"]}
    assert names[A] == "=SUM(A1)"
    assert {(e["data"]["source"], e["data"]["target"]) for e in found["edges"]} == {
        (A, B),
        (B, C),
        (B, A),
    }


def test_tables_name_both_ends_and_every_source(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    table = pl.read_parquet(exported(workspace, "parquet"))
    rows = table.select("head", "head_label", "relation_label", "tail", "inferred").rows()
    assert sorted(rows) == [
        (A, "=SUM(A1)", "r", B, False),
        (B, "x\x00<b>&", "=cmd", C, False),
        (B, "x\x00<b>&", "of", A, True),
    ]
    assert sorted(set(s.split("; ")) for s in table["sources"]) == sorted(
        [{"a.csv:1", "b.csv:7"}, {"a.csv:2"}, {f"{INFERRED_GRAPH}:1"}]
    )
    with exported(workspace, "csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == 3
    assert [line["relation_label"] for line in lines if line["head"] == B] == ["'=cmd", "of"]
    assert lines[0]["head_label"] == "'=SUM(A1)"


@pytest.mark.parametrize("first", FORMULA_STARTS)
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(first: str) -> None:
    frame = pl.DataFrame({"text": [f"{first}1", f"a{first}1", None], "number": [-1, 0, 1]})
    stream = io.StringIO(newline="")
    frame.with_columns(without_formulas(frame.schema)).write_csv(stream)
    stream.seek(0)
    cells = [(line["text"], line["number"]) for line in csv.DictReader(stream)]
    assert cells == [(f"'{first}1", "-1"), (f"a{first}1", "0"), ("", "1")]


def test_graphml_holds_no_character_that_xml_forbids() -> None:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_node("a", label="a\x00\x0b\ufffe&<b\n")
    read = nx.read_graphml(io.BytesIO(graphml(graph)))
    assert read.nodes["a"]["label"] == "a\ufffd\ufffd\ufffd&<b\n"


def test_an_export_that_fails_leaves_no_file(tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(NotWritable):
        export(workspace, "nt", tmp_path / "missing" / "out.nt")
    (tmp_path / "folder").mkdir()
    with pytest.raises(NotWritable):
        export(workspace, "csv", tmp_path / "folder")
    empty = Workspace.create(tmp_path / "empty")
    with pytest.raises(NothingLoaded):
        export(empty, "ttl", tmp_path / "out")
    with pytest.raises(NothingCompiled):
        export(empty, "csv", tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "folder", "ws"]


def test_networkx_marks_what_was_inferred(workspace: Workspace) -> None:
    graph = to_networkx(served_snapshot(workspace))
    assert [(u, v) for u, v, d in graph.edges(data=True) if d["inferred"]] == [(B, A)]
