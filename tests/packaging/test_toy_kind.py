"""What a kind of answer costs: a module as short as this one's, and its entry in the tuple."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer.main
from annotated_doc import Doc
from mcp import Client
from typer.testing import CliRunner

from sightline.api.app import create_app
from sightline.api.mcp.server import server_of
from sightline.cli import ask
from sightline.insights import kinds
from sightline.insights.ask import Sightline
from sightline.insights.kind import EntityName, Kind, Span
from sightline.insights.records import EntityRef
from tests.api.conftest import TestClient, make_workspace
from tests.packaging.test_docs import ROOT, load, undocumented_options, undocumented_parameters


@dataclasses.dataclass(frozen=True, slots=True)
class ShoutQuestion:
    """Whom to call."""

    id: EntityName
    times: Annotated[int, Span(1, 3), Doc("How often.")] = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Shout:
    """What was called."""

    entity: EntityRef
    calls: tuple[str, ...]


def shout(sight: Sightline, asked: ShoutQuestion) -> Shout:
    """Call an entity by its label."""
    ref = sight.names.entity(sight.entity(asked.id))
    return Shout(ref, (ref.label.upper(),) * asked.times)


TOY = Kind(
    shout,
    route="GET /v1/entities/{id}/shout",
    tag="entities",
    order="Loudest first.",
    command="shout",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("toy") / "ws", None).path


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, TOY))


def commands() -> typer.Typer:
    app = typer.Typer()
    for command in ask.commands():
        app.command(command.__name__)(command)
    return app


def test_it_is_answered_over_http_with_its_limits(folder: Path) -> None:
    with TestClient(create_app(folder)) as client:
        found = client.get("/v1/entities/Kenya/shout?times=2")
        beyond = client.get("/v1/entities/Kenya/shout?times=4")
        misspelt = client.get("/v1/entities/Kenya/shout?tims=2")

    assert (found.status_code, found.json()["calls"]) == (200, ["KENYA", "KENYA"])
    assert beyond.json()["detail"] == "times is 4; allowed are 1 to 3"
    assert misspelt.status_code == 422
    assert "did you mean times?" in misspelt.json()["detail"]


def toy_operation(folder: Path) -> dict[str, Any]:
    operation: dict[str, Any] = create_app(folder).openapi()["paths"]["/v1/entities/{id}/shout"]
    return operation["get"]


def test_openapi_describes_it(folder: Path) -> None:
    operation = toy_operation(folder)
    times = next(p for p in operation["parameters"] if p["name"] == "times")

    assert operation["description"] == "Call an entity by its label."
    assert (times["schema"]["minimum"], times["schema"]["maximum"]) == (1, 3)
    assert times["description"] == "How often, 1 to 3."


def test_it_is_a_command_with_help_a_table_and_json(folder: Path) -> None:
    run = CliRunner().invoke
    line = ["shout", "Kenya", "-w", str(folder), "--times", "2"]
    helped = run(commands(), ["shout", "--help"]).output
    table = run(commands(), line).output
    said = run(commands(), [*line, "--json"]).output

    assert "Call an entity by its label." in helped
    assert "ENTITY" in helped
    assert "How often, 1 to 3." in " ".join(helped.split())
    assert table.count("KENYA") == 2
    assert json.loads(said)["calls"] == ["KENYA", "KENYA"]


def test_it_is_a_tool_for_agents_with_its_limits(folder: Path) -> None:
    async def ask() -> Any:
        async with Client(server_of(folder)) as client:
            listed = {tool.name: tool for tool in (await client.list_tools()).tools}
            asked = [{"id": "Kenya", "times": times} for times in (2, 4)]
            return listed["shout"], [await client.call_tool("shout", given) for given in asked]

    tool, (found, beyond) = asyncio.run(ask())

    assert tool.description == "Call an entity by its label.\n\nLoudest first."
    assert tool.input_schema["properties"]["times"]["maximum"] == 3
    assert found.structured_content["calls"] == ["KENYA", "KENYA"]
    assert beyond.content[0].text == "times is 4; allowed are 1 to 3"


def test_the_client_gets_a_method_and_a_reference(folder: Path) -> None:
    made = {path.name: text for path, text in load(ROOT / "client" / "generate.py").files().items()}

    assert "def shout(self, id: str, *, times: int = 1) -> Shout:" in made["kinds.py"]
    assert "class Shout(Record, Table)" not in made["records.py"]
    assert "class Shout(Record):" in made["records.py"]
    assert "| `times` | `int` | `1` | How often, 1 to 3. |" in made["client.md"]


def test_the_check_of_the_documentation_misses_it(folder: Path) -> None:
    made: Any = typer.main.get_command(commands())

    with pytest.raises(AssertionError, match="no heading `sightline shout`"):
        undocumented_options("shout", made.commands["shout"])
    with pytest.raises(AssertionError, match=r"no heading `GET /v1/entities/\{id\}/shout`"):
        undocumented_parameters("get", "/v1/entities/{id}/shout", toy_operation(folder))
