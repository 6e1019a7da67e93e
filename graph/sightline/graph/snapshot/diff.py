"""What changed between two snapshots: edges, types, literals and facts of texts that came and went.

Ids differ between snapshots, so terms are matched by merging the sorted tables of IRIs, and facts
by comparing sorted keys. A fact that only changed its source has not changed. What the schema says
(subclasses, domains, labels of relations) is not compared.

Knows the arrays of two snapshots; knows no load and no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sightline.graph.snapshot.errors import NoFormerSnapshot, UnknownSnapshot
from sightline.graph.snapshot.reader import SNAPSHOT_FORMAT, Snapshot
from sightline.graph.snapshot.statement import Amount, Change, ChangedFact, Statement
from sightline.graph.storage.artifact import MANIFEST, read_manifest
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.strings import StringTable, match_sorted
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import RDF_TYPE

Positions = npt.NDArray[np.int64]
_Column = npt.NDArray[np.int32] | Positions


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


def former_snapshot(workspace: Workspace, snapshot: Snapshot) -> Snapshot:
    """The newest stored snapshot of this version that was built before one.

    Raises:
        NoFormerSnapshot, DamagedArtifact
    """
    built = {folder: _built(folder) for folder in workspace.snapshots.glob("[0-9a-f]*")}
    own = built.pop(snapshot.folder, None) or _built(snapshot.folder)
    before = [folder for folder, time in built.items() if 0 < time <= own]
    if not before:
        raise NoFormerSnapshot(workspace.path, snapshot.id)
    return Snapshot.open(max(before, key=lambda folder: (built[folder], folder.name)))


def _built(folder: Path) -> int:
    """When a snapshot was built, in nanoseconds; 0 for none, or one of another version."""
    try:
        readable = read_manifest(folder).get("format") == SNAPSHOT_FORMAT
        return (folder / MANIFEST).stat().st_mtime_ns if readable else 0
    except (OSError, DamagedArtifact):
        return 0


@dataclass(frozen=True, slots=True)
class Side:
    """What only one of two snapshots has: ids and positions in its arrays, ascending."""

    snapshot: Snapshot
    entities: Positions
    edges: Positions
    types: Positions
    attributes: Positions
    extracted: Positions

    def about(self, iris: Iterable[str]) -> Side:
        """What is about some entities; an edge is about both its ends."""
        s = self.snapshot
        among = np.zeros(s.num_entities, np.bool_)
        among[[e for e in map(s.entity_iris.find, iris) if e is not None]] = True
        return Side(
            s,
            self.entities[among[self.entities]],
            self.edges[among[s.head[self.edges]] | among[s.tail[self.edges]]],
            self.types[among[_owners(s.type_indptr, self.types)]],
            self.attributes[among[_owners(s.attribute_indptr, self.attributes)]],
            self.extracted[among[_read(s)[0][self.extracted]] | among[_read(s)[2][self.extracted]]],
        )

    def said(self, edge: int) -> str:
        """An edge by labels."""
        s = self.snapshot
        ends = s.entity_labels[int(s.head[edge])], s.entity_labels[int(s.tail[edge])]
        return f"{ends[0]} —{s.relation_labels[int(s.relation[edge])]}→ {ends[1]}"

    def facts(self) -> Iterator[ChangedFact]:
        """Edges, then types, then literals."""
        s = self.snapshot
        for edge in self.edges.tolist():
            head, tail, relation = int(s.head[edge]), int(s.tail[edge]), int(s.relation[edge])
            iris = s.entity_iris[head], s.relation_iris[relation], s.entity_iris[tail]
            yield ChangedFact(Statement(*iris), self.said(edge), bool(s.edge_inferred[edge]))
        for entity, at in zip(_owners(s.type_indptr, self.types).tolist(), self.types.tolist()):
            class_id = int(s.type_class[at])
            text = f"{s.entity_labels[entity]} —type→ {s.class_labels[class_id]}"
            stated = Statement(s.entity_iris[entity], RDF_TYPE, s.class_iris[class_id])
            yield ChangedFact(stated, text, bool(s.type_inferred[at]))
        yield from self._literals()

    def _literals(self) -> Iterator[ChangedFact]:
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
                    yield ChangedFact(Statement(*iris, attribute.value, *tags), text, unstated)
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


def compare(old: Snapshot, new: Snapshot) -> tuple[Side, Side]:
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
    (head, rel, tail), read = _read(old), _read(new)
    extracted = _differences([entity[head], relation[rel], entity[tail]], list(read))
    gone, come = zip(entities, edges, types, attributes, extracted)
    return Side(old, *gone), Side(new, *come)


def _read(s: Snapshot) -> tuple[npt.NDArray[np.int32], ...]:
    """Head, relation and tail of the facts of texts."""
    if not s.num_extracted:
        return (np.zeros(0, np.int32),) * 3
    return s.extracted_head, s.extracted_relation, s.extracted_tail


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


def amounts(gone: Side, come: Side) -> tuple[Amount, Amount, Amount, Amount, Amount]:
    """How many entities, edges, types, literals and facts of texts came and went."""
    entities, edges, types, attributes, extracted = (
        Amount(len(getattr(come, name)), len(getattr(gone, name)))
        for name in ("entities", "edges", "types", "attributes", "extracted")
    )
    return entities, edges, types, attributes, extracted


def named(side: Side, limit: int) -> tuple[ChangedFact, ...]:
    """The first facts of a side: edges, then types, then literals."""
    return tuple(islice(side.facts(), limit))


def predicates(gone: Side, come: Side) -> tuple[Change, ...]:
    """Relations, properties and rdf:type with a changed fact; most changed first."""
    removed, added = gone.predicates(), come.predicates()
    changes = [
        Change(iri, label, *(side.get(iri, ("", 0))[1] for side in (added, removed)))
        for iri, (label, _) in (removed | added).items()
    ]
    return tuple(sorted(changes, key=_most_first))


def most_changed(gone: Side, come: Side, limit: int) -> tuple[Change, ...]:
    """Entities, most changed first, up to a limit."""
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
