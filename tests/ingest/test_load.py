"""A load is whole or not there, is made once, and its counts add up."""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.graph.record.loads import Load, LoadWriter, active_loads, retract
from sightline.graph.storage.artifact import read_manifest, write_manifest
from sightline.graph.storage.verify import verify
from sightline.graph.storage.workspace import Workspace
from sightline.ingest import columns
from sightline.ingest import load as load_module
from sightline.ingest.batch import Seen
from sightline.ingest.errors import SourceError, SourceNotFound, TooManyRejected
from sightline.ingest.formats import delimited
from sightline.ingest.formats import parquet as parquet_module
from sightline.ingest.load import ingest
from sightline.ingest.profile import profile as profile_module
from tests.ingest.conftest import facts, quarantined, statements, triples

TABLE = "id,name\n1,a\n2,b\n"


def test_the_same_source_is_one_load_whatever_its_name_and_time(load: Callable) -> None:
    (first,) = load({"a.csv": TABLE})
    before = {p: p.stat().st_mtime_ns for p in first.load.folder.iterdir()}
    again, copy = load({"a.csv": TABLE, "sub/a.csv": TABLE})
    assert [first.known, again.known, copy.known] == [False, True, True]
    assert again.load == copy.load == first.load
    assert {p: p.stat().st_mtime_ns for p in first.load.folder.iterdir()} == before
    (other,) = load({"a.csv": TABLE + "3,c\n"})
    assert other.load.id != first.load.id


def test_what_decides_how_a_source_is_read_is_part_of_its_id(load: Callable) -> None:
    same = "a\tr\tb\na\tr\tc\n"
    names = ["train.txt", "valid.txt", "test.txt", "a.tsv"]
    results = load({f"split/{name}": same for name in names})
    assert len({result.load.id for result in results}) == 4
    assert [r.load.role for r in results] == ["facts", "valid", "test", "facts"]


def test_a_retracted_load_comes_back(load: Callable, workspace: Workspace) -> None:
    (first,) = load({"a.csv": TABLE})
    retract(workspace, first.load.id)
    assert active_loads(workspace) == []
    (again,) = load({"a.csv": TABLE})
    assert again.known
    assert active_loads(workspace) == [first.load]


def test_a_damaged_load_is_written_again(load: Callable, workspace: Workspace) -> None:
    (first,) = load({"a.csv": TABLE})
    first.load.statements[0].write_bytes(b"")
    (again,) = load({"a.csv": TABLE})
    assert not again.known
    assert again.load.id == first.load.id
    assert facts(again.load) == [
        ("entity:a/1", "rdfs:label", "a"),
        ("entity:a/2", "rdfs:label", "b"),
    ]
    assert verify(workspace) == []


def test_where_each_record_came_from_is_kept(load: Callable, tmp_path: Path) -> None:
    (result,) = load({"a.csv": TABLE + "\n1,a\n3,c,d\n"})
    manifest = json.loads((result.load.folder / "manifest.json").read_text())
    assert (manifest["source"], manifest["path"]) == ("a.csv", str(tmp_path / "a.csv"))
    assert manifest["media_type"] == "text/csv"
    assert manifest["counts"] == {
        "read": 4,
        "loaded": 2,
        "duplicate": 1,
        "rejected": 1,
        "statements": 4,
    }
    assert manifest["prov:wasGeneratedBy"]["prov:used"] == "a.csv"
    assert statements(result.load)["row"].to_list() == [2, 3] * 2


def test_strict_refuses_the_first_bad_record(load: Callable, workspace: Workspace) -> None:
    with pytest.raises(TooManyRejected, match=r"1 of 3 records were rejected \(first: line 4: 3 f"):
        load({"a.csv": TABLE + "3,c,d\n"}, strict=True)
    assert active_loads(workspace) == []
    assert list(workspace.quarantine.iterdir()) == []
    assert load({"a.csv": TABLE}, strict=True)[0].load.counts.loaded == 2


def test_half_of_the_records_may_be_bad_and_no_more(load: Callable, workspace: Workspace) -> None:
    (result,) = load({"a.csv": TABLE + "3,c,d\n4,c,d\n"})
    assert result.load.counts.rejected == 2
    with pytest.raises(TooManyRejected, match="3 of 5 records were rejected"):
        load({"b.jsonl": '{"id": "1", "name": "a"}\n{"id": "2", "name": "b"}\n' + "no\n" * 3})
    assert active_loads(workspace) == [result.load]


def test_a_file_of_nothing_but_bad_records_is_not_read_to_its_end(
    load: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_module, "ENOUGH_REJECTED", 10)
    monkeypatch.setattr("sightline.ingest.streams.BLOCK", 100)
    with pytest.raises(TooManyRejected) as error:
        load({"a.jsonl": "no\n" * 5000})
    assert "5000" not in str(error.value)


def test_progress_counts_bytes_over_all_sources(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "a.csv").write_text(TABLE)
    (tmp_path / "b.nt").write_text("<a:a> <a:b> <a:c> .\n")
    said: list[tuple[str, int, int | None, str]] = []
    ingest(workspace, [tmp_path], progress=lambda *report: said.append(report))
    total = len(TABLE) + 20
    assert {(stage, of) for stage, _, of, _ in said} == {("profile", total), ("ingest", total)}
    for stage in ("profile", "ingest"):
        done = [done for which, done, _, _ in said if which == stage]
        assert done == sorted(done)
    assert said[-1] == ("ingest", total, total, "b.nt")
    assert [note for _, _, _, note in said].count("a.csv") >= 2


@settings(max_examples=200)
@given(
    st.lists(
        st.lists(st.integers(0, 30) | st.integers(2**64 - 20, 2**64 - 1), max_size=12), max_size=8
    )
)
def test_seen_tells_the_first_of_equal_records(batches: list[list[int]]) -> None:
    seen, known = Seen(), set()
    for batch in batches:
        fresh = seen.fresh(pl.Series(batch, dtype=pl.UInt64)).to_list()
        for value, first in zip(batch, fresh):
            assert first == (value not in known)
            known.add(value)


def test_hashes_of_many_records_do_not_meet() -> None:
    rng = np.random.default_rng(0)
    columns = rng.integers(0, 700, (2, 400_000))
    frame = pl.DataFrame({"a": columns[0], "b": columns[1]}).cast(pl.String)
    assert frame.hash_rows().n_unique() == frame.n_unique()


KILLED = """
import os, signal, sys
from pathlib import Path
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.formats import delimited
from sightline.ingest.load import ingest

delimited.BLOCK = 1000
folder, number = Path(sys.argv[1]), int(sys.argv[2])

def progress(stage, done, total, note):
    if stage == "ingest" and note == "b.csv" and done > 100_000:
        assert list((folder / "ws" / "loads").glob(".tmp-*/statements-*"))
        os.kill(os.getpid(), number)

ingest(Workspace.open(folder / "ws"), [folder / "a.csv", folder / "b.csv"], progress=progress)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_process_killed_in_the_middle_leaves_whole_loads_only(
    tmp_path: Path, workspace: Workspace, number: int
) -> None:
    (tmp_path / "a.csv").write_text(TABLE)
    big = "id,name\n" + "".join(f"{i},name {i}\n" for i in range(20_000)) + "bad,a,b\n"
    (tmp_path / "b.csv").write_text(big)
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(int(number))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -number
    assert active_loads(workspace) == [], "what waits for the others is no part of the graph"
    leftovers = list(workspace.loads_folder.glob(".tmp-*"))
    assert bool(leftovers) == (number == signal.SIGKILL)
    assert verify(workspace) == []
    first, second = ingest(workspace, [tmp_path / "a.csv", tmp_path / "b.csv"])
    assert (first.known, second.known) == (True, False)
    assert second.load.counts.loaded == 20_000
    assert len(quarantined(workspace, second.load)) == 1
    assert not list(workspace.loads_folder.glob(".tmp-*"))


def test_hostile_cells_stay_text(load: Callable) -> None:
    cells = ['=cmd|"/C calc"!A0', "<script>alert(1)</script>", "'; DROP TABLE x; --", "\x1b[31m"]
    cells += ["} . ?s ?p ?o . {", "../../etc/passwd", "$(id)", "\u202etxt", "a\\nb", "\\u0041"]
    table = pl.DataFrame({"id": [str(i) for i in range(len(cells))], "name": cells})
    (result,) = load({"a.csv": table.write_csv()})
    assert [o for _, _, o in facts(result.load)] == cells
    (result,) = load({"b.csv": pl.DataFrame({"id": cells, "name": "x"}).write_csv()})
    for subject in statements(result.load)["subject"]:
        assert subject.isascii()
        assert not set(subject) & set(' <>"{}|\\^`\x1b')


def test_no_source_is_an_error_before_anything_is_locked(workspace: Workspace) -> None:
    with workspace.lock(), pytest.raises(SourceNotFound):
        ingest(Workspace.open(workspace.path), [workspace.path / "*.csv"])
    assert os.listdir(workspace.path) != []


HOSTILE = ["*", "^.*$", "\0place", "#subject", "self", "exprs", "a.b", "$(id)", "{}", "é <b>"]


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_columns_may_have_any_name(load: Callable, format: str) -> None:
    table = pl.DataFrame({"id": ["x"], **{name: [f"v{i}"] for i, name in enumerate(HOSTILE)}})
    out = io.BytesIO()
    write = {"csv": table.write_csv, "jsonl": table.write_ndjson, "parquet": table.write_parquet}
    write[format](out)
    (result,) = load({f"a.{format}": out.getvalue()})
    values = [o for _, _, o in facts(result.load)]
    assert values == [f"v{i}" for i in range(len(HOSTILE))]


def test_rejected_records_are_written_as_they_come(workspace: Workspace) -> None:
    with LoadWriter(workspace, "0" * 16, "a.csv") as writer:
        tracemalloc.start()
        for line in range(20_000):
            writer.reject(line, "no good", "x" * 1000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 20
    assert list(workspace.quarantine.iterdir()) == list(workspace.loads_folder.iterdir()) == []


def test_no_load_says_where_its_file_was(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/x.csv", "a/y.csv", "b/x.csv", "c/x.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"id,name\n1,{name}\nbad,a,b\n")
    whole = [tmp_path / name for name in ("a/x.csv", "a/y.csv")]
    monkeypatch.chdir(tmp_path)
    found = [*ingest(workspace, whole), *ingest(workspace, [tmp_path / "b/x.csv"])]
    found += ingest(workspace, ["c/x.csv"])
    assert [result.load.source for result in found] == ["x.csv", "y.csv", "b/x.csv", "c/x.csv"]
    for result in found:
        rejected = workspace.quarantine / result.load.id / "rejected.jsonl"
        assert json.loads(rejected.read_text())["file"] == result.load.source
        assert Path(result.load.path).is_absolute()
    (tmp_path / "b/x.csv").write_text("id,name\n1,new\n")
    (again,) = ingest(workspace, [tmp_path / "b/x.csv"])
    assert again.load.source == "b/x.csv", "a file that was loaded before keeps its name"


def test_a_load_that_holds_a_whole_path_shows_the_name_alone(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,x\n")
    (result,) = ingest(workspace, [tmp_path / "a.csv"])
    manifest = read_manifest(result.load.folder)
    write_manifest(result.load.folder, manifest | {"source": str(tmp_path / "a.csv")})
    assert Load.read(result.load.folder).source == "a.csv"


@pytest.mark.parametrize("what", ["written", "removed"])
@pytest.mark.parametrize("stage", ["profile", "ingest"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    workspace: Workspace, tmp_path: Path, stage: str, what: str
) -> None:
    file, other = tmp_path / "t.csv", tmp_path / "u.csv"
    for one in (file, other):
        one.write_text("head,relation,tail\na,likes,b\n")

    def change(now: str, done: int, total: int | None, note: str) -> None:
        if now == stage and file.exists():
            file.write_text("head,relation,tail\na,likes,c\nb,likes,c\n")
            if what == "removed":
                file.unlink()

    with pytest.raises(SourceError, match=r"while it was read|No such file"):
        ingest(workspace, [file, other], progress=change)
    assert active_loads(workspace) == []


def test_garbage_is_looked_for_as_before_when_all_is_loaded_or_refused(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(TABLE)
    before, during = gc.get_threshold(), list[int]()
    ingest(
        workspace, [tmp_path / "a.csv"], progress=lambda *_: during.append(gc.get_threshold()[0])
    )
    assert gc.get_threshold() == before
    assert min(during) > before[0]
    with pytest.raises(SourceNotFound):
        ingest(workspace, [tmp_path / "b.csv"])
    assert gc.get_threshold() == before


def test_what_the_profile_kept_is_loaded_as_what_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad records, equal ones, cells without a value, and several batches."""
    monkeypatch.setattr(delimited, "BLOCK", 100)
    lines = ["id,name,town", *(f"{i % 30},N/A,Town {i % 3}" for i in range(40)), "7", "x,y,z,w"]
    csv, parquet = tmp_path / "a.csv", tmp_path / "b.parquet"
    csv.write_text("\n".join(lines) + "\n")
    pl.DataFrame({"id": [1, 2, 2], "name": ["One", "Two", "Two"]}).write_parquet(parquet)
    reads, made = list[Path](), []
    batches, of_parquet = delimited.read_delimited, parquet_module._batches
    monkeypatch.setattr(
        delimited, "read_delimited", lambda s, *a: reads.append(s.path) or batches(s, *a)
    )
    monkeypatch.setattr(
        parquet_module, "_batches", lambda f, s: reads.append(s.path) or of_parquet(f, s)
    )
    for kept in (profile_module.KEPT, 0):
        monkeypatch.setattr(profile_module, "KEPT", kept)
        results = ingest(Workspace.create(tmp_path / f"ws{kept}"), [csv, parquet])
        loads = [result.load for result in results]
        files = [read_manifest(one.folder)["files"] for one in loads]
        made.append((files, [(one.counts, one.notes, one.tables) for one in loads]))
    assert made[0] == made[1]
    assert [(c.duplicate, c.rejected) for c, *_ in made[0][1]] == [(10, 2), (1, 0)]
    assert reads == [csv, parquet, csv, parquet, csv, parquet], "once, then twice each"


def test_columns_of_one_kind_are_mapped_together_wherever_they_stand(
    load: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call for each of thousands of columns would have a cost of its own."""
    alone: list[object] = []
    one = columns._one
    monkeypatch.setattr(columns, "_one", lambda *args: alone.append(args) or one(*args))
    names = ["id", *(f"c{i}" for i in range(1, 30))]
    rows = [[f"w{r} {i}" if i % 3 else str(r + i) for i in range(30)] for r in range(5)]
    lines = [",".join(cells) for cells in (names, *rows)]
    (result,) = load({"t.csv": "\n".join(lines) + "\n"})
    assert len(alone) < 6
    found = [(s, p, o) for s, p, o in triples(result.load) if p.startswith("property:")]
    assert ("entity:t/2", "property:c7", "w2 7") in found
    assert ("entity:t/2", "property:c9", "11") in found


def test_things_of_many_columns_are_made_in_one_go_as_they_are_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, each = [0], []
    one = columns._one
    monkeypatch.setattr(columns, "_one", lambda *args: calls.append(1) or one(*args))
    # Names that are no value in a cell, cells of several values, none and numbers as texts.
    names = ["id", "NA", *(f"c {i}" for i in range(20)), *(f"n{i}" for i in range(3))]
    cells = ["red|Grün", "", "blue", "red", "blue", "a/b", "N/A", "red", "red|blue", "blue"]
    rows = [
        [f"k{r}", *(cells[(r + c % 3) % 10] for c in range(21)), *("2.5" if r else "?",) * 3]
        for r in range(10)
    ]
    path = tmp_path / "wide.csv"
    path.write_text("".join(",".join(row) + "\n" for row in [names, *rows]))
    for few in (columns.FEW, 0):
        calls.clear()
        monkeypatch.setattr(columns, "FEW", few)
        (result,) = ingest(Workspace.create(tmp_path / str(few)), [path])
        notes = [note.text for note in result.load.notes]
        each.append((sorted(triples(result.load)), notes, len(calls)))
    assert each[0][:2] == each[1][:2]
    assert ("entity:c_0/Gr%C3%BCn", "rdfs:label", "Grün") in each[0][0]
    assert each[0][2] < 20 < 60 < each[1][2]


def test_a_map_is_given_its_own_columns_of_a_wide_table(
    load: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells_of, widths = columns.cells_of, []

    def counted(frame: pl.DataFrame, table_map: columns.TableMap) -> pl.DataFrame:
        widths.append(frame.width)
        return cells_of(frame, table_map)

    monkeypatch.setattr(columns, "cells_of", counted)
    monkeypatch.setattr(columns, "FEW", 0)  # each on its own
    names = ["id", *(f"c{i}" for i in range(20))]
    rows = [[f"k{row}", *("red" if row % 2 else "blue" for _ in names[1:])] for row in range(9)]
    load({"wide.csv": "".join(",".join(row) + "\n" for row in [names, *rows])})
    assert len(widths) > 20
    assert sorted(widths)[-2] <= 2 < max(widths) <= len(names) + 1
