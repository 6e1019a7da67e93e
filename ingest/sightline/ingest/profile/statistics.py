"""What a table holds, column by column, over all of its records.

Knows batches; decides nothing. A table is read once and no Python runs per record: how many values
a column has, which of them differ, what kind they are; and of some groups of columns, whether they
tell the records apart together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import polars as pl

from sightline.ingest.batch import Batch, Seen
from sightline.ingest.lexical import cut
from sightline.ingest.profile.distinct import Distinct, Hashes
from sightline.ingest.profile.kinds import (
    AMOUNTS,
    NO_UNIT,
    TIMES,
    Kind,
    Unit,
    floats,
    kind_of,
    misfits,
    mostly,
    separator_of,
    still,
    unit_of,
    wider,
    without,
)
from sightline.ingest.profile.names import (
    PAIRS,
    is_id,
    is_identifier,
    is_listed,
    stem,
    triple_columns,
    words,
)
from sightline.ingest.source import Selection, Source, Table, TableFormat

#: Values from which is told how long and how wordy those of a column are.
SAMPLE = 400
#: Columns that groups are made of, how many of them a group has, and how many if those do not do.
GROUPED, GROUP_SIZES, LARGEST_GROUP = 6, (2, 3), 4
#: Records of a batch that mostly show at once which groups do not tell them apart.
SHOWING = 4096
#: So many values show of which kind nearly all of a column are.
LEAST_MOSTLY = 20
#: Longer values on average name nothing.
LONGEST_NAME = 80


_LONG_CODE = re.compile(r"(?=.*[0-9:/@])(?=.*[A-Za-z])\S{6,}")


@dataclass(slots=True)
class Column:
    """A column and its values.

    Attributes:
        filled: records that have a value.
        kind: of all values.
        sample: some of them, in order.
        separator: between the values of a cell; None where a cell holds one.
        several: the format itself gives a record several values.
        called: its name without what all columns of the table begin with.
        floats: its whole numbers are written ``17.0``; values and hashes are those of ``17``.
        unit: what its numbers are written with; values and hashes are those of the numbers.
        mostly: the kind of nearly all values of a column of texts.
        misfits: values that are not of that kind, and the first of them.
    """

    name: str
    filled: int = 0
    distinct: Distinct = field(default_factory=Distinct)
    kind: Kind = "empty"
    sample: list[str] = field(default_factory=list)
    separator: str | None = None
    several: bool = False
    called: str = ""
    floats: bool = False
    unit: Unit = NO_UNIT
    mostly: Kind | None = None
    misfits: tuple[int, str] = (0, "")
    _density: tuple[int, float] = field(default=(0, 0.0), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.called = self.called or self.name

    @property
    def words_called(self) -> tuple[str, ...]:
        """The words of its name."""
        return words(self.called)

    @property
    def stem(self) -> tuple[str, ...]:
        """What it refers to, in words; none where it is called ``id``."""
        return stem(self.called)

    @property
    def density(self) -> float:
        """Share of whole numbers in it whose successor is in it as well."""
        count, known = self._density  # every column that might refer to this one asks
        if count == self.distinct.count:
            return known
        following = pl.Series([str(int(value) + 1) for value in self.sample], dtype=pl.String)
        hashes = np.sort(following.unique().hash().to_numpy())
        density = float(self.distinct.holds(hashes).mean()) if len(hashes) else 0.0
        self._density = self.distinct.count, density
        return density

    @property
    def mean_length(self) -> float:
        """Characters per value."""
        return sum(map(len, self.sample)) / max(len(self.sample), 1)

    @property
    def words(self) -> float:
        """Words per value."""
        return sum(value.count(" ") + 1 for value in self.sample) / max(len(self.sample), 1)

    @property
    def codes(self) -> bool:
        """Its values are words of letters and signs or digits, each too long to be another's."""
        return bool(self.sample) and all(map(_LONG_CODE.fullmatch, self.sample))

    @property
    def many(self) -> bool:
        """A record may have several values."""
        return self.several or self.separator is not None


@dataclass(slots=True)
class Statistics:
    """A table and its columns.

    Attributes:
        records: how many different ones there are.
        groups: of columns that may tell the records apart together.
        parts: those of the files that it is in, where these are several.
        again: columns that tell the records of each part apart, and come again in others.
        batches: what was read, for whoever reads it next; empty where that is too much to keep.
    """

    source: Source
    table: Table
    records: int = 0
    columns: dict[str, Column] = field(default_factory=dict)
    groups: dict[tuple[str, ...], Distinct] = field(default_factory=dict)
    parts: tuple[Statistics, ...] = ()
    again: frozenset[str] = frozenset()
    batches: list[Batch] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of the cells that are kept."""
        return sum(int(batch.frame.estimated_size()) for batch in self.batches)

    @property
    def files(self) -> tuple[Statistics, ...]:
        """Those of each file that it is in."""
        return self.parts or (self,)

    def unique(self, column: str) -> bool:
        """Whether every record has a value there and no two of a file the same."""
        found = self.columns[column]
        alone = found.distinct.unique or column in self.again
        return alone and found.filled == self.records > 0 and not found.many


def statistics(
    source: Source, table: Table, at: Callable[[Source, int], None], room: int = 0
) -> Statistics:
    """Read a table to its end.

    Args:
        at: is told the position in the source.
        room: bytes of cells that may be kept.

    Raises:
        SourceUnreadable, SourceSyntaxError, MappingError
    """
    found, seen = Statistics(source, table), Seen()
    for batch in table.batches:
        fresh = seen.fresh(batch.hashes)
        if room > 0:
            found.batches.append(replace(batch, fresh=fresh))
            if found.size > room:
                room, found.batches = 0, []
        _add(found, batch.frame, fresh)
        at(source, batch.position)
    return found


def _add(found: Statistics, frame: pl.DataFrame, fresh: pl.Series) -> None:
    if not fresh.all():
        frame = frame.filter(fresh)
    if frame.is_empty():
        return
    first = not found.records
    found.records += frame.height
    for values in frame.get_columns():
        if values.name not in found.columns:
            found.columns[values.name] = _begin(values)
    frame = _whole(found, frame)
    hashes = _hashes(frame)
    for values in frame.get_columns():
        column = found.columns[values.name]
        if column.many or values.dtype != pl.String:
            _extend_lists(column, values)
        else:
            _extend(column, values, hashes[values.name])
    if first:
        usable = _may_be_grouped(found)
        found.groups = {g: Distinct() for n in GROUP_SIZES for g in combinations(usable, n)}
    _extend_groups(found, hashes, frame.height, found.groups)
    if first and all(len(group) > 2 for group in found.groups):  # where no two do it, four may
        larger = {group: Distinct() for group in combinations(usable, LARGEST_GROUP)}
        found.groups |= larger
        _extend_groups(found, hashes, frame.height, larger)


def _extend_groups(
    found: Statistics,
    hashes: Mapping[str, Hashes],
    count: int,
    groups: Mapping[tuple[str, ...], Distinct],
) -> None:
    for group, distinct in list(groups.items()):
        few = min(count, SHOWING)
        there = all(name in hashes for name in group)
        if not there or len(np.unique(_beside(hashes, group, few))) < few:
            del found.groups[group]
            continue
        distinct.add(_beside(hashes, group, count))
        if not distinct.unique:
            del found.groups[group]


def _whole(found: Statistics, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the whole numbers of ``floats`` written as such, and others without unit."""
    schema = frame.schema  # which is made anew, whole, each time
    plain = [c for c in found.columns.values() if schema.get(c.name) == pl.String]
    made = [pl.col(c.name).str.strip_suffix(".0") for c in plain if c.floats]
    made += [without(pl.col(c.name), c.unit) for c in plain if c.unit != NO_UNIT]
    return frame.with_columns(made) if made else frame


def _hashes(frame: pl.DataFrame) -> dict[str, Hashes]:
    """Those of the cells of the columns that have one value in a cell."""
    plain = [values for values in frame.get_columns() if values.dtype == pl.String]
    if not plain or not frame.height:
        return {values.name: np.zeros(0, np.uint64) for values in plain}
    # One call for all columns: each has a cost of its own, and a table may have thousands.
    hashed = pl.concat(plain).hash().to_numpy().reshape(len(plain), frame.height)
    return {values.name: hashes for values, hashes in zip(plain, hashed)}


def _mixed(one: Hashes, other: Hashes) -> Hashes:
    """Hashes of pairs; the order counts."""
    with np.errstate(over="ignore"):
        mixed = (one ^ (other + np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
        return mixed ^ (mixed >> np.uint64(31))


def together(found: Statistics, columns: Sequence[str]) -> Distinct:
    """The values that columns have beside each other, which takes another reading of the table.

    Raises:
        SourceError
    """
    distinct = Distinct()
    for file in found.files:
        for table in _again(file):
            for batch in table.batches if table.name == file.table.name else ():
                if set(columns) <= set(batch.frame.columns):
                    frame = _whole(found, batch.frame.select(columns)).drop_nulls()
                    distinct.add(_beside(_hashes(frame), columns, frame.height))
    return distinct


def _again(file: Statistics) -> Iterator[Table]:
    """The tables of a file, from what was kept of it or from the file."""
    form = file.source.format
    assert isinstance(form, TableFormat)
    if file.batches:
        return iter([replace(file.table, batches=iter(file.batches))])
    return form.tables(file.source, Selection())


def _beside(hashes: Mapping[str, Hashes], columns: Sequence[str], count: int) -> Hashes:
    """Hashes of what columns have beside each other in the first ``count`` records."""
    mixed = np.zeros(count, np.uint64)
    for name in columns:
        mixed = _mixed(mixed, hashes[name][:count])
    return mixed


def _begin(values: pl.Series) -> Column:
    several = values.dtype != pl.String
    if several:
        values = values.explode()
    if len(values) > SAMPLE:
        values = values.drop_nulls()
        values = values.gather_every(max(1, len(values) // SAMPLE)).head(SAMPLE)
    sample = [value for value in values.to_list() if value is not None]
    column = Column(values.name, sample=sample, several=several)
    column.kind = kind_of(sample)
    if column.kind == "decimal" and not several and floats(sample):
        column.kind, column.floats = "integer", True
        column.sample = [value.removesuffix(".0") for value in sample]
    if column.kind == "text" and not several:
        column.unit = unit_of(sample)
    if column.unit != NO_UNIT:
        numbers = pl.DataFrame({"": sample}).select(without(pl.col(""), column.unit))
        column.sample = numbers.to_series().to_list()
        column.kind = kind_of(column.sample)
    elif column.kind == "text" and not several:
        column.mostly = mostly(sample) if len(sample) >= LEAST_MOSTLY else None
        column.separator = separator_of(sample, is_listed(values.name))
        if column.separator:
            pieces = cut(pl.Series(sample), column.separator).explode().drop_nulls()
            column.sample = [piece.strip() for piece in pieces if piece.strip()]
    return column


def _extend(column: Column, values: pl.Series, hashes: Hashes) -> None:
    if values.null_count():
        filled = values.is_not_null()
        values, hashes = values.filter(filled), hashes[filled.to_numpy()]
    column.filled += len(values)
    _take(column, values, hashes)


def _extend_lists(column: Column, values: pl.Series) -> None:
    if values.dtype == pl.String and column.separator:
        values = cut(values, column.separator)
    column.filled += len(values) - values.null_count()
    column.several = column.several or column.separator is None
    values = values.explode().drop_nulls()
    if column.separator:
        values = values.str.strip_chars()
        values = values.filter(values != "")
    _take(column, values, values.hash().to_numpy())


def _take(column: Column, values: pl.Series, hashes: Hashes) -> None:
    if not len(values):
        return
    if column.kind == "empty":
        column.sample = values.head(SAMPLE).to_list()
        column.kind = kind_of(column.sample)
    if column.filled > SAMPLE:  # otherwise the sample is all there is
        before, column.kind = column.kind, still(column.kind, values)
        if before != column.kind == "text":
            column.mostly = wider(before)
    if column.mostly:
        others = misfits(column.mostly, values)
        count, first = column.misfits
        column.misfits = count + len(others), first or next(iter(others), "")
    column.distinct.add(hashes)
    if column.distinct.unique and not may_name(column):
        column.distinct.give_up()


def may_name(column: Column) -> bool:
    """Whether values of its kind may name things: no time, no measure, no prose."""
    if column.many or column.kind in (*TIMES, *AMOUNTS, "boolean"):
        return False
    if (column.floats and not is_id(column.name)) or column.unit != NO_UNIT:
        return False
    return column.mean_length <= LONGEST_NAME


def _may_be_grouped(found: Statistics) -> list[str]:
    """Columns that may tell the records apart together, where no single one surely will."""
    usable = [
        name
        for name, column in found.columns.items()
        if may_name(column) and column.filled == found.records and column.kind != "empty"
    ]
    if any(is_identifier(name) and found.columns[name].distinct.unique for name in usable):
        return []
    head, _, tail = triple_columns(list(found.columns)) or ("", (), "")
    if (head.lower(), tail.lower()) in PAIRS and {head, tail} <= set(usable):
        return []  # ends of edges: what they are together names no record
    several = [name for name in usable if not found.columns[name].distinct.unique]
    several.sort(key=lambda name: not is_identifier(name))
    return several[:GROUPED]
