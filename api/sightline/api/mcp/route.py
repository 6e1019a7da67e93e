"""The route of the tools for agents: ``/mcp`` of the service, for whom the service answers.

Knows when the package ``mcp`` is loaded, which takes a second: when the first agent comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sightline.api.access import may
from sightline.api.loads import ReadRow
from sightline.api.reading import Route
from sightline.api.service import Service
from sightline.graph.errors import MissingExtra

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PATH = "/mcp"

router = APIRouter(route_class=Route)


def require_mcp() -> None:
    """Check that the package is installed.

    Raises:
        MissingExtra
    """
    from importlib.util import find_spec

    if find_spec("mcp_types") is None:  # version 2 brings it
        raise MissingExtra("mcp", "mcp")


class Agents:
    """The tools of a service, from when the first agent comes until the service ends."""

    def __init__(self, service: Service, read_row: ReadRow | None) -> None:
        self._service, self._read_row = service, read_row
        self._answering: asyncio.Task[None] | None = None
        self._made: asyncio.Future[StreamableHTTPSessionManager]

    async def manager(self) -> StreamableHTTPSessionManager:
        """What answers.

        Raises:
            MissingExtra
        """
        require_mcp()
        if self._answering is None:
            self._made = asyncio.get_running_loop().create_future()
            self._answering = asyncio.create_task(self._answer())
        return await asyncio.shield(self._made)

    async def _answer(self) -> None:
        """Answer until cancelled. What is entered here has to be left by the same task."""
        from importlib import import_module

        try:
            server = await run_in_threadpool(import_module, "sightline.api.mcp.server")
            async with server.over_http(self._service, self._read_row) as manager:
                self._made.set_result(manager)
                await asyncio.Event().wait()
        except Exception as error:
            self._made.set_exception(error)
            self._answering = None

    async def close(self) -> None:
        """Answer no more."""
        if self._answering is not None:
            self._answering.cancel()
            with suppress(asyncio.CancelledError):
                await self._answering


@asynccontextmanager
async def agents(service: Service, read_row: ReadRow | None) -> AsyncIterator[Agents]:
    """The tools of a service, as long as it runs."""
    made = Agents(service, read_row)
    try:
        yield made
    finally:
        await made.close()


class _Passed(Response):
    """A request that something else answers."""

    def __init__(self, manager: StreamableHTTPSessionManager) -> None:
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._manager.handle_request(scope, receive, send)


# Each tool asks for the role of its route. OpenAPI cannot say what is asked here, and the protocol
# says it itself.
@router.post(PATH, include_in_schema=False, openapi_extra=may("read", "ask", "ingest", "admin"))
async def ask_tools(request: Request) -> Response:
    """Questions as tools of the Model Context Protocol, by its streamable HTTP."""
    tools: Agents = request.app.state.agents
    return _Passed(await tools.manager())
