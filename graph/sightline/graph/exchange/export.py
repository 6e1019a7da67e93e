"""The graph for other tools: RDF text, GraphML, Cytoscape JSON, and tables of edges.

RDF comes from the active loads, term by term as it was loaded, blank nodes included; the others
come from the served snapshot. Inferred facts are told apart everywhere: in N-Quads and JSON-LD by
their named graph, in the other RDF formats by being left out, elsewhere by a mark. What links say
about themselves becomes annotations of RDF 1.2, except in JSON-LD, which has none, and attributes
of edges in GraphML and Cytoscape JSON.

Knows these formats; knows no command.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from sightline.graph.exchange.drawing import cytoscape, graphml
from sightline.graph.exchange.spreadsheet import without_formulas
from sightline.graph.exchange.views import to_networkx
from sightline.graph.progress import Progress, silent
from sightline.graph.rdf.index import n_quads, reifiers
from sightline.graph.record.errors import NothingLoaded
from sightline.graph.record.loads import Role, active_loads
from sightline.graph.record.statements import scan_statements
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.storage.artifact import replacing
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import default_prefixes

if TYPE_CHECKING:
    import networkx as nx
    import polars as pl

Format = Literal["nt", "nq", "ttl", "jsonld", "graphml", "cytoscape", "csv", "parquet"]
#: Rows of a table written at once.
BATCH = 200_000
#: Columns of a table of edges, beside ``inferred``.
TEXTS = (
    *("head", "head_label", "relation", "relation_label", "tail", "tail_label"),
    "sources",
)


def export(workspace: Workspace, format: Format, target: Path, progress: Progress = silent) -> None:
    """Write the graph to a file, which appears as a whole or not at all.

    Raises:
        NothingLoaded, NothingCompiled, DamagedArtifact, NotWritable, DiskFull
    """
    with replacing(target) as temporary:
        match format:
            case "graphml":
                temporary.write_bytes(graphml(_flat(served_snapshot(workspace))))
            case "cytoscape":
                temporary.write_bytes(cytoscape(_flat(served_snapshot(workspace))))
            case "csv":
                table = _edges(served_snapshot(workspace), progress)
                table.with_columns(without_formulas(table.collect_schema())).sink_csv(temporary)
            case "parquet":
                _edges(served_snapshot(workspace), progress).sink_parquet(temporary)
            case _:
                _write_rdf(workspace, format, temporary, progress)


def _write_rdf(workspace: Workspace, format: str, path: Path, progress: Progress) -> None:
    import pyoxigraph as ox

    named: tuple[Role, ...] = ("inferred",) if format in ("nq", "jsonld") else ()
    annotated = format != "jsonld"
    parts = _parts(workspace, ("facts", *named), progress, annotated)
    if format == "nq":
        with path.open("wb") as stream:
            stream.writelines(parts)
        return
    quads = (quad for part in parts for quad in ox.parse(part, format=ox.RdfFormat.N_QUADS))
    rows = quads if format == "jsonld" else (quad.triple for quad in quads)
    # The prefixes of the settings are any texts; these are IRIs.
    prefixes = default_prefixes() if format == "ttl" else None
    ox.serialize(rows, path, format=ox.RdfFormat.from_extension(format), prefixes=prefixes)


def _parts(
    workspace: Workspace, roles: Sequence[Role], progress: Progress, remarks: bool
) -> Iterator[bytes]:
    """Statements as N-Quads; those without a named graph of their own are in the default graph.

    Args:
        remarks: what statements say about themselves follows, in RDF 1.2.
    """
    loads = active_loads(workspace)
    total = sum(load.counts.statements for load in loads if load.role in roles)
    if not total:
        raise NothingLoaded(workspace.path)
    done = 0
    for index, frame in scan_statements(loads, *roles):
        part = n_quads(frame.collect(), None)
        yield part
        done += part.count(b"\n")
        progress("export", done, total, loads[index].source)
    if remarks:
        # Counted by file: a load may have several, and each counts its statements.
        for file, (index, frame) in enumerate(scan_statements(loads, *roles, qualified=True)):
            name = f"{loads[index].id}f{file}"
            yield reifiers(frame.collect(), name, workspace.settings.base)


def _flat(snapshot: Snapshot) -> nx.MultiDiGraph[str]:
    """The graph with plain texts as attributes, and a number as the key of each edge."""
    import networkx as nx

    rich = to_networkx(snapshot)
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for node, data in rich.nodes.items():
        values = {"label": data["label"], "types": "; ".join(data["types"])}
        for name, texts in data["attributes"].items():
            own = f"{name} (attribute)" if name in values else name
            values[own] = "; ".join(texts)
        graph.add_node(node, **values)
    for i, (head, tail, relation, data) in enumerate(rich.edges(keys=True, data=True)):
        said = data.pop("qualifiers", {})
        graph.add_edge(head, tail, key=f"e{i}", relation=relation, **data)
        for iri, texts in said.items():
            name = iri[max(map(iri.rfind, ":/#")) + 1 :] or iri
            own = f"{name} (qualifier)" if name in ("relation", "key", *data) else name
            graph.edges[head, tail, f"e{i}"][own] = "; ".join(texts)
    return graph


def _edges(snapshot: Snapshot, progress: Progress) -> pl.LazyFrame:
    """One row for each edge, made in batches while it is written."""
    import polars as pl
    from polars.io.plugins import register_io_source

    s = snapshot
    entities, relations = (
        [pl.Series(table[:], dtype=pl.String) for table in tables]
        for tables in ((s.entity_iris, s.entity_labels), (s.relation_iris, s.relation_labels))
    )

    def batches(columns: list[str] | None, *_: object) -> Iterator[pl.DataFrame]:
        # Nothing filters or cuts the rows, so polars hands down only a choice of columns.
        for start in range(0, s.num_edges, BATCH):
            end = min(start + BATCH, s.num_edges)
            texts = []
            for ids, names in ((s.head, entities), (s.relation, relations), (s.tail, entities)):
                rows = pl.Series(np.asarray(ids[start:end]))
                texts += [column.gather(rows) for column in names]
            frame = pl.DataFrame(dict(zip(TEXTS, [*texts, _sources(s, start, end)])))
            frame = frame.with_columns(inferred=s.edge_inferred[start:end])
            yield frame if columns is None else frame.select(columns)
            progress("export", end, s.num_edges, "edges")

    schema = {**dict.fromkeys(TEXTS, pl.String), "inferred": pl.Boolean}
    return register_io_source(batches, schema=schema)


def _sources(snapshot: Snapshot, start: int, end: int) -> pl.Series:
    """For each edge the files and rows that state it: ``facts.csv:12; more.csv:3``."""
    import polars as pl

    indptr = np.asarray(snapshot.origin_indptr[start : end + 1])
    rows = slice(int(indptr[0]), int(indptr[-1]))
    files = pl.Series([load["source"] for load in snapshot.loads], dtype=pl.String)
    frame = pl.DataFrame(
        {
            "edge": np.repeat(np.arange(start, end), np.diff(indptr)),
            "source": files.gather(pl.Series(np.asarray(snapshot.origin_load[rows]))),
            "row": np.asarray(snapshot.origin_row[rows]),
        }
    )
    texts = frame.group_by("edge", maintain_order=True).agg(
        pl.format("{}:{}", "source", "row").str.join("; ").alias("sources")
    )
    return texts["sources"]
