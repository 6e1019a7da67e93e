"""One writer, atomic publishing, and a workspace that always opens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sightline.graph.record.errors import NothingLoaded, UnknownLoad
from sightline.graph.record.loads import Counts, LoadWriter, load_id, now, retract
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.errors import NothingCompiled
from sightline.graph.storage.errors import (
    DamagedArtifact,
    FormatMismatch,
    NotAWorkspace,
    NotWritable,
    SettingsError,
    WorkspaceLocked,
)
from sightline.graph.storage.workspace import Workspace
from tests.graph.conftest import add_load, fact


def test_a_new_workspace_opens_and_is_empty(tmp_path: Path) -> None:
    Workspace.create(tmp_path / "ws")
    workspace = Workspace.open(tmp_path / "ws")
    assert workspace.loads() == []
    with pytest.raises(NothingCompiled):
        workspace.snapshot()
    with pytest.raises(NothingLoaded):
        compile_snapshot(workspace)


def test_opening_what_is_none(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(NotAWorkspace, match="makes one"):
            Workspace.open(path)


def test_a_folder_with_other_files_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(NotWritable, match="other files"):
        Workspace.create(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_another_format_version_is_refused(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    current = json.loads((workspace.path / "current.json").read_text())
    (workspace.path / "current.json").write_text(json.dumps(current | {"format": 99}))
    with pytest.raises(FormatMismatch, match="version 99"):
        Workspace.open(workspace.path)


def test_a_broken_current_file_is_named(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    (workspace.path / "current.json").write_text("{")
    with pytest.raises(DamagedArtifact, match=r"current\.json"):
        Workspace.open(workspace.path)


SECOND_WRITER = """
import sys
from sightline.graph.storage.workspace import Workspace
from sightline.graph.storage.errors import WorkspaceLocked
try:
    with Workspace.open(sys.argv[1]).lock():
        print("entered")
except WorkspaceLocked as error:
    print(error)
"""


def test_a_second_writer_is_told_who_writes(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    command = [sys.executable, "-c", SECOND_WRITER, str(workspace.path)]
    with workspace.lock(), workspace.lock():
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "is being written by process" in said
    assert subprocess.run(command, capture_output=True, text=True).stdout == "entered\n"


def test_a_second_object_in_one_process_is_locked_out_too(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    with workspace.lock(), pytest.raises(WorkspaceLocked), Workspace.open(workspace.path).lock():
        pass


def test_a_load_that_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    with workspace.lock(), LoadWriter(workspace, "ab") as writer:
        writer.reject(1, "bad", "raw")
    assert workspace.loads() == []
    assert not workspace.quarantine.exists() or list(workspace.quarantine.iterdir()) == []


def test_rejected_records_are_kept(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    with workspace.lock(), LoadWriter(workspace, "ab") as writer:
        writer.reject(7, "no key", "x" * 5000)
        load = writer.commit(
            source="a.csv",
            sha256="00",
            role="facts",
            counts=Counts(1, 0, 0, 1, 0),
            media_type="text/csv",
            started=now(),
        )
    line = json.loads((workspace.quarantine / load.id / "rejected.jsonl").read_text())
    assert line == {"file": "a.csv", "line": 7, "reason": "no key", "raw": "x" * 2000}


def test_the_id_of_a_load_depends_on_what_and_how() -> None:
    ids = {
        load_id(*case)
        for case in (
            ("aa", "", "b:", "facts"),
            ("ab", "", "b:", "facts"),
            ("aa", "m", "b:", "facts"),
            ("aa", "", "c:", "facts"),
            ("aa", "", "b:", "test"),
        )
    }
    assert len(ids) == 5
    assert load_id("aa", "", "b:", "facts") in ids


def test_retracting_and_loading_again(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    rows = [fact(("a", "r", "b"))]
    load = add_load(workspace, rows)
    add_load(workspace, [fact(("a", "r", "c"))], name="b")
    first = compile_snapshot(workspace, rdf=False)
    retract(workspace, load.id[:6])
    second = compile_snapshot(workspace, rdf=False)
    assert (first.num_edges, second.num_edges) == (2, 1)
    with pytest.raises(UnknownLoad):
        retract(workspace, load.id)
    add_load(workspace, rows)
    assert compile_snapshot(workspace, rdf=False).id == first.id


def test_verify_names_what_is_damaged(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    load = add_load(workspace, [fact(("a", "r", "b"))])
    snapshot = compile_snapshot(workspace, rdf=False)
    assert workspace.verify() == []
    statements = load.statements[0]
    statements.write_bytes(statements.read_bytes()[:-1] + b"?")
    (snapshot.folder / "manifest.json").unlink()
    damaged = [str(error) for error in workspace.verify()]
    assert len(damaged) == 2
    assert "wrong checksum" in damaged[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[graph", "cannot be read"),
        ("[graf]", "unknown table 'graf'"),
        ("[graph]\nbasis = 'x'", "unknown key"),
        ("[graph]\nbase = 3", "graph.base"),
        ("[graph]\nlabel_properties = 'x'", "list of texts"),
        ("[prefixes]\nx = 1", "prefix"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path: Path, text: str, reason: str) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    (workspace.path / "sightline.toml").write_text(text)
    with pytest.raises(SettingsError, match=reason):
        _ = Workspace.open(workspace.path).settings


def test_the_written_settings_are_the_defaults(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws", base='https://x.org/"q\\', prefixes={"y": "z:"})
    assert workspace.settings.base == 'https://x.org/"q\\'
    assert workspace.settings.prefixes["y"] == "z:"


def test_a_workspace_that_lost_its_current_json_takes_its_loads_up_again(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    load = add_load(workspace, [fact(("a", "r", "b"))])
    (tmp_path / "ws" / "current.json").unlink()
    with pytest.raises(NotAWorkspace):
        Workspace.open(tmp_path / "ws")

    assert [found.id for found in Workspace.create(tmp_path / "ws").loads()] == [load.id]
