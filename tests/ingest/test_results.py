"""Ontologies as OBO Graphs JSON, and results of SPARQL queries."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from sightline.graph.vocabulary import XSD
from sightline.ingest.errors import SourceError
from sightline.ingest.formats import sparql_results
from tests.ingest.conftest import short, statements, triples

OBO = "http://purl.obolibrary.org/obo/"
ONTOLOGY: dict[str, Any] = {
    "graphs": [
        {
            "id": OBO + "x.json",
            "nodes": [
                {
                    "id": OBO + "X_1",
                    "lbl": "vein",
                    "type": "CLASS",
                    "meta": {
                        "definition": {"val": "A tube."},
                        "synonyms": [{"pred": "hasExactSynonym", "val": "vena"}],
                        "deprecated": True,
                    },
                },
                {"id": "X:2", "lbl": "organ", "type": "CLASS"},
            ],
            "edges": [
                {"sub": OBO + "X_1", "pred": "is_a", "obj": "X:2"},
                {"sub": OBO + "X_1", "pred": OBO + "BFO_0000050", "obj": "X:2"},
            ],
        }
    ]
}


def test_obo_graphs_give_what_their_rdf_would(load: Callable) -> None:
    (result,) = load({"x.json": json.dumps(ONTOLOGY)})
    oio = "http://www.geneontology.org/formats/oboInOwl#"
    owl = "http://www.w3.org/2002/07/owl#"
    assert set(triples(result.load)) == {
        (OBO + "X_1", "rdf:type", owl + "Class"),
        (OBO + "X_1", "rdfs:label", "vein"),
        (OBO + "X_1", OBO + "IAO_0000115", "A tube."),
        (OBO + "X_1", oio + "hasExactSynonym", "vena"),
        (OBO + "X_1", owl + "deprecated", "true"),
        (OBO + "X_2", "rdf:type", owl + "Class"),
        (OBO + "X_2", "rdfs:label", "organ"),
        (OBO + "X_1", "rdfs:subClassOf", OBO + "X_2"),
        (OBO + "X_1", OBO + "BFO_0000050", OBO + "X_2"),
    }


def test_what_obo_graphs_say_and_is_not_kept_or_guessed_is_told(load: Callable) -> None:
    ontology = json.loads(json.dumps(ONTOLOGY))
    (graph,) = ontology["graphs"]
    graph["propertyChainAxioms"] = [{}]
    graph["nodes"][0].setdefault("meta", {})["synonyms"] = [{"val": "v", "xrefs": ["Y:1", "Y:2"]}]
    (result,) = load({"x.json": json.dumps(ontology)})
    said = {note.text: note.warning for note in result.load.notes}
    (left,) = [text for text in said if text.startswith("left out")]
    assert "1 property chains, 2 references of definitions and synonyms" in left
    assert said[left]
    assert any("prefixes X" in text for text in said)


def results(variables: list[str], *rows: tuple[dict[str, str], ...]) -> str:
    bindings = [dict(zip(variables, row)) for row in rows]
    return json.dumps({"head": {"vars": variables}, "results": {"bindings": bindings}})


def uri(name: str) -> dict[str, str]:
    return {"type": "uri", "value": f"http://x.example/{name}"}


def test_a_result_of_statements_is_statements(load: Callable) -> None:
    number = {
        "type": "literal",
        "value": "3",
        "datatype": "http://www.w3.org/2001/XMLSchema#integer",
    }
    rows = ((uri("a"), uri("p"), uri("b")), (uri("a"), uri("n"), number))
    (result,) = load({"r.srj": results(["s", "p", "o"], *rows)})
    x = "http://x.example/"
    assert triples(result.load) == [(x + "a", x + "p", x + "b"), (x + "a", x + "n", "3")]
    assert statements(result.load)["datatype"].to_list() == [None, number["datatype"]]


def test_solutions_that_are_no_statement_are_counted(load: Callable) -> None:
    whole = (uri("a"), uri("p"), uri("b"))
    text = results(["s", "p", "o"], whole, (uri("a"), uri("p")))  # type: ignore[arg-type]
    (result,) = load({"r.srj": text})
    assert len(triples(result.load)) == 1
    (note,) = [note for note in result.load.notes if "left out" in note.text]
    assert note.text.startswith("left out: 1 of 2 solutions, which lack one of s, p, o")
    assert note.warning


def test_other_results_are_a_table_whose_iris_stand(load: Callable) -> None:
    rows = [
        (uri(f"film{i}"), {"type": "literal", "value": f"Film {i}"}, uri(f"person{i % 2}"))
        for i in range(5)
    ]
    (result,) = load({"r.json": results(["film", "filmLabel", "director"], *rows)})
    x = "http://x.example/"
    assert set(triples(result.load)) == {
        *((f"{x}film{i}", "rdfs:label", f"Film {i}") for i in range(5)),
        *((f"{x}film{i}", "relation:director", f"{x}person{i % 2}") for i in range(5)),
    }
    assert any("its film" in note.text for note in result.load.notes)


FILMS = """film,filmLabel,director,directorLabel,length,made
http://x.example/f1,Solaris,http://x.example/p1,Ann,167,1972-03-20T00:00:00Z
http://x.example/f1,Solaris,http://x.example/p2,Bo,167,
"""


def test_a_result_that_a_service_wrote_as_a_table_is_read_as_the_result(load: Callable) -> None:
    lines = [line.split(",") for line in FILMS.splitlines()]
    rows = json.dumps([dict(zip(lines[0], line)) for line in lines[1:]])
    for name, text in (("r.csv", FILMS), ("r.json", rows)):
        (result,) = load({name: text})
        x = "http://x.example/"
        assert set(triples(result.load)) == {
            (f"{x}f1", "rdfs:label", "Solaris"),
            (f"{x}f1", "relation:director", f"{x}p1"),
            (f"{x}f1", "relation:director", f"{x}p2"),
            (f"{x}f1", "property:length", "167"),
            (f"{x}f1", "property:made", "1972-03-20T00:00:00Z"),
            (f"{x}p1", "rdfs:label", "Ann"),
            (f"{x}p2", "rdfs:label", "Bo"),
        }, name
        kinds = statements(result.load).filter(object="167")["datatype"]
        assert {short(kind) for kind in kinds} == {"xsd:integer"}
    plain = "code,place,placeLabel\n1,http://x.example/p,Oslo\n2,http://x.example/p,Oslo\n"
    (result,) = load({"people.csv": plain})
    assert ("entity:person/1", "property:placeLabel", "Oslo") in triples(result.load)


def test_a_month_that_is_not_known_makes_no_day(load: Callable) -> None:
    rows = "".join(f"http://x.example/f{i},F{i},195{i}-00-00\n" for i in range(3))
    (result,) = load({"r.csv": f"film,filmLabel,made\n{rows}"})
    assert ("http://x.example/f1", "property:made", "1951-00-00") in triples(result.load)


def test_literals_of_a_result_keep_their_datatype(load: Callable) -> None:
    day = {"type": "literal", "value": "1972-03-20", "datatype": XSD + "date"}
    text = {"type": "literal", "value": "5", "xml:lang": "en"}
    (result,) = load({"r.json": results(["a", "day", "n"], (uri("x"), day, text))})
    kinds = {short(k) for k in statements(result.load)["datatype"].drop_nulls()}
    assert kinds == {"xsd:date", "xsd:string"}


def test_a_column_of_literals_of_two_datatypes_holds_texts_from_there_on(
    load: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparql_results, "ROWS_PER_BATCH", 1)
    cells = [("1", "integer"), ("1.5", "decimal"), ("2", "integer")]
    literals = ({"type": "literal", "value": v, "datatype": XSD + kind} for v, kind in cells)
    (result,) = load({"r.json": results(["a", "n"], *((uri("x"), one) for one in literals))})
    found = statements(result.load).filter(pl.col("predicate").str.ends_with("n"))
    said = dict(found.select("object", pl.col("datatype").cast(pl.String)).iter_rows())
    assert {v: short(kind) for v, kind in said.items()} == {
        "1": "xsd:integer",
        "1.5": "xsd:string",
        "2": "xsd:string",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (json.dumps(ONTOLOGY)[:-9], "no JSON"),
        (json.dumps(ONTOLOGY).replace("X:2", "a b/c"), "no sound OBO Graphs"),
        (results(["s", "p", "o"], (uri("a"), uri("p"), uri("b")))[:-9], "Unexpected"),
        (results(["a", "b"], (uri("a"), uri("b")))[:-9], "no sound result"),
        (results(["a"], (uri("a b"),)), "no sound result"),
        ('{"head": {}, "boolean": true}', "yes or no"),
    ],
)
def test_bad_documents_are_refused_in_one_line(text: str, reason: str, load: Callable) -> None:
    with pytest.raises(SourceError, match=reason) as error:
        load({"r.json": text})
    assert "\n" not in str(error.value)
