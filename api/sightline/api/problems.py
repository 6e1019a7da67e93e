"""Errors as RFC 9457 problem details: one shape, one plain sentence, the way out.

Knows HTTP and the error tree; knows no route. What nobody foresaw is logged and answered without
its details.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from contextvars import ContextVar
from http import HTTPStatus
from math import ceil

import orjson
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from sightline.api.errors import OverBudget
from sightline.graph.errors import SightlineError

MEDIA_TYPE = "application/problem+json"
#: What a client that was turned away has to know: how to say who it is, when to try again.
_HEADERS = {
    401: {"WWW-Authenticate": 'Bearer realm="sightline"'},
    429: {"Retry-After": "1"},
    503: {"Retry-After": "5"},
}
#: Headers that tell of a text which a problem report takes the place of.
_OF_TEXT = (b"content-type", b"content-length")
#: The id of the request that is being answered.
request_id: ContextVar[str] = ContextVar("request_id", default="")
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
    if ident := request_id.get():
        body["instance"] = f"urn:sightline:request:{ident}"
    return Response(
        orjson.dumps(body),
        status,
        {"Cache-Control": "no-store", **_HEADERS.get(status, {}), **(headers or {})},
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


def of_sightline(error: SightlineError) -> Response:
    """An error of the tree as a response."""
    wait = {"Retry-After": str(ceil(error.wait))} if isinstance(error, OverBudget) else {}
    return problem(error.status, error.kind, error.public, error.extra, wait)


def register(app: FastAPI) -> None:
    """Answer every error of this app with a problem report."""
    app.add_exception_handler(SightlineError, _sightline)
    app.add_exception_handler(HTTPException, _http)


def of_plain(status: int, said: str, headers: Sequence[tuple[bytes, bytes]]) -> Response:
    """A refusal that something below this service wrote as plain text, as a problem report.

    Args:
        headers: of that refusal; those that do not tell of its text are kept.
    """
    kept = {k.decode("latin-1"): v.decode("latin-1") for k, v in headers if k not in _OF_TEXT}
    phrase = HTTPStatus(status).phrase
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        said = "the header Range asks for what lies beyond the end; Content-Range says the size"
    return problem(status, _kind(phrase), said or phrase.lower(), headers=kept)


def _kind(phrase: str) -> str:
    return phrase.lower().replace(" ", "-").replace("'", "")


def unforeseen(error: Exception, path: str) -> Response:
    """Log an error that nobody foresaw, and say only that there was one."""
    return problem(*mishap(error, path))


def mishap(error: Exception, where: str) -> tuple[int, str, str]:
    """Log an error that nobody foresaw; status, kind and sentence of what may be said of it."""
    place = where.encode("ascii", "replace")[:200]
    log.error("internal error at %s, request %s", place, request_id.get(), exc_info=error)
    detail = "something went wrong inside the service; its log says what, please report it"
    return 500, "internal-error", detail


async def _sightline(request: Request, error: Exception) -> Response:
    assert isinstance(error, SightlineError)
    return of_sightline(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status, headers = HTTPStatus(error.status_code), dict(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed(request))
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
    detail = error.detail
    if detail == status.phrase:
        path = request.scope["path"][:200]
        known = [route.path for route in request.app.router.routes if isinstance(route, Route)]
        near = difflib.get_close_matches(path, known, n=1, cutoff=0.8)
        meant = f"did you mean {near[0]}? " if near else ""
        detail = _PLAIN.get(status, detail).format(method=request.method, path=path, meant=meant)
    return problem(status, _kind(status.phrase), detail, headers=headers)


def _allowed(request: Request) -> list[str]:
    """The methods that some route takes at the path of a request."""
    found = {"OPTIONS"}
    for route in request.app.router.routes:
        if isinstance(route, Route) and route.path_regex.match(request.scope["path"]):
            found |= route.methods or set()
    return sorted({*found, "HEAD"} if "GET" in found else found)


_PLAIN: dict[int, str] = {
    404: "there is no {path}; {meant}/docs lists what there is",
    405: "{path} does not take {method}; the header Allow says what it takes",
}
