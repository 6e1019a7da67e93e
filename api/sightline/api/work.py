"""The worker: claims reports from the queue and writes them.

Loads what answers only when there is a job, so that a worker that waits is small. Knows the queue
and who writes a report; knows no HTTP.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path

from sightline.api.jobs import Job, Jobs
from sightline.graph.errors import SightlineError
from sightline.graph.storage.workspace import Workspace

#: Seconds between two looks into the queue.
INTERVAL = 1.0

log = logging.getLogger("sightline.api")


class Stopped(Exception):
    """The worker is to end, or its job is no longer wanted."""


class Worker:
    """Does the jobs of a workspace, one after the other.

    ``parent`` is the process that this one must not outlive, if there is one.
    """

    def __init__(self, workspace: Path, parent: int | None = None) -> None:
        self._folder = workspace
        self._jobs = Jobs(workspace)
        self._parent = parent
        self._ending = threading.Event()

    def stop(self) -> None:
        """Give back the job at hand, and end."""
        self._ending.set()

    def run(self) -> None:
        """Work until stopped.

        Raises:
            NotWritable, DiskFull: the queue cannot be used.
        """
        while not self._ended():
            job = self._jobs.claim()
            if job is None:
                self._ending.wait(INTERVAL)
            else:
                self._do(job)

    def _ended(self) -> bool:
        orphan = self._parent is not None and os.getppid() != self._parent
        return orphan or self._ending.is_set()

    def _do(self, job: Job) -> None:
        task = _Task(self._jobs, job, self._ending)
        try:
            with task:
                report = _write(self._folder, job, task)
            self._jobs.finish(job, report, task.total)
        except Stopped:
            self._jobs.give_back(job)
        except SightlineError as error:
            self._jobs.fail(job, str(error))
        except Exception as error:
            log.error("report %s", job.id, exc_info=error)
            self._jobs.fail(job, "something went wrong inside; the log of the worker says what")


class _Task:
    """A job at hand: takes progress, and tells the queue that it is alive even without any.

    Attributes:
        total: entities of the report; 0 while that is not known.
    """

    def __init__(self, queue: Jobs, job: Job, ending: threading.Event) -> None:
        self._queue = queue
        self._job = job
        self._ending = ending
        self._done = self.total = 0
        self._wanted = True
        self._over = threading.Event()
        self._pulse = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self._pulse.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._pulse.join()

    def __call__(self, stage: str, done: int, total: int | None, note: str) -> None:
        """A ``Progress`` that ends the work when it is no longer wanted."""
        self._done, self.total = done, total or 0
        if self._ending.is_set() or not self._wanted:
            raise Stopped

    def _beat(self) -> None:
        while self._wanted and not self._over.wait(INTERVAL):
            try:
                self._wanted = self._queue.alive(self._job, self._done, self.total)
            except SightlineError as error:
                log.warning("%s", error)


def _write(folder: Path, job: Job, task: _Task) -> str:
    """Write the report of a job from what is served now; the name of its folder."""
    from sightline.insights.ask import Sightline
    from sightline.insights.report import write_report

    workspace = Workspace.open(folder)
    sight = Sightline.open(workspace)
    entities = [sight.snapshot.resolve_entity(iri) for iri in job.about]
    return write_report(workspace, sight, entities, None, task).name


def work(workspace: Path, parent: int | None = None) -> None:
    """Do the jobs of a workspace until SIGTERM or Ctrl-C.

    Raises:
        NotAWorkspace, FormatMismatch, DamagedArtifact, NotWritable, DiskFull
    """
    Workspace.open(workspace)
    worker = Worker(workspace, parent)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: worker.stop())
    worker.run()


if __name__ == "__main__":
    try:
        work(Path(sys.argv[1]), parent=os.getppid())
    except SightlineError as error:
        sys.exit(f"sightline: {error}")
