"""Where training stands, on disk: enough to go on as if nothing had happened.

Tensors go to one file of NumPy arrays, numbers beside them as JSON; one atomic rename replaces the
previous checkpoint, so a killed process leaves the old one or the new one. Knows names and tensors;
knows no model.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sightline.graph.storage.artifact import replacing

FILE = "checkpoint.npz"
#: The name of what is no tensor.
NUMBERS = "numbers"


def save_checkpoint(
    folder: Path, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]
) -> None:
    """Replace the folder's checkpoint.

    Args:
        numbers: anything JSON can hold; floats come back exactly.

    Raises:
        NotWritable, DiskFull: the previous checkpoint is still there.
    """
    arrays: dict[str, Any] = {k: v.detach().cpu().numpy() for k, v in tensors.items()}
    arrays[NUMBERS] = np.frombuffer(json.dumps(dict(numbers)).encode(), np.uint8)
    with replacing(folder / FILE) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The folder's checkpoint, or None where there is none that can be read."""
    try:
        with (folder / FILE).open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = dict(stored)
        numbers: dict[str, Any] = json.loads(arrays.pop(NUMBERS).tobytes())
        return {name: torch.from_numpy(array) for name, array in arrays.items()}, numbers
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
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
