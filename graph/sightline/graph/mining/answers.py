"""Rules alone as a predictor: the answers that they give to a question.

Knows the rules of a snapshot and its arrays; knows no model.
"""

from __future__ import annotations

import numpy as np

from sightline.graph.arrays import Doubles
from sightline.graph.mining import walks
from sightline.graph.mining.mine import turned
from sightline.graph.mining.reasons import COUNTED, prepared
from sightline.graph.snapshot.reader import Snapshot


def answers(snapshot: Snapshot, anchor: int, rel: int) -> Doubles:
    """The graph's chance of every answer to a directed relation of an entity: float64 ``(N,)``.

    The noisy-or of the surest five rules that give it, as ``reasons.chance_of``; 0 where none does.
    Nothing is left out: not what is stated, not the entity itself.
    """
    graph, sure = prepared(snapshot)
    rules = snapshot.rules
    chance = np.zeros(snapshot.num_entities)
    if rules is None:
        return chance
    one = int(snapshot.one_rel[rel])
    back = int(graph.back[one])
    forward = np.arange(*snapshot.rule_indptr[one : one + 2])
    other = np.arange(*snapshot.rule_indptr[back : back + 2])
    # A rule with constants is read from its other end where that is the anchor.
    other = other[(rules.head_end[other] < 0) | (rules.head_end[other] == anchor)]
    chosen = np.concatenate([forward, other])
    body, backward = rules.body[chosen], np.arange(len(chosen)) >= len(forward)
    closed = backward & (rules.head_end[chosen] < 0)
    body[closed] = turned(graph, body[closed])
    order = np.lexsort((chosen, -sure[chosen]))
    ends = rules.head_end[chosen][order], rules.body_end[chosen][order]
    scratch = walks.new_scratch(snapshot.num_entities)
    times = np.zeros(snapshot.num_entities, np.int32)
    asked = (body[order], *ends, backward[order], sure[chosen][order])
    walks.derive(graph, *asked, COUNTED, anchor, chance, times, scratch)
    return chance
