"""Errors that only the service raises."""

from __future__ import annotations

from pathlib import Path

from sightline.graph.errors import NotFound, Unavailable
from sightline.graph.storage.errors import WorkspaceError


class UnknownReport(NotFound):
    """No report has this id."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"report {ref[:80]!r} does not exist; POST /v1/reports makes one")


class PortInUse(Unavailable):
    """The address is taken."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is in use; choose another with --port")


class DamagedQueue(WorkspaceError):
    """The queue of jobs is no database that can be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"the queue of jobs {str(path)!r} is damaged ({reason}); delete it and start "
            "`sightline serve` again: finished reports stay, those that wait are to be asked for "
            "again",
            path,
        )
