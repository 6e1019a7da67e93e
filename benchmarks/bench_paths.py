"""All paths of at most three edges between two entities, against NetworkX on the same graph."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
from measure import Result, cpu_milliseconds
from synthetic import scale_free, workspace_of

from sightline.graph.paths import find_paths
from sightline.graph.snapshot import Snapshot

PAIRS = 12
MAX_HOPS = 3


def run(folder: Path, scale: float) -> list[Result]:
    """Time both, and check that both find the same number of paths."""
    num_entities, num_edges = int(5_000 * scale), int(25_000 * scale)
    snapshot = workspace_of(folder, scale_free(num_entities, 10, num_edges))
    graph = nx.MultiGraph()
    graph.add_edges_from(zip(snapshot.head.tolist(), snapshot.tail.tolist()))
    rng = np.random.default_rng(1)
    pairs = rng.choice(np.flatnonzero(snapshot.degree > 1), (PAIRS, 2), replace=False).tolist()

    def ours(pair: list[int]) -> int:
        return find_paths(snapshot, *pair, max_hops=MAX_HOPS, deadline_ms=60_000).found

    def theirs(pair: list[int]) -> int:
        return sum(1 for _ in nx.all_simple_edge_paths(graph, *pair, cutoff=MAX_HOPS))

    ours(pairs[0])  # compiles the kernel
    found = [ours(pair) for pair in pairs]
    assert found == [theirs(pair) for pair in pairs], "the two disagree about the paths"
    own, peer = (float(np.median(cpu_milliseconds(work, pairs))) for work in (ours, theirs))
    size = {"entities": snapshot.num_entities, "edges": snapshot.num_edges, "paths": found}
    return [
        Result(
            f"all paths <= {MAX_HOPS} edges, scored, median of {PAIRS} pairs",
            own,
            "ms",
            "at most 1/1000 of NetworkX",
            f"NetworkX {nx.__version__}, not scored",
            peer,
            size,
        ),
        *_large(folder / "large", scale),
    ]


def _large(folder: Path, scale: float) -> list[Result]:
    """The ten best paths on a graph that NetworkX would take too long for."""
    snapshot: Snapshot = workspace_of(
        folder, scale_free(int(50_000 * scale), 20, int(750_000 * scale))
    )
    rng = np.random.default_rng(2)
    pairs = rng.choice(np.flatnonzero(snapshot.degree > 1), (100, 2), replace=False).tolist()
    times = cpu_milliseconds(lambda pair: find_paths(snapshot, *pair, max_hops=MAX_HOPS), pairs)
    return [
        Result(
            f"ten best paths <= {MAX_HOPS} edges, median of 100 pairs",
            float(np.median(times)),
            "ms",
            "<= 5 ms, 99th percentile <= 100 ms",
            None,
            None,
            {
                "p99": float(np.quantile(times, 0.99)),
                "entities": snapshot.num_entities,
                "edges": snapshot.num_edges,
            },
        )
    ]
