"""Reasoning that would not end well."""

from __future__ import annotations

from sightline.graph.errors import SightlineError


class TooManyInferred(SightlineError):
    """More facts follow from the stated ones than the limit allows. Nothing was written."""

    status = 422

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"more than {limit:,} facts follow from this graph; `sightline reason --limit` allows "
            "more, or retract the load whose rules (often a transitive property) give so many"
        )
