"""From an answer to a response: JSON, entity tags, and finished answers kept for the next one.

Knows HTTP caching and media types; knows no question.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable, Sequence
from tempfile import TemporaryFile, gettempdir
from typing import Any

import orjson
from cachetools import LRUCache
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sightline.api.access import permits
from sightline.api.metrics import CACHE
from sightline.api.reading import Route
from sightline.api.service import Served, Service
from sightline.graph.storage.errors import from_os_error
from sightline.insights.ask import Sightline
from sightline.insights.kind import Kind

JSON = "application/json"
#: Bytes from which an answer is packed for who takes that.
PACKED_FROM = 1024
_NO_GZIP = re.compile(rb"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")
#: Bytes from which an answer that nobody keeps waits on the disk, and that are read at once.
SPILL_FROM, SPILL_PIECE = 1 << 18, 1 << 16
#: Bytes of finished answers that are kept.
CACHE_BYTES = 32 << 20
#: Items of a list that are written as JSON at once: a record of ten steps takes .005 ms.
AT_ONCE = 20


def to_json(value: object, sight: Sightline | None = None) -> bytes:
    """Records and plain values as JSON; their field names are the keys.

    orjson lets nobody else in before it is done, which takes 5 ms for a megabyte. So a long list
    of an answer is written item by item: others get their turn between them.
    """
    members = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    if not any(isinstance(m, list | tuple) and len(m) > AT_ONCE for m in members.values()):
        return orjson.dumps(value)
    parts = [orjson.dumps(name) + b":" + _item_by_item(m) for name, m in members.items()]
    return b"{" + b",".join(parts) + b"}"


def _item_by_item(value: object) -> bytes:
    if isinstance(value, list | tuple):
        return b"[" + b",".join([orjson.dumps(item) for item in value]) + b"]"
    return orjson.dumps(value)


#: What an answer depends on: what is served, raw path, query string, header Accept, whether packed.
Key = tuple[str, bytes, bytes, bytes, bool]


#: A finished answer, and the route that it answers.
Kept = tuple[Response, Route]


class ResponseCache(LRUCache[Key, Kept]):
    """Finished answers, the least recently used leave first. For one thread: the event loop's."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        super().__init__(limit, getsizeof=lambda kept: len(kept[0].body) + 512)

    def put(self, key: Key, kept: Kept) -> None:
        """Keep an answer, unless it is too large to share the room."""
        if self.getsizeof(kept) <= self.maxsize // 8:
            self[key] = kept


async def answer(
    request: Request, kind: Kind[Any, Any], ask: Callable[[Sightline], Any], dear: bool
) -> Response:
    """Answer a GET that ``FromCache`` could not, or a POST.

    Args:
        dear: it may take long, so it has to wait for others that do.

    Raises:
        SightlineError: as ``ask`` does, or because nothing can be served.
        HTTPException: 406, the kind has no media type that the header Accept takes.
    """
    accept = request.headers.get("accept") if kind.formats else None
    media_type = choose(accept, [JSON, *kind.formats])
    render = kind.formats.get(media_type, to_json)
    service: Service = request.app.state.service
    served = service.served

    def make() -> tuple[bytes, dict[str, str], bool]:
        """A finished body and its headers; whether a deadline cut it: the next may hold more."""
        value = ask(served.sight)
        # A batch is no record: how far each of its answers was cut stands in it.
        late = kind.deadline and getattr(value, "reason", None) is not None
        return *packed(render(value, served.sight), request.scope), late

    # Questions to a model have a deadline; one that reads the graph for each may need it.
    dear = dear or (kind.deadline and served.sight.reads_graph)
    body, headers, cut = await (service.dear if dear else service.cheap).run(make, request)
    if cut or kind.fresh or request.method == "POST":
        headers["Cache-Control"] = "no-store"
        return Response(body, headers=headers, media_type=media_type)
    form = media_type.rpartition("/")[2] + headers.get("Content-Encoding", "")
    headers |= {"ETag": f'"{served.tag}-{form}"', "Cache-Control": "private, no-cache"}
    made = Response(body, headers=headers, media_type=media_type)
    request.app.state.cache.put(_key(served, request.scope), (made, request.scope["route"]))
    return _unless_known(made, request.scope)


def packed(body: bytes, scope: Scope) -> tuple[bytes, dict[str, str]]:
    """A body as it is sent, and the headers that say so: packed where that is worth it and the
    client takes it. For a thread: it takes a millisecond for 100 KB."""
    headers = {"Vary": "Accept, Accept-Encoding"}
    if len(body) > PACKED_FROM and takes_gzip(scope):
        return gzip.compress(body, 4, mtime=0), headers | {"Content-Encoding": "gzip"}
    return body, headers


def takes_gzip(scope: Scope) -> bool:
    """Whether who asks takes a packed answer."""
    accepted = _header(scope, b"accept-encoding")
    return b"gzip" in accepted and not _NO_GZIP.search(accepted)


class FromCache:
    """ASGI middleware that answers what was answered before, ahead of routing and parsing."""

    def __init__(self, app: ASGIApp, service: Service, cache: ResponseCache) -> None:
        self.app = app
        self.service = service
        self.cache = cache

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        served = self.service.served_or_none
        if scope["type"] == "http" and scope["method"] == "GET" and served is not None:
            kept = self.cache.get(_key(served, scope))
            CACHE.labels("no" if kept is None else "yes").inc()
            # Who may not ask finds nothing here, and is refused by the route.
            if kept is not None and permits(scope, kept[1].roles):
                scope["route"] = kept[1]
                app = _unless_known(kept[0], scope)
        await app(scope, receive, send)


def _key(served: Served, scope: Scope) -> Key:
    accept = _header(scope, b"accept")
    return served.tag, scope["raw_path"], scope["query_string"], accept, takes_gzip(scope)


def _unless_known(made: Response, scope: Scope) -> Response:
    """The answer, or 304 if the client has it."""
    wanted = _header(scope, b"if-none-match").decode("latin-1")
    known = [part.strip().removeprefix("W/") for part in wanted.split(",")]
    if wanted and made.headers["etag"] in known:
        same = {name: made.headers[name] for name in ("etag", "vary", "cache-control")}
        return Response(status_code=304, headers=same)
    return made


def _header(scope: Scope, name: bytes) -> bytes:
    return b",".join(value for key, value in scope["headers"] if key == name)


def choose(accept: str | None, offered: Sequence[str]) -> str:
    """The offered media type that the header Accept likes best; the first one offered on a tie.

    Raises:
        HTTPException: 406, it takes none of them.
    """
    if not accept:
        return offered[0]
    wanted = [_range(part) for part in accept.split(",")]
    liked = [max((_liking(r, media) for r in wanted), default=(0, 0.0)) for media in offered]
    best = max(range(len(offered)), key=lambda i: (liked[i][1], -i))
    if liked[best][1] <= 0:
        raise HTTPException(406, f"this answer comes as {', '.join(offered)}")
    return offered[best]


def _range(text: str) -> tuple[str, float]:
    """Media range and quality of one part of an Accept header."""
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media, min(max(float(value), 0.0), 1.0)
            except ValueError:
                return media, 0.0
    return media, 1.0


def _liking(wanted: tuple[str, float], media: str) -> tuple[int, float]:
    """How exactly a range names a media type, and the quality it gives: the most exact counts."""
    name, quality = wanted
    for exactness, pattern in ((3, media), (2, media.partition("/")[0] + "/*"), (1, "*/*")):
        if name == pattern:
            return exactness, quality
    return 0, 0.0


class Spilled(Response):
    """An answer that waits on the disk until its reader takes it, so that slow readers hold no
    memory. Its file has no name, and goes with it.

    Args:
        body: more than fits a few packets; made by a thread, which writes it.

    Raises:
        DiskFull, NotWritable
    """

    def __init__(self, body: bytes, media_type: str, headers: dict[str, str]) -> None:
        super().__init__(None, 200, {**headers, "Content-Length": str(len(body))}, media_type)
        self._file = TemporaryFile(prefix="sightline-")  # noqa: SIM115 - closed when it is sent
        try:
            self._file.write(body)
            self._file.seek(0)
        except OSError as error:
            raise from_os_error(error, gettempdir()) from error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(head)
            more = True
            while more:
                piece = self._file.read(SPILL_PIECE)
                more = bool(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": more})
                # Only in the next turn it shows whether what was written is read.
                await asyncio.sleep(0)
