"""Questions about an entity that the graph does not hold, described by a few edges.

Knows the body and resolves its references; the answer is made by ``insights``. Nothing is stored.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sightline.api.answers import to_json
from sightline.api.problems import RANGES
from sightline.api.questions import PROBLEMS, Text
from sightline.api.service import Service
from sightline.insights.ask import Sightline
from sightline.insights.records import Inferred

#: Edges of one question.
MAX_EDGES = 100

router = APIRouter(prefix="/v1", tags=["predictions"], responses=PROBLEMS)


class Edge(BaseModel):
    """A fact about the new entity: its relation and what is at the other end, by IRI, CURIE or
    label."""

    model_config = ConfigDict(extra="forbid")

    relation: Text
    direction: Literal["out", "in"] = Field(
        "out", description="out: the new entity is the head of the fact; in: it is the tail."
    )
    entity: Text


class NewEntity(BaseModel):
    """What is known about the new entity, and what is asked."""

    model_config = ConfigDict(extra="forbid")

    edges: list[Edge] = Field(min_length=1, max_length=MAX_EDGES)
    relation: Text | None = Field(
        None, description="Ask about this relation; none: all that entities like it have."
    )
    direction: Literal["out", "in", "both"] = Field(
        "both", description="Of the facts asked about, as for the edges."
    )
    k: int = Field(10, ge=RANGES["k"][0], le=RANGES["k"][1], description="How many answers.")


EXAMPLES: dict[str, Any] = {
    "a new country": {
        "value": {
            "edges": [
                {"relation": "official language", "entity": "English"},
                {"relation": "borders", "direction": "in", "entity": "Kenya"},
            ],
            "relation": "member of",
            "direction": "out",
            "k": 3,
        }
    }
}


@router.post(
    "/entities:infer", responses={200: {"model": Inferred, "description": "Likeliest first."}}
)
async def infer(
    request: Request, body: Annotated[NewEntity, Body(openapi_examples=EXAMPLES)]
) -> Response:
    """The likeliest facts about an entity that the graph does not hold, from a few of its edges."""
    service: Service = request.app.state.service
    sight = service.served.sight
    made = await service.cheap.run(lambda: to_json(_infer(sight, body)), request)
    return Response(made, headers={"Cache-Control": "no-store"}, media_type="application/json")


def _infer(sight: Sightline, body: NewEntity) -> Inferred:
    graph = sight.snapshot
    edges = []
    for edge in body.edges:
        rel = graph.resolve_relation(edge.relation)
        rel += graph.num_relations * (edge.direction == "in")
        edges.append((rel, graph.resolve_entity(edge.entity)))
    relation = None if body.relation is None else graph.resolve_relation(body.relation)
    return sight.infer(edges, relation=relation, direction=body.direction, k=body.k)
