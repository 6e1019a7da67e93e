"""Which back end does the path member's work: the one place where that is chosen."""

from __future__ import annotations

import logging
from functools import cache
from importlib.util import find_spec
from types import ModuleType

import torch

from sightline.models.data.messages import Messages
from sightline.models.members.path import tensors
from sightline.models.members.path.graph import Neighbourhood, PathGraph
from sightline.models.members.path.rows import WIDTH, MaskedQuery

log = logging.getLogger(__name__)


def path_graph(messages: Messages) -> PathGraph:
    """Edges grouped by target; with compiled loops on the CPU, with one kernel a step on a GPU that
    runs it as it should, and with tensors elsewhere."""
    return PathGraph.of(messages, _backend(messages.rel.device))


def _backend(device: torch.device) -> ModuleType:
    # Each is loaded where it is used: a GPU needs no numba, and a CPU no triton.
    if device.type == "cpu" and find_spec("numba") is not None:
        from sightline.models.members.path import compiled

        return compiled
    if device.type == "cuda" and find_spec("triton") is not None:
        from sightline.models.members.path import fused

        if agrees(fused, device):
            return fused
    return tensors


@cache
def agrees(backend: ModuleType, device: torch.device) -> bool:
    """Whether a back end gives what ``tensors`` does, on a small graph and on this device: what
    cannot be compiled there, or is wrong, is said in the log and not used."""
    draw = torch.Generator().manual_seed(0)
    ends = torch.randint(0, 8, (2, 24), generator=draw)
    rel = torch.randint(0, 3, (24,), generator=draw)
    both, rels = torch.cat([ends, ends.flip(0)], 1), torch.cat([rel, rel + 3])
    graph = PathGraph.of(Messages(both.to(device), rels.to(device), 8), tensors)
    head, tail, own = (each[:4].int().numpy() for each in (*ends, rel))
    near = Neighbourhood.around(graph, MaskedQuery(head, tail, own, own + 3), 2, 6)
    sizes = (int(near.start[1, -1]), WIDTH), (4, 6, WIDTH)
    x, weight = (torch.randn(size, generator=draw).to(device).requires_grad_() for size in sizes)
    try:
        found = []
        for one in (backend, tensors):
            out, count = one.gather(x, weight, near, 2)
            downstream = torch.linspace(-1, 1, out.numel(), device=device).view_as(out)
            found.append((out, count, *torch.autograd.grad(out, [x, weight], downstream)))
        for mine, theirs in zip(*found):
            torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-3)
    except Exception as error:
        log.warning("%s is not used on %s: %s", backend.__name__, device, error)
        return False
    return True
