"""Triples as questions with all their answers."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.models.data.queries import KnownAnswers, with_reciprocals

N, R = 6, 3
some_triples = st.lists(
    st.tuples(st.integers(0, N - 1), st.integers(0, R - 1), st.integers(0, N - 1)), max_size=30
).map(lambda rows: np.array(rows, np.int32).reshape(-1, 3))


def test_a_reciprocal_turns_the_triple_and_moves_the_directed_relation() -> None:
    both = with_reciprocals(np.array([[4, 1, 2]], np.int32), R)

    assert both.tolist() == [[4, 1, 2], [2, 1 + R, 4]]


@given(some_triples)
def test_known_answers_equal_a_dictionary_of_sets(triples: np.ndarray) -> None:
    wanted: dict[tuple[int, int], set[int]] = defaultdict(set)
    for h, r, t in triples.tolist():
        wanted[h, r].add(t)
        wanted[t, r + R].add(h)
    known = KnownAnswers.of_triples(triples, N, R)
    everything = np.array([(h, s) for h in range(N) for s in range(2 * R)], np.int32)
    rows, answers = known.of(*everything.T)

    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, answer in zip(rows, answers):
        found[tuple(everything[row].tolist())].append(int(answer))
    assert {k: sorted(v) for k, v in wanted.items()} == dict(found)
    assert len(known) == len(wanted)
    assert known.find(*everything.T).max(initial=-1) == len(known) - 1
