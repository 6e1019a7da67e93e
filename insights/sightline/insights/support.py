"""What speaks for predictions: the best paths of stated facts between their two ends.

Knows the path search and its time budget; knows no model.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from weakref import WeakSet

from sightline.graph.paths.find import Path, find_paths, warm
from sightline.graph.paths.support import HOPS, paths_to

if TYPE_CHECKING:
    from sightline.graph.snapshot.reader import Snapshot

#: The best so many paths are shown.
SUPPORT_PATHS = 3
#: Milliseconds for pairs between which there is too much to look at: for one, and for an answer.
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

    The predictions of one answer have an end in common, whose surroundings are searched once. A
    prediction is not stated, so none of the paths is the predicted fact itself.
    """
    targets = sorted(set(others))
    found = {
        other: (paths, None if paths else NO_SUPPORT)
        for other, paths in zip(targets, paths_to(snapshot, end, targets, SUPPORT_PATHS))
        if paths is not None
    }
    rest = [other for other in targets if other not in found]
    return found | dict(zip(rest, _one_by_one(snapshot, end, rest)))


def _one_by_one(
    snapshot: Snapshot, end: int, others: Iterable[int]
) -> Iterator[tuple[tuple[Path, ...], str | None]]:
    """The same between hubs, where it may take long and has an end."""
    if snapshot not in _WARM:
        # Kernels are loaded before the clock runs: the first search must not use up its time so.
        warm(snapshot)
        _WARM.add(snapshot)
    stop = time.perf_counter() + SUPPORT_BUDGET_MS / 1000
    for other in others:
        left = (stop - time.perf_counter()) * 1000
        if left < 1:
            yield (), "support was not looked for: the answer took too long"
            continue
        deadline = min(SUPPORT_DEADLINE_MS, left)
        found = find_paths(
            snapshot, end, other, max_hops=HOPS, k=SUPPORT_PATHS, deadline_ms=deadline
        )
        note = f"{NO_SUPPORT}: {found.reason}" if found.truncated else NO_SUPPORT
        yield found.paths, None if found.paths else note
