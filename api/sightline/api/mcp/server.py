"""Tools for agents: the server of one workspace, over standard input and output, or as a part of
the service that answers over HTTP.

Knows the package ``mcp``; knows no kind of answer.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, ListToolsResult

from sightline.api.access import caller_of, require
from sightline.api.loads import ReadRow
from sightline.api.mcp.tools import INSTRUCTIONS, Asked, Row, failed
from sightline.api.problems import mishap, of_error, report
from sightline.api.service import VERSION, Service
from sightline.graph.errors import SightlineError
from sightline.graph.storage.workspace import Workspace
from sightline.insights import kinds


def server_of(folder: Path, read_row: ReadRow | None = None) -> Server[Any]:
    """The tools of one workspace. It opens when the first client comes, and is followed then.

    ``read_row`` reads the raw record behind facts; without it there is no tool for that.
    """
    service, opened = Service(folder), asyncio.Event()

    async def follow() -> None:
        await service.refresh()
        opened.set()
        await service.watch()

    @asynccontextmanager
    async def lifespan(_: Server[Any]) -> AsyncIterator[None]:
        following = asyncio.create_task(follow())
        yield
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        service.close()

    return _server(service, opened, {"lifespan": lifespan}, read_row)


@asynccontextmanager
async def over_http(
    service: Service, read_row: ReadRow | None
) -> AsyncIterator[StreamableHTTPSessionManager]:
    """What answers requests from what a service serves: each for itself, nothing kept between."""
    opened = asyncio.Event()
    opened.set()
    manager = StreamableHTTPSessionManager(
        _server(service, opened, {}, read_row), json_response=True, stateless=True
    )
    async with manager.run():
        yield manager


def _server(
    service: Service, opened: asyncio.Event, more: dict[str, Any], read_row: ReadRow | None
) -> Server[Any]:
    """The tools of what a service serves, once it is opened."""
    asked: dict[str, Asked | Row] = {kind.name: Asked(kind) for kind in kinds.KINDS}
    if read_row is not None:
        asked["row"] = Row(service.folder, read_row)

    def payer(context: ServerRequestContext[Any, Any], one: Asked | Row) -> str | None:
        """Who is charged, once it is clear that they may ask."""
        # Over standard input asks who started this process, and reads the workspace anyway.
        if context.request is None:
            return None
        require(context.request.scope, [one.role])
        return caller_of(context.request.scope).budget

    async def list_tools(context: ServerRequestContext[Any, Any], params: Any) -> ListToolsResult:
        return ListToolsResult(tools=[one.tool for one in asked.values()])

    async def call_tool(
        context: ServerRequestContext[Any, Any], params: CallToolRequestParams
    ) -> CallToolResult:
        one = asked.get(params.name)
        if one is None:
            near = difflib.get_close_matches(params.name, asked, 1) or sorted(asked)
            said = f"there is no tool {params.name[:80]!r}; there is: {', '.join(near)}"
            raise MCPError(INVALID_PARAMS, said)
        try:
            pays = payer(context, one)
            await opened.wait()
            question, sight = one.question(params.arguments), service.served.sight
            lane = service.dear if one.dear(sight) else service.cheap
            return await lane.run(lambda: one.answer(sight, question), payer=pays)
        except SightlineError as error:
            return failed(of_error(error))
        except Exception as error:
            return failed(report(*mishap(error, params.name)))

    return Server(
        "sightline",
        version=VERSION,
        instructions=INSTRUCTIONS,
        **more,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def serve_stdio(folder: Path, read_row: ReadRow) -> None:
    """Answer who started this process, until they close its input.

    Raises:
        NotAWorkspace, FormatMismatch, DamagedArtifact: there is nothing to serve.
    """
    Workspace.open(folder)

    async def run() -> None:
        server = server_of(folder, read_row)
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    asyncio.run(run())
