"""A neighbourhood in the formats of other tools: Cytoscape JSON, GraphML and JSON-LD.

Knows those formats; knows no route. Loads what writes them when they are asked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sightline.graph.vocabulary import RDFS_LABEL

if TYPE_CHECKING:
    from sightline.insights.ask import Sightline
    from sightline.insights.kind import Render
    from sightline.insights.kinds.neighborhood import Neighborhood, Node

CYTOSCAPE = "application/vnd.cytoscape+json"
GRAPHML = "application/graphml+xml"
JSON_LD = "application/ld+json"

#: What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_cytoscape(found: Neighborhood, sight: Sightline) -> bytes:
    """Cytoscape.js and Cytoscape Desktop JSON."""
    import orjson

    nodes = [
        {"id": n.id, "label": n.label, "iri": n.iri, "types": n.types, "degree": n.degree}
        for n in found.nodes
    ]
    edges = [
        {
            "id": f"e{i}",
            "source": edge.source,
            "target": edge.target,
            "interaction": edge.relation.label,
            "relation": edge.relation.id,
        }
        for i, edge in enumerate(found.edges)
    ]
    elements = {"nodes": [{"data": n} for n in nodes], "edges": [{"data": e} for e in edges]}
    return orjson.dumps({"data": {"name": found.center.label}, "elements": elements})


_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="label" for="all" attr.name="label" attr.type="string"/>
<key id="iri" for="all" attr.name="iri" attr.type="string"/>
<key id="types" for="node" attr.name="types" attr.type="string"/>
<key id="degree" for="node" attr.name="degree" attr.type="int"/>
<graph edgedefault="directed">
"""


def to_graphml(found: Neighborhood, sight: Sightline) -> bytes:
    """GraphML with labels, IRIs, types and degrees."""
    lines = [_HEAD]
    for node in found.nodes:
        values = {"label": node.label, "iri": node.iri, "types": "; ".join(node.types)}
        data = _data({**values, "degree": str(node.degree)})
        lines.append(f"<node id={_attribute(node.id)}>{data}</node>\n")
    for i, edge in enumerate(found.edges):
        ends = f"source={_attribute(edge.source)} target={_attribute(edge.target)}"
        data = _data({"label": edge.relation.label, "iri": edge.relation.iri})
        lines.append(f'<edge id="e{i}" {ends}>{data}</edge>\n')
    return "".join([*lines, "</graph>\n</graphml>\n"]).encode()


def _data(values: dict[str, str]) -> str:
    from xml.sax.saxutils import escape

    return "".join(f'<data key="{k}">{escape(_xml(v))}</data>' for k, v in values.items())


def _attribute(text: str) -> str:
    from xml.sax.saxutils import quoteattr

    return quoteattr(_xml(text))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def to_json_ld(found: Neighborhood, sight: Sightline) -> bytes:
    """JSON-LD in which every key is an absolute IRI, so that no context is to be fetched."""
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
    CYTOSCAPE: to_cytoscape,
    GRAPHML: to_graphml,
    JSON_LD: to_json_ld,
}
