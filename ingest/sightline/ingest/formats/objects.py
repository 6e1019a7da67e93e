"""JSON values as columns.

Knows values and what becomes of them; knows neither files nor what the columns mean.

A record is an object. Its fields become columns, those of objects inside it dotted ones
(``capital.name``). An array gives a column several values, and so does a field of the objects in
an array (``cities.name``). Numbers and booleans keep their JSON text. ``null``, ``""`` and ``NaN``
are no value.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import polars as pl

from sightline.graph.record.loads import Note
from sightline.graph.vocabulary import XSD, XSD_STRING
from sightline.ingest.batch import Batch, Rejected, column_name
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats.paths import steps_of, values_at
from sightline.ingest.formats.shapes import MAX_DEPTH, ROW, Found, Shape
from sightline.ingest.source import Source
from sightline.ingest.terms import TYPE

MAX_COLUMNS = 2000
TOO_DEEP = f"it is nested more than {MAX_DEPTH} deep"
NO_UTF8 = "it is not UTF-8; save the file as UTF-8"
NO_NUMBER = {"NaN": None, "Infinity": "INF", "-Infinity": "-INF"}


class _Bad(Exception):
    """Why a record cannot be loaded."""


#: Where a record is, the record, and its text if that is at hand.
Record = tuple[int, Found, str | None]


def _object(pairs: list[tuple[str, Any]]) -> dict[str | None, Any] | str:
    """An object; one that has a key twice remembers it under None.

    What MongoDB writes as an object because JSON has no such value is that value. A resource of
    FHIR is named as others refer to it, ``Patient/123`` (R5, 2.1.3.0.5).
    """
    if len(pairs) == 1 and pairs[0][0] in MONGO and isinstance(pairs[0][1], str):
        return MONGO[pairs[0][0]](pairs[0][1])
    out: dict[str | None, Any] = dict(pairs)
    kind, name = out.get("resourceType"), out.get("id")
    if type(kind) is str and type(name) is str and kind and name:
        out["id"] = f"{kind}/{name}"
    if len(out) < len(pairs):
        keys = [key for key, _ in pairs]
        out[None] = next(key for key in keys if keys.count(key) > 1)
    return out


class _Integer(str):
    """The text of a whole number, told from a text that says the same."""

    __slots__ = ()


class _Double(str):
    """The text of another number."""

    __slots__ = ()


class _Boolean(str):
    """``true`` or ``false``."""

    __slots__ = ()


#: Keys of what MongoDB exports as objects of one field.
MONGO: dict[str, type[str]] = {
    **dict.fromkeys(("$oid", "$date", "$uuid", "$numberDecimal"), str),
    **dict.fromkeys(("$numberInt", "$numberLong"), _Integer),
    "$numberDouble": _Double,
}
GEOMETRIES = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
DATATYPES = {_Integer: XSD + "integer", _Double: XSD + "double", _Boolean: XSD + "boolean"}

parse = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_Integer,
    parse_float=_Double,
    parse_constant=NO_NUMBER.__getitem__,
).decode


@dataclass(frozen=True, slots=True)
class View:
    """How the records of a table become columns.

    Attributes:
        wanted: the columns that a mapping names. Without any, all fields but those that are tables
            of their own become columns, and a reference to the outer record.
    """

    shape: Shape
    wanted: Collection[str] = ()

    @property
    def skip(self) -> dict[str, str | None]:
        """Dotted fields that become no columns, with the field inside them that does."""
        return {} if self.wanted else self.shape.inside

    def more(self, found: Found, flat: dict[str, list[str]]) -> dict[str, list[str]]:
        """Columns beside the fields of a record: of those around it, its number, and values at
        paths with indexes and quoted keys."""
        names: Collection[str] = [name for name in self.wanted if name not in flat]
        parent = self.shape.parent
        if not self.wanted:
            names = [ROW] if self.shape.numbered else []
            names = [*names, f"{parent.name}.{parent.key}"] if parent else names
        out = {}
        for name in names:
            if name.endswith(TYPE):
                own = name.removesuffix(TYPE)
                texts = flat.get(own) or self._values(found, own)
                values = [DATATYPES.get(type(text), XSD_STRING) for text in texts]
            else:
                values = self._values(found, name)
            if values:
                out[name] = values
        return out

    def _values(self, found: Found, name: str) -> list[str]:
        outer, shape = found.parent, self.shape.parent
        while outer is not None and shape is not None:
            if name.startswith(f"{shape.name}.") and isinstance(outer.record, dict):
                rest = name.removeprefix(f"{shape.name}.")
                if texts := _texts(values_at(outer.record, steps_of(rest))):
                    return texts
                if rest == ROW:
                    return [str(outer.number)]
            outer, shape = outer.parent, shape.parent
        if "[" in name:
            return _texts(values_at(found.record, steps_of(name)))
        return [str(found.number)] if name == ROW else []


class _Fields(dict[str, str | None]):
    """The columns that the fields of the objects at a place become; None for those that become
    none. Each is found out once."""

    def __init__(self, place: str, skip: Mapping[str, str | None]) -> None:
        super().__init__()
        self._place = place
        self._skip = skip
        self._only = skip.get(place) if place else None

    def __missing__(self, key: str) -> str | None:
        path = f"{self._place}.{key}" if self._place else key
        left = self._skip.get(path, key) is None or self._only not in (None, key)
        self[key] = column = None if left else column_name(path)
        return column


class _Places(dict[str, _Fields]):
    """The fields at each place of a view, by the column of the place."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.wanted = view.wanted
        self._skip = view.skip

    def __missing__(self, place: str) -> _Fields:
        self[place] = fields = _Fields(place, self._skip)
        return fields


#: What a value is looked at with that becomes no column.
_NOTHING = View(Shape((), ""))


def batch_of(
    source: Source, view: View, records: Sequence[Record], rejected: list[Rejected], position: int
) -> Batch:
    """Records as columns; what is no record is added to ``rejected``.

    Raises:
        SourceUnreadable: too many columns.
    """
    cells: list[dict[str, list[str]]] = []
    rows: list[int] = []
    texts: list[str] = []
    hashed: list[str] = []
    arrays: set[str] = set()
    places = _Places(view)
    for row, found, text in records:
        record = found.record
        flat: dict[str, list[str]] = {}
        try:
            if not isinstance(record, dict):
                raise _Bad("it is no object")
            _flatten(record, "", flat, arrays, places, 0)
            more = view.more(found, flat)
        except _Bad as bad:
            rejected.append(Rejected(row, str(bad), text or _text_of(record)))
            continue
        cells.append(flat | more if more else flat)
        rows.append(row)
        texts.append(text or _text_of(record))
        hashed.append(f"{texts[-1]}{more}" if more else texts[-1])
    names = dict.fromkeys(chain.from_iterable(cells))
    if len(names) > MAX_COLUMNS and view.wanted:
        names = dict.fromkeys(name for name in names if name in view.wanted)
    if len(names) > MAX_COLUMNS:
        reason = f"its records have more than {MAX_COLUMNS} different fields"
        raise SourceUnreadable(source.path, f"{reason}; say with --mapping where the records are")
    frame = pl.DataFrame([_column(name, cells, name in arrays) for name in names])
    if not names:  # objects without a field still are records
        frame = pl.DataFrame({"": [None] * len(cells)}, schema={"": pl.String})
    hashes = pl.Series(hashed, dtype=pl.String).hash()
    numbers = pl.Series(rows, dtype=pl.UInt32)
    return Batch(frame, numbers, hashes, texts.__getitem__, rejected, position)


def notes_of(shape: Shape) -> list[Note]:
    """What was decided about a table."""
    found = [
        Note(f"{shape.path}.{name} is left out: its {count} keys are data and no fields", True)
        for name, count in shape.left.items()
    ]
    if shape.parent is not None:
        link = f"{shape.parent.name}.{shape.parent.key}"
        found.append(Note(f"{shape.path} is the table {shape.name}; column {link} says in which"))
    return found


def _column(name: str, cells: list[dict[str, list[str]]], several: bool) -> pl.Series:
    found = [flat.get(name) for flat in cells]
    if several or max(map(len, filter(None, found)), default=0) > 1:
        return pl.Series(name, found, dtype=pl.List(pl.String))
    return pl.Series(name, [texts[0] if texts else None for texts in found], dtype=pl.String)


def _flatten(
    value: Any,
    name: str,
    out: dict[str, list[str]],
    arrays: set[str],
    places: _Places,
    depth: int,
) -> None:
    """Add the values inside ``value`` to ``out`` by dotted name; ``arrays`` gets names of many."""
    if depth > MAX_DEPTH:
        raise _Bad(TOO_DEEP)
    if isinstance(value, dict):
        meant = name and "coordinates" in value and (not places.wanted or name in places.wanted)
        if meant and (geometry := _geometry(value)):
            out.setdefault(name, []).append(geometry)
            return
        if None in value:
            raise _Bad(f"key {value[None]!r} comes twice in an object")
        fields = places[name]
        for key, item in value.items():
            column = fields[key]
            if column is None:
                _check(item, depth + 1)
            elif isinstance(item, str) and depth < MAX_DEPTH:  # as most are: a call would cost more
                if item:
                    text = item if item.isascii() else _text(item)
                    if column in out:
                        out[column].append(text)
                    else:
                        out[column] = [text]
            else:
                _flatten(item, column, out, arrays, places, depth + 1)
    elif isinstance(value, list):
        for item in value:
            before = len(out.get(name, ()))
            _flatten(item, name, out, arrays, places, depth + 1)
            if len(out.get(name, ())) > before:
                arrays.add(name)
    elif value is not None and value != "":
        out.setdefault(name, []).append(_text(value))


def _check(value: Any, depth: int) -> None:
    """Refuse a record for what is in a field that becomes no column, too."""
    if isinstance(value, (dict, list)):
        _flatten(value, "", {}, set(), _Places(_NOTHING), depth)


def _geometry(value: dict[str, Any]) -> str | None:
    """A geometry of GeoJSON as well-known text; None of any other object, or where it has none.

    Source: RFC 7946, 3.1; OGC 06-103r4, 7.
    """
    kind, places = value.get("type"), value.get("coordinates")
    if kind not in GEOMETRIES or not isinstance(places, list) or not places:
        return None
    try:
        text = _places(places)
    except (TypeError, RecursionError):
        return None
    return f"{kind.upper()} {f'({text})' if kind == 'Point' else text}"


def _places(value: list[Any]) -> str:
    if all(isinstance(item, str) for item in value):
        return " ".join(value)
    return f"({', '.join(map(_places, value))})"


def _texts(values: Sequence[Any]) -> list[str]:
    """Those of values at a path; arrays give several, objects none."""
    flat = [item for value in values for item in (value if isinstance(value, list) else [value])]
    return [_text(x) for x in flat if x not in (None, "") and not isinstance(x, (dict, list))]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return _Boolean("true" if value else "false")
    if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        raise _Bad("it holds half of a surrogate pair")
    return value


def _text_of(record: Any) -> str:
    # Numbers were read as texts, so they are quoted here.
    try:
        return json.dumps(record, skipkeys=True)
    except RecursionError:
        return ""
