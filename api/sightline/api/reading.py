"""Reads what a request asks: its parameters or its body become one checked model, and what is wrong
with them one sentence with the way out.

Knows how a question may come in; knows no question and no answer.
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Collection, Sequence
from inspect import signature
from typing import Any, get_origin

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import QueryParams
from starlette.responses import Response

from sightline.api.access import require, roles_of
from sightline.api.service import Service
from sightline.graph.errors import OutOfRange, UsageError
from sightline.graph.snapshot.errors import UnknownQualifier
from sightline.insights.conditions import BOUNDS

#: The parameter that takes those of other names, which are conditions: ``min_rating=4``.
WHERE = "where"
#: What clients of a protocol send along, whether or not the service takes it.
SENT_ALONG = {"/sparql": ("format", "output", "results", "infer", "timeout")}


class Route(APIRoute):
    """A route whose endpoint is given the request, the parts of its path, and what is ``asked``, if
    it takes that. FastAPI documents it only: it would take each parameter for itself, and read
    bodies while nobody else is answered.

    Attributes:
        roles: those of which a caller needs one, as ``openapi_extra=may(...)`` declares them.
    """

    roles: frozenset[str]

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """What answers a request.

        Raises:
            TypeError: the route does not declare whom it answers.
            NoToken, NotAllowed: by the handler, the caller is none of those.
            UsageError: by the handler, it cannot be read.
        """
        self.roles = roles = roles_of(self.openapi_extra)
        endpoint, known = self.endpoint, [p.alias for p in self.dependant.query_params]
        asked = signature(endpoint, eval_str=True).parameters.get("asked")
        adapter: TypeAdapter[Any] | None = None
        if asked is not None:
            adapter = TypeAdapter(asked.annotation)
        many: set[str] = set()
        in_query = adapter is not None and not self.dependant.body_params
        if in_query:
            model: Any = self.dependant.query_params[0].field_info.annotation
            known, fields = list(model.model_fields), model.model_fields
            many = {name for name, field in fields.items() if get_origin(field.annotation) is tuple}
        elif adapter is not None and _takes_nothing(adapter):
            self.openapi_extra = {**(self.openapi_extra or {}), "requestBody": {"required": False}}
        passed = {*known, *SENT_ALONG.get(self.path, ())}

        async def handle(request: Request) -> Response:
            require(request.scope, roles)
            query, given = request.query_params, request.path_params
            others = [name for name in query if name not in passed]
            if others and WHERE not in many:
                raise _unknown(f"parameter {others[0]!r:.80}", others[0], known)
            if in_query and len(query.multi_items()) > len(query):
                _require_once(query, passed - set(many))
            if adapter is not None and in_query:
                given = {**given, "asked": _read_query(adapter, query, many, others)}
            elif adapter is not None:
                given = {**given, "asked": await _read_body(adapter, request)}
            try:
                found: Response = await endpoint(request=request, **given)
            except UnknownQualifier as error:
                for name in others:
                    if error.ref in (name, name[4:]):
                        near = [start + q for q in error.nearest for start in ("", *BOUNDS)]
                        raise _unknown(f"parameter {name!r:.80}", name, [*known, *near]) from error
                raise
            return found

        return handle


def _require_once(query: QueryParams, single: Collection[str]) -> None:
    """Check that what takes one value is given one.

    Raises:
        UsageError
    """
    for name in query:
        if name in single and len(query.getlist(name)) > 1:
            times = len(query.getlist(name))
            raise UsageError(f"parameter {name!r} is given {times} times, and takes one value")


def _read_query(
    adapter: TypeAdapter[Any], query: QueryParams, many: Collection[str], others: Sequence[str]
) -> Any:
    given = {
        name: query.getlist(name) if name in many else query[name]
        for name in query
        if name not in others
    }
    if others:
        said = (f"{name}={value}" for name in others for value in query.getlist(name))
        given[WHERE] = [*given.get(WHERE, ()), *said]
    try:
        return adapter.validate_python(given)
    except ValidationError as error:
        raise wrong(adapter, error) from None


def _takes_nothing(adapter: TypeAdapter[Any]) -> bool:
    """Whether every member of a body may be left out."""
    try:
        adapter.validate_python({})
    except ValidationError:
        return False
    return True


async def _read_body(adapter: TypeAdapter[Any], request: Request) -> Any:
    sent = request.headers.get("content-type", "")
    kind = sent.partition(";")[0].strip().lower()
    body = await request.body()
    # Who leaves everything as it is need not say so.
    if body and kind != "application/json" and not kind.endswith("+json"):
        raise UsageError(
            f"the body must be JSON and its Content-Type is {sent or 'missing':.80}; send it with "
            "the header Content-Type: application/json"
        )

    def read() -> Any:
        try:
            return adapter.validate_json(body or b"{}")
        except ValidationError as error:
            raise wrong(adapter, error) from None

    service: Service = request.app.state.service
    return await service.cheap.run(read)


def wrong(adapter: TypeAdapter[Any], error: ValidationError) -> UsageError:
    """What is wrong with a question: it names the parameter and what that may be."""
    # What is misspelt is missing, too: its name helps more.
    every = error.errors(include_url=False)
    found = next((one for one in every if one["type"] == "extra_forbidden"), every[0])
    parts = [str(part) for part in found["loc"] if part not in ("one", "many")] or ["the body"]
    name, where = parts[-1], ".".join(parts)
    schema = adapter.json_schema()
    declared: dict[str, Any] = {}
    for part in (schema, *schema.get("$defs", {}).values()):
        declared |= part.get("properties", {})
    options = [declared.get(name, {}), *declared.get(name, {}).get("anyOf", [])]
    number = next((option for option in options if "minimum" in option), None)
    message = found["msg"]
    if found["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return _unknown(f"parameter {where!r:.80}", name, list(declared))
    if found["type"] == "json_invalid":
        return UsageError(f"the body is no JSON: {found['ctx']['error']}")
    if found["type"] == "missing":
        return UsageError(f"{where} is missing")
    if number is not None:
        low, high = number["minimum"], number["maximum"]
        if found["type"] in ("greater_than_equal", "less_than_equal"):
            return OutOfRange(where, found["input"], low, high)
        kind = "whole number" if number["type"] == "integer" else "number"
        message = f"it must be a {kind}, {low:.9g} to {high:.9g}"
    if found["type"] == "tuple_type":
        message = "it must be a list"
    return UsageError(f"{where} cannot be used: {message[:1].lower()}{message[1:]}")


def _unknown(what: str, name: str, known: Sequence[str]) -> UsageError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]}?" if near else ""
    return UsageError(f"there is no {what}{meant}; allowed are: {', '.join(known) or 'none'}")
