"""The best answers to one question in one pass over int8 numbers, exact for the float32 ones.

Each entity's int8 numbers give an upper bound of its score; only where that exceeds the k-th best
so far is the score itself computed, in double precision from the float32 numbers. So the pass reads
a quarter of the memory, and what it finds does not depend on the int8 numbers. Where the float32
numbers are int8 multiples already, as a student's are, the bound is as good as the score.

Knows vectors; knows no question and no name.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from sightline.distill.student.quantise import LARGEST, quantise
from sightline.distill.student.student import GAIN
from sightline.graph.arrays import Floats, Ids

#: Entities side by side, so that one instruction works on many; what fits the first cache.
BLOCK = 64
#: Dimensions taken at once, so that sums and neighbours stay in registers longer.
STRIDE = 4
#: Share of the largest possible sum that rounding may cost in float32.
ROUNDING = 2e-6
#: Parts of a step that float32 rounding may leave between a number and its int8 number.
EXACT = 1e-3


@dataclass(frozen=True, slots=True)
class ScanTable:
    """Entity vectors ``(N, D)``, D a multiple of ``STRIDE``, once more for scanning.

    Attributes:
        entity: float32 ``(N, D)``: the vectors themselves, not copied.
        numbers: int8 ``(blocks, D, BLOCK)``: the last block is filled up with zeros.
        scale: float32 ``(blocks, BLOCK)``.
        off: how far a vector's number is from its int8 number at most, in steps of its row.
    """

    entity: Floats
    numbers: npt.NDArray[np.int8]
    scale: Floats
    off: float

    @classmethod
    def of(cls, entity: Floats) -> ScanTable:
        """Quantise vectors, O(N D)."""
        numbers, scale = quantise(entity)
        off = float(np.abs(entity / scale - numbers).max(initial=0.0))
        fill = ((0, -len(entity) % BLOCK), (0, 0))
        blocks = np.pad(numbers, fill).reshape(-1, BLOCK, entity.shape[1]).transpose(0, 2, 1)
        steps = np.pad(scale, fill).reshape(-1, BLOCK)
        return cls(fixed(entity), np.ascontiguousarray(blocks), steps, off)

    @property
    def exact(self) -> bool:
        """Whether the vectors are what their int8 numbers say."""
        return self.off < EXACT

    def top_k(self, query: Floats, k: int, exclude: Ids) -> tuple[Ids, Floats]:
        """The rows whose ``readings`` have the largest product with a query, largest first, ties by
        row.

        Args:
            query: float32 ``(D,)``, or ``((1 + len(SHIFTS)) D,)`` where it reads products.
            k: how many, if there are so many.
            exclude: int32, sorted: rows that are left out.

        Returns:
            rows int32 and products float32, rounded from double precision.
        """
        if k <= 0:
            return np.zeros(0, np.int32), np.zeros(0, np.float32)
        off = self.off + 2 * LARGEST * ROUNDING
        found: tuple[Ids, Floats]
        found = _scan(self.numbers, self.scale, self.entity, query, off, k, exclude)
        return found

    def scores(self, query: Floats) -> Floats:
        """The products of all rows, as their int8 numbers give them: float32 ``(N,)``."""
        total = np.empty(self.scale.size, np.float32)
        _all(self.numbers, self.scale, query, total)
        return total[: len(self.entity)]


def fixed(array: Floats) -> Floats:
    """The same array, not copied and not to be written: kernels are compiled once, for such."""
    view = np.asarray(array)[:]
    view.flags.writeable = False
    return view


_kernel = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})


@_kernel
def ask_one(
    x: Any, s: Any, gate: Any, shift: Any, hidden_weight: Any, hidden_bias: Any,
    norm_weight: Any, norm_bias: Any, out_weight: Any, out_bias: Any, epsilon: float,
) -> Any:  # fmt: skip
    """``StudentArrays.ask`` for one question, float32 ``(Q,)``: half of NumPy's time is calls."""
    size, half = len(hidden_bias), len(x) // 2
    hidden = hidden_bias.copy()
    for d in range(len(x)):
        weight = hidden_weight[d]
        for j in range(size):
            hidden[j] += x[d] * weight[j]
    mean = variance = np.float32(0)
    for j in range(size):
        hidden[j] = hidden[j] * gate[j] + shift[j]
        mean += hidden[j] / np.float32(size)
    for j in range(size):
        hidden[j] -= mean
        variance += hidden[j] * hidden[j] / np.float32(size)
    factor = np.float32(1 / math.sqrt(variance + epsilon))
    for j in range(size):
        value = hidden[j] * factor * norm_weight[j] + norm_bias[j]
        hidden[j] = value * np.float32(0.5 * (1.0 + math.tanh(0.5 * value)))
    query = out_bias.copy()
    for j in range(size):
        weight = out_weight[j]
        for k in range(len(query)):
            query[k] += hidden[j] * weight[k]
    for k in range(half):
        query[k] += x[k] * s[k] - x[half + k] * s[half + k]
        query[half + k] += x[k] * s[half + k] + x[half + k] * s[k]
    return query


@_kernel
def _parts(query: Any, width: int) -> Any:
    """What is multiplied with numbers, then with products: float64 ``(1 or 1 + SHIFTS, D)``."""
    parts = query.astype(np.float64).reshape(-1, width)
    parts[1:] *= GAIN
    return parts


@_kernel
def _sum(numbers: Any, step: Any, parts: Any, x: Any, total: Any) -> None:
    """The scores of a block in ``total``; ``x``, float32 ``(D, BLOCK)``, is for its use."""
    width = len(numbers)
    q = parts[0]
    total[:] = 0
    if len(parts) == 1:
        for d in range(0, width, STRIDE):
            q0, q1, q2, q3 = q[d], q[d + 1], q[d + 2], q[d + 3]
            column = numbers[d : d + STRIDE]
            for i in range(BLOCK):
                total[i] += (
                    q0 * np.float32(column[0, i])
                    + q1 * np.float32(column[1, i])
                    + q2 * np.float32(column[2, i])
                    + q3 * np.float32(column[3, i])
                )
        for i in range(BLOCK):
            total[i] *= step[i]
        return
    for d in range(width):
        unpacked, packed = x[d], numbers[d]
        for i in range(BLOCK):
            unpacked[i] = np.float32(packed[i]) * step[i]
    # SHIFTS, written out so that neighbours are read once.
    r, s, t = parts[1], parts[2], parts[3]
    for d in range(0, width, STRIDE):
        f, e = x[(d - 2) % width], x[(d - 1) % width]
        a, b, c, g = x[d], x[d + 1], x[d + 2], x[d + 3]
        q0, q1, q2, q3 = q[d], q[d + 1], q[d + 2], q[d + 3]
        r0, r1, r2, r3 = r[d], r[d + 1], r[d + 2], r[d + 3]
        s0, s1, s2, s3 = s[d], s[d + 1], s[d + 2], s[d + 3]
        t0, t1, t2, t3 = t[d], t[d + 1], t[d + 2], t[d + 3]
        for i in range(BLOCK):
            total[i] += (
                a[i] * (q0 + r0 * a[i] + s0 * e[i] + t0 * f[i])
                + b[i] * (q1 + r1 * b[i] + s1 * a[i] + t1 * e[i])
                + c[i] * (q2 + r2 * c[i] + s2 * b[i] + t2 * a[i])
                + g[i] * (q3 + r3 * g[i] + s3 * c[i] + t3 * b[i])
            )


@_kernel
def _all(numbers: Any, scale: Any, query: Any, total: Any) -> None:
    parts = _parts(query, numbers.shape[1]).astype(np.float32)
    x = np.empty((numbers.shape[1], BLOCK), np.float32)
    some = np.empty(BLOCK, np.float32)
    for block in range(len(numbers)):
        _sum(numbers[block], scale[block], parts, x, some)
        total[block * BLOCK : (block + 1) * BLOCK] = some


@_kernel
def _scan(
    numbers: Any, scale: Any, entity: Any, query: Any, off: float, k: int, exclude: Any
) -> Any:
    """Rows and scores of the k best; see ``ScanTable.top_k``."""
    size, width = entity.shape
    parts = _parts(query, width)
    rounded = parts.astype(np.float32)
    of_numbers = np.float32(off * np.abs(parts[0]).sum())
    of_products = np.float32(off * (2 * LARGEST + off) * np.abs(parts[1:]).sum())
    # Of (score, -row): its first is the worst, of equal ones the one with the last row.
    heap = [(np.float32(0), 0) for _ in range(0)]
    floor = np.float32(-np.inf)
    x = np.empty((width, BLOCK), np.float32)
    total = np.empty(BLOCK, np.float32)
    for block in range(len(numbers)):
        step = scale[block]
        _sum(numbers[block], step, rounded, x, total)
        for i in range(BLOCK):
            total[i] += step[i] * (of_numbers + of_products * step[i])
        hopeful = 0
        for i in range(BLOCK):
            hopeful |= total[i] > floor
        if not hopeful:
            continue
        for i in range(BLOCK):
            row = block * BLOCK + i
            if total[i] > floor and row < size and not _holds(exclude, row):
                score = _product(entity[row], parts)
                if len(heap) < k:
                    heapq.heappush(heap, (score, -row))
                elif score > floor:
                    heapq.heapreplace(heap, (score, -row))
                if len(heap) == k:
                    floor = heap[0][0]
    rows, scores = np.empty(len(heap), np.int32), np.empty(len(heap), np.float32)
    for i in range(len(heap) - 1, -1, -1):
        scores[i], row = heapq.heappop(heap)
        rows[i] = -row
    return rows, scores


@_kernel
def _product(vector: Any, parts: Any) -> Any:
    width = len(vector)
    x = np.empty(width + len(parts), np.float64)
    # The last numbers stand before the first, so that a neighbour is a step away.
    before = max(len(parts) - 2, 0)
    for d in range(-before, width):
        x[before + d] = np.float64(vector[d])
    total = 0.0
    for d in range(width):
        total += x[before + d] * parts[0, d]
    for shift in range(len(parts) - 1):
        for d in range(width):
            total += x[before + d] * parts[1 + shift, d] * x[before + d - shift]
    return np.float32(total)


@numba.njit(cache=True, nogil=True)
def _holds(rows: Any, row: int) -> Any:
    place = np.searchsorted(rows, row)
    return place < len(rows) and rows[place] == row
