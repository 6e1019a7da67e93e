"""What may be wrong with the folder on disk."""

from __future__ import annotations

import difflib
import errno
import os
import re
from collections.abc import Sequence
from pathlib import Path

from sightline.graph.errors import NotFound, NotReady, SightlineError


class WorkspaceError(SightlineError):
    """Something is wrong with the workspace folder."""

    status = 503


class NotAWorkspace(WorkspaceError):
    """The folder holds no workspace."""

    exit_code = 2

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"{str(path)!r} is no Sightline workspace; "
            f"`sightline run SOURCE... -w {path}` makes one",
            path,
        )


class FormatMismatch(WorkspaceError):
    """Something in the workspace was written in another format version."""

    def __init__(self, path: str | Path, found: object, wanted: int, way_out: str) -> None:
        if isinstance(found, int) and found > wanted:
            way_out = "use the Sightline that wrote it, or a newer one"
        super().__init__(
            f"{str(path)!r} has format version {found!s:.20}, this Sightline reads version "
            f"{wanted}; {way_out}",
            path,
        )


class WorkspaceLocked(WorkspaceError):
    """Another process is writing."""

    status = 409

    def __init__(self, path: str | Path, holder: str) -> None:
        super().__init__(
            f"workspace {str(path)!r} is being written by {holder}; wait for it or stop it",
            path,
        )


class NotWritable(WorkspaceError):
    """No permission to write, or no folder to write to."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(
            f"{str(path)!r} cannot be written: {reason}; choose another folder or change its "
            "rights",
            path,
        )


class DiskFull(WorkspaceError):
    """No space left on the device. What was committed before is intact.

    Args:
        spared: bytes that are left free for what has to be written.
    """

    status = 507

    def __init__(self, path: str | Path | None = None, spared: int = 0) -> None:
        where = "on the disk" if path is None else f"for {str(path)!r}"
        if spared:
            where += f" beside the {spared / 1e6:.0f} MB of the disk that stay free"
        super().__init__(f"no space left {where}; free some space and run again", path or "")


class DamagedArtifact(WorkspaceError):
    """A stored folder or file whose manifest, sizes or checksums do not match."""

    way_out = (
        "the loads are intact if `sightline verify` says so: delete the folder and run "
        "`sightline compile` or `sightline train` again"
    )

    def __init__(self, path: str | Path, reason: str, way_out: str | None = None) -> None:
        super().__init__(f"{str(path)!r} is damaged ({reason}); {way_out or self.way_out}", path)
        self.reason = reason


class NothingWatched(NotReady):
    """The watch list of a workspace is empty."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"workspace {str(path)!r} watches nothing; "
            f"`sightline watch add ENTITY -w {path}` first",
            path,
        )


class UnknownToken(NotFound):
    """A workspace has no token of this id or name."""

    exit_code = 2

    def __init__(self, ref: str, known: Sequence[str]) -> None:
        near = difflib.get_close_matches(ref, known, n=1)
        meant = f"did you mean {near[0]}?" if near else "`sightline token list` shows them"
        super().__init__(f"there is no token {ref[:80]!r}; {meant}")


class DamagedBackup(WorkspaceError):
    """A backup that cannot be restored."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(
            f"backup {str(path)!r} cannot be restored: {reason}; nothing was written, use another",
            path,
        )


class NoFormerPair(NotReady):
    """Nothing else was served before."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"workspace {str(path)!r} served nothing before what it serves now, so there is "
            "nothing to go back to",
            path,
        )


class UnknownPair(NotFound):
    """No former pair has a snapshot or a model whose id begins so."""

    def __init__(self, ref: str, known: Sequence[str]) -> None:
        super().__init__(
            f"no former snapshot or model has an id that begins with {ref[:40]!r}; there are: "
            f"{', '.join(known)}"
        )


class SettingsError(WorkspaceError):
    """``sightline.toml`` cannot be used."""

    exit_code = 2

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"settings {str(path)!r}: {reason}", path)


#: How libraries say that the disk is full where they raise no OSError with its number.
_FULL = re.compile(
    r"no space left|disk is full|disk quota|file too large|os error (28|122|27)\b"
    r"|\d+ requested and \d+ written",
    re.IGNORECASE,
)


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it follows from, means that the disk is full."""
    while error is not None:
        number = error.errno if isinstance(error, OSError) else None
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or _FULL.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False


def from_os_error(error: OSError, path: str | Path) -> WorkspaceError:
    """The error of the tree that says what ``error`` means for ``path``."""
    if is_disk_full(error):
        return DiskFull(path)
    return NotWritable(path, os.strerror(error.errno) if error.errno else str(error))


def storage_error(error: Exception, path: str | Path) -> WorkspaceError | None:
    """The error of the tree that an error while writing ``path`` means; None where it is of the
    tree already, or not about storage."""
    if isinstance(error, OSError):
        return from_os_error(error, path)
    return DiskFull(path) if not isinstance(error, SightlineError) and is_disk_full(error) else None
