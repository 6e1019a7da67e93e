"""A name that several things share is asked back wherever a name may be given: as a field of any
kind of question, by command and by route."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sightline.cli.main import run
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.storage.workspace import Workspace
from sightline.insights.kind import Kind
from sightline.insights.kinds import KINDS
from tests.api.conftest import TestClient, create_app
from tests.graph.conftest import BASE, RDF, add_load, build, label

ONE, TWO = "https://one.example/", "https://two.example/"
#: Names that normalise as those of two things do, and the IRIs of these.
SHARED = {
    "entity": ("MERCURY", (BASE + "entity:planet", BASE + "entity:metal")),
    "relation": ("Close To", (ONE + "close_to", TWO + "Close-to")),
    "type": ("TOWN", (ONE + "Town", TWO + "town")),
}
#: Names of nothing but symbols, of one thing each.
SYMBOLS = {"entity": "+/-", "relation": "<->", "type": "***"}
#: Fields that name something in another way than by a mark: in a question inside the question, in
#: a pattern.
ALSO: dict[str, list[tuple[str, str, Any]]] = {
    "inductive": [
        ("edges", "relation", [{"relation": "{}", "entity": "entity:earth"}]),
        ("edges", "entity", [{"relation": ONE + "near", "entity": "{}"}]),
    ],
    "paths": [("pattern", "relation", "<{}>")],
    "query": [
        ("text", "relation", '?x "{}" ?y'),
        ("text", "entity", f'?x <{ONE}near> "{{}}"'),
        ("text", "type", '?x a "{}"'),
    ],
}
#: What is asked besides.
BESIDES = {
    "entity": {"id": "entity:earth"},
    "predict": {"head": "entity:earth", "relation": ONE + "near"},
    "explain": {"head": "entity:earth", "relation": ONE + "near", "tail": "entity:metal"},
    "enrich": {"entities": ["entity:earth"]},
    "inductive": {"edges": [{"relation": ONE + "near", "entity": "entity:earth"}]},
    "paths": {"source": "entity:earth", "target": "entity:metal"},
}


def cases() -> Iterator[tuple[Kind[Any, Any], str, str, Any]]:
    """Each kind, each of its fields that names something, what it names, and how it is given."""
    for kind in KINDS:
        for parameter in kind.parameters:
            if parameter.names is not None:
                given = ["{}"] if parameter.many else "{}"
                yield kind, parameter.name, parameter.names, given
        for name, what, given in ALSO.get(kind.name, ()):
            yield kind, name, what, given


CASES = [pytest.param(*case, id="-".join((case[0].name, *case[1:3]))) for case in cases()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of each, alike but for case and punctuation, and one that is called after symbols."""

    def row(subject: str, predicate: str, object: str) -> dict[str, object]:
        return {"subject": subject, "predicate": predicate, "object": object, "row": 1}

    planet, metal = SHARED["entity"][1]
    earth, odd = BASE + "entity:earth", BASE + "entity:odd"
    sign, star = TWO + "sign", TWO + "star"
    rows = [
        row(earth, ONE + "near", planet),
        *(row(earth, relation, metal) for relation in SHARED["relation"][1]),
        *(row(planet, RDF + "type", type_) for type_ in SHARED["type"][1]),
        row(odd, sign, earth),
        row(odd, RDF + "type", star),
        *(label("planet", "Mercury"), label("metal", "mercury"), label("odd", SYMBOLS["entity"])),
        {**label("", SYMBOLS["relation"]), "subject": sign},
        {**label("", SYMBOLS["type"]), "subject": star},
    ]
    ws = tmp_path_factory.mktemp("alike") / "ws"
    build(ws, rows)
    workspace = Workspace.open(ws)
    add_load(workspace, [row(earth, sign, odd)], name="later")  # for what asks what has changed
    compile_snapshot(workspace, rdf=False)
    return ws


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder)) as made:
        yield made


def filled(given: Any, name: str) -> Any:
    """What is given, with a name in it."""
    if isinstance(given, str):
        return given.format(name)
    if isinstance(given, list):
        return [filled(one, name) for one in given]
    return {key: filled(one, name) for key, one in given.items()}


def question(kind: Kind[Any, Any], field: str, given: Any) -> dict[str, Any]:
    """All that is asked: one field, and the others that must be given."""
    needed = {p.name: "entity:earth" for p in kind.parameters if p.required and p.name == "id"}
    asked = {**needed, **BESIDES.get(kind.name, {}), field: given}
    if (kind.name, field) == ("predict", "tail"):
        del asked["head"]  # one gap stays
    return asked


def over_http(client: TestClient, kind: Kind[Any, Any], asked: dict[str, Any]) -> Any:
    if kind.method == "POST":
        return client.post(kind.path, json=asked)
    path = kind.path.replace("{id}", quote(asked.pop("id", ""), safe=""))
    return client.get(path, params=asked)


def as_command(kind: Kind[Any, Any], asked: dict[str, Any], folder: Path) -> list[str]:
    """The words of a command line."""
    needed = [p.name for p in kind.parameters if p.required or (p.argument and p.name in asked)]
    words, plain = [str(kind.command), "-w", str(folder)], []
    for name, value in asked.items():
        values = value if isinstance(value, list) else [value]
        if name not in needed:
            words += [f"--{name.replace('_', '-')}={one}" for one in values]
    for name in needed:
        plain += asked[name] if isinstance(asked.get(name), list) else [asked[name]]
    return [*words, "--", *plain]


@pytest.mark.parametrize(("kind", "field", "what", "given"), CASES)
def test_a_name_that_two_things_share_is_asked_back_with_their_iris(
    folder: Path,
    client: TestClient,
    capsys: pytest.CaptureFixture[str],
    kind: Kind[Any, Any],
    field: str,
    what: str,
    given: Any,
) -> None:
    name, iris = SHARED[what]
    asked = question(kind, field, filled(given, name))
    answer = over_http(client, kind, dict(asked))
    refs = {iri.replace(f"{BASE}entity:", "entity:") for iri in iris}
    # A list of which some names are none is answered for the others, and says so.
    unread = answer.json().get("unresolved", [])
    assert answer.status_code == (200 if unread else 409), answer.text
    candidates = unread[0]["nearest"] if unread else answer.json()["candidates"]
    assert {ref for ref in refs if any(f"({ref}" in text for text in candidates)} == refs
    assert len(candidates) == 2
    if kind.command and not unread:
        assert run(as_command(kind, asked, folder)) == 2
        shown = capsys.readouterr().err
        assert f"names 2 {'entities' if what == 'entity' else what + 's'}; ask" in shown
        assert all(candidate in shown for candidate in candidates)


@pytest.mark.parametrize(
    ("kind", "field", "what", "given"), [case for case in CASES if case.values[1] != "pattern"]
)
def test_a_name_of_nothing_but_symbols_is_found(
    folder: Path, client: TestClient, kind: Kind[Any, Any], field: str, what: str, given: Any
) -> None:
    asked = question(kind, field, filled(given, SYMBOLS[what]))
    answer = over_http(client, kind, dict(asked))
    # There is no model to predict by, so that is what is said once names are read.
    assert answer.status_code == 200 or answer.json()["type"].endswith(":no-model"), answer.text
    if kind.command:
        assert run(as_command(kind, asked, folder)) == (0 if answer.status_code == 200 else 1)
