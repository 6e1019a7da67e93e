"""A small world with a student, served by the real application."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from sightline.api.app import create_app
from sightline.graph.storage.workspace import Workspace
from tests.api.browser import Browser, find_browser
from tests.graph.conftest import BASE, RDFS, Triple, add_load, build, fact, label, literal, typed
from tests.insights.conftest import Model, write_model
from tests.needs import require

with warnings.catch_warnings():
    # It asks for another client library, which would serve these tests no better.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

#: What must stay text wherever it is shown.
HOSTILE = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
SLASHED = "http://example.org/a/b?c=d#related"
FACTS: tuple[Triple, ...] = (
    ("kenya", "member_of", "au"),
    ("uganda", "member_of", "au"),
    ("uganda", "member_of", "eac"),
    ("kenya", "borders", "uganda"),
    ("uganda", "borders", "kenya"),
    ("kenya", "official_language", "english"),
    ("uganda", "official_language", "english"),
    ("nepal", "official_language", "nepali"),
    ("nepal", "member_of", "un"),
    ("portugal", "member_of", "un"),
    ("kenya", "member_of", "un"),
    ("georgia1", "member_of", "un"),
    ("hostile", "borders", "kenya"),
)
LABELS = {
    "kenya": "Kenya",
    "uganda": "Uganda",
    "nepal": "Nepal",
    "portugal": "Portugal",
    "au": "African Union",
    "eac": "East African Community",
    "un": "United Nations",
    "english": "English",
    "nepali": "Nepali",
    "georgia1": "Georgia",
    "georgia2": "Georgia",
    "hostile": HOSTILE,
}
ROWS = [
    *(fact(triple, row) for row, triple in enumerate(FACTS, 2)),
    *(label(name, text) for name, text in LABELS.items()),
    *(typed(name, "Country") for name in ("kenya", "uganda", "nepal", "portugal", "hostile")),
    *(typed(name, "Organisation") for name in ("au", "eac", "un")),
    literal("kenya", BASE + "property:calling_code", "+254"),
    literal("kenya", RDFS + "comment", "A country in <b>East</b> Africa."),
    {**fact(("georgia2", "borders", "georgia1")), "object": SLASHED},
]
#: The model expects Kenya in the community that Uganda is in, and knows no Georgia.
MODEL = Model(
    {("kenya", "member_of", "eac"): 9.0},
    without=("georgia1", "georgia2"),
    calibration={"abstain_below": 0.4},
)


def make_workspace(folder: Path, model: Model | None = MODEL) -> Workspace:
    """The small world, compiled, with its student."""
    snapshot = build(folder, ROWS, rdf=True)
    workspace = Workspace.open(folder)
    if model is not None:
        write_model(workspace, snapshot, model)
    return workspace


def add_facts(workspace: Workspace, name: str, *facts: Triple) -> None:
    """Commit more facts as a load of its own."""
    add_load(workspace, [fact(triple) for triple in facts], name=name)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a workspace that no test changes."""
    return make_workspace(tmp_path_factory.mktemp("api") / "ws").path


@pytest.fixture(scope="session")
def client(folder: Path) -> Iterator[TestClient]:
    """Asks the application of that workspace."""
    with TestClient(create_app(folder)) as made:
        yield made


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for every test of the page."""
    program = find_browser()
    reason = "no chromium on this machine; `apt-get install chromium` gives these tests one"
    require("browser", program, reason)
    browser = Browser(str(program), tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def port(folder: Path) -> Iterator[int]:
    """Where that workspace is served for real."""
    from tests.api.test_serve import service

    with service(folder) as (_, port):
        yield port


@pytest.fixture(scope="session")
def base(port: int) -> str:
    """The address of that service."""
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def page(started: Browser) -> Iterator[Browser]:
    """A browser in which nothing went wrong until the end of the test."""
    started.open("about:blank")
    started.wrong.clear()
    started.resize(1280, 900)
    started.touch(False)
    yield started
    assert started.wrong == []
    assert "[object" not in started.text()
