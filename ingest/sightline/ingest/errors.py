"""Raw data that cannot be taken in. Nothing of it has been stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sightline.graph.errors import NotFound, SightlineError

#: How the sentence of an unreadable source ends.
NOTHING = "; nothing was loaded"


class SourceError(SightlineError):
    """Raw data that cannot be taken in. Nothing of it has been stored."""

    status = 422


class SourceNotFound(SourceError):
    """A path, glob or folder that yields no file."""

    exit_code = 2

    def __init__(self, path: str | Path, reason: str = "no such file") -> None:
        super().__init__(f"source {str(path)!r}: {reason}; check the path", path)


class SourceEmpty(SourceError):
    """A file without a single record."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(f"source {str(path)!r} holds no record; nothing was loaded", path)


class SourceUnreadable(SourceError):
    """A file that is not what its name says, is damaged, or has an unsupported format."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"source {str(path)!r} cannot be read: {reason}{NOTHING}", path)


class SourcesRefused(SourceError):
    """Some of several sources cannot be loaded, so none was."""

    def __init__(self, errors: Sequence[SightlineError], total: int) -> None:
        shown = " | ".join(map(str, errors[:10])) + (" | ..." if len(errors) > 10 else "")
        super().__init__(
            f"{len(errors)} of {total} sources cannot be loaded, so none was; "
            f"--skip-unreadable loads the others: {shown}",
            *(path for error in errors for path in error.paths),
        )


class NetworkRefused(SourceError):
    """A source on the network, which nobody allowed."""

    exit_code = 2

    def __init__(self, url: str) -> None:
        super().__init__(f"source {url!r} is on the network; --allow-network fetches it")


class SourceSyntaxError(SourceError):
    """A syntax error at a line of a structured source."""

    def __init__(self, path: str | Path, line: int, reason: str) -> None:
        super().__init__(
            f"source {str(path)!r}, line {line}: {reason}; correct the line, nothing was loaded",
            path,
        )
        self.line = line


class TooManyRejected(SourceError):
    """More bad rows than the threshold allows."""

    def __init__(self, path: str | Path, rejected: int, read: int, first: str) -> None:
        super().__init__(
            f"source {str(path)!r}: {rejected} of {read} records were rejected (first: {first}); "
            "nothing was loaded, correct the file or its mapping",
            path,
        )


class MappingError(SourceError):
    """The mapping is malformed or does not fit its source."""

    exit_code = 2

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"mapping {str(path)!r}: {reason}", path)


class RawFileGone(SourceError):
    """The file that a load was read from is no longer where it was."""

    status = 410

    def __init__(self, source: str, load: str) -> None:
        super().__init__(
            f"{source}, which load {load} was read from, is no longer where it was; put it back, "
            "or load it again"
        )


class RawFileChanged(SourceError):
    """The file that a load was read from has changed since."""

    status = 409

    def __init__(self, source: str, load: str) -> None:
        super().__init__(
            f"{source} has changed since load {load} was read from it; load it again, which "
            "replaces that load"
        )


class NoSuchRow(NotFound):
    """A load has no row of this number or name."""

    def __init__(self, source: str, at: str) -> None:
        super().__init__(
            f"{source} has no record {at[:80]!r}; a row is a number, or written as in answers: "
            "'$.ranges[2]', 'People!4'"
        )


class JoinTooLarge(SourceError):
    """A join of two tables that would state more than can be held."""

    def __init__(self, parent: str, count: int, most: int) -> None:
        super().__init__(
            f"the join with {parent} gives {count:,} statements for a part of the table alone, at "
            f"most {most:,} can be held; compare a column that has fewer equal values"
        )
