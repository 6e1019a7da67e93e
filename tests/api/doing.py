"""The process of a job in tests, started as ``python doing.py WORKSPACE HOW JOB``."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline.api.jobs.queue import Job
from sightline.api.jobs.worker import do
from sightline.cli.jobs import HANDLERS
from sightline.graph.progress import Progress
from sightline.graph.storage.errors import DiskFull


def endlessly(folder: Path, job: Job, progress: Progress) -> Mapping[str, Any]:
    """Never done."""
    while True:
        progress("report", 1, 7, "")
        time.sleep(0.01)


def deafly(folder: Path, job: Job, progress: Progress) -> Mapping[str, Any]:
    """As a long computation, which hears nothing while it goes on."""
    progress("report", 1, 7, "")
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    time.sleep(600)
    return {}


def badly(*_: object) -> Mapping[str, Any]:
    """As nobody foresaw."""
    return [][0]


def mortally(*_: object) -> Mapping[str, Any]:
    """As where memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def on_a_full_disk(folder: Path, job: Job, progress: Progress) -> Mapping[str, Any]:
    """What is written does not fit."""
    raise DiskFull(folder)


if __name__ == "__main__":
    workspace, how, job_id = sys.argv[1:]
    found = {"report": globals().get(how.replace(" ", "_"))}
    do(Path(workspace), job_id, {**HANDLERS, **{k: h for k, h in found.items() if h}})
