"""Small workspaces made of plain triples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import polars as pl
import pyoxigraph as ox
import pytest

from sightline.graph.record.loads import (
    Counts,
    Load,
    LoadWriter,
    load_id,
    now,
)
from sightline.graph.record.statements import COLUMNS, statement_schema
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace

BASE = "urn:sightline:"
XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"

Triple = tuple[str, str, str]


def fact(triple: Triple, row: int = 1) -> dict[str, object]:
    """Head, relation, tail by raw name."""
    head, relation, tail = triple
    return {
        "subject": f"{BASE}entity:{head}",
        "predicate": f"{BASE}relation:{relation}",
        "object": f"{BASE}entity:{tail}",
        "row": row,
    }


def literal(name: str, predicate: str, value: str, **more: object) -> dict[str, object]:
    """A literal of an entity."""
    return {
        "subject": f"{BASE}entity:{name}",
        "predicate": predicate,
        "object": value,
        "datatype": XSD + "string",
        "row": 1,
        **more,
    }


def label(name: str, text: str) -> dict[str, object]:
    return literal(name, RDFS + "label", text)


def typed(name: str, class_name: str) -> dict[str, object]:
    return {
        "subject": f"{BASE}entity:{name}",
        "predicate": RDF + "type",
        "object": f"{BASE}class:{class_name}",
        "row": 1,
    }


def add_load(
    workspace: Workspace, rows: Sequence[dict[str, object]], role: str = "facts", name: str = "a"
) -> Load:
    """Commit ``rows`` as one load."""
    frame = pl.DataFrame(
        {column: [row.get(column) for row in rows] for column in COLUMNS}, statement_schema()
    )
    with (
        workspace.lock(),
        LoadWriter(workspace, load_id(name, "", BASE, role), f"{name}.csv") as writer,
    ):
        writer.write(frame)
        return writer.commit(
            sha256=name,
            role=role,  # type: ignore[arg-type]
            counts=Counts(len(rows), len(rows), 0, 0, len(rows)),
            media_type="text/csv",
            started=now(),
        )


def build(folder: Path, rows: Sequence[dict[str, object]], rdf: bool = False) -> Snapshot:
    """A compiled workspace at ``folder`` that holds ``rows``."""
    workspace = Workspace.create(folder)
    add_load(workspace, rows)
    return compile_snapshot(workspace, rdf=rdf)


def canonical(quads: Iterable[ox.Quad]) -> set[ox.Quad]:
    """The same for isomorphic data sets."""
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return set(dataset)


@pytest.fixture
def snapshot_of(tmp_path: Path) -> Callable[..., Snapshot]:
    """Compile rows, or triples of raw names, into a snapshot."""

    def make(rows: Sequence[object], rdf: bool = False) -> Snapshot:
        facts = [fact(row, i + 1) if isinstance(row, tuple) else row for i, row in enumerate(rows)]
        return build(tmp_path / "ws", facts, rdf)  # type: ignore[arg-type]

    return make
