"""Databases: their tables with the keys and links that they declare, and copies of distant ones.

Knows SQL through SQLAlchemy, read-only and in one transaction; knows nothing of what the columns
mean beyond what the schema says. A database behind a URL is copied to a file, in the order of the
keys, so that equal contents give equal bytes. A password never leaves this module.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from sightline.graph.progress import stop_if_cancelled
from sightline.graph.record.loads import Note
from sightline.ingest.batch import Batch, column_name, few_of, row_of
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.source import Declared, Link, NoSuchTable, Selection, Source, Table

RECORDS_PER_BATCH = 50_000
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
#: What is said of views, and how many of them are named.
VIEWS, NAMED = "views, which show what is in tables", 10
MORE = "its driver is not installed: pip install 'sightline[sql]'"


def tables_of(source: Source, selection: Selection, url: str) -> Iterator[Table]:
    """The tables of a database file that a mapping selects.

    Args:
        url: with which SQLAlchemy opens it.

    Raises:
        NoSuchTable, SourceUnreadable
    """
    with errors_of(source, sa.exc.SQLAlchemyError):
        engine = sa.create_engine(url, poolclass=NullPool)
        with engine.connect() as connection:
            schema = sa.inspect(connection)
            views = left_out(VIEWS, schema.get_view_names())
            for name, position in selected(source, selection, schema.get_table_names()):
                table = _table(connection, schema, name, position)
                table.notes.extend(views)
                end = connection.invalidate
                with closing(read(source, table.batches, sa.exc.SQLAlchemyError, end)) as batches:
                    yield replace(table, batches=batches)


def selected(
    source: Source, selection: Selection, names: Sequence[str]
) -> Iterator[tuple[str, int]]:
    """The tables that a mapping selects, or all, and how far in the file each is taken to be.

    Raises:
        NoSuchTable
    """
    if selection.table is not None and selection.table not in names:
        raise NoSuchTable(f"no table {selection.table!r}, only: {', '.join(names)}")
    for place, name in enumerate(names):
        if selection.table in (None, name):
            yield name, source.path.stat().st_size * place // len(names)


def left_out(what: str, names: Sequence[str], warning: bool = False) -> list[Note]:
    """What of a database is not read, if there is any."""
    few = few_of(sorted(names), NAMED)
    return [Note(f"left out: {what}: {few}", warning)] if names else []


@contextmanager
def errors_of(source: Source, kind: type[Exception]) -> Iterator[None]:
    """What the library of a database says of a file, in our words."""
    try:
        yield
    except kind as error:
        raise SourceUnreadable(source.path, said(error)) from error


def read(
    source: Source, batches: Iterator[Batch], kind: type[Exception], end: Callable[[], object]
) -> Generator[Batch]:
    """Batches of a table. They are read when the call that made them is over, so that errors are
    caught here once more. To be closed before the connection is.

    Args:
        end: gives up the connection, which nobody may be left to do in time.
    """
    try:
        with errors_of(source, kind):
            yield from batches
    except SourceUnreadable:
        end()
        raise


def require_no_journal(source: Source, ending: str, way_out: str) -> None:
    """Refuse a file beside which lie changes that are not in it.

    Raises:
        SourceUnreadable
    """
    journal = source.path.with_name(source.path.name + ending)
    if journal.exists() and journal.stat().st_size:
        reason = f"changes that are not yet in it lie in {journal.name}: another program has it "
        raise SourceUnreadable(source.path, f"{reason}open, or did not close it; {way_out}")


def said(error: Exception) -> str:
    """What a database says of an error, in one line."""
    text = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return f"the database says: {text[:200]}"


def _table(connection: sa.Connection, schema: sa.Inspector, name: str, position: int = 0) -> Table:
    """A table of a database, in the order of its key.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: also while batches are read.
    """
    columns = [column["name"] for column in schema.get_columns(name)]
    key = tuple(schema.get_pk_constraint(name)["constrained_columns"])
    links = tuple(
        Link(tuple(f["constrained_columns"]), f["referred_table"], tuple(f["referred_columns"]))
        for f in schema.get_foreign_keys(name)
    )
    notes: list[Note] = []
    batches = _batches(connection, name, columns, key, notes, position)
    declared = Declared(key, links)
    return Table(name, batches, notes=notes, declared=declared, kind="table", title=name)


def _batches(
    connection: sa.Connection,
    name: str,
    columns: Sequence[str],
    key: Sequence[str],
    notes: list[Note],
    position: int,
) -> Iterator[Batch]:
    """The records of a table, which ``rows`` count."""
    query: Any = sa.select(*map(sa.column, columns)).select_from(sa.table(name))
    query = query.order_by(*map(sa.column, key))
    with connection.execution_options(stream_results=True).execute(query) as result:
        yield from batches_of(name, columns, result.partitions(RECORDS_PER_BATCH), notes, position)


def batches_of(
    name: str,
    columns: Sequence[str],
    parts: Iterable[Sequence[Sequence[Any]]],
    notes: list[Note],
    position: int,
) -> Iterator[Batch]:
    """The records of a table, which ``rows`` count, from parts of its rows."""
    binary: set[str] = set()
    start = 0
    for part in parts:
        series = []
        for column, values in zip(columns, zip(*part)):
            texts = list(map(as_text, values))
            if any(isinstance(value, (bytes, memoryview)) for value in values):
                binary.add(column)
            several = any(isinstance(text, list) for text in texts)
            kind = pl.List(pl.String) if several else pl.String()
            series.append(pl.Series(column_name(column), texts, dtype=kind))
        frame = pl.DataFrame(series)
        rows = pl.int_range(start + 1, start + 1 + frame.height, dtype=pl.UInt32, eager=True)
        start += frame.height
        yield Batch(frame, rows, _hashes(frame), partial(row_of, frame), position=position)
    if binary:
        names = ", ".join(sorted(binary))
        notes.append(Note(f"binary values of {name} ({names}) are kept as base64"))


def as_text(value: Any) -> str | list[str] | None:
    """A value of a database as the text that CSV and JSON have for it; None where there is none."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return None if value != value else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"PT{value.total_seconds():g}S"
    if isinstance(value, (bytes, memoryview)):
        return base64.b64encode(value).decode()
    if isinstance(value, (list, tuple, set)):
        return [text for item in value if isinstance(text := as_text(item), str)] or None
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _hashes(frame: pl.DataFrame) -> pl.Series:
    lists = [name for name, kind in frame.schema.items() if kind != pl.String]
    return frame.with_columns(pl.col(name).list.join("\x1f") for name in lists).hash_rows()


def shown(url: str) -> str:
    """What answers call the database: no user, no password."""
    parsed = _parsed(url)
    host = f"{parsed.host or ''}{f':{parsed.port}' if parsed.port else ''}"
    return f"{parsed.get_backend_name()}://{host}/{Path(parsed.database or '').name}"


def _parsed(url: str) -> sa.URL:
    """The parts of a URL. What is wrong with one is not told: it may be a part of the password.

    Raises:
        SourceUnreadable
    """
    found = None
    with suppress(sa.exc.ArgumentError, ValueError):
        found = sa.make_url(url)
    if found is None or "@" in (found.host or ""):
        reason = "its URL cannot be read; in a password write %40 for @, %3A for :, %2F for /"
        raise SourceUnreadable("the database", reason)
    return found


def copy_of(url: str, path: Path) -> None:
    """Copy all tables of a database to a new SQLite file.

    Raises:
        SourceUnreadable: it cannot be reached, or goes away in the middle.
    """
    parsed = _parsed(url)
    try:
        driver = DRIVERS.get(parsed.drivername, parsed.drivername)
        engine = sa.create_engine(parsed.set(drivername=driver), poolclass=NullPool)
        with engine.connect() as connection, closing(sqlite3.connect(path)) as copy, copy:
            if engine.dialect.name == "postgresql":
                connection.execute(
                    sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                )
            schema = sa.inspect(connection)
            for name in sorted(schema.get_table_names()):
                _copy(connection, schema, name, copy)
    except (sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise SourceUnreadable(shown(url), MORE) from error
    except sa.exc.SQLAlchemyError as error:
        raise SourceUnreadable(shown(url), said(error)) from error


def _copy(
    connection: sa.Connection, schema: sa.Inspector, name: str, copy: sqlite3.Connection
) -> None:
    table = _table(connection, schema, name)
    assert table.declared is not None
    columns = [column["name"] for column in schema.get_columns(name)]
    parts = [f"{quoted(column)} TEXT" for column in columns]
    if table.declared.key:
        parts.append(f"PRIMARY KEY ({quoted_names(table.declared.key)})")
    for link in table.declared.links:
        referred = f"{quoted(link.table)} ({quoted_names(link.referred)})"
        parts.append(f"FOREIGN KEY ({quoted_names(link.columns)}) REFERENCES {referred}")
    copy.execute(f"CREATE TABLE {quoted(name)} ({', '.join(parts)})")
    marks = ", ".join("?" * len(columns))
    for batch in table.batches:
        stop_if_cancelled()
        rows = (tuple(map(_flat, row)) for row in batch.frame.iter_rows())
        copy.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", rows)


def _flat(value: Any) -> str | None:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def quoted_names(names: Sequence[str]) -> str:
    """Names as SQL lists them."""
    return ", ".join(map(quoted, names))
