"""JSON documents and JSON Lines to batches of columns.

Knows JSON and where its records are; knows nothing of what the columns mean.

A record is an object. Its fields become columns, those of objects inside it dotted ones
(``capital.name``). An array gives a column several values, and so does a field of the objects in
an array (``cities.name``). Numbers and booleans keep their JSON text. ``null``, ``""`` and ``NaN``
are no value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from sightline.ingest.batch import Batch, Rejected, column_name
from sightline.ingest.errors import MappingError, SourceSyntaxError, SourceUnreadable
from sightline.ingest.sources import Source

RECORDS_PER_BATCH = 20_000
#: A document is parsed as a whole; lines are not.
MAX_DOCUMENT = 512 << 20
MAX_DEPTH = 100
MAX_COLUMNS = 2000
STEP = re.compile(r"\.([^.\[\]]+)|\[\*\]")
NO_NUMBER = {"NaN": None, "Infinity": "INF", "-Infinity": "-INF"}


class NoSuchPath(Exception):
    """An iterator that leads nowhere. The text says where it ends."""


class _Bad(Exception):
    """Why a record cannot be loaded."""


#: Where a record is, the record, and its text if that is at hand.
_Record = tuple[int, Any, str | None]


def read_json(source: Source, iterator: str | None, position: list[int]) -> Iterator[Batch]:
    """The records of a document. ``rows`` count them.

    Args:
        iterator: where they are, such as ``$.people[*]``; None for the array that the document is,
            or the one array of objects in it, or the document itself.

    Raises:
        SourceSyntaxError, SourceUnreadable
        MappingError: several arrays could be meant.
        NoSuchPath
    """
    records = _records(source, iterator, _document(source))
    position[0] = source.path.stat().st_size
    for start in range(0, len(records), RECORDS_PER_BATCH):
        part = records[start : start + RECORDS_PER_BATCH]
        yield _batch(source, iterator, [(start + i, r, None) for i, r in enumerate(part, 1)], [])


def read_json_lines(source: Source, iterator: str | None, position: list[int]) -> Iterator[Batch]:
    """The records of JSON Lines. ``rows`` are lines; a bad line is rejected.

    Raises:
        SourceUnreadable
    """
    line = 0
    with source.open() as stream:
        for block in stream.line_blocks():
            position[0] = stream.position
            records: list[_Record] = []
            rejected: list[Rejected] = []
            for raw in block.removesuffix(b"\n").split(b"\n"):
                line += 1
                if raw.strip():
                    _read_line(line, raw, iterator, records, rejected)
            yield _batch(source, iterator, records, rejected)


def _read_line(
    line: int,
    raw: bytes,
    iterator: str | None,
    records: list[_Record],
    rejected: list[Rejected],
) -> None:
    try:
        text = raw.decode()
        document = _parse(text)
        found = [document] if iterator is None else _select(document, iterator)
        records += [(line, record, text if record is document else None) for record in found]
    except NoSuchPath:
        pass  # another line may have it
    except UnicodeDecodeError:
        reason = "it is not UTF-8; save the file as UTF-8"
        rejected.append(Rejected(line, reason, raw.decode(errors="replace")))
    except json.JSONDecodeError as error:
        rejected.append(Rejected(line, f"no JSON: {error.msg} at {error.colno}", text))
    except RecursionError:
        rejected.append(Rejected(line, f"it is nested more than {MAX_DEPTH} deep", text))


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
        return _parse(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = "it is not UTF-8; save the file as UTF-8"
        raise SourceSyntaxError(source.path, line, reason) from error
    except json.JSONDecodeError as error:
        raise SourceSyntaxError(source.path, error.lineno, f"no JSON: {error.msg}") from error
    except RecursionError as error:
        raise SourceUnreadable(source.path, f"it is nested more than {MAX_DEPTH} deep") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str | None, Any]:
    """An object; one that has a key twice remembers it under None."""
    out: dict[str | None, Any] = dict(pairs)
    if len(out) < len(pairs):
        keys = [key for key, _ in pairs]
        out[None] = next(key for key in keys if keys.count(key) > 1)
    return out


_parse = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=str,
    parse_float=str,
    parse_constant=NO_NUMBER.__getitem__,
).decode


def _records(source: Source, iterator: str | None, document: Any) -> list[Any]:
    if iterator is not None:
        return _select(document, iterator)
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


def _select(document: Any, iterator: str) -> list[Any]:
    """What a path leads to. One that ends at an array means its elements."""
    found = [document]
    for step in STEP.finditer(iterator):
        name = step[1]
        if name is None:
            found = [item for value in found for item in _items(value)]
            continue
        names = {key: None for value in found if isinstance(value, dict) for key in value}
        if found and name not in names:
            known = ", ".join(str(key) for key in list(names)[:30]) or "none"
            raise NoSuchPath(f"{iterator} finds nothing: no {name!r} there, only: {known}")
        found = [value[name] for value in found if isinstance(value, dict) and name in value]
    return [item for x in found for item in (x if isinstance(x, list) else [x])]


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _batch(
    source: Source,
    iterator: str | None,
    records: Sequence[_Record],
    rejected: list[Rejected],
) -> Batch:
    cells: list[dict[str, list[str]]] = []
    rows: list[int] = []
    texts: list[str] = []
    arrays: set[str] = set()
    for row, record, text in records:
        flat: dict[str, list[str]] = {}
        try:
            if not isinstance(record, dict):
                raise _Bad("it is no object")
            _flatten(record, "", flat, arrays, 0)
        except _Bad as bad:
            rejected.append(Rejected(row, str(bad), text or _text_of(record)))
            continue
        cells.append(flat)
        rows.append(row)
        texts.append(text or _text_of(record))
    names = dict.fromkeys(name for flat in cells for name in flat)
    if len(names) > MAX_COLUMNS:
        reason = f"its records have more than {MAX_COLUMNS} different fields"
        raise SourceUnreadable(source.path, f"{reason}; say with --mapping where the records are")
    frame = pl.DataFrame([_column(name, cells, name in arrays) for name in names])
    if not names:  # objects without a field still are records
        frame = pl.DataFrame({"": [None] * len(cells)}, schema={"": pl.String})
    # The same object at two places of a document says two things.
    hashes = pl.Series([f"{iterator} {text}" for text in texts], dtype=pl.String).hash()
    return Batch(frame, pl.Series(rows, dtype=pl.UInt32), hashes, texts.__getitem__, rejected)


def _column(name: str, cells: list[dict[str, list[str]]], several: bool) -> pl.Series:
    if several or any(len(flat.get(name, ())) > 1 for flat in cells):
        return pl.Series(name, [flat.get(name) for flat in cells], dtype=pl.List(pl.String))
    return pl.Series(name, [flat.get(name, [None])[0] for flat in cells], dtype=pl.String)


def _flatten(
    value: Any, name: str, out: dict[str, list[str]], arrays: set[str], depth: int
) -> None:
    """Add the values inside ``value`` to ``out`` by dotted name; ``arrays`` gets names of many."""
    if depth > MAX_DEPTH:
        raise _Bad(f"it is nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        if None in value:
            raise _Bad(f"key {value[None]!r} comes twice in an object")
        for key, item in value.items():
            path = f"{name}.{key}" if name else key
            _flatten(item, column_name(path), out, arrays, depth + 1)
    elif isinstance(value, list):
        for item in value:
            before = len(out.get(name, ()))
            _flatten(item, name, out, arrays, depth + 1)
            if len(out.get(name, ())) > before:
                arrays.add(name)
    elif value is not None and value != "":
        out.setdefault(name, []).append(_text(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return "true" if value else "false"
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise _Bad("it holds half of a surrogate pair")
    return value


def _text_of(record: Any) -> str:
    # Numbers were read as texts, so they are quoted here.
    try:
        return json.dumps(record, skipkeys=True)
    except RecursionError:
        return ""
