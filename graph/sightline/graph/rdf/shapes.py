"""Facts checked against SHACL shapes, by pySHACL: the whole standard, SPARQL constraints included.

Checked is what is stated and what was inferred; extracted facts and the record of merges are left
out. All of it is held in memory, so that it is for graphs of a million facts, not of a hundred.
Knows the RDF index and shapes; knows no portal.

Source: Knublauch and Kontokostas, Shapes Constraint Language (SHACL), W3C Recommendation 2017.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.graph.errors import MissingExtra
from sightline.graph.rdf.errors import ShapesUnusable
from sightline.graph.rdf.index import open_store
from sightline.graph.vocabulary import EXTRACTED_GRAPH, MERGES_GRAPH

if TYPE_CHECKING:
    import rdflib

SH = "http://www.w3.org/ns/shacl#"
FORMATS = {".ttl": "turtle", ".nt": "nt", ".rdf": "xml", ".owl": "xml", ".jsonld": "json-ld"}
MOST_BYTES = 16 << 20
#: Properties that hold SPARQL.
QUERIES = ("select", "ask", "construct")
#: How one asks another service: no variable and no name of that word does. The checker looks at
#: constraints alone; targets, functions and rules ask, too.
SERVICE = re.compile(r"(?i)(?<![\w?$:])service\s+(silent\s+)?(<|[?$]|[\w.-]*:)")


@dataclass(frozen=True, slots=True)
class Violation:
    """A value that a shape does not allow.

    Attributes:
        focus: the node that was checked; IRI, or the label of a blank node.
        path: the property whose values were checked; None where the node itself was.
        value: the value, as text; None where one is missing.
        severity: ``Violation``, ``Warning`` or ``Info``.
        constraint: the constraint's component without its namespace, such as ``MinCount``.
        shape: the shape; a blank one is called after the path it is about.
        message: of the shape, or of the checker.
    """

    focus: str
    path: str | None
    value: str | None
    severity: str
    constraint: str
    shape: str
    message: str


def validate(snapshot: Path, shapes: Path) -> list[Violation]:
    """What the shapes of a file do not allow in a snapshot, violations first, then by shape and
    focus. Takes time and memory with the size of the graph: seconds per 100,000 facts.

    Raises:
        ShapesUnusable: the file cannot be read, holds no shape, or asks for what is never done.
        MissingExtra: pySHACL is not installed.
        DamagedArtifact: the snapshot was compiled without its RDF index.
    """
    if find_spec("pyshacl") is None:
        raise MissingExtra("pySHACL", "shacl")
    import pyshacl

    # It warns of every literal that has no value of its datatype, which shapes are there to find.
    logging.getLogger("rdflib.term").setLevel(logging.ERROR)
    wanted = _shapes(shapes)
    facts = _facts(snapshot)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, found, text = pyshacl.validate(
                facts, shacl_graph=wanted, inference="none", advanced=True, inplace=True
            )
    except (RecursionError, pyshacl.errors.ReportableRuntimeError) as error:
        raise ShapesUnusable(shapes, str(error) or "they do not end") from error
    except Exception as error:  # its own parser and rdflib's raise errors of every kind
        raise ShapesUnusable(shapes, f"{type(error).__name__}: {error}") from error
    if isinstance(found, Exception):
        raise ShapesUnusable(shapes, str(text))
    order = {"Violation": 0, "Warning": 1, "Info": 2}
    return sorted(
        _violations(found, wanted),
        key=lambda one: (
            order.get(one.severity, 3),
            one.shape,
            one.path or "",
            one.focus,
            one.value or "",
        ),
    )


def _shapes(path: Path) -> rdflib.Graph:
    """The shapes of a file. Nothing is fetched, and no query in them asks another service."""
    import rdflib

    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise ShapesUnusable(path, f"shapes are read from {', '.join(FORMATS)} files")
    graph = rdflib.Graph()
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ShapesUnusable(path, f"it is larger than {MOST_BYTES >> 20} MiB")
        graph.parse(data=path.read_bytes(), format=form)
    except OSError as error:
        raise ShapesUnusable(path, f"{error.strerror}; check the path") from error
    except ShapesUnusable:
        raise
    except Exception as error:  # rdflib's parsers raise errors of every kind
        raise ShapesUnusable(path, str(error)) from error
    if not any(str(p).startswith(SH) for p in graph.predicates()):
        raise ShapesUnusable(path, "it holds no shape: nothing in it is of SHACL")
    for name in QUERIES:
        for query in graph.objects(None, rdflib.URIRef(SH + name)):
            if SERVICE.search(str(query)):
                raise ShapesUnusable(path, "a query in it asks another service, which is not done")
    return graph


def _facts(snapshot: Path) -> rdflib.Graph:
    """What is stated and inferred, of all graphs together."""
    import pyoxigraph
    import rdflib

    store = open_store(snapshot)
    left_out = {EXTRACTED_GRAPH, MERGES_GRAPH}

    def triples() -> Iterator[Any]:
        for quad in store:
            of_statements = isinstance(quad.subject, pyoxigraph.Triple)
            of_statements |= isinstance(quad.object, pyoxigraph.Triple)
            if getattr(quad.graph_name, "value", "") not in left_out and not of_statements:
                yield quad.triple

    lines = pyoxigraph.serialize(triples(), format=pyoxigraph.RdfFormat.N_TRIPLES)
    return rdflib.Graph().parse(data=lines, format="nt")


def _violations(found: rdflib.Graph, wanted: rdflib.Graph) -> Iterator[Violation]:
    import rdflib

    def term(name: str) -> rdflib.URIRef:
        return rdflib.URIRef(SH + name)

    def text(node: rdflib.term.Node, name: str) -> str | None:
        value = found.value(node, term(name))
        return None if value is None else str(value)

    for result in found.objects(None, term("result")):  # others are details of one
        shape = found.value(result, term("sourceShape"))
        path = found.value(result, term("resultPath"))
        readable = path is None or isinstance(path, rdflib.URIRef)
        named = next(wanted.subjects(term("property"), shape), shape) if shape else None
        yield Violation(
            focus=text(result, "focusNode") or "",
            path=(None if path is None else str(path)) if readable else "a path",
            value=text(result, "value"),
            severity=(text(result, "resultSeverity") or "").removeprefix(SH),
            constraint=(text(result, "sourceConstraintComponent") or "")
            .removeprefix(SH)
            .removesuffix("ConstraintComponent"),
            shape=str(named) if isinstance(named, rdflib.URIRef) else "a shape without a name",
            message=text(result, "resultMessage") or "",
        )
