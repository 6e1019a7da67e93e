"""The routes under ``/v1`` that ask the graph and the model.

Each names a question, resolves its references and hands it to ``answers``. Knows the method of
``insights`` behind a route; knows no ranking and no header.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from sightline.api.answers import answer, choose, cursor_of, offset_of, to_json
from sightline.api.graphs import FORMATS
from sightline.api.problems import of_error
from sightline.api.questions import (
    MAX_ANSWERS,
    MAX_TEXT,
    PROBLEMS,
    Answers,
    Cursor,
    DirectionName,
    EntityId,
    EntityPage,
    Failed,
    Found,
    K,
    Limit,
    Pattern,
    PredictionBody,
    Predictions,
    Question,
    Questions,
    RelatedAnswer,
    RelationName,
    RelationPage,
    Relations,
    SimilarAnswer,
    Source,
    Target,
    Types,
    Without,
    between,
)
from sightline.api.service import Service
from sightline.graph.errors import SightlineError, UsageError
from sightline.graph.progress import stop_if_cancelled
from sightline.insights.ask import Sightline
from sightline.insights.names import Names
from sightline.insights.records import (
    EntityRef,
    EntityView,
    Neighborhood,
    PathsView,
    Schema,
    Stats,
)

#: How far into the matches of a search pages reach.
MAX_SEARCH = 1000
#: The rest of a path under /v1/entities may hold slashes: see ``boundary``.
ENTITY = "/entities/{id:path}"

router = APIRouter(prefix="/v1", responses=PROBLEMS)


def says(model: Any, about: str) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI tells about a good answer. It is made of records, so it is not validated."""
    return {200: {"model": model, "description": about}}


@router.get("/entities", tags=["entities"], responses=says(EntityPage, "Best first."))
async def entities(
    request: Request,
    q: Annotated[
        str | None,
        Query(
            max_length=200,
            description="A label, an IRI or a CURIE, or how a word of the label begins; one typo "
            "is forgiven. Without it entities are listed, by IRI.",
            examples=["ken"],
        ),
    ] = None,
    type: Annotated[
        str | None, Query(max_length=MAX_TEXT, description="Only entities of this type.")
    ] = None,
    limit: Limit = 10,
    cursor: Cursor = None,
) -> Response:
    """Find entities by name, or list them."""

    def ask(sight: Sightline) -> EntityPage:
        class_id = None if type is None else sight.snapshot.resolve_class(type)
        start = offset_of(sight.snapshot, cursor)
        find = _list if q is None else _search
        found, more = find(sight, q or "", class_id, start, limit)
        return EntityPage(found, cursor_of(sight.snapshot, start + limit) if more else None)

    return await answer(request, ask)


def _search(
    sight: Sightline, query: str, class_id: int | None, start: int, limit: int
) -> tuple[tuple[Found, ...], bool]:
    """One page of matches, and whether another follows."""
    if start >= MAX_SEARCH:
        return (), False
    wanted = min(start + limit + 1, MAX_SEARCH)
    hits = sight.search(query, class_id=class_id, limit=wanted)
    page = tuple(_found(h.entity, h.degree, h.how) for h in hits[start : start + limit])
    return page, len(hits) > start + limit


def _list(
    sight: Sightline, query: str, class_id: int | None, start: int, limit: int
) -> tuple[tuple[Found, ...], bool]:
    """One page of all entities, or of all entities of a class, and whether another follows."""
    graph, names = sight.snapshot, Names(sight.snapshot)
    if class_id is None:
        total = graph.num_entities
        ids = list(range(start, min(start + limit, total)))
    else:
        members = np.flatnonzero(graph.members(class_id))
        total, ids = len(members), members[start : start + limit].tolist()
    page = tuple(_found(names.entity(e), int(graph.degree[e]), None) for e in ids)
    return page, total > start + limit


def _found(entity: EntityRef, degree: int, how: str | None) -> Found:
    return Found(entity.id, entity.iri, entity.label, entity.types, degree, how)


@router.get(
    ENTITY + "/related", tags=["entities"], responses=says(RelatedAnswer, "Strongest first.")
)
async def related(
    request: Request,
    id: EntityId,
    relation: RelationName = None,
    direction: DirectionName = "both",
    k: K = 10,
    known: Annotated[bool, Query(description="Show what the graph states.")] = True,
    predicted: Annotated[bool, Query(description="Show what the model predicts.")] = True,
) -> Response:
    """What an entity is related to: stated facts and predicted ones, marked as such."""

    def ask(sight: Sightline) -> RelatedAnswer:
        graph = sight.snapshot
        entity = graph.resolve_entity(id)
        rel = None if relation is None else graph.resolve_relation(relation)
        found = sight.related(
            entity, relation=rel, direction=direction, k=k, known=known, predicted=predicted
        )
        return RelatedAnswer(Names(graph).entity(entity), found)

    return await answer(request, ask)


@router.get(ENTITY + "/similar", tags=["entities"], responses=says(SimilarAnswer, "Nearest first."))
async def similar(
    request: Request,
    id: EntityId,
    k: K = 10,
    same_type: Annotated[bool, Query(description="Only entities that share a type.")] = True,
) -> Response:
    """The nearest entities in the learned space."""

    def ask(sight: Sightline) -> SimilarAnswer:
        entity = sight.snapshot.resolve_entity(id)
        found = sight.similar(entity, k=k, same_type=same_type)
        return SimilarAnswer(Names(sight.snapshot).entity(entity), found)

    return await answer(request, ask)


@router.get(
    ENTITY + "/neighborhood",
    tags=["entities"],
    responses={
        200: {
            "model": Neighborhood,
            "description": "The header Accept chooses the format.",
            "content": {name: {} for name in list(FORMATS)[1:]},
        }
    },
)
async def neighborhood(
    request: Request,
    id: EntityId,
    hops: Annotated[int, between("hops", "How many facts away,")] = 1,
    limit: Annotated[int, between("limit", "How many entities,")] = 50,
    relations: Relations = (),
) -> Response:
    """The graph around an entity, hubs sampled fairly: to look at, or for another tool."""
    media_type = choose(request.headers.get("accept"), list(FORMATS))

    def ask(sight: Sightline) -> Neighborhood:
        graph = sight.snapshot
        allowed = [graph.resolve_relation(name) for name in relations]
        entity = graph.resolve_entity(id)
        return sight.neighborhood(entity, hops=hops, limit=limit, relations=allowed)

    return await answer(request, ask, media_type, FORMATS[media_type])


# After the routes above: an id may hold slashes, so this one matches what they match, too.
@router.get(
    ENTITY, tags=["entities"], responses=says(EntityView, "Labels, types, attributes, degrees.")
)
async def entity(request: Request, id: EntityId) -> Response:
    """What the graph holds about one entity."""
    return await answer(request, lambda sight: sight.entity(sight.snapshot.resolve_entity(id)))


@router.get("/paths", tags=["paths"], responses=says(PathsView, "Best first."))
async def paths(
    request: Request,
    source: Source,
    target: Target,
    max_hops: Annotated[int, between("max_hops", "Longest path,")] = 3,
    k: K = 10,
    include: Relations = (),
    exclude: Without = (),
    types: Types = (),
    pattern: Pattern = None,
    deadline_ms: Annotated[int, between("deadline_ms", "Answer after this many ms,")] = 1000,
) -> Response:
    """How two entities are connected: paths ranked so that hubs do not flood them."""

    def ask(sight: Sightline) -> PathsView:
        graph = sight.snapshot
        return sight.paths(
            graph.resolve_entity(source),
            graph.resolve_entity(target),
            max_hops=max_hops,
            k=k,
            include=[graph.resolve_relation(name) for name in include],
            exclude=[graph.resolve_relation(name) for name in exclude],
            types=[graph.resolve_class(name) for name in types],
            pattern=pattern,
            deadline_ms=deadline_ms,
        )

    return await answer(request, ask, dear=True)


@router.post(
    "/predictions", tags=["predictions"], responses=says(Predictions | Answers, "Likeliest first.")
)
async def predictions(request: Request, body: PredictionBody) -> Response:
    """What is missing: the likeliest answers to facts with one gap, with what speaks for them.

    One question is answered by `predictions`; several by `answers`, one each and in their order,
    in which a question that cannot be answered has a `problem` instead.
    """
    service: Service = request.app.state.service
    sight = service.served.sight
    if isinstance(body, Question):
        one = body
        made = await service.cheap.run(lambda: to_json(_predict(sight, one)), request)
    else:
        many = body
        if sum(question.k for question in many.questions) > MAX_ANSWERS:
            raise UsageError(
                f"the questions ask for more than {MAX_ANSWERS} answers together; lower their k"
            )
        made = await service.dear.run(lambda: to_json(_predict_each(sight, many)), request)
    return Response(made, headers={"Cache-Control": "no-store"}, media_type="application/json")


def _predict(sight: Sightline, question: Question) -> Predictions:
    graph = sight.snapshot
    found = sight.predict(
        None if question.head is None else graph.resolve_entity(question.head),
        None if question.relation is None else graph.resolve_relation(question.relation),
        None if question.tail is None else graph.resolve_entity(question.tail),
        k=question.k,
        new_only=question.new_only,
        coverage=question.coverage,
    )
    return Predictions(found)


def _predict_each(sight: Sightline, body: Questions) -> Answers:
    made: list[Predictions | Failed] = []
    for question in body.questions:
        stop_if_cancelled()
        try:
            made.append(_predict(sight, question))
        except SightlineError as error:
            made.append(Failed(of_error(error)))
    return Answers(tuple(made))


@router.get("/relations", tags=["graph"], responses=says(RelationPage, "Most used first."))
async def relations(request: Request, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """The relations, how often each is stated, and how many it links on each side."""

    def ask(sight: Sightline) -> RelationPage:
        start = offset_of(sight.snapshot, cursor)
        found = sight.relations()
        more = len(found) > start + limit
        page = tuple(found[start : start + limit])
        return RelationPage(page, cursor_of(sight.snapshot, start + limit) if more else None)

    return await answer(request, ask)


@router.get("/schema", tags=["graph"], responses=says(Schema, "The graph of types."))
async def schema(request: Request) -> Response:
    """The types, and which relations run from which type to which."""
    return await answer(request, lambda sight: sight.schema())


@router.get("/stats", tags=["graph"], responses=says(Stats, "Counts."))
async def stats(request: Request) -> Response:
    """How much there is, and which snapshot and model are served."""
    return await answer(request, lambda sight: sight.stats())
