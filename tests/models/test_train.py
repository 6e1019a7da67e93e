"""Training: it learns, it can be stopped, and it goes on to the same bits."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sightline.graph.errors import UsageError
from sightline.graph.progress import silent
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from sightline.models.data.dataset import LearningData, Weighting
from sightline.models.data.questions import Questions
from sightline.models.errors import Diverged, NoModel, OutOfDeviceMemory
from sightline.models.members import network
from sightline.models.members.member import Member, Training
from sightline.models.members.network import NetworkTrainer, hill_climb
from sightline.models.members.table import MEMBERS
from sightline.models.ranking import RankingMetrics, filtered_ranks
from sightline.models.train import identify, open_teacher, train
from sightline.models.training import presets
from sightline.models.training.checkpoint import FILE, load_checkpoint, save_checkpoint
from sightline.models.training.device import choose_device, memory_guard
from sightline.models.training.loss import answer_loss
from sightline.models.training.presets import NetworkConfig, PathConfig, Preset, StudentConfig
from sightline.models.training.trainer import Trainer, scorer_of
from tests.graph.conftest import add_load, fact

CPU = torch.device("cpu")
CONFIG = NetworkConfig(dim=32, narrow=8, epochs=12, patience=12)


def trained(data: LearningData, folder: Path, progress=silent, **changes: object) -> NetworkTrainer:
    trainer = NetworkTrainer(Questions(data, CPU), replace(CONFIG, **changes), 0)
    trainer.run(folder, progress)
    return trainer


def weights(trainer: NetworkTrainer) -> dict[str, np.ndarray]:
    return {k: v.numpy() for k, v in trainer.model.state_dict().items()}


def test_a_rule_with_examples_is_learnt(data: LearningData, tmp_path: Path) -> None:
    """Who works where lives where: the held-out homes are among 18 entities, by chance at 5 %."""
    trainer = trained(data, tmp_path, epochs=60)
    held_out = np.concatenate([data.select, data.calibrate, data.test])
    ranks = filtered_ranks(
        scorer_of(trainer.model, trainer.questions.messages),
        held_out,
        data.known,
    )
    homes = RankingMetrics.of(ranks[: len(held_out)])

    assert homes.hits_at_3 == 1.0


def test_a_stopped_training_goes_on_to_the_same_bits(data: LearningData, tmp_path: Path) -> None:
    whole = trained(data, tmp_path / "whole")

    def stop(stage: str, done: int, total: int | None, note: str) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(data, tmp_path / "parts", stop)
    resumed = trained(data, tmp_path / "parts")

    assert resumed.best_mrr == whole.best_mrr
    for name, value in weights(whole).items():
        assert np.array_equal(value, weights(resumed)[name]), name


def test_a_trial_goes_on_to_the_same_bits(data: LearningData, tmp_path: Path) -> None:
    whole = trained(data, tmp_path / "whole", epochs=40)
    trial = NetworkTrainer(Questions(data, CPU), replace(CONFIG, epochs=40), 0)
    trial.run(tmp_path / "parts", silent, share=4)
    resumed = trained(data, tmp_path / "parts", epochs=40)

    assert trial.epoch == 10
    assert resumed.best_mrr == whole.best_mrr
    for name, value in weights(whole).items():
        assert np.array_equal(value, weights(resumed)[name]), name


def test_a_seed_decides_where_training_begins_and_in_which_order(
    data: LearningData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for seed in (0, 1, 1):
        trainer, order = NetworkTrainer(Questions(data, CPU), CONFIG, seed), []

        def stop(positions: torch.Tensor, steps: int, order: list = order) -> float:
            order.append(positions)
            raise Diverged(0)

        monkeypatch.setattr(trainer, "_learn", stop)
        with pytest.raises(Diverged):
            trainer.run(tmp_path / str(len(found)), silent)
        found.append((trainer.model.entity.detach(), order[0]))
    zero, *(one, again) = found
    for first, other, same in zip(zero, one, again):
        assert not torch.equal(first, other)
        assert torch.equal(other, same)


def test_the_random_state_of_the_caller_is_given_back(data: LearningData, tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    trained(data, tmp_path, epochs=2)

    assert torch.equal(torch.get_rng_state(), before)


def test_a_loss_that_is_not_finite_ends_the_training(data: LearningData, tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="nothing was published"):
        trained(data, tmp_path, rate=float("inf"))


def test_a_graph_with_nothing_to_select_on_trains_to_the_end(
    data: LearningData, tmp_path: Path
) -> None:
    trainer = trained(replace(data, select=data.select[:0]), tmp_path, epochs=3)

    assert trainer.best_mrr is None
    assert trainer.best_epoch == 3


@pytest.mark.parametrize("candidates", [4, 17])
def test_a_sample_of_the_tails_is_enough_to_learn(
    data: LearningData, tmp_path: Path, candidates: int
) -> None:
    trainer = trained(data, tmp_path, epochs=30, candidates=candidates)

    assert trainer.best_mrr is not None
    assert trainer.best_mrr > 0.3


def test_a_checkpoint_gives_back_what_it_was_given(tmp_path: Path) -> None:
    a, b = torch.randn(3, 2), torch.tensor([1, 2])
    save_checkpoint(tmp_path, {"a.x": a, "of": {0: {"b": b}}}, {"mrr": 0.1 + 0.2, "none": None})
    found = load_checkpoint(tmp_path)

    assert found is not None
    assert torch.equal(found[0]["a.x"], a)
    assert torch.equal(found[0]["of"]["0"]["b"], b)
    assert found[1] == {"mrr": 0.1 + 0.2, "none": None}


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 and no more"])
def test_a_damaged_checkpoint_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)

    assert load_checkpoint(tmp_path) is None


def test_devices() -> None:
    assert choose_device("cpu") == CPU
    with pytest.raises(UsageError, match="choose auto, cpu or cuda"):
        choose_device("tpu")
    if not torch.cuda.is_available():
        assert choose_device("auto") == CPU
        with pytest.raises(UsageError, match="not available"):
            choose_device("cuda")


def test_too_little_memory_is_one_clear_error() -> None:
    with pytest.raises(OutOfDeviceMemory, match="use --preset quick"), memory_guard(CPU):
        torch.empty(1 << 60)


#: Pages that the system clears and maps for tensors that come and go: in the block and after it.
FAULTS = """
import resource, torch
from sightline.models.training.device import memory_guard

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        ones = torch.ones(64 << 20, dtype=torch.uint8)
        ones = ones + 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

with memory_guard(torch.device("cpu")):
    faults()
    kept = faults()
print(kept, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is kept with glibc alone")
def test_freed_memory_is_kept_while_a_model_learns_and_given_back_after() -> None:
    # A process of its own: where memory comes from depends on all that a process did before.
    said = subprocess.run([sys.executable, "-c", FAULTS], stdout=subprocess.PIPE, check=True)
    kept, after = map(int, said.stdout.split())

    assert 2 * kept < after


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A compiled workspace, and a preset that takes no time."""
    few = replace(CONFIG, epochs=2)
    partner, path = replace(few, layers=0), PathConfig(passes=1)
    small = Preset("quick", few, partner, path, StudentConfig(epochs=3))
    monkeypatch.setitem(presets.PRESETS, "quick", small)
    ws = Workspace.create(tmp_path / "ws")
    pairs = [(f"p{i}", "knows", f"p{j}") for i in range(9) for j in range(9) if (i + j) % 3 == 0]
    add_load(ws, [fact(pair) for pair in pairs])
    compile_snapshot(ws, rdf=False)
    return ws


def test_a_model_folder_says_what_it_was_made_of(workspace: Workspace) -> None:
    model_id = train(workspace, preset="quick", seed=3, device="cpu")
    manifest = json.loads((workspace.models / model_id / "manifest.json").read_text())
    teacher, data, _ = open_teacher(workspace, model_id)

    assert manifest["seed"] == 3
    assert manifest["snapshot"] == workspace.current.snapshot
    assert manifest["versions"]["torch"]
    assert manifest["split"]["train"] == len(data.train)
    network, partner, path = teacher.members
    assert network.entity.shape == partner.entity.shape == (data.num_entities, CONFIG.dim)
    assert path.limit == manifest["members"][2]["config"]["limit"]
    assert not list((workspace.path / ".work").glob("*"))


def test_a_member_that_its_preset_has_no_work_for_is_left_out(
    data: LearningData, tmp_path: Path
) -> None:
    training = Training(Questions(data, CPU), 0, "network", tmp_path, silent)

    assert network.train(training, replace(CONFIG, work=0)) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("tune", [False, True])
def test_the_penalty_that_is_best_on_select_is_kept(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tune: bool
) -> None:
    likes = [(f"p{i}", "likes", f"p{(i + step) % 40}") for i in range(40) for step in (1, 2, 5)]
    add_load(workspace, [fact(one) for one in likes], name="b")
    compile_snapshot(workspace, rdf=False)

    def members(*penalties: float) -> list[dict[str, Any]]:
        preset = presets.PRESETS["quick"]
        network, partner = (
            replace(one, penalty=penalties[0], penalties=penalties)
            for one in (preset.network, preset.partner)
        )
        preset = replace(preset, network=network, partner=partner)
        monkeypatch.setitem(presets.PRESETS, "quick", preset)
        model = train(workspace, preset="quick", tune=tune, device="cpu")
        manifest = json.loads((workspace.models / model / "manifest.json").read_text())
        return manifest["members"][:2]

    low, high, best = members(1e-3), members(3.0), members(1e-3, 3.0)

    for one, other, kept in zip(low, high, best):
        tried = {"0.001": one["select_mrr"], "3.0": other["select_mrr"]}
        assert kept["tried"] == tried
        assert kept["config"]["penalty"] == float(max(tried, key=tried.__getitem__))
        assert kept["select_mrr"] == max(tried.values())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.data())
def test_a_climb_ends_where_no_neighbour_is_better(
    scores: list[float], draw: st.DataObject
) -> None:
    grid = list(range(len(scores)))
    start = draw.draw(st.sampled_from(grid))
    found = hill_climb(grid, start, scores.__getitem__)
    top = max(found, key=found.__getitem__)

    assert found == {place: scores[place] for place in found}
    assert scores[top] >= max(scores[max(top - 1, 0) : top + 2])
    # A single hill is climbed to its top.
    hill = hill_climb(grid, start, lambda place: -abs(place - 2.2))
    assert max(hill, key=hill.__getitem__) == min(2, grid[-1])


def test_the_same_request_finds_the_finished_model(workspace: Workspace) -> None:
    first = train(workspace, preset="quick", device="cpu")
    written = (workspace.models / first / "manifest.json").stat().st_mtime_ns

    assert train(workspace, preset="quick", device="cpu") == first
    assert (workspace.models / first / "manifest.json").stat().st_mtime_ns == written
    assert train(workspace, preset="quick", seed=1, device="cpu") != first


def test_a_teacher_remembers_how_much_facts_counted(workspace: Workspace, tmp_path: Path) -> None:
    table = tmp_path / "rated.csv"
    table.write_text("head,relation,tail,rating\np0,likes,p1,5\np1,likes,p2,1\n")
    ingest(workspace, [table])
    compile_snapshot(workspace, rdf=False)
    plain = train(workspace, preset="quick", device="cpu")
    model_id = train(workspace, preset="quick", weighting=Weighting("rating"), device="cpu")
    teacher, data, manifest = open_teacher(workspace, model_id)

    assert model_id != plain
    assert manifest["weighting"]["qualifier"].endswith("rating")
    assert np.count_nonzero(data.weight == np.float32(0.2)) == 1
    assert not torch.equal(teacher.members[0].rel, open_teacher(workspace, plain)[0].members[0].rel)
    assert open_teacher(workspace, plain)[1].weight is None


def test_an_unknown_model_and_preset_are_named(workspace: Workspace) -> None:
    with pytest.raises(NoModel):
        open_teacher(workspace, "0" * 16)
    with pytest.raises(UsageError, match="quick, standard, max"):
        train(workspace, preset="huge")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("LEARNING", "the software"),
        ("MODEL_FORMAT", "the format"),
        ("digest", "the file that the path member begins with"),
        ("device", "the kind of device"),
    ],
)
def test_the_id_of_a_model_names(monkeypatch: pytest.MonkeyPatch, change: str, what: str) -> None:
    preset = presets.PRESETS["quick"]
    before = identify("snapshot", preset, 0, CPU)
    device = torch.device("cuda" if change == "device" else "cpu")
    if change != "device":
        other = (lambda: "another") if change == "digest" else 99
        monkeypatch.setattr(f"sightline.models.train.{change}", other)

    assert identify("snapshot", preset, 0, device) != before, what
    assert identify("snapshot", preset, 0, device, Weighting(extracted=True)) != before
    assert identify("snapshot", preset, 0, torch.device("cpu", 0)) == before or change != "device"


def test_a_run_ends_where_its_time_is_over(data: LearningData, tmp_path: Path) -> None:
    clock = iter(range(100))
    trainer = NetworkTrainer(Questions(data, CPU), CONFIG, 0)
    trainer.run(tmp_path, silent, over=lambda: next(clock) >= 3)
    later = NetworkTrainer(Questions(data, CPU), CONFIG, 0)
    later.run(tmp_path, silent, over=lambda: True)

    assert trainer.epoch == 4
    # Another call of the same run does nothing more.
    assert later.epoch == 4
    for name, value in weights(trainer).items():
        assert np.array_equal(value, weights(later)[name]), name


class Popularity(torch.nn.Module):
    """A toy member: an entity is a likely answer if it often is one."""

    def __init__(self, relations: int, entities: int) -> None:
        super().__init__()
        self.score = torch.nn.Parameter(torch.zeros(2 * relations, entities))

    def encode(self, messages: object) -> None:
        """There is nothing to read."""

    def scores(self, _: None, head: torch.Tensor, rel: torch.Tensor) -> torch.Tensor:
        return self.score[rel]


@dataclass(frozen=True)
class ToyConfig:
    rounds: int = 3


class ToyTrainer(Trainer):
    epochs, config, _batch = 3, ToyConfig(), 1 << 20

    def _build(self) -> None:
        self.model = toy_network(self.data, self.config)
        self._optimizers = {"adam": torch.optim.Adam(self.model.parameters(), lr=1.0)}

    def _losses(self, positions: torch.Tensor) -> Iterator[torch.Tensor]:
        batch = self.questions.batch(positions)
        scores = self.model.scores(None, batch.head, batch.rel)
        yield answer_loss(scores, batch.row, batch.answer)


def toy_network(data: LearningData, config: ToyConfig) -> Popularity:
    return Popularity(data.num_relations, data.num_entities)


def train_toy(training: Training, config: ToyConfig) -> ToyTrainer:
    trainer = ToyTrainer(training.questions, training.seed, training.name)
    training.run(trainer)
    return trainer


def test_a_member_trains_and_votes_by_its_entry_in_the_table_alone(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Member("toy", lambda preset: ToyConfig(), toy_network, train_toy)
    without = train(workspace, preset="quick", device="cpu")
    monkeypatch.setattr("sightline.models.train.MEMBERS", (*MEMBERS, toy))
    stages: list[str] = []
    with_toy = train(
        workspace, preset="quick", device="cpu", progress=lambda stage, *_: stages.append(stage)
    )
    teacher, data, manifest = open_teacher(workspace, with_toy)

    assert with_toy != without
    assert "train toy" in stages
    assert manifest["members"][-1]["member"] == "toy"
    assert isinstance(teacher.members[-1], Popularity)
    assert teacher.members[-1].score.any()
    assert teacher.weight.shape == (2 * data.num_relations, len(MEMBERS) + 1)
    # Its vote counts where it is given weight.
    teacher.weight[:] = torch.tensor([0.0] * len(MEMBERS) + [1.0])
    messages, zero = Questions(data, CPU).messages, torch.zeros(1, dtype=torch.int64)
    with torch.no_grad():
        found = teacher.scores(teacher.encode(messages), zero, zero)
        wanted = torch.log_softmax(teacher.members[-1].score[:1], dim=1)
    torch.testing.assert_close(found, wanted)
