"""What the doctor finds on the smallest graphs that are wrong in one way, and its patches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline.cli.main import run
from sightline.graph.mining.plausibility import plausibility
from sightline.graph.record.loads import active_loads
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.insights.checks.grounds import wrongness
from sightline.insights.errors import NoCure, UnknownFinding
from sightline.insights.kinds import doctor
from tests.graph.conftest import BASE, add_load, fact, label, typed
from tests.insights.conftest import World

SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix r: <urn:sightline:relation:> . @prefix c: <urn:sightline:class:> .
<urn:Land> a sh:NodeShape ; sh:targetClass c:Land ;
  sh:property [ sh:path r:capital ; sh:class c:Town ; sh:maxCount 1 ] ;
  sh:property [ sh:path r:in ; sh:minCount 1 ; sh:severity sh:Warning ; sh:message "no {e9}" ] .
"""
Make = Callable[..., World]
LEE = ("lee1", "lee2")

LANDS = [(f"land{i:02}", "capital", f"town{i:02}") for i in range(20)]
ROUND = [(head, "in", "europe") for head, _, _ in LANDS]
TYPED = [typed(name, name[:4].title()) for h, _, t in LANDS for name in (h, t)]


def found(world: World, kind: str = "all", **asked: Any) -> tuple[doctor.Finding, ...]:
    findings: tuple[doctor.Finding, ...] = world.ask(
        doctor, kind, deadline_ms=60_000, **asked
    ).findings
    assert all("{" not in f.why and "nan" not in f.why for f in findings)
    assert all(0 <= f.certainty <= 1 for f in findings)
    return findings


def blocks(size: int = 12, count: int = 4) -> list[tuple[str, str, str]]:
    """People who know all of their own village and live in it."""
    people = [[f"p{v}{i:02}" for i in range(size)] for v in range(count)]
    knows = [(a, "knows", b) for p in people for a in p for b in p if a < b]
    return [*knows, *((a, "lives_in", f"village{v}") for v, p in enumerate(people) for a in p)]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([label("a", "A")], id="no edges"),
        pytest.param([("a", "r", "b")], id="one edge"),
        pytest.param([("hub", "r", f"leaf{i}") for i in range(300)], id="one hub"),
        pytest.param([(f"n{i // 2}", "r", f"n{i}") for i in range(1, 300)], id="a tree"),
        pytest.param(
            [(f"n{i}", "r", f"n{j}") for i in range(25) for j in range(i)], id="a complete graph"
        ),
    ],
)
def test_a_graph_that_says_little_has_nothing_wrong(world_of: Make, rows: list[Any]) -> None:
    world = world_of(rows, model=None)
    answer = world.ask(doctor, deadline_ms=60_000)

    assert (answer.findings, answer.total, answer.truncated) == ((), 0, False)


def test_two_capitals_are_a_contradiction_with_its_facts(world_of: Make) -> None:
    world = world_of([*LANDS, *TYPED, ("land03", "capital", "elsewhere")], model=None)
    [finding] = found(world, "contradiction")

    assert finding.why == "land03 has 2 values of capital, where 19 of 20 have one"
    assert [step.target.label for step in finding.facts] == ["elsewhere", "town03"]
    assert all(step.origins for step in finding.facts)
    assert finding.patch is None  # so few facts do not say which is wrong


def test_a_loop_is_taken_back_and_comes_back(world_of: Make, capsys: Any) -> None:
    world = world_of([*LANDS, ("land03", "capital", "land03")], model=None)
    [finding] = [f for f in found(world) if f.patch and f.patch.retracts]
    folder = str(world.ws.path)
    assert finding.patch is not None
    assert finding.patch.sparql.count("<urn:sightline:entity:land03>") == 2
    assert finding.patch.sparql.startswith("DELETE DATA {")

    assert run(["doctor", "--apply", finding.id[:8], "-w", folder]) == 0
    [load] = [x for x in active_loads(world.ws) if x.role == "retractions"]
    assert f"sightline retract {load.id}" in " ".join(capsys.readouterr().out.split())
    mended = compile_snapshot(world.ws, rdf=False)
    assert mended.num_edges == 20
    assert found(World(world.ws)) == ()

    assert run(["retract", load.id, "-w", folder]) == 0
    compile_snapshot(world.ws, rdf=False)
    assert [f.id for f in found(World(world.ws))] == [f.id for f in found(world)]


def test_what_taking_back_does_not_mend_is_said(world_of: Make) -> None:
    world = world_of([*LANDS, *((t, "capital_of", h) for h, _, t in LANDS)], model=None)
    [finding] = found(world, "duplicate relation")
    assert finding.patch is not None
    assert "inverseOf" in finding.patch.sparql

    assert run(["doctor", "--apply", finding.id, "-w", str(world.ws.path)]) == NoCure.exit_code
    assert run(["doctor", "--apply", "nothing", "-w", str(world.ws.path)]) == 1
    with pytest.raises(UnknownFinding, match="id ''"):
        doctor.find(world.sight, "")


def test_relations_that_say_the_same_are_named_with_how(world_of: Make) -> None:
    world = world_of([*LANDS, *((h, "main_town", t) for h, _, t in LANDS[:18])], model=None)
    [finding] = found(world, "duplicate relation")

    assert finding.why == (
        "capital and main town say the same: 18 of 20 facts are stated by the other too"
    )


def test_of_two_homes_the_one_without_neighbours_there_is_taken_back(world_of: Make) -> None:
    world = world_of([*blocks(), ("p003", "lives_in", "village3")], model=None)
    [finding] = found(world)

    assert finding.why == "p003 has 2 values of lives in, where 47 of 48 have one"
    assert finding.patch is not None
    assert [x.object for x in finding.patch.retracts] == ["urn:sightline:entity:village3"]


def test_an_acquaintance_in_another_village_is_implausible(world_of: Make) -> None:
    world = world_of([*blocks(), ("p003", "knows", "p305")], model=None)
    [finding] = found(world)

    assert (finding.kind, [e.label for e in finding.entities]) == ("implausible", ["p003", "p305"])
    assert "no entities lie between the two" in finding.why


def test_the_fact_itself_does_not_speak_for_it(world_of: Make) -> None:
    """A twin, or the fact read backward, would make every fact plausible."""
    world = world_of([*blocks(), ("lone", "knows", "alone"), ("alone", "knows", "lone")], None)
    judged = plausibility(world.graph)
    [at] = np.flatnonzero(
        np.isin(judged.edge, world.sight.facts.between(*map(world.id, ("alone", "lone"))))
    )

    assert judged.between[at] == 0
    assert judged.alike[at].tolist() == [0, 0]


def test_two_of_one_name_and_type_with_neighbours_in_common_are_one(world_of: Make) -> None:
    rows = [("a1", "knows", "x"), ("a1", "knows", "y"), ("a2", "knows", "x"), ("b", "knows", "x")]
    names = [label("a1", "Ann Lee"), label("a2", "ann lee"), label("b", "Bob")]
    world = world_of([*rows, *names], model=None)
    [finding] = found(world, "split")

    assert {e.id for e in finding.entities} == {"entity:a1", "entity:a2"}
    assert "share 1 of 1 neighbours" in finding.why
    # Two of one name are told apart by their ids.
    assert "(entity:a1) and " in finding.why
    assert finding.patch is not None
    assert finding.patch.retracts == ()


def test_three_of_one_name_are_one_finding(world_of: Make) -> None:
    rows = [(f"a{i}", "knows", x) for i in range(3) for x in ("x", "y")]
    names = [label(f"a{i}", "Ann Lee") for i in range(3)]
    [finding] = found(world_of([*rows, *names], model=None), "split")

    assert len(finding.entities) == 3
    assert "2 others have one name and share 2 of 2 neighbours or fewer" in finding.why
    assert finding.patch is not None
    assert finding.patch.sparql.count("DELETE") == 4


@pytest.mark.parametrize(
    "more",
    [
        pytest.param([], id="all are linked with what the two share"),
        pytest.param(
            [*((n, "born", n[-1]) for n in LEE), *((f"q{i}", "born", "z") for i in range(20))]
            + [(n, "knows", "kim") for n in LEE],
            id="the two have different values where nearly all have one",
        ),
    ],
)
def test_namesakes_with_nothing_of_their_own_in_common_are_two(
    world_of: Make, more: list[Any]
) -> None:
    rows = [*((n, "in", "europe") for n in LEE), *((f"q{i}", "in", "europe") for i in range(90))]
    names = [label(n, "Ann Lee") for n in LEE]

    assert found(world_of([*rows, *more, *names], model=None), "split") == ()


def test_an_entity_of_two_types_that_nothing_else_has_together_is_merged(world_of: Make) -> None:
    types = [typed(f"{kind}{i}", kind) for kind in ("Land", "Town") for i in range(40)]
    world = world_of([*LANDS, *types, typed("Land3", "Town")], model=None)
    [finding] = found(world, "merged")

    assert [e.id for e in finding.entities] == ["entity:Land3"]


def test_of_what_lacks_a_type_is_said_that_it_is_not_stated(world_of: Make) -> None:
    rows: list[Any] = [typed(f"p{i:02}", "Person") for i in range(60)]
    rows += [(f"p{i:02}", "lives_in", f"t{i % 7}") for i in range(60)]
    rows += [typed(f"d{i:02}", "Dog") for i in range(60)]
    rows += [typed("rex", "Dog"), ("rex", "lives_in", "t0")]
    [finding] = found(world_of(rows, model=None), "contradiction")

    assert finding.why == (
        "rex —lives in→ t0: its head rex is not stated to be of the type Person, as that of 60 of "
        "61 facts is"
    )


def test_a_type_that_several_facts_ask_for_is_missing_once(world_of: Make) -> None:
    rows: list[Any] = [typed(f"p{i:02}", "Person") for i in range(60)]
    rows += [(f"p{i:02}", relation, f"t{i % 7}") for i in range(60) for relation in ("in", "at")]
    rows += [typed(f"d{i:02}", "Dog") for i in range(60)]
    rows += [typed("rex", "Dog"), ("rex", "in", "t0"), ("rex", "at", "t0")]
    [finding] = found(world_of(rows, model=None), "contradiction")

    assert finding.why == (
        "rex is not stated to be of the type Person; 2 facts say that it is: so is the head of "
        "60 of 61 facts of at"
    )
    assert [e.id for e in finding.entities] == ["entity:rex"]
    assert len(finding.facts) == 2
    assert finding.patch is not None
    assert finding.patch.retracts == ()
    assert finding.patch.sparql == (f"INSERT DATA {{ <{BASE}entity:rex> a <{BASE}class:Person> }}")


def test_held_out_facts_that_the_graph_gives_away_are_leakage(world_of: Make) -> None:
    rows = [*LANDS, *((t, "capital_of", h) for h, _, t in LANDS)]
    world = world_of([*rows, ("land20", "capital", "town20")], model=None)
    add_load(world.ws, [fact(("town20", "capital_of", "land20"))], role="test", name="t")
    compile_snapshot(world.ws, rdf=False)
    [finding] = found(World(world.ws), "leakage")

    assert finding.why == (
        "1 of 1 test facts of capital of can be read off the graph: capital, read the other way, "
        "states the same pair"
    )
    assert (finding.certainty, finding.severity) == (pytest.approx(2 / 3), "low")

    add_load(world.ws, [fact(("town20", "capital_of", "land20"))], role="valid", name="v")
    compile_snapshot(world.ws, rdf=False)
    [finding] = found(World(world.ws), "leakage")
    assert finding.why.startswith("1 of 1 validation facts and 1 of 1 test facts of capital of")
    assert finding.certainty == pytest.approx(3 / 4)


def test_the_one_without_a_label_and_the_part_apart_are_loose_ends(world_of: Make) -> None:
    ring = [(f"n{i:02}", "next", f"n{(i + 1) % 20:02}") for i in range(20)]
    names = [label(f"n{i:02}", f"Name {i}") for i in range(19)]
    types = [typed(f"n{i:02}", "Node") for i in range(20)]
    world = world_of([*ring, *names, *types, ("u", "next", "v")], model=None)

    first, *_ = found(world, "unlabelled")
    assert first.entities[0].id == "entity:n19"
    [apart] = found(world, "isolated")
    assert {e.label for e in apart.entities} == {"u", "v"}
    assert apart.why == "u and what it is linked with, 2 entities, hang together with nothing else"


def test_many_loose_ends_are_one_finding(world_of: Make) -> None:
    ring = [(f"n{i:02}", "next", f"n{(i + 1) % 30:02}") for i in range(30)]
    names = [label(f"n{i:02}", f"Name {i}") for i in range(28)]
    types = [typed(f"n{i:02}", "Node") for i in range(30)]
    parts = [("u", "next", "v"), ("x", "next", "y"), ("y", "next", "z")]
    world = world_of([*ring, *names, *types, *parts, label("alone", "Alone")], model=None)

    [bare] = found(world, "unlabelled")
    assert bare.why == "2 of 30 Node have no label, such as n28"
    alone, apart = found(world, "isolated")
    assert alone.certainty == pytest.approx(35 / 36)
    assert apart.why == (
        "2 parts of 2 to 3 entities hang together with nothing else; the largest is x and what it "
        "is linked with"
    )
    assert apart.certainty == pytest.approx(1 - 5 / 36)


def test_the_worst_comes_first_and_how_many_there_are_is_said(world_of: Make) -> None:
    world = world_of(
        [*LANDS, *TYPED, *ROUND, ("town03", "capital", "town03"), ("u", "r", "v")], None
    )
    answer = world.ask(doctor, limit=1, deadline_ms=60_000)

    assert len(answer.findings) == 1
    assert answer.total == sum(c.findings for c in answer.counts) > 1
    assert answer.findings[0].severity == "high"


def test_what_the_deadline_leaves_out_is_said_and_not_kept(world_of: Make) -> None:
    world = world_of(blocks(), model=None)
    sight = world.sight
    early, missed = sight.checkup.suspects(0.0)

    assert early == []
    assert "implausible facts" in missed
    assert sight.checkup.suspects(float("inf"))[1] == []


def test_the_command_shows_a_table(world_of: Make, capsys: Any, tmp_path: Path) -> None:
    world = world_of([*LANDS, ("land03", "capital", "land03")], model=None)

    assert run(["doctor", "-w", str(world.ws.path)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "leads to itself" in shown
    assert "1 of 1 shown" in shown


def test_what_breaks_the_shapes_that_are_kept_is_found_with_its_fact(world_of: Make) -> None:
    rows = [typed("ch", "Land"), typed("fr", "Land"), typed("bern", "Town")]
    rows += [("ch", "capital", "bern"), ("fr", "capital", "sea"), ("ch", "in", "europe")]
    world = world_of(rows, model=None)
    snapshot = world.sight.snapshot
    kept = snapshot.folder.parents[1] / "shapes.ttl"
    assert not world.ask(doctor, "violation", deadline_ms=60_000).findings

    kept.write_text(SHAPES)
    answer = world.ask(doctor, "violation", deadline_ms=60_000)
    wrong, missing = answer.findings
    assert (wrong.severity, missing.severity) == ("high", "medium")
    assert "fr does not keep the shape urn:Land in capital" in wrong.why
    assert wrong.why.endswith("(sea)")
    assert [(f.source.label, f.target.label) for f in wrong.facts] == [("fr", "sea")]
    assert missing.why == "fr does not keep the shape urn:Land in in: no {e9}"
    assert wrong.patch is None

    kept.write_text(SHAPES + "<urn:S> a sh:NodeShape ; sh:targetClass c:Land ; sh:node <urn:S> .")
    assert "1 of 2 shapes that are kept are checked by `sightline validate` alone: urn:S" in [
        one.why for one in world.ask(doctor, "violation", deadline_ms=60_000).findings
    ]
    kept.write_text("nothing of the sort")
    (unusable,) = world.ask(doctor, "violation", deadline_ms=60_000).findings
    assert "cannot be used" in unusable.why
    assert str(kept.parent) not in unusable.why
    kept.unlink()
    assert not world.ask(doctor, "violation", deadline_ms=60_000).findings


def test_how_wrong_a_broken_rule_makes_a_fact_rests_on_its_own_chance() -> None:
    # Bayes: of 98 right facts and 2 wrong ones, each as likely as the chance says.
    assert wrongness(np.array([0.0, 0.5, 0.98, 1.0])) == pytest.approx(
        [1, 0.02, 0.0004 / (0.0004 + 0.98 * 0.98), 0]
    )


def test_facts_that_are_asked_about_are_judged_and_teach_nothing(world_of: Make) -> None:
    world = world_of(blocks(count=5)[:-1], model=None)
    graph = world.graph
    p, village = graph.resolve_entity("p411"), [graph.resolve_entity(f"village{v}") for v in (4, 0)]
    lives_in = graph.resolve_relation("lives_in")
    asked = np.array([[p, p], [lives_in] * 2, village], np.int32)
    alone, judged = plausibility(graph), plausibility(graph, asked=asked)
    assert np.array_equal(alone.chance, judged.chance)
    right, wrong = judged.asked
    assert right > 2
    assert wrong < -2


def test_a_fact_of_a_text_is_named_where_more_speaks_against_it_than_for_it(
    world_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of(blocks(count=5)[:-1], model=None)
    graph, checkup = world.graph, world.sight.checkup
    p, village = graph.resolve_entity("p411"), [graph.resolve_entity(f"village{v}") for v in (4, 0)]
    ends = {"head": [p, p], "relation": [graph.resolve_relation("lives_in")] * 2, "tail": village}
    said = ["p411 lives in {e7}.", "p411 loathes it."]
    arrays = {name: np.array(column, np.int32) for name, column in ends.items()}
    for name, column in {**arrays, "confidence": np.array([0.8, 0.8]), "text": said}.items():
        monkeypatch.setattr(graph, f"extracted_{name}", column, raising=False)
    graph.manifest["counts"]["extracted"] = 2
    (one,) = [x for x in checkup.suspects(float("inf"))[0] if x.kind == "misread"]
    assert (one.entities, one.read) == ((p, village[1]), 1)
    assert one.certainty > 0.5
    assert "80% confidence" in one.why
