"""CSV and TSV to batches of columns, each record with its line.

Knows separators and headers, and what columns without a header are called; knows nothing of what
they mean. Where records end is decided on bytes (``quoting``), so that a bad record is set aside
with its line and text and cannot spoil its neighbours; polars parses the rest. Text is UTF-8: a
record that is not is rejected, no other encoding is guessed.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from sightline.graph.arrays import Flags
from sightline.ingest.batch import Batch, Rejected, column_name
from sightline.ingest.errors import SourceEmpty, SourceUnreadable
from sightline.ingest.formats.quoting import RETURN, Places, Records, find_records
from sightline.ingest.profile.names import is_header
from sightline.ingest.source import Selection, Source, Table, TableFormat
from sightline.ingest.streams import BLOCK, HEAD, MAX_RECORD

SEPARATORS = ",\t;|"
#: Columns of a file without a header, by their number.
HEADERLESS = {2: ("id", "label"), 3: ("head", "relation", "tail")}
PAIR = ("head", "tail")
#: A file of this name without a header has ``name, definition`` in its second column, as the
#: published definitions of WordNet have.
DEFINITIONS = "definitions"
#: Records from which the layout is guessed.
SAMPLE = 200
csv.field_size_limit(MAX_RECORD)


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


def _tables(usual: str, source: Source, selection: Selection) -> Iterator[Table]:
    layout = layout_of(source, usual, selection.columns)
    batches = read_delimited(source, layout)
    if source.stem == DEFINITIONS and layout.columns == HEADERLESS[2]:
        batches = map(_with_definition, batches)
    yield Table(source.stem, batches, kind="line")


def _with_definition(batch: Batch) -> Batch:
    """Cut the label at its first comma; the rest is the definition."""
    parts = pl.col("label").str.splitn(", ", 2).struct
    frame = batch.frame.with_columns(
        label=parts.field("field_0"), definition=parts.field("field_1")
    )
    return replace(batch, frame=frame)


def layout_of(source: Source, usual: str, wanted: Sequence[str] = ()) -> Layout:
    """How a delimited file is laid out.

    Args:
        usual: the separator of its format, which is taken if its first line has one.
        wanted: columns that a mapping names: a first line that holds one of them is a header.

    Raises:
        SourceEmpty, SourceUnreadable
    """
    separator, records, lines = _first_records(source, usual)
    if not records:
        raise SourceEmpty(source.path)
    names = unique_names(records[0])
    named = any(name in wanted for name in names)
    if not source.split and (named or is_header(names, records[1:], separator == "\t")):
        return Layout(separator, names, lines[0])
    width = Counter(map(len, records)).most_common(1)[0][0]
    columns = HEADERLESS.get(width) or unique_names([""] * width)
    if width == 2 and len({record[0] for record in records}) < len(records):
        columns = PAIR  # an id has one label
    return Layout(separator, columns, 0)


def _first_records(source: Source, usual: str) -> tuple[str, list[list[str]], list[int]]:
    """Separator, first records, and the line after each."""
    with source.open() as stream:
        head = stream.read(HEAD)
    text = head.decode(errors="replace")
    if "\r" in text and "\n" not in text:
        raise SourceUnreadable(source.path, "its lines end in a bare CR; save it with LF or CRLF")
    first = next((line for line in text.split("\n") if line.strip()), "")
    if not first:
        raise SourceEmpty(source.path)
    counts = {s: first.count(s) for s in SEPARATORS}
    separator = usual if counts[usual] else max(counts, key=lambda s: counts[s])
    block = head[: head.rfind(b"\n") + 1] if len(head) >= HEAD else head + b"\n"
    found = find_records(block, separator, final=True)
    records: list[list[str]] = []
    lines: list[int] = []
    following = [*found.lines[1:].tolist(), found.end_line]
    for i, line in enumerate(following):
        text = block[found.starts[i] : found.ends[i]].decode(errors="replace").removesuffix("\r")
        # The file is read for good later; this is only a first look.
        with suppress(csv.Error):
            if text and i not in found.bad:
                records.append(_fields(text, separator))
                lines.append(line)
        if len(records) == SAMPLE:
            break
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


def read_delimited(source: Source, layout: Layout) -> Iterator[Batch]:
    """The records of a file as String columns.

    Raises:
        SourceUnreadable
    """
    line, skip, carry = 1, layout.header_lines, b""
    with source.open() as stream:
        while True:
            # What is left of the last block is read again, so at least as much is added to it.
            data = stream.read(max(BLOCK, len(carry)))
            block, at_end = carry + data, not data
            if at_end and block and not block.endswith(b"\n"):
                block += b"\n"
            start = 0
            while skip and (start := block.find(b"\n", start) + 1):
                skip, line = skip - 1, line + 1
            block = block[start:]
            if not skip:
                records = find_records(block, layout.separator, at_end)
                part = _Part(block, line, layout, records).batch()
                if part.read:
                    yield replace(part, position=stream.position)
                block, line = block[records.end :], line + records.end_line
            carry = block
            if at_end:
                return
            if len(carry) > 2 * MAX_RECORD:
                reason = f"a record is longer than {MAX_RECORD >> 20} MiB"
                raise SourceUnreadable(source.path, reason)


@dataclass(frozen=True, slots=True)
class _Part:
    """A block of which the first line is line ``line`` of the source, and the records in it."""

    block: bytes
    line: int
    layout: Layout
    records: Records

    def batch(self) -> Batch:
        """Set the bad records aside and parse the others."""
        found, columns = self.records, self.layout.columns
        data = np.frombuffer(self.block, np.uint8)[: found.end]
        lengths = found.ends - found.starts
        empty = (lengths == 0) | ((lengths == 1) & (data[found.starts] == RETURN))
        wrong = np.flatnonzero((found.fields != len(columns)) & ~empty)
        reasons = {
            int(i): f"{found.fields[i]} fields where the header has {len(columns)}" for i in wrong
        }
        reasons |= found.bad | self._undecodable()
        keep = ~empty
        keep[list(reasons)] = False
        alone = keep & (found.odd | self._returns())
        frame = self._parse(keep & ~alone)
        if frame.height != (keep & ~alone).sum():  # polars saw other records than we: trust neither
            alone, frame = keep, frame.clear()
        places = np.flatnonzero(keep & ~alone)
        if alone.any():
            frame, places = self._with_odd(frame, places, np.flatnonzero(alone), reasons)
        rejected = [
            Rejected(self.line + int(found.lines[i]), reasons[i], self._text(i))
            for i in sorted(reasons)
        ]
        rows = pl.Series((self.line + found.lines[places]).astype(np.uint32))
        return Batch(frame, rows, frame.hash_rows(), lambda i: self._text(places[i]), rejected)

    def _text(self, i: int) -> str:
        """The record as it stands in the source."""
        raw = self.block[self.records.starts[i] : self.records.ends[i]]
        return raw.removesuffix(b"\r").decode(errors="replace")

    def _undecodable(self) -> dict[int, str]:
        """Records that are no UTF-8 or hold a NUL, with the reason."""
        found, data = self.records, np.frombuffer(self.block, np.uint8)[: self.records.end]
        reasons = {}
        if b"\0" in self.block:
            nul = np.flatnonzero(data == 0)
            reasons = {int(i): "it holds a NUL byte" for i in np.searchsorted(found.ends, nul)}
        try:
            str(memoryview(self.block)[: found.end], "utf-8")
        except UnicodeDecodeError:
            high = np.flatnonzero(data > 127)
            for i in np.unique(np.searchsorted(found.ends, high)):
                raw = self.block[found.starts[i] : found.ends[i]]
                if raw != raw.decode(errors="ignore").encode():
                    reasons[int(i)] = "it is not UTF-8; save the file as UTF-8"
        return reasons

    def _returns(self) -> Flags:
        """``(n,)``: a CR ends a field of the record, which polars would drop."""
        found, data = self.records, np.frombuffer(self.block, np.uint8)[: self.records.end]
        flags = np.zeros(len(found.starts), np.bool_)
        if b"\r" in self.block:
            ends = (data[:-1] == RETURN) & (data[1:] == ord(self.layout.separator))
            flags[np.searchsorted(found.ends, np.flatnonzero(ends))] = True
        return flags

    def _parse(self, chosen: Flags) -> pl.DataFrame:
        """The chosen records, by polars."""
        found, schema = self.records, dict.fromkeys(self.layout.columns, pl.String())
        data = self.block[: found.end]
        if not chosen.all():
            lengths = found.ends - found.starts + 1
            data = np.frombuffer(data, np.uint8)[np.repeat(chosen, lengths)].tobytes()
        if not data:
            return pl.DataFrame(schema=schema)
        frame = pl.read_csv(
            data,
            has_header=False,
            separator=self.layout.separator,
            quote_char='"' if found.quoted else None,
            schema=schema,
        )
        return _blank_to_null(frame) if found.quoted else frame

    def _with_odd(
        self, frame: pl.DataFrame, places: Places, odd: Places, reasons: dict[int, str]
    ) -> tuple[pl.DataFrame, Places]:
        """The records at ``places`` and those that polars would misread, which are parsed alone."""
        read: dict[int, list[str]] = {}
        for i in odd.tolist():
            try:
                read[i] = _fields(self._text(i), self.layout.separator)
            except csv.Error as error:
                reasons[i] = f"bad quoting: {error}"
        more = _blank_to_null(pl.DataFrame(list(read.values()), frame.schema, orient="row"))
        both = np.concatenate([places, np.asarray(list(read), np.intp)])
        order = np.argsort(both)
        return pl.concat([frame, more])[order], both[order]


def _blank_to_null(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.when(pl.all() != "").then(pl.all()))


def _fields(text: str, separator: str) -> list[str]:
    """The fields of a record; raises ``csv.Error``."""
    # csv would end the record at a bare CR; it is text like any other. No UTF-8 holds a surrogate.
    shielded = text.replace("\r", "\udc0d")
    fields = next(csv.reader([shielded], delimiter=separator, strict=True), [])
    return [field.replace("\udc0d", "\r") for field in fields]


CSV = TableFormat(
    name="csv",
    endings=(".csv",),
    media_type="text/csv",
    recognises=lambda head: b"," in (first := head.partition(b"\n")[0]) and b"\t" not in first,
    tables=partial(_tables, ","),
    formulations=("csv", "tsv"),
)
TSV = TableFormat(
    name="tsv",
    endings=(".tsv", ".tab", ".txt", ".sif"),
    media_type="text/tab-separated-values",
    recognises=lambda head: b"\t" in head.partition(b"\n")[0],
    tables=partial(_tables, "\t"),
    formulations=("csv", "tsv"),
)
