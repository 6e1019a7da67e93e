"""The communities of the graph, what is central in them, and what joins them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated

from annotated_doc import Doc

from sightline.insights.kind import K, Kind, Sightline, Span
from sightline.insights.kinds.enrich import text_of
from sightline.insights.records import ClassCount, EntityRef

if TYPE_CHECKING:
    from sightline.graph.arrays import Ids
    from sightline.graph.sets.communities import Communities as Found

#: Types, central entities and things in common that are shown of a community.
SHOWN = 3
#: Features looked through for those that say more than a type or a relation to anything.
LOOKED_AT = 30


@dataclass(frozen=True, slots=True)
class CommunitiesQuestion:
    """How many communities, and how small."""

    k: K = 10
    resolution: Annotated[
        float, Span(0.1, 10), Doc("Above 1 for more and smaller communities, below for fewer.")
    ] = 1.0
    seed: Annotated[int, Span(0, 1000), Doc("Seed of what is random in the search.")] = 0
    deadline_ms: Annotated[int, Span(1, 60_000), Doc("Answer after this many milliseconds.")] = 5000


@dataclass(frozen=True)
class Trait:
    """What many of a community have: ``count`` of them, ``background_count`` of all entities, which
    is ``fold`` times as many as by chance."""

    text: str
    count: int
    background_count: int
    fold: float


@dataclass(frozen=True)
class Community:
    """Entities that have more to do with each other than with the rest.

    Attributes:
        number: 1 for the largest.
        name: its types and its most central entity, in words.
        entities: how many.
        types: the most frequent.
        central: those with the most facts within it, hubs counting less.
        in_common: what sets it apart from all other entities. No p-value: it was made from these
            very facts, so that nothing about it is chance.
    """

    number: int
    name: str
    entities: int
    types: tuple[ClassCount, ...]
    central: tuple[EntityRef, ...]
    in_common: tuple[Trait, ...]


@dataclass(frozen=True)
class CommunityLink:
    """How many facts lead from an entity into a community."""

    community: int
    name: str
    facts: int


@dataclass(frozen=True)
class Bridge:
    """An entity that joins communities.

    Attributes:
        participation: 0 where all its facts lead into one community, near 1 where they lead into
            many alike (Guimerà and Amaral 2005).
        usual: the mean of that among entities of its type with about as many facts; of any type
            where it has few.
        communities: into how many they lead; ``links`` are the first few of them.
    """

    entity: EntityRef
    participation: float
    usual: float
    communities: int
    links: tuple[CommunityLink, ...]


@dataclass(frozen=True)
class Communities:
    """The communities of the graph.

    Attributes:
        found: how many there are.
        modularity: share of facts within communities, less what it would be by chance.
        alone: entities without a fact that joins them to another; they are in none.
        reason: what was cut when ``truncated``.
    """

    communities: tuple[Community, ...]
    bridges: tuple[Bridge, ...]
    found: int
    modularity: float
    alone: int
    truncated: bool
    reason: str | None


def communities(sight: Sightline, asked: CommunitiesQuestion) -> Communities:
    """Groups of entities that have more to do with each other than with the rest, with what is
    central in them and what they have in common; and the entities that join them.
    """
    from sightline.graph.sets.communities import communities as find

    start, budget = time.perf_counter(), asked.deadline_ms / 1000
    s = sight.snapshot
    found = find(s, resolution=asked.resolution, seed=asked.seed, deadline_ms=asked.deadline_ms / 2)
    plain, members_of = named_communities(sight, found), _members(found)
    reasons = [] if found.whole else ["the search for communities was not at its end"]
    # The first question of a process loads the kernels, which may take all its time.
    end = max(start + budget, time.perf_counter() + budget / 2)
    shown, unnamed = [], 0
    for i in range(min(asked.k, len(found.sizes))):
        late = i > 0 and time.perf_counter() > end
        shown.append(plain(i) if late else _with_traits(sight, plain(i), members_of(i)))
        unnamed += late
    if unnamed:
        reasons.append(f"what {unnamed} of {len(shown)} communities have in common was left out")
    reason = None
    if reasons:
        reason = f"the deadline of {asked.deadline_ms} ms was over: " + "; ".join(reasons)
    return Communities(
        communities=tuple(shown),
        bridges=_bridges(sight, found, plain, asked.k),
        found=len(found.sizes),
        modularity=found.modularity,
        alone=int((found.of < 0).sum()),
        truncated=reason is not None,
        reason=reason,
    )


def _members(found: Found) -> Callable[[int], Ids]:
    """The entities of a community, by its place among all."""
    import numpy as np

    by_community = np.argsort(found.of, kind="stable").astype(np.int32)
    begin = np.searchsorted(found.of[by_community], np.arange(len(found.sizes) + 1))
    return lambda i: by_community[begin[i] : begin[i + 1]]


def named_communities(sight: Sightline, found: Found) -> Callable[[int], Community]:
    """Each community, by its place among all, without what its entities have in common."""
    members = _members(found)
    return cache(lambda i: _plain(sight, found, members(i), i))


def _plain(sight: Sightline, found: Found, members: Ids, i: int) -> Community:
    """A community without what its entities have in common."""
    import numpy as np

    from sightline.graph.arrays import expand_csr

    s, names = sight.snapshot, sight.names
    classes = s.type_class[expand_csr(s.type_indptr, members)[1]]
    count = np.bincount(classes, minlength=len(s.class_iris))
    best = [int(c) for c in np.argsort(-count, kind="stable")[:SHOWN] if count[c]]
    central = members[np.argsort(-found.inside[members], kind="stable")[:SHOWN]]
    refs = tuple(map(names.entity, central.tolist()))
    kinds = " and ".join(names.type(c).label for c in best[:2]) or "entities"
    return Community(
        number=i + 1,
        name=f"{kinds} around {refs[0].label}",
        entities=len(members),
        types=tuple(ClassCount(names.type(c), int(count[c])) for c in best),
        central=refs,
        in_common=(),
    )


def _with_traits(sight: Sightline, community: Community, members: Ids) -> Community:
    from dataclasses import replace

    from sightline.graph.sets.enrich import enrich

    got = enrich(sight.snapshot, members, None, k=LOOKED_AT, two_steps=False)
    entities = sight.snapshot.num_entities
    traits = tuple(
        Trait(
            text_of(sight, one),
            len(one.members),
            one.background,
            len(one.members) / len(members) * entities / one.background,
        )
        for one in got.features
        if one.kind not in ("type", "relation")
    )
    return replace(community, in_common=traits[:SHOWN])


def _bridges(
    sight: Sightline, found: Found, community: Callable[[int], Community], k: int
) -> tuple[Bridge, ...]:
    """The entities whose facts lead into more communities than those of their like."""
    import numpy as np

    best = np.argsort(-found.bridging.round(9), kind="stable")[:k]
    bridges = []
    for entity in best[found.bridging[best] > 0].tolist():
        _, others, edges = sight.facts.at(entity)
        others = others[sight.facts.listed(edges)]
        into, facts = np.unique(found.of[others[others != entity]], return_counts=True)
        order = np.argsort(-facts, kind="stable")
        links = tuple(
            CommunityLink(int(into[i]) + 1, community(int(into[i])).name, int(facts[i]))
            for i in order[:SHOWN]
        )
        name = sight.names.entity(entity)
        joins, usual = float(found.participation[entity]), float(found.usual[entity])
        bridges.append(Bridge(name, joins, usual, len(into), links))
    return tuple(bridges)


KIND = Kind(
    communities,
    route="GET /v1/communities",
    tag="sets",
    order="The largest first.",
    command="communities",
    example="sightline communities -w world",
    dear=True,
)
