"""What is exported loads back as the same graph; what a format has no form for is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from sightline.graph.exchange.export import Format, export
from sightline.graph.reasoning.reason import reason
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import RDFS_LABEL, SKOS, XSD_STRING
from sightline.ingest.load import ingest

#: IRIs of others, labels that formats break on, several values, datatypes and languages, names that
#: programs call nodes by, an ontology, what links say, and a fact that follows.
GRAPH = r"""
@prefix e: <urn:sightline:entity:> . @prefix r: <urn:sightline:relation:> .
@prefix p: <urn:sightline:property:> . @prefix c: <urn:sightline:class:> .
@prefix s: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix k: <http://www.w3.org/2004/02/skos/core#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix w: <http://www.wikidata.org/> .
e:1 a c:Town, w:Q5 , w:Q6 ; s:label "Nor, wick; \"é\"", "  Norwich"@en, "Nor\r\n\twich\u0000"@de ;
  r:near e:2 {| p:since "1999"^^xsd:gYear ; p:by e:3, <x:u> ; p:note "a", "b; c"@en ; p:id 7 |} ;
  r:near e:2 {| p:since "2001"^^xsd:gYear |} ; r:far_from <x:2> ; k:altLabel "N", "[M" ;
  p:size 3, -4, 4.50 ; p:label "l" ; p:name "n" ; p:types "t" ; w:P1 "[\"x\"]" ; w:P9 "big", "2" .
w:Q5 s:label "human; \"being\"" . w:Q6 s:label "Town" . w:P1 s:label "code of it" .
w:P9 s:label "size" . r:near s:label "is near"@en ; owl:inverseOf r:around .
e:2 s:label "=Sud" ; r:near e:3 . e:3 s:label "'=Ost" . e:4 a c:Town . <x:2> s:label "-3" .
w:A a owl:Class ; s:subClassOf w:B . w:B a owl:Class ; s:label "Bee" .
"""
NAMES = {"cytoscape": "g.json"}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("given")
    (folder / "g.ttl").write_text(GRAPH)
    ws = Workspace.create(folder / "ws")
    ingest(ws, [folder / "g.ttl"])
    reason(ws)
    compile_snapshot(ws, rdf=False)
    return ws


def edges(s: Snapshot) -> set[Any]:
    """Those that are stated, each with what every statement says of itself."""
    found = set()
    for i, (h, r, t) in enumerate(zip(s.head, s.relation, s.tail)):
        said: dict[Any, list[Any]] = {}
        for one in s.qualifiers(i):
            values = (s.property_iris[one.property], one.value, one.datatype, one.language)
            said.setdefault(one.origin, []).append(tuple(map(str, values)))
        if not s.edge_inferred[i]:
            about = tuple(sorted(tuple(sorted(values)) for values in said.values()))
            found.add((s.entity_iris[h], s.relation_iris[r], s.entity_iris[t], about))
    return found


def things(s: Snapshot) -> set[Any]:
    """Labels, types and literals of things."""
    found: set[Any] = set()
    for entity, iri in enumerate(s.entity_iris):
        found.add((iri, "called", s.entity_labels[entity]))
        found |= {(iri, "a", s.class_iris[c]) for c in s.types_of(entity)}
        for one in s.attributes(entity):
            found.add((iri, s.property_iris[one.property], one.value, one.datatype, one.language))
    return found


def names(s: Snapshot) -> set[Any]:
    """Labels of relations, types and properties, but for the relation that nothing states."""
    kinds = ("relation", "class", "property")
    found = {
        (kind, iri, label)
        for kind in kinds
        for iri, label in zip(getattr(s, f"{kind}_iris"), getattr(s, f"{kind}_labels"))
    }
    return {one for one in found if not one[1].endswith("around")}


def without_values(found: set[Any]) -> set[Any]:
    return {one[:3] for one in found}


@pytest.mark.parametrize("form", get_args(Format))
def test_every_export_loads_back_as_the_same_graph(
    given: Workspace, tmp_path: Path, form: Format
) -> None:
    source = tmp_path / NAMES.get(form, f"g.{form}")
    (said, *_) = [*export(given, form, source), ""]
    ws = Workspace.create(tmp_path / "ws")
    (result,) = ingest(ws, [source])
    assert result.load.counts.rejected == 0
    before, after = served_snapshot(given), compile_snapshot(ws, rdf=False)
    assert before.edge_inferred.any()
    assert not after.edge_inferred.any()
    if form == "jsonld":
        assert "left out: 7 values that links have of their own" in said
        assert without_values(edges(after)) == without_values(edges(before))
        assert things(after) == things(before)
    elif form in ("csv", "parquet"):
        assert "left out: 4 types of things, 18 texts and numbers of things, 1 things wi" in said
        assert "the datatypes of what edges say of themselves" in said
        assert without_values(edges(after)) == without_values(edges(before))
        called = {one for one in things(before) if one[1] == "called" and one[2] != "4"}
        given_names = {(iri, RDFS_LABEL, label, XSD_STRING, None) for iri, _, label in called}
        assert things(after) == called | given_names
    else:
        assert edges(after) == edges(before)
        assert things(after) == things(before)
        assert names(after) == names(before)
    dropped = any(
        "2 facts that were inferred or extracted are left out" in n.text for n in result.load.notes
    )
    assert dropped == (form not in ("nt", "ttl"))
    assert ("2 inferred facts" in said) == (form in ("nt", "ttl"))
    assert ("statements about relations" in said) == (form in ("graphml", "cytoscape"))


def test_a_label_in_a_table_comes_back_as_it_was(given: Workspace, tmp_path: Path) -> None:
    """A mark against spreadsheets is taken off in CSV, where it was put, and nowhere else."""
    found = []
    for form in ("csv", "parquet"):
        export(given, form, tmp_path / f"g.{form}")  # type: ignore[arg-type]
        ws = Workspace.create(tmp_path / form)
        ingest(ws, [tmp_path / f"g.{form}"])
        s = compile_snapshot(ws, rdf=False)
        found.append(dict(zip(s.entity_iris, s.entity_labels)))
    assert found[0] == found[1]
    assert {"=Sud", "'=Ost", "-3"} <= set(found[0].values())


def test_a_drawing_without_what_its_attributes_mean_is_read_as_any_other(tmp_path: Path) -> None:
    """As where another program saved it again."""
    ws, text = (
        Workspace.create(tmp_path / "ws"),
        '{"data": [["sightline", "{}"]], "elements": {%s}}',
    )
    data = (
        '"nodes": [{"data": {"id": "a", "label": "A", "types": "X; Y"}}, {"data": {"id": "b"}}],'
        '"edges": [{"data": {"source": "a", "target": "b", "relation": "r", "label": "are"}}]'
    )
    (tmp_path / "g.json").write_text(text % data)
    ingest(ws, [tmp_path / "g.json"])
    s = compile_snapshot(ws, rdf=False)
    assert s.class_labels[:] == ["X", "Y"]
    assert s.entity_labels[:] == ["A", "b"]
    assert SKOS not in s.property_iris[:]
