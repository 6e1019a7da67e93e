"""Errors as RFC 9457 problem details: one shape, one plain sentence, the way out.

Knows HTTP and the error tree; knows no route. What nobody foresaw is logged and answered without
its details.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from http import HTTPStatus
from typing import Any, get_args

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sightline.api.questions import spans
from sightline.graph.errors import OutOfRange, SightlineError, UsageError

MEDIA_TYPE = "application/problem+json"
#: Seconds after which a client that was turned away may try again.
RETRY_AFTER = {429: "1", 503: "5"}
log = logging.getLogger("sightline.api")


def problem(
    status: int,
    kind: str,
    detail: str,
    extra: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem report as a response."""
    body = report(status, kind, detail, extra)
    retry = {"Retry-After": RETRY_AFTER[status]} if status in RETRY_AFTER else {}
    return Response(
        orjson.dumps(body),
        status,
        {"Cache-Control": "no-store", **retry, **(headers or {})},
        MEDIA_TYPE,
    )


def report(
    status: int, kind: str, detail: str, extra: dict[str, object] | None = None
) -> dict[str, object]:
    """The members of a problem report."""
    return {
        "type": f"urn:sightline:problem:{kind}",
        "title": kind.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail.encode("utf-8", "replace").decode(),
        **(extra or {}),
    }


def of_error(error: SightlineError) -> dict[str, object]:
    """The report of an error of the tree."""
    return report(error.status, error.kind, error.public, error.extra)


def register(app: FastAPI) -> None:
    """Answer every error of this app with a problem report."""
    app.add_exception_handler(SightlineError, _sightline)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def unforeseen(error: Exception, path: str) -> Response:
    """Log an error that nobody foresaw, and say only that there was one."""
    log.error("internal error at %s", path.encode("ascii", "replace")[:200], exc_info=error)
    detail = "something went wrong inside the service; its log says what, please report it"
    return problem(500, "internal-error", detail)


async def _sightline(request: Request, error: Exception) -> Response:
    assert isinstance(error, SightlineError)
    return problem(error.status, error.kind, error.public, error.extra)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    kind = status.phrase.lower().replace(" ", "-").replace("'", "")
    detail = error.detail
    if detail == status.phrase:
        detail = _PLAIN.get(status, detail).format(
            method=request.method, path=request.scope["path"][:200]
        )
    return problem(status, kind, detail, headers=dict(error.headers or {}))


_PLAIN: dict[int, str] = {
    404: "there is no {path}; /docs lists what there is",
    405: "{path} does not take {method}; the header Allow says what it takes",
}


#: What clients of a protocol send along, whether or not the service takes it.
SENT_ALONG = {"/sparql": ("format", "output", "results", "infer", "timeout")}


async def refuse_unknown(request: Request) -> None:
    """Refuse a query parameter that the route does not take: a dependency of every route.

    Raises:
        UsageError
    """
    route = request.scope["route"]
    known = _names(route.dependant.query_params)
    for name in request.query_params:
        if name not in known and name not in SENT_ALONG.get(route.path, ()):
            raise UsageError(_unknown(f"parameter {name!r:.80}", name, known))


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]}?" if near else ""
    return f"there is no {what}{meant}; allowed are: {', '.join(known) or 'none'}"


def _names(params: Sequence[Any]) -> list[str]:
    """The names of parameters, or of the members of a body."""
    found: list[str] = []
    for param in params:
        hint = param.field_info.annotation
        model = isinstance(hint, type) and issubclass(hint, BaseModel)
        found += _members(hint) if model or _members(hint) else [param.alias]
    return list(dict.fromkeys(found))


def _members(hint: Any) -> list[str]:
    """The names in a model, and in what it is made of."""
    inner = list(get_args(hint))
    own: list[str] = []
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        own = list(hint.model_fields)
        inner = [field.annotation for field in hint.model_fields.values()]
    elif is_dataclass(hint):
        own = [field.name for field in fields(hint)]
    return own + [name for part in inner for name in _members(part)]


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()[0]
    route = request.scope["route"]
    name, where = _name(found["loc"])
    if found["type"] == "extra_forbidden":
        known = _names([*route.dependant.query_params, *route.dependant.body_params])
        said: UsageError = UsageError(_unknown(where, name, known))
    elif found["loc"][0] == "body" and not _is_json(request):
        sent = request.headers.get("content-type") or "missing"
        said = UsageError(
            f"the body must be JSON and its Content-Type is {sent:.80}; send it with the "
            "header Content-Type: application/json"
        )
    else:
        kind = getattr(route.endpoint, "kind", None)
        said = as_usage_error(found, {} if kind is None else spans(kind))
    return problem(said.status, said.kind, str(said), said.extra)


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def as_usage_error(found: dict[str, Any], ranges: dict[str, tuple[float, float]]) -> UsageError:
    """A validation error as one sentence that names the parameter and what it may be."""
    name, where = _name(found["loc"])
    value, message = found.get("input"), str(found["msg"])
    if found["type"] in ("greater_than_equal", "less_than_equal") and name in ranges:
        return OutOfRange(where, value, *ranges[name])
    if found["type"] == "json_invalid":
        return UsageError(f"the body is no JSON: {found.get('ctx', {}).get('error', message)}")
    if found["type"] == "missing":
        return UsageError(f"{where} is missing")
    if name in ranges:
        low, high = ranges[name]
        kind = "whole number" if isinstance(low, int) else "number"
        message = f"it must be a {kind}, {low:g} to {high:g}"
    return UsageError(f"{where} cannot be used: {message[:1].lower()}{message[1:]}")


def _name(place: Sequence[object]) -> tuple[str, str]:
    """The parameter's own name, and its name with where it is, such as ``questions.0.k``."""
    parts = [str(part) for part in place if part not in ("one", "many")]
    inner = parts[1:] or ["the body"]
    return inner[-1], ".".join(inner)
