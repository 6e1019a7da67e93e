"""Reports over HTTP: asked for, followed, fetched, cancelled.

Knows the queue and the files of a finished report; a worker makes them. Every answer is about a
moment, so none is kept.
"""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Body, Request
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse, Response, StreamingResponse

from sightline.api.answers import to_json
from sightline.api.errors import UnknownReport
from sightline.api.jobs import Job, Jobs, State
from sightline.api.questions import PROBLEMS, Text
from sightline.api.served import Served
from sightline.graph.storage.artifact import MANIFEST

#: Entities that one report may be asked to be about.
MAX_ABOUT = 100
#: Seconds between two looks at a job that is followed, and how long it is followed at most.
INTERVAL, FOLLOWED = 0.5, 3600.0
#: A report's page has its style inside and nothing else that a browser may load or run.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"

mimetypes.add_type("application/vnd.apache.parquet", ".parquet")
router = APIRouter(prefix="/v1/reports", tags=["reports"], responses=PROBLEMS)


class ReportRequest(BaseModel):
    """What a report is to be about."""

    model_config = ConfigDict(extra="forbid")

    about: list[Text] = Field(
        [],
        max_length=MAX_ABOUT,
        description="Entities by IRI, CURIE or label; none: the best connected ones.",
    )


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A file of a finished report."""

    name: str
    href: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report and where it stands.

    Attributes:
        about: IRIs of its entities.
        changed: when it was last heard of, as ISO 8601.
        done, total: entities written, and how many there are; 0 while that is not known.
        error: why it failed.
    """

    id: str
    state: State
    about: tuple[str, ...]
    created: str
    changed: str
    done: int
    total: int
    files: tuple[ReportFile, ...]
    error: str | None


ReportId = Annotated[str, InPath(max_length=64, description="What POST /v1/reports answered.")]
Wanted = Annotated[
    ReportRequest, Body(openapi_examples={"two": {"value": {"about": ["Kenya", "Nepal"]}}})
]


@router.post("", status_code=202, responses={202: {"model": ReportView}})
async def ask_for_report(request: Request, body: Wanted) -> Response:
    """Ask for a batch report: HTML to read; JSON, CSV and Parquet to process.

    Answers at once; `Location` says where to look.
    """
    served: Served = request.app.state.served
    graph = served.pair.sight.snapshot

    def submit() -> ReportView:
        about = [graph.entity_iris[graph.resolve_entity(ref)] for ref in body.about]
        return _view(served, Jobs(served.folder).submit(list(dict.fromkeys(about))))

    view = await served.run(submit)
    return _answer(view, 202, {"Location": f"/v1/reports/{view.id}"})


@router.get("/{id}", responses={200: {"model": ReportView}})
async def report(request: Request, id: ReportId) -> Response:
    """Where a report stands, and its files when it is done."""
    return _answer(await _look(request.app.state.served, id))


@router.delete("/{id}", responses={200: {"model": ReportView}})
async def cancel_report(request: Request, id: ReportId) -> Response:
    """Cancel a report that waits or is being made. One that has ended stays as it is."""
    served: Served = request.app.state.served
    view = await served.run(lambda: _view(served, Jobs(served.folder).cancel(id)))
    return _answer(view)


@router.get(
    "/{id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def report_events(request: Request, id: ReportId) -> Response:
    """Follow a report: server-sent events, each with what `GET /v1/reports/{id}` answers."""
    served: Served = request.app.state.served
    first = await _look(served, id)
    headers = {"Cache-Control": "no-store"}
    return StreamingResponse(
        _follow(served, first), headers=headers, media_type="text/event-stream"
    )


@router.get(
    "/{id}/files/{name}",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}},
)
async def report_file(
    request: Request,
    id: ReportId,
    name: Annotated[str, InPath(max_length=200, description="A name from `files`.")],
) -> Response:
    """One file of a finished report."""
    served: Served = request.app.state.served
    job = await served.run(lambda: Jobs(served.folder).get(id))
    folder = _folder(served, job)
    if folder is None or name not in [file.name for file in _files(folder)]:
        raise UnknownReport(f"{id}/files/{name}")
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return FileResponse(folder / name, headers=headers)


async def _look(served: Served, job_id: str) -> ReportView:
    return await served.run(lambda: _view(served, Jobs(served.folder).get(job_id)))


async def _follow(served: Served, view: ReportView) -> AsyncIterator[bytes]:
    """An event now, and one after every change, until the report has ended."""
    yield b"data: " + to_json(view) + b"\n\n"
    end = asyncio.get_running_loop().time() + FOLLOWED
    while view.state in ("queued", "running") and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(INTERVAL)
        seen, view = view, await _look(served, view.id)
        if view != seen:
            yield b"data: " + to_json(view) + b"\n\n"


def _view(served: Served, job: Job) -> ReportView:
    folder = _folder(served, job)
    return ReportView(
        id=job.id,
        state=job.state,
        about=job.about,
        created=_iso(job.created),
        changed=_iso(job.heard),
        done=job.done,
        total=job.total,
        files=() if folder is None else tuple(_file(job, path) for path in _files(folder)),
        error=job.error,
    )


def _folder(served: Served, job: Job) -> Path | None:
    return None if job.report is None else served.folder / "reports" / job.report


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file() and path.name != MANIFEST)


def _file(job: Job, path: Path) -> ReportFile:
    href = f"/v1/reports/{job.id}/files/{quote(path.name)}"
    return ReportFile(path.name, href, path.stat().st_size)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _answer(view: ReportView, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return Response(to_json(view), status, sent, "application/json")
