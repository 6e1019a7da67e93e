"""Files to loads and snapshots, against pyoxigraph's bulk load of the same file to disk; what is
left of a compile when one file of a hundred has changed; what the values of edges take.

Sightline runs in a process of its own, so that its peak memory is its own too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyoxigraph
from measure import Result, cpu_seconds
from synthetic import n_triples, scale_free

PARTS = 100
PEER = f"pyoxigraph {pyoxigraph.__version__} bulk load to disk"


def run(folder: Path, scale: float) -> list[Result]:
    """Load and compile N-Triples of two sizes, and in a hundred files; and edges with values."""
    size = int(1_000_000 * scale)
    triples = scale_free(size // 10, 20, size)
    file, tenth = folder / "facts.nt", folder / "tenth.nt"
    file.write_text("\n".join(n_triples(triples)) + "\n")
    tenth.write_text("\n".join(n_triples(scale_free(size // 100, 20, size // 10))) + "\n")
    columns = {"head": triples[:, 0], "relation": triples[:, 1], "tail": triples[:, 2]}
    frame = pl.DataFrame(columns).select(pl.format("x{}", pl.all()).name.keep())
    parts, rated = folder / "parts", folder / "rated.csv"
    parts.mkdir()
    lines, other = n_triples(triples), n_triples(scale_free(size // 10, 20, size, seed=1))
    for part in range(PARTS):
        _write(parts / f"{part:03d}.nt", lines.gather_every(PARTS, part))
    _write(folder / "changed.nt", other.gather_every(PARTS))
    numbers = pl.int_range(pl.len()) % 10
    frame.head(size // 10).with_columns(rating=numbers).write_csv(rated)

    def bulk_load() -> None:
        store = pyoxigraph.Store(str(folder / "store"))
        store.bulk_load(path=str(file), format=pyoxigraph.RdfFormat.N_TRIPLES)
        store.flush()

    peer = cpu_seconds(bulk_load)
    whole, small, hundred, values = (
        _in_a_process(path, folder) for path in (file, tenth, parts, rated)
    )
    both = whole["load"] + whole["compile"]
    with_index = whole["load"] + whole["compile with the RDF index"]
    growth = both / whole["statements"] / ((small["load"] + small["compile"]) / small["statements"])
    share = hundred["compile after a change"] / hundred["compile with the RDF index"]
    return [
        Result(
            "N-Triples to load and snapshot", both, "s", "<= 0.6 of the peer", PEER, peer, whole
        ),
        Result(
            "the same with the RDF index", with_index, "s", "<= 1.7 of the peer", PEER, peer, {}
        ),
        Result("its peak memory", whole["peak MB"], "MB", "<= 1000", None, None, {}),
        Result("cost per triple, beside a tenth of them", growth, "x", "<= 1.7", None, None, small),
        Result(
            "compile after 1 % has changed, beside a full one",
            share,
            "x",
            "<= 0.25",
            None,
            None,
            hundred,
        ),
        Result("a value of an edge", values["bytes a value"], "bytes", "", None, None, values),
    ]


def _write(file: Path, lines: pl.Series) -> None:
    file.write_text("\n".join(lines) + "\n")


def _in_a_process(file: Path, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, str(file), str(folder / f"ws-{file.stem}-{file.suffix}")]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def _measure(file: Path, folder: Path) -> dict[str, float]:
    from sightline.graph.record.loads import active_loads
    from sightline.graph.snapshot.compile import compile_snapshot
    from sightline.graph.snapshot.reader import served_snapshot
    from sightline.graph.storage.workspace import Workspace
    from sightline.ingest.load import ingest

    workspace = Workspace.create(folder)
    loading = cpu_seconds(lambda: ingest(workspace, [file]))
    compiling = cpu_seconds(lambda: compile_snapshot(workspace, rdf=False))
    peak = _peak_memory()
    with_index = cpu_seconds(lambda: compile_snapshot(workspace, rdf=True))
    snapshot = workspace.snapshots / str(workspace.current.snapshot)
    values = sum(path.stat().st_size for path in snapshot.glob("qualifier_*"))
    more = {"bytes a value": values / max(served_snapshot(workspace).num_edges, 1)}
    if file.is_dir():
        shutil.copy(file.parent / "changed.nt", file / "000.nt")
        ingest(workspace, [file / "000.nt"])
        more["compile after a change"] = cpu_seconds(lambda: compile_snapshot(workspace))
    return {
        **more,
        "statements": sum(load.counts.statements for load in active_loads(workspace)),
        "load": loading,
        "compile": compiling,
        "compile with the RDF index": with_index,
        "peak MB": peak,
    }


def _peak_memory() -> float:
    """The most memory this process held so far, in MB. (``getrusage`` counts the parent's too.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]), Path(sys.argv[2]))))
