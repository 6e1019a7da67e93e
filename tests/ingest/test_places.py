"""Where a row is in what it was read from."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sightline.graph.record.places import TableRows
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest


def shop(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE maker (id TEXT PRIMARY KEY, name TEXT)")
        database.executemany("INSERT INTO maker VALUES (?, ?)", [("m1", "Ada"), ("m2", "Bo")])
        database.execute(
            "CREATE TABLE thing (id TEXT PRIMARY KEY, name TEXT, maker TEXT REFERENCES maker (id))"
        )
        rows = [("t1", "Bolt", "m2"), ("t2", "Nut", "m2")]
        database.executemany("INSERT INTO thing VALUES (?, ?, ?)", rows)
    return path


def test_rows_of_tables_of_one_source_are_told_apart_in_answers(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    (result,) = ingest(ws, [shop(tmp_path / "shop.sqlite")])
    assert [(t.name, t.first_row) for t in result.load.tables] == [("maker", 1), ("thing", 3)]
    snapshot = compile_snapshot(ws, rdf=False)
    said = {str(origin) for e in range(snapshot.num_edges) for origin in snapshot.origins(e)}
    assert said == {"shop.sqlite, table thing, row 1", "shop.sqlite, table thing, row 2"}


def test_an_item_of_a_document_is_named_by_its_path(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    file = tmp_path / "hills.json"
    records = [{"id": f"h{i}", "name": f"Hill {i}", "near": "h0"} for i in range(3)]
    file.write_text(json.dumps({"ranges": records}))
    (result,) = ingest(ws, [file])
    (table,) = result.load.tables
    assert [table.place(row) for row in (1, 3)] == ["$.ranges[0]", "$.ranges[2]"]


@pytest.mark.parametrize(
    ("table", "row", "place", "others"),
    [
        (TableRows("", 1, "line"), 12, "line 12", ()),
        (TableRows("People", 5, "sheet"), 8, "sheet People, row 4", ("People!4", "people!4")),
        (TableRows("order", 8, "table"), 14, "table order, row 7", ("order!7", "order/7")),
        (TableRows("$.a.b[*]", 4, "path"), 6, "$.a.b[2]", ()),
        (TableRows("$", 4, "path"), 4, "$", ()),
        (TableRows("$.a[*].b[*]", 4, "path"), 6, "$.a[*].b[*], record 3", ()),
    ],
)
def test_a_place_names_its_row(
    table: TableRows, row: int, place: str, others: tuple[str, ...]
) -> None:
    assert table.place(row) == place
    assert {table.row_at(text) for text in (place, *others)} == {row}
    assert table.row_at("$.other[2]") is None
