"""An error names the way out of the portal that was asked: a route, a parameter or a tool."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sightline.api.ways import ELSEWHERE, LOCAL_OPTIONS, ROUTES, for_agents, over_http
from sightline.graph.errors import in_words
from sightline.graph.snapshot.errors import NoFormerSnapshot
from sightline.insights.errors import UnknownFinding
from sightline.models.errors import NoModel, OutOfDeviceMemory, WorseModel
from tests.api.conftest import TestClient

ROOT = Path(__file__).parents[2]
#: Errors of commands that nothing over HTTP does.
COMMANDS_ALONE = ("shapes", "reasoning", "extraction", "tokens")


def sentences() -> str:
    """The code that makes the sentences of errors that whoever asks over HTTP may be told."""
    parts = ("graph", "ingest", "models", "distill", "insights")
    files = [file for part in parts for file in (ROOT / part).rglob("*.py")]
    return "\n".join(
        file.read_text()
        for file in files
        if (file.name == "errors.py" or "ingest" in file.parts)
        and not set(COMMANDS_ALONE) & {*file.parts, file.stem}
    )


def test_every_way_out_has_words_over_http(client: TestClient) -> None:
    said = sentences()
    commands = set(re.findall(r"`sightline ([a-z]+)", said))
    assert commands - {*ROUTES, *ELSEWHERE} == {"profile", "token"}, "said by commands alone"
    options = set(re.findall(r'[ "(]--([a-z][a-z-]+)', re.sub(r"`sightline [^`]*`", "", said)))
    paths = client.get("/openapi.json").json()["paths"]
    taken = {p["name"] for p in paths["/v1/ingest"]["post"]["parameters"]} | {"preset", "seed"}
    assert {o.replace("-", "_") for o in options - {*LOCAL_OPTIONS}} <= {*taken, "mapping"}
    for route in ROUTES.values():
        method, path = route.split()
        assert method.lower() in paths[path]


@pytest.mark.parametrize(
    ("error", "http", "agent"),
    [
        (UnknownFinding("x"), "`GET /v1/doctor` lists them", "`doctor` lists them"),
        (
            NoFormerSnapshot("/secret/ws", "s"),
            "; `POST /v1/compile` after new",
            "; `sightline compile -w ws` on the machine of the service after new",
        ),
        (
            NoModel("/secret/ws"),
            "; `POST /v1/training` first",
            "`sightline distill -w ws` on the machine of the service first",
        ),
        (
            WorseModel("a", 0.1, "b", 0.2),
            "`sightline evaluate --model a --force` on the machine",
            "`sightline evaluate --model a --force` on the machine",
        ),
        (OutOfDeviceMemory("cuda"), "use `preset` quick or --device", "use `preset` quick"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_way_out_is_a_route_or_a_tool(error, http: str, agent: str) -> None:
    plain = error.public
    for words, said in ((over_http, http), (for_agents, agent)):
        told = in_words.set(words)
        assert said in error.public
        in_words.reset(told)
    assert "secret" not in plain
    assert error.public == plain


def test_every_door_tells_its_own_way(client: TestClient) -> None:
    missing = client.post("/v1/doctor/zz:ignore").json()
    assert missing["detail"].endswith("; `GET /v1/doctor` lists them")
    gone = client.get("/v1/insights?limit=50").json()["nothing"]
    assert "`POST /v1/compile` after new data" in str(gone)
