"""Which tables are in JSON: arrays of objects, dictionaries of records, and things inside records.

Knows values and what people mean by them; knows no file and no column.

An array of objects is a table, and so is one inside a record, whose own records refer to the outer
one. An object inside a record that has an id is a thing of its own. An object whose keys differ
from record to record holds data in its keys: it is a table if its values are objects, and otherwise
left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from sightline.ingest.formats.paths import Steps, follow, path_of, steps_of
from sightline.ingest.source import Declared, Link, NoSuchTable

MAX_DEPTH = 100
MAX_TABLES = 200
#: Records of a table that are looked at.
SAMPLE = 10_000
#: Names of fields that tell records apart, the first before the others.
KEYS = ("id", "@id", "_id", "id_str", "uuid", "iri", "uri", "qid", "curie", "identifier")
#: The same, where no other record has the same.
UNIQUE = ("key", "code", "ref", "doi", "pmid", "orcid", "isbn", "sku", "slug")
#: An object with more keys than the first over all records, or more than the second of which a
#: record has few, has no fields.
OPEN, FEW_OPEN, SHARE = 200, 30, 0.25
#: Keys of arrays that do not say what is in them, as in answers of services.
WRAPPERS = frozenset(("data", "items", "results", "result", "records", "rows", "value", "hits"))
WRAPPERS |= {"response", "content", "list", "entries", "row", "record", "item", "entry"}
_NEEDS = re.compile(r"(dependencies|requires?|require-dev)$", re.IGNORECASE)
#: The number of a record in its table, where nothing else names it.
ROW = "row"


@dataclass(slots=True)
class Shape:
    """A table in documents.

    Attributes:
        steps: where its records are.
        name: after the keys on the way there.
        key: the field that names its records, or ``ROW``.
        parent: the table in whose records they are, to which they refer; None for those that are
            referred to.
        inside: dotted fields that are tables of their own, with the field that stays: the key of
            what is referred to.
        left: dotted fields that are left out, with the number of their keys.
        numbered: others refer to its records by their number.
    """

    steps: Steps
    name: str
    parent: Shape | None = None
    key: str = ROW
    inside: dict[str, str | None] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    numbered: bool = False

    @property
    def path(self) -> str:
        """Where its records are, as a mapping says it."""
        return path_of(self.steps)

    @property
    def declared(self) -> Declared:
        """Records inside others refer to these, whatever else they do."""
        outer, numbers = self.parent, (ROW,) if self.numbered else ()
        if outer is None:
            return Declared(whole=False, numbers=numbers)
        link = Link((f"{outer.name}.{outer.key}",), outer.name, (outer.key,))
        numbers = (*numbers, *link.columns) if outer.key == ROW else numbers
        return Declared(links=(link,), whole=False, numbers=numbers)


def name_of(steps: Steps, stem: str) -> str:
    """What the table at the end of a path is called: after the key of its outermost records, not
    of what is wrapped around them, and those inside; keys that say no more than that there are
    records say nothing."""
    first = steps.index(None) if None in steps else len(steps)
    outer = [step for step in steps[:first] if isinstance(step, str) and _tells(step)][-1:]
    below = list(zip(steps[first:], (*steps[first + 1 :], "")))
    inner = [
        step
        for step, after in below
        if isinstance(step, str) and (after is not None or _tells(step))
    ]
    if not inner:  # the items of an order are no orders
        inner = [step for step in steps[first:] if isinstance(step, str)][-1:]
    return ".".join((*(outer or [stem]), *inner)).lower()


def _tells(key: str) -> bool:
    return key.lower() not in WRAPPERS


def tables_in(document: Any) -> list[Steps]:
    """Where the outermost tables of a document are; none where it is one record."""
    return list(_outermost(document, (), 0))


def beside(document: Any, tables: Sequence[Steps]) -> list[str]:
    """The fields of a document that are in none of its tables."""
    ways = {steps[:count] for steps in tables for count in range(len(steps) + 1)}
    ways |= {(*steps, None) for steps in tables}  # what is in a record is in its table
    return list(_beside(document, (), ways))


def _beside(value: Any, steps: Steps, ways: set[Steps]) -> Iterator[str]:
    if steps not in ways:
        yield path_of(steps)
    elif isinstance(value, dict) and (*steps, None) not in ways:
        for key, item in value.items():
            yield from _beside(item, (*steps, key), ways)


def _outermost(value: Any, steps: Steps, depth: int) -> Iterator[Steps]:
    if isinstance(value, list):
        if any(isinstance(item, dict) for item in value):
            yield (*steps, None)
    elif isinstance(value, dict) and depth < MAX_DEPTH:
        inner = [
            table
            for key, item in value.items()
            if key is not None
            for table in _outermost(item, (*steps, key), depth + 1)
        ]
        # Two objects that are alike inside a document may as well be two fields of it.
        if _alike(value, 3 if steps or inner else 2):
            yield (*steps, None)
        elif not steps and len(value) > 1 and all(map(_of_objects, value.values())):
            yield from ((*steps, key, None) for key in value if key is not None)
        else:
            yield from inner
            if inner:  # beside arrays, an object that has an id is the only one of its kind
                alone = (key for key in value if key is not None and _has_id(value[key]))
                one = ((*steps, key) for key in alone)
                yield from (path for path in one if all(t[: len(path)] != path for t in inner))


def _has_id(value: Any) -> bool:
    """Whether a value is an object with an id and something else."""
    ids = [key for key in KEYS if key in value] if isinstance(value, dict) else []
    return any(isinstance(value[key], (str, int)) for key in ids) and len(value) > len(ids)


def _of_objects(value: Any) -> bool:
    """Whether a value is a dictionary of objects."""
    some = list(islice(value.values(), SAMPLE)) if isinstance(value, dict) else []
    return bool(some) and all(isinstance(item, dict) and item for item in some)


def _alike(value: dict[str, Any], least: int) -> bool:
    """Whether an object is a dictionary of records: objects that share most of their fields."""
    found = list(islice(value.values(), SAMPLE))
    if len(found) < least or not all(isinstance(item, dict) and item for item in found):
        return False
    count = Counter(chain.from_iterable(found))
    shared = any(times > 1 for times in count.values())
    return shared and sum(count.values()) >= len(count) * len(found) / 2


def as_records(rows: list[Any]) -> list[dict[str, Any]]:
    """Arrays of equal length as records; none where they are no such rows.

    The first names the columns if it holds texts that come in no other of its column.
    """
    width = len(rows[0]) if rows and isinstance(rows[0], list) else 0
    if not width or not all(isinstance(row, list) and len(row) == width for row in rows):
        return []
    if any(isinstance(cell, (dict, list)) for row in rows for cell in row):
        return []
    named = len(rows) > 1 and len(set(map(str, rows[0]))) == width
    for name, column in zip(rows[0], zip(*rows[1:])):
        named &= isinstance(name, str) and not _is_number(name) and name not in column
    names = rows[0] if named else [f"column_{i}" for i in range(1, width + 1)]
    return [dict(zip(names, row)) for row in rows[named:]]


def framed(document: Any) -> list[dict[str, Any]]:
    """A table that is written by its columns, or by rows beside their names, as records, as pandas
    writes them: ``columns``, ``split``, ``table`` and ``list``; none where it is none.

    Names of rows that are no numbers from 0 are the field ``index``.
    """
    if not isinstance(document, dict) or len(document) < 2:
        return []
    names, schema = document.get("columns"), document.get("schema")
    data = document.get("data", document.get("rows"))
    if isinstance(data, list) and isinstance(names, list) and len(document) < 4:
        index, widths = document.get("index", range(len(data))), {len(names)}
        sound = len(index) == len(data) and all(isinstance(name, str) for name in names)
        sound &= all(isinstance(row, list) and len(row) in widths for row in data)
        return _indexed(list(index), [dict(zip(names, row)) for row in data]) if sound else []
    if isinstance(data, list) and isinstance(schema, dict) and "pandas_version" in schema:
        rows = [dict(row) for row in data]
        return _indexed([row.pop("index", place) for place, row in enumerate(rows)], rows)
    columns = list(document.values())
    if all(isinstance(column, dict) and len(column) > 1 for column in columns):
        index = list(columns[0])
        if index == _numbers(len(index)) and all(list(column) == index for column in columns):
            return [{name: document[name][row] for name in document} for row in index]
    if all(isinstance(column, list) and len(column) > 2 for column in columns):
        cells = (cell for column in columns for cell in column)
        if len(set(map(len, columns))) == 1 and not any(isinstance(c, (dict, list)) for c in cells):
            return [dict(zip(document, row)) for row in zip(*columns)]
    return []


def _indexed(index: list[Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if list(map(str, index)) == _numbers(len(rows)):
        return rows
    return [{"index": name, **row} for name, row in zip(index, rows)]


def _numbers(count: int) -> list[str]:
    return list(map(str, range(count)))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text
    return True


def shapes(records: Sequence[Any], steps: Steps, stem: str) -> list[Shape]:
    """The table of some records, and those inside them."""
    found: list[Shape] = []
    _inspect(records, Shape(steps, name_of(steps, stem)), found, stem)
    return found


def _inspect(records: Sequence[Any], shape: Shape, found: list[Shape], stem: str) -> None:
    objects = [record for record in islice(records, SAMPLE) if isinstance(record, dict)]
    found.append(shape)
    shape.key = key_of(objects, shape.name) or ROW
    _fields(objects, shape, (), found, stem)


def _fields(
    objects: Sequence[dict[str, Any]],
    shape: Shape,
    at: tuple[str, ...],
    found: list[Shape],
    stem: str,
) -> None:
    if len(at) > MAX_DEPTH or len(shape.steps) > MAX_DEPTH:
        return  # such a record is refused when it is read
    for key in dict.fromkeys(key for one in objects for key in one if key is not None):
        values = [one[key] for one in objects if one.get(key) not in (None, "", [], {})]
        field_at = (*at, key)
        name, steps = ".".join(field_at), (*shape.steps, *field_at)
        if not values or len(found) >= MAX_TABLES:
            continue
        if all(isinstance(value, list) for value in values):
            items = list(islice(chain.from_iterable(values), SAMPLE))
            if any(items) and all(isinstance(item, dict) for item in items):
                _inner(items, shape, name, (*steps, None), found, stem)
        elif all(isinstance(value, dict) for value in values):
            count = Counter(chain.from_iterable(values))
            if needs(key) and not at and _named(objects, shape) and all(map(_of_texts, values)):
                items = [entry(item, k) for value in values for k, item in value.items()]
                shape.key = "name"
                _inner(items, shape, name, (*steps, None), found, stem)
                continue
            few = sum(count.values()) < SHARE * len(count) * len(values)
            if len(count) > OPEN or (len(count) > FEW_OPEN and few):
                items = [with_key(item, k) for value in values for k, item in value.items()]
                if any(items) and all(isinstance(item, dict) for item in items):
                    _inner(items, shape, name, (*steps, None), found, stem)
                else:
                    shape.inside[name], shape.left[name] = None, len(count)
            elif len(count) > 1 and (own := key_of(values, key, several=True)):
                shape.inside[name] = own
                _inspect(values, Shape(steps, name_of(steps, stem)), found, stem)
            else:
                _fields(values, shape, field_at, found, stem)


def needs(name: str) -> bool:
    """Whether a field says which others a package needs: their names with versions, as in the
    ``package.json`` of npm and the ``composer.json`` of PHP."""
    return bool(_NEEDS.search(name))


def _named(objects: Sequence[dict[str, Any]], shape: Shape) -> bool:
    """Whether the records are named by their ``name``, if by anything."""
    named = all(type(one.get("name")) is str and one["name"] for one in objects)
    return named and shape.key in (ROW, "name")


def _of_texts(value: dict[str, Any]) -> bool:
    return all(type(item) is str for item in value.values())


def entry(value: Any, key: str | None) -> Any:
    """A record of a dictionary; where it holds versions by name, one of the two."""
    return {"name": key, "version": value} if key and type(value) is str else with_key(value, key)


def _inner(
    items: Sequence[Any], shape: Shape, name: str, steps: Steps, found: list[Shape], stem: str
) -> None:
    shape.inside[name] = None
    shape.numbered = shape.key == ROW
    _inspect(items, Shape(steps, name_of(steps, stem), shape), found, stem)


def key_of(objects: Sequence[dict[str, Any]], name: str, several: bool = False) -> str | None:
    """The field that tells records apart by its name, and does.

    Args:
        several: a record may come several times.
    """
    word = name.rpartition(".")[2].lower()
    first: list[str] = [key for key in objects[0] if key] if objects else []
    own = [key for key in first if _is_id(key) and key.lower()[:3] == word[:3]]
    called = [key for name in UNIQUE for key in first if key.lower() == name]
    unique = () if several else (*called, *filter(_is_id, first[:1]))
    for key in (*KEYS, *own, *unique):
        values = [one.get(key) for one in objects]
        texts = all(isinstance(value, str) and value for value in values)
        if values and texts and (several or len(set(values)) == len(values)):
            return key
    return None


def _is_id(key: str) -> bool:
    """Whether a field is called an id, such as ``customer_id`` or ``bom-ref``."""
    return key.lower().endswith(("_id", "-id", "_ref", "-ref")) or key.endswith(("Id", "ID"))


def with_key(record: Any, key: str | None) -> Any:
    """A record with the key that it has in a dictionary of records, as its id."""
    if key is None or not isinstance(record, dict) or record.get("id") == key:
        return record
    # An empty key is that of the whole, as in the lock files of npm.
    return {("key" if "id" in record else "id"): key or record.get("name") or ".", **record}


@dataclass(frozen=True, slots=True)
class Found:
    """A record of a table.

    Attributes:
        parent: the one in which it is.
        number: its place in its table, from 1.
    """

    record: Any
    parent: Found | None
    number: int


def find(document: Any, shape: Shape, numbers: Counter[str]) -> list[Found]:
    """The records of a table in a document.

    Args:
        numbers: of records so far, by path.

    Raises:
        NoSuchTable
    """
    starts: list[tuple[Any, Found | None]] = [(document, None)]
    rest = shape.steps
    if shape.parent is not None and not shape.parent.steps:
        numbers[shape.parent.path] += 1
        starts = [(document, Found(document, None, numbers[shape.parent.path]))]
    elif shape.parent is not None:
        starts = [(one.record, one) for one in find(document, shape.parent, numbers)]
        rest = rest[len(shape.parent.steps) :]
    found: list[Found] = []
    missing: NoSuchTable | None = None
    path = shape.path
    for start, parent in starts:
        try:
            values = follow(start, rest)
        except NoSuchTable as error:
            missing = error
            continue
        for value, key in values:
            if value in (None, "") and rest and rest[-1] is not None:
                continue  # nothing is there, as in the ``assignee`` of an issue that has none
            numbers[path] += 1
            found.append(Found(entry(value, key), parent, numbers[path]))
    if missing and not found:
        raise missing
    return found


def selected(path: str, stem: str) -> Shape:
    """The table that a mapping selects, with those in which it is."""
    steps = steps_of(path)
    shape = None
    for count in range(len(steps)):
        if count == 0 or steps[count - 1] is None:
            shape = Shape(steps[:count], name_of(steps[:count], stem), shape)
    return Shape(steps, name_of(steps, stem), shape)
