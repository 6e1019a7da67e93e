"""The explorer page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest

from sightline.api.app import STATIC
from sightline.graph.storage.workspace import Workspace
from tests.api.browser import Browser
from tests.api.conftest import HOSTILE
from tests.api.test_serve import service
from tests.graph.conftest import BASE, RDFS, build, fact, label, literal, typed
from tests.insights.conftest import Model, write_model


def at(base: str, view: str = "", about: str = "", **query: str) -> str:
    path = view + ("/" + quote(about, safe=":") if about else "")
    asked = urlencode(query, safe=":,", quote_via=quote)
    return f"{base}/#/{path}" + (f"?{asked}" if query else "")


def opened(page: Browser, base: str, *view: str, **query: str) -> None:
    """Open a view and wait until all that it asks for is there."""
    page.open(at(base, *view, **query))
    page.until(SETTLED)


#: Nothing is awaited any more.
SETTLED = (
    "document.querySelector('main .view > *') "
    "&& !document.querySelector('[aria-busy], main .skeleton')"
)


def search_for(page: Browser, base: str, text: str) -> None:
    """Type into the search of the first page."""
    page.open(base)
    page.waits_for("What is in it")
    page.press("/")
    page.type(text)


def test_the_first_page_says_what_there_is(page: Browser, base: str) -> None:
    opened(page, base)
    page.waits_for("13 entities and 14 stated facts from 1 file.")
    page.waits_for("2 types, 3 relations")
    assert "Country" in page.run("document.querySelector('.atlas').textContent")
    page.waits_for("model model-1")
    names = "performance.getEntriesByType('resource').map(({name}) => name)"
    assert page.run(f"{names}.filter((name, i, all) => all.indexOf(name) !== i)") == []


def test_the_bar_says_how_many_findings_are_open(page: Browser, base: str) -> None:
    opened(page, base)
    page.until("document.querySelector('.questions a[href=\"#/doctor\"] .answer')")
    told = page.run("document.querySelector('.questions a[href=\"#/doctor\"] .answer').innerText")
    page.run("document.querySelector('.bar [data-nav=doctor]').click()")
    page.until("/^[0-9]+ finding/.test(document.querySelector('.v-doctor h1')?.innerText)")
    assert page.run("document.querySelector('.v-doctor h1').innerText") == told
    assert page.run("document.querySelector('.bar .badge').innerText") == told.split()[0]


def test_the_first_page_says_at_once_that_it_checks_and_stops_when_it_is_left(
    page: Browser, base: str
) -> None:
    opened(page, base, "settings")
    page.run(
        """
        const part = '{"counts": [{"findings": 3}], "truncated": true}';
        const [asks, freed] = [window.fetch, new Promise((go) => { window.free = go; })];
        window.asked = 0;
        window.fetch = async (url, options) => {
            if (`${url}`.includes('/insights')) await freed;
            if (!`${url}`.includes('/doctor')) return asks(url, options);
            if (!window.asked++) return new Response(part);
            return new Promise((_, no) => options.signal.addEventListener('abort', () => {
                window.stopped = true;
                no(new DOMException('left', 'AbortError'));
            }));
        };
        location.hash = '#/';
        """
    )
    said = "document.querySelector('.questions a[href=\"#/doctor\"] .answer')?.innerText"
    page.until(f"{said} === 'looking …'")
    page.run("free()")
    page.until(f"{said} === '3 so far, looking …' && asked === 2")
    page.run("location.hash = '#/settings'")
    page.until("window.stopped")


def test_the_first_page_checks_though_what_stands_out_failed(page: Browser, base: str) -> None:
    opened(page, base, "settings")
    page.run(
        f"""
        const asks = window.fetch;
        const fails = {FAILS};
        window.fetch = (url, ...x) => `${{url}}`.includes('/insights') ? fails() : asks(url, ...x);
        location.hash = '#/';
        """
    )
    said = "document.querySelector('.questions a[href=\"#/doctor\"] .answer')?.innerText"
    page.until(f"/^[0-9]+ finding/.test({said})")


def test_searching_with_the_keyboard_alone(page: Browser, base: str) -> None:
    search_for(page, base, "ugnada")
    page.until("document.querySelector('[role=option]')?.innerText.includes('Uganda')")
    box = "document.activeElement"
    assert page.run(f"{box}.getAttribute('aria-expanded')") == "true"
    chosen = f"document.getElementById({box}.getAttribute('aria-activedescendant'))"
    assert page.run(f"{chosen}.ariaSelected") == "true"
    assert "similar spelling" in page.run(f"{chosen}.innerText")
    page.press("Enter")
    page.until("location.hash === '#/e/entity:uganda'")
    page.waits_for("East African Community")
    assert page.run("document.title") == "Uganda · Sightline"


def test_arrows_choose_and_escape_closes(page: Browser, base: str) -> None:
    search_for(page, base, "geo")
    page.until("document.querySelectorAll('[role=option]').length >= 2")
    page.press("ArrowDown")
    assert page.run("document.querySelectorAll('[role=option]')[1].ariaSelected") == "true"
    page.press("Escape")
    assert page.run("document.querySelector('.large [role=listbox]').hidden") is True


def test_search_knows_types_and_relations_and_what_can_be_done(page: Browser, base: str) -> None:
    search_for(page, base, "member")
    page.until("document.querySelector('[role=option] mark')?.textContent === 'member'")
    page.run("document.activeElement.value = ''")
    page.type("kenya")
    page.waits_for("Connect Kenya with …")
    page.waits_for("Table of all 5: Country")
    page.press("ArrowUp")
    page.press("Enter")
    page.until("location.hash === '#/table/class:Country'")


def test_what_is_stated_and_what_is_predicted_look_different(page: Browser, base: str) -> None:
    opened(page, base, "e", "Kenya")
    stated = page.run("document.querySelector('#facts').innerText")
    predicted = page.run("document.querySelector('#predicted').innerText")

    assert "borders" in stated
    assert "East African Community" not in stated
    assert "Predicted, not stated" in predicted
    assert "above the line of 40%" in predicted
    assert re.search(r"East African Community[^%]*50%", predicted)
    assert re.search(r"\d+ guess(es)? below 40%", predicted)
    marks = "[...document.querySelectorAll('#predicted .mark')].every(m => m.matches('.predicted'))"
    assert page.run(marks) is True
    style = "getComputedStyle(document.querySelector('.prediction .entity')).textDecorationStyle"
    assert page.run(style) == "dashed"
    assert "Kenya borders → Uganda member of → East African Community" in predicted
    assert "A country in <b>East</b> Africa." in page.text()
    assert "+254" in page.text()


def test_a_chance_says_what_it_means(page: Browser, base: str) -> None:
    opened(page, base, "e", "Kenya")
    page.run("document.querySelector('.prediction .chance').focus()")
    page.press("Enter")
    page.waits_for("A chance of 50% means")
    assert page.run("document.querySelectorAll('.popover .dots .on').length") == 50
    page.waits_for("below 40%")
    page.waits_for("that there is one more answer at all: 6%")
    page.waits_for("Kenya borders → Uganda")
    page.press("Escape")
    assert page.run("document.querySelector('.popover')") is None
    assert page.run("document.activeElement.matches('.chance')") is True


def test_guesses_are_folded(page: Browser, base: str) -> None:
    opened(page, base, "e", "Kenya")
    count = page.run("document.querySelectorAll('.prediction').length")
    page.run("document.querySelector('.guesses summary').click()")
    page.until(f"document.querySelectorAll('.prediction').length > {count}")
    assert page.run("document.querySelectorAll('.guesses .chance:not(.guess)').length") == 0


def test_facts_are_counted_by_the_types_of_what_they_are_about(page: Browser, base: str) -> None:
    opened(page, base, "e", "Kenya")
    chips = "[...document.querySelectorAll('.facets button')]"
    page.run(f"{chips}.find(b => /^Country/.test(b.innerText)).click()")
    page.until("location.hash === '#/e/Kenya?facet=Country'")
    facts = "document.querySelector('#facts').innerText"
    page.until(f"!{facts}.includes('United Nations')")
    assert "Uganda" in page.run(facts)
    page.run("history.back()")
    page.until(f"{facts}.includes('United Nations')")


def test_two_entities_are_connected_by_ranked_paths(page: Browser, base: str) -> None:
    opened(page, base, "e", "Kenya")
    page.press("c")
    page.until("document.activeElement?.getAttribute('aria-label') === 'To'")
    page.until(SETTLED)
    page.type("Nep")
    page.until("document.querySelector('[role=option]')?.innerText.includes('Nepal')")
    page.press("Enter")
    page.until("location.hash === '#/connect?a=entity:kenya&b=entity:nepal'")
    page.waits_for("Kenya is a member of an organisation that Nepal is a member of")
    page.waits_for("United Nations")
    page.run("history.back()")
    page.until("location.hash === '#/connect?a=entity:kenya'")


def test_back_returns_to_what_was_seen(page: Browser, base: str) -> None:
    opened(page, base, "e", "Kenya")
    page.click("United Nations")
    page.until("document.querySelector('h1')?.innerText === 'United Nations'")
    page.run("history.back()")
    page.until("document.querySelector('h1')?.innerText === 'Kenya'")


def test_a_type_is_a_table_that_is_sorted_and_filtered_in_its_address(
    page: Browser, base: str
) -> None:
    opened(
        page, base, "table", "class:Country", cols="relation:member_of", sort="-relation:member_of"
    )
    rows = "[...document.querySelectorAll('.data tbody tr')].map(r => r.innerText)"
    assert "Kenya" in page.run(rows)[0]
    assert page.run("document.querySelector('[aria-sort=descending]').innerText").startswith(
        "member of"
    )
    page.run("document.querySelector('.data th button').click()")
    page.until("!location.hash.includes('sort')")
    page.until("document.querySelector('[aria-sort=ascending]')?.innerText.startsWith('label')")
    page.run("history.back()")
    page.until("document.querySelector('[aria-sort=descending]')")
    chips = "[...document.querySelectorAll('.toolbar .chip')]"
    page.run(f"{chips}.find(b => b.innerText === 'Filter').click()")
    page.run("document.querySelector('.filter input').value = 'ugan'")
    page.run("document.querySelector('.filter').requestSubmit()")
    page.waits_for("label contains ugan")
    page.until(f"{rows}.length === 1")
    assert "f=label~ugan" in page.run("decodeURIComponent(location.hash)")


def test_rows_are_walked_chosen_and_opened_by_keys(page: Browser, base: str) -> None:
    opened(page, base, "table", "Organisation")
    assert page.run("document.querySelectorAll('.data tbody tr').length") == 3
    page.press("ArrowDown")
    page.press("ArrowDown")
    page.press(" ")
    page.waits_for("1 chosen")
    page.press("Enter")
    page.until("location.hash.startsWith('#/e/entity:')")


def test_the_schema_says_between_which_types_a_relation_runs(page: Browser, base: str) -> None:
    opened(page, base, "map", rel="relation:member_of")
    between = "document.querySelector('.between').innerText"
    assert "Country → " in page.run(between)
    assert page.run("document.querySelectorAll('.atlas a.node').length") == 2


def test_example_questions_lead_to_their_answers(page: Browser, base: str) -> None:
    opened(page, base)
    questions = "[...document.querySelectorAll('.questions a')]"
    page.run(f"{questions}.find(a => /^Table/.test(a.innerText)).click()")
    page.until("document.querySelector('[aria-sort=descending]')")


@pytest.mark.parametrize(
    ("view", "query"),
    [
        ((), {}),
        (("e", "entity:hostile"), {}),
        (("e", "Kenya"), {}),
        (("table", "class:Country"), {"cols": "relation:borders,^relation:borders"}),
        (("connect",), {"a": "entity:hostile", "b": "entity:nepal"}),
    ],
)
def test_a_hostile_label_stays_text(
    page: Browser, base: str, view: tuple[str, ...], query: dict[str, str]
) -> None:
    opened(page, base, *view, **query)
    page.waits_for(HOSTILE)
    assert page.run("document.title") != "pwned"
    assert page.run(f"document.querySelectorAll('{FOREIGN}').length") == 0


#: What no view of ours holds.
FOREIGN = "img[src=x], main script, main style, main iframe"


def test_a_hostile_label_stays_text_while_searching(page: Browser, base: str) -> None:
    search_for(page, base, "<img")
    page.until("document.querySelector('[role=option]')?.innerText.includes('<img src=x')")
    assert page.run("document.querySelectorAll('img[src=x]').length") == 0


@pytest.mark.parametrize(
    "address",
    [
        "#/e/%E0%A4%A",
        "#/__proto__/x",
        "#/e/",
        "#/e/<script>alert(1)</script>",
        "#/nothing?a=%",
        "#/connect?a=a&b=b&hops=99",
    ],
)
def test_an_address_that_means_nothing_breaks_nothing(
    started: Browser, base: str, address: str
) -> None:
    started.wrong.clear()
    started.open(f"{base}/{address}")
    started.until("document.querySelector('h1, [role=alert]:not([hidden])')")
    assert [w for w in started.wrong if "status of 4" not in w] == []


def test_the_form_says_how_many_steps_were_asked_for(page: Browser, base: str) -> None:
    opened(page, base, "connect", a="entity:kenya", b="entity:nepal", hops="6")
    page.waits_for("Up to 6 steps")
    page.waits_for("United Nations")


def test_an_unknown_entity_gets_suggestions(started: Browser, base: str) -> None:
    started.open(at(base, "e", "Kenia"))
    started.waits_for("Did you mean")
    started.until("document.querySelector('main .button.main')?.innerText === 'Open Kenya'")


def test_the_theme_is_that_of_the_system_unless_chosen(page: Browser, base: str) -> None:
    theme = "document.documentElement.dataset.theme"
    page.dark(True)
    opened(page, base)
    assert page.run(theme) == "dark"
    page.run("document.querySelector('[aria-label=\"Light colours\"]').click()")
    opened(page, base)
    assert page.run(theme) == "light"
    page.run("localStorage.clear()")
    page.dark(False)


def test_keys_are_listed_and_can_be_switched_off(page: Browser, base: str) -> None:
    opened(page, base, "e", "Kenya")
    page.press("?")
    page.waits_for("connect with …")
    page.run("document.querySelector('.popover input').click()")
    page.press("Escape")
    page.press("c")
    assert page.run("location.hash") == "#/e/Kenya"
    page.run("localStorage.clear()")
    page.press("c")
    page.until("location.hash.startsWith('#/connect')")


def test_a_phone_has_five_tabs(page: Browser, base: str) -> None:
    page.resize(390, 844)
    opened(page, base)
    tabs = "[...document.querySelectorAll('.tabs5 > *')].filter(e => e.offsetHeight)"
    assert page.run(f"{tabs}.length <= 5 && {tabs}.at(-1).innerText") == "More"
    assert page.run("getComputedStyle(document.querySelector('.bar nav')).display") == "none"
    page.run("document.querySelector('.tabs5 [data-nav=table]').click()")
    page.until("document.querySelector('h1')?.innerText === 'Tables'")
    assert page.run("document.querySelector('.tabs5 [data-nav=table]').ariaCurrent") == "page"


def test_a_service_that_is_gone_is_told_and_what_is_shown_stays(page: Browser, base: str) -> None:
    opened(page, base, "e", "Kenya")
    page.run("window.asks = window.fetch")
    page.run("window.fetch = () => Promise.reject(new TypeError('network'))")
    page.run("[...document.querySelectorAll('main a')].find(a => a.innerText === 'Uganda').click()")
    page.waits_for("No answer from the service since")
    page.run("window.fetch = window.asks")
    page.run("document.querySelector('#service button').click()")
    page.until("document.querySelector('h1')?.innerText === 'Uganda'")
    page.until("document.querySelector('#service').hidden")


def test_a_view_whose_part_cannot_be_fetched_waits_for_the_service(
    page: Browser, base: str
) -> None:
    opened(page, base)
    page.send("Network.enable")
    page.send("Network.setBlockedURLs", urls=["*/views/settings.*"])
    page.run("location.hash = '#/settings'")
    page.waits_for("No answer from the service since")
    page.send("Network.setBlockedURLs", urls=[])
    page.run("document.querySelector('#service button').click()")
    page.until("document.querySelector('.v-settings h1')?.innerText === 'Settings'")
    page.until("document.querySelector('#service').hidden")
    page.until("document.querySelector('link[href$=\"settings.css\"]')?.sheet")
    page.send("Network.disable")
    page.wrong.clear()  # what the browser says of what was blocked


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
    opened(page, base)
    delay(page, 200)
    page.run("location.hash = '#/e/Uganda'")
    page.until("document.querySelector('main .skeleton')")
    page.run("location.hash = '#/connect'")
    page.run("new Promise((go) => setTimeout(go, 600))", wait=True)
    assert page.run("document.title") == "Connect · Sightline"
    assert "Uganda" not in page.text()


def test_a_late_answer_changes_nothing_of_the_one_that_is_shown(page: Browser, base: str) -> None:
    opened(page, base, "table", "class:Country", cols="relation:borders")
    rows = "document.querySelectorAll('.data tbody tr').length"
    all_of_them = page.run(rows)
    page.run(
        "((ask) => { window.fetch = async (url, ...about) => { const answer = await ask(url, "
        "...about); if (`${url}`.includes('ugan')) { await new Promise((go) => { window.come = go;"
        " }); } return answer; }; })(window.fetch)"
    )
    page.run("location.hash += '&f=label~ugan'")
    page.until("window.come")
    page.run("location.hash = location.hash.replace('&f=label~ugan', '&sort=-label')")
    page.until(f"document.querySelector('[aria-sort=descending]') && {rows} === {all_of_them}")
    page.run("come()")
    page.run("new Promise((go) => setTimeout(go, 200))", wait=True)
    assert "ugan" not in page.run("document.querySelector('.toolbar').innerText")
    assert f"1 to {all_of_them} of" in page.run("document.querySelector('.foot').innerText")


def test_the_keyboard_stays_on_a_button_that_is_drawn_anew(page: Browser, base: str) -> None:
    opened(page, base, "ask", h="entity:kenya", r="relation:member_of")
    page.until("document.querySelector('.chip.big')")
    for view, chip in (
        ("ask", ".v-ask .chip.big[aria-pressed]"),
        ("communities", "[aria-pressed=false]"),
    ):
        if view != "ask":
            opened(page, base, view)
        page.run(f"window.was = document.querySelector('{chip}'); was.focus()")
        page.press("Enter")
        page.until("!was.isConnected && document.activeElement.matches('button')")
        assert page.run("document.activeElement.innerText[0] === was.innerText[0]")


def test_from_the_drawing_of_a_phone_a_tab_leads_to_its_part(page: Browser, base: str) -> None:
    page.resize(390, 844)
    opened(page, base, "e", "entity:kenya", tab="graph")
    page.run("document.querySelector('[data-tab=similar]').click()")
    page.until("!location.hash.includes('tab=')")
    page.until("document.querySelector('#similar').getBoundingClientRect().top < innerHeight")
    assert page.run("document.querySelector('[aria-selected=true]').dataset.tab") == "similar"


@pytest.mark.parametrize(("width", "names"), [(390, 5), (1280, 4)])
def test_arrows_go_along_the_tabs_that_are_seen(
    page: Browser, base: str, width: int, names: int
) -> None:
    page.resize(width, 844)
    opened(page, base, "e", "entity:kenya")
    page.run("document.querySelector('[data-tab=facts]').focus()")
    at = "document.activeElement.dataset.tab"
    page.press("ArrowLeft")
    assert page.run(at) == "sources"
    passed = []
    for _ in range(names):
        page.press("ArrowRight")
        passed.append(page.run(at))
    assert len(set(passed)) == names
    assert passed[-1] == "sources"
    assert ("graph" in passed) == (width == 390)


def test_enter_picks_a_match_of_what_stands_there_now(page: Browser, base: str) -> None:
    search_for(page, base, "Nep")
    page.until("document.querySelector('[role=option]')?.innerText.includes('Nepal')")
    page.run("document.activeElement.value = ''")
    page.type("Uganda")
    page.press("Enter")
    page.until("location.hash === '#/e/entity:uganda'")


def test_a_search_that_fails_picks_nothing(page: Browser, base: str) -> None:
    search_for(page, base, "Nep")
    page.until("document.querySelector('[role=option]')?.innerText.includes('Nepal')")
    said = '{"status": 500, "detail": "It broke."}'
    page.run(f"window.fetch = async () => new Response('{said}', {{ status: 500 }})")
    page.type("a")
    page.waits_for("It broke.")
    page.press("Enter")
    page.run("window.fetch = () => Promise.reject(new TypeError('network'))")
    page.type("l")
    page.waits_for("No answer from the service since")
    page.press("Enter")
    assert page.run("location.hash") == ""


def test_what_was_typed_but_not_chosen_is_no_side(page: Browser, base: str) -> None:
    opened(page, base, "connect", a="entity:kenya")
    page.run("document.querySelector('[role=group][aria-label=To] input').focus()")
    page.type("Nobody")
    page.run("document.activeElement.blur()")
    assert page.run("location.hash") == "#/connect?a=entity:kenya"
    assert "Kenya" in page.run("document.querySelector('[role=group][aria-label=From]').innerText")


def test_the_way_past_the_bar_leaves_the_view(page: Browser, base: str) -> None:
    opened(page, base, "e", "Kenya")
    page.run("document.querySelector('.skip').click()")
    assert page.run("document.activeElement.id") == "main"
    assert page.run("location.hash") == "#/e/Kenya"


def test_the_page_that_is_shown_is_marked(page: Browser, base: str) -> None:
    opened(page, base, "connect")
    lit = "[...document.querySelectorAll('.bar [aria-current=page]')].map(a => a.innerText)"
    assert page.run(lit) == ["Connect"]
    page.run("location.hash = '#/e/Kenya'")
    page.waits_for("Predicted, not stated")
    assert page.run(lit) == ["Explore"]


def test_back_finds_the_view_as_it_was_left(page: Browser, base: str) -> None:
    page.resize(1280, 700)
    opened(page, base, "e", "Kenya")
    page.run("document.querySelector('.guesses').open = true")
    page.until("document.querySelectorAll('.guesses li').length")
    page.run("document.querySelector('.lists').scrollTop = 120")
    page.click("United Nations")
    page.until("document.querySelector('h1')?.innerText === 'United Nations'")
    page.run("history.back()")
    page.until("document.querySelector('h1')?.innerText === 'Kenya'")
    assert page.run("document.querySelector('.guesses').open") is True
    assert page.run("document.querySelector('.lists').scrollTop") == 120
    assert page.run("document.title") == "Kenya · Sightline"


def test_back_on_a_phone_finds_the_place_in_the_page(page: Browser, base: str) -> None:
    page.resize(390, 600)
    opened(page, base, "e", "Kenya")
    page.run("scrollTo(0, 200)")
    page.click("United Nations")
    page.until("document.querySelector('h1')?.innerText === 'United Nations'")
    assert page.run("scrollY") == 0
    page.run("history.back()")
    page.until("document.querySelector('h1')?.innerText === 'Kenya'")
    assert page.run("scrollY") == 200


NEVER = (
    "(url, { signal } = {}) => new Promise((_, no) => "
    "signal?.addEventListener('abort', () => no(new DOMException('left', 'AbortError'))))"
)
FAILS = 'async () => new Response(\'{"status": 500, "detail": "It broke."}\', { status: 500 })'


@pytest.mark.parametrize(
    ("answers", "shown"),
    [(NEVER, ".skeleton, .view:empty"), (FAILS, ".failed")],
    ids=["awaited", "failed"],
)
def test_a_view_that_did_not_come_is_asked_again_on_the_way_back(
    page: Browser, base: str, answers: str, shown: str
) -> None:
    opened(page, base, "settings")
    page.run("window.asks = window.fetch")
    page.run(f"window.fetch = {answers}")
    page.run("location.hash = '#/e/Kenya'")
    page.until(f"document.querySelector('main .v-entity')?.parentElement.querySelector('{shown}')")
    page.run("window.fetch = window.asks")
    page.run("history.back()")
    page.until("document.querySelector('.v-settings')")
    page.run("history.forward()")
    page.waits_for("Predicted, not stated")
    page.until("document.title === 'Kenya · Sightline'")


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
    views: list[tuple[tuple[str, ...], dict[str, str]]] = [((), {}), (("table", "class:Thing"), {})]
    views += [(("map",), {}), (("graph",), {}), (("ask",), {"h": "entity:long"})]
    views += [(("e", f"entity:{name}"), {}) for name in [*ODD, "plain"]]
    views += [(("connect",), {"a": "entity:plain", "b": f"entity:{name}"}) for name in ODD]
    for view, query in views:
        opened(page, odd, *view, **query)
        names = (
            "[...document.querySelectorAll('main a.entity, main a.node, h1, h3, svg text.name')]"
        )
        for text in [*page.run(f"{names}.map(e => e.textContent)"), page.run("document.title")]:
            assert re.search(r"[\w<]", text), view
            assert len(text) < 200, view
            assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", text), view
        assert page.run(f"document.querySelectorAll('{FOREIGN}').length") == 0
        for width in (360, 1280):
            page.resize(width, 800)
            assert page.run("document.documentElement.scrollWidth") <= width, view
        panes = "[...document.querySelectorAll('.pane')]"
        assert page.run(f"{panes}.every(one => one.scrollWidth <= one.clientWidth)"), view


def test_a_long_answer_leaves_its_question_room(page: Browser, base: str) -> None:
    opened(page, base, "settings")
    page.run(
        """
        const asks = window.fetch;
        const entity = {id: 'entity:kenya', label: 'Kenya', types: []};
        const long = {sort: 'similar', text: 'What is like Kenya?', names: ['Kenya'],
            answer: 'as long as this '.repeat(20), entities: [entity], relation: null, type: null};
        window.fetch = async (url, ...about) => (`${url}`.includes('/examples')
            ? new Response(JSON.stringify({examples: [long]})) : asks(url, ...about));
        location.hash = '#/';
        """
    )
    page.waits_for("as long as this")
    pane = "document.querySelector('.v-start .pane')"
    assert page.run(f"{pane}.scrollWidth <= {pane}.clientWidth")


def test_an_arrow_keeps_its_side_beside_a_relation_in_arabic(page: Browser, odd: str) -> None:
    opened(page, odd, "e", "entity:plain")
    arrows = "[...document.querySelectorAll('.fact .arrow')]"
    arrow = f"{arrows}.find(a => a.innerText.includes('{ODD['arabic']}'))"
    assert page.run(f"{arrow}.firstChild.nodeType") == 3
    assert page.run(f"{arrow}.lastChild.tagName") == "BDI"


def test_a_shape_shows_as_many_paths_as_it_says(page: Browser, odd: str) -> None:
    opened(page, odd, "connect", a="entity:plain")
    # Fewer are asked for than there are.
    fewer = "(url, options) => asks(String(url).replace('k=400', 'k=30'), options)"
    page.run(f"window.asks = window.fetch; window.fetch = {fewer}")
    page.run("location.hash = '#/connect?a=entity:plain&b=entity:arabic&shape=2'")
    page.waits_for(f"{MANY + 1} paths")
    paths = "document.querySelectorAll('.shape.open .paths > [data-ids]').length"
    more = "document.querySelector('.shape.open .paths > li > .link')"
    assert page.run("document.querySelector('.shape.open .count').innerText") == f"{MANY} paths"
    while shown := page.run(paths):
        rest = MANY - shown
        page.until(f"{more}?.innerText.startsWith('{rest} ')" if rest else f"!{more}")
        if not rest:
            break
        page.run(f"{more}.click()")
        page.until(f"{paths} > {shown}")
    ids = page.run(
        "[...document.querySelectorAll('.shape.open [data-ids]')].map(e => e.dataset.ids)"
    )
    assert len(set(ids)) == MANY


def test_all_facts_of_a_relation_can_be_seen(page: Browser, odd: str) -> None:
    opened(page, odd, "e", "entity:hub")
    page.waits_for(f"+{HUB - 3}")
    page.run("document.querySelector('.fact .pill').click()")
    page.until(f"document.querySelectorAll('.fact .entity').length === {HUB}")


def test_what_came_after_training_is_predicted_for_by_its_edges(page: Browser, odd: str) -> None:
    opened(page, odd, "e", "entity:hub")
    assert "Predicted, not stated" in page.run("document.querySelector('#predicted').textContent")
    page.run("document.querySelector('.guesses summary').click()")
    page.waits_for("predicted from its edges: the model never saw hub")
    assert page.run("document.querySelector('#similar').innerText") == ""


def test_a_type_is_called_by_its_name(page: Browser, odd: str) -> None:
    page.open(at(odd, "table", "class:c0"))
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
    """WCAG 2 AA: 4.5 to 1 for text on its ground, 3 to 1 for what shows a control or a node."""
    tokens = (STATIC / "css" / "tokens.css").read_text()
    light, _, rest = tokens.partition(':root[data-theme="dark"]')
    used = colours(light) | (colours(rest.partition("}")[0]) if dark else {})
    grounds = ("ground", "surface", "sunken", "hover", "selected")
    pairs = [(text, on, 4.5) for text in ("ink", "ink-2", "accent") for on in grounds]
    pairs += [(text, f"{text}-wash", 4.5) for text in ("ok", "warn", "bad", "predicted")]
    pairs += [("accent-ink", "accent", 4.5), ("line-strong", "surface", 3)]
    pairs += [(f"type-{i}", "ground", 3) for i in range(1, 13)]
    for text, ground, least in pairs:
        high, low = sorted((luminance(used[text]), luminance(used[ground])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least, (text, ground)
