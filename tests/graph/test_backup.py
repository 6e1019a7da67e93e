"""A workspace goes into one file and comes back the same, while it is used; no other file does."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from sightline.graph.errors import UsageError
from sightline.graph.record.loads import active_loads
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage import backup as module
from sightline.graph.storage.backup import read_backup, write_backup
from sightline.graph.storage.errors import (
    DamagedArtifact,
    DamagedBackup,
    DiskFull,
    NotWritable,
    WorkspaceLocked,
)
from sightline.graph.storage.tokens import create_token
from sightline.graph.storage.verify import verify
from sightline.graph.storage.workspace import Workspace
from tests.graph.conftest import add_load, build, fact


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    build(tmp_path / "ws", [fact(("a", "r", "b")), fact(("b", "r", "c"))])
    return Workspace.open(tmp_path / "ws")


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_what_was_backed_up_comes_back(workspace: Workspace, tmp_path: Path) -> None:
    with sqlite3.connect(workspace.path / "jobs.sqlite") as database:
        database.execute("CREATE TABLE job (id TEXT)")
    create_token(workspace.path, "me", ["ask"], None)
    workspace.scratch("training")
    journal = workspace.path / "answers.sqlite-journal"  # of a process that asks meanwhile
    journal.write_text("what the file was before")
    said: list[tuple[int, int | None]] = []

    written = write_backup(
        workspace, tmp_path / "b", progress=lambda _, done, total, __: said.append((done, total))
    )
    read = read_backup(tmp_path / "b", tmp_path / "new" / "ws")

    again = Workspace.open(tmp_path / "new" / "ws")
    journal.unlink()
    before, after = files_of(workspace.path), files_of(again.path)
    assert after.keys() == before.keys()
    assert {name for name in before if before[name] != after[name]} <= {
        "current.json",
        "jobs.sqlite",
    }
    assert again.current == workspace.current
    assert verify(again) == []
    assert (again.path / "tokens.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0
    assert not (again.path / ".work").exists()
    assert written == read
    assert said == sorted(said)
    assert said[-1] == (written.bytes, written.bytes)
    assert not list(workspace.path.glob(".tmp*"))


def test_the_record_alone_is_enough(workspace: Workspace, tmp_path: Path) -> None:
    write_backup(workspace, tmp_path / "small", loads_only=True)
    read_backup(tmp_path / "small", tmp_path / "new")
    again = Workspace.open(tmp_path / "new")
    assert again.current.snapshot is None
    assert not again.snapshots.exists()
    assert compile_snapshot(again, rdf=False).id == workspace.current.snapshot


def test_it_is_as_at_one_moment_while_others_write(workspace: Workspace, tmp_path: Path) -> None:
    ending = threading.Event()

    def write() -> None:
        number = 0
        while not ending.is_set() and number < 30:
            number += 1
            add_load(workspace, [fact((f"x{number}", "r", "b"))], name=str(number))
            compile_snapshot(workspace, rdf=False)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            write_backup(workspace, tmp_path / f"b{number}")
    finally:
        ending.set()
        writer.join()
    for number in range(3):
        read_backup(tmp_path / f"b{number}", tmp_path / f"ws{number}")
        again = Workspace.open(tmp_path / f"ws{number}")
        assert verify(again) == []
        assert {load.id for load in active_loads(again)} >= set(again.current.loads)


def test_what_changes_all_the_time_is_not_backed_up_half(workspace, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "TRIES", 2)
    hold, turns = module._hold, iter(range(100))

    def slowly(*held: Any) -> None:
        hold(*held)
        workspace.set_retracted(f"x{next(turns)}", retracted=True)

    monkeypatch.setattr(module, "_hold", slowly)
    with pytest.raises(WorkspaceLocked):
        write_backup(workspace, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_damage_is_said_instead_of_copied(workspace: Workspace, tmp_path: Path) -> None:
    path = next(workspace.snapshots.glob("*/head.npy"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedArtifact, match=r"head\.npy has the wrong checksum"):
        write_backup(workspace, tmp_path / "b")
    assert not (tmp_path / "b").exists()
    (workspace.path / "jobs.sqlite").write_bytes(b"no database at all, but long enough" * 30)
    with pytest.raises(DamagedArtifact, match=r"jobs\.sqlite"):
        write_backup(workspace, tmp_path / "b")


def test_it_goes_neither_into_the_workspace_nor_over_another(workspace, tmp_path) -> None:
    with pytest.raises(UsageError, match="in the workspace"):
        write_backup(workspace, workspace.path / "b")
    write_backup(workspace, tmp_path / "b")
    with pytest.raises(NotWritable, match="not empty"):
        read_backup(tmp_path / "b", workspace.path)


Members = list[tuple[tarfile.TarInfo, bytes]]


def members_of(path: Path) -> Members:
    with zstd.open(path) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
        found = []
        for member in archive:
            stream = archive.extractfile(member)
            found.append((member, b"" if stream is None else stream.read()))
        return found


def write_members(path: Path, members: Members) -> None:
    with zstd.open(path, "wb") as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for member, data in members:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def at(members: Members, end: str) -> int:
    return next(i for i, (member, _) in enumerate(members) if member.name.endswith(end))


def renamed(name: str) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        members[at(members, "sightline.toml")][0].name = name

    return change


def linked(kind: bytes, to: str) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        i = at(members, "sightline.toml")
        members[i][0].type, members[i][0].linkname = kind, to
        members[i] = (members[i][0], b"")

    return change


def said(**values: object) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        members[0] = (members[0][0], json.dumps(json.loads(members[0][1]) | values).encode())

    return change


def flipped(members: Members) -> None:
    i = at(members, "head.npy")
    members[i] = (members[i][0], members[i][1][:-1] + bytes([members[i][1][-1] ^ 1]))


def more(members: Members) -> None:
    members.insert(1, (tarfile.TarInfo("watch.json"), b"{}"))


def one_more_said(members: Members) -> None:
    said(bytes=json.loads(members[0][1])["bytes"] + 1)(members)


@pytest.mark.parametrize(
    "change",
    [
        *map(renamed, ("../evil", "/tmp/evil", "loads/../../evil", ".lock", "a//b", "a\\b", "\0y")),
        linked(tarfile.SYMTYPE, "/etc/passwd"),
        linked(tarfile.LNKTYPE, "../x"),
        linked(tarfile.FIFOTYPE, ""),
        flipped,
        more,
        said(bytes=1),
        one_more_said,
        said(files=1),
        said(bytes=1 << 60),
        said(format=99),
        said(bytes="many"),
        lambda members: members.pop(0),
        lambda members: members.pop(),
        lambda members: members.pop(at(members, "checksums.json")),
        lambda members: members.pop(at(members, "head.npy")),
        lambda members: members.clear(),
    ],
)  # fmt: skip
def test_what_no_backup_holds_is_refused(
    workspace: Workspace, tmp_path: Path, change: Callable[[Members], object]
) -> None:
    write_backup(workspace, tmp_path / "b")
    members = members_of(tmp_path / "b")
    change(members)
    write_members(tmp_path / "b", members)
    with pytest.raises(DamagedBackup):
        read_backup(tmp_path / "b", tmp_path / "new" / "ws")
    assert list((tmp_path / "new").iterdir()) == []


def test_what_is_cut_short_or_too_large_is_refused(workspace, tmp_path, monkeypatch) -> None:
    write_backup(workspace, tmp_path / "b")
    data = (tmp_path / "b").read_bytes()
    for cut in (b"", data[:10], data[: len(data) // 2], data[:-1], b"no archive" * 9):
        (tmp_path / "cut").write_bytes(cut)
        with pytest.raises(DamagedBackup):
            read_backup(tmp_path / "cut", tmp_path / "new")
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DiskFull):
        read_backup(tmp_path / "b", tmp_path / "new")
    assert not (tmp_path / "new").exists()
