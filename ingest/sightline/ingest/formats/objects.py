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
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress, repeat
from operator import itemgetter
from typing import Any

import numpy as np
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
_TEXTS = {str, _Integer, _Double, _Boolean}
_SURROGATE = re.compile("[\ud800-\udfff]")
#: A column of no field's name.
_ROWS = "\0rows"
#: Documents are trees: that they come round is not looked for.
_ENCODER = json.JSONEncoder(skipkeys=True, check_circular=False)
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

    def more(self, found: Sequence[Found], taken: _Taken) -> list[dict[str, list[str]]]:
        """What each record has in columns beside its fields: of those around it, its number, and
        values at paths with indexes and quoted keys. They are added to ``taken``, too."""
        names: Collection[str] = self.wanted
        parent = self.shape.parent
        if not names:
            names = [ROW] if self.shape.numbered else []
            names = [*names, f"{parent.name}.{parent.key}"] if parent else names
        out: list[dict[str, list[str]]] = []
        for name in names:
            own, is_type = name.removesuffix(TYPE), name.endswith(TYPE)
            known, beside = taken.texts_of(own) if own in taken else {}, self._is_beside(own)
            if not beside and not (is_type and known):
                continue
            out = out or [{} for _ in found]
            already = taken.texts_of(name) if is_type and name in taken else {}
            rows: list[int] = []
            texts: list[str] = []
            for row, one in enumerate(found):
                if row in (already if is_type else known):
                    continue
                values = known.get(row) or (self._values(one, own) if beside else [])
                if is_type:
                    values = [DATATYPES.get(type(text), XSD_STRING) for text in values]
                if values:
                    out[row][name] = values
                    rows += [row] * len(values)
                    texts += values
            if texts:
                taken.put(texts, rows, name)
        return out

    def _is_beside(self, name: str) -> bool:
        """Whether something else than a field may be called so."""
        outer = self.shape.parent
        while outer is not None and not name.startswith(f"{outer.name}."):
            outer = outer.parent
        return outer is not None or "[" in name or name == ROW

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


@dataclass(slots=True)
class _Cells:
    """The texts of a column, and the record of each; several are in an array."""

    rows: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    several: bool = False

    def add(self, rows: list[int], texts: list[str]) -> None:
        """Take more in."""
        # Most columns are at one place: what is found there is kept as it is.
        self.rows = self.rows + rows if self.rows else rows
        self.texts = self.texts + texts if self.texts else texts

    def series(self, name: str, count: int) -> pl.Series:
        """``(count,)``, null where a record has none: lists if a record may have several."""
        rows = np.asarray(self.rows, np.uint32)
        texts = pl.Series(name, self.texts, dtype=pl.String)
        if (rows[1:] < rows[:-1]).any():
            order = np.argsort(rows, kind="stable")
            rows, texts = rows[order], texts[order]
        if self.several or (rows[1:] == rows[:-1]).any():
            lists = pl.DataFrame({_ROWS: rows, name: texts}).group_by(_ROWS, maintain_order=True)
            texts = lists.agg(name)[name]
            rows = rows[np.concatenate([[True], rows[1:] != rows[:-1]])]
        if len(rows) == count:
            return texts
        places = np.full(count, -1, np.int64)
        places[rows] = np.arange(len(rows))
        return texts.gather(pl.Series(places).replace(-1, None))


class _Taken(dict[str, _Cells]):
    """The columns of some records, and why some of these cannot be loaded.

    Whole columns are taken at once, since to look at each value by itself would cost more than to
    read it.
    """

    def __init__(self, places: _Places, bad: dict[int, str]) -> None:
        super().__init__()
        self._places = places
        self.bad = bad

    def __missing__(self, name: str) -> _Cells:
        self[name] = cells = _Cells()
        return cells

    def texts_of(self, name: str) -> dict[int, list[str]]:
        """Those of a column by record."""
        found: dict[int, list[str]] = {}
        for row, text in zip(self[name].rows, self[name].texts):
            found.setdefault(row, []).append(text)
        return found

    def take(
        self, values: list[Any], rows: list[int], name: str, depth: int, several: bool = False
    ) -> None:
        """Add the values at a place.

        Args:
            rows: the record of each.
            several: they are items of arrays.
        """
        if depth > MAX_DEPTH:
            self._refuse(rows, TOO_DEEP)
            return
        kinds = set(map(type, values))
        mixed = list in kinds and len(kinds) > 1 and len(set(rows)) < len(rows)
        if mixed and any(value for value in values if type(value) is list):  # texts in their order
            values, kinds = [x if type(x) is list else [x] for x in values], {list}
        if dict in kinds:
            if name and (not self._places.wanted or name in self._places.wanted):
                values = [_geometry(x) or x if type(x) is dict else x for x in values]
            here = [type(value) is dict for value in values]
            objects = list(compress(values, here))
            self._take_objects(objects, list(compress(rows, here)), name, depth)
        if list in kinds:
            here = [type(value) is list for value in values]
            lists = list(compress(values, here))
            of = chain.from_iterable(
                repeat(row, len(one)) for row, one in zip(compress(rows, here), lists)
            )
            self.take(list(chain.from_iterable(lists)), list(of), name, depth + 1, True)
        if not kinds <= _TEXTS:
            values = [_scalar(value) for value in values]
        if not all(values):  # what is empty is no value
            rows, values = list(compress(rows, values)), list(filter(None, values))
        if values:
            self.put(values, rows, name, several)

    def put(self, values: list[str], rows: list[int], name: str, several: bool = False) -> None:
        """Add texts to a column, unless they are none."""
        if not (whole := "".join(values)).isascii() and _SURROGATE.search(whole):
            halves = (row for row, text in zip(rows, values) if _SURROGATE.search(text))
            self._refuse(halves, "it holds half of a surrogate pair")
            return
        cells = self[name]
        cells.add(rows, values)
        cells.several = cells.several or several

    def _take_objects(
        self, objects: list[dict[Any, Any]], rows: list[int], name: str, depth: int
    ) -> None:
        keys = dict.fromkeys(chain.from_iterable(objects))
        found: dict[Any, tuple[list[int], list[Any]]]
        if len(keys) * len(objects) == sum(map(len, objects)):  # all have the same, as in most
            found = {key: (rows, list(map(itemgetter(key), objects))) for key in keys}
        else:
            found = {key: ([], []) for key in keys}
            for row, one in zip(rows, objects):
                for key, value in one.items():
                    of, values = found[key]
                    of.append(row)
                    values.append(value)
        for row, key in zip(*found.pop(None, ((), ()))):
            self._refuse([row], f"key {key!r} comes twice in an object")
        fields = self._places[name]
        for key, (of, values) in found.items():
            column = fields[key]
            if column is not None:
                self.take(values, of, column, depth + 1)
                continue
            # A record is refused for what is in a field that becomes no column, too.
            here = [type(value) in (dict, list) for value in values]
            nothing = _Taken(_Places(_NOTHING), self.bad)
            nothing.take(list(compress(values, here)), list(compress(of, here)), "", depth + 1)

    def _refuse(self, rows: Iterable[int], reason: str) -> None:
        for row in rows:
            self.bad.setdefault(row, reason)


def batch_of(
    source: Source, view: View, records: Sequence[Record], rejected: list[Rejected], position: int
) -> Batch:
    """Records as columns; what is no record is added to ``rejected``.

    Raises:
        SourceUnreadable: too many columns.
    """
    bad = {
        row: "it is no object"
        for row, (_, found, _) in enumerate(records)
        if type(found.record) is not dict
    }
    taken = _Taken(_Places(view), bad)
    while True:
        rejected += [
            Rejected(records[row][0], bad[row], records[row][2] or _text_of(records[row][1].record))
            for row in sorted(bad)
        ]
        records = [one for row, one in enumerate(records) if row not in bad]
        bad.clear()
        taken.clear()
        taken.take([found.record for _, found, _ in records], list(range(len(records))), "", 0)
        more = view.more([found for _, found, _ in records], taken)
        if not bad:
            break
    rejected.sort(key=lambda one: one.line or 0)
    texts = [text or _text_of(found.record) for _, found, text in records]
    hashed = texts
    if more:
        hashed = [f"{text}{beside}" if beside else text for text, beside in zip(texts, more)]
    names = sorted(taken, key=lambda name: taken[name].rows[0])
    if len(names) > MAX_COLUMNS and view.wanted:
        names = [name for name in names if name in view.wanted]
    if len(names) > MAX_COLUMNS:
        reason = f"its records have more than {MAX_COLUMNS} different fields"
        raise SourceUnreadable(source.path, f"{reason}; say with --mapping where the records are")
    frame = pl.DataFrame([taken[name].series(name, len(records)) for name in names])
    if not names:  # objects without a field still are records
        frame = pl.DataFrame({"": [None] * len(records)}, schema={"": pl.String})
    hashes = pl.Series(hashed, dtype=pl.String).hash()
    numbers = pl.Series([row for row, _, _ in records], dtype=pl.UInt32)
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


def _scalar(value: Any) -> str | None:
    """The text of what is no object and no array."""
    if value is None or isinstance(value, (str, dict, list)):
        return value if isinstance(value, str) else None
    return _Boolean("true" if value else "false")


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
    return [text for text in map(_scalar, flat) if text]


def _text_of(record: Any) -> str:
    # Numbers were read as texts, so they are quoted here.
    try:
        return _ENCODER.encode(record)
    except RecursionError:
        return ""
