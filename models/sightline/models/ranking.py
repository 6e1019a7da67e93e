"""Filtered ranks and what is counted from them.

Knows score rows and true answers; knows no graph, no model and no torch. The rank is *realistic*:
the mean of the optimistic rank (ties lose to the answer) and the pessimistic one (ties win), so a
model that scores everything alike gets the middle of the list and not its top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Floats, Ids
from sightline.models.data.queries import KnownAnswers, with_reciprocals

#: ``scorer(heads, rels)``: int32 ``(B,)`` twice to float32 ``(B, N)``, higher is more plausible.
Scorer = Callable[[Ids, Ids], Floats]

#: Score rows of one block hold at most this many numbers (64 MB of float32).
BLOCK = 1 << 24
#: Numbers that a scorer remembers (256 MB).
REMEMBERED = 1 << 26


class Remembered:
    """A scorer that is asked a question once, while there is room for what it says."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._said: dict[tuple[int, int], Floats] = {}

    def __call__(self, heads: Ids, rels: Ids) -> Floats:
        """Scores of all entities of each question: float32 ``(B, N)``."""
        asked = list(zip(heads.tolist(), rels.tolist()))
        found = {pair: self._said[pair] for pair in asked if pair in self._said}
        new = [pair for pair in dict.fromkeys(asked) if pair not in found]
        if new:
            scores = self._scorer(*np.array(new, np.int32).T)
            said = dict(zip(new, scores))
            found |= said
            if (len(self._said) + len(new)) * scores.shape[1] <= REMEMBERED:
                self._said |= said
        return np.stack([found[pair] for pair in asked])


@dataclass(frozen=True, slots=True)
class RankingMetrics:
    """Means over queries; None where there was no query.

    Attributes:
        mrr: mean of 1 / rank.
        hits_at_1, hits_at_3, hits_at_10: share of ranks <= k.
        queries: how many ranks; two per triple.
    """

    mrr: float | None
    hits_at_1: float | None
    hits_at_3: float | None
    hits_at_10: float | None
    queries: int

    @classmethod
    def of(cls, ranks: npt.NDArray[np.float64]) -> RankingMetrics:
        """Metrics of realistic ranks, float64 ``(n,)``, the best being 1."""
        if not len(ranks):
            return cls(None, None, None, None, 0)
        one, three, ten = (float(np.mean(ranks <= k)) for k in (1, 3, 10))
        return cls(float(np.mean(1.0 / ranks)), one, three, ten, len(ranks))


def realistic_ranks(scores: Floats, answers: Ids) -> npt.NDArray[np.float64]:
    """Ranks of one answer per row; the row's other true answers are at -inf already.

    Args:
        scores: float32 ``(B, N)``.
        answers: int32 ``(B,)``, a column each.

    Returns:
        float64 ``(B,)``: 1 + better + (tied with others) / 2. An answer whose score is NaN is last.
    """
    own = scores[np.arange(len(answers)), answers][:, None]
    better = (scores > own).sum(axis=1)
    tied = (scores == own).sum(axis=1) - 1
    ranks: npt.NDArray[np.float64] = 1.0 + better + tied / 2.0
    return np.where(np.isnan(own[:, 0]), float(scores.shape[1]), ranks)


def filtered_ranks(scorer: Scorer, triples: Ids, known: KnownAnswers) -> npt.NDArray[np.float64]:
    """Ranks of both directions of every triple, all other known answers taken out.

    Args:
        triples: int32 ``(n, 3)``.
        known: the answers to filter, of train, valid and test together.

    Returns:
        float64 ``(2 n,)``: first the tails, then the heads, in the order of ``triples``.
    """
    ranks: npt.NDArray[np.float64] = blended_ranks([scorer], [(1.0,)], triples, known)[0]
    return ranks


def blended_ranks(
    scorers: Sequence[Scorer], mixes: Sequence[Sequence[float]], triples: Ids, known: KnownAnswers
) -> npt.NDArray[np.float64]:
    """``filtered_ranks`` of several weighted sums of the same scores, each scorer asked once.

    Args:
        mixes: weights, one per scorer each.

    Returns:
        float64 ``(mixes, 2 n)``.
    """
    ranks = [np.zeros((len(mixes), 0))]
    for answers, found in filtered_scores(scorers, triples, known):
        mixed = [
            reduce(np.add, (np.float32(weight) * one for weight, one in zip(mix, found) if weight))
            for mix in mixes
        ]
        ranks.append(np.stack([realistic_ranks(scores, answers) for scores in mixed]))
    return np.concatenate(ranks, axis=1)


def filtered_scores(
    scorers: Sequence[Scorer], triples: Ids, known: KnownAnswers
) -> Iterator[tuple[Ids, list[Floats]]]:
    """Block by block the answers of both directions of every triple, and what each scorer gives
    the question: float32 ``(B, N)``, all other known answers at -inf."""
    queries = with_reciprocals(triples, known.num_relations)
    size = max(1, BLOCK // (known.num_entities * len(scorers)))
    for start in range(0, len(queries), size):
        heads, rels, answers = queries[start : start + size].T
        others = known.others(heads, rels, answers)
        found = [np.array(scorer(heads, rels), np.float32) for scorer in scorers]
        for scores in found:
            scores[others] = -np.inf
        yield answers, found
