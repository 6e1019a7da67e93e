"""JSON values as columns.

Knows values and what becomes of them; knows neither files nor what the columns mean.

A record is an object. Its fields become columns, those of objects inside it dotted ones
(``capital.name``). An array gives a column several values, and so does a field of the objects in
an array (``cities.name``). Numbers and booleans keep their JSON text. ``null``, ``""`` and ``NaN``
are no value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from sightline.ingest.batch import Batch, Rejected, column_name
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.source import NoSuchTable, Source

MAX_DEPTH = 100
MAX_COLUMNS = 2000
#: A path to records, such as ``$.people[*]``, and a step of one.
PATH = re.compile(r"\$((\.[^.\[\]*$()]+|\[\*\])*)")
STEP = re.compile(r"\.([^.\[\]]+)|\[\*\]")
TOO_DEEP = f"it is nested more than {MAX_DEPTH} deep"
NO_UTF8 = "it is not UTF-8; save the file as UTF-8"
NO_NUMBER = {"NaN": None, "Infinity": "INF", "-Infinity": "-INF"}


class _Bad(Exception):
    """Why a record cannot be loaded."""


#: Where a record is, the record, and its text if that is at hand.
Record = tuple[int, Any, str | None]


def _object(pairs: list[tuple[str, Any]]) -> dict[str | None, Any]:
    """An object; one that has a key twice remembers it under None."""
    out: dict[str | None, Any] = dict(pairs)
    if len(out) < len(pairs):
        keys = [key for key, _ in pairs]
        out[None] = next(key for key in keys if keys.count(key) > 1)
    return out


parse = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=str,
    parse_float=str,
    parse_constant=NO_NUMBER.__getitem__,
).decode


def select(document: Any, path: str) -> list[Any]:
    """What a path leads to. One that ends at an array means its elements.

    Raises:
        NoSuchTable
    """
    found = [document]
    for step in STEP.finditer(path):
        name = step[1]
        if name is None:
            found = [item for value in found for item in _items(value)]
            continue
        names = {key: None for value in found if isinstance(value, dict) for key in value}
        if found and name not in names:
            known = ", ".join(str(key) for key in list(names)[:30]) or "none"
            raise NoSuchTable(f"{path} finds nothing: no {name!r} there, only: {known}")
        found = [value[name] for value in found if isinstance(value, dict) and name in value]
    return [item for x in found for item in (x if isinstance(x, list) else [x])]


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def batch_of(
    source: Source, records: Sequence[Record], rejected: list[Rejected], position: int
) -> Batch:
    """Records as columns; what is no record is added to ``rejected``.

    Raises:
        SourceUnreadable: too many columns.
    """
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
    hashes = pl.Series(texts, dtype=pl.String).hash()
    places = pl.Series(rows, dtype=pl.UInt32)
    return Batch(frame, places, hashes, texts.__getitem__, rejected, position)


def _column(name: str, cells: list[dict[str, list[str]]], several: bool) -> pl.Series:
    if several or any(len(flat.get(name, ())) > 1 for flat in cells):
        return pl.Series(name, [flat.get(name) for flat in cells], dtype=pl.List(pl.String))
    return pl.Series(name, [flat.get(name, [None])[0] for flat in cells], dtype=pl.String)


def _flatten(
    value: Any, name: str, out: dict[str, list[str]], arrays: set[str], depth: int
) -> None:
    """Add the values inside ``value`` to ``out`` by dotted name; ``arrays`` gets names of many."""
    if depth > MAX_DEPTH:
        raise _Bad(TOO_DEEP)
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
