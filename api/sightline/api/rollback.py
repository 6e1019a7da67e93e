"""Going back over HTTP: a former (snapshot, model) pair is served again. Knows no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sightline.api.access import may
from sightline.api.answers import JSON, to_json
from sightline.api.questions import PROBLEMS
from sightline.api.reading import Route
from sightline.api.service import Service
from sightline.distill.serving import rollback
from sightline.graph.storage.workspace import Pair, Workspace

router = APIRouter(prefix="/v1/rollback", tags=["service"], responses=PROBLEMS, route_class=Route)


class RollbackRequest(BaseModel):
    """Which pair is to be served again."""

    model_config = ConfigDict(extra="forbid")

    to: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="The start of the id of its snapshot or its model; none: the last one.",
    )


@dataclass(frozen=True, slots=True)
class ServedPair:
    """What answers, or did; ``loads`` are those that its snapshot was compiled from."""

    snapshot: str
    model: str | None
    loads: tuple[str, ...]

    @classmethod
    def of(cls, pair: Pair) -> ServedPair:
        """What is shown of a pair."""
        return cls(pair.snapshot, pair.model, pair.loads)


@dataclass(frozen=True, slots=True)
class Pairs:
    """What is served, and what was before and can be again, the last one first."""

    served: ServedPair | None
    former: tuple[ServedPair, ...]


@router.get("", responses={200: {"model": Pairs}}, openapi_extra=may("admin"))
async def list_pairs(request: Request) -> Response:
    """What is served, and the former pairs that can be served again."""
    service: Service = request.app.state.service
    return _answer(await service.own.run(lambda: _pairs(service)))


@router.post("", responses={200: {"model": Pairs}}, openapi_extra=may("admin"))
async def roll_back(request: Request, asked: Annotated[RollbackRequest, Body()]) -> Response:
    """Serve a former (snapshot, model) pair again, after a check of all of its files.

    What was served is the first of the former pairs then: the same again goes forward.
    """
    service: Service = request.app.state.service
    await service.dear.run(lambda: rollback(Workspace.open(service.folder), asked.to))
    await service.refresh()
    return _answer(await service.own.run(lambda: _pairs(service)))


def _pairs(service: Service) -> Pairs:
    current = Workspace.open(service.folder).current
    served = None if current.pair is None else ServedPair.of(current.pair)
    return Pairs(served, tuple(map(ServedPair.of, current.former)))


def _answer(pairs: Pairs) -> Response:
    return Response(to_json(pairs), headers={"Cache-Control": "no-store"}, media_type=JSON)
