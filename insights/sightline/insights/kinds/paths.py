"""How two entities are connected."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from annotated_doc import Doc

from sightline.insights.kind import EntityName, K, Kind, Names, Sightline, Span, Where
from sightline.insights.records import EntityRef, Path, Ref

if TYPE_CHECKING:
    from sightline.graph.paths.chance import Chance
    from sightline.graph.paths.find import Metapath as FoundMetapath
    from sightline.insights.names import Names as NamesOf

#: The share of the time in which paths may be shown, however long the search for them took.
SHOWING = 0.1
#: A q-value up to which a shape stands out.
SIGNIFICANT = 0.05


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
    where: Where = ()
    deadline_ms: Annotated[int, Span(1, 60_000), Doc("Answer after this many milliseconds.")] = 1000


@dataclass(frozen=True, slots=True)
class MetapathStep:
    """One relation of a shape. ``forward``: it is walked from head to tail."""

    relation: Ref
    forward: bool


@dataclass(frozen=True, slots=True)
class Metapath:
    """All paths of one shape taken together, and whether chance would connect the two so well.

    Attributes:
        score: degree-weighted path count; ``expected`` is its mean over graphs in which every
            entity has as many edges of each relation, with others at their ends.
        p_value: share of such graphs that score as high; null where it was not tested.
        q_value: the share of false ones among all shapes that seem as unlikely (Benjamini and
            Hochberg), of all the shapes that are possible between the two.
        resolution: the lowest p-value that could come out.
        note: what was counted, or why nothing was, in words.
    """

    metapath: str
    steps: tuple[MetapathStep, ...]
    score: float
    count: int
    expected: float | None
    p_value: float | None
    q_value: float | None
    resolution: float | None
    note: str


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
        UsageError, UnknownQualifier, AmbiguousQualifier: a condition cannot be read.
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
        edges=sight.edges_saying(asked.where),
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
        metapaths=_metapaths(sight, asked, (source, target), found.metapaths, (start, budget)),
        found=found.found,
        truncated=reason is not None,
        reason=reason,
    )


def _metapaths(
    sight: Sightline,
    asked: PathsQuestion,
    ends: tuple[int, int],
    found: Sequence[FoundMetapath],
    clock: tuple[float, float],
) -> tuple[Metapath, ...]:
    """The shapes with what chance says of them, as far as the time reaches: the best always."""
    from sightline.graph.paths.chance import MAX_STEPS, chance, possible, q_values

    s, names = sight.snapshot, sight.names
    end, share = sum(clock), SHOWING * clock[1]
    tests = 0
    chances: list[Chance | str] = []
    tested: list[Chance] = []
    restricted = ""
    if asked.types:
        restricted = "what lies between was restricted to types"
    elif asked.where:
        restricted = "facts were restricted by what they say of themselves, copies say nothing"
    if found and s.manifest["copies"] and not restricted:
        rels = [list(map(s.resolve_relation, refs)) for refs in (asked.include, asked.exclude)]
        tests = possible(s, *ends, asked.max_hops, *rels)
    for metapath in found:
        if not s.manifest["copies"]:
            chances.append("this snapshot has no shuffled copies: sightline compile makes them")
        elif restricted:
            chances.append(restricted)
        elif len(metapath.rels) > MAX_STEPS:
            chances.append(f"only shapes of up to {MAX_STEPS} steps are")
        elif tested and time.perf_counter() > end:
            chances.append(f"the deadline of {asked.deadline_ms} ms left no time for it")
        else:
            began = time.perf_counter()
            tested.append(chance(s, *ends, metapath.rels))
            chances.append(tested[-1])
            # The first of a process loads the kernels, which may take longer than all its time.
            if len(tested) == 1 and (now := time.perf_counter()) > began + share:
                end = max(end, now + share)
    free = [c for c in tested if c.free]
    q_of = dict(zip(map(id, free), q_values([c.p_value for c in free], tests)))
    return tuple(
        _metapath(names, metapath, said, q_of.get(id(said)), tests)
        for metapath, said in zip(found, chances)
    )


def _metapath(
    names: NamesOf, metapath: FoundMetapath, said: Chance | str, q: float | None, tests: int
) -> Metapath:
    steps = tuple(
        MetapathStep(names.relation(rel), names.direction(rel) == "out") for rel in metapath.rels
    )
    shape = (names.metapath(metapath.rels), steps, metapath.score, metapath.count)
    if isinstance(said, str):
        return Metapath(*shape, None, None, None, None, f"not tested: {said}")
    least = 1 / said.draws
    if q is None:
        why = "not testable: its relations could hardly join their entities in another way"
        return Metapath(*shape, said.expected, None, None, least, why)
    note = (
        f"{said.exceeding:,} of {said.draws:,} shuffled draws score as high; "
        f"score {said.score:.2g}, expected {said.expected:.2g}; {tests:,} possible shapes"
    )
    if said.exceeding == 1:
        note += f"; p is at most {least:.2g}, the resolution"
    if least * tests > SIGNIFICANT:
        note += "; the resolution is too coarse for a shape to stand out alone"
    return Metapath(*shape, said.expected, said.p_value, q, least, note)


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
