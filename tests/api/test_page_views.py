"""The views of the explorer that ask, judge, report and query, in a real browser."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from sightline.api.jobs.queue import Jobs
from sightline.cli.jobs import write_report
from sightline.graph.progress import silent
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.ingest.load import ingest
from tests.api.browser import Browser
from tests.api.conftest import HOSTILE
from tests.api.test_page import FOREIGN, at, opened
from tests.api.test_serve import service
from tests.graph.conftest import build, fact, label

QUERY = "SELECT ?s ?name { ?s rdfs:label ?name } ORDER BY ?name LIMIT 3"


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service of twenty capitals, and two lands that are their own, one with a hostile label."""
    pairs = [(f"land{i:02}", "capital", f"town{i:02}") for i in range(40)]
    pairs += [("land03", "capital", "land03"), ("land04", "capital", "land04")]
    folder = tmp_path_factory.mktemp("wrong") / "ws"
    build(folder, [*map(fact, pairs), label("land03", HOSTILE)])
    with service(folder) as (_, port):
        yield f"http://127.0.0.1:{port}"


def hash_of(page: Browser) -> str:
    return str(page.run("location.hash"))


def chip(page: Browser, text: str) -> None:
    """Press the button in the view that a text begins."""
    buttons = "[...document.querySelectorAll('main button')]"
    page.run(f"{buttons}.find(b => b.innerText.trim().startsWith({json.dumps(text)})).click()")


def test_a_gap_is_filled_with_what_is_known_and_what_is_likely(page: Browser, base: str) -> None:
    opened(page, base, "ask", h="entity:kenya", r="relation:member_of")
    page.until("document.querySelector('.v-ask .claim')")
    assert page.run("document.title") == "Ask: Kenya member of ? · Sightline"
    first, *rest = page.run(
        "[...document.querySelectorAll('.v-ask tbody tr')].map(r => r.innerText.trim())"
    )
    assert "stated" in first
    assert any("East African Community" in row and "50%" in row for row in rest)
    reasons = page.run("document.querySelector('.v-ask .reasons').innerText")
    # Both chances, each with its name, and what speaks for it.
    reasons = " ".join(reasons.split())
    assert "50% if there is one more such fact. 6% with the chance that there is one." in reasons
    assert "Kenya borders → Uganda member of → East African Community" in reasons

    chip(page, "New")
    page.until("!document.querySelector('.v-ask .chance')")
    assert "show=known" in hash_of(page)
    page.send("Page.reload")
    page.until(
        "document.querySelector('.v-ask tbody') && !document.querySelector('.v-ask .chance')"
    )


def test_a_question_is_put_together_by_keys(page: Browser, base: str) -> None:
    opened(page, base, "ask")
    page.until("document.querySelector('.pick')")
    page.run("document.querySelector('.pick').focus()")
    page.press("Enter")
    page.type("kenya")
    page.until("document.querySelector('.picker [role=option]')")
    page.press("Enter")
    page.until("location.hash === '#/ask?h=entity:kenya'")
    page.waits_for("What can be asked of Kenya")
    page.run("document.querySelectorAll('.pick')[1].focus()")
    page.press("Enter")
    page.type("member")
    page.until("document.querySelectorAll('.pick-list button').length === 1")
    page.press("Enter")
    page.until("location.hash === '#/ask?h=entity:kenya&r=relation:member_of'")
    page.until("document.querySelector('.v-ask .claim')")
    page.press("ArrowDown")
    page.press("ArrowDown")
    page.until("location.hash.includes('sel=')")
    page.run("history.back()")
    page.waits_for("What can be asked of Kenya")


def test_of_a_fact_that_nothing_states_or_expects_that_is_said(page: Browser, base: str) -> None:
    ends = {"h": "entity:georgia1", "r": "relation:borders", "t": "entity:nepal"}
    opened(page, base, "ask", **ends)
    page.waits_for("stated nowhere")


def test_many_questions_are_answered_at_once(page: Browser, base: str) -> None:
    page.open(at(base, "ask", many="Kenya | member of | ?\nNowhere | member of | ?"))
    page.waits_for("1 answer to 2 questions")
    page.waits_for("East African Community")
    page.waits_for("Nowhere")


def test_an_answer_set_says_how_large_it_is(page: Browser, base: str) -> None:
    opened(page, base, "ask", h="entity:kenya", r="relation:member_of", coverage="0.9")
    page.waits_for("sure to hold the true one")
    page.until(r"/\d in the set of \d/.test(document.body.innerText)")


def test_findings_are_ignored_and_accepted_by_keys(page: Browser, wrong: str) -> None:
    opened(page, wrong, "doctor")
    page.waits_for("2 findings")
    page.press("j")
    page.until("location.hash.includes('id=')")
    second = hash_of(page)
    page.send("Page.reload")
    page.until("document.querySelectorAll('.v-doctor tbody tr')[1]?.ariaSelected === 'true'")
    assert hash_of(page) == second

    page.press("i")
    page.waits_for("Ignored: it is listed no more.")
    page.waits_for("1 finding")
    page.press("a")
    page.waits_for("sightline compile")
    page.waits_for("Nothing looks wrong")
    assert "accepted 1, ignored 1" in page.text()
    chip(page, "ignored")
    page.until("location.hash === '#/doctor?state=ignored' && document.querySelector('.claim')")
    page.press("i")
    page.waits_for("No finding is ignored")
    chip(page, "accepted")
    page.until("location.hash === '#/doctor?state=accepted' && document.querySelector('.claim')")
    chip(page, "List again")
    page.waits_for("No finding is accepted")


@pytest.mark.parametrize(
    ("view", "query", "there"),
    [
        ("ask", {"h": "entity:hostile", "r": "relation:borders"}, ".v-ask .claim"),
        ("ask", {"many": "hostile | borders | ?"}, ".v-ask table"),
        ("query", {"q": "?a borders Kenya"}, ".v-query table"),
        ("sparql", {"q": "SELECT ?name { ?s rdfs:label ?name }"}, ".v-sparql table"),
        ("set", {"e": "entity:hostile,Uganda"}, ".v-set .members"),
        ("report?about=entity:hostile", {}, ".v-report .chip"),
        ("insights", {}, ".v-insights li, .v-insights .state"),
        ("communities", {}, ".v-communities ol"),
    ],
)
def test_a_hostile_label_stays_text(
    page: Browser, base: str, view: str, query: dict[str, str], there: str
) -> None:
    page.open(at(base, view, **query))
    page.until(f"document.querySelector({json.dumps(there)})")
    page.until("!document.querySelector('[aria-busy]')")
    if view not in ("insights", "communities"):
        assert "<img src=x" in page.text() or view == "ask"
    assert page.run("document.title") != "pwned"
    assert page.run(f"document.querySelectorAll('{FOREIGN}').length") == 0
    for width in (360, 1280):
        page.resize(width, 800)
        assert page.run("document.documentElement.scrollWidth") <= width


def test_a_hostile_label_stays_text_among_findings(page: Browser, wrong: str) -> None:
    opened(page, wrong, "doctor", state="all")
    page.waits_for("<img src=x")
    assert page.run(f"document.querySelectorAll('{FOREIGN}').length") == 0
    page.resize(360, 800)
    assert page.run("document.documentElement.scrollWidth") <= 360


def test_a_query_is_complete_or_refused_and_stands_in_the_address(
    started: Browser, base: str
) -> None:
    started.resize(1280, 900)
    started.open(at(base, "sparql"))
    started.until("document.querySelector('.v-sparql .list button')")
    started.run("document.querySelector('textarea').focus()")
    started.run("document.querySelector('textarea').select()")
    started.type(QUERY)
    started.run("document.querySelector('.v-sparql .run-row .main').click()")
    started.waits_for("Complete")
    started.waits_for("3 rows")
    assert quote("?name", safe="") in hash_of(started)
    started.run("document.querySelector('textarea').select()")
    started.type("SELECT {")
    started.waits_for("edited since")
    started.run("document.querySelector('.v-sparql .run-row .main').click()")
    started.waits_for("Refused")
    started.run("history.back()")
    started.waits_for("3 rows")
    assert started.run("document.querySelector('textarea').value") == QUERY
    started.send("Page.reload")
    started.waits_for("3 rows")


def test_names_of_the_graph_are_offered_in_the_editor(page: Browser, base: str) -> None:
    page.open(at(base, "sparql"))
    page.until("document.querySelector('.v-sparql .list button')")
    page.run("document.querySelector('textarea').focus()")
    page.run("document.querySelector('textarea').select()")
    page.type("SELECT * { ?s relation:mem")
    page.until("document.querySelector('.offers [role=option]')?.innerText.includes('member_of')")
    page.press("Enter")
    assert page.run("document.querySelector('textarea').value.endsWith('relation:member_of')")


def test_conditions_are_asked_together(page: Browser, base: str) -> None:
    page.open(at(base, "query", q='?a borders ?b, ?b <member of> "United Nations"'))
    page.waits_for("answers")
    page.until("document.querySelector('.v-query tbody tr')")
    assert page.run("document.querySelectorAll('.v-query .conditions li').length") == 2


def test_a_report_is_ordered_cancelled_and_deleted(page: Browser, wrong: str) -> None:
    page.open(f"{wrong}/#/report?about=entity:land05")
    page.until("document.querySelector('.v-report .chip')")
    chip(page, "Order a report about it")
    page.until("location.hash.startsWith('#/report/')")
    page.until("document.querySelector('.v-report .state, .v-report article')")
    page.open(f"{wrong}/#/report")
    page.waits_for("land05")
    chip(page, "Cancel")  # no worker makes it
    page.until("[...document.querySelectorAll('main button')].some(b => b.innerText === 'Delete')")
    chip(page, "Delete")
    chip(page, "Delete its files?")
    page.waits_for("No report yet")


def test_a_report_is_read_with_its_guesses_folded_and_an_entity_is_watched(
    page: Browser, folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder, tmp_path / "ws")
    jobs = Jobs(copy)
    asked = jobs.submit("report", {"about": ["urn:sightline:entity:kenya"]})
    claimed = jobs.claim()
    assert claimed is not None
    assert jobs.finish(claimed, write_report(copy, claimed, silent), 1)
    with service(copy) as (_, port):
        page.open(at(f"http://127.0.0.1:{port}", "report", asked.id))
        page.until("document.querySelector('.v-report article h1')")
        likely = "document.querySelector('.v-report h3 + ul').innerText"
        assert "East African Community" in page.run(likely)
        assert "5 guesses below 40%" in page.text()
        guesses = "document.querySelectorAll('.v-report .guesses li')"
        assert page.run(f"{guesses}.length") == 5
        assert not page.run(f"[...{guesses}].some(one => one.checkVisibility())")

        # What is chosen in the menu of an entity stands among the watched, until it is taken out.
        opened(page, f"http://127.0.0.1:{port}", "changes", watched="1")
        page.waits_for("Nothing is watched")
        opened(page, f"http://127.0.0.1:{port}", "e", "entity:kenya")
        page.run("document.querySelector('.head [aria-label=More]').click()")
        page.run("[...document.querySelectorAll('.popover button')].at(-1).click()")
        page.until("document.querySelector('.toast')")
        opened(page, f"http://127.0.0.1:{port}", "changes", watched="1")
        page.waits_for("From snapshot")
        # Nothing is asked about a list that is to be empty: the service would refuse it.
        chip(page, "All looked at")
        chip(page, "Kenya")
        page.waits_for("Nothing is watched")
        page.open("about:blank")


def test_rows_can_stand_closer(page: Browser, base: str) -> None:
    opened(page, base, "settings")
    page.run("document.querySelector('[value=close]').click()")
    page.send("Page.reload")
    page.until("document.documentElement.dataset.density === 'close'")
    page.until("document.querySelector('[value=close]')?.checked")
    page.run("document.querySelector('[value=normal]').click()")


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service of facts from two files, the second a snapshot later and with a hostile label."""
    folder = tmp_path_factory.mktemp("read")
    workspace = Workspace.create(folder / "ws")
    for name, likes in (("old.csv", ["bo"]), ("new.csv", ["cleo", HOSTILE])):
        with (folder / name).open("w", newline="") as file:
            rows = [["ada", "likes", whom] for whom in likes]
            csv.writer(file).writerows([["head", "relation", "tail"], *rows])
        ingest(workspace, [folder / name])
        compile_snapshot(workspace, rdf=False)
    with service(workspace.path, factory="sightline.cli.service:application") as (_, port):
        yield f"http://127.0.0.1:{port}"


def test_the_rows_of_a_fact_unfold_and_fold(page: Browser, read: str) -> None:
    opened(page, read, "e", "ada")
    source = "[...document.querySelectorAll('.fact .source')].at(-1)"
    page.run(f"{source}.click()")
    page.until("document.querySelector('.unfolded td.made')")
    # The rows of each file come by themselves.
    rows = "document.querySelector('.unfolded').innerText"
    page.until(f"{rows}.includes('cleo') && {rows}.includes('bo')")
    assert "<img src=x" in page.run(rows)
    assert page.run(f"document.querySelectorAll('{FOREIGN}').length") == 0
    assert page.run(f"{source}.ariaExpanded") == "true"
    page.press("Escape")
    assert page.run("document.querySelector('.unfolded')") is None
    assert page.run(f"document.activeElement === {source}") is True


def test_a_hostile_label_stays_text_among_changes(page: Browser, read: str) -> None:
    opened(page, read, "changes")
    page.waits_for("cleo")
    assert "<img src=x" in page.run("document.querySelector('.v-changes').innerText")
    assert page.run(f"document.querySelectorAll('{FOREIGN}').length") == 0
    page.resize(360, 800)
    assert page.run("document.documentElement.scrollWidth") <= 360
