"""How likely each stated fact is true by everything else that the graph states.

A fact is judged as if it were not stated. What speaks for it: the relations and the shapes of paths
between its ends, and whether others with the same neighbours as one end have the other end, too.
What that is worth is learnt from the graph itself: stated facts against the same facts with one end
exchanged for another that the relation has there. No model is needed, and none is asked.

Knows the arrays of a snapshot; knows no label and no finding. The counting is in ``counting``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from sightline.graph.arrays import Doubles, Flags, Floats, Ids, Offsets
from sightline.graph.mining import counting
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.sections.section import indptr

#: Fewer facts teach nothing; of more, so many evenly chosen ones are judged.
LEAST_FACTS, MOST_FACTS = 200, 400_000
#: Facts that are looked at between two looks at the clock.
CHUNK = 2048
#: Steps in which a column is read, weight of the penalty, and steps of the fit.
BINS, PENALTY, STEPS = 12, 1.0, 100
#: Weight of the penalty on what a relation has of its own, and how many deviations from its mean a
#: column is read there.
OWN_PENALTY, SPREAD = 10.0, 3.0
#: Rows that a fit learns from, and share of the facts that are left out the second time.
MOST_TAUGHT, DOUBTED = 150_000, 0.04
#: Rounds in which the share of wrong facts is found.
ROUNDS = 100
#: Attempts to exchange an end for one that makes no stated fact.
ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Plausibility:
    """What was found, arrays of one length.

    Attributes:
        edge: facts, of twins the one that stands for all, ascending.
        chance: that the fact is a stated one, if it were either that or one with an end exchanged.
        wrong: chance that it is wrong.
        between: entities that both ends are linked with, the ends themselves left out.
        alike: share of the neighbours of each end that others with the same other end have:
            ``(n, 2)``, of the head, of the tail.
        asked: log-odds of the facts asked about, ``(m,)``: the chance of a stated one against that
            of one with an end exchanged; NaN where the graph is too small to learn from.
    """

    edge: Ids
    chance: Doubles
    wrong: Doubles
    between: Ids
    alike: Floats
    asked: Doubles


class OutOfTime(Exception):
    """The clock ran out before all facts were judged."""


def plausibility(snapshot: Snapshot, end: float = np.inf, asked: Ids | None = None) -> Plausibility:
    """Judge the facts of a graph; none where there are too few to learn from.

    Args:
        asked: head, relation and tail, int32 ``(3, m)``, of facts that it does not hold: they are
            judged by the others, which they teach nothing.
        end: when to give up, on the clock ``time.perf_counter``.

    Raises:
        OutOfTime
    """
    s = snapshot
    edge = np.flatnonzero(s.fact_of == np.arange(s.num_edges)).astype(np.int32)
    edge = edge[:: -(-len(edge) // MOST_FACTS)] if len(edge) else edge
    if len(edge) < LEAST_FACTS:
        none = np.zeros(0)
        unknown = np.full(0 if asked is None else asked.shape[1], np.nan)
        return Plausibility(edge[:0], none, none, edge[:0], np.zeros((0, 2), np.float32), unknown)
    graph = _graph(s, np.ones(s.num_edges, np.bool_))
    stated = np.stack([s.head[edge], s.one_rel[s.relation[edge]], s.tail[edge]])
    facts = np.concatenate([stated, _exchanged(s, graph, stated)], axis=1)
    true = np.arange(facts.shape[1]) < len(edge)
    if asked is not None:
        of = np.stack([asked[0], s.one_rel[asked[1]], asked[2]])
        facts = np.concatenate([facts, of], axis=1)
    columns = _columns(graph, facts, true, end)
    score = _fitted(columns, facts[1], true, np.ones(len(true), np.bool_))
    # What was doubted neither speaks for others nor teaches the second time.
    doubted = np.argsort(score[: len(edge)], kind="stable")[: int(DOUBTED * len(edge))]
    kept = np.ones(s.num_edges, np.bool_)
    kept[edge[doubted]] = False
    inside, taught = true.copy(), np.ones(len(true), np.bool_)
    inside[doubted] = taught[doubted] = False
    columns = _columns(_graph(s, kept), facts, inside, end)
    score = (score + _fitted(columns, facts[1], true, taught)) / 2
    score, of_asked = score[: len(edge)], score[len(true) :]
    between = np.rint(np.expm1(columns[: len(edge), counting.BETWEEN])).astype(np.int32)
    alike = columns[: len(edge), list(counting.ALIKE)]
    chance = 1 / (1 + np.exp(-score))
    return Plausibility(edge, chance, wrong(score), between, alike, of_asked)


def wrong(score: Doubles) -> Doubles:
    """The chance of each stated fact to be wrong, float64 ``(n,)``, from its log-odds to be a
    stated one and none with an end exchanged.

    Wrong facts are taken to be like those with an end exchanged, and to be as many as makes what is
    stated likeliest, by expectation maximisation (Saerens, Latinne and Decaestecker 2002); one fact
    at the least. So a graph in which hardly a fact is odd has hardly one that is called wrong.
    """
    odds = np.exp(-score)
    chance = share = np.full(1, DOUBTED)
    for _ in range(ROUNDS):
        chance = share * odds / (share * odds + 1 - share)
        share = np.maximum(chance.mean(keepdims=True), 1 / len(score))
    return chance


def warm() -> None:
    """Load the kernels, so that no deadline pays for it."""
    two = np.arange(2, dtype=np.int32)
    bare = {"num_edges": 1, "num_relations": 1, "num_entities": 2, "fact_of": two[:1]}
    ends = {"head": two[:1], "relation": two[:1], "tail": two[1:], "one_rel": two}
    pair: Any = SimpleNamespace(**bare, **ends)
    graph, fact = _graph(pair, np.ones(1, np.bool_)), np.array([[0], [0], [1]], np.int32)
    _columns(graph, fact, np.ones(1, np.bool_), np.inf)
    counting.holds(graph, np.zeros(1, np.int64), fact, 2)


def _graph(s: Snapshot, kept: Flags) -> counting.Graph:
    """Every fact that is kept once from each end, by entity and other end; and the groups of
    answers."""
    fact = np.flatnonzero((s.fact_of == np.arange(s.num_edges)) & kept)
    span = np.int64(2 * s.num_relations)
    one, other = s.head[fact].astype(np.int64), s.tail[fact].astype(np.int64)
    there = s.one_rel[s.relation[fact]]
    back = s.one_rel[s.relation[fact] + s.num_relations]
    key = np.concatenate(
        [
            (one * s.num_entities + other) * span + there,
            (other * s.num_entities + one) * span + back,
        ]
    )
    ends, rel = np.divmod(np.unique(key), span)
    owner, other = np.divmod(ends, np.int64(max(1, s.num_entities)))
    groups, group, size = np.unique(owner * span + rel, return_inverse=True, return_counts=True)
    turned = s.one_rel[(np.arange(span) + s.num_relations) % span].astype(np.int64)
    by_group = np.argsort(group, kind="stable")
    return counting.Graph(
        begin=indptr(owner.astype(np.int32), s.num_entities),
        other=other.astype(np.int32),
        rel=rel.astype(np.int32),
        of_group=np.searchsorted(groups, other * span + turned[rel]).astype(np.int32),
        groups=groups,
        group_begin=np.append(0, np.cumsum(size)),
        member=other[by_group].astype(np.int32),
        turned=turned.astype(np.int32),
    )


def _exchanged(s: Snapshot, graph: counting.Graph, stated: Ids) -> Ids:
    """Each fact with one end exchanged, int32 ``(3, m)``: evenly among the entities that the
    relation has at that end. Facts that are stated are left out."""
    rng = np.random.default_rng(0)
    span = np.int64(2 * s.num_relations)
    group_rel, anchor = graph.groups % span, (graph.groups // span).astype(np.int32)
    rank = np.argsort(group_rel, kind="stable")
    begin = indptr(group_rel[rank].astype(np.int32), int(span))
    anchors = anchor[rank]  # the entities at one end of each directed relation
    made = stated.copy()
    todo = np.arange(stated.shape[1])
    for _ in range(ATTEMPTS):
        made[:, todo] = stated[:, todo]
        side = 2 * (rng.random(len(todo)) < 0.5).astype(np.int64)
        rel = made[1, todo]
        rel = np.where(side == 0, rel, graph.turned[rel])
        drawn = rng.random(len(todo)) * (begin[rel + 1] - begin[rel])
        made[side, todo] = anchors[begin[rel] + drawn.astype(np.int64)]
        group = np.searchsorted(graph.groups, made[0, todo] * span + made[1, todo])
        group = np.minimum(group, len(graph.groups) - 1)
        again = counting.holds(graph, group, made[:, todo], int(span))
        todo = todo[again | (made[0, todo] == made[2, todo])]
    return np.delete(made, todo, axis=1)


def _columns(graph: counting.Graph, facts: Ids, inside: Flags, end: float) -> Floats:
    """What speaks for each of some facts: float32 ``(n, c)``. ``inside``: those in the graph,
    of the first that teach; more facts than that teach nothing."""
    head, rel, tail = facts
    taught = len(inside)
    inside = np.append(inside, np.zeros(len(head) - taught, np.bool_))
    span = np.int64(len(graph.turned))
    group_rel = graph.groups % span
    order = np.argsort(group_rel, kind="stable")
    answering = _answering(graph, group_rel)
    parts = []
    for anchor, asked, answer in ((tail, graph.turned[rel], head), (head, rel, tail)):
        wanted = anchor * span + asked
        group = np.minimum(np.searchsorted(graph.groups, wanted), len(graph.groups) - 1)
        there = graph.groups[group] == wanted
        rank = np.flatnonzero(there)
        rank = rank[np.argsort(group[rank], kind="stable")]
        begin = indptr(group[rank].astype(np.int32), len(graph.groups))
        out = np.zeros((len(head), counting.PROFILE), np.float32)
        count = counting.nothing_counted(len(graph.groups))
        for part in _parts(len(graph.groups), end):
            counting.profile(
                graph, *part, order, answering, begin, rank, answer, inside, count, out
            )
        parts.append(out)
    out = np.zeros((len(head), counting.SHAPES), np.float32)
    tally = counting.new_tally(rel[:taught], inside[:taught], int(span))
    for work, many in ((counting.tally_shapes, taught), (counting.weigh_shapes, len(head))):
        tally.seen[:] = -1
        for part in _parts(many, end):
            work(graph, *part, facts, inside, tally, out)
    degree = np.diff(graph.begin)
    of_relation = np.bincount(rel, weights=inside, minlength=int(span))[rel]
    sizes = np.stack([degree[head], degree[tail], of_relation], axis=1)
    return np.concatenate([*parts, out, np.log1p(sizes).astype(np.float32)], axis=1)


def _answering(graph: counting.Graph, group_rel: Offsets) -> tuple[Offsets, Ids]:
    """The entities that are in some group of each directed relation, and where they begin."""
    everyone = np.int64(len(graph.begin))
    rel = np.repeat(group_rel, np.diff(graph.group_begin))
    rel, entity = np.divmod(np.unique(rel * everyone + graph.member), everyone)
    return indptr(rel.astype(np.int32), len(graph.turned)), entity.astype(np.int32)


def _parts(size: int, end: float) -> Iterator[tuple[int, int]]:
    for start in range(0, size, CHUNK):
        if time.perf_counter() > end:
            raise OutOfTime
        yield start, min(start + CHUNK, size)


def _fitted(columns: Floats, relation: Ids, true: Flags, taught: Flags) -> Doubles:
    """The log-odds of each row to be a true one: an additive logistic model of the columns, each
    read in steps that hold equally many rows. Rows after those of ``true`` are only judged.

    What a column is worth differs between relations, so each has an offset and a slope for every
    column of its own besides, drawn towards none.

    Args:
        relation: int32 ``(n,)``, of each row.
        taught: what it is learnt from; evenly chosen where that is much.
    """
    from scipy import optimize, sparse

    places: list[Offsets] = []
    steps = 1
    for column in columns.T:
        edges = np.unique(np.quantile(column[: len(true)], np.arange(1, BINS) / BINS))
        places.append(steps + np.searchsorted(edges, column, side="right"))
        steps += len(edges) + 1
    place = np.stack(places, axis=1).astype(np.int32)
    usual = columns[: len(true)]
    scaled = (columns - usual.mean(axis=0)) / np.maximum(usual.std(axis=0), 1e-9)
    one = np.ones((len(columns), 1), np.float32)
    slopes = np.append(np.clip(scaled, -SPREAD, SPREAD), one, axis=1)
    _, own = np.unique(relation, return_inverse=True)
    size = steps + slopes.shape[1] * (int(own.max()) + 1)

    def read(rows: Offsets) -> sparse.csr_array:
        first = np.zeros((len(rows), 1), np.int32)
        begin = steps + slopes.shape[1] * own[rows, None]
        at = np.concatenate(
            [first, place[rows], begin + np.arange(slopes.shape[1])], axis=1, dtype=np.int32
        )
        value = np.concatenate([np.ones((len(rows), 1 + place.shape[1])), slopes[rows]], axis=1)
        bounds = np.arange(0, at.size + 1, at.shape[1])
        return sparse.csr_array((value.ravel(), at.ravel(), bounds), (len(rows), size))

    some = np.flatnonzero(taught)
    some = some[:: -(-len(some) // MOST_TAUGHT)]
    lesson, answer = read(some), true[some]
    turned = lesson.T.tocsr()
    penalty = np.where(np.arange(size) < steps, PENALTY, OWN_PENALTY)

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        z = lesson @ weights
        value = np.logaddexp(0, z).sum() - z[answer].sum() + penalty / 2 * weights @ weights
        slope = turned @ (1 / (1 + np.exp(-z)) - answer) + penalty * weights
        return float(value), slope

    found = optimize.minimize(
        loss, np.zeros(size), jac=True, method="L-BFGS-B", options={"maxiter": STEPS}
    )
    every = np.array_split(np.arange(len(columns)), -(-len(columns) // MOST_TAUGHT))
    odds: Doubles = np.concatenate([read(rows) @ found.x for rows in every])
    return odds
