"""What may be wrong with the folder on disk."""

from __future__ import annotations

import os
from pathlib import Path

from sightline.graph.errors import SightlineError


class WorkspaceError(SightlineError):
    """Something is wrong with the workspace folder."""

    status = 503


class NotAWorkspace(WorkspaceError):
    """The folder holds no workspace."""

    exit_code = 2

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"{str(path)!r} is no Sightline workspace; "
            f"`sightline run SOURCE... -w {path}` makes one"
        )


class FormatMismatch(WorkspaceError):
    """The workspace was written by another format version."""

    def __init__(self, path: str | Path, found: object, wanted: int) -> None:
        super().__init__(
            f"{str(path)!r} has format version {found!s:.20}, this Sightline reads version "
            f"{wanted}; use the Sightline that wrote it, or ingest its sources into a new workspace"
        )


class WorkspaceLocked(WorkspaceError):
    """Another process is writing."""

    status = 409

    def __init__(self, path: str | Path, holder: str) -> None:
        super().__init__(
            f"workspace {str(path)!r} is being written by {holder}; wait for it or stop it"
        )


class NotWritable(WorkspaceError):
    """No permission to write, or no folder to write to."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(
            f"{str(path)!r} cannot be written: {reason}; choose another folder or change its rights"
        )


class DiskFull(WorkspaceError):
    """No space left on the device. What was committed before is intact."""

    status = 507

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"no space left for {str(path)!r}; free some space and run again")


class DamagedArtifact(WorkspaceError):
    """A stored folder whose manifest, sizes or checksums do not match."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(
            f"{str(path)!r} is damaged ({reason}); the loads are intact if `sightline verify` says "
            "so: delete the folder and run `sightline compile` or `sightline train` again"
        )


class SettingsError(WorkspaceError):
    """``sightline.toml`` cannot be used."""

    exit_code = 2

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"settings {str(path)!r}: {reason}")


def from_os_error(error: OSError, path: str | Path) -> WorkspaceError:
    """The error of the tree that says what ``error`` means for ``path``."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(path)
    return NotWritable(path, os.strerror(error.errno) if error.errno else str(error))
