"""Facts that can be read from both ends, and where one is among them, compiled.

Knows arrays of edges; knows no rule.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from sightline.graph.arrays import Ids, Offsets
from sightline.graph.snapshot.pairs import changes, half_edges
from sightline.graph.snapshot.sections.section import indptr

_kernel = numba.njit(cache=True, nogil=True)


class Halves(NamedTuple):
    """Every fact from both ends, each once and without loops.

    Attributes:
        indptr: ``(N + 1,)`` into ``rel``, ``other`` and ``edge``, ``(H,)`` each: the facts at each
            entity, by directed relation as read from it, then by the entity at the other end.
        source_indptr: ``(2 R + 1,)`` into ``source``, ``begin`` and ``end``: the entities with
            facts under each directed relation, and where these are in the arrays above.
        back: ``(2 R,)``: each directed relation read the other way.
    """

    indptr: Offsets
    rel: Ids
    other: Ids
    edge: Ids
    source_indptr: Offsets
    source: Ids
    begin: Offsets
    end: Offsets
    back: Ids


def halves(head: Ids, relation: Ids, tail: Ids, rels: Ids, num_entities: int) -> Halves:
    """Facts from both ends.

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


@_kernel
def _first(ids: Ids, low: int, high: int, least: int) -> int:
    """Where the first of ids that ascend from ``low`` to ``high`` is that is not below another."""
    while low < high:
        middle = (low + high) >> 1
        if ids[middle] < least:
            low = middle + 1
        else:
            high = middle
    return low


@_kernel
def span(graph: Halves, entity: int, rel: int) -> Any:
    """Where the facts of an entity under a directed relation begin and end."""
    end = graph.indptr[entity + 1]
    begin = _first(graph.rel, graph.indptr[entity], end, rel)
    return begin, _first(graph.rel, begin, end, rel + 1)


@_kernel
def place(graph: Halves, low: int, high: int, entity: int) -> int:
    """Which of the facts ``low`` to ``high`` leads to an entity, -1 for none."""
    at = _first(graph.other, low, high, entity)
    return at if at < high and graph.other[at] == entity else -1
