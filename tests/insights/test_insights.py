"""What is planted is found without a question; where there is nothing, the reasons are."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sightline.cli.main import run
from sightline.distill.serving import write_maps
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.insights.checks.grounds import Suspect
from sightline.insights.deadline import Deadline
from sightline.insights.kinds import insights
from sightline.insights.kinds.insights import Insight
from tests.graph.conftest import add_load, fact, typed
from tests.insights.conftest import MODEL, Model, World

Make = Callable[..., World]
PEOPLE = [f"p{i:02}" for i in range(60)]


def planted() -> list[Any]:
    """People in random clubs; one supports exactly the four that another is a member of, and six of
    one firm have the same hobby."""
    rng = np.random.default_rng(0)
    few = [f"club{i}" for i in range(4)]
    rows = set()
    for relation, one in (("member_of", "p10"), ("supports", "p20")):
        for p in PEOPLE:
            clubs = few if p == one else [f"club{i}" for i in rng.choice(60, 4, replace=False)]
            rows |= {(p, relation, club) for club in clubs}
    rows |= {(p, "likes", f"hobby{rng.integers(20)}") for p in PEOPLE[6:]}
    for p in PEOPLE[:6]:
        rows |= {(p, "works_at", "firm"), (p, "likes", "chess")}
    return [*sorted(rows), *(typed(p, "Person") for p in PEOPLE)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    ws = Workspace.create(tmp_path_factory.mktemp("planted") / "ws")
    add_load(
        ws, [fact(row, i) if isinstance(row, tuple) else row for i, row in enumerate(planted())]
    )
    compile_snapshot(ws, rdf=False, copies=True)
    return World(ws)


def test_what_is_planted_is_found_and_its_command_runs(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    # Whatever the machine is busy with; kernels may have to be compiled.
    answer = insights.insights(world.sight, insights.InsightsQuestion(50, deadline_ms=10**7))
    by_sort: dict[str, list[Insight]] = {}
    for one in answer.insights:
        by_sort.setdefault(one.sort, []).append(one)

    ends = {ref.label for ref in by_sort["unexpected connection"][0].entities}
    assert ends == {"p10", "p20"}
    shared = by_sort["in common"][0]
    assert {ref.label for ref in shared.entities} == set(PEOPLE[:6])
    assert "6 have" in shared.text
    assert {"—likes→ chess", "—works at→ firm"} <= set(re.findall("—.*?→ [a-z]+", shared.text))
    assert answer.found == len(answer.insights)
    assert any(why.startswith("likely missing fact: ") for why in answer.nothing)
    assert not answer.truncated
    for one in answer.insights:
        words = shlex.split(one.command)
        assert words[0] == "sightline"
        assert run([*words[1:], "-w", str(world.ws.path)]) == 0, one.command
    capsys.readouterr()


def test_the_likeliest_error_of_each_kind_comes_first_however_grave(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspects = [
        Suspect("contradiction", "high", 0.7, "surer by little"),
        Suspect("contradiction", "high", 0.6, "second of its kind"),
        Suspect("implausible", "medium", 0.9, "surest"),
        Suspect("unlabelled", "low", 1.0, "not worth a line"),
    ]
    monkeypatch.setattr(world.sight.checkup, "suspects", lambda _: (suspects, []))
    monkeypatch.setattr(insights, "LOOKS", {"likely error": insights.LOOKS["likely error"]})

    assert [one.text for one in world.ask(insights).insights] == ["surest", "surer by little"]


def test_what_the_model_expects_and_what_came_are_findings(
    world_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = {("bob", "lives_in", "york"): 8.0, ("dot", "lives_in", "bern"): 7.0}
    ws = world_of(model=Model(scores, calibration={"abstain_below": 0.1})).ws
    add_load(ws, [fact(("acme", "owns", "bolt"))], name="more")
    write_maps(ws, compile_snapshot(ws, rdf=False), MODEL)
    chosen: Any = ("likely missing fact", "change")
    monkeypatch.setattr(insights, "LOOKS", {sort: insights.LOOKS[sort] for sort in chosen})
    answer = World(ws).ask(insights)

    missing = [one for one in answer.insights if one.sort == "likely missing fact"]
    assert missing[0].text == "Bob —lives in→ York may hold, and is nowhere stated"
    assert missing[0].why.startswith("chance 19%, asked of Bob; ")
    assert missing[0].why.endswith("; Bob —works at→ Acme —located in→ York")
    [change] = [one for one in answer.insights if one.sort == "change"]
    assert change.text.startswith("1 facts came and 0 went")
    assert change.why == "most in owns (+1 -0)"


def test_sorts_take_turns_and_what_has_nothing_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def some(sort: str, count: int) -> list[Insight]:
        return [Insight(sort, f"{sort} {i}", "", "", ()) for i in range(count)]  # type: ignore[arg-type]

    def slow(_: Any, deadline: Deadline) -> list[Insight]:
        deadline.reason = "it took too long"
        return some("bridge", 2)

    looks = {
        "likely error": lambda *_: some("likely error", 3),
        "in common": lambda *_: "none is there",
        "bridge": slow,
    }
    monkeypatch.setattr(insights, "LOOKS", looks)
    answer = world.ask(insights, limit=4)

    texts = [one.text for one in answer.insights]
    assert texts == ["likely error 0", "bridge 0", "likely error 1", "bridge 1"]
    assert answer.found == 5
    assert answer.nothing == ("in common: none is there",)
    assert answer.truncated
    assert answer.reason == "the deadline of 20000 ms cut the search for: bridge (it took too long)"


def test_where_time_was_short_nothing_found_is_not_nothing_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def late(_: Any, deadline: Deadline) -> str:
        asked.append("likely missing fact")
        deadline.reason = f"the deadline of {deadline.ms} ms left no time for 8 of 9 entities"
        return "none is surprising"

    def missed(end: float) -> tuple[list[Suspect], list[str]]:
        asked.append("likely error")
        return [], ["implausible facts"]

    monkeypatch.setattr(world.sight.checkup, "suspects", missed)
    looks = {"likely error": insights.LOOKS["likely error"], "likely missing fact": late}
    monkeypatch.setattr(insights, "LOOKS", looks)
    answer = world.ask(insights)

    # The search that takes any time it is given leaves the doctor some.
    assert asked == ["likely error", "likely missing fact"]
    assert answer.nothing == (
        "likely error: not everything was looked at; the doctor finds nothing of weight",
        "likely missing fact: not everything was looked at; none is surprising",
    )
    assert answer.reason == (
        "the deadline of 20000 ms cut the search for: "
        "likely error (no time for implausible facts); "
        "likely missing fact (left no time for 8 of 9 entities)"
    )


def test_what_is_of_another_type_is_not_compared_with_the_rest(world_of: Make) -> None:
    people = [f"p{i}" for i in range(9)]
    rows: list[Any] = [*(typed(f"p{i}", "Person") for i in range(40)), ("dog", "chases", "ball")]
    rows += [(name, "in", "club") for name in (*people, "dog")]
    rows += [(name, "plays", "chess") for name in people]
    world = world_of(rows, model=None)

    (found,) = insights._in_common(world.sight, Deadline(60_000))

    assert isinstance(found, Insight)
    assert found.text == "of the 9 of type Person with —in→ club, 9 have —plays→ chess"
    assert "dog" not in [one.label for one in found.entities]


@pytest.mark.parametrize("rows", [[("a", "r", "b")], [typed("a", "Thing")]])
def test_a_graph_that_says_little_says_so(world_of: Make, rows: list[Any]) -> None:
    world = world_of(rows, model=None)
    answer = world.ask(insights)

    assert answer.insights == ()
    assert len(answer.nothing) == len(insights.LOOKS)
    assert "sightline compile" in " ".join(answer.nothing)
    assert str(world.ws.path) not in " ".join(answer.nothing)


def test_the_command_prints_findings_with_their_commands(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["insights", "-w", str(world.ws.path), "--limit", "3"]) == 0
    out = capsys.readouterr().out
    assert " > sightline " in out
    assert "3 of " in out
    assert "nothing of this sort: likely missing fact" in out
    assert run(["insights", "-w", str(world.ws.path), "--limit", "1", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["insights"]) == 1


@pytest.mark.parametrize(
    ("bound", "value", "sorts"),
    [
        ("SIGNIFICANT", 0.0, ("unexpected connection", "in common")),
        ("FOLD", 1e9, ("unexpected connection",)),
    ],
)
def test_only_what_stands_out_is_a_finding(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    value: float,
    sorts: tuple[insights.Sort, ...],
) -> None:
    monkeypatch.setattr(insights, bound, value)
    for sort in sorts:
        assert isinstance(insights.LOOKS[sort](world.sight, Deadline(10**7)), str)
