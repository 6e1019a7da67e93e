"""What changed: facts, answers that are others now or came true, and what is watched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sightline.api.app import create_app
from sightline.cli.main import run
from sightline.distill.serving import write_maps
from sightline.graph.snapshot.collect import collect
from sightline.graph.snapshot.compile import compile_snapshot
from sightline.graph.snapshot.errors import NoFormerSnapshot, UnknownEntity
from sightline.graph.storage.errors import DamagedArtifact, NothingWatched
from sightline.graph.storage.watch import seen, watch, watched
from sightline.graph.storage.workspace import WATCH, Workspace
from sightline.insights import changed_answers
from sightline.insights.ask import Sightline
from sightline.insights.kinds import changes
from tests.api.conftest import TestClient
from tests.graph.conftest import BASE, add_load, build, fact
from tests.insights.conftest import MODEL, ROWS, Model, World, name_of, write_model

SCORES = {("bob", "lives_in", "york"): 8.0, ("dot", "lives_in", "bern"): 7.0}
BOB = f"{BASE}entity:bob"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two snapshots and one model: what it expected of bob has come true."""
    folder = tmp_path_factory.mktemp("changes") / "ws"
    write_model(Workspace.open(build(folder, ROWS).folder.parents[1]), *_model(folder))
    ws = Workspace.open(folder)
    add_load(ws, [fact(("bob", "lives_in", "york")), fact(("cid", "knows", "ann"))], name="more")
    write_maps(ws, compile_snapshot(ws, rdf=False), MODEL)
    return folder


def _model(folder: Path) -> tuple[Any, Model]:
    return Sightline.open(Workspace.open(folder)).snapshot, Model(SCORES)


@pytest.fixture
def world(folder: Path) -> World:
    return World(Workspace.open(folder))


def test_a_prediction_that_is_stated_now_is_confirmed(world: World) -> None:
    found = world.ask(changes)
    assert found.edges.added == 2
    assert [f.text for f in found.added] == ["Bob —lives in→ York", "Cid —knows→ Ann"]
    assert found.old.model == found.new.model == MODEL
    by_fact = {(name_of(a.head), a.relation.label, name_of(a.tail)): a for a in found.answers}
    bob = by_fact["bob", "lives in", "york"]
    assert (bob.change, bob.after) == ("confirmed", None)
    old = Sightline.beside(world.ws, changes_from(world, found.old.snapshot))
    expected = old_chance(old)
    assert bob.before == pytest.approx(expected)
    assert "too little stayed the same" in str(found.note)
    back = world.ask(changes, found.new.snapshot, found.old.snapshot)
    turned = {(name_of(a.head), name_of(a.tail)): a for a in back.answers}["bob", "york"]
    assert (turned.change, turned.before) == ("withdrawn", None)
    assert turned.after == pytest.approx(expected)


def changes_from(world: World, snapshot: str) -> Any:
    from sightline.graph.snapshot.diff import find_snapshot

    return find_snapshot(world.ws, snapshot)


def old_chance(old: Sightline) -> float:
    listed = changed_answers._listed(old, int(old.entity("Bob")))
    chance = listed[BOB, f"{BASE}relation:lives_in", f"{BASE}entity:york"]
    assert isinstance(chance, float)
    return chance


def test_the_largest_change_comes_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed_answers, "DEFAULT_NOISE", 0.0)
    monkeypatch.setattr(changed_answers, "LEAST", 0.0)
    sizes = [changed_answers._size(answer) for answer in world.ask(changes).answers]
    assert len(set(sizes)) > 1
    assert sizes == sorted(sizes, reverse=True)


def test_only_what_moved_beyond_noise_is_listed() -> None:
    said = changed_answers._change
    assert said(0.3, 0.34, 0.05) is None
    assert said(0.3, 0.36, 0.05) == "rose"
    assert said(0.3, 0.2, 0.05) == "fell"
    assert said(None, 0.2, 0.05) == "appeared"
    assert said(0.2, 0.01, 0.05) == "vanished"
    assert said("stated", 0.2, 0.5) == "withdrawn"
    assert said(0.2, "stated", 0.9) == "confirmed"
    assert said("stated", "stated", 0.0) is None


def test_changes_about_some_entities(world: World) -> None:
    found = world.ask(changes, about=("Cid", "entity:cid"))
    assert [f.text for f in found.added] == ["Cid —knows→ Ann"]
    assert found.compared == 1
    with pytest.raises(UnknownEntity):
        world.ask(changes, about=("Nobody at all",))


def test_without_a_model_answers_are_not_compared(tmp_path: Path) -> None:
    build(tmp_path / "ws", ROWS)
    world = World(Workspace.open(tmp_path / "ws"))
    with pytest.raises(NoFormerSnapshot):
        world.ask(changes)
    add_load(world.ws, [fact(("bob", "lives_in", "york"))], name="more")
    compile_snapshot(world.ws, rdf=False)
    found = World(world.ws).ask(changes)
    assert (found.answers, found.compared, found.edges.added) == ((), 0, 1)
    assert "no model beside the older snapshot" in str(found.note)


def test_the_watched_are_told_from_when_they_were_last_looked_at(tmp_path: Path) -> None:
    first = build(tmp_path / "ws", ROWS)
    ws = Workspace.open(tmp_path / "ws")
    with pytest.raises(NothingWatched):
        World(ws).ask(changes, watched=True)
    assert watch(ws, first.id, [BOB], []).since == first.id
    for i in range(5):
        add_load(
            ws,
            [fact(("bob", "knows", "ann" if i else "cid"), i), fact((f"n{i}", "r", "m"))],
            name=str(i),
        )
        last = compile_snapshot(ws, rdf=False)
        collect(ws)
    assert watch(ws, last.id, [BOB], []) == watched(ws)
    found = World(ws).ask(changes, watched=True)
    assert (found.old.snapshot, found.edges.added) == (first.id, 2)
    assert {f.text for f in found.added} == {"Bob —knows→ Ann", "Bob —knows→ Cid"}
    seen(ws, last.id)
    assert World(ws).ask(changes, watched=True).edges.added == 0
    assert watch(ws, last.id, [], [BOB]).entities == ()
    with pytest.raises(NothingWatched):
        watched(ws)


def test_a_watch_list_is_whole_or_refused(tmp_path: Path) -> None:
    ws = Workspace.open(build(tmp_path / "ws", ROWS).folder.parents[1])
    watch(ws, "0" * 16, [BOB], [])
    (ws.path / f".tmp-{WATCH}-1").write_text("half")  # as a killed process leaves it
    assert watched(ws).entities == (BOB,)
    watch(ws, "0" * 16, [f"{BASE}entity:ann"], [])
    with ws.lock():
        assert not list(ws.path.glob(".tmp-*"))
    (ws.path / WATCH).write_text((ws.path / WATCH).read_text().replace("bob", "bib"))
    with pytest.raises(DamagedArtifact, match="add the entities again"):
        watched(ws)


def test_watching_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ws = str(build(tmp_path / "ws", ROWS).folder.parents[1])
    assert run(["watch", "list", "-w", ws]) == 1
    assert "watch add ENTITY" in capsys.readouterr().err
    assert run(["watch", "add", "-w", ws]) == 2
    assert run(["watch", "add", "Nobody", "-w", ws]) == 1
    assert run(["watch", "add", "Bob", "Ann", "-w", ws]) == 0
    assert run(["watch", "remove", "entity:ann", "-w", ws]) == 0
    capsys.readouterr()
    assert run(["watch", "list", "-w", ws]) == 0
    shown = capsys.readouterr().out
    assert "entity:bob" in shown
    assert "Ann" not in shown
    assert run(["changes", "--watched", "-w", ws]) == 0
    assert "Added: nothing found" in capsys.readouterr().out


def test_changes_over_http_are_never_kept(folder: Path) -> None:
    with TestClient(create_app(folder)) as client:
        found = client.get("/v1/diff?about=Bob")
        old, new = (found.json()[side]["snapshot"] for side in ("old", "new"))
        back = client.get(f"/v1/diff?from={new[:8]}&to={old}&watched=false").json()
        assert client.get("/v1/diff?from=zz").status_code == 404
        assert client.get("/v1/diff?watched=true").status_code == 409
    assert found.headers["cache-control"] == "no-store"
    assert found.json()["edges"] == {"added": 1, "removed": 0}
    assert back["edges"] == {"added": 0, "removed": 2}
