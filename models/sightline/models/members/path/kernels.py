"""The path members' work compiled for the CPU, on plain arrays: which rows a question reaches, and
what their edges bring. Knows no torch.

``np.maximum`` and not ``max``: that becomes a store under a mask, which takes four times as long.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from sightline.models.members.path.rows import (
    ALL_EDGES,
    LARGEST,
    SMALLEST,
    SQUARES,
    SUM,
    WIDTH,
)

kernel = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})


@kernel
def _hides(masked: Any, b: int, source: int, rel: int, target: int) -> Any:
    """Whether question b must not see this edge."""
    head, tail = masked.head[b], masked.tail[b]
    forth = source == head and target == tail
    back = source == tail and target == head
    if not (forth or back):
        return False
    if masked.rel[b] == ALL_EDGES:
        return True
    return (forth and rel == masked.rel[b]) or (back and rel == masked.turned[b])


@kernel
def grow(edges: Any, masked: Any, place: Any, entity: Any, count: Any) -> None:
    limit = entity.shape[1]
    for b in range(len(masked.head)):
        place[b, masked.head[b]] = 0
        entity[b, 0] = masked.head[b]
        count[b, 0] = rows = 1
        first = 0
        for step in range(1, count.shape[1]):
            last = rows
            for i in range(first, last):
                # Every edge has its reciprocal, so whom it hears it is heard by.
                target = entity[b, i]
                for e in range(edges.indptr[target], edges.indptr[target + 1]):
                    source = edges.source[e]
                    if place[b, source] >= 0 or rows >= limit:
                        continue
                    if not _hides(masked, b, source, edges.rel[e], target):
                        place[b, source] = rows
                        entity[b, rows] = source
                        rows += 1
            first = last
            count[b, step] = rows


@kernel
def gather(
    part: Any, edges: Any, masked: Any, place: Any, entity: Any, before: Any, after: Any,
    x: Any, weight: Any, out: Any, count: Any,
) -> None:  # fmt: skip
    """``gather`` for a part of the questions, into ``out`` and ``count``, which are zeros; their
    rows start at ``before`` in x, and at ``after`` in out."""
    for b in range(part[0], part[1]):
        heard = before[b + 1] - before[b]
        for row in range(after[b + 1] - after[b]):
            target = entity[b, row]
            watched = target == masked.head[b] or target == masked.tail[b]
            said = out[after[b] + row]
            total, squares = said[SUM], said[SQUARES]
            largest, smallest = said[LARGEST], said[SMALLEST]
            for e in range(edges.indptr[target], edges.indptr[target + 1]):
                source = place[b, edges.source[e]]
                if source < 0 or source >= heard:
                    continue
                rel = edges.rel[e]
                if watched and _hides(masked, b, edges.source[e], rel, target):
                    continue
                count[after[b] + row] += 1
                value, factor = x[before[b] + source], weight[b, rel]
                for k in range(WIDTH):
                    message = value[k] * factor[k]
                    total[k] += message
                    squares[k] += message * message
                    largest[k] = np.maximum(largest[k], message)
                    smallest[k] = np.minimum(smallest[k], message)


@kernel
def gather_gradient(
    part: Any, edges: Any, masked: Any, place: Any, entity: Any, before: Any, after: Any,
    x: Any, weight: Any, out: Any, grad: Any, grad_x: Any, grad_weight: Any,
) -> None:  # fmt: skip
    """Add to ``grad_x`` and ``grad_weight`` what ``gather``'s ``grad`` says of x and weight.

    An extreme's gradient goes to the first message that equals it: rows that are alike send equal
    messages, and to each of them it would count as often as there are such rows.
    """
    zero = np.float32(0)
    of_largest, of_smallest = np.empty(WIDTH, np.float32), np.empty(WIDTH, np.float32)
    for b in range(part[0], part[1]):
        heard = before[b + 1] - before[b]
        for row in range(after[b + 1] - after[b]):
            target = entity[b, row]
            watched = target == masked.head[b] or target == masked.tail[b]
            said, wanted = out[after[b] + row], grad[after[b] + row]
            largest, smallest = said[LARGEST], said[SMALLEST]
            of_sum, of_squares = wanted[SUM], wanted[SQUARES]
            of_largest[:], of_smallest[:] = wanted[LARGEST], wanted[SMALLEST]
            for e in range(edges.indptr[target], edges.indptr[target + 1]):
                source = place[b, edges.source[e]]
                if source < 0 or source >= heard:
                    continue
                rel = edges.rel[e]
                if watched and _hides(masked, b, edges.source[e], rel, target):
                    continue
                value, factor = x[before[b] + source], weight[b, rel]
                to_value, to_factor = grad_x[before[b] + source], grad_weight[b, rel]
                for k in range(WIDTH):
                    message = value[k] * factor[k]
                    g = of_sum[k] + np.float32(2) * message * of_squares[k]
                    if message == largest[k] and message > zero:
                        g += of_largest[k]
                        of_largest[k] = zero
                    if message == smallest[k] and message < zero:
                        g += of_smallest[k]
                        of_smallest[k] = zero
                    to_value[k] += g * factor[k]
                    to_factor[k] += g * value[k]
