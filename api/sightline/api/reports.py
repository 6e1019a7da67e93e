"""Reports over HTTP: asked for, followed, fetched, cancelled.

Knows the queue and the files of a finished report; a worker makes them. Every answer is about a
moment, so none is kept.
"""

from __future__ import annotations

import mimetypes
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Body, Query, Request
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse, Response

from sightline.api.access import Caller, caller_of, may
from sightline.api.errors import ReportsFull, UnknownJob, UnknownReport
from sightline.api.jobs import views
from sightline.api.jobs.follow import EVENTS, followed
from sightline.api.jobs.queue import Job, Jobs, State
from sightline.api.jobs.views import JobPageQuestion, answered, iso, owner_of
from sightline.api.questions import PROBLEMS, Text
from sightline.api.reading import Route
from sightline.api.service import Service
from sightline.api.terms import HEADROOM
from sightline.graph.errors import in_words
from sightline.graph.storage.artifact import MANIFEST, take_away
from sightline.graph.storage.errors import DiskFull
from sightline.insights.errors import NothingToReport
from sightline.insights.report.choice import sections_of
from sightline.insights.report.policy import policy

KIND = "report"
#: Entities that one report may be asked to be about.
MAX_ABOUT = 100
#: A report's page runs its one script, which sorts tables, and is part of nothing else.
POLICY = f"{policy()}; sandbox allow-scripts; frame-ancestors 'none'"

mimetypes.add_type("application/vnd.apache.parquet", ".parquet")
mimetypes.add_type("text/markdown", ".md")


class ReportRequest(BaseModel):
    """What a report is to be about."""

    model_config = ConfigDict(extra="forbid")

    about: list[Text] = Field(
        [],
        max_length=MAX_ABOUT,
        description="Entities by IRI, CURIE or label; none: the best connected ones.",
    )
    sections: list[Text | dict[Text, dict[Text, int]]] | None = Field(
        None,
        max_length=20,
        description='Its sections in their order, such as `["insights", {"entities": {"stated": '
        "5}}]`; none: all of them.",
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
        title: what it is about, in a line.
        about: IRIs of its entities.
        changed: when it was last heard of, as ISO 8601.
        done, total: entities written, and how many there are; 0 while that is not known.
        left: seconds until they are, once that can be told.
        headline, likely: what it found, in a line, and how many facts it predicts that are no
            guesses; null before it is done.
        error: why it failed.
    """

    id: str
    state: State
    title: str
    about: tuple[str, ...]
    created: str
    changed: str
    done: int
    total: int
    left: float | None
    headline: str | None
    likely: int | None
    files: tuple[ReportFile, ...]
    error: str | None


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Reports, where the next page starts, null at the end, and how many there are."""

    reports: tuple[ReportView, ...]
    next: str | None
    total: int


router = APIRouter(prefix="/v1/reports", tags=["reports"], responses=PROBLEMS, route_class=Route)

ReportId = Annotated[str, InPath(max_length=64, description="What POST /v1/reports answered.")]
Wanted = Annotated[
    ReportRequest, Body(openapi_examples={"two": {"value": {"about": ["Kenya", "Nepal"]}}})
]


@router.post("", status_code=202, responses={202: {"model": ReportView}}, openapi_extra=may("ask"))
async def ask_for_report(request: Request, asked: Wanted) -> Response:
    """Ask for a batch report: HTML and Markdown to read; JSON, CSV and Parquet to process.

    Answers at once; `Location` says where to look.
    """

    def submit(service: Service) -> ReportView:
        return view_of(service, order(service, caller_of(request.scope), asked))

    return await answered(request, submit, "/v1/reports/")


@router.get(
    "",
    responses={200: {"model": ReportPage, "description": "Newest first."}},
    openapi_extra=may("ask"),
)
async def list_reports(
    request: Request,
    asked: Annotated[JobPageQuestion, Query()],
) -> Response:
    """The reports that were asked for, and where each stands. A token sees its own."""

    def look(service: Service) -> ReportPage:
        found, total = Jobs(service.folder).newest(
            asked.limit + 1, asked.cursor, kind=KIND, owner=owner_of(request)
        )
        shown = tuple(view_of(service, job) for job in found[: asked.limit])
        return ReportPage(shown, shown[-1].id if len(found) > asked.limit else None, total)

    return await answered(request, look)


@router.get("/{id}", responses={200: {"model": ReportView}}, openapi_extra=may("ask"))
async def report(request: Request, id: ReportId) -> Response:
    """Where a report stands, and its files when it is done."""
    caller = caller_of(request.scope)
    return await answered(request, lambda service: view_of(service, job_of(service, caller, id)))


@router.delete("/{id}", responses={200: {"model": ReportView}}, openapi_extra=may("ask"))
async def cancel_report(request: Request, id: ReportId) -> Response:
    """Cancel a report that waits or is being made; remove one that has ended, with its files.

    Answers with the report as it is, or was.
    """

    def end(service: Service) -> ReportView:
        queue, job = Jobs(service.folder), job_of(service, caller_of(request.scope), id)
        if not job.ended:
            return view_of(service, queue.cancel(job.id))
        view, folder = view_of(service, job), folder_of(service, job)
        if queue.forget(job) and folder is not None:
            take_away(folder)
        return view

    return await answered(request, end)


@router.get("/{id}/events", **EVENTS, openapi_extra=may("ask"))
async def report_events(request: Request, id: ReportId) -> Response:
    """Follow a report: server-sent events, each with what `GET /v1/reports/{id}` answers."""
    caller = caller_of(request.scope)
    return await followed(request, lambda service: job_of(service, caller, id), view_of)


@router.get(
    "/{id}/files/{name}",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}},
    openapi_extra=may("ask"),
)
async def report_file(
    request: Request,
    id: ReportId,
    name: Annotated[str, InPath(max_length=200, description="A name from `files`.")],
) -> Response:
    """One file of a finished report."""
    service: Service = request.app.state.service

    def find() -> Path:
        return file_of(service, job_of(service, caller_of(request.scope), id), name)

    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return FileResponse(await service.own.run(find), headers=headers)


def order(service: Service, caller: Caller, asked: ReportRequest) -> Job:
    """Have a report made of what is served now, as soon as a worker is free.

    Raises:
        UnknownEntity, AmbiguousEntity, NothingToReport, UsageError: it cannot be made.
        ReportsFull, DiskFull, Busy, OverBudget: not now.
    """
    graph = service.served.sight.snapshot
    about = [graph.entity_iris[graph.resolve_entity(ref)] for ref in asked.about]
    if not about and not graph.num_edges:
        raise NothingToReport
    wanted: dict[str, object] = {"about": list(dict.fromkeys(about))}
    if asked.sections is not None:
        wanted["sections"] = sections_of(asked.sections)
    require_room(service.folder / "reports", service.terms.report_room)
    return Jobs(service.folder).submit(KIND, wanted, owner=caller.owner)


def require_room(folder: Path, room: int) -> None:
    """Check that reports, which are kept in a folder, may take more of the disk.

    Raises:
        ReportsFull: they take ``room`` bytes.
        DiskFull: hardly anything is left.
    """
    used = sum(path.stat().st_size for path in folder.glob("*/*"))
    if used >= room:
        raise ReportsFull(used, room)
    if shutil.disk_usage(folder if folder.exists() else folder.parent).free < HEADROOM:
        raise DiskFull(folder, HEADROOM)


def job_of(service: Service, caller: Caller, ref: str) -> Job:
    """The job of a report that somebody may see.

    Raises:
        UnknownReport: there is none, or it belongs to somebody else.
    """
    try:
        job = views.job_of(service, caller, ref)
    except UnknownJob as error:
        raise UnknownReport(ref) from error
    if job.kind != KIND:
        raise UnknownReport(ref)
    return job


def view_of(service: Service, job: Job) -> ReportView:
    """A report and where it stands."""
    folder = folder_of(service, job)
    found = job.result or {}
    return ReportView(
        id=job.id,
        state=job.state,
        title=_title(service, job.request["about"]),
        about=tuple(job.request["about"]),
        created=iso(job.created),
        changed=iso(job.changed),
        done=job.done,
        total=job.total,
        left=job.left,
        headline=found.get("headline"),
        likely=found.get("likely"),
        files=() if folder is None else tuple(_file(job, path) for path in _files(folder)),
        error=job.error and in_words.get()(job.error),
    )


def _title(service: Service, about: Sequence[str]) -> str:
    """What a report is about: entities by the labels of what is served now."""
    if not about:
        return "The best connected entities"
    from sightline.insights.report.compose import NAMED, together

    graph = service.served.sight.snapshot
    named = [(iri, graph.entity_iris.find(iri)) for iri in about[:NAMED]]
    labels = [graph.curie(iri) if e is None else graph.entity_labels[e] for iri, e in named]
    return together(labels, len(about))


def folder_of(service: Service, job: Job) -> Path | None:
    """Where the files of a report are, once it is done."""
    return None if job.result is None else service.folder / "reports" / job.result["report"]


def file_of(service: Service, job: Job, name: str) -> Path:
    """Where a file of a report is.

    Raises:
        UnknownReport: it has none of that name, or is not done, or its folder has been removed.
    """
    folder = folder_of(service, job)
    if folder is None or name not in [file.name for file in _files(folder)]:
        raise UnknownReport(f"{job.id}/files/{name}")
    return folder / name


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_file() and path.name != MANIFEST)


def _file(job: Job, path: Path) -> ReportFile:
    href = f"/v1/reports/{job.id}/files/{quote(path.name)}"
    return ReportFile(path.name, href, path.stat().st_size)
