"""Loads: the record. One load is one source, kept as Parquet statements, immutable once committed.

Knows the manifest of a load, which loads are active and how one is written; the columns are in
``statements``. Knows no source format and no ids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self

from sightline.graph.record.errors import DamagedLoad, UnknownLoad
from sightline.graph.record.places import TableRows
from sightline.graph.record.statements import COLUMNS, QUALIFIERS, statement_schema
from sightline.graph.storage.artifact import (
    MANIFEST,
    TEMPORARY,
    new_artifact,
    read_manifest,
    verify_artifact,
    write_json_atomic,
    write_manifest,
)
from sightline.graph.storage.errors import DamagedArtifact, FormatMismatch, storage_error
from sightline.graph.storage.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

#: Version of the loads that are written. Those of every former version are read:
#:
#: 1. the columns ``COLUMNS``
#: 2. two columns of qualifiers, in files that have any; loads of retractions
#: 3. one column of qualifiers, with datatype and language
RECORD_FORMAT = 3
#: ``text``: sentences, which are no facts; ``extracted``: what they say as far as it was found out.
Role = Literal[
    "facts",
    "inferred",
    "text",
    "extracted",
    "merges",
    "retractions",
    "valid",
    "test",
    "valid_negatives",
    "test_negatives",
]
#: The mapping of retractions of what texts state.
OF_TEXTS = "extracted"
#: What a benchmark keeps aside: such statements get ids and never become edges.
HELD_OUT: tuple[Role, ...] = ("valid", "test", "valid_negatives", "test_negatives")


@dataclass(frozen=True, slots=True)
class Counts:
    """Records of one source: ``read == loaded + duplicate + rejected``; statements made of them."""

    read: int
    loaded: int
    duplicate: int
    rejected: int
    statements: int


@dataclass(frozen=True, slots=True)
class Note:
    """What was decided, guessed or left out while a source was read, in a sentence.

    Attributes:
        warning: a person should look at it.
    """

    text: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """A committed load.

    Attributes:
        format: version of the record it was written in.
        statements: the Parquet files, in order.
        source: what answers call the file it was read from, which tells nobody where this machine
            keeps it.
        path: where that was, as far as it is known; no answer shows it.
        called: what the user calls it, wherever it is; empty where nobody said.
        mapping: all that decided, beside the bytes of its source, which statements came of it.
        tables: how rows are numbered, ascending; empty in loads of older versions.
    """

    id: str
    folder: Path
    format: int
    statements: tuple[Path, ...]
    source: str
    path: str
    called: str
    sha256: str
    role: Role
    media_type: str
    mapping: str
    counts: Counts
    started: str
    ended: str
    notes: tuple[Note, ...]
    tables: tuple[TableRows, ...]

    @classmethod
    def read(cls, folder: Path) -> Load:
        """Read a load's manifest.

        Raises:
            DamagedLoad
            FormatMismatch: a later Sightline wrote it.
        """
        try:
            m = read_manifest(folder)
            if m["format"] > RECORD_FORMAT:
                raise FormatMismatch(folder, m["format"], RECORD_FORMAT, "")
            source = Path(m["source"])  # the first version kept whole paths here
            names = sorted(name for name in m["files"] if name.startswith("statements-"))
            return cls(
                id=folder.name,
                folder=folder,
                format=m["format"],
                statements=tuple(folder / name for name in names),
                source=source.name if source.is_absolute() else m["source"],
                path=m.get("path", m["source"]),
                called=m.get("called", ""),
                sha256=m["sha256"],
                role=m["role"],
                media_type=m["media_type"],
                mapping=m.get("mapping", ""),
                counts=Counts(**m["counts"]),
                started=m["started"],
                ended=m["ended"],
                notes=tuple(Note(**note) for note in m.get("notes", ())),
                tables=tuple(TableRows(**table) for table in m.get("tables", ())),
            )
        except DamagedArtifact as error:
            raise DamagedLoad(folder, "its source", error.reason) from error
        except (KeyError, TypeError) as error:
            raise DamagedLoad(folder, "its source", "its manifest is not one") from error

    @classmethod
    def all(cls, parent: Path) -> Iterator[Load]:
        """Every committed load under ``loads/``, by id."""
        if parent.is_dir():
            for folder in sorted(parent.iterdir()):
                if folder.is_dir() and not folder.name.startswith(TEMPORARY):
                    yield cls.read(folder)

    def found_at(self, path: str) -> Load:
        """The load, and where its file is now; all else about it stays.

        Raises:
            NotWritable, DiskFull
        """
        write_json_atomic(self.folder / MANIFEST, {**read_manifest(self.folder), "path": path})
        return replace(self, path=path)

    def verify(self) -> None:
        """Compare every file with its checksum.

        Raises:
            DamagedLoad: naming the first file that is wrong.
        """
        try:
            verify_artifact(self.folder, full=True)
        except DamagedArtifact as error:
            raise DamagedLoad(self.folder, self.source, error.reason) from error


def active_loads(workspace: Workspace) -> list[Load]:
    """The loads that are committed and not retracted, by id.

    Raises:
        DamagedArtifact
    """
    retracted = set(workspace.current.retracted)
    return [load for load in Load.all(workspace.loads_folder) if load.id not in retracted]


def take_out(workspace: Workspace, loads: Sequence[Load], role: Role, name: str = "") -> None:
    """Retract the loads of a role, but for one."""
    for load in loads:
        if load.role == role and load.id != name:
            workspace.set_retracted(load.id, True)


def load_id(source_sha256: str, mapping_text: str, base: str, role: str, called: str = "") -> str:
    """16 hex digits that depend on what was loaded and how, and on what the user calls it, not on
    where or when."""
    # The 1 is no version of the record: what an older Sightline loaded is the same load today.
    text = json.dumps([1, source_sha256, mapping_text, base, role, *filter(None, [called])])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def digest_of(loads: Sequence[Load], roles: Sequence[Role]) -> str:
    """SHA-256 of the loads of some roles, for the id of what is made of them. What takes back only
    what texts state changes nothing that is made of facts."""
    of_texts = ("retractions", OF_TEXTS)
    inputs = (x.id for x in loads if x.role in roles and (x.role, x.mapping) != of_texts)
    return hashlib.sha256("\n".join(sorted(inputs)).encode()).hexdigest()


def retract(workspace: Workspace, ref: str) -> Load:
    """Take a load out of the graph; its folder stays. ``ref`` may be a unique start of its id.

    Raises:
        UnknownLoad
    """
    found = [load for load in active_loads(workspace) if load.id.startswith(ref)] if ref else []
    if len(found) != 1:
        raise UnknownLoad(ref)
    workspace.set_retracted(found[0].id, True)
    return found[0]


class LoadWriter:
    """Writes one load; a context manager. What is not committed leaves nothing behind.

    The caller holds the workspace's lock. The quarantine of rejected records is committed first,
    so that a committed load always has it.
    """

    def __init__(self, workspace: Workspace, load_id: str, source: str) -> None:
        self.workspace = workspace
        self.id = load_id
        self.source = source
        self._open = ExitStack()
        self._folder = self._open.enter_context(new_artifact(workspace.loads_folder, load_id))
        self._quarantine = ExitStack()
        self._rejected: BinaryIO | None = None
        self._parts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # After a commit both are empty, and nothing happens.
        dropped = _NotCommitted()
        for stack in (self._quarantine, self._open):
            with suppress(_NotCommitted):
                stack.__exit__(_NotCommitted, dropped, None)

    def write(self, statements: pl.DataFrame) -> None:
        """Append a batch of statements with the columns ``COLUMNS``, and ``QUALIFIERS`` where they
        have any."""
        if statements.is_empty():
            return
        columns = [*COLUMNS, *({QUALIFIERS} & set(statements.columns))]
        path = self._folder / f"statements-{self._parts:05d}.parquet"
        self._write(path, statements.cast(statement_schema()).select(columns), statistics=False)  # type: ignore[arg-type]
        self._parts += 1

    @property
    def statements(self) -> list[Path]:
        """The files of statements that were written so far, in order."""
        return sorted(self._folder.glob("statements-*.parquet"))

    def write_beside(self, name: str, frame: pl.DataFrame) -> None:
        """Add a Parquet file that explains the statements."""
        self._write(self._folder / name, frame, row_group_size=100_000)

    @staticmethod
    def _write(path: Path, frame: pl.DataFrame, **options: Any) -> None:
        try:
            # A higher level takes a third longer and saves a hundredth.
            frame.write_parquet(path, compression="zstd", compression_level=1, **options)
        except Exception as error:
            raise storage_error(error, path) or error from error

    def reject(self, line: int, reason: str, raw: str, column: str | None = None) -> None:
        """Keep a record that could not be loaded, or the value of a column of one that could, with
        its line, the reason and its raw text."""
        if self._rejected is None:
            artifact = new_artifact(self.workspace.quarantine, self.id)
            path = self._quarantine.enter_context(artifact) / "rejected.jsonl"
            self._rejected = self._quarantine.enter_context(path.open("wb"))
        at = {"line": line} if column is None else {"line": line, "column": column}
        record = {"file": self.source, **at, "reason": reason, "raw": raw[:2000]}
        self._rejected.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")

    def commit(
        self,
        *,
        sha256: str,
        role: Role,
        counts: Counts,
        media_type: str,
        started: str,
        path: str = "",
        called: str = "",
        mapping: str = "",
        derived_from: Sequence[str] = (),
        notes: Sequence[Note] = (),
        tables: Sequence[TableRows] = (),
        active: bool = True,
        about: Mapping[str, Any] | None = None,
    ) -> Load:
        """Make the load durable and active. When this returns, it survives a power cut.

        Args:
            derived_from: ids of the loads from which the statements follow.
            about: more for the manifest.
            active: False for one that waits, retracted, until others are there too.

        Raises:
            NotWritable, DiskFull: nothing was committed.
        """
        self._quarantine.close()
        ended = now()
        activity = {
            "@type": "prov:Activity",
            "prov:used": self.source,
            "prov:startedAtTime": started,
            "prov:endedAtTime": ended,
        }
        write_manifest(
            self._folder,
            {
                "format": RECORD_FORMAT,
                "id": self.id,
                "source": self.source,
                "path": path,
                "called": called,
                "sha256": sha256,
                "role": role,
                "media_type": media_type,
                "mapping": mapping,
                "counts": asdict(counts),
                "started": started,
                "ended": ended,
                "notes": [asdict(note) for note in notes],
                # ``asdict`` would copy the columns of a wide table one by one.
                "tables": [
                    {f.name: getattr(table, f.name) for f in fields(table)} for table in tables
                ],
                "prov:wasGeneratedBy": activity,
                "prov:wasDerivedFrom": list(derived_from),
                **(about or {}),
            },
        )
        if not active:
            self.workspace.set_retracted(self.id, True)
        self._open.close()
        if active:
            self.workspace.set_retracted(self.id, False)
        return Load.read(self.workspace.loads_folder / self.id)


class _NotCommitted(Exception):
    """Ends what was begun without making it visible."""


def now() -> str:
    """The time as ISO 8601 text in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
