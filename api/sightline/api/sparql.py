"""``/sparql``: the SPARQL 1.1 Protocol, for reading.

Knows where a request keeps its query and graphs, and which format its answer takes; evaluates
nothing. Its queries have threads and processes of their own, so that they keep no other question
waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sightline.api.access import may
from sightline.api.answers import SPILL_FROM, Spilled, choose, packed
from sightline.api.questions import Problem
from sightline.api.reading import Route
from sightline.api.service import Service
from sightline.graph.rdf.description import description
from sightline.graph.rdf.errors import QueryError, QueryRefused
from sightline.graph.rdf.query_text import read_query
from sightline.graph.rdf.sparql import SOLUTIONS, TRIPLES, Graphs, QueryPool, offered

FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"
#: Fields of a form: a query and the graphs it is about.
MAX_FIELDS = 100
EXAMPLE = "SELECT ?subject ?predicate ?object { ?subject ?predicate ?object } LIMIT 10"
#: Tables come as files to save: a cell may look like a formula to the program that opens them.
FILES = {"text/csv": "result.csv", "text/tab-separated-values": "result.tsv"}


_SCHEMA: dict[str, Any] = {"type": "string"}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Solutions (SELECT, ASK) or triples (CONSTRUCT, DESCRIBE), complete.",
        "content": {media_type: {"schema": {}} for media_type in SOLUTIONS + TRIPLES},
    },
    "default": {
        "model": Problem,
        "description": "Why there is no answer: 400 cannot be read, 403 refused, 422 needs or "
        "gives too much, 429 over budget, 503 too many queries at once, 504 out of time.",
    },
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            QUERY: {"schema": _SCHEMA, "examples": {"any facts": {"value": EXAMPLE}}},
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["query"],
                    "properties": {"query": _SCHEMA},
                }
            },
        },
    }
}
DefaultGraphs = Annotated[
    Sequence[str],
    Query(alias="default-graph-uri", description="A graph to ask; repeat it for several."),
]
NamedGraphs = Annotated[
    Sequence[str],
    Query(alias="named-graph-uri", description="A graph that GRAPH may name; may be repeated."),
]

router = APIRouter(tags=["sparql"], default_response_class=Response, route_class=Route)


@router.get("/sparql", responses=_RESPONSES, openapi_extra=may("read"))
async def sparql(
    request: Request,
    query: Annotated[
        str | None,
        Query(
            description="SELECT, ASK, CONSTRUCT or DESCRIBE.",
            examples=[EXAMPLE],
        ),
    ] = None,
    default_graphs: DefaultGraphs = (),
    named_graphs: NamedGraphs = (),
) -> Response:
    """Answer a SPARQL query. The default graph holds what is stated and what is inferred.

    Without a query: what this endpoint is, as SPARQL 1.1 Service Description.
    """
    if not request.url.query:
        return await _describe(request)
    return await _answer(request, request.query_params.multi_items())


@router.post("/sparql", responses=_RESPONSES, openapi_extra=_BODY | may("read"))
async def sparql_post(
    request: Request, default_graphs: DefaultGraphs = (), named_graphs: NamedGraphs = ()
) -> Response:
    """Answer a SPARQL query that the body holds, alone or as a field of a form."""
    media_type, _, options = request.headers.get("content-type", "").lower().partition(";")
    media_type, charset = media_type.strip(), options.partition("charset=")[2].strip(' "')
    if charset not in ("", "utf-8", "utf8"):
        raise HTTPException(415, f"a query is sent in UTF-8, not in {charset[:40]!r}")
    try:
        body = (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise QueryError("the body is no UTF-8 text; send the query in UTF-8") from error
    if media_type == FORM:
        form = await run_in_threadpool(_form, body)
        return await _answer(request, [*form, *request.query_params.multi_items()])
    if media_type == QUERY:
        return await _answer(request, [("query", body), *request.query_params.multi_items()])
    if media_type == UPDATE:
        raise QueryRefused("an update would change the graph, which is read-only here")
    raise HTTPException(415, f"a query is sent as {QUERY} or {FORM}, not as {media_type[:100]!r}")


def _form(body: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise QueryError(f"the form has more than {MAX_FIELDS} fields") from error


def _endpoint(request: Request) -> str:
    """The address at which queries are answered, as the client wrote it."""
    return str(request.url.replace(query=""))


async def _describe(request: Request) -> Response:
    media_type = choose(request.headers.get("accept"), TRIPLES)
    service: Service = request.app.state.service
    snapshot, endpoint = service.served.sight.snapshot, _endpoint(request)
    body = await service.own.run(lambda: description(snapshot, endpoint, media_type))
    headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
    return Response(body, headers=headers, media_type=media_type)


async def _answer(request: Request, fields: Sequence[tuple[str, str]]) -> Response:
    """Answer the query among ``fields``."""
    if any(name == "update" for name, _ in fields):
        raise QueryRefused("an update would change the graph, which is read-only here")
    texts = [value for name, value in fields if name == "query"]
    if len(texts) != 1:
        raise QueryError(f"there are {len(texts)} queries; send one, as the parameter query")
    default, named = (
        tuple(value for name, value in fields if name == f"{kind}-graph-uri")
        for kind in ("default", "named")
    )
    graphs = Graphs(default, named) if default or named else None
    service: Service = request.app.state.service
    snapshot = service.served.sight.snapshot
    pool: QueryPool = request.app.state.queries
    endpoint = _endpoint(request)

    def evaluate() -> Response:
        query = read_query(texts[0], snapshot.prefixes)
        media_type = choose(request.headers.get("accept"), offered(query))
        found = pool.answer(snapshot, query, media_type, graphs, endpoint)
        body, headers = packed(found, request.scope)
        headers["Cache-Control"] = "private, no-cache"
        if media_type in FILES:
            headers["Content-Disposition"] = f'attachment; filename="{FILES[media_type]}"'
        if len(body) > SPILL_FROM:
            return Spilled(body, media_type, headers)
        return Response(body, headers=headers, media_type=media_type)

    return await service.sparql.run(evaluate, request)
