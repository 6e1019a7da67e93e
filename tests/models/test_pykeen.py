"""The ranking is that of PyKEEN's evaluator, and that of the definition, on the same scores."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from sightline.models.data.queries import KnownAnswers
from sightline.models.ranking import RankingMetrics, filtered_ranks

N, R, TEST = 40, 4, 60
#: Scores of every question, from all different to nearly all alike.
LEVELS = pytest.mark.parametrize("levels", [1_000_000, 20, 3, 1])


def world(levels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train and test facts, and scores ``(2 R, N, N)`` by directed relation, who is asked about,
    answer."""
    rng = np.random.default_rng(levels)
    # Few relations among few entities: most questions have several answers to filter.
    facts = np.unique(rng.integers((N, R, N), size=(600, 3)), axis=0)
    facts = rng.permutation(facts).astype(np.int32)
    scores = rng.integers(levels, size=(2 * R, N, N)) - levels / 2
    return facts[TEST:], facts[:TEST], scores.astype(np.float32)


def own_ranks(train: np.ndarray, test: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Float64 ``(2, n)``: ranks of the tails, then of the heads."""
    known = KnownAnswers.of_triples(np.concatenate([train, test]), N, R)
    ranks = filtered_ranks(lambda head, rel: scores[rel, head], test, known)
    return ranks.reshape(2, -1)


@LEVELS
def test_ranks_are_those_of_the_definition(levels: int) -> None:
    train, test, scores = world(levels)
    facts = {tuple(fact) for fact in [*train.tolist(), *test.tolist()]}

    def rank(row: np.ndarray, answer: int, rivals: list[int]) -> float:
        better = sum(row[rival] > row[answer] for rival in rivals)
        tied = sum(row[rival] == row[answer] for rival in rivals)
        return 1 + better + tied / 2

    tails, heads = [], []
    for h, r, t in test.tolist():
        rivals = [e for e in range(N) if (h, r, e) not in facts]
        tails.append(rank(scores[r, h], t, rivals))
        rivals = [e for e in range(N) if (e, r, t) not in facts]
        heads.append(rank(scores[r + R, t], h, rivals))

    assert own_ranks(train, test, scores).tolist() == [tails, heads]


@LEVELS
def test_ranks_and_measures_are_those_of_pykeen(
    levels: int, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It makes a folder in the home directory when it is imported.
    monkeypatch.setenv("PYSTOW_HOME", str(tmp_path_factory.mktemp("pystow")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        install = "PyKEEN is not installed: pip install -e '.[train,dev,bench]'"
        pytest.importorskip("pykeen", reason=install)
        from pykeen.evaluation import RankBasedEvaluator
        from pykeen.models.mocks import FixedModel
        from pykeen.triples import CoreTriplesFactory

    train, test, scores = world(levels)
    table = torch.from_numpy(scores)

    class Table(FixedModel):
        """A model of PyKEEN that knows nothing but the scores."""

        def score_t(self, hr_batch: torch.Tensor, **_: object) -> torch.Tensor:
            return table[hr_batch[:, 1], hr_batch[:, 0]]

        def score_h(self, rt_batch: torch.Tensor, **_: object) -> torch.Tensor:
            return table[rt_batch[:, 0] + R, rt_batch[:, 1]]

    facts = torch.from_numpy(train.astype(np.int64))
    factory = CoreTriplesFactory(facts, num_entities=N, num_relations=R)
    evaluator = RankBasedEvaluator(filtered=True, clear_on_finalize=False)
    found = evaluator.evaluate(
        Table(triples_factory=factory),
        torch.from_numpy(test.astype(np.int64)),
        additional_filter_triples=facts,
        batch_size=32,
        use_tqdm=False,
    )
    ranks = own_ranks(train, test, scores)

    for side, own in zip(("tail", "head"), ranks):
        assert np.concatenate(evaluator.ranks[side, "realistic"]).tolist() == own.tolist()
    for side, own in (("tail", ranks[0]), ("head", ranks[1]), ("both", ranks.ravel())):
        measures = RankingMetrics.of(own)
        expected = {
            "mean_rank": own.mean(),
            "mean_reciprocal_rank": measures.mrr,
            "hits_at_1": measures.hits_at_1,
            "hits_at_3": measures.hits_at_3,
            "hits_at_10": measures.hits_at_10,
        }
        theirs = {name: found.get_metric(f"{side}.realistic.{name}") for name in expected}
        assert theirs == pytest.approx(expected, rel=0, abs=1e-6)
