"""How likely a random choice shares as much: the upper tail of the hypergeometric distribution.

Of N things K are marked, n are chosen at random; the tail is the chance that k or more of the
chosen ones are marked. Knows numbers only.
"""

from __future__ import annotations

from math import exp, lgamma
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Doubles, Offsets

_kernel = numba.njit(cache=True, nogil=True)


def tails(
    k: npt.NDArray[np.integer], marked: npt.NDArray[np.integer], chosen: Any, things: Any
) -> Doubles:
    """P(X >= k) for each: float64, in (0, 1]. ``chosen`` and ``things`` may be one number for all.

    What is too small for a float64 is its smallest normal number.
    """
    columns = np.broadcast_arrays(k, marked, chosen, things)
    found: Doubles = _tails(*(np.array(column, np.int64) for column in columns))
    return found


def most_marked(chosen: int, things: int, level: float) -> Offsets:
    """For each k from 0 to ``chosen``, how many may be marked so that the tail is at most
    ``level``; -1 where none is few enough: int64 ``(chosen + 1,)``."""
    found: Offsets = _most_marked(chosen, things, level)
    return found


@_kernel
def tail(k: int, marked: int, chosen: int, things: int) -> Any:
    """P(X >= k)."""
    most = min(chosen, marked)
    if k <= max(0, chosen + marked - things):
        return 1.0
    if k > most:
        return 0.0
    term = exp(
        _log_choose(marked, k)
        + _log_choose(things - marked, chosen - k)
        - _log_choose(things, chosen)
    )
    total = term
    rest = things - marked - chosen
    for j in range(k, most):
        term *= (marked - j) / (j + 1) * (chosen - j) / (rest + j + 1)
        total += term
        # The terms fall from the mode on, ever faster.
        if term < total * 1e-17 and j * things > marked * chosen:
            break
    return min(1.0, max(total, 2.2250738585072014e-308))


@_kernel
def _log_choose(n: int, k: int) -> Any:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


@_kernel
def _tails(k: Any, marked: Any, chosen: Any, things: Any) -> Any:
    out = np.empty(len(k))
    for i in range(len(k)):
        out[i] = tail(k[i], marked[i], chosen[i], things[i])
    return out


@_kernel
def _most_marked(chosen: int, things: int, level: float) -> Any:
    out = np.full(chosen + 1, -1, np.int64)
    for k in range(1, chosen + 1):
        # With fewer marked than k the tail is 0, and it grows with them.
        low, high = k - 1, things
        while low < high:
            middle = (low + high + 1) // 2
            if tail(k, middle, chosen, things) <= level:
                low = middle
            else:
                high = middle - 1
        out[k] = low if low >= k else -1
    return out
