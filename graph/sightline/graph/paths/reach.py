"""Entities at the end of a relation pattern: reached by any walk, as in SPARQL.

Knows automata and edges; knows no path. An entity is looked at once per state of the automaton,
whatever the number of walks.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from sightline.graph.arrays import Ids, Offsets, expand_csr
from sightline.graph.errors import require_range
from sightline.graph.paths.find import MAX_DEADLINE_MS
from sightline.graph.paths.patterns import Automaton, read_pattern
from sightline.graph.progress import stop_if_cancelled
from sightline.graph.snapshot.reader import Snapshot

#: Entities gone on from between two looks at the clock.
SLICE = 4096
#: Bytes to note down where walks from several entities have been.
ROOM = 1 << 23


@dataclass(frozen=True, slots=True)
class Reached:
    """Entities at the end of a pattern, sorted int32 ids; ``truncated``: time was too short."""

    entities: Ids
    truncated: bool


@dataclass(frozen=True, slots=True)
class ReachedFromEach:
    """Where walks from each of some entities end.

    Attributes:
        owner, entity: int64 and int32 ``(n,)``: index of the source and what it reaches, each pair
            once, sorted.
        finished: of so many sources, from the first on, everything is there.
    """

    owner: Offsets
    entity: Ids
    finished: int


def reachable(
    snapshot: Snapshot, sources: int | Ids, pattern: str, *, deadline_ms: float = 1000
) -> Reached:
    """The entities that a walk from one of ``sources`` reaches by ``pattern``, each once.

    Raises:
        BadPattern, UnknownRelation
        OutOfRange: ``deadline_ms`` outside its range, or no such entity.
    """
    begin, end = _checked(snapshot, sources, deadline_ms)
    walks = _Walks(snapshot, read_pattern(pattern, snapshot), end)
    _, entities, whole = walks.ends(np.zeros(len(begin), np.int64), begin)
    return Reached(np.unique(entities).astype(np.int32), not whole)


def reachable_from_each(
    snapshot: Snapshot, sources: Ids, pattern: str, *, most: int, deadline_ms: float = 1000
) -> ReachedFromEach:
    """The entities that a walk from each of ``sources`` reaches by ``pattern``.

    Args:
        most: pairs after which no further source is begun with.

    Raises:
        BadPattern, UnknownRelation
        OutOfRange: ``deadline_ms`` outside its range, or no such entity.
    """
    begin, end = _checked(snapshot, sources, deadline_ms)
    automaton = read_pattern(pattern, snapshot)
    walks = _Walks(snapshot, automaton, end)
    size = max(1, ROOM // max(1, snapshot.num_entities * len(automaton.need)))
    parts = [np.zeros(0, np.int64)]
    finished = found = 0
    while finished < len(begin) and found <= most:
        group = begin[finished : finished + size]
        owner, entity, whole = walks.ends(np.arange(len(group)), group)
        if not whole:
            break
        pair = np.unique((owner + finished) * snapshot.num_entities + entity)
        parts.append(pair)
        finished, found = finished + len(group), found + len(pair)
    owners, entities = np.divmod(np.concatenate(parts), max(1, snapshot.num_entities))
    return ReachedFromEach(owners, entities.astype(np.int32), finished)


def _checked(snapshot: Snapshot, sources: int | Ids, deadline_ms: float) -> tuple[Offsets, float]:
    """The sources, and when to stop."""
    end = time.perf_counter() + deadline_ms / 1000
    require_range("deadline_ms", deadline_ms, 1, MAX_DEADLINE_MS)
    begin = np.atleast_1d(sources).astype(np.int64)
    for source in (begin.min(initial=0), begin.max(initial=0)) if len(begin) else ():
        require_range("source", int(source), 0, snapshot.num_entities - 1)
    return begin, end


@dataclass(frozen=True, slots=True)
class _Walks:
    """Walks by one automaton."""

    snapshot: Snapshot
    automaton: Automaton
    end: float

    def ends(self, owners: Offsets, sources: Offsets) -> tuple[Offsets, Offsets, bool]:
        """Owner and entity wherever walks may end, some pairs twice; and whether that is all.

        Args:
            owners: int64 ``(n,)``: whose walk begins at each source, 0 and up.
        """
        s, automaton, states = self.snapshot, self.automaton, len(self.automaton.need)
        accepting = automaton.need == 0
        # Which states an entity was reached in, per owner; flat, so that the three are one number.
        seen = np.zeros((int(owners.max(initial=0)) + 1) * s.num_entities * states, np.bool_)
        first = np.unique((owners * s.num_entities + sources) * states)
        seen[first] = True
        queue = deque(first[at : at + SLICE] for at in range(0, len(first), SLICE))
        ended = [first[accepting[first % states]]]
        sides = (
            (s.out_indptr, s.tail, s.relation, automaton.symbol[: s.num_relations]),
            (s.in_indptr, s.in_head, s.in_relation, automaton.symbol[s.num_relations :]),
        )
        while queue and time.perf_counter() < self.end:
            stop_if_cancelled()
            place, before = np.divmod(queue.popleft(), states)
            whose, entities = np.divmod(place, s.num_entities)
            for indptr, neighbour, relation, symbol in sides:
                owner, edge = expand_csr(indptr, entities)
                after = automaton.following[before[owner], symbol[relation[edge]]]
                place = whose[owner] * s.num_entities + neighbour[edge]
                reached = (place * states + after)[after >= 0]
                new = np.unique(reached[~seen[reached]])
                seen[new] = True
                ended.append(new[accepting[new % states]])
                queue.extend(new[at : at + SLICE] for at in range(0, len(new), SLICE))
        owner, entity = np.divmod(np.concatenate(ended) // states, s.num_entities)
        return owner, entity, not queue
