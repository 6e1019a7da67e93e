"""The drawing beside an entity and the graph of paths, in a real browser."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.api.browser import Browser
from tests.api.conftest import HOSTILE
from tests.api.test_page import FOREIGN, NEVER, opened

OPTIONS = "[...document.querySelectorAll('.stage [role=option]')]"
PICTURE = "document.querySelector('.layers > canvas').toDataURL()"
ACTIVE = (
    "(document.getElementById(document.querySelector('.stage').getAttribute("
    "'aria-activedescendant'))?.textContent ?? '')"
)
#: Keep what the page saves instead of saving it.
CATCH = """
window.saved = [];
URL.createObjectURL = (blob) => { saved.push(blob); return 'blob:none'; };
HTMLAnchorElement.prototype.click = () => {};
"""


def drawn(page: Browser, base: str, about: str, **query: str) -> None:
    """Open an entity and wait until its neighbours are drawn."""
    opened(page, base, "e", about, **query)
    page.until(f"{OPTIONS}.length > 1")
    page.until("document.fonts.status === 'loaded'")


def press(page: Browser, where: str, text: str) -> None:
    """Press the button that a text begins."""
    buttons = f"[...document.querySelectorAll('{where}')]"
    page.run(f"{buttons}.find(b => b.innerText.startsWith('{text}')).click()")


def saved(page: Browser, where: str, what: str) -> str:
    """The text of a file that a menu saves."""
    page.run(CATCH)
    page.run(f"document.querySelector('{where} [aria-label^=Save]').click()")
    press(page, ".popover button", what)
    page.until("saved.length")
    page.press("Escape")
    return str(page.run("saved[0].text()", wait=True))


def test_a_reader_of_the_screen_finds_all_that_is_drawn(page: Browser, base: str) -> None:
    drawn(page, base, "Kenya")
    texts = page.run(f"{OPTIONS}.map(o => o.textContent)")
    assert texts[0].startswith("Kenya, Country")
    assert any(t.startswith("Uganda, Country, stated, ") for t in texts)
    (new,) = [t for t in texts if "predicted" in t]
    assert new.startswith("East African Community, Organisation, predicted, Kenya member of East")
    assert new.endswith("50%, 1 fact")
    assert page.run("document.querySelectorAll('.canvas [tabindex=\"0\"]').length") == 1
    assert "predicted" in page.run("document.querySelector('.canvas .legend').innerText")


def test_the_drawing_is_used_by_keys_alone_and_stands_in_the_address(
    page: Browser, base: str
) -> None:
    drawn(page, base, "Kenya")
    before = page.run(f"{OPTIONS}.length")
    page.run("document.querySelector('.stage').focus()")
    for key in ("ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"):
        page.press(key)
        if page.run(f"!{ACTIVE}.startsWith('Kenya')"):
            break
    hidden = page.run(f"{ACTIVE}.split(',')[0]")
    assert hidden not in ("", "Kenya")
    page.press("h")
    page.until("location.hash.includes('hide=entity:')")
    page.until(f"{OPTIONS}.length < {before}")
    assert not page.run(f"{OPTIONS}.some(o => o.textContent.startsWith('{hidden}'))")
    page.press("z")
    page.until("!location.hash.includes('hide=')")
    page.until(f"{OPTIONS}.length === {before}")
    page.press("3")
    page.until("location.hash.includes('show=stated,inferred')")
    page.until(f"!{OPTIONS}.some(o => o.textContent.includes('predicted'))")
    page.run("history.back()")
    page.until(f"{OPTIONS}.some(o => o.textContent.includes('predicted'))")


def test_keys_lead_into_the_parts_and_into_the_drawing(page: Browser, base: str) -> None:
    drawn(page, base, "Kenya")
    page.until("document.querySelector('.prediction .chance')")
    page.run("document.querySelector('[data-tab=predicted]').focus()")
    page.press("Enter")
    assert page.run("document.activeElement.id") == "predicted"
    page.press("d")
    assert page.run("document.activeElement.matches('.stage')") is True
    assert page.run(ACTIVE).startswith("Kenya, Country")


def test_who_opens_a_shape_by_keys_stays_there(page: Browser, base: str) -> None:
    opened(page, base, "connect", a="entity:kenya", b="entity:uganda")
    page.until("document.querySelectorAll('.shape').length > 1")
    page.run("document.querySelectorAll('.shape .sentence')[1].focus()")
    page.press("Enter")
    page.until("document.querySelectorAll('.shape')[1]?.matches('.open')")
    page.until("document.activeElement.matches('.shape.open .sentence')")


def test_what_is_selected_is_expanded_and_opened(page: Browser, base: str) -> None:
    drawn(page, base, "entity:nepal")
    page.run("document.querySelector('.stage').focus()")
    for key in ("ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight"):
        # Nothing is selected then: the first press selects the entity itself.
        for one in ("Escape", key, key):
            page.press(one)
        if page.run(f"{ACTIVE}.startsWith('United Nations')"):
            break
    assert page.run(f"{ACTIVE}.startsWith('United Nations')")
    page.press("e")
    page.until("location.hash.includes('open=entity:un')")
    page.until(f"{OPTIONS}.some(o => o.textContent.startsWith('Portugal'))")
    page.press("E")
    page.until(f"!{OPTIONS}.some(o => o.textContent.startsWith('Portugal'))")
    page.press("Enter")
    page.until("document.querySelector('h1')?.innerText === 'United Nations'")


def test_the_same_address_gives_the_same_picture(page: Browser, base: str) -> None:
    query = {"open": "entity:un,entity:uganda", "hide": "entity:english", "at": "20,10,0.9"}
    pictures = []
    for _ in range(2):
        drawn(page, base, "Kenya", **query)
        page.until(f"{OPTIONS}.some(o => o.textContent.startsWith('Portugal'))")
        page.run("new Promise((done) => setTimeout(done, 500))", wait=True)
        pictures.append(page.run(PICTURE))
    assert pictures[0] == pictures[1]
    assert not any("English" in text for text in page.run(f"{OPTIONS}.map(o => o.textContent)"))


def test_hostile_labels_are_text_in_the_drawing_and_in_its_files(page: Browser, base: str) -> None:
    drawn(page, base, "Kenya")
    assert any(HOSTILE[:70] in text for text in page.run(f"{OPTIONS}.map(o => o.textContent)"))
    assert page.run(f"document.querySelectorAll('{FOREIGN}').length") == 0
    graph = ElementTree.fromstring(saved(page, ".canvas", "GraphML"))
    space = {"g": "http://graphml.graphdrawing.org/xmlns"}
    labels = [e.text for e in graph.findall(".//g:node/g:data[@key='label']", space)]
    assert HOSTILE in labels
    statuses = [e.text for e in graph.findall(".//g:edge/g:data[@key='status']", space)]
    assert {"stated", "predicted"} == set(statuses)
    drawing = ElementTree.fromstring(saved(page, ".canvas", "SVG"))
    assert {e.tag.rpartition("}")[2] for e in drawing.iter()} <= {
        *("svg", "rect", "line", "title", "circle", "text"),
    }
    rows = list(csv.DictReader(io.StringIO(saved(page, ".canvas", "CSV"))))
    assert HOSTILE in {row["source label"] for row in rows}
    (row,) = [r for r in rows if (r["source"], r["target"]) == ("entity:kenya", "entity:au")]
    assert row["sources"].endswith("row 2")


def test_sectors_stand_by_type_until_that_is_taken_back(page: Browser, base: str) -> None:
    drawn(page, base, "Kenya")
    page.run("new Promise((done) => setTimeout(done, 500))", wait=True)
    page.run(f"window.before = {PICTURE}")
    press(page, ".canvas .tool", "By relation")
    press(page, ".popover button", "By type")
    page.until(f"location.hash.endsWith('by=type') && {PICTURE} !== before")
    page.until("document.querySelector('.canvas .tools').innerText.includes('By type')")
    page.run("document.querySelector('.canvas [aria-label=Undo]').click()")
    page.until(f"!location.hash.includes('by=') && {PICTURE} === before")


def test_paths_are_drawn_free_of_layers_and_fitted_again(page: Browser, base: str) -> None:
    opened(page, base, "connect", a="entity:kenya", b="entity:uganda")
    page.until("document.querySelector('.path-graph .layer')")
    press(page, ".modes button", "Free")
    page.until("document.querySelector('.path-graph') && !document.querySelector('.layer')")
    places = "[...document.querySelectorAll('.place')].map(p => p.getAttribute('transform'))"
    free = page.run(places)
    assert len(set(free)) == len(free) > 3
    page.open(page.run("location.href"))
    page.until(f"{places}.join() === {json.dumps(','.join(free))}")

    seen = "document.querySelector('.path-graph').getAttribute('viewBox')"
    whole = page.run(seen)
    turned = "new WheelEvent('wheel', {deltaY: -300, clientX: 900, clientY: 400, cancelable: true})"
    page.run(f"document.querySelector('.path-graph').dispatchEvent({turned})")
    assert float(page.run(seen).split()[2]) < float(whole.split()[2])
    page.press("f")
    assert page.run(seen) == whole


def test_a_late_answer_to_a_former_question_is_not_drawn(page: Browser, base: str) -> None:
    opened(page, base, "connect", a="entity:kenya", b="entity:portugal")
    page.run(
        "((ask) => { window.fetch = async (url, ...about) => { if (`${url}`.includes('uganda')) "
        "{ await new Promise((go) => setTimeout(go, 500)); window.late = true; } "
        "return ask(url, ...about); }; })(window.fetch)"
    )
    page.run("location.hash = '#/connect?a=entity:kenya&b=entity:uganda'")
    page.until("document.querySelector('.results [aria-busy]')")
    page.run("location.hash = '#/connect?a=entity:kenya&b=entity:nepal'")
    page.until("document.title === 'Kenya and Nepal · Sightline'")
    page.until("window.late")
    page.run("new Promise((go) => setTimeout(go, 500))", wait=True)
    page.run("location.hash += '&draw=1'")
    page.until("document.querySelector('.tools select')?.value === '1'")
    nodes = page.run("[...document.querySelectorAll('.path-graph .name')].map(t => t.textContent)")
    assert sorted(nodes) == ["Kenya", "Nepal", "United Nations"]


def test_shapes_unfold_to_paths_and_their_rows(page: Browser, base: str) -> None:
    opened(page, base, "connect", a="entity:kenya", b="entity:nepal")
    sentence = "document.querySelector('.sentence')?.textContent"
    page.until(f"{sentence} === 'Kenya is a member of an organisation that Nepal is a member of'")
    assert page.run("document.querySelector('.shape.open .paths').innerText").startswith(
        "United Nations"
    )
    # Direct facts come first, and a test that was not made says why.
    page.run("document.querySelector('.numbers button.p').click()")
    page.waits_for("no shuffled copies")
    page.press("Escape")
    assert "a.csv" in page.run("document.querySelector('.shape.open .source').ariaLabel")
    nodes = page.run("[...document.querySelectorAll('.path-graph .name')].map(t => t.textContent)")
    assert sorted(nodes) == ["Kenya", "Nepal", "United Nations"]


def test_conditions_and_sets_stand_in_the_address(page: Browser, base: str) -> None:
    ends = {"a": "entity:kenya,entity:portugal", "b": "entity:nepal"}
    opened(page, base, "connect", **ends)
    page.waits_for("one of 2 entities is a member of an organisation")
    assert page.run("document.querySelectorAll('.shape.open .paths > li').length") == 2
    opened(page, base, "connect", **ends, **{"not": "relation:member_of"})
    page.waits_for("No path of up to 6 steps")
    press(page, "button", "Without conditions")
    page.until("!location.hash.includes('not=')")
    page.waits_for("one of 2 entities is a member of")
    page.run("history.back()")
    page.waits_for("No path of up to 6 steps")
    opened(page, base, "connect", a="class:Country", b="entity:eac", hops="1")
    page.waits_for("any Country is a member of East African Community")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_hostile_label_is_text_in_the_graph_of_paths(
    page: Browser, base: str, width: int
) -> None:
    page.resize(width, 844)
    opened(page, base, "connect", a="entity:hostile", b="entity:nepali")
    page.waits_for("No path of at most 3 facts leads from one to the other: the nearest are shown.")
    page.until("document.querySelector('.path-graph .place')")
    assert page.run(f"document.querySelectorAll('{FOREIGN}').length") == 0
    assert page.run("document.documentElement.scrollWidth") <= width
    if width > 900:
        saved_: Any = ElementTree.fromstring(saved(page, ".v-connect", "SVG"))
        assert saved_.tag.endswith("svg")
        rows = list(csv.DictReader(io.StringIO(saved(page, ".v-connect", "CSV"))))
        assert HOSTILE in rows[0]["path"]


def test_the_whole_graph_is_drawn_and_left_by_keys(page: Browser, base: str) -> None:
    opened(page, base, "graph")
    page.waits_for("13 entities, 13 facts")
    page.until(f"{OPTIONS}.length === 13")
    assert any(HOSTILE[:70] in text for text in page.run(f"{OPTIONS}.map(o => o.textContent)"))
    assert page.run(f"document.querySelectorAll('{FOREIGN}').length") == 0
    page.run("document.querySelector('.stage').focus()")
    page.press("ArrowRight")
    page.until(f"{ACTIVE} !== ''")
    name = page.run(f"{ACTIVE}.split(',')[0]")[:60]
    page.press("e")
    page.until("location.hash.startsWith('#/e/entity:')")
    page.until(f"document.querySelector('h1')?.innerText.startsWith({json.dumps(name)})")


def test_a_part_of_a_graph_says_of_how_much(page: Browser, base: str) -> None:
    opened(page, base, "settings")
    fewer = "(url, options) => asks(String(url).replace('limit=5000', 'limit=3'), options)"
    page.run(f"window.asks = window.fetch; window.fetch = {fewer}")
    page.run("location.hash = '#/graph'")
    page.waits_for("3 of 13 entities")
    page.waits_for("10 less connected entities were left out")


@pytest.mark.parametrize(
    ("relations", "drawn"), [("n % 2", "2"), ("n % 3 ? n % 19 : 0", "18 of 19")]
)
def test_of_many_facts_those_of_one_relation_start_hidden_but_never_all(
    page: Browser, base: str, relations: str, drawn: str
) -> None:
    opened(page, base, "settings")
    page.run(
        """
        const numbers = (n, of) => Array.from({length: n}, (_, i) => of(i));
        const kind = (n) => KIND;
        const [asks, all] = [window.fetch, numbers(4000, (n) => n)];
        const answer = {
            entities: numbers(100, (n) => ({id: `e${n}`, iri: `urn:e${n}`, label: `e${n}`,
                types: [], degree: 9, community: 0})),
            source: all.map((n) => n % 100),
            target: all.map((n) => (n * 7 + 1 + n / 100 | 0) % 100),
            relation: all.map(kind), inferred: [], communities: [],
            relations: numbers(19, (n) => ({id: `r${n}`, iri: `urn:r${n}`, label: `r${n}`})),
            all_entities: 100, all_facts: 4000, truncated: false, reason: null,
        };
        window.fetch = async (url, ...about) => (`${url}`.includes('/overview')
            ? new Response(JSON.stringify(answer)) : asks(url, ...about));
        location.hash = '#/graph';
        """.replace("KIND", relations)
    )
    page.waits_for("100 entities, 4,000 facts")
    page.until(f"document.querySelector('.canvas .tools .count')?.innerText === '{drawn}'")


def test_a_drawing_that_was_left_unfinished_is_finished_on_the_way_back(
    page: Browser, base: str
) -> None:
    drawn(page, base, "entity:nepal")
    page.run(
        f"window.asks = window.fetch; window.fetch = (...a) => (asked = true, ({NEVER})(...a))"
    )
    page.run("window.asked = false; location.hash = '#/e/entity:nepal?open=entity:un'")
    page.until("asked")
    page.run("location.hash = '#/settings'")
    page.until("document.querySelector('.v-settings > *')")
    page.run("window.fetch = window.asks; history.back()")
    page.until(f"{OPTIONS}.some(o => o.textContent.startsWith('Portugal'))")
