"""Which predictions are worth a line: those that say most beyond popularity.

Knows predicted facts as records, and what the graph forbids; asks no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from sightline.insights.records import Fact

if TYPE_CHECKING:
    from sightline.insights.ask import Sightline


def most_surprising(sight: Sightline, predictions: Iterable[Fact], k: int) -> tuple[Fact, ...]:
    """The ``k`` predictions that say most beyond popularity: highest probability x bits first.

    Guesses are left out, and those less likely than the answers to calibration's questions were on
    average, all of them where there were too few such answers; what no path and no rule speaks for;
    what breaks a constraint that all stated facts keep; of several facts about the same two
    entities all but the first.
    """
    base_rate = sight.model.scorer.calibration.base_rate if sight.model else None
    if base_rate is None:
        return ()

    def gain(p: Fact) -> float:
        return (p.probability or 0.0) * (p.surprising or 0.0)

    worth = [
        p
        for p in predictions
        if gain(p) > 0
        and not p.abstain
        and (p.probability_if_any or 0.0) >= base_rate
        and (p.support or p.rule)
    ]
    found: dict[frozenset[str], Fact] = {}
    ranked = sorted(
        _possible(sight, worth), key=lambda p: (-gain(p), p.head.id, p.relation.id, p.tail.id)
    )
    for p in ranked:
        found.setdefault(frozenset((p.head.iri, p.tail.iri)), p)
    return tuple(found.values())[:k]


def _possible(sight: Sightline, predictions: list[Fact]) -> Iterator[Fact]:
    """The predictions that break no constraint which all stated facts keep."""
    if not predictions:
        return
    s = sight.snapshot
    heads, relations, tails = (
        np.array([names.find(getattr(p, part).iri) for p in predictions], np.int32)
        for part, names in (
            ("head", s.entity_iris),
            ("relation", s.relation_iris),
            ("tail", s.entity_iris),
        )
    )
    excluded = sight.constraints.excluded(heads, relations, tails)
    yield from (p for p, broken in zip(predictions, excluded.tolist()) if broken < 0)
