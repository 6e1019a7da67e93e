"""Excel workbooks: each sheet that holds a table is one.

Knows sheets and cells; knows nothing of what the columns mean. Cells become the text that their
type has in CSV and JSON: whole numbers without a point, dates as ISO 8601.
"""

from __future__ import annotations

import io
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from itertools import chain
from typing import Any
from zipfile import BadZipFile, ZipFile

import polars as pl

from sightline.graph.record.loads import Note
from sightline.ingest.batch import Batch, unique_names
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats.header import two_lines
from sightline.ingest.profile.names import SUMS
from sightline.ingest.source import NoSuchTable, Selection, Source, Table, TableFormat
from sightline.ingest.streams import BLOCK, require_no_bomb

RECORDS_PER_BATCH = 50_000
#: Rows that show what is a header.
LOOKED_AT = 200
#: A workbook is unpacked in memory, so it may not be larger than this.
MAX_BYTES = 256 << 20
MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def _recognises(head: bytes) -> bool:
    """A zip archive or compound file that holds a workbook, which its first entries tell."""
    if head.startswith(MAGIC[0]):
        return (
            b"xl/" in head or b"[Content_Types].xml" in head[:64] or b"opendocument" in head[:128]
        )
    return head.startswith(MAGIC[1]) and "Workbook".encode("utf-16-le") in head


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    import python_calamine as calamine

    with source.open() as stream:
        data = stream.whole("export its sheets as CSV", MAX_BYTES)
    try:
        left = _never_calculated(source, data)
        book = calamine.load_workbook(io.BytesIO(data))
        sheets = [one for one in book.sheets_metadata if str(one.typ).endswith("WorkSheet")]
        names = [sheet.name for sheet in sheets]
        wanted, found, lists = selection.table, list[Table](), dict[str, None]()
        for sheet in sheets:
            if wanted is None or wanted == sheet.name or wanted.startswith(f"{sheet.name}#"):
                for width, table in _tables_of(source, sheet, book.get_sheet_by_name(sheet.name)):
                    if wanted is None and width < 2:
                        lists[str(table.selected)] = None
                    elif wanted in (None, table.selected):
                        found.append(table)
                        yield table
        if wanted is not None and wanted not in names and not found:
            raise NoSuchTable(f"no sheet {wanted!r}, only: {', '.join(names)}")
        if lists and not found:
            raise SourceUnreadable(source.path, f"{_no_table(lists)}; {A_LIST}")
        if lists:
            found[-1].notes.append(Note(f"left out: {_no_table(lists)}; {A_LIST}", warning=True))
        if found and left:
            text = f"{left:,} formulas were never calculated and have no value: open the workbook"
            found[-1].notes.append(Note(f"{text} in a spreadsheet program and save it", True))
    except calamine.PasswordError as error:
        raise SourceUnreadable(source.path, "it is protected by a password") from error
    except (calamine.CalamineError, OSError) as error:
        reason = f"it is no sound workbook ({str(error)[:200]})"
        raise SourceUnreadable(source.path, reason) from error


#: What to do with a list of values, which says nothing of them.
A_LIST = "say with --mapping what a list means"
#: A formula without its value, in the cell of a sheet that is no text: that of an empty one is so.
NEVER_CALCULATED = re.compile(
    rb'<c\b(?![^>]*\st="str")[^>]*>\s*<f[^<]*</f>\s*(?:<v\s*/>|<v></v>|</c>)'
)


def _no_table(sheets: Iterable[str]) -> str:
    return f"one column is no table: {', '.join(f'sheet {name}' for name in sheets)}"


def _never_calculated(source: Source, data: bytes) -> int:
    """How many formulas of a workbook have no value: programs that only write leave them to those
    that calculate. All that it holds is unpacked for that, some at a time.

    Raises:
        SourceUnreadable: it is damaged, holds more than it says, or is a decompression bomb.
    """
    if not data.startswith(MAGIC[0]):
        return 0
    try:
        with ZipFile(io.BytesIO(data)) as packed:
            expanded = sum(one.file_size for one in packed.infolist())
            require_no_bomb(source.path, expanded, len(data), "export its sheets as CSV")
            return sum(_formulas_left(packed, name) for name in packed.namelist())
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        reason = f"it is no sound workbook ({str(error)[:200]})"
        raise SourceUnreadable(source.path, reason) from error


def _formulas_left(packed: ZipFile, name: str) -> int:
    count, rest = 0, b""
    with packed.open(name) as stream:
        while block := stream.read(BLOCK):
            text = rest + block
            cells, mark, last = text.rpartition(b"<c")
            rest = mark + last
            if len(last) >= BLOCK:  # no cell is as long
                cells, rest = text, b""
            count += len(NEVER_CALCULATED.findall(cells))
    return count + len(NEVER_CALCULATED.findall(rest))


def _tables_of(source: Source, about: Any, sheet: Any) -> Iterator[tuple[int, Table]]:
    """The tables of a sheet, each after its width: one, and others below it after an empty row,
    where a row of names shows that they are others. Those have the number of the table after the
    name of the sheet."""
    rows = sheet.to_python(skip_empty_area=False)
    starts = _starts(rows)
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(rows)]), 1):
        name = about.name if number == 1 else f"{about.name}#{number}"
        notes = []
        if number > 1:
            text = (
                f"sheet {about.name}: what begins in row {start + 1} is a table of its own, {name}"
            )
            notes.append(Note(text, warning=True))
        if not str(about.visible).endswith("Visible"):
            notes.append(Note(f"sheet {about.name} is hidden in the workbook; it was read", True))
        merged = sheet.merged_cell_ranges or ()
        yield from _table(source, name, rows[:end], start, merged, notes)


def _starts(rows: Sequence[Sequence[Any]]) -> list[int]:
    """Where the tables of a sheet begin. A row of texts after an empty one begins another if it
    stands where the table above has no text, or names the columns of that table again."""
    starts = [0]
    header = _header(rows, 0)
    for place in range((header or 0) + 2, len(rows)):
        if (
            header is None
            or any(map(_filled, rows[place - 1]))
            or not any(map(_filled, rows[place]))
        ):
            continue
        block = rows[place : _end(rows, place)]
        following = _header(block, 0)
        if following is None or following + 1 == len(block):
            continue
        following += place
        names, above = rows[following], rows[header + 1 : min(place, header + LOOKED_AT)]
        others = [
            any(_filled(row[i]) for row in above)
            and not any(isinstance(row[i], str) and row[i] for row in above)
            for i, name in enumerate(names)
            if _filled(name)
        ]
        if any(others) or list(names) == list(rows[header]):
            starts.append(place)
            header = following
    return starts


def _end(rows: Sequence[Sequence[Any]], start: int) -> int:
    """The first empty row after a row."""
    places = range(start, len(rows))
    return next((i for i in places if not any(map(_filled, rows[i]))), len(rows))


def _filled(cell: Any) -> bool:
    return cell not in ("", None)


def _header(rows: Sequence[Sequence[Any]], start: int) -> int | None:
    return next((i for i in range(start, len(rows)) if _names_columns(rows[i], rows[start:])), None)


def _table(
    source: Source,
    name: str,
    rows: list[list[Any]],
    start: int,
    merged: Iterable[tuple[tuple[int, int], tuple[int, int]]],
    notes: list[Note],
) -> Iterator[tuple[int, Table]]:
    """A table, after its width, from its first row of several texts on, which names the columns.

    Args:
        start: the first of its rows; those before are of others.
        merged: the first and the last row and column of cells that are one.
    """
    header = _header(rows, start)
    if header is None:
        return
    used = [
        place
        for place in range(len(rows[header]))
        if any(_filled(row[place]) for row in rows[header:])
    ]
    called = [_text(rows[header][place]) or "" for place in used]
    sheet = f"sheet {name}"
    if header > start and len(set(called)) < len(called):
        called = _grouped(called, [_text(rows[header - 1][place]) for place in used])
        notes.append(Note(f"{sheet}: two rows name the columns: {', '.join(called[:20])}", True))
    below = [[_text(row[i]) or "" for i in used] for row in rows[header + 1 : header + LOOKED_AT]]
    begin = header + 1
    if two := two_lines(called, below):
        called, begin = two, begin + 1
        notes.append(Note(f"{sheet}: two rows name the columns: {', '.join(called[:20])}", True))
    names = unique_names(called)
    if header > start:
        above = "the row" if header == start + 1 else f"the {header - start} rows"
        notes.append(Note(f"{sheet}: left out: {above} above its header"))
    over = dict[str, None]()
    for (first, column), (last, _) in merged:
        if begin <= first < last and column in used:
            over[names[used.index(column)]] = None
            for row in rows[first + 1 : last + 1]:
                row[column] = rows[first][column]
    if over:
        text = f"cells over several rows hold for each of them: {', '.join(over)}"
        notes.append(Note(f"{sheet}: {text}"))
    end = _foot(rows, begin, len(used))
    if end < len(rows) and any(map(_filled, chain.from_iterable(rows[end:]))):
        texts = [cell for cell in map(_text, chain.from_iterable(rows[end:])) if cell]
        said = f"left out: what stands below its records: {', '.join(texts[:5])}"
        notes.append(Note(f"{sheet}: {said[:200]}"))
    batches = _batches(source, names, used, rows[:end], begin)
    table = Table(name.strip().lower(), batches, selected=name, notes=notes, kind="sheet")
    yield len(used), table


def _foot(rows: Sequence[Sequence[Any]], begin: int, width: int) -> int:
    """Where the records end: before remarks after an empty row, and before the sums of all."""
    end = _last(rows, len(rows))
    gap = max((i for i in range(begin, end) if not any(map(_filled, rows[i]))), default=end)
    below = [[cell for cell in row if _filled(cell)] for row in rows[gap + 1 : end]]
    if width > 2 and all(len(cells) == 1 and isinstance(cells[0], str) for cells in below):
        end = _last(rows, gap)
    if end - 1 > begin + 1 and _sums(rows[end - 1], rows[begin : end - 1]):
        end = _last(rows, end - 1)
    return end


def _last(rows: Sequence[Sequence[Any]], end: int) -> int:
    """After the last row before ``end`` that is not empty."""
    return next((i for i in range(end, 0, -1) if any(map(_filled, rows[i - 1]))), 0)


def _sums(row: Sequence[Any], records: Sequence[Sequence[Any]]) -> bool:
    """Whether a row is called as sums are and holds nothing but the sums of the records."""
    filled = [(place, cell) for place, cell in enumerate(row) if _filled(cell)]
    (_, called), *numbers = filled
    if not isinstance(called, str) or called.strip().rstrip(":").lower() not in SUMS:
        return False
    return all(
        _is_number(cell)
        and math.isclose(cell, sum(r[place] for r in records if _is_number(r[place])), abs_tol=0.01)
        for place, cell in numbers
    )


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float)) and not isinstance(cell, bool)


def _grouped(names: Sequence[str], above: Sequence[str | None]) -> list[str]:
    """Names that come again, after what stands in the row above them or before them there:
    ``Q1`` below ``2023``, whose cell reaches over several columns."""
    group, out, times = "", [], Counter(names)
    for name, cell in zip(names, above):
        group = cell or group
        out.append(f"{group} {name}".strip() if times[name] > 1 else name)
    return out


def _names_columns(row: Sequence[Any], rows: Sequence[Sequence[Any]]) -> bool:
    """Whether a row can be the header: its filled cells are texts, and as many as the table is
    wide where people write titles above it."""
    filled = list(filter(_filled, row))
    width = max(sum(map(_filled, other)) for other in rows[:LOOKED_AT])
    return bool(filled) and all(isinstance(c, str) for c in filled) and 2 * len(filled) > width


def _batches(
    source: Source, names: Sequence[str], used: Sequence[int], rows: list[list[Any]], first: int
) -> Iterator[Batch]:
    """The records below the header; ``rows`` of a batch are those of the sheet."""
    size = source.path.stat().st_size
    for start in range(first, len(rows), RECORDS_PER_BATCH):
        part = [
            (number, [_text(row[place]) for place in used])
            for number, row in enumerate(rows[start : start + RECORDS_PER_BATCH], start + 1)
            if any(map(_filled, row))
        ]
        cells = [record for _, record in part]
        frame = pl.DataFrame(cells, dict.fromkeys(names, pl.String), orient="row")
        numbers = pl.Series([number for number, _ in part], dtype=pl.UInt32)
        position = size * min(start + RECORDS_PER_BATCH, len(rows)) // len(rows)
        yield Batch(frame, numbers, frame.hash_rows(), partial(_raw, cells), position=position)


def _raw(cells: list[list[str | None]], i: int) -> str:
    return json.dumps(cells[i], ensure_ascii=False)


def _text(cell: Any) -> str | None:
    """A cell as text; None where it is empty."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        midnight = cell.time() == time()
        return cell.date().isoformat() if midnight else cell.isoformat()
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return f"PT{cell.total_seconds():g}S"
    return str(cell).strip() or None


EXCEL = TableFormat(
    name="excel",
    endings=(".xlsx", ".xls", ".xlsm", ".xlsb", ".ods"),
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    recognises=_recognises,
    binary=True,
    tables=_tables,
    formulations=("excel",),
    selector=re.compile(r"[^$].*"),
)
