"""Paths between two entities: every path, the best ten, and what must not take long.

Measured through ``find_paths``: scored, ordered and counted per metapath. The peers enumerate only.
"""

from __future__ import annotations

import importlib.metadata
import itertools
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import rustworkx as rx
from measure import Result, cpu_milliseconds
from synthetic import complete, scale_free, star, workspace_of

from sightline.graph.paths.find import find_paths, warm
from sightline.graph.snapshot.reader import Snapshot

#: Questions for NetworkX, and for rustworkx at four edges: both would take minutes for all.
FEW = 20
DEADLINES_MS = (50, 1000)

Pair = tuple[int, int]


def run(folder: Path, scale: float) -> list[Result]:
    """Against peers on one graph, then by size, then the worst cases."""
    return [
        *_against_peers(folder / "peers", scale),
        *_growth(folder, scale),
        *_worst_cases(folder, scale),
    ]


def _against_peers(folder: Path, scale: float) -> list[Result]:
    num_edges = int(750_000 * scale)
    snapshot = workspace_of(folder, scale_free(num_edges // 6, 20, num_edges))
    pairs = _pairs(snapshot)
    # A fact that is said both ways is one edge.
    edges = np.delete(np.stack([snapshot.head, snapshot.tail], axis=1), snapshot.twin_edge, axis=0)
    ends = [(head, tail) for head, tail in edges.tolist()]
    rust = rx.PyGraph(multigraph=True)
    rust.add_nodes_from(range(snapshot.num_entities))
    rust.add_edges_from_no_data(ends)
    python = nx.MultiGraph(ends)
    _check(snapshot, rust, python, pairs)
    version = importlib.metadata.version("rustworkx")

    def by_rust(hops: int) -> Callable[[Pair], object]:
        return lambda pair: _rustworkx_paths(rust, pair, hops)

    def by_python(hops: int) -> Callable[[Pair], object]:
        return lambda pair: list(nx.all_simple_edge_paths(python, *pair, cutoff=hops))

    questions = (("all paths of <= 3 edges", 3, "0.03"), ("best 10 of <= 4 edges", 4, "0.1"))
    results = []
    for what, hops, figure in questions:
        own = cpu_milliseconds(lambda pair, h=hops: find_paths(snapshot, *pair, max_hops=h), pairs)
        details = {**_sizes(snapshot), "pairs": len(pairs), "p95": float(np.quantile(own, 0.95))}
        asked = pairs if hops == 3 else _few(pairs)
        peers = [(f"rustworkx {version}", by_rust(hops), asked, 50)]
        if hops == 3:
            peers.append((f"NetworkX {nx.__version__}", by_python(hops), _few(pairs), 1000))
        for peer, work, some, times in peers:
            theirs = cpu_milliseconds(work, some)
            results.append(
                Result(
                    f"{what}, median",
                    float(np.median(own)),
                    "ms",
                    f"<= {figure} ms, <= 1/{times} of the peer",
                    f"{peer}, {len(some)} pairs",
                    float(np.median(theirs)),
                    details,
                )
            )
    return results


def _rustworkx_paths(graph: Any, pair: Pair, hops: int) -> list[list[int]]:
    """Its cutoff counts entities."""
    paths: list[list[int]] = rx.all_simple_paths(graph, *pair, cutoff=hops + 1)
    return paths


def _check(snapshot: Snapshot, rust: Any, python: nx.MultiGraph, pairs: list[Pair]) -> None:
    """All of them must find the same paths, or the times say nothing."""
    for pair in pairs:
        answer = find_paths(snapshot, *pair, max_hops=3, k=1000, deadline_ms=60_000)
        own = Counter(path.entities for path in answer.paths)
        assert answer.found == len(answer.paths), f"more than 1000 paths between {pair}"
        theirs = Counter(tuple(path) for path in _rustworkx_paths(rust, pair, 3))
        assert own == theirs, f"rustworkx finds other paths between {pair}"
    for pair in _few(pairs):
        found = nx.all_simple_paths(python, *pair, cutoff=3)
        own = find_paths(snapshot, *pair, max_hops=3, k=1000, deadline_ms=60_000).paths
        assert Counter(map(tuple, found)) == Counter(path.entities for path in own)


def _growth(folder: Path, scale: float) -> list[Result]:
    results = []
    for size in (100_000, 1_000_000):
        num_edges = int(size * scale)
        snapshot = workspace_of(folder / f"{size}", scale_free(num_edges // 6, 20, num_edges))
        pairs = _pairs(snapshot)
        for hops in (3, 4):
            times = cpu_milliseconds(
                lambda pair, s=snapshot, h=hops: find_paths(s, *pair, max_hops=h), pairs
            )
            results.append(
                Result(
                    f"paths of <= {hops} edges among {size:,} edges, median",
                    float(np.median(times)),
                    "ms",
                    "growth of the neighbourhood, not of the graph",
                    None,
                    None,
                    {**_sizes(snapshot), "p99": float(np.quantile(times, 0.99))},
                )
            )
    return results


def _worst_cases(folder: Path, scale: float) -> list[Result]:
    """Wall time, because that is what a deadline is about."""
    leaves = int(100_000 * scale)
    graphs = {
        f"two leaves of a hub of {leaves:,}": (star(leaves), (1, leaves)),
        "two leaves of a hub that know each other": (star(leaves, 3 * leaves), (1, leaves)),
        "a complete graph of 200": (complete(200), (20, 150)),
    }
    results = []
    for number, (what, (triples, pair)) in enumerate(graphs.items()):
        snapshot = workspace_of(folder / f"worst{number}", triples)
        warm(snapshot)
        for deadline in DEADLINES_MS:
            start = time.perf_counter()
            answer = find_paths(snapshot, *pair, max_hops=6, deadline_ms=deadline)
            wall = 1000 * (time.perf_counter() - start)
            details = {"found": answer.found, "reason": answer.reason, **_sizes(snapshot)}
            limit = f"<= {deadline + 20} ms of wall time"
            results.append(
                Result(f"{what}, <= 6 edges", wall, "ms", limit, "the deadline", deadline, details)
            )
    return results


def _pairs(snapshot: Snapshot, count: int = 100) -> list[Pair]:
    """As many pairs of any entities as of entities drawn by degree; asked once to warm up."""
    rng = np.random.default_rng(1)
    n = snapshot.num_entities
    by_degree = rng.choice(n, (count, 2), p=snapshot.degree / snapshot.degree.sum())
    drawn = np.concatenate([rng.integers(n, size=(count, 2)), by_degree]).tolist()
    pairs = [(a, b) for a, b in drawn if a != b]
    for pair in pairs:
        find_paths(snapshot, *pair, max_hops=3)
    return pairs


def _few(pairs: list[Pair]) -> list[Pair]:
    return list(itertools.islice(pairs, 0, None, len(pairs) // FEW))


def _sizes(snapshot: Snapshot) -> dict[str, int]:
    return {"entities": snapshot.num_entities, "edges": snapshot.num_edges}
