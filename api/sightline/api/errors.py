"""Errors that only the service raises."""

from __future__ import annotations

from sightline.graph.errors import NotFound, Unavailable


class UnknownReport(NotFound):
    """No report has this id."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"report {ref[:80]!r} does not exist; POST /v1/reports makes one")


class PortInUse(Unavailable):
    """The address is taken."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is in use; choose another with --port")
