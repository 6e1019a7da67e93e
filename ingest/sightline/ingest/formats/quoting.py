"""Where the records of delimited text end, told from its separators, quotes and line ends alone.

Knows bytes; knows no column. A quote opens a field if it stands at the field's beginning; then
separators and line ends are text, two quotes are one, and the next single quote closes it. Any
other quote is text. A field that is not closed, or goes on after it was, spoils the line in which
its record begins, and the next record begins at the next line. So every quote may have to be looked
at from two sides, but never more often: what follows an opening quote does not depend on where the
record began, and is found once for all of them, whatever the quotes are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Flags
from sightline.ingest.streams import MAX_RECORD

QUOTE, NEWLINE, RETURN = ord('"'), ord("\n"), ord("\r")
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
        odd: ``(n,)`` it holds quotes that are text.
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


def find_records(block: bytes, separator: str, final: bool) -> Records:
    """Cut a block into records.

    Args:
        block: it begins with a record.
        final: nothing comes after it, and it ends in a line end.
    """
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    separators = np.flatnonzero(data == ord(separator))
    if len(ends) and b'"' in block:
        quotes = _Quotes.find(data, ends, ord(separator))
        if len(quotes.first):
            walk = _Walk.along(quotes, starts, ends, len(block), final)
            return walk.records(quotes, starts, ends, separators, separator)
    fields = np.diff(np.searchsorted(separators, ends), prepend=0) + 1
    end = int(ends[-1]) + 1 if len(ends) else 0
    lines, none = np.arange(len(ends)), np.zeros(len(ends), np.bool_)
    return Records(starts, ends, lines, fields, False, none, {}, end, len(ends))


@dataclass(frozen=True, slots=True)
class _Quotes:
    """The quotes in a block, and what each that may open a field leads to.

    Attributes:
        runs: ``(m,)`` where each run of adjacent quotes begins.
        first: ``(n,)`` the quotes that open a field if the field's record is outside of quotes.
        last: ``(n,)`` the quote that closes the field.
        within: ``(n,)`` how many runs the field holds, its own quotes included.
        after: ``(n,)`` the next of them that opens a field of the record, or itself.
        outcome: ``(n,)`` for the last one of its record: the line in which the record ends; in
            which it turns out bad, as ``-1 - line``; or the number of lines, where the block does
            not show it.
    """

    runs: Places
    first: Places
    last: Places
    within: Places
    after: Places
    outcome: Places

    @classmethod
    def find(cls, data: Bytes, ends: Places, separator: int) -> _Quotes:
        quotes = np.flatnonzero(data == QUOTE)
        begins = np.flatnonzero(np.diff(quotes, prepend=-2) > 1)
        runs, lengths = quotes[begins], np.diff(begins, append=len(quotes))
        before = data[runs - 1]
        opens = (runs == 0) | (before == separator) | (before == NEWLINE)
        odd, opening = lengths % 2 == 1, np.flatnonzero(opens)
        # A run of two, four, ... that opens a field closes it as well; else the next odd run does.
        next_odd = np.append(np.flatnonzero(odd), len(runs))[np.cumsum(odd)[opening]]
        closing = np.where(odd[opening], next_odd, opening)
        there = np.minimum(closing, len(runs) - 1)
        last = runs[there] + lengths[there] - 1
        line = np.searchsorted(ends, last)
        unknown = (closing == len(runs)) | (line == len(ends))
        following = data[np.minimum(last + 1, len(data) - 1)]
        line_end = (following == RETURN) & (data[np.minimum(last + 2, len(data) - 1)] == NEWLINE)
        good = (following == separator) | (following == NEWLINE) | line_end
        after, first = np.cumsum(opens)[there], runs[opening]
        stop = np.append(ends, len(data))[line]
        more = good & ~unknown & (np.append(first, len(data))[after] < stop)
        after = np.where(more, after, np.arange(len(first)))
        outcome = np.where(unknown, len(ends), np.where(good, line, -1 - line))
        return cls(runs, first, last, closing - opening + 1, after, outcome)

    def outcomes(self) -> Places:
        """``(n,)`` how the record ends of which each opens a field."""
        at = self.after
        while not np.array_equal(further := at[at], at):
            at = further
        return self.outcome[at]

    def opened_after(self, chosen: Places) -> Places:
        """Those that open a field, of the records of which the chosen open the first."""
        reached, ahead = np.zeros(len(self.first), np.bool_), self.after
        reached[chosen] = True
        while True:
            reached[ahead[reached]] = True
            if np.array_equal(further := ahead[ahead], ahead):
                return np.flatnonzero(reached)
            ahead = further


@dataclass(frozen=True, slots=True)
class _Walk:
    """The lines of a block in which a record begins.

    Attributes:
        lines: ``(n,)`` these lines, from 0.
        last: ``(n,)`` the line in which each record ends.
        first: ``(n,)`` which quote opens its first field in quotes; -1 if none does.
        bad, unclosed: ``(n,)`` it makes no sense, and that is because a quote is not closed.
        end_line: of the first record that the block does not show as a whole.
    """

    lines: Places
    last: Places
    first: Places
    bad: Flags
    unclosed: Flags
    end_line: int

    @classmethod
    def along(cls, quotes: _Quotes, starts: Places, ends: Places, size: int, final: bool) -> _Walk:
        n = len(ends)
        lines = np.arange(n)
        first = np.searchsorted(quotes.first, starts)
        first = np.where(np.append(quotes.first, size)[first] < ends, first, -1)
        outcome = np.where(first >= 0, quotes.outcomes()[first], lines)
        last = np.where(outcome < 0, -1 - outcome, outcome)
        long = last - lines >= MAX_QUOTED_LINES
        long |= np.append(ends, size)[last] - starts > MAX_RECORD
        unclosed = (first >= 0) & (long | ((last == n) & final))
        bad = unclosed | (outcome < 0)
        last = np.where(bad, lines, last)
        begins, line, end_line = np.ones(n, np.bool_), 0, n
        for at in np.flatnonzero(last > lines).tolist():
            if at >= line:
                line = int(last[at]) + 1
                begins[at + 1 : line] = False
                if line > n:
                    end_line = at
                    break
        chosen = np.flatnonzero(begins[:end_line])
        last, first = last[chosen], first[chosen]
        return cls(chosen, last, first, bad[chosen], unclosed[chosen], end_line)

    def records(
        self, quotes: _Quotes, starts: Places, ends: Places, separators: Places, separator: str
    ) -> Records:
        """The records, with what is in quotes taken out of the counts."""
        end = int(starts[self.end_line]) if self.end_line < len(ends) else int(ends[-1]) + 1
        starts, ends = starts[self.lines], ends[self.last]
        fields = _between(separators, starts, ends) + 1
        texts = _between(quotes.runs, starts, ends)
        fields_in_quotes = quotes.opened_after(self.first[~self.bad & (self.first >= 0)])
        first, last = quotes.first[fields_in_quotes], quotes.last[fields_in_quotes]
        record = np.searchsorted(starts, first, "right") - 1
        np.subtract.at(fields, record, _between(separators, first, last))
        np.subtract.at(texts, record, quotes.within[fields_in_quotes])
        misplaced = f"bad quoting: {separator!r} expected after '\"'"
        bad = {
            int(i): UNCLOSED if self.unclosed[i] else misplaced for i in np.flatnonzero(self.bad)
        }
        return Records(starts, ends, self.lines, fields, True, texts > 0, bad, end, self.end_line)


def _between(places: Places, starts: Places, ends: Places) -> Places:
    """``(n,)`` how many of ``places`` are from each start on and before its end."""
    return np.searchsorted(places, ends) - np.searchsorted(places, starts)
