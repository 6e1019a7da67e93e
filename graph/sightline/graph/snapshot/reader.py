"""A snapshot: the compiled graph, memory-mapped and read-only.

Knows ids, arrays, labels and where each edge came from. Knows no path search, no RDF store and no
model. Imports NumPy only, so that training and serving can both read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Ids, Offsets, expand_csr
from sightline.graph.snapshot.errors import (
    AmbiguousEntity,
    BadReference,
    NothingCompiled,
    UnknownClass,
    UnknownEntity,
    UnknownRelation,
)
from sightline.graph.snapshot.search import Match, SearchIndex, normalise
from sightline.graph.storage.artifact import open_artifact
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.strings import StringTable
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import contract, expand, mint

#: Version of a snapshot: one of another version is not read, compiling makes it again.
SNAPSHOT_FORMAT = 2


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a statement came from: load id, source file and 1-based record or line in it."""

    load: str
    source: str
    row: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """A literal of an entity. ``property`` is an id of ``Snapshot.property_iris``."""

    property: int
    value: str
    datatype: str
    language: str | None
    origins: tuple[Origin, ...]


def served_snapshot(workspace: Workspace) -> Snapshot:
    """The served snapshot, memory-mapped.

    Raises:
        NothingCompiled, DamagedArtifact, FormatMismatch
    """
    current = workspace.current
    if current.snapshot is None:
        raise NothingCompiled(workspace.path)
    return Snapshot.open(workspace.snapshots / current.snapshot)


class Snapshot:
    """An opened snapshot.

    Attributes:
        num_entities, num_relations, num_edges: N, R, M.
        head, relation, tail: int32 ``(M,)``, unique, sorted by (head, relation, tail); an edge's id
            is its position.
        out_indptr: int64 ``(N + 1,)``: the edges with head ``e`` are
            ``out_indptr[e]:out_indptr[e + 1]``.
        in_head, in_relation, in_edge: int32 ``(M,)`` sorted by (tail, relation, head).
        in_indptr: int64 ``(N + 1,)`` into the three arrays above.
        path_weight: float64 ``(M,)``: (out-degree of the head under the relation x in-degree of the
            tail under it) ** -0.4, the factor of one edge in a degree-weighted path count
            (Himmelstein and Baranzini 2015, doi:10.1371/journal.pcbi.1004259); twins count once.
        twin_edge, twin_of: int32: edges that say what another edge says the other way round, or by
            the inverse relation, ascending; and that other edge, a stated one if there is any.
        type_indptr, type_class: int64 ``(N + 1,)`` and int32: class ids per entity.
        type_inferred: bool, aligned with ``type_class``: no load states it.
        origin_indptr: int32 ``(M + 1,)`` into ``origin_load`` (positions in ``loads``) and
            ``origin_row``: the statements that each edge rests on.
        entity_iris, relation_iris, class_iris, property_iris: sorted string tables.
        entity_labels and so on: aligned with the IRIs; never empty texts.
        attribute_indptr: int64 ``(N + 1,)`` into the literals, which are sorted by entity,
            property and value; one that several rows state is there several times.
        attribute_property, attribute_datatype, attribute_language: int32; the latter two are
            positions in the manifest's lists.
        attribute_value: the texts.
    """

    head: Ids
    relation: Ids
    tail: Ids
    out_indptr: Offsets
    in_head: Ids
    in_relation: Ids
    in_edge: Ids
    in_indptr: Offsets
    path_weight: npt.NDArray[np.float64]
    twin_edge: Ids
    twin_of: Ids
    type_indptr: Offsets
    type_class: Ids
    type_inferred: npt.NDArray[np.bool_]
    origin_indptr: Ids
    origin_load: Ids
    origin_row: npt.NDArray[np.uint32]
    attribute_indptr: Offsets
    attribute_property: Ids
    attribute_datatype: Ids
    attribute_language: Ids
    _ARRAYS = (
        *("head", "relation", "tail", "out_indptr", "in_head", "in_relation", "in_edge"),
        *(
            "in_indptr",
            "path_weight",
            "twin_edge",
            "twin_of",
            "type_indptr",
            "type_class",
            "type_inferred",
        ),
        *("origin_indptr", "origin_load", "origin_row"),
        *("attribute_indptr", "attribute_property", "attribute_datatype"),
        *("attribute_language", "attribute_load", "attribute_row"),
    )
    _TABLES = tuple(
        f"{kind}_{part}"
        for kind in ("entity", "relation", "class", "property")
        for part in ("iris", "labels")
    )
    entity_iris: StringTable
    relation_iris: StringTable
    class_iris: StringTable
    property_iris: StringTable
    entity_labels: StringTable
    relation_labels: StringTable
    class_labels: StringTable
    property_labels: StringTable

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder = folder
        self.id: str = folder.name
        self.manifest = manifest
        self.loads: list[dict[str, str]] = manifest["loads"]
        self.prefixes: dict[str, str] = manifest["prefixes"]
        self.base: str = manifest["base"]
        for name in self._ARRAYS:
            # As plain arrays: every slice of a memmap costs microseconds.
            mapped = np.load(folder / f"{name}.npy", mmap_mode="r")
            setattr(self, name, mapped.view(np.ndarray))
        for name in self._TABLES:
            setattr(self, name, StringTable.open(folder, name))
        self.attribute_value = StringTable.open(folder, "attribute_value")
        self.num_entities = len(self.entity_iris)
        self.num_relations = len(self.relation_iris)
        self.num_edges = len(self.head)

    @classmethod
    def open(cls, folder: Path) -> Snapshot:
        """Check manifest and sizes, and map the arrays. Cost does not grow with the graph.

        Raises:
            DamagedArtifact, FormatMismatch
        """
        manifest = open_artifact(folder, format=SNAPSHOT_FORMAT, again="sightline compile")
        try:
            return cls(folder, manifest)
        except (OSError, ValueError, KeyError) as error:
            raise DamagedArtifact(folder, str(error)) from error

    def triples(self) -> Ids:
        """All edges as int32 ``(M, 3)``: head, relation, tail."""
        return np.stack([self.head, self.relation, self.tail], axis=1)

    def held_out(self, role: str) -> Ids:
        """Triples of a benchmark's other files (``valid``, ``test``, ``..._negatives``).

        Returns:
            int32 ``(n, 3)``; empty where the workspace has none.
        """
        path = self.folder / f"held_out_{role}.npy"
        return np.load(path, mmap_mode="r") if path.exists() else np.zeros((0, 3), np.int32)

    @cached_property
    def degree(self) -> Ids:
        """Facts at each entity, in and out, twins counted once: int32 ``(N,)``."""
        again = np.concatenate([self.head[self.twin_edge], self.tail[self.twin_edge]])
        edges = np.diff(self.out_indptr) + np.diff(self.in_indptr)
        return (edges - np.bincount(again, minlength=self.num_entities)).astype(np.int32)

    @cached_property
    def fact_of(self) -> Ids:
        """The edge that stands for each edge and its twins, most for themselves: int32 ``(M,)``."""
        out = np.arange(self.num_edges, dtype=np.int32)
        out[self.twin_edge] = self.twin_of
        return out

    def twins(self, edge: int) -> list[int]:
        """The edges that say the same as ``edge``, itself among them, the one that stands for all
        first."""
        fact = int(self.fact_of[edge])
        facts, edges = self._twins_by_fact
        low, high = np.searchsorted(facts, [fact, fact + 1])
        return [fact, *edges[low:high].tolist()]

    @cached_property
    def _twins_by_fact(self) -> tuple[Ids, Ids]:
        order = np.argsort(self.twin_of, kind="stable")
        return self.twin_of[order], self.twin_edge[order]

    def types_of(self, entity: int) -> Ids:
        """Class ids of an entity."""
        return self.type_class[self.type_indptr[entity] : self.type_indptr[entity + 1]]

    def types_inferred(self, entity: int) -> npt.NDArray[np.bool_]:
        """Which of the types of an entity no load states: bool, aligned with ``types_of``."""
        return self.type_inferred[self.type_indptr[entity] : self.type_indptr[entity + 1]]

    @cached_property
    def edge_inferred(self) -> npt.NDArray[np.bool_]:
        """Edges that no load states, they were inferred: bool ``(M,)``."""
        inferred = np.array([load["role"] == "inferred" for load in self.loads])
        if not inferred.any():
            return np.zeros(self.num_edges, np.bool_)
        marks = inferred[self.origin_load]
        return np.logical_and.reduceat(marks, self.origin_indptr[:-1])

    def origins(self, edge: int) -> tuple[Origin, ...]:
        """Every statement that an edge rests on."""
        span = slice(self.origin_indptr[edge], self.origin_indptr[edge + 1])
        return self._origins_of(self.origin_load[span], self.origin_row[span])

    def loads_of(self, edges: Ids) -> Ids:
        """Positions in ``loads`` of the loads that some edges rest on, ascending."""
        _, position = expand_csr(self.origin_indptr, edges)
        return np.unique(self.origin_load[position]).astype(np.int32)

    def attributes(self, entity: int) -> list[Attribute]:
        """The literals of an entity, by property and value; each once, with all its origins."""
        start, end = self.attribute_indptr[entity : entity + 2]
        columns = [
            self._array(f"attribute_{name}")[start:end]
            for name in ("property", "datatype", "language", "load", "row")
        ]
        merged: dict[tuple[int, str, str, str | None], list[Origin]] = {}
        for i, (prop, datatype, language, load, row) in enumerate(zip(*columns)):
            key = (
                int(prop),
                self.attribute_value[int(start) + i],
                self.manifest["datatypes"][datatype],
                self.manifest["languages"][language],
            )
            merged.setdefault(key, []).extend(self._origins_of([load], [row]))
        return [Attribute(*key, origins=tuple(found)) for key, found in merged.items()]

    def curie(self, iri: str) -> str:
        """The short form of an IRI by the workspace's prefixes, or the IRI itself."""
        return contract(iri, self.prefixes)

    def iri(self, ref: str) -> str:
        """The IRI that a CURIE stands for; anything else comes back unchanged."""
        return expand(ref, self.prefixes) or ref

    def resolve_entity(self, ref: str) -> int:
        """The entity that an IRI, a CURIE, a raw id or a label names, in this order.

        Raises:
            BadReference: the text is empty.
            UnknownEntity: with the nearest labels.
            AmbiguousEntity: several entities share the label; all are named.
        """
        text = ref.strip().removeprefix("<").removesuffix(">")
        if not text:
            raise BadReference("entity", ref)
        for iri in (text, expand(text, self.prefixes), mint(self.base, "entity", text)):
            if iri is not None and (found := self.entity_iris.find(iri)) is not None:
                return found
        labelled = self.search_index.exact(text)
        same = [e for e in labelled if self.entity_labels[e] == text]
        candidates = same if len(same) == 1 else labelled
        if len(candidates) == 1:
            return int(candidates[0])
        if candidates:
            ranked = sorted(candidates, key=lambda e: (-int(self.degree[e]), e))
            raise AmbiguousEntity(ref, [self.describe(e) for e in ranked])
        nearest = self.search_index.nearest(text, self.degree)
        raise UnknownEntity(ref, [self.describe(e) for e in nearest])

    def resolve_relation(self, ref: str) -> int:
        """The relation that an IRI, a CURIE, a raw name or a label names.

        Raises:
            BadReference, UnknownRelation
        """
        tables = (self.relation_iris, self.relation_labels)
        found, near = _resolve_small(ref, "relation", *tables, self.prefixes, self.base)
        if found is None:
            raise UnknownRelation(ref, near)
        return found

    def resolve_class(self, ref: str) -> int:
        """The class that an IRI, a CURIE, a raw name or a label names.

        Raises:
            BadReference, UnknownClass
        """
        tables = (self.class_iris, self.class_labels)
        found, near = _resolve_small(ref, "class", *tables, self.prefixes, self.base)
        if found is None:
            raise UnknownClass(ref, near)
        return found

    def describe(self, entity: int) -> str:
        """Label, CURIE and types of an entity in one short text, to choose between candidates."""
        types = ", ".join(self.class_labels.take(self.types_of(entity)[:2]))
        curie = self.curie(self.entity_iris[entity])
        return f"{self.entity_labels[entity]} ({curie}{', ' + types if types else ''})"

    @cached_property
    def search_index(self) -> SearchIndex:
        """The label index, mapped when first used."""
        return SearchIndex.open(self.folder)

    def search(self, query: str, *, class_id: int | None = None, limit: int = 10) -> list[Match]:
        """Entities whose label, identifier or words of it match ``query``, best first.

        Accent and case do not matter. Rank: exact, prefix, prefix of a later word, one typo; then
        degree; then id. A CURIE or IRI finds its entity first.
        """
        direct = self.entity_iris.find(self.iri(query.strip()))
        allowed = None if class_id is None else self.members(class_id)
        found = self.search_index.search(query, self.degree, allowed, limit)
        if direct is None or (allowed is not None and not allowed[direct]):
            return found
        rest = [match for match in found if match.entity != direct]
        return [Match(direct, "exact"), *rest][:limit]

    def members(self, class_id: int) -> npt.NDArray[np.bool_]:
        """Which entities have a class: bool ``(N,)``."""
        members = np.flatnonzero(self.type_class == class_id)
        owners = np.searchsorted(self.type_indptr, members, side="right") - 1
        allowed = np.zeros(self.num_entities, np.bool_)
        allowed[owners] = True
        return allowed

    def _array(self, name: str) -> npt.NDArray[Any]:
        array: npt.NDArray[Any] = getattr(self, name)
        return array

    def _origins_of(self, loads: Iterable[int], rows: Iterable[int]) -> tuple[Origin, ...]:
        return tuple(
            Origin(self.loads[int(load)]["id"], self.loads[int(load)]["source"], int(row))
            for load, row in zip(loads, rows)
        )


def _resolve_small(
    ref: str, kind: Any, iris: StringTable, labels: StringTable, prefixes: Any, base: str
) -> tuple[int | None, list[str]]:
    """Find a relation or class, of which there are few: by IRI, CURIE, raw name or label."""
    import difflib

    text = ref.strip().removeprefix("<").removesuffix(">")
    if not text:
        raise BadReference(kind, ref)
    for iri in (text, expand(text, prefixes), mint(base, kind, text)):
        if iri is not None and (found := iris.find(iri)) is not None:
            return found, []
    names = [normalise(label) for label in labels]
    if normalise(text) in names:
        return names.index(normalise(text)), []
    near = difflib.get_close_matches(normalise(text), names, n=5, cutoff=0.5)
    return None, [labels[names.index(name)] for name in near] or list(labels[:5])
