"""True facts that were hidden from a graph: how many of the most surprising ones they are.

Of the bundled world a tenth of the stated facts are hidden, of the Hetionet sample a fifth of those
between a compound and a disease that it treats; of CoDEx-S, UMLS and Kinship it is what they hold
out. Thresholds were chosen on the world and CoDEx-S, the order on the latter two and Nations. The
foundation member predicts, as ``sightline compile`` serves it. Beside the list stand the same
predictions in the order of the model's score. What is true and not among the hidden facts counts
as false. Needs SIGHTLINE_DATA but for the world.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from measure import Result, cpu_seconds

from sightline.distill.foundation.build import model_for
from sightline.graph.record.retractions import take_back
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.statement import Statement
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from sightline.insights.ask import Sightline
from sightline.insights.kinds.surprising import Chosen, asked_about, choose, predicted
from sightline.insights.ranking import Candidate

SEED = 0
#: Entities asked about, and how many of a list are looked at.
ASKED, FIRST = 150, (10, 50, 100)
WORLD = Path(__file__).parents[1] / "examples" / "world"
Fact = tuple[str, str, str]


def run(folder: Path, scale: float) -> list[Result]:
    """The graphs that there are; only the world where it is run to see that it runs."""
    ws = Workspace.create(folder / "world")
    ingest(ws, [WORLD], mapping=WORLD / "mapping.yaml")
    hidden = hide(ws, None, 0.1)
    results = measured("world", ws, hidden, None, round(ASKED * scale))
    data = os.environ.get("SIGHTLINE_DATA")
    if not data or scale < 1:
        print("surprising: the world only; SIGHTLINE_DATA names data sets, and scale is 1")
        return results
    for name in ("codex-s", "umls", "kinship"):
        ws = Workspace.create(folder / name)
        ingest(ws, [Path(data) / name])
        results += measured(name, ws, None, None, ASKED)
    ws = Workspace.create(folder / "hetionet-sample")
    ingest(ws, [Path(data) / "hetionet-sample"])
    hidden = hide(ws, "CtD", 0.2)
    return results + measured("hetionet-sample, CtD", ws, hidden, "CtD", ASKED)


def hide(ws: Workspace, relation: str | None, share: float) -> set[Fact]:
    """Take back a share of the stated facts, or of those of a relation."""
    s = compile_snapshot(ws, rdf=False)
    stated = ~s.edge_inferred & (s.fact_of == np.arange(s.num_edges))
    if relation is not None:
        stated &= s.relation == s.resolve_relation(relation)
    edges = np.random.default_rng(SEED).permutation(np.flatnonzero(stated))
    chosen = edges[: round(share * len(edges))]
    triples = s.triples()
    hidden = {
        _fact(s, *triples[twin].tolist()) for edge in chosen.tolist() for twin in s.twins(edge)
    }
    take_back(ws, [Statement(*fact) for fact in sorted(hidden)], "hidden")
    return hidden


def _fact(s: Snapshot, head: int, relation: int, tail: int) -> Fact:
    return s.entity_iris[head], s.relation_iris[relation], s.entity_iris[tail]


def measured(
    name: str, ws: Workspace, hidden: set[Fact] | None, relation: str | None, entities: int
) -> list[Result]:
    """Precision of both orders of what is predicted about some entities."""
    compile_snapshot(ws, rdf=False, copies=True, rules=True, prepare=lambda s: model_for(ws, s)[0])
    sight = Sightline.open(ws)
    s = sight.snapshot
    if hidden is None:
        hidden = {_fact(s, *row) for part in ("valid", "test") for row in s.held_out(part).tolist()}
    asked, wanted = asked_about(sight, (), sight.relation(relation))
    found: list[Candidate] = []
    chosen: list[Chosen] = []

    def work() -> None:
        for entity in asked[:entities]:
            found.extend(predicted(sight, entity, wanted, False, 600.0)[0])
        chosen.append(choose(sight, found, max(FIRST)))

    seconds = cpu_seconds(work)
    ids = [
        (sight.entity(f.head.iri), s.resolve_relation(f.relation.iri), sight.entity(f.tail.iri))
        for f in (one.fact for one in chosen[0].surprising)
    ]
    own = _true(s, hidden, ids)
    by_score = sorted(found, key=lambda c: (-(c.score or 0.0), c.head, c.relation, c.tail))
    plain = _true(s, hidden, list(dict.fromkeys((c.head, c.relation, c.tail) for c in by_score)))
    details = {
        "seed": SEED,
        "hidden": len(hidden),
        "predictions": len(found),
        "hidden facts among them": int(_true(s, hidden, list(_ids(found))).sum()),
        "listed": len(ids),
        "relations among the first 50": len({relation for _, relation, _ in ids[:50]}),
        "left out": {out.why: out.facts for out in chosen[0].left_out},
        "CPU seconds": seconds,
    }
    return [
        Result(
            f"{name}: hidden facts among the first {first}",
            float(own[:first].mean()) if len(own) else 0.0,
            "",
            "more than the peer",
            "by the model's score alone",
            float(plain[:first].mean()),
            details if first == FIRST[0] else {"listed": min(first, len(own))},
        )
        for first in FIRST
    ]


def _ids(found: Sequence[Candidate]) -> set[tuple[int, int, int]]:
    return {(c.head, c.relation, c.tail) for c in found}


def _true(s: Snapshot, hidden: set[Fact], facts: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """Which facts are hidden ones, those of a symmetric relation read either way."""
    both_ways = s.one_rel[: s.num_relations] == s.one_rel[s.num_relations :]
    return np.array(
        [
            _fact(s, h, r, t) in hidden or (both_ways[r] and _fact(s, t, r, h) in hidden)
            for h, r, t in facts
        ],
        np.bool_,
    )
