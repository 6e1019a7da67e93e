"""Tables whose column names follow a published convention, whatever format they are written in.

Knows the files of ``neo4j-admin import``, the CSV of Neo4j's APOC, KGX, results of queries, and the
edges that Sightline exports; knows no format. A convention says what the columns mean, so that
nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from urllib.parse import quote

import polars as pl

from sightline.graph.exchange.spreadsheet import TEXTS, unguarded
from sightline.graph.record.loads import Note
from sightline.graph.vocabulary import (
    RDFS_LABEL,
    SCHEMA_PREDICATES,
    SKOS,
    XSD,
    XSD_STRING,
    expand,
    readable_name,
)
from sightline.ingest.batch import Batch, first_of
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats.graphs import (
    EdgeColumns,
    NodeColumns,
    Solutions,
    left_inferred,
    property_of,
)
from sightline.ingest.formats.header import GAF, GAF_WIDTHS
from sightline.ingest.lexical import LISTS, listed
from sightline.ingest.source import Source, Table
from sightline.ingest.terms import (
    Maps,
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

#: A column of ``neo4j-admin import``: name, what it is, id group, options.
NEO4J = re.compile(r"([^:]*):([A-Za-z_]+)(\[\])?(?:\(([^)]*)\))?(?:\{.*\})?")
NEO4J_ROLES = ("ID", "START_ID", "END_ID", "TYPE", "LABEL", "IGNORE")
NEO4J_TYPES = {
    **dict.fromkeys(("int", "long", "short", "byte"), "integer"),
    **dict.fromkeys(("float", "double"), "double"),
    **dict.fromkeys(("string", "char", "point", "localtime"), "string"),
    **{name: name for name in ("boolean", "date", "time", "duration")},
    **dict.fromkeys(("datetime", "localdatetime"), "dateTime"),
}
NEO4J_LABELS = ("name", "title", "label", "preflabel")
#: Columns of ``apoc.export.csv``, which has nodes and relationships in one table.
APOC_NODES, APOC_EDGES = ("_id", "_labels"), ("_start", "_end", "_type")
_DAY = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
#: Numbers and times in texts, as APOC and query services write them.
FORMS = {
    "integer": r"^-?(0|[1-9][0-9]{0,17})$",
    "double": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE]-?[0-9]+)?$",
    "date": rf"^{_DAY}$",
    "dateTime": rf"^{_DAY}T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]+)?Z?$",
}
#: Columns of KGX that hold one value, whatever signs are in it.
KGX_SINGLE = ("id", "iri", "name", "description", "label", "subject", "predicate", "object")
#: Where KGX, and annotations of the Gene Ontology, say that an edge does not hold.
NEGATED, QUALIFIER = "negated", "Qualifier"
#: Columns of annotations of the Gene Ontology that say something of the product itself, and signs
#: between several values of others.
GAF_OF_PRODUCTS = GAF[9:13]
GAF_RELATIONS = {"F": "enables", "P": "involved_in", "C": "part_of"}
GAF_LISTS = {"Reference": "|", "With_From": "|", "Annotation_Extension": "|"}
EXPORTED = EdgeColumns("head", "relation", "tail", skip=(*TEXTS, "inferred"), iris=True)
ENDS = ("head", "relation", "tail")
#: Records by which a convention is told, beside its columns.
SAMPLE = 200


def names_columns(names: Sequence[str]) -> bool:
    """Whether a first line can only be the header of a convention."""
    roles = {column.role for column in map(_neo4j, names) if column}
    return "ID" in roles or roles >= {"START_ID", "END_ID"}


def told(table: Table, *, guarded: bool = False) -> Table:
    """The table, with what its columns mean if they follow a convention.

    Args:
        guarded: cells that spreadsheets would run have a mark in front, where Sightline wrote them.
    """
    batches = iter(table.batches)
    first = next(batches, None)
    if first is None:
        return replace(table, batches=iter(()))
    maps, notes = _meaning(table.name, first.frame)
    again: Iterator[Batch] = chain([first], batches)
    if maps is None:
        return replace(table, batches=again)
    table.notes.extend(notes)
    if maps is _exported:
        again = _as_stated(again, table.notes, guarded)
    elif {*APOC_NODES, *APOC_EDGES} <= set(first.frame.columns):
        again = _nodes_and_edges(again)
    else:
        again = _affirmed(map(_related, again) if maps is _gaf_maps else again, table.notes)
    return replace(table, batches=again, maps=maps)


def require_records(source: Source, names: Sequence[str], records: bool) -> None:
    """Refuse the header of a convention without a record.

    Raises:
        SourceUnreadable
    """
    if names_columns(names) and not records:
        raise SourceUnreadable(
            source.path,
            "it is the header of an import for Neo4j, whose records are in another file; load both "
            "at once, called crew-header.csv and crew.csv, or join them (cat header.csv data.csv > "
            "joined.csv) and load that",
        )


def _meaning(name: str, frame: pl.DataFrame) -> tuple[Maps | None, list[Note]]:
    columns = frame.columns
    if names_columns(columns):
        return _neo4j_maps(name, columns)
    if {*APOC_NODES, *APOC_EDGES} <= set(columns):
        text = f"{name} holds nodes and relationships that APOC exported from Neo4j"
        return _apoc_maps(frame), [Note(text)]
    own = (*TEXTS, "inferred")
    if tuple(columns[: len(own)]) == own:
        text = f"{name} is a table of edges that Sightline exported"
        others = columns[len(own) :]
        return _exported, [Note(text + (f"; each keeps {', '.join(others)}" if others else ""))]
    sample = frame.head(SAMPLE)
    if {"subject", "predicate", "object"} <= set(columns) and _biolink(sample, "predicate"):
        edges = EdgeColumns("subject", "predicate", "object", split="|", curies=True)
        notes = [*_kgx_notes(name, columns, edges.used), *_of_obo(sample, edges.used)]
        return edges.maps, notes
    if columns == list(GAF[: len(columns)]) and len(columns) in GAF_WIDTHS:
        text = f"{name} holds annotations of the Gene Ontology: what a gene product is related to"
        return _gaf_maps, [Note(text), *_of_obo(sample, ["GO_ID"])]
    if {"id", "category"} <= set(columns) and _biolink(sample, "category"):
        nodes = NodeColumns(
            ("name", "label"), ("category",), split="|", whole=KGX_SINGLE, curies=True
        )
        text = f"{name} holds nodes of KGX: id, category and properties"
        return nodes.maps, [Note(text), *_of_obo(sample, ["id"])]
    if f"{columns[0]}Label" in columns:  # a result of a query, as Wikidata's service writes it
        texts = {
            name: XSD + _form(frame[name]) for name in columns if frame.schema[name] == pl.String
        }
        solutions = Solutions.of(frame, texts)
        if solutions is not None and solutions.links[0] == columns[0]:
            return solutions.maps, [solutions.note]
    return None, []


def _biolink(sample: pl.DataFrame, column: str) -> bool:
    values = sample[column].explode() if sample.schema[column] != pl.String else sample[column]
    filled = values.drop_nulls()
    return len(filled) > 0 and bool(filled.str.contains("^(biolink:|https://w3id.org/bio)").any())


def _kgx_notes(name: str, columns: Sequence[str], used: Sequence[str]) -> list[Note]:
    text = f"{name} holds edges of KGX: subject, predicate and object"
    others = [column for column in columns if column not in used]
    return [Note(text + (f"; each keeps {', '.join(others)}" if others else ""))]


def _of_obo(sample: pl.DataFrame, columns: Sequence[str]) -> list[Note]:
    """What ids are taken for that ontologies write as IRIs."""
    for column in columns:
        values = sample[column] if column in sample.columns else pl.Series([], dtype=pl.String)
        for text in values.drop_nulls() if values.dtype == pl.String else ():
            if found := expand(text, {}):
                said = f"ids of OBO are the IRIs that its ontologies have: {text} is {found}"
                return [Note(said)]
    return []


def _exported(columns: Sequence[str], prefixes: Mapping[str, str]) -> tuple[TableMap, ...]:
    """Edges, and what the things and relations in them are called."""
    (edges,) = EXPORTED.maps(columns, prefixes)
    labels = (
        TableMap(end, iri_in(end), ((iri(RDFS_LABEL), literal_of(f"{end}_label")),)) for end in ENDS
    )
    return (replace(edges, complete=False), *labels)


def _as_stated(batches: Iterator[Batch], notes: list[Note], guarded: bool) -> Iterator[Batch]:
    """Edges as they were before they were exported. Those that reasoning added relate nothing, for
    it adds them again. A label that the IRI gives is none, but for a class without another: only
    its label shows that it is a thing."""
    count = 0
    for batch in batches:
        frame = batch.frame.with_columns(unguarded(pl.col(pl.String)) if guarded else [])
        inferred = pl.col("inferred") == "true"
        count += frame.select(inferred.sum()).item()
        relation = pl.when(inferred.not_().fill_null(True)).then("relation")
        classes = frame["relation"].is_in(SCHEMA_PREDICATES)
        labels = []
        for end in ENDS:
            iris = frame[end].unique().drop_nulls()
            given = pl.Series(list(map(readable_name, iris)), dtype=pl.String)
            label = frame[end].replace_strict(iris, given, default=None, return_dtype=pl.String)
            same = (label == frame[f"{end}_label"]).fill_null(False) & ~classes
            labels.append(pl.when(~same).then(f"{end}_label").alias(f"{end}_label"))
        yield replace(batch, frame=frame.with_columns(*labels).with_columns(relation=relation))
    if count:
        notes.append(Note(left_inferred(count)))


def _affirmed(batches: Iterator[Batch], notes: list[Note]) -> Iterator[Batch]:
    """Edges without those that are negated: they say what is not so."""
    count, first = 0, 0
    for batch in batches:
        saying = next((name for name in (NEGATED, QUALIFIER) if name in batch.frame.columns), None)
        if saying is not None:
            said = batch.frame[saying]
            said = said if said.dtype == pl.String else said.list.join("|")
            negated = said.str.contains(r"^(?i:true)$|(^|\|)NOT(\||$)").fill_null(False)
            if negated.any():
                first = first or int(batch.rows.filter(negated)[0])
                count += int(negated.sum())
                batch = _only(batch, ~negated)
        yield batch
    if count:
        text = f"{count:,} edges are negated, the first in line {first}: what is not so is left out"
        notes.append(Note(text, warning=True))


def _related(batch: Batch) -> Batch:
    """Annotations with the relation that those before GAF 2.2 leave to their aspect."""
    usual = pl.col("Aspect").replace_strict(GAF_RELATIONS, default=None, return_dtype=pl.String)
    return replace(batch, frame=batch.frame.with_columns(pl.col(QUALIFIER).fill_null(usual)))


def _gaf_maps(columns: Sequence[str], prefixes: Mapping[str, str]) -> tuple[TableMap, ...]:
    """Gene products, and their relations to terms, each with what it rests on.

    Source: GO Annotation File (GAF) format 2.2, geneontology.org.
    """

    def text(column: str, split: str | None = None) -> Value:
        return replace(literal_of(column), split=split)

    about = [c for c in columns if c not in GAF[:5] and c not in GAF_OF_PRODUCTS]
    said = tuple((property_of(prefixes, c), text(c, GAF_LISTS.get(c))) for c in about)
    ids = Reference("DB"), "/", Reference("DB_Object_ID")
    product = Template((prefixes["entity"], *ids), iri=True)
    term = Value(named("GO_ID", "entity", prefixes, curies=True), qualifiers=said)
    relation = Template((prefixes["relation"], Reference(QUALIFIER)), iri=True)
    kind = Template((prefixes["class"], Reference("DB_Object_Type")), iri=True)
    of_product = (
        (iri(RDFS_LABEL), text("DB_Object_Symbol")),
        (iri(SKOS + "notation"), text("DB_Object_ID")),
        (iri(SKOS + "altLabel"), text("DB_Object_Name")),
        (iri(SKOS + "altLabel"), text("DB_Object_Synonym", "|")),
        (iri(property_of(prefixes, "Taxon")), text("Taxon", "|")),
        type_of(kind),
    )
    return (
        TableMap("annotations", product, ((relation, term),), complete=True),
        TableMap("products", product, of_product, once=True),
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of ``neo4j-admin import``; ``role`` is one of its roles or empty for a property."""

    column: str
    name: str
    role: str
    datatype: str
    several: bool
    group: str


def _neo4j(column: str) -> _Column | None:
    found = NEO4J.fullmatch(column.strip()) if ":" in column else None
    if not found:
        return None
    name, kind, several, group = found.groups()
    role = kind.upper() if kind.upper() in NEO4J_ROLES else ""
    if not role and kind.lower() not in NEO4J_TYPES:
        return None
    datatype = XSD + NEO4J_TYPES.get(kind.lower(), "string")
    return _Column(column, name, role, datatype, bool(several), group or "")


def _neo4j_maps(name: str, columns: Sequence[str]) -> tuple[Maps, list[Note]]:
    every = [
        _neo4j(column) or _Column(column, column, "", XSD_STRING, False, "") for column in columns
    ]
    by_role = {role: [c for c in every if c.role == role] for role in NEO4J_ROLES}
    plain = [column for column in every if not column.role]
    notes = []
    if by_role["IGNORE"]:
        left = ", ".join(column.column for column in by_role["IGNORE"])
        notes.append(Note(f"{name}: left out as its header says: {left}"))
    if by_role["START_ID"]:
        notes.insert(0, Note(f"{name} holds relationships of an import for Neo4j"))
        if not by_role["TYPE"]:
            text = f"{name} has no column :TYPE; its relationships are called {name}, as the file"
            notes.append(Note(text, warning=True))
    else:
        notes.insert(0, Note(f"{name} holds nodes of an import for Neo4j"))
        group = by_role["ID"][0].group
        if not by_role["LABEL"] and group:
            notes.append(Note(f"{name} has no column :LABEL; its nodes are of type {group}"))

    def nodes(_: Sequence[str], prefixes: Mapping[str, str]) -> tuple[TableMap, ...]:
        ids = by_role["ID"]
        kinds = (type_of(_minted(prefixes["class"], [label])) for label in by_role["LABEL"])
        statements = [(a, replace(kind, split=";")) for a, kind in kinds]
        if not by_role["LABEL"] and ids[0].group:
            statements.append(type_of(iri(prefixes["class"] + quote(ids[0].group, safe=""))))
        called = first_of([c.name for c in plain], NEO4J_LABELS)
        for column in plain:
            value = _value(column)
            if column.name == called:
                statements.append((iri(RDFS_LABEL), value))
            else:
                statements.append((iri(property_of(prefixes, column.name)), value))
        for column in ids:
            if column.name:
                statements.append((iri(property_of(prefixes, column.name)), _value(column)))
        return (TableMap("nodes", _thing(prefixes, ids), tuple(statements)),)

    def edges(_: Sequence[str], prefixes: Mapping[str, str]) -> tuple[TableMap, ...]:
        kinds = by_role["TYPE"][:1]
        relation = iri(prefixes["relation"] + quote(name, safe=""))
        if kinds:
            relation = _minted(prefixes["relation"], kinds)
        said = tuple((property_of(prefixes, c.name), _value(c)) for c in plain)
        value = Value(_thing(prefixes, by_role["END_ID"]), qualifiers=said)
        head = _thing(prefixes, by_role["START_ID"])
        return (TableMap("relationships", head, ((relation, value),), complete=True),)

    return (edges if by_role["START_ID"] else nodes), notes


def _apoc_maps(frame: pl.DataFrame) -> Maps:
    """What the columns of APOC mean; a column of numbers alone holds numbers."""
    own = (*APOC_NODES, *APOC_EDGES)
    plain = [
        _Column(name, name, "", XSD + _form(frame[name]), False, "")
        for name in frame.columns
        if name not in own
    ]
    filled = {
        c.name: frame[c.name].drop_nulls() for c in plain if frame.schema[c.name] == pl.String
    }
    lists = {name for name, texts in filled.items() if len(texts) and all(map(_is_list, texts))}

    def value_of(column: _Column) -> Value:
        return replace(_value(column), split=LISTS if column.name in lists else None)

    def thing(prefixes: Mapping[str, str], column: str) -> Template:
        return Template((f"{prefixes['entity']}node/", Reference(column)), iri=True)

    def maps(columns: Sequence[str], prefixes: Mapping[str, str]) -> tuple[TableMap, ...]:
        if "_start" in columns:
            relation = Template((prefixes["relation"], Reference("_type")), iri=True)
            said = tuple((property_of(prefixes, c.name), value_of(c)) for c in plain)
            value = Value(thing(prefixes, "_end"), qualifiers=said)
            head = thing(prefixes, "_start")
            return (TableMap("relationships", head, ((relation, value),), complete=True),)
        kinds = Template((prefixes["class"], Reference("_labels")), iri=True)
        a, kind = type_of(kinds)
        statements = [(a, replace(kind, split=":"))]
        called = first_of(columns, NEO4J_LABELS)
        for column in (column for column in plain if column.name in columns):
            is_label = column.name == called
            predicate = RDFS_LABEL if is_label else property_of(prefixes, column.name)
            statements.append((iri(predicate), value_of(column)))
        return (TableMap("nodes", thing(prefixes, "_id"), tuple(statements)),)

    return maps


def _is_list(text: str) -> bool:
    return listed(text) is not None


def _form(values: pl.Series) -> str:
    """The datatype of texts: of numbers or times where all are."""
    filled = values.drop_nulls()
    forms = (name for name, form in FORMS.items() if filled.str.contains(form).all())
    return next(forms, "string") if len(filled) else "string"


def _nodes_and_edges(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The nodes of each batch, those with the same column for a label together, and its
    relationships, each with the columns they have."""
    for batch in batches:
        columns = batch.frame.columns
        labels = [c for name in NEO4J_LABELS for c in columns if c.lower() == name]
        nodes = batch.frame[APOC_NODES[0]].is_not_null()
        edges = batch.frame[APOC_EDGES[0]].is_not_null()
        parts: list[tuple[pl.Series, Sequence[str]]] = [(edges, APOC_NODES)]
        for place, label in enumerate([*labels, None]):
            own = nodes if label is None else nodes & batch.frame[label].is_not_null()
            nodes &= ~own
            parts.insert(-1, (own, (*APOC_EDGES, *labels[:place])))
        rejected = batch.rejected
        for own, others in parts:
            if own.any() or rejected:
                part = _only(batch, own)
                yield replace(part, frame=part.frame.drop(others), rejected=rejected)
            rejected = []


def _only(batch: Batch, own: pl.Series) -> Batch:
    """Some of the records of a batch."""
    return replace(
        batch,
        frame=batch.frame.filter(own),
        rows=batch.rows.filter(own),
        hashes=batch.hashes.filter(own),
        raw=partial(_raw_of, batch, own.arg_true().to_list()),
    )


def _raw_of(batch: Batch, places: Sequence[int], row: int) -> str:
    return batch.raw(places[row])


def _thing(prefixes: Mapping[str, str], ids: Sequence[_Column]) -> Template:
    """The IRI of an id: its group keeps it apart from equal ids of other groups."""
    group = ids[0].group
    start = f"{prefixes['entity']}{quote(group, safe='')}/" if group else prefixes["entity"]
    return _minted(start, ids)


def _minted(start: str, columns: Sequence[_Column]) -> Template:
    return Template((start, *(Reference(c.column) for c in columns)), iri=True)


def _value(column: _Column) -> Value:
    text = Template((Reference(column.column),), iri=False)
    return Value(text, column.datatype, split=";" if column.several else None)
