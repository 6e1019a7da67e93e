"""Graphs as programs that draw write them: GraphML, and the JSON of Cytoscape and of NetworkX.

Knows where nodes and edges are in them; XML is read as a stream, without entities or external
files. Rows count nodes, and edges, in the order of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import polars as pl
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from sightline.graph.record.loads import Note
from sightline.ingest.batch import Batch, column_name
from sightline.ingest.errors import SourceSyntaxError, SourceUnreadable
from sightline.ingest.formats.graphs import EdgeColumns, NodeColumns, first_of
from sightline.ingest.source import NoSuchTable, Selection, Source, Table, TableFormat
from sightline.ingest.streams import MAX_RECORD
from sightline.ingest.terms import Maps

RECORDS_PER_BATCH = 50_000
LABELS = ("label", "name", "title")
TYPES = ("types", "labels", "type", "category", "kind", "class")
RELATIONS = ("relation", "predicate", "interaction", "label", "type", "kind", "name")
TABLES = ("nodes", "edges")

Record = dict[str, str]


def tables_of(
    source: Source, nodes: Iterator[Record], edges: Iterator[Record], notes: Sequence[Note] = ()
) -> Iterator[Table]:
    """The nodes and the edges of a graph, with what their columns mean.

    Args:
        nodes: with an ``id`` each.
        edges: with a ``source`` and a ``target`` each.
    """
    for name, records in zip(TABLES, (nodes, edges)):
        first = list(islice(records, RECORDS_PER_BATCH))
        if first:
            columns = list(dict.fromkeys(key for record in first for key in record))
            said = [*notes, Note(f"{name} of a graph")]
            maps = _nodes(columns) if name == "nodes" else _edges(columns, said)
            batches = _batches(source, chain(first, records), said)
            yield Table(name, batches, uniform=False, maps=maps, notes=said)
            notes = ()


def _nodes(columns: Sequence[str]) -> Maps:
    kind = first_of(columns, TYPES)
    several = ";" if kind in ("types", "labels") else None
    whole = tuple(column for column in columns if column != kind)
    return NodeColumns("id", LABELS, (kind,) if kind else (), split=several, whole=whole).maps


def _edges(columns: Sequence[str], notes: list[Note]) -> Maps:
    relation = first_of([c for c in columns if c not in ("source", "target")], RELATIONS)
    skip: tuple[str, ...] = ("key", "id")
    if {"relation", "path_weight", "inferred"} <= set(columns):  # as Sightline exports them
        skip = (*skip, "label", "path_weight", "inferred")
    if relation is None:
        notes.append(Note("its edges do not say how they relate and are called related_to", True))
    return EdgeColumns("source", relation, "target", skip=skip).maps


def _batches(source: Source, records: Iterator[Record], notes: list[Note]) -> Iterator[Batch]:
    inferred, row, size = 0, 0, source.path.stat().st_size
    while part := list(islice(records, RECORDS_PER_BATCH)):
        for record in part:
            # Reasoning adds again what it added; such an edge relates nothing.
            if "path_weight" in record and record.get("inferred", "").lower() == "true":
                inferred += 1
                record["target"] = record["source"] = ""
        kept = [(row + i, r) for i, r in enumerate(part, 1) if r.get("source", "-")]
        row += len(part)
        names = dict.fromkeys(column_name(key) for _, record in kept for key in record)
        columns = {name: [record.get(name) or None for _, record in kept] for name in names}
        frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
        rows = pl.Series([number for number, _ in kept], dtype=pl.UInt32)
        # Equal edges without values are one fact; equal nodes are one.
        yield Batch(frame, rows, frame.hash_rows(), partial(_raw, kept), position=size)
    if inferred:
        text = f"{inferred} edges that were inferred are left out; sightline reason adds them again"
        notes.append(Note(text))


def _raw(records: Sequence[tuple[int, Record]], i: int) -> str:
    return json.dumps(records[i][1], ensure_ascii=False)


def graph_document(source: Source, document: Any) -> Iterator[Table] | None:
    """The tables of a JSON document that is a graph of NetworkX or Cytoscape; None if it is not."""
    if not isinstance(document, dict):
        return None
    held, inner = document.get("elements"), "data"
    if not isinstance(held, dict):
        held, inner = document, ""
    nodes = _held(held.get("nodes"), inner, {"id"})
    edges = _held(held.get("edges", held.get("links")), inner, {"source", "target"})
    if nodes is None or edges is None:
        return None
    flat = partial(_flat, cytoscape=bool(inner))
    return tables_of(source, map(flat, nodes), map(flat, edges))


def _held(items: Any, inner: str, needed: set[str]) -> list[dict[Any, Any]] | None:
    """The objects of an array, or those under a key in each; None where one lacks a key."""
    if not isinstance(items, list):
        return None
    found: list[Any] = [
        item.get(inner) if inner and isinstance(item, dict) else item for item in items
    ]
    whole = all(isinstance(item, dict) and needed <= set(item) for item in found)
    return found if whole else None


def _flat(item: dict[Any, Any], cytoscape: bool) -> Record:
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


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    if selection.table not in (None, *TABLES):
        raise NoSuchTable(f"no table {selection.table!r}, only: nodes, edges")
    directed = next((e.get("edgedefault") for e in _elements(source, "graph", "start")), None)
    notes = []
    if directed == "undirected":
        notes.append(Note("its edges have no direction; each is loaded as it is written"))
    keys = {
        e.get("id"): e.get("attr.name") or e.get("id") or ""
        for e in _elements(source, "key", "end")
    }
    nodes, edges = (_records(source, name, keys) for name in ("node", "edge"))
    for table in tables_of(source, nodes, edges, notes):
        if selection.table in (None, table.name):
            yield table


def _records(source: Source, name: str, keys: dict[str | None, str]) -> Iterator[Record]:
    for element in _elements(source, name, "end"):
        record = {key: value for key, value in element.items() if "}" not in key}
        for data in element:
            if _local(data) == "data" and data.get("key") in keys:
                value = "".join(data.itertext()).strip()
                key = keys[data.get("key")]
                record[f"{key} (attribute)" if key in element.attrib else key] = value
        yield record


def _elements(source: Source, name: str, event: str) -> Iterator[Element]:
    """The elements of a name, as soon as they begin or as they end; others are forgotten."""
    inside: list[Element] = []
    read = 0
    try:
        with source.open() as stream:
            for what, element in iterparse(stream, ("start", "end"), forbid_dtd=True):
                if what == "start":
                    inside.append(element)
                    if event == "start" and _local(element) == name:
                        yield element
                        return
                    continue
                inside.pop()
                if _local(element) == name:
                    yield element
                if _local(element) in ("key", "node", "edge") and inside:
                    inside[-1].remove(element)
                    read = stream.expanded
                elif stream.expanded - read > 2 * MAX_RECORD:
                    reason = f"a node or edge is longer than {MAX_RECORD >> 20} MiB"
                    raise SourceUnreadable(source.path, reason)
    except ParseError as error:
        line, reason = error.position[0], f"no XML ({str(error).partition(':')[0]})"
        raise SourceSyntaxError(source.path, line, reason) from error
    except DefusedXmlException as error:
        reason = "it declares a document type or entities, which can hide a bomb; remove <!DOCTYPE"
        raise SourceUnreadable(source.path, reason) from error


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


GRAPHML = TableFormat(
    name="GraphML",
    endings=(".graphml",),
    media_type="application/graphml+xml",
    recognises=lambda head: b"<graphml" in head[:4096],
    tables=_tables,
    formulations=("graphml",),
)
