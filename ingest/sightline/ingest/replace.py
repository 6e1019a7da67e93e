"""A changed file takes the place of what was loaded of it before.

Knows when two loads are of one source, and what came and went between them row by row; reads no
source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from sightline.graph.record.loads import Load, active_loads
from sightline.graph.record.statements import TERMS
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import GENID

Rows = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Replaced:
    """A load that another took the place of.

    Attributes:
        added, removed, changed: rows that state something, told apart by all that they state. A
            changed one states other things of the same subject.
    """

    load: Load
    by: Load
    added: int
    removed: int
    changed: int

    def __str__(self) -> str:
        what = f"{self.added} rows added, {self.removed} removed, {self.changed} changed"
        if not self.added + self.removed + self.changed:
            what = "it states the same"
        return f"{self.by.source}: replaces load {self.load.id}: {what}"


def replaced_by(made: Sequence[tuple[str, Load]], ws: Workspace) -> list[tuple[Replaced, ...]]:
    """The active loads of which each load takes the place: those of the same source.

    Two sources that both have a name are one where that is the same; others are one where they are
    in the same place.

    Args:
        made: where each source is, which may be nowhere, and its load.
    """
    active = active_loads(ws)
    kept = {load.id for _, load in made}
    by_place, by_name = _by(active, "path"), _by(active, "called")

    def formers(place: str, load: Load) -> Iterator[Load]:
        yield from by_name.get((load.called, load.role), ())
        for other in by_place.get((place, load.role), ()):
            if not (other.called and load.called):
                yield other

    return [
        tuple(
            Replaced(former, load, *_compared(_rows(former), _rows(load)))
            for former in formers(place, load)
            if former.id not in kept
        )
        for place, load in made
    ]


def _by(loads: Sequence[Load], name: str) -> dict[tuple[str, str], list[Load]]:
    """Loads by an attribute, where it says something, and role."""
    found: dict[tuple[str, str], list[Load]] = {}
    for load in loads:
        if value := getattr(load, name):
            found.setdefault((value, load.role), []).append(load)
    return found


def _rows(load: Load) -> Rows:
    """``(n, 2)``: for each row of a load hashes of its subject and of all that it states."""
    parts = []
    # Blank nodes are called after the bytes of the whole source.
    own = f"^({GENID})[0-9a-f]+"
    for path in load.statements:
        frame = pl.read_parquet(path, columns=[*TERMS, "row"])
        frame = frame.with_columns(pl.col("subject", "object").str.replace(own, "$1"))
        said = frame.select("row", "subject", said=frame.select(TERMS).hash_rows())
        rows = said.group_by("row").agg(pl.col("subject").min().hash(), pl.col("said").sum())
        parts.append(rows.select("subject", "said").to_numpy().astype(np.uint64))
    return np.concatenate(parts) if parts else np.empty((0, 2), np.uint64)


def _compared(old: Rows, new: Rows) -> tuple[int, int, int]:
    """How many rows were added, removed and changed."""
    gone, come = _only(old, new), _only(new, old)
    subjects, before = np.unique(gone, return_counts=True)
    others, after = np.unique(come, return_counts=True)
    _, left, right = np.intersect1d(subjects, others, return_indices=True)
    changed = int(np.minimum(before[left], after[right]).sum())
    return len(come) - changed, len(gone) - changed, changed


def _only(rows: Rows, others: Rows) -> npt.NDArray[np.uint64]:
    """The subjects of rows that are not among the others; equal rows count one by one."""
    values, place, counts = np.unique(rows[:, 1], return_inverse=True, return_counts=True)
    known, held = np.unique(others[:, 1], return_counts=True)
    at = np.minimum(np.searchsorted(known, values), max(len(known) - 1, 0))
    there = np.zeros(len(values), np.int64)
    if len(known):
        there = np.where(known[at] == values, held[at], 0)
    order = np.argsort(place, kind="stable")
    first = np.repeat(np.cumsum(counts) - counts, counts)
    nth = np.arange(len(order)) - first
    left: npt.NDArray[np.uint64] = rows[order[nth >= there[place[order]]], 0]
    return left
