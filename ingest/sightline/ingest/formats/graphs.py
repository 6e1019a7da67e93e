"""Tables of nodes and of edges, as most programs write graphs: what their columns mean.

Knows nodes with labels, types and properties, and edges with values of their own; knows no format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from sightline.graph.exchange.flat import QUALIFIER_MARK
from sightline.graph.vocabulary import (
    DESCRIPTION_PROPERTIES,
    RDFS_LABEL,
    SKOS,
    XSD_STRING,
    Kind,
    expand,
)
from sightline.ingest.batch import first_of
from sightline.ingest.terms import Reference, TableMap, Template, Value, iri, iri_in, named, type_of

DESCRIPTIONS = ("description", "definition", "comment", "summary")
ALIASES = ("alias", "aliases", "synonym", "synonyms", "altlabel")
#: What edges are called that do not say how they relate.
UNNAMED = "related_to"


@dataclass(frozen=True, slots=True)
class NodeColumns:
    """Which columns of a table of nodes hold what; every other one is a property.

    Attributes:
        key: what names the node.
        labels, types: candidates, in order of preference.
        skip: columns that say nothing.
        split: separator of cells with several values, but for columns of ``whole``.
        curies: names are CURIEs, whether their prefix is known or not.
    """

    key: str
    labels: tuple[str, ...]
    types: tuple[str, ...]
    skip: tuple[str, ...] = ()
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
            elif column not in (self.key, *self.skip):
                statements.append((iri(property_of(prefixes, column)), value))
        subject = named(self.key, "entity", prefixes, curies=self.curies)
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
