"""The foundation member's messages, compiled for the CPU; on plain arrays, without torch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sightline.models.members.path.kernels import kernel
from sightline.models.members.path.rows import WIDTH


@kernel
def gather(
    edges: Any, place: Any, entity: Any, before: Any, after: Any, which: Any,
    x: Any, weight: Any, out: Any, count: Any,
) -> None:  # fmt: skip
    """What every row hears in a step, of the messages x[source] * weight[asked, directed relation]:
    their sum, and the largest, zero being among them.

    Args:
        edges: ``Edges``.
        place: int32 ``(B, N)``: the row of each entity among its question's, or -1.
        entity: int32 ``(B, limit)``: the entity of each row.
        before, after: int64 ``(B + 1,)``: where each question's rows start in x, and in out.
        which: int64 ``(B,)``: which weights a question has.
        x: float32 ``(before, WIDTH)``; rows further away than these say nothing.
        weight: float32 ``(Q, 2R, WIDTH)``.
        out: float32 ``(after, 2, WIDTH)`` of zeros; count: float32 ``(after,)``, written.
    """
    for b in range(len(which)):
        heard, factors = before[b + 1] - before[b], weight[which[b]]
        for row in range(after[b + 1] - after[b]):
            target, got = entity[b, row], 0
            total, largest = out[after[b] + row, 0], out[after[b] + row, 1]
            for e in range(edges.indptr[target], edges.indptr[target + 1]):
                source = place[b, edges.source[e]]
                if source < 0 or source >= heard:
                    continue
                got += 1
                value, factor = x[before[b] + source], factors[edges.rel[e]]
                for k in range(WIDTH):
                    message = value[k] * factor[k]
                    total[k] += message
                    largest[k] = max(largest[k], message)
            count[after[b] + row] = got


@kernel
def gather_gradient(
    edges: Any, place: Any, entity: Any, before: Any, after: Any, which: Any,
    x: Any, weight: Any, out: Any, grad: Any, grad_x: Any, grad_weight: Any,
) -> None:  # fmt: skip
    """Add to ``grad_x`` and ``grad_weight`` what ``gather``'s ``grad`` says of x and weight; the
    largest message's goes to the first that equals it."""
    zero = np.float32(0)
    of_largest = np.empty(WIDTH, np.float32)
    for b in range(len(which)):
        heard, factors, to_factors = (
            before[b + 1] - before[b],
            weight[which[b]],
            grad_weight[which[b]],
        )
        for row in range(after[b + 1] - after[b]):
            target = entity[b, row]
            largest, of_sum = out[after[b] + row, 1], grad[after[b] + row, 0]
            of_largest[:] = grad[after[b] + row, 1]
            for e in range(edges.indptr[target], edges.indptr[target + 1]):
                source = place[b, edges.source[e]]
                if source < 0 or source >= heard:
                    continue
                value, factor = x[before[b] + source], factors[edges.rel[e]]
                to_value, to_factor = grad_x[before[b] + source], to_factors[edges.rel[e]]
                for k in range(WIDTH):
                    message = value[k] * factor[k]
                    first = message == largest[k] and message > zero
                    g = of_sum[k] + (of_largest[k] if first else zero)
                    of_largest[k] = zero if first else of_largest[k]
                    to_value[k] += g * factor[k]
                    to_factor[k] += g * value[k]


class StepWeights(NamedTuple):
    """How a row changes in a step.

    Attributes:
        change: float32 ``(4 WIDTH, WIDTH)``; bias, scale, shift: ``(WIDTH,)``.
    """

    change: Any
    bias: Any
    scale: Any
    shift: Any


@kernel
def take_step(
    edges: Any, place: Any, entity: Any, after: int, x: Any, factors: Any, question: Any,
    weights: Any, log_degree: float,
) -> Any:  # fmt: skip
    """A step of one question: what ``gather`` says, and the change that follows, row by row.

    Args:
        place: int32 ``(N,)``; entity: int32 ``(limit,)``.
        after: rows within this step.
        x: float32 ``(before, WIDTH)``.
        factors: float32 ``(2R, WIDTH)``; question: float32 ``(WIDTH,)``.

    Returns:
        float32 ``(after, WIDTH)``.
    """
    heard = len(x)
    out = np.empty((after, WIDTH), np.float32)
    told = np.empty(4 * WIDTH, np.float32)
    changed = np.empty(WIDTH, np.float32)
    own, mean, largest, scaled = (
        told[:WIDTH], told[WIDTH : 2 * WIDTH], told[2 * WIDTH : 3 * WIDTH], told[3 * WIDTH :],
    )  # fmt: skip
    for row in range(after):
        told[:] = 0
        if row < heard:
            own[:] = x[row]
        got = 0
        for e in range(edges.indptr[entity[row]], edges.indptr[entity[row] + 1]):
            source = place[edges.source[e]]
            if source < 0 or source >= heard:
                continue
            got += 1
            value, factor = x[source], factors[edges.rel[e]]
            for k in range(WIDTH):
                message = value[k] * factor[k]
                mean[k] += message
                largest[k] = max(largest[k], message)
        if row == 0:
            mean += question
        few = np.float32(1 / (got + 1))
        many = np.float32(np.log1p(got) / log_degree)
        for k in range(WIDTH):
            mean[k] *= few
            scaled[k] = mean[k] * many
        changed[:] = weights.bias
        for j in range(4 * WIDTH):
            line, by = weights.change[j], told[j]
            for k in range(WIDTH):
                changed[k] += by * line[k]
        middle = np.float32(0)
        for k in range(WIDTH):
            middle += changed[k]
        middle /= np.float32(WIDTH)
        spread = np.float32(0)
        for k in range(WIDTH):
            changed[k] -= middle
            spread += changed[k] * changed[k]
        by = np.float32(1 / np.sqrt(spread / np.float32(WIDTH) + np.float32(1e-5)))
        for k in range(WIDTH):
            value_k = changed[k] * by * weights.scale[k] + weights.shift[k]
            out[row, k] = own[k] + max(value_k, np.float32(0))
    return out


@kernel
def read(
    x: Any, entity: Any, of_row: Any, base: Any, to_score: Any, bias: float, scores: Any
) -> None:  # fmt: skip
    """Write the scores of the entities of rows float32 ``(M, WIDTH)``; ``of_row`` is float32
    ``(WIDTH, 2 WIDTH)``."""
    hidden = np.empty(2 * WIDTH, np.float32)
    for row in range(len(x)):
        hidden[:] = base
        for j in range(WIDTH):
            line, by = of_row[j], x[row, j]
            for k in range(2 * WIDTH):
                hidden[k] += by * line[k]
        score = bias
        for k in range(2 * WIDTH):
            score += max(hidden[k], np.float32(0)) * to_score[k]
        scores[entity[row]] = score
