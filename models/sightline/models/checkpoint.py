"""Where training stands, on disk: enough to go on as if nothing had happened.

Tensors go to one safetensors file, numbers into its JSON header; one atomic rename replaces the
previous checkpoint, so a killed process leaves the old one or the new one. Knows names and tensors;
knows no model.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sightline.graph.errors import from_os_error

FILE = "checkpoint.safetensors"


def save_checkpoint(
    folder: Path, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]
) -> None:
    """Replace the folder's checkpoint.

    Args:
        numbers: anything JSON can hold; floats come back exactly.

    Raises:
        NotWritable, DiskFull: the previous checkpoint is still there.
    """
    temporary = folder / f".tmp-{FILE}-{os.getpid()}"
    try:
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
            temporary,
            metadata={"numbers": json.dumps(dict(numbers))},
        )
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(folder / FILE)
    except (OSError, SafetensorError) as error:
        temporary.unlink(missing_ok=True)
        raise from_os_error(
            error if isinstance(error, OSError) else OSError(str(error)), folder
        ) from error


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The folder's checkpoint, or None where there is none that can be read."""
    try:
        with safe_open(folder / FILE, framework="pt") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            numbers: dict[str, Any] = json.loads((stored.metadata() or {})["numbers"])
        return tensors, numbers
    except (OSError, SafetensorError, ValueError, KeyError):
        return None


def optimizer_tensors(prefix: str, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state tensors of an optimizer by name."""
    state = optimizer.state_dict()["state"]
    return {
        f"{prefix}.{parameter}.{key}": torch.as_tensor(value)
        for parameter, entries in state.items()
        for key, value in entries.items()
    }


def load_optimizer(
    prefix: str, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]
) -> None:
    """Give an optimizer the state that ``optimizer_tensors`` took."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(f"{prefix}."):
            parameter, key = name.removeprefix(f"{prefix}.").split(".", 1)
            state.setdefault(int(parameter), {})[key] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
