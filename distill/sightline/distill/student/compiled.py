"""The student's formula compiled: questions together, in one pass over entities as int8 numbers.

A question's scores are the same bits whatever is asked beside it, which a product of matrices does
not promise, and take about as long: what is read of a block of entities is unpacked once for all
questions. Entities are whole multiples of a step of their own, so that int8 numbers say what the
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
from numba import types
from numba.extending import intrinsic

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
        found = np.empty((len(rels), self.entities), np.float32)
        asked = _plain(vectors), np.array(rels, np.int32)
        _answer(*asked, self.numbers, self.scale, self.network, found)
        return found


def _plain(array: Floats) -> Floats:
    """A copy in rows that could be written to: kernels are compiled once, for such."""
    return np.array(array, np.float32, order="C")


_kernel = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})


def _widened(typing: Any) -> Any:
    """Let a function use the widest instructions there are: the compiler leaves out those of 512
    bits where a processor runs a little slower with them, though twice as much is done by each."""

    def attributed(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        # llvmlite checks names against a list that this one is not on.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), attributed


_wide: Any = intrinsic(_widened)


@_kernel
def _answer(vectors: Any, rels: Any, numbers: Any, scale: Any, network: Any, found: Any) -> None:
    _wide()
    width, read = numbers.shape[1], len(network.out_bias)
    # What is multiplied with numbers, then with products.
    parts = np.empty((len(rels), read // width, width), np.float32)
    for b in range(len(rels)):
        parts[b] = _query(vectors[b], rels[b], network).reshape(-1, width)
    parts[:, 1:] *= np.float32(GAIN)
    x, total = np.empty((width, BLOCK), np.float32), np.empty(BLOCK, np.float32)
    for block in range(len(numbers)):
        _unpack(numbers[block], scale[block], x)
        start = block * BLOCK
        there = min(BLOCK, found.shape[1] - start)
        for b in range(len(rels)):
            _sum(x, parts[b], total)
            found[b, start : start + there] = total[:there]


@_kernel
def _unpack(numbers: Any, step: Any, x: Any) -> None:
    """A block of entities as float32 numbers."""
    _wide()
    for d in range(len(numbers)):
        unpacked, packed = x[d], numbers[d]
        for i in range(BLOCK):
            unpacked[i] = np.float32(packed[i]) * step[i]


@_kernel
def _query(x: Any, rel: int, network: Any) -> Any:
    """``StudentArrays.queries_of`` for one question: float32 ``(Q,)``."""
    s, gate, shift = network.rel[rel], network.gate[rel], network.shift[rel]
    norm_weight, norm_bias = network.norm_weight, network.norm_bias
    hidden, query = network.hidden_bias.copy(), network.out_bias.copy()
    size, half = len(hidden), len(x) // 2
    _add_product(x, network.hidden_weight, hidden)
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
        # silu(v): where the exponential is infinite it is 0, as it should be.
        hidden[j] = value / (np.float32(1) + np.exp(-value))
    _add_product(hidden, network.out_weight, query)
    for k in range(half):
        query[k] += x[k] * s[k] - x[half + k] * s[half + k]
        query[half + k] += x[k] * s[half + k] + x[half + k] * s[k]
    return query


@_kernel
def _add_product(x: Any, weight: Any, total: Any) -> None:
    """Add ``x @ weight``, float32 ``(n,)`` and ``(n, m)``."""
    _wide()
    whole = len(x) - len(x) % STRIDE
    for d in range(0, whole, STRIDE):
        a, b, c, g = weight[d], weight[d + 1], weight[d + 2], weight[d + 3]
        x0, x1, x2, x3 = x[d], x[d + 1], x[d + 2], x[d + 3]
        for i in range(len(total)):
            total[i] += x0 * a[i] + x1 * b[i] + x2 * c[i] + x3 * g[i]
    for d in range(whole, len(x)):
        last = weight[d]
        for i in range(len(total)):
            total[i] += x[d] * last[i]


@_kernel
def _sum(x: Any, parts: Any, total: Any) -> None:
    """The scores of a block, float32 ``(D, BLOCK)``, in ``total``."""
    _wide()
    width = len(x)
    q = parts[0]
    total[:] = 0
    if len(parts) == 1:
        _add_product(q, x, total)
        return
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
