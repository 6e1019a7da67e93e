"""Rules alone as a predictor: the answers that they give to a question.

Knows the rules of a snapshot and its arrays; knows no model.
"""

from __future__ import annotations

import numba
import numpy as np

from sightline.graph.arrays import Doubles, Flags, Ids
from sightline.graph.mining import walks
from sightline.graph.mining.halves import Halves, place, span
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
    derive(graph, *asked, COUNTED, anchor, chance, times, scratch)
    return chance


@numba.njit(cache=True, nogil=True)
def derive(
    graph: Halves,
    body: Ids,
    head_end: Ids,
    body_end: Ids,
    backward: Flags,
    sure: Doubles,
    most: int,
    x: int,
    chance: Doubles,
    times: Ids,
    scratch: walks.Scratch,
) -> None:
    """Apply rules, the surest first, to one entity.

    Args:
        body, head_end, body_end: as in ``rules.Rules``.
        backward: rules with constants whose head's end is ``x``.
        most: rules that count for an answer.
        chance, times: ``(N,)``: filled with the noisy-or of ``sure`` over the rules that give an
            answer, and how many these are.
    """
    loaded = np.full(2, -1, np.int64)
    for r in range(len(body)):
        ends, n = scratch.ends, 0
        if head_end[r] < 0:
            low, high = span(graph, x, body[r, 0])
            if low == high:
                continue
            walks.load_both(graph, body[r], loaded, scratch)
            n, _ = walks.reach(graph, body[r], x, low, high, scratch)
        elif backward[r] and body_end[r] < 0:
            low, high = graph.source_indptr[body[r, 0]], graph.source_indptr[body[r, 0] + 1]
            n = high - low
            for i in range(n):
                ends[i] = graph.source[low + i]
        elif backward[r]:
            low, high = span(graph, body_end[r], graph.back[body[r, 0]])
            n = high - low
            for i in range(n):
                ends[i] = graph.other[low + i]
        else:
            low, high = span(graph, x, body[r, 0])
            if low < high and (body_end[r] < 0 or place(graph, low, high, body_end[r]) >= 0):
                ends[0], n = head_end[r], 1
        for i in range(n):
            y = ends[i]
            if times[y] < most:
                times[y] += 1
                chance[y] = 1.0 - (1.0 - chance[y]) * (1.0 - sure[r])
    walks.forget(graph, loaded, scratch)
