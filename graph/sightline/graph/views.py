"""The graph as other libraries' objects.

Knows how a snapshot becomes a NetworkX graph; imports the library only when asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from sightline.graph.snapshot import Snapshot

if TYPE_CHECKING:
    import networkx as nx


def to_networkx(snapshot: Snapshot, entities: Iterable[int] | None = None) -> nx.MultiDiGraph[str]:
    """The graph, or the subgraph induced by ``entities``, as a ``MultiDiGraph``.

    Nodes are entity IRIs with ``label``, ``types`` (labels) and ``attributes`` (property label to
    values). Edges are keyed by relation IRI and carry ``label``, ``path_weight`` and ``inferred``.
    """
    import networkx as nx

    chosen = np.arange(snapshot.num_entities) if entities is None else np.unique(list(entities))
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
    return graph
