"""Find the files to load, and which part of a benchmark split each plays.

Knows folders, globs and names; leaves it to the formats what is in a file.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sightline.graph.record.loads import Role
from sightline.graph.storage.settings import FILE as SETTINGS_FILE
from sightline.ingest.errors import SourceEmpty, SourceNotFound, SourceUnreadable
from sightline.ingest.formats import known
from sightline.ingest.source import Source, StatementFormat
from sightline.ingest.streams import HEAD, ByteStream

#: A folder with the first three of these is a benchmark split.
SPLIT: dict[str, Role] = {
    "train.txt": "facts",
    "valid.txt": "valid",
    "test.txt": "test",
    "valid_negatives.txt": "valid_negatives",
    "test_negatives.txt": "test_negatives",
}
#: In a folder, a name that ends so says too little: prose, such as LICENSE.txt, does too.
VAGUE = ".txt"


def discover(sources: Sequence[str | Path]) -> list[Source]:
    """The files behind paths, folders and globs, in order and each once.

    A folder gives the files in it and below that have a known ending. One that holds ``train.txt``,
    ``valid.txt`` and ``test.txt`` is a benchmark split: train becomes facts, the others are held
    out.

    Raises:
        SourceNotFound: nothing is there, or nothing with a known ending.
        SourceEmpty, SourceUnreadable: a file without bytes, or of no known format.
    """
    found: dict[Path, Source] = {}
    for source in sources:
        for path, explicit in _files(Path(source)):
            recognised = _recognise(path, explicit)
            if recognised is not None:
                found.setdefault(path.resolve(), recognised)
    if not found:
        names = ", ".join(str(source) for source in sources)
        raise SourceNotFound(
            names, f"no file ends in {', '.join(known.endings())} (or that and .gz)"
        )
    return list(found.values())


def _files(path: Path) -> Iterator[tuple[Path, bool]]:
    """Files behind a path, and whether the user named the file itself."""
    try:
        if path.is_dir():
            yield from ((file, False) for file in _below(path))
        elif path.exists():
            yield path, True
        elif matches := sorted(glob.glob(str(path), recursive=True)):
            for match in matches:
                yield from _files(Path(match))
        else:
            raise SourceNotFound(path)
    except PermissionError as error:
        raise SourceUnreadable(error.filename or path, "permission denied") from error


def _below(folder: Path) -> Iterator[Path]:
    """The files of a folder and below, without hidden ones and those of workspaces."""

    def fail(error: OSError) -> None:
        raise error

    for parent, folders, files in os.walk(folder, onerror=fail):
        if SETTINGS_FILE in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files) if not name.startswith("."))


def _recognise(path: Path, explicit: bool) -> Source | None:
    """The source, or None for a file of a folder that is none of ours."""
    name = path.name.removesuffix(".gz")
    ending = Path(name).suffix.lower()
    if not explicit and ending not in known.endings():
        return None
    if not path.is_file():
        raise SourceUnreadable(path, "it is no regular file")
    with ByteStream(path) as stream:
        head = stream.read(HEAD)
    format = known.recognise(path, ending, head)
    if not head and not isinstance(format, StatementFormat):
        raise SourceEmpty(path)
    if name in SPLIT and all((path.parent / part).exists() for part in tuple(SPLIT)[:3]):
        return Source(path, format, SPLIT[name], split=True)
    if not explicit and ending == VAGUE and not format.recognises(head):
        return None
    return Source(path, format)


def shown_names(paths: Sequence[Path], taken: Mapping[str, str]) -> list[str]:
    """What answers call each file: nothing that tells where this machine keeps it.

    A path that the user wrote as a relative one is told as it is, others from the folder that they
    share. A file of the same name elsewhere is told apart by a folder more.

    Args:
        taken: name to whole path of files that were loaded before.
    """
    whole = [Path(os.path.abspath(path)) for path in paths]
    shared = os.path.commonpath([path.parent for path in whole])
    known = dict(taken)
    names = []
    for path, full in zip(paths, whole):
        shown = full.relative_to(shared) if path.is_absolute() else path
        name, parts = str(shown), len(shown.parts)
        while known.get(name, str(full)) != str(full) and parts < len(full.parts):
            parts += 1
            name = str(Path(*full.parts[-parts:]))
        known[name] = str(full)
        names.append(name)
    return names
