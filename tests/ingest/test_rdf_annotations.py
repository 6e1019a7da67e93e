"""What RDF 1.2 says of statements is kept with them, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sightline.graph.exchange.export import export
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from tests.ingest.conftest import quarantined, remarks, statements

REIFIES = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#reifies>"
LINES = f"""
_:r <a:year> "1903" .
<a:a> <a:won> <a:b> .
_:r {REIFIES} <<( <a:a> <a:won> <a:b> )>> .
_:r <a:by> <a:c> .
"""
XML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:a="a:" '
    'rdf:version="1.2"><rdf:Description rdf:about="a:a"><a:won rdf:annotation="a:r" '
    'rdf:resource="a:b"/></rdf:Description><rdf:Description rdf:about="a:r"><a:year>1903</a:year>'
    '<a:by rdf:resource="a:c"/></rdf:Description></rdf:RDF>'
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.ttl", "<a:a> <a:won> <a:b> {| <a:year> 1903 ; <a:by> <a:c> |} ."),
        ("a.ttl", "<a:a> <a:won> <a:b> . << <a:a> <a:won> <a:b> >> <a:year> 1903; <a:by> <a:c> ."),
        ("a.trig", "<a:g> { <a:a> <a:won> <a:b> {| <a:year> 1903 ; <a:by> <a:c> |} . }"),
        ("a.nt", LINES),
        ("a.nq", LINES),
        ("a.rdf", XML),
    ],
)
def test_remarks_become_qualifiers_and_come_back(
    load: Callable, workspace: Workspace, tmp_path: Path, name: str, text: str
) -> None:
    (result,) = load({name: text})
    typed = name not in ("a.nt", "a.nq", "a.rdf")
    said = [("a:by", "a:c", ""), ("a:year", "1903", "xsd:integer" if typed else "xsd:string")]
    frame = statements(result.load)
    assert set(frame.select("subject", "predicate", "object").rows()) == {("a:a", "a:won", "a:b")}
    assert [sorted(row) for row in remarks(result.load) if row] == [said]
    assert any("2 remarks on statements" in note.text for note in result.load.notes)
    snapshot = compile_snapshot(workspace, rdf=False)
    year = 1903 if typed else "1903"
    assert [q.value for q in snapshot.qualifiers(0)] == ["a:c", year]
    for ending in ("nt", "ttl", "nq"):
        export(workspace, ending, tmp_path / f"out.{ending}")  # type: ignore[arg-type]
        back = Workspace.create(tmp_path / ending)
        (again,) = ingest(back, [tmp_path / f"out.{ending}"])
        assert [sorted(row) for row in remarks(again.load) if row] == [said]
        assert compile_snapshot(back, rdf=False).num_edges == 1


def test_two_that_speak_of_a_statement_are_kept_apart(load: Callable) -> None:
    (result,) = load({"a.ttl": "<a:a> <a:r> <a:b> {| <a:y> 1; <a:by> 'A' |} {| <a:y> 2 |} ."})
    found = [[value for _, value, _ in row] for row in remarks(result.load) if row]
    assert sorted(found) == [["1", "A"], ["2"]]


@pytest.mark.parametrize(
    ("remark", "reason"),
    [
        ("<< <a:a> <a:r> <a:z> >> <a:y> 1 .", "does not state"),
        ("<< <a:a> <a:r> <<( <a:a> <a:r> <a:b> )>> >> <a:y> 1 .", "speaks of a triple that"),
        ("<a:a> <a:r> <<( <a:a> <a:r> <a:b> )>> .", "a triple or a text with a direction"),
        ("<a:a> <a:r> 'x'@ar--rtl .", "a triple or a text with a direction"),
    ],
)
def test_what_cannot_be_kept_is_set_aside_with_the_reason(
    load: Callable, workspace: Workspace, remark: str, reason: str
) -> None:
    facts = "<a:a> <a:r> <a:b>, <a:c>, <a:d>, <a:e> . "
    (result,) = load({"a.ttl": facts + remark})
    assert statements(result.load).height == 4
    assert all(reason in why for _, why, _ in quarantined(workspace, result.load)[:1])
    assert result.load.counts.rejected in (1, 2)
