"""The worker: claims jobs from the queue, and has a process of its own do each.

So whatever a job is busy with, it can be ended; what it holds of memory goes with it; and one that
is killed says so. Handlers are given by who starts the process, by kind of job: so that a job can
be what this component knows nothing of. Knows the queue; knows no HTTP.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sightline.api.errors import DamagedQueue
from sightline.api.jobs.queue import Job, Jobs
from sightline.api.server.lifeline import PARENT, end_with_parent
from sightline.graph.errors import SightlineError
from sightline.graph.progress import Pace, Progress
from sightline.graph.storage.errors import WorkspaceError
from sightline.graph.storage.workspace import Workspace

#: Does a job of one kind: workspace, the job, progress; its result.
Handler = Callable[[Path, Job, Progress], Mapping[str, Any]]

#: Seconds between two looks into the queue, and until the next one where it cannot be used.
INTERVAL, PAUSE = 1.0, 10.0
#: Seconds that a process gets to end its job in good order before it is killed.
GRACE = 10.0
#: Seconds before a process that does jobs is started again: one that was killed, and one that gave
#: up and has said why.
KILLED, GAVE_UP = 2.0, 60.0
#: How often a process looks whether it is to end.
TICK = 0.05

log = logging.getLogger("sightline.api")


class Stopped(Exception):
    """The job is not to go on."""


class Worker:
    """Has the jobs of a workspace done, one after the other.

    Args:
        command: does the job whose id is put after it, as ``do`` does.
        unable: kinds of jobs that it cannot do, and why.
    """

    def __init__(
        self, workspace: Path, command: Sequence[str], unable: Mapping[str, str] = {}
    ) -> None:
        self._command, self._unable = command, unable
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
                job = self._jobs.claim(self._unable)
                if job is None:
                    self._ending.wait(INTERVAL)
                else:
                    self._have_done(job)
            except DamagedQueue:
                raise
            except WorkspaceError as error:
                log.error("%s", error)
                self._ending.wait(PAUSE)

    def _have_done(self, job: Job) -> None:
        environment = {**os.environ, PARENT: str(os.getpid())}
        # Ctrl-C reaches only this process, which then ends the other in good order.
        with subprocess.Popen(
            [*self._command, job.id], env=environment, start_new_session=True
        ) as process:
            try:
                self._watch(process, job)
            finally:
                _end(process)
        if self._ending.is_set():
            self._jobs.give_back(job)
        elif process.returncode:
            how = f"status {process.returncode}"
            if process.returncode < 0:
                how = signal.Signals(-process.returncode).name
            why = f"its process ended with {how}, as it does where memory is short"
            self._jobs.lost(job, why)

    def _watch(self, process: subprocess.Popen[bytes], job: Job) -> None:
        """Wait until a process has ended, or is to be ended."""
        wanted, beat = True, time.monotonic()
        while process.poll() is None and wanted and not self._ending.wait(TICK):
            if time.monotonic() - beat >= INTERVAL:
                beat = time.monotonic()
                try:
                    wanted = self._jobs.alive(job) or process.poll() is not None
                except DamagedQueue:
                    raise
                except WorkspaceError as error:
                    log.warning("%s", error)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, in good order if it can."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()


def do(workspace: Path, job_id: str, handlers: Mapping[str, Handler]) -> None:
    """Do a job that was claimed, in this process, and say in the queue what came of it."""
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    end_with_parent()
    jobs = Jobs(workspace)
    job = jobs.get(job_id)
    task = _Task(jobs, job, ending)
    try:
        jobs.finish(job, handlers[job.kind](workspace, job, task), task.total)
    except Stopped:
        pass
    except SightlineError as error:
        jobs.fail(job, error.public)
    except Exception as error:
        log.error("%s %s", job.kind, job.id, exc_info=error)
        jobs.fail(job, "something went wrong inside; the log of the worker says what")


class _Task:
    """The ``Progress`` of a job: tells the queue, and ends the work when it is no longer wanted.

    Attributes:
        total: steps of the stage; 0 while that is not known.
    """

    def __init__(self, queue: Jobs, job: Job, ending: threading.Event) -> None:
        self.total = 0
        self._queue = queue
        self._job = job
        self._ending = ending
        self._pace = Pace()
        self._said: tuple[str, float] = "", 0.0

    def __call__(self, stage: str, done: int, total: int | None, note: str) -> None:
        """Take progress. Raises Stopped."""
        self.total, now = total or 0, time.monotonic()
        left = self._pace.left(stage, done, total)
        if stage != self._said[0] or now - self._said[1] >= INTERVAL:
            self._said = stage, now
            try:
                if not self._queue.tell(self._job, stage, done, self.total, left):
                    raise Stopped
            except WorkspaceError as error:
                log.warning("%s", error)
        if self._ending.is_set():
            raise Stopped


@contextmanager
def working(command: Sequence[str]) -> Iterator[None]:
    """A process beside this one that does jobs, by a command; one that ends is followed by another.

    It gets neither the input of this process nor its output, which may be a protocol's.
    """
    ending = threading.Event()

    def run() -> None:
        while not ending.is_set():
            # Ctrl-C reaches only this process, which then ends the other in good order.
            with subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
            ) as process:
                while process.poll() is None and not ending.wait(0.5):
                    pass
                process.terminate()
            ending.wait(KILLED if process.returncode < 0 else GAVE_UP)

    keeper = threading.Thread(target=run if command else ending.set)
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        keeper.join()


def work(workspace: Path, command: Sequence[str], unable: Mapping[str, str] = {}) -> None:
    """Have the jobs of a workspace done until SIGTERM or Ctrl-C.

    Args:
        command, unable: as of ``Worker``.

    Raises:
        NotAWorkspace, FormatMismatch, DamagedArtifact, DamagedQueue
    """
    Workspace.open(workspace)
    worker = Worker(workspace, command, unable)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: worker.stop())
    end_with_parent()
    worker.run()
