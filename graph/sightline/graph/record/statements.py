"""The statements of loads as frames, whatever version of the record they were written in.

Knows the columns of a statement, and which statements others take back; knows no ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sightline.graph.vocabulary import XSD_STRING

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
#: Beside extracted statements: the load and row of the sentence of each.
EVIDENCE = "evidence.parquet"
#: The parts of one; ``datatype`` is null where the value is an IRI.
QUALIFIER = ("key", "value", "datatype", "language")
#: Those that version 2 of the record has in its place: two lists of texts.
_FORMER = ("qualifier_keys", "qualifier_values")


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
            there = frame.collect_schema()
            if qualifiers and _FORMER[0] in there:
                frame = _paired(frame)
            said = qualifiers and bool({QUALIFIERS, _FORMER[0]} & set(there))
            frame = frame.select(*COLUMNS, *([QUALIFIERS] if said else []))
            if retracted is not None:
                frame = frame.join(retracted, on=TERMS, how="anti", nulls_equal=True)
            yield index, frame


def _paired(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Statements of version 2 of the record with their qualifiers as they are now, all texts."""
    import polars as pl

    key, value = map(pl.col, _FORMER)
    pairs = pl.struct(
        key.alias("key"),
        value.alias("value"),
        pl.lit(XSD_STRING).alias("datatype"),
        pl.lit(None, pl.String).alias("language"),
    )
    return (
        frame.with_row_index("at")
        .explode(*_FORMER)
        .group_by("at", maintain_order=True)
        .agg(
            pl.col(*COLUMNS).first(),
            pairs.filter(key.is_not_null()).alias(QUALIFIERS),
        )
    )
