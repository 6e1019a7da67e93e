"""Square tables, whose rows and columns are the same things: a number for each two of them.

Knows tables; knows no format. Such a table is read as the edges that it draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice

import numpy as np
import numpy.typing as npt
import polars as pl

from sightline.graph.record.loads import Note
from sightline.graph.vocabulary import XSD
from sightline.ingest.batch import Batch
from sightline.ingest.formats.graphs import EdgeColumns
from sightline.ingest.source import Table

Places = npt.NDArray[np.int64]
#: Fewer things may be called like columns by chance.
LEAST = 3
#: More would take gigabytes: 8 bytes a cell, several times.
MOST = 5000
EDGES = EdgeColumns("head", None, "tail", datatypes={"weight": XSD + "double"})


def as_edges(table: Table) -> Table:
    """The table, or the edges that it draws if it is square: one for each number but 0, between
    two things once where both say the same. A diagonal of one number says nothing of two things.
    """
    batches = iter(table.batches)
    some = list(islice(batches, 1))
    things = some[0].frame.width - 1 if some and table.maps is None else 0
    if things < LEAST or not _may_be_square(some[0].frame):
        return replace(table, batches=chain(some, batches))
    if things > MOST:
        text = (
            f"{table.name} may be square, of {things:,} things; such of up to {MOST:,} are read as "
            "the edges that they draw, and this one as a thing for each row: write it as a list of "
            "edges, one in a row"
        )
        table.notes.append(Note(text, True))
        return replace(table, batches=chain(some, batches))
    rows = some[0].frame.height
    while rows <= things and (batch := next(batches, None)) is not None:
        some.append(batch)
        rows += batch.frame.height
    read = replace(table, batches=chain(some, batches))
    if rows != things:
        return read
    frame = pl.concat([one.frame for one in some])
    ends, names = frame[:, 0], frame.columns[1:]
    if set(ends) != set(names):
        return read
    cells = frame.select(names)
    numbers = cells.cast(pl.Float64, strict=False)
    if not numbers.null_count().equals(cells.null_count()):
        return read
    return _drawn(read, some, cells, numbers)


def _drawn(
    table: Table, batches: Sequence[Batch], cells: pl.DataFrame, numbers: pl.DataFrame
) -> Table:
    """The edges that a square table draws.

    Args:
        batches: all of it; ``cells`` those beside the names of rows, and as ``numbers``.
    """
    names, ends = cells.columns, pl.concat([one.frame[:, 0] for one in batches])
    order = [names.index(end) for end in ends]
    weights = numbers.to_numpy()[:, order]  # rows and columns in one order
    there = np.nan_to_num(weights) != 0
    alone = len(np.unique(np.diagonal(weights))) == 1
    same = np.array_equal(weights, weights.T, equal_nan=True)
    if alone:
        np.fill_diagonal(there, False)
    if same:
        there = np.triu(there)
    heads, tails = np.nonzero(there)
    edges = pl.DataFrame(
        {
            "head": ends.gather(heads),
            "tail": ends.gather(tails),
            "weight": _gathered(cells, heads, np.array(order)[tails]),
        },
        schema=dict.fromkeys(("head", "tail", "weight"), pl.String()),
    )
    raw = partial(_raw, batches, heads.tolist())
    numbers_of = pl.concat([one.rows for one in batches]).gather(heads)
    rejected = [bad for one in batches for bad in one.rejected]
    drawn = Batch(edges, numbers_of, edges.hash_rows(), raw, rejected, batches[-1].position)
    text = (
        f"{table.name} is square, of {len(names)} things: each number but 0 is an edge with that "
        f"weight, {edges.height} in all"
    )
    text += "; it says the same of both directions, so each pair is one edge" if same else ""
    text += "; its diagonal is one number and left out" if alone else ""
    table.notes.append(Note(text))
    bare = set(range(len(names))).difference(heads.tolist(), tails.tolist())
    if bare:
        first = ", ".join(names[order[i]] for i in sorted(bare)[:3])
        table.notes.append(
            Note(f"{len(bare)} of them have no edge and are left out: {first}", True)
        )
    return replace(table, batches=iter([drawn]), maps=EDGES.maps)


def _may_be_square(frame: pl.DataFrame) -> bool:
    """Whether the first records are called as different columns are, and hold numbers."""
    ends = frame[:, 0]
    if not 0 < frame.height < frame.width or ends.dtype != pl.String:
        return False
    if ends.n_unique() < frame.height or not set(ends) <= set(frame.columns[1:]):
        return False
    first = frame[:1, 1:]
    return first.cast(pl.Float64, strict=False).null_count().equals(first.null_count())


def _gathered(cells: pl.DataFrame, rows: Places, columns: Places) -> pl.Series:
    """The texts of some cells: those of all would be objects of Python, each of them."""
    place = np.argsort(columns, kind="stable")
    parts = [pl.Series(dtype=pl.String)]
    ends = np.searchsorted(columns[place], np.arange(cells.width + 1))
    for column, start, end in zip(cells.get_columns(), ends, ends[1:]):
        parts.append(column.gather(rows[place[start:end]]).alias(""))
    return pl.concat(parts).gather(np.argsort(place, kind="stable"))


def _raw(batches: Sequence[Batch], heads: Sequence[int], row: int) -> str:
    place = heads[row]
    for batch in batches:
        if place < batch.frame.height:
            return batch.raw(place)
        place -= batch.frame.height
    raise IndexError(row)
