"""The door: commands that exist are listed, every failure is one line with an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from sightline.cli import build, tables, terminal
from sightline.cli.main import app, main, run
from sightline.graph import errors
from sightline.graph import progress as graph_progress
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from tests.error_tree import every_error
from tests.graph.conftest import add_load, fact, label

COMMANDS = (
    *(
        "run",
        "ingest",
        "profile",
        "loads",
        "retract",
        "compile",
        "verify",
        "train",
        "distill",
        "evaluate",
    ),
    *(
        "related",
        "similar",
        "paths",
        "predict",
        "query",
        "changes",
        "report",
        "serve",
        "work",
        "demo",
    ),
    *(
        "reason",
        "watch",
        "export",
        "source",
        "enrich",
        "communities",
        "doctor",
        "explain",
        "insights",
        "warm",
        "validate",
        "shapes",
        "surprising",
        "merge",
        "merges",
        "extract",
        "mcp",
        "token",
        "rollback",
        "backup",
        "restore",
    ),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Two entities named Georgia, a path, and no model."""
    ws = Workspace.create(tmp_path / "ws")
    facts = [("g1", "borders", "tr"), ("g2", "part of", "us"), ("tr", "member of", "nato")]
    facts += [("us", "member of", "nato")]
    names = {"g1": "Georgia", "g2": "Georgia", "tr": "Türkiye", "us": "[bold]United States\x1b[31m"}
    add_load(ws, [fact(f) for f in facts] + [label(k, v) for k, v in names.items()])
    compile_snapshot(ws, rdf=False)
    return ws.path


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [c for c in COMMANDS if f" {c} " not in shown] == []
    callbacks = [c.callback.__name__.rstrip("_") for c in app.registered_commands if c.callback]
    assert sorted(callbacks) == sorted(COMMANDS)


def test_no_summary_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    _, _, summaries = capsys.readouterr().out.partition("Commands:")
    assert "..." not in summaries
    assert "settings and the jobs" in " ".join(summaries.split())


def test_the_workspace_may_come_from_the_environment(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_WORKSPACE", str(workspace))
    assert run(["related", "g1"]) == 0
    assert "Türkiye" in capsys.readouterr().out


def test_the_demo_stays_out_of_the_workspace_of_the_environment(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_WORKSPACE", str(workspace))
    (demo,) = (c for c in typer.main.get_command(app).commands.values() if c.name == "demo")
    assert demo.make_context("demo", []).params["workspace"] == Path("world-workspace")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert "Usage: sightline" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nothing"], 2, "No such command"),
        (["related"], 2, "see `sightline related --help`"),
        (["related", "Georgia", "-w", "WS"], 2, "entity:g1"),
        (["related", "Turkiie", "-w", "WS"], 1, "nearest: Türkiye"),
        (["related", "g1", "-w", "WS", "-k", "0"], 2, "allowed are 1 to"),
        (["related", "g1", "-w", "WS", "--relation", "nope"], 1, "relation 'nope'"),
        (["paths", "g1", "g2", "-w", "WS", "--max-hops", "9"], 2, "allowed are 1 to 6"),
        (["paths", "g1", "tr", "-w", "WS", "--pattern", "borders/"], 2, "character 9"),
        (["predict", "--head", "g1", "--relation", "borders", "-w", "WS"], 1, "no trained model"),
        (["loads", "-w", "missing"], 2, "no Sightline workspace"),
        (["retract", "zz", "-w", "WS"], 1, "`sightline loads`"),
        (["distill", "-w", "WS"], 1, "no trained model"),
        (["ingest", "missing.csv", "-w", "WS"], 2, "missing.csv"),
        (["report", "-w", "WS", "--about", "zzz"], 1, "'zzz'"),
        (["train", "-w", "WS", "--preset", "huge"], 2, "huge"),
    ],
)
def test_failures_are_one_line(
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    says: str,
) -> None:
    assert run([str(workspace) if a == "WS" else a for a in arguments]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("sightline: ")
    assert shown.err.count("\n") == 1
    assert says in shown.err


def test_an_unforeseen_error_is_one_line_too(monkeypatch, capsys, workspace: Path) -> None:
    monkeypatch.setattr(build, "_show_loads", lambda *_: [][0])
    assert run(["loads", "-w", str(workspace)]) == 1
    assert "internal error (IndexError" in capsys.readouterr().err
    monkeypatch.setenv("SIGHTLINE_DEBUG", "1")
    with pytest.raises(IndexError):
        run(["loads", "-w", str(workspace)])


def test_hostile_labels_stay_text(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["paths", "g1", "g2", "--max-hops", "4", "-w", str(workspace)]) == 0
    shown = capsys.readouterr().out
    assert "[bold]United States" in shown
    assert "\x1b" not in shown
    assert "1 of 1 paths shown" in shown


def test_plain_text_has_no_control_characters() -> None:
    assert terminal.plain("a\x1b[2J\n\u202eb") == "a [2J  b"


def test_after_two_seconds_progress_says_how_fast_and_how_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr(terminal, "time", clock)
    monkeypatch.setattr(graph_progress, "time", clock)
    with terminal.progress() as progress:
        for now[0], done in ((0, 0), (1, 100), (3, 300), (5, 500), (14, 600), (20, 9000)):
            progress("ingest", done, 9000, "a.csv")
        progress("compile", 0, 80, "reading loads")
        now[0] = 40.0
        progress("compile", 2, 80, "edges")
        progress("reason", 0, None, "round 1")
        now[0] = 50.0
        progress("reason", 500, None, "round 2")
        progress("compile", 1, 80, "edges")
        now[0] = 52.1
        progress("compile", 80, 80, "done")
    assert capsys.readouterr().err.splitlines() == [
        "ingest 0/9000 a.csv",
        "ingest 300/9000 a.csv (100/s, 87 s left)",
        "ingest 600/9000 a.csv (43/s, 3 min left)",
        "ingest 9000/9000 a.csv (450/s)",
        "compile 0/80 reading loads",
        "compile 2/80 edges (13 min left)",
        "reason 0 round 1",
        "reason 500 round 2 (50/s)",
        "compile 1/80 edges",
        "compile 80/80 done",
    ], "what begins again is timed anew"


def test_verify_fails_on_damage(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "-w", str(workspace)]) == 0
    assert "everything is intact" in capsys.readouterr().out
    next(workspace.glob("snapshots/*/head.npy")).write_bytes(b"")
    assert run(["verify", "-w", str(workspace)]) == 1
    assert "head.npy has the wrong size" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error(workspace: Path) -> None:
    program = Path(sys.executable).with_name("sightline")
    script = f"{program} loads -w {workspace} | true"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.stderr == ""


def test_the_error_tree_has_codes_that_doors_understand() -> None:
    for error in every_error():
        assert error.exit_code in (1, 2)
        assert 400 <= error.status < 600
        assert error.__doc__
    kinds = [error("x").kind for error in (errors.SightlineError, errors.NotFound)]
    assert kinds == ["sightline-error", "not-found"]


def test_small_products_of_numpy_take_one_thread_unless_somebody_wants_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sightline.cli.main.run", lambda _: 0)
    for said, wanted in (("4", "4"), (None, "1")):
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", said or "")
        if said is None:
            monkeypatch.delenv("OPENBLAS_NUM_THREADS")
        with pytest.raises(SystemExit):
            main()
        assert os.environ["OPENBLAS_NUM_THREADS"] == wanted


def test_guesses_without_held_out_facts_say_why_they_are_guesses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def said(base_rate: float | None) -> str:
        answer: Any = SimpleNamespace(
            guesses=2, abstain_below=1.0, base_rate=base_rate, reason=None, model="m"
        )
        tables._show_facts("Ann: related", [], answer)
        return capsys.readouterr().out

    assert "2 guesses below 100%" in said(0.2)
    assert "2 guesses: too few facts could be held out" in said(None)


def test_figures_of_a_graph_too_small_to_hold_facts_out_are_not_known(capsys: Any) -> None:
    build._show_metrics({"foundation": {"valid": {"mrr": None}}})
    assert "is not known: there are too few facts to hold some out" in capsys.readouterr().out
