"""Where a statement came from. Imports nothing, so that records of answers load at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a statement came from: load id, source file and 1-based record or line in it."""

    load: str
    source: str
    row: int
