"""Students of graphs too large to score every entity: a step scores a sample."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sightline.distill.training import encoded
from sightline.distill.training.encoded import EncodedTrainer, encodes
from sightline.distill.training.network import StudentNetwork
from sightline.distill.training.targets import SoftTargets
from sightline.distill.training.train import choose, forms_of
from sightline.distill.training.trainer import Setting, StudentTrainer
from sightline.graph.progress import silent
from sightline.models.data.dataset import LearningData
from sightline.models.data.questions import Questions
from sightline.models.training.presets import StudentConfig, preset_named

N, HALF = 60, 30
WHOLE = StudentConfig(epochs=30, hidden=32, context=8, rate=0.02)
SAMPLED = StudentConfig(
    epochs=30, hidden=32, context=8, rate=0.02, dense=20, top=8, candidates=24, sure=2
)


def partners() -> LearningData:
    """Entity i goes with i + HALF; three in four are learnt from, to the end."""
    return data_of([(i, 0, i + HALF) for i in range(HALF) if i % 4])


def data_of(facts: list[tuple[int, int, int]]) -> LearningData:
    none, names = np.zeros((0, 3), np.int32), [str(i) for i in range(N)]
    train = np.array(facts, np.int32)
    return LearningData(names, ["with"], train, none, none, none, none, none, "given")


def targets_of(questions: Questions, config: StudentConfig) -> SoftTargets:
    """A teacher that knows every pair, and that near numbers are the next best."""
    known = questions.known
    right = (known.head + HALF) % N
    away = np.abs(np.arange(N)[None, :] - right[:, None])
    full = torch.from_numpy(8.0 - np.minimum(away, N - away).astype(np.float32))
    vectors = torch.randn(N, 8, generator=torch.Generator().manual_seed(5))
    if config.dense >= N:
        return SoftTargets(full, None, torch.zeros(len(full), 0), vectors)
    best, ids = full.topk(config.top, dim=1)
    others = full.scatter(1, ids, -torch.inf)
    rest = [torch.logsumexp(others / t, dim=1) for t in config.temperatures]
    return SoftTargets(best, ids, torch.stack(rest, dim=1), vectors)


def trainer_of(config: StudentConfig, setting: Setting) -> StudentTrainer:
    questions = Questions(partners(), torch.device("cpu"))
    return StudentTrainer(questions, targets_of(questions, config), config, setting, seed=0)


def learnt(trainer: StudentTrainer, folder: Path) -> float:
    """Mean probability of the training answers."""
    trainer.run(folder, silent)
    known = trainer.questions.known
    with torch.no_grad():
        head, rel = (torch.from_numpy(a.astype(np.int64)) for a in (known.head, known.rel))
        log = torch.log_softmax(trainer.model.scores(head, rel), dim=1)
        right = torch.from_numpy(((known.head + HALF) % N).astype(np.int64))
        return float(log[torch.arange(len(head)), right].exp().mean())


@pytest.mark.parametrize("setting", [Setting(1.0), Setting(None)], ids=["student", "control"])
@pytest.mark.parametrize("config", [SAMPLED, replace(SAMPLED, candidates=N)], ids=["some", "all"])
def test_a_sample_teaches_about_what_all_entities_teach(
    config: StudentConfig, setting: Setting, tmp_path: Path
) -> None:
    wanted = learnt(trainer_of(WHOLE, setting), tmp_path / "whole")
    found = learnt(trainer_of(config, setting), tmp_path / "sampled")

    assert found > 10 / N
    assert found == pytest.approx(wanted, abs=0.3)


def test_a_sample_holds_the_answers_and_the_teachers_best() -> None:
    trainer = trainer_of(SAMPLED, Setting(1.0))
    positions = torch.tensor([0, 7, 20])
    batch = trainer.questions.batch(positions)
    ids = trainer.targets.entity
    assert ids is not None
    drawn = trainer._draw(batch, positions)
    sure = set(batch.answer.tolist()) | set(ids[positions, :2].flatten().tolist())

    assert len(drawn.entity) == SAMPLED.candidates
    assert sure <= set(drawn.entity[drawn.log_weight == 0].tolist())


def test_student_and_control_score_as_many() -> None:
    """A control that scored fewer would be no control."""
    positions = torch.arange(6)
    trainers = [trainer_of(SAMPLED, setting) for setting in (Setting(1.0), Setting(None))]
    sizes = [len(t._draw(t.questions.batch(positions), positions).entity) for t in trainers]

    assert sizes == [SAMPLED.candidates] * 2


def test_a_step_hears_teacher_and_facts_and_a_question_as_often_as_it_has_answers() -> None:
    """By hand, where one of five questions has two answers."""
    questions = Questions(data_of([(0, 0, 30), (0, 0, 31), (1, 0, 32)]), torch.device("cpu"))
    draw = torch.Generator().manual_seed(1)
    told, vectors = (torch.randn(size, generator=draw) for size in ((5, N), (N, 8)))
    targets = SoftTargets(told, None, torch.zeros(5, 0), vectors)
    config = replace(WHOLE, soft=0.75, dropout=0)
    trainer = StudentTrainer(questions, targets, config, Setting(2.0), seed=0)
    trainer._build()
    batch = questions.batch(torch.arange(5))
    (loss,) = trainer._losses(torch.arange(5))

    scores = trainer.model.scores(batch.head, batch.rel)
    hard = -torch.log_softmax(scores, 1)[batch.row, batch.answer].mean()
    p, q = (torch.log_softmax(each / 2, 1) for each in (told, scores))
    soft = 4 * torch.tensor([2.0, 1, 1, 1, 1]) @ (p.exp() * (p - q)).sum(1) / 6
    torch.testing.assert_close(loss, 0.25 * hard + 0.75 * soft)


def test_an_answer_counts_by_its_weight_in_both_parts_of_the_loss() -> None:
    weight = np.array([1.0, 0.5, 0.25], np.float32)
    data = replace(data_of([(0, 0, 30), (0, 0, 31), (1, 0, 32)]), weight=weight)
    questions = Questions(data, torch.device("cpu"))
    told, vectors = torch.randn(5, N), torch.randn(N, 8)
    targets = SoftTargets(told, None, torch.zeros(5, 0), vectors)
    config = replace(WHOLE, soft=0.75, dropout=0)
    trainer = StudentTrainer(questions, targets, config, Setting(1.0), seed=0)
    trainer._build()
    batch = questions.batch(torch.arange(5))
    (loss,) = trainer._losses(torch.arange(5))

    p, q = (
        torch.log_softmax(told, 1),
        torch.log_softmax(trainer.model.scores(batch.head, batch.rel), 1),
    )
    counts = torch.tensor([1, 0.5, 0.25, 1, 0.5, 0.25])  # of (0, 30), (0, 31), (1, 32) and back
    hard = -counts @ q[[0, 0, 1, 2, 3, 4], [30, 31, 32, 0, 0, 1]]
    soft = torch.tensor([1.5, 0.25, 1, 0.5, 0.25]) @ (p.exp() * (p - q)).sum(1)
    torch.testing.assert_close(loss, (0.25 * hard + 0.75 * soft) / 3.5)


def test_an_encoded_student_hears_less_of_what_counts_less() -> None:
    data = replace(ring(), weight=np.linspace(0, 1, 2 * N).astype(np.float32))
    trainer = encoded_of(WHOLE, Setting(None), data)
    trainer._build()
    rows = trainer.model.entity = torch.randn(N, 64)
    trainer.model.eval()
    asked, answer, weight = trainer.questions.asked_of(torch.tensor([5, 60]))
    each = torch.stack([trainer._loss(asked[i : i + 1], answer[i : i + 1]) for i in range(4)])

    assert rows is trainer.model.entity
    torch.testing.assert_close(weight, torch.from_numpy(data.weight[[5, 60, 5, 60]]))
    torch.testing.assert_close(trainer._loss(asked, answer, weight), each @ weight / weight.sum())

    heard = []
    trainer._loss = lambda _, __, counts: heard.append(counts) or trainer.model.entity.sum()
    for loss in trainer._losses(torch.tensor([5, 60])):
        loss.backward()
    assert sorted(heard[0].tolist()) == sorted(weight.tolist())


def encoded_of(config: StudentConfig, setting: Setting, data: LearningData) -> EncodedTrainer:
    questions = Questions(data, torch.device("cpu"))
    return EncodedTrainer(questions, targets_of(questions, config), config, setting, 0)


def ring() -> LearningData:
    """Everything has a next one and one after; each is asked by the other."""
    steps = [(i, step - 1, (i + step) % N) for i in range(N) for step in (1, 2)]
    return replace(data_of(steps), relation_iris=["next", "after"])


def test_rows_are_encoded_where_training_has_not_asked_what_is_chosen_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoded, "ENOUGH", 6)
    data = replace(ring(), select=np.array([(0, 0, 5), (3, 1, 7), (4, 0, 9)], np.int32))
    assert not encodes(data)
    assert not encodes(replace(data, train=data.train[2:]))
    assert encodes(replace(data, train=np.delete(data.train, [0, 1, 8], axis=0)))
    assert not encodes(partners())
    few = np.delete(data.train, [0, 1, 8], axis=0)
    assert len(forms_of(replace(data, train=few), WHOLE)) == 2
    assert len(forms_of(replace(data, train=few), preset_named("quick").student)) == 1
    assert not encodes(replace(data, train=few, select=data.select[:2]))


def test_a_step_asks_only_for_facts_that_its_rows_were_not_made_of() -> None:
    trainer = encoded_of(WHOLE, Setting(None), ring())
    trainer._build()
    encode, read, asked = trainer.model.encoder.forward, [], []
    trainer.model.encoder.forward = lambda messages: read.append(messages) or encode(messages)
    trainer._loss = lambda question, answer, _: (
        asked.append((question, answer)) or trainer.model.entity.sum()
    )
    facts = torch.tensor([3, 50])
    for loss in trainer._losses(facts):
        loss.backward()

    known, stated = trainer.questions.known, trainer.data.train[facts.numpy()]
    ((question, answer),) = asked
    found = zip(known.head[question], known.rel[question], answer.tolist())
    both = [(h, r, t) for h, r, t in stated] + [(t, r + 2, h) for h, r, t in stated]
    assert sorted(found) == sorted(both)
    left = set(zip(*read[0].ends.tolist(), read[0].rel.tolist()))
    assert len(left) == 2 * len(trainer.data.train) - 4
    assert not left & {(h, t, r) for h, r, t in both}


@pytest.mark.parametrize("setting", [Setting(2.0), Setting(None, 0.1)], ids=["student", "control"])
@pytest.mark.parametrize("config", [WHOLE, SAMPLED], ids=["all", "some"])
def test_an_encoded_student_is_read_by_rows_of_the_whole_graph(
    config: StudentConfig, setting: Setting, tmp_path: Path
) -> None:
    config = replace(config, epochs=2)
    trainer = encoded_of(config, setting, ring())
    trainer.run(tmp_path, silent)
    with torch.no_grad():
        rows = trainer.model.encoder(trainer.questions.messages)
        scores = trainer.model.scores(torch.tensor([0, 7]), torch.tensor([1, 2]))
    arrays = trainer.model.arrays()

    assert torch.equal(trainer.model.entity, rows)
    assert arrays.out_weight.shape[1] == arrays.entity.shape[1] == 64
    found = arrays.scores(np.array([0, 7], np.int32), np.array([1, 2], np.int32))
    assert np.abs(found - scores.numpy()).max() < 0.05 * scores.abs().max()


def test_what_ships_knows_nothing_of_the_unit_in_which_a_relation_is_learnt() -> None:
    torch.manual_seed(0)
    model = StudentNetwork(N, 2, WHOLE, encoded=True).eval()
    torch.nn.init.normal_(model.out.weight)
    # Rows that rounding leaves as they are.
    model.entity.copy_(torch.from_numpy(model.arrays().entity))
    heads, rels = np.array([0, 7], np.int32), np.array([1, 2], np.int32)
    with torch.no_grad():
        scores = model.scores(*(torch.from_numpy(a).long() for a in (heads, rels)))

    assert scores.std() > 1
    assert np.abs(model.arrays().scores(heads, rels) - scores.numpy()).max() < 1e-3


def test_the_rate_of_a_short_trial_rises_as_that_of_the_whole_run() -> None:
    trainer = encoded_of(WHOLE, Setting(None), ring())
    rates = []
    for trainer.step in range(encoded.RISE + 1):
        rates.append(trainer._rate(0.0) / WHOLE.rate)

    assert rates == pytest.approx([min(1, (k + 1) / encoded.RISE) for k in range(len(rates))])
    assert 0 < rates[0] < rates[-2] == rates[-1] == 1


@pytest.mark.parametrize("setting", [Setting(1.0), Setting(None)], ids=["student", "control"])
@pytest.mark.parametrize("config", [WHOLE, replace(SAMPLED, candidates=59)], ids=["all", "some"])
def test_a_true_answer_that_is_not_asked_for_is_neither_pushed_away_nor_told(
    config: StudentConfig, setting: Setting
) -> None:
    data = data_of([(0, 0, 1), (0, 0, 2), (3, 0, 4)])
    trainer = encoded_of(config, setting, data)
    trainer._build()
    question = torch.from_numpy(trainer.questions.known.find(np.array([0]), np.array([0])))
    rows = trainer.model.entity = torch.zeros(N, 64, requires_grad=True)
    with torch.no_grad():
        rows.normal_(std=0.1)
    trainer.model.eval()
    loss = trainer._loss(question, torch.tensor([1]))
    loss.backward()

    assert rows.grad[1].abs().sum() > 0
    assert rows.grad[4].abs().sum() > 0
    assert rows.grad[2].abs().sum() == 0
    if config is WHOLE:
        trainer.targets.score[:, 2] += 5
        assert torch.equal(trainer._loss(question, torch.tensor([1])), loss)


def test_an_encoded_student_that_was_stopped_ends_with_the_same_bits(tmp_path: Path) -> None:
    def arrays_of(folder: Path, stops: bool) -> np.ndarray:
        trainer = encoded_of(replace(WHOLE, epochs=4), Setting(2.0), ring())

        def stop(stage: str, done: int, total: int | None, note: str) -> None:
            if stops and done == 2:
                raise KeyboardInterrupt

        trainer.run(folder, stop)
        return trainer.model.arrays().entity

    whole = arrays_of(tmp_path / "whole", stops=False)
    with pytest.raises(KeyboardInterrupt):
        arrays_of(tmp_path / "part", stops=True)
    assert np.array_equal(arrays_of(tmp_path / "part", stops=False), whole)


@pytest.mark.parametrize("better", ["learnt", "encoded"])
def test_of_two_forms_the_better_on_select_is_kept_and_each_has_its_own_checkpoint(
    better: str,
) -> None:
    def form(base: type[StudentTrainer], name: str) -> type[StudentTrainer]:
        def begin(self, questions, targets, config, setting, seed, called, share) -> None:
            self.called, self.best_mrr = called, 0.5 if name == better else 0.4

        return type(name, (base,), {"__init__": begin})

    ran: list[str] = []
    training = SimpleNamespace(
        name="control", questions=None, seed=0, run=lambda one: ran.append(one.called)
    )
    forms = [form(StudentTrainer, "learnt"), form(EncodedTrainer, "encoded")]
    best, said = choose(training, None, WHOLE, [Setting(None)], forms)

    assert type(best).__name__ == better
    assert said == {"grid": {"0.0": 0.5}, "chosen": 0.0}
    assert len(set(ran)) == len(ran) == 4
