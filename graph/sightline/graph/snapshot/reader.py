"""A snapshot: the compiled graph, memory-mapped and read-only.

Knows what names mean: IRIs, CURIEs, labels. The arrays are those of ``sections``. Knows no path
search and no model. Imports NumPy and numba only, so that training and serving can both read it.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sightline.graph.record.places import TableRows
from sightline.graph.snapshot import sections
from sightline.graph.snapshot.errors import (
    AmbiguousClass,
    AmbiguousEntity,
    AmbiguousProperty,
    AmbiguousQualifier,
    AmbiguousRelation,
    BadReference,
    NothingCompiled,
    UnknownClass,
    UnknownEntity,
    UnknownProperty,
    UnknownQualifier,
    UnknownRelation,
)
from sightline.graph.snapshot.search import Match, normalise
from sightline.graph.snapshot.sections.axioms import Axioms
from sightline.graph.snapshot.sections.copies import Copies
from sightline.graph.snapshot.sections.extracted import Extracted
from sightline.graph.snapshot.sections.held_out import HeldOut
from sightline.graph.snapshot.sections.merges import Merged
from sightline.graph.snapshot.sections.names import Names
from sightline.graph.snapshot.sections.qualifiers import Qualifiers
from sightline.graph.snapshot.sections.rules import MinedRules
from sightline.graph.snapshot.sections.search import Search
from sightline.graph.snapshot.sections.types import Types
from sightline.graph.storage.artifact import open_artifact, read_manifest
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.strings import StringTable
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import Kind, contract, expand, mint, united

#: Version of a snapshot: one of another version is not read, compiling makes it again.
SNAPSHOT_FORMAT = 9
#: Names that are compared with an unknown one letter by letter, and its pairs of letters that say
#: which; a name has hardly more.
MOST_COMPARED, MOST_PAIRS = 500, 50


def served_snapshot(workspace: Workspace) -> Snapshot:
    """The served snapshot, memory-mapped.

    Raises:
        NothingCompiled, DamagedArtifact, FormatMismatch
    """
    current = workspace.current
    if current.snapshot is None:
        raise NothingCompiled(workspace.path)
    return Snapshot.open(workspace.snapshots / current.snapshot)


def snapshot_format(workspace: Workspace) -> int | None:
    """The version of the served snapshot; None where there is none that can be read."""
    try:
        found = read_manifest(workspace.snapshots / (workspace.current.snapshot or "none"))
    except DamagedArtifact:
        return None
    return found.get("format")


class Snapshot(
    Merged, Qualifiers, Extracted, Types, Axioms, HeldOut, Names, Search, Copies, MinedRules
):
    """An opened snapshot: ids, arrays, labels, and where each edge came from.

    Attributes:
        id: 16 hex digits.
        num_entities, num_relations, num_edges: N, R, M.
        prefixes, base: of the settings that it was compiled with.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        self.folder = folder
        self.id = folder.name
        self.manifest = manifest
        self.loads: list[dict[str, Any]] = [
            {**load, "tables": [TableRows(**table) for table in load["tables"]]}
            for load in manifest["loads"]
        ]
        self.prefixes: dict[str, str] = manifest["prefixes"]
        self.base: str = manifest["base"]
        present = [section for section in sections.SECTIONS if section.is_in(manifest)]
        for section in present:
            section.map(self)
        self.num_entities = len(self.entity_iris)
        self.num_relations = len(self.relation_iris)
        for section in present:
            section.check(self)

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

    def curie(self, iri: str) -> str:
        """The short form of an IRI by the workspace's prefixes, or the IRI itself."""
        return contract(iri, self.prefixes)

    def iri(self, ref: str) -> str:
        """The IRI that a CURIE stands for; anything else comes back as it is."""
        return united(expand(ref, self.prefixes) or ref)

    def resolve_entity(self, ref: str) -> int:
        """The entity that an IRI or a CURIE names, else a raw id or a label: of those alike but for
        case, accents and punctuation the only one that is written so.

        Raises:
            BadReference: the text is empty.
            UnknownEntity: with the nearest labels.
            AmbiguousEntity: several entities share the name; all are named.
        """
        text = ref.strip()
        found = self._identified(ref, "entity")
        if found is not None:
            return found
        candidates = self._meant("entity", text, self.search_index.exact(text))
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            ranked = sorted(candidates, key=lambda e: (-int(self.degree[e]), e))
            raise AmbiguousEntity(ref, [self.describe(e) for e in ranked])
        nearest = self.search_index.nearest(text, self.degree)
        raise UnknownEntity(ref, [self.describe(e) for e in nearest])

    def resolve_relation(self, ref: str) -> int:
        """The relation that an IRI, a CURIE, a raw name or a label names.

        Raises:
            BadReference, UnknownRelation
            AmbiguousRelation: several relations share the label; all are named.
        """
        return self._one_of_few(ref, "relation", UnknownRelation, AmbiguousRelation)

    def resolve_class(self, ref: str) -> int:
        """The class that an IRI, a CURIE, a raw name or a label names.

        Raises:
            BadReference, UnknownClass
            AmbiguousClass: several classes share the label; all are named.
        """
        return self._one_of_few(ref, "class", UnknownClass, AmbiguousClass)

    def resolve_property(self, ref: str) -> int:
        """The property that an IRI, a CURIE, a raw name or a label names, of those that entities
        have literals of.

        Raises:
            BadReference, UnknownProperty
            AmbiguousProperty: several share the label; all are named.
        """
        among = np.unique(self.attribute_property).tolist()
        return self._one_of_few(ref, "property", UnknownProperty, AmbiguousProperty, among)

    def resolve_qualifier(self, ref: str) -> int:
        """The property that an IRI, a CURIE, a raw name or a label names, of those that statements
        say of themselves.

        Raises:
            BadReference, UnknownQualifier
            AmbiguousQualifier: several share the label; all are named.
        """
        among = self.qualifying()
        return self._one_of_few(ref, "property", UnknownQualifier, AmbiguousQualifier, among)

    def describe(self, entity: int) -> str:
        """Label, CURIE and types of an entity in one short text, to choose between candidates."""
        types = ", ".join(self.class_labels.take(self.types_of(entity)[:2]))
        curie = self.curie(self.entity_iris[entity])
        return f"{self.entity_labels[entity]} ({curie}{', ' + types if types else ''})"

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

    def _identified(self, ref: str, kind: Kind) -> int | None:
        """What a reference names as an IRI, which may stand in ``<>``, or a CURIE."""
        text = ref.strip()
        if not text:
            raise BadReference(kind, ref)
        bare = text[1:-1] if text[0] == "<" and text[-1] == ">" else text
        iris: StringTable = getattr(self, f"{kind}_iris")
        found = iris.find(united(bare))
        if found is None and (iri := expand(bare, self.prefixes)) is not None:
            found = iris.find(united(iri))
        if found is None and kind == "entity" and self.has_merges:
            found = self.merged(self.iri(bare))
        return found

    def _meant(self, kind: Kind, text: str, alike: Sequence[int]) -> list[int]:
        """What a name may mean: the one thing that it is the raw id or the label of, exactly as it
        is written; else all of those, and all that have a label ``alike``."""
        labels: StringTable = getattr(self, f"{kind}_labels")
        iris: StringTable = getattr(self, f"{kind}_iris")
        raw = iris.find(united(mint(self.base, kind, text)))
        exact = {int(i) for i in alike if labels[i] == text}
        if raw is not None:
            exact.add(raw)
        return sorted(exact if len(exact) == 1 else exact.union(map(int, alike)))

    def _one_of_few(
        self,
        ref: str,
        kind: Kind,
        unknown: type[UnknownRelation | UnknownClass | UnknownProperty | UnknownQualifier],
        ambiguous: type[
            AmbiguousRelation | AmbiguousClass | AmbiguousProperty | AmbiguousQualifier
        ],
        among: Sequence[int] | None = None,
    ) -> int:
        import difflib

        text, found = ref.strip(), self._identified(ref, kind)
        labels: StringTable = getattr(self, f"{kind}_labels")
        among = range(len(labels)) if among is None else among
        if found is not None and found in among:
            return found
        asked = normalise(text)
        names = dict(zip(among, map(normalise, labels.take(list(among)))))
        alike = [i for i, name in names.items() if name == asked]
        candidates = [i for i in self._meant(kind, text, alike) if i in among]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            iris: StringTable = getattr(self, f"{kind}_iris")
            raise ambiguous(ref, [f"{labels[i]} ({self.curie(iris[i])})" for i in candidates])
        near = [name for name in names.values() if f" {asked} " in f" {name} "][:5]
        near += difflib.get_close_matches(asked, _likest(asked, names.values()), n=5, cutoff=0.5)
        known = {name: labels[i] for i, name in reversed(names.items())}
        raise unknown(
            ref, [known[name] for name in dict.fromkeys(near)][:5] or labels.take(list(among)[:5])
        )


def _likest(asked: str, names: Collection[str]) -> Collection[str]:
    """Those of many names that share most pairs of letters with a text: comparing a text with a
    million names letter by letter takes a minute."""
    if len(names) <= MOST_COMPARED:
        return names
    pairs = {asked[i : i + 2] for i in range(min(len(asked) - 1, MOST_PAIRS))}
    return heapq.nlargest(
        MOST_COMPARED, names, key=lambda name: sum(pair in name for pair in pairs) / (9 + len(name))
    )
