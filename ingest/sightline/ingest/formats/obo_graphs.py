"""OBO Graphs JSON: an ontology as nodes and edges, read as the RDF that it was made of.

Knows which properties its words stand for; what becomes of statements is known by ``rdf``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pyoxigraph as ox

from sightline.graph.record.loads import Note
from sightline.graph.vocabulary import OBO, OBO_IN_OWL, OWL, RDF_TYPE, RDFS, RDFS_LABEL
from sightline.ingest.batch import few_of
from sightline.ingest.errors import SourceSyntaxError, SourceUnreadable
from sightline.ingest.formats.rdf import read
from sightline.ingest.source import Source, StatementFormat
from sightline.ingest.streams import ByteStream

TYPES = {
    "CLASS": OWL + "Class",
    "INDIVIDUAL": OWL + "NamedIndividual",
    "PROPERTY": OWL + "ObjectProperty",
}
RELATIONS = {
    "is_a": RDFS + "subClassOf",
    "subPropertyOf": RDFS + "subPropertyOf",
    "inverseOf": OWL + "inverseOf",
    "type": RDF_TYPE,
}
#: What is left out of a graph, and how it is called.
LEFT = {
    "logicalDefinitionAxioms": "logical definitions",
    "domainRangeAxioms": "domains and ranges",
    "propertyChainAxioms": "property chains",
}
CURIE = re.compile(r"([A-Za-z][\w.]*):([A-Za-z0-9_.-]+)")
#: The key of the graphs, and one that only their nodes or edges have.
_GRAPHS, _OWN = re.compile(rb'"graphs"\s*:\s*\['), re.compile(rb'"(lbl|sub|pred)"\s*:')


def _recognises(head: bytes) -> bool:
    begin = head.lstrip()[:4096]
    return begin.startswith(b"{") and bool(_GRAPHS.search(begin)) and bool(_OWN.search(head))


def _opened(source: Source, stream: ByteStream, notes: list[Note]) -> bytes:
    """The document as N-Triples. Raises SourceSyntaxError, SourceUnreadable."""
    data = stream.whole("convert it to RDF/XML with robot")
    try:
        graphs = json.loads(data)["graphs"]
        prefixes: dict[str, None] = {}
        triples = (triple for graph in graphs for triple in _triples(graph, prefixes))
        found = ox.serialize(triples, format=ox.RdfFormat.N_TRIPLES) or b""
        notes += _notes(graphs, list(prefixes))
        return found
    except json.JSONDecodeError as error:
        raise SourceSyntaxError(source.path, error.lineno, f"no JSON: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise SourceUnreadable(source.path, "it is no UTF-8; save it as UTF-8") from error
    except RecursionError as error:
        raise SourceUnreadable(source.path, "it is nested too deep") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"it is no sound OBO Graphs JSON ({type(error).__name__}: {str(error)[:100]})"
        raise SourceUnreadable(source.path, reason) from error


def _triples(graph: dict[str, Any], prefixes: dict[str, None]) -> Iterator[ox.Triple]:
    def iri(name: str) -> str:
        return _iri(name, prefixes)

    def node_of(name: str) -> ox.NamedNode:
        return ox.NamedNode(iri(name))

    for node in graph.get("nodes") or ():
        subject = node_of(node["id"])
        if kind := TYPES.get(node.get("type", "")):
            yield ox.Triple(subject, ox.NamedNode(RDF_TYPE), ox.NamedNode(kind))
        if node.get("lbl"):
            yield ox.Triple(subject, ox.NamedNode(RDFS_LABEL), ox.Literal(node["lbl"]))
        for predicate, value in _said(node.get("meta") or {}, iri):
            yield ox.Triple(subject, ox.NamedNode(predicate), value)
    for edge in graph.get("edges") or ():
        relation = RELATIONS.get(edge["pred"]) or iri(edge["pred"])
        yield ox.Triple(node_of(edge["sub"]), ox.NamedNode(relation), node_of(edge["obj"]))
    for same in graph.get("equivalentNodesSets") or ():
        first, *others = same["nodeIds"]
        for other in others:
            yield ox.Triple(node_of(first), ox.NamedNode(OWL + "equivalentClass"), node_of(other))


def _said(
    meta: dict[str, Any], iri: Callable[[str], str]
) -> Iterator[tuple[str, ox.Literal | ox.NamedNode]]:
    if meta.get("definition"):
        yield OBO + "IAO_0000115", ox.Literal(meta["definition"]["val"])
    for text in meta.get("comments") or ():
        yield RDFS + "comment", ox.Literal(text)
    for synonym in meta.get("synonyms") or ():
        yield OBO_IN_OWL + synonym.get("pred", "hasExactSynonym"), ox.Literal(synonym["val"])
    for xref in meta.get("xrefs") or ():
        yield OBO_IN_OWL + "hasDbXref", ox.Literal(xref["val"])
    for subset in meta.get("subsets") or ():
        yield OBO_IN_OWL + "inSubset", ox.NamedNode(iri(subset))
    for value in meta.get("basicPropertyValues") or ():
        yield iri(value["pred"]), ox.Literal(str(value["val"]))
    if meta.get("deprecated"):
        yield OWL + "deprecated", ox.Literal(True)


def _iri(name: str, prefixes: dict[str, None]) -> str:
    """An IRI; a CURIE, also of a prefix that OBO does not register, and a bare name, as the IRI of
    OBO that it stands for.

    Args:
        prefixes: takes those of CURIEs.
    """
    if "/" in name or name.startswith("urn:"):
        return name
    if found := CURIE.fullmatch(name):
        prefixes[found[1]] = None
        return f"{OBO}{found[1]}_{found[2]}"
    return OBO + name


def _notes(graphs: Sequence[dict[str, Any]], prefixes: Sequence[str]) -> Iterator[Note]:
    """What was guessed and what was left out."""
    if prefixes:
        yield Note(f"ids with the prefixes {few_of(prefixes, 5)} are taken for IRIs under {OBO}")
    metas = [node.get("meta") or {} for graph in graphs for node in graph.get("nodes") or ()]
    texts = [meta.get("definition") or {} for meta in metas]
    texts += [synonym for meta in metas for synonym in meta.get("synonyms") or ()]
    left = {name: sum(len(graph.get(key) or ()) for graph in graphs) for key, name in LEFT.items()}
    left["references of definitions and synonyms"] = sum(len(t.get("xrefs") or ()) for t in texts)
    if any(left.values()):
        said = ", ".join(f"{count:,} {name}" for name, count in left.items() if count)
        yield Note(f"left out: {said}; RDF/XML, which robot converts to, has them", warning=True)


OBO_GRAPHS = StatementFormat(
    name="obographs",
    endings=(".json",),
    media_type="application/vnd.obographs+json",
    recognises=_recognises,
    statements=partial(read, ox.RdfFormat.TURTLE, _opened),
    rows="statement",
)
