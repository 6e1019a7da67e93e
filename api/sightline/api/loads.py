"""Raw records behind facts over HTTP.

Knows how they are asked for. Who starts the service says how one is read: this component knows no
source.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sightline.api.access import may
from sightline.api.answers import to_json
from sightline.api.questions import PROBLEMS
from sightline.api.reading import Route
from sightline.api.service import Service
from sightline.graph.errors import Unavailable
from sightline.graph.record.raw import RawRecord

#: Takes the workspace, a load and a row; gives a record to show. Raises SightlineError.
ReadRow = Callable[[Path, str, str], Any]

router = APIRouter(prefix="/v1/loads", tags=["loads"], responses=PROBLEMS, route_class=Route)


class RowQuestion(BaseModel):
    """Which row of a load."""

    model_config = ConfigDict(extra="forbid")
    at: str = Field(
        max_length=1000,
        description="The row: its number in the load, or as answers write it, such as `line 12`, "
        "`$.ranges[2]`, `People!4`, `orders/7`.",
    )


LoadId = Annotated[
    str, InPath(max_length=500, description="Id of the load, the start of it, or its source.")
]


@router.get("/{load:path}/rows", responses={200: {"model": RawRecord}}, openapi_extra=may("read"))
async def raw_record(
    request: Request, load: LoadId, asked: Annotated[RowQuestion, Query()]
) -> Response:
    """The raw record behind facts: its cells, and which of them made which fact.

    It is read from the file that was loaded, as long as that is there unchanged.
    """
    service: Service = request.app.state.service
    read_row: ReadRow | None = request.app.state.read_row
    if read_row is None:
        raise Unavailable(
            "this service cannot read raw files; `sightline serve` starts one that can"
        )
    body = await service.dear.run(
        lambda: to_json(read_row(service.folder, load, asked.at)), request
    )
    headers = {"Cache-Control": "no-store"}
    return Response(body, headers=headers, media_type="application/json")
