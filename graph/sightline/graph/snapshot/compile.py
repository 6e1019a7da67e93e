"""Loads to snapshot: terms become ids once, everything else is sorted arrays.

Knows the order of things; what a snapshot consists of is in ``sections``. The same active loads and
settings give the same arrays, byte for byte (``rdf/`` excepted).
"""

from __future__ import annotations

from collections.abc import Callable

from sightline.graph.extraction.extract import renew
from sightline.graph.progress import Progress, silent
from sightline.graph.reasoning.reason import is_stale, reason
from sightline.graph.record.errors import NothingLoaded
from sightline.graph.record.loads import active_loads
from sightline.graph.snapshot.build import build, snapshot_id
from sightline.graph.snapshot.collect import collect
from sightline.graph.snapshot.reader import SNAPSHOT_FORMAT, Snapshot
from sightline.graph.storage.artifact import is_intact, new_artifact
from sightline.graph.storage.workspace import Workspace


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

    Where facts were inferred, or extracted from texts, and other loads are active now, that is done
    anew first. Old snapshots that nothing refers to are removed at the end.

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
        renew(workspace, progress)
        loads = active_loads(workspace)
        name = snapshot_id(loads, workspace.settings)
        folder = workspace.snapshots / name
        wanted = {"rdf": rdf, "copies": copies, "rules": rules}
        if not is_intact(folder, **{part: True for part, also in wanted.items() if also}):
            served = workspace.snapshots / (workspace.current.snapshot or "none")
            usable = rdf and is_intact(served, format=SNAPSHOT_FORMAT, rdf=True)
            former = served if usable else None
            with new_artifact(workspace.snapshots, name) as target:
                build(target, loads, workspace.settings, wanted, former, progress)
        snapshot = Snapshot.open(folder)
        model = None if prepare is None else prepare(snapshot)
        workspace.publish(snapshot=name, loads=tuple(load.id for load in loads), model=model)
        collect(workspace)
        return snapshot
