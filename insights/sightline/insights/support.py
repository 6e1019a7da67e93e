"""What speaks for a prediction: the best paths of stated facts between its two ends.

Knows the path search and its time budget; knows no model.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from weakref import WeakSet

from sightline.graph.paths.find import find_paths, warm
from sightline.insights.records import Path

if TYPE_CHECKING:
    from sightline.graph.snapshot.reader import Snapshot
    from sightline.insights.names import Names

#: Support is looked for within so many hops, and the best so many paths are shown.
SUPPORT_HOPS = 3
SUPPORT_PATHS = 3
#: Milliseconds for the support of one prediction, and for that of a whole answer.
SUPPORT_DEADLINE_MS = 50.0
SUPPORT_BUDGET_MS = 1000.0

NO_SUPPORT = "no support found"


#: Snapshots that were searched before.
_WARM: WeakSet[Snapshot] = WeakSet()


def _warm_once(snapshot: Snapshot) -> None:
    """Load the kernels before the clock runs: the first search must not use up its time so."""
    if snapshot not in _WARM:
        warm(snapshot)
        _WARM.add(snapshot)


class Support:
    """Looks for what speaks for the predictions of one answer, within one time budget."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._end: float | None = None

    def of(self, head: int, tail: int) -> tuple[tuple[Path, ...], str | None]:
        """The best paths of stated facts between two entities, and what to know about them.

        A prediction is not stated, so none of the paths is the predicted fact itself.
        """
        left = self._milliseconds_left()
        if left < 1:
            return (), "support was not looked for: the answer took too long"
        found = find_paths(
            self._names.snapshot,
            head,
            tail,
            max_hops=SUPPORT_HOPS,
            k=SUPPORT_PATHS,
            deadline_ms=min(SUPPORT_DEADLINE_MS, left),
        )
        if not found.paths:
            return (), f"{NO_SUPPORT}: {found.reason}" if found.truncated else NO_SUPPORT
        return tuple(self._names.path(path) for path in found.paths), None

    def _milliseconds_left(self) -> float:
        if self._end is None:
            _warm_once(self._names.snapshot)
            self._end = time.perf_counter() + SUPPORT_BUDGET_MS / 1000
        return (self._end - time.perf_counter()) * 1000
