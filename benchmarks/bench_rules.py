"""Mined rules: what mining costs, and how good the rules alone are as a predictor.

Filtered MRR of both directions of test facts, at most 2,000 of them, with realistic ties, beside
what PyClause reached with the rules of AnyBURL on all. Our rules have at most three atoms; those
took more on WN18RR. On CoDEx-S the foundation member's likeliest answers, too: how many have
support, and how far their score rests on it.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from measure import Result, cpu_seconds
from rules_alone import answers

from sightline.distill.foundation.build import model_for
from sightline.distill.serving import publish
from sightline.graph.mining.halves import halves
from sightline.graph.mining.mine import mine
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from sightline.insights.ask import Sightline
from sightline.insights.kinds import explain, predictions
from sightline.models.data.queries import KnownAnswers
from sightline.models.ranking import RankingMetrics, filtered_ranks

#: Where a model is asked beside the rules, and how many questions.
SUPPORTED, QUESTIONS = "codex-s", 100
#: Test facts asked in both directions, drawn evenly of more.
MOST_FACTS = 2000
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
        if name == SUPPORTED:
            publish(ws, model_for(ws, snapshot)[0])
            results += support(Sightline.open(ws), name, max(1, round(QUESTIONS * scale)))
    return results


def support(sight: Sightline, name: str, questions: int) -> list[Result]:
    """How many of the likeliest answers to test questions have support, and what the score is
    without it."""
    s = sight.snapshot
    asked = s.held_out("test")
    asked = asked[np.random.default_rng(0).permutation(len(asked))[:questions]]
    by_rule, by_path, falls, others = [], [], [], []
    for place, (head, relation, tail) in enumerate(asked.tolist()):
        question = {"relation": s.relation_iris[relation], "k": 1, "new_only": True}
        question |= {"tail": s.entity_iris[tail]} if place % 2 else {"head": s.entity_iris[head]}
        found = predictions.KIND.answer(sight, predictions.PredictionQuestion(**question))
        for fact in found.predictions:
            by_rule.append(fact.rule is not None)
            by_path.append(bool(fact.support or fact.rule))
            named = fact.head.iri, fact.relation.iri, fact.tail.iri
            why = explain.ExplainQuestion(*named, faithfulness=True, deadline_ms=60_000)
            measured = explain.KIND.answer(sight, why).faithfulness
            if measured is not None:
                falls.append(measured.fall)
                others.append(measured.others)
    details = {"questions": len(by_path), "measured": len(falls), "seed": 0}
    details |= {"falls more than without others": float(np.mean(np.array(falls) > others))}
    first = f"likeliest answers of the foundation member, {name}"
    return [
        Result(f"{first}: share with a rule", float(np.mean(by_rule)), "", "-", None, None, {}),
        Result(f"{first}: with a rule or a path", float(np.mean(by_path)), "", "-", None, None, {}),
        Result(
            f"{first}: fall of the score without the support",
            float(np.mean(falls)),
            "",
            "more than the peer",
            "without others of the same relations and degrees",
            float(np.mean(others)),
            details,
        ),
    ]


def measure(s: Snapshot, name: str, published: float | None, scale: float) -> list[Result]:
    """The figures of one snapshot."""
    graph = halves(s.head, s.relation, s.tail, s.one_rel, s.num_entities)
    mining = cpu_seconds(lambda: mine(graph, s.one_rel))
    test = s.held_out("test")
    size = max(1, int(min(len(test), MOST_FACTS) * scale))
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
        "test_facts": len(test),
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
