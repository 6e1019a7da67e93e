"""The path member's work on a GPU in one kernel a step, which stores no message.

A program sums the messages of one row of one question in registers; a second one, per row that
sends, gives the gradients. What ``tensors`` does in a dozen passes over every message reads each of
them once. Written in Triton, whose interpreter (``TRITON_INTERPRET=1``) runs it without a GPU.

Every edge is there in both directions, so that the edges into a row, their directed relations
turned, are those out of it.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from sightline.models.members.path.graph import Neighbourhood
from sightline.models.members.path.rows import LARGEST, SUM, WIDTH
from sightline.models.members.path.tensors import grow as grow

#: Edges looked at together by a program.
EDGES = tl.constexpr(16)
#: ``rows`` as constants of the kernels.
_WIDTH, _OUT = tl.constexpr(WIDTH), tl.constexpr(2 * WIDTH)
_SUM, _LARGEST = tl.constexpr(SUM * WIDTH), tl.constexpr(LARGEST * WIDTH)


def gather(x: Tensor, weight: Tensor, near: Neighbourhood, step: int) -> Any:
    """See ``tensors``."""
    return _Gather.apply(x, weight, near, step)  # type: ignore[no-untyped-call]


@triton.jit
def _forward(  # type: ignore[no-untyped-def]
    x, weight, indptr, source, rel, which, place, question, target, before, out, ties, count,
    entities, rels,
):  # fmt: skip
    """A row's two summaries, how often its largest came, and how many messages there were."""
    row = tl.program_id(0).to(tl.int64)
    b, v = tl.load(question + row), tl.load(target + row)
    asked = tl.load(which + b)
    first = tl.load(before + b)
    heard = tl.load(before + b + 1) - first
    column, lane = tl.arange(0, _WIDTH), tl.arange(0, EDGES)
    total = tl.zeros([_WIDTH], tl.float32)
    largest = tl.zeros([_WIDTH], tl.float32)
    most = tl.zeros([_WIDTH], tl.float32)
    messages = tl.zeros([EDGES], tl.float32)
    start, end = tl.load(indptr + v), tl.load(indptr + v + 1)
    for at in range(start, end, EDGES):
        edge = at + lane
        there = edge < end
        u = tl.load(source + edge, mask=there, other=0)
        r = tl.load(rel + edge, mask=there, other=0)
        sender = tl.load(place + b * entities + u, mask=there, other=-1).to(tl.int64)
        told = there & (sender >= 0) & (sender < heard)
        mask = told[:, None]
        values = x + (first + sender)[:, None] * _WIDTH + column[None, :]
        factors = weight + (asked * rels + r)[:, None] * _WIDTH + column[None, :]
        message = tl.load(values, mask=mask, other=0.0) * tl.load(factors, mask=mask, other=0.0)
        total += tl.sum(message, 0)
        high = tl.maximum(largest, tl.max(message, 0))
        now = tl.sum((mask & (message == high[None, :])).to(tl.float32), 0)
        most = tl.where(high > largest, now, most + now)
        largest = high
        messages += told.to(tl.float32)
    said = out + row * _OUT + column
    tl.store(said + _SUM, total)
    tl.store(said + _LARGEST, largest)
    tl.store(ties + row * _WIDTH + column, most)
    tl.store(count + row, tl.sum(messages, 0))


@triton.jit
def _backward(  # type: ignore[no-untyped-def]
    x, weight, indptr, source, rel, which, place, question, sender, after, out, ties, grad,
    grad_x, grad_weight, entities, rels,
):  # fmt: skip
    """What a row that sends, and the weights of its messages, are told by all rows that hear it."""
    row = tl.program_id(0).to(tl.int64)
    b, u = tl.load(question + row), tl.load(sender + row)
    asked, first = tl.load(which + b), tl.load(after + b)
    column, lane = tl.arange(0, _WIDTH), tl.arange(0, EDGES)
    value = tl.load(x + row * _WIDTH + column)[None, :]
    of_value = tl.zeros([_WIDTH], tl.float32)
    start, end = tl.load(indptr + u), tl.load(indptr + u + 1)
    for at in range(start, end, EDGES):
        edge = at + lane
        there = edge < end
        v = tl.load(source + edge, mask=there, other=0)
        r = tl.load(rel + edge, mask=there, other=0)
        r = tl.where(r < rels // 2, r + rels // 2, r - rels // 2)
        # Who is a step away from a row that sends hears it: every row with a place does.
        hearer = tl.load(place + b * entities + v, mask=there, other=-1).to(tl.int64)
        mask = (there & (hearer >= 0))[:, None]
        factor_at = (asked * rels + r)[:, None] * _WIDTH + column[None, :]
        factor = tl.load(weight + factor_at, mask=mask, other=0.0)
        message = value * factor
        said = (first + hearer)[:, None] * _OUT + column[None, :]
        tied = ties + (first + hearer)[:, None] * _WIDTH + column[None, :]
        largest = tl.load(out + said + _LARGEST, mask=mask, other=0.0)
        # Rows that are alike send equal messages: together they count as one.
        share = tl.load(grad + said + _LARGEST, mask=mask, other=0.0)
        share /= tl.maximum(tl.load(tied, mask=mask, other=1.0), 1.0)
        wanted = tl.load(grad + said + _SUM, mask=mask, other=0.0)
        wanted += tl.where((message > 0) & (message == largest), share, 0.0)
        of_value += tl.sum(wanted * factor, 0)
        tl.atomic_add(grad_weight + factor_at, wanted * value, mask=mask, sem="relaxed")
    tl.store(grad_x + row * _WIDTH + column, of_value)


class _Gather(torch.autograd.Function):
    """``gather`` with its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, near: Neighbourhood, step: int) -> Any:
        x, weight = x.contiguous(), weight.contiguous()
        question, target, _ = near.rows(step)
        out = x.new_empty(len(question), 2, WIDTH)
        ties, count = x.new_empty(len(question), WIDTH), x.new_empty(len(question))
        where = (*near.graph.edges, near.which, near.place)
        sizes = near.graph.num_entities, weight.shape[1]
        if len(question):
            _forward[(len(question),)](
                x, weight, *where, question, target, near.start[step - 1], out, ties, count, *sizes
            )
        ctx.save_for_backward(x, weight, out, ties)
        ctx.mark_non_differentiable(count)
        ctx.near, ctx.step = near, step
        return out, count

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight, out, ties = ctx.saved_tensors
        near: Neighbourhood = ctx.near
        question, sender, _ = near.rows(ctx.step - 1)
        of_x, of_weight = torch.zeros_like(x), torch.zeros_like(weight)
        where = (*near.graph.edges, near.which, near.place)
        sizes = near.graph.num_entities, weight.shape[1]
        if len(question):
            _backward[(len(question),)](
                x, weight, *where, question, sender, near.start[ctx.step], out, ties,
                grads[0].contiguous(), of_x, of_weight, *sizes,
            )  # fmt: skip
        return of_x, of_weight, None, None
