"""Which edges say the same, and what an edge weighs as a step of a path.

``a borders b`` and ``b borders a`` are one fact in two statements; so are ``a parent b`` and
``b child a`` where an ontology says that one relation is the inverse of the other. Such edges are
twins. Paths, degrees and lists take the first of them, whether the others were stated or inferred;
SPARQL and exports keep all.

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
    kind = _together(int(relation.max(initial=0)) + 1, list(inverse))[relation]
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


def _together(count: int, pairs: list[tuple[int, int]]) -> Ids:
    """The lowest of the relations that are linked with each by ``pairs``."""
    lowest = np.arange(count, dtype=np.int32)
    for _ in pairs:  # a chain of n pairs is followed in n rounds
        for a, b in pairs:
            lowest[a] = lowest[b] = min(lowest[a], lowest[b])
    return lowest


def path_weights(
    head: Ids, relation: Ids, tail: Ids, inward: Offsets, twins: tuple[Ids, Ids]
) -> Doubles:
    """Per edge, (out-degree of its head x in-degree of its tail, both under its relation) ** -0.4.

    The path degree product of Himmelstein and Baranzini 2015, eq. 1, one edge's factor. Twins are
    no edges to it; each weighs what the edge weighs that stands for it.

    Args:
        head, relation, tail: int32 ``(M,)`` sorted by (head, relation, tail).
        inward: int64 ``(M,)``: the order by (tail, relation, head).
        twins: as ``find_twins`` finds them.
    """
    counted = np.ones(len(head), np.bool_)
    counted[twins[0]] = False
    inward = (np.cumsum(counted) - 1)[inward[counted[inward]]]
    tail, relation_of = tail[counted], relation[counted]
    degrees = _run_lengths(head[counted], relation_of)
    degrees[inward] *= _run_lengths(tail[inward], relation_of[inward])
    weights = np.empty(len(head))
    weights[counted] = degrees**-DAMPING
    weights[twins[0]] = weights[twins[1]]
    return weights


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
