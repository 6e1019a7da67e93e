"""RML mappings: the W3C community's RDF vocabulary for what columns mean, read as maps of tables.

Knows the current vocabulary (``http://w3id.org/rml/``), the former one, and R2RML, whose terms have
the same local names; knows what a mapping says and no record. What is not read is refused by name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pyoxigraph as ox

from sightline.graph.storage.plain_yaml import MAX_BYTES
from sightline.graph.vocabulary import GENID, RDF_LANG_STRING, XSD, XSD_STRING
from sightline.ingest.batch import column_name
from sightline.ingest.errors import MappingError
from sightline.ingest.formats import known
from sightline.ingest.formats.paths import PATH, STEP, path_of, steps_of
from sightline.ingest.lexical import LEXICAL
from sightline.ingest.mapping import MappedTable, MappingFile
from sightline.ingest.source import Format
from sightline.ingest.streams import without_packing
from sightline.ingest.terms import (
    LANGUAGE,
    RECORD,
    Join,
    Reference,
    TableMap,
    Template,
    Value,
    iri,
    is_iri,
    type_of,
)

#: Endings of mappings in RDF.
ENDINGS = {".ttl": ox.RdfFormat.TURTLE, ".nt": ox.RdfFormat.N_TRIPLES, ".rml": ox.RdfFormat.TURTLE}
CURRENT = "http://w3id.org/rml/"
NAMESPACES = (
    CURRENT,
    "http://semweb.mmlab.be/ns/rml#",
    "http://semweb.mmlab.be/ns/ql#",
    "http://www.w3.org/ns/r2rml#",
)
#: Properties that are read, by local name, in the place of what they are short for.
SHORT = {
    "subject": "subjectMap",
    "predicate": "predicateMap",
    "object": "objectMap",
    "graph": "graphMap",
    "language": "languageMap",
    "datatype": "datatypeMap",
    "child": "childMap",
    "parent": "parentMap",
    "column": "reference",
    "logicalTable": "logicalSource",
    "iri": "constant",
}
READ = {
    *("logicalSource", "subjectMap", "predicateObjectMap", "predicateMap", "objectMap", "graphMap"),
    *("languageMap", "datatypeMap", "childMap", "parentMap", "joinCondition", "parentTriplesMap"),
    *("reference", "template", "constant", "termType", "class", "baseIRI"),
    *("source", "path", "root", "iterator", "referenceFormulation", "tableName", "sqlVersion"),
}
#: Term types, and how much of what a template refers to is escaped in them.
IRIS = {"IRI": "unicode", "URI": "", "UnsafeIRI": "all", "UnsafeURI": "all"}
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
XPATH = re.compile(r"/?[^/\[\]()*@]+(/[^/\[\]()*@]+)*")

Node = ox.NamedNode | ox.BlankNode
Term = Node | ox.Literal


def read_rml(path: Path, base: str) -> MappingFile:
    """Read a mapping file.

    Args:
        base: what relative IRIs begin with where the mapping has no base of its own.

    Raises:
        MappingError
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MappingError(path, f"it is larger than {MAX_BYTES >> 20} MiB")
        data = path.read_bytes()
        parser = ox.parse(data, ENDINGS[path.suffix.lower()], base_iri=base)
        read = list(parser)
    except OSError as error:
        raise MappingError(path, f"cannot be read: {error.strerror}; check the path") from error
    except (SyntaxError, ValueError) as error:
        raise MappingError(path, f"no Turtle ({error})") from error
    return MappingFile(path, tuple(_Graph(path, parser.base_iri or base, data, read).tables()))


class _Graph:
    """The statements of a mapping, asked by local names."""

    def __init__(self, path: Path, base: str, data: bytes, quads: Sequence[ox.Quad]) -> None:
        self._path = path
        self._base = base
        #: Blank nodes that a mapping makes are the same in all of its sources.
        self._genid = f"{GENID}{hashlib.sha256(data).hexdigest()[:16]}:"
        self._said: dict[Node, dict[str, list[Term]]] = {}
        #: Local names as they are written: ``rml:object`` says a constant, ``rml:objectMap`` a map.
        self._shortly: set[tuple[Node, str, Term]] = set()
        self._natural = False
        for quad in quads:
            name = _local(quad.predicate)
            if name is None or isinstance(quad.subject, ox.Triple):
                continue
            long = SHORT.get(name, name)
            if long not in READ:
                raise self.error(quad.subject, f"{quad.predicate} is not supported")
            if isinstance(quad.object, ox.Triple):
                raise self.error(quad.subject, f"{quad.predicate} of a statement is not supported")
            self._said.setdefault(quad.subject, {}).setdefault(long, []).append(quad.object)
            if long != name and name != "logicalTable":
                self._shortly.add((quad.subject, long, quad.object))
            self._natural |= quad.predicate.value.startswith(CURRENT)

    def error(self, node: Term, reason: str) -> MappingError:
        name = node.value.rpartition("/")[2] if isinstance(node, ox.NamedNode) else ""
        return MappingError(self._path, f"{name}: {reason}" if name else reason)

    def all(self, node: Term, name: str) -> list[Term]:
        return [] if isinstance(node, ox.Literal) else self._said.get(node, {}).get(name, [])

    def one(self, node: Term, name: str) -> Term | None:
        found = self.all(node, name)
        if len(found) > 1:
            raise self.error(node, f"{name} is said {len(found)} times")
        return found[0] if found else None

    def text(self, node: Term, name: str) -> str | None:
        found = self.one(node, name)
        return None if found is None else found.value

    def maps(self, node: Term, name: str) -> Iterator[tuple[Term, Term | None]]:
        """The term maps under a name, each with its constant where it is written short."""
        for found in self.all(node, name):
            short = not isinstance(node, ox.Literal) and (node, name, found) in self._shortly
            yield found, found if short else None

    def tables(self) -> Iterator[MappedTable]:
        """The mapping of each triples map."""
        found = [node for node, said in self._said.items() if "logicalSource" in said]
        found += [node for node, said in self._said.items() if _is_triples_map(said, found, node)]
        if not found:
            raise MappingError(self._path, "it holds no rml:TriplesMap")
        for node in found:
            pattern, formats, selected, paths = self.source(node)
            yield MappedTable(pattern, formats, selected, self.table(node, paths))

    def source(self, node: Node) -> tuple[str, tuple[Format, ...], str | None, str]:
        """File name, formats and table of a triples map, and how it refers to values."""
        logical = self.one(node, "logicalSource")
        if logical is None:
            raise self.error(node, "it has no logical source")
        found = known.formulations()
        table = self.text(logical, "tableName")
        if table is not None:
            return "*", tuple(found["sql"]), table.strip('"'), "CSV"
        named = self.one(logical, "source")
        name = named.value if isinstance(named, ox.Literal) else None
        name = name or (self.text(named, "path") if named is not None else None)
        if not name:
            raise self.error(node, "its source has no rml:path; files and tables are read")
        formulation = _local(self.one(logical, "referenceFormulation")) or "CSV"
        iterator = self.text(logical, "iterator")
        if formulation == "CSV":
            return without_packing(name), tuple(found["csv"]), None, formulation
        if formulation not in ("JSONPath", "XPath"):
            raise self.error(node, f"{formulation} is not supported; CSV, JSONPath and XPath are")
        xml = formulation == "XPath"
        formats = tuple(f for f in found["jsonpath"] if (f.name == "XML") == xml)
        path = iterator or ("/" if xml else "$")
        if not (XPATH if xml else PATH).fullmatch(path):
            raise self.error(node, f"iterator {path[:60]!r} cannot be read")
        # The root of an XML document is where its paths begin.
        steps = tuple(path.strip("/").split("/")[1:]) if xml else steps_of(path)
        return without_packing(name), formats, path_of(steps), formulation

    def table(self, node: Node, paths: str) -> TableMap:
        """What a triples map says about each record."""
        subjects = list(self.maps(node, "subjectMap"))
        if len(subjects) != 1:
            raise self.error(node, f"it has {len(subjects) or 'no'} subject maps; one is needed")
        reading = _Terms(self, node, paths)
        subject_map = subjects[0][0]
        subject = reading.subject(*subjects[0])
        own = reading.graphs(subject_map)
        said: list[tuple[Template, Value]] = []
        for kind in self.all(subject_map, "class"):
            statement = type_of(iri(kind.value))
            said += [(statement[0], replace(statement[1], graph=g)) for g in own or [None]]
        for both in self.all(node, "predicateObjectMap"):
            graphs = [*own, *reading.graphs(both)] or [None]
            predicates = [reading.predicate(*p) for p in self.maps(both, "predicateMap")]
            objects = [reading.value(*o) for o in self.maps(both, "objectMap")]
            if not predicates or not objects:
                raise self.error(node, "a predicate-object map needs a predicate and an object")
            said += [(p, replace(o, graph=g)) for p, o, g in product(predicates, objects, graphs)]
        return TableMap(node.value, subject, tuple(said), each=True)

    def parent(self, node: Node, named: Term) -> tuple[Node, Template, str]:
        """The triples map that an object refers to: itself, its subject, its way to refer."""
        if isinstance(named, ox.Literal) or "subjectMap" not in self._said.get(named, {}):
            raise self.error(node, f"{named} is no triples map with a subject")
        paths = self.source(named)[3]
        subject = next(self.maps(named, "subjectMap"))
        return named, _Terms(self, named, paths).subject(*subject), paths

    @property
    def natural(self) -> bool:
        """Values of JSON have the datatype that they have there."""
        return self._natural

    @property
    def genid(self) -> str:
        """What the IRIs of blank nodes begin with."""
        return self._genid

    def base_of(self, node: Node) -> str:
        """What relative IRIs of a triples map begin with."""
        return self.text(node, "baseIRI") or self._base


def _is_triples_map(said: dict[str, list[Term]], found: Sequence[Node], node: Node) -> bool:
    return node not in found and ("predicateObjectMap" in said or "subjectMap" in said)


def _local(term: Term | None) -> str | None:
    """The local name of a term of the vocabulary; None where it is of another."""
    if isinstance(term, ox.NamedNode):
        for namespace in NAMESPACES:
            if term.value.startswith(namespace):
                return term.value.removeprefix(namespace)
    return None


def _label(text: str) -> str:
    """A text as in the label of a blank node; ``Template`` does the same to cells."""
    return re.sub(r"[^A-Za-z0-9%]", lambda mark: f"%{ord(mark[0]):02X}", quote(text, safe=""))


class _Terms:
    """Reads the term maps of one triples map."""

    def __init__(self, graph: _Graph, node: Node, paths: str) -> None:
        self._graph = graph
        self._node = node
        self._paths = paths
        self._base = graph.base_of(node)

    def error(self, reason: str) -> MappingError:
        return self._graph.error(self._node, reason)

    def subject(self, found: Term, constant: Term | None) -> Template:
        """The subject of each record."""
        kind = self.term_type(found)
        if kind == "Literal":
            raise self.error("a subject cannot be a literal")
        if constant is None and not self.said(found):
            if kind != "BlankNode":
                raise self.error("a subject map needs a template, a reference or a constant")
            return Template((Reference(RECORD),), iri=True)
        return self.node(found, constant, kind or "IRI", "a subject")

    def predicate(self, found: Term, constant: Term | None) -> Template:
        """A predicate."""
        kind = self.term_type(found) or "IRI"
        if kind not in IRIS:
            raise self.error("a predicate is an IRI")
        return self.node(found, constant, kind, "a predicate")

    def graphs(self, node: Term) -> list[Template | None]:
        """The graphs in which statements are made; None for the default one."""
        out: list[Template | None] = []
        for found, constant in self._graph.maps(node, "graphMap"):
            kind = self.term_type(found) or "IRI"
            if kind not in (*IRIS, "BlankNode"):
                raise self.error("a graph is an IRI")
            value = constant or self._graph.one(found, "constant")
            default = _local(value) == "defaultGraph"
            out.append(None if default else self.node(found, constant, kind, "a graph"))
        return out

    def value(self, found: Term, constant: Term | None) -> Value:
        """An object."""
        graph = self._graph
        if constant is None and graph.all(found, "parentTriplesMap"):
            return self.joined(found)
        constant = constant or graph.one(found, "constant")
        kind = self.term_type(found)
        if isinstance(constant, ox.Literal) and kind in (None, "Literal"):
            text = Template((constant.value,), iri=False)
            if constant.language:
                return Value(text, RDF_LANG_STRING, constant.language.lower())
            return Value(text, self.datatype(constant.datatype.value))
        language, datatype = (
            next(graph.maps(found, name), None) for name in ("languageMap", "datatypeMap")
        )
        template = graph.text(found, "template") is not None
        literal = not (constant or template) or language or datatype
        kind = kind or ("Literal" if literal else "IRI")
        if kind != "Literal":
            return Value(self.node(found, constant, kind, "an object"))
        if constant is not None:
            raise self.error(f"{constant} is no literal")
        text = Template(self.parts(found), iri=False)
        if language is not None:
            return self.in_language(text, *language)
        if datatype is not None:
            given = self.node(*datatype, "IRI", "a datatype")
            if given.columns:
                return Value(text, XSD_STRING, datatype_of=given)
            return Value(text, self.datatype(str(given.parts[0])))
        whole = len(text.parts) == 1 and isinstance(text.parts[0], Reference)
        natural = graph.natural and whole and self._paths == "JSONPath"
        return Value(text, XSD_STRING, natural=natural)

    def in_language(self, text: Template, found: Term, constant: Term | None) -> Value:
        """A text in a language."""
        constant = constant or self._graph.one(found, "constant")
        if constant is None:
            tag = Template(self.parts(found), iri=False)
            return Value(text, RDF_LANG_STRING, language_of=tag)
        if not re.fullmatch(LANGUAGE, constant.value):
            raise self.error(f"{constant.value[:60]!r} is no language; write one such as fr")
        return Value(text, RDF_LANG_STRING, constant.value.lower())

    def datatype(self, name: str) -> str:
        """A datatype that is known, or of another vocabulary than XSD."""
        local = name.removeprefix(XSD)
        if (local != name and local not in LEXICAL) or not is_iri(name):
            raise self.error(f"unknown datatype {name[:60]!r}")
        return name

    def joined(self, found: Term) -> Value:
        """The subjects of another triples map, or of this one."""
        graph = self._graph
        named = graph.one(found, "parentTriplesMap")
        assert named is not None
        parent, subject, paths = graph.parent(self._node, named)
        conditions = graph.all(found, "joinCondition")
        if not conditions:
            if graph.source(parent) != graph.source(self._node):
                raise self.error(f"{parent} is of another source; add an rml:joinCondition")
            return Value(subject)
        of_parent = _Terms(graph, parent, paths)
        child = tuple(self.key(one, "childMap") for one in conditions)
        keys = tuple(of_parent.key(one, "parentMap") for one in conditions)
        if subject.columns == (RECORD,):
            raise self.error(f"{parent} has nameless subjects, to which nothing can be joined")
        return Value(subject, join=Join(parent.value, child, keys))

    def key(self, condition: Term, name: str) -> Template:
        """One side of a condition."""
        for found, short in self._graph.maps(condition, name):
            if short is not None:
                return Template((self.reference(short.value),), iri=False)
            constant = self._graph.one(found, "constant")
            parts = self.parts(found) if constant is None else (constant.value,)
            return Template(parts, iri=False)
        raise self.error(f"a join condition has no {name}")

    def node(self, found: Term, constant: Term | None, kind: str, what: str) -> Template:
        """An IRI or a blank node."""
        constant = constant or self._graph.one(found, "constant")
        if kind not in (*IRIS, "BlankNode"):
            raise self.error(f"unknown term type {kind!r} of {what}")
        if isinstance(constant, ox.NamedNode) and kind in IRIS:
            return iri(constant.value)
        if isinstance(constant, ox.BlankNode):
            return iri(self._graph.genid + _label(constant.value))
        if constant is not None:
            raise self.error(f"{constant} cannot be {what} of type {kind}")
        parts = self.parts(found)
        if kind == "BlankNode":
            label = (_label(part) if isinstance(part, str) else part for part in parts)
            return Template((self._graph.genid, *label), iri=True, safe="letters")
        reference = self._graph.text(found, "template") is None
        if reference:
            return Template(parts, iri=True, base=self._base)
        if not (isinstance(parts[0], str) and SCHEME.match(parts[0])):
            parts = (self._base, *parts)
        example = "".join(part if isinstance(part, str) else "x" for part in parts)
        if not is_iri(example):
            raise self.error(f"template {example[:60]!r} makes no IRI")
        return Template(parts, iri=True, safe=IRIS[kind])

    def term_type(self, found: Term) -> str | None:
        """The local name of the term type; None where it is not said."""
        said = self._graph.one(found, "termType")
        if said is not None and _local(said) not in (*IRIS, "BlankNode", "Literal"):
            raise self.error(f"unknown term type {said}")
        return _local(said)

    def said(self, found: Term) -> list[str]:
        """Which of the ways to say what a term is made of a term map uses."""
        ways = ("template", "reference", "constant")
        return [name for name in ways if self._graph.all(found, name)]

    def parts(self, found: Term) -> tuple[str | Reference, ...]:
        """What a term is made of: text and references in turn."""
        said = self.said(found)
        if len(said) != 1:
            raise self.error(
                "a term map needs one of rml:template, rml:reference and rml:constant"
                + (f", and has {' and '.join(said)}" if said else "")
            )
        text = self._graph.text(found, said[0]) or ""
        return self.template(text) if said[0] == "template" else (self.reference(text),)

    def template(self, text: str) -> tuple[str | Reference, ...]:
        """Text and references in braces; a backslash takes its meaning from what follows."""
        out: list[str | Reference] = []
        piece, begun, escaped = "", False, False
        for char in text:
            if escaped:
                piece, escaped = piece + char, False
            elif char == "\\":
                escaped = True
            elif char == "{" and not begun:
                out += [piece] if piece else []
                piece, begun = "", True
            elif char == "}" and begun:
                out.append(self.reference(piece))
                piece, begun = "", False
            elif char in "{}":
                raise self.error(f"template {text[:60]!r} has a {char} without its other half")
            else:
                piece += char
        if begun or escaped:
            raise self.error(f"template {text[:60]!r} has no end; close its reference with }}")
        out += [piece] if piece else []
        if not out:
            raise self.error("a template is empty")
        return tuple(out)

    def reference(self, text: str) -> Reference:
        """The column that a reference means."""
        if self._paths == "CSV":
            column = text.strip('"') if text.startswith('"') else text
        elif self._paths == "XPath":
            column = ".".join(text.removeprefix("./").replace("@", "").split("/"))
            if not re.fullmatch(r"(\./)?(@?[\w:.-]+/)*(@?[\w:.-]+|text\(\))", text):
                raise self.error(f"reference {text[:60]!r} cannot be read; write such as a/b/@c")
            column = re.sub(r"\.?text\(\)$", "", column) or "value"
        else:
            steps = text.removeprefix("$")
            if not re.fullmatch(rf"(?:{STEP.pattern})*", steps):
                raise self.error(f"reference {text[:60]!r} is no JSONPath that can be read")
            simple = [step for step in steps_of(text) if step is not None]
            plain = all(isinstance(step, str) and not set(step) & set(".[]") for step in simple)
            column = (
                ".".join(map(str, simple)) if plain else path_of(steps_of(text))[1:].lstrip(".")
            )
        if not column:
            raise self.error(f"reference {text[:60]!r} names no column")
        return Reference(column_name(column))
