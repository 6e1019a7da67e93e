"""A newcomer's walk through the explorer, from a mistyped name to what a report has found.

By keys alone on a desk, and by taps alone on a phone: nothing is clicked by script.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator

import pytest

from sightline.api.jobs import worker
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from tests.api.browser import Browser
from tests.api.test_drawing import ACTIVE, OPTIONS
from tests.api.test_reports import working
from tests.api.test_serve import service
from tests.insights.conftest import Model, write_model

FACTS = [
    ("Kenya", "borders", "Uganda"),
    ("Rwanda", "borders", "Uganda"),
    ("Uganda", "member_of", "East_African_Community"),
    ("Kenya", "member_of", "United_Nations"),
    ("Nepal", "member_of", "United_Nations"),
]
NEW = ("Kenya", "member_of", "East_African_Community")
BECAUSE = "Kenya borders → Uganda member of → East African Community"
#: More presses of Tab than a view has stops.
STOPS = 60
#: Where the drawing shows Uganda: over it, the drawing has its name as a title.
LOOK = """(() => {
    const stage = document.querySelector('.stage');
    const {left, top, right, bottom} = stage.getBoundingClientRect();
    for (let y = top; y < bottom; y += 6) for (let x = left; x < right; x += 6) {
        const at = {clientX: x, clientY: y, pointerType: 'mouse', bubbles: true};
        stage.dispatchEvent(new PointerEvent('pointermove', at));
        if (stage.title === 'Uganda') return [x, y];
    }
})()"""

#: Where the middle of something is when it has been scrolled to and moves no more.
STILL = """(async () => {
    const found = document.querySelector(CSS);
    found.scrollIntoView({block: 'center', behavior: 'instant'});
    let [at, still] = ['', 0];
    while (still < 5) {
        await new Promise(requestAnimationFrame);
        const {left, top, width, height} = found.getBoundingClientRect();
        const now = [left + width / 2, top + height / 2];
        still = String(now) === String(at) ? still + 1 : 0;
        at = now;
    }
    return at;
})()"""


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service of a table, with a student that expects one fact more, and with a worker."""
    folder = tmp_path_factory.mktemp("walked")
    with (folder / "lands.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("head", "relation", "tail"), *FACTS])
    workspace = Workspace.create(folder / "ws")
    ingest(workspace, [folder / "lands.csv"])
    snapshot = compile_snapshot(workspace, rdf=False)
    write_model(workspace, snapshot, Model({NEW: 9.0}, calibration={"abstain_below": 0.4}))
    with (
        pytest.MonkeyPatch.context() as patch,
        service(workspace.path, factory="sightline.cli.service:application") as (_, port),
    ):
        patch.setattr(worker, "INTERVAL", 0.1)
        with working(workspace.path):
            yield f"http://127.0.0.1:{port}"


class Keys:
    """Who has a keyboard and nothing else, at a desk."""

    width = 1280

    def __init__(self, page: Browser) -> None:
        self.page = page

    def _reach(self, css: str) -> None:
        for _ in range(STOPS):
            if self.page.run(f"document.activeElement.matches({json.dumps(css)})"):
                return
            self.page.press("Tab")
        raise AssertionError(f"no Tab leads to {css}")

    def act(self, css: str) -> None:
        """Press a button, follow a link."""
        self._reach(css)
        self.page.press("Enter")

    def search(self) -> None:
        self.page.press("/")

    def write(self, css: str, text: str) -> None:
        """Type into a field, and choose the first that is offered."""
        self._reach(css)
        self.page.type(text)
        self.page.until("document.querySelector('[role=option]')?.checkVisibility()")
        self.page.press("Enter")

    def expand(self) -> None:
        self.page.press("d")
        for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"):
            self.page.press(key)
            if self.page.run(f"{ACTIVE}.startsWith('Uganda')"):
                break
        self.page.press("e")

    def leave(self) -> None:
        """Close what floats."""
        self.page.press("Escape")

    def connect(self) -> None:
        self.page.press("c")

    def reports(self) -> None:
        self.act(".bar [data-nav=report]")


class Taps(Keys):
    """Who has one finger, and a phone."""

    width = 390

    def _tap(self, x: float, y: float) -> None:
        points = [{"x": x, "y": y}]
        self.page.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=points)
        self.page.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def _reach(self, css: str) -> None:
        self.act(css)

    def act(self, css: str) -> None:
        """Bring it into sight and tap where it is; nothing may lie over it."""
        x, y = self.page.run(STILL.replace("CSS", json.dumps(css)), wait=True)
        over = f"document.querySelector({json.dumps(css)}).contains"
        assert self.page.run(f"{over}(document.elementFromPoint({x}, {y}))"), css
        self._tap(x, y)

    def search(self) -> None:
        self.act("main .search.large input")

    def write(self, css: str, text: str) -> None:
        self.act(css)
        self.page.type(text)
        self.page.until("document.querySelector('[role=option]')?.checkVisibility()")
        self.act("[role=option]")

    def expand(self) -> None:
        self.act("[data-tab=graph]")
        self.page.until(f"{OPTIONS}.length > 1 && document.querySelector('.stage').offsetHeight")
        self.page.until(LOOK)
        self._tap(*self.page.run(LOOK))
        self.page.until("document.querySelector('.node-card')?.innerText.startsWith('Uganda')")
        self.act(".node-card .actions button:nth-of-type(2)")

    def leave(self) -> None:
        self._tap(self.width / 2, 4)

    def connect(self) -> None:
        self.act(".head a[href*=connect]")

    def reports(self) -> None:
        self.act(".tabs5 [aria-haspopup]")
        self.page.until("document.querySelector('.popover [data-nav=report]')")
        self.act(".popover [data-nav=report]")


@pytest.mark.parametrize("hand", [Keys, Taps])
def test_a_newcomer_gets_from_a_mistyped_name_to_a_finding(
    page: Browser, walked: str, hand: type[Keys]
) -> None:
    page.resize(hand.width, 844)
    page.touch(hand is Taps)
    person = hand(page)
    page.open(walked)
    page.waits_for("5 stated facts")

    person.search()
    person.write("main .search.large input", "Kneya")
    page.until("document.querySelector('h1')?.innerText === 'Kenya'")
    assert page.run("location.hash") == "#/e/entity:Kenya"

    page.until("document.querySelector('#facts .source')")
    person.act("#facts .source")
    page.until("document.querySelector('.unfolded td.made')")
    assert "Uganda" in page.run("document.querySelector('.unfolded').innerText")
    person.leave()

    page.until(f"{OPTIONS}.length > 1")
    assert not page.run(f"{OPTIONS}.some(o => o.textContent.startsWith('Rwanda'))")
    person.expand()
    page.until(f"{OPTIONS}.some(o => o.textContent.startsWith('Rwanda'))")
    person.leave()

    person.act("[data-tab=predicted]")
    page.until("document.querySelector('.prediction .chance')?.checkVisibility()")
    person.act(".prediction .chance")
    page.waits_for("A chance of 50% means")
    assert BECAUSE in page.run("document.querySelector('.popover').innerText")
    person.leave()
    page.until("!document.querySelector('.popover')")

    person.connect()
    page.until("document.querySelector('[role=group][aria-label=To] input')")
    person.write("[role=group][aria-label=To] input", "Nepal")
    page.waits_for("Kenya is a member of something that Nepal is a member of")

    person.reports()
    page.until("document.querySelector('.v-report input')")
    person.write(".v-report input", "Kenya")
    page.until("document.querySelector('.v-report .chip.on')")
    person.act(".v-report .order .button.main")
    page.until("location.hash.startsWith('#/report/')")
    page.until("document.querySelector('.v-report article h1')", 60)
    read = page.run("document.querySelector('.v-report article').innerText")
    assert "Kenya member of → East African Community may hold, and is nowhere stated" in read
    assert BECAUSE in " ".join(read.split())
