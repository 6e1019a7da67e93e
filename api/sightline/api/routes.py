"""The routes under ``/v1`` that ask the graph and the model: one for every kind of answer.

Knows how the declaration of a kind becomes a route, and what comes in becomes a question; knows no
kind and no header.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from inspect import Parameter, Signature
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from sightline.api.access import may
from sightline.api.answers import answer
from sightline.api.problems import of_error
from sightline.api.questions import MAX_ANSWERS, PROBLEMS, Failed, answers_of, batch_of, model_of
from sightline.api.reading import Route
from sightline.graph.errors import SightlineError, UsageError
from sightline.insights.ask import Sightline
from sightline.insights.kind import Kind


def router_of(kinds: Iterable[Kind[Any, Any]]) -> APIRouter:
    """The routes of some kinds of answer.

    An id may hold slashes (see ``boundary``): a path that ends with one matches what others under
    it match, too, so it comes last.
    """
    router = APIRouter(responses=PROBLEMS, route_class=Route)
    for kind in sorted(kinds, key=lambda kind: kind.path.endswith("}")):
        answered: dict[str, Any] = {
            "model": answers_of(kind.record) if kind.batch else kind.record,
            "description": kind.order,
            "content": {media_type: {} for media_type in kind.formats},
        }
        router.add_api_route(
            kind.path.replace("{id}", "{id:path}"),
            _endpoint(kind),
            methods=[kind.method],
            tags=[kind.tag],
            name=kind.name,
            description=kind.about,
            responses={200: answered},
            openapi_extra=may(role_of(kind)),
        )
    return router


def role_of(kind: Kind[Any, Any]) -> str:
    """Who may ask questions of a kind: those with a body can cost much."""
    return "read" if kind.method == "GET" else "ask"


def _endpoint(kind: Kind[Any, Any]) -> Callable[..., Awaitable[Response]]:
    """What answers a route, with a signature that FastAPI reads the question from."""
    model = model_of(kind)
    batch, one_or_many = batch_of(model)
    examples: Any = {name: {"value": value} for name, value in kind.examples.items()}
    hints: dict[str, Any] = {"request": Request, "asked": Annotated[model, Query()]}
    if kind.method == "POST":
        body = one_or_many if kind.batch else model
        hints["asked"] = Annotated[body, Body(openapi_examples=examples)]
    if "{id}" in kind.path:
        about = "What is asked about: a percent-encoded IRI, a CURIE, or a label."
        (of,) = (p.names for p in kind.parameters if p.name == "id")
        hints["id"] = Annotated[
            str, Path(description=about, examples=["Country" if of == "type" else "Kenya"])
        ]

    async def endpoint(request: Request, asked: Any, id: str | None = None) -> Response:
        if isinstance(asked, batch):
            questions = [_question(kind, one) for one in vars(asked)["questions"]]
            return await answer(request, kind, lambda sight: _each(kind, sight, questions), True)
        question = _question(kind, asked, id)
        return await answer(request, kind, lambda sight: kind.answer(sight, question), kind.dear)

    endpoint.__signature__ = Signature(  # type: ignore[attr-defined]
        [Parameter(name, Parameter.KEYWORD_ONLY, annotation=hint) for name, hint in hints.items()]
    )
    return endpoint


def _question(kind: Kind[Any, Any], asked: BaseModel, id: str | None = None) -> Any:
    """The question that was asked; an entity in the path unless it is a parameter."""
    given = {p.field: getattr(asked, p.name) for p in kind.parameters}
    if id is not None and given["id"] is None:
        given["id"] = unquote(id)
    return kind.question(**given)


def _each(kind: Kind[Any, Any], sight: Sightline, questions: list[Any]) -> dict[str, list[Any]]:
    """The answers to a batch; a question that cannot be answered has a problem instead."""
    if sum(question.k or 0 for question in questions) > MAX_ANSWERS:
        raise UsageError(
            f"the questions ask for more than {MAX_ANSWERS} answers together; lower their k"
        )
    assert kind.batch is not None
    made = kind.batch(sight, questions)
    return {"answers": [Failed(of_error(m)) if isinstance(m, SightlineError) else m for m in made]}
