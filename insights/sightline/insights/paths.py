"""How entities are connected, in words, and what speaks for a prediction.

Turns what a path search found into records; searches for support itself. Knows no model.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from weakref import WeakSet

from sightline.graph.paths.find import PathAnswer, find_paths, warm
from sightline.insights.records import Evidence, MetapathView, PathsView, PathView

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


def path_view(names: Names, source: int, target: int, found: PathAnswer) -> PathsView:
    """What a search between two entities found, in words."""
    return PathsView(
        source=names.entity(source),
        target=names.entity(target),
        paths=tuple(_path_views(names, found)),
        metapaths=tuple(
            MetapathView(names.metapath(m.rels), m.score, m.count) for m in found.metapaths
        ),
        found=found.found,
        truncated=found.truncated,
        reason=found.reason,
    )


def _path_views(names: Names, found: PathAnswer) -> list[PathView]:
    views = []
    for path in found.paths:
        told = names.evidence(path)
        metapath = names.metapath(path.rels)
        views.append(PathView(told.text, told.steps, told.score, metapath, len(path.rels)))
    return views


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

    def of(self, head: int, tail: int) -> tuple[tuple[Evidence, ...], str | None]:
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
        return tuple(self._names.evidence(path) for path in found.paths), None

    def _milliseconds_left(self) -> float:
        if self._end is None:
            _warm_once(self._names.snapshot)
            self._end = time.perf_counter() + SUPPORT_BUDGET_MS / 1000
        return (self._end - time.perf_counter()) * 1000
