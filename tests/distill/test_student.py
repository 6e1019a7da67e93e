"""The student that ships: the same numbers in NumPy, compiled, torch, ONNX and the example."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.student.arrays import WIDTH, StudentArrays, best, log_softmax
from sightline.distill.student.onnx_file import onnx_scorer
from sightline.distill.student.portable import FORMATS, read_arrays, student_files
from sightline.distill.student.quantise import quantise, unpack
from sightline.distill.student.student import Student
from sightline.distill.training.network import StudentNetwork
from sightline.graph.storage.strings import StringTable
from sightline.models.ranking import Scorer
from sightline.models.training.presets import StudentConfig

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "edge"))
import answer as example

#: More entities than two blocks of the compiled pass.
N, R = 130, 3
VOCABULARY = {"entity": {}, "relation": {}, "calibration": {}}


@cache
def network_of(products: bool) -> StudentNetwork:
    torch.manual_seed(0)
    config = StudentConfig(hidden=16, context=8, products=N if products else 0)
    network = StudentNetwork(N, R, config).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    with torch.no_grad():
        # What ships is rounded; a network that is rounded already ships as it is.
        network.entity.copy_(torch.from_numpy(network.arrays().entity))
    return network


@pytest.fixture(scope="module")
def arrays() -> StudentArrays:
    return network_of(True).arrays()


def student_of(arrays: StudentArrays) -> Student:
    terms = StringTable.of(f"urn:{i:02d}" for i in range(N))
    relations = StringTable.of(f"urn:r{i}" for i in range(R))
    return Student(arrays, Calibration.unfitted(2 * R), terms, relations)


def every_question() -> tuple[np.ndarray, np.ndarray]:
    heads, rels = np.divmod(np.arange(N * 2 * R, dtype=np.int32), 2 * R)
    return heads.astype(np.int32), rels.astype(np.int32)


def scorers(network: StudentNetwork) -> dict[str, Scorer]:
    """Every implementation of the formula; those for other programs are written to files."""
    arrays = network.arrays()
    files = {
        name: content for f in FORMATS for name, content in student_files(arrays, VOCABULARY, f)
    }

    def of_network(heads: np.ndarray, rels: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network.scores(torch.tensor(heads).long(), torch.tensor(rels).long()).numpy()

    def of_example(heads: np.ndarray, rels: np.ndarray) -> np.ndarray:
        a = unpack(read_arrays(files["student.npz"]))
        a = {name: getattr(a, name) for name in StudentArrays.__slots__}
        asked = [example.query(a, a["entity"][h], a["rel"][r]) for h, r in zip(heads, rels)]
        return np.array([example.compare(a, one) for one in asked])

    return {
        "network": of_network,
        "compiled": student_of(arrays).scores,
        "onnx": onnx_scorer(files["student.onnx"]),
        "example": of_example,
    }


@pytest.mark.parametrize("products", [True, False], ids=["products", "numbers alone"])
def test_every_implementation_of_the_formula_gives_the_same_scores(products: bool) -> None:
    network = network_of(products)
    heads, rels = every_question()
    wanted = network.arrays().scores(heads, rels)

    for name, scorer in scorers(network).items():
        assert scorer(heads, rels) == pytest.approx(wanted, abs=2e-4), name


questions = st.lists(
    st.tuples(st.integers(0, N - 1), st.integers(0, 2 * R - 1)), min_size=1, max_size=40
)


@settings(deadline=None)
@given(questions)
def test_a_score_is_the_same_bits_whatever_is_asked_beside(
    asked: list[tuple[int, int]],
) -> None:
    student = student_of(network_of(True).arrays())
    heads, rels = np.array(asked, np.int32).T
    together = student.scores(heads, rels)

    for i, line in enumerate(together):
        assert np.array_equal(student.scores(heads[i : i + 1], rels[i : i + 1])[0], line)


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


rows = hnp.arrays(
    np.float32,
    st.integers(1, 300),
    elements=st.sampled_from([0.0, 1.0, 2.0, -np.inf]),
    fill=st.just(0.5),
)


@given(rows, st.integers(0, 35))
def test_best_breaks_ties_by_column(row: np.ndarray, k: int) -> None:
    wanted = sorted(range(len(row)), key=lambda i: (-row[i], i))[:k]

    assert best(row, k).tolist() == wanted


def test_log_softmax_keeps_what_is_impossible() -> None:
    logs = log_softmax(np.array([[0.0, -np.inf, 0.0]], np.float32))

    assert np.exp(logs).tolist() == [[0.5, 0.0, 0.5]]
