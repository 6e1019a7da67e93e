"""The student as files: what is packed comes back, and every file scores as the student does."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline.cli.main import run
from sightline.distill.evaluation.evaluate import scorer_of_file
from sightline.distill.student.arrays import StudentArrays
from sightline.distill.student.portable import FORMATS, read_arrays, student_files
from sightline.distill.student.quantise import pack, quantise, unpack
from sightline.distill.student.student import Student
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import served_snapshot
from sightline.graph.storage.artifact import verify_artifact
from sightline.graph.storage.workspace import Workspace
from tests.graph.conftest import add_load, build, fact, label
from tests.insights.conftest import MODEL, Model, write_model

FACTS = [("kenya", "borders", "uganda"), ("uganda", "member_of", "eac")]
LABELS = {"kenya": "Kenya", "uganda": "<b>Uganda</b>", "eac": "East African Community"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Three entities with a student."""
    folder = tmp_path_factory.mktemp("portable") / "ws"
    snapshot = build(folder, [*map(fact, FACTS), *(label(*item) for item in LABELS.items())])
    ws = Workspace.open(folder)
    write_model(ws, snapshot, Model({("kenya", "member_of", "eac"): 3.0}))
    return ws


@pytest.fixture(scope="module")
def arrays(workspace: Workspace) -> StudentArrays:
    return Student.open(workspace.models / MODEL).arrays


def export(workspace: Workspace, format: str, output: Path) -> int:
    return run(["export", "-w", str(workspace.path), "--format", format, "-o", str(output)])


matrices = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.floats(-1e3, 1e3, width=32, allow_subnormal=False),
)


@given(matrices)
def test_int8_is_off_by_half_a_step_of_its_row_at_most(matrix: np.ndarray) -> None:
    numbers, scale = quantise(matrix)

    assert numbers.dtype == np.int8
    assert scale.shape == (len(matrix), 1)
    assert (np.abs(numbers * scale - matrix) <= 0.5001 * scale).all()


def test_float32_comes_back_to_the_bit(arrays: StudentArrays) -> None:
    packed = pack(arrays, int8=False)
    for name in StudentArrays.__slots__:
        assert np.array_equal(getattr(unpack(packed), name), getattr(arrays, name)), name


def test_the_same_student_gives_the_same_bytes(arrays: StudentArrays) -> None:
    for format in FORMATS:
        assert list(student_files(arrays, {}, format)) == list(student_files(arrays, {}, format))


def test_every_file_scores_as_the_numbers_in_it(arrays: StudentArrays) -> None:
    files = {name: data for f in FORMATS for name, data in student_files(arrays, {}, f)}
    assert set(files) == {
        *("student.npz", "student-int8.npz", "student.onnx", "student-int8.onnx"),
    }
    heads, rels = (a.ravel().astype(np.int32) for a in np.mgrid[:3, :4])
    for name, content in files.items():
        numbers = unpack(pack(arrays, int8="int8" in name))
        wanted = numbers.scores(heads, rels)
        assert scorer_of_file(name, content)(heads, rels) == pytest.approx(wanted, abs=1e-4)


def test_a_file_that_would_run_code_is_refused() -> None:
    stream = io.BytesIO()
    np.savez(stream, entity=np.array([{}], object))
    with pytest.raises(ValueError, match="pickle"):
        read_arrays(stream.getvalue())


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_holds_names_calibration_and_checksums(
    workspace: Workspace, tmp_path: Path, format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert export(workspace, format, out) == 0
    manifest = verify_artifact(out, full=True)
    assert (manifest["model"], manifest["snapshot"]) == (MODEL, served_snapshot(workspace).id)
    shown = capsys.readouterr().out
    for name in manifest["files"]:
        assert f"wrote {out / name}" in shown
    if format == "onnx":
        content = (out / "vocabulary.json").read_bytes()
    else:
        content = bytes(np.load(out / "student-int8.npz")["vocabulary"])
    names = json.loads(content)
    assert names["entity"] == {
        "iri": [f"urn:sightline:entity:{name}" for name in ("eac", "kenya", "uganda")],
        "label": ["East African Community", "Kenya", "<b>Uganda</b>"],
    }
    assert names["relation"]["label"] == ["borders", "member of"]
    assert len(names["calibration"]["rel_offset"]) == 4


def test_what_the_graph_no_longer_holds_keeps_a_name(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    load = add_load(ws, [*map(fact, FACTS), *(label(*item) for item in LABELS.items())])
    write_model(ws, compile_snapshot(ws, rdf=False), Model())
    ws.set_retracted(load.id, True)
    add_load(ws, [fact(("a", "borders", "b"))], name="b")
    compile_snapshot(ws, rdf=False)
    assert export(ws, "arrays", tmp_path / "out") == 0
    names = json.loads(bytes(np.load(tmp_path / "out" / "student.npz")["vocabulary"]))

    assert names["entity"]["label"] == ["eac", "kenya", "uganda"]


@pytest.mark.parametrize("taken", ["a folder with files", "a file"])
def test_an_export_replaces_nothing(
    workspace: Workspace, tmp_path: Path, taken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    if taken == "a file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "mine").write_text("mine")
    before = sorted(tmp_path.rglob("*"))

    assert export(workspace, "arrays", out) == 1
    assert "cannot be written: it exists, and is no empty folder" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before
