"""What a SPARQL endpoint says of itself: SPARQL 1.1 Service Description. Evaluates nothing."""

from __future__ import annotations

from collections.abc import Iterator

from sightline.graph.rdf.sparql import TRIPLES
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.vocabulary import INFERRED_GRAPH, LOAD_GRAPH, RDF

SD = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS = "http://www.w3.org/ns/formats/"
_WRITTEN = (
    "SPARQL_Results_JSON",
    "SPARQL_Results_XML",
    "SPARQL_Results_CSV",
    "SPARQL_Results_TSV",
    "Turtle",
    "N-Triples",
    "JSON-LD",
    "RDF_XML",
    "N-Quads",
    "TriG",
)


def description(snapshot: Snapshot, endpoint: str, media_type: str) -> bytes:
    """The description, with the graph of each load of a snapshot.

    Args:
        endpoint: the address at which queries are answered.
        media_type: one of ``TRIPLES``.
    """
    import pyoxigraph

    assert media_type in TRIPLES
    triples = "\n".join(_triples(snapshot, endpoint)).encode()
    parsed = pyoxigraph.parse(triples, format=pyoxigraph.RdfFormat.N_TRIPLES)
    return (
        pyoxigraph.serialize(
            (quad.triple for quad in parsed),
            format=pyoxigraph.RdfFormat.from_media_type(media_type),
            prefixes={"sd": SD},
        )
        or b""
    )


def _triples(snapshot: Snapshot, endpoint: str) -> Iterator[str]:
    def said(subject: str, predicate: str, value: str) -> str:
        return f"{subject} <{SD}{predicate}> {value} ."

    def typed(subject: str, name: str) -> str:
        return f"{subject} <{RDF}type> <{SD}{name}> ."

    yield typed("_:service", "Service")
    yield said("_:service", "endpoint", f"<{endpoint}>")
    yield said("_:service", "supportedLanguage", f"<{SD}SPARQL11Query>")
    yield said("_:service", "feature", f"<{SD}UnionDefaultGraph>")
    for name in _WRITTEN:
        yield said("_:service", "resultFormat", f"<{_FORMATS}{name}>")
    yield said("_:service", "defaultDataset", "_:dataset")
    yield typed("_:dataset", "Dataset")
    yield said("_:dataset", "defaultGraph", "_:default")
    yield typed("_:default", "Graph")
    roles = [(load["id"], load["role"]) for load in snapshot.manifest["loads"]]
    graphs = [LOAD_GRAPH + name for name, role in roles if role == "facts"]
    graphs += [INFERRED_GRAPH] if any(role == "inferred" for _, role in roles) else []
    for number, graph in enumerate(graphs):
        yield said("_:dataset", "namedGraph", f"_:named{number}")
        yield typed(f"_:named{number}", "NamedGraph")
        yield said(f"_:named{number}", "name", f"<{graph}>")
        yield said(f"_:named{number}", "graph", f"_:graph{number}")
        yield typed(f"_:graph{number}", "Graph")
