"""How a benchmark measures and what it reports. Knows clocks and records; knows no Sightline.

Everything is CPU time of this process, all threads together, so that a busy machine and a second
core change little. A peer is measured in the same run, on the same data.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Result:
    """One measured figure.

    Attributes:
        what: what was measured, in words.
        value, unit: the figure.
        wanted: the figure to reach, in words.
        peer, peer_value: what it is compared with, and its figure in the same unit; or None.
        details: sizes and further figures, for whoever reads the JSON.
    """

    what: str
    value: float
    unit: str
    wanted: str
    peer: str | None
    peer_value: float | None
    details: dict[str, Any]


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def cpu_milliseconds(work: Callable[[Any], object], questions: Iterable[Any]) -> np.ndarray:
    """CPU milliseconds per question, float64 ``(n,)``. Warm up before."""
    return np.array([1000 * cpu_seconds(lambda q=q: work(q)) for q in questions])
