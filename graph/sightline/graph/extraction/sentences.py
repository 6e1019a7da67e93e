"""Where sentences begin and end in a text.

Knows punctuation; knows no format and no graph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Characters of a sentence; what goes on is cut between words.
LONGEST = 1000
_SHORT = """
mr mrs ms dr prof st mt ft sr jr vs etc al fig figs eq no nos vol pp ca cf approx resp dept
e.g i.e u.s u.k a.m p.m b.c a.d lit jan feb mar apr jun jul aug sep sept oct nov dec
"""
#: What ends with a full stop and ends no sentence.
_ABBREVIATIONS = frozenset(_SHORT.split())
_END = re.compile(
    r"""[.!?…]+["'”’»)\]\0]*(?=[\s\0]+["'“‘«(\[\0]*[^\W_a-z])|[。！？｡]+[」』”]?|\n[ \t\r\0]*\n"""
)
_WORD_BEFORE = re.compile(r"[^\s(\[\"'“‘]*$")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each sentence, ascending; what is longer than ``LONGEST`` is cut.

    A sentence ends with its mark, before a blank and a capital, a digit or a letter without case,
    and with an empty line. NULs may stand in for markup.

    >>> [text[a:b] for text in ["Dr. No lives. He left at 3.15."] for a, b in sentences(text)]
    ['Dr. No lives.', 'He left at 3.15.']
    """
    start = 0
    for found in _END.finditer(text):
        if found[0].startswith(".") and _abbreviated(text, start, found.start()):
            continue
        yield from _cut(text, start, found.end())
        start = found.end()
    yield from _cut(text, start, len(text))


def cleaned(text: str) -> str:
    """A text without what stands in for markup, and with single blanks."""
    return " ".join(text.replace("\0", "").split())


def _abbreviated(text: str, start: int, stop: int) -> bool:
    word = _WORD_BEFORE.search(text, max(start, stop - 12), stop)
    bare = "" if word is None else word[0].replace("\0", "")
    return bare.lower() in _ABBREVIATIONS or (len(bare) == 1 and bare.isalpha() and bare.isupper())


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while True:
        while start < end and (text[start].isspace() or text[start] == "\0"):
            start += 1
        if start >= end:
            return
        stop = end
        if end - start > LONGEST:
            space = text.rfind(" ", start + LONGEST // 2, start + LONGEST)
            stop = space if space > 0 else start + LONGEST
        last = stop
        while last > start and (text[last - 1].isspace() or text[last - 1] == "\0"):
            last -= 1
        yield start, last
        start = stop
