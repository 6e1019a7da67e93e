"""Write and read a stage's folder, or a file, durably.

It is written under a temporary name, every file and folder of it is synced, and one atomic rename
makes it visible; its parent is synced last. So it either exists whole or not at all, after a killed
process and after a power cut. A folder's manifest carries size and SHA-256 of every file.

Knows files; knows nothing of what is in them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sightline.graph.storage.errors import (
    DamagedArtifact,
    FormatMismatch,
    from_os_error,
    storage_error,
)

MANIFEST = "manifest.json"
#: Temporary names begin so; they are removed when the workspace is next written.
TEMPORARY = ".tmp-"
ASIDE = TEMPORARY + "old-"
#: Member of a JSON file that holds the checksum of the others.
SEAL = "sha256"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a path where the block makes a file or a folder; it replaces ``target`` as a whole when
    the block ends without an error.

    Raises:
        NotWritable, DiskFull: it cannot be written; what was there before is still there.
    """
    temporary = target.with_name(f"{TEMPORARY}{target.name}-{threading.get_native_id()}")
    try:
        remove(temporary)
        yield temporary
        for path in (*temporary.rglob("*"), temporary):
            _sync(path)
        _replace(temporary, target)
        _sync(target.parent)
    except Exception as error:
        found = storage_error(error, target)
        if found is None:
            raise
        raise found from error
    finally:
        remove(temporary)


@contextmanager
def new_artifact(parent: Path, name: str, **manifest: object) -> Iterator[Path]:
    """Yield an empty folder that becomes ``parent/name`` when the block ends without an error.

    The block may call ``write_manifest`` itself; otherwise ``manifest`` is written for it.
    An existing ``parent/name`` is replaced.

    Raises:
        NotWritable, DiskFull: the folder cannot be written; nothing is left behind.
    """
    with replacing(parent / name) as folder:
        folder.mkdir(parents=True)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            # Tells ``remove_leftovers`` that somebody is at it.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield folder
            if not (folder / MANIFEST).exists():
                write_manifest(folder, manifest)
        finally:
            os.close(descriptor)


def write_manifest(folder: Path, manifest: Mapping[str, object]) -> None:
    """Write ``manifest.json``: what the caller says, and size and SHA-256 of every file."""
    files = {
        str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST
    }
    (folder / MANIFEST).write_text(_json_text({**manifest, "files": files}), encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder.

    Raises:
        DamagedArtifact: it is missing or is no JSON object.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        reason = "its manifest cannot be read" if folder.is_dir() else "it is not there"
        raise DamagedArtifact(folder, reason) from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise DamagedArtifact(folder, "its manifest is not one")
    return manifest


def verify_artifact(folder: Path, *, full: bool) -> dict[str, Any]:
    """Check that every file is there with its size, and with ``full`` its checksum too.

    Raises:
        DamagedArtifact: naming the first file that is wrong.
    """
    manifest = read_manifest(folder)
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise DamagedArtifact(folder, f"{name} is missing")
        if path.stat().st_size != expected["bytes"]:
            raise DamagedArtifact(folder, f"{name} has the wrong size")
        if full and sha256_of(path) != expected["sha256"]:
            raise DamagedArtifact(folder, f"{name} has the wrong checksum")
    return manifest


def open_artifact(folder: Path, *, format: int, again: str) -> dict[str, Any]:
    """The manifest of a folder of a known format, after a check that every file is there whole.

    Args:
        again: the command that makes the folder again.

    Raises:
        DamagedArtifact, FormatMismatch
    """
    found = read_manifest(folder).get("format")
    if found != format:
        raise FormatMismatch(folder, found, format, f"`{again}` makes it again")
    return verify_artifact(folder, full=False)


def is_intact(folder: Path, **wanted: object) -> bool:
    """Whether a folder is there with every checksum right and these members of its manifest."""
    try:
        return verify_artifact(folder, full=True).items() >= wanted.items()
    except DamagedArtifact:
        return False


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json_atomic(path: Path, value: object, mode: int = 0o666) -> None:
    """Replace a JSON file as a whole, durably. ``mode``: who may read and write it.

    Raises:
        NotWritable, DiskFull
    """
    with replacing(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(_json_text(value))


def sealed(value: Mapping[str, object]) -> dict[str, object]:
    """A JSON object with a checksum of its other members as its last."""
    return {**value, SEAL: hashlib.sha256(_json_text(value).encode()).hexdigest()}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object without its seal, after a check of it; one without a seal is read too.

    Raises:
        FileNotFoundError
        DamagedArtifact
    """
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise DamagedArtifact(path, "it is no JSON") from error
    if not isinstance(value, dict):
        raise DamagedArtifact(path, "it is no JSON object")
    seal = value.pop(SEAL, None)
    if seal is not None and seal != sealed(value)[SEAL]:
        raise DamagedArtifact(path, "it has the wrong checksum")
    return value


def read_list(path: Path, format: int, way_out: str) -> dict[str, Any] | None:
    """A sealed JSON object of a known format; None where there is no file.

    Raises:
        DamagedArtifact, FormatMismatch: with the way out.
    """
    try:
        value = read_json(path)
    except FileNotFoundError:
        return None
    except DamagedArtifact as error:
        raise DamagedArtifact(path, error.reason, way_out) from error
    if value.get("format") != format:
        raise FormatMismatch(path, value.get("format"), format, way_out)
    return value


def remove_leftovers(parent: Path) -> None:
    """Clear what killed processes left: unfinished files and folders go, a folder that had stepped
    aside for a replacement that never came goes back. What a living process writes stays."""
    for path in parent.iterdir() if parent.is_dir() else ():
        name, _, writer = path.name.removeprefix(ASIDE).rpartition("-")
        if path.name.startswith(ASIDE) and writer.isdigit() and not (parent / name).exists():
            path.rename(parent / name)
        elif path.name.startswith(TEMPORARY) and not _is_held(path):
            remove(path)


def take_away(folder: Path) -> None:
    """Remove a folder so that nobody finds a part of it: it steps aside first."""
    aside = folder.with_name(f"{TEMPORARY}{folder.name}")
    with suppress(FileNotFoundError):
        folder.rename(aside)
    remove(aside)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there and can be removed."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _json_text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_held(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(descriptor)


def _replace(source: Path, target: Path) -> None:
    # A folder cannot replace a non-empty folder in one step: the old one steps aside first.
    aside = target.with_name(f"{ASIDE}{source.name.removeprefix(TEMPORARY)}")
    if target.is_dir() and source.is_dir():
        target.rename(aside)
    source.replace(target)
    remove(aside)


@contextmanager
def turn(lock: Path) -> Iterator[None]:
    """Be the one who changes a file that has a lock of its own, and so waits for no build.

    Raises:
        NotWritable, DiskFull
    """
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise from_os_error(error, lock.parent) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
