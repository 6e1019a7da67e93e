"""Neighbours of neighbours: what can be reached from an entity by one relation and then another,
and from how many. Compiled; knows runs (``features``) and arrays, and no statistics.

A feature is a pair: the directed relation walked first, and the run that the second step ends at. A
walk does not come back to where it began.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np

from sightline.graph.arrays import Flags, Ids, Offsets, expand_csr
from sightline.graph.sets.features import Features

#: Edges looked at between two looks at the clock: some milliseconds.
SLICE = 500_000

_kernel = numba.njit(cache=True, nogil=True)


class Scratch(NamedTuple):
    """Memory for one question at a time. What a stamp is not that of ``turn`` for is not set."""

    turn: Offsets
    mid_stamp: Offsets
    mid_low: Ids
    mid_high: Ids
    run_stamp: Offsets
    run_low: Ids
    run_high: Ids
    list: Ids


def scratch_of(features: Features) -> Scratch:
    """Memory for ``possible`` and ``shared``."""
    n, q = len(features.runs.indptr) - 1, len(features.runs.rel)
    mid = (np.full(n, -1, np.int64), np.zeros(n, np.int32), np.zeros(n, np.int32))
    run = (np.full(q, -1, np.int64), np.zeros(q, np.int32), np.zeros(q, np.int32))
    return Scratch(np.zeros(1, np.int64), *mid, *run, np.empty(max(n, q), np.int32))


def possible(features: Features, scratch: Scratch, rel: int, among: Flags) -> int:
    """How many features that begin with ``rel`` two or more of some entities have.

    An upper bound: a walk that comes back counts here.
    """
    indptr, run = features.by_rel
    own = run[indptr[rel] : indptr[rel + 1]]
    return int(_possible(features.runs, own, among, scratch))


class Shared(NamedTuple):
    """Features that begin with one relation: the run that each ends at, and how many have it."""

    run: Ids
    listed: Offsets
    background: Offsets


def shared(
    features: Features,
    scratch: Scratch,
    rel: int,
    listed: Ids,
    among: Flags,
    most: Offsets,
    go_on: Callable[[], bool],
) -> Shared | None:
    """The features that two or more of the entities ``listed`` have, and not too many of others.

    Args:
        among: bool ``(N,)``: the others, the listed ones among them.
        most: int64 ``(len(listed) + 1,)``: how many of the others may have what so many listed
            ones have; -1 for none.
        go_on: asked between two slices; where it says no, the answer is None.
    """
    runs, at = features.runs, features.runs_under(rel)
    own = at[listed]
    of, edge = expand_csr(runs.start, own[own >= 0])
    owner, mid = np.flatnonzero(own >= 0)[of], runs.entity[runs.other[edge]]
    apart = mid != listed[owner]
    owner, mid = owner[apart], mid[apart]
    rank = np.argsort(mid, kind="stable")
    mids, count = np.unique(mid, return_counts=True)
    found = _reached(runs, mids, count, scratch)
    if not len(found):
        return Shared(found, np.zeros(0, np.int64), np.zeros(0, np.int64))
    slot = np.full(len(among), -1, np.int32)
    slot[mids] = np.arange(len(mids), dtype=np.int32)
    members = (slot, np.append(0, np.cumsum(count)), owner[rank])
    back = features.runs_under(int(features.back[rel]))
    stamps = (np.full(len(listed), -1, np.int64), np.full(len(among), -1, np.int64))
    k, background = np.zeros(len(found), np.int64), np.zeros(len(found), np.int64)
    done = 0
    while done < len(found):
        if not go_on():
            return None
        done = _count(runs, found, done, members, back, listed, among, most, stamps, k, background)
    kept = k >= 2
    return Shared(found[kept], k[kept], background[kept])


def holders(features: Features, back: Ids, run: int, among: Flags) -> Ids:
    """Who of some entities has a feature, ascending.

    Args:
        back: ``Features.runs_under`` the first relation, read the other way.
    """
    runs = features.runs
    last = runs.entity[runs.other[runs.start[run] : runs.start[run + 1]]]
    at = back[last]
    owner, edge = expand_csr(runs.start, at[at >= 0])
    first = runs.entity[runs.other[edge]]
    between = last[at >= 0][owner]
    keep = among[first] & (first != runs.entity[run]) & (first != between)
    return np.unique(first[keep])


@_kernel
def _possible(runs: Any, own: Any, among: Any, scratch: Any) -> int:
    s, start, entity, other = scratch, runs.start, runs.entity, runs.other
    s.turn[0] += 1
    turn, mids, total = s.turn[0], 0, 0
    for i in range(len(own)):
        x = entity[own[i]]
        if not among[x]:
            continue
        for p in range(start[own[i]], start[own[i] + 1]):
            mid = entity[other[p]]
            if s.mid_stamp[mid] != turn:
                s.mid_stamp[mid] = turn
                s.mid_low[mid] = s.mid_high[mid] = x
                s.list[mids] = mid
                mids += 1
            else:
                s.mid_low[mid] = min(s.mid_low[mid], x)
                s.mid_high[mid] = max(s.mid_high[mid], x)
    # Two have a feature where the lowest that reaches it is not the highest.
    for i in range(mids):
        mid = s.list[i]
        low, high = s.mid_low[mid], s.mid_high[mid]
        for p in range(start[runs.indptr[mid]], start[runs.indptr[mid + 1]]):
            end = other[p]
            if s.run_stamp[end] != turn:
                s.run_stamp[end] = turn
                s.run_low[end], s.run_high[end] = low, high
                total += low < high
            elif s.run_low[end] == s.run_high[end]:
                s.run_low[end] = min(s.run_low[end], low)
                s.run_high[end] = max(s.run_high[end], high)
                total += s.run_low[end] < s.run_high[end]
    return total


@_kernel
def _reached(runs: Any, mids: Any, count: Any, scratch: Any) -> Any:
    """The runs at the end of second steps that, at most, two or more have come to."""
    s, found = scratch, 0
    s.turn[0] += 1
    turn = s.turn[0]
    for i in range(len(mids)):
        for p in range(runs.start[runs.indptr[mids[i]]], runs.start[runs.indptr[mids[i] + 1]]):
            end = runs.other[p]
            if s.run_stamp[end] != turn:
                s.run_stamp[end] = turn
                s.run_low[end] = 0
                s.list[found] = end
                found += 1
            s.run_low[end] += count[i]
    kept = 0
    for i in range(found):
        if s.run_low[s.list[i]] >= 2:
            s.list[kept] = s.list[i]
            kept += 1
    return s.list[:kept].copy()


@_kernel
def _count(
    runs: Any,
    found: Any,
    begin: int,
    members: Any,
    back: Any,
    listed: Any,
    among: Any,
    most: Any,
    stamps: Any,
    k: Any,
    background: Any,
) -> int:
    """Count who has each feature from ``begin`` on, for one slice; what too many have keeps k = 0.

    Returns:
        where the next slice begins.
    """
    slot, indptr, owner = members
    seen, seen_of_all = stamps
    start, entity, other = runs.start, runs.entity, runs.other
    work, i = 0, begin
    while i < len(found) and work < SLICE:
        end = found[i]
        last, low, high = entity[end], start[end], start[end + 1]
        have = 0
        for p in range(low, high):
            at = slot[entity[other[p]]]
            if at < 0:
                continue
            for q in range(indptr[at], indptr[at + 1]):
                j = owner[q]
                if seen[j] != i and listed[j] != last:
                    seen[j] = i
                    have += 1
        work += high - low
        if have >= 2 and most[have] >= have:
            all_ = 0
            for p in range(low, high):
                mid = entity[other[p]]
                run = back[mid]
                if run < 0:
                    continue
                for q in range(start[run], start[run + 1]):
                    x = entity[other[q]]
                    if among[x] and x != last and x != mid and seen_of_all[x] != i:
                        seen_of_all[x] = i
                        all_ += 1
                work += start[run + 1] - start[run]
                if all_ > most[have]:
                    break
            if all_ <= most[have]:
                k[i], background[i] = have, all_
        i += 1
    return i
