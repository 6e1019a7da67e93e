"""SPARQL in a process that may be killed: what that costs over the same engine in this process.

Wall time, not CPU time, because two processes share the work. The peer runs the same texts on the
same index and writes the same bytes; rdflib's own engine on the same triples is in the details.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyoxigraph
import rdflib
from measure import Result
from synthetic import names, scale_free, workspace_of

from sightline.graph.rdf.index import open_store
from sightline.graph.rdf.query_text import read_query
from sightline.graph.rdf.sparql import QueryPool
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace

QUERIES = 300
JSON = pyoxigraph.QueryResultsFormat.JSON


def run(folder: Path, scale: float) -> list[Result]:
    """Time lookups, joins of two steps and a count over everything."""
    count = int(20_000 * scale)
    workspace_of(folder, scale_free(count, 20, 5 * count), names(count))
    snapshot = compile_snapshot(Workspace.open(folder))
    store = open_store(snapshot.folder)
    rng = np.random.default_rng(5)
    some = [snapshot.entity_iris[int(i)] for i in rng.integers(snapshot.num_entities, size=QUERIES)]
    kinds = {
        "one lookup": [f"SELECT ?p ?o {{ <{iri}> ?p ?o }}" for iri in some],
        "two steps, 1000 rows at most": [
            f"SELECT ?b ?c {{ <{iri}> ?p ?b . ?b ?q ?c }} LIMIT 1000" for iri in some
        ],
        "count per predicate": ["SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p"] * 5,
    }
    pool = QueryPool()
    graph = rdflib.Graph()
    graph.parse(data=n_triples(store), format="nt")
    try:
        return [
            measure(what, texts, snapshot, pool, store, graph, count)
            for what, texts in kinds.items()
        ]
    finally:
        pool.close()


def measure(
    what: str,
    texts: Sequence[str],
    snapshot: Snapshot,
    pool: QueryPool,
    store: Any,
    graph: rdflib.Graph,
    count: int,
) -> Result:
    """One kind of question, each text asked of every engine in turn."""

    def pooled(text: str) -> bytes:
        return pool.answer(snapshot, read_query(text), JSON.media_type)

    def direct(text: str) -> bytes:
        return store.query(text, use_default_graph_as_union=True).serialize(format=JSON)

    assert len(pooled(texts[0])) == len(direct(texts[0]))
    ours, peer = (milliseconds(ask, texts) for ask in (pooled, direct))
    slow = milliseconds(lambda text: list(graph.query(text)), texts[:20])
    more = float(np.median(ours - peer))
    return Result(
        f"SPARQL, {what}, wall time",
        float(np.median(ours)),
        "ms",
        "<= pyoxigraph + 2 ms",
        "pyoxigraph in this process",
        float(np.median(peer)),
        {"entities": count, "more_ms": more, "rdflib_ms": float(np.median(slow))},
    )


def milliseconds(ask: Callable[[str], object], texts: Sequence[str]) -> np.ndarray:
    """Wall time per text, float64 ``(n,)``."""
    times = []
    for text in texts:
        start = time.perf_counter()
        ask(text)
        times.append(1000 * (time.perf_counter() - start))
    return np.array(times)


def n_triples(store: Any) -> str:
    """All triples of a store, whatever their graph."""
    triples = (quad.triple for quad in store)
    return pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.N_TRIPLES).decode()
