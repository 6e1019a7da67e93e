"""Tables of nodes and of edges, as most programs write graphs: what their columns mean.

Knows nodes with labels, types and properties, and edges with values of their own; knows no format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

import polars as pl

from sightline.graph.exchange.flat import QUALIFIER_MARK
from sightline.graph.record.loads import Note
from sightline.graph.vocabulary import (
    DESCRIPTION_PROPERTIES,
    RDF_LANG_STRING,
    RDFS_LABEL,
    SKOS,
    XSD_STRING,
    Kind,
    expand,
)
from sightline.ingest.batch import first_of
from sightline.ingest.terms import (
    Reference,
    TableMap,
    Template,
    Value,
    iri,
    iri_in,
    literal_of,
    named,
    type_of,
)

DESCRIPTIONS = ("description", "definition", "comment", "summary")
ALIASES = ("alias", "aliases", "synonym", "synonyms", "altlabel")
#: What edges are called that do not say how they relate.
UNNAMED = "related_to"


@dataclass(frozen=True, slots=True)
class NodeColumns:
    """Which columns of a table of nodes hold what; ``id`` names the node, and every other one is a
    property.

    Attributes:
        labels, types: candidates, in order of preference.
        split: separator of cells with several values, but for columns of ``whole``.
        curies: names are CURIEs, whether their prefix is known or not.
    """

    labels: tuple[str, ...]
    types: tuple[str, ...]
    split: str | None = None
    whole: tuple[str, ...] = ()
    curies: bool = False

    def maps(self, columns: Sequence[str], prefixes: Mapping[str, str]) -> tuple[TableMap, ...]:
        """The maps of a batch with these columns."""
        label, kind = first_of(columns, self.labels), first_of(columns, self.types)
        statements = []
        for column in columns:
            value = _text(column, None if column in self.whole else self.split)
            if column == kind:
                classes = named(column, "class", prefixes, curies=self.curies)
                predicate, typed = type_of(classes)
                statements.append((predicate, Value(typed.template, split=self.split)))
            elif column == label:
                statements.append((iri(RDFS_LABEL), value))
            elif column.lower() in DESCRIPTIONS:
                statements.append((iri(DESCRIPTION_PROPERTIES[0]), value))
            elif column.lower() in ALIASES:
                statements.append((iri(SKOS + "altLabel"), value))
            elif column != "id":
                statements.append((iri(property_of(prefixes, column)), value))
        subject = named("id", "entity", prefixes, curies=self.curies)
        return (TableMap("nodes", subject, tuple(statements)),)


@dataclass(frozen=True, slots=True)
class EdgeColumns:
    """Which columns of a table of edges hold what; every other one qualifies its edge.

    Attributes:
        relation: the column that says how they relate; None where nothing does.
        datatypes: of columns whose format says so; texts otherwise.
        skip: columns that say nothing.
        split: separator of cells with several values.
        curies: names are CURIEs, whether their prefix is known or not.
        iris: names are IRIs.
    """

    head: str
    relation: str | None
    tail: str
    skip: tuple[str, ...] = ()
    split: str | None = None
    curies: bool = False
    iris: bool = False
    datatypes: Mapping[str, str] = field(default_factory=dict)

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that qualify nothing."""
        return (self.head, self.relation or "", self.tail, *self.skip)

    def maps(self, columns: Sequence[str], prefixes: Mapping[str, str]) -> tuple[TableMap, ...]:
        """The maps of a batch with these columns."""

        def name_in(column: str, kind: Kind) -> Template:
            return (
                iri_in(column) if self.iris else named(column, kind, prefixes, curies=self.curies)
            )

        relation = iri(prefixes["relation"] + UNNAMED)
        if self.relation is not None:
            relation = name_in(self.relation, "relation")
        said = tuple(
            (
                property_of(prefixes, column),
                replace(_text(column, self.split), datatype=self.datatypes.get(column, XSD_STRING)),
            )
            for column in columns
            if column not in self.used
        )
        value = Value(name_in(self.tail, "entity"), qualifiers=said)
        head = name_in(self.head, "entity")
        return (TableMap("edges", head, ((relation, value),), complete=True),)


@dataclass(frozen=True, slots=True)
class Solutions:
    """Which columns of a result of a query name things: the first of them is what each solution is
    about, the others what it is linked to. ``filmLabel`` is the label of ``film``; every other
    column is what the thing has.

    Attributes:
        links: the columns of IRIs.
        labels: columns of labels, and those of what they label.
        others: the columns that are neither.
        datatypes: of columns whose literals are all of one.
    """

    links: tuple[str, ...]
    labels: Mapping[str, str]
    others: tuple[str, ...]
    datatypes: Mapping[str, str]

    @classmethod
    def of(cls, frame: pl.DataFrame, datatypes: Mapping[str, str]) -> Solutions | None:
        """Those of a table that begins so; None where no column holds IRIs."""
        links = tuple(values.name for values in frame if _names_things(values))
        labels = {f"{name}Label": name for name in links if f"{name}Label" in frame.columns}
        others = tuple(name for name in frame.columns if name not in (*links, *labels))
        return cls(links, labels, others, datatypes) if links else None

    @property
    def note(self) -> Note:
        """What was decided."""
        said = [*self.links[1:], *self.others]
        more = f", and what it is linked to or has: {', '.join(said)}" if said else ""
        return Note(f"each solution is about one thing, its {self.links[0]}{more}")

    def maps(self, columns: Sequence[str], prefixes: Mapping[str, str]) -> tuple[TableMap, ...]:
        """The maps of a batch."""
        statements: list[tuple[Template, Value]] = []
        for column in self.links[1:]:
            relation = iri(prefixes["relation"] + quote(column, safe=""))
            statements.append((relation, Value(named(column, "entity", prefixes))))
        for column in self.others:
            kind = self.datatypes.get(column, RDF_LANG_STRING)
            text = Template((Reference(column),), iri=False)
            value = Value(text, XSD_STRING if kind == RDF_LANG_STRING else kind)
            statements.append((iri(property_of(prefixes, column)), value))
        about = TableMap("solutions", named(self.links[0], "entity", prefixes), tuple(statements))
        called = [
            TableMap(
                label, named(thing, "entity", prefixes), ((iri(RDFS_LABEL), literal_of(label)),)
            )
            for label, thing in self.labels.items()
        ]
        return (about, *called)


def _names_things(values: pl.Series) -> bool:
    filled = values.drop_nulls() if values.dtype == pl.String else values.clear()
    return bool(len(filled) and filled.str.contains(r"^(https?://|urn:|_:)\S+$").all())


def left_inferred(count: int) -> str:
    """What is said of facts that reasoning had added where they were exported."""
    return (
        f"{count:,} facts that were inferred or extracted are left out; sightline reason and "
        "sightline extract add them again"
    )


def property_of(prefixes: Mapping[str, str], name: str) -> str:
    """The IRI of the property that a column holds, which may be called by it or by its CURIE."""
    name = name.removesuffix(QUALIFIER_MARK)
    known = expand(name, prefixes)
    if known is not None or re.match(r"(https?://|urn:)\S+$", name):
        return known or name
    return prefixes["property"] + quote(name, safe="")


def _text(column: str, split: str | None) -> Value:
    return Value(Template((Reference(column),), iri=False), XSD_STRING, split=split)
