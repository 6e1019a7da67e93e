"""Which old folders may go: snapshots that nobody needs, and what was made for them.

Knows what refers to what in a workspace; knows nothing of what is inside. A folder goes by a
rename to a temporary name first, so that it is whole or gone after a killed process, too. Loads
of sources are the record and never go, and neither do models.
"""

from __future__ import annotations

from pathlib import Path

from sightline.graph.record.loads import Load
from sightline.graph.storage.artifact import MANIFEST, TEMPORARY, read_manifest, take_away
from sightline.graph.storage.errors import WorkspaceError
from sightline.graph.storage.watch import lists
from sightline.graph.storage.workspace import Workspace

#: Snapshots that stay beside those in use, to compare with and to go back to; and models that are
#: in use beside the served one: being trained, distilled, evaluated or compared.
KEPT = 3


def collect(workspace: Workspace) -> None:
    """Remove snapshots except the newest ``KEPT``, the served one, those of former pairs, those
    in which what is watched was last looked at, and those that the served model and the newest
    ``KEPT`` models were trained on; then the maps of models to snapshots that are gone, and
    inferred and extracted loads that are neither active nor in a snapshot that is left.

    An older model can be served all the same: it has a vocabulary of its own, and maps are made
    when it is published. Only its distillation and evaluation need its snapshot.

    The caller holds the lock. Where a manifest cannot be read, nothing goes.
    """
    current = workspace.current
    try:
        snapshots, models = _newest(workspace.snapshots), _newest(workspace.models)
        in_use = [*models[:KEPT], *(model for model in models if model.name == current.model)]
        needed = {read_manifest(folder).get("snapshot") for folder in in_use}
        needed |= {current.snapshot, *(pair.snapshot for pair in current.former)}
        needed |= {*(folder.name for folder in snapshots[:KEPT])}
        needed |= {watch.since for watch in lists(workspace).values()}
        left = [folder for folder in snapshots if folder.name in needed]
        used = {load["id"] for folder in left for load in read_manifest(folder)["loads"]}
        derived = [
            load
            for load in Load.all(workspace.loads_folder)
            if load.role in ("inferred", "extracted")
        ]
    except WorkspaceError:
        return
    names = {folder.name for folder in left}
    maps = (path for model in models for path in _newest(model / "maps"))
    for folder in (*snapshots, *maps):
        if folder.name not in names:
            take_away(folder)
    retracted = set(current.retracted)
    for load in derived:
        if load.id in retracted - used:
            take_away(load.folder)
            workspace.set_retracted(load.id, False)


def _newest(parent: Path) -> list[Path]:
    """Every stored folder, newest first."""
    folders = [f for f in parent.glob("*") if (f / MANIFEST).exists() and TEMPORARY not in f.name]
    return sorted(folders, key=lambda f: (-(f / MANIFEST).stat().st_mtime_ns, f.name))
