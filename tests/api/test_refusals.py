"""Every refusal is a problem report that names the request, on every route that there is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from sightline.api.app import create_app
from sightline.api.jobs.queue import Jobs
from sightline.api.server.boundary import MAX_BODY
from sightline.api.terms import Terms
from sightline.cli.service import read_row
from tests.api.test_owners import finished

Ask = tuple[str, str, dict[str, Any]]
METHODS = ("GET", "HEAD", "POST", "PUT", "BREW")
RANGES = ("bytes", "bytes=", "lines=0-1", "bytes=9-2", "bytes=x-y", "bytes=99999-", "bytes=-0")
ORIGIN = "https://page.example"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service with a finished report, which one other page may ask."""
    copy = shutil.copytree(folder, tmp_path_factory.mktemp("refusals") / "ws")
    Jobs(copy).submit("report", {"about": []})
    finished(copy, "made")
    with TestClient(create_app(copy, read_row, terms=Terms(origins=(ORIGIN,)))) as client:
        yield client


def bad_values(schema: dict[str, Any]) -> Iterator[str]:
    """What a parameter of a schema does not take, or may not."""
    yield from ("x" * 5000, "\0")
    for one in (schema, *schema.get("anyOf", ())):
        if one.get("type") in ("integer", "number"):
            yield from ("NaN", str(one.get("maximum", 1) + 1), "one")
        if "enum" in one or one.get("type") == "boolean":
            yield "none of them"


def asks(client: TestClient) -> Iterator[Ask]:
    """Requests of every route that are wrong in one way each."""
    document = client.get("/openapi.json").json()
    report = client.get("/v1/reports").json()["reports"][0]["id"]
    known = {"id": report, "name": "report.html"}
    for route in client.app.router.routes:  # type: ignore[attr-defined]
        parts = dict.fromkeys(getattr(route, "param_convertors", ()), "x")
        form = route.path_format if isinstance(route, Route) else f"{route.path}/none.js"
        path = form.format(**parts)
        for method in METHODS:
            yield method, path, {"params": {"nonesuch": "1"}}
        yield (
            "OPTIONS",
            path,
            {"headers": {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}},
        )
        for method, operation in document["paths"].get(form, {}).items():
            for parameter in operation.get("parameters", ()):
                for value in bad_values(parameter["schema"]):
                    if parameter["in"] == "query":
                        yield method, path, {"params": {parameter["name"]: value}}
                    else:
                        wrong = {**parts, **known, parameter["name"]: quote(value or " ")}
                        yield method, form.format(**wrong), {}
            if "requestBody" in operation:
                for body in ("", "{", '{"nonesuch": 1}'):
                    yield method, path, {"content": body, "headers": JSON}
                yield method, path, {"content": "a=b", "headers": {"Content-Type": "text/csv"}}
            accept = {"headers": {"Accept": "image/none"}}
            yield method, path, accept
    yield "POST", "/v1/paths", {"content": " " * (MAX_BODY + 1), "headers": JSON}
    for path in ("/", "/docs", "/static/app.js", f"/v1/reports/{report}/files/report.html"):
        for text in RANGES:
            yield "GET", path, {"headers": {"Range": text}}
        yield "HEAD", path, {"headers": {"Range": "bytes=99999-"}}
    yield from (("GET", path, {}) for path in ("/v1", "/v1/", "//", "/none", "/static/../x"))


def test_every_refusal_is_a_problem_report_with_the_id_of_its_request(served: TestClient) -> None:
    seen: set[int] = set()
    for method, path, rest in asks(served):
        answer = served.request(method, path, **rest)
        if answer.status_code < 400:
            continue
        seen.add(answer.status_code)
        said = (method, path, str(rest)[:200], answer.status_code, answer.text[:200])
        kind = answer.headers.get("content-type")
        if path == "/mcp" and kind == "application/json" and "jsonrpc" in answer.json():
            continue  # the protocol says how it refuses
        assert kind == "application/problem+json", said
        assert answer.status_code < 500, said
        if method == "HEAD":
            assert not answer.content, said
            continue
        body = answer.json()
        assert body["status"] == answer.status_code, said
        ident = answer.headers["x-request-id"]
        assert body["instance"] == f"urn:sightline:request:{ident}", said
        assert (answer.status_code == 405) == ("allow" in answer.headers), said
        assert len(body["detail"]) > 3, said
    assert seen >= {400, 404, 405, 406, 413, 415, 416, 422}


def made(client: TestClient) -> str:
    """The address of the file of the finished report; others may have been asked for since."""
    reports = client.get("/v1/reports").json()["reports"]
    return str(next(one for one in reports if one["files"])["files"][0]["href"])


def test_thousands_of_ranges_are_no_more_than_the_file(served: TestClient) -> None:
    report = made(served)
    whole = served.get(report).content
    for text in ("0-," * 9000, ",".join(f"{i % 10}-{i % 10}" for i in range(9000))):
        answer = served.get(report, headers={"Range": f"bytes={text.strip(',')}"})
        assert answer.status_code in (200, 206, 400, 416)
        assert len(answer.content) <= len(whole) + 300


def test_a_refused_range_says_the_size(served: TestClient) -> None:
    report = made(served)
    answer = served.get(report, headers={"Range": "bytes=99999-"})
    assert answer.headers["content-range"] == "bytes */10"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "Content-Range says the size" in answer.json()["detail"]
