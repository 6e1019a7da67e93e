"""What speaks for predictions: the best paths of stated facts between their two ends.

Knows the path search and its time budget; knows no model.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING
from weakref import WeakSet

from sightline.graph.paths.find import Path, find_paths, warm

if TYPE_CHECKING:
    from sightline.graph.snapshot.reader import Snapshot

#: The best so many paths are shown, of at most so many edges.
SUPPORT_PATHS, HOPS = 3, 3
#: Milliseconds for one pair, and for an answer.
SUPPORT_DEADLINE_MS = 50.0
SUPPORT_BUDGET_MS = 1000.0

NO_SUPPORT = "no support found"

#: Snapshots that were searched before.
_WARM: WeakSet[Snapshot] = WeakSet()


def support_of(
    snapshot: Snapshot, end: int, others: Iterable[int]
) -> dict[int, tuple[tuple[Path, ...], str | None]]:
    """The best paths of stated facts from one entity to each of some others, and what to know
    about them.

    A prediction is not stated, so none of the paths is the predicted fact itself.
    """
    if snapshot not in _WARM:
        # Kernels are loaded before the clock runs: the first search must not use up its time so.
        warm(snapshot)
        _WARM.add(snapshot)
    stop = time.perf_counter() + SUPPORT_BUDGET_MS / 1000
    support: dict[int, tuple[tuple[Path, ...], str | None]] = {}
    for other in sorted(set(others)):
        left = (stop - time.perf_counter()) * 1000
        if left < 1:
            support[other] = (), "support was not looked for: the answer took too long"
            continue
        deadline = min(SUPPORT_DEADLINE_MS, left)
        found = find_paths(
            snapshot, end, other, max_hops=HOPS, k=SUPPORT_PATHS, deadline_ms=deadline
        )
        note = f"{NO_SUPPORT}: {found.reason}" if found.truncated else NO_SUPPORT
        support[other] = found.paths, None if found.paths else note
    return support
