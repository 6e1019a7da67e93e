"""Real data sets from files to answers. Minutes each: run with `make test-slow`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sightline.cli.main import run
from tests.needs import data_set

pytestmark = pytest.mark.slow


def metrics_of(ws: Path) -> dict:
    return json.loads(next(ws.glob("models/*/metrics.json")).read_text())


def test_codex_s_is_learnt_and_kept_by_the_student(tmp_path: Path) -> None:
    ws = tmp_path / "ws"
    assert run(["run", str(data_set("codex-s")), "-w", str(ws)]) == 0
    metrics = metrics_of(ws)
    teacher, student, control = (
        metrics[w]["test"]["mrr"] for w in ("teacher", "student", "control")
    )

    assert teacher >= 0.40
    assert student >= 0.90 * teacher
    assert student >= control + 0.01
    assert metrics["calibration"]["test"]["ece"] <= 0.03


def test_umls_is_learnt(tmp_path: Path) -> None:
    ws = tmp_path / "ws"
    assert run(["run", str(data_set("umls")), "-w", str(ws), "--preset", "quick"]) == 0
    metrics = metrics_of(ws)

    assert metrics["teacher"]["test"]["mrr"] >= 0.85
    assert metrics["student"]["test"]["mrr"] >= 0.85


def test_alzheimers_disease_is_found_by_name_with_genes_compounds_and_paths(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws = ["-w", str(tmp_path / "ws")]
    assert run(["ingest", str(data_set("hetionet-sample")), *ws]) == 0
    assert run(["compile", *ws]) == 0
    capsys.readouterr()
    assert run(["related", "Alzheimer's disease", "-k", "20", "--json", *ws]) == 0
    related = json.loads(capsys.readouterr().out)["related"]
    others = [item["tail" if item["direction"] == "out" else "head"] for item in related]
    assert {"Gene", "Compound"} <= {kind for entity in others for kind in entity["types"]}
    assert all(entity["label"] for entity in others)
    assert run(["paths", "Donepezil", "Alzheimer's disease", "--json", *ws]) == 0
    paths = json.loads(capsys.readouterr().out)["paths"]
    assert paths[0]["length"] == 1
    assert any(path["length"] == 3 for path in paths)
