"""What is missing or damaged stops only the answers that need it."""

from __future__ import annotations

import pytest

from sightline.graph.snapshot.errors import NothingCompiled
from sightline.graph.storage.errors import DamagedArtifact
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.insights.kinds import schema, stats
from sightline.models.errors import NoModel, UnknownToModel
from tests.insights.conftest import MODEL, Model, name_of, other


def predictions(world):
    """Every question that needs the model."""
    yield lambda: world.predict("bob", "lives_in")
    yield lambda: world.similar("bob")
    yield lambda: world.related("bob", known=False)


def graph_answers(world) -> None:
    """Every question that does not."""
    bob, ann = "bob", "ann"
    stated = world.related(bob)
    assert [(item.status, name_of(other(item))) for item in stated] == [("stated", "acme")]
    assert world.paths(bob, ann).found > 0
    assert not world.entity(bob).known_to_model
    assert world.neighborhood(bob).nodes
    assert world.search("bob")
    assert world.ask(stats).entities == 8
    assert world.ask(schema).links
    assert world.relations()


def test_without_a_model_the_graph_still_answers(world_of) -> None:
    world = world_of(model=None)
    assert world.sight.model is None
    assert world.ask(stats).model is None
    graph_answers(world)
    for ask in predictions(world):
        for _ in range(2):
            with pytest.raises(NoModel, match="sightline train"):
                ask()


def test_a_damaged_model_does_not_stop_the_graph(world_of) -> None:
    world = world_of()
    path = world.ws.models / MODEL / "student" / "entity.npy"
    path.write_bytes(path.read_bytes()[:100])
    world.sight = Sightline.open(Workspace.open(world.ws.path))
    graph_answers(world)
    for ask in predictions(world):
        with pytest.raises(DamagedArtifact, match=r"entity\.npy has the wrong size"):
            ask()


def test_an_entity_that_the_model_does_not_know(world_of) -> None:
    world = world_of(model=Model(without=["bob"]))
    graph_answers(world)
    for ask in predictions(world):
        with pytest.raises(UnknownToModel, match="Bob"):
            ask()
    assert world.entity("ann").known_to_model
    everyone = world.similar("ann", same_type=False, k=100)
    assert "bob" not in {name_of(item.entity) for item in everyone}


def test_an_empty_workspace_says_what_to_do(tmp_path) -> None:
    with pytest.raises(NothingCompiled, match="sightline compile"):
        Sightline.open(Workspace.create(tmp_path / "ws"))


def test_an_opened_sightline_outlives_what_is_published_later(world_of) -> None:
    world = world_of(model=Model({("bob", "lives_in", "york"): 5.0}))
    before = world.related("bob")
    (world.ws.path / "current.json").unlink()
    assert world.related("bob") == before
