"""Jobs as answers: what is shown of one, a page of them, and how such an answer is sent.

Every answer is about a moment, so none is kept. Knows the queue; knows no route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sightline.api.access import Caller, caller_of
from sightline.api.answers import JSON, to_json
from sightline.api.errors import UnknownJob
from sightline.api.jobs.queue import Job, Jobs, State
from sightline.api.service import Service
from sightline.graph.errors import in_words


class JobPageQuestion(BaseModel):
    """A page of a list, the newest first."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=100, description="How many on one page, 1 to 100.")
    cursor: str | None = Field(None, max_length=64, description="`next` of the page before.")


@dataclass(frozen=True, slots=True)
class JobView:
    """A job and where it stands.

    Attributes:
        kind: `report`, `ingest`, `compile` or `training`.
        asked: what was asked for.
        attempts: how often it was begun.
        changed: when it was last heard of, as ISO 8601.
        stage: what is being done, or for what it waits.
        done, total: steps of the stage done, and how many there are; 0 while that is not known.
        left: seconds until the end of the stage, once that can be told.
        result: what came of it.
        error: why it failed.
    """

    id: str
    kind: str
    state: State
    asked: Mapping[str, Any]
    attempts: int
    created: str
    changed: str
    stage: str | None
    done: int
    total: int
    left: float | None
    result: Mapping[str, Any] | None
    error: str | None

    @classmethod
    def of(cls, job: Job) -> JobView:
        """What is shown of a job."""
        said, result = in_words.get(), job.result
        if result and result.get("note"):
            result = {**result, "note": said(result["note"])}
        return cls(
            job.id,
            job.kind,
            job.state,
            job.request,
            job.attempts,
            iso(job.created),
            iso(job.changed),
            job.stage,
            job.done,
            job.total,
            job.left,
            result,
            job.error and said(job.error),
        )


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of jobs, where the next page starts, null at the end, and how many there are."""

    jobs: tuple[JobView, ...]
    next: str | None
    total: int


def owner_of(request: Request) -> str | None:
    """Whose jobs alone the asker may see; None: everybody's."""
    caller = caller_of(request.scope)
    return None if caller.sees(None) else caller.owner


def job_of(service: Service, caller: Caller, ref: str) -> Job:
    """A job that the asker may see.

    Raises:
        UnknownJob: there is none, or it belongs to somebody else.
        NotWritable, DamagedQueue
    """
    job = Jobs(service.folder).get(ref)
    if not caller.sees(job.owner):
        raise UnknownJob(ref)
    return job


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


async def answered(
    request: Request, look: Callable[[Service], Any], accepted: str | None = None
) -> Response:
    """Answer with what a look at the service gives.

    Args:
        accepted: it is work that was taken on, which is found by its id under this path.
    """
    service: Service = request.app.state.service
    found = await service.own.run(lambda: look(service))
    headers = {"Cache-Control": "no-store"}
    if accepted is not None:
        headers["Location"] = f"{accepted}{found.id}"
    return Response(to_json(found), 200 if accepted is None else 202, headers, JSON)
