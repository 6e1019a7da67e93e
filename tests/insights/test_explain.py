"""Why a fact: its source, the rules that give it, the model beside them; nothing is made up."""

from __future__ import annotations

from typing import Any

import pytest

from sightline.graph.snapshot.compile import compile_snapshot
from sightline.insights.kinds import explain, related
from tests.graph.conftest import fact, typed
from tests.insights.conftest import Model, World, name_of, write_model

PEOPLE = range(9)
#: Everybody lives where their firm is; of the last one that is not stated, and p0 knows p1.
ROWS: list[dict[str, Any]] = [
    *(fact((f"p{i}", "works_at", f"f{i}"), 1 + i) for i in PEOPLE),
    *(fact((f"f{i}", "located_in", f"t{i}"), 11 + i) for i in PEOPLE),
    *(fact((f"p{i}", "lives_in", f"t{i}"), 21 + i) for i in PEOPLE[:8]),
    *(fact((f"p{i}", "married", f"p{i + 1}"), 31 + i) for i in (0, 2, 4, 6)),
    *(fact((f"p{i + 1}", "married", f"p{i}"), 41 + i) for i in (0, 2, 4)),
    *(typed(f"p{i}", "Person") for i in PEOPLE),
    *(typed(f"t{i}", "Town") for i in PEOPLE),
    *(typed(f"f{i}", "Firm") for i in PEOPLE),
]


@pytest.fixture
def world(world_of) -> World:
    made = world_of(ROWS, model=None)
    snapshot = compile_snapshot(made.ws, rdf=False, rules=True)
    write_model(made.ws, snapshot, Model({("p8", "lives_in", "t8"): 9.0}))
    return World(made.ws)


def test_a_new_fact_has_the_models_chance_and_the_graphs_beside_each_other(world) -> None:
    answer = world.ask(explain, "p8", "lives_in", "t8")
    assert answer.status == "predicted"
    assert answer.probability_if_any > 0.4
    best = answer.reasons[0]
    assert best.rule.text == "(X, lives in, Y) ← (X, works at, A), (A, located in, Y)"
    assert (best.rule.support, best.rule.pairs, best.rule.head_coverage) == (8, 9, 1.0)
    assert best.rule.confidence == pytest.approx(9 / 11)
    assert answer.graph_chance == pytest.approx(best.rule.low)
    rows = [[o.row for o in step.origins] for step in best.paths[0].steps]
    assert rows == [[9], [19]]
    assert (answer.faithfulness, answer.support_note) == (None, None)


def test_a_fact_has_one_chance_in_every_list_that_asks_the_same_of_it(world) -> None:
    told = world.ask(explain, "p8", "lives_in", "t8")
    ahead, back = [
        (one.probability, one.probability_if_any, one.abstain) for one in (told, told.from_tail)
    ]
    assert ahead != back
    lists = {
        "out": [world.predict("p8", "lives_in", None), world.predict("p8", None, "t8")],
        "in": [world.predict(None, "lives_in", "t8")],
    }
    lists["out"].append(world.ask(related, "p8", known=False).related)
    lists["in"].append(world.ask(related, "t8", known=False).related)
    for direction, chances in (("out", ahead), ("in", back)):
        for facts in lists[direction]:
            (said,) = [
                (f.probability, f.probability_if_any, f.abstain)
                for f in facts
                if [name_of(x) for x in (f.head, f.relation, f.tail)] == ["p8", "lives_in", "t8"]
            ]
            assert said == chances


@pytest.mark.parametrize(("new", "known"), [("p8", "head"), ("t8", "tail")])
def test_what_has_no_row_is_asked_about_and_is_no_answer(world_of, new, known) -> None:
    made = world_of([*ROWS, fact(("p0", "likes", "t8"))], model=None)
    write_model(made.ws, made.sight.snapshot, Model(without=[new], like="p0"))
    answer = World(made.ws).ask(explain, "p8", "lives_in", "t8")
    assert answer.status == "predicted"
    assert (answer.probability is None) == (known == "tail")
    assert (answer.from_tail is None) == (known == "head")
    assert answer.note == f"predicted from its edges: the model never saw {new}"


def test_a_stated_fact_has_its_source_and_is_no_reason_for_itself(world) -> None:
    answer = world.ask(explain, "p0", "married", "p1")
    assert answer.status == "stated"
    assert [o.row for o in answer.origins] == [31, 41]
    assert answer.probability is None
    assert answer.reasons == ()
    assert answer.support == ()
    assert answer.support_note == "no support found"


def test_a_fact_whose_reverse_is_stated_says_so(world) -> None:
    answer = world.ask(explain, "p7", "married", "p6")
    assert answer.support_note == "the reverse is stated"
    assert [r.rule.text for r in answer.reasons] == ["(X, married, Y) ← (Y, married, X)"]


def test_what_nothing_speaks_for_says_that(world) -> None:
    answer = world.ask(explain, "p8", "lives_in", "t1")
    assert (answer.reasons, answer.graph_chance) == ((), None)
    assert answer.support_note == "no support found"
    assert answer.abstain
    odd = world.ask(explain, "t1", "lives_in", "p8")
    assert (odd.status, odd.probability) == ("unknown", None)
    assert "no Town" in odd.note


def test_without_model_and_rules_it_is_still_an_answer(world_of) -> None:
    answer = world_of(ROWS, model=None).ask(explain, "p8", "lives_in", "t8")
    assert (answer.status, answer.reasons) == ("unknown", ())
    assert "sightline" in answer.note
    assert "no mined rules" in answer.support_note
    assert [path.length for path in answer.support] == [2]


def test_a_prediction_shows_the_rule_that_gives_it(world) -> None:
    new = world.related("p8", relation="lives_in", known=False, k=9)
    by_rule = {name_of(f.tail): f for f in new}
    best = by_rule["t8"]
    assert best.rule.rule.text == "(X, lives in, Y) ← (X, works at, A), (A, located in, Y)"
    assert best.graph_chance == pytest.approx(best.rule.rule.low)
    assert (by_rule["t1"].rule, by_rule["t1"].graph_chance) == (None, None)
