"""What may be wrong with the loads of a workspace."""

from __future__ import annotations

from pathlib import Path

from sightline.graph.errors import NotFound, NotReady


class UnknownLoad(NotFound):
    """No load has this id."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"load {ref[:80]!r} is not in the workspace; `sightline loads` lists them")


class NothingLoaded(NotReady):
    """The workspace has no active load."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"workspace {str(path)!r} holds no fact; `sightline ingest SOURCE... -w {path}` first"
        )
