"""Graphs of nodes and edges, as programs that draw write them and as Hetionet is published.

Knows what their records mean, and where they are in the JSON of Cytoscape, NetworkX and Hetionet;
knows no XML. Rows count nodes, and edges, in the order of the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import Any

import polars as pl

from sightline.graph.exchange.flat import MEANING, Meaning, Said, values_in
from sightline.graph.record.loads import Note
from sightline.graph.vocabulary import RDF_TYPE, RDFS_LABEL
from sightline.ingest.batch import Batch, column_name, first_of
from sightline.ingest.formats.graphs import (
    UNNAMED,
    EdgeColumns,
    NodeColumns,
    left_inferred,
)
from sightline.ingest.source import Source, Table
from sightline.ingest.terms import Maps, TableMap, Value, iri, iri_in, literal_of

RECORDS_PER_BATCH = 50_000
LABELS = ("label", "name", "title")
TYPES = ("types", "labels", "type", "category", "kind", "class")
RELATIONS = ("relation", "predicate", "interaction", "label", "type", "kind", "name")
TABLES = ("nodes", "edges")
#: The fields that nodes and edges of Hetionet have.
HETIONET = ({"kind", "identifier"}, {"kind", "source_id", "target_id"})
HETIONET_WORDS = {"identifier", "source_id", "target_id", "direction", "data"}
UNDIRECTED = Note("its edges have no direction; each is loaded as it is written")

Record = dict[str, str]


def tables_of(
    source: Source,
    nodes: Iterator[Record],
    edges: Iterator[Record],
    notes: list[Note],
    datatypes: Mapping[str, str] | None = None,
    meaning: Meaning | None = None,
) -> Iterator[Table]:
    """The nodes and the edges of a graph, with what their columns mean.

    Args:
        nodes: with an ``id`` each.
        edges: with a ``source`` and a ``target`` each.
        notes: those of both tables, complete when all is read.
        datatypes: of values of edges that are no texts.
        meaning: what the columns stand for, where the graph says so itself.
    """
    if meaning is not None:
        labels = ({"id": iri, "label": label} for iri, label in meaning.labels.items())
        yield from _exported(source, (nodes, edges, labels), notes, meaning)
        return
    for name, records in zip(TABLES, (nodes, edges)):
        first = list(islice(records, RECORDS_PER_BATCH))
        if not first:
            continue
        columns = list(dict.fromkeys(key for record in first for key in record))
        maps, relation = _nodes(columns), None
        if name == "edges":
            maps, relation = _edges(columns, notes, datatypes or {})
        notes.append(Note(f"{name} of a graph"))
        batches = _batches(source, chain(first, records), relation, notes, {})
        yield Table(name, batches, uniform=False, maps=maps, notes=notes)


def _nodes(columns: Sequence[str]) -> Maps:
    kind = first_of(columns, TYPES)
    several = ";" if kind in ("types", "labels") else None
    whole = tuple(column for column in columns if column != kind)
    return NodeColumns(LABELS, (kind,) if kind else (), split=several, whole=whole).maps


def _edges(
    columns: Sequence[str], notes: list[Note], datatypes: Mapping[str, str]
) -> tuple[Maps, str | None]:
    """What the columns of edges mean, and which of them says how edges relate."""
    relation = first_of([c for c in columns if c not in ("source", "target")], RELATIONS)
    own = [column for column in ("key", "id") if column in columns]
    if own:
        notes.append(Note(f"the ids of its edges ({', '.join(own)}) are left out"))
    if relation is None:
        notes.append(Note("its edges do not say how they relate and are called related_to", True))
    edges = EdgeColumns("source", relation, "target", skip=("key", "id"), datatypes=datatypes)
    return edges.maps, relation


def _exported(
    source: Source, tables: Iterable[Iterator[Record]], notes: list[Note], meaning: Meaning
) -> Iterator[Table]:
    """Nodes, edges and labels as Sightline exports them: labels of nodes are among their literals,
    the keys of edges are numbers, and path weights are computed again."""
    notes.append(Note("a graph that Sightline exported, with its IRIs, types and datatypes"))
    nodes = [(iri(RDF_TYPE), Value(iri_in("types")))]
    nodes += [(iri(said.iri), _said(name, said)) for name, said in meaning.nodes.items()]
    qualifiers = tuple((said.iri, _said(name, said)) for name, said in meaning.edges.items())
    edge = (iri_in("relation"), Value(iri_in("target"), qualifiers=qualifiers))
    labels = (iri(RDFS_LABEL), literal_of("label"))
    maps = (
        TableMap("nodes", iri_in("id"), tuple(nodes)),
        TableMap("edges", iri_in("source"), (edge,), complete=True),
        TableMap("labels", iri_in("id"), (labels,)),
    )
    kinds: tuple[Mapping[str, Said], ...] = (meaning.nodes, meaning.edges, {})
    for records, one, said in zip(tables, maps, kinds):
        several = {name: values_in for name, kind in said.items() if kind.several}
        if one.name == "nodes":
            several["types"] = partial(_types, meaning.types)
        batches = _batches(source, records, None, notes, several)
        yield Table(one.name, batches, uniform=False, maps=lambda *_, m=one: (m,), notes=notes)


def _said(name: str, said: Said) -> Value:
    """The values of an attribute."""
    if said.datatype is None:
        return Value(iri_in(name))
    return replace(literal_of(name), datatype=said.datatype, language=said.language)


def _types(iris: Mapping[str, str], text: str) -> list[str]:
    return [iris[name] for name in text.split("; ") if name in iris]


def _batches(
    source: Source,
    records: Iterator[Record],
    relation: str | None,
    notes: list[Note],
    several: Mapping[str, Callable[[str], list[str]]],
) -> Iterator[Batch]:
    """Batches of records.

    Args:
        relation: the column that says how edges relate.
        several: what reads the values in a cell of a column that may have more than one.
    """
    inferred, unnamed, row, size = 0, 0, 0, source.path.stat().st_size
    while part := list(islice(records, RECORDS_PER_BATCH)):
        for record in part:
            # Reasoning adds again what it added; such an edge relates nothing.
            if "path_weight" in record and record.get("inferred", "").lower() == "true":
                inferred += 1
                record["target"] = record["source"] = ""
            elif relation and not record.get(relation):
                unnamed += 1
                record[relation] = UNNAMED
        kept = [(row + i, r) for i, r in enumerate(part, 1) if r.get("source", "-")]
        row += len(part)
        names = dict.fromkeys(column_name(key) for _, record in kept for key in record)
        columns = {name: [record.get(name) or None for _, record in kept] for name in names}
        frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
        # Equal edges without values are one fact; equal nodes are one.
        hashes = frame.hash_rows()
        for name in several.keys() & names.keys():
            values = [cell and several[name](cell) for cell in columns[name]]
            frame = frame.with_columns(pl.Series(name, values, dtype=pl.List(pl.String)))
        rows = pl.Series([number for number, _ in kept], dtype=pl.UInt32)
        yield Batch(frame, rows, hashes, partial(_raw, kept), position=size)
    if inferred:
        notes.append(Note(left_inferred(inferred)))
    if unnamed:
        text = f"{unnamed} edges do not say how they relate and are called {UNNAMED}"
        notes.append(Note(text, warning=True))


def _raw(records: Sequence[tuple[int, Record]], i: int) -> str:
    return json.dumps(records[i][1], ensure_ascii=False)


def graph_document(source: Source, document: Any) -> Iterator[Table] | None:
    """The tables of a JSON document that is a graph of NetworkX, Cytoscape or Hetionet; None if it
    is none."""
    if not isinstance(document, dict):
        return None
    notes: list[Note] = []
    nodes, edges = (
        _held(document.get("nodes"), HETIONET[0]),
        _held(document.get("edges"), HETIONET[1]),
    )
    if nodes is not None and edges is not None:
        nodes_of, edges_of = (_of_hetionet(items, notes) for items in (nodes, edges))
        return tables_of(source, nodes_of, edges_of, notes)
    held, inner = document.get("elements"), "data"
    if not isinstance(held, dict):
        held, inner = document, ""
    nodes = _held(held.get("nodes"), {"id"}, inner)
    edges = _held(held.get("edges", held.get("links")), {"source", "target"}, inner)
    if nodes is None or edges is None:
        return None
    meaning = _meaning(document.get("data"))
    if document.get("directed") is False:
        notes.append(UNDIRECTED)
    flat = partial(_flat, cytoscape=bool(inner))
    return tables_of(source, map(flat, nodes), map(flat, edges), notes, meaning=meaning)


def _meaning(data: Any) -> Meaning | None:
    """What Cytoscape JSON of Sightline says of its attributes, as pairs of name and value."""
    pairs = (
        dict(p for p in data if isinstance(p, list) and len(p) == 2)
        if isinstance(data, list)
        else {}
    )
    return Meaning.read(str(pairs.get(MEANING, "")))


def _held(items: Any, needed: set[str], inner: str = "") -> list[dict[Any, Any]] | None:
    """The objects of an array, or those under a key in each; None where one lacks a key."""
    if not isinstance(items, list):
        return None
    found: list[Any] = [
        item.get(inner) if inner and isinstance(item, dict) else item for item in items
    ]
    whole = all(isinstance(item, dict) and needed <= set(item) for item in found)
    return found if whole else None


def _flat(item: dict[Any, Any], cytoscape: bool = False) -> Record:
    """Values as texts. Cytoscape has the id and the label of a node twice."""
    record = {}
    for key, value in item.items():
        again = cytoscape and (
            (key == "value" and value == item.get("id"))
            or (key == "name" and value == item.get("label"))
        )
        if key is not None and value is not None and not again:
            record[key] = value if isinstance(value, str) else json.dumps(value)
    return record


def _of_hetionet(items: Sequence[dict[Any, Any]], notes: list[Note]) -> Iterator[Record]:
    """Nodes or edges, whose ends are called as in the tables of Hetionet: ``Gene::9021``."""
    both = 0
    for item in items:
        names = {"id": [item["kind"], item.get("identifier")]}
        if "source_id" in item:
            names = {"source": item["source_id"], "target": item["target_id"]}
            both += item.get("direction") == "both"
            if item.get("direction") == "backward":
                names = dict(zip(names, reversed(names.values())))
        own = {
            **{
                name: "::".join(map(str, x)) if isinstance(x, list) else x
                for name, x in names.items()
            },
            **{k: v for k, v in item.items() if k not in HETIONET_WORDS},
        }
        data = item.get("data")
        for key, value in data.items() if isinstance(data, dict) else ():
            own[f"{key} (attribute)" if key in own else key] = value
        yield _flat(own)
    if both:
        text = f"{both} edges go both ways; each is loaded as it is written, and paths go both ways"
        notes.append(Note(text))
