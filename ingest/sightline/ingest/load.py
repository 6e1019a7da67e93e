"""Sources to loads: the one door of this component.

Knows the order of things: find, hash, read, set bad records aside, store. Knows no format. Each
source is read and committed on its own; one that fails leaves the earlier ones where they are and
nothing of itself.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sightline.graph.errors import SightlineError
from sightline.graph.progress import Progress, silent
from sightline.graph.record.loads import Counts, Load, LoadWriter, Note, load_id, now
from sightline.graph.record.statements import COLUMNS, QUALIFIERS
from sightline.graph.storage.artifact import is_intact, sha256_of
from sightline.graph.storage.errors import DamagedArtifact, FormatMismatch
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.batch import Batch, Rejected, Seen
from sightline.ingest.columns import BadValue, map_batch
from sightline.ingest.discover import discover, shown_names
from sightline.ingest.errors import (
    SourceEmpty,
    SourceSyntaxError,
    SourceUnreadable,
    TooManyRejected,
)
from sightline.ingest.mapping import read_mapping
from sightline.ingest.numbering import Numbering
from sightline.ingest.reading import Reading, ReadTable, plan
from sightline.ingest.source import Source, StatementFormat
from sightline.ingest.terms import TableMap

#: A source of which more than this share is bad is not what it is taken for.
MOST_REJECTED = 0.5
#: So many bad records, and more than that share so far: the rest is not read any more.
ENOUGH_REJECTED = 10_000


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a source.

    Attributes:
        known: the workspace held this load already, and nothing was written.
    """

    load: Load
    known: bool


def ingest(
    ws: Workspace,
    sources: Sequence[str | Path],
    *,
    mapping: Path | None = None,
    strict: bool = False,
    progress: Progress = silent,
) -> list[Result]:
    """Load files, folders and globs; each file becomes one load.

    The same source read in the same way is one load: the second time nothing is written, and a
    retracted load is active again.

    Args:
        mapping: a YAML file; what tables that it does not name mean is found out from all of them
            together.
        strict: the first bad record or value is an error.

    Raises:
        SourceError: of the first source that cannot be loaded; earlier ones are committed.
        WorkspaceLocked, NotWritable, DiskFull
    """
    found = discover(sources)
    rules = None if mapping is None else read_mapping(mapping, ws.settings.prefixes)
    if rules is not None:
        rules.require_use(found)
    look = Shown(progress, found, "profile")
    readings = plan(found, rules, ws.settings, look.at)
    show = Shown(progress, found, "ingest")
    results: list[Result] = []
    with ws.lock():
        names = shown_names([source.path for source in found], _names_of_loads(ws))
        for source, reading, name in zip(found, readings, names):
            try:
                results.append(_ingest(ws, source, name, reading, strict, show))
            except SightlineError as error:
                if results:
                    some = "source before it was" if len(results) == 1 else "sources before it were"
                    error.args = (f"{error} ({len(results)} {some} loaded)",)
                raise
            show.finish(source)
    return results


class Shown:
    """Progress in bytes over all sources."""

    def __init__(self, progress: Progress, sources: Sequence[Source], stage: str) -> None:
        self._progress = progress
        self._stage = stage
        self._sizes = {source.path: source.path.stat().st_size for source in sources}
        self._total = sum(self._sizes.values())
        self._before = 0

    def at(self, source: Source, position: int) -> None:
        if self._before + position < self._total:  # the end is reached when all is committed
            self._progress(self._stage, self._before + position, self._total, source.path.name)

    def finish(self, source: Source) -> None:
        self._before += self._sizes[source.path]
        self._progress(self._stage, self._before, self._total, source.path.name)


def _names_of_loads(ws: Workspace) -> dict[str, str]:
    """What the files of all loads are called, and where they were."""
    names = {}
    for folder in ws.loads_folder.glob("[!.]*"):
        with suppress(DamagedArtifact, FormatMismatch):
            load = Load.read(folder)
            names[load.source] = load.path
    return names


def _ingest(
    ws: Workspace, source: Source, shown: str, reading: Reading, strict: bool, show: Shown
) -> Result:
    started = now()
    show.at(source, 0)
    try:
        sha256 = sha256_of(source.path)
    except OSError as error:
        raise SourceUnreadable(source.path, str(error.strerror)) from error
    name = load_id(sha256, reading.text, ws.settings.base, source.role)
    folder = ws.loads_folder / name
    if is_intact(folder):
        ws.set_retracted(name, False)
        return Result(Load.read(folder), known=True)
    with LoadWriter(ws, name, shown) as writer:
        load = _Loading(source, writer, strict)
        notes: list[Note] = list(reading.notes)
        for table in reading.tables(sha256):
            load.begin_table(table)
            for batch, maps in table.batches:
                load.add(batch, maps)
                show.at(source, batch.position)
            notes += table.notes
        notes += load.notes()
        return Result(
            writer.commit(
                path=os.path.abspath(source.path),
                sha256=sha256,
                role=source.role,
                counts=load.counts(),
                media_type=source.format.media_type,
                started=started,
                mapping=reading.text,
                notes=notes,
                tables=load.numbering.tables(),
            ),
            known=False,
        )


class _Loading:
    """Takes batches in, and counts."""

    def __init__(self, source: Source, writer: LoadWriter, strict: bool) -> None:
        self._source = source
        self._writer = writer
        self._strict = strict
        self._seen = Seen()
        self.numbering = Numbering()
        self._first: str | None = None
        self._aside: dict[tuple[str, str], tuple[str, int]] = {}
        self._read = self._duplicate = self._rejected = self._statements = 0

    def begin_table(self, table: ReadTable) -> None:
        """Equal records of two tables are two."""
        self._seen = Seen()
        self.numbering.begin(table)

    def add(self, batch: Batch, maps: Sequence[TableMap] | None) -> None:
        """Store what a batch says, and set aside what is bad."""
        self._read += batch.read
        self.numbering.take(batch, maps)
        fresh = self._seen.fresh(batch.hashes)
        places = fresh.arg_true()
        self._duplicate += len(fresh) - len(places)
        frame, rows = batch.frame, batch.rows
        bad: dict[int, str] = {}
        if len(places) < len(fresh):
            frame, rows = frame.filter(fresh), rows.filter(fresh)
        if maps is None:
            qualifiers = [name for name in QUALIFIERS if name in frame.columns]
            statements = frame.with_columns(row=rows).select(*COLUMNS, *qualifiers)
        elif frame.is_empty():
            statements = pl.DataFrame()
        else:
            mapped = map_batch(maps, frame, rows)
            statements, bad = mapped.statements, mapped.refused
            self._set_aside(mapped.aside, rows)
        unmapped = (Rejected(rows[i], reason, batch.raw(places[i])) for i, reason in bad.items())
        self._reject(sorted([*batch.rejected, *unmapped]))
        self._writer.write(self.numbering.numbered(statements))
        self._statements += statements.height

    def _set_aside(self, values: Sequence[BadValue], rows: pl.Series) -> None:
        for value in sorted(values):
            line = rows[value.place]
            if self._strict:
                raise SourceSyntaxError(self._source.path, line, value.reason)
            self._writer.reject(self.numbering.number(line), value.reason, value.text, value.column)
            what = value.column, value.wanted
            first, count = self._aside.get(
                what, (f"{self.numbering.place(line)}: {value.text!r}", 0)
            )
            self._aside[what] = first, count + 1

    def notes(self) -> list[Note]:
        """What was left out of records that were taken, and that there were none."""
        if not self._read:
            return [Note("it holds no statement: this load adds no fact", warning=True)]
        return [
            Note(
                f"{f'{count} values' if count > 1 else '1 value'} of column {column!r} "
                f"{'are' if count > 1 else 'is'} {wanted} and set aside; first {first}",
                warning=True,
            )
            for (column, wanted), (first, count) in self._aside.items()
        ]

    def _reject(self, records: list[Rejected]) -> None:
        for record in records:
            place = self.numbering.place(record.line)
            self._first = self._first or f"{place}: {record.reason}"
            self._writer.reject(self.numbering.number(record.line), record.reason, record.raw)
        self._rejected += len(records)
        if self._rejected and (self._strict or self._rejected > ENOUGH_REJECTED):
            self._require_few()

    def _require_few(self) -> None:
        if self._first and (self._strict or self._rejected > MOST_REJECTED * self._read):
            raise TooManyRejected(self._source.path, self._rejected, self._read, self._first)

    def counts(self) -> Counts:
        """What the source came to."""
        if not self._read and not isinstance(self._source.format, StatementFormat):
            raise SourceEmpty(self._source.path)
        self._require_few()
        loaded = self._read - self._duplicate - self._rejected
        return Counts(self._read, loaded, self._duplicate, self._rejected, self._statements)
