"""Which entities have texts most like another's: all that is known of one without any fact.

A text is whatever strings are stated of an entity: labels, other names, descriptions, codes. Read
as words, pairs of words and four letters each, hashed; one that few entities have counts for more
(inverse document frequency), and the cosine of two texts says how alike they are. Made when a model
meets a snapshot, so that a question costs as much as any other. Knows literals of a snapshot; knows
no model. NumPy and numba only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Flags, Ids, Offsets
from sightline.graph.progress import Progress, silent
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.vocabulary import RDF_LANG_STRING, XSD_STRING

#: Entities whose rows are taken for one that has a text alone.
NEAREST = 10
#: Bytes of an entity's texts that are read.
LONGEST = 1000
#: Numbers that features are hashed to.
BUCKETS = 1 << 20
#: Places that one text is compared at, its rarest features first: a bound on the time for one.
MOST = 1 << 18
#: Letters of a gram.
GRAM = 4
#: Entities asked between two looks at whether anybody still waits.
AT_ONCE = 1000

_kernel = numba.njit(cache=True, nogil=True)


@dataclass(frozen=True, slots=True)
class Texts:
    """The literals of all entities, and which of them are texts.

    Attributes:
        data, offsets: uint8 and int64 ``(A + 1,)``: their values in UTF-8.
        indptr: int64 ``(N + 1,)``: the literals of each entity.
        is_text: bool ``(A,)``.
    """

    data: npt.NDArray[np.uint8]
    offsets: Offsets
    indptr: Offsets
    is_text: Flags

    @classmethod
    def of(cls, snapshot: Snapshot) -> Texts:
        """The texts that a snapshot states."""
        known = (XSD_STRING, RDF_LANG_STRING)
        kinds = np.array([kind in known for kind in snapshot.manifest["datatypes"]], np.bool_)
        is_text = kinds[snapshot.attribute_datatype] if len(kinds) else np.zeros(0, np.bool_)
        data, offsets = snapshot.attribute_value.arrays()
        return cls(data, offsets, np.asarray(snapshot.attribute_indptr, np.int64), is_text)

    @property
    def there(self) -> Flags:
        """bool ``(N,)``: entities that have a text."""
        count = np.append(0, np.cumsum(self.is_text))
        there: Flags = count[self.indptr[1:]] > count[self.indptr[:-1]]
        return there

    def nearest(self, asked: Ids, among: Ids, progress: Progress = silent) -> Ids:
        """The entities of ``among`` whose texts are most like those of each asked one, itself left
        out: int32 ``(n, NEAREST)``, the likest first, ties by place in ``among``; -1 where no more
        have anything in common with it."""
        read = self.data, self.offsets, self.indptr, self.is_text
        number = np.full(len(self.indptr) - 1, -1, np.int32)
        number[among] = np.arange(len(among), dtype=np.int32)
        index = _index(*read, among.astype(np.int32))
        found = np.empty((len(asked), NEAREST), np.int32)
        for start in range(0, len(asked), AT_ONCE):
            if len(asked) > AT_ONCE:
                progress("texts", start, len(asked), "entities without a fact")
            part = asked[start : start + AT_ONCE].astype(np.int32)
            found[start : start + AT_ONCE] = _nearest(read, index, part, number, MOST)
        # The last number is for what was not found, -1, also where there is nothing to find.
        nearest: Ids = np.append(among, -1)[found].astype(np.int32)
        return nearest


@_kernel
def _features(data: Any, offsets: Any, indptr: Any, is_text: Any, entity: int, out: Any) -> int:
    """Write the features of an entity to ``out``, each once, ascending; how many."""
    found, left = 0, LONGEST
    for literal in range(indptr[entity], indptr[entity + 1]):
        if not is_text[literal]:
            continue
        before, word, gram, letters = np.uint64(0), np.uint64(0), np.uint64(0), 0
        first, last = offsets[literal], min(offsets[literal + 1], offsets[literal] + left)
        left -= last - first
        for at in range(first, last + 1):
            byte = np.uint64(data[at]) if at < last else np.uint64(32)
            if 65 <= byte <= 90:
                byte += np.uint64(32)
            if 97 <= byte <= 122 or 48 <= byte <= 57 or byte >= 128:
                word = (word ^ byte) * np.uint64(0x100000001B3)
                gram = (gram << np.uint64(8) | byte) & np.uint64(0xFFFFFFFF)
                letters += 1
                if letters >= GRAM:
                    out[found] = _bucket(gram)
                    found += 1
            elif letters:
                out[found] = _bucket(word ^ np.uint64(1 << 40))
                out[found + 1] = _bucket(word * np.uint64(31) ^ before ^ np.uint64(1 << 41))
                found += 2
                before, word, gram, letters = word, np.uint64(0), np.uint64(0), 0
    part = np.sort(out[:found])
    kept = 0
    for i in range(found):
        if i == 0 or part[i] != part[i - 1]:
            out[kept] = part[i]
            kept += 1
    return kept


@_kernel
def _bucket(number: Any) -> int:
    mixed = number * np.uint64(0x9E3779B97F4A7C15)
    return int((mixed ^ mixed >> np.uint64(32)) * np.uint64(0xD6E8FEB86659FD93) >> np.uint64(44))


@_kernel
def _index(data: Any, offsets: Any, indptr: Any, is_text: Any, among: Any) -> Any:
    """Where in ``among`` each feature is: how many have it, what it weighs, where its places end,
    the places; and the squared length of each text."""
    features = np.empty(3 * LONGEST, np.int64)
    having = np.zeros(BUCKETS, np.int64)
    for entity in among:
        n = _features(data, offsets, indptr, is_text, entity, features)
        having[features[:n]] += 1
    weight = np.zeros(BUCKETS, np.float32)
    ends = np.zeros(BUCKETS + 1, np.int64)
    for feature in range(BUCKETS):
        if having[feature]:
            weight[feature] = np.log((1.0 + len(among)) / having[feature]) ** 2
        ends[feature + 1] = ends[feature] + having[feature]
    filled = ends[:-1].copy()
    places = np.empty(ends[-1], np.int32)
    length = np.zeros(len(among), np.float32)
    for place in range(len(among)):
        n = _features(data, offsets, indptr, is_text, among[place], features)
        for feature in features[:n]:
            places[filled[feature]] = place
            filled[feature] += 1
            length[place] += weight[feature]
    return having, weight, ends, places, length


@_kernel
def _nearest(read: Any, index: Any, asked: Any, number: Any, most: int) -> Any:
    """Places of those that are indexed: int32 ``(n, NEAREST)``."""
    data, offsets, indptr, is_text = read
    having, weight, ends, places, length = index
    features = np.empty(3 * LONGEST, np.int64)
    out = np.full((len(asked), NEAREST), -1, np.int32)
    alike = np.zeros(len(length), np.float32)
    touched = np.empty(len(length), np.int32)
    for row in range(len(asked)):
        n = _features(data, offsets, indptr, is_text, asked[row], features)
        own = features[:n]
        own = own[np.argsort(having[own], kind="mergesort")]
        count, room = 0, most
        for feature in own:
            room -= ends[feature + 1] - ends[feature]
            if room < 0:
                break
            for place in places[ends[feature] : ends[feature + 1]]:
                if place == number[asked[row]]:
                    continue
                if alike[place] == 0:
                    touched[count] = place
                    count += 1
                alike[place] += weight[feature]
        best = np.zeros(NEAREST, np.float32)
        for place in touched[:count]:
            score = alike[place] / np.sqrt(length[place])
            alike[place] = 0
            at = NEAREST
            while at > 0 and (
                score > best[at - 1] or (score == best[at - 1] and place < out[row, at - 1])
            ):
                at -= 1
            if at < NEAREST:
                best[at + 1 :] = best[at:-1].copy()
                out[row, at + 1 :] = out[row, at:-1].copy()
                best[at], out[row, at] = score, place
    return out
