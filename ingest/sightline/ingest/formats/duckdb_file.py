"""DuckDB files: opened read-only by DuckDB's own library, imported only where there is one.

Knows how DuckDB says what it holds; what becomes of its values is known by ``database``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from sightline.graph.record.loads import Note
from sightline.ingest.batch import Batch
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.source import Declared, Link, Selection, Source, Table, TableFormat

#: Where the mark of the format is in a file, and the mark.
MARK = slice(8, 12), b"DUCK"
TABLES = """select table_name from duckdb_tables()
    where database_name = current_database() and schema_name = 'main' order by table_name"""
VIEWS = """select schema_name || '.' || view_name from duckdb_views()
    where database_name = current_database() and not internal"""
OTHERS = """select schema_name || '.' || table_name from duckdb_tables()
    where database_name = current_database() and schema_name <> 'main'"""
CONSTRAINTS = """select constraint_type, constraint_column_names, referenced_table,
    referenced_column_names from duckdb_constraints()
    where database_name = current_database() and schema_name = 'main' and table_name = ?"""


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    try:
        import duckdb
    except ModuleNotFoundError as error:
        reason = "it is a DuckDB file, whose library is missing: pip install 'sightline[duckdb]'"
        raise SourceUnreadable(source.path, reason) from error

    from sightline.ingest import database as db

    db.require_no_journal(source, ".wal", "close it, or open it once with DuckDB")
    # It reads nothing but this file, whatever views or settings are in there.
    config: dict[str, Any] = {"enable_external_access": False}
    with (
        db.errors_of(source, duckdb.Error),
        duckdb.connect(str(source.path), read_only=True, config=config) as database,
    ):
        names, views, others = (
            [name for (name,) in database.execute(query).fetchall()]
            for query in (TABLES, VIEWS, OTHERS)
        )
        left = db.left_out("tables that are not in the schema main", others, warning=True)
        if left and not names:
            raise SourceUnreadable(source.path, left[0].text)
        left += db.left_out(db.VIEWS, views)
        for name, position in db.selected(source, selection, names):
            table = _table(database, name, position)
            table.notes.extend(left)
            with closing(db.read(source, table.batches, duckdb.Error, database.close)) as batches:
                yield replace(table, batches=batches)


def _table(database: Any, name: str, position: int) -> Table:
    """A table in the order of its key. Batches raise duckdb.Error."""
    key: tuple[str, ...] = ()
    links = []
    for kind, columns, table, referred in database.execute(CONSTRAINTS, [name]).fetchall():
        if kind == "PRIMARY KEY":
            key = tuple(columns)
        elif kind == "FOREIGN KEY":
            links.append(Link(tuple(columns), table, tuple(referred)))
    notes: list[Note] = []
    batches = _batches(database, name, key, notes, position)
    declared = Declared(key, tuple(links))
    return Table(name, batches, notes=notes, declared=declared, kind="table", title=name)


def _batches(
    database: Any, name: str, key: tuple[str, ...], notes: list[Note], position: int
) -> Iterator[Batch]:
    from sightline.ingest import database as db

    order = f" order by {db.quoted_names(key)}" if key else ""
    with database.cursor() as cursor:
        cursor.execute(f"select * from {db.quoted(name)}{order}")
        columns = [column for column, *_ in cursor.description]
        parts = iter(lambda: cursor.fetchmany(db.RECORDS_PER_BATCH), [])
        yield from db.batches_of(name, columns, parts, notes, position)


DUCKDB = TableFormat(
    name="DuckDB",
    endings=(".duckdb", ".ddb", ".db"),
    media_type="application/vnd.duckdb",
    recognises=lambda head: head[MARK[0]] == MARK[1],
    binary=True,
    tables=_tables,
    formulations=("sql",),
    selector=re.compile(r"[^$].*"),
)
