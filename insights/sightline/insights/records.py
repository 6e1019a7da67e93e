"""The answers: frozen records of plain Python values, ready for JSON, a table or a template.

Their field names are the JSON keys. Knows what an answer is made of; knows no array and no id of a
snapshot: entities are CURIEs (or IRIs) with labels here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sightline.graph.snapshot.origin import Origin
from sightline.graph.snapshot.search import How

#: ``out``: the entity asked about is the head of the fact; ``in``: it is the tail.
Direction = Literal["out", "in"]
#: What the graph holds, stated in a source or inferred from what is stated, shows its origins and
#: has no probability; a predicted fact is the other way round.
Status = Literal["stated", "inferred", "predicted"]


@dataclass(frozen=True, slots=True)
class EntityRef:
    """An entity by CURIE (or IRI), IRI, label and the labels of its types."""

    id: str
    iri: str
    label: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RelationRef:
    """A relation by CURIE (or IRI), IRI and label."""

    id: str
    iri: str
    label: str


@dataclass(frozen=True, slots=True)
class ClassRef:
    """A type of entities by CURIE (or IRI), IRI and label."""

    id: str
    iri: str
    label: str


@dataclass(frozen=True, slots=True)
class PropertyRef:
    """A property that holds literals, by CURIE (or IRI), IRI and label."""

    id: str
    iri: str
    label: str


@dataclass(frozen=True, slots=True)
class Step:
    """One fact of a path. ``forward``: walked from its head (``source``) to its tail."""

    source: EntityRef
    relation: RelationRef
    forward: bool
    target: EntityRef
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A path of stated facts, in one line and step by step; ``score`` as in ``graph.paths``."""

    text: str
    steps: tuple[Step, ...]
    score: float


@dataclass(frozen=True, slots=True)
class PathView(Evidence):
    """A path between two entities; ``metapath`` names its relations without the entities."""

    metapath: str
    length: int


@dataclass(frozen=True, slots=True)
class MetapathView:
    """All paths of one shape taken together."""

    metapath: str
    score: float
    count: int


@dataclass(frozen=True, slots=True)
class PathsView:
    """How two entities are connected. ``reason`` says what was cut when ``truncated``."""

    source: EntityRef
    target: EntityRef
    paths: tuple[PathView, ...]
    metapaths: tuple[MetapathView, ...]
    found: int
    truncated: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Related:
    """An entity connected with the one asked about, by a stated or by a predicted fact.

    ``evidence`` are the paths that support a prediction, ``evidence_note`` and ``abstain`` as
    ``support_note`` and ``abstain`` of a ``Prediction``; ``origins`` the sources of a stated fact.
    The note on an inferred fact names the facts it follows from. ``probability``: nobody asked for
    this relation, so it is the chance that the entity has one more answer under it (``room``) times
    the chance of this one if it has.
    """

    entity: EntityRef
    relation: RelationRef
    direction: Direction
    status: Status
    probability: float | None
    abstain: bool
    evidence: tuple[Evidence, ...]
    evidence_note: str | None
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One ranked answer to a question with one gap.

    Attributes:
        known: the graph holds it, stated or inferred; then ``origins`` names the sources,
            ``probability`` and ``surprising`` are null, and it needs no support.
        probability: chance that an answer ranked here with this score is a true fact that was held
            out (closed world), calibrated per relation, given that there is one more answer. Where
            the relation was not asked for, that times the chance of one more (``room``).
        rank: 1-based place in this list.
        score: what the model says before calibration; comparable within one list only. Null for a
            stated answer that the model does not know.
        abstain: the probability is below the model's threshold; do not rely on it.
        support: up to three paths of stated facts between head and tail.
        support_note: what to know about the support, such as "no support found", or "the reverse
            is stated" where only the direction of a stated fact is new; of an inferred answer, the
            facts it follows from.
        surprising: bits that the model adds over popularity; see ``learned.surprise``.
    """

    head: EntityRef
    relation: RelationRef
    tail: EntityRef
    status: Status
    known: bool
    probability: float | None
    rank: int
    score: float | None
    abstain: bool
    support: tuple[Evidence, ...]
    support_note: str | None
    surprising: float | None
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Inferred:
    """Predicted facts about an entity that the graph does not hold, and how many of its edges they
    are inferred from: those whose relation the model knows."""

    edges_used: int
    related: tuple[Related, ...]


@dataclass(frozen=True, slots=True)
class Similar:
    """An entity near another in the learned space; ``similarity`` is a cosine, -1 to 1."""

    entity: EntityRef
    similarity: float


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An entity that a search found, how its label matched, and its facts in the whole graph."""

    entity: EntityRef
    how: How
    degree: int


@dataclass(frozen=True, slots=True)
class Node(EntityRef):
    """An entity of a neighbourhood; ``degree`` counts its facts in the whole graph."""

    degree: int


@dataclass(frozen=True, slots=True)
class Link:
    """A fact between two nodes; ``source`` and ``target`` are ids of nodes."""

    source: str
    relation: RelationRef
    target: str


@dataclass(frozen=True, slots=True)
class DegreeCount:
    """How many under one relation, read in one direction."""

    relation: RelationRef
    direction: Direction
    count: int


@dataclass(frozen=True, slots=True)
class Neighborhood:
    """The graph around an entity.

    Attributes:
        edges: every fact between two of the nodes, of the relations asked for.
        omitted: facts left out, of nodes nearer than the last hop, by relation and direction as
            read from the node that is shown.
    """

    center: EntityRef
    nodes: tuple[Node, ...]
    edges: tuple[Link, ...]
    truncated: bool
    omitted: tuple[DegreeCount, ...]


@dataclass(frozen=True, slots=True)
class AttributeView:
    """A literal of an entity, with its sources."""

    property: PropertyRef
    value: str
    datatype: str
    language: str | None
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class LoadRef:
    """A load and the source it was read from."""

    load: str
    source: str


@dataclass(frozen=True, slots=True)
class EntityView:
    """What the graph holds about one entity. ``known_to_model``: it can be predicted about."""

    entity: EntityRef
    attributes: tuple[AttributeView, ...]
    degrees: tuple[DegreeCount, ...]
    types: tuple[ClassRef, ...]
    description: str | None
    loads: tuple[LoadRef, ...]
    known_to_model: bool


@dataclass(frozen=True, slots=True)
class RelationView:
    """A relation and how it is used.

    ``cardinality``: ``1:1``, ``1:N``, ``N:1`` or ``N:M``, heads before tails; a side is N where an
    entity has 1.5 or more partners on average (Bordes et al. 2013, NIPS, section 4.2).
    """

    relation: RelationRef
    edges: int
    heads: int
    tails: int
    cardinality: str


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A type and how many entities have it; ``type`` is null for entities without one."""

    type: ClassRef | None
    entities: int


@dataclass(frozen=True, slots=True)
class SchemaLink:
    """How many facts of a relation run from one type to another; null: without a type."""

    source: ClassRef | None
    relation: RelationRef
    target: ClassRef | None
    count: int


@dataclass(frozen=True, slots=True)
class Schema:
    """The graph of types."""

    types: tuple[ClassCount, ...]
    links: tuple[SchemaLink, ...]


@dataclass(frozen=True, slots=True)
class Stats:
    """The size of what is served, and which snapshot and model it is."""

    snapshot: str
    model: str | None
    entities: int
    relations: int
    edges: int
    loads: tuple[LoadRef, ...]
    types: tuple[ClassCount, ...]
