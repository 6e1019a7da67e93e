"""Tables without a mapping: what people call their columns says what they mean."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sightline.ingest.automatic import is_header
from sightline.ingest.errors import MappingError
from tests.ingest.conftest import statements, triples


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.tsv", "a\tlikes\tb\nb\tlikes\tc\n"),
        ("t.csv", "a,likes,b\nb,likes,c\n"),
        ("t.tsv", "head\trelation\ttail\na\tlikes\tb\nb\tlikes\tc\n"),
        ("t.csv", "subject,predicate,object\na,likes,b\nb,likes,c\n"),
        ("t.sif", "source\tmetaedge\ttarget\r\na\tlikes\tb\r\nb\tlikes\tc\r\n"),
        ("t.csv", "Target;Edge_Type;weight;Source\nb;likes;1;a\nc;likes;2;b\n"),
        ("t.txt", "h\tr\tt\na\tlikes\tb\nb\tlikes\tc\n"),
    ],
)
def test_triples_with_and_without_a_header(load: Callable, name: str, data: str) -> None:
    (result,) = load({name: data})
    assert triples(result.load) == [
        ("entity:a", "relation:likes", "entity:b"),
        ("entity:b", "relation:likes", "entity:c"),
    ]


@pytest.mark.parametrize("header", ["source,target", "Head,Tail,weight", "from,to"])
def test_pairs_are_related_in_a_way_that_is_not_said(load: Callable, header: str) -> None:
    more = ",1" * (header.count(",") - 1)
    (result,) = load({"edges.csv": f"{header}\na,b{more}\na,c{more}\n"})
    assert triples(result.load) == [
        ("entity:a", "relation:related_to", "entity:b"),
        ("entity:a", "relation:related_to", "entity:c"),
    ]


def test_two_columns_without_a_header_are_pairs_where_an_id_comes_again(load: Callable) -> None:
    (result,) = load({"edges.tsv": "a\tb\na\tc\n"})
    assert {p for _, p, _ in triples(result.load)} == {"relation:related_to"}


@pytest.mark.parametrize("header", ["id,source,target", "word,start,end", "id,type,from,to"])
def test_a_table_of_things_with_a_source_is_no_table_of_pairs(load: Callable, header: str) -> None:
    more = ",1" * (header.count(",") - 1)
    (result,) = load({"t.csv": f"{header}\nx,1{more}\ny,1{more}\n"})
    assert {subject for subject, _, _ in triples(result.load)} == {"entity:x", "entity:y"}


def test_ids_stay_what_they_are(load: Callable) -> None:
    """Leading zeros, nan, spaces, colons, slashes, arrows; IRIs and CURIEs are no raw names."""
    data = (
        "00260881\t_hypernym\tnan\n"
        "Gene::9021\tGr>G\tBiological Process::GO:2000696\n"
        "/m/027rn\t/location/country\t/m/06cx9\n"
        "https://x.example/a\trdfs:seeAlso\tentity:b\n"
        "Ångström\t_hypernym\t1.0\n"
    )
    (result,) = load({"t.tsv": data})
    assert triples(result.load) == [
        ("entity:00260881", "relation:_hypernym", "entity:nan"),
        (
            "entity:Gene%3A%3A9021",
            "relation:Gr%3EG",
            "entity:Biological%20Process%3A%3AGO%3A2000696",
        ),
        ("entity:%2Fm%2F027rn", "relation:%2Flocation%2Fcountry", "entity:%2Fm%2F06cx9"),
        ("https://x.example/a", "rdfs:seeAlso", "entity:b"),
        ("entity:%C3%85ngstr%C3%B6m", "relation:_hypernym", "entity:1.0"),
    ]


def test_columns_become_labels_types_descriptions_and_properties(load: Callable) -> None:
    data = "ID,Name,Kind,Description,Synonyms,mass\nx,X,Some Thing,what it is,Ex,5 kg\ny,,,,,\n"
    (result,) = load({"t.csv": data})
    assert triples(result.load) == [
        ("entity:x", "rdfs:label", "X"),
        ("entity:x", "rdf:type", "class:Some%20Thing"),
        ("entity:x", "schema:description", "what it is"),
        ("entity:x", "http://www.w3.org/2004/02/skos/core#altLabel", "Ex"),
        ("entity:x", "property:mass", "5 kg"),
    ]
    assert result.load.counts.loaded == 2


def test_a_table_of_relations_describes_relations(load: Callable) -> None:
    (result,) = load({"relations.tsv": "id\tlabel\nP1\tborn in\n"})
    assert triples(result.load) == [
        ("relation:P1", "rdfs:label", "born in"),
        ("relation:P1", "rdf:type", "rdf:Property"),
    ]
    (result,) = load({"metaedges.tsv": "metaedge\tabbreviation\nGene - regulates > Gene\tGr>G\n"})
    assert triples(result.load)[0] == ("relation:Gr%3EG", "rdfs:label", "Gene - regulates > Gene")


def test_names_and_definitions_without_a_header(load: Callable) -> None:
    (result,) = load({"names.txt": "/m/1\tNew_York\n/m/2\tUtah\n"})
    assert triples(result.load) == [
        ("entity:%2Fm%2F1", "rdfs:label", "New_York"),
        ("entity:%2Fm%2F2", "rdfs:label", "Utah"),
    ]
    (result,) = load({"definitions.txt": '001\tnan, a "bread", flat\n002\trun, to move\n'})
    assert triples(result.load) == [
        ("entity:001", "rdfs:label", "nan"),
        ("entity:002", "rdfs:label", "run"),
        ("entity:001", "schema:description", 'a "bread", flat'),
        ("entity:002", "schema:description", "to move"),
    ]


def test_a_column_of_different_values_is_the_key_where_none_is_named(load: Callable) -> None:
    (result,) = load({"t.csv": "group,word\n1,a\n1,b\n"})
    assert triples(result.load) == [
        ("entity:a", "property:group", "1"),
        ("entity:b", "property:group", "1"),
    ]
    with pytest.raises(MappingError, match=r"tells the records apart \(columns: group, word\)"):
        load({"u.csv": "group,word\n1,a\n1,a\n2,b\n"})


def test_an_incomplete_triple_is_refused(load: Callable) -> None:
    (result,) = load({"t.tsv": "a\tr\tb\na\t\tb\na\tr\tc\n"})
    assert (result.load.counts.rejected, statements(result.load)["row"].to_list()) == (1, [1, 3])


@pytest.mark.parametrize(
    ("lines", "tabs", "header"),
    [
        (["id,x,y,z", "1,2,3,4"], False, True),
        (["a,b,c,1", "a,b,d,0"], True, False),
        (["iso,capital,size", "fr,Paris,1", "de,Berlin,2", "it,Rome,3"], True, True),
        (["fr,Paris", "de,Berlin"], True, False),
        (["fr,Paris", "de,Berlin"], False, True),
    ],
)
def test_headers_are_told_from_records(lines: list[str], tabs: bool, header: bool) -> None:
    names, *rows = (line.split(",") for line in lines)
    assert is_header(names, rows, tabs) == header
