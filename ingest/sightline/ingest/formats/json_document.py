"""JSON documents: records in an array of a document that is parsed as a whole.

Knows where records are; what becomes of one is known by ``objects``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sightline.ingest.batch import Batch
from sightline.ingest.errors import MappingError, SourceSyntaxError, SourceUnreadable
from sightline.ingest.formats.objects import (
    MAX_DEPTH,
    NO_UTF8,
    PATH,
    TOO_DEEP,
    batch_of,
    parse,
    select,
)
from sightline.ingest.source import Selection, Source, Table, TableFormat

RECORDS_PER_BATCH = 20_000
MAX_DOCUMENT = 512 << 20


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    yield Table(source.stem, _batches(source, selection.table), uniform=False)


def _batches(source: Source, path: str | None) -> Iterator[Batch]:
    """The records of a document, which ``rows`` count."""
    records = _records(source, path, _document(source))
    size = source.path.stat().st_size
    for start in range(0, len(records), RECORDS_PER_BATCH):
        part = records[start : start + RECORDS_PER_BATCH]
        yield batch_of(source, [(start + i, r, None) for i, r in enumerate(part, 1)], [], size)


def _document(source: Source) -> Any:
    blocks: list[bytes] = []
    with source.open() as stream:
        while block := stream.read(MAX_DOCUMENT):
            blocks.append(block)
            if stream.expanded > MAX_DOCUMENT:
                reason = f"it is larger than {MAX_DOCUMENT >> 20} MiB; write it as JSON Lines"
                raise SourceUnreadable(source.path, reason)
    data = b"".join(blocks)
    try:
        return parse(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SourceSyntaxError(source.path, line, NO_UTF8) from error
    except json.JSONDecodeError as error:
        raise SourceSyntaxError(source.path, error.lineno, f"no JSON: {error.msg}") from error
    except RecursionError as error:
        raise SourceUnreadable(source.path, TOO_DEEP) from error


def _records(source: Source, path: str | None, document: Any) -> list[Any]:
    """Those at the path; else the array that the document is, the one in it, or the document."""
    if path is not None:
        return select(document, path)
    if isinstance(document, list):
        return document
    arrays = dict(_arrays(document, "$", 0))
    if len(arrays) > 1:
        raise MappingError(
            source.path,
            f"several arrays could hold its records ({', '.join(list(arrays)[:10])}); "
            "say with --mapping which, and what they mean",
        )
    return next(iter(arrays.values()), [document])


def _arrays(value: Any, path: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    """The outermost arrays of objects, with their paths."""
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        yield path + "[*]", value
    elif isinstance(value, dict) and depth < MAX_DEPTH:
        for key, item in value.items():
            yield from _arrays(item, f"{path}.{key}", depth + 1)


JSON = TableFormat(
    name="json",
    endings=(".json",),
    media_type="application/json",
    recognises=lambda head: head.lstrip().startswith((b"{", b"[")),
    tables=_tables,
    formulations=("jsonpath",),
    selector=PATH,
)
