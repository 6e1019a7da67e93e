"""Columns that refer to the records of a table together, where several columns name these.

Knows profiled tables, and reads again those in which such columns were found by their names: only
the values that stand beside each other tell whether there is a record of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sightline.ingest.profile import names
from sightline.ingest.profile.distinct import Distinct
from sightline.ingest.profile.links import SHARE_OF_SURE, Link
from sightline.ingest.profile.speak import SAME_NAME, abbreviates
from sightline.ingest.profile.statistics import Column, together
from sightline.ingest.profile.tables import Profiled


def find_together(tables: Sequence[Profiled]) -> None:
    """Give tables their links of several columns.

    Raises:
        SourceError: a table that was read before cannot be read again.
    """
    by_name = {table.statistics.table.name: table for table in tables}
    keys: dict[str, Distinct] = {}
    for table in tables:
        declared = table.statistics.table.declared
        for foreign in declared.links if declared else ():
            target = by_name.get(foreign.table)
            if target and len(foreign.columns) > 1 and set(foreign.referred) == set(target.key):
                of = dict(zip(foreign.referred, foreign.columns))
                _link(table, tuple(of[name] for name in target.key), target, keys, True)
        if declared and declared.links and declared.whole:
            continue
        for target in tables:
            columns = _called_alike(table, target)
            if columns:
                _link(table, columns, target, keys, False)


def _called_alike(table: Profiled, target: Profiled) -> tuple[str, ...] | None:
    """The columns of a table that are called as those of a key, and have their values."""
    if target is table or table.role != "things" or target.role != "things" or target.raw:
        return None
    if len(target.key) < 2 or target.links.keys() >= set(target.key):
        return None  # a table of links only: what has the same ends has them by itself
    if any(link.table is table for link in target.together.values()):
        return None
    by_words = {column.words_called: name for name, column in table.columns.items()}
    by_stem = {column.stem: name for name, column in table.columns.items() if column.stem}
    columns: list[str] = []
    for part in target.key:
        key = target.columns[part]
        name = by_words.get(key.words_called) or by_stem.get(key.stem) or _short(table, key)
        if key.called.lower() in (*names.LABELS, *names.KEYS):
            name = by_stem.get(target.thing)  # the ``Name`` of a province is a ``Province``
        if name is None or table.columns[name].kind != key.kind or table.columns[name].many:
            return None
        if name in columns:
            return None
        if table.columns[name].distinct.found_in(key.distinct).share < SHARE_OF_SURE:
            return None
        columns.append(name)
    return tuple(columns)


def _short(table: Profiled, key: Column) -> str | None:
    """The one column whose name is short for that of a part of a key, or which it is short for:
    ``lgID`` and ``league.key``."""
    if len(key.stem) != 1 or not names.is_id(key.called):
        return None
    found = [
        column.name
        for column in table.columns.values()
        if len(column.stem) == 1
        and names.is_id(column.called)
        and column.stem[0][0] == key.stem[0][0]
        and abbreviates(*sorted((column.stem[0], key.stem[0]), key=len))
    ]
    return found[0] if len(found) == 1 else None


def _link(
    table: Profiled,
    columns: tuple[str, ...],
    target: Profiled,
    keys: dict[str, Distinct],
    declared: bool,
) -> None:
    if target.name not in keys:
        known = target.statistics.groups.get(target.key)
        keys[target.name] = known or together(target.statistics, target.key)
    found = together(table.statistics, columns).found_in(keys[target.name])
    if declared or found.share >= SHARE_OF_SURE:
        table.together[columns] = Link(target, ", ".join(target.key), found, SAME_NAME, declared)
