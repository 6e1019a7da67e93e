"""Inferring, comparing and exporting from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sightline.cli.main import run
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.models.data.dataset import Weighting
from sightline.models.errors import NoModel
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
    assert "limit is 0; allowed are 1 to 100000000" in capsys.readouterr().err


def test_changes_names_what_came_and_went(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws = Workspace.open(workspace)
    old = compile_snapshot(ws, rdf=False).id
    add_load(ws, [fact(("bolt", "part_of", "wheel"))], name="more")
    new = compile_snapshot(ws, rdf=False).id
    assert run(["changes", old[:6], new[:6], "-w", str(workspace)]) == 0
    shown = capsys.readouterr().out
    assert f"from snapshot {old} (model none)" in shown
    assert "bolt —part of→ wheel  stated" in shown
    assert "Removed: nothing found" in shown
    assert run(["changes", new, old, "-w", str(workspace), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["edges"] == {"added": 0, "removed": 1}
    assert answer["removed"][0]["statement"]["subject"] == "urn:sightline:entity:bolt"
    assert run(["changes", "zz", new, "-w", str(workspace)]) == 1
    assert f"there are: {', '.join(sorted([old, new]))}" in capsys.readouterr().err


def test_export_writes_the_file_that_was_asked_for(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compile_snapshot(Workspace.open(workspace), rdf=False)
    target = tmp_path / "graph.nt"
    assert run(["export", "-w", str(workspace), "--format", "nt", "-o", str(target)]) == 0
    assert f"wrote {target}" in capsys.readouterr().out
    assert target.read_text().count(" .\n") == 2


@pytest.mark.parametrize(
    ("format", "target", "code", "says"),
    [
        ("rdfxml", "out", 2, "'rdfxml' is not one of"),
        ("csv", "out", 1, "no compiled graph"),
        ("onnx", "out", 1, "no trained model"),
        ("nq", "missing/out", 1, "cannot be written: No such file or directory"),
    ],
)
def test_an_export_that_cannot_be_says_why(
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
    format: str,
    target: str,
    code: int,
    says: str,
) -> None:
    arguments = ["-w", str(workspace), "-f", format, "-o", str(workspace / target)]
    assert run(["export", *arguments]) == code
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "run"])
def test_how_much_facts_count_reaches_the_teacher(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def stopped(ws: Workspace, **how: Any) -> str:
        asked.append(how["weighting"])
        raise NoModel(ws.path)

    monkeypatch.setattr("sightline.models.train.train", stopped)
    table, ws = tmp_path / "a.csv", tmp_path / "ws"
    table.write_text("head,relation,tail,rating\na,likes,b,2\nb,likes,c,1\n")
    Workspace.create(ws)
    sources = [str(table)] if command == "run" else []

    assert run([command, *sources, "-w", str(ws), "--weight", "rating", "--extracted"]) == 1
    assert asked == [Weighting("rating", extracted=True)]
