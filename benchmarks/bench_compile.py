"""N-Triples to a load and a snapshot, against pyoxigraph's bulk load of the same file to disk."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph
from measure import Result, cpu_seconds
from synthetic import n_triples, scale_free

from sightline.graph.compile import compile_snapshot
from sightline.graph.workspace import Workspace
from sightline.ingest.load import ingest


def run(folder: Path, scale: float) -> list[Result]:
    """Time the bulk load, then load and compile without the RDF index."""
    size = int(1_000_000 * scale)
    file = folder / "facts.nt"
    file.write_text("\n".join(n_triples(scale_free(size // 10, 20, size))) + "\n")
    workspace = Workspace.create(folder / "ws")

    def bulk_load() -> None:
        store = pyoxigraph.Store(str(folder / "store"))
        store.bulk_load(path=str(file), format=pyoxigraph.RdfFormat.N_TRIPLES)
        store.flush()

    def load() -> None:
        with workspace.lock():
            ingest(workspace, [file])

    peer = cpu_seconds(bulk_load)
    loading = cpu_seconds(load)
    compiling = cpu_seconds(lambda: compile_snapshot(workspace, rdf=False))
    with_index = cpu_seconds(lambda: compile_snapshot(workspace, rdf=True))
    snapshot = workspace.snapshot()
    details = {"triples": snapshot.num_edges, "load": loading, "compile": compiling}
    name = f"pyoxigraph {pyoxigraph.__version__} bulk load to disk"
    return [
        Result(what, seconds, "s", wanted, name, peer, details)
        for what, seconds, wanted in (
            ("N-Triples to load and snapshot", loading + compiling, "<= 0.6 of the peer"),
            ("the same with the RDF index", loading + with_index, "<= 1.7 of the peer"),
        )
    ]
