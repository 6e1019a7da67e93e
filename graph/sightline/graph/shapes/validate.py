"""Facts checked against SHACL shapes: those of SHACL Core by columns, all others by pySHACL.

Checked is what is stated and what was inferred; extracted facts and the record of merges are left
out. What pySHACL checks is held in memory as rdflib has it, so that it is for graphs of a million
facts, not of a hundred. Knows files of shapes and results; knows no portal.

Source: Knublauch and Kontokostas, Shapes Constraint Language (SHACL), W3C Recommendation 2017.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyoxigraph as ox
import rdflib

from sightline.graph.errors import MissingExtra
from sightline.graph.shapes.check import Check, Found
from sightline.graph.shapes.core import (
    SH,
    NotCompiled,
    Shape,
    called,
    read_shape,
    targeted,
    without_targets,
)
from sightline.graph.shapes.errors import ShapesUnusable
from sightline.graph.shapes.facts import Facts, term
from sightline.graph.storage.artifact import replacing
from sightline.graph.storage.workspace import SHAPES, Workspace
from sightline.graph.vocabulary import DEFAULT_BASE

if TYPE_CHECKING:
    from sightline.graph.snapshot.reader import Snapshot

FORMATS = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".owl": ox.RdfFormat.RDF_XML,
    ".jsonld": ox.RdfFormat.JSON_LD,
}
MOST_BYTES = 16 << 20
#: What relative IRIs begin with.
BASE = f"{DEFAULT_BASE}shapes"
#: Properties that hold SPARQL.
QUERIES = ("select", "ask", "construct")
#: How one asks another service: no variable and no name of that word does. The checker looks at
#: constraints alone; targets, functions and rules ask, too.
SERVICE = re.compile(r"(?i)(?<![\w?$:])service\s+(silent\s+)?(<|[?$]|[\w.-]*:)")
#: What is said where a shape says nothing itself; braces stand for what it asks for.
MESSAGES = {
    "MinCount": "it has fewer than {} values",
    "MaxCount": "it has more than {} values",
    "HasValue": "{} is not among the values",
    "UniqueLang": "several values are in one language",
    "Class": "it is no {}",
    "Datatype": "it is no {}",
    "NodeKind": "it is no {}",
    "In": "it is not in the list",
    "Pattern": "it does not match {}",
    "MinLength": "it is shorter than {}",
    "MaxLength": "it is longer than {}",
    "MinExclusive": "it is not greater than {}",
    "MinInclusive": "it is less than {}",
    "MaxExclusive": "it is not less than {}",
    "MaxInclusive": "it is greater than {}",
    "LanguageIn": "it is in none of the languages {}",
    "Equals": "it is not a value of both this and {}",
    "Disjoint": "it is a value of {}, too",
    "LessThan": "it is not less than a value of {}",
    "LessThanOrEquals": "it is greater than a value of {}",
    "Closed": "the shape is closed and has no such property",
    "Node": "it does not conform to {}",
    "Not": "it conforms to {}, which it must not",
    "And": "it does not conform to all shapes of a list",
    "Or": "it conforms to no shape of a list",
    "Xone": "it conforms to none, or to several, of a list of shapes of which it must to one",
    "QualifiedMinCount": "too few values conform to {}",
    "QualifiedMaxCount": "too many values conform to {}",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A value that a shape does not allow.

    Attributes:
        focus: the node that was checked; IRI, or text of a literal.
        path: the property whose values were checked; None where the node itself was.
        value: the value, as text; None where one is missing.
        severity: ``Violation``, ``Warning`` or ``Info``.
        constraint: the constraint's component without its namespace, such as ``MinCount``.
        shape: the shape; a blank one is called after the shape that it is a property of.
        message: of the shape, or of the checker.
    """

    focus: str
    path: str | None
    value: str | None
    severity: str
    constraint: str
    shape: str
    message: str


@dataclass(frozen=True, slots=True)
class Validation:
    """What shapes do not allow.

    Attributes:
        results: violations first, then by shape and focus.
        shapes: how many shapes say what they are about.
        others: those that pySHACL has to check, with the reason, each by name.
        left: pySHACL was not asked about them.
    """

    results: tuple[Violation, ...]
    shapes: int
    others: tuple[tuple[str, str], ...]
    left: bool


def validate(
    snapshot: Snapshot, shapes: Path, *, quick: bool = False, end: float = float("inf")
) -> Validation:
    """What the shapes of a file do not allow in a snapshot.

    By columns a million facts take a second; pySHACL takes seconds per 100,000 facts.

    Args:
        quick: leave what only pySHACL checks.
        end: when to give up what is done by columns, on the clock ``time.perf_counter``.

    Raises:
        ShapesUnusable: the file cannot be read, holds no shape, or asks for what is never done.
        MissingExtra: pySHACL is not installed, and there is something to do for it.
        DamagedLoad: a load that the snapshot was compiled from is gone, or damaged.
        OutOfTime
    """
    # It warns of every literal that has no value of its datatype, which shapes are there to find.
    logging.getLogger("rdflib.term").setLevel(logging.ERROR)
    graph = read_shapes(shapes)
    compiled: dict[rdflib.term.Node, Shape] = {}
    others: dict[rdflib.term.Node, str] = {}
    for node in targeted(graph):
        try:
            if next(graph.objects(node, SH.target), None) is not None:
                raise NotCompiled("its targets are not of SHACL Core")
            compiled[node] = read_shape(graph, node)
        except NotCompiled as error:
            others[node] = str(error)
    results: list[Violation] = []
    if compiled:
        needed = [shape.predicates() for shape in compiled.values()]
        some = {p for one in needed for p in one or ()}
        facts = Facts.of(snapshot, None if None in needed else some)
        check = Check(facts, compiled.values(), end)
        for node, shape in list(compiled.items()):
            try:
                results += told(check.shape(shape), check.terms)
            except NotCompiled as error:
                others[node] = str(error)
                del compiled[node]
    if others and not quick:
        without_targets(graph, list(compiled))
        results += by_pyshacl(shapes, graph, Facts.of(snapshot).graph())
    order = {"Violation": 0, "Warning": 1, "Info": 2}

    def rank(one: Violation) -> tuple[Any, ...]:
        at = order.get(one.severity, 3), one.shape, one.path or "", one.focus
        return (*at, one.value or "", one.constraint, one.message)

    named = tuple((called(graph, node), why) for node, why in others.items())
    count = len(compiled) + len(others)
    return Validation(tuple(sorted(results, key=rank)), count, named, bool(others) and quick)


def keep(workspace: Workspace, shapes: Path) -> None:
    """Keep the shapes of a file in a workspace, in place of those that are there, as Turtle: the
    doctor lists what its facts break of them.

    Raises:
        ShapesUnusable, WorkspaceLocked, NotWritable, DiskFull
    """
    read_shapes(shapes)
    text = shapes.read_bytes()
    form = FORMATS[shapes.suffix.lower()]
    if form != ox.RdfFormat.TURTLE:
        triples = (quad.triple for quad in ox.parse(text, form, base_iri=BASE))
        text = ox.serialize(triples, format=ox.RdfFormat.TURTLE) or b""
    with workspace.lock(), replacing(workspace.path / SHAPES) as temporary:
        temporary.write_bytes(text)


def read_shapes(path: Path) -> rdflib.Graph:
    """The shapes of a file. Nothing is fetched, and no query in them asks another service.

    Raises:
        ShapesUnusable
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise ShapesUnusable(path, f"shapes are read from {', '.join(FORMATS)} files")
    graph = rdflib.Graph()
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ShapesUnusable(path, f"it is larger than {MOST_BYTES >> 20} MiB")
        parsed = ox.parse(path.read_bytes(), form, base_iri=BASE)
        for quad in parsed:
            graph.add((_term(quad.subject), _term(quad.predicate), _term(quad.object)))
    except OSError as error:
        raise ShapesUnusable(path, f"{error.strerror}; check the path") from error
    except (SyntaxError, ValueError) as error:
        raise ShapesUnusable(path, str(error)) from error
    if not any(str(p).startswith(str(SH)) for p in graph.predicates()):
        raise ShapesUnusable(path, "it holds no shape: nothing in it is of SHACL")
    for name in QUERIES:
        for query in graph.objects(None, SH[name]):
            if SERVICE.search(str(query)):
                raise ShapesUnusable(path, "a query in it asks another service, which is not done")
    return graph


def _term(one: Any) -> rdflib.term.Node:
    if isinstance(one, ox.BlankNode):
        return rdflib.BNode(one.value)
    if isinstance(one, ox.Literal):
        return term(one.value, one.datatype.value, one.language)
    if isinstance(one, ox.Triple):
        raise ValueError("it says something of a statement, which shapes do not")
    return rdflib.URIRef(one.value)


def told(found: Iterable[Found], terms: pl.DataFrame) -> Iterator[Violation]:
    """What was found, with texts for numbers."""
    for one in found:
        texts = terms.select("id", "text")
        rows = one.results.join(texts, left_on="focus", right_on="id", how="left")
        rows = rows.join(texts.rename({"text": "of"}), left_on="value", right_on="id", how="left")
        own = one.shape.path
        path = None if own is None else own.iri or "a path"
        asked = one.constraint.value
        if one.name.startswith("Qualified"):
            asked = asked[2]
        said = getattr(asked, "name", None) or getattr(asked, "pattern", None) or asked
        said = ", ".join(map(str, said)) if isinstance(said, tuple) else str(said)
        message = one.shape.message or MESSAGES[one.name].format(said)
        for focus, value, predicate in rows.select("text", "of", "path").iter_rows():
            about = focus, predicate or path, value
            yield Violation(*about, one.shape.severity, one.name, one.shape.name, message)


def by_pyshacl(path: object, wanted: rdflib.Graph, facts: rdflib.Graph) -> Iterator[Violation]:
    """What the shapes of a graph that have targets do not allow, by pySHACL."""
    if find_spec("pyshacl") is None:
        raise MissingExtra("pySHACL", "shacl")
    import pyshacl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, found, text = pyshacl.validate(
                facts, shacl_graph=wanted, inference="none", advanced=True, inplace=True
            )
    except (RecursionError, pyshacl.errors.ReportableRuntimeError) as error:
        raise ShapesUnusable(path, str(error) or "they do not end") from error
    except Exception as error:  # its own parser and rdflib's raise errors of every kind
        raise ShapesUnusable(path, f"{type(error).__name__}: {error}") from error
    if isinstance(found, Exception):
        raise ShapesUnusable(path, str(text))
    return _reported(found, wanted)


def _reported(found: rdflib.Graph, wanted: rdflib.Graph) -> Iterator[Violation]:
    def text(node: rdflib.term.Node, name: str) -> str | None:
        value = found.value(node, SH[name])
        return None if value is None else str(value)

    for result in found.objects(None, SH.result):  # others are details of one
        path = found.value(result, SH.resultPath)
        readable = path is None or isinstance(path, rdflib.URIRef)
        yield Violation(
            focus=text(result, "focusNode") or "",
            path=(None if path is None else str(path)) if readable else "a path",
            value=text(result, "value"),
            severity=(text(result, "resultSeverity") or "").removeprefix(str(SH)),
            constraint=(text(result, "sourceConstraintComponent") or "")
            .removeprefix(str(SH))
            .removesuffix("ConstraintComponent"),
            shape=called(wanted, found.value(result, SH.sourceShape)),
            message=text(result, "resultMessage") or "",
        )
