"""Tables that other tables refer to by the values of columns, read before those.

Knows mappings and sources; knows no statement. What is kept of a table is what is compared and its
subjects, each once, sorted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from sightline.ingest.columns import cells_of
from sightline.ingest.mapping import MappedTable, MappingFile
from sightline.ingest.source import Selection, Source, TableFormat
from sightline.ingest.terms import OBJECT, Join, Template, Value


def with_joins(mapping: MappingFile, sources: Sequence[Source]) -> MappingFile:
    """The mapping with what its joins find in the sources.

    Raises:
        MappingError: none of the sources is the one that is joined.
        SourceError: of the sources that are read.
    """
    read: dict[tuple[str, tuple[Template, ...]], Join] = {}

    def value(mapped: MappedTable, one: Value) -> Value:
        if one.join is None:
            return one
        key = one.join.parent, one.join.keys
        if key not in read:
            read[key] = _read(mapping, mapped, one.join, one.template, sources)
        found = read[key]
        return replace(one, join=replace(one.join, found=found.found, digest=found.digest))

    def table(mapped: MappedTable) -> MappedTable:
        said = tuple((p, value(mapped, one)) for p, one in mapped.table.statements)
        return replace(mapped, table=replace(mapped.table, statements=said))

    if not any(one.join for t in mapping.tables for _, one in t.table.statements):
        return mapping
    return MappingFile(mapping.path, tuple(map(table, mapping.tables)))


def _read(
    mapping: MappingFile,
    child: MappedTable,
    join: Join,
    subject: Template,
    sources: Sequence[Source],
) -> Join:
    """The join with the subjects of its other table by key."""
    names = [f"\0key{place}" for place in range(len(join.keys))]
    parts = [pl.DataFrame(schema=dict.fromkeys((*names, OBJECT), pl.String))]
    columns = [c for one in (*join.keys, subject) for c in one.columns]
    parents = [one for one in mapping.tables if one.table.name == join.parent]
    there = [(p, s) for p in parents for s in sources if p in mapping.tables_of(s)]
    if not there:
        names_of = ", ".join(one.pattern for one in parents)
        raise mapping.error(
            child, f"it is joined with {join.parent}, and no source is {names_of}; name that, too"
        )
    for parent, source in there:
        for read in _frames(source, parent, (*columns, *parent.table.columns)):
            frame = cells_of(read, parent.table)
            for column in dict.fromkeys(columns):
                if frame.schema[column] != pl.String:
                    frame = frame.explode(column)
            keys = [one.render(frame).alias(name) for one, name in zip(join.keys, names)]
            parts.append(pl.DataFrame([*keys, subject.render(frame).alias(OBJECT)]).drop_nulls())
    found = pl.concat(parts).unique().sort(pl.all())
    digest = hashlib.sha256(found.write_csv(quote_style="always").encode()).hexdigest()
    return replace(join, found=found, digest=digest)


def _frames(source: Source, parent: MappedTable, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The columns of the table, batch by batch; those that a batch lacks hold nothing."""
    assert isinstance(source.format, TableFormat)
    for table in source.format.tables(source, Selection(parent.selected, columns)):
        for batch in table.batches:
            lacking = (c for c in columns if c not in batch.frame.columns)
            nothing = [pl.lit(None, pl.String).alias(c) for c in dict.fromkeys(lacking)]
            yield batch.frame.with_columns(nothing)
