"""Write and read a stage's folder durably.

A folder is written under a temporary name, every file and the folder are synced, and one atomic
rename makes it visible; its parent is synced last. So a folder either exists whole or not at all,
after a killed process and after a power cut. The manifest carries size and SHA-256 of every file.

Knows files; knows nothing of what is in them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sightline.graph.storage.errors import DamagedArtifact, from_os_error

MANIFEST = "manifest.json"
#: Temporary names begin so; they are removed when the workspace is next written.
TEMPORARY = ".tmp-"
ASIDE = TEMPORARY + "old-"


@contextmanager
def new_artifact(parent: Path, name: str, **manifest: object) -> Iterator[Path]:
    """Yield an empty folder that becomes ``parent/name`` when the block ends without an error.

    The block may call ``write_manifest`` itself; otherwise ``manifest`` is written for it.
    An existing ``parent/name`` is replaced.

    Raises:
        NotWritable, DiskFull: the folder cannot be written; nothing is left behind.
    """
    target = parent / name
    temporary = parent / f"{TEMPORARY}{name}-{os.getpid()}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        yield temporary
        if not (temporary / MANIFEST).exists():
            write_manifest(temporary, manifest)
        _sync_tree(temporary)
        _replace_folder(temporary, target)
        _sync(parent)
    except OSError as error:
        raise from_os_error(error, target) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_manifest(folder: Path, manifest: Mapping[str, object]) -> None:
    """Write ``manifest.json``: what the caller says, and size and SHA-256 of every file."""
    files = {
        str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in _files(folder)
    }
    text = json.dumps({**manifest, "files": files}, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder.

    Raises:
        DamagedArtifact: it is missing or is no JSON object.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise DamagedArtifact(folder, "its manifest cannot be read") from error
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


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json_atomic(path: Path, value: object) -> None:
    """Replace a JSON file as a whole, durably.

    Raises:
        NotWritable, DiskFull
    """
    temporary = path.with_name(f"{TEMPORARY}{path.name}-{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            json.dump(value, stream, indent=2, ensure_ascii=False)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise from_os_error(error, path) from error


def remove_leftovers(parent: Path) -> None:
    """Clear what killed processes left: unfinished folders go, a folder that had stepped aside for
    a replacement that never came goes back. The caller holds the lock."""
    if not parent.is_dir():
        return
    for path in parent.iterdir():
        name, _, pid = path.name.removeprefix(ASIDE).rpartition("-")
        if path.name.startswith(ASIDE) and pid.isdigit() and not (parent / name).exists():
            path.rename(parent / name)
        elif path.name.startswith(TEMPORARY):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / MANIFEST)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _replace_folder(source: Path, target: Path) -> None:
    # A folder cannot replace a non-empty folder in one step: the old one steps aside first.
    aside = target.with_name(f"{ASIDE}{target.name}-{os.getpid()}")
    if target.exists():
        target.rename(aside)
    source.rename(target)
    shutil.rmtree(aside, ignore_errors=True)
