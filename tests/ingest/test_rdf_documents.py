"""RDF/XML and JSON-LD: told by their content, bounded, and what is elsewhere is not fetched."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyoxigraph as ox
import pytest

from sightline.graph.exchange.export import export
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.load import ingest
from tests.graph.conftest import canonical
from tests.ingest.conftest import statements, triples

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
X = "http://x.example/"
ONE = [(X + "a", X + "r", X + "b")]


def rdf_xml(body: str, before: str = '<?xml version="1.0"?>') -> str:
    return f'{before}\n<rdf:RDF xmlns:rdf="{RDF}" xmlns:x="{X}">{body}</rdf:RDF>'


def about(subject: str, target: str) -> str:
    return f'<x:T rdf:about="{subject}"><x:r rdf:resource="{target}"/></x:T>'


@pytest.mark.parametrize("name", ["a.owl", "a.rdf", "a.xml", "in/a.xml"])
def test_rdf_in_xml_is_told_by_its_root(load: Callable, name: str) -> None:
    begin = f'<?xml version="1.0"?><!-- > -->\n<!DOCTYPE rdf:RDF [<!ENTITY x "{X}">]>'
    (result,) = load({name: rdf_xml(about("&x;a", "&x;b"), begin)})
    assert triples(result.load)[1:] == ONE


def test_an_ontology_may_be_turtle_whatever_it_is_called(load: Callable) -> None:
    (result,) = load({"a.owl": f"# made by hand\n@prefix x: <{X}> .\nx:a x:r x:b ."})
    assert triples(result.load) == ONE


def test_xml_says_its_encoding(load: Callable) -> None:
    text = rdf_xml(
        f'<rdf:Description rdf:about="{X}a"><x:n>Zoë</x:n></rdf:Description>',
        '<?xml version="1.0" encoding="ISO-8859-1"?>',
    )
    (result,) = load({"a.rdf": text.encode("latin-1")})
    assert statements(result.load)["object"].to_list() == ["Zoë"]


LAUGHS = '<!DOCTYPE rdf:RDF [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {new} "{f"&{old};" * 20}">' for old, new in zip("abc", "bcd")
)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.rdf", rdf_xml("<x:T><x:n>&d;</x:n></x:T>", LAUGHS + "]>"), "'c' expands to more than"),
        ("a.rdf", rdf_xml("", '<!DOCTYPE r [<!ENTITY % a "b">%a;]>'), "a parameter"),
        ("a.rdf", rdf_xml("", '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>'), "ENTITY"),
        ("a.rdf", rdf_xml("", '<?xml version="1.0" encoding="none-such"?>'), "is unknown"),
        ("a.rdf", rdf_xml("<x:T>"), "ill-formed"),
        ("a.rdf", '<TriX xmlns="http://www.w3.org/2004/03/trix/trix-1/"/>', "it is TriX; convert"),
        ("a.owl", '<Ontology xmlns="http://www.w3.org/2002/07/owl#"/>', "it is OWL/XML; convert"),
        ("a.xml", '<Ontology xmlns="http://www.w3.org/2002/07/owl#"/>', "it is OWL/XML; convert"),
        ("a.xml", "<TriX><graph/></TriX>", "it is TriX; convert"),
        ("a.jsonld", '{"@context": "https://x.example/c", "name": "A"}', "c' is elsewhere, and no"),
        ("a.json", '{"@context": ["https://x.example/c"], "name": "A"}', "c' is elsewhere, and no"),
        ("a.jsonld", '{"@context": {"@import": "https://x.example/c"}}', "c' is elsewhere, and no"),
        ("a.jsonld", '{"@context": {"a": {"@id": "a:b", "@context": "c:d"}}}', "'c:d' is elsewhe"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_way_out(
    load: Callable, workspace: Workspace, name: str, text: str, reason: str
) -> None:
    with pytest.raises(SourceUnreadable, match=reason):
        load({name: text})
    assert not list(workspace.loads_folder.glob("*"))


VOCABULARY = f'"@context": {{"@vocab": "{X}", "r": {{"@type": "@id"}}}}'


@pytest.mark.parametrize(
    "text",
    [
        f'{{{VOCABULARY}, "@id": "{X}a", "r": "{X}b"}}',
        f'[{{{VOCABULARY}, "@id": "{X}a", "r": "{X}b"}}]',
        f'{{"@graph": [{{"@id": "{X}a", "{X}r": {{"@id": "{X}b"}}}}]}}',
        f'[{{"@id": "{X}a", "{X}r": [{{"@id": "{X}b"}}]}}]',
    ],
)
def test_json_is_linked_data_where_its_keys_say_so(load: Callable, text: str) -> None:
    (result,) = load({"a.json": text})
    assert triples(result.load) == ONE


@pytest.mark.parametrize(
    "text",
    [
        '[{"id": "1", "data": {"@context": "https://schema.org", "name": "A"}}]',
        '[{"id": "1", "note": "\\"@context\\": 1"}]',
        '[{"@id": "1", "name": "A"}]',
    ],
)
def test_json_that_only_mentions_keys_of_linked_data_is_a_table(load: Callable, text: str) -> None:
    (result,) = load({"a.json": text})
    assert result.load.media_type == "application/json"


def test_the_context_of_schema_org_is_here_also_within_others(load: Callable) -> None:
    text = (
        '{"@context": ["http://schema.org/", {"own": {"@id": "a:p", "@context": "https://schema.org"'
        '}}], "@id": "x:a", "@type": "Film", "name": "A", "url": "x:u", "own": {"sameAs": "x:b"}}'
    )
    (result,) = load({"a.jsonld": text})
    terms = set(triples(result.load))
    assert {("x:a", "schema:url", "x:u"), ("x:a", "rdf:type", "schema:Film")} <= terms
    frame = statements(result.load)
    assert frame.filter(frame["datatype"].is_null())["object"].is_in(["x:u", "x:b"]).sum() == 2


def test_blank_nodes_of_two_documents_are_two_things(load: Callable) -> None:
    one = f'{{"@context": {{"@vocab": "{X}"}}, "@id": "_:a", "n": "%s"}}'
    first, second = load({"a.jsonld": one % "A", "b.jsonld": one % "B"})
    assert triples(first.load)[0][0] != triples(second.load)[0][0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.ttl", "<a> <r> <#b>, <> ."),
        ("a.jsonld", '{"@id": "a", "urn:sightline:file/r": [{"@id": "#b"}, {"@id": ""}]}'),
        ("a.rdf", rdf_xml(about("a", "#b") + about("a", "")).replace(X, "urn:sightline:file/")),
    ],
)
def test_relative_iris_are_under_the_name_of_the_file(load: Callable, name: str, text: str) -> None:
    (result,) = load({name: text})
    found = {triple for triple in triples(result.load) if triple[1] == "file/r"}
    assert found == {("file/a", "file/r", f"file/{name}#b"), ("file/a", "file/r", f"file/{name}")}
    (note,) = result.load.notes
    assert note.warning
    assert "relative IRIs" in note.text


def test_control_characters_in_literals_are_no_sign_of_another_format(load: Callable) -> None:
    text = '<a:a> <a:p> "' + "\0\1\2\3" * 20 + '" .'
    (result,) = load({"a.nt": text})
    assert statements(result.load)["object"].to_list() == ["\0\1\2\3" * 20]


@pytest.mark.parametrize("ending", ["nt", "ttl", "jsonld", "nq"])
def test_exports_come_back_as_they_were(tmp_path: Path, ending: str) -> None:
    given = (
        f'@prefix x: <{X}> . x:a x:r [ x:r ("1" 2 x:b) ; x:n "é\\n\\"" , "b"@de ] . x:b a x:T . '
        "<http://schema.org/a> <http://schema.org/b> <https://schema.org/c> ."
    )
    (tmp_path / "given.ttl").write_text(given)
    for folder, source in (("one", "given.ttl"), ("two", f"out.{ending}")):
        workspace = Workspace.create(tmp_path / folder)
        ingest(workspace, [tmp_path / source])
        export(workspace, ending, tmp_path / f"out.{ending}")  # type: ignore[arg-type]
    quads = ox.parse(given, format=ox.RdfFormat.TURTLE)
    back = ox.parse(path=tmp_path / f"out.{ending}", format=ox.RdfFormat.from_extension(ending))
    assert canonical(back) == canonical(quads)


FILM = (
    '{"@context": {"n": "x:n", "T": {"@id": "x:T", "@context": {"typed": "x:t"}}, "gone": null,'
    ' "in": {"@id": "x:in", "@context": {"deep": "x:d"}}, "at": {"@id": "x:at", "@type": "@json"},'
    ' "by": {"@id": "x:by", "@container": "@language"}, "kind": "@type",'
    ' "held": {"@id": "x:held", "@container": "@graph"}},'
    ' "@id": "x:a", "kind": "T", "n": "A", "x:p": 1, "typed": 2, BODY}'
)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ('"by": {"de": "B", "en": "C"}, "at": {"any": 1}, "in": {"deep": 1}', None),
        ('"colour": "red", "n": "B"', "1 value under .*: colour (1);"),
        ('"deep": 1, "in": {"deep": 1, "size": 2, "typed": 3}', "2 values .*: deep (1), size (1);"),
        ('"in": [{"size": 2}, {"size": 3, "@graph": [{"size": 4}]}]', "3 values .*: size (3);"),
        ('"held": {"@id": "x:b", "size": 2, "n": "B"}', "1 value under .*: size (1);"),
        ('"gone": 1, "colour": {"size": 1}', "2 values .*: gone (1), colour (1);"),
        ('"in": {"@context": {"@vocab": "x:"}, "size": {"other": 1}}, "other": 1', "other (1);"),
    ],
)
def test_keys_without_a_meaning_are_left_out_and_said(
    load: Callable, body: str, left: str | None
) -> None:
    (result,) = load({"a.jsonld": FILM.replace("BODY", body)})
    assert ("x:a", "x:t", "2") in triples(result.load)
    said = [note.text for note in result.load.notes if note.warning]
    assert len(said) == (left is not None)
    for text in said:
        assert re.search(left.replace("(", r"\(").replace(")", r"\)"), text), text
