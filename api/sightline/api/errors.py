"""Errors that only the service raises."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sightline.graph.errors import NotFound, NotReady, SightlineError, Unavailable, UsageError
from sightline.graph.storage.errors import WorkspaceError


class UnknownReport(NotFound):
    """No report has this id."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"report {ref[:80]!r} does not exist; POST /v1/reports makes one")


class ReportsFull(WorkspaceError):
    """Reports take as much of the disk as they may."""

    status = 507

    def __init__(self, used: int, room: int) -> None:
        super().__init__(
            f"reports take {used / 1e9:.3g} GB of the {room / 1e9:.3g} GB that they may; remove "
            "some with DELETE /v1/reports/{id}, or ask whoever runs this service for more room "
            "(`sightline serve --report-room`)"
        )


class NoToken(SightlineError):
    """It is not known who asks."""

    status = 401

    def __init__(self, condition: str) -> None:
        super().__init__(
            f"{condition}; send one as the header `Authorization: Bearer TOKEN` "
            "(`sightline token create` makes one)"
        )


class NotAllowed(SightlineError):
    """The token is right, and does not have the role that this needs."""

    status = 403

    def __init__(self, name: str, roles: Collection[str]) -> None:
        needed = " or ".join(sorted(roles))
        super().__init__(
            f"this needs the role {needed}, which the token {name!r} does not have; ask whoever "
            f"runs this service for one (`sightline token create NAME --role {min(roles)}`)"
        )


class OverBudget(SightlineError):
    """A caller asked for more work than it may."""

    status = 429

    def __init__(self, condition: str, wait: float) -> None:
        super().__init__(f"{condition}; ask again in {wait:.0f} seconds, or for less")
        self.wait = wait


class OpenToAll(UsageError):
    """The service would answer everybody who reaches the machine."""

    def __init__(self, host: str, workspace: Path) -> None:
        super().__init__(
            f"on {host} everybody who reaches this machine could ask; make a token first: "
            f"`sightline token create NAME --role ask -w {workspace}`, or say --open where "
            "something else lets in only who may",
            workspace,
        )


class UnknownJob(NotFound):
    """No job has this id."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"job {ref[:80]!r} does not exist; GET /v1/jobs lists them")


class NotToRetry(NotReady):
    """A job that has neither failed nor been cancelled."""

    def __init__(self, ref: str, state: str) -> None:
        super().__init__(
            f"job {ref!r} is {state}: only one that failed or was cancelled is tried again"
        )


class BadUpload(UsageError):
    """What was sent to be loaded cannot be taken."""


class UploadTooLarge(BadUpload):
    """Files of more bytes than are taken at once, or more than are kept."""

    status = 413


class PortInUse(Unavailable):
    """The address is taken."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} on {host} is in use; choose another with --port")


class DamagedQueue(WorkspaceError):
    """The queue of jobs is no database that can be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"the queue of jobs {str(path)!r} is damaged ({reason}); delete it and start "
            "`sightline serve` again: what finished jobs made stays, those that wait are to be "
            "asked for again",
            path,
        )
