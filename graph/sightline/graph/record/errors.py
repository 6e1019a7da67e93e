"""What may be wrong with the loads of a workspace."""

from __future__ import annotations

from pathlib import Path

from sightline.graph.errors import NotFound, NotReady
from sightline.graph.storage.errors import DamagedArtifact


class UnknownLoad(NotFound):
    """No load has this id or name, or several have."""

    def __init__(self, ref: str) -> None:
        super().__init__(
            f"load {ref[:80]!r} is not in the workspace, or not the only one that is called so; "
            "`sightline loads` lists them"
        )


class DamagedLoad(DamagedArtifact):
    """A load of which a file is missing or changed. Nothing is built of it."""

    def __init__(self, path: str | Path, source: str, reason: str) -> None:
        again = f"load {source} again, copy the folder from a backup"
        super().__init__(path, reason, f"{again}, or `sightline retract {Path(path).name}`")


class NothingLoaded(NotReady):
    """The workspace has no active load."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"workspace {str(path)!r} holds no fact; `sightline ingest SOURCE... -w {path}` first",
            path,
        )
