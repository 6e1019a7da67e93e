"""An entity that the graph does not hold, described in the request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from sightline.api.app import create_app
from sightline.insights.kinds.inductive import MAX_EDGES
from tests.api.conftest import make_workspace
from tests.insights.conftest import Model

#: A new entity is to the model as Kenya, which belongs in the community that Uganda is in.
MODEL = Model({("kenya", "member_of", "eac"): 9.0}, without=("georgia1", "borders"), like="kenya")
BORDERS = {"relation": "borders", "entity": "Uganda"}
MEMBER = {"relation": "member of", "direction": "out", "entity": "African Union"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    workspace = make_workspace(tmp_path_factory.mktemp("infer") / "ws", MODEL)
    with TestClient(create_app(workspace.path)) as made:
        yield made


def ask(client: TestClient, *edges: dict[str, Any], **more: Any) -> Any:
    return client.post("/v1/entities:infer", json={"edges": list(edges), **more})


def test_a_new_entity_is_answered_from_its_edges(client: TestClient) -> None:
    answer = ask(client, MEMBER, BORDERS, relation="member of", direction="out", k=2)
    found = answer.json()

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert found["edges_used"] == 1
    best = found["related"][0]
    assert (best["tail"]["label"], best["direction"]) == ("East African Community", "out")
    assert best["status"] == "predicted"
    assert 0 < best["probability"] < 1
    assert "edges given" in best["support_note"]
    assert "African Union" not in [item["tail"]["label"] for item in found["related"]]


def test_without_a_relation_all_that_fits_is_asked(client: TestClient) -> None:
    found = ask(client, {**MEMBER, "direction": "out"}, k=50).json()["related"]

    assert {item["relation"]["label"] for item in found} >= {"member of", "official language"}


def test_nothing_is_stored(client: TestClient) -> None:
    before = client.get("/v1/stats").json()
    first = ask(client, MEMBER).json()

    assert ask(client, MEMBER).json() == first
    assert client.get("/v1/stats").json() == before


def test_an_entity_that_came_after_training_is_marked(client: TestClient) -> None:
    found = client.get("/v1/entities/entity:georgia1/related?known=false&k=1").json()["related"]

    assert "never saw Georgia" in found[0]["support_note"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 422, "edges is missing"),
        ({"edges": []}, 422, "edges"),
        ({"edges": [MEMBER] * (MAX_EDGES + 1)}, 422, str(MAX_EDGES)),
        ({"edges": [{"relation": "member of"}]}, 422, "edges.0.entity is missing"),
        ({"edges": [{**MEMBER, "direction": "up"}]}, 422, "'out' or 'in'"),
        ({"edges": [{**MEMBER, "entity": "Kenia"}]}, 404, "nearest: Kenya"),
        ({"edges": [{**MEMBER, "relation": "nope"}]}, 404, "member of"),
        ({"edges": [BORDERS]}, 409, "relation 'borders'"),
        ({"edges": [MEMBER], "relation": "borders"}, 409, "relation 'borders'"),
        ({"edges": [MEMBER], "k": 0}, 422, "k is 0; allowed are 1 to 1000"),
        ({"edges": [MEMBER], "store": True}, 422, "store"),
    ],
)
def test_what_cannot_be_answered_says_why(
    client: TestClient, body: dict[str, Any], status: int, says: str
) -> None:
    answer = client.post("/v1/entities:infer", json=body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]
