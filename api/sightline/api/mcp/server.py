"""Tools for agents: the server of one workspace, over standard input and output, or as a part of
the service that answers over HTTP.

Knows the package ``mcp``; knows no kind of answer.
"""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, ListToolsResult

from sightline.api.access import ANYBODY, caller_of, require
from sightline.api.jobs.worker import working
from sightline.api.loads import ReadRow
from sightline.api.mcp.reports import OrderReport, ReadReport
from sightline.api.mcp.tools import INSTRUCTIONS, Asked, Row, failed
from sightline.api.problems import mishap, of_error, report
from sightline.api.server.lifeline import PARENT
from sightline.api.service import VERSION, Service
from sightline.api.ways import for_agents
from sightline.graph.errors import SightlineError, in_words
from sightline.graph.storage.workspace import Workspace
from sightline.insights import kinds


def server_of(
    folder: Path, read_row: ReadRow | None = None, worker: Sequence[str] = ()
) -> Server[Any]:
    """The tools of one workspace. It opens when the first client comes, and is followed then.

    Args:
        read_row: reads the raw record behind facts; without it there is no tool for that.
        worker: a command that does jobs, to be run beside from the first report on.
    """
    service, opened = Service(folder), asyncio.Event()
    beside = ExitStack()
    begin = cache(lambda: beside.enter_context(working(worker)))

    async def follow() -> None:
        await service.refresh()
        opened.set()
        await service.watch()

    @asynccontextmanager
    async def lifespan(_: Server[Any]) -> AsyncIterator[None]:
        following = asyncio.create_task(follow())
        with beside:
            yield
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        service.close()

    return _server(service, opened, {"lifespan": lifespan}, read_row, begin)


@asynccontextmanager
async def over_http(
    service: Service, read_row: ReadRow | None
) -> AsyncIterator[StreamableHTTPSessionManager]:
    """What answers requests from what a service serves: each for itself, nothing kept between."""
    opened = asyncio.Event()
    opened.set()
    manager = StreamableHTTPSessionManager(
        _server(service, opened, {}, read_row, lambda: None), json_response=True, stateless=True
    )
    async with manager.run():
        yield manager


def _server(
    service: Service,
    opened: asyncio.Event,
    more: dict[str, Any],
    read_row: ReadRow | None,
    begin: Callable[[], object],
) -> Server[Any]:
    """The tools of what a service serves, once it is opened. ``begin`` has a worker do the jobs."""
    every: list[Asked | Row | OrderReport | ReadReport] = [Asked(kind) for kind in kinds.KINDS]
    if read_row is not None:
        every.append(Row(read_row))
    asked = {one.tool.name: one for one in (*every, OrderReport(begin), ReadReport())}

    async def list_tools(context: ServerRequestContext[Any, Any], params: Any) -> ListToolsResult:
        return ListToolsResult(tools=[one.tool for one in asked.values()])

    async def call_tool(
        context: ServerRequestContext[Any, Any], params: CallToolRequestParams
    ) -> CallToolResult:
        in_words.set(for_agents)
        one = asked.get(params.name)
        if one is None:
            near = difflib.get_close_matches(params.name, asked, 1) or sorted(asked)
            said = f"there is no tool {params.name[:80]!r}; there is: {', '.join(near)}"
            raise MCPError(INVALID_PARAMS, said)
        try:
            # Over standard input asks who started this process, and reads the workspace anyway.
            caller = ANYBODY
            if context.request is not None:
                require(context.request.scope, [one.role])
                caller = caller_of(context.request.scope)
            await opened.wait()
            question: Any = one.question(params.arguments)
            return await one.call(service, caller, question)
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


def serve_stdio(folder: Path, read_row: ReadRow, worker: Sequence[str]) -> None:
    """Answer who started this process, until they close its input.

    Args:
        worker: a command that does jobs, to be run beside once there is one.

    Raises:
        NotAWorkspace, FormatMismatch, DamagedArtifact: there is nothing to serve.
    """
    Workspace.open(folder)
    os.environ[PARENT] = str(os.getpid())

    async def run() -> None:
        server = server_of(folder, read_row, worker)
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    asyncio.run(run())
