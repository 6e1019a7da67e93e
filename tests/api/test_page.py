"""The explorer page in a real browser."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from sightline.api.app import STATIC
from tests.api.browser import Browser, find_browser
from tests.api.conftest import HOSTILE
from tests.api.test_serve import service


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        reason = "no chromium on this machine; `apt-get install chromium` gives these tests one"
        if "browser" in os.environ.get("SIGHTLINE_REQUIRE", "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    browser = Browser(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def base(folder: Path) -> Iterator[str]:
    with service(folder) as (_, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def page(started: Browser) -> Iterator[Browser]:
    """A browser in which nothing went wrong until the end of the test."""
    started.wrong.clear()
    started.resize(1280, 900)
    yield started
    assert started.wrong == []
    assert "[object" not in started.text()


def at(base: str, *parts: str) -> str:
    return f"{base}/#/" + "/".join(quote(part, safe="") for part in parts)


def test_the_first_page_says_what_there_is(page: Browser, base: str) -> None:
    page.open(base)
    page.waits_for("14\nfacts")
    page.waits_for("Country")
    page.waits_for("model model-1")


def test_searching_with_the_keyboard_alone(page: Browser, base: str) -> None:
    page.open(base)
    page.waits_for("Browse by type")
    page.press("/")
    page.type("ugnada")
    page.until("document.querySelector('[role=option]')?.innerText.includes('Uganda')")
    box = "document.activeElement"
    assert page.run(f"{box}.getAttribute('aria-expanded')") == "true"
    assert (
        page.run(
            f"document.getElementById({box}.getAttribute('aria-activedescendant')).ariaSelected"
        )
        == "true"
    )
    page.press("Enter")
    page.until("location.hash === '#/entity/entity%3Auganda'")
    page.waits_for("East African Community")
    assert page.run("document.title") == "Uganda · Sightline"


def test_arrows_choose_and_escape_closes(page: Browser, base: str) -> None:
    page.open(base)
    page.waits_for("Browse by type")
    page.press("/")
    page.type("geo")
    page.until("document.querySelectorAll('[role=option]').length === 2")
    page.press("ArrowDown")
    assert page.run("document.querySelectorAll('[role=option]')[1].ariaSelected") == "true"
    page.press("Escape")
    assert page.run("document.querySelector('[role=listbox]').hidden") is True


def test_what_is_stated_and_what_is_predicted_look_different(page: Browser, base: str) -> None:
    page.open(at(base, "entity", "Kenya"))
    # Facts and predictions come in requests of their own, in either order.
    page.until("document.querySelector('.group')")
    page.waits_for("paths support it")
    stated = page.run("document.querySelector('.group').closest('.card').innerText")
    predicted = page.run("document.querySelector('.predicted').innerText")

    assert "a.csv, row 2" in stated
    assert "East African Community" not in stated
    assert "Predicted, not stated" in predicted
    assert re.search(r"East African Community\s+5.9 %", predicted)
    assert (
        page.run("getComputedStyle(document.querySelector('.predicted')).borderStyle") == "dashed"
    )
    page.run("document.querySelector('.predicted details').open = true")
    page.waits_for("Kenya — borders → Uganda — member of → East African Community")
    assert "A country in <b>East</b> Africa." in page.text()
    assert re.search(r"calling code\s+\+254", page.text())
    page.waits_for("Around it")
    page.until("document.querySelectorAll('svg.drawing a').length >= 6")


def test_two_entities_are_connected_by_ranked_paths(page: Browser, base: str) -> None:
    page.open(at(base, "entity", "Kenya"))
    page.waits_for("Connect with another entity")
    page.click("Connect with")
    page.until("document.activeElement?.getAttribute('aria-label') === 'To'")
    page.type("Nep")
    page.until("document.querySelector('[role=option]')?.innerText.includes('Nepal')")
    page.press("Enter")
    page.until("location.hash.startsWith('#/connect/entity%3Akenya/entity%3Anepal')")
    page.waits_for("Kenya — member of → United Nations ← member of — Nepal")
    page.run("document.querySelector('.paths details').open = true")
    page.waits_for("a.csv, row")
    page.run("history.back()")
    page.until("location.hash === '#/connect/entity%3Akenya'")


def test_back_returns_to_what_was_seen(page: Browser, base: str) -> None:
    page.open(at(base, "entity", "Kenya"))
    page.waits_for("United Nations")
    page.click("United Nations")
    page.until("document.querySelector('h1')?.innerText === 'United Nations'")
    page.run("history.back()")
    page.until("document.querySelector('h1')?.innerText === 'Kenya'")


def test_a_type_lists_its_entities(page: Browser, base: str) -> None:
    page.open(at(base, "type", "Organisation"))
    page.waits_for("East African Community")
    assert page.run("document.querySelectorAll('.columns a').length") == 3


@pytest.mark.parametrize(
    "view",
    [
        ("entity", "entity:hostile"),
        ("entity", "Kenya"),
        ("type", "Country"),
        ("connect", "entity:hostile", "Nepal"),
    ],
)
def test_a_hostile_label_stays_text(page: Browser, base: str, view: tuple[str, ...]) -> None:
    page.open(at(base, *view))
    page.waits_for(HOSTILE)
    assert page.run("document.title") != "pwned"
    assert (
        page.run(
            "document.querySelectorAll('img[src=x], main script, main style, main iframe').length"
        )
        == 0
    )


def test_a_hostile_label_stays_text_while_searching(page: Browser, base: str) -> None:
    page.open(base)
    page.waits_for("Browse by type")
    page.press("/")
    page.type("<img")
    page.until("document.querySelector('[role=option]')?.innerText.includes('<img src=x')")
    assert page.run("document.querySelectorAll('img[src=x]').length") == 0


@pytest.mark.parametrize(
    "address",
    [
        "#/entity/%E0%A4%A",
        "#/__proto__/x",
        "#/entity/",
        "#/entity/<script>alert(1)</script>",
        "#/nothing",
        "#/connect/a/b/99",
    ],
)
def test_an_address_that_means_nothing_breaks_nothing(
    started: Browser, base: str, address: str
) -> None:
    started.wrong.clear()
    started.open(f"{base}/{address}")
    started.until("document.querySelector('h1, [role=alert]')")
    assert [w for w in started.wrong if "status of 4" not in w] == []


def test_an_unknown_entity_gets_suggestions(started: Browser, base: str) -> None:
    started.open(at(base, "entity", "Kenia"))
    started.waits_for("Did you mean")
    started.until("[...document.querySelectorAll('main a')].some(a => a.innerText === 'Kenya')")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_screen(page: Browser, base: str, width: int) -> None:
    page.resize(width, 800)
    views = [(), ("entity", "Kenya"), ("entity", "entity:hostile"), ("connect", "Kenya", "Nepal")]
    for view in views:
        page.open(at(base, *view))
        page.until("!document.querySelector('[aria-busy]') && document.querySelector('h1')")
        assert page.run("document.documentElement.scrollWidth") <= width, view


def test_the_documentation_can_be_tried(page: Browser, base: str) -> None:
    page.open(f"{base}/docs")
    page.until("document.querySelectorAll('.operation').length >= 12")
    page.run("document.querySelector('#paths_v1_paths_get').open = true")
    page.run("document.querySelector('#paths_v1_paths_get form button').click()")
    page.waits_for("200 application/json")
    assert "curl" in page.text()


def colours(scheme: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]+)", scheme))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast(dark: bool) -> None:
    """WCAG 2 AA: 4.5 to 1 for text on its ground."""
    light, _, rest = (
        (STATIC / "style.css").read_text().partition("@media (prefers-color-scheme: dark)")
    )
    used = colours(light) | (colours(rest.partition("* {")[0]) if dark else {})
    pairs = [(text, on) for text in ("ink", "soft", "link") for on in ("ground", "card", "wash")]
    pairs += [(text, "guess-wash") for text in ("ink", "soft", "link", "guess")]
    for text, ground in [*pairs, ("bad", "bad-wash"), ("on-accent", "accent")]:
        high, low = sorted((luminance(used[text]), luminance(used[ground])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)
