"""Find entities by label: prefix as you type, prefix of a later word, one typo; any script.

Knows normalised label texts and positions in them; entities are ids. Does not know IRIs or the
graph; degree is handed in to rank.

The texts lie behind each other as code points. Two sorted arrays point into them: the starts of
words in the order of the text that follows, and the ends of words in the order of the text that
precedes, read backwards. A query is a binary search in the first. One edit leaves either the first
or the second half of a query intact, so the candidates for a typo are a range of the first array
(first half intact) and a range of the second (second half intact); a kernel checks each.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numba
import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Flags, Ids, Offsets

if TYPE_CHECKING:
    import polars as pl

How = Literal["exact", "prefix", "word", "typo"]
HOW: tuple[How, ...] = ("exact", "prefix", "word", "typo")

#: Longer labels are searched by their first characters and words.
MAX_LENGTH = 120
MAX_WORDS = 8
#: Shorter queries get no typo search: one edit would match nearly everything.
MIN_TYPO_LENGTH = 4
_MARKS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Match:
    """An entity that a query found, and how."""

    entity: int
    how: How


def normalise(text: str) -> str:
    """Case, accents and punctuation folded: ``"Côte d'Ivoire"`` becomes ``"cote d ivoire"``.

    Apostrophes inside words vanish only as punctuation does, into a space. Vowel signs stay; what
    nobody sees (zero-width spaces) goes. A text of nothing but symbols keeps them: ``"+/-"``.
    """
    text = text.replace("\0", " ")  # which parts the texts of an index
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        kinds = ((c, unicodedata.category(c), unicodedata.combining(c)) for c in decomposed)
        text = "".join(c for c, kind, accent in kinds if not accent and kind != "Cf")
        letters = (c.isalnum() or unicodedata.category(c)[0] == "M" for c in text)
        words = "".join(c if letter else " " for c, letter in zip(text, letters))
    else:
        text = text.casefold()
        words = _MARKS.sub(" ", text)
    return " ".join(words.split() or text.split())[:MAX_LENGTH]


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """A mapped index.

    Attributes:
        chars: uint32 ``(C,)``: the normalised texts, each followed by one 0.
        text_start: int64 ``(T + 1,)``.
        text_entity: int32 ``(T,)``: whose label it is.
        text_label: bool ``(T,)``: it is a label, no other name.
        starts, start_text: int64 and int32 ``(K,)``: word starts in order of what follows.
        ends, end_text: int64 and int32 ``(K,)``: word ends in order of what precedes.
    """

    chars: npt.NDArray[np.uint32]
    text_start: Offsets
    text_entity: Ids
    text_label: Flags
    starts: Offsets
    start_text: Ids
    ends: Offsets
    end_text: Ids

    @classmethod
    def open(cls, folder: Path) -> SearchIndex:
        """Map the index of a snapshot."""
        names = (f"search_{field.name}.npy" for field in fields(cls))
        return cls(*(np.load(folder / name, mmap_mode="r") for name in names))

    def exact(self, query: str) -> list[int]:
        """Entities with a text that equals ``query`` after normalisation, by id."""
        text, first, ends = self._beginning(_codes(normalise(query)))
        return sorted({int(e) for e in self.text_entity[text[first & ends]]})

    def search(self, query: str, degree: Ids, allowed: Flags | None, limit: int) -> list[Match]:
        """Best ``limit`` entities for a query. ``allowed`` bool ``(N,)`` filters them."""
        wanted = _codes(normalise(query))
        text, first, ends = self._beginning(wanted)
        rank = np.where(first, np.where(ends, 0, 1), 2)
        best = self._best(text, rank, degree, allowed, limit)
        if len(best) < limit and len(wanted) >= MIN_TYPO_LENGTH:
            near, whole = self._typos(wanted)
            text = np.concatenate([text, near])
            rank = np.concatenate([rank, np.where(whole, 3, 4)])
            best = self._best(text, rank, degree, allowed, limit)
        return [Match(entity, HOW[min(how, 3)]) for entity, how in best]

    def nearest(self, query: str, degree: Ids, limit: int = 5) -> list[int]:
        """What somebody who wrote ``query`` may have meant: shorter and shorter starts of it."""
        text = normalise(query)
        while text:
            found = self.search(text, degree, None, limit)
            if found:
                return [match.entity for match in found]
            text = text[: len(text) * 3 // 4] if len(text) > 3 else ""
        return []

    def _beginning(self, wanted: npt.NDArray[np.uint32]) -> tuple[Ids, Flags, Flags]:
        """The texts in which words begin with ``wanted``, none where it is empty; whether the first
        word does, and whether the text ends with it."""
        low, high = _range(self.chars, self.starts, wanted, False) if len(wanted) else (0, 0)
        at, text = self.starts[low:high], self.start_text[low:high]
        return text, at == self.text_start[text], self.chars[at + len(wanted)] == 0

    def _typos(self, wanted: npt.NDArray[np.uint32]) -> tuple[Ids, Flags]:
        """Texts with a run of whole words, or its beginning, one edit away from ``wanted``; and
        whether it is the whole of a text."""
        half = len(wanted) // 2
        # One less in front, so that two letters swapped across the middle are found too.
        front_half = wanted[: half - 1]
        low, high = _range(self.chars, self.starts, front_half, False)
        forward = _check_starts(self.chars, self.starts[low:high], wanted)
        front = self.start_text[low:high][forward > 0]
        low, high = _range(self.chars, self.ends, wanted[half:], True)
        backward = _check_ends(self.chars, self.ends[low:high], wanted)
        back = self.end_text[low:high][backward > 0]
        found: Ids = np.concatenate([front, back])
        return found, np.concatenate([forward[forward > 0], backward[backward > 0]]) == 2

    def _best(
        self, texts: Ids, rank: Offsets, degree: Ids, allowed: Flags | None, limit: int
    ) -> list[tuple[int, int]]:
        """Distinct entities of texts by rank, labels before other names, then degree, then id."""
        entities, other = self.text_entity[texts], ~self.text_label[texts]
        if allowed is not None:
            kept = allowed[entities]
            entities, other, rank = entities[kept], other[kept], rank[kept]
        seen: dict[int, int] = {}
        for i in np.lexsort((entities, -degree[entities], other, rank)):
            seen.setdefault(int(entities[i]), int(rank[i]))
            if len(seen) == limit:
                break
        return list(seen.items())


def build(texts: Sequence[str], entities: Ids, labels: Flags) -> SearchIndex:
    """The index of texts, the entities that they name, and whether as their label."""
    import polars as pl

    normal = _normalised(pl.Series(texts, dtype=pl.String))
    keep = normal != ""
    normal = normal.filter(keep)
    chars = _codes("\0".join(normal) + "\0")
    text_start = np.zeros(len(normal) + 1, np.int64)
    np.cumsum(normal.str.len_chars().to_numpy().astype(np.int64) + 1, out=text_start[1:])
    text_of = np.repeat(np.arange(len(normal), dtype=np.int32), np.diff(text_start))
    gap = (chars == 0) | (chars == 32)
    after_gap = np.ones(len(chars), np.bool_)
    after_gap[1:] = gap[:-1]
    starts = _first_words(np.flatnonzero(after_gap & ~gap), text_of)
    ends = _first_words(np.flatnonzero(gap & ~after_gap), text_of)
    start_text, end_text = text_of[starts], text_of[ends]
    # Strings sort by code point, as the kernels compare them.
    text, at = pl.col("text"), pl.col("at")
    following = {"text": normal.gather(start_text), "at": starts - text_start[start_text]}
    preceding = {"text": normal.gather(end_text), "at": ends - text_start[end_text]}
    by_start = _stable_order(pl.DataFrame(following), text.str.slice(at))
    by_end = _stable_order(pl.DataFrame(preceding), text.str.head(at).str.reverse())
    return SearchIndex(
        chars,
        text_start,
        np.asarray(entities, np.int32)[keep.to_numpy()],
        labels[keep.to_numpy()],
        starts[by_start],
        start_text[by_start],
        ends[by_end],
        end_text[by_end],
    )


def _stable_order(frame: pl.DataFrame, by: pl.Expr) -> Offsets:
    import polars as pl

    order = frame.select(pl.arg_sort_by(by, maintain_order=True))
    return order.to_series().to_numpy().astype(np.int64)


def _normalised(texts: pl.Series) -> pl.Series:
    """``normalise`` of many texts; those of ASCII, by columns."""
    import polars as pl

    lower = texts.str.to_lowercase()
    plain = lower.str.replace_all(r"[\W_]+", " ").str.strip_chars(" ")
    symbols = lower.str.replace_all(r"\s+", " ").str.strip_chars(" ")
    plain = symbols.zip_with(plain == "", plain)
    foreign = texts.str.contains(r"[^\x00-\x7f]")
    exact = pl.Series([normalise(text) for text in texts.filter(foreign)], dtype=pl.String)
    # Where each foreign text is among them.
    place = (foreign.cum_sum().cast(pl.Int64) - 1).clip(0)
    plain = plain.str.head(MAX_LENGTH)
    return exact.gather(place).zip_with(foreign, plain) if len(exact) else plain


def _first_words(positions: Offsets, text_of: Ids) -> Offsets:
    """Of the ascending ``positions`` the first ``MAX_WORDS`` of each text."""
    text = text_of[positions]
    first = np.searchsorted(text, text, side="left")
    kept: Offsets = positions[np.arange(len(positions)) - first < MAX_WORDS]
    return kept


def _codes(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


@numba.njit(cache=True, nogil=True)
def _compare(chars: Any, at: int, wanted: Any, backward: bool) -> int:
    """Sign of (text at a position) - ``wanted``; 0 where ``wanted`` is a prefix of it."""
    n = len(wanted)
    for i in range(n):
        # A position before the first text reads as its boundary.
        j = at - 1 - i if backward else at + i
        have = chars[j] if j >= 0 else np.uint32(0)
        want = wanted[n - 1 - i] if backward else wanted[i]
        if have != want:
            return -1 if have < want else 1
    return 0


@numba.njit(cache=True, nogil=True)
def _range(chars: Any, positions: Any, wanted: Any, backward: bool) -> tuple[int, int]:
    """Where in the sorted ``positions`` the texts begin (or end) with ``wanted``."""
    first = low = 0
    for past in range(2):  # the first that does, then the first behind them
        first, high = low, len(positions)
        while low < high:
            middle = (low + high) // 2
            if _compare(chars, positions[middle], wanted, backward) < past:
                low = middle + 1
            else:
                high = middle
    return first, low


@numba.njit(cache=True, nogil=True)
def _one_edit(chars: Any, at: int, end: int, wanted: Any) -> bool:
    """Is ``chars[at:end]`` one insertion, deletion, replacement or swap away from ``wanted``?"""
    n, m = end - at, len(wanted)
    if n - m > 1 or m - n > 1:
        return False
    i = 0
    while i < n and i < m and chars[at + i] == wanted[i]:
        i += 1
    j = 0
    while j < n - i and j < m - i and chars[end - 1 - j] == wanted[m - 1 - j]:
        j += 1
    if i + j >= max(n, m) - 1:
        return True
    swapped = n == m and i + j == n - 2
    return swapped and chars[at + i] == wanted[i + 1] and chars[at + i + 1] == wanted[i]


@numba.njit(cache=True, nogil=True)
def _check_starts(chars: Any, positions: Any, wanted: Any) -> Any:
    """Which word starts are followed by a text whose beginning is one edit away: 1, or 2 where that
    is the whole of a text."""
    out = np.zeros(len(positions), np.uint8)
    for k in range(len(positions)):
        at = positions[k]
        end = at
        while end < at + len(wanted) + 1 and chars[end] != 0:
            end += 1
        for stop in range(max(at, at + len(wanted) - 1), end + 1):
            if _one_edit(chars, at, stop, wanted):
                whole = chars[stop] == 0 and (at == 0 or chars[at - 1] == 0)
                out[k] = max(out[k], 2 if whole else 1)
    return out


@numba.njit(cache=True, nogil=True)
def _check_ends(chars: Any, positions: Any, wanted: Any) -> Any:
    """Which word ends are preceded, from the start of a word on, by a text one edit away: 1, or 2
    where that is the whole of a text."""
    out = np.zeros(len(positions), np.uint8)
    for k in range(len(positions)):
        end = positions[k]
        for at in range(max(0, end - len(wanted) - 1), max(0, end - len(wanted) + 1) + 1):
            starts_word = at == 0 or chars[at - 1] == 0 or chars[at - 1] == 32
            if starts_word and chars[at:end].all() and _one_edit(chars, at, end, wanted):
                whole = chars[end] == 0 and (at == 0 or chars[at - 1] == 0)
                out[k] = max(out[k], 2 if whole else 1)
    return out
