"""What texts state is told of by itself, with its sentence and confidence, wherever facts are."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from sightline.graph.extraction.extract import extract
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.insights.kinds import insights
from sightline.insights.report.choice import sections_of
from sightline.insights.report.write import write_report
from tests.graph.test_extract import add_text, sentences_of_towns
from tests.graph.test_extract import world as towns
from tests.insights.conftest import World

SENTENCE = "Townkia lies on the Riveryo."


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    ws = Workspace.create(tmp_path_factory.mktemp("texts") / "ws")
    towns(ws)
    add_text(ws, sentences_of_towns())
    extract(ws)
    compile_snapshot(ws, rdf=False)
    return World(ws)


def reported(world: World, out: Path, **limits: int) -> Path:
    entities = [world.sight.snapshot.resolve_entity(name) for name in ("Townkia", "Townaia")]
    sections = sections_of([{"entities": limits}, "method"])
    return write_report(world.ws, world.sight, entities, out, lambda *_: None, sections)


def test_a_report_tells_of_facts_of_texts_apart_from_stated_ones(
    world: World, tmp_path: Path
) -> None:
    folder = reported(world, tmp_path / "report")
    new, old = json.loads((folder / "report.json").read_bytes())["sections"]
    assert (new["stated"], new["facts"], old["extracted"]) == ([], 0, [])
    (fact,) = new["extracted"]
    assert (fact["status"], fact["tail"]["label"]) == ("extracted", "Riveryo")
    said = {one["label"]: one["value"] for one in fact["qualifiers"]}
    percent = f"{100 * said['confidence']:.0f} %"
    for name in ("report.html", "report.md"):
        text = (folder / name).read_text()
        assert SENTENCE in text
        assert percent in text
    with (folder / "from_texts.csv").open(newline="", encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    assert float(row["confidence"]) == said["confidence"]
    assert row["why"] == f"{SENTENCE} (towns.csv, row 1001)"
    assert SENTENCE not in (folder / "facts.csv").read_text()
    without = reported(world, tmp_path / "without", extracted=0)
    assert SENTENCE not in (without / "report.md").read_text()


def test_the_surest_fact_of_a_text_is_a_finding(world: World) -> None:
    answer = insights.insights(world.sight, insights.InsightsQuestion(50, deadline_ms=10**7))
    (found,) = [one for one in answer.insights if one.sort == "fact of a text"]
    assert SENTENCE in found.why
    assert found.command.startswith("sightline explain")
    assert {one.label for one in found.entities} == {"Townkia", "Riveryo"}
