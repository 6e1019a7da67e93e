"""What the tables of all sources mean together, as a mapping.

Knows the order of things: read every table once, decide, draw, say why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.graph.record.loads import Note
from sightline.ingest.mapping import MappingFile, mapping_of
from sightline.ingest.profile import names
from sightline.ingest.profile.draw import categories, draw
from sightline.ingest.profile.relate import relate
from sightline.ingest.profile.say import say
from sightline.ingest.profile.statistics import Statistics, statistics
from sightline.ingest.profile.tables import Profiled, begin
from sightline.ingest.source import Selection, Source, TableFormat


@dataclass(frozen=True, slots=True)
class Profile:
    """What tables mean, and why.

    Attributes:
        document: the mapping, as its YAML has it.
        mapping: the same, ready to use.
        meanings: of each column of each table.
    """

    tables: tuple[Profiled, ...]
    document: Mapping[str, Any]
    mapping: MappingFile
    meanings: tuple[Mapping[str, str], ...]

    def notes(self, source: Source) -> list[Note]:
        """What was decided about the tables of a source."""
        return [
            note
            for table in self.tables
            if table.statistics.source is source
            for note in (
                *table.statistics.table.notes,
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
    for source in sources:
        with of(source):
            read += _statistics(source, at)
    shared = _shared_words([found.table.name for found in read])
    tables: list[Profiled] = []
    for found in read:
        table = begin(found, _free_name(found, tables), shared)
        tables.append(table)
    relate(tables)
    shared_things = categories(tables)
    held = Counter(id(table.statistics.source) for table in tables)
    ends = Counter(part for source in sources for part in _ends(_parts(source)))
    mappings: dict[str, Any] = {}
    meanings = []
    for table in tables:
        body, meaning = draw(table, shared_things)
        meanings.append(meaning)
        several = held[id(table.statistics.source)] > 1
        mappings[table.name] = {"sources": [_source(table, ends, several)], **body}
        say(table, tables, meaning)
    document = {"mappings": mappings}
    mapping = (
        mapping_of(document, Path("profile"), prefixes)
        if mappings
        else MappingFile(Path("profile"), ())
    )
    return Profile(tuple(tables), document, mapping, tuple(meanings))


def _statistics(source: Source, at: Callable[[Source, int], None]) -> list[Statistics]:
    """Those of the tables that do not say themselves what they mean."""
    form = source.format
    assert isinstance(form, TableFormat)
    found = [
        statistics(source, table, at)
        for table in form.tables(source, Selection())
        if table.maps is None
    ]
    return [one for one in found if one.records]


def _shared_words(called: Sequence[str]) -> list[str]:
    """First words of most tables: ``shop_customers``, ``shop_orders``."""
    firsts = Counter(found[0] for found in map(names.words, called) if len(found) > 1)
    return [word for word, count in firsts.items() if count > 2 and count == len(called)]


def _free_name(found: Statistics, tables: Sequence[Profiled]) -> str:
    name, taken = found.table.name, {table.name for table in tables}
    if name in taken:
        name = next(f"{name} {i}" for i in range(2, len(taken) + 3) if f"{name} {i}" not in taken)
    return name


def _source(table: Profiled, ends: Mapping[tuple[str, ...], int], several: bool) -> Any:
    """How a mapping names it: by as much of its path as tells it from the others.

    Args:
        ends: how many sources have a path that ends so.
        several: its source holds others too.
    """
    source, form = table.statistics.source, table.statistics.source.format
    assert isinstance(form, TableFormat)
    parts = _parts(source)
    counts = range(1, len(parts) + 1)
    count = next((n for n in counts if ends[parts[-n:]] == 1), len(parts))
    pattern = "/".join(
        part.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]") for part in parts[-count:]
    )
    text = f"{pattern}~{_formulation(source)}"
    selected = table.statistics.table.selected
    if selected is None and several:
        selected = table.statistics.table.name
    return [text, selected] if selected is not None else text


def _parts(source: Source) -> tuple[str, ...]:
    return source.path.with_name(source.name).parts


def _ends(parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (parts[-count:] for count in range(1, len(parts) + 1))


def _formulation(source: Source) -> str:
    form = source.format
    assert isinstance(form, TableFormat)
    return form.name if form.name in form.formulations else form.formulations[0]
