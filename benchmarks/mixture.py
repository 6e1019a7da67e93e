"""What the foundation member learns from: parts of graphs, some facts asked and the rest seen.

A task is drawn from a graph: facts around some entity, with some relations left out or merged, so
that no two tasks have the same graph of relations. Some of its facts are taken out of everything
that is read, the graph of relations too, and asked. Knows triples in numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sightline.graph.arrays import Ids, expand_csr
from sightline.models.data.queries import KnownAnswers
from sightline.models.foundation.relations import RelationGraph
from sightline.models.foundation.task import Task

#: Facts of a part of a large graph, drawn evenly on a logarithmic scale.
SMALLEST, LARGEST = 3_000, 33_000
#: Neighbours that an entity brings into a part.
BRANCHES = 20
#: How often relations are left out, and merged; the share that is kept.
LEFT_OUT, MERGED, KEPT = 0.4, 0.2, (0.3, 1.0)
#: Share of the facts that is asked.
ASKED = (0.05, 0.3)


@dataclass(frozen=True, slots=True)
class Graph:
    """A named graph: int32 ``(M, 3)`` unique triples."""

    name: str
    triples: Ids

    @property
    def shape(self) -> tuple[int, int]:
        """Entities and relations."""
        return shape_of(self.triples)


def shape_of(triples: Ids) -> tuple[int, int]:
    """One more than the largest entity and relation."""
    largest = triples.max(axis=0, initial=-1)
    return int(max(largest[0], largest[2])) + 1, int(largest[1]) + 1


def draw(graph: Graph, rng: np.random.Generator) -> Task:
    """Draw a task from a graph."""
    triples = graph.triples
    if len(triples) > SMALLEST:
        size = int(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
        triples = part_of(triples, size, rng) if size < len(triples) else triples
    triples = renumbered(some_relations(triples, rng))
    n, r = shape_of(triples)
    triples = triples[rng.permutation(len(triples))]
    cut = max(1, int(len(triples) * rng.uniform(*ASKED)))
    return Task(
        graph.name,
        RelationGraph.of(triples[cut:], n, r),
        KnownAnswers.of_triples(triples[:cut], n, r),
        KnownAnswers.of_triples(triples, n, r),
    )


def some_relations(triples: Ids, rng: np.random.Generator) -> Ids:
    """Leave out some relations, merge some, or neither."""
    relations = int(triples[:, 1].max()) + 1
    if rng.random() < LEFT_OUT:
        kept = rng.permutation(relations)[: max(3, int(relations * rng.uniform(*KEPT)))]
        some = triples[np.isin(triples[:, 1], kept)]
        triples = some if len(some) >= min(200, len(triples)) else triples
    if rng.random() < MERGED:
        groups = max(3, int(relations * rng.uniform(*KEPT)))
        into = rng.integers(groups, size=relations)
        merged = triples.copy()
        merged[:, 1] = into[triples[:, 1]]
        triples = np.unique(merged, axis=0)
    return triples


def part_of(triples: Ids, size: int, rng: np.random.Generator) -> Ids:
    """About ``size`` facts among the entities near one, drawn at random."""
    n, _ = shape_of(triples)
    source = np.concatenate([triples[:, 0], triples[:, 2]])
    target = np.concatenate([triples[:, 2], triples[:, 0]])
    target = target[np.argsort(source, kind="stable")]
    indptr = np.append(0, np.cumsum(np.bincount(source, minlength=n)))
    inside = np.zeros(n, np.bool_)
    front = triples[rng.integers(len(triples)), :1]
    inside[front] = True
    while True:
        owner, at = expand_csr(indptr, front)
        # In random order, so that the first of each owner are a sample of its neighbours.
        order = np.lexsort((rng.random(len(owner)), owner))
        owner, near = owner[order], target[at[order]]
        turn = np.arange(len(owner)) - np.searchsorted(owner, owner)
        front = np.unique(near[turn < BRANCHES]).astype(np.int32)
        front = front[~inside[front]]
        if not len(front):
            front = np.flatnonzero(~inside)[:1].astype(np.int32)
        inside[front] = True
        facts = triples[inside[triples[:, 0]] & inside[triples[:, 2]]]
        if len(facts) >= size or inside.all():
            break
    return facts[rng.permutation(len(facts))[: int(size * 1.5)]]


def renumbered(triples: Ids) -> Ids:
    """The same with entities and relations numbered without gaps."""
    ends = np.unique(triples[:, [0, 2]], return_inverse=True)[1]
    relation = np.unique(triples[:, 1], return_inverse=True)[1].ravel()
    head, tail = ends.reshape(-1, 2).T
    return np.stack([head, relation, tail], axis=1).astype(np.int32)


def synthetic(rng: np.random.Generator) -> Graph:
    """A graph of an invented world: types, popularity, communities, and relations that follow from
    others (copies with gaps, inverses, symmetric ones, chains of two)."""
    types = int(rng.integers(3, 16))
    per_type = np.exp(rng.uniform(np.log(15), np.log(400), types)).astype(int)
    first = np.append(0, np.cumsum(per_type))
    communities = int(rng.integers(3, 20))
    community = rng.integers(communities, size=first[-1])
    popular = np.exp(rng.normal(0, rng.uniform(0.3, 1.6), first[-1]))
    base = int(np.exp(rng.uniform(np.log(4), np.log(60))))
    pairs = [_facts_of(rng, first, community, popular) for _ in range(base)]
    for _ in range(int(rng.integers(base // 2, 2 * base + 1))):
        one, other = (pairs[i] for i in rng.integers(len(pairs), size=2))
        kind = rng.integers(4)
        if kind == 0:
            new = one
        elif kind == 1:
            new = one[:, ::-1]
        elif kind == 2:
            new = np.concatenate([one, one[:, ::-1]])
        else:
            new = _chain(one, other, rng)
        if len(new) >= 8:
            kept = rng.random(len(new)) < rng.uniform(0.4, 1.0)
            pairs.append(new[kept][:3000])
    facts = [np.insert(each, 1, i, axis=1) for i, each in enumerate(pairs)]
    return Graph("synthetic", renumbered(np.unique(np.concatenate(facts), axis=0)))


def _facts_of(rng: np.random.Generator, first: Ids, community: Ids, popular: Ids) -> Ids:
    """int ``(n, 2)``: heads of one type, tails of another, most in communities that belong
    together; one to few answers for each."""
    heads, tails = (np.arange(first[t], first[t + 1]) for t in rng.integers(len(first) - 1, size=2))
    heads = heads[rng.random(len(heads)) < rng.uniform(0.2, 1.0)]
    together = rng.permutation(int(community.max()) + 1)
    sharp = rng.uniform(0, 4)
    many = 1 if rng.random() < 0.5 else int(rng.integers(2, 9))
    weight = np.log(popular[tails]) * rng.uniform(0, 1.5)
    if rng.random() < 0.3:
        weight = weight[: max(2, len(weight) // 10)]
        tails = tails[: len(weight)]
    match = together[community[heads]][:, None] == community[tails][None, :]
    # The best of noisy weights: a draw without replacement (Gumbel).
    noisy = weight[None, :] + sharp * match + rng.gumbel(size=match.shape)
    count = min(many, len(tails))
    chosen = np.argpartition(-noisy, count - 1, axis=1)[:, :count]
    return np.stack([np.repeat(heads, count), tails[chosen].ravel()], axis=1)


def _chain(one: Ids, other: Ids, rng: np.random.Generator) -> Ids:
    """Pairs joined by one of ``one`` and then one of ``other``."""
    other = other[np.argsort(other[:, 0], kind="stable")]
    start = np.searchsorted(other[:, 0], one[:, 1])
    end = np.searchsorted(other[:, 0], one[:, 1], side="right")
    count = np.minimum(end - start, 3)
    row = np.repeat(np.arange(len(one)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return np.stack([one[row, 0], other[start[row] + step, 1]], axis=1)
