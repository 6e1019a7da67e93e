"""JSON Lines: one JSON value per line, each a record or a document that holds some.

Knows lines; what becomes of a value is known by ``objects``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from sightline.ingest.batch import Batch, Rejected
from sightline.ingest.formats.objects import (
    NO_UTF8,
    PATH,
    TOO_DEEP,
    Record,
    batch_of,
    parse,
    select,
)
from sightline.ingest.source import NoSuchTable, Selection, Source, Table, TableFormat


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    yield Table(source.stem, _batches(source, selection.table), uniform=False)


def _batches(source: Source, path: str | None) -> Iterator[Batch]:
    """``rows`` are lines; a bad line is rejected."""
    line = 0
    with source.open() as stream:
        for block in stream.line_blocks():
            records: list[Record] = []
            rejected: list[Rejected] = []
            for raw in block.removesuffix(b"\n").split(b"\n"):
                line += 1
                if not raw.strip():
                    continue
                try:
                    text = raw.decode()
                    document = parse(text)
                    found = [document] if path is None else select(document, path)
                    records += [(line, one, text if one is document else None) for one in found]
                except NoSuchTable:
                    pass  # another line may have it
                except UnicodeDecodeError:
                    rejected.append(Rejected(line, NO_UTF8, raw.decode(errors="replace")))
                except json.JSONDecodeError as error:
                    rejected.append(Rejected(line, f"no JSON: {error.msg} at {error.colno}", text))
                except RecursionError:
                    rejected.append(Rejected(line, TOO_DEEP, text))
            yield batch_of(source, records, rejected, stream.position)


def _recognises(head: bytes) -> bool:
    lines = [line.strip() for line in head.split(b"\n", 2)[:2]]
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
