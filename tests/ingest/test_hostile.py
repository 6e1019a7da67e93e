"""Sources that are cut, too long or made to do harm: alike in every format, in one line."""

from __future__ import annotations

import gzip
import sqlite3
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import polars as pl
import pytest

from sightline.cli.main import run
from sightline.graph.record.loads import active_loads
from sightline.graph.storage.workspace import Workspace
from sightline.ingest import lexical
from sightline.ingest.errors import SourceError, SourceUnreadable
from sightline.ingest.formats import rdf
from sightline.ingest.load import ingest
from tests.ingest.conftest import quarantined, statements

Rows = list[tuple[str, str]]
X, LABEL = "http://x.org/", "http://www.w3.org/2000/01/rdf-schema#label"


def frame(rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["id", "name"], orient="row")


def written(write: str) -> Callable[[Rows], bytes]:
    def make(rows: Rows) -> bytes:
        out = BytesIO()
        getattr(frame(rows), write)(out)
        return out.getvalue()

    return make


def text(line: str, before: str = "", after: str = "", join: str = "") -> Callable[[Rows], bytes]:
    """A document of one line for each record."""

    def make(rows: Rows) -> bytes:
        lines = (line.replace("ID", i).replace("NAME", escape(name)) for i, name in rows)
        return (before + join.join(lines) + after).encode()

    return make


def stored(library: str) -> Callable[[Rows], bytes]:
    def make(rows: Rows) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "d"
            connect = sqlite3.connect
            if library == "duckdb":
                import duckdb

                connect = duckdb.connect
            database = connect(str(path))
            database.execute("create table thing (id varchar primary key, name varchar)")
            if library == "duckdb":  # which takes milliseconds for each row that comes alone
                columns = [list(column) for column in zip(*rows, strict=True)]
                database.execute("insert into thing select unnest(?), unnest(?)", columns)
            else:
                database.executemany("insert into thing values (?, ?)", rows)
            database.commit()
            database.close()
            return path.read_bytes()

    return make


def workbook(rows: Rows) -> bytes:
    import openpyxl

    book, out = openpyxl.Workbook(), BytesIO()
    for row in [("id", "name"), *rows]:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(out)
    return out.getvalue()


TRIPLE = f'<{X}ID> <{LABEL}> "NAME" .\n'
RDF = f'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:l="{LABEL[:-5]}">'
RESOURCE = f'<r:Description r:about="{X}ID"><l:label>NAME</l:label></r:Description>'
CYTOSCAPE = '{"elements": {"edges": [], "nodes": ['
GRAPHML = '<graphml><key id="k" for="node" attr.name="label"/><graph edgedefault="directed">'
GEXF = '<gexf><graph defaultedgetype="directed"><nodes>'
BINDING = '{"s": {"type": "uri", "value": "http://x.org/ID"}, "p": {"type": "uri", "value": "%s"}, '
FORMATS: dict[str, Callable[[Rows], bytes]] = {
    "csv": text("ID,NAME\n", "id,name\n"),
    "tsv": text("ID\tNAME\n", "id\tname\n"),
    "jsonl": text('{"id": "ID", "name": "NAME"}\n'),
    "json": text('{"id": "ID", "name": "NAME"}', "[", "]", ", "),
    "parquet": written("write_parquet"),
    "arrow": written("write_ipc"),
    "xlsx": workbook,
    "db": stored("sqlite3"),
    "duckdb": stored("duckdb"),
    "xml": text("<t><id>ID</id><name>NAME</name></t>", "<all>", "</all>"),
    "graphml": text(
        '<node id="ID"><data key="k">NAME</data></node>', GRAPHML, "</graph></graphml>"
    ),
    "gexf": text('<node id="ID" label="NAME"/>', GEXF, "</nodes></graph></gexf>"),
    "cyjs.json": text(
        '{"data": {"id": "ID", "label": "NAME"}}',
        '{"elements": {"edges": [], "nodes": [',
        "]}}",
        ",",
    ),
    "nt": text(TRIPLE),
    "nq": text(TRIPLE),
    "ttl": text(TRIPLE),
    "trig": text(TRIPLE),
    "rdf": text(
        f'<r:Description r:about="{X}ID"><l:label>NAME</l:label></r:Description>', RDF, "</r:RDF>"
    ),
    "jsonld": text(f'{{"@id": "{X}ID", "{LABEL}": "NAME"}}', '{"@graph": [', "]}", ","),
    "obo.json": text(
        '{"id": "http://x.org/ID", "lbl": "NAME"}', '{"graphs": [{"nodes": [', "]}]}", ","
    ),
    "srj": text(
        BINDING % LABEL + '"o": {"type": "literal", "value": "NAME"}}',
        '{"head": {"vars": ["s", "p", "o"]}, "results": {"bindings": [',
        "]}}",
        ",",
    ),
}
#: Formats of which a beginning is a file as well.
LINES = ("csv", "tsv", "jsonl", "nt", "nq")


def labels(workspace: Workspace) -> list[str]:
    found = [statements(load) for load in active_loads(workspace)]
    return sorted(t for f in found for t in f.filter(pl.col("predicate") == LABEL)["object"])


@pytest.mark.parametrize("ending", FORMATS)
def test_a_text_that_no_format_reads_back_is_set_aside_in_every_format_alike(
    ending: str, load: Callable, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (lexical, rdf):
        monkeypatch.setattr(module, "MAX_WRITTEN", 1000)
    made = FORMATS[ending]([("t1", "Ann"), ("t2", "x" * 1100), ("t3", "Cy")])
    (result,) = load({f"a.{ending}": made})
    assert labels(workspace) == ["Ann", "Cy"]
    (aside,) = [
        *quarantined(workspace, result.load),
        *quarantined(workspace, result.load, values=True),
    ]
    assert "longer than 7 MiB" in aside[1]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("ending", FORMATS)
def test_a_file_that_is_cut_in_the_middle_is_no_file(
    ending: str, packed: bool, tmp_path: Path, workspace: Workspace
) -> None:
    count = 12_000 if ending in ("db", "duckdb") else 900
    data = FORMATS[ending]([(f"t{i}", f"name {i * i * 7919}") for i in range(count)])
    path = tmp_path / (f"a.{ending}.gz" if packed else f"a.{ending}")
    data = gzip.compress(data) if packed else data
    path.write_bytes(data[: len(data) // 2])
    if ending in LINES and not packed:
        (result,) = ingest(workspace, [path])
        assert result.load.counts.rejected <= 1
        assert 400 < len(labels(workspace)) < 500
        return
    with pytest.raises(SourceError) as caught:
        ingest(workspace, [path])
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert active_loads(workspace) == []


def test_what_a_line_of_a_table_lacks_is_said_where_a_file_is_cut(load: Callable) -> None:
    (result,) = load({"a.csv": "id,name,kind\n1,Ann,x\n2,Bo,y\n3,C"})
    assert any("fewer than 3 fields" in note.text and note.warning for note in result.load.notes)


def test_the_longest_texts_go_out_and_come_back_in_every_format_of_rdf(
    tmp_path: Path, workspace: Workspace
) -> None:
    longest = "x" * ((7 << 20) - 200)
    names = [("t1", longest), ("t2", "y" * (16 << 20)), ("t3", "Cy")]
    (tmp_path / "a.csv").write_bytes(FORMATS["csv"](names))
    ingest(workspace, [tmp_path / "a.csv"])
    assert labels(workspace) == ["Cy", longest]
    for ending in ("nq", "ttl", "jsonld"):
        out = str(tmp_path / f"out.{ending}")
        assert run(["export", "-w", str(workspace.path), "-f", ending, "-o", out]) == 0
        again = Workspace.create(tmp_path / ending)
        ingest(again, [out])
        assert labels(again) == ["Cy", longest]


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
BILLION = f'<!DOCTYPE z [<!ENTITY l0 "ha">{LAUGHS}]>', "&l9;"
QUADRATIC = f'<!DOCTYPE z [<!ENTITY a "{"a" * 50_000}">]>', "&a;" * 1000


def zipped(data: bytes, name: str) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("packing", ["", "gz", "zip"])
@pytest.mark.parametrize("ending", ["xml", "graphml", "gexf", "rdf"])
@pytest.mark.parametrize("bomb", [BILLION, QUADRATIC], ids=["billion laughs", "quadratic"])
def test_entities_that_grow_are_refused_however_they_are_packed(
    bomb: tuple[str, str], ending: str, packing: str, tmp_path: Path, workspace: Workspace
) -> None:
    doctype, body = bomb
    made = FORMATS[ending]([("t1", "NAME_HERE"), ("t2", "b")]).decode()
    data = (doctype + made.replace("NAME_HERE", body)).encode()
    name = f"a.{ending}"
    path = tmp_path / (f"{name}.{packing}" if packing else name)
    path.write_bytes({"": bytes, "gz": gzip.compress}.get(packing, lambda d: zipped(d, name))(data))
    with pytest.raises(SourceUnreadable, match="bomb") as caught:
        ingest(workspace, [path])
    assert "\n" not in str(caught.value)
    assert active_loads(workspace) == []


def test_a_parquet_file_that_says_one_long_value_often_is_refused(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline.ingest.streams.BOMB_SIZE", 1000)
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": ["x" * 1000] * 2000}).write_parquet(path)
    assert path.stat().st_size < 5000
    with pytest.raises(SourceUnreadable, match="bomb"):
        ingest(workspace, [path])
    assert active_loads(workspace) == []
