"""Where the records of delimited text end, told from its separators, quotes and line ends alone.

Knows bytes; knows no column. A quote opens a field if it stands at the field's beginning; then
separators and line ends are text, two quotes are one, and the next single quote closes it. Any
other quote is text. A field that is not closed, or goes on after it was, spoils the line in which
its record begins, and the next record begins at the next line. What follows an opening quote does
not depend on where the record began, so it is found once for all, whatever the quotes are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Flags
from sightline.ingest.streams import MAX_RECORD

QUOTE, NEWLINE, RETURN, SPACE = ord('"'), ord("\n"), ord("\r"), ord(" ")
#: A quote that is not closed within so many lines was none.
MAX_QUOTED_LINES = 1000
UNCLOSED = "a quote is opened and never closed"

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Records:
    """The records at the start of a block: record ``i`` is ``block[starts[i]:ends[i]]``.

    Attributes:
        lines: ``(n,)`` line of the block in which each begins, from 0.
        fields: ``(n,)`` how many each has.
        quoted: some field is in quotes.
        odd: ``(n,)`` it holds quotes that are text, beside fields in quotes.
        bad: record to why its quotes make no sense.
        end, end_line: where the rest of the block begins, which is no whole record yet.
    """

    starts: Places
    ends: Places
    lines: Places
    fields: Places
    quoted: bool
    odd: Flags
    bad: dict[int, str]
    end: int
    end_line: int


def find_records(
    block: bytes, separator: str, final: bool, quotes: bool = True, blanks: bool = False
) -> Records:
    """Cut a block into records.

    Args:
        block: it begins with a record.
        final: nothing comes after it, and it ends in a line end.
        quotes: False where quotes are text, all of them.
        blanks: an opening quote may stand after blanks.
    """
    data = np.frombuffer(block, np.uint8)
    newlines = np.flatnonzero(data == NEWLINE)
    if quotes and QUOTE in block:
        found = _quoted_fields(data, newlines, separator, final, blanks)
    else:
        found = (newlines[:0], newlines[:0], {}, len(newlines))
    first, last, bad_lines, end_line = found
    newlines = newlines[:end_line]
    end = int(newlines[-1]) + 1 if end_line else 0
    data = data[:end]
    separates, quoted = data == ord(separator), len(first) > 0
    whole, text_quotes = np.arange(end_line), newlines[:0]
    if quoted:
        edges = np.zeros(end, np.int8)
        edges[first] = 1
        edges[last + 1] -= 1
        outside = edges.cumsum(dtype=np.int8) == 0
        separates &= outside
        whole = np.flatnonzero(outside[newlines])
        text_quotes = np.flatnonzero((data == QUOTE) & outside)
        if blanks:  # polars knows no quote after blanks
            text_quotes = np.union1d(text_quotes, first[(first > 0) & (data[first - 1] == SPACE)])
    ends, lines = newlines[whole], np.append(0, whole + 1)[:-1]
    starts = np.append(0, ends + 1)[:-1]
    fields = _fields(np.flatnonzero(separates), starts, ends)
    odd = np.zeros(len(ends), np.bool_)
    odd[np.searchsorted(ends, text_quotes)] = True
    bad = dict(zip(np.searchsorted(lines, list(bad_lines)).tolist(), bad_lines.values()))
    return Records(starts, ends, lines, fields, quoted, odd, bad, end, end_line)


def _fields(separators: Places, starts: Places, ends: Places) -> Places:
    """``(n,)``: how many each record has."""
    each, left = divmod(len(separators), max(len(starts), 1))
    if each and not left:  # as where all have the same, which is told sooner
        own = separators.reshape(len(starts), each)
        if (own[:, 0] >= starts).all() and (own[:, -1] < ends).all():
            return np.full(len(starts), each + 1)
    return np.diff(np.searchsorted(separators, ends), prepend=0) + 1


def _quoted_fields(
    data: Bytes, ends: Places, separator: str, final: bool, blanks: bool
) -> tuple[Places, Places, dict[int, str], int]:
    """First and last quote of each field in quotes; bad lines; the first line of no whole record.

    ``ends`` are those of the lines. Beyond them, nothing is known yet.
    """
    n, size = len(ends), len(data)
    quotes = np.flatnonzero(data == QUOTE)
    whole = np.flatnonzero(np.searchsorted(quotes, ends) % 2 == 0)
    # Quotes mostly open and close in turn; of two that are one, the first closes, the other opens.
    in_turn = _may_open(data, quotes[::2], ord(separator), blanks).all()
    if len(whole) and in_turn and _may_close(data, quotes[1::2], ord(separator)).all():
        end_line = int(whole[-1]) + 1
        lines = np.diff(whole, prepend=-1, append=n)
        if size <= MAX_RECORD and lines.max() < MAX_QUOTED_LINES and (end_line == n or not final):
            pairs = quotes[: np.searchsorted(quotes, ends[whole[-1]])]
            return pairs[::2], pairs[1::2], {}, end_line
    begins = np.flatnonzero(np.diff(quotes, prepend=-2) > 1)
    runs, lengths = quotes[begins], np.diff(begins, append=len(quotes))
    opening = np.flatnonzero(_may_open(data, runs, ord(separator), blanks))
    first = runs[opening]
    if not len(first):
        return first, first, {}, n
    # A run of two, four, ... that opens a field closes it as well; else the next odd run does.
    odd = lengths % 2 == 1
    next_odd = np.append(np.flatnonzero(odd), len(runs))[np.cumsum(odd)[opening]]
    closing = np.where(odd[opening], next_odd, opening)
    last = np.append(runs + lengths - 1, size)[closing]
    line = np.searchsorted(ends, last)
    good = _may_close(data, last, ord(separator)) | (line == n)
    # From each field in quotes to the next one of its record, and to the last one.
    after = np.searchsorted(first, last, "right")
    more = good & (np.append(first, size)[after] < np.append(ends, 0)[line])
    next_one = final_one = np.where(more, after, np.arange(len(first)))
    while not np.array_equal(farther := final_one[final_one], final_one):
        final_one = farther

    starts = np.append(0, ends + 1)[:-1]
    opener = np.searchsorted(first, starts)
    lines = np.flatnonzero(np.append(first, size)[opener] < ends)
    opener = opener[lines]
    until = line[final_one[opener]]
    unclosed = (until - lines >= MAX_QUOTED_LINES) | ((until == n) & final)
    unclosed |= np.append(ends, size)[until] - starts[lines] > MAX_RECORD
    bad = unclosed | ~good[final_one[opener]]
    misplaced = f"bad quoting: {separator!r} expected after '\"'"
    reasons: dict[int, str] = {}
    used, begin, end_line = np.zeros(len(first), np.bool_), 0, n
    for i, at in enumerate(lines.tolist()):
        if at < begin:
            continue
        if bad[i]:
            reasons[at] = UNCLOSED if unclosed[i] else misplaced
        elif until[i] == n:
            end_line = at
            break
        else:
            used[opener[i]], begin = True, int(until[i]) + 1
    while True:
        used[next_one[used]] = True
        if np.array_equal(farther := next_one[next_one], next_one):
            return first[used], last[used], reasons, end_line
        next_one = farther


def _may_open(data: Bytes, quotes: Places, separator: int, blanks: bool) -> Flags:
    """``(n,)``: a field begins at the quote, or goes on after a quote in it."""
    places = quotes - 1
    if blanks:  # the last byte before them counts
        solid = np.where(data != SPACE, np.arange(len(data)), -1)
        places = np.append(np.maximum.accumulate(solid), -1)[places]
    before = data[places]
    opens: Flags = (
        (places < 0) | (before == separator) | (before == NEWLINE)
        | ((before == QUOTE) & (places == quotes - 1))
    )  # fmt: skip
    return opens


def _may_close(data: Bytes, quotes: Places, separator: int) -> Flags:
    """``(n,)``: a field ends at the quote, or goes on with a quote in it."""
    after, further = (data[np.minimum(quotes + step, len(data) - 1)] for step in (1, 2))
    ends: Flags = (after == separator) | (after == NEWLINE) | (after == QUOTE)
    ends |= (after == RETURN) & (further == NEWLINE)
    return ends
