"""A neighbourhood in the formats of other tools: Cytoscape JSON, GraphML and JSON-LD.

Knows those formats; knows no route. Loads what writes them when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sightline.graph.exchange.drawing import cytoscape, graphml
from sightline.graph.vocabulary import RDFS_LABEL

if TYPE_CHECKING:
    import networkx as nx

    from sightline.insights.ask import Sightline
    from sightline.insights.kind import Render
    from sightline.insights.kinds.neighborhood import Neighborhood, Node

CYTOSCAPE = "application/vnd.cytoscape+json"
GRAPHML = "application/graphml+xml"
JSON_LD = "application/ld+json"


def to_networkx(found: Neighborhood) -> nx.MultiDiGraph[str]:
    """Nodes with label, IRI, types and degree; edges with label and IRI of their relation,
    and whether they are stated, inferred, predicted or extracted. Nothing of what was excluded."""
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(name=found.center.label)
    for n in found.nodes:
        types = "; ".join(n.types)
        graph.add_node(n.id, label=n.label, iri=n.iri, types=types, degree=n.degree)
    for i, edge in enumerate(found.edges):
        about: dict[str, object] = {"label": edge.relation.label, "iri": edge.relation.iri}
        about["status"] = edge.status
        if edge.probability is not None:
            about["probability"] = edge.probability
        if edge.source in graph and edge.target in graph:
            graph.add_edge(edge.source, edge.target, key=f"e{i}", **about)
    return graph


def to_json_ld(found: Neighborhood, sight: Sightline) -> bytes:
    """JSON-LD in which every key is an absolute IRI, so that no context is to be fetched. Triples
    cannot say that they are predicted or extracted: what is, is left out."""
    import orjson

    items: dict[str, dict[str, object]] = {
        node.id: {
            "@id": node.iri,
            "@type": _class_iris(node, sight),
            RDFS_LABEL: [{"@value": node.label}],
        }
        for node in found.nodes
    }
    for edge in found.edges:
        if (
            edge.status in ("predicted", "extracted")
            or not {edge.source, edge.target} <= items.keys()
        ):
            continue
        values = items[edge.source].setdefault(edge.relation.iri, [])
        assert isinstance(values, list)
        values.append({"@id": items[edge.target]["@id"]})
    return orjson.dumps({"@graph": list(items.values())})


def _class_iris(node: Node, sight: Sightline) -> list[str]:
    snapshot = sight.snapshot
    entity = snapshot.entity_iris.find(node.iri)
    return [] if entity is None else snapshot.class_iris.take(snapshot.types_of(entity))


#: Media types of a neighbourhood besides JSON.
FORMATS: dict[str, Render] = {
    CYTOSCAPE: lambda found, sight: cytoscape(to_networkx(found)),
    GRAPHML: lambda found, sight: graphml(to_networkx(found)),
    JSON_LD: to_json_ld,
}
