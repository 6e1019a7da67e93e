"""What is related to an entity, asked in process: stated facts alone, and with predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from measure import Result, cpu_milliseconds

from sightline.cli.main import run as command
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.insights.kinds.related import KIND, RelatedQuestion

WORLD = Path(__file__).parents[1] / "examples" / "world"
ENTITIES = 500


def run(folder: Path, scale: float) -> list[Result]:
    """Ask about entities of the bundled example, each once; its student is learnt first."""
    files = [str(WORLD), "--mapping", str(WORLD / "mapping.yaml"), "-w", str(folder / "ws")]
    assert command(["run", *files, "--preset", "quick"]) == 0
    return measure(folder / "ws", scale)


def measure(workspace: Path, scale: float) -> list[Result]:
    """The figures of a workspace that has a model."""
    sight = Sightline.open(Workspace.open(workspace))
    iris = sight.snapshot.entity_iris
    chosen = np.random.default_rng(0).permutation(len(iris))[: int(ENTITIES * scale) or 1]
    results = []
    for what, predicted, wanted in (
        ("related, stated facts", False, 0.3),
        ("related, with predictions and support", True, 2.0),
    ):
        sight = Sightline.open(Workspace.open(workspace))  # with nothing remembered
        questions = [RelatedQuestion(iris[int(e)], predicted=predicted) for e in chosen]
        KIND.answer(sight, questions[0])  # compiles the kernels, builds the tables
        times = cpu_milliseconds(lambda asked, s=sight: KIND.answer(s, asked), questions)
        details = {"entities": len(iris), "edges": sight.snapshot.num_edges, "asked": len(times)}
        details["p99"] = float(np.quantile(times, 0.99))
        median = float(np.median(times))
        results.append(
            Result(f"{what}, median", median, "ms", f"<= {wanted} ms", None, None, details)
        )
    return results
