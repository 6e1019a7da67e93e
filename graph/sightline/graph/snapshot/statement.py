"""A statement as plain values, and where one came from: what loads hold, one at a time.

Imports nothing, so that records of answers load at once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement; ``datatype`` is None where ``object`` is an IRI."""

    subject: str
    predicate: str
    object: str
    datatype: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a statement came from: load id, source file and 1-based record or line in it."""

    load: str
    source: str
    row: int
