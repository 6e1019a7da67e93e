"""CSV and TSV to batches of columns, each record with its line.

Knows quoting, separators and headers; knows nothing of what the columns mean. Where records end is
decided on bytes (a line end outside quotes), so that a bad record is set aside with its line and
text and cannot spoil its neighbours; polars parses the rest. Text is UTF-8: a record that is not
is rejected, no other encoding is guessed.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from sightline.ingest.batch import Batch, Rejected, column_name
from sightline.ingest.errors import SourceEmpty, SourceUnreadable
from sightline.ingest.sources import BLOCK, HEAD, MAX_RECORD, Source

SEPARATORS = ",\t;|"
QUOTE, NEWLINE, RETURN = ord('"'), ord("\n"), ord("\r")
#: A quote that is not closed within so many lines was none.
MAX_QUOTED_LINES = 1000
csv.field_size_limit(MAX_RECORD)

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a delimited file is laid out.

    Attributes:
        columns: their names, unique.
        header_lines: lines to skip before the first record.
    """

    separator: str
    columns: tuple[str, ...]
    header_lines: int


def first_records(source: Source, count: int) -> tuple[str, list[list[str]], list[int]]:
    """Separator, first records, and the line after each.

    Raises:
        SourceEmpty, SourceUnreadable
    """
    with source.open() as stream:
        head = stream.read(HEAD)
    text = head.decode(errors="replace")
    if "\r" in text and "\n" not in text:
        raise SourceUnreadable(source.path, "its lines end in a bare CR; save it with LF or CRLF")
    first = next((line for line in text.split("\n") if line.strip()), "")
    if not first:
        raise SourceEmpty(source.path)
    by_name = "," if source.name.lower().endswith(".csv") else "\t"
    counts = {s: first.count(s) for s in SEPARATORS}
    separator = by_name if counts[by_name] else max(counts, key=lambda s: counts[s])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    records: list[list[str]] = []
    lines: list[int] = []
    try:
        for record in reader:
            if record:
                records.append(record)
                lines.append(reader.line_num)
            if len(records) == count:
                break
    except csv.Error:
        pass  # the file is read for good later; this is only a first look
    return separator, records, lines


def unique_names(names: list[str]) -> tuple[str, ...]:
    """Column names without blanks around them; unnamed and repeated ones get a number."""
    seen: dict[str, int] = {}
    out = []
    for place, raw in enumerate(names, 1):
        name = column_name(raw.strip()) or f"column_{place}"
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return tuple(out)


def read_delimited(source: Source, layout: Layout, position: list[int]) -> Iterator[Batch]:
    """The records of a file as String columns.

    Raises:
        SourceUnreadable
    """
    line = 1
    carry = b""
    skip = layout.header_lines
    with source.open() as stream:
        while True:
            data = stream.read(BLOCK)
            block, at_end = carry + data, not data
            if at_end and block and not block.endswith(b"\n"):
                block += b"\n"
            position[0] = stream.position
            while skip and b"\n" in block:
                block = block.partition(b"\n")[2]
                skip, line = skip - 1, line + 1
            part = _Part.cut(block, layout, line) if not skip else None
            if part is None or part.end == 0:
                overlong = len(block) > MAX_RECORD
                part = _by_line(block, layout, line, True) if at_end or overlong else None
            if part is not None:
                if part.batch.read:
                    yield part.batch
                carry, line = block[part.end :], line + block[: part.end].count(b"\n")
            else:
                carry = block
            if at_end and not carry:
                return
            if len(carry) > 2 * MAX_RECORD:
                reason = f"a record is longer than {MAX_RECORD >> 20} MiB"
                raise SourceUnreadable(source.path, reason)


@dataclass(frozen=True, slots=True)
class _Part:
    """The records at the start of a block, and where they end."""

    batch: Batch
    end: int

    @classmethod
    def cut(cls, block: bytes, layout: Layout, line: int) -> _Part:
        """Cut a block into records on bytes, and let polars parse those that are sound."""
        data = np.frombuffer(block, np.uint8)
        newlines = np.flatnonzero(data == NEWLINE)
        separators = np.flatnonzero(data == ord(layout.separator))
        ends, quotes = newlines, _quotes(data, ord(layout.separator))
        if len(quotes):
            inside = (np.cumsum(data == QUOTE, dtype=np.uint8) & 1).astype(np.bool_)
            ends, separators = newlines[~inside[newlines]], separators[~inside[separators]]
        end = int(ends[-1]) + 1 if len(ends) else 0
        quotes = quotes[quotes < end]
        odd = len(quotes) and not _well_quoted(data, quotes, ord(layout.separator))
        # polars would drop a CR at the end of a field.
        if end and (odd or (b"\r" in block and (data[separators - 1] == RETURN).any())):
            return _by_line(block, layout, line, at_end=False)
        starts = np.concatenate([[0], ends[:-1] + 1]) if end else ends
        rows = line + (np.searchsorted(newlines, starts) if len(quotes) else np.arange(len(ends)))
        records = _Records(block, data[:end], starts, ends, rows)
        return cls(records.batch(layout, np.searchsorted(separators, ends), bool(len(quotes))), end)


def _quotes(data: Bytes, separator: int) -> Places:
    """The quotes in a block; none where none opens a field, as then they are text."""
    quotes = np.flatnonzero(data == QUOTE)
    before = data[quotes - 1]
    opens = (quotes == 0) | (before == separator) | (before == NEWLINE)
    return quotes if opens.any() else quotes[:0]


def _well_quoted(data: Bytes, quotes: Places, separator: int) -> bool:
    """Every quoted field begins and ends at a separator or a line end; inner quotes are doubled."""
    opening, closing = quotes[::2], quotes[1::2]
    before = data[opening - 1]
    starts = (opening == 0) | (before == separator) | (before == NEWLINE)
    starts[1:] |= opening[1:] - 1 == closing[:-1]
    after = data[closing + 1]
    # A record ends in a line end, so something follows a CR that follows a quote.
    line_end = (after == RETURN) & (data[np.minimum(closing + 2, len(data) - 1)] == NEWLINE)
    stops = (after == separator) | (after == NEWLINE) | line_end
    stops[:-1] |= closing[:-1] + 1 == opening[1:]
    return bool(starts.all() and stops.all())


@dataclass(frozen=True, slots=True)
class _Records:
    """Records of a block by place: record ``i`` is ``block[starts[i]:ends[i]]``."""

    block: bytes
    data: Bytes
    starts: Places
    ends: Places
    rows: Places

    def text(self, i: int) -> str:
        """The record as it stands in the source."""
        raw = self.block[self.starts[i] : self.ends[i]]
        return raw.removesuffix(b"\r").decode(errors="replace")

    def batch(self, layout: Layout, separators_before: Places, quoted: bool) -> Batch:
        """Set the bad records aside and parse the others.

        Args:
            separators_before: ``(n,)`` separators in the block before the end of each record.
        """
        lengths = self.ends - self.starts
        empty = (lengths == 0) | ((lengths == 1) & (self.data[self.starts] == RETURN))
        fields = np.diff(separators_before, prepend=0) + 1
        width = len(layout.columns)
        reasons = {
            int(i): f"{fields[i]} fields where the header has {width}"
            for i in np.flatnonzero((fields != width) & ~empty)
        }
        reasons |= self._undecodable()
        keep = ~empty
        keep[list(reasons)] = False
        kept = np.flatnonzero(keep)
        data = self.block[: len(self.data)]
        if not keep.all():
            data = self.data[np.repeat(keep, lengths + 1)].tobytes()
        frame = _parse(data, layout, quoted)
        if frame.height != len(kept):  # polars saw other records than we: trust neither
            return _by_line(self.block[: len(self.data)], layout, int(self.rows[0]), True).batch
        rejected = [Rejected(int(self.rows[i]), reasons[i], self.text(i)) for i in sorted(reasons)]
        rows = pl.Series(self.rows[kept].astype(np.uint32))
        return Batch(frame, rows, frame.hash_rows(), lambda i: self.text(kept[i]), rejected)

    def _undecodable(self) -> dict[int, str]:
        """Records that are no UTF-8 or hold a NUL, with the reason."""
        reasons = {}
        if b"\0" in self.block:
            nul = np.flatnonzero(self.data == 0)
            reasons = {int(i): "it holds a NUL byte" for i in np.searchsorted(self.ends, nul)}
        try:
            str(memoryview(self.block)[: len(self.data)], "utf-8")
        except UnicodeDecodeError:
            high = np.flatnonzero(self.data > 127)
            for i in np.unique(np.searchsorted(self.ends, high)):
                if not _is_utf8(self.block[self.starts[i] : self.ends[i]]):
                    reasons[int(i)] = "it is not UTF-8; save the file as UTF-8"
        return reasons


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parse(data: bytes, layout: Layout, quoted: bool) -> pl.DataFrame:
    schema = dict.fromkeys(layout.columns, pl.String())
    if not data:
        return pl.DataFrame(schema=schema)
    frame = pl.read_csv(
        data,
        has_header=False,
        separator=layout.separator,
        quote_char='"' if quoted else None,
        schema=schema,
    )
    return _blank_to_null(frame) if quoted else frame


def _blank_to_null(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.when(pl.all() != "").then(pl.all()))


def _by_line(block: bytes, layout: Layout, line: int, at_end: bool) -> _Part:
    """Records of a block whose quotes are not well formed, one by one.

    A quote in the middle of a field is text. One that opens a field and is not closed, or is
    followed by more text, spoils the line it stands in and no other.
    """
    lines = block.split(b"\n")[:-1]
    good: list[tuple[int, list[str], bytes]] = []
    rejected: list[Rejected] = []
    place = end = 0
    while place < len(lines):
        count, record = _logical(lines, place, layout.separator)
        if count == 0 and not at_end:
            break  # the rest of the record is in the next block
        taken = lines[place : place + max(count, 1)]
        raw = b"\n".join(taken).removesuffix(b"\r")
        if isinstance(record, str):
            rejected.append(Rejected(line + place, record, raw.decode(errors="replace")))
        elif record and len(record) != len(layout.columns):
            reason = f"{len(record)} fields where the header has {len(layout.columns)}"
            rejected.append(Rejected(line + place, reason, raw.decode()))
        elif record:
            good.append((line + place, record, raw))
        place += len(taken)
        end += sum(len(part) + 1 for part in taken)
    schema = dict.fromkeys(layout.columns, pl.String())
    frame = pl.DataFrame([record for _, record, _ in good], schema=schema, orient="row")
    frame = _blank_to_null(frame)
    rows = pl.Series([row for row, _, _ in good], dtype=pl.UInt32)
    texts = [raw for _, _, raw in good]
    return _Part(Batch(frame, rows, frame.hash_rows(), lambda i: texts[i].decode(), rejected), end)


def _fields(text: str, separator: str) -> list[str]:
    """The fields of a record; raises ``csv.Error``."""
    # csv would end the record at a bare CR; it is text like any other. No UTF-8 holds a surrogate.
    shielded = text.replace("\r", "\udc0d")
    fields = next(csv.reader([shielded], delimiter=separator, strict=True), [])
    return [field.replace("\udc0d", "\r") for field in fields]


def _logical(lines: list[bytes], place: int, separator: str) -> tuple[int, list[str] | str]:
    """Lines taken and the fields of the record that starts at ``place``, or why it is bad.

    Zero lines: a quote is still open at the end of ``lines``.
    """
    for count in range(1, MAX_QUOTED_LINES + 1):
        raw = b"\n".join(lines[place : place + count])
        if not _is_utf8(raw):
            return 1, "it is not UTF-8; save the file as UTF-8"
        if b"\0" in raw:
            return 1, "it holds a NUL byte"
        try:
            return count, _fields(raw.decode().removesuffix("\r"), separator)
        except csv.Error as error:
            if "unexpected end of data" not in str(error):
                return 1, f"bad quoting: {error}"
        if place + count >= len(lines):
            return 0, "a quote is opened and never closed"
    return 1, "a quote is opened and never closed"
