"""The foundation member's messages, compiled for the CPU; on plain arrays, without torch.

``np.maximum`` and not ``max``: that becomes a store under a mask, which takes four times as long.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sightline.models.members.path.kernels import kernel
from sightline.models.members.path.rows import WIDTH


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
