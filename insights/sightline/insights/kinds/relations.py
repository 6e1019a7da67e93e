"""The relations of the graph, and how they are used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sightline.insights.kind import Cursor, Kind, Limit, Sightline
from sightline.insights.records import Ref

if TYPE_CHECKING:
    from sightline.graph.snapshot.reader import Snapshot

#: Mean number of partners from which a side of a relation is called N.
MANY = 1.5


@dataclass(frozen=True, slots=True)
class RelationsQuestion:
    """A page of the relations."""

    limit: Limit = 100
    cursor: Cursor = None


@dataclass(frozen=True)
class Relation:
    """A relation and how it is used.

    ``cardinality``: ``1:1``, ``1:N``, ``N:1`` or ``N:M``, heads before tails; a side is N where an
    entity has 1.5 or more partners on average (Bordes et al. 2013, NIPS, section 4.2).

    Attributes:
        symmetric: an ontology says that it holds both ways.
        inverse_label: how it reads from its tail: what the data calls that (inverseSingular), else
            the label of the relation that is declared its inverse; null without either.
    """

    relation: Ref
    edges: int
    heads: int
    tails: int
    cardinality: str
    symmetric: bool
    inverse_label: str | None


@dataclass(frozen=True)
class RelationPage:
    """Relations, where the next page starts, null at the end, and how many there are."""

    relations: tuple[Relation, ...]
    next: str | None
    total: int


def relations(sight: Sightline, asked: RelationsQuestion) -> RelationPage:
    """The relations, how often each is stated, and how many it links on each side."""
    import numpy as np

    from sightline.insights.cursors import cursor_of, offset_of

    s, facts = sight.snapshot, sight.facts
    n = s.num_relations
    many = facts.answers_per_anchor >= MANY
    back = s.one_rel[(np.arange(2 * n) + n) % (2 * n)]
    start = offset_of(s, asked.cursor)
    end = start + asked.limit
    order = np.argsort(-facts.edges_per_rel[:n], kind="stable")
    page = tuple(
        Relation(
            relation=sight.names.relation(int(r)),
            edges=int(facts.edges_per_rel[r]),
            heads=int(facts.anchors_per_rel[r]),
            tails=int(facts.anchors_per_rel[r + n]),
            cardinality=_cardinality(bool(many[r + n]), bool(many[r])),
            symmetric=bool(s.one_rel[r] == back[r]),
            inverse_label=_backward(s, int(r), int(back[r])),
        )
        for r in order[start:end]
    )
    return RelationPage(page, cursor_of(s, end) if n > end else None, n)


def _backward(s: Snapshot, relation: int, back: int) -> str | None:
    """How a relation reads backward: as the data says, or by another that stands for it."""
    import numpy as np

    if said := s.manifest["inverse_labels"].get(s.relation_iris[relation]):
        return str(said)
    same = np.flatnonzero(s.one_rel[: s.num_relations] == back).tolist()
    return next((s.relation_labels[i] for i in same if i != relation), None)


def _cardinality(many_heads: bool, many_tails: bool) -> str:
    left = "N" if many_heads else "1"
    right = ("M" if many_heads else "N") if many_tails else "1"
    return f"{left}:{right}"


KIND = Kind(
    relations,
    route="GET /v1/relations",
    tag="graph",
    order="Most used first.",
)
