"""What is found, what it is taken for, and what bad input says: one sentence with the way out."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sightline.graph.record.loads import active_loads
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest import streams
from sightline.ingest.errors import (
    SourceEmpty,
    SourceError,
    SourceNotFound,
    SourcesRefused,
    SourceUnreadable,
)
from sightline.ingest.load import ingest
from sightline.ingest.source import Source
from tests.ingest.conftest import discover


def names(found: list[Source]) -> list[tuple[str, str, str]]:
    return [(source.path.name, source.format.name, source.role) for source in found]


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_folders_globs_and_files_are_found_once_and_in_order(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"b.csv": "id\n1", "a.ttl.gz": gzip.compress(b"<a:a> <a:b> 1 ."), "sub/c.jsonl": "{}"}
        | {
            "ws/sightline.toml": "",
            "ws/current.json": "{}",
            "notes.rst": "notes",
            "Readme.md": "Bern is the capital of Switzerland. It lies on the Aare.",
            ".hidden.csv": "id",
            "LICENSE.txt": "Free to use.\n",
        },
    )
    found = discover([tmp_path / "b.csv", tmp_path, str(tmp_path / "*.csv")])
    assert names(found) == [
        ("b.csv", "csv", "facts"),
        ("a.ttl.gz", "ttl", "facts"),
        ("c.jsonl", "jsonl", "facts"),
    ]


def test_a_split_folder_holds_out_what_is_not_train(tmp_path: Path) -> None:
    triple = "a\tr\tb\n"
    split = ("train", "valid", "test", "valid_negatives", "test_negatives")
    write(tmp_path, {f"{name}.txt": triple for name in split} | {"entities.tsv": "id\tlabel\na\tA"})
    assert {name: role for name, _, role in names(discover([tmp_path]))} == {
        "entities.tsv": "facts",
        "train.txt": "facts",
        "valid.txt": "valid",
        "test.txt": "test",
        "valid_negatives.txt": "valid_negatives",
        "test_negatives.txt": "test_negatives",
    }
    (tmp_path / "valid.txt").unlink()
    assert {role for _, _, role in names(discover([tmp_path]))} == {"facts"}


def test_a_split_under_other_names_is_one_where_its_triples_show_it(tmp_path: Path) -> None:
    train = "a\tr\tb\nb\tr\tc\nc\tr\ta\n"
    files = {"train.tsv": train, "dev.tsv": "a\tr\tc\n", "test.txt": "b\tr\ta\n"}
    write(tmp_path, files)
    roles = {"train.tsv": "facts", "dev.tsv": "valid", "test.txt": "test"}
    assert {name: role for name, _, role in names(discover([tmp_path]))} == roles
    # What is learnt to tell texts apart from comes in such parts, too.
    write(tmp_path, {"train.tsv": "1\tgood film\t1\n2\tbad film\t0\n3\tso so\t1\n"})
    assert {role for _, _, role in names(discover([tmp_path]))} == {"facts"}
    write(tmp_path, {"train.tsv": train, "valid.txt": "a\tr\tc\n"})
    assert {role for _, _, role in names(discover([tmp_path]))} == {"facts"}
    for name in ("valid.txt", "train.tsv"):
        (tmp_path / name).unlink()
    (tmp_path / "train.tsv").mkdir()
    assert {role for _, _, role in names(discover([tmp_path]))} == {"facts"}


def test_held_out_triples_that_are_said_to_be_true_or_false_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As WN11 and FB13 are given away: false facts were in the graph, and test facts."""
    train = "a\tr\tb\nb\tr\tc\nc\tr\ta\n"
    judged = "a\tr\tc\t1\na\tr\ta\t-1\n"
    odd = "b\tr\tb\tperhaps\n"
    folder = tmp_path / "wn"
    folder.mkdir()
    write(folder, {"train.txt": train, "dev.tsv": judged + odd, "test.tsv": judged})
    found = [name for name, _, _ in names(discover([folder]))]
    assert found == ["dev.tsv", "test.tsv", "test.tsv", "train.txt"]  # "perhaps" says no truth
    monkeypatch.setattr("sightline.ingest.discover.HEAD", len(judged))
    monkeypatch.setattr("sightline.ingest.discover._is_split", lambda folder: True)
    workspace = Workspace.create(tmp_path / "ws")
    results = ingest(workspace, [folder])
    snapshot = compile_snapshot(workspace, rdf=False)

    def parts(role: str) -> set[str]:
        names = snapshot.entity_labels
        return {f"{names[h]}{names[t]}" for h, _, t in snapshot.held_out(role).tolist()}

    assert snapshot.num_edges == 3
    assert parts("valid") == parts("test") == {"ac"}
    assert parts("valid_negatives") == parts("test_negatives") == {"aa"}
    assert snapshot.num_relations == 1
    counts = {result.load.role: result.load.counts for result in results}
    assert {role: count.rejected for role, count in counts.items() if count.rejected} == {
        "valid": 1
    }


@pytest.mark.parametrize(
    ("name", "data", "format"),
    [
        ("a.json", '{"id": 1}\n{"id": 2}\n', "jsonl"),
        ("a.json", '[{"id": 1}]', "json"),
        ("facts", "<a:a> <a:b> <a:c> .", "nt"),
        ("facts", "@prefix : <a:> .", "ttl"),
        ("facts", '{"id": 1}', "json"),
        ("facts", "id,name\n1,a", "csv"),
        ("a.CSV", "id\n1", "csv"),
    ],
)
def test_formats_are_told_by_name_and_else_by_content(
    tmp_path: Path, name: str, data: str, format: str
) -> None:
    write(tmp_path, {name: data})
    assert [source.format.name for source in discover([tmp_path / name])] == [format]


@pytest.mark.parametrize(
    ("name", "data", "error", "says"),
    [
        ("a.csv", None, SourceNotFound, "no such file"),
        ("a.csv", b"", SourceEmpty, "holds no record"),
        ("a.csv", b"\n\n \n", SourceEmpty, "holds no record"),
        ("a.csv", b"id,name\n", SourceEmpty, "holds no record"),
        ("a.csv", b"PK\x03\x04\0\0\0", SourceUnreadable, "its zip is broken or cut short"),
        ("a.csv", bytes(range(256)) * 9, SourceUnreadable, "it is binary, not text"),
        ("a.csv", b"id,name\r1,a\r", SourceUnreadable, "bare CR"),
        (
            "a.csv.gz",
            gzip.compress(b"id,name\n1,a\n", mtime=0)[:-9],
            SourceUnreadable,
            "gzip is broken",
        ),
        ("a.csv.gz", b"\x1f\x8b" + b"x" * 50, SourceUnreadable, "gzip is broken or cut short"),
        ("a.nt", b"BZh91AY&SY", SourceUnreadable, "its bzip2 is broken or cut short"),
        ("a.parquet", b"PAR1" + b"\0" * 50, SourceUnreadable, "it is no sound Parquet file"),
        ("a.parquet", b"id,name\n", SourceUnreadable, "it is no Parquet"),
    ],
)
def test_bad_input_says_what_is_wrong_and_leaves_nothing(
    workspace: Workspace,
    tmp_path: Path,
    name: str,
    data: bytes | None,
    error: type[SourceError],
    says: str,
) -> None:
    if data is not None:
        write(tmp_path, {name: data})
    with pytest.raises(error) as raised:
        ingest(workspace, [tmp_path / name])
    assert says in str(raised.value)
    assert str(tmp_path / name) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert active_loads(workspace) == []
    assert [p for p in workspace.path.glob("*/*") if p.is_dir()] == []


def test_a_decompression_bomb_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    write(tmp_path, {"a.csv.gz": gzip.compress(b"id,name\n" + b"1,aaaaaa\n" * 9_000_000)})
    with pytest.raises(SourceUnreadable, match="decompression bomb"):
        ingest(workspace, [tmp_path / "a.csv.gz"])


def test_a_line_without_end_is_refused(tmp_path: Path, workspace: Workspace, monkeypatch) -> None:
    monkeypatch.setattr(streams, "MAX_RECORD", 1000)
    monkeypatch.setattr(streams, "BLOCK", 100)
    write(tmp_path, {"a.jsonl": '{"id": "' + "x" * 5000 + '"}'})
    with pytest.raises(SourceUnreadable, match="a line is longer than"):
        ingest(workspace, [tmp_path / "a.jsonl"])


@contextmanager
def somebody() -> Iterator[None]:
    """Be a user without rights, also where the tests run as root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_no_permission_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"a.csv": "id\n1", "closed/b.csv": "id\n1"})
    (tmp_path / "a.csv").chmod(0)
    (tmp_path / "closed").chmod(0)
    try:
        for path in (tmp_path / "a.csv", tmp_path / "closed" / "b.csv"):
            with somebody(), pytest.raises(SourceUnreadable, match=r"(?i)permission denied"):
                discover([path])
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_a_folder_is_no_file_and_a_device_neither(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"no file ends in .*\.csv"):
        discover([tmp_path])
    with pytest.raises(SourceUnreadable, match="no regular file"):
        discover([Path("/dev/null")])
    with pytest.raises(SourceUnreadable, match="File name too long"):
        discover([tmp_path / ("a" * 300)])


@pytest.mark.parametrize("target", ["a.csv", "nowhere.csv"])
def test_a_link_that_leads_nowhere_is_said(tmp_path: Path, target: str) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / target)
    for named in (tmp_path / "a.csv", tmp_path / "*.csv"):
        with pytest.raises(SourceUnreadable, match="it is a link that leads nowhere"):
            discover([named])
    with pytest.raises(SourceUnreadable, match="no regular file"):
        discover([tmp_path])


def test_all_sources_are_loaded_or_none_and_all_that_is_wrong_is_said_at_once(
    load: Callable, workspace: Workspace, tmp_path: Path
) -> None:
    files = {"a.csv": "id,name\n1,x\n", "b.jsonl": "no\n", "c.csv": "id,name\n2,y\n"}
    with pytest.raises(SourcesRefused, match=r"^1 of 3 sources .*b\.jsonl.*1 of 1 records"):
        load(files)
    assert active_loads(workspace) == []
    files |= {"d.csv": b"%PDF-1.4", "e.csv": "Only words.\n"}
    with pytest.raises(SourcesRefused, match=r"^2 of 5 .*d\.csv.*a PDF.* \| .*e\.csv.*one column"):
        load(files)
    said: list[str] = []
    paths = [tmp_path / name for name in files]
    ingest(workspace, paths, skip_unreadable=True, say=said.append)
    assert {load.source for load in active_loads(workspace)} == {"a.csv", "c.csv"}
    assert [sentence.split(" ")[0] for sentence in said] == ["skipped:"] * 3
    with pytest.raises(SourcesRefused):
        ingest(workspace, paths[3:], skip_unreadable=True)
