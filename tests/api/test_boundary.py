"""Who may ask, and how much at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from sightline.api.app import create_app
from sightline.api.server.boundary import MAX_VALUES
from sightline.api.terms import Terms

QUESTION = {"head": "Kenya", "relation": "member of"}


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[TestClient]:
    """Told to serve as ``--host 127.0.0.1 --allow-host graph.local --allow-host proxy.example``."""
    hosts = ["127.0.0.1", "graph.local", "proxy.example"]
    with TestClient(create_app(folder, terms=Terms(hosts=hosts))) as made:
        yield made


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8000", "10.1.2.3", "[::1]:8000", "localhost:8000", "graph.local", "PROXY.example"],
)
def test_an_address_or_an_allowed_name_may_be_asked(guarded: TestClient, host: str) -> None:
    assert guarded.get("/v1/stats", headers={"Host": host}).status_code == 200
    same = {"Host": host, "Origin": f"http://{host}"}
    assert guarded.post("/v1/predictions", json=QUESTION, headers=same).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "127.0.0.1.evil.example", "", "[", "localhost.x"),
        *("evil.example@localhost", "localhost/x", "localhost?", "localhost#x", "localhost\\x"),
    ],
)
def test_a_name_that_a_page_elsewhere_may_own_is_refused(guarded: TestClient, host: str) -> None:
    for url in ("/v1/stats", "/", "/v1/stats"):  # also what is cached
        answer = guarded.get(url, headers={"Host": host})
        assert answer.status_code == 421
        assert "--allow-host" in answer.json()["detail"]


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://10.6.6.6", "http://[", "http://127.0.0.1:9000"],
)
def test_a_page_elsewhere_cannot_ask_for_work(guarded: TestClient, origin: str) -> None:
    headers = {"Host": "127.0.0.1:8000", "Origin": origin}

    assert guarded.post("/v1/reports", json={}, headers=headers).status_code == 421
    assert guarded.delete("/v1/reports/x", headers=headers).status_code == 421
    found = guarded.get("/v1/reports", headers=headers).json()
    assert found == {"reports": [], "next": None, "total": 0}


def test_a_proxy_may_speak_for_an_allowed_name(guarded: TestClient) -> None:
    headers = {"Host": "127.0.0.1:8000", "Origin": "https://proxy.example"}
    assert guarded.post("/v1/predictions", json=QUESTION, headers=headers).status_code == 200


@pytest.mark.parametrize("url", ["/v1/predictions", "/v1/reports", "/v1/entities:infer"])
@pytest.mark.parametrize(
    "body",
    [
        QUESTION | {f"k{i}": 0 for i in range(MAX_VALUES)},
        {"edges": [0] * (MAX_VALUES + 2)},
        {"questions": [{}] * (MAX_VALUES + 2)},
    ],
    ids=["keys", "edges", "questions"],
)
def test_a_body_of_many_values_is_refused_before_it_is_read(
    guarded: TestClient, url: str, body: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    monkeypatch.setattr(Request, "body", read.append)
    headers = {"Host": "localhost", "Content-Type": "application/json"}
    answer = guarded.post(url, content=json.dumps(body), headers=headers)
    assert answer.status_code == 413
    assert not read
    assert f"more than {MAX_VALUES} keys or values".encode() in answer.content


def test_a_form_of_many_fields_is_refused_before_it_is_read(guarded: TestClient) -> None:
    headers = {"Host": "localhost", "Content-Type": "application/x-www-form-urlencoded"}
    answer = guarded.post("/sparql", content="a&" * 400_000, headers=headers)
    assert answer.status_code == 400
    assert "100 fields" in answer.json()["detail"]
