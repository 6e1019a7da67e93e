"""A folder exists whole or not at all, and damage is named."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sightline.graph.storage.artifact import (
    ASIDE,
    TEMPORARY,
    new_artifact,
    read_manifest,
    remove_leftovers,
    verify_artifact,
    write_json_atomic,
)
from sightline.graph.storage.errors import DamagedArtifact, DiskFull, NotWritable


def make(parent: Path, name: str = "x", text: str = "hello") -> Path:
    with new_artifact(parent, name, kind="test") as folder:
        (folder / "part").mkdir()
        (folder / "part" / "a.txt").write_text(text)
    return parent / name


def test_a_committed_folder_verifies(tmp_path: Path) -> None:
    folder = make(tmp_path)
    assert verify_artifact(folder, full=True)["kind"] == "test"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_artifact(tmp_path, "x") as folder:
        (folder / "a").write_text(str(1 / 0))
    assert list(tmp_path.iterdir()) == []


def test_an_error_keeps_what_was_there(tmp_path: Path) -> None:
    make(tmp_path)
    with pytest.raises(KeyError), new_artifact(tmp_path, "x"):
        raise KeyError
    assert (tmp_path / "x" / "part" / "a.txt").read_text() == "hello"


def test_replacing_serves_the_new_content(tmp_path: Path) -> None:
    make(tmp_path)
    folder = make(tmp_path, text="changed")
    assert (folder / "part" / "a.txt").read_text() == "changed"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Name of what is synced, and the names beside it at that moment."""
    found: list[tuple[str, list[str]]] = []

    def fsync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        found.append((path.name, sorted(p.name for p in path.parent.iterdir())))

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_a_folder_is_synced_before_it_appears_and_its_parent_after(
    tmp_path: Path, synced: list[tuple[str, list[str]]]
) -> None:
    parent = tmp_path / "loads"
    parent.mkdir()
    make(parent)
    *before, (last, _) = synced
    (temporary,) = {name for name, _ in before if name.startswith(TEMPORARY)}
    assert {name for name, _ in before} == {"part", "a.txt", "manifest.json", temporary}
    assert [beside for name, beside in before if name == temporary] == [[temporary]]
    assert (last, os.listdir(parent)) == ("loads", ["x"])


def test_a_file_is_synced_before_it_appears_and_its_folder_after(
    tmp_path: Path, synced: list[tuple[str, list[str]]]
) -> None:
    write_json_atomic(tmp_path / "a.json", {"a": 1})
    (file, beside), (folder, _) = synced
    assert file.startswith(TEMPORARY)
    assert beside == [file]
    assert folder == tmp_path.name


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda f: (f / "part" / "a.txt").unlink(), "missing"),
        (lambda f: (f / "part" / "a.txt").write_text("hell"), "wrong size"),
        (lambda f: (f / "part" / "a.txt").write_text("jello"), "wrong checksum"),
        (lambda f: (f / "manifest.json").write_text("{"), "cannot be read"),
        (lambda f: (f / "manifest.json").write_text("[]"), "is not one"),
    ],
)
def test_damage_is_named(tmp_path: Path, damage, reason: str) -> None:
    folder = make(tmp_path)
    damage(folder)
    with pytest.raises(DamagedArtifact, match=reason):
        verify_artifact(folder, full=True)


def test_a_folder_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(DamagedArtifact, match="it is not there"):
        read_manifest(tmp_path / "gone")


def test_an_unwritable_parent_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(NotWritable, match="choose another folder"),
        new_artifact(tmp_path / "file", "x"),
    ):
        pass


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        OSError(122, "Disk quota exceeded"),
        OSError("131072 requested and 4064 written"),  # NumPy
        OSError("IO error: No space left on device: While appending to file"),  # Oxigraph
        RuntimeError("I/O error: No space left on device (os error 28)"),  # safetensors
        sqlite3.OperationalError("database or disk is full"),
    ],
)
def test_a_full_disk_is_said_whatever_library_meets_it(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(DiskFull, match="free some space"), new_artifact(tmp_path, "x"):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_tree_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(DamagedArtifact), new_artifact(tmp_path, "x"):
        raise DamagedArtifact("loads/a", "its file about a disk quota is missing")


def test_json_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json_atomic(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json_atomic(path, {"a": object()})
    assert path.read_text() == '{\n  "a": 1\n}\n'


def test_leftovers_go_and_a_folder_that_stepped_aside_returns(tmp_path: Path) -> None:
    make(tmp_path, "old")
    (tmp_path / "old").rename(tmp_path / f"{ASIDE}old-77")
    (tmp_path / f"{TEMPORARY}new-77").mkdir()
    (tmp_path / f"{TEMPORARY}file-77").write_text("")
    remove_leftovers(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["old"]
    assert read_manifest(tmp_path / "old")["kind"] == "test"


KILLED = """
import sys, time
from pathlib import Path
from sightline.graph.storage.artifact import new_artifact
with new_artifact(Path(sys.argv[1]), "x") as folder:
    (folder / "a").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_killed_writer_leaves_no_half_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, signal.SIGKILL)
    assert not (tmp_path / "x").exists()
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []
