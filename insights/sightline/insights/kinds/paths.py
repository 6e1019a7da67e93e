"""How two entities are connected."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated

from annotated_doc import Doc

from sightline.insights.kind import EntityName, K, Kind, Names, Sightline, Span
from sightline.insights.records import EntityRef, Path

#: The share of the time in which paths may be shown, however long the search for them took.
SHOWING = 0.1


@dataclass(frozen=True, slots=True)
class PathsQuestion:
    """Two entities, and what a path between them may be."""

    source: EntityName
    target: EntityName
    max_hops: Annotated[int, Span(1, 6), Doc("Longest path in edges.")] = 3
    k: K = 10
    include: Annotated[
        tuple[str, ...], Names("relation"), Doc("Only these relations. Repeat for several.")
    ] = ()
    exclude: Annotated[
        tuple[str, ...], Names("relation"), Doc("Not these relations. Repeat for several.")
    ] = ()
    types: Annotated[
        tuple[str, ...],
        Names("type"),
        Doc("Entities between have one of these types. Repeat for several."),
    ] = ()
    pattern: Annotated[
        str | None,
        Doc(
            "Relations to walk, in SPARQL's notation for property paths: `borders/capital`, "
            "`^capital/(borders|<member of>)*`."
        ),
    ] = None
    deadline_ms: Annotated[int, Span(1, 60_000), Doc("Answer after this many milliseconds.")] = 1000


@dataclass(frozen=True, slots=True)
class Metapath:
    """All paths of one shape taken together."""

    metapath: str
    score: float
    count: int


@dataclass(frozen=True, slots=True)
class Paths:
    """How two entities are connected. ``reason`` says what was cut when ``truncated``."""

    source: EntityRef
    target: EntityRef
    paths: tuple[Path, ...]
    metapaths: tuple[Metapath, ...]
    found: int
    truncated: bool
    reason: str | None


def paths(sight: Sightline, asked: PathsQuestion) -> Paths:
    """How two entities are connected: paths ranked so that hubs do not flood them.

    Raises:
        BadPattern, UnknownRelation
    """
    from sightline.graph.paths.find import find_paths

    start, budget = time.perf_counter(), asked.deadline_ms / 1000
    s, names = sight.snapshot, sight.names
    source, target = sight.entity(asked.source), sight.entity(asked.target)
    found = find_paths(
        s,
        source,
        target,
        max_hops=asked.max_hops,
        k=asked.k,
        include=list(map(s.resolve_relation, asked.include)),
        exclude=list(map(s.resolve_relation, asked.exclude)),
        types=list(map(s.resolve_class, asked.types)),
        pattern=asked.pattern,
        deadline_ms=asked.deadline_ms,
    )
    # The first question of a process loads the kernels, which may take longer than all its time.
    # To write paths down takes as long as to show them, so half of what is left is for that.
    now = time.perf_counter()
    end = now + max(start + budget - now, SHOWING * budget) / 2
    shown = [names.path(p) for i, p in enumerate(found.paths) if not i or time.perf_counter() < end]
    reason = found.reason
    if hidden := len(found.paths) - len(shown):
        late = f"the deadline of {asked.deadline_ms} ms left no time to show "
        late += f"{hidden} of {len(found.paths)} paths"
        reason = f"{reason}; {late}" if reason else late
    return Paths(
        source=names.entity(source),
        target=names.entity(target),
        paths=tuple(shown),
        metapaths=tuple(
            Metapath(names.metapath(m.rels), m.score, m.count) for m in found.metapaths
        ),
        found=found.found,
        truncated=reason is not None,
        reason=reason,
    )


KIND = Kind(
    paths,
    PathsQuestion,
    Paths,
    route="GET /v1/paths",
    tag="paths",
    order="Best first.",
    command="paths",
    examples={"two countries": {"source": "Kenya", "target": "Nepal"}},
    example="sightline paths Nepal Portugal --max-hops 3 -w world",
    dear=True,
    deadline=True,
)
