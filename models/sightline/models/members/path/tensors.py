"""The path member's work in tensors, for any device. Costs memory for every message of one step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sightline.models.members.path.graph import Neighbourhood, PathGraph
from sightline.models.members.path.rows import LARGEST, SUM


def gather(x: Tensor, weight: Tensor, near: Neighbourhood, step: int) -> Any:
    """What every row hears in a step: of the messages x[source] * weight[which, directed relation]
    both summaries, float32 ``(after, 2, WIDTH)``, and how many they are, float32 ``(after,)``.
    Differentiable in x and weight.

    Args:
        x: float32 ``(before, WIDTH)``; rows further away than these say nothing.
        weight: float32 ``(Q, 2R, WIDTH)``.
    """
    return _Gather.apply(x, weight, near, step)  # type: ignore[no-untyped-call]


def grow(graph: PathGraph, head: Tensor, place: Tensor, entity: Tensor, count: Tensor) -> None:
    """Breadth first from every head, int64 ``(B,)``; at most ``entity.shape[1]`` rows a question,
    the nearest.

    Args:
        place: int32 ``(B, N)``, -1 everywhere: becomes the row of each entity.
        entity: int32 ``(B, limit)``: becomes the entity of each row.
        count: int64 ``(B, steps + 1)``: becomes the rows within 0, 1, ... steps.
    """
    size, steps = len(count), count.shape[1] - 1
    question, target = torch.arange(size, device=place.device), head
    row = torch.zeros_like(question)
    for step in range(steps + 1):
        place[question, target], entity[question, row] = row.int(), target.int()
        count[:, step] = torch.bincount(question, minlength=size)
        if step:
            count[:, step] += count[:, step - 1]
        if step < steps:
            question, target = _neighbours(graph, place, question, target)
            # They are in order of their questions: a number in a question is a difference.
            start = torch.searchsorted(question, torch.arange(size, device=place.device))
            row = torch.arange(len(question), device=place.device) - start[question]
            row += count[question, step]
            kept = row < entity.shape[1]
            question, target, row = question[kept], target[kept], row[kept]


def _neighbours(
    graph: PathGraph, place: Tensor, question: Tensor, target: Tensor
) -> tuple[Tensor, Tensor]:
    """The entities without a place beside some rows, each once: question and entity int64 ``(M,)``,
    in the order in which edges reach them."""
    row, edge = graph.edges_into(target)
    b, source = question[row], graph.edges.source[edge].long()
    key = (b * graph.num_entities + source)[place[b, source] < 0]
    order = torch.arange(len(key), device=key.device)
    first = torch.full((place.numel(),), len(key), device=key.device)
    key = key[first.scatter_reduce_(0, key, order, "amin")[key] == order]
    return key // graph.num_entities, key % graph.num_entities


class _Gather(torch.autograd.Function):
    """``gather`` with its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, near: Neighbourhood, step: int) -> Any:
        row, sender, factor = _messages(near, step, weight.shape[1])
        message = x[sender] * weight.flatten(0, 1)[factor]
        count = torch.bincount(row, minlength=int(near.start[step, -1]))
        parts = {SUM: "sum", LARGEST: "max"}
        out = torch.stack([_per_row(message, parts[i], count) for i in range(2)], dim=1)
        ctx.save_for_backward(x, weight, out, count, row, sender, factor)
        heard = count.to(x.dtype)
        ctx.mark_non_differentiable(heard)
        return out, heard

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight, out, count, row, sender, factor = ctx.saved_tensors
        value, scale = x[sender], weight.flatten(0, 1)[factor]
        message = value * scale
        chosen = ((message > 0) & (message == out[:, LARGEST][row])).to(x.dtype)
        # Rows that are alike send equal messages: together they count as one.
        share = grads[0][:, LARGEST] / _per_row(chosen, "sum", count).clamp(min=1)
        g = grads[0][:, SUM][row] + chosen * share[row]
        of_x = torch.zeros_like(x).index_add_(0, sender, g * scale)
        of_weight = torch.zeros_like(weight).flatten(0, 1).index_add_(0, factor, g * value)
        return of_x, of_weight.view_as(weight), None, None


def _messages(near: Neighbourhood, step: int, rels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of every message of a step: the row that hears it, the row that sends it, and which of all
    weights: int64 ``(K,)`` each, the first ascending."""
    before, edges = near.start[step - 1], near.graph.edges
    question, target, _ = near.rows(step)
    row, edge = near.graph.edges_into(target)
    b, source, rel = question[row], edges.source[edge], edges.rel[edge]
    place = near.place[b, source.long()]
    kept = (place >= 0) & (place < before.diff()[b])
    row, b = row[kept], b[kept]
    return row, before[b] + place[kept], near.which[b] * rels + rel[kept]


def _per_row(values: Tensor, how: str, count: Tensor) -> Tensor:
    """The sum or largest of 0 and the next ``count`` of some values, float ``(K, WIDTH)``."""
    # A scatter would let messages to one row wait for each other on a GPU.
    return torch.segment_reduce(values, how, lengths=count, axis=0, initial=0)
