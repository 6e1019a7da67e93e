"""Communities are told by their types, what is central in them and what they have in common."""

from __future__ import annotations

from typing import Any

from sightline.cli.main import run
from sightline.insights.kinds import communities
from tests.graph.conftest import label, typed
from tests.insights.conftest import World, name_of

#: Two firms with ten people each who know each other; Ann works at both.
ROWS: list[Any] = [
    *((f"p{f}{i}", "works_at", f"firm{f}") for f in "ab" for i in range(10)),
    *((f"p{f}{i}", "knows", f"p{f}{(i + 1) % 10}") for f in "ab" for i in range(10)),
    *(("ann", "works_at", f"firm{f}") for f in "ab"),
    *(typed(f"p{f}{i}", "Person") for f in "ab" for i in range(10)),
    *(typed(f"firm{f}", "Firm") for f in "ab"),
    label("lonely", "Lonely"),
]


def ask(world: World, **asked: Any) -> communities.Communities:
    answer: communities.Communities = world.ask(communities, deadline_ms=60_000, **asked)
    return answer


def test_communities_have_names_and_bridges_lead_into_several(world_of: Any) -> None:
    world = world_of(ROWS, None)
    found = ask(world)

    assert found.found == len(found.communities) == 2
    assert {one.name for one in found.communities} == {
        "Person and Firm around firma",
        "Person and Firm around firmb",
    }
    assert sum(one.entities for one in found.communities) == 23
    assert found.alone == 1
    for one in found.communities:
        firm = one.name[-1]
        assert [(kind.type.label, kind.entities) for kind in one.types if kind.type] == [
            ("Person", 10),
            ("Firm", 1),
        ]
        assert one.in_common[0].text == f"—works at→ firm{firm}"
        assert (one.in_common[0].count, one.in_common[0].background_count) in ((10, 11), (11, 11))
    bridges = {name_of(bridge.entity): bridge for bridge in found.bridges}
    assert bridges["ann"].participation == 0.5
    assert bridges["ann"].usual == 0
    assert [(link.community, link.facts) for link in bridges["ann"].links] == [(1, 1), (2, 1)]
    assert "pa0" not in bridges
    assert not found.truncated


def test_a_bridge_names_first_where_most_of_its_facts_lead(world_of: Any) -> None:
    found = ask(world_of([*ROWS, *(("ann", "knows", f"pb{i}") for i in (0, 5))], None))
    [ann] = [one for one in found.bridges if name_of(one.entity) == "ann"]
    assert [link.facts for link in ann.links] == [3, 1]
    assert ann.links[0].name.endswith("firmb")


def test_what_everything_is_linked_with_is_no_bridge(world_of: Any) -> None:
    people = [(f"p{f}{i}", f) for f in "abcd" for i in range(10)]
    rows = [
        *((p, "works_at", f"firm{f}") for p, f in people),
        *((p, "in", "hub") for p, _ in people),
    ]
    rows += [(f"p{f}{i}", "knows", f"p{f}{(i + 1) % 10}") for f in "abcd" for i in range(10)]
    rows += [("ann", "works_at", f"firm{f}") for f in "ab"]
    found = ask(world_of(rows, None))
    assert found.found == 4
    order = [name_of(bridge.entity) for bridge in found.bridges]
    assert order[0] == "ann"
    assert "hub" not in order


def test_the_most_popular_value_of_which_all_values_lead_everywhere_is_no_bridge(
    world_of: Any,
) -> None:
    people = [f"p{f}{i}" for f in range(4) for i in range(12)]
    rows: list[Any] = [(p, "works_at", f"firm{p[1]}") for p in people]
    rows += [(p, "knows", f"p{p[1]}{(int(p[2:]) + n) % 12}") for p in people for n in (1, 2, 3)]
    # Half like rock, an eighth each one of four other genres, wherever they work.
    genres = ["rock", "genre0", "rock", "genre1", "rock", "genre2", "rock", "genre3"]
    rows += [(p, "likes", genres[int(p[2:]) % 8]) for p in people]
    rows += [("ann", "works_at", f"firm{f}") for f in range(2)]
    rows += [typed(genre, "Genre") for genre in {*genres}]
    rows += [typed(p, "Person") for p in (*people, "ann")]
    found = ask(world_of(rows, None))

    order = [name_of(bridge.entity) for bridge in found.bridges]
    assert order[0] == "ann"
    assert "rock" not in order[:3]


def test_the_rest_is_counted(world_of: Any) -> None:
    found = ask(world_of(ROWS, None), k=1)
    assert (len(found.communities), len(found.bridges), found.found) == (1, 1, 2)


def test_without_types_there_is_a_small_answer(world_of: Any) -> None:
    bare = ask(world_of([("a", "r", "b")], None))
    assert [one.name for one in bare.communities] == ["entities around a"]
    assert bare.bridges == ()


def test_without_facts_there_is_no_community(world_of: Any) -> None:
    none = ask(world_of([label("a", "A"), typed("a", "T")], None))
    assert (none.communities, none.bridges, none.found, none.alone) == ((), (), 0, 1)


def test_time_that_is_over_is_said(world_of: Any, monkeypatch: Any) -> None:
    world = world_of(ROWS, None)
    ask(world)
    times = iter(range(0, 10_000, 100))
    monkeypatch.setattr(communities.time, "perf_counter", lambda: float(next(times)))
    found = world.ask(communities, deadline_ms=1)
    assert found.truncated
    assert "what 1 of 2 communities have in common was left out" in found.reason
    assert [bool(one.in_common) for one in found.communities] == [True, False]


def test_the_command_shows_both_tables(world_of: Any, capsys: Any) -> None:
    world = world_of(ROWS, None)
    assert run(["communities", "-w", str(world.ws.path), "--deadline-ms", "60000"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "2 of 2 shown; modularity 0.4" in shown
    assert "entities that no fact joins to another: 1" in shown
    assert "0.50 0.00 ann 1 into 1 Person and Firm around firm" in shown
