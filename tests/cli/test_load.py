"""What becomes of a load that is stopped, and of sources that cannot be read."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sightline.cli import build
from sightline.cli.main import run
from sightline.graph.storage.workspace import Workspace

#: Ctrl-C when some statements of the second source are written.
STOPPED = """
import os, signal, sys
from sightline.cli.main import main
from sightline.graph.record.loads import LoadWriter
from sightline.ingest import database
from sightline.ingest.formats import delimited, rdf

delimited.BLOCK = rdf.QUADS_PER_BATCH = database.RECORDS_PER_BATCH = 100
write = LoadWriter.write

def written(self, statements):
    write(self, statements)
    if self.source.startswith("b."):
        os.kill(os.getpid(), signal.SIGINT)

LoadWriter.write = written
main()
"""


@pytest.mark.parametrize("name", ["b.csv", "b.ttl", "b.db"])
def test_ctrl_c_in_the_middle_of_a_load_leaves_none_and_says_so_in_one_line(
    tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,a\n2,b\n")
    file, ids = tmp_path / name, range(1000)
    if name == "b.csv":
        file.write_text("id,name\n" + "".join(f"{i},name {i}\n" for i in ids))
    elif name == "b.ttl":
        file.write_text("".join(f'<x:{i}> <x:n> "name {i}" .\n' for i in ids))
    else:
        with sqlite3.connect(file) as database:
            database.execute("create table b (id integer primary key, name text)")
            database.executemany("insert into b values (?, 'n')", [(i,) for i in ids])
        database.close()
    command = ["ingest", str(tmp_path / "a.csv"), str(file), "-w", str(tmp_path / "ws")]
    done = subprocess.run([sys.executable, "-c", STOPPED, *command], capture_output=True, text=True)
    assert done.returncode == 130
    said = [line for line in done.stderr.splitlines() if not re.match("(profile|ingest) ", line)]
    assert said == [
        "sightline: stopped; what was stored before is intact, the same command goes on from it"
    ]
    ws = Workspace.open(tmp_path / "ws")
    assert not list(ws.loads_folder.glob(".tmp-*"))
    assert run(["loads", "-w", str(ws.path), "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == [], "no part of a load counts"
    assert run(command) == 0
    assert run(["loads", "-w", str(ws.path), "--json"]) == 0
    assert '"source": "b.' in capfd.readouterr().out


def broken(folder: Path) -> list[str]:
    """Sources of many formats that show only while they are read that they are cut."""
    folder.mkdir()
    (folder / "good.csv").write_text("id,name\n1,a\n2,b\n")
    lines = "".join(f'<x:{i}> <x:n> "name {i}" .\n' for i in range(3000))
    (folder / "cut.ttl").write_text(lines + "<x:a> <x:n> ")
    (folder / "cut.json").write_text(json.dumps([{"id": i} for i in range(3000)])[:-9])
    packed = gzip.compress(("id,name\n" + "".join(f"{i},n{i * i}\n" for i in range(9000))).encode())
    (folder / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    with sqlite3.connect(folder / "cut.db") as database:
        database.execute("create table b (id integer primary key, name text)")
        database.executemany("insert into b values (?, 'name')", [(i,) for i in range(9000)])
    database.close()
    (folder / "cut.db").write_bytes((folder / "cut.db").read_bytes()[:20_000])
    return ["cut.csv.gz", "cut.db", "cut.json", "cut.ttl"]


def test_what_cannot_be_read_is_skipped_by_name_and_the_rest_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = broken(tmp_path / "data")
    command = ["ingest", str(tmp_path / "data"), "-w", str(tmp_path / "ws")]
    assert run(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("sightline: 1 of 5 sources cannot be loaded, so none was")
    assert "cut.csv.gz' cannot be read: its gzip is broken or cut short" in line
    assert run([*command, "--skip-unreadable"]) == 0
    shown = capsys.readouterr()
    said = " ".join((shown.out + shown.err).split())
    assert said.count("skipped: source") == len(names)
    assert "Traceback" not in said
    assert run(["loads", "-w", str(tmp_path / "ws"), "--json"]) == 0
    assert [load["source"] for load in json.loads(capsys.readouterr().out)] == ["good.csv"]


def test_of_many_loads_the_first_are_printed_and_the_rest_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "SHOWN", 1)
    fact, bad = "<x:1> <x:p> <x:{}> .\n", "<x:1> <x:p> .\n"
    for i, lines in enumerate((bad + fact * 2, bad * 2 + fact * 4, "", "# none\n", bad + fact)):
        (tmp_path / f"f{i}.nt").write_text(lines.format(*range(9)))

    assert run(["ingest", str(tmp_path), "-w", str(tmp_path / "ws")]) == 0
    said = " ".join(capfd.readouterr().out.split())
    assert "f0.nt" in said
    assert "f1.nt" not in said
    assert "1 of 5 loads, of 7 facts; --json has all" in said
    assert "f2.nt" in said
    assert "look: 1 of 2 notes are not shown, 1 of which want a look" in said
    assert "1 records of f0.nt were set aside" in said
    assert "3 records of 2 more sources were set aside" in said

    assert run(["loads", "-w", str(tmp_path / "ws")]) == 0
    assert "1 of 5 loads, of 7 facts" in capfd.readouterr().out


def test_what_is_the_same_of_many_sources_is_said_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for i in range(6):
        (tmp_path / f"day{i}.csv").write_text(f"id,name\n{i},Ann {i}\n")
    (tmp_path / "shops.csv").write_text("shop;town\n1;Bern\n2;Basel\n")

    assert run(["ingest", str(tmp_path), "-w", str(tmp_path / "ws")]) == 0
    said = capfd.readouterr().out.splitlines()
    alike = [line for line in said if "its fields between commas" in line]
    assert alike == [
        "day0.csv, day1.csv and 4 more: a table, its fields between commas; it has a header"
    ]
    assert "shops.csv: a table, its fields between semicolons; it has a header" in said


def test_a_profile_is_printed_and_no_file_is_called_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text("id,name\n1,Ann\n2,Bo\n")
    assert run(["profile", "people.csv", "-o", "-"]) == 0
    printed = capfd.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]
    Path("people.yaml").write_text(printed)
    assert run(["ingest", "people.csv", "--mapping", "people.yaml", "-w", "ws"]) == 0
    assert run(["profile", "people.csv", "-o", "-", "--json"]) == 2
    assert "both print" in capfd.readouterr().err
