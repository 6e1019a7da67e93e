"""A statement as plain values, and where one came from: what loads hold, one at a time.

Imports nothing, so that records of answers load at once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Statement:
    """A statement; ``datatype`` is None where ``object`` is an IRI."""

    subject: str
    predicate: str
    object: str
    datatype: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Origin:
    """Where a statement came from.

    Attributes:
        load: its id.
        source: what the file is called.
        row: number of the record in the load, 1-based; of several tables it counts on.
        place: the row in words: ``line 12``, ``$.ranges[2]``, ``sheet People, row 4``.
        merged_from: IRIs that the source has where the statement, since a merge, has another.
    """

    load: str
    source: str
    row: int
    place: str
    merged_from: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.source.rpartition('/')[2]}, {self.place}"


@dataclass(frozen=True)
class Amount:
    """How many came and went."""

    added: int
    removed: int


@dataclass(frozen=True)
class Change:
    """How many facts of something came and went."""

    iri: str
    label: str
    added: int
    removed: int


@dataclass(frozen=True)
class ChangedFact:
    """A fact that came or went; ``text`` says it by labels, ``inferred`` that no load states it."""

    statement: Statement
    text: str
    inferred: bool
