"""Which columns refer to the records of which table: by their values together with their names.

Knows profiled tables. Small whole numbers are values of each other by chance, so that a name must
speak for such a link; texts that are all found speak for themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sightline.graph.arrays import Flags
from sightline.ingest.profile import names
from sightline.ingest.profile.distinct import Found
from sightline.ingest.profile.kinds import TIMES
from sightline.ingest.profile.statistics import Column
from sightline.ingest.profile.tables import MANY, Profiled

#: Names that say as much alone speak for a link of which this share of the values is found.
SURE_NAME, SHARE_OF_SURE = 0.75, 0.5
#: Below that, this share must be found.
SHARE_OF_UNSURE = 0.99
#: Of so many values of a column this share must be keys of a table, or all are not looked up there.
PROBES, LEAST_PROBES = 8, 0.75
#: Letters at the end of names written as one by which they are compared; the mark of people.
END, PERSON = 4, "@"


@dataclass(frozen=True, slots=True)
class Link:
    """A column that refers to the records of a table.

    Attributes:
        table: the one referred to; None where no source describes it.
        column: the one there that has the values.
        found: how many of its values are there.
        name: how much the names speak for it, between 0 and 1.
        declared: the source itself says so.
    """

    table: Profiled | None
    column: str
    found: Found
    name: float
    declared: bool = False

    @property
    def confidence(self) -> float:
        """Between 0 and 1."""
        if self.declared:
            return 1.0
        return round(0.5 * max(self.name, 0.4) + 0.5 * self.found.share, 2)


def find_links(tables: Sequence[Profiled]) -> None:
    """Give every table its links, those that are declared before those that are found."""
    targets = _Targets(tables)
    by_name = {table.statistics.table.name: table for table in targets.tables}
    for table in tables:
        if table.role in ("triples", "relations"):
            continue
        declared = table.statistics.table.declared
        for foreign in declared.links if declared else ():
            target = by_name.get(foreign.table)
            if target is not None and len(foreign.columns) == 1:
                name, referred = foreign.columns[0], foreign.referred[0]
                if name in table.columns and referred in target.columns:
                    found = _found(table.columns[name], target.columns[referred])
                    table.links[name] = Link(target, referred, found, 1.0, declared=True)
        if declared and declared.links:
            continue
        for column in table.columns.values():
            link = _best(table, column, targets)
            if link is not None:
                table.links[column.name] = link


class _Targets:
    """The tables that columns may refer to, looked up by what names or values have in common: not
    every column is held against every table."""

    def __init__(self, tables: Sequence[Profiled]) -> None:
        self.tables = [table for table in tables if table.role == "things" and table.names]
        self._by_mark: dict[str, list[int]] = {}
        for place, table in enumerate(self.tables):
            for mark in _marks_of(table):
                self._by_mark.setdefault(mark, []).append(place)
        columns = [column for table in tables for column in table.columns.values()]
        self._columns = {id(column): place for place, column in enumerate(columns)}
        self._holds = self._held(columns)

    def _held(self, columns: Sequence[Column]) -> Flags:
        """``(columns, targets)``: whether some values of the column are keys of the target."""
        probes = [column.distinct.kept()[:PROBES] for column in columns]
        counts = np.array([len(some) for some in probes], np.int64)
        owner = np.repeat(np.arange(len(columns)), counts)
        more = np.array([column.distinct.size > PROBES for column in columns], np.bool_)
        least = np.where(more, LEAST_PROBES * counts, counts)
        values, place = np.unique(
            np.concatenate([np.zeros(0, np.uint64), *probes]), return_inverse=True
        )
        held = np.zeros((len(columns), len(self.tables)), np.bool_)
        for i, table in enumerate(self.tables):
            if len(table.key) == 1:
                key = table.columns[table.key[0]].distinct
                found = owner[key.holds(values)[place]]
                held[:, i] = np.bincount(found, minlength=len(columns)) >= least
        return held

    def by_name(self, table: Profiled, column: Column) -> list[Profiled]:
        """Those for which the name of a column may speak, in order; its own table among them."""
        found = {place for mark in _marks(column) for place in self._by_mark.get(mark, ())}
        return [t for i, t in enumerate(self.tables) if i in found or t is table]

    def by_value(self, column: Column) -> Iterator[Profiled]:
        """Those of which a sample of the column's values are keys, in order."""
        for place in np.flatnonzero(self._holds[self._columns[id(column)]]):
            yield self.tables[place]


def _marks(column: Column) -> set[str]:
    """What the name of a column has in common with a table for which it speaks."""
    called, stem = names.words(column.name), names.stem(column.name)
    marks = {*stem, "".join(stem)[-END:], "=" + "".join(called)}
    if stem and names.is_id(column.name):
        marks.add("^" + stem[-1][:2])  # how an abbreviation begins
    if {*called, *stem} & set(names.ROLES):
        marks.add(PERSON)
    return marks


def _marks_of(table: Profiled) -> set[str]:
    """What a table has in common with the names of columns that speak for it."""
    joined = "".join(table.thing)
    marks = {*table.thing, joined[-END:], *("^" + joined[:1] + letter for letter in joined[1:])}
    for key in table.names:
        if names.is_id(key) or table.key == (key,):
            marks |= {*names.stem(key), "=" + "".join(names.words(key))}
    if table.thing[-1] in names.PEOPLE:
        marks.add(PERSON)
    return marks


def _found(column: Column, other: Column) -> Found:
    return column.distinct.found_in(other.distinct)


def _best(table: Profiled, column: Column, targets: _Targets) -> Link | None:
    if not column.filled or column.kind in (*TIMES, "decimal", "double", "comma", "boolean"):
        return None
    if column.kind == "text" and column.mean_length > 60:
        return None
    if table.key == (column.name,) and names.stem(column.name) == table.thing:
        return None  # named after its own table
    named = list(_candidates(table, column, targets.by_name(table, column), True))
    if table.key == (column.name,):
        return max((link for link in named if link.name >= SURE_NAME), key=_worth, default=None)
    if named:
        return max(named, key=_worth)
    # Without a name only the one table that has all values can be meant.
    found: list[Link] = []
    for link in _candidates(table, column, targets.by_value(column), False):
        if found and _root(link) is not _root(found[0]):
            return None
        found.append(link)
    return max(found, key=_worth, default=None)


def _root(link: Link) -> Profiled | None:
    table, column = link.table, link.column
    while table and (further := table.links.get(column)) and further.table is not table:
        table, column = further.table, further.column
    return table


def _worth(link: Link) -> tuple[float, float, bool, bool, int]:
    table = link.table
    assert table is not None
    main = table.key == (link.column,)
    return (
        round(link.name * 2 + link.found.share, 2),
        main,
        table.thing[-1:] == names.stem(link.column)[-1:],
        table.label is not None,
        table.statistics.records,
    )


def _candidates(
    table: Profiled, column: Column, targets: Iterable[Profiled], named: bool
) -> Iterator[Link]:
    """Links for which names speak, or those for which values alone do."""
    for target in targets:
        if target is table and (not target.key or column.name in target.key):
            continue
        for key in target.names if target is not table else target.key[:1]:
            name = _names_speak(table, column, target, key)
            if bool(name) != named:
                continue
            if not named and not _values_can_speak(table, column, target, key):
                continue
            found = _found(column, target.columns[key])
            if target is not table and not _goes_up(table, column, target, key, found):
                continue
            if _enough(column, found, name):
                yield Link(target, key, found, name)


def _enough(column: Column, found: Found, name: float) -> bool:
    if name >= SURE_NAME:
        return found.share >= SHARE_OF_SURE
    if name:
        return found.share >= SHARE_OF_UNSURE
    return found.share >= SHARE_OF_UNSURE and found.of >= (MANY if column.kind == "integer" else 3)


def _goes_up(table: Profiled, column: Column, target: Profiled, key: str, found: Found) -> bool:
    """Of two tables with the same names, the one that describes them is referred to."""
    if not table.statistics.unique(column.name):
        return True
    back = target.columns[key].distinct.found_in(column.distinct)
    if back.share < 1 or not found.found:
        return True

    def rank(one: Profiled, name: str) -> tuple[bool, bool, int]:
        own = names.stem(name) in (one.thing, one.thing[-1:])
        return own, one.label is not None, one.columns[name].distinct.count

    return rank(target, key) > rank(table, column.name)


def _names_speak(table: Profiled, column: Column, target: Profiled, key: str) -> float:
    """How much the names say that a column refers to the records of a table, between 0 and 1."""
    called, thing = names.words(column.name), target.thing
    stem, of_key = names.stem(column.name), names.stem(key)
    main = target.key == (key,)
    if column.kind in ("integer", "digits") and not _same_kind(column, target.columns[key]):
        return 0.0
    if not main and not names.is_identifier(key):
        return 0.0
    if target is table:
        if not main or column.name in target.key:
            return 0.0
        if set(called) & set(names.SELF):
            return 0.9
        return 0.8 if len(stem) > len(thing) and stem[-len(thing) :] == thing else 0.0
    if not stem:
        return 0.0
    if stem == thing or "".join(stem) == "".join(thing):
        return 1.0
    if called == names.words(key) and of_key and (main or names.is_id(key)):
        return 0.95
    if stem[-len(thing) :] == thing:
        return 0.9
    if of_key and names.is_id(key) and stem[-len(of_key) :] == of_key:
        return 0.85
    if len(stem) < len(thing) and thing[-len(stem) :] == stem:
        return 0.8
    return _loosely(column, called, stem, thing) if main else 0.0


def _loosely(
    column: Column, called: tuple[str, ...], stem: tuple[str, ...], thing: tuple[str, ...]
) -> float:
    """What abbreviations, words written as one and roles of people say."""
    joined, of_thing = "".join(stem), "".join(thing)
    if len(of_thing) > 3 and joined.endswith(of_thing):
        return 0.8
    if names.is_id(column.name):
        last = stem[-1]
        if len(last) > 2 and last[0] == of_thing[0] and _abbreviates(last, of_thing):
            return 0.6
        if thing[: len(stem)] == stem:
            return 0.5
    if thing[-1] in names.PEOPLE and {*called, *stem} & set(names.ROLES):
        return 0.5
    return 0.0


def _abbreviates(short: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in short)


def _same_kind(one: Column, other: Column) -> bool:
    numbers = ("integer", "digits")
    return (one.kind in numbers) == (other.kind in numbers)


def _values_can_speak(table: Profiled, column: Column, target: Profiled, key: str) -> bool:
    """Whether values that are all found would say something without a name."""
    if target is table or target.key != (key,) or not _same_kind(column, target.columns[key]):
        return False
    if column.name in table.key and table.statistics.unique(column.name):
        return False
    if column.kind == "integer":
        return names.is_id(column.name) and target.statistics.records >= MANY
    labels = (*names.LABELS, "name", "title")
    return names.words(key)[-1:] not in [(label,) for label in labels] and column.mean_length >= 2
