"""A random split into train, valid and test that does not give its own answers away.

Knows ids only. Two rules hold, and tests check them:

- No held-out triple has an entity or relation that the training triples lack.
- Triples that nearly repeat each other stay together. Two relations are *entangled* when most pairs
  of one are also pairs of the other, in the same or in the opposite direction; a symmetric relation
  is entangled with itself. All triples of entangled relations between the same two entities go to
  the same part, else (b, borders, a) in train would answer (a, borders, ?) of the test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from sightline.graph.arrays import Ids

#: Shares of the triples; at most ``LARGEST`` each, which measures an MRR to about half a point.
VALID_SHARE, TEST_SHARE, LARGEST = 0.10, 0.05, 10_000
#: Two relations are entangled when this share of the smaller one's pairs is shared.
OVERLAP = 0.5


@dataclass(frozen=True, slots=True)
class Split:
    """Parts of the triples that were split, disjoint and together all.

    Attributes:
        train, valid, test: int32 ``(n, 3)`` each.
        kept: int64 ``(n,)``: where ``train`` stands in what was split.
    """

    train: Ids
    valid: Ids
    test: Ids
    kept: npt.NDArray[np.int64]


def random_split(
    triples: Ids, num_entities: int, num_relations: int, *, seed: int, with_test: bool = True
) -> Split:
    """Split unique triples. Valid and test are empty where nothing can be spared.

    Args:
        triples: int32 ``(n, 3)``: head, relation, tail.
        with_test: False where a test set exists already; then only valid is taken out.
    """
    cluster = entangled_relations(triples, num_relations)
    low, high = np.sort(triples[:, [0, 2]], axis=1).T
    keys = np.stack([low, cluster[triples[:, 1]], high], axis=1)
    group = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    order = np.random.default_rng(seed).permutation(int(group.max(initial=-1)) + 1)
    members = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[members], np.arange(len(order) + 1))
    part = np.zeros(len(triples), np.int8)
    names = triples + np.array([0, num_entities, 0])
    left = np.bincount(names.ravel(), minlength=num_entities + num_relations)
    wanted = {1: min(int(len(triples) * VALID_SHARE), LARGEST)}
    if with_test:
        wanted[2] = min(int(len(triples) * TEST_SHARE), LARGEST)
    for g in order:
        if not wanted:
            break
        own = members[bounds[g] : bounds[g + 1]]
        target = next(iter(wanted))
        name, uses = np.unique(names[own], return_counts=True)
        if len(own) <= wanted[target] and np.all(left[name] > uses):
            part[own] = target
            left[name] -= uses
            wanted[target] -= len(own)
            if not wanted[target]:
                del wanted[target]
    train, valid, test = (triples[part == p] for p in range(3))
    return Split(train, valid, test, np.flatnonzero(part == 0))


def entangled_relations(triples: Ids, num_relations: int) -> npt.NDArray[np.int32]:
    """Cluster number of each relation, int32 ``(R,)``. Sparse; cost follows the shared pairs."""
    head, relation, tail = triples.T.astype(np.int64)
    n = int(triples[:, [0, 2]].max(initial=0)) + 1
    pairs, column = np.unique(
        np.concatenate([head * n + tail, tail * n + head]), return_inverse=True
    )
    count = len(triples)
    shape = (num_relations, len(pairs))
    forward = csr_array((np.ones(count), (relation, column[:count])), shape=shape)
    backward = csr_array((np.ones(count), (relation, column[count:])), shape=shape)
    shared = (forward @ forward.T).maximum(forward @ backward.T).tocoo()
    size = np.bincount(relation, minlength=num_relations)
    smaller = np.minimum(size[shared.row], size[shared.col])
    close = shared.data >= OVERLAP * smaller
    graph = csr_array(
        (np.ones(close.sum()), (shared.row[close], shared.col[close])),
        shape=(num_relations, num_relations),
    )
    clusters: Ids = connected_components(graph, directed=False)[1].astype(np.int32)
    return clusters
