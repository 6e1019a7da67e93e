"""SPARQL queries that are not answered."""

from __future__ import annotations

from sightline.graph.errors import Unavailable, UsageError


class QueryError(UsageError):
    """A SPARQL query that cannot be answered. No other query was harmed by it."""

    status = 400


class QuerySyntaxError(QueryError):
    """A query that cannot be read. Line and column count from 1."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        before = text[:position]
        self.line = before.count("\n") + 1
        self.column = position - (before.rfind("\n") + 1) + 1
        near = text[position : position + 20].partition("\n")[0].strip()
        where = f"near {near!r}" if near else "at its end"
        super().__init__(
            f"the query cannot be read at line {self.line}, column {self.column}, {where}: {reason}"
        )

    @property
    def extra(self) -> dict[str, object]:
        return {"line": self.line, "column": self.column}


class QueryTooLong(QueryError):
    """A query of too many bytes."""

    status = 413

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the query has {size} bytes; at most {limit} are read")


class QueryRefused(QueryError):
    """A query that asks for what is never done here."""

    status = 403

    def __init__(self, reason: str) -> None:
        super().__init__(f"the query is refused: {reason}")


class QueryTimeout(QueryError):
    """Evaluation took too long. This says nothing about whether there are answers."""

    status = 504

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the query was stopped after {seconds:g} seconds, before it had an answer; "
            "make its patterns more selective or add a LIMIT"
        )


class QueryOutOfMemory(QueryError):
    """Evaluation needed too much memory."""

    status = 422

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"the query needs more than {limit >> 20} MiB of memory; make its patterns more "
            "selective, or leave out ORDER BY, DISTINCT or GROUP BY"
        )


class ResultTooLarge(QueryError):
    """A result that is longer than an answer may be. Nothing of it is given."""

    status = 422

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            f"the result has more than {limit} {what}; page through it with ORDER BY, LIMIT and "
            "OFFSET, or use `sightline export`"
        )


class QueryInterrupted(Unavailable):
    """The process that evaluated a query ended, by a signal or by a fault of the engine."""

    def __init__(self, signal: str) -> None:
        super().__init__(
            f"the process that evaluated the query ended ({signal}); no other query was harmed: "
            "send it again, or simplify it if that happens again"
        )


class IndexUnreadable(Unavailable):
    """The RDF index cannot be read, and not because it is damaged."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the RDF index cannot be read: {reason}; it is whole, so give the service what it "
            "lacks and ask again"
        )
