"""Mined rules: what mining costs, and how good the rules alone are as a predictor.

Filtered MRR of both directions of all test facts with realistic ties, beside what PyClause reached
with the rules of AnyBURL. Our rules have at most three atoms; those took more on WN18RR.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from measure import Result, cpu_seconds

from sightline.graph.mining.answers import answers
from sightline.graph.mining.halves import halves
from sightline.graph.mining.mine import mine
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from sightline.models.data.queries import KnownAnswers
from sightline.models.ranking import RankingMetrics, filtered_ranks

#: Data set and the MRR of PyClause (README of symbolic-kg/PyClause, noisy-or of five rules).
DATA = (("codex-s", None), ("wn18rr", 0.4975), ("fb15k-237", 0.3484))


def run(folder: Path, scale: float) -> list[Result]:
    """The figures of the data sets that SIGHTLINE_DATA has."""
    data = os.environ.get("SIGHTLINE_DATA")
    if not data:
        print("rules: skipped, SIGHTLINE_DATA names no folder of data sets")
        return []
    results = []
    for name, published in DATA:
        ws = Workspace.create(folder / name)
        ingest(ws, [Path(data) / name])
        snapshot = compile_snapshot(ws, rdf=False, rules=True)
        results += measure(snapshot, name, published, scale)
    return results


def measure(s: Snapshot, name: str, published: float | None, scale: float) -> list[Result]:
    """The figures of one snapshot."""
    graph = halves(s.head, s.relation, s.tail, s.one_rel, s.num_entities)
    mining = cpu_seconds(lambda: mine(graph, s.one_rel))
    test = s.held_out("test")
    size = max(1, int(len(test) * scale))
    asked = test[np.random.default_rng(0).permutation(len(test))[:size]]
    triples = np.concatenate([s.triples(), s.held_out("valid"), test]).astype(np.int32)
    known = KnownAnswers.of_triples(triples, s.num_entities, s.num_relations)
    given: list[bool] = []

    def scorer(heads: np.ndarray, rels: np.ndarray) -> np.ndarray:
        scores = np.stack([answers(s, *one) for one in zip(heads.tolist(), rels.tolist())])
        # As they were before the other known answers are taken out.
        given.extend((scores > 0).any(axis=1))
        return scores.astype(np.float32)

    found: list[RankingMetrics] = []

    def work() -> None:
        found.append(RankingMetrics.of(filtered_ranks(scorer, asked, known)))

    seconds = cpu_seconds(work)
    assert s.rules is not None
    closed = int((s.rules.head_end < 0).sum())
    details = {
        "edges": s.num_edges,
        "closed_rules": closed,
        "rules_with_constants": len(s.rules.head) - closed,
        "hits_at_1": found[0].hits_at_1,
        "hits_at_10": found[0].hits_at_10,
        "questions": found[0].queries,
        "milliseconds_per_question": 1000 * seconds / found[0].queries,
    }
    wanted = "-" if published is None else f">= {published}"
    peer = None if published is None else "PyClause, published"
    return [
        Result(f"mining, {name}", mining, "s", "<= 60 s", None, None, details),
        Result(f"MRR of rules alone, {name}", found[0].mrr or 0.0, "", wanted, peer, published, {}),
        Result(
            f"questions to which a rule gives an answer, {name}",
            float(np.mean(given)),
            "",
            "-",
            None,
            None,
            {},
        ),
    ]
