"""How members are weighed: by their ranks on ``select``, a rare relation like all together."""

from __future__ import annotations

import numpy as np

from sightline.models.data.dataset import LearningData
from sightline.models.ranking import Scorer
from sightline.models.teacher import blend_weights

#: Entities, of which each has the next one as its answer; relations, by how many facts they have.
N, FACTS = 60, (60, 60, 60, 2)
R = len(FACTS)


def data_of(counts: tuple[int, ...]) -> LearningData:
    facts = [(i, r, (i + 1) % N) for r, count in enumerate(counts) for i in range(count)]
    none, names = np.zeros((0, 3), np.int32), [str(i) for i in range(N)]
    select = np.array(facts, np.int32).reshape(-1, 3)
    return LearningData(names, names[:R], none, select, none, none, none, none, "given")


def knows(*relations: int) -> Scorer:
    """What answers these relations, and puts the answer last in all others."""

    def score(heads: np.ndarray, rels: np.ndarray) -> np.ndarray:
        answer = np.where(rels < R, heads + 1, heads - 1) % N
        scores = np.zeros((len(heads), N), np.float32)
        scores[np.arange(len(heads)), answer] = np.where(np.isin(rels % R, relations), 5, -5)
        return scores

    return score


def test_a_relation_goes_to_who_answers_it_and_a_rare_one_to_who_answers_most() -> None:
    found = blend_weights([knows(0, 1), knows(2, 3)], data_of(FACTS))

    assert found.shape == (2 * R, 2)
    assert (found.sum(axis=1) == 1).all()
    for rels in found[:R], found[R:]:
        first, second, third, rare = rels[:, 0]
        assert first > 0.5
        assert second > 0.5
        assert third < 0.5
        # Two facts say little: two relations in three go to the first.
        assert rare > 0.5


def test_members_count_alike_where_nothing_is_held_out() -> None:
    assert (blend_weights([knows(0), knows(1)], data_of(())) == 0.5).all()
    assert (blend_weights([knows(0)], data_of(FACTS)) == 1).all()
