"""The former snapshot and model are served again, whole or not at all."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from sightline.api.app import create_app
from sightline.cli.main import run
from sightline.distill.serving import rollback
from sightline.graph.storage.artifact import new_artifact
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.workspace import FORMER, Workspace
from tests.api.test_served import more


@pytest.fixture
def workspace(folder: Path, tmp_path: Path) -> Workspace:
    ws = Workspace.open(shutil.copytree(folder, tmp_path / "ws"))
    ws._write_current(replace(ws.current, former=()))  # without its model, it was served first
    return ws


def test_going_back_twice_goes_forward(workspace: Workspace) -> None:
    with TestClient(create_app(workspace.path)) as client:
        first = client.get("/readyz").json()["snapshot"]
        none = client.post("/v1/rollback")
        assert none.status_code == 409
        assert client.get("/v1/rollback").json()["former"] == []
        second = more(workspace)
        for expected, other in ((first, second), (second, first)):
            pairs = client.post("/v1/rollback").json()
            assert pairs["served"]["snapshot"] == expected
            assert [pair["snapshot"] for pair in pairs["former"]] == [other]
            assert client.get("/v1/rollback").json() == pairs
            # At once, and with its model.
            assert client.get("/readyz").json()["snapshot"] == expected
            assert client.get("/readyz").json()["model"] == "model-1"
        unknown = client.post("/v1/rollback", json={"to": "zzz"})
        assert (unknown.status_code, first in unknown.json()["detail"]) == (404, True)
        assert client.post("/v1/rollback", json={"to": first[:8]}).status_code == 200
        assert client.get("/readyz").json()["snapshot"] == first


def test_a_damaged_pair_is_not_served_again(workspace: Workspace) -> None:
    first, second = workspace.current.snapshot, more(workspace)
    path = workspace.snapshots / str(first) / "head.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedArtifact):
        rollback(workspace)
    assert workspace.current.snapshot == second


def test_the_command_lists_and_goes_back(workspace: Workspace, capsys) -> None:
    first = workspace.current.snapshot
    second = more(workspace)
    assert run(["rollback", "-w", str(workspace.path), "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["served"]["snapshot"], listed["former"][0]["snapshot"]) == (second, first)
    assert run(["rollback", "-w", str(workspace.path)]) == 0
    assert "the same again goes forward" in capsys.readouterr().out
    assert workspace.current.snapshot == first
    assert run(["rollback", "-w", str(workspace.path), "--to", "zzz"]) == 1
    assert "there are: " in capsys.readouterr().err


def test_few_pairs_are_remembered_each_once(workspace: Workspace) -> None:
    for name in ("a", "b", "a", "c", "d"):
        with new_artifact(workspace.models, name):
            pass
        workspace.publish(model=name)
    assert [pair.model for pair in workspace.current.former] == ["c", "a"]
    assert FORMER == 2
