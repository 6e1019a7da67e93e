"""Threads that answer, in lanes: each with a bounded queue, a short wait, and an end for work that
nobody waits for any more. Knows no question.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.requests import Request

from sightline.api.access import caller_of
from sightline.api.budget import Budgets
from sightline.api.errors import OverBudget
from sightline.api.metrics import RUNNING, TURNED_AWAY, WAITED, WORK
from sightline.graph.errors import Busy, in_words
from sightline.graph.progress import Cancelled, cancelled

T = TypeVar("T")

#: Seconds that work may wait for a thread, and that it takes before somebody looks for its asker.
PATIENCE, SHORT = 2.0, 0.02


class Lane:
    """A few threads, and room for a few to wait for one.

    Args:
        budgets: what its work is charged to.
        clock: seconds that a thread has worked.
    """

    def __init__(
        self,
        name: str,
        threads: int,
        queue: int,
        budgets: Budgets,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._name = name
        self._room = threading.BoundedSemaphore(threads + queue)
        #: Places that one caller may hold, so that it leaves some to others.
        self._share = (threads + queue) // 2
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._budgets, self._clock = budgets, clock
        self._waited, self._work = WAITED.labels(name), WORK.labels(name)
        self._running = RUNNING.labels(name)
        self._threads = ThreadPoolExecutor(threads, name)

    async def run(
        self, work: Callable[[], T], request: Request | None = None, payer: str | None = None
    ) -> T:
        """Do work in a thread, for the event loop never waits.

        Args:
            request: who asks, and pays; once they have gone, ``stop_if_cancelled`` ends the work.
            payer: who pays where no request is given; None: nobody counts it.

        Raises:
            Busy: too many wait already, or none of the threads was free for long.
            OverBudget: the asker has used what it may, or holds half of the places.
            Cancelled: the asker has gone.
        """
        payer = payer if request is None else caller_of(request.scope).budget
        try:
            self._budgets.require(payer)
            if payer is not None and self._held[payer] >= self._share:
                raise OverBudget(f"this holds half of the queue of {self._name} already", 1.0)
        except OverBudget:
            TURNED_AWAY.labels(self._name, "budget").inc()
            raise
        if not self._room.acquire(blocking=False):
            raise self._busy()
        gone = threading.Event()
        words = in_words.get()

        watchers: list[asyncio.Task[None]] = []

        def begin() -> T:
            cancelled.set(gone.is_set)
            in_words.set(words)
            self._waited.observe(time.monotonic() - asked)
            start = self._clock()
            try:
                return work()
            finally:
                spent = self._clock() - start
                self._work.observe(spent)
                self._budgets.charge(payer, spent)

        def end(_: object) -> None:
            self._room.release()
            self._running.dec()
            if payer is not None:
                self._hold(payer, -1)

        def watch() -> None:  # most work has ended before
            if request is not None:
                watchers.append(loop.create_task(_gone(request, gone, call.cancel)))

        loop, asked = asyncio.get_running_loop(), time.monotonic()
        self._running.inc()
        if payer is not None:
            self._hold(payer, 1)
        call = self._threads.submit(begin)
        call.add_done_callback(end)
        impatient = loop.call_later(PATIENCE, call.cancel)
        watching = loop.call_later(SHORT, watch)
        try:
            return await asyncio.wrap_future(call)
        except asyncio.CancelledError:
            if gone.is_set():
                raise Cancelled from None
            if impatient.when() <= loop.time():
                raise self._busy() from None
            gone.set()
            raise
        finally:
            impatient.cancel()
            watching.cancel()
            for watcher in watchers:
                watcher.cancel()

    def _hold(self, payer: str, places: int) -> None:
        """Count the places that a caller holds; who holds none is forgotten."""
        with self._lock:
            self._held[payer] += places
            self._held += Counter()

    def _busy(self) -> Busy:
        TURNED_AWAY.labels(self._name, "queue").inc()
        return Busy(f"the queue of {self._name}")

    def close(self) -> None:
        """Let the threads end; what waits is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)


async def _gone(request: Request, gone: threading.Event, drop: Callable[[], object]) -> None:
    """Wait until who asks has gone, and say so."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
    drop()
