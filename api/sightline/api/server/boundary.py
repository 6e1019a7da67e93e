"""What every request passes on its way in, and every answer on its way out.

Checks who is asked, gives the request an id, routes entities on the raw path, bounds bodies,
answers HEAD, adds the headers that keep a browser from being misused, turns what nobody foresaw
into a problem report, and counts and logs what became of it. Plain ASGI, because it is on the way
of every request. Knows no answer.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline.api.access import is_loopback, name_of
from sightline.api.metrics import REQUESTS
from sightline.api.problems import of_plain, problem, request_id, unforeseen
from sightline.api.terms import Terms
from sightline.api.ways import over_http
from sightline.graph.errors import in_words
from sightline.graph.progress import Cancelled

#: Bytes that a request may send, and colons or commas in JSON: no question has as many keys, IRIs
#: and values, and each wrong one would be an error of its own, found while nobody is answered.
MAX_BODY, MAX_VALUES = 1 << 20, 2048
#: Seconds that a request may take to send them.
BODY_TIMEOUT = 15.0
#: Bytes of path and query.
MAX_TARGET = 16_384
#: An id may hold an encoded slash; below these prefixes the path stays as it was sent.
RAW = (b"/v1/entities/", b"/v1/types/")
#: What takes a body of any size, piece by piece, and bounds it itself.
STREAMED = b"/v1/ingest"
METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Sequence[tuple[bytes, bytes]] = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


#: A request's id that its sender may choose.
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
#: Bytes of an answer that are handed over at once, so that a slow reader holds no more of it.
SLICE = 1 << 18


class Boundary:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, terms: Terms) -> None:
        self.app = app
        hosts = terms.hosts
        self._hosts = None if hosts is None else {"localhost", *map(str.lower, hosts)}
        self._origins = {origin.encode() for origin in terms.origins}
        self._log = terms.access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        fields = dict(scope["headers"])
        sent = fields.get(b"x-request-id", b"")
        ident = sent if _ID.fullmatch(sent) else secrets.token_hex(8).encode()
        request_id.set(ident.decode())
        in_words.set(over_http)
        answer = _Answer(send, scope["method"] == "HEAD", ident)
        inner = {**scope}
        try:
            await self._enter(inner, fields, receive, answer)
        except _Refused as refused:
            await problem(*refused.args)(inner, receive, answer)
        except Cancelled:
            pass  # Nobody is there to be answered.
        except Exception as error:
            if answer.started:
                raise
            await unforeseen(error, scope["path"])(inner, receive, answer)
        finally:
            self._note(scope, inner, answer, time.perf_counter() - start)

    def _note(self, scope: Scope, inner: Scope, answer: _Answer, seconds: float) -> None:
        """Count a request, and write its line: never what it asks for beside its path."""
        route = getattr(inner.get("route"), "path", "-")
        method = scope["method"] if scope["method"] in METHODS else "-"
        REQUESTS.labels(method, route, str(answer.status)).observe(seconds)
        if self._log:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            path = quote(scope["raw_path"][:300], safe="/%:@!$&'()*+,;=~")
            client = scope["client"][0] if scope.get("client") else "-"
            line = (
                f"time={now} method={method} path={path} status={answer.status} "
                f"ms={1000 * seconds:.1f} bytes={answer.sent} token={name_of(inner)} "
                f"from={client} id={answer.ident.decode()} route={route}\n"
            )
            sys.stdout.write(line)
            sys.stdout.flush()

    async def _enter(
        self, scope: Scope, fields: dict[bytes, bytes], receive: Receive, answer: _Answer
    ) -> None:
        raw: bytes = scope["raw_path"]
        if len(raw) + len(scope["query_string"]) > MAX_TARGET:
            raise _Refused(414, "uri-too-long", f"the address is longer than {MAX_TARGET} bytes")
        # Of two, a proxy before this may have heeded the other.
        named = sum(name == b"host" for name, _ in scope["headers"])
        if named > 1 or (not named and scope.get("http_version") == "1.1"):
            raise _Refused(
                400, "bad-request", f"a request names one Host, and this {named} of them"
            )
        stranger = None if self._hosts is None else self._stranger(scope, fields)
        if stranger is not None:
            detail = (
                f"this service is not to be asked as or from {stranger[:80]!r}; "
                "`sightline serve --allow-host NAME` names further hosts"
            )
            raise _Refused(421, "misdirected-request", detail)
        if scope["method"] == "HEAD":
            scope["method"] = "GET"
        if raw.startswith(RAW):
            scope["path"] = raw.decode("latin-1")
        if scope["method"] not in ("GET", "DELETE", "OPTIONS") and raw != STREAMED:
            body = await _read(receive)
            if max(map(body.count, (b":", b","))) > MAX_VALUES and raw != b"/sparql":
                detail = f"the body has more than {MAX_VALUES} keys or values; send less at once"
                raise _Refused(413, "content-too-large", detail)
            receive = _after(body, receive)
        await self.app(scope, receive, answer)

    def _stranger(self, scope: Scope, fields: dict[bytes, bytes]) -> str | None:
        """The host that a request was sent to, or from a page of, where that may not be.

        A page elsewhere can give its own name our address, and read what we answer under that name.
        It cannot rename an address; it can send what it has no right to read the answer of.
        """
        assert self._hosts is not None
        host, origin = fields.get(b"host"), fields.get(b"origin")
        name = None if host is None else _name(host)
        if name is not None and name not in self._hosts and not _is_address(name):
            return name
        if origin is None or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return None
        if origin in self._origins:
            return None
        source = origin.partition(b"://")[2]
        if source == host:
            return None
        name = _name(source)
        # Whatever else listens on this machine is another service, and none of ours.
        foreign = name not in self._hosts or name == "localhost" or is_loopback(name)
        return origin.decode("latin-1") if foreign else None


def _name(authority: bytes) -> str:
    """The host of a host and port; nothing where more stands there, such as ``a@localhost``."""
    if any(sign in authority for sign in b"@/?#\\"):
        return ""
    try:
        return urlsplit("//" + authority.decode("latin-1")).hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class _Refused(Exception):
    """A request that goes no further: status, kind and detail of the problem report."""


async def _read(receive: Receive) -> bytes:
    """The whole body.

    Raises:
        Cancelled: the sender has gone.
        _Refused: it is too large, or takes too long.
    """
    body, more = bytearray(), True
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            while more and len(body) <= MAX_BODY:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Cancelled
                body += message.get("body", b"")
                more = message.get("more_body", False)
    except TimeoutError:
        detail = f"the body did not arrive within {BODY_TIMEOUT:g} seconds"
        raise _Refused(408, "request-timeout", detail) from None
    if len(body) > MAX_BODY:
        detail = f"the body is larger than {MAX_BODY} bytes; send less at once"
        raise _Refused(413, "content-too-large", detail)
    return bytes(body)


def _after(body: bytes, receive: Receive) -> Receive:
    """Hands over a body that was read already, then what follows it."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return whole.pop() if whole else await receive()

    return replay


class _Answer:
    """Sends an answer with the common headers, a piece at a time, and without a body where none was
    asked for.

    Attributes:
        status, sent: of the answer so far; bytes of its body.
    """

    def __init__(self, send: Send, bodiless: bool, ident: bytes) -> None:
        self.started = False
        self.status = self.sent = 0
        self.ident = ident
        self._send = send
        self._bodiless = bodiless
        self._plain: Message | None = None
        self._said = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if _is_plain_refusal(message):
                self._plain = message
                return
            self.started, self.status = True, message["status"]
            own = {name.lower() for name, _ in message["headers"]}
            more = (header for header in HEADERS if header[0] not in own)
            named = (b"x-request-id", self.ident)
            await self._send({**message, "headers": [*message["headers"], named, *more]})
            return
        if self._plain is not None:
            self._said += message.get("body", b"")
            if message.get("more_body", False):
                return
            message = await self._reworded(self._plain)
        body = message.get("body", b"")
        if self._bodiless:
            body = b""
        self.sent += len(body)
        if len(body) <= SLICE:
            await self._send({**message, "body": body})
            return
        view, last = memoryview(body), len(body) - 1
        for at in range(0, len(body), SLICE):
            more_body = message.get("more_body", False) or at + SLICE <= last
            await self._send({**message, "body": view[at : at + SLICE], "more_body": more_body})
            # What was written leaves in the next turn; only then does it show whether it is read.
            await asyncio.sleep(0)

    async def _reworded(self, plain: Message) -> Message:
        """Begin a problem report in the place of a refusal in plain text; its body."""
        self._plain = None
        made = of_plain(plain["status"], self._said.decode("utf-8", "replace"), plain["headers"])
        status, headers = made.status_code, made.raw_headers
        await self({"type": "http.response.start", "status": status, "headers": headers})
        return {"type": "http.response.body", "body": bytes(made.body)}


def _is_plain_refusal(start: Message) -> bool:
    """Whether an answer is a refusal that libraries write, such as of a range of a file."""
    if start["status"] < 400:
        return False
    kind: bytes = next((value for name, value in start["headers"] if name == b"content-type"), b"")
    return not kind or kind.startswith(b"text/plain")
