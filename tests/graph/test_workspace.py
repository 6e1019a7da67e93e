"""One writer, atomic publishing, and a workspace that always opens."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from sightline.graph.record.errors import NothingLoaded, UnknownLoad
from sightline.graph.record.loads import Counts, LoadWriter, active_loads, load_id, now, retract
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.errors import NothingCompiled
from sightline.graph.snapshot.reader import served_snapshot
from sightline.graph.storage.artifact import new_artifact, sealed, write_json_atomic
from sightline.graph.storage.database import errors_of
from sightline.graph.storage.errors import (
    DamagedArtifact,
    DiskFull,
    FormatMismatch,
    NotAWorkspace,
    NotWritable,
    SettingsError,
    WorkspaceLocked,
)
from sightline.graph.storage.verify import verify
from sightline.graph.storage.workspace import JOBS, METRICS, Workspace
from tests.graph.conftest import add_load, fact


def test_a_new_workspace_opens_and_is_empty(tmp_path: Path) -> None:
    Workspace.create(tmp_path / "ws")
    workspace = Workspace.open(tmp_path / "ws")
    assert active_loads(workspace) == []
    with pytest.raises(NothingCompiled):
        served_snapshot(workspace)
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


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("snapshot", "../../elsewhere"),
        ("snapshot", 7),
        ("model", "/etc"),
        ("model", ""),
        ("loads", "4eb44fd81439881c"),
        ("loads", ["4eb4", None]),
        ("retracted", {"a": 1}),
        ("retracted", ["a/../../b"]),
    ],
)
def test_what_is_no_id_in_the_current_file_is_named(
    tmp_path: Path, member: str, value: object
) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    current = json.loads((workspace.path / "current.json").read_text())
    (workspace.path / "current.json").write_text(json.dumps(current | {member: value}))
    with pytest.raises(DamagedArtifact, match=rf"current\.json.*'{member}'.*no (id|list)"):
        Workspace.open(workspace.path)


@pytest.mark.parametrize("text", ["[]", "3", "null", "\x00\x00"])
def test_a_current_file_that_is_no_object_is_named(tmp_path: Path, text: str) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    (workspace.path / "current.json").write_text(text)
    with pytest.raises(DamagedArtifact, match=r"current\.json.*every load is taken up again"):
        Workspace.open(workspace.path)


SECOND_WRITER = """
import sys
import tracemalloc
from collections import Counter
from sightline.graph.storage.workspace import METRICS, Workspace
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


def in_a_thread(work: Callable[[], object]) -> object:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def test_another_thread_of_this_process_is_locked_out_too(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")

    def write() -> str:
        with workspace.lock():
            return "entered"

    with workspace.lock():
        with pytest.raises(WorkspaceLocked, match="is being written by process"):
            in_a_thread(write)
        with workspace.lock():
            pass
        with pytest.raises(WorkspaceLocked):
            in_a_thread(write)
    assert in_a_thread(write) == "entered"


def test_a_workspace_is_not_made_while_somebody_writes_it(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    load = add_load(workspace, [fact(("a", "r", "b"))])
    retract(workspace, load.id)
    with workspace.lock():
        (workspace.path / "current.json").rename(tmp_path / "aside")
        with pytest.raises(WorkspaceLocked):
            Workspace.create(workspace.path)
        (tmp_path / "aside").rename(workspace.path / "current.json")
    assert Workspace.create(workspace.path).current.retracted == (load.id,)


def test_leftovers_of_killed_runs_go_from_every_folder(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    folders = ("loads", "quarantine", "snapshots", "models", "models/m", "models/m/maps")
    for name in ("", *folders, "reports", ".work", ".work/m", ".work/m/network"):
        left = workspace.path / name / ".tmp-x-77"
        left.mkdir(parents=True)
        (left / "half").write_text("")
        (workspace.path / name / ".tmp-y-77").write_text("")
    with workspace.lock():
        assert [path.name for path in workspace.path.rglob(".tmp-*")] == []


def test_what_another_process_is_writing_is_no_leftover(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    with new_artifact(workspace.reports, "r") as folder:
        (folder / "report.html").write_text("")
        with workspace.lock():
            pass
    assert (workspace.reports / "r" / "report.html").exists()


def test_a_load_that_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    with workspace.lock(), LoadWriter(workspace, "ab", "a.csv") as writer:
        writer.reject(1, "bad", "raw")
    assert active_loads(workspace) == []
    assert not workspace.quarantine.exists() or list(workspace.quarantine.iterdir()) == []


def test_rejected_records_are_kept(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    with workspace.lock(), LoadWriter(workspace, "ab", "a.csv") as writer:
        writer.reject(7, "no key", "x" * 5000)
        load = writer.commit(
            sha256="00",
            role="facts",
            counts=Counts(1, 0, 0, 1, 0),
            media_type="text/csv",
            started=now(),
        )
    line = json.loads((workspace.quarantine / load.id / "rejected.jsonl").read_text())
    assert line == {"file": "a.csv", "line": 7, "reason": "no key", "raw": "x" * 2000}
    assert verify(workspace) == []


def test_rejected_records_are_on_disk_and_not_in_memory(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    with workspace.lock(), LoadWriter(workspace, "ab", "a.csv") as writer:
        tracemalloc.start()
        for line in range(2000):
            writer.reject(line, "bad", "x" * 2000)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 1_000_000  # 4 MB were given
    assert list(workspace.quarantine.iterdir()) == []


def test_the_id_of_a_load_depends_on_what_and_how() -> None:
    ids = {
        load_id(*case)
        for case in (
            ("aa", "", "b:", "facts"),
            ("ab", "", "b:", "facts"),
            ("aa", "m", "b:", "facts"),
            ("aa", "", "c:", "facts"),
            ("aa", "", "b:", "test"),
            ("aa", "", "b:", "facts", "crm"),
        )
    }
    assert len(ids) == 6
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
    assert verify(workspace) == []
    statements = load.folder / "statements-00000.parquet"
    statements.write_bytes(statements.read_bytes()[:-1] + b"?")
    (snapshot.folder / "manifest.json").unlink()
    damaged = [str(error) for error in verify(workspace)]
    assert len(damaged) == 2
    assert "wrong checksum" in damaged[0]


def empty_model(workspace: Workspace) -> Path:
    """A model folder with all that a model folder has, and nothing in it."""
    with new_artifact(workspace.models, "m") as folder:
        (folder / "vocabulary").mkdir()
        (folder / "vocabulary" / "entity_iris.bytes.npy").write_text("names")
    with new_artifact(folder.parent / "m", "student") as part:
        (part / "entity.npy").write_text("vectors")
    with new_artifact(folder.parent / "m" / "maps", "snapshot") as part:
        (part / "entity_index.npy").write_text("rows")
    write_json_atomic(workspace.models / "m" / METRICS, sealed({"mrr": 0.25}))
    return workspace.models / "m"


def replaced(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (
            lambda ws: replaced(ws / "models/m/maps/snapshot/entity_index.npy", "r", "s"),
            "entity_index",
        ),
        (lambda ws: (ws / "models/m/maps/snapshot/manifest.json").unlink(), "in no manifest"),
        (lambda ws: (ws / "models/m/student/manifest.json").unlink(), "in no manifest"),
        (lambda ws: replaced(ws / "models/m/metrics.json", "0.25", "0.26"), "metrics.*checksum"),
        (lambda ws: (ws / "models/m/metrics.json").write_text("{"), "metrics.*no JSON"),
        (lambda ws: (ws / "models/m/student/stray.npy").write_text(""), "stray.*no manifest"),
        (lambda ws: (ws / "sightline.toml").write_text("[graph"), "sightline.toml"),
        (lambda ws: (ws / "jobs.sqlite").write_text("no database" * 99), "jobs.sqlite.*ask"),
        (lambda ws: (ws / "answers.sqlite").write_text("none" * 99), "answers.sqlite.*asked"),
        (lambda ws: replaced(ws / "reports/r/report.html", "a", "b"), "report.html"),
        (lambda ws: replaced(ws / "quarantine/q/rejected.jsonl", "a", "b"), "rejected.jsonl"),
    ],
)
def test_verify_checks_every_file(
    tmp_path: Path, damage: Callable[[Path], object], reason: str
) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    empty_model(workspace)
    with closing(sqlite3.connect(workspace.path / "jobs.sqlite")) as database:
        database.execute("CREATE TABLE jobs (id)")
    for parent, name, file in (
        ("reports", "r", "report.html"),
        ("quarantine", "q", "rejected.jsonl"),
    ):
        with new_artifact(workspace.path / parent, name) as folder:
            (folder / file).write_text("a")
    assert verify(Workspace.open(workspace.path)) == []
    damage(workspace.path)
    (error,) = verify(Workspace.open(workspace.path))
    assert re.search(reason, str(error))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[graph", "cannot be read"),
        ("[graf]", "unknown table 'graf'"),
        ("[graph]\nbasis = 'x'", "unknown key"),
        ("[graph]\nbase = 3", "graph.base"),
        ("[graph]\nlabel_properties = 'x'", "list of texts"),
        ("[graph]\n[prefixes]\nx = 1", "prefix"),
        ("", r"\[graph\] is missing"),
        ("# Settings of this Sightline worksp", "cut short"),
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

    assert [found.id for found in active_loads(Workspace.create(tmp_path / "ws"))] == [load.id]


def test_a_start_that_two_load_ids_share_names_neither(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    loads = [add_load(workspace, [fact(("a", "r", "b"))], name=str(i)) for i in range(17)]
    starts = Counter(load.id[0] for load in loads)
    shared = starts.most_common(1)[0][0]  # there are 16 hex digits
    with pytest.raises(UnknownLoad):
        retract(workspace, shared)
    assert len(active_loads(workspace)) == 17
    assert retract(workspace, loads[0].id[:15]).id == loads[0].id


def test_a_full_database_is_a_full_disk(tmp_path: Path) -> None:
    with (
        pytest.raises(DiskFull),
        errors_of(tmp_path / JOBS),
        closing(sqlite3.connect(tmp_path / JOBS)) as database,
    ):
        database.executescript("PRAGMA max_page_count = 2; CREATE TABLE t AS SELECT zeroblob(1e5)")
