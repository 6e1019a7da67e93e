"""What is related to an entity: what the graph states, what texts add, then what the model adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_doc import Doc

from sightline.graph.errors import UsageError
from sightline.insights.kind import (
    DeadlineMs,
    DirectionName,
    EntityName,
    K,
    Kind,
    RelationName,
    Sightline,
    Where,
)
from sightline.insights.records import EntityRef, Fact, Reliability


@dataclass(frozen=True, slots=True)
class RelatedQuestion:
    """An entity, and which of its facts."""

    id: EntityName
    relation: RelationName = None
    direction: DirectionName = "both"
    k: K = 10
    known: Annotated[bool, Doc("Show what the graph states.")] = True
    extracted: Annotated[bool, Doc("Show what texts state, as it was extracted.")] = True
    predicted: Annotated[bool, Doc("Show what the model predicts.")] = True
    where: Where = ()
    deadline_ms: DeadlineMs = 1000


@dataclass(frozen=True)
class Related(Reliability):
    """What is related to an entity."""

    entity: EntityRef
    related: tuple[Fact, ...]


def related(sight: Sightline, asked: RelatedQuestion) -> Related:
    """What is related to an entity: stated facts and predicted ones, marked as such.

    At most k stated facts, then at most k extracted from texts, the surest first, then at most k
    predicted ones. Stated facts take turns over relations,
    the rarer neighbours first; predicted ones come by probability. A longer list begins with the
    shorter one. Where the model cannot be asked the stated facts are the answer, as they are where
    facts must say something of themselves. A model that reads the graph for each question has a
    deadline.

    Raises:
        UsageError: neither stated nor predicted facts are wanted, nor any from texts, or a
            condition cannot be read.
        UnknownQualifier, AmbiguousQualifier: of a condition.
        NoModel, DamagedArtifact, FormatMismatch, UnknownToModel: only predicted facts are wanted,
            and there are none.
        DoesNotApply: a relation is named, and no entity of its types has such a fact.
    """
    import numpy as np

    from sightline.insights.conditions import conditions
    from sightline.insights.deadline import Deadline
    from sightline.insights.from_texts import extracted
    from sightline.insights.ranking import (
        new_neighbours,
        reliability,
        require_applies,
        stated,
        told,
    )

    if not (asked.known or asked.predicted or (asked.extracted and sight.snapshot.num_extracted)):
        also = ", or extracted ones" if sight.snapshot.num_extracted else ""
        raise UsageError(
            f"neither known nor predicted facts are asked for; ask for one of them{also}"
        )
    if asked.where and not asked.known:
        raise UsageError("predicted facts say nothing of themselves; ask for known ones")
    entity = sight.entity(asked.id)
    wanted = sight.facts.rels(sight.relation(asked.relation), asked.direction)
    facts: tuple[Fact, ...] = ()
    deadline = Deadline(asked.deadline_ms)
    if asked.known:
        met = conditions(sight.snapshot, asked.where)
        facts += told(sight, stated(sight.facts, entity, wanted, asked.k, met), ranked=False)
    if asked.extracted and not asked.where:
        chosen = sight.relation(asked.relation)
        facts += tuple(extracted(sight, entity, chosen, asked.direction)[: asked.k])
    predicted = asked.predicted and not asked.where
    if predicted and (not asked.known or sight.can_predict(entity)):
        (found,) = new_neighbours(sight.model_view, [entity], wanted, asked.k, deadline)
        facts += told(sight, found)
    if predicted and asked.relation is not None and not facts:
        require_applies(sight.facts, entity, np.flatnonzero(wanted).tolist())
    about = sight.names.entity(entity)
    nothing = _nothing(about.label, int(sight.snapshot.degree[entity]))
    if predicted:
        nothing += ", and nothing new is predicted of it"
    said = reliability(sight, facts, deadline.reason, nothing, entity)
    return Related(**said, entity=about, related=facts)


def _nothing(label: str, facts: int) -> str:
    """Why nothing that is stated is shown of an entity of so many facts."""
    match facts:
        case 0:
            return f"{label} has no facts"
        case 1:
            return f"{label} has 1 fact, which was not asked for"
    return f"{label} has {facts:,} facts, none of which was asked for"


KIND = Kind(
    related,
    route="GET /v1/entities/{id}/related",
    tag="entities",
    order="Stated facts first.",
    command="related",
    example='sightline related "Alzheimer\'s disease" -w hetionet',
)
