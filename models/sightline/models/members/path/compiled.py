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
from sightline.models.members.path.rows import WIDTH, Edges


def grow(graph: PathGraph, head: Tensor, place: Tensor, entity: Tensor, count: Tensor) -> None:
    """See ``tensors``."""
    arrays = (each.numpy() for each in (head, place, entity, count))
    kernels.grow(_arrays(graph), *arrays)


def gather(x: Tensor, weight: Tensor, near: Neighbourhood, step: int) -> Any:
    """See ``tensors``."""
    return _Gather.apply(x, weight, near, step)  # type: ignore[no-untyped-call]


class _Gather(torch.autograd.Function):
    """``gather`` with its gradient, a thread per part of the questions."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, near: Neighbourhood, step: int) -> Any:
        x, weight, rows = x.contiguous(), weight.contiguous(), int(near.start[step, -1])
        out, count = torch.zeros(rows, 2, WIDTH), torch.zeros(rows)
        arrays = [each.detach().numpy() for each in (x, weight, out, count)]
        _in_parts(lambda part: kernels.gather(part, *_where(near, step), *arrays), near)
        ctx.save_for_backward(x, weight, out)
        ctx.mark_non_differentiable(count)
        ctx.near, ctx.step = near, step
        return out, count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight, out = ctx.saved_tensors
        of_x = torch.zeros_like(x)
        arrays = [each.detach().numpy() for each in (x, weight, out, grads[0].contiguous(), of_x)]
        where = _where(ctx.near, ctx.step)

        def work(part: tuple[int, int]) -> Tensor:
            # Questions of several parts may have the same weights.
            of_weight = torch.zeros_like(weight)
            kernels.gather_gradient(part, *where, *[*arrays, of_weight.numpy()])
            return of_weight

        return of_x, torch.stack(_in_parts(work, ctx.near)).sum(0), None, None


def _where(near: Neighbourhood, step: int) -> tuple[Any, ...]:
    between = near.start[step - 1], near.start[step]
    tensors = (near.which, near.place, near.entity, *between)
    return (_arrays(near.graph), *(each.numpy() for each in tensors))


def _in_parts(work: Callable[[tuple[int, int]], Any], near: Neighbourhood) -> list[Any]:
    size, threads = len(near.place), torch.get_num_threads()
    bounds = np.linspace(0, size, max(1, min(threads, size)) + 1).astype(int).tolist()
    parts = list(pairwise(bounds))
    if len(parts) < 2:
        return [work((0, size))]
    with ThreadPoolExecutor(len(parts)) as pool:
        return list(pool.map(work, parts))


def _arrays(graph: PathGraph) -> Edges:
    return Edges(*(each.numpy() for each in graph.edges))
