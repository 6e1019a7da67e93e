"""JSON documents: records in an array of a document that is parsed as a whole.

Knows where records are; what becomes of one is known by ``objects``.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sightline.graph.record.loads import Note
from sightline.ingest.batch import Batch, few_of
from sightline.ingest.errors import SourceSyntaxError, SourceUnreadable
from sightline.ingest.formats import conventions
from sightline.ingest.formats.drawn import graph_document
from sightline.ingest.formats.objects import NO_UTF8, TOO_DEEP, View, batch_of, notes_of, parse
from sightline.ingest.formats.paths import PATH, Steps, follow, path_of
from sightline.ingest.formats.shapes import (
    as_records,
    beside,
    find,
    framed,
    selected,
    shapes,
    tables_in,
    with_key,
)
from sightline.ingest.source import NoSuchTable, Selection, Source, Table, TableFormat

RECORDS_PER_BATCH = 20_000


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    document = _document(source)
    if selection == Selection() and (graph := graph_document(source, document)) is not None:
        yield from graph
        return
    yield from tables_in_document(source, document, selection)


def tables_in_document(source: Source, document: Any, selection: Selection) -> Iterator[Table]:
    """The tables of a document of objects, arrays and texts that a mapping selects, or all."""
    notes = []
    if isinstance(document, list) and (rows := as_records(document)):
        document = rows
        names = ", ".join(rows[0])
        notes = [Note(f"its rows are arrays; their columns are taken to be {names}", warning=True)]
    elif rows := framed(document):
        document = rows
        notes = [Note(f"it is a table by its columns: {', '.join(rows[0])}")]
    if selection.table is not None:
        yield _table(
            source, document, View(selected(selection.table, source.stem), selection.columns)
        )
        return
    found = tables_in(document)
    if selection.columns:
        if len(found) > 1:
            paths = ", ".join(path_of(steps) for steps in found[:10])
            raise NoSuchTable(
                f"{source.name} has several tables ({paths}); say which, such as "
                f"[{source.name}~jsonpath, '{path_of(found[0])}']"
            )
        found = found or [()]
        yield _table(
            source, document, View(selected(path_of(found[0]), source.stem), selection.columns)
        )
        return
    if not found:
        notes.append(Note("the document is one record"))
    elif left := beside(document, found):
        notes.append(Note(f"left out, beside its tables: {few_of(left, 10)}", warning=True))
    tables = list(_found(source, document, found or [()], notes))
    told = [conventions.told(replace(table, notes=[*table.notes])) for table in tables]
    if not all(one.maps for one in told):  # what one of them means says nothing of the others
        told = [replace(one, maps=None, notes=table.notes) for one, table in zip(told, tables)]
    yield from told


def _found(
    source: Source, document: Any, found: Sequence[Steps], notes: list[Note]
) -> Iterator[Table]:
    """The tables at some places, the first with what was noted of all."""
    for steps in found:
        values = follow(document, steps)
        records = [with_key(*one) for one in values]
        if any(key is not None for _, key in values):
            notes.append(Note(f"the keys of {path_of(steps[:-1])} are the ids of its records"))
        for shape in shapes(records, steps, source.stem):
            yield _table(source, document, View(shape), [*notes, *notes_of(shape)])
            notes = []


def _table(source: Source, document: Any, view: View, notes: Sequence[Note] = ()) -> Table:
    shape = view.shape
    batches = _batches(source, document, view)
    return Table(
        shape.name,
        batches,
        uniform=False,
        selected=shape.path,
        declared=shape.declared,
        notes=list(notes),
        kind="path",
    )


def _batches(source: Source, document: Any, view: View) -> Iterator[Batch]:
    """The records of a document, which ``rows`` count."""
    records = find(document, view.shape, Counter())
    size = source.path.stat().st_size
    for start in range(0, len(records), RECORDS_PER_BATCH):
        part = records[start : start + RECORDS_PER_BATCH]
        numbered = [(start + i, record, None) for i, record in enumerate(part, 1)]
        yield batch_of(source, view, numbered, [], size)


def _document(source: Source) -> Any:
    with source.open() as stream:
        data = stream.whole("write it as JSON Lines")
    try:
        return parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceSyntaxError(source.path, line, NO_UTF8) from error
    except json.JSONDecodeError as error:
        raise SourceSyntaxError(source.path, error.lineno, f"no JSON: {error.msg}") from error
    except RecursionError as error:
        raise SourceUnreadable(source.path, TOO_DEEP) from error


JSON = TableFormat(
    name="json",
    endings=(".json", ".geojson"),
    media_type="application/json",
    recognises=lambda head: head.removeprefix(BOM_UTF8).lstrip().startswith((b"{", b"[")),
    tables=_tables,
    formulations=("jsonpath",),
    selector=PATH,
)
