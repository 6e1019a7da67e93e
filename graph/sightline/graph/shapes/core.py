"""Shapes of SHACL Core as records, as far as they are checked by columns.

Read from the graph of a file; whatever is not of that part of the standard, is written otherwise
than it should be, or leads back to itself is refused with a reason, and left to pySHACL. Knows no
fact.

Source: Knublauch and Kontokostas, Shapes Constraint Language (SHACL), W3C Recommendation 2017.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import rdflib
from rdflib.term import Node

SH = rdflib.Namespace("http://www.w3.org/ns/shacl#")
RDF, RDFS, XSD = rdflib.RDF, rdflib.RDFS, rdflib.XSD
#: What is said of a shape and is no constraint, or a part of one that another property names.
BESIDE = {
    *("path", "name", "description", "order", "group", "defaultValue", "severity", "message"),
    *("deactivated", "targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf"),
    *("flags", "ignoredProperties"),
    *("qualifiedMinCount", "qualifiedMaxCount", "qualifiedValueShapesDisjoint"),
}
TARGETS = ("targetNode", "targetClass", "targetSubjectsOf", "targetObjectsOf")
#: Constraints of property shapes alone.
OF_PROPERTIES = {
    *("minCount", "maxCount", "uniqueLang", "lessThan", "lessThanOrEquals"),
    "qualifiedValueShape",
}
SEVERITIES = ("Violation", "Warning", "Info")
#: Shapes in shapes in shapes; pySHACL gives up at 15.
DEEPEST = 10


class NotCompiled(Exception):
    """Why a shape is not checked by columns."""


@dataclass(frozen=True, slots=True)
class Path:
    """How to get from a node to its values.

    Attributes:
        how: ``is`` (the predicate of that IRI), ``inversePath``, ``sequence``,
            ``alternativePath``, ``zeroOrMorePath``, ``oneOrMorePath`` or ``zeroOrOnePath``.
        parts: the paths it is made of.
    """

    how: str
    iri: str = ""
    parts: tuple[Path, ...] = ()

    def predicates(self) -> Iterator[str]:
        """Every predicate in it."""
        if self.how == "is":
            yield self.iri
        for part in self.parts:
            yield from part.predicates()


@dataclass(frozen=True, slots=True)
class Constraint:
    """One condition of a shape.

    Attributes:
        kind: the local name of its property, such as ``minCount``.
        value: what it asks for: a number, a term, a tuple of terms, a shape or several.
    """

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape.

    Attributes:
        name: as results call it.
        path: of a property shape.
        targets: local name of the property, and the term.
        message: what the shape says itself; None where it says nothing.
    """

    name: str
    path: Path | None
    targets: tuple[tuple[str, Node], ...]
    constraints: tuple[Constraint, ...]
    severity: str
    message: str | None
    deactivated: bool

    def inner(self) -> Iterator[Shape]:
        """The shape and all shapes in it."""
        yield self
        for constraint in self.constraints:
            parts = constraint.value if isinstance(constraint.value, tuple) else (constraint.value,)
            for part in parts:
                if isinstance(part, Shape):
                    yield from part.inner()

    def predicates(self) -> set[str] | None:
        """The predicates that matter to it; None where all of them do."""
        found: set[str] = set()
        for shape in self.inner():
            found.update(() if shape.path is None else shape.path.predicates())
            for kind, target in shape.targets:
                found.update({str(target)} if kind.endswith("Of") else ())
            for constraint in shape.constraints:
                if constraint.kind == "closed":
                    return None
                if constraint.kind in ("equals", "disjoint", "lessThan", "lessThanOrEquals"):
                    found.add(str(constraint.value))
        return found | {str(RDF.type), str(RDFS.subClassOf)}


def targeted(graph: rdflib.Graph) -> list[Node]:
    """The shapes that say themselves what they are about."""
    found = {s for name in (*TARGETS, "target") for s in graph.subjects(SH[name])}
    classes = {RDFS.Class, *graph.subjects(RDFS.subClassOf, RDFS.Class)}
    found |= {s for c in classes for s in graph.subjects(RDF.type, c) if _is_shape(graph, s)}
    return sorted(found, key=str)


def without_targets(graph: rdflib.Graph, shapes: list[Node]) -> None:
    """Take what shapes are about out of a graph, so that they are only used by others."""
    for shape in shapes:
        for name in TARGETS:
            graph.remove((shape, SH[name], None))
        for kind in list(graph.objects(shape, RDF.type)):
            if kind not in (SH.NodeShape, SH.PropertyShape):
                graph.remove((shape, RDF.type, kind))


def called(graph: rdflib.Graph, shape: Node | None) -> str:
    """What results call a shape; a blank one is called after the shape that it is a property of."""
    named = [s for s in graph.subjects(SH.property, shape) if isinstance(s, rdflib.URIRef)]
    name = min(named, default=shape)
    return str(name) if isinstance(name, rdflib.URIRef) else "a shape without a name"


def read_shape(graph: rdflib.Graph, node: Node) -> Shape:
    """A shape with all shapes in it.

    Raises:
        NotCompiled
    """
    if next(graph.objects(None, SH.rule), None) is not None:
        raise NotCompiled("there are rules, which change what is checked")
    if next(graph.objects(None, SH.parameter), None) is not None:
        raise NotCompiled("there are constraints or targets of the file's own making")
    try:
        return _Reader(graph).shape(node, ())
    except (ValueError, re.error) as error:  # of lists that go in circles, of patterns
        raise NotCompiled(str(error)) from error


def _is_shape(graph: rdflib.Graph, node: Node) -> bool:
    kinds = set(graph.objects(node, RDF.type))
    of_shapes = any(str(p).startswith(str(SH)) for p in graph.predicates(node))
    return of_shapes or bool(kinds & {SH.NodeShape, SH.PropertyShape})


class _Reader:
    def __init__(self, graph: rdflib.Graph) -> None:
        self.graph = graph

    def shape(self, node: Node, outer: tuple[Node, ...]) -> Shape:
        if node in outer:
            raise NotCompiled("it leads back to itself")
        if len(outer) >= DEEPEST:
            raise NotCompiled(f"shapes are in one another more than {DEEPEST} deep")
        if not _is_shape(self.graph, node):
            raise NotCompiled(f"{node} is no shape")
        paths = list(self.graph.objects(node, SH.path))
        if len(paths) > 1 or (not paths and (node, RDF.type, SH.PropertyShape) in self.graph):
            raise NotCompiled("a property shape has one path")
        if paths and (node, RDF.type, SH.NodeShape) in self.graph:
            raise NotCompiled("a node shape has no path")
        deactivated = self.one(node, "deactivated")
        severity = str(self.one(node, "severity") or SH.Violation).removeprefix(str(SH))
        if severity not in SEVERITIES:
            raise NotCompiled(f"its severity is {severity}")
        messages = sorted(map(str, self.graph.objects(node, SH.message)))
        return Shape(
            name=called(self.graph, node),
            path=self.path(paths[0]) if paths else None,
            targets=tuple(self.targets(node)),
            constraints=tuple(self.constraints(node, (*outer, node), bool(paths))),
            severity=severity,
            message=messages[0] if messages else None,
            deactivated=deactivated is not None and bool(self.literal(deactivated, bool)),
        )

    def targets(self, node: Node) -> Iterator[tuple[str, Node]]:
        for name in TARGETS:
            for target in self.graph.objects(node, SH[name]):
                if isinstance(target, rdflib.BNode):
                    raise NotCompiled(f"sh:{name} is a blank node")
                yield name, target
        classes = {RDFS.Class, *self.graph.subjects(RDFS.subClassOf, RDFS.Class)}
        if classes & set(self.graph.objects(node, RDF.type)):
            yield "targetClass", node

    def constraints(
        self, node: Node, outer: tuple[Node, ...], of_property: bool
    ) -> Iterator[Constraint]:
        """The constraints of a shape, by name."""
        said = sorted(self.graph.predicate_objects(node), key=lambda pair: tuple(map(str, pair)))
        for predicate, value in said:
            name = str(predicate).removeprefix(str(SH))
            if name == str(predicate) or name in BESIDE:
                continue
            if name in OF_PROPERTIES and not of_property:
                raise NotCompiled(f"sh:{name} is for property shapes")
            read = self.kinds.get(name)
            if read is None:
                raise NotCompiled(f"sh:{name} is not of what is checked by columns")
            if name not in SEVERAL and len(list(self.graph.objects(node, predicate))) > 1:
                raise NotCompiled(f"sh:{name} is said several times")
            found = read(self, node, value, outer)
            if found is not None:
                yield Constraint(name, found)

    def path(self, node: Node, depth: int = 0) -> Path:
        if isinstance(node, rdflib.URIRef):
            return Path("is", str(node))
        if isinstance(node, rdflib.Literal) or depth > 5:
            raise NotCompiled("its path cannot be read")
        if (node, RDF.first, None) in self.graph:
            return Path("sequence", parts=self.paths(node, depth))
        said = list(self.graph.predicate_objects(node))
        if len(said) != 1:
            raise NotCompiled("its path cannot be read")
        how = str(said[0][0]).removeprefix(str(SH))
        if how == "alternativePath":
            return Path(how, parts=self.paths(said[0][1], depth))
        part = self.path(said[0][1], depth + 1)
        if how not in ("inversePath", "zeroOrMorePath", "oneOrMorePath", "zeroOrOnePath"):
            raise NotCompiled("its path cannot be read")
        if how == "inversePath" and part.how != "is":
            raise NotCompiled("a path of several steps is read backwards")
        return Path(how, parts=(part,))

    def paths(self, node: Node, depth: int) -> tuple[Path, ...]:
        found = tuple(self.path(part, depth + 1) for part in self.graph.items(node))
        if len(found) < 2:
            raise NotCompiled("a list of paths has one alone")
        return found

    def one(self, node: Node, name: str) -> Node | None:
        found = list(self.graph.objects(node, SH[name]))
        if len(found) > 1:
            raise NotCompiled(f"sh:{name} is said several times")
        return found[0] if found else None

    def literal(self, node: Node | None, kind: type) -> Any:
        """The value of a literal."""
        value = node.value if isinstance(node, rdflib.Literal) else None
        if type(value) is not kind:
            raise NotCompiled(f"{node} is no {kind.__name__}")
        return value

    def count(self, node: Node, value: Node, outer: Any) -> int:
        number: int = self.literal(value, int)
        if number < 0 or value.datatype != XSD.integer:  # type: ignore[attr-defined]
            raise NotCompiled(f"{value} is no count")
        return number

    def iri(self, node: Node, value: Node, outer: Any) -> Node:
        if not isinstance(value, rdflib.URIRef):
            raise NotCompiled(f"{value} is no IRI")
        return value

    def term(self, node: Node, value: Node, outer: Any) -> Node:
        return value

    def bound(self, node: Node, value: Node, outer: Any) -> Node:
        if not isinstance(value, rdflib.Literal):
            raise NotCompiled(f"{value} is no literal")
        return value

    def terms(self, node: Node, value: Node, outer: Any) -> tuple[Node, ...]:
        return tuple(self.graph.items(value))

    def languages(self, node: Node, value: Node, outer: Any) -> tuple[str, ...]:
        return tuple(self.literal(one, str).lower() for one in self.graph.items(value))

    def pattern(self, node: Node, value: Node, outer: Any) -> re.Pattern[str]:
        flags = self.one(node, "flags")
        said = "" if flags is None else str(self.literal(flags, str)).lower()
        if set(said) - set("im"):
            raise NotCompiled(f"flags {said}")
        how = (re.I if "i" in said else 0) | (re.M if "m" in said else 0)
        return re.compile(self.literal(value, str), how)

    def truth(self, node: Node, value: Node, outer: Any) -> bool | None:
        """Whether it is the term ``true``, as the standard wants it; None where it is not."""
        return True if value == rdflib.Literal("true", datatype=XSD.boolean) else None

    def closed(self, node: Node, value: Node, outer: Any) -> tuple[str, ...] | None:
        """The predicates that are allowed."""
        if not self.literal(value, bool):
            return None
        lists = self.graph.objects(node, SH.ignoredProperties)
        ignored = [str(one) for all_of in lists for one in self.graph.items(all_of)]
        shapes = self.graph.objects(node, SH.property)
        paths = (path for shape in shapes for path in self.graph.objects(shape, SH.path))
        return (*ignored, *(str(path) for path in paths if isinstance(path, rdflib.URIRef)))

    def inside(self, node: Node, value: Node, outer: tuple[Node, ...]) -> Shape:
        return self.shape(value, outer)

    def node_shape(self, node: Node, value: Node, outer: tuple[Node, ...]) -> Shape:
        found = self.shape(value, outer)
        if found.path is not None:
            raise NotCompiled("sh:node names a property shape")
        return found

    def property_shape(self, node: Node, value: Node, outer: tuple[Node, ...]) -> Shape:
        found = self.shape(value, outer)
        if found.path is None:
            raise NotCompiled("sh:property names no property shape")
        return found

    def shapes(self, node: Node, value: Node, outer: tuple[Node, ...]) -> tuple[Shape, ...]:
        found = tuple(self.shape(one, outer) for one in self.graph.items(value))
        if not found:
            raise NotCompiled("a list of shapes is empty")
        return found

    def qualified(self, node: Node, value: Node, outer: tuple[Node, ...]) -> tuple[Any, ...]:
        """Fewest, most (None where nothing is said), the shape, and those that exclude it."""
        bounds = (self.one(node, f"qualified{which}Count") for which in ("Min", "Max"))
        least, most = (None if b is None else self.count(node, b, outer) for b in bounds)
        if least is None and most is None:
            raise NotCompiled("a qualified shape says no count")
        siblings: tuple[Shape, ...] = ()
        disjoint = self.one(node, "qualifiedValueShapesDisjoint")
        if disjoint is not None and self.literal(disjoint, bool):
            parents = self.graph.subjects(SH.property, node)
            beside = {s for parent in parents for s in self.graph.objects(parent, SH.property)}
            others = {o for s in beside for o in self.graph.objects(s, SH.qualifiedValueShape)}
            siblings = tuple(self.shape(o, outer) for o in sorted(others - {value}, key=str))
        return (least, most, self.shape(value, outer), *siblings)

    kinds: ClassVar[dict[str, Callable[[Any, Node, Node, Any], Any]]] = {
        **dict.fromkeys(("minCount", "maxCount", "minLength", "maxLength"), count),
        **dict.fromkeys(("minExclusive", "minInclusive", "maxExclusive", "maxInclusive"), bound),
        **dict.fromkeys(("class", "datatype", "nodeKind"), iri),
        **dict.fromkeys(("equals", "disjoint", "lessThan", "lessThanOrEquals"), iri),
        **dict.fromkeys(("and", "or", "xone"), shapes),
        "in": terms,
        "hasValue": term,
        "languageIn": languages,
        "pattern": pattern,
        "uniqueLang": truth,
        "closed": closed,
        "not": inside,
        "node": node_shape,
        "property": property_shape,
        "qualifiedValueShape": qualified,
    }


#: What a shape may ask for several times, each on its own.
SEVERAL = {
    *("class", "minExclusive", "minInclusive", "maxExclusive", "maxInclusive", "hasValue"),
    *("equals", "disjoint", "lessThan", "lessThanOrEquals"),
    *("and", "or", "xone", "not", "node", "property", "pattern"),
}
