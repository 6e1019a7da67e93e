"""What is stated comes first and stays apart from what is predicted; hubs do not flood."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sightline.distill.student import student
from sightline.graph.errors import OutOfRange, UsageError
from sightline.graph.reasoning.reason import reason
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.insights.deadline import Deadline
from sightline.insights.model_view import Answers
from sightline.insights.ranking import likeliest, new_neighbours
from tests.graph.conftest import BASE, RDFS, fact, typed
from tests.insights.conftest import (
    FACTS,
    ROWS,
    Model,
    World,
    calibrated,
    name_of,
    one_more,
    other,
    write_model,
)


def told(answer):
    return [(a.status, name_of(a.relation), a.direction, name_of(other(a))) for a in answer]


def test_a_stated_fact_shows_its_origin_and_no_probability(world_of) -> None:
    world = world_of()
    answer = world.related("acme", predicted=False)
    assert told(answer) == [
        ("stated", "located_in", "out", "york"),
        ("stated", "works_at", "in", "bob"),
        ("stated", "works_at", "in", "ann"),
    ]
    assert [item.origins[0].row for item in answer] == [6, 3, 2]
    assert all(item.probability is None and not item.abstain for item in answer)
    assert all(item.support == () and item.support_note is None for item in answer)


def test_an_inferred_fact_is_neither_stated_nor_predicted(world_of) -> None:
    link = {name: f"{BASE}relation:{name}" for name in ("works_at", "knows_about")}
    rule = {"subject": link["works_at"], "object": link["knows_about"], "row": 1}
    world = world_of([*ROWS, {**rule, "predicate": RDFS + "subPropertyOf"}], model=None)
    load = reason(world.ws)
    write_model(world.ws, compile_snapshot(world.ws, rdf=False), Model())
    world = World(world.ws)
    answer = world.related("bob", predicted=False)
    assert told(answer) == [
        ("inferred", "knows_about", "out", "acme"),
        ("stated", "works_at", "out", "acme"),
    ]
    assert [origin.load for origin in answer[0].origins] == [load.id]
    assert answer[0].probability is None
    why = "inferred (prp-spo1) from: works at —subPropertyOf→ knows about; Bob —works at→ Acme"
    assert [item.support_note for item in answer] == [why, None]
    found = world.predict("bob", "knows_about", None)
    assert [(name_of(p.tail), p.status) for p in found] == [
        ("acme", "inferred"),
        ("bolt", "predicted"),
    ]
    assert found[0].support_note == why


def test_a_fact_that_is_said_both_ways_is_listed_once_with_both_origins(world_of) -> None:
    world = world_of(
        [*ROWS, fact(("ann", "knows", "bob"), 20), fact(("bob", "knows", "ann"), 21)], model=None
    )
    for name, end, rows in (("ann", "bob", [20, 21]), ("bob", "ann", [20, 21])):
        answer = [r for r in world.related(name) if r.relation.label == "knows"]
        assert [name_of(other(fact)) for fact in answer] == [end]
        assert [origin.row for origin in answer[0].origins] == rows
        degrees = world.entity(name).degrees
        assert [d.count for d in degrees if d.relation.label == "knows"] == [1]
    [reverse] = world.related("ann", relation="knows", direction="in")
    assert (name_of(other(reverse)), [o.row for o in reverse.origins]) == ("bob", [21, 20])
    shown = world.neighborhood("ann")
    assert [edge.relation.label for edge in shown.edges].count("knows") == 1


#: Two of eight entities live somewhere, both among the four persons.
LIVES = one_more((2, 8), (2, 4))
#: Of the four that work somewhere, all persons, nobody works at two places.
WORKS = one_more((0, 4), (0, 4))


def test_predictions_come_by_chance_with_what_supports_them(world_of) -> None:
    world = world_of(model=Model({("bob", "lives_in", "york"): 5.0}))
    answer = world.related("bob", known=False)
    assert told(answer) == [
        ("predicted", "lives_in", "out", "york"),
        ("predicted", "works_at", "out", "bolt"),
        ("predicted", "lives_in", "out", "bern"),
    ]
    p = math.exp(5) / (math.exp(5) + 7)
    assert answer[0].probability == pytest.approx(LIVES * calibrated(p))
    # Acme is stated, so Bolt shares the rest of the row with 6 others and not with 7.
    assert answer[1].probability == pytest.approx(WORKS * calibrated(1 / 7))
    assert answer[0].support[0].text == "Bob —works at→ Acme —located in→ York"
    assert answer[0].support[0].steps[0].origins[0].row == 3
    assert answer[0].support_note is None
    assert answer[1].support_note == "no support found"


def test_what_few_entities_have_is_not_pressed_on_the_others(world_of) -> None:
    """The model is surer of the illness, if there is one; but one person in twelve has one."""
    people = [f"p{i:02}" for i in range(12)]
    rows = [typed(name, "Person") for name in people]
    rows += [fact((name, "born_in", f"city{i % 3}")) for i, name in enumerate(people[:11])]
    rows += [fact(("p00", "ill_with", "flu"))]
    scores = {("p11", "ill_with", "flu"): 9.0, ("p11", "born_in", "city1"): 4.0}
    world = world_of(rows, Model(scores))
    best, rare = world.related("p11", known=False, k=2)
    assert (name_of(other(best)), name_of(other(rare))) == ("city1", "flu")
    asked = world.predict("p11", "ill_with", None, k=1)[0]
    assert asked.probability == rare.probability
    assert asked.probability_if_any > 3 * rare.probability


def test_an_answer_below_the_threshold_is_called_a_guess(world_of) -> None:
    scores = {("bob", "lives_in", "york"): 5.0}
    world = world_of(model=Model(scores, calibration={"abstain_below": 0.2}))
    answer = world.related("bob", known=False)
    assert [item.abstain for item in answer] == [False, True, True]


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ("out", [("located_in", "york")]),
        ("in", [("works_at", "bob"), ("works_at", "ann")]),
        ("both", [("located_in", "york"), ("works_at", "bob"), ("works_at", "ann")]),
    ],
)
def test_direction_says_which_end_the_entity_is(world_of, direction, expected) -> None:
    world = world_of()
    answer = world.related("acme", direction=direction, predicted=False)
    assert [(name_of(a.relation), name_of(other(a))) for a in answer] == expected


def test_the_inverse_direction_is_predicted_too(world_of) -> None:
    world = world_of(model=Model({("bob", "lives_in", "york"): 5.0}))
    answer = world.related("york", known=False, direction="in", k=1)
    assert told(answer) == [("predicted", "lives_in", "in", "bob")]
    assert answer[0].support[0].text == "Bob —works at→ Acme —located in→ York"


def test_a_type_that_a_directed_relation_never_had_is_not_proposed(world_of) -> None:
    """The model says that Bob lives in a company; no company was ever lived in."""
    world = world_of(model=Model({("bob", "lives_in", "acme"): 9.0}))
    answer = world.related("bob", relation="lives_in")
    assert {name_of(other(item)) for item in answer} == {"york", "bern"}


def test_an_entity_without_a_type_may_be_proposed(world_of) -> None:
    rows = [*ROWS, fact(("ann", "likes", "tea"))]
    world = world_of(rows, Model({("bob", "lives_in", "tea"): 9.0}))
    answer = world.related("bob", known=False, k=1)
    assert told(answer) == [("predicted", "lives_in", "out", "tea")]


def test_an_entity_is_not_related_to_itself_by_prediction(world_of) -> None:
    facts = [("a", "knows", "b"), ("b", "knows", "c")]
    world = world_of(facts, Model({(x, "knows", x): 9.0 for x in "abc"}))
    for name in "abc":
        answer = world.related(name, known=False)
        assert name not in {name_of(other(item)) for item in answer}


def test_the_reverse_of_a_stated_fact_is_not_proposed(world_of) -> None:
    """Whether a relation is symmetric or not, the reverse would be trivial or wrong."""
    facts = [("a", "borders", "b"), ("b", "borders", "c"), ("c", "borders", "d")]
    world = world_of(facts, Model({("b", "borders", "a"): 9.0, ("a", "borders", "c"): 5.0}))
    answer = world.related("a", known=False)
    assert {name_of(other(item)) for item in answer} == {"c", "d"}
    assert len(answer) == 2, "both readings of a relation propose the same entity once"


@pytest.mark.parametrize("countries", [9, 10])
def test_a_single_valued_relation_that_is_answered_gets_no_second_answer(
    world_of, countries
) -> None:
    facts = [(f"country{i}", "capital", f"city{i}") for i in range(countries)]
    rows = [fact(f) for f in facts]
    rows += [typed(h, "Country") for h, _, _ in facts] + [typed(t, "City") for _, _, t in facts]
    rows += [typed("newland", "Country")]
    world = world_of(rows)
    known = world.related("country1", known=False)
    # Nine countries do not say whether a country may have two capitals.
    assert bool(known) == (countries < 10)
    assert len(world.related("newland", known=False, k=100)) == countries


def test_relations_take_turns_and_rare_neighbours_come_first(world_of) -> None:
    facts = [("hub", "many", f"m{i:02}") for i in range(30)]
    facts += [("hub", "few", "f1"), ("hub", "few", "f2"), ("hub", "one", "o")]
    facts += [("x", "other", "m00"), ("x", "other", "f1")]
    world = world_of(facts, model=None)
    answer = world.related("hub", k=6)
    assert [name_of(other(item)) for item in answer] == ["o", "f2", "m01", "f1", "m02", "m03"]


def test_a_longer_list_begins_with_the_shorter_one(world_of) -> None:
    world = world_of(model=Model({("bob", "lives_in", "york"): 5.0}))
    for name in ("acme", "york", "bob"):
        for only in ({"known": False}, {"predicted": False}):
            longest = world.related(name, k=9, **only)
            for k in range(1, 9):
                assert world.related(name, k=k, **only) == longest[:k]


def test_ties_are_broken_by_relation_and_then_by_id(world_of) -> None:
    world = world_of(FACTS, Model())
    answer = world.related("bob", known=False, direction="out")
    assert [name_of(other(a)) for a in answer] == sorted(name_of(other(a)) for a in answer)
    assert len({a.probability for a in answer}) == 1


@pytest.mark.parametrize("k", [0, 1001, float("nan")])
def test_k_outside_its_range_is_refused(world_of, k) -> None:
    world = world_of()
    with pytest.raises(OutOfRange, match="k is"):
        world.related("bob", k=k)


def test_asking_for_nothing_is_refused(world_of) -> None:
    world = world_of()
    with pytest.raises(UsageError, match="neither"):
        world.related("bob", known=False, predicted=False)


def test_of_two_readings_of_a_relation_the_likelier_one_is_proposed(world_of) -> None:
    """Each other entity under a relation once, whichever reading comes first."""
    facts = world_of([("a", "borders", "b"), ("c", "likes", "d")]).sight.facts
    reading = np.array([0, 2, 0, 2, 1], np.int32)
    entity = np.array([2, 2, 3, 3, 3], np.int32)
    if_any = np.array([0.2, 0.6, 0.5, 0.1, 0.3], np.float32)
    answers = Answers(np.arange(5), reading, entity, if_any, if_any, np.ones(5, np.float32))

    best = likeliest(facts, answers, np.zeros(5, np.int64), 5)

    assert [*zip(best.rel, best.entity)] == [(2, 2), (0, 3), (1, 3)]
    # Each of two is told the best of its own.
    best = likeliest(facts, answers, np.array([0, 1, 1, 1, 0]), 1)
    assert [*zip(best.rel, best.entity)] == [(1, 3), (2, 2)]


@pytest.mark.parametrize(("second", "single"), [(1, True), (9, False)])
def test_a_relation_of_which_half_have_two_answers_is_not_single_valued(
    world_of, second, single
) -> None:
    """Ten of 20 countries with two capitals make 1.5 on average; one makes 1.05."""
    rows = [fact((f"country{i:02}", "capital", f"city{i:02}")) for i in range(20)]
    rows += [fact((f"country{i:02}", "capital", "other")) for i in range(second)]
    rows += [typed(f"country{i:02}", "Country") for i in range(20)]
    rows += [typed(f"city{i:02}", "City") for i in range(20)] + [typed("other", "City")]
    world = world_of(rows)

    proposed = world.related("country19", known=False, direction="out")

    assert (proposed == ()) == single


def test_a_guess_is_told_by_the_chance_that_the_threshold_was_fitted_for(world_of) -> None:
    """Sure enough if there is one more; unlikely to be true, for there rarely is one more."""
    scores = {("bob", "works_at", "bolt"): 9.0}
    world = world_of(model=Model(scores, calibration={"abstain_below": 0.3}))
    (listed,) = [f for f in world.related("bob", known=False) if name_of(f.tail) == "bolt"]
    (asked,) = world.predict("bob", "works_at", new_only=True, k=1)

    assert listed.probability < 0.3 < listed.probability_if_any
    assert not listed.abstain
    assert (asked.probability, asked.probability_if_any, asked.abstain) == (
        pytest.approx(listed.probability),
        pytest.approx(listed.probability_if_any),
        False,
    )


def test_entities_asked_together_have_the_answers_that_each_has_alone(
    world_of, monkeypatch
) -> None:
    monkeypatch.setattr(student, "BLOCK", 1)
    monkeypatch.setattr(student, "QUESTIONS", 3)
    scores = {("bob", "lives_in", "york"): 5.0, ("dot", "lives_in", "bern"): 4.0}
    world = world_of(model=Model(scores, without=["acme"], like="bolt"))
    facts, view = world.sight.facts, world.sight.model_view
    everyone, clock = list(range(world.graph.num_entities)), Deadline(60_000)
    wanted = facts.rels(None, "both")

    together = new_neighbours(view, everyone, wanted, 3, clock)
    assert together == [new_neighbours(view, [one], wanted, 3, clock)[0] for one in everyone]
    assert max(map(len, together)) == 3

    # What is less likely may be left out, and nothing else is.
    likely = new_neighbours(view, everyone, wanted, 3, clock, 0.2)
    for some, all_of_them in zip(likely, together):
        assert [c for c in some if c.chance >= 0.2] == [c for c in all_of_them if c.chance >= 0.2]
    assert sum(map(len, likely)) < sum(map(len, together))


def test_stated_answers_of_many_questions_are_those_of_each(world_of) -> None:
    facts = world_of().sight.facts
    anchors = np.arange(facts.snapshot.num_entities).repeat(len(facts.edges_per_rel))
    rels = np.tile(np.arange(len(facts.edges_per_rel)), facts.snapshot.num_entities)

    found, begins = facts.answers_of(anchors, rels)

    assert len(found) == 2 * facts.snapshot.num_edges
    for i, (anchor, rel) in enumerate(zip(anchors, rels)):
        alone, _ = facts.answers(anchor, rel)
        assert found[begins[i] : begins[i + 1]].tolist() == alone.tolist()
        assert facts.number_of_answers(anchors, rels)[i] == len(alone)
