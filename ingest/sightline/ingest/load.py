"""Sources to loads: the one door of this component.

Knows the order of things: find all, look at all, then hash, read, set bad records aside, store.
Knows no format. Each source is read and stored on its own, and waits, retracted, until all are
there: either all become active or none does.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from sightline.graph.errors import SightlineError
from sightline.graph.progress import Progress, silent
from sightline.graph.record.loads import (
    Counts,
    Load,
    LoadWriter,
    Note,
    active_loads,
    load_id,
    now,
)
from sightline.graph.storage.artifact import is_intact, sha256_of
from sightline.graph.storage.errors import DamagedArtifact, FormatMismatch
from sightline.graph.storage.workspace import Workspace
from sightline.ingest import rml
from sightline.ingest.batch import Batch, Rejected, Seen
from sightline.ingest.columns import BadValue, map_batch
from sightline.ingest.discover import (
    FOUND_OUT,
    Found,
    Sent,
    Taking,
    naming,
    passed_over,
    shown_names,
    survey,
)
from sightline.ingest.errors import (
    NOTHING,
    SourceEmpty,
    SourceError,
    SourcesRefused,
    SourceSyntaxError,
    SourceUnreadable,
    TooManyRejected,
)
from sightline.ingest.mapping import MappingFile, read_mapping
from sightline.ingest.numbering import Numbering
from sightline.ingest.profile.profile import Profile, profile
from sightline.ingest.raw import is_there
from sightline.ingest.reading import Reading, ReadTable, plan, with_way
from sightline.ingest.replace import Formers, Replaced, replaced
from sightline.ingest.source import Source, StatementFormat, TableFormat
from sightline.ingest.terms import TableMap

#: A source of which more than this share is bad is not what it is taken for.
MOST_REJECTED = 0.5
#: So many bad records, and more than that share so far: the rest is not read any more.
ENOUGH_REJECTED = 10_000
#: So many more objects than before, and cycles of garbage among them are looked for.
OBJECTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a source.

    Attributes:
        known: the workspace held this load already, and nothing was written.
        replaced: the loads of the same file that it took the place of.
    """

    load: Load
    known: bool
    replaced: tuple[Replaced, ...] = ()


@contextmanager
def _keeping() -> Iterator[None]:
    """Look for cycles of garbage rarely: a wide table makes a million objects that live to the end,
    and to look at them again and again took a third of all."""
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@_keeping()
def ingest(
    ws: Workspace,
    sources: Sequence[str | Path | Sent],
    *,
    mapping: Path | None = None,
    strict: bool = False,
    taking: Taking = FOUND_OUT,
    skip_unreadable: bool = False,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress = silent,
) -> list[Result]:
    """Load files, folders, globs, archives, addresses and what was sent; each file is one load.

    The same source read in the same way is one load: the second time nothing is written, and a
    retracted load is active again. Either all sources become active loads, or none does; what was
    read of the others is kept, and not read again once the cause is mended.
    A file that has changed, or is read in another way, takes the place of what was loaded from
    there before; one that has a name, of what had the same name, wherever that was.

    Args:
        mapping: a YAML file, or RML in Turtle; what tables that it does not name mean is found out
            from all of them together.
        strict: the first bad record or value is an error.
        taking: what the user says of the sources.
        skip_unreadable: sources that cannot be loaded are said, and the others loaded.
        say: is told, in a sentence each, which files of folders were passed over and which sources
            were skipped.

    Raises:
        SourceError: of the source that cannot be loaded; SourcesRefused if that are several.
        UsageError, WorkspaceLocked, NotWritable, DiskFull
    """
    rules = None if mapping is None else _rules(mapping, ws)
    with _looked_at(sources, rules, taking, skip_unreadable, say) as (readable, failures):
        looked = _Shown(progress, readable, "profile")
        planned = zip(readable, plan(readable, rules, ws.settings, looked.at, failures.of))
        readings = [(source, reading) for source, reading in planned if not failures.had(source)]
        failures.require_none()
        show = looked.after([source for source, _ in readings], "ingest")
        results: list[Result] = []
        with ws.lock():
            called = {source.called for source, _ in readings}
            names = shown_names([source for source, _ in readings], _names_of_loads(ws, called))
            formers = Formers(active_loads(ws))
            for (source, reading), name in zip(readings, names):
                with failures.of(source):
                    results.append(_ingest(ws, source, name, reading, strict, show, formers))
                show.finish(source)
            failures.require_none()
            made = [result.load.id for result in results]
            former_ids = {one.load.id for result in results for one in result.replaced}
            ws.swap_loads(made, former_ids - set(made))
            return results


def _rules(mapping: Path, ws: Workspace) -> MappingFile:
    """A mapping in the language that the ending of its name says."""
    if mapping.suffix.lower() in rml.ENDINGS:
        return rml.read_rml(mapping, ws.settings.base)
    return read_mapping(mapping, ws.settings.prefixes)


@_keeping()
def look(
    sources: Sequence[str | Path],
    prefixes: Mapping[str, str],
    *,
    taking: Taking = FOUND_OUT,
    skip_unreadable: bool = False,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress = silent,
) -> tuple[Profile, list[Source]]:
    """What the tables of sources mean, as ``ingest`` would find it out; nothing is loaded.

    Returns:
        the profile, and the sources that say themselves what they mean.

    Raises:
        SourceError, UsageError: as of ``ingest``.
    """
    with _looked_at(sources, None, taking, skip_unreadable, say) as (readable, failures):
        tables = [source for source in readable if isinstance(source.format, TableFormat)]
        shown = _Shown(progress, tables, "profile")
        found = profile(tables, prefixes, shown.at, failures.of)
        failures.require_none()
        return found, [source for source in readable if source not in tables]


@contextmanager
def _looked_at(
    sources: Sequence[str | Path | Sent],
    rules: MappingFile | None,
    taking: Taking,
    skip_unreadable: bool,
    say: Callable[[str], None],
) -> Iterator[tuple[list[Source], _Failures]]:
    """The sources that look as if they could be read. What was fetched is there until the end."""
    with TemporaryDirectory(prefix="sightline-") as scratch:
        found = survey(sources, taking, Path(scratch))
        if rules is not None:
            found.leave_out(rules.path)
        if found.passed:
            say(f"passed over: {passed_over(found.passed)}")
        if rules is not None:
            rules.require_use(found.sources)
        failures = _Failures(found, skip_unreadable, say)
        readable = []
        for source in found.sources:
            with failures.of(source):
                form = source.format
                if form.check and not (rules and rules.tables_of(source)):
                    form.check(source)
                readable.append(source)
        failures.require_none()
        yield readable, failures


class _Failures:
    """Sources that cannot be loaded: an error in the end, or said and skipped."""

    def __init__(self, found: Found, skip: bool, say: Callable[[str], None]) -> None:
        self._total = len(found.sources) + len(found.failed)
        self._left = self._total
        self._skip = skip
        self._say = say
        self._errors: list[SightlineError] = []
        self._sources: list[Source] = []
        for error in found.failed:
            self._add(error)

    @contextmanager
    def of(self, source: Source) -> Iterator[None]:
        """Note what is wrong with a source, in the words of the user."""
        try:
            with naming(source.path, source.given):
                yield
        except SourceError as error:
            self._sources.append(source)
            self._add(error)

    def had(self, source: Source) -> bool:
        """Whether something was wrong with a source."""
        return any(one is source for one in self._sources)

    def _add(self, error: SightlineError) -> None:
        self._errors.append(error)
        self._left -= 1
        if self._skip and self._left:
            self._say(f"skipped: {str(error).removesuffix(NOTHING)}")

    def require_none(self) -> None:
        """Raise what was noted, unless it is skipped and something is left."""
        if not self._errors or (self._skip and self._left):
            return
        if self._total == 1:
            raise self._errors[0]
        raise SourcesRefused(self._errors, self._total)


class _Shown:
    """Progress in bytes over all sources, which may not change meanwhile."""

    def __init__(
        self,
        progress: Progress,
        sources: Sequence[Source],
        stage: str,
        states: Mapping[Path, os.stat_result] | None = None,
    ) -> None:
        self._progress = progress
        self._stage = stage
        self._states = states or {source.path: source.path.stat() for source in sources}
        self._sizes = {source.path: self._states[source.path].st_size for source in sources}
        self._total = sum(self._sizes.values())
        self._before = 0

    def after(self, sources: Sequence[Source], stage: str) -> _Shown:
        """Progress of what follows for some of the sources."""
        return _Shown(self._progress, sources, stage, self._states)

    def at(self, source: Source, position: int) -> None:
        if self._before + position < self._total:  # the end is reached when all is committed
            self._progress(self._stage, self._before + position, self._total, source.path.name)

    def require_unchanged(self, source: Source) -> None:
        """Check that a source is the file that it was when its reading began.

        Raises:
            SourceUnreadable
        """
        before = self._states[source.path]
        try:
            now = source.path.stat()
        except OSError as error:
            raise SourceUnreadable(source.path, "it went away while it was read") from error
        if (before.st_size, before.st_mtime_ns) != (now.st_size, now.st_mtime_ns):
            reason = "it changed while it was read; load it again when nothing writes to it"
            raise SourceUnreadable(source.path, reason)

    def finish(self, source: Source) -> None:
        self._before += self._sizes[source.path]
        self._progress(self._stage, self._before, self._total, source.path.name)


def _names_of_loads(ws: Workspace, less: Collection[str]) -> dict[str, str]:
    """What the files of all loads are called in answers, and where they were. Those to which users
    gave the names ``less`` are left out: what takes their place may be called as they are."""
    names = {}
    for folder in ws.loads_folder.glob("[!.]*"):
        with suppress(DamagedArtifact, FormatMismatch):
            load = Load.read(folder)
            if not (load.called and load.called in less):
                names[load.source] = load.path
    return names


def _ingest(
    ws: Workspace,
    source: Source,
    shown: str,
    reading: Reading,
    strict: bool,
    show: _Shown,
    formers: Formers,
) -> Result:
    """Load a source. It stays retracted unless it was active before.

    Args:
        formers: the active loads, of which it takes the place of those of the same source.
    """
    started = now()
    show.at(source, 0)
    try:
        sha256 = sha256_of(source.path)
    except OSError as error:
        raise SourceUnreadable(source.path, str(error.strerror)) from error
    show.require_unchanged(source)
    text = with_way(reading.text, source)
    name = load_id(sha256, text, ws.settings.base, source.role, source.called)
    folder = ws.loads_folder / name
    former = [one for one in formers.of(source) if one.id != name]
    if is_intact(folder):
        known = Load.read(folder)
        if source.place and not is_there(ws, known):
            known = known.found_at(source.place)
        changes = [replaced(one, known.statements, known.tables) for one in former]
        return Result(known, known=True, replaced=tuple(changes))
    with LoadWriter(ws, name, shown) as writer, closing(reading.tables(sha256)) as tables:
        load = _Loading(source, writer, strict)
        notes: list[Note] = [*source.notes, *reading.notes]
        for table in tables:
            load.begin_table(table)
            for batch, maps in table.batches:
                load.add(batch, maps)
                show.at(source, batch.position)
            notes += table.notes
        show.require_unchanged(source)
        notes += load.notes()
        counts = load.counts()
        if counts.read and not counts.statements:
            notes.append(Note("it was read and adds no fact", warning=True))
        rows = load.numbering.tables()
        changes = [replaced(one, writer.statements, rows) for one in former]
        notes += [Note(str(one)) for one in changes]
        return Result(
            writer.commit(
                path=source.place,
                called=source.called,
                sha256=sha256,
                role=source.role,
                counts=counts,
                media_type=source.format.media_type,
                started=started,
                mapping=text,
                notes=list(dict.fromkeys(notes)),  # the profile has seen some of them
                tables=rows,
                active=False,
            ),
            known=False,
            replaced=tuple(changes),
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
        fresh = self._seen.fresh(batch.hashes) if batch.fresh is None else batch.fresh
        places = fresh.arg_true()
        self._duplicate += len(fresh) - len(places)
        frame, rows = batch.frame, batch.rows
        bad: dict[int, str] = {}
        if len(places) < len(fresh):
            frame, rows = frame.filter(fresh), rows.filter(fresh)
        if maps is None:
            statements = frame.with_columns(row=rows)
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
