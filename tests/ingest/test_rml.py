"""RML mappings, and what they share with YARRRML: joins, graphs, terms that records tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from sightline.graph.errors import SightlineError
from sightline.graph.record.loads import Load
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import GENID, XSD
from sightline.ingest import columns
from sightline.ingest.errors import MappingError
from sightline.ingest.load import ingest
from tests.ingest.conftest import quarantined, statements, triples

PREFIXES = """
@prefix rml: <http://w3id.org/rml/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix ex: <urn:sightline:> .
"""
SOURCE = 'rml:logicalSource [ rml:source [ rml:path "{}" ]; rml:referenceFormulation rml:{} {} ]'
PEOPLE = "name,city\nAnn,Bern\nBob,Oslo\nCy,Rome\n"
#: One is there twice, and states of itself alone that it is.
CITIES = "key,label,country\nc1,Bern,CH\nc2,Oslo,NO\nc3,Bern,US\nc2,Oslo,Norge\n"
JOINED = f"""{PREFIXES}
<urn:people> {SOURCE.format("people.csv", "CSV", "")} ;
  rml:subjectMap [ rml:template "urn:sightline:{{name}}" ] ;
  rml:predicateObjectMap [ rml:predicate ex:lives ; rml:objectMap [
    rml:parentTriplesMap <urn:cities> ;
    rml:joinCondition [ rml:child "city" ; rml:parent "label" ] ] ] .
<urn:cities> {SOURCE.format("cities.csv", "CSV", "")} ;
  rml:subjectMap [ rml:template "urn:sightline:{{key}}" ] ;
  rml:predicateObjectMap [ rml:predicate ex:in ; rml:objectMap [ rml:reference "country" ] ] .
"""
YARRRML = """
mappings:
  people:
    sources: [people.csv]
    s: urn:sightline:$(name)
    po:
      - p: urn:sightline:lives
        o:
          mapping: cities
          condition: {function: equal, parameters: [[str1, $(city)], [str2, $(label)]]}
  cities:
    sources: [cities.csv]
    s: urn:sightline:$(key)
    po:
      - [urn:sightline:in, $(country)]
"""
LIVES = [("Ann", "lives", "c1"), ("Ann", "lives", "c3"), ("Bob", "lives", "c2")]


def loaded(ws: Workspace, mapping: str, name: str = "m.ttl", **files: str) -> list[Load]:
    folder = ws.path.parent / "raw"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(mapping)
    for file, text in files.items():
        (folder / file.replace("_", ".")).write_text(text)
    return [one.load for one in ingest(ws, [folder], mapping=folder / name)]


def about(format: str, data: str, rest: str) -> str:
    iterator = '; rml:iterator "$[*]"' if format == "JSONPath" else ""
    return f"{PREFIXES}<urn:map> {SOURCE.format(data, format, iterator)} ; {rest} ."


@pytest.mark.parametrize(("mapping", "name"), [(JOINED, "m.ttl"), (YARRRML, "m.yaml")])
def test_records_are_joined_by_any_column_with_every_record_that_agrees(
    workspace: Workspace, mapping: str, name: str
) -> None:
    cities, people = loaded(workspace, mapping, name, people_csv=PEOPLE, cities_csv=CITIES)
    assert sorted(triples(people)) == LIVES
    assert len(triples(cities)) == 4
    # The other table is part of what a load says.
    changed = CITIES.replace("c1,Bern", "c1,Rome")
    again = loaded(workspace, mapping, name, people_csv=PEOPLE, cities_csv=changed)[1]
    assert again.id != people.id
    assert ("Cy", "lives", "c1") in triples(again)


def test_a_join_reads_cells_as_the_mapping_of_the_other_table_does(workspace: Workspace) -> None:
    mapping = """
mappings:
  a:
    sources: [a.csv]
    s: urn:sightline:$(k)
    po:
      - p: urn:sightline:r
        o: {mapping: b, condition: {function: equal, parameters: [[str1, $(v)], [str2, $(w)]]}}
  b:
    sources: [b.csv]
    s: urn:sightline:$(n)
    floats: [w]
    null: ["-"]
    po: [[urn:sightline:x, $(x)]]
"""
    data = {"a_csv": "k,v\n1,17\n2,-\n", "b_csv": "n,w,x\nm,17.0,1\no,-,2\n"}
    assert triples(loaded(workspace, mapping, "m.yaml", **data)[0]) == [("1", "r", "m")]


def test_what_an_iri_escapes_is_said_by_its_term_type(workspace: Workspace) -> None:
    rest = "".join(
        f"""rml:predicateObjectMap [ rml:predicate ex:{kind} ; rml:objectMap [
        rml:template "urn:sightline:{{k}}" ; rml:termType rml:{kind} ] ] ; """
        for kind in ("IRI", "URI", "UnsafeIRI")
    )
    mapping = about("CSV", "d.csv", f"rml:subject <urn:a> ; {rest}")
    (load,) = loaded(workspace, mapping, d_csv="k\nZoë/X\nE Smith\n")
    assert {(p, o) for _, p, o in triples(load)} == {
        ("IRI", "Zoë%2FX"),
        ("URI", "Zo%C3%AB%2FX"),
        ("UnsafeIRI", "Zoë/X"),
        ("IRI", "E%20Smith"),
        ("URI", "E%20Smith"),
    }
    aside = quarantined(workspace, load, values=True)
    assert [reason for _, reason, _ in aside] == ["column 'k': 'urn:sightline:E Smith' is no IRI"]


def test_a_join_needs_its_other_table(workspace: Workspace) -> None:
    with pytest.raises(MappingError, match=r"no source is cities\.csv"):
        loaded(workspace, JOINED, people_csv=PEOPLE)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("[str2, $(label)]", "[str3, $(label)]", "compares [str1, $(here)] with [str2, $(there)]"),
        ("function: equal", "function: near", "'near'; only `equal` is known"),
        ("mapping: cities", "mapping: citys", "there is no mapping 'citys'; nearest: cities"),
    ],
)
def test_a_join_that_cannot_be_read_says_what_is_wrong(
    workspace: Workspace, old: str, new: str, why: str
) -> None:
    with pytest.raises(MappingError) as error:
        loaded(workspace, YARRRML.replace(old, new), "m.yaml", people_csv=PEOPLE, cities_csv=CITIES)
    assert why in str(error.value)


def test_a_join_of_too_many_is_refused_with_its_number(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "MOST_JOINED", 2)
    with pytest.raises(SightlineError, match="gives 3 statements"):
        loaded(workspace, JOINED, people_csv=PEOPLE, cities_csv=CITIES)


def test_the_mapping_beside_its_data_is_not_data(workspace: Workspace) -> None:
    folder = workspace.path.parent / "raw"
    folder.mkdir()
    rest = 'rml:subject <urn:a> ; rml:predicateObjectMap [ rml:predicate ex:p ; rml:object "x" ]'
    (folder / "m.ttl").write_text(about("CSV", "people.csv", rest))
    (folder / "people.csv").write_text(PEOPLE)
    said: list[str] = []
    (only,) = ingest(workspace, [folder], mapping=folder / "m.ttl", say=said.append)
    assert only.load.source == "people.csv"
    assert said == ["passed over: m.ttl (it is the mapping)"]


def test_values_of_json_have_the_datatype_that_they_have_there(workspace: Workspace) -> None:
    rest = 'rml:subjectMap [ rml:template "urn:sightline:{$.k}" ] ; ' + " ".join(
        f'rml:predicateObjectMap [ rml:predicate ex:{p} ; rml:objectMap [ rml:reference "{r}" ] ] ;'
        for p, r in (("n", "$.n"), ("list", "$.list[*]"), ("in", "$.in.b"))
    )
    data = (
        '[{"k": "a", "n": 30, "list": ["30", 3.5, true], "in": {"b": false}}, {"k": 7, "n": "3"}]'
    )
    (load,) = loaded(workspace, about("JSONPath", "d.json", rest), d_json=data)
    rows = statements(load).select("predicate", "object", "datatype").rows()
    assert {(p[14:], o, d.removeprefix(XSD)) for p, o, d in rows} == {
        ("n", "30", "integer"),
        ("n", "3", "string"),
        ("list", "30", "string"),
        ("list", "3.5", "double"),
        ("list", "true", "boolean"),
        ("in", "false", "boolean"),
    }


def test_records_tell_datatypes_languages_and_graphs(workspace: Workspace) -> None:
    rest = """rml:subjectMap [ rml:template "urn:sightline:{k}" ;
        rml:graphMap [ rml:template "urn:sightline:g{k}" ] ] ;
      rml:predicateObjectMap [ rml:predicate ex:v ; rml:objectMap [ rml:reference "v" ;
        rml:datatypeMap [ rml:template "http://www.w3.org/2001/XMLSchema#{d}" ] ] ] ;
      rml:predicateObjectMap [ rml:predicate ex:t ; rml:objectMap [ rml:reference "t" ;
        rml:languageMap [ rml:reference "l" ] ] ; rml:graph rml:defaultGraph ] """
    data = "k,v,d,t,l\n1,5,integer,five,en\n2,x,integer,cinq,french\n3,x,string,,\n"
    (load,) = loaded(workspace, about("CSV", "d.csv", rest), d_csv=data)
    names = ("predicate", "object", "datatype", "language", "graph")
    found = statements(load)[names].rows()
    rows = [[str(x).removeprefix("urn:sightline:") for x in row] for row in found]
    assert sorted(rows) == [
        ["t", "five", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "en", "None"],
        ["t", "five", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "en", "g1"],
        ["v", "5", XSD + "integer", "None", "g1"],
        ["v", "x", XSD + "string", "None", "g3"],
    ]
    aside = {(line, reason) for line, reason, _ in quarantined(workspace, load, values=True)}
    assert aside == {
        (3, "column 'v': 'x' is no integer"),
        (3, "column 'l': 'french' is no language"),
    }


def test_blank_nodes_are_one_in_all_sources_of_a_mapping(workspace: Workspace) -> None:
    table = """<urn:{0}> {1} ;
      rml:subjectMap [ rml:template "b {{k}}" ; rml:termType rml:BlankNode ] ;
      rml:predicateObjectMap [ rml:predicate ex:{0} ; rml:objectMap [ rml:reference "v" ] ] ."""
    mapping = PREFIXES + "".join(
        table.format(name, SOURCE.format(f"{name}.csv", "CSV", "")) for name in "ab"
    )
    data = "k,v\nSt. Gallen~%,1\nx,2\n"
    one, other = loaded(workspace, mapping, a_csv=data, b_csv=data)
    nodes = [s for s, _, _ in triples(one)]
    assert nodes == [s for s, _, _ in triples(other)]
    assert len(set(nodes)) == 2
    # What stands in a label is nothing that an RDF file could not hold.
    snapshot = compile_snapshot(workspace)
    assert sum(iri.startswith(GENID) for iri in snapshot.entity_iris) == 2


def test_nameless_records_of_json_can_be_compiled(workspace: Workspace) -> None:
    mapping = """
mappings:
  a:
    sources: [[d.json, "$.a[*]"]]
    s: $(#record)
    po: [[relation:r, "entity:$(y)~iri"]]
"""
    loaded(workspace, mapping, "m.yaml", d_json='{"a": [{"y": "k"}, {"y": "m"}]}')
    assert compile_snapshot(workspace).num_edges == 2


def test_several_values_make_several_subjects(workspace: Workspace) -> None:
    rest = """rml:subjectMap [ rml:template "urn:sightline:{$.k[*]}" ] ;
      rml:predicateObjectMap [ rml:predicate ex:p ; rml:objectMap [ rml:reference "$.v[*]" ] ]"""
    data = '[{"k": ["a", "b"], "v": ["x", "y"]}, {"v": ["z"]}]'
    (load,) = loaded(workspace, about("JSONPath", "d.json", rest), d_json=data)
    assert sorted(triples(load)) == [(s, "p", o) for s in "ab" for o in "xy"]
    assert [line for line, _, _ in quarantined(workspace, load)] == [2]


def test_statements_are_made_in_the_graphs_of_the_mapping_and_of_the_predicate(
    workspace: Workspace,
) -> None:
    mapping = """
mappings:
  a:
    sources: [d.csv]
    s: urn:sightline:$(k)
    graphs: urn:sightline:one
    po:
      - [urn:sightline:p, $(v)]
      - {p: urn:sightline:q, o: $(v), graphs: "urn:sightline:of_$(v)"}
"""
    (load,) = loaded(workspace, mapping, "m.yaml", d_csv="k,v\na,x\n")
    said = statements(load).select("predicate", "graph").rows()
    assert sorted((p[14:], g[14:]) for p, g in said) == [("p", "one"), ("q", "of_x"), ("q", "one")]


def test_a_relative_iri_has_the_base_of_the_file(workspace: Workspace) -> None:
    rest = """rml:subjectMap [ rml:template "{k}" ] ;
      rml:predicateObjectMap [ rml:predicate ex:p ; rml:objectMap [ rml:reference "v" ;
        rml:termType rml:IRI ] ]"""
    mapping = "@base <urn:sightline:base/> ." + about("CSV", "d.csv", rest)
    (load,) = loaded(workspace, mapping, d_csv="k,v\na,b\n")
    assert triples(load) == [("base/a", "p", "base/b")]


def test_a_relative_iri_has_the_base_of_its_map(workspace: Workspace) -> None:
    rest = """rml:baseIRI <urn:sightline:> ; rml:subjectMap [ rml:reference "k" ] ;
      rml:predicateObjectMap [ rml:predicate ex:p ; rml:object "x" ]"""
    (load,) = loaded(workspace, about("CSV", "d.csv", rest), d_csv="k,v\na,1\nurn:b,2\nc d,3\n")
    assert [s for s, _, _ in triples(load)] == ["a", "urn:b"]
    assert [reason for _, reason, _ in quarantined(workspace, load)] == [
        "'urn:sightline:c d' is no IRI"
    ]


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ("rml:subjectMap [ rml:functionExecution <urn:f> ]", "functionExecution> is not supported"),
        ('rml:subjectMap [ rml:template "urn:{k" ]', "has no end"),
        ('rml:subjectMap [ rml:template "urn:}k" ]', "has a } without its other half"),
        ('rml:subjectMap [ rml:reference "k" ; rml:template "urn:{k}" ]', "and has template"),
        ('rml:subjectMap [ rml:reference "k" ; rml:termType rml:Literal ]', "cannot be a literal"),
        ("rml:subjectMap [ ]", "needs a template, a reference or a constant"),
        ("rml:subject <urn:a>, <urn:b>", "it has 2 subject maps"),
        ('rml:subjectMap [ rml:reference "nope" ]', "has no column 'nope'"),
        ("rml:subject <urn:a> ; rml:predicateObjectMap [ rml:predicate ex:p ]", "and an object"),
        (
            "rml:subject <urn:a> ; rml:predicateObjectMap [ rml:predicate ex:p ; rml:objectMap "
            '[ rml:reference "v" ; rml:language "english" ] ]',
            "'english' is no language",
        ),
    ],
)
def test_what_is_wrong_or_not_read_is_named(workspace: Workspace, rest: str, why: str) -> None:
    with pytest.raises(SightlineError) as error:
        loaded(workspace, about("CSV", "d.csv", rest), d_csv="k,v\na,1\n")
    assert why in str(error.value)
    assert "map" in str(error.value)


@pytest.mark.parametrize("text", ["<urn:a> <urn:b> <urn:c> .", "<urn:a> <urn:b>", ""])
def test_what_is_no_mapping_is_said(tmp_path: Path, workspace: Workspace, text: str) -> None:
    with pytest.raises(MappingError, match=r"no Turtle|holds no rml:TriplesMap"):
        loaded(workspace, text, d_csv="k,v\na,1\n")
