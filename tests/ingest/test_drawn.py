"""Graphs of programs that draw, and what Sightline itself exports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sightline.graph.exchange.export import Format, export
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.errors import SourceError
from sightline.ingest.load import ingest
from tests.ingest.conftest import statements, triples

TOWNS = """@prefix e: <urn:sightline:entity:> . @prefix r: <urn:sightline:relation:> .
@prefix c: <urn:sightline:class:> . @prefix s: <http://www.w3.org/2000/01/rdf-schema#> .
e:1 a c:Town, c:Port ; s:label "Nor, wick; \\"é\\"" ; r:near e:2 ; r:far_from e:2 .
e:2 s:label "Sud" ; r:near e:3 . e:3 s:label "Ost" ."""


def edges_and_names(snapshot: Snapshot) -> tuple[set[tuple[str, str, str]], dict[str, str]]:
    s = snapshot
    edges = {
        (s.entity_iris[h], s.relation_iris[r], s.entity_iris[t])
        for h, r, t in zip(s.head, s.relation, s.tail)
    }
    return edges, dict(zip(s.entity_iris[:], s.entity_labels[:]))


@pytest.mark.parametrize(
    ("form", "name"),
    [
        *(("graphml", "g.graphml"), ("cytoscape", "g.json"), ("csv", "g.csv")),
        *(("parquet", "g.parquet"), ("nt", "g.nt"), ("ttl", "g.ttl"), ("nq", "g.nq")),
    ],
)
def test_what_is_exported_loads_back(form: Format, name: str, tmp_path: Path) -> None:
    found = []
    source = tmp_path / "towns.ttl"
    source.write_text(TOWNS)
    for folder in ("one", "two"):
        ws = Workspace.create(tmp_path / folder)
        ingest(ws, [source])
        compile_snapshot(ws)
        found.append(edges_and_names(served_snapshot(ws)))
        source = tmp_path / name
        export(ws, form, source)
    assert found[0] == found[1]
    assert len(found[0][0]) == 3


GRAPHML = """<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="k0" for="node" attr.name="label"/><key id="k1" for="node" attr.name="types"/>
<key id="k2" for="edge" attr.name="kind"/><key id="k3" for="edge" attr.name="weight"/>
<graph edgedefault="EDGES">
<node id="n1"><data key="k0">Ann</data><data key="k1">Cook; Baker</data></node>
<edge source="n1" target="n2"><data key="k2">knows</data><data key="k3">3</data></edge>
<node id="n2"/></graph></graphml>"""


def test_graphml_gives_nodes_edges_and_what_they_say(load: Callable) -> None:
    (result,) = load({"g.graphml": GRAPHML.replace("EDGES", "undirected")})
    assert triples(result.load) == [
        ("entity:n1", "rdfs:label", "Ann"),
        ("entity:n1", "rdf:type", "class:Cook"),
        ("entity:n1", "rdf:type", "class:Baker"),
        ("entity:n1", "relation:knows", "entity:n2"),
    ]
    assert statements(result.load)["qualifier_values"].to_list()[-1] == ["3"]
    assert any("no direction" in note.text for note in result.load.notes)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GRAPHML[:-30], "line 8: no XML"),
        ('<!DOCTYPE g [<!ENTITY a "aaaa">]><graphml><graph/></graphml>', "can hide a bomb"),
        ("<graphml><graph/></graphml>", "holds no record"),
    ],
)
def test_bad_graphml_is_refused_in_one_line(text: str, reason: str, load: Callable) -> None:
    with pytest.raises(SourceError, match=reason) as error:
        load({"g.graphml": text})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("links", ["edges", "links"])
def test_node_link_json_of_networkx_is_a_graph(links: str, load: Callable) -> None:
    document: dict[str, Any] = {"directed": True, "nodes": [{"id": 1, "name": "Ann"}, {"id": 2}]}
    document[links] = [{"source": 1, "target": 2, "since": 1999, "key": 0}]
    (result,) = load({"g.json": json.dumps(document)})
    assert triples(result.load) == [
        ("entity:1", "rdfs:label", "Ann"),
        ("entity:1", "relation:related_to", "entity:2"),
    ]
    assert statements(result.load)["qualifier_values"].to_list()[-1] == ["1999"]
    assert any("called related_to" in note.text for note in result.load.notes)
