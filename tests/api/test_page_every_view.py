"""Every view of the explorer fits its screen, and axe-core finds nothing serious in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.browser import Browser
from tests.api.test_page import opened
from tests.needs import require

AXE = Path(__file__).parents[2] / "api/page/node_modules/axe-core/axe.min.js"
#: Violations of WCAG 2.2 at A and AA, and what else is serious, each with its first element.
GRAVE = """axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations
    .filter(({impact, tags}) => ['serious', 'critical'].includes(impact)
        || tags.some((tag) => /^wcag2\\d?aa?$/.test(tag)))
    .map(({id, nodes}) => `${id}: ${nodes[0].html}`))"""
#: What acts and is less than 40 px high and wide to a finger, with what reaches further than it is
#: seen. Links in sentences and cells are as high as their line.
THIN = """[...document.querySelectorAll('a, button, input, textarea, summary')].filter((e) => {
    const {width, height, bottom} = e.getBoundingClientRect();
    if (!width || bottom < 0 || e.closest('td, svg, .hidden, .popover')) return false;
    if (e.matches('input') && e.closest('label, .box')) return false;
    const after = getComputedStyle(e, '::after');
    const more = after.position === 'absolute' ? -2 * parseFloat(after.top) : 0;
    const inline = e.matches('a') && getComputedStyle(e).display === 'inline';
    return !inline && Math.min(width, height) + more < 39.5;
}).map((e) => e.outerHTML.slice(0, 120))"""
VIEWS: list[tuple[str, str, dict[str, str]]] = [
    ("", "", {}),
    ("e", "Kenya", {}),
    ("e", "entity:hostile", {}),
    ("connect", "", {}),
    ("connect", "", {"a": "entity:kenya", "b": "entity:nepal"}),
    ("ask", "", {"h": "entity:kenya", "r": "relation:member_of"}),
    ("ask", "", {"many": "Kenya | member of | ?"}),
    ("table", "", {}),
    ("table", "class:Country", {"cols": "relation:member_of"}),
    ("map", "", {"rel": "relation:member_of"}),
    ("graph", "", {}),
    ("doctor", "", {}),
    ("set", "", {"e": "entity:kenya,entity:uganda"}),
    ("query", "", {"q": "?a borders Kenya"}),
    ("sparql", "", {"q": "SELECT * { ?s rdfs:label ?o } LIMIT 5"}),
    ("insights", "", {}),
    ("communities", "", {}),
    ("changes", "", {}),
    ("report", "", {}),
    ("settings", "", {}),
]


@pytest.mark.parametrize(("view", "about", "query"), VIEWS)
def test_a_view_fits_and_keeps_nobody_out(
    page: Browser, base: str, view: str, about: str, query: dict[str, str]
) -> None:
    page.resize(360, 800)
    opened(page, base, view, about, **query)
    for width in (360, 768, 1280):
        page.resize(width, 800)
        assert page.run("document.documentElement.scrollWidth") <= width
    if view == "changes":
        # There is one snapshot, and the service says that there is nothing to compare.
        page.wrong.clear()
    reason = "axe-core is not installed; `make check` installs it where npm is"
    require("node", AXE.exists(), reason)
    page.run(AXE.read_text() + ";0")
    assert page.run(GRAVE, wait=True) == []
    page.resize(390, 844)
    page.touch(True)
    thin = page.run(THIN)
    page.touch(False)
    assert thin == []
    page.run("document.documentElement.dataset.theme = 'dark'")
    assert page.run(GRAVE, wait=True) == []
