"""The ten best answers of a student of random numbers: time does not depend on what it learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from measure import Result, cpu_milliseconds

from sightline.distill.calibrate import Calibration
from sightline.distill.quantise import quantise
from sightline.distill.student import READ, WIDTH, Student, StudentArrays
from sightline.graph.strings import StringTable
from sightline.models.presets import StudentConfig

HIDDEN, CONTEXT, RELATIONS = 512, 128, 237
SIZES = ((14_541, "<= 0.15 ms"), (1_000_000, "<= 4 ms"))


def run(folder: Path, scale: float) -> list[Result]:
    """Time questions at the size of FB15k-237 and at a million entities."""
    return [_measure(int(size * scale), wanted) for size, wanted in SIZES]


def _measure(size: int, wanted: str) -> Result:
    student = _student(size)
    rng = np.random.default_rng(5)
    heads, slots = rng.integers(size, size=200), rng.integers(2 * RELATIONS, size=200)

    def ask(question: tuple[int, int]) -> None:
        student.top_k(*question, 10)

    questions = list(zip(heads.tolist(), slots.tolist()))
    cpu_milliseconds(ask, questions[:20])
    times = cpu_milliseconds(ask, questions)
    details = {"entities": size, "p99": float(np.quantile(times, 0.99))}
    what = f"student, ten best of {size:,}"
    return Result(what, float(np.median(times)), "ms", wanted, None, None, details)


def _student(size: int) -> Student:
    rng = np.random.default_rng(4)

    def numbers(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    packed, step = quantise(numbers(size, WIDTH))
    read = READ if size <= StudentConfig().products else WIDTH
    arrays = StudentArrays(
        entity=packed * step,
        slot=numbers(2 * RELATIONS, WIDTH + CONTEXT),
        hidden_weight=numbers(WIDTH, HIDDEN),
        hidden_bias=numbers(HIDDEN),
        gate_weight=numbers(WIDTH + CONTEXT, HIDDEN),
        gate_bias=numbers(HIDDEN),
        shift_weight=numbers(WIDTH + CONTEXT, HIDDEN),
        norm_weight=numbers(HIDDEN),
        norm_bias=numbers(HIDDEN),
        out_weight=numbers(HIDDEN, read),
        out_bias=numbers(read),
    )
    none = StringTable.of([])
    return Student(arrays, Calibration.unfitted(2 * RELATIONS), none, none)
