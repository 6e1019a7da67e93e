"""TRAPI as a route of the service. Knows HTTP; what is answered is made beside it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from sightline.api.access import may
from sightline.api.answers import JSON, packed, to_json
from sightline.api.questions import PROBLEMS
from sightline.api.reading import Route
from sightline.api.service import Service
from sightline.api.trapi.question import TrapiQuery

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
    service: Service = request.app.state.service
    sight = service.served.sight

    def make() -> tuple[bytes, dict[str, str]]:
        from sightline.api.trapi.answer import respond

        return packed(to_json(respond(sight, asked)), request.scope)

    body, headers = await service.dear.run(make, request)
    return Response(body, headers={**headers, "Cache-Control": "no-store"}, media_type=JSON)
