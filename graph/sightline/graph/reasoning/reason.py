"""Reasoning over a workspace: what follows from the active loads, as a load of its own.

What follows lies in the named graph ``INFERRED_GRAPH``, is listed and retracted like any other
load, and carries for every statement the rule and the premises it follows from. It belongs to the
facts it was made from: when other loads are active, compiling infers anew and takes the old load
out. Held-out facts of a benchmark are never looked at.

Knows loads and explanations; the rules are in ``rules``. Knows no snapshot ids.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from sightline.graph.errors import require_range
from sightline.graph.progress import Progress, silent
from sightline.graph.reasoning.rules import VERSION, infer, relevant
from sightline.graph.record.errors import NothingLoaded
from sightline.graph.record.loads import (
    Counts,
    Load,
    LoadWriter,
    Role,
    active_loads,
    digest_of,
    load_id,
    now,
    take_out,
)
from sightline.graph.record.merges import Merges
from sightline.graph.record.statements import scan_statements, statement_schema
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.statement import Statement
from sightline.graph.storage.artifact import is_intact
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import INFERRED_GRAPH

#: Inferred statements, unless the caller says otherwise.
LIMIT = 10_000_000
MAX_LIMIT = 100_000_000
PREMISES = "because.parquet"
#: Of which loads the inferred facts are made.
INPUTS: tuple[Role, ...] = ("facts", "merges", "retractions")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a statement was inferred. A premise may be inferred itself; following the premises of
    premises ends at stated facts.

    Attributes:
        rule: its name in the OWL 2 RL profile, such as ``prp-trp``.
    """

    rule: str
    premises: tuple[Statement, ...]


def reason(workspace: Workspace, *, limit: int = LIMIT, progress: Progress = silent) -> Load:
    """Write what follows from the active facts, in place of what was inferred before.

    What was inferred from the same facts by the same rules is not inferred again.

    Raises:
        OutOfRange, NothingLoaded, NotWritable, DiskFull, WorkspaceLocked
        TooManyInferred: more than ``limit`` statements follow; nothing was changed.
    """
    require_range("limit", limit, 1, MAX_LIMIT)
    with workspace.lock():
        loads = active_loads(workspace)
        inputs = [load for load in loads if load.role in INPUTS]
        if not any(load.role == "facts" for load in inputs):
            raise NothingLoaded(workspace.path)
        name = inferred_id(loads)
        if is_intact(workspace.loads_folder / name):
            workspace.set_retracted(name, False)
        else:
            _write(workspace, name, inputs, limit, progress)
        take_out(workspace, loads, "inferred", name)
        return Load.read(workspace.loads_folder / name)


def is_stale(loads: Sequence[Load]) -> bool:
    """Whether facts were inferred from others than the facts among ``loads``."""
    inferred = [load.id for load in loads if load.role == "inferred"]
    return bool(inferred) and inferred != [inferred_id(loads)]


def inferred_id(loads: Sequence[Load]) -> str:
    """The id of the load of what follows from the facts among ``loads``."""
    return load_id(digest_of(loads, INPUTS), VERSION, "", "inferred")


def rule_counts(load: Load) -> dict[str, int]:
    """Statements of an inferred load per rule, most first."""
    rules = pl.scan_parquet(load.folder / PREMISES).filter(position=0).group_by("rule").len()
    return dict(rules.sort("len", "rule", descending=[True, False]).collect().iter_rows())


def explain_edges(snapshot: Snapshot, edges: Iterable[int]) -> dict[int, Explanation]:
    """Why edges were inferred, all looked up at once; stated ones are left out."""
    wanted = [edge for edge in edges if snapshot.edge_inferred[edge]]
    if not wanted:
        return {}
    rows = {snapshot.origins(edge)[0].row: edge for edge in wanted}
    # A load may be gone since the snapshot was made.
    loads = Workspace(snapshot.folder.parents[1]).loads_folder
    names = [load["id"] for load in snapshot.loads if load["role"] == "inferred"]
    files = [file for name in names if (file := loads / name / PREMISES).exists()]
    if not files:
        return {}
    found = pl.scan_parquet(files).filter(pl.col("row").is_in(list(rows))).collect()
    return {
        rows[row]: Explanation(
            part["rule"][0],
            tuple(Statement(*terms) for terms in part.drop("row", "rule", "position").iter_rows()),
        )
        for (row,), part in found.sort("row", "position").partition_by("row", as_dict=True).items()
    }


def _write(
    workspace: Workspace, name: str, inputs: list[Load], limit: int, progress: Progress
) -> None:
    started = now()
    progress("reason", 0, None, "reading loads")
    for load in inputs:
        load.verify()
    parts = [part for _, part in scan_statements(inputs, "facts")]
    if (merges := Merges.of(inputs)) is not None:
        parts = list(map(merges.applied, parts))
    facts = pl.concat([pl.LazyFrame(schema=statement_schema()), *parts])
    found = infer(relevant(facts), limit=limit, progress=progress)
    count = found.statements.height
    with LoadWriter(workspace, name, INFERRED_GRAPH) as writer:
        writer.write(found.statements.with_columns(graph=pl.lit(INFERRED_GRAPH)))
        writer.write_beside(PREMISES, found.premises)
        writer.commit(
            sha256=hashlib.sha256(name.encode()).hexdigest(),
            role="inferred",
            counts=Counts(read=count, loaded=count, duplicate=0, rejected=0, statements=count),
            media_type="application/vnd.apache.parquet",
            started=started,
            mapping=VERSION,
            derived_from=[load.id for load in inputs],
        )
