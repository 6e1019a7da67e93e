"""What a list has in common, told: what it was compared with, what was left out, and why."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from sightline.cli.main import run
from sightline.graph.errors import UsageError
from sightline.insights.kinds import enrich
from tests.graph.conftest import BASE, label, literal, typed
from tests.insights.conftest import Model, World, name_of

#: Eight of 40 people work at a firm in a town, and half of these are of the team.
ROWS: list[Any] = [
    *(typed(f"p{i}", "Person") for i in range(40)),
    *(label(f"p{i}", f"Person {i}") for i in range(40)),
    *(typed(name, "Place") for name in ("firm", "town", "shop")),
    *((f"p{i}", "works_at", "firm") for i in range(8)),
    *((f"p{i}", "works_at", "shop") for i in range(8, 30)),
    ("firm", "located_in", "town"),
    *(literal(f"p{i}", f"{BASE}property:team", "red") for i in range(4)),
    *(label(name, "Twin") for name in ("p38", "p39")),
]


@pytest.fixture
def world(world_of: Any) -> World:
    made: World = world_of([("p0", "works_at", "firm"), *ROWS], None)
    return made


def ask(world: World, *names: str, **asked: Any) -> enrich.Enriched:
    answer: enrich.Enriched = world.ask(enrich, names, deadline_ms=60_000, **asked)
    return answer


def test_what_is_shared_is_told_with_counts_chances_and_facts(world: World) -> None:
    found = ask(world, *(f"Person {i}" for i in range(4)))
    by_text = {one.text: one for one in found.shared}
    firm, team = by_text["—works at→ firm"], by_text["team red"]

    assert found.background.type is not None
    assert (found.background.type.label, found.background.entities) == ("Person", 40)
    assert found.background.listed == len(found.entities) == 4
    assert (firm.count, firm.background_count, firm.expected) == (4, 8, 4 * 8 / 40)
    assert firm.fold == firm.count / firm.expected
    assert team.p_value == pytest.approx(1 / 91390)
    assert found.significant >= 2 <= len(found.shared)
    assert [name_of(one) for one in firm.members] == ["p0", "p1", "p2", "p3"]
    assert [path.text for path in firm.paths] == [f"Person {i} —works at→ firm" for i in range(3)]
    assert firm.paths[0].steps[0].origins
    # The town, and each of the eight as a colleague of the others.
    assert firm.alike[:2] == ("—works at→ · —located in→ town", "—works at→ · ←works at— Person 4")
    assert (firm.folded, len(firm.alike)) == (9, enrich.ALIKE)
    # Whoever is in a team is in the red one.
    assert team.alike == ("team",)


def test_two_steps_are_shown_past_the_entity_between(world_of: Any) -> None:
    own = [(f"p{i}", "works_at", f"own{i}") for i in range(30, 35)]
    port = [(f"own{i}", "located_in", "port") for i in range(30, 35)]
    world = world_of([*ROWS, *own, *port], None)
    (best, *_) = ask(world, *(f"p{i}" for i in range(30, 35))).shared

    assert best.text == "—works at→ · —located in→ port"
    assert best.kind == "two steps"
    assert [step.forward for step in best.steps] == [True, True]
    assert best.paths[0].text == "Person 30 —works at→ own30 —located in→ port"


def test_names_that_are_no_entity_or_several_are_reported_and_the_others_answered(
    world: World,
) -> None:
    found = ask(world, "p0", "Person 0", "Persn 1", "Twin", "", "p2", "firm")

    assert [name_of(ref) for ref in found.entities] == ["p0", "p2"]
    assert [name_of(ref) for ref in found.outside] == ["firm"]
    assert [one.name for one in found.unresolved] == ["Persn 1", "Twin", ""]
    assert found.unresolved[0].nearest[0].startswith("Person 1 ")
    assert len(found.unresolved[1].nearest) == 2
    assert "named again, and counted once: 1" in found.notes


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["nobody"], "no name stands for one entity"),
        (["p0"], "one entity alone has nothing in common"),
        (["p38", "p37"], "whatever two of them share"),
        ([f"p{i}" for i in range(40)], "the list is the whole background"),
        (["p8", "p0", "p9", "p10"], None),
    ],
)
def test_little_is_an_answer_with_a_reason(world: World, names: list[str], said: str) -> None:
    found = ask(world, *names)
    assert found.significant == 0
    if said is not None:
        assert found.shared == ()
        assert any(said in note for note in found.notes), found.notes


def test_the_background_can_be_chosen(world: World) -> None:
    found = ask(world, "p0", "firm", "town", type="Place")
    assert [name_of(ref) for ref in found.entities] == ["firm", "town"]
    assert [name_of(ref) for ref in found.outside] == ["p0"]
    assert found.background.text == "all 3 of type Place, as asked"


def test_a_list_of_entities_of_which_more_is_known_is_told_so(world_of: Any) -> None:
    busy = [(f"p{i}", "visits", f"v{j}") for i in range(4) for j in range(9)]
    world = world_of([*ROWS, *busy], None)
    assert any("of which more is known" in n for n in ask(world, "p0", "p1", "p2", "p3").notes)


def test_a_list_has_a_limit_that_the_error_names(world: World) -> None:
    for names, count in (((), 0), (("p0",) * 501, 501)):
        with pytest.raises(UsageError, match=f"entities has {count} items; allowed are 1 to 500"):
            ask(world, *names)


def test_more_like_these_are_near_to_all_of_them(world_of: Any) -> None:
    rows = [(f"a{i}", "r", "b") for i in range(5)]
    world = world_of(
        rows, Model(vectors={"a0": [1, 0], "a3": [1, 0.1], "a2": [1, 1]}, without=("a1",))
    )
    found = ask(world, "a0", "a1")
    assert [name_of(near.entity) for near in found.more_like_these][:2] == ["a3", "a2"]
    assert "the model knows 1 of the 2" in found.notes[-1]

    whole = world_of(
        [*rows, ("a0", "r", "a1")],
        Model(vectors={"a0": [1, 0], "a1": [0, 1], "a2": [1, 1], "a3": [1, 0.1]}),
    )
    assert name_of(ask(whole, "a0", "a1").more_like_these[0].entity) == "a2"


def test_without_a_model_nothing_is_called_more_like_these(world: World) -> None:
    found = ask(world, "p0", "p1")
    assert found.more_like_these == ()
    assert found.notes[-1] == "no model is served that could say what is more like these"


def test_the_command_takes_names_and_the_lines_of_standard_input(
    world: World, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Person 1\n\n p2 \n"))
    options = ["-w", str(world.ws.path), "--deadline-ms", "60000"]
    assert run(["enrich", "p0", "-", *options, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [ref["label"] for ref in told["entities"]] == ["Person 0", "Person 1", "Person 2"]

    assert run(["enrich", *(f"p{i}" for i in range(6)), "Twin", "firm", *options]) == 0
    table = " ".join(capsys.readouterr().out.split())
    assert "6 listed, beside all 40 of type Person" in table
    assert "—works at→ firm 6 of 6 8 of 40 5" in table
    assert "left out: firm, which is not of that type" in table
    assert "left out: 'Twin' names 2 entities" in table
