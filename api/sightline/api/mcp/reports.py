"""Batch reports as tools: one that orders a report, one that says where it stands and reads it.

Knows reports as they are over HTTP, and that an agent has no clock: who asks after a report that is
being made is answered when it has ended, or after a while. Knows no transport.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import accumulate, takewhile
from typing import Any

import orjson
from mcp_types import CallToolResult, Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sightline.api import reports
from sightline.api.access import Caller
from sightline.api.mcp.brief import BUDGET
from sightline.api.mcp.tools import NOTHING_CHANGES, read, schema_of, text_of
from sightline.api.questions import Text
from sightline.api.reports import MAX_ABOUT, ReportRequest, ReportView
from sightline.api.service import Service

#: Seconds that who asks after a report waits for its end, and between two looks at it.
PATIENCE, INTERVAL = 10.0, 0.5
#: The file that is read, and characters of it in one answer: some are left for the rest.
FILE, PART = "report.md", BUDGET - 1_500


class _About(BaseModel):
    """What a report is to be about."""

    model_config = ConfigDict(extra="forbid")

    about: list[Text] = Field(
        [], max_length=MAX_ABOUT, description="Entities; none: the best connected ones."
    )


class OrderReport:
    """A report is ordered.

    Args:
        begin: called once one is, where nobody else sees to it that jobs are done.

    Attributes:
        role: who may call it.
    """

    role = "ask"
    adapter: TypeAdapter[_About] = TypeAdapter(_About)
    tool = Tool(
        name="order_report",
        description="Order a batch report: findings, facts, predictions with their support, "
        "method. It is made in the background, within minutes; `report` reads it by its id.",
        input_schema=schema_of(adapter),
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, open_world_hint=False
        ),
    )

    def __init__(self, begin: Callable[[], object]) -> None:
        self._begin = begin

    def question(self, arguments: Mapping[str, Any] | None) -> _About:
        """The question of a call. One text is a list of one: models forget that.

        Raises:
            UsageError: the arguments cannot be read.
        """
        given = dict(arguments or {})
        if isinstance(given.get("about"), str):
            given["about"] = [given["about"]]
        return read(self.adapter, given)

    async def call(self, service: Service, caller: Caller, question: _About) -> CallToolResult:
        """Where the report stands that was ordered."""

        def order() -> CallToolResult:
            wanted = ReportRequest(about=question.about, sections=None)
            return _told(reports.view_of(service, reports.order(service, caller, wanted)))

        ordered = await service.own.run(order, payer=caller.budget)
        self._begin()
        return ordered


class _Wanted(BaseModel):
    """Which report, and from where on."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(max_length=64, description="What `order_report` answered.")
    line: int = Field(
        0, ge=0, le=10_000_000, description="Read on from this line: `next` of the part before."
    )


class ReadReport:
    """A report is waited for, and read as Markdown in parts.

    Attributes:
        role: who may call it.
    """

    role = "ask"
    adapter: TypeAdapter[_Wanted] = TypeAdapter(_Wanted)
    tool = Tool(
        name="report",
        description="Where a report stands that was ordered; once it is done its text, Markdown "
        f"in parts. While it is being made this answers after {PATIENCE:g} seconds: ask again.",
        input_schema=schema_of(adapter),
        annotations=NOTHING_CHANGES,
    )

    def question(self, arguments: Mapping[str, Any] | None) -> _Wanted:
        """The question of a call.

        Raises:
            UsageError: the arguments cannot be read.
        """
        return read(self.adapter, arguments or {})

    async def call(self, service: Service, caller: Caller, question: _Wanted) -> CallToolResult:
        """Where it stands, or a part of it."""

        def look() -> CallToolResult | None:
            job = reports.job_of(service, caller, question.id)
            if not job.ended and loop.time() < end:
                return None
            view = reports.view_of(service, job)
            if job.result is None:
                return _told(view)
            text = reports.file_of(service, job, FILE).read_text(encoding="utf-8")
            return _told(view, *_part(text.splitlines(), question.line))

        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while (found := await service.own.run(look, payer=caller.budget)) is None:
            await asyncio.sleep(INTERVAL)
        return found


def _part(lines: list[str], start: int) -> tuple[str, int | None]:
    """As many lines as fit, at least one, and the number of the first that does not; none: no
    more."""
    sizes = accumulate(len(orjson.dumps(line)) for line in lines[start:])
    fitting = max(1, sum(1 for _ in takewhile(lambda size: size <= PART, sizes)))
    text = "\n".join(lines[start : start + fitting])
    if len(text) > PART:
        text = f"{text[:PART]}… ({len(text) - PART} more characters in the file)"
    end = start + fitting
    return text, end if end < len(lines) else None


def _told(view: ReportView, text: str = "", following: int | None = None) -> CallToolResult:
    """Where a report stands, with a part of it."""
    values = {
        "id": view.id,
        "state": view.state,
        "title": view.title,
        "done": view.done,
        "total": view.total,
        "left": view.left,
        "headline": view.headline,
        "error": view.error,
        "files": [file.href for file in view.files],
        "text": text,
        "next": following,
    }
    values = {name: value for name, value in values.items() if value not in (None, "", [])}
    said = [f"report {view.id} ({view.title}): {view.state}"]
    if view.total and view.state == "running":
        said.append(f"{view.done} of {view.total} entities are written")
    if view.error:
        said.append(view.error)
    if not text and view.state in ("queued", "running"):
        said.append("ask `report` again with this id")
    if text:
        said += ["", text]
    if following is not None:
        said += ["", f"there is more: ask with line {following}"]
    return CallToolResult(content=[text_of("\n".join(said))], structured_content=values)
