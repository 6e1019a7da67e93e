"""What every request passes on its way in, and every answer on its way out.

Routes entities on the raw path, bounds bodies, answers HEAD, adds the headers that keep a browser
from being misused, and turns what nobody foresaw into a problem report. Plain ASGI, because it is
on the way of every request. Knows no answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline.api.problems import problem, unforeseen

#: Bytes that a request may send.
MAX_BODY = 1 << 20
#: Seconds that a request may take to send them.
BODY_TIMEOUT = 15.0
#: Bytes of path and query.
MAX_TARGET = 16_384
#: An entity's id may hold an encoded slash; below this prefix the path stays as it was sent.
RAW = b"/v1/entities/"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Sequence[tuple[bytes, bytes]] = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Door:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, scope["method"] == "HEAD")
        try:
            await self._enter(scope, receive, answer)
        except Exception as error:
            if answer.started:
                raise
            await unforeseen(error, scope["path"])(scope, receive, answer)

    async def _enter(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        raw: bytes = scope["raw_path"]
        if len(raw) + len(scope["query_string"]) > MAX_TARGET:
            refused = problem(414, "uri-too-long", f"the address is longer than {MAX_TARGET} bytes")
            await refused(scope, receive, answer)
            return
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}:
            # Where a proxy believes one length and we the other, a request can hide in a body.
            detail = "a request has a Content-Length or a Transfer-Encoding, not both"
            refused = problem(400, "bad-request", detail, headers={"Connection": "close"})
            await refused(scope, receive, answer)
            return
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        if raw.startswith(RAW):
            scope = {**scope, "path": raw.decode("latin-1")}
        if scope["method"] not in ("GET", "DELETE", "OPTIONS"):
            try:
                async with asyncio.timeout(BODY_TIMEOUT):
                    body = await _read(receive)
            except TimeoutError:
                detail = f"the body did not arrive within {BODY_TIMEOUT:g} seconds"
                await problem(408, "request-timeout", detail)(scope, receive, answer)
                return
            if body is None:
                detail = f"the body is larger than {MAX_BODY} bytes; send less at once"
                await problem(413, "content-too-large", detail)(scope, receive, answer)
                return
            receive = _Replay(body, receive)
        await self.app(scope, receive, answer)


async def _read(receive: Receive) -> bytes | None:
    """The whole body, or None if it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


class _Replay:
    """Hands over a body that was read already, then what follows it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class _Answer:
    """Sends an answer with the common headers, and without a body where none was asked for."""

    def __init__(self, send: Send, bodiless: bool) -> None:
        self.started = False
        self._send = send
        self._bodiless = bodiless

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            own = {name.lower() for name, _ in message["headers"]}
            more = (header for header in HEADERS if header[0] not in own)
            message = {**message, "headers": [*message["headers"], *more]}
        elif self._bodiless:
            message = {**message, "body": b""}
        await self._send(message)
