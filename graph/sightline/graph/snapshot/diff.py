"""What changed between two snapshots: edges, types and literals that came and went.

Ids differ between snapshots, so terms are matched by merging the sorted tables of IRIs, and facts
by comparing sorted keys. A fact that only changed its source has not changed. What the schema says
(subclasses, domains, labels of relations) is not compared.

Knows the arrays of two snapshots; knows no load and no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from sightline.graph.errors import require_range
from sightline.graph.snapshot.errors import UnknownSnapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.statement import Statement
from sightline.graph.storage.strings import StringTable, match_sorted
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import RDF_TYPE

MAX_LIMIT = 10_000

Positions = npt.NDArray[np.int64]
_Column = npt.NDArray[np.int32] | Positions


@dataclass(frozen=True, slots=True)
class Amount:
    """How many came and went."""

    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Change:
    """How many facts of something came and went."""

    iri: str
    label: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that came or went; ``text`` says it by labels, ``inferred`` that no load states it."""

    statement: Statement
    text: str
    inferred: bool


@dataclass(frozen=True, slots=True)
class GraphDiff:
    """The difference between two snapshots.

    Attributes:
        old, new: snapshot ids.
        predicates: relations, properties and rdf:type with a changed fact; most changed first.
        most_changed: entities, most changed first, up to the limit.
        added, removed: facts, up to the limit: edges, then types, then literals.
    """

    old: str
    new: str
    entities: Amount
    edges: Amount
    types: Amount
    attributes: Amount
    predicates: tuple[Change, ...]
    most_changed: tuple[Change, ...]
    added: tuple[Fact, ...]
    removed: tuple[Fact, ...]


def find_snapshot(workspace: Workspace, ref: str) -> Snapshot:
    """The stored snapshot whose id is ``ref``, or begins so if only one does.

    Raises:
        UnknownSnapshot, DamagedArtifact, FormatMismatch
    """
    stored = sorted(f.name for f in workspace.snapshots.glob("[0-9a-f]*") if f.is_dir())
    found = [name for name in stored if ref and name.startswith(ref)]
    if len(found) != 1:
        raise UnknownSnapshot(ref, stored)
    return Snapshot.open(workspace.snapshots / found[0])


def diff(old: Snapshot, new: Snapshot, *, limit: int = 100) -> GraphDiff:
    """Compare two snapshots.

    Args:
        limit: how many facts and entities are named; everything is counted.

    Raises:
        OutOfRange: ``limit`` outside 0 to ``MAX_LIMIT``.
    """
    require_range("limit", limit, 0, MAX_LIMIT)
    gone, come = _compare(old, new)
    return GraphDiff(
        old=old.id,
        new=new.id,
        entities=Amount(len(come.entities), len(gone.entities)),
        edges=Amount(len(come.edges), len(gone.edges)),
        types=Amount(len(come.types), len(gone.types)),
        attributes=Amount(len(come.attributes), len(gone.attributes)),
        predicates=_predicates(gone, come),
        most_changed=_most_changed(gone, come, limit),
        added=tuple(islice(come.facts(), limit)),
        removed=tuple(islice(gone.facts(), limit)),
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """What only one of the two snapshots has: ids and positions in its arrays, ascending."""

    snapshot: Snapshot
    entities: Positions
    edges: Positions
    types: Positions
    attributes: Positions

    def facts(self) -> Iterator[Fact]:
        """Edges, then types, then literals."""
        s = self.snapshot
        for edge in self.edges.tolist():
            head, tail, relation = int(s.head[edge]), int(s.tail[edge]), int(s.relation[edge])
            iris = s.entity_iris[head], s.relation_iris[relation], s.entity_iris[tail]
            name = s.relation_labels[relation]
            text = f"{s.entity_labels[head]} —{name}→ {s.entity_labels[tail]}"
            yield Fact(Statement(*iris), text, bool(s.edge_inferred[edge]))
        for entity, at in zip(_owners(s.type_indptr, self.types).tolist(), self.types.tolist()):
            class_id = int(s.type_class[at])
            text = f"{s.entity_labels[entity]} —type→ {s.class_labels[class_id]}"
            stated = Statement(s.entity_iris[entity], RDF_TYPE, s.class_iris[class_id])
            yield Fact(stated, text, bool(s.type_inferred[at]))
        yield from self._literals()

    def _literals(self) -> Iterator[Fact]:
        s = self.snapshot
        changed = set(self.attributes.tolist())
        inferred = {load["id"] for load in s.loads if load["role"] == "inferred"}
        for entity in np.unique(_owners(s.attribute_indptr, self.attributes)).tolist():
            position = int(s.attribute_indptr[entity])
            for attribute in s.attributes(entity):
                if position in changed:
                    name = s.property_labels[attribute.property]
                    text = f'{s.entity_labels[entity]} —{name}→ "{attribute.value}"'
                    iris = s.entity_iris[entity], s.property_iris[attribute.property]
                    tags = attribute.datatype, attribute.language
                    unstated = all(origin.load in inferred for origin in attribute.origins)
                    yield Fact(Statement(*iris, attribute.value, *tags), text, unstated)
                # The rows that state one literal follow each other.
                position += len(attribute.origins)

    def predicates(self) -> dict[str, tuple[str, int]]:
        """Label and number of facts per predicate with any, by IRI."""
        s = self.snapshot
        relations = zip(s.relation_iris, s.relation_labels), s.relation[self.edges]
        properties = zip(s.property_iris, s.property_labels), s.attribute_property[self.attributes]
        types = [(RDF_TYPE, "type")], np.zeros(len(self.types), np.int64)
        counts: dict[str, tuple[str, int]] = {}
        for names, ids in (relations, properties, types):
            for (iri, label), count in zip(names, np.bincount(ids).tolist()):
                if count:
                    counts[iri] = label, count + counts.get(iri, ("", 0))[1]
        return counts

    def per_entity(self) -> Positions:
        """Facts about each entity: int64 ``(N,)``. An edge is about both its ends."""
        s = self.snapshot
        ends = [column[self.edges] for column in (s.head, s.tail)]
        rest = [_owners(s.type_indptr, self.types), _owners(s.attribute_indptr, self.attributes)]
        return np.bincount(np.concatenate([*ends, *rest]), minlength=s.num_entities)


def _compare(old: Snapshot, new: Snapshot) -> tuple[_Side, _Side]:
    """What is gone from ``old``, and what has come in ``new``."""
    entity, relation, class_, prop = (
        _new_ids(getattr(old, f"{kind}_iris"), getattr(new, f"{kind}_iris"))
        for kind in ("entity", "relation", "class", "property")
    )
    entities = _differences([entity], [np.arange(new.num_entities)])
    edges = _differences(
        [entity[old.head], relation[old.relation], entity[old.tail]],
        [new.head, new.relation, new.tail],
    )
    types = _differences(
        [entity[_all_owners(old.type_indptr)], class_[old.type_class]],
        [_all_owners(new.type_indptr), new.type_class],
    )
    old_texts, new_texts = _literal_codes(old, new)
    attributes = _differences(
        [entity[_all_owners(old.attribute_indptr)], prop[old.attribute_property], *old_texts],
        [_all_owners(new.attribute_indptr), new.attribute_property, *new_texts],
    )
    gone, come = zip(entities, edges, types, attributes)
    return _Side(old, *gone), _Side(new, *come)


def _new_ids(old: StringTable, new: StringTable) -> Positions:
    """For each term of ``old`` its id in ``new``, or one that ``new`` does not use."""
    found = match_sorted(old, new)
    return np.where(found >= 0, found, len(new) + np.arange(len(old)))


def _literal_codes(old: Snapshot, new: Snapshot) -> tuple[list[Positions], list[Positions]]:
    """Columns of both: datatype, language and text as numbers that mean the same in both."""
    codes: dict[str | None, int] = {}

    def coded(texts: Iterable[str | None]) -> Positions:
        numbers = [codes.setdefault(text, len(codes)) for text in texts]
        return np.array(numbers, np.int64)

    def columns(s: Snapshot) -> list[Positions]:
        return [
            coded(s.manifest["datatypes"])[s.attribute_datatype],
            coded(s.manifest["languages"])[s.attribute_language],
            coded(s.attribute_value),
        ]

    return columns(old), columns(new)


def _differences(old: Sequence[_Column], new: Sequence[_Column]) -> tuple[Positions, Positions]:
    """Positions of the rows that only ``old`` has, and that only ``new`` has; equal rows of one
    side count once, by their first position."""
    size = len(old[0])
    key = np.zeros(size + len(new[0]), np.int64)
    for a, b in zip(old, new):
        column = np.concatenate([a, b])
        # Ranks instead of keys, so that the product never overflows.
        key = np.unique(key, return_inverse=True)[1] * (int(column.max(initial=0)) + 1) + column
    distinct, first, which = np.unique(key, return_index=True, return_inverse=True)
    in_old, in_new = (
        np.bincount(part, minlength=len(distinct)) > 0 for part in (which[:size], which[size:])
    )
    # The old rows come first, so a row that only ``new`` has first occurs there.
    return np.sort(first[in_old & ~in_new]), np.sort(first[in_new & ~in_old]) - size


def _owners(indptr: Positions, positions: Positions) -> Positions:
    """The row of a CSR that each position lies in."""
    return np.searchsorted(indptr, positions, side="right") - 1


def _all_owners(indptr: Positions) -> Positions:
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))


def _predicates(gone: _Side, come: _Side) -> tuple[Change, ...]:
    removed, added = gone.predicates(), come.predicates()
    changes = [
        Change(iri, label, *(side.get(iri, ("", 0))[1] for side in (added, removed)))
        for iri, (label, _) in (removed | added).items()
    ]
    return tuple(sorted(changes, key=_most_first))


def _most_changed(gone: _Side, come: _Side, limit: int) -> tuple[Change, ...]:
    old, new = gone.snapshot, come.snapshot
    known = match_sorted(new.entity_iris, old.entity_iris)
    added, removed = come.per_entity(), gone.per_entity()
    lost = np.where(known >= 0, removed[known], 0) if len(removed) else np.zeros_like(added)
    changes = [
        Change(new.entity_iris[e], new.entity_labels[e], int(added[e]), int(lost[e]))
        for e in _largest(added + lost, limit)
    ]
    only_old = np.zeros_like(removed)
    only_old[gone.entities] = removed[gone.entities]
    changes += [
        Change(old.entity_iris[e], old.entity_labels[e], 0, int(removed[e]))
        for e in _largest(only_old, limit)
    ]
    return tuple(sorted(changes, key=_most_first)[:limit])


def _largest(counts: Positions, limit: int) -> list[int]:
    """Ids of the largest counts above 0, largest first, then by id."""
    order: list[int] = np.argsort(-counts, kind="stable")[:limit].tolist()
    return [e for e in order if counts[e] > 0]


def _most_first(change: Change) -> tuple[int, str]:
    return -(change.added + change.removed), change.iri
