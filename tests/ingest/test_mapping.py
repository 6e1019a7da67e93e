"""The YAML mapping: its keys are YARRRML's, and each mistake is named with the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest

from sightline.graph.record.loads import active_loads
from sightline.graph.storage import plain_yaml
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import DEFAULT_BASE, XSD, default_prefixes
from sightline.ingest.errors import MappingError, SourceSyntaxError
from sightline.ingest.mapping import MappingFile, read_mapping
from sightline.ingest.terms import Reference, Template
from tests.ingest.conftest import facts, quarantined, remarks, statements, triples

PEOPLE = (
    "id,name,nom,born,company,tongues,page\n"
    "1,Ann,Anne,1950,a b/c,fr; de;;fr,https://x.example/ann\n"
    "2,Bob,,,,,\n"
)
EX = "https://x.example/"
MAP = """
prefixes: {ex: "https://x.example/"}
mappings:
  people:
    sources: [people.csv~csv]
    s: entity:$(id)
    po:
"""


def test_each_character_that_an_iri_escapes_is_escaped_where_it_stands_alone() -> None:
    template = Template(("entity:", Reference("c")), iri=True)
    for sign in [*map(chr, range(128)), "\u00e9"]:
        made = template.render(pl.DataFrame({"c": ["x", f"x{sign}", None]}))
        assert made.to_list() == ["entity:x", f"entity:x{quote(sign, safe='')}", None]


def mapped(load: Callable, po: str, table: str = PEOPLE) -> list[tuple[str, str, str]]:
    (result,) = load(
        {"people.csv": table}, MAP + "\n".join(f"      {line}" for line in po.split("\n"))
    )
    return triples(result.load)


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(MappingError) as error:
        read_mapping(path, default_prefixes(DEFAULT_BASE))
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("po", "facts"),
    [
        (
            "- [a, class:Person]",
            [("1", "rdf:type", "class:Person"), ("2", "rdf:type", "class:Person")],
        ),
        ("- [rdfs:label, $(name)]", [("1", "rdfs:label", "Ann"), ("2", "rdfs:label", "Bob")]),
        ("- [rdfs:label, $(nom), fr~lang]", [("1", "rdfs:label", "Anne")]),
        ("- [property:born, $(born), xsd:integer]", [("1", "property:born", "1950")]),
        (
            "- [relation:works_at, entity:$(company)~iri]",
            [("1", "relation:works_at", "entity:a%20b%2Fc")],
        ),
        ("- [ex:page, $(page)~iri]", [("1", "https://x.example/page", "https://x.example/ann")]),
        ("- [ex:$(nom), hello]", [("1", "https://x.example/Anne", "hello")]),
        ("- [property:p, '$(name) ($(nom))']", [("1", "property:p", "Ann (Anne)")]),
        (
            "- [[property:p, property:q], $(nom)]",
            [("1", "property:p", "Anne"), ("1", "property:q", "Anne")],
        ),
        (
            "- [property:p, [$(nom), $(born)]]",
            [("1", "property:p", "Anne"), ("1", "property:p", "1950")],
        ),
        (
            "- p: relation:speaks\n  o: {value: 'entity:$(tongues)~iri', split: ';'}",
            [("1", "relation:speaks", f"entity:{x}") for x in ("fr", "de", "fr")],
        ),
        (
            "- predicates: relation:speaks\n  objects:\n    - {value: 'ex:$(nom)', type: iri}",
            [("1", "relation:speaks", "https://x.example/Anne")],
        ),
        ("- {p: property:p, o: [[$(born), xsd:gYear]]}", [("1", "property:p", "1950")]),
        ("- {p: property:p, o: {value: $(nom), language: fr}}", [("1", "property:p", "Anne")]),
        (
            "- {p: property:p, o: {value: NO}}",
            [("1", "property:p", "NO"), ("2", "property:p", "NO")],
        ),
        ("- [property:p, 'entity:$(nom)', xsd:string]", [("1", "property:p", "entity:Anne")]),
    ],
)
def test_predicates_and_objects(load: Callable, po: str, facts: list) -> None:
    expected = [(f"entity:{s}", p, o) for s, p, o in facts]
    assert sorted(mapped(load, po)) == sorted(expected)


def test_terms_have_their_datatype_and_language(load: Callable) -> None:
    po = "- [rdfs:label, $(nom), fr-CA~lang]\n- [rdfs:label, $(name)]\n- [ex:b, $(born), xsd:gYear]"
    mapped(load, po)
    (result,) = load({"people.csv": PEOPLE}, MAP + "      " + po.replace("\n", "\n      "))
    assert result.known
    kinds = statements(result.load).select("object", "datatype", "language").unique().rows()
    xsd = "http://www.w3.org/2001/XMLSchema#"
    assert set(kinds) == {
        ("Anne", "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString", "fr-ca"),
        ("Ann", xsd + "string", None),
        ("Bob", xsd + "string", None),
        ("1950", xsd + "gYear", None),
    }


BORN = (
    "      - [rdfs:label, $(name)]\n      - [ex:born, $(born), xsd:integer]\n"
    "      - [ex:page, $(page)~iri]\n"
)
UNFIT = (
    "id,name,born,page\n1,a,1950,\n2,b,x,\n,c,1,\n4,d,,no iri\n5,e,5,http://x.example/100%\n"
    "6,f,-7,urn:x:y\n7,g,y,\n8,h,,\n"
)


def test_a_value_that_does_not_fit_is_set_aside_and_its_record_stays(
    workspace: Workspace, load: Callable
) -> None:
    (result,) = load({"people.csv": UNFIT}, MAP + BORN)
    assert quarantined(workspace, result.load, values=True) == [
        (3, "column 'born': 'x' is no integer", "x"),
        (5, "column 'page': 'no iri' is no IRI", "no iri"),
        (6, "column 'page': 'http://x.example/100%' is no IRI", "http://x.example/100%"),
        (8, "column 'born': 'y' is no integer", "y"),
    ]
    assert [x[:2] for x in quarantined(workspace, result.load)] == [(4, "the key (id) is empty")]
    assert set(statements(result.load)["row"]) == {2, 3, 5, 6, 7, 8, 9}
    assert result.load.counts.rejected == 1
    assert [(n.text, n.warning) for n in result.load.notes if n.warning] == [
        ("2 values of column 'born' are no integer and set aside; first line 3: 'x'", True),
        ("2 values of column 'page' are no IRI and set aside; first line 5: 'no iri'", True),
    ]


def test_columns_of_one_datatype_keep_their_values_and_faults_apart(
    workspace: Workspace, load: Callable
) -> None:
    """They are mapped together, the same column twice, too."""
    po = "".join(
        f"      - [property:{p}, $({c}), xsd:integer]\n" for p, c in ("aa", "bb", "cc", "da")
    )
    (result,) = load({"people.csv": "id,a,b,c\n1,5,x,6\n2,y,7,\n"}, MAP + po)
    assert triples(result.load) == [
        ("entity:1", "property:a", "5"),
        ("entity:2", "property:b", "7"),
        ("entity:1", "property:c", "6"),
        ("entity:1", "property:d", "5"),
    ]
    assert quarantined(workspace, result.load, values=True) == [
        (2, "column 'b': 'x' is no integer", "x"),
        (3, "column 'a': 'y' is no integer", "y"),
    ]


def test_strict_refuses_the_first_value_that_does_not_fit(
    workspace: Workspace, load: Callable
) -> None:
    with pytest.raises(SourceSyntaxError, match="line 3: column 'born': 'x' is no integer"):
        load({"people.csv": UNFIT}, MAP + BORN, strict=True)
    assert active_loads(workspace) == []


def test_a_complete_record_needs_every_value_and_no_bad_one(
    workspace: Workspace, load: Callable
) -> None:
    text = MAP.replace("    po:", "    complete: true\n    po:") + BORN
    table = "id,name,born,page\n1,a,1,a:b\n2,b,2,\n3,c,x,a:b\n4,d,4,a:b\n"
    (result,) = load({"people.csv": table}, text)
    assert {s for s, *_ in triples(result.load)} == {"entity:1", "entity:4"}
    assert [x[:2] for x in quarantined(workspace, result.load)] == [
        (3, "column 'page' is empty"),
        (4, "column 'born': 'x' is no integer"),
    ]
    assert not any(note.warning for note in result.load.notes)


def test_a_name_is_minted_and_an_iri_or_curie_stands(load: Callable) -> None:
    table = "h,r,t\na b,knows,ex:c\nhttps://x.example/y,relation:r,urn:z:z\nq:1,ex:r,entity:d\n"
    text = MAP.replace("$(id)", "$(h)~name").replace("people", "t") + (
        "      - ['relation:$(r)~name', 'ex:thing/$(t)~name']\n      - [a, 'class:$(r)~name']"
    )
    (result,) = load({"t.csv": table}, text)
    assert [t for t in triples(result.load) if t[1] != "rdf:type"] == [
        ("entity:a%20b", "relation:knows", "https://x.example/c"),
        ("https://x.example/y", "relation:r", "urn:z:z"),
        ("entity:q%3A1", "https://x.example/r", "entity:d"),
    ]
    assert ("entity:a%20b", "rdf:type", "class:knows") in triples(result.load)
    (other,) = load({"t.csv": "h,r,t\na,b,c\n"}, text)
    assert triples(other.load)[0] == ("entity:a", "relation:b", "https://x.example/thing/c")


ODD = "id,a (b),c),$d,[e],f\\g,$(h\n1,2,3,4,5,6,7\n"


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ("$(a (b))", "2"),
        (r"$(a \(b\))", "2"),
        (r"$(c\))", "3"),
        ("$($d)", "4"),
        (r"$(\$d)", "4"),
        ("$([e])", "5"),
        ("$(f\\g)", "6"),
        (r"$(\$\(h)", "7"),
        ("<$(id) (($(a (b))>", "<1 ((2>"),
        (r"\$(id\) \\ \n $5", "$(id) \\ \\n $5"),
    ],
)
def test_any_column_can_be_referred_to(load: Callable, reference: str, value: str) -> None:
    assert mapped(load, f"- [property:p, '{reference}']", ODD) == [
        ("entity:1", "property:p", value)
    ]


def test_a_reference_that_finds_no_column_is_an_error_with_the_nearest(load: Callable) -> None:
    with pytest.raises(MappingError, match=r"no column 'a \(c\)'; nearest: a \(b\)"):
        mapped(load, "- [property:p, $(a (c))]", ODD)


@pytest.mark.parametrize(
    ("written", "datatype", "cells", "values"),
    [
        ("%d.%m.%Y", "date", "1.2.2020|31.12.1999", "2020-02-01|1999-12-31"),
        ("%m/%d/%y", "date", "2/1/68|2/1/69", "2068-02-01|1969-02-01"),
        ("%d %b %Y", "date", "3 Sep 2001|03 may 2001", "2001-09-03|2001-05-03"),
        ("%-d. %B %Y", "date", "3. September 2001", "2001-09-03"),
        ("%m/%Y", "gYearMonth", "3/2001", "2001-03"),
        ("%Y%m%d", "date", "20010203", "2001-02-03"),
        ("%H:%M", "time", "9:05", "09:05:00"),
        ("%I %p", "time", "12 AM|12 pm|1 pm", "00:00:00|12:00:00|13:00:00"),
        (
            "%Y-%m-%d %H:%M:%S.%f%z",
            "dateTime",
            "2020-01-02 03:04:05.600+0130|2020-01-02 03:04:05.0Z",
            "2020-01-02T03:04:05.6+01:30|2020-01-02T03:04:05Z",
        ),
        (
            "decimal-comma",
            "decimal",
            "1.234,50|1 234 567,8|−5|0,00|+007",
            "1234.5|1234567.8|-5|0|7",
        ),
        ("decimal-point", "decimal", "1,234.50|1'000|5.|1e5", "1234.5|1000|5|"),
        ("decimal-comma %", "decimal", "12,5 %|5%|x %", "12.5|5|"),
        ("CHF decimal-point", "decimal", "CHF 1'200.50|CHF3", "1200.5|3"),
        ("boolean", "boolean", "TRUE|False|Yes|NO|maybe", "true|false|true|false"),
    ],
)
def test_a_format_says_how_dates_numbers_and_truth_are_written(
    load: Callable, written: str, datatype: str, cells: str, values: str
) -> None:
    table = "id\tv\n" + "".join(f"{i}\t{cell}\n" for i, cell in enumerate(cells.split("|")))
    po = f"- {{p: property:p, o: {{value: $(v), format: '{written}'}}}}"
    (result,) = load({"v.tsv": table}, MAP.replace("people.csv~csv", "v.tsv") + "      " + po)
    rows = statements(result.load).select("object", "datatype").rows()
    assert rows == [(v, XSD + datatype) for v in values.split("|") if v]


def test_what_is_not_written_so_is_set_aside(workspace: Workspace, load: Callable) -> None:
    table = "id,v\n1,31.02.2020\n2,1.2.20\n3,2020-01-01\n4,29.02.2020\n5,\n"
    po = "- {p: property:p, o: {value: $(v), format: '%d.%m.%Y'}}"
    (result,) = load({"people.csv": table}, MAP + "      " + po)
    assert triples(result.load) == [("entity:4", "property:p", "2020-02-29")]
    assert [x[1] for x in quarantined(workspace, result.load, values=True)] == [
        "column 'v': '31.02.2020' is no date",
        "column 'v': '1.2.20' is not written %d.%m.%Y",
        "column 'v': '2020-01-01' is not written %d.%m.%Y",
    ]


def test_tokens_of_null_are_no_value_in_keys_and_in_lists_either(
    workspace: Workspace, load: Callable
) -> None:
    text = MAP.replace("    po:", "    'null': [N/A, '-']\n    po:")
    po = "      - [property:p, $(v)]\n      - {p: property:q, o: {value: $(w), split: ';'}}"
    (result,) = load({"people.csv": "id,v,w\n1,N/A,a; -;b\n-,2,\n3,n/a,-\n"}, text + po)
    assert triples(result.load) == [
        ("entity:3", "property:p", "n/a"),
        ("entity:1", "property:q", "a"),
        ("entity:1", "property:q", "b"),
    ]
    assert [x[1] for x in quarantined(workspace, result.load)] == ["the key (id) is empty"]
    lines = '{"id": 1, "v": ["-", "x"], "w": ["N/A"]}\n'
    (result,) = load({"p.jsonl": lines}, text.replace("people.csv~csv", "p.jsonl") + po)
    assert triples(result.load) == [("entity:1", "property:p", "x")]


def test_a_link_keeps_what_it_says_about_itself(workspace: Workspace, load: Callable) -> None:
    table = 'id,film,rating,when,tags\n1,f,"4,5",2.1.2020,a;b\n2,g,x,,\n3,,5,,\n'
    po = """- p: relation:rated
        o: entity:$(film)~iri
        q:
          property:rating: {value: $(rating), format: decimal-comma}
          property:when: {value: $(when), format: "%d.%m.%Y"}
          ex:tag: {value: $(tags), split: ";"}
      - [rdfs:label, $(film)]
    """
    (result,) = load({"people.csv": table}, MAP + "      " + po)
    found = statements(result.load)
    links = found.filter(pl.col("predicate").str.ends_with("rated"))
    assert links["row"].to_list() == [2, 3]
    assert remarks(result.load)[:2] == [
        [
            ("property:rating", "4.5", "xsd:decimal"),
            ("property:when", "2020-01-02", "xsd:date"),
            (EX + "tag", "a", "xsd:string"),
            (EX + "tag", "b", "xsd:string"),
        ],
        [],
    ]
    assert found.height == 4
    assert quarantined(workspace, result.load, values=True) == [
        (3, "column 'rating': 'x' is not written decimal-comma", "x")
    ]


def test_several_mappings_and_subjects_of_one_table(load: Callable) -> None:
    text = (
        MAP
        + "      - [relation:works_at, ex:$(company)~iri]\n"
        + (
            "  companies:\n    sources: ['pe*.csv']\n    subject: ex:$(company)\n"
            "    predicateobjects:\n      - [a, class:Company]\n"
        )
    )
    (result,) = load({"people.csv": PEOPLE}, text)
    company = "https://x.example/a%20b%2Fc"
    assert triples(result.load) == [
        ("entity:1", "relation:works_at", company),
        (company, "rdf:type", "class:Company"),
    ]


def test_tables_without_a_mapping_are_read_automatically(load: Callable) -> None:
    files = {"people.csv": PEOPLE, "other.csv": "id,name\nx,X\n", "f.nt": "<a:a> <a:b> <a:c> .\n"}
    results = load(files, MAP + "      - [rdfs:label, $(name)]")
    assert facts(results[1].load) == [("entity:other/x", "rdfs:label", "X")]
    assert triples(results[2].load) == [("a:a", "a:b", "a:c")]


def test_json_records_are_found_by_iterators(load: Callable) -> None:
    text = """
mappings:
  country:
    sources: [[doc.json~jsonpath, "$.countries[*]"]]
    s: entity:$(id)
    po:
      - [relation:capital, "entity:$(capital.name)~iri"]
      - [relation:city, "entity:$(cities[*].name)~iri"]
  city:
    sources:
      - [doc.json~jsonpath, "$.countries[*].cities[*]"]
    s: entity:$(name)
    po:
      - [property:size, $(size), xsd:integer]
"""
    document = (
        '{"countries": [{"id": "fr", "capital": {"name": "Paris"},'
        '"cities": [{"name": "Lyon", "size": 5}, {"name": "Nice"}]}]}'
    )
    (result,) = load({"doc.json": document}, text)
    assert result.load.counts.read == 3
    assert triples(result.load) == [
        ("entity:fr", "relation:capital", "entity:Paris"),
        ("entity:fr", "relation:city", "entity:Lyon"),
        ("entity:fr", "relation:city", "entity:Nice"),
        ("entity:Lyon", "property:size", "5"),
    ]
    for wrong, says in (
        (
            text.replace("$.countries[*].c", "$.contries[*].c"),
            "no 'contries' there, only: countries",
        ),
        (text.replace("capital.name", "capitol.name"), "nearest: capital.name; known are id, cap"),
    ):
        with pytest.raises(MappingError, match=r"map\.yaml': c") as error:
            load({"doc.json": document}, wrong)
        assert says in str(error.value)


def test_a_missing_column_is_named_with_the_nearest(load: Callable, workspace: Workspace) -> None:
    with pytest.raises(MappingError) as error:
        mapped(load, "- [rdfs:label, $(nane)]")
    assert "people: " in str(error.value)
    says = (
        "has no column 'nane'; nearest: name; known are id, name, nom, born, company, tongues, page"
    )
    assert says in str(error.value)
    assert active_loads(workspace) == []


def test_a_mapping_for_other_files_names_both(load: Callable) -> None:
    with pytest.raises(MappingError, match=r"it is for people\.csv, and none of the .*other\.csv"):
        load({"other.csv": PEOPLE}, MAP + "      - [a, class:P]")


def test_a_mapping_for_another_format_is_refused(load: Callable) -> None:
    with pytest.raises(MappingError, match="is csv, not what ~ says; known are ~excel"):
        load({"people.csv": PEOPLE}, MAP.replace("~csv", "~jsonpath") + "      - [a, class:P]")


def test_a_first_line_that_the_mapping_names_is_a_header(load: Callable) -> None:
    po = "[[relation:r, 'entity:$(cap)~iri']]"
    text = f"mappings: {{m: {{sources: [a.tsv], s: 'entity:$(iso)', po: {po}}}}}"
    (result,) = load({"a.tsv": "iso\tcap\nfr\tParis\n"}, text)
    assert triples(result.load) == [("entity:fr", "relation:r", "entity:Paris")]


BODY = MAP + "      - [rdfs:label, $(name)]"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file must be a table"),
        ("mappings: {}", "it has no `mappings:`"),
        ("a: [1\nb: 2", "line 2: no YAML"),
        ("a: b\na: c", "line 2: no YAML (key 'a' comes twice)"),
        ("a: &x [1]\nb: *x", "line 2: no YAML (aliases are not supported)"),
        ("[" * 3000, "it is nested too deeply"),
        ("a: \x01", "no YAML"),
        (BODY.replace("mappings", "mapings"), "unknown key 'mapings'; nearest: mappings"),
        (BODY.replace("sources", "sorces"), "people: unknown key 'sorces'; nearest: sources"),
        (BODY.replace("    s: entity:$(id)\n", ""), "people: it has no `s:`"),
        (BODY.replace("    s:", "    targets: ex:g\n    s:"), "people: unknown key 'targets'"),
        (BODY.replace("rdfs:", "rdf-s:"), "unknown prefix 'rdf-s' in 'rdf-s:label'; declare it"),
        (BODY.replace("rdfs:", "rdf-s:"), "nearest: rdfs"),
        (BODY.replace("entity:$", "$"), None),
        (BODY.replace("entity:$", "e$"), "'e$(id)' is no IRI; write a whole one, or a prefix"),
        (BODY.replace("entity:$", "ex:a b$"), "is no IRI; write others than letters and digits"),
        (BODY.replace("rdfs:label", "label"), "a prefix before it such as entity:label"),
        (BODY.replace("$(name)]", "$(name), xsd:interger]"), "nearest: integer"),
        (BODY.replace("$(name)]", "$(name), f r~lang]"), "'f r' is no language; write one such as"),
        (BODY.replace("$(name)]", "entity:$(name)]"), "write entity:$(name)~iri for a link"),
        (BODY.replace("- [rdfs:label, $(name)]", "- rdfs:label"), "write [predicate, object]"),
        (BODY.replace("- [rdfs:label, $(name)]", "- [rdfs:label]"), "write [predicate, object]"),
        (BODY.replace("- [rdfs:label, $(name)]", "- {p: rdfs:label}"), "its object is missing"),
        (
            BODY.replace("$(name)", "{value: $(name), splt: x}"),
            "unknown key 'splt'; nearest: split",
        ),
        (BODY.replace("$(name)", "{value: $(name), type: x}"), "known are iri and literal"),
        (BODY.replace("$(name)", "{function: x}"), "unknown key 'function'"),
        (BODY.replace("$(name)", "{a: {b: c}}"), "unknown key 'a'"),
        (BODY.replace("~csv", "~cvs"), "unknown ~cvs; nearest: csv"),
        (
            BODY.replace("people.csv~csv", "[x~jsonpath, people]"),
            "iterator 'people' cannot be read",
        ),
        (BODY.replace("people.csv~csv", "[x~csv, $.a]"), "a source is a name such as people.csv"),
        (BODY.replace("people.csv~csv", "{access: x}"), "a source must be a text"),
        (BODY.replace("$(name)", "'a $(name'"), "reference '$(name' has no end; close it with )"),
        (BODY.replace("$(name)", "'a $( )'"), "has a reference to no column"),
        (BODY.replace("$(name)", "'${name}'"), "'${name}': write $(column), or \\$ for the sign"),
        (BODY.replace("$(name)", "ex:a$(name)b~name"), "~name follows a prefix and one reference"),
        (BODY.replace("    po:", "    complete: maybe\n    po:"), "`complete:` is true or false"),
        (
            BODY.replace("$(name)", "{value: x, format: '%q'}"),
            "unknown %q in format '%q'; known are",
        ),
        (BODY.replace("$(name)", "{value: x, format: DD.MM}"), "unknown format 'DD.MM'; known are"),
        (BODY.replace("$(name)", "{value: x, format: '%Y%Y'}"), "must say each part once"),
        (BODY.replace("$(name)", "{value: x, format: '%M'}"), "too few parts for a date or a time"),
        (
            BODY.replace("$(name)", "{value: x, datatype: xsd:date, format: '%Y'}"),
            "format '%Y' makes xsd:gYear, not 'xsd:date'",
        ),
        (
            BODY.replace("$(name)", "{value: 'ex:$(a)~iri', format: '%Y'}"),
            "`format:` is for literals",
        ),
        (
            BODY.replace("[rdfs:label, $(name)]", "{p: rdfs:label, o: $(name), q: {ex:q: x}}"),
            "only links can have qualifiers, and 'rdfs:label' makes none",
        ),
        (
            BODY.replace("[rdfs:label, $(name)]", "{p: ex:p, o: ex:o~iri, q: {ex:$(a): x}}"),
            "the name of a qualifier is fixed",
        ),
        ("prefixes: [a]\n" + BODY.replace("prefixes: {", "x: {"), "unknown key 'x'"),
        (BODY.replace('"https://x.example/"', "[a]"), "every prefix must be a text"),
    ],
)
def test_a_mistake_is_named_with_the_way_out(tmp_path: Path, text: str, says: str | None) -> None:
    if says is None:
        (tmp_path / "m.yaml").write_text(text)
        assert isinstance(read_mapping(tmp_path / "m.yaml", default_prefixes("x:")), MappingFile)
    else:
        assert says in refused(tmp_path, text)


def test_the_mapping_file_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MappingError, match="No such file or directory; check the path"):
        read_mapping(tmp_path / "none.yaml", {})
    (tmp_path / "m.yaml").write_bytes(b"\xff")
    with pytest.raises(MappingError, match="not UTF-8"):
        read_mapping(tmp_path / "m.yaml", {})
    monkeypatch.setattr(plain_yaml, "MAX_BYTES", 10)
    assert "larger than" in refused(tmp_path, "# " + "x" * 100)


def test_what_changes_nothing_changes_no_load(load: Callable, workspace: Workspace) -> None:
    """Names, order of keys, remarks and prefixes that are not used are no part of the load's id."""
    po = "      - [rdfs:label, $(name)]"
    first = load({"people.csv": PEOPLE}, MAP + po)[0].load
    text = (MAP + po).replace("people:", "persons:").replace("{ex:", "{z: 'a:b', ex:") + "  # hi"
    again = load({"people.csv": PEOPLE}, text)[0]
    assert (again.load.id, again.known) == (first.id, True)
    other = load({"people.csv": PEOPLE}, (MAP + po).replace("rdfs:label", "ex:label"))[0]
    assert other.load.id != first.id
    assert [load.id for load in active_loads(workspace)] == [other.load.id], "it takes its place"


def test_floats_and_once_hold_for_any_column(load: Callable) -> None:
    text = MAP.replace("people.csv~csv", "[people.json~jsonpath, '$[*]']")
    text = text.replace("    s: entity:$(id)", "    floats: FLOATS\n    s: entity:$(id)")
    text += "      - [ex:of, entity:$(n)~iri]\n"
    text += "  shop: {sources: [[people.json~jsonpath, '$[*]']], once: true, s: ex:shop, "
    text += "po: [[rdfs:label, Shop]]}\n"
    files = {"people.json": '[{"id": "1.0", "n": ["2.0", "3"]}, {"id": "4", "n": ["2"]}]'}
    (result,) = load(files, text.replace("FLOATS", "[id, n]"))
    assert triples(result.load) == [
        ("entity:1", f"{EX}of", "entity:2"),
        ("entity:1", f"{EX}of", "entity:3"),
        ("entity:4", f"{EX}of", "entity:2"),
        (f"{EX}shop", "rdfs:label", "Shop"),
    ]
    with pytest.raises(MappingError, match="has no column 'm'; known"):
        load(files, text.replace("FLOATS", "m"))


def test_once_tells_of_each_value_where_it_comes_first(load: Callable) -> None:
    text = MAP.replace("s: entity:$(id)", "once: true\n    s: entity:$(kind)")
    (result,) = load(
        {"people.csv": "id,kind\n1,a\n2,b\n3,a\n4,\n"}, text + "      - [rdfs:label, $(kind)]\n"
    )
    rows = statements(result.load)
    assert list(zip(rows["object"], rows["row"])) == [("a", 2), ("b", 3)]
