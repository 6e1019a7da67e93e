"""Errors as RFC 9457 problem details: one shape, one plain sentence, the way out.

Knows HTTP and the error tree; knows no route. What nobody foresaw is logged and answered without
its details.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sightline.graph.errors import OutOfRange, SightlineError, UsageError
from sightline.graph.paths.kernels import MAX_HOPS as MAX_PATH_HOPS
from sightline.insights.ask import COVERAGE, MAX_HOPS, MAX_K

MEDIA_TYPE = "application/problem+json"
#: Seconds after which a client that was turned away may try again.
RETRY_AFTER = {429: "1", 503: "5"}
#: What may be asked for, by parameter: lowest, highest.
RANGES = {
    "k": (1, MAX_K),
    "limit": (1, MAX_K),
    "hops": (1, MAX_HOPS),
    "max_hops": (1, MAX_PATH_HOPS),
    "deadline_ms": (1, 10_000),
    "coverage": COVERAGE,
}

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


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    said = as_usage_error(error.errors()[0])
    return problem(said.status, said.kind, str(said), said.extra)


def as_usage_error(found: dict[str, Any]) -> UsageError:
    """A validation error as one sentence that names the parameter and what it may be."""
    name, where = _name(found["loc"])
    value, message = found.get("input"), str(found["msg"])
    if found["type"] in ("greater_than_equal", "less_than_equal") and name in RANGES:
        return OutOfRange(where, value, *RANGES[name])
    if found["type"] == "json_invalid":
        return UsageError(f"the body is no JSON: {found.get('ctx', {}).get('error', message)}")
    if found["type"] == "missing":
        return UsageError(f"{where} is missing")
    if name in RANGES:
        low, high = RANGES[name]
        kind = "whole number" if isinstance(low, int) else "number"
        message = f"it must be a {kind}, {low} to {high}"
    return UsageError(f"{where} cannot be used: {message[:1].lower()}{message[1:]}")


def _name(place: Sequence[object]) -> tuple[str, str]:
    """The parameter's own name, and its name with where it is, such as ``questions.0.k``."""
    parts = [str(part) for part in place if part not in ("one", "many")]
    inner = parts[1:] or ["the body"]
    return inner[-1], ".".join(inner)
