"""Which back end does the path member's work: the one place where that is chosen."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from sightline.models.foundation.relations import RelationGraph
from sightline.models.members.path import tensors
from sightline.models.members.path.graph import Neighbourhood, PathGraph
from sightline.models.members.path.rows import WIDTH

if TYPE_CHECKING:
    from sightline.models.foundation.arrays import FoundationArrays

log = logging.getLogger(__name__)


def asked_of(
    weights: Mapping[str, Tensor], relations: RelationGraph, device: torch.device, limit: int
) -> FoundationArrays | PathGraph:
    """What answers where nothing is learnt: on the CPU what serves does, which takes two thirds of
    the time of what learns; elsewhere the graph."""
    if not _compiles(device):
        return path_graph(relations, device)
    from sightline.models.foundation.arrays import FoundationArrays

    arrays = {name: value.numpy().copy() for name, value in weights.items()}
    return FoundationArrays(arrays, relations, limit)


def path_graph(relations: RelationGraph, device: torch.device) -> PathGraph:
    """A graph to read on a device: with compiled loops on the CPU, with one kernel a step on a GPU
    that runs it as it should, and with tensors elsewhere."""
    return PathGraph.of(relations, device, _backend(device))


def _compiles(device: torch.device) -> bool:
    return device.type == "cpu" and find_spec("numba") is not None


def _backend(device: torch.device) -> ModuleType:
    # Each is loaded where it is used: a GPU needs no numba, and a CPU no triton.
    if _compiles(device):
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
    rng, draw = np.random.default_rng(0), torch.Generator().manual_seed(0)
    triples = np.unique(rng.integers([8, 3, 8], size=(24, 3)), axis=0).astype(np.int32)
    graph = PathGraph.of(RelationGraph.of(triples, 8, 3), device, tensors)
    near = Neighbourhood.around(graph, triples[:4, 0], np.array([0, 1, 2, 1]), 2, 6)
    sizes = (int(near.start[1, -1]), WIDTH), (3, 6, WIDTH)
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
