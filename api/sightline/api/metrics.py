"""What the service counts of itself, for Prometheus.

Several processes count together where ``serve`` gave them a folder for it. Knows names and buckets;
knows no route.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

MEDIA_TYPE = CONTENT_TYPE_LATEST
#: Where prometheus-client finds the folder in which several processes count.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
PAIR = ("snapshot", "model", "version")
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]
REQUESTS = Histogram(
    "sightline_request_seconds",
    "From a request's head to the end of its answer.",
    ("method", "route", "status"),
    buckets=_SECONDS,
)
WAITED = Histogram(
    "sightline_wait_seconds", "What work waited for a thread.", ("lane",), buckets=_SECONDS
)
WORK = Histogram(
    "sightline_work_seconds", "What a thread worked on an answer.", ("lane",), buckets=_SECONDS
)
RUNNING = Gauge(
    "sightline_work_in_lane",
    "Work that waits or is being done.",
    ("lane",),
    multiprocess_mode="livesum",
)
TURNED_AWAY = Counter(
    "sightline_turned_away", "Work refused: queue full, budget used.", ("lane", "why")
)
CACHE = Counter("sightline_cache", "Answers found among those kept, or not.", ("found",))


def exposition(served: Mapping[str, str], jobs: Mapping[str, int]) -> bytes:
    """Everything counted, as Prometheus reads it.

    Args:
        served: labels of what is served now; none while nothing is.
        jobs: how many jobs there are, by state.
    """
    registry = REGISTRY
    if folder := os.environ.get(FOLDER):
        _forget_the_dead(Path(folder))
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    now = CollectorRegistry()
    now.register(_Now(served, jobs))
    return generate_latest(registry) + generate_latest(now)


class _Now(Collector):
    """What is so at this moment, the same in every process. A ``Gauge`` would leave it in the
    folder in which they count, and what was served before would be told beside it."""

    def __init__(self, served: Mapping[str, str], jobs: Mapping[str, int]) -> None:
        self._served, self._jobs = served, jobs

    def collect(self) -> Iterator[Metric]:
        about = "What is served: 1, or 0 while that is nothing."
        pair = GaugeMetricFamily("sightline_served", about, labels=PAIR)
        pair.add_metric([self._served.get(name, "") for name in PAIR], bool(self._served))
        states = GaugeMetricFamily("sightline_jobs", "Jobs that are remembered.", labels=["state"])
        for state, count in self._jobs.items():
            states.add_metric([state], count)
        yield from (pair, states)


def _forget_the_dead(folder: Path) -> None:
    """What a process that has ended was doing is done by nobody any more; what it counted stays."""
    for path in folder.glob("gauge_live*.db"):
        process = int(path.stem.rpartition("_")[2])
        with suppress(PermissionError):
            try:
                os.kill(process, 0)
            except ProcessLookupError:
                path.unlink(missing_ok=True)  # another may have been first
