"""The foundation member as the served model: made in seconds, on graphs of any kind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from sightline.cli import build as commands
from sightline.cli.main import run
from sightline.distill.foundation import build as module
from sightline.distill.foundation.build import build, model_for
from sightline.distill.foundation.model import FoundationModel
from sightline.distill.serving import ServedModel, publish, verify_model
from sightline.graph.reasoning.reason import reason
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import served_snapshot
from sightline.graph.storage.artifact import write_json_atomic
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.workspace import METRICS, Workspace
from sightline.graph.vocabulary import OWL, RDF_TYPE
from sightline.insights.ask import Sightline
from sightline.insights.deadline import Deadline
from sightline.insights.kinds import enrich, inductive, predictions, query, related, similar
from sightline.insights.report.choice import limits_of_entities, sections_of
from sightline.insights.report.compose import sections_about, summarise_model
from sightline.models.errors import CannotTrain, FoundationUnusable, NoVectors, WorseModel
from sightline.models.foundation import file
from tests.graph.conftest import BASE, add_load, fact, typed
from tests.insights.conftest import MODEL, ROWS, Model, write_model

#: Forty people in eight firms in four cities; where the last four live is not stated.
PEOPLE = [
    *((f"p{i:02}", "works_at", f"firm{i % 8}") for i in range(40)),
    *((f"firm{i}", "located_in", f"city{i % 4}") for i in range(8)),
    *((f"p{i:02}", "lives_in", f"city{i % 4}") for i in range(36)),
    *(typed(f"p{i:02}", "Person") for i in range(40)),
]


def compiled(folder: Path, rows: list) -> Workspace:
    """A compiled workspace that the foundation member answers in."""
    ws = Workspace.create(folder)
    add_load(ws, [fact(row) if isinstance(row, tuple) else row for row in rows])
    compile_snapshot(ws, rdf=False, prepare=lambda snapshot: model_for(ws, snapshot)[0])
    return ws


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The people; no test changes it."""
    return compiled(tmp_path_factory.mktemp("people") / "ws", PEOPLE)


def ask(ws: Workspace, kind, **asked):
    return kind.KIND.answer(Sightline.open(ws), kind.KIND.question(**asked))


def test_it_answers_as_soon_as_the_graph_is_compiled_and_says_what_it_is(people: Workspace) -> None:
    found = ask(people, predictions, head="p37", relation="lives_in")

    assert found.predictions[0].tail.id == "entity:city1"
    assert found.model == "foundation, not trained on this graph"
    assert found.predictions[0].status == "predicted"
    assert 0.2 < found.predictions[0].probability_if_any <= 1
    assert not found.truncated


def test_it_says_so_where_its_pre_training_had_facts_of_the_graph(tmp_path: Path) -> None:
    kept = json.loads((Path(file.__file__).parent / file.ABOUT).read_text())["facts"]["nations"]
    ws = compiled(tmp_path / "ws", [tuple(fact.split("\t")) for fact in kept])

    folder = ws.models / str(ws.current.model)

    assert FoundationModel.open(folder).name == "foundation, pre-trained on facts of this graph"
    said = commands.foundation_says(json.loads((folder / METRICS).read_bytes()))
    assert "pre-trained on facts of this graph (those of nations)" in said


def test_every_kind_of_question_is_answered_or_says_why_not(people: Workspace) -> None:
    new = [f for f in ask(people, related, id="p37").related if f.status == "predicted"]
    assert (new[0].relation.label, new[0].tail.id) == ("lives in", "entity:city1")
    between = ask(people, predictions, head="p37", tail="city1").predictions
    assert between[0].relation.label == "lives in"
    edges = (inductive.Edge("works_at", "firm2"),)
    unseen = ask(people, inductive, edges=edges, relation="lives_in", direction="out")
    assert unseen.related[0].tail.id == "entity:city2"
    with pytest.raises(NoVectors, match="no vectors"):
        ask(people, similar, id="p37")
    listed = ask(people, enrich, entities=("p01", "p09"))
    assert "the foundation member has no vectors" in "; ".join(listed.notes)
    likely = ask(people, query, text="likely p37 <lives in> ?city", above=0.01)
    assert "entity:city1" in {row.values[0].id for row in likely.rows}


def test_a_report_has_its_predictions_and_its_figures(people: Workspace) -> None:
    sight = Sightline.open(people)
    about, limits = [sight.entity("p37")], limits_of_entities(sections_of(None))
    (section,) = sections_about(sight, about, limits)
    model = summarise_model(sight)

    assert section.predicted[0].tail.id == "entity:city1"
    assert section.note is None
    assert section.similar == ()
    assert model is not None
    assert model.name.startswith("foundation")
    assert set(model.test) == {"foundation"}


def test_it_is_measured_and_calibrated_on_facts_that_were_hidden(people: Workspace) -> None:
    metrics = json.loads((people.models / str(people.current.model) / METRICS).read_bytes())

    assert metrics["foundation"]["valid"]["mrr"] > 0.3
    assert metrics["calibration"]["test"]["ece"] is not None
    assert metrics["data"]["split"]["valid"] == "random"
    assert metrics["data"]["asked"]["select"] == metrics["data"]["split"]["select"]


def test_what_is_served_reads_every_stated_fact(people: Workspace) -> None:
    snapshot = served_snapshot(people)
    model = ServedModel.open(people, snapshot, str(people.current.model))
    assert isinstance(model.scorer, FoundationModel)

    assert len(model.scorer.graph.edges.source) == 2 * snapshot.num_edges


def test_what_was_inferred_is_not_read(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    transitive = {"subject": f"{BASE}relation:part_of", "predicate": RDF_TYPE, "row": 1}
    transitive["object"] = f"{OWL}TransitiveProperty"
    add_load(ws, [fact(("a", "part_of", "b")), fact(("b", "part_of", "c")), transitive])
    reason(ws)
    snapshot = compile_snapshot(ws, rdf=False)

    assert snapshot.num_edges == 3
    read = module._stated(snapshot, snapshot.entity_iris, snapshot.relation_iris)
    assert read.tolist() == [[0, 0, 1], [1, 0, 2]]


def test_an_answer_has_the_same_bits_whatever_is_asked_beside(people: Workspace) -> None:
    model = ServedModel.open(people, served_snapshot(people), str(people.current.model)).scorer
    rels, starts = np.arange(6, dtype=np.int32), [model.start(3), model.start(4)]
    owner = np.repeat(np.arange(2), 3)
    alone = [next(model.ask(starts, owner[i : i + 1], rels[i : i + 1])) for i in rels]

    assert np.array_equal(np.stack(list(model.ask(starts, owner, rels))), np.stack(alone))


def test_a_deadline_lets_one_answer_pass_and_says_what_it_left_out() -> None:
    clock = Deadline(0)
    assert list(clock.each("abc", 3)) == ["a"]
    assert clock.reason == "the deadline of 0 ms left no time for 2 of 3 relations and directions"
    unhurried = Deadline(60_000)
    assert list(unhurried.each("abc", 3)) == ["a", "b", "c"]
    assert unhurried.reason is None


@pytest.mark.parametrize(
    "rows",
    [
        [(f"e{i}", "next", f"e{i + 1}") for i in range(20)],
        [(f"e{i}", f"r{i % 5}", f"e{i * 7 % 11}") for i in range(20)],
        [(f"e{i % 40}", f"r{i:05}", f"e{i % 37}") for i in range(10_000)],
    ],
    ids=["one relation", "twenty facts", "ten thousand relations"],
)
def test_graphs_of_any_shape_are_answered(tmp_path: Path, rows: list) -> None:
    ws = compiled(tmp_path / "ws", rows)
    found = ask(ws, predictions, head="e1", relation=rows[1][1], k=3, new_only=True)

    assert len(found.predictions) == 3
    assert all(0 <= f.probability <= 1 for f in found.predictions)
    assert found.guesses is not None
    # Too little was held out to promise anything: everything is a guess.
    if len(rows) == 20:
        assert found.abstain_below == 1.0


def test_nothing_to_predict_from_is_said_and_the_graph_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("id,height\na,1.5\nb,2.5\n")
    workspace = ["-w", str(tmp_path / "ws")]
    assert run(["run", str(tmp_path / "a.csv"), *workspace, "--preset", "none"]) == 0
    assert "nothing is predicted: cannot train on this graph" in capsys.readouterr().out
    ws = Workspace.open(tmp_path / "ws")
    with pytest.raises(CannotTrain):
        build(ws, served_snapshot(ws))


@pytest.mark.parametrize("damage", ["a flipped byte", "another version"])
def test_a_file_that_cannot_be_used_is_named_and_the_graph_is_served(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damage: str,
) -> None:
    package = Path(file.__file__).parent
    for name in (file.WEIGHTS, file.ABOUT):
        shutil.copy(package / name, tmp_path / name)
    if damage == "another version":
        about = json.loads((tmp_path / file.ABOUT).read_text())
        (tmp_path / file.ABOUT).write_text(json.dumps({**about, "format": 99}))
    else:
        content = bytearray((tmp_path / file.WEIGHTS).read_bytes())
        content[1000] ^= 1
        (tmp_path / file.WEIGHTS).write_bytes(content)
    monkeypatch.setattr(module, "shipped", lambda: file.read(tmp_path))
    ws = Workspace.create(tmp_path / "ws")
    add_load(ws, [fact(row) if isinstance(row, tuple) else row for row in PEOPLE])

    assert run(["compile", "-w", str(ws.path)]) == 0
    said = capsys.readouterr().out
    assert "nothing is predicted: the foundation file (foundation.npz)" in said
    assert ws.current.model is None
    assert ask(ws, related, id="p01").related
    with pytest.raises(FoundationUnusable):
        build(ws, served_snapshot(ws))


def test_a_damaged_folder_of_it_is_refused_by_name_and_made_again(tmp_path: Path) -> None:
    ws = compiled(tmp_path / "ws", PEOPLE)
    model_id = str(ws.current.model)
    weights = ws.models / model_id / "foundation" / file.WEIGHTS
    content = bytearray(weights.read_bytes())
    content[1000] ^= 1
    weights.write_bytes(content)
    with pytest.raises(DamagedArtifact, match="wrong checksum"):
        verify_model(ws, model_id, full=True)
    assert build(ws, served_snapshot(ws)) == model_id
    verify_model(ws, model_id, full=True)


def test_a_student_takes_its_place_unless_it_is_surely_worse_and_keeps_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws = compiled(tmp_path / "ws", ROWS)
    foundation = str(ws.current.model)
    snapshot = served_snapshot(ws)
    student = ws.models / MODEL
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.insights.conftest.publish", lambda *_: None)
        write_model(ws, snapshot, Model())
    manifest = json.loads((student / "manifest.json").read_text())
    (student / "manifest.json").write_text(json.dumps({**manifest, "snapshot": snapshot.id}))
    # A mean over a hundred questions may be off by a tenth.
    sampled = {"foundation": {"valid": {"mrr": 0.5, "queries": 100}}}
    write_json_atomic(ws.models / foundation / METRICS, sampled)
    write_json_atomic(student / METRICS, {"student": {"valid": {"mrr": 0.39}}})
    with pytest.raises(WorseModel, match=f"0.390.*the foundation member.*0.500.*{MODEL} --force"):
        publish(ws, MODEL)
    # `run` has done what it was asked for, and what was served answers.
    with pytest.MonkeyPatch.context() as patch:
        for stage in ("_compile", "_distill", "_show_metrics", "_evaluate"):
            patch.setattr(commands, stage, lambda *_: None)
        patch.setattr(commands, "_train", lambda *_: MODEL)
        commands.learn(ws, "quick", "cpu")
    assert f"model {MODEL} is kept but not served" in capsys.readouterr().out
    assert ws.current.model == foundation
    write_json_atomic(student / METRICS, {"student": {"valid": {"mrr": 0.41}}})
    publish(ws, MODEL)
    assert ask(ws, predictions, head="bob", relation="lives_in").model == "student"
    # A new snapshot keeps the student; one that cannot be read gives way.
    add_load(ws, [fact(("eve", "works_at", "acme"))], name="more")
    compile_snapshot(ws, rdf=False, prepare=lambda new: model_for(ws, new)[0])
    assert ws.current.model == MODEL
    (student / "student" / "entity.npy").write_bytes(b"")
    found, trouble = model_for(ws, served_snapshot(ws))
    assert found != MODEL
    assert isinstance(trouble, DamagedArtifact)


def test_a_new_snapshot_gets_its_own_and_the_oldest_goes(tmp_path: Path) -> None:
    ws = compiled(tmp_path / "ws", PEOPLE)
    made = [ws.current.model]
    for i in range(4):
        add_load(ws, [fact((f"new{i}", "works_at", "firm1"))], name=f"more{i}")
        compile_snapshot(ws, rdf=False, prepare=lambda snapshot: model_for(ws, snapshot)[0])
        made.append(ws.current.model)

    assert len(set(made)) == 5
    assert {f.name for f in ws.models.iterdir()} == set(made[1:])
    assert ask(ws, predictions, head="new1", relation="lives_in").predictions
