"""Find entities by name, or list them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_doc import Doc

from sightline.insights.kind import MAX_K, Argument, Cursor, Kind, Length, Limit, Names, Sightline
from sightline.insights.records import EntityRef

How = Literal["exact", "prefix", "word", "typo"]


@dataclass(frozen=True, slots=True)
class SearchQuestion:
    """What is searched for, and which page of it."""

    q: Annotated[
        str | None,
        Argument(required=False),
        Length(200),
        Doc(
            "A label, an IRI or a CURIE, or how a word of the label begins; one typo is forgiven. "
            "Without it entities are listed, by IRI."
        ),
    ] = None
    type: Annotated[str | None, Names("type"), Doc("Only entities of this type.")] = None
    limit: Limit = 10
    cursor: Cursor = None


@dataclass(frozen=True)
class Found(EntityRef):
    """An entity of a list.

    Attributes:
        degree: its facts in the whole graph.
        extracted: what texts state of it besides, as far as they were read.
        how: how its name matched what was searched for; null in a list of all.
    """

    degree: int
    extracted: int
    how: How | None


@dataclass(frozen=True)
class EntityPage:
    """Entities, and where the next page starts; null at the end.

    Attributes:
        total: how many are listed over all pages; null for a search, which ranks no further than
            its pages reach.
    """

    entities: tuple[Found, ...]
    next: str | None
    total: int | None


def entities(sight: Sightline, asked: SearchQuestion) -> EntityPage:
    """Find entities by name, or list them."""
    import numpy as np

    from sightline.insights.cursors import cursor_of, offset_of

    s = sight.snapshot
    class_id = None if asked.type is None else s.resolve_class(asked.type)
    start = offset_of(s, asked.cursor)
    end = start + asked.limit
    hits: list[tuple[int, How | None]]
    if asked.q is not None:
        # Pages reach as far into the matches as one page may be long.
        found = s.search(asked.q, class_id=class_id, limit=min(end + 1, MAX_K))
        total, hits = len(found), [(match.entity, match.how) for match in found[start:end]]
    else:
        ids = range(s.num_entities) if class_id is None else np.flatnonzero(s.members(class_id))
        total, hits = len(ids), [(int(i), None) for i in ids[start:end]]
    refs = [(sight.names.entity(i), i, how) for i, how in hits]
    page = tuple(
        Found(r.id, r.iri, r.label, r.types, int(s.degree[i]), s.number_extracted(i), how)
        for r, i, how in refs
    )
    after = cursor_of(s, end) if total > end else None
    return EntityPage(page, after, total if asked.q is None else None)


KIND = Kind(
    entities,
    route="GET /v1/entities",
    tag="entities",
    order="Best first.",
    examples={"the start of a name": {"q": "ken"}},
)
