"""The pre-trained weights that ship with the package; ``foundation.md`` beside them is their card.

It is whole and of this version, or it is refused by name: ``foundation.json`` holds its version and
checksum.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, cast

import numpy as np

from sightline.graph.arrays import Floats
from sightline.models.errors import FoundationUnusable

WEIGHTS, ABOUT = "foundation.npz", "foundation.json"
#: Of the weights: raised when the network that reads them changes.
FORMAT = 1

#: float32 arrays by the names of ``Foundation.state_dict``.
Weights = Mapping[str, Floats]


@lru_cache(1)
def shipped() -> bytes:
    """The file of this installation, whole and of this version.

    Raises:
        FoundationUnusable
    """
    return read(files(__package__))


def digest() -> str | None:
    """What tells this installation's file from others; None where it cannot be used."""
    try:
        return hashlib.sha256(shipped()).hexdigest()
    except FoundationUnusable:
        return None


def read(folder: Traversable) -> bytes:
    """The file in a folder; ``weights_in`` says what it holds.

    Raises:
        FoundationUnusable: a file is missing or damaged, or of another version.
    """
    try:
        about: dict[str, Any] = json.loads(folder.joinpath(ABOUT).read_bytes())
        data = folder.joinpath(WEIGHTS).read_bytes()
        version, digest = about["format"], about["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FoundationUnusable("it is missing, or what describes it cannot be read") from error
    if version != FORMAT:
        raise FoundationUnusable(f"it is of version {str(version)[:20]}, this one reads {FORMAT}")
    if hashlib.sha256(data).hexdigest() != digest:
        raise FoundationUnusable("it is damaged: its checksum is not the one it was made with")
    return data


def weights_in(data: bytes) -> Weights:
    """What a file holds."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def write(folder: Any, weights: Weights, about: dict[str, Any]) -> None:
    """Write weights and what is said of them to a folder (``pathlib.Path``)."""
    stream = io.BytesIO()
    np.savez(stream, **cast(dict[str, Any], weights))
    (folder / WEIGHTS).write_bytes(stream.getvalue())
    digest = hashlib.sha256(stream.getvalue()).hexdigest()
    said = {"format": FORMAT, "sha256": digest, **about}
    (folder / ABOUT).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
