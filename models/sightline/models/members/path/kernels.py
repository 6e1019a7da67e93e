"""The path member's work compiled for the CPU, on plain arrays: which rows a question reaches, and
what their edges bring. Knows no torch.

``np.maximum`` and not ``max``: that becomes a store under a mask, which takes four times as long.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from sightline.models.members.path.rows import LARGEST, SUM, WIDTH

kernel = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})


@kernel
def grow(edges: Any, head: Any, place: Any, entity: Any, count: Any) -> None:
    """See ``tensors``."""
    limit = entity.shape[1]
    for b in range(len(head)):
        place[b, head[b]] = 0
        entity[b, 0] = head[b]
        count[b, 0] = rows = 1
        first = 0
        for step in range(1, count.shape[1]):
            last = rows
            for i in range(first, last):
                # Every edge has its reciprocal, so whom it hears it is heard by.
                target = entity[b, i]
                for e in range(edges.indptr[target], edges.indptr[target + 1]):
                    source = edges.source[e]
                    if place[b, source] < 0 and rows < limit:
                        place[b, source] = rows
                        entity[b, rows] = source
                        rows += 1
            first = last
            count[b, step] = rows


@kernel
def gather(
    part: Any, edges: Any, which: Any, place: Any, entity: Any, before: Any, after: Any,
    x: Any, weight: Any, out: Any, count: Any,
) -> None:  # fmt: skip
    """``gather`` for a part of the questions, into ``out``, which is zeros, and ``count``; their
    rows start at ``before`` in x, and at ``after`` in out."""
    for b in range(part[0], part[1]):
        heard, factors = before[b + 1] - before[b], weight[which[b]]
        for row in range(after[b + 1] - after[b]):
            target, got = entity[b, row], 0
            total, largest = out[after[b] + row, SUM], out[after[b] + row, LARGEST]
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
    part: Any, edges: Any, which: Any, place: Any, entity: Any, before: Any, after: Any,
    x: Any, weight: Any, out: Any, grad: Any, grad_x: Any, grad_weight: Any,
) -> None:  # fmt: skip
    """Add to ``grad_x`` and ``grad_weight`` what ``gather``'s ``grad`` says of x and weight.

    The largest message's gradient goes to the first that equals it: rows that are alike send equal
    messages, and to each of them it would count as often as there are such rows.
    """
    zero = np.float32(0)
    of_largest = np.empty(WIDTH, np.float32)
    for b in range(part[0], part[1]):
        heard, asked = before[b + 1] - before[b], which[b]
        factors, to_factors = weight[asked], grad_weight[asked]
        for row in range(after[b + 1] - after[b]):
            target = entity[b, row]
            largest, of_sum = out[after[b] + row, LARGEST], grad[after[b] + row, SUM]
            of_largest[:] = grad[after[b] + row, LARGEST]
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
