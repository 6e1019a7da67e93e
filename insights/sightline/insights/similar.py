"""Entities that lie near each other in the learned space.

Knows the student's vectors and types; knows no facts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sightline.distill.student.arrays import best
from sightline.insights.records import Similar

if TYPE_CHECKING:
    from sightline.insights.learned import Learned
    from sightline.insights.names import Names


def similar(
    learned: Learned, names: Names, entity: int, k: int, same_type: bool
) -> tuple[Similar, ...]:
    """The ``k`` nearest entities by the cosine of their vectors, ties by id.

    Args:
        same_type: only entities that share a type with it; no condition where it has none.

    Raises:
        UnknownToModel
    """
    row, model = learned.row(entity), learned.model
    vectors = np.asarray(model.student.vectors)
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    cosine = vectors @ vectors[row] / np.maximum(length * length[row], np.finfo(np.float32).tiny)
    shown = model.entity_of_row >= 0
    shown[row] = False
    if same_type:
        shown &= _kin(names, entity)[model.entity_of_row]
    rows = np.flatnonzero(shown)
    rows = rows[best(cosine[rows], min(k, len(rows)))]
    return tuple(
        Similar(names.entity(int(model.entity_of_row[i])), float(np.clip(cosine[i], -1, 1)))
        for i in rows
    )


def _kin(names: Names, entity: int) -> npt.NDArray[np.bool_]:
    """bool ``(N,)``: entities that share a type with one, or all where it has none."""
    types = names.snapshot.types_of(entity)
    kin = np.full(names.snapshot.num_entities, len(types) == 0)
    for class_id in types:
        kin |= names.snapshot.members(int(class_id))
    return kin
