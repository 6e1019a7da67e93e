"""Square tables, whose rows and columns are the same things: a number for each two of them.

Knows tables; knows no format. Such a table is read as the edges that it draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice

import numpy as np
import polars as pl

from sightline.graph.record.loads import Note
from sightline.graph.vocabulary import XSD
from sightline.ingest.batch import Batch
from sightline.ingest.formats.graphs import EdgeColumns
from sightline.ingest.source import Table

#: Fewer things may be called like columns by chance.
LEAST = 3
EDGES = EdgeColumns("head", None, "tail", datatypes={"weight": XSD + "double"})


def as_edges(table: Table) -> Table:
    """The table, or the edges that it draws if it is square: one for each number but 0, between
    two things once where both say the same. A diagonal of one number says nothing of two things.
    """
    batches = iter(table.batches)
    some = list(islice(batches, 2))
    read = replace(table, batches=chain(some, batches))
    if len(some) != 1 or table.maps is not None:
        return read
    frame, batch = some[0].frame, some[0]
    ends = frame[:, 0] if frame.width else pl.Series()
    names = frame.columns[1:]
    if len(names) < LEAST or frame.height != len(names) or set(ends) != set(names):
        return read
    cells = frame.select(names)
    numbers = cells.cast(pl.Float64, strict=False)
    if not numbers.null_count().equals(cells.null_count()):
        return read
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
            "weight": cells.to_numpy()[:, order][there].tolist(),
        },
        schema=dict.fromkeys(("head", "tail", "weight"), pl.String()),
    )
    raw = partial(_raw, batch, heads.tolist())
    rows = batch.rows.gather(heads)
    drawn = Batch(edges, rows, edges.hash_rows(), raw, batch.rejected, batch.position)
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


def _raw(batch: Batch, heads: Sequence[int], row: int) -> str:
    return batch.raw(heads[row])
