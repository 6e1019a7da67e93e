"""Loads: the record. One load is one source, kept as Parquet statements, immutable once committed.

Knows the columns of a statement and the manifest of a load; knows no source format and no ids.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from sightline.graph.record.errors import UnknownLoad
from sightline.graph.storage.artifact import (
    TEMPORARY,
    new_artifact,
    read_manifest,
    write_manifest,
)
from sightline.graph.storage.errors import from_os_error
from sightline.graph.storage.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

#: Version of a load.
RECORD_FORMAT = 1
Role = Literal["facts", "inferred", "valid", "test", "valid_negatives", "test_negatives"]
#: What a benchmark keeps aside: such statements get ids and never become edges.
HELD_OUT: tuple[Role, ...] = ("valid", "test", "valid_negatives", "test_negatives")

#: Columns of a statement. ``datatype`` is null where the object is an IRI; ``graph`` is null for
#: the load's own graph; ``row`` is the 1-based record or line in the source.
COLUMNS = ("subject", "predicate", "object", "datatype", "language", "graph", "row")


def statement_schema() -> dict[str, pl.DataType]:
    """Column name to polars type."""
    import polars as pl

    return {name: pl.UInt32() if name == "row" else pl.String() for name in COLUMNS}


@dataclass(frozen=True, slots=True)
class Counts:
    """Records of one source: ``read == loaded + duplicate + rejected``; statements made of them."""

    read: int
    loaded: int
    duplicate: int
    rejected: int
    statements: int


@dataclass(frozen=True, slots=True)
class Load:
    """A committed load."""

    id: str
    folder: Path
    source: str
    sha256: str
    role: Role
    media_type: str
    counts: Counts
    started: str
    ended: str

    @classmethod
    def read(cls, folder: Path) -> Load:
        """Read a load's manifest.

        Raises:
            DamagedArtifact
        """
        m = read_manifest(folder)
        return cls(
            id=folder.name,
            folder=folder,
            source=m["source"],
            sha256=m["sha256"],
            role=m["role"],
            media_type=m["media_type"],
            counts=Counts(**m["counts"]),
            started=m["started"],
            ended=m["ended"],
        )

    @classmethod
    def all(cls, parent: Path) -> Iterator[Load]:
        """Every committed load under ``loads/``, by id."""
        if parent.is_dir():
            for folder in sorted(parent.iterdir()):
                if folder.is_dir() and not folder.name.startswith(TEMPORARY):
                    yield cls.read(folder)

    @property
    def statements(self) -> list[Path]:
        """The Parquet files, in order."""
        return sorted(self.folder.glob("statements-*.parquet"))


def active_loads(workspace: Workspace) -> list[Load]:
    """The loads that are committed and not retracted, by id.

    Raises:
        DamagedArtifact
    """
    retracted = set(workspace.current.retracted)
    return [load for load in Load.all(workspace.loads_folder) if load.id not in retracted]


def load_id(source_sha256: str, mapping_text: str, base: str, role: str) -> str:
    """16 hex digits that depend on what was loaded and how, not on where or when."""
    text = json.dumps([1, source_sha256, mapping_text, base, role])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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

    def __init__(self, workspace: Workspace, load_id: str) -> None:
        self.workspace = workspace
        self.id = load_id
        self._artifact = new_artifact(workspace.loads_folder, load_id)
        self._folder = self._artifact.__enter__()
        self._parts = 0
        self._rejected: list[dict[str, object]] = []
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.abort()

    def write(self, statements: pl.DataFrame) -> None:
        """Append a batch of statements with the columns of ``COLUMNS``."""
        if statements.is_empty():
            return
        path = self._folder / f"statements-{self._parts:05d}.parquet"
        try:
            statements.cast(statement_schema()).select(COLUMNS).write_parquet(  # type: ignore[arg-type]
                path, compression="zstd", statistics=False
            )
        except OSError as error:
            raise from_os_error(error, path) from error
        self._parts += 1

    def write_beside(self, name: str, frame: pl.DataFrame) -> None:
        """Add a Parquet file that explains the statements."""
        try:
            frame.write_parquet(self._folder / name, compression="zstd", row_group_size=100_000)
        except OSError as error:
            raise from_os_error(error, self._folder / name) from error

    def reject(self, line: int, reason: str, raw: str) -> None:
        """Keep a record that could not be loaded, with its line, the reason and its raw text."""
        self._rejected.append({"line": line, "reason": reason, "raw": raw[:2000]})

    def commit(
        self,
        *,
        source: str,
        sha256: str,
        role: Role,
        counts: Counts,
        media_type: str,
        started: str,
        mapping: str = "",
        derived_from: Sequence[str] = (),
    ) -> Load:
        """Make the load durable and active. When this returns, it survives a power cut.

        Args:
            derived_from: ids of the loads from which the statements follow.

        Raises:
            NotWritable, DiskFull: nothing was committed.
        """
        self._commit_quarantine(source)
        ended = now()
        activity = {
            "@type": "prov:Activity",
            "prov:used": source,
            "prov:startedAtTime": started,
            "prov:endedAtTime": ended,
        }
        write_manifest(
            self._folder,
            {
                "format": RECORD_FORMAT,
                "id": self.id,
                "source": source,
                "sha256": sha256,
                "role": role,
                "media_type": media_type,
                "mapping": mapping,
                "counts": asdict(counts),
                "started": started,
                "ended": ended,
                "prov:wasGeneratedBy": activity,
                "prov:wasDerivedFrom": list(derived_from),
            },
        )
        self._open = False
        self._artifact.__exit__(None, None, None)
        self.workspace.set_retracted(self.id, False)
        return Load.read(self.workspace.loads_folder / self.id)

    def abort(self) -> None:
        """Drop what was written. Does nothing after a commit."""
        if self._open:
            self._open = False
            shutil.rmtree(self._folder, ignore_errors=True)

    def _commit_quarantine(self, source: str) -> None:
        if not self._rejected:
            return
        lines = (
            json.dumps({"file": source, **record}, ensure_ascii=False) for record in self._rejected
        )
        with new_artifact(self.workspace.quarantine, self.id) as folder:
            (folder / "rejected.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def now() -> str:
    """The time as ISO 8601 text in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
