"""Jobs that somebody follows, as server-sent events. Knows the queue; knows no kind of job."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from sightline.api.access import is_still
from sightline.api.answers import to_json
from sightline.api.jobs.queue import Job, Jobs
from sightline.api.service import Service

#: Seconds between two looks at a job that is followed, and how long it is followed at most.
INTERVAL, FOLLOWED = 0.5, 3600.0
#: How a route of events is declared.
EVENTS: dict[str, Any] = {
    "response_class": StreamingResponse,
    "responses": {200: {"content": {"text/event-stream": {}}}},
}

#: What is shown of a job.
View = Callable[[Service, Job], Any]


#: A job as it is shown, and whether it has ended.
Shown = tuple[bytes, bool]


class Followed:
    """The jobs that somebody follows. Each is looked at once for all of its followers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._followers: Counter[tuple[str, View]] = Counter()
        self._look: asyncio.Task[dict[tuple[str, View], Shown]] | None = None

    async def follow(
        self, job_id: str, view: View, shown: Shown, wanted: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """An event now, and one after every change, until the job has ended.

        Args:
            wanted: whether who follows may still.
        """
        end = asyncio.get_running_loop().time() + FOLLOWED
        self._followers[job_id, view] += 1
        try:
            yield b"data: " + shown[0] + b"\n\n"
            while not shown[1] and asyncio.get_running_loop().time() < end:
                if self._look is None or self._look.done():
                    self._look = asyncio.create_task(self._next())
                seen = shown
                shown = (await asyncio.shield(self._look)).get((job_id, view), shown)
                if not wanted():
                    return
                if shown != seen:
                    yield b"data: " + shown[0] + b"\n\n"
        finally:
            self._followers -= Counter([(job_id, view)])

    async def _next(self) -> dict[tuple[str, View], Shown]:
        await asyncio.sleep(INTERVAL)
        wanted = list(self._followers)

        def look() -> dict[tuple[str, View], Shown]:
            found = Jobs(self._service.folder).some([job_id for job_id, _ in wanted])
            jobs = {job.id: job for job in found}
            return {
                (job_id, view): self.shown(jobs[job_id], view)
                for job_id, view in wanted
                if job_id in jobs
            }

        return await self._service.own.run(look)

    def shown(self, job: Job, view: View) -> Shown:
        """A job as followers are shown it."""
        return to_json(view(self._service, job)), job.ended


async def followed(request: Request, find: Callable[[Service], Job], view: View) -> Response:
    """The events of a job."""
    service: Service = request.app.state.service
    watch: Followed = request.app.state.followed

    def look() -> tuple[str, Shown]:
        job = find(service)
        return job.id, watch.shown(job, view)

    job_id, first = await service.own.run(look)
    return StreamingResponse(
        watch.follow(job_id, view, first, partial(is_still, request.scope)),
        headers={"Cache-Control": "no-store"},
        media_type="text/event-stream",
    )
