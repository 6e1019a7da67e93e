"""What a table means when no mapping says it: guessed from column names, and always the same way.

Knows the names that people give to columns; knows no file and no batch.

A table with a head, a relation and a tail column holds triples; one with a head and a tail column
and no key holds pairs that are related in a way it does not say. Any other table has one record per
thing: a key column names it, a label, a type, a description and aliases go where they belong, and
every other column becomes a property.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sightline.graph.vocabulary import (
    DESCRIPTION_PROPERTIES,
    RDF,
    RDFS_LABEL,
    SKOS,
    Kind,
    mint,
)
from sightline.ingest.errors import MappingError
from sightline.ingest.terms import Reference, TableMap, Template, Value, iri, literal_of, type_of

HEADS = ("head", "subject", "source", "from", "h", "s", "start", "source_id", "head_id", "node1")
RELATIONS = (
    *("relation", "predicate", "metaedge", "property", "rel", "edge", "r", "p", "type", "label"),
    *("relationship", "edge_type", "relation_type", "interaction"),
)
TAILS = ("tail", "object", "target", "to", "t", "o", "end", "target_id", "tail_id", "node2")
KEYS = ("id", "iri", "uri", "key", "identifier", "code", "abbreviation", "qid", "curie", "mid")
LABELS = ("label", "name", "title", "preflabel", "metaedge")
TYPES = ("type", "kind", "class", "category")
DESCRIPTIONS = ("description", "definition", "comment", "summary")
ALIASES = ("alias", "aliases", "synonym", "synonyms", "altlabel")
#: Heads and tails that can be nothing else; ``start`` and ``end`` of a thing with a key can.
PAIRS = (
    *(("head", "tail"), ("subject", "object"), ("source", "target"), ("node1", "node2")),
    *(("head_id", "tail_id"), ("source_id", "target_id")),
)
PAIRED = "related_to"
#: Tables of these names describe relations, not entities.
RELATION_TABLES = ("relations", "relation", "predicates", "properties", "metaedges", "edge_types")


@dataclass(frozen=True, slots=True)
class Automatic:
    """How a table without a mapping is read.

    Attributes:
        triples: the names of its head, relation and tail column, or None; the relation is None
            where the table holds pairs.
        key: the column that names the thing a record is about, if it holds no triples.
        kind: of what the records are about.
    """

    triples: tuple[str, str | None, str] | None
    key: str | None
    kind: Kind
    base: str
    prefixes: tuple[tuple[str, str], ...]

    def maps(self, columns: Sequence[str]) -> tuple[TableMap, ...]:
        """The maps of a batch with these columns."""
        if self.triples is not None:
            return (self._triples(*self.triples),)
        subject = Template((self._name(str(self.key), self.kind),), iri=True)
        statements = [self._statement(c, columns) for c in columns if c != self.key]
        if self.kind == "relation":
            statements.append(type_of(iri(RDF + "Property")))
        return (TableMap("records", subject, tuple(statements)),)

    def _triples(self, head: str, relation: str | None, tail: str) -> TableMap:
        predicate = iri(mint(self.base, "relation", PAIRED))
        if relation is not None:
            predicate = Template((self._name(relation, "relation"),), iri=True)
        value = Value(Template((self._name(tail, "entity"),), iri=True))
        subject = Template((self._name(head, "entity"),), iri=True)
        return TableMap("triples", subject, ((predicate, value),), complete=True)

    def _statement(self, column: str, columns: Sequence[str]) -> tuple[Template, Value]:
        lower = column.lower()
        if column == _first(columns, LABELS):
            return iri(RDFS_LABEL), literal_of(column)
        if column == _first(columns, TYPES) and self.kind == "entity":
            return type_of(Template((self._name(column, "class"),), iri=True))
        if lower in DESCRIPTIONS:
            return iri(DESCRIPTION_PROPERTIES[0]), literal_of(column)
        if lower in ALIASES:
            return iri(SKOS + "altLabel"), literal_of(column)
        return iri(mint(self.base, "property", column)), literal_of(column)

    def _name(self, column: str, kind: Kind) -> Reference:
        """A cell that is a raw name, or an IRI or CURIE already."""
        return Reference(column, ((kind, f"{self.base}{kind}:"), *self.prefixes))


def triple_columns(columns: Sequence[str]) -> tuple[str, str | None, str] | None:
    """The columns that hold head, relation and tail by their names, or None.

    There is no relation where the columns hold pairs.
    """
    found = (_first(columns, HEADS), _first(columns, RELATIONS), _first(columns, TAILS))
    head, relation, tail = found
    if not head or not tail:
        return None
    sure, key = (head.lower(), tail.lower()) in PAIRS, _first(columns, KEYS)
    if relation is None:
        return (head, None, tail) if key is None and (sure or len(columns) == 2) else None
    return (head, relation, tail) if key is None or sure else None


def is_header(names: Sequence[str], rows: Sequence[Sequence[str]], tabs: bool) -> bool:
    """Whether the first line of a file names its columns.

    It does if it holds a name that columns have, and does not if one of its names comes again in
    its own column. Otherwise a file of two or three columns between tabs has none: labels by id,
    or triples, as most published data sets are.
    """
    known = {n for group in (HEADS, RELATIONS, TAILS, KEYS, LABELS) for n in group if len(n) > 1}
    if triple_columns(names) or any(name.lower() in known for name in names):
        return True
    columns = list(zip(*(row for row in rows if len(row) == len(names))))
    if any(name in values for name, values in zip(names, columns)):
        return False
    if len(names) == 3 and len(rows) > 2:
        # In triples a relation comes again; a column of values that all differ is something else.
        return not tabs or len(set(columns[1])) == len(columns[1])
    return not tabs or len(names) not in (2, 3)


def automatic(
    path: Path,
    name: str,
    columns: Sequence[str],
    sample: Mapping[str, Sequence[str | None]],
    base: str,
    prefixes: Mapping[str, str],
) -> Automatic:
    """Guess what a table means.

    Args:
        path: of its source.
        name: of the table.
        sample: values of each column of texts in the first records.

    Raises:
        MappingError: no column tells the records apart.
    """
    known = tuple(prefixes.items())
    triples = triple_columns(columns)
    if triples is not None:
        return Automatic(triples, None, "entity", base, known)
    kind: Kind = "relation" if name in RELATION_TABLES else "entity"
    unique = (
        column
        for column in columns
        if (values := sample.get(column)) and None not in values and len(set(values)) == len(values)
    )
    key = _first(columns, KEYS) or next(unique, None)
    if key is None:
        raise MappingError(
            path,
            f"no column tells the records apart (columns: {', '.join(columns)}); "
            "say with --mapping what they mean",
        )
    return Automatic(None, key, kind, base, known)


def _first(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The column that bears the earliest of ``names``."""
    lower = {column.lower(): column for column in reversed(columns)}
    return next((lower[name] for name in names if name in lower), None)
