"""Threads that answer, in lanes: each with a bounded queue, a short wait, and an end for work that
nobody waits for any more. Knows no question.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import Request

from sightline.graph.errors import Busy
from sightline.graph.progress import Cancelled, cancelled

T = TypeVar("T")

#: Seconds that work may wait for a thread, and that it takes before somebody looks for its asker.
PATIENCE, SHORT = 2.0, 0.02


class Lane:
    """A few threads, and room for a few to wait for one."""

    def __init__(self, name: str, threads: int, queue: int) -> None:
        self._name = name
        self._room = threading.BoundedSemaphore(threads + queue)
        self._threads = ThreadPoolExecutor(threads, name)

    async def run(self, work: Callable[[], T], request: Request | None = None) -> T:
        """Do work in a thread, for the event loop never waits.

        Args:
            request: who asks; once they have gone, ``stop_if_cancelled`` ends the work.

        Raises:
            Busy: too many wait already, or none of the threads was free for long.
            Cancelled: the asker has gone.
        """
        if not self._room.acquire(blocking=False):
            raise Busy(f"the queue of {self._name}")
        gone = threading.Event()

        watchers: list[asyncio.Task[None]] = []

        def begin() -> T:
            cancelled.set(gone.is_set)
            return work()

        def watch() -> None:  # most work has ended before
            if request is not None:
                watchers.append(loop.create_task(_gone(request, gone, call.cancel)))

        loop = asyncio.get_running_loop()
        call = self._threads.submit(begin)
        call.add_done_callback(lambda _: self._room.release())
        impatient = loop.call_later(PATIENCE, call.cancel)
        watching = loop.call_later(SHORT, watch)
        try:
            return await asyncio.wrap_future(call)
        except asyncio.CancelledError:
            if gone.is_set():
                raise Cancelled from None
            if impatient.when() <= loop.time():
                raise Busy(f"the queue of {self._name}") from None
            gone.set()
            raise
        finally:
            impatient.cancel()
            watching.cancel()
            for watcher in watchers:
                watcher.cancel()

    def close(self) -> None:
        """Let the threads end; what waits is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _gone(request: Request, gone: threading.Event, drop: Callable[[], object]) -> None:
    """Wait until who asks has gone, and say so."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
    drop()
