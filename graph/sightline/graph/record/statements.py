"""The statements of loads as frames, whatever version of the record they were written in.

Knows the columns of a statement, and which statements others take back; knows no ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from sightline.graph.record.loads import Load, Role

#: What a statement says. ``datatype`` is null where the object is an IRI.
TERMS = ("subject", "predicate", "object", "datatype", "language")
#: ``graph`` is null for the load's own graph; ``row`` is the 1-based record or line in the source.
COLUMNS = (*TERMS, "graph", "row")
#: What the statement says about itself (a rating, a year, a publication), in files that have any: a
#: list of literals and IRIs under the IRIs of properties.
QUALIFIERS = "qualifiers"
#: The parts of one; ``datatype`` is null where the value is an IRI.
QUALIFIER = ("key", "value", "datatype", "language")


def statement_schema() -> dict[str, pl.DataType]:
    """Column name to polars type."""
    import polars as pl

    return {name: pl.UInt32() if name == "row" else pl.String() for name in COLUMNS}


def scan_statements(
    loads: Sequence[Load], *roles: Role, qualifiers: bool = False
) -> Iterator[tuple[int, pl.LazyFrame]]:
    """The statements of loads of some roles, file by file, with the position of the load in
    ``loads``; without those that a load of retractions among ``loads`` takes back.

    Args:
        qualifiers: that column too, of files that have it.
    """
    import polars as pl

    taken_back = [
        pl.scan_parquet(path).select(TERMS)
        for load in loads
        for path in (load.statements if load.role == "retractions" else ())
    ]
    retracted = pl.concat(taken_back).unique() if taken_back else None
    for index, load in enumerate(loads):
        for path in load.statements if load.role in roles else ():
            frame = pl.scan_parquet(path)
            said = qualifiers and QUALIFIERS in frame.collect_schema()
            frame = frame.select(*COLUMNS, *([QUALIFIERS] if said else []))
            if retracted is not None:
                frame = frame.join(retracted, on=TERMS, how="anti", nulls_equal=True)
            yield index, frame
