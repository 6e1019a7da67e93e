"""JSON Lines: one JSON value per line, each a record or a document that holds some.

Knows lines, and the tables of many documents, whatever holds these; what becomes of a value is
known by ``objects``.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any

from sightline.graph.record.places import RowKind
from sightline.ingest.batch import Batch, Rejected
from sightline.ingest.formats import conventions
from sightline.ingest.formats.objects import (
    NO_UTF8,
    TOO_DEEP,
    Record,
    View,
    batch_of,
    notes_of,
    parse,
)
from sightline.ingest.formats.paths import PATH
from sightline.ingest.formats.shapes import SAMPLE, find, selected, shapes
from sightline.ingest.source import NoSuchTable, Selection, Source, Table, TableFormat

#: Where a document is, the document, and its text if that is at hand; then what is no document, and
#: how far the source was read.
Block = tuple[list[tuple[int, Any, str | None]], list[Rejected], int]


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    yield from tables_of(source, selection, partial(_blocks, source), "line")


def tables_of(
    source: Source, selection: Selection, blocks: Callable[[], Iterator[Block]], kind: RowKind
) -> Iterator[Table]:
    """The tables that a mapping selects in many documents, or all.

    Args:
        blocks: reads the documents.
        kind: what the places of documents are.
    """
    if selection.table is not None or selection.columns:
        view = View(selected(selection.table or "$", source.stem), selection.columns)
        batches, named = _batches(source, view, blocks), selection.table
        yield Table(source.stem, batches, uniform=False, selected=named, kind=kind)
        return
    documents = (document for found, _, _ in blocks() for _, document, _ in found)
    found = shapes(list(islice(documents, SAMPLE)), (), source.stem)
    for shape in found:
        batches = _batches(source, View(shape), blocks)
        path = shape.path if len(found) > 1 else None
        table = Table(
            shape.name,
            batches,
            uniform=False,
            selected=path,
            declared=shape.declared,
            notes=notes_of(shape),
            kind=kind,
        )
        yield conventions.told(table) if len(found) == 1 else table


def _batches(source: Source, view: View, blocks: Callable[[], Iterator[Block]]) -> Iterator[Batch]:
    numbers: Counter[str] = Counter()
    for documents, rejected, position in blocks():
        records: list[Record] = []
        for place, document, text in documents:
            with suppress(NoSuchTable):  # another one may have it
                whole = text if not view.shape.steps else None
                records += [(place, one, whole) for one in find(document, view.shape, numbers)]
        yield batch_of(source, view, records, rejected, position)


def _blocks(source: Source) -> Iterator[Block]:
    """The values of lines; a bad line is rejected."""
    line = 0
    with source.open() as stream:
        for block in stream.line_blocks():
            documents: list[tuple[int, Any, str | None]] = []
            rejected: list[Rejected] = []
            for raw in block.removesuffix(b"\n").split(b"\n"):
                line += 1
                bare = raw.removeprefix(BOM_UTF8)  # sooner than the codec that knows of it
                if not bare.strip():
                    continue
                try:
                    text = bare.decode()
                    documents.append((line, parse(text), text))
                except UnicodeDecodeError:
                    rejected.append(Rejected(line, NO_UTF8, raw.decode(errors="replace")))
                except json.JSONDecodeError as error:
                    rejected.append(Rejected(line, f"no JSON: {error.msg} at {error.colno}", text))
                except RecursionError:
                    rejected.append(Rejected(line, TOO_DEEP, text))
            yield documents, rejected, stream.position


def _recognises(head: bytes) -> bool:
    lines = [line.strip() for line in head.removeprefix(BOM_UTF8).split(b"\n", 2)[:2]]
    return len(lines) == 2 and all(x.startswith(b"{") and x.endswith(b"}") for x in lines)


JSON_LINES = TableFormat(
    name="jsonl",
    endings=(".jsonl", ".ndjson", ".json"),
    media_type="application/jsonl",
    recognises=_recognises,
    tables=_tables,
    formulations=("jsonpath",),
    selector=PATH,
)
