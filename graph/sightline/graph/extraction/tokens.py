"""Words of texts as numbers, so that names are found in them without a loop over words.

A word is a run of letters and digits; where a script writes no blanks, a character. Its number is a
hash of its letters without case and accents, and without the s of a plural. Knows letters; knows no
graph.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_MIX = np.uint64(0xBF58476D1CE4E5B9)
#: Shorter words keep an s at their end.
SHORTEST_PLURAL = 4
#: Blocks of scripts that put no blanks between words: Thai to Khmer, kana, Han.
_UNSPACED = ((0x0E00, 0x0F00), (0x1780, 0x1800), (0x3040, 0x3100), (0x3400, 0xA000))
_PLANE = 1 << 16


@dataclass(frozen=True, slots=True)
class Words:
    """The words of some texts, in order.

    Attributes:
        text: which text each is in, int64 ``(W,)``.
        hash: of the word without case, accents and plural, uint64 ``(W,)``.
        start, end: code points in all texts behind one another, each with one more after it.
        capital: it begins with a capital.
        points: uint32, the code points of all texts.
    """

    text: Places
    hash: Hashes
    start: Places
    end: Places
    capital: npt.NDArray[np.bool_]
    points: npt.NDArray[np.uint32]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Words:
        """The words of each text."""
        whole = "\n".join(texts) + "\n"
        points = np.frombuffer(whole.encode("utf-32-le", "replace"), np.uint32)
        folded, single = _letters()
        low = np.minimum(points, _PLANE - 1)
        letter = np.where(points < _PLANE, folded[low], points).astype(np.uint64)
        word = letter > 0
        alone = single[low] & (points < _PLANE)
        before = np.concatenate([[False], word[:-1] & ~alone[:-1]])
        after = np.concatenate([word[1:] & ~alone[1:], [False]])
        start = np.flatnonzero(word & (~before | alone))
        end = np.flatnonzero(word & (~after | alone)) + 1
        breaks = np.cumsum([len(text) + 1 for text in texts])
        length = end - start
        last, second = letter[end - 1], letter[np.maximum(end - 2, 0)]
        plural = (length >= SHORTEST_PLURAL) & (last == ord("s"))
        plural &= ~np.isin(second, [ord(c) for c in "sui"])
        found = spans(letter, start, end - plural)
        return cls(
            text=np.searchsorted(breaks, start, side="right"),
            hash=found,
            start=start,
            end=end,
            capital=_is_upper(points[start]),
            points=points,
        )

    def written(self, first: Places, last: Places) -> Hashes:
        """A hash of what stands from some words to others, letter by letter."""
        return spans(self.points.astype(np.uint64), self.start[first], self.end[last])


def spans(letters: Hashes, start: Places, end: Places) -> Hashes:
    """A hash of each span of letters, whatever stands around it."""
    power = np.full(len(letters), _BASE, np.uint64)
    back = np.full(len(letters), _INVERSE, np.uint64)
    power[:1] = back[:1] = 1
    np.multiply.accumulate(power, out=power)
    np.multiply.accumulate(back, out=back)
    total = np.concatenate([[np.uint64(0)], np.cumsum((letters + np.uint64(1)) * power)])
    return mixed((total[end] - total[start]) * back[start])


def mixed(values: Hashes) -> Hashes:
    """Hashes whose bits depend on all bits of some others."""
    values = (values ^ (values >> np.uint64(31))) * _MIX
    return values ^ (values >> np.uint64(29))


def joined(left: Hashes, right: Hashes) -> Hashes:
    """The hash of a word, or of several, and the one after them."""
    return mixed(left * _BASE + right)


@lru_cache
def _letters() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.bool_]]:
    """By code point of the first plane: the letter without case and accents, 0 for none; whether it
    is a word alone."""
    folded = np.zeros(_PLANE, np.uint32)
    for point in range(_PLANE):
        character = chr(point)
        kind = unicodedata.category(character)[0]
        if kind in "LN":
            base = unicodedata.normalize("NFKD", character.lower())[0]
            folded[point] = min(ord(base), _PLANE - 1)
        elif kind == "M" and point > 0x0900:  # vowel signs; accents over letters go
            folded[point] = point
    single = np.zeros(_PLANE, np.bool_)
    for low, high in _UNSPACED:
        single[low:high] = folded[low:high] > 0
    return folded, single


def _is_upper(points: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    found, place = np.unique(points, return_inverse=True)
    upper = np.array([chr(point).isupper() for point in found.tolist()], np.bool_)
    return upper[place] if len(found) else np.zeros(0, np.bool_)
