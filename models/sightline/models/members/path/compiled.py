"""The compiled kernels as differentiable functions of tensors on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sightline.models.members.path import kernels
from sightline.models.members.path.graph import Neighbourhood, PathGraph
from sightline.models.members.path.rows import WIDTH, MaskedQuery


def grow(
    graph: PathGraph, masked: MaskedQuery, place: Tensor, entity: Tensor, count: Tensor
) -> None:
    """See ``tensors``."""
    arrays = (each.numpy() for each in (place, entity, count))
    kernels.grow(_as_arrays(graph.edges), _as_arrays(masked), *arrays)


def gather(x: Tensor, weight: Tensor, near: Neighbourhood, step: int) -> Any:
    """See ``tensors``."""
    return _Gather.apply(x, weight, near, step)  # type: ignore[no-untyped-call]


class _Gather(torch.autograd.Function):
    """``gather`` with its gradient, a thread per part of the questions."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, near: Neighbourhood, step: int) -> Any:
        x, weight, rows = x.contiguous(), weight.contiguous(), int(near.start[step, -1])
        out, count = torch.zeros(rows, 4, WIDTH), torch.zeros(rows)
        arrays = [each.detach().numpy() for each in (x, weight, out, count)]
        _in_parts(lambda part: kernels.gather(part, *_where(near, step), *arrays), near)
        ctx.save_for_backward(x, weight, out)
        ctx.mark_non_differentiable(count)
        ctx.near, ctx.step = near, step
        return out, count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight, out = ctx.saved_tensors
        found = torch.zeros_like(x), torch.zeros_like(weight)
        tensors = (x, weight, out, grads[0].contiguous(), *found)
        arrays = [each.detach().numpy() for each in tensors]
        where = _where(ctx.near, ctx.step)
        _in_parts(lambda part: kernels.gather_gradient(part, *where, *arrays), ctx.near)
        return *found, None, None


def _where(near: Neighbourhood, step: int) -> tuple[Any, ...]:
    tensors = (near.place, near.entity, near.start[step - 1], near.start[step])
    return (
        _as_arrays(near.graph.edges),
        _as_arrays(near.masked),
        *(each.numpy() for each in tensors),
    )


def _in_parts(work: Callable[[tuple[int, int]], None], near: Neighbourhood) -> None:
    size, threads = len(near.place), torch.get_num_threads()
    bounds = np.linspace(0, size, min(threads, size) + 1).astype(int).tolist()
    parts = list(pairwise(bounds))
    if len(parts) < 2:
        work((0, size))
        return
    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(work, parts))


def _as_arrays(tensors: Any) -> Any:
    """``Edges`` or ``MaskedQuery`` of tensors on the CPU as the same of NumPy arrays."""
    return type(tensors)(*(tensor.numpy() for tensor in tensors))
