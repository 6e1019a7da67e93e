"""What texts state is told of by itself, with its sentence and confidence, wherever facts are."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from sightline.cli.tables import show_changes
from sightline.graph.extraction.extract import extract
from sightline.graph.mining.constraints import Constraint, ConstraintKind
from sightline.graph.record.loads import active_loads
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.graph.vocabulary import RDFS
from sightline.insights.checks import judged
from sightline.insights.checks.grounds import Grounds
from sightline.insights.kinds import changes, doctor, insights, search
from sightline.insights.report.choice import sections_of
from sightline.insights.report.write import write_report
from tests.graph.conftest import BASE, add_load, typed
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


def compiled(ws: Workspace) -> Workspace:
    compile_snapshot(ws, rdf=False)
    return ws


def fact_of(subject: str, predicate: str, value: str) -> dict[str, object]:
    """A statement of whole IRIs, in row 1."""
    return {"subject": subject, "predicate": predicate, "object": value, "row": 1}


def reported(world: World, out: Path, **limits: int) -> Path:
    entities = [world.sight.snapshot.resolve_entity(name) for name in ("Townkia", "Townaia")]
    sections = sections_of([{"entities": limits}, "method"])
    return write_report(world.ws, world.sight, entities, out, lambda *_: None, sections)


def test_a_search_counts_facts_of_texts_apart(world: World) -> None:
    found = world.ask(search, q="Riveryo", limit=1).entities[0]
    stated = world.sight.snapshot.degree[world.sight.snapshot.resolve_entity("Riveryo")]
    assert (found.degree, found.extracted) == (stated, 1)
    assert [one.extracted for one in world.ask(search, q="Townaia", limit=1).entities] == [0]


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


def test_a_fact_of_a_text_that_an_ontology_forbids_is_a_finding_and_retracted(
    tmp_path: Path,
) -> None:
    ws = Workspace.create(tmp_path / "ws")
    towns(ws)
    add_text(ws, sentences_of_towns())
    extract(ws)
    before = World(compiled(ws))
    assert not before.ask(doctor).findings
    # All towns but Townkia are wharves, too, and only those lie on rivers.
    lies_on = f"{BASE}relation:lies_on"
    rows = [
        fact_of(lies_on, RDFS + "domain", f"{BASE}class:Wharf"),
        *(typed(f"t{town}", "Wharf") for town in (*range(10), 11)),
    ]
    add_load(ws, rows, name="ontology")
    world = World(compiled(ws))
    (finding,) = world.ask(doctor, "misread").findings
    assert finding.why == (
        "Townkia —lies on→ Riveryo may be misread: its head Townkia is not stated to be of the "
        f"type Wharf: an ontology declares it (“{SENTENCE}”)"
    )
    assert (finding.facts, finding.affected, finding.certainty) == ((), None, 1.0)
    assert finding.extracted is not None
    assert finding.extracted.status == "extracted"
    assert finding.extracted.origins[0].source == "towns.csv"
    assert not [one for one in world.ask(doctor).findings if one.kind != "misread"]

    made = [load.id for load in active_loads(ws) if load.role == "extracted"]
    doctor.accept(world.sight, finding.id)
    mended = World(compiled(ws))
    # One fact of it is taken back, and no text is read again.
    assert made == [load.id for load in active_loads(ws) if load.role == "extracted"]
    assert [one.tail for one in mended.sight.snapshot.extractions()] == [
        mended.sight.snapshot.resolve_entity("Riverzo")
    ]
    assert mended.sight.snapshot.num_edges == world.sight.snapshot.num_edges
    answer = mended.ask(changes)
    assert (answer.extracted.added, answer.extracted.removed) == (0, 1)
    (gone,) = answer.extracted_removed
    assert (gone.status, gone.head.label, answer.extracted_added) == ("extracted", "Townkia", ())
    assert (answer.edges.removed, answer.removed) == (0, ())
    show_changes(answer)
    assert mended.ask(changes, about=("Townlia",)).extracted.removed == 0


@pytest.mark.parametrize(
    ("constraint", "against"),
    [("functional", 1), ("inverse functional", 1), ("asymmetric", 1), ("irreflexive", 0)],
)
def test_what_stands_against_a_fact_of_a_text_is_shown(
    world: World, constraint: ConstraintKind, against: int
) -> None:
    """One more fact, t0 lies on r1, where t0 lies on r0, and r1 lies on nothing."""
    s = world.sight.snapshot
    head, tail = s.resolve_entity("Townaia"), s.resolve_entity("Riverwo")
    (edge,) = range(*s.out_indptr[[head, head + 1]])
    c = Constraint(constraint, 0, (), True, 10, 0)
    ends = {"functional": (head, 0), "inverse functional": (0, tail)}.get(constraint, (tail, head))
    grounds = Grounds(s, lambda: world.sight.constraints)
    why, edges = judged.against(grounds, c, ends[0], 0, ends[1])
    assert "declares" in why
    assert len(edges) >= against
    assert (edge in edges) == (against > 0)
