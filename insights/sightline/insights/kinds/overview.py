"""The whole graph, or the best connected part of it, small enough to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_doc import Doc

from sightline.insights.kind import Kind, Sightline, Span
from sightline.insights.kinds.communities import named_communities
from sightline.insights.records import EntityRef, Ref


@dataclass(frozen=True, slots=True)
class OverviewQuestion:
    """How much of it."""

    limit: Annotated[int, Span(1, 5000), Doc("Most entities, the best connected.")] = 1000
    facts: Annotated[int, Span(0, 20_000), Doc("Most facts, hubs counting less.")] = 10_000
    deadline_ms: Annotated[int, Span(1, 60_000), Doc("Answer after this many milliseconds.")] = 5000


@dataclass(frozen=True)
class OverviewEntity(EntityRef):
    """An entity of it.

    Attributes:
        degree: facts in the whole graph.
        community: the number of its community; 0 for one without facts.
    """

    degree: int
    community: int


@dataclass(frozen=True)
class OverviewCommunity:
    """A community: its number, what it is called, its most central entity, and how many it has."""

    number: int
    name: str
    central: str
    entities: int


@dataclass(frozen=True)
class Overview:
    """A part of the graph, and of how much.

    Attributes:
        source, relation, target: of each fact, as positions in ``entities`` and ``relations``.
        inferred: the positions, among the facts, of those that no source states.
        all_entities, all_facts: how many the graph holds, facts that say the same counted once.
        reason: what was cut when ``truncated``.
    """

    entities: tuple[OverviewEntity, ...]
    relations: tuple[Ref, ...]
    communities: tuple[OverviewCommunity, ...]
    source: tuple[int, ...]
    relation: tuple[int, ...]
    target: tuple[int, ...]
    inferred: tuple[int, ...]
    all_entities: int
    all_facts: int
    truncated: bool
    reason: str | None


def overview(sight: Sightline, asked: OverviewQuestion) -> Overview:
    """The best connected entities, the facts between them, and the communities they are in: the
    whole graph where it is small.
    """
    import numpy as np

    from sightline.graph.sets.communities import communities as find

    s, names = sight.snapshot, sight.names
    found = find(s, deadline_ms=asked.deadline_ms)
    shown = np.argsort(-s.degree, kind="stable")[: asked.limit]
    place = np.full(s.num_entities, -1)
    place[shown] = np.arange(len(shown))
    facts = np.flatnonzero(s.fact_of == np.arange(s.num_edges))
    inside = facts[(place[s.head[facts]] >= 0) & (place[s.tail[facts]] >= 0)]
    kept = inside
    if len(inside) > asked.facts:
        kept = np.sort(inside[np.argsort(-s.path_weight[inside], kind="stable")[: asked.facts]])
    relations, relation = np.unique(s.relation[kept], return_inverse=True)
    reasons = [] if found.whole else ["the search for communities was not at its end"]
    if len(shown) < s.num_entities:
        reasons.append(f"{s.num_entities - len(shown)} less connected entities were left out")
    if len(kept) < len(inside):
        reasons.append(f"{len(inside) - len(kept)} facts between those shown were left out")
    numbers = np.unique(found.of[shown])
    called = named_communities(sight, found)
    return Overview(
        entities=tuple(
            OverviewEntity(
                ref.id, ref.iri, ref.label, ref.types, int(s.degree[e]), int(found.of[e]) + 1
            )
            for e in shown.tolist()
            for ref in (names.entity(e),)
        ),
        relations=tuple(names.relation(int(r)) for r in relations),
        communities=tuple(
            OverviewCommunity(one.number, one.name, one.central[0].label, one.entities)
            for one in map(called, numbers[numbers >= 0].tolist())
        ),
        source=tuple(place[s.head[kept]].tolist()),
        relation=tuple(relation.tolist()),
        target=tuple(place[s.tail[kept]].tolist()),
        inferred=tuple(np.flatnonzero(s.edge_inferred[kept]).tolist()),
        all_entities=s.num_entities,
        all_facts=len(facts),
        truncated=bool(reasons),
        reason="; ".join(reasons) or None,
    )


KIND = Kind(
    overview,
    route="GET /v1/overview",
    tag="graph",
    order="The best connected first.",
    dear=True,
)
