"""The path member: what it reaches, what it must not see, and that it learns no entity."""

from __future__ import annotations

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
from sightline.models.data.questions import Questions
from sightline.models.errors import Diverged
from sightline.models.members.path import compiled, tensors
from sightline.models.members.path.backends import path_graph
from sightline.models.members.path.graph import Neighbourhood
from sightline.models.members.path.network import PathMember
from sightline.models.members.path.rows import ALL_EDGES, MaskedQuery
from sightline.models.members.path.trainer import PathTrainer, affordable, hiding, steps_to_answers
from sightline.models.ranking import filtered_ranks
from sightline.models.training.presets import PathConfig
from sightline.models.training.trainer import scorer_of

CPU = torch.device("cpu")
CONFIG = PathConfig(steps=3, most_steps=3, batch=8, passes=40)


def messages_of(triples: np.ndarray, num_entities: int, num_relations: int) -> Messages:
    head, relation, tail = torch.from_numpy(np.asarray(triples, np.int64).reshape(-1, 3)).T
    ends = torch.stack([torch.cat([head, tail]), torch.cat([tail, head])])
    rel = torch.cat([relation, relation + num_relations])
    return Messages(ends, rel, num_entities)


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
def asked_graphs(draw: st.DrawFn) -> tuple[np.ndarray, MaskedQuery]:
    """Triples over 6 entities and 2 relations, and some of them as questions that hide them."""
    triple = st.tuples(st.integers(0, 5), st.integers(0, 1), st.integers(0, 5))
    triples = np.array(sorted(draw(st.sets(triple, min_size=1, max_size=14))), np.int32)
    chosen = draw(st.lists(st.integers(0, len(triples) - 1), min_size=1, max_size=4))
    return triples, hiding(triples[chosen], 2, everything=draw(st.booleans()))


def visible(triples: np.ndarray, asked: MaskedQuery, b: int) -> np.ndarray:
    """The triples that question b may see."""
    head, tail = asked.head[b], asked.tail[b]
    if asked.rel[b] == ALL_EDGES:
        ends = {(h, t) for h, t in triples[:, [0, 2]].tolist()}
        hidden = [{h, t} == {head, tail} for h, _, t in triples]
        assert ends
    else:
        hidden = [(h, r, t) == (head, asked.rel[b], tail) for h, r, t in triples]
    return triples[~np.array(hidden)]


@given(asked_graphs())
def test_rows_are_the_entities_within_reach_that_networkx_finds(case) -> None:
    triples, asked = case
    graph = path_graph(messages_of(triples, 6, 2))
    near = Neighbourhood.around(graph, asked, 2, 100)
    for b, head in enumerate(asked.head):
        walk = nx.Graph()
        walk.add_node(head)
        walk.add_edges_from(visible(triples, asked, b)[:, [0, 2]].tolist())
        distance = nx.single_source_shortest_path_length(walk, head)
        for steps in (0, 1, 2):
            rows = near.start[steps, b + 1] - near.start[steps, b]
            assert set(near.entity[b, :rows].tolist()) == {
                e for e, d in distance.items() if d <= steps
            }


def heard_in_a_loop(
    triples: np.ndarray, near: Neighbourhood, asked: MaskedQuery, x, weight, step: int
):
    """What the rows of a step hear, edge by edge, and how much."""
    told, count = [], []
    for b in range(len(asked.head)):
        edges = visible(triples, asked, b).tolist()
        edges = [*edges, *((t, r + 2, h) for h, r, t in edges)]
        first, last = (near.start[step - 1, b + i].item() for i in (0, 1))
        for target in near.entity[b, : near.start[step, b + 1] - near.start[step, b]].tolist():
            sent = [x[:0]]
            for source, rel, to in edges:
                place = near.place[b, source].item()
                if to == target and 0 <= place < last - first:
                    sent.append((x[first + place] * weight[b, rel])[None])
            said = torch.cat(sent)
            with_zero = torch.cat([said, torch.zeros(1, 32)])
            told.append(
                torch.stack(
                    [said.sum(0), said.square().sum(0), with_zero.amax(0), with_zero.amin(0)]
                )
            )
            count.append(float(len(said)))
    return torch.stack(told), torch.tensor(count)


@pytest.mark.parametrize("backend", [compiled, tensors])
@given(asked_graphs(), st.integers(0, 1000))
def test_messages_and_gradients_are_those_of_a_plain_loop(backend, case, seed: int) -> None:
    triples, asked = case
    near = Neighbourhood.around(path_graph(messages_of(triples, 6, 2)), asked, 2, 100)
    torch.manual_seed(seed)
    x = torch.randn(int(near.start[1, -1]), 32, requires_grad=True)
    weight = torch.randn(len(asked.head), 4, 32, requires_grad=True)
    found, count = backend.gather(x, weight, near, 2)
    wanted, wanted_count = heard_in_a_loop(triples, near, asked, x, weight, 2)

    assert torch.equal(count, wanted_count)
    torch.testing.assert_close(found, wanted)
    downstream = torch.randn_like(found)
    for one, other in zip(
        torch.autograd.grad(found, [x, weight], downstream),
        torch.autograd.grad(wanted, [x, weight], downstream, materialize_grads=True),
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backend", [compiled, tensors])
def test_entities_that_are_alike_do_not_count_for_more_in_a_gradient(backend) -> None:
    """Nine leaves of one hub send the same message: the largest of them moves as one does."""
    leaves = np.array([[0, 0, 1 + i] for i in range(9)] + [[1 + i, 1, 10] for i in range(9)])
    torch.manual_seed(0)
    model = PathMember(2, steps=3, limit=100)
    graph = replace(model.encode(messages_of(leaves, 11, 2)), backend=backend)

    def score() -> torch.Tensor:
        return model.ask(graph, MaskedQuery.of([0]), torch.tensor([0]))[0, 10]

    weight = model.layers[0].change.weight
    (gradient,) = torch.autograd.grad(score(), [weight])
    step = 1e-3 * gradient / gradient.norm()
    with torch.no_grad():
        weight += step
        above = score()
        weight -= 2 * step
        below = score()

    assert (above - below).item() == pytest.approx(2e-3 * gradient.norm().item(), rel=0.01)


@given(asked_graphs(), st.integers(1, 7), st.integers(0, 1000))
def test_both_back_ends_find_the_same_rows_and_give_the_same_scores(
    case, limit: int, seed: int
) -> None:
    triples, asked = case
    torch.manual_seed(seed)
    model = PathMember(2, steps=3, limit=limit).eval()
    graph = model.encode(messages_of(triples, 6, 2))
    other = replace(graph, backend=tensors)
    found, wanted = (Neighbourhood.around(one, asked, 3, limit) for one in (graph, other))
    rels = torch.arange(len(asked.head)) % 4

    assert graph.backend is compiled
    assert torch.equal(found.place, wanted.place)
    assert torch.equal(found.start, wanted.start)
    for step in range(4):
        for mine, theirs in zip(found.rows(step), wanted.rows(step)):
            assert torch.equal(mine, theirs)
    with torch.no_grad():
        scores = (model.ask(one, asked, rels) for one in (graph, other))
        torch.testing.assert_close(*scores, rtol=1e-4, atol=1e-4)


@given(asked_graphs())
def test_a_hidden_edge_leaves_no_trace(case) -> None:
    """The answer of a question is as if the graph had never stated it: not in reach, and not in
    any count either (a mean over an entity's degree would tell where an edge is missing)."""
    triples, asked = case
    torch.manual_seed(0)
    model = PathMember(2, steps=3, limit=100).eval()
    graph = model.encode(messages_of(triples, 6, 2))
    rels = torch.arange(len(asked.head)) % 4
    with torch.no_grad():
        found = model.ask(graph, asked, rels)
        for b, head in enumerate(asked.head):
            rest = model.encode(messages_of(visible(triples, asked, b), 6, 2))
            rest = replace(rest, log_degree=graph.log_degree)
            wanted = model.scores(rest, torch.tensor([head]), rels[b : b + 1])
            torch.testing.assert_close(found[b : b + 1], wanted)


def test_what_is_not_reached_scores_alike() -> None:
    model = PathMember(1, steps=2, limit=100).eval()
    graph = model.encode(messages_of(np.array([[0, 0, 1], [1, 0, 2], [2, 0, 3], [4, 0, 5]]), 6, 1))
    with torch.no_grad():
        (row,) = model.scores(graph, torch.tensor([0]), torch.tensor([0]))

    assert row[3] == row[4] == row[5]
    assert len(set(row[:4].tolist())) == 4


def test_no_question_is_no_answer() -> None:
    """A blend asks it nothing where it has no say."""
    model = PathMember(1, steps=2, limit=100).eval()
    graph = model.encode(messages_of(np.array([[0, 0, 1]]), 2, 1))
    nothing = torch.zeros(0, dtype=torch.int64)

    assert model.scores(graph, nothing, nothing).shape == (0, 2)


def test_a_limit_keeps_the_nearest() -> None:
    chain = np.array([[i, 0, i + 1] for i in range(9)])
    graph = path_graph(messages_of(chain, 10, 1))
    near = Neighbourhood.around(graph, MaskedQuery.of([0]), 9, 4)

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
    new = data_of(new_parents, new_grandparents, 4 * FAMILIES, 3)
    scorer = scorer_of(trainer.model, messages_of(new_parents, 4 * FAMILIES, 3))
    ranks = filtered_ranks(scorer, new_grandparents, new.known)

    assert (ranks == 1).all()


def test_a_stopped_path_training_goes_on_to_the_same_bits(
    data: LearningData, tmp_path: Path
) -> None:
    def run(folder: Path, stop_at: int) -> PathTrainer:
        def stop(stage: str, done: int, total: int | None, note: str) -> None:
            if done == stop_at:
                raise KeyboardInterrupt

        trainer = PathTrainer(Questions(data, CPU), replace(CONFIG, passes=1), 0)
        trainer.run(folder, stop)
        return trainer

    whole = run(tmp_path / "whole", 99)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", 4)
    resumed = run(tmp_path / "parts", 99)

    assert resumed.best_mrr == whole.best_mrr
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_a_loss_that_is_not_finite_stops_training(data: LearningData, tmp_path: Path) -> None:
    trainer = PathTrainer(Questions(data, CPU), replace(CONFIG, rate=float("inf")), 0)
    with pytest.raises(Diverged):
        trainer.run(tmp_path, silent)


def test_it_is_left_out_where_its_work_does_not_suffice(data: LearningData) -> None:
    graph = path_graph(Questions(data, CPU).messages)

    assert affordable(graph, data, replace(CONFIG, work=0)) == 0
    assert affordable(graph, data, replace(CONFIG, work=1e4)) == 0
    assert affordable(graph, data, replace(CONFIG, work=1e12)) == CONFIG.passes * 2 * len(
        data.train
    )


def test_it_takes_as_many_steps_as_reach_the_answers() -> None:
    ring = np.array([[i, 0, (i + 1) % 20] for i in range(20)])
    config = PathConfig(steps=2, most_steps=6)
    for distance, steps in ((1, 2), (2, 2), (3, 3), (5, 5), (6, 6), (9, 2)):
        data = data_of(ring, np.array([[0, 0, distance], [7, 0, 7 + distance]]), 20, 1)
        assert steps_to_answers(path_graph(Questions(data, CPU).messages), data, config) == steps


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
