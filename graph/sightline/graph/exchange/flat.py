"""The compiled graph as programs that draw have it: nodes and edges with texts and numbers.

One attribute of the graph says what those of nodes and edges stand for, IRI and datatype, so that
the graph loads back as it was. Knows snapshots and how cells hold several values; knows no format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, count
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sightline.graph.vocabulary import OWL, mint, readable_name

if TYPE_CHECKING:
    import networkx as nx

    from sightline.graph.snapshot.reader import Snapshot
    from sightline.graph.snapshot.statement import Origin

_Edge = tuple[str, str, str, dict[str, Any], dict[str, list[Any]]]
#: The attribute of the graph that says what those of nodes and edges mean.
MEANING = "sightline"
#: What a thing that is a class is called in ``types``.
CLASS = "owl:Class"
#: Follows the name of a qualifier, and of a literal, that something else is called by.
QUALIFIER_MARK = " (qualifier)"
ATTRIBUTE_MARK = " (attribute)"
#: What formats and programs call nodes and edges by.
OF_NODES = ("id", "label", "name", "types", "types (inferred)", "value")
OF_EDGES = (
    *("id", "inferred", "interaction", "key", "label", "name", "path_weight", "relation"),
    *("source", "target"),
)
#: A text that a cell of several values, or XML, does not hold as it is.
_ODD = re.compile(r"^$|^\s|\s$|^\[|;|[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Said:
    """What an attribute stands for.

    Attributes:
        datatype: None where its values are IRIs.
        several: its cells are those of ``cell``.
    """

    iri: str
    datatype: str | None
    language: str | None = None
    several: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the attributes of a flat graph stand for.

    Attributes:
        nodes, edges: by the name of the attribute. Others say nothing.
        types: IRIs of types by the names in ``types``.
        labels: those of relations, types and properties, by IRI.
    """

    nodes: dict[str, Said] = field(default_factory=dict)
    edges: dict[str, Said] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """As one text."""
        return json.dumps(asdict(self), ensure_ascii=True, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Meaning | None:
        """What ``text`` wrote; None for any other text."""
        try:
            found = json.loads(text)
            nodes, edges = (
                {k: Said(**v) for k, v in found[of].items()} for of in ("nodes", "edges")
            )
            return cls(nodes, edges, dict(found["types"]), dict(found["labels"]))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None


def cell(values: Sequence[str]) -> str:
    """Several values in one text, for people where they are plain: ``-4; 3``."""
    return json.dumps(values) if any(map(_ODD.search, values)) else "; ".join(values)


def values_in(text: str) -> list[str]:
    """The values that ``cell`` put in a text."""
    if not text.startswith("["):
        return text.split("; ")
    try:
        return list(map(str, json.loads(text)))
    except ValueError:
        return [text]


def flat(snapshot: Snapshot) -> nx.MultiDiGraph[str]:
    """The graph with texts and numbers as attributes, and a number as the key of each edge. An edge
    whose statements say different things of themselves is several."""
    import networkx as nx

    meaning = Meaning(labels=_labels(snapshot))
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    _add_nodes(graph, snapshot, meaning)
    _add_edges(graph, snapshot, meaning)
    graph.graph[MEANING] = meaning.text()
    return graph


def column(snapshot: Snapshot, iri: str, taken: Collection[str]) -> str:
    """What a qualifier is called beside other columns: its raw name, or its CURIE or IRI."""
    start = mint(snapshot.base, "property", "")
    name = unquote(iri.removeprefix(start)) if iri.startswith(start) else snapshot.curie(iri)
    return f"{name}{QUALIFIER_MARK}" if name in taken else name


def _labels(snapshot: Snapshot) -> dict[str, str]:
    """Labels that do not follow from the IRI; those of entities are literals of nodes."""
    found = {}
    for kind in ("relation", "class", "property"):
        iris, labels = getattr(snapshot, f"{kind}_iris"), getattr(snapshot, f"{kind}_labels")
        for iri, label in zip(iris, labels):
            if label != readable_name(iri) and snapshot.entity_iris.find(iri) is None:
                found[iri] = label
    return found


class _Names:
    """Names attributes so that each means one thing."""

    def __init__(self, reserved: Collection[str]) -> None:
        self._reserved = reserved
        self._names: dict[Said, str] = {}

    def of(self, said: Said, name: str, mark: str, tag: str) -> str:
        """The name of what ``said`` says: a plain one, or with what tells it from others.

        Args:
            mark: tells it from what programs call nodes and edges by.
            tag: tells it from values of another datatype or language.
        """
        if said not in self._names:
            taken = {*self._names.values(), *self._reserved}
            name = f"{name}{mark}" if name in self._reserved else name
            numbered = (f"{name}{tag} {i}" for i in count(2))
            self._names[said] = next(
                n for n in chain((name, name + tag), numbered) if n not in taken
            )
        return self._names[said]

    def meant(self, several: Collection[str]) -> dict[str, Said]:
        """What the names stand for."""
        return {name: replace(said, several=name in several) for said, name in self._names.items()}


def _several(rows: Iterable[dict[str, list[Any]]]) -> set[str]:
    """The attributes whose values are not always one plain text or number."""
    return {
        name
        for values in rows
        for name, found in values.items()
        if len(found) > 1 or _ODD.search(str(found[0]))
    }


def _cells(values: dict[str, list[Any]], several: Collection[str]) -> dict[str, Any]:
    return {
        name: cell(list(map(str, found))) if name in several else found[0]
        for name, found in values.items()
    }


def _add_nodes(graph: nx.MultiDiGraph[str], snapshot: Snapshot, meaning: Meaning) -> None:
    s = snapshot
    inferred = {load["id"] for load in s.loads if load["role"] == "inferred"}
    types = _types(s, meaning)
    said, known = _Names(OF_NODES), []
    for entity, iri in enumerate(s.entity_iris):
        span = slice(s.type_indptr[entity], s.type_indptr[entity + 1])
        of = [(types[c], i) for c, i in zip(s.type_class[span].tolist(), s.type_inferred[span])]
        stated = [name for name, follows in of if not follows]
        following = [name for name, follows in of if follows]
        if s.class_iris.find(iri) is not None:  # a thing that is a class, as in an ontology
            stated.append(CLASS)
        data = {"label": s.entity_labels[entity], "types": "; ".join(stated)}
        if following:
            data["types (inferred)"] = "; ".join(following)
        values: dict[str, list[Any]] = {}
        for one in s.attributes(entity):
            label = s.property_labels[one.property]
            if all(origin.load in inferred for origin in one.origins):
                name = f"{label} (inferred)"
            else:
                kind = Said(s.property_iris[one.property], one.datatype, one.language)
                tag = one.language or readable_name(one.datatype)
                name = said.of(kind, label, ATTRIBUTE_MARK, f" ({tag})")
            values.setdefault(name, []).append(one.value)
        known.append((iri, data, values))
    several = _several(values for _, _, values in known)
    for iri, data, values in known:
        graph.add_node(iri, **data, **_cells(values, several))
    meaning.nodes.update(said.meant(several))


def _types(snapshot: Snapshot, meaning: Meaning) -> list[str]:
    """What each class is called in ``types``: its label, or its IRI where that leaves doubt."""
    names = []
    meaning.types[CLASS] = OWL + "Class"
    for iri, label in zip(snapshot.class_iris, snapshot.class_labels):
        plain = label not in meaning.types and not _ODD.search(label)
        names.append(label if plain else snapshot.curie(iri))
        meaning.types[names[-1]] = iri
    return names


def _add_edges(graph: nx.MultiDiGraph[str], snapshot: Snapshot, meaning: Meaning) -> None:
    said = _Names(OF_EDGES)
    edges: Iterable[_Edge] = _edges(snapshot, said)
    several: set[str] = set()
    if snapshot.qualified:
        edges = list(edges)
        several = _several(values for *_, values in edges)
    for head, tail, key, own, values in edges:
        graph.add_edge(head, tail, key=key, **own)
        graph.edges[head, tail, key].update(_cells(values, several))
    meaning.edges.update(said.meant(several))


def _edges(snapshot: Snapshot, said: _Names) -> Iterator[_Edge]:
    """Each edge: its ends, its key, what every edge has, and what a statement says of it."""
    s = snapshot
    iris = s.entity_iris[:]
    relations = list(zip(s.relation_iris, s.relation_labels))
    arrays = (s.head, s.relation, s.tail, s.path_weight, s.edge_inferred)
    for i, (h, r, t, weight, inferred) in enumerate(zip(*(array[:].tolist() for array in arrays))):
        relation, label = relations[r]
        own = {"relation": relation, "label": label, "path_weight": weight, "inferred": inferred}
        by_origin: dict[Origin, dict[str, list[Any]]] = {}
        for one in s.qualifiers(i):
            kind = Said(s.property_iris[one.property], one.datatype, one.language)
            tag = one.language or readable_name(one.datatype or "IRI")
            name = said.of(kind, column(s, kind.iri, ()), QUALIFIER_MARK, f" ({tag})")
            by_origin.setdefault(one.origin, {}).setdefault(name, []).append(one.value)
        distinct = {json.dumps(values): values for values in by_origin.values()} or {"": {}}
        for j, (_, values) in enumerate(sorted(distinct.items())):
            yield iris[h], iris[t], f"e{i}.{j}" if j else f"e{i}", own, values
