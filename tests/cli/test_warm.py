"""`sightline warm` compiles what answers call, for the types that they call it with."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sightline.cli import compiling, service, warm
from sightline.cli.compiling import COMPILING, SERVING, TRIES, answered, counting
from sightline.distill.student import compiled
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from tests.graph.conftest import add_load, fact
from tests.insights.conftest import Model, World, write_model

#: Asks questions of a workspace and prints which kernels were compiled for it.
ASK = """
import json, sys
from contextlib import redirect_stdout
from io import StringIO
from sightline.cli.compiling import counting
from sightline.cli.main import run
with counting() as names, redirect_stdout(StringIO()):
    codes = [run([*question, "-w", sys.argv[1]]) for question in json.loads(sys.argv[2])]
print(json.dumps([codes, names]))
"""
QUESTIONS = [
    ["insights"],
    ["related", "Kenya"],
    ["paths", "Kenya", "Nepal"],
    ["predict", "--head", "Kenya", "--relation", "member of"],
    ["enrich", "Kenya", "Uganda"],
    ["doctor"],
]


def test_a_student_is_compiled_for_the_types_of_one_that_was_opened(tmp_path: Path) -> None:
    ws = Workspace.create(tmp_path / "ws")
    add_load(ws, [fact(("kenya", "borders", "uganda"))])
    write_model(ws, compile_snapshot(ws, rdf=False), Model())
    warm._student()
    before = list(compiled._answer.signatures)
    assert World(ws).predict("kenya", "borders")
    assert before
    assert compiled._answer.signatures == before


def test_kernels_that_are_compiled_are_counted() -> None:
    import numba

    kernels = [numba.njit(lambda x, n=n: x + n) for n in (1, 2)]
    with counting() as names:
        assert [kernel(1) for kernel in kernels * 2] == [2, 3, 2, 3]
    kernels[0](1.5)
    assert len(names) == 2


def test_a_service_that_compiles_says_once_why_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import numba

    from sightline.api.server import process

    monkeypatch.setattr(process, "application", lambda read_row: read_row)
    with ExitStack() as ended:
        monkeypatch.setattr(service, "atexit", SimpleNamespace(register=ended.callback))
        assert service.application() is service.read_row
        assert capsys.readouterr().err == ""
        assert [numba.njit(lambda x, n=n: x + n)(1) for n in (1, 2)] == [2, 3]
        assert capsys.readouterr().err.splitlines() == [SERVING]


@pytest.mark.parametrize(("deadline", "times"), [(10, 3), (None, 1)])
def test_no_deadline_counts_what_is_compiled_and_that_it_is_is_said_once(
    deadline: int | None, times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    import numba

    kernels = [numba.njit(lambda x, n=n: x + n) for n in (1, 2)]
    asked: list[object] = []

    def answer(_: object, question: object) -> int:
        asked.append(question)
        return sum(kernel(0) for kernel in kernels[: len(asked)])

    kind: Any = SimpleNamespace(answer=answer)
    question = SimpleNamespace(deadline_ms=deadline)
    found = answered(kind, cast(Sightline, None), question)
    assert (found, asked) == (3 if deadline else 1, [question] * times)
    assert capsys.readouterr().err == COMPILING + "\n"


@pytest.mark.parametrize(("deadline", "times"), [(0, 2), (60_000, 1)])
def test_a_deadline_that_passed_while_kernels_were_loaded_is_given_again(
    deadline: int, times: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "kernel.py"
    source.write_text("import numba\n@numba.njit(cache=True)\ndef kernel(x):\n    return x + 1\n")
    runpy.run_path(str(source))["kernel"](1)  # the disk has it from here on
    kernel = runpy.run_path(str(source))["kernel"]
    asked: list[object] = []

    def answer(_: object, question: object) -> int:
        asked.append(question)
        return int(kernel(1))

    kind: Any = SimpleNamespace(answer=answer)
    assert answered(kind, cast(Sightline, None), SimpleNamespace(deadline_ms=deadline)) == 2
    assert len(asked) == times
    assert not capsys.readouterr().err


def test_what_takes_little_to_load_is_no_reason_to_ask_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise a search that uses up its time takes it four times."""
    import numba

    kernels = [numba.njit(lambda x, n=n: x + n) for n in range(TRIES)]
    asked: list[object] = []

    def answer(_: object, question: object) -> int:
        asked.append(question)
        return int(kernels[len(asked) - 1](0))

    kind: Any = SimpleNamespace(answer=answer)
    minutes = count(step=60)
    monkeypatch.setattr(compiling, "time", SimpleNamespace(monotonic=lambda: next(minutes)))
    answered(kind, cast(Sightline, None), SimpleNamespace(deadline_ms=60_000))
    assert len(asked) == 1


@pytest.mark.slow
def test_no_question_compiles_anything_after_it(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "numba")}
    made = str(tmp_path / "world")

    def sightline(*given: str) -> str:
        command = [sys.executable, "-c", "from sightline.cli.main import main; main()", *given]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    assert "kernels compiled" in sightline("warm")
    assert "everything is compiled" in sightline("warm")
    sightline("demo", "--no-serve", "-w", made)
    command = [sys.executable, "-c", ASK, made, json.dumps(QUESTIONS)]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    codes, compiled_then = json.loads(asked.stdout)
    assert set(codes) == {0}
    assert compiled_then == []
