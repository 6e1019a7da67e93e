"""The watch list of whoever asks, over HTTP: read, changed, removed.

Knows how it is asked for; what is new about the watched is told by the kind of answer ``changes``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from sightline.api.access import caller_of, may
from sightline.api.answers import JSON, to_json
from sightline.api.questions import PROBLEMS, Text
from sightline.api.reading import Route
from sightline.api.service import Service
from sightline.graph.errors import OutOfRange
from sightline.graph.snapshot.errors import UnknownEntity
from sightline.graph.storage import watch as stored
from sightline.graph.storage.watch import Watch
from sightline.graph.storage.workspace import Workspace
from sightline.insights.ask import Sightline
from sightline.insights.kind import MAX_NAMES
from sightline.insights.records import EntityRef

router = APIRouter(prefix="/v1/watch", tags=["graph"], responses=PROBLEMS, route_class=Route)


class WatchRequest(BaseModel):
    """What is to become of the list."""

    model_config = ConfigDict(extra="forbid")

    add: list[Text] = Field([], max_length=MAX_NAMES, description="Entities to watch.")
    remove: list[Text] = Field([], max_length=MAX_NAMES, description="Entities to watch no more.")
    seen: bool = Field(False, description="What the served snapshot says has been looked at.")


@dataclass(frozen=True, slots=True)
class WatchList:
    """The watch list of whoever asks.

    Attributes:
        since: the snapshot in which the entities were last looked at; null where none is watched.
        entities: one that the graph does not hold any more has its id for a label.
        changes: what answers what is new about them since; null where none is watched.
    """

    since: str | None
    entities: tuple[EntityRef, ...]
    changes: str | None


Asked = Annotated[WatchRequest, Body(openapi_examples={"one": {"value": {"add": ["Kenya"]}}})]


@router.get("", responses={200: {"model": WatchList}}, openapi_extra=may("read"))
async def watch_list(request: Request) -> Response:
    """What is watched. A token has a list of its own; without one it is that of the workspace."""
    return await _answered(request, lambda ws, _, owner: stored.lists(ws).get(owner))


@router.post("", responses={200: {"model": WatchList}}, openapi_extra=may("ask"))
async def change_watch_list(request: Request, asked: Asked) -> Response:
    """Watch entities, or no more; note that what is new about them has been looked at."""

    def change(ws: Workspace, sight: Sightline, owner: str | None) -> Watch | None:
        graph = sight.snapshot
        add = [graph.entity_iris[graph.resolve_entity(name)] for name in asked.add]
        remove = [_iri(sight, name) for name in asked.remove]
        found = stored.lists(ws).get(owner)
        left = {*(found.entities if found else ()), *add} - {*remove}
        if len(left) > MAX_NAMES:
            raise OutOfRange("the number of watched entities", len(left), 0, MAX_NAMES)
        if add or remove:
            found = stored.watch(ws, graph.id, add, remove, owner)
        return stored.seen(ws, graph.id, owner) if asked.seen else found

    return await _answered(request, change)


@router.delete("", responses={200: {"model": WatchList}}, openapi_extra=may("ask"))
async def remove_watch_list(request: Request) -> Response:
    """Watch nothing any more. Answers with the list as it was."""

    def end(ws: Workspace, _: Sightline, owner: str | None) -> Watch | None:
        found = stored.lists(ws).get(owner)
        stored.forget(ws, owner)
        return found

    return await _answered(request, end)


async def _answered(
    request: Request, look: Callable[[Workspace, Sightline, str | None], Watch | None]
) -> Response:
    service: Service = request.app.state.service
    sight, owner = service.served.sight, caller_of(request.scope).owner

    def make() -> bytes:
        found = look(Workspace.open(service.folder), sight, owner)
        if found is None or not found.entities:
            return to_json(WatchList(None, (), None))
        asked = {"from": found.since, "about": found.entities}
        new = f"/v1/diff?{urlencode(asked, doseq=True)}" if owner else "/v1/diff?watched=true"
        return to_json(WatchList(found.since, tuple(_ref(sight, i) for i in found.entities), new))

    body = await service.own.run(make)
    return Response(body, headers={"Cache-Control": "no-store"}, media_type=JSON)


def _iri(sight: Sightline, name: str) -> str:
    """The entity of a name; one that is gone from the graph is known by its id."""
    graph = sight.snapshot
    try:
        return graph.entity_iris[graph.resolve_entity(name)]
    except UnknownEntity:
        return graph.iri(name)


def _ref(sight: Sightline, iri: str) -> EntityRef:
    graph = sight.snapshot
    entity = graph.entity_iris.find(iri)
    if entity is not None:
        return sight.names.entity(entity)
    return EntityRef(graph.curie(iri), iri, graph.curie(iri), ())
