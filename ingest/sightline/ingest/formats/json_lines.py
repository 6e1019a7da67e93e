"""JSON Lines: one JSON value per line, each a record or a document that holds some.

Knows lines; what becomes of a value is known by ``objects``.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

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


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    if selection.table is not None or selection.columns:
        view = View(selected(selection.table or "$", source.stem), selection.columns)
        batches, named = _batches(source, view), selection.table
        yield Table(source.stem, batches, uniform=False, selected=named, kind="line")
        return
    found = shapes(list(islice(_documents(source), SAMPLE)), (), source.stem)
    for shape in found:
        batches = _batches(source, View(shape))
        path = shape.path if len(found) > 1 else None
        table = Table(
            shape.name,
            batches,
            uniform=False,
            selected=path,
            declared=shape.declared,
            notes=notes_of(shape),
            kind="line",
        )
        yield conventions.told(table) if len(found) == 1 else table


def _documents(source: Source) -> Iterator[Any]:
    """The values of the lines that hold one."""
    with source.open() as stream:
        for block in stream.line_blocks():
            for raw in block.split(b"\n"):
                with suppress(UnicodeDecodeError, json.JSONDecodeError, RecursionError):
                    yield parse(raw.decode("utf-8-sig"))


def _batches(source: Source, view: View) -> Iterator[Batch]:
    """``rows`` are lines; a bad line is rejected."""
    line = 0
    numbers: Counter[str] = Counter()
    with source.open() as stream:
        for block in stream.line_blocks():
            records: list[Record] = []
            rejected: list[Rejected] = []
            for raw in block.removesuffix(b"\n").split(b"\n"):
                line += 1
                bare = raw.removeprefix(BOM_UTF8)  # sooner than the codec that knows of it
                if not bare.strip():
                    continue
                try:
                    text = bare.decode()
                    document = parse(text)
                    whole = text if not view.shape.steps else None
                    found = find(document, view.shape, numbers)
                    records += [(line, one, whole) for one in found]
                except NoSuchTable:
                    pass  # another line may have it
                except UnicodeDecodeError:
                    rejected.append(Rejected(line, NO_UTF8, raw.decode(errors="replace")))
                except json.JSONDecodeError as error:
                    rejected.append(Rejected(line, f"no JSON: {error.msg} at {error.colno}", text))
                except RecursionError:
                    rejected.append(Rejected(line, TOO_DEEP, text))
            yield batch_of(source, view, records, rejected, stream.position)


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
