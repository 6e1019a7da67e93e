"""The raw record behind a row of a load, read from its file once more.

Knows loads and formats; knows neither a terminal nor HTTP. A file is read up to the row, and only
if it is the one that was loaded, which its SHA-256 says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from sightline.graph.record.errors import UnknownLoad
from sightline.graph.record.loads import Load
from sightline.graph.record.places import TableRows, table_of
from sightline.graph.record.raw import MadeFact, RawCell, RawRecord
from sightline.graph.record.statements import QUALIFIERS, TERMS
from sightline.graph.storage.artifact import sha256_of
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import readable_name
from sightline.ingest.batch import Batch
from sightline.ingest.errors import NoSuchRow, RawFileChanged, RawFileGone, SourceError
from sightline.ingest.fetch import members
from sightline.ingest.formats.known import FORMATS
from sightline.ingest.numbering import ANY_PREDICATE, SUBJECT
from sightline.ingest.reading import said_of
from sightline.ingest.source import Selection, Source, StatementFormat, TableFormat
from sightline.ingest.terms import percent_encoded


def source_record(ws: Workspace, ref: str, at: str) -> RawRecord:
    """The record at a row of a load.

    Args:
        ref: id of the load, the start of it, or what answers or its user call its source.
        at: the row: its number in the load, or what answers call it.

    Raises:
        UnknownLoad, NoSuchRow, RawFileGone, RawFileChanged, SourceError
    """
    load = _load(ws, ref)
    row, table = _row(load, at)
    with _source(ws, load) as source:
        batches = _batches(source, load, table, ws.settings.base)
        batch, i = _find(batches, load, row - table.first_row + 1, at)
    cells: tuple[RawCell, ...] = ()
    raw = batch.raw(i) if i >= 0 else batch.rejected[-i - 1].raw
    if i >= 0:
        values = batch.frame.row(i, named=True)
        if load.role == "text":
            values = {"sentence": values["object"], QUALIFIERS: values[QUALIFIERS]}
        cells = tuple(
            RawCell(column, tuple(value) if isinstance(value, list) else (value,))
            for column, value in values.items()
            if value is not None and column not in ("graph", "row", QUALIFIERS)
        )
        cells += tuple(
            RawCell(readable_name(said["key"]), (said["value"],))
            for said in values.get(QUALIFIERS) or ()
        )
    stating = load.role != "text"  # a sentence is no fact
    facts = tuple(_made(fact, table, cells) for fact in _facts(load, row) if stating)
    key = tuple(table.columns.get(SUBJECT, ()))
    return RawRecord(load.id, load.source, row, table.place(row), key, cells, raw, facts)


def is_there(ws: Workspace, load: Load) -> bool:
    """Whether there is a file where a load was read from, or the archive that it was in."""
    place = ws.path / load.path
    return place.exists() or any(parent.is_file() for parent in place.parents)


def _load(ws: Workspace, ref: str) -> Load:
    loads = list(Load.all(ws.loads_folder))
    retracted = set(ws.current.retracted)
    found = [load for load in loads if ref and load.id.startswith(ref)]
    found = found or [load for load in loads if ref in _names(load)]
    found = [load for load in found if load.id not in retracted] or found
    if len(found) != 1:
        raise UnknownLoad(ref)
    return found[0]


def _names(load: Load) -> set[str]:
    return {load.source, Path(load.source).name, *filter(None, [load.called])}


def _row(load: Load, at: str) -> tuple[int, TableRows]:
    """The number of a row in its load, and the table that it is in."""
    if at.isascii() and at.isdigit() and len(at) < 12:
        row = int(at)
        return row, table_of(load.tables, row)
    for table in load.tables:
        row_at = table.row_at(at)
        if row_at is not None:
            return row_at, table
    raise NoSuchRow(load.source, at)


@contextmanager
def _source(ws: Workspace, load: Load) -> Iterator[Source]:
    """The file of a load, unchanged and read as it was loaded."""
    with TemporaryDirectory(prefix="sightline-") as scratch:
        try:
            # What was sent lies in the workspace, wherever that is now.
            path = _file(ws.path / load.path, Path(scratch))
            stat = path.stat()
            changed = _sha256(path, stat.st_size, stat.st_mtime_ns) != load.sha256
        except (OSError, SourceError) as error:
            raise RawFileGone(load.source, load.id) from error
        if changed:
            raise RawFileChanged(load.source, load.id)
        form = next((one for one in FORMATS if one.media_type == load.media_type), None)
        if form is None:
            raise RawFileGone(load.source, load.id)
        split, encoding, header = said_of(load.mapping)
        title = "" if os.path.isabs(load.path) else Path(load.source).name
        yield Source(path, form, split=split, encoding=encoding, title=title, header=header)


def _file(place: Path, scratch: Path) -> Path:
    """The file at a place, which may be one in an archive. Raises OSError, SourceError."""
    archive = next((parent for parent in place.parents if parent.is_file()), None)
    if archive is None or place.exists():
        return place
    inner = place.relative_to(archive).as_posix()
    return next((path for _, path in members(archive, scratch, archive, inner)), place)


@lru_cache(maxsize=256)
def _sha256(path: Path, _size: int, _time: int) -> str:
    """That of a file, which people ask for row after row."""
    return sha256_of(path)


def _batches(source: Source, load: Load, table: TableRows, base: str) -> Iterator[Batch]:
    form = source.format
    if isinstance(form, StatementFormat):
        yield from form.statements(source, load.sha256, base, [])
        return
    assert isinstance(form, TableFormat)
    columns = tuple(dict.fromkeys(c for made in table.columns.values() for c in made))
    for found in form.tables(source, Selection(table.name or None, columns)):
        yield from found.batches
        return


def _find(batches: Iterator[Batch], load: Load, row: int, at: str) -> tuple[Batch, int]:
    """The batch that holds a row of its table, and its place in it; ``-1 - i`` for the rejected
    record ``i``."""
    for batch in batches if 0 <= row < 1 << 32 else ():  # as those of batches are
        places = (batch.rows == row).arg_true()
        if len(places):
            return batch, int(places[0])
        for i, record in enumerate(batch.rejected):
            if record.line == row:
                return batch, -1 - i
        last = batch.rows.max()
        if isinstance(last, int) and last > row:
            break
    raise NoSuchRow(load.source, at)


def _facts(load: Load, row: int) -> Iterator[dict[str, str | None]]:
    for path in load.statements:
        frame = pl.scan_parquet(path).filter(pl.col("row") == row).select(TERMS).collect()
        yield from frame.iter_rows(named=True)


def _made(fact: dict[str, str | None], table: TableRows, cells: Sequence[RawCell]) -> MadeFact:
    """A fact, with the columns that made its object: those that the load keeps for its predicate,
    and of several those of which a value is in the object."""
    predicate, text = str(fact["predicate"]), str(fact["object"])
    candidates = (*table.columns.get(predicate, ()), *table.columns.get(ANY_PREDICATE, ()))
    filled = [cell for cell in cells if cell.column in candidates]
    shown = [cell for cell in filled if any(_in(value, text) for value in cell.values)]
    columns = tuple(cell.column for cell in shown or filled)
    return MadeFact(
        str(fact["subject"]), predicate, text, fact["datatype"], fact["language"], columns
    )


def _in(value: str, text: str) -> bool:
    return value in text or percent_encoded(pl.Series([value]))[0] in text
