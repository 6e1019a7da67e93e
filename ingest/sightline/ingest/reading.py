"""How a source is read: which reader, and what its columns mean.

Knows readers, mappings and what is guessed without one; stores nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from sightline.graph.storage.settings import Settings
from sightline.ingest.automatic import RELATION_TABLES, automatic, is_header
from sightline.ingest.batch import Batch
from sightline.ingest.delimited import Layout, first_records, read_delimited, unique_names
from sightline.ingest.documents import NoSuchPath, read_json, read_json_lines
from sightline.ingest.errors import SourceEmpty
from sightline.ingest.mapping import MappedTable, MappingFile, canonical
from sightline.ingest.parquet import read_parquet
from sightline.ingest.rdf import PARSERS, read_rdf
from sightline.ingest.sources import Source
from sightline.ingest.terms import TableMap

#: Columns of a file without a header, by their number.
HEADERLESS = {2: ("id", "label"), 3: ("head", "relation", "tail")}
PAIR = ("head", "tail")
#: A file of this name without a header has ``name, definition`` in its second column, as the
#: published definitions of WordNet have.
DEFINITIONS = "definitions"
#: Records from which is guessed what columns mean.
SAMPLE = 200

#: A batch, and how its columns become statements; None where they are statements already.
Mapped = tuple[Batch, Sequence[TableMap] | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source is read.

    Attributes:
        text: all that decides, beside its bytes, which statements come of it.
        batches: takes the source's SHA-256 and a list whose one element becomes the number of
            bytes read so far. Raises the errors of the readers and MappingError.
    """

    text: str
    batches: Callable[[str, list[int]], Iterator[Mapped]]


def plan(source: Source, mapping: MappingFile | None, settings: Settings) -> Reading:
    """Decide how a source is read: as RDF, by its mappings, or automatically.

    Raises:
        MappingError: a mapping names the source and does not fit it.
    """
    if source.format in PARSERS:
        return Reading(json.dumps([source.format]), partial(_statements, source))
    if mapping is not None and (tables := mapping.tables_of(source)):
        text = json.dumps([source.media_type, canonical(tables)])
        return Reading(text, partial(_by_mapping, source, mapping, tables))
    stem = source.stem if source.stem in (*RELATION_TABLES, DEFINITIONS) else ""
    about = [source.media_type, source.split, stem, sorted(settings.prefixes.items())]
    text = json.dumps(["automatic", *about])
    return Reading(text, partial(_automatically, source, settings))


def _statements(source: Source, sha256: str, position: list[int]) -> Iterator[Mapped]:
    for batch in read_rdf(source, sha256, position):
        yield batch, None


def _by_mapping(
    source: Source,
    mapping: MappingFile,
    tables: Sequence[MappedTable],
    sha256: str,
    position: list[int],
) -> Iterator[Mapped]:
    for iterator in dict.fromkeys(mapped.iterator for mapped in tables):
        group = [mapped for mapped in tables if mapped.iterator == iterator]
        maps = [mapped.table for mapped in group]
        wanted = [column for table in maps for column in table.columns]
        columns: dict[str, None] = {}
        try:
            for batch in _table(source, iterator, wanted, position):
                columns |= dict.fromkeys(batch.frame.columns)
                if source.format in ("delimited", "parquet"):  # all records have the same columns
                    mapping.require_columns(source, group, list(columns))
                yield batch, maps
        except NoSuchPath as error:
            raise mapping.error(group[0], str(error)) from error
        if columns:
            mapping.require_columns(source, group, list(columns))


def _automatically(
    source: Source, settings: Settings, sha256: str, position: list[int]
) -> Iterator[Mapped]:
    rules = None
    for batch in _table(source, None, (), position):
        frame = batch.frame
        if rules is None and frame.height:
            texts = frame.head(SAMPLE).select(pl.col(pl.String)).to_dict(as_series=False)
            rules = automatic(source, frame.columns, texts, settings.base, settings.prefixes)
        yield batch, rules.maps(frame.columns) if rules else ()


def _table(
    source: Source, iterator: str | None, wanted: Sequence[str], position: list[int]
) -> Iterator[Batch]:
    """The records of a table, whatever its format."""
    if source.format == "json":
        return read_json(source, iterator, position)
    if source.format == "jsonl":
        return read_json_lines(source, iterator, position)
    if source.format == "parquet":
        return read_parquet(source, position)
    layout = layout_of(source, wanted)
    batches = read_delimited(source, layout, position)
    if source.stem == DEFINITIONS and layout.columns == HEADERLESS[2]:
        return map(_with_definition, batches)
    return batches


def _with_definition(batch: Batch) -> Batch:
    """Cut the label at its first comma; the rest is the definition."""
    parts = pl.col("label").str.splitn(", ", 2).struct
    frame = batch.frame.with_columns(
        label=parts.field("field_0"), definition=parts.field("field_1")
    )
    return replace(batch, frame=frame)


def layout_of(source: Source, wanted: Sequence[str] = ()) -> Layout:
    """How a delimited file is laid out.

    Args:
        wanted: columns that a mapping names: a first line that holds one of them is a header.

    Raises:
        SourceEmpty, SourceUnreadable
    """
    separator, records, lines = first_records(source, SAMPLE)
    if not records:
        raise SourceEmpty(source.path)
    names = unique_names(records[0])
    named = any(name in wanted for name in names)
    if not source.split and (named or is_header(names, records[1:], separator == "\t")):
        return Layout(separator, names, lines[0])
    width = Counter(map(len, records)).most_common(1)[0][0]
    columns = HEADERLESS.get(width) or unique_names([""] * width)
    if width == 2 and len({record[0] for record in records}) < len(records):
        columns = PAIR  # an id has one label
    return Layout(separator, columns, 0)
