"""Check everything that a workspace stores. Knows manifests and checksums; knows no content."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from sightline.graph.progress import Progress, silent
from sightline.graph.storage.artifact import MANIFEST, TEMPORARY, read_json, verify_artifact
from sightline.graph.storage.database import damaged, errors_of
from sightline.graph.storage.errors import DamagedArtifact, WorkspaceError
from sightline.graph.storage.ignored import ignored
from sightline.graph.storage.tokens import FILE as TOKENS
from sightline.graph.storage.tokens import check_tokens
from sightline.graph.storage.watch import lists
from sightline.graph.storage.workspace import ANSWERS, IGNORED, JOBS, METRICS, WATCH, Workspace

WAYS_OUT = {
    "loads": "load its source again, copy the folder from a backup, or `sightline retract` it",
    "quarantine": "delete the folder: nothing is built of it",
    "reports": "delete the folder, and ask for the report again",
    "uploads": "delete the folder: what was loaded of it stays, but raw records cannot be shown",
}


def verify(workspace: Workspace, progress: Progress = silent) -> list[WorkspaceError]:
    """Check what a workspace stores, every file of every folder; what is wrong comes back."""
    checks: list[tuple[str, Callable[[], object]]] = [
        ("settings", lambda: workspace.settings),
        *((n, partial(_check_database, workspace.path / n)) for n in (JOBS, ANSWERS)),
        (WATCH, lambda: lists(workspace)),
        (IGNORED, lambda: ignored(workspace)),
        (TOKENS, lambda: check_tokens(workspace.path)),
        *((f"{f.parent.name}/{f.name}", partial(_check, f)) for f in _stored(workspace)),
    ]
    wrong: list[WorkspaceError] = []
    for done, (name, check) in enumerate(checks):
        progress("verify", done, len(checks), name)
        try:
            check()
        except WorkspaceError as error:
            wrong.append(error)
    progress("verify", len(checks), len(checks), "")
    return wrong


def _stored(workspace: Workspace) -> list[Path]:
    """Every folder that a stage wrote, and what is served whether it is there or not."""
    ws, current = workspace, workspace.current
    parents = (ws.loads_folder, ws.quarantine, ws.snapshots, ws.models, ws.reports, ws.uploads)
    found = {path for parent in parents for path in parent.glob("*") if path.is_dir()}
    found |= {ws.snapshots / current.snapshot} if current.snapshot else set()
    found |= {ws.models / current.model} if current.model else set()
    return sorted(path for path in found if not path.name.startswith(TEMPORARY))


def _check(folder: Path) -> None:
    try:
        _check_files(folder)
    except DamagedArtifact as error:
        raise DamagedArtifact(folder, error.reason, WAYS_OUT.get(folder.parent.name)) from error


def _check_files(folder: Path) -> None:
    """Every manifest in a folder, and that no file is in none of them."""
    loose = {path for path in folder.rglob("*") if path.is_file()}
    for manifest in (folder / MANIFEST, *sorted(folder.rglob(f"*/{MANIFEST}"))):
        part = manifest.parent
        loose -= {manifest, *(part / name for name in verify_artifact(part, full=True)["files"])}
    if (metrics := folder / METRICS) in loose:
        try:
            read_json(metrics)
        except DamagedArtifact as error:
            raise DamagedArtifact(folder, f"{METRICS}: {error.reason}") from error
        loose.remove(metrics)
    if loose:
        name = min(loose).relative_to(folder)
        raise DamagedArtifact(folder, f"{name} is in no manifest")


def _check_database(path: Path) -> None:
    if not path.exists():
        return
    address = f"{path.resolve().as_uri()}?mode=ro"
    with errors_of(path), closing(sqlite3.connect(address, uri=True)) as database:
        found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise damaged(path, found)
