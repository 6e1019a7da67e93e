"""A changed file takes the place of what was loaded of it before.

Knows when two loads are of one source, and what came and went between them row by row; reads no
source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sightline.graph.record.loads import Load
from sightline.graph.record.places import TableRows, table_of
from sightline.graph.record.statements import TERMS
from sightline.graph.vocabulary import GENID
from sightline.ingest.source import Source

#: So many of the rows that came, went or changed are named.
NAMED = 3
#: The columns of a row: what it is about and all that it states, as hashes.
_SUBJECT, _SAID = "about", "said"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that came, went or changed.

    Attributes:
        count: how many there are.
        first: what people call the first of them.
    """

    count: int
    first: tuple[str, ...]

    def __str__(self) -> str:
        named = [*self.first, *(["..."] if self.count > len(self.first) else [])]
        return f"{self.count:,}" + (f" ({', '.join(named)})" if named else "")


@dataclass(frozen=True, slots=True)
class Replaced:
    """A load that another took the place of.

    Attributes:
        added, removed, changed: rows that state something, told apart by all that they state. A
            changed one states other things of the same subject. Removed ones are called as in the
            load that was replaced.
    """

    load: Load
    added: Rows
    removed: Rows
    changed: Rows

    def __str__(self) -> str:
        what = f"rows added: {self.added}; removed: {self.removed}; changed: {self.changed}"
        if not self.added.count + self.removed.count + self.changed.count:
            what = "it states the same"
        return f"replaces load {self.load.id}: {what}"


class Formers:
    """Loads by where their source is and by what the user calls it."""

    def __init__(self, loads: Sequence[Load]) -> None:
        self._by_place, self._by_name = _by(loads, "path"), _by(loads, "called")

    def of(self, source: Source) -> Iterator[Load]:
        """Those of a source. Two that both have a name are one where that is the same; others are
        one where they are in the same place, which may be nowhere."""
        yield from self._by_name.get((source.called, source.role), ())
        for load in self._by_place.get((source.place, source.role), ()):
            if not (load.called and source.called):
                yield load


def _by(loads: Sequence[Load], name: str) -> dict[tuple[str, str], list[Load]]:
    """Loads by an attribute, where it says something, and role."""
    found: dict[tuple[str, str], list[Load]] = {}
    for load in loads:
        if value := getattr(load, name):
            found.setdefault((value, load.role), []).append(load)
    return found


def replaced(former: Load, statements: Sequence[Path], tables: Sequence[TableRows]) -> Replaced:
    """What changed since a load of the same source.

    Args:
        statements: Parquet files of what is loaded now.
        tables: how its rows are numbered.
    """
    old, new = _rows(former.statements), _rows(statements)
    (_, gone), (_, come) = _parted(old, new, _SAID), _parted(new, old, _SAID)
    changed, added = _parted(come, gone, _SUBJECT)
    before, removed = _parted(gone, come, _SUBJECT)
    return Replaced(
        former,
        _named(added.join(changed, "row", "anti"), tables),
        _named(removed.join(before, "row", "anti"), former.tables),
        _named(changed, tables),
    )


def _rows(statements: Sequence[Path]) -> pl.DataFrame:
    """For each row and each subject in it its number, and hashes of the subject and of all that the
    row states of it."""
    schema = {"row": pl.UInt32, _SUBJECT: pl.UInt64, _SAID: pl.UInt64}
    parts = [pl.DataFrame(schema=schema)]
    # Blank nodes are called after the bytes of the whole source.
    own = f"^({GENID})[0-9a-f]+"
    for path in statements:
        frame = pl.read_parquet(path, columns=[*TERMS, "row"])
        frame = frame.with_columns(pl.col("subject", "object").str.replace(own, "$1"))
        about = pl.col("subject").hash().alias(_SUBJECT)
        said = frame.select("row", about, frame.select(TERMS).hash_rows().alias(_SAID))
        parts.append(said.group_by("row", _SUBJECT).agg(pl.col(_SAID).sum()))
    return pl.concat([part.cast(schema) for part in parts]).sort("row")  # type: ignore[arg-type]


def _parted(rows: pl.DataFrame, others: pl.DataFrame, by: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that are among others and those that are not; equal ones count one by one."""
    nth = pl.int_range(pl.len()).over(by).alias("nth")
    rows, others = rows.with_columns(nth), others.select(by, nth)
    on = [by, "nth"]
    return (
        rows.join(others, on, "semi", maintain_order="left"),
        rows.join(others, on, "anti", maintain_order="left"),
    )


def _named(rows: pl.DataFrame, tables: Sequence[TableRows]) -> Rows:
    found = rows["row"].unique().sort()
    first = found.head(NAMED).to_list()
    return Rows(len(found), tuple(table_of(tables, row).place(row) for row in first))
