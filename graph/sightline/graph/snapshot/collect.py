"""Which old folders may go: snapshots that nobody needs, and what was inferred for them.

Knows what refers to what in a workspace; knows nothing of what is inside. A folder goes by a
rename to a temporary name first, so that it is whole or gone after a killed process, too. Loads
of sources are the record and never go.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sightline.graph.record.loads import Load
from sightline.graph.storage.artifact import MANIFEST, TEMPORARY, read_manifest
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.workspace import Workspace

#: Snapshots that stay beside those in use, to compare with and to go back to.
KEPT = 3


def collect(workspace: Workspace) -> None:
    """Remove snapshots except the newest ``KEPT``, the served one and those that models were
    trained on; then inferred loads that are neither active nor in a snapshot that is left.

    The caller holds the lock. Where a manifest cannot be read, nothing goes.
    """
    try:
        snapshots = _snapshots(workspace)
        needed = {read_manifest(folder).get("snapshot") for folder in _folders(workspace.models)}
        needed |= {workspace.current.snapshot, *(folder.name for folder in snapshots[:KEPT])}
        left = [folder for folder in snapshots if folder.name in needed]
        used = {load["id"] for folder in left for load in read_manifest(folder)["loads"]}
        inferred = [load for load in Load.all(workspace.loads_folder) if load.role == "inferred"]
    except DamagedArtifact:
        return
    for folder in snapshots:
        if folder not in left:
            _remove(folder)
    retracted = set(workspace.current.retracted)
    for load in inferred:
        if load.id in retracted - used:
            _remove(load.folder)
            workspace.set_retracted(load.id, False)


def _snapshots(workspace: Workspace) -> list[Path]:
    """Every snapshot, newest first."""
    folders = _folders(workspace.snapshots)
    return sorted(folders, key=lambda f: (-(f / MANIFEST).stat().st_mtime_ns, f.name))


def _folders(parent: Path) -> list[Path]:
    return [f for f in parent.glob("*") if (f / MANIFEST).exists() and TEMPORARY not in f.name]


def _remove(folder: Path) -> None:
    gone = folder.with_name(f"{TEMPORARY}{folder.name}")
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
