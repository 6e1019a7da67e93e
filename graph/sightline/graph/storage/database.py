"""SQLite files of a workspace: what may be wrong with one, as an error that names it.

Knows SQLite; knows no table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sightline.graph.errors import SightlineError
from sightline.graph.storage.errors import DamagedArtifact, DiskFull, NotWritable
from sightline.graph.storage.workspace import ANSWERS, JOBS

#: What to do with a damaged one.
WAYS_OUT = {
    JOBS: "delete it: what finished jobs made stays, those that wait are to be asked for again",
    ANSWERS: "delete it: what was extracted stays, and sentences are asked for again",
}


def damaged(path: Path, reason: str) -> DamagedArtifact:
    """The error of a database that cannot be read."""
    return DamagedArtifact(path, reason, WAYS_OUT.get(path.name))


@contextmanager
def errors_of(
    path: Path, error_of: Callable[[Path, str], SightlineError] = damaged
) -> Iterator[None]:
    """What SQLite raises about a file, as an error of a workspace.

    Args:
        error_of: makes the error of a file that is no database, or another.

    Raises:
        DiskFull, NotWritable, and what ``error_of`` makes.
    """
    try:
        yield
    except sqlite3.Error as error:
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_FULL:
                raise DiskFull(path) from error
            # The last one: its table has other columns, as another version wrote it.
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_ERROR:
                raise error_of(path, str(error)) from error
        raise NotWritable(path, str(error)) from error
