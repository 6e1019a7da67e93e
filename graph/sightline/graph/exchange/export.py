"""The graph for other tools: RDF text, GraphML, Cytoscape JSON, and tables of edges.

RDF comes from the active loads, term by term as it was loaded, blank nodes included; the others
come from the served snapshot. Inferred facts are told apart everywhere: in N-Quads and JSON-LD by
their named graph, in the other RDF formats by being left out, elsewhere by a mark. What links say
about themselves becomes annotations of RDF 1.2, except in JSON-LD, which has none; elsewhere
attributes or columns of edges, of which there is one for each statement that says something else.

Knows these formats; knows no command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from sightline.graph.exchange.drawing import cytoscape, graphml
from sightline.graph.exchange.flat import column, flat
from sightline.graph.exchange.spreadsheet import TEXTS, without_formulas
from sightline.graph.progress import Progress, silent
from sightline.graph.rdf.index import remarked
from sightline.graph.record.errors import NothingLoaded
from sightline.graph.record.loads import Load, Role, active_loads
from sightline.graph.record.statements import QUALIFIERS, scan_statements
from sightline.graph.snapshot.reader import Snapshot, served_snapshot
from sightline.graph.storage.artifact import replacing
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import LABEL_PROPERTIES, XSD_STRING, default_prefixes

if TYPE_CHECKING:
    import polars as pl

Format = Literal["nt", "nq", "ttl", "jsonld", "graphml", "cytoscape", "csv", "parquet"]
#: Rows of a table written at once.
BATCH = 200_000


def export(
    workspace: Workspace, format: Format, target: Path, progress: Progress = silent
) -> list[str]:
    """Write the graph to a file, which appears as a whole or not at all.

    Returns:
        what the format cannot hold and was left out, in sentences.

    Raises:
        NothingLoaded, NothingCompiled, DamagedArtifact, NotWritable, DiskFull
    """
    with replacing(target) as temporary:
        match format:
            case "graphml":
                temporary.write_bytes(graphml(flat(served_snapshot(workspace))))
            case "cytoscape":
                temporary.write_bytes(cytoscape(flat(served_snapshot(workspace))))
            case "csv":
                table = _edges(served_snapshot(workspace), progress)
                table.with_columns(without_formulas(table.collect_schema())).sink_csv(temporary)
            case "parquet":
                _edges(served_snapshot(workspace), progress).sink_parquet(temporary)
            case _:
                _write_rdf(workspace, format, temporary, progress)
    return _left_out(workspace, format)


def _left_out(workspace: Workspace, format: Format) -> list[str]:
    """What a format has no form for, in sentences."""
    loads = active_loads(workspace)
    if format in ("graphml", "cytoscape"):
        found = {"{} statements about relations, types and properties": _about_schema(workspace)}
        where = "RDF has them"
    elif format in ("csv", "parquet"):
        s = served_snapshot(workspace)
        terms = [datatype for datatype, _ in s.manifest.get("qualifier_terms", ())]
        found = {
            "{} types of things": len(s.type_class),
            "{} texts and numbers of things": len(s.attribute_load),
            "{} things without an edge": int(np.count_nonzero(s.degree[:] == 0)),
            "the datatypes of what edges say of themselves": sum(t != XSD_STRING for t in terms),
        }
        where = "graphml and nq have them"
    elif format == "jsonld":
        count = _stated(loads, QUALIFIERS)
        found = {"{} values that links have of their own, for which JSON-LD has no form": count}
        where = "the formats nq, nt and ttl have one"
    elif format in ("nt", "ttl"):
        found = {
            "{} inferred facts": _count(loads, "inferred"),
            "{} merges": _count(loads, "merges"),
            "the named graphs of {} statements": _stated(loads, "graph"),
        }
        where = "nq and jsonld have them"
    else:
        return []
    said = [text.format(f"{count:,}") for text, count in found.items() if count]
    told = [f"left out: {', '.join(said)}; {where}"] if said else []
    texts = 0 if format == "jsonld" else _count(loads, "extracted")
    if texts:
        told.append(f"left out: {texts:,} facts extracted from texts; nq and jsonld have them")
    return told


def _count(loads: Sequence[Load], role: Role) -> int:
    return sum(load.counts.statements for load in loads if load.role == role)


def _stated(loads: Sequence[Load], column: str) -> int:
    """How many values a column of the stated facts has, or the lists in it."""
    import polars as pl

    total = 0
    for _, frame in scan_statements(loads, "facts", qualifiers=True):
        kind = frame.collect_schema().get(column)
        if kind is not None:
            values = pl.col(column).list.len() if kind == pl.List else pl.col(column).is_not_null()
            total += frame.select(values.sum()).collect().item()
    return total


def _about_schema(workspace: Workspace) -> int:
    """How many statements, but for labels, are about what is no thing of the compiled graph."""
    import polars as pl

    things = pl.Series(served_snapshot(workspace).entity_iris[:], dtype=pl.String)
    about = ~pl.col("subject").is_in(things.implode())
    about &= ~pl.col("predicate").is_in(LABEL_PROPERTIES)
    frames = (frame for _, frame in scan_statements(active_loads(workspace), "facts"))
    return sum(frame.filter(about).select(pl.len()).collect().item() for frame in frames)


def _write_rdf(workspace: Workspace, format: str, path: Path, progress: Progress) -> None:
    import pyoxigraph as ox

    named: tuple[Role, ...] = (
        ("inferred", "merges", "extracted") if format in ("nq", "jsonld") else ()
    )
    parts = _parts(workspace, ("facts", *named), progress, remarks=format != "jsonld")
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
    """Statements as N-Quads; those without a named graph of their own are in the default graph."""
    loads = active_loads(workspace)
    total = sum(load.counts.statements for load in loads if load.role in roles)
    if not total:
        raise NothingLoaded(workspace.path)
    done = 0
    files = scan_statements(loads, *roles, qualifiers=remarks)
    # Counted by file: a load may have several, and each counts its statements.
    for file, (index, scanned) in enumerate(files):
        frame = scanned.collect()
        yield remarked(frame, f"{loads[index].id}f{file}")
        done += frame.height
        progress("export", done, total, loads[index].source)


def _edges(snapshot: Snapshot, progress: Progress) -> pl.LazyFrame:
    """One row for each edge, made in batches while it is written; more for one whose statements
    say different things of themselves."""
    import polars as pl
    from polars.io.plugins import register_io_source

    s = snapshot
    entities, relations = (
        [pl.Series(table[:], dtype=pl.String) for table in tables]
        for tables in ((s.entity_iris, s.entity_labels), (s.relation_iris, s.relation_labels))
    )

    says = {p: column(s, s.property_iris[p], (*TEXTS, "inferred")) for p in s.qualifying()}

    def batches(columns: list[str] | None, *_: object) -> Iterator[pl.DataFrame]:
        # Nothing filters or cuts the rows, so polars hands down only a choice of columns.
        for start in range(0, s.num_edges, BATCH):
            end = min(start + BATCH, s.num_edges)
            said = _sources(s, start, end, says)
            edges = said["edge"].to_numpy()
            texts = []
            for ids, names in ((s.head, entities), (s.relation, relations), (s.tail, entities)):
                rows = pl.Series(np.asarray(ids[edges]))
                texts += [column.gather(rows) for column in names]
            frame = pl.DataFrame(dict(zip(TEXTS, [*texts, said["sources"]])))
            frame = frame.with_columns(pl.Series("inferred", s.edge_inferred[edges]))
            frame = frame.hstack(said.select(says.values()))
            yield frame if columns is None else frame.select(columns)
            progress("export", end, s.num_edges, "edges")

    schema = {**dict.fromkeys(TEXTS, pl.String), "inferred": pl.Boolean}
    schema |= dict.fromkeys(says.values(), pl.String)
    return register_io_source(batches, schema=schema)


def _sources(snapshot: Snapshot, start: int, end: int, says: Mapping[int, str]) -> pl.DataFrame:
    """For each edge the files and rows that state it: ``facts.csv:12; more.csv:3``; and a column
    for each property that statements say of themselves, if need be in several rows.

    Args:
        says: property to column.
    """
    import polars as pl

    indptr = np.asarray(snapshot.origin_indptr[start : end + 1])
    rows = slice(int(indptr[0]), int(indptr[-1]))
    files = pl.Series([load["source"] for load in snapshot.loads], dtype=pl.String)
    frame = pl.DataFrame(
        {
            "edge": np.repeat(np.arange(start, end), np.diff(indptr)),
            "source": files.gather(pl.Series(np.asarray(snapshot.origin_load[rows]))),
            "row": np.asarray(snapshot.origin_row[rows]),
            "at": np.arange(rows.start, rows.stop, dtype=np.int32),
        }
    )
    if says:
        span = slice(*np.searchsorted(snapshot.qualifier_origin, (rows.start, rows.stop)))
        said = snapshot.qualifier_said[span]
        qualifiers = pl.DataFrame(
            {
                "at": snapshot.qualifier_origin[span],
                "property": snapshot.qualifier_property[said],
                "value": snapshot.qualifier_value.take(said),
            }
        )
        for prop, name in says.items():
            values = qualifiers.filter(pl.col("property") == prop).select("at", value="value")
            frame = frame.join(values, on="at", how="left", maintain_order="left_right")
            frame = frame.rename({"value": f"q {name}"})
    return (
        frame.group_by("edge", *(f"q {name}" for name in says.values()), maintain_order=True)
        .agg(pl.format("{}:{}", "source", "row").str.join("; ").alias("sources"))
        .rename({f"q {name}": name for name in says.values()})
    )
