"""Every kind of answer on the graphs that say least: small, honest, and never without a reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pytest

from sightline.cli.main import run
from sightline.graph.errors import SightlineError
from sightline.insights.kind import Kind
from sightline.insights.kinds import KINDS, examples, predictions, related, similar, surprising
from sightline.insights.kinds.inductive import Edge
from tests.graph.conftest import label, typed
from tests.insights.conftest import Model, World

Rows = Sequence[Any]
Make = Callable[..., World]

#: Rows, and two entities and a relation that are asked about.
GRAPHS: dict[str, tuple[Rows, tuple[str, str, str]]] = {
    "no facts": ([label("a", "A"), typed("b", "T"), label("b", "B")], ("a", "b", "r")),
    "one fact": ([("a", "r", "b")], ("a", "b", "r")),
    "a loop": ([("a", "r", "a")], ("a", "a", "r")),
    "a relation once, one without facts": (
        [("a", "r", "b"), ("b", "q", "c"), ("c", "q", "a"), typed("z", "T")],
        ("a", "z", "r"),
    ),
    "one hub": ([("hub", "r", f"leaf{i}") for i in range(20)], ("hub", "leaf1", "r")),
    "a tree": ([(f"n{i // 2}", "r", f"n{i}") for i in range(1, 20)], ("n1", "n19", "r")),
    "a complete graph": (
        [(f"n{i}", "r", f"n{j}") for i in range(7) for j in range(7) if i != j],
        ("n1", "n2", "r"),
    ),
}
#: What more a question of a kind may ask.
MORE: dict[str, tuple[dict[str, Any], ...]] = {
    "paths": ({}, {"same": True}),
    "enrich": ({}, {"all": True}),
    "predict": ({}, {"new_only": True}, {"between": True}),
    "explain": ({"faithfulness": True},),
    "query": ({}, {"above": 0.5}),
    "related": ({}, {"predicted": False}),
    "surprising": ({}, {"about": True}),
}
#: The list of an answer where it is not called as its kind; what says why it is empty.
LISTED = {"predict": "predictions", "doctor": "findings", "query": "rows", "enrich": "shared"}
REASONS = ("reason", "note", "notes", "nothing", "left_out", "alone")


def questions(kind: Kind[Any, Any], world: World, named: tuple[str, str, str]) -> Iterator[Any]:
    """Questions of one kind about what is named."""
    one, other, relation = named
    ids = [f"entity:{name}" for name in (one, other)]
    given: dict[str, Any] = {
        "id": ids[0], "q": one, "head": ids[0], "tail": ids[1], "relation": relation,
        "source": (ids[0],), "target": (ids[1],), "entities": tuple(dict.fromkeys(ids)),
        "text": f"?x {relation} ?y",
    }  # fmt: skip
    for extra in MORE.get(kind.name, ({},)):
        asked = {p.field: given[p.name] for p in kind.parameters if p.required and p.name in given}
        match kind.name:
            case "predict":
                left_out = "relation" if extra.get("between") else "tail"
                asked = {k: given[k] for k in ("head", "relation", "tail") if k != left_out}
            case "table":
                asked = {"id": "T"}
            case "query":
                asked = {"text": given["text"]}
            case "inductive":
                asked = {"edges": (Edge(relation, ids[1]),)}
            case "enrich" if extra.get("all"):
                asked["entities"] = tuple(world.graph.entity_iris)[:50]
            case "paths" if extra.get("same"):
                asked["target"] = asked["source"]
            case "surprising" if extra.get("about"):
                asked["about"] = (ids[0],)
        fields = {p.field for p in kind.parameters}
        rest = {k: v for k, v in extra.items() if k in fields and k != "about"}
        yield kind.question(**asked, **rest)


@pytest.mark.parametrize("served", [True, False], ids=["a model", "no model"])
@pytest.mark.parametrize("name", GRAPHS)
def test_every_kind_answers_without_a_number_that_is_none(
    world_of: Make, name: str, served: bool
) -> None:
    rows, named = GRAPHS[name]
    world = world_of(rows, model=Model() if served and name != "no facts" else None)
    answered, refused = 0, list[str]()
    for kind in KINDS:
        for question in questions(kind, world, named):
            try:
                answer = asdict(kind.answer(world.sight, question))
            except SightlineError as error:
                refused.append(str(error))
                continue
            answered += 1
            json.dumps(answer, allow_nan=False)
            listed = LISTED.get(kind.name, kind.name)
            if "reason" in answer and not answer.get(listed, True):
                assert any(answer.get(why) for why in REASONS), (kind.name, question)
    assert answered > 10
    assert all("; " in why or " has no " in why or "not in the graph" in why for why in refused)


def test_why_nothing_is_listed_is_said(world_of: Make, capsys: Any) -> None:
    rows = [("a", "r", "b"), ("c", "r", "d"), typed("z", "T"), typed("y", "T")]
    world = world_of(rows, model=None)
    folder = str(world.ws.path)

    for args, said in (
        (["related", "z"], "z has no facts"),
        (
            ["related", "a", "--relation", "r", "--direction", "in"],
            "a has 1 fact, which was not asked",
        ),
        (["paths", "a", "a"], "both ends are a; a path leads from one entity to another"),
        (["paths", "a", "z"], "z has no facts"),
        (["paths", "a", "d"], "no path of at most 6 facts is what was asked for"),
        (["paths", "a", "d", "--max-hops", "3"], "at most 3 facts is what was asked for; paths of"),
        (["doctor"], "implausible facts were not looked for: 2 facts are too few"),
    ):
        assert run([*args, "-w", folder]) == 0
        out = " ".join(capsys.readouterr().out.split())
        assert said in out
        assert "not everything" not in out


def test_why_nothing_is_predicted_is_said(world_of: Make) -> None:
    full = [(f"n{i}", "r", f"n{j}") for i in range(4) for j in range(4) if i != j]
    world = world_of(full)

    answer = world.ask(surprising)
    assert (answer.surprising, answer.truncated) == ((), False)
    assert answer.reason == "nothing new is predicted of any of them"
    answer = world.ask(predictions, "entity:n1", "r", new_only=True)
    assert (answer.predictions, answer.truncated) == ((), False)
    assert answer.reason == "nothing fits by type that is not stated"


def test_why_nothing_is_similar_is_said(world_of: Make, capsys: Any) -> None:
    rows = [("a", "r", "b"), typed("a", "T"), typed("b", "U")]
    assert run(["similar", "a", "-w", str(world_of(rows).ws.path)]) == 0
    said = "no other entity of its type (T) to compare a with is known to the model"
    assert said in " ".join(capsys.readouterr().out.split())


def test_a_reason_is_given_only_where_nothing_is_similar(world_of: Make) -> None:
    world = world_of([("a", "r", "b"), ("b", "r", "a"), typed("a", "T")])
    assert world.ask(similar, "a").reason is not None
    assert world.ask(similar, "a", same_type=False).reason is None
    assert world.ask(similar, "b").reason is None


def test_examples_of_a_graph_in_which_hardly_anything_typed_has_facts(world_of: Make) -> None:
    rows = [("a", "q", "b"), ("z", "r", "b"), typed("z", "T"), typed("y", "U")]
    named = {one.sort: one.names for one in world_of(rows).ask(examples).examples}
    assert named["table"] == ("T", "r")


def test_an_example_with_one_path_speaks_of_one(world_of: Make) -> None:
    rows = [("a", "r", "b"), ("b", "q", "c"), typed("a", "T"), typed("c", "U")]
    said = {one.sort: one.answer for one in world_of(rows).ask(examples).examples}
    assert said["connect"] == "1 path in 1 shape"


def test_examples_are_of_what_has_facts_where_nothing_typed_has(world_of: Make) -> None:
    rows = [("a", "q", "b"), ("b", "q", "c"), typed("z", "T")]
    named = {one.sort: one.names for one in world_of(rows).ask(examples).examples}
    assert named["similar"] in {("a",), ("b",), ("c",)}


def test_where_facts_are_listed_no_reason_is_given(world_of: Make) -> None:
    assert world_of([("a", "r", "b")], model=None).ask(related, "a").reason is None
