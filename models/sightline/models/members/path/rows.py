"""Numbered rows, edges and questions as plain arrays: what path members and their kernels share.

NumPy only, so that questions can be answered without torch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sightline.graph.arrays import Ids

#: Numbers per row; a constant, so that the kernels' innermost loops become a few vector
#: instructions.
WIDTH = 32
#: What is said of a row's messages, ``WIDTH`` numbers each: their sum, the sum of their squares,
#: the largest and the smallest, zero being among the last two.
SUM, SQUARES, LARGEST, SMALLEST = range(4)
#: ``MaskedQuery.rel`` where every edge between head and tail is hidden.
ALL_EDGES = -2


class Edges(NamedTuple):
    """A graph's edges, both directions, grouped by target.

    Attributes:
        indptr: int64 ``(N + 1,)``.
        source, rel: int32 ``(E,)``; the directed relation is read from source to target.
    """

    indptr: Any
    source: Any
    rel: Any


class MaskedQuery(NamedTuple):
    """Questions, and the edges each must not see: int32 ``(B,)`` each.

    Attributes:
        head: where the question starts.
        tail: the end of what is hidden; -1 hides nothing.
        rel, turned: the hidden edge's directed relation from head to tail, and back; or
            ``ALL_EDGES`` twice.
    """

    head: Any
    tail: Any
    rel: Any
    turned: Any

    @classmethod
    def of(cls, heads: Ids) -> MaskedQuery:
        """Questions from these heads, with nothing to hide."""
        nothing = np.full(len(heads), -1, np.int32)
        return cls(np.ascontiguousarray(heads, np.int32), nothing, nothing, nothing)
