"""The chance of one more answer agrees with counting entity by entity."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph.snapshot.reader import Snapshot
from sightline.insights.chance_of_another import SHRINKAGE, ChanceOfAnother
from sightline.insights.facts import Facts
from tests.graph.conftest import build, fact, typed

NAMES = "abcdef"
triples = st.tuples(st.sampled_from(NAMES), st.sampled_from("rs"), st.sampled_from(NAMES))
types = st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from("TUV")), max_size=10)


def counted(snapshot: Snapshot, entity: int, rel: int) -> float:
    """The docstring of ``ChanceOfAnother.of``, word by word."""
    n = snapshot.num_relations

    def answers(anchor: int) -> int:
        at, other = (0, 2) if rel < n else (2, 0)
        rows = snapshot.triples()
        return len({int(t[other]) for t in rows if t[at] == anchor and t[1] == rel % n})

    def share(members: list[int], prior: float, weight: float) -> float:
        as_many = [e for e in members if answers(e) >= answers(entity)]
        more = [e for e in as_many if answers(e) > answers(entity)]
        return (len(more) + weight * prior) / (len(as_many) + weight)

    everyone = list(range(snapshot.num_entities))
    classes = {
        c: [e for e in everyone if c in snapshot.types_of(e)] for c in snapshot.types_of(entity)
    }
    found = share(everyone, 0.5, 1.0)
    if classes:
        rarest = min(classes, key=lambda c: (len(classes[c]), c))
        found = share(classes[rarest], found, SHRINKAGE)
    return found


@settings(max_examples=15)
@given(st.sets(triples, min_size=1, max_size=14), types)
def test_the_chance_is_what_counting_finds(facts, types) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [fact(f) for f in sorted(facts)] + [typed(*pair) for pair in sorted(types)]
        snapshot = build(Path(folder) / "ws", rows)
        another = ChanceOfAnother(Facts(snapshot))
        rels = np.arange(2 * snapshot.num_relations)
        for entity in range(snapshot.num_entities):
            expected = [counted(snapshot, entity, rel) for rel in rels]
            asked = np.full(len(rels), entity)
            assert another.of(asked, rels) == pytest.approx(expected)
