"""What the graph holds about one entity."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.graph.snapshot.statement import Origin
from sightline.graph.vocabulary import DESCRIPTION_PROPERTIES
from sightline.insights.kind import EntityName, Kind, Sightline
from sightline.insights.records import DegreeCount, EntityRef, LoadRef, Ref


@dataclass(frozen=True, slots=True)
class EntityQuestion:
    """An entity."""

    id: EntityName


@dataclass(frozen=True, slots=True)
class Attribute:
    """A literal of an entity, with its sources."""

    property: Ref
    value: str
    datatype: str
    language: str | None
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """What the graph holds about one entity.

    Attributes:
        known_to_model: the model was trained on it.
        predictable: the model answers about it, if need be by its edges alone.
    """

    entity: EntityRef
    attributes: tuple[Attribute, ...]
    degrees: tuple[DegreeCount, ...]
    types: tuple[Ref, ...]
    description: str | None
    loads: tuple[LoadRef, ...]
    known_to_model: bool
    predictable: bool


def entity(sight: Sightline, asked: EntityQuestion) -> Entity:
    """What the graph holds about one entity; its facts as counts."""
    import numpy as np

    s, names = sight.snapshot, sight.names
    entity = sight.entity(asked.id)
    attributes = tuple(
        Attribute(names.property(a.property), a.value, a.datatype, a.language, a.origins)
        for a in s.attributes(entity)
    )
    rel, _, edge = sight.facts.at(entity)
    rels, counts = np.unique(rel[sight.facts.listed(edge)], return_counts=True)
    used = {origin.load for attribute in attributes for origin in attribute.origins}
    used |= {s.loads[i]["id"] for i in s.loads_of(edge)}
    return Entity(
        entity=names.entity(entity),
        attributes=attributes,
        degrees=names.degrees(rels, counts),
        types=tuple(names.type(int(c)) for c in s.types_of(entity)),
        description=_description(attributes),
        loads=tuple(load for load in names.loads() if load.load in used),
        known_to_model=sight.model is not None and sight.model_view.knows(entity),
        predictable=sight.can_predict(entity),
    )


def _description(attributes: tuple[Attribute, ...]) -> str | None:
    """The best description, English or of no language first."""
    rank = {iri: place for place, iri in enumerate(DESCRIPTION_PROPERTIES)}
    found = [a for a in attributes if a.property.iri in rank]
    found.sort(key=lambda a: (a.language not in (None, "en"), rank[a.property.iri], a.value))
    return found[0].value if found else None


KIND = Kind(
    entity,
    EntityQuestion,
    Entity,
    route="GET /v1/entities/{id}",
    tag="entities",
    order="Labels, types, attributes, degrees.",
)
