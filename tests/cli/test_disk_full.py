"""On a full disk every command says so, in one line, and leaves what was there."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from sightline.cli.main import run

#: Runs commands in one process whose files may not grow beyond a size, and prints what each says.
LIMITED = """
import contextlib, io, json, resource, sys
from sightline.cli.main import run
limit, commands = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
said = []
for command in commands:
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        with contextlib.redirect_stdout(io.StringIO()):
            code = run(command)
    said.append([code, stderr.getvalue().strip().splitlines()[-1]])
print(json.dumps(said))
"""

FILES = ("nq", "nt", "ttl", "jsonld", "graphml", "cytoscape", "csv", "parquet")


@pytest.mark.parametrize("limit", [0, 600])
def test_a_full_disk_says_so(
    tmp_path: Path, limit: int, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"thing {number}" for number in range(200)]
    for file, relation in (("one", "likes"), ("two", "sees")):
        rows = (f"{a}\t{relation}\t{b}\n" for a, b in pairwise(names))
        (tmp_path / f"{file}.tsv").write_text("".join(rows))
    ws = str(tmp_path / "ws")
    assert run(["ingest", str(tmp_path / "one.tsv"), "-w", ws]) == 0
    assert run(["compile", "-w", ws]) == 0
    assert run(["ingest", str(tmp_path / "two.tsv"), "-w", ws]) == 0
    (load, *_) = (tmp_path / "ws" / "loads").iterdir()
    before = (tmp_path / "ws" / "current.json").read_text()

    commands = [
        ["ingest", str(tmp_path / "one.tsv"), "-w", str(tmp_path / "new")],
        ["compile", "-w", ws],
        ["report", "-w", ws],
        *(["export", "-w", ws, "-f", kind, "-o", str(tmp_path / kind)] for kind in FILES),
    ]
    if not limit:
        commands.append(["retract", load.name, "-w", ws])
    argument = json.dumps([limit, commands])
    process = subprocess.run(
        [sys.executable, "-c", LIMITED, argument], capture_output=True, text=True, check=True
    )
    for command, (code, line) in zip(commands, json.loads(process.stdout), strict=True):
        assert (code, line[:25]) == (1, "sightline: no space left "), command
        assert "free some space and run again" in line
    assert (tmp_path / "ws" / "current.json").read_text() == before
    assert not [path.name for path in tmp_path.rglob("*") if path.name in FILES]
    assert run(["compile", "-w", ws]) == 0


def test_a_full_disk_behind_the_output_says_so(tmp_path: Path) -> None:
    ws = tmp_path / "ws"
    (tmp_path / "one.tsv").write_text("a\tr\tb\n")
    assert run(["ingest", str(tmp_path / "one.tsv"), "-w", str(ws)]) == 0
    code = "from sightline.cli.main import main; main()"
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-c", code, "loads", "-w", str(ws)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert process.returncode == 1
    assert process.stderr.startswith("sightline: no space left on the disk")
