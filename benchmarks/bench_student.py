"""A question to a student of random numbers, as the product asks it: the scores of all entities and
the ten best of them. Time does not depend on what it learnt.

Beside it the path member of the teacher, untrained, on a random graph of the size of FB15k-237:
every entity a row, as many questions at once as are fastest.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measure import Result, cpu_milliseconds

from sightline.distill.calibration.calibrate import Calibration
from sightline.distill.student.arrays import READ, WIDTH, StudentArrays, best
from sightline.distill.student.quantise import quantise
from sightline.distill.student.student import Student
from sightline.graph.storage.strings import StringTable
from sightline.models.foundation import arrays
from sightline.models.foundation.relations import RelationGraph
from sightline.models.members.path import tensors
from sightline.models.members.path.backends import asked_of
from sightline.models.members.path.graph import GROUP, PathGraph
from sightline.models.members.path.network import PathMember
from sightline.models.training.presets import StudentConfig

HIDDEN, CONTEXT, RELATIONS = 512, 128, 237
FACTS = 272_115
SIZES = ((14_541, "<= 0.15 ms"), (1_000_000, "<= 4 ms"))


def run(folder: Path, scale: float) -> list[Result]:
    """Time questions at the size of FB15k-237 and at a million entities."""
    found = [_measure(int(size * scale), wanted) for size, wanted in SIZES]
    return found + _against_paths(int(SIZES[0][0] * scale), int(FACTS * scale), found[0].value)


def _measure(size: int, wanted: str) -> Result:
    student = _student(size)
    rng = np.random.default_rng(5)
    heads, rels = rng.integers(size, size=200), rng.integers(2 * RELATIONS, size=200)

    def ask(question: tuple[np.ndarray, np.ndarray]) -> None:
        best(student.scores(*question)[0], 10)

    questions = list(zip(heads.reshape(-1, 1), rels.reshape(-1, 1)))
    cpu_milliseconds(ask, questions[:20])
    times = cpu_milliseconds(ask, questions)
    details = {"entities": size, "p99": float(np.quantile(times, 0.99))}
    what = f"student, ten best of {size:,}"
    return Result(what, float(np.median(times)), "ms", wanted, None, None, details)


def _against_paths(size: int, facts: int, student: float) -> list[Result]:
    rng = np.random.default_rng(6)
    triples = rng.integers([size, RELATIONS, size], size=(facts, 3), dtype=np.int32)
    relations, cpu = RelationGraph.of(triples, size, RELATIONS), torch.device("cpu")
    member = PathMember(RELATIONS, limit=size).eval()
    heads, rels = (torch.from_numpy(rng.integers(n, size=GROUP)) for n in (size, 2 * RELATIONS))
    arrays.MOST_EDGES = sys.maxsize
    backends = {
        "compiled": asked_of(member.state_dict(), relations, cpu, size),
        "in PyTorch": PathGraph.of(relations, cpu, tensors),
    }

    found = []
    for how, read in backends.items():

        def ask(count: int, read: Any = read) -> None:
            with torch.no_grad():
                member.scores(read, heads[:count], rels[:count])

        ask(GROUP)
        times = {n: min(cpu_milliseconds(ask, [n] * 2)) / n for n in (1, 2, 4, GROUP)}
        path = float(min(times.values()))
        about = {"entities": size, "facts": facts, "milliseconds by batch": times}
        slow = f"path member, every entity, {how}"
        found += [
            Result(f"{slow}, per question", path, "ms", "", None, None, about),
            Result(f"student against it, {how}", path / student, "x", ">= 1000 x", None, None, {}),
        ]
    return found


def _student(size: int) -> Student:
    rng = np.random.default_rng(4)

    def numbers(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    packed, step = quantise(numbers(size, WIDTH))
    read = READ if size <= StudentConfig().products else WIDTH
    arrays = StudentArrays(
        entity=packed * step,
        rel=numbers(2 * RELATIONS, WIDTH + CONTEXT),
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
