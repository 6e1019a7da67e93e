"""How a source is read: by which format, and what its columns mean.

Knows mappings, those of the user and those that the profile makes; knows no format and stores
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import quote

import polars as pl

from sightline.graph.record.loads import Note
from sightline.graph.record.places import RowKind
from sightline.graph.storage.settings import Settings
from sightline.graph.vocabulary import GENID
from sightline.ingest.batch import Batch
from sightline.ingest.join import with_joins
from sightline.ingest.mapping import MappedTable, MappingFile, canonical
from sightline.ingest.profile.profile import Profile, profile
from sightline.ingest.source import (
    NoSuchTable,
    Selection,
    Source,
    StatementFormat,
    Table,
    TableFormat,
)
from sightline.ingest.terms import RECORD, ROW, TableMap


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A table that is read.

    Attributes:
        batches: each with how its columns become statements; None where they are statements.
        notes: what was decided; complete when all batches were read.
        kind: what its rows are.
        title: how a selection names it, as the source writes it; empty where it is the only one.
    """

    batches: Iterator[tuple[Batch, Sequence[TableMap] | None]]
    notes: list[Note]
    kind: RowKind
    title: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source is read.

    Attributes:
        text: all that decides, beside its bytes, which statements come of it.
        notes: what was decided before it is read.
        tables: one after the other. Takes the source's SHA-256. Raises the errors of the formats
            and MappingError.
    """

    text: str
    notes: tuple[Note, ...]
    tables: Callable[[str], Generator[ReadTable]]


def plan(
    sources: Sequence[Source],
    mapping: MappingFile | None,
    settings: Settings,
    at: Callable[[Source, int], None],
    of: Callable[[Source], AbstractContextManager[None]],
) -> list[Reading]:
    """Decide how each source is read: as statements, by its mappings, or by what its tables show.

    Args:
        at: is told the position in each source that is looked at.
        of: looks after the errors of a source.

    Raises:
        MappingError: a mapping names a source and does not fit it.
        SourceError
    """
    if mapping is not None:
        mapping = with_joins(mapping, [s for s in sources if _holds_tables(s)])
    given = {id(s): mapping.tables_of(s) for s in sources if mapping and _holds_tables(s)}
    unmapped = [s for s in sources if _holds_tables(s) and not given.get(id(s))]
    found = profile(unmapped, settings.prefixes, at, of)
    profiled = with_joins(found.mapping, unmapped)
    readings = []
    for source in sources:
        form = source.format
        if isinstance(form, StatementFormat):
            text = json.dumps([form.name])
            readings.append(Reading(text, (), partial(_statements, source, form, settings.base)))
            continue
        assert isinstance(form, TableFormat)
        rules, tables = mapping, given.get(id(source), ())
        if not tables:
            rules, tables = profiled, profiled.tables_of(source)
        notes = tuple(found.notes(source))
        if tables:
            assert rules is not None
            split = ["split"] if source.split else []
            text = json.dumps([form.media_type, *split, canonical(tables)])
            tables_of = partial(_by_mapping, source, form, rules, tables, found)
        else:
            text = json.dumps([form.media_type, sorted(settings.prefixes.items())])
            tables_of = partial(_by_format, source, form, settings)
        readings.append(Reading(text, notes, tables_of))
    return readings


def with_way(text: str, source: Source) -> str:
    """The text of a reading, with the encoding of the source where that is not UTF-8, and its
    header where that is in another file."""
    if source.header:
        return json.dumps([text, source.encoding, source.header])
    return text if source.encoding is None else json.dumps([text, source.encoding])


def said_of(text: str) -> tuple[bool, str | None, tuple[str, ...]]:
    """Whether ``text`` is of a part of a benchmark split; the encoding and the header that
    ``with_way`` put in it."""
    found = json.loads(text or "[]")
    encoding, header = None, ()
    if len(found) > 1 and str(found[0]).startswith('["'):
        text, encoding, *rest = found
        header = tuple(*rest)
        found = json.loads(text)
    return "split" in found[1:-1], encoding, header


def _holds_tables(source: Source) -> bool:
    return isinstance(source.format, TableFormat)


def _statements(
    source: Source, form: StatementFormat, base: str, sha256: str
) -> Generator[ReadTable]:
    notes: list[Note] = []
    batches = form.statements(source, sha256, base, notes)
    yield ReadTable(((batch, None) for batch in batches), notes, form.rows)


def _by_mapping(
    source: Source,
    form: TableFormat,
    mapping: MappingFile,
    mapped: Sequence[MappedTable],
    found: Profile,
    sha256: str,
) -> Generator[ReadTable]:
    for selected in dict.fromkeys(one.selected for one in mapped):
        group = [one for one in mapped if one.selected == selected]
        wanted = [column for one in group for column in one.table.wanted]
        nulls = any(one.table.nulls for one in group)
        try:
            selection = Selection(selected, wanted, nulls)
            for table in found.kept(source, wanted) or form.tables(source, selection):
                yield _read(table, _mapped(source, table, mapping, group, sha256))
        except NoSuchTable as error:
            raise mapping.error(group[0], str(error)) from error


def _mapped(
    source: Source, table: Table, mapping: MappingFile, group: Sequence[MappedTable], sha256: str
) -> Iterator[tuple[Batch, Sequence[TableMap]]]:
    """The batches of a table, which must have the columns that its mappings name."""
    maps = [mapped.table for mapped in group]
    names = {column for one in maps for column in one.columns}
    genid = f"{GENID}{sha256[:16]}:{quote(group[0].selected or '', safe='')}"
    columns: dict[str, None] = {}
    try:
        for batch in table.batches:
            columns |= dict.fromkeys(batch.frame.columns)
            if table.uniform:
                mapping.require_columns(source, group, list(columns))
            yield _numbered(batch, names, genid), maps
    except NoSuchTable as error:
        raise mapping.error(group[0], str(error)) from error
    if columns:
        mapping.require_columns(source, group, list(columns))


def _numbered(batch: Batch, names: Collection[str], genid: str) -> Batch:
    """The batch with the columns that every table has, where maps refer to them."""
    made = [name for name in (ROW, RECORD) if name in names and name not in batch.frame.columns]
    if not made:
        return batch
    number = batch.rows.cast(pl.String)
    more = {name: number if name == ROW else genid + number for name in made}
    return replace(batch, frame=batch.frame.with_columns(**more))


def _by_format(
    source: Source, form: TableFormat, settings: Settings, sha256: str
) -> Generator[ReadTable]:
    """Tables of which the format itself says what they mean."""
    for table in form.tables(source, Selection()):
        yield _read(table, _meant(table, settings))


def _read(table: Table, batches: Iterator[tuple[Batch, Sequence[TableMap] | None]]) -> ReadTable:
    title = table.title or table.selected or ""
    return ReadTable(batches, table.notes, table.kind, title)


def _meant(table: Table, settings: Settings) -> Iterator[tuple[Batch, Sequence[TableMap]]]:
    for batch in table.batches:
        meaning = table.maps
        yield batch, meaning(batch.frame.columns, settings.prefixes) if meaning else ()
