"""Array types, and what is asked of arrays everywhere. Knows NumPy; knows no graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy import sparse

#: Rows of a table, edges, entities, relations: what an id is.
Ids = npt.NDArray[np.int32]
#: Positions in an array: where a row of a CSR begins.
Offsets = npt.NDArray[np.int64]
#: Scores and probabilities as a model gives them.
Floats = npt.NDArray[np.float32]
#: What is computed and not stored.
Doubles = npt.NDArray[np.float64]
#: A choice among rows.
Flags = npt.NDArray[np.bool_]


def expand_csr(
    indptr: npt.NDArray[np.integer], rows: npt.NDArray[np.integer]
) -> tuple[Offsets, Offsets]:
    """The positions that belong to ``rows`` of a CSR, without a loop.

    Returns:
        owner: int64, for each position the index into ``rows`` it belongs to.
        position: int64 into the CSR's data, row after row.
    """
    starts = indptr[rows]
    lengths = indptr[np.asarray(rows) + 1] - starts
    owner = np.repeat(np.arange(len(rows)), lengths)
    before = np.cumsum(lengths) - lengths
    return owner, np.arange(len(owner)) - before[owner] + starts[owner]


def expand_spans(
    starts: npt.NDArray[np.integer], lengths: npt.NDArray[np.integer]
) -> tuple[Offsets, Offsets]:
    """The positions of some spans, one after the other: where those of each begin, ``(n + 1,)``,
    and the positions, int64 both."""
    ends = np.append(0, np.cumsum(lengths))
    return ends, np.arange(ends[-1]) + np.repeat(starts - ends[:-1], lengths)


def reached(
    start: sparse.csr_array, step: sparse.csr_array, most: int | None = None
) -> sparse.csr_array:
    """What each row of ``start`` leads to by any number of steps, none included.

    The stride doubles, and what all nodes reach is never held: a chain of n steps takes log n
    products of n numbers each, where its closure has n²/2 pairs.

    Args:
        start: bool ``(rows, n)``.
        step: bool ``(n, n)``.
        most: stop when there are more pairs than that.
    """
    found = start
    while True:
        further = found + found @ step
        if further.nnz == found.nnz or (most is not None and further.nnz > most):
            return further
        found, step = further, step @ step
