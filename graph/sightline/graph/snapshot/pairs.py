"""Which edges say the same, which directed relations are one, and what an edge weighs in a path.

``a borders b`` and ``b borders a`` are one fact in two statements; so are ``a parent b`` and
``b child a`` where an ontology says that one relation is the inverse of the other. Such edges are
twins. Paths, degrees and lists take the first of them, whether the others were stated or inferred;
SPARQL and exports keep all.

To walk ``parent`` backward is to walk ``child``, and ``borders`` is the same both ways: such
directed relations have one number, by which shapes of paths and degrees are told apart.

Knows ids and arrays; knows no load.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Doubles, Flags, Ids, Offsets

#: Exponent of the degree-weighted path count (Himmelstein and Baranzini 2015).
DAMPING = 0.4


def find_twins(
    head: Ids, relation: Ids, tail: Ids, inferred: Flags, inverse: Iterable[tuple[int, int]]
) -> tuple[Ids, Ids]:
    """The edges that say what another edge says, ascending, and for each that other edge.

    Twins have the same two ends, and the same relation or one that is ``inverse``. The first of
    them is a stated one, if any is, and of those the one with the lowest id.

    Args:
        inferred: which edges no load states.
        inverse: relations of which one is declared the inverse of the other.
    """
    ends = int(relation.max(initial=0)) + 1
    rels = one_number(ends, inverse)
    kind = np.minimum(rels[:ends], rels[ends:])[relation]
    low, high = np.minimum(head, tail), np.maximum(head, tail)
    # Where this overflows it is a hash: what differs may look equal and is told apart below.
    key = low.astype(np.uint64) * np.uint64(int(high.max(initial=0)) + 1) + high.astype(np.uint64)
    key = key * np.uint64(int(kind.max(initial=0)) + 1) + kind.astype(np.uint64)
    ordered = np.sort(key)
    double = ordered[1:][ordered[1:] == ordered[:-1]]
    some = np.flatnonzero(np.isin(key, double)) if len(double) else np.zeros(0, np.int64)
    rank = np.lexsort((some, inferred[some], kind[some], high[some], low[some]))
    edge = some[rank].astype(np.int32)
    first = changes(low[edge], high[edge], kind[edge])
    start = np.maximum.accumulate(np.where(first, np.arange(len(edge)), 0))
    twin, of = edge[~first], edge[start][~first]
    rank = np.argsort(twin)
    return twin[rank], of[rank]


def one_number(
    num_relations: int, inverse: Iterable[tuple[int, int]], symmetric: Iterable[int] = ()
) -> Ids:
    """The directed relation that stands for each directed relation: int32 ``(2 R,)``.

    Directed relation ``r`` reads relation ``r`` forward, ``r + R`` backward. The lowest of those
    that read the same stands for all, so that it is forward wherever one of them is.

    Args:
        inverse: relations of which one is declared the inverse of the other.
        symmetric: relations that are their own inverse.
    """
    pairs = [*inverse, *((r, r) for r in symmetric)]
    stands = np.arange(2 * num_relations, dtype=np.int32)
    one, other = np.array(pairs, np.intp).reshape(-1, 2).T
    same = np.concatenate([one, one + num_relations])
    as_these = np.concatenate([other + num_relations, other])
    while True:
        before = stands.copy()
        lowest = np.minimum(stands[same], stands[as_these])
        np.minimum.at(stands, same, lowest)
        np.minimum.at(stands, as_these, lowest)
        stands = stands[stands]
        if np.array_equal(stands, before):
            return stands


def found_symmetric(head: Ids, relation: Ids, tail: Ids, twins: tuple[Ids, Ids]) -> Ids:
    """Relations of several facts between two entities, each of which is stated both ways."""
    same = relation[twins[0]] == relation[twins[1]]
    ends = int(relation.max(initial=0)) + 1
    reversed_ = np.bincount(relation[twins[0][same]], minlength=ends)
    between = np.bincount(relation[head != tail], minlength=ends)
    return np.flatnonzero((reversed_ > 1) & (between == 2 * reversed_)).astype(np.int32)


def path_weights(
    head: Ids, relation: Ids, tail: Ids, inward: Offsets, twins: tuple[Ids, Ids], rels: Ids
) -> Doubles:
    """Per edge, (degree of its head x degree of its tail) ** -0.4, under its relation as walked.

    The path degree product of Himmelstein and Baranzini 2015, eq. 1, one edge's factor: the
    out-degree of the head and the in-degree of the tail, or how many there are at all where the
    relation is symmetric. Twins are no edges to it; each weighs what the edge weighs that stands
    for it.

    Args:
        head, relation, tail: int32 ``(M,)`` sorted by (head, relation, tail).
        inward: int64 ``(M,)``: the order by (tail, relation, head).
        twins: as ``find_twins`` finds them.
        rels: as ``one_number`` gives them.
    """
    counted = np.ones(len(head), np.bool_)
    counted[twins[0]] = False
    num_relations = len(rels) // 2
    mixed = rels != np.arange(2 * num_relations)
    mixed = (mixed[:num_relations] | mixed[num_relations:])[relation[counted]]
    inward = (np.cumsum(counted) - 1)[inward[counted[inward]]]
    ends, relation_of = (head[counted], tail[counted]), relation[counted]
    degrees = _run_lengths(ends[0], relation_of)
    degrees[inward] *= _run_lengths(ends[1][inward], relation_of[inward])
    if mixed.any():
        entity, rel = half_edges(ends[0][mixed], relation_of[mixed], ends[1][mixed], rels)
        key = entity.astype(np.int64) * len(rels) + rel
        _, run, size = np.unique(key, return_inverse=True, return_counts=True)
        degrees[mixed] = size[run].reshape(2, -1).astype(np.float64).prod(axis=0)
    weights = np.empty(len(head))
    weights[counted] = degrees**-DAMPING
    weights[twins[0]] = weights[twins[1]]
    return weights


def half_edges(head: Ids, relation: Ids, tail: Ids, rels: Ids) -> tuple[Ids, Ids]:
    """Both ends of each edge: entity and directed relation that leads from it, int32 ``(2 M,)``.

    First all heads, then all tails.
    """
    num_relations = len(rels) // 2
    rel = np.concatenate([rels[relation], rels[relation + num_relations]])
    return np.concatenate([head, tail]), rel


def changes(*columns: npt.NDArray[np.generic]) -> Flags:
    """Bool ``(n,)``: the row differs from the one before it, as the first does."""
    out = np.ones(len(columns[0]), np.bool_)
    out[1:] = False
    for column in columns:
        out[1:] |= column[1:] != column[:-1]
    return out


def _run_lengths(a: Ids, b: Ids) -> Doubles:
    """For each position the length of the run of equal ``(a, b)`` that it lies in."""
    bounds = np.append(np.flatnonzero(changes(a, b)), len(a))
    lengths = np.diff(bounds)
    return np.repeat(lengths, lengths).astype(np.float64)
