"""Entities at the end of a relation pattern: reached by any walk, as in SPARQL.

Knows automata and edges; knows no path. An entity is looked at once per state of the automaton,
whatever the number of walks.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from sightline.graph.arrays import Ids, expand_csr
from sightline.graph.errors import require_range
from sightline.graph.paths.find import MAX_DEADLINE_MS
from sightline.graph.paths.patterns import read_pattern
from sightline.graph.progress import stop_if_cancelled
from sightline.graph.snapshot.reader import Snapshot

#: Entities gone on from between two looks at the clock.
SLICE = 4096


@dataclass(frozen=True, slots=True)
class Reached:
    """Entities at the end of a pattern, sorted int32 ids; ``truncated``: time was too short."""

    entities: Ids
    truncated: bool


def reachable(
    snapshot: Snapshot, source: int, pattern: str, *, deadline_ms: float = 1000
) -> Reached:
    """The entities that a walk from ``source`` reaches by ``pattern``, each once.

    Raises:
        BadPattern, UnknownRelation
        OutOfRange: ``deadline_ms`` outside its range, or no such entity.
    """
    end = time.perf_counter() + deadline_ms / 1000
    require_range("deadline_ms", deadline_ms, 1, MAX_DEADLINE_MS)
    require_range("source", source, 0, snapshot.num_entities - 1)
    automaton, s = read_pattern(pattern, snapshot), snapshot
    states = len(automaton.need)
    # Which states an entity was reached in; flat, so that entity and state are one number.
    seen = np.zeros(s.num_entities * states, np.bool_)
    queue = deque([np.array([source * states])])
    seen[queue[0]] = True
    sides = (
        (s.out_indptr, s.tail, s.relation, automaton.symbol[: s.num_relations]),
        (s.in_indptr, s.in_head, s.in_relation, automaton.symbol[s.num_relations :]),
    )
    while queue and time.perf_counter() < end:
        stop_if_cancelled()
        entities, before = np.divmod(queue.popleft(), states)
        for indptr, neighbour, relation, symbol in sides:
            owner, edge = expand_csr(indptr, entities)
            after = automaton.following[before[owner], symbol[relation[edge]]]
            reached = (neighbour[edge] * np.int64(states) + after)[after >= 0]
            new = np.unique(reached[~seen[reached]])
            seen[new] = True
            queue.extend(new[at : at + SLICE] for at in range(0, len(new), SLICE))
    ends = seen.reshape(-1, states)[:, automaton.need == 0].any(axis=1)
    return Reached(np.flatnonzero(ends).astype(np.int32), bool(queue))
