"""How a source is read: by which format, and what its columns mean.

Knows mappings and what is guessed without one; knows no format and stores nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from sightline.graph.record.loads import Note
from sightline.graph.storage.settings import Settings
from sightline.ingest.automatic import RELATION_TABLES, automatic
from sightline.ingest.batch import Batch
from sightline.ingest.formats.delimited import DEFINITIONS
from sightline.ingest.mapping import MappedTable, MappingFile, canonical
from sightline.ingest.source import (
    NoSuchTable,
    Selection,
    Source,
    StatementFormat,
    Table,
    TableFormat,
)
from sightline.ingest.terms import TableMap

#: Records from which is guessed what columns mean.
SAMPLE = 200


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A table that is read.

    Attributes:
        batches: each with how its columns become statements; None where they are statements.
        notes: what was decided; complete when all batches were read.
    """

    batches: Iterator[tuple[Batch, Sequence[TableMap] | None]]
    notes: list[Note]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source is read.

    Attributes:
        text: all that decides, beside its bytes, which statements come of it.
        tables: one after the other. Takes the source's SHA-256. Raises the errors of the formats
            and MappingError.
    """

    text: str
    tables: Callable[[str], Iterator[ReadTable]]


def plan(source: Source, mapping: MappingFile | None, settings: Settings) -> Reading:
    """Decide how a source is read: as statements, by its mappings, or automatically.

    Raises:
        MappingError: a mapping names the source and does not fit it.
    """
    form = source.format
    if isinstance(form, StatementFormat):
        return Reading(json.dumps([form.name]), partial(_statements, source, form))
    assert isinstance(form, TableFormat)
    if mapping is not None and (tables := mapping.tables_of(source)):
        text = json.dumps([form.media_type, canonical(tables)])
        return Reading(text, partial(_by_mapping, source, form, mapping, tables))
    stem = source.stem if source.stem in (*RELATION_TABLES, DEFINITIONS) else ""
    about = [form.media_type, source.split, stem, sorted(settings.prefixes.items())]
    text = json.dumps(["automatic", *about])
    return Reading(text, partial(_automatically, source, form, settings))


def _statements(source: Source, form: StatementFormat, sha256: str) -> Iterator[ReadTable]:
    yield ReadTable(((batch, None) for batch in form.statements(source, sha256)), [])


def _by_mapping(
    source: Source,
    form: TableFormat,
    mapping: MappingFile,
    mapped: Sequence[MappedTable],
    sha256: str,
) -> Iterator[ReadTable]:
    for selected in dict.fromkeys(one.selected for one in mapped):
        group = [one for one in mapped if one.selected == selected]
        wanted = [column for one in group for column in one.table.columns]
        try:
            for table in form.tables(source, Selection(selected, wanted)):
                yield ReadTable(_mapped(source, table, mapping, group), table.notes)
        except NoSuchTable as error:
            raise mapping.error(group[0], str(error)) from error


def _mapped(
    source: Source, table: Table, mapping: MappingFile, group: Sequence[MappedTable]
) -> Iterator[tuple[Batch, Sequence[TableMap]]]:
    """The batches of a table, which must have the columns that its mappings name."""
    maps = [mapped.table for mapped in group]
    columns: dict[str, None] = {}
    try:
        for batch in table.batches:
            columns |= dict.fromkeys(batch.frame.columns)
            if table.uniform:
                mapping.require_columns(source, group, list(columns))
            yield batch, maps
    except NoSuchTable as error:
        raise mapping.error(group[0], str(error)) from error
    if columns:
        mapping.require_columns(source, group, list(columns))


def _automatically(
    source: Source, form: TableFormat, settings: Settings, sha256: str
) -> Iterator[ReadTable]:
    for table in form.tables(source, Selection()):
        yield ReadTable(_guessed(source, table, settings), table.notes)


def _guessed(
    source: Source, table: Table, settings: Settings
) -> Iterator[tuple[Batch, Sequence[TableMap]]]:
    rules = None
    for batch in table.batches:
        if table.maps is not None:
            yield batch, table.maps
            continue
        frame = batch.frame
        if rules is None and frame.height:
            texts = frame.head(SAMPLE).select(pl.col(pl.String)).to_dict(as_series=False)
            names = (table.name, frame.columns)
            rules = automatic(source.path, *names, texts, settings.base, settings.prefixes)
        yield batch, rules.maps(frame.columns) if rules else ()
