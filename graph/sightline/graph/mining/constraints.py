"""Constraints that a graph keeps: what nearly all of its facts do, and what an ontology declares.

``functional`` and its inverse, ``irreflexive``, ``asymmetric``, ``symmetric``, the types at both
ends of a relation (``domain``, ``range``), and types that share no entity (``disjoint``). A mined
one may have *exceptions*, facts or entities that break it: likely errors, as they are few. One
without an exception also says what a new fact cannot be.

Knows the arrays of a snapshot; knows no label and no finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Literal

import numpy as np

from sightline.graph.arrays import Flags, Ids, Offsets, expand_csr, reached
from sightline.graph.snapshot.pairs import changes
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.sections.axioms import AXIOMS

if TYPE_CHECKING:
    from scipy import sparse

ConstraintKind = Literal[
    "functional",
    "inverse functional",
    "irreflexive",
    "asymmetric",
    "symmetric",
    "domain",
    "range",
    "disjoint",
]
#: Fewest cases that a constraint is mined from, and most exceptions as a share of them.
LEAST_SUPPORT, MOST_EXCEPTIONS = 10, 0.05
#: A signature names at most so many types; each adds so many facts, as a number and as a share of
#: all. One that allows this share of all entities with a type says nothing.
MOST_CLASSES, LEAST_FACTS, LEAST_SHARE, ANYTHING = 4, 3, 0.02, 0.9
#: Types that would share at least so many entities by chance are disjoint where they share hardly
#: any.
LEAST_BY_CHANCE = 10


@dataclass(frozen=True, slots=True)
class Constraint:
    """Something that facts keep.

    Attributes:
        relation: an id, None for ``disjoint``.
        classes: of a signature those allowed, most facts first; of ``disjoint`` the two.
        declared: an ontology says so.
        support: cases that could break it: facts, or anchors of a functional relation, or
            entities of the smaller of two disjoint types.
        exceptions: how many of them do.
    """

    kind: ConstraintKind
    relation: int | None
    classes: tuple[int, ...]
    declared: bool
    support: int
    exceptions: int

    @property
    def confidence(self) -> float:
        """Chance that the next case keeps it, by Laplace's rule; 1 where it is declared."""
        return 1.0 if self.declared else (self.support - self.exceptions + 1) / (self.support + 2)


class Constraints:
    """The constraints of one graph.

    Attributes:
        found: those declared, then those mined that none of them says, by relation; pairs of
            disjoint types last, those that share an entity only: there may be millions of others.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        s = self.snapshot = snapshot
        self._by_relation = np.argsort(s.relation, kind="stable").astype(np.int32)
        relations = np.arange(s.num_relations + 1)
        self._bounds = np.searchsorted(s.relation[self._by_relation], relations)
        self._loop = s.head == s.tail
        self._back = self._stated(s.tail, s.relation, s.head) & ~self._loop
        self._types = reached(_stated_types(s), _classes_above(s))
        self._held = self._types.tocsc()  # the entities of each class, ascending
        self._members = np.diff(self._held.indptr).astype(np.int64)
        self._typed = int((np.diff(self._types.indptr) > 0).sum())
        declared = {(c.kind, c.relation, c.classes): c for c in self._declared()}
        said = {(c.kind, c.relation) for c in declared.values()}
        mined = (c for r in range(s.num_relations) for c in self._mined(r))
        kept = (c for c in mined if (c.kind, c.relation) not in said)
        self.found: tuple[Constraint, ...] = (*declared.values(), *kept, *self._disjoint())

    def breaking(self, constraint: Constraint) -> Ids:
        """The edges that break a constraint, ascending, or by anchor where several of one break it
        together; the entities for ``disjoint``: int32."""
        if constraint.relation is not None:
            edges = self._edges(constraint.relation)
            return self._breaking(constraint.kind, edges, constraint.classes)
        one, other = map(self._entities, constraint.classes)
        return np.intersect1d(one, other).astype(np.int32)

    def excluded(self, head: Ids, relation: Ids, tail: Ids) -> Ids:
        """Which constraint without an exception new facts would break: int32 ``(n,)``, the first
        position in ``found``, -1 for none.

        Args:
            head, relation, tail: int32 ``(n,)``, facts that the graph does not state.
        """
        out = np.full(len(head), -1, np.int32)
        for place, constraint in enumerate(self.found):
            if not constraint.exceptions:
                broken = self.broken_by(constraint, head, relation, tail)
                out[broken[out[broken] < 0]] = place
        return out

    def broken_by(self, constraint: Constraint, head: Ids, relation: Ids, tail: Ids) -> Offsets:
        """Which new facts would break a constraint: positions, ascending, int64. What has no ends
        of types (``disjoint``), or asks for more facts (``symmetric``), none breaks.

        Args:
            head, relation, tail: int32 ``(n,)``, facts that the graph does not state.
        """
        kind, r = constraint.kind, constraint.relation
        asked = np.flatnonzero(relation == (-1 if r is None else r))
        if r is None or kind == "symmetric" or not len(asked):
            return asked[:0]
        h, t, edges = head[asked], tail[asked], self._edges(r)
        match kind:
            case "functional":
                broken = np.isin(h, self.snapshot.head[edges])
            case "inverse functional":
                broken = np.isin(t, self.snapshot.tail[edges])
            case "irreflexive":
                broken = h == t
            case "asymmetric":
                broken = self._stated(t, relation[asked], h)
            case _:
                broken = self._foreign(h if kind == "domain" else t, constraint.classes)
        return asked[broken]

    def _declared(self) -> Iterator[Constraint]:
        for axiom, one, other in self.snapshot.axioms.tolist():
            kind = AXIOMS[axiom]
            if kind not in ("disjoint", "subclass"):
                yield self._judged(kind, one, () if other < 0 else (other,), True)

    def _mined(self, r: int) -> Iterator[Constraint]:
        """What the facts of a relation keep but for few exceptions.

        Where all facts lead from the lower to the higher id, or back, one who meant both ways may
        have stated each once: that is not called asymmetric. Nor is what is symmetric by an
        ontology.
        """
        s, edges = self.snapshot, self._edges(r)
        kinds: list[ConstraintKind] = ["functional", "inverse functional", "irreflexive"]
        if not s.symmetric[r]:
            upward = float((s.head[edges] < s.tail[edges]).mean()) if len(edges) else 0.0
            in_order = min(upward, 1 - upward) <= MOST_EXCEPTIONS
            kinds += ["symmetric"] if in_order else ["symmetric", "asymmetric"]
        judged = [self._judged(kind, r) for kind in kinds]
        sides: tuple[tuple[ConstraintKind, Ids], ...] = (("domain", s.head), ("range", s.tail))
        for kind, ends in sides:
            classes = self._cover(ends[edges])
            if classes:
                judged.append(self._judged(kind, r, classes))
        for c in judged:
            if c.support >= LEAST_SUPPORT and c.exceptions <= MOST_EXCEPTIONS * c.support:
                yield c

    def _judged(
        self,
        kind: ConstraintKind,
        relation: int,
        classes: tuple[int, ...] = (),
        declared: bool = False,
    ) -> Constraint:
        """A constraint, with the cases that there are."""
        s, edges = self.snapshot, self._edges(relation)
        broken = self._breaking(kind, edges, classes)
        support, exceptions = len(edges), len(broken)
        match kind:
            case "functional" | "inverse functional":
                anchor = s.head if kind == "functional" else s.tail
                support, exceptions = (len(np.unique(anchor[e])) for e in (edges, broken))
            case "symmetric":
                support -= int(self._loop[edges].sum())
            case "asymmetric":
                # Stated both ways can be what leads from a tail to a head.
                head, tail = s.head[edges], s.tail[edges]
                possible = np.isin(head, tail) & np.isin(tail, head) & ~self._loop[edges]
                support = int(possible.sum())
            case "domain" | "range":
                owner, _ = self._classes_of((s.head if kind == "domain" else s.tail)[edges])
                support = len(np.unique(owner))
        return Constraint(kind, relation, classes, declared, support, exceptions)

    def _breaking(self, kind: ConstraintKind, edges: Ids, classes: tuple[int, ...]) -> Ids:
        s = self.snapshot
        broken: Flags
        match kind:
            case "functional" | "inverse functional":
                anchor = (s.head if kind == "functional" else s.tail)[edges]
                rank = np.argsort(anchor, kind="stable")
                first = changes(anchor[rank])
                edges = edges[rank]
                broken = ~(first & np.append(first[1:], True))
            case "irreflexive":
                broken = self._loop[edges]
            case "asymmetric":
                broken = self._back[edges]
            case "symmetric":
                broken = ~self._back[edges] & ~self._loop[edges]
            case _:
                broken = self._foreign((s.head if kind == "domain" else s.tail)[edges], classes)
        return edges[broken]

    def _cover(self, ends: Ids) -> tuple[int, ...]:
        """As few classes as cover most of some entities: the one that covers most first, then the
        one that covers most of the rest, of equal ones that with the fewest members. None where
        they leave nothing out."""
        owner, classes = self._classes_of(ends)
        least = max(LEAST_FACTS, LEAST_SHARE * len(np.unique(owner)))
        chosen: list[int] = []
        while len(owner) and len(chosen) < MOST_CLASSES:
            found, count = np.unique(classes, return_counts=True)
            best = np.lexsort((found, self._members[found], -count))[0]
            if count[best] < least:
                break
            chosen.append(int(found[best]))
            rest = ~np.isin(owner, owner[classes == found[best]])
            owner, classes = owner[rest], classes[rest]
        allowed = reduce(np.union1d, map(self._entities, chosen), ends[:0])
        return tuple(chosen) if len(allowed) <= ANYTHING * self._typed else ()

    def _disjoint(self) -> Iterator[Constraint]:
        """Types that share an entity although an ontology, or chance, says that they should not."""
        from scipy import sparse

        several = self._types[np.diff(self._types.indptr) > 1].astype(np.int64)
        shared = sparse.triu(several.T @ several, k=1).tocoo()
        one, other = shared.row.astype(np.int64), shared.col.astype(np.int64)
        said = self.snapshot.axioms[self.snapshot.axioms[:, 0] == AXIOMS.index("disjoint"), 1:]
        width = len(self.snapshot.class_iris)
        key = np.sort(said, axis=1).astype(np.int64) @ [width, 1]
        declared = np.isin(one * width + other, key)
        by_chance = self._members[one] * self._members[other] / max(1, self._typed)
        few = (by_chance >= LEAST_BY_CHANCE) & (shared.data <= MOST_EXCEPTIONS * by_chance)
        for i in np.flatnonzero(declared | few).tolist():
            classes = int(one[i]), int(other[i])
            support = int(self._members[list(classes)].min())
            yield Constraint(
                "disjoint", None, classes, bool(declared[i]), support, int(shared.data[i])
            )

    def _entities(self, class_: int) -> Ids:
        """The entities of a class."""
        low, high = self._held.indptr[class_ : class_ + 2]
        found: Ids = self._held.indices[low:high]
        return found

    def _edges(self, relation: int) -> Ids:
        """The edges of a relation, ascending."""
        return self._by_relation[self._bounds[relation] : self._bounds[relation + 1]]

    def _classes_of(self, ends: Ids) -> tuple[Offsets, Ids]:
        """Classes of some entities with all above them, and before them the place of the entity."""
        owner, position = expand_csr(self._types.indptr, ends)
        return owner, self._types.indices[position]

    def _foreign(self, ends: Ids, allowed: tuple[int, ...]) -> Flags:
        """Which of some entities have a stated type and none that is allowed: bool ``(n,)``."""
        owner, classes = self._classes_of(ends)
        typed = np.bincount(owner, minlength=len(ends)) > 0
        fits = np.bincount(owner[np.isin(classes, allowed)], minlength=len(ends)) > 0
        foreign: Flags = typed & ~fits
        return foreign

    def _stated(self, head: Ids, relation: Ids, tail: Ids) -> Flags:
        """Which of some facts are edges: bool ``(n,)``."""
        wanted = self.snapshot.fact_keys(head, relation, tail)
        at = np.searchsorted(self._edge_keys[:-1], wanted)
        stated: Flags = self._edge_keys[at] == wanted
        return stated

    @cached_property
    def _edge_keys(self) -> Offsets:
        """A number for each edge, ascending; one more, that no fact has, at the end."""
        s = self.snapshot
        return np.append(s.fact_keys(s.head, s.relation, s.tail), -1)


def _stated_types(s: Snapshot) -> sparse.csr_array:
    """Entities by the classes that loads state of them."""
    from scipy import sparse

    entity = np.repeat(np.arange(s.num_entities), np.diff(s.type_indptr))
    stated = ~s.type_inferred
    ends = entity[stated], s.type_class[stated]
    return sparse.csr_array(
        (np.ones(len(ends[0]), np.bool_), ends), (s.num_entities, len(s.class_iris))
    )


def _classes_above(s: Snapshot) -> sparse.csr_array:
    """Classes by those that an ontology says are above them."""
    from scipy import sparse

    size = len(s.class_iris)
    _, below, above = s.axioms[s.axioms[:, 0] == AXIOMS.index("subclass")].T
    return sparse.csr_array((np.ones(len(below), np.bool_), (below, above)), (size, size))
