"""Parquet and Arrow (Feather) to batches of columns of texts.

Knows column types; knows nothing of what the columns mean. Lists stay lists. Where columns hold
structures, records are read as the objects of JSON Lines that they would be. Dates and times become
ISO 8601 text; null, ``""`` and NaN are no value.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import polars as pl

from sightline.ingest.batch import Batch, column_name, row_of
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats import conventions
from sightline.ingest.formats.json_lines import Block, tables_of
from sightline.ingest.formats.paths import PATH
from sightline.ingest.source import Selection, Source, Table, TableFormat
from sightline.ingest.streams import require_no_bomb

RECORDS_PER_BATCH = 100_000


Scan = Callable[[Path | io.BytesIO], pl.LazyFrame]


def _tables(scanned: Scan, source: Source, selection: Selection) -> Iterator[Table]:
    with _sound(source):
        schema = scanned(_unpacked(source)).collect_schema()
    if any(map(_holds_objects, schema.values())):
        yield from tables_of(source, selection, partial(_objects, scanned, source), "row")
    else:
        yield conventions.told(Table(source.stem, _batches(scanned, source)))


def _holds_objects(kind: pl.DataType) -> bool:
    inner = getattr(kind, "inner", None)
    return isinstance(kind, pl.Struct) or (inner is not None and _holds_objects(inner))


def _objects(scanned: Scan, source: Source) -> Iterator[Block]:
    """The records as objects, their values as texts."""
    for frame, rows, position in _frames(scanned, source):
        records = zip(rows, frame.iter_rows(named=True))
        yield [(row, record, None) for row, record in records], [], position


def _batches(scanned: Scan, source: Source) -> Iterator[Batch]:
    for frame, rows, position in _frames(scanned, source):
        named = frame.rename({name: column_name(name) for name in frame.columns})
        yield Batch(named, rows, _hashes(named), partial(row_of, named), position=position)


def _frames(scanned: Scan, source: Source) -> Iterator[tuple[pl.DataFrame, pl.Series, int]]:
    """The records of a file as texts, their numbers, and how far it was read."""
    size, expanded = source.path.stat().st_size, 0.0
    with _sound(source):
        scan = scanned(_unpacked(source))
        height = scan.select(pl.len()).collect().item()
        columns = [
            _texts(kind, pl.nth(place)).alias(name)
            for place, (name, kind) in enumerate(scan.collect_schema().items())
        ]
        for start in range(0, height, RECORDS_PER_BATCH):
            frame = scan.slice(start, RECORDS_PER_BATCH).select(columns).collect()
            expanded += frame.estimated_size()
            require_no_bomb(source.path, expanded, size, "write it as CSV")
            rows = pl.int_range(start + 1, start + 1 + frame.height, dtype=pl.UInt32, eager=True)
            yield frame, rows, size * (start + frame.height) // height


@contextmanager
def _sound(source: Source) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).partition("\n")[0][:200]
        what = f"it is no sound {source.format.name} file ({reason})"
        raise SourceUnreadable(source.path, what) from error


def _unpacked(source: Source) -> Path | io.BytesIO:
    with source.open() as stream:
        return io.BytesIO(stream.read()) if stream.packing else source.path


def _texts(kind: pl.DataType, values: pl.Expr) -> pl.Expr:
    """The same values as texts, in the lists and structures that they are in."""
    if isinstance(kind, pl.Struct) and not kind.fields:
        return pl.when(values.is_null()).then(pl.lit(None, pl.String))
    if isinstance(kind, pl.Struct):
        fields = [
            _texts(field.dtype, values.struct.field(field.name)).alias(field.name)  # type: ignore[arg-type]
            for field in kind.fields
        ]
        return pl.when(values.is_not_null()).then(pl.struct(fields))
    if isinstance(kind, pl.Array):
        return _texts(pl.List(kind.inner), values.arr.to_list())
    if isinstance(kind, pl.List):
        inner = _texts(kind.inner, pl.element())  # type: ignore[arg-type]
        flat = inner.explode() if isinstance(kind.inner, (pl.List, pl.Array)) else inner
        texts = values.list.eval(flat.drop_nulls())
        return pl.when(texts.list.len() > 0).then(texts)
    text = _text(kind, values)
    return pl.when(text != "").then(text)


def _text(kind: pl.DataType, values: pl.Expr) -> pl.Expr:
    if kind.is_temporal():
        return values.dt.to_string("iso:strict")
    if kind.is_float():
        values = values.fill_nan(None)
    if kind == pl.Binary:
        return values.map_batches(_decoded, return_dtype=pl.String)
    return values.cast(pl.String)


def _decoded(values: pl.Series) -> pl.Series:
    """Bytes as text where all are UTF-8, which many writers do not say; otherwise base64."""
    try:
        return values.cast(pl.String)
    except pl.exceptions.PolarsError:
        return values.bin.encode("base64")


def _hashes(frame: pl.DataFrame) -> pl.Series:
    """UInt64 ``(n,)``: a list counts as its texts in turn."""
    lists = [name for name, kind in frame.schema.items() if kind != pl.String]
    joined = [pl.col(name).list.join("\x1f") for name in lists]
    return frame.with_columns(joined).hash_rows()


PARQUET = TableFormat(
    name="Parquet",
    endings=(".parquet",),
    media_type="application/vnd.apache.parquet",
    recognises=lambda head: head.startswith(b"PAR1"),
    binary=True,
    tables=partial(_tables, pl.scan_parquet),
    formulations=("parquet",),
    selector=PATH,
    steady=True,
)
ARROW = TableFormat(
    name="Arrow",
    endings=(".arrow", ".feather", ".ipc"),
    media_type="application/vnd.apache.arrow.file",
    recognises=lambda head: head.startswith(b"ARROW1"),
    binary=True,
    tables=partial(_tables, pl.scan_ipc),
    formulations=("arrow",),
    selector=PATH,
    steady=True,
)
