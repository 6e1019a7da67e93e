"""Reasoning that would not end well."""

from __future__ import annotations

from sightline.graph.errors import SightlineError


class TooManyInferred(SightlineError):
    """More facts follow from the stated ones than the limit allows. Nothing was written.

    Args:
        relation: of which most follow, because it is transitive; as a name to ask by.
    """

    status = 422

    def __init__(self, limit: int, relation: str | None = None) -> None:
        otherwise = (
            "retract the load whose rules (often a transitive property) give so many"
            if relation is None
            else f"ask for what {relation} leads to without them: "
            f"sightline query '?x <{relation}>+ NAME' or 'NAME <{relation}>+ ?x'"
        )
        super().__init__(
            f"more than {limit:,} facts follow from this graph; `sightline reason --limit` allows "
            f"more, or {otherwise}"
        )
