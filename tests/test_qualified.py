"""What a link says about itself, from a column of a table to answers and to other tools."""

from __future__ import annotations

import json
import re
from pathlib import Path

import networkx as nx
import pyoxigraph as ox
import pytest

from sightline.cli.main import run

MAP = """
mappings:
  ratings:
    sources: [ratings.csv]
    s: entity:$(user)
    po:
      - p: relation:rated
        o: entity:$(film)~iri
        q: {property:rating: {value: $(stars), format: decimal-comma}, property:label: $(said)}
"""
ROWS = 'user,film,stars,said\nann,solaris,"4,5",a "b"\nbob,solaris,3,\ncid,solaris,,\n'


@pytest.fixture
def workspace(tmp_path: Path) -> str:
    (tmp_path / "m.yaml").write_text(MAP)
    (tmp_path / "ratings.csv").write_text(ROWS)
    name = str(tmp_path / "ws")
    files = [str(tmp_path / "ratings.csv"), "-m", str(tmp_path / "m.yaml")]
    assert run(["ingest", *files, "-w", name]) == 0
    assert run(["compile", "-w", name]) == 0
    return name


def test_answers_show_what_a_link_says_about_itself(
    workspace: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["related", "solaris", "-w", workspace, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)["related"]
    said = {fact["head"]["label"]: fact["qualifiers"] for fact in answer}
    assert [(q["key"], q["value"], q["origin"]["row"]) for q in said["ann"]] == [
        ("property:label", 'a "b"', 2),
        ("property:rating", "4.5", 2),
    ]
    assert [(q["key"], q["value"]) for q in said["bob"]] == [("property:rating", "3")]
    assert said["cid"] == []


@pytest.mark.parametrize("ending", ["nt", "ttl", "nq"])
def test_rdf_annotates_the_links(workspace: str, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out.{ending}"
    assert run(["export", "-f", ending, "-o", str(out), "-w", workspace]) == 0
    store = ox.Store()
    store.load(path=out)
    query = """SELECT ?s ?k ?v { ?n <http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies>
               <<( ?s <urn:sightline:relation:rated> <urn:sightline:entity:solaris> )>> ; ?k ?v
               FILTER(isLiteral(?v)) } ORDER BY ?s ?k"""
    rows = [tuple(term.value.rpartition(":")[2] for term in row) for row in store.query(query)]
    assert rows == [("ann", "label", 'a "b"'), ("ann", "rating", "4.5"), ("bob", "rating", "3")]
    assert len(list(store.query("SELECT * { ?s <urn:sightline:relation:rated> ?o }"))) == 3


def test_graphml_has_them_as_attributes_of_edges(workspace: str, tmp_path: Path) -> None:
    out = tmp_path / "out.graphml"
    assert run(["export", "-f", "graphml", "-o", str(out), "-w", workspace]) == 0
    edges = nx.read_graphml(out).edges(data=True)
    said = {head.rpartition(":")[2]: data for head, _, data in edges}
    assert said["ann"]["rating"] == "4.5"
    assert said["ann"]["label (qualifier)"] == 'a "b"', (
        "the label of an edge is that of its relation"
    )
    assert "rating" not in said["cid"]


def test_a_graph_without_any_is_exported_as_before(tmp_path: Path) -> None:
    workspace, out = str(tmp_path / "ws"), tmp_path / "out.nt"
    (tmp_path / "t.csv").write_text("head,relation,tail\na,r,b\n")
    assert run(["ingest", str(tmp_path / "t.csv"), "-w", workspace]) == 0
    assert run(["export", "-f", "nt", "-o", str(out), "-w", workspace]) == 0
    assert not re.search("reifies|<<", out.read_text())
