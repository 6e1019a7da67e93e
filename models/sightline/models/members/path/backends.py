"""Which back end does the path member's work: the one place where that is chosen."""

from __future__ import annotations

from importlib.util import find_spec

from sightline.models.data.messages import Messages
from sightline.models.members.path import tensors
from sightline.models.members.path.graph import PathGraph


def path_graph(messages: Messages) -> PathGraph:
    """Edges grouped by target; with compiled loops on the CPU, with tensors on other devices and
    where numba is not installed."""
    if messages.rel.device.type == "cpu" and find_spec("numba") is not None:
        # numba is loaded where it is used: a GPU needs none.
        from sightline.models.members.path import compiled

        return PathGraph.of(messages, compiled)
    return PathGraph.of(messages, tensors)
