"""Tables without a mapping: their names and their values say together what they mean."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import pytest
import yaml

from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import XSD, default_prefixes
from sightline.ingest.batch import Batch
from sightline.ingest.formats import matrix
from sightline.ingest.formats.matrix import as_edges
from sightline.ingest.load import ingest
from sightline.ingest.profile import links, names
from sightline.ingest.profile.profile import profile
from sightline.ingest.profile.write import _DUMPER, _flows, as_yaml
from sightline.ingest.source import Table
from tests.ingest.conftest import discover, facts, remarks, short, statements, triples


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


def test_the_type_of_the_one_record_of_a_file_is_not_its_name(load: Callable) -> None:
    (result,) = load({"places.csv": "type,name,size\nFeature,Thun,43\n"})
    assert all("Feature" not in s for s, _, _ in triples(result.load))


@pytest.mark.parametrize(
    ("name", "relation"), [("routes", "route"), ("edges", "related_to"), ("snap", "related_to")]
)
def test_pairs_relate_as_their_file_is_called_if_it_holds_several_of_something(
    load: Callable, name: str, relation: str
) -> None:
    (result,) = load({f"{name}.csv": "from,to,km\nBern,Basel,95\nBasel,Bern,95\nBern,Thun,26\n"})
    assert {p for _, p, _ in triples(result.load)} == {f"relation:{relation}"}


def test_two_numbered_columns_and_numbers_about_them_are_pairs(load: Callable) -> None:
    (result,) = load({"links.txt": "protein1 protein2 score\nP1 P2 490\nP1 P3 198\nP4 P2 650\n"})
    assert len(triples(result.load)) == 3
    assert len({name for s, _, o in triples(result.load) for name in (s, o)}) == 4
    assert any("score: about the link: whole number" in n.text for n in result.load.notes)
    (people,) = load({"people.csv": "phone1,phone2,name\n1,2,Ann\n3,4,Bob\n"})
    assert all(p != "relation:related_to" for _, p, _ in triples(people.load))


def test_files_of_one_name_in_two_folders_have_a_meaning_each(load: Callable) -> None:
    one, two = load({"a/t.csv": "id,name\n1,Ann\n", "b/t.csv": "town,area\nBern,51\nZug,21\n"})
    assert ("entity:t/1", "rdfs:label", "Ann") in triples(one.load)
    assert ("entity:t/Bern", "property:area", "51") in triples(two.load)


def test_what_each_column_became_is_said(load: Callable) -> None:
    (result,) = load({"peaks.csv": "id;name;height;kind\n1;Alp;1,70;a b\n2;Berg;2,05;c\n"})
    said = "columns of peaks are name: label; height: number written as 1,70; kind: type"
    assert said in [note.text for note in result.load.notes]


@pytest.mark.parametrize(("yes", "no"), [("TRUE", "FALSE"), ("True", "False"), ("yes", "no")])
def test_what_is_true_is_a_boolean_however_it_is_written(load: Callable, yes: str, no: str) -> None:
    table = f"id,name,paid\n1,Ann,{yes}\n2,Bob,{no}\n3,Cem,{yes}\n"
    (result,) = load({"bills.csv": table})
    told = statements(result.load).filter(pl.col("predicate").str.ends_with("paid"))
    assert told["object"].to_list() == ["true", "false", "true"]
    assert told["datatype"].unique().to_list() == [XSD + "boolean"]


@pytest.mark.parametrize(
    ("header", "cells", "name", "values"),
    [
        ("share", ["12 %", "0,5 %", "7%"], "share (%)", ["12", "0.5", "7"]),
        (
            "price",
            ["CHF 12.50", "CHF 1'300.00", "CHF 9.95"],
            "price (CHF)",
            ["12.5", "1300", "9.95"],
        ),
        ("net, kg", ["80 kg", "75.5 kg", "60 kg"], "net, kg", ["80", "75.5", "60"]),
        ("wage", ["1'200.50", "900.25", "12'000.00"], "wage", ["1200.5", "900.25", "12000"]),
        ("level", ["5 A", "6 A", "7 A"], "level", ["5 A", "6 A", "7 A"]),
        ("size", ["5 kg", "500 g", "1 kg"], "size", ["5 kg", "500 g", "1 kg"]),
        ("fee", ["$ 5 %", "$ 6 %", "$ 7 %"], "fee", ["$ 5 %", "$ 6 %", "$ 7 %"]),
        ("rate", ["1,200 %", "1,300 %", "2,500 %"], "rate", ["1,200 %", "1,300 %", "2,500 %"]),
    ],
)
def test_numbers_with_one_unit_are_numbers_of_it(
    header: str, cells: list[str], name: str, values: list[str], load: Callable
) -> None:
    rows = "".join(f"r{i};N{i};{cell}\n" for i, cell in enumerate(cells))
    (result,) = load({"rows.csv": f"id;name;{header}\n{rows}"})
    found = [(unquote(p), o) for _, p, o in triples(result.load) if p.startswith("property:")]
    assert found == [(f"property:{name}", value) for value in values]


def test_numbers_with_a_unit_name_no_record(load: Callable) -> None:
    (result,) = load({"rows.csv": "row_id,town\n5 kg,Bern\n6 kg,Zug\n7 kg,Bern\n"})
    assert any("no column tells the 3 records" in note.text for note in result.load.notes)


def test_cells_of_lists_in_brackets_have_several_values(load: Callable) -> None:
    table = "id\tname\tcast\tnote\n1\tA\t['Ann', 'Bo']\t[sic]\n2\tB\t[]\tx\n3\tC\t['Cy']\ty\n"
    (result,) = load({"films.tsv": table})
    found = [(s, o) for s, p, o in triples(result.load) if p == "property:cast"]
    films = [f"entity:film/{i}" for i in (1, 1, 3)]
    assert found == list(zip(films, ("Ann", "Bo", "Cy")))
    assert ("entity:film/1", "property:note", "[sic]") in triples(result.load)


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        (["34", "-99", "51"], "-99"),
        (["1.5", "-999.0", "-88", "2"], "-88, -999.0"),
        (["3", "-99", "-5"], ""),
        (["-9", "-9", "-9"], ""),
    ],
)
def test_numbers_that_may_stand_for_no_value_are_said(
    cells: list[str], codes: str, load: Callable
) -> None:
    rows = "".join(f"r{i};N{i};{cell}\n" for i, cell in enumerate(cells))
    (result,) = load({"rows.csv": f"id;name;age\n{rows}"})
    said = [note.text for note in result.load.notes if "may stand for no value" in note.text]
    assert [text.partition(" in rows.age")[0] for text in said] == ([codes] if codes else [])


def test_what_another_table_says_of_a_thing_is_no_second_label(load: Callable) -> None:
    titles = "tconst\ttitle\ntt1\tOne\ntt2\tTwo\ntt3\tThree\n"
    ratings = "tconst\trating\ntt1\t5.5\ntt2\t6.5\n"
    found = load({"titles.tsv": titles, "title_ratings.tsv": ratings})
    labels = [o for result in found for _, p, o in triples(result.load) if p == "rdfs:label"]
    assert labels == ["One", "Two", "Three"]


@pytest.mark.parametrize(
    ("header", "cells", "values"),
    [
        ("d", ["Jan 5, 2024", "May 15, 2024"], ["2024-01-05", "2024-05-15"]),
        ("d", ["5 March 2024", "6 May 2024"], ["2024-03-05", "2024-05-06"]),
        ("d", ["05-JAN-24", "06-FEB-99"], ["2024-01-05", "1999-02-06"]),
        (
            "d",
            ["2024/1/5 13:05", "2024/12/06 3:00"],
            ["2024-01-05T13:05:00", "2024-12-06T03:00:00"],
        ),
        (
            "d",
            ["1/25/2024 1:05:06 PM", "2/3/2024 1:05:06 AM"],
            ["2024-01-25T13:05:06", "2024-02-03T01:05:06"],
        ),
        ("start_date", ["20240105", "20231231"], ["2024-01-05", "2023-12-31"]),
        ("size", ["20240105", "20231231"], ["20240105", "20231231"]),
        ("start_date", ["20240105", "20249931"], ["20240105", "20249931"]),
        ("d", ["1 Maybe 2024", "x"], ["1 Maybe 2024", "x"]),
    ],
)
def test_days_that_can_be_read_in_one_way_are_dates(
    header: str, cells: list[str], values: list[str], load: Callable
) -> None:
    rows = "".join(f"r{i};N{i};{cell}\n" for i, cell in enumerate(cells))
    (result,) = load({"rows.csv": f"id;name;{header}\n{rows}"})
    assert [o for _, p, o in triples(result.load) if p.startswith("property:")] == values
    assert not any("a day or a month first" in note.text for note in result.load.notes)


@pytest.mark.parametrize("moment", ["2024/01/0{} 10:12:33 AM GMT+1", "am {}. des Monats"])
def test_what_is_called_as_times_are_names_no_record(moment: str, load: Callable) -> None:
    rows = "".join(f"{moment.format(i)},p{i}@x.example,Yes\n" for i in range(1, 4))
    (result,) = load({"answers.csv": f"Timestamp,Email,Coming?\n{rows}"})
    keys = {s for s, p, _ in triples(result.load) if p == "rdf:type"}
    assert keys == {f"entity:answer/p{i}%40x.example" for i in range(1, 4)}


def test_what_is_called_as_no_time_names_its_records(load: Callable) -> None:
    (result,) = load({"votes.csv": "candidate,party,votes\nAnn,A,7\nBob,B,9\nCem,A,12\n"})
    assert {s for s, _, _ in triples(result.load)} >= {"entity:vote/Ann"}


def test_files_of_one_table_in_two_units_have_no_unit(load: Callable) -> None:
    first, second = "id,name,net\nu,N,5 kg\nv,M,6 kg\n", "id,name,net\nw,N,7 %\nx,M,8 %\n"
    found = load({"part-01.csv": first, "part-02.csv": second})
    values = [o for result in found for _, p, o in triples(result.load) if p == "property:net"]
    assert values == ["5 kg", "6 kg", "7 %", "8 %"]


def test_two_columns_without_a_header_are_pairs_where_an_id_comes_again(load: Callable) -> None:
    (result,) = load({"edges.tsv": "a\tb\na\tc\n"})
    assert {p for _, p, _ in triples(result.load)} == {"relation:related_to"}


@pytest.mark.parametrize("header", ["id,source,target", "word,start,end", "id,type,from,to"])
def test_a_table_of_things_with_a_source_is_no_table_of_pairs(load: Callable, header: str) -> None:
    more = ",1" * (header.count(",") - 1)
    (result,) = load({"t.csv": f"{header}\nx,1{more}\ny,1{more}\n"})
    assert {subject for subject, _, _ in triples(result.load)} == {"entity:t/x", "entity:t/y"}


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
    assert set(triples(result.load)) == {
        ("entity:t/x", "skos:notation", "x"),
        ("entity:t/y", "skos:notation", "y"),
        ("entity:t/x", "rdfs:label", "X"),
        ("entity:t/x", "rdf:type", "class:Some%20Thing"),
        ("entity:t/x", "schema:description", "what it is"),
        ("entity:t/x", "skos:altLabel", "Ex"),
        ("entity:t/x", "property:mass", "5 kg"),
    }
    assert result.load.counts.loaded == 2


def test_a_table_of_relations_describes_relations(load: Callable) -> None:
    (result,) = load({"relations.tsv": "id\tlabel\nP1\tborn in\n"})
    assert triples(result.load) == [
        ("relation:P1", "rdf:type", "rdf:Property"),
        ("relation:P1", "rdfs:label", "born in"),
    ]
    (result,) = load({"metaedges.tsv": "metaedge\tabbreviation\nGene - regulates > Gene\tGr>G\n"})
    assert facts(result.load)[1] == ("relation:Gr%3EG", "rdfs:label", "Gene - regulates > Gene")


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
        ("entity:t/a", "property:group", "1"),
        ("entity:t/b", "property:group", "1"),
        ("entity:t/a", "rdfs:label", "a"),
        ("entity:t/b", "rdfs:label", "b"),
    ]


def test_an_incomplete_triple_is_refused(load: Callable) -> None:
    (result,) = load({"t.tsv": "a\tr\tb\na\t\tb\na\tr\tc\n"})
    assert (result.load.counts.rejected, statements(result.load)["row"].to_list()) == (1, [1, 3])


SHOP: dict[str, str | bytes] = {
    "customers.csv": "customer_id,name,city\n" + "".join(f"{i},N{i},Bern\n" for i in range(1, 31)),
    "orders.csv": "order_id,customer_id,ordered,total\n"
    + "".join(f"{i},{i % 30 + 1},2024-01-{i % 28 + 1:02},{i}.50\n" for i in range(1, 91)),
    "products.csv": "id,title\n1,Pen\n2,Ink\n3,Nib\n",
    "order_lines.csv": "order_id,line,product_id,amount\n"
    + "".join(f"{i},{j},{j},{i + j}\n" for i in range(1, 91) for j in (1, 2)),
}


def test_keys_and_links_of_a_shop_and_what_speaks_for_them(load: Callable) -> None:
    results = load(SHOP)
    customers, orders, products, lines = (triples(result.load) for result in results)
    assert ("entity:customer/7", "rdfs:label", "N7") in customers
    assert ("entity:customer/7", "rdf:type", "class:Customer") in customers
    assert ("entity:order/6", "relation:customer", "entity:customer/7") in orders
    assert ("entity:order/6", "rdfs:label", "order 6") in orders
    assert ("entity:product/1", "rdfs:label", "Pen") in products
    assert ("entity:order/6", "relation:order_line", "entity:product/1") in lines
    said = [note.text for note in results[1].load.notes]
    evidence = "orders.customer_id -> customers.customer_id: 30 of 30 values found"
    assert any(text.startswith(evidence) for text in said)
    kinds = statements(results[1].load).select("predicate", "datatype").unique().rows()
    kind_of = {short(p): short(d) for p, d in kinds if d}
    assert kind_of["property:ordered"] == "xsd:date"
    assert kind_of["property:total"] == "xsd:decimal"


def test_the_written_profile_gives_the_same_loads(
    load: Callable, tmp_path: Path, workspace: Workspace
) -> None:
    """A file name and columns that YAML, globs and templates could take for something else."""
    odd = {"a [1] ~x.csv": "no id,price (CHF),x: y,true\n1,2,a,b\n2,3,#,!\n"}
    keyless = {"log.csv": "level,took\nhigh,1.5\nhigh,1.5\nlow,2.5\nhigh,1.7\n"}
    edges = {"edges.tsv": "subject\tpredicate\tobject\tnote\na\tp\tb\t\nb\tp\tc\tx\n"}
    lists = {"films.csv": "id,genres\n" + "".join(f"{i},a|b\n{i + 50},b|c\n" for i in range(9))}
    before = load({**SHOP, **odd, **keyless, **edges, **lists})
    sources = discover([tmp_path / name for name in (*SHOP, *odd, *keyless, *edges, *lists)])
    text = as_yaml(profile(sources, default_prefixes()))
    after = load({**SHOP, **odd, **keyless, **edges, **lists}, text)
    assert [result.load.id for result in after] == [result.load.id for result in before]
    other = Workspace.create(tmp_path / "other")
    again = ingest(other, [s.path for s in sources], mapping=tmp_path / "map.yaml")
    for one, same in zip(before, again):
        assert statements(one.load).equals(statements(same.load))


def test_a_key_is_unique_over_the_whole_file(load: Callable) -> None:
    rows = "".join(f"c{i},n{i}\n" for i in range(3000)) + "c7,late\n"
    (result,) = load({"t.csv": "code,word\n" + rows})
    assert ("entity:t/late", "property:code", "c7") in triples(result.load)


@pytest.mark.parametrize(
    "table",
    [
        "date,t\n2024-01-01,5.1\n2024-01-02,6.0\n",
        "timestamp,level\n2024-01-01T00:00:00,1\n2024-01-01T00:00:01,1\n",
        "price,weight\n1,20\n2,10\n",
        "group,word\n1,a\n2,a\n1,b\n",
    ],
)
def test_records_that_nothing_names_stay_apart(load: Callable, table: str) -> None:
    """A time or a measure names nothing, and no two records become one."""
    (result,) = load({"t.csv": table})
    subjects = statements(result.load)["subject"].unique()
    assert len(subjects) == result.load.counts.loaded
    assert all(subject.startswith("urn:sightline:genid:") for subject in subjects)
    assert any(note.warning and "apart" in note.text for note in result.load.notes)


def test_equal_ids_of_two_tables_never_meet_and_it_is_said(load: Callable) -> None:
    files = {"people.csv": "id,name\n1,Ann\n2,Bob\n", "films.csv": "id,title\n1,Up\n2,Big\n"}
    people, films = load(files)
    one, other = (set(statements(x.load)["subject"]) for x in (people, films))
    assert not one & other
    assert any("films too" in note.text for note in people.load.notes)


def test_ids_of_things_that_no_file_describes_are_links(load: Callable) -> None:
    (result,) = load({"orders.csv": "order_id,customer_id\n1,7\n2,7\n3,8\n"})
    assert ("entity:order/1", "relation:customer", "entity:customer/7") in triples(result.load)
    assert any(n.warning and "no file describes" in n.text for n in result.load.notes)


def test_values_that_the_other_table_lacks_are_counted(load: Callable) -> None:
    files = {"towns.csv": "town_id,name\na,A\nb,B\nc,C\n", "shops.csv": "shop_id,town_id\n"}
    files["shops.csv"] += "".join(f"{i},{town}\n" for i, town in enumerate("abcx"))
    _, shops = load(files)
    said = "1 of 4 values of shops.town_id are in no towns.town_id"
    assert any(n.warning and n.text.startswith(said) for n in shops.load.notes)


def test_a_table_of_two_links_becomes_relations(load: Callable) -> None:
    """What its other columns say is said about each of them."""
    (result,) = load({"transfers.csv": "from_stop_id,to_stop_id,kind\nA,B,0\nB,A,\nA,A,1\n"})
    assert sorted(triples(result.load)) == [
        (f"entity:stop/{a}", "relation:transfer", f"entity:stop/{b}") for a, b in ("AA", "AB", "BA")
    ]
    one, nothing, other = remarks(result.load)
    assert one == [("property:kind", "0", "xsd:integer")]
    assert (nothing, other) == ([], [("property:kind", "1", "xsd:integer")])


@pytest.mark.parametrize(
    "table",
    [
        "label,start,end\nWar,1914,1918\nPeace,1918,1939\n",
        "name,type,from,to\nBus,bus,22:00,04:00\nTram,tram,06:00,20:00\n",
        "date,t,h,p\n2024-01-01,5.1,80,1013\n2024-01-02,6.0,75,1009\n",
    ],
)
def test_times_and_numbers_are_no_ends_of_edges(load: Callable, table: str) -> None:
    (result,) = load({"t.csv": table})
    assert not any(p.startswith("relation:") for _, p, _ in triples(result.load))
    values = {value for line in table.splitlines()[1:] for value in line.split(",")}
    assert values - {o for _, _, o in triples(result.load)} <= {"bus", "tram"}, "nothing is lost"


@pytest.mark.parametrize(
    ("table", "relations"),
    [
        ("id\tsubject\tpredicate\trelation\tobject\n1\ta\tp\t\tb\n2\tb\tp\t\tc\n", ["p", "p"]),
        ("source\tinteraction\ttarget\tlabel\na\tpp\tb\t\nb\tpd\tc\t\n", ["pp", "pd"]),
        ("subject\tpredicate\tobject\ttype\na\tp\tb\tx\nb\tq\tc\tx\n", ["p", "q"]),
    ],
)
def test_the_relation_is_the_filled_column(load: Callable, table: str, relations: list) -> None:
    (result,) = load({"t.tsv": table})
    assert [p for _, p, _ in triples(result.load)] == [f"relation:{name}" for name in relations]


def test_names_that_come_again_in_the_other_column_are_ends(load: Callable) -> None:
    (result,) = load({"tree.tsv": "cat\tmammal\ndog\tmammal\nmammal\tanimal\n"})
    assert ("entity:cat", "relation:related_to", "entity:mammal") in triples(result.load)


def test_nodes_share_the_names_of_the_edges_between_them(load: Callable) -> None:
    files = {
        "genes.csv": "id,name\nG1,one\nG2,two\n",
        "edges.csv": "source,relation,target\nG1,binds,G2\nG2,binds,G1\nG1,binds,X\n",
    }
    genes, edges = load(files)
    assert ("entity:G1", "rdfs:label", "one") in triples(genes.load)
    assert ("entity:G1", "relation:binds", "entity:G2") in triples(edges.load)


def test_values_that_are_all_keys_of_one_table_are_a_link_whatever_the_column_is_called(
    load: Callable,
) -> None:
    towns = [f"town{i}" for i in range(40)]
    data = {
        "places.csv": "key,people\n" + "".join(f"{town},{i}\n" for i, town in enumerate(towns)),
        "states.csv": "key,seat\n" + "".join(f"s{i},{towns[i]}\n" for i in range(9)),
    }
    _, states = load(data)
    assert ("entity:state/s3", "relation:seat", "entity:place/town3") in triples(states.load)


def test_columns_are_not_held_against_every_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_at(tables: int) -> int:
        folder = tmp_path / str(tables)
        folder.mkdir()
        for i in range(tables):
            # Names of three letters that no other has; ids that all have.
            name, other = (f"{j:03}"[::-1].translate(LETTERS) for j in (i, (i + 1) % tables))
            header = f"{name}_id,name,{other}_id,seen_id,note\n"
            rows = (f"{k},{name} {k},{21 - k},{k % 7},n{k}\n" for k in range(1, 21))
            (folder / f"{name}.csv").write_text(header + "".join(rows))
        looked.clear()
        found = profile(discover([folder]), default_prefixes())
        assert sum(len(table.links) for table in found.tables) >= tables
        return len(looked)

    looked: list[str] = []
    for name in ("names_speak", "_found"):
        whole = getattr(links, name)
        monkeypatch.setattr(links, name, lambda *a, f=whole: looked.append("") or f(*a))
    assert looked_at(40) <= 3 * looked_at(20)


LETTERS = str.maketrans("0123456789", "bcdfghjklm")


@pytest.mark.parametrize(
    ("header", "label"),
    [
        ("id,FirstName,LastName,title", "Ann Lee"),
        ("id,given,family,city", "Ann Lee"),
        ("id,author_first_name,author_last_name,city", "Ann Lee"),
        ("id,nameFirst,nameLast,city", "Ann Lee"),
        ("id,customer_first_name,customer_last_name,city", "author 1"),
    ],
)
def test_first_and_last_name_are_a_label_together(load: Callable, header: str, label: str) -> None:
    rows = "1,Ann,Lee,x\n2,Bob,Ray,y\n3,Cy,Moe,y\n"
    (result,) = load({"authors.csv": f"{header}\n{rows}"})
    assert ("entity:author/1", "rdfs:label", label) in triples(result.load)


def test_a_first_name_that_comes_again_is_no_thing(load: Callable) -> None:
    rows = "".join(f"{i},{('Ann', 'Bob')[i % 2]},L{i},{('x', 'y')[i % 2]}\n" for i in range(1, 41))
    (result,) = load({"kunden.csv": f"kunde_nr,vorname,nachname,stadt\n{rows}"})
    made = triples(result.load)
    assert ("entity:kunden/1", "property:vorname", "Bob") in made
    assert ("entity:kunden/1", "relation:stadt", "entity:stadt/y") in made


def test_keys_that_a_program_wrote_as_floats_are_found(load: Callable) -> None:
    files = {
        "towns.csv": "town_id,name\n" + "".join(f"{i},T{i}\n" for i in range(1, 31)),
        "shops.csv": "shop_id,town_id,stars\n"
        + "".join(f"{i},{'' if i % 5 == 0 else f'{i}.0'},{i}.0\n" for i in range(1, 31)),
    }
    _, shops = load(files)
    assert ("entity:shop/7", "relation:town", "entity:town/7") in triples(shops.load)
    assert ("entity:shop/7", "property:stars", "7.0") in triples(shops.load), "no key, as it was"


def test_a_category_is_a_thing_with_class_and_name_and_never_one_of_a_table(load: Callable) -> None:
    colours = ("red|blue", "blue|red", "red")
    rows = "".join(f"{i},n{i},{colours[i % 3]},{'ab'[i % 2]} x\n" for i in range(30))
    makes = "make_id,name\n1,Long\n2,Wide\n3,High\n"
    kites, _ = load({"kites.csv": f"kite_id,name,colours,make\n{rows}", "makes.csv": makes})
    found = triples(kites.load)
    for fact in (
        ("entity:kite/3", "relation:colours", "entity:colour/blue"),
        ("entity:colour/blue", "rdf:type", "class:Colour"),
        ("entity:colour/blue", "rdfs:label", "blue"),
    ):
        assert found.count(fact) == 1
    assert ("entity:kite/3", "relation:make", "entity:kite_make/b%20x") in found
    assert ("entity:kite_make/b%20x", "rdf:type", "class:Kite_make") in found


def test_a_few_values_of_another_kind_are_counted_and_said(load: Callable) -> None:
    rows = "".join(f"{i},{'call' if i in (7, 900) else i * 1.5}\n" for i in range(1, 1001))
    (result,) = load({"offers.csv": f"offer_id,price\n{rows}"})
    said = "2 of 1,000 values of offers.price are no numbers as the others are, first 'call'"
    assert any(n.warning and n.text.startswith(said) for n in result.load.notes)
    assert ("entity:offer/7", "property:price", "call") in triples(result.load)


def test_many_values_of_another_kind_are_no_few(load: Callable) -> None:
    """Those of which a sample is taken, every other one, are all numbers."""
    rows = "".join(f"{i},{'call' if i % 10 == 1 else i + 0.5}\n" for i in range(800))
    (result,) = load({"offers.csv": f"offer_id,price\n{rows}"})
    assert not any("as the others are" in note.text for note in result.load.notes)


def parts(first: int) -> str:
    rows = (f"{i},Town {i},{i % 7}" for i in range(first, first + 30))
    return "town_id,name,shops\n" + "".join(f"{row}\n" for row in rows)


@pytest.mark.parametrize(
    ("files", "thing"),
    [
        (("towns/part-0001.csv", "towns/part-0002.csv"), "town"),
        (("towns_1.csv", "towns_2.csv"), "town"),
        (("towns/2023.csv", "towns/2024.csv"), "town"),
    ],
)
def test_a_table_in_several_files_is_one(
    load: Callable, files: tuple[str, ...], thing: str
) -> None:
    shops = "shop_id,town_id\n" + "".join(f"{i},{i}\n" for i in range(1, 61))
    one, other, last = load({files[0]: parts(1), files[1]: parts(31), "shops.csv": shops})
    assert (f"entity:{thing}/7", "rdfs:label", "Town 7") in triples(one.load)
    assert (f"entity:{thing}/37", "rdf:type", "class:Town") in triples(other.load)
    assert ("entity:shop/40", "relation:town", f"entity:{thing}/40") in triples(last.load)
    said = [note.text for note in other.load.notes]
    assert any(text.startswith("one table in 2 files: ") for text in said)
    assert not any(note.warning for note in last.load.notes)


def test_years_of_the_same_things_are_said_and_levels_stay_apart(load: Callable) -> None:
    one, _ = load({"towns/2023.csv": parts(1), "towns/2024.csv": parts(11)})
    assert any(n.warning and "comes again in others: 40 things" in n.text for n in one.load.notes)
    assert ("entity:town/15", "rdfs:label", "Town 15") in triples(one.load)
    for name in ("level", "LEVEL"):
        level, _ = load({f"{name}1.csv": parts(1), f"{name}2.csv": parts(11)})
        assert not any("one table in" in note.text for note in level.load.notes)
    volume, _ = load({"volume1.csv": parts(1), "volume2.csv": parts(11)})
    assert any("one table in" in note.text for note in volume.load.notes)


def test_columns_that_refer_to_a_record_together_are_one_link(load: Callable) -> None:
    numbers = [(order, line) for order in range(1, 31) for line in (1, 2, 3)]
    # As a program writes them where some are missing.
    floats = [(f"{order}.0", f"{line}.0") for order, line in numbers]
    files = {
        "order_lines.csv": "order_id,line,sku\n"
        + "".join(f"{order},{line},s{order + line}\n" for order, line in numbers),
        "returns.csv": "return_id,order_id,line,reason\n"
        + "".join(f"{i},{o},{n if i else 9},r{i % 3}\n" for i, (o, n) in enumerate(floats[::2])),
        "orders.csv": "order_id,placed\n" + "".join(f"{i},2024-01-{i:02}\n" for i in range(1, 31)),
    }
    _, returns, _ = load(files)
    found = triples(returns.load)
    assert ("entity:return/2", "relation:order_line", "entity:order_line/2/2") in found
    assert ("entity:return/2", "relation:order", "entity:order/2") in found
    said = [note.text for note in returns.load.notes]
    evidence = "returns.order_id, line -> order_lines.order_id, line: 44 of 45 values found"
    assert any(text.startswith(evidence) for text in said)


def test_a_table_called_after_what_it_links_is_a_link_with_a_number_of_its_own(
    load: Callable,
) -> None:
    files = {
        "student.csv": "id,name\n" + "".join(f"{i},S{i}\n" for i in range(1, 31)),
        "course.csv": "id,title\n" + "".join(f"{i},C{i}\n" for i in range(1, 31)),
        "student_course.csv": "id,student_id,course_id,grade\n"
        + "".join(f"{i},{i % 30 + 1},{i * 7 % 30 + 1},{i % 6}\n" for i in range(1, 60)),
    }
    _, _, both = load(files)
    assert ("entity:student/2", "relation:student_course", "entity:course/8") in triples(both.load)
    assert any(("property:grade", "1", "xsd:integer") in said for said in remarks(both.load))


def test_iris_are_names_of_their_own_and_refer_to_what_has_them(load: Callable) -> None:
    base = "https://x.example/W"
    cited = [[f"{base}{i + 1}", f"https://x.example/W99{i}"] for i in range(5)]
    works = [{"id": f"{base}{i}", "title": f"T{i}", "cites": cited[i]} for i in range(5)]
    (result,) = load({"works.jsonl": "".join(json.dumps(work) + "\n" for work in works)})
    found = triples(result.load)
    assert (f"{base}1", "rdfs:label", "T1") in found
    assert (f"{base}1", "relation:cite", f"{base}2") in found
    assert (f"{base}1", "relation:cite", "https://x.example/W991") in found
    said = "6 of 10 values of works.cites are in no works.id"
    assert any(n.warning and n.text.startswith(said) for n in result.load.notes)


def test_a_link_to_what_a_record_is_not_named_by_is_looked_up(load: Callable) -> None:
    _, teams, _ = load(
        {
            "country.csv": "id,iso,name\n7,AAX,Svizra\n8,BBX,Ostmark\n9,CCX,Welsch\n",
            "team.csv": "team_id,title,country_iso\n"
            "1,Reds,BBX\n2,Blues,AAX\n3,Greens,BBX\n4,Pinks,QQX\n",
            "visit.csv": "id,country_id\n1,7\n2,8\n3,7\n",
        }
    )
    links = [(s, o) for s, p, o in facts(teams.load) if p == "relation:country"]
    assert sorted(links) == [
        ("entity:team/1", "entity:country/8"),
        ("entity:team/2", "entity:country/7"),
        ("entity:team/3", "entity:country/8"),
    ]
    assert any("1 of 3 values of team.country_iso are in no" in n.text for n in teams.load.notes)


def test_a_label_that_comes_again_gives_way_to_a_name(load: Callable) -> None:
    (kings,) = load({"kings.csv": "name,start,label\nAl,1900,x\nBo,1910,y\nCy,1920,x\n"})
    assert ("entity:king/Al", "rdfs:label", "Al") in facts(kings.load)
    assert ("entity:king/Al", "property:label", "x") in facts(kings.load)


def test_the_name_of_a_customer_is_no_label_of_an_order(load: Callable) -> None:
    _, orders = load(
        {
            "customers.csv": "id,name\n1,Ann\n2,Bob\n3,Cy\n",
            "orders.csv": "id,customer_id,customer_name\n11,1,Ann\n12,2,Bob\n13,3,Cy\n",
        }
    )
    assert ("entity:order/11", "rdfs:label", "order 11") in facts(orders.load)
    assert ("entity:order/11", "property:customer_name", "Ann") in facts(orders.load)


def test_numbers_and_dates_are_read_in_the_one_way_there_is_or_asked(load: Callable) -> None:
    (found,) = load(
        {
            "sales.csv": "id,price,count,day,met\n"
            '1,"1,200.50","1,200",01/02/2024,31/01/2024 10:30\n'
            '2,800.00,"2,400",03/04/2024,15/02/2024 9:05\n'
        }
    )
    said = {(p, o) for s, p, o in facts(found.load) if s.endswith("/1")}
    assert ("property:price", "1200.5") in said
    assert ("property:count", "1200") in said, "the prices tell"
    assert ("property:day", "01/02/2024") in said
    assert ("property:met", "2024-01-31T10:30:00") in said
    asked = [n.text for n in found.load.notes if n.warning]
    assert [re.split(" may | is ", text)[0] for text in asked] == [
        "1,200 in sales.count",
        "'01/02/2024' in sales.day",
    ]


def test_both_ends_of_links_are_named_alike_where_one_differs_by_chance(load: Callable) -> None:
    rows = "".join(f"{i}\t{i * 7 % 30}\n" for i in range(30))
    (found,) = load({"web.tsv": "FromNodeId\tToNodeId\n" + rows})
    said = facts(found.load)
    assert len(said) == 30
    assert ("entity:node/1", "relation:web", "entity:node/7") in said


def test_thousands_are_told_by_the_other_numbers_of_a_table(load: Callable) -> None:
    area = "Land;Area;People\nSvizra;41.285;8.700.000\nOstmark;83.879;9.000.000\n"
    (found,) = load({"m.csv": area})
    said = {p: o for s, p, o in facts(found.load) if s.endswith("/Svizra")}
    assert (said["property:Area"], said["property:People"]) == ("41285", "8700000")
    assert any("41.285 in m.Area is taken for thousands" in n.text for n in found.load.notes)
    (found,) = load({"firms.csv": 'Firm,Staff,Share\nAda,"12,000",2.5\nBea,"45,100",3.25\n'})
    said = {p: o for s, p, o in facts(found.load) if s.endswith("/Ada")}
    assert said["property:Staff"] == "12000"
    (found,) = load({"towns.csv": 'Town,Staff,Share\nAda,"12,000",2.500\nBea,"45,100",3.250\n'})
    said = {p: o for s, p, o in facts(found.load) if s.endswith("/Ada")}
    assert said["property:Staff"] == "12,000", "nothing tells what a point is"
    (alone,) = load({"n.csv": "land,size\nSvizra,41.285\nOstmark,83.879\n"})
    assert ("entity:n/Svizra", "property:size", "41.285") in facts(alone.load)


def test_names_that_come_again_below_two_headers_are_ends(load: Callable) -> None:
    (found,) = load({"d.csv": "package,depends_on\na,b\na,c\nb,c\n"})
    assert ("entity:a", "relation:related_to", "entity:b") in triples(found.load)


def test_where_from_and_where_to_name_no_record(load: Callable) -> None:
    _, routes = load(
        {
            "airports.csv": "iata,name\nZRX,Zurich\nGVX,Geneva\nVIX,Vienna\n",
            "routes.csv": "origin,destination\nZRX,VIX\nVIX,GVX\nGVX,ZRX\n",
        }
    )
    assert ("entity:airport/ZRX", "relation:route", "entity:airport/VIX") in triples(routes.load)


def test_a_child_and_its_parent_are_ends_of_an_edge_called_so(load: Callable) -> None:
    (tree,) = load({"tree.tsv": "child\tparent\nrat\trodent\nrodent\tmammal\n"})
    assert triples(tree.load) == [
        ("entity:rat", "relation:parent", "entity:rodent"),
        ("entity:rodent", "relation:parent", "entity:mammal"),
    ]
    (bare,) = load({"bare.tsv": "person\tanimal\nchild\tperson\nadult\tperson\n"})
    assert len(triples(bare.load)) == 3  # words that come again below are no header


def test_texts_of_few_records_differ_by_chance_and_name_nothing(load: Callable) -> None:
    *_, parts = load(
        {
            "film.csv": "film_id,title\nF1,Glass\nF2,River\n",
            "person.csv": "person_id,name\nP1,Ann\nP2,Bob\n",
            "part.csv": "film_id,n,person_id,category\nF1,1,P1,actor\nF1,2,P2,self\nF2,1,P2,crew\n",
        }
    )
    assert ("entity:film/F1", "relation:part", "entity:person/P2") in triples(parts.load)
    assert not any("crew" in s for s, _, _ in triples(parts.load))


def test_the_manager_of_employees_is_one_whatever_the_table_is_called(load: Callable) -> None:
    (staff,) = load({"emp.csv": "employee,manager,pay\nAnn,Bob,3\nBob,Dee,4\nCy,Bob,3\n"})
    assert ("entity:emp/Ann", "relation:manager", "entity:emp/Bob") in triples(staff.load)


def test_thousands_stand_beside_small_whole_numbers(load: Callable) -> None:
    (result,) = load({"t.csv": "place;height;rain\nA;12;1,5\nB;1.250;3,0\n"})
    assert ("entity:t/B", "property:height", "1250") in facts(result.load)
    assert any("1.250" in n.text and n.warning for n in result.load.notes)


def test_one_cell_of_several_codes_or_words_is_several(load: Callable) -> None:
    data = "id\tknown\tgenres\tsynonyms\nn1\ttt01,tt02\tDrama,Comedy\t2,4-D\nn2\ttt02\tDrama\tx\n"
    (result,) = load({"t.tsv": data})
    of_first = {o for s, _, o in facts(result.load) if s == "entity:t/n1"}
    assert of_first >= {"tt01", "tt02", "Drama", "Comedy", "2,4-D"}


def test_two_names_that_come_again_are_a_link(load: Callable) -> None:
    (result,) = load({"gd.tsv": "Gene\tDisease\nB1\tbreast cancer\nT5\tbreast cancer\nT5\tflu\n"})
    assert ("entity:gene/T5", "relation:gd", "entity:disease/flu") in facts(result.load)
    data = "protein_a,protein_b,method,score\nP1,P2,x,0.4\nP2,P3,y,0.5\nP1,P3,x,0.9\n"
    (result,) = load({"ppi.csv": data})
    assert ("entity:protein/P2", "relation:ppi", "entity:protein/P3") in facts(result.load)
    # Each comes once in its column, so that one could name the records.
    data = "Protein A,Protein B,Method,PubMed ID\nP1,P2,x,12\nP2,P3,y,13\nP3,P1,x,\n"
    (result,) = load({"seen.csv": data})
    assert ("entity:protein/P2", "relation:seen", "entity:protein/P3") in facts(result.load)
    assert [value for one in remarks(result.load) for _, value, _ in one][:2] == ["x", "12"]


def test_few_parents_and_names_of_others_of_the_same_table_are_links(load: Callable) -> None:
    (result,) = load({"parts.csv": "id,name,parent\n1,Root,\n2,A,1\n3,B,1\n"})
    assert ("entity:part/3", "relation:parent", "entity:part/1") in facts(result.load)
    (result,) = load({"people.csv": "name,spouse,born\nAnn,Bob,1970\nBob,Ann,1968\nCid,,1999\n"})
    assert ("entity:person/Ann", "relation:spouse", "entity:person/Bob") in facts(result.load)


def test_references_of_xml_are_links_to_the_one_table_that_has_them(load: Callable) -> None:
    author = '<book isbn="1"><by ref="a1"/><by ref="a2"/></book>'
    people = "".join(f'<person id="a{i}"><name>N{i}</name></person>' for i in (1, 2))
    text = f'<lib>{author}<book isbn="2"><by ref="a1"/></book>{people}</lib>'
    (result,) = load({"lib.xml": text})
    found = facts(result.load)
    assert ("entity:person/a1", "relation:book_by", "entity:book/2") in found


def test_from_and_to_of_names_are_ends_beside_times(load: Callable) -> None:
    (result,) = load(
        {"trains.csv": "from,to,at\nBern,Thun,08:00\nThun,Bern,09:00\nBern,Genf,7:30\n"}
    )
    assert ("entity:Bern", "relation:train", "entity:Genf") in triples(result.load)
    (result,) = load({"bus.csv": "name,from,to\nNight,22:00,04:00\nDay,06:00,20:00\n"})
    assert all(p != "relation:related_to" for _, p, _ in triples(result.load))


def test_a_column_called_as_its_table_labels_it(load: Callable) -> None:
    (result,) = load({"countries.csv": "country,code\nNorway,NO\nSweden,SE\n"})
    assert ("entity:country/NO", "rdfs:label", "Norway") in facts(result.load)


def test_lists_of_codes_with_prefixes_and_of_tags_with_languages_are_several_values(
    load: Callable,
) -> None:
    rows = [f"P{i},GO:000{i}; GO:100{i},en:snacks,en:x" for i in range(4)]
    text = "\n".join(["Entry,Gene Ontology IDs", *(row.rsplit(",", 2)[0] for row in rows)])
    (result,) = load({"u.csv": text})
    assert ("entity:u/P1", "relation:gene_ontology", "entity:gene_ontology/GO%3A1001") in facts(
        result.load
    )
    tags = "code\tcategories_tags\n" + "".join(
        f"90{i}\ten:snacks,en:sweet-snacks\n" for i in range(1, 5)
    )
    (result,) = load({"off.tsv": tags})
    tagged = {(s, o) for s, p, o in facts(result.load) if "categories_tags" in p and "/" in o}
    assert ("entity:off/901", "entity:categories_tag/en%3Asweet-snacks") in tagged


def test_a_square_table_draws_edges_with_weights(load: Callable) -> None:
    (result,) = load(
        {"friends.csv": ",Ann,Bo,Cy,Di\nBo,2,0,0.5,0\nAnn,0,2,0,0\nCy,0,0.5,0,0\nDi,0,0,0,0\n"}
    )
    assert list(zip(triples(result.load), remarks(result.load))) == [
        (
            ("entity:Bo", "relation:related_to", "entity:Ann"),
            [("property:weight", "2", "xsd:double")],
        ),
        (
            ("entity:Bo", "relation:related_to", "entity:Cy"),
            [("property:weight", "0.5", "xsd:double")],
        ),
    ]
    said = [note.text for note in result.load.notes]
    assert any("each pair is one edge" in text for text in said)
    assert "1 of them have no edge and are left out: Di" in said


def test_a_square_table_of_one_direction_keeps_both(load: Callable) -> None:
    (result,) = load({"flow.csv": "from,a,b,c\na,5,1,0\nb,2,0,0\nc,0,0,0\n"})
    found = [
        (s[7:], o[7:], q[0][1]) for (s, _, o), q in zip(triples(result.load), remarks(result.load))
    ]
    assert found == [("a", "a", "5"), ("a", "b", "1"), ("b", "a", "2")]
    (result,) = load({"names.csv": "gene,a,b,c\na,x,y,z\nb,x,y,z\nc,x,y,z\n"})
    assert not any(p == "relation:related_to" for _, p, _ in triples(result.load))


def test_a_table_of_what_codes_stand_for_is_said(load: Callable) -> None:
    book = "variable,code,label\nsex,1,Male\nsex,2,Female\narea,1,North\narea,3,South\n"
    rows = "".join(f"{i},{i % 2 + 1},{i % 2 * 2 + 1}\n" for i in range(6))
    for third, said in (("area", True), ("zone", False)):
        results = load({"answers.csv": f"id,sex,{third}\n{rows}", "book.csv": book})
        texts = [note.text for one in results for note in one.load.notes if note.warning]
        assert any("book says what the codes in sex, area stand for" in t for t in texts) == said


def test_a_square_table_may_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    def parts(*rows: str) -> Table:
        columns = ["", "a", "b", "c"]
        frames = [pl.DataFrame([row.split()], columns, orient="row") for row in rows]
        place = [pl.Series([line], dtype=pl.UInt32) for line in range(2, len(rows) + 2)]
        raw = [lambda _, row=row: row for row in rows]
        return Table("t", (Batch(*of) for of in zip(frames, place, place, raw)))

    (batch,) = as_edges(parts("b 7 0 5", "c 8 6 0", "a 0 7 8")).batches
    edges = zip(*batch.frame.to_dict(as_series=False).values(), batch.rows)
    assert list(edges) == [
        ("b", "c", "5", 2),
        ("b", "a", "7", 2),
        ("c", "b", "6", 3),
        ("c", "a", "8", 3),
        ("a", "b", "7", 4),
        ("a", "c", "8", 4),
    ]
    assert [batch.raw(i) for i in range(6)] == ["b 7 0 5"] * 2 + ["c 8 6 0"] * 2 + ["a 0 7 8"] * 2
    for rows in (["a 0 1 2", "b 1 0 3"], ["a 0 1 2", "b 1 0 3", "c 2 3 0", "d 1 1 1"]):
        assert len(list(as_edges(parts(*rows)).batches)) == len(rows), "no record is lost"
    monkeypatch.setattr(matrix, "MOST", 2)
    large = as_edges(parts("a 0 1 2", "b 1 0 3", "c 2 3 0"))
    assert len(list(large.batches)) == 3
    assert large.notes[0].warning
    assert "list of edges" in large.notes[0].text


@pytest.mark.parametrize("last", ["Total", "Grand Total", "P9"])
def test_a_last_record_of_sums_is_said(load: Callable, last: str) -> None:
    rows = "".join(f"P{i},{i}\n" for i in range(5))
    (result,) = load({"sales.csv": f"product,units\n{rows}{last},10\n"})
    warned = [note.text for note in result.load.notes if note.warning]
    assert any(f"is called {last}" in text for text in warned) == (last != "P9")


@pytest.mark.parametrize(
    "text",
    ["$(a)", "$(größe)", "$(a b)", "entity:a%20b/$(id)~name", "a", "yes", "1:20", "it's:x", "x: y"],
)
def test_a_mapping_is_written_as_libyaml_writes_it(text: str) -> None:
    (flow,) = _flows([["property:x", text]])
    whole = yaml.dump(
        ["property:x", text], Dumper=_DUMPER, default_flow_style=True, allow_unicode=True
    )
    assert flow == whole.rstrip("\n")
    assert yaml.safe_load(flow) == ["property:x", text]


def test_what_a_frame_holds_is_asked_as_often_for_many_columns_as_for_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()

    def counted(name: str, read: Callable) -> property:
        # polars makes these anew, whole, each time: once a column, and the time is a square
        return property(lambda frame: asked.update([name]) or read(frame))

    for name in ("schema", "columns", "dtypes"):
        monkeypatch.setattr(pl.DataFrame, name, counted(name, getattr(pl.DataFrame, name).fget))
    counts = []
    for width in (2, 4):
        rows = [[f"w{row}", "ab"[row % 2], f"{row}.5", f"{row} kg"] for row in range(6)]
        header = [f"{name}{i}" for i in range(width) for name in ("name", "kind", "size", "mass")]
        lines = [header, *(row * width for row in rows)]
        (tmp_path / f"{width}.csv").write_text("\n".join(map(",".join, lines)))
        asked.clear()
        ingest(Workspace.create(tmp_path / f"w{width}"), [tmp_path / f"{width}.csv"])
        counts.append(dict(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("column", "other", "what"),
    [
        ("protein_a", "protein_b", ("protein",)),
        ("protein2", "protein1", ("protein",)),
        ("geneB", "geneA", ("gene",)),
        ("protein_b", "gene_a", ("protein", "b")),
        ("protein_id", "protein_b", ("protein",)),
    ],
)
def test_the_other_of_two_columns_is_looked_up_and_not_looked_for(
    column: str, other: str, what: tuple[str, ...]
) -> None:
    class Held(frozenset):
        def __iter__(self) -> None:  # which for each of thousands of columns would take a square
            raise AssertionError

    assert names.referred(column, Held([column, other])) == what
