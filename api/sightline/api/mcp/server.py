"""Tools for agents: the server of one workspace, over standard input and output or over HTTP.

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
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, ListToolsResult
from starlette.applications import Starlette

from sightline.api.access import Access, caller_of, require
from sightline.api.mcp.tools import INSTRUCTIONS, Asked, failed
from sightline.api.problems import mishap, of_error, report
from sightline.api.routes import role_of
from sightline.api.server.boundary import Boundary
from sightline.api.server.process import serve, settled
from sightline.api.service import VERSION, Service
from sightline.api.terms import NONE, Terms
from sightline.graph.errors import SightlineError
from sightline.graph.storage.workspace import Workspace
from sightline.insights import kinds

PATH = "/mcp"


def server_of(folder: Path, terms: Terms = NONE) -> Server[Any]:
    """The tools of one workspace. It opens when the first client comes, and is followed then."""
    service, opened = Service(folder, terms), asyncio.Event()
    asked = {kind.name: Asked(kind) for kind in kinds.KINDS}

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

    def payer(context: ServerRequestContext[Any, Any], one: Asked) -> str | None:
        """Who is charged, once it is clear that they may ask."""
        # Over standard input asks who started this process, and reads the workspace anyway.
        if context.request is None:
            return None
        require(context.request.scope, [role_of(one.kind)])
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
            dear = one.kind.dear or (one.kind.deadline and sight.reads_graph)
            lane = service.dear if dear else service.cheap
            return await lane.run(lambda: one.answer(sight, question), payer=pays)
        except SightlineError as error:
            return failed(of_error(error))
        except Exception as error:
            return failed(report(*mishap(error, params.name)))

    return Server(
        "sightline",
        version=VERSION,
        instructions=INSTRUCTIONS,
        lifespan=lifespan,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def serve_stdio(folder: Path) -> None:
    """Answer who started this process, until they close its input.

    Raises:
        NotAWorkspace, FormatMismatch, DamagedArtifact: there is nothing to serve.
    """
    Workspace.open(folder)

    async def run() -> None:
        server = server_of(folder)
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    asyncio.run(run())


def serve_http(folder: Path, port: int) -> None:
    """Answer whoever asks on this machine, until SIGTERM or Ctrl-C.

    Raises:
        NotAWorkspace, FormatMismatch, DamagedArtifact: there is nothing to serve.
        PortInUse
    """
    page = f"MCP: {{}}{PATH}"
    serve(folder, port=port, factory=f"{__name__}:application", page=page)


def application() -> Starlette:
    """The application of a process that answers over HTTP, at ``PATH``."""
    folder, terms = settled()
    # One request, one answer, nothing kept between them.
    app = server_of(folder, terms).streamable_http_app(
        streamable_http_path=PATH, json_response=True, stateless_http=True
    )
    app.add_middleware(Access, folder=folder, terms=terms, public=())
    app.add_middleware(Boundary, terms=terms)
    return app
