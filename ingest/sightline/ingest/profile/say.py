"""What was decided about a table, in sentences.

Knows profiled tables; decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sightline.ingest.profile import names
from sightline.ingest.profile.kinds import MOST_MISFITS, NUMBERS, either_way, nothing_in
from sightline.ingest.profile.relate import evidence
from sightline.ingest.profile.statistics import Column
from sightline.ingest.profile.tables import Profiled

#: So many columns of a table are told of in its sentences; `sightline profile` shows all.
TOLD = 20


def say(table: Profiled, tables: Sequence[Profiled], meaning: Mapping[str, str]) -> None:
    """Add the sentences about a table: its role or key, its links, its columns, what is left out.

    Args:
        meaning: of each column.
    """
    _say_parts(table)
    if table.triple is not None:
        _say_triples(table)
    elif table.ends is not None:
        table.say(f"each record is a link from {table.ends[0]} to {table.ends[1]}")
    elif table.role == "relations":
        table.say(f"describes relations, named by {', '.join(table.key) or 'nothing'}")
    else:
        _say_key(table, tables)
    _say_links(table)
    known = {*table.links, *(table.triple or ()), *(table.ends or ())}
    others = ((name, what) for name, what in meaning.items() if name not in known)
    told = [f"{name}: {what}" for name, what in others if what not in ("key", "empty")]
    if told:
        more = f"; and {len(told) - TOLD} more columns" if len(told) > TOLD else ""
        table.say(f"columns of {table.name} are {'; '.join(told[:TOLD])}{more}")
    for column in table.columns.values():
        count, first = column.misfits
        if column.mostly and 0 < count <= MOST_MISFITS * column.filled:
            what = "numbers" if column.mostly in NUMBERS else "dates"
            of = f"{column.filled:,} values of {table.name}.{column.name}"
            table.say(
                f"{count:,} of {of} are no {what} as the others are, first {first[:40]!r}: "
                "all of them stay texts",
                True,
            )
        if _may_be_either(table, column):
            what = "a day or a month first" if column.kind == "other date" else "thousands or parts"
            example = next(v for v in column.sample if column.kind != "comma" or "," in v)
            table.say(
                f"{example!r} in {table.name}.{column.name} may have {what}: the values stay "
                "texts; say how they are written with `format` in a mapping",
                True,
            )
        if (
            column.kind in NUMBERS
            and column.name not in known
            and (codes := nothing_in(column.sample))
        ):
            table.say(
                f"{', '.join(codes)} in {table.name}.{column.name} may stand for no value, as the "
                "only negative numbers there: if so, list them under `null` in a mapping",
                True,
            )
    empty = [column.name for column in table.columns.values() if not column.filled]
    if empty:
        more = f" and {len(empty) - 10} more" if len(empty) > 10 else ""
        table.say(f"without a single value: {', '.join(empty[:10])}{more}")


def _may_be_either(table: Profiled, column: Column) -> bool:
    """Whether its dates or numbers can be read in two ways, and would be if one were known."""
    if not either_way(column.kind, column.sample):  # as most: what is known is many names
        return False
    return column.name not in (*table.key, *table.links, *(table.triple or ()), *(table.ends or ()))


def _say_parts(table: Profiled) -> None:
    parts = [part.source.name for part in table.statistics.parts]
    if not parts:
        return
    more = f" and {len(parts) - 5} more" if len(parts) > 5 else ""
    table.say(
        f"one table in {len(parts):,} files: {', '.join(parts[:5])}{more}: one kind of thing, and "
        "equal keys are the same thing in each"
    )
    for column in table.key:
        if column in table.statistics.again:
            count = table.columns[column].distinct.count
            table.say(
                f"{column} tells the records of each file apart and comes again in others: "
                f"{count:,} things in {table.statistics.records:,} records",
                True,
            )


def _say_triples(table: Profiled) -> None:
    assert table.triple is not None
    head, relation, tail = table.triple
    way = f"whose relation is {relation}" if relation else "related in a way that it does not say"
    if relation is None and names.are_kin(head, tail):
        way = f"which is its {tail}"
    table.say(f"each record is an edge from {head} to {tail}, {way}")


def _say_key(table: Profiled, tables: Sequence[Profiled]) -> None:
    what, records = " ".join(table.thing), table.statistics.records
    if not table.key:
        table.say(
            f"no column tells the {records:,} records of {table.name} apart: each is a thing of "
            "its own, named by its place in the file",
            True,
        )
        return
    key = " and ".join(table.key)
    if table.same_as is None:
        together = " together" if len(table.key) > 1 else ""
        count = table.columns[table.key[0]].distinct.count if len(table.key) == 1 else records
        how = f"all {records:,} differ{together}"
        if count < records and not table.statistics.again:
            how = f"{count:,} things in {records:,} records, some of which are in several others"
        table.say(f"one record for each {what}, named by {key}: {how}")
    if len(table.key) != 1 or table.raw or table.same_as:
        return
    ids = table.columns[table.key[0]].distinct
    apart = []
    for other in tables[tables.index(table) + 1 :]:
        if other.role != "things" or other.same_as or len(other.key) != 1:
            continue
        common = ids.found_in(other.columns[other.key[0]].distinct).found
        if common and other.thing == table.thing:
            table.say(
                f"{common:,} of its keys are keys of {other.name} too, and both are called {what}: "
                "they are taken for the same things",
                True,
            )
        elif common and not other.raw and not _linked(table, other):
            apart.append(other.name)
    if apart:
        more = f" and {len(apart) - 5} more" if len(apart) > 5 else ""
        table.say(
            f"some of its keys are keys of {', '.join(apart[:5])}{more} too; nothing says that "
            "they are the same things, so they stay apart"
        )


def _linked(one: Profiled, other: Profiled) -> bool:
    links = [(one, link) for link in other.links.values()]
    links += [(other, link) for link in one.links.values()]
    return any(link.table is table for table, link in links)


def _say_links(table: Profiled) -> None:
    together = ((", ".join(columns), link) for columns, link in table.together.items())
    for column, named in table.about.items():
        table.say(f"about the link of {column}: {', '.join(named)}")
    for column, link in (*table.links.items(), *together):
        if link.table is None:
            what = " ".join(names.referred(column, table.columns))
            table.say(
                f"{column} refers to {link.found.of:,} things called {what} that no file describes",
                True,
            )
            continue
        missing = link.found.of - link.found.found
        why = "declared" if link.declared else f"confidence {link.confidence:.2f}"
        to = f"{link.table.name}.{link.column}"
        table.say(f"{table.name}.{column} -> {to}: {evidence(link.found)}, {why}")
        if missing:
            table.say(
                f"{missing:,} of {link.found.of:,} values of {table.name}.{column} are in no {to}: "
                "they are links to things that it does not describe",
                True,
            )
