"""From a trained teacher to a served student, on a small workspace."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.cli.main import run
from sightline.distill.evaluation.evaluate import evaluate, measure_ranking
from sightline.distill.serving import MAPS_FORMAT, ServedModel, publish, write_maps
from sightline.distill.student.arrays import WIDTH
from sightline.distill.student.student import Student
from sightline.distill.training import train as training
from sightline.distill.training.encoded import EncodedTrainer
from sightline.distill.training.train import distill
from sightline.distill.training.trainer import Setting
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import served_snapshot
from sightline.graph.storage.artifact import verify_artifact
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.workspace import Workspace
from sightline.models.data.dataset import learning_data, spread
from sightline.models.errors import NoModel, WorseModel
from sightline.models.format import MODEL_FORMAT
from sightline.models.ranking import RankingMetrics, filtered_ranks
from sightline.models.train import open_teacher, train
from sightline.models.training import presets
from sightline.models.training.presets import NetworkConfig, PathConfig, Preset, StudentConfig
from tests.graph.conftest import add_load, fact

PEOPLE, FIRMS, CITIES = range(24), range(6), range(3)


def small_world() -> list[tuple[str, str, str]]:
    """People live in the city of their firm, as far as it is known."""
    works = [(f"person{p:02d}", "works_at", f"firm{p % 6}") for p in PEOPLE]
    located = [(f"firm{f}", "located_in", f"city{f % 3}") for f in FIRMS]
    lives = [(f"person{p:02d}", "lives_in", f"city{p % 6 % 3}") for p in PEOPLE if p % 5]
    return [*works, *located, *lives]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, str]:
    """A workspace with a model that was trained, distilled, evaluated and published."""
    ws = Workspace.create(tmp_path_factory.mktemp("distill") / "ws")
    add_load(ws, [fact(triple) for triple in small_world()])
    compile_snapshot(ws, rdf=False)
    with pytest.MonkeyPatch.context() as patch:
        network = NetworkConfig(dim=64, narrow=8, epochs=20)
        partner = NetworkConfig(dim=64, layers=0, epochs=20)
        small = Preset("quick", network, partner, PathConfig(work=0), StudentConfig(epochs=9))
        patch.setitem(presets.PRESETS, "quick", small)
        model_id = train(ws, preset="quick", device="cpu")
        distill(ws, model_id, device="cpu")
        evaluate(ws, model_id)
        publish(ws, model_id)
    return ws, model_id


def test_metrics_say_what_was_measured_and_how(made: tuple[Workspace, str]) -> None:
    ws, model_id = made
    metrics = json.loads((ws.models / model_id / "metrics.json").read_text())

    assert metrics["rank"] == "realistic"
    assert set(metrics["new_entities"]) == {"entities", "from_edges", "learnt", "mean_vector"}
    assert metrics["seed"] == 0
    assert set(metrics["temperature"]["grid"]) == {"1.0", "2.0", "4.0"}
    # As many trials of the control as of the student.
    assert len(metrics["control_smoothing"]["grid"]) == len(metrics["temperature"]["grid"])
    for who in ("teacher", "student", "control"):
        for part in ("valid", "test"):
            found = metrics[who][part]
            assert 0 <= found["hits_at_1"] <= found["hits_at_3"] <= found["hits_at_10"] <= 1
            assert max(found["hits_at_1"], 1e-3) <= found["mrr"] <= 1
        assert metrics[who]["triple_classification"]["source"] == "sampled"


def test_a_teacher_that_is_slow_to_ask_is_measured_on_a_sample_and_says_so(
    made: tuple[Workspace, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws, model_id = Workspace.open(shutil.copytree(made[0].path, tmp_path / "ws")), made[1]
    before = json.loads((ws.models / model_id / "metrics.json").read_text())

    def slow(*asked: Any) -> tuple[object, object, object]:
        teacher, data, manifest = open_teacher(*asked)
        return teacher, data, {**manifest, "members": [*manifest["members"], {"askable": 16}]}

    monkeypatch.setattr("sightline.distill.evaluation.evaluate.open_teacher", slow)
    monkeypatch.setattr("sightline.distill.evaluation.evaluate.FEWEST", 2)
    found = evaluate(ws, model_id)

    # 16 questions are two facts of valid and two of test, each asked twice, and false ones.
    assert found["teacher"]["valid"]["queries"] == found["teacher"]["test"]["queries"] == 4
    assert found["teacher"]["triple_classification"]["positives"] == 2
    assert found["fidelity"]["all"]["queries"] == 4
    assert found["student"] == before["student"]
    data, scorer = open_teacher(ws, model_id)[1], Student.open(ws.models / model_id).arrays.scores
    few = filtered_ranks(scorer, spread(data.valid, 2), data.known)
    assert measure_ranking(scorer, data, 2)["valid"]["mrr"] == pytest.approx((1 / few).mean())


def test_a_member_is_asked_the_share_of_the_questions_that_it_has_work_for(
    made: tuple[Workspace, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ws, model_id = made
    teacher, data, manifest = open_teacher(ws, model_id)
    members = [{**one, "askable": n} for one in manifest["members"][:1] for n in (9, 10**9)]
    given = teacher, data, {**manifest, "members": [*members, manifest["members"][0]]}
    found: list[float] = []

    def asked(*args: Any) -> None:
        found.extend(args[-1])
        raise InterruptedError

    monkeypatch.setattr(training, "open_teacher", lambda *_: given)
    monkeypatch.setattr(training, "soft_targets", asked)
    with pytest.raises(InterruptedError):
        distill(ws, model_id, device="cpu")
    # Every fact is asked in both directions.
    assert found == [9 / (2 * len(data.train)), 1.0, 1.0]


def test_every_portable_file_has_its_bytes_and_its_ranks(made: tuple[Workspace, str]) -> None:
    ws, model_id = made
    metrics = json.loads((ws.models / model_id / "metrics.json").read_text())
    found = metrics["formats"]

    assert list(found) == ["student.npz", "student-int8.npz", "student.onnx", "student-int8.onnx"]
    for part in ("valid", "test"):
        # Float32 is the student itself; the other is measured by what a user sees, the ranks.
        assert found["student.npz"][part] == metrics["student"][part]
        for kind in ("npz", "onnx"):
            assert found[f"student-int8.{kind}"][part]["queries"] > 0
            assert found[f"student-int8.{kind}"]["bytes"] < found[f"student.{kind}"]["bytes"] / 2


def test_every_part_of_the_model_has_its_checksums(made: tuple[Workspace, str]) -> None:
    ws, model_id = made
    folder = ws.models / model_id
    for part in (folder, folder / "student", next((folder / "maps").iterdir())):
        verify_artifact(part, full=True)
    names = {path.name for path in (folder / "student").iterdir()}
    assert {"student.onnx", "calibration.json", "control"} <= names


def test_a_served_model_answers_in_the_ids_of_the_snapshot(made: tuple[Workspace, str]) -> None:
    ws, model_id = made
    snapshot = served_snapshot(ws)
    model = ServedModel.open(ws, snapshot, model_id)
    for entity in range(snapshot.num_entities):
        row = model.entity_index[entity]
        assert model.scorer.entity_iris[row] == snapshot.entity_iris[entity]
        assert model.entity_ids[row] == entity
    for relation in range(snapshot.num_relations):
        row = model.relation_index[relation]
        assert model.scorer.relation_iris[row] == snapshot.relation_iris[relation]


def test_new_data_shifts_no_answer_of_an_old_model(made: tuple[Workspace, str]) -> None:
    ws, model_id = made
    before = served_snapshot(ws)
    old = ServedModel.open(ws, before, model_id)
    load = add_load(ws, [fact(("aaa", "aaa_first", "person00"))], name="more")
    after = compile_snapshot(
        ws, rdf=False, prepare=lambda snapshot: write_maps(ws, snapshot, model_id)
    )
    new = ServedModel.open(ws, after, model_id)
    try:
        assert after.entity_iris[0].endswith("aaa")
        assert new.entity_index[0] == -1
        assert new.relation_index[0] == -1
        for entity in range(before.num_entities):
            moved = after.entity_iris.find(before.entity_iris[entity])
            assert moved is not None
            assert new.entity_index[moved] == old.entity_index[entity]
    finally:
        ws.set_retracted(load.id, True)
        compile_snapshot(ws, rdf=False)


def test_a_model_without_maps_to_a_snapshot_is_not_served(made: tuple[Workspace, str]) -> None:
    ws, model_id = made
    snapshot = served_snapshot(ws)
    snapshot.id = "another"
    with pytest.raises(NoModel):
        ServedModel.open(ws, snapshot, model_id)


def test_a_teacher_alone_is_no_student(made: tuple[Workspace, str], tmp_path: Path) -> None:
    folder = tmp_path / "models" / made[1]
    folder.mkdir(parents=True)
    with pytest.raises(NoModel):
        Student.open(folder)


@pytest.mark.parametrize("name", ["entity.npy", "calibration.json", "manifest.json"])
def test_a_damaged_student_is_refused_by_name(made: tuple[Workspace, str], name: str) -> None:
    ws, model_id = made
    path = ws.models / model_id / "student" / name
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-10])
        with pytest.raises(DamagedArtifact, match="is damaged"):
            Student.open(ws.models / model_id)
    finally:
        path.write_bytes(content)


def test_the_same_seed_gives_the_same_student(made: tuple[Workspace, str]) -> None:
    ws, model_id = made
    first = np.array(Student.open(ws.models / model_id).arrays.entity)
    distill(ws, model_id, device="cpu")

    assert np.array_equal(Student.open(ws.models / model_id).arrays.entity, first)


def test_a_killed_distillation_goes_on_to_the_same_bits(made: tuple[Workspace, str]) -> None:
    ws, model_id = made
    folder = ws.models / model_id / "student"
    whole = {path.name: path.read_bytes() for path in folder.rglob("*.npy")}
    seen: list[tuple[str, int]] = []

    def stop(stage: str, done: int, total: int | None, note: str) -> None:
        seen.append((stage, done))
        if (stage, done) == ("control", 5):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distill(ws, model_id, device="cpu", progress=stop)
    assert ("student", 9) in seen
    seen.clear()
    distill(ws, model_id, device="cpu", progress=lambda stage, done, *_: seen.append((stage, done)))

    assert [one for one in seen if one[0] in ("student", "control")] == [
        *(("control", epoch) for epoch in range(6, 10)),
    ]
    assert {path.name: path.read_bytes() for path in folder.rglob("*.npy")} == whole
    assert not list((ws.path / ".work").glob("*"))


def test_a_student_whose_rows_are_made_of_the_edges_is_distilled(
    made: tuple[Workspace, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    ws, model_id = made
    copy = Workspace.open(shutil.copytree(ws.path, tmp_path / "ws"))
    one = {"student": [Setting(1.0)], "control": [Setting(None)]}
    monkeypatch.setattr(training, "settings_of", lambda _: one)
    monkeypatch.setattr(training, "forms_of", lambda *_: [EncodedTrainer])
    distill(copy, model_id, device="cpu")
    folder = copy.models / model_id
    said = json.loads((folder / "student" / "manifest.json").read_text())
    student = Student.open(folder)
    data = learning_data(served_snapshot(copy))
    found = RankingMetrics.of(filtered_ranks(student.arrays.scores, data.select, data.known)).mrr

    assert said["rows"] == "encoded"
    # Its file has nothing that the runtime of it warns of.
    assert "gain" not in capfd.readouterr().err
    assert not list(copy.work.glob("*"))
    assert student.arrays.out_weight.shape[1] == WIDTH
    # What is on disk ranks as the trainer said it does.
    assert found == pytest.approx(said["select_mrr"]["student"], abs=1e-6)


def test_a_model_of_another_format_says_that_it_must_be_trained_anew(
    made: tuple[Workspace, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws, model_id = made
    old = shutil.copytree(ws.path, tmp_path / "old")
    for path in (old / "models" / model_id).rglob("manifest.json"):
        path.write_text(path.read_text().replace(f'"format": {MODEL_FORMAT}', '"format": 1'))
    for command in ("predict --head person00 --relation lives_in", "distill", "evaluate"):
        assert run([*command.split(), "-w", str(old)]) == 1
        said = capsys.readouterr().err
        versions = f"has format version 1, this Sightline reads version {MODEL_FORMAT}"
        assert f"{versions}; `sightline train`" in said
    # What the graph states is answered as ever.
    assert run(["related", "person00", "-w", str(old)]) == 0


def test_maps_of_another_format_are_written_again_by_compile(
    made: tuple[Workspace, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = shutil.copytree(made[0].path, tmp_path / "old")
    for path in old.glob("models/*/maps/*/manifest.json"):
        path.write_text(path.read_text().replace(f'"format": {MAPS_FORMAT}', '"format": 1'))
    asked = ["predict", "--head", "person00", "--relation", "lives_in", "-w", str(old)]

    assert run(asked) == 1
    assert "`sightline compile` makes it again" in capsys.readouterr().err
    assert run(["compile", "-w", str(old)]) == 0
    assert run(asked) == 0


def test_a_worse_model_of_the_same_graph_is_not_served_unless_told_to(
    made: tuple[Workspace, str],
) -> None:
    ws, model_id = made
    worse = "0" * 16
    shutil.copytree(ws.models / model_id, ws.models / worse)
    metrics = json.loads((ws.models / worse / "metrics.json").read_text())
    metrics["student"]["valid"]["mrr"] -= 0.01
    (ws.models / worse / "metrics.json").write_text(json.dumps(metrics))
    try:
        with pytest.raises(WorseModel, match=f"--model {worse} --force"):
            publish(ws, worse)
        assert ws.current.model == model_id
        publish(ws, worse, force=True)
        assert ws.current.model == worse
    finally:
        publish(ws, model_id)
        shutil.rmtree(ws.models / worse)


def test_a_lost_model_keeps_neither_the_graph_nor_another_model_back(
    made: tuple[Workspace, str],
) -> None:
    ws, model_id = made
    lost = "f" * 16
    ws.publish(model=lost)
    try:
        assert run(["compile", "-w", str(ws.path)]) == 0
        assert ws.current.model not in (lost, model_id)
        publish(ws, model_id)
        assert ws.current.model == model_id
    finally:
        ws.publish(model=model_id)
