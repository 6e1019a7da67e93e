"""The best answers to one question in one pass over int8 numbers, exact for the float32 ones.

Each entity's int8 numbers give an upper bound of its score; only where that exceeds the k-th best
so far is the score itself computed, in double precision from the float32 numbers. So the pass reads
a quarter of the memory, and what it finds does not depend on the int8 numbers.

Knows vectors; knows no question and no name.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from sightline.distill.quantise import quantise

Ids = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]

#: Entities side by side, so that one instruction works on many; what fits the first cache.
BLOCK = 64
#: Dimensions taken at once, so that sums stay in registers longer.
STRIDE = 4
#: An int8 number is off by half a step at most; the rest covers the rounding of float32 sums.
HALF_STEP = 0.502


@dataclass(frozen=True, slots=True)
class ScanTable:
    """Entity vectors ``(N, D)``, D a multiple of ``STRIDE``, once more for scanning.

    Attributes:
        entity: float32 ``(N, D)``: the vectors themselves, not copied.
        numbers: int8 ``(blocks, D, BLOCK)``: the last block is filled up with zeros.
        scale: float32 ``(blocks, BLOCK)``.
    """

    entity: Floats
    numbers: npt.NDArray[np.int8]
    scale: Floats

    @classmethod
    def of(cls, entity: Floats) -> ScanTable:
        """Quantise vectors, O(N D)."""
        numbers, scale = quantise(entity)
        fill = ((0, -len(entity) % BLOCK), (0, 0))
        blocks = np.pad(numbers, fill).reshape(-1, BLOCK, entity.shape[1]).transpose(0, 2, 1)
        # The kernel is compiled once, for arrays that it cannot write.
        vectors = np.asarray(entity)[:]
        vectors.flags.writeable = False
        return cls(vectors, np.ascontiguousarray(blocks), np.pad(scale, fill).reshape(-1, BLOCK))

    def top_k(self, query: Floats, k: int, exclude: Ids) -> tuple[Ids, Floats]:
        """The rows with the largest product with a query, largest first, ties by row.

        Args:
            query: float32 ``(D,)``.
            k: how many, if there are so many.
            exclude: int32, sorted: rows that are left out.

        Returns:
            rows int32 and products float32, rounded from double precision.
        """
        found = _scan(self.numbers, self.scale, self.entity, query, k, exclude) if k > 0 else []
        found.sort(key=lambda pair: (-pair[0], -pair[1]))
        rows = np.array([-row for _, row in found], np.int32)
        return rows, np.array([score for score, _ in found], np.float32)


@numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def _scan(numbers: Any, scale: Any, entity: Any, query: Any, k: int, exclude: Any) -> Any:
    """A heap of (score, -row): its first is the worst, of equal ones the one with the last row."""
    margin = np.float32(HALF_STEP * np.abs(query.astype(np.float64)).sum())
    size = len(entity)
    heap = [(np.float32(0), 0) for _ in range(0)]
    floor = np.float32(-np.inf)
    total = np.empty(BLOCK, np.float32)
    for block in range(len(numbers)):
        total[:] = margin
        for d in range(0, len(query), STRIDE):
            a, b, c, e = query[d], query[d + 1], query[d + 2], query[d + 3]
            column = numbers[block, d : d + STRIDE]
            for i in range(BLOCK):
                total[i] += (
                    a * np.float32(column[0, i])
                    + b * np.float32(column[1, i])
                    + c * np.float32(column[2, i])
                    + e * np.float32(column[3, i])
                )
        hopeful = 0
        for i in range(BLOCK):
            total[i] *= scale[block, i]
            hopeful |= total[i] > floor
        if not hopeful:
            continue
        for i in range(BLOCK):
            row = block * BLOCK + i
            if total[i] > floor and row < size and not _holds(exclude, row):
                score = _product(entity[row], query)
                if len(heap) < k:
                    heapq.heappush(heap, (score, -row))
                elif score > floor:
                    heapq.heapreplace(heap, (score, -row))
                if len(heap) == k:
                    floor = heap[0][0]
    return heap


@numba.njit(cache=True, nogil=True)
def _product(a: Any, b: Any) -> Any:
    total = 0.0
    for i in range(len(a)):
        total += np.float64(a[i]) * np.float64(b[i])
    return np.float32(total)


@numba.njit(cache=True, nogil=True)
def _holds(rows: Any, row: int) -> Any:
    place = np.searchsorted(rows, row)
    return place < len(rows) and rows[place] == row
