"""Files that are parts of one table: ``part-1.csv``, ``part-2.csv``; ``2023.csv``, ``2024.csv``.

Knows the statistics of tables; decides nothing else about them. Parts are called alike but for
numbers and have the same columns. Where each has the same keys they are parts of one table only if
nothing but a number, or a year, is their name: ``level1.csv`` and ``level2.csv`` may count their
records each on their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from sightline.ingest.profile import names
from sightline.ingest.profile.kinds import NO_UNIT, widened
from sightline.ingest.profile.statistics import SAMPLE, Column, Statistics

_NUMBER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+")
_YEAR = re.compile(r"(1[5-9]|20)[0-9]{2}")
#: Words of names of files that say that they are parts.
WORDS = ("part", "chunk", "split", "shard", "batch", "piece", "page", "vol", "volume", "segment")
#: Names of folders that say nothing of what is in their files.
FOLDERS = ("data", "raw", "csv", "input", "inputs", "files", "tmp", "export", "download", "out")


def united(tables: Sequence[Statistics]) -> list[Statistics]:
    """The tables, those of parts as one; what is called alike is together in the place of the
    first."""
    groups: dict[object, list[Statistics]] = {}
    for table in tables:
        about = (*_called(table), tuple(table.columns))
        schema = table.table.declared is not None and table.table.declared.whole
        alone = schema or not _NUMBER.search(table.table.name)
        groups.setdefault(id(table) if alone or table.source.split else about, []).append(table)
    out = []
    for group in groups.values():
        one = _one(group) if len(group) > 1 else None
        out += [one] if one else group
    return out


def _called(table: Statistics) -> tuple[object, ...]:
    """What parts of one table have in common: folder, format and name without numbers."""
    return table.source.path.parent, table.source.format.name, _NUMBER.sub("#", table.table.name)


def thing(table: Statistics) -> str:
    """What a table in parts is called: their name without what tells them apart, or the folder."""
    if left := _words(table):
        return "_".join(left)
    folder = table.source.origin.absolute().parent.name
    return folder if folder.lower() not in FOLDERS and names.words(folder) else "record"


def _words(table: Statistics) -> list[str]:
    """The words of its name beside numbers and those that say that it is a part."""
    bare = _NUMBER.sub(" ", table.table.name)
    return [word for word in names.words(bare) if word not in WORDS]


def _one(parts: Sequence[Statistics]) -> Statistics | None:
    first = parts[0]
    columns = {name: _together([part.columns[name] for part in parts]) for name in first.columns}
    groups = {}
    for group, distinct in first.groups.items():
        others = [part.groups.get(group) for part in parts[1:]]
        together = distinct.copy()
        for other in others:
            if other is not None:
                together.take(other)
        if all(others) and together.unique:
            groups[group] = together
    everywhere = {name for name in columns if all(part.unique(name) for part in parts)}
    again = {name for name in everywhere if not columns[name].distinct.unique}
    years = all(_YEAR.search(part.table.name) for part in parts)
    if any(names.is_identifier(name) for name in again) and _words(first) and not years:
        return None
    records = sum(part.records for part in parts)
    return Statistics(
        first.source, first.table, records, columns, groups, tuple(parts), frozenset(again)
    )


def _together(parts: Sequence[Column]) -> Column:
    """The values of a column in all parts."""
    each = max(1, SAMPLE // len(parts))
    one = Column(parts[0].name, separator=next((p.separator for p in parts if p.separator), None))
    for part in parts:
        one.filled += part.filled
        one.kind = widened(one.kind, part.kind)
        one.distinct.take(part.distinct)
        one.several |= part.several
        one.floats |= part.floats
        one.mostly = one.mostly or part.mostly
        one.misfits = one.misfits[0] + part.misfits[0], one.misfits[1] or part.misfits[1]
    units = {part.unit for part in parts if part.filled}
    one.kind = one.kind if len(units) < 2 else "text"
    one.unit = units.pop() if len(units) == 1 else NO_UNIT
    one.sample = list(chain.from_iterable(part.sample[:each] for part in parts))
    return one
