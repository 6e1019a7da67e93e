"""Which rules give a fact, and the facts in which they do.

Knows the rules of a snapshot and its arrays; knows no label and no model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sightline.graph.arrays import Doubles
from sightline.graph.mining import walks
from sightline.graph.mining.halves import Halves, halves, place, span
from sightline.graph.mining.rules import LONGEST, interval
from sightline.graph.paths.find import Path
from sightline.graph.snapshot.kept import once_each
from sightline.graph.snapshot.reader import Snapshot

#: Rules that count for one fact: more say much the same (PyClause takes the five surest too).
COUNTED = 5
#: Edges looked at for one rule and one fact; walks among which the best are chosen.
STEPS, WALKS = 20_000, 200


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that gives a fact.

    Attributes:
        rule: its position in ``Snapshot.rules``.
        turned: it gives the fact read from tail to head.
    """

    rule: int
    turned: bool


def reasons(snapshot: Snapshot, head: int, relation: int, tail: int) -> list[Reason]:
    """The surest rules that give a fact, at most ``COUNTED``; none where none were mined."""
    rules = snapshot.rules
    if rules is None:
        return []
    graph, sure = prepared(snapshot)
    # Memoryviews give plain numbers at a tenth of the cost of NumPy's.
    begins, chance = snapshot.rule_indptr.data, sure.data
    rel = snapshot.one_rel.data[relation]
    back = graph.back.data[rel]
    columns = (rules.body, rules.head_end, rules.body_end)
    found = []
    for one, x, y, turned in ((rel, head, tail, False), (back, tail, head, True)):
        if not turned or back != rel or head != tail:
            low, high = begins[one], begins[one + 1]
            if low < high:
                at = walks.applying(graph, columns, low, high, x, y, COUNTED, STEPS)
                found += [Reason(r, turned) for r in at.tolist()]
    once = {reason.rule: reason for reason in found[::-1]}
    return sorted(once.values(), key=lambda reason: (-chance[reason.rule], reason.rule))[:COUNTED]


def chance_of(snapshot: Snapshot, found: list[Reason]) -> float:
    """Noisy-or of the lower ends of the rules' intervals."""
    _, sure = prepared(snapshot)
    return 1 - math.prod(1 - sure.data[reason.rule] for reason in found)


def coverage(snapshot: Snapshot, rule: int) -> float:
    """Share of the facts of a rule's head that it gives."""
    rules = snapshot.rules
    assert rules is not None
    graph, _ = prepared(snapshot)
    rel, end = int(rules.head[rule]), int(rules.head_end[rule])
    if end >= 0:
        low, high = span(graph, end, int(graph.back[rel]))
        facts = int(high - low)
    else:
        sources = slice(*graph.source_indptr[rel : rel + 2].tolist())
        facts = int((graph.end[sources] - graph.begin[sources]).sum())
    share = float(rules.support[rule]) / max(float(rules.share[rule]), 1e-9) / max(facts, 1)
    return min(share, 1.0)


def evidence(
    snapshot: Snapshot, reason: Reason, head: int, tail: int, k: int
) -> tuple[list[Path], int]:
    """The best walks, by path score, in which a rule gives a fact, and how many were found.

    Of a closed rule they lead from ``head`` to ``tail``; of one with constants it is the fact about
    the entity that the body speaks of.
    """
    rules = snapshot.rules
    assert rules is not None
    graph, _ = prepared(snapshot)
    r, x, y = reason.rule, *((tail, head) if reason.turned else (head, tail))
    if rules.head_end[r] >= 0:
        low, high = span(graph, x, int(rules.body[r, 0]))
        if rules.body_end[r] >= 0:
            low = place(graph, low, high, int(rules.body_end[r]))
            high = low + 1
        places = np.arange(low, min(high, low + WALKS))[:, None]
    else:
        places = np.empty((WALKS, LONGEST), np.int64)
        n = walks.between(graph, rules.body[r], x, y, STEPS, places)
        places = places[:n, : int((rules.body[r] >= 0).sum())]
    edges = graph.edge[places]
    scores = snapshot.path_weight[edges].prod(axis=1)
    best = np.lexsort((*edges.T[::-1], -scores))[:k] if len(edges) > 1 else range(len(edges))
    found = [_path(snapshot, x, edges[i].tolist(), float(scores[i])) for i in best]
    if reason.turned and rules.head_end[r] < 0:
        found = [path.turned(snapshot.num_relations) for path in found]
    return found, len(edges)


def _path(snapshot: Snapshot, start: int, edges: list[int], score: float) -> Path:
    entities, rels = [start], []
    heads, relations, tails = snapshot.head.data, snapshot.relation.data, snapshot.tail.data
    for edge in edges:
        head, tail = heads[edge], tails[edge]
        forward = head == entities[-1]
        rels.append(relations[edge] + (0 if forward else snapshot.num_relations))
        entities.append(tail if forward else head)
    return Path(tuple(entities), tuple(edges), tuple(rels), score)


@once_each
def prepared(snapshot: Snapshot) -> tuple[Halves, Doubles]:
    """The facts from both ends, and how sure each rule is."""
    s, rules = snapshot, snapshot.rules
    assert rules is not None
    graph = halves(s.head, s.relation, s.tail, s.one_rel, s.num_entities)
    return graph, interval(rules.support, rules.pairs)[0]
