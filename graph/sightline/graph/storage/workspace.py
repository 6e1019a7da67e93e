"""A workspace: the folder that holds everything a user owns, and who may write it.

Knows where each stage keeps its folders, which loads are active and which (snapshot, model) pair is
served. Knows nothing of what is inside a load, a snapshot or a model.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sightline.graph.progress import Progress, silent
from sightline.graph.snapshot.errors import NothingCompiled
from sightline.graph.storage.artifact import (
    MANIFEST,
    TEMPORARY,
    remove_leftovers,
    verify_artifact,
    write_json_atomic,
)
from sightline.graph.storage.errors import (
    DamagedArtifact,
    FormatMismatch,
    NotAWorkspace,
    NotWritable,
    WorkspaceLocked,
    from_os_error,
)
from sightline.graph.storage.settings import FILE as SETTINGS_FILE
from sightline.graph.storage.settings import Settings, read_settings, write_template
from sightline.graph.vocabulary import DEFAULT_BASE

if TYPE_CHECKING:
    from sightline.graph.record.loads import Load
    from sightline.graph.snapshot.reader import Snapshot

#: Version of the layout of a workspace and of everything in it.
FORMAT = 1
CURRENT = "current.json"


@dataclass(frozen=True, slots=True)
class Current:
    """What is active and what is served.

    Attributes:
        snapshot, model: ids of the served pair; a model is served only with a snapshot.
        loads: ids of the loads the served snapshot was compiled from.
        retracted: ids of loads taken out again.
    """

    snapshot: str | None = None
    model: str | None = None
    loads: tuple[str, ...] = ()
    retracted: tuple[str, ...] = ()


class Workspace:
    """An opened workspace. Opening reads two small files and changes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loads_folder = path / "loads"
        self.quarantine = path / "quarantine"
        self.snapshots = path / "snapshots"
        self.models = path / "models"
        self.reports = path / "reports"
        self._locked = False

    @classmethod
    def open(cls, path: str | Path) -> Workspace:
        """Open an existing workspace.

        Raises:
            NotAWorkspace, FormatMismatch, DamagedArtifact
        """
        workspace = cls(Path(path))
        _ = workspace.current
        return workspace

    @classmethod
    def create(
        cls, path: str | Path, base: str = DEFAULT_BASE, prefixes: Mapping[str, str] = {}
    ) -> Workspace:
        """Open a workspace, making it first where none is.

        ``base`` and ``prefixes`` are written to the settings of a new workspace and ignored for an
        existing one.

        Raises:
            FormatMismatch, DamagedArtifact, NotWritable
        """
        workspace = cls(Path(path))
        if (workspace.path / CURRENT).exists():
            return cls.open(path)
        try:
            # Folders of a workspace without its current.json: the loads are taken up again.
            known = {SETTINGS_FILE, "loads", "quarantine", "snapshots", "models", "reports"}
            if workspace.path.is_dir() and any(
                p.name not in known and not p.name.startswith((".", "jobs.sqlite"))
                for p in workspace.path.iterdir()
            ):
                raise NotWritable(path, "it is no workspace and holds other files")
            workspace.path.mkdir(parents=True, exist_ok=True)
            if not (workspace.path / SETTINGS_FILE).exists():
                write_template(workspace.path / SETTINGS_FILE, base, prefixes)
        except OSError as error:
            raise from_os_error(error, path) from error
        workspace._write_current(Current())
        return workspace

    @cached_property
    def settings(self) -> Settings:
        """The settings.

        Raises:
            SettingsError
        """
        return read_settings(self.path / SETTINGS_FILE)

    @property
    def current(self) -> Current:
        """What is active and served now, read afresh.

        Raises:
            NotAWorkspace, FormatMismatch, DamagedArtifact
        """
        try:
            value = json.loads((self.path / CURRENT).read_bytes())
            found = value.pop("format")
            if found != FORMAT:
                raise FormatMismatch(self.path, found, FORMAT)
            return Current(
                snapshot=value["snapshot"],
                model=value["model"],
                loads=tuple(value["loads"]),
                retracted=tuple(value["retracted"]),
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotAWorkspace(self.path) from error
        except OSError as error:
            raise from_os_error(error, self.path) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedArtifact(self.path / CURRENT, "it cannot be read") from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the one writer. Entering it again inside the same object changes nothing.

        Raises:
            WorkspaceLocked: another process writes; it is named.
            NotWritable
        """
        if self._locked:
            yield
            return
        try:
            stream = (self.path / ".lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise from_os_error(error, self.path) from error
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                stream.seek(0)
                holder = stream.read(80).strip() or "another process"
                raise WorkspaceLocked(self.path, holder) from error
            stream.truncate(0)
            stream.write(f"process {os.getpid()}")
            stream.flush()
            self._locked = True
            try:
                for folder in (self.path, self.loads_folder, self.snapshots, self.models):
                    remove_leftovers(folder)
                yield
            finally:
                self._locked = False
                stream.truncate(0)

    def loads(self) -> list[Load]:
        """The active loads, by id: committed and not retracted."""
        from sightline.graph.record.loads import Load

        retracted = set(self.current.retracted)
        return [load for load in Load.all(self.loads_folder) if load.id not in retracted]

    def snapshot(self) -> Snapshot:
        """The served snapshot, memory-mapped.

        Raises:
            NothingCompiled, DamagedArtifact
        """
        from sightline.graph.snapshot.reader import Snapshot

        current = self.current
        if current.snapshot is None:
            raise NothingCompiled(self.path)
        return Snapshot.open(self.snapshots / current.snapshot)

    def scratch(self, name: str) -> Path:
        """A folder for work that may be thrown away, such as checkpoints."""
        folder = self.path / ".work" / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise from_os_error(error, folder) from error
        return folder

    def publish(
        self,
        *,
        snapshot: str | None = None,
        loads: tuple[str, ...] | None = None,
        model: str | None = None,
    ) -> Current:
        """Serve another snapshot or model, by one atomic replacement. None keeps what is served."""
        with self.lock():
            current = self.current
            new = replace(
                current,
                snapshot=snapshot or current.snapshot,
                loads=current.loads if loads is None else loads,
                model=model or current.model,
            )
            if new != current:
                self._write_current(new)
            return new

    def set_retracted(self, load_id: str, retracted: bool) -> None:
        """Take a load out of the graph, or back in. Takes effect with the next compile."""
        with self.lock():
            current = self.current
            ids = set(current.retracted) - {load_id} | ({load_id} if retracted else set())
            if ids != set(current.retracted):
                self._write_current(replace(current, retracted=tuple(sorted(ids))))

    def verify(self, progress: Progress = silent) -> list[DamagedArtifact]:
        """Check every checksum of every stored folder; what is damaged comes back."""
        parents = (self.loads_folder, self.quarantine, self.snapshots, self.models, self.reports)
        folders = {f for parent in parents for f in parent.glob("*") if f.is_dir()}
        folders |= {f.parent for parent in parents for f in parent.glob(f"*/*/{MANIFEST}")}
        current = self.current
        folders |= {self.snapshots / current.snapshot} if current.snapshot else set()
        folders |= {self.models / current.model} if current.model else set()
        folders = {f for f in folders if TEMPORARY not in str(f.relative_to(self.path))}
        damaged = []
        for done, folder in enumerate(sorted(folders)):
            progress("verify", done, len(folders), folder.name)
            try:
                verify_artifact(folder, full=True)
            except DamagedArtifact as error:
                damaged.append(error)
        progress("verify", len(folders), len(folders), "")
        return damaged

    def _write_current(self, current: Current) -> None:
        write_json_atomic(self.path / CURRENT, {"format": FORMAT, **asdict(current)})
