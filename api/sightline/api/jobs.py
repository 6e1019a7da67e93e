"""Work that takes longer than a request: a queue in ``jobs.sqlite``.

Any process may submit, look and cancel; a worker claims the oldest job, says now and then that it
is alive, and ends it. A job whose worker fell silent is tried once more and then failed. Knows the
table and the states of a job; knows neither how a report is made nor HTTP.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sightline.api.errors import UnknownReport
from sightline.graph.errors import Busy
from sightline.graph.storage.errors import DiskFull, NotWritable

State = Literal["queued", "running", "done", "failed", "cancelled"]

FILE = "jobs.sqlite"
#: Jobs that may wait or run at once, and ended ones that are remembered.
QUEUE = 100
REMEMBERED = 1000
#: Seconds of silence after which a worker counts as dead.
SILENCE = 30.0
#: Times that a job is begun.
ATTEMPTS = 2

_TABLE = """
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY, about TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
  created REAL NOT NULL, heard REAL NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL,
  report TEXT, error TEXT
)
"""
_COLUMNS = "id, about, state, attempts, created, heard, done, total, report, error"


@dataclass(frozen=True, slots=True)
class Job:
    """A report that was asked for.

    Attributes:
        about: IRIs of its entities; empty: the best connected ones.
        created, heard: seconds since 1970; ``heard``: when it last changed.
        done, total: entities written, and how many there are; 0 while that is not known.
        report: folder name under ``reports/`` when done.
        error: one sentence when failed.
    """

    id: str
    about: tuple[str, ...]
    state: State
    attempts: int
    created: float
    heard: float
    done: int
    total: int
    report: str | None
    error: str | None


class Jobs:
    """The queue of one workspace. Every call is one transaction of its own."""

    def __init__(self, workspace: Path) -> None:
        self.path = workspace / FILE

    def submit(self, about: Sequence[str]) -> Job:
        """Put a report into the queue.

        Raises:
            Busy: too many wait already.
            NotWritable, DiskFull
        """
        now = time.time()
        job = Job(secrets.token_hex(8), tuple(about), "queued", 0, now, now, 0, 0, None, None)
        with self._transaction() as database:
            waiting = "SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')"
            if database.execute(waiting).fetchone()[0] >= QUEUE:
                raise Busy("the queue of reports")
            row = (job.id, json.dumps(about), "queued", 0, now, now, 0, 0, None, None)
            database.execute(f"INSERT INTO jobs VALUES ({', '.join('?' * len(row))})", row)
            database.execute(
                "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state IN "
                "('done', 'failed', 'cancelled') ORDER BY heard DESC LIMIT -1 OFFSET ?)",
                (REMEMBERED,),
            )
        return job

    def get(self, job_id: str) -> Job:
        """A job by id.

        Raises:
            UnknownReport, NotWritable
        """
        if not self.path.exists():
            raise UnknownReport(job_id)
        with self._transaction() as database:
            return _one(database, job_id)

    def cancel(self, job_id: str) -> Job:
        """End a job that waits or runs; one that has ended stays as it is.

        Raises:
            UnknownReport, NotWritable, DiskFull
        """
        if not self.path.exists():
            raise UnknownReport(job_id)
        with self._transaction() as database:
            database.execute(
                "UPDATE jobs SET state = 'cancelled', heard = ? "
                "WHERE id = ? AND state IN ('queued', 'running')",
                (time.time(), job_id),
            )
            return _one(database, job_id)

    def claim(self) -> Job | None:
        """Begin the oldest job that waits, after giving up those whose worker fell silent.

        Raises:
            NotWritable, DiskFull
        """
        if not self.path.exists():
            return None
        now = time.time()
        with self._transaction() as database:
            silent = "state = 'running' AND heard < ?"
            database.execute(
                f"UPDATE jobs SET state = 'failed', error = ? WHERE {silent} AND attempts >= ?",
                (f"its worker ended without a word, {ATTEMPTS} times", now - SILENCE, ATTEMPTS),
            )
            database.execute(f"UPDATE jobs SET state = 'queued' WHERE {silent}", (now - SILENCE,))
            found = database.execute(
                "UPDATE jobs SET state = 'running', attempts = attempts + 1, heard = ?, done = 0 "
                "WHERE id = (SELECT id FROM jobs WHERE state = 'queued' ORDER BY created LIMIT 1) "
                f"RETURNING {_COLUMNS}",
                (now,),
            ).fetchone()
        return None if found is None else _job(found)

    def alive(self, job: Job, done: int, total: int) -> bool:
        """Say that a worker is at a job, and how far. False: it is no longer wanted of it."""
        return self._end(job, "running", done=done, total=total)

    def finish(self, job: Job, report: str, total: int) -> bool:
        """End a job well. False: it was cancelled, or given to another worker, meanwhile."""
        return self._end(job, "done", report=report, done=total, total=total)

    def fail(self, job: Job, error: str) -> bool:
        """End a job that cannot be done."""
        return self._end(job, "failed", error=error)

    def give_back(self, job: Job) -> bool:
        """Let a job wait again, as if it had not been begun."""
        return self._end(job, "queued", attempts=job.attempts - 1)

    def _end(self, job: Job, state: State, **values: object) -> bool:
        """Change a running job, if this attempt of it is the one that runs."""
        new = {"state": state, "heard": time.time(), **values}
        columns = ", ".join(f"{name} = ?" for name in new)
        with self._transaction() as database:
            changed = database.execute(
                f"UPDATE jobs SET {columns} WHERE id = ? AND state = 'running' AND attempts = ?",
                (*new.values(), job.id, job.attempts),
            )
            return changed.rowcount == 1

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that begins as a writer, so that none is refused halfway."""
        try:
            with closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                database.execute(_TABLE)
                yield database
                database.execute("COMMIT")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise DiskFull(self.path) from error
            raise NotWritable(self.path, str(error)) from error


def _one(database: sqlite3.Connection, job_id: str) -> Job:
    row = database.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()
    if row is None:
        raise UnknownReport(job_id)
    return _job(row)


def _job(row: Sequence[object]) -> Job:
    job_id, about, *rest = row
    return Job(job_id, tuple(json.loads(about)), *rest)  # type: ignore[arg-type]
