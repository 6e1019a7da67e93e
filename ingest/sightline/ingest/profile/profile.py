"""What the tables of all sources mean together, as a mapping.

Knows the order of things: read every table once, decide, draw, say why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sightline.graph.record.loads import Note
from sightline.ingest.mapping import MappingFile, mapping_of
from sightline.ingest.profile import names, parts
from sightline.ingest.profile.draw import categories, draw, held_by, values_of
from sightline.ingest.profile.relate import relate
from sightline.ingest.profile.say import say
from sightline.ingest.profile.statistics import Statistics, statistics
from sightline.ingest.profile.tables import Profiled, begin
from sightline.ingest.source import JUDGED, Selection, Source, Table, TableFormat
from sightline.ingest.terms import RECORD, ROW

#: Bytes of cells that are kept for the load that follows; tables beyond are read again.
KEPT = 128 << 20


@dataclass(frozen=True)
class Profile:
    """What tables mean, and why, with what was kept of them.

    Attributes:
        document: the mapping, as its YAML has it.
        meanings: of each column of each table.
        prefixes: of the workspace.
    """

    tables: tuple[Profiled, ...]
    document: Mapping[str, Any]
    meanings: tuple[Mapping[str, str], ...]
    prefixes: Mapping[str, str]

    @cached_property
    def mapping(self) -> MappingFile:
        """The document, ready to use."""
        path = Path("profile")
        if not self.tables:
            return MappingFile(path, ())
        return mapping_of(self.document, path, self.prefixes)

    def kept(self, source: Source, columns: Collection[str]) -> list[Table]:
        """The tables of a source that need not be read again by whoever wants these columns."""
        return [
            replace(part.table, batches=iter(part.batches))
            for table in self.tables
            for part in table.statistics.files
            if part.source is source and part.batches
            if set(columns) - {ROW, RECORD} <= part.columns.keys()
        ]

    def notes(self, source: Source) -> list[Note]:
        """What was decided about the tables of a source."""
        return [
            note
            for table in self.tables
            for part in table.statistics.files
            if part.source is source
            for note in (
                *part.table.notes,
                *(Note(text, warning) for text, warning in table.said),
            )
        ]


def profile(
    sources: Sequence[Source],
    prefixes: Mapping[str, str],
    at: Callable[[Source, int], None] = lambda source, position: None,
    of: Callable[[Source], AbstractContextManager[None]] = lambda source: nullcontext(),
) -> Profile:
    """Look at sources and decide what their tables mean.

    Args:
        prefixes: of the workspace.
        at: is told the position in each source.
        of: looks after the errors of a source; one that it takes in leaves the source out.

    Raises:
        SourceError
    """
    read: list[Statistics] = []
    room = KEPT
    # What is drawn of the true triples of a file holds for the false ones.
    sources = [source for source in sources if source.judged != JUDGED[1]]
    for source in sources:
        with of(source):
            of_source = _statistics(source, at, room)
            room -= sum(found.size for found in of_source)
            read += of_source
    read = parts.united(read)
    shared = _shared_words([found.table.name for found in read])
    tables: list[Profiled] = []
    for found in read:
        table = begin(found, _free_name(found, tables), shared)
        tables.append(table)
    relate(tables)
    shared_things = categories(tables)
    held = Counter(id(part.source) for table in tables for part in table.statistics.files)
    ends = Counter(part for source in sources for part in _ends(_parts(source)))
    mappings: dict[str, Any] = {}
    meanings = []
    for table in tables:
        body, meaning = draw(table, shared_things)
        meanings.append(meaning)
        sources = [
            _source(part, ends, held[id(part.source)] > 1) for part in table.statistics.files
        ]
        mappings[table.name] = {"sources": sources, **body}
        if (from_outside := held_by(table)) is not None:
            mappings[f"{table.name}: {from_outside[0]}"] = {"sources": sources, **from_outside[1]}
        for column, values in values_of(table, shared_things):
            mappings[f"{table.name}: {column}"] = {"sources": sources, **values}
        say(table, tables, meaning)
    return Profile(tuple(tables), {"mappings": mappings}, tuple(meanings), prefixes)


def _statistics(source: Source, at: Callable[[Source, int], None], room: int) -> list[Statistics]:
    """Those of the tables that do not say themselves what they mean."""
    form = source.format
    assert isinstance(form, TableFormat)
    if not form.steady or source.path.stat().st_size > room:
        room = 0  # what does not fit in the end is not kept meanwhile
    found = [
        statistics(source, table, at, room if table.uniform else 0)
        for table in form.tables(source, Selection())
        if table.maps is None
    ]
    return [one for one in found if one.records]


def _shared_words(called: Sequence[str]) -> list[str]:
    """First words of most tables: ``shop_customers``, ``shop_orders``."""
    firsts = Counter(found[0] for found in map(names.words, called) if len(found) > 1)
    return [word for word, count in firsts.items() if count > 2 and count == len(called)]


def _free_name(found: Statistics, tables: Sequence[Profiled]) -> str:
    name = parts.thing(found) if found.parts else found.table.name
    taken = {table.name for table in tables}
    if name in taken:
        name = next(f"{name} {i}" for i in range(2, len(taken) + 3) if f"{name} {i}" not in taken)
    return name


def _source(found: Statistics, ends: Mapping[tuple[str, ...], int], several: bool) -> Any:
    """How a mapping names it: by as much of its path as tells it from the others.

    Args:
        ends: how many sources have a path that ends so.
        several: its source holds others too.
    """
    source, form = found.source, found.source.format
    assert isinstance(form, TableFormat)
    parts = _parts(source)
    counts = range(1, len(parts) + 1)
    count = next((n for n in counts if ends[parts[-n:]] == 1), len(parts))
    pattern = "/".join(
        part.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]") for part in parts[-count:]
    )
    text = f"{pattern}~{_formulation(source)}"
    selected = found.table.selected
    if selected is None and several:
        selected = found.table.name
    return [text, selected] if selected is not None else text


def _parts(source: Source) -> tuple[str, ...]:
    return source.path.with_name(source.name).parts


def _ends(parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (parts[-count:] for count in range(1, len(parts) + 1))


def _formulation(source: Source) -> str:
    form = source.format
    assert isinstance(form, TableFormat)
    return form.name if form.name in form.formulations else form.formulations[0]
