"""The graph around an entity, hubs sampled fairly: to look at, or for another tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_doc import Doc

from sightline.insights import graph_formats
from sightline.insights.kind import MAX_K, EntityName, Kind, Names, Sightline, Span
from sightline.insights.records import DegreeCount, EntityRef, Ref


@dataclass(frozen=True, slots=True)
class NeighborhoodQuestion:
    """An entity, and how much of the graph around it."""

    id: EntityName
    hops: Annotated[int, Span(1, 4), Doc("How many facts away.")] = 1
    limit: Annotated[int, Span(1, MAX_K), Doc("How many entities, itself included.")] = 50
    relations: Annotated[
        tuple[str, ...], Names("relation"), Doc("Only these relations. Repeat for several.")
    ] = ()


@dataclass(frozen=True, slots=True)
class Node(EntityRef):
    """An entity of a neighbourhood; ``degree`` counts its facts in the whole graph."""

    degree: int


@dataclass(frozen=True, slots=True)
class Link:
    """A fact between two nodes; ``source`` and ``target`` are ids of nodes."""

    source: str
    relation: Ref
    target: str


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


def neighborhood(sight: Sightline, asked: NeighborhoodQuestion) -> Neighborhood:
    """The graph around an entity, hubs sampled fairly: to look at, or for another tool."""
    import numpy as np

    from sightline.graph.arrays import expand_csr
    from sightline.insights.sampling import choose, distances

    facts, names, s = sight.facts, sight.names, sight.snapshot
    entity = sight.entity(asked.id)
    wanted = facts.rels(None, "both")
    if asked.relations:
        relations = list(map(s.resolve_relation, asked.relations))
        wanted = np.isin(np.arange(len(wanted)) % s.num_relations, relations)
    chosen = choose(facts, entity, asked.hops, asked.limit, wanted)
    distance = distances(facts, entity, asked.hops, chosen, wanted)
    shown = np.flatnonzero(chosen).astype(np.int32)
    shown = shown[np.lexsort((shown, distance[shown]))]
    owner, rel, other, edge = facts.incident(shown[distance[shown] < asked.hops])
    left = np.flatnonzero(wanted[rel] & ~chosen[other])
    left = left[facts.listed(edge[left], owner[left])]
    omitted = np.unique(rel[left], return_counts=True)
    _, found = expand_csr(s.out_indptr, shown)
    edges = found[wanted[s.relation[found]] & chosen[s.tail[found]]].astype(np.int32)
    edges = edges[facts.listed(edges)]
    refs = {int(e): names.entity(int(e)) for e in shown}
    return Neighborhood(
        center=refs[entity],
        nodes=tuple(
            Node(ref.id, ref.iri, ref.label, ref.types, int(s.degree[e])) for e, ref in refs.items()
        ),
        edges=tuple(
            Link(
                refs[int(s.head[e])].id, names.relation(int(s.relation[e])), refs[int(s.tail[e])].id
            )
            for e in edges
        ),
        truncated=len(left) > 0,
        omitted=names.degrees(*omitted),
    )


KIND = Kind(
    neighborhood,
    NeighborhoodQuestion,
    Neighborhood,
    route="GET /v1/entities/{id}/neighborhood",
    tag="entities",
    order="The header Accept chooses the format.",
    formats=graph_formats.FORMATS,
)
