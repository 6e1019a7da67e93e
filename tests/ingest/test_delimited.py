"""CSV and TSV: every well-formed record is read exactly, a bad one spoils no other."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sightline.ingest.batch import Batch, unique_names
from sightline.ingest.formats import delimited, quoting
from sightline.ingest.formats.delimited import CSV, read_delimited
from sightline.ingest.formats.dialect import Layout, fields
from sightline.ingest.formats.quoting import Records
from sightline.ingest.source import Selection, Source
from sightline.ingest.streams import PACKED

CELL = st.text(alphabet="ab\",;\t \n|'é日\U0001f600<&=", max_size=6)


def read(data: bytes, columns: int, separator: str = ",", block: int = 8 << 20) -> list[Batch]:
    """Read a file without a header in blocks of ``block`` bytes."""
    layout = Layout(separator, unique_names([""] * columns), 0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(data)
        with patch.object(delimited, "BLOCK", block):
            return list(read_delimited(Source(path, CSV), layout))


def records(batches: list[Batch]) -> list[tuple[str | None, ...]]:
    return [row for batch in batches for row in batch.frame.rows()]


def rows(batches: list[Batch]) -> list[int]:
    return [row for batch in batches for row in batch.rows]


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 4))
    return draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=8))


@settings(max_examples=300)
@given(
    table=tables(),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    block=st.sampled_from([3, 17, 8 << 20]),
)
def test_what_the_csv_module_writes_is_read_exactly(table, separator, end, quoting, block) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows(table)
    batches = read(out.getvalue().encode(), len(table[0]), separator, block)
    blanks = " " if separator == "\t" else " \t"
    wanted = [tuple(cell.strip(blanks) or None for cell in row) for row in table]
    kept = [any(row) or quoting == csv.QUOTE_ALL for row in table]
    assert records(batches) == [row for row, keep in zip(wanted, kept) if keep]
    reader = csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=separator)
    ends = [0, *(reader.line_num for _ in reader)]
    assert rows(batches) == [line + 1 for line, keep in zip(ends[:-1], kept) if keep]
    assert [r for batch in batches for r in batch.rejected] == []


@settings(max_examples=300)
@given(st.binary(max_size=60) | st.text('a",\n\r', max_size=60).map(str.encode), st.integers(1, 3))
def test_no_bytes_break_the_reader_and_blocks_change_nothing(data: bytes, width: int) -> None:
    assume(not data.startswith(tuple(PACKED)))
    whole, blocks = read(data, width), read(data, width, block=7)
    assert records(whole) == records(blocks)
    assert rows(whole) == rows(blocks)
    rejected = [[r for batch in batches for r in batch.rejected] for batches in (whole, blocks)]
    assert rejected[0] == rejected[1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"a", "1 fields where the header has 3"),
        (b"a,b,c,d", "4 fields where the header has 3"),
        (
            b"a,\xff\xfe,c",
            "it is not UTF-8; save the file as UTF-8, or say its encoding with --encoding",
        ),
        (b"a,b\0,c", "it holds a NUL byte"),
        (b'a,"b"x,c', "bad quoting: ',' expected after '\"'"),
        (b'a,"b,c', "a quote is opened and never closed"),
    ],
)
def test_a_bad_record_is_set_aside_with_line_reason_and_text(line: bytes, reason: str) -> None:
    before, after = b'1,2,3\n\n4,"5\n5",6\n', b"7,8,9\n"
    batches = read(before + line + b"\n" + after, 3)
    assert records(batches) == [("1", "2", "3"), ("4", "5\n5", "6"), ("7", "8", "9")]
    assert rows(batches) == [1, 3, 6]
    (rejected,) = [r for batch in batches for r in batch.rejected]
    assert rejected == (5, reason, line.decode(errors="replace"))


def test_fields_are_counted_record_by_record_where_they_have_the_right_number_together() -> None:
    batches = read(b"a,b,c\n1\n2,3\n", 2)
    assert records(batches) == [("1", None), ("2", "3")]
    (rejected,) = [r for batch in batches for r in batch.rejected]
    assert rejected == (1, "3 fields where the header has 2", "a,b,c")


def test_cells_keep_their_text() -> None:
    line = '00260881,nan,null,1e5,x y,say "hi",=SUM(A1),<script>,it\'s'
    (record,) = records(read(line.encode(), 9))
    assert list(record) == line.split(",")


def test_the_raw_text_of_any_record_is_at_hand() -> None:
    (batch,) = read(b'a,b\r\n1,2,3\r\n"c ""d""",e\r\n', 2)
    assert [batch.raw(i) for i in range(2)] == ["a,b", '"c ""d""",e']


def test_equal_records_have_equal_hashes_and_others_do_not() -> None:
    (batch,) = read(b"a,b\na,b\nb,a\n,a\na,\nab,\n", 2)
    hashes = batch.hashes.to_list()
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 5


def test_unnamed_and_repeated_columns_get_a_number() -> None:
    assert unique_names([" a ", "", "a"]) == ("a", "column_2", "a.2")


class Counting:
    """Bytes cut into records, and characters parsed one record at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.work = 0
        cut, parse = delimited.find_records, delimited.fields

        def counted_cut(block: bytes, *more: object) -> Records:
            self.work += len(block)
            return cut(block, *more)  # type: ignore[arg-type]

        def counted_parse(text: str, *more: object) -> list[str]:
            self.work += len(text)
            return parse(text, *more)  # type: ignore[arg-type]

        monkeypatch.setattr(delimited, "find_records", counted_cut)
        monkeypatch.setattr(delimited, "fields", counted_parse)


LINES = {
    "one in 1001 is not closed": [b'a,"b'] + [b"a,b"] * 1000,
    "none is closed": [b'a,"b'],
    "each closes one and opens another": [b'b","b'],
    "in the middle, beside closed ones": [b'5" pipe,b', b'"x",y'],
    "not closed, in lines of CRLF": [b'a,"b\r'] + [b"a,b\r"] * 1000,
    "goes on after it was closed": [b'"a"b,c'],
    "one in 1001 is quoted": [b'"a",b'] + [b"a,b"] * 1000,
    "a text of 900 lines": [b'"a', *[b"b"] * 898, b'c",d'],
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("block", [4096, 8 << 20])
def test_work_grows_with_the_file_whatever_the_quotes(
    monkeypatch: pytest.MonkeyPatch, name: str, block: int
) -> None:
    lines = LINES[name]
    data = b"\n".join(lines * (20_000 // len(lines))) + b"\n"
    counting = Counting(monkeypatch)
    batches = read(data, 2, block=block)
    assert sum(batch.read for batch in batches) > 0
    assert counting.work <= 8 * len(data)


def test_a_header_that_is_not_closed_spoils_no_record(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'id,"label\n' + b"1,a\n" * 100_000)
    (table,) = CSV.tables(Source(path, CSV), Selection())
    batches = list(table.batches)
    assert [r for batch in batches for r in batch.rejected] == []
    assert batches[0].frame.columns == ["id", '"label']
    assert sum(batch.frame.height for batch in batches) == 100_000


@given(st.text('a",\n\r', max_size=40).map(str.encode), st.sampled_from([2, 1000]))
@settings(max_examples=500)
def test_records_are_those_of_the_csv_module_and_a_bad_one_spoils_its_line(
    data: bytes, most_lines: int
) -> None:
    assume(not data.startswith(tuple(PACKED)))
    with patch.object(quoting, "MAX_QUOTED_LINES", most_lines):
        batches = read(data, 2)
    wanted: list[tuple[int, tuple[str | None, ...]]] = []
    lines = data.decode().split("\n")
    lines = lines if lines[-1] else lines[:-1]
    place = 0
    while place < len(lines):
        for count in range(1, min(most_lines, len(lines) - place) + 1):
            try:
                text = "\n".join(lines[place : place + count]).removesuffix("\r")
                record = fields(text, ",")
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    continue
                count = 1
                break
            record += [""] * (2 - len(record))
            bare = text.rstrip(",")
            if 0 < len(record) - 2 <= len(text) - len(bare):
                record = record[:2]
            if len(record) == 2 and text and not set(text) <= {","}:
                wanted.append((place + 1, tuple(cell or None for cell in record)))
            break
        else:
            count = 1
        place += count
    assert list(zip(rows(batches), records(batches))) == wanted
