"""Excel workbooks: each sheet that holds a table is one.

Knows sheets and cells; knows nothing of what the columns mean. Cells become the text that their
type has in CSV and JSON: whole numbers without a point, dates as ISO 8601.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import polars as pl

from sightline.graph.record.loads import Note
from sightline.ingest.batch import Batch, unique_names
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.source import NoSuchTable, Selection, Source, Table, TableFormat

RECORDS_PER_BATCH = 50_000
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
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SourceUnreadable(
            source.path, f"it is larger than {MAX_BYTES >> 20} MiB; export its sheets as CSV"
        )
    try:
        book = calamine.load_workbook(io.BytesIO(data))
        sheets = [sheet for sheet in book.sheets_metadata if _is_sheet(sheet)]
        names = [sheet.name for sheet in sheets]
        if selection.table is not None and selection.table not in names:
            raise NoSuchTable(f"no sheet {selection.table!r}, only: {', '.join(names)}")
        for sheet in sheets:
            if selection.table in (None, sheet.name):
                yield from _table(source, sheet, book.get_sheet_by_name(sheet.name))
    except calamine.PasswordError as error:
        raise SourceUnreadable(source.path, "it is protected by a password") from error
    except (calamine.CalamineError, OSError) as error:
        reason = f"it is no sound workbook ({str(error)[:200]})"
        raise SourceUnreadable(source.path, reason) from error


def _is_sheet(sheet: Any) -> bool:
    return str(sheet.typ).endswith("WorkSheet")


def _table(source: Source, about: Any, sheet: Any) -> Iterator[Table]:
    """The sheet from its first row of several texts on, which names the columns."""
    rows = sheet.to_python(skip_empty_area=False)
    header = next((i for i, row in enumerate(rows) if _names_columns(row, rows)), None)
    if header is None:
        return
    used = [
        place
        for place in range(len(rows[header]))
        if any(row[place] not in ("", None) for row in rows[header:])
    ]
    called = [_text(rows[header][place]) or "" for place in used]
    notes = []
    if header and len(set(called)) < len(called):
        called = _grouped(called, [_text(rows[header - 1][place]) for place in used])
        some = ", ".join(called[:20])
        notes.append(Note(f"sheet {about.name}: two rows name the columns: {some}", True))
    names = unique_names(called)
    if header:
        notes.append(Note(f"sheet {about.name}: the {header} rows above its header were left out"))
    if not str(about.visible).endswith("Visible"):
        notes.append(Note(f"sheet {about.name} is hidden in the workbook; it was read", True))
    batches = _batches(source, names, used, rows, header + 1)
    name = about.name.strip().lower()
    yield Table(name, batches, selected=about.name, notes=notes, kind="sheet")


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
    filled = [cell for cell in row if cell not in ("", None)]
    width = max(sum(cell not in ("", None) for cell in other) for other in rows[:200])
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
            if any(cell not in ("", None) for cell in row)
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
