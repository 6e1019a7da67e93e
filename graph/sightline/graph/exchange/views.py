"""The graph as other libraries' objects.

Two ways to NetworkX: ``to_networkx`` copies everything into dictionaries, ``networkx_view`` copies
nothing. Copying 200,000 edges takes three to six times as long as PageRank, components or shortest
paths on the view; each of these is then 1.4 to 7 times faster on the copy. So look once, copy for
more.

Knows how a snapshot becomes a NetworkX graph; imports the library only when asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sightline.graph.arrays import Ids, Offsets
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.statement import Origin

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(snapshot: Snapshot, entities: Iterable[int] | None = None) -> nx.MultiDiGraph[str]:
    """The graph, or the subgraph induced by ``entities``, as a ``MultiDiGraph``.

    Nodes are entity IRIs with ``label``, ``types`` (labels) and ``attributes`` (property label to
    values). Edges are keyed by relation IRI and carry ``label``, ``path_weight`` and ``inferred``,
    and ``qualifiers`` where their statements have any: for each statement IRI to values.
    """
    import networkx as nx

    every = range(snapshot.num_entities)
    chosen = np.unique(np.fromiter(every if entities is None else entities, np.int64))
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    iri = dict(zip(chosen.tolist(), snapshot.entity_iris.take(chosen)))
    for entity, name in iri.items():
        values: dict[str, list[str]] = {}
        for attribute in snapshot.attributes(entity):
            key = snapshot.property_labels[attribute.property]
            values.setdefault(key, []).append(attribute.value)
        graph.add_node(
            name,
            label=snapshot.entity_labels[entity],
            types=snapshot.class_labels.take(snapshot.types_of(entity)),
            attributes=values,
        )
    inside = np.zeros(snapshot.num_entities, np.bool_)
    inside[chosen] = True
    edges = np.flatnonzero(inside[snapshot.head] & inside[snapshot.tail])
    relations = list(zip(snapshot.relation_iris, snapshot.relation_labels))
    triple = (snapshot.head, snapshot.relation, snapshot.tail)
    columns = (*triple, snapshot.path_weight, snapshot.edge_inferred)
    for h, r, t, weight, inferred in zip(*(column[edges].tolist() for column in columns)):
        key, label = relations[r]
        data = {"label": label, "path_weight": weight, "inferred": inferred}
        graph.add_edge(iri[h], iri[t], key=key, **data)
    if snapshot.qualified:
        for edge in edges.tolist():
            said: dict[Origin, dict[str, list[str | int | float]]] = {}
            for one in snapshot.qualifiers(edge):
                key = snapshot.property_iris[one.property]
                said.setdefault(one.origin, {}).setdefault(key, []).append(one.value)
            if said:
                h, r, t = (int(column[edge]) for column in triple)
                graph.edges[iri[h], iri[t], relations[r][0]]["qualifiers"] = [*said.values()]
    return graph


def networkx_view(snapshot: Snapshot) -> nx.MultiDiGraph[int]:
    """The graph as a read-only ``MultiDiGraph`` that looks into the arrays of the snapshot.

    Nodes are entity ids with ``iri`` and ``label``. Edges are keyed by relation id and carry
    ``path_weight`` and ``inferred``. What would change the graph raises ``NetworkXError``;
    ``copy()`` gives a graph that may be changed.
    """
    import networkx as nx

    s, graph = snapshot, nx.MultiDiGraph()
    graph._node = _Nodes(s)
    every = np.arange(s.num_edges, dtype=np.int32)
    graph._adj = _Rows(s, s.out_indptr, s.tail, every)
    graph._pred = _Rows(s, s.in_indptr, s.in_head, s.in_edge)
    return nx.freeze(graph)


class _Nodes(Mapping[int, dict[str, str]]):
    """Entity id to its data."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def __len__(self) -> int:
        return self._snapshot.num_entities

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __contains__(self, entity: object) -> bool:
        return isinstance(entity, int | np.integer) and 0 <= int(entity) < len(self)

    def __getitem__(self, entity: int) -> dict[str, str]:
        if entity not in self:
            raise KeyError(entity)
        s = self._snapshot
        return {"iri": s.entity_iris[entity], "label": s.entity_labels[entity]}


class _Rows(_Nodes):
    """Entity id to its neighbours on one side: neighbour, relation, data of the edge."""

    def __init__(self, snapshot: Snapshot, indptr: Offsets, neighbour: Ids, edge: Ids) -> None:
        super().__init__(snapshot)
        self._indptr, self._neighbour, self._edge = indptr, neighbour, edge

    def __getitem__(self, entity: int) -> dict[int, dict[int, dict[str, Any]]]:  # type: ignore[override]
        if entity not in self:
            raise KeyError(entity)
        s, span = self._snapshot, slice(self._indptr[entity], self._indptr[entity + 1])
        edges = self._edge[span]
        columns = (s.relation[edges], s.path_weight[edges], s.edge_inferred[edges])
        row: dict[int, dict[int, dict[str, Any]]] = {}
        for neighbour, relation, weight, inferred in zip(
            self._neighbour[span].tolist(), *(column.tolist() for column in columns)
        ):
            data = {"path_weight": weight, "inferred": inferred}
            row.setdefault(neighbour, {})[relation] = data
        return row
