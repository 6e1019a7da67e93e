"""What speaks for a candidate: the words around and between its names, and how they lie.

Knows mentions and labels; knows no fact.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy import sparse

from sightline.graph.arrays import Flags
from sightline.graph.extraction.linking import Mentions
from sightline.graph.extraction.tokens import Hashes, Places, Words, joined, mixed
from sightline.graph.snapshot.reader import Snapshot

#: Features are hashed into so many.
WIDTH = 1 << 18
#: Words between two names, at most.
FARTHEST = 30
#: Candidates whose features are made together.
BLOCK = 50_000
#: Words that join names and say nothing of them.
_JOINING = "and or the of in"


def features_of(
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
    said = np.minimum(words_between(mentions, one, other), 4).astype(np.uint64)
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


def words_between(mentions: Mentions, one: Places, other: Places) -> Places:
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


@dataclass(frozen=True, slots=True)
class _Sides:
    """Where the names of candidates are in ``mentions``, and what is told of each candidate.

    Attributes:
        forward: the head is named first; ``one`` is the place of what is.
        begin, gap, after: the word after the first name, how many are between the two, and the word
            after the second.
        relation, others, into, said, nearest: as ``features_of`` takes or makes them.
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


class _Written:
    """Features of some candidates as they are found.

    Args:
        turn: whether the head of each is named first; ``relation``: of each.
    """

    def __init__(self, turn: Flags, relation: npt.NDArray[np.int64]) -> None:
        self._turn, self._relation = turn.astype(np.uint64), relation.astype(np.uint64)
        self._rows: list[Places] = []
        self._columns: list[Places] = []
        self._values: list[npt.NDArray[np.float32]] = []

    def add(self, row: Places, kind: int, what: Hashes, own: bool, weight: float = 1.0) -> None:
        """Say ``what`` of some candidates; ``own``: it counts for their relation alone."""
        hashed = joined(mixed(what + np.uint64(kind)), self._turn[row])
        if own:
            hashed = joined(hashed, self._relation[row] + np.uint64(7))
        self._rows.append(row)
        self._columns.append((hashed % np.uint64(WIDTH)).astype(np.int64))
        self._values.append(np.full(len(row), weight, np.float32))

    def matrix(self) -> sparse.csr_matrix:
        """float32 ``(n, WIDTH)``: all are halves."""
        places = np.concatenate(self._rows), np.concatenate(self._columns)
        shape = (len(self._turn), WIDTH)
        return sparse.csr_matrix((np.concatenate(self._values), places), shape)


def _written(
    mentions: Mentions, word: Hashes, named: npt.NDArray[np.uint64], sides: _Sides
) -> sparse.csr_matrix:
    """The features of some candidates.

    Args:
        word: the words of sentences, those of names masked.
        named: the words of each relation's label, ``(R, L)``, 0 for none.
    """
    out = _Written(sides.forward, sides.relation)
    everyone, gap = np.arange(len(sides.one)), sides.gap
    whole = np.zeros(len(everyone), np.uint64)
    for own in (False, True):
        out.add(everyone, 1, whole, own)
        out.add(everyone, 2, np.minimum(gap, 12).astype(np.uint64), own, 0.5)
        out.add(everyone, 13, sides.nearest, own, 2.0)
        out.add(everyone, 12, np.minimum(sides.others, 3).astype(np.uint64), own, 2.0)
        out.add(everyone, 3, sides.said, own, 2.0)
        out.add(everyone, 4, np.log2(sides.into + 1).astype(np.uint64), own, 0.5)
    label = named[sides.relation]
    overlap_between = np.zeros(len(everyone))
    matched = np.zeros(label.shape, np.bool_)
    for place in range(-3, FARTHEST + 3):
        row, at = _words_at(mentions, sides, place)
        here = word[at]
        same = here[:, None] == label[row]
        matched[row] |= same & (label[row] > 0)
        if not 0 <= place < FARTHEST:
            out.add(row, 20 + place, here, True, 0.5)
            out.add(row, 8, here, True, 0.5)
            continue
        overlap_between[row] += same.any(axis=1)
        out.add(row, 5, here, True)
        following = (place + 1 < gap[row]) & (place + 1 < FARTHEST)
        out.add(row[following], 6, joined(here[following], word[at[following] + 1]), True)
        if place < 5:
            whole[row] = joined(whole[row], here)
    short = np.flatnonzero(gap <= 5)
    out.add(short, 9, whole[short], True)
    out.add(short, 9, whole[short], False, 0.5)
    overlap = matched.sum(axis=1) / np.maximum((label > 0).sum(axis=1), 1)
    level = np.minimum(overlap * 4, 4).astype(np.uint64)
    out.add(everyone, 10, level, False, 2.0)
    out.add(everyone, 11, np.minimum(overlap_between, 3).astype(np.uint64), False, 1.0)
    out.add(everyone, 10, level, True)
    return out.matrix()


def _words_at(mentions: Mentions, sides: _Sides, place: int) -> tuple[Places, Places]:
    """The candidates whose sentence has a word at a place, and where: below 0 before the first
    name, from ``FARTHEST`` on after the second, else between them."""
    if place < 0:
        at = mentions.first[sides.one] + place
        there = at >= 0
    elif place < FARTHEST:
        at, there = sides.begin + place, place < sides.gap
    else:
        at = sides.after + place - FARTHEST
        there = at < len(mentions.word)
    row = np.flatnonzero(there)
    # Words beyond the sentence are those of others: nothing of theirs may count.
    row = row[mentions.word_sentence[at[row]] == mentions.sentence[sides.one[row]]]
    return row, at[row]


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
