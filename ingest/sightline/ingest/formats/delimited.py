"""CSV and TSV, and other delimited text, to batches of columns, each record with its line.

Knows columns and cells; knows nothing of what they mean. How a file is laid out is told by
``dialect``. Where records end is decided on bytes (``quoting``), so that a bad record is set aside
with its line and text and cannot spoil its neighbours; polars parses the rest.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np
import polars as pl

from sightline.graph.arrays import Flags
from sightline.graph.record.loads import Note
from sightline.ingest.batch import Batch, Rejected
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats import conventions
from sightline.ingest.formats.dialect import Layout, fields, layout_of, prepared_blocks
from sightline.ingest.formats.header import HEADERLESS
from sightline.ingest.formats.matrix import as_edges
from sightline.ingest.formats.nulls import Nulls
from sightline.ingest.formats.quoting import RETURN, Places, Records, find_records
from sightline.ingest.source import JUDGED, Selection, Source, Table, TableFormat
from sightline.ingest.streams import BLOCK, MAX_RECORD

#: A file of this name without a header has ``name, definition`` in its second column, as the
#: published definitions of WordNet have.
DEFINITIONS = "definitions"
#: Bytes of the longest file of nothing but a header.
LONGEST_HEADER = 1 << 16
NO_UTF8 = "it is not UTF-8; save the file as UTF-8, or say its encoding with --encoding"


def _tables(usual: str, source: Source, selection: Selection) -> Iterator[Table]:
    layout = layout_of(source, usual, selection.columns)
    notes = list(layout.notes)
    batches = read_delimited(source, layout, notes, selection.nulls)
    if source.stem == DEFINITIONS and layout.columns == HEADERLESS[2]:
        batches = map(_with_definition, batches)
    if source.judged:
        batches = (_judged(batch, source.judged) for batch in batches)
    batches = iter(batches)
    first = next(batches, None)
    conventions.require_records(source, layout.columns, first is not None)
    read = batches if first is None else chain([first], batches)
    table = conventions.told(Table(source.stem, read, kind="line", notes=notes), guarded=True)
    yield as_edges(table) if selection == Selection() else table


def header_of(source: Source) -> tuple[str, ...]:
    """The names of columns in a file that is nothing but the header of a convention; empty for
    others."""
    if source.format not in (CSV, TSV) or source.path.stat().st_size > LONGEST_HEADER:
        return ()
    with source.open() as stream:
        line, _, rest = stream.read(BLOCK).decode(errors="replace").strip().partition("\n")
    separator = max(",;\t|", key=line.count)
    names = tuple(line.rstrip("\r").split(separator))
    return names if not rest and conventions.names_columns(names) else ()


def _with_definition(batch: Batch) -> Batch:
    """Cut the label at its first comma; the rest is the definition."""
    parts = pl.col("label").str.splitn(", ", 2).struct
    frame = batch.frame.with_columns(
        label=parts.field("field_0"), definition=parts.field("field_1")
    )
    return replace(batch, frame=frame)


def _judged(batch: Batch, sign: str) -> Batch:
    """The triples after which a sign stands, without it; what has none is set aside once."""
    after = batch.frame.columns[3]
    said = batch.frame[after].fill_null("")
    places = (said == sign).arg_true()
    frame = batch.frame.drop(after)[places]
    reason = f"neither {' nor '.join(JUDGED)} stands after it"
    odd = (~said.is_in(JUDGED)).arg_true().to_list() if sign == JUDGED[0] else []
    rejected = [Rejected(batch.rows[i], reason, batch.raw(i)) for i in odd]
    return replace(
        batch,
        frame=frame,
        rows=batch.rows[places],
        hashes=frame.hash_rows(),
        raw=lambda i: batch.raw(places[i]),
        rejected=[*batch.rejected, *rejected],
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


@dataclass(slots=True)
class _Tally:
    """What was changed or passed over while records were read."""

    nulls: Nulls | None
    filled: int = 0
    cut: int = 0
    blank: int = 0
    comments: int = 0
    trimmed: int = 0

    def notes(self, width: int) -> Iterator[Note]:
        """One sentence for each."""
        if self.filled:
            text = f"{_count(self.filled, 'record')} had fewer than {width} fields"
            yield Note(f"{text}; those that lack have no value", warning=True)
        if self.cut:
            text = f"{_count(self.cut, 'record')} had more than {width} fields"
            yield Note(f"{text}, empty ones, which were cut off")
        if self.blank:
            yield Note(f"passed over: {_count(self.blank, 'line')} of separators alone")
        if self.comments:
            yield Note(f"passed over: {_count(self.comments, 'comment line')} between records")
        if self.trimmed:
            text = f"{_count(self.trimmed, 'cell')} had blanks around"
            yield Note(f"{text}, which were cut off")
        if self.nulls:
            yield from self.nulls.notes()


def read_delimited(
    source: Source, layout: Layout, notes: list[Note] | None = None, nulls: bool = False
) -> Iterator[Batch]:
    """The records of a file as String columns.

    Args:
        notes: what was changed or passed over is added to them at the end.
        nulls: somebody else knows which cells are no value; here it is the empty ones.

    Raises:
        SourceUnreadable
    """
    line, skip, carry = 1, layout.header_lines, b""
    tally = _Tally(None if nulls or layout.exact else Nulls())
    with source.open() as stream:
        read: Callable[[int], bytes] = stream.read
        if layout.cut != layout.separator:
            read = prepared_blocks(stream.line_blocks(), layout.separator)
        while True:
            # What is left of the last block is read again, so at least as much is added to it.
            data = read(max(BLOCK, len(carry)))
            block, at_end = carry + data, not data
            if at_end and block and not block.endswith(b"\n"):
                block += b"\n"
            start = 0
            while skip and (start := block.find(b"\n", start) + 1):
                skip, line = skip - 1, line + 1
            block = block[start:]
            if block and not skip:
                records = find_records(block, layout.cut, at_end, layout.quotes, layout.blanks)
                part = _Part(block, line, layout, records, tally).batch()
                if part.read:
                    yield replace(part, position=stream.position)
                block, line = block[records.end :], line + records.end_line
            carry = block
            if at_end:
                if notes is not None:
                    notes += tally.notes(len(layout.columns))
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
    tally: _Tally

    def batch(self) -> Batch:
        """Set the bad records aside and parse the others."""
        found, width = self.records, len(self.layout.columns)
        reasons, keep = self._passed()
        reasons |= found.bad | self._undecodable()
        keep[list(reasons)] = False
        alone = keep & (found.odd | self._returns())
        frame = self._parse(keep & ~alone)
        if frame.height != (keep & ~alone).sum():  # polars saw other records than we: trust neither
            alone, frame = keep, frame.clear()
        places = np.flatnonzero(keep & ~alone)
        if alone.any():
            frame, places = self._with_odd(frame, places, np.flatnonzero(alone), reasons)
        self.tally.filled += int((found.fields[places] < width).sum())
        self.tally.cut += int((found.fields[places] > width).sum())
        if not self.layout.exact:
            frame = self._trimmed(frame)
        if self.tally.nulls:
            frame = self.tally.nulls.taken_out(frame)
        rejected = [
            Rejected(self.line + int(found.lines[i]), reasons[i], self._shown(i))
            for i in sorted(reasons)
        ]
        rows = pl.Series((self.line + found.lines[places]).astype(np.uint32))
        return Batch(frame, rows, frame.hash_rows(), lambda i: self._shown(places[i]), rejected)

    def _passed(self) -> tuple[dict[int, str], Flags]:
        """Records with too many fields or too few, with the reason; those that are read."""
        found, width = self.records, len(self.layout.columns)
        data = np.frombuffer(self.block, np.uint8)[: found.end]
        lengths = found.ends - found.starts
        lengths -= (lengths > 0) & (data[found.ends - 1] == RETURN)
        empty = lengths == 0
        blank = ~empty & (lengths == found.fields - 1)
        self.tally.blank += int(blank.sum())
        keep = ~empty & ~blank
        if (found.fields == width).all():  # as in most files
            return {}, keep
        if self.layout.comment:
            mark = data[found.starts] == ord(self.layout.comment)
            comments = keep & mark & (found.fields != width)
            self.tally.comments += int(comments.sum())
            keep &= ~comments
        # A record that lacks some of its last fields is filled; a line without a separator among
        # records of many fields is something else. Empty fields too many are cut.
        last = data[np.maximum(found.starts + lengths - 1, 0)]
        ends_empty = (found.fields == width + 1) & (last == ord(self.layout.cut))
        wrong = (found.fields > width) & ~ends_empty
        if width > 2:
            wrong |= found.fields == 1
        reasons = {
            int(i): f"{found.fields[i]} fields where the header has {width}"
            for i in np.flatnonzero(keep & wrong)
            if found.fields[i] < width or not self._ends_empty(int(i))
        }
        return reasons, keep

    def _ends_empty(self, i: int) -> bool:
        """Whether the fields of a record beyond those of the header are empty."""
        separator = self.layout.cut
        text = self._text(i)
        bare = text.rstrip(separator + " ")
        more = int(self.records.fields[i]) - len(self.layout.columns)
        return text[len(bare) :].count(separator) >= more

    def _trimmed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame without blanks around cells."""
        blanks = " " if self.layout.cut == "\t" else " \t"
        if not self._may_have(blanks):
            return frame
        bare = frame.with_columns(pl.all().str.strip_chars(blanks))
        before, after = (
            sum(x or 0 for x in f.select(pl.all().str.len_bytes().sum()).row(0))
            for f in (frame, bare)
        )
        if before == after:
            return frame
        self.tally.trimmed += sum((frame != bare).sum().row(0))
        return _blank_to_null(bare)

    def _may_have(self, blanks: str) -> bool:
        """Whether a blank stands beside a separator, a quote or a line end."""
        data = np.frombuffer(self.block, np.uint8)
        edge = np.zeros(256, np.bool_)
        edge[[ord(sign) for sign in (self.layout.cut, "\n", "\r", '"')]] = True
        for blank in map(ord, blanks):
            if blank not in self.block:  # which is told sooner than where
                continue
            places = np.flatnonzero(data == blank)
            if len(places) and places[0] == 0:
                return True
            after = np.minimum(places + 1, len(data) - 1)
            if edge[data[places - 1]].any() or edge[data[after]].any():
                return True
        return False

    def _text(self, i: int) -> str:
        """The record as it stands in the source."""
        raw = self.block[self.records.starts[i] : self.records.ends[i]]
        return raw.removesuffix(b"\r").decode(errors="replace")

    def _shown(self, i: int) -> str:
        """The record with its own separator, as it stands in the source."""
        text = self._text(i)
        one, own = self.layout.cut, self.layout.separator
        return text if one == own else text.replace(one, own)

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
                    reasons[int(i)] = NO_UTF8
        return reasons

    def _returns(self) -> Flags:
        """``(n,)``: a CR ends a field of the record, which polars would drop."""
        found, data = self.records, np.frombuffer(self.block, np.uint8)[: self.records.end]
        flags = np.zeros(len(found.starts), np.bool_)
        if b"\r" in self.block:
            ends = (data[:-1] == RETURN) & (data[1:] == ord(self.layout.cut))
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
            separator=self.layout.cut,
            quote_char='"' if found.quoted else None,
            schema=schema,
            truncate_ragged_lines=True,
            missing_columns="insert",
            extra_columns="ignore",
        )
        return _blank_to_null(frame) if found.quoted else frame

    def _with_odd(
        self, frame: pl.DataFrame, places: Places, odd: Places, reasons: dict[int, str]
    ) -> tuple[pl.DataFrame, Places]:
        """The records at ``places`` and those that polars would misread, which are parsed alone."""
        layout, width = self.layout, len(self.layout.columns)
        read: dict[int, list[str]] = {}
        for i in odd.tolist():
            try:
                cells = fields(self._text(i), layout.cut, layout.quotes, layout.blanks)
                read[i] = (cells + [""] * (width - len(cells)))[:width]
            except csv.Error as error:
                reasons[i] = f"bad quoting: {error}"
        more = _blank_to_null(pl.DataFrame(list(read.values()), frame.schema, orient="row"))
        both = np.concatenate([places, np.asarray(list(read), np.intp)])
        order = np.argsort(both)
        return pl.concat([frame, more])[order], both[order]


def _blank_to_null(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.when(pl.all() != "").then(pl.all()))


CSV = TableFormat(
    name="csv",
    endings=(".csv",),
    media_type="text/csv",
    recognises=lambda head: b"," in (first := head.partition(b"\n")[0]) and b"\t" not in first,
    tables=partial(_tables, ","),
    check=partial(layout_of, usual=","),
    legacy=True,
    formulations=("csv", "tsv"),
    steady=True,
)
TSV = TableFormat(
    name="tsv",
    endings=(".tsv", ".tab", ".txt", ".sif"),
    media_type="text/tab-separated-values",
    recognises=lambda head: b"\t" in head.partition(b"\n")[0],
    tables=partial(_tables, "\t"),
    check=partial(layout_of, usual="\t"),
    legacy=True,
    formulations=("csv", "tsv"),
    steady=True,
)
