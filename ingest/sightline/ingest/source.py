"""What is loaded: a source, its format, and the tables or statements in it.

Knows what every format says of itself; knows none of them. ``formats`` has a module for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sightline.graph.record.loads import Note, Role
from sightline.graph.record.places import RowKind
from sightline.ingest.batch import Batch
from sightline.ingest.streams import ByteStream, without_packing
from sightline.ingest.terms import Maps


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format that sources may have.

    Attributes:
        name: what people call it, in one word. Load ids depend on it and on the media type.
        endings: of file names, in lower case, with the dot. Several formats may share one.
        recognises: whether a file that begins so is in this format, told from its content alone.
        binary: it is no text, so its content alone tells it, whatever the file is called.
        legacy: its text may be in an encoding of one byte a character, as old programs write.
        role: what its loads are.
        check: looks at the beginning of a source that no mapping describes. Raises the error that
            reading it would, so that it is known before anything is loaded.
    """

    name: str
    endings: tuple[str, ...]
    media_type: str
    recognises: Callable[[bytes], bool]
    binary: bool = False
    legacy: bool = False
    role: Role = "facts"
    check: Callable[[Source], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFormat(Format):
    """A format that holds statements already.

    Attributes:
        statements: batches with the columns of a statement but for the row, and with that of
            qualifiers where it has any. Takes the source, its SHA-256, after which blank nodes are
            named, the IRI under which files are called, and a list that takes notes while batches
            are read.
        rows: what its rows count.
    """

    statements: Callable[[Source, str, str, list[Note]], Iterator[Batch]]
    rows: RowKind = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFormat(Format):
    """A format that holds one table or several.

    Attributes:
        tables: the tables of a source that a mapping selects, one after the other; all of them, or
            the one that can be meant, where it leaves that open. Raises NoSuchTable.
        formulations: what a mapping may say after the ``~`` of a source in this format.
        selector: how a mapping may name one of several tables; None where there is only one.
        steady: where its tables are uniform it holds one, which is read alike whatever columns of
            it are selected.
    """

    tables: Callable[[Source, Selection], Iterator[Table]]
    formulations: tuple[str, ...]
    selector: re.Pattern[str] | None = None
    steady: bool = False


class NoSuchTable(Exception):
    """A mapping selects a table that the source does not have. The text says what there is."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a mapping wants of a source.

    Attributes:
        table: the name of one table, in the words of the format; None where that is left open.
        columns: those that the mapping names.
        nulls: the mapping says itself which cells are no value.
    """

    table: str | None = None
    columns: Sequence[str] = ()
    nulls: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Columns of a table whose values are those of columns in a table of the same source."""

    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a source says of a table, as the schema of a database does.

    Attributes:
        key: the columns that name its records; empty without one.
        links: those to other tables.
        whole: it has no others, if it has any.
        numbers: columns that count its records, or those around it, and say nothing of these.
    """

    key: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    whole: bool = True
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Records that are read together; their rows are counted on their own.

    Attributes:
        name: what it is called, in lower case; that of the file where it is the only one.
        uniform: all records have the same columns, so that the first batch shows which there are.
        maps: what its columns mean, where the format itself says it; None where it does not. A
            source says it of all of its tables or of none.
        selected: how a mapping names it among the tables of its source; None where it is by
            ``name``, or where it is the only one.
        declared: its key and links, where the source has a schema that says them.
        notes: what the format decided or left out. They may grow while batches are read.
        kind: what its rows are.
        title: what the source itself calls it, where that is neither ``selected`` nor the name of a
            file.
    """

    name: str
    batches: Iterator[Batch]
    uniform: bool = True
    maps: Maps | None = None
    selected: str | None = None
    declared: Declared | None = None
    notes: list[Note] = field(default_factory=list)
    kind: RowKind = "row"
    title: str = ""


#: What stands after a held-out triple that is true, and after one that is not.
JUDGED = ("1", "-1")


@dataclass(frozen=True, slots=True)
class Source:
    """One file to load.

    Attributes:
        path: where its bytes are.
        split: the file is part of a benchmark split, so its triples have no header.
        encoding: of its text; None where that is UTF-8, or told by the format.
        given: what the user calls it, where its bytes were fetched or unpacked to ``path``.
        place: where it is, the same for one that has changed; empty where it comes from no place,
            as standard input does.
        called: what the user says that it is, wherever it is; empty where nobody says.
        title: the file's name, where ``path`` has one of ours.
        notes: what was decided when it was found.
        header: the names of its columns, where another file has them.
        judged: only the triples of a split after which this stands are of it; empty for all.
    """

    path: Path
    format: Format
    role: Role = "facts"
    split: bool = False
    encoding: str | None = None
    given: Path | None = None
    place: str = ""
    called: str = ""
    title: str = ""
    notes: tuple[Note, ...] = ()
    header: tuple[str, ...] = ()
    judged: str = ""

    @property
    def name(self) -> str:
        """The file's name without the ending of its compression."""
        return without_packing(self.title or self.path.name)

    @property
    def stem(self) -> str:
        """What the file is called, without its endings and in lower case."""
        return self.name.partition(".")[0].lower()

    @property
    def origin(self) -> Path:
        """What the user calls it: a path, or the like for what came out of an archive."""
        return self.given or self.path

    def open(self) -> ByteStream:
        """The file's bytes, unpacked and in UTF-8.

        Raises:
            SourceNotFound, SourceUnreadable
        """
        return ByteStream(self.path, self.encoding)
