"""A NetworkX graph as text for programs that draw: GraphML and Cytoscape JSON.

Knows these formats; knows no snapshot. The attributes of nodes and edges must be texts or numbers;
the attribute ``label`` names them.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

#: What XML 1.0 cannot hold, not even escaped.
NOT_XML = "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def graphml(graph: nx.MultiDiGraph[str]) -> bytes:
    """The graph as GraphML, with U+FFFD for what XML cannot hold."""
    import networkx as nx

    stream = io.BytesIO()
    nx.write_graphml_xml(graph, stream)
    return re.sub(NOT_XML, "\ufffd", stream.getvalue().decode()).encode()


def cytoscape(graph: nx.MultiDiGraph[str]) -> bytes:
    """The graph as Cytoscape JSON."""
    import networkx as nx
    import orjson

    return orjson.dumps(nx.cytoscape_data(graph, name="label"))
