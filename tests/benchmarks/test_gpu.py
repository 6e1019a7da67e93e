"""The one-GPU benchmark, on the CPU: its steps, its pauses, and what it needs to be installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
#: Neither on a bare GPU image nor needed there.
ABSENT = ("numba", "polars", "pandas", "rdflib", "pyoxigraph", "safetensors", "onnx", "onnxruntime")
FAMILIES = 20

#: Seconds that pass whenever the benchmark looks at its clock.
TICK = 0.02
#: Minutes of all steps, and of a call.
MINUTES, CALL = 0.15, 0.03
#: A step before those that it needs; then calls until one is not cut short, each in the state that
#: the one before left on disk.
CALLS = f"""
import contextlib, io, itertools, sys, types
sys.modules |= dict.fromkeys({ABSENT!r})
sys.path.insert(0, {str(ROOT / "benchmarks")!r})
import gpu
looks = itertools.count()
gpu.PARTNER = gpu.replace(gpu.PARTNER, dim=64)
gpu.time = types.SimpleNamespace(monotonic=lambda: {TICK} * next(looks))
data, out = sys.argv[1:]
try:
    gpu.main(["teach", data, "--out", out + "/early"])
except SystemExit as end:
    print("status", end.code, file=sys.stderr)
for _ in range(100):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        gpu.main(["all", data, "--out", out, "--minutes", "{MINUTES}", "--call", "{CALL}"])
    print(said.getvalue(), end="")
    if '"to be continued"' not in said.getvalue():
        break
"""


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grandparents follow from parents; most are known, some are asked."""
    folder = tmp_path_factory.mktemp("gpu") / "families"
    folder.mkdir()
    parts: dict[str, list[str]] = {"train": [], "valid": [], "test": []}
    for family in range(FAMILIES):
        old, middle, young, friend = (f"{who}{family}" for who in ("old", "middle", "young", "pal"))
        parts["train"] += [f"{old}\tparent\t{middle}", f"{middle}\tparent\t{young}"]
        parts["train"] += [f"{middle}\tfriend\t{friend}"]
        part = "train" if family < 12 else "valid" if family < 16 else "test"
        parts[part] += [f"{old}\tgrandparent\t{young}"]
    for name, lines in parts.items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def done(families: Path) -> subprocess.CompletedProcess[str]:
    """What the calls said; beside the families is what they made."""
    return subprocess.run(
        [sys.executable, "-c", CALLS, families, families.parent],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


def test_calls_that_are_cut_short_end_with_a_student_and_its_metrics(
    families: Path, done: subprocess.CompletedProcess[str]
) -> None:
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    steps = [line["step"] for line in lines if "seconds" in line]
    assert steps == ["partner", "path", "teach", "distil", "evaluate"]
    assert sum("to be continued" in line for line in lines) > 1
    # A step ends within a few looks at the clock, and the first evaluation of each penalty.
    spent = {line["step"]: line["seconds"] for line in lines if "seconds" in line}
    assert spent["partner"] < 60 * MINUTES * 0.5
    assert sum(spent.values()) < 1.5 * 60 * MINUTES
    assert lines[-1]["done"] == "all"
    metrics = json.loads((families.parent / "metrics.json").read_text())
    for who in ("partner", "teacher", "student", "control"):
        assert metrics["evaluate"][who]["queries"] == 8
    with np.load(families.parent / "student.npz") as student:
        assert student["entity"].shape == (4 * FAMILIES, 64)


def test_a_step_that_comes_too_early_says_so(done: subprocess.CompletedProcess[str]) -> None:
    assert "step teach comes after partner, path\nstatus 2\n" in done.stderr
