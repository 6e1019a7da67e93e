"""Which relation sentences state between two entities, learnt from the facts of the graph.

Sentences that name both ends of a fact teach how texts say it (distant supervision, Mintz et al.
2009); at least one sentence of a pair does, not each (Riedel et al. 2010), so that the surest
sentences of a pair teach alone after a first round. Pairs without a fact are wrong answers only
where the first of them has other facts of the relation (local closed world, Dong et al. 2014). One
logistic regression over all relations, with words by relation and what all relations share; what
it says of a sentence while thresholds are chosen it has not learnt from that sentence, nor, for
documents that the graph holds nothing of, from that document.

Knows mentions and the arrays of a snapshot; knows no file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

from sightline.graph.arrays import Doubles, Flags, Ids
from sightline.graph.extraction.candidates import Candidates
from sightline.graph.extraction.features import WIDTH
from sightline.graph.extraction.linking import first_type
from sightline.graph.extraction.tokens import Places, mixed
from sightline.graph.snapshot.reader import Snapshot

FOLDS, ROUNDS = 4, 2
PENALTY, STEPS = 0.3, 12
#: Pairs with a fact that sentences must name before a relation is extracted.
ENOUGH = 4
#: A directed relation has one answer where its anchors of a type, at least so many, have so many on
#: average.
SINGLE, ENOUGH_ANCHORS = 1.05, 10
#: Of what a sentence might state of two names, what is so much less likely it does not; the log
#: odds of what no sentence states.
CLEARLY, UNREAD = 1.0, -20.0
#: In how many steps the part of open pairs that is true is found.
PRIOR_STEPS = 50
#: Pairs that each share of facts is told with besides, in which as many are facts as in all: few
#: alike tell little.
BESIDES = 2


@dataclass(frozen=True, slots=True)
class Judged:
    """A relation, and how well texts were read for it.

    Attributes:
        known: pairs with a fact that sentences name; ``wrong`` those without one that count as
            wrong.
        curve: recall and precision on pairs that were not learnt from, by falling score.
        threshold: score from which it is taken as stated; None where no score is sure enough.
        precision, recall: at the threshold, on those pairs.
    """

    relation: int
    known: int
    wrong: int
    curve: tuple[tuple[float, float], ...]
    threshold: float | None
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Extracted:
    """New facts that sentences state, by confidence.

    Attributes:
        head, relation, tail: int32 ``(F,)``.
        sentence: the one that says it best.
        sentences: how many name both.
        confidence: the chance that it is true, from the share of facts among pairs judged so that
            were not learnt from.
        single: facts left out since a head has one such fact already.
    """

    head: Ids
    relation: Ids
    tail: Ids
    sentence: Places
    sentences: Places
    confidence: Doubles
    judged: tuple[Judged, ...]
    single: int


def extract(snapshot: Snapshot, found: Candidates, document: Ids, precision: float) -> Extracted:
    """New facts of the relations that are read well enough.

    Args:
        document: that each sentence is of, int32 ``(S,)``.
        precision: least share of facts among what is taken, on pairs that were not learnt from.
    """
    s = snapshot
    kinds = first_type(s)
    swap = s.symmetric[found.relation] & (found.head > found.tail)
    head, tail = np.where(swap, found.tail, found.head), np.where(swap, found.head, found.tail)
    _, bag = np.unique(s.fact_keys(head, found.relation, tail), return_inverse=True)
    count = np.bincount(bag)
    of = document[found.sentence]
    by_sentence, by_document = (
        best_read(found, scores(found, unit)) for unit in (found.sentence, of)
    )
    order = np.lexsort((found.sentence, -by_sentence, bag))
    best = order[np.concatenate([[True], bag[order][1:] != bag[order][:-1]])] if len(bag) else order
    often = 0.25 * np.log(np.maximum(count, 1))
    of_bag = _highest(by_sentence, bag, len(count)) + often
    # A document uses the words again in which it tells a fact. Of one that the graph holds no fact
    # of, what a model knows is what it knows of documents that it has not read.
    about = of * s.num_relations + found.relation
    near = _highest(np.isin(about, about[found.known]).astype(float), bag, len(count)) > 0
    elsewhere = _highest(by_document, bag, len(count)) + often
    labelled = found.known[best] | found.wrong[best]
    judged, taken, confidence = [], [], np.zeros(len(best))
    single = 0
    for relation in np.unique(found.relation).tolist():
        mine = np.flatnonzero(found.relation[best] == relation)
        told = mine[labelled[mine]]
        one = _judge(relation, of_bag[told], found.known[best][told], precision)
        judged.append(one)
        if one.threshold is None:
            continue
        at = best[mine]
        likely = (
            chance(
                _shares(score[told], found.known[best][told], score[mine]),
                *(found.known[at], found.wrong[at]),
            )
            for score in (of_bag, elsewhere)
        )
        confidence[mine] = np.where(near[mine], *likely)
        score = np.where(near, of_bag, elsewhere)
        sure = (score[mine] >= one.threshold) & (confidence[mine] >= precision)
        new = mine[sure & ~found.known[best][mine]]
        fine = _not_single(s, kinds, relation, best[new], score[new], found)
        single += len(new) - int(fine.sum())
        taken.append(new[fine])
    rows = np.concatenate([np.zeros(0, np.int64), *taken])
    rows = rows[np.lexsort((rows, -confidence[rows]))]
    at = best[rows]
    columns = (found.head[at], found.relation[at], found.tail[at], found.sentence[at])
    return Extracted(*columns, count[rows], confidence[rows], tuple(judged), single)


def best_read(found: Candidates, score: Doubles) -> Doubles:
    """Scores, very low where a sentence rather states another relation of the two."""
    low, high = np.minimum(found.head, found.tail), np.maximum(found.head, found.tail)
    pair = np.stack([found.sentence, low, high])
    _, group = np.unique(pair, axis=1, return_inverse=True)
    group = group.ravel()
    best = _highest(score, group, int(group.max(initial=0)) + 1)
    return np.where(score < best[group] - CLEARLY, UNREAD, score)


def scores(found: Candidates, unit: npt.NDArray[np.integer]) -> Doubles:
    """What a model that did not see the sentence, or the document, says of each candidate, as log
    odds.

    Args:
        unit: of which one alone is never learnt from, ``(C,)``.
    """
    fold = (mixed(unit.astype(np.uint64)) % np.uint64(FOLDS)).astype(np.int64)
    labelled = found.known | found.wrong
    score = np.full(len(found.head), UNREAD)
    for one in range(FOLDS):
        train, rest = np.flatnonzero(labelled & (fold != one)), np.flatnonzero(fold == one)
        if found.known[train].any() and len(rest):
            weights = _learn(found, train)
            score[rest] = found.features[rest] @ weights
    return score


def _highest(score: Doubles, bag: Places, bags: int) -> Doubles:
    """The highest of each bag."""
    best = np.full(bags, -np.inf)
    np.maximum.at(best, bag, score)
    return best


def _learn(found: Candidates, train: Places) -> Doubles:
    """Weights of the features, after rounds in which only the surest sentences of a pair teach."""
    x, y = found.features[train].astype(np.float64), found.known[train]
    key = np.stack([found.head[train], found.relation[train], found.tail[train]])
    _, bag = np.unique(key, axis=1, return_inverse=True)
    bag = bag.ravel()
    weight = np.where(y, 1 / np.bincount(bag)[bag], 1.0)
    weights = np.zeros(WIDTH)
    for _ in range(ROUNDS):
        weights = _regress(x, y, weight, weights)
        score = x @ weights
        best = _highest(score, bag, int(bag.max(initial=0)) + 1)
        weight = np.where(y, (score >= best[bag] - 0.5).astype(float), 1.0)
    return weights


def _regress(x: sparse.csr_matrix, y: Flags, weight: Doubles, start: Doubles) -> Doubles:
    used = np.unique(x.indices)
    x = x[:, used]
    sign = np.where(y, 1.0, -1.0)

    def loss(w: Doubles) -> tuple[float, Doubles]:
        margin = sign * (x @ w)
        slope = -sign * weight * expit(-margin)
        value = (weight * np.logaddexp(0, -margin)).sum() + PENALTY / 2 * (w @ w)
        return float(value), x.T @ slope + PENALTY * w

    def curved(w: Doubles, v: Doubles) -> Doubles:
        odds = expit(x @ w)
        return np.asarray(x.T @ (weight * odds * (1 - odds) * (x @ v)) + PENALTY * v)

    # L-BFGS-B of SciPy takes a hundred times longer where there are so many features.
    options = {"maxiter": STEPS, "xtol": 1e-4}
    found = minimize(loss, start[used], jac=True, hessp=curved, method="Newton-CG", options=options)
    out = np.zeros(WIDTH)
    out[used] = found.x
    return out


def _judge(relation: int, score: Doubles, known: Flags, wanted: float) -> Judged:
    """Where to cut, and what is to be expected there."""
    total, wrong = int(known.sum()), int((~known).sum())
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(known[order])
    count = np.arange(1, len(order) + 1)
    last = np.concatenate([score[order][1:] != score[order][:-1], [True]]) if len(order) else count
    precision, recall = hits / count, hits / max(total, 1)
    cautious = (hits + 0.5) / (count + 1)
    at = np.flatnonzero(last & (cautious >= wanted))
    shown = np.flatnonzero(last)
    shown = shown[np.unique(np.linspace(0, len(shown) - 1, 21).astype(int))] if len(shown) else []
    curve = tuple((round(float(recall[i]), 4), round(float(precision[i]), 4)) for i in shown)
    if total < ENOUGH or not len(at):
        return Judged(relation, total, wrong, curve, None, None, None)
    cut = int(at[-1])
    found = float(precision[cut]), float(recall[cut])
    return Judged(relation, total, wrong, curve, float(score[order[cut]]), *found)


def chance(share: Doubles, known: Flags, wrong: Flags) -> Doubles:
    """How likely pairs that the graph lacks are true.

    Where the head has other facts of the relation, this one would be among them. Of heads that have
    none, another part of the pairs may be true than of the judged; it is the one that their scores
    give (Saerens et al. 2002), with the judged as so much evidence that it is theirs: where all
    scores are alike, they tell nothing. That the graph may lack facts makes this rather too little
    than too much; how many it lacks, its own facts do not tell.

    Args:
        share: of pairs judged so, those that the graph holds.
        known, wrong: it holds the pair; it does not, and holds others of the head.
    """
    true = np.clip(share, 1e-4, 1 - 1e-4)
    open_ones = ~known & ~wrong
    if open_ones.any() and not open_ones.all():
        judged = int((~open_ones).sum())
        usual = float(true[~open_ones].mean())
        odds = true[open_ones] / (1 - true[open_ones]) * (1 - usual) / usual
        part = usual
        for _ in range(PRIOR_STEPS):
            likely = odds * part / (1 - part + odds * part)
            part = (likely.sum() + judged * usual) / (len(likely) + judged)
        true[open_ones] = likely
    most = (known.sum() + 0.5) / (known.sum() + 2)  # few tell little
    return np.where(wrong, 0.0, np.minimum(true, most))


def _shares(score: Doubles, known: Flags, of: Doubles) -> Doubles:
    """The share of facts at a score, rising with it: pooled neighbours, with one more of each kind
    at the ends so that nothing is certain, and ``BESIDES``."""
    from scipy.optimize import isotonic_regression

    order = np.argsort(score, kind="stable")
    pooled = isotonic_regression(np.concatenate([[0.0], known[order].astype(float), [0.5]]))
    count = np.repeat(np.diff(pooled.blocks), np.diff(pooled.blocks))
    usual = known.mean() if len(known) else 0.0
    fitted = (pooled.x * count + usual * BESIDES) / (count + BESIDES)
    rising = np.maximum.accumulate(fitted[1:-1])
    chance: Doubles = np.interp(of, score[order], rising)
    return chance


def _not_single(
    s: Snapshot,
    kinds: npt.NDArray[np.int64],
    relation: int,
    at: Places,
    score: Doubles,
    found: Candidates,
) -> Flags:
    """Which new facts do not go against one that the graph holds, or a surer one, where an entity
    of its type has only one such fact."""
    fine = np.ones(len(at), np.bool_)
    mine = s.relation == relation
    for anchors, own in ((s.head[mine], found.head[at]), (s.tail[mine], found.tail[at])):
        distinct = np.unique(anchors)
        size = int(kinds.max(initial=0)) + 1
        facts = np.bincount(kinds[anchors], minlength=size)
        several = np.bincount(kinds[distinct], minlength=size)
        single = (several >= ENOUGH_ANCHORS) & (facts <= SINGLE * several)
        fine &= ~(np.isin(own, distinct) & single[kinds[own]])
        order = np.lexsort((-score, own))
        again = np.concatenate([[False], own[order][1:] == own[order][:-1]])[: len(own)]
        fine[order[again & single[kinds[own[order]]]]] = False
    return fine
