"""Work that takes longer than a request: a queue in ``jobs.sqlite``.

Any process may submit, look and cancel; a worker claims the oldest job, says now and then that it
is alive, and ends it. A job whose worker fell silent is tried once more and then failed. Knows the
table and the states of a job; knows neither what a job does nor HTTP.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sightline.api.errors import DamagedQueue, UnknownReport
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
CREATE TABLE IF NOT EXISTS job (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, request TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL, beats INTEGER NOT NULL, created REAL NOT NULL, changed REAL NOT NULL,
  done INTEGER NOT NULL, total INTEGER NOT NULL, result TEXT, error TEXT
)
"""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that was asked for.

    Attributes:
        kind: what is to be done, such as ``report``.
        request, result: what was asked, and what came of it; plain values.
        beats: how often its workers have said that they are alive.
        created, changed: seconds since 1970, to be shown; a clock may go back.
        done, total: steps done, and how many there are; 0 while that is not known.
        error: one sentence when failed.
    """

    id: str
    kind: str
    request: Mapping[str, Any]
    state: State
    attempts: int
    beats: int
    created: float
    changed: float
    done: int
    total: int
    result: Mapping[str, Any] | None
    error: str | None

    @property
    def ended(self) -> bool:
        """Whether it changes no more."""
        return self.state not in ("queued", "running")


class Jobs:
    """The queue of one workspace. Every call is one transaction of its own."""

    def __init__(self, workspace: Path) -> None:
        self.path = workspace / FILE
        self._heard: dict[str, tuple[int, float]] = {}

    def submit(self, kind: str, request: Mapping[str, Any]) -> Job:
        """Put a job into the queue.

        Raises:
            Busy: too many wait already.
            NotWritable, DiskFull, DamagedQueue
        """
        now, job_id = time.time(), secrets.token_hex(8)
        with self._writing() as database:
            waiting = "SELECT count(*) FROM job WHERE state IN ('queued', 'running')"
            if database.execute(waiting).fetchone()[0] >= QUEUE:
                raise Busy("the queue of jobs")
            database.execute(
                "INSERT INTO job VALUES (?, ?, ?, 'queued', 0, 0, ?, ?, 0, 0, NULL, NULL)",
                (job_id, kind, json.dumps(request), now, now),
            )
            database.execute(
                "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE state IN "
                "('done', 'failed', 'cancelled') ORDER BY changed DESC LIMIT -1 OFFSET ?)",
                (REMEMBERED,),
            )
            return _one(database, job_id)

    def get(self, job_id: str) -> Job:
        """A job by id.

        Raises:
            UnknownReport, NotWritable, DamagedQueue
        """
        with self._reading() as database:
            return _one(database, job_id)

    def some(self, job_ids: Sequence[str]) -> list[Job]:
        """Those of some jobs that are remembered.

        Raises:
            NotWritable, DamagedQueue
        """
        marks = ", ".join("?" * len(job_ids))
        with self._reading() as database:
            return _all(database, f"SELECT * FROM job WHERE id IN ({marks})", job_ids)

    def newest(self, kind: str, limit: int, before: str | None = None) -> list[Job]:
        """Jobs of a kind, the newest first, from the one asked for before another on.

        Raises:
            NotWritable, DamagedQueue
        """
        older = "" if before is None else "AND rowid < (SELECT rowid FROM job WHERE id = ?)"
        query = f"SELECT * FROM job WHERE kind = ? {older} ORDER BY rowid DESC LIMIT ?"
        with self._reading() as database:
            return _all(database, query, [kind, *([] if before is None else [before]), limit])

    def cancel(self, job_id: str) -> Job:
        """End a job that waits or runs; one that has ended stays as it is.

        Raises:
            UnknownReport, NotWritable, DiskFull, DamagedQueue
        """
        if not self.path.exists():
            raise UnknownReport(job_id)
        with self._writing() as database:
            database.execute(
                "UPDATE job SET state = 'cancelled', changed = ? "
                "WHERE id = ? AND state IN ('queued', 'running')",
                (time.time(), job_id),
            )
            return _one(database, job_id)

    def claim(self) -> Job | None:
        """Begin the oldest job that waits, after giving up those whose worker fell silent.

        Raises:
            NotWritable, DiskFull, DamagedQueue
        """
        silent = self._silent()
        with self._reading() as database:
            waiting = database.execute("SELECT 1 FROM job WHERE state = 'queued'").fetchone()
        if not silent and waiting is None:
            return None
        with self._writing() as database:
            for job in silent:
                over = job.attempts >= ATTEMPTS
                state, error = ("failed" if over else "queued"), None
                if over:
                    error = f"its worker ended without a word, {ATTEMPTS} times"
                database.execute(
                    "UPDATE job SET state = ?, error = ? "
                    "WHERE id = ? AND state = 'running' AND beats = ?",
                    (state, error, job.id, job.beats),
                )
            found = _all(
                database,
                "UPDATE job SET state = 'running', attempts = attempts + 1, beats = beats + 1, "
                "changed = ?, done = 0 WHERE rowid = "
                "(SELECT min(rowid) FROM job WHERE state = 'queued') RETURNING *",
                (time.time(),),
            )
        return found[0] if found else None

    def _silent(self) -> list[Job]:
        """Running jobs that nothing was heard of for long, by this process's own watch: the clock
        that others wrote down may have been set since."""
        with self._reading() as database:
            running = _all(database, "SELECT * FROM job WHERE state = 'running'")
        now, before = time.monotonic(), self._heard
        self._heard = {
            job.id: known
            if (known := before.get(job.id)) is not None and known[0] == job.beats
            else (job.beats, now)
            for job in running
        }
        return [job for job in running if now - self._heard[job.id][1] > SILENCE]

    def alive(self, job: Job, done: int, total: int) -> bool:
        """Say that a worker is at a job, and how far. False: it is no longer wanted of it."""
        return self._end(job, "running", done=done, total=total)

    def finish(self, job: Job, result: Mapping[str, Any], total: int) -> bool:
        """End a job well. False: it was cancelled, or given to another worker, meanwhile."""
        return self._end(job, "done", result=json.dumps(result), done=total, total=total)

    def fail(self, job: Job, error: str) -> bool:
        """End a job that cannot be done."""
        return self._end(job, "failed", error=error)

    def give_back(self, job: Job) -> bool:
        """Let a job wait again, as if it had not been begun."""
        return self._end(job, "queued", attempts=job.attempts - 1)

    def _end(self, job: Job, state: State, **values: object) -> bool:
        """Change a running job, if this attempt of it is the one that runs."""
        new = {"state": state, "changed": time.time(), **values}
        columns = ", ".join(f"{name} = ?" for name in new)
        with self._writing() as database:
            changed = database.execute(
                f"UPDATE job SET beats = beats + 1, {columns} "
                "WHERE id = ? AND state = 'running' AND attempts = ?",
                (*new.values(), job.id, job.attempts),
            )
            return changed.rowcount == 1

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that begins as a writer, so that none is refused halfway."""
        with self._opened(str(self.path)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute(_TABLE)
            yield database
            database.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The queue as it is, which keeps no writer waiting; an empty one where there is none."""
        there = self.path.exists()
        with self._opened(str(self.path) if there else ":memory:") as database:
            database.execute(_TABLE)
            yield database

    @contextmanager
    def _opened(self, path: str) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as database:
                database.row_factory = sqlite3.Row
                yield database
        except sqlite3.Error as error:
            match getattr(error, "sqlite_errorcode", 0) & 0xFF:
                case sqlite3.SQLITE_FULL:
                    raise DiskFull(self.path) from error
                case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
                    raise DamagedQueue(self.path, str(error)) from error
            raise NotWritable(self.path, str(error)) from error


def _all(database: sqlite3.Connection, query: str, values: Sequence[object] = ()) -> list[Job]:
    return [_job(row) for row in database.execute(query, values).fetchall()]


def _one(database: sqlite3.Connection, job_id: str) -> Job:
    found = _all(database, "SELECT * FROM job WHERE id = ?", [job_id])
    if not found:
        raise UnknownReport(job_id)
    return found[0]


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    result = None if values["result"] is None else json.loads(values["result"])
    return Job(**{**values, "request": json.loads(values["request"]), "result": result})
