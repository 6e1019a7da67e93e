"""What speaks for predictions: the best paths of stated facts between their two ends.

Knows the path search and its time budget; knows no model.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from weakref import WeakSet

from sightline.graph.paths.find import Path, paths_to_each, warm

if TYPE_CHECKING:
    from sightline.graph.snapshot.reader import Snapshot

#: The best so many paths are shown, of at most so many edges.
SUPPORT_PATHS, HOPS = 3, 3
#: Milliseconds for one pair, or a twentieth of what there is for all, and for an answer.
SUPPORT_DEADLINE_MS = 50.0
SUPPORT_BUDGET_MS = 1000.0

NO_SUPPORT = "no support found"

#: Snapshots that were searched before.
_WARM: WeakSet[Snapshot] = WeakSet()


def support_of(
    snapshot: Snapshot, end: int, others: Iterable[int], budget_ms: float = SUPPORT_BUDGET_MS
) -> dict[int, tuple[tuple[Path, ...], str | None]]:
    """The best paths of stated facts from one entity to each of some others, and what to know
    about them.

    A prediction is not stated, so none of the paths is the predicted fact itself.

    Args:
        budget_ms: milliseconds for all of them, 1 or more.
    """
    if snapshot not in _WARM:
        # Kernels are loaded before the clock runs: the first search must not use up its time so.
        warm(snapshot)
        _WARM.add(snapshot)
    asked = sorted(set(others))
    each_ms = max(SUPPORT_DEADLINE_MS, budget_ms / 20)
    limits = {"deadline_ms": budget_ms, "each_ms": each_ms}
    found = paths_to_each(snapshot, end, asked, max_hops=HOPS, k=SUPPORT_PATHS, **limits)
    return dict(zip(asked, map(_told, found)))


def _told(found: tuple[tuple[Path, ...], str | None] | None) -> tuple[tuple[Path, ...], str | None]:
    if found is None:
        return (), "support was not looked for: the answer took too long"
    paths, reason = found
    note = NO_SUPPORT if reason is None else f"{NO_SUPPORT}: {reason}"
    return paths, None if paths else note
