"""Numbered rows and edges as plain arrays: what the path member and its kernels share.

NumPy only, so that questions can be answered without torch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

#: Numbers per row; a constant, so that the kernels' innermost loops become a few vector
#: instructions.
WIDTH = 32
#: What is said of a row's messages, ``WIDTH`` numbers each: their sum, and the largest, zero being
#: among them.
SUM, LARGEST = range(2)


class Edges(NamedTuple):
    """A graph's edges, both directions, grouped by target.

    Attributes:
        indptr: int64 ``(N + 1,)``.
        source, rel: int32 ``(E,)``; the directed relation is read from source to target.
    """

    indptr: Any
    source: Any
    rel: Any
