"""The example for the edge answers as Sightline does, without Sightline, and in a browser."""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest

from sightline.distill.serving import ServedModel
from sightline.distill.student.arrays import best
from sightline.distill.student.portable import FORMATS, export_student
from sightline.graph.snapshot.reader import served_snapshot
from sightline.graph.storage.workspace import Workspace
from tests.api.browser import Browser, find_browser
from tests.graph.conftest import BASE, build, fact, label
from tests.insights.conftest import MODEL, Model, write_model
from tests.needs import require

EDGE = Path(__file__).parents[2] / "examples" / "edge"
HOSTILE = "<img src=x onerror=\"document.title='pwned'\">\x1b[31m"
FACTS = [
    ("kenya", "member_of", "au"),
    ("uganda", "member_of", "au"),
    ("uganda", "member_of", "eac"),
    ("hostile", "borders", "kenya"),
]
LABELS = {"kenya": "Kenya", "uganda": "Uganda", "au": "Union", "eac": "Union", "hostile": HOSTILE}
#: Who is a member of the first union; no two alike, so that rounding decides nothing.
SCORES = {
    (name, "member_of", "au"): score
    for name, score in (("uganda", 5.0), ("kenya", 4.0), ("hostile", 1.5), ("eac", -1.0))
}
CURVE = {"slope": 0.8, "rank_slope": 0.3, "intercept": 0.4, "rel_offset": (0.1, 0.2, 0.3, 0.4)}
FILES = ("student.onnx", "student-int8.onnx", "student.npz", "student-int8.npz")
Answer = tuple[str, str, float]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("edge") / "ws"
    snapshot = build(folder, [*map(fact, FACTS), *(label(*item) for item in LABELS.items())])
    ws = Workspace.open(folder)
    write_model(ws, snapshot, Model(SCORES, calibration=CURVE))
    return ws


@pytest.fixture(scope="module")
def exported(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both exports in one folder, each with its manifest."""
    out = tmp_path_factory.mktemp("exported")
    for format in FORMATS:
        export_student(workspace, format, out / format)
    return out


def wanted(workspace: Workspace, tail: str, relation: str, known: list[str]) -> list[Answer]:
    """Label, IRI and probability of the ten best heads of (?, relation, tail) by Sightline."""
    snapshot = served_snapshot(workspace)
    student = ServedModel.open(workspace, snapshot, MODEL).scorer
    row = {iri.rpartition(":")[2]: i for i, iri in enumerate(student.entity_iris)}
    rels = {iri.rpartition(":")[2]: i for i, iri in enumerate(student.relation_iris)}
    rel = rels[relation] + student.num_relations
    scores = student.scores(np.array([row[tail]], np.int32), np.array([rel], np.int32))[0]
    left_out = np.array([row[name] for name in known], np.int32)
    scores[left_out] = -np.inf
    ids = best(scores, 10)
    ids = ids[np.isfinite(scores[ids])]
    chances = student.calibration.probabilities(rel, scores, ids)
    return [
        (snapshot.entity_labels[int(i)], student.entity_iris[int(i)], float(p))
        for i, p in zip(ids, chances)
    ]


def ask(model: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script where ``sightline`` cannot be imported."""
    code = (
        "import runpy, sys; sys.modules['sightline'] = None; sys.argv = sys.argv[1:]; "
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    command = [sys.executable, "-I", "-c", code, str(EDGE / "answer.py"), str(model), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("file", FILES)
def test_the_script_answers_as_sightline_does(
    workspace: Workspace, exported: Path, file: str
) -> None:
    folder = exported / ("onnx" if file.endswith("onnx") else "arrays")
    arguments = ("--tail", BASE + "entity:au", "--relation", "member of", "--known", "Uganda")
    done = ask(folder / file, *arguments)
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    answers = wanted(workspace, "au", "member_of", ["uganda"])

    assert [line[2] for line in lines] == [iri for _, iri, _ in answers]
    assert [float(line[0]) for line in lines] == pytest.approx(
        [p for *_, p in answers], abs=0.02 if "int8" in file else 1e-3
    )
    assert lines[0][1] == "Kenya"
    assert "\x1b" not in done.stdout


def test_the_script_reads_no_file_that_was_changed(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported / "onnx", tmp_path / "model")
    path = tmp_path / "model" / "student.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    done = ask(path, "--head", "Kenya", "--relation", "borders")

    assert done.returncode == 1
    assert "is not what was exported" in done.stderr


def test_the_script_asks_which_of_two_is_meant(exported: Path) -> None:
    done = ask(exported / "arrays" / "student.npz", "--head", "Union", "--relation", "borders")

    assert done.returncode == 1
    assert "'Union' is the name of 2" in done.stderr


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with its model, from a plain file server."""
    runtime = EDGE / "node_modules"
    require("browser", find_browser(), "no browser: the page of examples/edge is not tested")
    reason = "onnxruntime-web is not installed (`npm install` in examples/edge)"
    require("npm", (runtime / "onnxruntime-web").is_dir(), reason)
    site = tmp_path_factory.mktemp("site")
    for name in ("index.html", "edge.js"):
        shutil.copy(EDGE / name, site)
    (site / "node_modules").symlink_to(runtime)
    shutil.copytree(exported / "onnx", site / "model")
    shutil.copytree(exported / "onnx", site / "changed")
    (site / "changed" / "student-int8.onnx").write_bytes(b"another")

    def handler(*arguments: object) -> Quiet:
        return Quiet(*arguments, directory=str(site))  # type: ignore[arg-type]

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join()


@pytest.fixture
def page(address: str, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(find_browser() or "", tmp_path / "profile")
    yield browser
    browser.close()


def test_the_page_answers_as_sightline_does(
    workspace: Workspace, address: str, page: Browser
) -> None:
    relation = BASE + "relation:member_of"
    question = {"entity": BASE + "entity:au", "relation": relation, "asks": "head"}
    page.open(f"{address}#{urlencode({**question, 'known': 'Uganda'})}")
    page.waits_for("Answered in")
    rows = "[...document.querySelectorAll('#answers tbody tr')]"
    cells = page.run(f"JSON.stringify({rows}.map(r => [...r.cells].map(c => c.textContent)))")
    shown = json.loads(cells)
    answers = wanted(workspace, "au", "member_of", ["uganda"])

    assert [row[2] for row in shown] == [iri for _, iri, _ in answers]
    assert [row[1] for row in shown] == [text for text, *_ in answers]
    assert [float(row[0]) for row in shown] == pytest.approx([p for *_, p in answers], abs=0.02)
    assert page.run("document.title") == "Answers in the browser"
    assert page.run("document.images.length") == 0
    # Only the question for an icon goes unanswered.
    assert [line for line in page.wrong if "favicon" not in line] == []


def test_the_page_asks_what_a_person_fills_in(address: str, page: Browser) -> None:
    page.open(address)
    page.waits_for("5 entities; ask.")
    page.run("document.getElementById('entity').focus()")
    page.type("Kenya")
    page.press("Enter")
    page.waits_for("Answered in")

    assert "entity=Kenya" in page.run("location.hash")
    page.run("document.getElementById('entity').value = 'Union'")
    page.run("document.querySelector('button').click()")
    page.waits_for("“Union” names several: give an IRI")


def test_the_page_reads_no_file_that_was_changed(address: str, page: Browser) -> None:
    page.open(f"{address}?model=changed")
    page.waits_for("student-int8.onnx is not what was exported")
