"""Accuracy on public data sets: teacher, student and control over several seeds.

    SIGHTLINE_DATA=FOLDER python benchmarks/accuracy.py codex-s umls --preset standard --seeds 0 1 2

FOLDER holds the data sets as folders. Every run is what ``sightline run FOLDER/NAME`` does; the
test facts are read by its evaluation and by nothing else. Prints mean and standard deviation over
the seeds and writes ``results/accuracy-NAME.json``. Knows the stages; measures nothing itself.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from sightline.cli import build
from sightline.graph.storage.workspace import METRICS, Workspace
from sightline.models.training.presets import PRESETS

RESULTS = Path(__file__).parent / "results"
MODELS = ("teacher", "student", "control")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="+", metavar="NAME", help="a folder of SIGHTLINE_DATA")
    parser.add_argument("--preset", default="standard", choices=tuple(PRESETS))
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--student-epochs", type=int, help="fewer than the preset's, where time is limited"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    arguments = parser.parse_args()
    data = os.environ.get("SIGHTLINE_DATA")
    if not data:
        parser.error("set SIGHTLINE_DATA to the folder that holds the data sets")
    if arguments.student_epochs:
        preset = PRESETS[arguments.preset]
        student = replace(preset.student, epochs=arguments.student_epochs)
        PRESETS[arguments.preset] = replace(preset, student=student)
    for name in arguments.names:
        runs: list[dict[str, Any]] = []
        for seed in arguments.seeds:
            runs.append(one_run(Path(data) / name, arguments, seed))
            # Kept after every seed: a run that is stopped has not run for nothing.
            write(name, arguments.preset, runs)
        show(name, summary(runs))


def write(name: str, preset: str, runs: list[dict[str, Any]]) -> None:
    """Keep what was measured so far."""
    document = {"data": name, "preset": preset, "seeds": [run["seed"] for run in runs]}
    document |= {"summary": summary(runs), "runs": runs}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"accuracy-{name}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def one_run(folder: Path, arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    """The metrics of one seed, with the CPU seconds that it took."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as place:
        ws = Workspace.create(Path(place) / "ws")
        build.load_files(ws, [folder], None, strict=False)
        build.learn(ws, arguments.preset, arguments.device, seed)
        # The member that needs no training has measured itself, too.
        (student,) = ws.models.glob("*/student")
        metrics: dict[str, Any] = json.loads((student.parent / METRICS).read_text(encoding="utf-8"))
    metrics["fidelity"].pop("relations")
    return {**metrics, "cpu_seconds": round(time.process_time() - start)}


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation over the seeds, and paired differences."""
    out: dict[str, Any] = {}
    for who in MODELS:
        for part in ("valid", "test"):
            for measure in ("mrr", "hits_at_1", "hits_at_10"):
                values = [run[who][part][measure] for run in runs]
                out[f"{who} {part} {measure}"] = mean_and_sd(values)
    mrr = {who: np.array([run[who]["test"]["mrr"] for run in runs]) for who in MODELS}
    out["student / teacher"] = mean_and_sd(mrr["student"] / mrr["teacher"])
    out["student - control"] = mean_and_sd(mrr["student"] - mrr["control"])
    out["ece"] = mean_and_sd([run["calibration"]["test"]["ece"] for run in runs])
    for who in MODELS[:2]:
        found = [run[who]["triple_classification"] for run in runs]
        if all(found):
            for measure in ("accuracy", "f1"):
                out[f"{who} {found[0]['source']} negatives {measure}"] = mean_and_sd(
                    [one[measure] for one in found]
                )
    out["cpu_seconds"] = mean_and_sd([run["cpu_seconds"] for run in runs])
    return out


def mean_and_sd(values: Any) -> dict[str, float]:
    """Mean and sample standard deviation."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return {"mean": float(np.mean(values)), "sd": deviation}


def show(name: str, found: dict[str, Any]) -> None:
    """One line per figure."""
    for what, value in found.items():
        print(f"{name:10} {what:36} {value['mean']:8.4f} +- {value['sd']:.4f}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
