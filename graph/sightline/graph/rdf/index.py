"""The read-only Oxigraph index of a snapshot, for people who think in RDF.

Knows how statements are written as N-Quads and how the index is opened; evaluates nothing itself.
The default graph of a query is the union of all named graphs but that of extracted facts.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.graph.errors import SightlineError
from sightline.graph.rdf.errors import IndexUnreadable
from sightline.graph.rdf.worker import failure
from sightline.graph.record.loads import Load, Role
from sightline.graph.record.merges import Merges
from sightline.graph.record.statements import QUALIFIERS, scan_statements
from sightline.graph.storage.artifact import read_manifest
from sightline.graph.storage.errors import DamagedArtifact, FormatMismatch
from sightline.graph.vocabulary import GENID, LOAD_GRAPH, RDF, RDF_LANG_STRING, XSD_STRING

if TYPE_CHECKING:
    import polars as pl
    import rdflib

FOLDER = "rdf"
#: What is in it, in named graphs; extracted facts are in no default graph.
INDEXED: tuple[Role, ...] = ("facts", "inferred", "extracted")


def write_rdf_index(target: Path, loads: Sequence[Load], former: Path | None) -> None:
    """Write the stated, inferred and extracted facts of ``loads`` to a store at ``target/rdf``,
    with the names that terms have since they were merged, and the merges themselves.

    Args:
        former: an intact snapshot with an index. Where it has most of the facts, a copy of its
            store is changed: filling one is most of what compiling costs.
    """
    import polars as pl
    import pyoxigraph

    merges = Merges.of(loads)
    frames = [
        (
            f"{loads[index].id}f{file}",
            _since(merges, loads[index], frame).with_columns(
                pl.col("graph").fill_null(LOAD_GRAPH + loads[index].id)
            ),
        )
        for file, (index, frame) in enumerate(
            scan_statements(loads, *INDEXED, "merges", qualifiers=True)
        )
    ]
    folder = target / FOLDER
    changed = None
    if former is not None:
        changed = _changed_graphs(former, loads, [frame for _, frame in frames])
    if former is not None and changed is not None:
        shutil.copytree(former / FOLDER, folder)
        frames = [(name, frame.filter(pl.col("graph").is_in(changed))) for name, frame in frames]
    store = pyoxigraph.Store(str(folder))
    for graph in changed or ():
        store.remove_graph(pyoxigraph.NamedNode(graph))
    found = ((frame.collect(), name) for name, frame in frames)
    quads = (remarked(frame, name) for frame, name in found if not frame.is_empty())
    parse = partial(pyoxigraph.parse, format=pyoxigraph.RdfFormat.N_QUADS)
    # ``bulk_load`` would tell the blank nodes of one frame from those of another.
    store.bulk_extend(chain.from_iterable(map(parse, quads)))
    store.flush()
    if changed is None:
        store.optimize()
    del store
    # The lock and the log are the store's own business and would make the folder's checksums vary.
    for name in ("LOCK", "LOG"):
        (folder / name).unlink(missing_ok=True)


def _since(merges: Merges | None, load: Load, statements: pl.LazyFrame) -> pl.LazyFrame:
    """Statements of a load with the names that terms have since they were merged."""
    return statements if merges is None or load.role == "merges" else merges.applied(statements)


def _changed_graphs(
    former: Path, loads: Sequence[Load], frames: Sequence[pl.LazyFrame]
) -> list[str] | None:
    """The graphs to which loads write that came or went since ``former``; None where those are
    more than half of all, or cannot be told.

    Args:
        frames: the statements of ``loads``.
    """
    import polars as pl

    then = {(load["id"], load["role"]) for load in read_manifest(former)["loads"]}
    now = {(load.id, load.role) for load in loads}
    if any(role in ("merges", "retractions") for _, role in then ^ now):
        return None  # which may be about any graph
    parent = loads[0].folder.parent
    try:
        differing = [Load.read(parent / name) for name, _ in sorted(then ^ now)]
        for load in differing:
            load.verify()
    except (DamagedArtifact, FormatMismatch):
        return None  # one that went is no longer whole
    differing = [load for load in differing if load.role in INDEXED]
    named = [
        frame.select("graph").collect()["graph"].drop_nulls()
        for _, frame in scan_statements(differing, *INDEXED)
    ]
    graphs = pl.concat([pl.Series("graph", [LOAD_GRAPH + load.id for load in differing]), *named])
    changed = graphs.unique().to_list()
    if any(graph.startswith(GENID) for graph in changed):
        return None
    counts = pl.concat([pl.LazyFrame(schema={"graph": pl.String}), *frames], how="diagonal")
    ours = counts.select(pl.col("graph").is_in(changed).sum(), all=pl.len()).collect().row(0)
    return changed if 2 * ours[0] <= ours[1] else None


def remarked(frame: pl.DataFrame, name: str) -> bytes:
    """Statements as N-Quads, with what they say about themselves where they say anything.

    Args:
        name: as in ``reifiers``.
    """
    quads = n_quads(frame)
    return quads + reifiers(frame, name) if QUALIFIERS in frame.columns else quads


def n_quads(frame: pl.DataFrame) -> bytes:
    """Statements as N-Quads, those without a named graph in the default one. Genids become blank
    nodes again."""
    import polars as pl

    def node(term: pl.Expr) -> pl.Expr:
        label = term.str.slice(len(GENID)).str.replace(":", "g")
        # Labels hold no percent sign, and no label but such that had one holds the dot.
        blank = pl.format("_:g{}", label.str.replace_all("%", "·", literal=True))
        return pl.when(term.str.starts_with(GENID)).then(blank).otherwise(pl.format("<{}>", term))

    text, datatype = pl.col("object"), pl.col("datatype")
    for raw, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        text = text.str.replace_all(raw, escaped, literal=True)
    value = (
        pl.when(datatype.is_null())
        .then(node(pl.col("object")))
        .when(datatype == RDF_LANG_STRING)
        .then(pl.format('"{}"@{}', text, "language"))
        .when(datatype == XSD_STRING)
        .then(pl.format('"{}"', text))
        .otherwise(pl.format('"{}"^^<{}>', text, "datatype"))
    )
    terms = [node(pl.col("subject")), pl.format("<{}>", "predicate"), value]
    terms += [node(pl.col("graph")), pl.lit(".")]
    lines = frame.select(line=pl.concat_str(terms, separator=" ", ignore_nulls=True))
    return ("\n".join(lines["line"].to_list()) + "\n").encode()


def reifiers(frame: pl.DataFrame, name: str) -> bytes:
    """What statements say about themselves as N-Quads of RDF 1.2: a blank node reifies each.

    Args:
        frame: statements with their qualifiers.
        name: what the nodes are called after; no other frame may have the same.
    """
    import polars as pl

    frame = frame.filter(pl.col(QUALIFIERS).list.len() > 0).with_row_index("at")
    if frame.is_empty():
        return b""
    nothing = pl.lit(None, pl.String)
    # The graph is in it: a store may have the nodes of another graph of this load from before.
    reifier = pl.format(f"{GENID}{name}x{{}}:{{}}", pl.col("graph").hash(), "at")
    triples = _lines(n_quads(frame.with_columns(graph=nothing)))
    reified = frame.select(
        *("graph", nothing.alias("datatype"), nothing.alias("language")),
        subject=reifier,
        predicate=pl.lit(RDF + "reifies"),
        object=pl.lit("urn:t"),
    )
    lines = pl.DataFrame(
        {"line": _lines(n_quads(reified)), "triple": triples.str.strip_suffix(" .")}
    ).select(pl.col("line").str.replace("<urn:t>", pl.format("<<( {} )>>", "triple"), literal=True))
    said = frame.select("graph", QUALIFIERS, subject=reifier).explode(QUALIFIERS)
    said = said.unnest(QUALIFIERS).rename({"key": "predicate", "value": "object"})
    return "\n".join([*lines["line"], n_quads(said).decode()]).encode()


def _lines(quads: bytes) -> pl.Series:
    import polars as pl

    return pl.Series(quads.decode().rstrip("\n").split("\n"))


def open_rdf(snapshot: Path) -> rdflib.Dataset:
    """The index of a snapshot's folder as an rdflib dataset (through oxrdflib). Reading only.

    ``dataset.query("SELECT ...")`` is evaluated by Oxigraph over the union of all graphs.

    Raises:
        DamagedArtifact: the snapshot was compiled without its RDF index.
    """
    import rdflib
    from oxrdflib import OxigraphStore

    store = OxigraphStore(store=open_store(snapshot))
    return rdflib.Dataset(store, default_union=True)


def open_store(snapshot: Path) -> Any:
    """The index of a snapshot's folder as a read-only ``pyoxigraph.Store``.

    Raises:
        DamagedArtifact: the snapshot was compiled without its RDF index, or it is damaged.
        IndexUnreadable: this process lacks something to open it.
    """
    import pyoxigraph

    folder = index_of(snapshot)
    try:
        return pyoxigraph.Store.read_only(str(folder))
    except (OSError, RuntimeError) as error:
        raise index_error(folder, str(error), failure(error) == "damaged") from error


def index_of(snapshot: Path) -> Path:
    """The folder of the index of a snapshot's folder.

    Raises:
        DamagedArtifact: the snapshot was compiled without its RDF index.
    """
    folder = snapshot / FOLDER
    if not folder.is_dir():
        raise DamagedArtifact(snapshot, "it was compiled without its RDF index")
    return folder


def index_error(folder: Path, reason: str, damaged: bool) -> SightlineError:
    """The error of the tree for an index that cannot be read, without where this machine has it."""
    reason = reason.replace(f"{folder}/", "").partition("  The file ")[0][:300]
    return DamagedArtifact(folder, reason) if damaged else IndexUnreadable(reason)
