"""One HTTP connection: what a client may cost before, while and after it is answered.

uvicorn's protocol parses and answers; what it leaves open is bounded here. Knows bytes and clocks;
knows no route.
"""

from __future__ import annotations

import asyncio
import os
import resource
from functools import cache
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from sightline.api.problems import problem

#: Seconds within which a connection must have sent the head of a request.
HEADER_TIMEOUT = 15.0
#: Seconds within which a client that reads an answer must have taken some more of it.
WRITE_TIMEOUT = 30.0
#: Seconds that an idle connection stays open when the service ends: a request may be on its way.
FAREWELL = 0.3
#: Bytes and fields of a head, pieces of a body below ``SMALL`` bytes, requests sent ahead.
MAX_HEAD, MAX_FIELDS, MAX_CHUNKS, MAX_AHEAD = 1 << 16, 200, 4096, 32
SMALL = 1024
#: Descriptors that are left for what is opened later: files and processes.
RESERVED = 20

#: Connections from which a request is awaited, the longest awaited first.
_waiting: dict[Connection, None] = {}


@cache
def descriptors() -> tuple[int, int]:
    """How many connections are accepted at once, and how many descriptors may be open, also for
    files and processes, before one connection has to give way for each."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    limit = min(limit, 1 << 16) if limit >= 0 else 1 << 16
    at_once = min(limit // 16, 2048)
    # One that gives way is closed two rounds of the loop later; in each others are accepted.
    return at_once, limit - 3 * at_once - RESERVED


class Connection(HttpToolsProtocol):
    """A connection that cannot be held open for nothing, nor fed without measure."""

    _clock: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None
    _ending = _counting = False
    _head = _chunks = _unsent = 0
    _refusal = (400, "bad-request", "the request cannot be read as HTTP/1.1")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, _OneWrite(transport, self.loop)))
        self._wait()
        if self._crowded(transport.get_extra_info("socket").fileno()):
            longest = next(iter(_waiting))
            longest._stop_waiting()
            longest.transport.abort()

    @staticmethod
    def _crowded(descriptor: int) -> bool:
        """Whether too many descriptors are open. They are counted only once a new one, which is the
        lowest free number, is high, and from then on until there are fewer."""
        if Connection._counting or descriptor >= descriptors()[1]:
            Connection._counting = len(os.listdir("/dev/fd")) > descriptors()[1]
        return Connection._counting

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        super().data_received(data)
        if self._head > MAX_HEAD and not self._answering():
            self._refuse(431, "head-too-large", f"the head is larger than {MAX_HEAD} bytes")
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._writing is not None:
            self._writing.cancel()
        super().connection_lost(exc)

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) == MAX_FIELDS:
            self._give_up(431, "head-too-large", f"the head has more than {MAX_FIELDS} fields")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) == MAX_AHEAD:
            self._give_up(
                429, "too-many-requests", f"more than {MAX_AHEAD} requests were sent ahead"
            )
        super().on_headers_complete()
        self._chunks = 0
        if self._ending:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._chunks += len(body) < SMALL
        if self._chunks > MAX_CHUNKS:
            detail = f"the body comes in more than {MAX_CHUNKS} small pieces; send larger ones"
            self._give_up(413, "content-too-large", detail)
        super().on_body(body)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._wait()

    def send_400_response(self, msg: str) -> None:
        self._refuse(*self._refusal)

    def shutdown(self) -> None:
        """The last answer says that it is the last; an idle connection may still send a request."""
        self._ending = True
        if self._answering():
            super().shutdown()
        else:
            self._stop_waiting()
            self._clock = self.loop.call_later(FAREWELL, self._close_if_idle)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unsent = self.transport.get_write_buffer_size()
        self._writing = self.loop.call_later(WRITE_TIMEOUT, self._require_progress)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()

    def _require_progress(self) -> None:
        """End a connection whose client has read nothing for long."""
        if self.transport.get_write_buffer_size() >= self._unsent:
            self.transport.abort()
        else:
            self.pause_writing()

    def _wait(self) -> None:
        """Start the clock, unless it runs already or a request is being answered."""
        if self._answering():
            self._head = 0
            self._stop_waiting()
        elif self._clock is None and not self.transport.is_closing():
            self._clock = self.loop.call_later(HEADER_TIMEOUT, self._close_if_idle)
            _waiting[self] = None

    def _stop_waiting(self) -> None:
        _waiting.pop(self, None)
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _close_if_idle(self) -> None:
        self._stop_waiting()
        if not self._answering():
            self.transport.close()

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _give_up(self, status: int, kind: str, detail: str) -> None:
        """Let the parser stop where it is; what it then refuses is said by ``_refuse``."""
        self._refusal = (status, kind, detail)
        raise ValueError(detail)

    def _refuse(self, status: int, kind: str, detail: str) -> None:
        answer = problem(status, kind, detail, headers={"Connection": "close"})
        head = [STATUS_LINE[status], *(b"%s: %s\r\n" % field for field in answer.raw_headers)]
        self.transport.write(b"".join([*head, b"\r\n", bytes(answer.body)]))
        self.transport.close()


class _OneWrite:
    """A transport that joins what is written in one turn of the event loop, so that the head of an
    answer and its body leave together."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._parts:
            parts, self._parts = self._parts, []
            self._transport.write(b"".join(parts))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
