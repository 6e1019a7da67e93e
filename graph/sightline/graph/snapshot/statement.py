"""A statement as plain values: what loads hold, one at a time.

Knows the terms of a statement; knows no column and no file.
"""

from __future__ import annotations

from dataclasses import dataclass

from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.sections.literals import Attribute
from sightline.graph.vocabulary import RDF_TYPE


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement; ``datatype`` is None where ``object`` is an IRI."""

    subject: str
    predicate: str
    object: str
    datatype: str | None = None
    language: str | None = None

    @classmethod
    def of_edge(cls, snapshot: Snapshot, edge: int) -> Statement:
        """What an edge states."""
        return cls(
            snapshot.entity_iris[int(snapshot.head[edge])],
            snapshot.relation_iris[int(snapshot.relation[edge])],
            snapshot.entity_iris[int(snapshot.tail[edge])],
        )

    @classmethod
    def of_type(cls, snapshot: Snapshot, entity: int, class_id: int) -> Statement:
        """That an entity is of a class."""
        return cls(snapshot.entity_iris[entity], RDF_TYPE, snapshot.class_iris[class_id])

    @classmethod
    def of_attribute(cls, snapshot: Snapshot, entity: int, attribute: Attribute) -> Statement:
        """That an entity has a literal."""
        return cls(
            snapshot.entity_iris[entity],
            snapshot.property_iris[attribute.property],
            attribute.value,
            attribute.datatype,
            attribute.language,
        )
