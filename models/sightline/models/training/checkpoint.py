"""Where training stands, on disk: enough to go on as if nothing had happened.

Tensors go to one file of NumPy arrays, a nested one by its keys with a stroke between, numbers
beside them as JSON; one atomic rename replaces the previous checkpoint, so a killed process leaves
the old one or the new one. Knows names and tensors; knows no model.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sightline.graph.storage.artifact import replacing

FILE = "state.npz"
#: The name of what is no tensor.
NUMBERS = "numbers"


def save_checkpoint(folder: Path, tensors: Mapping[Any, Any], numbers: Mapping[str, Any]) -> None:
    """Replace the folder's checkpoint.

    Args:
        tensors: by name, nested or not; names come back as text.
        numbers: anything JSON can hold; floats come back exactly.

    Raises:
        NotWritable, DiskFull: the previous checkpoint is still there.
    """
    arrays: dict[str, Any] = {k: v.detach().cpu().numpy() for k, v in _flat(tensors)}
    arrays[NUMBERS] = np.frombuffer(json.dumps(dict(numbers)).encode(), np.uint8)
    with replacing(folder / FILE) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **arrays)


def load_checkpoint(folder: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The folder's checkpoint, or None where there is none that can be read."""
    try:
        with (folder / FILE).open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = dict(stored)
        numbers: dict[str, Any] = json.loads(arrays.pop(NUMBERS).tobytes())
        found: dict[str, Any] = {}
        for name, array in arrays.items():
            *path, last = name.split("/")
            inner = reduce(lambda outer, key: outer.setdefault(key, {}), path, found)
            inner[last] = torch.from_numpy(array)
        return found, numbers
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _flat(tensors: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    for name, value in tensors.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value
