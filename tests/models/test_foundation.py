"""The foundation member: the same in torch and in compiled loops, on graphs of any kind."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sightline.models.data.dataset import LearningData
from sightline.models.errors import FoundationUnusable
from sightline.models.foundation import file
from sightline.models.foundation.arrays import FoundationArrays, with_entity
from sightline.models.foundation.network import Foundation
from sightline.models.foundation.relations import RelationGraph
from sightline.models.members.path.backends import path_graph

PACKAGE = Path(file.__file__).parent
SHIPPED = file.weights_in(file.shipped())


def random_triples(n: int, r: int, facts: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    drawn = np.stack([rng.integers(high, size=facts) for high in (n, r, n)], axis=1)
    return np.unique(drawn, axis=0).astype(np.int32)


def untrained(scale: float = 0.1) -> Foundation:
    torch.manual_seed(0)
    model = Foundation().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(scale * torch.randn_like(parameter))
    return model


def as_arrays(model: Foundation) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in model.state_dict().items()}


@pytest.mark.parametrize(("n", "r", "facts"), [(30, 4, 90), (9, 1, 20), (60, 2, 12)])
def test_answers_need_no_torch_and_are_those_that_were_learnt(n: int, r: int, facts: int) -> None:
    graph = RelationGraph.of(random_triples(n, r, facts), n, r)
    model = untrained()
    arrays = FoundationArrays(as_arrays(model), graph)
    rels = np.arange(2 * r, dtype=np.int32)
    for head in (0, n - 1):
        with torch.no_grad():
            seen = path_graph(graph, torch.device("cpu"))
            wanted = model(seen, np.full(2 * r, head, np.int32), rels).numpy()

        assert np.allclose(arrays.scores(np.full(2 * r, head), rels), wanted, atol=1e-4)


def test_an_answer_has_the_same_bits_whatever_is_asked_beside() -> None:
    graph = RelationGraph.of(random_triples(30, 3, 80), 30, 3)
    arrays = FoundationArrays(as_arrays(untrained()), graph)
    alone = arrays.scores(np.array([4]), np.array([5]))
    heads = np.array([4, 9, 4, 4, 9, 4])

    assert np.array_equal(arrays.scores(heads, np.arange(6), threads=2)[5], alone[0])


def test_what_relations_share_is_counted_in_all_four_ways() -> None:
    # a -0-> b -1-> c, and d -0-> b: b ends both facts of 0 and begins the only one of 1.
    graph = RelationGraph.of(np.array([[0, 0, 1], [1, 1, 2], [3, 0, 1]], np.int32), 4, 2)
    (of_pairs,) = graph.of_pairs(np.array([0]))

    head_head, head_tail, tail_head, tail_tail = (of_pairs[1, i : i + 3] for i in (0, 3, 6, 9))
    assert head_head.tolist() == head_tail.tolist() == tail_tail.tolist() == [0, 0, 0]
    assert tail_head.tolist() == [1, 1, 1]
    assert of_pairs[0, 15] == of_pairs[2, 16] == 1
    assert of_pairs[:, 15:].sum() == 2


def test_relations_are_heard_alike_with_their_table_and_through_entities(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    triples = random_triples(40, 600, 700)
    y = np.random.default_rng(1).normal(size=(1200, 3)).astype(np.float32)
    table = RelationGraph.of(triples, 40, 600)
    monkeypatch.setattr("sightline.models.foundation.relations.MOST_PAIRS", 0)
    through = RelationGraph.of(triples, 40, 600)

    assert table.meets.whole
    assert not through.meets.whole
    assert np.allclose(table.heard(y), through.heard(y), atol=1e-5)
    # Transposed: <A x, y> is <x, A' y>.
    x = np.random.default_rng(2).normal(size=(1200, 3)).astype(np.float32)
    assert np.isclose((through.heard(x) * y).sum(), (x * through.heard_turned(y)).sum(), rtol=1e-3)


def test_a_stored_graph_of_relations_gives_the_same_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    triples = random_triples(40, 6, 90)
    for folder, few in (("table", 1000), ("through", 0)):
        monkeypatch.setattr("sightline.models.foundation.relations.FEW", few)
        monkeypatch.setattr("sightline.models.foundation.relations.MOST_PAIRS", 0)
        graph = RelationGraph.of(triples, 40, 6)
        (tmp_path / folder).mkdir()
        graph.save(tmp_path / folder)
        again = RelationGraph.open(tmp_path / folder)

        assert again.meets.whole == again.joins.whole == (few > 0)
        said, told = (
            FoundationArrays(SHIPPED, g).scores(np.full(12, 3), np.arange(12))
            for g in (graph, again)
        )
        assert np.array_equal(said, told)


def test_only_the_nearest_rows_are_read_and_all_are_ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = RelationGraph.of(random_triples(40, 2, 60), 40, 2)
    module = "sightline.models.foundation.arrays"
    degree = np.diff(graph.edges.indptr)
    for name, most in (("MOST_ROWS", 5), ("MOST_EDGES", 9)):
        with monkeypatch.context() as patch:
            patch.setattr(f"{module}.{name}", most)
            questions = FoundationArrays(SHIPPED, graph).questions(0)
        near = questions.entity[: questions.count[-1]]

        assert 1 < len(near) <= 5
        assert (len(near) if name == "MOST_ROWS" else degree[near[1:]].sum()) <= most
        assert np.isfinite(questions.scores(1)).all()
    # A hub keeps neighbours however many edges of its own it has.
    hub = np.array([[0, 0, i] for i in range(1, 30)], np.int32)
    monkeypatch.setattr(f"{module}.MOST_EDGES", 9)
    assert FoundationArrays(SHIPPED, RelationGraph.of(hub, 30, 1)).questions(0).count[-1] == 10


def test_an_entity_that_the_graph_lacks_is_answered_as_if_it_were_in_it() -> None:
    triples = random_triples(30, 3, 80)
    graph = RelationGraph.of(triples, 30, 3)
    rels, neighbours = np.array([2, 4, 0], np.int32), np.array([7, 3, 29], np.int32)
    more = np.array([[30, 2, 7], [3, 1, 30], [30, 0, 29]], np.int32)
    edges = RelationGraph.of(np.concatenate([triples, more]), 31, 3).edges
    made = with_entity(graph.edges, rels, neighbours, graph.turned)

    target = np.repeat(np.arange(31), np.diff(edges.indptr))
    assert np.array_equal(made.indptr, edges.indptr)
    assert sorted(zip(target, made.source, made.rel)) == sorted(
        zip(target, edges.source, edges.rel)
    )
    scores = FoundationArrays(SHIPPED, graph).questions((rels, neighbours)).scores(1)
    assert scores.shape == (30,)
    assert np.isfinite(scores).all()


def test_ten_thousand_relations_at_one_entity_make_no_table_of_their_pairs() -> None:
    r = 10_000
    hub = np.stack([np.zeros(r), np.arange(r), 1 + np.arange(r) % 50], axis=1).astype(np.int32)
    graph = RelationGraph.of(hub, 51, r)

    assert not graph.meets.whole
    assert graph.meets.matrix.nnz == 2 * r
    scores = FoundationArrays(as_arrays(untrained(0.0)), graph).scores(np.array([0]), np.array([7]))
    assert scores.shape == (1, 51)
    assert np.isfinite(scores).all()


def test_an_entity_out_of_reach_is_ranked_by_how_often_it_answers() -> None:
    # Two islands; on the second one entity 4 is asked for twice and 6 once.
    rows = [[0, 0, 1], [2, 0, 4], [3, 0, 4], [5, 0, 6]]
    graph = RelationGraph.of(np.array(rows, np.int32), 7, 1)
    weights = as_arrays(untrained(0.0))
    weights["prior.weight"] = 0 * weights["prior.weight"]
    weights["prior.bias"] = np.array([0, 1, 0, 0], np.float32)
    (scores,) = FoundationArrays(weights, graph).scores(np.array([0]), np.array([0]))

    assert scores[4] > scores[6] > scores[5] == scores[2]


def test_the_shipped_file_is_small_whole_and_says_what_it_learnt_from() -> None:
    weights, about = file.weights_in(file.shipped()), json.loads((PACKAGE / file.ABOUT).read_text())

    assert (PACKAGE / file.WEIGHTS).stat().st_size < 1_000_000
    assert {name: value.shape for name, value in weights.items()} == {
        name: tuple(value.shape) for name, value in Foundation().state_dict().items()
    }
    # Only graphs whose licence allows it; the card names each.
    card = (PACKAGE / "foundation.md").read_text()
    assert set(about["share"]) == {"codex-s", "wn18rr", "umls", "kinship", "nations", "synthetic"}
    assert all(f"`{name}`" in card for name in about["share"])


@pytest.mark.parametrize(("kept", "found"), [(24, ["nations"]), (12, ["nations"]), (11, [])])
def test_a_graph_of_the_pre_training_is_known_by_half_of_the_facts_kept_of_it(
    kept: int, found: list[str]
) -> None:
    about = json.loads((PACKAGE / file.ABOUT).read_text())
    facts = [fact.split("\t") for fact in about["facts"]["nations"]][:kept]
    names = sorted({name for head, _, tail in facts for name in (head, tail)})
    rels = sorted({rel for _, rel, _ in facts})
    rows = [(names.index(head), rels.index(rel), names.index(tail)) for head, rel, tail in facts]
    none = np.zeros((0, 3), np.int32)
    data = LearningData(
        [f"https://example.org/entity:{name}" for name in names],
        [f"https://example.org/rel#{name}" for name in rels],
        *(np.array(rows, np.int32), none, none, none, none, none),
        split="given",
    )

    assert file.learnt_from(data) == found
    # The same names in other facts are another graph.
    assert file.learnt_from(replace(data, train=data.train[:, [2, 1, 0]])) == []
    assert set(about["facts"]) == set(about["share"]) - {"synthetic"}


def test_a_damaged_or_foreign_file_is_refused_by_name(tmp_path: Path) -> None:
    for name in (file.WEIGHTS, file.ABOUT):
        shutil.copy(PACKAGE / name, tmp_path / name)
    data = bytearray((tmp_path / file.WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / file.WEIGHTS).write_bytes(data)
    with pytest.raises(FoundationUnusable, match=r"foundation\.npz.*damaged"):
        file.read(tmp_path)
    file.write(tmp_path, file.weights_in(file.shipped()), {})
    file.read(tmp_path)
    about = json.loads((tmp_path / file.ABOUT).read_text())
    (tmp_path / file.ABOUT).write_text(json.dumps({**about, "format": 99}))
    with pytest.raises(FoundationUnusable, match="version 99"):
        file.read(tmp_path)
    (tmp_path / file.ABOUT).unlink()
    with pytest.raises(FoundationUnusable, match="missing"):
        file.read(tmp_path)


def test_the_shipped_file_answers_by_a_rule_it_never_saw_the_relations_of() -> None:
    # Forty people in eight firms in four cities; where a person lives follows from the firm.
    people, firms = np.arange(40), np.arange(40, 48)
    works = np.stack([people, 0 * people, 40 + people % 8], axis=1)
    located = np.stack([firms, 0 * firms + 1, 48 + firms % 4], axis=1)
    lives = np.stack([people, 0 * people + 2, 48 + people % 4], axis=1)
    triples = np.concatenate([works, located, lives[4:]]).astype(np.int32)
    arrays = FoundationArrays(SHIPPED, RelationGraph.of(triples, 52, 3))

    for person in range(4):
        scores = arrays.scores(np.array([person]), np.array([2]))
        assert int(scores[0].argmax()) == 48 + person % 4
