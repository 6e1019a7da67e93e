"""Entities that lie near each other in the learned space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_doc import Doc

from sightline.insights.kind import EntityName, K, Kind, Sightline
from sightline.insights.records import EntityRef

if TYPE_CHECKING:
    from sightline.graph.arrays import Flags, Ids


@dataclass(frozen=True, slots=True)
class SimilarQuestion:
    """An entity, and how far to look."""

    id: EntityName
    k: K = 10
    same_type: Annotated[bool, Doc("Only entities that share a type.")] = True


@dataclass(frozen=True)
class Neighbour:
    """An entity near another in the learned space; ``similarity`` is a cosine, -1 to 1."""

    entity: EntityRef
    similarity: float


@dataclass(frozen=True)
class Similar:
    """What is similar to an entity; ``reason`` says why nothing is, where nothing is."""

    entity: EntityRef
    similar: tuple[Neighbour, ...]
    reason: str | None


def similar(sight: Sightline, asked: SimilarQuestion) -> Similar:
    """The nearest entities in the learned space, by the cosine of their vectors, ties by id.

    Raises:
        NoModel, DamagedArtifact, FormatMismatch, UnknownToModel
        NoVectors: the foundation member is served.
    """
    import numpy as np

    entity, view = sight.entity(asked.id), sight.model_view
    row = np.array([view.row(entity)])
    shown = np.ones(sight.snapshot.num_entities, np.bool_)
    typed = asked.same_type and len(sight.snapshot.types_of(entity)) > 0
    if typed:
        shown = _same_type(sight, entity)
    shown[entity] = False
    about, found = sight.names.entity(entity), nearest(sight, row, shown, asked.k)
    reason = None
    if not found:
        others = "no other entity" + (f" of its type ({', '.join(about.types)})" if typed else "")
        reason = f"{others} to compare {about.label} with is known to the model"
    return Similar(about, found, reason)


def nearest(sight: Sightline, rows: Ids, shown: Flags, k: int) -> tuple[Neighbour, ...]:
    """What is nearest to some of the model's rows, by the cosine with the mean of their directions,
    ties by id.

    Args:
        shown: bool ``(N,)``: the entities that may be named.

    Raises:
        NoModel, DamagedArtifact, FormatMismatch
        NoVectors: the foundation member is served.
    """
    import numpy as np

    from sightline.distill.student.arrays import best

    view, names = sight.model_view, sight.names
    model, lengths = view.model, view.lengths
    vectors = np.asarray(model.scorer.vectors)
    middle = (vectors[rows] / lengths[rows, None]).mean(axis=0)
    least = np.finfo(np.float32).tiny
    cosine = vectors @ middle / np.maximum(lengths * np.sqrt(middle @ middle), least)
    among = np.flatnonzero((model.entity_ids >= 0) & shown[model.entity_ids])
    among = among[best(cosine[among], min(k, len(among)))]
    return tuple(
        Neighbour(names.entity(int(model.entity_ids[i])), float(np.clip(cosine[i], -1, 1)))
        for i in among
    )


def _same_type(sight: Sightline, entity: int) -> Flags:
    """bool ``(N,)``: entities that share a type with one."""
    import numpy as np

    same = np.zeros(sight.snapshot.num_entities, np.bool_)
    for class_id in sight.snapshot.types_of(entity):
        same |= sight.snapshot.members(int(class_id))
    return same


KIND = Kind(
    similar,
    route="GET /v1/entities/{id}/similar",
    tag="entities",
    order="Nearest first.",
    command="similar",
    example="sightline similar Kenya -w world",
)
