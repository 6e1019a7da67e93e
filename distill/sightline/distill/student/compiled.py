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
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sightline.distill.student.arrays import GAIN, NORM_EPSILON, SHIFTS, WIDTH, StudentArrays
from sightline.distill.student.quantise import quantise
from sightline.distill.wide import wide
from sightline.graph.arrays import Floats, Ids

#: Entities side by side, so that one instruction works on many; what fits the first cache.
BLOCK = 64
#: Numbers that one instruction works on; where it works on fewer, the compiler makes several of it.
LANES = 16
#: Questions answered in one pass: of more the scores no longer stay in a cache while they are made.
GROUP = 16
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


def _summed(typing: Any, x: Any, q: Any, total: Any) -> Any:
    """The scores of a block in ``total``, float32 ``(BLOCK,)``, for the numbers ``x`` of its
    entities, float32 ``(WIDTH, BLOCK)``, and those of a question that reads products, ``q``,
    float32 ``(READ,)``: each number times ``q[d] + sum of q[d, s] * the number s before``, SHIFTS
    written out.

    Written in vectors, as sums, and neighbours that were read once, have to stay in registers,
    which the compiler does not see in a loop over the numbers of all entities: half the time.
    """

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        arrays = [context.make_array(t)(context, builder, a) for t, a in zip(signature.args, args)]
        x, q, total = (array.data for array in arrays)
        vector, index = ir.VectorType(ir.FloatType(), LANES), ir.IntType(64)
        lanes, parts = ir.VectorType(ir.IntType(32), LANES), range(BLOCK // LANES)
        zero, first = ir.Constant(vector, [0.0] * LANES), ir.Constant(lanes, [0] * LANES)

        def at(array: Any, place: Any) -> Any:
            return builder.bitcast(builder.gep(array, [place]), vector.as_pointer())

        def row(d: Any) -> list[Any]:
            begin = builder.mul(d, index(BLOCK))
            return [
                builder.load(at(x, builder.add(begin, index(j * LANES))), align=4) for j in parts
            ]

        def alike(number: Any) -> Any:
            one = builder.insert_element(zero, number, ir.IntType(32)(0))
            return builder.shuffle_vector(one, zero, first)

        def add(a: Any, b: Any, c: Any) -> Any:
            return builder.fadd(builder.fmul(a, b, flags=["contract"]), c, flags=["contract"])

        entry, loop = builder.block, builder.append_basic_block()
        after = builder.append_basic_block()
        last = row(index(WIDTH - 1)), row(index(WIDTH - 2))
        builder.branch(loop)
        builder.position_at_end(loop)
        d = builder.phi(index)
        before, second, sums = ([builder.phi(vector) for _ in parts] for _ in range(3))
        here = row(d)
        places = (builder.add(d, index(part * WIDTH)) for part in range(1 + len(SHIFTS)))
        factors = [alike(builder.load(builder.gep(q, [place]))) for place in places]
        for j in parts:
            read = factors[0]
            for factor, neighbour in zip(factors[1:], (here[j], before[j], second[j])):
                read = add(factor, neighbour, read)
            result = add(here[j], read, sums[j])
            for phi, begin, onward in (
                (before[j], last[0][j], here[j]),
                (second[j], last[1][j], before[j]),
                (sums[j], zero, result),
            ):
                phi.add_incoming(begin, entry)
                phi.add_incoming(onward, loop)
        onward = builder.add(d, index(1))
        d.add_incoming(index(0), entry)
        d.add_incoming(onward, loop)
        builder.cbranch(builder.icmp_unsigned("<", onward, index(WIDTH)), loop, after)
        builder.position_at_end(after)
        for j in parts:
            builder.store(sums[j].incomings[1][0], at(total, index(j * LANES)), align=4)
        return context.get_dummy_value()

    return types.none(x, q, total), code


_sum: Any = intrinsic(_summed)


@_kernel
def _answer(vectors: Any, rels: Any, numbers: Any, scale: Any, network: Any, found: Any) -> None:
    wide()
    queries = _queries(vectors, rels, network)
    queries[:, WIDTH:] *= np.float32(GAIN)
    x, totals = np.empty((WIDTH, BLOCK), np.float32), np.zeros((GROUP, BLOCK), np.float32)
    for first in range(0, len(rels), GROUP):
        group = queries[first : first + GROUP]
        for block in range(len(numbers)):
            _unpack(numbers[block], scale[block], x)
            if queries.shape[1] > WIDTH:
                for b in range(len(group)):
                    _sum(x, group[b], totals[b])
            else:
                totals[:] = 0
                _add_products(group, x, totals)
            start = block * BLOCK
            there = min(BLOCK, found.shape[1] - start)
            found[first : first + GROUP, start : start + there] = totals[: len(group), :there]


@_kernel
def _unpack(numbers: Any, step: Any, x: Any) -> None:
    """A block of entities as float32 numbers."""
    wide()
    for d in range(len(numbers)):
        unpacked, packed = x[d], numbers[d]
        for i in range(BLOCK):
            unpacked[i] = np.float32(packed[i]) * step[i]


@_kernel
def _queries(vectors: Any, rels: Any, network: Any) -> Any:
    """``StudentArrays.queries_of``: float32 ``(B, Q)``."""
    count, half = len(rels), vectors.shape[1] // 2
    hidden = np.empty((count, len(network.hidden_bias)), np.float32)
    query = np.empty((count, len(network.out_bias)), np.float32)
    hidden[:], query[:] = network.hidden_bias, network.out_bias
    _add_products(vectors, network.hidden_weight, hidden)
    for b in range(count):
        _through(hidden[b], network.gate[rels[b]], network.shift[rels[b]], network)
    _add_products(hidden, network.out_weight, query)
    for b in range(count):
        x, s, q = vectors[b], network.rel[rels[b]], query[b]
        for k in range(half):
            q[k] += x[k] * s[k] - x[half + k] * s[half + k]
            q[half + k] += x[k] * s[half + k] + x[half + k] * s[k]
    return query


@_kernel
def _through(hidden: Any, gate: Any, shift: Any, network: Any) -> None:
    """What the hidden layer makes of what it reads, float32 ``(H,)``, in its place."""
    norm_weight, norm_bias = network.norm_weight, network.norm_bias
    size = len(hidden)
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


@_kernel
def _add_products(x: Any, weight: Any, total: Any) -> None:
    """Add ``x @ weight``, float32 ``(b, n)`` and ``(n, m)``: a few rows of ``weight`` after the
    other, each for all of ``x`` while it is near."""
    wide()
    size = x.shape[1]
    whole = size - size % STRIDE
    for d in range(0, whole, STRIDE):
        a, b, c, g = weight[d], weight[d + 1], weight[d + 2], weight[d + 3]
        for q in range(len(x)):
            one, sums = x[q], total[q]
            x0, x1, x2, x3 = one[d], one[d + 1], one[d + 2], one[d + 3]
            for i in range(len(sums)):
                sums[i] += x0 * a[i] + x1 * b[i] + x2 * c[i] + x3 * g[i]
    for d in range(whole, size):
        last = weight[d]
        for q in range(len(x)):
            sums = total[q]
            for i in range(len(sums)):
                sums[i] += x[q, d] * last[i]
