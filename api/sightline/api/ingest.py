"""Data that is added over HTTP: files are taken in, and a job loads them.

Knows how files may be sent and what may be said of them; a worker loads and compiles, with a
handler that it is given: this component knows no source.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sightline.api.access import caller_of, may
from sightline.api.jobs.queue import Jobs, new_id
from sightline.api.jobs.routes import HERE
from sightline.api.jobs.uploads import MAX_NAME, Upload, take_in
from sightline.api.jobs.views import JobView, answered
from sightline.api.questions import PROBLEMS
from sightline.api.reading import Route
from sightline.api.service import Service
from sightline.graph.errors import SightlineError
from sightline.graph.storage.artifact import remove
from sightline.graph.storage.workspace import Workspace

KIND = "ingest"
_FILE = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Files, each a part with a filename, and a mapping; or one file, by `name`.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "array", "items": _FILE},
                        "mapping": _FILE,
                    },
                }
            },
            "application/octet-stream": {"schema": _FILE},
        },
    },
    **may("ingest"),
}

router = APIRouter(prefix="/v1", tags=["jobs"], responses=PROBLEMS, route_class=Route)


class IngestQuestion(BaseModel):
    """What is said of files that are sent."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(
        None, max_length=MAX_NAME, description="Name of the file that the body is."
    )
    source: str | None = Field(
        None,
        max_length=MAX_NAME,
        description="What the one file is: it takes the place of what was loaded under this name.",
    )
    format: str | None = Field(
        None, max_length=40, description="Format of the files, such as csv; else it is found out."
    )
    encoding: str | None = Field(
        None, max_length=40, description="Encoding of their text; else it is found out."
    )
    strict: bool = Field(False, description="Fail on the first bad record.")
    skip_unreadable: bool = Field(
        False, description="Load the other files where some cannot be read, and say which."
    )


@router.post(
    "/ingest",
    status_code=202,
    responses={202: {"model": JobView}},
    openapi_extra=_BODY,
)
async def add_data(request: Request, asked: Annotated[IngestQuestion, Query()]) -> Response:
    """Add data: files become loads, and the graph is compiled and served with them.

    Answers when the files have arrived; `Location` says where to look.
    """
    service: Service = request.app.state.service
    ws, job_id = Workspace(service.folder), new_id()
    owner = caller_of(request.scope).owner
    await run_in_threadpool(Jobs(service.folder).require_room, owner)
    upload = await take_in(request, ws, job_id, asked.name)

    def submit(service: Service) -> JobView:
        said = asked.model_dump(exclude={"name"})
        try:
            queue, wanted = Jobs(service.folder), _asked(upload) | said
            return JobView.of(queue.submit(KIND, wanted, job_id, owner))
        except SightlineError:
            remove(ws.uploads / job_id)
            raise

    return await answered(request, submit, HERE)


def _asked(upload: Upload) -> dict[str, Any]:
    return {"files": [asdict(file) for file in upload.files], "mapping": upload.mapping}
