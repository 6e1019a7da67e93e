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

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

from sightline.graph.arrays import Doubles, Flags, Ids
from sightline.graph.extraction.denials import told
from sightline.graph.extraction.linking import Mentions, first_type
from sightline.graph.extraction.tokens import Hashes, Places, Words, joined, mixed
from sightline.graph.snapshot.reader import Snapshot

#: Features are hashed into so many.
WIDTH = 1 << 18
#: Words between two names, at most; names of a sentence that are paired.
FARTHEST, MOST_NAMES = 30, 12
#: Candidates that are learnt from, and that are judged; more are left out and counted.
MOST = 500_000
#: Mentions whose pairs are made together, and candidates whose features are.
WINDOW, BLOCK = 100_000, 50_000
FOLDS, ROUNDS = 4, 2
PENALTY, STEPS = 0.3, 12
#: Pairs with a fact that sentences must name before a relation is extracted.
ENOUGH = 4
#: A directed relation has one answer where its anchors of a type, at least so many, have so many on
#: average.
SINGLE, ENOUGH_ANCHORS = 1.05, 10
#: Types that have a smaller share of a relation's facts do not go together.
RARE = 0.01
#: Of what a sentence might state of two names, what is so much less likely it does not; the log
#: odds of what no sentence states.
CLEARLY, UNREAD = 1.0, -20.0
#: In how many steps the part of open pairs that is true is found.
PRIOR_STEPS = 50
#: Pairs that each share of facts is told with besides, in which as many are facts as in all: few
#: alike tell little.
BESIDES = 2
#: Words that join names and say nothing of them.
_JOINING = "and or the of in"


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of entities that a sentence names, with a relation that their types allow.

    Attributes:
        head, relation, tail: int32 ``(C,)``.
        sentence: int64 ``(C,)``.
        known: the graph holds it.
        wrong: it does not, and holds others of the head.
        features: sparse ``(C, WIDTH)``.
        denied: names together in sentences that deny something between them, or tell of the past.
        cut: candidates beyond ``MOST``.
    """

    head: Ids
    relation: Ids
    tail: Ids
    sentence: Places
    known: Flags
    wrong: Flags
    features: sparse.csr_matrix
    denied: int
    cut: int


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


def candidates(snapshot: Snapshot, mentions: Mentions, seed: int = 0) -> Candidates:
    """All pairs of names of a sentence with each relation that their types allow."""
    s = snapshot
    kinds = first_type(s)
    size = int(kinds.max(initial=0)) + 1
    symmetric = s.symmetric
    fittings = [_fitting(s, kinds, relation, size) for relation in range(s.num_relations)]
    draws = np.random.default_rng(seed)
    columns = tuple(np.zeros(0, np.int64) for _ in range(5))
    lots, total, not_so = np.zeros(0), 0, 0
    for before, part in _windows(mentions):
        one, other, between = _pairs(part)
        tone = told(part, one, other)
        # Between members of a list nothing is said.
        listed = kinds[part.entity[one]] == kinds[part.entity[other]]
        listed &= _said(part, one, other) == 0
        not_so += int((tone.denied & ~listed).sum())
        fine = ~listed & ~tone.denied
        one, other, between, past = (x[fine] for x in (one, other, between, tone.past))
        kind_one, kind_other = kinds[part.entity[one]], kinds[part.entity[other]]
        parts = [columns]
        for relation, fitting in enumerate(fittings):
            for first, second, k_first, k_second, backward in (
                (one, other, kind_one, kind_other, False),
                (other, one, kind_other, kind_one, True),
            ):
                if backward and symmetric[relation]:
                    continue
                at = np.flatnonzero(np.isin(k_first * size + k_second, fitting))
                which = np.full(len(at), relation)
                parts.append(
                    (first[at] + before, second[at] + before, which, between[at], past[at])
                )
        columns = tuple(np.concatenate(x) for x in zip(*parts))
        total += len(columns[0]) - len(lots)
        lots = np.concatenate([lots, draws.random(len(columns[0]) - len(lots))])
        if len(lots) > MOST:
            chosen = np.sort(np.argpartition(lots, MOST)[:MOST])
            columns, lots = tuple(x[chosen] for x in columns), lots[chosen]
    first, second, wanted, others, then = columns
    cut = total - len(first)
    head, tail = mentions.entity[first], mentions.entity[second]
    swap = symmetric[wanted]
    known = _stated(s, head, wanted, tail)
    known |= swap & _stated(s, tail, wanted, head)
    out, into = _count(s, s.head, head, wanted), _count(s, s.tail, tail, wanted)
    out += swap * _count(s, s.tail, head, wanted)
    wrong = ~known & ((out > 0) | (swap & (_count(s, s.head, tail, wanted) > 0)))
    wrong |= ~known & _explained(s, mentions, known, first, second, wanted)
    now = _of_today(wanted, then > 0, known, wrong, s.num_relations)
    over = len(np.unique(first[~now] * len(mentions.sentence) + second[~now]))
    denied = not_so + over
    first, second, wanted, others, into = (x[now] for x in (first, second, wanted, others, into))
    swap, known, wrong = swap[now], known[now], wrong[now]
    head, tail = head[now], tail[now]
    # Facts of the head tell which pairs count as wrong, and so must not tell which are facts.
    into = np.where(swap, 0, np.maximum(into - known, 0))
    features = _features(s, mentions, kinds, first, second, wanted, others, into)
    sentence = mentions.sentence[first]
    of = (head, wanted.astype(np.int32), tail, sentence, known, wrong)
    return Candidates(*of, features, denied, cut)


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


def _windows(mentions: Mentions) -> Iterator[tuple[int, Mentions]]:
    """Mentions in parts of whole sentences, each with how many are before it: pairs of the names of
    a text in which nearly every word is one are many times as many as its words."""
    start, count = 0, len(mentions.sentence)
    while start < count:
        last = mentions.sentence[min(start + WINDOW, count) - 1]
        stop = int(np.searchsorted(mentions.sentence, last, side="right"))
        mine = slice(start, stop)
        begin = int(np.searchsorted(mentions.word_sentence, mentions.sentence[start]))
        said = slice(begin, int(np.searchsorted(mentions.word_sentence, last, side="right")))
        first = mentions.first[mine]
        yield (
            start,
            Mentions(
                mentions.sentence[mine],
                mentions.entity[mine],
                np.where(first < 0, first, first - begin),
                mentions.count[mine],
                mentions.word[said],
                mentions.word_sentence[said],
                mentions.clause[said],
                mentions.asked[said],
            ),
        )
        start = stop


def _pairs(mentions: Mentions) -> tuple[Places, Places, Places]:
    """Two places in ``mentions`` of one sentence each, the earlier first, and the number of names
    between them."""
    usable = np.flatnonzero(mentions.first >= 0)
    order = usable[np.lexsort((mentions.first[usable], mentions.sentence[usable]))]
    sentence, first = mentions.sentence[order], mentions.first[order]
    end = first + mentions.count[order]
    left, right, between = [], [], []
    for step in range(1, MOST_NAMES):
        a, b = order[:-step], order[step:]
        same = sentence[:-step] == sentence[step:]
        same &= (first[step:] - end[:-step] <= FARTHEST) & (first[step:] >= end[:-step])
        same &= mentions.entity[a] != mentions.entity[b]
        left.append(a[same])
        right.append(b[same])
        between.append(np.full(len(left[-1]), step - 1))
    return np.concatenate(left), np.concatenate(right), np.concatenate(between)


def _of_today(
    relation: npt.NDArray[np.int64], past: Flags, known: Flags, wrong: Flags, relations: int
) -> Flags:
    """Candidates but for those of the past, where texts do not tell so of what the graph holds."""
    told = np.bincount(relation[past & known], minlength=relations)
    untrue = np.bincount(relation[past & wrong], minlength=relations)
    lasting = (told >= ENOUGH) & (told >= untrue)
    today: Flags = ~past | lasting[relation]
    return today


def _fitting(
    s: Snapshot, kinds: npt.NDArray[np.int64], relation: int, size: int
) -> npt.NDArray[np.int64]:
    """Pairs of types that facts of a relation have, but for rare ones: ``head * size + tail``."""
    mine = s.relation == relation
    pair, count = np.unique(kinds[s.head[mine]] * size + kinds[s.tail[mine]], return_counts=True)
    often: npt.NDArray[np.int64] = pair[count >= RARE * count.sum()]
    return often


def _said(mentions: Mentions, one: Places, other: Places) -> Places:
    """Words between two names, without those that are of names or join them."""
    covered = np.zeros(len(mentions.word) + 1, np.int64)
    placed = np.flatnonzero(mentions.first >= 0)
    np.add.at(covered, mentions.first[placed], 1)
    np.add.at(covered, mentions.first[placed] + mentions.count[placed], -1)
    joining = np.isin(mentions.word, Words.of(_JOINING.split()).hash)
    saying = np.concatenate([[0], np.cumsum(~joining & (np.cumsum(covered)[:-1] == 0))])
    begin = mentions.first[one] + mentions.count[one]
    said: Places = saying[np.maximum(mentions.first[other], begin)] - saying[begin]
    return said


def _explained(
    s: Snapshot,
    mentions: Mentions,
    known: Flags,
    head: Places,
    tail: Places,
    relation: npt.NDArray[np.int64],
) -> Flags:
    """Pairs of which a fact with the same tail, nearer in the sentence, tells why that is named:
    in "A is large, and B lies on C" it is for B, where the graph holds that."""
    forward = mentions.first[head] < mentions.first[tail]
    one, other = np.where(forward, head, tail), np.where(forward, tail, head)
    said = _said(mentions, one, other)
    _, group = np.unique(tail * s.num_relations + relation, return_inverse=True)
    least = np.full(int(group.max(initial=0)) + 1, FARTHEST + 1)
    np.minimum.at(least, group[known], said[known])
    found: Flags = said > least[group]
    return found


def _stated(s: Snapshot, head: Ids, relation: npt.NDArray[np.int64], tail: Ids) -> Flags:
    known = s.fact_keys(s.head, s.relation, s.tail)
    wanted = s.fact_keys(head, relation, tail)
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found: Flags = known[at] == wanted if len(known) else np.zeros(len(wanted), np.bool_)
    return found


def _count(
    s: Snapshot, anchors: Ids, of: Ids, relation: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """How many facts of a relation entities have at one end."""
    keys = np.sort(anchors.astype(np.int64) * s.num_relations + s.relation)
    wanted: Places = of.astype(np.int64) * s.num_relations + relation
    count = np.searchsorted(keys, wanted, "right") - np.searchsorted(keys, wanted, "left")
    return count.astype(np.int64)


def _features(
    s: Snapshot,
    mentions: Mentions,
    kinds: npt.NDArray[np.int64],
    head: Places,
    tail: Places,
    relation: npt.NDArray[np.int64],
    others: npt.NDArray[np.int64],
    into: npt.NDArray[np.int64],
) -> sparse.csr_matrix:
    """What speaks for each candidate.

    Args:
        head, tail: places in ``mentions``.
        kinds: the type of each entity.
        others: names between the two.
        into: other facts of the relation that the tail has.
    """
    forward = mentions.first[head] < mentions.first[tail]
    one, other = np.where(forward, head, tail), np.where(forward, tail, head)
    begin = mentions.first[one] + mentions.count[one]
    gap = mentions.first[other] - begin
    after = mentions.first[other] + mentions.count[other]
    said = np.minimum(_said(mentions, one, other), 4).astype(np.uint64)
    # Of several heads that a tail may have in a sentence the nearest is meant, as a rule.
    nearest = _nearest(tail, relation, gap) + 2 * _nearest(head, relation, gap)
    sides = _Sides(forward, one, begin, gap, after, relation, others, into, said, nearest)
    word = _masked(mentions, kinds)
    label = Words.of([s.relation_labels[r] for r in range(s.num_relations)])
    per_label = [label.hash[label.text == r] for r in range(s.num_relations)]
    longest = max(map(len, per_label), default=0)
    named = np.zeros((s.num_relations, max(longest, 1)), np.uint64)
    for r, found in enumerate(per_label):
        named[r, : len(found)] = found
    starts = range(0, max(len(head), 1), BLOCK)
    blocks = [_written(mentions, word, named, sides.part(at, at + BLOCK)) for at in starts]
    return sparse.vstack(blocks, format="csr")


@dataclass(frozen=True, slots=True)
class _Sides:
    """Where the names of candidates are in ``mentions``, and what is told of each candidate.

    Attributes:
        forward: the head is named first; ``one`` is the place of what is.
        begin, gap, after: the word after the first name, how many are between the two, and the word
            after the second.
        relation, others, into, said, nearest: as ``_features`` takes or makes them.
    """

    forward: Flags
    one: Places
    begin: Places
    gap: Places
    after: Places
    relation: npt.NDArray[np.int64]
    others: npt.NDArray[np.int64]
    into: npt.NDArray[np.int64]
    said: Hashes
    nearest: Hashes

    def part(self, start: int, stop: int) -> _Sides:
        """Some of them."""
        return _Sides(*(getattr(self, one.name)[start:stop] for one in fields(self)))


def _written(
    mentions: Mentions, word: Hashes, named: npt.NDArray[np.uint64], sides: _Sides
) -> sparse.csr_matrix:
    """The features of some candidates, float32: all are halves.

    Args:
        word: the words of sentences, those of names masked.
        named: the words of each relation's label, ``(R, L)``, 0 for none.
    """
    one, begin, gap, after = sides.one, sides.begin, sides.gap, sides.after
    relation = sides.relation
    rows: list[Places] = []
    columns: list[Places] = []
    values: list[npt.NDArray[np.float32]] = []
    everyone = np.arange(len(one))
    turn = sides.forward.astype(np.uint64)

    def add(row: Places, kind: int, what: Hashes, own: bool, weight: float = 1.0) -> None:
        hashed = joined(mixed(what + np.uint64(kind)), turn[row])
        if own:
            hashed = joined(hashed, relation[row].astype(np.uint64) + np.uint64(7))
        rows.append(row)
        columns.append((hashed % np.uint64(WIDTH)).astype(np.int64))
        values.append(np.full(len(row), weight, np.float32))

    zero = np.zeros(len(one), np.uint64)
    for own in (False, True):
        add(everyone, 1, zero, own)
        add(everyone, 2, np.minimum(gap, 12).astype(np.uint64), own, 0.5)
        add(everyone, 13, sides.nearest, own, 2.0)
        add(everyone, 12, np.minimum(sides.others, 3).astype(np.uint64), own, 2.0)
        add(everyone, 3, sides.said, own, 2.0)
        add(everyone, 4, np.log2(sides.into + 1).astype(np.uint64), own, 0.5)
    whole = zero
    overlap_between = np.zeros(len(one))
    matched = np.zeros(named[relation].shape, np.bool_)
    for place in range(-3, FARTHEST + 3):
        # Three words before the first name, those between, and three after the second.
        if place < 0:
            at = mentions.first[one] + place
            there = at >= 0
        elif place < FARTHEST:
            at, there = begin + place, place < gap
        else:
            at = after + place - FARTHEST
            there = at < len(word)
        row = np.flatnonzero(there)
        if not len(row):
            continue
        here = word[at[row]]
        # Words beyond the sentence are those of others: nothing of theirs may count.
        inside = mentions.word_sentence[at[row]] == mentions.sentence[one[row]]
        row, here = row[inside], here[inside]
        same = here[:, None] == named[relation[row]]
        matched[row] |= same & (named[relation[row]] > 0)
        if 0 <= place < FARTHEST:
            overlap_between[row] += same.any(axis=1)
            add(row, 5, here, True)
            following = np.flatnonzero((place + 1 < gap)[row])
            pair = (
                joined(here[following], word[at[row[following]] + 1])
                if place + 1 < FARTHEST
                else np.zeros(0, np.uint64)
            )
            if len(pair):
                add(row[following], 6, pair, True)
            if place < 5:
                whole = whole.copy()
                whole[row] = joined(whole[row], here)
        else:
            add(row, 20 + place, here, True, 0.5)
            add(row, 8, here, True, 0.5)
    short = np.flatnonzero(gap <= 5)
    add(short, 9, whole[short], True)
    add(short, 9, whole[short], False, 0.5)
    size = np.maximum((named > 0).sum(axis=1), 1)[relation]
    overlap = matched.sum(axis=1) / size
    level = np.minimum(overlap * 4, 4).astype(np.uint64)
    add(everyone, 10, level, False, 2.0)
    add(everyone, 11, np.minimum(overlap_between, 3).astype(np.uint64), False, 1.0)
    add(everyone, 10, level, True)
    shape = (len(one), WIDTH)
    return sparse.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape
    )


def _masked(mentions: Mentions, kinds: npt.NDArray[np.int64]) -> Hashes:
    """The words of sentences, those of names as the type of what is named."""
    placed = np.flatnonzero(mentions.first >= 0)
    count = mentions.count[placed]
    nth = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    word = mentions.word.copy()
    of = kinds[mentions.entity[np.repeat(placed, count)]].astype(np.uint64)
    word[np.repeat(mentions.first[placed], count) + nth] = mixed(of)
    return word


def _nearest(end: Places, relation: npt.NDArray[np.int64], gap: Places) -> Hashes:
    """1 for candidates of which no other with the same end and relation is nearer, else 0."""
    key = end * (int(relation.max(initial=0)) + 1) + relation
    _, group = np.unique(key, return_inverse=True)
    least = np.full(int(group.max(initial=0)) + 1, FARTHEST + 1)
    np.minimum.at(least, group, gap)
    return (gap <= least[group]).astype(np.uint64)


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
