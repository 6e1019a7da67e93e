"""Loads to snapshot: terms become ids once, everything else is sorted arrays.

Knows the order of things; what a snapshot consists of is in ``sections``. The same active loads and
settings give the same arrays, byte for byte (``rdf/`` excepted).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from sightline.graph.progress import Progress, silent
from sightline.graph.reasoning.reason import is_stale, reason
from sightline.graph.record.errors import NothingLoaded
from sightline.graph.record.loads import Load, active_loads
from sightline.graph.snapshot import sections
from sightline.graph.snapshot.collect import collect
from sightline.graph.snapshot.inputs import Inputs
from sightline.graph.snapshot.reader import SNAPSHOT_FORMAT, Snapshot
from sightline.graph.storage.artifact import is_intact, new_artifact, write_manifest
from sightline.graph.storage.settings import Settings
from sightline.graph.storage.workspace import Workspace

#: How long it takes to read loads, in the measure of ``Section.share``.
READING = 10


def snapshot_id(loads: Sequence[Load], settings: Settings) -> str:
    """16 hex digits of the active loads and of the settings that shape a snapshot."""
    text = json.dumps([SNAPSHOT_FORMAT, sorted(load.id for load in loads), settings.digest_text()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def compile_snapshot(
    workspace: Workspace,
    *,
    rdf: bool = True,
    copies: bool = False,
    rules: bool = False,
    progress: Progress = silent,
    prepare: Callable[[Snapshot], str | None] | None = None,
) -> Snapshot:
    """Build the snapshot of the active loads, and serve it. An intact one is not built again.

    Where facts were inferred and other loads are active now, they are inferred anew first. Old
    snapshots that nothing refers to are removed at the end.

    Args:
        rdf: also build the Oxigraph index that SPARQL and rdflib users read.
        copies: also shuffle copies of the graph, by which answers tell what chance would connect.
        rules: also mine the rules that facts follow, by which answers give reasons.
        prepare: called with the new snapshot before it is served, for what else must be there
            then; it gives the id of the model to serve with it, None for the one that is served.

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
        wanted = {"rdf": rdf, "copies": copies, "rules": rules}
        if not is_intact(folder, **{part: True for part, also in wanted.items() if also}):
            served = workspace.snapshots / (workspace.current.snapshot or "none")
            usable = rdf and is_intact(served, format=SNAPSHOT_FORMAT, rdf=True)
            former = served if usable else None
            with new_artifact(workspace.snapshots, name) as target:
                _build(target, loads, workspace.settings, wanted, former, progress)
        snapshot = Snapshot.open(folder)
        model = None if prepare is None else prepare(snapshot)
        workspace.publish(snapshot=name, loads=tuple(load.id for load in loads), model=model)
        collect(workspace)
        return snapshot


def _build(
    target: Path,
    loads: list[Load],
    settings: Settings,
    wanted: dict[str, bool],
    former: Path | None,
    progress: Progress,
) -> None:
    chosen = [section for section in sections.SECTIONS if section.is_in(wanted)]
    ends = list(accumulate((section.share for section in chosen), initial=READING))
    progress("compile", 0, ends[-1], "reading loads")
    inputs = Inputs.of(loads, settings, former)
    manifest: dict[str, Any] = {
        "format": SNAPSHOT_FORMAT,
        "id": snapshot_id(loads, settings),
        "base": settings.base,
        "prefixes": dict(settings.prefixes),
        "loads": [_about(load) for load in loads],
        "counts": {"statements": inputs.statements},
        **wanted,
    }
    for done, section in zip(ends, chosen):
        progress("compile", done, ends[-1], section.title)
        section.write(inputs, target, manifest)
    progress("compile", ends[-1], ends[-1], "done")
    write_manifest(target, manifest)


def _about(load: Load) -> dict[str, Any]:
    """What a snapshot keeps of a load, so that a row of it can be named."""
    tables = [{"name": t.name, "first_row": t.first_row, "kind": t.kind} for t in load.tables]
    return {"id": load.id, "source": load.source, "role": load.role, "tables": tables}
