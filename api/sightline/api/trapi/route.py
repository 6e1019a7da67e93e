"""TRAPI as a route of the service. Knows HTTP; what is answered is made beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from sightline.api.access import may
from sightline.api.answers import JSON, packed, to_json
from sightline.api.questions import PROBLEMS
from sightline.api.reading import Route
from sightline.api.service import Service
from sightline.api.trapi.question import TrapiQuery
from sightline.insights.ask import Sightline

router = APIRouter(prefix="/v1/trapi", tags=["queries"], responses=PROBLEMS, route_class=Route)

EXAMPLE = {
    "message": {
        "query_graph": {
            "nodes": {"n0": {"ids": ["Kenya"]}, "n1": {"categories": ["biolink:NamedThing"]}},
            "edges": {"e0": {"subject": "n0", "object": "n1", "predicates": ["biolink:member_of"]}},
        }
    }
}
Asked = Annotated[TrapiQuery, Body(openapi_examples={"one hop": {"value": EXAMPLE}})]


@router.post("/query", responses={200: {"model": dict[str, Any]}}, openapi_extra=may("ask"))
async def trapi_query(request: Request, asked: Asked) -> Response:
    """A query of the Translator Reasoner API (TRAPI 1.6): a query graph of a few hops, or a path
    between two nodes; with the knowledge type inferred what is predicted for one hop.
    """

    def make(sight: Sightline) -> dict[str, Any]:
        from sightline.api.trapi.answer import respond

        return respond(sight, asked)

    return await _made(request, make)


@router.get(
    "/meta_knowledge_graph",
    responses={200: {"model": dict[str, Any]}},
    openapi_extra=may("read"),
)
async def trapi_meta(request: Request) -> Response:
    """What the graph holds, as TRAPI says it: categories with the prefixes of their ids, and which
    predicates run between them.
    """

    def make(sight: Sightline) -> dict[str, Any]:
        from sightline.api.trapi.meta import meta

        return meta(sight)

    return await _made(request, make)


async def _made(request: Request, make: Callable[[Sightline], dict[str, Any]]) -> Response:
    """What is made of what is served, in the lane of what takes long."""
    service: Service = request.app.state.service
    sight = service.served.sight
    body, headers = await service.dear.run(
        lambda: packed(to_json(make(sight)), request.scope), request
    )
    return Response(body, headers={**headers, "Cache-Control": "no-store"}, media_type=JSON)
