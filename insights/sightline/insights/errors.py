"""Errors of answers."""

from __future__ import annotations

from sightline.graph.errors import NotReady, UsageError


class DoesNotApply(UsageError):
    """A relation that no entity of such a type has, in the direction asked about."""

    def __init__(self, types: str, relation: str, forward: bool) -> None:
        fact = f"has a {relation}" if forward else f"is the {relation} of anything"
        super().__init__(
            f"no {types} {fact}; leave the relation out and give the other end, or ask what is "
            "related to the entity"
        )


class NothingToReport(NotReady):
    """A report that names no entity, on a graph without an edge."""

    def __init__(self) -> None:
        super().__init__(
            "the graph holds no fact between two entities, so there is nothing to report; take in "
            "data that links them (`sightline ingest`, `sightline compile`), or name entities"
        )
