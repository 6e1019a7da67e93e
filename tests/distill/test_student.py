"""The student that ships: the same numbers in NumPy, torch and ONNX."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.student.onnx_file import write_onnx
from sightline.distill.student.quantise import quantise
from sightline.distill.student.student import WIDTH, Student, StudentArrays, best, log_softmax
from sightline.distill.training.network import StudentNetwork
from sightline.graph.storage.strings import StringTable
from sightline.models.training.presets import StudentConfig

N, R = 30, 4


@pytest.fixture(scope="module")
def network() -> StudentNetwork:
    torch.manual_seed(0)
    network = StudentNetwork(N, R, StudentConfig(hidden=16, context=8)).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    with torch.no_grad():
        # What ships is rounded; a network that is rounded already ships as it is.
        network.entity.copy_(torch.from_numpy(network.arrays().entity))
    return network


@pytest.fixture(scope="module")
def arrays(network: StudentNetwork) -> StudentArrays:
    return network.arrays()


def student_of(arrays: StudentArrays) -> Student:
    terms = StringTable.of(f"urn:{i:02d}" for i in range(N))
    relations = StringTable.of(f"urn:r{i}" for i in range(R))
    return Student(arrays, Calibration.unfitted(2 * R), terms, relations)


def every_question() -> tuple[np.ndarray, np.ndarray]:
    heads, rels = np.divmod(np.arange(N * 2 * R, dtype=np.int32), 2 * R)
    return heads.astype(np.int32), rels.astype(np.int32)


def test_numpy_scores_as_the_network_that_learnt(
    network: StudentNetwork, arrays: StudentArrays
) -> None:
    heads, rels = every_question()
    with torch.no_grad():
        wanted = network.scores(torch.tensor(heads).long(), torch.tensor(rels).long()).numpy()

    assert student_of(arrays).scores(heads, rels) == pytest.approx(wanted, abs=1e-4)


def test_onnx_scores_as_numpy(arrays: StudentArrays, tmp_path: Path) -> None:
    write_onnx(arrays, tmp_path / "student.onnx")
    session = onnxruntime.InferenceSession(
        tmp_path / "student.onnx", providers=["CPUExecutionProvider"]
    )
    heads, rels = every_question()
    feed = {"head": heads.astype(np.int64), "rel": rels.astype(np.int64)}
    (found,) = session.run(["scores"], feed)

    assert found == pytest.approx(student_of(arrays).scores(heads, rels), abs=1e-4)


def test_an_entity_costs_64_numbers(arrays: StudentArrays) -> None:
    """Only one array grows with the entities."""
    growing = [name for name in StudentArrays.__slots__ if N in getattr(arrays, name).shape]

    assert growing == ["entity"]
    assert arrays.entity.shape == (N, WIDTH)
    assert WIDTH == 64


def test_what_ships_is_int8_numbers_of_a_step_per_row(arrays: StudentArrays) -> None:
    """So that the float32 and the int8 files hold the same entities."""
    numbers, step = quantise(arrays.entity)

    assert np.array_equal(numbers * step, arrays.entity)


def test_arrays_survive_their_files(arrays: StudentArrays, tmp_path: Path) -> None:
    arrays.save(tmp_path)
    read = StudentArrays.open(tmp_path)

    for name in StudentArrays.__slots__:
        assert np.array_equal(getattr(read, name), getattr(arrays, name)), name


def test_top_k_is_the_start_of_the_sorted_row(arrays: StudentArrays) -> None:
    student = student_of(arrays)
    row = student.scores(np.array([3], np.int32), np.array([1], np.int32))[0]
    ids, scores = student.top_k(3, 1, 5)

    assert ids.tolist() == np.argsort(-row)[:5].tolist()
    assert scores == pytest.approx(row[ids], rel=1e-5)


def test_top_k_leaves_out_what_is_known(arrays: StudentArrays) -> None:
    student = student_of(arrays)
    first = student.top_k(3, 1, 2)[0]
    ids, scores = student.top_k(3, 1, N, exclude=first)

    assert len(ids) == N - 2
    assert not set(first.tolist()) & set(ids.tolist())
    assert np.isfinite(scores).all()


rows = hnp.arrays(
    np.float32, st.integers(1, 30), elements=st.sampled_from([0.0, 1.0, 2.0, -np.inf])
)


@given(rows, st.integers(0, 35))
def test_best_breaks_ties_by_column(row: np.ndarray, k: int) -> None:
    wanted = sorted(range(len(row)), key=lambda i: (-row[i], i))[:k]

    assert best(row, k).tolist() == wanted


def test_log_softmax_keeps_what_is_impossible() -> None:
    logs = log_softmax(np.array([[0.0, -np.inf, 0.0]], np.float32))

    assert np.exp(logs).tolist() == [[0.5, 0.0, 0.5]]
