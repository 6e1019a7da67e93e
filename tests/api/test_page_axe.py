"""What axe-core finds on the views of the explorer: nothing serious."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.browser import Browser
from tests.api.test_page import SETTLED, at
from tests.needs import require

AXE = Path(__file__).parents[2] / "api/page/node_modules/axe-core/axe.min.js"
#: Violations that keep somebody out, each with the first element that has it.
GRAVE = """axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations
    .filter(({impact}) => ['serious', 'critical'].includes(impact))
    .map(({id, nodes}) => `${id}: ${nodes[0].html}`))"""
VIEWS: list[tuple[str, str, dict[str, str]]] = [
    ("", "", {}),
    ("e", "Kenya", {}),
    ("connect", "", {"a": "entity:kenya", "b": "entity:nepal"}),
    ("ask", "", {"h": "entity:kenya", "r": "relation:member_of"}),
    ("ask", "", {"many": "Kenya | member of | ?"}),
    ("table", "", {}),
    ("table", "class:Country", {"cols": "relation:member_of"}),
    ("map", "", {"rel": "relation:member_of"}),
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
def test_nobody_is_kept_out(
    started: Browser, base: str, view: str, about: str, query: dict[str, str]
) -> None:
    reason = "axe-core is not installed; `make check` installs it where npm is"
    require("node", AXE.exists(), reason)
    started.resize(1280, 900)
    started.open(at(base, view, about, **query))
    started.until(SETTLED)
    started.run(AXE.read_text() + ";0")
    assert started.run(GRAVE, wait=True) == []
    started.resize(390, 844)
    started.run("document.documentElement.dataset.theme = 'dark'")
    assert started.run(GRAVE, wait=True) == []
