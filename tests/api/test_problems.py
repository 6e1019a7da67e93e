"""Whatever is asked, the answer is an answer or a problem report, and never a traceback."""

from __future__ import annotations

import json
import threading
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from sightline.api import reading
from sightline.api.app import create_app
from sightline.api.server.boundary import MAX_BODY, MAX_TARGET
from sightline.graph.errors import UsageError
from sightline.insights.kind import MAX_NAMES

LONG = "x" * 5000
NAMES = "&include=member+of" * (MAX_NAMES + 1)


def is_problem(answer: Any) -> bool:
    body = answer.json()
    return (
        answer.headers["content-type"] == "application/problem+json"
        and answer.headers["cache-control"] == "no-store"
        and {"type", "title", "status", "detail"} <= set(body)
        and body["status"] == answer.status_code
        and "Traceback" not in answer.text
    )


@pytest.mark.parametrize(
    ("url", "status", "says"),
    [
        ("/nothing", 404, "/docs"),
        ("/v1/nothing", 404, "/v1/nothing"),
        ("/static/nothing.js", 404, ""),
        ("/static/../serve.py", 404, ""),
        ("/v1/entities/Kenia", 404, "nearest: Kenya"),
        ("/v1/entities/Georgia", 409, "entity:georgia2"),
        ("/v1/entities/", 422, "cannot be read"),
        ("/v1/entities/%20", 422, "cannot be read"),
        (f"/v1/entities/{LONG}", 422, "2048"),
        (f"/v1/entities/-?id={LONG}", 422, "2048"),
        (f"/v1/entities?q={LONG}", 422, "at most 200"),
        ("/v1/entities?type=Nothing", 404, "type 'Nothing'"),
        ("/v1/entities?limit=1001", 422, "limit is 1001; allowed are 1 to 1000"),
        ("/v1/entities/Kenya/related?k=0", 422, "k is 0; allowed are 1 to 1000"),
        ("/v1/entities/Kenya/related?k=-1", 422, "allowed are 1 to 1000"),
        ("/v1/entities/Kenya/related?k=1e9", 422, "a whole number, 1 to 1000"),
        ("/v1/entities/Kenya/related?k=NaN", 422, "a whole number, 1 to 1000"),
        (f"/v1/entities/Kenya/related?k={9**400}", 422, "1 to 1000"),
        ("/v1/entities/Kenya/related?k=10;DROP", 422, "a whole number, 1 to 1000"),
        ("/v1/entities/Kenya/related?direction=up", 422, "'both', 'out' or 'in'"),
        ("/v1/entities/Kenya/related?known=maybe", 422, "known"),
        ("/v1/entities/Kenya/related?known=0&predicted=0", 422, "ask for one of them"),
        ("/v1/entities/Kenya/related?relation=nope", 404, "member of"),
        ("/v1/entities/Kenya/neighborhood?hops=9", 422, "hops is 9; allowed are 1 to 4"),
        ("/v1/paths?source=Kenya", 422, "target is missing"),
        ("/v1/paths?source=Kenya&target=Nepal&max_hops=9", 422, "max_hops is 9; allowed are 1 to"),
        ("/v1/paths?source=Kenya&target=Nepal&deadline_ms=0", 422, "allowed are 1 to 10000"),
        (f"/v1/paths?source=Kenya&target=Nepal{NAMES}", 422, "include"),
        ("/v1/predictions", 405, "GET"),
        ("/v1/path?source=Kenya", 404, "there is no /v1/path; did you mean /v1/paths? /docs"),
        ("/v2", 404, "there is no /v2; /docs"),
        ("/v1/entities?typ=River", 422, "no parameter 'typ'; did you mean type?"),
        ("/v1/entities/Kenya/related?direktion=in", 422, "did you mean direction?"),
        ("/v1/paths?source=Kenya&target=Nepal&maxhops=2", 422, "did you mean max_hops?"),
        ("/v1/entities?q=a&q=b", 422, "parameter 'q' is given 2 times, and takes one value"),
        ("/v1/stats?x=1", 422, "allowed are: none"),
        ("/readyz?verbose=1", 422, "no parameter 'verbose'"),
        ("/v1/reports/x/events?since=1", 422, "no parameter 'since'"),
        ("/sparql?qery=ASK%20%7B%7D", 422, "did you mean query?"),
    ],
)
def test_a_get_that_cannot_be_answered_says_why(
    client: TestClient, url: str, status: int, says: str
) -> None:
    answer = client.get(url)

    assert answer.status_code == status
    assert is_problem(answer)
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ("", 422, "one gap"),
        ("{", 422, "no JSON"),
        ("[]", 422, "the body"),
        ("null", 422, "the body"),
        ("[" * 100_000, 422, "no JSON: recursion limit"),
        ('{"head": 1, "relation": "borders"}', 422, "head"),
        ('{"head": "Kenya", "relation": "borders", "k": NaN}', 422, "k"),
        ('{"head": "Kenya", "relation": "borders", "k": 1e400}', 422, "k"),
        (
            '{"head": "Kenya", "relation": "borders", "k": %s}' % ("9" * 5000),
            422,
            "number out of range",
        ),
        ('{"head": "\\ud800", "relation": "borders"}', 422, "hex escape"),
        ('{"head": "Kenya"}', 422, "one gap"),
        ('{"head": "Kenya", "relation": "borders", "tail": "Nepal"}', 422, "one gap"),
        (
            '{"head": "Kenya", "relation": "borders", "deep": 1}',
            422,
            "there is no parameter 'deep'",
        ),
        ('{"head": "Kenya", "realtion": "borders"}', 422, "did you mean relation?"),
        ('{"questions": [{"head": "Kenya", "newonly": true}]}', 422, "did you mean new_only?"),
        ('{"head": "Kenya", "relation": "borders", "k": 1, "coverage": 0.9}', 422, "leave one"),
        ('{"questions": []}', 422, "questions"),
        ('{"questions": [{"k": 0}]}', 422, "questions.0.k is 0; allowed are 1 to 1000"),
        ('{"questions": [], "head": "Kenya"}', 422, ""),
        ('{"head": "Kenia", "relation": "borders"}', 404, "nearest: Kenya"),
        (" " * (MAX_BODY + 1), 413, str(MAX_BODY)),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_body_that_cannot_be_used_says_why(
    client: TestClient, body: str, status: int, says: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/predictions", content=body, headers=headers)

    assert answer.status_code == status
    assert is_problem(answer)
    assert says in answer.json()["detail"]


def test_nothing_is_read_or_put_together_while_nobody_is_answered(folder, monkeypatch) -> None:
    wrong, threads = reading.wrong, []

    def note(*arguments: Any) -> UsageError:
        threads.append(threading.current_thread().name)
        return wrong(*arguments)

    app = create_app(folder)
    monkeypatch.setattr(reading, "wrong", note)
    monkeypatch.setattr(reading.Route, "get_route_handler", None)
    with TestClient(app) as fresh:
        assert fresh.post("/v1/predictions", json={"head": 1}).status_code == 422
    assert [name.partition("_")[0] for name in threads] == ["questions"]


def test_a_body_may_be_left_out_where_all_of_it_may(client: TestClient) -> None:
    free = set()
    for path, said in client.get("/openapi.json").json()["paths"].items():
        body = said.get("post", {}).get("requestBody", {})
        if "application/json" not in body.get("content", {}):
            continue
        if body["required"]:
            assert client.post(path).json()["detail"].endswith(" is missing"), path
        else:
            free.add(path)
    assert {"/v1/reports", "/v1/rollback", "/v1/training", "/v1/watch"} <= free
    assert "one gap" in client.post("/v1/predictions").json()["detail"]


def test_a_body_of_another_kind_is_refused(client: TestClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = client.post("/v1/predictions", content="a=b", headers={"Content-Type": kind})
        assert answer.status_code == 422
        assert is_problem(answer)


def test_a_body_without_a_content_type_says_which_it_needs(client: TestClient) -> None:
    answer = client.post("/v1/predictions", content='{"head": "Kenya", "relation": "borders"}')

    assert answer.status_code == 422
    assert "Content-Type is missing; send it with the header" in answer.json()["detail"]
    assert "Content-Type: application/json" in answer.json()["detail"]
    asked = client.post("/v1/predictions?k=3", json={"head": "Kenya", "relation": "borders"})
    assert "no parameter 'k'" in asked.json()["detail"]


def test_a_method_that_a_route_does_not_take_is_named(client: TestClient) -> None:
    answer = client.delete("/v1/stats")

    assert answer.status_code == 405
    assert "DELETE" in answer.json()["detail"]
    assert "GET" in answer.headers["allow"]


def test_an_address_has_a_limit(client: TestClient) -> None:
    answer = client.get("/v1/entities?" + "x" * MAX_TARGET)

    assert answer.status_code == 414
    assert is_problem(answer)


def test_a_report_names_its_kind_and_what_a_program_may_read(client: TestClient) -> None:
    body = client.get("/v1/entities/Georgia").json()

    assert body["type"] == "urn:sightline:problem:ambiguous-entity"
    assert body["title"] == "Ambiguous entity"
    assert len(body["candidates"]) == 2
    assert client.get("/v1/entities/Kenya/related?k=0").json()["allowed"] == [1, 1000]


def test_an_unforeseen_error_says_nothing_of_the_inside(folder, monkeypatch, caplog) -> None:
    app = create_app(folder)
    with TestClient(app) as client:
        monkeypatch.setattr(type(app.state.service.served.sight.names), "loads", lambda _: [][0])
        answer = client.get("/v1/stats")

    assert answer.status_code == 500
    assert is_problem(answer)
    assert "IndexError" not in answer.text
    assert "nosniff" in answer.headers["x-content-type-options"]
    assert "IndexError" in caplog.text


ROUTES = (
    *("/{}", "/v1/entities/{}", "/v1/entities/{}/related", "/v1/entities/-?id={}"),
    *("/v1/entities?q={}", "/v1/entities?cursor={}", "/v1/entities/-/related?id=Kenya&{}"),
    "/v1/paths?source={}&target={}",
)


@settings(max_examples=150)
@given(route=st.sampled_from(ROUTES), text=st.text(max_size=60) | st.binary(max_size=60))
def test_no_text_in_an_address_breaks_the_service(
    client: TestClient, route: str, text: str | bytes
) -> None:
    answer = client.get(route.replace("{}", quote(text, safe="")))

    assert answer.status_code < 500
    assert answer.status_code < 400 or is_problem(answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["head", "relation", "tail", "k", "new_only", "questions", "x"]), inner
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=150)
@given(body=JSON)
def test_no_body_breaks_the_service(client: TestClient, body: object) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v1/predictions", content=json.dumps(body), headers=headers)

    assert answer.status_code < 500
    assert answer.status_code < 400 or is_problem(answer)
