"""The pre-trained weights that ship with the package; ``foundation.md`` beside them is their card.

It is whole and of this version, or it is refused by name: ``foundation.json`` holds its version and
checksum, and a few facts of every graph that it learnt from, by which such a graph is known again.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Floats
from sightline.models.errors import FoundationUnusable

if TYPE_CHECKING:
    from sightline.models.data.dataset import LearningData

WEIGHTS, ABOUT = "foundation.npz", "foundation.json"
#: Of the weights: raised when the network that reads them changes.
FORMAT = 1
UNREADABLE = "it is missing, or what describes it cannot be read"
#: What the last part of an IRI comes after.
LAST_PART = re.compile("[/#:]")

#: float32 arrays by the names of ``Foundation.state_dict``.
Weights = Mapping[str, Floats]


@lru_cache(1)
def shipped() -> bytes:
    """The file of this installation, whole and of this version.

    Raises:
        FoundationUnusable
    """
    return read(files(__package__))


def learnt_from(data: LearningData) -> list[str]:
    """The graphs of the pre-training that this one is or holds: of the few facts that are kept of
    each, it states half or more. Names are compared by the last part of their IRIs.

    Raises:
        FoundationUnusable
    """
    index = [
        {LAST_PART.split(iri)[-1]: number for number, iri in enumerate(iris)}
        for iris in (data.entity_iris, data.relation_iris)
    ]
    found = []
    for name, facts in _about(files(__package__)).get("facts", {}).items():
        parts = [enumerate(fact.split("\t")) for fact in facts]
        ids = np.array([[index[i % 2].get(part, -1) for i, part in fact] for fact in parts])
        stated = np.isin(_keys(data, ids), _keys(data, data.train)) & (ids >= 0).all(axis=1)
        if 2 * stated.sum() >= len(facts):
            found.append(name)
    return found


def _keys(data: LearningData, triples: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    head, relation, tail = triples.astype(np.int64).T
    keys: npt.NDArray[np.int64] = (head * data.num_relations + relation) * data.num_entities + tail
    return keys


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
    about = _about(folder)
    try:
        data = folder.joinpath(WEIGHTS).read_bytes()
        version, digest = about["format"], about["sha256"]
    except (OSError, KeyError, TypeError) as error:
        raise FoundationUnusable(UNREADABLE) from error
    if version != FORMAT:
        raise FoundationUnusable(f"it is of version {str(version)[:20]}, this one reads {FORMAT}")
    if hashlib.sha256(data).hexdigest() != digest:
        raise FoundationUnusable("it is damaged: its checksum is not the one it was made with")
    return data


def _about(folder: Traversable) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads(folder.joinpath(ABOUT).read_bytes())
    except (OSError, ValueError) as error:
        raise FoundationUnusable(UNREADABLE) from error
    return about


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
