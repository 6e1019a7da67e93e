"""What the graph holds about one entity."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sightline.graph.snapshot.statement import Origin
from sightline.graph.vocabulary import ALTERNATIVE_LABELS, DESCRIPTION_PROPERTIES, LABEL_PROPERTIES
from sightline.insights.kind import EntityName, Kind, Sightline
from sightline.insights.records import DegreeCount, EntityRef, LoadRef, Merge, Ref

if TYPE_CHECKING:
    from sightline.graph.arrays import Ids

Role = Literal["label", "alias", "identifier", "description", "value"]
#: Words of a property's name that make its values identifiers.
IDENTIFIES = re.compile(r"\b(code|identifier|id|iso|isbn|doi|orcid|accession|notation)\b", re.I)
#: Facts that a composed description names.
COMPOSED = 3


@dataclass(frozen=True, slots=True)
class EntityQuestion:
    """An entity."""

    id: EntityName


@dataclass(frozen=True)
class Attribute:
    """A literal of an entity, with its sources.

    ``role``: what it is to the entity, by its property: one of its names, something that it is
    identified by, a description, or any other value.
    """

    property: Ref
    value: str
    datatype: str
    language: str | None
    origins: tuple[Origin, ...]
    role: Role


@dataclass(frozen=True)
class Entity:
    """What the graph holds about one entity.

    Attributes:
        composed: where no description is stated, one made of its type and some of its facts.
        merged_from: names that it had beside its own, until they were merged.
        known_to_model: the model was trained on it.
        predictable: the model answers about it, if need be by its edges alone.
    """

    entity: EntityRef
    attributes: tuple[Attribute, ...]
    degrees: tuple[DegreeCount, ...]
    types: tuple[Ref, ...]
    description: str | None
    composed: str | None
    loads: tuple[LoadRef, ...]
    merged_from: tuple[Merge, ...]
    known_to_model: bool
    predictable: bool


def entity(sight: Sightline, asked: EntityQuestion) -> Entity:
    """What the graph holds about one entity; its facts as counts."""
    import numpy as np

    s, names = sight.snapshot, sight.names
    entity = sight.entity(asked.id)
    attributes = tuple(
        Attribute(ref, a.value, a.datatype, a.language, a.origins, _role(ref))
        for a in s.attributes(entity)
        for ref in (names.property(a.property),)
    )
    rel, answer, edge = sight.facts.at(entity)
    rels, counts = np.unique(rel[sight.facts.listed(edge)], return_counts=True)
    description = _description(attributes)
    used = {origin.load for attribute in attributes for origin in attribute.origins}
    used |= {s.loads[i]["id"] for i in s.loads_of(edge)}
    return Entity(
        entity=names.entity(entity),
        attributes=attributes,
        degrees=names.degrees(rels, counts),
        types=tuple(names.type(int(c)) for c in s.types_of(entity)),
        description=description,
        composed=None if description else _composed(sight, entity, rel, answer),
        loads=tuple(load for load in names.loads() if load.load in used),
        merged_from=names.merged_from(entity),
        known_to_model=sight.model is not None and sight.model_view.knows(entity),
        predictable=sight.can_predict(entity),
    )


def _role(property: Ref) -> Role:
    if property.iri in LABEL_PROPERTIES:
        return "label"
    if property.iri in DESCRIPTION_PROPERTIES:
        return "description"
    if IDENTIFIES.search(re.sub(r"[_-]", " ", property.label)):
        return "identifier"
    return "alias" if property.iri in ALTERNATIVE_LABELS else "value"


def _composed(sight: Sightline, entity: int, rel: Ids, answer: Ids) -> str | None:
    """What an entity is and where it belongs: `Country, in region Eastern Africa, capital Nairobi`.

    Of the relations that give it one thing, those that part all entities into the fewest.
    """
    import numpy as np

    names, facts = sight.names, sight.facts
    types = names.entity(entity).types
    rels, first, counts = np.unique(rel, return_index=True, return_counts=True)
    once = np.flatnonzero((counts == 1) & (rels < sight.snapshot.num_relations))
    if not types or not len(once):
        return None
    fewest = facts.anchors_per_rel[rels[once] + sight.snapshot.num_relations]
    said = [
        f"{names.relation(int(rels[i])).label} {names.entity(int(answer[first[i]])).label}"
        for i in once[np.argsort(fewest, kind="stable")][:COMPOSED]
    ]
    return ", ".join((types[0], *said))


def _description(attributes: tuple[Attribute, ...]) -> str | None:
    """The best description, English or of no language first."""
    rank = {iri: place for place, iri in enumerate(DESCRIPTION_PROPERTIES)}
    found = [a for a in attributes if a.property.iri in rank]
    found.sort(key=lambda a: (a.language not in (None, "en"), rank[a.property.iri], a.value))
    return found[0].value if found else None


KIND = Kind(
    entity,
    route="GET /v1/entities/{id}",
    tag="entities",
    order="Labels, types, attributes, degrees.",
)
