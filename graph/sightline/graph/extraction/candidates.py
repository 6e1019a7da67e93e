"""Pairs of names in a sentence that may state a relation, and what the graph says of each.

Knows mentions and the arrays of a snapshot; learns nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from sightline.graph.arrays import Flags, Ids
from sightline.graph.extraction.denials import told
from sightline.graph.extraction.features import FARTHEST, features_of, words_between
from sightline.graph.extraction.linking import Mentions, first_type
from sightline.graph.extraction.tokens import Places
from sightline.graph.snapshot.reader import Snapshot

#: Names of a sentence that are paired, at most.
MOST_NAMES = 12
#: Candidates that are learnt from, and that are judged; more are left out and counted.
MOST = 500_000
#: Mentions whose pairs are made together.
WINDOW = 100_000
#: Facts told of the past, from which texts tell so of what the graph holds.
LASTING = 4
#: Types that have a smaller share of a relation's facts do not go together.
RARE = 0.01


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
        listed &= words_between(part, one, other) == 0
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
    features = features_of(s, mentions, kinds, first, second, wanted, others, into)
    sentence = mentions.sentence[first]
    of = (head, wanted.astype(np.int32), tail, sentence, known, wrong)
    return Candidates(*of, features, denied, cut)


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
    lasting = (told >= LASTING) & (told >= untrue)
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
    said = words_between(mentions, one, other)
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
