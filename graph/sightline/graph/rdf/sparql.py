"""SPARQL over a snapshot's index, in processes that can be stopped.

A query costs at most its own request: it is evaluated by a process with bounded memory and without
a network (``worker``), which is killed when its time is over. Idle processes are kept for the next
query. A result is complete or it is an error; the default graph is the union of all graphs in the
index but that of extracted facts.

No pool of a library does this. Those of ``concurrent.futures`` and joblib cannot end a task that
runs. Pebble can, but its processes begin as copies of the service or by importing its main module;
ours begin with the standard library alone, give up rights before they read a query, and tell what
ran out of memory from what was killed.

Knows processes, deadlines and limits; knows no SPARQL and no HTTP.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cachetools import LRUCache

from sightline.graph.errors import Busy, SightlineError
from sightline.graph.progress import stop_if_cancelled
from sightline.graph.rdf.errors import (
    QueryError,
    QueryInterrupted,
    QueryOutOfMemory,
    QueryRefused,
    QuerySyntaxError,
    QueryTimeout,
    ResultTooLarge,
)
from sightline.graph.rdf.index import index_error, index_of
from sightline.graph.rdf.query_text import Query, undeclared_prefix
from sightline.graph.rdf.worker import left, receive, send
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.vocabulary import EXTRACTED_GRAPH

#: Seconds between two looks whether an answer is still waited for; long queries remembered.
SLICE, REMEMBERED = 0.1, 1000
#: Media types of solutions and of truth values (SELECT, ASK), the default first.
SOLUTIONS = (
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/csv",
    "text/tab-separated-values",
    "application/json",
    "application/xml",
)
#: Media types of triples (CONSTRUCT, DESCRIBE), the default first.
TRIPLES = (
    "text/turtle",
    "application/n-triples",
    "application/ld+json",
    "application/rdf+xml",
    "application/n-quads",
    "application/trig",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may cost, and how many are evaluated.

    Attributes:
        seconds: wall time of one query.
        memory: bytes of one process.
        rows, bytes: size of one result.
        processes: queries evaluated at once.
        quick: seconds after which a query counts as long, now and when it is sent again. One
            process never goes on with a long query, so that a cheap one soon gets its turn.
        patience: seconds that a query may wait for a process.
        queue: queries that may wait for a process, and half as many long ones beside.
        idle: processes kept for the next query.
    """

    seconds: float = 10.0
    memory: int = 512 << 20
    rows: int = 100_000
    bytes: int = 16 << 20
    processes: int = 3
    quick: float = 1.0
    patience: float = 2.0
    queue: int = 16
    idle: int = 2


@dataclass(frozen=True, slots=True)
class Graphs:
    """The graphs that a query is about, by IRI, instead of those it names itself."""

    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


def offered(query: Query) -> tuple[str, ...]:
    """The media types in which the result of a query comes, the default first."""
    return SOLUTIONS if query.form in ("SELECT", "ASK") else TRIPLES


class QueryPool:
    """Evaluates queries, a few at once, for several threads."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self._room = threading.BoundedSemaphore(limits.processes + limits.queue)
        self._turns = threading.BoundedSemaphore(limits.processes)
        self._long_room = threading.BoundedSemaphore(limits.queue // 2)
        self._long = threading.BoundedSemaphore(max(limits.processes - 1, 1))
        self._waited = (self._turns, self._long)
        self._known_long: LRUCache[str, None] = LRUCache(REMEMBERED)
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._closed = False

    def answer(
        self,
        snapshot: Snapshot,
        query: Query,
        media_type: str,
        graphs: Graphs | None = None,
        base: str | None = None,
    ) -> bytes:
        """The result of a query, serialised.

        Args:
            media_type: one of ``offered(query)``.
            base: what relative IRIs of the query are resolved against.

        Raises:
            QueryError: the one that says why there is no result.
            QueryInterrupted, Busy
            DamagedArtifact: the snapshot has no RDF index, or it is damaged.
            IndexUnreadable: a process lacks something to read it.
        """
        folder = index_of(snapshot.folder)
        request = {
            "text": query.text,
            "base": base,
            "media_type": media_type,
            "prefixes": {name: snapshot.prefixes[name] for name in query.borrowed},
            "union": graphs is None and not query.has_dataset,
            "default_graph": None if graphs is None else graphs.default,
            "less": EXTRACTED_GRAPH if snapshot.num_extracted else None,
            "named_graphs": None if graphs is None else graphs.named,
            "seconds": self.limits.seconds,
            "max_rows": self.limits.rows,
            "max_bytes": self.limits.bytes,
        }
        if query.text in self._known_long:
            with self._place(self._long_room), self._place(self._long), self._place(self._turns):
                start = time.monotonic()
                reply, body = self._ask(folder, request, long=True)
                if time.monotonic() < start + self.limits.quick:
                    with self._lock:
                        self._known_long.pop(query.text, None)
        else:
            with self._place(self._room), self._place(self._turns):
                reply, body = self._ask(folder, request)
        if reply.get("failed"):
            raise self._error(reply, query, folder)
        return body

    def close(self) -> None:
        """End all processes. Queries that are being evaluated still get their answer."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for process in idle:
            process.kill()

    @contextmanager
    def _place(self, places: threading.BoundedSemaphore) -> Iterator[None]:
        """One of some places, for which a query waits a little."""
        end = time.monotonic() + (self.limits.patience if places in self._waited else 0)
        while not places.acquire(timeout=min(SLICE, left(end))):
            stop_if_cancelled()
            if time.monotonic() >= end:
                raise Busy("the queue of SPARQL queries")
        try:
            yield
        finally:
            places.release()

    def _ask(
        self, folder: Path, request: dict[str, Any], long: bool = False
    ) -> tuple[dict[str, Any], bytes]:
        """Let a process evaluate a request; it is kept unless anything went wrong. ``long``: the
        query is known to take long, and has a place among those."""
        start = time.monotonic()
        deadline = start + self.limits.seconds
        process = self._take(folder, fresh=long)
        keep = grown = False
        try:
            process.send(request, deadline)
            if not long and not process.replies(min(start + self.limits.quick, deadline)):
                with self._lock:
                    self._known_long[request["text"]] = None
                grown = self._long.acquire(blocking=False)
                if not grown:
                    raise Busy("the room for SPARQL queries that take long")
            if long or grown:
                process.stand_back()
            while not process.replies(min(time.monotonic() + SLICE, deadline)):
                stop_if_cancelled()
                if time.monotonic() >= deadline:
                    raise QueryTimeout(self.limits.seconds)
            reply = process.receive(deadline)
            keep = reply is not None and not (long or grown or reply[0].get("retire", True))
        except TimeoutError as error:
            raise QueryTimeout(self.limits.seconds) from error
        finally:
            self._give_back(process, keep)
            if grown:
                self._long.release()
        if reply is not None:
            return reply
        if process.ended == "SIGABRT":
            raise QueryOutOfMemory(self.limits.memory)
        raise QueryInterrupted(process.ended)

    def _take(self, folder: Path, fresh: bool) -> _Process:
        """An idle process, or a new one; those of another snapshot end."""
        if fresh:
            return _Process(folder, self.limits.memory)
        with self._lock:
            idle, self._idle = self._idle, []
            mine = [p for p in idle if p.folder == folder and p.alive()]
            self._idle = mine[1:]
        for process in idle:
            if process not in mine:
                process.kill()
        return mine[0] if mine else _Process(folder, self.limits.memory)

    def _give_back(self, process: _Process, keep: bool) -> None:
        with self._lock:
            if keep and not self._closed and len(self._idle) < self.limits.idle:
                self._idle.append(process)
                return
        process.kill()

    def _error(self, reply: dict[str, Any], query: Query, folder: Path) -> SightlineError:
        """What a process says went wrong, in the words of the error tree."""
        reason = reply.get("reason", "")
        match reply["failed"]:
            case "syntax":
                return _syntax_error(query, reason)
            case "rows":
                return ResultTooLarge("rows", self.limits.rows)
            case "bytes":
                return ResultTooLarge("bytes", self.limits.bytes)
            case "memory":
                return QueryOutOfMemory(self.limits.memory)
            case "damaged" | "unreadable":
                return index_error(folder, reason, reply["failed"] == "damaged")
            case "service":
                return QueryRefused("SERVICE would ask another server, which this one never does")
        return QueryError(f"the query cannot be evaluated: {reason[:300]}")


class _Process:
    """A worker process and the socket to it."""

    def __init__(self, folder: Path, memory: int) -> None:
        self.folder = folder
        self._channel, theirs = socket.socketpair()
        with theirs:
            module = ("-P", "-m", "sightline.graph.rdf.worker")
            self._process = subprocess.Popen(
                [sys.executable, *module, str(folder), str(memory)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def ended(self) -> str:
        """How it ended: the name of a signal, or its exit status."""
        code: int = self._process.wait()
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"

    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def stand_back(self) -> None:
        """Leave the processor to whatever else wants it."""
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, 10)

    def send(self, request: dict[str, Any], deadline: float) -> None:
        """Hand over a request. That the process has ended shows when the reply is received."""
        self._channel.settimeout(left(deadline))
        with suppress(ConnectionError):
            send(self._channel, request)

    def replies(self, deadline: float) -> bool:
        """Whether the reply begins, or the process ends, before the deadline."""
        self._channel.settimeout(left(deadline))
        try:
            self._channel.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True

    def receive(self, deadline: float) -> tuple[dict[str, Any], bytes] | None:
        """The reply; None if the process ended first."""
        try:
            return receive(self._channel, deadline)
        except ConnectionError:
            return None

    def kill(self) -> None:
        """End it now. One that has ended already ended as it did."""
        self._channel.close()
        self._process.kill()
        self._process.wait()


def _syntax_error(query: Query, reason: str) -> QuerySyntaxError:
    """What the engine says about a text, with a position in it."""
    text = query.text
    if (use := undeclared_prefix(query)) is not None:
        return QuerySyntaxError(text, use.start(), f"the prefix {use[0]} is not declared")
    found = re.match(r"error at (\d+):(\d+): (.*)", reason, re.DOTALL)
    if found is None:
        return QuerySyntaxError(text, 0, reason[:200])
    lines = text.split("\n")
    line = min(int(found[1]), len(lines))
    position = sum(len(before) + 1 for before in lines[: line - 1]) + int(found[2]) - 1
    # The engine lists what it expected: tokens, often not the missing one, or a sentence.
    expected = found[3].removeprefix("expected ").removeprefix("one of ").split(", ")
    sentences = [item for item in expected if re.fullmatch(r"[\w*]+( [\w*]+)+", item)]
    reason = sentences[0] if sentences else "something before it is missing or not allowed"
    return QuerySyntaxError(text, min(position, len(text)), reason)
