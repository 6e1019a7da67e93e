"""What may be wrong where facts are to be extracted from texts."""

from __future__ import annotations

from pathlib import Path

from sightline.graph.errors import NotReady


class NoText(NotReady):
    """The workspace has no sentence to read."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"workspace {str(path)!r} holds no text; `sightline ingest NOTES.md... -w {path}` "
            "first, or name a property whose values are texts with --property",
            path,
        )
