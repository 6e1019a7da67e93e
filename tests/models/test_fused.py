"""The kernel for GPUs, in Triton's interpreter: it says what the tensors say."""

from __future__ import annotations

import logging
from types import ModuleType

import numpy as np
import pytest
import torch

from sightline.models.members.path import backends, tensors
from sightline.models.members.path.graph import Neighbourhood
from tests.models.test_path import graph_of
from tests.needs import require

CPU = torch.device("cpu")


@pytest.fixture
def fused() -> ModuleType:
    try:
        from sightline.models.members.path import fused as module
    except ImportError:
        require("triton", False, "triton is not installed (1 GB, for Linux alone)")
    return module


def test_sums_largest_and_gradients_are_those_of_the_tensors(fused: ModuleType) -> None:
    """Parallel edges, a loop, rows that are alike, rows beyond the limit, and more messages to one
    row than are looked at together, of which the largest come last."""
    triples = [[0, 0, 1], [0, 1, 1], [1, 0, 0], [2, 0, 2], [1, 1, 3], [2, 0, 3], [0, 0, 3]]
    triples += [[0, 0, leaf] for leaf in range(4, 9)]
    triples += [[leaf, rel, 3] for leaf in range(4, 9) for rel in range(4)]
    triples = sorted({tuple(triple) for triple in triples})
    graph = graph_of(np.array(triples), 9, 4, tensors)
    near = Neighbourhood.around(graph, np.array([0, 0, 1]), np.array([1, 0, 1]), 2, 8)
    torch.manual_seed(0)
    x, entity = torch.randn(int(near.start[1, -1]), 32), near.rows(1)[1]
    x[entity > 3] = x[-1].clone()
    x[entity == entity.max()] *= 3
    weight = torch.randn(2, 8, 32)
    found = []
    for backend in (fused, tensors):
        leaves = [each.clone().requires_grad_() for each in (x, weight)]
        out, count = backend.gather(*leaves, near, 2)
        downstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(1))
        found.append((out, count, *torch.autograd.grad(out, leaves, downstream)))
    for mine, theirs in zip(*found):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


def test_a_kernel_that_is_wrong_on_a_device_is_not_used_there(
    fused: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    assert backends.agrees(fused, CPU)

    def wrong(*given: object) -> object:
        out, count = tensors.gather(*given)  # type: ignore[arg-type]
        return out * 1.1, count

    module = ModuleType("wrong")
    module.gather = wrong  # type: ignore[attr-defined]
    with caplog.at_level(logging.WARNING):
        assert not backends.agrees(module, CPU)
    assert "wrong is not used on cpu" in caplog.text
