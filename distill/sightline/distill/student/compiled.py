"""The student's formula compiled, one question after another in one pass over int8 numbers each.

A question's scores are the same bits whatever is asked beside it, which a product of matrices does
not promise. Entities are whole multiples of a step of their own, so that int8 numbers say what the
float32 ones do and a pass reads a quarter of the memory.

Knows a student's arrays; knows no name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from sightline.distill.student.arrays import GAIN, NORM_EPSILON, StudentArrays
from sightline.distill.student.quantise import quantise
from sightline.graph.arrays import Floats, Ids

#: Entities side by side, so that one instruction works on many; what fits the first cache.
BLOCK = 64
#: Dimensions taken at once, so that sums and neighbours stay in registers longer.
STRIDE = 4


class Network(NamedTuple):
    """All arrays but those of the entities, float32 in rows, with the gates of every directed
    relation: they are most of what asking one question would compute."""

    rel: Floats
    gate: Floats
    shift: Floats
    hidden_weight: Floats
    hidden_bias: Floats
    norm_weight: Floats
    norm_bias: Floats
    out_weight: Floats
    out_bias: Floats


@dataclass(frozen=True, slots=True)
class CompiledStudent:
    """A student's arrays as the kernels read them.

    Attributes:
        numbers: int8 ``(blocks, WIDTH, BLOCK)``: the last block is filled up with zeros.
        scale: float32 ``(blocks, BLOCK)``.
    """

    entities: int
    numbers: npt.NDArray[np.int8]
    scale: Floats
    network: Network

    @classmethod
    def of(cls, arrays: StudentArrays) -> CompiledStudent:
        """Lay the numbers out, O(N WIDTH)."""
        a = arrays
        numbers, scale = quantise(np.asarray(a.entity))
        fill = ((0, -len(numbers) % BLOCK), (0, 0))
        blocks = np.pad(numbers, fill).reshape(-1, BLOCK, numbers.shape[1]).transpose(0, 2, 1)
        steps = np.pad(scale, fill).reshape(-1, BLOCK)
        read = (
            a.hidden_weight,
            a.hidden_bias,
            a.norm_weight,
            a.norm_bias,
            a.out_weight,
            a.out_bias,
        )
        network = Network(*(_plain(one) for one in (a.rel, *a.gates(a.rel), *read)))
        return cls(len(numbers), np.ascontiguousarray(blocks), steps, network)

    def scores(self, vectors: Floats, rels: Ids) -> Floats:
        """Scores of all tails, float32 ``(B, N)``, for vectors ``(B, WIDTH)``."""
        found = np.empty((len(rels), self.scale.size), np.float32)
        asked = _plain(vectors), np.array(rels, np.int32)
        _answer(*asked, self.numbers, self.scale, self.network, found)
        return found[:, : self.entities]


def _plain(array: Floats) -> Floats:
    """A copy in rows that could be written to: kernels are compiled once, for such."""
    return np.array(array, np.float32, order="C")


_kernel = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})


@_kernel
def _answer(vectors: Any, rels: Any, numbers: Any, scale: Any, network: Any, found: Any) -> None:
    x, total = np.empty((numbers.shape[1], BLOCK), np.float32), np.empty(BLOCK, np.float32)
    for b in range(len(rels)):
        query = _query(vectors[b], rels[b], network)
        # What is multiplied with numbers, then with products.
        parts = query.reshape(-1, numbers.shape[1])
        parts[1:] *= np.float32(GAIN)
        for block in range(len(numbers)):
            _sum(numbers[block], scale[block], parts, x, total)
            found[b, block * BLOCK : (block + 1) * BLOCK] = total


@_kernel
def _query(x: Any, rel: int, network: Any) -> Any:
    """``StudentArrays.queries_of`` for one question: float32 ``(Q,)``."""
    s, gate, shift = network.rel[rel], network.gate[rel], network.shift[rel]
    norm_weight, norm_bias = network.norm_weight, network.norm_bias
    hidden, query = network.hidden_bias.copy(), network.out_bias.copy()
    size, half = len(hidden), len(x) // 2
    for d in range(len(x)):
        weight = network.hidden_weight[d]
        for j in range(size):
            hidden[j] += x[d] * weight[j]
    mean = variance = np.float32(0)
    for j in range(size):
        hidden[j] = hidden[j] * gate[j] + shift[j]
        mean += hidden[j] / np.float32(size)
    for j in range(size):
        hidden[j] -= mean
        variance += hidden[j] * hidden[j] / np.float32(size)
    factor = np.float32(1 / math.sqrt(variance + NORM_EPSILON))
    for j in range(size):
        value = hidden[j] * factor * norm_weight[j] + norm_bias[j]
        hidden[j] = value * np.float32(0.5 * (1.0 + math.tanh(0.5 * value)))
    for j in range(size):
        weight = network.out_weight[j]
        for k in range(len(query)):
            query[k] += hidden[j] * weight[k]
    for k in range(half):
        query[k] += x[k] * s[k] - x[half + k] * s[half + k]
        query[half + k] += x[k] * s[half + k] + x[half + k] * s[k]
    return query


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
