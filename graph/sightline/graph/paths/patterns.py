"""Relation patterns in SPARQL's notation for property paths, as automata over directed relations.

Knows ``a/b``, ``a|b``, ``^a``, ``a?``, ``a*``, ``a+`` and parentheses; a relation is an IRI in
``<>`` or what else ``Snapshot.resolve_relation`` finds, in ``<>`` too if its name has spaces or
signs of the notation. Knows no edge: ``paths`` and ``reach`` walk what an automaton reads.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from sightline.graph.arrays import Flags, Ids
from sightline.graph.paths.errors import BadPattern
from sightline.graph.snapshot.reader import Snapshot

MAX_LENGTH = 1000
MAX_NESTING = 50
#: States of an automaton: a set of them is the bits of an int64.
MAX_STATES = 62
_TOKEN = re.compile(r"<[^<>]*>|[^\s<>()/|^?*+]+|\S")
_SIGNS = frozenset("<>()/|^?*+")


@dataclass(frozen=True, slots=True)
class Automaton:
    """A deterministic automaton that starts in state 0.

    Attributes:
        symbol: int32 ``(2 R,)``: column of ``following`` per directed relation; 0 for directed
        relations it never reads.
        following: int32 ``(states, symbols)``: the next state, -1 for none.
        need: int32 ``(states,)``: the fewest edges to a state in which a path may end; 0 there.
    """

    symbol: Ids
    following: Ids
    need: Ids


def read_pattern(pattern: str, snapshot: Snapshot) -> Automaton:
    """The automaton of a pattern.

    Raises:
        BadPattern: at which character, and what was expected there; or the pattern is too large.
        UnknownRelation
    """
    if len(pattern) > MAX_LENGTH:
        raise BadPattern(pattern, MAX_LENGTH, f"no more than {MAX_LENGTH} characters")
    reader = _Reader(pattern, snapshot)
    whole = reader.choice(False, 0)
    reader.expect_end()
    return _deterministic(pattern, reader, whole, snapshot.num_relations)


def somewhere(relations: Sequence[int], num_relations: int) -> Automaton:
    """The automaton that reads anything with at least one of some relations, whichever way."""
    symbol = np.ones(2 * num_relations, np.int32)
    symbol[[*relations, *(r + num_relations for r in relations)]] = 2
    following = np.array([[-1, 0, 1], [-1, 1, 1]], np.int32)
    return Automaton(symbol, following, np.array([1, 0], np.int32))


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern: the places where it can start and end, and if it can be nothing."""

    empty: bool
    first: frozenset[int]
    last: frozenset[int]


@dataclass(slots=True)
class _Reader:
    """Reads a pattern by recursive descent and builds its position automaton on the way.

    Places are numbered from 1 (Glushkov 1961); ``rels[p]`` is read at place ``p``, and
    ``follow[p]`` can come after it. The inverse of a sequence is read as the inverses in the other
    order.
    """

    pattern: str
    snapshot: Snapshot
    rels: list[int] = field(default_factory=lambda: [-1])
    follow: list[set[int]] = field(default_factory=lambda: [set()])
    _tokens: list[tuple[str, int]] = field(init=False)
    _at: int = 0

    def __post_init__(self) -> None:
        self._tokens = [(m.group(), m.start() + 1) for m in _TOKEN.finditer(self.pattern)]
        self._tokens.append(("", len(self.pattern) + 1))

    def choice(self, inverse: bool, nesting: int) -> _Part:
        parts = [self._sequence(inverse, nesting)]
        while self._take("|"):
            parts.append(self._sequence(inverse, nesting))
        return reduce(
            lambda a, b: _Part(a.empty or b.empty, a.first | b.first, a.last | b.last), parts
        )

    def expect_end(self) -> None:
        token, position = self._tokens[self._at]
        if token:
            raise BadPattern(self.pattern, position, "an operator or the end")

    def _sequence(self, inverse: bool, nesting: int) -> _Part:
        parts = [self._element(inverse, nesting)]
        while self._take("/"):
            parts.append(self._element(inverse, nesting))
        return reduce(self._joined, reversed(parts) if inverse else parts)

    def _joined(self, a: _Part, b: _Part) -> _Part:
        self._connect(a.last, b.first)
        first = a.first | b.first if a.empty else a.first
        last = a.last | b.last if b.empty else b.last
        return _Part(a.empty and b.empty, first, last)

    def _element(self, inverse: bool, nesting: int) -> _Part:
        part = self._primary(inverse ^ self._take("^"), nesting)
        if self._take("?"):
            return _Part(True, part.first, part.last)
        for sign, empty in (("*", True), ("+", part.empty)):
            if self._take(sign):
                self._connect(part.last, part.first)
                return _Part(empty, part.first, part.last)
        return part

    def _primary(self, inverse: bool, nesting: int) -> _Part:
        token, position = self._tokens[self._at]
        if self._take("("):
            if nesting == MAX_NESTING:
                raise BadPattern(self.pattern, position, f"at most {MAX_NESTING} parentheses")
            part = self.choice(inverse, nesting + 1)
            if not self._take(")"):
                raise BadPattern(self.pattern, self._tokens[self._at][1], "')' or an operator")
            return part
        if not token or token in _SIGNS:
            raise BadPattern(self.pattern, position, "a relation, '^' or '('")
        self._at += 1
        relation = self.snapshot.resolve_relation(token)
        self.rels.append(relation + self.snapshot.num_relations if inverse else relation)
        self.follow.append(set())
        place = frozenset([len(self.rels) - 1])
        return _Part(False, place, place)

    def _take(self, sign: str) -> bool:
        taken = self._tokens[self._at][0] == sign
        self._at += taken
        return taken

    def _connect(self, before: frozenset[int], after: frozenset[int]) -> None:
        for place in before:
            self.follow[place] |= after


def _deterministic(pattern: str, reader: _Reader, whole: _Part, num_relations: int) -> Automaton:
    """Sets of places become states; place 0 is before the first edge."""
    reader.follow[0] = set(whole.first)
    last = whole.last | {0} if whole.empty else whole.last
    rels = sorted(set(reader.rels[1:]))
    states, rows = {frozenset([0]): 0}, []
    queue = deque(states)
    while queue:
        places = queue.popleft()
        after = set().union(*(reader.follow[place] for place in places))
        row = [-1]
        for rel in rels:
            reached = frozenset(place for place in after if reader.rels[place] == rel)
            if reached and reached not in states:
                states[reached] = len(states)
                queue.append(reached)
            row.append(states[reached] if reached else -1)
        rows.append(row)
        if len(states) > MAX_STATES:
            raise BadPattern(pattern, len(pattern), f"a pattern of at most {MAX_STATES} states")
    symbol = np.zeros(2 * num_relations, np.int32)
    symbol[rels] = range(1, len(rels) + 1)
    accepting = [not last.isdisjoint(places) for places in states]
    following, accept = _merged(np.array(rows, np.int32), np.array(accepting))
    return Automaton(symbol, following, _need(following, accept))


def _merged(following: Ids, accepting: Flags) -> tuple[Ids, Flags]:
    """One state for all from which the same can be read (Moore 1956); the first stays the first.

    So that what is read in one of several ways, as by ``r|^r``, is the same afterwards.
    """
    state, count = accepting.astype(np.intp), 0
    while True:
        rows = np.column_stack([state, np.where(following >= 0, state[following], -1)])
        _, first, state = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        if len(first) == count:
            break
        count = len(first)
    first, number = np.sort(first), np.argsort(np.argsort(first))
    state = number[state.ravel()]
    after = np.where(following[first] >= 0, state[following[first]], -1)
    return after.astype(np.int32), accepting[first]


def _need(following: Ids, accepting: Flags) -> Ids:
    """Relax until nothing changes: there are few states, and each leads to an end."""
    need = np.where(accepting, 0, MAX_STATES).astype(np.int32)
    for _ in need:
        after = np.where(following >= 0, need[following], MAX_STATES).min(axis=1)
        need = np.minimum(need, after + 1).astype(np.int32)
    return need
