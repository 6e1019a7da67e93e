"""Work that takes longer than a request: a queue in ``jobs.sqlite``.

Any process may submit, look, cancel and ask for another try; a worker claims the oldest job, says
now and then that it is alive, and the process that does the job ends it. A job whose process was
lost is tried once more and then failed. Knows the table and the states of a job; knows neither what
a job does nor HTTP.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from sightline.api.errors import DamagedQueue, NotToRetry, OverBudget, UnknownJob
from sightline.graph.errors import Busy
from sightline.graph.storage.database import errors_of
from sightline.graph.storage.workspace import JOBS

State = Literal["queued", "running", "done", "failed", "cancelled"]

#: Jobs that may wait or run at once, and ended ones that are remembered.
QUEUE = 100
#: Of those, jobs of one token.
SHARE = 20
REMEMBERED = 1000
#: Seconds of silence after which a worker counts as dead.
SILENCE = 30.0
#: Times that a job is begun.
ATTEMPTS = 2

_TABLE = """
CREATE TABLE IF NOT EXISTS job (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, request TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL, beats INTEGER NOT NULL, created REAL NOT NULL, changed REAL NOT NULL,
  stage TEXT, done INTEGER NOT NULL, total INTEGER NOT NULL, left REAL, result TEXT, error TEXT,
  owner TEXT
)
"""
#: Columns that the first version did not have.
_LATER = {"stage": "TEXT", "left": "REAL", "owner": "TEXT"}


@dataclass(frozen=True, slots=True)
class Job:
    """Work that was asked for.

    Attributes:
        kind: what is to be done, such as ``report``.
        request, result: what was asked, and what came of it; plain values.
        beats: how often its workers have said that they are alive.
        created, changed: seconds since 1970, to be shown; a clock may go back.
        stage: what is being done; null before it has begun, unless it waits for a worker of another
            kind, which it says.
        done, total: steps of the stage done, and how many there are; 0 while that is not known.
        left: seconds that the rest of the stage will take, once that can be told.
        error: one sentence when failed.
        owner: id of the token that asked for it, which alone sees it; None: nobody in particular.
    """

    id: str
    kind: str
    request: Mapping[str, Any]
    state: State
    attempts: int
    beats: int
    created: float
    changed: float
    stage: str | None
    done: int
    total: int
    left: float | None
    result: Mapping[str, Any] | None
    error: str | None
    owner: str | None

    @property
    def ended(self) -> bool:
        """Whether it changes no more."""
        return self.state not in ("queued", "running")


_COLUMNS = ", ".join(field.name for field in fields(Job))


class Jobs:
    """The queue of one workspace. Every call is one transaction of its own."""

    def __init__(self, workspace: Path) -> None:
        self.path = workspace / JOBS
        self._heard: dict[str, tuple[int, float]] = {}

    def submit(
        self,
        kind: str,
        request: Mapping[str, Any],
        job_id: str | None = None,
        owner: str | None = None,
    ) -> Job:
        """Put a job into the queue.

        Args:
            job_id: a ``new_id`` under which something is kept for it already.
            owner: id of the token that asks for it.

        Raises:
            Busy: too many wait already.
            OverBudget: too many of this owner do.
            NotWritable, DiskFull, DamagedQueue
        """
        now, job_id = time.time(), job_id or new_id()
        with self._writing() as database:
            _require_room(database, owner)
            database.execute(
                "INSERT INTO job (id, kind, request, state, attempts, beats, created, changed, "
                "done, total, owner) VALUES (?, ?, ?, 'queued', 0, 0, ?, ?, 0, 0, ?)",
                (job_id, kind, json.dumps(request), now, now, owner),
            )
            # Those that came to nothing are forgotten before what holds something.
            database.execute(
                "DELETE FROM job WHERE id IN (SELECT id FROM job WHERE state IN "
                "('done', 'failed', 'cancelled') "
                "ORDER BY state = 'done' DESC, changed DESC LIMIT -1 OFFSET ?)",
                (REMEMBERED,),
            )
            return _one(database, job_id)

    def require_room(self, owner: str | None = None) -> None:
        """Check that a job may be submitted, before what it needs is taken in.

        Raises:
            Busy, OverBudget, NotWritable, DamagedQueue
        """
        with self._reading() as database:
            _require_room(database, owner)

    def get(self, job_id: str) -> Job:
        """A job by id.

        Raises:
            UnknownJob, NotWritable, DamagedQueue
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
            return _all(database, f"SELECT {_COLUMNS} FROM job WHERE id IN ({marks})", job_ids)

    def count(self) -> dict[str, int]:
        """How many jobs are remembered, by state.

        Raises:
            NotWritable, DamagedQueue
        """
        with self._reading() as database:
            return dict(
                database.execute("SELECT state, count(*) FROM job GROUP BY state").fetchall()
            )

    def untaken(self, seconds: float) -> tuple[int, str | None]:
        """How many jobs have waited for longer while none was being done, and what one of them says
        that it waits for.

        Raises:
            NotWritable, DamagedQueue
        """
        query = (
            "SELECT count(*), max(stage) FROM job WHERE state = 'queued' AND changed < ? "
            "AND NOT EXISTS (SELECT 1 FROM job WHERE state = 'running')"
        )
        with self._reading() as database:
            count, why = database.execute(query, (time.time() - seconds,)).fetchone()
            return count, why

    def newest(
        self,
        limit: int,
        before: str | None = None,
        *,
        kind: str | None = None,
        state: str | None = None,
        owner: str | None = None,
    ) -> tuple[list[Job], int]:
        """Jobs, the newest first, from the one asked for before another on: of a kind, in a state,
        of an owner; and how many such there are.

        Raises:
            NotWritable, DamagedQueue
        """
        wanted = {"kind = ?": kind, "state = ?": state, "owner = ?": owner}
        given = {condition: value for condition, value in wanted.items() if value is not None}
        such, values = " AND ".join(["1", *given]), list(given.values())
        older = "" if before is None else "AND rowid < (SELECT rowid FROM job WHERE id = ?)"
        page = [*values, *([] if before is None else [before]), limit]
        with self._reading() as database:
            (total,) = database.execute(f"SELECT count(*) FROM job WHERE {such}", values).fetchone()
            query = f"SELECT {_COLUMNS} FROM job WHERE {such} {older} ORDER BY rowid DESC LIMIT ?"
            return _all(database, query, page), total

    def cancel(self, job_id: str) -> Job:
        """End a job that waits or runs; one that has ended stays as it is.

        Raises:
            UnknownJob, NotWritable, DiskFull, DamagedQueue
        """
        if not self.path.exists():
            raise UnknownJob(job_id)
        with self._writing() as database:
            database.execute(
                "UPDATE job SET state = 'cancelled', changed = ? "
                "WHERE id = ? AND state IN ('queued', 'running')",
                (time.time(), job_id),
            )
            return _one(database, job_id)

    def forget(self, job: Job) -> bool:
        """Remember a job that has ended no longer; whether no other came to the same result.

        Raises:
            NotWritable, DiskFull, DamagedQueue
        """
        with self._writing() as database:
            database.execute("DELETE FROM job WHERE id = ? AND state = ?", (job.id, job.state))
            same = (job.kind, json.dumps(job.result))
            found = database.execute("SELECT 1 FROM job WHERE kind = ? AND result = ?", same)
            return found.fetchone() is None

    def retry(self, job_id: str) -> Job:
        """Let a job that failed or was cancelled wait again, at the end of the queue.

        Raises:
            NotToRetry: it waits, runs or is done.
            UnknownJob, Busy, NotWritable, DiskFull, DamagedQueue
        """
        if not self.path.exists():
            raise UnknownJob(job_id)
        with self._writing() as database:
            job = _one(database, job_id)
            if job.state not in ("failed", "cancelled"):
                raise NotToRetry(job.id, job.state)
            _require_room(database, job.owner)
            database.execute(
                "UPDATE job SET state = 'queued', attempts = 0, changed = ?, error = NULL, "
                "stage = NULL, done = 0, total = 0, left = NULL, "
                "rowid = (SELECT max(rowid) + 1 FROM job) WHERE id = ?",
                (time.time(), job_id),
            )
            return _one(database, job_id)

    def claim(self, unable: Mapping[str, str] = {}) -> Job | None:
        """Begin the oldest job that waits, after giving up those whose worker fell silent.

        Args:
            unable: kinds that are left to another worker, and why; their jobs say so.

        Raises:
            NotWritable, DiskFull, DamagedQueue
        """
        silent = self._silent()
        able = f"kind NOT IN ({', '.join('?' * len(unable))})"
        with self._reading() as database:
            waiting = database.execute(
                f"SELECT 1 FROM job WHERE state = 'queued' AND ({able} OR stage IS NULL)",
                tuple(unable),
            ).fetchone()
        if not silent and waiting is None:
            return None
        with self._writing() as database:
            for kind, why in unable.items():
                database.execute(
                    "UPDATE job SET stage = ? WHERE state = 'queued' AND kind = ?",
                    (f"waits for a worker that can: {why}", kind),
                )
            for job in silent:
                state, error = _after_loss(job, "its worker ended without a word")
                database.execute(
                    "UPDATE job SET state = ?, error = ? "
                    "WHERE id = ? AND state = 'running' AND beats = ?",
                    (state, error, job.id, job.beats),
                )
            found = _all(
                database,
                "UPDATE job SET state = 'running', attempts = attempts + 1, beats = beats + 1, "
                "changed = ?, stage = NULL, done = 0, total = 0, left = NULL WHERE rowid = "
                f"(SELECT min(rowid) FROM job WHERE state = 'queued' AND {able}) "
                f"RETURNING {_COLUMNS}",
                (time.time(), *unable),
            )
        return found[0] if found else None

    def _silent(self) -> list[Job]:
        """Running jobs that nothing was heard of for long, by this process's own watch: the clock
        that others wrote down may have been set since."""
        with self._reading() as database:
            running = _all(database, f"SELECT {_COLUMNS} FROM job WHERE state = 'running'")
        now, before = time.monotonic(), self._heard
        self._heard = {
            job.id: known
            if (known := before.get(job.id)) is not None and known[0] == job.beats
            else (job.beats, now)
            for job in running
        }
        return [job for job in running if now - self._heard[job.id][1] > SILENCE]

    def alive(self, job: Job) -> bool:
        """Say that a worker is at a job. False: it is no longer wanted of it."""
        return self._end(job, "running")

    def tell(self, job: Job, stage: str, done: int, total: int, left: float | None) -> bool:
        """Say how far a job is. False: it is no longer wanted."""
        return self._end(job, "running", stage=stage, done=done, total=total, left=left)

    def finish(self, job: Job, result: Mapping[str, Any], total: int) -> bool:
        """End a job well. False: it was cancelled, or given to another worker, meanwhile."""
        return self._end(job, "done", result=json.dumps(result), done=total, total=total, left=None)

    def fail(self, job: Job, error: str) -> bool:
        """End a job that cannot be done."""
        return self._end(job, "failed", error=error, left=None)

    def lost(self, job: Job, why: str) -> bool:
        """Let a job whose process ended without a word wait again; it fails if that came before."""
        state, error = _after_loss(job, why)
        return self._end(job, state, error=error, left=None)

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
        with (
            errors_of(self.path, DamagedQueue),
            closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as database,
        ):
            database.row_factory = sqlite3.Row
            if _lacking(database):
                database.execute("BEGIN IMMEDIATE")
                for name, kind in _lacking(database).items():  # another may have been first
                    database.execute(f"ALTER TABLE job ADD COLUMN {name} {kind}")
                database.execute("COMMIT")
            yield database


def _lacking(database: sqlite3.Connection) -> dict[str, str]:
    """The columns that a queue of a former version lacks; none where there is no table yet."""
    there = {row["name"] for row in database.execute("PRAGMA table_info(job)")}
    return {name: kind for name, kind in _LATER.items() if there and name not in there}


def new_id() -> str:
    """An id that no job has."""
    return secrets.token_hex(8)


def _require_room(database: sqlite3.Connection, owner: str | None) -> None:
    waiting = "SELECT count(*), sum(owner = ?) FROM job WHERE state IN ('queued', 'running')"
    all_, own = database.execute(waiting, (owner,)).fetchone()
    if (own or 0) >= SHARE:
        raise OverBudget(f"{SHARE} jobs of this token wait or run already", 60)
    if all_ >= QUEUE:
        raise Busy("the queue of jobs")


def _after_loss(job: Job, why: str) -> tuple[State, str | None]:
    """State and error of a job whose process was lost."""
    if job.attempts < ATTEMPTS:
        return "queued", None
    return "failed", f"{why}, {ATTEMPTS} times"


def _all(database: sqlite3.Connection, query: str, values: Sequence[object] = ()) -> list[Job]:
    return [_job(row) for row in database.execute(query, values).fetchall()]


def _one(database: sqlite3.Connection, job_id: str) -> Job:
    found = _all(database, f"SELECT {_COLUMNS} FROM job WHERE id = ?", [job_id])
    if not found:
        raise UnknownJob(job_id)
    return found[0]


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    result = None if values["result"] is None else json.loads(values["result"])
    return Job(**{**values, "request": json.loads(values["request"]), "result": result})
