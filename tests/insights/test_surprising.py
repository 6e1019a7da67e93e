"""A surprising fact is likely, spoken for, more than popular and possible; what is not says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sightline.graph.snapshot.compile import compile_snapshot
from sightline.insights.kinds import surprising
from sightline.insights.kinds.paths import Metapath
from sightline.insights.kinds.surprising import choose
from sightline.insights.ranking import Candidate
from tests.insights.conftest import Model, World, name_of, write_model
from tests.insights.test_explain import ROWS

#: Twelve people live in one town each, which nobody has two of; p12 and p13 live nowhere.
LIVES: list[Any] = [
    *((f"p{i}", "lives_in", f"t{i % 3}") for i in range(12)),
    *(("p12", "knows", f"p{i}") for i in (1, 4)),
    ("p13", "knows", "p2"),
]


@pytest.fixture
def people(world_of) -> World:
    return world_of(LIVES, model=Model())


def new(world: World, head: str, tail: str, relation: str = "lives_in", **said: Any) -> Candidate:
    """A prediction of everything that it takes."""
    fact = Candidate(world.id(head), world.relation(relation), world.id(tail), "out")
    return replace(fact, **{"if_any": 0.9, "chance": 0.8, "surprising": 2.0, **said})


def heads(chosen: surprising.Chosen) -> list[str]:
    return [name_of(one.fact.head) for one in chosen.surprising]


def test_what_all_stated_facts_forbid_is_left_out_and_the_constraint_named(people) -> None:
    chosen = choose(people.sight, [new(people, "p0", "t1"), new(people, "p12", "t1")], 2)
    assert heads(chosen) == ["p12"]
    (forbidden,) = chosen.forbidden
    assert (name_of(forbidden.head), name_of(forbidden.tail)) == ("p0", "t1")
    text = "lives in is functional: a head has one tail; all 12 cases keep it"
    assert forbidden.constraint == text
    assert [(out.why, out.facts) for out in chosen.left_out] == [(surprising.BROKEN, 1)]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"if_any": 0.4}, surprising.GUESS),
        ({"chance": 0.09}, surprising.UNLIKELY),
        ({"surprising": 0.0}, surprising.POPULAR),
    ],
)
def test_one_reason_is_enough_to_be_left_out(people, said: dict[str, float], why: str) -> None:
    chosen = choose(people.sight, [new(people, "p12", "t1", **said)], 1)
    assert chosen.surprising == ()
    assert [(out.why, out.facts) for out in chosen.left_out] == [(why, 1)]


def test_below_the_base_rate_is_a_guess_whatever_the_threshold(world_of) -> None:
    world = world_of(LIVES, model=Model(calibration={"base_rate": 0.95, "abstain_below": 0.0}))
    assert choose(world.sight, [new(world, "p12", "t1")], 1).left_out[0].why == surprising.GUESS
    world = world_of(LIVES, model=Model(calibration={"base_rate": None, "abstain_below": 0.0}))
    assert choose(world.sight, [new(world, "p12", "t1")], 1).left_out[0].why == surprising.UNKNOWN


def test_without_a_rule_paths_must_join_the_ends_and_chance_not_explain_them(
    world_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of([*LIVES, ("x", "knows", "y")], model=Model())
    chosen = choose(world.sight, [new(world, "x", "t1"), new(world, "p12", "t1")], 2)
    assert heads(chosen) == ["p12"]
    assert chosen.surprising[0].connection.metapath == "—knows→ · —lives in→"
    assert [(out.why, out.facts) for out in chosen.left_out] == [(surprising.UNSPOKEN, 1)]
    for q, found in ((0.04, ["p12"]), (0.06, [])):
        shape = Metapath("", (), 1.0, 1, 1.0, q, q, 0.01, "")
        monkeypatch.setattr(surprising, "_connection", lambda *_, shape=shape: shape)
        assert heads(choose(world.sight, [new(world, "p12", "t1")], 2)) == found


def test_of_two_entities_the_best_fact_alone_is_listed(people) -> None:
    there = new(people, "p12", "t1", if_any=0.8)
    other = new(people, "p12", "t1", "knows", if_any=0.9)
    back = new(people, "t1", "p12", "knows", if_any=0.7)
    chosen = choose(people.sight, [there, other, back], 3)
    assert [name_of(one.fact.relation) for one in chosen.surprising] == ["knows"]
    assert [(out.why, out.facts) for out in chosen.left_out] == [(surprising.SAME_TWO, 2)]


def test_bits_count_and_facts_of_one_sort_give_way_to_others(
    people, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        new(people, "p12", "t1", surprising=4.0, if_any=0.6),
        new(people, "p12", "t2", surprising=3.0),
        new(people, "p13", "p4", "knows", surprising=2.0),
        new(people, "p13", "t2", surprising=2.5),
    ]

    shape = Metapath("", (), 1.0, 1, None, None, None, None, "not tested")
    monkeypatch.setattr(surprising, "_connection", lambda *_: shape)

    def listed(k: int) -> list[tuple[str, str]]:
        facts = [one.fact for one in choose(people.sight, found, k).surprising]
        return [(name_of(fact.head), name_of(fact.tail)) for fact in facts]

    assert listed(4) == [("p12", "t1"), ("p12", "t2"), ("p13", "t2"), ("p13", "p4")]
    monkeypatch.setattr(surprising, "AGAIN", 0.6)
    assert listed(4) == [("p12", "t1"), ("p13", "p4"), ("p12", "t2"), ("p13", "t2")]
    # A longer list begins with the shorter one.
    assert listed(2) == listed(4)[:2]


@pytest.fixture
def ruled(world_of) -> World:
    """Where everybody lives where their firm is but one, of whom it is predicted."""
    made = world_of(ROWS, model=None)
    snapshot = compile_snapshot(made.ws, rdf=False, rules=True, copies=True)
    likely = Model({("p8", "lives_in", "t8"): 9.0}, calibration={"abstain_below": 0.1})
    write_model(made.ws, snapshot, likely)
    return World(made.ws)


def test_a_fact_that_a_rule_gives_leads_without_a_question(ruled) -> None:
    answer = ruled.ask(surprising)
    first = answer.surprising[0]
    assert (name_of(first.fact.head), name_of(first.fact.tail)) == ("p8", "t8")
    assert first.fact.rule.rule.text == "(X, lives in, Y) ← (X, works at, A), (A, located in, Y)"
    assert first.connection.metapath == "—works at→ · —located in→"
    assert first.connection.p_value is not None
    assert answer.asked == answer.entities == ruled.graph.num_entities
    assert not answer.truncated
    assert answer.guesses == 0


def test_about_some_entities_and_of_one_relation(ruled) -> None:
    about = ruled.ask(surprising, about=("p8",))
    assert (about.asked, about.entities) == (1, 1)
    assert [name_of(one.fact.tail) for one in about.surprising] == ["t8"]
    assert ruled.ask(surprising, about=("p1",)).surprising == ()
    married = ruled.ask(surprising, relation="married")
    assert all(name_of(one.fact.relation) == "married" for one in married.surprising)
    # Nine persons and nine towns: eight towns are answers, nine towns may be.
    lives = ruled.ask(surprising, relation="lives_in")
    assert lives.entities == 9
    assert [name_of(one.fact.head) for one in lives.surprising] == ["p8"]


def test_what_there_was_no_time_for_is_said(ruled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surprising, "ASKING", 0.0)
    answer = ruled.ask(surprising)
    assert (answer.asked, answer.truncated) == (1, True)
    assert answer.reason == "the deadline of 10000 ms left no time for 26 of 27 entities"
    found = [new(ruled, "p8", "t8"), new(ruled, "p8", "t1", surprising=1.5)]
    assert choose(ruled.sight, found, 2, end=0.0).reason == (
        "1 predictions were not looked at for want of time"
    )
