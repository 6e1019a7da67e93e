"""Tools for agents, asked by the official client: in process, over standard input, over HTTP."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import jsonschema
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, Tool
from starlette.testclient import TestClient

from sightline.api import loads
from sightline.api.access import roles_of
from sightline.api.app import create_app
from sightline.api.budget import Budgets
from sightline.api.jobs.queue import Jobs
from sightline.api.mcp import reports
from sightline.api.mcp.brief import BUDGET, TEXT, brief
from sightline.api.mcp.route import PATH
from sightline.api.mcp.server import server_of
from sightline.api.mcp.tools import Asked
from sightline.api.mcp.tools import Row as RowTool
from sightline.api.questions import spans
from sightline.api.terms import Terms
from sightline.cli.jobs import write_report
from sightline.cli.main import run
from sightline.cli.service import read_row
from sightline.graph.snapshot.statement import Origin
from sightline.graph.storage.tokens import create_token
from sightline.insights.kinds import KINDS
from sightline.insights.kinds.table import Cell, TableRow
from sightline.insights.records import EntityRef
from sightline.insights.records import Path as Walk
from tests.api.test_serve import service
from tests.api.test_served import until

MCP = "from sightline.cli.main import main; main()"


def using(target: Any, ask: Callable[[Client], Awaitable[Any]]) -> Any:
    """What a client finds that is connected to a server, a command or an address."""

    async def run() -> Any:
        async with Client(target) as client:
            return await ask(client)

    return asyncio.run(run())


def called(folder: Path, name: str, **arguments: Any) -> CallToolResult:
    found: CallToolResult = using(server_of(folder), lambda c: c.call_tool(name, arguments))
    return found


def text_of(result: CallToolResult) -> str:
    (block,) = result.content
    return str(block.text)  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def tools(folder: Path) -> dict[str, Tool]:
    found = using(server_of(folder), lambda client: client.list_tools())
    return {tool.name: tool for tool in found.tools}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_is_a_tool_with_its_words_and_limits(kind: Any, tools: dict[str, Tool]) -> None:
    tool = tools[kind.name]
    fields = tool.input_schema["properties"]

    jsonschema.Draft202012Validator.check_schema(tool.input_schema)
    assert tool.description == f"{kind.about}\n\n{kind.order}"
    assert tool.annotations is not None
    assert tool.annotations.read_only_hint
    assert set(fields) == {p.name for p in kind.parameters}
    assert tool.input_schema.get("required", []) == [p.name for p in kind.parameters if p.required]
    for name, (low, high) in spans(kind).items():
        numbers = [fields[name], *fields[name].get("anyOf", ())]
        assert {(n["minimum"], n["maximum"]) for n in numbers if "minimum" in n} == {(low, high)}
    for parameter in kind.parameters:
        if parameter.span is None:
            assert fields[parameter.name]["description"] == parameter.about


def test_all_tools_together_leave_room_in_a_context(tools: dict[str, Tool]) -> None:
    listed = [
        tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools.values()
    ]

    assert len(json.dumps(listed)) < 30_000
    assert '"title"' not in json.dumps(listed)


def test_an_answer_is_values_and_text_with_ids_to_go_on_from(folder: Path) -> None:
    found = called(folder, "related", id="Kenya", relation="borders", predicted=False)
    fact = next(f for f in found.structured_content["related"] if f["direction"] == "out")

    assert not found.is_error
    assert fact["head"] == {"id": "entity:kenya", "label": "Kenya", "types": ["Country"]}
    assert fact["tail"]["id"] == "entity:uganda"
    assert fact["origins"] == ["a.csv, row 5", "a.csv, row 6"]
    assert "tail: Uganda [entity:uganda] (types: Country)" in text_of(found)


def test_the_row_behind_a_fact_is_a_tool_where_rows_can_be_read(
    folder: Path, tmp_path: Path
) -> None:
    source = tmp_path / "countries.csv"
    source.write_text("id,capital\nkenya,nairobi\nuganda,kampala\n")
    ws = str(tmp_path / "ws")
    assert run(["ingest", str(source), "-w", ws]) == 0
    assert run(["compile", "-w", ws]) == 0
    server = server_of(Path(ws), read_row)
    asked = {"load": "countries.csv", "at": "line 3"}
    found = using(server, lambda c: c.call_tool("row", asked))
    beyond = using(server, lambda c: c.call_tool("row", {**asked, "at": "line 9"}))
    misspelt = using(server, lambda c: c.call_tool("row", {**asked, "line": 3}))

    assert not found.is_error
    cells = {cell["column"]: cell["values"] for cell in found.structured_content["cells"]}
    assert cells == {"id": ["uganda"], "capital": ["kampala"]}
    assert (beyond.is_error, misspelt.is_error) == (True, True)
    assert "there is no parameter 'line'" in text_of(misspelt)
    names = [tool.name for tool in using(server_of(folder), lambda c: c.list_tools()).tools]
    assert "row" not in names
    (route,) = (one for one in loads.router.routes if one.path.endswith("/rows"))
    assert roles_of(route.openapi_extra) == {RowTool.role}


def test_an_error_is_for_the_model_with_the_way_out(folder: Path) -> None:
    unknown = called(folder, "entity", id="Kenia")
    misspelt = called(folder, "related", idd="Kenya")
    beyond = called(folder, "related", id="Kenya", k=0)

    assert (unknown.is_error, misspelt.is_error, beyond.is_error) == (True, True, True)
    assert "nearest: Kenya (entity:kenya, Country)" in text_of(unknown)
    assert unknown.structured_content["nearest"]
    assert "there is no parameter 'idd'; did you mean id?" in text_of(misspelt)
    assert text_of(beyond) == "k is 0; allowed are 1 to 1000"


def test_one_text_is_taken_for_a_list_of_one_and_nothing_else_is(folder: Path) -> None:
    found = called(folder, "paths", source="Kenya", target=["Uganda"], k=1)
    assert text_of(found) == text_of(
        called(folder, "paths", source=["Kenya"], target=["Uganda"], k=1)
    )
    assert text_of(called(folder, "paths", source=1, target="Uganda")) == (
        "source cannot be used: it must be a list"
    )


def test_a_tool_that_is_not_there(folder: Path) -> None:
    async def ask(client: Client) -> None:
        with pytest.raises(MCPError, match="there is no tool 'relatd'; there is: related"):
            await client.call_tool("relatd", {})

    using(server_of(folder), ask)


def test_where_nothing_is_compiled_every_tool_says_so(tmp_path: Path) -> None:
    from sightline.graph.storage.workspace import Workspace

    Workspace.create(tmp_path / "ws")
    found = called(tmp_path / "ws", "stats")

    assert found.is_error
    assert "has no compiled graph" in text_of(found)
    assert str(tmp_path) not in text_of(found)


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    entity: EntityRef
    paths: tuple[Walk, ...]
    origins: tuple[Origin, ...] = (Origin("l1", "a/facts.csv", 3, "line 4"),)
    chance: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    rows: tuple[Row, ...]
    note: str
    next: str | None = None


def ref_of() -> EntityRef:
    return EntityRef("e:1", "http://e/1", "A\nlabel", ("T",))


def rows(count: int, paths: int = 0, note: str = "") -> Rows:
    ref = ref_of()
    walk = Walk("A —r→ B", (), 0.123456, "—r→", 1)
    return Rows((Row(ref, (walk,) * paths),) * count, note)


def test_a_long_answer_is_cut_and_says_how_much() -> None:
    made = brief(rows(1000))
    shown = len(made.values["rows"])

    assert 10 < shown < 1000
    assert made.values["left_out"] == {"rows": 1000 - shown}
    assert made.shown == {"rows": shown}
    size = max(len(made.text), len(json.dumps(made.values, separators=(",", ":"))))
    assert BUDGET - 200 < size <= BUDGET
    assert f"left out, for want of room: {1000 - shown} of rows" in made.text


def test_what_fits_is_whole() -> None:
    made = brief(rows(2, paths=5, note="n" * (TEXT + 7)))

    assert "left_out" not in made.values
    first = made.values["rows"][0]
    assert first["paths_left_out"] == 2
    assert first["paths"][0] == {"text": "A —r→ B", "score": 0.1235, "metapath": "—r→", "length": 1}
    assert first["origins"] == ["facts.csv, line 4"]
    assert "chance" not in first
    assert brief(Rows((Row(ref_of(), (), (), 1450000000.5),), "")).values["rows"][0]["chance"] == (
        1450000000.5
    )
    assert "iri" not in first["entity"]
    assert made.values["note"].endswith("… (7 more characters)")
    assert made.text.splitlines()[1].startswith("- entity: A label [e:1] (types: T); ")


def test_lists_within_an_item_give_way_before_the_item_does() -> None:
    wide = EntityRef("e:1", "", "x" * 500, ())
    made = brief(Rows((Row(wide, (Walk("y" * 500, (), 0.0, "z" * 500, 1),) * 3),), ""), budget=2500)

    assert len(made.values["rows"]) == 1
    assert made.values["rows"][0]["paths_left_out"] == 2


def test_a_row_keeps_what_belongs_to_each_column() -> None:
    cells = (Cell(1, ("Bern",), (), None), Cell(1, ("8.5",), (), 8.5), Cell(0, (), (), None))
    more = Cell(4, ("a", "b"), (), None)
    made = brief(Rows((TableRow(EntityRef("e:1", "", "A", ()), 3, (*cells, more)),), ""))  # type: ignore[arg-type]

    assert made.values["rows"][0]["cells"] == ["Bern", "8.5", "", "a, b and 2 more"]


def test_a_page_that_does_not_fit_is_followed_by_what_it_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sightline.api.mcp.tools.brief", lambda answer: brief(answer, 500))

    async def walk(client: Client) -> list[list[str]]:
        seen, cursor = [], None
        while True:
            found = await client.call_tool("entities", {"limit": 100, "cursor": cursor})
            assert found.structured_content is not None
            seen.append([e["id"] for e in found.structured_content["entities"]])
            cursor = found.structured_content.get("next")
            if cursor is None:
                return seen

    seen = using(server_of(folder), walk)
    every = called(folder, "stats").structured_content["entities"]
    assert len(seen) > 1
    assert len({id for page in seen for id in page}) == sum(map(len, seen)) == every


def test_a_missing_package_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    assert run(["mcp", "-w", str(folder)]) == 1
    assert 'pip install "sightline[mcp]"' in capsys.readouterr().err


def test_what_nobody_foresaw_is_logged_and_not_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Asked, "answer", lambda *_: {}["a secret"])
    found = called(folder, "stats")

    assert found.is_error
    assert "secret" not in text_of(found)
    assert "a secret" in caplog.text


def test_over_standard_input(folder: Path) -> None:
    command = StdioServerParameters(
        command=sys.executable, args=["-c", MCP, "mcp", "-w", str(folder)], env=dict(os.environ)
    )
    found = using(command, lambda client: client.call_tool("stats", {}))

    assert found.structured_content["entities"] > 10


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of the tools of a service."""
    with service(folder) as (_, port):
        yield f"http://127.0.0.1:{port}{PATH}"


async def with_token(url: str, token: str) -> list[CallToolResult]:
    """What a client with a token is answered that asks what the graph holds, then more."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        question = {"head": "Kenya", "relation": "member_of"}
        return [await client.call_tool("stats", {}), await client.call_tool("predict", question)]


def test_over_http_with_its_door_shut(folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folder, tmp_path / "ws"))
    with serving(folder) as url:
        found = using(url, lambda client: client.call_tool("entity", {"id": "Kenya"}))
        asked = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        rebound = httpx.post(url, json=asked, headers={"Host": "evil.example"})
        foreign = httpx.post(url, json=asked, headers={"Origin": "http://evil.example"})
        other = httpx.get(url)
        _, token = create_token(folder, "agent", ["read"], None)
        until(lambda: httpx.post(url, json=asked).status_code == 401)
        stranger = httpx.post(url, json=asked)
        allowed, refused = asyncio.run(with_token(url, token))

    assert found.structured_content["entity"]["label"] == "Kenya"
    assert (rebound.status_code, foreign.status_code) == (421, 421)
    assert (other.status_code, other.headers["allow"]) == (405, "OPTIONS, POST")
    assert (stranger.status_code, stranger.headers["content-type"]) == (
        401,
        "application/problem+json",
    )
    assert [result.is_error for result in (allowed, refused)] == [False, True]
    assert "this needs the role ask" in text_of(refused)


def test_a_report_is_ordered_awaited_and_read_in_parts(folder: Path, tmp_path: Path, monkeypatch):
    folder = Path(shutil.copytree(folder, tmp_path / "ws"))
    monkeypatch.setattr(reports, "PATIENCE", 0.05)
    monkeypatch.setattr(reports, "INTERVAL", 0.01)
    monkeypatch.setattr(reports, "PART", 300)
    begun = tmp_path / "begun"
    code = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(60)"
    server = server_of(folder, worker=[sys.executable, "-c", code, str(begun)])

    async def ask(client: Client) -> tuple[CallToolResult, CallToolResult, list[str], str]:
        await client.call_tool("report", {"id": "0" * 16})
        assert not begun.exists()
        ordered = await client.call_tool("order_report", {"about": "Kenya"})
        assert ordered.structured_content is not None
        ref = {"id": ordered.structured_content["id"]}
        waiting = await client.call_tool("report", ref)
        job = Jobs(folder).claim()
        assert job is not None
        Jobs(folder).finish(job, write_report(folder, job, lambda *_: None), 1)
        monkeypatch.setattr(reports, "PATIENCE", 60)  # for which nobody waits now
        parts, line = [], 0
        while line is not None:
            found = await client.call_tool("report", {**ref, "line": line})
            assert found.structured_content is not None
            assert len(json.dumps(found.structured_content)) < BUDGET
            parts.append(found.structured_content["text"])
            line = found.structured_content.get("next")
        until(begun.exists)
        (file,) = folder.glob("reports/*/report.md")
        whole = file.read_text(encoding="utf-8")
        shutil.rmtree(file.parent)
        gone = await client.call_tool("report", ref)
        assert gone.is_error
        assert "report.md' does not exist" in text_of(gone)
        return ordered, waiting, parts, whole

    ordered, waiting, parts, whole = using(server, ask)

    assert ordered.structured_content["state"] == waiting.structured_content["state"] == "queued"
    assert "ask `report` again with this id" in text_of(waiting)
    assert len(parts) > 2
    assert "\n".join(parts) == "\n".join(whole.splitlines())
    assert begun.read_text() == "x"


def test_a_line_longer_than_an_answer_is_cut_and_that_is_said(monkeypatch) -> None:
    monkeypatch.setattr(reports, "PART", 10)

    cut = "a" * 10 + "… (15 more characters in the file)"
    assert reports._part(["a" * 25, "b"], 0) == (cut, 1)
    assert reports._part(["a" * 25, "b"], 1) == ("b", None)


def test_a_report_is_of_who_ordered_it_and_asks_for_the_role_of_its_route(
    folder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folder, tmp_path / "ws"))
    token, text = create_token(folder, "agent", ["ask"])
    other = create_token(folder, "other", ["ask"])[1]
    reader = create_token(folder, "reader", ["read"])[1]

    def call(client: TestClient, token: str, name: str, **arguments: Any) -> dict[str, Any]:
        accept = "application/json, text/event-stream"
        sent = {"method": "tools/call", "params": {"name": name, "arguments": arguments}}
        headers = {"Authorization": f"Bearer {token}", "Accept": accept}
        answer = client.post(PATH, json={"jsonrpc": "2.0", "id": 1, **sent}, headers=headers)
        result: dict[str, Any] = answer.json()["result"]
        return result

    with TestClient(create_app(folder)) as client:
        refused = call(client, reader, "order_report")
        unknown = call(client, text, "order_report", about=["Kenia"])
        ordered = call(client, text, "order_report", about=["Kenya"])
        job = Jobs(folder).cancel(ordered["structuredContent"]["id"])
        own, others, readers = (
            call(client, one, "report", id=job.id) for one in (text, other, reader)
        )

    assert job.owner == token.id
    assert own["structuredContent"]["state"] == "cancelled"
    assert [one["isError"] for one in (refused, unknown, others, readers)] == [True] * 4
    assert "this needs the role ask" in refused["content"][0]["text"]
    assert "nearest: Kenya" in unknown["content"][0]["text"]
    assert f"{job.id!r} does not exist" in others["content"][0]["text"]
    assert "this needs the role ask" in readers["content"][0]["text"]


def test_a_tool_is_charged_to_who_calls_it(folder: Path, tmp_path: Path, monkeypatch) -> None:
    token, text = create_token(Path(shutil.copytree(folder, tmp_path / "ws")), "agent", ["read"])
    paid: list[str | None] = []
    monkeypatch.setattr(Budgets, "charge", lambda _, caller, seconds: paid.append(caller))
    headers = {"Authorization": f"Bearer {text}", "Accept": "application/json, text/event-stream"}
    call = {"method": "tools/call", "params": {"name": "stats", "arguments": {}}}
    with TestClient(create_app(tmp_path / "ws", terms=Terms(budget=60))) as client:
        paid.clear()
        answer = client.post(PATH, json={"jsonrpc": "2.0", "id": 1, **call}, headers=headers)
    assert answer.json()["result"]["structuredContent"]["entities"] > 10
    assert token.id in paid
