"""The explorer page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from sightline.api.app import STATIC
from sightline.graph.storage.workspace import Workspace
from tests.api.browser import Browser, find_browser
from tests.api.conftest import HOSTILE
from tests.api.test_serve import service
from tests.graph.conftest import BASE, RDFS, build, fact, label, literal, typed
from tests.insights.conftest import Model, write_model
from tests.needs import require


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = find_browser()
    reason = "no chromium on this machine; `apt-get install chromium` gives these tests one"
    require("browser", program, reason)
    browser = Browser(str(program), tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def base(folder: Path) -> Iterator[str]:
    with service(folder) as (_, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def page(started: Browser) -> Iterator[Browser]:
    """A browser in which nothing went wrong until the end of the test."""
    started.open("about:blank")
    started.wrong.clear()
    started.resize(1280, 900)
    yield started
    assert started.wrong == []
    assert "[object" not in started.text()


def at(base: str, *parts: str) -> str:
    return f"{base}/#/" + "/".join(quote(part, safe="") for part in parts)


def search_for(page: Browser, base: str, text: str) -> None:
    """Type into the search of the bar, from the first page."""
    page.open(base)
    page.waits_for("Browse by type")
    page.press("/")
    page.type(text)


def test_the_first_page_says_what_there_is(page: Browser, base: str) -> None:
    page.open(base)
    page.waits_for("14\nfacts")
    page.waits_for("Country")
    page.waits_for("model model-1")


def test_searching_with_the_keyboard_alone(page: Browser, base: str) -> None:
    search_for(page, base, "ugnada")
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
    search_for(page, base, "geo")
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

    assert "a.csv, row 5" in stated
    assert "East African Community" not in stated
    assert "Predicted, not stated" in predicted
    assert re.search(r"East African Community\s+5.9 %", predicted)
    assert re.search(r"and \d+ guess(es)? below 40 %$", predicted)
    assert page.run("[...document.querySelectorAll('.chance')].map(e => e.title)[0]") == (
        "50 % if there is one more answer"
    )
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
    page.open(at(base, "type", "class:Organisation"))
    page.waits_for("Type of 3 entities")


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
    search_for(page, base, "<img")
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


def test_the_form_says_how_many_steps_were_asked_for(page: Browser, base: str) -> None:
    page.open(at(base, "connect", "Kenya", "Nepal", "6"))
    page.until("document.querySelector('.paths')")
    assert page.run("document.getElementById('length').value") == "6"


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
    assert "`" not in page.run("document.querySelector('main').textContent")


def delay(page: Browser, milliseconds: int) -> None:
    """Let every later answer come after a while."""
    page.run(
        "((ask) => { window.fetch = (...about) => new Promise((go) => "
        f"setTimeout(go, {milliseconds})).then(() => ask(...about)); }})(window.fetch)"
    )


def test_a_view_that_was_left_says_nothing_any_more(page: Browser, base: str) -> None:
    page.open(base)
    page.waits_for("Browse by type")
    delay(page, 200)
    page.run("location.hash = '#/entity/Kenya'")
    page.until("document.querySelector('main [aria-busy]')")
    page.run("location.hash = '#/connect'")
    page.run("new Promise((go) => setTimeout(go, 600))", wait=True)
    assert page.run("document.title") == "Sightline"


def test_enter_picks_a_match_of_what_stands_there_now(page: Browser, base: str) -> None:
    search_for(page, base, "Nep")
    page.until("document.querySelector('[role=option]')?.innerText.includes('Nepal')")
    page.run("document.activeElement.value = ''")
    page.type("Uganda")
    page.press("Enter")
    page.until("location.hash.startsWith('#/entity/')")
    assert page.run("location.hash") == "#/entity/entity%3Auganda"


def test_a_search_that_fails_picks_nothing(page: Browser, base: str) -> None:
    search_for(page, base, "Nep")
    page.until("document.querySelector('[role=option]')?.innerText.includes('Nepal')")
    page.run("window.fetch = () => Promise.reject(new TypeError('network'))")
    page.type("a")
    page.waits_for("The service does not answer")
    page.press("Enter")
    assert page.run("location.hash") == ""


def test_what_was_typed_but_not_chosen_does_not_stay(page: Browser, base: str) -> None:
    page.open(at(base, "connect", "Kenya", "Nepal"))
    page.until("document.querySelector('input[aria-label=From]')?.value === 'Kenya'")
    page.run("document.querySelector('input[aria-label=From]').focus()")
    page.type("Nobody")
    page.run("document.activeElement.blur()")
    assert page.run("document.querySelector('input[aria-label=From]').value") == "Kenya"


def test_the_way_past_the_bar_leaves_the_view(page: Browser, base: str) -> None:
    page.open(at(base, "entity", "Kenya"))
    page.waits_for("United Nations")
    page.run("document.querySelector('.skip').click()")
    assert page.run("document.activeElement.id") == "main"
    assert page.run("location.hash") == "#/entity/Kenya"


def test_the_page_that_is_shown_is_marked(page: Browser, base: str) -> None:
    page.open(at(base, "connect"))
    page.until("document.querySelector('h1')")
    assert page.run("document.getElementById('nav-connect').ariaCurrent") == "page"
    page.run("location.hash = '#/'")
    page.waits_for("Browse by type")
    assert page.run("document.getElementById('nav-connect').ariaCurrent") is None


def test_back_finds_the_view_as_it_was_left(page: Browser, base: str) -> None:
    page.resize(1280, 300)
    page.open(at(base, "entity", "Kenya"))
    page.waits_for("paths support it")
    page.until("!document.querySelector('[aria-busy]')")
    page.run("document.querySelector('.predicted details').open = true")
    page.run("scrollTo(0, 200)")
    page.click("United Nations")
    page.until("document.querySelector('h1')?.innerText === 'United Nations'")
    assert page.run("scrollY") == 0
    page.run("history.back()")
    page.until("document.querySelector('h1')?.innerText === 'Kenya'")
    assert page.run("document.querySelector('.predicted details').open") is True
    assert page.run("scrollY") == 200
    assert page.run("document.title") == "Kenya · Sightline"


def test_a_view_that_failed_is_asked_again_on_the_way_back(page: Browser, base: str) -> None:
    page.open(at(base, "connect"))
    page.until("document.querySelector('h1')")
    page.run("window.asks = window.fetch")
    page.run("window.fetch = () => Promise.reject(new TypeError('network'))")
    page.run("location.hash = '#/'")
    page.waits_for("The service does not answer")
    page.run("window.fetch = window.asks")
    page.run("history.back()")
    page.until("location.hash === '#/connect'")
    page.run("history.forward()")
    page.waits_for("Browse by type")


#: Labels that a page cannot show as they are.
ODD = {
    "turned": "abc\u202egpj.exe",
    "arabic": "\u0645\u0635\u0631",
    "long": "long" * 2000,
    "blank": " \u200b\u3000",
    "control": "\x1b[31mred\x07",
    "markup": HOSTILE,
}
MANY = 60
HUB = 320


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service of a graph with odd labels, of entities, relations and types, and with hubs."""
    names = [*ODD, "plain"]
    pairs = [(a, f"r{i}", "plain") for i, a in enumerate(ODD)]
    pairs += [(end, "member_of", f"o{i}") for i in range(MANY) for end in ("plain", "arabic")]
    pairs += [(f"m{i}", "part_of", "hub") for i in range(HUB)]
    rows = [fact(pair) for pair in pairs]
    for i, (name, text) in enumerate(ODD.items()):
        rows += [label(name, text), typed(name, f"c{i}"), literal(name, RDFS + "comment", text)]
        for what in (f"relation:r{i}", f"class:c{i}"):
            rows.append({**label(name, text), "subject": BASE + what})
    rows += [typed(name, "Thing") for name in names] + [label("plain", "Plain")]
    folder = tmp_path_factory.mktemp("odd") / "ws"
    snapshot = build(folder, rows)
    model = Model({("plain", "r0", "blank"): 9.0}, without=("hub",), like="plain")
    write_model(Workspace.open(folder), snapshot, model)
    with service(folder) as (_, port):
        yield f"http://127.0.0.1:{port}"


def test_odd_labels_stay_readable_in_their_place(page: Browser, odd: str) -> None:
    views = [(), ("type", "class:Thing"), ("entity", "entity:plain")]
    views += [("entity", f"entity:{name}") for name in ODD]
    views += [("connect", "entity:plain", f"entity:{name}") for name in ODD]
    for view in views:
        page.open(at(odd, *view))
        page.until("!document.querySelector('[aria-busy]') && document.querySelector('h1')")
        names = "[...document.querySelectorAll('main a, h1, h3, svg text')]"
        for text in [*page.run(f"{names}.map(e => e.textContent)"), page.run("document.title")]:
            assert re.search(r"[\w<]", text), view
            assert len(text) < 200, view
            assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", text), view
        assert page.run("document.querySelectorAll('img[src=x], main script').length") == 0
        for width in (360, 1280):
            page.resize(width, 800)
            assert page.run("document.documentElement.scrollWidth") <= width, view


def test_an_arrow_keeps_its_side_beside_a_relation_in_arabic(page: Browser, odd: str) -> None:
    page.open(at(odd, "connect", "entity:arabic", "entity:plain", "1"))
    page.until("document.querySelector('.chain .arrow')")
    assert page.run(
        "(({ firstChild, lastChild }) => [firstChild, lastChild].every(n => n.nodeType === 3))"
        "(document.querySelector('.chain .arrow'))"
    )


def test_a_kind_of_path_shows_as_many_as_it_says(page: Browser, odd: str) -> None:
    page.open(at(odd, "connect", "entity:plain", "entity:arabic"))
    page.waits_for(f"{MANY + 1} paths, the best 50 shown")
    page.until(f"document.querySelector('.shapes').innerText.includes('49 of {MANY}')")
    page.run("[...document.querySelectorAll('main button')].at(-1).click()")
    page.until("document.querySelectorAll('.paths > li').length > 50")
    shapes = "[...document.querySelectorAll('.shape')]"
    page.run(f"{shapes}.find(b => b.innerText.includes('member')).click()")
    counts = page.run(f"{shapes}.map(b => b.querySelector('small').innerText)")
    assert counts == [str(MANY), "1"]
    assert page.run("document.querySelectorAll('.paths > li').length") == MANY


def test_all_facts_of_a_relation_can_be_seen(page: Browser, odd: str) -> None:
    page.open(at(odd, "entity", "entity:hub"))
    page.waits_for("312 more")
    page.run("[...document.querySelectorAll('.group button, .group summary')].at(-1).click()")
    page.until(f"document.querySelectorAll('.facts li').length === {HUB}")


def test_what_came_after_training_is_predicted_for_by_its_edges(page: Browser, odd: str) -> None:
    page.open(at(odd, "entity", "entity:hub"))
    page.until("document.querySelector('.predicted ol')")
    predicted = page.run("document.querySelector('.predicted').textContent")
    assert "predicted from its edges: the model never saw hub" in predicted
    assert "Similar" not in page.text()


def test_a_type_is_called_by_its_name(page: Browser, odd: str) -> None:
    page.open(at(odd, "type", "class:c0"))
    page.until("document.querySelector('h1')?.innerText === 'abc gpj.exe'")


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
