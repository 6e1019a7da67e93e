"""What a graph states of a query graph: its edges matched one after the other.

Ids in, ids out. Knows the arrays of a snapshot; knows no message.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Flags, Ids, Offsets
from sightline.graph.errors import UsageError
from sightline.graph.snapshot.pairs import changes
from sightline.insights.facts import Facts

#: Rows that may be made on the way, and facts that are looked at for them in one step.
MAX_ROWS = 20_000
MAX_FACTS = 500_000


@dataclass(frozen=True, slots=True)
class Link:
    """An edge of the question: its ends by key; ``allowed`` are the directed relations that it may
    be, bool ``(2 R,)``."""

    subject: str
    object: str
    allowed: Flags


@dataclass(frozen=True, slots=True)
class Matches:
    """Rows that meet every edge.

    Attributes:
        nodes: int32 ``(n, nodes)``: the entity of each node.
        edges: int32 ``(n, edges)``: the edge of each edge of the question.
        cut: whether there were more rows or facts on the way than are looked at, or no time.
    """

    nodes: Ids
    edges: Ids
    cut: bool


def match(
    facts: Facts, nodes: Mapping[str, Flags], links: Mapping[str, Link], start: str, end: float
) -> Matches:
    """All ways to meet the edges of a question, beginning at one of its nodes.

    A fact that is stated the other way round too, or by the inverse relation, is met once.

    Args:
        nodes: the entities that each node may be, bool ``(N,)``.
        end: the time, of ``perf_counter``, from which on there are no rows any more.

    Raises:
        UsageError: an edge has no way to the start.
    """
    column = {key: i for i, key in enumerate(nodes)}
    number = {key: i for i, key in enumerate(links)}
    first = np.flatnonzero(nodes[start])
    rows = np.full((len(first), len(nodes)), -1, np.int32)
    rows[:, column[start]] = first
    edges = np.full((len(first), len(links)), -1, np.int32)
    bound, left, cut = {start}, dict(links), False
    while left:
        key = next((k for k, one in left.items() if {one.subject, one.object} & bound), None)
        if key is None:
            apart = ", ".join(left)
            raise UsageError(
                f"the edges {apart:.80} are not connected with node {start:.80}; ask for them apart"
            )
        if time.perf_counter() > end:
            return Matches(rows[:0], edges[:0], True)
        link = left.pop(key)
        forward = link.subject in bound
        near, far = (link.subject, link.object) if forward else (link.object, link.subject)
        rows, edges, over = _fitting(facts, rows, edges, column[near])
        owner, rel, answer, edge = facts.incident(rows[:, column[near]])
        # Asked from the object, a relation is read the other way round.
        half = facts.snapshot.num_relations
        keep = (link.allowed if forward else np.roll(link.allowed, half))[rel] & nodes[far][answer]
        if far in bound:
            keep &= answer == rows[owner, column[far]]
        owner, answer, edge = owner[keep], answer[keep].astype(np.int32), edge[keep]
        subject = rows[owner, column[near]] if forward else answer
        chosen = _once(facts, owner, edge, subject)
        chosen, more = chosen[:MAX_ROWS], len(chosen) > MAX_ROWS
        rows, edges = rows[owner[chosen]], edges[owner[chosen]]
        rows[:, column[far]], edges[:, number[key]] = answer[chosen], edge[chosen]
        bound.add(far)
        cut = cut or over or more
    return Matches(rows, edges, cut)


def by_way(found: Matches) -> tuple[Matches, Offsets]:
    """The same rows, those with the same entities together: first where the most edges say so, then
    by entity; and the number of each row's entities in this order, int64 ``(n,)``."""
    order = np.lexsort(found.nodes.T[::-1])
    nodes, edges = found.nodes[order], found.edges[order]
    way = np.cumsum(changes(*nodes.T)) - 1
    count = np.zeros(way.max(initial=-1) + 1, np.int64)
    for column in edges.T:
        order = np.lexsort((column, way))
        distinct = order[changes(way[order], column[order])]
        count += np.bincount(way[distinct], minlength=len(count))
    place = np.empty_like(count)
    place[np.argsort(-count, kind="stable")] = np.arange(len(count))
    order = np.argsort(place[way], kind="stable")
    return Matches(nodes[order], edges[order], found.cut), place[way[order]]


def _fitting(facts: Facts, rows: Ids, edges: Ids, near: int) -> tuple[Ids, Ids, bool]:
    """The first rows, whose facts are few enough to look at; at least one."""
    looked_at = np.cumsum(facts.snapshot.degree[rows[:, near]], dtype=np.int64)
    most = max(1, int(np.searchsorted(looked_at, MAX_FACTS, "right")))
    return rows[:most], edges[:most], most < len(rows)


def _once(
    facts: Facts,
    owner: npt.NDArray[np.integer],
    edge: npt.NDArray[np.integer],
    subject: Ids,
) -> npt.NDArray[np.intp]:
    """Of edges of one row that say the same the one from the subject, row after row."""
    s = facts.snapshot
    order = np.lexsort((edge, s.head[edge] != subject, s.fact_of[edge], owner))
    return order[changes(owner[order], s.fact_of[edge][order])]
