"""Tables that follow a published convention: their own header says what they mean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import OBO
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.raw import source_record
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


def test_a_header_of_neo4j_in_a_file_of_its_own_is_that_of_the_files_called_so(
    load: Callable, workspace: Workspace
) -> None:
    records = '7,"Ola Fisk",1.8,mate,x,Sailor\n'
    files = {
        "crew-header.csv": CREW,
        "crew.csv": records,
        "crew_part2.csv": "9,Una,,,,Sailor\n",
        "crews.csv": "name,age\nAnn,7\n",
        "old/crew.csv": "name,age\nBo,8\n",
    }
    crew, more, *others = load(files)
    assert ("entity:Crew/7", "rdfs:label", "Ola Fisk") in triples(crew.load)
    assert ("entity:Crew/9", "rdfs:label", "Una") in triples(more.load)
    assert "the names of its columns are in crew-header.csv" in [n.text for n in crew.load.notes]
    # Of another name, or in another folder.
    assert len(others) == 2
    assert not any("in another file" in note.text for one in others for note in one.load.notes)
    cells = source_record(workspace, crew.load.id, "1").cells
    assert [cell.values for cell in cells][1] == ("Ola Fisk",)
    # Another header makes another load of the same bytes.
    renamed = {**files, "crew-header.csv": CREW.replace("(Crew)", "(Hand)")}
    assert ("entity:Hand/7", "rdfs:label", "Ola Fisk") in triples(load(renamed)[0].load)


NODES = "id\tcategory\tname\txref\tsynonym\n"
EDGES = "id\tsubject\tpredicate\tobject\trelation\tpublications\n"


def test_nodes_and_relationships_in_one_table_of_apoc_come_apart(load: Callable) -> None:
    (found,) = load(
        {
            "all.csv": "_id,_labels,name,zip,_start,_end,_type,since\n"
            "0,:Sailor:Cook,Ola,007,,,,\n1,:Ship,Gannet,010,,,,\n,,,,0,1,SAILED_ON,1912\n"
            ",,,,1,0,CARRIED,\n"
        }
    )
    assert sorted(triples(found.load)) == [
        ("entity:node/0", "property:zip", "007"),
        ("entity:node/0", "rdf:type", "class:Cook"),
        ("entity:node/0", "rdf:type", "class:Sailor"),
        ("entity:node/0", "rdfs:label", "Ola"),
        ("entity:node/0", "relation:SAILED_ON", "entity:node/1"),
        ("entity:node/1", "property:zip", "010"),
        ("entity:node/1", "rdf:type", "class:Ship"),
        ("entity:node/1", "rdfs:label", "Gannet"),
        ("entity:node/1", "relation:CARRIED", "entity:node/0"),
    ]
    assert [r for r in remarks(found.load) if r] == [[("property:since", "1912", "xsd:integer")]]
    kinds = statements(found.load).filter(object="007")["datatype"]
    assert [short(kind) for kind in kinds] == ["xsd:string"]
    lines = '{"type":"node","id":"0","labels":["Ship"]}\n{"type":"relationship","id":"0"}\n'
    with pytest.raises(SourceUnreadable, match=r"apoc\.export\.csv\.all"):
        load({"all.json": lines})


def test_each_node_of_apoc_is_called_by_the_first_label_that_it_has(load: Callable) -> None:
    (found,) = load(
        {
            "all.csv": "_id,_labels,title,Name,_start,_end,_type,roles\n"
            "0,:Film,The Matrix,,,,,\n1,:Person,Ms,Ola,,,,\n2,:Place,,,,,,\n"
            ',,,,1,0,SAW,"[""Neo"",""T""]"\n'
        }
    )
    assert remarks(found.load)[-1] == [
        ("property:roles", "Neo", "xsd:string"),
        ("property:roles", "T", "xsd:string"),
    ]
    assert sorted(triples(found.load)) == [
        ("entity:node/0", "rdf:type", "class:Film"),
        ("entity:node/0", "rdfs:label", "The Matrix"),
        ("entity:node/1", "property:title", "Ms"),
        ("entity:node/1", "rdf:type", "class:Person"),
        ("entity:node/1", "rdfs:label", "Ola"),
        ("entity:node/1", "relation:SAW", "entity:node/0"),
        ("entity:node/2", "rdf:type", "class:Place"),
    ]


def test_edges_of_kgx_that_do_not_hold_are_left_out_and_said(load: Callable) -> None:
    (edges,) = load(
        {
            "x_edges.tsv": "subject\tpredicate\tobject\tnegated\n"
            "EX:1\tbiolink:treats\tEX:2\tFalse\nEX:1\tbiolink:treats\tEX:3\tTrue\n"
            "EX:2\tbiolink:treats\tEX:4\t\n"
        }
    )
    assert [tail for _, _, tail in triples(edges.load)] == ["EX:2", "EX:4"]
    text = "1 edges are negated, the first in line 3: what is not so is left out"
    assert text in [note.text for note in edges.load.notes if note.warning]


def test_edges_may_say_in_a_list_that_they_do_not_hold(load: Callable) -> None:
    edge = '{"subject":"EX:1","predicate":"biolink:treats","object":"EX:%s","negated":["%s"]}\n'
    (edges,) = load({"x_edges.jsonl": edge % (2, "true") + edge % (3, "false")})
    assert [tail for _, _, tail in triples(edges.load)] == ["EX:3"]


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


def test_a_document_of_kgx_is_read_as_its_tables_are(load: Callable) -> None:
    kg = (
        '{"nodes": [{"id": "HGNC:5", "category": ["biolink:Gene"], "name": "ABC1"}],'
        ' "edges": [{"subject": "HGNC:5", "predicate": "biolink:part_of", "object": "MONDO:1",'
        ' "publications": ["PMID:1", "PMID:2"]}]%s}'
    )
    (found,) = load({"kg.json": kg % ""})
    assert triples(found.load) == [
        ("HGNC:5", "rdf:type", "biolink:Gene"),
        ("HGNC:5", "rdfs:label", "ABC1"),
        ("HGNC:5", "biolink:part_of", OBO + "MONDO_1"),
    ]
    assert len(remarks(found.load)[-1]) == 2
    # Another table beside them says nothing of itself: none is lost.
    (mixed,) = load({"more.json": kg % ', "authors": [{"id": 7, "name": "Ann"}]'})
    assert ("entity:author/7", "rdfs:label", "Ann") in triples(mixed.load)
    assert len(triples(mixed.load)) > 4


def test_ids_and_categories_of_others_are_no_kgx(load: Callable) -> None:
    (result,) = load({"goods.csv": "id,category,name\n1,Food,Bread\n2,Tools,Saw\n"})
    assert ("entity:good/1", "rdfs:label", "Bread") in triples(result.load)


def test_annotations_of_the_gene_ontology_link_products_to_terms(load: Callable) -> None:
    row = (
        "UniProtKB\tP{0}\tABC{0}\t{1}\tGO:{0}\tPMID:1|PMID:2\tIDA\t\t{2}\tAbc\tA|B\tprotein\t"
        "taxon:9606\t20240101\tUniProt\t\t\n"
    )
    rows = (
        row.format(1, "located_in", "C"),
        row.format(2, "NOT|enables", "F"),
        row.format(3, "", "P"),
    )
    (found,) = load({"x.gaf": "!gaf-version: 2.2\n!by: me\n" + "".join(rows)})
    made = triples(found.load)
    product = "entity:UniProtKB/P1"
    assert [one for one in made if "GO_" in one[2]] == [
        (product, "relation:located_in", OBO + "GO_1"),
        ("entity:UniProtKB/P3", "relation:involved_in", OBO + "GO_3"),
    ]
    assert {(p, o) for s, p, o in made if s == product and "GO_" not in o} == {
        ("rdf:type", "class:protein"),
        ("rdfs:label", "ABC1"),
        ("skos:notation", "P1"),
        *(("skos:altLabel", name) for name in ("Abc", "A", "B")),
        ("property:Taxon", "taxon:9606"),
    }
    said = [pair[:2] for pair in remarks(found.load)[0]]
    assert ("property:Evidence_Code", "IDA") in said
    assert ("property:Reference", "PMID:2") in said
    assert any("1 edges are negated" in note.text for note in found.load.notes)
    (alone,) = load({"x.gaf": "!gaf-version: 2.2\n" + rows[0]})
    assert (product, "relation:located_in", OBO + "GO_1") in triples(alone.load)
