"""The application: routes, pages and health, around one served workspace.

Knows how the parts of this component fit together; knows no question and no socket.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from sightline.api import doctor, ingest, loads, problems, reports, rollback, routes, sparql, watch
from sightline.api.access import SCHEMES, Access, may
from sightline.api.answers import PACKED_FROM, FromCache, ResponseCache, packed, takes_gzip, to_json
from sightline.api.jobs import routes as jobs
from sightline.api.jobs.follow import Followed
from sightline.api.jobs.queue import Jobs
from sightline.api.loads import ReadRow
from sightline.api.mcp import route as mcp
from sightline.api.metrics import MEDIA_TYPE, exposition
from sightline.api.questions import PROBLEMS, Health, Problem
from sightline.api.readiness import missing
from sightline.api.reading import Route
from sightline.api.server.boundary import Boundary
from sightline.api.service import VERSION, Service
from sightline.api.terms import NONE, Terms
from sightline.api.tracing import tracing
from sightline.api.trapi import route as trapi
from sightline.graph.rdf.sparql import QueryPool
from sightline.insights import kinds

STATIC = Path(str(files("sightline.api"))) / "static"
ABOUT = """\
From raw data to explained answers: what is related, how things are connected, what is missing, and
why. Entities, relations and types are named by IRI, CURIE or label. Errors are RFC 9457 problem
reports that say the way out.
"""

health = APIRouter(tags=["service"], route_class=Route)


def create_app(folder: Path, read_row: ReadRow | None = None, terms: Terms = NONE) -> FastAPI:
    """The service of one workspace. It opens when the application starts, and is followed then.

    ``read_row`` reads the raw record behind facts.

    A workspace that cannot be served does not end the service: it says why, and serves as soon as
    it can.
    """
    spans, end_spans = tracing()
    app = _App(
        title="Sightline",
        version=VERSION,
        description=ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        telemetry=spans,
    )
    app.state.end_spans = end_spans
    app.state.service = service = Service(folder, terms)
    app.state.read_row = read_row
    app.state.cache = cache = ResponseCache()
    public = {"/static/"}
    app.add_middleware(FromCache, service=service, cache=cache)
    app.add_middleware(Access, folder=folder, terms=terms, public=public)
    if terms.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=terms.origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "If-None-Match", "X-Request-Id"],
            expose_headers=["ETag", "Location", "Retry-After", "X-Request-Id"],
        )
    app.add_middleware(Boundary, terms=terms)
    problems.register(app)
    # FastAPI would put an included router together when the first request comes, for .1 seconds.
    for router in (
        routes.router_of(kinds.KINDS),
        reports.router,
        loads.router,
        doctor.router,
        ingest.router,
        jobs.router,
        rollback.router,
        watch.router,
        sparql.router,
        trapi.router,
        mcp.router,
        health,
    ):
        app.router.routes += router.routes
        routes_of = (route for route in router.routes if isinstance(route, Route))
        public |= {route.path for route in routes_of if not route.roles}
    static = Static(directory=STATIC)
    app.mount("/static", static)
    for path, name in (("/", "index.html"), ("/docs", "docs.html")):
        app.add_route(path, _page(static, name), include_in_schema=False)
        public.add(path)
    return app


class _App(FastAPI):
    """An application whose OpenAPI document says what FastAPI does not know of."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            made = super().openapi()
            made.setdefault("components", {})["securitySchemes"] = SCHEMES
            for operation in chain.from_iterable(p.values() for p in made["paths"].values()):
                for status, response in operation["responses"].items():
                    if status == "default" or status[0] in "45":
                        (schema,) = response["content"].values()
                        response["content"] = {problems.MEDIA_TYPE: schema}
        assert self.openapi_schema is not None
        return self.openapi_schema


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the workspace before the first request, and follow it until the last."""
    service: Service = app.state.service
    app.state.followed = Followed(service)
    async with mcp.agents(service, app.state.read_row) as app.state.agents:
        with closing(QueryPool()) as app.state.queries:
            await service.refresh()
            follower = asyncio.create_task(service.watch())
            yield
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower
    await run_in_threadpool(app.state.end_spans)
    service.close()


class Static(StaticFiles):
    """Files that a browser asks about again, so that an upgrade is seen at once.

    Texts are packed for who takes that, once as long as they do not change: it takes 2 ms for each.
    """

    #: What each packed file was when it was packed, and what it became.
    _packed: dict[Path, tuple[float, bytes]]

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory)
        self._packed = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, or that it has not changed.

        Raises:
            HTTPException: 404, 405
        """
        found = await super().get_response(path, scope)
        found.headers["Cache-Control"] = "no-cache"
        found.headers["Vary"] = "Accept-Encoding"
        ranged = any(name == b"range" for name, _ in scope["headers"])
        if not isinstance(found, FileResponse) or ranged or not takes_gzip(scope):
            return found
        assert found.stat_result is not None
        text = str(found.media_type).startswith(("text/", "image/svg"))
        if not text or found.stat_result.st_size <= PACKED_FROM:
            return found
        file, made = Path(found.path), found.stat_result.st_mtime
        when, body = self._packed.get(file, (None, b""))
        if when != made:
            body = await run_in_threadpool(lambda: gzip.compress(file.read_bytes(), 9, mtime=0))
            self._packed[file] = made, body
        dropped = ("content-length", "accept-ranges")
        headers = {name: value for name, value in found.headers.items() if name not in dropped}
        return Response(body, headers={**headers, "Content-Encoding": "gzip"})


def _page(static: Static, name: str) -> Callable[[Request], Awaitable[Response]]:
    """A route that sends a file."""

    async def page(request: Request) -> Response:
        return await static.get_response(name, request.scope)

    return page


@health.get("/openapi.json", include_in_schema=False, openapi_extra=may())
async def openapi(request: Request) -> Response:
    """What the documentation is made of. Takes long the first time, so a thread makes it."""
    service: Service = request.app.state.service
    body, headers = await service.dear.run(
        lambda: packed(to_json(request.app.openapi()), request.scope)
    )
    headers["Cache-Control"] = "no-cache"
    return Response(body, headers=headers, media_type="application/json")


@health.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=PROBLEMS,
    openapi_extra=may("read"),
)
async def metrics(request: Request) -> Response:
    """What the service counts of itself, in the text format of Prometheus."""
    service: Service = request.app.state.service
    pair = service.served_or_none
    served = {} if pair is None else {"snapshot": pair.sight.snapshot.id, "version": VERSION}
    if pair is not None and pair.sight.model is not None:
        served["model"] = pair.sight.model.id
    queue = Jobs(service.folder)
    body = await service.own.run(lambda: exposition(served, queue.count()))
    return Response(body, headers={"Cache-Control": "no-store", "Content-Type": MEDIA_TYPE})


@health.get("/healthz", responses={200: {"model": Health}}, openapi_extra=may())
async def healthz(request: Request) -> Response:
    """The process is alive."""
    return _no_store(Health("ok"))


@health.get(
    "/readyz",
    responses={200: {"model": Health}, 503: {"model": Problem}},
    openapi_extra=may(),
)
async def readyz(request: Request) -> Response:
    """The service can answer; `detail` says what is wrong with a snapshot that it refused.

    `missing` says in words what it lacks: a model, a worker that takes jobs, room on the disk.
    """
    service: Service = request.app.state.service
    sight = service.served.sight
    model = None if sight.model is None else sight.model.id
    trouble = None if service.trouble is None else service.trouble.public
    lacks = await service.own.run(lambda: missing(service))
    return _no_store(Health("ok", sight.snapshot.id, model, trouble, lacks))


def _no_store(value: object) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(to_json(value), headers=headers, media_type="application/json")
