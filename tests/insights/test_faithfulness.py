"""A score that rests on its support falls without it; what was not measured says why."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sightline.distill.foundation.build import model_for
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.insights import faithfulness as module
from sightline.insights.kinds import explain
from sightline.insights.report import compose, write
from sightline.insights.report.choice import limits_of_entities, sections_of
from sightline.insights.report.write import write_files
from sightline.models.data.queries import with_reciprocals
from sightline.models.foundation.arrays import without_facts
from sightline.models.foundation.relations import RelationGraph
from tests.distill.test_foundation import PEOPLE
from tests.graph.conftest import add_load, fact
from tests.insights.conftest import ROWS, World


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Forty people in eight firms in four cities, beside the foundation member."""
    ws = Workspace.create(tmp_path_factory.mktemp("faithful") / "ws")
    add_load(ws, [fact(row) if isinstance(row, tuple) else row for row in PEOPLE])
    compile_snapshot(ws, rdf=False, prepare=lambda snapshot: model_for(ws, snapshot)[0])
    return World(ws)


def test_edges_less_some_are_those_of_a_graph_without_the_facts() -> None:
    triples = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 2], [2, 0, 0], [3, 0, 1]], np.int32)
    gone = with_reciprocals(triples[[1, 3]], 2)
    edges = without_facts(RelationGraph.of(triples, 4, 2).edges, gone)
    left = RelationGraph.of(triples[[0, 2, 4]], 4, 2).edges
    for found, wanted in zip(edges, left):
        assert found.tolist() == wanted.tolist()
    # What is not there is passed over.
    again = without_facts(edges, gone)
    assert again.source.tolist() == left.source.tolist()


def test_the_score_falls_without_the_support_more_than_without_others(people: World) -> None:
    asked = {"faithfulness": True, "deadline_ms": 60_000}
    answer = people.ask(explain, "p37", "lives_in", "city1", **asked)
    found = answer.faithfulness
    assert found.draws == module.DRAWS
    # Where the firm lies, and who else of the firm lives there.
    assert found.facts > 2
    assert found.fall > 1 > found.others
    assert f"falls by {found.fall:.2f}" in answer.faithfulness_note
    # The same whenever it is asked.
    assert people.ask(explain, "p37", "lives_in", "city1", **asked).faithfulness == found


def test_nothing_taken_away_changes_nothing(people: World) -> None:
    s = people.graph
    ids = people.id("p37"), people.relation("lives_in"), people.id("city1")
    whole = module._score(people.sight, *ids, [])
    forth = people.sight.model_view.questions(ids[0], np.array([ids[1]], np.int32))
    back = people.sight.model_view.questions(ids[2], np.array([ids[1] + s.num_relations], np.int32))
    view = people.sight.model_view
    both = view.judge(next(forth), ids[2])[0], view.judge(next(back), ids[0])[0]
    assert whole == pytest.approx(sum(both) / 2, abs=1e-5)


def test_others_are_of_the_same_relation_and_like_degrees(people: World) -> None:
    s = people.graph
    one = people.sight.facts.edge(
        people.id("firm1"), people.relation("located_in"), people.id("city1")
    )
    assert one is not None
    (pool,) = module._like(people.sight, np.array([one]))
    assert {int(s.relation[e]) for e in pool} == {people.relation("located_in")}
    assert one not in pool
    assert len(pool) == 7


def test_why_it_was_not_measured_is_said(people: World, world_of) -> None:
    def note(world: World, *named: str, **asked: object) -> str:
        answer = world.ask(explain, *named, faithfulness=True, **asked)
        assert answer.faithfulness is None
        return answer.faithfulness_note

    assert note(people, "p01", "lives_in", "city1") == module.STATED
    ids = people.id("p37"), people.relation("lives_in"), people.id("city1")
    nothing = module.faithfulness(people.sight, *ids, [], time.perf_counter() + 9)
    assert nothing == (None, module.NO_SUPPORT)
    assert module.faithfulness(people.sight, *ids, [0], 0.0) == (None, module.LATE)
    without = world_of(ROWS, model=None)
    assert "the model says nothing of it" in note(without, "bob", "lives_in", "york")
    student = world_of(ROWS)
    assert note(student, "bob", "lives_in", "york") == module.READS_NOTHING
    unasked = people.ask(explain, "p37", "lives_in", "city1")
    assert (unasked.faithfulness, unasked.faithfulness_note) == (None, explain.NOT_ASKED)


def test_a_report_tells_it_of_its_insights_and_of_how_many(people: World, tmp_path: Path) -> None:
    facts = [people.predict(name, "lives_in", k=1, new_only=True)[0] for name in ("p37", "p38")]
    faithful, note = compose.faithful_of(people.sight, facts)
    alone = people.ask(explain, "p37", "lives_in", "city1", faithfulness=True, deadline_ms=60_000)
    assert faithful[0] == alone.faithfulness
    assert note is not None
    mean = np.mean([one.fall for one in faithful if one is not None])
    assert note.startswith("of 2 of 2 insights: ")
    assert f"falls by {mean:.2f} in the mean" in note

    chosen = sections_of(["insights", "method"])
    summary = compose.Summary(people.sight, chosen)
    limits = limits_of_entities(chosen)
    summary.add(*compose.sections_about(people.sight, [people.id("p37")], limits))
    report = summary.report("r")
    assert report.model is not None
    report = replace(
        report,
        model=replace(report.model, base_rate=0.1),
        surprising=tuple(facts),
        faithful=faithful,
        faithful_note=note,
    )
    write_files(report, chosen, lambda: iter(()), tmp_path)
    for name in ("report.html", "report.md"):
        page = (tmp_path / name).read_text()
        for one in filter(None, faithful):
            own, others = (f"{100 * math.exp(-fall):.0f} %" for fall in (one.fall, one.others))
            assert f"hese facts {own} of its share among all answers is left" in page
            assert f"without as many others {others}" in page
        assert note in page
    assert [write.left(fall) for fall in (-0.02, 0.7, 9.0)] == ["102 %", "50 %", "< 1 %"]


def test_no_clock_decides_what_a_report_measures(
    people: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same workspace gives the same bytes, however busy the machine is."""
    fact = people.predict("p37", "lives_in", k=1, new_only=True)[0]
    quick = compose.faithful_of(people.sight, [fact])

    hours = count(step=3600)
    slow = SimpleNamespace(perf_counter=lambda: float(next(hours)))
    monkeypatch.setattr(module, "time", slow)
    monkeypatch.setattr(explain, "time", slow)
    assert compose.faithful_of(people.sight, [fact]) == quick
    assert quick[0][0] is not None
    assert quick[0][0].draws == module.DRAWS


def test_a_report_without_insights_measures_nothing(people: World) -> None:
    assert compose.faithful_of(people.sight, []) == ((), None)
