"""Inferring, comparing and exporting from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sightline.cli.main import run
from sightline.graph.workspace import Workspace
from tests.graph.conftest import add_load, fact

OWL = "http://www.w3.org/2002/07/owl#"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """One fact, and that its relation has an inverse."""
    ws = Workspace.create(tmp_path / "ws")
    inverse = {
        "subject": "urn:sightline:relation:part_of",
        "predicate": OWL + "inverseOf",
        "object": "urn:sightline:relation:has_part",
        "row": 2,
    }
    add_load(ws, [fact(("wheel", "part_of", "car")), inverse])
    return ws.path


def test_reason_says_what_was_inferred_and_what_is_next(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["reason", "-w", str(workspace)]) == 0
    shown = capsys.readouterr().out
    assert "prp-inv1" in shown
    assert "facts inferred: 1, as load" in shown
    assert f"next: sightline compile -w {workspace}" in shown
    assert run(["reason", "-w", str(workspace), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["inferred"], answer["rules"]) == (1, {"prp-inv1": 1})
    assert run(["loads", "-w", str(workspace)]) == 0
    assert "inferred" in capsys.readouterr().out
    assert run(["reason", "-w", str(workspace), "--limit", "0"]) == 2
    assert "limit is 0; allowed are 1 to 1e+08" in capsys.readouterr().err
