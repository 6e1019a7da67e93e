"""The statements of loads as frames, whatever version of the record they were written in.

Knows the columns of a statement, and which statements others take back; knows no ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from sightline.graph.record.loads import Load, Role

#: What a statement says. ``datatype`` is null where the object is an IRI.
TERMS = ("subject", "predicate", "object", "datatype", "language")
#: ``graph`` is null for the load's own graph; ``row`` is the 1-based record or line in the source.
COLUMNS = (*TERMS, "graph", "row")
#: Lists of texts, in files that have any: a rating, a year, a publication of the statement.
QUALIFIERS = ("qualifier_keys", "qualifier_values")


def statement_schema() -> dict[str, pl.DataType]:
    """Column name to polars type."""
    import polars as pl

    return {name: pl.UInt32() if name == "row" else pl.String() for name in COLUMNS}


def scan_statements(
    loads: Sequence[Load], *roles: Role, qualified: bool = False
) -> Iterator[tuple[int, pl.LazyFrame]]:
    """The statements of loads of some roles, file by file, with the position of the load in
    ``loads``; without those that a load of retractions among ``loads`` takes back.

    Args:
        qualified: only files with qualifiers, and those columns too.
    """
    retracted = _retracted(loads)
    columns = (*COLUMNS, *QUALIFIERS) if qualified else COLUMNS
    for index, load in enumerate(loads):
        for path in load.statements if load.role in roles else ():
            if qualified and not _has_qualifiers(load, path):
                continue
            frame = _scan(path).select(columns)
            if retracted is not None:
                frame = frame.join(retracted, on=TERMS, how="anti", nulls_equal=True)
            yield index, frame


def _scan(path: Path) -> pl.LazyFrame:
    import polars as pl

    return pl.scan_parquet(path)


def _has_qualifiers(load: Load, path: Path) -> bool:
    # Version 1 of the record has none.
    return load.format > 1 and QUALIFIERS[0] in _scan(path).collect_schema()


def _retracted(loads: Sequence[Load]) -> pl.LazyFrame | None:
    import polars as pl

    parts = [_scan(path) for x in loads if x.role == "retractions" for path in x.statements]
    return pl.concat([part.select(TERMS) for part in parts]).unique() if parts else None
