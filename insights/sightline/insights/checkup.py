"""What looks wrong with a graph: contradictions, doubles, implausible facts, loose ends.

Every check of ``checks`` reads arrays and gives suspects in ids; a suspect becomes a record when it
is shown. Knows the snapshot; knows no model and no portal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from sightline.graph.mining.constraints import Constraints
from sightline.graph.mining.plausibility import LEAST_FACTS, OutOfTime, warm
from sightline.insights.checks.contradictions import contradictions
from sightline.insights.checks.doubles import duplicates, leakage, split
from sightline.insights.checks.grounds import MOST, Grounds, Suspect
from sightline.insights.checks.judged import implausible, misread
from sightline.insights.checks.kept_shapes import violations
from sightline.insights.checks.loose import isolated, unlabelled

if TYPE_CHECKING:
    from pathlib import Path

    from sightline.graph.snapshot.reader import Snapshot

#: The check that all others may ask.
IMPLAUSIBLE = "implausible facts"
#: The check of the shapes that are kept, which may change while a snapshot is served.
KEPT = "shapes that are kept"
#: In this order: the dearest comes first, as others ask what it found.
CHECKS: dict[str, Callable[[Grounds, float], Iterator[Suspect]]] = {
    IMPLAUSIBLE: implausible,
    "contradictions": contradictions,
    "facts of texts": misread,
    "duplicate relations": duplicates,
    "split entities": split,
    "leakage": leakage,
    "labels": unlabelled,
    "isolated parts": isolated,
    KEPT: violations,
}


class Checkup:
    """The checks of one snapshot; what a check found is kept.

    Args:
        constraints: what its facts keep; asked for when it is needed.
    """

    def __init__(self, snapshot: Snapshot, constraints: Callable[[], Constraints]) -> None:
        self._grounds = Grounds(snapshot, constraints)
        self._lock = threading.Lock()
        self._done: dict[str, list[Suspect]] = {}
        self._checked: tuple[int, int] | None = None
        if snapshot.num_edges >= LEAST_FACTS:
            warm()

    def suspects(self, end: float) -> tuple[list[Suspect], list[str]]:
        """Everything that looks wrong, the worst first, and what was not looked at.

        Args:
            end: when to give up, on the clock ``time.perf_counter``.
        """
        missed: list[str] = []
        found: list[Suspect] = []
        with self._lock:
            if (stamp := _stamp(self._grounds.shapes)) != self._checked:
                self._checked = stamp
                self._done.pop(KEPT, None)
            for name, check in CHECKS.items():
                kept = self._done.get(name)
                if kept is None:
                    # The dearest leaves the others time.
                    now = time.perf_counter()
                    until = now + (end - now) / 2 if name == IMPLAUSIBLE else end
                    try:
                        if now > end:
                            raise OutOfTime
                        kept = sorted(check(self._grounds, until), key=lambda x: -x.certainty)
                    except OutOfTime:
                        missed.append(name)
                        continue
                    kept = kept[:MOST]
                    if IMPLAUSIBLE not in missed:
                        self._done[name] = kept
                found += kept
        rank = {"high": 0, "medium": 1, "low": 2}
        found.sort(key=lambda x: (rank[x.severity], -x.certainty, x.kind, x.edges, x.entities))
        return _once(found), missed

    @property
    def too_few(self) -> str | None:
        """Why no fact is called implausible, where that is for want of facts."""
        snapshot = self._grounds.snapshot
        facts = int((snapshot.fact_of == np.arange(snapshot.num_edges)).sum())
        if facts >= LEAST_FACTS:
            return None
        why = f"{facts} facts are too few to learn from, {LEAST_FACTS} would do"
        return f"{IMPLAUSIBLE} were not looked for: {why}"


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file does; None where there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size


def _once(found: list[Suspect]) -> list[Suspect]:
    """Suspects without those that would take back what one before them does."""
    seen: set[tuple[int, ...]] = set()
    kept = []
    for suspect in found:
        if suspect.wrong not in seen:
            kept.append(suspect)
        if suspect.wrong:
            seen.add(suspect.wrong)
    return kept
