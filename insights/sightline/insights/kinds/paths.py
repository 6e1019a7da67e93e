"""How two entities, or two sets of them, are connected."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_doc import Doc

from sightline.graph.snapshot.errors import UnknownClass, UnknownEntity
from sightline.insights.kind import (
    MAX_NAMES,
    Argument,
    K,
    Kind,
    Length,
    Names,
    Sightline,
    Span,
    Where,
)
from sightline.insights.records import EntityRef, Path, Ref

if TYPE_CHECKING:
    from sightline.graph.paths.chance import Chance
    from sightline.graph.paths.find import Metapath as FoundMetapath
    from sightline.graph.paths.find import PathAnswer
    from sightline.insights.names import Names as NamesOf

#: The share of the time in which paths may be shown, however long the search for them took.
SHOWING = 0.1
#: Entities of a side.
MAX_ENDS = 200
#: How much more than its share of the time one pair of two sets may take.
PATIENCE = 4
#: Facts of a path at the most, and where nobody says how many and something is so near.
MOST_HOPS, HOPS = 6, 3
#: A q-value up to which a shape stands out.
SIGNIFICANT = 0.05


#: Which pairs of ends each shape joins.
Joined = dict[tuple[int, ...], list[tuple[int, int]]]

Ends = Annotated[
    tuple[str, ...],
    Names("entity"),
    Length(MAX_NAMES, 1),
    Argument(),
    Doc(
        "An IRI, a CURIE such as entity:Q42, or a label; or a type, which stands for its members. "
        "Repeat for several."
    ),
]


@dataclass(frozen=True, slots=True)
class PathsQuestion:
    """Two entities or sets of them, and what a path between them may be."""

    source: Ends
    target: Ends
    max_hops: Annotated[
        int | None,
        Span(1, MOST_HOPS),
        Doc("Longest path in edges: 3, or as many as the nearest connection takes, or as said."),
    ] = None
    k: K = 10
    include: Annotated[
        tuple[str, ...], Names("relation"), Doc("Only these relations. Repeat for several.")
    ] = ()
    include_mode: Annotated[
        Literal["every", "any"],
        Doc("every: each step is of a relation of `include`; any: at least one is."),
    ] = "every"
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


@dataclass(frozen=True)
class MetapathStep:
    """One relation of a shape. ``forward``: it is walked from head to tail."""

    relation: Ref
    forward: bool


@dataclass(frozen=True)
class Metapath:
    """All paths of one shape taken together, and whether chance would connect the two so well.

    Attributes:
        score: degree-weighted path count; ``expected`` is its mean over graphs in which every
            entity has as many edges of each relation, with others at their ends.
        p_value: share of such graphs that score as high; null where it was not tested. Of two sets
            it is that of the pair which chance explains least, times the number of pairs
            (Bonferroni); score, count and expected are of all pairs that were looked at.
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


@dataclass(frozen=True)
class Paths:
    """How two entities, or two sets of them, are connected.

    Attributes:
        source, target: the entities that paths were looked for between, at most ``MAX_ENDS`` of a
            set; best connected first where they are of a type.
        reason: what was cut when ``truncated``; else why there is no path, where there is none, or
            how long paths are because there is no shorter one.
    """

    source: tuple[EntityRef, ...]
    target: tuple[EntityRef, ...]
    paths: tuple[Path, ...]
    metapaths: tuple[Metapath, ...]
    found: int
    truncated: bool
    reason: str | None


def paths(sight: Sightline, asked: PathsQuestion) -> Paths:
    """How two entities are connected: paths ranked so that hubs do not flood them.

    Either side may be a set. Each pair of two sets has its share of the time, and what is the best
    of all pairs comes first; shapes are counted over the pairs.

    Raises:
        BadPattern, UnknownRelation
        UsageError, UnknownQualifier, AmbiguousQualifier: a condition cannot be read, or two rules
            say otherwise what steps there may be.
    """
    start, budget = time.perf_counter(), asked.deadline_ms / 1000
    s, names = sight.snapshot, sight.names
    (sources, cut), (targets, also) = (_ends(sight, refs) for refs in (asked.source, asked.target))
    rules: dict[str, Any] = {
        "max_hops": asked.max_hops or HOPS,
        "k": asked.k,
        "include": list(map(s.resolve_relation, asked.include)),
        "anywhere": asked.include_mode == "any",
        "exclude": list(map(s.resolve_relation, asked.exclude)),
        "types": list(map(s.resolve_class, asked.types)),
        "edges": sight.edges_saying(asked.where),
        "pattern": asked.pattern,
    }
    found, joined = _between(sight, sources, targets, rules, (start, asked.deadline_ms))
    while not (asked.max_hops or found.paths or found.truncated or rules["max_hops"] == MOST_HOPS):
        # Two who bought the same are four facts apart: by an order of each.
        rules["max_hops"] += 1
        found, joined = _between(sight, sources, targets, rules, (start, asked.deadline_ms))
    # The first question of a process loads the kernels, which may take longer than all its time.
    # To write paths down takes as long as to show them, so half of what is left is for that.
    now = time.perf_counter()
    end = now + max(start + budget - now, SHOWING * budget) / 2
    shown = [names.path(p) for i, p in enumerate(found.paths) if not i or time.perf_counter() < end]
    reason = "; ".join(filter(None, (cut, also, found.reason))) or None
    if hidden := len(found.paths) - len(shown):
        late = f"the deadline of {asked.deadline_ms} ms left no time to show "
        late += f"{hidden} of {len(found.paths)} paths"
        reason = f"{reason}; {late}" if reason else late
    truncated = reason is not None
    if not truncated and not found.paths:
        reason = _nothing(sight, sources, targets, rules["max_hops"])
    elif not truncated and not asked.max_hops and rules["max_hops"] > HOPS:
        reason = f"no path of at most {rules['max_hops'] - 1} facts leads from one to the other"
    shapes = found.metapaths, joined, (start, budget)
    return Paths(
        source=tuple(map(names.entity, sources)),
        target=tuple(map(names.entity, targets)),
        paths=tuple(shown),
        metapaths=_metapaths(
            sight, replace(asked, max_hops=rules["max_hops"]), (sources, targets), *shapes
        ),
        found=found.found,
        truncated=truncated,
        reason=reason,
    )


def _nothing(sight: Sightline, sources: Sequence[int], targets: Sequence[int], most: int) -> str:
    """Why there is no path between two sets of entities."""
    labels = sight.snapshot.entity_labels
    if len({*sources, *targets}) == 1:
        return f"both ends are {labels[sources[0]]}; a path leads from one entity to another"
    for end in (sources, targets):
        if not sight.snapshot.degree[list(end)].any():
            return f"{labels[end[0]]} has no facts" + (", nor have the others" if end[1:] else "")
    longer = "" if most == MOST_HOPS else f"; paths of up to {MOST_HOPS} can be asked for"
    return f"no path of at most {most} facts is what was asked for{longer}"


def _ends(sight: Sightline, refs: Sequence[str]) -> tuple[list[int], str | None]:
    """The entities that a side names, and what was left out of them."""
    import numpy as np

    s = sight.snapshot
    found: list[int] = []
    for ref in refs:
        try:
            found.append(sight.entity(ref))
        except UnknownEntity:
            if (kind := _type_of(sight, ref)) is None:
                raise
            members = np.flatnonzero(s.members(kind))
            found += members[np.argsort(-s.degree[members], kind="stable")].tolist()
    ends = list(dict.fromkeys(found))
    if len(ends) <= MAX_ENDS:
        return ends, None
    left = f"of which the {MAX_ENDS} best connected were taken"
    return ends[:MAX_ENDS], f"a side has {len(ends):,} entities, {left}"


def _type_of(sight: Sightline, ref: str) -> int | None:
    try:
        return sight.snapshot.resolve_class(ref)
    except UnknownClass:
        return None


def _between(
    sight: Sightline,
    sources: Sequence[int],
    targets: Sequence[int],
    rules: dict[str, Any],
    clock: tuple[float, float],
) -> tuple[PathAnswer, Joined]:
    """What is found between each source and each target, the best of all; and which pairs each
    shape joins."""
    from sightline.graph.paths.find import SEARCH, Metapath, PathAnswer, find_paths

    start, deadline_ms = clock
    if len(sources) == len(targets) == 1:
        pair = sources[0], targets[0]
        only = find_paths(sight.snapshot, *pair, **rules, deadline_ms=deadline_ms)
        return only, {shape.rels: [pair] for shape in only.metapaths}
    # Diagonal by diagonal, so that little time is not spent on one source alone.
    places = sorted(((i, j) for i in range(len(sources)) for j in range(len(targets))), key=sum)
    pairs = [(sources[i], targets[j]) for i, j in places if sources[i] != targets[j]]
    answers: list[PathAnswer] = []
    for pair in pairs:
        left = SEARCH * deadline_ms - 1000 * (time.perf_counter() - start)
        if answers and left < 1:
            break
        share = max(1.0, min(left, PATIENCE * left / (len(pairs) - len(answers))))
        answers.append(find_paths(sight.snapshot, *pair, **rules, deadline_ms=share))
    paths = sorted(
        (path for answer in answers for path in answer.paths),
        key=lambda path: (-path.score, len(path.edges), path.edges),
    )
    counted: dict[tuple[int, ...], tuple[float, int]] = {}
    joined: Joined = {}
    for pair, shape in (
        (p, shape) for p, answer in zip(pairs, answers) for shape in answer.metapaths
    ):
        score, count = counted.get(shape.rels, (0.0, 0))
        counted[shape.rels] = score + shape.score, count + shape.count
        joined.setdefault(shape.rels, []).append(pair)
    shapes = [Metapath(rels, *sums) for rels, sums in counted.items()]
    shapes.sort(key=lambda shape: (-shape.score, len(shape.rels), shape.rels))
    why = []
    if len(answers) < len(pairs):
        why.append(
            f"the deadline of {deadline_ms:g} ms left no time for "
            f"{len(pairs) - len(answers):,} of {len(pairs):,} pairs"
        )
    if partly := sum(answer.truncated for answer in answers):
        why.append(f"{partly:,} of {len(pairs):,} pairs were searched in part")
    found = sum(answer.found for answer in answers)
    k, reason = rules["k"], "; ".join(why) or None
    return PathAnswer(tuple(paths[:k]), tuple(shapes[:k]), found, bool(why), reason), joined


def _metapaths(
    sight: Sightline,
    asked: PathsQuestion,
    ends: tuple[Sequence[int], Sequence[int]],
    found: Sequence[FoundMetapath],
    joined: Joined,
    clock: tuple[float, float],
) -> tuple[Metapath, ...]:
    """The shapes with what chance says of them, as far as the time reaches: the best always."""
    from sightline.graph.paths.chance import MAX_STEPS, chance, possible, q_values

    s, names = sight.snapshot, sight.names
    end, share = sum(clock), SHOWING * clock[1]
    tests = 0
    chances: list[_Tested | str] = []
    tested: list[_Tested] = []
    restricted = ""
    pairs = len(ends[0]) * len(ends[1]) - len({*ends[0]} & {*ends[1]})
    if asked.types:
        restricted = "what lies between was restricted to types"
    elif asked.where:
        restricted = "facts were restricted by what they say of themselves, copies say nothing"
    if found and s.manifest["copies"] and not restricted:
        rels = [list(map(s.resolve_relation, refs)) for refs in (asked.include, asked.exclude)]
        if asked.include_mode == "any":
            rels[0] = []
        assert asked.max_hops is not None
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
            found_by: list[Chance] = []
            for pair in joined[metapath.rels]:
                found_by.append(chance(s, *pair, metapath.rels))
                now = time.perf_counter()
                # The first of a process loads the kernels, which may take longer than its time.
                if not tested and len(found_by) == 1 and now > began + share:
                    end = max(end, now + share)
                if now > end:
                    break
            tested.append(_Tested(found_by, len(joined[metapath.rels]), pairs))
            chances.append(tested[-1])
    free = [c for c in tested if c.best.free]
    q_of = dict(zip(map(id, free), q_values([c.p_value for c in free], tests)))
    return tuple(
        _metapath(names, metapath, said, q_of.get(id(said)), tests)
        for metapath, said in zip(found, chances)
    )


class _Tested:
    """What chance says of a shape between the pairs of two sets, or of one.

    The least p-value of all pairs, times their number, is valid however they depend on each other;
    it is 1 of those that the shape does not join, and of those that there was no time for.
    """

    def __init__(self, found: Sequence[Chance], joined: int, pairs: int) -> None:
        self.best = min(found, key=lambda c: (not c.free, c.p_value))
        self.looked_at, self.joined, self.pairs = len(found), joined, max(1, pairs)
        self.score, self.expected = sum(c.score for c in found), sum(c.expected for c in found)
        self.p_value = min(1.0, self.best.p_value * self.pairs)
        self.least = min(1.0, self.pairs / self.best.draws)


def _metapath(
    names: NamesOf, metapath: FoundMetapath, said: _Tested | str, q: float | None, tests: int
) -> Metapath:
    steps = tuple(
        MetapathStep(names.relation(rel), names.direction(rel) == "out") for rel in metapath.rels
    )
    shape = (names.metapath(metapath.rels), steps, metapath.score, metapath.count)
    if isinstance(said, str):
        return Metapath(*shape, None, None, None, None, f"not tested: {said}")
    least, best = said.least, said.best
    if q is None:
        why = "not testable: its relations could hardly join their entities in another way"
        return Metapath(*shape, said.expected, None, None, least, why)
    note = (
        f"{best.exceeding:,} of {best.draws:,} shuffled draws score as high; "
        f"score {said.score:.2g}, expected {said.expected:.2g}; {tests:,} possible shapes"
    )
    if said.pairs > 1:
        note = f"of the pair that chance explains least {note}; p is {said.pairs:,} times its own"
        if said.looked_at < said.joined:
            note += f"; {said.joined - said.looked_at:,} joined pairs were not looked at"
    if best.exceeding == 1:
        note += f"; p is at most {least:.2g}, the resolution"
    if least * tests > SIGNIFICANT:
        note += "; the resolution is too coarse for a shape to stand out alone"
    return Metapath(*shape, said.expected, said.p_value, q, least, note)


KIND = Kind(
    paths,
    route="GET /v1/paths",
    tag="paths",
    order="Best first.",
    command="paths",
    examples={"two countries": {"source": "Kenya", "target": "Nepal"}},
    example="sightline paths Nepal Portugal --max-hops 3 -w world",
    dear=True,
)
