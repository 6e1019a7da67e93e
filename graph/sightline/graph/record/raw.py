"""A record as it stands in its source, and what it states: what is shown of one.

Imports nothing, so that records of answers load at once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawCell:
    """A column of a record, and what it holds: several values where the source has several."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MadeFact:
    """A fact that a record states, and the columns that it was made of, as far as known."""

    subject: str
    predicate: str
    object: str
    datatype: str | None
    language: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as it stands in its source, and the facts that it states.

    Attributes:
        row, place: its number in the load, and what people call it.
        key: the columns that name its subject.
        raw: its text.
    """

    load: str
    source: str
    row: int
    place: str
    key: tuple[str, ...]
    cells: tuple[RawCell, ...]
    raw: str
    facts: tuple[MadeFact, ...]
