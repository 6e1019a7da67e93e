"""Loads to snapshot: terms become ids once, everything else is sorted arrays.

Knows the columns of loads and the arrays of a snapshot; knows no source format and no query. The
same active loads and settings give the same arrays, byte for byte (``rdf/`` excepted).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from sightline.graph.progress import Progress, silent
from sightline.graph.rdf.index import write_rdf_index
from sightline.graph.reasoning.reason import is_stale, reason
from sightline.graph.record.errors import NothingLoaded
from sightline.graph.record.loads import HELD_OUT, Load, Role, active_loads
from sightline.graph.record.statements import scan_statements, statement_schema
from sightline.graph.snapshot.collect import collect
from sightline.graph.snapshot.pairs import changes, find_twins, path_weights
from sightline.graph.snapshot.reader import SNAPSHOT_FORMAT, Snapshot
from sightline.graph.snapshot.search import SearchIndex
from sightline.graph.storage.artifact import new_artifact, verify_artifact, write_manifest
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.settings import Settings
from sightline.graph.storage.strings import StringTable
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import (
    OWL,
    RDF_TYPE,
    RDFS,
    RDFS_LABEL,
    SCHEMA_CLASSES,
    SCHEMA_PREDICATES,
    SKOS,
    readable_name,
)

#: Further texts by which an entity is found, beside its labels.
ALTERNATIVE_LABELS = (SKOS + "altLabel", SKOS + "notation", "https://schema.org/alternateName")
STAGES = 6


def snapshot_id(loads: Sequence[Load], settings: Settings) -> str:
    """16 hex digits of the active loads and of the settings that shape a snapshot."""
    text = json.dumps([SNAPSHOT_FORMAT, sorted(load.id for load in loads), settings.digest_text()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def compile_snapshot(
    workspace: Workspace,
    *,
    rdf: bool = True,
    progress: Progress = silent,
    prepare: Callable[[Snapshot], None] | None = None,
) -> Snapshot:
    """Build the snapshot of the active loads, and serve it. An intact one is not built again.

    Where facts were inferred and other loads are active now, they are inferred anew first. Old
    snapshots that nothing refers to are removed at the end.

    Args:
        rdf: also build the Oxigraph index that SPARQL and rdflib users read.
        prepare: called with the new snapshot before it is served, for what else must be there
            then: the maps of a served model.

    Raises:
        NothingLoaded, TooManyInferred, NotWritable, DiskFull, WorkspaceLocked
        DamagedLoad: a file of an active load is missing or changed; nothing was built.
    """
    with workspace.lock():
        loads = active_loads(workspace)
        if not any(load.role == "facts" for load in loads):
            raise NothingLoaded(workspace.path)
        for load in loads:
            load.verify()
        if is_stale(loads):
            reason(workspace, progress=progress)
            loads = active_loads(workspace)
        name = snapshot_id(loads, workspace.settings)
        folder = workspace.snapshots / name
        if not _intact(folder, rdf):
            with new_artifact(workspace.snapshots, name) as target:
                _build(target, loads, workspace.settings, rdf, progress)
        snapshot = Snapshot.open(folder)
        if prepare is not None:
            prepare(snapshot)
        workspace.publish(snapshot=name, loads=tuple(load.id for load in loads))
        collect(workspace)
        return snapshot


def _intact(folder: Path, rdf: bool) -> bool:
    try:
        return folder.exists() and (verify_artifact(folder, full=True)["rdf"] or not rdf)
    except DamagedArtifact:
        return False


def _build(
    target: Path, loads: list[Load], settings: Settings, rdf: bool, progress: Progress
) -> None:
    progress("compile", 0, STAGES, "reading loads")
    facts = _read(loads, "facts", "inferred")
    held_out: dict[str, pl.DataFrame] = {role: _read(loads, role) for role in HELD_OUT}
    parts = _divide(facts, settings)
    progress("compile", 1, STAGES, "terms to ids")
    terms = _Terms.of(parts, held_out)
    progress("compile", 2, STAGES, "edges")
    inferred = [i for i, load in enumerate(loads) if load.role == "inferred"]
    _write_edges(target, terms, parts, inferred)
    _write_types(target, terms, parts.types.with_columns(inferred=pl.col("load").is_in(inferred)))
    for role, statements in held_out.items():
        if not statements.is_empty():
            triples = terms.encode(statements).select("head", "relation", "tail").unique()
            ordered = triples.sort("head", "relation", "tail")
            _save(target, f"held_out_{role}", ordered.to_numpy())
    progress("compile", 3, STAGES, "labels and attributes")
    labels = _labels(parts.literals, settings)
    for kind, iris in terms.tables.items():
        StringTable.write(target, f"{kind}_iris", iris)
        StringTable.write(target, f"{kind}_labels", _label_column(iris, labels))
    vocabulary = _write_attributes(target, terms, parts.literals)
    progress("compile", 4, STAGES, "search index")
    _write_search(target, terms, parts.literals, settings)
    progress("compile", 5, STAGES, "RDF index" if rdf else "")
    if rdf:
        write_rdf_index(target, loads)
    progress("compile", STAGES, STAGES, "done")
    write_manifest(
        target,
        {
            "format": SNAPSHOT_FORMAT,
            "id": snapshot_id(loads, settings),
            "rdf": rdf,
            "base": settings.base,
            "prefixes": dict(settings.prefixes),
            "loads": [{"id": x.id, "source": x.source, "role": x.role} for x in loads],
            "counts": {
                "statements": facts.height,
                "edges": int(np.load(target / "head.npy", mmap_mode="r").shape[0]),
                "entities": len(terms.tables["entity"]),
                "relations": len(terms.tables["relation"]),
                "classes": len(terms.tables["class"]),
                **{role: s.height for role, s in held_out.items() if not s.is_empty()},
            },
            **vocabulary,
        },
    )


def _read(loads: list[Load], *roles: Role) -> pl.DataFrame:
    """All statements of some roles, with the position of their load among all active loads."""
    schema = {name: kind for name, kind in statement_schema().items() if name != "graph"}
    frames = [
        frame.select(*schema, load=pl.lit(index, pl.Int32)).collect()
        for index, frame in scan_statements(loads, *roles)
    ]
    return pl.concat([pl.DataFrame(schema={**schema, "load": pl.Int32()}), *frames])


@dataclass(frozen=True, slots=True)
class _Parts:
    """Statements by what they become."""

    edges: pl.DataFrame
    types: pl.DataFrame
    schema: pl.DataFrame
    literals: pl.DataFrame


def _divide(facts: pl.DataFrame, settings: Settings) -> _Parts:
    literal = pl.col("datatype").is_not_null()
    is_schema = pl.col("predicate").is_in(SCHEMA_PREDICATES)
    ignored = pl.col("predicate").is_in(settings.ignored_relations)
    resources = facts.filter(~literal)
    typed = pl.col("predicate") == RDF_TYPE
    describes_schema = pl.col("object").is_in(SCHEMA_CLASSES)
    return _Parts(
        edges=resources.filter(~is_schema & ~ignored),
        types=resources.filter(typed & ~describes_schema),
        schema=resources.filter(is_schema & (~typed | describes_schema)),
        literals=facts.filter(literal),
    )


@dataclass(frozen=True, slots=True)
class _Terms:
    """Sorted IRIs of entities, relations, classes and properties; an id is a position."""

    tables: dict[str, list[str]]
    frames: dict[str, pl.DataFrame]

    @classmethod
    def of(cls, parts: _Parts, held_out: dict[str, pl.DataFrame]) -> _Terms:
        edges = [parts.edges, *held_out.values()]
        relations = _unique(*(e["predicate"] for e in edges))
        properties = _unique(parts.literals["predicate"])
        subclass = parts.schema.filter(pl.col("predicate") == RDFS + "subClassOf")
        declared = parts.schema.filter(
            (pl.col("predicate") == RDF_TYPE)
            & pl.col("object").is_in([OWL + "Class", RDFS + "Class"])
        )
        classes = _unique(
            parts.types["object"], subclass["subject"], subclass["object"], declared["subject"]
        )
        # Something that only carries literals is an entity, unless it describes the schema.
        described = _unique(parts.literals["subject"], parts.types["subject"])
        schema = _unique(relations, properties, classes, parts.schema["subject"])
        in_edges = _unique(*(e[c] for e in edges for c in ("subject", "object")))
        alone = described.filter(~described.is_in(schema.implode()))
        columns = {
            "entity": _unique(in_edges, alone),
            "relation": relations,
            "class": classes,
            "property": properties,
        }
        frames = {
            kind: pl.DataFrame({"iri": iris, kind: np.arange(len(iris), dtype=np.int32)})
            for kind, iris in columns.items()
        }
        return cls({kind: iris.to_list() for kind, iris in columns.items()}, frames)

    def join(self, frame: pl.DataFrame, column: str, kind: str, name: str) -> pl.DataFrame:
        """Add the int32 column ``name``: ids of ``column``. Rows without one are dropped."""
        ids = self.frames[kind].rename({"iri": column, kind: name})
        return frame.join(ids, on=column, how="inner", maintain_order="left")

    def encode(self, statements: pl.DataFrame) -> pl.DataFrame:
        """Add ``head, relation, tail``."""
        frame = self.join(statements, "subject", "entity", "head")
        frame = self.join(frame, "predicate", "relation", "relation")
        return self.join(frame, "object", "entity", "tail")


def _unique(*columns: pl.Series) -> pl.Series:
    return pl.concat([c.rename("iri") for c in columns]).unique().sort()


def _write_edges(target: Path, terms: _Terms, parts: _Parts, inferred: list[int]) -> None:
    frame = terms.encode(parts.edges.select("subject", "predicate", "object", "load", "row"))
    columns = [frame[name].to_numpy() for name in ("head", "relation", "tail", "load", "row")]
    order = _order(*columns)
    columns = [column[order] for column in columns]
    # The same record may say the same twice.
    distinct = np.flatnonzero(changes(*columns))
    head, relation, tail, load, row = (column[distinct] for column in columns)
    first = np.flatnonzero(changes(head, relation, tail))
    head, relation, tail = head[first], relation[first], tail[first]
    no_load = np.logical_and.reduceat(np.isin(load, inferred), first) if len(first) else first > 0
    inverse = parts.schema.filter(pl.col("predicate") == OWL + "inverseOf")
    inverse = terms.join(terms.join(inverse, "subject", "relation", "a"), "object", "relation", "b")
    twins = find_twins(head, relation, tail, no_load, inverse.select("a", "b").rows())
    num_entities = len(terms.tables["entity"])
    inward = _order(tail, relation, head)
    arrays = {
        "head": head,
        "relation": relation,
        "tail": tail,
        "out_indptr": _indptr(head, num_entities),
        "in_head": head[inward],
        "in_relation": relation[inward],
        "in_edge": inward.astype(np.int32),
        "in_indptr": _indptr(tail, num_entities),
        "path_weight": path_weights(head, relation, tail, inward, twins),
        "twin_edge": twins[0],
        "twin_of": twins[1],
        "origin_indptr": np.append(first, len(load)).astype(np.int32),
        "origin_load": load,
        "origin_row": row,
    }
    for name, array in arrays.items():
        _save(target, name, array)


def _order(*columns: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The order by columns of numbers >= 0, the first column first.

    As ``np.lexsort`` backwards, but columns are packed into one number while they fit, so that
    there is less to sort.
    """
    keys: list[npt.NDArray[np.int64]] = []
    span = 1
    for column in reversed(columns):
        size = int(column.max(initial=0)) + 1
        if not keys or span * size > 2**63:
            keys.append(column.astype(np.int64))
            span = size
        else:
            keys[-1] += column.astype(np.int64) * span
            span *= size
    order = np.argsort(keys[0], kind="stable")
    for key in keys[1:]:
        order = order[np.argsort(key[order], kind="stable")]
    return order


def _indptr(ids: npt.NDArray[np.int32], size: int) -> npt.NDArray[np.int64]:
    out = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(ids, minlength=size), out=out[1:])
    return out


def _write_types(target: Path, terms: _Terms, statements: pl.DataFrame) -> None:
    frame = terms.join(statements, "subject", "entity", "entity")
    frame = terms.join(frame, "object", "class", "class")
    frame = frame.group_by("entity", "class").agg(pl.col("inferred").all()).sort("entity", "class")
    entities = frame["entity"].to_numpy()
    _save(target, "type_indptr", _indptr(entities, len(terms.tables["entity"])))
    _save(target, "type_class", frame["class"].to_numpy())
    _save(target, "type_inferred", frame["inferred"].to_numpy())


def _labels(literals: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The best label of each subject: by property, then untagged or English, then the text."""
    order = {iri: i for i, iri in enumerate(settings.label_properties)}
    language = pl.col("language").fill_null("")
    return (
        literals.filter(pl.col("predicate").is_in(list(order)) & (pl.col("object") != ""))
        .with_columns(
            priority=pl.col("predicate").replace_strict(order, return_dtype=pl.Int32),
            foreign=(language != "") & ~language.str.starts_with("en"),
        )
        .sort("subject", "priority", "foreign", "language", "object")
        .unique("subject", keep="first", maintain_order=True)
        .select("subject", "object")
    )


def _label_column(iris: list[str], labels: pl.DataFrame) -> list[str]:
    frame = pl.DataFrame({"subject": iris}, schema={"subject": pl.String})
    found = frame.join(labels, on="subject", how="left", maintain_order="left")["object"]
    return [label or readable_name(iri) for label, iri in zip(found.to_list(), iris)]


def _write_attributes(
    target: Path, terms: _Terms, literals: pl.DataFrame
) -> dict[str, list[str | None]]:
    """Literals of entities, by entity, property and value. Returns what the codes stand for."""
    frame = terms.join(literals, "subject", "entity", "entity")
    frame = terms.join(frame, "predicate", "property", "property")
    datatypes = literals["datatype"].unique().sort()
    languages = pl.concat([pl.Series([None], dtype=pl.String), literals["language"]])
    languages = languages.unique().sort(nulls_last=False)
    frame = (
        frame.with_columns(
            datatype=pl.col("datatype").cast(pl.Enum(datatypes)).to_physical().cast(pl.Int32),
            language=pl.col("language")
            .cast(pl.Enum(languages.drop_nulls()))
            .to_physical()
            .cast(pl.Int32)
            .fill_null(-1)
            + 1,
        )
        .select("entity", "property", "object", "datatype", "language", "load", "row")
        .sort("entity", "property", "object", "datatype", "language", "load", "row")
    )
    entities = frame["entity"].to_numpy()
    _save(target, "attribute_indptr", _indptr(entities, len(terms.tables["entity"])))
    for name in ("property", "datatype", "language", "load", "row"):
        _save(target, f"attribute_{name}", frame[name].to_numpy())
    StringTable.write(target, "attribute_value", frame["object"].to_list())
    return {"datatypes": datatypes.to_list(), "languages": languages.to_list()}


def _write_search(target: Path, terms: _Terms, literals: pl.DataFrame, settings: Settings) -> None:
    """Every label, alternative label and raw name of an entity is a text to find it by."""
    names = literals.filter(
        pl.col("predicate").is_in([*settings.label_properties, *ALTERNATIVE_LABELS, RDFS_LABEL])
    )
    labelled = terms.join(names, "subject", "entity", "entity").select("entity", "object")
    iris = terms.tables["entity"]
    raw = pl.DataFrame(
        {
            "entity": np.arange(len(iris), dtype=np.int32),
            "object": [readable_name(i) for i in iris],
        },
        schema={"entity": pl.Int32, "object": pl.String},
    )
    texts = pl.concat([labelled, raw]).unique().sort("entity", "object")
    SearchIndex.write(target, texts["object"].to_list(), texts["entity"].to_numpy())


def _save(target: Path, name: str, array: npt.NDArray[Any]) -> None:
    np.save(target / f"{name}.npy", np.ascontiguousarray(array))
