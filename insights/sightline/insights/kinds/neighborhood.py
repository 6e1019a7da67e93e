"""The graph around an entity, hubs sampled fairly: to look at, or for another tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_doc import Doc

from sightline.graph.snapshot.statement import Origin
from sightline.insights import graph_formats
from sightline.insights.kind import (
    MAX_K,
    DeadlineMs,
    EntityName,
    Kind,
    Length,
    Names,
    Sightline,
    Span,
)
from sightline.insights.records import DegreeCount, EntityRef, Ref, Status

if TYPE_CHECKING:
    from sightline.graph.arrays import Flags
    from sightline.insights.deadline import Deadline
    from sightline.insights.ranking import Candidate


@dataclass(frozen=True, slots=True)
class NeighborhoodQuestion:
    """An entity, and how much of the graph around it."""

    id: EntityName
    hops: Annotated[int, Span(1, 4), Doc("How many facts away.")] = 1
    limit: Annotated[int, Span(1, MAX_K), Doc("How many entities, itself included.")] = 50
    relations: Annotated[
        tuple[str, ...], Names("relation"), Doc("Only these relations. Repeat for several.")
    ] = ()
    rank: Annotated[
        Literal["rare", "relevance"],
        Doc(
            "What comes first in a relation. rare: what has the fewest facts; relevance: what is "
            "joined to the entity in most ways, those through hubs counting less."
        ),
    ] = "rare"
    per_relation: Annotated[
        int, Span(1, MAX_K), Doc("The most entities of one relation, at each entity.")
    ] = MAX_K
    exclude: Annotated[
        tuple[str, ...],
        Names("entity"),
        Length(MAX_K),
        Doc(
            "What you have already: not among the nodes, but facts that join it with them are "
            "among the edges. Repeat for several."
        ),
    ] = ()
    predicted: Annotated[
        bool, Doc("Add predicted facts of the entity that are no guesses, the likeliest.")
    ] = False
    extracted: Annotated[bool, Doc("Add what texts state of the entity, the surest.")] = False
    deadline_ms: DeadlineMs = 1000


@dataclass(frozen=True)
class Node(EntityRef):
    """An entity of a neighbourhood; ``degree`` counts its facts in the whole graph."""

    degree: int


@dataclass(frozen=True)
class Link:
    """A fact between two nodes; ``source`` and ``target`` are ids of nodes or of what was excluded.

    Attributes:
        probability, probability_if_any: as of a ``Fact``; null unless predicted.
        origins: where a stated fact is stated, and an extracted one read.
    """

    source: str
    relation: Ref
    target: str
    status: Status
    probability: float | None
    probability_if_any: float | None
    origins: tuple[Origin, ...]


@dataclass(frozen=True)
class Neighborhood:
    """The graph around an entity.

    Attributes:
        edges: every fact between two of the nodes, or a node and what was excluded, of the
            relations asked for; then predicted ones, likeliest first; then extracted ones.
        truncated: facts were left out, or predictions or extracted facts were.
        omitted: facts left out, of nodes nearer than the last hop, by relation and direction as
            read from the node that is shown.
        abstain_below: chance, given one more answer, below which a prediction is a guess; null
            where nothing was predicted.
        reason: what there was no time for, or why nothing could be predicted.
    """

    center: EntityRef
    nodes: tuple[Node, ...]
    edges: tuple[Link, ...]
    truncated: bool
    omitted: tuple[DegreeCount, ...]
    abstain_below: float | None
    reason: str | None


def neighborhood(sight: Sightline, asked: NeighborhoodQuestion) -> Neighborhood:
    """The graph around an entity, hubs sampled fairly: to look at, or for another tool."""
    import numpy as np

    from sightline.insights.deadline import Deadline
    from sightline.insights.sampling import between, by_relevance, choose, distances

    facts, names, s = sight.facts, sight.names, sight.snapshot
    entity = sight.entity(asked.id)
    wanted = facts.rels(None, "both")
    if asked.relations:
        relations = list(map(s.resolve_relation, asked.relations))
        wanted = np.isin(np.arange(len(wanted)) % s.num_relations, relations)
    drawn = np.array([e for e in map(sight.entity, asked.exclude) if e != entity], np.int32)
    deadline = Deadline(asked.deadline_ms)
    expected = _expected(sight, entity, wanted, asked, deadline) if asked.predicted else []
    read = [one for one in s.extractions(entity) if wanted[one.relation]] if asked.extracted else []
    # At least three quarters of the places are for what the graph holds.
    besides = [c.other for c in expected] + [end for one in read for end in (one.head, one.tail)]
    besides = [end for end in dict.fromkeys(besides) if end not in {entity, *drawn.tolist()}]
    besides = besides[: (asked.limit - 1 + 3) // 4]
    chosen = choose(
        facts,
        entity,
        asked.hops,
        asked.limit,
        wanted,
        order=by_relevance(facts, entity, wanted) if asked.rank == "relevance" else None,
        per_relation=asked.per_relation,
        besides=np.array(besides, np.int32),
        drawn=drawn,
    )
    distance = distances(facts, entity, asked.hops, chosen, wanted)
    shown = np.flatnonzero(chosen).astype(np.int32)
    shown = shown[np.lexsort((shown, distance[shown]))]
    owner, rel, other, edge = facts.incident(shown[distance[shown] < asked.hops])
    known = chosen.copy()
    known[drawn] = True
    left = np.flatnonzero(wanted[rel] & ~known[other])
    left = left[facts.listed(edge[left], owner[left])]
    omitted = np.unique(rel[left], return_counts=True)
    refs = {int(e): names.entity(int(e)) for e in shown}
    shown_edges = between(facts, chosen, drawn, wanted)
    ends = (array[shown_edges].tolist() for array in (s.head, s.relation, s.tail))
    stated = zip(shown_edges.tolist(), zip(*ends))
    new = [c for c in expected if known[c.other]]
    told = [one for one in read if known[one.head] and known[one.tail]]
    return Neighborhood(
        center=refs[entity],
        nodes=tuple(
            Node(ref.id, ref.iri, ref.label, ref.types, int(s.degree[e])) for e, ref in refs.items()
        ),
        edges=(
            *(_link(sight, fact, names.status(e), names.origins(e)) for e, fact in stated),
            *(
                _link(sight, (c.head, c.relation, c.tail), "predicted", (), c.chance, c.if_any)
                for c in new
            ),
            *(
                _link(sight, (one.head, one.relation, one.tail), "extracted", (one.origin,))
                for one in told
            ),
        ),
        truncated=len(left) > 0
        or len(new) < len(expected)
        or len(told) < len(read)
        or deadline.reason is not None,
        omitted=names.degrees(*omitted),
        abstain_below=(
            sight.model_view.calibration_of(entity).abstain_below
            if asked.predicted and sight.model is not None
            else None
        ),
        reason=deadline.reason,
    )


def _link(
    sight: Sightline,
    fact: tuple[int, int, int],
    status: Status,
    origins: tuple[Origin, ...],
    chance: float | None = None,
    if_any: float | None = None,
) -> Link:
    head, relation, tail = fact
    source, target = sight.names.entity(head).id, sight.names.entity(tail).id
    return Link(source, sight.names.relation(relation), target, status, chance, if_any, origins)


def _expected(
    sight: Sightline, entity: int, wanted: Flags, asked: NeighborhoodQuestion, deadline: Deadline
) -> list[Candidate]:
    """The predicted facts of an entity that are no guesses, likeliest first."""
    from sightline.insights.ranking import is_guess, new_neighbours

    if not sight.can_predict(entity):
        deadline.reason = "no model knows the entity, so nothing was predicted"
        return []
    (found,) = new_neighbours(sight.model_view, [entity], wanted, asked.limit, deadline)
    counts: dict[tuple[int, str | None], int] = {}
    kept = []
    for c in found:
        group = (c.relation, c.direction)
        counts[group] = counts.get(group, 0) + 1
        if not is_guess(sight, c) and counts[group] <= asked.per_relation:
            kept.append(c)
    return kept


KIND = Kind(
    neighborhood,
    route="GET /v1/entities/{id}/neighborhood",
    tag="entities",
    order="The header Accept chooses the format.",
    formats=graph_formats.FORMATS,
)
