"""Jobs over HTTP: all of them listed, followed, cancelled, tried again; compiling and learning,
asked for.

Knows the queue; a worker does the jobs.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Body, Query, Request
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sightline.api.access import caller_of, may
from sightline.api.jobs.follow import EVENTS, followed
from sightline.api.jobs.queue import Job, Jobs, State
from sightline.api.jobs.views import JobPage, JobPageQuestion, JobView, answered, job_of, owner_of
from sightline.api.questions import PROBLEMS, Text
from sightline.api.reading import Route
from sightline.api.service import Service

#: Where a job is found by its id.
HERE = "/v1/jobs/"
TRAINING = "training"
COMPILE = "compile"

router = APIRouter(prefix="/v1", tags=["jobs"], responses=PROBLEMS, route_class=Route)

JobId = Annotated[str, InPath(max_length=64, description="The job.")]


class JobsQuestion(JobPageQuestion):
    """Which jobs are to be listed."""

    kind: Literal["report", "ingest", "compile", "training"] | None = Field(
        None, description="Only jobs of this kind."
    )
    state: State | None = Field(None, description=f"Only jobs in it: {', '.join(get_args(State))}.")


class TrainingRequest(BaseModel):
    """How much to spend on learning, and how much facts count in it."""

    model_config = ConfigDict(extra="forbid")

    preset: Literal["quick", "standard", "max"] = Field(
        "standard", description="Minutes, or more for better answers."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of everything random.")
    weight: Text | None = Field(
        None,
        description="What facts say of themselves in numbers, such as a rating: each counts by its "
        "share of the largest, and whole where it says nothing. Without it, all count alike.",
    )
    extracted: bool = Field(
        False, description="Learn from facts of texts, too; each counts by its confidence."
    )


#: Who asked for work may follow it, whatever else the role may do.
FOLLOWERS = may("ask", "ingest")


@router.get(
    "/jobs",
    responses={200: {"model": JobPage, "description": "Newest first."}},
    openapi_extra=FOLLOWERS,
)
async def list_jobs(request: Request, asked: Annotated[JobsQuestion, Query()]) -> Response:
    """The jobs that were asked for, and where each stands: reports, ingest, compiling, training.

    A token sees its own; one of an admin sees all.
    """

    def look(service: Service) -> JobPage:
        found, total = Jobs(service.folder).newest(
            asked.limit + 1,
            asked.cursor,
            kind=asked.kind,
            state=asked.state,
            owner=owner_of(request),
        )
        views = tuple(JobView.of(job) for job in found[: asked.limit])
        return JobPage(views, views[-1].id if len(found) > asked.limit else None, total)

    return await answered(request, look)


@router.get("/jobs/{id}", responses={200: {"model": JobView}}, openapi_extra=FOLLOWERS)
async def job(request: Request, id: JobId) -> Response:
    """Where a job stands, and what came of it."""
    caller = caller_of(request.scope)
    return await answered(request, lambda service: JobView.of(job_of(service, caller, id)))


@router.delete("/jobs/{id}", responses={200: {"model": JobView}}, openapi_extra=FOLLOWERS)
async def cancel_job(request: Request, id: JobId) -> Response:
    """Cancel a job that waits or is being done. One that has ended stays as it is.

    Work that is being done ends within seconds; what was committed before stays.
    """

    def cancel(service: Service) -> JobView:
        job = job_of(service, caller_of(request.scope), id)
        return JobView.of(Jobs(service.folder).cancel(job.id))

    return await answered(request, cancel)


@router.post(
    "/jobs/{id}:retry",
    status_code=202,
    responses={202: {"model": JobView}},
    openapi_extra=FOLLOWERS,
)
async def retry_job(request: Request, id: JobId) -> Response:
    """Try a job again that failed or was cancelled."""

    def retry(service: Service) -> JobView:
        job = job_of(service, caller_of(request.scope), id)
        return JobView.of(Jobs(service.folder).retry(job.id))

    return await answered(request, retry, HERE)


@router.get("/jobs/{id}/events", **EVENTS, openapi_extra=FOLLOWERS)
async def job_events(request: Request, id: JobId) -> Response:
    """Follow a job: server-sent events, each with what `GET /v1/jobs/{id}` answers."""
    caller = caller_of(request.scope)
    return await followed(request, lambda service: job_of(service, caller, id), _view)


@router.post(
    "/training",
    status_code=202,
    responses={202: {"model": JobView}},
    openapi_extra=may("admin"),
)
async def ask_for_training(request: Request, asked: Annotated[TrainingRequest, Body()]) -> Response:
    """Learn from the served graph, and serve what was learnt if it answers better.

    Answers at once; `Location` says where to look.
    """

    def submit(service: Service) -> JobView:
        if asked.weight is not None:
            service.served.sight.snapshot.resolve_qualifier(asked.weight)
        owner = caller_of(request.scope).owner
        queue = Jobs(service.folder)
        return JobView.of(queue.submit(TRAINING, asked.model_dump(), owner=owner))

    return await answered(request, submit, HERE)


@router.post(
    "/compile",
    status_code=202,
    responses={202: {"model": JobView}},
    openapi_extra=may("admin"),
)
async def ask_for_compiling(request: Request) -> Response:
    """Compile the graph anew, and serve it: what was decided about findings counts then.

    Answers at once; `Location` says where to look.
    """

    def submit(service: Service) -> JobView:
        owner = caller_of(request.scope).owner
        return JobView.of(Jobs(service.folder).submit(COMPILE, {}, owner=owner))

    return await answered(request, submit, HERE)


def _view(_: Service, job: Job) -> JobView:
    return JobView.of(job)
