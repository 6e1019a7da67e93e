"""Why a fact: the mined rules that give it, as records.

Knows the rules of a snapshot and its labels; knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sightline.graph.mining.reasons import Reason as FoundReason
from sightline.graph.mining.reasons import evidence
from sightline.insights.records import Reason

if TYPE_CHECKING:
    from sightline.insights.ask import Sightline

NO_RULES = "this snapshot has no mined rules: sightline compile mines them"


def told(
    sight: Sightline,
    found: Sequence[FoundReason],
    head: int,
    tail: int,
    k: int,
    without: Sequence[int] = (),
) -> list[tuple[FoundReason, Reason]]:
    """Reasons with their best ``k`` walks, less those whose only walk is one of some edges: a fact
    stated the other way round is no reason for itself."""
    out = []
    for one in found:
        paths, count = evidence(sight.snapshot, one, head, tail, k)
        if count == 1 and len(paths[0].edges) == 1 and paths[0].edges[0] in without:
            continue
        record = Reason(sight.names.rule(one.rule), tuple(map(sight.names.path, paths)), count)
        out.append((one, record))
    return out
