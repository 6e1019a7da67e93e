"""The foundation member's messages, compiled for the CPU; on plain arrays, without torch.

``np.maximum`` and not ``max``: that becomes a store under a mask, which takes four times as long.
"""

from __future__ import annotations

from typing import Any

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
                    largest[k] = np.maximum(largest[k], message)
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


@kernel
def hear(
    edges: Any, place: Any, entity: Any, first: int, x: Any, factors: Any, question: Any,
    log_degree: float, told: Any,
) -> None:  # fmt: skip
    """What some rows of one question read in a step: their own numbers, and of the messages that
    ``gather`` tells of the mean, the largest, and the mean times the logarithm of how many.

    Args:
        place: int32 ``(N,)``; entity: int32 ``(limit,)``.
        first: the first of these rows.
        x: float32 ``(before, WIDTH)``.
        factors: float32 ``(2R, WIDTH)``; question: float32 ``(WIDTH,)``.
        told: float32 ``(rows, 4 WIDTH)``, written.
    """
    heard = len(x)
    for i in range(len(told)):
        row, got = first + i, 0
        own, mean = told[i, :WIDTH], told[i, WIDTH : 2 * WIDTH]
        largest, scaled = told[i, 2 * WIDTH : 3 * WIDTH], told[i, 3 * WIDTH :]
        told[i] = 0
        if row < heard:
            own[:] = x[row]
        if row == 0:
            mean[:] = question
        target = entity[row]
        for e in range(edges.indptr[target], edges.indptr[target + 1]):
            source = place[edges.source[e]]
            if source < 0 or source >= heard:
                continue
            got += 1
            value, factor = x[source], factors[edges.rel[e]]
            for k in range(WIDTH):
                message = value[k] * factor[k]
                mean[k] += message
                largest[k] = np.maximum(largest[k], message)
        few = np.float32(1 / (got + 1))
        many = np.float32(np.log1p(got) / log_degree)
        for k in range(WIDTH):
            mean[k] *= few
            scaled[k] = mean[k] * many


@kernel
def change(told: Any, by: Any, scale: Any, shift: Any, out: Any) -> None:
    """Rows after a step: what they were, and what is positive of the normalised change.

    Args:
        told: float32 ``(rows, 4 WIDTH)``, of ``hear``.
        by: float32 ``(rows, WIDTH)``: the change; it is written to.
        scale, shift: float32 ``(WIDTH,)``.
        out: float32 ``(rows, WIDTH)``, written.
    """
    for row in range(len(by)):
        changed = by[row]
        middle = np.float32(0)
        for k in range(WIDTH):
            middle += changed[k]
        middle /= np.float32(WIDTH)
        spread = np.float32(0)
        for k in range(WIDTH):
            changed[k] -= middle
            spread += changed[k] * changed[k]
        factor = np.float32(1 / np.sqrt(spread / np.float32(WIDTH) + np.float32(1e-5)))
        for k in range(WIDTH):
            value = changed[k] * factor * scale[k] + shift[k]
            out[row, k] = told[row, k] + max(value, np.float32(0))
