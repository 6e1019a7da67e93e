"""The path network's compiled work: which rows a question reaches, and what their edges bring.

What they compute is said in ``path_ball`` and ``path_network``, which have it in tensors too, for
devices without numba. Knows arrays of a graph grouped by target; knows no tensor and no training.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from sightline.models.members.path_ball import ALL_EDGES, WIDTH
from sightline.models.members.path_network import LARGEST, SMALLEST, SQUARES, SUM

_kernel = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})


@_kernel
def _hides(asked: Any, b: int, source: int, rel: int, target: int) -> Any:
    """Whether question b must not see this edge."""
    head, tail = asked.head[b], asked.tail[b]
    forth = source == head and target == tail
    back = source == tail and target == head
    if not (forth or back):
        return False
    if asked.rel[b] == ALL_EDGES:
        return True
    return (forth and rel == asked.rel[b]) or (back and rel == asked.turned[b])


@_kernel
def grow(edges: Any, asked: Any, place: Any, entity: Any, count: Any) -> None:
    """Breadth first from every head; at most ``entity.shape[1]`` rows a question, the nearest.

    Args:
        place: int32 ``(B, N)``, -1 everywhere: becomes the row of each entity.
        entity: int32 ``(B, limit)``: becomes the entity of each row.
        count: int64 ``(B, steps + 1)``: becomes the rows within 0, 1, ... steps.
    """
    limit = entity.shape[1]
    for b in range(len(asked.head)):
        place[b, asked.head[b]] = 0
        entity[b, 0] = asked.head[b]
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
                    if not _hides(asked, b, source, edges.rel[e], target):
                        place[b, source] = rows
                        entity[b, rows] = source
                        rows += 1
            first = last
            count[b, step] = rows


@_kernel
def gather(
    part: Any, edges: Any, asked: Any, place: Any, entity: Any, before: Any, after: Any,
    x: Any, weight: Any, out: Any, count: Any,
) -> None:  # fmt: skip
    """What every row hears: of the messages x[source] * weight[question, directed relation], four
    summaries.

    Args:
        part: the first question, and the one after the last.
        before, after: int64 ``(B + 1,)``: where each question's rows start in x and in out.
        x: float32 ``(before[-1], WIDTH)``; rows further away than these say nothing.
        weight: float32 ``(B, rels, WIDTH)``.
        out: float32 ``(after[-1], 4, WIDTH)``, zeros.
        count: float32 ``(after[-1],)``, zeros: becomes how many messages each row heard.
    """
    for b in range(part[0], part[1]):
        heard = before[b + 1] - before[b]
        for row in range(after[b + 1] - after[b]):
            target = entity[b, row]
            watched = target == asked.head[b] or target == asked.tail[b]
            said = out[after[b] + row]
            total, squares = said[SUM], said[SQUARES]
            largest, smallest = said[LARGEST], said[SMALLEST]
            for e in range(edges.indptr[target], edges.indptr[target + 1]):
                source = place[b, edges.source[e]]
                if source < 0 or source >= heard:
                    continue
                rel = edges.rel[e]
                if watched and _hides(asked, b, edges.source[e], rel, target):
                    continue
                count[after[b] + row] += 1
                value, factor = x[before[b] + source], weight[b, rel]
                for k in range(WIDTH):
                    message = value[k] * factor[k]
                    total[k] += message
                    squares[k] += message * message
                    largest[k] = max(largest[k], message)
                    smallest[k] = min(smallest[k], message)


@_kernel
def gather_gradient(
    part: Any, edges: Any, asked: Any, place: Any, entity: Any, before: Any, after: Any,
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
            watched = target == asked.head[b] or target == asked.tail[b]
            said, wanted = out[after[b] + row], grad[after[b] + row]
            largest, smallest = said[LARGEST], said[SMALLEST]
            of_sum, of_squares = wanted[SUM], wanted[SQUARES]
            of_largest[:], of_smallest[:] = wanted[LARGEST], wanted[SMALLEST]
            for e in range(edges.indptr[target], edges.indptr[target + 1]):
                source = place[b, edges.source[e]]
                if source < 0 or source >= heard:
                    continue
                rel = edges.rel[e]
                if watched and _hides(asked, b, edges.source[e], rel, target):
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
