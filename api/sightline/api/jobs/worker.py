"""The worker: claims jobs from the queue and lets a handler do them.

Handlers are given by who starts it, by kind of job: so that a job can be what this component knows
nothing of. Knows the queue; knows no HTTP.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sightline.api.errors import DamagedQueue
from sightline.api.jobs.queue import Job, Jobs
from sightline.api.server.lifeline import end_with_parent
from sightline.graph.errors import SightlineError
from sightline.graph.progress import Progress
from sightline.graph.storage.errors import WorkspaceError
from sightline.graph.storage.workspace import Workspace

#: Does a job of one kind: workspace, request, progress; its result.
Handler = Callable[[Path, Mapping[str, Any], Progress], Mapping[str, Any]]

#: Seconds between two looks into the queue, and until the next one where it cannot be used.
INTERVAL, PAUSE = 1.0, 10.0

log = logging.getLogger("sightline.api")


class Stopped(Exception):
    """The worker is to end, or its job is no longer wanted."""


class Worker:
    """Does the jobs of a workspace, one after the other."""

    def __init__(self, workspace: Path, handlers: Mapping[str, Handler]) -> None:
        self._folder = workspace
        self._handlers = handlers
        self._jobs = Jobs(workspace)
        self._ending = threading.Event()

    def stop(self) -> None:
        """Give back the job at hand, and end."""
        self._ending.set()

    def run(self) -> None:
        """Work until stopped. Where the disk is full, say so, and go on when it is not.

        Raises:
            DamagedQueue
        """
        while not self._ending.is_set():
            try:
                job = self._jobs.claim()
                if job is None:
                    self._ending.wait(INTERVAL)
                else:
                    self._do(job)
            except DamagedQueue:
                raise
            except WorkspaceError as error:
                log.error("%s", error)
                self._ending.wait(PAUSE)

    def _do(self, job: Job) -> None:
        task = _Task(self._jobs, job, self._ending)
        try:
            with task:
                result = self._handlers[job.kind](self._folder, job.request, task)
            self._jobs.finish(job, result, task.total)
        except Stopped:
            self._jobs.give_back(job)
        except SightlineError as error:
            self._jobs.fail(job, error.public)
        except Exception as error:
            log.error("%s %s", job.kind, job.id, exc_info=error)
            self._jobs.fail(job, "something went wrong inside; the log of the worker says what")


class _Task:
    """A job at hand: takes progress, and tells the queue that it is alive even without any.

    Attributes:
        total: steps of the job; 0 while that is not known.
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


def work(workspace: Path, handlers: Mapping[str, Handler]) -> None:
    """Do the jobs of a workspace until SIGTERM or Ctrl-C.

    Raises:
        NotAWorkspace, FormatMismatch, DamagedArtifact, DamagedQueue
    """
    Workspace.open(workspace)
    worker = Worker(workspace, handlers)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: worker.stop())
    end_with_parent()
    worker.run()
