"""A workspace: the folder that holds everything a user owns, and who may write it.

Knows where each stage keeps its folders, which loads are active and which (snapshot, model) pair is
served. Knows nothing of what is inside a load, a snapshot or a model.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from io import RawIOBase
from pathlib import Path
from typing import Any

from sightline.graph.storage.artifact import read_json, remove_leftovers, write_json_atomic
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
from sightline.graph.storage.tokens import FILE as TOKENS
from sightline.graph.vocabulary import DEFAULT_BASE

#: Version of the layout of a workspace: its folders and ``current.json``.
LAYOUT = 1
CURRENT = "current.json"
#: Entities that somebody watches.
WATCH = "watch.json"
#: Findings that somebody looked at and lets be.
IGNORED = "ignored.json"
#: SHACL shapes that somebody wants the facts to keep.
SHAPES = "shapes.ttl"
#: Background jobs.
JOBS = "jobs.sqlite"
#: What endpoints of language models answered, by what they were asked.
ANSWERS = "answers.sqlite"
#: What evaluation adds to a model folder, sealed, after its manifest was written.
METRICS = "metrics.json"
#: An id is the name of a folder, and nothing else.
_ID = re.compile(r"\w[\w-]*", re.ASCII)


#: Pairs that are remembered to go back to, and kept for that.
FORMER = 2


@dataclass(frozen=True, slots=True)
class Pair:
    """What answers, or did.

    Attributes:
        snapshot, model: their ids; without a model nothing is predicted.
        loads: ids of the loads that the snapshot was compiled from.
    """

    snapshot: str
    model: str | None
    loads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Current:
    """What is active and what is served.

    Attributes:
        snapshot, model: ids of the served pair; a model is served only with a snapshot.
        loads: ids of the loads the served snapshot was compiled from.
        retracted: ids of loads taken out again.
        former: pairs that were served before, the last one first.
    """

    snapshot: str | None = None
    model: str | None = None
    loads: tuple[str, ...] = ()
    retracted: tuple[str, ...] = ()
    former: tuple[Pair, ...] = ()

    @property
    def pair(self) -> Pair | None:
        """What is served."""
        return None if self.snapshot is None else Pair(self.snapshot, self.model, self.loads)

    def serving(self, snapshot: str | None, model: str | None, loads: tuple[str, ...]) -> Current:
        """The same with another pair served. That which was is the first of the former then."""
        former, pair = self.former, self.pair
        if pair is not None and (pair.snapshot, pair.model) != (snapshot, model):
            others = [one for one in former if (one.snapshot, one.model) != (snapshot, model)]
            former = (pair, *others)[:FORMER]
        return replace(self, snapshot=snapshot, model=model, loads=loads, former=former)


class Workspace:
    """An opened workspace. Opening reads two small files and changes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loads_folder = path / "loads"
        self.quarantine = path / "quarantine"
        self.snapshots = path / "snapshots"
        self.models = path / "models"
        self.reports = path / "reports"
        self.uploads = path / "uploads"
        self.work = path / ".work"
        #: Process and thread that hold the lock through this object.
        self._writer: tuple[int, int] | None = None

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
            FormatMismatch, DamagedArtifact, NotWritable, DiskFull, WorkspaceLocked
        """
        workspace = cls(Path(path))
        if (workspace.path / CURRENT).exists():
            return cls.open(path)
        try:
            # Folders of a workspace without its current.json: the loads are taken up again.
            known = {SETTINGS_FILE, WATCH, IGNORED, TOKENS, SHAPES}
            known |= {"loads", "quarantine", "snapshots", "models", "reports", "uploads"}
            if workspace.path.is_dir() and any(
                p.name not in known and not p.name.startswith((".", JOBS, ANSWERS))
                for p in workspace.path.iterdir()
            ):
                raise NotWritable(path, "it is no workspace and holds other files")
            workspace.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise from_os_error(error, path) from error
        with workspace.lock():
            # Somebody else may have made it meanwhile.
            if not (workspace.path / CURRENT).exists():
                if not (workspace.path / SETTINGS_FILE).exists():
                    write_template(workspace.path / SETTINGS_FILE, base, prefixes)
                workspace._write_current(Current())
        return cls.open(path)

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
            value = read_json(self.path / CURRENT)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotAWorkspace(self.path) from error
        except OSError as error:
            raise from_os_error(error, self.path) from error
        except DamagedArtifact as error:
            raise self._damaged_current(error.reason) from error
        found = value.get("format")
        if found != LAYOUT:
            way_out = "use the Sightline that wrote it, or ingest its sources into a new workspace"
            raise FormatMismatch(self.path, found, LAYOUT, way_out)
        for name in ("snapshot", "model"):
            if value.get(name) is not None:
                self._require_id(name, value[name])
        for name in ("loads", "retracted"):
            if not isinstance(value.get(name), list):
                raise self._damaged_current(f"{name!r} is no list")
            for item in value[name]:
                self._require_id(name, item)
        loads, retracted = tuple(value["loads"]), tuple(value["retracted"])
        former = tuple(map(self._pair, value.get("former", [])))
        return Current(value.get("snapshot"), value.get("model"), loads, retracted, former)

    def _pair(self, value: Any) -> Pair:
        try:
            pair = Pair(value["snapshot"], value["model"], tuple(value["loads"]))
        except (KeyError, TypeError) as error:
            raise self._damaged_current("'former' holds what is no pair") from error
        self._require_id("snapshot", pair.snapshot)
        if pair.model is not None:
            self._require_id("model", pair.model)
        return pair

    def _require_id(self, name: str, value: object) -> None:
        if not isinstance(value, str) or not _ID.fullmatch(value):
            raise self._damaged_current(f"{name!r} holds {value!r:.60}, which is no id")

    def _damaged_current(self, reason: str) -> DamagedArtifact:
        way_out = "delete it and ingest any source again: every load is taken up again"
        return DamagedArtifact(self.path / CURRENT, reason, way_out)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the one writer. The thread that is it already may enter again through the same object;
        any other thread, object or process may not.

        Raises:
            WorkspaceLocked: somebody else writes; the process is named.
            NotWritable
        """
        me = (os.getpid(), threading.get_ident())
        if self._writer == me:
            yield
            return
        try:
            # Without a buffer: what a full disk does not take is not tried again at the end.
            stream = (self.path / ".lock").open("ab+", buffering=0)
        except OSError as error:
            raise from_os_error(error, self.path) from error
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                stream.seek(0)
                holder = stream.read(80).decode().strip() or "another process"
                raise WorkspaceLocked(self.path, holder) from error
            self._writer = me
            try:
                self._name_holder(stream, f"process {os.getpid()}")
                for folder in self._written_folders():
                    remove_leftovers(folder)
                yield
            finally:
                self._writer = None
                self._name_holder(stream, "")

    @staticmethod
    def _name_holder(stream: RawIOBase, text: str) -> None:
        # For the message only: on a full disk the lock holds without it.
        with suppress(OSError):
            stream.truncate(0)
            stream.write(text.encode())

    def _written_folders(self) -> Iterator[Path]:
        """Every folder in which something is written under a temporary name first."""
        yield from (self.path, self.loads_folder, self.quarantine, self.snapshots, self.models)
        yield from (self.reports, self.uploads, *self.models.glob("*"), *self.models.glob("*/maps"))
        yield from (self.work, *self.work.glob("**"))

    def scratch(self, name: str) -> Path:
        """A folder for work that may be thrown away, such as checkpoints."""
        folder = self.work / name
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
            new = current.serving(
                snapshot or current.snapshot,
                model or current.model,
                current.loads if loads is None else loads,
            )
            if new != current:
                self._write_current(new)
            return new

    def go_back(self, pair: Pair) -> None:
        """Serve a former pair again, by one atomic replacement."""
        with self.lock():
            self._write_current(self.current.serving(pair.snapshot, pair.model, pair.loads))

    def set_retracted(self, load_id: str, retracted: bool) -> None:
        """Take a load out of the graph, or back in. Takes effect with the next compile."""
        self.swap_loads([] if retracted else [load_id], [load_id] if retracted else [])

    def swap_loads(self, back: Collection[str], out: Collection[str]) -> None:
        """Take loads back into the graph and others out of it, all in one step or none."""
        with self.lock():
            current = self.current
            ids = (set(current.retracted) - set(back)) | set(out)
            if ids != set(current.retracted):
                self._write_current(replace(current, retracted=tuple(sorted(ids))))

    def _write_current(self, current: Current) -> None:
        write_json_atomic(self.path / CURRENT, {"format": LAYOUT, **asdict(current)})
