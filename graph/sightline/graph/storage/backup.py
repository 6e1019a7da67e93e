"""A workspace as one file, and back: a tar archive packed with Zstandard.

What a stage wrote never changes, so it is held by links while it is copied, however much is written
beside; small files are copied, the queue by SQLite's own means. Members: ``backup.json`` (what is
inside), every file, ``checksums.json``, and last ``current.json``. Knows files and manifests; knows
no content.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from sightline.graph.errors import UsageError
from sightline.graph.progress import Progress, silent
from sightline.graph.storage.artifact import (
    MANIFEST,
    TEMPORARY,
    read_manifest,
    remove,
    replacing,
)
from sightline.graph.storage.database import errors_of
from sightline.graph.storage.errors import (
    DamagedArtifact,
    DamagedBackup,
    DiskFull,
    NotWritable,
    WorkspaceLocked,
    from_os_error,
)
from sightline.graph.storage.workspace import CURRENT, LAYOUT, Current, Workspace

FORMAT = 1
HEAD, SUMS = "backup.json", "checksums.json"
#: What everything else can be made of.
RECORD = ("loads", "quarantine", "uploads")
#: How often it is tried to hold everything between two writes.
TRIES = 20
#: Bytes that are copied at once.
BLOCK = 1 << 20
#: What expands to more than this many times its size, and this many bytes, is a bomb.
BOMB_RATIO, BOMB_SIZE = 200, 4 << 30
#: Bytes of the members that are read whole.
MAX_JSON = 256 << 20
#: A file of a workspace, from its folder on: nothing hidden, nothing that leads out of it.
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*){0,7}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Contents:
    """How much is in a backup.

    Attributes:
        loads_only: all that can be made of the loads again was left out.
    """

    files: int
    bytes: int
    loads_only: bool


def write_backup(
    ws: Workspace, output: Path, *, loads_only: bool = False, progress: Progress = silent
) -> Contents:
    """Write a workspace to a file, as it is at one moment. Others may write it meanwhile.

    Args:
        loads_only: leave out snapshots, models and reports, which can be made again.

    Raises:
        UsageError: the file would be in the workspace.
        DamagedArtifact: a file is not what its manifest says; nothing is written.
        WorkspaceLocked: it changes faster than it can be held.
        NotWritable, DiskFull
    """
    from backports import zstd

    if output.resolve().is_relative_to(ws.path.resolve()):
        raise UsageError(f"{str(output)!r} is in the workspace itself; write the backup elsewhere")
    with _held(ws, loads_only) as (folder, current), replacing(output) as temporary:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        total = sum(path.stat().st_size for path in files)
        contents = Contents(len(files), total, loads_only)
        temporary.touch(0o600)  # it may hold who has access
        sums: dict[str, str] = {}
        with (
            zstd.open(temporary, "wb") as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            _add(archive, HEAD, {"format": FORMAT, **asdict(contents)})
            done = 0
            for path in files:
                name = path.relative_to(folder).as_posix()
                info = archive.gettarinfo(path, name)
                info.uid = info.gid = 0
                info.uname = info.gname = ""
                with path.open("rb") as stream:
                    read = _Hashed(stream, partial(_tell, progress, "backup", total, name), done)
                    info.type = tarfile.REGTYPE  # links of the same file are files
                    archive.addfile(info, read)  # type: ignore[arg-type]
                done += info.size
                sums[name] = read.hash.hexdigest()
            _compare(folder, sums)
            _add(archive, SUMS, sums)
            _add(archive, CURRENT, current)
        progress("backup", total, total, "")
        return contents


def read_backup(file: Path, target: Path, *, progress: Progress = silent) -> Contents:
    """Make a workspace of a backup. It is there whole or not at all.

    Raises:
        DamagedBackup: it is none, or cut short, or changed, or holds what no backup does.
        NotWritable: there is something at ``target``.
        DiskFull
    """
    from backports import zstd

    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise NotWritable(target, "it is not empty, and a backup is restored where nothing is")
        target.parent.mkdir(parents=True, exist_ok=True)
        size = file.stat().st_size
    except OSError as error:
        raise from_os_error(error, error.filename or target) from error
    with replacing(target) as folder:
        folder.mkdir()
        try:
            with zstd.open(file) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
                contents = _unpack(archive, folder, file, size, progress)
        except (zstd.ZstdError, tarfile.TarError, EOFError) as error:
            raise DamagedBackup(file, f"it is no backup, or cut short ({error})") from error
        _ = Workspace.open(folder).current
        progress("restore", contents.bytes, contents.bytes, "")
        return contents


def _unpack(
    archive: tarfile.TarFile, folder: Path, file: Path, size: int, progress: Progress
) -> Contents:
    members = iter(archive)
    head = _json(archive, next(members, None), HEAD, file)
    try:
        contents = Contents(int(head["files"]), int(head["bytes"]), bool(head["loads_only"]))
        if head["format"] != FORMAT:
            raise DamagedBackup(file, f"it has format {head['format']!s:.20}, this reads {FORMAT}")
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedBackup(file, f"{HEAD} does not say what is inside") from error
    if contents.bytes > max(BOMB_SIZE, BOMB_RATIO * size):
        raise DamagedBackup(
            file, f"it expands to more than {BOMB_RATIO} times its size, as a bomb does"
        )
    if contents.bytes > shutil.disk_usage(folder).free:
        raise DiskFull(folder.parent)
    sums: dict[str, str] = {}
    done = 0
    for member in members:
        name = member.name
        if name == SUMS:
            break
        if not member.type == tarfile.REGTYPE or not _NAME.fullmatch(name) or name in sums:
            raise DamagedBackup(file, f"it holds {name[:80]!r}, which no backup does")
        if done + member.size > contents.bytes or len(sums) == contents.files:
            raise DamagedBackup(file, "it holds more than it says")
        stream = archive.extractfile(member)
        assert stream is not None
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        read = _Hashed(stream, partial(_tell, progress, "restore", contents.bytes, name), done)
        with path.open("xb") as out:
            while block := read.read(BLOCK):
                out.write(block)
        path.chmod(0o600 if not member.mode & 0o077 else 0o644)
        done += member.size
        sums[name] = read.hash.hexdigest()
    else:
        raise DamagedBackup(file, "it is cut short")
    if _json(archive, member, SUMS, file) != sums or done != contents.bytes:
        raise DamagedBackup(file, "a file in it has the wrong checksum")
    try:
        _compare(folder, sums)
    except DamagedArtifact as error:
        raise DamagedBackup(file, str(error.reason)) from error
    current = _json(archive, next(members, None), CURRENT, file)
    (folder / CURRENT).write_text(json.dumps(current), encoding="utf-8")
    return contents


@contextmanager
def _held(ws: Workspace, loads_only: bool) -> Iterator[tuple[Path, dict[str, Any]]]:
    """All files of a workspace as they are at one moment, in a folder, and its ``current.json``."""
    folder = ws.path / f"{TEMPORARY}backup-{os.getpid()}"
    try:
        folder.mkdir()
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise from_os_error(error, ws.path) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # somebody is at it
        for _ in range(TRIES):
            before = ws.current
            for path in folder.iterdir():
                remove(path)
            for path in ws.path.iterdir():
                if not path.name.startswith(".") and path.name != CURRENT:
                    _hold(path, folder, loads_only)
            # Between the two nothing was published, taken in or taken out.
            if ws.current == before and _is_whole(folder, before, loads_only):
                yield folder, _as_json(before, loads_only)
                return
        raise WorkspaceLocked(ws.path, "others, faster than it can be copied")
    finally:
        os.close(descriptor)
        remove(folder)


def _hold(path: Path, folder: Path, loads_only: bool) -> None:
    """Keep a file of a workspace, or all that stages wrote into a folder of it."""
    if path.is_dir():
        if loads_only and path.name not in RECORD:
            return
        for written in path.iterdir():
            try:
                _link(written, folder / path.name / written.name)
            except FileNotFoundError:  # it has gone meanwhile
                remove(folder / path.name / written.name)
    elif path.suffix == ".sqlite":
        if not loads_only:
            _copy_database(path, folder / path.name)
    elif ".sqlite-" not in path.name:  # the journal of one is of no use to its copy
        shutil.copy2(path, folder / path.name)


def _link(path: Path, target: Path) -> None:
    """The same files under another name; what is hidden is somebody's work."""
    if path.name.startswith("."):
        return
    if path.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for inner in path.iterdir():
            _link(inner, target / inner.name)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copy2(path, target)


def _copy_database(path: Path, target: Path) -> None:
    with (
        errors_of(path),
        closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)


def _is_whole(folder: Path, current: Current, loads_only: bool) -> bool:
    """Whether all that is served was held."""
    needed = [folder / "loads" / load for load in current.loads]
    if not loads_only and current.snapshot:
        needed.append(folder / "snapshots" / current.snapshot)
        needed += [folder / "models" / current.model] if current.model else []
    return all(path.is_dir() for path in needed)


def _as_json(current: Current, loads_only: bool) -> dict[str, Any]:
    kept = Current(retracted=current.retracted) if loads_only else current
    return {"format": LAYOUT, **asdict(kept)}


def _compare(folder: Path, sums: Mapping[str, str]) -> None:
    """Compare the checksums of files with those that manifests say.

    Raises:
        DamagedArtifact: naming the first file that is missing or changed.
    """
    for path in sorted(folder.rglob(MANIFEST)):
        part = path.parent
        for name, expected in read_manifest(part)["files"].items():
            found = sums.get((part / name).relative_to(folder).as_posix())
            if found != expected["sha256"]:
                reason = "is missing" if found is None else "has the wrong checksum"
                where = part.relative_to(folder).as_posix()
                raise DamagedArtifact(where, f"{where}/{name} {reason}")


class _Hashed:
    """A stream that is hashed while it is read."""

    def __init__(self, stream: IO[bytes], told: Callable[[int], None], done: int) -> None:
        self.hash = hashlib.sha256()
        self._stream = stream
        self._told = told
        self._done = done

    def read(self, size: int) -> bytes:
        """At most so many bytes."""
        block = self._stream.read(size)
        self.hash.update(block)
        self._done += len(block)
        self._told(self._done)
        return block


def _tell(progress: Progress, stage: str, total: int, note: str, done: int) -> None:
    progress(stage, done, total, note)


def _add(archive: tarfile.TarFile, name: str, value: Mapping[str, Any]) -> None:
    data = json.dumps(value).encode()
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, BytesIO(data))


def _json(
    archive: tarfile.TarFile, member: tarfile.TarInfo | None, name: str, file: Path
) -> dict[str, Any]:
    """A member that is a JSON object.

    Raises:
        DamagedBackup
    """
    if member is None or member.name != name or not member.isreg() or member.size > MAX_JSON:
        raise DamagedBackup(file, f"it has no {name} where that should be")
    stream = archive.extractfile(member)
    assert stream is not None
    try:
        value = json.loads(stream.read())
    except ValueError as error:
        raise DamagedBackup(file, f"its {name} is no JSON") from error
    if not isinstance(value, dict):
        raise DamagedBackup(file, f"its {name} is no JSON object")
    return value
