"""How much there is, and what is served."""

from __future__ import annotations

from dataclasses import dataclass

from sightline.insights.kind import Kind, Sightline
from sightline.insights.records import ClassCount, LoadRef


@dataclass(frozen=True, slots=True)
class StatsQuestion:
    """The whole of it."""


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


def stats(sight: Sightline, asked: StatsQuestion) -> Stats:
    """How much there is, and which snapshot and model are served."""
    s = sight.snapshot
    return Stats(
        snapshot=s.id,
        model=None if sight.model is None else sight.model.id,
        entities=s.num_entities,
        relations=s.num_relations,
        edges=s.num_edges,
        loads=sight.names.loads(),
        types=sight.names.class_counts(),
    )


KIND = Kind(stats, StatsQuestion, Stats, route="GET /v1/stats", tag="graph", order="Counts.")
