"""Processes that the service starts do not outlive it: a worker that did would hold the port, or
a job."""

from __future__ import annotations

import os
import signal
import threading
import time

#: Where a process finds whom it must not outlive.
PARENT = "SIGHTLINE_PARENT"
#: Seconds after which a process that was told to stop is ended.
GRACE = 20.0


def end_with_parent() -> None:
    """Have this process told to stop when the one that started it is gone, then ended."""
    parent = int(os.environ.get(PARENT, os.getpid()))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os.kill(os.getpid(), signal.SIGKILL)

    if parent != os.getpid():
        threading.Thread(target=watch, daemon=True).start()
