"""Errors of answers."""

from __future__ import annotations

from sightline.graph.errors import NotFound, NotReady, UsageError


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


class ReportTooLarge(UsageError):
    """A report of more bytes than one may take."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(
            f"the report takes {size / 1e6:.3g} MB, and one that is asked for over HTTP may take "
            f"{most / 1e6:.3g}; ask about fewer entities"
        )


class BadQuery(UsageError):
    """A logical question that is not in the notation."""

    def __init__(self, text: str, position: int, expected: str) -> None:
        at = text[max(0, position - 21) : position + 19]
        super().__init__(
            f"the question cannot be read at character {position}, in {at!r}: expected {expected}; "
            "write conditions with commas between them: ?d treats ?x, ?d a Compound, ?c population "
            '> 1000000, not ?d treats "Alzheimer\'s disease"'
        )
        self.position = position

    @property
    def extra(self) -> dict[str, object]:
        return {"position": self.position}


class UnknownFinding(NotFound):
    """No finding of the doctor has this id."""

    def __init__(self, ref: str) -> None:
        super().__init__(
            f"no finding of the doctor has the id {ref[:40]!r}, or several begin so; "
            "`sightline doctor` lists them"
        )


class NoCure(UsageError):
    """A finding that taking statements back does not mend."""

    def __init__(self, ref: str) -> None:
        super().__init__(
            f"finding {ref} cannot be mended by taking statements back; `sightline doctor --json` "
            "shows its SPARQL update, if there is one, for where the data comes from"
        )


class BadSections(UsageError):
    """Sections of a report that are not as they have to be."""
