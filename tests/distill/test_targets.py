"""What the student is told: each answer as if it were not stated, and the others as they are."""

from __future__ import annotations

import numpy as np
import torch

from sightline.distill.training.network import StudentNetwork
from sightline.distill.training.targets import PARTS, soft_targets
from sightline.graph.progress import silent
from sightline.models.data.dataset import LearningData
from sightline.models.data.questions import Questions
from sightline.models.members.network import build
from sightline.models.members.path.network import PathMember
from sightline.models.teacher import Teacher
from sightline.models.training.presets import NetworkConfig, StudentConfig

CPU = torch.device("cpu")
N, R = 15, 3


def data() -> LearningData:
    rng = np.random.default_rng(0)
    train = np.unique(rng.integers([N, R, N], size=(60, 3)), axis=0).astype(np.int32)
    none = np.zeros((0, 3), np.int32)
    return LearningData(
        entity_iris=[f"e{i}" for i in range(N)],
        relation_iris=[f"r{i}" for i in range(R)],
        train=train,
        select=train[:1],
        calibrate=none,
        test=none,
        valid_negatives=none,
        test_negatives=none,
        split="given",
    )


def teacher_of(learning: LearningData) -> Teacher:
    torch.manual_seed(0)
    config = NetworkConfig(dim=8, narrow=4)
    members = [build(learning, config), PathMember(R, limit=N)]
    return Teacher(members, R).eval()


def test_an_answer_is_scored_where_it_is_hidden_and_the_others_by_the_mean() -> None:
    learning = data()
    teacher, questions = teacher_of(learning), Questions(learning, CPU)
    found = soft_targets(teacher, questions, StudentConfig(), silent)
    parts, known = questions.parts(PARTS), questions.known
    for position in range(len(questions)):
        head = torch.tensor([known.head[position]]).long()
        rel = torch.tensor([known.rel[position]]).long()
        entries = known.entries(np.array([position]))
        asked = {
            int(part): teacher.scores(teacher.encode(parts.rest[part]), head, rel)[0].detach()
            for part in np.unique(parts.of_answer[entries])
        }
        wanted = torch.stack(list(asked.values())).mean(dim=0)
        for entry in entries:
            answer = known.answer[entry]
            wanted[answer] = asked[int(parts.of_answer[entry])][answer]

        torch.testing.assert_close(found.score[position], wanted)


def test_a_large_graph_keeps_the_best_and_the_mass_of_the_rest() -> None:
    learning = data()
    teacher, questions = teacher_of(learning), Questions(learning, CPU)
    full = soft_targets(teacher, questions, StudentConfig(), silent).score
    config = StudentConfig(dense=3, top=5)
    found = soft_targets(teacher, questions, config, silent)

    assert found.entity is not None
    torch.testing.assert_close(found.score, full.gather(1, found.entity))
    torch.testing.assert_close(found.score, full.topk(5, dim=1).values)
    for column, temperature in enumerate(config.temperatures):
        best = torch.logsumexp(found.score / temperature, dim=1)
        mass = torch.logaddexp(best, found.rest[:, column])
        torch.testing.assert_close(mass, torch.logsumexp(full / temperature, dim=1))


def test_the_student_starts_from_members_that_learn_entities() -> None:
    learning = data()
    teacher = teacher_of(learning)
    found = soft_targets(teacher, Questions(learning, CPU), StudentConfig(), silent)

    assert found.vectors.shape == (N, 8)


def test_what_a_member_is_not_asked_the_others_answer() -> None:
    """Of the path member's questions a share is asked; the rest is what the network alone says."""
    learning = data()
    teacher, questions = teacher_of(learning), Questions(learning, CPU)
    teacher.weight.copy_(torch.tensor([0.25, 0.75]))
    teacher.weight[0] = torch.tensor([0.0, 1.0])
    both, network, some = (
        soft_targets(teacher, questions, StudentConfig(), silent, shares).score
        for shares in ((1.0, 1.0), (1.0, 0.0), (1.0, 0.5))
    )
    by_both, by_one = ((some - whole).abs().amax(dim=1) < 1e-5 for whole in (both, network))

    assert 0.3 < by_both.float().mean() < 0.7
    assert torch.equal(by_one, ~by_both)
    x = teacher.encode(questions.messages)
    alone = Teacher([teacher.members[0]], R).eval()
    heads, rels = torch.tensor([0, 3]), torch.tensor([0, 4])
    told = teacher.scores(x, heads, rels, teacher.weight_of([True, False]))
    torch.testing.assert_close(told, alone.scores(x[:1], heads, rels))


def test_a_member_that_reads_paths_teaches_alone_what_it_has_no_work_for_too() -> None:
    learning = data()
    teacher, questions = Teacher([PathMember(R, limit=N)], R), Questions(learning, CPU)
    whole, some = (
        soft_targets(teacher, questions, StudentConfig(), silent, shares)
        for shares in ((1.0,), (0.5,))
    )

    assert torch.isfinite(whole.score).all()
    torch.testing.assert_close(some.score, whole.score)
    # It has no vectors for a student to start from, which then starts at random.
    assert some.vectors.shape == (N, 0)
    student = StudentNetwork(N, R, StudentConfig())
    drawn = student.entity.detach().clone()
    student.start_from(some.vectors)
    assert torch.equal(student.entity, drawn)
