"""Why a fact: the mined rules that give it, as records.

Knows the rules of a snapshot and its labels; knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sightline.graph.mining.reasons import Reason as FoundReason
from sightline.graph.mining.reasons import coverage, evidence
from sightline.graph.mining.rules import confidence, interval
from sightline.insights.records import Reason, Rule

if TYPE_CHECKING:
    from sightline.insights.ask import Sightline

NO_RULES = "this snapshot has no mined rules: sightline compile mines them"


def rule_of(sight: Sightline, rule: int) -> Rule:
    """A mined rule as a record."""
    rules = sight.snapshot.rules
    assert rules is not None
    support, pairs = rules.support[rule : rule + 1], rules.pairs[rule : rule + 1]
    low, high = interval(support, pairs)
    body = [rel for rel in rules.body[rule].tolist() if rel >= 0]
    head = int(rules.head[rule]), int(rules.head_end[rule])
    return Rule(
        text=sight.names.rule(head, body, int(rules.body_end[rule])),
        confidence=float(confidence(support, pairs)[0]),
        low=float(low[0]),
        high=float(high[0]),
        support=int(support[0]),
        pairs=int(pairs[0]),
        head_coverage=coverage(sight.snapshot, rule),
        sampled=float(np.round(rules.share[rule], 6)),
    )


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
        record = Reason(rule_of(sight, one.rule), tuple(map(sight.names.path, paths)), count)
        out.append((one, record))
    return out
