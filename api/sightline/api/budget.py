"""How much of the service's time each caller has used. Knows callers by name only."""

from __future__ import annotations

import threading
import time

from cachetools import LRUCache

from sightline.api.errors import OverBudget

#: Callers that are remembered.
CALLERS = 10_000


class Budgets:
    """Seconds of work that every caller may ask for.

    Work is charged when it has been done; whoever then owes more than a minute's allowance waits
    until it is paid off. One number a caller: when it will owe nothing.

    Args:
        allowance: seconds of work per minute; None: any.
    """

    def __init__(self, allowance: float | None) -> None:
        self._allowance = allowance
        self._free: LRUCache[str, float] = LRUCache(CALLERS)
        self._lock = threading.Lock()

    def require(self, caller: str | None) -> None:
        """Check that a caller may ask for more. None: nobody counts it.

        Raises:
            OverBudget
        """
        if self._allowance is None or caller is None:
            return
        with self._lock:
            wait = self._free.get(caller, 0.0) - time.monotonic() - 60
        if wait > 0:
            raise OverBudget(
                f"this asked for more than {self._allowance:g} seconds of work in a minute", wait
            )

    def charge(self, caller: str | None, seconds: float) -> None:
        """Add work that was done for a caller."""
        if self._allowance is None or caller is None:
            return
        with self._lock:
            start = max(self._free.get(caller, 0.0), time.monotonic())
            self._free[caller] = start + 60 * seconds / self._allowance
