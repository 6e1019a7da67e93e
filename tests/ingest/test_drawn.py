"""Graphs of programs that draw, and what Sightline itself exports."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sightline.ingest.errors import SourceError
from tests.ingest.conftest import remarks, triples

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
    assert [value for _, value, _ in remarks(result.load)[-1]] == ["3"]
    assert any("no direction" in note.text for note in result.load.notes)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GRAPHML[:-30], "line 8: no XML"),
        (GRAPHML.replace("<node", "<n>" * 120, 1), "nested more than 100 deep"),
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
    assert [value for _, value, _ in remarks(result.load)[-1]] == ["1999"]
    assert any("called related_to" in note.text for note in result.load.notes)


GEXF = """<?xml version="1.0"?>
<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz" version="1.3">
<graph defaultedgetype="directed">
<attributes class="node"><attribute id="0" title="kind" type="string"/>
<attribute id="1" title="fee" type="string"><default>none</default></attribute></attributes>
<attributes class="edge"><attribute id="0" title="since" type="integer"/></attributes>
<nodes><node id="n1" label="Ann"><viz:color r="1"/>
<attvalues><attvalue for="0" value="Cook"/><attvalue for="1" value="5"/></attvalues>
<nodes><node id="n2" label="Bo"/></nodes></node></nodes>
<edges><edge id="0" source="n1" target="n2" type="directed" label="knows" weight="2">
<attvalues><attvalue for="0" value="1999"/></attvalues></edge>
<edge id="1" source="n2" target="n1"/></edges></graph></gexf>"""


@pytest.mark.parametrize("name", ["g.gexf", "g.xml", "g"])
def test_gexf_gives_what_nodes_and_edges_declare(name: str, load: Callable) -> None:
    (result,) = load({name: GEXF})
    assert set(triples(result.load)) == {
        ("entity:n1", "rdfs:label", "Ann"),
        ("entity:n1", "rdf:type", "class:Cook"),
        ("entity:n1", "property:fee", "5"),
        ("entity:n2", "rdfs:label", "Bo"),
        ("entity:n2", "property:fee", "none"),
        ("entity:n1", "relation:knows", "entity:n2"),
        ("entity:n2", "relation:related_to", "entity:n1"),
    }
    said = dict(zip([p for _, p, _ in triples(result.load)], remarks(result.load)))
    assert sorted(value for _, value, _ in said["relation:knows"]) == ["1999", "2"]
    notes = [note.text for note in result.load.notes]
    assert "1 edges do not say how they relate and are called related_to" in notes
    assert "the ids of its edges (id) are left out" in notes
    assert "how 1 nodes are drawn (colour, size, place) is left out" in notes


HETIONET = {
    "metanode_kinds": ["Gene", "Compound"],
    "nodes": [
        {"kind": "Gene", "identifier": 9, "name": "SLN", "data": {"chromosome": "11"}},
        {"kind": "Compound", "identifier": "DB1", "name": "Zinc", "data": {}},
    ],
    "edges": [
        {
            "source_id": ["Compound", "DB1"],
            "target_id": ["Gene", 9],
            "kind": "binds",
            "direction": "both",
            "data": {"source": "DrugBank"},
        },
        {
            "source_id": ["Gene", 9],
            "target_id": ["Compound", "DB1"],
            "kind": "hides",
            "direction": "backward",
            "data": {},
        },
    ],
}


def test_hetionet_is_called_as_in_its_tables_and_keeps_its_data(load: Callable) -> None:
    (result,) = load({"h.json": json.dumps(HETIONET)})
    gene, zinc = "entity:Gene%3A%3A9", "entity:Compound%3A%3ADB1"
    assert set(triples(result.load)) == {
        (gene, "rdf:type", "class:Gene"),
        (gene, "rdfs:label", "SLN"),
        (gene, "property:chromosome", "11"),
        (zinc, "rdf:type", "class:Compound"),
        (zinc, "rdfs:label", "Zinc"),
        (zinc, "relation:binds", gene),
        (zinc, "relation:hides", gene),
    }
    said = zip([p for _, p, _ in triples(result.load)], remarks(result.load))
    values = [[value for _, value, _ in row] for p, row in said if p == "relation:binds"]
    assert values == [["DrugBank"]]
    assert any("1 edges go both ways" in note.text for note in result.load.notes)
