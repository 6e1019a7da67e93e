"""Array types, and what is asked of arrays everywhere. Knows NumPy; knows no graph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

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
