"""Entities of Wikidata: what they state, in every form in which they are given out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sightline.graph.storage.workspace import Workspace
from sightline.ingest.raw import source_record
from tests.ingest.conftest import quarantined, remarks, statements, triples

WD, WDT = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"


def snak(value: Any, kind: str = "string", prop: str = "P1") -> dict[str, Any]:
    return {"snaktype": "value", "property": prop, "datavalue": {"type": kind, "value": value}}


def item(name: str) -> dict[str, Any]:
    return snak({"entity-type": "item", "numeric-id": int(name[1:])}, "wikibase-entityid")


def claim(main: dict[str, Any], rank: str = "normal", **more: Any) -> dict[str, Any]:
    return {"mainsnak": main, "type": "statement", "rank": rank, **more}


def time(text: str, precision: int) -> dict[str, Any]:
    return snak({"time": text, "precision": precision}, "time")


ADAMS: dict[str, Any] = {
    "type": "item",
    "id": "Q42",
    "labels": {"en": {"language": "en", "value": "Douglas Adams"}},
    "descriptions": {"simple": {"language": "simple", "value": "writer"}},
    "aliases": {"en": [{"language": "en", "value": "DNA"}]},
    "claims": {
        "P31": [claim(item("Q5"))],
        "P69": [
            claim(item("Q691"), qualifiers={"P580": [time("+1971-01-01T00:00:00Z", 9)]}),
            claim(item("Q4"), "deprecated"),
        ],
        "P800": [claim(item("Q1")), claim(item("Q2"), "preferred"), claim(item("Q3"), "preferred")],
        "P569": [claim(time("+1952-03-11T00:00:00Z", 11))],
        "P2048": [claim(snak({"amount": "+1.96", "unit": "1"}, "quantity"))],
        "P625": [claim(snak({"latitude": 51.5, "longitude": -0.1}, "globecoordinate"))],
        "P1477": [claim(snak({"text": "Noël", "language": "fr"}, "monolingualtext"))],
        "P570": [claim({"snaktype": "somevalue", "property": "P570"})],
    },
    "sitelinks": {"enwiki": {"site": "enwiki", "title": "Douglas Adams"}},
}
PROPERTY = {
    "type": "property",
    "id": "P69",
    "labels": {"en": {"language": "en", "value": "educated at"}},
    "claims": {},
}
STATED = [
    ("Q42", "rdfs:label", "Douglas Adams"),
    ("Q42", "schema:description", "writer"),
    ("Q42", "skos:altLabel", "DNA"),
    ("Q42", f"{WDT}P31", f"{WD}Q5"),
    ("Q42", "rdf:type", f"{WD}Q5"),
    ("Q42", f"{WDT}P69", f"{WD}Q691"),
    ("Q42", f"{WDT}P800", f"{WD}Q2"),
    ("Q42", f"{WDT}P800", f"{WD}Q3"),
    ("Q42", f"{WDT}P569", "1952-03-11"),
    ("Q42", f"{WDT}P2048", "1.96"),
    ("Q42", f"{WDT}P625", "Point(-0.1 51.5)"),
    ("Q42", f"{WDT}P1477", "Noël"),
    ("P69", "rdfs:label", "educated at"),
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dump.json", "[\n" + json.dumps(ADAMS) + ",\n" + json.dumps(PROPERTY) + "\n]\n"),
        ("lines.jsonl", json.dumps(ADAMS) + "\n" + json.dumps(PROPERTY) + "\n"),
        ("answer.json", json.dumps({"entities": {"Q42": ADAMS, "P69": PROPERTY}})),
        ("list.json", json.dumps([ADAMS, PROPERTY], indent=1)),
    ],
)
def test_entities_state_the_same_in_every_form(
    load: Callable, workspace: Workspace, name: str, text: str
) -> None:
    (result,) = load({name: text})
    label = (f"{WDT}P69", "rdfs:label", "educated at")
    assert triples(result.load) == [*((WD + s, p, o) for s, p, o in STATED), label]
    (note,) = result.load.notes
    for left in ("1 links to pages", "2 statements of a lower rank", "1 statements without a"):
        assert left in note.text
    said = [one for one in remarks(result.load) if one]
    assert said == [[(f"{WDT}P580", "1971", "xsd:gYear")]]
    assert source_record(workspace, result.load.id, "row 2").raw.startswith('{"type": "property"')


@pytest.mark.parametrize(
    ("text", "precision", "value", "datatype"),
    [
        ("+1952-03-00T00:00:00Z", 10, "1952-03", "gYearMonth"),
        ("-0044-03-15T00:00:00Z", 11, "-0044-03-15", "date"),
        ("+1900-02-29T00:00:00Z", 11, "+1900-02-29T00:00:00Z", "string"),
        ("+1500-00-00T00:00:00Z", 7, "+1500-00-00T00:00:00Z", "string"),
        ("+1952-00-00T00:00:00Z", 11, "+1952-00-00T00:00:00Z", "string"),
    ],
)
def test_times_are_as_precise_as_they_say(
    load: Callable, text: str, precision: int, value: str, datatype: str
) -> None:
    one = {**PROPERTY, "labels": {}, "claims": {"P1": [claim(time(text, precision))]}}
    (result,) = load({"t.json": json.dumps(one)})
    (row,) = statements(result.load).rows(named=True)
    assert (row["object"], row["datatype"].rpartition("#")[2]) == (value, datatype)


def test_a_line_that_is_no_entity_is_set_aside_whole(load: Callable, workspace: Workspace) -> None:
    bad = {**ADAMS, "id": "Q42> <x"}
    half = {**ADAMS, "claims": {"P1": [{"mainsnak": {}}]}}
    lines = [json.dumps(one) for one in (ADAMS, bad, half, PROPERTY)]
    (result,) = load({"dump.json": "[\n" + ",\n".join([*lines, '{"id": "Q4']) + "\n]\n"})
    assert [line for line, *_ in quarantined(workspace, result.load)] == [2, 3, 5]
    assert len(triples(result.load)) == len(STATED) + 1


def test_other_json_with_labels_is_no_entity_of_wikidata(load: Callable) -> None:
    one = {"id": "x1", "type": "item", "labels": {"a": {"language": 7}}}
    (result,) = load({"t.json": json.dumps([one, {**one, "id": "x2"}])})
    assert result.load.media_type == "application/json"
