"""Which entities were merged into one, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_doc import Doc

from sightline.insights.kind import Kind, Limit, Names, Sightline
from sightline.insights.records import EntityRef, Merge


@dataclass(frozen=True, slots=True)
class MergesQuestion:
    """Which merges."""

    explain: Annotated[
        str | None,
        Names("entity"),
        Doc("Only those of this entity, by an IRI that is gone or by the one that stands for it."),
    ] = None
    limit: Limit = 20


@dataclass(frozen=True)
class MergedEntity:
    """An entity that others were merged into.

    Attributes:
        merged_from: the names that are gone, the least certain first, ``limit`` at most.
        names: how many these are in all.
    """

    entity: EntityRef
    merged_from: tuple[Merge, ...]
    names: int


@dataclass(frozen=True)
class Merges:
    """What was merged.

    Attributes:
        total: names that are gone, of all of those asked for.
    """

    merges: tuple[MergedEntity, ...]
    total: int


def merges(sight: Sightline, asked: MergesQuestion) -> Merges:
    """Entities that several sources, or one, had under several names: which were merged, how
    likely it is that they are one, and what speaks for it."""
    import numpy as np

    s, names = sight.snapshot, sight.names
    if not s.has_merges:
        if asked.explain is not None:
            sight.entity(asked.explain)
        return Merges((), 0)
    into = np.asarray(s.merged_into)
    if asked.explain is not None:
        into = into[into == sight.entity(asked.explain)]
    # Those that are least certain are most worth a look.
    order = np.lexsort((s.merged_into, s.merged_probability))
    order = order[np.isin(s.merged_into[order], into)]
    entities, first, count = np.unique(s.merged_into[order], return_index=True, return_counts=True)
    listed = [
        MergedEntity(
            names.entity(int(entities[at])),
            names.merged_from(int(entities[at]), asked.limit),
            int(count[at]),
        )
        for at in np.argsort(first)[: asked.limit]
    ]
    return Merges(tuple(listed), len(into))


KIND = Kind(
    merges,
    route="GET /v1/merges",
    tag="graph",
    order="Least certain first.",
    command="merges",
    example="sightline merges --explain entity:person/b12 -w world",
)
