"""Published figures: of the same data by its counts, with a source, and out of training's sight."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.needs import data_set

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
from published import FIGURES, RANKING, Line, compare, recognised  # noqa: E402

ENTRIES: dict[str, dict[str, Any]] = json.loads(FIGURES.read_bytes())
FOLDERS = {name: name.lower() for name in ENTRIES}


def measured(mrr: float, **more: object) -> dict[str, Any]:
    ranks = dict.fromkeys(RANKING, mrr)
    return {"valid": ranks, "test": ranks, "triple_classification": None, **more}


def metrics_of(counts: dict[str, int], **more: object) -> dict[str, Any]:
    half, rest = counts["valid"] // 2, counts["valid"] - counts["valid"] // 2
    split = {"train": counts["train"], "select": half, "calibrate": rest, "test": counts["test"]}
    rows = {kind: counts[kind] for kind in ("entities", "relations")}
    return {
        "teacher": measured(0.5),
        "student": measured(0.4),
        "control": measured(0.3),
        "formats": {"student.npz": {"bytes": 10, **measured(0.4)}},
        "data": {"rows": rows, "split": {"valid": "given", **split}},
        **more,
    }


@pytest.mark.parametrize("name", ENTRIES)
def test_every_figure_has_a_source_and_is_one(name: str) -> None:
    for figure in ENTRIES[name]["figures"]:
        assert figure["source"]
        assert 2010 < figure["year"] < 2030
        known = {"model", "year", "source", "numbers", "accuracy", "f1", *RANKING}
        assert set(figure) <= known
        shares = [figure[key] for key in (*RANKING, "accuracy", "f1") if key in figure]
        assert all(0 < share <= 1 for share in shares)
        ranked = [figure[key] for key in RANKING[1:] if key in figure]
        assert ranked == sorted(ranked)
        assert figure["mrr"] >= figure.get("hits_at_1", 0)


@pytest.mark.parametrize("name", ENTRIES)
def test_a_data_set_is_recognised_by_what_is_in_it(name: str) -> None:
    folder = data_set(FOLDERS[name])
    parts = {}
    for part in ("train", "valid", "test"):
        lines = (folder / f"{part}.txt").read_text(encoding="utf-8").splitlines()
        parts[part] = {tuple(line.split("\t")) for line in lines}
    triples = set().union(*parts.values())
    counts = {
        "entities": len({entity for h, _, t in triples for entity in (h, t)}),
        "relations": len({relation for _, relation, _ in triples}),
        **{part: len(found) for part, found in parts.items()},
    }

    assert recognised(counts)[0] == name


def test_measured_models_stand_before_published_ones() -> None:
    counts = ENTRIES["CoDEx-S"]["counts"]
    found = compare(metrics_of(counts))

    assert found.data_set == "CoDEx-S"
    assert found.lines[0] == Line("teacher", None, None, 0.5, 0.5, 0.5, 0.5)
    assert found.lines[1] == Line("student", 64, None, 0.4, 0.4, 0.4, 0.4)
    assert found.lines[3] == Line("student.npz", 64, 10, 0.4, 0.4, 0.4, 0.4)
    published = found.lines[4:]
    assert len(published) == len(ENTRIES["CoDEx-S"]["figures"])
    assert published[-1].source == "README of facebookresearch/ssl-relation-prediction (2021)"


def test_other_data_has_no_published_figures() -> None:
    counts = {**ENTRIES["CoDEx-S"]["counts"], "test": 1827}
    found = compare(metrics_of(counts))

    assert found.data_set is None
    assert len(found.lines) == 4


@pytest.mark.parametrize(("source", "shown"), [("given", 0.9), ("sampled", None)])
def test_classes_are_compared_only_against_negatives_of_the_data(
    source: str, shown: float | None
) -> None:
    classes = {"source": source, "accuracy": 0.9, "f1": 0.9}
    student = measured(0.4, triple_classification=classes)
    found = compare(metrics_of(ENTRIES["CoDEx-S"]["counts"], student=student))

    assert found.lines[1].accuracy == shown
    assert found.lines[1].f1 == shown


def test_the_table_shows_every_model_and_file(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.json"
    counts = {**ENTRIES["CoDEx-S"]["counts"], "test": 1827}
    metrics.write_text(json.dumps(metrics_of(counts)))
    script = [sys.executable, str(BENCHMARKS / "published.py"), str(metrics)]
    shown = subprocess.run(script, capture_output=True, text=True, check=True).stdout

    for name in ("teacher", "student", "control", "student.npz"):
        assert f"\n{name} " in shown
    assert "no published figures are known" in shown


def test_nothing_of_the_product_holds_them() -> None:
    """What learns or measures cannot see what is not installed with it."""
    parts = ("ingest", "graph", "models", "distill", "insights", "api", "cli")
    found = [path for part in parts for path in (BENCHMARKS.parent / part).rglob("published*")]

    assert not found
