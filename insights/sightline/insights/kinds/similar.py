"""Entities that lie near each other in the learned space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_doc import Doc

from sightline.insights.kind import EntityName, K, Kind, Sightline
from sightline.insights.records import EntityRef

if TYPE_CHECKING:
    from sightline.graph.arrays import Flags


@dataclass(frozen=True, slots=True)
class SimilarQuestion:
    """An entity, and how far to look."""

    id: EntityName
    k: K = 10
    same_type: Annotated[bool, Doc("Only entities that share a type.")] = True


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An entity near another in the learned space; ``similarity`` is a cosine, -1 to 1."""

    entity: EntityRef
    similarity: float


@dataclass(frozen=True, slots=True)
class Similar:
    """What is similar to an entity."""

    entity: EntityRef
    similar: tuple[Neighbour, ...]


def similar(sight: Sightline, asked: SimilarQuestion) -> Similar:
    """The nearest entities in the learned space, by the cosine of their vectors, ties by id.

    Raises:
        NoModel, DamagedArtifact, FormatMismatch, UnknownToModel
    """
    import numpy as np

    from sightline.distill.student.arrays import best

    entity, view = sight.entity(asked.id), sight.model_view
    row, model = view.row(entity), view.model
    vectors = np.asarray(model.student.arrays.entity)
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    cosine = vectors @ vectors[row] / np.maximum(length * length[row], np.finfo(np.float32).tiny)
    shown = model.entity_ids >= 0
    shown[row] = False
    if asked.same_type:
        shown &= _same_type(sight, entity)[model.entity_ids]
    rows = np.flatnonzero(shown)
    rows = rows[best(cosine[rows], min(asked.k, len(rows)))]
    names = sight.names
    return Similar(
        names.entity(entity),
        tuple(
            Neighbour(names.entity(int(model.entity_ids[i])), float(np.clip(cosine[i], -1, 1)))
            for i in rows
        ),
    )


def _same_type(sight: Sightline, entity: int) -> Flags:
    """bool ``(N,)``: entities that share a type with one, or all where it has none."""
    import numpy as np

    types = sight.snapshot.types_of(entity)
    same = np.full(sight.snapshot.num_entities, len(types) == 0)
    for class_id in types:
        same |= sight.snapshot.members(int(class_id))
    return same


KIND = Kind(
    similar,
    SimilarQuestion,
    Similar,
    route="GET /v1/entities/{id}/similar",
    tag="entities",
    order="Nearest first.",
    command="similar",
    example="sightline similar Kenya -w world",
)
