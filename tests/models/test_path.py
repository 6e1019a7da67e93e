"""The path member: what it reaches, what it must not see, and that it learns no entity."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sightline.graph.progress import silent
from sightline.models.data.dataset import LearningData
from sightline.models.data.messages import Messages
from sightline.models.data.queries import with_reciprocals
from sightline.models.data.questions import Questions
from sightline.models.errors import Diverged, FoundationUnusable
from sightline.models.foundation import file
from sightline.models.foundation.relations import RelationGraph
from sightline.models.members.member import Training
from sightline.models.members.path import compiled, tensors
from sightline.models.members.path import trainer as path
from sightline.models.members.path.graph import Neighbourhood, PathGraph
from sightline.models.members.path.network import PathMember
from sightline.models.members.path.trainer import PathTrainer, affordable, askable, drawn, hiding
from sightline.models.ranking import filtered_ranks
from sightline.models.training.presets import PathConfig
from sightline.models.training.trainer import scorer_of

CPU = torch.device("cpu")
CONFIG = PathConfig(batch=8)


def messages_of(triples: np.ndarray, num_entities: int, num_relations: int) -> Messages:
    head, relation, tail = torch.from_numpy(np.asarray(triples, np.int64).reshape(-1, 3)).T
    ends = torch.stack([torch.cat([head, tail]), torch.cat([tail, head])])
    rel = torch.cat([relation, relation + num_relations])
    return Messages(ends, rel, num_entities)


def graph_of(triples: np.ndarray, num_entities: int, num_relations: int, backend) -> PathGraph:
    triples = np.asarray(triples, np.int32).reshape(-1, 3)
    return PathGraph.of(RelationGraph.of(triples, num_entities, num_relations), CPU, backend)


def data_of(train: np.ndarray, held_out: np.ndarray, entities: int, relations: int) -> LearningData:
    none = np.zeros((0, 3), np.int32)
    return LearningData(
        entity_iris=[f"e{i}" for i in range(entities)],
        relation_iris=[f"r{i}" for i in range(relations)],
        train=train.astype(np.int32),
        select=held_out.astype(np.int32),
        calibrate=none,
        test=none,
        valid_negatives=none,
        test_negatives=none,
        split="given",
    )


@st.composite
def asked_graphs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triples over 6 entities and 2 relations, and questions: heads, and which weights each has."""
    triple = st.tuples(st.integers(0, 5), st.integers(0, 1), st.integers(0, 5))
    triples = np.array(sorted(draw(st.sets(triple, min_size=1, max_size=14))), np.int32)
    asked = st.tuples(st.integers(0, 5), st.integers(0, 1))
    heads, which = np.array(draw(st.lists(asked, min_size=1, max_size=4))).T
    return triples, heads, which


@given(asked_graphs())
def test_rows_are_the_entities_within_reach_that_networkx_finds(case) -> None:
    triples, heads, which = case
    walk = nx.Graph()
    walk.add_nodes_from(heads.tolist())
    walk.add_edges_from(triples[:, [0, 2]].tolist())
    for backend in (compiled, tensors):
        near = Neighbourhood.around(graph_of(triples, 6, 2, backend), heads, which, 2, 100)
        for b, head in enumerate(heads.tolist()):
            distance = nx.single_source_shortest_path_length(walk, head)
            for steps in (0, 1, 2):
                rows = near.start[steps, b + 1] - near.start[steps, b]
                assert set(near.entity[b, :rows].tolist()) == {
                    e for e, d in distance.items() if d <= steps
                }


def heard_in_a_loop(triples: np.ndarray, near: Neighbourhood, x, weight, step: int):
    """What the rows of a step hear, edge by edge, and how much."""
    told, count = [], []
    edges = with_reciprocals(triples, 2).tolist()
    for b in range(len(near.which)):
        first, last = (near.start[step - 1, b + i].item() for i in (0, 1))
        for target in near.entity[b, : near.start[step, b + 1] - near.start[step, b]].tolist():
            sent = [x[:0]]
            for source, rel, to in edges:
                place = near.place[b, source].item()
                if to == target and 0 <= place < last - first:
                    sent.append((x[first + place] * weight[near.which[b], rel])[None])
            said = torch.cat(sent)
            with_zero = torch.cat([said, torch.zeros(1, 32)])
            told.append(torch.stack([said.sum(0), with_zero.amax(0)]))
            count.append(float(len(said)))
    return torch.stack(told), torch.tensor(count)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("backend", [compiled, tensors])
@given(case=asked_graphs(), seed=st.integers(0, 1000))
def test_messages_and_gradients_are_those_of_a_plain_loop(backend, threads, case, seed) -> None:
    triples, heads, which = case
    near = Neighbourhood.around(graph_of(triples, 6, 2, backend), heads, which, 2, 100)
    torch.manual_seed(seed)
    x = torch.randn(int(near.start[1, -1]), 32, requires_grad=True)
    weight = torch.randn(2, 4, 32, requires_grad=True)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    found, count = backend.gather(x, weight, near, 2)
    wanted, wanted_count = heard_in_a_loop(triples, near, x, weight, 2)

    assert torch.equal(count, wanted_count)
    torch.testing.assert_close(found, wanted)
    downstream = torch.randn_like(found)
    for one, other in zip(
        torch.autograd.grad(found, [x, weight], downstream),
        torch.autograd.grad(wanted, [x, weight], downstream, materialize_grads=True),
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    torch.set_num_threads(before)


@pytest.mark.parametrize("backend", [compiled, tensors])
def test_entities_that_are_alike_do_not_count_for_more_in_a_gradient(backend) -> None:
    """Nine leaves of one hub send the same message: the largest of them moves as one does."""
    leaves = np.array([[0, 0, 1 + i] for i in range(9)] + [[1 + i, 1, 10] for i in range(9)])
    torch.manual_seed(0)
    model = PathMember(2, limit=100)
    graph = graph_of(leaves, 11, 2, backend)

    def score() -> torch.Tensor:
        return model(graph, np.array([0]), np.array([0]))[0, 10]

    weight = model.steps[0].change.weight
    (gradient,) = torch.autograd.grad(score(), [weight])
    step = 1e-3 * gradient / gradient.norm()
    with torch.no_grad():
        weight += step
        above = score()
        weight -= 2 * step
        below = score()

    assert (above - below).item() == pytest.approx(2e-3 * gradient.norm().item(), rel=0.02)


@given(asked_graphs(), st.integers(1, 7), st.integers(0, 1000))
def test_both_back_ends_find_the_same_rows_and_give_the_same_scores(
    case, limit: int, seed: int
) -> None:
    triples, heads, which = case
    torch.manual_seed(seed)
    model = PathMember(2, limit=limit).eval()
    graph, other = (graph_of(triples, 6, 2, backend) for backend in (compiled, tensors))
    found, wanted = (Neighbourhood.around(one, heads, which, 3, limit) for one in (graph, other))

    assert torch.equal(found.place, wanted.place)
    assert torch.equal(found.start, wanted.start)
    for step in range(4):
        for mine, theirs in zip(found.rows(step), wanted.rows(step)):
            assert torch.equal(mine, theirs)
    with torch.no_grad():
        scores = (model(one, heads, which) for one in (graph, other))
        torch.testing.assert_close(*scores, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("limit", [3, 100])
def test_what_is_asked_is_answered_in_its_order_as_what_learns_answers(limit: int) -> None:
    """They are asked a head or a relation at a time, a few at once."""
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    model = PathMember(2, limit=limit).eval()
    triples = rng.integers([6, 2, 6], size=(14, 3))
    graph = graph_of(triples, 6, 2, compiled)
    heads, rels = (torch.from_numpy(rng.integers(n, size=21)) for n in (6, 4))
    for read in (graph, model.encode(messages_of(triples, 6, 2))):
        with torch.no_grad():
            found = model.scores(read, heads, rels)
            for scores, head, rel in zip(found, heads, rels):
                alone = model(graph, head.numpy()[None], rel.numpy()[None])[0]
                torch.testing.assert_close(scores, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("everything", [False, True])
def test_what_is_asked_leaves_no_trace(data: LearningData, everything: bool) -> None:
    """Not among the edges, in either direction, and not in the graph of relations; where all edges
    between two entities are hidden, no other of theirs either."""
    twice = np.concatenate([data.train, np.add(data.train[:6], [0, 1, 0])]).astype(np.int32)
    task = hiding(replace(data, train=twice), 0.3, np.random.default_rng(0), everything=everything)
    row, answer = task.asked.at(np.arange(len(task.asked)))
    asked = set(zip(task.asked.head[row].tolist(), task.asked.rel[row].tolist(), answer.tolist()))
    edges, n = task.seen.edges, data.num_entities
    target = np.repeat(np.arange(n), np.diff(edges.indptr))
    seen = set(zip(edges.source.tolist(), edges.rel.tolist(), target.tolist()))
    both = {tuple(fact) for fact in with_reciprocals(twice, data.num_relations).tolist()}
    pairs = {(h, t) for h, _, t in asked} if everything else set()

    assert len(asked) == 2 * int(0.3 * len(twice))
    assert seen == {(h, r, t) for h, r, t in both - asked if (h, t) not in pairs}
    facts = np.array(sorted(fact for fact in seen if fact[1] < data.num_relations), np.int32)
    alone = RelationGraph.of(facts, n, data.num_relations)
    assert np.array_equal(alone.of_rel, task.seen.of_rel)


def test_no_question_is_no_answer() -> None:
    """A blend asks it nothing where it has no say."""
    model = PathMember(1, limit=100).eval()
    nothing = torch.zeros(0, dtype=torch.int64)
    triples = np.array([[0, 0, 1]])
    for read in (graph_of(triples, 2, 1, compiled), model.encode(messages_of(triples, 2, 1))):
        assert model.scores(read, nothing, nothing).shape == (0, 2)


def test_a_limit_keeps_the_nearest() -> None:
    chain = np.array([[i, 0, i + 1] for i in range(9)])
    graph = graph_of(chain, 10, 1, compiled)
    near = Neighbourhood.around(graph, np.array([0]), np.array([0]), 9, 4)

    assert near.entity[0].tolist() == [0, 1, 2, 3]


FAMILIES = 24


def families(first: int) -> tuple[np.ndarray, np.ndarray]:
    """Families of a parent, a child, a grandchild and a friend: who a grandparent is follows from
    two edges; the friend is as near. Parent is relation 0, friend 1, grandparent 2."""
    parents, grandparents = [], []
    for family in range(first, first + FAMILIES):
        old, middle, young, friend = range(4 * family, 4 * family + 4)
        parents += [(old, 0, middle), (middle, 0, young), (middle, 1, friend)]
        grandparents.append((old, 2, young))
    return np.array(parents), np.array(grandparents)


def test_a_rule_holds_for_entities_that_training_never_saw(tmp_path: Path) -> None:
    parents, grandparents = families(0)
    train = np.concatenate([parents, grandparents[:16]])
    data = data_of(train, grandparents[16:], 4 * FAMILIES, 3)
    trainer = PathTrainer(Questions(data, CPU), CONFIG, 0)
    trainer.run(tmp_path, silent)

    new_parents, new_grandparents = families(0)
    order = np.random.default_rng(1).permutation(4 * FAMILIES)
    new_parents[:, [0, 2]] = order[new_parents[:, [0, 2]]]
    new_grandparents[:, [0, 2]] = order[new_grandparents[:, [0, 2]]]
    shown = np.concatenate([new_parents, new_grandparents[:16]])
    new = data_of(shown, new_grandparents[16:], 4 * FAMILIES, 3)
    scorer = scorer_of(trainer.model, messages_of(shown, 4 * FAMILIES, 3))
    ranks = filtered_ranks(scorer, new_grandparents[16:], new.known)

    assert (ranks == 1).all()


def test_a_stopped_path_training_goes_on_to_the_same_bits(
    data: LearningData, tmp_path: Path
) -> None:
    def run(folder: Path, stop_at: int) -> PathTrainer:
        def stop(stage: str, done: int, total: int | None, note: str) -> None:
            if done == stop_at:
                raise KeyboardInterrupt

        trainer = PathTrainer(Questions(data, CPU), CONFIG, 0)
        trainer.run(folder, stop)
        return trainer

    whole = run(tmp_path / "whole", 99)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", 2)
    resumed = run(tmp_path / "parts", 99)

    assert resumed.best_mrr == whole.best_mrr
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_a_loss_that_is_not_finite_stops_training(data: LearningData, tmp_path: Path) -> None:
    trainer = PathTrainer(Questions(data, CPU), replace(CONFIG, rate=float("inf")), 0)
    with pytest.raises(Diverged):
        trainer.run(tmp_path, silent)


def test_its_work_bounds_what_it_learns_and_what_it_is_asked(data: LearningData) -> None:
    assert affordable(data, replace(CONFIG, learn=0)) == 0
    assert affordable(data, replace(CONFIG, learn=1e12)) == CONFIG.passes * 2 * len(data.train)
    few, more = (askable(data, replace(CONFIG, work=work)) for work in (5e3, 1e4))
    assert more == pytest.approx(2 * few)
    assert few < len(data.train)


def test_it_is_left_out_where_it_has_no_work_or_cannot_begin(
    data: LearningData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    training = Training(
        Questions(data, CPU), 0, "path", tmp_path, lambda *said: told.append(said[3])
    )
    assert path.train(training, replace(CONFIG, work=0)) is None
    assert told == []
    folder = Path(file.__file__).parent
    for name in (file.WEIGHTS, file.ABOUT):
        shutil.copy(folder / name, tmp_path / name)
    (tmp_path / file.WEIGHTS).write_bytes(b"damaged")

    def damaged() -> bytes:
        return file.read(tmp_path)

    monkeypatch.setattr(path, "shipped", damaged)
    assert path.train(training, CONFIG) is None
    assert "left out" in told[0]
    assert "damaged" in told[0]
    with pytest.raises(FoundationUnusable):
        damaged()


def test_where_no_pair_is_linked_twice_every_edge_between_a_pair_is_hidden() -> None:
    ring = np.array([[i, 0, (i + 1) % 12] for i in range(12)])
    across = np.array([[0, 0, 6], [3, 0, 9]])
    beside = np.array([[1, 0, 0], [4, 0, 3]])

    assert Questions(data_of(ring, across, 12, 1), CPU).hides_all
    assert not Questions(data_of(ring, beside, 12, 1), CPU).hides_all


@pytest.mark.parametrize("linked", [False, True])
def test_every_answer_is_hidden_in_its_own_part_and_in_no_other(linked: bool) -> None:
    rng = np.random.default_rng(0)
    train = np.unique(rng.integers([12, 3, 12], size=(60, 3)), axis=0)
    held_out = np.array([[train[0, 2], 0, train[0, 0]]]) if linked else np.array([[0, 0, 0]])
    questions = Questions(data_of(train, held_out, 12, 3), CPU)
    parts = questions.parts(4)
    known = questions.known
    for position in range(len(known)):
        head, rel = known.head[position], known.rel[position]
        for entry in known.entries(np.array([position])):
            for part, rest in enumerate(parts.rest):
                edge = (rest.ends[0] == head) & (rest.rel == rel)
                stated = bool((edge & (rest.ends[1] == known.answer[entry])).any())
                if part == parts.of_answer[entry]:
                    assert not stated
                elif not questions.hides_all:
                    assert stated


def test_what_counts_for_nothing_is_never_asked_and_what_counts_twice_twice_as_often() -> None:
    none = np.zeros((0, 3))
    data = data_of(np.array([(0, 0, 1), (1, 0, 2), (2, 0, 3)]), none, 4, 1)
    rng = np.random.default_rng(0)
    weighed = replace(data, weight=np.array([0.0, 1.0, 0.5], np.float32))
    often = np.bincount([int(drawn(weighed, 1, rng)[0]) for _ in range(3000)], minlength=3)

    assert sorted(drawn(weighed, 3, rng).tolist()) == [1, 2]
    assert often[0] == 0
    assert often[1] / often[2] == pytest.approx(2, rel=0.15)
    assert sorted(drawn(data, 3, rng).tolist()) == [0, 1, 2]
    asked = hiding(weighed, 1.0, rng, everything=False).asked
    assert 0 not in asked.head
