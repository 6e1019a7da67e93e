"""What whoever runs the service sees and may set: ids, log lines, metrics, budgets, origins."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.testclient import TestClient

from sightline.api import access, metrics
from sightline.api.access import ANYBODY, Caller
from sightline.api.app import Static, create_app
from sightline.api.budget import Budgets
from sightline.api.errors import OverBudget
from sightline.api.lanes import Lane
from sightline.api.server import process
from sightline.api.server.boundary import SLICE, Boundary
from sightline.api.terms import NONE, Terms
from sightline.cli.main import run
from sightline.graph.storage.errors import SettingsError
from sightline.graph.storage.settings import SERVE, read_settings
from sightline.graph.storage.tokens import create_token
from sightline.graph.storage.workspace import Workspace

APP = "https://app.example"


@pytest.fixture(scope="module")
def watched(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(folder, terms=Terms(origins=[APP], access_log=True))) as made:
        yield made


def test_a_request_has_an_id_that_its_problem_and_its_line_say(
    watched: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    own = watched.get("/v1/stats", headers={"X-Request-Id": "abc-1.2_X"})
    assert own.headers["x-request-id"] == "abc-1.2_X"
    wrong = watched.get("/v1/entities/Nowhere?q=SECRET", headers={"X-Request-Id": "a b\tc"})
    ident = wrong.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{16}", ident)
    assert wrong.json()["instance"] == f"urn:sightline:request:{ident}"
    first, second = capsys.readouterr().out.splitlines()
    assert "method=GET path=/v1/stats status=200 " in first
    assert "id=abc-1.2_X route=/v1/stats" in first
    assert "status=422 ms=" in second
    assert f"id={ident} route=/v1/entities/{{id:path}}" in second


def test_no_line_and_no_metric_says_what_is_secret(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with TestClient(create_app(folder, terms=Terms(access_log=True))) as client:
        for canary in ("CANARY", "two\nlines status=200", '"quoted"', "\u202e"):
            headers = {"Authorization": "Bearer CANARY", "Cookie": "CANARY", "Referer": "CANARY"}
            client.get("/v1/entities", params={"q": canary}, headers=headers)
            client.get("/sparql", params={"query": f"ASK {{ ?s ?p '{canary}' }}"}, headers=headers)
            client.post("/sparql", content="CANARY", headers=headers)
            client.get("/no/" + quote(canary.replace("CANARY", "x")))
        lines = capsys.readouterr().out
        assert "CANARY" not in lines
        assert len(lines.splitlines()) == 16
        assert lines.isascii()
        assert all(line.startswith("time=") for line in lines.splitlines())
        assert "CANARY" not in client.get("/metrics").text


def test_what_a_path_takes_is_said(watched: TestClient) -> None:
    for url, methods in (
        ("/v1/reports", "GET, HEAD, OPTIONS, POST"),
        ("/v1/stats", "GET, HEAD, OPTIONS"),
        ("/v1/predictions", "OPTIONS, POST"),
        ("/v1/entities/a%2Fb/related", "GET, HEAD, OPTIONS"),
    ):
        asked = watched.options(url)
        assert (asked.status_code, asked.headers["allow"], asked.content) == (204, methods, b"")
        refused = watched.request("PUT", url)
        assert (refused.status_code, refused.headers["allow"]) == (405, methods)
        assert refused.headers["content-type"] == "application/problem+json"


def test_pages_of_an_allowed_origin_and_no_others_may_read_and_ask(
    watched: TestClient, client: TestClient
) -> None:
    ask = {"Origin": APP, "Access-Control-Request-Method": "POST"}
    ask["Access-Control-Request-Headers"] = "authorization, content-type"
    assert watched.options("/v1/predictions", headers=ask).status_code == 200
    for url in ("/v1/stats", "/v1/stats", "/v1/nothing"):
        answer = watched.get(url, headers={"Origin": APP})
        assert answer.headers["access-control-allow-origin"] == APP
        assert "access-control-allow-credentials" not in answer.headers
    for origin in ("https://evil.example", "null", APP + ".evil.example", "http://app.example"):
        refused = watched.options("/v1/predictions", headers=ask | {"Origin": origin})
        assert "access-control-allow-origin" not in refused.headers
        assert (
            "access-control-allow-origin"
            not in watched.get("/v1/stats", headers={"Origin": origin}).headers
        )
    assert (
        "access-control-allow-origin"
        not in client.get("/v1/stats", headers={"Origin": APP}).headers
    )


def test_a_stranger_is_told_so_with_the_headers_that_its_page_needs(folder: Path) -> None:
    with TestClient(create_app(folder, terms=Terms(origins=[APP], open=False))) as client:
        answer = client.get("/v1/stats", headers={"Origin": APP})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == APP


@pytest.mark.parametrize("accepts", ["gzip", "gzip, deflate, br", "br;q=1, gzip;q=0.5"])
def test_a_long_answer_is_packed_for_who_takes_it(client: TestClient, accepts: str) -> None:
    url, plain = "/v1/entities?limit=12", {"Accept-Encoding": "identity"}
    long = client.get(url, headers=plain)
    assert len(long.content) > 1024
    for _ in range(2):  # made, and kept
        packed = client.get(url, headers={"Accept-Encoding": accepts})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == "Accept, Accept-Encoding"
        assert packed.content == long.content
        assert packed.headers["etag"] != long.headers["etag"]
        assert int(packed.headers["content-length"]) < len(long.content)
    for refusing in ("gzip;q=0", "gzip; q=0.00, br", "br", ""):
        answer = client.get(url, headers={"Accept-Encoding": refusing})
        assert "content-encoding" not in answer.headers
    short = client.get("/healthz", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in short.headers


def test_a_file_of_the_page_is_packed_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed, compress = [], gzip.compress
    monkeypatch.setattr(gzip, "compress", lambda *a, **k: packed.append(a) or compress(*a, **k))
    (tmp_path / "a.js").write_text("let x = 1;" * 999)
    (tmp_path / "a.woff2").write_bytes(bytes(9999))
    files = TestClient(Static(tmp_path))
    plain = files.get("/a.js", headers={"Accept-Encoding": "identity"})
    for _ in range(2):
        answer = files.get("/a.js")
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) < 100
        assert answer.text == plain.text
        assert answer.headers["etag"] == plain.headers["etag"]
        assert answer.headers["content-type"] == plain.headers["content-type"]
        assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert len(packed) == 1
    again = files.get("/a.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")
    assert files.get("/a.js", headers={"Range": "bytes=0-2"}).text == "let"
    assert "content-encoding" not in files.get("/a.woff2").headers
    (tmp_path / "a.js").write_text("let y = 2;" * 999)
    os.utime(tmp_path / "a.js", (1, 1))
    assert files.get("/a.js").text.startswith("let y")
    assert len(packed) == 2


def test_metrics_say_what_was_asked_and_what_is_served(folder: Path) -> None:
    def value(name: str, **labels: str) -> float:
        found = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(client.get("/metrics").text)
            for sample in family.samples
        }
        return found.get((name, *sorted(labels.items())), 0.0)

    count = "sightline_request_seconds_count"
    asked = {"method": "GET", "route": "/v1/entities/{id:path}/related", "status": "200"}
    with TestClient(create_app(folder)) as client:
        before, kept = value(count, **asked), value("sightline_cache_total", found="yes")
        for _ in range(3):
            assert client.get("/v1/entities/Kenya/related?k=3").status_code == 200
        client.request("BREW", "/" + "x" * 50)
        assert value(count, **asked) == before + 3
        assert value("sightline_cache_total", found="yes") == kept + 2
        assert value("sightline_work_seconds_count", lane="questions") > 0
        assert value("sightline_work_in_lane", lane="questions") == 0
        text = client.get("/metrics").text
        assert "BREW" not in text
        assert re.search(
            r'sightline_served\{model="model-1",snapshot="\w+",version="[\d.]+"\} 1', text
        )


def test_what_an_ended_process_was_doing_is_done_no_more(tmp_path: Path) -> None:
    """Two processes count; one is killed at work. What it counted stays, what it did ends."""
    environment = {**os.environ, metrics.FOLDER: str(tmp_path)}
    code = (
        "import os, sys; from sightline.api.metrics import RUNNING, CACHE, exposition\n"
        "RUNNING.labels('questions').inc(); CACHE.labels('yes').inc()\n"
        "exposition({'snapshot': 'old'}, {'queued': 1})\n"
        "print(exposition({}, {}).decode()) if sys.argv[1:] else os.kill(os.getpid(), 9)"
    )
    for more in ((), ("say",)):
        command = [sys.executable, "-c", code, *more]
        made = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert 'sightline_work_in_lane{lane="questions"} 1.0' in made.stdout, made.stderr
    assert 'sightline_cache_total{found="yes"} 2.0' in made.stdout
    # What is served and the jobs are as they are now: said once, and nothing of what was.
    assert made.stdout.count("\nsightline_served{") == 1
    assert "sightline_jobs{" not in made.stdout


def paying(budget: str | None) -> Request:
    caller = Caller("id", "name", ANYBODY.roles, budget)
    return Request({"type": "http", "headers": [], access._CALLER: caller})


def test_who_has_used_its_time_waits_and_others_do_not() -> None:
    budgets = Budgets(6.0)
    budgets.charge("one", 5.9)
    budgets.require("one")
    budgets.charge("one", 0.6)
    with pytest.raises(OverBudget, match=r"more than 6 seconds of work in a minute") as refused:
        budgets.require("one")
    assert 4 < refused.value.wait <= 5
    budgets.require("other")
    budgets.require(None)


def test_work_is_charged_to_who_asked_and_turned_away_before_it_begins(folder: Path) -> None:
    budgets = Budgets(0.001)
    lane = Lane("questions", 2, 4, budgets, time.monotonic)
    asyncio.run(lane.run(lambda: time.sleep(0.01), paying("one")))
    with pytest.raises(OverBudget):
        asyncio.run(lane.run(lambda: None, paying("one")))
    asyncio.run(lane.run(lambda: None, paying("two")))
    asyncio.run(lane.run(lambda: None, paying(None)))
    lane.close()


def test_one_caller_does_not_hold_the_whole_queue() -> None:
    async def crowd() -> None:
        lane = Lane("questions", 1, 3, Budgets(60.0))
        gate = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wait() -> None:
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()

        mine = [asyncio.create_task(lane.run(wait, paying("one"))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(OverBudget, match="half of the queue"):
            await lane.run(wait, paying("one"))
        other = asyncio.create_task(lane.run(wait, paying("two")))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*mine, other)
        await lane.run(lambda: None, paying("one"))
        lane.close()

    asyncio.run(crowd())


def test_a_token_over_its_budget_is_answered_429_and_what_is_kept_is_free(
    folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(folder, tmp_path / "ws")
    one, two = (
        {"Authorization": f"Bearer {create_token(copy, name, ['read'])[1]}"} for name in "ab"
    )
    with TestClient(create_app(copy, terms=Terms(budget=1e-6))) as client:
        url = "/v1/entities/Kenya/related?k=2"
        assert client.get(url, headers=one).status_code == 200
        refused = client.get("/v1/entities/Kenya/related?k=4", headers=one)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 1
        assert client.get(url, headers=one).status_code == 200
        assert client.get("/v1/entities/Kenya/related?k=5", headers=two).status_code == 200


def test_guesses_are_slowed_and_the_right_token_is_not(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "ws")
    text = create_token(copy, "a", ["read"])[1]
    with TestClient(create_app(copy)) as client:
        found = [
            client.get("/v1/stats", headers={"Authorization": f"Bearer {i}"}).status_code
            for i in range(int(access.GUESSES) + 5)
        ]
        assert found[: int(access.GUESSES)] == [401] * int(access.GUESSES)
        assert found[-1] == 429
        assert (
            client.get("/v1/stats", headers={"Authorization": f"Bearer {text}"}).status_code == 200
        )


def test_a_long_answer_is_handed_over_as_it_is_read() -> None:
    """Whoever reads slowly holds a slice and no more of it."""
    whole, sent = bytes(range(256)) * 5000, []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": whole})

    async def send(message: Any) -> None:
        sent.append((bytes(message.get("body", b"")), message.get("more_body", False)))

    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b""}
    asyncio.run(Boundary(app, NONE)({**scope, "headers": []}, None, send))  # type: ignore[arg-type]
    parts = sent[1:]
    assert b"".join(body for body, _ in parts) == whole
    assert max(len(body) for body, _ in parts) == SLICE
    assert [more for _, more in parts] == [True] * (len(parts) - 1) + [False]


def test_options_come_from_the_command_the_environment_and_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Workspace.create(tmp_path)
    toml = tmp_path / "sightline.toml"
    mine = 'port = 8001\nhost = "10.0.0.1"\nbudget = 5\nallow_host = ["a.example"]\nopen = true\n'
    toml.write_text(toml.read_text().replace("[serve]\n", "[serve]\n" + mine))
    called: list[Any] = []
    monkeypatch.setattr(process, "serve", lambda *given: called.append(given))
    monkeypatch.setenv("SIGHTLINE_PORT", "8002")
    monkeypatch.setenv("SIGHTLINE_HOST", "10.0.0.2")
    assert run(["serve", "-w", str(tmp_path), "--host", "10.0.0.3"]) == 0
    ((_, host, port, *_, terms, _),) = called
    assert (host, port) == ("10.0.0.3", 8002)
    assert terms == Terms(["a.example"], [], True, 5.0, False)


def test_settings_of_serving_are_its_options(tmp_path: Path) -> None:
    import typer.main

    from sightline.cli.main import app

    params = {p.name for p in typer.main.get_command(app).commands["serve"].params}  # type: ignore[attr-defined]
    assert {key.replace("open", "open_") for key in SERVE} <= params
    for wrong, why in (
        ("portt = 1", "portt"),
        ("port = true", "whole number"),
        ("host = 1", "text"),
    ):
        (tmp_path / "sightline.toml").write_text(f"[graph]\n[serve]\n{wrong}\n")
        with pytest.raises(SettingsError, match=why):
            read_settings(tmp_path / "sightline.toml")
