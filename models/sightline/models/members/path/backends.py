"""Which back end does the path member's work: the one place where that is chosen."""

from __future__ import annotations

from importlib.util import find_spec
from typing import cast

import torch

from sightline.models.data.messages import Messages
from sightline.models.members.path import tensors
from sightline.models.members.path.graph import Backend, PathGraph


def backend_for(device: torch.device) -> Backend:
    """Compiled loops on the CPU, tensors on other devices or where numba is not installed."""
    if device.type == "cpu" and find_spec("numba") is not None:
        # numba is loaded where it is used: a GPU needs none.
        from sightline.models.members.path import compiled

        return cast(Backend, compiled)
    return cast(Backend, tensors)


def path_graph(messages: Messages) -> PathGraph:
    """Edges grouped by target, with the back end for the device that they are on."""
    return PathGraph.of(messages, backend_for(messages.rel.device))
