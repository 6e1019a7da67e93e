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
CONSTRAINTS = """select constraint_type, constraint_column_names, referenced_table,
    referenced_column_names from duckdb_constraints()
    where database_name = current_database() and schema_name = 'main' and table_name = ?"""


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    try:
        import duckdb
    except ModuleNotFoundError as error:
        reason = "it is a DuckDB file, whose library is missing: pip install 'sightline[duckdb]'"
        raise SourceUnreadable(source.path, reason) from error

    from sightline.ingest.database import errors_of, read, require_no_journal, selected

    require_no_journal(source, ".wal", "close it, or open it once with DuckDB")
    # It reads nothing but this file, whatever views or settings are in there.
    config: dict[str, Any] = {"enable_external_access": False}
    with (
        errors_of(source, duckdb.Error),
        duckdb.connect(str(source.path), read_only=True, config=config) as database,
    ):
        names = [name for (name,) in database.execute(TABLES).fetchall()]
        for name, position in selected(source, selection, names):
            table = _table(database, name, position)
            with closing(read(source, table.batches, duckdb.Error, database.close)) as batches:
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
    from sightline.ingest.database import RECORDS_PER_BATCH, batches_of, quoted, quoted_names

    order = f" order by {quoted_names(key)}" if key else ""
    with database.cursor() as cursor:
        cursor.execute(f"select * from {quoted(name)}{order}")
        columns = [column for column, *_ in cursor.description]
        parts = iter(lambda: cursor.fetchmany(RECORDS_PER_BATCH), [])
        yield from batches_of(name, columns, parts, notes, position)


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
