"""Facts from both ends, as the kernels read them.

Knows arrays of edges; knows no rule.
"""

from __future__ import annotations

import numpy as np

from sightline.graph.arrays import Ids
from sightline.graph.mining.kernels import Halves
from sightline.graph.snapshot.pairs import changes, half_edges
from sightline.graph.snapshot.sections.section import indptr


def halves(head: Ids, relation: Ids, tail: Ids, rels: Ids, num_entities: int) -> Halves:
    """Facts from both ends, for the kernels.

    Args:
        head, relation, tail: int32 ``(M,)``, an edge's id is its position.
        rels: as ``Snapshot.one_rel``.
    """
    span = len(rels)
    entity, rel = half_edges(head, relation, tail, rels)
    other = np.concatenate([tail, head])
    edge = np.tile(np.arange(len(head), dtype=np.int32), 2)
    between = entity != other
    entity, rel, other, edge = entity[between], rel[between], other[between], edge[between]
    order = np.lexsort((edge, other, rel, entity))
    order = order[changes(entity[order], rel[order], other[order])]
    entity, rel, other, edge = entity[order], rel[order], other[order], edge[order]
    begin = np.flatnonzero(changes(entity, rel))
    end = np.append(begin[1:], len(rel))[: len(begin)]
    rank = np.argsort(rel[begin], kind="stable")
    return Halves(
        indptr(entity, num_entities),
        rel,
        other,
        edge,
        indptr(rel[begin][rank], span),
        entity[begin][rank],
        begin[rank].astype(np.int64),
        end[rank].astype(np.int64),
        rels[(np.arange(span) + span // 2) % span].astype(np.int32),
    )
