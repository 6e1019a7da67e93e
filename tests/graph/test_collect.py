"""Old snapshots go, but never one that something still needs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sightline.graph.reasoning.reason import reason
from sightline.graph.record.loads import Load, active_loads
from sightline.graph.snapshot import collect as module
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.reader import served_snapshot
from sightline.graph.storage import artifact
from sightline.graph.storage.artifact import new_artifact
from sightline.graph.storage.verify import verify
from sightline.graph.storage.workspace import Workspace
from tests.graph.conftest import add_load, fact


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    ws = Workspace.create(tmp_path / "ws")
    add_load(ws, [fact(("a", "r", "b"))], name="0")
    return ws


def compiled(workspace: Workspace, number: int) -> str:
    """Compile with one more load; each snapshot is a second newer than the one before."""
    add_load(workspace, [fact((f"x{number}", "r", "b"))], name=str(number))
    snapshot = compile_snapshot(workspace, rdf=False)
    os.utime(snapshot.folder / "manifest.json", (number, number))
    return snapshot.id


def stored(workspace: Workspace) -> set[str]:
    return {folder.name for folder in workspace.snapshots.iterdir()}


def test_the_newest_three_stay(workspace: Workspace) -> None:
    ids = [compiled(workspace, number) for number in range(1, 6)]
    assert stored(workspace) == {ids[4], *ids[1:4]} - {ids[1]}
    assert served_snapshot(workspace).id == ids[4]


def test_a_snapshot_that_a_model_was_trained_on_stays(workspace: Workspace) -> None:
    first = compiled(workspace, 1)
    with new_artifact(workspace.models, "m", snapshot=first):
        pass
    ids = [compiled(workspace, number) for number in range(2, 7)]
    assert stored(workspace) == {first, *ids[2:]}


def model(workspace: Workspace, name: str, snapshot: str, time: int) -> None:
    with new_artifact(workspace.models, name, snapshot=snapshot):
        pass
    with new_artifact(workspace.models / name / "maps", snapshot):
        pass
    os.utime(workspace.models / name / "manifest.json", (time, time))


def test_an_old_model_that_is_not_served_keeps_no_snapshot(workspace: Workspace) -> None:
    first = compiled(workspace, 1)
    model(workspace, "old", first, 0)
    second = compiled(workspace, 2)
    for number in (1, 2, 3):
        model(workspace, f"m{number}", second, number)
    ids = [compiled(workspace, number) for number in range(3, 8)]
    assert stored(workspace) == {second, *ids[2:]}
    assert {folder.parts[-3] for folder in workspace.models.glob("*/maps/*")} == {"m1", "m2", "m3"}
    assert (workspace.models / "old").exists()


def test_the_served_model_keeps_its_snapshot_however_old(workspace: Workspace) -> None:
    first = compiled(workspace, 1)
    model(workspace, "m0", first, 0)
    workspace.publish(model="m0")
    for number in range(2, 9):
        model(workspace, f"m{number}", compiled(workspace, number), number)
    assert first in stored(workspace)


def test_the_served_one_and_the_former_ones_always_stay(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 0)
    ids = [compiled(workspace, number) for number in (4, 3, 2, 1)]
    assert stored(workspace) == {*ids[1:]}
    assert [pair.snapshot for pair in workspace.current.former] == [ids[2], ids[1]]


def test_nothing_goes_while_a_manifest_cannot_be_read(workspace: Workspace) -> None:
    with new_artifact(workspace.models, "m", snapshot=compiled(workspace, 1)):
        pass
    (workspace.models / "m" / "manifest.json").write_text("{")
    ids = [compiled(workspace, number) for number in range(2, 6)]
    assert len(stored(workspace)) == len(ids) + 1


def test_a_removal_that_was_cut_short_leaves_no_half_snapshot(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifact, "remove", lambda _: None)
    for number in range(1, 5):
        compiled(workspace, number)
    monkeypatch.undo()
    left = [name for name in stored(workspace) if name.startswith(".tmp-")]
    assert len(left) == 1
    with workspace.lock():
        assert not any(name.startswith(".tmp-") for name in stored(workspace))


def test_what_was_inferred_for_snapshots_that_are_gone_goes_too(workspace: Workspace) -> None:
    reason(workspace)
    for number in range(1, 6):
        compiled(workspace, number)
    stored_loads = Load.all(workspace.loads_folder)
    inferred = [load.id for load in stored_loads if load.role == "inferred"]
    active = [load.id for load in active_loads(workspace) if load.role == "inferred"]
    assert (len(inferred), len(active)) == (3, 1)
    assert set(workspace.current.retracted) == set(inferred) - set(active)
    assert verify(workspace) == []
