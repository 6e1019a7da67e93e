"""What is decided about findings of the doctor over HTTP: a patch accepted, a finding ignored.

Knows how it is asked for; what it does stands beside the doctor. Nothing is compiled here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from starlette.responses import Response

from sightline.api.access import may
from sightline.api.answers import to_json
from sightline.api.questions import PROBLEMS
from sightline.api.reading import Route
from sightline.api.service import Service
from sightline.insights.ask import Sightline
from sightline.insights.kinds import doctor
from sightline.insights.kinds.doctor import Finding

router = APIRouter(prefix="/v1/doctor", tags=["graph"], responses=PROBLEMS, route_class=Route)

FindingId = Annotated[
    str, InPath(max_length=64, pattern="^[^:]*$", description="Id of the finding, or its start.")
]


@dataclass(frozen=True, slots=True)
class Decision:
    """A finding after something was decided about it.

    Attributes:
        next: the command that makes it count; null where nothing more is to be done.
    """

    finding: Finding
    next: str | None


@router.post("/{id}:accept", responses={200: {"model": Decision}}, openapi_extra=may("admin"))
async def accept_patch(request: Request, id: FindingId) -> Response:
    """Take back the statements that the finding's patch names.

    It is a load: `sightline compile` leaves the statements out, `:reopen` before it, or
    `sightline retract` on the load, bring them back.
    """
    return await _decide(request, lambda sight: doctor.accept(sight, id)[0], "sightline compile")


@router.post("/{id}:ignore", responses={200: {"model": Decision}}, openapi_extra=may("admin"))
async def ignore_finding(request: Request, id: FindingId) -> Response:
    """Let a finding be: `GET /v1/doctor` lists it no more, unless `state` asks for it."""
    return await _decide(request, lambda sight: doctor.ignore(sight, id))


@router.post("/{id}:reopen", responses={200: {"model": Decision}}, openapi_extra=may("admin"))
async def reopen_finding(request: Request, id: FindingId) -> Response:
    """Take back what was decided about a finding: it is listed again."""
    return await _decide(request, lambda sight: doctor.reopen(sight, id))


async def _decide(
    request: Request, decide: Callable[[Sightline], Finding], after: str | None = None
) -> Response:
    service: Service = request.app.state.service
    sight = service.served.sight
    body = await service.dear.run(lambda: to_json(Decision(decide(sight), after)))
    return Response(body, headers={"Cache-Control": "no-store"}, media_type="application/json")
