"""Finding the Horn rules of a graph.

Closed rules in three rounds: the ends of some facts of each relation are joined to find bodies;
what each promising body joins is counted, for all relations at once; what a shorter rule says as
surely is left out. Rules with constants by counting what comes with what.

Knows arrays of facts; knows no snapshot, no label and no clock. The same facts give the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sightline.graph.arrays import Doubles, Flags, Ids, Offsets, expand_csr
from sightline.graph.mining import kernels, walks
from sightline.graph.mining.halves import Halves
from sightline.graph.mining.rules import LONGEST, Rules, confidence, interval
from sightline.graph.snapshot.pairs import changes
from sightline.graph.snapshot.sections.section import indptr


@dataclass(frozen=True, slots=True)
class Limits:
    """What is looked for, and how much work that may be.

    Attributes:
        support: facts that a rule gives, at least.
        confidence: of a rule, at least.
        facts: of a relation whose ends are joined to find bodies, and by which rules that say the
            same are found.
        steps: edges looked at around one such fact.
        bodies: tried for a relation, those that look surest first.
        walks: edges looked at to count what all bodies join.
        items: looked at to count what comes with what.
        constants: rules with constants for one end of a relation.
        constant_support, constant_confidence: of such rules, at least.
    """

    support: int = 3
    confidence: float = 0.02
    facts: int = 200
    steps: int = 40_000
    bodies: int = 400
    walks: int = 4_000_000_000
    items: int = 1_000_000_000
    constants: int = 10
    constant_support: int = 5
    constant_confidence: float = 0.05


def mine(graph: Halves, rels: Ids, limits: Limits = Limits()) -> Rules:
    """The rules of a graph.

    Args:
        rels: as ``Snapshot.one_rel``.
    """
    num_relations = len(rels) // 2
    forward = np.unique(np.minimum(rels[:num_relations], rels[num_relations:]))
    sources = np.diff(graph.source_indptr)
    forward = forward[sources[forward] > 0].astype(np.int32)
    closed = _closed(graph, forward, limits)
    closed = closed.take(_says_more(graph, closed, limits))
    return _sorted(closed, _with_constants(graph, closed, limits))


def facts_of(graph: Halves, rel: int) -> tuple[Ids, Ids]:
    """The entities at both ends of each fact of a directed relation."""
    low, high = graph.source_indptr[rel : rel + 2]
    size = graph.end[low:high] - graph.begin[low:high]
    bounds = np.append(0, np.cumsum(size))
    owner, at = expand_csr(bounds, np.arange(len(size)))
    return graph.source[low + owner], graph.other[graph.begin[low + owner] + at - bounds[owner]]


def _sample(graph: Halves, rel: int, most: int) -> tuple[Ids, int]:
    """At most so many facts ``(F, 3)`` of a directed relation, and how many it has."""
    x, y = facts_of(graph, rel)
    chosen = np.unique(np.linspace(0, len(x) - 1, min(most, len(x))).astype(np.int64))
    facts = np.stack([x[chosen], np.full(len(chosen), rel), y[chosen]], axis=1).astype(np.int32)
    return facts, len(x)


def _closed(graph: Halves, forward: Ids, limits: Limits) -> Rules:
    """The closed rules that have enough support and confidence."""
    span = len(graph.back)
    room = limits.facts * kernels.MANY
    codes, owner = np.empty(room, np.int64), np.empty(room, np.int32)
    table = np.empty(2 * kernels.MANY, np.int64)
    ends = np.full(len(graph.indptr) - 1, -1, np.int64), np.empty(len(graph.rel), np.int64)
    expected = _Expected(graph)
    heads, found = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
    for rel in forward.tolist():
        facts, total = _sample(graph, rel, limits.facts)
        n = kernels.closed(graph, facts, limits.steps, codes, owner, table, *ends)
        code, seen = np.unique(codes[:n], return_counts=True)
        share = len(facts) / total
        enough = seen >= (limits.support if share == 1 else min(2, limits.support))
        code, seen = code[enough], seen[enough]
        if graph.back[rel] == rel:
            # From the other end it is the same rule.
            once = code <= _code(turned(graph, _body(code, span)), span)
            code, seen = code[once], seen[once]
        body = _body(code, span)
        surest = seen / share / np.maximum(expected.pairs(body), 1.0)
        best = np.lexsort((code, -seen, -surest))[: limits.bodies]
        heads.append(np.full(len(best), rel, np.int32))
        found.append(code[best])
    head, code = np.concatenate(heads), np.concatenate(found)
    # Every body is walked once for all the relations that it may be a reason for. In the order of
    # their atoms, since what two have in common is made ready once.
    order = np.lexsort((head, *_body(code, span).T[::-1]))
    head, code = head[order], code[order]
    first = np.flatnonzero(changes(code))
    bodies = _body(code[first], span)
    budget = int(np.clip(limits.walks // max(1, len(bodies)), 20_000, 4_000_000))
    scratch = walks.new_scratch(len(graph.indptr) - 1)
    bounds = np.append(first, len(head))
    support, pairs, sources = kernels.count(
        graph, bodies, bounds, head, budget, limits.confidence, scratch
    )
    of = np.repeat(np.arange(len(first)), np.diff(bounds))
    share = sources / np.maximum(np.diff(graph.source_indptr)[bodies[:, 0]], 1)
    none = np.full(len(head), -1, np.int32)
    rules = Rules(
        head,
        bodies[of],
        none,
        none,
        support.astype(np.int32),
        pairs[of].astype(np.int32),
        share[of].astype(np.float32),
    )
    sure = confidence(rules.support, rules.pairs) >= limits.confidence
    return rules.take((rules.support >= limits.support) & sure)


class _Expected:
    """About how many pairs of entities a body joins."""

    def __init__(self, graph: Halves) -> None:
        num_entities, span = len(graph.indptr) - 1, len(graph.back)
        rel = np.repeat(np.arange(span), np.diff(graph.source_indptr))
        size = (graph.end - graph.begin).astype(np.float64)
        at = sparse.csr_array((size, (graph.source, rel)), (num_entities, span))
        self._facts = np.asarray(at.sum(axis=0)).ravel()
        self._two = (at[:, graph.back].T @ at).tocsr()

    def pairs(self, body: Ids) -> Doubles:
        """Float64 ``(n,)`` for ``(n, 3)`` bodies."""
        out = self._facts[body[:, 0]]
        for at in range(1, LONGEST):
            longer = np.flatnonzero(body[:, at] >= 0)
            before, rel = body[longer, at - 1], body[longer, at]
            both = np.asarray(self._two[before, rel]).ravel() if len(longer) else 0.0
            out[longer] *= both / np.maximum(self._facts[before], 1.0)
        return out


def _code(body: Ids, span: int) -> Offsets:
    one, two, three = body.astype(np.int64).T + 1
    code: Offsets = one + (span + 1) * (two + (span + 1) * three)
    return code


def _body(code: Offsets, span: int) -> Ids:
    """Directed relations ``(n, 3)`` from the numbers of ``kernels.closed``."""
    rest, one = np.divmod(code, span + 1)
    three, two = np.divmod(rest, span + 1)
    return (np.stack([one, two, three], axis=1) - 1).astype(np.int32)


def turned(graph: Halves, body: Ids) -> Ids:
    """Bodies ``(n, 3)`` read from the other end."""
    out = np.full_like(body, -1)
    length = (body >= 0).sum(axis=1)
    for at in range(LONGEST):
        there = length > at
        out[there, at] = graph.back[body[there, length[there] - 1 - at]]
    return out


def _says_more(graph: Halves, rules: Rules, limits: Limits) -> Flags:
    """Which closed rules give a fact that no shorter rule gives with as much confidence, as far as
    a sample of facts tells: bool ``(K,)``."""
    keep = np.ones(len(rules.head), np.bool_)
    sure = confidence(rules.support, rules.pairs)
    length = (rules.body >= 0).sum(axis=1)
    found = np.empty((1, LONGEST), np.int64)
    for rel in np.unique(rules.head).tolist():
        of = np.flatnonzero(rules.head == rel)
        facts, _ = _sample(graph, rel, limits.facts)
        given = walks.joined(graph, rules.body[of], facts[:, [0, 2]].copy(), limits.steps, found)
        best = np.zeros(len(facts))
        for size in range(1, LONGEST + 1):
            now = np.flatnonzero(length[of] == size)
            more = given[now] & (sure[of[now], None] > best)
            kept = more.any(axis=1) | ~given[now].any(axis=1)
            keep[of[now]] = kept
            if kept.any():
                of_kept = np.where(given[now[kept]], sure[of[now[kept]], None], 0.0)
                best = np.maximum(best, of_kept.max(axis=0))
    return keep


def _with_constants(graph: Halves, closed: Rules, limits: Limits) -> Rules:
    """The rules with constants that are surer than what is known without their body."""
    num_entities, span = len(graph.indptr) - 1, len(graph.back)
    entity = np.repeat(np.arange(num_entities, dtype=np.int32), np.diff(graph.indptr))
    key, item, size = np.unique(
        graph.rel.astype(np.int64) * num_entities + graph.other,
        return_inverse=True,
        return_counts=True,
    )
    frequent = size >= limits.constant_support
    number = np.cumsum(frequent) - 1
    held = frequent[item]
    key = key[frequent]
    rel_of, end_of = (key // num_entities).astype(np.int32), (key % num_entities).astype(np.int32)
    # Behind the items with an end those that have any: one per directed relation.
    rel_of = np.append(rel_of, np.arange(span, dtype=np.int32))
    end_of = np.append(end_of, np.full(span, -1, np.int32))
    any_item = len(key) + np.repeat(np.arange(span), np.diff(graph.source_indptr))
    owner = np.append(entity[held], graph.source)
    item = np.append(number[item[held]], any_item).astype(np.int32)
    order = np.lexsort((item, owner))
    owner, item = owner[order], item[order]
    by_item = np.argsort(item, kind="stable")
    item_indptr, member_indptr = indptr(owner, num_entities), indptr(item, len(rel_of))
    asked = np.arange(len(key), dtype=np.int32)
    budget = int(np.clip(limits.items // max(1, len(asked)), 10_000, 10_000_000))
    found, support, looked = kernels.together(
        *(item_indptr, item, member_indptr, owner[by_item].astype(np.int32), asked),
        *(limits.constant_support, limits.constants, budget),
    )
    sizes = np.diff(member_indptr)
    head, at = np.nonzero(found >= 0)
    body, support = found[head, at], support[head, at]
    share = looked[head] / sizes[head]
    pairs = np.rint(sizes[body] * share).astype(np.int64)
    rules = Rules(
        rel_of[head],
        np.stack([rel_of[body], *[np.full(len(body), -1, np.int32)] * 2], axis=1),
        end_of[head],
        end_of[body],
        support.astype(np.int32),
        np.maximum(pairs, support).astype(np.int32),
        share.astype(np.float32),
    )
    low, _ = interval(rules.support, rules.pairs)
    # Without the body: how often the end is this one.
    known = sizes[head] / np.diff(graph.source_indptr)[rules.head]
    known = np.maximum(known, _as_sure(graph, rules, closed))
    pays = (low > known) & (confidence(rules.support, rules.pairs) >= limits.constant_confidence)
    pays &= ~((rules.body_end < 0) & (rules.body[:, 0] == rules.head))
    return rules.take(pays)


def _as_sure(graph: Halves, rules: Rules, closed: Rules) -> Doubles:
    """Confidence of the closed rule of one atom that a rule with the same constant twice is a case
    of: float64 ``(K,)``, 0 for none."""
    span = len(graph.back)
    short = closed.body[:, 1] < 0
    one = closed.head[short].astype(np.int64), closed.body[short, 0].astype(np.int64)
    sure = confidence(closed.support, closed.pairs)[short]
    keys = np.concatenate([one[0] * span + one[1], graph.back[one[0]] * span + graph.back[one[1]]])
    order = np.argsort(keys, kind="stable")
    keys, sure = np.append(keys[order], -1), np.append(np.tile(sure, 2)[order], 0.0)
    wanted = rules.head.astype(np.int64) * span + rules.body[:, 0]
    at = np.searchsorted(keys[:-1], wanted)
    same = (keys[at] == wanted) & (rules.head_end == rules.body_end)
    return np.where(same, sure[at], 0.0)


def _sorted(*parts: Rules) -> Rules:
    rules = Rules(*(np.concatenate(columns) for columns in zip(*parts)))
    sure, _ = interval(rules.support, rules.pairs)
    length = (rules.body >= 0).sum(axis=1)
    by = (rules.body_end, rules.head_end, *rules.body.T[::-1], length, -sure, rules.head)
    return rules.take(np.lexsort(by))
