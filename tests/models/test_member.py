"""The graph network: what it computes and what it must not see."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sightline.models.data.dataset import LearningData
from sightline.models.data.queries import with_reciprocals
from sightline.models.data.questions import Questions
from sightline.models.members.network import GraphNetwork, build, cubed_norm
from sightline.models.training.presets import NetworkConfig
from sightline.models.training.trainer import scorer_of

CPU = torch.device("cpu")
CONFIG = NetworkConfig(dim=8, narrow=4)


def edges_of(messages, num_relations: int) -> set[tuple[int, int, int]]:
    """The triples behind messages, whichever way they go."""
    heads, tails = messages.ends.tolist()
    out = set()
    for h, s, t in zip(heads, messages.rel.tolist(), tails):
        out.add((h, s, t) if s < num_relations else (t, s - num_relations, h))
    return out


def test_a_score_is_the_trilinear_product_of_complex_numbers(data: LearningData) -> None:
    torch.manual_seed(0)
    model = build(data, CONFIG)
    with torch.no_grad():
        x = model.encode(Questions(data, CPU).messages)
        found = model.scores(x, torch.tensor([3]), torch.tensor([4]))[0].numpy()

    def complex_of(vector: torch.Tensor) -> np.ndarray:
        real, imaginary = vector.detach().numpy().reshape(2, -1)
        return real + 1j * imaginary

    head, rel = complex_of(x[3]), complex_of(model.rel[4])
    wanted = [(head * rel * complex_of(tail).conj()).sum().real for tail in x]
    assert found == pytest.approx(wanted, rel=1e-5)


def test_a_new_layer_changes_nothing(data: LearningData) -> None:
    """Training begins as plain ComplEx: the residual starts at zero."""
    model = build(data, CONFIG).eval()

    assert torch.equal(model.encode(Questions(data, CPU).messages), model.entity)


def test_a_message_follows_its_edge(data: LearningData) -> None:
    torch.manual_seed(0)
    model = build(data, CONFIG).eval()
    torch.nn.init.normal_(model.layers[0].up.weight)
    messages = Questions(data, CPU).messages
    with torch.no_grad():
        before = model.encode(messages)
        model.entity[12] += 1.0
        changed = (model.encode(messages) != before).any(dim=1).nonzero().flatten().tolist()

    # Firm 12 employs 0, 3, 6, 9 and lies in city 15.
    assert changed == [0, 3, 6, 9, 12, 15]


def test_a_question_does_not_see_its_own_answers_in_either_direction(data: LearningData) -> None:
    questions = Questions(data, CPU)
    position = int(questions.known.find(np.array([5]), np.array([2]))[0])  # (5, lives_in, ?)
    left = edges_of(questions.messages_without(torch.tensor([position])), data.num_relations)
    everything = {tuple(t) for t in data.train.tolist()}

    assert everything - left == {(5, 2, 17)}


def test_messages_go_both_ways(data: LearningData) -> None:
    questions = Questions(data, CPU)

    assert len(questions.messages.rel) == 2 * len(data.train)
    assert edges_of(questions.messages, data.num_relations) == {
        tuple(t) for t in data.train.tolist()
    }
    both = with_reciprocals(data.train, data.num_relations)
    assert sorted(questions.messages.rel.tolist()) == sorted(both[:, 1].tolist())


def test_cubed_norm_by_hand() -> None:
    # 3 + 4i has the norm 5; 0 + 2i has the norm 2.
    assert cubed_norm(torch.tensor([[3.0, 0.0, 4.0, 2.0]])).item() == pytest.approx(125 + 8)


def test_the_scorer_leaves_the_model_in_evaluation_mode(data: LearningData) -> None:
    model: GraphNetwork = build(data, NetworkConfig(dim=8, narrow=4, dropout=0.9)).train()
    score = scorer_of(model, Questions(data, CPU).messages)
    heads, rels = np.array([0], np.int32), np.array([0], np.int32)

    assert np.array_equal(score(heads, rels), score(heads, rels))
