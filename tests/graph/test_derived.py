"""Ontologies, lists and schema.org as a graph that people can use; the record stays what it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest

PREFIXES = """
@prefix : <http://x.example/> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix oio: <http://www.geneontology.org/formats/oboInOwl#> .
@prefix h: <http://schema.org/> . @prefix s: <https://schema.org/> .
"""


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Snapshot]:
    def run(turtle: str, settings: str = "") -> Snapshot:
        (tmp_path / "a.ttl").write_text(PREFIXES + turtle)
        workspace = Workspace.create(tmp_path / "ws")
        if settings:
            (workspace.path / "sightline.toml").write_text(settings)
            workspace = Workspace.open(workspace.path)
        ingest(workspace, [tmp_path / "a.ttl"])
        return compile_snapshot(workspace)

    return run


def edges(s: Snapshot) -> set[tuple[str, str, str]]:
    return {
        (s.entity_labels[h], s.relation_labels[r], s.entity_labels[t]) for h, r, t in s.triples()
    }


ONTOLOGY = """
:part_of a owl:ObjectProperty ; rdfs:label "part of" .
:Organ a owl:Class ; rdfs:label "organ" .
:Body a owl:Class ; rdfs:label "body" ; oio:hasExactSynonym "soma" .
:Heart a owl:Class ; rdfs:label "heart" ; rdfs:subClassOf :Organ, owl:Thing, :Unknown,
    [ a owl:Restriction ; owl:onProperty :part_of ; owl:someValuesFrom :Body ] ,
    [ a owl:Restriction ; owl:onProperty :no_part_of ; owl:allValuesFrom :Body ] .
[] a owl:Axiom ; owl:annotatedSource :Heart ; owl:annotatedProperty rdfs:subClassOf ;
    owl:annotatedTarget :Organ ; oio:hasDbXref "X:1" .
:Ventricle a owl:Class ; rdfs:label "ventricle" ; owl:equivalentClass [ owl:intersectionOf (
    :Organ [ a owl:Restriction ; owl:onProperty :part_of ; owl:someValuesFrom :Heart ] ) ] .
:Old a owl:Class ; rdfs:label "obsolete organ" ; owl:deprecated true .
"""


def test_classes_of_an_ontology_are_linked_by_what_defines_them(compiled: Callable) -> None:
    s = compiled(ONTOLOGY)
    assert edges(s) == {
        ("heart", "subClassOf", "organ"),
        ("heart", "part of", "body"),
        ("ventricle", "subClassOf", "organ"),
        ("ventricle", "part of", "heart"),
    }
    # Nothing is one of them, so a class without an edge is a thing, too.
    assert set(s.entity_labels) == {"body", "heart", "obsolete organ", "organ", "ventricle"}
    assert s.resolve_entity("soma") == s.resolve_entity("body")
    heart = s.resolve_entity("heart")
    assert all(o.source == "a.ttl" for e in range(s.num_edges) for o in s.origins(e))
    assert s.degree[heart] == 3


def test_an_edge_of_a_definition_is_left_out_where_its_relation_is(compiled: Callable) -> None:
    s = compiled(ONTOLOGY, '[graph]\nignored_relations = ["rdfs:subClassOf"]')
    assert {relation for _, relation, _ in edges(s)} == {"part of"}


def test_classes_that_only_type_things_stay_out_of_the_graph(compiled: Callable) -> None:
    s = compiled("""
        :Film a owl:Class ; rdfs:label "film" . :Work rdfs:label "work" .
        :Short rdfs:subClassOf :Film .
        :a a :Film ; :by :b . :b a :Person .
    """)
    assert edges(s) == {("a", "by", "b")}
    assert set(s.entity_labels) == {"a", "b", "work"}
    assert s.class_labels.take(s.types_of(s.resolve_entity("a"))) == ["film"]


@pytest.mark.parametrize(
    "authors",
    [
        "( :b :c )",
        "( ( :b ) ( :c ) )",
        "[ a rdf:Seq ; rdf:_1 :b ; rdf:_2 :c ]",
        "[ a rdf:Bag ; rdf:_1 :b ; rdf:_2 :c ]",
        "[ rdf:first :b ; rdf:rest [ rdf:first :c ; rdf:rest () ] ]",
    ],
)
def test_members_of_a_list_are_linked_directly(compiled: Callable, authors: str) -> None:
    s = compiled(f":a :by {authors} .")
    assert edges(s) == {("a", "by", "b"), ("a", "by", "c")}
    assert set(s.entity_labels) == {"a", "b", "c"}


def test_a_list_of_many_keeps_all_and_texts_become_attributes(compiled: Callable) -> None:
    many = " ".join(f":m{i}" for i in range(1000))
    s = compiled(f':a :by ( {many} "someone else" ) ; :none () .')
    assert len(edges(s)) == 1000
    (text,) = s.attributes(s.resolve_entity("a"))
    assert (s.property_labels[text.property], text.value) == ("by", "someone else")


def test_a_list_that_bites_its_tail_ends(compiled: Callable) -> None:
    s = compiled(":a :by _:x . _:x rdf:first :b ; rdf:rest _:y . _:y rdf:first :c ; rdf:rest _:x .")
    assert s.num_edges <= 2


def test_broader_and_narrower_say_the_same(compiled: Callable) -> None:
    s = compiled(""":a skos:prefLabel "cat"; skos:altLabel "puss"; skos:broader :b; skos:related :c.
                    :b skos:prefLabel "animal" ; skos:narrower :a . :c skos:prefLabel "dog" .""")
    assert s.degree[s.resolve_entity("puss")] == 2
    assert s.num_edges == 3


def test_schema_org_has_one_name_in_the_graph_and_keeps_two_in_the_record(
    compiled: Callable, tmp_path: Path
) -> None:
    s = compiled("""
        :a a h:Person ; h:name "Ada" ; h:knows :b ; h:alternateName "Addie" .
        :b a s:Person ; s:name "Ben" ; s:knows :a ; s:jobTitle "http://schema.org/x" .
    """)
    assert len(s.relation_iris) == len(s.class_iris) == 1
    assert s.resolve_entity("Addie") == s.resolve_entity("Ada")
    assert s.resolve_relation("http://schema.org/knows") == s.resolve_relation("schema:knows")
    (title,) = (x.value for x in s.attributes(s.resolve_entity("Ben")) if "http:" in x.value)
    assert title == "http://schema.org/x"
    store = ox.Store.read_only(str(s.folder / "rdf"))
    knows = {q.predicate.value for q in store if q.predicate.value.endswith("knows")}
    assert knows == {"http://schema.org/knows", "https://schema.org/knows"}
