"""RDF goes in and comes out again term by term; bad lines are set aside, bad documents refused."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sightline.graph.rdf.index import n_quads
from sightline.graph.record.loads import Load, active_loads
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.errors import SourceSyntaxError, TooManyRejected
from sightline.ingest.formats.rdf import N_QUADS, N_TRIPLES
from sightline.ingest.load import ingest
from sightline.ingest.source import Source, StatementFormat
from tests.graph.conftest import canonical
from tests.ingest.conftest import quarantined, statements, triples

pieces = st.sampled_from([*"ab/?&=é日~!$'()*+,;:@._-", "%C3"])
iris = st.lists(pieces, max_size=6).map(
    lambda parts: ox.NamedNode("http://x.example/" + "".join(parts))
)
blanks = st.sampled_from([ox.BlankNode(name) for name in ("b", "b0", "x-1")])
texts = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from('"\\\n\r\t\x00\x08\x0c\x7f\x85\u2028@^<> .'),
    max_size=8,
)
literals = (
    st.builds(ox.Literal, texts)
    | st.builds(ox.Literal, texts, language=st.sampled_from(["en", "fr-CA", "zh-Hant"]))
    | st.builds(ox.Literal, texts, datatype=iris)
)
quads = st.builds(
    ox.Quad,
    iris | blanks,
    iris,
    iris | blanks | literals,
    st.just(ox.DefaultGraph()) | iris | blanks,
)


def load_one(folder: Path, name: str, data: bytes) -> Load:
    (folder / name).write_bytes(data)
    return ingest(Workspace.create(folder / "ws"), [folder / name])[0].load


def exported(load: Load) -> set[ox.Quad]:
    """What a load holds, by the writer that the RDF index uses; its own graph is the default."""
    found: set[ox.Quad] = set()
    for path in load.statements:
        found |= set(ox.parse(n_quads(pl.read_parquet(path)), format=ox.RdfFormat.N_QUADS))
    return found


@settings(max_examples=80)
@given(st.lists(quads, min_size=1, max_size=6), st.sampled_from(["nq", "trig"]))
def test_data_sets_come_back_as_they_were(given_quads: list[ox.Quad], ending: str) -> None:
    kind = {"nq": ox.RdfFormat.N_QUADS, "trig": ox.RdfFormat.TRIG}[ending]
    data = ox.serialize(given_quads, format=kind)
    with tempfile.TemporaryDirectory() as folder:
        load = load_one(Path(folder), f"data.{ending}", data or b"")
        assert canonical(exported(load)) == canonical(given_quads)
        assert load.counts.loaded == len(set(given_quads))


@settings(max_examples=30)
@given(st.lists(quads, min_size=1, max_size=6), st.sampled_from(["nt", "ttl"]))
def test_what_rdflib_writes_comes_back_as_it_was(given_quads: list[ox.Quad], ending: str) -> None:
    plain = [ox.Triple(q.subject, q.predicate, q.object) for q in given_quads]
    graph = rdflib.Graph().parse(ox.serialize(plain, format=ox.RdfFormat.N_TRIPLES), format="nt")
    data = graph.serialize(format=ending, encoding="utf-8")
    assume(ending == "nt" or b"%" not in data)  # rdflib's Turtle cuts IRIs at a percent sign
    with tempfile.TemporaryDirectory() as folder:
        load = load_one(Path(folder), f"data.{ending}", data)
        assert canonical(exported(load)) == canonical([ox.Quad(*triple) for triple in set(plain)])


def test_rows_are_lines_and_a_bad_line_spoils_no_other(workspace, load) -> None:
    data = (
        "<a:a> <a:r> <a:b> .\n"
        "# a remark\n"
        '<a:a> <a:r> "b .\n'
        "\n"
        '<a:a> <a:r> "\\u00e9\\n" .\r\n'
        "<a:a> <a:r> <a:b> .\n"
        "<a:a> <a:r> <a:b c> .\n"
        "<a:a> <a:r> <<( <a:a> <a:r> <a:b> )>> .\n"
        '<a:a> <a:r> "x"@ar--rtl .\n'
        "<a:c> <a:r> <a:d> ."
    )
    (result,) = load({"facts.nt": data})
    counts = result.load.counts
    assert (counts.read, counts.loaded, counts.duplicate, counts.rejected) == (8, 3, 1, 4)
    frame = statements(result.load)
    assert frame["row"].to_list() == [1, 5, 10]
    assert frame["object"].to_list() == ["a:b", "é\n", "a:d"]
    lines = [line for line, _, _ in quarantined(workspace, result.load)]
    assert lines == [3, 7, 8, 9]
    assert quarantined(workspace, result.load)[0][2] == '<a:a> <a:r> "b .'


def test_a_syntax_error_in_turtle_names_its_line(load) -> None:
    lines = [
        "@prefix : <http://x.example/> .",
        *[f":a :r :b{i} ." for i in range(15)],
        ":a :r",
        ".",
    ]
    with pytest.raises(SourceSyntaxError, match=r"line 1[78]: ") as error:
        load({"facts.ttl": "\n".join(lines)})
    assert "correct the line, nothing was loaded" in str(error.value)


def test_a_turtle_syntax_error_on_line_17_names_line_17(workspace: Workspace, load) -> None:
    lines = ["@prefix : <http://x.example/> .", *[f":a :r :b{i} ." for i in range(15)]]
    with pytest.raises(SourceSyntaxError, match=r"facts\.ttl', line 17: "):
        load({"facts.ttl": "\n".join([*lines, ":a :r ] .", ":a :r :z .", ""])})
    assert active_loads(workspace) == []
    assert not list(workspace.path.rglob("statements*"))


def test_blank_nodes_of_two_files_stay_apart_and_of_one_file_together(load) -> None:
    data = '_:x <a:r> _:y .\n_:y <a:r> "{}" .\n'
    one, two = load({"one.nt": data.format(1), "two.nt": data.format(2)})
    first, second = triples(one.load), triples(two.load)
    assert first[0][2] == first[1][0]
    assert {s for s, _, _ in first}.isdisjoint({s for s, _, _ in second})


def test_turtle_reads_the_same_way_every_time(tmp_path: Path) -> None:
    data = b"@prefix : <http://x.example/> . :a :r [ :s [ :t 1.0 ] ], ( 1 true ) ."
    first, second = (
        load_one(Path(tempfile.mkdtemp(dir=tmp_path)), "facts.ttl", data) for _ in range(2)
    )
    assert first.id == second.id
    assert statements(first).equals(statements(second))


def test_lexical_forms_are_kept(load) -> None:
    (result,) = load({"facts.ttl": '<a:a> <a:r> 01.10, "1e5"^^<a:mine>, "007", true .'})
    assert statements(result.load)["object"].to_list() == ["01.10", "1e5", "007", "true"]


@pytest.mark.parametrize("ending", ["nt", "nq", "ttl", "trig"])
def test_gzip_and_a_byte_order_mark_change_nothing(load: Callable, ending: str) -> None:
    data = b"\xef\xbb\xbf<a:a> <a:r> <a:b> .\n"
    (result,) = load({f"facts.{ending}.gz": gzip.compress(data)})
    assert triples(result.load) == [("a:a", "a:r", "a:b")]


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.ttl", "@prefix : <a:> ."), ("a.nt", "# nothing\n"), ("b.nq", ""), ("a.jsonld", "{}")],
)
def test_a_file_without_a_statement_is_a_load_that_says_so(load, name: str, data: str) -> None:
    (result,) = load({name: data})
    (note,) = result.load.notes
    assert result.load.counts.statements == 0
    assert note.warning
    assert "no statement" in note.text


def test_a_file_that_is_no_ntriples_is_refused(workspace: Workspace, load) -> None:
    with pytest.raises(TooManyRejected, match=r"3 of 3 records were rejected \(first: line 1: "):
        load({"a.nt": "this\nis\nprose\n"})
    assert active_loads(workspace) == []


LINES = [
    "<a:a> <a:r> <a:b> .",
    "<a:a> <a:r> <a:b>.",
    "<a:a>\t<a:r>   <a:b> . # remark",
    "_:x <a:r> _:y .",
    "<a:a> <a:r> <http://[x]/> .",
    "<a:a> <a:r> <http://x.example:port/> .",
    "<a:a> <a:r> <relative> .",
    "<a:a> <a:r> <a:%4> .",
    "<a:a> <a:r> <a:é> .",
    '<a:a> <a:r> "text" .',
    '<a:a> <a:r> "text"@en-US .',
    '<a:a> <a:r> "text"@en-a .',
    '<a:a> <a:r> "text"@de-at .',
    '<a:a> <a:r> "a \\"quoted\\" \\u0007 \\n text"^^<a:t> .',
    '<a:a> <a:r> "x"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#langString> .',
    '<a:a> <a:r> "x"^^<http://www.w3.org/2001/XMLSchema#string> .',
    '<a:a> <a:r> "bad \\q escape" .',
    '<a:a> <a:r> "open .',
    '<a:a> "a:r" <a:b> .',
    "<a:a> <a:r> <a:b> <a:g> .",
    '<a:a> <a:r> "in a graph" _:g .',
    "<a:a> <a:r> <a:b> . <a:a> <a:r> <a:c> .",
    "# <a:a> <a:r> <a:b> .",
    "",
    " ",
]


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from(LINES), min_size=1, max_size=8), st.sampled_from([N_TRIPLES, N_QUADS])
)
def test_each_line_is_read_as_the_parser_reads_it_alone(
    lines: list[str], form: StatementFormat
) -> None:
    format = ox.RdfFormat.from_extension(form.name)
    expected: list[tuple[int, ox.Quad]] = []
    bad: list[int] = []
    for row, line in enumerate(lines, 1):
        try:
            expected += [(row, quad) for quad in ox.parse(line.encode(), format=format)]
        except SyntaxError:
            bad.append(row)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        batches = list(form.statements(Source(path, form), "0" * 64, "", []))
        assert [r.line for batch in batches for r in batch.rejected] == bad
        assert [row for batch in batches for row in batch.rows] == [row for row, _ in expected]
        frame = pl.concat([batch.frame for batch in batches]).with_columns(row=pl.lit(1))
        found = ox.parse(n_quads(frame), format=ox.RdfFormat.N_QUADS)
        assert canonical(list(found)) == canonical([quad for _, quad in expected])
