"""What may be wrong where facts are to be extracted from texts."""

from __future__ import annotations

from pathlib import Path

from sightline.graph.errors import NotReady, Unavailable, UsageError


class NoText(NotReady):
    """The workspace has no sentence to read."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(
            f"workspace {str(path)!r} holds no text; `sightline ingest NOTES.md... -w {path}` "
            "first, or name a property whose values are texts with --property",
            path,
        )


class NetworkForbidden(UsageError):
    """An endpoint that nobody allowed to ask, or that cannot be asked with what was given."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"endpoint {url!r} is not asked: {why}")


class EndpointFailed(Unavailable):
    """An endpoint that does not answer, or not in time; former answers are kept."""

    def __init__(self, url: str, why: str, done: int, total: int) -> None:
        super().__init__(
            f"endpoint {url!r} was asked for {total:,} sentences, and {done:,} are done: {why}; "
            "nothing was added, answers are kept, and the same command goes on from there"
        )
