"""Is this triple true? One threshold per relation, chosen on validation, judged on test.

Knows scores and labels; knows no model. NumPy only.
"""

from __future__ import annotations

import numpy as np

from sightline.graph.arrays import Doubles, Flags, Ids
from sightline.models.data.queries import KnownAnswers

#: A relation with fewer validation triples than this uses the threshold of all relations together.
ENOUGH = 10


def classify(
    valid: tuple[Doubles, Ids, Flags], test: tuple[Doubles, Ids, Flags]
) -> dict[str, float] | None:
    """Choose thresholds on valid and apply them to test.

    Args:
        valid, test: scores float64 ``(n,)``, relations int32 ``(n,)``, truth bool ``(n,)``.

    Returns:
        Measures of the test triples, "positive" being "true"; None where either part lacks true or
        false triples.
    """
    if any(truth.all() or not truth.any() for _, _, truth in (valid, test)):
        return None
    score, relation, truth = valid
    common = best_accuracy_threshold(score, truth)
    test_score, test_relation, test_truth = test
    said = test_score >= common
    for r in np.unique(test_relation):
        own = relation == r
        if own.sum() >= ENOUGH:
            of_relation = test_relation == r
            threshold = best_accuracy_threshold(score[own], truth[own])
            said[of_relation] = test_score[of_relation] >= threshold
    hits = int((said & test_truth).sum())
    precision = hits / max(int(said.sum()), 1)
    recall = hits / int(test_truth.sum())
    return {
        "accuracy": float((said == test_truth).mean()),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(precision + recall, 1e-12),
        "positives": int(test_truth.sum()),
        "negatives": int((~test_truth).sum()),
    }


def best_accuracy_threshold(score: Doubles, truth: Flags) -> float:
    """The threshold at or above which "true" is right most often, half way to the next score."""
    order = np.argsort(-score, kind="stable")
    ranked, right = score[order], np.where(truth[order], 1, -1)
    gain = np.concatenate([[0], np.cumsum(right)])
    # A threshold lies between two different scores, or beyond either end.
    free = np.concatenate([[True], ranked[1:] < ranked[:-1], [True]])
    place = int(np.argmax(np.where(free, gain, -np.inf)))
    between = np.concatenate([ranked[:1] + 2.0, ranked, ranked[-1:] - 2.0])
    return float(between[place] + between[place + 1]) / 2


def sampled_negatives(triples: Ids, known: KnownAnswers, *, seed: int) -> Ids:
    """One false triple per triple: its tail replaced by another tail of the same relation.

    Drawing from the relation's own tails makes them plausible. A draw that is a known fact is
    repeated a few times and then dropped.

    Returns:
        int32 ``(m, 3)``, m <= n.
    """
    rng = np.random.default_rng(seed)
    tails = {
        int(r): known.head[known.rel == r + known.num_relations] for r in np.unique(triples[:, 1])
    }
    made = []
    for head, relation, _ in triples:
        one = np.array([head], np.int32), np.array([relation], np.int32)
        facts = known.of(*one)[1]
        for tail in rng.choice(tails[int(relation)], size=10):
            if tail not in facts:
                made.append((head, relation, tail))
                break
    return np.array(made, np.int32).reshape(-1, 3)
