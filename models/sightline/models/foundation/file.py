"""The pre-trained weights that ship with the package; ``foundation.md`` beside them is their card.

It is whole and of this version, or it is refused by name: ``foundation.json`` holds its version and
checksum.
"""

from __future__ import annotations

import hashlib
import io
import json
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, cast

import numpy as np

from sightline.graph.arrays import Floats
from sightline.models.errors import FoundationUnusable

FILE, ABOUT = "foundation.npz", "foundation.json"
#: Of the weights: raised when the network that reads them changes.
FORMAT = 1


@lru_cache(1)
def shipped() -> dict[str, Floats]:
    """The weights in this installation, by the names of ``Foundation.state_dict``.

    Raises:
        FoundationUnusable
    """
    return read(files(__package__))


def read(folder: Traversable) -> dict[str, Floats]:
    """The weights in a folder, float32 arrays.

    Raises:
        FoundationUnusable: a file is missing or damaged, or of another version.
    """
    try:
        about: dict[str, Any] = json.loads(folder.joinpath(ABOUT).read_bytes())
        data = folder.joinpath(FILE).read_bytes()
        version, digest = about["format"], about["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FoundationUnusable("it is missing, or what describes it cannot be read") from error
    if version != FORMAT:
        raise FoundationUnusable(f"it is of version {str(version)[:20]}, this one reads {FORMAT}")
    if hashlib.sha256(data).hexdigest() != digest:
        raise FoundationUnusable("it is damaged: its checksum is not the one it was made with")
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def write(folder: Any, weights: dict[str, Floats], about: dict[str, Any]) -> None:
    """Write weights and what is said of them to a folder (``pathlib.Path``)."""
    stream = io.BytesIO()
    np.savez(stream, **cast(dict[str, Any], weights))
    (folder / FILE).write_bytes(stream.getvalue())
    digest = hashlib.sha256(stream.getvalue()).hexdigest()
    said = {"format": FORMAT, "sha256": digest, **about}
    (folder / ABOUT).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
