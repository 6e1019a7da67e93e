"""How much there is, and what is served."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.insights.kind import Kind, Sightline
from sightline.insights.records import ClassCount, LoadRef


@dataclass(frozen=True, slots=True)
class StatsQuestion:
    """The whole of it."""


@dataclass(frozen=True)
class Stats:
    """The size of what is served, and which snapshot and model it is.

    Attributes:
        extracted: facts that texts state and the graph lacks; none of the edges.
        inferred: those of the edges that no source states.
        hits_at_10: share of the held-out facts that the model found in its first ten answers; null
            where it was not evaluated.
    """

    snapshot: str
    model: str | None
    entities: int
    relations: int
    edges: int
    extracted: int
    inferred: int
    hits_at_10: float | None
    loads: tuple[LoadRef, ...]
    types: tuple[ClassCount, ...]


def stats(sight: Sightline, asked: StatsQuestion) -> Stats:
    """How much there is, and which snapshot and model are served."""
    s = sight.snapshot
    measured = sight.metrics.get("student") or sight.metrics.get("foundation") or {}
    return Stats(
        snapshot=s.id,
        model=None if sight.model is None else sight.model.id,
        entities=s.num_entities,
        relations=s.num_relations,
        edges=s.num_edges,
        extracted=s.num_extracted,
        inferred=int(s.edge_inferred.sum()),
        hits_at_10=measured.get("test", {}).get("hits_at_10"),
        loads=sight.names.loads(),
        types=sight.names.class_counts(),
    )


KIND = Kind(stats, route="GET /v1/stats", tag="graph", order="Counts.")
