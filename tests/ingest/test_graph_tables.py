"""Tables that follow a published convention: their own header says what they mean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sightline.graph.vocabulary import OBO
from sightline.ingest.errors import SourceUnreadable
from tests.ingest.conftest import remarks, short, statements, triples

CREW = "crewId:ID(Crew),name,height:float,ranks:string[],note:IGNORE,:LABEL\n"
SHIPS = "shipId:ID(Ship),title,built:int,:LABEL\n7,Gannet,1911,Ship;Barque\n"
SERVED = ":START_ID(Crew),year:int,:END_ID(Ship),:TYPE\n7,1912,7,SAILED_ON\n8,,7,OWNED\n"


def test_ids_of_two_groups_of_neo4j_stay_apart_and_types_are_kept(load: Callable) -> None:
    crew, ships, served = load(
        {
            "crew.csv": CREW + '7,"Ola Fisk",1.8,mate;cook,x,Sailor\n8,Bo,,,,\n',
            "ships.csv": SHIPS,
            "served.csv": SERVED,
        }
    )
    assert sorted(triples(crew.load)) == sorted(
        [
            ("entity:Crew/7", "rdf:type", "class:Sailor"),
            ("entity:Crew/7", "rdfs:label", "Ola Fisk"),
            ("entity:Crew/8", "rdfs:label", "Bo"),
            ("entity:Crew/7", "property:height", "1.8"),
            ("entity:Crew/7", "property:ranks", "mate"),
            ("entity:Crew/7", "property:ranks", "cook"),
            ("entity:Crew/7", "property:crewId", "7"),
            ("entity:Crew/8", "property:crewId", "8"),
        ]
    )
    assert any("left out as its header says: note:IGNORE" in n.text for n in crew.load.notes)
    assert ("entity:Ship/7", "rdf:type", "class:Barque") in triples(ships.load)
    assert ("entity:Ship/7", "rdfs:label", "Gannet") in triples(ships.load)
    (built,) = statements(ships.load).filter(object="1911")["datatype"]
    assert short(built) == "xsd:integer"
    assert triples(served.load) == [
        ("entity:Crew/7", "relation:SAILED_ON", "entity:Ship/7"),
        ("entity:Crew/8", "relation:OWNED", "entity:Ship/7"),
    ]
    assert remarks(served.load) == [[("property:year", "1912", "xsd:integer")], []]


def test_what_a_header_of_neo4j_leaves_open_is_said(load: Callable) -> None:
    rows = ":START_ID,:END_ID\n1,2\n1,3\n2,3\n"
    nodes, edges = load({"n.csv": ":ID(Pet),nick\n1,Rex\n", "likes.csv": rows})
    assert ("entity:Pet/1", "rdf:type", "class:Pet") in triples(nodes.load)
    assert triples(edges.load)[0] == ("entity:1", "relation:likes", "entity:2")
    assert [n.text for n in edges.load.notes if n.warning] == [
        "likes has no column :TYPE; its relationships are called likes, as the file"
    ]


def test_a_header_of_neo4j_without_its_records_is_refused_with_the_way_out(load: Callable) -> None:
    with pytest.raises(SourceUnreadable, match=r"cat header.csv data.csv > joined.csv"):
        load({"crew-header.csv": CREW})


NODES = "id\tcategory\tname\txref\tsynonym\n"
EDGES = "id\tsubject\tpredicate\tobject\trelation\tpublications\n"


def test_kgx_tables_keep_types_curies_and_what_edges_say(load: Callable) -> None:
    nodes, edges = load(
        {
            "x_nodes.tsv": NODES
            + "HP:3\tbiolink:PhenotypicFeature|biolink:NamedThing\ta | b\tUMLS:C3|EX:4\tchill\n",
            "x_edges.tsv": EDGES
            + "u:1\tMONDO:9\tbiolink:has_phenotype\tHP:3\tRO:2\tPMID:1|PMID:2\n"
            + "u:2\tMONDO:8\tbiolink:has_phenotype\tHP:3\t\t\n",
        }
    )
    assert triples(nodes.load) == [
        (f"{OBO}HP_3", "rdf:type", "biolink:PhenotypicFeature"),
        (f"{OBO}HP_3", "rdf:type", "biolink:NamedThing"),
        (f"{OBO}HP_3", "rdfs:label", "a | b"),
        (f"{OBO}HP_3", "property:xref", "UMLS:C3"),
        (f"{OBO}HP_3", "property:xref", "EX:4"),
        (f"{OBO}HP_3", "skos:altLabel", "chill"),
    ]
    assert triples(edges.load) == [
        (f"{OBO}MONDO_9", "biolink:has_phenotype", f"{OBO}HP_3"),
        (f"{OBO}MONDO_8", "biolink:has_phenotype", f"{OBO}HP_3"),
    ]
    said = [note.text for note in edges.load.notes]
    assert f"ids of OBO are the IRIs that its ontologies have: MONDO:9 is {OBO}MONDO_9" in said
    values = [[value for _, value, _ in row] for row in remarks(edges.load)]
    assert values == [["u:1", "RO:2", "PMID:1", "PMID:2"], ["u:2"]]


def test_kgx_lines_are_read_as_its_tables_are(load: Callable) -> None:
    (nodes, edges) = load(
        {
            "x_nodes.jsonl": '{"id": "EX:1", "category": ["biolink:Gene"], "name": "G"}\n'
            '{"id": "EX:2", "category": ["biolink:Gene"], "name": "H"}\n',
            "x_edges.jsonl": '{"subject": "EX:1", "predicate": "biolink:binds", "object": "EX:2",'
            ' "publications": ["PMID:1"]}\n' * 2,
        }
    )
    assert ("EX:1", "rdf:type", "biolink:Gene") in triples(nodes.load)
    assert ("EX:1", "rdfs:label", "G") in triples(nodes.load)
    assert triples(edges.load) == [("EX:1", "biolink:binds", "EX:2")]
    assert remarks(edges.load) == [[("property:publications", "PMID:1", "xsd:string")]]


def test_ids_and_categories_of_others_are_no_kgx(load: Callable) -> None:
    (result,) = load({"goods.csv": "id,category,name\n1,Food,Bread\n2,Tools,Saw\n"})
    assert ("entity:good/1", "rdfs:label", "Bread") in triples(result.load)
