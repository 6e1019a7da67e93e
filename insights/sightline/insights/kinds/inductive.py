"""Facts about an entity that the graph does not hold, from the few edges given with the question.

Nothing is stored. (Inductive as opposed to transductive: the model answers about an entity that it
was not trained on. An inferred fact is another thing, it follows from stated ones by a rule.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_doc import Doc

from sightline.insights.kind import (
    DeadlineMs,
    DirectionName,
    EntityName,
    K,
    Kind,
    Length,
    Names,
    Sightline,
)
from sightline.insights.records import Fact, Reliability

#: Edges of one question.
MAX_EDGES = 100


@dataclass(frozen=True, slots=True)
class Edge:
    """A fact about the new entity: its relation and what is at the other end, by IRI, CURIE or
    label; direction `out`: the new entity is the head of the fact, `in`: it is the tail."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    relation: Annotated[str, Names("relation"), Doc("An IRI, a CURIE or a label.")]
    entity: EntityName
    direction: Annotated[
        Literal["out", "in"], Doc("out: the new entity is the head of the fact; in: the tail.")
    ] = "out"


@dataclass(frozen=True, slots=True)
class InductiveQuestion:
    """What is known about the new entity, and what is asked."""

    edges: Annotated[tuple[Edge, ...], Length(MAX_EDGES, least=1), Doc("Facts about it.")]
    relation: Annotated[
        str | None,
        Names("relation"),
        Doc("Ask about this relation; none: all that entities like it have."),
    ] = None
    direction: DirectionName = "both"
    k: K = 10
    deadline_ms: DeadlineMs = 1000


@dataclass(frozen=True)
class Inductive(Reliability):
    """Predicted facts about an entity that the graph does not hold, and how many of its edges they
    rest on: those whose relation the model knows."""

    edges_used: int
    related: tuple[Fact, ...]


def inductive(sight: Sightline, asked: InductiveQuestion) -> Inductive:
    """The likeliest facts about an entity that the graph does not hold, from a few of its edges.

    Raises:
        NoModel, DamagedArtifact, FormatMismatch
        UnknownToModel: it knows the relation of no edge, or not the relation asked about.
    """
    import numpy as np

    from sightline.insights.analogous import new_facts
    from sightline.insights.deadline import Deadline
    from sightline.insights.names import NOBODY
    from sightline.insights.ranking import candidates, reliability, told

    inverse = sight.facts.inverse
    edges = []
    for edge in asked.edges:
        rel = sight.snapshot.resolve_relation(edge.relation)
        rel = inverse(rel) if edge.direction == "in" else rel
        edges.append((rel, sight.entity(edge.entity)))
    relation = sight.relation(asked.relation)
    wanted = sight.facts.rels(relation, asked.direction)
    view, deadline = sight.model_view, Deadline(asked.deadline_ms)
    answers, used = new_facts(view, edges, wanted, relation is not None, asked.k, deadline)
    facts = told(sight, candidates(view, np.full(len(answers.rel), NOBODY), answers))
    return Inductive(**reliability(sight, facts, deadline.reason), edges_used=used, related=facts)


KIND = Kind(
    inductive,
    route="POST /v1/entities:infer",
    tag="predictions",
    order="Likeliest first.",
    examples={
        "a new country": {
            "edges": [
                {"relation": "official language", "entity": "English"},
                {"relation": "borders", "direction": "in", "entity": "Kenya"},
            ],
            "relation": "member of",
            "direction": "out",
            "k": 3,
        }
    },
)
