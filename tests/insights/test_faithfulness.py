"""A score that rests on its support falls without it; what was not measured says why."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sightline.distill.foundation.build import model_for
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.insights import faithfulness as module
from sightline.insights.kinds import explain
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
